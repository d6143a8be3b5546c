# Training speed side by side with PyTorch on the CPU: the workloads `mlp` (784-256-10 ReLU softmax) and `shallow`
# (784-32-784 autoencoder), batch 32, Adam, float32, one epoch of MNIST.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/train.R PEER.py DATA_DIR [rounds]
#   PEER.py   prints "... samples_per_s=N ..." for: DATA_DIR WORKLOAD --threads N
#   DATA_DIR  has mnist/ with the four idx files
library(nativenet)
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "peer.R"))


mnist <- dataset_mnist()
x <- matrix(mnist$train$x, 60000) / 255
y <- to_categorical(mnist$train$y, 10)

networks <- list(
  mlp = function() build_dense_neural_network(784, list(256, relu(), 10, softmax()), categorical_crossentropy(), adam_optimizer(), dtype = "float32"),
  shallow = function() build_dense_neural_network(784, list(32, relu(), 784, sigmoid()), binary_crossentropy(), adam_optimizer(), dtype = "float32")
)
targets <- list(mlp = y, shallow = x)

# Samples per second of whole epochs, the conversion of the data taken off: nine epochs less one.
ours <- function(name, threads) {
  nn_threads(threads)
  network <- networks[[name]]()
  seconds <- function(epochs) system.time(network$fit(x, targets[[name]], epochs = epochs, batch_size = 32))[["elapsed"]]
  seconds(1)
  60000 * 8 / (seconds(9) - seconds(1))
}

compare(list(mlp = "mlp", shallow = "shallow"), ours)
