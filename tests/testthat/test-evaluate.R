set.seed(74)
x <- matrix(rnorm(50 * 4), 50)
y <- as.numeric(x[, 1] + 0.5 * rnorm(50) > 0)
batches <- function(size = 8) tensor_slices_dataset(list(x, matrix(y))) |> dataset_batch(size)
compiled <- function(...) {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(6, activation = "tanh") |> layer_dropout(0.5) |>
    layer_dense(1, activation = "sigmoid")
  model |> compile("adam", "binary_crossentropy", ...)
}

test_that("predictions are the same in batches of any size", {
  model <- compiled()
  p <- predict(model, x)
  for (size in c(1, 7, 32, 50, 1000)) expect_identical(predict(model, x, batch_size = size), p)
  expect_identical(predict(model, batches(7)), p)
  expect_identical(predict_on_batch(model, x), p)
  expect_identical(predict(model, x[1, , drop = FALSE]), p[1, , drop = FALSE])
  expect_identical(dim(predict(model, batches(), steps = 2)), c(16L, 1L))
  at <- 0
  generator <- function() x[(at <<- at + 1) * 10 - 9:0, ]
  expect_identical(predict(model, generator, steps = 5), p)
  expect_error(predict(model, generator), "`steps` must be given")
})

test_that("scores are means over the rows, whatever the batches, and over the weights", {
  in_float64(model <- compiled(metrics = list("accuracy", metric_auc(), "mae")))
  p <- predict(model, x)[, 1]
  losses <- -y * log(p) - (1 - y) * log(1 - p)
  for (size in c(1, 7, 50)) {
    scores <- evaluate(model, x, y, batch_size = size)
    expect_equal(c(scores$loss, scores$accuracy, scores$mae), c(mean(losses), mean((p > 0.5) == y), mean(abs(p - y))),
      tolerance = 1e-12)
  }
  # 200 thresholds make the area of an AUC coarse
  expect_equal(scores$auc, mean(outer(p[y == 1], p[y == 0], ">")), tolerance = 0.02)
  w <- runif(50)
  for (weights in list(w, matrix(w), tensor(w))) expect_equal(evaluate(model, x, y, sample_weight = weights,
    batch_size = 7)$loss, mean(w * losses), tolerance = 1e-6)
  weighted <- tensor_slices_dataset(list(x, matrix(y), w)) |> dataset_batch(8)
  expect_equal(evaluate(model, weighted)$loss, mean(w * losses), tolerance = 1e-6)
  expect_equal(evaluate(model, batches(), steps = 2)$loss, mean(losses[1:16]), tolerance = 1e-6)
})

test_that("looking leaves R's generator and the weights alone", {
  model <- compiled()
  before <- get_weights(model)
  set.seed(1)
  seed <- .Random.seed
  evaluate(model, x, y)
  predict(model, x)
  test_on_batch(model, x, y)
  predict_on_batch(model, x)
  evaluate(model, batches())
  predict(model, dataset_map(batches(), function(x, y) x))
  expect_identical(.Random.seed, seed)
  expect_identical(get_weights(model), before)
  expect_equal(as.double(model$optimizer$iterations), 0)
})

test_that("train_on_batch() is an epoch of one batch", {
  one <- compiled(metrics = "accuracy")
  other <- clone_model(one)
  other |> compile("adam", "binary_crossentropy", metrics = "accuracy")
  set_weights(other, get_weights(one))
  set.seed(2)
  scores <- train_on_batch(one, x, y)
  set.seed(2)
  history <- other |> fit(x, y, epochs = 1, batch_size = 50, shuffle = FALSE, verbose = 0)
  expect_identical(get_weights(one), get_weights(other))
  expect_equal(unlist(history$metrics), unclass(scores))
  expect_equal(test_on_batch(one, x, y), evaluate(one, x, y, batch_size = 50))
})

test_that("callbacks hear of tests and predictions", {
  model <- compiled()
  heard <- c()
  note <- function(what) function(...) heard <<- c(heard, what)
  number <- function(what) function(batch, logs) heard <<- c(heard, paste0(what, batch))
  listen <- callback_lambda(
    on_test_begin = note("t"), on_test_end = note("T"), on_predict_begin = note("p"), on_predict_end = note("P"),
    on_test_batch_begin = number("b"), on_test_batch_end = number("e"), on_predict_batch_begin = number("b"),
    on_predict_batch_end = number("e")
  )
  batch_words <- c("b0", "e0", "b1", "e1")
  for (data in list(x, tensor_slices_dataset(x) |> dataset_batch(25))) {
    heard <- c()
    predict(model, data, batch_size = if (is.matrix(data)) 25, callbacks = listen)
    expect_identical(heard, c("p", batch_words, "P"))
  }
  heard <- c()
  evaluate(model, x, y, batch_size = 25, callbacks = listen)
  expect_identical(heard, c("t", batch_words, "T"))
  heard <- c()
  evaluate(model, batches(25), callbacks = listen)
  expect_identical(heard, c("t", batch_words, "T"))
  heard <- c()
  train <- callback_lambda(on_train_batch_begin = number("b"), on_train_batch_end = number("e"),
    on_test_begin = note("t"))
  model |> fit(batches(25), epochs = 1, verbose = 0, validation_data = list(x, y), callbacks = train)
  expect_identical(heard, c(batch_words, "t"))
})

test_that("what is printed", {
  model <- compiled()
  expect_match(capture.output(evaluate(model, x, y, verbose = 2))[1], "^2/2 - 0s \\d+[um]?s/step - loss: \\d[.]\\d{4}$")
  expect_match(capture.output(evaluate(model, x, y, verbose = 1))[1], "^2/2 \\[=+\\] - ")
  expect_length(capture.output(invisible(predict(model, x))), 0)
  expect_match(capture.output(invisible(predict(model, x, verbose = 1))), "^2/2 \\[=+\\] - ")
  expect_error(predict(model, x, verbose = 7), "`predict()`: `verbose` must be", fixed = TRUE)
})

