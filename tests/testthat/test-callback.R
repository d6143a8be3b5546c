test_that("callbacks come alone, in lists, as lists of functions, environments and R6 objects", {
  f <- function(epoch, logs) NULL
  one <- callback_lambda(on_epoch_end = function(epoch, logs) 1)
  expect_identical(as_callbacks(NULL), list())
  expect_identical(as_callbacks(one), list(one))
  expect_identical(as_callbacks(list(a = one, b = one)), list(one, one))
  plain <- as_callbacks(list(on_epoch_end = f))
  expect_length(plain, 1)
  expect_s3_class(plain[[1]], "nn_callback")
  expect_length(as_callbacks(list(one, list(on_epoch_begin = f, other = 1))), 2)
  e <- new.env()
  e$on_epoch_end <- f
  expect_identical(as_callbacks(e), list(e))
})

test_that("anything else is refused in words", {
  fit <- function(callbacks) as_callbacks(callbacks)
  bad <- function(x, message) expect_error(fit(x), message, fixed = TRUE, class = "nativenet_error_value")
  bad(callback_early_stopping,
    paste0("`fit()`: `callbacks` must be callbacks, as `callback_early_stopping()` makes them, not a function; is a ",
      "pair of parentheses missing?"))
  bad("early_stopping", "not \"early_stopping\"")
  bad(list(1), "not 1")
  bad(new.env(), "not an object without a function `on_train_begin`")
  bad(list(list(a = 1)), "not a list without a function")
  bad(list(on_epoch_end = 1), "`on_epoch_end` must be a function, not 1")
  skip_if_not_installed("R6")
  bad(R6::R6Class("Mine"), "not the class itself; `Mine$new()` makes an object of it")
})

test_that("hooks are called with what they ask for, under both names, in order", {
  seen <- character()
  note <- function(...) seen <<- c(seen, paste(...))
  callbacks <- as_callbacks(list(
    callback_lambda(on_epoch_begin = function(epoch, logs) note("a begin", epoch), on_batch_end = function(batch)
      note("a batch", batch), on_train_end = function() note("a end")),
    list(on_train_batch_end = function(batch, logs) note("b batch", batch, logs$loss), on_train_begin = function(logs)
      note("b", length(logs))),
    list(on_epoch_end = function(...) note("c", ..1, ..2$loss))
  ))
  model <- fake_model()
  train(model, callbacks, loss = c(0.5, 0.25), batches = 2)
  expect_identical(seen, c("b 0", "a begin 0", "a batch 0", "b batch 0 0.5", "a batch 1", "b batch 1 0.5", "c 0 0.5",
    "a begin 1", "a batch 0", "b batch 0 0.25", "a batch 1", "b batch 1 0.25", "c 1 0.25", "a end"))
  expect_identical(callbacks[[1]]$model, model)
  alone <- callback_early_stopping()
  callback_set(alone, model, list())
  expect_identical(alone$model, model)
  expect_identical(callbacks[[3]]$params, list(epochs = 2L, steps = 2))
})

test_that("it is known whether batches are asked for", {
  quiet <- list(callback_early_stopping(), callback_lambda(on_epoch_end = function(...) 1), callback_csv_logger("x"),
    callback_model_checkpoint("x"))
  expect_false(wants_batches(quiet))
  expect_false(wants_batches(list()))
  expect_true(wants_batches(c(quiet, callback_terminate_on_naan())))
  expect_true(wants_batches(list(callback_lambda(on_batch_begin = function(batch, logs) 1))))
  expect_true(wants_batches(list(callback_model_checkpoint("x", save_freq = 3))))
  expect_false(wants_batches(list(callback_terminate_on_naan()), "test"))
  expect_true(wants_batches(list(callback_lambda(on_test_batch_end = function(batch, logs) 1)), "test"))
  # a function that does nothing is none
  expect_false(wants_batches(list(callback_lambda(on_batch_begin = function(batch, logs) NULL))))
})

