# One short wrapper per row of the op table (src/ops.h), and the one door to all of them. Axes are
# 1-based and negative ones count from the end, as in R; class labels and row indices are 0-based,
# as in the data.

no_numbers <- double() # a call of double() takes as long as a small op

#' The one door: run an op now, note it on the recording tapes, or append it to the program being
#' traced.
#' @noRd
apply_op <- function(name, inputs, ints = no_numbers, reals = no_numbers) {
  .Call(C_apply, op_code[[name]], inputs, as.double(ints), as.double(reals), session$tapes)
}

op_table <- function() {
  columns <- .Call(C_op_table)
  names(columns) <- c("name", "fewest", "most", "differentiable", "formula")
  as.data.frame(columns, stringsAsFactors = FALSE)
}

rank_of <- function(x) {
  if (is_tensor(x)) return(length(tensor_info(x)[[2]]))
  if (is.null(dim(x))) as.integer(length(x) != 1) else length(dim(x))
}

#' 1-based, negative from the end, to 0-based. Axes outside 1 .. `rank` are an error.
#' @noRd
check_axis <- function(axis, rank, fun = calling_function()) {
  for (a in axis) {
    if (!is_number(a) || a != round(a) || a == 0 || abs(a) > rank) {
      abort("`axis` must lie in 1 .. ", rank, " or count from the end with -1 .. -", rank, ", not be ", describe(a), fun = fun)
    }
  }
  ifelse(axis < 0, rank + axis, axis - 1)
}

#' As above, for ops that take one axis.
#' @noRd
check_one_axis <- function(axis, rank, fun = calling_function()) {
  check_number(axis, fun = fun)
  check_axis(axis, rank, fun = fun)
}

#' Element by element with broadcasting
#'
#' Shapes are aligned at the right; an axis of size 1, or one that is missing, repeats (NumPy's
#' rule). Plain R numbers take the dtype of the tensor they meet; tensors of different dtype are an
#' error.
#'
#' `op_maximum()` and `op_minimum()` send the gradient of a tie to `x`. `op_power()` has the
#' derivative 0 towards `y` where `x` is not positive.
#'
#' @param x,y tensors or arrays. `op_divide()` and `op_power()` need floats.
#' @return A tensor of the broadcast shape; of dtype bool from comparisons.
#' @section Errors: `nativenet_error_shape` if the shapes do not broadcast (both are named),
#'   `nativenet_error_dtype` if the dtypes differ.
#' @references <https://numpy.org/doc/stable/user/basics.broadcasting.html>
#' @examples
#' as.array(op_add(matrix(1:6, 2), c(10L, 20L, 30L)))
#' as.array(op_less(c(1, 5), 3))
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
op_equal <- function(x, y) apply_op("equal", list(x, y))

#' Functions of one tensor, element by element
#'
#' `op_step()` is 1 where `x > 0` and 0 elsewhere; its derivative is taken as 0, which stops every
#' gradient. At their kinks, `op_abs()`, `op_relu()` and `op_clip()` have the derivative 0 (clip: 1 at
#' its ends). `op_gelu()` is the exact form with the normal distribution function.
#'
#' @param x a float tensor or array (`op_negative()`, `op_abs()`, `op_square()` and `op_clip()` also
#'   take integers).
#' @param x_min,x_max numbers, the ends of the clipped range.
#' @param negative_slope a number, the slope for negative `x`.
#' @param alpha a number, the limit of the ELU at minus infinity, with the sign changed.
#' @return A tensor of the same shape and dtype.
#' @references Clevert et al. (2016), ELU, <https://arxiv.org/abs/1511.07289>. Klambauer et al. (2017),
#'   SELU, <https://arxiv.org/abs/1706.02515>. Hendrycks & Gimpel (2016), GELU,
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
  check_number(x_min)
  check_number(x_max, min = x_min)
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

#' Softmax over the last axis
#'
#' Computed after subtracting each row's maximum, so large inputs do not overflow.
#'
#' @param x a float tensor or array with at least one axis.
#' @return A tensor of the same shape; `op_softmax()`'s rows sum to 1.
#' @examples
#' as.array(op_softmax(c(1000, 1001)))
#' @export
op_softmax <- function(x) apply_op("softmax", list(x))
#' @rdname op_softmax
#' @export
op_log_softmax <- function(x) apply_op("log_softmax", list(x))

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

