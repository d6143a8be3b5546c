# Rscript tools/kill-ranks.R [times] [library] [ranks] [kill or stop]: so many `kill -9` of one rank of a training under
# mpirun, at random moments. The job must end within 10 seconds, the last checkpoint must load, and training must go on
# from it to the same bits as one that was never ended. With `stop` the rank is stopped (SIGSTOP), so that it never
# answers: the others wait for the time limit, 5 seconds here, and the job must end within 10 seconds more. Prints
# figures; ends with status 1 if anything was lost.
arguments <- commandArgs(TRUE)
times <- if (length(arguments)) as.integer(arguments[1]) else 50L
if (length(arguments) > 1) .libPaths(c(normalizePath(arguments[2]), .libPaths()))
ranks <- if (length(arguments) > 2) as.integer(arguments[3]) else 2L
stops <- length(arguments) > 3 && arguments[4] == "stop"
most <- if (stops) 15 else 10
library(nativenet)
nn_threads(1)
epochs <- 400

set.seed(1)
x <- matrix(rnorm(64 * 20), 64)
data <- tempfile(fileext = ".rds")
saveRDS(x, data)
new_model <- quote({
  set.seed(1)
  model <- keras_model_sequential(input_shape = 20) |> layer_dense(32, activation = "relu") |> layer_dropout(0.2) |>
    layer_dense(1)
  model |> compile(optimizer_adam(0.001), "mse")
})
eval(new_model)
model |> fit(x, x[, 1], batch_size = 16, epochs = epochs, verbose = 0, strategy = strategy_local(8))
wanted <- get_weights(model)

script <- tempfile(fileext = ".R")
writeLines(c(sprintf(".libPaths(%s)", deparse1(.libPaths())), "library(nativenet)", "nn_threads(1)",
  "folder <- commandArgs(TRUE)[1]", "strategy <- strategy_mpi(native = TRUE, time_limit = 5)",
  "writeLines(as.character(Sys.getpid()), file.path(folder, paste0('pid-', strategy$rank)))",
  sprintf("x <- readRDS(%s)", deparse1(data)), deparse(new_model),
  sprintf("model |> fit(x, x[, 1], batch_size = 16, epochs = %d, verbose = 0, strategy = strategy,", epochs),
  "  callbacks = callback_model_checkpoint(file.path(folder, 'model')))"), script)

lost <- character()
waits <- epochs_done <- double()
for (i in seq_len(times)) {
  folder <- tempfile("ranks")
  dir.create(folder)
  job <- callr::process$new("mpirun", c("--allow-run-as-root", "--oversubscribe", "-np", ranks,
    file.path(R.home("bin"), "Rscript"), script, folder), stdout = file.path(folder, "said"), stderr = "2>&1")
  path <- file.path(folder, "model")
  for (k in 1:3000) if (file.exists(path) || !job$is_alive()) break else Sys.sleep(0.01)
  Sys.sleep(stats::runif(1, 0, 1))
  victim <- sample(ranks, 1) - 1
  tools::pskill(as.integer(readLines(file.path(folder, paste0("pid-", victim)))), if (stops) tools::SIGSTOP else 9)
  start <- proc.time()[[3]]
  job$wait(30000)
  waits[i] <- proc.time()[[3]] - start
  if (job$is_alive()) {
    job$kill_tree()
    lost <- c(lost, paste0("kill ", i, ": the job went on"))
  } else if (waits[i] > most) lost <- c(lost, paste0("kill ", i, ": the job took ", waits[i], " s to end"))
  found <- tryCatch({
    model <- load_model(path)
    done <- model$optimizer$iterations / 4
    epochs_done[i] <- done
    if (done < epochs) model |> fit(x, x[, 1], batch_size = 16, initial_epoch = done, epochs = epochs, verbose = 0,
      strategy = strategy_local(8))
    get_weights(model)
  }, error = conditionMessage)
  if (!identical(found, wanted)) lost <- c(lost, paste0("kill ", i, ": other weights after epoch ", done))
  unlink(folder, recursive = TRUE)
}
cat(sprintf("%d ranks %s: jobs ended after %.2f s (median), %.2f s (longest), in epochs %d to %d of %d\n", times,
  if (stops) "stopped" else "killed",
  stats::median(waits), max(waits), min(epochs_done), max(epochs_done), as.integer(epochs)))
cat(lost, sep = "\n")
if (length(lost)) quit(status = 1)
