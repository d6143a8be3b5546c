test_that("pictures have the promised structure, classes are even, and set.seed() repeats them", {
  set.seed(1)
  shapes <- dataset_shapes(35, test = 12)
  expect_identical(names(shapes), c("train", "test"))
  expect_identical(dim(shapes$train$x), c(35L, 32L, 32L, 3L))
  expect_identical(dim(shapes$test$x), c(12L, 32L, 32L, 3L))
  expect_true(is.integer(shapes$train$x) && is.integer(shapes$train$y))
  expect_true(all(shapes$train$x >= 0 & shapes$train$x <= 255))
  expect_identical(dim(shapes$train$y), 35L)
  expect_true(all(tabulate(shapes$train$y + 1, 10) %in% 3:4))
  set.seed(1)
  expect_identical(dataset_shapes(35, test = 12), shapes)
  expect_identical(dim(dataset_shapes(3, test = 0)$test$x), c(0L, 32L, 32L, 3L))
  expect_error(dataset_shapes(0), "`n` must be")
})

test_that("figures are as large as their forms", {
  # the share of the square from -1.2 to 1.2 where the distance is negative
  at <- seq(-1.195, 1.195, 0.01)
  areas <- vapply(nativenet:::shape_distances, function(f) mean(outer(at, at, f) < 0) * 2.4^2, 0)
  slope <- function(r) pi * r^2
  star <- 10 * 0.5 * 1.1 * 0.45 * sin(pi / 5)
  expect_equal(areas[c("disc", "ring", "square", "triangle", "cross", "star", "half", "bars")],
    c(disc = slope(0.9), ring = slope(0.97) - slope(0.53), square = 1.56^2, triangle = sqrt(3) * 0.75,
      cross = 2 * 2 * 0.6 - 0.6^2, star = star, half = slope(1) / 2, bars = 2 * 0.56 * 1.8), tolerance = 0.01)
})

test_that("a small convolutional network learns them where a dense one does not", {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0")
  set.seed(1)
  shapes <- dataset_shapes(600, test = 200)
  score <- function(model) {
    model <- model |> layer_dense(10, activation = "softmax")
    compile(model, optimizer_adam(0.003), "sparse_categorical_crossentropy", metrics = "accuracy")
    fit(model, shapes$train$x / 255, shapes$train$y, epochs = 8, verbose = 0)
    evaluate(model, shapes$test$x / 255, shapes$test$y, verbose = 0)[["accuracy"]]
  }
  begin <- function() keras_model_sequential(input_shape = c(32, 32, 3))
  convolutional <- score(begin() |> layer_conv_2d(16, 5, strides = 2, activation = "relu") |>
    layer_batch_normalization(momentum = 0.8) |> layer_conv_2d(32, 3, strides = 2, activation = "relu") |>
    layer_flatten())
  expect_gt(convolutional, score(begin() |> layer_flatten() |> layer_dense(32, activation = "relu")) + 0.15)
})
