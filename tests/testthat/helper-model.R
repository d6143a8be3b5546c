# Models in double precision, and their formulas in plain R.

#' Run code with layers of float64.
in_float64 <- function(code) {
  k_set_floatx("float64")
  on.exit(k_set_floatx("float32"))
  code
}

sigmoid_r <- function(z) 1 / (1 + exp(-z))
softmax_r <- function(z) exp(z - apply(z, 1, max)) / rowSums(exp(z - apply(z, 1, max)))
rows_plus <- function(x, b) x + rep(b, each = nrow(x))

#' A network of two layers, tanh and then `last`, whose gradients are worked out by hand. `p`: list(W1, b1, W2, b2).
two_layers <- function(last, loss) {
  forward <- function(p, x) {
    h <- tanh(rows_plus(x %*% p[[1]], p[[2]]))
    z <- rows_plus(h %*% p[[3]], p[[4]])
    list(h = h, y = switch(last, sigmoid = sigmoid_r(z), softmax = softmax_r(z), linear = z))
  }
  gradient <- function(p, x, y, w = rep(1, nrow(x))) {
    f <- forward(p, x)
    # of the mean over the rows, and of binary cross-entropy and squared error also over the outputs
    dz <- switch(loss,
      mean_squared_error = 2 * (f$y - y) / ncol(y), binary_crossentropy = (f$y - y) / ncol(y),
      categorical_crossentropy = f$y - y
    ) * w / nrow(x)
    dh <- dz %*% t(p[[3]]) * (1 - f$h^2)
    list(t(x) %*% dh, colSums(dh), t(f$h) %*% dz, colSums(dz))
  }
  values <- function(p, x, y) {
    q <- forward(p, x)$y
    switch(loss,
      mean_squared_error = rowMeans((q - y)^2), binary_crossentropy = -rowMeans(y * log(q) + (1 - y) * log(1 - q)),
      categorical_crossentropy = -rowSums(y * log(q))
    )
  }
  list(forward = forward, gradient = gradient, values = values)
}

# Steps of optimizers in Keras' form (api-facts of Keras 2.15): step(p, g, state, t) gives list(p, state).
adam_r <- function(rate = 0.001, b1 = 0.9, b2 = 0.999, eps = 1e-7) {
  function(p, g, s, t) {
    if (is.null(s)) s <- list(m = lapply(p, `*`, 0), v = lapply(p, `*`, 0))
    s$m <- Map(function(m, g) b1 * m + (1 - b1) * g, s$m, g)
    s$v <- Map(function(v, g) b2 * v + (1 - b2) * g^2, s$v, g)
    list(p = Map(function(p, m, v) p - rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps), p, s$m, s$v),
      state = s)
  }
}
rmsprop_r <- function(rate = 0.001, rho = 0.9, eps = 1e-7) {
  function(p, g, s, t) {
    if (is.null(s)) s <- lapply(p, `*`, 0)
    s <- Map(function(s, g) rho * s + (1 - rho) * g^2, s, g)
    list(p = Map(function(p, g, s) p - rate * g / sqrt(s + eps), p, g, s), state = s)
  }
}
sgd_r <- function(rate = 0.01) function(p, g, s, t) list(p = Map(function(p, g) p - rate * g, p, g), state = NULL)

#' Epochs in order, as fit(shuffle = FALSE) runs them: list(p, losses).
train_r <- function(net, p, x, y, step, batch, epochs, w = rep(1, nrow(x)), more = function(p) lapply(p, `*`, 0),
  penalty = function(p) 0) {
  s <- NULL
  t <- 0
  losses <- numeric()
  for (epoch in seq_len(epochs)) {
    total <- 0
    for (from in seq(1, nrow(x), batch)) {
      rows <- from:min(from + batch - 1, nrow(x))
      bx <- x[rows, , drop = FALSE]
      by <- y[rows, , drop = FALSE]
      total <- total + length(rows) * (mean(w[rows] * net$values(p, bx, by)) + penalty(p))
      g <- Map(`+`, net$gradient(p, bx, by, w[rows]), more(p))
      t <- t + 1
      r <- step(p, g, s, t)
      p <- lapply(seq_along(p), function(k) array(r$p[[k]], dim(as.array(p[[k]]))))
      s <- r$state
    }
    losses <- c(losses, total / nrow(x))
  }
  list(p = p, losses = losses)
}

expect_weights <- function(model, p, tolerance = 1e-9) {
  own <- get_weights(model)
  for (k in seq_along(p)) expect_equal(as.vector(own[[k]]), as.vector(p[[k]]), tolerance = tolerance)
}
