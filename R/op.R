# One short wrapper per row of the op table (src/ops/ops.h), and the one door to all of them. Axes are
# 1-based and negative ones count from the end, as in R; class labels and row indices are 0-based,
# as in the data.

#' The one door: run an op now, note it on the recording tapes, or append it to the program being
#' traced.
#' @noRd
apply_op <- function(name, inputs, ints = NULL, reals = NULL) .Call(C_apply, name, inputs, ints, reals, recording)

op_table <- function() {
  columns <- .Call(C_op_table)
  names(columns) <- c("name", "fewest", "most", "differentiable", "formula", "fusable")
  as.data.frame(columns, stringsAsFactors = FALSE)
}

#' The shape that x has, or will have as a tensor.
#' @noRd
shape_of <- function(x) {
  if (is_tensor(x)) return(tensor_info(x)[[2]])
  x <- check_numbers(x, "x", user_function())
  if (!is.null(dim(x))) dim(x) else if (length(x) == 1) integer() else length(x)
}

#' The same of symbolic tensors, too, as far as it is known.
#' @noRd
known_dim <- function(x) if (is_keras_tensor(x)) dim(x) else shape_of(x)

#' Are two shapes the same? Unlike identical() it does not look at the rows of a batch: see src/border/r_sizes.c.
#' @noRd
same_sizes <- function(x, y) .Call(C_same_sizes, as.integer(x), as.integer(y))

#' One of the sizes, for same_sizes(). It stands there twice, as R looks at a number that it takes alone.
#' @noRd
size_at <- function(i, sizes) sizes[c(i, i)]

rank_of <- function(x) length(shape_of(x))

#' Of strings, which the engine does not have.
#' @noRd
string_shape <- function(x) if (is.null(dim(x))) length(x) else dim(x)

#' The same of elements of data sets, where one string is a scalar unless it has an axis; and strings of such a shape.
#' @noRd
text_shape <- function(x) if (is.null(dim(x)) && length(x) == 1) integer() else string_shape(x)
text_array <- function(x, dim) if (length(dim) > 1 || identical(as.integer(dim), 1L)) array(x, dim) else as.vector(x)

#' What R gives to several ops one after another becomes a tensor once, of floats as ops of floats see it.
#' @noRd
as_floats <- function(x) if (is_tensor(x)) x else tensor(x, float_dtype(x))

#' 1-based, negative from the end, to 0-based. Axes outside 1 .. `rank` are an error.
#' @noRd
check_axis <- function(axis, rank, arg = "axis", fun = calling_function()) {
  numbers <- plain_numbers(axis, arg, fun)
  refuse <- function(a) {
    first <- if (startsWith(paste0(fun, ""), "tf$")) 0 else 1 # as the user counts
    # losses and metrics may be those of tf$keras, which have taken the axis long ago
    other <- function(...) if (grepl("^(loss|metric)_", fun)) paste0(" (", ..., " in `tf$keras`)")
    if (is_number(a) && a > 0) a <- a + first - 1
    abort("`", arg, "` must lie in ", first, " .. ", rank + first - 1, other("0 .. ", rank - 1),
      " or count from the end with -1 .. -", rank, ", not be ", describe(a), if (is_number(a) && a > 0) other(a - 1),
      fun = fun)
  }
  if (!are_numbers(numbers)) refuse(axis)
  for (a in numbers) if (!is_number(a) || a != round(a) || a == 0 || abs(a) > rank) refuse(a)
  numbers + rank * (numbers < 0) - (numbers > 0) # ifelse() takes as long as an op
}

#' As above, for ops that take one axis.
#' @noRd
check_one_axis <- function(axis, rank, arg = "axis", fun = calling_function()) {
  axis <- check_number(axis, arg = arg, fun = fun)
  check_axis(axis, rank, arg = arg, fun = fun)
}

