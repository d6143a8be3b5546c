# Attention: each position of one sequence, the query, takes a weighted mean of the values of another one, by how well
# its keys fit.

#' Attention layers
#'
#' Dot-product attention, and additive attention. With the query q, the keys k and the values v, each position i of the
#' query takes a mean of the values, weighted by scores s:
#' \deqn{y_i = \sum_j w_{ij} v_j, \quad w_{i \cdot} = \mathrm{softmax}(s_{i \cdot})}{
#' y[i] = sum over j of w[i, j] v[j], with w[i, ] = softmax(s[i, ])}
#' \deqn{\mathrm{dot:}\ s_{ij} = g\, q_i \cdot k_j, \quad \mathrm{concat:}\ s_{ij} = a \sum \tanh(g (q_i + k_j)), \quad
#' \mathrm{additive:}\ s_{ij} = \sum_c g_c \tanh(q_{ic} + k_{jc})}{
#' dot: s[i, j] = g sum(q[i, ] k[j, ]), concat: s[i, j] = a sum(tanh(g (q[i, ] + k[j, ]))),
#' additive: s[i, j] = sum(g tanh(q[i, ] + k[j, ]))}
#'
#' Shapes: query (batch, Tq, dim), values and keys (batch, Tv, dim); output (batch, Tq, dim). Weights: with `use_scale`
#' the factor g, a scalar, or of additive attention (dim); with `score_mode = "concat"` the scalar a.
#'
#' A layer is called with a list: query and values, and perhaps keys, which else are the values. Further arguments of a
#' call: `return_attention_scores = TRUE` gives a list, output and weights w (batch, Tq, Tv); with
#' `use_causal_mask = TRUE` position i takes positions 1 .. i alone; `training`; `mask`, a list of the masks of query
#' and values, either of which may be `NULL`.
#'
#' @param inputs a list of symbolic tensors, tensors or arrays: query, values and, if they are others, keys; without it
#'   the layer itself.
#' @param use_scale learn the factor g?
#' @param score_mode `"dot"` or `"concat"`.
#' @param dropout in training, the fraction of weights w to drop.
#' @param ... arguments of all layers, see [layer_dense()].
#' @return A symbolic tensor or a tensor, as the inputs are; a layer (class `nn_layer`) without `inputs`.
#' @param object the same as `inputs`.
#' @section Masks: Masked positions of the values have no weight. Masked positions of the query become 0, and its mask
#'   goes on.
#' @section Errors: `nativenet_error_shape` if the shapes do not fit.
#' @references Luong et al. (2015), <https://arxiv.org/abs/1508.04025>; Bahdanau et al. (2015),
#'   <https://arxiv.org/abs/1409.0473>.
#' @seealso [layer_multi_head_attention()], [layer_dot()]
#' @examples
#' # the number that stands where a 1 marks it
#' n <- 200
#' at <- sample(5, n, TRUE)
#' marks <- array(diag(5)[at, ], c(n, 5, 1))
#' numbers <- array(rnorm(n * 5), c(n, 5, 1))
#' input <- layer_input(shape = c(5, 2))
#' steps <- input |> layer_dense(8, activation = "tanh")
#' query <- input |> layer_dense(8) |> layer_lambda(function(x) x[, 1:1, ])
#' output <- layer_attention(list(query, steps)) |> layer_flatten() |> layer_dense(1)
#' model <- keras_model(input, output)
#' model |> compile(optimizer_adam(0.02), "mse")
#' x <- array(c(marks, numbers), c(n, 5, 2))
#' model |> fit(x, numbers[cbind(1:n, at, 1)], epochs = 20, verbose = 0)
#' @export
layer_attention <- function(inputs, use_scale = FALSE, score_mode = "dot", ..., dropout = NULL) {
  attention_layer("attention", inputs, list(use_scale = check_flag(use_scale),
    score_mode = as.character(check_choice(score_mode, c("dot", "concat"))),
    dropout = check_number(if (is.null(dropout)) 0 else dropout, min = 0, below = 1, arg = "dropout")), ...)
}

