# Activations and normalization of keras3, made of other ops.

#' More activation ops
#'
#' Element by element unless there is an axis, under the names of R's keras3:
#'
#' * `op_celu()`: \eqn{\max(x, 0) + \min(0, a (e^{x / a} - 1))}{max(x, 0) + min(0, a (exp(x / a) - 1))};
#' * `op_glu()`: the first half of an axis times the sigmoid of the second;
#' * `op_hard_shrink()`: x beyond `threshold` from 0, else 0; `op_soft_shrink()`: moved towards 0 by it;
#'   `op_threshold()`:
#'   x above `threshold`, else `default_value`;
#' * `op_hard_silu()`, `op_hard_swish()`: \eqn{x \min(\max(x + 3, 0), 6) / 6}{x min(max(x + 3, 0), 6) / 6};
#'   `op_hard_tanh()`: clipped to -1 .. 1;
#' * `op_log_sigmoid()`: \eqn{-\log(1 + e^{-x})}{-log(1 + exp(-x))};
#' * `op_sparse_plus()`: 0 below -1, \eqn{(x + 1)^2 / 4}{(x + 1)^2 / 4} between, x above 1; `op_sparse_sigmoid()`: its
#'   slope; `op_sparsemax()`: the nearest point where numbers along an axis are not negative and sum to 1;
#' * `op_squareplus()`: \eqn{(x + \sqrt{x^2 + b}) / 2}{(x + sqrt(x^2 + b)) / 2};
#' * `op_tanh_shrink()`: \eqn{x - \tanh(x)}{x - tanh(x)}.
#'
#' @param x a float tensor or array.
#' @param alpha,b,threshold,default_value numbers.
#' @param axis 1-based, negative from the end.
#' @return A tensor.
#' @references Martins & Astudillo (2016), sparsemax, <https://arxiv.org/abs/1602.02068>. Barron (2021), squareplus,
#'   <https://arxiv.org/abs/2112.11687>.
#' @seealso [op_relu()], [activations]
#' @examples
#' as.array(op_hard_shrink(c(-1, 0.2, 2)))
#' as.array(op_sparsemax(c(1, 2, 0.5)))
#' @export
op_celu <- function(x, alpha = 1) {
  x <- as_floats(x)
  alpha <- check_number(alpha, above = 0)
  op_add(op_relu(x), op_multiply(op_expm1(op_multiply(op_minimum(x, 0), 1 / alpha)), alpha))
}

#' @rdname op_celu
#' @export
op_glu <- function(x, axis = -1L) {
  halves <- op_split(x, 2, axis)
  op_multiply(halves[[1]], op_sigmoid(halves[[2]]))
}

#' @rdname op_celu
#' @export
op_hard_shrink <- function(x, threshold = 0.5) {
  x <- as_floats(x)
  op_where(op_greater(op_abs(x), check_number(threshold)), x, 0)
}

#' @rdname op_celu
#' @export
op_soft_shrink <- function(x, threshold = 0.5) {
  x <- as_floats(x)
  op_multiply(op_sign(x), op_relu(op_subtract(op_abs(x), check_number(threshold, min = 0))))
}

#' @rdname op_celu
#' @export
op_threshold <- function(x, threshold, default_value) {
  x <- as_floats(x)
  op_where(op_greater(x, check_number(threshold)), x, check_number(default_value))
}

#' @rdname op_celu
#' @export
op_hard_silu <- function(x) op_multiply(x, op_hard_sigmoid(x))

#' @rdname op_celu
#' @export
op_hard_swish <- function(x) op_multiply(x, op_hard_sigmoid(x))

#' @rdname op_celu
#' @export
op_hard_tanh <- function(x) op_clip(x, -1, 1)

#' @rdname op_celu
#' @export
op_log_sigmoid <- function(x) op_negative(op_softplus(op_negative(x)))

#' @rdname op_celu
#' @export
op_sparse_plus <- function(x) {
  x <- as_floats(x)
  op_where(op_less_equal(x, -1), 0, op_where(op_less(x, 1), op_multiply(op_square(op_add(x, 1)), 0.25), x))
}

