# Functions of arrays that keras3 takes from NumPy, made of other ops: how tensors begin, and what is done element by
# element. Their names, arguments and defaults are those of R's keras3.

#' Tensors that begin
#'
#' As in R's keras3.
#'
#' * `op_arange()`: from `start` to `end` in steps, `end` included unless `include_end` is FALSE; `op_arange(n)` counts
#'   from 1 to n.
#' * `op_linspace()`: `num` numbers from `start` to `stop`; `op_logspace()`: the powers of `base` with these exponents.
#' * `op_zeros()`, `op_ones()`, `op_full()`, `op_empty()`: of a shape; `op_full_like()`: of the shape of `x`.
#' * `op_eye()` and `op_identity()`: ones on a diagonal; `op_tri()`: ones on and below it.
#' * `op_array()`, `op_convert_to_tensor()`: a tensor of R's numbers; `op_copy()`: the same numbers.
#' * `op_convert_to_numpy()`, `op_convert_to_array()`: R's array of a tensor.
#'
#' @param start,end,stop,step numbers. Whole ones of R's type integer give int32.
#' @param dtype as for [tensor()]; `NULL` for that of the numbers, or of floats.
#' @param include_end is `end` one of them, where the steps meet it?
#' @param num how many.
#' @param endpoint is `stop` the last of them?
#' @param retstep give the step, too, as a list of both?
#' @param axis the place of the new axis where the ends are tensors, 1-based.
#' @param base a number.
#' @param shape whole numbers; `integer()` for a scalar.
#' @param fill_value a number.
#' @param x a tensor or array.
#' @param N,M,n rows and columns; `NULL` for as many columns as rows.
#' @param k the diagonal: 0 for the main one, 1 for the one above, -1 for the one below, and so on.
#' @param sparse,ragged must be `NULL` or FALSE: there are no such tensors here.
#' @return A tensor; an array from `op_convert_to_numpy()` and `op_convert_to_array()`.
#' @seealso [op_zeros_like()], [tensor()], [random_normal()]
#' @examples
#' as.array(op_arange(5L)) # 1 2 3 4 5
#' as.array(op_arange(0, 1, 0.25))
#' as.array(op_linspace(0, 1, 3)) # 0 0.5 1
#' as.array(op_eye(2, 3))
#' @export
op_arange <- function(start, end, step = 1L, dtype = NULL, include_end = TRUE) {
  if (missing(end)) {
    end <- start
    start <- if (is.double(end)) 1 else 1L
  }
  is_whole <- function(x) is.integer(x) || is_tensor(x) && is_whole_dtype(tensor_dtype(x))
  whole <- is_whole(start) && is_whole(end) && is_whole(step)
  start <- check_number(known_end(start), arg = "start")
  end <- check_number(known_end(end), arg = "end")
  step <- check_number(known_end(step), arg = "step")
  if (step == 0) abort("`step` must not be 0")
  steps <- (end - start) / step
  # a whole number of steps but for rounding
  if (abs(steps - round(steps)) < 1e-9 * max(1, abs(steps))) steps <- round(steps)
  n <- max(0, if (check_flag(include_end)) floor(steps) + 1 else ceiling(steps))
  check_room(n, "end")
  at <- start + step * (seq_len(n) - 1)
  tensor(array(if (whole) as.integer(at) else at, n), if (!is.null(dtype)) dtype else if (!whole) session$floatx)
}

#' The number of a tensor, as of a size.
#' @noRd
known_end <- function(x) if (is_tensor(x) && !is_symbolic(known_value(x))) as.vector(as.array(x)) else x

