gradient_of <- function(f, x) {
  x <- as_tensor(x)
  with(gradient_tape() %as% tape, {
    tape$watch(x)
    y <- f(x)
  })
  as.array(tape$gradient(y, x))
}

test_that("sorting agrees with R along any axis, and keeps the order of what is equal", {
  set.seed(3)
  x <- array(sample(9, 60, TRUE), c(3, 5, 4))
  for (axis in c(1:3, -1)) for (down in c(FALSE, TRUE)) {
    expect_identical(as.array(op_sort(x, axis, down)),
      along_axis(x, axis, function(line) sort(line, decreasing = down)))
    expect_identical(as.array(op_argsort(x, axis, zero_indexed = TRUE, decreasing = down)), along_axis(x, axis,
      function(line)
      order(line, decreasing = down, method = "radix") - 1L))
  }
  expect_identical(as.array(op_sort(c(2L, -1L, 7L))), array(c(-1L, 2L, 7L)))
  expect_identical(as.vector(sort(as_tensor(c(3, NaN, 1)))), c(1, 3, NaN))
  expect_identical(as.vector(sort(as_tensor(c(3, NaN, 1)), decreasing = TRUE)), c(3, 1, NaN))
  expect_identical(dim(op_sort(array(0, c(0, 3)), 1)), c(0L, 3L))
  expect_identical(dim(op_sort(array(0, c(3, 0)))), c(3L, 0L))
})

test_that("top_k gives the largest and where they are, also compiled and for other batches", {
  x <- matrix(c(3, 9, 1, 9, 5, 2, 8, 8), 2, byrow = TRUE)
  best <- op_top_k(x, 2, zero_indexed = TRUE)
  expect_identical(as.array(best$values), rbind(c(9, 9), c(8, 8)))
  expect_identical(as.array(best$indices), rbind(c(1L, 3L), 2:3))
  f <- autograph(function(x) op_top_k(x, 3)$values)
  for (rows in c(4, 2, 1)) {
    x <- as_tensor(matrix(rnorm(5 * rows), rows))
    expect_identical(as.array(f(x)), as.array(op_top_k(x, 3)$values))
  }
  expect_length(environment(f)$graph$traces, 1)
  expect_identical(dim(op_top_k(x, 0)$values), c(1L, 0L))
  expect_refusal(op_top_k(x, 6), "value", "k")
  expect_refusal(op_top_k(3), "shape", "at least one axis")
})

test_that("numbers are taken along an axis, from where there are some", {
  x <- matrix(1:6 + 0, 2)
  expect_identical(as.array(op_take_along(x, rbind(c(2, 0), c(1, 1)))), rbind(c(5, 1), c(4, 4)))
  expect_identical(as.array(op_take_along(x, matrix(c(1, 0, 1), 1), 1)), matrix(c(2, 3, 6), 1))
  for (bad in c(-1, 3)) expect_refusal(op_take_along(x, rbind(c(0, bad), 0)), "index", "outside")
  expect_refusal(op_take_along(x, c(0, 1)), "shape", "indices")
  expect_refusal(op_take_along(x, matrix(0, 3, 2)), "shape", "indices")
})

test_that("gradients of sorted numbers go where they came from, at any order", {
  x <- matrix(c(3, 1, 2, 0.5, 9, 4), 2, byrow = TRUE)
  expect_identical(gradient_of(function(x) op_sum(op_sort(x) * c(1, 10, 100)), x), rbind(c(100, 1, 10), c(1, 100, 10)))
  expect_identical(as.array(hessian(function(x) op_sum(op_square(op_sort(x)) * c(1, 2, 3)), c(3, 1, 2))),
    diag(c(6, 2, 4)))
})

test_that("running products, from both ends, with and without the number itself", {
  x <- c(2, 3, 0, 5)
  expect_identical(as.vector(op_cumprod(x)), c(2, 6, 0, 0))
  expect_identical(as.vector(op_cumprod(x, exclusive = TRUE)), c(1, 2, 6, 0))
  expect_identical(as.vector(op_cumprod(x, reverse = TRUE)), c(0, 0, 0, 5))
  expect_identical(as.vector(op_cumprod(x, exclusive = TRUE, reverse = TRUE)), c(0, 0, 5, 1))
  expect_identical(as.vector(op_cumsum(x, exclusive = TRUE, reverse = TRUE)), c(8, 5, 5, 0))
  expect_identical(as.vector(cumprod(as_tensor(1:5))), as.integer(cumprod(1:5)))
  # d/dx of x1 + x1 x2 + x1 x2 x3 + ..., by hand; a zero takes part
  expect_identical(c(gradient_of(function(x) op_sum(op_cumprod(x)), x)), c(1 + 3, 2, 6 + 6 * 5, 0))
  h <- as.array(hessian(function(x) op_sum(op_cumprod(x)), x))
  expect_identical(h, rbind(c(0, 1, 18, 0), c(1, 0, 12, 0), c(18, 12, 0, 6), c(0, 0, 6, 0)))
})

test_that("TensorFlow's names: 0-based axes, directions, segments, places", {
  x <- tf$constant(matrix(c(3, 1, 2, 9, 9, 4), 2, byrow = TRUE))
  expect_identical(as.array(tf$sort(x, direction = "DESCENDING")), rbind(c(3, 2, 1), c(9, 9, 4)))
  expect_identical(as.array(tf$argsort(x, axis = 0L)), rbind(c(0L, 0L, 0L), c(1L, 1L, 1L)))
  expect_identical(as.array(tf$math$top_k(x, k = 1L)$indices), matrix(c(0L, 0L)))
  expect_identical(as.vector(tf$math$in_top_k(c(1L, 2L), x, 2L)), c(FALSE, FALSE))
  expect_identical(as.vector(tf$nn$in_top_k(c(2L, 1L), x, 2L)), c(TRUE, TRUE))
  expect_identical(as.vector(tf$math$cumprod(c(1, 2, 3), exclusive = TRUE)), c(1, 1, 2))
  expect_identical(as.array(tf$math$segment_sum(matrix(1:6 + 0, 3), c(0L, 0L, 1L))), rbind(c(3, 9), c(3, 6)))
  expect_identical(as.array(tf$math$unsorted_segment_sum(c(1, 2, 3), c(2L, 0L, 2L), 4)), array(c(2, 0, 4, 0)))
  expect_identical(as.array(tf$where(rbind(c(TRUE, FALSE), c(TRUE, TRUE)))),
    as.array(tf$constant(rbind(c(0L, 0L), c(1L, 0L), c(1L, 1L)), dtype = "int64")))
  expect_identical(dim(tf$where(c(FALSE, FALSE))), c(0L, 1L))
  expect_refusal(tf$sort(x, direction = "up"), "value", "direction")
})
