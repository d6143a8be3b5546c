set.seed(73)
tokens <- matrix(0L, 12, 7)
lengths <- c(7, 1, 3, 5, 2, 7, 4, 6, 3, 2, 5, 1)
for (i in 1:12) tokens[i, 7 - lengths[i] + seq_len(lengths[i])] <- sample(1:9, lengths[i], TRUE)

reader <- function(cell, ...) {
  keras_model_sequential() |> layer_embedding(10, 4, mask_zero = TRUE) |> cell(units = 3, ...) |>
    layer_dense(1, activation = "sigmoid")
}
cells <- list(lstm = layer_lstm, gru = layer_gru, simple_rnn = layer_simple_rnn)

test_that("weights have Keras' shapes, order and first values", {
  shapes <- function(layer) {
    layer(array(0, c(1, 2, 4)))
    lapply(get_weights(layer), dim)
  }
  expect_identical(shapes(layer_lstm(units = 3)), list(c(4L, 12L), c(3L, 12L), 12L))
  expect_identical(shapes(layer_gru(units = 3)), list(c(4L, 9L), c(3L, 9L), c(2L, 9L)))
  expect_identical(shapes(layer_gru(units = 3, reset_after = FALSE)), list(c(4L, 9L), c(3L, 9L), 9L))
  expect_identical(shapes(layer_simple_rnn(units = 3, use_bias = FALSE)), list(c(4L, 3L), c(3L, 3L)))
  lstm <- layer_lstm(units = 3)
  lstm(array(0, c(1, 2, 4)))
  w <- get_weights(lstm)
  expect_equal(as.vector(w[[3]]), rep(c(0, 1, 0), c(3, 3, 6)))
  expect_equal(w[[2]] %*% t(w[[2]]), diag(3), tolerance = 1e-6) # one orthogonal draw for all gates
  expect_lte(max(abs(w[[1]])), sqrt(6 / (4 + 12)))
  plain <- layer_lstm(units = 3, unit_forget_bias = FALSE)
  plain(array(0, c(1, 2, 4)))
  expect_true(all(get_weights(plain)[[3]] == 0))
})

test_that("an LSTM is its equations", {
  in_float64(layer <- layer_lstm(units = 3, recurrent_activation = "hard_sigmoid"))
  x <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  y <- as.array(layer(x))
  w <- get_weights(layer)
  h <- c <- matrix(0, 2, 3)
  hard <- function(z) pmin(pmax(0.2 * z + 0.5, 0), 1)
  for (t in 1:5) {
    z <- rows_plus(x[, t, ] %*% w[[1]] + h %*% w[[2]], as.vector(w[[3]]))
    c <- hard(z[, 4:6]) * c + hard(z[, 1:3]) * tanh(z[, 7:9])
    h <- hard(z[, 10:12]) * tanh(c)
  }
  expect_equal(y, h, tolerance = 1e-12)
})

test_that("padding changes nothing, whatever the cell", {
  for (cell in cells) {
    model <- reader(cell)
    all <- predict(model, tokens)
    for (i in c(1, 2, 5)) expect_equal(predict(model, tokens[i, 8 - seq_len(lengths[i]) |> rev(), drop = FALSE])[1],
      all[i], tolerance = 1e-6)
    behind <- t(apply(tokens, 1, function(row) c(row[row > 0], row[row == 0])))
    expect_equal(predict(model, behind), all, tolerance = 1e-6)
  }
})

test_that("training with masks leaves the row of the padding alone, and learns", {
  y <- as.integer(apply(tokens, 1, function(row) any(row > 6)))
  for (cell in cells) {
    set.seed(2)
    model <- reader(cell)
    before <- get_weights(model)[[1]]
    model |> compile(optimizer_rmsprop(0.02), "binary_crossentropy", metrics = "accuracy")
    history <- model |> fit(tokens, y, epochs = 60, batch_size = 5, verbose = 0)
    after <- get_weights(model)[[1]]
    expect_identical(after[1, ], before[1, ])
    expect_true(all(after[sort(unique(tokens[tokens > 0])) + 1, ] != before[sort(unique(tokens[tokens > 0])) + 1, ]))
    expect_lt(tail(history$metrics$loss, 1), 0.5 * history$metrics$loss[1])
  }
})

test_that("an embedding in front is projected token by token, with the same results and gradients", {
  for (cell in cells) {
    train <- function(apart) {
      set.seed(4)
      in_float64({
        model <- keras_model_sequential() |> layer_embedding(10, 4, mask_zero = TRUE)
        if (apart) model |> layer_activation_leaky_relu(alpha = 1)
        model |> cell(units = 3) |> layer_dense(1)
      })
      model |> compile(optimizer_sgd(0.1), "mse")
      model |> fit(tokens, 1:12 / 12, epochs = 2, batch_size = 4, shuffle = FALSE, verbose = 0)
      get_weights(model)
    }
    expect_equal(train(TRUE), train(FALSE), tolerance = 1e-10)
  }
})

