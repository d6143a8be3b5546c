# Rscript tools/strategy-digests.R [library] [sizes]: digests of all weights after 32 steps of several networks, by the
# number of processes under mpirun (1, 2, 3, 4 and 8 by default; 1 is strategy_local()). All of a row must be equal.
# Prints a table; ends with status 1 if a row has different digests.
arguments <- commandArgs(TRUE)
if (length(arguments)) .libPaths(c(normalizePath(arguments[1]), .libPaths()))
sizes <- if (length(arguments) > 1) as.integer(strsplit(arguments[2], ",")[[1]]) else c(1, 2, 3, 4, 8)

code <- quote({
  library(nativenet)
  nn_threads(1)
  digest <- function(weights) paste(format(as.hexmode(as.integer(hashes(weights))), width = 8), collapse = "")
  # of the bits: two sums of 31 bits of the bytes, each with another factor
  hashes <- function(weights) {
    bytes <- as.integer(serialize(lapply(weights, function(w) as.vector(as.array(w))), NULL, version = 2))
    vapply(c(31, 1103), function(factor) Reduce(function(h, b) (h * factor + b + 1) %% 2147483647, bytes, 7), 0)
  }
  n <- 104
  set.seed(1)
  x <- matrix(rnorm(n * 6), n)
  y <- as.numeric(x[, 1] * x[, 2] > 0)
  trained <- function(model, x, y, strategy) {
    model |> compile(optimizer_adam(0.01), "binary_crossentropy", metrics = "accuracy")
    model |> fit(x, y, batch_size = 13, epochs = 4, verbose = 0, strategy = strategy) # 32 steps
    get_weights(model)
  }
  networks <- list(
    "mlp with dropout" = function(strategy) trained(keras_model_sequential(input_shape = 6) |>
      layer_dense(16, activation = "relu") |> layer_dropout(0.3) |> layer_dense(1, activation = "sigmoid"), x, y,
      strategy),
    "masked LSTM" = function(strategy) {
      words <- matrix(sample(0:9, n * 5, TRUE, c(5, rep(1, 9))), n)
      trained(keras_model_sequential(input_shape = 5) |> layer_embedding(10, 4, mask_zero = TRUE) |>
        layer_lstm(8, return_sequences = TRUE) |> layer_dense(1, activation = "sigmoid"), words,
        array(as.numeric(words > 4), c(n, 5, 1)), strategy)
    },
    "batch normalization" = function(strategy) trained(keras_model_sequential(input_shape = 6) |> layer_dense(16) |>
      layer_batch_normalization() |> layer_activation("relu") |> layer_dense(1, activation = "sigmoid"), x, y, strategy),
    "course network" = function(strategy) {
      network <- build_dense_neural_network(6, list(16, relu(), 1, sigmoid()), binary_crossentropy(),
        adam_optimizer(0.01))
      network$fit(x, y, epochs = 4, batch_size = 13, verbose = FALSE, strategy = strategy)
      c(network$weights, network$biases)
    },
    "compiled step" = function(strategy) {
      w <- tf$Variable(matrix(rnorm(6) / 10, 6))
      optimizer <- optimizer_adam(0.01)
      step <- tf_function(function(x, y) {
        with(tf$GradientTape() %as% tape, loss <- tf$reduce_sum((tf$matmul(x, w) - y)^2) / 13)
        optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
        loss
      })
      for (i in 1:32) {
        rows <- (i - 1) %% 8 * 13 + 1:13
        strategy$run(step, args = list(tf$constant(x[rows, ]), tf$constant(matrix(y[rows]))))
      }
      list(w)
    }
  )
  train_all <- function(strategy) vapply(networks, function(train) {
    set.seed(2)
    digest(train(strategy))
  }, "")
})
eval(code)
script <- tempfile(fileext = ".R")
writeLines(c(sprintf(".libPaths(%s)", deparse1(.libPaths())), deparse(code),
  "strategy <- strategy_mpi(native = TRUE, time_limit = 60)",
  "saveRDS(train_all(strategy), file.path(commandArgs(TRUE)[1], strategy$rank))"), script)
digests <- vapply(sizes, function(size) {
  if (size == 1) return(train_all(strategy_local()))
  folder <- tempfile("digests")
  dir.create(folder)
  system2("mpirun", c("--allow-run-as-root", "--oversubscribe", "-np", size, shQuote(file.path(R.home("bin"),
    "Rscript")), shQuote(script), shQuote(folder)))
  of_ranks <- lapply(file.path(folder, seq_len(size) - 1), readRDS)
  if (length(unique(of_ranks)) > 1) stop("the ranks of ", size, " processes differ")
  of_ranks[[1]]
}, character(length(networks)))
dimnames(digests) <- list(names(networks), paste(sizes, ifelse(sizes == 1, "process", "processes")))
print(digests, quote = FALSE)
if (any(digests != digests[, 1])) quit(status = 1)
