# What Keras writes of models, in its second and third version: read, and models written so. A model is a class and a
# configuration; a functional one lists its layers, each with the calls of it (`inbound_nodes`), which name the tensors
# they read by layer, call and output, counted from 0.

#' @rdname get_config
#' @export
from_config <- function(config, custom_objects = NULL) {
  fun <- "from_config"
  if (!is.list(config)) abort("`config` must be a list, as `get_config()` gives, not ", describe(config),
    fun = fun)
  context <- reading_context(custom_objects, fun)
  of <- attr(config, "config_class")
  if (is.null(of) && is.character(config$class_name) && "config" %in% names(config))
    return(building(read_keras_layer(config, context), "`config`", fun))
  if (is.null(of)) abort("`config` does not say which class it is of: it must come from `get_config()`, or be a list ",
    "of `class_name` and `config`", fun = fun)
  entry <- c(list(class_name = of[["class_name"]], config = without_notes(config)), attributes(config)[entry_notes])
  building(switch(of[["kind"]], layer = read_keras_layer(entry, context), optimizer = read_keras_optimizer(entry,
    context), schedule = read_keras_schedule(entry, context), read_keras_part(of[["kind"]], entry, "config", context)),
    "`config`", fun)
}

#' @export
`$.nn_python_class` <- function(x, name) {
  members <- c(unclass(x), from_config = from_config)
  if (name %in% names(members)) members[[name]] else unknown_member(name, names(members), "a class")
}

#' Functions and classes of your own
#'
#' While `expr` is evaluated, whatever reads models knows these by their names, besides its argument `custom_objects`.
#'
#' @param objects a named list of functions and classes of layers.
#' @param expr an expression.
#' @return The value of `expr`.
#' @seealso [load_model()], [model_from_json()], [from_config()]
#' @examples
#' double <- function(x) 2 * x
#' model <- keras_model_sequential(input_shape = 2) |> layer_lambda(double, name = "double")
#' json <- model_to_json(model)
#' with_custom_object_scope(list(double = double), model_from_json(json))
#' @export
with_custom_object_scope <- function(objects, expr) {
  objects <- check_custom_objects(objects, "with_custom_object_scope", "objects")
  before <- session$custom_objects
  on.exit(session$custom_objects <- before)
  session$custom_objects <- utils::modifyList(as.list(before), as.list(objects))
  expr
}

check_custom_objects <- function(x, fun, arg = "custom_objects") {
  taken <- function(f) is.function(f) || inherits(f, "R6ClassGenerator")
  x <- named_classes(if (taken(x)) list(x) else x)
  if (!is.null(x) && !(is_named_list(x) && all(vapply(x, taken, NA))))
    abort("`", arg, "` must be a named list of functions, not ", describe(x), fun = fun)
  x
}

#' What has a name of its own, as classes have, needs none in a list.
#' @noRd
named_classes <- function(x) {
  if (!is_branch(x) || !length(x)) return(x)
  if (is.null(names(x))) names(x) <- character(length(x))
  for (i in which(!nzchar(names(x)))) names(x)[i] <- c(serial_name(x[[i]]), "")[1]
  x
}

#' Those of the argument, those of with_custom_object_scope(), and those that are registered, without their package,
#' too.
#' @noRd
known_custom_objects <- function(x, fun) {
  x <- check_custom_objects(x, fun)
  known <- as.list(session$registered)
  if (length(known)) known <- c(known, stats::setNames(known, sub("^.*>", "", names(known))))
  utils::modifyList(utils::modifyList(known, as.list(session$custom_objects)), as.list(x))
}

#' @param fun the user's function, for messages.
#' @noRd
reading_context <- function(custom_objects, fun) {
  context <- new.env(parent = emptyenv())
  context$custom <- known_custom_objects(custom_objects, fun)
  context$fun <- fun
  context
}

# ---- values ----

