# Keras' backend functions: shapes. The others are in R/keras-backend.R and R/keras-math.R.

#' Flatten
#'
#' `k_flatten()` makes one axis of all, `k_batch_flatten()` of all but the first, in row-major order.
#'
#' @param x an array or tensor.
#' @return A tensor.
#' @seealso [keras_backend], [layer_flatten()]
#' @examples
#' k_flatten(matrix(1:6, 2))
#' @export
k_flatten <- function(x) op_reshape(x, -1)

#' @rdname k_flatten
#' @export
k_batch_flatten <- function(x) op_reshape(x, c(-1, prod(shape_of(x)[-1])))

#' Reshape
#'
#' The same elements in another shape, in row-major order.
#'
#' @param x an array or tensor.
#' @param shape whole numbers, also as a list; one may be -1, and is inferred.
#' @return A tensor.
#' @seealso [keras_backend], [op_reshape()]
#' @examples
#' k_reshape(matrix(1:6, 2), c(3, 2))
#' @export
k_reshape <- function(x, shape) op_reshape(x, shape)

#' Permute axes
#'
#' `k_permute_dimensions()` permutes the axes, `k_transpose()` reverses them.
#'
#' @param x an array or tensor.
#' @param pattern for each axis of the result, the axis of `x` it comes from, 1-based.
#' @return A tensor.
#' @seealso [keras_backend], [op_transpose()]
#' @examples
#' k_transpose(matrix(1:6, 2))
#' k_int_shape(k_permute_dimensions(array(0, c(2, 3, 4)), c(1, 3, 2)))
#' @export
k_permute_dimensions <- function(x, pattern) op_transpose(x, pattern)

#' @rdname k_permute_dimensions
#' @export
k_transpose <- function(x) op_transpose(x)

#' Insert and remove axes of size 1
#'
#' `k_expand_dims()` inserts an axis of size 1, `k_squeeze()` removes one.
#'
#' @param x an array or tensor.
#' @param axis 1-based, negative from the end.
#' @return A tensor.
#' @seealso [keras_backend], [op_expand_dims()]
#' @examples
#' k_int_shape(k_expand_dims(matrix(1:6, 2), axis = 1))
#' @export
k_expand_dims <- function(x, axis = -1) op_expand_dims(op_input(x), axis)

#' @rdname k_expand_dims
#' @export
k_squeeze <- function(x, axis = NULL) op_squeeze(x, axis)

#' Concatenate and stack
#'
#' `k_concatenate()` joins tensors along an axis, `k_stack()` along a new one.
#'
#' @param tensors,x a list of tensors or arrays.
#' @param axis 1-based, negative from the end.
#' @return A tensor.
#' @seealso [keras_backend], [op_concat()]
#' @examples
#' x <- matrix(1:6, 2)
#' k_concatenate(list(x, x), axis = 1)
#' k_int_shape(k_stack(list(x, x)))
#' @export
k_concatenate <- function(tensors, axis = -1) op_concat(tensors, axis)

#' @rdname k_concatenate
#' @export
k_stack <- function(x, axis = 1) op_stack(x, axis)

#' Repeat elements and tile
#'
#' `k_repeat_elements()` repeats each slice along an axis, `k_tile()` the whole of `x`.
#'
#' @param x an array or tensor.
#' @param rep how many times.
#' @param n how many times, one number per axis.
#' @param axis 1-based, negative from the end.
#' @return A tensor.
#' @seealso [keras_backend], [op_tile()]
#' @examples
#' k_repeat_elements(matrix(1:6, 2), 2, axis = 2)
#' @export
k_repeat_elements <- function(x, rep, axis) op_repeat(x, rep, axis)

#' @rdname k_repeat_elements
#' @export
k_tile <- function(x, n) op_tile(x, n)

#' Reverse axes
#'
#' Reverses the order of the elements along axes.
#'
#' @param x an array or tensor.
#' @param axes one or more axes, 1-based, negative from the end.
#' @return A tensor.
#' @seealso [keras_backend], [op_reverse()]
#' @examples
#' k_reverse(1:3, 1)
#' @export
k_reverse <- function(x, axes) op_reverse(x, axes)

#' Gather rows
#'
#' Rows of `reference` by their index, such as those of an embedding matrix.
#'
#' @param reference an array or tensor.
#' @param indices whole numbers, **0-based**.
#' @return A tensor.
#' @seealso [keras_backend], [op_gather()]
#' @examples
#' k_gather(matrix(1:6, 3), c(2, 0))
#' @export
k_gather <- function(reference, indices) op_gather(reference, indices)

#' One-hot encoding
#'
#' A new last axis with 1 at the class and 0 elsewhere.
#'
#' @param indices class labels, **0-based**.
#' @param num_classes the number of classes.
#' @return A tensor.
#' @seealso [keras_backend], [to_categorical()]
#' @examples
#' k_one_hot(c(0, 2), 3)
#' @export
k_one_hot <- function(indices, num_classes) op_one_hot(indices, num_classes, zero_indexed = TRUE)

#' Shapes
#'
#' Sizes of axes as TensorFlow has them: `shape(NULL, 28, 28)` for any number of rows. Of a tensor its sizes, as in
#' keras3.
#'
#' @param ... whole numbers, or vectors of them; `NULL`, `NA` or -1 for a size that is not known; tensors, whose sizes
#'   are taken, but for scalars of whole numbers, which are sizes themselves; or one array.
#' @return A shape: integers, `NA` where a size is not known. `$as_list()` has `NULL` there, as TensorFlow's, and is
#'   a list then. Two shapes are equal (`==`) as a whole.
#' @seealso [layer_input()], [k_int_shape()]
#' @examples
#' shape(NULL, 28, 28)
#' dim(tf$random$normal(shape(2, 3)))
#' @export
shape <- function(...) {
  given <- unname(list(...))
  if (length(given) == 1 && is.array(given[[1]])) return(nn_shape(dim(given[[1]])))
  # vectors stand for as many sizes, tensors for theirs
  given <- unlist(lapply(given, function(n) {
    if (is_keras_tensor(n) || is_tensor(n) && !is_size(n)) n <- known_dim(n)
    if (!is.null(n) && is.atomic(n) && length(n) != 1) as.list(n) else as_branch(n)
  }), recursive = FALSE)
  nn_shape(vapply(given, function(n) {
    if (is.numeric(n) && identical(as.double(n), -1)) NA_integer_ else as_size(n, "...", "shape")
  }, 0L))
}

#' A scalar of whole numbers.
#' @noRd
is_size <- function(x) is_whole_dtype(tensor_dtype(x)) && rank_of(x) == 0
