# Keras' backend functions: mathematics. The others are in R/keras-backend.R and R/keras-shape.R.

#' Reductions
#'
#' Reduce axes to one number each. The divisor of the variance is n. `k_logsumexp()` is
#' \eqn{\log \sum_i e^{x_i}}{log(sum(exp(x)))}. `k_mean()`, `k_var()` and `k_std()` take integers and logical values,
#' too, which become [k_floatx()].
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end; `NULL` for all.
#' @param keepdims keep the reduced axes with size 1?
#' @return A tensor; a scalar if all axes are reduced.
#' @seealso [keras_backend], [op_sum()]
#' @examples
#' k_sum(matrix(1:6, 2), axis = 1)
#' k_mean(k_equal(c(1, 2), c(1, 3)))
#' @export
k_sum <- function(x, axis = NULL, keepdims = FALSE) op_sum(x, axis, keepdims)

#' @rdname k_sum
#' @export
k_mean <- function(x, axis = NULL, keepdims = FALSE) op_mean(floats_of(x), axis, keepdims)

#' @rdname k_sum
#' @export
k_max <- function(x, axis = NULL, keepdims = FALSE) op_max(x, axis, keepdims)

#' @rdname k_sum
#' @export
k_min <- function(x, axis = NULL, keepdims = FALSE) op_min(x, axis, keepdims)

#' @rdname k_sum
#' @export
k_prod <- function(x, axis = NULL, keepdims = FALSE) op_prod(x, axis, keepdims)

#' @rdname k_sum
#' @export
k_std <- function(x, axis = NULL, keepdims = FALSE) op_std(floats_of(x), axis, keepdims)

#' @rdname k_sum
#' @export
k_var <- function(x, axis = NULL, keepdims = FALSE) op_var(floats_of(x), axis, keepdims)

#' Logical reductions
#'
#' Is any element true, or not 0; are all elements?
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end; `NULL` for all.
#' @param keepdims keep the reduced axes with size 1?
#' @return A bool tensor.
#' @seealso [keras_backend], [op_any()]
#' @examples
#' k_any(c(TRUE, FALSE))
#' @export
k_any <- function(x, axis = NULL, keepdims = FALSE) op_any(op_cast(x, "bool"), axis, keepdims)

#' @rdname k_any
#' @export
k_all <- function(x, axis = NULL, keepdims = FALSE) op_all(op_cast(x, "bool"), axis, keepdims)

#' @rdname k_sum
#' @export
k_logsumexp <- function(x, axis = NULL, keepdims = FALSE) op_logsumexp(x, axis, keepdims)

#' Index of the maximum or minimum
#'
#' The first index of the maximum or minimum along an axis, **0-based** as class labels are.
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end.
#' @return A tensor of int64.
#' @seealso [keras_backend], [op_argmax()]
#' @examples
#' k_argmax(matrix(c(1, 9, 5, 2), 2)) # 1 0
#' @export
k_argmax <- function(x, axis = -1) op_argmax(x, axis, zero_indexed = TRUE)

#' @rdname k_argmax
#' @export
k_argmin <- function(x, axis = -1) op_argmin(x, axis, zero_indexed = TRUE)

#' Cumulative sum
#'
#' Sums from the start of an axis on.
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end.
#' @return A tensor.
#' @seealso [keras_backend], [op_cumsum()]
#' @examples
#' k_cumsum(1:4)
#' @export
k_cumsum <- function(x, axis = 1) op_cumsum(x, axis)

#' Elementwise functions
#'
#' As the functions of these names in R; `k_pow()` is `x^a`, `k_round()` rounds halves to the even number.
#'
#' @param x an array or tensor.
#' @param a the exponent.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [op_exp()], [op_sin()]
#' @examples
#' k_square(c(1, -2))
#' k_pow(c(1, 2), 3)
#' @export
k_abs <- function(x) op_abs(x)

#' @rdname k_abs
#' @export
k_square <- function(x) op_square(x)

#' @rdname k_abs
#' @export
k_sqrt <- function(x) op_sqrt(x)

