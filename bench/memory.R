# The most memory that R's process holds while it predicts or trains, beside the size of weights and data. Each workload has
# a process of its own; the data are made and the model built before. Linux only: the figures are those of /proc.
#
# usage: Rscript bench/memory.R [workload]
library(nativenet)

dense_stack <- function(layers, units) {
  model <- keras_model_sequential(input_shape = units)
  for (i in seq_len(layers)) model <- layer_dense(model, units, "relu")
  model
}
workloads <- list(
  # 80 layers of 256, one batch of 10,000 rows
  deep_predict = list(function() list(dense_stack(80, 256), matrix(runif(1e4 * 256), 1e4)),
    function(m, x) predict(m, x, batch_size = 1e4)),
  # one epoch of 4096-4096-10 by Adam, which keeps two numbers for each weight, 1,024 rows in batches of 128
  wide_fit = list(function() {
    model <- keras_model_sequential(input_shape = 4096) |> layer_dense(4096, "relu") |> layer_dense(10, "softmax")
    list(compile(model, "adam", "sparse_categorical_crossentropy"), matrix(runif(1024 * 4096), 1024))
  }, function(m, x) fit(m, x, seq_len(1024) %% 10, batch_size = 128, epochs = 1, verbose = 0)),
  # 60,000 x 784 doubles to 10 classes
  mnist_predict = list(function() {
    list(keras_model_sequential(input_shape = 784) |> layer_dense(256, "relu") |> layer_dense(10, "softmax"),
      matrix(runif(6e4 * 784), 6e4))
  }, function(m, x) predict(m, x)),
  # a convolutional network on 5,120 pictures, batches of 128
  cnn_fit = list(function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) |> layer_conv_2d(32, 3, activation = "relu") |>
      layer_conv_2d(64, 3, activation = "relu") |> layer_max_pooling_2d(2) |> layer_dropout(0.25) |> layer_flatten() |>
      layer_dense(128, "relu") |> layer_dropout(0.5) |> layer_dense(10, "softmax")
    list(compile(model, "adam", "sparse_categorical_crossentropy"), array(runif(5120 * 784), c(5120, 28, 28, 1)))
  }, function(m, x) fit(m, x, seq_len(5120) %% 10, batch_size = 128, epochs = 1, verbose = 0))
)

megabytes <- function(field) as.numeric(gsub("\\D", "", grep(field, readLines("/proc/self/status"), value = TRUE))) / 1024
args <- commandArgs(trailingOnly = TRUE)
if (length(args)) {
  set.seed(1)
  made <- workloads[[args]][[1]]()
  invisible(gc())
  before <- megabytes("VmRSS")
  cat("5", file = "/proc/self/clear_refs") # the peak counts from here on
  seconds <- system.time(workloads[[args]][[2]](made[[1]], made[[2]]))[["elapsed"]]
  peak <- megabytes("VmHWM")
  weights <- sum(vapply(get_weights(made[[1]]), length, 1)) * 4 / 2^20
  cat(sprintf("%-14s %8.0f MB %8.0f MB %8.0f MB %8.0f MB %8.0f MB %7.1f s\n", args, weights,
    as.numeric(object.size(made[[2]])) / 2^20, before, peak, peak - before, seconds))
} else {
  cat(sprintf("%-14s %11s %11s %11s %11s %11s %9s\n", "", "weights", "data", "before", "peak", "peak more", "time"))
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  for (name in names(workloads)) system2(file.path(R.home("bin"), "Rscript"), c(script, name))
}
