# Normalization layers. The formula of all of them stands in helper-op-normalize.R.

test_that("values and gradients are PyTorch's", {
  # of x[n, h, c] = sin(7 n + 3 h + 2 c), scale 1 + c / 10 and offset 0.5 - c / 10: sum(y cos(0, 1, 2 ...)), and its
  # gradients, weighed by cos(1, 2, 3 ...), row by row: batch_norm(), layer_norm(), group_norm(3 groups)
  x <- array(sin(outer(outer(7 * 0:3, 3 * 0:4, "+"), 2 * 0:5, "+")), c(4, 5, 6))
  expected <- list(
    c(-0.5921508363961365, 57.005212492736895, -1.8685398737992247, -5.175157631064145),
    c(-0.5412377393363013, 56.91234168575785, -1.3694474139292163, -5.175157631064144),
    c(2.943733939314683, 18.57290964507012, -0.951965626998276, -5.175157631064146)
  )
  layers <- list(layer_batch_normalization(dtype = "float64"), layer_layer_normalization(dtype = "float64"),
    layer_group_normalization(groups = 3, dtype = "float64"))
  weigh <- function(g) sum(row_major(as.array(g)) * cos(seq_len(length(g))))
  for (k in 1:3) {
    layers[[k]](x)
    set_weights(layers[[k]], c(list(1 + 0:5 / 10, 0.5 - 0:5 / 10), list(rep(0, 6), rep(1, 6))[k == 1]))
    inputs <- c(list(tensor(x)), layers[[k]]$trainable_weights)
    with(gradient_tape() %as% tape, {
      tape_watch(tape, inputs[[1]])
      y <- layers[[k]](inputs[[1]], training = TRUE)
      total <- op_sum(y * from_row_major(cos(seq_len(length(x)) - 1), dim(x)))
    })
    found <- c(as.array(total), vapply(tape$gradient(total, inputs), weigh, 0))
    expect_equal(found, expected[[k]], tolerance = 1e-10)
  }
})

test_that("batch normalization takes the batch's statistics in training and the moving ones in inference", {
  x <- some(c(5, 4, 3))
  layer <- layer_batch_normalization(momentum = 0.9, epsilon = 0.01, dtype = "float64", moving_mean_initializer =
    initializer_constant(0.5))
  by <- function(x, mean, variance) (x - rep(mean, each = 20)) / sqrt(rep(variance, each = 20) + 0.01)
  expect_equal(as.array(layer(x)), by(x, rep(0.5, 3), rep(1, 3)), tolerance = 1e-12)
  mean <- apply(x, 3, mean)
  variance <- apply(x, 3, function(v) mean((v - mean(v))^2))
  expect_equal(as.array(layer(x, training = TRUE)), by(x, mean, variance), tolerance = 1e-12)
  moving <- layer$get_weights()[3:4]
  expect_equal(lapply(moving, c), list(0.9 * 0.5 + 0.1 * mean, 0.9 + 0.1 * variance), tolerance = 1e-12)
  expect_equal(as.array(layer(x)), by(x, c(moving[[1]]), c(moving[[2]])), tolerance = 1e-12)
  expect_identical(sub(".*/", "", vapply(layer$weights, nativenet:::variable_name, "")),
    paste0(c("gamma", "beta", "moving_mean", "moving_variance"), ":0"))
  bare <- layer_batch_normalization(scale = FALSE, center = FALSE, dtype = "float64")
  expect_equal(as.array(bare(x, training = TRUE)), by(x, mean, variance + 0.001 - 0.01), tolerance = 1e-12)
  expect_length(bare$weights, 2)
  expect_length(bare$trainable_weights, 0)
})

test_that("after 100 steps of fit() the moving averages are Keras' formula's", {
  set.seed(1)
  x <- cbind(rnorm(320, 3), rnorm(320, -100, 10), runif(320))
  model <- keras_model_sequential(input_shape = 3) |> layer_batch_normalization() |> layer_dense(1)
  compile(model, optimizer_sgd(1e-4), "mse")
  fit(model, x, x[, 3], epochs = 10, batch_size = 32, shuffle = FALSE, verbose = 0)
  moving <- list(rep(0, 3), rep(1, 3))
  for (epoch in 1:10) for (i in split(1:320, rep(1:10, each = 32))) {
    mean <- colMeans(x[i, ])
    now <- list(mean, colMeans((x[i, ] - rep(mean, each = 32))^2))
    for (k in 1:2) moving[[k]] <- moving[[k]] - (moving[[k]] - now[[k]]) * (1 - 0.99)
  }
  expect_equal(lapply(get_weights(model)[3:4], c), moving, tolerance = 1e-6)
})