#' @rdname k_abs
#' @export
k_exp <- function(x) op_exp(x)

#' @rdname k_abs
#' @export
k_log <- function(x) op_log(x)

#' @rdname k_abs
#' @export
k_pow <- function(x, a) power(tensor(x), a)

#' @rdname k_abs
#' @export
k_sign <- function(x) op_sign(x)

#' @rdname k_abs
#' @export
k_round <- function(x) op_round(x)

#' @rdname k_abs
#' @export
k_sin <- function(x) op_sin(x)

#' @rdname k_abs
#' @export
k_cos <- function(x) op_cos(x)

#' Clip to a range
#'
#' \eqn{\min(\max(x, a), b)}{min(max(x, a), b)}, element by element.
#'
#' @param x an array or tensor.
#' @param min_value,max_value the ends a and b; `NULL` for none.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [op_clip()]
#' @examples
#' k_clip(c(-3, 0.5, 7), -1, 1)
#' @export
k_clip <- function(x, min_value = NULL, max_value = NULL) {
  if (is_number(min_value) && is_number(max_value)) return(op_clip(x, min_value, max_value))
  if (!is.null(min_value)) x <- op_maximum(x, min_value)
  if (is.null(max_value)) tensor(x) else op_minimum(x, max_value)
}

#' Elementwise maximum and minimum
#'
#' The larger or the smaller of two numbers, element by element, with broadcasting.
#'
#' @param x,y arrays or tensors.
#' @return A tensor.
#' @seealso [keras_backend], [op_maximum()]
#' @examples
#' k_maximum(c(1, 5), c(3, 2))
#' @export
k_maximum <- function(x, y) op_maximum(x, y)

#' @rdname k_maximum
#' @export
k_minimum <- function(x, y) op_minimum(x, y)

#' Elementwise comparisons
#'
#' Compare two arrays element by element, with broadcasting.
#'
#' @param x,y arrays or tensors.
#' @return A bool tensor.
#' @seealso [keras_backend], [op_less()]
#' @examples
#' k_greater(c(1, 5), 3)
#' @export
k_equal <- function(x, y) op_equal(x, y)

#' @rdname k_equal
#' @export
k_not_equal <- function(x, y) op_not_equal(x, y)

#' @rdname k_equal
#' @export
k_greater <- function(x, y) op_greater(x, y)

#' @rdname k_equal
#' @export
k_greater_equal <- function(x, y) op_greater_equal(x, y)

#' @rdname k_equal
#' @export
k_less <- function(x, y) op_less(x, y)

#' @rdname k_equal
#' @export
k_less_equal <- function(x, y) op_less_equal(x, y)

#' Select by a condition
#'
#' `then_expression` where the condition holds, `else_expression` elsewhere. The condition may lack the last axes of the
#' expressions. These may be functions without arguments, of which one is called by a condition of one value.
#'
#' @param condition logical values.
#' @param then_expression,else_expression arrays, tensors or functions.
#' @return A tensor.
#' @seealso [keras_backend], [op_where()]
#' @examples
#' k_switch(c(TRUE, FALSE), c(1, 2), c(3, 4)) # 1 4
#' @export
k_switch <- function(condition, then_expression, else_expression) {
  value <- function(x) if (is.function(x)) check_function(x, "then_expression, else_expression", "k_switch",
    takes = 0)() else x
  one <- rank_of(condition) == 0
  if (one && (is.function(then_expression) || is.function(else_expression))) {
    return(value(if (one_truth(condition, "condition")) then_expression else else_expression))
  }
  then <- value(then_expression)
  if (!one) while (rank_of(condition) < rank_of(then)) condition <- op_expand_dims(condition, -1)
  tf$where(condition, then, value(else_expression))
}

#' An R array becomes a tensor of the dtype of the tensor that it meets.
#' @noRd
beside <- function(x, other) if (is_tensor(x)) x else tensor(x, if (is_tensor(other)) tensor_dtype(other) else
  float_dtype(x, other))

