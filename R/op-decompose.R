# Decompositions of matrices, and what follows from them. LAPACK makes them, in double; their derivatives are made of
# ops, see R/derivative-linalg.R.

#' Solve linear equations
#'
#' `op_solve()` gives X with \eqn{A X = B}{A X = B} for square matrices A, `op_triangular_solve()` for triangular ones,
#' of which it reads that triangle alone; `op_inverse()` gives the inverse. `op_lstsq()` gives the X with the least
#' \eqn{|A X - B|^2 + \lambda |X|^2}{|A X - B|^2 + lambda |X|^2}, for A of any shape, and `op_pinv()` the pseudo-inverse
#' of Moore and Penrose. The equations stand in the last two axes; those before are batches and broadcast.
#'
#' @param a,x float tensors or arrays, (..., n, n); for `op_lstsq()` and `op_pinv()` (..., m, n).
#' @param b a float tensor or array, (..., n, k); for `op_lstsq()` (..., m, k).
#' @param adjoint transpose the matrices first?
#' @param lower is the lower triangle read, or the upper one?
#' @param l2_regularizer a number, \eqn{\lambda}{lambda}.
#' @param fast by the normal equations, whose digits are half as many; or by singular values, with the shortest X where
#'   there are several (without `l2_regularizer`)?
#' @param rcond for `op_pinv()`, and `op_lstsq()` unless `fast`: singular values below this part of the
#'   largest count as zero; `NULL` for 10 max(m, n) times the precision of the dtype.
#' @return A tensor.
#' @section Errors: `nativenet_error_value` if a matrix is not invertible: if it is singular but for rounding (the
#'   condition number passes 4.5e15), or has NaN or Inf. `nativenet_error_shape` if the shapes do not fit.
#' @seealso [op_cholesky()], [op_det()], [op_matmul()]
#' @examples
#' a <- matrix(c(2, 1, 1, 3), 2)
#' as.array(op_solve(a, matrix(c(1, 2), 2)))
#' as.array(op_inverse(a))
#' as.array(op_lstsq(cbind(1, 1:4), matrix(c(1, 3, 5, 7)))) # -1 2
#' try(op_inverse(matrix(1, 2, 2)))
#' @export
op_solve <- function(a, b, adjoint = FALSE) apply_op("solve", same_batch(a, b), ints = check_flag(adjoint))

#' @rdname op_solve
#' @export
op_triangular_solve <- function(a, b, lower = TRUE, adjoint = FALSE) {
  apply_op("triangular_solve", same_batch(a, b), ints = c(check_flag(lower), check_flag(adjoint)))
}

#' @rdname op_solve
#' @export
op_inverse <- function(x, adjoint = FALSE) inverse_of(x, check_flag(adjoint))

inverse_of <- function(x, adjoint = FALSE) {
  x <- as_floats(x)
  check_matrices(shape_of(x), user_function())
  apply_op("solve", list(x, identity_like(x)), ints = adjoint)
}

#' @rdname op_solve
#' @export
op_lstsq <- function(a, b, rcond = NULL, l2_regularizer = 0, fast = FALSE) {
  lambda <- check_number(l2_regularizer, min = 0)
  if (!is.null(rcond)) rcond <- check_number(rcond, min = 0)
  if (rank_of(b) == 1) return(op_squeeze(op_lstsq(a, op_expand_dims(b, -1), rcond, lambda, fast), -1))
  both <- same_batch(a, b)
  sizes <- shape_of(both[[1]])
  rank <- length(sizes)
  if (!check_flag(fast)) {
    if (lambda) abort("`l2_regularizer` must be 0 where `fast` is FALSE")
    return(op_matmul(op_pinv(both[[1]], rcond), both[[2]]))
  }
  wide <- sizes[rank - 1] < sizes[rank]
  gram <- op_matmul(both[[1]], both[[1]], transpose_x = !wide, transpose_y = wide)
  if (lambda) gram <- gram + identity_like(gram) * lambda
  solved <- function(b) cholesky_solve(op_cholesky(gram), b)
  if (wide) op_matmul(both[[1]], solved(both[[2]]), transpose_x = TRUE) else
    solved(op_matmul(both[[1]], both[[2]], transpose_x = TRUE))
}

#' @rdname op_solve
#' @export
op_pinv <- function(x, rcond = NULL) {
  x <- as_floats(x)
  parts <- svd_of(x)
  if (is.null(rcond)) rcond <- 10 * rounding_of(x)
  small <- op_less_equal(parts$s, op_max(parts$s, -1, keepdims = TRUE) * check_number(rcond, min = 0))
  inverse <- op_where(small, 0, 1 / op_where(small, 1, parts$s))
  op_matmul(parts$v * op_expand_dims(inverse, -2), parts$u, transpose_y = TRUE)
}

#' What counts as noise beside 1 in the decompositions of x.
#' @noRd
rounding_of <- function(x) max(utils::tail(shape_of(x), 2)) * float_limits[[tensor_dtype(x)]]$eps