# What Keras stores besides the arguments that layers have here, and what needs nothing here whatever it says.
idle_arguments <- c("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "registered_name", "module",
  "build_config", "autocast", "dynamic", "ragged", "sparse", "implementation", "unroll", "fused", "function_type",
  "output_shape_type", "output_shape_module", "synchronized", "query_shape", "key_shape", "value_shape",
  "vocabulary_size", "has_input_vocabulary", "optional", "jit_compile", "is_legacy_optimizer", "ema_momentum",
  "fn", "keras_version", "shared_object_id", "experimental_autocast", "input_dtype", "seed", "encoding")

# Those that say nothing with one value.
idle_values <- list(groups = 1, data_format = "channels_last", time_major = FALSE, depth_multiplier = 1,
  noise_shape = NULL, loss_scale_factor = NULL, dilation_rate = 1, decay = 0, output_mode = "int", mask_token = "",
  virtual_batch_size = NULL, interpolation = "nearest", renorm_momentum = 0.99)

#' Those that a class inherits and does not use.
#' @noRd
unused_arguments <- function(kind) if (grepl("^(separable|depthwise)_conv", kind)) c("kernel_initializer",
  "kernel_regularizer", "kernel_constraint")

#' A plain value of JSON as constructors take it: without the wrappers of Keras' own types.
#' @noRd
keras_value <- function(x) {
  if (is_branch(x) && is.character(x$class_name)) {
    if (identical(x$class_name, "__tuple__")) return(keras_value(x$items))
    if (identical(x$class_name, "__numpy__") || identical(x$class_name, "__tensor__"))
      return(keras_value(x$config$value))
    if (identical(x$class_name, "TensorShape")) return(keras_value(x$items))
  }
  x <- plain_value(x)
  if (is_branch(x)) lapply(x, keras_value) else x
}

#' The arguments of a constructor that a configuration holds. What it holds besides must say nothing.
#' @noRd
accepted_arguments <- function(config, accepted, what, unused = NULL) {
  for (arg in setdiff(names(config), c(accepted, idle_arguments, unused))) {
    value <- keras_value(config[[arg]])
    if (is.null(value) || identical(value, FALSE) || arg %in% names(idle_values) &&
      isTRUE(all.equal(rep_len(idle_values[[arg]], length(value)), value))) next
    abort("the ", what, " has an argument `", arg, "` of ", describe(value), ", which is not supported", class = "file",
      fun = NULL)
  }
  config[intersect(names(config), accepted)]
}

#' The dtype of a layer, in which it computes.
#' @noRd
keras_dtype <- function(x, what) {
  if (is_branch(x)) x <- x$config$name
  if (is.null(x)) return(NULL)
  if (!is_string(x) || grepl("float16|float8", x)) abort("the ", what, " computes in ", describe(x),
    ", not in float32 or float64", class = "file", fun = NULL)
  if (x %in% float_dtypes) x
}

is_string <- function(x) is.character(x) && length(x) == 1 && !is.na(x)

#' A part: by its name, as an object, or a function of the user's by its name.
#' @noRd
read_keras_part <- function(kind, x, arg, context) {
  if (is.null(x) || is.function(x)) return(as_part(kind, x, arg, context$fun))
  if (is_branch(x) && identical(x$class_name, "function")) x <- x$config # Keras 3 names functions so
  if (is_string(x)) {
    if (x %in% names(context$custom)) return(as_part(kind, context$custom[[x]], arg, context$fun, name = x))
    own <- part_of_class(kind, x)
    if (!is.na(own)) return(part_constructor(kind, own)())
    return(as_part(kind, find_custom(context$custom, x, kind, context$fun), arg, context$fun, name = x))
  }
  if (!is_branch(x) || !is_string(x$class_name)) abort("`", arg, "` is no ", kind, ", but ", describe(x),
    class = "file", fun = NULL)
  what <- paste0(kind, " ", x$class_name)
  if (kind == "metric" && is_branch(x$config$fn)) return(metric_of_loss(read_keras_part("loss", x$config$fn, arg,
    context), x$config$name))
  own <- part_of_class(kind, x$class_name)
  if (is.na(own)) {
    found <- find_custom(context$custom, x$class_name, kind, context$fun)
    if (inherits(found, "nn_class")) return(do.call(found, config_arguments(x, context), quote = TRUE))
    return(as_part(kind, found, arg, context$fun, name = x$class_name))
  }
  constructor <- part_constructor(kind, own)
  config <- as.list(x$config)
  names(config) <- own_argument_names(part_argument_names[[kind]][[own]], names(config))
  accepted <- setdiff(names(formals(constructor)), c("x", "y_true", "y_pred", "values", "..."))
  do.call(constructor, lapply(accepted_arguments(config, accepted, what), keras_value))
}

