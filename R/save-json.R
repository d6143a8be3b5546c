# The architecture of a model as a string, in the layout of Keras (R/save-config.R).

#' Describe a model in JSON
#'
#' The architecture of a model, its layers and how they are connected, as a string of JSON, and a model from such a
#' string. It holds neither weights, for which there is [save_model_weights()], nor settings of [compile()].
#'
#' The layout is that of Keras 2.15, which reads it, but for functions of R, which are there by name alone, and layers
#' that stand for calls of ops on symbolic tensors. Strings that Keras 2 and Keras 3 wrote are read, and those of
#' earlier versions of this package. Layers of a class, or arguments, that are not here are errors, and so is code of
#' Python's, as lambda layers have it: give an R function in its place, by the layer's name, as `custom_objects`.
#'
#' @param object a model.
#' @param json a string, from `model_to_json()` or from Keras.
#' @param custom_objects a named list of the R functions that the model uses, such as those of [layer_lambda()], and of
#'   its classes of layers, as in [load_model()].
#' @param ... ignored.
#' @return `model_to_json()`: a string. `model_from_json()`: a model with new random weights. `model_to_yaml()` and
#'   `model_from_yaml()`: an error, as in Keras, which has no YAML any more.
#' @section Errors: `nativenet_error_file` if the string describes no model; `nativenet_error_custom` if a function or
#'   class is missing among `custom_objects`.
#' @seealso [save_model()], [clone_model()], [get_config()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' json <- model_to_json(model)
#' model_from_json(json)
#'
#' # what Keras in Python wrote
#' model_from_json('{"class_name": "Sequential", "config": {"name": "small", "layers": [
#'   {"class_name": "Dense", "config": {"name": "code", "units": 2, "activation": "relu",
#'   "batch_input_shape": [null, 3]}}]}}')
#' @export
model_to_json <- function(object) {
  storable_self(object)
  to_json(c(without_functions(keras_object(object)), list(keras_version = "2.15.0", backend = "nativenet")))
}

#' A configuration with functions by their names, which must differ, and R's values within it as data.
#' @noRd
without_functions <- function(x, own = new.env(parent = emptyenv())) {
  if (is.function(x)) return(enter_own(own, attr(x, "py_function_name"), x))
  if (!is_branch(x)) return(x)
  if (identical(x[["values"]], "R") && is_object_entry(x)) return(config_as_data(x, own))
  x[] <- lapply(x, without_functions, own)
  x
}

#' The configuration of a class of the user's, or of a lambda layer, whose values are R's.
#' @noRd
config_as_data <- function(x, own) {
  name <- if (is_string(x$config$name)) x$config$name else x$class_name
  as_data <- function(v, arg) {
    if (arg %in% layer_option_names) return(v)
    if (is_object_entry(v)) return(without_functions(v, own))
    form <- json_form(v)
    if (!is.null(form)) return(form[[1]])
    list(class_name = data_class, config = argument_data(v, arg, name, own, function(v) if (is_object_entry(v))
      list(keras = without_functions(v, own))))
  }
  if (x$class_name == "Lambda") {
    given <- x$config$arguments
    x$values <- NULL
    x <- without_functions(x, own)
    x$config["arguments"] <- list(if (length(given)) Map(as_data, given, names(given)))
  } else x$config[] <- Map(as_data, x$config, names(x$config))
  x$learned <- lapply(x$learned, function(noted) replace(noted, "config", list(Map(as_data, noted$config,
    names(noted$config)))))
  x$values <- "json"
  x
}

#' @rdname model_to_json
#' @export
model_from_json <- function(json, custom_objects = NULL) {
  fun <- "model_from_json"
  description <- from_json(check_string(json), "description of the model", fun)
  read_description(description, "`json`", reading_context(custom_objects, fun))
}

#' A model from what a text of JSON holds: of Keras', or of our own files.
#' @noRd
read_description <- function(description, where, context) {
  force(context)
  if (!is.null(description$model)) return(layer_handle(building(rebuild(description, context$custom, context$fun),
    where, context$fun)))
  if (!is_string(description$class_name) || !"config" %in% names(description)) abort(where, " describes no model, as ",
    "`model_to_json()` does: it must be an object of `class_name` and `config`", class = "file", fun = context$fun)
  model <- building(read_keras_layer(description, context), where, context$fun)
  if (is_layer(model) && is_model(model)) return(model)
  abort(where, " describes no model, but ", describe(model), class = "file", fun = context$fun)
}

#' @rdname model_to_json
#' @export
model_to_yaml <- function(object, ...) no_yaml("model_to_json")

#' @rdname model_to_json
#' @export
model_from_yaml <- function(...) no_yaml("model_from_json")

no_yaml <- function(instead, fun = calling_function()) abort("there is no YAML of models, in Keras neither since ",
  "version 2.6, as reading it could run code: `", instead, "()` has the same in JSON", class = "missing", fun = fun)
