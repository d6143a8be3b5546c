test_that("losses of TensorFlow 1 are means of all numbers, or weighted ones", {
  y <- matrix(c(0, 1, 1, 0), 2)
  z <- matrix(c(0.3, -0.7, 1.2, 2), 2)
  p <- 1 / (1 + exp(-z))
  value <- function(x) as.array(x)
  expect_equal(value(tf$losses$sigmoid_cross_entropy(y, z)), mean(-y * log(p) - (1 - y) * log(1 - p)), tolerance = 1e-6)
  expect_equal(value(tf$losses$mean_squared_error(y, z)), mean((y - z)^2), tolerance = 1e-6)
  expect_equal(value(tf$losses$mean_squared_error(y, z, weights = matrix(c(2, 0), 2))),
    sum(2 * (y[1, ] - z[1, ])^2) / 2, tolerance = 1e-6)
  expect_equal(value(tf$losses$absolute_difference(y, z)), mean(abs(y - z)), tolerance = 1e-6)
  expect_equal(value(tf$losses$log_loss(y, p)), mean(-y * log(p) - (1 - y) * log(1 - p)), tolerance = 1e-5)
  expect_equal(value(tf$losses$huber_loss(y, z)), mean(ifelse(abs(y - z) < 1, (y - z)^2 / 2, abs(y - z) - 0.5)),
    tolerance = 1e-6)
  expect_equal(value(tf$losses$hinge_loss(y, z)), mean(pmax(0, 1 - (2 * y - 1) * z)), tolerance = 1e-6)
  s <- exp(z) / rowSums(exp(z))
  expect_equal(value(tf$losses$softmax_cross_entropy(y, z)), mean(-rowSums(y * log(s))), tolerance = 1e-6)
  expect_equal(value(tf$losses$sparse_softmax_cross_entropy(c(1L, 0L), z)), -mean(log(s[cbind(1:2, 2:1)])),
    tolerance = 1e-6)
  expect_identical(class(tf$losses$BinaryCrossentropy(from_logits = TRUE)), class(
    tf$keras$losses$BinaryCrossentropy(from_logits = TRUE)))
  expect_identical(tf$metrics, tf$keras$metrics)
})