read_keras_schedule <- function(entry, context) {
  own <- context$custom[[entry$class_name]]
  if (inherits(own, "nn_class")) return(do.call(own, config_arguments(entry, context), quote = TRUE))
  name <- paste0("learning_rate_schedule_", part_stem(entry$class_name))
  if (!is.null(entry[["values"]])) find_custom(context$custom, entry$class_name, "class of schedules",
    context$fun)
  if (!name %in% getNamespaceExports(topenv())) abort("there is no schedule `", entry$class_name, "` here",
    class = "file", fun = NULL)
  constructor <- get(name, envir = topenv())
  config <- accepted_arguments(as.list(entry$config), names(formals(constructor)), paste("schedule", entry$class_name))
  do.call(constructor, lapply(config, keras_value))
}

#' "ExponentialDecay" as "exponential_decay"
#' @noRd
part_stem <- function(class_name) tolower(gsub("([a-z])([A-Z])", "\\1_\\2", check_string(class_name, arg = "class_name",
  fun = NULL)))

read_keras_optimizer <- function(entry, context) {
  name <- paste0("optimizer_", tolower(sub("^.*>", "", check_string(entry$class_name, arg = "class_name", fun =
    NULL))))
  if (!name %in% getNamespaceExports(topenv())) abort("there is no optimizer `", entry$class_name, "` here",
    class = "file", fun = NULL)
  constructor <- get(name, envir = topenv())
  config <- as.list(entry$config)
  if (is_branch(config$learning_rate) && is_string(config$learning_rate$class_name))
    config$learning_rate <- read_keras_schedule(config$learning_rate, context)
  accepted <- c(setdiff(names(formals(constructor)), "..."), common_arguments, "decay")
  config <- accepted_arguments(config, c("name", accepted), paste("optimizer", entry$class_name))
  do.call(constructor, lapply(config, function(x) if (is_schedule(x)) x else keras_value(x)))
}

# ---- layers ----

# Other names of classes that we have.
layer_class_aliases <- c(CuDNNLSTM = "LSTM", CuDNNGRU = "GRU", SyncBatchNormalization = "BatchNormalization",
  MaxPool1D = "MaxPooling1D", MaxPool2D = "MaxPooling2D", MaxPool3D = "MaxPooling3D", AvgPool1D = "AveragePooling1D",
  AvgPool2D = "AveragePooling2D", AvgPool3D = "AveragePooling3D", GlobalAvgPool1D = "GlobalAveragePooling1D",
  GlobalAvgPool2D = "GlobalAveragePooling2D", GlobalAvgPool3D = "GlobalAveragePooling3D",
  GlobalMaxPool1D = "GlobalMaxPooling1D", GlobalMaxPool2D = "GlobalMaxPooling2D",
  GlobalMaxPool3D = "GlobalMaxPooling3D", Convolution1D = "Conv1D", Convolution2D = "Conv2D", Convolution3D = "Conv3D",
  Convolution2DTranspose = "Conv2DTranspose", SeparableConvolution1D = "SeparableConv1D",
  SeparableConvolution2D = "SeparableConv2D", BatchNormalizationV1 = "BatchNormalization",
  BatchNormalizationV2 = "BatchNormalization", LSTMV2 = "LSTM", GRUV2 = "GRU", SlicingOpLambda = "TFOpLambda")