#' @rdname layer_attention
#' @export
layer_additive_attention <- function(object, use_scale = TRUE, dropout = 0, ...) {
  attention_layer("additive_attention", object, list(use_scale = check_flag(use_scale),
    dropout = check_number(dropout, min = 0, below = 1)), ...)
}

#' @param inputs what comes may be missing, and is a list of query, value, key, or the query alone.
#' @noRd
attention_layer <- function(kind, inputs, config, ..., fun = calling_function()) {
  if (missing(inputs)) return(new_layer(kind, config = config, ..., fun = fun))
  new_layer(kind, inputs, config, ..., fun = fun)
}

#' Query, value and key.
#' @noRd
attention_inputs <- function(self, x, fewest = 2) {
  n <- if (is_branch(x)) length(x) else 1
  if (n < fewest || n > 3) {
    abort("is called on a list of query and values, and perhaps keys, not on ",
      if (is_branch(x)) paste("a list of", n) else "one tensor", fun = self$name)
  }
  x <- unname(if (is_branch(x)) x else list(x))
  ranks <- vapply(x, rank_of, 0L)
  if (any(ranks < 3)) {
    abort("needs inputs of shape (batch, positions, features), not ", input_shape_text(x[[which(ranks < 3)[1]]]),
      class = "shape", fun = self$name)
  }
  query <- x[[1]]
  value <- x[[min(2, n)]]
  list(query = query, value = value, key = if (n == 3) x[[3]] else value)
}

#' Whose shape nothing depends on.
#' @noRd
causal_mask <- function(rows, columns) if (!on_trial()) causal_order(rows, columns)

#' @param as_dot of a layer and a query: the query as an op of dot products takes it; NULL where it does not.
#' @noRd
scored_attention <- function(class_name, build, scores, as_dot = function(self, query) NULL) {
  list(
    class_name = class_name, several = TRUE, masks = 2L, build = build,
    call = function(self, x, training, return_attention_scores = FALSE, use_causal_mask = FALSE) {
      x <- attention_inputs(self, x)
      for (name in c("value", "key")) if (rank_of(x[[name]]) != 3 || rank_of(x$query) != 3)
        abort("needs inputs of shape (batch, positions, features)", class = "shape", fun = self$name)
      causal <- check_flag(use_causal_mask, fun = self$name)
      shown <- check_flag(return_attention_scores, fun = self$name)
      columns <- mask_of(x$value)
      if (!is.null(columns)) columns <- op_expand_dims(columns, 2)
      query <- if (!shown) as_dot(self, x$query)
      if (!is.null(query)) {
        one_head <- function(t) op_expand_dims(t, 3)
        y <- op_attention(one_head(query), one_head(x$key), one_head(x$value),
          if (!is.null(columns)) op_expand_dims(columns, 2), causal, 1, if (training) self$config$dropout else 0)
        y <- op_squeeze(y, 3)
      } else {
        s <- scores(self, x$query, x$key)
        size <- shape_of(s)
        w <- attention_weights(s, all_of_masks(list(columns, if (causal) causal_mask(size[2], size[3]))))
        y <- op_matmul(dropped(w, self$config$dropout, training, NULL), x$value)
      }
      rows <- mask_of(x$query)
      if (!is.null(rows)) {
        y <- op_multiply(y, op_cast(op_expand_dims(rows, -1), tensor_dtype(y)))
        y <- with_note(y, "mask", rows)
      }
      if (shown) list(y, w) else y
    },
    mask = "own"
  )
}

#' Sums of tanh(q + k), (batch, Tq, Tv, dim).
#' @noRd
tanh_of_pairs <- function(query, key, scale = NULL) {
  pairs <- op_add(op_expand_dims(query, 3), op_expand_dims(key, 2))
  op_tanh(if (is.null(scale)) pairs else op_multiply(pairs, scale))
}

