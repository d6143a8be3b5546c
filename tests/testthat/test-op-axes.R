# Reductions of every dtype. Values of floats stand in helper-op-cases.R.

whole_ops <- list(sum = op_sum, prod = op_prod, max = op_max, min = op_min, argmax = op_argmax, argmin = op_argmin,
  cumsum = op_cumsum, cumprod = op_cumprod, sort = op_sort, argsort = op_argsort)
whole_references <- list(sum = sum, prod = prod, max = max, min = min, argmax = which.max, argmin = which.min,
  cumsum = cumsum, cumprod = cumprod, sort = sort, argsort = order)
whole <- function(x, dtype = "int32") op_cast(tensor(x, "float64"), dtype)
value <- function(x) as.double(as.array(x))

test_that("reductions of whole numbers are those of R, in all dtypes", {
  for (dtype in c("int32", "int64", "float32", "float64")) {
    for (x in list(c(3, 0, -2), c(5, -7, 5, 1), c(4, 4))) {
      for (op in names(whole_ops)) {
        y <- whole_ops[[op]](tensor(x, dtype))
        expect_identical(value(y), as.double(whole_references[[op]](x)), label = paste(op, dtype))
        expect_identical(tensor_dtype(y), switch(op, argmax = , argmin = "int64", argsort = "int32", dtype))
      }
    }
  }
})

test_that("the whole product of whole numbers counts, not what it is on the way", {
  for (case in list(c(2^20, 2^20, 0), c(0, 2^20, 2^20), c(2^16, 0, 2^16), c(-2^31, -1, 0), c(2^16, 2^15, -1),
    c(-1, 2^16, 2^15), c(-2^31, -1, -1), c(-1, -2^31, -1), c(-2^15, -2^15, 1, -2), c(2^30, -2), c(0, -2^31))) {
    expect_identical(value(op_prod(whole(case))), prod(case), label = paste(case, collapse = " "))
  }
  for (case in list(c(2^16, 2^15), c(-2^31, -1), c(2^16, 2^16), c(2^16, -2^16), c(-2^31, -2^31), c(-1, -2^31))) {
    expect_error(op_prod(whole(case)), "beyond the whole numbers of its dtype", class = "nativenet_error_value")
  }
  expect_identical(value(op_prod(whole(c(2^40, 2^40, 0), "int64"))), 0)
  expect_identical(value(op_prod(whole(c(2^40, 2^22, -2), "int64"))), -2^63)
  # each of several products for itself, along either axis
  x <- cbind(c(2^20, 2^20, 0), c(1, -2, 3))
  expect_identical(value(op_prod(whole(x), 1)), c(0, -6))
  expect_identical(value(op_prod(whole(t(x)), 2)), c(0, -6))
})

test_that("running products must fit one by one, sums of int32 only in the end", {
  expect_error(op_cumprod(whole(c(2^20, 2^20, 0))), "beyond the whole numbers", class = "nativenet_error_value")
  expect_identical(value(op_cumprod(whole(c(0, 2^20, 2^20)))), c(0, 0, 0))
  expect_error(op_cumsum(whole(c(2^31 - 1, 1, -5))), "beyond the whole numbers", class = "nativenet_error_value")
  expect_identical(value(op_sum(whole(c(2^31 - 1, 1, -5)))), 2^31 - 5)
  expect_error(op_sum(whole(c(2^62, 2^62, -2^62), "int64")), "beyond the whole", class = "nativenet_error_value")
})

test_that("norms of whole numbers and of logical values are floats, not cut to whole ones", {
  for (x in list(whole(c(3, 0, 2)), whole(c(3, 0, 2), "int64"))) {
    y <- op_norm(x)
    expect_identical(tensor_dtype(y), "float32")
    expect_equal(value(y), sqrt(13), tolerance = 1e-6)
    expect_equal(value(op_l2_normalize(x)), c(3, 0, 2) / sqrt(13), tolerance = 1e-6)
    expect_equal(value(tf$linalg$global_norm(list(x, x))), sqrt(26), tolerance = 1e-6)
  }
  expect_equal(value(op_norm(tensor(c(TRUE, FALSE, TRUE)))), sqrt(2), tolerance = 1e-6)
})

test_that("clipped whole numbers have whole bounds; R's own become floats", {
  expect_identical(value(op_clip(tensor(1:4), 2, 3)), c(2, 2, 3, 3))
  expect_error(op_clip(tensor(1:4), 1.5, 2.5), "must be whole numbers for a tensor of int32, not 1.5 and 2.5",
    class = "nativenet_error_value")
  expect_identical(value(op_clip(1:4, 1.5, 2.5)), c(1.5, 2, 2.5, 2.5))
  kernel <- array(0.5, c(2, 4, 1))
  expect_equal(value(k_local_conv1d(tensor(array(1:6, c(1, 3, 2))), kernel, 2, 1)), c(12, 16) / 2)
})

test_that("of no elements there are sums and products, means are NaN, and extremes are refused", {
  for (dtype in c("int32", "int64", "float32", "float64")) {
    none <- tensor(matrix(0, 0, 3), dtype)
    expect_identical(value(op_sum(none, 1)), c(0, 0, 0))
    expect_identical(value(op_prod(none, 1)), c(1, 1, 1))
    for (f in c(op_max, op_min, op_argmax, op_argmin)) {
      expect_error(f(none, 1), "no elements to choose from", class = "nativenet_error_shape")
      expect_identical(dim(f(none, 2)), 0L)
    }
  }
  expect_true(all(is.nan(value(op_mean(matrix(0, 0, 3), 1)))))
  expect_error(op_mean(tensor(1:3, "int32")), "needs a float tensor, not int32", class = "nativenet_error")
  expect_identical(value(op_any(tensor(logical()))), 0)
  expect_identical(value(op_all(tensor(logical()))), 1)
})

test_that("NaN is the extreme, wherever it stands", {
  for (dtype in c("float32", "float64")) {
    x <- tensor(rbind(c(1, NaN, 5), c(NaN, 2, NaN), c(3, 2, 1)), dtype)
    expect_identical(value(op_argmax(x, 2)), c(2, 1, 1))
    expect_identical(value(op_argmin(x, 2)), c(2, 1, 3))
    expect_identical(value(op_max(x, 2)), c(NaN, NaN, 3))
    expect_identical(value(op_min(x, 2)), c(NaN, NaN, 1))
  }
})
