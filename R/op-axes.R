# Ops along axes: reductions, argmax and argmin, cumulative sums, norms.

reduce_op <- function(name, x, axis, keepdims, fun = calling_function()) {
  check_flag(keepdims, arg = "keepdims", fun = fun)
  axes <- if (!is.null(axis)) check_axis(axis, rank_of(x), fun = fun)
  if (!is.null(axis) && !length(axes)) abort("`axis` must name at least one axis, or be NULL for all, not ",
    describe(axis), fun = fun)
  apply_op(name, list(x), ints = c(keepdims, axes))
}

#' Reductions
#'
#' Reduce axes of a tensor to one number each: `op_sum()`, `op_mean()`, `op_prod()`, `op_max()` and `op_min()` as in R;
#' \deqn{\mathrm{logsumexp}(x) = \log \sum_i e^{x_i}, \quad
#' \mathrm{var}(x) = \frac{1}{n} \sum_{i=1}^{n} (x_i - \bar{x})^2, \quad \mathrm{std}(x) = \sqrt{\mathrm{var}(x)}}{
#' logsumexp(x) = log(sum(exp(x))), var(x) = mean((x - mean(x))^2), std(x) = sqrt(var(x))}
#' `op_logsumexp()` does not overflow for large x. The divisor of the variance is n, not n - 1 as in R. `op_max()` and
#' `op_min()` share the gradient evenly among equal extremes.
#'
#' @param x a tensor or array; `op_mean()`, `op_var()`, `op_std()` and `op_logsumexp()` need floats.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all.
#' @param keepdims keep the reduced axes with size 1?
#' @param initial a number that counts, too; `NULL` for none.
#' @param dtype as for [tensor()]: numbers are cast to it first; `NULL` for that of `x`.
#' @return A tensor; a scalar if all axes are reduced.
#' @section Errors: `nativenet_error_value` for axes that are not there, and where the result is beyond the whole
#'   numbers of its dtype, or, of int64, a sum on the way to it: cast to `"float64"` before. `nativenet_error_shape` for
#'   the maximum or minimum of no elements.
#' @seealso [op_argmax()], [op_cumsum()], [op_any()]
#' @examples
#' as.array(op_sum(matrix(1:6, 2), axis = 1)) # 3 7 11
#' as.array(op_mean(matrix(1:6 / 2, 2), axis = 2, keepdims = TRUE))
#' as.array(op_logsumexp(c(1000, 1000)))
#' @export
op_sum <- function(x, axis = NULL, keepdims = FALSE) reduce_op("sum", x, axis, keepdims)

#' @rdname op_sum
#' @export
op_mean <- function(x, axis = NULL, keepdims = FALSE) reduce_op("mean", x, axis, keepdims)

#' @rdname op_sum
#' @export
op_prod <- function(x, axis = NULL, keepdims = FALSE, dtype = NULL) {
  reduce_op("prod", if (is.null(dtype)) x else op_cast(x, dtype), axis, keepdims)
}

#' @rdname op_sum
#' @export
op_max <- function(x, axis = NULL, keepdims = FALSE, initial = NULL) {
  y <- reduce_op("max", x, axis, keepdims)
  if (is.null(initial)) y else op_maximum(y, initial)
}

#' @rdname op_sum
#' @export
op_min <- function(x, axis = NULL, keepdims = FALSE, initial = NULL) {
  y <- reduce_op("min", x, axis, keepdims)
  if (is.null(initial)) y else op_minimum(y, initial)
}

#' Index of the maximum or minimum
#'
#' The first index of the maximum or minimum along an axis, or in all of `x` row by row; **1-based** as in R and keras3,
#' or 0-based as class labels are. They have no gradient.
#'
#' @param x a tensor or array.
#' @param axis one axis, 1-based, negative from the end; `NULL` for all of `x` as one row.
#' @param keepdims keep the axis with size 1?
#' @param zero_indexed do positions count from 0, or from 1?
#' @return A tensor of int64 without that axis.
#' @seealso [op_max()], [op_one_hot()]
#' @examples
#' as.array(op_argmax(matrix(c(1, 9, 5, 2), 2), 2)) # 2 1
#' @export
op_argmax <- function(x, axis = NULL, keepdims = FALSE, zero_indexed = FALSE) {
  argument_op("argmax", x, axis, keepdims, zero_indexed)
}

#' @rdname op_argmax
#' @export
op_argmin <- function(x, axis = NULL, keepdims = FALSE, zero_indexed = FALSE) {
  argument_op("argmin", x, axis, keepdims, zero_indexed)
}

argument_op <- function(name, x, axis, keepdims, zero_indexed, fun = calling_function()) {
  check_flag(keepdims, fun = fun)
  at <- if (!is.null(axis)) check_one_axis(axis, rank_of(x), fun = fun)
  found <- apply_op(name, list(if (is.null(at)) op_reshape(x, -1) else x), ints = if (is.null(at)) 0 else at)
  if (keepdims) found <- if (is.null(at)) op_reshape(found, rep(1, rank_of(x))) else op_expand_dims(found, at + 1)
  from_one(found, zero_indexed, fun)
}

