# Pooling layers. The formulas of windows stand in helper-op-window.R.

pool_layers <- list(
  list(layer_max_pooling_1d, max, c(2, 7, 3)), list(layer_average_pooling_1d, mean, c(2, 7, 3)),
  list(layer_max_pooling_2d, max, c(2, 7, 6, 3)), list(layer_average_pooling_2d, mean, c(2, 7, 6, 3)),
  list(layer_max_pooling_3d, max, c(1, 5, 4, 6, 2)), list(layer_average_pooling_3d, mean, c(1, 5, 4, 6, 2))
)

test_that("pooling layers compute their formula, whatever the window, strides, padding and data format", {
  for (p in pool_layers) {
    x <- some(p[[3]])
    n <- length(dim(x)) - 2
    of <- function(...) pool_reference(function(v, x) p[[2]](v), ...)
    expect_equal(as.array(p[[1]](x, dtype = "float64")), of(rep(2, n), rep(2, n), "valid")(x), tolerance = 1e-12)
    expect_equal(as.array(p[[1]](x, 3, 1, "same", dtype = "float64")), of(rep(3, n), rep(1, n), "same")(x),
      tolerance = 1e-12)
    first <- c(1, n + 2, 1 + seq_len(n))
    y <- p[[1]](aperm(x, first), 2, strides = 3, data_format = "channels_first", dtype = "float64")
    expect_equal(as.array(y), aperm(of(rep(2, n), rep(3, n), "valid")(x), first), tolerance = 1e-12)
  }
})

test_that("global pooling layers reduce all spatial axes", {
  x <- some(c(2, 3, 4, 5, 6))
  over <- function(f, x) apply(x, c(1, length(dim(x))), f)
  layers <- list(
    list(layer_global_average_pooling_1d, mean, x[, , 1, 1, ]), list(layer_global_max_pooling_1d, max, x[, , 1, 1, ]),
    list(layer_global_average_pooling_2d, mean, x[, , , 1, ]), list(layer_global_max_pooling_2d, max, x[, , , 1, ]),
    list(layer_global_average_pooling_3d, mean, x), list(layer_global_max_pooling_3d, max, x)
  )
  for (l in layers) {
    n <- length(dim(l[[3]])) - 2
    expected <- over(l[[2]], l[[3]])
    expect_equal(as.array(l[[1]](l[[3]], dtype = "float64")), expected, tolerance = 1e-12)
    kept <- as.array(l[[1]](l[[3]], keepdims = TRUE, dtype = "float64"))
    expect_equal(kept, array(expected, c(2, rep(1, n), 6)), tolerance = 1e-12)
    first <- aperm(l[[3]], c(1, n + 2, 1 + seq_len(n)))
    expect_equal(as.array(l[[1]](first, data_format = "channels_first", dtype = "float64")), expected,
      tolerance = 1e-12)
  }
})

test_that("the global mean of a sequence counts real steps only", {
  x <- some(c(3, 4, 2))
  mask <- rbind(c(TRUE, TRUE, FALSE, FALSE), c(TRUE, FALSE, TRUE, TRUE), FALSE)
  x[3, 1, 1] <- NaN # a step that is not real
  expected <- rbind(colMeans(x[1, 1:2, ]), colMeans(x[2, c(1, 3, 4), ]), 0)
  layer <- layer_global_average_pooling_1d(dtype = "float64")
  expect_equal(as.array(layer(x, mask = mask)), expected, tolerance = 1e-12)
  first <- layer_global_average_pooling_1d(data_format = "channels_first", keepdims = TRUE, dtype = "float64")
  expect_equal(as.array(first(aperm(x, c(1, 3, 2)), mask = mask)), array(expected, c(3, 2, 1)), tolerance = 1e-12)
  # from an embedding, in a model for sequences of any length
  set.seed(1)
  model <- keras_model_sequential() |> layer_embedding(5, 2, mask_zero = TRUE) |> layer_global_average_pooling_1d()
  tokens <- rbind(c(1, 2, 0), c(3, 0, 0))
  table <- get_weights(model)[[1]]
  expect_equal(predict(model, tokens), rbind((table[2, ] + table[3, ]) / 2, table[4, ]), tolerance = 1e-6)
})

test_that("models with pooling layers are summarised, saved, cloned and trained as others are", {
  set.seed(1)
  build <- function() keras_model_sequential(input_shape = c(8, 8, 1)) |>
    layer_max_pooling_2d(pool_size = 2, padding = "same") |>
    layer_average_pooling_2d(pool_size = c(2, 1), strides = 1) |>
    layer_global_average_pooling_2d(keepdims = TRUE) |>
    layer_flatten() |>
    layer_dense(1)
  model <- build()
  shapes <- lapply(model$layers, function(l) l$output_shape)
  expect_identical(shapes[1:3], list(c(NA, 4L, 4L, 1L), c(NA, 3L, 4L, 1L), c(NA, 1L, 1L, 1L)))
  expect_match(model$layers[[1]]$name, "^max_pooling2d")
  expect_match(model$layers[[3]]$name, "^global_average_pooling2d")
  expect_output(print(model), "MaxPooling2D", fixed = TRUE)
  x <- some(c(20, 8, 8, 1))
  y <- apply(x, 1, mean)
  compile(model, optimizer_adam(0.01), "mse")
  history <- fit(model, x, y, epochs = 20, batch_size = 7, verbose = 0)
  expect_lt(utils::tail(history$metrics$loss, 1), history$metrics$loss[1])
  path <- file.path(tempdir(), "pooling.model")
  save_model(model, path)
  expect_identical(predict(load_model(path), x), predict(model, x))
  copy <- clone_model(model)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))
})

test_that("sizes that are not known stay so", {
  input <- layer_input(c(NA, NA, 3))
  pooled <- layer_max_pooling_2d(input)
  expect_identical(dim(pooled), c(NA, NA, NA, 3L))
  model <- keras_model(input, layer_global_max_pooling_2d(pooled))
  for (n in c(6, 9)) {
    x <- some(c(2, n, n + 1, 3))
    expect_equal(predict(model, x), apply(x[, seq_len(n %/% 2 * 2), seq_len((n + 1) %/% 2 * 2), ], c(1, 4), max),
      tolerance = 1e-6)
  }
  expect_identical(dim(layer_lambda(layer_input(c(NA, 2)), function(x) x[, 2:dim(x)[2], ])), c(NA, NA, 2L))
})

test_that("pooling layers refuse what does not fit, in words", {
  expect_refusal(layer_max_pooling_2d(array(0, c(2, 8, 8))), "shape", "`max_pooling2d",
    "(batch, rows, columns, channels)", "(None, 8, 8)", "layer_reshape()")
  expect_refusal(layer_global_max_pooling_1d(matrix(0, 2, 2), data_format = "channels_first"), "shape",
    "(batch, channels, steps)")
  expect_refusal(keras_model_sequential(input_shape = c(3, 3, 1)) |> layer_max_pooling_2d(pool_size = 4), "shape",
    "window of 4 does not fit into an axis of 3", "None")
  expect_refusal(layer_max_pooling_1d(pool_size = c(2, 2)), "value", "`layer_max_pooling_1d()`", "`pool_size`",
    "one number, not 2")
  expect_refusal(layer_average_pooling_3d(strides = 0), "value", "`strides`", "at least 1")
  expect_refusal(layer_average_pooling_1d(padding = "causal"), "value", "`padding`")
  expect_refusal(layer_global_average_pooling_3d(data_format = "last"), "value", "`data_format`")
})
