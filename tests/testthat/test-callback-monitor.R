# Expected epochs and weights are worked out by hand from Keras' rules.

stopping <- function(..., logs) {
  stub_model_functions()
  model <- fake_model()
  callback <- callback_early_stopping(...)
  out <- capture.output(history <- do.call(train, c(list(model, callback), logs)))
  list(epochs = length(history[[1]]), weights = model$weights, stopped = callback$stopped_epoch, best = callback$best,
    out = out)
}

test_that("early stopping counts epochs without improvement", {
  run <- function(values, ...) stopping(..., logs = list(val_loss = values))
  expect_identical(run(c(3, 2, 2.5, 1))$epochs, 3L)
  expect_identical(run(c(3, 2, 2.5, 1), patience = 1)$epochs, 3L)
  expect_identical(run(c(3, 2, 2.5, 1), patience = 2)$epochs, 4L)
  expect_identical(run(c(3, 2, 2.5, 2.6, 1), patience = 2)[c("epochs", "stopped", "best")],
    list(epochs = 4L, stopped = 3, best = 2))
  # never in the first epoch, NaN is no improvement
  expect_identical(run(c(NaN, NaN, 1))$epochs, 2L)
  expect_identical(run(c(2, 2, 1))$epochs, 2L)
  expect_identical(run(4:1)[c("epochs", "stopped")], list(epochs = 4L, stopped = 0))
  # less than min_delta is none
  expect_identical(run(c(3, 2.95, 2.5, 2.4, 1), min_delta = 0.2, patience = 2)$epochs, 5L)
  expect_identical(run(c(3, 2.95, 2.9, 2.4, 1), min_delta = -0.2, patience = 2)$epochs, 3L)
  expect_identical(run(c(3, 4, 5, 2, 3), start_from_epoch = 3)$epochs, 5L)
})

test_that("the mode follows the name or what is said", {
  up <- c(0.5, 0.6, 0.7)
  expect_identical(stopping(monitor = "val_accuracy", logs = list(val_accuracy = up))$epochs, 3L)
  expect_identical(stopping(monitor = "val_auc", logs = list(val_auc = up))$epochs, 3L)
  expect_identical(stopping(monitor = "mae", logs = list(mae = up))$epochs, 2L)
  expect_identical(stopping(monitor = "mae", mode = "max", logs = list(mae = up))$epochs, 3L)
  expect_identical(stopping(monitor = "accuracy", mode = "min", logs = list(accuracy = up))$epochs, 2L)
  # the old short name
  expect_identical(stopping(monitor = "val_acc", logs = list(val_accuracy = c(0.5, 0.4, 0.6)))$epochs, 2L)
})

test_that("a baseline must be beaten to wait anew", {
  expect_identical(stopping(patience = 2, baseline = 1, logs = list(val_loss = c(3, 2.5, 2, 1.5)))$epochs, 4L)
  expect_identical(stopping(patience = 2, baseline = 1, logs = list(val_loss = c(3, 2.5, 2.6, 0.5)))$epochs, 3L)
  expect_identical(stopping(patience = 2, baseline = 1, logs = list(val_loss = c(0.9, 1.1, 0.8, 1.2, 0.85, 3)))$epochs,
    5L)
})

test_that("the best weights come back when it stops, not otherwise, with Keras' words", {
  run <- function(values, ...) stopping(..., verbose = 1, restore_best_weights = TRUE, logs = list(val_loss = values))
  expect_identical(run(c(3, 1, 2, 2), patience = 2)[c("weights", "out")],
    list(weights = 2, out = c("Restoring model weights from the end of the best epoch: 2.", "Epoch 4: early stopping")))
  expect_identical(run(c(3, 1, 2), patience = 5)[c("weights", "out")], list(weights = 3, out = character()))
  # none was an improvement: those of the first epoch
  expect_identical(run(c(NaN, NaN, NaN), patience = 1)$weights, 1)
  expect_identical(stopping(verbose = 0, logs = list(val_loss = 1:3))$out, character())
})

