test_that("spatial dropout drops whole channels, and scales the others", {
  set.seed(1)
  x <- array(2, c(300, 3, 4, 5))
  check <- function(y, places, channels) {
    expect_setequal(unique(as.vector(y)), c(0, 2 / 0.6))
    one <- apply(y, c(1, channels), function(v) v[1])
    for (i in places) expect_identical(apply(y, c(1, channels), function(v) v[length(v)]), one)
    expect_lt(abs(mean(one == 0) - 0.4), 5 * sqrt(0.24 / length(one))) # five standard deviations
  }
  y <- as.array(layer_spatial_dropout_2d(rate = 0.4, dtype = "float64")(x, training = TRUE))
  check(y, 2:3, 4)
  first <- layer_spatial_dropout_2d(rate = 0.4, data_format = "channels_first", dtype = "float64")
  check(as.array(first(x, training = TRUE)), 3:4, 2)
  check(as.array(layer_spatial_dropout_1d(rate = 0.4, dtype = "float64")(x[, , , 1], training = TRUE)), 2, 3)
  deep <- layer_spatial_dropout_3d(rate = 0.4, dtype = "float64")
  check(as.array(deep(array(2, c(300, 2, 2, 2, 5)), training = TRUE)), 2:4, 5)
  expect_identical(as.array(deep(array(2, c(3, 2, 2, 2, 5)))), array(2, c(3, 2, 2, 2, 5)))
  expect_identical(as.array(layer_spatial_dropout_1d(rate = 1)(x[, , , 1], training = TRUE)), x[, , , 1] * 0)
  expect_error(layer_spatial_dropout_1d(x, 0.5), "needs an input of 3 axes, not (None, 3, 4, 5)", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(layer_spatial_dropout_2d(rate = 2), "`rate` must be a number at least 0 and at most 1",
    class = "nativenet_error_value")
  expect_error(layer_spatial_dropout_3d(rate = 0.2, data_format = "first"), "`data_format` must be one of",
    class = "nativenet_error_value")
})

test_that("alpha dropout keeps mean and variance, and sets what it drops to one value", {
  set.seed(2)
  x <- matrix(rnorm(2e5), 400)
  for (rate in c(0.05, 0.3)) {
    y <- as.array(layer_alpha_dropout(rate = rate, dtype = "float64")(x, training = TRUE))
    expect_lt(abs(mean(y)), 5 * sqrt(2 / 2e5))
    expect_lt(abs(sd(y) - 1), 0.02)
    low <- -1.6732632423543772 * 1.0507009873554805
    a <- 1 / sqrt((1 - rate) * (1 + rate * low^2))
    b <- -a * low * rate
    dropped <- abs(y - (a * low + b)) < 1e-12
    expect_lt(abs(mean(dropped) - rate), 5 * sqrt(rate / 2e5))
    expect_equal(y[!dropped], (a * x + b)[!dropped], tolerance = 1e-12)
  }
  expect_equal(as.array(layer_alpha_dropout(rate = 0.4)(x)), x, tolerance = 1e-6)
  rows <- as.array(layer_alpha_dropout(rate = 0.5, noise_shape = c(NA, 1))(x * 0 + 1, training = TRUE))
  expect_true(all(rows == rows[, 1]))
  expect_error(layer_alpha_dropout(rate = 1), "`rate` must be a number at least 0 and below 1",
    class = "nativenet_error_value")
})

test_that("activity regularization adds its penalty, per row, and passes its input on", {
  x <- matrix(c(1, -2, 3, 0.5), 2)
  model <- keras_model_sequential(input_shape = 2) |> layer_activity_regularization(l1 = 0.1, l2 = 0.01) |>
    layer_dense(1, kernel_initializer = "zeros")
  model |> compile("sgd", "mse")
  expect_equal(evaluate(model, x, c(0, 0), verbose = 0)[["loss"]], (0.1 * sum(abs(x)) + 0.01 * sum(x^2)) / 2,
    tolerance = 1e-6)
  expect_identical(as.array(layer_activity_regularization(x, l1 = 1)), x)
  again <- unserialize_model(serialize_model(model))
  expect_equal(evaluate(again, x, c(0, 0), verbose = 0), evaluate(model, x, c(0, 0), verbose = 0))
  expect_error(layer_activity_regularization(l1 = -1), "`l1` must be a number at least 0",
    class = "nativenet_error_value")
  plain <- keras_model_sequential(input_shape = 2) |> layer_activity_regularization()
  expect_equal(predict(plain, x), x, tolerance = 1e-6)
})
