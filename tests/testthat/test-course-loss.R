# The loss classes over matrices, a row per sample.

t_sheet <- matrix(c(0, 0, 0, 1, 1, 0), ncol = 3)
p_sheet <- matrix(c(0.2, 0.5, 0.3, 0.8, 0.1, 0.1), ncol = 3)
some_rows <- function(n, k) list(t = matrix(runif(n * k), n), p = matrix(runif(n * k, 0.01, 0.99), n))

plain_loss <- list(
  binary = list(binary_crossentropy(), function(t, p) -sum(t * log(p + 1e-9) + (1 - t) * log(1 - p + 1e-9)) / nrow(t),
    function(t, p) -(t / (p + 1e-9) - (1 - t) / (1 - p + 1e-9)) / nrow(t)),
  categorical = list(categorical_crossentropy(), function(t, p) -sum(t * log(p + 1e-9)) / nrow(t), function(t, p)
    -t / (p + 1e-9) / nrow(t)),
  mean = list(mean_squared_error(), function(t, p) mean((p - t)^2), function(t, p) 2 * (p - t) / length(t)),
  sum = list(mean_squared_error(reduction = "sum"), function(t, p) sum((p - t)^2) / nrow(t), function(t, p)
    2 * (p - t) / nrow(t))
)

test_that("the sheet's example comes out as on paper", {
  loss <- binary_crossentropy()
  # -(log .8 + log .5 + log .7 + log .8 + log .1 + log .9) / 2
  expect_equal(loss$forward(t_sheet, p_sheet), 1.9520274179, tolerance = 1e-8)
  expect_equal(loss$backward(t_sheet, p_sheet), matrix(c(0.625, 1, 1 / 1.4, -0.625, -5, 1 / 1.8), ncol = 3),
    tolerance = 1e-7)
})

test_that("losses worked by hand", {
  expect_equal(mean_squared_error()$forward(matrix(c(0, 1, 2, 3), 2), matrix(c(1, 1, 4, 0), 2)), (1 + 0 + 4 + 9) / 4)
  expect_equal(mean_squared_error(reduction = "sum")$forward(matrix(c(0, 1, 2, 3), 2), matrix(c(1, 1, 4, 0), 2)),
    14 / 2)
  expect_equal(categorical_crossentropy()$forward(diag(2), matrix(c(0.5, 0.75, 0.5, 0.25), 2)), (log(2) + log(4)) / 2,
    tolerance = 1e-8)
  expect_equal(categorical_crossentropy()$backward(diag(2), matrix(c(0.5, 0.75, 0.5, 0.25), 2)),
    matrix(c(-1, 0, 0, -2), 2), tolerance = 1e-7)
})

test_that("values and gradients agree with the documented formulas in plain R", {
  set.seed(1)
  for (name in names(plain_loss)) {
    case <- plain_loss[[name]]
    for (rows in list(some_rows(1, 1), some_rows(4, 1), some_rows(5, 3), some_rows(64, 33))) {
      expect_equal(case[[1]]$forward(rows$t, rows$p), case[[2]](rows$t, rows$p), tolerance = 1e-12, info = name)
      expect_equal(case[[1]]$backward(rows$t, rows$p), case[[3]](rows$t, rows$p), tolerance = 1e-12, info = name)
    }
  }
})

test_that("gradients equal finite differences", {
  set.seed(2)
  rows <- some_rows(3, 4)
  for (case in plain_loss) expect_true(check_gradient(case[[1]], rows$t, rows$p)$ok)
})

test_that("probabilities of 0 and 1 give finite losses and gradients, by the constant of the sheet", {
  loss <- binary_crossentropy()
  expect_equal(loss$forward(matrix(c(1, 0)), matrix(c(0, 1))), -log(1e-9), tolerance = 1e-7)
  expect_equal(loss$backward(matrix(c(1, 0)), matrix(c(0, 1))), matrix(c(-5e8, 5e8)), tolerance = 1e-6)
  expect_equal(loss$forward(matrix(c(1, 0)), matrix(c(1, 0))), 0, tolerance = 1e-8)
  expect_equal(binary_crossentropy(epsilon = 1e-3)$forward(matrix(1), matrix(0)), -log(1e-3), tolerance = 1e-12)
  loss$epsilon <- 1e-2
  expect_equal(loss$forward(matrix(1), matrix(0)), -log(1e-2), tolerance = 1e-12)
  expect_equal(categorical_crossentropy(epsilon = 0.1)$forward(matrix(c(1, 0), 1), matrix(c(0, 1), 1)), -log(0.1),
    tolerance = 1e-12)
})