#' Elementwise arithmetic
#'
#' `x1 + x2`, `x1 - x2`, `x1 * x2`, `x1 / x2`, `x1^x2` and `1 / x`, element by element. `op_floor_divide()` is
#' \eqn{\lfloor x / y \rfloor}{floor(x / y)} and `op_floor_mod()` \eqn{x - y \lfloor x / y \rfloor}{x - y floor(x / y)},
#' with the sign of `x2`, as `%/%` and `%%` in R.
#'
#' @section Broadcasting: Shapes are aligned at the right; an axis of size 1, or one that is missing, is repeated
#'   (NumPy's rule).
#' @section Dtypes: Plain R numbers take the dtype of the tensor they meet. Tensors of different dtype are an error.
#' @section Gradients: `op_power()` has the derivative 0 with respect to `x2` where `x1` is not positive.
#'   `op_floor_divide()` has the derivative 0, `op_floor_mod()` 1 with respect to `x1`.
#'
#' @param x1,x2,x tensors or arrays. `op_divide()` and `op_reciprocal()` need floats;
#'   `op_power()` of whole numbers gives whole numbers, for exponents of at least 0.
#' @return A tensor of the broadcast shape and the dtype of the inputs.
#' @section Errors: `nativenet_error_shape` if the shapes do not broadcast (both are named),
#'   `nativenet_error_dtype` if the dtypes differ. `nativenet_error_value` where whole numbers are divided by 0, or
#'   where a sum or product lies beyond the whole numbers of its dtype, here and in all ops that add or multiply int32
#'   and int64.
#' @references <https://numpy.org/doc/stable/user/basics.broadcasting.html>
#' @seealso [tensor-methods] for R's operators; [op_maximum()], [op_less()]
#' @examples
#' as.array(op_add(matrix(1:6, 2), c(10L, 20L, 30L)))
#' as.array(op_power(c(1, 2, 3), 2))
#' as.array(op_floor_mod(c(-7L, 7L), 3L))
#' @export
op_add <- function(x1, x2) apply_op("add", list(x1, x2))

#' @rdname op_add
#' @export
op_subtract <- function(x1, x2) apply_op("subtract", list(x1, x2))

#' @rdname op_add
#' @export
op_multiply <- function(x1, x2) apply_op("multiply", list(x1, x2))

#' @rdname op_add
#' @export
op_divide <- function(x1, x2) apply_op("divide", list(x1, x2))

#' @rdname op_add
#' @export
op_power <- function(x1, x2) {
  if (are_whole(x1, x2)) whole_power(x1, x2) else apply_op("power", list(x1, x2))
}

#' Whole numbers on both sides, R's own on one of them.
#' @noRd
are_whole <- function(x, y) {
  whole <- function(x) if (is_tensor(x)) is_whole_dtype(tensor_dtype(x)) else is.integer(x) && !is.object(x)
  if (is_tensor(x) == is_tensor(y)) whole(x) && whole(y) else if (is_tensor(x)) whole(x) && !is_keras_tensor(y) else
    whole(y) && !is_keras_tensor(x)
}

#' Integers stay exact: products of those squares that the binary digits of the exponents ask for. Squares that nothing
#' asks for might be too large for the dtype.
#' @noRd
whole_power <- function(x, n, fun = calling_function()) {
  dtype <- if (is_tensor(x)) tensor_dtype(x) else if (is_tensor(n)) tensor_dtype(n) else "int32"
  if (is_tensor(n) && tensor_dtype(n) != dtype) return(op_multiply(x, n)) # which tells them apart
  n <- known_value(n)
  if (is_tensor(n) && is_symbolic(n)) abort("exponents of whole numbers must be known; `op_cast()` makes floats of ",
    "them", class = "dtype", fun = fun)
  x <- tensor(x, dtype)
  if (is_tensor(n)) n <- as.array(n)
  one <- length(n) == 1 && is.null(dim(n)) # for all of them: no need to choose
  n <- array(check_whole(n, min = 0, arg = "exponent", fun = fun), string_shape(n))
  result <- op_ones_like(if (one) x else op_multiply(x, tensor(n * 0 + 1, dtype)))
  while (any(n > 0)) {
    odd <- n %% 2 == 1
    result <- if (one) if (odd) op_multiply(result, x) else result else
      op_where(odd, op_multiply(result, op_where(odd, x, 1)), result)
    n <- n %/% 2
    if (any(n > 0)) x <- op_square(if (one) x else op_where(n > 0, x, 1))
  }
  result
}

#' @rdname op_add
#' @export
op_reciprocal <- function(x) op_divide(1, x)

#' @rdname op_add
#' @export
op_floor_divide <- function(x1, x2) apply_op("floor_divide", list(x1, x2))

#' @rdname op_add
#' @export
op_floor_mod <- function(x1, x2) apply_op("floor_mod", list(x1, x2))

