# Training speed side by side with PyTorch on the CPU: the workloads `mlp` (784-256-10 ReLU softmax) and `shallow`
# (784-32-784 autoencoder), batch 32, Adam, float32, one epoch of MNIST.
#
# usage: [PYTHON=/usr/bin/python3] Rscript bench/train.R PEER.py DATA_DIR [rounds]
#   PEER.py   prints "... samples_per_s=N ..." for: DATA_DIR WORKLOAD --threads N
#   DATA_DIR  has mnist/ with the four idx files
# Rounds are interleaved; the table gives medians and, as the figure to trust on a noisy machine, the median over
# rounds of the ratio to the faster of the peer's settings in the same round.
library(nativenet)

args <- commandArgs(trailingOnly = TRUE)
peer <- args[1]
data <- args[2]
rounds <- if (length(args) > 2) as.integer(args[3]) else 5
Sys.setenv(NATIVENET_DATA = data)

mnist <- dataset_mnist()
x <- matrix(mnist$train$x, 60000) / 255
y <- to_categorical(mnist$train$y, 10)

networks <- list(
  mlp = function() build_dense_neural_network(784, list(256, relu(), 10, softmax()), categorical_crossentropy(), adam_optimizer(), dtype = "float32"),
  shallow = function() build_dense_neural_network(784, list(32, relu(), 784, sigmoid()), binary_crossentropy(), adam_optimizer(), dtype = "float32")
)
targets <- list(mlp = y, shallow = x)

# Samples per second of a second epoch, the conversion of the data taken off: an epoch more less an epoch.
ours <- function(name, threads) {
  nn_threads(threads)
  network <- networks[[name]]()
  seconds <- function(epochs) system.time(network$fit(x, targets[[name]], epochs = epochs, batch_size = 32))[["elapsed"]]
  seconds(1)
  60000 * 2 / (seconds(3) - seconds(1))
}

theirs <- function(name, threads, libraries = NULL) {
  env <- if (!is.null(libraries)) paste0("LD_LIBRARY_PATH=", libraries)
  out <- system2(Sys.getenv("PYTHON", "python3"), c(peer, data, name, "--threads", threads), stdout = TRUE, stderr = FALSE, env = if (is.null(env)) character() else env)
  as.numeric(sub(".*samples_per_s=([0-9]+).*", "\\1", grep("samples_per_s", out, value = TRUE)))
}

# Two threads pay for the peer only with OpenBLAS built on OpenMP (package libopenblas0-openmp).
openmp_blas <- dirname(Sys.glob("/usr/lib/*/openblas-openmp/libblas.so.3"))
openmp_blas <- if (length(openmp_blas)) openmp_blas[1]

results <- NULL
for (round in seq_len(rounds)) {
  for (name in names(networks)) {
    row <- data.frame(
      round, workload = name,
      ours_1 = ours(name, 1), peer_1 = theirs(name, 1), ours_2 = ours(name, 2), peer_2 = theirs(name, 2, openmp_blas)
    )
    print(row, row.names = FALSE, digits = 6)
    results <- rbind(results, row)
  }
}

best_peer <- pmax(results$peer_1, results$peer_2)
summary <- do.call(rbind, lapply(names(networks), function(name) {
  i <- results$workload == name
  data.frame(
    workload = name, ours_1 = median(results$ours_1[i]), ours_2 = median(results$ours_2[i]),
    peer_1 = median(results$peer_1[i]), peer_2 = median(results$peer_2[i]),
    ratio_1 = median((results$ours_1 / best_peer)[i]), ratio_2 = median((results$ours_2 / best_peer)[i])
  )
}))
cat("\nmedians of", rounds, "rounds, samples per second; ratios to the peer's best of the round\n")
print(summary, row.names = FALSE, digits = 3)
print(nn_features()[c("instructions", "cores")])
