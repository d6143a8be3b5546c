#' Loss functions as reference classes
#'
#' Objects with two methods over ordinary matrices (rows are samples):
#'
#' * `forward(y_true, y_pred)`: the loss, one number;
#' * `backward(y_true, y_pred)`: its gradient with respect to `y_pred`, of the same shape.
#'
#' With n samples of K outputs each, t targets and p predictions:
#'
#' | class | loss |
#' |---|---|
#' | `binary_crossentropy()` | `-sum(t log(p + e) + (1 - t) log(1 - p + e)) / n`, e = 1e-9 |
#' | `categorical_crossentropy()` | `-sum(t log(p + e)) / n` |
#' | `mean_squared_error()` | `sum((p - t)^2) / (n K)` |
#' | `mean_squared_error(reduction = "sum")` | `sum((p - t)^2) / n` |
#'
#' In a network whose last activation is `sigmoid()` with `binary_crossentropy()`, or `softmax()` with
#' `categorical_crossentropy()`, the two are computed together from the pre-activations. That form stays exact
#' where the probability rounds to 0 or 1; elsewhere it differs by the constant e only.
#'
#' @section Your own:
#' `setRefClass("hinge", contains = "loss_function", methods = list(forward = function(y_true, y_pred) ...,
#' backward = function(y_true, y_pred) ...))` plugs into a network and trains, in R.
#'
#' @section Where this differs from the course sheet:
#' The sheet's printed loop sums over samples gradients that were each computed for a batch of one. Its step
#' therefore follows n times the gradient of the mean that `forward()` reports. Here the step is along the
#' gradient of the reported loss; multiply the learning rate by the batch size to take the sheet's steps.
#'
#' @param ... fields: `epsilon` for the cross-entropies, `reduction` (`"mean"` or `"sum"`) for the squared
#'   error.
#' @return A reference object.
#' @seealso [build_dense_neural_network()], [activation], [check_gradient()]; [loss_mean_squared_error()] and its like
#'   for models; `vignette("lab-backpropagation")`.
#' @examples
#' y_true <- matrix(c(0, 0, 0, 1, 1, 0), ncol = 3)
#' y_pred <- matrix(c(0.2, 0.5, 0.3, 0.8, 0.1, 0.1), ncol = 3)
#' loss <- binary_crossentropy()
#' loss$forward(y_true, y_pred)
#' loss$backward(y_true, y_pred)
#' check_gradient(loss, y_true, y_pred)
#' @name loss_function
#' @aliases loss_function-class binary_crossentropy-class categorical_crossentropy-class
#'   mean_squared_error-class
NULL

check_pair <- function(y_true, y_pred, fun) {
  check_rows(y_true, "y_true", fun)
  check_rows(y_pred, "y_pred", fun)
  if (!identical(dim(y_true), dim(y_pred))) {
    abort("`y_true` of shape ", format_shape(dim(y_true)), " and `y_pred` of shape ", format_shape(dim(y_pred)),
      " must have the same shape", class = "shape", fun = fun)
  }
  if (nrow(y_true) == 0) abort("`y_true` has no rows", class = "shape", fun = fun)
}

#' @rdname loss_function
#' @export loss_function
#' @exportClass loss_function
loss_function <- setRefClass("loss_function", methods = methods_from("loss_function", list(
  forward = function(self, y_true, y_pred) missing_method(self, "forward"),
  backward = function(self, y_true, y_pred) missing_method(self, "backward")
)))

#' A loss class whose numbers come from an op: a function of the object, targets, predictions and whether these are
#' pre-activations, which gives one number per row. It has one field, with a default.
#' @noRd
loss_class <- function(name, op, fields, initialize) {
  course_ops[[name]] <- op
  generator <- setRefClass(name, contains = "loss_function", fields = fields, methods = methods_from(name, list(
    forward = function(self, y_true, y_pred) {
      check_pair(y_true, y_pred, "forward")
      as.double(op_mean(op(self, y_true, tensor(y_pred, "float64"), FALSE)))
    },
    backward = function(self, y_true, y_pred) {
      check_pair(y_true, y_pred, "backward")
      like(op_derivative(function(p) op_mean(op(self, y_true, p, FALSE)), y_pred), y_pred)
    }
  )))
  generator$methods(initialize = initialize)
  generator
}

#' @rdname loss_function
#' @export binary_crossentropy
#' @exportClass binary_crossentropy
binary_crossentropy <- loss_class("binary_crossentropy",
  function(self, t, p, logits) op_binary_crossentropy(t, p, logits, clip = 0, epsilon = self$epsilon,
    reduction = "sum"),
  fields = list(epsilon = "numeric"), initialize = function(epsilon = 1e-9, ...) initFields(epsilon = epsilon, ...)
)

#' @rdname loss_function
#' @export categorical_crossentropy
#' @exportClass categorical_crossentropy
categorical_crossentropy <- loss_class("categorical_crossentropy",
  function(self, t, p, logits) op_categorical_crossentropy(t, p, logits, clip = 0, epsilon = self$epsilon,
    normalize = FALSE),
  fields = list(epsilon = "numeric"), initialize = function(epsilon = 1e-9, ...) initFields(epsilon = epsilon, ...)
)

#' @rdname loss_function
#' @export mean_squared_error
#' @exportClass mean_squared_error
mean_squared_error <- loss_class("mean_squared_error",
  function(self, t, p, logits) op_squared_error(t, p, reduction = self$reduction),
  fields = list(reduction = "character"), initialize = function(reduction = "mean", ...)
  initFields(reduction = reduction, ...)
)
