test_that("the structure is that of dataset_mnist()", {
  data <- dataset_digits(60)
  expect_named(data, c("train", "test"))
  expect_identical(lapply(data$train, dim), list(x = c(60L, 28L, 28L), y = 60L))
  expect_identical(lapply(data$test, dim), list(x = c(10L, 28L, 28L), y = 10L))
  for (part in data) {
    expect_type(part$x, "integer")
    expect_type(part$y, "integer")
    expect_true(all(part$x >= 0 & part$x <= 255))
    expect_true(all(part$y %in% 0:9))
  }
})

test_that("digits are balanced and in random order", {
  set.seed(1)
  data <- dataset_digits(1003, test = 25)
  expect_setequal(table(data$train$y), c(100, 101))
  expect_setequal(table(data$test$y), c(2, 3))
  expect_false(identical(c(data$train$y[1:10]), c(data$train$y[11:20])))
})

test_that("set.seed() governs the data", {
  make <- function(seed) {
    set.seed(seed)
    dataset_digits(50, 20)
  }
  expect_identical(make(1), make(1))
  expect_false(identical(make(1), make(2)))
  expect_false(identical(make(1)$train$x[1:20, , ], make(1)$test$x))
})

test_that("every style gives a picture, inside the frame, no two alike", {
  set.seed(1)
  for (style in unlist(digit_styles)) {
    x <- draw_digits(style, 50)
    ink <- rowSums(x > 127, dims = 1)
    expect_gt(min(ink), 10)
    expect_lt(max(ink), 400)
    expect_gte(min(apply(x, 1, max)), 150)
    expect_false(anyDuplicated(matrix(x, 50)) > 0)
    frame <- cbind(x[, 1, ], x[, 28, ], x[, , 1], x[, , 28])
    expect_lt(mean(frame > 127), 0.05)
  }
})

test_that("indices are image, row, column", {
  set.seed(1)
  x <- draw_digits("50,0 50,100", 200)  # upright strokes
  mean_image <- colMeans(x)
  expect_gt(sd(colSums(mean_image)), 2 * sd(rowSums(mean_image)))
})

test_that("a dot, a crossing and points far outside are drawn or left out", {
  draw <- function(stroke, x, y, pen = c(2, 2, 1, 255)) {
    .Call(C_digits, stroke, t(x), t(y), t(pen))[1, , ]
  }
  dot <- draw(1L, 10, 5)
  expect_identical(which(dot == max(dot), arr.ind = TRUE)[, "col"] |> mean(), 11)
  expect_identical(which(dot == max(dot), arr.ind = TRUE)[, "row"] |> mean(), 6)
  expect_identical(dot[6, 11], 255L)
  cross <- draw(c(2L, 2L), c(4, 24, 14, 14), c(14, 14, 4, 24))
  expect_identical(cross, t(cross))
  expect_identical(cross[15, 15], 255L)
  for (away in c(1e300, -1e300, 1000, -1000)) expect_true(all(draw(2L, c(away, away), c(away, away)) == 0))
  expect_true(all(draw(2L, c(NaN, 1), c(1, NaN)) %in% 0:255))
})

test_that("a nearest-centroid rule is better than chance and far from perfect", {
  set.seed(1)
  data <- dataset_digits(2000, 500)
  flat <- function(x) matrix(x, nrow(x)) / 255
  centre <- rowsum(flat(data$train$x), data$train$y) / c(table(data$train$y))
  distance <- outer(rep(1, 500), rowSums(centre^2)) - 2 * flat(data$test$x) %*% t(centre)
  accuracy <- mean(max.col(-distance) - 1 == data$test$y)
  expect_gt(accuracy, 0.5)
  expect_lt(accuracy, 0.9)
})

test_that("sizes are checked; no test images is fine", {
  expect_identical(dim(dataset_digits(3, 0)$test$x), c(0L, 28L, 28L))
  expect_identical(dim(dataset_digits(1)$train$x), c(1L, 28L, 28L))
  expect_error(dataset_digits(0), "`dataset_digits()`: `n` must be a positive whole number, not 0", fixed = TRUE)
  expect_error(dataset_digits(2.5), "`n` must be")
  expect_error(dataset_digits(10, -1), "`test` must be a whole number, zero or more", class = "nativenet_error_value")
})
