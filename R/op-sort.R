# The order of numbers along an axis. The engine finds it (argsort); what is sorted is then gathered, so that its
# derivatives are those of a gather.

#' Sort along an axis
#'
#' `op_argsort()` gives the positions of the numbers along an axis in increasing or decreasing order,
#' `op_sort()` the numbers, `op_top_k()` the `k` largest of each row of the last axis. Equal numbers keep their order,
#' NaN come last. Positions count from 1, as in R and keras3, or from 0 with `zero_indexed`. They have no gradient;
#' that of
#' sorted numbers goes where they came from.
#'
#' `op_take_along()` takes numbers at positions along an axis:
#' \eqn{y_{..j..} = x_{..i_{..j..}..}}{y[.., j, ..] = x[.., indices[.., j, ..], ..]}, so that
#' `op_take_along(x, op_argsort(x, zero_indexed = TRUE))` is sorted.
#'
#' @param x a tensor or array of numbers.
#' @param axis one axis, 1-based, negative from the end.
#' @param decreasing the largest first?
#' @param zero_indexed do positions count from 0, or from 1?
#' @param k how many.
#' @param sorted has no effect: the largest always come first.
#' @param indices whole numbers, **0-based**, of the shape of `x`; along `axis` there may be more or fewer.
#' @return A tensor of the shape of `x`, or of that of `indices`, for `op_argsort()` of int32; `op_top_k()` gives a list
#'   of `values` and `indices`.
#' @section Errors: `nativenet_error_value` for an axis that is not there or too large a `k`;
#'   `nativenet_error_index` for a position that is not there.
#' @seealso [op_argmax()], [op_gather()]; `tf$sort()`, `tf$argsort()`, `tf$math$top_k()`.
#' @examples
#' x <- matrix(c(3, 1, 2, 9, 9, 4), 2, byrow = TRUE)
#' as.array(op_sort(x))
#' as.array(op_argsort(x, decreasing = TRUE))
#' op_top_k(x, 2)$values
#' as.array(op_take_along(x, matrix(c(2, 0), 2)))
#' @export
op_sort <- function(x, axis = -1, decreasing = FALSE) op_take_along(x, order_along(x, axis, decreasing), axis)

#' @rdname op_sort
#' @export
op_argsort <- function(x, axis = -1, zero_indexed = FALSE, decreasing = FALSE) {
  from_one(if (is.null(axis)) order_along(op_reshape(x, -1), 1, decreasing) else order_along(x, axis, decreasing),
    zero_indexed)
}

#' 0-based.
#' @noRd
order_along <- function(x, axis, decreasing = FALSE, fun = calling_function()) {
  apply_op("argsort", list(x), ints = c(check_one_axis(axis, rank_of(x), fun = fun), check_flag(decreasing, fun = fun)))
}

#' @rdname op_sort
#' @export
op_top_k <- function(x, k = 1, sorted = TRUE, zero_indexed = FALSE) {
  check_flag(sorted)
  parts <- largest_of(x, k)
  parts$indices <- from_one(parts$indices, zero_indexed)
  parts
}

#' The `k` largest of each row, and their 0-based places.
#' @noRd
largest_of <- function(x, k, fun = calling_function()) {
  x <- as_value(tensor(x))
  rank <- rank_of(x)
  if (!rank) abort("`x` must have at least one axis, not be a scalar", class = "shape", fun = fun)
  n <- shape_of(x)[rank]
  k <- check_count(k, min = 0, max = if (is.na(n)) Inf else n, fun = fun)
  indices <- op_slice(order_along(x, -1, TRUE), rep(1, rank), c(rep(-1, rank - 1), k))
  list(values = op_take_along(x, indices), indices = indices)
}

#' @rdname op_sort
#' @export
op_take_along <- function(x, indices, axis = -1) {
  x <- as_value(tensor(x))
  indices <- tensor(indices, "int32")
  rank <- rank_of(x)
  at <- check_one_axis(axis, rank) + 1
  if (rank_of(indices) != rank || !same_sizes(shape_of(indices)[-at], shape_of(x)[-at])) {
    abort("`indices` must have the shape of `x`, ", format_shape(dim(x)), ", but along axis ", at, ", not ",
      format_shape(dim(indices)), class = "shape")
  }
  if (rank == 1) return(op_gather(x, indices))
  n <- shape_of(x)[at]
  wanted <- shape_of(indices)[at]
  if (wanted == 0) return(op_slice(x, rep(1, rank), replace(rep(-1, rank), at, 0)))
  # x as rows, one after the other; the positions in it, each checked within its row
  last <- c(seq_len(rank)[-at], at)
  rows <- op_transpose(op_gather(tensor(seq_len(n) - 1L, "int32"), indices), last)
  from <- op_reshape(rows, c(-1, wanted))
  row <- op_cumsum(op_ones_like(op_gather(from, array(0L, 1), 2)), 1)
  found <- op_gather(op_reshape(op_transpose(x, last), -1), op_add(from, op_multiply(op_subtract(row, 1L), n)))
  op_transpose(reshape_to(found, open_shape(rows)), order(last))
}
