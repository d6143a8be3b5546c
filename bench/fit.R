# Training through fit(), side by side with PyTorch on the CPU: the autoencoders of the course (shallow and deep with
# binary cross-entropy; linear, tanh and relu with squared errors) and its LSTM on IMDB. Batch 32, float32. The LSTM's peer is its own nn.LSTM without a mask, over all padded steps, which is faster than its packed form.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/fit.R PEER.py DATA_DIR [rounds] [workloads]   (see train.R)
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))

chosen <- if (length(args) > 3) strsplit(args[4], ",")[[1]] else c("shallow", "deep", "pca", "tanh_ae", "relu_ae", "lstm")

pixels <- tf$constant(array_reshape(dataset_mnist()$train$x / 255, c(60000, 784)), dtype = tf$float32)
invisible(gc())

autoencoder <- function(sizes, activation = "relu", linear = NULL, last = "sigmoid", use_bias = TRUE, rate = 0.001,
                        loss = "binary_crossentropy") {
  model <- keras_model_sequential(input_shape = sizes[1])
  n <- length(sizes) - 1
  for (i in seq_len(n)) {
    model |> layer_dense(sizes[i + 1], use_bias = use_bias, activation = if (i == n) last else if (!i %in% linear) activation)
  }
  compile(model, optimizer_adam(rate), loss)
  list(model = model, x = pixels, y = pixels)
}

# As the peer sums it: over the pixels of a picture, the mean of the pictures.
squared_error <- function(y_true, y_pred) k_sum(k_square(y_true - y_pred), axis = -1)

reviews <- function() {
  imdb <- dataset_imdb(num_words = 10000, maxlen = 250)
  list(x = pad_sequences(imdb$train$x, 250), y = imdb$train$y)
}

lstm <- function() {
  model <- keras_model_sequential() |>
    layer_embedding(input_dim = 10001, output_dim = 64, mask_zero = TRUE) |>
    layer_lstm(units = 32) |>
    layer_dense(1, activation = "sigmoid")
  model |> compile("rmsprop", "binary_crossentropy", metrics = "accuracy")
}

workloads <- list(
  shallow = function() autoencoder(c(784, 32, 784)),
  deep = function() autoencoder(c(784, 128, 32, 128, 784)),
  pca = function() autoencoder(c(784, 64, 784), linear = 1, last = NULL, use_bias = FALSE, loss = squared_error),
  tanh_ae = function() {
    autoencoder(c(784, 256, 64, 256, 784), "tanh", 2, last = NULL, rate = 0.01, loss = squared_error)
  },
  relu_ae = function() {
    autoencoder(c(784, 256, 128, 64, 128, 256, 784), linear = 3, last = NULL, loss = squared_error)
  },
  lstm = function() c(list(model = lstm()), text)
)
if ("lstm" %in% chosen) text <- reviews()

# Samples per second of a whole epoch, after some steps that are not counted.
ours <- function(name, threads) {
  nn_threads(threads)
  w <- workloads[[name]]()
  few <- function(x) if (length(dim(x)) == 2) x[1:320, ] else x[1:320]
  fit(w$model, few(w$x), few(w$y), epochs = 1, verbose = 0)
  n <- if (is.matrix(w$x)) nrow(w$x) else dim(w$x)[1]
  n / system.time(fit(w$model, w$x, w$y, epochs = 1, verbose = 0))[["elapsed"]]
}

compare(as.list(stats::setNames(chosen, chosen)), ours)