attention_type <- scored_attention("Attention",
  build = function(self, shape) {
    if (self$config$use_scale) add_weight(self, "scale", integer(), "ones")
    if (self$config$score_mode == "concat") add_weight(self, "concat_score_weight", integer(), "ones")
  },
  scores = function(self, query, key) {
    scale <- if (self$config$use_scale) self$weights[[1]]
    if (self$config$score_mode == "concat")
      return(op_multiply(op_sum(tanh_of_pairs(query, key, scale), -1), self$weights[[length(self$weights)]]))
    s <- op_matmul(query, key, transpose_y = TRUE)
    if (is.null(scale)) s else op_multiply(s, scale)
  },
  as_dot = function(self, query) {
    if (self$config$score_mode != "dot") NULL else if (self$config$use_scale) op_multiply(query, self$weights[[1]]) else
      query
  }
)

additive_attention_type <- scored_attention("AdditiveAttention",
  build = function(self, shape) if (self$config$use_scale) add_weight(self, "scale", features_of(self, shape[[1]])),
  scores = function(self, query, key) {
    s <- tanh_of_pairs(query, key)
    op_sum(if (self$config$use_scale) op_multiply(s, self$weights[[1]]) else s, -1)
  }
)

#' Multi-head attention layer
#'
#' Attention of several heads, as in transformers: query, keys and values are projected for each head, the heads attend
#' by scaled dot products, and what they find is projected once more. With the matrices \eqn{W}{W} of head h, whose keys
#' have d features:
#' \deqn{H_h = \mathrm{softmax}\left(\frac{q W^q_h (k W^k_h)^T}{\sqrt{d}}\right) v W^v_h, \quad
#' y = \sum_h H_h W^o_h + b}{
#' H[h] = softmax(q Wq[h] (k Wk[h])' / sqrt(d)) v Wv[h], y = sum over h of H[h] Wo[h] + b}
#'
#' Shapes: query (batch, T, dim), values and keys (batch, S, ...); output (batch, T, dim), or what `output_shape` says
#' in place of dim. Weights: kernel (dim, heads, key_dim) and bias (heads, key_dim) of the query, of the keys and of the
#' values (with value_dim), then kernel (heads, value_dim, output) and bias (output).
#'
#' A layer is called with `layer(query, value)`, `layer(query, value, key)` or a list of these; one tensor alone attends
#' to itself. Further arguments of a call: `attention_mask`, (batch, T, S) or what broadcasts to that, `TRUE` where a
#' position may be seen; `use_causal_mask = TRUE`, with which position i sees positions 1 .. i alone;
#' `return_attention_scores = TRUE`, which gives a list, output and weights (batch, heads, T, S); `training`; and
#' `query_mask`, (batch, T), `value_mask` and `key_mask`, (batch, S), in place of the masks that these bring along.
#'
#' @inheritParams layer_attention
#' @param inputs a list of symbolic tensors, tensors or arrays: query, values and, if they are others, keys; or one
#'   tensor, which attends to itself; without it the layer itself.
#' @param num_heads the number of heads.
#' @param key_dim the features of each head's queries and keys.
#' @param value_dim the features of each head's values; by default `key_dim`.
#' @param dropout in training, the fraction of attention weights to drop.
#' @param use_bias add biases?
#' @param output_shape the size of the output's last axis, or a vector of sizes; by default the query's.
#' @param attention_axes the axes that positions lie along, 0-based with the batch as axis 0, as in Keras; by default
#'   all but the first and the last one.
#' @param kernel_initializer,bias_initializer,kernel_regularizer,bias_regularizer,kernel_constraint,bias_constraint of
#'   all kernels and biases, see [layer_dense()].
#' @param activity_regularizer of the output, see [layer_dense()].
#' @inherit layer_attention return
#' @section Masks: Positions of values or keys that are masked are not seen. The mask of the query goes on.
#' @inheritSection layer_attention Errors
#' @references Vaswani et al. (2017), Attention is all you need, <https://arxiv.org/abs/1706.03762>.
#' @seealso [layer_attention()]
#' @examples
#' # does the first number occur again?
#' n <- 300
#' x <- matrix(sample(0:7, n * 6, TRUE), n)
#' y <- (rowSums(x[, -1] == x[, 1]) > 0) * 1
#' input <- layer_input(shape = 6, dtype = "int32")
#' steps <- input |> layer_embedding(8, 8)
#' attended <- layer_multi_head_attention(list(steps, steps), num_heads = 2, key_dim = 4)
#' output <- layer_add(steps, attended) |> layer_dense(16, activation = "relu") |> layer_flatten() |>
#'   layer_dense(1, activation = "sigmoid")
#' model <- keras_model(input, output)
#' model |> compile(optimizer_adam(0.01), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, y, epochs = 20, verbose = 0)
#' @export
layer_multi_head_attention <- function(inputs, num_heads, key_dim, value_dim = NULL, dropout = 0, use_bias = TRUE,
  output_shape = NULL, attention_axes = NULL, kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
  kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
  bias_constraint = NULL, ...) {
  key_dim <- check_count(key_dim)
  attention_layer("multi_head_attention", inputs, c(list(
    num_heads = check_count(num_heads), key_dim = key_dim, value_dim = if (is.null(value_dim)) key_dim else
      check_count(value_dim),
    dropout = check_number(dropout, min = 0, below = 1), use_bias = check_flag(use_bias),
    output_shape = if (!is.null(output_shape)) check_layer_sizes(output_shape),
    attention_axes = if (!is.null(attention_axes)) check_layer_sizes(attention_axes)
  ), weight_parts()), ...)
}

