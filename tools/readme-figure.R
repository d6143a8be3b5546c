# Draws man/figures/digits.png, the picture in the README, from the package's own digits.
library(nativenet)

set.seed(7)
digits <- dataset_digits(10000)
x <- matrix(digits$train$x, 10000) / 255
x_test <- matrix(digits$test$x, dim(digits$test$x)[1]) / 255
autoencoder <- build_dense_neural_network(784, list(64, relu(), 784, sigmoid()),
  loss = binary_crossentropy(), optimizer = adam_optimizer(), dtype = "float32"
)
autoencoder$fit(x, x, epochs = 20)

some <- vapply(0:9, function(d) which(digits$test$y == d)[1], 1L)
png("man/figures/digits.png", 1000, 230, res = 110)
plot_images(list(x_test[some, ], autoencoder$predict(x_test[some, ])), labels = c("original", "decoded"), limits = c(0, 1))
invisible(dev.off())
