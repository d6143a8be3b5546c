test_that("one shard gives the bits of training without a strategy, more of them the same up to rounding", {
  for (kind in c("mlp", "masked")) {
    plain <- train_in_shards(NULL, kind)
    expect_identical(train_in_shards(strategy_local(1), kind), plain)
    if (kind == "masked") for (shards in c(4, 16)) {
      expect_equal(train_in_shards(strategy_local(shards), kind), plain, tolerance = 1e-4)
    }
  }
})

test_that("a step is that of the formula: means by rows, also with empty shards; clipping comes after the sum", {
  # linear regression by gradient descent in plain R, of all rows at once
  set.seed(1)
  x <- matrix(rnorm(22), 11)
  y <- rnorm(11)
  for (rule in list(NULL, 0.1)) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, use_bias = FALSE, dtype = "float64",
      kernel_regularizer = regularizer_l2(0.1))
    model |> compile(optimizer_sgd(0.5, clipnorm = rule), "mse")
    w <- as.vector(get_weights(model)[[1]])
    history <- model |> fit(x, y, batch_size = 8, epochs = 2, shuffle = FALSE, verbose = 0,
      strategy = strategy_local(8))
    losses <- NULL
    for (epoch in 1:2) {
      total <- 0
      for (rows in list(1:8, 9:11)) { # the second batch has fewer rows than there are shards
        error <- as.vector(x[rows, ] %*% w) - y[rows]
        total <- total + length(rows) * (mean(error^2) + 0.1 * sum(w^2))
        g <- 2 * colSums(error * x[rows, ]) / length(rows) + 0.2 * w
        if (!is.null(rule)) g <- g * min(1, rule / sqrt(sum(g^2)))
        w <- w - 0.5 * g
      }
      losses <- c(losses, total / 11)
    }
    expect_equal(as.vector(get_weights(model)[[1]]), w, tolerance = 1e-6)
    expect_equal(history$metrics$loss, losses, tolerance = 1e-6)
  }
})

test_that("weights of samples and classes, sums as losses, several outputs and data sets are those of whole batches", {
  set.seed(2)
  x <- matrix(rnorm(120), 40)
  y <- rep(0:1, 20)
  w <- runif(40)
  run <- function(strategy, kind) {
    set.seed(4)
    input <- layer_input(3)
    hidden <- input |> layer_dense(4, activation = "tanh")
    out <- hidden |> layer_dense(1, activation = "sigmoid", name = "a")
    model <- keras_model(input, if (kind == "outputs") list(out, hidden |> layer_dense(2, name = "b")) else out)
    loss <- switch(kind, outputs = list("binary_crossentropy", "mse"),
      sum = loss_binary_crossentropy(reduction = "sum"),
      "binary_crossentropy")
    model |> compile(optimizer_sgd(0.05), loss, metrics = if (kind != "outputs") c("accuracy", "auc"))
    args <- switch(kind, samples = list(x, y, sample_weight = w),
      classes = list(x, y, class_weight = list("0" = 1, "1" = 3)),
      outputs = list(x, list(y, x[, 1:2])), stream = list(dataset_batch(tensor_slices_dataset(list(x, y)), 7)),
      list(x, y))
    if (kind != "stream") args$batch_size <- 7
    history <- do.call(fit, c(list(model), args, list(epochs = 3, verbose = 0, validation_data =
      if (kind != "outputs") list(x, y), strategy = strategy)))
    list(get_weights(model), history$metrics)
  }
  for (kind in c("samples", "classes", "sum", "outputs", "stream")) {
    expect_equal(run(strategy_local(4), kind), run(NULL, kind), tolerance = 1e-4, info = kind)
    expect_identical(run(strategy_local(1), kind), run(NULL, kind), info = kind)
  }
})

