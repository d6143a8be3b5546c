# The weights of layers and models as R arrays.

#' Get and set the weights of a model or layer
#'
#' `get_weights()` copies the weights to R arrays, in Keras' order: layer by layer, kernel before bias. `set_weights()`
#' puts arrays of the same shapes in their place. `coef()` gives the weights of a model with names.
#'
#' @param object a model or layer; in `coef()` a model.
#' @param trainable `TRUE`: trainable weights only; `FALSE`: non-trainable ones only; `NA`: all.
#' @param weights a list of arrays, as `get_weights()` gives.
#' @param ... ignored.
#' @return `get_weights()`: a list of arrays. `coef()`: the same, named. `set_weights()`: `object`, invisibly.
#' @section Errors: `nativenet_error_shape` if arrays do not fit; nothing is changed then. `nativenet_error_unbuilt` if
#'   the model is not built.
#' @seealso [save_model_weights()], [count_params()], [freeze_weights()]
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' set_weights(model, list(matrix(c(1, 2), 2), 0.5))
#' predict(model, matrix(1, 1, 2))
#' coef(model)
#' @export
get_weights <- function(object, trainable = NA) {
  self <- built_weights(object)
  if (!identical(trainable, NA)) check_flag(trainable)
  all <- all_weights(self)
  trained <- trainable_weights(self)
  is_trained <- vapply(all, is_one_of, NA, trained)
  lapply(if (is.na(trainable)) all else all[is_trained == trainable], as.array)
}

built_weights <- function(object, fun = calling_function()) {
  if (!is_layer(object)) abort("`object` must be a model or a layer, not ", describe(object), fun = fun)
  self <- layer_self(object)
  # models of own steps are never called themselves
  if (!self$built && !(self$kind == "own_model" && !has_method(self$own, "call"))) {
    abort("`", self$name, "` has no weights yet: it was not built, as the shape of its input is not known. ",
      if (is_model(object)) "Give `input_shape`, or fit it" else
      "It is once it is part of a model that knows it, or called", class = "unbuilt", fun = fun)
  }
  self
}

#' @rdname get_weights
#' @export
set_weights <- function(object, weights) {
  self <- built_weights(object)
  own <- all_weights(self)
  check_given(missing(weights), "weights")
  if (!is_branch(weights)) abort("`weights` must be a list of arrays, not ", describe(weights))
  if (length(weights) != length(own)) abort("`weights` must have ", length(own), " arrays for `", self$name, "`, not ",
    length(weights), class = "shape")
  values <- Map(function(w, value, i) {
    if (!is_tensor(value)) value <- check_numbers(value, arg = paste0("weights[[", i, "]]"), fun = "set_weights")
    shape <- shape_of(if (length(dim(w)) == 1) array(value, length(value)) else value)
    if (!identical(as.integer(shape), dim(w))) {
      abort("array ", i, " of `weights` must have the shape ", format_shape(dim(w)), " of `",
        sub(":0$", "", variable_name(w)), "`, not ", format_shape(shape), class = "shape", fun = "set_weights")
    }
    op_reshape(tensor(value, tensor_dtype(w)), dim(w))
  }, own, weights, seq_along(own))
  Map(variable_assign, own, values)
  invisible(object)
}

#' Count the parameters
#'
#' The number of parameters of a model or layer: the elements of all its weights.
#'
#' @param object a model or layer.
#' @return A number.
#' @seealso [summary()][summary.nn_model]
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(3)
#' count_params(model) # 9
#' @export
count_params <- function(object) count_of(all_weights(built_weights(object)))
