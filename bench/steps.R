# Steps written with tensors and tapes, side by side with PyTorch on the CPU: the linear autoencoder op by op (`pca`) and compiled
# (`pca_compiled`), the tanh and relu autoencoders of the course compiled (`tanh_ae`, `relu_ae`) and op by op. Batch 32, Adam, float32.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/steps.R PEER.py DATA_DIR [rounds]   (see train.R)
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))

images <- dataset_mnist()$train$x
pixels <- tf$constant(matrix(images, 60000) / 255, dtype = tf$float32)
invisible(gc())

glorot <- function(from, to) {
  limit <- sqrt(6 / (from + to))
  tf$Variable(matrix(runif(from * to, -limit, limit), from), dtype = tf$float32)
}
dense <- function(sizes) do.call(c, lapply(seq_along(sizes)[-1], function(i) c(glorot(sizes[i - 1], sizes[i]), tf$Variable(tf$zeros(c(1, sizes[i]))))))

step_of <- function(loss_of, variables, rate) {
  adam <- tf$optimizers$Adam(learning_rate = rate)
  function(batch) {
    with(tf$GradientTape() %as% tape, loss <- loss_of(batch))
    adam$apply_gradients(zip_lists(tape$gradient(loss, variables), variables))
    loss
  }
}
squared_error <- function(y, x) tf$reduce_sum(tf$square(y - x)) / nrow(x)

pca <- function() {
  e <- glorot(784, 64)
  d <- glorot(64, 784)
  step_of(function(x) squared_error(tf$matmul(tf$matmul(x, e), d), x), list(e, d), 0.001)
}
deep <- function(sizes, activation, linear, rate) {
  w <- dense(sizes)
  network <- function(x) {
    for (i in seq_len(length(sizes) - 1)) {
      x <- tf$matmul(x, w[[2 * i - 1]]) + w[[2 * i]]
      if (!i %in% linear) x <- activation(x)
    }
    x
  }
  step_of(function(x) squared_error(network(x), x), w, rate)
}
tanh_ae <- function() deep(c(784, 256, 64, 256, 784), tf$nn$tanh, c(2, 4), 0.01)
relu_ae <- function() deep(c(784, 256, 128, 64, 128, 256, 784), tf$nn$relu, c(3, 6), 0.001)

steps <- list(
  pca = pca, pca_compiled = function() autograph(pca()),
  tanh_ae = function() autograph(tanh_ae()), relu_ae = function() autograph(relu_ae()), tanh_ae_eager = tanh_ae
)

# Samples per second of steps on batches gathered from a tensor, as the peer does it.
ours <- function(name, threads, n = 1000) {
  nn_threads(threads)
  step <- steps[[name]]()
  rows <- matrix(sample.int(60000) - 1L, 32) # drawn once, as the peer does, which takes longer than a step else
  run <- function(n) for (i in seq_len(n)) step(tf$gather(pixels, rows[, i]))
  run(50)
  32 * n / system.time(run(n))[["elapsed"]]
}

compare(list(pca = "pca", pca_compiled = "pca", tanh_ae = "tanh_ae", relu_ae = "relu_ae", tanh_ae_eager = "tanh_ae"), ours)

cat("\neager overhead, microseconds per op (2 x 2 tensors)\n")
a <- tf$constant(matrix(1, 2, 2))
per_op <- function(f, n = 20000) 1e6 * min(replicate(9, system.time(for (i in 1:n) f())[["elapsed"]])) / n
print(c("a * b" = per_op(function() a * a), "tf$matmul" = per_op(function() tf$matmul(a, a)), "op_add" = per_op(function() op_add(a, a))), digits = 3)
