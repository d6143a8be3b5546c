# Models whose forward pass is a function of the user's.

#' Models of a function
#'
#' `keras_model_custom()` makes a model of a function that makes layers and returns the forward pass.
#'
#' The model is a sequence of one custom layer (see [new_layer_class()]), which holds the layers that were stored in
#' `self`, with their weights. It is built by the first data that it sees, and takes one input.
#'
#' @param model_fn a function of `self`. It stores layers as `self$name <- ...` and returns a function of `inputs`, and
#'   `mask` and `training` if it wants them, made of these layers and ops.
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
  forward <- NULL
  made <- new_layer_class("CustomModel",
    initialize = function(self) {
      forward <<- check_function(model_fn(self), "what `model_fn` returns", "keras_model_custom")
    },
    call = function(self, inputs, training = FALSE) {
      wants <- names(formals(forward))
      do.call(forward, c(list(inputs), list(training = training)["training" %in% wants]))
    }
  )
  layer <- made()
  keras_model_sequential(list(layer), name = if (is.null(name)) unique_name("custom_model") else name)
}
