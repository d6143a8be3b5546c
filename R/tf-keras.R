# `tf$keras$...`: Keras' names in Python. They follow from ours by rule, but for a few; a call is ours, with its
# arguments in Python's order. See R/tf.R.

python_words <- c(Kl = "KL", Auc = "AUC", Logcosh = "LogCosh", Maxnorm = "MaxNorm",
  Minmaxnorm = "MinMaxNorm", Nonneg = "NonNeg", Unitnorm = "UnitNorm", Csv = "CSV", Lr = "LR", Naan = "NaN",
  Iou = "IoU", Fbeta = "FBeta", Ctc = "CTC", Tensorboard = "TensorBoard")

#' "MeanSquaredError" of mean_squared_error.
#' @noRd
python_class <- function(x) {
  words <- strsplit(x, "_", fixed = TRUE)
  vapply(words, function(w) {
    w <- paste0(toupper(substring(w, 1, 1)), substring(w, 2))
    paste(ifelse(w %in% names(python_words), python_words[w], w), collapse = "")
  }, "")
}

# What Python has behind the other arguments, of functions of ours where it stands before. `metric`: of all metrics
# without a line of their own.
late_arguments <- local({
  states <- c("dropout", "recurrent_dropout", "return_sequences", "return_state", "go_backwards", "stateful")
  losses <- c("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "hinge", "squared_hinge", "categorical_hinge", "poisson", "kl_divergence",
    "logcosh", "huber", "dice", "tversky")
  c(list(layer_lstm = c(states, "time_major", "unroll"), layer_gru = c(states, "unroll", "time_major", "reset_after"),
    layer_simple_rnn = c(states, "unroll", "time_major"),
    callback_model_checkpoint = c("save_freq", "initial_value_threshold", "period"),
    callback_lambda = c("on_train_batch_begin", "on_train_batch_end", "on_predict_batch_begin",
      "on_predict_batch_end", "on_predict_begin", "on_predict_end"),
    callback_tensorboard = c("write_steps_per_second", "update_freq", "profile_batch", "embeddings_freq",
      "embeddings_metadata", "batch_size", "write_grads", "embeddings_layer_names", "embeddings_data"),
    loss_sparse_categorical_crossentropy = c("ignore_class", "reduction", "name", "axis"),
    loss_circle = c("gamma", "margin", "remove_diagonal", "reduction", "name", "ref_labels", "ref_embeddings"),
    metric_auc = c("name", "dtype", "thresholds", "multi_label", "num_labels", "label_weights", "from_logits"),
    metric_binary_accuracy = c("name", "dtype", "threshold"),
    metric = c("name", "dtype", "shape", "from_logits", "label_smoothing", "ignore_class", "axis", "sparse_y_true",
      "sparse_y_pred")),
  stats::setNames(rep(list(c("reduction", "name", "axis")), length(losses)), paste0("loss_", losses)))
})

#' The arguments of a function of ours in Python's order.
#' @param skip how many of the first ones Python's constructor does not take.
#' @noRd
python_order <- function(name, skip) {
  takes <- setdiff(utils::tail(names(formals(get(name))), if (skip) -skip else Inf), "...")
  kind <- sub("_.*", "", name)
  if (!skip && "y_pred" %in% takes) return(takes) # a function of two tensors has ours
  late <- late_arguments[[name]]
  if (kind == "metric" && is.null(late)) late <- late_arguments$metric
  # dtype is what our constructors take in `...`
  c(setdiff(takes, late), intersect(late, c(takes, if (kind == "metric") "dtype")))
}

#' A function that calls ours of this name with arguments in Python's order, without its first `skip` ones.
#' @param zero names of arguments that are 0-based in Python, and 1-based here.
#' @noRd
python_call <- function(name, skip = 0, zero = if (sub("^layer_", "", name) %in% axes_from_1 ||
  grepl("^(loss|metric)_", name)) "axis") {
  takes <- python_order(name, skip)
  # compile() and its like know by `spells` which loss it is
  structure(eval(bquote(function(...) do.call(.(name), python_arguments(list(...), .(takes), .(zero)), quote = TRUE))),
    spells = name)
}

python_arguments <- function(args, takes, zero) {
  if ("function" %in% names(args)) names(args)[names(args) == "function"] <- "f" # of a lambda layer
  args <- with_argument_names(args, takes)
  for (arg in intersect(zero, names(args))) args[arg] <- list(from_zero(args[[arg]]))
  args
}