#' The kinds of layers by the name of their class, from the types that stand beside the constructors.
#' @noRd
layer_classes <- function() {
  if (!is.null(session$layer_classes)) return(session$layer_classes)
  kinds <- c("op_lambda", sub("^layer_", "", grep("^layer_", getNamespaceExports(topenv()), value = TRUE)))
  classes <- lapply(kinds, function(kind) get0(paste0(kind, "_type"), topenv())$class_name)
  found <- lengths(classes) > 0
  session$layer_classes <- stats::setNames(kinds[found], unlist(classes[found]))
}

model_classes <- c("Sequential", "Functional", "Model")

#' A layer, a model, or for an input layer its symbolic tensor.
#' @noRd
read_keras_layer <- function(entry, context) {
  class_name <- check_string(entry$class_name, arg = "class_name", fun = NULL)
  config <- entry$config
  if (class_name == "Sequential") return(read_sequential(config, context))
  if (!is_branch(config)) abort("the layer of class `", class_name, "` has no configuration", class = "file",
    fun = NULL)
  own <- custom_class(entry, context)
  if (is.null(own) && is_string(entry$module) && grepl("(^|[.])ops[.]", entry$module)) return(foreign_op(paste0("op_",
    part_stem(class_name)), config$name, config[setdiff(names(config), idle_arguments)], class_name, context))
  if (is.null(own) && class_name %in% model_classes) return(layer_handle(read_functional(config, context)))
  name <- if (is.null(config$name)) entry$name else config$name
  if (!is.null(name)) take_name(check_name(name, NULL))
  what <- paste0("layer `", name, "` (", class_name, ")")
  if (class_name == "InputLayer") return(read_input(config, name))
  options <- list(name = name, trainable = config$trainable)
  shape <- if (is.null(config$batch_input_shape)) config$batch_shape else config$batch_input_shape
  if (!is.null(shape)) options$batch_input_shape <- keras_value(shape)
  options$dtype <- keras_dtype(config$dtype, what)
  if (!is.null(own)) return(read_own_class(own, entry, options, context))
  if (class_name %in% names(layer_class_aliases)) class_name <- layer_class_aliases[[class_name]]
  kind <- layer_classes()[class_name]
  if (is.na(kind)) abort("there is no class of layers `", class_name, "` here; if it is your own, give its constructor",
    " as `custom_objects = list(", class_name, " = ...)`", class = "custom", fun = context$fun)
  names(config) <- own_argument_names(c(layer_argument_names[[kind]], keras_3_argument_names[[class_name]]),
    names(config))
  if (kind == "op_lambda") {
    stored <- config$nativenet
    if (is.null(stored)) return(foreign_op(tf_op(config[["function"]]), name, list(), what, context))
    return(layer_op_lambda(stored$f, read_op_data(stored$args), name = name))
  }
  if (kind == "lambda") config$f <- read_lambda(config$f, name, context)
  given <- list(config = config$arguments, values = entry[["values"]])
  constructor <- layer_constructor(kind, context$fun)
  accepted <- setdiff(names(formals(constructor)), c("object", "inputs", "...", names(options)))
  config <- accepted_arguments(config, accepted, what, unused_arguments(kind))
  config <- Map(function(x, arg) read_argument(x, arg, name, context), config, names(config))
  if (kind == "lambda" && !is.null(given$values) && !is.null(given$config))
    config$arguments <- config_arguments(given, context)
  if (kind %in% axes_from_1 && is.numeric(config$axis)) config$axis <- ifelse(config$axis >= 0, config$axis + 1,
    config$axis)
  do.call(constructor, c(config, options))
}

# ---- calls of ops, which are layers of models in Python, too ----

#' Our name of one of TensorFlow's functions: "math.reduce_mean" is tf$math$reduce_mean.
#' @noRd
tf_op <- function(label) {
  if (!is_string(label)) return("lambda")
  at <- match(label, op_labels)
  if (is.na(at)) paste0("tf$", gsub(".", "$", label, fixed = TRUE)) else names(op_labels)[at]
}

