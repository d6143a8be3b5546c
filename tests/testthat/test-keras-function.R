# Functions of symbolic tensors.

small_net <- function() {
  set.seed(3)
  keras_model_sequential(input_shape = c(6, 6, 1)) |>
    layer_conv_2d(2, 3, activation = "tanh", name = "maps") |>
    layer_flatten() |>
    layer_dense(3, activation = "softmax", name = "classes")
}

test_that("what a filter answers to: the gradient towards the image", {
  model <- small_net()
  loss <- k_mean(get_layer(model, "maps")$output[, , , 2])
  grads <- k_gradients(loss, model$input)[[1]]
  expect_identical(dim(grads), c(NA, 6L, 6L, 1L))
  grads <- grads / (k_sqrt(k_mean(k_square(grads))) + 1e-5)
  iterate <- k_function(list(model$input), list(loss, grads))
  x <- array(sin(1:36), c(1, 6, 6, 1))
  c(value, gradient) %<-% iterate(list(x))
  w <- get_weights(model)
  answer <- function(x) {
    y <- matrix(0, 4, 4)
    for (i in 1:3) for (j in 1:3) y <- y + x[1, i + 0:3, j + 0:3, 1] * w[[1]][i, j, 1, 2]
    mean(tanh(y + w[[2]][2]))
  }
  expect_equal(value, answer(x), tolerance = 1e-6)
  numeric <- x
  for (i in seq_along(x)) {
    up <- down <- x
    up[i] <- x[i] + 1e-5
    down[i] <- x[i] - 1e-5
    numeric[i] <- (answer(up) - answer(down)) / 2e-5
  }
  expect_equal(gradient, numeric / (sqrt(mean(numeric^2)) + 1e-5), tolerance = 1e-4)
  for (i in 1:20) {
    c(value, gradient) %<-% iterate(list(x))
    x <- x + gradient
  }
  expect_gt(value, 0.5)
})

test_that("where a class stands in an image: gradients towards the maps of a layer", {
  model <- small_net()
  output <- model$output[, 2]
  maps <- get_layer(model, "maps")$output
  grads <- k_gradients(output, maps)[[1]]
  pooled <- k_mean(grads, axis = c(1, 2, 3))
  iterate <- k_function(list(model$input), list(pooled, maps[1, , , ], output))
  x <- array(cos(1:36), c(1, 6, 6, 1))
  c(weights, map, p) %<-% iterate(list(x))
  inner <- keras_model(model$input, maps)
  expect_equal(map, predict(inner, x)[1, , , ], tolerance = 1e-6)
  # p2 of softmax(flat(maps) %*% k + b)
  w <- get_weights(model)
  flat <- c(aperm(map, c(3, 2, 1)))
  z <- c(flat %*% w[[3]]) + w[[4]]
  q <- exp(z) / sum(exp(z))
  expect_equal(c(p), q[2], tolerance = 1e-5)
  towards <- q[2] * (w[[3]][, 2] - c(w[[3]] %*% q))
  expect_equal(c(weights), rowMeans(matrix(towards, 2)), tolerance = 1e-5)
})

test_that("phases, several variables, weights, and words for what is wrong", {
  input <- layer_input(2)
  other <- layer_input(1)
  h <- layer_dropout(layer_dense(input, 3, kernel_initializer = "ones", name = "h"), 0.5)
  y <- k_sum(h)
  kernel <- h$node$layer
  f <- k_function(list(input, k_learning_phase()), y)
  x <- matrix(c(1, 2), 1)
  expect_equal(f(list(x, 0)), 9)
  expect_true(all(vapply(1:20, function(i) f(list(x, 1)), 0) %in% c(0, 6, 12, 18)))
  two <- k_gradients(k_sum(input^2) + k_sum(3 * other), list(input, other))
  both <- k_function(list(input, other), two)
  expect_equal(both(list(x, matrix(1))), list(2 * x, matrix(3)))
  model <- keras_model(input, layer_dense(input, 1))
  weight <- k_gradients(k_sum(model$output), model$trainable_weights)
  expect_equal(k_function(list(input), weight)(list(rbind(x, x))), list(cbind(2 * c(x)), array(2)))
  expect_error(k_gradients(tensor(1), tensor(1)), "GradientTape", class = "nativenet_error_value")
  expect_error(k_gradients(k_sum(other), input), "depends on none", class = "nativenet_error_value")
  expect_error(k_gradients(k_sum(other), 3), "must be symbolic tensors or variables", class = "nativenet_error_value")
  expect_error(f(list(x)), "takes a list of 2 arrays, not of 1", class = "nativenet_error_value")
  expect_error(k_function(list(input), list(y), updates = list(1)), "`updates` must be NULL",
    class = "nativenet_error_value")
  expect_identical(dim(k_placeholder(c(1, 4, NA))), c(1L, 4L, NA))
  expect_identical(dim(k_placeholder(ndim = 2)), c(NA, NA_integer_))
  expect_error(k_placeholder(), "`shape` or `ndim`", class = "nativenet_error_value")
})

test_that("values of the training phase and of the test phase", {
  expect_identical(k_in_train_phase(1, 2), 2)
  expect_identical(k_in_test_phase(function() 1, 2), 1)
  expect_identical(k_in_train_phase(1, function() 2, training = TRUE), 1)
  expect_error(k_in_train_phase(1, 2, training = mean), class = "nativenet_error_value")
  expect_error(k_set_learning_phase("a"), class = "nativenet_error_value")
  k_set_learning_phase(1)
  expect_identical(k_in_train_phase(1, 2), 1)
  expect_identical(k_learning_phase(), 1L)
  k_set_learning_phase(0)
  model <- keras_model_sequential(input_shape = 1) |>
    layer_lambda(function(x) k_in_train_phase(x + 5, x)) |> layer_dense(1, kernel_initializer = "ones")
  compile(model, optimizer_sgd(0), "mse")
  fit(model, matrix(1), 0, epochs = 1, verbose = 0)
  expect_equal(model$history$metrics$loss, 36)
  expect_equal(predict(model, matrix(1)), matrix(1))
})

test_that("both values of a phase are looked at", {
  expect_error(k_in_train_phase("a", 2), "`x`", fixed = TRUE, class = "nativenet_error_value")
  expect_error(k_in_test_phase(1, function(x) x), "`alt`", fixed = TRUE, class = "nativenet_error_value")
})
