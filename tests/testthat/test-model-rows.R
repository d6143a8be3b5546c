set.seed(140)
net <- function(units = 3, ...) {
  set.seed(141)
  keras_model_sequential(...) |> layer_dense(units)
}

test_that("rows of R arrays of all kinds are those of tensors of the same numbers", {
  model <- net(input_shape = 70)
  doubles <- matrix(rnorm(133 * 70), 133)
  whole <- matrix(sample(0:255, 133 * 70, TRUE), 133)
  for (x in list(doubles, whole, whole > 100, matrix(as.raw(whole), 133), doubles[1, , drop = FALSE])) {
    expected <- predict(model, tensor(x, "float32"))
    for (batch in c(1, 7, 32, 200)) expect_identical(predict(model, x, batch_size = batch), expected)
  }
  expect_type(expected, "double")
})

test_that("rows of arrays of several axes are gathered in the engine's order", {
  x <- array(rnorm(40 * 3 * 4 * 5), c(40, 3, 4, 5))
  model <- keras_model_sequential(input_shape = c(3, 4, 5)) |> layer_flatten()
  expect_equal(predict(model, x, batch_size = 9), t(apply(x, 1, function(row) as.vector(aperm(row)))), tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = c(3, 4, 5)) |> layer_activation("linear")
  expect_equal(predict(model, x, batch_size = 9), x, tolerance = 1e-6)
})

test_that("outputs of whole numbers stay such, in batches of any size", {
  x <- matrix(rnorm(50 * 6), 50)
  model <- keras_model_sequential(input_shape = 6) |> layer_lambda(function(x) op_argmax(x, 2))
  expect_identical(as.vector(predict(model, x, batch_size = 7)), apply(x, 1, which.max) - 1L)
})

test_that("prediction and evaluation make no copy of their arrays", {
  model <- net(2, input_shape = 500)
  compile(model, "sgd", "mse")
  x <- matrix(rnorm(4000 * 500), 4000)
  y <- matrix(rnorm(8000), 4000)
  predict(model, x[1:40, ])
  evaluate(model, x[1:40, ], y[1:40, ])
  megabytes <- function(expr) {
    before <- gc(reset = TRUE)[2, 2]
    force(expr)
    gc()[2, 6] - before
  }
  expect_lt(megabytes(predict(model, x)), 4) # as float32 they take 8, and so do rows of doubles
  expect_lt(megabytes(evaluate(model, x, y)), 4)
})

test_that("the parts of validation_split are the rows before and after", {
  x <- matrix(rnorm(60 * 4), 60)
  y <- rnorm(60)
  trained <- function(...) {
    model <- net(1, input_shape = 4)
    compile(model, "sgd", "mse")
    set.seed(1)
    history <- fit(model, ..., epochs = 3, batch_size = 16, verbose = 0)
    list(history$metrics, lapply(get_weights(model), as.vector))
  }
  expect_identical(trained(x, y, validation_split = 0.25),
    trained(x[1:45, ], y[1:45], validation_data = list(x[46:60, ], y[46:60])))
})

test_that("a label out of range is told of the rows that are trained on", {
  x <- matrix(rnorm(40), 20)
  y <- rep(0:1, 10)
  y[20] <- 9L
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = "softmax")
  compile(model, "sgd", "sparse_categorical_crossentropy")
  expect_error(suppressWarnings(fit(model, x, y, validation_split = 0.1, epochs = 1, verbose = 0)), "the label 9",
    class = "nativenet_error_index")
  y[1] <- 7L
  expect_error(suppressWarnings(fit(model, x, y, validation_split = 0.1, epochs = 1, verbose = 0)), "the label 7",
    class = "nativenet_error_index")
})

# ---- the memory that fit() uses again ----

memory <- function() session$rows
addresses <- function() lapply(.Call(C_weak_value, memory()), function(t) if (!is.null(t)) t)

