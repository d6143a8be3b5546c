# Data-parallel training: milliseconds per step of one process on one thread, and of several ranks that share each batch
# (strategy_mpi(), library of C), by rows of a batch; and of a sum over the ranks.
#
# usage: Rscript bench/strategies.R && mpirun -np 2 Rscript bench/strategies.R
library(nativenet)
nn_threads(1)

networks <- list(
  dense = function() keras_model_sequential(input_shape = 784) |>
    layer_dense(256, activation = "relu") |>
    layer_dense(10, activation = "softmax"),
  convolution = function() keras_model_sequential(input_shape = c(28, 28, 1)) |>
    layer_conv_2d(32, 3, activation = "relu") |>
    layer_conv_2d(64, 3, activation = "relu") |>
    layer_global_average_pooling_2d() |>
    layer_dense(10, activation = "softmax")
)

ranked <- nzchar(Sys.getenv("OMPI_COMM_WORLD_SIZE")) || nzchar(Sys.getenv("PMI_SIZE"))
strategy <- if (ranked) strategy_mpi(native = TRUE)
first <- !ranked || strategy$communicator$rank == 0
if (ranked) for (n in c(1, 20000, 200000, 2000000)) { # as the gradients of so many weights
  numbers <- stats::runif(n)
  times <- max(3, 2e6 / (n + 1000))
  seconds <- min(vapply(1:3, function(i) system.time(for (k in seq_len(times)) strategy$communicator$all_reduce(
    numbers))[["elapsed"]], 0))
  if (first) cat(sprintf("%-12s %7d numbers: %8.3f ms\n", "a sum of", as.integer(n), 1000 * seconds / times))
}
for (name in names(networks)) {
  for (rows in if (name == "dense") c(64, 1024, 4096) else c(32, 256)) {
    set.seed(1)
    model <- networks[[name]]() |> compile("adam", "sparse_categorical_crossentropy")
    x <- array(stats::runif(4 * rows * 784), c(4 * rows, if (name == "dense") 784 else c(28, 28, 1)))
    y <- rep_len(0:9, 4 * rows)
    train <- function(epochs) system.time(fit(model, x, y, batch_size = rows, epochs = epochs, verbose = 0, strategy =
      strategy))[["elapsed"]]
    train(1)
    epochs <- max(2, round((if (name == "dense") 16384 else 1024) / rows / 2))
    # the start of fit() is in both: what the second has more is steps
    seconds <- min(vapply(1:7, function(i) train(epochs), 0)) - min(vapply(1:7, function(i) train(1), 0))
    if (first) cat(sprintf("%-12s %5d rows: %8.2f ms per step\n", name, rows, 1000 * seconds / (4 * (epochs - 1))))
  }
}
