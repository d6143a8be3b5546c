# Tensors as R objects: conversion, variables, saving, printing.

test_that("R arrays keep their indices, for all ranks and dtypes", {
  shapes <- list(integer(), 1, 5, c(2, 3), c(3, 1), c(2, 3, 4), c(2, 1, 3, 2), c(40, 35), c(33, 2, 5), rep(2, 8),
    c(0, 3), c(3, 0), 0)
  for (d in shapes) {
    x <- shaped(seq_len(prod(d)), d)
    for (dtype in c("float32", "float64", "int32", "int64")) {
      t <- tensor(x, dtype)
      expect_identical(dim(t), as.integer(d))
      expect_identical(tensor_dtype(t), dtype)
      y <- as.array(t)
      expect_identical(as.double(y), as.double(x), label = text_of(d))
      expect_identical(dims(y), as.integer(d))
      # the numbers lie row by row
      expect_identical(as.double(as.array(op_reshape(t, -1))), as.double(row_major(x)))
    }
    b <- shaped(x %% 3 == 0, d)
    expect_identical(as.logical(as.array(tensor(b))), as.logical(b))
  }
})

test_that("the R type decides about the dtype", {
  expect_identical(tensor_dtype(tensor(1)), "float64")
  expect_identical(tensor_dtype(tensor(1L)), "int32")
  expect_identical(tensor_dtype(tensor(TRUE)), "bool")
  expect_identical(tensor_dtype(tensor(as.raw(1))), "int32")
  expect_type(as.array(tensor(1, "float32")), "double")
  expect_type(as.array(tensor(1L)), "integer")
  expect_type(as.array(tensor(1L, "int64")), "integer")
  expect_type(as.array(tensor(TRUE)), "logical")
  expect_identical(as.array(tensor(2^40, "int64")), 2^40)
  expect_identical(as.array(tensor(as.raw(0:3), "bool")), array(c(FALSE, TRUE, TRUE, TRUE)))
  expect_identical(as.array(tensor(c(TRUE, FALSE), "float32")), array(c(1, 0)))
  expect_identical(as.array(tensor(tensor(c(1.5, -1.5)), "int32")), array(c(1L, -1L)))
})

test_that("the other accessors", {
  x <- tensor(matrix(1:6, 2))
  expect_identical(length(x), 6L)
  expect_identical(as.matrix(x), matrix(1:6, 2))
  expect_identical(as.double(x), as.double(1:6))
  expect_identical(dim(as.matrix(tensor(1:3))), c(3L, 1L))
  expect_identical(length(tensor(5)), 1L)
})

test_that("identical() tells tensors apart: each is itself only", {
  x <- tensor(1)
  expect_true(identical(tensor(x), x))
  expect_true(identical(tensor(x, "float64"), x))
  expect_false(identical(tensor(x, "float32"), x))
  expect_false(identical(tensor(2), x))
})

test_that("NA: kept by floats, refused by the others", {
  expect_identical(is.nan(as.array(tensor(c(NaN, 1)))), array(c(TRUE, FALSE)))
  expect_identical(c(as.array(tensor(c(NA, 1)))), c(NA, 1))
  expect_identical(c(as.array(tensor(c(NA, 1L), "float64"))), c(NA, 1))
  expect_true(is.na(as.array(tensor(c(NA, 1L), "float32"))[1]))
  expect_true(is.na(as.array(tensor(NA, "float64"))))
  for (dtype in c("int32", "int64", "bool")) {
    for (x in list(NA, NA_integer_, NA_real_, NaN)) expect_refusal(tensor(x, dtype), "value", dtype, "position 1")
    expect_refusal(tensor(c(1, NA), dtype), "value", "position 2")
  }
  expect_refusal(tensor(c(TRUE, NA)), "value", "NA at position 2")
  expect_refusal(tensor(c(1L, NA)), "value", "NA at position 2")
})

test_that("fractions and numbers beyond the range are refused by integers", {
  expect_refusal(tensor(c(1, 1.5), "int32"), "value", "not whole", "position 2")
  expect_refusal(tensor(0.5, "bool"), "value", "not whole")
  for (x in c(2^31, -2^31 - 1, 1e300, -1e300, Inf, -Inf)) expect_refusal(tensor(x, "int32"), "value",
    "beyond the range")
  for (x in c(2^63, -2^63 - 2048, 1e300, Inf, -Inf)) expect_refusal(tensor(x, "int64"), "value", "beyond the range")
  expect_identical(as.array(tensor(2^31 - 1, "int32")), .Machine$integer.max)
  expect_identical(as.array(tensor(-2^63, "int64")), -2^63)
  expect_identical(as.array(tensor(-2^31, "int64")), -2^31)
})

test_that("what is no array of numbers is refused, by name", {
  for (x in list("a", NULL, list(1), factor("a"), 1i, mean, quote(x), data.frame(a = 1), Sys.Date(), new.env())) {
    expect_refusal(tensor(x), "value", "`tensor()`", "`x`")
  }
  expect_refusal(tensor(1, "float16"), "value", "`tensor()`", "`dtype`", "\"float16\"")
  expect_refusal(tensor(1, c("float32", "float64")), "value", "`dtype`")
  expect_refusal(tensor(array(0, rep(1, 9))), "shape", "9 axes")
  expect_refusal(tensor(array(0, c(0, .Machine$integer.max, .Machine$integer.max, .Machine$integer.max))), "shape",
    "too large")
})