#' Positions that the engine counts from 0, counted from 1 unless they shall not be.
#' @noRd
from_one <- function(positions, zero_indexed, fun = calling_function()) {
  if (check_flag(zero_indexed, fun = fun)) positions else op_add(positions, 1L)
}

#' Positions that are counted from 1, counted from 0 for the engine; negative ones stay, as in keras3.
#' @noRd
to_zero <- function(positions, zero_indexed = FALSE, fun = calling_function()) {
  positions <- tensor(positions, "int32")
  if (check_flag(zero_indexed, fun = fun)) return(positions)
  op_where(op_greater(positions, 0L), op_subtract(positions, 1L), positions)
}

#' Cumulative sum and product
#'
#' \eqn{y_i = x_1 + \ldots + x_i}{y[i] = x[1] + ... + x[i]} along an axis, and
#' \eqn{y_i = x_1 \cdots x_i}{y[i] = x[1] ... x[i]}. The gradient of a product does not divide by `x`, which may be 0.
#'
#' @param x a tensor or array.
#' @param axis one axis, 1-based, negative from the end; `NULL` for all of `x` as one row.
#' @param dtype as for [tensor()]: numbers are cast to it first; `NULL` for that of `x`.
#' @param exclusive leave out \eqn{x_i}{x[i]} itself, so that the first is 0, or 1 for a product?
#' @param reverse from the end back?
#' @return A tensor of the shape and dtype of `x`.
#' @section Errors: `nativenet_error_value` where one of the results is beyond the whole numbers of its dtype.
#' @seealso [op_sum()], [op_sort()]
#' @examples
#' as.array(op_cumsum(1:4)) # 1 3 6 10
#' as.array(op_cumsum(1:4, exclusive = TRUE)) # 0 1 3 6
#' as.array(op_cumprod(1:4, reverse = TRUE)) # 24 24 12 4
#' @export
op_cumsum <- function(x, axis = NULL, dtype = NULL, exclusive = FALSE, reverse = FALSE)
  running("cumsum", x, axis, exclusive, reverse, 0, dtype)

#' @rdname op_cumsum
#' @export
op_cumprod <- function(x, axis = NULL, dtype = NULL, exclusive = FALSE, reverse = FALSE)
  running("cumprod", x, axis, exclusive, reverse, 1, dtype)

running <- function(op, x, axis, exclusive, reverse, first = NULL, dtype = NULL, fun = calling_function()) {
  x <- as_value(tensor(x))
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  at <- check_one_axis(axis, rank_of(x), fun = fun)
  if (!is.null(dtype)) x <- op_cast(x, dtype)
  exclusive <- check_flag(exclusive, fun = fun)
  if (check_flag(reverse, fun = fun)) x <- op_reverse(x, at + 1)
  y <- apply_op(op, list(if (exclusive) shifted(x, at + 1, first) else x), ints = at)
  if (reverse) op_reverse(y, at + 1) else y
}

#' One place further along an axis, with `value` in the first.
#' @noRd
shifted <- function(x, axis, value) {
  rank <- rank_of(x)
  padded <- op_pad(x, cbind(replace(integer(rank), axis, 1), 0), constant_values = value)
  op_slice(padded, rep(1, rank), replace(rep(-1, rank), axis, shape_of(x)[axis]))
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
#' Divides by the Euclidean norm along axes:
#' \deqn{y = \frac{x}{\sqrt{\max\left(\sum_i x_i^2, \epsilon\right)}}}{y = x / sqrt(max(sum(x^2), epsilon))}
#'
#' @param x a float tensor or array.
#' @param axis axes along which the norm is taken, 1-based, negative from the end; `NULL` for all.
#' @param epsilon a small number that keeps zeros from being divided by zero.
#' @return A tensor of the same shape.
#' @seealso [normalize()] for R arrays
#' @examples
#' as.array(op_l2_normalize(matrix(c(3, 0, 4, 2), 2), axis = 2))
#' @export
op_l2_normalize <- function(x, axis = NULL, epsilon = 1e-12) {
  x <- floats_of(as_floats(x))
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
  xs <- lapply(xs, function(x) floats_of(as_floats(x)))
  op_cast(op_sqrt(Reduce(op_add, lapply(xs, square_sum))), tensor_dtype(xs[[1]]))
}

square_sum <- function(x, axis = NULL, keepdims = FALSE, fun = "op_sum") {
  reduce_op("sum", op_square(op_cast(x, "float64")), axis, keepdims, fun)
}

#' 0-based axes as op_*() take them.
#' @noRd
from_zero <- function(axis) {
  numbers <- plain_numbers(axis)
  if (are_numbers(numbers)) numbers + (numbers >= 0) else axis # refused by the op
}

#' Means and norms are of floats.
#' @noRd
floats_of <- function(x) if (startsWith(tensor_dtype(tensor(x)), "float")) x else op_cast(x, session$floatx)

#' The same as a tensor, even of R's numbers.
#' @noRd
float_tensor <- function(x) tensor(floats_of(x))
