# Several ranks without MPI: R processes that swap vectors by files in a folder.

#' For R code in another process: a communicator whose `all_reduce` (or `exchange`) goes by files.
communicator_by_files <- function(folder, rank, size, exchanges, seconds = 60) {
  calls <- 0
  put <- function(x, name) {
    part <- file.path(folder, paste0("part-", rank))
    saveRDS(x, part, compress = FALSE)
    file.rename(part, file.path(folder, name))
  }
  get <- function(name) {
    until <- Sys.time() + seconds
    path <- file.path(folder, name)
    while (!file.exists(path)) {
      if (file.exists(file.path(folder, "left"))) stop("another rank has left")
      if (Sys.time() > until) stop("no answer within ", seconds, " seconds")
      Sys.sleep(0.001)
    }
    readRDS(path)
  }
  if (exchanges) {
    with <- double(size) # how often with each
    return(nativenet::communicator(rank, size, exchange = function(x, peer) {
      with[peer + 1] <<- with[peer + 1] + 1
      put(x, paste(with[peer + 1], rank, peer))
      get(paste(with[peer + 1], peer, rank))
    }, leave = function() put(rank, "left")))
  }
  nativenet::communicator(rank, size, function(x) {
    calls <<- calls + 1
    put(x, paste(calls, rank))
    # in an order of its own on each rank
    Reduce(`+`, lapply((seq_len(size) + rank) %% size, function(r) get(paste(calls, r))))
  })
}

# Processes that are ranks in one test after the other, as starting them takes longest.
rank_processes <- new.env()

start_ranks <- function(size) {
  for (name in as.character(seq_len(size))) {
    known <- rank_processes[[name]]
    if (!is.null(known) && known$get_state() == "idle") next
    if (!is.null(known)) known$close(grace = 0)
    rank_processes[[name]] <- callr::r_session$new(callr::r_session_options(libpath = .libPaths()))
  }
  mget(as.character(seq_len(size)), envir = rank_processes)
}

#' What code(strategy, ...) gives on each of `size` ranks, a list for each of `runs`, lists of further arguments. Errors
#' are conditions.
on_ranks_in_turn <- function(size, code, runs, shards = 8, exchanges = TRUE, seconds = 60) {
  skip_if_not_installed("callr")
  skip_on_cran()
  folders <- tempfile(rep("ranks", length(runs)))
  lapply(folders, dir.create)
  on.exit(unlink(folders, recursive = TRUE))
  processes <- start_ranks(size)
  for (k in seq_len(size)) processes[[k]]$call(function(folders, rank, size, exchanges, by_files, code, shards, runs,
    seconds) {
    library(nativenet)
    nn_threads(1)
    Map(function(folder, args, exchanges) {
      strategy <- strategy_communicator(by_files(folder, rank, size, exchanges, seconds), shards)
      tryCatch(do.call(code, c(list(strategy), args)), error = identity)
    }, folders, runs, exchanges)
  }, list(folders, k - 1, size, exchanges, communicator_by_files, code, shards, runs, seconds))
  by_rank <- lapply(processes, function(process) {
    if (process$poll_process(120000) != "ready") {
      process$close(grace = 0)
      stop("a rank did not come to its end")
    }
    answer <- process$read()
    if (!is.null(answer$error)) stop(answer$error)
    answer$result
  })
  unname(lapply(seq_along(runs), function(i) unname(lapply(by_rank, `[[`, i))))
}

on_ranks <- function(size, code, shards = 8, args = list()) on_ranks_in_turn(size, code, list(args), shards)[[1]]

#' A model of some kind, trained for 32 steps; all numbers that must not depend on the number of ranks.
train_in_shards <- function(strategy, kind = "mlp", more = list()) {
  set.seed(3)
  n <- 100
  x <- matrix(stats::rnorm(n * 6), n)
  y <- as.numeric(x[, 1] * x[, 2] > 0)
  model <- switch(kind,
    mlp = keras_model_sequential(input_shape = 6) |> layer_dense(8, activation = "relu") |> layer_dropout(0.3) |>
      layer_dense(1, activation = "sigmoid", kernel_regularizer = regularizer_l2(0.01)),
    norm = keras_model_sequential(input_shape = 6) |> layer_dense(8) |> layer_batch_normalization() |>
      layer_activation("relu") |> layer_dense(1, activation = "sigmoid"),
    masked = {
      x <- matrix(sample(0:9, n * 5, TRUE, c(5, rep(1, 9))), n)
      keras_model_sequential(input_shape = 5) |> layer_embedding(10, 4, mask_zero = TRUE) |>
        layer_lstm(3, return_sequences = TRUE) |> layer_dense(1, activation = "sigmoid")
    }
  )
  if (kind == "masked") y <- array(as.numeric(x > 4), c(n, 5, 1))
  model |> compile(optimizer_adam(0.01, clipnorm = 1), "binary_crossentropy", metrics = "accuracy")
  history <- do.call(fit, c(list(model, x, y, batch_size = 13, epochs = 4, verbose = 0, strategy = strategy), more))
  list(weights = get_weights(model), metrics = history$metrics)
}