test_that("a loss is one plain number and its gradient has the shape and names of the predictions", {
  p <- matrix(c(0.2, 0.4), 1, dimnames = list("row", c("a", "b")))
  for (case in plain_loss) {
    value <- case[[1]]$forward(matrix(c(0, 1), 1), p)
    expect_true(is.double(value) && length(value) == 1 && is.null(attributes(value)))
    expect_identical(attributes(case[[1]]$backward(matrix(c(0, 1), 1), p)), attributes(p))
  }
  expect_equal(binary_crossentropy()$forward(matrix(c(0L, 1L)), matrix(0.5, 2, 1)), log(2), tolerance = 1e-8)
  expect_equal(binary_crossentropy()$forward(matrix(c(FALSE, TRUE)), matrix(0.5, 2, 1)), log(2), tolerance = 1e-8)
})

test_that("bad input is refused in words that name the method and the argument", {
  for (loss in list(binary_crossentropy(), categorical_crossentropy(), mean_squared_error())) {
    expect_error(loss$forward(c(0, 1), c(0.5, 0.5)),
      "`forward()`: `y_true` must be a numeric matrix with a row per sample, not a double vector of length 2",
      fixed = TRUE, class = "nativenet_error_value")
    expect_error(loss$backward(matrix(1), 1), "`backward()`: `y_pred` must be a numeric matrix", fixed = TRUE,
      class = "nativenet_error_value")
    expect_error(loss$forward(matrix(0, 2, 3), matrix(0.5, 3, 2)),
      "`forward()`: `y_true` of shape (2, 3) and `y_pred` of shape (3, 2) must have the same shape", fixed = TRUE,
      class = "nativenet_error_shape")
    expect_error(loss$backward(matrix(0, 2, 1), matrix(0.5, 1, 1)), class = "nativenet_error_shape")
    expect_error(loss$forward(matrix(0, 0, 1), matrix(0, 0, 1)), "has no rows", class = "nativenet_error_shape")
    expect_error(loss$forward(matrix("a"), matrix(1)), class = "nativenet_error_value")
  }
  expect_error(mean_squared_error(reduction = "median")$forward(matrix(1), matrix(1)), "`reduction`",
    class = "nativenet_error_value")
  expect_error(binary_crossentropy(epsilon = -1)$forward(matrix(1), matrix(1)), "`epsilon`",
    class = "nativenet_error_value")
})

test_that("the base class says which method a class of one's own lacks", {
  expect_error(loss_function()$forward(matrix(1), matrix(1)), "class <loss_function> does not define this method",
    class = "nativenet_error_value")
})

test_that("losses written in plain R work, alone and on top of ours", {
  hinge <- setRefClass("hinge", contains = "loss_function", fields = list(margin = "numeric"), where = globalenv(),
    methods = list(
    forward = function(y_true, y_pred) mean(pmax(margin - y_true * y_pred, 0)),
    backward = function(y_true, y_pred) -y_true * (y_true * y_pred < margin) / length(y_pred)
  ))
  expect_true(is(hinge(margin = 1), "loss_function"))
  expect_equal(hinge(margin = 1)$forward(matrix(c(1, -1)), matrix(c(0.5, 0.5))), 1)
  doubled <- setRefClass("doubled", contains = "mean_squared_error", where = globalenv(), methods = list(
    forward = function(y_true, y_pred) 2 * callSuper(y_true, y_pred),
    backward = function(y_true, y_pred) 2 * callSuper(y_true, y_pred)
  ))
  expect_equal(doubled()$forward(t_sheet, p_sheet), 2 * mean((t_sheet - p_sheet)^2))
  expect_equal(doubled(reduction = "sum")$backward(t_sheet, p_sheet), 4 * (p_sheet - t_sheet) / 2)
})

test_that("losses can be copied, and saved and read, with their fields", {
  one <- mean_squared_error(reduction = "sum")
  two <- one$copy()
  two$reduction <- "mean"
  expect_equal(one$forward(t_sheet, p_sheet), 3 * two$forward(t_sheet, p_sheet))
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  saveRDS(one, file)
  expect_identical(readRDS(file)$forward(t_sheet, p_sheet), one$forward(t_sheet, p_sheet))
})
