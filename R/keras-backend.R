# The functions of Keras' backend, k_*(). Thin spellings of op_*(); axes are 1-based, as in R.

#' Keras backend
#'
#' The `k_*()` functions are those of R's keras package, for custom losses, layers and models. They work on tensors and
#' R arrays, are recorded by tapes and may be used in [autograph()]ed functions. **Axes are 1-based** and negative ones
#' count from the end; class labels and the results of [k_argmax()] are 0-based, as there.
#'
#' * Creation: [k_constant()], [k_variable()], [k_zeros()], [k_ones()], [k_eye()], [k_zeros_like()],
#'   [k_random_normal()].
#' * Values and dtypes: [k_get_value()], [k_set_value()], [k_cast()], [k_shape()], [k_floatx()], [k_epsilon()].
#' * Shapes: [k_reshape()], [k_flatten()], [k_permute_dimensions()], [k_expand_dims()], [k_concatenate()],
#'   [k_repeat_elements()], [k_reverse()], [k_gather()], [k_one_hot()].
#' * Reductions: [k_sum()], [k_any()], [k_argmax()], [k_cumsum()].
#' * Elementwise: [k_abs()], [k_clip()], [k_maximum()], [k_equal()], [k_switch()].
#' * Products: [k_dot()], [k_batch_dot()], [k_l2_normalize()].
#' * Loops: [k_map_fn()], [k_foldl()], [k_rnn()]. Functions of symbolic tensors: [k_function()], [k_gradients()].
#' * Networks: [k_relu()], [k_elu()], [k_softmax()], [k_binary_crossentropy()], [k_dropout()], [k_stop_gradient()].
#'
#' @seealso [tf] for TensorFlow's names
#' @examples
#' # a custom loss
#' loss <- function(y_true, y_pred) k_mean(k_square(y_pred - y_true), axis = -1)
#' loss(matrix(0, 2, 2), matrix(1, 2, 2))
#' @name keras_backend
NULL

# ---- constants, variables and the session ----

or_floatx <- function(dtype) if (is.null(dtype)) session$floatx else dtype

#' Constant tensor
#'
#' A tensor of constants. One number fills the shape; more are read into it in row-major order.
#'
#' @param value a number, vector or array.
#' @param dtype a string, as for [tensor()]; `NULL` for [k_floatx()].
#' @param shape whole numbers, also as a list; `NULL` for the shape of `value`.
#' @param name ignored; present for compatibility with Keras.
#' @return A tensor.
#' @seealso [keras_backend], [tensor()]
#' @examples
#' k_constant(0, shape = c(2, 3))
#' @export
k_constant <- function(value, dtype = NULL, shape = NULL, name = NULL) {
  x <- tensor(value, or_floatx(dtype))
  fit_shape(x, shape)
}

#' Variables
#'
#' A [variable()] of given values, of zeros, of ones, or of the identity matrix.
#'
#' @param value an array or tensor.
#' @param shape whole numbers, also as a list.
#' @param size the number of rows and columns.
#' @param dtype a string, as for [tensor()]; `NULL` for [k_floatx()].
#' @param name a string, or `NULL`.
#' @param constraint must be `NULL`.
#' @return A variable.
#' @seealso [keras_backend], [k_set_value()]
#' @examples
#' w <- k_variable(matrix(1:6, 2), name = "w")
#' w
#' k_zeros(c(2, 3))
#' @export
k_variable <- function(value, dtype = NULL, name = NULL, constraint = NULL) {
  if (!is.null(constraint)) abort("`constraint` must be NULL: layers have constraints, variables have none")
  variable(value, or_floatx(dtype), name = if (is.null(name)) "Variable" else name)
}

#' @rdname k_variable
#' @export
k_zeros <- function(shape, dtype = NULL, name = NULL) k_variable(tensor_filled(0, shape, or_floatx(dtype)), dtype, name)

#' @rdname k_variable
#' @export
k_ones <- function(shape, dtype = NULL, name = NULL) k_variable(tensor_filled(1, shape, or_floatx(dtype)), dtype, name)

#' @rdname k_variable
#' @export
k_eye <- function(size, dtype = NULL, name = NULL) {
  size <- check_count(size)
  k_variable(diagonal(1, c(size, size), "size"), dtype, name)
}

#' Zeros, ones and copies of a tensor
#'
#' Tensors of the shape of `x`: zeros, ones, or the numbers of `x` themselves.
#'
#' @param x an array or tensor.
#' @param dtype a string; `NULL` for that of `x`.
#' @param name ignored; present for compatibility with Keras.
#' @return A tensor.
#' @seealso [keras_backend], [op_zeros_like()]
#' @examples
#' k_zeros_like(matrix(1:6, 2))
#' @export
k_zeros_like <- function(x, dtype = NULL, name = NULL) tensor(op_zeros_like(x), dtype)

#' @rdname k_zeros_like
#' @export
k_ones_like <- function(x, dtype = NULL, name = NULL) tensor(op_ones_like(x), dtype)

#' @rdname k_zeros_like
#' @export
k_identity <- function(x, name = NULL) {
  x <- tensor(x)
  op_cast(x, tensor_dtype(x))
}

#' Random tensors
#'
#' Random numbers: normal, uniform, truncated normal (values beyond two standard deviations are drawn again), and
#' binomial (1 with the probability `p`, else 0).
#'
#' @param shape whole numbers, also as a list.
#' @param mean,stddev numbers, of the distribution before truncation.
#' @param minval,maxval numbers, the ends.
#' @param p a number from 0 to 1.
#' @param dtype a string, as for [tensor()]; `NULL` for [k_floatx()].
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @return A tensor.
#' @seealso [keras_backend], [op_random_normal()]
#' @examples
#' k_random_normal(c(2, 3), seed = 1)
#' k_random_binomial(5, p = 0.5, seed = 1)
#' @export
k_random_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_normal(shape, mean, stddev, or_floatx(dtype)))
}