test_that("any axes may be those of the channels, or be normalized together", {
  x <- some(c(4, 3, 5, 2))
  of <- function(keep, x) { # batch normalization of each index along these axes
    mean <- apply(x, keep, mean)
    sweep(sweep(x, keep, mean), keep, sqrt(apply(x, keep, function(v) mean((v - mean(v))^2)) + 0.001), "/")
  }
  for (axis in list(2, 3, -1, c(2, 4), c(-1, 3), 2:4)) {
    keep <- sort(ifelse(axis < 0, 5 + axis, axis))
    layer <- layer_batch_normalization(axis = axis, dtype = "float64")
    expect_equal(as.array(layer(x, training = TRUE)), of(keep, x), tolerance = 1e-10)
    expect_identical(dim(layer$weights[[1]]), dim(x)[keep])
    expect_equal(as.array(layer$weights[[3]]), 0.01 * array(apply(x, keep, mean), dim(x)[keep]), tolerance = 1e-10)
    expect_equal(as.array(layer_layer_normalization(x, axis = axis, dtype = "float64")),
      of(setdiff(1:4, keep), x), tolerance = 1e-10)
  }
  first <- layer_group_normalization(aperm(x, c(1, 4, 2, 3)), groups = 1, axis = 2, dtype = "float64")
  expect_equal(as.array(first), aperm(of(1, x), c(1, 4, 2, 3)), tolerance = 1e-10)
  expect_equal(as.array(layer_group_normalization(x, groups = -1, dtype = "float64")), of(c(1, 4), x),
    tolerance = 1e-10)
  expect_equal(as.array(layer_unit_normalization(x, axis = c(2, 3), dtype = "float64")),
    sweep(x, c(1, 4), sqrt(apply(x^2, c(1, 4), sum)), "/"), tolerance = 1e-12)
})

test_that("frozen batch normalization behaves as in inference while the rest is trained", {
  set.seed(2)
  x <- matrix(rnorm(60, 5), 20)
  y <- rowSums(x)
  kept_by <- function(model, layer) {
    before <- layer$get_weights()
    compile(model, optimizer_sgd(0.01), "mse")
    fit(model, x, y, epochs = 1, batch_size = 20, verbose = 0)
    identical(layer$get_weights(), before)
  }
  build <- function() keras_model_sequential(input_shape = 3) |> layer_batch_normalization() |> layer_dense(1)
  model <- build()
  expect_false(kept_by(model, model$layers[[1]]))
  model$layers[[1]]$trainable <- FALSE
  expect_true(kept_by(model, model$layers[[1]]))
  # the loss of a step is that of the moving averages
  expect_equal(evaluate(model, x, y, verbose = 0)[[1]],
    fit(model, x, y, epochs = 1, batch_size = 20, verbose = 0)$metrics$loss, tolerance = 1e-5)
  freeze <- build()
  freeze_weights(freeze, to = 1)
  expect_true(kept_by(freeze, freeze$layers[[1]]))
  inner <- build()
  inner$trainable <- FALSE
  input <- layer_input(3)
  outer <- keras_model(input, layer_dense(inner(input), 1))
  expect_true(kept_by(outer, inner$layers[[1]]))
  unfreeze_weights(inner)
  expect_false(kept_by(outer, inner$layers[[1]]))
  alone <- layer_batch_normalization(trainable = FALSE)
  expect_equal(as.array(alone(x, training = TRUE)), x / sqrt(1.001), tolerance = 1e-6)
})

test_that("fit(), tapes and compiled steps train batch normalization alike", {
  set.seed(3)
  x <- matrix(rnorm(48 * 4, 2, 3), 48)
  y <- x %*% c(1, -2, 3, 0.5)
  build <- function() in_float64({
    set.seed(4)
    keras_model_sequential(input_shape = 4) |>
      layer_dense(5, activation = "tanh") |>
      layer_batch_normalization() |> layer_dense(1)
  })
  batches <- split(1:48, rep(1:3, each = 16))
  model <- build()
  compile(model, optimizer_sgd(0.01), "mse")
  fit(model, x, y, epochs = 2, batch_size = 16, shuffle = FALSE, verbose = 0)
  by_steps <- function(compiled) {
    own <- build()
    weights <- own$trainable_weights
    sgd <- optimizer_sgd(0.01)
    step <- function(x, y) {
      with(tf$GradientTape() %as% tape, loss <- op_mean(op_square(own(x, training = TRUE) - y)))
      sgd$apply_gradients(zip_lists(tape$gradient(loss, weights), weights))
      loss
    }
    if (compiled) step <- autograph(step)
    for (epoch in 1:2) for (i in batches) step(tensor(x[i, ]), tensor(y[i, , drop = FALSE]))
    get_weights(own)
  }
  expect_equal(by_steps(FALSE), get_weights(model), tolerance = 1e-10)
  expect_equal(by_steps(TRUE), get_weights(model), tolerance = 1e-10)
})

