# Lab denoising: Shallow, deep and denoising autoencoders
# After each piece, save this file and run check_lab("denoising.R").

#' Three autoencoders as models of layers: with one hidden layer, with three, and one that is shown spoiled images and
#' learns to give the clean ones.
#'
#' Images are rows of 784 numbers from 0 to 1: MNIST if it is on this computer, else digits that the package draws. Try
#' Fashion-MNIST, too.

library(nativenet)
set.seed(1)

digits <- tryCatch(dataset_mnist(download = FALSE), error = function(e) dataset_digits(2400, 500))
rows_of <- function(images, n) array_reshape(images[seq_len(n), , ] / 255, c(n, 784))
x_train <- rows_of(digits$train$x, 2400)
x_test <- rows_of(digits$test$x, 500)

#' ## One hidden layer
#'
#' From 784 numbers to `code_size` with ReLU and back to 784 with sigmoid, built by `layer_input()`, `layer_dense()` and
#' `keras_model()`. Compile it with Adam and the binary cross-entropy. How many numbers are to be learned?

build_shallow <- function(code_size = 32) {
  #!hwbegin TODO a compiled model
  pixels <- layer_input(shape = 784)
  drawn <- pixels %>%
    layer_dense(code_size, activation = "relu") %>%
    layer_dense(784, activation = "sigmoid")
  keras_model(pixels, drawn) %>% compile(optimizer_adam(learning_rate = 0.003), loss = "binary_crossentropy")
  #!hwend
}

#!hwbegin TODO `shallow`: a model that is fitted to x_train, with x_train as its target
shallow <- build_shallow()
shallow %>% fit(x_train, x_train, epochs = 8, validation_data = list(x_test, x_test), verbose = 0)
#!hwend

#' Pictures: images, what comes out, and what the units of the hidden layer look at.

#!hwbegin TODO plot_images() of some rows of x_test and of their predictions;\n columns of get_weights(shallow)[[1]] as
#images
plot_images(list(x_test[1:10, ], predict(shallow, x_test[1:10, ])), byrow = TRUE, limits = c(0, 1))
plot_images(t(get_weights(shallow)[[1]])[1:12, ], byrow = TRUE)
#!hwend

#' ## Three hidden layers
#'
#' 784, 128, 32, 128, 784: all with ReLU but the last, which has sigmoid.

build_deep <- function(hidden_size = 128, code_size = 32) {
  #!hwbegin TODO a compiled model
  pixels <- layer_input(shape = 784)
  drawn <- pixels %>%
    layer_dense(hidden_size, activation = "relu") %>%
    layer_dense(code_size, activation = "relu") %>%
    layer_dense(hidden_size, activation = "relu") %>%
    layer_dense(784, activation = "sigmoid")
  keras_model(pixels, drawn) %>% compile(optimizer_adam(learning_rate = 0.003), loss = "binary_crossentropy")
  #!hwend
}

#!hwbegin TODO `deep`, fitted like shallow. Is it better?
deep <- build_deep()
deep %>% fit(x_train, x_train, epochs = 8, validation_data = list(x_test, x_test), verbose = 0)
c(shallow = evaluate(shallow, x_test, x_test, verbose = 0)[["loss"]],
  deep = evaluate(deep, x_test, x_test, verbose = 0)[["loss"]])
#!hwend

#' ## Taking noise away
#'
#' Normal noise with standard deviation `noise_factor` on each pixel; what leaves the range from 0 to 1 is set to its
#' end.

add_noise <- function(x, noise_factor = 0.2) {
  #!hwbegin TODO spoiled images, a matrix like x
  noisy <- x + rnorm(length(x), sd = noise_factor)
  pmin(pmax(noisy, 0), 1)
  #!hwend
}

#!hwbegin TODO `denoiser`: a deep model that is given spoiled images, and whose targets are the clean ones
denoiser <- build_deep()
denoiser %>% fit(add_noise(x_train), x_train, epochs = 8, verbose = 0)
spoiled <- add_noise(x_test[1:10, ])
plot_images(list(x_test[1:10, ], spoiled, predict(denoiser, spoiled)), byrow = TRUE, limits = c(0, 1),
  labels = c("clean", "spoiled", "mended"))
#!hwend

#' ## How large a code?
#'
#' `errors`: a data frame with the columns `size`, `train` and `test`: the loss of shallow models with codes of several
#' sizes, from small to large, after training, on both sets of images. Where does a larger code stop to help?

#!hwbegin TODO a loop over at least three sizes; plot both losses over the size
errors <- do.call(rbind, lapply(c(4, 16, 64), function(size) {
  model <- build_shallow(size)
  history <- model %>% fit(x_train, x_train, epochs = 5, validation_data = list(x_test, x_test), verbose = 0)
  data.frame(size = size, train = tail(history$metrics$loss, 1), test = tail(history$metrics$val_loss, 1))
}))
errors
matplot(errors$size, errors[c("train", "test")], type = "b", pch = 19, lty = 1, xlab = "size of the code",
  ylab = "loss")
#!hwend