#' @rdname k_random_normal
#' @export
k_random_uniform <- function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_uniform(shape, minval, maxval, or_floatx(dtype)))
}

#' @rdname k_random_normal
#' @export
k_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  with_own_seed(seed, op_random_truncated_normal(shape, mean, stddev, or_floatx(dtype)))
}

#' @rdname k_random_normal
#' @export
k_random_bernoulli <- function(shape, p = 0, dtype = NULL, seed = NULL) k_random_binomial(shape, p, dtype, seed)

#' @rdname k_random_normal
#' @export
k_random_binomial <- function(shape, p = 0, dtype = NULL, seed = NULL) {
  op_cast(op_less(k_random_uniform(shape, seed = seed), check_number(p, min = 0, max = 1)), or_floatx(dtype))
}

#' Numbers of a tensor
#'
#' The numbers of a tensor or variable as an R array.
#'
#' @param x an array or tensor.
#' @return An R array, or a number for a scalar.
#' @seealso [keras_backend]
#' @examples
#' k_get_value(k_constant(c(1, 2)))
#' @export
k_get_value <- function(x) if (is_tensor(x) || inherits(x, "nn_eager_number")) as.array(x) else check_numbers(x)

#' @rdname k_get_value
#' @export
k_eval <- k_get_value

#' Change a variable
#'
#' Set a variable to new numbers, add to it, or subtract from it, in place.
#'
#' @param x a variable; for `k_set_value()` also an optimizer's `$lr`, as in `k_set_value(model$optimizer$lr, 0.01)`.
#' @param value,new_x,increment,decrement an array or tensor of the variable's shape.
#' @return `k_set_value()`: `NULL`, invisibly. The others: the variable, invisibly.
#' @seealso [keras_backend], [variable_assign()]
#' @examples
#' w <- k_variable(matrix(1:6, 2))
#' k_update_add(w, k_ones_like(w))
#' k_get_value(w)
#' @export
k_set_value <- function(x, value) {
  if (inherits(x, "nn_optimizer_number")) x$assign(value) else check_tensor(x)$assign(value)
  invisible()
}

#' @rdname k_set_value
#' @export
k_update <- function(x, new_x) check_tensor(x)$assign(new_x)

#' @rdname k_set_value
#' @export
k_update_add <- function(x, increment) check_tensor(x)$assign_add(increment)

#' @rdname k_set_value
#' @export
k_update_sub <- function(x, decrement) check_tensor(x)$assign_sub(decrement)

#' Cast to a dtype
#'
#' `k_cast()` converts to another dtype, `k_dtype()` gives the name of the dtype.
#'
#' @param x an array or tensor.
#' @param dtype a string, as for [tensor()].
#' @return A tensor; a string.
#' @seealso [keras_backend], [op_cast()]
#' @examples
#' k_dtype(k_cast(1:3, "float32"))
#' @export
k_cast <- function(x, dtype) if (is_keras_tensor(x)) op_cast(x, dtype) else cast_as_tensorflow(x, dtype)

#' @rdname k_cast
#' @export
k_dtype <- function(x) if (is_keras_tensor(x)) x$dtype else tensor_dtype(tensor(x))

#' Shape of a tensor
#'
#' `k_shape()` gives the sizes of the axes as a tensor, which follows the batch at hand in a model; `k_int_shape()` as a
#' list of R numbers, with `NULL` for sizes that are not known, such as that of the batch; `k_ndim()` the number of
#' axes.
#'
#' @param x an array or tensor.
#' @return A tensor of int32; a list; a number.
#' @seealso [keras_backend], [op_shape()]
#' @examples
#' k_int_shape(matrix(1:6, 2))
#' @export
k_shape <- function(x) shape_tensor(x)

#' @rdname k_shape
#' @export
k_int_shape <- function(x) lapply(known_dim(x), function(n) if (!is.na(n)) as.integer(n))

#' @rdname k_shape
#' @export
k_ndim <- function(x) length(known_dim(x))

#' Default float dtype
#'
#' The dtype that `k_*()` functions and layers use where none is given, `"float32"` at first.
#'
#' @param floatx `"float32"` or `"float64"`.
#' @return `k_floatx()`: a string. `k_set_floatx()`: `NULL`, invisibly.
#' @seealso [keras_backend]
#' @examples
#' k_floatx()
#' @export
k_floatx <- function() session$floatx

#' @rdname k_floatx
#' @export
k_set_floatx <- function(floatx) {
  session$floatx <- as.character(check_choice(floatx, float_dtypes))
  invisible()
}

#' Fuzz factor
#'
#' A small number that losses and constraints use to avoid the logarithm of 0 and division by 0, 1e-7 at first.
#'
#' @param e a number above 0 and below 0.5.
#' @return `k_epsilon()`: a number. `k_set_epsilon()`: `NULL`, invisibly.
#' @seealso [keras_backend]
#' @examples
#' k_epsilon()
#' @export
k_epsilon <- function() session$epsilon

#' @rdname k_epsilon
#' @export
k_set_epsilon <- function(e) {
  session$epsilon <- check_number(e, above = 0, below = 0.5)
  invisible()
}

#' Clear the session
#'
#' Starts the numbers of automatic layer names anew: the next dense layer is `dense`. There are no global graphs to
#' clear.
#'
#' @return `NULL`, invisibly.
#' @seealso [keras_backend]
#' @examples
#' k_clear_session()
#' @export
k_clear_session <- function() {
  session$names <- list()
  invisible()
}
