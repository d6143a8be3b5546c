# The fixed cost per step: XOR, 250 full-batch steps of plain gradient descent, beside plain R matrix code.
#
# usage: Rscript bench/small.R
library(nativenet)

x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
y <- matrix(c(0, 1, 1, 0))
set.seed(1)
network <- build_dense_neural_network(2, list(2, htan(), 1, sigmoid()), binary_crossentropy(), gradient_descent_optimizer(learning_rate = 0.25))

plain_r <- function(steps) {
  w1 <- network$weights[[1]]; b1 <- network$biases[[1]]; w2 <- network$weights[[2]]; b2 <- network$biases[[2]]
  for (i in seq_len(steps)) {
    h <- tanh(x %*% w1 + rep(b1, each = 4))
    p <- 1 / (1 + exp(-(h %*% w2 + rep(b2, each = 4))))
    d2 <- (p - y) / 4
    d1 <- (d2 %*% t(w2)) * (1 - h^2)
    w2 <- w2 - 0.25 * crossprod(h, d2); b2 <- b2 - 0.25 * colSums(d2)
    w1 <- w1 - 0.25 * crossprod(x, d1); b1 <- b1 - 0.25 * colSums(d1)
  }
}
milliseconds <- function(f) {
  f()
  1000 * median(replicate(9, system.time(for (i in 1:10) f())[["elapsed"]] / 10))
}
cat(sprintf("plain R          %6.2f ms\n", milliseconds(function() plain_r(250))))
cat(sprintf("train_on_batch() %6.2f ms\n", milliseconds(function() for (i in 1:250) network$train_on_batch(x, y))))
cat(sprintf("fit()            %6.2f ms\n", milliseconds(function() network$fit(x, y, epochs = 250, batch_size = 4))))
