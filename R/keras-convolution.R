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

#' Convolutions whose weights are not shared
#'
#' Each window of `inputs` times a matrix of its own, as [layer_locally_connected_1d()] does.
#'
#' @param inputs a float tensor or array, (batch, steps, channels) or (batch, rows, columns, channels); with
#'   `"channels_first"` the channels stand behind the batch.
#' @param kernel a tensor or array (windows, numbers of a window, filters).
#' @param kernel_size,strides a number, or for two axes two: the size of a window, and how far it moves.
#' @param output_shape the number of windows along each axis, which must be what follows from the others.
#' @param data_format `"channels_last"` or `"channels_first"`; `NULL` for the former.
#' @return A tensor of the axes of `inputs`, with the filters for channels.
#' @section Errors: `nativenet_error_shape` for a kernel of another shape.
#' @seealso [keras_backend], [k_conv1d()]
#' @examples
#' # differences, each with a weight of its own
#' k_local_conv1d(array(1:4 + 0, c(1, 4, 1)), array(c(-1, -2, -3, 1, 2, 3), c(3, 2, 1)), 2, 1)
#' @export
k_local_conv1d <- function(inputs, kernel, kernel_size, strides, data_format = NULL) {
  k_local_conv(inputs, kernel, kernel_size, strides, NULL, data_format, 1)
}

#' @rdname k_local_conv1d
#' @export
k_local_conv2d <- function(inputs, kernel, kernel_size, strides, output_shape, data_format = NULL) {
  check_given(missing(output_shape), "output_shape")
  k_local_conv(inputs, kernel, kernel_size, strides, output_shape, data_format, 2)
}

k_local_conv <- function(inputs, kernel, kernel_size, strides, output_shape, data_format, axes,
  fun = calling_function()) {
  x <- floats_of(as_floats(inputs))
  data_format <- check_data_format(data_format, fun = fun)
  if (rank_of(x) != axes + 2) abort("`inputs` must have ", axes + 2, " axes, not the shape ", format_shape(shape_of(x)),
    class = "shape", fun = fun)
  per_axis <- function(n, arg) {
    n <- check_whole(n, min = 1, arg = arg, fun = fun)
    if (!length(n) %in% c(1, axes)) abort("`", arg, "` must be ", axes, " whole numbers, not ", length(n), fun = fun)
    rep_len(n, axes)
  }
  size <- per_axis(kernel_size, "kernel_size")
  stride <- per_axis(strides, "strides")
  first <- data_format == "channels_first"
  sizes <- shape_of(x)[seq_len(axes) + 1 + first]
  windows <- Map(window_cells, sizes, size, stride, "valid")
  out <- vapply(windows, function(w) nrow(w$cells), 0L)
  if (any(out == 0)) abort("a window of ", format_shape(size), " does not fit into ", format_shape(sizes),
    class = "shape", fun = fun)
  if (!is.null(output_shape) && !same_sizes(check_whole(output_shape, arg = "output_shape", fun = fun), out)) abort(
    "`output_shape` must be ", format_shape(out), ", which follows from the windows", class = "shape", fun = fun)
  kernel <- op_cast(as_floats(kernel), tensor_dtype(x))
  wanted <- c(prod(out), prod(size) * shape_of(x)[if (first) 2 else axes + 2])
  if (rank_of(kernel) != 3 || !same_sizes(shape_of(kernel)[1:2], wanted)) abort("`kernel` must have the shape ",
    format_shape(c(wanted, "filters")), ", not ", format_shape(shape_of(kernel)), class = "shape", fun = fun)
  k_convolved(x, axes, data_format, function(x) local_products(x, kernel, windows, first))
}
