# einops' patterns against aperm().

# from R's columns to rows in row-major order, and back
rows_of <- function(x, shape) aperm(array(aperm(x), rev(shape)))

test_that("axes are permuted, merged and taken apart in row-major order", {
  x <- array(1:120 + 0, c(2, 3, 4, 5))
  r <- function(pattern, ...) as.array(op_rearrange(x, pattern, ...))
  expect_identical(r("a b c d -> d a c b"), aperm(x, c(4, 1, 3, 2)))
  expect_identical(r("a b c d -> a (b c) d"), rows_of(x, c(2, 12, 5)))
  expect_identical(r("a b c d -> (d a) (c b)"), rows_of(aperm(x, c(4, 1, 3, 2)), c(10, 12)))
  expect_identical(dim(r("a b (c1 c) d -> (a c1) 1 b c d", c1 = 2)), c(4L, 1L, 3L, 2L, 5L))
  expect_identical(as.array(op_rearrange(r("a b (c e) d -> (b e) (a c) d", e = 2), "(b e) (a c) d -> a b (c e) d",
    e = 2, a = 2)), x)
  expect_identical(as.array(op_rearrange(matrix(1:3, 1), "1 n -> n")), array(1:3))
  expect_true(check_gradient(function(x) op_sum(op_square(op_rearrange(x, "a b -> b a") * matrix(1:6, 3))),
    matrix(1:6 / 7, 2))$ok)
  f <- autograph(function(x) op_rearrange(x, "a b -> (b a)"))
  expect_identical(as.array(f(tensor(matrix(1:4, 2)))), array(1:4))
  expect_identical(dim(op_rearrange(layer_input(c(4, 6)), "b h (w v) -> b (h v) w", v = 2)), c(NA, 8L, 3L))
})

test_that("patterns that do not fit are refused", {
  x <- array(0, c(2, 3, 4))
  expect_error(op_rearrange(x, "a b -> b a"), "2 axes", class = "nativenet_error_shape")
  expect_error(op_rearrange(x, "a b c -> a b"), "same axes")
  expect_error(op_rearrange(x, "a b (c d) -> a b c d"), "all sizes but one", class = "nativenet_error_shape")
  expect_error(op_rearrange(x, "a b (c d) -> a b c d", c = 3), "product", class = "nativenet_error_shape")
  expect_error(op_rearrange(matrix(1, 3, 4), "a (b c) -> a b c", b = 3, c = 2), "is no product of b = 3, c = 2",
    class = "nativenet_error_shape")
  expect_error(op_rearrange(x, "a b (c d -> a b c d"), "open")
  expect_error(op_rearrange(x, "a a c -> a c"), "twice")
  expect_error(op_rearrange(x, "a b ... -> a ..."), "letters")
  expect_error(op_rearrange(x, "a b c"), "two sides")
  expect_error(op_rearrange(x, "a b c -> c b a", e = 2), "names of axes")
})

test_that("a size that does not divide its axis is an error of op_rearrange()", {
  expect_refusal(op_rearrange(matrix(1, 3, 4), "(a c) b -> a c b", a = 2), "shape", "`op_rearrange()`: axis 1", "a = 2")
})
