# One short wrapper per row of the op table (src/ops.h), and the one door to all of them. Axes are
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
  if (is_keras_tensor(x)) return(dim(x))
  x <- check_numbers(x, "x", user_function())
  if (!is.null(dim(x))) dim(x) else if (length(x) == 1) integer() else length(x)
}

#' Are two shapes the same? Unlike identical() it does not look at the rows of a batch: see src/r_sizes.c.
#' @noRd
same_sizes <- function(x, y) .Call(C_same_sizes, as.integer(x), as.integer(y))

rank_of <- function(x) length(shape_of(x))

#' What R gives to several ops one after another becomes a tensor once, of floats as ops of floats see it.
#' @noRd
as_floats <- function(x) if (is_tensor(x)) x else tensor(x, float_dtype(x))

#' 1-based, negative from the end, to 0-based. Axes outside 1 .. `rank` are an error.
#' @noRd
check_axis <- function(axis, rank, arg = "axis", fun = calling_function()) {
  numbers <- plain_numbers(axis, arg, fun)
  refuse <- function(a) {
    first <- if (startsWith(paste0(fun, ""), "tf$")) 0 else 1 # as the user counts
    if (is_number(a) && a > 0) a <- a + first - 1
    abort("`", arg, "` must lie in ", first, " .. ", rank + first - 1, " or count from the end with -1 .. -", rank,
      ", not be ", describe(a), fun = fun)
  }
  if (!are_numbers(numbers)) refuse(axis)
  for (a in numbers) if (!is_number(a) || a != round(a) || a == 0 || abs(a) > rank) refuse(a)
  ifelse(numbers < 0, rank + numbers, numbers - 1)
}

#' As above, for ops that take one axis.
#' @noRd
check_one_axis <- function(axis, rank, arg = "axis", fun = calling_function()) {
  axis <- check_number(axis, arg = arg, fun = fun)
  check_axis(axis, rank, arg = arg, fun = fun)
}

#' Elementwise arithmetic and comparisons
#'
#' With broadcasting: shapes are aligned at the right; an axis of size 1, or one that is missing, repeats (NumPy's
#' rule). Plain R numbers take the dtype of the tensor they meet; tensors of different dtype are an
#' error.
#'
#' `op_maximum()` and `op_minimum()` send the gradient of a tie to `x`. `op_power()` has the
#' derivative 0 towards `y` where `x` is not positive. `op_floor_divide()` rounds down and `op_floor_mod()`
#' has the sign of `y`, as `%/%` and `%%` in R. The first has the
#' derivative 0, the second 1 towards `x`.
#'
#' @param x,y tensors or arrays. `op_divide()`, `op_power()` and `op_reciprocal()`, which is `1 / x`, need floats.
#' @return A tensor of the broadcast shape; of dtype bool from comparisons.
#' @section Errors: `nativenet_error_shape` if the shapes do not broadcast (both are named),
#'   `nativenet_error_dtype` if the dtypes differ. `nativenet_error_value` where whole numbers are divided by 0, or
#'   where a sum or product lies beyond the whole numbers of its dtype, here and in all ops that add or multiply int32
#'   and int64.
#' @references <https://numpy.org/doc/stable/user/basics.broadcasting.html>
#' @examples
#' as.array(op_add(matrix(1:6, 2), c(10L, 20L, 30L)))
#' as.array(op_less(c(1, 5), 3))
#' as.array(op_floor_mod(c(-7L, 7L), 3L))
#' @name op_add
NULL

#' @rdname op_add
#' @export
op_add <- function(x, y) apply_op("add", list(x, y))
#' @rdname op_add
#' @export
op_subtract <- function(x, y) apply_op("subtract", list(x, y))
#' @rdname op_add
#' @export
op_multiply <- function(x, y) apply_op("multiply", list(x, y))
#' @rdname op_add
#' @export
op_divide <- function(x, y) apply_op("divide", list(x, y))
#' @rdname op_add
#' @export
op_power <- function(x, y) apply_op("power", list(x, y))
#' @rdname op_add
#' @export
op_reciprocal <- function(x) op_divide(1, x)
#' @rdname op_add
#' @export
op_floor_divide <- function(x, y) apply_op("floor_divide", list(x, y))
#' @rdname op_add
#' @export
op_floor_mod <- function(x, y) apply_op("floor_mod", list(x, y))
#' @rdname op_add
#' @export
op_maximum <- function(x, y) apply_op("maximum", list(x, y))
#' @rdname op_add
#' @export
op_minimum <- function(x, y) apply_op("minimum", list(x, y))
#' @rdname op_add
#' @export
op_less <- function(x, y) apply_op("less", list(x, y))
#' @rdname op_add
#' @export
op_less_equal <- function(x, y) apply_op("less_equal", list(x, y))
#' @rdname op_add
#' @export
op_greater <- function(x, y) op_less(y, x)
#' @rdname op_add
#' @export
op_greater_equal <- function(x, y) op_less_equal(y, x)
#' @rdname op_add
#' @export
op_equal <- function(x, y) apply_op("equal", list(x, y))
#' @rdname op_add
#' @export
op_not_equal <- function(x, y) apply_op("not_equal", list(x, y))

