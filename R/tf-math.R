# More of TensorFlow's mathematics: tf$math, tf$nn, tf$linalg and tf$random, and what stands in tf itself. Axes are
# 0-based.

#' A reduction within segments that unsorted ids name.
#' @noRd
segments <- function(reduce, several = FALSE) {
  force(reduce)
  force(several)
  if (several) return(function(data, segment_ids, num_segments, name = NULL) reduce(op_input(data), segment_ids,
    check_count(num_segments, 0)))
  function(data, segment_ids, name = NULL) reduce(op_input(data), segment_ids, max(-1, check_whole(c(as.array(tensor(
    segment_ids))), min = 0, arg = "segment_ids")) + 1)
}

#' How many elements of data each segment has, in the shape of its other axes.
#' @noRd
segment_counts <- function(data, ids, n) segment_sum(op_ones_like(floats_of(as_value(tensor(data)))), ids, n)

segment_mean <- function(data, ids, n) {
  data <- floats_of(as_value(tensor(data)))
  op_divide(segment_sum(data, ids, n), op_maximum(segment_counts(data, ids, n), 1))
}

segment_root <- function(data, ids, n) {
  data <- floats_of(as_value(tensor(data)))
  op_divide(segment_sum(data, ids, n), op_sqrt(op_maximum(segment_counts(data, ids, n), 1)))
}

#' Sorted segments, the empty ones 0.
#' @noRd
segment_extreme <- function(sign) {
  force(sign)
  function(data, ids, n) {
    data <- as_value(tensor(data))
    y <- op_segment_max(if (sign < 0) op_negative(data) else data, op_add(op_input(ids), 1L), n)
    y <- if (sign < 0) op_negative(y) else y
    found <- op_greater(segment_sum(op_ones_like(floats_of(data)), ids, n), 0)
    op_where(found, y, op_zeros_like(y))
  }
}

#' 0 where x is, whatever f is there.
#' @noRd
times_or_zero <- function(x, y) {
  none <- op_equal(x, 0)
  op_where(none, 0, op_multiply(x, y(none)))
}

confusion <- function(labels, predictions, n, weights, dtype, fun = calling_function()) {
  check_not_tracing("it counts labels in R")
  whole <- function(x, arg) check_whole(c(as.array(tensor(x))), min = 0, arg = arg, fun = fun)
  labels <- whole(labels, "labels")
  predictions <- whole(predictions, "predictions")
  if (length(labels) != length(predictions)) abort("`labels` and `predictions` must be as many, not ", length(labels),
    " and ", length(predictions), class = "shape", fun = fun)
  w <- if (is.null(weights)) rep(1, length(labels)) else c(as.array(tensor(weights)))
  if (length(w) != length(labels)) abort("`weights` must be as many as the labels, ", length(labels), ", not ",
    length(w), class = "shape", fun = fun)
  most <- max(-1, labels, predictions) + 1
  n <- if (is.null(n)) most else check_count(n, min = most, arg = "num_classes", fun = fun)
  check_room(c(n, n), "num_classes")
  counts <- matrix(0, n, n)
  for (i in seq_along(labels)) counts[labels[i] + 1, predictions[i] + 1] <- counts[labels[i] + 1,
    predictions[i] + 1] + w[i]
  tensor(counts, dtype)
}

#' The values of an array of one axis in the order in which they come, and where each of its elements is among them.
#' @noRd
unique_values <- function(x, index_dtype, fun) {
  check_not_tracing("how many values differ depends on them")
  x <- tf_tensor(x)
  if (rank_of(x) != 1) abort("`x` must have one axis, not shape ", format_shape(dim(x)), class = "shape", fun = fun)
  values <- as.vector(as.array(x))
  kept <- unique(values)
  list(y = tensor(array(kept, length(kept)), tensor_dtype(x)), idx = tensor(array(match(values, kept) - 1,
    length(values)), index_dtype), count = tensor(array(tabulate(match(values, kept), length(kept)), length(kept)),
    index_dtype))
}

#' Where rows of indices lie in what their first axes become, one after the other.
#' @noRd
flat_places <- function(indices, sizes, fun) {
  indices <- tf_tensor(indices)
  if (!is_whole_dtype(tensor_dtype(indices))) indices <- op_cast(indices, "int32")
  depth <- utils::tail(shape_of(indices), 1)
  if (!length(depth) || depth > length(sizes)) abort("`indices` must name at most ", length(sizes), " axes, not be of ",
    "shape ", format_shape(shape_of(indices)), class = "shape", fun = fun)
  first <- sizes[seq_len(depth)]
  steps <- row_major_steps(first)
  dtype <- tensor_dtype(indices)
  # the gather refuses an index beyond its own axis, which would be a place in the next row
  parts <- Map(function(along, size, step) op_multiply(op_gather(tensor(array(seq_len(size) - 1, size), dtype), along),
    tensor(step, dtype)), op_unstack(indices, axis = -1), first, steps)
  list(at = Reduce(op_add, parts), n = prod(first),
    rest = sizes[-seq_len(depth)])
}