multi_head_attention_type <- list(
  class_name = "MultiHeadAttention",
  several = TRUE,
  takes = c("query", "value", "key"),
  build = function(self, shape) {
    config <- self$config
    shape <- if (is_branch(shape)) unname(shape) else list(shape)
    value <- shape[[min(2, length(shape))]]
    key <- if (length(shape) > 2) shape[[3]] else value
    weigh <- function(name, sizes, bias) {
      add_weight(self, paste0(name, "/kernel"), sizes, config$kernel_initializer, config$kernel_regularizer,
        config$kernel_constraint)
      if (config$use_bias) add_weight(self, paste0(name, "/bias"), bias, config$bias_initializer,
        config$bias_regularizer, config$bias_constraint)
    }
    project <- function(name, of, size, heads) weigh(name, c(features_of(self, of), heads, size), c(heads, size))
    groups <- if (is.null(config$num_key_value_heads)) config$num_heads else config$num_key_value_heads
    project("query", shape[[1]], config$key_dim, config$num_heads)
    project("key", key, config$key_dim, groups)
    project("value", value, config$value_dim, groups)
    out <- if (is.null(config$output_shape)) features_of(self, shape[[1]]) else config$output_shape
    weigh("attention_output", c(config$num_heads, config$value_dim, out), out)
  },
  call = function(self, x, training, attention_mask = NULL, return_attention_scores = FALSE, use_causal_mask = FALSE,
    query_mask = NULL, value_mask = NULL, key_mask = NULL) {
    config <- self$config
    x <- attention_inputs(self, x, fewest = 1)
    x <- Map(function(t, mask, name) given_sequence_mask(self, t, mask, name), x, list(query_mask, value_mask,
      key_mask), c("query_mask", "value_mask", "key_mask"))
    rank <- rank_of(x$query)
    axes <- attention_axes(self, rank)
    weights <- split(self$weights, rep(1:4, each = 1 + config$use_bias))
    parts <- Map(function(t, w) positions_of(self, project_heads(self, t, w), axes), x[c("query", "key", "value")],
      weights[1:3])
    query <- parts$query
    columns <- parts$key$sizes
    others <- shape_of(query$apart)[seq_len(rank - 2 - length(axes)) + 1] # batch axes behind the first
    mask <- heads_mask(self, x, attention_mask, query, columns, others)
    causal <- check_flag(use_causal_mask, fun = self$name)
    scale <- 1 / sqrt(config$key_dim)
    shown <- check_flag(return_attention_scores, fun = self$name)
    if (shown) {
      mask <- all_of_masks(list(mask, if (causal) causal_mask(prod(query$sizes), prod(columns))))
      y <- attention_by_weights(query$x, parts$key$x, parts$value$x, mask, scale,
        function(w) dropped(w, config$dropout, training, NULL))
      w <- op_reshape(y[[2]], c(-1, others, config$num_heads, query$sizes, columns))
      y <- y[[1]]
    } else {
      y <- op_attention(query$x, parts$key$x, parts$value$x, mask, causal, scale, if (training) config$dropout else 0)
    }
    if (rank > 3) y <- op_transpose(op_reshape(y, c(-1, others, query$sizes, config$num_heads, config$value_dim)),
      order(query$order))
    out <- weights[[4]]
    size <- dim(out[[1]])[-(1:2)]
    y <- op_reshape(y, c(-1, shape_of(x$query)[-c(1, rank)], config$num_heads * config$value_dim))
    y <- op_dense(y, op_reshape(out[[1]], c(-1, prod(size))), if (config$use_bias) op_reshape(out[[2]], prod(size)))
    if (length(size) > 1) y <- op_reshape(y, c(-1, shape_of(y)[-c(1, rank)], size))
    real <- mask_of(x$query)
    if (!is.null(real)) y <- with_note(y, "mask", real)
    if (shown) list(y, w) else y
  },
  mask = "own"
)

