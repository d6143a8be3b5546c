# The functions of Keras' backend, k_*(). Thin spellings of op_*(); axes are 1-based, as in R.

# ---- numbers of one's own, and the session ----

#' Keras backend: constants, variables and dtypes
#'
#' The `k_*()` functions are those of R's keras package, for custom losses, layers and models. They work on tensors and
#' R arrays, are recorded by tapes and may be used in [autograph()]ed functions. **Axes are 1-based** and negative ones
#' count from the end; class labels and the results of [k_argmax()] are 0-based, as there. What they compute is said at
#' [k_sum()] and [k_reshape()].
#'
#' | function | |
#' |---|---|
#' | `k_constant()` | a tensor; one number fills `shape`, more are read into it row by row |
#' | `k_variable()`, `k_zeros()`, `k_ones()`, `k_eye()` | a [variable()] |
#' | `k_zeros_like()`, `k_ones_like()`, `k_identity()` | a tensor of the shape of `x` |
#' | `k_random_normal()`, `k_random_uniform()`, `k_truncated_normal()`, `k_random_binomial()` | a tensor of random numbers; binomial: 1 with probability `p`, else 0 |
#' | `k_get_value()`, `k_eval()` | the numbers, as an R array |
#' | `k_set_value()`, `k_update()`, `k_update_add()`, `k_update_sub()` | change a variable in place |
#' | `k_cast()`, `k_dtype()` | cast to another dtype; the name of the dtype |
#' | `k_shape()`, `k_int_shape()`, `k_ndim()` | a tensor of the sizes; a list of them; how many |
#' | `k_floatx()`, `k_set_floatx()` | the default float dtype, `"float32"` at first |
#' | `k_epsilon()`, `k_set_epsilon()` | the fuzz factor, a small number that losses use, 1e-7 at first |
#' | `k_clear_session()` | ignored; present for compatibility: there are no global graphs |
#' | `k_gradients()` | an error that says how gradients are asked for |
#'
#' @param value,x an array or tensor; a variable for `k_set_value()` and the updates.
#' @param dtype as for [tensor()]; `NULL` for `k_floatx()`, or that of `x` in `k_zeros_like()` and `k_ones_like()`.
#' @param shape whole numbers, also as a list.
#' @param name a string, or `NULL`.
#' @param size how many rows and columns.
#' @param mean,stddev,minval,maxval see [op_random_uniform()].
#' @param p a number from 0 to 1.
#' @param seed a whole number, or `NULL` for R's generator as it stands.
#' @param new_x,increment,decrement arrays or tensors of the variable's shape.
#' @param floatx `"float32"` or `"float64"`.
#' @param e a small number above 0.
#' @param loss,variables ignored; present for compatibility with Keras.
#' @return See the table. `k_set_*()` and `k_clear_session()` return `NULL`, the updates the variable, invisibly.
#' @examples
#' w <- k_variable(matrix(1:6, 2), name = "w")
#' k_update_add(w, k_ones_like(w))
#' k_get_value(w)
#' k_int_shape(w)
#' k_constant(0, shape = c(2, 3))
#' @name k_constant
NULL

or_floatx <- function(dtype) if (is.null(dtype)) session$floatx else dtype

#' @rdname k_constant
#' @export
k_constant <- function(value, dtype = NULL, shape = NULL, name = NULL) {
  x <- tensor(value, or_floatx(dtype))
  fit_shape(x, shape)
}
#' @rdname k_constant
#' @export
k_variable <- function(value, dtype = NULL, name = NULL) {
  variable(value, or_floatx(dtype), name = if (is.null(name)) "Variable" else name)
}
#' @rdname k_constant
#' @export
k_zeros <- function(shape, dtype = NULL, name = NULL) k_variable(tensor_filled(0, shape, or_floatx(dtype)), dtype, name)
#' @rdname k_constant
#' @export
k_ones <- function(shape, dtype = NULL, name = NULL) k_variable(tensor_filled(1, shape, or_floatx(dtype)), dtype, name)
#' @rdname k_constant
#' @export
k_eye <- function(size, dtype = NULL, name = NULL) {
  size <- check_count(size)
  k_variable(diagonal(1, c(size, size), "size"), dtype, name)
}
#' @rdname k_constant
#' @export
k_zeros_like <- function(x, dtype = NULL, name = NULL) tensor(op_zeros_like(x), dtype)
#' @rdname k_constant
#' @export
k_ones_like <- function(x, dtype = NULL, name = NULL) tensor(op_ones_like(x), dtype)
#' @rdname k_constant
#' @export
k_identity <- function(x, name = NULL) {
  x <- tensor(x)
  op_cast(x, tensor_dtype(x))
}

