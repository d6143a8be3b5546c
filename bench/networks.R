# Networks that Keras' own examples train, through fit() beside PyTorch on the CPU: residual blocks with batch
# normalization on 32 x 32 x 3 pictures, a convolution over words, two bidirectional LSTMs, a transformer block.
# What they read is noise: speed does not depend on it. Batch 32, float32.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/networks.R PEER.py DATA_DIR [rounds] [network ...]   (see train.R)
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))

block <- function(x, filters, strides) {
  shortcut <- if (strides == 1) x else layer_conv_2d(x, filters, 1, strides = strides, use_bias = FALSE)
  y <- x |>
    layer_conv_2d(filters, 3, strides = strides, padding = "same", use_bias = FALSE) |>
    layer_batch_normalization() |>
    layer_activation("relu") |>
    layer_conv_2d(filters, 3, padding = "same", use_bias = FALSE) |>
    layer_batch_normalization()
  layer_activation(layer_add(list(shortcut, y)), "relu")
}

networks <- list(
  resnet = function() {
    x <- layer_input(c(32, 32, 3))
    y <- layer_conv_2d(x, 16, 3, padding = "same", use_bias = FALSE) |>
      layer_batch_normalization() |>
      layer_activation("relu") |>
      block(16, 1) |>
      block(32, 2) |>
      block(64, 2) |>
      layer_global_average_pooling_2d() |>
      layer_dense(10, activation = "softmax")
    compile(keras_model(x, y), "adam", "sparse_categorical_crossentropy")
  },
  text_cnn = function() {
    model <- keras_model_sequential(input_shape = 400) |>
      layer_embedding(5000, 50) |>
      layer_dropout(0.2) |>
      layer_conv_1d(250, 3, activation = "relu") |>
      layer_global_max_pooling_1d() |>
      layer_dense(250) |>
      layer_dropout(0.2) |>
      layer_activation("relu") |>
      layer_dense(1, activation = "sigmoid")
    compile(model, "adam", "binary_crossentropy")
  },
  bilstm = function() {
    model <- keras_model_sequential(input_shape = 200) |>
      layer_embedding(20000, 128) |>
      bidirectional(layer_lstm(units = 64, return_sequences = TRUE)) |>
      bidirectional(layer_lstm(units = 64)) |>
      layer_dense(1, activation = "sigmoid")
    compile(model, "adam", "binary_crossentropy")
  },
  transformer = function() {
    x <- layer_input(200)
    tokens <- layer_embedding(x, 20000, 32)
    positions <- layer_embedding(layer_lambda(x, function(x) op_cumsum(op_ones_like(x), 2) - 1), 200, 32)
    z <- layer_add(list(tokens, positions))
    attention <- layer_multi_head_attention(num_heads = 2, key_dim = 16, dropout = 0.1)
    z <- layer_layer_normalization(layer_add(list(z, layer_dropout(attention(z, z), 0.1))), epsilon = 1e-5)
    f <- z |> layer_dense(32, activation = "relu") |> layer_dropout(0.1) |> layer_dense(32) |> layer_dropout(0.1)
    y <- layer_layer_normalization(layer_add(list(z, f)), epsilon = 1e-5) |>
      layer_global_average_pooling_1d() |>
      layer_dropout(0.1) |>
      layer_dense(20, activation = "relu") |>
      layer_dropout(0.1) |>
      layer_dense(1, activation = "sigmoid")
    compile(keras_model(x, y), "adam", "binary_crossentropy")
  }
)

# Samples per second of some steps, after as many that are not counted.
ours <- function(name, threads) {
  nn_threads(threads)
  n <- 32 * if (name == "bilstm") 10 else 40
  x <- switch(name,
    resnet = tensor(array(stats::runif(n * 3072), c(n, 32, 32, 3)), "float32"),
    text_cnn = tensor(matrix(sample(4999L, n * 400, TRUE), n), "int32"),
    tensor(matrix(sample(19999L, n * 200, TRUE), n), "int32"))
  y <- if (name == "resnet") sample(0:9, n, TRUE) else stats::rbinom(n, 1, 0.5)
  model <- networks[[name]]()
  epoch <- function() system.time(fit(model, x, y, batch_size = 32, epochs = 1, verbose = 0))[["elapsed"]]
  epoch()
  n / epoch()
}

# Of the peer's two memory layouts the faster one, where it has two. It takes very long for LSTMs.
one <- theirs
theirs <- function(peer, data, name, ...) {
  if (name == "resnet") return(max(one(peer, data, name, ...), one(peer, data, "resnet --channels-last", ...)))
  one(peer, data, if (name == "bilstm") "bilstm --steps 10" else name, ...)
}

chosen <- if (length(args) > 3) args[-(1:3)] else names(networks)
compare(stats::setNames(as.list(chosen), chosen), ours)
