set.seed(21)
x <- array(rnorm(3 * 5 * 2), c(3, 5, 2))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE, FALSE), TRUE, c(FALSE, TRUE, TRUE, FALSE, TRUE))
kinds <- list(lstm = layer_lstm, gru = layer_gru, simple_rnn = layer_simple_rnn,
  rnn = function(units, ...) layer_rnn(cell = layer_gru_cell(units = units), ...))

#' The two layers of a bidirectional one, each with its weights.
two_ways <- function(kind, w, ...) {
  Map(function(back, w) {
    layer <- kind(units = 4, go_backwards = back, return_sequences = TRUE, return_state = TRUE, ...)
    layer(x)
    set_weights(layer, w)
    function(...) lapply(layer(...), as.array)
  }, c(FALSE, TRUE), split(w, rep(1:2, each = length(w) / 2)))
}

test_that("both directions are the layer forward and backward, forward weights first, merged in any way", {
  for (name in names(kinds)) {
    modes <- list("concat", "sum", "mul", "ave", NULL)
    for (mode in modes) for (sequences in c(FALSE, TRUE)) {
      layer <- bidirectional(layer = kinds[[name]](units = 4, return_sequences = sequences, return_state = TRUE),
        merge_mode = mode)
      y <- lapply(layer(x, mask = mask), as.array)
      ways <- lapply(two_ways(kinds[[name]], get_weights(layer)), function(f) f(x, mask = mask))
      a <- ways[[1]][[1]]
      b <- ways[[2]][[1]]
      if (sequences) { # 0 where masked, as in Keras
        a <- a * c(mask)
        b <- b[, 5:1, ] * c(mask)
      } else {
        a <- a[, 5, ]
        b <- b[, 5, ]
      }
      merged <- if (is.null(mode)) list(a, b) else list(switch(mode, sum = a + b, mul = a * b, ave = (a + b) / 2,
        concat = array(c(a, b), c(dim(a)[-length(dim(a))], 8))))
      expect_equal(unname(y), unname(c(merged, ways[[1]][-1], ways[[2]][-1])), tolerance = 1e-6,
        label = paste(name, mode))
    }
  }
})

test_that("a layer that begins at the end has its mask in that order", {
  layer <- bidirectional(layer = layer_lstm(units = 4, return_sequences = TRUE, go_backwards = TRUE), merge_mode = NULL)
  y <- lapply(layer(x, mask = mask), as.array)
  ways <- lapply(rev(two_ways(layer_lstm, get_weights(layer)[c(4:6, 1:3)])), function(f) f(x, mask = mask)[[1]])
  expect_equal(y[[1]], ways[[1]] * c(mask[, 5:1]), tolerance = 1e-6)
  expect_equal(y[[2]], ways[[2]][, 5:1, ] * c(mask[, 5:1]), tolerance = 1e-6)
})

test_that("masks go on with sequences, states go in as they come out", {
  layer <- bidirectional(layer = layer_lstm(units = 4, return_sequences = TRUE, return_state = TRUE))
  first <- layer(x)
  expect_null(attr(first[[1]], "mask"))
  y <- layer(x, mask = mask)
  expect_identical(as.array(attr(y[[1]], "mask")), mask)
  for (state in y[-1]) expect_null(attr(state, "mask"))
  again <- layer(x, initial_state = first[-1])
  ways <- two_ways(layer_lstm, get_weights(layer))
  expect_equal(as.array(again[[1]])[, , 1:4], ways[[1]](x, initial_state = first[2:3])[[1]], tolerance = 1e-6)
  expect_equal(as.array(again[[1]])[, 5:1, 5:8], ways[[2]](x, initial_state = first[4:5])[[1]], tolerance = 1e-6)
  expect_error(layer(x, initial_state = first[2:4]), "`initial_state` must be a list of the states of the forward",
    class = "nativenet_error_value")
})

test_that("a bidirectional layer has Keras' names and parameters, and copies what it is given", {
  given <- layer_lstm(units = 3, name = "memory")
  model <- keras_model_sequential() |> bidirectional(given, input_shape = c(5, 2)) |> layer_dense(1)
  wrapper <- model$layers[[1]]
  expect_identical(wrapper$forward_layer$name, "forward_memory")
  expect_identical(wrapper$backward_layer$name, "backward_memory")
  expect_true(wrapper$backward_layer$go_backwards)
  expect_false(given$built)
  expect_identical(count_params(wrapper), 2 * 4 * 3 * (2 + 3 + 1))
  expect_identical(wrapper$output_shape, c(NA, 6L))
  short <- keras_model_sequential() |> bidirectional(layer_gru(units = 2, input_shape = c(5, 2)))
  expect_identical(short$output_shape, c(NA, 4L))
  other <- bidirectional(layer = layer_lstm(units = 3), backward_layer = layer_gru(units = 2, go_backwards = TRUE))
  expect_identical(dim(other(x)), c(3L, 5L))
  expect_length(other$weights, 6)
  fails <- function(code, message) expect_error(code, message, fixed = TRUE, class = "nativenet_error_value")
  fails(bidirectional(layer = layer_dense(units = 2)), "`layer` must be a recurrent layer")
  fails(bidirectional(), "`layer` must be given")
  fails(bidirectional(layer = layer_lstm(units = 3), merge_mode = "max"), "`merge_mode` must be one of")
  fails(bidirectional(layer = layer_lstm(units = 3), backward_layer = layer_lstm(units = 3)), "must have `go_backwards")
  fails(bidirectional(layer = layer_lstm(units = 3), backward_layer = layer_lstm(units = 3, go_backwards = TRUE,
    return_sequences = TRUE)), "must agree on `return_sequences`")
})

