# Cases of the functions that are composed in R of other ops, in the same list as those.

slices_of <- function(x, at) shaped(do.call(`[`, c(list(array(x, dims(x))), at, drop = FALSE)), lengths(at))

# axes of size 1 change nothing in the order of the numbers
expand_dims_case <- function(d, axis, result) {
  case(text_of(d, axis), list(some(d)), function(x) op_expand_dims(x, axis), function(x) array(x, result))
}
squeeze_case <- function(d, axis, result) {
  case(text_of(d, axis), list(some(d)), function(x) op_squeeze(x, axis), function(x) shaped(c(x), result))
}
split_case <- function(d, num_or_sizes, axis, part, at) {
  case(paste(text_of(d), "axis", axis, "part", part), list(array(some(d), d)), function(x)
    tf$split(x, num_or_sizes, axis - (axis > 0))[[part]], function(x) slices_of(x, at))
}
tile_case <- function(d, multiples) {
  case(text_of(d, multiples), list(some(d)), function(x) op_tile(x, multiples), function(x) {
    if (length(d)) slices_of(x, Map(function(n, times) rep(seq_len(n), times), d, multiples)) else x
  })
}
broadcast_to_case <- function(d, to) case(text_of(d, to), list(some(d)), function(x) op_broadcast_to(x, to), function(x)
  spread(x, to))
one_hot_case <- function(indices, depth) {
  case(text_of(dims(indices), depth), list(indices), function(i) op_one_hot(i, depth, zero_indexed = TRUE),
    function(i) {
    array(vapply(seq_len(depth) - 1, function(class) c(i) == class, logical(length(i))) + 0, c(dims(i), depth))
  })
}
special <- list(list(c(1, NaN, Inf, -Inf, 0, -2)), list(matrix(c(NaN, 1, -Inf, 3), 2)), list(Inf), list(1:3))
special_cases <- function(call, reference) {
  lapply(special, function(inputs) case(text_of(dims(inputs[[1]])), inputs, call, function(x)
    shaped(c(reference(x)), dims(x)), integer()))
}

repeat_case <- function(d, repeats, axis) {
  case(text_of(d, axis), list(some(d)), function(x) op_repeat(x, repeats, axis), function(x) {
    at <- lapply(d, seq_len)
    at[[axis]] <- rep(at[[axis]], times = rep_len(repeats, d[axis]))
    slices_of(x, at)
  })
}
reverse_case <- function(d, axis) {
  case(text_of(d, axis), list(array(some(d), d)), function(x) op_reverse(x, axis), function(x) {
    at <- lapply(d, seq_len)
    axis <- ifelse(axis < 0, length(d) + 1 + axis, axis)
    at[axis] <- lapply(at[axis], rev)
    slices_of(x, at)
  })
}
pad_case <- function(d, paddings, value = 0) {
  case(text_of(d, dims(paddings)), list(some(d)), function(x) op_pad(x, paddings, constant_values = value),
    function(x) {
    if (length(d) == 0) return(x)
    y <- array(value, d + rowSums(paddings))
    at <- Map(function(n, before) before + seq_len(n), d, paddings[, 1])
    do.call(`[<-`, c(list(y), at, list(c(x))))
  })
}
unstack_case <- function(d, axis, part) {
  case(paste(text_of(d), "axis", axis, "part", part), list(array(some(d), d)), function(x) op_unstack(x,
    axis = axis)[[part]],
    function(x) {
    at <- lapply(d, seq_len)
    axis <- if (axis < 0) length(d) + 1 + axis else axis
    at[[axis]] <- part
    shaped(c(slices_of(x, at)), d[-axis])
  })
}
along <- function(f, axis) {
  function(x) {
    n <- length(dims(x))
    swapped <- replace(seq_len(n), c(axis, n), c(n, axis))
    aperm(row_wise(f)(aperm(x, swapped)), swapped)
  }
}
axis_cases <- function(call, f) {
  c(
    Map(function(d, axis) case(text_of(d, axis), list(some(d)), function(x) call(x, axis), along(f, axis)),
      list(c(3, 5), c(2, 3, 4), c(2, 3, 4), c(1, 4), c(2, 0)), c(1, 1, 2, 1, 1)),
    list(case("from the end", list(some(c(3, 5))), function(x) call(x, -2), along(f, 1)))
  )
}
op_cases$softmax <- c(op_cases$softmax, axis_cases(function(x, axis) op_softmax(x, axis), softmax_of))
op_cases$log_softmax <- c(op_cases$log_softmax, axis_cases(function(x, axis) op_log_softmax(x, axis), function(v)
  v - log_sum_exp(v)))