#' Elementwise maximum and minimum
#'
#' The larger or the smaller of two numbers, element by element, with broadcasting as in [op_add()]. The gradient of a
#' tie goes to `x1`.
#'
#' @param x1,x2 tensors or arrays.
#' @return A tensor of the broadcast shape and the dtype of the inputs.
#' @section Errors: `nativenet_error_shape` if the shapes do not broadcast, `nativenet_error_dtype` if the dtypes
#'   differ.
#' @seealso [op_max()] over axes; [op_clip()]
#' @examples
#' as.array(op_maximum(c(1, 5), c(3, 2))) # 3 5
#' as.array(op_minimum(c(1, 5), 3)) # 1 3
#' @export
op_maximum <- function(x1, x2) apply_op("maximum", list(x1, x2))

#' @rdname op_maximum
#' @export
op_minimum <- function(x1, x2) apply_op("minimum", list(x1, x2))

#' Elementwise comparisons
#'
#' `x1 < x2`, `x1 <= x2`, `x1 > x2`, `x1 >= x2`, `x1 == x2` and `x1 != x2`, element by element, with broadcasting as
#' in [op_add()].
#' They have no gradient.
#'
#' @param x1,x2 tensors or arrays.
#' @return A tensor of the broadcast shape and dtype bool.
#' @section Errors: `nativenet_error_shape` if the shapes do not broadcast, `nativenet_error_dtype` if the dtypes
#'   differ.
#' @seealso [op_logical_and()], [op_where()]
#' @examples
#' as.array(op_less(c(1, 5), 3)) # TRUE FALSE
#' as.array(op_equal(matrix(1:4, 2), c(1L, 4L)))
#' @export
op_less <- function(x1, x2) apply_op("less", list(x1, x2))

#' @rdname op_less
#' @export
op_less_equal <- function(x1, x2) apply_op("less_equal", list(x1, x2))

#' @rdname op_less
#' @export
op_greater <- function(x1, x2) op_less(x2, x1)

#' @rdname op_less
#' @export
op_greater_equal <- function(x1, x2) op_less_equal(x2, x1)

#' @rdname op_less
#' @export
op_equal <- function(x1, x2) apply_op("equal", list(x1, x2))

#' @rdname op_less
#' @export
op_not_equal <- function(x1, x2) apply_op("not_equal", list(x1, x2))

#' Elementwise powers, exponential and logarithm
#'
#' `-x`, `abs(x)`, `x^2`, `sqrt(x)`, `exp(x)` and `log(x)`, element by element. `op_abs()` has the derivative 0 at 0.
#'
#' @param x a float tensor or array; `op_negative()`, `op_abs()` and `op_square()` also take integers.
#' @return A tensor of the shape and dtype of `x`.
#' @seealso [op_log1p()], [op_sin()], [op_power()], [op_sign()]
#' @examples
#' as.array(op_square(c(-1, 0, 2))) # 1 0 4
#' as.array(op_exp(op_log(3))) # 3
#' @export
op_negative <- function(x) apply_op("negative", list(x))

#' @rdname op_negative
#' @export
op_abs <- function(x) apply_op("abs", list(x))

#' @rdname op_negative
#' @export
op_square <- function(x) apply_op("square", list(x))

#' @rdname op_negative
#' @export
op_sqrt <- function(x) apply_op("sqrt", list(x))

#' @rdname op_negative
#' @export
op_exp <- function(x) apply_op("exp", list(x))

#' @rdname op_negative
#' @export
op_log <- function(x) apply_op("log", list(x))

#' Clip to a range
#'
#' \eqn{\min(\max(x, a), b)}{min(max(x, a), b)}, element by element, with the ends a and b. The derivative is 1 within
#' the range and at its ends, 0 outside.
#'
#' @param x a tensor or array of numbers.
#' @param x_min,x_max numbers, the ends; whole ones for a tensor of whole numbers.
#' @return A tensor of the shape and dtype of `x`.
#' @seealso [op_maximum()]
#' @examples
#' as.array(op_clip(c(-3, 0.5, 7), -1, 1)) # -1 0.5 1
#' @export
op_clip <- function(x, x_min, x_max) {
  x_min <- check_number(x_min)
  x_max <- check_number(x_max, min = x_min)
  if (any(c(x_min, x_max) != round(c(x_min, x_max)))) {
    x <- as_floats(x)
    if (is_whole_dtype(tensor_dtype(x))) abort("`x_min` and `x_max` must be whole numbers for a tensor of ",
      tensor_dtype(x), ", not ", x_min, " and ", x_max, "; cast it to floats by `op_cast()` before")
  }
  apply_op("clip", list(x), reals = c(x_min, x_max))
}

