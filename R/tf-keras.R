# `tf$keras$...`: Keras' names in Python. They follow from ours by rule, but for a few; a call is ours, with its
# arguments in Python's order. See R/tf.R.

python_words <- c(Kl = "KL", Auc = "AUC", Logcosh = "LogCosh", Maxnorm = "MaxNorm",
  Minmaxnorm = "MinMaxNorm", Nonneg = "NonNeg", Unitnorm = "UnitNorm", Csv = "CSV", Lr = "LR", Naan = "NaN",
  Tensorboard = "TensorBoard")

#' "MeanSquaredError" of mean_squared_error.
#' @noRd
python_class <- function(x) {
  words <- strsplit(x, "_", fixed = TRUE)
  vapply(words, function(w) {
    w <- paste0(toupper(substring(w, 1, 1)), substring(w, 2))
    paste(ifelse(w %in% names(python_words), python_words[w], w), collapse = "")
  }, "")
}

#' A function that calls ours of this name, without its first `skip` arguments: what Python's constructors do not take.
#' @param zero names of arguments that are 0-based in Python.
#' @noRd
python_call <- function(name, skip = 0, zero = character()) {
  takes <- setdiff(utils::tail(names(formals(get(name))), if (skip) -skip else Inf), "...")
  eval(bquote(function(...) do.call(.(name), python_arguments(list(...), .(takes), .(zero)), quote = TRUE)))
}

python_arguments <- function(args, takes, zero) {
  args <- with_argument_names(args, takes)
  for (arg in intersect(zero, names(args))) args[arg] <- list(from_zero(args[[arg]]))
  args
}

#' A member of `tf$keras` of these functions of ours; classes of their names in Python.
#' @noRd
keras_part <- function(part, functions, classes = NULL, skip = 0, ...) {
  made <- stats::setNames(lapply(unname(functions), python_call, skip), classes)
  new_namespace(paste0("tf$keras$", part), c(made[!duplicated(classes)], ...))
}

#' `tf$keras$losses` and its like: the parts of a kind, under Python's names and our own.
#' @noRd
keras_parts <- function(kind) {
  names <- setdiff(part_names[[kind]], "of_loss")
  keras_part(paste0(sub("y$", "ie", kind), if (kind == "loss") "es" else "s"), paste0(kind, "_", names),
    python_class(names), if (kind %in% c("loss", "metric")) 2 else 0, own_spellings(kind, names),
    if (kind %in% c("loss", "metric", "constraint")) stats::setNames(list(base_class(kind, paste0("keras.", kind))),
      python_class(kind)))
}

own_spellings <- function(kind, names) {
  if (kind %in% c("loss", "metric")) names <- c(names, names(part_aliases[[kind]]))
  c(stats::setNames(lapply(names, function(name) get(paste0(kind, "_", find_name(kind, name)))), names),
    if (kind == "loss") list(Reduction = new_namespace("tf$keras$losses$Reduction", list(NONE = "none", SUM = "sum",
      AUTO = "auto", SUM_OVER_BATCH_SIZE = "sum_over_batch_size"))))
}

#' Names of our functions that begin with this word.
#' @noRd
named_with <- function(word) ls(topenv(), pattern = paste0("^", word, "_"))

keras_layers <- function() {
  home <- topenv()
  layers <- Filter(function(name) exists(paste0(sub("layer_", "", name), "_type"), home) && is.function(get(name)) &&
    name != "layer_op_lambda", setdiff(named_with("layer"), "layer_input"))
  # names of old come last
  layers <- layers[order(grepl("cudnn", layers))]
  kinds <- vapply(layers, function(name) get(paste0(sub("layer_", "", name), "_type"))$class_name, "")
  keras_part("layers", c(layers, "bidirectional", "time_distributed"), c(kinds, "Bidirectional", "TimeDistributed"), 1,
    list(Input = layer_input, Layer = base_class("layer", "keras.layers.Layer"), Wrapper = KerasWrapper))
}

