# Names of keras3 for ops of matrices, transforms and windows.

#' Matrices under their names in keras3
#'
#' `op_inv()` is [op_inverse()], `op_logdet()` the logarithm of the absolute value of the determinant,
#' `op_solve_triangular()` is [op_triangular_solve()], by the upper triangle unless `lower` is TRUE.
#'
#' @param x,a,b float tensors or arrays, as for [op_solve()].
#' @param lower is the lower triangle read, or the upper one?
#' @return A tensor.
#' @seealso [op_solve()], [op_det()]
#' @examples
#' as.array(op_inv(matrix(c(2, 0, 0, 4), 2)))
#' as.array(op_logdet(diag(2) * 3)) # 2 log(3)
#' @export
op_inv <- function(x) inverse_of(x)

#' @rdname op_inv
#' @export
op_logdet <- function(x) op_slogdet(x)[[2]]

#' @rdname op_inv
#' @export
op_solve_triangular <- function(a, b, lower = FALSE) op_triangular_solve(a, b, check_flag(lower))

#' Inverse error function
#'
#' The x with erf(x) = p, element by element, by Newton's method. Infinite at -1 and 1.
#'
#' @param x a float tensor or array with numbers from -1 to 1.
#' @return A tensor.
#' @references Winitzki (2008), a handy approximation for the error function and its inverse.
#' @seealso [op_erf()]
#' @examples
#' as.array(op_erfinv(c(-0.5, 0, 0.3)))
#' @export
op_erfinv <- function(x) {
  x <- as_floats(x)
  inside <- op_less(op_abs(x), 1)
  p <- op_where(inside, x, 0)
  # 2 / (pi a) + log(1 - p^2) / 2, with a = 0.147
  l <- op_multiply(op_add(op_log1p(p), op_log1p(op_negative(p))), 0.5)
  h <- op_add(l, 2 / (pi * 0.147))
  first <- op_sqrt(op_maximum(op_subtract(op_sqrt(op_maximum(op_subtract(op_square(h), op_multiply(l, 2 / 0.147)),
    0)), h),
    1e-30))
  y <- op_stop_gradient(op_multiply(op_sign(p), first))
  for (i in 1:4) { # Halley: the second derivative of erf is -2 y times the first
    step <- op_multiply(op_multiply(op_subtract(op_erf(y), p), op_exp(op_square(y))), sqrt(pi) / 2)
    y <- op_subtract(y, op_divide(step, op_add(op_multiply(y, step), 1)))
  }
  op_where(inside, y, op_where(op_equal(x, 1), Inf, op_where(op_equal(x, -1), -Inf, NaN)))
}

#' Fourier transforms
#'
#' Of the last axis, or the last two (`op_fft2()`, `op_ifft2()`), as in R's keras3: complex numbers are lists of their
#' real and imaginary parts. They are made by matrix products, so they are for short axes.
#'
#' @param x a list of two float tensors, real and imaginary parts; for `op_rfft()` a float tensor.
#' @param fft_length a whole number: the axis is cut or filled with zeros to this length; `NULL` for what there is, for
#'   `op_irfft()` for 2 (n - 1).
#' @return A list of real and imaginary parts; a tensor from `op_irfft()`.
#' @seealso [stats::fft()]
#' @examples
#' lapply(op_rfft(c(1, 2, 3, 4)), as.array)
#' as.array(op_irfft(op_rfft(c(1, 2, 3, 4))))
#' @export
op_fft <- function(x) fourier(check_complex(x), -1)

#' @rdname op_fft
#' @export
op_fft2 <- function(x) fourier(fourier(check_complex(x, axes = 2), -1), -1, TRUE)

#' @rdname op_fft
#' @export
op_ifft2 <- function(x) {
  parts <- check_complex(x, axes = 2)
  n <- prod(utils::tail(shape_of(parts[[1]]), 2))
  lapply(fourier(fourier(parts, 1), 1, TRUE), function(y) op_multiply(y, 1 / n))
}

#' @rdname op_fft
#' @export
op_rfft <- function(x, fft_length = NULL) {
  x <- check_axes_of(float_tensor(x), 1, "`x`")
  n <- if (is.null(fft_length)) utils::tail(shape_of(x), 1) else check_count(fft_length)
  x <- fit_last(x, n)
  lapply(fourier(list(x, op_zeros_like(x)), -1), fit_last, n %/% 2 + 1)
}