test_that("attributes other than dim are ignored", {
  x <- matrix(1:4, 2, dimnames = list(c("a", "b"), NULL))
  expect_identical(as.array(tensor(x)), matrix(1:4, 2))
  expect_identical(as.array(tensor(c(a = 1))), 1)
})

test_that("tensors survive saving and serializing", {
  path <- tempfile(fileext = ".rds")
  for (dtype in nativenet:::dtypes) {
    x <- tensor(matrix(c(1, 0, 1, 1, 0, 0), 2), dtype)
    saveRDS(x, path)
    for (y in list(readRDS(path), unserialize(serialize(x, NULL)))) {
      expect_identical(as.array(y), as.array(x))
      expect_identical(tensor_dtype(y), dtype)
      expect_identical(as.array(op_equal(y, x)), matrix(TRUE, 2, 3))
    }
  }
  same <- function() serialize(tensor(matrix(1:6, 2)), NULL) # to the byte: nothing by chance is saved
  expect_identical(same(), same())
  v <- variable(c(1, 2))
  saveRDS(list(v, v), path)
  w <- readRDS(path)
  variable_assign(w[[1]], c(3, 4))
  expect_identical(c(as.array(w[[2]])), c(3, 4)) # still the same variable
  expect_identical(c(as.array(v)), c(1, 2)) # and not that one
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(w[[1]])) # and still watched
  expect_identical(c(as.array(tape_gradient(tape, y, w[[1]]))), c(6, 8))
})

test_that("results do not share memory with their inputs", {
  v <- variable(c(1, 2))
  same <- list(op_reshape(v, 2), op_cast(v, "float64"), op_slice(v, 1, 2), op_add(v, 0))
  variable_assign(v, c(9, 9))
  for (y in same) expect_identical(c(as.array(y)), c(1, 2))
  x <- c(1, 2)
  t <- tensor(x)
  x[1] <- 9
  expect_identical(c(as.array(t)), c(1, 2))
  y <- as.array(t)
  y[1] <- 9
  expect_identical(c(as.array(t)), c(1, 2))
})

test_that("variables: assignment keeps shape and dtype", {
  v <- variable(matrix(0, 2, 3), dtype = "float32")
  expect_identical(variable_assign(v, matrix(1:6, 2)), v)
  expect_invisible(variable_assign(v, matrix(1, 2, 3)))
  expect_identical(tensor_dtype(v), "float32")
  expect_identical(as.array(v), matrix(1, 2, 3))
  variable_assign(v, op_add(v, v))
  expect_identical(as.array(v), matrix(2, 2, 3))
  expect_refusal(variable_assign(v, matrix(0, 3, 2)), "shape", "`variable_assign()`", "(2, 3)", "(3, 2)")
  expect_refusal(variable_assign(v, tensor(matrix(0, 2, 3))), "dtype", "`variable_assign()`", "float32", "float64")
  expect_refusal(variable_assign(v, "a"), "value")
  expect_refusal(variable_assign(1, 1), "value")
  expect_refusal(variable(1, trainable = NA), "value", "`variable()`", "`trainable`")
  expect_identical(as.array(v), matrix(2, 2, 3))
})

test_that("arrays of any number of rows and columns are row-major in tensors, and come back", {
  set.seed(3)
  for (shape in list(3L, c(130L, 1L), c(1L, 40L), c(300L, 37L), c(129L, 16L), c(7L, 3L, 11L), c(5L, 2L, 3L, 17L),
    c(131L, 4L, 4L, 2L), c(2L, 0L, 3L))) {
    x <- array(rnorm(prod(shape)), shape)
    whole <- array(sample(1000L, prod(shape), TRUE), shape)
    flat <- function(x) as.vector(aperm(x, rev(seq_along(shape))))
    for (dtype in c("float32", "float64")) {
      t <- tensor(x, dtype)
      expect_equal(as.vector(as.array(op_reshape(t, -1))), flat(x), tolerance = 1e-7)
      expect_equal(as.array(t), x, tolerance = 1e-7)
    }
    expect_identical(as.vector(as.array(op_reshape(tensor(whole, "int32"), -1))), flat(whole))
    expect_identical(as.array(tensor(whole, "int64")), whole)
  }
})

test_that("the ends of an array are found wherever they stand, and numbers that are not finite named", {
  for (n in c(1, 7, 8, 9, 31)) for (at in unique(c(1, n, (n + 1) %/% 2))) {
    x <- rep(1, n)
    expect_identical(finite_ends(replace(x, at, -3)), c(-3, if (n > 1) 1 else -3))
    expect_identical(finite_ends(replace(x, at, 9)), c(if (n > 1) 1 else 9, 9))
    for (odd in c(NA, NaN, Inf, -Inf)) expect_error(finite_ends(replace(x, at, odd)),
      paste("contain", gsub("-", "", odd), "at position", at), class = "nativenet_error_value")
    expect_error(finite_ends(replace(rep(1L, n), at, NA)), paste("NA at position", at), class = "nativenet_error_value")
  }
  expect_identical(finite_ends(as.raw(c(7, 3, 255))), c(3, 255))
  expect_identical(finite_ends(c(TRUE, FALSE)), c(0, 1))
})