test_that("a program has memory for the rows of a shard, and gets no more of them", {
  set.seed(1)
  x <- matrix(rnorm(4096 * 20), 4096)
  model <- keras_model_sequential(input_shape = 20) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.1), "mse")
  for (batch in c(64, 4096)) {
    model |> fit(x, x[, 1], batch_size = batch, epochs = 2, verbose = 0, strategy = strategy_local(64))
    gc(FALSE)
  }
  expect_equal(as.vector(get_weights(model)[[1]]), c(1, rep(0, 19)), tolerance = 0.1)
})

test_that("moving averages of batch normalization are means over the shards by rows", {
  set.seed(5)
  x <- matrix(rnorm(10), 10)
  model <- keras_model_sequential(input_shape = 1) |> layer_batch_normalization(momentum = 0.9)
  model |> compile(optimizer_sgd(0), "mse")
  model |> fit(x, x, batch_size = 10, epochs = 1, shuffle = FALSE, verbose = 0, strategy = strategy_local(4))
  parts <- split(x, rep(1:4, diff(floor(10 * 0:4 / 4))))
  of_parts <- function(f) sum(lengths(parts) * vapply(parts, f, 0)) / 10
  weights <- get_weights(model)
  expect_equal(as.vector(weights[[3]]), 0.1 * of_parts(mean), tolerance = 1e-6)
  expect_equal(as.vector(weights[[4]]), 0.9 + 0.1 * of_parts(function(v) mean((v - mean(v))^2)), tolerance = 1e-6)
})

test_that("ranks in other processes give the bits of one process", {
  kinds <- list("mlp", "norm", "masked")
  found <- on_ranks_in_turn(2, train_in_shards, lapply(kinds, list))
  for (k in seq_along(kinds)) expect_identical(found[[k]], rep(list(train_in_shards(strategy_local(8), kinds[[k]])), 2),
    info = kinds[[k]])
  one <- train_in_shards(strategy_local(4), "mlp")
  found <- on_ranks_in_turn(4, train_in_shards, list(list(), list()), shards = 4, exchanges = c(TRUE, FALSE))
  expect_identical(found, rep(list(rep(list(one), 4)), 2))
})

test_that("callbacks decide on rank 0, and only it writes; validation and early stopping are the same on all", {
  run <- function(strategy) {
    set.seed(1)
    x <- matrix(stats::rnorm(200), 50)
    folder <- tempfile("rank")
    dir.create(folder)
    rank <- strategy$rank
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
    model |> compile("sgd", "mse")
    said <- utils::capture.output(history <- model |> fit(x, x[, 1], batch_size = 10, epochs = 6, verbose = 2,
      validation_split = 0.2, strategy = strategy, callbacks = list(
        callback_csv_logger(file.path(folder, "log.csv")), callback_model_checkpoint(file.path(folder, "model")),
        callback_lambda(on_epoch_end = function(epoch, logs) if (rank == 1) rank <<- 3),
        list(on_epoch_end = function(epoch, logs) if (strategy$rank == 0 && epoch == 2) model$stop_training <- TRUE),
        list(on_epoch_begin = function(epoch, logs) if (strategy$rank == 0 && epoch == 1)
          model$optimizer$learning_rate <- 0.5))))
    list(metrics = history$metrics, weights = get_weights(model), files = list.files(folder), said = length(said))
  }
  found <- on_ranks(2, run)
  expect_identical(found[[1]][1:2], found[[2]][1:2])
  expect_length(found[[1]]$metrics$loss, 3)
  expect_named(found[[1]]$metrics, c("loss", "val_loss"))
  expect_identical(found[[1]]$files, c("log.csv", "model"))
  expect_identical(found[[2]]$files, character())
  expect_gt(found[[1]]$said, 0)
  expect_identical(found[[2]]$said, 0L)
})

