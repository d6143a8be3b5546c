test_that("a schedule sets the learning rate before each epoch and logs it", {
  model <- fake_model(0.1)
  seen <- NULL
  history <- train(model, callback_learning_rate_scheduler(function(epoch, lr) {
    seen <<- c(seen, epoch)
    if (epoch < 2) lr else lr / 2
  }), loss = 1:4)
  expect_equal(history$lr, c(0.1, 0.1, 0.05, 0.025))
  expect_identical(seen, as.numeric(0:3))
  expect_equal(train(fake_model(), callback_learning_rate_scheduler(function(epoch) 1 / (1 + epoch)), loss = 1:2)$lr,
    c(1, 0.5))
  expect_identical(capture.output(train(fake_model(), callback_learning_rate_scheduler(function(epoch) 0.5,
    verbose = 1), loss = 1)),
    "Epoch 1: LearningRateScheduler setting learning rate to 0.5.")
  expect_error(train(fake_model(), callback_learning_rate_scheduler(function(epoch, lr) "slow"), loss = 1),
    "`callback_learning_rate_scheduler()`: `schedule(epoch, lr)` must be a number at least 0, not \"slow\"",
    fixed = TRUE)
})

test_that("optimizers take the learning rate", {
  model <- fake_model()
  model$optimizer <- optimizer_adam(0.01)
  history <- train(model, list(callback_learning_rate_scheduler(function(epoch, lr) lr * 2),
    callback_reduce_lr_on_plateau("loss", patience = 1)), loss = c(1, 1))
  expect_equal(history$lr, c(0.02, 0.04))
  expect_equal(as.double(model$optimizer$learning_rate), 0.004)
})

test_that("the csv log has the metrics sorted, and what other callbacks add", {
  path <- tempfile()
  rate <- callback_learning_rate_scheduler(function(epoch) 0.125)
  log <- callback_csv_logger(path)
  train(fake_model(), list(rate, log), val_loss = c(0.5, NaN), loss = c(1 / 3, 1e-10))
  expect_identical(readLines(path), c("epoch,loss,lr,val_loss", "0,0.3333333333333333,0.125,0.5", "1,1e-10,0.125,NaN"))
  # anew, then appended
  train(fake_model(), log, loss = 1)
  expect_identical(readLines(path), c("epoch,loss", "0,1"))
  train(fake_model(), callback_csv_logger(path, append = TRUE), loss = 2)
  expect_identical(readLines(path), c("epoch,loss", "0,1", "0,2"))
  train(fake_model(), callback_csv_logger(path, separator = ";"), loss = 2)
  expect_identical(readLines(path), c("epoch;loss", "0;2"))
  # a metric that is missing later
  log$on_train_begin(list())
  log$on_epoch_end(0, list(loss = 1, val_loss = 2))
  log$on_epoch_end(1, list(loss = 1))
  expect_identical(readLines(path)[3], "1,1,NA")
  expect_error(train(fake_model(), callback_csv_logger(file.path(path, "x")), loss = 1), "cannot write",
    class = "nativenet_error_file")
  if (full_disk_there()) expect_error(train(fake_model(), callback_csv_logger("/dev/full"), loss = 1),
    "cannot write", class = "nativenet_error_file")
})

test_that("a loss that is no number ends training at the batch", {
  for (bad in c(NaN, Inf)) {
    model <- fake_model()
    out <- capture.output(history <- train(model, callback_terminate_on_naan(), loss = c(1, bad, 2), batches = 3))
    expect_identical(out, "Batch 0: Invalid loss, terminating training")
    expect_length(history$loss, 2)
  }
  expect_identical(callback_terminate_on_nan, callback_terminate_on_naan)
})

test_that("what is not needed says so and does nothing", {
  expect_message(callback <- callback_progbar_logger(), "ignored")
  expect_length(train(fake_model(), callback, loss = 1:2)$loss, 2)
})
