# Maximum and mean over windows.

#' Pooling
#'
#' The maximum or the mean of the cells that a window covers, for windows that move along the spatial axes; each channel
#' by itself. `op_max_pool_argmax()` tells where the maximum was.
#'
#' @section Padding: `"valid"` takes only windows that lie within; an axis of n cells has
#'   \eqn{\lfloor (n - \mathrm{size}) / \mathrm{stride} \rfloor + 1}{floor((n - size) / stride) + 1} of them.
#'   `"same"` takes \eqn{\lceil n / \mathrm{stride} \rceil}{ceiling(n / stride)}, which may reach over the ends; cells
#'   that are not there do not count, for the mean neither.
#' @section Gradients: That of the maximum goes to the first one of its window, row by row.
#'
#' @param inputs a float tensor or array with the axes batch, 1 to 3 spatial axes, channels.
#' @param pool_size the size of the window: a number, or one for each spatial axis.
#' @param strides how far apart windows begin, likewise; `NULL` for `pool_size`, so that they do not overlap.
#' @param padding `"valid"` or `"same"`.
#' @param data_format `"channels_last"`, or `"channels_first"` for x with the channels behind the batch.
#' @return A tensor with one cell per window; `op_max_pool_argmax()` gives int64: the 0-based position in all of `x`
#'   (with channels last), row by row.
#' @section Errors: `nativenet_error_shape` if `x` has other axes, or a window does not fit.
#' @seealso [layer_max_pooling_2d()]; [op_max()] and [op_mean()] over all cells.
#' @examples
#' x <- array(1:16 + 0, c(1, 4, 4, 1))
#' as.array(op_max_pool(x, 2))[1, , , 1]
#' as.array(op_average_pool(x, 3, strides = 1, padding = "same"))[1, , , 1]
#' @export
op_max_pool <- function(inputs, pool_size = 2, strides = NULL, padding = "valid", data_format = NULL) {
  pool_op("max_pool", inputs, pool_size, strides, padding, data_format)
}

#' @rdname op_max_pool
#' @export
op_max_pool_argmax <- function(inputs, pool_size = 2, strides = NULL, padding = "valid", data_format = NULL) {
  pool_op("max_pool_argmax", inputs, pool_size, strides, padding, data_format)
}

#' @rdname op_max_pool
#' @export
op_average_pool <- function(inputs, pool_size = 2, strides = NULL, padding = "valid", data_format = NULL) {
  pool_op("average_pool", inputs, pool_size, strides, padding, data_format)
}

pool_op <- function(name, x, pool_size, strides, padding, data_format, fun = calling_function()) {
  n <- spatial_axes(x)
  pool_size <- per_spatial_axis(pool_size, n, fun = fun)
  strides <- if (is.null(strides)) pool_size else per_spatial_axis(strides, n, fun = fun)
  same <- check_padding(padding, fun = fun) == "same"
  with_channels_last(x, check_data_format(data_format, fun = fun), function(x) {
    apply_op(name, list(x), ints = c(same, rbind(pool_size, strides)))
  })
}
