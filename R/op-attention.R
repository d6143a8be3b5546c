# Dot-product attention as one op.

#' Scaled dot-product attention
#'
#' Each query takes a mean of the values, weighted by how well their keys fit; each of several heads by itself:
#' \deqn{y_i = \sum_j w_{ij} v_j, \quad w_{i \cdot} = \mathrm{softmax}(s_{i \cdot}), \quad s_{ij} = c\, q_i \cdot k_j}{
#' y[i] = sum over j of w[i, j] v[j], with w[i, ] = softmax(s[i, ]) and s[i, j] = scale sum(q[i] k[j])}
#' In training, dropout sets a fraction `rate` of the weights to 0 and divides the others by `1 - rate`.
#'
#' Scores are computed block by block, forwards and again backwards, and are never there as a whole: memory grows with
#' the number of positions, not with its square.
#'
#' @param query a float tensor or array, (batch, queries, heads, features).
#' @param key likewise, (batch, keys, heads, features).
#' @param value likewise, (batch, keys, heads, values).
#' @param mask `NULL`, or logical, (batch, heads, queries, keys) or what broadcasts to that: `FALSE` where a query does
#'   not see a key. From such scores 1e9 is subtracted, as Keras does; a query that sees no key at all has a mean of
#'   all values that means nothing.
#' @param causal does query i see keys 1 .. i alone?
#' @param scale the factor c; `NULL`: one over the square root of the number of features.
#' @param rate the rate of dropout, in \[0, 1).
#' @return A tensor (batch, queries, heads, values).
#' @section Errors: `nativenet_error_shape` if the shapes do not fit together, or the mask does not broadcast
#'   to them.
#' @references Vaswani et al. (2017), <https://arxiv.org/abs/1706.03762>. Dao et al. (2022), FlashAttention,
#'   <https://arxiv.org/abs/2205.14135>.
#' @seealso [layer_multi_head_attention()], [layer_attention()]
#' @examples
#' query <- array(c(1, 0), c(1, 2, 1, 1))
#' key <- array(c(0, 10), c(1, 2, 1, 1))
#' value <- array(c(5, 7), c(1, 2, 1, 1))
#' as.array(op_attention(query, key, value))[1, , 1, 1] # the first query finds the second key
#' @export
op_attention <- function(query, key, value, mask = NULL, causal = FALSE, scale = NULL, rate = 0) {
  rate <- check_number(rate, min = 0, below = 1)
  causal <- check_flag(causal)
  if (is.null(scale)) {
    query <- as_floats(query)
    rank <- rank_of(query)
    scale <- 1 / sqrt(if (rank) shape_of(query)[rank] else 1)
  }
  apply_op("attention", c(list(query, key, value), if (!is.null(mask)) list(tensor(mask, "bool"))), ints = causal,
    reals = c(check_number(scale), rate))
}

#' Are positions j among the first i? (rows, columns)
#' @noRd
causal_order <- function(rows, columns) {
  order <- function(n) op_cumsum(op_ones_like(tensor(array(0, n), "float32")), 1)
  op_greater_equal(op_expand_dims(order(rows), 2), op_expand_dims(order(columns), 1))
}

#' Where all masks that are there are TRUE; NULL if none is.
#' @noRd
all_of_masks <- function(masks) {
  masks <- Filter(Negate(is.null), masks)
  if (length(masks)) Reduce(op_logical_and, masks)
}

#' Softmax over the last axis, where a mask (broadcast) says so. What is masked gets Keras' large number off.
#' @noRd
attention_weights <- function(scores, mask) {
  if (!is.null(mask)) scores <- op_add(scores, op_multiply(op_cast(op_logical_not(mask), tensor_dtype(scores)), -1e9))
  op_softmax(scores)
}

#' op_attention() by plain ops, with all of its weights.
#' @param drop what dropout makes of the weights.
#' @return list(output, weights (batch, heads, queries, keys))
#' @noRd
attention_by_weights <- function(query, key, value, mask, scale, drop) {
  heads <- function(t) op_transpose(t, c(1, 3, 2, 4))
  scores <- op_multiply(op_matmul(heads(query), heads(key), transpose_y = TRUE), scale)
  w <- attention_weights(scores, mask)
  list(heads(op_matmul(drop(w), heads(value))), w)
}

#' For derivatives of the derivatives of the node n, of inputs x.
#' @noRd
composed_attention <- function(x, n) {
  mask <- all_of_masks(list(if (length(x) > 3) x[[4]],
    if (n$ints[1]) causal_order(dim(x[[1]])[2], dim(x[[2]])[2])))
  drop <- if (n$reals[2] > 0) function(w) op_multiply(w, op_stop_gradient(attention_draws(x, n))) else identity
  attention_by_weights(x[[1]], x[[2]], x[[3]], mask, n$reals[1], drop)[[1]]
}

#' What dropout has made of weights of 1, (batch, heads, queries, keys): equal scores give equal weights, which unit
#' vectors as values show.
#' @noRd
attention_draws <- function(x, n) {
  unit <- op_expand_dims(tensor(diag(dim(x[[2]])[2]), tensor_dtype(x[[2]])), 2)
  of_one <- op_zeros_like(op_slice(x[[2]], rep(1, 4), c(-1, -1, -1, 1)))
  even <- list(op_zeros_like(x[[1]]), x[[2]], op_add(of_one, unit))
  kept <- op_greater(apply_again(n, c(even, x[-(1:3)])), 0)
  op_multiply(op_cast(op_transpose(kept, c(1, 3, 2, 4)), tensor_dtype(x[[1]])), 1 / (1 - n$reals[2]))
}