test_that("a second training starts from the beginning", {
  stub_model_functions()
  callback <- callback_early_stopping(patience = 2)
  expect_length(train(fake_model(), callback, val_loss = c(1, 2, 3, 4))$val_loss, 3)
  expect_length(train(fake_model(), callback, val_loss = c(9, 8, 7, 6))$val_loss, 4)
  expect_identical(callback$stopped_epoch, 0)
})

test_that("a metric that is not there is said once, with those that are", {
  warnings <- character()
  withCallingHandlers(history <- train(fake_model(), callback_early_stopping(), loss = 1:3, mae = 1:3),
    nativenet_warning_monitor = function(w) {
    warnings <<- c(warnings, conditionMessage(w))
    tryInvokeRestart("muffleWarning")
  })
  expect_identical(warnings,
    paste0("`callback_early_stopping()`: early stopping is conditioned on metric `val_loss`, which is not ",
      "available. Available metrics are: loss, mae"))
  expect_length(history$loss, 3)
  expect_warning(train(fake_model(), callback_reduce_lr_on_plateau(), loss = 1),
    "the learning rate depends on metric `val_loss`")
  stub_model_functions()
  model <- fake_model()
  expect_warning(train(model, callback_model_checkpoint("x", save_best_only = TRUE), loss = 1),
    "the best model is chosen by metric `val_loss`")
  expect_identical(model$saved, character())
})

test_that("arguments are checked", {
  bad <- function(call, message) expect_error(call, message, fixed = TRUE, class = "nativenet_error_value")
  bad(callback_early_stopping(patience = -1),
    "`callback_early_stopping()`: `patience` must be a whole number, zero or more, not -1")
  bad(callback_early_stopping(mode = "up"),
    "`callback_early_stopping()`: `mode` must be one of \"auto\", \"min\", \"max\", not \"up\"")
  bad(callback_early_stopping(monitor = 1), "`callback_early_stopping()`: `monitor` must be a single string, not 1")
  bad(callback_early_stopping(verbose = 7), "`callback_early_stopping()`: `verbose` must be 0, 1, 2")
  bad(callback_reduce_lr_on_plateau(factor = 1), "`factor` must be a number at least 0 and below 1, not 1")
  bad(callback_model_checkpoint(1), "`filepath` must be a single string, not 1")
  bad(callback_model_checkpoint("x", save_freq = "batch"), "`save_freq` must be a positive whole number")
})

test_that("the learning rate falls on a plateau, cools down, and has a floor", {
  run <- function(values, ..., out = FALSE) {
    model <- fake_model(1)
    text <- capture.output(history <- train(model, callback_reduce_lr_on_plateau(...), val_loss = values))
    if (out) text else c(history$lr, model$optimizer$learning_rate)
  }
  expect_equal(run(c(3, 2, 2, 2, 1), patience = 2, factor = 0.5), c(1, 1, 1, 1, 0.5, 0.5))
  expect_equal(run(rep(1, 6), patience = 1, factor = 0.1), c(1, 1, 0.1, 0.01, 1e-3, 1e-4, 1e-5))
  expect_equal(run(rep(1, 4), patience = 1, factor = 0.1, min_lr = 0.05), c(1, 1, 0.1, 0.05, 0.05))
  # epoch 2 reduces; epoch 3 cools; epoch 4 has cooled and waits 1: reduces
  expect_equal(run(rep(1, 6), patience = 1, factor = 0.1, cooldown = 2), c(1, 1, 0.1, 0.1, 0.01, 0.01, 0.001))
  # an improvement of less than min_delta = 1e-4 is none
  expect_equal(run(c(1, 0.99995, 0.5), patience = 1), c(1, 1, 0.1, 0.1))
  expect_identical(run(c(1, 1), patience = 1, verbose = 1, out = TRUE),
    "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.1.")
})

