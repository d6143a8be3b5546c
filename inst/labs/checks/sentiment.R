# Checks of the lab on sentiment.

words <- get0("num_words", globalenv(), mode = "numeric", ifnotfound = 300)
columns <- get0("maxlen", globalenv(), mode = "numeric", ifnotfound = 45)
fresh <- dataset_reviews(400, test = 0, num_words = words)$train
padded <- pad_sequences(fresh$x, columns)
model_of <- function(name) {
  model <- student(name)
  need(is_model(model), "`", name, "` must be a model, not ", describe(model), ".")
  need(length(model$layers) > 0, "`", name, "` has no layers", todo_open())
  model
}
probabilities <- function(name, x) {
  p <- shaped(stats::predict(model_of(name), x), c(nrow(x), 1), paste0("predict(", name, ", x)"))
  need(min(p) >= 0 && max(p) <= 1, "The predictions of `", name, "` go from ", told(min(p)), " to ", told(max(p)),
    "; probabilities lie between 0 and 1.")
  p
}
right <- function(p) mean((p > 0.5) == fresh$y)
kinds <- function(model) vapply(model$layers, function(layer) layer_self(layer)$class_name, "")

check("x_train and x_test are padded", {
  reviews <- student("reviews")
  for (part in c("train", "test")) {
    name <- paste0("x_", part)
    x <- shaped(student(name), c(length(reviews[[part]]$x), student("maxlen")), name)
    first <- reviews[[part]]$x[[1]]
    need(sum(x[1, ] != 0) == min(length(first), ncol(x)), "The first row of `", name, "` has ", sum(x[1, ] != 0),
      " words, the first review ", length(first), ".")
    need(x[1, ncol(x)] != 0, "The zeros of `", name,
      "` stand after the words. With those in front, the last thing that is read is a word.")
  }
})

check("lstm_model is an embedding, an LSTM and a dense layer", {
  found <- kinds(model_of("lstm_model"))
  need(identical(utils::head(found, 1), "Embedding"), "The first layer must be an embedding, not ",
    with_article(found[1]), " layer.")
  need("LSTM" %in% found, "There is no LSTM among the layers: ", toString(found), ".")
  need(identical(utils::tail(found, 1), "Dense"), "The last layer must be dense, not ",
    with_article(utils::tail(found, 1)), " layer.")
})

check("lstm_model gives probabilities", probabilities("lstm_model", padded[1:20, ]))

check("lstm_model passes over the zeros", {
  longer <- cbind(matrix(0L, 20, 15), padded[1:20, ])
  need(near(probabilities("lstm_model", longer), probabilities("lstm_model", padded[1:20, ]), 1e-3),
    "With 15 more zeros in front of the reviews the predictions change: the zeros are read as words. See ",
    "`mask_zero` of the embedding.")
})

check("lstm_model has learned to read", {
  share <- right(probabilities("lstm_model", padded))
  need(share > 0.85, "Of fresh reviews it judges ", round(100 * share),
    " % rightly. More than 85 % are within reach of a few epochs; is the learning rate too small?")
})

check("the order of words matters to lstm_model", {
  mixed <- pad_sequences(lapply(fresh$x, function(review) c(review[1], sample(review[-1]))), columns)
  share <- right(probabilities("lstm_model", mixed))
  need(share < right(probabilities("lstm_model", padded)) - 0.03, "With the words in random order it judges ",
    round(100 * share), " % rightly, hardly less than with the words in their order.")
})

check("bag() marks the words that occur", {
  bags <- shaped(student("bag")(list(c(1, 5, 2, 5), c(words - 1, 3))), c(2, words),
    "bag(list(c(1, 5, 2, 5), c(num_words - 1, 3)))")
  truth <- matrix(0, 2, words)
  truth[cbind(c(1, 1, 1, 2, 2), c(1, 5, 2, words - 1, 3) + 1)] <- 1
  need(!all(bags == cbind(truth[, -1], 0)),
    "In `bag()`, word 1 is in column 1. Words count from 0, so that word 1 belongs into column 2.")
  need(max(bags) <= 1, "In `bag()` a word that occurs twice gives ", told(max(bags)),
    ": 1 is for a word that occurs, however often.")
  agree(bags, truth, "bag(list(c(1, 5, 2, 5), c(num_words - 1, 3)))",
    "have 1 in the columns of words that occur, else 0", says = "it should be")
})

check("bag_model has learned what words alone tell", {
  share <- right(probabilities("bag_model", sequences_to_matrix(fresh$x, num_words = words)))
  need(share > 0.6, "Of fresh reviews it judges ", round(100 * share), " % rightly; some 70 % are within reach.")
})

check("test_accuracy has both shares, and reading in order wins", {
  shares <- numbers(student("test_accuracy"), "test_accuracy")
  need(setequal(names(shares), c("lstm", "bag")), "`test_accuracy` must have the names lstm and bag.")
  need(all(shares >= 0 & shares <= 1), "`test_accuracy` must hold shares from 0 to 1.")
  need(shares[["lstm"]] > shares[["bag"]], "The bag of words is right more often (", told(shares[["bag"]]),
    ") than the LSTM (", told(shares[["lstm"]]), "): train the LSTM longer.")
})