#' @rdname k_constant
#' @export
k_random_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_normal(shape, mean, stddev, or_floatx(dtype)))
}
#' @rdname k_constant
#' @export
k_random_uniform <- function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_uniform(shape, minval, maxval, or_floatx(dtype)))
}
#' @rdname k_constant
#' @export
k_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_truncated_normal(shape, mean, stddev, or_floatx(dtype)))
}
#' @rdname k_constant
#' @export
k_random_binomial <- function(shape, p = 0, dtype = NULL, seed = NULL) {
  op_cast(op_less(k_random_uniform(shape, seed = seed), check_number(p, min = 0, max = 1)), or_floatx(dtype))
}

#' @rdname k_constant
#' @export
k_get_value <- function(x) if (is_tensor(x)) as.array(x) else check_numbers(x)
#' @rdname k_constant
#' @export
k_eval <- k_get_value
#' @rdname k_constant
#' @export
k_set_value <- function(x, value) {
  check_tensor(x)$assign(value)
  invisible()
}
#' @rdname k_constant
#' @export
k_update <- function(x, new_x) check_tensor(x)$assign(new_x)
#' @rdname k_constant
#' @export
k_update_add <- function(x, increment) check_tensor(x)$assign_add(increment)
#' @rdname k_constant
#' @export
k_update_sub <- function(x, decrement) check_tensor(x)$assign_sub(decrement)

#' @rdname k_constant
#' @export
k_cast <- function(x, dtype) op_cast(x, dtype)
#' @rdname k_constant
#' @export
k_dtype <- function(x) tensor_dtype(tensor(x))
#' @rdname k_constant
#' @export
k_shape <- function(x) op_shape(x)
#' @rdname k_constant
#' @export
k_int_shape <- function(x) as.list(shape_of(x))
#' @rdname k_constant
#' @export
k_ndim <- function(x) rank_of(x)

#' @rdname k_constant
#' @export
k_floatx <- function() session$floatx
#' @rdname k_constant
#' @export
k_set_floatx <- function(floatx) {
  session$floatx <- as.character(check_choice(floatx, c("float32", "float64")))
  invisible()
}
#' @rdname k_constant
#' @export
k_epsilon <- function() session$epsilon
#' @rdname k_constant
#' @export
k_set_epsilon <- function(e) {
  session$epsilon <- check_number(e, above = 0, below = 0.5)
  invisible()
}
#' @rdname k_constant
#' @export
k_clear_session <- function() {
  session$names <- list()
  invisible()
}
#' @rdname k_constant
#' @export
k_gradients <- function(loss, variables) {
  abort(
    "gradients are asked of a tape that records the computation: `with(tf$GradientTape() %as% tape, loss <- ...)`, ",
    "then `tape$gradient(loss, variables)`")
}

# ---- shapes ----

