# Lab tensors: Autoencoders with tensors, tapes and compiled steps
# After each piece, save this file and run check_lab("tensors.R").

#' An autoencoder squeezes images into a few numbers and draws them again from these. First with two matrices and a
#' tape, then with several layers, a pipeline of data, and a training step that is compiled.
#'
#' The images are those of MNIST if they are on this computer, else such as the package draws: small numbers from 0 to
#' 255 of shape (images, 28, 28).

library(nativenet)

set.seed(1)
digits <- tryCatch(dataset_mnist(download = FALSE), error = function(e) dataset_digits(3000))
images <- digits$train$x[1:2000, , ]
x_train <- array_reshape(images / 255, c(nrow(images), 784)) # a row per image, from 0 to 1

#' ## Two matrices
#'
#' The code of an image x, a row, is x E, and what is drawn from a code z is z D. Without activations and biases this
#' finds the same as principal components do. R's matrices are float64, and so are variables made of them.

latent_size <- 32
random_matrix <- function(rows, columns) matrix(rnorm(rows * columns, sd = sqrt(2 / (rows + columns))), rows)

#!hwbegin TODO two variables, weights_encoder and weights_decoder
weights_encoder <- tf$Variable(random_matrix(784, latent_size))
weights_decoder <- tf$Variable(random_matrix(latent_size, 784))
#!hwend

optimizer <- tf$optimizers$Adam(learning_rate = 0.003)

#' The loss of a batch: squared differences, summed over pixels, mean over images. Only what happens inside of `with()`
#' is on the tape, which then tells the gradients. The step returns the loss as a number of R.

linear_step <- function(batch) {
  #!hwbegin TODO the loss of the batch, on a tape;\n its gradients; a step of the optimizer; the loss, by $numpy()
  with(tf$GradientTape() %as% tape, {
    drawn <- tf$matmul(tf$matmul(batch, weights_encoder), weights_decoder)
    loss <- tf$reduce_sum(tf$square(drawn - batch)) / nrow(batch)
  })
  variables <- list(weights_encoder, weights_decoder)
  optimizer$apply_gradients(zip_lists(tape$gradient(loss, variables), variables))
  loss$numpy()
  #!hwend
}

for (i in 1:60) {
  batch <- x_train[sample(nrow(x_train), 32), ]
  loss <- linear_step(batch)
  if (i %% 20 == 0) cat("step", i, "loss", loss, "\n")
}

#' ## A pipeline
#'
#' The same images as a data set: shuffled, in batches of 32, as float32, each image a row of 784 numbers from 0 to 1.

train_dataset <- images %>%
  tensor_slices_dataset() %>%
  #!hwbegin TODO what dataset_map() does to each image:\n a row of 784 numbers, float32, from 0 to 1
  dataset_map(function(x) tf$cast(k_flatten(x), tf$float32) / 255) %>%
  #!hwend
  dataset_shuffle(nrow(images)) %>%
  dataset_repeat(3) %>%
  dataset_batch(32)

#' ## More layers
#'
#' `make_dense()` makes the two variables of a layer, in float32: random weights of shape (inputs, outputs), and biases
#' of shape (1, outputs) that are 0. `c()` of such lists is one flat list.

make_dense <- function(input_size, output_size) {
  #!hwbegin TODO a list of two variables
  list(
    tf$Variable(random_matrix(input_size, output_size), dtype = tf$float32),
    tf$Variable(tf$zeros(c(1, output_size)), dtype = tf$float32)
  )
  #!hwend
}

encoder_params <- c(
  #!hwbegin TODO the layers of the encoder: from 784 numbers to latent_size, through a layer between
  make_dense(784, 128),
  make_dense(128, latent_size)
  #!hwend
)

decoder_params <- c(
  #!hwbegin TODO the layers of the decoder
  make_dense(latent_size, 128),
  make_dense(128, 784)
  #!hwend
)

encoder <- function(inputs) {
  #!hwbegin TODO codes of the inputs; an activation after all layers but the last
  hidden <- tf$nn$relu(tf$matmul(inputs, encoder_params[[1]]) + encoder_params[[2]])
  tf$matmul(hidden, encoder_params[[3]]) + encoder_params[[4]]
  #!hwend
}

decoder <- function(latent) {
  #!hwbegin TODO images of the codes
  hidden <- tf$nn$relu(tf$matmul(latent, decoder_params[[1]]) + decoder_params[[2]])
  tf$matmul(hidden, decoder_params[[3]]) + decoder_params[[4]]
  #!hwend
}

#' ## A compiled step
#'
#' `autograph()` follows the function once and keeps what it does as a program of the engine. Write it like
#' `linear_step()`, but return the loss as it is, a tensor.

optimizer <- tf$optimizers$Adam(learning_rate = 0.002)

training_step <- autograph(function(batch) {
  #!hwbegin TODO the loss, on a tape
  with(tf$GradientTape() %as% tape, {
    loss <- tf$reduce_sum(tf$square(decoder(encoder(batch)) - batch)) / as.numeric(nrow(batch))
  })
  #!hwend

  #!hwbegin TODO the gradients with respect to all variables, and a step
  variables <- c(encoder_params, decoder_params)
  optimizer$apply_gradients(zip_lists(tape$gradient(loss, variables), variables))
  #!hwend

  loss
})

train <- autograph(function(num_batches) {
  i <- 0
  for (batch in train_dataset) {
    loss <- training_step(batch)
    if (i %% 50 == 0) cat("batch", i, "loss", loss$numpy(), "\n")
    i <- i + 1
    if (i >= num_batches) break
  }
})

train(180)

#' Images, and what comes out. Which activation, which size of the code, which learning rate does best?

some <- tf$cast(x_train[1:8, ], tf$float32)
plot_images(list(x_train[1:8, ], decoder(encoder(some))$numpy()), byrow = TRUE, limits = c(0, 1))
