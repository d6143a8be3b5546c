# Configurations in the layout of Keras: an object as the name of its class and its arguments as plain values. Models
# have theirs, and what reads all of them is, in R/save-config.R.

#' Configurations of layers, models and their parts
#'
#' `get_config()` gives the arguments from which an object can be made again, as Keras names and lays them out: those of
#' layers and models, optimizers and learning rate schedules, losses, metrics, initializers, regularizers and
#' constraints. `from_config()` makes an object of a configuration. It has new weights.
#'
#' Parts within a configuration are lists of `class_name` and `config`, shapes and sizes of several axes are lists, and
#' `NULL` stands for sizes that are not known. R functions stay as they are; [model_to_json()] writes their names.
#'
#' @param object a layer, a model, an optimizer, a schedule, a loss, a metric, an initializer, a regularizer or a
#'   constraint.
#' @param config what `get_config()` gave; or a list of `class_name` and `config` as Keras serializes layers and models.
#' @param custom_objects a named list of your own functions and classes of layers, which the configuration names.
#' @return `get_config()`: a named list, which knows the class it belongs to. `from_config()`: an object of that class.
#' @section Errors: `nativenet_error_custom` for a class or function that is neither here nor among `custom_objects`;
#'   `nativenet_error_file` for arguments that an object of the class cannot have.
#' @seealso [model_to_json()], [with_custom_object_scope()]
#' @examples
#' config <- get_config(layer_dense(units = 3, activation = "relu"))
#' config$units
#' config$kernel_initializer
#' from_config(config)
#' @export
get_config <- function(object) UseMethod("get_config")

#' @export
get_config.default <- function(object) abort("`object` must be a layer, a model, an optimizer or another part of a ",
  "model, not ", describe(object), fun = "get_config")

#' A configuration that knows what it is of.
#' @noRd
config_of <- function(kind, class_name, config) structure(config, config_class = c(kind = kind,
  class_name = class_name))

#' An object within others: its class and its configuration.
#' @noRd
keras_object <- function(x) {
  config <- get_config(x)
  c(list(class_name = attr(config, "config_class")[["class_name"]], config = without_notes(config)),
    Filter(Negate(is.null), attributes(config)[entry_notes]))
}

# What stands beside a configuration: how a model of a class was called, whether the values are R's own, what layers
# within have learned.
entry_notes <- c("build_config", "values", "learned")

without_notes <- function(config) {
  for (note in c("config_class", entry_notes)) attr(config, note) <- NULL
  config
}

#' The arguments of a class of the user's, which are R's values as they are but for the layers and parts in them.
#' @noRd
class_values <- function(x) {
  if (is_layer(x) || inherits(x, "nn_optimizer") || inherits(x, "nn_part") && part_name(x) != "custom")
    return(c(if (inherits(x, "nn_part")) list(module = part_module(part_kind(x))) else if (!is_layer(x))
      list(module = "keras.optimizers"), keras_object(x)))
  if (is_branch(x) && holds_any(x, is.object)) x[] <- lapply(x, class_values)
  x
}

# Where Keras has the parts of a kind.
part_module <- function(kinds) paste0("keras.", vapply(kinds, plural_of, ""))

# ---- names of classes ----

#' "glorot_uniform" as "GlorotUniform"
#' @noRd
camel_case <- function(x) gsub("(^|_)([a-z0-9])", "\\U\\2", x, perl = TRUE)

# Where that is not the class of the part.
part_class_names <- list(
  initializer = c(stft = "STFT"),
  regularizer = c(l1_l2 = "L1L2", orthogonal = "OrthogonalRegularizer"),
  constraint = c(maxnorm = "MaxNorm", nonneg = "NonNeg", unitnorm = "UnitNorm", minmaxnorm = "MinMaxNorm"),
  loss = c(kl_divergence = "KLDivergence", logcosh = "LogCosh"),
  metric = c(auc = "AUC", kl_divergence = "KLDivergence", logcosh_error = "LogCoshError", iou = "IoU",
    mean_iou = "MeanIoU", binary_iou = "BinaryIoU", one_hot_iou = "OneHotIoU", one_hot_mean_iou = "OneHotMeanIoU")
)

# Arguments that Keras calls otherwise: ours, named by Keras'.
part_argument_names <- list(regularizer = list(l1 = c(l1 = "l"), l2 = c(l2 = "l")))

part_class_name <- function(kind, name) {
  own <- part_class_names[[kind]]
  if (name %in% names(own)) own[[name]] else if (kind == "activation") name else camel_case(name)
}

