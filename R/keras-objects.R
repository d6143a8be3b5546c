# Objects by their names and configurations, as keras3 serializes them; and small words of Keras' for R.

#' Objects that files know by name
#'
#' `register_keras_serializable()` makes a function or class of yours known to whatever reads models, so that it need
#' not be among `custom_objects`: under its own name, and as `"package>name"`. `get_custom_objects()` gives all that are
#' known so, `set_custom_objects()` puts others in their place, or adds them.
#'
#' `get_registered_name()` is the name of an object in files, `get_registered_object()` the object of a name, or `NULL`.
#'
#' @param object,obj a function, a constructor of a class of yours, or an R6 class.
#' @param name a string; `NULL` for the name of the class, or of the variable.
#' @param package a string; `NULL` for `"Custom"`.
#' @param objects a named list of functions and classes.
#' @param clear forget what was known before?
#' @param custom_objects,module_objects named lists that are looked at before, and behind.
#' @return The object; a named list; a string. `set_custom_objects()` gives what was known before, invisibly.
#' @seealso [with_custom_object_scope()], [serialize_keras_object()]
#' @examples
#' double <- function(x) 2 * x
#' register_keras_serializable(double, package = "mine")
#' get_registered_name(double) # "mine>double"
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, activation = double)
#' model <- model_from_json(model_to_json(model))
#' set_custom_objects()
#' @export
register_keras_serializable <- function(object, name = NULL, package = NULL) {
  written <- substitute(object)
  check_registered(object, "object")
  if (is.null(name)) name <- serial_name(object, if (is.name(written)) as.character(written))
  if (is.null(name)) abort("`name` must be given for a function without a name")
  key <- paste0(if (is.null(package)) "Custom" else check_string(package), ">", check_name(name, calling_function()))
  session$registered[[key]] <- object
  invisible(object)
}

check_registered <- function(x, arg, fun = calling_function()) {
  if (is.function(x) || inherits(x, "R6ClassGenerator")) return(x)
  abort("`", arg, "` must be a function or a class, not ", describe(x), fun = fun)
}

#' @rdname register_keras_serializable
#' @export
get_custom_objects <- function() as.list(session$registered)

#' @rdname register_keras_serializable
#' @export
set_custom_objects <- function(objects = list(), clear = TRUE) {
  before <- get_custom_objects()
  objects <- check_custom_objects(objects, "set_custom_objects", "objects")
  session$registered <- utils::modifyList(if (check_flag(clear)) list() else before, as.list(objects))
  invisible(before)
}

#' @rdname register_keras_serializable
#' @export
get_registered_name <- function(obj) {
  written <- substitute(obj)
  check_registered(obj, "obj")
  own <- registered_key(obj)
  if (!is.null(own)) return(own)
  name <- serial_name(obj, if (is.name(written)) as.character(written))
  if (is.null(name)) abort("`obj` is a function without a name") else name
}

#' @rdname register_keras_serializable
#' @export
get_registered_object <- function(name, custom_objects = NULL, module_objects = NULL) {
  check_string(name)
  custom_objects <- check_custom_objects(custom_objects, "get_registered_object")
  module_objects <- check_custom_objects(module_objects, "get_registered_object", "module_objects")
  for (known in list(custom_objects, session$custom_objects, session$registered, module_objects))
    if (name %in% names(known)) return(known[[name]])
}

#' Objects as lists, and back
#'
#' `serialize_keras_object()` gives a list of plain values: the class of the object, its arguments ([get_config()]), the
#' module that the class belongs to, and the name under which it is registered. `deserialize_keras_object()` makes the
#' object again. Lists and plain values stand for themselves.
#'
#' @param obj a layer, a model, an optimizer, a loss or another part of a model; a function that is registered; a list
#'   of such.
#' @param config what `serialize_keras_object()` or Keras gave.
#' @param custom_objects a named list of functions and classes of yours.
#' @param safe_mode ignored: code in configurations is never run.
#' @param ... not used.
#' @return A list; an object.
#' @inheritSection get_config Errors
#' @seealso [get_config()], [register_keras_serializable()]
#' @examples
#' config <- serialize_keras_object(optimizer_adam(0.01))
#' config$class_name
#' deserialize_keras_object(config)
#' @export
serialize_keras_object <- function(obj) {
  if (is_branch(obj)) return(lapply(obj, serialize_keras_object))
  if (is_plain_data(obj)) return(obj)
  if (is.function(obj) && !inherits(obj, c("nn_part", "nn_layer", "nn_schedule", "nn_class"))) {
    name <- get_registered_name(obj)
    return(list(module = "builtins", class_name = "function", config = name, registered_name = name))
  }
  entry <- keras_object(obj)
  c(list(module = serial_module(obj), class_name = entry$class_name, config = entry$config, registered_name = NULL),
    entry[names(entry) %in% c("values", "learned")])
}

is_plain_data <- function(x) is.null(x) || !is.object(x) && (is.numeric(x) || is.logical(x) || is.character(x))

# Where Keras has the classes of a kind.
serial_modules <- c(layer = "layers", optimizer = "optimizers", schedule = "optimizers.schedules", loss = "losses",
  metric = "metrics", initializer = "initializers", regularizer = "regularizers", constraint = "constraints",
  activation = "activations")

