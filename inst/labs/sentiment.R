# Lab sentiment: Reading film reviews, word by word and as a bag of words
# After each piece, save this file and run check_lab("sentiment.R").

#' Is a review positive? One network reads the words in their order, another only knows which words occur. The reviews
#' are made by a grammar in which the order decides: "I expected a great film, but it was dull".
#'
#' Each review is a vector of numbers, one per word; 0 stands for no word. `y_train` is 1 for positive reviews. For real
#' reviews see `?dataset_imdb`; they take longer.

library(nativenet)

set.seed(1)
num_words <- 300
maxlen <- 45
reviews <- dataset_reviews(3000, num_words = num_words)
y_train <- reviews$train$y
y_test <- reviews$test$y

#' ## Reviews of one length
#'
#' Networks take batches, and the rows of a matrix have one length. `?pad_sequences` fills up with zeros. On which side,
#' by default?

#!hwbegin TODO the matrices x_train and x_test, with maxlen columns
x_train <- pad_sequences(reviews$train$x, maxlen)
x_test <- pad_sequences(reviews$test$x, maxlen)
#!hwend

#' ## Word by word
#'
#' An embedding gives each word a vector of 16 numbers that are learned; an LSTM with 24 units reads these one after the
#' other; a dense layer turns what it has in mind at the end into a probability. The zeros must not be read as words:
#' see `mask_zero`.

lstm_model <- keras_model_sequential()
#!hwbegin TODO add the three layers to lstm_model, and compile it:\n binary cross-entropy, and accuracy as a metric
lstm_model %>%
  layer_embedding(input_dim = num_words + 1, output_dim = 16, mask_zero = TRUE) %>%
  layer_lstm(units = 24) %>%
  layer_dense(1, activation = "sigmoid")
lstm_model %>% compile(optimizer_adam(learning_rate = 0.01), loss = "binary_crossentropy", metrics = "accuracy")
#!hwend

#!hwbegin TODO fit it to the training data; keep the result as `history`, and plot it
history <- lstm_model %>% fit(x_train, y_train, batch_size = 32, epochs = 5, validation_data = list(x_test, y_test),
  verbose = 0)
plot(history)
#!hwend

#' ## A bag of words
#'
#' `bag()` takes a list of reviews to a matrix with a row per review and a column per word, from word 0 to word
#' num_words - 1: 1 if the word occurs in it, else 0.

bag <- function(sequences) {
  #!hwbegin TODO the matrix; there is a function for it, but a loop does it, too
  result <- matrix(0, length(sequences), num_words)
  for (i in seq_along(sequences)) result[i, sequences[[i]] + 1] <- 1
  result
  #!hwend
}

bag_model <- keras_model_sequential(input_shape = num_words)
#!hwbegin TODO a dense network on bags: compile it, and fit it to bag(reviews$train$x)
bag_model %>%
  layer_dense(16, activation = "relu") %>%
  layer_dense(1, activation = "sigmoid")
bag_model %>% compile("rmsprop", loss = "binary_crossentropy", metrics = "accuracy")
bag_model %>% fit(bag(reviews$train$x), y_train, epochs = 8, verbose = 0)
#!hwend

#' ## Which reads better?

#!hwbegin TODO test_accuracy: the two shares of test reviews that are judged rightly,\n a vector with the names lstm and
#bag
test_accuracy <- c(
  lstm = evaluate(lstm_model, x_test, y_test, verbose = 0)[["accuracy"]],
  bag = evaluate(bag_model, bag(reviews$test$x), y_test, verbose = 0)[["accuracy"]]
)
test_accuracy
#!hwend