#' @rdname op_arange
#' @export
op_linspace <- function(start, stop, num = 50L, endpoint = TRUE, retstep = FALSE, dtype = NULL, axis = 1L) {
  num <- check_count(num, min = 0)
  parts <- num - check_flag(endpoint)
  share <- array((seq_len(num) - 1) / max(1, parts), num)
  ends <- lapply(as_one_dtype(list(start, stop)), float_tensor)
  length <- op_subtract(ends[[2]], ends[[1]])
  rank <- rank_of(length)
  at <- check_one_axis(axis, rank + 1) + 1
  share <- op_reshape(tensor(share, tensor_dtype(length)), replace(rep(1, rank + 1), at, num))
  y <- op_add(op_multiply(op_expand_dims(length, at), share), op_expand_dims(ends[[1]], at))
  if (!is.null(dtype)) y <- op_cast(y, dtype)
  if (check_flag(retstep)) list(y, op_divide(length, parts)) else y
}

#' @rdname op_arange
#' @export
op_logspace <- function(start, stop, num = 50L, endpoint = TRUE, base = 10, dtype = NULL, axis = 1L) {
  exponents <- op_linspace(start, stop, num, endpoint, axis = axis)
  y <- op_exp(op_multiply(exponents, log(check_number(base, above = 0))))
  if (is.null(dtype)) y else op_cast(y, dtype)
}

#' @rdname op_arange
#' @export
op_zeros <- function(shape, dtype = NULL) tensor_filled(0, shape, float_unless(dtype))

#' @rdname op_arange
#' @export
op_ones <- function(shape, dtype = NULL) tensor_filled(1, shape, float_unless(dtype))

#' @rdname op_arange
#' @export
op_empty <- function(shape, dtype = NULL) tensor_filled(0, shape, float_unless(dtype))

#' @rdname op_arange
#' @export
op_full <- function(shape, fill_value, dtype = NULL) {
  y <- op_broadcast_to(fill_value, shape)
  if (is.null(dtype)) y else op_cast(y, dtype)
}

#' @rdname op_arange
#' @export
op_full_like <- function(x, fill_value, dtype = NULL) {
  y <- if (is.null(dtype)) op_zeros_like(x) else op_zeros_like(x, dtype)
  op_add(y, in_dtype_of(y, fill_value, "fill_value"))
}

#' @rdname op_arange
#' @export
op_eye <- function(N, M = NULL, k = 0L, dtype = NULL) tensor_of_diagonals(N, M, k, dtype, `==`)

#' @rdname op_arange
#' @export
op_identity <- function(n, dtype = NULL) tensor_of_diagonals(n, NULL, 0, dtype, `==`)

#' @rdname op_arange
#' @export
op_tri <- function(N, M = NULL, k = 0L, dtype = NULL) tensor_of_diagonals(N, M, k, dtype, `<=`)

tensor_of_diagonals <- function(rows, columns, k, dtype, compare, fun = calling_function()) {
  rows <- check_count(rows, min = 0, arg = "N", fun = fun)
  columns <- if (is.null(columns)) rows else check_count(columns, min = 0, arg = "M", fun = fun)
  number <- diag_number(c(rows, columns), "N")
  tensor(compare(number, check_count(k, min = -2^31, arg = "k", fun = fun)) + 0, float_unless(dtype))
}

float_unless <- function(dtype) if (is.null(dtype)) session$floatx else dtype

#' @rdname op_arange
#' @export
op_array <- function(x, dtype = NULL) op_convert_to_tensor(x, if (is.null(dtype) && is.double(x) && !is.object(x))
  session$floatx else dtype)

#' @rdname op_arange
#' @export
op_convert_to_tensor <- function(x, dtype = NULL, sparse = NULL, ragged = NULL) {
  refuse_sparse(sparse)
  refuse_sparse(ragged, "ragged")
  as_value(if (is_tensor(x) && !is.null(dtype)) op_cast(x, dtype) else tensor(x, dtype))
}

refuse_sparse <- function(x, arg = "sparse", fun = calling_function()) {
  if (!is.null(x) && check_flag(x, arg = arg, fun = fun)) abort("there are no `", arg, "` tensors here",
    class = "missing",
    fun = fun)
}

#' @rdname op_arange
#' @export
op_copy <- function(x) op_cast(x, tensor_dtype(tensor(x)))

