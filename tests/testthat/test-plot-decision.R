# A plane of outputs: values where they belong, a line where the decision changes, classes in the colours of their
# points.

half <- function(p) 1 / (1 + exp(-4 * p[, 1]))
square <- list(c(-1, 1), c(-2, 2))
both <- both_methods()
network_of <- function(inputs, layers) {
  build_dense_neural_network(inputs, layers, loss = mean_squared_error(),
    optimizer = gradient_descent_optimizer(learning_rate = 1))
}

test_that("the function is asked at each point of the plane", {
  plane <- draws(plot_decision(function(p) 10 * p[, 1] + p[, 2], limits = square, n = 5, method = "base"))
  expect_false(plane$visible)
  expect_equal(plane$value, list(x = seq(-1, 1, 0.5), y = seq(-2, 2), z = outer(10 * seq(-1, 1, 0.5), seq(-2, 2), "+")))
  ggplot_there()
  cells <- draws(plot_decision(function(p) 10 * p[, 1] + p[, 2], limits = square, n = 5, method = "ggplot2"))$value$data
  expect_equal(cells$z, 10 * cells$x + cells$y)
})

test_that("limits hold the data and 15 % more", {
  data <- cbind(c(0, 10), c(-1, 1))
  plane <- draws(plot_decision(half, data, n = 3, method = "base"))$value
  expect_equal(plane$x, c(-1.5, 5, 11.5))
  expect_equal(plane$y, c(-1.3, 0, 1.3))
  one <- draws(plot_decision(half, data[1, , drop = FALSE], n = 2, method = "base"))$value
  expect_true(all(diff(one$x) > 0, diff(one$y) > 0))
  expect_identical(draws(plot_decision(half, limits = c(-3, 3), n = 2, method = "base"))$value$y, c(-3, 3))
})

test_that("the line is where the decision changes: at 0.5 for shares, at 0 for other numbers, or where asked", {
  ggplot_there()
  line <- function(f, ...) {
    layers <- layers_of(draws(plot_decision(f, limits = square, n = 41, method = "ggplot2", ...))$value)
    if (length(layers) > 1) unique(round(layers[[2]]$x, 6))
  }
  expect_identical(line(half), 0)
  expect_identical(line(function(p) 2 * p[, 1] - 1), 0.5)
  expect_identical(line(function(p) 2 * p[, 1] - 1, contour = -2), -0.5)
  two <- structure(1e-323, class = "integer64") # as bits, 2
  expect_identical(line(function(p) 2 * p[, 1] + 3, contour = two), -0.5)
  expect_null(line(half, contour = FALSE))
  # a line that is nowhere gives no warning
  expect_null(line(function(p) rep(0.1, nrow(p))))
  # white is at the line
  scale <- function(...) plot_decision(..., limits = square, n = 5, method = "ggplot2")$scales$get_scales("fill")$limits
  expect_identical(scale(half), c(0, 1))
  expect_identical(scale(function(p) 3 * p[, 1]), c(-3, 3))
  expect_identical(scale(function(p) p[, 1], contour = 2), c(-1, 5))
})

test_that("of several outputs the largest wins, in the colour of its class", {
  f <- function(p) cbind(p[, 1], 0, -p[, 1] - 10)
  plane <- draws(plot_decision(f, limits = square, n = 2, method = "base"))$value
  expect_identical(plane$z, matrix(c(2L, 1L, 2L, 1L), 2))
  ggplot_there()
  data <- cbind(c(-0.5, 0.5), 0)
  p <- draws(plot_decision(f, data, c("low", "high"), limits = square, n = 2, output = 1, method = "ggplot2"))$value
  expect_true(is.numeric(p$data$z))
  labelled <- draws(plot_decision(f, data, factor(c("b", "a"), c("b", "a", "c")), limits = square, n = 2,
    method = "ggplot2"))$value
  expect_identical(as.character(labelled$data$z), c("a", "b", "a", "b"))
  points <- layers_of(labelled)[[3]]
  expect_identical(points$colour, nativenet:::class_colours(2))
})

test_that("labels 0, 1, ... or 1, 2, ... belong to outputs, also if some are not in the data", {
  of <- nativenet:::output_classes
  expect_identical(of(c("a", "b"), 2), c("a", "b"))
  expect_equal(of(c("0", "2"), 3), 0:2)
  expect_equal(of(c("1", "3"), 3), 1:3)
  expect_equal(of(NULL, 3), 0:2)
  expect_error(of(c("a", "b"), 3), "`y` has the classes a, b, but `x` has 3 outputs", class = "nativenet_error_shape")
})

