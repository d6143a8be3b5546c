# A network that reads: sentiment of film reviews in which the order of the words decides, with pictures.
#
# usage: Rscript reviews.R [folder for the pictures]
library(nativenet)

args <- commandArgs(trailingOnly = TRUE)
folder <- if (length(args)) args[1] else "demo-output"
dir.create(folder, showWarnings = FALSE, recursive = TRUE)

reviews <- dataset_reviews(5000)
words <- 300
x <- pad_sequences(reviews$train$x, 45)
x_test <- pad_sequences(reviews$test$x, 45)
cat(sprintf("%d film reviews to train on, %d to test; the first:\n", nrow(x), nrow(x_test)))
cat(strwrap(dataset_reviews(5000, encode = FALSE)$train$x[1], 76, prefix = "  "), "", sep = "\n")

set.seed(1)
reader <- keras_model_sequential() |>
  layer_embedding(input_dim = words, output_dim = 16, mask_zero = TRUE) |>
  layer_lstm(units = 32) |>
  layer_dense(1, activation = "sigmoid")
reader |> compile(optimizer_adam(learning_rate = 0.005), "binary_crossentropy", metrics = "accuracy")
summary(reader)
seconds <- system.time(
  history <- reader |> fit(x, reviews$train$y, epochs = 8, validation_data = list(x_test, reviews$test$y), verbose = 2)
)[["elapsed"]]
cat(sprintf("An LSTM that reads word by word: test accuracy %.1f %% after %.1f s\n", 100 * evaluate(reader, x_test, reviews$test$y)$accuracy, seconds))

bag <- function(x) sequences_to_matrix(x, num_words = words)
counter <- keras_model_sequential(input_shape = words) |> layer_dense(16, activation = "relu") |> layer_dense(1, activation = "sigmoid")
counter |> compile("rmsprop", "binary_crossentropy", metrics = "accuracy")
counter |> fit(bag(reviews$train$x), reviews$train$y, epochs = 10, verbose = 0)
cat(sprintf("A network that only knows which words occur: %.1f %%\n", 100 * evaluate(counter, bag(reviews$test$x), reviews$test$y)$accuracy))

png(file.path(folder, "reader.png"), 800, 600, res = 110)
print(plot(history))
invisible(dev.off())
cat("\nreader.png: how the reader learned, in ", normalizePath(folder), "\n", sep = "")
