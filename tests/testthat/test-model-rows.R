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
  model <- keras_model_sequential(input_shape = 6) |> layer_lambda(function(x) op_argmax(x, 2, zero_indexed = TRUE))
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

test_that("an autoencoder, whose target is its input, uses the memory of the last call, too", {
  x <- matrix(rnorm(30 * 4), 30)
  model <- net(4, input_shape = 4)
  compile(model, "sgd", "mse")
  fit(model, x, x, epochs = 1, verbose = 0)
  first <- addresses()
  expect_identical(lengths(lapply(first, dim)), c(2L, 0L)) # one tensor for both
  fit(model, x + 1, x + 1, epochs = 1, verbose = 0)
  expect_identical(addresses(), first)
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
  x <- matrix(rnorm(300 * 40), 300)
  model <- net(1, input_shape = 40)
  compile(model, "sgd", "mse")
  fit(model, x, rnorm(300), epochs = 1, verbose = 0)
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

# ---- data sets whose batches the engine takes by itself ----

watching <- function() callback_lambda(on_train_batch_end = function(batch, logs = NULL) invisible(),
  on_test_batch_end = function(batch, logs = NULL) invisible())

#' Another value for a name of the package, while expr is evaluated.
with_value <- function(name, value, expr) {
  home <- asNamespace("nativenet")
  put <- function(value) {
    unlockBinding(name, home)
    assign(name, value, envir = home)
    lockBinding(name, home)
  }
  before <- get(name, envir = home)
  on.exit(put(before))
  put(value)
  expr
}

#' What training on a data set gives, with and without somebody who wants to hear of each batch, for whom R goes on
#' from batch to batch; and how many batches R looked at.
both_ways <- function(data, build = function() net(1, input_shape = 4), ..., epochs = 3, loss = "mse",
  optimizer = "adam") {
  looked <- 0
  own <- batch_data
  counting <- function(...) {
    looked <<- looked + 1
    own(...)
  }
  with_value("batch_data", counting, lapply(list(native = NULL, r = watching()), function(callback) {
    looked <<- 0
    model <- build()
    compile(model, if (is.function(optimizer)) optimizer() else optimizer, loss, metrics = "mae")
    set.seed(4)
    history <- fit(model, data(), epochs = epochs, verbose = 0, callbacks = callback, ...)
    scores <- evaluate(model, data(), callbacks = callback, steps = list(...)$steps_per_epoch)
    list(result = list(history$metrics, unclass(scores), lapply(get_weights(model), as.vector)), looked = looked)
  }))
}

test_that("training and evaluation on native data sets go on in C, with the same numbers as from R", {
  x <- matrix(rnorm(75 * 4), 75)
  y <- rnorm(75)
  whole <- matrix(sample(0:255, 75 * 4, TRUE), 75)
  slices <- function(x) tensor_slices_dataset(list(x, y))
  dropping <- function() {
    set.seed(142)
    keras_model_sequential(input_shape = 4) |> layer_dropout(0.3) |> layer_dense(1)
  }
  kinds <- list(
    function() slices(x) |> dataset_shuffle(75) |> dataset_batch(16),
    function() slices(whole) |> dataset_map(function(x, y) list(x / 255, y * 2)) |> dataset_batch(16),
    function() slices(whole) |> dataset_batch(16, drop_remainder = TRUE) |> dataset_prefetch(2),
    function() slices(whole > 99) |> dataset_shuffle(9) |> dataset_repeat(2) |> dataset_batch(16),
    function() slices(x) |> dataset_filter(function(x, y) x[1] > 0) |> dataset_batch(4),
    function() tensor_slices_dataset(list(tensor(whole, "int64"), tensor(y, "float32"))) |> dataset_batch(16)
  )
  for (data in kinds) {
    ways <- both_ways(data, dropping)
    expect_identical(ways$native$result, ways$r$result)
    expect_identical(ways$native$looked, 2) # the first batch of fit() and of evaluate()
    expect_gt(ways$r$looked, 8)
  }
})

test_that("steps per epoch and schedules count batches that the engine takes, too", {
  x <- matrix(rnorm(40 * 4), 40)
  y <- rnorm(40)
  endless <- function() tensor_slices_dataset(list(x, y)) |> dataset_repeat() |> dataset_batch(6)
  decaying <- function() optimizer_sgd(learning_rate_schedule_exponential_decay(0.1, 3, 0.5))
  ways <- both_ways(endless, steps_per_epoch = 7, optimizer = decaying)
  expect_identical(ways$native$result, ways$r$result)
  expect_identical(ways$native$looked, 2)
  few <- with_value("most_native", 3, both_ways(endless, steps_per_epoch = 7, optimizer = decaying))
  expect_identical(few$native$result, ways$r$result)
  model <- net(1, input_shape = 4)
  compile(model, "sgd", "mse")
  short <- tensor_slices_dataset(list(x, y)) |> dataset_batch(6)
  for (epochs in 1:2) expect_warning(fit(model, short, steps_per_epoch = 9, epochs = 1, verbose = 0),
    "ended after 7 of 9 steps", class = "nativenet_warning_data")
})

test_that("a model that was traced for one number of rows takes the remainder from the engine's batches", {
  by_rows <- function(y, p) op_mean(op_square(op_subtract(y, p))) * as.integer(nrow(p))
  x <- matrix(rnorm(38 * 4), 38)
  y <- rnorm(38)
  data <- function() tensor_slices_dataset(list(x, y)) |> dataset_repeat(2) |> dataset_batch(8)
  ways <- both_ways(data, loss = by_rows)
  expect_identical(ways$native$result, ways$r$result)
})

test_that("several inputs and outputs are told by name in the engine's batches", {
  build <- function() {
    set.seed(143)
    a <- layer_input(3, name = "a")
    b <- layer_input(1, name = "b")
    joined <- layer_concatenate(list(a, b))
    keras_model(list(a, b), list(layer_dense(joined, 2, name = "p"), layer_dense(joined, 1, name = "q")))
  }
  part <- function(n) matrix(rnorm(30 * n), 30)
  x <- list(b = rnorm(30), a = part(3))
  y <- list(q = rnorm(30), p = part(2))
  ways <- both_ways(function() tensor_slices_dataset(list(x, y)) |> dataset_batch(8), build)
  expect_identical(ways$native$result, ways$r$result)
  expect_identical(ways$native$looked, 2)
})

test_that("what R must look at in each batch is left to R", {
  x <- matrix(rnorm(40 * 4), 40, dimnames = list(NULL, letters[1:4]))
  y <- rnorm(40)
  weighted <- function() tensor_slices_dataset(list(x, y, runif(40))) |> dataset_batch(8)
  expect_gt(both_ways(weighted)$native$looked, 2)
  # the model knows the columns in another order
  model <- net(1, input_shape = 4)
  compile(model, "sgd", "mse")
  fit(model, x, y, epochs = 1, verbose = 0)
  expected <- evaluate(model, x, y)
  expect_equal(evaluate(model, tensor_slices_dataset(list(x[, 4:1], y)) |> dataset_batch(8)), expected,
    tolerance = 1e-6)
})

test_that("errors in batches that the engine takes say what they say in R", {
  x <- matrix(rnorm(40 * 4), 40)
  y <- rep(0:1, 20)
  y[35] <- 5L
  data <- tensor_slices_dataset(list(x, y)) |> dataset_batch(8)
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(2, activation = "softmax")
  compile(model, "sgd", "sparse_categorical_crossentropy")
  # the steps before the bad batch have been taken
  four <- function(model, data) {
    model <- clone_with_weights(model)
    fit(model, dataset_take(data, 4), epochs = 1, verbose = 0)
    lapply(get_weights(model), as.vector)
  }
  clone_with_weights <- function(model) {
    other <- clone_model(model)
    set_weights(other, get_weights(model))
    compile(other, "sgd", model$compiled$losses[[1]])
  }
  sound <- four(model, data)
  expect_error(fit(model, data, epochs = 1, verbose = 0), "holds the label 5", class = "nativenet_error_index")
  expect_identical(lapply(get_weights(model), as.vector), sound)
  expect_error(evaluate(model, data), "holds the label 5", class = "nativenet_error_index")
  x[35, 2] <- Inf
  model <- net(1, input_shape = 4)
  compile(model, "sgd", "mse")
  data <- tensor_slices_dataset(list(x, y)) |> dataset_batch(8)
  sound <- four(model, data)
  expect_warning(fit(model, data, epochs = 3, verbose = 0), "no longer a finite number",
    class = "nativenet_warning_nan")
  expect_identical(lapply(get_weights(model), as.vector), sound)
  dividing <- tensor_slices_dataset(list(x, y)) |> dataset_map(function(x, y) list(x, 6L %/% (y - 5L))) |>
    dataset_batch(8)
  expect_error(fit(model, dividing, epochs = 1, verbose = 0), "divided by 0", class = "nativenet_error_value")
})
