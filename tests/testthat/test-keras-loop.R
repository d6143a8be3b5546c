# Loops of Keras' backend.

test_that("map and fold", {
  x <- matrix(c(1, 2, 3, 4, 5, 6), 3)
  expect_equal(as.array(k_map_fn(function(row) k_sum(row^2), x)), array(rowSums(x^2)))
  expect_equal(as.array(k_map_fn(function(xy) xy[[1]] * xy[[2]], list(c(1, 2), c(3, 4)))), array(c(3, 8)))
  expect_identical(k_dtype(k_map_fn(function(x) x, c(1, 2), dtype = "int32")), "int32")
  expect_equal(as.array(k_foldl(function(so_far, x) so_far * 10 + x, c(1, 2, 3))), 123)
  expect_equal(as.array(k_foldr(function(so_far, x) so_far * 10 + x, c(1, 2, 3))), 321)
  expect_equal(as.array(k_foldl(function(so_far, x) so_far - x, c(1, 2), initializer = 10)), 7)
  expect_error(k_foldl(3, c(1, 2)), class = "nativenet_error_value")
})

test_that("k_rnn() is the loop of a simple recurrent layer, with masks and backwards, too", {
  set.seed(1)
  x <- array(rnorm(24), c(2, 4, 3))
  w <- matrix(rnorm(6), 3)
  u <- matrix(rnorm(4), 2)
  step <- function(x, states) {
    h <- k_tanh(k_dot(x, w) + k_dot(states[[1]], u))
    list(h, list(h))
  }
  plain <- function(at, mask = matrix(1, 2, 4)) {
    h <- matrix(0, 2, 2)
    for (t in at) h <- ifelse(mask[, t] == 1, 1, 0) * tanh(x[, t, ] %*% w + h %*% u) + ifelse(mask[, t] == 1, 0, 1) * h
    h
  }
  zero <- list(matrix(0, 2, 2))
  found <- k_rnn(step, x, zero)
  expect_equal(as.array(found[[1]]), plain(1:4), tolerance = 1e-6)
  expect_identical(dim(found[[2]]), c(2L, 4L, 2L))
  expect_equal(as.array(found[[2]])[, 4, ], as.array(found[[3]][[1]]))
  expect_equal(as.array(k_rnn(step, x, zero, go_backwards = TRUE)[[1]]), plain(4:1), tolerance = 1e-6)
  mask <- rbind(c(1, 0, 1, 0), c(1, 1, 1, 1))
  expect_equal(as.array(k_rnn(step, x, zero, mask = mask)[[3]][[1]]), plain(1:4, mask), tolerance = 1e-6)
  expect_error(k_rnn(function(x, s) x, x, zero), "must give list(output, states)", fixed = TRUE,
    class = "nativenet_error_value")
})
