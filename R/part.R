# The small parts of a model: initializers, regularizers, constraints, activations, losses and metrics. Each is an R
# function with a `name` and a `config` of plain arguments, so that it can be printed, saved and made again.
#
# All objects of a kind share one function, call_<kind>(), which finds its formula by the object's name. So two objects
# with the same arguments are identical, and a saved one holds no code.

# What there is. The constructor of, say, the loss "huber" is loss_huber().
part_names <- list(
  initializer = c("zeros", "ones", "constant", "identity", "random_uniform", "random_normal", "truncated_normal",
    "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "orthogonal", "stft"),
  regularizer = c("l1", "l2", "l1_l2", "orthogonal"),
  constraint = c("maxnorm", "nonneg", "unitnorm", "minmaxnorm"),
  activation = c("linear", "relu", "elu", "selu", "gelu", "swish", "sigmoid", "hard_sigmoid", "tanh", "softmax",
    "softplus", "softsign", "exponential", "celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "mish", "relu6", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "tanh_shrink", "threshold"),
  loss = c("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "huber", "logcosh", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "kl_divergence", "poisson", "hinge", "squared_hinge", "categorical_hinge",
    "cosine_similarity", "binary_focal_crossentropy", "categorical_focal_crossentropy", "dice", "tversky", "circle",
    "categorical_generalized_cross_entropy", "ctc"),
  metric = c("accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "auc", "precision", "recall", "true_positives",
    "false_positives", "true_negatives", "false_negatives", "mean", "mean_squared_error", "root_mean_squared_error",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "logcosh_error",
    "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence", "poisson",
    "hinge", "squared_hinge", "categorical_hinge", "cosine_similarity", "of_loss", "sum", "f1_score", "fbeta_score",
    "iou", "mean_iou", "binary_iou", "one_hot_iou", "one_hot_mean_iou", "r2_score", "sensitivity_at_specificity",
    "specificity_at_sensitivity", "precision_at_recall", "recall_at_precision", "binary_focal_crossentropy",
    "categorical_focal_crossentropy", "huber", "pearson_correlation", "concordance_correlation",
    "mean_relative_error")
)

error_aliases <- c(mse = "mean_squared_error", mae = "mean_absolute_error", mape = "mean_absolute_percentage_error",
  msle = "mean_squared_logarithmic_error", kld = "kl_divergence", kullback_leibler_divergence = "kl_divergence",
  cosine_proximity = "cosine_similarity")

part_aliases <- list(
  initializer = c(zero = "zeros", one = "ones", uniform = "random_uniform", normal = "random_normal", eye = "identity"),
  activation = c(silu = "swish", hard_swish = "hard_silu"),
  loss = c(error_aliases, huber_loss = "huber", log_cosh = "logcosh"),
  metric = c(error_aliases, rmse = "root_mean_squared_error", logcosh = "logcosh_error", log_cosh = "logcosh_error",
    log_cosh_error = "logcosh_error")
)

# Classes that Keras' and TensorFlow's objects have in R, behind our own: scripts ask inherits() for them.
python_classes <- list(metric = c("keras.metrics.base_metric.Metric", "keras.metrics.Metric"),
  optimizer = c("keras.optimizers.optimizer.Optimizer", "keras.optimizers.Optimizer"),
  callback = "keras.callbacks.Callback", dataset = c("tensorflow.python.data.ops.dataset_ops.DatasetV2",
    "tf.data.Dataset"))

#' @param f called with the part's arguments; it finds the part itself by `sys.function()`.
#' @param own an R function of the user's that it runs.
#' @noRd
new_part <- function(kind, name, config, f, own = NULL) {
  structure(f, class = c(paste0("nn_", kind), "nn_part", if (kind == "metric") python_classes$metric), name = name,
    config = config, own = own)
}

#' Is a loss or metric called with targets and predictions, rather than without both to make an object?
#' @noRd
is_called <- function(no_true, no_pred, fun) {
  if (no_true != no_pred) abort("one of `y_true` and `y_pred` is missing", fun = fun)
  !no_true
}

is_part <- function(x, kind) inherits(x, paste0("nn_", kind))
part_kind <- function(x) sub("^nn_", "", class(x)[1])
part_name <- function(x) attr(x, "name")
part_config <- function(x) attr(x, "config")

#' The name of the constructor, for messages.
#' @noRd
part_label <- function(x) paste0(part_kind(x), "_", part_name(x))

#' @export
label_of.nn_part <- function(f) part_label(f)

#' @export
in_words.nn_part <- function(x) with_article(part_kind(x))

part_constructor <- function(kind, name) get(paste0(kind, "_", name), envir = topenv(), mode = "function")

#' "GlorotUniform", "glorot_uniform" and "max_norm", "maxnorm" are the same to Keras' users.
#' @noRd
bare_name <- function(x) gsub("[^a-z0-9]", "", tolower(x))

#' All strings that name a part of the kind: names and aliases, each with the part's name.
#' @noRd
known_names <- function(kind) {
  named <- setdiff(part_names[[kind]], "of_loss") # that one needs the loss
  c(stats::setNames(named, named), part_aliases[[kind]])
}

#' The part's name that a string means, NA if none.
#' @noRd
find_name <- function(kind, x) {
  known <- known_names(kind)
  unname(known[match(bare_name(x), bare_name(names(known)))])
}

#' The part that a constructor makes without arguments; NULL for another function.
#' @noRd
made_by <- function(kind, f) {
  for (name in known_names(kind)) if (is_spelling(f, paste0(kind, "_", name))) return(part_constructor(kind, name)())
}

#' Is it this function of ours, or a spelling of it in `tf`?
#' @noRd
is_spelling <- function(f, name) identical(attr(f, "spells"), name) || identical(f, get(name, envir = topenv()))

#' What the user gives for a part, as the part
#'
#' @param x a string, a part, a constructor of parts, an R function, what serialize_part() gave, or NULL, which stays.
#' @param arg,fun the user's argument and function, for messages.
#' @param custom_objects a named list of the user's functions that strings and saved parts may name.
#' @param name how an R function is called; without, as own_name() says.
#' @noRd
as_part <- function(kind, x, arg = kind, fun = calling_function(), custom_objects = NULL, name = NULL) {
  if (is.null(x) || is_part(x, kind)) return(x)
  if (inherits(x, "nn_class") && attr(x, "own_class")$kind == kind) return(x())
  x <- as_model_part(x, kind, arg, fun)
  if (is_part(x, kind)) return(x)
  if (is.character(x) && length(x) == 1 && !is.na(x)) {
    check_string(x, arg, fun)
    if (x %in% names(custom_objects)) return(as_part(kind, custom_objects[[x]], arg, fun, name = x))
    return(part_constructor(kind, check_part_name(kind, x, arg, fun))())
  }
  if (is_branch(x) && is.character(x$class_name)) return(read_part(kind, x, arg, fun, custom_objects))
  if (is.function(x) && !inherits(x, "nn_part") && !(is_layer(x) && kind != "activation")) {
    made <- made_by(kind, x)
    if (is.null(made)) check_function(x, arg, fun, takes = if (kind %in% c("initializer", "loss", "metric")) 2 else 1)
    return(if (is.null(made)) own_part(kind, x, if (is.null(name)) own_name(x, "custom") else name) else made)
  }
  abort("`", arg, "` must be the name of ", with_article(kind), ", an object such as `", kind, "_",
    part_names[[kind]][1], "()`, or a function, not ", describe(x), fun = fun)
}

#' Objects of other kinds as a model takes them; anything else as it is.
#' @noRd
as_model_part <- function(x, kind, arg, fun) UseMethod("as_model_part")

#' @export
as_model_part.default <- function(x, kind, arg, fun) x

check_part_name <- function(kind, x, arg, fun) {
  name <- find_name(kind, x)
  if (is.na(name)) abort("`", arg, "` names no ", kind, ": \"", x, "\"", did_you_mean(x, names(known_names(kind))),
    fun = fun)
  name
}

#' An R function of the user's as a part. It is called as it is, but for losses and metrics, which add what it gives up.
#' @noRd
own_part <- function(kind, f, name) {
  switch(kind,
    loss = new_part(kind, "custom", list(reduction = "auto", name = name), call_loss, own = f),
    metric = new_metric("custom", list(name = name), own = f),
    structure(as_closure(f), class = c(paste0("nn_", kind), "nn_part", attr(f, "class")), name = "custom",
      config = list(name = name), own = f)
  )
}

#' What a function of the user's is called: what it says itself, as R's functions do that reticulate hands to Python, or
#' else the name that it is registered by, or what it is called where it stands.
#' @noRd
own_name <- function(f, otherwise) {
  name <- attr(f, "py_function_name")
  if (!is.null(name)) return(check_string(name, arg = "py_function_name", fun = NULL))
  key <- registered_key(f)
  if (is.null(key)) otherwise else sub("^.*>", "", key)
}

#' The name that a class, a part or a function has of itself.
#' @noRd
serial_name <- function(x, otherwise = NULL) {
  class <- attr(x, "own_class")
  if (!is.null(class)) return(class$classname)
  if (inherits(x, "R6ClassGenerator")) return(x$classname)
  if (inherits(x, "nn_part")) part_config(x)$name else own_name(x, otherwise)
}

#' The name by which files know an object of the user's, or NULL.
#' @noRd
registered_key <- function(x) Find(function(key) identical(session$registered[[key]], x), names(session$registered))


#' A part as a list of plain values. A function of the user's keeps its name only.
#' @noRd
serialize_part <- function(x) if (!is.null(x)) list(class_name = part_name(x), config = part_config(x))

read_part <- function(kind, x, arg, fun, custom_objects) {
  config <- as.list(x$config)
  if (x$class_name == "custom") {
    own <- custom_objects[[config$name]]
    if (is.function(own)) return(as_part(kind, own, arg, fun, name = config$name))
    abort("`", arg, "` is the custom function `", config$name, "`; give it as `custom_objects = list(",
      config$name, " = ...)`", class = "custom", fun = fun)
  }
  name <- if (x$class_name %in% part_names[[kind]]) x$class_name else check_part_name(kind, x$class_name, arg, fun)
  constructor <- part_constructor(kind, name)
  unknown <- setdiff(names(config), names(formals(constructor)))
  if (length(unknown)) {
    abort("`", arg, "`: \"", x$class_name, "\" has no argument `", unknown[1], "`",
      did_you_mean(unknown[1], names(formals(constructor))), fun = fun)
  }
  do.call(constructor, config)
}

#' `name = "auc", seed = NULL`
#' @noRd
format_config <- function(config) {
  value <- function(x) if (is.null(x) || length(x) <= 5 && !is.list(x)) deparse1(x) else paste0("<", describe(x), ">")
  paste(names(config), "=", vapply(config, value, ""), recycle0 = TRUE, collapse = ", ")
}

#' @export
print.nn_part <- function(x, ...) {
  cat("<", part_kind(x), " ", part_name(x), "(", format_config(part_config(x)), ")>\n", sep = "")
  invisible(x)
}