test_that("classes of one's own have fields, arguments and `self`; training stops when they say so", {
  recorder <- new_callback_class("recorder",
    losses = NULL,
    initialize = function(limit) self$limit <- limit,
    on_epoch_end = function(epoch, logs) {
      super$on_epoch_end(epoch, logs)
      self$losses <- c(self$losses, logs$loss)
      if (logs$loss < self$limit) self$model$stop_training <- TRUE
    },
    public = list(count = function() length(self$losses))
  )
  a <- recorder(0.3)
  b <- recorder(limit = 0)
  history <- train(fake_model(), list(a, b), loss = c(0.5, 0.25, 0.1))
  expect_identical(a$losses, c(0.5, 0.25))
  expect_identical(a$losses, history$loss)
  expect_identical(a$count(), 2L)
  train(fake_model(), b, loss = 1)
  expect_identical(b$losses, c(0.5, 0.25, 1))
  expect_identical(a$losses, c(0.5, 0.25))
  expect_error(new_callback_class("x", function(epoch) 1), "must be named", class = "nativenet_error_value")
  expect_error(new_callback_class("x")(1), "`x()`: takes no arguments", fixed = TRUE)
})

test_that("R6 classes inherit from KerasCallback, or from nothing", {
  skip_if_not_installed("R6")
  history <- R6::R6Class("LossHistory", inherit = KerasCallback, public = list(
    losses = NULL,
    on_epoch_end = function(epoch, logs = list()) {
      super$on_epoch_end(epoch, logs)
      self$losses <- c(self$losses, logs[["loss"]])
      if (epoch == 1) self$model$stop_training <- TRUE
    }
  ))
  mine <- history$new()
  own <- R6::R6Class("Own", public = list(n = 0, on_epoch_begin = function(epoch) self$n <- self$n + 1))$new()
  model <- fake_model()
  train(model, list(mine, own), loss = c(3, 2, 1))
  expect_identical(mine$losses, c(3, 2))
  expect_identical(mine$model, model)
  expect_identical(own$n, 2)
  expect_false(wants_batches(as_callbacks(mine)))
})

test_that("the package does not load R6 before it is wanted", {
  skip_if_not_installed("callr")
  skip_if_not_installed("R6")
  expect_identical(callr::r(function() {
    library(nativenet)
    before <- "R6" %in% loadedNamespaces()
    c(before, inherits(KerasCallback, "R6ClassGenerator"))
  }), c(FALSE, TRUE))
})

test_that("lambda refuses what is no hook", {
  expect_error(callback_lambda(on_epoch_ends = identity),
    "there is no hook `on_epoch_ends`; did you mean `on_epoch_begin` or `on_epoch_end`", fixed = TRUE)
  expect_error(callback_lambda(on_epoch_end = 3), "`callback_lambda()`: `on_epoch_end` must be a function, not 3",
    fixed = TRUE)
})

test_that("callbacks print in a line and can be saved", {
  expect_output(print(callback_early_stopping(patience = 3)),
    "<callback early_stopping> monitor = \"val_loss\", patience = 3", fixed = TRUE)
  expect_output(print(callback_lambda(on_epoch_end = function(...) 1)), "<callback lambda> on_epoch_end", fixed = TRUE)
  copy <- unserialize(serialize(callback_early_stopping(patience = 3), NULL))
  stub_model_functions()
  model <- fake_model()
  train(model, copy, val_loss = c(1, 2, 3, 4, 5, 6))
  expect_identical(copy$stopped_epoch, 3)
})

test_that("an error in a hook comes through as it is", {
  expect_error(train(fake_model(), list(on_epoch_end = function(epoch, logs) stop("my own words")), loss = 1),
    "^my own words$")
})

test_that("logs that a callback returns reach the next ones and the history, as in keras3", {
  seen <- NULL
  adds <- callback_lambda(on_epoch_end = function(epoch, logs) c(logs, list(mine = epoch + 0.5, other = tensor(2))))
  sees <- callback_lambda(on_epoch_end = function(epoch, logs) {
    seen <<- logs$mine
    list(1, 2) # without names, and not numbers: no logs
  })
  words <- callback_lambda(on_epoch_end = function(epoch, logs) list(text = "a", numbers = 1:2))
  best <- NULL
  assigns <- callback_lambda(on_epoch_end = function(epoch, logs) best <<- list(loss = -1))
  second <- callback_lambda(on_epoch_end = function(epoch, logs) if (epoch == 1) list(late = 7))
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  compile(model, "sgd", "mse")
  history <- fit(model, matrix(0, 4, 2), numeric(4), epochs = 2, callbacks = list(adds, sees, words, assigns,
    second), verbose = 0)
  expect_identical(history$metrics$mine, c(0.5, 1.5))
  expect_identical(history$metrics$other, c(2, 2))
  expect_identical(seen, 1.5)
  expect_identical(history$metrics$late, c(NA, 7))
  expect_true(all(history$metrics$loss >= 0)) # an assignment is no answer
  expect_identical(sort(names(history$metrics)), c("late", "loss", "mine", "other"))
})
