# Losses, one number per row.

loss_op <- function(name, y_true, y_pred, reduction, reals = NULL, ints = NULL, fun) {
  check_choice(reduction, c("mean", "sum"), arg = "reduction", fun = fun)
  apply_op(name, list(y_pred, y_true), ints = c(reduction == "mean", ints), reals = reals)
}

#' Loss ops of regression
#'
#' Compare predictions p with targets t along the last axis and give the loss of each sample: the mean or the sum over
#' that axis of
#' \deqn{(p - t)^2, \quad |p - t|, \quad h(p - t), \quad \log(\cosh(p - t))}{
#' (p - t)^2, abs(p - t), h(p - t), log(cosh(p - t))}
#' for `op_squared_error()`, `op_absolute_error()`, `op_huber()` and `op_logcosh()`, with h as in [loss_huber()]. Means
#' over samples are then [op_mean()]. Gradients flow to the targets, too, where these are computed from variables.
#'
#' @param y_true targets, of the shape of `y_pred`.
#' @param y_pred predictions, float.
#' @param reduction `"mean"` or `"sum"` over the last axis.
#' @param delta where the Huber loss becomes linear.
#' @return A float tensor with the last axis removed.
#' @section Errors: `nativenet_error_shape` if the shapes differ.
#' @references Huber (1964), \doi{10.1214/aoms/1177703732}.
#' @seealso [losses], the losses for `compile()`
#' @examples
#' as.array(op_squared_error(matrix(0, 2, 3), matrix(1:6 / 6, 2)))
#' as.array(op_huber(c(0, 0), c(0.5, 10), reduction = "sum")) # 0.125 + 9.5
#' @export
op_squared_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("squared_error", y_true, y_pred, reduction, fun = "op_squared_error")
}

#' @rdname op_squared_error
#' @export
op_absolute_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("absolute_error", y_true, y_pred, reduction, fun = "op_absolute_error")
}

#' @rdname op_squared_error
#' @export
op_huber <- function(y_true, y_pred, delta = 1, reduction = "mean") {
  loss_op("huber", y_true, y_pred, reduction, reals = check_number(delta, above = 0), fun = "op_huber")
}

#' @rdname op_squared_error
#' @export
op_logcosh <- function(y_true, y_pred, reduction = "mean") loss_op("logcosh", y_true, y_pred, reduction,
  fun = "op_logcosh")

#' Kullback-Leibler divergence op
#'
#' Along the last axis, with targets t and predictions p, both clipped from below:
#' \deqn{\sum_k t_k \log \frac{t_k}{p_k}}{sum(t log(t / p))}
#'
#' @inheritParams op_squared_error
#' @param clip a small number: t and p are clipped to `clip` .. 1.
#' @inherit op_squared_error return sections
#' @seealso [loss_kl_divergence()]
#' @examples
#' as.array(op_kl_divergence(rbind(c(0.5, 0.5)), rbind(c(0.9, 0.1))))
#' @export
op_kl_divergence <- function(y_true, y_pred, clip = 1e-7, reduction = "sum") {
  loss_op("kl_divergence", y_true, y_pred, reduction, reals = check_number(clip, min = 0, below = 1),
    fun = "op_kl_divergence")
}