#' What stands for such a layer until it is called.
#' @noRd
foreign_op <- function(f, name, args, what, context) {
  if (!f %in% names(op_functions()) || f == "[") abort("the layer `", name, "` (", what, ") calls a function of ",
    "Python's, `", f, "`, that is not here: make the model here, and load its weights", class = "custom",
    fun = context$fun)
  structure(list(f = f, name = name, args = lapply(args, keras_value)), class = "nn_foreign_op")
}

call_foreign_op <- function(op, arguments) {
  args <- c(arguments, op$args)
  args <- args[!(names(args) %in% "name")]
  if (!grepl("[a-z]", op$f)) args <- unname(args) # an operator
  # keras3 counts axes from 1 in R
  if (startsWith(op$f, "op_")) for (arg in intersect(c("axis", "axes"), names(args)))
    args[[arg]] <- ifelse(args[[arg]] >= 0, args[[arg]] + 1, args[[arg]])
  y <- op_layer(op$f, args)
  for (t in tensor_leaves(y)) if (is_keras_tensor(t)) assign("name", op$name, envir = t$node$layer)
  y
}

#' A class of the user's, of whose layers this is one.
#' @noRd
custom_class <- function(entry, context) {
  for (name in c(entry$registered_name, entry$class_name)) if (is_string(name)) {
    found <- context$custom[[name]]
    if (is.null(found)) found <- context$custom[[sub("^.*>", "", name)]]
    if (is.function(found) || inherits(found, "R6ClassGenerator")) return(class_constructor(found, context$fun))
  }
}

#' The function of a lambda layer: R's, or of that name. The code of Python's is not read.
#' @noRd
read_lambda <- function(f, name, context) {
  if (is.function(f)) return(f)
  if (is_branch(f) && is_string(f$config) && identical(f$class_name, "function")) f <- f$config
  known <- if (is_string(f) && f %in% names(context$custom)) f else name
  named_function(find_custom(context$custom, known, "function", context$fun), known)
}

read_argument <- function(x, arg, name, context) {
  part <- sub(".*_", "", arg)
  if (part %in% names(part_names) && part %in% c("activation", "initializer", "regularizer", "constraint"))
    return(read_keras_part(part, x, arg, context))
  if (is_layer(x) || is.function(x)) return(x)
  if (arg == "tied_to" && is_string(x)) return(context$layer_named(x))
  if (arg %in% c("layer", "cell", "backward_layer") && !is.null(x)) {
    # Keras notes it of recurrent layers that go both ways
    if (is_branch(x$config)) x$config$zero_output_for_mask <- NULL
    return(read_keras_layer(x, context))
  }
  if (arg %in% c("cells", "layers")) return(lapply(x, read_keras_layer, context))
  if (arg == "mask" && is_string(x)) return(find_custom(context$custom, x, "function", context$fun))
  if (arg == "arguments" && is_branch(x)) return(lapply(x, keras_value))
  keras_value(x)
}

read_input <- function(config, name) {
  shape <- if (is.null(config$batch_input_shape)) config$batch_shape else config$batch_input_shape
  shape <- read_shape(as.list(if (is_branch(shape) && is_string(shape$class_name)) shape$items else shape))
  if (!length(shape)) abort("the input layer `", name, "` has no shape", class = "file", fun = NULL)
  dtype <- if (is.null(config$dtype)) "float32" else if (is_branch(config$dtype)) config$dtype$config$name else
    config$dtype
  input_tensor(shape[-1], as.character(check_choice(dtype, input_dtypes(), arg = "dtype", fun = NULL)), name, shape[1])
}

