# More functions of Keras' backend: what is there, variables, names.

#' A range of numbers
#'
#' @param start,stop,step the first number, the end, which is not reached, and the distance; with `start` alone the
#'   range begins at 0.
#' @param dtype a string, as for [tensor()].
#' @return A tensor.
#' @seealso [keras_backend]
#' @examples
#' k_arange(1, 7, 2) # 1 3 5
#' @export
k_arange <- function(start, stop = NULL, step = 1, dtype = "int32") tf$range(start, stop, step, dtype)

#' Add a bias
#'
#' @param x an array or tensor whose last axis (or second, if `data_format` is `"channels_first"`) are the channels.
#' @param bias a vector, a number for each channel; or an array of the shape of a row of `x`.
#' @param data_format `"channels_last"`, `"channels_first"`, or `NULL` for the former.
#' @return A tensor.
#' @seealso [keras_backend]
#' @examples
#' k_bias_add(matrix(0, 2, 3), c(1, 2, 3))
#' @export
k_bias_add <- function(x, bias, data_format = NULL) {
  first <- !is.null(data_format) && check_choice(data_format, c("channels_last", "channels_first")) == "channels_first"
  rank <- rank_of(x)
  if (!rank_of(bias) %in% c(1, rank - 1)) abort("`bias` must have one axis, or those of a row of `x`, not the shape ",
    format_shape(shape_of(bias)), class = "shape")
  if (first && rank > 2) {
    sizes <- shape_of(bias)
    bias <- if (length(sizes) == 1) op_reshape(bias, c(sizes, rep(1, rank - 2))) else
      op_transpose(bias, c(rank - 1, seq_len(rank - 2)))
  }
  op_add(x, bias)
}

#' Cumulative products
#'
#' @param x an array or tensor.
#' @param axis an axis, 1-based.
#' @return A tensor of the shape of `x`.
#' @seealso [k_cumsum()]
#' @examples
#' k_cumprod(matrix(1:4, 2), axis = 2)
#' @export
k_cumprod <- function(x, axis = 1) op_cumprod(x, axis)

#' Repeat and take apart
#'
#' `k_repeat()` repeats each row: (rows, size) becomes (rows, n, size). `k_unstack()` takes an axis apart.
#'
#' @param x an array or tensor; for `k_repeat()` a matrix.
#' @param n a whole number.
#' @param axis an axis, 1-based.
#' @param num how many parts there are; may be `NULL`.
#' @param name ignored; present for compatibility with Keras.
#' @return A tensor; a list of tensors.
#' @seealso [keras_backend], [k_repeat_elements()], [k_stack()]
#' @examples
#' dim(k_repeat(matrix(1:6, 2), 4))
#' k_unstack(matrix(1:4, 2))
#' @export
k_repeat <- function(x, n) {
  n <- check_count(n)
  if (rank_of(x) != 2) abort("`x` must have two axes, not the shape ", format_shape(shape_of(x)), class = "shape")
  op_tile(op_expand_dims(x, 2), c(1, n, 1))
}

#' @rdname k_repeat
#' @export
k_unstack <- function(x, axis = 1L, num = NULL, name = NULL) {
  parts <- op_unstack(x, axis = axis)
  if (!is.null(num)) check_count(num, min = length(parts), max = length(parts))
  parts
}

#' Are targets among the k best?
#'
#' @param predictions an array or tensor of scores, a row for each sample.
#' @param targets class labels, which count from 0.
#' @param k a whole number.
#' @return A tensor of truth values.
#' @seealso [keras_backend], [metric_sparse_top_k_categorical_accuracy()]
#' @examples
#' k_in_top_k(rbind(c(0.1, 0.5, 0.4), c(0.7, 0.2, 0.1)), c(2, 2), k = 2)
#' @export
k_in_top_k <- function(predictions, targets, k) tf$math$in_top_k(targets, predictions, k)

#' What kind of object is it?
#'
#' @param x an object.
#' @return `TRUE` or `FALSE`; `k_to_dense()` gives `x`, as there are no sparse tensors.
#' @seealso [keras_backend]
#' @examples
#' k_is_tensor(k_constant(1))
#' k_is_keras_tensor(layer_input(2))
#' @name k_is_tensor
#' @export
k_is_tensor <- function(x) is_tensor(x)

#' @rdname k_is_tensor
#' @export
k_is_keras_tensor <- function(x) is_keras_tensor(x)

#' @rdname k_is_tensor
#' @export
k_is_placeholder <- function(x) is_model_input(x)

#' @rdname k_is_tensor
#' @param tensor an object.
#' @export
k_is_sparse <- function(tensor) FALSE

#' @rdname k_is_tensor
#' @export
k_to_dense <- function(tensor) check_value(tensor)