#' Keras backend: shapes
#'
#' As the ops of [op_reshape()] and [op_gather()] under their Keras names; see [k_constant()] for the family. Flattening
#' and reshaping read row by row. **Axes are 1-based**, indices of rows and classes 0-based.
#'
#' | function | |
#' |---|---|
#' | `k_flatten()`, `k_batch_flatten()` | one axis; two axes, the first one kept |
#' | `k_reshape()`, `k_permute_dimensions()`, `k_transpose()` | [op_reshape()], [op_transpose()] |
#' | `k_expand_dims()`, `k_squeeze()` | add and drop an axis of size 1 |
#' | `k_concatenate()`, `k_stack()` | join tensors along an axis, along a new one |
#' | `k_repeat_elements()`, `k_tile()`, `k_reverse()` | repeat slices, repeat the whole, turn around |
#' | `k_gather()`, `k_one_hot()` | rows by their index; one-hot encoding of class labels |
#'
#' @param x,reference an array or tensor.
#' @param shape whole numbers, also as a list; one may be -1.
#' @param pattern for each axis of the result, the axis of `x` it comes from.
#' @param axis,axes 1-based, negative from the end.
#' @param tensors a list of tensors or arrays.
#' @param rep how many times.
#' @param n how many times, one number per axis.
#' @param indices whole numbers, 0-based.
#' @param num_classes how many classes.
#' @return A tensor.
#' @examples
#' x <- k_constant(matrix(1:6, 2))
#' k_flatten(x)
#' k_concatenate(list(x, x), axis = 1)
#' k_repeat_elements(x, 2, axis = 2)
#' k_one_hot(c(0, 2), 3)
#' @name k_reshape
NULL

#' @rdname k_reshape
#' @export
k_flatten <- function(x) op_reshape(x, -1)
#' @rdname k_reshape
#' @export
k_batch_flatten <- function(x) op_reshape(x, c(-1, prod(shape_of(x)[-1])))
#' @rdname k_reshape
#' @export
k_reshape <- function(x, shape) op_reshape(x, shape)
#' @rdname k_reshape
#' @export
k_permute_dimensions <- function(x, pattern) op_transpose(x, pattern)
#' @rdname k_reshape
#' @export
k_transpose <- function(x) op_transpose(x)
#' @rdname k_reshape
#' @export
k_expand_dims <- function(x, axis = -1) op_expand_dims(x, axis)
#' @rdname k_reshape
#' @export
k_squeeze <- function(x, axis) op_squeeze(x, axis)
#' @rdname k_reshape
#' @export
k_concatenate <- function(tensors, axis = -1) op_concat(tensors, axis)
#' @rdname k_reshape
#' @export
k_stack <- function(x, axis = 1) op_stack(x, axis)
#' @rdname k_reshape
#' @export
k_repeat_elements <- function(x, rep, axis) op_repeat(x, rep, axis)
#' @rdname k_reshape
#' @export
k_tile <- function(x, n) op_tile(x, n)
#' @rdname k_reshape
#' @export
k_reverse <- function(x, axes) op_reverse(x, axes)
#' @rdname k_reshape
#' @export
k_gather <- function(reference, indices) op_gather(reference, indices)
#' @rdname k_reshape
#' @export
k_one_hot <- function(indices, num_classes) op_one_hot(indices, num_classes, session$floatx)

# ---- mathematics ----

