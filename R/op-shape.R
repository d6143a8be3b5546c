# Ops that move numbers, gather them and make tensors like others.

#' Reshape, transpose, slice, concatenate and repeat
#'
#' None of these changes a number. `op_reshape()` reads and fills row by row (the last axis moves
#' fastest), unlike R's `dim<-`. `op_expand_dims()` adds an axis of size 1 and `op_squeeze()` drops such axes.
#' `op_split()` undoes `op_concat()` and `op_unstack()` undoes `op_stack()`. `op_broadcast_to()` repeats as broadcasting
#' does, see [op_add()]; `op_tile()` repeats the whole of `x` along each axis, `op_repeat()` each of its slices.
#' `op_pad()` puts slices of one value around `x`, and `op_reverse()` turns axes around.
#'
#' @param x a tensor or array.
#' @param shape whole numbers; for `op_reshape()` one of them may be -1, and is inferred.
#' @param perm for each axis of the result, the axis of `x` it comes from, 1-based; `NULL` reverses
#'   them.
#' @param start,size,step one whole number per axis: the first element (1-based), how many (-1: all that
#'   follow), and how far apart (negative: backwards).
#' @param xs a list of tensors or arrays.
#' @param axis 1-based, negative from the end. For `op_stack()` and `op_expand_dims()` the place of the new axis. For
#'   `op_squeeze()` one or more axes of size 1; `NULL` for all there are. One or more for `op_reverse()`.
#' @param num_or_sizes how many equal parts; or two or more sizes, which add up to that of the axis.
#' @param multiples one whole number per axis: how many times.
#' @param repeats how many times, one number for all slices or one for each.
#' @param paddings a matrix with a row per axis: how many slices before and after.
#' @param value the number in these.
#' @return A tensor; a list of tensors from `op_split()` and `op_unstack()`.
#' @examples
#' x <- matrix(1:6, 2)
#' as.array(op_reshape(x, c(3, -1)))
#' as.array(op_transpose(x))
#' as.array(op_slice(x, start = c(1, 3), size = c(2, 2), step = c(1, -2)))
#' as.array(op_concat(list(x, x), axis = 2))
#' lapply(op_split(x, c(1, 2)), as.array)
#' as.array(op_tile(x, c(2, 1)))
#' as.array(op_pad(x, rbind(c(0, 1), c(1, 2))))
#' @name op_reshape
NULL

#' @rdname op_reshape
#' @export
op_reshape <- function(x, shape) apply_op("reshape", list(x), ints = check_sizes(shape, min = -1))

#' One number fills the shape, more are read into it row by row.
#' @param min -1: one of the sizes may be -1 and is worked out.
#' @noRd
fit_shape <- function(x, shape, min = if (length(x) == 1) 0 else -1, fun = calling_function()) {
  if (is.null(shape)) return(x)
  shape <- check_sizes(shape, min = min, fun = fun)
  if (length(x) == 1 && all(shape >= 0)) op_broadcast_to(x, shape) else op_reshape(x, shape)
}

#' A shape: a vector, a list, a tensor or what `x$shape` gives. Attributes of a node have room for so many; the shape
#' rules check the rest.
#' @noRd
check_sizes <- function(shape, min = 0, arg = "shape", fun = calling_function()) {
  shape <- check_whole(shape, min = min, arg = arg, fun = fun)
  if (length(shape) > 8) abort("`", arg, "` must have at most 8 axes, not ", length(shape), fun = fun)
  shape
}

#' Of what has numbers, so that they are known: a symbolic tensor of a model is refused.
#' @noRd
known_sizes <- function(x) if (is_keras_tensor(x)) abort_symbolic(user_function()) else shape_of(x)

#' `x` with those of its axes that `from` names, in order, and new ones of size 1 where it has 0. The size of the first
#' axis is left open, so that traced programs serve other batch sizes.
#' @noRd
reshape_axes <- function(x, from) {
  sizes <- shape_of(x)
  open <- all(sizes[-1] > 0)
  op_reshape(x, vapply(from, function(k) if (k == 0) 1 else if (k == 1 && open) -1 else as.double(sizes[k]), 0))
}

#' @rdname op_reshape
#' @export
op_expand_dims <- function(x, axis) {
  rank <- rank_of(x)
  reshape_axes(x, append(seq_len(rank), 0, check_one_axis(axis, rank + 1)))
}

#' @rdname op_reshape
#' @export
op_squeeze <- function(x, axis = NULL) {
  sizes <- shape_of(x)
  drop <- if (is.null(axis)) which(sizes == 1) else check_axis(axis, length(sizes)) + 1
  if (any(!sizes[drop] %in% 1)) abort("`axis` must name axes of size 1, not ", describe(axis), ", for shape ",
    format_shape(sizes), class = "shape")
  reshape_axes(x, setdiff(seq_along(sizes), drop))
}