#' Activation ops
#'
#' Activations, element by element; the formulas stand on the pages of the [activations].
#'
#' * `op_relu()`: \eqn{\max(x, 0)}{max(x, 0)}; `op_leaky_relu()`: with a slope for negative x; `op_relu6()`: clipped to
#'   0 .. 6;
#' * `op_elu()`, `op_selu()`: [activation_elu()], [activation_selu()];
#' * `op_gelu()`: [activation_gelu()], by the tangent unless `approximate` is FALSE; `op_silu()`: [activation_swish()];
#' * `op_sigmoid()`, `op_tanh()`, `op_softplus()`, `op_softsign()`: the activations of these names;
#' * `op_hard_sigmoid()`: \eqn{\min(\max(a x + 0.5, 0), 1)}{min(max(a x + 0.5, 0), 1)} with the slope a, 1/6 in
#'   keras3, 0.2
#'   in Keras 2 and [activation_hard_sigmoid()];
#' * `op_step()`: 1 where x > 0, else 0.
#'
#' @section Gradients: `op_relu()` has the derivative 0 at 0. That of `op_step()` is taken as 0 everywhere, which stops
#'   every gradient.
#'
#' @param x a float tensor or array (`op_relu6()` also takes integers).
#' @param negative_slope a number, the slope for negative x.
#' @param alpha a number: minus the limit for large negative x.
#' @param slope a number, that of the middle.
#' @param approximate by the tangent (see [activation_gelu()]), or the exact form?
#' @return A tensor of the shape and dtype of `x`.
#' @references Clevert et al. (2016), ELU, <https://arxiv.org/abs/1511.07289>. Klambauer et al. (2017),
#'   SELU, <https://arxiv.org/abs/1706.02515>. Hendrycks & Gimpel (2016), GELU and SiLU,
#'   <https://arxiv.org/abs/1606.08415>.
#' @seealso [activations], [op_softmax()]
#' @examples
#' as.array(op_relu(c(-1, 0, 2)))
#' as.array(op_softplus(c(-100, 0, 100)))
#' @export
op_relu <- function(x) apply_op("relu", list(x))

#' @rdname op_relu
#' @export
op_leaky_relu <- function(x, negative_slope = 0.2) {
  apply_op("leaky_relu", list(x), reals = check_number(negative_slope))
}

#' @rdname op_relu
#' @export
op_elu <- function(x, alpha = 1) apply_op("elu", list(x), reals = check_number(alpha))

#' @rdname op_relu
#' @export
op_selu <- function(x) apply_op("selu", list(x))

#' @rdname op_relu
#' @export
op_gelu <- function(x, approximate = TRUE) if (check_flag(approximate)) gelu_by_tanh(x) else apply_op("gelu", list(x))

#' (1 + tanh(z / 2)) / 2 is sigmoid(z).
#' @noRd
gelu_by_tanh <- function(x) {
  z <- op_multiply(op_multiply(x, op_add(op_square(x), 1 / 0.044715)), 0.044715 * 2 * sqrt(2 / pi))
  op_multiply(x, op_sigmoid(z))
}

#' @rdname op_relu
#' @export
op_sigmoid <- function(x) apply_op("sigmoid", list(x))

#' @rdname op_relu
#' @export
op_tanh <- function(x) apply_op("tanh", list(x))

#' @rdname op_relu
#' @export
op_softplus <- function(x) apply_op("softplus", list(x))

#' @rdname op_relu
#' @export
op_step <- function(x) apply_op("step", list(x))

# Composed of the above.

#' @rdname op_relu
#' @export
op_silu <- function(x) op_multiply(x, op_sigmoid(x))

#' @rdname op_relu
#' @export
op_softsign <- function(x) {
  x <- as_floats(x)
  op_divide(x, op_add(op_abs(x), 1))
}

#' @rdname op_relu
#' @export
op_relu6 <- function(x) op_clip(x, 0, 6)

#' @rdname op_relu
#' @export
op_hard_sigmoid <- function(x, slope = 1 / 6) op_clip(op_add(op_multiply(x, check_number(slope)), 0.5), 0, 1)