variance_of <- function(v) mean((v - mean(v))^2)
l2_case <- function(d, axis) {
  norm <- reduce_reference(function(v) sqrt(sum(v^2)), axis, TRUE)
  case(text_of(d, axis), list(some(d)), function(x) op_l2_normalize(x, axis), function(x)
    shaped(c(x) / c(spread(norm(x), dims(x))), dims(x)))
}

sort_case <- function(d, axis, decreasing = FALSE) {
  case(text_of(d, axis, decreasing), list(array(some(d), d)), function(x) op_sort(x, axis, decreasing), function(x)
    along_axis(x, axis, function(line) sort(line, decreasing = decreasing)))
}
take_case <- function(d, axis, k) {
  at <- sample(d[if (axis < 0) length(d) + 1 + axis else axis], k, replace = TRUE)
  shape <- replace(d, if (axis < 0) length(d) + 1 + axis else axis, k)
  indices <- along_axis(array(0, shape), axis, function(line) at - 1)
  case(text_of(d, axis, k), list(array(some(d), d)), function(x) op_take_along(x, indices, axis), function(x)
    along_axis(x, axis, function(line) line[at]))
}
composed_cases <- list(
  reciprocal = unary(function(x) op_reciprocal(x), function(x) 1 / x, 0.3, 3),
  greater = compared(function(a, b) op_greater(a, b), `>`),
  greater_equal = compared(function(a, b) op_greater_equal(a, b), `>=`),
  expand_dims = list(
    expand_dims_case(integer(), 1, 1), expand_dims_case(integer(), -1, 1), expand_dims_case(5, 1, c(1, 5)),
    expand_dims_case(5, -1, c(5, 1)), expand_dims_case(c(2, 3), 2, c(2, 1, 3)),
    expand_dims_case(c(2, 3), -3, c(1, 2, 3)), expand_dims_case(c(0, 3), 3, c(0, 3, 1)),
    expand_dims_case(c(5, 0), 1, c(1, 5, 0))
  ),
  squeeze = list(
    squeeze_case(integer(), NULL, integer()), squeeze_case(c(1, 1), NULL, integer()),
    squeeze_case(c(2, 1, 3), NULL, c(2, 3)), squeeze_case(c(1, 2, 1), 1, c(2, 1)),
    squeeze_case(c(1, 2, 1), -1, c(1, 2)), squeeze_case(c(1, 2, 1, 3), c(1, -2), c(2, 3)),
    squeeze_case(c(4, 0, 1), 3, c(4, 0)), squeeze_case(c(3, 4), NULL, c(3, 4))
  ),
  split = list(
    split_case(6, 3, 1, 2, list(3:4)), split_case(c(2, 6), 2, -1, 2, list(1:2, 4:6)),
    split_case(c(2, 6), c(1, 2, 3), 2, 3, list(1:2, 4:6)), split_case(c(4, 3), 4, 1, 3, list(3, 1:3)),
    split_case(c(4, 3), c(4, 0), 1, 2, list(integer(), 1:3)), split_case(c(0, 4), 2, 2, 1, list(integer(), 1:2)),
    split_case(c(2, 5, 3), c(2, 3), 2, 1, list(1:2, 1:2, 1:3))
  ),
  tile = list(
    tile_case(integer(), integer()), tile_case(5, 3), tile_case(5, 1), tile_case(c(2, 3), c(2, 1)),
    tile_case(c(2, 3), c(1, 3)), tile_case(c(2, 1, 3), c(3, 2, 2)), tile_case(c(2, 3), c(0, 2)),
    tile_case(c(0, 3), c(2, 2)), tile_case(rep(c(1, 2), 4), rep(1:2, 4))
  ),
  broadcast_to = list(
    broadcast_to_case(integer(), integer()), broadcast_to_case(integer(), c(2, 3)), broadcast_to_case(4, c(3, 4)),
    broadcast_to_case(c(3, 1), c(2, 3, 4)), broadcast_to_case(c(3, 4), c(3, 4)), broadcast_to_case(1, c(2, 0)),
    broadcast_to_case(c(0, 1), c(0, 3)), broadcast_to_case(c(1, 2), rep(2, 8))
  ),
  one_hot = list(
    one_hot_case(c(0L, 2L, 1L, 2L), 3), one_hot_case(1L, 3), one_hot_case(matrix(0:5, 2), 4),
    one_hot_case(c(-1L, 7L, 0L), 2), one_hot_case(0:2, 1), one_hot_case(integer(), 3)
  ),
  is_nan = special_cases(function(x) op_is_nan(x), is.nan),
  is_finite = special_cases(function(x) op_is_finite(x), is.finite),
  is_inf = special_cases(function(x) op_is_inf(x), is.infinite),
  silu = unary(function(x) op_silu(x), function(x) x * plogis(x), -4, 4),
  softsign = unary(function(x) op_softsign(x), function(x) x / (1 + abs(x)), -4, 4),
  relu6 = unary(function(x) op_relu6(x), function(x) pmin(pmax(x, 0), 6), -3, 9),
  hard_sigmoid = unary(function(x) op_hard_sigmoid(x), function(x) pmin(pmax(x / 6 + 0.5, 0), 1), -4, 4),
  `repeat` = list(repeat_case(5, 3, 1), repeat_case(c(2, 3), 2, 2), repeat_case(c(2, 3), c(0, 2, 1), 2),
    repeat_case(c(3, 2), 0, 1), repeat_case(c(2, 1), 1, 2), repeat_case(c(2, 3), c(0, 1, 0), 2),
    repeat_case(c(0, 3), 2, 1)),
  reverse = list(
    reverse_case(5, 1), reverse_case(c(2, 3), 2), reverse_case(c(2, 3), c(1, 2)), reverse_case(c(2, 3, 4), c(-1, 1)),
    reverse_case(c(0, 3), 1), reverse_case(c(0, 3), 2), reverse_case(c(2, 3), integer())
  ),
  pad = list(
    pad_case(integer(), matrix(0, 0, 2)), pad_case(3, cbind(1, 2)), pad_case(c(2, 3), rbind(c(0, 1), c(2, 0))),
    pad_case(c(2, 3), rbind(c(1, 1), c(1, 1)), -1.5), pad_case(c(2, 3), matrix(0, 2, 2)),
    pad_case(c(0, 3), rbind(c(0, 0), c(1, 1)), 2), pad_case(c(0, 3), rbind(c(2, 1), c(1, 0)), 2),
    pad_case(c(2, 1, 3), rbind(c(0, 0), c(1, 0), c(0, 2)))
  ),
  sort = list(sort_case(7, 1), sort_case(c(3, 5), 1, TRUE), sort_case(c(2, 5, 3), 2), sort_case(c(0, 3), 1),
    sort_case(c(3, 0), 1)),
  take_along = list(take_case(7, 1, 3), take_case(c(3, 5), -1, 2), take_case(c(3, 5), 1, 6),
    take_case(c(2, 4, 3), 2, 4)),
  top_k = lapply(list(7, c(3, 5), c(2, 3, 4)), function(d) case(text_of(d), list(shaped(some(d), d)), function(x)
    op_top_k(x, 3)$values, function(x) along_axis(x, -1, function(line) sort(line, decreasing = TRUE)[1:3]))),
  unstack = list(unstack_case(4, 1, 3), unstack_case(c(2, 3), 1, 2), unstack_case(c(2, 3), -1, 2),
    unstack_case(c(2, 3, 4), 2, 1), unstack_case(c(0, 3), 2, 3)),
  var = reduce_cases(function(...) op_var(...), variance_of, reductions),
  # the root has no derivative where all numbers are the same
  std = reduce_cases(function(...) op_std(...), function(v) sqrt(variance_of(v)),
    Filter(function(r) prod(r[[1]][if (is.null(r[[2]])) TRUE else abs(r[[2]])]) != 1, reductions)),
  l2_normalize = list(
    l2_case(integer(), NULL), l2_case(7, NULL), l2_case(c(3, 4), NULL), l2_case(c(3, 4), 1), l2_case(c(3, 4), -1),
    l2_case(c(2, 3, 4), c(1, 3)), l2_case(c(2, 35), 2), l2_case(c(0, 3), 2)
  ),
  zeros_like = forward_only(c(unary(function(x) op_zeros_like(x), function(x) 0 * x),
    special_cases(function(x) op_zeros_like(x), function(x) rep(0, length(x))))),
  ones_like = forward_only(unary(function(x) op_ones_like(x), function(x) 0 * x + 1)),
  logsumexp = c(
    reduce_cases(function(...) op_logsumexp(...), log_sum_exp, reductions),
    list(
      case("huge", list(some(c(2, 5)) + 1000), function(x) op_logsumexp(x, 2), reduce_reference(log_sum_exp, 2),
        floor = 10),
      case("tiny", list(some(c(2, 5)) - 1000), function(x) op_logsumexp(x, 2), reduce_reference(log_sum_exp, 2),
        floor = 10)
    )
  )
)
composed <- names(composed_cases)
op_cases <- c(op_cases, composed_cases)
