# Convolution: the ops beside the matrix multiply, in GFLOPS, and `cnn`, Keras' first convolutional network on MNIST, through
# fit() beside PyTorch on the CPU. Batch 128, float32.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/convolution.R PEER.py DATA_DIR [rounds]   (see train.R)
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))

# ---- the ops ----

random <- function(...) tensor(array(stats::runif(prod(...)), c(...)), "float32")
fastest <- function(f, seconds = 0.5) {
  n <- 1
  while ((took <- system.time(for (i in seq_len(n)) f())[["elapsed"]]) < seconds / 10) n <- 2 * n
  min(vapply(1:9, function(i) system.time(for (i in seq_len(n)) f())[["elapsed"]], 0)) / n
}

gflops <- function(x, w, strides = 1, padding = "valid") {
  a <- random(x)
  k <- random(w)
  y <- op_conv(a, k, strides = strides, padding = padding)
  work <- 2e-9 * prod(dim(y)[1:3]) * prod(w)
  c(
    forward = work / fastest(function() op_conv(a, k, strides = strides, padding = padding)),
    input = work / fastest(function() op_conv_transpose(y, k, strides, padding, size = x[2:3])),
    kernel = work / fastest(function() op_conv_kernel(a, y, w[1:2], strides, padding))
  )
}

nn_threads(1)
square <- random(c(512, 512))
cat("GFLOPS on one thread; a product of 512 x 512 matrices:", format(2e-9 * 512^3 / fastest(function() op_matmul(square, square)), digits = 3), "\n")
shapes <- list(
  "cnn 1: 28 x 28 x 1, 32 filters 3 x 3" = list(c(128, 28, 28, 1), c(3, 3, 1, 32)),
  "cnn 2: 26 x 26 x 32, 64 filters 3 x 3" = list(c(128, 26, 26, 32), c(3, 3, 32, 64)),
  "resnet: 32 x 32 x 16, 16 filters 3 x 3, same" = list(c(32, 32, 32, 16), c(3, 3, 16, 16), 1, "same"),
  "resnet: 16 x 16 x 32, 64 filters 3 x 3, strides 2" = list(c(32, 16, 16, 32), c(3, 3, 32, 64), 2, "same"),
  "resnet: 8 x 8 x 64, 64 filters 3 x 3, same" = list(c(32, 8, 8, 64), c(3, 3, 64, 64), 1, "same")
)
print(round(t(vapply(shapes, function(s) do.call(gflops, s), numeric(3))), 1))

# ---- the network ----

images <- dataset_mnist()$train
pixels <- tf$constant(array_reshape(images$x / 255, c(60000, 28, 28, 1)), dtype = tf$float32)
labels <- tf$constant(as.integer(images$y))
rm(images)
invisible(gc())

cnn <- function() {
  model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
    layer_conv_2d(32, kernel_size = 3, activation = "relu") |>
    layer_conv_2d(64, kernel_size = 3, activation = "relu") |>
    layer_max_pooling_2d() |>
    layer_dropout(0.25) |>
    layer_flatten() |>
    layer_dense(128, activation = "relu") |>
    layer_dropout(0.5) |>
    layer_dense(10, activation = "softmax")
  compile(model, "adam", "sparse_categorical_crossentropy")
}

# Samples per second of 60 steps, after some that are not counted.
ours <- function(name, threads) {
  nn_threads(threads)
  model <- cnn()
  few <- function(n) fit(model, pixels[seq_len(n), , , ], labels[seq_len(n)], batch_size = 128, epochs = 1, verbose = 0)
  few(5 * 128)
  60 * 128 / system.time(few(60 * 128))[["elapsed"]]
}

# The peer's layers take channels first; its other memory layout is faster for some of them.
both <- theirs
theirs <- function(peer, data, name, ...) max(both(peer, data, name, ...), both(peer, data, paste(name, "--channels-last"), ...))

compare(list(cnn = "cnn"), ours)