#' Dot product
#'
#' Multiplies the last axis of `x` with the last but one of `y`; for matrices the matrix product.
#'
#' @param x,y arrays or tensors.
#' @return A tensor.
#' @seealso [keras_backend], [op_matmul()]
#' @examples
#' k_dot(matrix(1:4 / 2, 2), diag(2))
#' @export
k_dot <- function(x, y) {
  rank <- rank_of(y)
  if (rank <= 2) return(op_matmul(x, y))
  shape <- shape_of(y)
  columns <- op_reshape(op_transpose(beside(y, x), c(rank - 1, seq_len(rank)[-(rank - 1)])), c(shape[rank - 1], -1))
  op_reshape(op_matmul(x, columns), c(-1, shape_of(x)[-c(1, rank_of(x))], shape[-(rank - 1)]))
}

#' Batch-wise dot product
#'
#' The dot product sample by sample: (batch, n, k) times (batch, k, m) gives (batch, n, m); or along `axes`.
#'
#' @param x,y arrays or tensors, whose first axis is the batch.
#' @param axes an axis of `x` and one of `y`, or one number for both, 1-based.
#' @return A tensor.
#' @seealso [keras_backend], [layer_dot()]
#' @examples
#' x <- array(1, c(5, 2, 3))
#' y <- array(1, c(5, 3, 4))
#' k_int_shape(k_batch_dot(x, y))
#' @export
k_batch_dot <- function(x, y, axes = NULL) {
  shapes <- list(shape_of(x), shape_of(y))
  ranks <- lengths(shapes)
  if (any(ranks < 2)) abort("`x` and `y` must have at least two axes, not shapes ", format_shape(shapes[[1]]), " and ",
    format_shape(shapes[[2]]), class = "shape")
  if (is.null(axes)) axes <- c(ranks[1], max(2, ranks[2] - 1))
  axes <- check_whole(axes)
  if (!length(axes) %in% 1:2) abort("`axes` must be one axis of `x` and one of `y`, not ", describe(axes))
  axes <- rep_len(axes, 2)
  at <- c(check_axis(axes[1], ranks[1], "axes"), check_axis(axes[2], ranks[2], "axes")) + 1
  if (any(at == 1)) abort("`axes` must not be the first one, which holds the samples")
  rest <- Map(function(rank, axis) seq_len(rank)[-c(1, axis)], ranks, at)
  # (samples, rows, inner) times (samples, inner, columns)
  sizes <- Map(`[`, shapes, rest)
  inner <- c(shapes[[1]][at[1]], shapes[[2]][at[2]])
  rows <- op_reshape(op_transpose(beside(x, y), c(1, rest[[1]], at[1])), c(-1, prod(sizes[[1]]), inner[1]))
  columns <- op_reshape(op_transpose(beside(y, x), c(1, at[2], rest[[2]])), c(-1, inner[2], prod(sizes[[2]])))
  kept <- unlist(sizes)
  op_reshape(op_matmul(rows, columns), c(-1, if (length(kept)) kept else 1))
}

#' ReLU
#'
#' \eqn{\max(x, 0)}{max(x, 0)}; in general `x` from `threshold` on and `alpha (x - threshold)` below, at most
#' `max_value`.
#'
#' @param x an array or tensor.
#' @param alpha the slope below the threshold.
#' @param max_value the largest output, or `NULL`.
#' @param threshold a number.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [activation_relu()]
#' @examples
#' k_relu(c(-1, 0, 6), alpha = 0.1, max_value = 4)
#' @export
k_relu <- function(x, alpha = 0, max_value = NULL, threshold = 0) relu_of(x, alpha, max_value, threshold)

#' Activations
#'
#' The activations of these names, element by element; their formulas stand on the pages of the [activations].
#'
#' @param x an array or tensor.
#' @param alpha a number: minus the limit for large negative x.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [activations]
#' @examples
#' k_sigmoid(c(-1, 0, 1))
#' @export
k_elu <- function(x, alpha = 1) op_elu(x, alpha)