read_sequential <- function(config, context) {
  layers <- if (is.null(names(config))) config else config$layers
  if (!is_branch(layers)) abort("the sequential model lists no layers", class = "file", fun = NULL)
  if (is_string(config$name)) take_name(config$name)
  self <- new_model("sequential", config$name, keras_dtype(config$dtype, "model"))
  model <- layer_handle(self)
  before <- context$layer_named
  context$layer_named <- function(name) get_layer(model, name)
  on.exit(context$layer_named <- before)
  layers <- lapply(layers, function(entry) {
    layer <- read_keras_layer(entry, context)
    add_layer(model, layer)
  })
  shape <- config$build_input_shape
  if (!self$built && length(self$layers) && !is.null(shape)) build_sequential(self, read_shape(as.list(keras_value(
    shape)))[-1])
  if (is.logical(config$trainable)) self$trainable <- config$trainable
  model
}

# ---- functional models ----

read_functional <- function(config, context) {
  graph <- new.env(parent = emptyenv())
  graph$entries <- named_entries(config$layers)
  graph$layers <- list() # as they are made
  graph$outputs <- list() # by layer, the tensors of its calls
  before <- context$layer_named
  on.exit(context$layer_named <- before)
  context$layer_named <- layers_on_demand(graph, context)
  for (name in names(graph$entries)) {
    layer <- context$layer_named(name)
    if (is_keras_tensor(layer)) graph$outputs[[name]] <- list(list(layer))
  }
  graph$first <- vapply(graph$entries, first_call, 0)
  call_layers(graph)
  if (is_string(config$name)) take_name(config$name)
  self <- new_model("model", config$name, keras_dtype(config$dtype, "model"))
  if (is.logical(config$trainable)) self$trainable <- config$trainable
  self$input_names <- names(config$input_layers)
  self$output_names <- names(config$output_layers)
  ends <- function(arg) {
    found <- lapply(read_refs(config[[arg]], names(graph$entries)), function(ref) tensor_at(graph, ref))
    if (!length(found) || !all(lengths(found))) abort("`", arg, "` names tensors that no layer gives", class = "file",
      fun = NULL)
    found
  }
  finish_model(self, ends("input_layers"), ends("output_layers"), context$fun)
  self
}

named_entries <- function(entries) {
  if (!is_branch(entries) || !length(entries) || !all(vapply(entries, is_branch, NA)))
    abort("the model lists no layers", class = "file", fun = NULL)
  names(entries) <- vapply(entries, function(e) check_string(if (is.null(e$name)) e$config$name else e$name,
    arg = "name", fun = NULL), "")
  if (anyDuplicated(names(entries))) abort("the model has two layers of one name", class = "file", fun = NULL)
  entries
}

#' A function that gives the graph's layer of a name. A layer may refer to others, which are then made before it.
#' @noRd
layers_on_demand <- function(graph, context) {
  pending <- list()
  function(name) {
    if (is.null(graph$layers[[name]])) {
      if (!name %in% names(graph$entries)) abort("there is no layer `", name, "`", class = "file", fun = NULL)
      if (name %in% pending) abort("layer `", name, "` refers to itself", class = "file", fun = NULL)
      pending <<- c(pending, name)
      graph$layers[[name]] <- read_keras_layer(graph$entries[[name]], context)
    }
    graph$layers[[name]]
  }
}

#' The tensor that a reference means, NULL as long as its layer has not been called.
#' @noRd
tensor_at <- function(graph, ref) {
  calls <- graph$outputs[[ref$name]]
  at <- ref$call - graph$first[[ref$name]] + 1
  if (at >= 1 && at <= length(calls)) calls[[at]][[ref$output + 1]]
}

#' Calls all layers, each as soon as the tensors it is called on are there.
#' @noRd
call_layers <- function(graph) {
  names <- names(graph$entries)
  calls <- unlist(lapply(names, function(name) lapply(as.list(graph$entries[[name]]$inbound_nodes), function(node)
    list(name = name, arguments = read_node(node, names)))), recursive = FALSE)
  calls <- Filter(function(call) !is_keras_tensor(graph$layers[[call$name]]), calls)
  while (length(calls)) {
    waiting <- list()
    held <- character()
    for (call in calls) {
      refs <- Filter(is_ref, tensor_leaves(call$arguments))
      # calls of a layer are counted in their order
      if (call$name %in% held || any(vapply(refs, function(r) is.null(tensor_at(graph, r)), NA))) {
        waiting <- c(waiting, list(call))
        held <- c(held, call$name)
        next
      }
      arguments <- map_leaves(call$arguments, function(x) if (is_ref(x)) tensor_at(graph, x) else x)
      y <- call_as_keras(graph$layers[[call$name]], arguments)
      graph$outputs[[call$name]] <- c(graph$outputs[[call$name]], list(tensor_leaves(y)))
    }
    if (length(waiting) == length(calls)) abort("layer `", waiting[[1]]$name,
      "` is called on tensors that no layer gives", class = "file", fun = NULL)
    calls <- waiting
  }
}

