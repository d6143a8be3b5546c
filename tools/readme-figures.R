# Draws the pictures of the README into man/figures, from data that the package makes by itself.
library(nativenet)

picture <- function(name, width, height) png(file.path("man/figures", name), width, height, res = 110)

# denoising.png: noisy digits, and what an autoencoder makes of them
set.seed(7)
digits <- dataset_digits(20000)
flat <- function(images) array_reshape(images / 255, c(dim(images)[1], 784))
noisy <- function(x) pmin(pmax(x + 0.3 * rnorm(length(x)), 0), 1)
x <- flat(digits$train$x)
x_test <- flat(digits$test$x)
model <- keras_model_sequential(input_shape = 784) |>
  layer_dense(256, activation = "relu") |>
  layer_dense(64, activation = "relu") |>
  layer_dense(256, activation = "relu") |>
  layer_dense(784, activation = "sigmoid")
model |> compile("adam", "binary_crossentropy")
model |> fit(noisy(x), x, epochs = 20, verbose = 0)
some <- vapply(0:9, function(d) which(digits$test$y == d)[1], 1L)
seen <- noisy(x_test[some, ])
picture("denoising.png", 1000, 330)
plot_images(list(original = x_test[some, ], noisy = seen, restored = predict(model, seen)), byrow = TRUE,
  limits = c(0, 1))
invisible(dev.off())

# xor.png: what three hidden units make of XOR
set.seed(3)
corners <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
is_odd <- c(0, 1, 1, 0)
network <- build_dense_neural_network(
  2, list(3, htan(), 1, sigmoid()), loss = binary_crossentropy(),
  optimizer = gradient_descent_optimizer(learning_rate = 0.5)
)
for (i in 1:500) network$train_on_batch(corners, is_odd)
picture("xor.png", 1000, 420)
par(mfrow = c(1, 2))
plot_network(network, method = "base")
plot_decision(network, corners, is_odd, method = "base")
invisible(dev.off())