test_that("ranks that differ, fail or leave are errors on all ranks", {
  run <- function(strategy, what) {
    odd <- strategy$rank == 1
    set.seed(1)
    x <- matrix(stats::rnorm(400), 100)
    set.seed(7)
    if (odd && what == "data") x[3, 2] <- 0
    y <- x[, 1]
    units <- if (odd && what == "model") 3 else 2
    if (odd) layer_dense(units = 1) # which changes the names of layers
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(units, activation = "relu") |> layer_dense(1)
    if (odd && what == "weights") set_weights(model, lapply(get_weights(model), `*`, 2))
    if (odd && what == "random seed") set.seed(9)
    model |> compile(optimizer_sgd(if (odd && what == "optimizer") 0.1 else 0.01),
      if (odd && what == "loss") "mae" else if (odd && what == "constant") function(y_true, y_pred)
        op_square(y_true - y_pred) * 0.5 else if (what == "constant") function(y_true, y_pred)
        op_square(y_true - y_pred) * 0.25 else "mse")
    fail <- list(on_epoch_end = function(epoch, logs) if (odd && what == "error") stop("a callback's own error"))
    model |> fit(x, y, batch_size = if (odd && what == "arguments") 11 else 10, epochs = 3, verbose = 0,
      strategy = strategy, callbacks = fail)
    "trained"
  }
  differ <- c("data", "weights", "optimizer", "random seed", "arguments")
  whats <- c(differ, "loss", "model", "constant", "error", "nothing")
  found <- on_ranks_in_turn(2, run, lapply(whats, list))
  names(found) <- whats
  for (what in differ) for (e in found[[what]]) {
    expect_s3_class(e, "nativenet_error_rank")
    expect_match(conditionMessage(e), paste0("the same ", what), info = what)
  }
  for (what in c("loss", "constant")) for (e in found[[what]]) expect_match(conditionMessage(e), "the same model",
    info = what)
  for (e in found$model) expect_match(conditionMessage(e), "the same weights")
  for (found_error in c(found["error"], on_ranks_in_turn(2, run, list(list("error")), exchanges = FALSE))) {
    expect_match(conditionMessage(found_error[[1]]), "has left")
    expect_match(conditionMessage(found_error[[2]]), "a callback's own error")
  }
  expect_identical(found$nothing, list("trained", "trained"))
})

test_that("ranks whose batches have different numbers of rows do not train on", {
  run <- function(strategy) {
    set.seed(1)
    x <- matrix(rnorm(48), 24)[seq_len(if (strategy$communicator$rank == 0) 24 else 20), ]
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
    model |> compile("sgd", "mse")
    model |> fit(dataset_batch(tensor_slices_dataset(list(x, x[, 1])), 16), verbose = 0, strategy = strategy)
  }
  for (e in on_ranks(2, run, 2)) {
    expect_s3_class(e, "nativenet_error_rank")
    expect_match(conditionMessage(e), "the number of its rows")
  }
})

# Batches of the same rows: of a data set that the engine goes through, of a table, of a function.
train_on_stream <- function(strategy, kind, odd = "nothing") {
  odd <- if (strategy$rank == strategy$size - 1) odd else "nothing"
  set.seed(1)
  x <- matrix(stats::rnorm(66), 22)
  if (odd == "order") x <- x[c(1:7, 9, 8, 10:22), ]
  if (odd == "number") x[22, 3] <- x[22, 3] + 1e-3
  y <- x[, 1]
  data <- switch(kind,
    native = dataset_batch(tensor_slices_dataset(list(x, y)), 10),
    shuffled = dataset_batch(dataset_shuffle(tensor_slices_dataset(list(x, y)), 8), 10),
    strings = dataset_batch(dataset_map(tensor_slices_dataset(list(format(x[, 1], digits = 17), x, y)),
      function(word, x, y) list(x, y)), 10),
    table = dataset_prepare(nativenet:::table_dataset(function() {
      left <- TRUE
      function() if (left) {
        left <<- FALSE
        data.frame(x = x, y = y)
      }
    }, NULL, 9, "the table", fun = "table"), y ~ ., batch_size = 10),
    generator = {
      at <- 0
      function() {
        at <<- at %% 3 + 1
        rows <- list(1:10, 11:20, 21:22)[[at]]
        list(x[rows, ], y[rows])
      }
    })
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(4, activation = "relu") |> layer_dropout(0.2) |>
    layer_dense(1)
  model |> compile("adam", "mse")
  if (odd == "seed") set.seed(3)
  history <- model |> fit(data, epochs = 2, verbose = 0, strategy = strategy,
    steps_per_epoch = if (kind == "generator") 3, validation_data = if (kind == "generator") list(x, y) else data)
  if (kind == "generator") model |> fit(data, epochs = 1, verbose = 0, strategy = strategy, steps_per_epoch = 3)
  list(get_weights(model), history$metrics)
}