#' Numbers at places in a shape of zeros; those of one place are added.
#' @noRd
scattered <- function(indices, updates, shape, fun) {
  sizes <- check_sizes(c(as.array(tensor(shape))), fun = fun)
  to <- flat_places(indices, sizes, fun)
  updates <- op_reshape(tf_tensor(updates), c(-1, to$rest))
  op_reshape(segment_sum(updates, op_reshape(to$at, -1), to$n), sizes)
}

#' x at the places that the last axis of indices names.
#' @noRd
gathered <- function(x, indices, fun) {
  x <- tf_tensor(x)
  from <- flat_places(indices, shape_of(x), fun)
  op_gather(op_reshape(x, c(from$n, from$rest)), from$at, 1)
}

#' Vectors shortened to a length, of all numbers or along axes.
#' @noRd
clipped_norm <- function(x, most, axes) {
  x <- as_floats(op_input(x))
  norm <- op_sqrt(op_sum(op_square(x), axes, keepdims = TRUE))
  op_divide(op_multiply(x, most), op_maximum(norm, most))
}

clipped_global <- function(parts, most, norm = NULL) {
  parts <- check_tensors(parts, "t_list")
  if (is.null(norm)) norm <- global_norm(parts)
  list(lapply(parts, function(x) op_multiply(x, op_divide(most, op_maximum(norm, most)))), norm)
}

#' Draws of classes from rows of logits: the largest of logits and Gumbel noise.
#' @noRd
draw_classes <- function(logits, n, dtype, seed) {
  x <- floats_of(tf_tensor(logits))
  if (rank_of(x) != 2) abort("`logits` must be a matrix, not of shape ", format_shape(shape_of(x)), class = "shape",
    fun = "tf$random$categorical")
  one <- op_expand_dims(x, 2)
  wide <- op_add(one, tensor(array(0, c(1, n, 1)), tensor_dtype(x)))
  draws <- with_own_seed(seed, uniform_like(wide, 1e-37, 1))
  op_cast(op_argmax(op_subtract(wide, op_log(op_negative(op_log(draws)))), -1, zero_indexed = TRUE), dtype)
}

add_all <- function(inputs, fun = calling_function()) Reduce(op_add, lapply(check_tensors(inputs, "inputs", fun),
  op_input))