#' More of variables
#'
#' `k_batch_get_value()` and `k_batch_set_value()` read and set several variables; `k_moving_average_update()` makes x
#' `momentum * x + (1 - momentum) * value`; `k_random_normal_variable()` and `k_random_uniform_variable()` are variables
#' that begin with random numbers; `k_count_params()` is the number of numbers, `k_get_variable_shape()` the shape;
#' `k_cast_to_floatx()` gives numbers as [k_floatx()] holds them; `k_print_tensor()` prints `x` and gives it.
#'
#' @param x a variable; for `k_cast_to_floatx()` and `k_print_tensor()` an array or tensor.
#' @param ops a list of tensors or variables.
#' @param lists a list of `list(variable, value)`.
#' @param value an array or tensor of the variable's shape.
#' @param momentum a number from 0 to 1.
#' @param shape whole numbers.
#' @param mean,scale mean and standard deviation.
#' @param low,high the ends.
#' @param dtype,name,seed as for [k_variable()] and [k_random_normal()].
#' @param message a string that is printed before.
#' @return Arrays, variables, numbers, see above.
#' @seealso [keras_backend], [k_set_value()]
#' @examples
#' w <- k_variable(c(1, 2))
#' k_moving_average_update(w, c(3, 4), momentum = 0.5)
#' k_batch_get_value(list(w))
#' @name k_batch_get_value
#' @export
k_batch_get_value <- function(ops) {
  if (!is_branch(ops)) abort("`ops` must be a list of tensors, not ", describe(ops))
  lapply(ops, function(x) k_get_value(check_tensor(x, "ops", "k_batch_get_value")))
}

#' @rdname k_batch_get_value
#' @export
k_batch_set_value <- function(lists) {
  for (pair in if (is_branch(lists)) lists else list(lists)) {
    if (!is_branch(pair) || length(pair) != 2 || !is_variable(pair[[1]])) abort("`lists` must be a list of ",
      "`list(variable, value)`, not hold ", describe(pair))
    pair[[1]]$assign(pair[[2]])
  }
  invisible()
}

#' @rdname k_batch_get_value
#' @export
k_moving_average_update <- function(x, value, momentum) {
  momentum <- check_number(momentum, min = 0, max = 1)
  check_tensor(x)$assign(op_add(op_multiply(x, momentum), op_multiply(value, 1 - momentum)))
}

#' @rdname k_batch_get_value
#' @export
k_random_normal_variable <- function(shape, mean, scale, dtype = NULL, name = NULL, seed = NULL) {
  k_variable(k_random_normal(shape, mean, scale, dtype, seed), dtype, name)
}

#' @rdname k_batch_get_value
#' @export
k_random_uniform_variable <- function(shape, low, high, dtype = NULL, name = NULL, seed = NULL) {
  k_variable(k_random_uniform(shape, low, high, dtype, seed), dtype, name)
}

#' @rdname k_batch_get_value
#' @export
k_count_params <- function(x) as.integer(prod(known_dim(x)))

#' @rdname k_batch_get_value
#' @export
k_get_variable_shape <- function(x) k_int_shape(x)

#' @rdname k_batch_get_value
#' @export
k_cast_to_floatx <- function(x) if (is_tensor(x)) op_cast(x, session$floatx) else as.array(tensor(x, session$floatx))

#' @rdname k_batch_get_value
#' @export
k_print_tensor <- function(x, message = "") {
  check_not_tracing("it prints")
  check_value(x)
  cat(check_string(message), "")
  print(x)
  invisible(x)
}

#' Settings of the backend
#'
#' `k_backend()` is `"tensorflow"`, whose names and conventions hold here; `k_image_data_format()` is `"channels_last"`,
#' the only one that is a default: layers have the argument `data_format`. `k_get_uid()` counts from 1 for each prefix,
#' until `k_reset_uids()`. There are no sessions to get or set, and variables have values from the start.
#'
#' @param data_format `"channels_last"`.
#' @param prefix a string.
#' @param session,value ignored; present for compatibility with Keras.
#' @return A string; a number; `NULL`, invisibly.
#' @section Errors: `nativenet_error_missing` of `k_get_session()`.
#' @seealso [keras_backend], [k_clear_session()]
#' @examples
#' k_backend()
#' k_image_data_format()
#' k_get_uid("mine")
#' @export
k_backend <- function() "tensorflow"

#' @rdname k_backend
#' @export
k_image_data_format <- function() "channels_last"

#' @rdname k_backend
#' @export
k_set_image_data_format <- function(data_format) {
  if (check_choice(data_format, c("channels_last", "channels_first")) == "channels_first") {
    abort("`data_format` must be \"channels_last\": layers take `data_format = \"channels_first\"` each for itself")
  }
  invisible()
}

#' @rdname k_backend
#' @export
k_get_uid <- function(prefix = "") {
  key <- paste0("uid ", check_string(prefix))
  n <- c(session$uids[[key]], 0)[1] + 1L
  session$uids[[key]] <- as.integer(n)
  as.integer(n)
}

#' @rdname k_backend
#' @export
k_reset_uids <- function() {
  session$uids <- NULL
  invisible()
}

#' @rdname k_backend
#' @export
k_get_session <- function() abort("there are no sessions: operations run at once, as in TensorFlow 2, and ",
  "`as.array(x)` has their numbers", class = "missing")

#' @rdname k_backend
#' @export
k_set_session <- function(session) nothing_to_do("k_set_session")

#' @rdname k_backend
#' @export
k_manual_variable_initialization <- function(value) {
  check_flag(value)
  nothing_to_do("k_manual_variable_initialization")
}
