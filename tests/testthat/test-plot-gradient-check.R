# Every number of a check is a point, wrong ones in vermilion.

both <- both_methods()
doubled <- setRefClass("doubled_linear", contains = "activation", methods = list(
  forward = function(x) x, backward = function(x) 1 + (x > 0)
))
x <- matrix(c(-2, -1, 1, 2, 3, -3), 2)
wrong <- check_gradient(doubled(), x)
set.seed(1)
network <- build_dense_neural_network(3, list(2, htan(), 1, sigmoid()), loss = binary_crossentropy(),
  optimizer = gradient_descent_optimizer(learning_rate = 1))
right <- check_gradient(network, matrix(rnorm(12), 4), c(0, 1, 1, 0))

test_that("there is a panel per array, which says how many are wrong", {
  panels <- nativenet:::gradient_panels(right)
  expect_identical(names(panels), paste0(c("weights[[1]]", "weights[[2]]", "biases[[1]]", "biases[[2]]"),
    ": all right"))
  expect_identical(vapply(panels, nrow, 0L, USE.NAMES = FALSE), c(6L, 2L, 2L, 1L))
  expect_identical(names(nativenet:::gradient_panels(wrong)), "x: 3 of 6 wrong")
  expect_identical(names(nativenet:::gradient_panels(right[c(1, 4), ])),
    c("weights[[1]]: all right", "biases[[2]]: all right"))
})

test_that("points are finite differences and derivatives, number by number", {
  numbers <- nativenet:::gradient_panels(wrong)[[1]]
  expect_identical(numbers$derivative, as.vector(1 + (x > 0)))
  expect_equal(numbers$difference, rep(1, 6))
  expect_identical(numbers$ok, as.vector(x < 0))
  ggplot_there()
  p <- draws(plot_gradient_check(wrong, method = "ggplot2"))
  expect_true(p$visible)
  points <- layers_of(p$value)[[3]]
  expect_identical(points$colour[order(points$y)], rep(c("#0072B2", "#D55E00"), each = 3))
  # both axes of a panel have one range
  range <- ggplot2::ggplot_build(p$value)$layout$panel_params[[1]]
  expect_equal(range$x.range, range$y.range)
})

test_that("both methods draw all kinds of checks, and plot() does, too", {
  one <- check_gradient(sigmoid(), matrix(1))
  missing <- setRefClass("nan_linear", contains = "activation",
    methods = list(forward = function(x) x, backward = function(x) x * NaN))
  for (method in both) {
    for (check in list(wrong, right, one, check_gradient(softmax(), x), check_gradient(missing(), x)))
      expect_silent(draws(plot_gradient_check(check, method = method)))
  }
  expect_identical(draws(plot(wrong, method = "base")), list(value = wrong, visible = FALSE))
})

test_that("anything else is refused", {
  expect_error(plot_gradient_check(1), "`plot_gradient_check()`: `x` must be what `check_gradient()` returned, not 1",
    fixed = TRUE, class = "nativenet_error_value")
  expect_error(plot(right[0, ]), "`x` holds no numbers", class = "nativenet_error_value")
  expect_error(plot(wrong, method = "lattice"), "`method` must be one of", class = "nativenet_error_value")
})
