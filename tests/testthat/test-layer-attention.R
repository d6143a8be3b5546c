wave <- function(k, ...) array_reshape(sin(k * seq_len(prod(...))), c(...))
softmax_last <- function(s) exp(s - max(s)) / sum(exp(s - max(s)))

#' Rows of q attend to rows of k and v (matrices): list(y, w). `seen`: logical (q, k).
attend <- function(q, k, v, score, seen = matrix(TRUE, nrow(q), nrow(k))) {
  w <- matrix(0, nrow(q), nrow(k))
  for (i in seq_len(nrow(q))) {
    s <- vapply(seq_len(nrow(k)), function(j) score(q[i, ], k[j, ]), 0)
    w[i, seen[i, ]] <- softmax_last(s[seen[i, ]])
  }
  list(y = w %*% v, w = w)
}

test_that("attention is its formula, by any score", {
  set.seed(1)
  q <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
  v <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  k <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  cases <- list(
    list(layer_attention(dtype = "float64"), list(), function(a, b) sum(a * b)),
    list(layer_attention(use_scale = TRUE, dtype = "float64"), list(0.3), function(a, b) 0.3 * sum(a * b)),
    list(layer_attention(score_mode = "concat", dtype = "float64"), list(1.5), function(a, b) 1.5 * sum(tanh(a + b))),
    list(layer_attention(use_scale = TRUE, score_mode = "concat", dtype = "float64"), list(0.3, 1.5),
      function(a, b) 1.5 * sum(tanh(0.3 * (a + b)))),
    list(layer_additive_attention(dtype = "float64"), list(c(1, -2, 0.5, 3)),
      function(a, b) sum(c(1, -2, 0.5, 3) * tanh(a + b))),
    list(layer_additive_attention(use_scale = FALSE, dtype = "float64"), list(), function(a, b) sum(tanh(a + b)))
  )
  for (case in cases) {
    layer <- case[[1]]
    layer(list(q, v))
    expect_identical(lengths(get_weights(layer)), lengths(case[[2]]))
    set_weights(layer, case[[2]])
    found <- layer(list(q, v, k), return_attention_scores = TRUE)
    causal <- layer(list(q, v), use_causal_mask = TRUE)
    for (b in 1:2) {
      wanted <- attend(q[b, , ], k[b, , ], v[b, , ], case[[3]])
      expect_equal(as.array(found[[1]])[b, , ], wanted$y, tolerance = 1e-12)
      expect_equal(as.array(found[[2]])[b, , ], wanted$w, tolerance = 1e-12)
      wanted <- attend(q[b, , ], v[b, , ], v[b, , ], case[[3]], outer(1:3, 1:5, `>=`))
      expect_equal(as.array(causal)[b, , ], wanted$y, tolerance = 1e-12)
    }
  }
})

test_that("masks of values have no weight, those of the query make it 0 and go on", {
  set.seed(2)
  ids <- rbind(c(1L, 2L, 3L, 0L), c(4L, 1L, 0L, 0L))
  embed <- layer_embedding(input_dim = 5, output_dim = 3, mask_zero = TRUE, dtype = "float64")
  x <- embed(ids)
  e <- as.array(x)
  for (layer in list(layer_attention(dtype = "float64"), layer_additive_attention(use_scale = FALSE,
    dtype = "float64"))) {
    score <- if (inherits(layer, "nn_layer") && layer$name == "attention") function(a, b) sum(a * b)
    if (is.null(score)) score <- if (length(grep("additive", layer$name))) function(a, b) sum(tanh(a + b)) else
      function(a, b) sum(a * b)
    y <- layer(list(x, x))
    for (b in 1:2) {
      seen <- matrix(ids[b, ] > 0, 4, 4, byrow = TRUE)
      expect_equal(as.array(y)[b, , ], attend(e[b, , ], e[b, , ], e[b, , ], score, seen)$y * (ids[b, ] > 0),
        tolerance = 1e-12)
    }
    expect_identical(as.array(attr(y, "mask")), ids > 0)
    by_hand <- layer(list(tensor(e), tensor(e)), mask = list(NULL, ids > 0))
    expect_equal(as.array(by_hand) * c(ids > 0), as.array(y), tolerance = 1e-12)
  }
})