test_that("the next call of fit() uses the memory of the last, with the numbers that the arrays have then", {
  y <- rnorm(64)
  x <- matrix(rnorm(64 * 5), 64)
  weights <- function(model) lapply(get_weights(model), as.vector)
  train <- function(model, x) {
    set.seed(2)
    fit(model, x, y, epochs = 2, verbose = 0)
    model
  }
  fresh <- function(...) {
    session$rows <- NULL
    model <- net(1, input_shape = 5)
    compile(model, "sgd", "mse")
    for (x in list(...)) train(model, x)
    weights(model)
  }
  other <- x
  other[7, 3] <- 100
  expected <- fresh(x, other, x)
  session$rows <- NULL
  model <- net(1, input_shape = 5)
  compile(model, "sgd", "mse")
  train(model, x)
  first <- addresses()
  x2 <- x
  x[7, 3] <- 100
  train(model, x)
  expect_identical(addresses(), first)
  train(model, x2)
  expect_identical(addresses(), first)
  expect_identical(weights(model), expected)
  fit(model, x[1:20, ], y[1:20], epochs = 1, verbose = 0)
  expect_identical(dim(addresses()[[1]]), c(20L, 5L))
})

test_that("tensors of the user's are not written to, nor data of a call that is still at work", {
  x <- matrix(rnorm(30 * 4), 30)
  y <- matrix(rnorm(30))
  model <- net(1, input_shape = 4)
  compile(model, "sgd", "mse")
  own <- tensor(x, "float32")
  fit(model, own, tensor(y, "float32"), epochs = 1, verbose = 0)
  fit(model, x + 1, y, epochs = 1, verbose = 0)
  expect_identical(as.array(own), as.array(tensor(x, "float32")))
  within <- function(inner) {
    outer <- net(1, input_shape = 4)
    compile(outer, "sgd", "mse")
    other <- net(1, input_shape = 4)
    compile(other, "sgd", "mse")
    nested <- new_callback_class("Nested",
      on_epoch_begin = function(epoch, logs = NULL) if (inner) fit(other, x * 1000, y, epochs = 1, verbose = 0))
    set.seed(3)
    fit(outer, x, y, epochs = 3, shuffle = FALSE, verbose = 0, callbacks = nested())
    lapply(get_weights(outer), as.vector)
  }
  expect_identical(within(TRUE), within(FALSE))
})

test_that("the memory goes with the model, is not saved with it, and an error leaves none that is in use", {
  x <- matrix(rnorm(30 * 40), 30)
  model <- net(1, input_shape = 40)
  compile(model, "sgd", "mse")
  fit(model, x, rnorm(30), epochs = 1, verbose = 0)
  expect_false(is.null(addresses()[[1]]))
  expect_lt(length(serialize(model, NULL)), length(serialize(net(1, input_shape = 40), NULL)) + 4 * length(x))
  model <- NULL
  gc()
  gc()
  expect_null(.Call(C_weak_value, memory()))
})

test_that("a target that is the input is converted once", {
  x <- matrix(rnorm(30 * 4), 30)
  model <- net(4, input_shape = 4)
  compile(model, "sgd", "mse")
  fit(model, x, x, epochs = 1, verbose = 0)
  expect_null(.Call(C_weak_value, memory())[[2]])
})

test_that("models of many inputs, outputs and metrics train, evaluate and predict", {
  n <- 40
  inputs <- lapply(seq_len(n), function(k) layer_input(1, name = paste0("in", k)))
  joined <- layer_concatenate(inputs)
  outputs <- lapply(seq_len(n), function(k) layer_dense(joined, 1, name = paste0("out", k)))
  model <- keras_model(inputs, outputs)
  several <- c(list(rep(c("mae", "mse"), length.out = 11)), rep(list("mae"), n - 1))
  compile(model, "sgd", "mse", metrics = stats::setNames(several, paste0("out", seq_len(n))))
  x <- lapply(seq_len(n), function(k) matrix(rnorm(20)))
  y <- lapply(seq_len(n), function(k) matrix(rnorm(20)))
  history <- fit(model, x, y, epochs = 2, batch_size = 8, verbose = 0)
  expect_lt(history$metrics$loss[2], history$metrics$loss[1])
  scores <- evaluate(model, x, y)
  expect_length(scores, 1 + n + 50)
  predictions <- predict(model, x)
  expect_length(predictions, n)
  expect_equal(scores[["out40_mae"]], mean(abs(predictions[[40]] - y[[40]])), tolerance = 1e-5)
  expect_equal(predict(model, tensor_slices_dataset(x) |> dataset_batch(6))[[40]], predictions[[40]])
})