#' Keras backend: mathematics
#'
#' See [k_constant()] for the family. **Axes are 1-based**, negative from the end, `NULL` for all; the positions that
#' `k_argmax()` and `k_argmin()` give are 0-based, as class labels are.
#'
#' | functions | |
#' |---|---|
#' | `k_sum k_mean k_max k_min k_prod k_std k_var k_any k_all k_logsumexp` | over axes, see [op_sum()]; the divisor of the variance is n |
#' | `k_argmax k_argmin k_cumsum` | along one axis |
#' | `k_abs k_square k_sqrt k_exp k_log k_pow k_sign k_round k_sin k_cos k_clip` | element by element |
#' | `k_maximum k_minimum k_equal k_not_equal k_greater k_greater_equal k_less k_less_equal` | two arrays, broadcast as in [op_add()] |
#' | `k_switch` | `then_expression` where the condition holds; it may lack the last axes of that. The expressions may be functions without arguments, of which one is called by a single condition |
#' | `k_dot` | the last axis of `x` with the last but one of `y` |
#' | `k_batch_dot` | likewise, sample by sample; or along `axes` of `x` and `y` |
#' | `k_relu` | `x` from `threshold` on and `alpha * (x - threshold)` below, cut at `max_value` |
#' | `k_elu k_sigmoid k_hard_sigmoid k_tanh k_softmax k_softplus k_softsign` | activations, see [op_relu()] |
#' | `k_l2_normalize` | divides by the norm along an axis |
#' | `k_binary_crossentropy` | element by element |
#' | `k_categorical_crossentropy k_sparse_categorical_crossentropy` | one number per sample |
#' | `k_dropout` | see [op_dropout()] |
#' | `k_stop_gradient` | the same numbers, as constants; also of a list |
#'
#' `k_mean()`, `k_var()` and `k_std()` take integers and logical values too, which become `k_floatx()`.
#'
#' @param x,y arrays or tensors.
#' @param axis 1-based, negative from the end.
#' @param keepdims keep the reduced axes with size 1?
#' @param a the exponent.
#' @param min_value,max_value the ends; `NULL` for none.
#' @param condition logical values.
#' @param then_expression,else_expression arrays, tensors or functions.
#' @param axes an axis of `x` and one of `y`, or one number for both; the first axis holds the samples.
#' @param alpha a number, the slope below the threshold or the limit of the ELU, with the sign changed.
#' @param threshold a number.
#' @param target,output targets and predictions; targets of the sparse form are labels 0 .. K-1.
#' @param from_logits is `output` logits, the inputs of a sigmoid or softmax, rather than probabilities?
#' @param level the fraction of elements to drop, from 0 to below 1.
#' @param noise_shape see [op_dropout()].
#' @param seed a whole number, or `NULL` for R's generator as it stands.
#' @param variables a tensor, or a list of them.
#' @return A tensor (a list of tensors from `k_stop_gradient()` of a list).
#' @examples
#' x <- k_constant(matrix(c(1, -2, 3, -4, 5, -6), 2))
#' k_sum(x, axis = 1)
#' k_argmax(x)
#' k_relu(x, alpha = 0.1, max_value = 4)
#' k_mean(k_equal(k_argmax(x), c(2, 0)))
#' # a custom loss
#' loss <- function(y_true, y_pred) k_mean(k_square(y_pred - y_true), axis = -1)
#' loss(k_zeros_like(x), x)
#' @name k_sum
NULL

#' Means are of floats.
#' @noRd
floats_of <- function(x) if (startsWith(k_dtype(x), "float")) x else op_cast(x, session$floatx)

#' @rdname k_sum
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
#' @rdname k_sum
#' @export
k_any <- function(x, axis = NULL, keepdims = FALSE) op_any(op_cast(x, "bool"), axis, keepdims)
#' @rdname k_sum
#' @export
k_all <- function(x, axis = NULL, keepdims = FALSE) op_all(op_cast(x, "bool"), axis, keepdims)
#' @rdname k_sum
#' @export
k_logsumexp <- function(x, axis = NULL, keepdims = FALSE) op_logsumexp(x, axis, keepdims)
#' @rdname k_sum
#' @export
k_argmax <- function(x, axis = -1) op_cast(op_argmax(x, axis), "int64")
#' @rdname k_sum
#' @export
k_argmin <- function(x, axis = -1) op_cast(op_argmin(x, axis), "int64")
#' @rdname k_sum
#' @export
k_cumsum <- function(x, axis = 1) op_cumsum(x, axis)

#' @rdname k_sum
#' @export
k_abs <- function(x) op_abs(x)
#' @rdname k_sum
#' @export
k_square <- function(x) op_square(x)
#' @rdname k_sum
#' @export
k_sqrt <- function(x) op_sqrt(x)
#' @rdname k_sum
#' @export
k_exp <- function(x) op_exp(x)
#' @rdname k_sum
#' @export
k_log <- function(x) op_log(x)
#' @rdname k_sum
#' @export
k_pow <- function(x, a) power(tensor(x), a)
#' @rdname k_sum
#' @export
k_sign <- function(x) op_sign(x)
#' @rdname k_sum
#' @export
k_round <- function(x) op_round(x)
#' @rdname k_sum
#' @export
k_sin <- function(x) op_sin(x)
#' @rdname k_sum
#' @export
k_cos <- function(x) op_cos(x)
#' @rdname k_sum
#' @export
k_clip <- function(x, min_value = NULL, max_value = NULL) {
  if (is_number(min_value) && is_number(max_value)) return(op_clip(x, min_value, max_value))
  if (!is.null(min_value)) x <- op_maximum(x, min_value)
  if (is.null(max_value)) tensor(x) else op_minimum(x, max_value)
}