test_that("networks, models, layers, functions of tensors and classes of the user's own are asked", {
  set.seed(1)
  network <- network_of(2, list(3, htan(), 1, sigmoid()))
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "softmax")
  mine <- setRefClass("my_classifier", methods = list(predict = function(x) x[, 1] > 0))()
  grid <- as.matrix(unname(expand.grid(c(-1, 1), c(-2, 2), KEEP.OUT.ATTRS = FALSE)))
  z <- function(x, ...) as.vector(draws(plot_decision(x, limits = square, n = 2, method = "base", ...))$value$z)
  expect_equal(z(network), as.vector(network$predict(grid)))
  expect_equal(z(model), max.col(predict(model, grid), "first"))
  expect_equal(z(model, output = 3), predict(model, grid)[, 3])
  expect_equal(z(layer_dense(units = 1, weights = list(matrix(c(1, 2)), 0.5))), as.vector(grid %*% c(1, 2) + 0.5),
    tolerance = 1e-6)
  expect_equal(z(function(p) op_sum(tensor(p), 2)), rowSums(grid))
  expect_equal(z(mine), as.numeric(grid[, 1] > 0))
  expect_equal(z(function(p) data.frame(p[, 2])), grid[, 2])
})

test_that("points are drawn with and without classes by both methods, one point and one class, too", {
  data <- cbind(a = c(-1, 0, 1), b = c(0, 1, 0))
  for (method in both) {
    expect_silent(draws(plot_decision(half, data, method = method, n = 11)))
    expect_silent(draws(plot_decision(half, data, c(0, 1, 1), method = method, n = 11)))
    expect_silent(draws(plot_decision(half, data, c(1, 1, 1), method = method, n = 11)))
    expect_silent(draws(plot_decision(half, data[1, , drop = FALSE], "x", method = method, n = 11)))
    expect_silent(draws(plot_decision(half, data, letters[1:3], method = method, n = 11)))
    expect_silent(draws(plot_decision(function(p) cbind(p, NA), data, method = method, n = 11)))
    expect_silent(draws(plot_decision(function(p) ifelse(p[, 1] > 0, NaN, p[, 2]), data, method = method, n = 11)))
    expect_silent(draws(plot_decision(function(p) p, as.data.frame(data), to_categorical(c(0, 1, 1)), method = method,
      n = 11)))
  }
  ggplot_there()
  p <- plot_decision(half, data, c(1, 1, 1), n = 11, method = "ggplot2")
  expect_identical(unlist(p$labels[c("x", "y")]), c(x = "a", y = "b"))
  expect_identical(layers_of(p)[[4]]$colour, rep("#D55E00", 3)) # class 1 has the colour of 1, also alone
})

test_that("what has no two inputs or gives no numbers is refused", {
  expect_error(plot_decision(half), "`plot_decision()`: `limits` must be given where there is no `data`", fixed = TRUE,
    class = "nativenet_error_value")
  at <- function(x, ...) plot_decision(x, ..., limits = square, n = 3, method = "base")
  expect_error(at(network_of(3, list(1, linear()))), "`x` must have 2 inputs, not (3)", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(at(keras_model_sequential(input_shape = 3) |> layer_dense(1)), "`x` must have 2 inputs, not (3)",
    fixed = TRUE, class = "nativenet_error_shape")
  expect_error(at(keras_model_sequential(input_shape = c(2, 2)) |> layer_flatten() |> layer_dense(1)), "not (2, 2)",
    fixed = TRUE, class = "nativenet_error_shape")
  a <- layer_input(shape = 1)
  b <- layer_input(shape = 1)
  expect_error(at(keras_model(list(a, b), layer_concatenate(list(a, b)))), "must have 2 inputs",
    class = "nativenet_error_shape")
  expect_error(at(3), "`x` must be a network, a model or a function", class = "nativenet_error_value")
  expect_error(at(function(p) 1), "a row of numbers, for each of 9 points, not 1", class = "nativenet_error_shape")
  expect_error(at(function(p) "a"), class = "nativenet_error_shape")
  expect_error(at(function(p) rep(NaN, nrow(p))), "no finite number", class = "nativenet_error_nan")
  expect_error(at(half, output = 2), "`output` must be", class = "nativenet_error_value")
  expect_error(at(half, contour = "a"), "`contour` must be TRUE or FALSE", class = "nativenet_error_value")
  expect_error(at(half, matrix(0, 0, 2)), "`data` has no points", class = "nativenet_error_value")
  expect_error(at(half, matrix(0, 2, 3)), "`data` must have two columns", class = "nativenet_error_shape")
  expect_error(at(half, matrix(NA_real_, 1, 2)), "finite numbers only", class = "nativenet_error_nan")
  expect_error(at(half, cbind(1:3, 1:3), 1:2), "`y` must be a class for each of the 3 points",
    class = "nativenet_error_shape")
  expect_error(at(half, y = 1:2), "`y` must be a class for each of the 0 points", class = "nativenet_error_shape")
  for (limits in list(1, c(2, 1), c(0, NA), list(c(0, 1)), "a", list(c(0, 1), 3))) {
    expect_error(plot_decision(half, limits = limits), "`limits` must be `c(from, to)`", fixed = TRUE,
      class = "nativenet_error_value")
  }
  expect_error(plot_decision(half, limits = c(0, 1), n = 1), "`n` must be", class = "nativenet_error_value")
})