test_that("what cannot be done is said in words", {
  model <- compiled()
  expect_error(evaluate(model, x), "`evaluate()`: `y` must be given", fixed = TRUE, class = "nativenet_error_value")
  for (odd in list(as_iterator(batches()), list2env(list(`__getitem__` = function(i) list(x, y)))))
    expect_error(fit(model, odd, verbose = 0), "data set or a generator.*not an object of class", class =
      "nativenet_error_value")
  expect_error(evaluate(model, batches(), y), "`y` must not be given")
  expect_error(evaluate(model, batches(), batch_size = 3), "`batch_size` must not be given")
  expect_error(evaluate(model, batches(), sample_weight = y), "`sample_weight` must not be given")
  expect_error(evaluate(model, dataset_repeat(batches())), "`evaluate()`: `steps` must be given", fixed = TRUE)
  expect_error(fit(model, x, y, validation_data = dataset_repeat(batches()), verbose = 0),
    "`validation_steps` must be given")
  expect_error(predict(model, x, batchsize = 2), "`predict()`: unused argument `batchsize`; did you mean `batch_size`?",
    fixed = TRUE)
  expect_error(evaluate(model, x, y, foo = 2), "`evaluate()`: unused argument `foo`", fixed = TRUE)
  expect_error(fit(model, x, y, epohs = 2), "`fit()`: unused argument `epohs`; did you mean `epochs`?", fixed = TRUE)
  expect_warning(evaluate(model, batches(), steps = 20), "ended after 7 of 20", class = "nativenet_warning_data")
  own <- function(y_true, y_pred) "none"
  model |> compile("sgd", own)
  expect_error(evaluate(model, x, y), class = "nativenet_error_value")
})

test_that("an output that does not have one row for each row of the batch is refused", {
  summed <- keras_model_sequential(input_shape = 2) |>
    layer_lambda(function(x) op_sum(x, axis = 1, keepdims = TRUE))
  for (rows in c(2, 5)) expect_error(predict(summed, matrix(1, rows, 2), batch_size = 2), "one row for each row",
    class = "nativenet_error_shape")
})

test_that("predict() of a data set gives the rows of the array, whoever makes the batches", {
  set.seed(8)
  x <- matrix(rnorm(107 * 4), 107)
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(3)
  known <- predict(model, x)
  rows <- tensor_slices_dataset(x)
  expect_identical(predict(model, dataset_batch(rows, 10)), known)
  expect_identical(predict(model, dataset_batch(tensor_slices_dataset(list(x, 1:107)), 10)), known)
  expect_identical(predict(model, dataset_batch(dataset_map(rows, function(x) list(x)), 10)), known)
  expect_identical(predict(model, dataset_batch(dataset_filter(rows, function(x) op_sum(x) > 0), 10)),
    known[rowSums(x) > 0, ])
  expect_identical(predict(model, dataset_batch(dataset_repeat(rows), 60), steps = 2), known[c(1:107, 1:13), ])
  expect_warning(few <- predict(model, dataset_batch(rows, 60), steps = 3), "the data ended after 2 of 3 steps",
    class = "nativenet_warning_data")
  expect_identical(few, known)
  seen <- integer()
  watch <- callback_lambda(on_predict_batch_end = function(batch, logs) seen <<- c(seen, batch))
  expect_identical(predict(model, dataset_batch(rows, 25), callbacks = list(watch)), known)
  expect_identical(seen, 0:4 + 0)
  two <- keras_model(model$inputs, list(model$outputs[[1]], layer_lambda(model$outputs[[1]], function(y) y > 0)))
  expect_identical(predict(two, dataset_batch(rows, 10)), predict(two, x))
  expect_error(predict(model, dataset_batch(dataset_repeat(rows), 10)), "`steps` must be given",
    class = "nativenet_error_value")
  expect_error(predict(model, dataset_batch(rows, 10), batch_size = 5), "`batch_size` must not be given",
    class = "nativenet_error_value")
})

test_that("a layer that samples draws anew in each call, as set.seed() says", {
  input <- layer_input(3)
  model <- keras_model(input, layer_lambda(input, function(x) x + k_random_normal(k_shape(x))))
  x <- matrix(0, 5, 3)
  set.seed(9)
  first <- predict(model, x, batch_size = 2)
  expect_false(any(first == predict(model, x, batch_size = 2)))
  set.seed(9)
  expect_identical(predict(model, x, batch_size = 2), first)
  plain <- keras_model_sequential(input_shape = 3) |> layer_dropout(0.5) |> layer_dense(1)
  before <- .Random.seed
  predict(plain, x)
  expect_identical(.Random.seed, before) # where nothing is drawn, R's generator stays where it is
})

test_that("scores come as lists where they are wanted", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  compile(model, "sgd", "mse", metrics = list(metric_mean_absolute_error(name = NULL)))
  x <- diag(2)
  scores <- evaluate(model, x, 1:2, verbose = 0)
  expect_identical(names(scores), c("loss", "mean_absolute_error"))
  expect_identical(evaluate(model, x, 1:2, verbose = 0, return_dict = TRUE), as.list(unclass(scores)))
  expect_type(model$test_on_batch(x, 1:2, return_dict = TRUE), "list")
  expect_type(train_on_batch(model, x, 1:2, reset_metrics = TRUE, return_dict = TRUE), "list")
  expect_refusal(train_on_batch(model, x, 1:2, reset_metrics = FALSE), "value", "`reset_metrics` must be TRUE")
})