#' @rdname op_arange
#' @export
op_convert_to_numpy <- function(x) as.array(tensor(x))

#' @rdname op_arange
#' @export
op_convert_to_array <- function(x) as.array(tensor(x))

#' What a tensor is
#'
#' `op_ndim()` is the number of its axes, `op_size()` that of its elements, `op_dtype()` its dtype; `op_is_tensor()`
#' tells tensors and symbolic tensors from what else there is.
#'
#' @param x a tensor or array; for `op_is_tensor()` anything.
#' @return A number, a string, a logical.
#' @seealso [op_shape()], [dim()][tensor]
#' @examples
#' op_ndim(matrix(0, 2, 3)) # 2
#' op_size(matrix(0, 2, 3)) # 6
#' op_dtype(tensor(1:3)) # "int32"
#' @export
op_ndim <- function(x) length(known_dim(x))

#' @rdname op_ndim
#' @export
op_size <- function(x) as.integer(prod(shape_of(x)))

#' @rdname op_ndim
#' @export
op_dtype <- function(x) if (is_keras_tensor(x)) as.character(x$dtype) else tensor_dtype(tensor(x))

#' @rdname op_ndim
#' @export
op_is_tensor <- function(x) is_tensor(x) || is_keras_tensor(x)

#' Elementwise functions of NumPy
#'
#' Element by element, under the names of R's keras3.
#'
#' * Other spellings: `op_arccos()`, `op_arcsin()`, `op_arctan()`, `op_ceil()`, `op_isfinite()`, `op_isinf()`,
#'   `op_isnan()`, `op_mod()`, `op_pmax()`, `op_pmin()`.
#' * Functions of one number: `op_arccosh()`, `op_arcsinh()`, `op_arctanh()`, `op_cbrt()` (cube root), `op_deg2rad()`,
#'   `op_exp2()`, `op_log2()`, `op_log10()`, `op_rsqrt()` (1 / sqrt(x)), `op_trunc()`, `op_signbit()` (is it negative?),
#'   `op_nan_to_num()` (NaN and the infinities replaced).
#' * Of two: `op_arctan2()` (the angle of the point (x2, x1)), `op_divide_no_nan()` (0 where x2 is 0), `op_heaviside()`
#'   (0, x2, 1 for x1 below, at, above 0), `op_isclose()` (`|x1 - x2| <= atol + rtol |x2|`), `op_logaddexp()`,
#'   `op_logical_xor()`.
#' * `op_select()`: from the choice whose condition is the first that holds.
#' * `op_saturate_cast()`: held at the ends of the range of integers.
#'
#' @param x,x1,x2 tensors or arrays; those of two broadcast as in [op_add()].
#' @param nan,posinf,neginf numbers; `NULL` for the ends of the dtype.
#' @param rtol,atol numbers.
#' @param equal_nan are two NaN close?
#' @param condlist,choicelist lists of as many conditions as choices.
#' @param default what stands where none holds.
#' @param dtype as for [tensor()].
#' @return A tensor.
#' @seealso [op_add()], [op_sin()], [op_where()]
#' @examples
#' as.array(op_arctan2(1, -1)) / pi # 0.75
#' as.array(op_divide_no_nan(c(1, 2), c(0, 4))) # 0 0.5
#' as.array(op_nan_to_num(c(NaN, 1)))
#' @export
op_arccos <- function(x) op_acos(x)

#' @rdname op_arccos
#' @export
op_arcsin <- function(x) op_asin(x)

#' @rdname op_arccos
#' @export
op_arctan <- function(x) op_atan(x)

#' @rdname op_arccos
#' @export
op_ceil <- function(x) op_ceiling(x)

#' @rdname op_arccos
#' @export
op_isfinite <- function(x) op_is_finite(tensor(x))

#' @rdname op_arccos
#' @export
op_isinf <- function(x) op_is_inf(tensor(x))

