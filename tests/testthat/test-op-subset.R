# Parts of tensors against R's own `[`.

value <- function(x) as.array(x)

test_that("parts are those of R's arrays, with the axes that no index names", {
  x <- array(1:24 + 0, c(2, 3, 4))
  t <- tensor(x)
  expect_identical(value(op_subset(t, 1)), x[1, , ])
  expect_identical(value(op_subset(t, 2, 3, 4)), x[2, 3, 4])
  expect_identical(value(op_subset(t, .., 2)), x[, , 2])
  expect_identical(value(op_subset(t, 1, .., 2:3)), x[1, , 2:3])
  expect_identical(value(op_subset(t, , c(3, 1))), x[, c(3, 1), ])
  expect_identical(value(op_subset(t, , , NA:2)), x[, , 1:2])
  expect_identical(value(op_subset(t, , , 2:NA)), x[, , 2:4])
  expect_identical(value(op_subset(t, , , NA:NA:2)), x[, , c(1, 3)])
  expect_identical(value(op_subset(t, , , NA:NA:-1)), x[, , 4:1])
  expect_identical(c(value(op_subset(t, -1, -1))), x[2, 3, ])
  expect_identical(value(op_subset(t, c(TRUE, FALSE))), x[1, , , drop = FALSE])
  expect_identical(dim(op_subset(t, newaxis, 1)), c(1L, 3L, 4L))
  expect_identical(dim(op_subset(t, , newaxis, .., newaxis)), c(2L, 1L, 3L, 4L, 1L))
  expect_identical(value(op_subset(t, tensor(c(2L, 1L)), tensor(3L))), x[2:1, 3, ])
  # row by row, as row-major order has it
  expect_identical(c(value(op_subset(t, x > 12))), aperm(x)[aperm(x > 12)])
  at <- rbind(c(1, 1, 1), c(2, 3, 4), c(1, 2, 3), c(-1, -1, -1))
  expect_identical(c(value(op_subset(t, at))), c(x[at[1:3, ]], x[2, 3, 4]))
  expect_identical(value(op_subset(x, 1)), x[1, , ])
  s <- layer_input(c(3, 4))
  expect_identical(dim(op_subset(s, .., 1)), c(NA, 3L))
  expect_identical(dim(op_subset(s, , 2:NA)), c(NA, 2L, 4L))
  model <- keras_model(s, op_subset(s, .., 2:3))
  expect_equal(as.array(model(x)), x[, , 2:3])
  expect_error(op_subset(t, 3), class = "nativenet_error_index")
  expect_error(op_subset(t, 1, 1, 1, 1), class = "nativenet_error_index")
  expect_error(op_subset(t, rbind(c(1, 4, 1))), class = "nativenet_error_index")
})

test_that("other parts are put where R's arrays have them; gradients go to what is kept and what is put", {
  x <- array(1:24 + 0, c(2, 3, 4))
  same <- function(put, ...) {
    new <- x
    new[...] <- put
    expect_identical(value(op_subset_set(tensor(x), ..., value = put)), new)
  }
  same(0, 1, 2, 3)
  same(-(1:4), 1, 2, 1:4)
  same(9, x > 5)
  same(c(-1, -2), rbind(c(1, 1, 1), c(2, 3, 4)))
  y <- x
  y[, 2, ] <- 7
  t <- tensor(x)
  op_subset(t, , 2) <- 7
  expect_identical(value(t), y)
  v <- variable(x)
  other <- v
  op_subset(v, , 2) <- 7
  expect_identical(value(other), y)
  expect_true(all(check_gradient(function(a, b) op_sum(op_square(op_subset_set(a, , 2, value = b))), matrix(1:6 / 7, 2),
    c(0.3, 0.4))$ok))
  expect_error(op_subset_set(t, 1, value = 1:5), class = "nativenet_error_shape")
  expect_error(op_subset_set(t, 1), "`value`", class = "nativenet_error_value")
  expect_error(op_subset_set(layer_input(2), 1, value = 0), class = "nativenet_error_missing")
})

test_that("a graph takes and puts parts as R does", {
  f <- autograph(function(x) op_subset_set(x, 1, value = op_subset(x, 2)) * 2)
  x <- matrix(1:4 + 0, 2)
  expect_identical(value(f(tensor(x))), 2 * x[c(2, 2), ])
  expect_identical(value(f(tensor(x + 1))), 2 * (x + 1)[c(2, 2), ])
})

test_that("a part of whole numbers takes no broken ones", {
  expect_refusal(op_subset_set(tensor(1:3), 1, value = 0.5), "value", "not whole", "int32")
  expect_refusal(op_subset_set(tensor(1:3), 1, value = tensor(0.5)), "dtype", "`op_subset_set()`", "int32")
  x <- 1:3
  expect_refusal(op_subset(x, 1) <- 0.5, "value", "not whole")
  expect_identical(as.array(op_subset_set(tensor(1:3), 1, value = 7)), array(c(7L, 2L, 3L)))
})