test_that("streams of batches train to the bits of one process, and ranks with other batches do not train on", {
  kinds <- c("native", "shuffled", "strings", "table", "generator")
  found <- on_ranks_in_turn(2, train_on_stream, lapply(kinds, list))
  for (k in seq_along(kinds)) expect_identical(found[[k]], rep(list(train_on_stream(strategy_local(8), kinds[k])), 2),
    info = kinds[k])
  odd <- expand.grid(kind = kinds, odd = c("order", "number", "seed"), stringsAsFactors = FALSE)
  found <- on_ranks_in_turn(2, train_on_stream, Map(list, odd$kind, odd$odd))
  for (k in seq_along(found)) for (e in found[[k]]) {
    expect_s3_class(e, "nativenet_error_rank")
    expect_match(conditionMessage(e), if (odd$odd[k] == "seed") "random seed" else if (odd$kind[k] == "generator")
      "the same data" else "has another batch", # its validation data are an array
      info = paste(odd[k, ], collapse = " "))
  }
})

# Windows of time series and pictures that are drawn anew in each epoch: the draws are the same on all ranks.
train_on_views <- function(strategy, kind, folder) {
  set.seed(5)
  x <- matrix(stats::rnorm(120), 40)
  pictures <- function() image_data_generator(rescale = 1 / 255, horizontal_flip = TRUE, rotation_range = 20)
  data <- switch(kind,
    windows = timeseries_generator(x, x[, 1], length = 4, batch_size = 8, shuffle = TRUE),
    windows_of_dataset = timeseries_dataset_from_array(x, x[, 1], 4, batch_size = 8, shuffle = TRUE, seed = 3),
    flow = flow_images_from_data(array(stats::runif(12 * 48), c(12, 4, 4, 3)), rep(0:1, 6), pictures(), batch_size = 5),
    flow_of_folder = flow_images_from_directory(folder, pictures(), target_size = c(4, 4), batch_size = 5, class_mode =
      "binary"),
    folder = image_dataset_from_directory(folder, image_size = c(4, 4), batch_size = 5, seed = 2, label_mode =
      "binary"))
  model <- keras_model_sequential() |> layer_flatten() |> layer_dense(1)
  model |> compile(optimizer_sgd(1e-6), "mse")
  history <- model |> fit(data, epochs = 2, verbose = 0, strategy = strategy)
  list(get_weights(model), history$metrics)
}

test_that("time series and flows of pictures train to the bits of one process", {
  skip_if_not_installed("png")
  folder <- tempfile()
  on.exit(unlink(folder, recursive = TRUE))
  set.seed(1)
  for (class in c("a", "b")) {
    dir.create(file.path(folder, class), recursive = TRUE)
    for (i in 1:6) png::writePNG(array(stats::runif(48), c(4, 4, 3)), file.path(folder, class, paste0(i, ".png")))
  }
  kinds <- c("windows", "windows_of_dataset", "flow", "flow_of_folder", "folder")
  found <- suppressMessages(on_ranks_in_turn(2, train_on_views, Map(list, kinds, folder)))
  for (k in seq_along(kinds)) expect_identical(found[[k]],
    rep(list(suppressMessages(train_on_views(strategy_local(8), kinds[k], folder))), 2), info = kinds[k])
})

