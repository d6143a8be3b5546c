# Random numbers: their distribution, and that set.seed() governs them whoever draws.

draw <- function(op, ..., seed = 1) {
  set.seed(seed)
  c(as.array(op(...)))
}

test_that("every random op has its tests here", {
  expect_setequal(random_op_names(), c("random_uniform", "random_normal", "random_truncated_normal"))
})

test_that("distributions are what their names say", {
  n <- 20000
  for (dtype in c("float32", "float64")) {
    u <- draw(op_random_uniform, n, -1, 3, dtype)
    fits <- function(x, ...) suppressWarnings(stats::ks.test(x, ...))$p.value # float32 has ties
    expect_gt(fits(u, "punif", -1, 3), 0.01)
    expect_true(all(u > -1 & u < 3))
    z <- draw(op_random_normal, n, 5, 2, dtype)
    expect_gt(fits(z, "pnorm", 5, 2), 0.01)
    t <- draw(op_random_truncated_normal, n, 5, 2, dtype)
    expect_true(all(abs(t - 5) <= 4 + 1e-6))
    p <- function(q) (stats::pnorm((q - 5) / 2) - stats::pnorm(-2)) / (stats::pnorm(2) - stats::pnorm(-2))
    expect_gt(fits(t, p), 0.01)
    # neighbours and successive draws do not resemble each other
    expect_lt(abs(stats::cor(z[-1], z[-n])), 0.03)
    expect_lt(abs(stats::cor(z, draw(op_random_normal, n, 5, 2, dtype, seed = 2))), 0.03)
  }
})

test_that("set.seed() governs, each call takes the same from R's generator, threads do not matter", {
  for (op in list(op_random_uniform, op_random_normal, op_random_truncated_normal)) {
    expect_identical(draw(op, c(3, 4)), draw(op, c(3, 4)))
    expect_false(identical(draw(op, 5), draw(op, 5, seed = 2)))
    set.seed(1)
    a <- as.array(op(3))
    b <- as.array(op(3))
    expect_false(identical(a, b))
    set.seed(1)
    op(1e5)
    after <- stats::runif(1)
    set.seed(1)
    op(1)
    expect_identical(stats::runif(1), after)
    old <- nn_threads()
    nn_threads(1)
    one <- draw(op, 3e6)
    nn_threads(old)
    expect_identical(draw(op, 3e6), one)
  }
})

test_that("shapes and dtypes", {
  expect_identical(dim(op_random_normal(integer())), integer())
  expect_identical(dim(op_random_normal(c(2, 0, 3))), c(2L, 0L, 3L))
  expect_identical(tensor_dtype(op_random_uniform(1, dtype = "float64")), "float64")
  expect_identical(c(as.array(op_random_uniform(3, 2, 2))), c(2, 2, 2))
  expect_identical(c(as.array(op_random_normal(3, 2, 0))), c(2, 2, 2))
  expect_refusal(op_random_uniform(2, 1, 0), "value", "`op_random_uniform()`", "at least 1")
  expect_refusal(op_random_normal(2, stddev = -1), "value", "`op_random_normal()`", "`stddev`")
  expect_refusal(op_random_normal(-2), "value", "`op_random_normal()`", "-2")
  expect_refusal(op_random_normal(rep(1, 9)), "value", "8 axes")
  expect_refusal(op_random_normal(2, dtype = "int32"), "dtype", "float tensor")
})

test_that("dropout puts zeros, scales the rest, and sends the gradient the same way", {
  set.seed(3)
  x <- tensor(rep(2, 20000), "float32")
  tape <- gradient_tape()
  tape_watch(tape, x)
  y <- tape_record(tape, op_dropout(x, 0.25))
  kept <- as.array(y) != 0
  expect_equal(mean(kept), 0.75, tolerance = 0.02)
  expect_equal(unique(c(as.array(y))[kept]), 2 / 0.75, tolerance = 1e-6)
  expect_equal(c(as.array(tape_gradient(tape, y, x))), c(kept) / 0.75, tolerance = 1e-6)
  expect_identical(dim(op_dropout(matrix(1, 2, 3), 0.5)), 2:3)
  expect_refusal(op_dropout(1, -0.1), "value", "`rate`")
})

