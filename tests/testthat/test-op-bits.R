# Bits against base R's, and in 64 bits against shifts by products.

test_that("int32 has the bits of R's integers", {
  x <- c(12L, -10L, 7L, 0L, -1L, .Machine$integer.max, -123456L, 123456789L)
  y <- rev(x)
  bits <- function(op, a, b) c(as.array(op(a, b)))
  expect_identical(bits(op_bitwise_and, x, y), bitwAnd(x, y))
  expect_identical(bits(op_bitwise_or, x, y), bitwOr(x, y))
  expect_identical(bits(op_bitwise_xor, x, y), bitwXor(x, y))
  expect_equal(c(as.array(op_bitwise_not(x))), -x - 1)
  expect_identical(op_bitwise_invert, op_bitwise_not)
  by <- c(0L, 1L, 5L, 31L, 30L, 3L, 2L, 8L)
  shifted <- x * 2^by
  wrapped <- (shifted + 2^31) %% 2^32 - 2^31
  expect_identical(c(as.array(op_cast(op_bitwise_left_shift(x, by), "float64"))), wrapped)
  expect_identical(c(as.array(op_bitwise_right_shift(x, by))), as.integer(floor(x / 2^by)))
  expect_identical(dim(op_bitwise_and(matrix(1:6, 2), 1:3)), 2:3)
  f <- autograph(function(a) op_left_shift(op_bitwise_xor(a, 5L), 2L))
  expect_identical(c(as.array(f(tensor(1:3)))), bitwXor(1:3, 5L) * 4L)
  expect_identical(op_right_shift, op_bitwise_right_shift)
})

test_that("int64 and truth values; what has no bits is refused", {
  big <- function(x) tensor(x, "int64")
  number <- function(x) c(as.array(op_cast(x, "float64")))
  expect_identical(number(op_bitwise_and(big(c(2^40 + 5, -7)), big(c(2^40, 2^41 + 1)))), c(2^40, 2^41 + 1))
  expect_identical(number(op_bitwise_or(big(2^40), big(2^33))), 2^40 + 2^33)
  expect_identical(number(op_bitwise_left_shift(big(c(3, -1)), big(c(40, 62)))), c(3 * 2^40, -2^62))
  expect_identical(number(op_bitwise_right_shift(big(c(2^45, -2^45)), big(c(40, 63)))), c(32, -1))
  t <- tensor(c(TRUE, TRUE, FALSE))
  u <- tensor(c(TRUE, FALSE, FALSE))
  expect_identical(c(as.array(op_bitwise_xor(t, u))), c(FALSE, TRUE, FALSE))
  expect_identical(c(as.array(op_bitwise_and(t, u))), c(TRUE, FALSE, FALSE))
  expect_identical(c(as.array(op_bitwise_or(t, u))), c(TRUE, TRUE, FALSE))
  expect_identical(c(as.array(op_bitwise_not(u))), c(FALSE, TRUE, TRUE))
  expect_error(op_bitwise_and(1.5, 2), "whole numbers", class = "nativenet_error_dtype")
  expect_error(op_left_shift(1L, 32L), "from 0 to 31", class = "nativenet_error_index")
  expect_error(op_right_shift(1L, -1L), class = "nativenet_error_index")
})

test_that("numbers of R take the dtype of the tensor beside them; two dtypes are refused", {
  large <- tensor(2^40 + 1, "int64")
  for (y in list(1, 1L)) {
    expect_identical(tensor_dtype(op_bitwise_xor(large, y)), "int64")
    expect_identical(as.array(op_bitwise_xor(large, y)), 2^40)
    expect_identical(as.array(op_bitwise_and(y, large)), 1L)
    expect_identical(as.array(op_right_shift(large, y)), 2^39)
  }
  for (f in list(op_bitwise_or, op_left_shift)) expect_error(f(large, tensor(1L)), "dtype int64 and `y` of int32",
    class = "nativenet_error_dtype")
  expect_error(op_bitwise_and(tensor(TRUE), 2L), "dtype bool and `y` of int32", class = "nativenet_error_dtype")
})
