# Functions of arrays that keras3 takes from NumPy, along axes: statistics, products, and how axes lie.

#' Statistics along axes
#'
#' As in R's keras3.
#'
#' * `op_average()`: the mean, weighted; `op_moments()`: a list of mean and variance.
#' * `op_median()`, `op_quantile()`: between the numbers in order; `q` may be several, which then are the first axis.
#'   `method` is where a quantile lies that falls between two numbers: `"linear"`, `"lower"`, `"higher"`, `"midpoint"`
#'   or `"nearest"`.
#' * `op_count_nonzero()`: how many are not 0; `op_diff()`: differences of neighbours, `n` times.
#' * `op_corrcoef()`: correlations of the rows of a matrix; `op_correlate()`: sums of products of `x1` and the moved
#'   `x2`, two rows of numbers.
#' * `op_bincount()`: how often each of 0, 1, ... stands in `x`; `op_histogram()`: counts in equal bins and their ends.
#'
#' @param x,x1,x2,a tensors or arrays.
#' @param axis,axes 1-based, negative from the end; `NULL` for all.
#' @param weights of the shape of `x`, or, along one axis, one for each slice; `NULL` for equal ones.
#' @param keepdims keep the reduced axes with size 1?
#' @param synchronized has no effect.
#' @param q numbers from 0 to 1.
#' @param method,mode see above; for `op_correlate()` `"valid"`, `"same"` or `"full"`.
#' @param n how often.
#' @param minlength how many counts there are at least.
#' @param sparse must be FALSE.
#' @param bins how many bins.
#' @param range the ends of all bins; `NULL` for the least and the largest number.
#' @return A tensor; lists of two from `op_moments()` and `op_histogram()`.
#' @seealso [op_mean()], [op_sort()]
#' @examples
#' x <- matrix(c(1, 2, 3, 10), 2)
#' as.array(op_median(x)) # 2.5
#' as.array(op_quantile(x, c(0, 0.5), axis = 1))
#' as.array(op_diff(c(1, 4, 9))) # 3 5
#' as.array(op_bincount(c(1L, 2L, 2L))) # 0 1 2
#' @export
op_average <- function(x, axis = NULL, weights = NULL) {
  x <- float_tensor(x)
  if (is.null(weights)) return(op_mean(x, axis))
  weights <- op_cast(weights, tensor_dtype(x))
  if (!same_sizes(shape_of(weights), shape_of(x))) {
    if (is.null(axis)) abort("`axis` must be given where `weights` has another shape than `x`")
    rank <- rank_of(x)
    at <- check_one_axis(axis, rank) + 1
    weights <- op_reshape(weights, replace(rep(1, rank), at, -1))
  }
  weights <- op_multiply(op_ones_like(x), weights)
  op_divide(op_sum(op_multiply(x, weights), axis), op_sum(weights, axis))
}

#' @rdname op_average
#' @export
op_moments <- function(x, axes, keepdims = FALSE, synchronized = FALSE) {
  check_flag(synchronized)
  x <- float_tensor(x)
  list(mean = op_mean(x, axes, keepdims), variance = op_var(x, axes, keepdims))
}

#' @rdname op_average
#' @export
op_median <- function(x, axis = NULL, keepdims = FALSE) op_quantile(x, 0.5, axis, keepdims = keepdims)