#' Softmax and log-softmax
#'
#' Along an axis, with K values x:
#' \deqn{\mathrm{softmax}(x)_k = \frac{e^{x_k}}{\sum_{i=1}^{K} e^{x_i}}, \quad
#' \mathrm{log\_softmax}(x)_k = x_k - \log \sum_{i=1}^{K} e^{x_i}}{
#' softmax(x)[k] = exp(x[k]) / sum(exp(x)), log_softmax(x)[k] = x[k] - log(sum(exp(x)))}
#' The maximum is subtracted first, so that large logits do not overflow.
#'
#' @param x a float tensor or array with at least one axis: logits.
#' @param axis 1-based, negative from the end.
#' @return A tensor of the same shape; what `op_softmax()` gives sums to 1 along the axis.
#' @seealso [activation_softmax()], [op_logsumexp()]
#' @examples
#' as.array(op_softmax(c(1000, 1001)))
#' as.array(op_softmax(diag(2), axis = 1))
#' @export
op_softmax <- function(x, axis = -1) along_axis("softmax", x, axis)

#' @rdname op_softmax
#' @export
op_log_softmax <- function(x, axis = -1) along_axis("log_softmax", x, axis)

#' An op of the last axis, along any.
#' @noRd
along_axis <- function(name, x, axis, fun = calling_function()) {
  rank <- rank_of(x)
  at <- if (rank) check_one_axis(axis, rank, fun = fun) + 1 else 0 # the op words what is wrong with a scalar
  if (at == rank) return(apply_op(name, list(x)))
  swapped <- replace(seq_len(rank), c(at, rank), c(rank, at))
  op_transpose(apply_op(name, list(op_transpose(as_floats(x), swapped))), swapped)
}

#' Matrix multiplication
#'
#' The matrix product of the last two axes; leading axes are batches and broadcast, so (32, 1, 784) by (784, 256) gives
#' (32, 1, 256):
#' \deqn{z_{ij} = \sum_k x_{ik} y_{kj}}{z[i, j] = sum over k of x[i, k] y[k, j]}
#'
#' @param x1,x2 tensors or arrays with at least two axes.
#' @param transpose_x,transpose_y of `x1`, of `x2`: transpose the last two axes first?
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` if the inner sizes differ; both shapes are named.
#' @seealso [op_dense()]
#' @examples
#' as.array(op_matmul(diag(2), matrix(1:4 / 2, 2)))
#' @export
op_matmul <- function(x1, x2, transpose_x = FALSE, transpose_y = FALSE) {
  apply_op("matmul", list(x1, x2), ints = c(check_flag(transpose_x), check_flag(transpose_y)))
}

#' Dense layer as an op
#'
#' Matrix product, bias and activation f in one op:
#' \deqn{y = f(x W + b)}
#'
#' @param x a tensor or array, whose last axis is the inputs.
#' @param kernel (inputs, units), W.
#' @param bias (units), one row, or `NULL`.
#' @param activation `"linear"`, `"relu"`, `"leaky_relu"`, `"elu"`, `"selu"`, `"sigmoid"`, `"tanh"`, `"softplus"` or
#'   `"exp"`.
#' @param alpha parameter of `"elu"` (1 by default) and `"leaky_relu"` (0.2).
#' @return A tensor of the shape of `x` with units as its last axis.
#' @section Errors: `nativenet_error_shape` if the sizes do not fit; both shapes are named.
#' @seealso [layer_dense()], [op_matmul()]
#' @examples
#' as.array(op_dense(matrix(c(1, -1), 1), diag(2), c(0, 0), "relu"))
#' @export
op_dense <- function(x, kernel, bias = NULL, activation = "linear", alpha = if (activation == "elu") 1 else 0.2) {
  fused_or_apart(activation, alpha, function(code) {
    apply_op("dense", c(list(x, kernel), if (!is.null(bias)) list(bias)), ints = code, reals = alpha)
  })
}

#' An op with its activation in place, or after it: in place, the derivative follows from the sign of the result, which
#' must be that of the sum.
#' @param op a function of the activation's code.
#' @noRd
fused_or_apart <- function(activation, alpha, op, fun = calling_function()) {
  check_choice(activation, enums$dense_activation, fun = fun)
  if (check_number(alpha, fun = fun) < 0 && activation %in% c("elu", "leaky_relu"))
    return(apply_op(activation, list(op(-1)), reals = alpha))
  op(if (activation == "linear") -1 else op_code[[activation]])
}
