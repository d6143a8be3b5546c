# Ops that move numbers, gather them and make tensors like others.

#' Reshape a tensor
#'
#' The same elements in another shape, in row-major order: the last axis moves fastest, unlike R's `dim<-`.
#'
#' @param x a tensor or array.
#' @param newshape whole numbers; one of them may be -1, and is inferred.
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` if the sizes do not multiply to the number of elements.
#' @seealso [op_transpose()], [array_reshape()] for R arrays
#' @examples
#' as.array(op_reshape(matrix(1:6, 2), c(3, -1)))
#' @export
op_reshape <- function(x, newshape) {
  apply_op("reshape", list(x), ints = check_sizes(newshape, min = -1, arg = "newshape"))
}

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

#' `x` with those of its axes that `from` names, in order, and new ones of size 1 where it has 0. The size of the first
#' axis is left open, so that traced programs serve other batch sizes.
#' @noRd
reshape_axes <- function(x, from) {
  sizes <- shape_of(x)
  open <- all(sizes[-1] > 0)
  op_reshape(x, vapply(from, function(k) if (k == 0) 1 else if (k == 1 && open) -1 else as.double(sizes[k]), 0))
}

#' Insert and remove axes of size 1
#'
#' `op_expand_dims()` inserts an axis of size 1, `op_squeeze()` removes axes of size 1.
#'
#' @param x a tensor or array.
#' @param axis 1-based, negative from the end. For `op_expand_dims()` the place of the new axis; for `op_squeeze()` one
#'   or more axes, `NULL` for all of size 1.
#' @return A tensor.
#' @examples
#' dim(op_expand_dims(matrix(1:6, 2), 1)) # 1 2 3
#' dim(op_squeeze(array(1:6, c(1, 2, 1, 3)))) # 2 3
#' @export
op_expand_dims <- function(x, axis) {
  if (is.character(x)) { # strings of layers that read them
    sizes <- string_shape(x)
    return(array(x, append(sizes, 1L, check_one_axis(axis, length(sizes) + 1))))
  }
  rank <- rank_of(x)
  reshape_axes(x, append(seq_len(rank), 0, check_one_axis(axis, rank + 1)))
}

#' @rdname op_expand_dims
#' @export
op_squeeze <- function(x, axis = NULL) {
  sizes <- shape_of(x)
  drop <- if (is.null(axis)) which(sizes == 1) else check_axis(axis, length(sizes)) + 1
  if (any(!sizes[drop] %in% 1)) abort("`axis` must name axes of size 1, not ", describe(axis), ", for shape ",
    format_shape(sizes), class = "shape")
  reshape_axes(x, setdiff(seq_along(sizes), drop))
}

#' Broadcast to a shape
#'
#' Repeats axes of size 1, and adds axes at the left, as arithmetic does (see [op_add()]).
#'
#' @param x a tensor or array.
#' @param shape whole numbers.
#' @return A tensor of that shape.
#' @section Errors: `nativenet_error_shape` if `x` does not broadcast to it.
#' @examples
#' as.array(op_broadcast_to(1:3, c(2, 3)))
#' @export
op_broadcast_to <- function(x, shape) {
  sizes <- shape_of(x)
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

#' Tile and repeat
#'
#' `op_tile()` repeats the whole of `x` along each axis; `op_repeat()` repeats each slice along one axis.
#'
#' @param x a tensor or array.
#' @param repeats how many times: for `op_tile()` a whole number per axis, or for the last axes alone; for `op_repeat()`
#'   one number for all slices or one for each.
#' @param axis 1-based, negative from the end; `NULL` for all of `x` as one row.
#' @return A tensor.
#' @examples
#' as.array(op_tile(1:2, 3)) # 1 2 1 2 1 2
#' as.array(op_repeat(1:2, 3)) # 1 1 1 2 2 2
#' @export
op_tile <- function(x, repeats) {
  repeats <- check_whole(repeats, min = 0)
  rank <- rank_of(x)
  x <- without_room(x, prod(shape_of(x)) * prod(repeats))
  if (rank < length(repeats)) x <- reshape_axes(x, c(rep(0, length(repeats) - rank), seq_len(rank))) # as in NumPy
  sizes <- shape_of(x)
  repeats <- c(rep(1, length(sizes) - length(repeats)), repeats)
  check_room(sizes * repeats, "repeats", 1, x)
  for (axis in which(repeats != 1)) x <- op_gather(x, rep(seq_len(sizes[axis]) - 1L, repeats[axis]), axis)
  as_value(tensor(x))
}

#' While shapes are found out, sizes stand for others and are large: a large array of numbers that are known takes no
#' room if it is symbolic, as it is never computed.
#' @param n how many numbers.
#' @noRd
without_room <- function(x, n) {
  if (!isTRUE(session$on_trial) || n < 2^22 || is.null(session$on_trial_of) || is_symbolic(x)) return(x)
  x <- tensor(x)
  sum <- op_sum(op_cast(session$on_trial_of, "float32"))
  if (tensor_dtype(x) == "bool") op_logical_or(x, op_cast(sum, "bool")) else op_add(x, op_cast(sum, tensor_dtype(x)))
}

#' @rdname op_tile
#' @export
op_repeat <- function(x, repeats, axis = NULL) {
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  size <- shape_of(x)[check_one_axis(axis, rank_of(x)) + 1]
  repeats <- check_whole(repeats, min = 0)
  if (!length(repeats) %in% c(1, size)) abort("`repeats` must be one number or ", size, ", not ", length(repeats))
  check_room(sum(rep_len(repeats, size)), "repeats")
  at <- rep(seq_len(size) - 1L, rep_len(repeats, size))
  op_gather(x, array(at, length(at)), axis) # one index, too, keeps the axis
}

#' Reverse axes
#'
#' @param x a tensor or array.
#' @param axis one or more axes, 1-based, negative from the end.
#' @return A tensor of the shape of `x`.
#' @examples
#' as.array(op_reverse(1:3, 1)) # 3 2 1
#' @export
op_reverse <- function(x, axis) {
  sizes <- shape_of(x)
  at <- check_axis(axis, length(sizes)) + 1
  all <- rep(1, length(sizes))
  op_slice(x, replace(all, at, pmax(sizes[at], 1)), -all, step = replace(all, at, -1))
}

#' Pad a tensor
#'
#' Adds slices before and after each axis: of a constant, or the mirror image of what is there, without the slice at the
#' end (`"reflect"`) or with it (`"symmetric"`).
#'
#' @param x a tensor or array.
#' @param pad_width a matrix with a row per axis: how many slices before and after; or a pair or a number for all axes.
#' @param mode `"constant"`, `"reflect"` or `"symmetric"`.
#' @param constant_values the number to pad with; `NULL` for 0.
#' @return A tensor.
#' @seealso [layer_zero_padding_2d()], [pad_sequences()]
#' @examples
#' as.array(op_pad(matrix(1:6, 2), rbind(c(0, 1), c(1, 2))))
#' as.array(op_pad(1:4, rbind(c(2, 1)), mode = "reflect")) # 3 2 1 2 3 4 3
#' @export
op_pad <- function(x, pad_width, mode = "constant", constant_values = NULL) {
  x <- as_value(tensor(x))
  value <- if (is.null(constant_values)) 0 else check_number(constant_values)
  sizes <- shape_of(x)
  if (is_branch(pad_width)) pad_width <- do.call(rbind, lapply(pad_width, check_whole, min = 0, arg = "pad_width"))
  if (is_tensor(pad_width)) pad_width <- as.array(pad_width)
  paddings <- `dim<-`(check_whole(pad_width, min = 0), dim(pad_width))
  # as in NumPy: one number, or one pair, for all axes
  if (length(paddings) %in% 1:2 && length(dim(paddings)) < 2) paddings <- matrix(paddings, length(sizes), 2,
    byrow = TRUE)
  if (!identical(dim(paddings), c(length(sizes), 2L))) {
    abort("`pad_width` must be a matrix of 2 columns with a row per axis (", length(sizes), "), not ",
      describe(pad_width))
  }
  check_room(sizes + rowSums(paddings), "pad_width", 1, x)
  check_choice(mode, c("constant", "reflect", "symmetric"))
  for (axis in which(rowSums(paddings) > 0)) {
    if (mode != "constant") {
      x <- op_gather(x, mirrored(sizes[axis], paddings[axis, ], mode == "reflect"), axis)
      next
    }
    # made from x itself, so that traced programs serve other batch sizes
    filled <- function(n) {
      if (sizes[axis] == 0) return(tensor(array(value, replace(dim(x), axis, n)), tensor_dtype(x)))
      constant_like(op_gather(x, array(0, n), axis), value)
    }
    x <- op_concat(list(filled(paddings[axis, 1]), x, filled(paddings[axis, 2])), axis)
  }
  x
}

#' 0-based positions of an axis of n with so many before and after it, as in a mirror at its ends.
#' @param without do the ends themselves have no image?
#' @noRd
mirrored <- function(n, padding, without, fun = calling_function()) {
  if (any(padding > n - without)) abort("`pad_width` must be at most ", n - without, " for an axis of ", n, ", not ",
    max(padding), fun = fun)
  at <- c(rev(seq_len(padding[1])) - 1 + without, seq_len(n) - 1, n - without - seq_len(padding[2]))
  array(at, length(at))
}

#' Transpose a tensor
#'
#' Permutes the axes.
#'
#' @param x a tensor or array.
#' @param axes for each axis of the result, the axis of `x` it comes from, 1-based; `NULL` reverses the axes.
#' @return A tensor.
#' @examples
#' as.array(op_transpose(matrix(1:6, 2)))
#' dim(op_transpose(array(0, c(2, 3, 4)), c(1, 3, 2))) # 2 4 3
#' @export
op_transpose <- function(x, axes = NULL) {
  rank <- rank_of(x)
  perm <- if (is.null(axes)) rev(seq_len(rank)) else check_whole(axes)
  if (!setequal(perm, seq_len(rank)) || length(perm) != rank) {
    abort("`axes` must name each of the axes 1 .. ", rank, " once, not be ", describe(perm))
  }
  apply_op("transpose", list(x), ints = perm - 1)
}

#' Slice a tensor
#'
#' @param inputs a tensor or array.
#' @param start_indices,shape,step one whole number per axis: the first element (1-based), how many (-1: all that
#'   follow), and
#'   how far apart (negative: backwards).
#' @return A tensor.
#' @section Errors: `nativenet_error_value` if a slice lies outside.
#' @seealso [tensor-methods] for `x[i, j]`; [op_gather()]
#' @examples
#' as.array(op_slice(matrix(1:6, 2), c(1, 3), shape = c(2, 2), step = c(1, -2)))
#' @export
op_slice <- function(inputs, start_indices, shape, step = rep(1, length(start_indices))) {
  rank <- rank_of(inputs)
  start <- check_per_axis(start_indices, rank)
  shape <- check_per_axis(shape, rank)
  step <- check_per_axis(step, rank)
  apply_op("slice", list(inputs), ints = rbind(start - 1, shape, step))
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

#' Concatenate and split
#'
#' `op_concat()` joins tensors along an axis, `op_split()` undoes it.
#'
#' @param xs a list of tensors or arrays, whose other axes have the same sizes.
#' @param x a tensor or array.
#' @param indices_or_sections the number of equal parts; or the places where all but the first part begin, 1-based.
#' @param axis 1-based, negative from the end.
#' @return A tensor; a list of tensors from `op_split()`.
#' @section Errors: `nativenet_error_shape` if the shapes do not fit.
#' @seealso [op_stack()]
#' @examples
#' x <- matrix(1:6, 2)
#' as.array(op_concat(list(x, x), axis = 2))
#' lapply(op_split(x, 3, axis = 2), as.array)
#' lapply(op_split(1:6, c(2, 5)), as.array) # 1, 2 3 4, 5 6
#' @export
op_concat <- function(xs, axis = -1) {
  apply_op("concat", check_tensors(xs), ints = check_one_axis(axis, rank_of(xs[[1]])))
}

#' @rdname op_concat
#' @export
op_split <- function(x, indices_or_sections, axis = 1) {
  if (length(indices_or_sections) == 1 && is.null(dim(indices_or_sections)))
    return(split_axis(x, indices_or_sections, axis, "indices_or_sections"))
  begins <- check_whole(indices_or_sections, min = 1)
  size <- shape_of(x)[check_one_axis(axis, rank_of(x)) + 1]
  if (is.unsorted(begins) || any(begins > size + 1)) abort("`indices_or_sections` must be the number of parts, or ",
    "increasing places in 1 .. ", size + 1, " where parts begin, not ", describe(indices_or_sections))
  split_axis(x, diff(c(1, begins, size + 1)), axis)
}

#' One number: so many equal parts; several: their sizes, which add up to that of the axis.
#' @noRd
split_axis <- function(x, num_or_sizes, axis, arg = "num_or_sizes", fun = calling_function()) {
  sizes <- shape_of(x)
  at <- check_one_axis(axis, length(sizes), fun = fun) + 1
  num_or_sizes <- stats::setNames(check_whole(num_or_sizes, min = -1, arg = arg, fun = fun), names(num_or_sizes))
  rest <- num_or_sizes == -1
  if (length(rest) > 1 && sum(rest) == 1) num_or_sizes[rest] <- sizes[at] - sum(num_or_sizes[!rest])
  parts <- if (length(num_or_sizes) > 1) num_or_sizes else
    rep(sizes[at] / check_count(num_or_sizes, arg = arg, fun = fun), num_or_sizes)
  if (any(parts < 0 | parts != round(parts)) || sum(parts) != sizes[at]) {
    abort("`", arg, "` must divide the axis of ", sizes[at], ", not be ", describe(num_or_sizes), class = "shape",
      fun = fun)
  }
  # the other axes are cut at no size, so that traced programs serve other batch sizes
  part <- function(start, size) {
    op_slice(x, replace(rep(1, length(sizes)), at, start), shape = replace(rep(-1, length(sizes)), at, size))
  }
  Map(part, cumsum(parts) - parts + 1, parts)
}

#' Stack and unstack
#'
#' `op_stack()` joins tensors of one shape along a new axis, `op_unstack()` undoes it.
#'
#' @param x a list of tensors or arrays; for `op_unstack()` a tensor or array.
#' @param num how many there are; `NULL` for the size of the axis.
#' @param axis 1-based, negative from the end: for `op_stack()` the place of the new axis.
#' @return A tensor; a list of tensors from `op_unstack()`.
#' @section Errors: `nativenet_error_shape` if the shapes differ.
#' @seealso [op_concat()]
#' @examples
#' as.array(op_stack(list(1:3, 4:6)))
#' lapply(op_unstack(matrix(1:4, 2)), as.array)
#' @export
op_stack <- function(x, axis = 1) {
  apply_op("stack", check_tensors(x), ints = check_one_axis(axis, rank_of(x[[1]]) + 1))
}

#' @rdname op_stack
#' @export
op_unstack <- function(x, num = NULL, axis = 1) {
  at <- check_one_axis(axis, rank_of(x)) + 1
  if (!is.null(num) && check_count(num, min = 0) != shape_of(x)[at]) abort("`num` must be the size of the axis, ",
    shape_of(x)[at], ", not ", describe(num), class = "shape")
  lapply(seq_len(shape_of(x)[at]) - 1, op_gather, x = x, axis = at) # a scalar index drops the axis
}

#' Gather slices
#'
#' Takes slices of `x` along an axis by their index, such as the rows of an embedding matrix. The gradient of a slice is
#' the sum over all places where it is used.
#'
#' @param x a tensor or array.
#' @param indices whole numbers, **0-based** as tokens and class labels are; any shape.
#' @param axis the axis they index, 1-based.
#' @return A tensor: the axis is replaced by the axes of `indices`.
#' @section Errors: `nativenet_error_index` if an index lies outside the axis.
#' @seealso [layer_embedding()], [op_slice()]
#' @examples
#' as.array(op_gather(matrix(1:6, 3), c(2, 0)))
#' @export
op_gather <- function(x, indices, axis = 1) {
  apply_op("gather", list(x, tensor(indices, "int32")), ints = check_one_axis(axis, rank_of(x)))
}

#' Scatter and add
#'
#' The numbers of `x`, plus the updates at the indices: the reverse of [op_gather()]. Updates of one index add up.
#'
#' @param x a tensor or array.
#' @param indices whole numbers, **0-based**; any shape.
#' @param updates a tensor or array of the shape that `op_gather(x, indices, axis)` has.
#' @param axis the axis they index, 1-based.
#' @return A tensor of the shape and dtype of `x`.
#' @section Errors: `nativenet_error_index` if an index lies outside the axis.
#' @seealso [op_gather()]
#' @examples
#' as.array(op_scatter_add(c(0, 0, 0), c(2, 0, 2), c(1, 2, 3))) # 2 0 4
#' @export
op_scatter_add <- function(x, indices, updates, axis = 1) {
  apply_op("scatter_add", list(x, tensor(indices, "int32"), updates), ints = check_one_axis(axis, rank_of(x)))
}

#' Shape of a tensor
#'
#' The sizes of the axes as a tensor. In a model or an [autograph()] function they follow the batch at hand.
#'
#' @param x a tensor or array.
#' @return A tensor of int32 with one axis; of a symbolic tensor its shape, `NA` where it is not known.
#' @seealso [dim()][tensor] for the shape as R numbers
#' @examples
#' as.array(op_shape(matrix(0, 2, 3))) # 2 3
#' @export
op_shape <- function(x) if (is_keras_tensor(x)) nn_shape(dim(x)) else shape_tensor(x)

#' The sizes, of symbolic tensors too.
#' @noRd
shape_tensor <- function(x) apply_op("shape", list(x))

#' Cast to another dtype
#'
#' @param x a tensor or array.
#' @param dtype as for [tensor()]. Floats are truncated towards zero to become integers and held at the ends of the
#'   integer's range; anything but 0 is TRUE as bool.
#' @return A tensor of that dtype and the shape of `x`.
#' @examples
#' op_cast(c(-1.7, 1.7), "int32")
#' @export
op_cast <- function(x, dtype) apply_op("cast", list(x), ints = dtype_code(dtype))

#' Stop the gradient
#'
#' Gives the same numbers as a constant: no gradient flows through it.
#'
#' @param variable a tensor or array.
#' @return A tensor of the shape and dtype of `variable`.
#' @seealso [gradient_tape()]
#' @examples
#' w <- variable(3)
#' with(gradient_tape() %as% tape, y <- w * op_stop_gradient(w))
#' as.array(tape$gradient(y, w)) # 3, not 6
#' @export
op_stop_gradient <- function(variable) apply_op("stop_gradient", list(variable))

#' Select by a condition
#'
#' Elements of `x1` where the condition holds, of `x2` elsewhere, with broadcasting of all three as in [op_add()].
#'
#' @param condition a logical array or bool tensor.
#' @param x1,x2 tensors or arrays. Without both the places are given where the condition holds, as [op_nonzero()] does.
#' @return A tensor of the broadcast shape and the dtype of `x1` and `x2`.
#' @seealso [op_less()] and the other comparisons
#' @examples
#' as.array(op_where(c(TRUE, FALSE), 1, c(5, 6))) # 1 6
#' @export
op_where <- function(condition, x1 = NULL, x2 = NULL) {
  if (is.null(x1) != is.null(x2)) abort("`x1` and `x2` must be given together, or neither")
  if (is.null(x1)) op_nonzero(condition) else apply_op("where", list(tensor(condition, "bool"), x1, x2))
}

#' One-hot encoding
#'
#' A new axis with 1 at the index and 0 elsewhere; all zeros where there is no such class.
#'
#' @param x whole numbers of any shape, **1-based** as in R, or a factor; 0-based with `zero_indexed`, as class labels
#'   of
#'   data sets are.
#' @param num_classes the number of classes; that of the levels of a factor.
#' @param axis the place of the new axis, 1-based, negative from the end.
#' @param dtype as for [tensor()]; `NULL` for [k_floatx()].
#' @param sparse must be `FALSE`; present for compatibility with keras3.
#' @param zero_indexed are indices counted from 0, or from 1?
#' @return A tensor.
#' @seealso [to_categorical()] for R vectors
#' @examples
#' as.array(op_one_hot(c(3, 1), 3))
#' @export
op_one_hot <- function(x, num_classes, axis = -1, dtype = NULL, sparse = FALSE, zero_indexed = FALSE) {
  refuse_sparse(sparse)
  if (is.factor(x)) {
    if (zero_indexed) abort("`zero_indexed` must be FALSE for a factor, whose codes begin at 1")
    if (missing(num_classes)) num_classes <- nlevels(x)
    x <- as.integer(x)
  }
  classes <- check_count(num_classes)
  check_room(c(shape_of(x), classes), "num_classes", 1, x)
  places <- array(seq_len(classes) - check_flag(zero_indexed), classes)
  found <- op_cast(op_equal(op_expand_dims(tensor(x, "int32"), -1), tensor(places, "int32")),
    if (is.null(dtype)) session$floatx else dtype)
  rank <- rank_of(found)
  at <- check_one_axis(axis, rank) + 1
  if (at == rank) found else op_transpose(found, append(seq_len(rank - 1), rank, at - 1))
}

# Chosen by a condition of the shape of x, so that traced programs serve other batch sizes.
constant_like <- function(x, value) {
  x <- tensor(x)
  value <- tensor(value, tensor_dtype(x))
  op_where(op_equal(x, x), value, value)
}

#' Zeros and ones like a tensor
#'
#' Constants of the shape and dtype of `x`; no gradient flows through them.
#'
#' @param x a tensor or array.
#' @param dtype as for [tensor()]; `NULL` for that of `x`.
#' @return A tensor of the shape of `x`.
#' @examples
#' op_zeros_like(matrix(1:6, 2))
#' @export
op_zeros_like <- function(x, dtype = NULL) like_in(x, 0, dtype)

#' @rdname op_zeros_like
#' @export
op_ones_like <- function(x, dtype = NULL) like_in(x, 1, dtype)

like_in <- function(x, value, dtype) {
  y <- constant_like(x, value)
  if (is.null(dtype)) y else op_cast(y, dtype)
}

tensor_filled <- function(value, shape, dtype = NULL, fun = calling_function()) {
  shape <- check_sizes(shape, fun = fun)
  one <- without_room(tensor(value, if (is.null(dtype)) "float64" else dtype), prod(shape))
  if (is_symbolic(one)) return(op_broadcast_to(one, shape))
  check_room(shape, "shape")
  tensor(if (length(shape)) array(value, shape) else value, dtype)
}