#' @rdname op_celu
#' @export
op_sparse_sigmoid <- function(x) op_clip(op_multiply(op_add(x, 1), 0.5), 0, 1)

#' @rdname op_celu
#' @export
op_sparsemax <- function(x, axis = -1L) {
  x <- as_floats(x)
  at <- check_one_axis(axis, rank_of(x)) + 1
  sorted <- op_sort(x, at, decreasing = TRUE)
  place <- op_cumsum(op_ones_like(sorted), at)
  sums <- op_cumsum(sorted, at)
  kept <- op_greater(op_add(1, op_multiply(place, sorted)), sums) # of the largest, so many are not 0
  count <- op_sum(op_cast(kept, tensor_dtype(x)), at, keepdims = TRUE)
  least <- op_divide(op_subtract(op_sum(op_where(kept, sorted, 0), at, keepdims = TRUE), 1), count)
  op_relu(op_subtract(x, least))
}

#' @rdname op_celu
#' @export
op_squareplus <- function(x, b = 4) {
  x <- as_floats(x)
  op_multiply(op_add(x, op_sqrt(op_add(op_square(x), check_number(b, min = 0)))), 0.5)
}

#' @rdname op_celu
#' @export
op_tanh_shrink <- function(x) {
  x <- as_floats(x)
  op_subtract(x, op_tanh(x))
}

#' Normalization and attention ops
#'
#' As in R's keras3.
#'
#' * `op_normalize()`: x divided by its norm along an axis; [op_standardize()] does what layers of normalization do.
#' * `op_batch_normalization()`: with given mean and variance; `op_layer_normalization()`: with those along `axis`;
#'   `op_rms_normalization()`: divided by the root of the mean square.
#' * `op_dot_product_attention()`: \eqn{\mathrm{softmax}(Q K' s) V}{softmax(Q K' scale) V} for each head.
#' * `op_psnr()`: the peak signal-to-noise ratio of two pictures, in decibels.
#'
#' @param x,x1,x2 float tensors or arrays.
#' @param axis 1-based, negative from the end; for `op_layer_normalization()` one or several.
#' @param order the order of the norm.
#' @param epsilon a small number; `NULL` for that of Keras.
#' @param mean,variance,offset,scale,gamma,beta tensors or arrays of the size of the axis, or `NULL`.
#' @param query,key,value float tensors (batch, steps, heads, size); `key` and `value` may have fewer heads.
#' @param bias what is added to the products, or `NULL`; broadcast to (batch, heads, query steps, key steps).
#' @param mask TRUE where there is attention, likewise.
#' @param is_causal does no step see a later one?
#' @param flash_attention,attn_logits_soft_cap,... must be `NULL`, or are ignored.
#' @param max_val the largest value that pictures may have.
#' @return A tensor.
#' @seealso [op_l2_normalize()], [layer_batch_normalization()], [layer_multi_head_attention()]
#' @examples
#' as.array(op_normalize(matrix(c(3, 4), 1))) # 0.6 0.8
#' q <- array(rnorm(24), c(1, 3, 2, 4))
#' dim(op_dot_product_attention(q, q, q)) # 1 3 2 4
#' @export
op_normalize <- function(x, axis = -1L, order = 2, epsilon = NULL) {
  x <- as_floats(x)
  least <- check_epsilon(epsilon)
  if (identical(as.double(check_number(order, above = 0)), 2)) # as Keras: the square is at least that of epsilon
    return(op_divide(x, euclidean_norm(x, axis, TRUE, least^2)))
  op_divide(x, op_maximum(op_norm(x, order, axis, keepdims = TRUE), least))
}

check_epsilon <- function(epsilon, fun = calling_function()) {
  if (is.null(epsilon)) session$epsilon else check_number(epsilon, min = 0, max = 1, fun = fun)
}