tf_math_more <- c(
  lapply(list(acosh = op_arccosh, asinh = op_arcsinh, atanh = op_arctanh, erfinv = op_erfinv, rint = op_round,
    softsign = op_softsign, erfc = function(x) op_subtract(1, op_erf(x)),
    reciprocal_no_nan = function(x) op_divide_no_nan(1, x), conj = function(x) as_value(tensor(x)),
    real = function(x) as_value(tensor(x)),
    ndtri = function(p) op_multiply(op_erfinv(op_subtract(op_multiply(p, 2), 1)), sqrt(2)),
    erfcinv = function(x) op_erfinv(op_subtract(1, x))), unary),
  lapply(list(atan2 = op_arctan2, divide_no_nan = op_divide_no_nan, logical_xor = op_logical_xor,
    multiply_no_nan = function(x, y) op_where(op_equal(y, 0), 0, op_multiply(x, y)),
    truncatediv = function(x, y) op_multiply(op_sign(op_multiply(x, y)), op_floor_divide(op_abs(x), op_abs(y))),
    xlogy = function(x, y) times_or_zero(x, function(none) op_log(op_where(none, 1, y))),
    xlog1py = function(x, y) times_or_zero(x, function(none) op_log1p(op_where(none, 1, y))),
    xdivy = function(x, y) times_or_zero(x, function(none) op_reciprocal(op_where(none, 1, y)))), binary),
  list(
    softmax = function(logits, axis = -1, name = NULL) op_softmax(op_input(logits), from_zero(axis)),
    log_softmax = function(logits, axis = -1, name = NULL) op_log_softmax(op_input(logits), from_zero(axis)),
    add_n = function(inputs, name = NULL) add_all(inputs),
    accumulate_n = function(inputs, shape = NULL, tensor_dtype = NULL, name = NULL) add_all(inputs),
    scalar_mul = function(scalar, x, name = NULL) op_multiply(scalar, op_input(x)),
    count_nonzero = function(input, axis = NULL, keepdims = FALSE, dtype = "int64", name = NULL)
      op_cast(op_sum(op_cast(op_cast(op_input(input), "bool"), "int32"), from_zero(axis), keepdims), dtype),
    zero_fraction = function(value, name = NULL) op_mean(op_cast(op_equal(op_input(value), 0), "float32")),
    reduce_euclidean_norm = function(input_tensor, axis = NULL, keepdims = FALSE, name = NULL)
      op_sqrt(op_sum(op_square(op_input(input_tensor)), from_zero(axis), keepdims)),
    bincount = function(arr, weights = NULL, minlength = 0, maxlength = NULL, dtype = "int32", name = NULL) {
      if (!is.null(maxlength)) abort("`maxlength` must be NULL", fun = "tf$math$bincount")
      op_cast(op_bincount(arr, weights, check_count(minlength, 0)), if (is.null(weights)) dtype else
        tensor_dtype(tensor(weights)))
    },
    confusion_matrix = function(labels, predictions, num_classes = NULL, weights = NULL, dtype = "int32", name = NULL)
      confusion(labels, predictions, num_classes, weights, dtype, "tf$math$confusion_matrix"),
    invert_permutation = function(x, name = NULL) {
      at <- check_whole(c(as.array(tensor(x))), min = 0, arg = "x")
      if (!identical(sort(at), as.double(seq_along(at) - 1))) abort("`x` must be a permutation of 0 .. n - 1",
        fun = "tf$math$invert_permutation")
      tensor(array(order(at) - 1L, length(at)), "int32")
    },
    is_non_decreasing = function(x, name = NULL) op_all(do.call(op_less_equal, neighbours_of(x))),
    is_strictly_increasing = function(x, name = NULL) op_all(do.call(op_less, neighbours_of(x))),
    polyval = function(coeffs, x, name = NULL) Reduce(function(sum, c) op_add(op_multiply(sum, x), c),
      check_tensors(coeffs, "coeffs")),
    cumulative_logsumexp = function(x, axis = 0, exclusive = FALSE, reverse = FALSE, name = NULL) {
      x <- as_floats(op_input(x))
      most <- op_stop_gradient(op_max(x, from_zero(axis), keepdims = TRUE))
      op_add(op_log(op_cumsum(op_exp(op_subtract(x, most)), from_zero(axis), NULL, exclusive, reverse)), most)
    },
    segment_mean = segments(segment_mean), segment_max = segments(segment_extreme(1)),
    segment_min = segments(segment_extreme(-1)),
    unsorted_segment_mean = segments(segment_mean, TRUE), unsorted_segment_sqrt_n = segments(segment_root, TRUE)
  )
)

#' Each number but the last, and the next one.
#' @noRd
neighbours_of <- function(x) {
  x <- op_reshape(tf_tensor(x), -1)
  n <- shape_of(x)
  if (n < 2) return(list(tensor(0), tensor(1)))
  list(op_slice(x, 1, n - 1), op_slice(x, 2, n - 1))
}

