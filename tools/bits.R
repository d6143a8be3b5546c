# Prints a digest of trained weights, to be compared between builds: it must not depend on the number of threads.
library(nativenet)

digest_of <- function(x) {
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(unlist(x), file)
  unname(tools::md5sum(file))
}

set.seed(1)
digits <- dataset_digits(3000)
x <- matrix(digits$train$x, 3000) / 255
for (dtype in c("float32", "float64")) {
  for (threads in unique(c(1, nn_features()$cores))) {
    nn_threads(threads)
    set.seed(2)
    network <- build_dense_neural_network(784, list(130, htan(), 50, elu(), 10, softmax()), categorical_crossentropy(),
      adam_optimizer(), l2 = 1e-4, dtype = dtype)
    network$fit(x, digits$train$y, epochs = 2, batch_size = 64, verbose = FALSE)
    cat(dtype, digest_of(c(network$weights, network$biases)), "\n")
  }
}