test_that("sequences, states, directions, stacks", {
  x <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  for (cell in cells) {
    layer <- cell(units = 3, return_sequences = TRUE, return_state = TRUE)
    out <- lapply(layer(x), as.array)
    expect_identical(dim(out[[1]]), c(2L, 5L, 3L))
    expect_equal(out[[2]], out[[1]][, 5, ])
    last <- cell(units = 3)
    last(x)
    set_weights(last, get_weights(layer))
    expect_equal(as.array(last(x)), out[[2]], tolerance = 1e-6)
    back <- cell(units = 3, go_backwards = TRUE)
    back(x)
    set_weights(back, get_weights(layer))
    expect_equal(as.array(back(x[, 5:1, ])), out[[2]], tolerance = 1e-6)
  }
  expect_length(layer_lstm(units = 3, return_state = TRUE)(x), 3)
  stack <- keras_model_sequential() |> layer_embedding(10, 4, mask_zero = TRUE) |>
    layer_lstm(3, return_sequences = TRUE) |> layer_dropout(0.5) |>
    layer_gru(2) |> layer_dense(1)
  expect_equal(predict(stack, tokens[3, 5:7, drop = FALSE])[1], predict(stack, tokens)[3], tolerance = 1e-6)
})

test_that("dropout of inputs and states is drawn in training only, once per row", {
  ones <- array(1, c(400, 6, 5))
  layer <- layer_simple_rnn(units = 4, activation = "linear", dropout = 0.25, recurrent_initializer = "zeros",
    kernel_initializer = "ones", return_sequences = TRUE)
  expect_true(all(as.array(layer(ones)) == 5))
  set.seed(1)
  y <- as.array(layer(ones, training = TRUE))
  expect_true(all(y == y[, rep(1, 6), ])) # the same inputs at each step
  expect_true(all(round(as.vector(y), 3) %in% round(0:5 / 0.75, 3)))
  expect_equal(mean(y), 5, tolerance = 0.03)
  keep <- layer_simple_rnn(units = 4, activation = "linear", recurrent_dropout = 0.25, kernel_initializer = "ones",
    recurrent_initializer = "identity")
  expect_true(all(as.array(keep(ones)) == 30))
  # a unit that is kept grows by 4 / 3 at each step: the sum of 5 (4 / 3)^k, k = 0 .. 5
  z <- as.array(keep(ones, training = TRUE))
  expect_equal(sort(unique(round(as.vector(z), 3))), c(5, round(15 * ((4 / 3)^6 - 1), 3)))
  expect_equal(mean(z == 5), 0.25, tolerance = 0.15)
})

test_that("masking layers and arguments", {
  expect_identical(dim(layer_gru(units = 2, activation = "exponential")(array(0, c(1, 2, 3)))), c(1L, 2L))
  x <- array(rnorm(3 * 4 * 2), c(3, 4, 2))
  x[1, 1:2, ] <- 0
  input <- layer_input(shape = c(NA, 2))
  model <- keras_model(input, input |> layer_masking() |> layer_lstm(3))
  expect_equal(predict(model, x[1, 3:4, , drop = FALSE])[1, ], predict(model, x)[1, ], tolerance = 1e-6)
  expect_error(layer_lstm(units = 0), "`units` must be a positive whole number, not 0")
  expect_error(layer_gru(units = 2, dropout = 1), "dropout")
  expect_error(layer_lstm(units = 2, time_major = TRUE), "`time_major` must be FALSE")
  expect_error(layer_lstm(units = 2, stateful = NA), "`stateful` must be TRUE or FALSE")
  expect_error(layer_lstm(units = 2, activation = "softmax"), "`activation` must be one of")
  expect_error(layer_lstm(matrix(1, 2, 2), units = 2), "batch, timesteps, features", class = "nativenet_error_shape")
  expect_error(layer_embedding(input_dim = 10), "output_dim")
  expect_error(layer_embedding(matrix(11L), input_dim = 10, output_dim = 2), class = "nativenet_error_index")
})

test_that("names of old are the layers, and time is not unrolled whatever is asked", {
  x <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
  for (pair in list(list(layer_lstm, layer_cudnn_lstm), list(layer_gru, layer_cudnn_gru))) {
    layer <- pair[[1]](units = 3, unroll = TRUE)
    layer(x)
    old <- pair[[2]](units = 3, return_sequences = FALSE)
    old(x)
    set_weights(old, get_weights(layer))
    expect_identical(as.array(old(x)), as.array(layer(x)))
  }
})