#' A member of `tf$keras` of these functions of ours; classes of their names in Python.
#' @noRd
keras_part <- function(part, functions, classes = NULL, skip = 0, ...) {
  made <- stats::setNames(.mapply(python_call, list(unname(functions), rep_len(skip, length(functions))), NULL),
    classes)
  new_namespace(paste0("tf$keras$", part), c(made[!duplicated(classes)], ...))
}

#' `tf$keras$losses` and its like: the parts of a kind, under Python's names and our own.
#' @noRd
keras_parts <- function(kind) {
  names <- setdiff(part_names[[kind]], "of_loss")
  keras_part(paste0(sub("y$", "ie", kind), if (kind == "loss") "es" else "s"), paste0(kind, "_", names),
    python_class(names), if (kind %in% c("loss", "metric")) 2 else 0, own_spellings(kind, names),
    by_identifier(kind), if (kind %in% c("loss", "metric", "constraint"))
      stats::setNames(list(base_class(kind, paste0("keras.", kind))), python_class(kind)))
}

# What Keras has beside names and aliases of ours.
more_spellings <- list(loss = c("MSE", "MAE", "MAPE", "MSLE", "KLD"), metric = c("MSE", "MAE", "MAPE", "MSLE", "KLD"),
  constraint = c("max_norm", "min_max_norm", "non_neg", "unit_norm"))

own_spellings <- function(kind, names) {
  names <- c(names, if (kind %in% c("loss", "metric")) names(part_aliases[[kind]]), more_spellings[[kind]])
  c(stats::setNames(lapply(names, function(name) python_call(paste0(kind, "_", find_name(kind, name)))), names),
    if (kind == "loss") list(Reduction = new_namespace("tf$keras$losses$Reduction", list(NONE = "none", SUM = "sum",
      AUTO = "auto", SUM_OVER_BATCH_SIZE = "sum_over_batch_size"))),
    if (kind == "regularizer") list(OrthogonalRegularizer = python_call("regularizer_orthogonal")),
    if (kind == "metric") list(MeanTensor = python_call("metric_mean_tensor")))
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
  layers <- c(layers, "bidirectional", "time_distributed")
  # cells are not put on anything
  put_on <- vapply(layers, function(name) names(formals(get(name)))[1] %in% c("object", "inputs"), NA)
  keras_part("layers", layers, c(kinds, "Bidirectional", "TimeDistributed"), as.numeric(put_on),
    list(Input = keras_input, Layer = base_class("layer", "keras.layers.Layer"), Wrapper = KerasWrapper),
    by_identifier("layer"))
}

keras_activations <- function() {
  # Keras calls all arguments x
  both <- lapply(tf_nn[c("selu", "gelu", "sigmoid", "tanh", "softmax", "softplus", "swish", "silu", "log_softmax")],
    function(f) function(x, ...) f(x, ...))
  both$elu <- function(x, alpha = 1) activation_elu(op_input(x), alpha)
  relu <- function(x, alpha = 0, max_value = NULL, threshold = 0) activation_relu(op_input(x), alpha, max_value,
    threshold)
  new_namespace("tf$keras$activations", c(as_activations(c(lapply(c(both, relu = relu), as_tensorflow), list(
    linear = activation_linear, relu6 = activation_relu6, mish = activation_mish, leaky_relu = activation_leaky_relu,
    softsign = activation_softsign, exponential = activation_exponential, hard_sigmoid = activation_hard_sigmoid))),
    by_identifier("activation")))
}

keras_callbacks <- function() {
  callbacks <- c("backup_and_restore", "csv_logger", "early_stopping", "lambda", "learning_rate_scheduler",
    "model_checkpoint", "progbar_logger", "reduce_lr_on_plateau", "remote_monitor", "swap_ema_weights", "tensorboard",
    "terminate_on_naan")
  classes <- sub("Onplateau", "OnPlateau", python_class(callbacks))
  classes[callbacks == "lambda"] <- "LambdaCallback"
  keras_part("callbacks", paste0("callback_", callbacks), classes, 0,
    list(Callback = base_class("callback", "keras.callbacks.Callback")))
}

