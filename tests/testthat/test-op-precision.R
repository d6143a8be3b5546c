# Digits that cancellation, overflow or long sums would cost, against plain R in double.

numbers <- function(x) as.vector(as.array(x))
close <- function(x, expected, tolerance = 1e-6) expect_lte(max(abs(numbers(x) / expected - 1)), tolerance)
single <- function(...) tensor(..., "float32")
gradient_at <- function(f, x) {
  v <- variable(x, "float32")
  with(gradient_tape() %as% tape, y <- f(v))
  numbers(tape$gradient(y, v))
}

test_that("log-softmax and the cross-entropies from logits do not depend on the size of the logits", {
  for (kernels in kernel_sets()) with_kernels(kernels, {
    for (n in c(3, 21)) for (size in c(0, 1e4, 1e7, 1e8)) {
      d <- rep(c(0, 0, -8), length.out = n)
      z <- single(matrix(size + d, 1))
      right <- d - log(sum(exp(d)))
      close(op_log_softmax(z), right)
      t <- single(matrix(rep(c(0.2, 0.5, 0.3), length.out = n), 1))
      close(op_categorical_crossentropy(t, z, from_logits = TRUE), -sum(numbers(t) * right))
      close(op_sparse_categorical_crossentropy(array(2L, 1), z, from_logits = TRUE), -right[3])
      close(op_binary_crossentropy(single(matrix(1, 1, n)), single(matrix(size + d - size, 1)), from_logits = TRUE,
        reduction = "mean"), mean(log1p(exp(-d))))
      # and towards the targets
      pull <- gradient_at(function(t) op_categorical_crossentropy(t, z, from_logits = TRUE), as.array(t))
      close(pull, -right)
    }
    wide <- tensor(matrix(1e15 + c(0, 1, 2), 1), "float64")
    close(op_log_softmax(wide), 0:2 - log(sum(exp(0:2))), 1e-14)
  })
})

test_that("small losses keep their digits", {
  e <- matrix(c(1e-6, -1e-4, 0.3, -0.7, 20, -200, 1e7), 7)
  exact <- ifelse(abs(e) < 0.01, e^2 / 2 - e^4 / 12, abs(e) + log1p(exp(-2 * abs(e))) - log(2))
  for (kernels in kernel_sets()) with_kernels(kernels, {
    close(op_logcosh(single(e * 0), single(e)), exact)
    close(gradient_at(function(p) op_logcosh(single(e * 0), p), e), tanh(e))
    close(gradient_at(op_softplus, c(-40, -20, -1, 0, 3, 50)), plogis(c(-40, -20, -1, 0, 3, 50)))
    close(gradient_at(op_expm1, c(-20, -1, 0, 2)), exp(c(-20, -1, 0, 2)))
  })
  small <- single(matrix(1e-5))
  close(loss_mean_squared_logarithmic_error(small, single(matrix(3e-5))), (log1p(3e-5) - log1p(1e-5))^2, 1e-5)
})

test_that("long float sums keep their digits, along any axis", {
  n <- 2e5
  for (kernels in kernel_sets()) with_kernels(kernels, {
    x <- single(matrix(0.1, n, 3))
    for (y in list(op_mean(x, 1), op_mean(x), op_mean(op_transpose(x, 2:1), 2))) close(y, 0.1, 5e-6)
    close(op_sum(op_reshape(x, c(-1, 3, 2)), c(1, 3)), n * 0.1)
    close(op_squared_error(single(matrix(0, 1, n)), single(matrix(0.1, 1, n))), 0.01)
    close(op_mean(tensor(matrix(0.1, 2000, 3), "float64"), 1), 0.1, 1e-12)
  })
  # infinite and missing numbers pass
  expect_identical(numbers(op_sum(single(cbind(c(1, Inf, rep(1, 600)), 1, c(NaN, rep(2, 601)))), 1)), c(Inf, 602, NaN))
  scale <- variable(1, "float32")
  with(gradient_tape() %as% tape, y <- op_sum(op_multiply(single(rep(0.1, n)), scale)))
  close(tape$gradient(y, scale), n * 0.1)
})