tf_more <- list(
  add_n = tf_math_more$add_n,
  linspace = function(start, stop, num, name = NULL, axis = 0) op_linspace(start, stop, check_count(num),
    axis = from_zero(axis)),
  repeat_ = function(input, repeats, axis = NULL, name = NULL) op_repeat(op_input(input), repeats, from_zero(axis)),
  roll = function(input, shift, axis, name = NULL) op_roll(op_input(input), shift, from_zero(axis)),
  meshgrid = function(..., indexing = "xy") op_meshgrid(..., indexing = indexing),
  gather_nd = function(params, indices, batch_dims = 0, name = NULL) {
    check_count(batch_dims, min = 0, max = 0)
    gathered(params, indices, "tf$gather_nd")
  },
  scatter_nd = function(indices, updates, shape, name = NULL) scattered(indices, updates, shape, "tf$scatter_nd"),
  tensor_scatter_nd_update = function(tensor, indices, updates, name = NULL) op_scatter_update(op_input(tensor),
    op_add(op_input(indices), 1L), updates),
  tensor_scatter_nd_add = function(tensor, indices, updates, name = NULL) {
    x <- tf_tensor(tensor)
    op_add(x, scattered(indices, updates, shape_of(x), "tf$tensor_scatter_nd_add"))
  },
  slice = function(input_, begin, size, name = NULL) {
    begin <- check_whole(c(as.array(tensor(begin))), min = 0, arg = "begin")
    op_slice(op_input(input_), begin + 1, check_whole(c(as.array(tensor(size))), min = -1, arg = "size"))
  },
  searchsorted = function(sorted_sequence, values, side = "left", out_type = "int32", name = NULL)
    op_cast(op_searchsorted(op_input(sorted_sequence), op_input(values), side, zero_indexed = TRUE), out_type),
  sequence_mask = function(lengths, maxlen = NULL, dtype = "bool", name = NULL) {
    lengths <- op_cast(tf_tensor(lengths), "int32")
    n <- if (is.null(maxlen)) max(0, as.array(lengths)) else check_count(maxlen, 0)
    check_room(c(length(lengths), n), "maxlen")
    op_cast(op_less(tensor(array(seq_len(n) - 1L, n)), op_expand_dims(lengths, -1)), dtype)
  },
  unique = function(x, out_idx = "int32", name = NULL) unique_values(x, out_idx, "tf$unique")[1:2],
  unique_with_counts = function(x, out_idx = "int32", name = NULL) unique_values(x, out_idx, "tf$unique_with_counts"),
  unravel_index = function(indices, dims, name = NULL) {
    sizes <- as.integer(check_sizes(dims))
    steps <- as.integer(row_major_steps(sizes))
    op_stack(Map(function(step, size) op_floor_mod(op_floor_divide(op_input(indices), step), size), steps, sizes), 1)
  },
  clip_by_norm = function(t, clip_norm, axes = NULL, name = NULL) clipped_norm(t, check_number(clip_norm, above = 0),
    from_zero(axes)),
  clip_by_global_norm = function(t_list, clip_norm, use_norm = NULL, name = NULL) clipped_global(t_list,
    check_number(clip_norm, above = 0), use_norm),
  saturate_cast = function(value, dtype, name = NULL) cast_as_tensorflow(op_input(value), dtype, TRUE),
  truncatediv = tf_math_more$truncatediv,
  truncatemod = binary(function(x, y) op_subtract(x, op_multiply(tf_math_more$truncatediv(x, y), y))),
  ensure_shape = function(x, shape, name = NULL) {
    x <- tf_tensor(x)
    wanted <- check_input_shape(shape, "shape", "tf$ensure_shape")
    if (length(wanted) != rank_of(x) || any(wanted != shape_of(x), na.rm = TRUE)) abort("the tensor has the shape ",
      format_shape(shape_of(x)), ", not ", format_shape(wanted), class = "shape", fun = "tf$ensure_shape")
    x
  },
  identity_n = function(input, name = NULL) lapply(check_tensors(input, "input"), k_identity),
  shape_n = function(input, out_type = "int32", name = NULL) lapply(check_tensors(input, "input"),
    function(x) op_cast(shape_tensor(x), out_type)),
  strided_slice = function(input_, begin, end, strides = NULL, name = NULL) {
    x <- tf_tensor(input_)
    whole <- function(v, arg) check_whole(c(as.array(tensor(v))), arg = arg, fun = "tf$strided_slice")
    begin <- whole(begin, "begin")
    end <- whole(end, "end")
    by <- if (is.null(strides)) rep(1, length(begin)) else whole(strides, "strides")
    if (length(begin) > rank_of(x) || length(end) != length(begin) || length(by) != length(begin))
      abort("`begin`, `end` and `strides` must be as many, at most ", rank_of(x), class = "shape",
        fun = "tf$strided_slice")
    indices <- c(Map(function(a, b, s) python_slice(list(a, b, s), TRUE), begin, end, by),
      rep(list(new_range()), rank_of(x) - length(begin)))
    part_of(x, indices, FALSE, "tf$strided_slice")
  }
)
names(tf_more)[names(tf_more) == "repeat_"] <- "repeat"

drawn_by_r <- function(shape, seed, dtype, draw, fun = user_function()) {
  sizes <- check_sizes(shape, fun = fun)
  check_room(prod(sizes), "shape")
  x <- with_own_seed(seed, draw(prod(sizes)))
  tensor(if (length(sizes)) array(x, sizes) else x, dtype)
}

tf_random_more <- list(
  categorical = function(logits, num_samples, dtype = "int64", seed = NULL, name = NULL) draw_classes(logits,
    check_count(num_samples), if (is.null(dtype)) "int64" else dtype, seed),
  gamma = function(shape, alpha, beta = NULL, dtype = "float32", seed = NULL, name = NULL) {
    check_not_tracing("it draws with R's generator")
    alpha <- check_number(alpha, above = 0)
    rate <- if (is.null(beta)) 1 else check_number(beta, above = 0)
    drawn_by_r(shape, seed, dtype, function(n) stats::rgamma(n, alpha, rate))
  },
  poisson = function(shape, lam, dtype = "float32", seed = NULL, name = NULL) {
    check_not_tracing("it draws with R's generator")
    lam <- check_number(lam, min = 0, max = 2^30)
    drawn_by_r(shape, seed, dtype, function(n) as.double(stats::rpois(n, lam)))
  }
)

tf_initializers <- list(
  constant_initializer = initializer_constant, zeros_initializer = initializer_zeros,
  ones_initializer = initializer_ones, random_normal_initializer = initializer_random_normal,
  random_uniform_initializer = initializer_random_uniform
)
