# Keras' backend functions that are convolutions.

#' Convolutions
#'
#' Over one, two or three axes, see [op_conv()] for the formula.
#'
#' @param x an array or tensor: batch, sizes, channels.
#' @param kernel (kernel sizes..., channels, filters); of the transposed ones (kernel sizes..., filters, channels).
#' @param depthwise_kernel (kernel sizes..., channels, filters for each channel).
#' @param pointwise_kernel (1..., channels times filters for each, filters).
#' @param strides,dilation_rate a whole number, or one for each axis.
#' @param padding `"valid"`, `"same"`, or for `k_conv1d()` `"causal"`.
#' @param data_format `NULL` for `"channels_last"`, or `"channels_first"`.
#' @param output_shape the shape of the result with the batch.
#' @return A tensor.
#' @seealso [keras_backend], [layer_conv_2d()]
#' @examples
#' k_conv1d(array(1:5 + 0, c(1, 5, 1)), array(c(-1, 1), c(2, 1, 1)))
#' @export
k_conv1d <- function(x, kernel, strides = 1, padding = "valid", data_format = NULL, dilation_rate = 1) {
  k_convolved(x, 1, data_format, function(x) op_conv(x, kernel, strides, padding, dilation_rate = dilation_rate))
}

#' @rdname k_conv1d
#' @export
k_conv2d <- function(x, kernel, strides = c(1, 1), padding = "valid", data_format = NULL, dilation_rate = c(1, 1)) {
  k_convolved(x, 2, data_format, function(x) op_conv(x, kernel, strides, padding, dilation_rate = dilation_rate))
}

#' @rdname k_conv1d
#' @export
k_conv3d <- function(x, kernel, strides = c(1, 1, 1), padding = "valid", data_format = NULL,
  dilation_rate = c(1, 1, 1)) {
  k_convolved(x, 3, data_format, function(x) op_conv(x, kernel, strides, padding, dilation_rate = dilation_rate))
}

#' @rdname k_conv1d
#' @export
k_conv2d_transpose <- function(x, kernel, output_shape, strides = c(1, 1), padding = "valid", data_format = NULL) {
  k_transposed(x, 2, kernel, output_shape, strides, padding, data_format)
}

#' @rdname k_conv1d
#' @export
k_conv3d_transpose <- function(x, kernel, output_shape, strides = c(1, 1, 1), padding = "valid", data_format = NULL) {
  k_transposed(x, 3, kernel, output_shape, strides, padding, data_format)
}

#' @rdname k_conv1d
#' @export
k_depthwise_conv2d <- function(x, depthwise_kernel, strides = c(1, 1), padding = "valid", data_format = NULL,
  dilation_rate = c(1, 1)) {
  k_convolved(x, 2, data_format, function(x) op_depthwise_conv(x, depthwise_kernel, strides, padding,
    dilation_rate = dilation_rate))
}

#' @rdname k_conv1d
#' @export
k_separable_conv1d <- function(x, depthwise_kernel, pointwise_kernel, strides = 1, padding = "valid",
  data_format = NULL, dilation_rate = 1) {
  k_convolved(x, 1, data_format, function(x) op_conv(op_depthwise_conv(x, depthwise_kernel, strides, padding,
    dilation_rate = dilation_rate), pointwise_kernel))
}

#' @rdname k_conv1d
#' @export
k_separable_conv2d <- function(x, depthwise_kernel, pointwise_kernel, strides = c(1, 1), padding = "valid",
  data_format = NULL, dilation_rate = c(1, 1)) {
  k_convolved(x, 2, data_format, function(x) op_conv(op_depthwise_conv(x, depthwise_kernel, strides, padding,
    dilation_rate = dilation_rate), pointwise_kernel))
}

k_convolved <- function(x, n, data_format, f, fun = calling_function()) {
  check_spatial_axes(x, n, fun)
  with_channels_last(as_floats(x), check_data_format(data_format, fun = fun), f)
}

k_transposed <- function(x, n, kernel, output_shape, strides, padding, data_format, fun = calling_function()) {
  shape <- check_whole(output_shape, fun = fun)
  if (length(shape) != n + 2) abort("`output_shape` must have ", n + 2, " sizes, not ", length(shape), fun = fun)
  first <- check_data_format(data_format, fun = fun) == "channels_first"
  k_convolved(x, n, data_format, fun = fun, function(x) {
    op_conv_transpose(x, kernel, strides, padding, size = shape[seq_len(n) + if (first) 2 else 1])
  })
}
