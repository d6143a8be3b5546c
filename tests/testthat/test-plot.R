test_that("the method is chosen, and refused, in one place", {
  expect_identical(nativenet:::plot_method("base"), "base")
  expect_identical(nativenet:::plot_method(c("auto", "ggplot2", "base")), nativenet:::plot_method("auto"))
  expect_error(plot_images(matrix(0, 1, 4), method = "lattice"),
    "`plot_images()`: `method` must be one of \"auto\", \"ggplot2\", \"base\"", fixed = TRUE,
    class = "nativenet_error_value")
  ggplot_there()
  expect_identical(nativenet:::plot_method("auto"), "ggplot2")
})

test_that("without ggplot2, base graphics draw, and asking for it is an error", {
  alone <- nativenet:::plot_method
  environment(alone) <- list2env(list(requireNamespace = function(...) FALSE), parent = asNamespace("nativenet"))
  expect_identical(alone("auto"), "base")
  expect_error(alone("ggplot2", "f"), "`f()`: `method` \"ggplot2\" needs the package", fixed = TRUE,
    class = "nativenet_error_value")
})

test_that("numbers become colours between the ends of a scale", {
  colours <- nativenet:::colours_of(matrix(c(-2, 0, 2, 9), 2), c(-2, 2), nativenet:::diverging)
  expect_identical(colours, matrix(c("#0072B2", "#FFFFFF", "#D55E00", "#D55E00"), 2))
  expect_identical(nativenet:::colours_of(c(NA, NaN, -Inf), c(0, 1), c("#FFFFFF", "#000000")),
    c("#BEBEBE", "#BEBEBE", "#FFFFFF"))
  expect_identical(nativenet:::symmetric_limits(c(-3, 1, NA, Inf)), c(-3, 3))
  expect_identical(nativenet:::symmetric_limits(c(0, NA)), c(-1, 1))
  expect_identical(nativenet:::lighter("#000000", 0.2), "#333333")
})

test_that("there is a colour of its own for each of any number of classes", {
  for (n in c(1, 2, 12, 13, 40)) expect_length(unique(nativenet:::class_colours(n)), n)
  expect_identical(nativenet:::class_colours(2), c("#0072B2", "#D55E00"))
})

test_that("ranges are widened, and never of no width", {
  expect_equal(nativenet:::widened(c(0, 10, NA, Inf), 0.15), c(-1.5, 11.5))
  expect_true(diff(nativenet:::widened(c(3, 3), 0.1)) > 0)
  expect_identical(nativenet:::widened(NA_real_, 0), c(0, 1))
})

test_that("classes come in any form", {
  classes <- function(y, n = length(y)) nativenet:::as_classes(y, n, "f")
  expect_identical(levels(classes(c(2, 0, 10))), c("0", "2", "10"))
  expect_identical(levels(classes(c("b", "a"))), c("a", "b"))
  expect_identical(levels(classes(factor("b", c("b", "a")))), c("b", "a"))
  expect_identical(as.character(classes(to_categorical(c(1, 0, 2)), 3)), c("1", "0", "2"))
  expect_identical(as.character(classes(matrix(c(1, 0)), 2)), c("1", "0"))
  expect_error(classes(1:3, 4), "`f()`: `y` must be a class for each of the 4 points", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(classes(c(1, NA)), "`y` must not be NA", class = "nativenet_error_value")
  expect_error(classes(c(1, 2.5)), "whole numbers, not 2.5", class = "nativenet_error_value")
  expect_error(classes(list(1, 2)), class = "nativenet_error_shape")
})
