# What must have the same bits on any number of threads: every op and its gradients, and networks that train.

#' For each op a list of what its cases give, and of their gradients.
bits_of_ops <- function(dtype, ops = names(op_cases)) {
  sapply(ops, function(op) lapply(op_cases[[op]], function(case) {
    set.seed(1)
    values <- lapply(list_of(apply_case(case, dtype)), as.array)
    gradients <- if (length(case$wants)) tape_gradients(case$call, case$inputs, case$wants, dtype)
    list(values, gradients)
  }), simplify = FALSE)
}
list_of <- function(x) if (inherits(x, "nn_tensor")) list(x) else x

#' Networks, as functions that train one and give its weights and what it predicts.
bits_networks <- local({
  trained <- function(layers, x, y, loss = "mse", optimizer = "adam") {
    function() {
      set.seed(7)
      model <- layers()
      model |> compile(optimizer, loss)
      model |> fit(x, y, batch_size = 24, epochs = 2, verbose = 0)
      c(get_weights(model), list(predict(model, x)))
    }
  }
  set.seed(5)
  rows <- matrix(rnorm(60 * 30), 60)
  steps <- array(rnorm(60 * 9 * 5), c(60, 9, 5))
  words <- matrix(sample.int(40, 60 * 9, TRUE), 60) * (col(rows)[, 1:9] <= sample(2:9, 60, TRUE))
  pictures <- array(rnorm(60 * 10 * 10 * 3), c(60, 10, 10, 3))
  labels <- matrix(diag(4)[sample.int(4, 60, TRUE), ], 60)
  y <- rows[, 1, drop = FALSE]
  sequential <- function(d) keras_model_sequential(input_shape = d)
  recurrent <- function(layer, ...) function() sequential(9) |>
    layer_embedding(41, 12, mask_zero = TRUE) |> layer(13, return_sequences = TRUE, ...) |> layer(7) |> layer_dense(1)
  list(
    mlp = trained(function() sequential(30) |> layer_dense(50, "tanh") |> layer_dropout(0.3) |>
      layer_dense(40, "relu") |> layer_dense(4, "softmax"), rows, labels, "categorical_crossentropy"),
    lstm = trained(recurrent(layer_lstm, recurrent_dropout = 0.2), words, y),
    gru = trained(recurrent(layer_gru), words, y),
    gru_reset_before = trained(recurrent(layer_gru, reset_after = FALSE, go_backwards = TRUE), words, y),
    simple_rnn = trained(function() sequential(c(9, 5)) |> layer_simple_rnn(11) |> layer_dense(1), steps, y),
    convolution = trained(function() sequential(c(10, 10, 3)) |> layer_conv_2d(9, 3, activation = "relu") |>
      layer_batch_normalization() |> layer_max_pooling_2d(2) |>
      layer_depthwise_conv_2d(3, padding = "same", activation = "tanh") |>
      layer_conv_2d_transpose(5, 2, strides = 2) |> layer_average_pooling_2d(2) |>
      layer_flatten() |> layer_dense(4, "softmax"), pictures, labels, "categorical_crossentropy"),
    normalization = trained(function() sequential(30) |> layer_dense(33) |> layer_layer_normalization() |>
      layer_dense(32) |> layer_group_normalization(4) |> layer_batch_normalization(momentum = 0.9) |> layer_dense(1),
      rows, y, optimizer = "rmsprop"),
    attention = trained(function() {
      input <- layer_input(c(9, 5))
      x <- layer_dense(input, 16)
      seen <- layer_multi_head_attention(num_heads = 2, key_dim = 8, dropout = 0.1)(x, x)
      keras_model(input, layer_add(list(x, seen)) |> layer_global_average_pooling_1d() |> layer_dense(1))
    }, steps, y)
  )
})