#' @rdname op_average
#' @export
op_quantile <- function(x, q, axis = NULL, method = "linear", keepdims = FALSE) {
  x <- float_tensor(x)
  check_choice(method, c("linear", "lower", "higher", "midpoint", "nearest"))
  check_flag(keepdims)
  rank <- rank_of(x)
  share <- if (is_tensor(q)) as.array(q) else check_reals(q)
  for (p in as.vector(share)) check_number(p, min = 0, max = 1, arg = "q")
  at <- if (is.null(axis)) seq_len(rank) else sort(check_axis(axis, rank) + 1)
  sizes <- shape_of(x)
  rest <- setdiff(seq_len(rank), at)
  lines <- op_reshape(op_transpose(x, c(rest, at)), c(sizes[rest], prod(sizes[at]))) # the numbers behind the others
  sorted <- op_sort(lines)
  n <- prod(sizes[at])
  if (!n) abort("has no quantiles of no numbers: `x` has the shape ", format_shape(sizes), class = "shape")
  one <- function(p) {
    place <- p * (n - 1)
    low <- floor(place + 1e-9)
    high <- min(ceiling(place - 1e-9), n - 1)
    number <- function(i) op_gather(sorted, as.integer(i), length(rest) + 1)
    y <- switch(method, lower = number(low), higher = number(high), nearest = number(round(place)),
      midpoint = op_multiply(op_add(number(low), number(high)), 0.5),
      linear = {
        above <- place - low
        op_add(op_multiply(number(low), 1 - above), op_multiply(number(high), above))
      })
    y <- op_where(op_any(op_is_nan(lines), -1), NaN, y)
    if (keepdims) op_reshape(y, replace(sizes, at, 1)) else y
  }
  found <- lapply(as.vector(share), one)
  if (length(share) == 1 && is.null(dim(q))) found[[1]] else op_stack(found)
}

#' @rdname op_average
#' @export
op_count_nonzero <- function(x, axis = NULL) op_sum(op_cast(op_cast(x, "bool"), "int32"), axis)

#' @rdname op_average
#' @export
op_diff <- function(a, n = 1L, axis = -1L) {
  a <- as_value(tensor(a))
  rank <- rank_of(a)
  at <- check_one_axis(axis, rank) + 1
  for (i in seq_len(check_count(n, min = 0))) {
    size <- shape_of(a)[at]
    part <- function(from) op_slice(a, replace(rep(1, rank), at, from), replace(rep(-1, rank), at, max(size - 1, 0)))
    a <- op_subtract(part(min(2, size)), part(1))
  }
  a
}

#' @rdname op_average
#' @export
op_corrcoef <- function(x) {
  x <- float_tensor(x)
  if (rank_of(x) == 1) x <- op_expand_dims(x, 1)
  centered <- op_subtract(x, op_mean(x, -1, keepdims = TRUE))
  rows <- op_divide(centered, op_sqrt(op_sum(op_square(centered), -1, keepdims = TRUE)))
  y <- op_matmul(rows, rows, transpose_y = TRUE)
  if (identical(dim(y), c(1L, 1L))) op_reshape(y, integer()) else y
}

#' @rdname op_average
#' @export
op_correlate <- function(x1, x2, mode = "valid") {
  check_choice(mode, c("valid", "same", "full"))
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  n <- vapply(both, function(x) {
    if (rank_of(x) != 1) abort("`x1` and `x2` must have one axis, not shape ", format_shape(shape_of(x)),
      class = "shape")
    shape_of(x)
  }, 0L)
  if (any(n == 0)) abort("`x1` and `x2` must have numbers", class = "shape")
  swapped <- n[2] > n[1]
  if (swapped) {
    both <- rev(both)
    n <- rev(n)
  }
  before <- switch(mode, valid = 0, same = n[2] %/% 2, full = n[2] - 1)
  after <- switch(mode, valid = 0, same = n[2] - 1 - n[2] %/% 2, full = n[2] - 1)
  y <- op_reshape(op_conv(op_reshape(both[[1]], c(1, -1, 1)), op_reshape(both[[2]], c(-1, 1, 1)),
    padding = matrix(c(before, after), 1)), -1)
  if (swapped) op_reverse(y, 1) else y
}

#' @rdname op_average
#' @export
op_bincount <- function(x, weights = NULL, minlength = 0L, sparse = FALSE) {
  refuse_sparse(check_flag(sparse))
  check_not_tracing("`op_bincount()` has as many counts as the largest number asks for")
  minlength <- check_count(minlength, min = 0)
  values <- check_whole(c(as.array(tensor(x))), min = 0, arg = "x")
  n <- max(minlength, values + 1)
  weights <- if (is.null(weights)) op_cast(op_ones_like(tensor(x)), "int32") else tensor(weights)
  op_segment_sum(op_reshape(weights, -1), op_add(op_reshape(op_cast(x, "int32"), -1), 1L), n)
}

