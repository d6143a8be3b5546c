# Keras' backend functions for normalization.

#' Batch normalization
#'
#' `k_batch_normalization()` normalizes by statistics that are given; `k_normalize_batch_in_training()` takes the mean
#' and variance over axes first. See [op_normalize()].
#'
#' @param x a float tensor or array.
#' @param mean,var statistics, which broadcast with `x`.
#' @param beta,gamma offset and scale, likewise; `NULL` for none.
#' @param axis the axis of the channels: the last.
#' @param reduction_axes the axes that mean and variance are over, 1-based, negative from the end.
#' @param epsilon a small positive number.
#' @return A tensor of the shape of `x`; from `k_normalize_batch_in_training()` a list of it, the mean and the variance.
#' @seealso [keras_backend], [layer_batch_normalization()]
#' @examples
#' k_batch_normalization(matrix(1:4 / 2, 2), mean = c(1, 1), var = c(1, 4), beta = NULL, gamma = NULL)
#' k_normalize_batch_in_training(matrix(1:4 / 2, 2), gamma = NULL, beta = NULL, reduction_axes = 1)
#' @export
k_batch_normalization <- function(x, mean, var, beta, gamma, axis = -1, epsilon = 0.001) {
  check_last_axis(axis, x)
  normalize_by(x, mean, var, beta, gamma, check_number(epsilon, above = 0))
}

#' @rdname k_batch_normalization
#' @export
k_normalize_batch_in_training <- function(x, gamma, beta, reduction_axes, epsilon = 0.001) {
  x <- as_floats(x)
  epsilon <- check_number(epsilon, above = 0)
  over <- check_axis(reduction_axes, rank_of(x), "reduction_axes") + 1
  mean <- op_mean(x, over, keepdims = TRUE)
  variance <- op_var(x, over, keepdims = TRUE)
  list(normalize_by(x, mean, variance, beta, gamma, epsilon), op_squeeze(mean, over), op_squeeze(variance, over))
}