test_that("gradients of what all rows share keep their digits", {
  n <- 1e5
  x <- single(matrix(1, n, 1))
  w <- variable(matrix(0, 1, 5), "float32")
  b <- variable(rep(0, 5), "float32")
  # the sum of so many 0.1
  ways <- list(function() op_add(single(matrix(1, n, 5)), b), function() op_dense(x, w, b),
    function() op_conv(op_reshape(x, c(1, n, 1)), op_reshape(w, c(1, 1, 5)), bias = b),
    function() op_standardize(op_broadcast_to(x, c(n, 5)), offset = b)[[1]],
    function() op_multiply(single(matrix(1, n, 5)), b))
  for (kernels in kernel_sets()) with_kernels(kernels, for (f in ways) {
    with(gradient_tape() %as% tape, y <- op_sum(op_multiply(f(), 0.1)))
    close(tape$gradient(y, b), n * 0.1, 4e-6)
  })
  expect_identical(numbers({
    with(gradient_tape() %as% tape, y <- op_sum(op_multiply(op_add(single(matrix(1, 200, 5)), b),
      single(matrix(c(Inf, rep(1, 999)), 200)))))
    tape$gradient(y, b)
  }), c(Inf, rep(200, 4)))
})

test_that("variances of large numbers, and norms of very large and very small ones", {
  close(op_var(single(1e7 + 0:1)), 0.25)
  close(op_std(single(matrix(c(16777216 + 2 * (0:3), 0:3), 4)), 1), sqrt(c(5, 1.25)))
  close(op_l2_normalize(single(c(3e25, -4e25))), c(0.6, -0.8))
  close(tf$linalg$norm(single(c(3e25, 4e25))), 5e25)
  close(tf$linalg$norm(single(c(3e-25, 4e-25))), 5e-25)
  close(tf$linalg$global_norm(list(single(3e25), single(4e25))), 5e25)
  close(op_l2_normalize(c(3, 4)), c(0.6, 0.8), 1e-15)
  expect_identical(numbers(op_l2_normalize(c(0, 0))), c(0, 0))
  close(loss_cosine_similarity(single(matrix(c(1e25, 1e25), 1)), single(matrix(c(1e-3, 0), 1))), -sqrt(0.5))
  close(constraint_unitnorm()(single(matrix(c(3e25, 4e25)))), c(0.6, 0.8))
  v <- variable(c(0, 0), "float32")
  optimizer_sgd(1, clipnorm = 1)$apply_gradients(list(list(single(c(3e25, 4e25)), v)))
  close(v, -c(0.6, 0.8))
})

test_that("a number that is none reaches the results of a convolution that see it, and no others", {
  x <- array(some(c(1, 7, 8, 16)), c(1, 7, 8, 16))
  w <- array(some(c(3, 3, 16, 16)), c(3, 3, 16, 16))
  plain <- as.array(op_conv(x, w))
  for (value in c(Inf, NaN)) for (i in 1:7) for (j in 1:8) {
    x_with <- x
    x_with[1, i, j, 2] <- value
    found <- as.array(op_conv(x_with, w))
    sees <- rep(c(outer(1:5, 1:6, function(a, b) abs(a + 1 - i) <= 1 & abs(b + 1 - j) <= 1)), 16)
    expect_identical(is.finite(c(found)), !sees)
    expect_identical(found[!sees], plain[!sees])
  }
})

test_that("products of matrices with many zeros have the bits of all their terms, and NaN where these have", {
  set.seed(4)
  for (dtype in c("float32", "float64")) for (size in list(c(37, 300, 50), c(300, 33, 70), c(9, 600, 16))) {
    dense <- matrix(stats::rnorm(size[1] * size[2]), size[1])
    few <- dense * (stats::runif(size[1] * size[2]) < 0.03)
    few[, seq_len(size[2] %/% 3)] <- 0
    few[seq_len(size[1] %/% 3), ] <- 0
    b <- matrix(stats::rnorm(size[2] * size[3]), size[2])
    product <- function(a, b, ...) as.array(op_matmul(tensor(a, dtype), tensor(b, dtype), ...))
    marked <- ifelse(few == 0, 1e-300, few) # zero in float32; in float64 no term is left out, and none changes a sum
    expect_equal(product(few, b), few %*% b, tolerance = c(float32 = 1e-6, float64 = 1e-14)[[dtype]])
    expect_identical(product(t(few), b, transpose_x = TRUE), product(few, b))
    there <- product(few, b) != 0
    if (dtype == "float64") expect_identical(product(marked, b)[there], product(few, b)[there])
    b[3, 2] <- Inf # meets zeros only
    b[size[2], 5] <- NaN
    expect_identical(is.nan(product(few, b)), is.nan(few %*% b))
    for (threads in c(2, 5)) with_threads(threads, expect_identical(product(few, b), with_threads(1, product(few, b))))
  }
})
