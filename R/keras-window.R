# Keras' backend functions over windows of spatial axes.

#' Pooling
#'
#' The maximum or the mean over windows of the two or three spatial axes, see [op_max_pool()].
#'
#' @param x an array or tensor: batch, spatial axes, channels.
#' @param pool_size the size of the window: a number, or one for each spatial axis.
#' @param strides how far apart windows begin, likewise.
#' @param padding `"valid"` or `"same"`.
#' @param data_format `NULL` for `"channels_last"`, or `"channels_first"`.
#' @param pool_mode `"max"` or `"avg"`.
#' @return A tensor.
#' @seealso [keras_backend], [layer_max_pooling_2d()]
#' @examples
#' k_pool2d(array(1:16 + 0, c(1, 4, 4, 1)), pool_size = c(2, 2), strides = c(2, 2))
#' @export
k_pool2d <- function(x, pool_size, strides = c(1, 1), padding = "valid", data_format = NULL, pool_mode = "max") {
  pool_by_mode(x, 2, pool_size, strides, padding, data_format, pool_mode)
}

#' @rdname k_pool2d
#' @export
k_pool3d <- function(x, pool_size, strides = c(1, 1, 1), padding = "valid", data_format = NULL, pool_mode = "max") {
  pool_by_mode(x, 3, pool_size, strides, padding, data_format, pool_mode)
}

pool_by_mode <- function(x, n, pool_size, strides, padding, data_format, pool_mode, fun = calling_function()) {
  check_spatial_axes(x, n, fun)
  op <- list(max = "max_pool", avg = "average_pool")[[check_choice(pool_mode, c("max", "avg"), fun = fun)]]
  pool_op(op, x, pool_size, strides, padding, check_data_format(data_format, fun = fun), fun)
}
