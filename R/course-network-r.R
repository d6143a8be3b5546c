# The course's network in R, layer by layer, where a part is the user's own: back-propagation spelled out.

#' z[[l]] = y[[l]] W[[l]] + b[[l]] and y[[l + 1]] = f_l(z[[l]]); y[[1]] is the input.
#' @noRd
forward_in_r <- function(self, x) {
  y <- list(x)
  z <- list()
  p <- self$parameters
  for (l in seq_along(p$weights)) {
    z[[l]] <- as.array(op_dense(y[[l]], p$weights[[l]], array(p$biases[[l]], length(p$biases[[l]]))))
    activation <- self$parts$activations[[l]]
    y[[l + 1]] <- check_own(activation$forward(z[[l]]), z[[l]], activation, "forward")
  }
  list(y = y, z = z)
}

#' Back-propagation: delta is the gradient of the loss towards z[[l]].
#' @noRd
gradients_in_r <- function(self, x, t) {
  pass <- forward_in_r(self, x)
  parts <- self$parts
  last <- length(parts$activations)
  output <- pass$y[[last + 1]]
  gradient <- check_own(parts$loss$backward(t, output), output, parts$loss, "backward")
  weights <- biases <- vector("list", last)
  for (l in rev(seq_len(last))) {
    activation <- parts$activations[[l]]
    delta <- check_own(pull_back(activation, pass$z[[l]], gradient), pass$z[[l]], activation, "backward")
    w <- self$parameters$weights[[l]]
    weights[[l]] <- as.array(op_matmul(pass$y[[l]], delta, transpose_x = TRUE)) + parts$l1 * sign(w) + 2 * parts$l2 * w
    biases[[l]] <- colSums(delta)
    gradient <- as.array(op_matmul(delta, w, transpose_y = TRUE))
  }
  loss <- check_own(parts$loss$forward(t, output), 0, parts$loss, "forward")
  list(loss = loss + network_penalty(self), weights = weights, biases = biases)
}

step_in_r <- function(self, x, t) {
  check_finite(x)
  check_finite(t)
  g <- gradients_in_r(self, x, t)
  if (!is.finite(g$loss) || !all(is.finite(unlist(g[c("weights", "biases")])))) {
    abort("the loss or its gradient is no longer a finite number; the weights are the last good ones", class = "nan",
      fun = NULL)
  }
  moved <- self$parameters
  optimizer <- self$parts$optimizer
  for (what in c("weights", "biases")) {
    for (l in seq_along(moved[[what]])) {
      before <- moved[[what]][[l]]
      after <- optimizer_step(optimizer, before, g[[what]][[l]], paste(self$id, what, l))
      moved[[what]][[l]] <- check_own(after, before, optimizer, "step")
    }
  }
  if (!all(is.finite(unlist(moved)))) {
    abort("the step makes weights that are not finite numbers; they stay as they were", class = "nan", fun = "step")
  }
  self$parameters <- moved
  g$loss
}

fit_in_r <- function(self, x, y, epochs, batch_size, shuffle, after_epoch) {
  n <- nrow(x)
  losses <- double()
  for (epoch in seq_len(epochs)) {
    order <- if (shuffle) sample.int(n) else seq_len(n)
    total <- 0
    for (from in seq(1, n, by = batch_size)) {
      rows <- order[from:min(n, from + batch_size - 1)]
      total <- total + length(rows) * step_in_r(self, x[rows, , drop = FALSE], y[rows, , drop = FALSE])
    }
    losses[epoch] <- total / n
    if (isFALSE(after_epoch(epoch, 1, losses[epoch]))) break
  }
  losses
}

#' What a part of the user's own returned must look like `model`: a single number, or numbers of its shape.
#' @noRd
check_own <- function(value, model, object, method) {
  if (is.numeric(value) && length(value) == length(model) && identical(dim(value), dim(model))) return(value)
  wanted <- if (is.null(dim(model))) sprintf("%d numbers", length(model)) else
    paste("numbers of shape", format_shape(dim(model)))
  abort("class <", class(object)[1], "> must return ", wanted, ", not ", describe(value), class = "shape", fun = method)
}

#' The gradient with respect to an activation's input. A class of the user's own may lack pull().
#' @noRd
pull_back <- function(activation, z, gradient) {
  if (is(activation, "envRefClass") && "pull" %in% method_names(activation)) return(activation$pull(z, gradient))
  chain_rule(activation$backward(z), gradient)
}

#' A step of any optimizer object; ours keep a memory per parameter.
#' @noRd
optimizer_step <- function(optimizer, x, gradient, key) {
  if ("key" %in% names(formals(optimizer$step))) optimizer$step(x, gradient, key = key) else optimizer$step(x, gradient)
}