#' Binary cross-entropy op
#'
#' Of each element, with target t and predicted probability p, or their mean or sum along the last axis:
#' \deqn{-\left(t \log(p + \epsilon) + (1 - t) \log(1 - p + \epsilon)\right)}{
#' -(t log(p + epsilon) + (1 - t) log(1 - p + epsilon))}
#' Probabilities are first clipped to `clip` .. 1 - `clip`; the defaults are those of Keras' op. From logits x it is
#' \eqn{\max(x, 0) - x t + \log(1 + \exp(-|x|))}{max(x, 0) - x t + log(1 + exp(-abs(x)))}, which is exact.
#'
#' @param target targets, of the shape of `output`.
#' @param output predictions, float.
#' @param reduction `"none"`, `"mean"` or `"sum"` over the last axis.
#' @param from_logits are predictions logits, the inputs of a sigmoid, rather than probabilities?
#' @param clip,epsilon small numbers, see above.
#' @return A float tensor of the shape of `output`, without the last axis unless the reduction is `"none"`.
#' @inherit op_squared_error sections
#' @seealso [loss_binary_crossentropy()]
#' @examples
#' as.array(op_binary_crossentropy(c(1, 0), c(0.9, 0.2)))
#' as.array(op_binary_crossentropy(c(1, 0), c(50, -50), from_logits = TRUE))
#' @export
op_binary_crossentropy <- function(target, output, from_logits = FALSE, clip = 1e-7, epsilon = 0, reduction = "none") {
  name <- if (check_flag(from_logits)) "sigmoid_crossentropy" else "binary_crossentropy"
  clip <- check_number(clip, min = 0, below = 0.5)
  epsilon <- check_number(epsilon, min = 0, max = 1)
  if (check_choice(reduction, c("none", "mean", "sum")) == "none") { # each element is a row of its own
    target <- op_expand_dims(target, -1)
    output <- op_expand_dims(output, -1)
    reduction <- "sum"
  }
  loss_op(name, target, output, reduction, reals = c(clip, epsilon), fun = "op_binary_crossentropy")
}

#' Categorical cross-entropy ops
#'
#' Along an axis, the last one by default, with predicted probabilities p of K classes and targets t, one-hot or
#' probabilities, or in the sparse form labels:
#' \deqn{-\sum_k t_k \log(p_k + \epsilon) \quad \mathrm{and} \quad -\log(p_t + \epsilon)}{
#' -sum(t log(p + epsilon)) and -log(p[t] + epsilon)}
#' Probabilities are first divided by their sum (`normalize`) and clipped to `clip` .. 1 - `clip`; the defaults are
#' those of Keras. From logits the loss is computed by the log-softmax, which is exact.
#'
#' @param target targets, of the shape of `output`; for the sparse form labels 0 .. K-1, one per sample.
#' @param output predictions, float.
#' @param axis that of the classes, 1-based, negative from the end.
#' @param reduction `"mean"` or `"sum"` over it.
#' @param from_logits are predictions logits, the inputs of a softmax, rather than probabilities?
#' @param clip,epsilon small numbers, see above.
#' @param normalize divide probabilities by their sum first?
#' @inherit op_squared_error return
#' @section Errors: `nativenet_error_shape` if the shapes do not fit; `nativenet_error_index` for a label outside the
#'   classes.
#' @seealso [loss_categorical_crossentropy()], [loss_sparse_categorical_crossentropy()]
#' @examples
#' as.array(op_categorical_crossentropy(rbind(c(0, 1)), rbind(c(0.3, 0.7))))
#' as.array(op_sparse_categorical_crossentropy(c(0, 1), diag(2) * 10, from_logits = TRUE))
#' @export
op_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1, clip = 1e-7, epsilon = 0,
  normalize = TRUE, reduction = "sum") {
  name <- if (check_flag(from_logits)) "softmax_crossentropy" else "categorical_crossentropy"
  loss_op(name, classes_last(target, axis), classes_last(output, axis), reduction,
    reals = c(check_number(clip, min = 0, below = 0.5), check_number(epsilon, min = 0, max = 1)),
    ints = check_flag(normalize), fun = "op_categorical_crossentropy")
}

#' `x` with the axis of classes behind the others, where losses take it.
#' @noRd
classes_last <- function(x, axis, fun = calling_function()) {
  if (identical(as.double(check_number(axis, fun = fun)), -1)) return(x)
  rank <- rank_of(x)
  at <- check_one_axis(axis, rank, fun = fun) + 1
  op_transpose(x, c(seq_len(rank)[-at], at))
}

#' @rdname op_categorical_crossentropy
#' @export
op_sparse_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1, clip = 1e-7,
  epsilon = 0, normalize = TRUE) {
  name <- if (check_flag(from_logits)) "sparse_softmax_crossentropy" else "sparse_categorical_crossentropy"
  loss_op(name, tensor(target, "int32"), classes_last(output, axis), "sum",
    reals = c(check_number(clip, min = 0, below = 0.5), check_number(epsilon, min = 0, max = 1)),
    ints = check_flag(normalize), fun = "op_sparse_categorical_crossentropy")
}