#' The number of a layer's first call in its model: models that begin with an input have been called by themselves.
#' @noRd
first_call <- function(entry) {
  layers <- if (is_branch(entry$config)) entry$config$layers
  if (entry$class_name %in% c("Functional", "Model") || is_branch(layers) && !is.null(entry$config$output_layers))
    return(1)
  third <- any(vapply(as.list(entry$inbound_nodes), function(n) !is.null(names(n)), NA)) # where sequences have none
  as.numeric(entry$class_name == "Sequential" && !third && is_branch(layers) &&
    identical(layers[[1]]$class_name, "InputLayer"))
}

#' The name of a layer, one of its calls, and one of what that gave.
#' @noRd
new_ref <- function(x) structure(list(name = x[[1]], call = check_count(x[[2]], min = 0, arg = "node", fun = NULL),
  output = check_count(x[[3]], min = 0, arg = "tensor", fun = NULL)), class = "nn_ref")
is_ref <- function(x) inherits(x, "nn_ref")

is_history <- function(x, names) is_branch(x) && length(x) %in% 3:4 && is.null(names(x)) && is_string(x[[1]]) &&
  x[[1]] %in% names && is_number(x[[2]]) && is_number(x[[3]])

#' Values of a call, in which tensors are references.
#' @noRd
read_refs_within <- function(x, names) {
  if (is_history(x, names)) return(new_ref(x))
  if (is_branch(x) && identical(x$class_name, "__keras_tensor__")) return(new_ref(x$config$keras_history))
  if (is_branch(x) && !length(x)) return(NULL)
  if (is_branch(x) && (holds_refs(x, names) || !is.null(names(x)) && is.null(x$class_name))) lapply(x, read_refs_within,
    names) else keras_value(x)
}

holds_refs <- function(x, names) is_branch(x) && (is_history(x, names) || identical(x$class_name, "__keras_tensor__") ||
  any(vapply(x, holds_refs, NA, names)))

#' The ends of a model: one reference or several.
#' @noRd
read_refs <- function(x, names) Filter(is_ref, tensor_leaves(list(read_refs_within(x, names))))

#' A call as list(x, ...): positional arguments, then those by name.
#' @noRd
read_node <- function(node, names) {
  if (!is.null(names(node)) && all(c("args", "kwargs") %in% names(node))) {
    arguments <- c(lapply(node$args, read_refs_within, names), lapply(node$kwargs, read_refs_within, names))
    return(arguments[lengths(arguments) > 0])
  }
  if (is_history(node, names)) node <- list(node)
  if (is_branch(node) && length(node) == 1 && length(node[[1]]) == 4 && identical(node[[1]][[1]], "_CONSTANT_VALUE"))
    return(c(list(keras_value(node[[1]][[3]])), lapply(as.list(node[[1]][[4]]), read_refs_within, names)))
  if (!is_branch(node) || !length(node) || !all(vapply(node, is_history, NA, names))) abort(
    "a call of a layer names no tensors of its model: ", describe(node), class = "file", fun = NULL)
  by_name <- if (length(node[[1]]) == 4) lapply(as.list(node[[1]][[4]]), read_refs_within, names)
  x <- lapply(node, new_ref)
  c(list(if (length(x) == 1) x[[1]] else x), by_name[lengths(by_name) > 0])
}