#' @rdname op_arccos
#' @export
op_isnan <- function(x) op_is_nan(tensor(x))

#' @rdname op_arccos
#' @export
op_mod <- function(x1, x2) op_floor_mod(x1, x2)

#' @rdname op_arccos
#' @export
op_pmax <- function(x1, x2) op_maximum(x1, x2)

#' @rdname op_arccos
#' @export
op_pmin <- function(x1, x2) op_minimum(x1, x2)

#' @rdname op_arccos
#' @export
op_arccosh <- function(x) { # of x - 1, which is exact near 1, and of two roots, whose product does not overflow
  x <- as_floats(x)
  above <- op_subtract(x, 1)
  op_log1p(op_add(above, op_multiply(op_sqrt(above), op_sqrt(op_add(x, 1)))))
}

#' @rdname op_arccos
#' @export
op_arcsinh <- function(x) { # of |x|, so that nothing cancels
  x <- as_floats(x)
  size <- op_abs(x)
  square <- op_square(size)
  grown <- op_add(size, op_divide(square, op_add(1, op_sqrt(op_add(square, 1)))))
  # squares overflow: there log(2 |x|)
  large <- op_greater(size, 1e9)
  op_multiply(op_sign(x), op_where(large, op_add(op_log(op_where(large, size, 1)), log(2)),
    op_log1p(op_where(large, 0, grown))))
}

#' @rdname op_arccos
#' @export
op_arctanh <- function(x) {
  x <- as_floats(x)
  op_multiply(op_subtract(op_log1p(x), op_log1p(op_negative(x))), 0.5)
}

#' @rdname op_arccos
#' @export
op_cbrt <- function(x) {
  x <- as_floats(x)
  op_multiply(op_sign(x), op_power(op_abs(x), 1 / 3))
}

#' @rdname op_arccos
#' @export
op_deg2rad <- function(x) op_multiply(float_tensor(x), pi / 180)

#' @rdname op_arccos
#' @export
op_exp2 <- function(x) op_exp(op_multiply(float_tensor(x), log(2)))

#' @rdname op_arccos
#' @export
op_log2 <- function(x) op_multiply(op_log(float_tensor(x)), 1 / log(2))

#' @rdname op_arccos
#' @export
op_log10 <- function(x) op_multiply(op_log(float_tensor(x)), 1 / log(10))

#' @rdname op_arccos
#' @export
op_rsqrt <- function(x) op_reciprocal(op_sqrt(float_tensor(x)))

#' @rdname op_arccos
#' @export
op_trunc <- function(x) {
  x <- tensor(x)
  if (!startsWith(tensor_dtype(x), "float")) return(x)
  op_multiply(op_sign(x), op_floor(op_abs(x)))
}

#' @rdname op_arccos
#' @export
op_signbit <- function(x) {
  x <- tensor(x)
  if (!startsWith(tensor_dtype(x), "float")) return(op_less(x, 0L))
  zero <- op_equal(x, 0) # the sign of 0 is that of its reciprocal
  op_logical_or(op_less(x, 0), op_logical_and(zero, op_less(op_divide(1, op_where(zero, x, 1)), 0)))
}

#' @rdname op_arccos
#' @export
op_nan_to_num <- function(x, nan = 0, posinf = NULL, neginf = NULL) {
  x <- tensor(x)
  most <- float_limits[[tensor_dtype(x)]]$most
  if (is.null(most)) return(x)
  x <- op_where(op_is_nan(x), check_number(nan), x)
  x <- op_where(op_equal(x, Inf), if (is.null(posinf)) most else check_number(posinf), x)
  op_where(op_equal(x, -Inf), if (is.null(neginf)) -most else check_number(neginf), x)
}

