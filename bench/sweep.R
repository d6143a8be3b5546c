# run_sweep(): 32 networks with two hidden layers, 4,000 rows and 10 epochs each, by each kind of workers. Prints for each
# the seconds of all rounds, their median, how many times as fast that is as one network after the other, and whether the
# tables are those of that, to the bit. Rounds are interleaved; starting the workers is not counted, but for callr, which
# starts them for each sweep.
#
# usage: Rscript bench/sweep.R [rounds] [processes] [a library with mirai]
arguments <- commandArgs(TRUE)
rounds <- if (length(arguments)) as.integer(arguments[1]) else 3L
processes <- if (length(arguments) > 1) as.integer(arguments[2]) else 2L
if (length(arguments) > 2) {
  .libPaths(c(.libPaths(), normalizePath(arguments[3])))
  Sys.setenv(R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep)) # for the workers
}
library(nativenet)

set.seed(1)
x <- matrix(rnorm(4000 * 20), 4000)
y <- rbinom(4000, 1, plogis(x[, 1] * x[, 2] + x[, 3]))
grid <- list(units = c(32, 64, 128, 256), dropout = c(0, 0.2), rate = c(1e-2, 3e-3, 1e-3, 3e-4))
train <- function(units, dropout, rate) {
  model <- keras_model_sequential(input_shape = 20) |>
    layer_dense(units, activation = "relu") |>
    layer_dropout(dropout) |>
    layer_dense(units, activation = "relu") |>
    layer_dense(1, activation = "sigmoid")
  model |> compile(optimizer_adam(rate), "binary_crossentropy", "accuracy")
  fit(model, x, y, epochs = 10, verbose = 0)
}

has <- function(package) requireNamespace(package, quietly = TRUE)
kinds <- list("one after the other" = NULL)
if (has("callr")) kinds$callr <- processes
kinds$"a cluster of parallel" <- parallel::makeCluster(processes)
if (has("future")) {
  future::plan("multisession", workers = processes)
  kinds$"future, multisession" <- "future"
}
if (has("mirai")) {
  getExportedValue("mirai", "daemons")(processes)
  kinds$mirai <- "mirai"
}
for (kind in kinds[-1]) invisible(run_sweep(data.frame(units = rep(4, processes), dropout = 0, rate = 0.01), train,
  kind, seed = 1)) # packages are loaded then

seconds <- matrix(0, rounds, length(kinds), dimnames = list(NULL, names(kinds)))
tables <- list()
for (round in seq_len(rounds)) for (name in names(kinds)) {
  seconds[round, name] <- system.time(tables[[name]] <- run_sweep(grid, train, kinds[[name]], seed = 1))[["elapsed"]]
  tables[[name]]$seconds <- NULL
}
speed <- apply(seconds[, 1] / seconds, 2, stats::median)
cat(sprintf("%-24s %6.1f s %5.2f times as fast, %s   (%s)\n", names(kinds), apply(seconds, 2, stats::median), speed,
  ifelse(vapply(tables, identical, NA, tables[[1]]), "the same bits", "OTHER NUMBERS"),
  apply(round(seconds, 1), 2, paste, collapse = ", ")), sep = "")
if (has("mirai")) getExportedValue("mirai", "daemons")(0)
parallel::stopCluster(kinds$"a cluster of parallel")
