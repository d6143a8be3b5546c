# Einsum layers against plain R; spectral normalization; pipelines.

test_that("products by letters, with biases and activations", {
  set.seed(1)
  x <- array(rnorm(24), c(2, 3, 4))
  layer <- layer_einsum_dense(equation = "abc,cd->abd", output_shape = c(NA, 5), bias_axes = "d", activation = "tanh",
    bias_initializer = "ones", dtype = "float64")
  y <- as.array(layer(x))
  w <- get_weights(layer)
  expect_identical(lapply(w, dim), list(c(4L, 5L), 5L))
  expect_equal(y[2, , ], tanh(x[2, , ] %*% w[[1]] + 1), tolerance = 1e-12)
  swapped <- layer_einsum_dense(equation = "abc,bd->adc", output_shape = c(5, 4), dtype = "float64")
  y <- as.array(swapped(x))
  expect_equal(y[1, , ], t(get_weights(swapped)[[1]]) %*% x[1, , ], tolerance = 1e-12)
  heads <- layer_einsum_dense(equation = "...x,xhy->...hy", output_shape = c(2, 3), bias_axes = "hy")
  expect_identical(dim(heads(x)), c(2L, 3L, 2L, 3L))
  expect_identical(lapply(get_weights(heads), dim), list(c(4L, 2L, 3L), c(2L, 3L)))
  ends <- layer_einsum_dense(equation = "ab...,bc->ac...", output_shape = 6, bias_axes = "c")
  expect_identical(dim(ends(x)), c(2L, 6L, 4L))
  expect_identical(dim(get_weights(ends)[[2]]), c(6L, 1L))
  # as a dense layer
  dense <- layer_dense(units = 3)
  same <- layer_einsum_dense(equation = "ab,bc->ac", output_shape = 3, bias_axes = "c")
  flat <- matrix(x, 6)
  dense(flat)
  same(flat)
  set_weights(same, get_weights(dense))
  expect_equal(as.array(same(flat)), as.array(dense(flat)), tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = c(3, 4)) |> layer_einsum_dense("abc,cd->abd", c(NA, 2), bias_axes = "d")
  model |> compile("adam", "mse")
  losses <- fit(model, x, x[, , 1:2], epochs = 20, verbose = 0)$metrics$loss
  expect_lt(losses[20], losses[1])
  expect_identical(predict(unserialize_model(serialize_model(model)), x), predict(model, x))
  expect_identical(predict({
    again <- model_from_json(model_to_json(model))
    set_weights(again, get_weights(model))
    again
  }, x), predict(model, x))
  expect_error(layer_einsum_dense(x, "abc,cd", 2), "`equation`")
  expect_error(layer_einsum_dense(x, "abc,cd->abd", 2), "2 sizes", class = "nativenet_error_shape")
  expect_error(layer_einsum_dense(x, "abc,cd->abd", c(4, 2)), "`output_shape` says", class = "nativenet_error_shape")
  expect_error(layer_einsum_dense(x, "abcd,de->abce", c(NA, NA, 2)), class = "nativenet_error_shape")
  expect_error(layer_einsum_dense(x, "abc,cd->abd", c(NA, 2), bias_axes = "z"), "`bias_axes`")
})

test_that("kernels are divided by their largest singular value", {
  set.seed(2)
  x <- matrix(rnorm(12), 4)
  layer <- layer_spectral_normalization(layer = layer_dense(units = 5, dtype = "float64"), power_iterations = 60,
    dtype = "float64")
  layer(x)
  kernel <- function() get_weights(layer)[[2]]
  w <- kernel()
  y <- as.array(layer(x, training = TRUE))
  expect_equal(kernel(), w / svd(w)$d[1], tolerance = 1e-6)
  expect_equal(y, x %*% kernel(), tolerance = 1e-9)
  expect_equal(as.array(layer(x)), y, tolerance = 1e-12)
  # one iteration by hand
  layer <- layer_spectral_normalization(layer = layer_dense(units = 5, dtype = "float64"), dtype = "float64")
  layer(x)
  before <- get_weights(layer)
  layer(x, training = TRUE)
  u <- before[[1]]
  v <- u %*% t(before[[2]])
  v <- v / sqrt(sum(v^2))
  u <- v %*% before[[2]]
  u <- u / sqrt(sum(u^2))
  expect_equal(get_weights(layer)[[1]], u, tolerance = 1e-9)
  expect_equal(kernel(), before[[2]] / c(v %*% before[[2]] %*% t(u)), tolerance = 1e-9)
  model <- keras_model_sequential(input_shape = c(4, 4, 1)) |> layer_spectral_normalization(layer_conv_2d(filters = 2,
    kernel_size = 2), power_iterations = 5) |> layer_flatten() |> layer_dense(1)
  model |> compile(optimizer_sgd(0), "mse")
  pictures <- array(rnorm(80), c(5, 4, 4, 1))
  fit(model, pictures, 1:5, epochs = 10, batch_size = 5, verbose = 0)
  expect_equal(svd(matrix(get_weights(model)[[2]], 4))$d[1], 1, tolerance = 1e-3)
  expect_identical(predict(unserialize_model(serialize_model(model)), pictures), predict(model, pictures))
  expect_error(layer_spectral_normalization(x, layer_flatten()), "no kernel")
  expect_error(layer_spectral_normalization(x, 3), "`layer`")
})

test_that("a pipeline runs its layers one after the other", {
  x <- array(1:48 + 0, c(2, 4, 3, 2))
  layer <- layer_pipeline(list(layer_random_flip(mode = "horizontal"), layer_rescaling(scale = 0.5)), name = "augment")
  y <- as.array(layer(x))
  for (i in 1:2) expect_true(identical(y[i, , , ], x[i, , , ] / 2) || identical(y[i, , , ], x[i, , 3:1, ] / 2))
  expect_identical(as.array(layer(x, training = FALSE)), x / 2)
  model <- keras_model_sequential(input_shape = c(4, 3, 2)) |> layer() |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  fit(model, x / 50, 1:2, epochs = 1, verbose = 0)
  expect_identical(predict(unserialize_model(serialize_model(model)), x), predict(model, x))
  expect_error(layer_pipeline(list()), "`layers`")
  expect_error(layer_pipeline(list(3)), "`layers`")
})