#' Our name of a part, which Keras may give by its class or by an alias; NA if there is none.
#' @noRd
part_of_class <- function(kind, class_name) {
  # registered classes have their package before them; Keras 3 has an OrthogonalInitializer
  class_name <- sub("(.)Initializer$", "\\1", sub("^.*>", "", class_name))
  own <- part_class_names[[kind]]
  at <- match(class_name, own)
  if (is.na(at)) find_name(kind, class_name) else names(own)[at]
}

# ---- parts ----

#' @export
get_config.nn_part <- function(object) {
  if (!is.null(own_object(object))) return(config_of_object(object, part_kind(object)))
  kind <- part_kind(object)
  name <- part_name(object)
  config <- part_config(object)
  if (name == "custom") abort("`object` is a function of your own, which has no configuration: give the function ",
    "itself again", class = "custom", fun = "get_config")
  if (name == "of_loss") return(config_of("metric", "MeanMetricWrapper", list(name = config$name,
    fn = keras_object(as_part("loss", config$loss)))))
  names(config) <- keras_argument_names(part_argument_names[[kind]][[name]], names(config))
  config_of(kind, part_class_name(kind, name), lapply(config, config_value))
}

#' Names as Keras has them, of a table of ours.
#' @noRd
keras_argument_names <- function(table, names) {
  at <- match(names, table)
  ifelse(is.na(at), names, names(table)[at])
}

#' And back.
#' @noRd
own_argument_names <- function(table, names) {
  at <- match(names, names(table))
  unname(ifelse(is.na(at), names, table[at]))
}

#' @export
get_config.nn_schedule <- function(object) {
  if (!is.null(own_object(object))) return(config_of_object(object, "schedule"))
  name <- sub("^learning_rate_schedule_", "", attr(object, "name"))
  config_of("schedule", camel_case(name), lapply(attr(object, "config"), config_value))
}

optimizer_class_names <- c(sgd = "SGD", rmsprop = "RMSprop", adamw = "AdamW")

#' @export
get_config.nn_optimizer <- function(object) {
  constructor <- sub("^optimizer_", "", constructor_of(.subset2(object, "kind")))
  schedule <- .subset2(object, "schedule")
  config <- c(list(name = .subset2(object, "name"),
    learning_rate = if (is.null(schedule)) current_rate(object) else keras_object(schedule)),
    as.list(.subset2(object, "config")), as.list(.subset2(object, "clip")))
  arguments <- formals(get(paste0("optimizer_", constructor), envir = topenv()))
  # the engine keeps flags as numbers
  arguments$use_ema <- FALSE
  for (arg in intersect(names(config), names(arguments))) if (is.logical(arguments[[arg]]))
    config[[arg]] <- config[[arg]] != 0
  config_of("optimizer", if (constructor %in% names(optimizer_class_names)) optimizer_class_names[[constructor]] else
    camel_case(constructor), config)
}

# ---- layers ----

# Arguments of layers that Keras calls otherwise.
layer_argument_names <- list(lambda = c("function" = "f"))

# What the third version calls otherwise than the second, by the class of the layer.
keras_3_argument_names <- list(LeakyReLU = c(negative_slope = "alpha"))

# Layers whose `axis` counts from 1 here; that of Keras counts from 0, the batch.
axes_from_1 <- c("batch_normalization", "layer_normalization", "group_normalization", "unit_normalization",
  "rms_normalization")

# What stays a list in Keras if it has one element, too.
tuple_arguments <- c("kernel_size", "strides", "pool_size", "dilation_rate", "target_shape", "dims", "shared_axes",
  "noise_shape", "output_padding", "attention_axes", "bin_boundaries", "vocabulary", "idf_weights")

#' A value as Keras lays it out.
#' @noRd
config_value <- function(x, arg = "", name = "custom") {
  if (is.null(x) && arg == "activation") return("linear")
  if (is_part(x, "activation")) return(activation_value(x, name))
  if (inherits(x, "nn_part")) return(if (part_name(x) == "custom" && is.null(own_object(x))) named_function(attr(x,
    "own"), custom_name(x, name)) else keras_object(x))
  if (is_layer(x)) return(keras_object(x))
  if (inherits(x, "nn_op_args")) return(op_data(unclass(x), name))
  if (is_tensor(x)) return(config_value(as.array(x)))
  if (is.function(x)) return(named_function(x, own_name(x, name)))
  if (is_branch(x)) return(lapply(x, config_value, arg = arg, name = name))
  if (length(dim(x)) > 1) return(x)
  if (anyNA(x)) return(lapply(as.list(x), function(v) if (!is.na(v)) v))
  if (arg %in% tuple_arguments && !is.null(x)) return(as.list(x))
  x
}