#' A sequence with a mask in place of its own, if one is given: one truth value for each position.
#' @noRd
given_sequence_mask <- function(self, x, mask, name) {
  if (is.null(mask)) return(x)
  mask <- as_mask(self, mask)
  wanted <- shape_of(x)[-rank_of(x)]
  if (!same_sizes(shape_of(mask), wanted)) abort("`", name, "` must have the shape ", format_shape(wanted), ", not ",
    format_shape(shape_of(mask)), class = "shape", fun = self$name)
  with_note(another_name(x), "mask", mask)
}

#' (batch, ..., features) to (batch, ..., heads, size)
#' @noRd
project_heads <- function(self, x, weights) {
  size <- dim(weights[[1]])
  check_features(self, x, size[1])
  y <- op_dense(x, op_reshape(weights[[1]], c(size[1], size[2] * size[3])), if (length(weights) > 1)
    op_reshape(weights[[2]], size[2] * size[3]))
  y <- op_reshape(y, c(-1, shape_of(x)[-c(1, rank_of(x))], size[2:3]))
  times <- self$config$num_heads / size[2] # heads of queries share one of keys and values
  if (times > 1) op_repeat(y, times, rank_of(y) - 1) else y
}

#' Grouped query attention layer
#'
#' As [layer_multi_head_attention()], but several heads of the query share one head of keys and values, which takes less
#' memory: with as many of these as of the query it is multi-head attention, with one it is multi-query attention.
#'
#' Shapes and calls: as for [layer_multi_head_attention()]. Weights: kernel and bias of the query (features, heads,
#' `head_dim`), of key and value (features, heads of these, `head_dim`), and of the output (heads, `head_dim`,
#' features).
#'
#' @inheritParams layer_multi_head_attention
#' @param object what the layer is put on: a tensor, or a list of query, value and perhaps key; may be missing.
#' @param head_dim the size of each head.
#' @param num_query_heads,num_key_value_heads how many heads; the first must be a multiple of the second.
#' @param flash_attention,seed ignored; present for compatibility with keras3.
#' @inherit layer_multi_head_attention return sections
#' @references Ainslie et al. (2023), <https://arxiv.org/abs/2305.13245>.
#' @seealso [layer_multi_head_attention()]
#' @examples
#' x <- array(rnorm(2 * 5 * 8), c(2, 5, 8))
#' layer <- layer_group_query_attention(head_dim = 4, num_query_heads = 4, num_key_value_heads = 2)
#' dim(layer(list(x, x)))
#' @export
layer_group_query_attention <- function(object, head_dim, num_query_heads, num_key_value_heads, dropout = 0,
  use_bias = TRUE, flash_attention = NULL, kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
  kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
  bias_constraint = NULL, seed = NULL, ...) {
  head_dim <- check_count(head_dim)
  heads <- check_count(num_query_heads)
  groups <- check_count(num_key_value_heads)
  if (heads %% groups) abort("`num_query_heads` must be a multiple of `num_key_value_heads`, not ", heads, " of ",
    groups)
  if (!is.null(flash_attention)) check_flag(flash_attention)
  check_seed(seed)
  # the last three are those of the layer that it shares its code with
  attention_layer("group_query_attention", object, c(list(head_dim = head_dim, num_query_heads = heads,
    num_key_value_heads = groups, dropout = check_number(dropout, min = 0, below = 1), use_bias = check_flag(use_bias)),
    weight_parts(), list(num_heads = heads, key_dim = head_dim, value_dim = head_dim)), ...)
}