#' @rdname op_average
#' @export
op_histogram <- function(x, bins = 10L, range = NULL) {
  check_not_tracing("the bins of `op_histogram()` depend on the numbers")
  bins <- check_count(bins)
  x <- op_reshape(float_tensor(x), -1)
  ends <- if (is.null(range)) as.numeric(c(as.array(op_min(x)), as.array(op_max(x)))) else
    plain_vector(range)
  if (!are_numbers(ends) || length(ends) != 2 || !all(is.finite(ends)) || ends[1] > ends[2])
    abort("`range` must be two increasing numbers, not ",
    describe(range))
  if (ends[1] == ends[2]) ends <- ends + c(-0.5, 0.5)
  edges <- ends[1] + (ends[2] - ends[1]) * (0:bins) / bins
  values <- c(as.array(x))
  at <- findInterval(values[values >= ends[1] & values <= ends[2]], edges, rightmost.closed = TRUE)
  list(tensor(array(tabulate(at, bins), bins), "int32"), tensor(array(edges, bins + 1), tensor_dtype(x)))
}

#' Products of vectors and matrices
#'
#' As in R's keras3: `op_dot()` of two vectors, of matrices, or along the last axis of `x1` and the last but one of
#' `x2`; `op_inner()` along the last axis of both; `op_outer()` of all numbers with all; `op_vdot()` of all numbers, one
#' sum; `op_cross()` of vectors of two or three numbers.
#'
#' @param x1,x2 tensors or arrays.
#' @param axisa,axisb,axisc,axis where the vectors of `x1`, of `x2` and of the result stand; `axis` says all three.
#' @return A tensor.
#' @seealso [op_matmul()], [op_tensordot()], [op_einsum()]
#' @examples
#' as.array(op_dot(1:3, 4:6)) # 32
#' as.array(op_outer(1:2, 1:3))
#' as.array(op_cross(c(1, 0, 0), c(0, 1, 0))) # 0 0 1
#' @export
op_dot <- function(x1, x2) {
  ranks <- c(rank_of(x1), rank_of(x2))
  both <- as_one_dtype(list(x1, x2))
  if (any(ranks == 0)) return(op_multiply(both[[1]], both[[2]]))
  op_tensordot(both[[1]], both[[2]], list(-1, if (ranks[2] == 1) 1 else -2))
}

#' @rdname op_dot
#' @export
op_inner <- function(x1, x2) {
  both <- as_one_dtype(list(x1, x2))
  if (any(c(rank_of(x1), rank_of(x2)) == 0)) return(op_multiply(both[[1]], both[[2]]))
  op_tensordot(both[[1]], both[[2]], list(-1, -1))
}

#' @rdname op_dot
#' @export
op_outer <- function(x1, x2) {
  both <- as_one_dtype(list(x1, x2))
  op_multiply(op_reshape(both[[1]], c(-1, 1)), op_reshape(both[[2]], c(1, -1)))
}

#' @rdname op_dot
#' @export
op_vdot <- function(x1, x2) {
  both <- as_one_dtype(list(x1, x2))
  op_tensordot(op_reshape(both[[1]], -1), op_reshape(both[[2]], -1), 1)
}

