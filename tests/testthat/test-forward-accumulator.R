# Jacobian-vector products.

jvp_of <- function(f, x, v) {
  with(tf$autodiff$ForwardAccumulator(x, v) %as% acc, y <- f(x))
  acc$jvp(y)
}

test_that("products agree with the Jacobian", {
  x <- matrix(c(0.3, -1, 2, 0.5), 2)
  v <- matrix(c(1, 2, -1, 0.5), 2)
  f <- function(x) op_softmax(op_matmul(x, x))
  t <- tensor(x)
  with(tf$GradientTape() %as% tape, {
    tape$watch(t)
    y <- f(t)
  })
  expected <- matrix(as.array(tape$jacobian(y, t)), 4) %*% c(v)
  expect_equal(c(as.array(jvp_of(f, t, v))), c(expected), tolerance = 1e-13)
  compiled <- autograph(function(x) jvp_of(f, x, v))
  expect_silent(expect_equal(c(as.array(compiled(t))), c(expected), tolerance = 1e-13))
})

test_that("several primals, several results, some without a way", {
  a <- variable(c(1, 2))
  b <- variable(3)
  with(tf$autodiff$ForwardAccumulator(list(a, b), list(c(1, 0), tensor(2))) %as% acc, {
    ys <- list(p = a * b, q = tensor(1))
  })
  found <- acc$jvp(ys)
  expect_identical(c(as.array(found$p)), c(3 + 2, 2 * 2))
  expect_null(found$q)
  expect_identical(as.array(acc$jvp(ys, unconnected_gradients = "zero")$q), 0)
  expect_identical(c(as.array(acc$jvp(a))), c(1, 0)) # a primal is its own result
  expect_null(acc$jvp(op_argmax(a))) # whole numbers
})

test_that("accumulators and tapes nest in any order", {
  x <- tf$constant(c(1, 2, 3), dtype = "float64")
  v <- c(0.5, -1, 2)
  expected <- 6 * c(1, 2, 3) * v # of the Hessian of sum(x^3)
  over_backward <- jvp_of(function(x) {
    with(tf$GradientTape() %as% tape, {
      tape$watch(x)
      y <- sum(x^3)
    })
    tape$gradient(y, x)
  }, x, v)
  expect_equal(c(as.array(over_backward)), expected)
  with(tf$GradientTape() %as% tape, {
    tape$watch(x)
    slope <- jvp_of(function(x) sum(x^3), x, v)
  })
  expect_equal(c(as.array(tape$gradient(slope, x))), expected)
  twice <- jvp_of(function(x) jvp_of(function(x) sum(x^3), x, v), x, v)
  expect_equal(as.array(twice), sum(expected * v))
  expect_identical(length(nativenet:::tapes_recording()), 0L)
})

test_that("what is wrong is said", {
  x <- variable(c(1, 2))
  expect_refusal(tf$autodiff$ForwardAccumulator(1, 1), "value", "`primals` must be a tensor")
  expect_refusal(tf$autodiff$ForwardAccumulator(x, c(1, 2, 3)), "shape", "(2)", "(3)")
  expect_refusal(tf$autodiff$ForwardAccumulator(list(x, x), list(x)), "value", "`tangents`", "(2)")
  acc <- tf$autodiff$ForwardAccumulator(x, x)
  expect_refusal(acc$jpv(x), NULL, "jvp")
  expect_refusal(acc$jvp(1), "value", "must be a tensor")
  expect_output(print(acc), "<forward accumulator>")
})