#' @rdname k_sum
#' @export
k_maximum <- function(x, y) op_maximum(x, y)
#' @rdname k_sum
#' @export
k_minimum <- function(x, y) op_minimum(x, y)
#' @rdname k_sum
#' @export
k_equal <- function(x, y) op_equal(x, y)
#' @rdname k_sum
#' @export
k_not_equal <- function(x, y) op_not_equal(x, y)
#' @rdname k_sum
#' @export
k_greater <- function(x, y) op_greater(x, y)
#' @rdname k_sum
#' @export
k_greater_equal <- function(x, y) op_greater_equal(x, y)
#' @rdname k_sum
#' @export
k_less <- function(x, y) op_less(x, y)
#' @rdname k_sum
#' @export
k_less_equal <- function(x, y) op_less_equal(x, y)

#' @rdname k_sum
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

#' @rdname k_sum
#' @export
k_dot <- function(x, y) {
  rank <- rank_of(y)
  if (rank <= 2) return(op_matmul(x, y))
  shape <- shape_of(y)
  columns <- op_reshape(op_transpose(beside(y, x), c(rank - 1, seq_len(rank)[-(rank - 1)])), c(shape[rank - 1], -1))
  op_reshape(op_matmul(x, columns), c(-1, shape_of(x)[-c(1, rank_of(x))], shape[-(rank - 1)]))
}

#' @rdname k_sum
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

#' @rdname k_sum
#' @export
k_relu <- function(x, alpha = 0, max_value = NULL, threshold = 0) {
  y <- if (check_number(threshold) != 0) {
    op_where(op_greater(x, threshold), x, op_multiply(op_subtract(x, threshold), check_number(alpha)))
  } else if (check_number(alpha) != 0) {
    op_leaky_relu(x, alpha)
  } else {
    op_relu(x)
  }
  if (is.null(max_value)) y else op_minimum(y, check_number(max_value))
}
#' @rdname k_sum
#' @export
k_elu <- function(x, alpha = 1) op_elu(x, alpha)
#' @rdname k_sum
#' @export
k_sigmoid <- function(x) op_sigmoid(x)
#' @rdname k_sum
#' @export
k_hard_sigmoid <- function(x) op_hard_sigmoid(x)
#' @rdname k_sum
#' @export
k_tanh <- function(x) op_tanh(x)
#' @rdname k_sum
#' @export
k_softmax <- function(x, axis = -1) op_softmax(x, axis)
#' @rdname k_sum
#' @export
k_softplus <- function(x) op_softplus(x)
#' @rdname k_sum
#' @export
k_softsign <- function(x) op_softsign(x)
#' @rdname k_sum
#' @export
k_l2_normalize <- function(x, axis = NULL) op_l2_normalize(x, axis)

#' @rdname k_sum
#' @export
k_binary_crossentropy <- function(target, output, from_logits = FALSE) {
  single <- function(x, other) op_expand_dims(beside(x, other), -1) # each element as a row of its own
  op_binary_crossentropy(single(target, output), single(output, target), from_logits, clip = session$epsilon,
    epsilon = session$epsilon)
}
#' @rdname k_sum
#' @export
k_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1) {
  check_last_axis(axis, output)
  op_categorical_crossentropy(target, output, from_logits, clip = session$epsilon)
}
#' @rdname k_sum
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

#' @rdname k_sum
#' @export
k_dropout <- function(x, level, noise_shape = NULL, seed = NULL) {
  with_own_seed(seed, op_dropout(x, level, noise_shape))
}
#' @rdname k_sum
#' @export
k_stop_gradient <- function(variables) {
  if (is_branch(variables)) lapply(variables, op_stop_gradient) else op_stop_gradient(variables)
}