test_that("time_distributed is the layer at each step, with one set of weights, around layers and models", {
  dense <- layer_dense(units = 3, activation = "tanh")
  wrapped <- time_distributed(layer = dense)
  expect_equal(as.array(wrapped(x)), as.array(dense(x)), tolerance = 1e-6)
  deep <- array(rnorm(2 * 3 * 4 * 5), c(2, 3, 4, 5))
  lstm <- layer_lstm(units = 2)
  y <- as.array(time_distributed(layer = lstm)(deep))
  expect_identical(dim(y), c(2L, 3L, 2L))
  for (t in 1:3) expect_equal(y[, t, ], as.array(lstm(deep[, t, , ])), tolerance = 1e-6)
  model <- keras_model_sequential() |> layer_flatten() |> layer_dense(2)
  outer <- keras_model_sequential(input_shape = c(3, 4, 5)) |> time_distributed(model) |> layer_flatten()
  expect_identical(outer$output_shape, c(NA, 6L))
  expect_identical(count_params(outer), 42)
  for (t in 1:3) expect_equal(predict(outer, deep)[, 2 * t - 1:0], predict(model, deep[, t, , ]), tolerance = 1e-6)
  expect_error(time_distributed(layer = dense)(x[, , 1]), "needs an input of shape (batch, timesteps, ...)",
    fixed = TRUE, class = "nativenet_error_shape")
  expect_error(time_distributed(layer = 3), "`layer` must be a layer or a model", class = "nativenet_error_value")
})

test_that("masks of timesteps pass time_distributed, masks of what is within are the layer's", {
  y <- time_distributed(layer = layer_dense(units = 3))(x, mask = mask)
  expect_identical(as.array(attr(y, "mask")), mask)
  ids <- array(c(1L, 2L, 0L, 3L), c(2, 3, 4))
  ids[1, 3, ] <- 0L
  words <- time_distributed(layer = layer_embedding(input_dim = 4, output_dim = 3, mask_zero = TRUE))(ids)
  expect_identical(as.array(attr(words, "mask")), ids > 0)
  lstm <- layer_lstm(units = 2)
  sentences <- time_distributed(layer = lstm)(words)
  expect_identical(as.array(attr(sentences, "mask")), apply(ids > 0, 1:2, any))
  one <- as.array(words)[2, 1, ids[2, 1, ] > 0, , drop = FALSE]
  expect_equal(as.array(sentences)[2, 1, ], as.array(lstm(array(one, dim(one)[2:4])))[1, ], tolerance = 1e-6)
})

test_that("wrappers train, are saved, cloned, frozen and summarised", {
  model <- keras_model_sequential(input_shape = c(5, 2)) |> bidirectional(layer_gru(units = 3, return_sequences = TRUE,
    kernel_regularizer = "l2"), merge_mode = "sum", name = "both") |>
    time_distributed(layer_dense(units = 2, activation = "relu")) |>
    bidirectional(layer_rnn(cell = list(layer_simple_rnn_cell(units = 2), layer_lstm_cell(units = 3))),
      merge_mode = NULL, name = "split") |> try(silent = TRUE)
  expect_match(model, "several outputs")
  input <- layer_input(shape = c(5, 2))
  both <- input |> bidirectional(layer_gru(units = 3, return_sequences = TRUE, kernel_regularizer = "l2"),
    merge_mode = "sum") |> time_distributed(layer_dense(units = 2, activation = "relu")) |>
    bidirectional(layer_rnn(cell = list(layer_simple_rnn_cell(units = 2), layer_lstm_cell(units = 3))),
      merge_mode = NULL)
  model <- keras_model(input, layer_concatenate(both) |> layer_dense(1))
  model |> compile(optimizer_adam(0.02), "mse")
  y <- apply(x, 1, sum)
  before <- get_weights(model)
  history <- model |> fit(x, y, epochs = 10, batch_size = 2, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1])
  expect_true(all(mapply(function(a, b) any(a != b), before, get_weights(model))))
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, x), predict(model, x))
  expect_identical(names(coef(again)), names(coef(model)))
  expect_identical(vapply(get_weights(clone_model(model)), length, 0L), vapply(get_weights(model), length, 0L))
  expect_output(summary(model), "bidirectional.*time_distributed")
  model$layers[[2]]$trainable <- FALSE
  expect_length(model$trainable_weights, length(model$weights) - 6)
})

test_that("sequences without timesteps are refused where there is nothing to begin with", {
  empty <- array(0, c(2, 0, 3))
  for (layer in list(time_distributed(layer = layer_dense(units = 2)), layer_rnn(cell = layer_lstm_cell(units = 2))))
    expect_error(layer(empty), "needs at least one timestep", class = "nativenet_error_shape")
})