#' Elementwise functions and activations
#'
#' `op_step()` is 1 where `x > 0` and 0 elsewhere; its derivative is taken as 0, which stops every
#' gradient. At their kinks, `op_abs()`, `op_relu()` and `op_clip()` have the derivative 0 (clip: 1 at
#' its ends). `op_gelu()` is the exact form with the normal distribution function, `op_silu()` (swish) is
#' `x * sigmoid(x)`, `op_softsign()` `x / (1 + abs(x))`, `op_relu6()` clips to 0 .. 6 and `op_hard_sigmoid()` clips
#' `x / 5 + 1 / 2` to 0 .. 1, as in Keras 2.
#'
#' @param x a float tensor or array (`op_negative()`, `op_abs()`, `op_square()`, `op_clip()` and `op_relu6()` also
#'   take integers).
#' @param x_min,x_max numbers, the ends of the clipped range.
#' @param negative_slope a number, the slope for negative `x`.
#' @param alpha a number, the limit of the ELU at minus infinity, with the sign changed.
#' @return A tensor of the same shape and dtype.
#' @references Clevert et al. (2016), ELU, <https://arxiv.org/abs/1511.07289>. Klambauer et al. (2017),
#'   SELU, <https://arxiv.org/abs/1706.02515>. Hendrycks & Gimpel (2016), GELU and SiLU,
#'   <https://arxiv.org/abs/1606.08415>.
#' @examples
#' as.array(op_relu(c(-1, 0, 2)))
#' as.array(op_softplus(c(-100, 0, 100)))
#' @name op_relu
NULL

#' @rdname op_relu
#' @export
op_negative <- function(x) apply_op("negative", list(x))
#' @rdname op_relu
#' @export
op_abs <- function(x) apply_op("abs", list(x))
#' @rdname op_relu
#' @export
op_square <- function(x) apply_op("square", list(x))
#' @rdname op_relu
#' @export
op_sqrt <- function(x) apply_op("sqrt", list(x))
#' @rdname op_relu
#' @export
op_exp <- function(x) apply_op("exp", list(x))
#' @rdname op_relu
#' @export
op_log <- function(x) apply_op("log", list(x))
#' @rdname op_relu
#' @export
op_clip <- function(x, x_min, x_max) {
  x_min <- check_number(x_min)
  x_max <- check_number(x_max, min = x_min)
  apply_op("clip", list(x), reals = c(x_min, x_max))
}
#' @rdname op_relu
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
op_gelu <- function(x) apply_op("gelu", list(x))
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
op_hard_sigmoid <- function(x) op_clip(op_add(op_multiply(x, 0.2), 0.5), 0, 1)

#' Softmax and log-softmax
#'
#' Computed after subtracting each row's maximum, so large inputs do not overflow.
#'
#' @param x a float tensor or array with at least one axis.
#' @param axis 1-based, negative from the end.
#' @return A tensor of the same shape; what `op_softmax()` gives sums to 1 along the axis.
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

#' Matrix products
#'
#' `op_matmul()` multiplies the last two axes; leading axes are batches and broadcast, so (32, 1, 784)
#' by (784, 256) gives (32, 1, 256). `op_dense()` is a whole layer, `activation(x kernel + bias)`, in one
#' op.
#'
#' @param x a tensor or array; for `op_dense()` its last axis is the inputs.
#' @param y a tensor or array with at least two axes.
#' @param transpose_x,transpose_y swap the last two axes first?
#' @param kernel (inputs, outputs).
#' @param bias (outputs) or `NULL`.
#' @param activation `"linear"`, `"relu"`, `"leaky_relu"`, `"elu"`, `"selu"`, `"sigmoid"`, `"tanh"`, `"softplus"` or
#'   `"exp"`.
#' @param alpha parameter of `"elu"` (1 by default) and `"leaky_relu"` (0.2).
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` if the inner sizes differ; both shapes are named.
#' @examples
#' as.array(op_matmul(diag(2), matrix(1:4 / 2, 2)))
#' as.array(op_dense(matrix(c(1, -1), 1), diag(2), c(0, 0), "relu"))
#' @export
op_matmul <- function(x, y, transpose_x = FALSE, transpose_y = FALSE) {
  apply_op("matmul", list(x, y), ints = c(check_flag(transpose_x), check_flag(transpose_y)))
}

#' @rdname op_matmul
#' @export
op_dense <- function(x, kernel, bias = NULL, activation = "linear", alpha = if (activation == "elu") 1 else 0.2) {
  check_choice(activation, enums$dense_activation)
  # in place, the derivative follows from the sign of the result, which must be that of the sum
  if (check_number(alpha) < 0 && activation == "elu") return(op_elu(op_dense(x, kernel, bias), alpha))
  if (alpha < 0 && activation == "leaky_relu") return(op_leaky_relu(op_dense(x, kernel, bias), alpha))
  code <- if (activation == "linear") -1 else op_code[[activation]]
  apply_op("dense", c(list(x, kernel), if (!is.null(bias)) list(bias)), ints = code, reals = alpha)
}
