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

keras_namespace <- function() {
  home <- topenv()
  named <- function(start) ls(home, pattern = paste0("^", start, "_"))
  layers <- Filter(function(name) exists(paste0(sub("layer_", "", name), "_type"), home) && is.function(get(name)) &&
    name != "layer_op_lambda", setdiff(named("layer"), "layer_input"))
  # names of old come last
  layers <- layers[order(grepl("cudnn", layers))]
  kinds <- vapply(layers, function(name) get(paste0(sub("layer_", "", name), "_type"))$class_name, "")
  parts <- function(kind) {
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
  callbacks <- c("backup_and_restore", "csv_logger", "early_stopping", "lambda", "learning_rate_scheduler",
    "model_checkpoint", "progbar_logger", "reduce_lr_on_plateau", "tensorboard", "terminate_on_naan")
  callback_names <- sub("Onplateau", "OnPlateau", python_class(callbacks))
  callback_names[callbacks == "lambda"] <- "LambdaCallback"
  backend <- sub("k_", "", named("k"))
  data <- intersect(c("boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist",
    "reuters"),
    sub("dataset_", "", named("dataset")))
  models <- list(Model = keras_model, Sequential = keras_model_sequential)
  sequences <- list(pad_sequences = pad_sequences, skipgrams = skipgrams, make_sampling_table = make_sampling_table)
  pictures <- list(load_img = image_load, img_to_array = image_to_array, array_to_img = image_from_array,
    save_img = function(path, x, ...) image_array_save(x, path, ...))
  # functions of files that are read after this one are looked up when they are called
  from_files <- list(image_dataset_from_directory = image_dataset_from_directory,
    text_dataset_from_directory = text_dataset_from_directory,
    timeseries_dataset_from_array = function(...) python_call("timeseries_dataset_from_array",
      zero = "start_index")(...))
  new_namespace("tf$keras", c(models, list(
    Input = layer_input,
    layers = keras_part("layers", c(layers, "bidirectional", "time_distributed"), c(kinds, "Bidirectional",
      "TimeDistributed"), 1, list(Input = layer_input, Layer = base_class("layer", "keras.layers.Layer"),
      Wrapper = KerasWrapper)),
    losses = parts("loss"), metrics = parts("metric"), initializers = parts("initializer"),
    regularizers = parts("regularizer"), constraints = parts("constraint"),
    activations = new_namespace("tf$keras$activations", c(lapply(tf_nn[c("relu", "elu", "selu", "gelu", "sigmoid",
      "tanh", "softmax", "softplus", "swish")], as_tensorflow), list(linear = activation_linear,
      softsign = activation_softsign, exponential = activation_exponential,
      hard_sigmoid = activation_hard_sigmoid))),
    optimizers = new_namespace("tf$keras$optimizers", tf_optimizers),
    callbacks = keras_part("callbacks", paste0("callback_", callbacks), callback_names, 0,
      list(Callback = base_class("callback", "keras.callbacks.Callback"))),
    models = new_namespace("tf$keras$models", c(models, list(load_model = load_model, clone_model = clone_model))),
    backend = new_namespace("tf$keras$backend", stats::setNames(lapply(named("k"), python_call,
      zero = c("axis", "axes", "pattern")), backend)),
    datasets = new_namespace("tf$keras$datasets", stats::setNames(lapply(data, function(name)
      new_namespace(paste0("tf$keras$datasets$", name), list(load_data = get(paste0("dataset_", name))))), data)),
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
  )))
}
