# Other numbers of cells along spatial axes.

#' Resize pictures
#'
#' Gives pictures another number of rows and columns. Cell o of an axis of m cells lies at
#' \eqn{(o + 1/2) n / m - 1/2} of an axis of n cells, all counted from 0, as centres of pixels do:
#' `"nearest"` takes the cell that this point lies in, `"bilinear"` weighs the two beside it by their distance.
#'
#' @param x a tensor or array with the axes batch, rows, columns, channels, or rows, columns, channels; floats for
#'   `"bilinear"`.
#' @param size the new rows and columns.
#' @param method `"bilinear"` or `"nearest"`.
#' @return A tensor of the dtype of `x`.
#' @section Errors: `nativenet_error_shape` if `x` has other axes.
#' @seealso [layer_upsampling_2d()], [op_pad()]
#' @examples
#' x <- array(c(1, 2, 3, 4), c(2, 2, 1))
#' as.array(op_resize(x, c(4, 4)))[, , 1]
#' as.array(op_resize(x, c(4, 4), method = "nearest"))[, , 1]
#' @export
op_resize <- function(x, size, method = "bilinear") {
  rank <- check_image_axes(x)
  resize_axes(x, rank - 2:1, per_spatial_axis(size, 2), check_choice(method, resize_methods))
}

resize_methods <- c("bilinear", "nearest")

#' @param axes of x, 1-based; sizes: their new ones.
#' @noRd
resize_axes <- function(x, axes, sizes, method) {
  if (method == "bilinear") x <- as_floats(x)
  for (k in seq_along(axes)) x <- resize_axis(x, axes[k], shape_of(x)[axes[k]], sizes[k], method)
  as_value(tensor(x))
}

resize_axis <- function(x, axis, n, m, method) {
  if (n == m) return(x)
  at <- (seq_len(m) - 0.5) * n / m # counted in pixels from the edge
  take <- function(i) op_gather(x, array(as.integer(pmin(pmax(i, 0), n - 1)), m), axis)
  if (method == "nearest") return(take(floor(at)))
  below <- floor(at - 0.5)
  weight <- array(at - 0.5 - below, c(m, rep(1, rank_of(x) - axis)))
  low <- take(below)
  op_add(low, op_multiply(op_subtract(take(below + 1), low), weight))
}