test_that("multi-head attention has PyTorch's outputs and gradients", {
  source(test_path("attention-torch.R"), local = TRUE)
  known <- attention_torch
  layer <- layer_multi_head_attention(num_heads = 2, key_dim = 2, dtype = "float64")
  q <- variable(wave(0.7, 2, 3, 4), "float64")
  v <- variable(wave(1.3, 2, 4, 4), "float64")
  layer(q, v)
  w <- list()
  for (i in 0:3) w <- c(w, list(wave(0.3 + 0.2 * i, 4, 4), wave(0.5 + 0.1 * i, 4)))
  set_weights(layer, Map(function(value, like) array_reshape(value, dim(like)), w, get_weights(layer)))
  seen <- array(rep(c(TRUE, TRUE), 12), c(2, 3, 4))
  seen[2, , 4] <- FALSE
  with(gradient_tape() %as% tape, {
    y <- layer(q, v, attention_mask = seen, use_causal_mask = TRUE, return_attention_scores = TRUE)
    total <- op_sum(op_multiply(y[[1]], wave(0.9, 2, 3, 4)))
  })
  agrees <- function(x, name) expect_lt(max(abs(c(aperm(as.array(x))) - known[[name]])), 1e-10, label = name)
  agrees(y[[1]], "y")
  agrees(y[[2]], "w")
  gradients <- tape$gradient(total, c(list(q, v), layer$weights))
  names <- c("query", "key", "value", "out")
  for (i in 1:2) agrees(gradients[[i]], c("dq", "dv")[i])
  for (i in 1:4) {
    agrees(gradients[[1 + 2 * i]], paste0("d", names[i]))
    agrees(gradients[[2 + 2 * i]], paste0("db_", names[i]))
  }
})

test_that("heads, sizes and axes are Keras'", {
  shapes <- function(...) {
    layer <- layer_multi_head_attention(...)
    y <- layer(array(0, c(2, 3, 5)), array(0, c(2, 4, 6)), array(0, c(2, 4, 7)), return_attention_scores = TRUE)
    c(lapply(get_weights(layer), dim), lapply(y, dim))
  }
  expect_identical(shapes(num_heads = 2, key_dim = 3, value_dim = 4), list(c(5L, 2L, 3L), c(2L, 3L), c(7L, 2L, 3L),
    c(2L, 3L), c(6L, 2L, 4L), c(2L, 4L), c(2L, 4L, 5L), 5L, c(2L, 3L, 5L), c(2L, 2L, 3L, 4L)))
  expect_identical(shapes(num_heads = 1, key_dim = 2, use_bias = FALSE, output_shape = c(2, 3)), list(c(5L, 1L, 2L),
    c(7L, 1L, 2L), c(6L, 1L, 2L), c(1L, 2L, 2L, 3L), c(2L, 3L, 2L, 3L), c(2L, 1L, 3L, 4L)))
  # along one of two axes: as many separate sequences
  x <- array(rnorm(2 * 3 * 4 * 5), c(2, 3, 4, 5))
  layer <- layer_multi_head_attention(num_heads = 2, key_dim = 3, attention_axes = 2, dtype = "float64")
  y <- layer(x, x, return_attention_scores = TRUE)
  plain <- layer_multi_head_attention(num_heads = 2, key_dim = 3, dtype = "float64")
  plain(x[, 1, , ], x[, 1, , ])
  set_weights(plain, get_weights(layer))
  for (i in 1:3) {
    one <- plain(x[, i, , ], x[, i, , ], return_attention_scores = TRUE)
    expect_equal(as.array(y[[1]])[, i, , ], as.array(one[[1]]), tolerance = 1e-12)
    expect_equal(as.array(y[[2]])[, i, , , ], as.array(one[[2]]), tolerance = 1e-12)
  }
  # along both: one sequence of 12
  both <- layer_multi_head_attention(num_heads = 2, key_dim = 3, dtype = "float64")
  y <- both(x, x, return_attention_scores = TRUE, use_causal_mask = TRUE)
  set_weights(plain, get_weights(both))
  flat <- array_reshape(x, c(2, 12, 5))
  one <- plain(flat, flat, use_causal_mask = TRUE)
  expect_equal(as.array(y[[1]]), array_reshape(as.array(one), c(2, 3, 4, 5)), tolerance = 1e-12)
  expect_identical(dim(y[[2]]), c(2L, 2L, 3L, 4L, 3L, 4L))
  expect_error(layer_multi_head_attention(list(x, x), num_heads = 1, key_dim = 2, attention_axes = 3),
    "`attention_axes` must lie in 1 .. 2", class = "nativenet_error_value")
})

test_that("a padded sequence is attended to as a shorter one, and masks go on", {
  set.seed(4)
  model <- keras_model_sequential() |> layer_embedding(9, 4, mask_zero = TRUE) |>
    layer_multi_head_attention(num_heads = 2, key_dim = 3) |> layer_lstm(3)
  long <- rbind(c(3L, 4L, 5L, 0L, 0L), 1:5)
  expect_equal(predict(model, long)[1, ], predict(model, long[1, 1:3, drop = FALSE])[1, ], tolerance = 1e-6)
  expect_gt(max(abs(predict(model, rbind(c(3L, 4L, 5L, 1L, 1L))) - predict(model, long[1, , drop = FALSE]))), 1e-4)
})

