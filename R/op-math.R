# Mathematical functions and logic, element by element.

#' Trigonometric and hyperbolic functions
#'
#' As the functions of these names in R, element by element.
#'
#' @param x a float tensor or array.
#' @return A tensor of the same shape and dtype.
#' @seealso [op_tanh()], [op_exp()]
#' @examples
#' as.array(op_sin(c(0, pi / 2))) # 0 1
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

#' Exponential and logarithm near 0
#'
#' `op_log1p()` is \eqn{\log(1 + x)}{log(1 + x)} and `op_expm1()` \eqn{e^x - 1}{exp(x) - 1}, element by element,
#' accurate for small x.
#'
#' @param x a float tensor or array.
#' @return A tensor of the same shape and dtype.
#' @seealso [op_log()], [op_exp()]
#' @examples
#' as.array(op_log1p(1e-20)) # 1e-20
#' @export
op_log1p <- function(x) apply_op("log1p", list(x))

#' @rdname op_log1p
#' @export
op_expm1 <- function(x) apply_op("expm1", list(x))

#' Error function and logarithm of the gamma function
#'
#' Element by element. `op_erf()` is the error function,
#' \deqn{\mathrm{erf}(x) = \frac{2}{\sqrt{\pi}} \int_0^x e^{-t^2} dt}{erf(x) = 2 pnorm(sqrt(2) x) - 1}
#' `op_lgamma()` is \eqn{\log |\Gamma(x)|}{log(abs(gamma(x)))}, and `op_digamma()` its derivative.
#'
#' @param x a float tensor or array.
#' @return A tensor of the same shape and dtype.
#' @examples
#' as.array(op_erf(c(-1, 0, 1)))
#' as.array(op_lgamma(5)) # log(24)
#' @export
op_erf <- function(x) apply_op("erf", list(x))

#' @rdname op_erf
#' @export
op_lgamma <- function(x) apply_op("lgamma", list(x))

#' @rdname op_erf
#' @export
op_digamma <- function(x) apply_op("digamma", list(x))

#' Rounding and signs
#'
#' `floor(x)`, `ceiling(x)`, `round(x)` and `sign(x)`, element by element. `op_round()` rounds halves to the even
#' number, with `decimals` behind the point. All have the derivative 0.
#'
#' @param x a float tensor or array (`op_sign()` also takes integers).
#' @param decimals how many digits behind the point; negative before it.
#' @return A tensor of the same shape and dtype.
#' @examples
#' as.array(op_round(c(0.5, 1.5, -1.2))) # 0 2 -1
#' as.array(op_floor(c(0.5, 1.5, -1.2))) # 0 1 -2
#' @export
op_floor <- function(x) apply_op("floor", list(x))

#' @rdname op_floor
#' @export
op_ceiling <- function(x) apply_op("ceiling", list(x))

#' @rdname op_floor
#' @export
op_round <- function(x, decimals = 0) {
  decimals <- check_count(decimals, min = -300, max = 300)
  if (decimals == 0) return(apply_op("round", list(x)))
  op_divide(apply_op("round", list(op_multiply(as_floats(x), 10^decimals))), 10^decimals)
}

#' @rdname op_floor
#' @export
op_sign <- function(x) apply_op("sign", list(x))

#' Logical ops
#'
#' And, or and not, element by element, with broadcasting as in [op_add()]. They have no gradient.
#'
#' @param x,x1,x2 bool tensors or logical arrays.
#' @return A bool tensor.
#' @section Errors: `nativenet_error_dtype` for numbers where bool is needed.
#' @seealso [op_less()] and the other comparisons, [op_any()], [op_where()]
#' @examples
#' as.array(op_logical_or(c(TRUE, FALSE), FALSE))
#' @export
op_logical_and <- function(x1, x2) apply_op("logical_and", list(x1, x2))

#' @rdname op_logical_and
#' @export
op_logical_or <- function(x1, x2) apply_op("logical_or", list(x1, x2))

#' @rdname op_logical_and
#' @export
op_logical_not <- function(x) apply_op("logical_not", list(x))

#' Logical reductions
#'
#' Is any element true; are all elements true? They have no gradient.
#'
#' @param x a bool tensor or logical array.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all.
#' @param keepdims keep the reduced axes with size 1?
#' @return A bool tensor; a scalar if all axes are reduced.
#' @section Errors: `nativenet_error_dtype` for numbers.
#' @seealso [op_sum()] and the other reductions
#' @examples
#' as.array(op_any(op_greater(matrix(1:6, 2), 5L), axis = 1)) # FALSE FALSE TRUE
#' @export
op_any <- function(x, axis = NULL, keepdims = FALSE) reduce_op("any", x, axis, keepdims, "op_any")

#' @rdname op_any
#' @export
op_all <- function(x, axis = NULL, keepdims = FALSE) reduce_op("all", x, axis, keepdims, "op_all")

# x - x is NaN where x is not finite, and only NaN differs from itself.

#' Finite, infinite and NaN
#'
#' Which elements are NaN, finite or infinite? As `is.nan()`, `is.finite()` and `is.infinite()`.
#'
#' @param x a tensor or array of numbers.
#' @return A bool tensor of the shape of `x`.
#' @examples
#' x <- c(1, NaN, Inf)
#' as.array(op_is_finite(x)) # TRUE FALSE FALSE
#' as.array(op_logical_or(op_is_nan(x), op_is_inf(x))) # FALSE TRUE TRUE
#' @export
op_is_nan <- function(x) op_not_equal(x, x)

#' @rdname op_is_nan
#' @export
op_is_finite <- function(x) op_logical_not(op_is_nan(op_subtract(x, x)))

#' @rdname op_is_nan
#' @export
op_is_inf <- function(x) op_logical_and(op_is_nan(op_subtract(x, x)), op_equal(x, x))