#' How many singular values are no noise, or above `tol`?
#' @noRd
rank_of_matrices <- function(x, tol = NULL) {
  x <- as_floats(x)
  s <- svd_of(x, compute_uv = FALSE)
  least <- if (is.null(tol)) op_max(s, -1, keepdims = TRUE) * rounding_of(x) else check_number(tol, min = 0)
  op_sum(op_cast(op_greater(s, least), "int32"), -1)
}

#' A and B with the same axes before the last two, repeated where they lack some.
#' @noRd
same_batch <- function(a, b) {
  both <- as_one_dtype(list(a, b))
  for (x in both) check_matrices(shape_of(x), user_function())
  ranks <- vapply(both, rank_of, 0L)
  lead <- function(k) shape_of(both[[k]])[c(1, seq_len(ranks[k] - 2))] # two numbers at least: see size_at()
  if (all(ranks == 2) || same_sizes(lead(1), lead(2))) return(both)
  none <- lapply(both, function(x) op_zeros_like(op_sum(x, c(-2, -1), keepdims = TRUE)))
  list(both[[1]] + none[[2]], both[[2]] + none[[1]])
}

#' Ones on the diagonal of matrices of the shape of x.
#' @noRd
identity_like <- function(x) op_where(diag_number(utils::tail(shape_of(x), 2), "x") == 0, op_ones_like(x), 0)

#' (L L') X = B
#' @noRd
cholesky_solve <- function(l, b) op_triangular_solve(l, op_triangular_solve(l, b), adjoint = TRUE)

#' Decompositions of matrices
#'
#' Of each matrix in the last two axes; those before are batches.
#'
#' * `op_cholesky()`: the lower triangle L with \eqn{L L' = A}{L L' = A}, for symmetric positive definite A, of which
#'   the lower triangle is read.
#' * `op_qr()`: \eqn{A = Q R}{A = Q R}, with orthonormal columns in Q and an upper triangle R.
#' * `op_svd()`: \eqn{A = U \mathrm{diag}(s) V'}{A = U diag(s) V'}, singular values from the largest down.
#' * `op_eigh()`: \eqn{A = V \mathrm{diag}(e) V'}{A = V diag(e) V'} for symmetric A, of which the lower triangle is
#'   read; eigenvalues from the least up, eigenvectors in the columns of V.
#'
#' @section Gradients: of any order. Signs of vectors are free, so a gradient has a meaning only where the result does
#'   not depend on them; and so it is with vectors of equal singular or eigenvalues, which count as having no part in
#'   each other's gradient. `op_svd()` with `full_matrices` has the gradient of `s` alone unless matrices are square,
#'   a complete `op_qr()` none unless they are no taller than wide.
#' @param x a float tensor or array, (..., m, n).
#' @param full_matrices square U and V, or as many columns as the smaller of m and n?
#' @param mode `"complete"` for a square Q, `"reduced"` for as many columns as the smaller of m and n.
#' @param compute_uv give U and V?
#' @return `op_cholesky()`: a tensor. The others: a list of tensors: `q`, `r`; `u`, `s`, `vh`, which is V'
#'   (`op_svd(compute_uv =
#'   FALSE)`: the tensor of singular values); `values`, `vectors`.
#' @section Errors: `nativenet_error_value` if a matrix is not positive definite, has NaN or Inf.
#'   `nativenet_error_shape` if matrices must be square and are not.
#' @references Giles (2008), derivatives of matrix functions, <https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf>.
#' @seealso [op_solve()], [op_det()]
#' @examples
#' a <- matrix(c(2, 1, 1, 3), 2)
#' as.array(op_cholesky(a))
#' as.array(op_eigh(a)$values)
#' as.array(op_svd(matrix(1:6 / 2, 2))$s)
#' @export
op_cholesky <- function(x) apply_op("cholesky", list(x))

#' @rdname op_cholesky
#' @export
op_qr <- function(x, mode = "reduced") {
  full <- check_choice(mode, c("reduced", "complete")) == "complete"
  stats::setNames(apply_op("qr", list(x), ints = full), c("q", "r"))
}

#' @rdname op_cholesky
#' @export
op_svd <- function(x, full_matrices = TRUE, compute_uv = TRUE) {
  parts <- svd_of(x, check_flag(full_matrices), check_flag(compute_uv))
  if (compute_uv) list(u = parts$u, s = parts$s, vh = op_matrix_transpose(parts$v)) else parts
}

#' With V in columns, as in R and TensorFlow.
#' @noRd
svd_of <- function(x, full_matrices = FALSE, compute_uv = TRUE) {
  parts <- apply_op("svd", list(x), ints = check_flag(full_matrices))
  if (check_flag(compute_uv)) stats::setNames(parts, c("s", "u", "v")) else parts[[1]]
}

