# Matrices, which stand in the last two axes: their parts, norms and what else is made of other ops. Decompositions are
# in op-decompose.R.

#' Diagonals and triangles of matrices
#'
#' `op_diag()` makes a matrix of a vector and takes the diagonal of a matrix, as in keras3; `op_diagonal()` takes that
#' of matrices in two axes, `op_trace()` is its sum.
#'
#' `op_diag_part()` takes the diagonal of each matrix in the last two axes, `op_matrix_diag()` makes matrices with a
#' diagonal
#' and zeros beside it, `op_set_diag()` puts a diagonal into matrices.
#' `op_band_part()` keeps so many diagonals below and above the main one and puts zeros elsewhere:
#' `op_band_part(x, -1, 0)` is the lower triangle.
#'
#' @param x a tensor or array; its last two axes are the rows and columns of matrices, those before are batches. For
#'   `op_matrix_diag()` its last axis is the diagonal.
#' @param k,offset which diagonal: 0 for the main one, 1 for the one above, -1 for the one below, and so on.
#' @param axis1,axis2 the axes of rows and columns, 1-based, negative from the end.
#' @param diagonal a tensor or array, whose last axis is the new diagonal.
#' @param lower,upper how many diagonals to keep below and above the main one; -1 for all.
#' @return A tensor of the dtype of `x`.
#' @section Errors: `nativenet_error_shape` if `x` has too few axes, or the diagonal another size.
#' @seealso [op_matmul()], [op_cholesky()]
#' @examples
#' x <- matrix(1:9, 3)
#' as.array(op_diag_part(x)) # 1 5 9
#' as.array(op_matrix_diag(c(1, 2), k = 1))
#' as.array(op_band_part(x, -1, 0)) # the lower triangle
#' as.array(op_trace(x)) # 15
#' @export
op_diag_part <- function(x, k = 0) diag_part(x, k)

#' Gathered, not multiplied by zeros, which leave a NaN beside the diagonal.
#' @noRd
diag_part <- function(x, k = 0, fun = calling_function()) {
  x <- tensor(x)
  sizes <- shape_of(x)
  rank <- check_matrices(sizes, fun)
  on <- diag_place(sizes[rank - 1:0], k, fun)
  flat <- reshape_to(x, c(open_shape(x)[seq_len(rank - 2)], prod(sizes[rank - 1:0])))
  op_gather(flat, array((on$row + seq_len(on$n) - 1) * sizes[rank] + on$column + seq_len(on$n) - 1), max(rank - 1, 1))
}

#' Where diagonal k of a matrix begins, counted from 0, and how many numbers it has.
#' @noRd
diag_place <- function(sizes, k, fun) {
  k <- check_number(k, arg = "k", fun = fun)
  if (k != 0 && (k != round(k) || k >= sizes[2] || k <= -sizes[1])) abort("`k` must be the number of a diagonal, ",
    1 - sizes[1], " .. ", sizes[2] - 1, ", not ", describe(k), fun = fun)
  row <- max(-k, 0)
  column <- max(k, 0)
  list(row = row, column = column, n = min(sizes[1] - row, sizes[2] - column))
}

#' For each place of a matrix, how far above the main diagonal it stands.
#' @noRd
diag_number <- function(sizes, arg) {
  check_room(sizes, arg)
  outer(seq_len(sizes[1]), seq_len(sizes[2]), function(i, j) j - i)
}

#' @rdname op_diag_part
#' @export
op_matrix_diag <- function(x, k = 0) {
  x <- as_value(tensor(x))
  rank <- rank_of(x)
  if (!rank) abort("`x` must have at least one axis, not be a scalar", class = "shape")
  k <- check_number(k)
  if (k != round(k)) abort("`k` must be a whole number, not ", describe(k))
  n <- shape_of(x)[rank] + abs(k)
  on_rows <- op_pad(x, rbind(matrix(0, rank - 1, 2), c(max(-k, 0), max(k, 0))))
  op_where(diag_number(c(n, n), "x") == k, op_expand_dims(on_rows, -1), 0)
}

#' @rdname op_diag_part
#' @export
op_set_diag <- function(x, diagonal, k = 0) {
  both <- as_one_dtype(list(x, diagonal))
  sizes <- shape_of(x)
  rank <- check_matrices(sizes, calling_function())
  sizes <- sizes[rank - 1:0]
  on <- diag_place(sizes, k, calling_function())
  own <- shape_of(diagonal)
  if (length(own) != rank - 1 || own[rank - 1] != on$n) abort("`diagonal` must have the shape of `x` with ",
    on$n, " in place of its last two axes, not ", format_shape(own), class = "shape")
  around <- c(on$row, sizes[1] - on$row - on$n)
  on_rows <- op_pad(both[[2]], rbind(matrix(0, rank - 2, 2), around))
  op_where(diag_number(sizes, "x") == k, op_expand_dims(on_rows, -1), both[[1]])
}

#' @rdname op_diag_part
#' @export
op_trace <- function(x, offset = 0, axis1 = 1, axis2 = 2) op_sum(op_diagonal(x, offset, axis1, axis2), -1)

#' @rdname op_diag_part
#' @export
op_diagonal <- function(x, offset = 0, axis1 = 1, axis2 = 2) {
  rank <- check_matrices(shape_of(x), calling_function())
  at <- c(check_one_axis(axis1, rank), check_one_axis(axis2, rank)) + 1
  if (at[1] == at[2]) abort("`axis1` and `axis2` must be two axes, not ", at[1], " both")
  rest <- setdiff(seq_len(rank), at)
  diag_part(if (identical(c(rest, at), seq_len(rank) + 0)) x else op_transpose(x, c(rest, at)), offset)
}