#' @rdname op_dot
#' @export
op_cross <- function(x1, x2, axisa = -1L, axisb = -1L, axisc = -1L, axis = NULL) {
  if (!is.null(axis)) axisa <- axisb <- axisc <- check_number(axis)
  for (at in list(axisa, axisb, axisc)) check_number(at, arg = "axis")
  both <- Map(function(x, at) op_moveaxis(x, at, -1), as_one_dtype(list(x1, x2)), c(axisa, axisb))
  sizes <- vapply(both, function(x) utils::tail(shape_of(x), 1), 0L)
  if (any(!sizes %in% 2:3)) abort("`x1` and `x2` must have two or three numbers along the axis, not ", sizes[1],
    " and ",
    sizes[2], class = "shape")
  part <- function(k, i) {
    x <- both[[k]]
    if (i > sizes[k]) op_zeros_like(part(k, 1)) else op_gather(x, i - 1L, rank_of(x))
  }
  minor <- function(i, j) op_subtract(op_multiply(part(1, i), part(2, j)), op_multiply(part(1, j), part(2, i)))
  if (all(sizes == 2)) return(minor(1, 2))
  y <- op_stack(list(minor(2, 3), minor(3, 1), minor(1, 2)), -1)
  op_moveaxis(y, -1, axisc)
}

#' How axes lie
#'
#' As in R's keras3.
#'
#' * `op_concatenate()`, `op_append()`: one after the other; `op_hstack()`, `op_vstack()`: beside and below each other.
#' * `op_flip()`: backwards; `op_roll()`: moved by `shift`, what leaves at one end enters at the other; `op_rot90()`:
#'   turned by quarters.
#' * `op_moveaxis()`, `op_swapaxes()`: axes in another order; `op_ravel()`: all numbers as one row.
#' * `op_tril()`, `op_triu()`: the lower, the upper triangle of matrices; `op_diagflat()`: a matrix with the numbers of
#'   `x` on a diagonal.
#' * `op_meshgrid()`: coordinates of a grid, a list of as many tensors as there are vectors.
#'
#' @param xs a list of tensors or arrays.
#' @param x,x1,x2,array tensors or arrays.
#' @param axis,axes,axis1,axis2,source,destination 1-based, negative from the end; `NULL` for all numbers as one row
#'   (`op_append()`, `op_roll()`) or all axes (`op_flip()`).
#' @param shift whole numbers, one for each axis.
#' @param k a whole number: the diagonal, or how many quarters from the first of the axes to the second.
#' @param indexing `"xy"` for columns and rows, `"ij"` for rows and columns.
#' @param ... vectors; for `op_hstack()` and `op_vstack()` more tensors.
#' @return A tensor; a list of them from `op_meshgrid()`.
#' @seealso [op_concat()], [op_transpose()], [op_reverse()], [op_band_part()]
#' @examples
#' as.array(op_concatenate(list(matrix(1:2, 1), matrix(3:4, 1)))) # rows below each other
#' as.array(op_roll(1:4, 1)) # 4 1 2 3
#' as.array(op_tril(matrix(1, 2, 2)))
#' @export
op_concatenate <- function(xs, axis = 1L) {
  if (is.null(axis)) op_concat(lapply(check_tensors(xs), op_reshape, -1), 1) else op_concat(xs, axis)
}

#' @rdname op_concatenate
#' @export
op_append <- function(x1, x2, axis = NULL) op_concatenate(list(x1, x2), axis)

#' @rdname op_concatenate
#' @export
op_hstack <- function(xs, ...) {
  xs <- at_least_axes(if (is_branch(xs)) xs else list(xs, ...), 1)
  op_concat(xs, if (rank_of(xs[[1]]) == 1) 1 else 2)
}

#' @rdname op_concatenate
#' @export
op_vstack <- function(xs, ...) op_concat(at_least_axes(if (is_branch(xs)) xs else list(xs, ...), 2), 1)

#' Axes of size 1 before those that are there.
#' @noRd
at_least_axes <- function(xs, n) lapply(check_tensors(xs), function(x) {
  for (i in seq_len(max(0, n - rank_of(x)))) x <- op_expand_dims(x, 1)
  x
})

#' @rdname op_concatenate
#' @export
op_flip <- function(x, axis = NULL) {
  rank <- rank_of(x)
  if (!is.null(axis)) check_axis(axis, rank)
  if (rank) op_reverse(x, if (is.null(axis)) seq_len(rank) else axis) else as_value(tensor(x))
}

