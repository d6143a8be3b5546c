# Networks that read digits, clean them and lay them out in a plane, with pictures.
#
# usage: Rscript digits.R [folder for the pictures]
# Trains on MNIST where it is found or can be downloaded, and on digits drawn by the package otherwise.
library(nativenet)

args <- commandArgs(trailingOnly = TRUE)
folder <- if (length(args)) args[1] else "demo-output"
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
draw <- function(name, width, height, plot) { # `plot` is evaluated when the device is open
  png(file.path(folder, name), width, height, res = 110)
  on.exit(dev.off())
  if (inherits(plot, "ggplot")) print(plot)
}

digits <- tryCatch(
  list(data = dataset_mnist(), name = "MNIST"),
  nativenet_error_offline = function(e) {
    cat("MNIST is neither here nor reachable; drawing digits instead.\n")
    set.seed(1)
    list(data = dataset_digits(20000), name = "drawn digits")
  }
)
train <- digits$data$train
test <- digits$data$test
flat <- function(images) array_reshape(images / 255, c(dim(images)[1], 784)) # a row per image
x <- flat(train$x)
x_test <- flat(test$x)
cat(sprintf("%s: %d images to train on, %d to test\n\n", digits$name, nrow(x), nrow(x_test)))
timed <- function(code) system.time(code)[["elapsed"]]

cat("A classifier of the course's classes: 784 pixels, 256 hidden units, 10 classes\n")
set.seed(42)
classifier <- build_dense_neural_network(
  784, list(256, relu(), 10, softmax()),
  loss = categorical_crossentropy(), optimizer = adam_optimizer(), dtype = "float32"
)
seconds <- timed(classifier$fit(x, train$y, epochs = 8, validation_data = list(x_test, test$y), verbose = TRUE))
cat(sprintf("Test accuracy %.2f %% after %.1f s\n\n", 100 * classifier$evaluate(x_test, test$y)$accuracy, seconds))
draw("weights.png", 1000, 520, plot_weights(classifier, units = 1:32, byrow = TRUE, nrow = 4))

guess <- max.col(classifier$predict(x_test)) - 1L
shown <- head(which(guess != test$y), 20)
titles <- sprintf("%d, said %d", test$y[shown], guess[shown])
draw("mistakes.png", 1000, 260, plot_images(x_test[shown, ], byrow = TRUE, nrow = 2, titles = titles))

cat("A denoising autoencoder in Keras' words: it gets noisy images and is to return the clean ones\n")
noisy <- function(x) pmin(pmax(x + 0.3 * rnorm(length(x)), 0), 1)
pixels <- layer_input(shape = 784)
restored <- pixels |>
  layer_dense(256, activation = "relu") |>
  layer_dense(64, activation = "relu") |>
  layer_dense(256, activation = "relu") |>
  layer_dense(784, activation = "sigmoid")
cleaner <- keras_model(pixels, restored)
cleaner |> compile("adam", "binary_crossentropy")
seconds <- timed(history <- cleaner |> fit(noisy(x), x, epochs = 15, verbose = 2,
  validation_data = list(noisy(x_test), x_test)))
cat(sprintf("%.1f s\n\n", seconds))
draw("learning.png", 800, 420, plot(history))

some <- vapply(0:9, function(d) which(test$y == d)[1], 1L)
seen <- noisy(x_test[some, ])
rows <- list(original = x_test[some, ], noisy = seen, restored = predict(cleaner, seen))
draw("denoising.png", 1000, 340, plot_images(rows, byrow = TRUE, limits = c(0, 1)))
rm(classifier, cleaner, history) # models keep the memory of the data they were fitted to: a machine may have 1 GB only

cat("An autoencoder with two numbers in the middle: a map of the digits, made without their names\n")
code <- pixels |> layer_dense(128, activation = "tanh") |> layer_dense(32, activation = "tanh") |> layer_dense(2)
decoded <- code |>
  layer_dense(32, activation = "tanh") |>
  layer_dense(128, activation = "tanh") |>
  layer_dense(784, activation = "sigmoid")
mapper <- keras_model(pixels, decoded)
mapper |> compile(optimizer_adam(0.002), "binary_crossentropy")
seconds <- timed(mapper |> fit(x, x, epochs = 20, verbose = 0))
cat(sprintf("%.1f s\n\n", seconds))
codes <- predict(keras_model(pixels, code), x_test[1:2000, ])
draw("map.png", 900, 700, plot_embedding(codes, factor(test$y[1:2000])))
rm(mapper, x, x_test)

cat("A convolutional network: filters, what they make of a digit, and where it finds the classes\n")
set.seed(42)
pictures <- function(images) array(images / 255, c(dim(images), 1))
reader <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
  layer_conv_2d(16, 5, padding = "same", activation = "relu") |>
  layer_max_pooling_2d() |>
  layer_conv_2d(32, 3, padding = "same", activation = "relu") |>
  layer_max_pooling_2d() |>
  layer_conv_2d(48, 3, padding = "same", activation = "relu") |>
  layer_global_average_pooling_2d() |> # so that each map speaks for or against a class as a whole
  layer_dense(10, activation = "softmax")
reader |> compile(optimizer_adam(0.003), "sparse_categorical_crossentropy", metrics = "accuracy")
seconds <- timed(reader |> fit(pictures(train$x), train$y, epochs = 3, verbose = 2))
score <- evaluate(reader, pictures(test$x), test$y, verbose = 0)[["accuracy"]]
cat(sprintf("Test accuracy %.2f %% after %.1f s\n\n", 100 * score, seconds))
draw("filters.png", 900, 300, plot_weights(reader, layer = 1))
draw("feature-maps.png", 900, 520, plot_activations(reader, pictures(test$x[some[4], , , drop = FALSE]), layer = 3))
draw("class-activation.png", 1000, 260, plot_grad_cam(reader, pictures(test$x[some, , ])))

set.seed(3)
corners <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
is_odd <- c(0, 1, 1, 0)
xor <- build_dense_neural_network(
  2, list(3, htan(), 1, sigmoid()), loss = binary_crossentropy(),
  optimizer = gradient_descent_optimizer(learning_rate = 0.5)
)
for (i in 1:500) xor$train_on_batch(corners, is_odd)
draw("xor-plane.png", 700, 560, plot_decision(xor, corners, is_odd))
draw("xor-network.png", 800, 560, plot_network(xor))

cat("Pictures are in ", normalizePath(folder), ":\n  ", paste(list.files(folder, "png$"), collapse = "\n  "), "\n",
  sep = "")