#' @rdname op_normalize
#' @export
op_batch_normalization <- function(x, mean, variance, axis, offset = NULL, scale = NULL, epsilon = 0.001) {
  x <- as_floats(x)
  rank <- rank_of(x)
  at <- check_one_axis(axis, rank) + 1
  dtype <- tensor_dtype(tensor(x))
  along <- function(p) if (!is.null(p)) op_reshape(op_cast(p, dtype), replace(rep(1, rank), at, -1))
  factor <- op_rsqrt(op_add(along(variance), check_epsilon(epsilon)))
  if (!is.null(scale)) factor <- op_multiply(factor, along(scale))
  y <- op_multiply(op_subtract(x, along(mean)), factor)
  if (is.null(offset)) y else op_add(y, along(offset))
}

#' @rdname op_normalize
#' @export
op_layer_normalization <- function(x, gamma = NULL, beta = NULL, axis = -1L, epsilon = NULL, ...) {
  x <- as_floats(x)
  rank <- rank_of(x)
  at <- sort(check_axis(axis, rank) + 1)
  sizes <- shape_of(x)
  epsilon <- check_epsilon(epsilon)
  y <- op_multiply(op_subtract(x, op_mean(x, at, TRUE)), op_rsqrt(op_add(op_var(x, at, TRUE), epsilon)))
  along <- function(p) op_reshape(op_cast(p, tensor_dtype(y)), replace(rep(1, rank), at, sizes[at]))
  if (!is.null(gamma)) y <- op_multiply(y, along(gamma))
  if (!is.null(beta)) y <- op_add(y, along(beta))
  y
}

#' @rdname op_normalize
#' @export
op_rms_normalization <- function(x, scale = NULL, axis = -1L, epsilon = NULL) {
  x <- as_floats(x)
  epsilon <- check_epsilon(epsilon)
  y <- op_multiply(x, op_rsqrt(op_add(op_mean(op_square(x), axis, TRUE), epsilon)))
  if (is.null(scale)) y else op_multiply(y, scale)
}

#' @rdname op_normalize
#' @export
op_dot_product_attention <- function(query, key, value, bias = NULL, mask = NULL, scale = NULL, is_causal = FALSE,
  flash_attention = NULL, attn_logits_soft_cap = NULL) {
  if (!is.null(flash_attention)) check_flag(flash_attention)
  if (!is.null(attn_logits_soft_cap)) abort("`attn_logits_soft_cap` must be NULL")
  parts <- lapply(as_one_dtype(list(query, key, value)), as_floats)
  sizes <- lapply(parts, shape_of)
  if (any(lengths(sizes) != 4))
    abort("`query`, `key` and `value` must have the axes batch, steps, heads and size, not ",
    "shapes ", paste(vapply(sizes, format_shape, ""), collapse = ", "), class = "shape")
  heads <- sizes[[1]][3]
  if (heads %% sizes[[2]][3]) abort("`query` must have as many heads as `key`, or a multiple: ", heads, " and ",
    sizes[[2]][3], class = "shape")
  parts <- lapply(parts, function(x) {
    x <- op_transpose(x, c(1, 3, 2, 4))
    if (shape_of(x)[2] == heads) x else op_repeat(x, heads / shape_of(x)[2], 2)
  })
  scale <- if (is.null(scale)) 1 / sqrt(sizes[[1]][4]) else check_number(scale)
  scores <- op_matmul(op_multiply(parts[[1]], scale), parts[[2]], transpose_y = TRUE)
  if (!is.null(bias)) scores <- op_add(scores, bias)
  least <- -float_limits[[tensor_dtype(scores)]]$most
  if (!is.null(mask)) scores <- op_where(mask, scores, least)
  if (check_flag(is_causal)) scores <- op_where(outer(seq_len(sizes[[1]][2]), seq_len(sizes[[2]][2]), `>=`), scores,
    least)
  op_transpose(op_matmul(op_softmax(scores), parts[[3]]), c(1, 3, 2, 4))
}

#' @rdname op_normalize
#' @export
op_psnr <- function(x1, x2, max_val) {
  both <- lapply(as_one_dtype(list(x1, x2)), float_tensor)
  error <- op_mean(op_square(op_subtract(both[[1]], both[[2]])))
  op_subtract(20 * log10(check_number(max_val, above = 0)), op_multiply(op_log10(error), 10))
}
