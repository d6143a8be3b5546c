# Losses, one number per row.

#' Loss ops
#'
#' Each compares predictions with targets along the last axis and gives the mean, or the sum, of that
#' axis: the loss of each sample. Means over samples are then [op_mean()]. Gradients flow to the
#' targets too, where these are computed from variables.
#'
#' The cross-entropies have a stable form from logits (`from_logits = TRUE`). From probabilities they are
#' clipped to `[clip, 1 - clip]` and `epsilon` is added inside the logarithm; the defaults are those of
#' Keras. `op_categorical_crossentropy()` and its sparse form first divide by the sum of the probabilities
#' (`normalize`), as Keras does.
#'
#' @param y_true targets, of the shape of `y_pred`; for the sparse form labels 0 .. K-1, one per sample.
#' @param y_pred predictions, float.
#' @param reduction `"mean"` or `"sum"` over the last axis.
#' @param from_logits are predictions logits, the inputs of a sigmoid or softmax, rather than probabilities?
#' @param clip,epsilon small numbers, see above.
#' @param normalize divide probabilities by their sum first?
#' @param delta where the Huber loss turns from quadratic to linear.
#' @return A float tensor with the last axis removed.
#' @section Errors: `nativenet_error_shape` if shapes differ; `nativenet_error_index` for a label outside
#'   the classes.
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2. Huber (1964),
#'   <https://doi.org/10.1214/aoms/1177703732>.
#' @examples
#' as.array(op_squared_error(matrix(0, 2, 3), matrix(1:6 / 6, 2)))
#' as.array(op_sparse_categorical_crossentropy(c(0, 1), diag(2) * 10, from_logits = TRUE))
#' @name op_losses
NULL

loss_op <- function(name, y_true, y_pred, reduction, reals = NULL, ints = NULL, fun) {
  check_choice(reduction, c("mean", "sum"), arg = "reduction", fun = fun)
  apply_op(name, list(y_pred, y_true), ints = c(reduction == "mean", ints), reals = reals)
}

#' @rdname op_losses
#' @export
op_squared_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("squared_error", y_true, y_pred, reduction, fun = "op_squared_error")
}

#' @rdname op_losses
#' @export
op_absolute_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("absolute_error", y_true, y_pred, reduction, fun = "op_absolute_error")
}

#' @rdname op_losses
#' @export
op_huber <- function(y_true, y_pred, delta = 1, reduction = "mean") {
  loss_op("huber", y_true, y_pred, reduction, reals = check_number(delta, above = 0), fun = "op_huber")
}

#' @rdname op_losses
#' @export
op_logcosh <- function(y_true, y_pred, reduction = "mean") loss_op("logcosh", y_true, y_pred, reduction,
  fun = "op_logcosh")

#' @rdname op_losses
#' @export
op_kl_divergence <- function(y_true, y_pred, clip = 1e-7, reduction = "sum") {
  loss_op("kl_divergence", y_true, y_pred, reduction, reals = check_number(clip, min = 0, below = 1),
    fun = "op_kl_divergence")
}

#' @rdname op_losses
#' @export
op_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 1e-7,
  reduction = "mean") {
  name <- if (check_flag(from_logits)) "sigmoid_crossentropy" else "binary_crossentropy"
  loss_op(name, y_true, y_pred, reduction, reals = c(check_number(clip, min = 0, below = 0.5),
    check_number(epsilon, min = 0, max = 1)),
    fun = "op_binary_crossentropy")
}

#' @rdname op_losses
#' @export
op_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 0, normalize = TRUE,
                                        reduction = "sum") {
  name <- if (check_flag(from_logits)) "softmax_crossentropy" else "categorical_crossentropy"
  loss_op(name, y_true, y_pred, reduction, reals = c(check_number(clip, min = 0, below = 0.5),
    check_number(epsilon, min = 0, max = 1)),
    ints = check_flag(normalize), fun = "op_categorical_crossentropy")
}

#' @rdname op_losses
#' @export
op_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 0,
  normalize = TRUE) {
  name <- if (check_flag(from_logits)) "sparse_softmax_crossentropy" else "sparse_categorical_crossentropy"
  loss_op(name, tensor(y_true, "int32"), y_pred, "sum", reals = c(check_number(clip, min = 0, below = 0.5),
    check_number(epsilon, min = 0, max = 1)),
    ints = check_flag(normalize), fun = "op_sparse_categorical_crossentropy")
}
