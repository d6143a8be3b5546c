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
  case(paste(text_of(d), "axis", axis, "part", part), list(array(some(d), d)), function(x) op_split(x, num_or_sizes, axis)[[part]], function(x) slices_of(x, at))
}
tile_case <- function(d, multiples) {
  case(text_of(d, multiples), list(some(d)), function(x) op_tile(x, multiples), function(x) {
    if (length(d)) slices_of(x, Map(function(n, times) rep(seq_len(n), times), d, multiples)) else x
  })
}
broadcast_to_case <- function(d, to) case(text_of(d, to), list(some(d)), function(x) op_broadcast_to(x, to), function(x) spread(x, to))
one_hot_case <- function(indices, depth) {
  case(text_of(dims(indices), depth), list(indices), function(i) op_one_hot(i, depth), function(i) {
    array(vapply(seq_len(depth) - 1, function(class) c(i) == class, logical(length(i))) + 0, c(dims(i), depth))
  })
}
special <- list(list(c(1, NaN, Inf, -Inf, 0, -2)), list(matrix(c(NaN, 1, -Inf, 3), 2)), list(Inf), list(1:3))
special_cases <- function(call, reference) {
  lapply(special, function(inputs) case(text_of(dims(inputs[[1]])), inputs, call, function(x) shaped(c(reference(x)), dims(x)), integer()))
}

composed_cases <- list(
  reciprocal = unary(function(x) op_reciprocal(x), function(x) 1 / x, 0.3, 3),
  greater = compared(function(a, b) op_greater(a, b), `>`),
  greater_equal = compared(function(a, b) op_greater_equal(a, b), `>=`),
  expand_dims = list(
    expand_dims_case(integer(), 1, 1), expand_dims_case(integer(), -1, 1), expand_dims_case(5, 1, c(1, 5)), expand_dims_case(5, -1, c(5, 1)),
    expand_dims_case(c(2, 3), 2, c(2, 1, 3)), expand_dims_case(c(2, 3), -3, c(1, 2, 3)), expand_dims_case(c(0, 3), 3, c(0, 3, 1)), expand_dims_case(c(5, 0), 1, c(1, 5, 0))
  ),
  squeeze = list(
    squeeze_case(integer(), NULL, integer()), squeeze_case(c(1, 1), NULL, integer()), squeeze_case(c(2, 1, 3), NULL, c(2, 3)), squeeze_case(c(1, 2, 1), 1, c(2, 1)),
    squeeze_case(c(1, 2, 1), -1, c(1, 2)), squeeze_case(c(1, 2, 1, 3), c(1, -2), c(2, 3)), squeeze_case(c(4, 0, 1), 3, c(4, 0)), squeeze_case(c(3, 4), NULL, c(3, 4))
  ),
  split = list(
    split_case(6, 3, 1, 2, list(3:4)), split_case(c(2, 6), 2, -1, 2, list(1:2, 4:6)), split_case(c(2, 6), c(1, 2, 3), 2, 3, list(1:2, 4:6)), split_case(c(4, 3), 4, 1, 3, list(3, 1:3)),
    split_case(c(4, 3), c(4, 0), 1, 2, list(integer(), 1:3)), split_case(c(0, 4), 2, 2, 1, list(integer(), 1:2)), split_case(c(2, 5, 3), c(2, 3), 2, 1, list(1:2, 1:2, 1:3))
  ),
  tile = list(
    tile_case(integer(), integer()), tile_case(5, 3), tile_case(5, 1), tile_case(c(2, 3), c(2, 1)), tile_case(c(2, 3), c(1, 3)), tile_case(c(2, 1, 3), c(3, 2, 2)),
    tile_case(c(2, 3), c(0, 2)), tile_case(c(0, 3), c(2, 2)), tile_case(rep(c(1, 2), 4), rep(1:2, 4))
  ),
  broadcast_to = list(
    broadcast_to_case(integer(), integer()), broadcast_to_case(integer(), c(2, 3)), broadcast_to_case(4, c(3, 4)), broadcast_to_case(c(3, 1), c(2, 3, 4)), broadcast_to_case(c(3, 4), c(3, 4)),
    broadcast_to_case(1, c(2, 0)), broadcast_to_case(c(0, 1), c(0, 3)), broadcast_to_case(c(1, 2), rep(2, 8))
  ),
  one_hot = list(
    one_hot_case(c(0L, 2L, 1L, 2L), 3), one_hot_case(1L, 3), one_hot_case(matrix(0:5, 2), 4), one_hot_case(c(-1L, 7L, 0L), 2), one_hot_case(0:2, 1), one_hot_case(integer(), 3)
  ),
  is_nan = special_cases(function(x) op_is_nan(x), is.nan),
  is_finite = special_cases(function(x) op_is_finite(x), is.finite),
  is_inf = special_cases(function(x) op_is_inf(x), is.infinite),
  zeros_like = forward_only(c(unary(function(x) op_zeros_like(x), function(x) 0 * x), special_cases(function(x) op_zeros_like(x), function(x) rep(0, length(x))))),
  ones_like = forward_only(unary(function(x) op_ones_like(x), function(x) 0 * x + 1)),
  logsumexp = c(
    reduce_cases(function(...) op_logsumexp(...), log_sum_exp, reductions),
    list(
      case("huge", list(some(c(2, 5)) + 1000), function(x) op_logsumexp(x, 2), reduce_reference(log_sum_exp, 2), floor = 10),
      case("tiny", list(some(c(2, 5)) - 1000), function(x) op_logsumexp(x, 2), reduce_reference(log_sum_exp, 2), floor = 10)
    )
  )
)
composed <- names(composed_cases)
op_cases <- c(op_cases, composed_cases)