keras_backend <- function() {
  new_namespace("tf$keras$backend", stats::setNames(lapply(named_with("k"), python_call,
    zero = c("axis", "axes", "pattern", "reduction_axes")), sub("k_", "", named_with("k"))))
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
    utils = new_namespace("tf$keras$utils", c(sequences[1], pictures, from_files, keras_utils())),
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

#' `get()`, `serialize()` and `deserialize()` of a kind of parts.
#' @noRd
by_identifier <- function(kind) list(
  get = function(identifier) if (!is.null(identifier)) get_part(kind, identifier),
  serialize = function(obj) serialize_keras_object(obj),
  deserialize = function(config, custom_objects = NULL) if (is_string(config)) get_part(kind, config) else
    deserialize_keras_object(config, custom_objects)
)

get_part <- function(kind, x) switch(kind,
  optimizer = as_optimizer(if (is_branch(x)) deserialize_keras_object(x) else x, fun = "tf$keras$optimizers$get"),
  layer = if (is_layer(x)) x else deserialize_keras_object(x),
  metric = as_metric(x, 0, 0, fun = "tf$keras$metrics$get"),
  if (is_branch(x)) deserialize_keras_object(x) else as_part(kind, x, "identifier", "get"))

keras_utils <- function() list(
  to_categorical = to_categorical, normalize = python_call("normalize", zero = "axis"), get_file = get_file,
  FeatureSpace = new_type(python_call("layer_feature_space", 1), "tf$keras$utils$FeatureSpace", c(
    stats::setNames(mget(paste0("feature_", feature_kinds), topenv()), feature_kinds),
    list(feature = feature_custom, cross = feature_cross))),
  set_random_seed = function(seed) set_random_seed(seed),
  split_dataset = function(...) split_dataset(...),
  plot_model = function(model, to_file = NULL, show_shapes = FALSE, show_dtype = FALSE, show_layer_names = FALSE, ...)
    plot(check_model(model, "model", "plot_model"), to_file = to_file, show_shapes = show_shapes,
      show_dtype = show_dtype, show_layer_names = show_layer_names, ...),
  get_custom_objects = function() get_custom_objects(),
  get_registered_name = function(obj) get_registered_name(obj),
  get_registered_object = function(name, custom_objects = NULL, module_objects = NULL) get_registered_object(name,
    custom_objects, module_objects),
  serialize_keras_object = function(instance) serialize_keras_object(instance),
  deserialize_keras_object = function(config, custom_objects = NULL, ...) deserialize_keras_object(config,
    custom_objects),
  # a decorator in Python
  register_keras_serializable = function(package = "Custom", name = NULL) {
    check_string(package)
    function(arg) {
      register_keras_serializable(arg, name, package)
      arg
    }
  },
  custom_object_scope = function(...) object_scope(...), CustomObjectScope = function(...) object_scope(...),
  pack_x_y_sample_weight = function(x, y = NULL, sample_weight = NULL) {
    if (is.null(y) && !is.null(sample_weight)) abort("`sample_weight` needs `y`", fun = "pack_x_y_sample_weight")
    if (is.null(y)) x else c(list(x, y), if (!is.null(sample_weight)) list(sample_weight))
  },
  unpack_x_y_sample_weight = function(data) {
    parts <- batch_parts(data)
    list(parts$x, parts$y, parts$sample_weight)
  }
)

#' `with(tf$keras$utils$custom_object_scope(list(...)), ...)`
#' @noRd
object_scope <- function(...) {
  objects <- do.call(c, list(...))
  check_custom_objects(objects, "custom_object_scope", "objects")
  structure(list(objects = objects), class = "nn_object_scope")
}

#' @export
with.nn_object_scope <- function(data, expr, ...) with_custom_object_scope(data$objects, expr)

keras_namespace <- function() {
  models <- list(Model = keras_model, Sequential = keras_model_sequential)
  new_namespace("tf$keras", c(models, list(
    Input = keras_input,
    layers = keras_layers(),
    losses = keras_parts("loss"), metrics = keras_parts("metric"), initializers = keras_parts("initializer"),
    regularizers = keras_parts("regularizer"), constraints = keras_parts("constraint"),
    activations = keras_activations(),
    optimizers = new_namespace("tf$keras$optimizers", c(tf_optimizers, by_identifier("optimizer"),
      legacy = new_namespace("tf$keras$optimizers$legacy", c(tf_optimizers, by_identifier("optimizer"))))),
    callbacks = keras_callbacks(),
    models = new_namespace("tf$keras$models", c(models, list(
      load_model = function(...) load_model(...), save_model = function(...) save_model(...),
      clone_model = function(...) clone_model(...), model_from_json = function(json_string, custom_objects = NULL)
        model_from_json(json_string, custom_objects)))),
    backend = keras_backend(),
    datasets = keras_datasets()
  ), keras_data_tools()))
}