test_that("a transformer block trains, is saved, cloned and drawn; calls with arguments are kept", {
  set.seed(5)
  x <- matrix(sample(1:6, 120, TRUE), 20)
  y <- (rowSums(x[, -1] == x[, 1]) > 0) * 1
  input <- layer_input(shape = 6, dtype = "int32")
  steps <- input |> layer_embedding(7, 8, mask_zero = TRUE)
  attention <- layer_multi_head_attention(num_heads = 2, key_dim = 4, dropout = 0.1)
  attended <- attention(steps, steps, use_causal_mask = TRUE, return_attention_scores = TRUE)
  score <- layer_additive_attention(list(attended[[1]], steps))
  output <- layer_add(list(steps, attended[[1]], score)) |> layer_flatten() |> layer_dense(1, activation = "sigmoid")
  model <- keras_model(input, output)
  expect_identical(count_params(model), 7 * 8 + 4 * (8 * 8 + 8) + 8 + 49)
  model |> compile(optimizer_adam(0.02), "binary_crossentropy")
  history <- model |> fit(x, y, epochs = 15, batch_size = 8, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), 0.8 * history$metrics$loss[1])
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, x), predict(model, x))
  expect_identical(count_params(clone_model(model)), count_params(model))
  expect_output(summary(model), "multi_head_attention")
  w <- predict(keras_model(input, attended[[2]]), x)
  expect_identical(dim(w), c(20L, 2L, 6L, 6L))
  expect_equal(apply(w, 1:3, sum), array(1, c(20, 2, 6)), tolerance = 1e-6)
  expect_identical(w[, , 2, 3:6], array(0, c(20, 2, 4)))
  freeze_weights(model)
  expect_length(model$trainable_weights, 0)
})

test_that("masks as symbolic arguments, and refusals", {
  x <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
  seen <- array(c(TRUE, FALSE, TRUE), c(2, 3, 3))
  layer <- layer_multi_head_attention(num_heads = 1, key_dim = 2)
  a <- layer_input(shape = c(3, 4))
  m <- layer_input(shape = c(3, 3), dtype = "bool")
  model <- keras_model(list(a, m), layer(a, a, attention_mask = m))
  expect_equal(predict(model, list(x, seen)), as.array(layer(x, x, attention_mask = seen)), tolerance = 1e-6)
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, list(x, seen)), predict(model, list(x, seen)))
  part <- keras_model(model$inputs, model$layers[[3]]$output)
  expect_identical(predict(part, list(x, seen)), predict(model, list(x, seen)))
  fails <- function(code, message, class) expect_error(code, message, fixed = TRUE, class = class)
  fails(layer_attention(x), "is called on a list of query and values, and perhaps keys, not on one tensor",
    "nativenet_error_value")
  fails(layer_attention(list(x, x, x, x)), "not on a list of 4", "nativenet_error_value")
  fails(layer_attention(list(x[, , 1], x)), "needs inputs of shape (batch, positions, features), not (None, 3)",
    "nativenet_error_shape")
  fails(layer_attention(score_mode = "mean"), "`score_mode` must be one of", "nativenet_error_value")
  fails(layer_attention(dropout = 1), "`dropout` must be a number at least 0 and below 1", "nativenet_error_value")
  fails(layer_multi_head_attention(num_heads = 0, key_dim = 1), "`num_heads` must be", "nativenet_error_value")
  fails(layer_multi_head_attention(num_heads = 1), "`key_dim` must be given", "nativenet_error_value")
  fails(layer(x[, , 1:3], x), "was built for inputs", "nativenet_error_shape")
  fails(layer(x, x, use_causal_mask = 1), "must be TRUE or FALSE", "nativenet_error_value")
  fails(layer(x, x, speed = 1), "unused argument `speed`", "nativenet_error_value")
})