#' @rdname k_elu
#' @export
k_sigmoid <- function(x) op_sigmoid(x)

#' @rdname k_elu
#' @export
k_hard_sigmoid <- function(x) op_hard_sigmoid(x, 0.2)

#' @rdname k_elu
#' @export
k_tanh <- function(x) op_tanh(x)

#' Softmax
#'
#' \eqn{e^{x_k} / \sum_i e^{x_i}}{exp(x[k]) / sum(exp(x))} along an axis.
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [activation_softmax()]
#' @examples
#' k_softmax(c(0, 1))
#' @export
k_softmax <- function(x, axis = -1) op_softmax(x, axis)

#' @rdname k_elu
#' @export
k_softplus <- function(x) op_softplus(x)

#' @rdname k_elu
#' @export
k_softsign <- function(x) op_softsign(x)

#' L2 normalization
#'
#' Divides by the Euclidean norm along axes.
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end; `NULL` for all.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [op_l2_normalize()]
#' @examples
#' k_l2_normalize(c(3, 4))
#' @export
k_l2_normalize <- function(x, axis = NULL) op_l2_normalize(x, axis)

#' Cross-entropies
#'
#' `k_binary_crossentropy()` gives the cross-entropy of each element, the others that of each sample. The formulas stand
#' at [loss_binary_crossentropy()] and [loss_categorical_crossentropy()].
#'
#' @param target targets; for the sparse form labels 0 .. K-1.
#' @param output predictions: probabilities or logits.
#' @param from_logits is `output` logits, the inputs of a sigmoid or softmax, rather than probabilities?
#' @param axis must be the last one.
#' @return A tensor.
#' @seealso [keras_backend], [losses]
#' @examples
#' k_binary_crossentropy(c(1, 0), c(0.9, 0.2))
#' k_sparse_categorical_crossentropy(c(0, 1), diag(2))
#' @export
k_binary_crossentropy <- function(target, output, from_logits = FALSE) {
  op_binary_crossentropy(beside(target, output), beside(output, target), from_logits, clip = session$epsilon,
    epsilon = session$epsilon)
}

#' @rdname k_binary_crossentropy
#' @export
k_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1) {
  check_last_axis(axis, output)
  op_categorical_crossentropy(target, output, from_logits, clip = session$epsilon)
}

#' @rdname k_binary_crossentropy
#' @export
k_sparse_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1) {
  check_last_axis(axis, output)
  if (rank_of(target) > 0 && rank_of(target) == rank_of(output)) target <- op_squeeze(target, -1) # labels (n, 1)
  op_sparse_categorical_crossentropy(target, output, from_logits, clip = session$epsilon)
}

check_last_axis <- function(axis, x, fun = calling_function()) {
  rank <- rank_of(x)
  if (check_one_axis(axis, rank, fun = fun) + 1 != rank) abort("`axis` must be the last one, not ", describe(axis),
    fun = fun)
}

#' Dropout
#'
#' Sets elements to 0 with the probability `level` and multiplies the others by `1 / (1 - level)`.
#'
#' @param x an array or tensor.
#' @param level the fraction of elements to drop, from 0 to below 1.
#' @param noise_shape see [op_dropout()].
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @return A tensor of the shape of `x`.
#' @seealso [keras_backend], [layer_dropout()]
#' @examples
#' k_dropout(rep(1, 6), 0.5, seed = 1)
#' @export
k_dropout <- function(x, level, noise_shape = NULL, seed = NULL) {
  with_own_seed(seed, op_dropout(x, level, noise_shape))
}

#' Stop the gradient
#'
#' Gives the same numbers as constants: no gradient flows through them.
#'
#' @param variables a tensor, or a list of them.
#' @return A tensor, or a list of tensors.
#' @seealso [keras_backend], [op_stop_gradient()]
#' @examples
#' k_stop_gradient(k_constant(1))
#' @export
k_stop_gradient <- function(variables) {
  if (is_branch(variables)) lapply(variables, op_stop_gradient) else op_stop_gradient(variables)
}