fusable_activations <- c("linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "exp")

#' @rdname op_matmul
#' @export
op_dense <- function(x, kernel, bias = NULL, activation = "linear", alpha = if (activation == "elu") 1 else 0.2) {
  check_choice(activation, fusable_activations)
  code <- if (activation == "linear") -1 else op_code[[activation]]
  apply_op("dense", c(list(x, kernel), if (!is.null(bias)) list(bias)), ints = code, reals = check_number(alpha))
}

#' Sums and extremes over axes
#'
#' `op_max()` and `op_min()` share the gradient evenly among equal extremes. `op_argmax()` gives the first
#' position of the maximum, counted from 0 as class labels are.
#'
#' @param x a tensor or array; `op_mean()` needs floats.
#' @param axis axes to reduce, 1-based, negative from the end; `NULL` for all. One axis for
#'   `op_argmax()`.
#' @param keepdims keep the reduced axes with size 1?
#' @return A tensor; a scalar if all axes are reduced.
#' @examples
#' as.array(op_sum(matrix(1:6, 2), axis = 1))
#' as.array(op_argmax(matrix(c(1, 9, 5, 2), 2)))
#' @name op_sum
NULL

reduce_op <- function(name, x, axis, keepdims, fun) {
  check_flag(keepdims, arg = "keepdims", fun = fun)
  axes <- if (is.null(axis)) double() else check_axis(axis, rank_of(x), fun = fun)
  apply_op(name, list(x), ints = c(keepdims, axes))
}

#' @rdname op_sum
#' @export
op_sum <- function(x, axis = NULL, keepdims = FALSE) reduce_op("sum", x, axis, keepdims, "op_sum")
#' @rdname op_sum
#' @export
op_mean <- function(x, axis = NULL, keepdims = FALSE) reduce_op("mean", x, axis, keepdims, "op_mean")
#' @rdname op_sum
#' @export
op_max <- function(x, axis = NULL, keepdims = FALSE) reduce_op("max", x, axis, keepdims, "op_max")
#' @rdname op_sum
#' @export
op_min <- function(x, axis = NULL, keepdims = FALSE) reduce_op("min", x, axis, keepdims, "op_min")
#' @rdname op_sum
#' @export
op_argmax <- function(x, axis = -1) {
  apply_op("argmax", list(x), ints = check_one_axis(axis, rank_of(x)))
}

#' Reshape, permute, cut and join
#'
#' None of these changes a number. `op_reshape()` reads and fills row by row (the last axis moves
#' fastest), unlike R's `dim<-`.
#'
#' @param x a tensor or array.
#' @param shape whole numbers; one of them may be -1 and is worked out.
#' @param perm for each axis of the result, the axis of `x` it comes from, 1-based; `NULL` reverses
#'   them.
#' @param start,size,step one whole number per axis: the first element (1-based), how many, and how far
#'   apart (negative: backwards).
#' @param xs a list of tensors or arrays.
#' @param axis 1-based, negative from the end. For `op_stack()` the place of the new axis.
#' @return A tensor.
#' @examples
#' x <- matrix(1:6, 2)
#' as.array(op_reshape(x, c(3, -1)))
#' as.array(op_transpose(x))
#' as.array(op_slice(x, start = c(1, 3), size = c(2, 2), step = c(1, -2)))
#' as.array(op_concat(list(x, x), axis = 2))
#' @name op_reshape
NULL

check_whole <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.numeric(x) && all(is.finite(x)) && all(x == round(x))) return(as.double(x))
  abort("`", arg, "` must be whole numbers, not ", describe(x), fun = fun)
}

#' @rdname op_reshape
#' @export
op_reshape <- function(x, shape) apply_op("reshape", list(x), ints = check_sizes(shape))

# Attributes of a node have room for so many; the shape rules check the rest.
check_sizes <- function(shape, fun = calling_function()) {
  check_whole(shape, arg = "shape", fun = fun)
  if (length(shape) > 8) abort("`shape` must have at most 8 axes, not ", length(shape), fun = fun)
  shape
}

#' @rdname op_reshape
#' @export
op_transpose <- function(x, perm = NULL) {
  rank <- rank_of(x)
  if (is.null(perm)) perm <- rev(seq_len(rank))
  if (!setequal(perm, seq_len(rank)) || length(perm) != rank) {
    abort("`perm` must name each of the axes 1 .. ", rank, " once, not be ", describe(perm))
  }
  apply_op("transpose", list(x), ints = perm - 1)
}

#' @rdname op_reshape
#' @export
op_slice <- function(x, start, size, step = rep(1, length(start))) {
  rank <- rank_of(x)
  for (arg in c("start", "size", "step")) {
    value <- check_whole(get(arg), arg = arg)
    if (length(value) != rank) abort("`", arg, "` must have one number per axis (", rank, "), not ", length(value))
  }
  apply_op("slice", list(x), ints = rbind(start - 1, size, step))
}

check_tensors <- function(xs, fun = calling_function()) {
  if (is.list(xs) && length(xs) > 0) return(xs)
  abort("`xs` must be a list of at least one tensor or array, not ", describe(xs), fun = fun)
}

#' @rdname op_reshape
#' @export
op_concat <- function(xs, axis = -1) {
  apply_op("concat", check_tensors(xs), ints = check_one_axis(axis, rank_of(xs[[1]])))
}

#' @rdname op_reshape
#' @export
op_stack <- function(xs, axis = 1) {
  apply_op("stack", check_tensors(xs), ints = check_one_axis(axis, rank_of(xs[[1]]) + 1))
}

