# Ops along axes: sums, extremes and positions.

#' Sums and extremes over axes
#'
#' `op_max()` and `op_min()` share the gradient evenly among equal extremes. `op_argmax()` gives the first
#' position of the maximum, counted from 0 as class labels are.
#'
#' @param x a tensor or array; `op_mean()` needs floats.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all. One axis for
#'   `op_argmax()`.
#' @param keepdims keep the reduced axes with size 1?
#' @return A tensor; a scalar if all axes are reduced.
#' @examples
#' as.array(op_sum(matrix(1:6, 2), axis = 1))
#' as.array(op_argmax(matrix(c(1, 9, 5, 2), 2)))
#' @name op_sum
NULL

reduce_op <- function(name, x, axis, keepdims, fun) {
  check_flag(keepdims, arg = "keepdims", fun = fun)
  axes <- if (is.null(axis)) double() else check_axis(axis, rank_of(x), fun = fun)
  apply_op(name, list(x), ints = c(keepdims, axes))
}

#' @rdname op_sum
#' @export
op_sum <- function(x, axis = NULL, keepdims = FALSE) reduce_op("sum", x, axis, keepdims, "op_sum")
#' @rdname op_sum
#' @export
op_mean <- function(x, axis = NULL, keepdims = FALSE) reduce_op("mean", x, axis, keepdims, "op_mean")
#' @rdname op_sum
#' @export
op_max <- function(x, axis = NULL, keepdims = FALSE) reduce_op("max", x, axis, keepdims, "op_max")
#' @rdname op_sum
#' @export
op_min <- function(x, axis = NULL, keepdims = FALSE) reduce_op("min", x, axis, keepdims, "op_min")
#' @rdname op_sum
#' @export
op_argmax <- function(x, axis = -1) {
  apply_op("argmax", list(x), ints = check_one_axis(axis, rank_of(x)))
}