#' Call a layer as Keras does: a recurrent layer has its first states beside its input.
#' @noRd
call_as_keras <- function(layer, arguments) {
  if (inherits(layer, "nn_foreign_op")) return(call_foreign_op(layer, arguments))
  recurrent <- "initial_state" %in% names(formals(layer_type(layer_self(layer))$call))
  x <- arguments[[1]]
  if (recurrent && is_branch(x) && length(x) > 1) arguments <- c(list(x[[1]]), list(initial_state = x[-1]),
    arguments[-1])
  names(arguments)[names(arguments) == "inputs"] <- ""
  do.call(layer, arguments)
}

# ---- writing ----

#' @export
get_config.nn_model <- function(object) {
  self <- layer_self(object)
  check_describable(self)
  if (is_made_by_class(self)) return(structure(config_of_class(self), build_config = build_config(self)))
  if (length(self$ends)) warn("what `add_loss()` and `add_metric()` gave the model is not part of its configuration",
    class = "custom")
  config <- list(name = self$name, trainable = self$trainable)
  if (self$kind == "sequential") {
    begin <- if (length(self$inputs)) list(self$inputs[[1]]$node$layer)
    selves <- c(begin, lapply(self$layers, layer_self))
    return(config_of("layer", "Sequential", c(config, list(layers = lapply(selves, function(s)
      keras_object(layer_handle(s)))))))
  }
  nodes <- model_plan(self)$nodes
  nodes <- nodes[order(vapply(nodes, function(n) n$number, 0))]
  selves <- lapply(self$layers, layer_self)
  calls <- lapply(selves, function(s) Filter(function(n) identical(n$layer, s), nodes))
  place <- function(x, named = NULL) {
    at <- place_of(x$node$layer, selves)
    # a model that is built has been called by itself, but for those that are code
    first <- as.numeric(x$node$layer$kind %in% c("model", "sequential"))
    c(list(x$node$layer$name, place_of(x$node, calls[[at]]) - 1 + first, place_of(x, tensor_leaves(
      x$node$outputs)) - 1), named)
  }
  places <- function(structure) map_leaves(structure, place)
  node_entry <- function(node) {
    args <- node$args[lengths(node$args) > 0]
    for (arg in names(args)) check_call_argument(args[[arg]], arg, node$layer)
    by_name <- lapply(args, config_value, name = node$layer$name)
    more <- lapply(node$more, places)
    x <- as_branch(node$inputs)
    takes <- layer_type(node$layer)$takes
    if (identical(takes, c("query", "value", "key")) && node$layer$kind %in% c("multi_head_attention",
      "group_query_attention")) {
      more <- c(stats::setNames(lapply(x[-1], place), takes[seq_along(x)][-1]), more)
      x <- x[1]
    }
    x <- c(tensor_leaves(x), tensor_leaves(node$more$initial_state))
    more <- more[setdiff(names(more), "initial_state")]
    named <- c(by_name, more)
    lapply(unname(x), place, list(if (length(named)) named else empty_object()))
  }
  config_of("layer", self$class_name, c(config, list(
    layers = Map(function(s, own) c(keras_object(layer_handle(s)), list(name = s$name, inbound_nodes =
      if (isTRUE(s$is_input)) list() else lapply(own, node_entry))), selves, calls),
    input_layers = lapply(self$inputs, place), output_layers = lapply(self$outputs, place))))
}

#' {} rather than []
#' @noRd
empty_object <- function() structure(list(), names = character())

#' Keras' layout has no room for what JSON does not hold. A layer of the user's class takes its arguments as they are.
#' @noRd
check_call_argument <- function(x, arg, self) {
  if (!is_made_by_class(self) || is_tensor(x) || inherits(x, "nn_op_args") || !is.null(json_form(x))) return()
  abort("the argument `", arg, "` in a call of `", self$name, "` is ", describe(x), ", which Keras' files and JSON do ",
    "not hold exactly; files of the format .safetensors and `clone_model()` keep it", class = "custom",
    fun = user_function())
}