#' @rdname op_concatenate
#' @export
op_roll <- function(x, shift, axis = NULL) {
  if (is.null(axis)) return(op_reshape(op_roll(op_reshape(x, -1), sum(check_whole(shift)), 1), shape_of(x)))
  at <- check_axis(axis, rank_of(x)) + 1
  shift <- check_whole(shift)
  if (!length(shift) %in% c(1, length(at))) abort("`shift` must be one number, or one for each axis (", length(at),
    "), not ", length(shift))
  x <- as_value(tensor(x))
  for (k in seq_along(at)) {
    n <- shape_of(x)[at[k]]
    if (n > 0) x <- op_gather(x, array(as.integer((seq_len(n) - 1 - rep_len(shift, length(at))[k]) %% n), n), at[k])
  }
  x
}

#' @rdname op_concatenate
#' @export
op_rot90 <- function(array, k = 1L, axes = list(1L, 2L)) {
  rank <- rank_of(array)
  at <- check_axis(if (is_branch(axes)) unlist(axes) else axes, rank, "axes") + 1
  if (length(at) != 2 || at[1] == at[2]) abort("`axes` must be two axes, not ", describe(axes))
  order <- replace(seq_len(rank), at, rev(at))
  switch(check_count(k, min = -2^31) %% 4 + 1, as_value(tensor(array)), op_transpose(op_reverse(array, at[2]), order),
    op_reverse(array, at), op_reverse(op_transpose(array, order), at[2]))
}

#' @rdname op_concatenate
#' @export
op_moveaxis <- function(x, source, destination) {
  rank <- rank_of(x)
  from <- check_axis(source, rank, "source") + 1
  to <- check_axis(destination, rank, "destination") + 1
  if (length(from) != length(to) || anyDuplicated(from) || anyDuplicated(to)) {
    abort("`source` and `destination` must be as many different axes, not ", describe(source), " and ",
      describe(destination))
  }
  order <- integer(rank)
  order[to] <- from
  order[order == 0] <- setdiff(seq_len(rank), from)
  op_transpose(x, order)
}

#' @rdname op_concatenate
#' @export
op_swapaxes <- function(x, axis1, axis2) {
  rank <- rank_of(x)
  at <- c(check_one_axis(axis1, rank), check_one_axis(axis2, rank)) + 1
  op_transpose(x, replace(seq_len(rank), at, rev(at)))
}

#' @rdname op_concatenate
#' @export
op_ravel <- function(x) op_reshape(x, -1)

#' @rdname op_concatenate
#' @export
op_tril <- function(x, k = 0L) triangle(x, function(number) number <= check_count(k, min = -2^31, arg = "k",
  fun = "op_tril"))

#' @rdname op_concatenate
#' @export
op_triu <- function(x, k = 0L) triangle(x, function(number) number >= check_count(k, min = -2^31, arg = "k",
  fun = "op_triu"))

triangle <- function(x, keep, fun = calling_function()) {
  x <- as_value(tensor(x))
  check_matrices(shape_of(x), fun)
  op_where(keep(diag_number(utils::tail(shape_of(x), 2), "x")), x, tensor(0, tensor_dtype(x)))
}

#' @rdname op_concatenate
#' @export
op_diagflat <- function(x, k = 0L) op_matrix_diag(op_reshape(x, -1), k)

#' @rdname op_concatenate
#' @export
op_meshgrid <- function(..., indexing = "xy") {
  xs <- lapply(check_tensors(list(...), "..."), op_reshape, -1)
  xy <- check_choice(indexing, c("xy", "ij")) == "xy"
  n <- length(xs)
  order <- seq_len(n)
  if (xy && n > 1) order[1:2] <- 2:1
  sizes <- vapply(xs, shape_of, 0L)[order]
  lapply(seq_len(n), function(k) {
    at <- match(k, order)
    op_broadcast_to(op_reshape(xs[[k]], replace(rep(1, n), at, -1)), sizes)
  })
}
