# Lab backpropagation: Back-propagation by hand
# After each piece, save this file and run check_lab("backpropagation.R").

#' A network that learns XOR, in plain R: nothing but matrices. Every row of a matrix is a sample. You write the loss,
#' the activations, the optimizer and the network as reference classes; `nativenet` has classes of the same names, but
#' those that you define here are yours and come first.
#'
#' Derivatives can be compared with finite differences, `(f(x + h) - f(x - h)) / 2h`. The checks of this lab do so, and
#' you can, too.

library(nativenet)

#' ## The loss
#'
#' The binary cross-entropy of targets `y_true` and predictions `y_pred` between 0 and 1: summed over the outputs of a
#' sample, mean over the samples (the rows). `backward()` is its gradient with respect to each prediction, a matrix like
#' `y_pred`.

loss_function <- setRefClass("loss_function", methods = list(
  forward = function(y_true, y_pred) NA,
  backward = function(y_true, y_pred) NA
))

binary_crossentropy <- setRefClass("binary_crossentropy", contains = "loss_function", methods = list(
  forward = function(y_true, y_pred) {
    #!hwbegin TODO the loss, one number.\n What becomes of log(0)?
    tiny <- 1e-9
    right <- y_true * log(y_pred + tiny)
    wrong <- (1 - y_true) * log(1 - y_pred + tiny)
    -sum(right + wrong) / nrow(y_true)
    #!hwend
  },
  backward = function(y_true, y_pred) {
    #!hwbegin TODO its derivative with respect to each number of y_pred
    tiny <- 1e-9
    slope <- (1 - y_true) / (1 - y_pred + tiny) - y_true / (y_pred + tiny)
    slope / nrow(y_true)
    #!hwend
  }
))

#' ## Activations
#'
#' `forward(x)` is the activation of the pre-activations `x`; `backward(x)` its derivative at the same `x`.

activation <- setRefClass("activation", methods = list(
  forward = function(x) NA,
  backward = function(x) NA
))

relu <- setRefClass("relu", contains = "activation", methods = list(
  forward = function(x) {
    #!hwbegin TODO x where it is positive, else 0
    x * (x > 0)
    #!hwend
  },
  backward = function(x) {
    #!hwbegin TODO its slope at x
    1 * (x > 0)
    #!hwend
  }
))

sigmoid <- setRefClass("sigmoid", contains = "activation", methods = list(
  forward = function(x) {
    #!hwbegin TODO the logistic function
    1 / (1 + exp(-x))
    #!hwend
  },
  backward = function(x) {
    #!hwbegin TODO its slope at x
    s <- forward(x)
    s * (1 - s)
    #!hwend
  }
))

htan <- setRefClass("htan", contains = "activation", methods = list(
  forward = function(x) {
    #!hwbegin TODO the hyperbolic tangent
    tanh(x)
    #!hwend
  },
  backward = function(x) {
    #!hwbegin TODO its slope at x
    1 - tanh(x)^2
    #!hwend
  }
))

#' ## The optimizer
#'
#' One step of gradient descent from `x`, which may be a number, a vector or a matrix.

gradient_descent_optimizer <- setRefClass("gradient_descent_optimizer", fields = list(learning_rate = "numeric"),
  methods = list(
  step = function(x, gradient) {
    #!hwbegin TODO where the step ends
    x - learning_rate * gradient
    #!hwend
  }
))

#' ## The network
#'
#' Layer l takes Y to Z = Y W + b (b is added to every row) and hands on f(Z). Back-propagation goes the other way: from
#' the gradient with respect to f(Z) to that with respect to Z, from there to those of W, b and Y. `train_on_batch()`
#' returns the loss before its step; in a method, fields are changed with `<<-`.

dense_neural_network <- setRefClass("dense_neural_network",
  fields = list(weights = "list", biases = "list", activations = "list", loss = "loss_function",
    optimizer = "gradient_descent_optimizer"),
  methods = list(
    predict = function(batch_x) {
      result <- batch_x
      #!hwbegin TODO take result through all layers
      for (l in seq_along(weights)) {
        z <- sweep(result %*% weights[[l]], 2, biases[[l]], "+")
        result <- activations[[l]]$forward(z)
      }
      #!hwend
      result
    },
    train_on_batch = function(batch_x, batch_y) {
      outputs <- list(batch_x) # outputs[[l]] goes into layer l
      pre_activations <- list()
      #!hwbegin TODO the forward pass, which keeps\n all pre-activations and all outputs
      for (l in seq_along(weights)) {
        pre_activations[[l]] <- sweep(outputs[[l]] %*% weights[[l]], 2, biases[[l]], "+")
        outputs[[l + 1]] <- activations[[l]]$forward(pre_activations[[l]])
      }
      #!hwend
      batch_loss <- loss$forward(batch_y, outputs[[length(outputs)]])
      #!hwbegin TODO the gradients of all weights and biases, from the last layer to the first;\n then a step of each
      #with the optimizer (back through the weights as they were before the step)
      towards <- loss$backward(batch_y, outputs[[length(outputs)]])
      gradients <- list()
      for (l in rev(seq_along(weights))) {
        delta <- towards * activations[[l]]$backward(pre_activations[[l]])
        gradients[[l]] <- list(weights = crossprod(outputs[[l]], delta), biases = colSums(delta))
        towards <- tcrossprod(delta, weights[[l]])
      }
      for (l in seq_along(weights)) {
        weights[[l]] <<- optimizer$step(weights[[l]], gradients[[l]]$weights)
        biases[[l]] <<- optimizer$step(biases[[l]], gradients[[l]]$biases)
      }
      #!hwend
      batch_loss
    }
  )
)

#' ## XOR
#'
#' A network with random weights; `layers` alternates numbers of units and activations.

build_network <- function(input_size, layers, loss, optimizer) {
  units <- layers[seq(1, length(layers), 2)]
  sizes <- c(input_size, unlist(units))
  weights <- lapply(seq_along(units), function(l) {
    matrix(rnorm(sizes[l] * sizes[l + 1], sd = sqrt(2 / (sizes[l] + sizes[l + 1]))), sizes[l])
  })
  dense_neural_network(
    weights = weights, biases = lapply(units, numeric), activations = layers[seq(2, length(layers), 2)], loss = loss,
    optimizer = optimizer
  )
}

x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), ncol = 2, byrow = TRUE)
y <- matrix(c(0, 1, 1, 0))

#' Find a number of hidden units, a learning rate and a number of steps with which it learns. Does it from every start?
#' What do the hidden units look at?

set.seed(1)
#!hwbegin TODO make `network` with `build_network()` and train it on x and y;\n keep the loss of each step in `losses`
network <- build_network(2, list(4, htan(), 1, sigmoid()), binary_crossentropy(),
  gradient_descent_optimizer(learning_rate = 1))
losses <- vapply(1:400, function(i) network$train_on_batch(x, y), 0)
round(network$predict(x), 3)
plot(losses, type = "l", xlab = "step", ylab = "loss")
network$weights
#!hwend
