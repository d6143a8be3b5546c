# The architecture of a model as a string: that which files hold, too (R/save.R).

#' Describe a model in JSON
#'
#' The architecture of a model, its layers and how they are connected, as a string, and a model from such a string. It
#' holds neither weights, for which there is [save_model_weights()], nor settings of [compile()]. What Keras in Python
#' writes is not read.
#'
#' @param object a model.
#' @param json a string, from `model_to_json()`.
#' @param custom_objects a named list of the R functions that the model uses, such as those of [layer_lambda()], and of
#'   its classes of layers, as in [load_model()].
#' @return `model_to_json()`: a string. `model_from_json()`: a model with new random weights.
#' @section Errors: `nativenet_error_file` if the string describes no model; `nativenet_error_custom` if a function is
#'   missing among `custom_objects`.
#' @seealso [save_model()], [clone_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' json <- model_to_json(model)
#' model_from_json(json)
#' @export
model_to_json <- function(object) to_json(architecture(built_self(object), new.env(parent = emptyenv())))

#' @rdname model_to_json
#' @export
model_from_json <- function(json, custom_objects = NULL) {
  fun <- "model_from_json"
  check_custom_objects(custom_objects, fun)
  description <- from_json(check_string(json), "description of the model", fun)
  if (is.null(description$model)) abort("`json` describes no model, as `model_to_json()` does", from_keras,
    class = "file", fun = fun)
  layer_handle(building(rebuild(description, custom_objects, fun), "`json`", fun))
}