#' @rdname op_cholesky
#' @export
op_eigh <- function(x) stats::setNames(apply_op("eigh", list(x)), c("values", "vectors"))

#' Determinants
#'
#' `op_det()` gives the determinant of each matrix in the last two axes, `op_slogdet()` its sign and the logarithm of
#' its absolute value, which do not overflow. Singular matrices have the determinant 0, and then no gradient: asking for
#' it is an error.
#'
#' @param x a float tensor or array, (..., n, n).
#' @return A tensor of the leading axes; of `op_slogdet()` a list of two, `sign` and `log_abs_determinant`.
#' @section Errors: `nativenet_error_shape` if matrices are not square, `nativenet_error_value` for NaN and Inf.
#' @seealso [op_solve()], [op_cholesky()]
#' @examples
#' as.array(op_det(matrix(c(2, 1, 1, 3), 2))) # 5
#' as.array(op_slogdet(diag(3) * 1e-200)$log_abs_determinant)
#' @export
op_det <- function(x) apply_op("det", list(x))[[1]]

#' @rdname op_det
#' @export
op_slogdet <- function(x) stats::setNames(apply_op("det", list(x))[-1], c("sign", "log_abs_determinant"))

#' I + A + A^2 / 2! + A^3 / 3! + ..., by Pade's approximation of degree 13 with scaling and squaring: Higham (2005),
#' doi 10.1137/04061101X.
#' @noRd
matrix_exponential <- function(x) {
  check_not_tracing("the number of squarings depends on the numbers")
  x <- as_floats(x)
  check_matrices(shape_of(x), calling_function())
  size <- max(0, as.array(op_max(op_sum(op_abs(x), -2))))
  if (!is.finite(size)) abort("`x` must have finite numbers")
  squarings <- max(0, ceiling(log2(size / 5.4)))
  a <- x / 2^squarings
  b <- c(64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1) / 64764752532480000
  one <- identity_like(a)
  a2 <- op_matmul(a, a)
  a4 <- op_matmul(a2, a2)
  a6 <- op_matmul(a4, a2)
  series <- function(k) a6 * b[k + 6] + a4 * b[k + 4] + a2 * b[k + 2] + one * b[k]
  high <- function(k) op_matmul(a6, a6 * b[k + 12] + a4 * b[k + 10] + a2 * b[k + 8])
  odd <- op_matmul(a, high(2) + series(2))
  even <- high(1) + series(1)
  y <- op_solve(even - odd, even + odd)
  for (i in seq_len(squarings)) y <- op_matmul(y, y)
  y
}

#' Factors of square matrices
#'
#' The LU decomposition with row pivots: x with the rows swapped is the product of a lower triangular matrix with ones
#' on its diagonal and an upper one. R computes it, so that it has no gradient and cannot be part of a traced
#' function; see [op_solve()] and [op_det()] for what it is used for.
#'
#' @param x a float tensor or array, (..., n, n).
#' @return A list of two tensors: both triangles in one matrix, (..., n, n), and of int32 with which row, counted from
#'   0, each row was swapped in turn, (..., n), as LAPACK's `getrf` has them.
#' @section Errors: `nativenet_error_shape` for matrices that are not square.
#' @seealso [op_qr()], [op_cholesky()]
#' @examples
#' op_lu_factor(matrix(c(1, 3, 2, 4), 2))
#' @export
op_lu_factor <- function(x) {
  x <- as_floats(x)
  check_not_tracing("it factors matrices in R")
  sizes <- shape_of(x)
  rank <- length(sizes)
  if (rank < 2 || sizes[rank] != sizes[rank - 1]) abort("`x` must hold square matrices, not have the shape ",
    format_shape(sizes), class = "shape")
  n <- sizes[rank]
  # as lines of a matrix, each row by row
  lines <- t(as.array(op_reshape(x, c(-1, n * n))))
  found <- apply(lines, 2, function(line) lu_of(matrix(line, n, byrow = TRUE)), simplify = FALSE)
  rows <- function(part, width) array(t(matrix(vapply(found, part, numeric(width)), width)), c(length(found), width))
  list(op_reshape(tensor(rows(function(f) c(t(f$lu)), n * n), tensor_dtype(x)), sizes),
    op_reshape(tensor(rows(function(f) f$pivots, n), "int32"), sizes[-rank]))
}

lu_of <- function(a) {
  n <- nrow(a)
  pivots <- numeric(n)
  for (k in seq_len(n)) {
    p <- k - 1 + which.max(abs(a[k:n, k]))
    if (!length(p)) p <- k
    pivots[k] <- p - 1
    a[c(k, p), ] <- a[c(p, k), ]
    below <- seq_len(n - k) + k
    if (length(below) && isTRUE(a[k, k] != 0)) {
      a[below, k] <- a[below, k] / a[k, k]
      a[below, below] <- a[below, below] - outer(a[below, k], a[k, below])
    }
  }
  list(lu = a, pivots = pivots)
}
