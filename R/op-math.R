# Mathematical functions and logic, element by element.

#' Elementwise mathematical functions
#'
#' As the functions of these names in R; `op_erf()` is the error function, `2 * pnorm(sqrt(2) * x) - 1`. `op_round()`
#' rounds halves to the even number. The steps (`op_floor()`, `op_ceiling()`, `op_round()`, `op_sign()`) have the
#' derivative 0. `op_digamma()` is the derivative of `op_lgamma()`.
#'
#' @param x a float tensor or array (`op_sign()` also takes integers).
#' @return A tensor of the same shape and dtype.
#' @seealso [op_exp()], [op_log()], [op_sqrt()] and [op_tanh()].
#' @examples
#' as.array(op_sin(c(0, pi / 2)))
#' as.array(op_round(c(0.5, 1.5, -1.2)))
#' as.array(op_log1p(1e-20))
#' @name op_sin
NULL

#' @rdname op_sin
#' @export
op_sin <- function(x) apply_op("sin", list(x))
#' @rdname op_sin
#' @export
op_cos <- function(x) apply_op("cos", list(x))
#' @rdname op_sin
#' @export
op_tan <- function(x) apply_op("tan", list(x))
#' @rdname op_sin
#' @export
op_asin <- function(x) apply_op("asin", list(x))
#' @rdname op_sin
#' @export
op_acos <- function(x) apply_op("acos", list(x))
#' @rdname op_sin
#' @export
op_atan <- function(x) apply_op("atan", list(x))
#' @rdname op_sin
#' @export
op_sinh <- function(x) apply_op("sinh", list(x))
#' @rdname op_sin
#' @export
op_cosh <- function(x) apply_op("cosh", list(x))
#' @rdname op_sin
#' @export
op_log1p <- function(x) apply_op("log1p", list(x))
#' @rdname op_sin
#' @export
op_expm1 <- function(x) apply_op("expm1", list(x))
#' @rdname op_sin
#' @export
op_erf <- function(x) apply_op("erf", list(x))
#' @rdname op_sin
#' @export
op_lgamma <- function(x) apply_op("lgamma", list(x))
#' @rdname op_sin
#' @export
op_digamma <- function(x) apply_op("digamma", list(x))
#' @rdname op_sin
#' @export
op_floor <- function(x) apply_op("floor", list(x))
#' @rdname op_sin
#' @export
op_ceiling <- function(x) apply_op("ceiling", list(x))
#' @rdname op_sin
#' @export
op_round <- function(x) apply_op("round", list(x))
#' @rdname op_sin
#' @export
op_sign <- function(x) apply_op("sign", list(x))

#' Logical ops
#'
#' `op_logical_and()`, `op_logical_or()` and `op_logical_not()` work element by element, with broadcasting as in
#' [op_add()]; `op_any()` and `op_all()` reduce over axes. None has a derivative.
#'
#' @param x,y bool tensors or logical arrays, for `op_is_nan()`, `op_is_finite()` and `op_is_inf()` numbers.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all.
#' @param keepdims keep the reduced axes with size 1?
#' @return A bool tensor.
#' @section Errors: `nativenet_error_dtype` for numbers where bool is needed.
#' @seealso [op_less()] and the other comparisons, [op_where()].
#' @examples
#' x <- c(1, NaN, Inf)
#' as.array(op_logical_or(op_is_nan(x), op_is_inf(x)))
#' as.array(op_any(op_greater(matrix(1:6, 2), 5L), axis = 1))
#' @name op_logical_and
NULL

#' @rdname op_logical_and
#' @export
op_logical_and <- function(x, y) apply_op("logical_and", list(x, y))
#' @rdname op_logical_and
#' @export
op_logical_or <- function(x, y) apply_op("logical_or", list(x, y))
#' @rdname op_logical_and
#' @export
op_logical_not <- function(x) apply_op("logical_not", list(x))
#' @rdname op_logical_and
#' @export
op_any <- function(x, axis = NULL, keepdims = FALSE) reduce_op("any", x, axis, keepdims, "op_any")
#' @rdname op_logical_and
#' @export
op_all <- function(x, axis = NULL, keepdims = FALSE) reduce_op("all", x, axis, keepdims, "op_all")

# x - x is NaN where x is not finite, and only NaN differs from itself.

#' @rdname op_logical_and
#' @export
op_is_nan <- function(x) op_not_equal(x, x)
#' @rdname op_logical_and
#' @export
op_is_finite <- function(x) op_logical_not(op_is_nan(op_subtract(x, x)))
#' @rdname op_logical_and
#' @export
op_is_inf <- function(x) op_logical_and(op_is_nan(op_subtract(x, x)), op_equal(x, x))