keras_activations <- function() {
  both <- tf_nn[c("relu", "elu", "selu", "gelu", "sigmoid", "tanh", "softmax", "softplus", "swish")]
  new_namespace("tf$keras$activations", c(lapply(both, as_tensorflow), list(linear = activation_linear,
    softsign = activation_softsign, exponential = activation_exponential, hard_sigmoid = activation_hard_sigmoid)))
}

keras_callbacks <- function() {
  callbacks <- c("backup_and_restore", "csv_logger", "early_stopping", "lambda", "learning_rate_scheduler",
    "model_checkpoint", "progbar_logger", "reduce_lr_on_plateau", "tensorboard", "terminate_on_naan")
  classes <- sub("Onplateau", "OnPlateau", python_class(callbacks))
  classes[callbacks == "lambda"] <- "LambdaCallback"
  keras_part("callbacks", paste0("callback_", callbacks), classes, 0,
    list(Callback = base_class("callback", "keras.callbacks.Callback")))
}

keras_backend <- function() {
  new_namespace("tf$keras$backend", stats::setNames(lapply(named_with("k"), python_call,
    zero = c("axis", "axes", "pattern")), sub("k_", "", named_with("k"))))
}

keras_datasets <- function() {
  data <- intersect(c("boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist",
    "reuters"), sub("dataset_", "", named_with("dataset")))
  new_namespace("tf$keras$datasets", stats::setNames(lapply(data, function(name)
    new_namespace(paste0("tf$keras$datasets$", name), list(load_data = get(paste0("dataset_", name))))), data))
}

#' `tf$keras$utils` and `tf$keras$preprocessing`, which share functions.
#' @noRd
keras_data_tools <- function() {
  sequences <- list(pad_sequences = pad_sequences, skipgrams = skipgrams, make_sampling_table = make_sampling_table)
  pictures <- list(load_img = image_load, img_to_array = image_to_array, array_to_img = image_from_array,
    save_img = function(path, x, ...) image_array_save(x, path, ...))
  # functions of files that are read after this one are looked up when they are called
  from_files <- list(image_dataset_from_directory = image_dataset_from_directory,
    text_dataset_from_directory = text_dataset_from_directory,
    timeseries_dataset_from_array = function(...) python_call("timeseries_dataset_from_array",
      zero = "start_index")(...))
  list(
    utils = new_namespace("tf$keras$utils", c(sequences[1], pictures, from_files, list(to_categorical = to_categorical,
      normalize = normalize, get_file = get_file, set_random_seed = function(seed) set_random_seed(seed)))),
    preprocessing = new_namespace("tf$keras$preprocessing", c(from_files, list(
      image = new_namespace("tf$keras$preprocessing$image", c(pictures, list(ImageDataGenerator = image_data_generator,
        smart_resize = image_smart_resize))),
      sequence = new_namespace("tf$keras$preprocessing$sequence", c(sequences, list(
        TimeseriesGenerator = function(...) timeseries_generator(...)))),
      text = new_namespace("tf$keras$preprocessing$text", list(Tokenizer = text_tokenizer, one_hot = text_one_hot,
        text_to_word_sequence = text_to_word_sequence, hashing_trick = text_hashing_trick))
    )))
  )
}

keras_namespace <- function() {
  models <- list(Model = keras_model, Sequential = keras_model_sequential)
  new_namespace("tf$keras", c(models, list(
    Input = layer_input,
    layers = keras_layers(),
    losses = keras_parts("loss"), metrics = keras_parts("metric"), initializers = keras_parts("initializer"),
    regularizers = keras_parts("regularizer"), constraints = keras_parts("constraint"),
    activations = keras_activations(),
    optimizers = new_namespace("tf$keras$optimizers", tf_optimizers),
    callbacks = keras_callbacks(),
    models = new_namespace("tf$keras$models", c(models, list(load_model = load_model, clone_model = clone_model))),
    backend = keras_backend(),
    datasets = keras_datasets()
  ), keras_data_tools()))
}
