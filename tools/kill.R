# tools/kill.R [times] [library]: so many `kill -9` at random moments of fits that write checkpoints and a csv log, and
# so many interrupts of all kinds of loops, in child processes. Prints figures; ends with status 1 if anything was lost.
#
# After a kill the model file is that of a complete epoch and loads, the log has whole lines only, and the next save
# leaves no file but these. After an interrupt the weights are finite, and all can be trained on.
arguments <- commandArgs(TRUE)
times <- if (length(arguments)) as.integer(arguments[1]) else 300L
if (length(arguments) > 1) .libPaths(c(arguments[2], .libPaths()))
library(nativenet)
lost <- character()
expect <- function(ok, ...) if (!isTRUE(ok)) lost <<- c(lost, paste0(...))

# ---- kill -9 ----

train <- function(folder) {
  library(nativenet)
  nn_threads(1)
  set.seed(1)
  x <- matrix(rnorm(64 * 4), 64)
  m <- keras_model_sequential(input_shape = 4) |> layer_dense(sample(c(8, 2000, 40000), 1)) |> layer_dense(1)
  m |> compile("adam", "mse")
  written <- list(callback_model_checkpoint(file.path(folder, "model.safetensors")),
    callback_csv_logger(file.path(folder, "log.csv")))
  m |> fit(x, x[, 1], epochs = 1e5, verbose = 0, callbacks = written)
}

one_kill <- function(i) {
  folder <- tempfile("kill")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  child <- callr::r_bg(train, list(folder), libpath = .libPaths())
  model <- file.path(folder, "model.safetensors")
  log <- file.path(folder, "log.csv")
  for (k in 1:3000) if (file.exists(model) && file.exists(log) || !child$is_alive()) break else Sys.sleep(0.01)
  expect(child$is_alive(), "kill ", i, ": the child ended by itself")
  Sys.sleep(stats::runif(1, 0, 0.4))
  child$signal(9)
  child$wait(5000)
  strays <- length(setdiff(list.files(folder, all.files = TRUE, no.. = TRUE), basename(c(model, log))))
  m <- tryCatch(load_model(model), error = function(e) expect(FALSE, "kill ", i, ": ", conditionMessage(e)))
  if (inherits(m, "nn_model")) {
    expect(m$optimizer$iterations %% 2 == 0 && m$optimizer$iterations > 0, "kill ", i, ": a state between epochs")
    save_model(m, model)
  }
  lines <- readLines(log) # none before the first epoch ends
  rows <- data.frame(epoch = integer(), loss = numeric())
  if (length(lines)) rows <- tryCatch(utils::read.csv(text = lines), error = function(e) data.frame(epoch = NA))
  whole <- identical(as.integer(rows$epoch), seq_len(nrow(rows)) - 1L) && all(is.finite(rows$loss))
  expect(whole, "kill ", i, ": the log is not whole: ", paste(utils::head(lines, 3), collapse = " | "))
  apart <- if (inherits(m, "nn_model")) abs(nrow(rows) - m$optimizer$iterations / 2) else Inf
  expect(apart <= 1, "kill ", i, ": log and model are epochs apart")
  callback <- callback_csv_logger(log, append = TRUE)
  if (inherits(m, "nn_model")) fit(m, matrix(0.1, 64, 4), rep(0, 64), epochs = 1, verbose = 0, callbacks = callback)
  left <- list.files(folder, all.files = TRUE, no.. = TRUE)
  expect(setequal(left, basename(c(model, log))), "kill ", i, ": stray files after the next save")
  strays
}

# ---- interrupts ----