checkpoints <- function(..., logs, batches = 1, model = fake_model()) {
  out <- capture.output(do.call(train, c(list(model, callback_model_checkpoint(...)), logs, batches = batches)))
  list(saved = model$saved, out = out)
}

test_that("checkpoints are named by epoch and metrics", {
  stub_model_functions()
  folder <- file.path(tempfile(), "new")
  r <- checkpoints(file.path(folder, "m-{epoch:02d}-{val_loss:.2f}"), logs = list(val_loss = c(0.126, 1)))
  expect_identical(r$saved, c("model m-01-0.13", "model m-02-1.00"))
  expect_true(dir.exists(folder))
  r <- checkpoints(file.path(folder, "w"), save_weights_only = TRUE, verbose = 1, logs = list(val_loss = 1))
  expect_identical(r, list(saved = "weights w", out = paste0("Epoch 1: saving model to ", file.path(folder, "w"))))
  expect_identical(checkpoints("{epoch}", period = 2, logs = list(loss = 1:5))$saved, c("model 2", "model 4"))
})

test_that("only better ones are saved if so wished", {
  stub_model_functions()
  r <- checkpoints("{epoch}", save_best_only = TRUE, verbose = 1, logs = list(val_loss = c(3, NaN, 2, 2, 1)))
  expect_identical(r$saved, c("model 1", "model 3", "model 5"))
  expect_identical(r$out[1:3], c("Epoch 1: val_loss improved from Inf to 3.00000, saving model to 1",
    "Epoch 2: val_loss did not improve from 3.00000",
    "Epoch 3: val_loss improved from 3.00000 to 2.00000, saving model to 3"))
  expect_identical(checkpoints("{epoch}", "val_accuracy", save_best_only = TRUE,
    logs = list(val_accuracy = c(3, 2, 4)))$saved, c("model 1", "model 3"))
})

test_that("batches can be counted across epochs", {
  stub_model_functions()
  r <- checkpoints("{epoch}-{batch:03d}", save_freq = 3, logs = list(loss = 1:3), batches = 4)
  expect_identical(r$saved, c("model 1-003", "model 2-002", "model 3-001", "model 3-004"))
})

test_that("templates are Python's for numbers", {
  fill <- function(template) fill_template(template, list(epoch = 7, val_loss = 0.123456, big = 2^40))
  expect_identical(fill("plain"), "plain")
  expect_identical(fill("{epoch}-{epoch:d}-{epoch:03d}-{epoch:3d}-{epoch:+d}-{epoch:04}"), "7-7-007-  7-+7-0007")
  expect_identical(fill("{val_loss}-{val_loss:.2f}-{val_loss:08.3f}-{val_loss:.1e}-{val_loss:.3g}-{val_loss:.2}"),
    "0.123456-0.12-0000.123-1.2e-01-0.123-0.12")
  expect_identical(fill("{{epoch}}{big:d}"), "{epoch}1099511627776")
  bad <- function(template, message) expect_error(fill(template), message, fixed = TRUE,
    class = "nativenet_error_value")
  bad("{acc:.2f}", "`filepath` is \"{acc:.2f}\": there is no `acc`, but `epoch`, `val_loss`, `big`")
  bad("{epoch:>3}", "`{epoch:>3}` is no field with a format")
  bad("{val_loss:02d}", "wants a whole number, but `val_loss` is 0.123456")
  bad("{epoch", "`{` is no field")
  bad("{}", "there is no ``")
})

test_that("a checkpoint saves only what is better than its threshold", {
  path <- tempfile()
  run <- function(threshold) {
    model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
    model |> compile("sgd", "mse")
    model |> fit(matrix(1:4), 1:4, epochs = 1, verbose = 0, callbacks = callback_model_checkpoint(path,
      monitor = "loss", save_best_only = TRUE, initial_value_threshold = threshold))
    file.exists(path)
  }
  expect_false(run(-1))
  expect_true(run(1e9))
})
