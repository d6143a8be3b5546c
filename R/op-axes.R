# Ops along axes: sums, extremes and positions.

#' Reductions
#'
#' Sums, means, extremes and the like over axes. `op_max()` and `op_min()` share the gradient evenly among equal
#' extremes. `op_argmax()` and `op_argmin()` give the first index of the extreme, counted from 0 as class labels are.
#' `op_cumsum()` keeps the shape: sums from the start of the axis on. `op_logsumexp()` is `log(sum(exp(x)))`, computed
#' so that large inputs do not overflow. `op_var()` is the mean square distance from the mean (its divisor is n, not n -
#' 1 as in R), `op_std()` the root of it.
#'
#' @param x a tensor or array; `op_mean()`, `op_var()`, `op_std()` and `op_logsumexp()` need floats.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all. One axis for
#'   `op_argmax()`, `op_argmin()` and `op_cumsum()`.
#' @param keepdims keep the reduced axes with size 1?
#' @return A tensor; a scalar if all axes are reduced.
#' @examples
#' as.array(op_sum(matrix(1:6, 2), axis = 1))
#' as.array(op_argmax(matrix(c(1, 9, 5, 2), 2)))
#' as.array(op_cumsum(1:4))
#' as.array(op_logsumexp(c(1000, 1000)))
#' @name op_sum
NULL

reduce_op <- function(name, x, axis, keepdims, fun = calling_function()) {
  check_flag(keepdims, arg = "keepdims", fun = fun)
  axes <- if (!is.null(axis)) check_axis(axis, rank_of(x), fun = fun)
  if (!is.null(axis) && !length(axes)) abort("`axis` must name at least one axis, or be NULL for all, not ",
    describe(axis), fun = fun)
  apply_op(name, list(x), ints = c(keepdims, axes))
}

#' @rdname op_sum
#' @export
op_sum <- function(x, axis = NULL, keepdims = FALSE) reduce_op("sum", x, axis, keepdims)
#' @rdname op_sum
#' @export
op_mean <- function(x, axis = NULL, keepdims = FALSE) reduce_op("mean", x, axis, keepdims)
#' @rdname op_sum
#' @export
op_prod <- function(x, axis = NULL, keepdims = FALSE) reduce_op("prod", x, axis, keepdims)
#' @rdname op_sum
#' @export
op_max <- function(x, axis = NULL, keepdims = FALSE) reduce_op("max", x, axis, keepdims)
#' @rdname op_sum
#' @export
op_min <- function(x, axis = NULL, keepdims = FALSE) reduce_op("min", x, axis, keepdims)
#' @rdname op_sum
#' @export
op_argmax <- function(x, axis = -1) {
  apply_op("argmax", list(x), ints = check_one_axis(axis, rank_of(x)))
}
#' @rdname op_sum
#' @export
op_argmin <- function(x, axis = -1) {
  apply_op("argmin", list(x), ints = check_one_axis(axis, rank_of(x)))
}
#' @rdname op_sum
#' @export
op_cumsum <- function(x, axis = -1) {
  apply_op("cumsum", list(x), ints = check_one_axis(axis, rank_of(x)))
}
#' @rdname op_sum
#' @export
op_logsumexp <- function(x, axis = NULL, keepdims = FALSE) {
  x <- as_floats(x)
  check_flag(keepdims)
  top <- reduce_op("max", x, axis, TRUE)
  top <- op_where(op_is_finite(top), top, 0) # Inf - Inf would be NaN
  sums <- op_log(op_sum(op_exp(op_subtract(x, top)), axis, keepdims))
  op_add(sums, if (keepdims) top else op_squeeze(top, axis))
}
#' @rdname op_sum
#' @export
op_var <- function(x, axis = NULL, keepdims = FALSE) {
  x <- as_floats(x)
  check_flag(keepdims)
  centered <- function(x) op_subtract(x, reduce_op("mean", x, axis, TRUE, "op_var"))
  op_mean(op_square(centered(centered(x))), axis, keepdims) # twice: the mean of large numbers is rounded
}
#' @rdname op_sum
#' @export
op_std <- function(x, axis = NULL, keepdims = FALSE) op_sqrt(op_var(x, axis, keepdims))

#' L2 normalization
#'
#' Divides by the Euclidean norm along axes, `sqrt(max(sum(x^2), epsilon))`.
#'
#' @param x a float tensor or array.
#' @param axis axes along which the norm is taken, 1-based, negative from the end; `NULL` for all.
#' @param epsilon a small number that keeps zeros from being divided by zero.
#' @return A tensor of the same shape.
#' @examples
#' as.array(op_l2_normalize(matrix(c(3, 0, 4, 2), 2), axis = 2))
#' @export
op_l2_normalize <- function(x, axis = NULL, epsilon = 1e-12) {
  x <- as_floats(x)
  epsilon <- check_number(epsilon, min = 0, max = 1)
  op_divide(x, euclidean_norm(x, axis, TRUE, epsilon, "op_l2_normalize"))
}

#' The root of the sum of squares, in double: squares of floats overflow, or vanish, where the root does not.
#' @noRd
euclidean_norm <- function(x, axis = NULL, keepdims = FALSE, least = 0, fun = calling_function()) {
  x <- as_floats(x)
  squares <- square_sum(x, axis, keepdims, fun)
  op_cast(op_sqrt(if (least > 0) op_maximum(squares, least) else squares), tensor_dtype(x))
}

#' The same of several tensors taken as one.
#' @noRd
global_norm <- function(xs) {
  xs <- lapply(xs, as_floats)
  op_cast(op_sqrt(Reduce(op_add, lapply(xs, square_sum))), tensor_dtype(xs[[1]]))
}

square_sum <- function(x, axis = NULL, keepdims = FALSE, fun = "op_sum") {
  reduce_op("sum", op_square(op_cast(x, "float64")), axis, keepdims, fun)
}
