# Constraints against their formulas.

w <- some(c(4, 3), -2, 2)
norms_along <- function(x, margins) sweep(0 * x, margins, sqrt(apply(x^2, margins, sum)), `+`)

test_that("weights are moved as the formulas say, along 0-based axes", {
  for (axis in list(0, 1, -1, c(0, 1))) {
    rest <- setdiff(1:2, ifelse(axis < 0, axis + 3, axis + 1))
    n <- if (length(rest)) norms_along(w, rest) else 0 * w + sqrt(sum(w^2))
    expected <- list(
      list(constraint_maxnorm(1.5, axis = axis), w * pmin(n, 1.5) / (n + 1e-7)),
      list(constraint_unitnorm(axis = axis), w / (n + 1e-7)),
      list(constraint_minmaxnorm(2, 2.5, 0.25, axis = axis), w * (0.25 * pmin(pmax(n, 2), 2.5) + 0.75 * n) / (n + 1e-7))
    )
    for (e in expected) {
      expect_equal(as.array(e[[1]](w)), e[[2]], tolerance = 1e-12)
      expect_equal(as.array(e[[1]](tensor(w, "float32"))), e[[2]], tolerance = 1e-6)
    }
  }
  expect_identical(as.array(constraint_nonneg()(w)), pmax(w, 0))
})

test_that("known values: defaults, norms in bounds, zeros, kernels of convolutions", {
  expect_equal(as.array(constraint_maxnorm()(matrix(c(3, 4, 0.3, 0.4), 2))), matrix(c(1.2, 1.6, 0.3, 0.4), 2),
    tolerance = 1e-6)
  # fractions stay
  expect_equal(as.array(constraint_maxnorm(2.5)(matrix(c(3, 4), 2))), matrix(c(1.5, 2), 2), tolerance = 1e-6)
  expect_equal(as.array(constraint_minmaxnorm(1, 2)(matrix(c(0.3, 0.4), 2))), matrix(c(0.6, 0.8), 2), tolerance = 1e-6)
  expect_identical(as.array(constraint_unitnorm()(matrix(0, 2, 2))), matrix(0, 2, 2))
  kernel <- some(c(3, 3, 2, 4))
  norms <- sqrt(apply(as.array(constraint_unitnorm(axis = c(0, 1, 2))(kernel))^2, 4, sum))
  expect_equal(norms, rep(1, 4), tolerance = 1e-6)
  expect_refusal(constraint_maxnorm(-1), "value", "`constraint_maxnorm()`", "`max_value`")
  expect_refusal(constraint_minmaxnorm(2, 1), "value", "`max_value`")
  expect_refusal(constraint_unitnorm(0.5), "value", "`constraint_unitnorm()`", "`axis`")
})

test_that("objects of an R6 class are constraints", {
  skip_if_not_installed("R6")
  NonNegative <- R6::R6Class("NonNegative", inherit = KerasConstraint, public = list(
    call = function(w) w * k_cast(k_greater_equal(w, 0), k_floatx())))
  x <- matrix(1:4 / 4)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1, kernel_constraint = NonNegative$new())
  model |> compile(optimizer_sgd(0.5), "mse")
  fit(model, x, -x, epochs = 10, verbose = 0)
  expect_gte(get_weights(model)[[1]], 0)
  expect_error(layer_dense(units = 1, kernel_initializer = NonNegative$new()), "`kernel_initializer`")
})