test_that("dropout draws once along axes of noise_shape 1", {
  set.seed(4)
  x <- array(1, c(40, 5, 30))
  y <- as.array(op_dropout(x, 0.5, noise_shape = c(NA, 1, 30)))
  for (i in 2:5) expect_identical(y[, i, ], y[, 1, ])
  expect_equal(mean(y == 0), 0.5, tolerance = 0.1)
  expect_setequal(unique(c(y)), c(0, 2))
  y <- as.array(op_dropout(x, 0.5, noise_shape = list(NULL, 5, 1)))
  expect_identical(y, array(y[, , 1], dim(x)))
  expect_gt(stats::sd(rowSums(y[, , 1])), 0)
  expect_length(unique(c(as.array(op_dropout(x, 0.5, noise_shape = c(1, 1, 1))))), 1)
  set.seed(1)
  own <- as.array(op_dropout(x, 0.5))
  set.seed(1)
  expect_identical(as.array(op_dropout(x, 0.5, noise_shape = dim(x))), own) # the draws of no shared axis
  expect_refusal(op_dropout(x, 0.5, noise_shape = c(1, 1)), "value", "`op_dropout()`: `noise_shape`", "(40, 5, 30)")
  expect_refusal(op_dropout(x, 0.5, noise_shape = c(40, 2, 30)), "value", "(40, 2, 30)")
})

test_that("a tape's backward pass drops what its forward pass dropped, each op its own", {
  set.seed(5)
  x <- variable(rep(1, 400))
  y <- function() op_add(op_dropout(x, 0.5), op_multiply(op_dropout(x, 0.5, noise_shape = NA), 10))
  check <- function(value, gradient) {
    expect_identical(as.array(gradient), as.array(value)) # linear in x, which is 1
    expect_setequal(unique(c(as.array(value))), c(0, 2, 20, 22))
  }
  for (i in 1:2) {
    tape <- gradient_tape()
    value <- tape_record(tape, y())
    op_dropout(1, 0.5) # other draws in between
    check(value, tape_gradient(tape, value, x))
  }
  compiled <- trace_program(function(z) {
    tape <- gradient_tape()
    value <- tape_record(tape, op_multiply(y(), z))
    list(value, tape_gradient(tape, value, x))
  }, 1)
  first <- compiled(1)
  check(first[[1]], first[[2]])
  second <- compiled(1)
  check(second[[1]], second[[2]])
  expect_false(identical(as.array(first[[1]]), as.array(second[[1]])))
  set.seed(6)
  eager <- as.array(y())
  set.seed(6)
  expect_identical(as.array(compiled(1)[[1]]), eager)
})

test_that("dropout does not depend on threads nor on kernels", {
  x <- some(c(3, 500001))
  drop <- function() {
    set.seed(1)
    as.array(op_dropout(x, 0.3, noise_shape = c(1, NA)))
  }
  one <- with_threads(1, drop())
  expect_identical(with_threads(2, drop()), one)
  expect_identical(with_kernels("portable", drop()), one)
})

test_that("noise has its standard deviation, is drawn anew and passes the gradient on", {
  x <- variable(matrix(3, 100, 100))
  tape <- gradient_tape()
  set.seed(1)
  y <- tape_record(tape, op_gaussian_noise(x, 0.5))
  expect_equal(c(mean(as.array(y)), stats::sd(as.array(y))), c(3, 0.5), tolerance = 0.02)
  expect_false(identical(as.array(y), as.array(op_gaussian_noise(x, 0.5))))
  set.seed(1)
  expect_identical(as.array(op_gaussian_noise(x, 0.5)), as.array(y))
  expect_true(all(as.array(tape_gradient(tape, y, x)) == 1))
  expect_refusal(op_gaussian_noise(1, -1), "value", "`stddev`")
})