#' @rdname op_reshape
#' @export
op_broadcast_to <- function(x, shape) {
  sizes <- known_sizes(x)
  shape <- check_sizes(shape)
  more <- length(shape) - length(sizes)
  full <- c(rep(1, max(more, 0)), sizes)
  if (more < 0 || any(!(full %in% 1 | full == shape))) {
    abort("shape ", format_shape(sizes), " does not broadcast to ", format_shape(shape), class = "shape")
  }
  check_room(shape, "shape", 1)
  shape[full != 1] <- 1
  op_tile(reshape_axes(x, c(rep(0, more), seq_along(sizes))), shape)
}

#' @rdname op_reshape
#' @export
op_tile <- function(x, multiples) {
  sizes <- known_sizes(x)
  multiples <- check_per_axis(multiples, length(sizes), min = 0)
  check_room(sizes * multiples, "multiples", 1, x)
  for (axis in which(multiples != 1)) x <- op_gather(x, rep(seq_len(sizes[axis]) - 1L, multiples[axis]), axis)
  as_value(tensor(x))
}

#' @rdname op_reshape
#' @export
op_repeat <- function(x, repeats, axis = 1) {
  size <- known_sizes(x)[check_one_axis(axis, rank_of(x)) + 1]
  repeats <- check_whole(repeats, min = 0)
  if (!length(repeats) %in% c(1, size)) abort("`repeats` must be one number or ", size, ", not ", length(repeats))
  check_room(sum(rep_len(repeats, size)), "repeats")
  at <- rep(seq_len(size) - 1L, rep_len(repeats, size))
  op_gather(x, array(at, length(at)), axis) # one index, too, keeps the axis
}

#' @rdname op_reshape
#' @export
op_reverse <- function(x, axis) {
  sizes <- shape_of(x)
  at <- check_axis(axis, length(sizes)) + 1
  all <- rep(1, length(sizes))
  op_slice(x, start = replace(all, at, pmax(sizes[at], 1)), size = -all, step = replace(all, at, -1))
}

#' @rdname op_reshape
#' @export
op_pad <- function(x, paddings, value = 0) {
  x <- as_value(tensor(x))
  value <- check_number(value)
  sizes <- shape_of(x)
  if (is_branch(paddings)) paddings <- do.call(rbind, lapply(paddings, check_whole, min = 0, arg = "paddings"))
  if (is_tensor(paddings)) paddings <- as.array(paddings)
  paddings <- `dim<-`(check_whole(paddings, min = 0), dim(paddings))
  if (!identical(dim(paddings), c(length(sizes), 2L))) {
    abort("`paddings` must be a matrix of 2 columns with a row per axis (", length(sizes), "), not ",
      describe(paddings))
  }
  check_room(sizes + rowSums(paddings), "paddings", 1, x)
  for (axis in which(rowSums(paddings) > 0)) {
    # made from x itself, so that traced programs serve other batch sizes
    filled <- function(n) {
      if (sizes[axis] == 0) return(tensor(array(value, replace(dim(x), axis, n)), tensor_dtype(x)))
      constant_like(op_gather(x, array(0, n), axis), value)
    }
    x <- op_concat(list(filled(paddings[axis, 1]), x, filled(paddings[axis, 2])), axis)
  }
  x
}

#' @rdname op_reshape
#' @export
op_transpose <- function(x, perm = NULL) {
  rank <- rank_of(x)
  perm <- if (is.null(perm)) rev(seq_len(rank)) else check_whole(perm)
  if (!setequal(perm, seq_len(rank)) || length(perm) != rank) {
    abort("`perm` must name each of the axes 1 .. ", rank, " once, not be ", describe(perm))
  }
  apply_op("transpose", list(x), ints = perm - 1)
}

#' @rdname op_reshape
#' @export
op_slice <- function(x, start, size, step = rep(1, length(start))) {
  rank <- rank_of(x)
  start <- check_per_axis(start, rank)
  size <- check_per_axis(size, rank)
  step <- check_per_axis(step, rank)
  apply_op("slice", list(x), ints = rbind(start - 1, size, step))
}

check_per_axis <- function(x, rank, min = -.Machine$integer.max, arg = deparse(substitute(x)),
  fun = calling_function()) {
  numbers <- check_whole(x, min = min, arg = arg, fun = fun)
  if (length(numbers) != rank) abort("`", arg, "` must have one number per axis (", rank, "), not ", length(numbers),
    fun = fun)
  numbers
}

check_tensors <- function(xs, arg = "xs", fun = calling_function()) {
  if (is_branch(xs) && length(xs) > 0) return(xs)
  abort("`", arg, "` must be a list of at least one tensor or array, not ", describe(xs), fun = fun)
}

#' @rdname op_reshape
#' @export
op_concat <- function(xs, axis = -1) {
  apply_op("concat", check_tensors(xs), ints = check_one_axis(axis, rank_of(xs[[1]])))
}

