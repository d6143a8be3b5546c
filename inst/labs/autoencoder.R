# Lab autoencoder: An autoencoder with tied weights, as a module
# After each piece, save this file and run check_lab("autoencoder.R").

#' The decoder of a tied autoencoder has no weights of its own: it uses the encoder's, transposed. That halves what is
#' to be learned, and brings the network near to principal components. First on points in space, then on digits.
#'
#' A module is an object that holds variables: fields are set by `self$W1 <- ...`, and it is called like a function.
#' `?nn_module` has more; in Python this would be a class derived from `tf.Module`.

library(nativenet)
set.seed(1)

#' ## Points in space
#'
#' Three groups of points that lie almost in a plane, so that two numbers each should do.

group <- rep(1:3, each = 60)
angle <- 2 * pi * group / 3 + rnorm(180, sd = 0.3)
flat <- cbind(cos(angle), sin(angle))
points <- cbind(flat, 0.8 * flat[, 1] - 0.5 * flat[, 2]) + rnorm(3 * 180, sd = 0.05)
points <- tf$cast(points, tf$float32)

#' Variables in float32, with names that begin with W for weights and not so for biases.

new_weights <- function(rows, columns, name) {
  tf$Variable(matrix(rnorm(rows * columns, sd = sqrt(2 / (rows + columns))), rows), dtype = tf$float32, name = name)
}
new_bias <- function(size, name) tf$Variable(tf$zeros(c(1, size)), name = name)

#' `basic_ae(c(3, 2))` makes an autoencoder from 3 numbers to 2 and back. The code is ELU(x W1 + b1); the output, for
#' which any number should be within reach, is code W1' + b2, without an activation.

basic_ae <- nn_module("basic_ae",
  initialize = function(self, unit_nbrs) {
    #!hwbegin TODO the fields W1, b1 and b2
    self$W1 <- new_weights(unit_nbrs[1], unit_nbrs[2], "W1")
    self$b1 <- new_bias(unit_nbrs[2], "b1")
    self$b2 <- new_bias(unit_nbrs[1], "b2")
    #!hwend
  },
  encode = function(self, x) {
    #!hwbegin TODO the code of each row of x
    tf$nn$elu(tf$matmul(x, self$W1) + self$b1)
    #!hwend
  },
  call = function(self, x) {
    #!hwbegin TODO from the code back to x
    tf$matmul(self$encode(x), tf$transpose(self$W1)) + self$b2
    #!hwend
  }
)

#' Gradient descent on all points at once. The loss: squared differences, summed over a point's numbers, mean over
#' points.

train_full <- function(model, x, epochs, optimizer) {
  losses <- numeric(epochs)
  for (epoch in seq_len(epochs)) {
    #!hwbegin TODO the loss, on a tape
    with(tf$GradientTape() %as% tape, {
      loss <- tf$reduce_sum(tf$square(model(x) - x)) / nrow(x)
    })
    #!hwend
    variables <- model$trainable_variables
    optimizer$apply_gradients(zip_lists(tape$gradient(loss, variables), variables))
    losses[epoch] <- loss$numpy()
  }
  losses
}

#' Do the codes keep the three groups apart? How near is the loss to what two principal components leave?

#!hwbegin TODO make basic_model, train it, plot the losses and the codes;\n compare with prcomp()
basic_model <- basic_ae(c(3, 2))
losses <- train_full(basic_model, points, 300, tf$optimizers$Adam(learning_rate = 0.03))
plot(losses, type = "l", xlab = "epoch", ylab = "loss", log = "y")
plot(basic_model$encode(points)$numpy(), col = group, pch = 19, xlab = "", ylab = "", asp = 1)
left_by_pca <- prcomp(as.array(points))$sdev[3]^2
c(autoencoder = losses[300], pca = left_by_pca)
#!hwend

#' ## Digits, with more layers
#'
#' `ae(c(784, 128, 32))` goes from 784 numbers to 128, to 32, and the same way back: weights W1, W2, ... that both
#' halves use, and biases for each layer of each half. ELU after all layers but the last. A field may be a list of
#' variables.

ae <- nn_module("ae",
  initialize = function(self, unit_nbrs) {
    layers <- seq_len(length(unit_nbrs) - 1)
    #!hwbegin TODO lists of variables: the weights, the encoder's biases, the decoder's
    self$W <- lapply(layers, function(l) new_weights(unit_nbrs[l], unit_nbrs[l + 1], paste0("W", l)))
    self$up <- lapply(layers, function(l) new_bias(unit_nbrs[l + 1], paste0("up", l)))
    self$down <- lapply(layers, function(l) new_bias(unit_nbrs[l], paste0("down", l)))
    #!hwend
  },
  encode = function(self, x) {
    #!hwbegin TODO a loop over the layers
    for (l in seq_along(self$W)) x <- tf$nn$elu(tf$matmul(x, self$W[[l]]) + self$up[[l]])
    x
    #!hwend
  },
  call = function(self, x) {
    #!hwbegin TODO encode, then a loop over the layers from the last to the first
    x <- self$encode(x)
    for (l in rev(seq_along(self$W))) {
      x <- tf$matmul(x, tf$transpose(self$W[[l]])) + self$down[[l]]
      if (l > 1) x <- tf$nn$elu(x)
    }
    x
    #!hwend
  }
)

#' The penalty: the sum of the squares of all weights, but not of biases.

reg <- function(model) {
  #!hwbegin TODO a loop over model$trainable_variables that looks at the first letter of their names
  penalty <- 0
  for (v in model$trainable_variables) {
    if (startsWith(v$name, "W")) penalty <- penalty + tf$reduce_sum(tf$square(v))
  }
  penalty
  #!hwend
}

#' Mini-batches: each epoch takes all images in a new order, ten at a time. The loss is that of `train_full()` plus
#' lambda times the penalty. Returns the mean loss of each epoch.

train_batches <- function(model, x, epochs, optimizer, lambda = 1e-4, batch_size = 10) {
  #!hwbegin TODO loops over epochs and batches
  losses <- numeric(epochs)
  for (epoch in seq_len(epochs)) {
    order <- split(sample(nrow(x)), ceiling(seq_len(nrow(x)) / batch_size))
    for (rows in order) {
      batch <- tf$cast(x[rows, , drop = FALSE], tf$float32)
      with(tf$GradientTape() %as% tape, {
        loss <- tf$reduce_sum(tf$square(model(batch) - batch)) / nrow(batch) + lambda * reg(model)
      })
      variables <- model$trainable_variables
      optimizer$apply_gradients(zip_lists(tape$gradient(loss, variables), variables))
      losses[epoch] <- losses[epoch] + loss$numpy() / length(order)
    }
  }
  losses
  #!hwend
}

digits <- tryCatch(dataset_mnist(download = FALSE), error = function(e) dataset_digits(1200))
images <- array_reshape(digits$train$x[1:1200, , ] / 255, c(1200, 784))

#!hwbegin TODO make `model` and train it; show some images and what comes out
model <- ae(c(784, 128, 32))
losses <- train_batches(model, images, 3, tf$optimizers$Adam(learning_rate = 0.001))
losses
drawn <- model(tf$cast(images[1:8, ], tf$float32))$numpy()
plot_images(list(images[1:8, ], drawn), byrow = TRUE, limits = c(0, 1))
#!hwend