group_query_attention_type <- replace(multi_head_attention_type, "class_name", "GroupQueryAttention")

#' The axes that positions lie along, 1-based.
#' @noRd
attention_axes <- function(self, rank) {
  given <- self$config$attention_axes
  if (is.null(given)) return(seq_len(rank - 2) + 1)
  axes <- ifelse(given < 0, rank + given, given) + 1
  if (!length(axes) || anyDuplicated(axes) || any(axes < 2 | axes > rank - 1)) {
    abort("`attention_axes` must lie in 1 .. ", rank - 2, " for inputs of ", rank, " axes, not be ",
      format_shape(given), fun = self$name)
  }
  axes
}

#' What has the shape (batch, ..., heads, size) as op_attention() takes it.
#' @return list(x, (batch and others, positions, heads, size); apart, the same before axes were joined; the order of
#'   its axes; the sizes of those of the positions).
#' @noRd
positions_of <- function(self, x, axes) {
  rank <- rank_of(x)
  if (max(axes) > rank - 2) abort("query, values and keys must have as many axes as each other", class = "shape",
    fun = self$name)
  order <- c(setdiff(seq_len(rank - 2), axes), axes, rank - 1, rank)
  apart <- if (is.unsorted(order)) op_transpose(x, order) else x
  sizes <- shape_of(x)[axes]
  joined <- if (rank > 4) op_reshape(apart, c(-1, prod(sizes), shape_of(x)[c(rank - 1, rank)])) else apart
  list(x = joined, apart = apart, order = order, sizes = sizes)
}

#' What may be seen, (batch and others, 1 or heads, rows, columns) with 1 or fewer axes where it is for all, or NULL.
#' Given masks are (batch, others, rows, columns), or have the axis of heads before rows.
#' @noRd
heads_mask <- function(self, x, given, query, columns, others) {
  if (!is.null(given)) given <- as_mask(self, given)
  flat <- function(mask, axes) if (is.null(mask)) mask else op_expand_dims(mask, axes)
  rows <- query$sizes
  if (!is.null(given) && length(rows) > 1) {
    k <- length(rows) + length(columns)
    before <- shape_of(given)[seq_len(rank_of(given) - k)]
    given <- op_reshape(given, c(if (length(before)) c(-1, before[-1]), prod(rows), prod(columns)))
  }
  own <- all_of_masks(list(flat(mask_of(x$query), -1), flat(mask_of(x$value), -2), if (!identical(x$key, x$value))
    flat(mask_of(x$key), -2)))
  rank <- 4 + length(others)
  if (!is.null(own) && !is.null(given) && rank_of(given) == rank) own <- op_expand_dims(own, -3) # the same of all heads
  mask <- all_of_masks(list(given, own))
  if (is.null(mask)) return()
  while (rank_of(mask) > 2 && rank_of(mask) < rank) mask <- op_expand_dims(mask, -3)
  if (!length(others) || rank_of(mask) < 3) return(mask)
  first <- op_slice(query$apart, rep(1, rank_of(query$apart)), c(-1, others, rep(1, length(rows) + 2)))
  each <- op_reshape(op_less(first, first), c(-1, others, 1, 1, 1)) # FALSE
  mask <- op_logical_or(mask, each)
  op_reshape(mask, c(-1, utils::tail(shape_of(mask), 3)))
}