test_that("one number that differs among many is another batch", {
  run <- function(strategy, at) {
    set.seed(1)
    x <- matrix(seq_len(128 * 700) / 1e4, 128, byrow = TRUE)
    if (strategy$rank == 1) x[127, at] <- x[127, at] + 1e-3 # in the second batch
    model <- keras_model_sequential(input_shape = 700) |> layer_dense(1)
    model |> compile(optimizer_sgd(0), "mse")
    model |> fit(dataset_batch(tensor_slices_dataset(list(x, x[, 1])), 64), verbose = 0, strategy = strategy)
  }
  places <- c(2, 3, 500, 699)
  found <- on_ranks_in_turn(2, run, lapply(places, list))
  for (k in seq_along(places)) for (e in found[[k]]) expect_match(conditionMessage(e), "has another batch",
    info = as.character(places[k]))
})

test_that("sums that fail while models train end the training on all ranks", {
  run <- function(strategy, fault, ended = "", n = 40) {
    calls <- 0
    sum_over <- strategy$communicator
    odd <- strategy$rank == 1
    broken <- communicator(strategy$rank, strategy$size, function(x) {
      calls <<- calls + 1
      if (odd && calls > 20 && length(x) == 2) { # before a sum, but once
        odd <<- FALSE
        switch(fault, stops = stop("the cable is out"), short = return(x[-1]), na = return(NA * x), text = return("x"),
          sleeps = while (!file.exists(ended)) Sys.sleep(0.01))
      }
      sum_over$all_reduce(x)
    }, leave = if (fault == "sleeps") function() NULL) # else told by a sum that would wait
    set.seed(1)
    x <- matrix(stats::rnorm(2 * n), n)
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
    model |> compile("sgd", "mse")
    on.exit(if (strategy$rank == 0) file.create(ended))
    model |> fit(x, x[, 1], batch_size = 4, epochs = 3, verbose = 0, strategy = strategy_communicator(broken, 2))
  }
  faults <- c(stops = "the cable is out", short = "returned a vector of length", na = "returned NA",
    text = "no numeric vector", sleeps = "has left|no answer within|of length")
  found <- c(on_ranks_in_turn(2, run, lapply(names(faults)[-5], list)),
    on_ranks_in_turn(2, run, list(list("sleeps", tempfile())), seconds = 4))
  for (k in seq_along(faults)) for (rank in 1:2) {
    e <- found[[k]][[rank]]
    expect_s3_class(e, "nativenet_error_rank")
    expect_match(conditionMessage(e), if (rank == 2) faults[k] else if (k == 5) "no answer within" else "has left",
      info = paste(rank, faults[k]))
  }
})

test_that("loss that is NaN ends the training on all ranks, with the same weights", {
  run <- function(strategy) {
    set.seed(1)
    x <- matrix(stats::rnorm(40), 10)
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
    model |> compile(optimizer_sgd(1e30), "mse")
    said <- tryCatch(model |> fit(x, x[, 1], batch_size = 5, epochs = 9, verbose = 0, strategy = strategy),
      warning = conditionMessage)
    list(said, get_weights(model))
  }
  found <- on_ranks(2, run)
  expect_match(found[[1]][[1]], "no longer a finite number")
  expect_identical(found[[1]], found[[2]])
  expect_identical(found[[1]][[2]], run(strategy_local(8))[[2]])
})

test_that("any number of shards and of ranks gives the bits of one process", {
  # ranks, shards: they divide them or not, of both kinds of communicators
  for (case in list(c(3, 8), c(5, 8), c(2, 7))) {
    one <- train_in_shards(strategy_local(case[2]), "mlp")
    found <- on_ranks_in_turn(case[1], train_in_shards, list(list(), list()), case[2], exchanges = c(TRUE, FALSE))
    expect_identical(found, rep(list(rep(list(one), case[1])), 2), info = paste(case, collapse = " "))
  }
})

test_that("sums of shards stand in a tree of halves", {
  # numbers whose sum depends on the order of the additions
  set.seed(1)
  x <- rnorm(13) * 10^sample(-8:8, 13, TRUE)
  tree <- function(begin, end) {
    if (end - begin == 1) return(x[begin + 1])
    middle <- begin + (end - begin) %/% 2
    tree(begin, middle) + tree(middle, end)
  }
  parts <- list(c(0L, 1L, 0L), NULL, NULL, NULL, NULL)
  for (n in 1:13) expect_identical(.Call(nativenet:::C_communicator_sum, parts, n, as.list(x[seq_len(n)])),
    tree(0, n), info = n)
})

