# Models whose forward pass is a function of the user's.

#' Models of a function
#'
#' `keras_model_custom()` makes a model of a function that makes layers and returns the forward pass.
#'
#' It is a model of a class of its own (see [new_model_class()]) whose method `call` is what `model_fn` returns: it may
#' take a list of tensors, or further arguments, and return a list. Layers and other values that were stored in `self`
#' are the model's.
#'
#' @param model_fn a function of `self`. It stores layers as `self$name <- ...` and returns a function of `inputs`, and
#'   `mask`, `training` or others if it wants them, made of these layers and ops.
#' @param name a string; by default `"custom_model"` with a number.
#' @return A model.
#' @seealso [keras_model()], [new_layer_class()]
#' @examples
#' model <- keras_model_custom(function(self) {
#'   self$hidden <- layer_dense(units = 4, activation = "relu")
#'   self$out <- layer_dense(units = 1)
#'   function(inputs, mask = NULL, training = FALSE) inputs |> self$hidden() |> self$out()
#' })
#' dim(model(matrix(1, 2, 3)))
#' @export
keras_model_custom <- function(model_fn, name = NULL) {
  check_function(model_fn, takes = 1)
  class <- new_class("model", own_name(model_fn, "CustomModel"), list(initialize = function(...) NULL))
  model <- model_constructor(class)()
  self <- layer_self(model)
  if (!is.null(name)) self$name <- check_name(name, "keras_model_custom")
  forward <- check_function(model_fn(model), "what `model_fn` returns")
  class$methods$call <- as_closure(forward)
  self$type <- own_model_type(class)
  self$class <- model_fn # makes another one
  self$class_name <- class$classname
  model
}
