# Derivatives by finite differences, in float64, of f(inputs) -> tensor. Everything is about the number
# sum(weights * f(inputs)), with fixed weights that differ from element to element.

gradient_weights <- function(y) some(dims(y), 0.5, 1.5, k = 5)

#' The tape's gradients towards the inputs numbered `wants`, as arrays (NULL where there is none).
tape_gradients <- function(f, inputs, wants, dtype = "float64") {
  tensors <- lapply(inputs, function(x) if (is.double(x)) tensor(x, dtype) else tensor(x))
  tape <- gradient_tape()
  for (x in tensors[wants]) tape_watch(tape, x)
  y <- tape_record(tape, do.call(f, tensors))
  gradients <- tape_gradient(tape, list(y), tensors[wants], list(gradient_weights(y)))
  lapply(gradients, function(g) if (!is.null(g)) as.array(g))
}

#' d/dh of the weighted sum at x + h v, h = 0, where `at(h)` gives the inputs: central differences of fourth
#' order. The step is smaller than the distance of some()'s numbers from kinks; its error is about 1e-10.
central_difference <- function(f, at, step = 2^-15) {
  total <- function(h) {
    y <- do.call(f, lapply(at(h), function(x) if (is.double(x)) tensor(x, "float64") else tensor(x)))
    y <- as.array(y)
    sum(y * gradient_weights(y))
  }
  (8 * (total(step) - total(-step)) - (total(2 * step) - total(-2 * step))) / (12 * step)
}

#' All partial derivatives by inputs[[k]].
numeric_gradient <- function(f, inputs, k) {
  g <- inputs[[k]]
  for (i in seq_along(g)) {
    g[i] <- central_difference(f, function(h) {
      inputs[[k]][i] <- inputs[[k]][i] + h
      inputs
    })
  }
  g
}

#' Relative error of the tape's slope along one random direction of the inputs `wants` at once.
directional_error <- function(f, inputs, wants, gradients = tape_gradients(f, inputs, wants)) {
  along <- lapply(inputs[wants], function(x) array(stats::runif(length(x), -1, 1), c(dims(x), 1)))
  slope <- sum(unlist(Map(function(g, v) sum(c(g) * c(v)), gradients, along)))
  size <- sum(unlist(Map(function(g, v) sum(abs(c(g) * c(v))), gradients, along)))
  expected <- central_difference(f, function(h) {
    inputs[wants] <- Map(function(x, v) x + h * c(v), inputs[wants], along)
    inputs
  })
  abs(slope - expected) / max(size, 0.1)
}