#' @rdname op_reshape
#' @export
op_split <- function(x, num_or_sizes, axis = -1) {
  sizes <- known_sizes(x)
  at <- check_one_axis(axis, length(sizes)) + 1
  num_or_sizes <- stats::setNames(check_whole(num_or_sizes, min = 0), names(num_or_sizes))
  parts <- if (length(num_or_sizes) == 1) rep(sizes[at] / check_count(num_or_sizes), num_or_sizes) else num_or_sizes
  if (any(parts < 0 | parts != round(parts)) || sum(parts) != sizes[at]) {
    abort("`num_or_sizes` must divide the axis of ", sizes[at], ", not be ", describe(num_or_sizes), class = "shape")
  }
  # the other axes are cut at no size, so that traced programs serve other batch sizes
  part <- function(start, size) {
    op_slice(x, start = replace(rep(1, length(sizes)), at, start), size = replace(rep(-1, length(sizes)), at, size))
  }
  Map(part, cumsum(parts) - parts + 1, parts)
}

#' @rdname op_reshape
#' @export
op_stack <- function(xs, axis = 1) {
  apply_op("stack", check_tensors(xs), ints = check_one_axis(axis, rank_of(xs[[1]]) + 1))
}

#' @rdname op_reshape
#' @export
op_unstack <- function(x, axis = 1) {
  at <- check_one_axis(axis, rank_of(x)) + 1
  lapply(seq_len(known_sizes(x)[at]) - 1, op_gather, x = x, axis = at) # a scalar index drops the axis
}

#' Gather, cast and select
#'
#' `op_gather()` takes slices of `x` by their index, such as rows of an embedding matrix. `op_cast()` converts to
#' another dtype. `op_where()` selects elements of `x` where the condition holds, of `y` elsewhere. `op_one_hot()` has
#' ones at the indices along a new last axis, and zeros only where an index lies outside
#' `0 .. depth - 1`. `op_shape()` has the sizes of the axes, which in a model or an [autograph()] function follow the
#' batch at hand. `op_zeros_like()` and `op_ones_like()` are constants of the shape and dtype of `x`; no gradient flows
#' through them, nor through `op_stop_gradient()`, which has the numbers of `x`.
#'
#' @param x a tensor or array.
#' @param indices whole numbers, **0-based** as token ids and class labels are; any shape.
#' @param depth how many classes.
#' @param axis the axis they index, 1-based.
#' @param dtype as for [tensor()]. Floats are cut towards zero to become integers and held at the ends
#'   of the integer's range; anything but 0 is TRUE as bool.
#' @param condition a logical array or bool tensor.
#' @param y a tensor or array; shapes of all three broadcast.
#' @param updates what `op_gather()` of the same indices would give the shape of.
#' @return A tensor. `op_gather()`: the axis is replaced by the axes of `indices`. `op_scatter_add()`: the numbers of
#'   `x`, plus the updates where the indices say; those of one place add up.
#' @section Errors: `nativenet_error_index` if an index lies outside the axis.
#' @examples
#' as.array(op_gather(matrix(1:6, 3), c(2, 0)))
#' as.array(op_where(c(TRUE, FALSE), 1, c(5, 6)))
#' as.array(op_one_hot(c(2, 0), 3))
#' @export
op_gather <- function(x, indices, axis = 1) {
  apply_op("gather", list(x, tensor(indices, "int32")), ints = check_one_axis(axis, rank_of(x)))
}

#' @rdname op_gather
#' @export
op_scatter_add <- function(x, indices, updates, axis = 1) {
  apply_op("scatter_add", list(x, tensor(indices, "int32"), updates), ints = check_one_axis(axis, rank_of(x)))
}

#' @rdname op_gather
#' @export
op_shape <- function(x) apply_op("shape", list(x))

#' @rdname op_gather
#' @export
op_cast <- function(x, dtype) apply_op("cast", list(x), ints = dtype_code(dtype))

#' @rdname op_gather
#' @export
op_stop_gradient <- function(x) apply_op("stop_gradient", list(x))

#' @rdname op_gather
#' @export
op_where <- function(condition, x, y) apply_op("where", list(tensor(condition, "bool"), x, y))

#' @rdname op_gather
#' @export
op_one_hot <- function(indices, depth, dtype = "float32") {
  depth <- check_count(depth)
  check_room(c(shape_of(indices), depth), "depth", 1, indices)
  classes <- array(seq_len(depth) - 1L, depth)
  op_cast(op_equal(op_expand_dims(tensor(indices, "int32"), -1), classes), dtype)
}

# Chosen by a condition of the shape of x, so that traced programs serve other batch sizes.
constant_like <- function(x, value) {
  x <- tensor(x)
  value <- tensor(value, tensor_dtype(x))
  op_where(op_equal(x, x), value, value)
}

#' @rdname op_gather
#' @export
op_zeros_like <- function(x) constant_like(x, 0)
#' @rdname op_gather
#' @export
op_ones_like <- function(x) constant_like(x, 1)