#' @rdname op_diag_part
#' @export
op_diag <- function(x, k = 0) {
  rank <- rank_of(x)
  if (!rank %in% 1:2) abort("`x` must have one axis or two, not shape ", format_shape(shape_of(x)), "; see ",
    "`op_matrix_diag()` and `op_diag_part()`", class = "shape")
  if (rank == 1) op_matrix_diag(x, k) else diag_part(x, k)
}

#' @rdname op_diag_part
#' @export
op_band_part <- function(x, lower, upper) {
  lower <- check_count(lower, min = -1)
  upper <- check_count(upper, min = -1)
  sizes <- shape_of(x)
  rank <- check_matrices(sizes, calling_function())
  above <- diag_number(sizes[rank - 1:0], "x")
  op_where((lower < 0 | -above <= lower) & (upper < 0 | above <= upper), x, 0)
}

#' Transpose matrices
#'
#' Swaps the last two axes.
#'
#' @param x a tensor or array with at least two axes.
#' @return A tensor.
#' @seealso [op_transpose()]
#' @examples
#' dim(op_matrix_transpose(array(0, c(2, 3, 4)))) # 2 4 3
#' @export
op_matrix_transpose <- function(x) {
  rank <- check_matrices(shape_of(x), calling_function())
  op_transpose(x, c(seq_len(rank - 2), rank, rank - 1))
}

check_matrices <- function(sizes, fun) {
  if (length(sizes) < 2) abort("needs at least two axes, not shape ", format_shape(sizes), class = "shape", fun = fun)
  length(sizes)
}

#' Norms
#'
#' Of vectors along one axis, of all numbers, or of matrices in two axes. With vectors x and matrices A:
#'
#' | `ord` | vector | matrix |
#' |---|---|---|
#' | `"euclidean"`, `"fro"` | the root of the sum of squares | the same |
#' | 2 | the same | the largest singular value |
#' | 1 | the sum of \eqn{|x_i|}{abs(x)} | the largest such sum of a column |
#' | `Inf` | the largest \eqn{|x_i|}{abs(x)} | the largest sum of a row |
#' | p > 0 | \eqn{(\sum_i |x_i|^p)^{1/p}}{sum(abs(x)^p)^(1/p)} | |
#'
#' @param x a float tensor or array.
#' @param ord see above.
#' @param axis the axis of the vectors, 1-based, negative from the end; two axes for the rows and the columns of
#'   matrices; or `NULL` for all numbers as one vector.
#' @param keepdims keep the reduced axes with size 1?
#' @return A tensor.
#' @seealso [op_l2_normalize()], [op_svd()]
#' @examples
#' as.array(op_norm(c(3, 4))) # 5
#' as.array(op_norm(matrix(c(3, 4, 0, 5), 2), 2, axis = c(1, 2)))
#' @export
op_norm <- function(x, ord = NULL, axis = NULL, keepdims = FALSE) {
  if (is.null(ord)) ord <- "euclidean"
  else if (is.null(axis) && rank_of(x) != 1) {
    if (rank_of(x) != 2) abort("`axis` must be given for a tensor of shape ", format_shape(shape_of(x)),
      class = "shape")
    axis <- c(1, 2)
  }
  norm_of(x, ord, axis, keepdims)
}

#' With an order and no axes, all numbers are one vector.
#' @noRd
norm_of <- function(x, ord, axis, keepdims, fun = calling_function()) {
  x <- floats_of(as_floats(x))
  p <- norm_order(ord)
  at <- if (!is.null(axis)) check_axis(axis, rank_of(x)) + 1
  if (length(at) > 2 || anyDuplicated(at)) abort("`axis` must be one axis, two or NULL, not ", describe(axis))
  check_flag(keepdims)
  if (length(at) == 2 && p == 2) {
    rest <- seq_len(rank_of(x))[-at]
    s <- op_max(svd_of(op_transpose(x, c(rest, at)), compute_uv = FALSE), -1)
    for (k in if (keepdims) sort(at)) s <- op_expand_dims(s, k)
    return(s)
  }
  if (p %in% c("root", 2)) return(euclidean_norm(x, axis, keepdims))
  sizes <- op_abs(x)
  if (length(at) == 2) {
    if (!p %in% c(1, Inf)) abort("`ord` must be \"euclidean\", \"fro\", 1, 2 or Inf for matrices, not ", describe(ord))
    if (p == Inf) at <- rev(at)
    largest <- op_max(op_sum(sizes, at[1], keepdims = TRUE), at[2], keepdims = TRUE)
    return(if (keepdims) largest else op_squeeze(largest, at))
  }
  if (p == 1) return(op_sum(sizes, axis, keepdims))
  if (p == Inf) return(op_max(sizes, axis, keepdims))
  # in parts of the largest, whose powers are finite
  most <- op_stop_gradient(op_max(sizes, axis, keepdims = TRUE))
  most <- op_where(op_equal(most, 0), 1, most)
  norm <- op_power(op_sum(op_power(op_divide(sizes, most), p), axis, keepdims), 1 / p)
  op_multiply(norm, if (keepdims) most else op_reshape(most, shape_of(norm)))
}

#' A number, or "root" for the root of the sum of squares.
#' @noRd
norm_order <- function(ord, fun = calling_function()) {
  if (is.character(ord)) {
    ord <- check_choice(ord, c("euclidean", "fro", "1", "2", "Inf"), fun = fun)
    return(if (ord %in% c("euclidean", "fro")) "root" else as.numeric(ord))
  }
  if (identical(ord, Inf)) ord else check_number(ord, above = 0, fun = fun)
}
