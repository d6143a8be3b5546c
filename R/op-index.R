# Where numbers stand, and how they are taken and put there. Places count from 1, as in R and R's keras3.

#' Take and put
#'
#' As in R's keras3: **places count from 1**, negative ones from the end, unless `zero_indexed` says otherwise.
#'
#' * `op_take()`: slices of an axis, or numbers of `x` as one row; `op_take_along_axis()`: one for each place.
#' * `op_get_item()`: `x[key, ...]`.
#' * `op_nonzero()`: a matrix with a row for each number that is not 0, of its place along each axis.
#' * `op_scatter()`: zeros of a shape, with `values` at `indices`; `op_scatter_update()`: `inputs` with `updates` there;
#'   `op_slice_update()`: with a block put where it begins. Each row of `indices` names a place along the first axes.
#' * `op_segment_sum()`, `op_segment_max()`: of the rows of `data` that have the same number in `segment_ids`.
#'
#' @param x,inputs,data tensors or arrays.
#' @param indices whole numbers of any shape; for `op_scatter()` and `op_scatter_update()` a matrix.
#' @param axis 1-based, negative from the end; `NULL` for all of `x` as one row.
#' @param zero_indexed do places count from 0?
#' @param key a number, or a list of numbers for the first axes.
#' @param values,updates tensors or arrays: what is put there.
#' @param shape the shape of the result.
#' @param start_indices where the block begins, a number for each axis.
#' @param segment_ids whole numbers from 1, one for each row of `data`.
#' @param num_segments how many there are; `NULL` for the largest of `segment_ids`.
#' @param sorted has no effect.
#' @return A tensor.
#' @section Errors: `nativenet_error_index` for a place that is not there.
#' @seealso [op_gather()], [op_scatter_add()], [op_slice()]
#' @examples
#' as.array(op_take(c(10, 20, 30), c(3, 1))) # 30 10
#' as.array(op_scatter(rbind(1, 3), c(1, 2), 4)) # 1 0 2 0
#' as.array(op_segment_sum(c(1, 2, 10), c(1, 1, 2))) # 3 10
#' @export
op_take <- function(x, indices, axis = NULL, zero_indexed = FALSE) {
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  op_gather(x, places_from_end(to_zero(indices, zero_indexed), shape_of(x)[check_one_axis(axis, rank_of(x)) + 1]), axis)
}

#' 0-based places, of which negative ones count from the end.
#' @noRd
places_from_end <- function(places, n) op_where(op_less(places, 0L), op_add(places, as.integer(n)), places)

#' @rdname op_take
#' @export
op_take_along_axis <- function(x, indices, axis = NULL, zero_indexed = FALSE) {
  places <- to_zero(indices, zero_indexed)
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    places <- op_reshape(places, -1)
    axis <- 1
  }
  op_take_along(x, places_from_end(places, shape_of(x)[check_one_axis(axis, rank_of(x)) + 1]), axis)
}

#' @rdname op_take
#' @export
op_get_item <- function(x, key) {
  key <- as_branch(key)
  x <- as_value(tensor(x))
  if (length(key) > rank_of(x)) abort("`key` must name at most ", rank_of(x), " axes, not ", length(key))
  for (k in rev(seq_along(key))) x <- op_take(x, check_number(key[[k]], arg = "key"), k)
  x
}

#' @rdname op_take
#' @export
op_nonzero <- function(x) op_add(op_cast(places_of(as_value(tensor(x))), "int32"), 1L)

#' Where a tensor is not 0: a row of 0-based places for each, in int64.
#' @noRd
places_of <- function(condition, fun = calling_function()) {
  check_not_tracing("how many numbers are not 0 is known when it runs")
  x <- as.array(condition)
  d <- if (is.null(dim(x))) length(x) else dim(x)
  at <- which(array(aperm(array(x, d)) != 0, rev(d)), arr.ind = TRUE)
  tensor(matrix(as.integer(at), ncol = length(d))[, rev(seq_along(d)), drop = FALSE] - 1L, "int64")
}

#' @rdname op_take
#' @export
op_scatter <- function(indices, values, shape) {
  values <- tensor(rows_at_least(values))
  op_scatter_update(tensor_filled(0, shape, tensor_dtype(values)), indices, values)
}