test_that("normalization layers are summarised, saved, cloned and masked as others are", {
  input <- layer_input(c(6, 4))
  output <- input |> layer_masking() |> layer_batch_normalization(axis = 3) |> layer_layer_normalization() |>
    layer_group_normalization(groups = 2) |> layer_unit_normalization() |> layer_lstm(2)
  model <- keras_model(input, output)
  expect_output(print(model), "Non-trainable params: 8", fixed = TRUE)
  x <- some(c(6, 6, 4))
  x[1, 3:6, ] <- 0
  compile(model, "adam", "mse")
  fit(model, x, matrix(0.1, 6, 2), epochs = 2, verbose = 0)
  path <- file.path(tempdir(), "normal.model")
  save_model(model, path)
  back <- load_model(path)
  expect_identical(predict(back, x), predict(model, x))
  expect_identical(count_params(back), count_params(model))
  for (m in list(back, model)) fit(m, x, matrix(0.1, 6, 2), epochs = 1, shuffle = FALSE, verbose = 0)
  expect_identical(get_weights(back), get_weights(model))
  copy <- clone_model(model)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))
  # masked steps are skipped by what follows
  other <- x
  other[1, 3:6, ] <- 0
  expect_identical(predict(model, other)[1, ], predict(model, x)[1, ])
})

test_that("regularizers, constraints and initializers of gamma and beta are heard", {
  layer <- layer_batch_normalization(gamma_initializer = initializer_constant(2), beta_initializer =
    initializer_constant(3), moving_variance_initializer = initializer_constant(4), gamma_regularizer =
    regularizer_l2(0.1), beta_constraint = constraint_nonneg())
  model <- keras_model_sequential(input_shape = 2) |> layer()
  expect_identical(lapply(get_weights(model), c), list(c(2, 2), c(3, 3), c(0, 0), c(4, 4)))
  compile(model, optimizer_sgd(0), "mse")
  x <- matrix(0, 4, 2)
  expect_equal(evaluate(model, x, x + 3, verbose = 0)[[1]], 0.1 * 8, tolerance = 1e-6)
  expect_error(keras_model_sequential(list(layer_batch_normalization(beta_initializer = NULL))), "beta_initializer",
    class = "nativenet_error")
})

test_that("statistics of large numbers keep their digits, and one thread or two give the same bits", {
  set.seed(5)
  x <- array(rnorm(3000 * 37, 1e4), c(30, 100, 37))
  exact <- as.array(tensor(x, "float32"))
  variance <- apply(exact, 3, function(v) mean((v - mean(v))^2))
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      found <- op_standardize(tensor(x, "float32"))
      expect_lt(relative_error(as.array(found$variance), variance), 1e-6)
      expect_lt(relative_error(as.array(found$mean), apply(exact, 3, mean)), 1e-7)
      rows <- op_standardize(tensor(x, "float32"), leading = 1, groups = 1)
      expect_lt(relative_error(c(as.array(rows$variance)), apply(exact, 1, function(v) mean((v - mean(v))^2))), 1e-6)
    })
  }
  f <- function(...) {
    inputs <- list(tensor(x, "float32"), tensor(array(seq_len(37) / 10, 37), "float32"),
      tensor(array(1:37 + 0, 37), "float32"))
    tape <- gradient_tape()
    for (t in inputs) tape_watch(tape, t)
    y <- tape_record(tape, op_square(op_standardize(inputs[[1]], inputs[[2]], inputs[[3]], ...)[[1]]))
    lapply(c(list(y), tape_gradient(tape, y, inputs)), as.array)
  }
  for (own in list(list(), list(leading = 1), list(leading = 2, groups = 1), list(leading = 1, groups = 37)))
    expect_identical(with_threads(2, do.call(f, own), 15000), with_threads(1, do.call(f, own), 15000))
})

