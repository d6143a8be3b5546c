# Derivatives of decompositions and linear equations, made of ops. Sources: Giles (2008), "An extended collection of
# matrix derivative results"; Walter and Lehmann (2018), of QR; Townsend (2016), of SVD.

product <- function(..., turn = FALSE) op_matmul(..., transpose_x = turn)
product_turned <- function(x, y) op_matmul(x, y, transpose_y = TRUE)
less_turned <- function(x) x - op_matrix_transpose(x)

#' 1 / x, and 0 where x is 0.
#' @noRd
safe_reciprocal <- function(x) {
  zero <- op_equal(x, 0)
  op_where(zero, 0, 1 / op_where(zero, 1, x))
}

#' Matrices of a_j - a_i.
#' @noRd
differences <- function(a) op_expand_dims(a, -2) - op_expand_dims(a, -1)

#' a y = b, by the op itself: `again(b, adjoint)` solves once more, `part` is what of a is read.
#' @noRd
solve_rule <- function(again, part) function(n) {
  adjoint <- utils::tail(n$ints, 1) != 0
  db <- again(n, n$dy, !adjoint)
  list(if (n$wanted[1]) part(-if (adjoint) product_turned(n$output, db) else product_turned(db, n$output), n), db)
}

cholesky_rule <- function(n) {
  l <- n$output
  middle <- op_band_part(product(l, n$dy, turn = TRUE), -1, 0)
  middle <- op_where(diag_number(utils::tail(shape_of(l), 2), "x") == 0, middle * 0.5, middle)
  left <- op_triangular_solve(l, middle, adjoint = TRUE) # L^-T middle
  g <- op_matrix_transpose(op_triangular_solve(l, op_matrix_transpose(left), adjoint = TRUE)) # times L^-1
  list((g + op_matrix_transpose(g)) * 0.5)
}

det_rule <- function(n) {
  towards <- list(if (!is.null(n$upstream[[1]])) n$upstream[[1]] * n$outputs[[1]], n$upstream[[3]])
  towards <- Filter(Negate(is.null), towards)
  if (!length(towards)) return(list(op_zeros_like(n$inputs[[1]])))
  scale <- op_expand_dims(op_expand_dims(Reduce(op_add, towards), -1), -1)
  list(inverse_of(n$inputs[[1]], adjoint = TRUE) * scale)
}

upstream_or_zero <- function(n, k) if (is.null(n$upstream[[k]])) op_zeros_like(n$outputs[[k]]) else n$upstream[[k]]

qr_rule <- function(n) {
  q <- n$outputs[[1]]
  r <- n$outputs[[2]]
  dq <- upstream_or_zero(n, 1)
  dr <- upstream_or_zero(n, 2)
  sizes <- utils::tail(shape_of(n$inputs[[1]]), 2)
  rows <- sizes[1]
  columns <- sizes[2]
  if (n$ints[1] && rows > columns) abort("there is no gradient of `op_qr(mode = \"complete\")` for matrices taller ",
    "than wide", fun = "op_qr")
  per_right <- function(x, r) op_matrix_transpose(op_triangular_solve(r, op_matrix_transpose(x), lower = FALSE))
  square <- function(r, dq, dr) {
    qdq <- product(q, dq, turn = TRUE)
    lower <- op_band_part(less_turned(qdq) + less_turned(product_turned(r, dr)), -1, 0)
    product(q, dr + per_right(lower, r)) + per_right(dq - product(q, qdq), r)
  }
  if (rows >= columns) return(list(square(r, dq, dr)))
  lead <- rep(1, rank_of(r) - 2)
  from <- function(x, at, size) op_slice(x, c(lead, 1, at), c(-lead, -1, size))
  right <- from(n$inputs[[1]], rows + 1, columns - rows)
  dright <- from(dr, rows + 1, columns - rows)
  left <- square(from(r, 1, rows), dq + product_turned(right, dright), from(dr, 1, rows))
  list(op_concat(list(left, product(q, dright))))
}

#' The lower triangle alone is read: what comes to a number and to its image above adds up there.
#' @noRd
to_lower <- function(g) {
  above <- diag_number(utils::tail(shape_of(g), 2), "x")
  op_where(above < 0, g + op_matrix_transpose(g), op_where(above == 0, g, 0))
}

eigh_rule <- function(n) {
  e <- n$outputs[[1]]
  v <- n$outputs[[2]]
  middle <- op_matrix_diag(upstream_or_zero(n, 1))
  if (!is.null(n$upstream[[2]])) middle <- middle + safe_reciprocal(differences(e)) * product(v, n$upstream[[2]],
    turn = TRUE)
  list(to_lower(product_turned(product(v, middle), v)))
}

svd_rule <- function(n) {
  s <- n$outputs[[1]]
  k <- utils::tail(shape_of(s), 1)
  sizes <- utils::tail(shape_of(n$inputs[[1]]), 2)
  vectors <- !all_null(n$upstream[-1])
  if (vectors && n$ints[1] && sizes[1] != sizes[2]) abort("there is no gradient of the vectors of ",
    "`op_svd(full_matrices = TRUE)` for matrices that are not square", fun = "op_svd")
  lead <- rep(1, rank_of(s) - 1)
  first <- function(x) if (n$ints[1]) op_slice(x, c(lead, 1, 1), c(-lead, -1, k)) else x
  u <- first(n$outputs[[2]])
  v <- first(n$outputs[[3]])
  middle <- op_matrix_diag(upstream_or_zero(n, 1))
  if (!vectors) return(list(product_turned(product(u, middle), v)))
  du <- n$upstream[[2]]
  dv <- n$upstream[[3]]
  by_column <- op_expand_dims(s, -2)
  by_row <- op_expand_dims(s, -1)
  apart <- safe_reciprocal(differences(op_square(s)))
  udu <- if (!is.null(du)) product(u, du, turn = TRUE)
  vdv <- if (!is.null(dv)) product(v, dv, turn = TRUE)
  if (!is.null(du)) middle <- middle + less_turned(udu) * apart * by_column
  if (!is.null(dv)) middle <- middle + less_turned(vdv) * apart * by_row
  g <- product_turned(product(u, middle), v)
  if (!is.null(du) && sizes[1] > k) g <- g + product_turned((du - product(u, udu)) * safe_reciprocal(by_column), v)
  if (!is.null(dv) && sizes[2] > k) g <- g + product_turned(u, (dv - product(v, vdv)) * safe_reciprocal(by_column))
  list(g)
}