#' @rdname op_take
#' @export
op_scatter_update <- function(inputs, indices, updates) {
  inputs <- as_value(tensor(inputs))
  updates <- in_dtype_of(inputs, rows_at_least(updates), "updates")
  sizes <- shape_of(inputs)
  at <- to_zero(indices)
  if (rank_of(at) != 2 || shape_of(at)[2] > length(sizes))
    abort("`indices` must be a matrix with a row for each place, ",
    "which names one for each of the first axes, not of shape ", format_shape(shape_of(at)), class = "shape")
  k <- shape_of(at)[2]
  n <- shape_of(at)[1]
  wanted <- c(n, sizes[-seq_len(k)])
  if (!same_sizes(shape_of(updates), wanted)) abort("`updates` must have the shape ", format_shape(wanted), ", not ",
    format_shape(shape_of(updates)), class = "shape")
  ahead <- row_major_steps(sizes[seq_len(k)])
  place <- 0L
  for (i in seq_len(k)) {
    along <- op_gather(at, i - 1L, 2)
    along <- places_from_end(along, sizes[i])
    along <- op_gather(tensor(array(seq_len(sizes[i]) - 1L, sizes[i]), "int32"), along) # refused if it is not there
    place <- op_add(op_multiply(along, as.integer(ahead[i])), place)
  }
  rows <- op_reshape(inputs, c(prod(sizes[seq_len(k)]), sizes[-seq_len(k)]))
  op_reshape(put_rows(rows, place, updates), sizes)
}

#' One number of R's as a row.
#' @noRd
rows_at_least <- function(x) if (is_bare(x)) as.array(x) else x

#' `rows` with others at 0-based places; of two for one place the last counts.
#' @noRd
put_rows <- function(rows, places, updates) {
  n <- shape_of(rows)[1]
  count <- shape_of(updates)[1]
  if (!count) return(rows)
  order <- tensor(array(seq_len(count), count), "float32")
  # for each row, which update is the last that is for it: 0 for none
  here <- op_equal(op_expand_dims(places, 1), tensor(matrix(seq_len(n) - 1L, n), "int32"))
  last <- op_cast(op_max(op_where(here, op_expand_dims(order, 1), 0), 2), "int32")
  op_gather(op_concat(list(rows, updates), 1), op_where(op_equal(last, 0L), tensor(array(seq_len(n) - 1L, n), "int32"),
    op_add(last, as.integer(n - 1))))
}

#' How far apart neighbours along each axis are, row by row.
#' @noRd
row_major_steps <- function(sizes) rev(cumprod(c(1, rev(sizes)))[seq_along(sizes)])

#' What is put into a tensor x, in its dtype. What would lose its fraction is refused.
#' @noRd
in_dtype_of <- function(x, value, arg, fun = calling_function()) {
  dtype <- tensor_dtype(x)
  if (is_keras_tensor(value)) return(op_cast(value, dtype))
  if (!is_tensor(value) || is_variable(value)) value <- tensor(value, dtype)
  if (startsWith(tensor_dtype(value), "float") && !startsWith(dtype, "float")) abort("`", arg, "` of dtype ",
    tensor_dtype(value), " does not fit a tensor of dtype ", dtype, "; `op_cast()` rounds it towards 0",
    class = "dtype", fun = fun)
  op_cast(value, dtype)
}

#' @rdname op_take
#' @export
op_slice_update <- function(inputs, start_indices, updates) {
  inputs <- as_value(tensor(inputs))
  updates <- in_dtype_of(inputs, updates, "updates")
  sizes <- shape_of(inputs)
  block <- shape_of(updates)
  start <- check_per_axis(start_indices, length(sizes), min = 1)
  if (length(block) != length(sizes) || any(start + block - 1 > sizes)) abort("a block of shape ", format_shape(block),
    " at ", format_shape(start), " does not lie within ", format_shape(sizes), class = "shape")
  around <- cbind(start - 1, sizes - start - block + 1)
  inside <- op_pad(op_ones_like(op_cast(updates, "float32")), around)
  op_where(op_greater(inside, 0), op_pad(updates, around), inputs)
}

#' @rdname op_take
#' @export
op_segment_sum <- function(data, segment_ids, num_segments = NULL, sorted = FALSE) {
  check_flag(sorted)
  segment_sum(data, to_zero(segment_ids), segments_of(segment_ids, num_segments))
}

segments_of <- function(segment_ids, num_segments, fun = calling_function()) {
  if (!is.null(num_segments)) return(check_count(num_segments, min = 0, arg = "num_segments", fun = fun))
  max(0, check_whole(c(as.array(tensor(segment_ids))), min = 1, arg = "segment_ids", fun = fun))
}

check_segments <- function(data, ids) {
  if (!rank_of(data) || prod(shape_of(ids)) != shape_of(data)[1]) abort(
    "`segment_ids` must be as many as the first axis of `data` has, not of shape ", format_shape(shape_of(ids)),
    " for ", format_shape(shape_of(data)), class = "shape", fun = user_function())
}

segment_sum <- function(data, segment_ids, n) {
  data <- as_value(tensor(data))
  check_segments(data, segment_ids)
  op_scatter_add(op_broadcast_to(tensor(0, tensor_dtype(data)), c(n, shape_of(data)[-1])), segment_ids, data)
}

