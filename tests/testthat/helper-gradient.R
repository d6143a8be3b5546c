# Derivatives by finite differences, in float64, of f(inputs) -> tensor. Everything is about the number
# sum(weights * f(inputs)), with fixed weights that differ from element to element.

gradient_weights <- function(y) some(dims(y), 0.5, 1.5, k = 5)

#' The tape's gradients towards the inputs numbered `wants`, as arrays (NULL where there is none).
tape_gradients <- function(f, inputs, wants, dtype = "float64") {
  tensors <- as_tensors(inputs, dtype)
  tape <- gradient_tape()
  for (x in tensors[wants]) tape_watch(tape, x)
  y <- tape_record(tape, do.call(f, tensors))
  gradients <- tape_gradient(tape, list(y), tensors[wants], list(gradient_weights(y)))
  lapply(gradients, function(g) if (!is.null(g)) as.array(g))
}

as_tensors <- function(inputs, dtype = "float64") {
  lapply(inputs, function(x) if (is.double(x)) tensor(x, dtype) else tensor(x))
}

#' d/dh of the weighted sum at x + h v, h = 0, where `at(h)` gives the inputs, as tensors: central differences of fourth
#' order, or of second order, which take half the time. The step is smaller than the distance of some()'s numbers from
#' kinks; the error is about 1e-10, or 1e-10 times the third derivative.
central_difference <- function(f, at, step = 2^-15, weights = gradient_weights(do.call(f, at(0))), order = 4) {
  total <- function(h) sum(as.array(do.call(f, at(h))) * weights)
  near <- total(step) - total(-step)
  if (order == 2) near / (2 * step) else (8 * near - (total(2 * step) - total(-2 * step))) / (12 * step)
}

#' All partial derivatives by inputs[[k]].
numeric_gradient <- function(f, inputs, k, order = 4) {
  g <- x <- inputs[[k]]
  tensors <- as_tensors(inputs)
  weights <- gradient_weights(do.call(f, tensors))
  for (i in seq_along(g)) {
    g[i] <- central_difference(f, weights = weights, order = order, at = function(h) {
      x[i] <- x[i] + h
      tensors[[k]] <- tensor(x, "float64")
      tensors
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
    as_tensors(inputs)
  })
  abs(slope - expected) / max(size, 0.1)
}
