# Training through fit(), side by side with PyTorch on the CPU: the shallow and the deep autoencoder of the course and its LSTM
# on IMDB. Batch 32, float32. The LSTM's peer is its own nn.LSTM without a mask, over all padded steps, which is faster than its packed form.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/fit.R PEER.py DATA_DIR [rounds] [workloads]   (see train.R)
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))

chosen <- if (length(args) > 3) strsplit(args[4], ",")[[1]] else c("shallow", "deep", "lstm")

pixels <- tf$constant(array_reshape(dataset_mnist()$train$x / 255, c(60000, 784)), dtype = tf$float32)
invisible(gc())

autoencoder <- function(sizes) {
  model <- keras_model_sequential(input_shape = sizes[1])
  for (n in sizes[-c(1, length(sizes))]) model |> layer_dense(n, activation = "relu")
  model |> layer_dense(sizes[length(sizes)], activation = "sigmoid")
  model |> compile("adam", "binary_crossentropy")
}

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
  shallow = function() list(model = autoencoder(c(784, 32, 784)), x = pixels, y = pixels),
  deep = function() list(model = autoencoder(c(784, 128, 32, 128, 784)), x = pixels, y = pixels),
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