serial_module <- function(x) paste0("keras.", if (is_model(x)) "models" else
  serial_modules[[attr(get_config(x), "config_class")[["kind"]]]])

#' @rdname serialize_keras_object
#' @export
deserialize_keras_object <- function(config, custom_objects = NULL, safe_mode = TRUE, ...) {
  fun <- "deserialize_keras_object"
  check_flag(safe_mode)
  check_no_more(list(...))
  if (!is_branch(config)) {
    if (is_plain_data(config)) return(config)
    abort("`config` must be a list, as `serialize_keras_object()` gives, not ", describe(config))
  }
  if (!is_string(config$class_name)) return(lapply(config, deserialize_keras_object, custom_objects))
  context <- reading_context(custom_objects, fun)
  if (config$class_name == "function") return(find_custom(context$custom, check_string(config$config, "config"),
    "function", fun))
  kind <- serial_kind(config, context)
  building(switch(kind, layer = read_keras_layer(config, context), optimizer = read_keras_optimizer(config, context),
    schedule = read_keras_schedule(config, context), read_keras_part(kind, config, "config", context)), "`config`", fun)
}

#' The kind of object that a configuration is of: by its module, or else by the name of its class.
#' @noRd
serial_kind <- function(config, context) {
  module <- if (is_string(config$module)) sub("^keras[.]", "", sub("^keras[.]src[.]", "keras.", config$module)) else ""
  if (module %in% c("models", "layers")) return("layer")
  if (startsWith(module, "optimizers.schedules")) return("schedule")
  for (kind in names(serial_modules)) if (startsWith(module, serial_modules[[kind]])) return(kind)
  own <- attr(custom_class(config, context), "own_class")
  if (!is.null(own)) return(own$kind)
  name <- config$class_name
  if (name %in% c(names(layer_classes()), model_classes)) return("layer")
  if (paste0("optimizer_", tolower(name)) %in% getNamespaceExports(topenv())) return("optimizer")
  if (paste0("learning_rate_schedule_", part_stem(name)) %in% getNamespaceExports(topenv())) return("schedule")
  for (kind in c("loss", "initializer", "regularizer", "constraint", "metric"))
    if (!is.na(part_of_class(kind, name))) return(kind)
  "layer"
}

#' Save the architecture of a model in a file of JSON
#'
#' What [model_to_json()] gives, in a file. It holds no weights.
#'
#' @param model a model.
#' @param filepath a file; `NULL` for the string alone.
#' @param overwrite may a file of that name be replaced?
#' @param custom_objects a named list of functions and classes of yours.
#' @return `save_model_config()`: the model, invisibly, or without a file the string. `load_model_config()`: a model
#'   with new random weights.
#' @section Errors: `nativenet_error_file` if the file exists already, or is none of a model.
#' @seealso [model_to_json()], [save_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' file <- tempfile(fileext = ".json")
#' save_model_config(model, file)
#' load_model_config(file)
#' @export
save_model_config <- function(model, filepath = NULL, overwrite = FALSE) {
  check_flag(overwrite)
  json <- model_to_json(model)
  if (is.null(filepath)) return(json)
  replace_file(check_target(filepath, overwrite), list(charToRaw(enc2utf8(json))), "save_model_config")
  invisible(model)
}

#' @rdname save_model_config
#' @export
load_model_config <- function(filepath, custom_objects = NULL) {
  fun <- "load_model_config"
  check_file(filepath, fun, "filepath")
  text <- paste(readLines(filepath, warn = FALSE, encoding = "UTF-8"), collapse = "\n")
  read_description(from_json(text, "description of the model", fun), encodeString(filepath, quote = "\""),
    reading_context(custom_objects, fun))
}

# ---- small words ----

#' A tuple
#'
#' Python's tuples are lists in R: `tuple(1, 2)` is `list(1, 2)`, and `tuple(x)` of a list x its elements.
#'
#' @param ... values.
#' @param convert ignored; present for compatibility with reticulate.
#' @return A list without names.
#' @examples
#' tensor_slices_dataset(tuple(1:3, 4:6))
#' @export
tuple <- function(..., convert = FALSE) {
  values <- list(...)
  unname(if (length(values) == 1 && is_branch(values[[1]])) values[[1]] else values)
}

#' Arrays as Keras takes them
#'
#' `keras_array()` gives arrays of R's as they are, with numbers as `dtype` holds them: there is no other layout for
#' models here. `implementation()` is [keras], the mirror of the module.
#'
#' @param x an array, or a list of arrays.
#' @param dtype as for [tensor()], or `NULL`.
#' @return An array, or a list of arrays; `keras`.
#' @examples
#' keras_array(matrix(1:4, 2))
#' @export
keras_array <- function(x, dtype = NULL) {
  if (is_branch(x)) return(lapply(x, keras_array, dtype))
  if (!is_tensor(x)) x <- check_numbers(x)
  as.array(tensor(if (is.numeric(x) && is.null(dim(x))) as.array(x) else x, dtype))
}

#' @rdname keras_array
#' @export
implementation <- function() keras
