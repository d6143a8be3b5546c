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

reader_with <- function(...) {
  keras_model_sequential() |>
    layer_embedding(input_dim = words, output_dim = 16, mask_zero = TRUE) |>
    layer_lstm(units = 32, ...) |>
    layer_dense(1, activation = "sigmoid")
}
set.seed(1)
reader <- reader_with()
reader |> compile(optimizer_adam(learning_rate = 0.005), "binary_crossentropy", metrics = "accuracy")
summary(reader)
seconds <- system.time(
  history <- reader |> fit(x, reviews$train$y, epochs = 8, validation_data = list(x_test, reviews$test$y), verbose = 2)
)[["elapsed"]]
cat(sprintf("An LSTM that reads word by word: test accuracy %.1f %% after %.1f s\n",
  100 * evaluate(reader, x_test, reviews$test$y)$accuracy, seconds))

bag <- function(x) sequences_to_matrix(x, num_words = words)
counter <- keras_model_sequential(input_shape = words) |> layer_dense(16, activation = "relu") |>
  layer_dense(1, activation = "sigmoid")
counter |> compile("rmsprop", "binary_crossentropy", metrics = "accuracy")
counter |> fit(bag(reviews$train$x), reviews$train$y, epochs = 10, verbose = 0)
cat(sprintf("A network that only knows which words occur: %.1f %%\n", 100 * evaluate(counter, bag(reviews$test$x),
  reviews$test$y)$accuracy))

png(file.path(folder, "reader.png"), 800, 600, res = 110)
print(plot(history))
invisible(dev.off())

# What it thinks after each word: the same weights, but the LSTM tells all its states.
follower <- reader_with(return_sequences = TRUE)
set_weights(follower, get_weights(reader))
index <- dataset_reviews_word_index()
follow <- function(sentence) {
  read <- strsplit(sentence, " ")[[1]]
  numbers <- c(1, unlist(index[tolower(read)]) + 3) # as the reviews are encoded: 1 begins them, words count from 4 on
  p <- predict(follower, t(numbers))[1, -1, 1]
  at <- seq_along(p)
  plot(at, p, type = "n", xlim = c(0.5, length(p) + 0.5), ylim = 0:1, axes = FALSE, xlab = "", ylab = "")
  rect(at - 0.4, 0.5, at + 0.4, p, col = ifelse(p > 0.5, "#0072B2", "#D55E00"), border = NA)
  abline(h = 0.5, col = "grey40")
  axis(2, c(0, 0.5, 1), las = 1)
  mtext(read, 1, 0.3, at = at)
}
png(file.path(folder, "word-by-word.png"), 900, 620, res = 110)
par(mfrow = c(4, 1), mar = c(2, 3, 0.6, 0.5), oma = c(0, 0, 2, 0))
for (sentence in c("the plot was wonderful", "the plot was not wonderful",
  "the plot was dull but I loved this film", "I loved this film but the plot was dull")) follow(sentence)
mtext("the probability of \"positive\" after each word", outer = TRUE, line = 0.3)
invisible(dev.off())
cat("\nreader.png (how the reader learned) and word-by-word.png (what it thinks as it reads) are in ",
  normalizePath(folder), "\n", sep = "")
