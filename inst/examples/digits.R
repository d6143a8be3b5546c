# A classifier and an autoencoder on digits, with pictures.
#
# usage: Rscript digits.R [folder for the pictures]
# Trains on MNIST where it is found or can be downloaded, and on digits drawn by the package otherwise.
library(nativenet)

args <- commandArgs(trailingOnly = TRUE)
folder <- if (length(args)) args[1] else "demo-output"
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
picture <- function(name, width, height) png(file.path(folder, name), width, height, res = 110)

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
flat <- function(images) matrix(images, dim(images)[1]) / 255 # a row per image
x <- flat(train$x)
x_test <- flat(test$x)
cat(sprintf("%s: %d images to train on, %d to test\n\n", digits$name, nrow(x), nrow(x_test)))

cat("A classifier: 784 pixels, 256 hidden units, 10 classes\n")
set.seed(42)
classifier <- build_dense_neural_network(
  784, list(256, relu(), 10, softmax()),
  loss = categorical_crossentropy(), optimizer = adam_optimizer(), dtype = "float32"
)
epochs <- 8
seconds <- system.time(
  history <- classifier$fit(x, train$y, epochs = epochs, validation_data = list(x_test, test$y), verbose = TRUE)
)[["elapsed"]]
cat(sprintf("Test accuracy %.2f %% after %.1f s\n\n", 100 * classifier$evaluate(x_test, test$y)$accuracy, seconds))

cat("An autoencoder: 784 pixels, 64 numbers, 784 pixels (the loss is summed over the pixels)\n")
autoencoder <- build_dense_neural_network(
  784, list(64, relu(), 784, sigmoid()),
  loss = binary_crossentropy(), optimizer = adam_optimizer(), dtype = "float32"
)
seconds <- system.time(ae_history <- autoencoder$fit(x, x, epochs = epochs, verbose = TRUE))[["elapsed"]]
cat(sprintf("%.1f s\n\n", seconds))

curve <- function(history, main) {
  values <- unlist(history)
  plot(history$loss, type = "o", pch = 19, ylim = range(values), xlab = "epoch", ylab = "loss", main = main, col = "#1b6ca8")
  if (!is.null(history$val_loss)) {
    lines(history$val_loss, type = "o", pch = 1, col = "#d1495b")
    legend("topright", c("training", "test"), col = c("#1b6ca8", "#d1495b"), pch = c(19, 1), lty = 1, bty = "n")
  }
}
picture("loss.png", 1000, 420)
par(mfrow = c(1, 2), mar = c(4, 4, 2.5, 1))
curve(history, "classifier")
curve(ae_history, "autoencoder")
invisible(dev.off())

some <- vapply(0:9, function(d) which(test$y == d)[1], 1L)
picture("reconstructions.png", 1000, 240)
plot_images(list(x_test[some, ], autoencoder$predict(x_test[some, ])), labels = c("original", "decoded"), limits = c(0, 1))
invisible(dev.off())

picture("weights.png", 1000, 520) # what 32 hidden units look for; dark: positive weights
plot_images(t(classifier$weights[[1]])[1:32, ], nrow = 4)
invisible(dev.off())

wrong <- which(max.col(classifier$predict(x_test)) - 1L != test$y)
picture("mistakes.png", 1000, 240)
shown <- head(wrong, 20)
guess <- max.col(classifier$predict(x_test[shown, , drop = FALSE])) - 1L
plot_images(x_test[shown, ], nrow = 2, titles = sprintf("%d, said %d", test$y[shown], guess))
invisible(dev.off())

cat("Pictures are in ", normalizePath(folder), ":\n  ", paste(list.files(folder, "png$"), collapse = "\n  "), "\n", sep = "")