test_that("TensorFlow's and Keras' names", {
  x <- some(c(4, 3))
  mean <- c(0.5, -1, 0.25)
  variance <- c(1, 2, 0.5)
  expected <- t((t(x) - mean) / sqrt(variance + 0.01))
  expect_equal(as.array(tf$nn$batch_normalization(x, mean, variance, NULL, NULL, 0.01)), expected, tolerance = 1e-6)
  expect_equal(as.array(tf$nn$batch_normalization(x, mean, variance, 1:3, c(2, 2, 2), 0.01)),
    2 * expected + rep(1:3, each = 4), tolerance = 1e-6)
  across <- matrix(c(1, 2, 3, 4))
  expect_equal(as.array(tf$nn$batch_normalization(x, across, across, NULL, 2, 0.01)),
    2 * (x - c(across)) / sqrt(c(across) + 0.01), tolerance = 1e-6)
  expect_equal(as.array(k_batch_normalization(x, mean, variance, c(0, 0, 0), c(1, 1, 1), epsilon = 0.01)), expected,
    tolerance = 1e-6)
  found <- k_normalize_batch_in_training(x, c(1, 1, 1), c(0, 0, 0), 1)
  of <- normalize_reference(0, NULL, 0.001)(x)
  for (k in 1:3) expect_equal(as.array(found[[k]]), of[[k]], tolerance = 1e-6)
})

test_that("what does not fit is refused in words", {
  x <- matrix(1, 2, 6)
  expect_refusal(layer_batch_normalization(x, axis = 3), "shape", "`axis` must name axes 2 .. 2", "(2, 6)")
  expect_refusal(layer_batch_normalization(x, axis = 1), "shape", "`axis`")
  expect_refusal(layer_layer_normalization(array(1, c(2, 3, 4)), axis = c(2, -2)), "shape", "each once")
  expect_refusal(layer_batch_normalization(axis = 0), "value", "`layer_batch_normalization()`", "`axis`")
  expect_refusal(layer_batch_normalization(epsilon = 0), "value", "`epsilon`", "above 0")
  expect_refusal(layer_batch_normalization(momentum = 2), "value", "`momentum`")
  expect_refusal(layer_group_normalization(x, groups = 4), "shape", "`groups` must divide the 6 channels")
  expect_refusal(layer_group_normalization(groups = 0), "value", "`groups`")
  expect_refusal(layer_group_normalization(axis = 2:3), "value", "one axis")
  layer <- layer_batch_normalization()
  layer(x)
  expect_refusal(layer(matrix(1, 2, 5)), "shape", "was built for inputs of shape (None, 6), not (None, 5)")
  expect_refusal(keras_model_sequential(input_shape = c(3, NA)) |> layer_batch_normalization(), "shape",
    "needs to know the size of `axis`")
  expect_refusal(op_standardize(x, scale = c(1, 2)), "shape", "`op_standardize()`", "`scale` must have the shape (6)")
  expect_refusal(op_standardize(x, groups = 4), "value", "must divide")
  expect_refusal(op_standardize(x, leading = 2), "value", "`op_standardize()`")
  expect_refusal(op_standardize(x, mean = rep(0, 6)), "value", "both, or none")
})

test_that("rows are divided by the root of their mean square; a layer that does nothing", {
  x <- matrix(c(3, 4, 0, 1), 2)
  layer <- layer_rms_normalization(epsilon = 0.5, dtype = "float64")
  expect_equal(as.array(layer(x)), x / sqrt(rowMeans(x^2) + 0.5), tolerance = 1e-12)
  set_weights(layer, list(c(2, -1)))
  expect_equal(as.array(layer(x)), sweep(x / sqrt(rowMeans(x^2) + 0.5), 2, c(2, -1), "*"), tolerance = 1e-12)
  y <- array(c(1, -2, 3, 0.5, 2, 4, 1, -1), c(2, 2, 2))
  expect_equal(as.array(layer_rms_normalization(y, axis = c(2, 3), dtype = "float64")),
    y / sqrt(apply(y^2, 1, mean) + 1e-6), tolerance = 1e-12)
  expect_equal(as.array(layer_identity(x)), x)
  expect_identical(get_config(layer_identity(name = "same"))$name, "same")
  expect_identical(loss_cosine_proximity(), loss_cosine_similarity())
})

test_that("variances of float32 far from 0 keep their digits, of rows and of columns", {
  set.seed(1)
  x <- as.array(tensor(1e6 + matrix(rnorm(4 * 300), 4), "float32")) # spaced by 1 / 16
  variance <- apply(x, 1, function(v) mean((v - mean(v))^2))
  rows <- op_standardize(tensor(x, "float32"), leading = 1, groups = 1)[[3]]
  columns <- op_standardize(tensor(t(x), "float32"))[[3]]
  for (found in list(rows, columns)) expect_equal(c(as.array(found)), variance, tolerance = 1e-6)
})
