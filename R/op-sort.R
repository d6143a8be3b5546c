# The order of numbers along an axis. The engine finds it (argsort); what is sorted is then gathered, so that its
# derivatives are those of a gather.

#' Sort along an axis
#'
#' `op_argsort()` gives the **0-based** positions of the numbers along an axis in increasing or decreasing order,
#' `op_sort()` the numbers, `op_top_k()` the `k` largest of each row of the last axis. Equal numbers keep their order,
#' NaN come last. Positions have no gradient; that of sorted numbers goes where they came from.
#'
#' `op_take_along()` takes numbers at positions along an axis:
#' \eqn{y_{..j..} = x_{..i_{..j..}..}}{y[.., j, ..] = x[.., indices[.., j, ..], ..]}, so that
#' `op_take_along(x, op_argsort(x))` is sorted.
#'
#' @param x a tensor or array of numbers.
#' @param axis one axis, 1-based, negative from the end.
#' @param decreasing the largest first?
#' @param k how many.
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
op_sort <- function(x, axis = -1, decreasing = FALSE) op_take_along(x, op_argsort(x, axis, decreasing), axis)

#' @rdname op_sort
#' @export
op_argsort <- function(x, axis = -1, decreasing = FALSE) {
  apply_op("argsort", list(x), ints = c(check_one_axis(axis, rank_of(x)), check_flag(decreasing)))
}

#' @rdname op_sort
#' @export
op_top_k <- function(x, k = 1) {
  x <- as_value(tensor(x))
  rank <- rank_of(x)
  if (!rank) abort("`x` must have at least one axis, not be a scalar", class = "shape")
  n <- shape_of(x)[rank]
  k <- check_count(k, min = 0, max = if (is.na(n)) Inf else n)
  indices <- op_slice(op_argsort(x, decreasing = TRUE), rep(1, rank), c(rep(-1, rank - 1), k))
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