#' @rdname op_fft
#' @export
op_irfft <- function(x, fft_length = NULL) {
  parts <- check_complex(x)
  n <- if (is.null(fft_length)) 2 * (utils::tail(shape_of(parts[[1]]), 1) - 1) else check_count(fft_length)
  half <- n %/% 2 + 1
  parts <- lapply(parts, fit_last, half)
  # the other half mirrors the first
  turn <- outer(seq_len(half) - 1, seq_len(n) - 1) * 2 * pi / n
  weight <- rep(2, half)
  weight[1] <- 1
  if (n %% 2 == 0) weight[half] <- 1
  dtype <- tensor_dtype(parts[[1]])
  by <- function(x, m) rows_by(x, tensor(m * weight / n, dtype))
  op_subtract(by(parts[[1]], cos(turn)), by(parts[[2]], sin(turn)))
}

check_complex <- function(x, axes = 1, fun = calling_function()) {
  if (!is_branch(x) || length(x) != 2) abort("`x` must be a list of real and imaginary parts, not ", describe(x),
    fun = fun)
  parts <- as_one_dtype(unname(lapply(x, float_tensor)))
  lapply(parts, check_axes_of, axes, "the parts of `x`", fun)
}

check_axes_of <- function(x, axes, what, fun = calling_function()) {
  if (rank_of(x) >= axes) return(x)
  abort(what, " must have at least ", axes, if (axes == 1) " axis" else " axes", class = "shape", fun = fun)
}

#' Cut or filled with zeros to a length.
#' @noRd
fit_last <- function(x, n) {
  now <- utils::tail(shape_of(x), 1)
  rank <- rank_of(x)
  if (now >= n) return(op_slice(x, rep(1, rank), c(rep(-1, rank - 1), n)))
  op_pad(x, rbind(matrix(0, rank - 1, 2), c(0, n - now)))
}

#' Each line of the last axis times a matrix.
#' @noRd
rows_by <- function(x, m) if (rank_of(x) == 1) op_squeeze(op_matmul(op_expand_dims(x, 1), m), 1) else op_matmul(x, m)

fourier <- function(parts, sign, down = FALSE) {
  if (down) parts <- lapply(parts, op_matrix_transpose)
  n <- utils::tail(shape_of(parts[[1]]), 1)
  turn <- outer(seq_len(n) - 1, seq_len(n) - 1, function(i, j) (i * j) %% n) * 2 * pi / n
  dtype <- tensor_dtype(parts[[1]])
  c <- tensor(cos(turn), dtype)
  s <- tensor(sign * sin(turn), dtype)
  y <- list(op_subtract(rows_by(parts[[1]], c), rows_by(parts[[2]], s)),
    op_add(rows_by(parts[[1]], s), rows_by(parts[[2]], c)))
  if (down) lapply(y, op_matrix_transpose) else y
}

#' Windows
#'
#' Weights of `x` places that fade towards both ends, as in NumPy.
#'
#' @param x how many.
#' @param beta a number, how fast it fades.
#' @return A tensor of floats.
#' @examples
#' as.array(op_hanning(5)) # 0 0.5 1 0.5 0
#' @export
op_hanning <- function(x) window_of(x, function(t) 0.5 - 0.5 * cos(t))

#' @rdname op_hanning
#' @export
op_hamming <- function(x) window_of(x, function(t) 0.54 - 0.46 * cos(t))

#' @rdname op_hanning
#' @export
op_blackman <- function(x) window_of(x, function(t) 0.42 - 0.5 * cos(t) + 0.08 * cos(2 * t))

#' @rdname op_hanning
#' @export
op_bartlett <- function(x) window_of(x, function(t) 1 - abs(t / pi - 1))

#' @rdname op_hanning
#' @export
op_kaiser <- function(x, beta) {
  beta <- abs(check_number(beta, min = -1e4, max = 1e4))
  window_of(x, function(t) {
    at <- beta * sqrt(pmax(0, 1 - (t / pi - 1)^2))
    exp(at - beta) * besselI(at, 0, TRUE) / besselI(beta, 0, TRUE) # scaled: neither is infinite
  })
}

#' @param f a function of the angle, from 0 to 2 pi.
#' @noRd
window_of <- function(x, f, fun = calling_function()) {
  n <- check_count(if (is_tensor(x)) as.array(x) else x, min = 0, arg = "x", fun = fun)
  tensor(array(if (n == 1) 1 else f(2 * pi * (seq_len(n) - 1) / (n - 1)), n), session$floatx)
}