#' @rdname op_arccos
#' @export
op_arctan2 <- function(x1, x2) {
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  endless <- op_logical_and(op_isinf(both[[1]]), op_isinf(both[[2]])) # their share is that of their signs
  y <- op_where(endless, op_sign(both[[1]]), both[[1]])
  x <- op_where(endless, op_sign(both[[2]]), both[[2]])
  # of the smaller by the larger side, so that nothing overflows
  steep <- op_greater(op_abs(y), op_abs(x))
  none <- op_logical_and(op_equal(x, 0), op_equal(y, 0))
  share <- op_divide(op_where(steep, x, y), op_where(none, 1, op_where(steep, y, x)))
  angle <- op_atan(share)
  half <- function(sign_of) op_where(op_signbit(sign_of), -1, op_ones_like(op_add(x, y)))
  op_where(steep, op_subtract(op_multiply(half(y), pi / 2), angle),
    op_where(op_signbit(x), op_add(angle, op_multiply(half(y), pi)), angle))
}

#' @rdname op_arccos
#' @export
op_divide_no_nan <- function(x1, x2) {
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  none <- op_equal(both[[2]], 0)
  op_where(none, 0, op_divide(both[[1]], op_where(none, 1, both[[2]])))
}

#' @rdname op_arccos
#' @export
op_heaviside <- function(x1, x2) {
  both <- as_one_dtype(list(x1, x2))
  zero <- op_zeros_like(tensor(both[[1]]))
  step <- op_where(op_less(both[[1]], zero), zero, op_where(op_equal(both[[1]], zero), both[[2]], op_ones_like(zero)))
  if (tensor_dtype(zero) %in% float_dtypes) op_where(op_is_nan(both[[1]]), both[[1]], step) else step
}

#' @rdname op_arccos
#' @export
op_isclose <- function(x1, x2, rtol = 1e-5, atol = 1e-8, equal_nan = FALSE) {
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  a <- both[[1]]
  b <- both[[2]]
  finite <- op_logical_and(op_is_finite(a), op_is_finite(b))
  near <- op_less_equal(op_abs(op_subtract(op_where(finite, a, 0), op_where(finite, b, 0))),
    op_add(op_multiply(op_abs(b), check_number(rtol, min = 0)), check_number(atol, min = 0)))
  close <- op_logical_or(op_logical_and(finite, near), op_equal(a, b))
  if (check_flag(equal_nan)) op_logical_or(close, op_logical_and(op_is_nan(a), op_is_nan(b))) else close
}

#' @rdname op_arccos
#' @export
op_logaddexp <- function(x1, x2) {
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  top <- op_maximum(both[[1]], both[[2]])
  same <- op_equal(both[[1]], both[[2]]) # infinities, too
  apart <- op_where(same, 0, op_abs(op_subtract(both[[1]], both[[2]])))
  op_add(top, op_log1p(op_exp(op_negative(apart))))
}

#' @rdname op_arccos
#' @export
op_logical_xor <- function(x1, x2) {
  truth <- function(x) op_cast(op_cast(x, "bool"), "int32")
  op_not_equal(truth(x1), truth(x2))
}

#' @rdname op_arccos
#' @export
op_select <- function(condlist, choicelist, default = 0) {
  if (!is_branch(condlist) || !is_branch(choicelist) || length(condlist) != length(choicelist)) {
    abort("`condlist` and `choicelist` must be lists of the same length, not ", describe(condlist), " and ",
      describe(choicelist))
  }
  if (!is_tensor(default)) default <- check_number(default)
  choices <- as_one_dtype(c(choicelist, list(default)))
  y <- choices[[length(choices)]]
  for (k in rev(seq_along(condlist))) y <- op_where(condlist[[k]], choices[[k]], y)
  y
}

#' @rdname op_arccos
#' @export
op_saturate_cast <- function(x, dtype) {
  ends <- switch(check_string(dtype), int32 = c(-2^31, 2^31 - 1), int64 = c(-2^63, 2^63 - 1024))
  x <- tensor(x)
  if (is.null(ends) || !startsWith(tensor_dtype(x), "float")) return(op_cast(x, dtype))
  op_cast(op_clip(op_cast(x, "float64"), ends[1], ends[2]), dtype)
}