#' @rdname op_take
#' @export
op_segment_max <- function(data, segment_ids, num_segments = NULL, sorted = FALSE) {
  check_flag(sorted)
  data <- as_value(tensor(data))
  n <- segments_of(segment_ids, num_segments)
  ids <- to_zero(segment_ids)
  check_segments(data, ids)
  whole <- !startsWith(tensor_dtype(data), "float")
  least <- if (whole) -.Machine$integer.max else -Inf
  parts <- lapply(seq_len(n) - 1L, function(k) {
    own <- op_reshape(op_equal(ids, k), c(-1, rep(1, rank_of(data) - 1)))
    op_max(op_where(own, data, tensor(least, tensor_dtype(data))), 1)
  })
  op_stack(parts)
}

#' Places among sorted numbers, and encodings of classes
#'
#' As in R's keras3.
#'
#' * `op_searchsorted()`: where each of `values` would stand among sorted numbers, 1 for before all; `op_digitize()`:
#'   the bin of each number.
#' * `op_argpartition()`: an order in which the `kth` number stands where it would stand sorted.
#' * `op_unravel_index()`: from places in all of an array to those along each axis, **0-based** as keras3 gives them,
#'   from 1-based ones.
#' * `op_multi_hot()`: 1 for each class that occurs, of **0-based** classes; `op_in_top_k()`: is the **0-based** class
#'   among the `k` largest predictions?
#'
#' @param sorted_sequence,bins increasing numbers.
#' @param values,x,inputs,targets,predictions tensors or arrays.
#' @param side of equal numbers `"left"` stands before them, `"right"` behind.
#' @param kth a 1-based place.
#' @param axis 1-based, negative from the end.
#' @param zero_indexed do places count from 0?
#' @param indices whole numbers, 1-based.
#' @param shape whole numbers.
#' @param num_classes,k whole numbers.
#' @param dtype as for [tensor()]; `NULL` for floats.
#' @param sparse must be FALSE.
#' @param ... ignored.
#' @return A tensor of int32, of floats from `op_multi_hot()`, of bool from `op_in_top_k()`; a list of tensors from
#'   `op_unravel_index()`.
#' @seealso [op_sort()], [op_one_hot()]
#' @examples
#' as.array(op_searchsorted(c(-1, 0, 2, 4), c(-2, 0, 3, 7))) # 1 2 4 5
#' as.array(op_digitize(c(-1, 1, 8), c(0, 3, 7))) # 1 2 4
#' as.array(op_multi_hot(c(0, 2), 4)) # 1 0 1 0
#' @export
op_searchsorted <- function(sorted_sequence, values, side = "left", zero_indexed = FALSE) {
  left <- check_choice(side, c("left", "right")) == "left"
  if (rank_of(sorted_sequence) != 1) abort("`sorted_sequence` must have one axis, not shape ",
    format_shape(shape_of(sorted_sequence)), class = "shape")
  both <- as_one_dtype(list(sorted_sequence, values))
  before <- (if (left) op_less else op_less_equal)(both[[1]], op_expand_dims(both[[2]], -1))
  from_one(op_sum(op_cast(before, "int32"), -1), zero_indexed)
}

#' @rdname op_searchsorted
#' @export
op_digitize <- function(x, bins, zero_indexed = FALSE) op_searchsorted(c(bins), x, "right", zero_indexed)

#' @rdname op_searchsorted
#' @export
op_argpartition <- function(x, kth, axis = -1L, zero_indexed = FALSE) {
  check_whole(kth)
  op_argsort(x, axis, zero_indexed)
}

#' @rdname op_searchsorted
#' @export
op_unravel_index <- function(indices, shape) {
  sizes <- check_sizes(shape)
  at <- places_from_end(to_zero(indices), prod(sizes))
  ahead <- row_major_steps(sizes)
  Map(function(size, step) op_floor_mod(op_floor_divide(at, as.integer(step)), as.integer(size)), sizes, ahead)
}

#' @rdname op_searchsorted
#' @export
op_multi_hot <- function(inputs, num_classes, axis = -1L, dtype = NULL, sparse = FALSE, ...) {
  refuse_sparse(check_flag(sparse))
  found <- op_one_hot(inputs, num_classes, axis, dtype, zero_indexed = TRUE)
  op_max(found, if (rank_of(inputs) > 1) 2 else 1)
}

#' @rdname op_searchsorted
#' @export
op_in_top_k <- function(targets, predictions, k) {
  predictions <- as_floats(predictions)
  chosen <- op_one_hot(targets, shape_of(predictions)[rank_of(predictions)], dtype = "bool", zero_indexed = TRUE)
  own <- op_sum(op_where(chosen, predictions, 0), -1, keepdims = TRUE)
  larger <- op_sum(op_cast(op_greater(predictions, own), "int32"), -1)
  op_logical_and(op_logical_and(op_less(larger, check_count(k)), op_any(chosen, -1)),
    op_is_finite(op_squeeze(own, -1)))
}
