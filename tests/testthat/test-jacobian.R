# Jacobians, one gradient per number.

test_that("the shape is the target's, then the source's", {
  x <- variable(matrix(c(1, 2, 3, 4, 5, 6), 2))
  w <- variable(array(c(0.5, -1, 2), 3))
  with(tf$GradientTape(persistent = TRUE) %as% tape, {
    y <- op_squeeze(op_matmul(x, op_expand_dims(w, -1)), -1)
    z <- sum(y)
  })
  found <- tape$jacobian(y, list(x = x, nested = list(w = w)))
  expect_identical(dim(found$x), c(2L, 2L, 3L))
  expect_identical(as.array(found$nested$w), as.array(x))
  expect_identical(as.array(found$x)[1, 1, ], c(0.5, -1, 2))
  expect_identical(as.array(found$x)[1, 2, ], c(0, 0, 0))
  expect_identical(dim(tape$jacobian(z, w)), 3L)
  expect_warning(expect_null(tape$jacobian(y, variable(1))), class = "nativenet_warning_gradient")
  expect_identical(as.array(tape$jacobian(y, variable(c(1, 2)), unconnected_gradients = "zero")), matrix(0, 2, 2))
  empty <- variable(numeric())
  with(tf$GradientTape() %as% tape, y <- op_square(empty))
  expect_identical(dim(tape$jacobian(y, empty)), c(0L, 0L))
})

test_that("a tape that may be asked once gives one Jacobian", {
  x <- variable(c(1, 2))
  with(tf$GradientTape() %as% tape, y <- x^2)
  expect_identical(as.array(tape$jacobian(y, x)), diag(c(2, 4)))
  expect_refusal(tape$jacobian(y, x), "tape", "asked already")
})

test_that("batches: the Jacobian of each row", {
  x <- matrix(c(1, 2, 3, 0.5, -1, 2), 3)
  w <- matrix(c(1, -2, 0.5, 3, 0.1, 1), 2)
  f <- function(x) {
    with(tf$GradientTape(persistent = TRUE) %as% tape, {
      tape$watch(x)
      y <- tf$tanh(tf$matmul(x, w))
    })
    list(tape$batch_jacobian(y, x), tape$jacobian(y, x))
  }
  both <- f(tf$constant(x))
  found <- as.array(both[[1]])
  whole <- as.array(both[[2]])
  expect_identical(dim(found), c(3L, 3L, 2L))
  for (i in 1:3) expect_equal(found[i, , ], (1 - tanh(x %*% w)[i, ]^2) * t(w), tolerance = 1e-14)
  for (i in 1:3) expect_identical(found[i, , ], whole[i, , i, ])
  compiled <- autograph(f)
  expect_silent(expect_equal(as.array(compiled(tf$constant(x))[[1]]), found, tolerance = 1e-14))
  expect_silent(expect_equal(as.array(compiled(tf$constant(x[1:2, ]))[[1]]), found[1:2, , ], tolerance = 1e-14))
  v <- variable(x)
  with(tf$GradientTape() %as% tape, y <- op_transpose(v))
  expect_refusal(tape$batch_jacobian(y, v), "shape", "(2, 3)", "(3, 2)")
})

test_that("a Jacobian has a derivative", {
  x <- variable(c(1, 2))
  with(tf$GradientTape() %as% outer, {
    with(tf$GradientTape() %as% inner, y <- x^3)
    j <- inner$jacobian(y, x)
  })
  expect_identical(c(as.array(outer$gradient(j, x))), c(6, 12))
})