#' Functions of the user's are known by their name, in files by that alone.
#' @noRd
named_function <- function(f, name) {
  f <- as_closure(f)
  attr(f, "py_function_name") <- name
  f
}

custom_name <- function(part, name) {
  own <- part_config(part)$name
  if (own == "custom") own_name(attr(part, "own"), name) else own
}

#' Keras names activations; those with arguments of their own are objects here.
#' @noRd
activation_value <- function(x, name) {
  own <- part_name(x)
  if (!is.null(own_object(x))) return(keras_object(x))
  if (own == "custom") return(named_function(attr(x, "own"), custom_name(x, name)))
  constructor <- part_constructor("activation", own)
  needs_arguments <- any(vapply(formals(constructor)[-1], identical, NA, quote(expr = )))
  if (!needs_arguments && identical(part_config(x), part_config(constructor()))) own else keras_object(x)
}

#' The configuration of a layer or model of a class of the user's.
#' @noRd
config_of_class <- function(self) {
  said <- class_arguments(self)
  options <- list(name = self$name, trainable = self$trainable, dtype = self$dtype)
  config <- lapply(said, class_values)
  shape <- self$options$batch_input_shape
  if (is.null(shape) && !is.null(self$options$input_shape)) shape <- c(NA, self$options$input_shape)
  structure(config_of("layer", self$class_name, c(options[setdiff(names(options), names(config))],
    if (!is.null(shape)) list(batch_input_shape = config_value(shape, "target_shape")), config)), values = "R",
    learned = learned_within(self))
}

#' What layers within one of a class have learned or were given since they were made, by their places.
#' @noRd
learned_within <- function(self) {
  inner <- inner_layers(self)
  at <- which(vapply(inner, function(s) !is.null(s$given), NA))
  if (length(at)) lapply(at, function(k) c(list(at = k, class_name = inner[[k]]$class_name, given = inner[[k]]$given),
    list(config = inner[[k]]$config)))
}

inner_layers <- function(self) layers_within(self)[-1]

#' The same of a loss, metric, constraint or schedule of a class.
#' @noRd
config_of_object <- function(x, kind) structure(config_of(kind, own_class(own_object(x))$classname,
  lapply(own_object_arguments(x), class_values)), values = "R")

#' @export
get_config.nn_layer <- function(object) {
  self <- layer_self(object)
  if (isTRUE(self$is_input)) return(config_of("layer", "InputLayer", list(batch_input_shape = config_value(
    self$input_shape, "target_shape"), dtype = self$dtype, sparse = FALSE, ragged = FALSE, name = self$name)))
  if (!is.null(self$own)) return(config_of_class(self))
  config <- Map(function(x, arg) config_value(x, arg, if (self$kind == "lambda" && arg == "f") self$name else
    paste0(self$name, "_", arg)), self$config, names(self$config))
  if (!self$kind %in% c("custom", "op_lambda")) config <- config[names(config) %in% names(formals(get(paste0("layer_",
    self$kind), envir = topenv())))] # layers keep more than they were given
  names(config) <- keras_argument_names(layer_argument_names[[self$kind]], names(config))
  if (self$kind == "lambda") {
    config <- c(config, list(function_type = "function", module = NULL))
    config["arguments"] <- list(self$config$arguments)
  }
  if (self$kind == "op_lambda") config <- list("function" = sub("^tf[.]", "", op_label(self$config$f, NULL)),
    nativenet = config)
  if (self$kind %in% axes_from_1) config$axis <- ifelse(config$axis > 0, config$axis - 1L, config$axis)
  if (self$kind == "tied_dense") config$tied_to <- layer_self(self$config$tied_to)$name
  for (arg in intersect(c("padding", "cropping"), names(config)))
    if (is_branch(config[[arg]]) && length(config[[arg]]) == 1) config[[arg]] <- config[[arg]][[1]]
  shape <- self$options$batch_input_shape
  if (is.null(shape) && !is.null(self$options$input_shape)) shape <- c(if (is.null(self$options$batch_size)) NA else
    self$options$batch_size, self$options$input_shape)
  structure(config_of("layer", self$class_name, c(list(name = self$name, trainable = self$trainable,
    dtype = self$dtype), if (!is.null(shape)) list(batch_input_shape = config_value(shape, "target_shape")), config)),
    values = if (self$kind == "lambda") "R")
}