# In the session: `loops`, by name. Each runs until it is interrupted.
prepare <- function() {
  library(nativenet)
  nn_threads(1)
  set.seed(1)
  x <<- matrix(rnorm(4000 * 100), 4000)
  y <<- x[, 1]
  model <<- keras_model_sequential(input_shape = 100) |> layer_dense(400, activation = "relu") |>
    layer_dropout(0.1) |> layer_dense(1)
  model |> compile("adam", "mse")
  batches <<- tensor_slices_dataset(list(x, y)) |> dataset_shuffle(100) |> dataset_batch(32)
  net <<- build_dense_neural_network(100, list(64, relu(), 1, linear()), mean_squared_error(), adam_optimizer())
  w <<- variable(matrix(0.1, 100, 1), dtype = "float32")
  xt <<- tensor(x, "float32")
  yt <<- tensor(cbind(y), "float32")
  opt <<- optimizer_adam()
  one_step <<- function() {
    with(tf$GradientTape() %as% tape, loss <- op_mean((op_matmul(xt, w) - yt)^2))
    opt$apply_gradients(list(list(tape$gradient(loss, w), w)))
  }
  compiled <<- autograph(one_step)
  texts <<- vapply(1:5000, function(i) paste(sample(letters, 100, TRUE), collapse = " "), "")
  words <<- sample.int(1000, 2e5, TRUE)
  loops <<- list(
    fit = function() fit(model, x, y, epochs = 1e6, verbose = 0),
    fit_large_step = function() fit(model, x, y, batch_size = 4000, epochs = 1e6, verbose = 0),
    fit_dataset = function() fit(model, batches, epochs = 1e6, verbose = 0),
    fit_generator = function() {
      fit(model, function() list(x[1:64, ], y[1:64]), steps_per_epoch = 1e6, epochs = 1, verbose = 0)
    },
    train_on_batch = function() repeat train_on_batch(model, x[1:64, ], y[1:64]),
    evaluate = function() repeat evaluate(model, x, y, verbose = 0),
    predict = function() repeat predict(model, x),
    network = function() net$fit(x, y, epochs = 1e6, batch_size = 32, verbose = FALSE),
    tape = function() repeat one_step(),
    compiled = function() repeat compiled(),
    iterate = function() repeat iterate(batches, function(batch) batch),
    product = function() repeat op_matmul(op_transpose(op_matmul(xt, op_transpose(xt))), xt),
    orthogonal = function() repeat initializer_orthogonal()(c(1500, 1500)),
    random = function() repeat initializer_he_normal()(c(3000, 3000)),
    tokenizer = function() repeat texts_to_matrix(fit_text_tokenizer(text_tokenizer(), texts), texts),
    skipgrams = function() repeat skipgrams(words, 1000),
    pad_sequences = function() repeat pad_sequences(split(words, rep(1:2000, 100))),
    conversion = function() repeat tensor(as.array(op_random_uniform(c(2000, 2000))))
  )
}

# What came of the loop and when; and whether all weights are finite, and trained on without a fault.
run_loop <- function(name, running) {
  finite <- function() all(is.finite(unlist(c(get_weights(model), net$weights, as.array(w)))))

  file.create(running)
  caught <- tryCatch(suppressMessages(loops[[name]]()), interrupt = function(e) "interrupted")
  at <- as.numeric(Sys.time())
  on <- is.finite(train_on_batch(model, x[1:32, ], y[1:32])[[1]]) &&
    is.finite(net$fit(x, y, epochs = 1, batch_size = 400, verbose = FALSE)$loss)
  one_step()
  compiled()
  list(caught = caught, at = at, finite = finite(), on = on)
}

session_new <- function() {
  session <- callr::r_session$new(callr::r_session_options(libpath = .libPaths()))
  session$run(prepare)
  session
}

one_interrupt <- function(session, name) {
  running <- tempfile()
  session$call(run_loop, list(name, running))
  for (k in 1:3000) if (file.exists(running)) break else Sys.sleep(0.005)
  Sys.sleep(stats::runif(1, 0.02, 0.5))
  sent <- as.numeric(Sys.time())
  session$interrupt()
  if (session$poll_process(30000) != "ready") {
    expect(FALSE, name, ": no answer")
    return(NA)
  }
  got <- session$read()
  if (!is.null(got$error) || !is.list(got$result)) {
    expect(FALSE, name, ": ", if (is.null(got$error)) "no result" else conditionMessage(got$error))
    return(NA)
  }
  r <- got$result
  expect(identical(r$caught, "interrupted") && r$finite && r$on, name, ": not as it should be")
  r$at - sent
}

load <- function() if (file.exists("/proc/loadavg")) readLines("/proc/loadavg") else "not known"
cat("load", load(), "\n")
session <- session_new()
names <- rep_len(session$run(function() names(loops)), times)
seconds <- vapply(names, function(name) one_interrupt(session, name), 0)
session$close()
spread <- sprintf("%.3f", stats::quantile(seconds, c(0, 0.5, 0.9, 0.99, 1), na.rm = TRUE))
cat(sprintf("%d interrupts: answered after %s s (0, 50, 90, 99, 100 %%); %d later than 0.5 s; load %s\n", times,
  paste(spread, collapse = " "), sum(seconds > 0.5, na.rm = TRUE), load()))
print(round(sort(tapply(seconds, names, max), decreasing = TRUE), 3))
strays <- vapply(seq_len(times), one_kill, 0)
cat(sprintf("%d kills: %d left a temporary file that the next save took away; load %s\n", times, sum(strays > 0),
  load()))
cat(length(lost), "faults\n")
writeLines(unique(lost))
if (length(lost)) quit(status = 1)