test_that("masks of query, values and keys may be arguments of a call, those of attention layers a list of two", {
  q <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
  v <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  of_query <- rbind(c(TRUE, TRUE, FALSE), TRUE)
  of_value <- rbind(c(TRUE, FALSE, TRUE, TRUE, FALSE), c(FALSE, TRUE, TRUE, TRUE, TRUE))
  of_key <- rbind(TRUE, c(TRUE, TRUE, FALSE, TRUE, TRUE))
  layer <- layer_multi_head_attention(num_heads = 2, key_dim = 3)
  masked <- layer(q, v, query_mask = of_query, value_mask = of_value, key_mask = of_key)
  seen <- vapply(1:5, function(j) outer(1:2, 1:3, function(b, i) of_query[cbind(c(b), c(i))] & of_value[c(b), j] &
    of_key[c(b), j]), of_query)
  expect_equal(as.array(masked), as.array(layer(q, v, attention_mask = seen)), tolerance = 1e-6)
  expect_identical(as.array(attr(masked, "mask")), of_query)
  by_head <- array(some(c(2, 2, 3, 5)) > -0.5, c(2, 2, 3, 5))
  both <- by_head & aperm(array(seen, c(2, 3, 5, 2)), c(1, 4, 2, 3))
  for (shown in c(FALSE, TRUE)) {
    value <- function(...) as.array(unlist(list(layer(q, v, ..., return_attention_scores = shown)))[[1]])
    expect_equal(value(attention_mask = by_head, query_mask = of_query, value_mask = of_value, key_mask = of_key),
      value(attention_mask = both), tolerance = 1e-6)
  }
  ends <- lapply(list(c(3, 4), c(5, 4), 5), layer_input)
  model <- keras_model(ends, layer(ends[[1]], ends[[2]], value_mask = ends[[3]]))
  expect_equal(predict(model, list(q, v, of_value * 1)), as.array(layer(q, v, value_mask = of_value)), tolerance = 1e-6)
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, list(q, v, of_value * 1)), predict(model, list(q, v, of_value * 1)))
  expect_error(layer(q, v, key_mask = of_query), "`key_mask` must have the shape (2, 5), not (2, 3)", fixed = TRUE)
  for (attend in list(layer_attention(), layer_additive_attention()))
    expect_identical(as.array(attend(list(q, v, v), mask = list(NULL, of_value))), as.array(attend(list(q, v), mask =
      list(NULL, of_value))))
})

test_that("a causal mask may be of one query or one key", {
  attend <- layer_attention(dtype = "float64")
  value <- function(...) as.array(attend(list(...), use_causal_mask = TRUE))
  v <- array(some(c(2, 3, 2)), c(2, 3, 2))
  one <- v[, 1, , drop = FALSE]
  expect_identical(value(one, v), one) # it sees the first key alone
  expect_identical(value(v, one), one[, c(1, 1, 1), ])
  expect_identical(value(one, one), one)
})

test_that("heads of the query share those of keys and values", {
  set.seed(1)
  x <- array(rnorm(2 * 5 * 6), c(2, 5, 6))
  z <- array(rnorm(2 * 4 * 6), c(2, 4, 6))
  layer <- layer_group_query_attention(head_dim = 3, num_query_heads = 4, num_key_value_heads = 2, dtype = "float64")
  found <- layer(list(x, z), return_attention_scores = TRUE)
  expect_identical(lapply(found, dim), list(c(2L, 5L, 6L), c(2L, 4L, 5L, 4L)))
  w <- get_weights(layer)
  expect_identical(lapply(w, dim)[c(1, 3, 5, 7)], list(c(6L, 4L, 3L), c(6L, 2L, 3L), c(6L, 2L, 3L), c(4L, 3L, 6L)))
  # by multi-head attention with the heads repeated
  whole <- layer_multi_head_attention(num_heads = 4, key_dim = 3, dtype = "float64")
  whole(list(x, z))
  twice <- function(a) if (length(dim(a)) == 3) a[, c(1, 1, 2, 2), ] else a[c(1, 1, 2, 2), ]
  set_weights(whole, c(w[1:2], lapply(w[3:6], twice), w[7:8]))
  expect_equal(as.array(found[[1]]), as.array(whole(list(x, z))), tolerance = 1e-12)
  expect_equal(as.array(layer(list(x, z), use_causal_mask = TRUE)), as.array(whole(list(x, z), use_causal_mask = TRUE)),
    tolerance = 1e-12)
  input <- layer_input(c(5, 6))
  model <- keras_model(input, layer_group_query_attention(list(input, input), 3, 4, 1) |> layer_flatten() |>
    layer_dense(1))
  model |> compile("adam", "mse")
  losses <- fit(model, x, 1:2, epochs = 5, verbose = 0)$metrics$loss
  expect_lt(losses[5], losses[1])
  expect_identical(predict(unserialize_model(serialize_model(model)), x), predict(model, x))
  again <- model_from_json(model_to_json(model))
  set_weights(again, get_weights(model))
  expect_identical(predict(again, x), predict(model, x))
  expect_error(layer_group_query_attention(list(x, z), 3, 4, 3), "multiple")
})
