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

#' Resize and pad pictures
#'
#' `k_resize_images()` and `k_resize_volumes()` repeat cells, or put cells between, see [op_resize()];
#' `k_temporal_padding()`, `k_spatial_2d_padding()` and `k_spatial_3d_padding()` add zeros at the ends, see [op_pad()].
#'
#' @inheritParams k_pool2d
#' @param height_factor,width_factor,depth_factor how many times.
#' @param interpolation `"nearest"`, `"bilinear"` or another method of [op_resize()].
#' @param padding how many cells, see [layer_zero_padding_2d()].
#' @return A tensor.
#' @seealso [keras_backend], [layer_upsampling_2d()], [layer_zero_padding_2d()]
#' @examples
#' x <- array(1:4 + 0, c(1, 2, 2, 1))
#' k_int_shape(k_resize_images(x, 3, 2, "channels_last"))
#' k_int_shape(k_spatial_2d_padding(x))
#' @export
k_resize_images <- function(x, height_factor, width_factor, data_format = NULL, interpolation = "nearest") {
  check_spatial_axes(x, 2)
  times <- c(check_count(height_factor), check_count(width_factor))
  resize_times(x, format_places(check_data_format(data_format), 2), times,
    check_choice(interpolation, resize_methods))
}

#' @rdname k_resize_images
#' @export
k_resize_volumes <- function(x, depth_factor, height_factor, width_factor, data_format = NULL) {
  check_spatial_axes(x, 3)
  times <- c(check_count(depth_factor), check_count(height_factor), check_count(width_factor))
  resize_times(x, format_places(check_data_format(data_format), 3), times, "nearest")
}

#' @rdname k_resize_images
#' @export
k_temporal_padding <- function(x, padding = c(1, 1)) {
  check_spatial_axes(x, 1)
  pad_places(x, 2, check_edges(padding, 1))
}

#' @rdname k_resize_images
#' @export
k_spatial_2d_padding <- function(x, padding = list(c(1, 1), c(1, 1)), data_format = NULL) {
  check_spatial_axes(x, 2)
  pad_places(x, format_places(check_data_format(data_format), 2), check_edges(padding, 2))
}

#' @rdname k_resize_images
#' @export
k_spatial_3d_padding <- function(x, padding = list(c(1, 1), c(1, 1), c(1, 1)), data_format = NULL) {
  check_spatial_axes(x, 3)
  pad_places(x, format_places(check_data_format(data_format), 3), check_edges(padding, 3))
}
