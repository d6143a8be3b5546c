# Ops that move numbers, pick them and make tensors like others.

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