#' Pick, convert, choose
#'
#' @param x a tensor or array.
#' @param indices whole numbers, **0-based** as token ids and class labels are; any shape.
#' @param axis the axis they index, 1-based.
#' @param dtype as for [tensor()]. Floats are cut towards zero to become integers and held at the ends
#'   of the integer's range; anything but 0 is TRUE as bool.
#' @param condition a logical array or bool tensor.
#' @param y a tensor or array; shapes of all three broadcast.
#' @return A tensor. `op_gather()`: the axis is replaced by the axes of `indices`.
#' @section Errors: `nativenet_error_index` if an index lies outside the axis.
#' @examples
#' as.array(op_gather(matrix(1:6, 3), c(2, 0)))
#' as.array(op_where(c(TRUE, FALSE), 1, c(5, 6)))
#' @export
op_gather <- function(x, indices, axis = 1) {
  apply_op("gather", list(x, tensor(indices, "int32")), ints = check_one_axis(axis, rank_of(x)))
}

#' @rdname op_gather
#' @export
op_cast <- function(x, dtype) apply_op("cast", list(x), ints = dtype_code(check_string(dtype)))

#' @rdname op_gather
#' @export
op_where <- function(condition, x, y) apply_op("where", list(tensor(condition, "bool"), x, y))

#' Losses, one number per row
#'
#' Each compares predictions with targets along the last axis and gives the mean, or the sum, of that
#' axis: the loss of each sample. Means over samples are then [op_mean()]. Gradients flow to the
#' targets too, where these are computed from variables.
#'
#' The cross-entropies have a stable form from logits (`from_logits = TRUE`). From probabilities they are
#' clipped to `[clip, 1 - clip]` and `epsilon` is added inside the logarithm; the defaults are those of
#' Keras. `op_categorical_crossentropy()` and its sparse form first divide by the sum of the probabilities
#' (`normalize`), as Keras does.
#'
#' @param y_true targets, of the shape of `y_pred`; for the sparse form whole numbers 0 .. K-1, one per row.
#' @param y_pred predictions, float.
#' @param reduction `"mean"` or `"sum"` over the last axis.
#' @param from_logits are predictions the inputs of a sigmoid or softmax, rather than its outputs?
#' @param clip,epsilon small numbers, see above.
#' @param normalize divide probabilities by their sum first?
#' @param delta where the Huber loss turns from quadratic to linear.
#' @return A float tensor with the last axis removed.
#' @section Errors: `nativenet_error_shape` if shapes differ; `nativenet_error_index` for a label outside
#'   the classes.
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2. Huber (1964),
#'   <https://doi.org/10.1214/aoms/1177703732>.
#' @examples
#' as.array(op_squared_error(matrix(0, 2, 3), matrix(1:6 / 6, 2)))
#' as.array(op_sparse_categorical_crossentropy(c(0, 1), diag(2) * 10, from_logits = TRUE))
#' @name op_losses
NULL

loss_op <- function(name, y_true, y_pred, reduction, reals = double(), ints = double(), fun) {
  check_choice(reduction, c("mean", "sum"), arg = "reduction", fun = fun)
  apply_op(name, list(y_pred, y_true), ints = c(reduction == "mean", ints), reals = reals)
}

#' @rdname op_losses
#' @export
op_squared_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("squared_error", y_true, y_pred, reduction, fun = "op_squared_error")
}

#' @rdname op_losses
#' @export
op_absolute_error <- function(y_true, y_pred, reduction = "mean") {
  loss_op("absolute_error", y_true, y_pred, reduction, fun = "op_absolute_error")
}

#' @rdname op_losses
#' @export
op_huber <- function(y_true, y_pred, delta = 1, reduction = "mean") {
  loss_op("huber", y_true, y_pred, reduction, reals = check_number(delta, above = 0), fun = "op_huber")
}

#' @rdname op_losses
#' @export
op_kl_divergence <- function(y_true, y_pred, clip = 1e-7, reduction = "sum") {
  loss_op("kl_divergence", y_true, y_pred, reduction, reals = check_number(clip, min = 0), fun = "op_kl_divergence")
}

#' @rdname op_losses
#' @export
op_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 1e-7, reduction = "mean") {
  name <- if (check_flag(from_logits)) "sigmoid_crossentropy" else "binary_crossentropy"
  loss_op(name, y_true, y_pred, reduction, reals = c(check_number(clip, min = 0), check_number(epsilon, min = 0)),
    fun = "op_binary_crossentropy")
}

#' @rdname op_losses
#' @export
op_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 0, normalize = TRUE,
                                        reduction = "sum") {
  name <- if (check_flag(from_logits)) "softmax_crossentropy" else "categorical_crossentropy"
  loss_op(name, y_true, y_pred, reduction, reals = c(check_number(clip, min = 0), check_number(epsilon, min = 0)),
    ints = check_flag(normalize), fun = "op_categorical_crossentropy")
}

#' @rdname op_losses
#' @export
op_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, clip = 1e-7, epsilon = 0, normalize = TRUE) {
  name <- if (check_flag(from_logits)) "sparse_softmax_crossentropy" else "sparse_categorical_crossentropy"
  loss_op(name, tensor(y_true, "int32"), y_pred, "sum", reals = c(check_number(clip, min = 0), check_number(epsilon, min = 0)),
    ints = check_flag(normalize), fun = "op_sparse_categorical_crossentropy")
}