test_that("losses that are weighed by different numbers are those of whole batches", {
  set.seed(6)
  x <- matrix(sample(0:9, 200, TRUE, c(8, rep(1, 9))), 40)
  x[1:3, ] <- 0L # the mask of a shard lets nothing through
  y <- list(array(as.numeric(x > 4), c(40, 5, 1)), x[, 1] / 9)
  run <- function(strategy, kind) {
    set.seed(4)
    input <- layer_input(5)
    hidden <- input |> layer_embedding(10, 4, mask_zero = TRUE) |> layer_lstm(3, return_sequences = TRUE)
    decay <- if (kind == "penalty") regularizer_l2(0.1)
    steps <- hidden |> layer_dense(1, activation = "sigmoid", name = "steps", kernel_regularizer = decay)
    other <- if (kind == "masks") hidden |> layer_dense(1, name = "other") else
      hidden |> layer_lstm(3) |> layer_dense(1, name = "other")
    model <- if (kind == "penalty") keras_model(input, steps) else keras_model(input, list(steps, other))
    second <- if (kind == "sum") loss_mean_squared_error(reduction = "sum") else "mse"
    model |> compile(optimizer_sgd(0.3), if (kind == "penalty") "binary_crossentropy" else
      list("binary_crossentropy", second), loss_weights = if (kind != "penalty") list(1, 0.5))
    targets <- if (kind == "penalty") y[[1]] else if (kind == "masks") list(y[[1]], array(x / 9, c(40, 5, 1))) else y
    history <- model |> fit(x, targets, batch_size = 13, epochs = 3, shuffle = FALSE, verbose = 0,
      validation_data = list(x, targets), strategy = strategy)
    list(get_weights(model), history$metrics)
  }
  for (kind in c("masks", "mean", "sum", "penalty")) {
    plain <- run(NULL, kind)
    for (shards in c(1, 4, 5)) expect_equal(run(strategy_local(shards), kind), plain, tolerance = 1e-5,
      info = paste(kind, shards))
  }
})

test_that("what cannot go over shards is refused", {
  x <- matrix(1, 4, 2)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile("sgd", function(y_true, y_pred) op_sum(op_square(y_true - y_pred)) / nrow(y_pred))
  expect_error(fit(model, x, 1:4, verbose = 0, strategy = strategy_local(2)), "number of rows",
    class = "nativenet_error")
  model |> compile("sgd", "mse")
  expect_error(fit(model, x, 1:4, strategy = "mpi"), "`strategy` must be a strategy")
  expect_error(strategy_local(0), "`shards`")
  expect_error(strategy_communicator(1), "`communicator` must be")
  expect_error(strategy_communicator(communicator(0, 4, function(x) x), 2), "at least the number of ranks, 4")
  expect_error(strategy_local(2)$nothing, "nothing")
  four <- strategy_communicator(communicator(0, 8, function(x) x))
  expect_error(fit(model, x, 1:4, verbose = 0, strategy = four), "less than the 8 ranks")
})

test_that("a model that is compiled in the scope of a strategy trains with it", {
  strategy <- strategy_local(4)
  train <- function(scope) {
    set.seed(1)
    x <- matrix(rnorm(60), 20)
    model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
    if (scope) with(strategy$scope(), model |> compile("adam", "mse")) else model |> compile("adam", "mse")
    fit(model, x, x[, 1], epochs = 2, batch_size = 7, verbose = 0, strategy = if (!scope) strategy)
    get_weights(model)
  }
  expect_identical(train(TRUE), train(FALSE))
  expect_null(nativenet:::session$scope)
  expect_identical(strategy$num_replicas_in_sync, 4L)
  expect_true(strategy$is_chief)
  expect_output(print(strategy), "4 shards of a batch; rank 0 of 1")
})
