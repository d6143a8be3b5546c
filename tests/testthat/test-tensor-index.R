# `[` as R's package tensorflow has it, and parts of variables. What R takes besides is in test-tensor-methods.R.

got <- function(x) c(as.array(x))

test_that("ends of ranges may be open, and slices be written in backticks", {
  x <- tensor(1:20)
  expect_identical(got(x[5:NULL]), 5:20)
  expect_identical(got(x[NULL:3]), 1:3)
  expect_identical(got(x[NULL:NULL:5]), c(1L, 6L, 11L, 16L))
  expect_identical(got(x[NULL:NULL:-5]), c(20L, 15L, 10L, 5L))
  expect_identical(got(x[`5:`]), 5:20)
  expect_identical(got(x[`:5:`]), 1:5)
  expect_identical(got(x[`::7`]), c(1L, 8L, 15L))
  expect_identical(got(x[`5:NULL:NULL`]), 5:20)
  expect_identical(got(x[`6:2:-2`]), c(6L, 4L, 2L))
  expect_identical(got(x[6:2:2]), c(6L, 4L, 2L))
})

test_that("Python's style counts from 0, and leaves the end out", {
  x <- tensor(matrix(1:40, 20))
  before <- options(tensorflow.extract.style = "python")
  on.exit(options(before))
  expect_identical(got(x[2:5, 0]), 3:5)
  expect_identical(got(x[2:-5, 0]), 3:15)
  expect_identical(got(x[2:5:2, 0]), c(3L, 5L))
  expect_identical(got(x[-2:-5:-1, 0]), 19:17)
  expect_identical(got(x[5:2:-2, 0]), c(6L, 4L))
  expect_identical(got(x[0:100, 1]), 21:40)
  expect_identical(dim(x[3:3, ]), c(0L, 2L))
  expect_identical(got(layer_lambda(f = function(x) x[, 0])(tensor(matrix(1:4, 2), "float32"))), c(1, 2))
  options(tensorflow.extract.style = NULL, tensorflow.extract.one_based = FALSE)
  expect_identical(got(x[1:2, 0]), 2:3)
  expect_identical(got(x[0, ]), c(1L, 21L))
  options(tensorflow.extract.one_based = NULL)
  expect_identical(got(x[2:5, 0, style = "python"]), 3:5)
  expect_identical(got(x[tf$constant(2L):tf$constant(5L), 1]), 3:5)
  expect_error(x[1, 1, style = "C"], "style", class = "nativenet_error_value")
})

test_that("slices of symbolic tensors are kept in files", {
  input <- layer_input(shape = 4)
  model <- keras_model(input, input[, 1:3, style = "python"])
  file <- tempfile()
  save_model(model, file)
  expect_identical(predict(load_model(file), matrix(1:8, 2)), predict(model, matrix(1:8, 2)))
  expect_identical(got(model(matrix(1:8, 2))), c(3, 4, 5, 6))
})

test_that("parts of variables change in place", {
  v <- variable(matrix(0, 2, 3))
  same <- v
  v[1, ] <- c(1, 2, 3)
  v[2, 2:3] <- 5
  expect_identical(as.array(same), rbind(c(1, 2, 3), c(0, 5, 5)))
  v[v > 4] <- 0
  expect_identical(as.array(v), rbind(c(1, 2, 3), 0))
  v[, -1] <- tensor(c(7, 8))
  v[] <- as.array(v) + 1
  expect_identical(as.array(v), rbind(c(2, 3, 8), c(1, 1, 9)))
  expect_error(v[1, ] <- 1:2, "does not fit", class = "nativenet_error_shape")
  expect_error(v[3, ] <- 1, "no position", class = "nativenet_error_index")
  fixed <- tensor(1:3)
  expect_error(fixed[1] <- 2L, "does not change", class = "nativenet_error_value")
})

test_that("the part of a mask goes back to where it came from", {
  x <- matrix(c(1, 7, 3, 9, 5, 11), 2)
  v <- variable(x)
  v[v > 4] <- v[v > 4]
  expect_identical(as.array(v), x)
  v[x > 4] <- c(10, 20, 30, 40) # row by row
  expect_identical(as.array(v), rbind(c(1, 3, 10), c(20, 30, 40)))
})

test_that("a part of a variable is assigned in place", {
  v <- tf$Variable(matrix(1:6 / 1, 2))
  v[1, ]$assign(c(9, 8, 7))
  expect_equal(as.array(v), rbind(c(9, 8, 7), c(2, 4, 6)))
  v[, 2]$assign_add(c(1, 1))
  v[2, 3]$assign_sub(6)
  expect_equal(as.array(v), rbind(c(9, 9, 7), c(2, 5, 0)))
  expect_error(tf$constant(1:3)[1]$assign(1), "only a variable has")
  expect_refusal(v[1, ]$assign(c(1, 2)), "shape", "does not fit a part")
})
