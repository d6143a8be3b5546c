words_of <- function(texts) lapply(texts, text_to_word_sequence)
opinions <- function(polarity) unlist(lapply(nativenet:::review_opinions, function(o)
  strsplit(o[[polarity]], "\\s+")[[1]]))

# The rules of ?dataset_reviews, read from left to right.
read_verdict <- function(words) {
  good <- opinions("good")
  bad <- opinions("bad")
  verdict <- NA
  turned <- ignored <- FALSE
  for (word in words) {
    if (word %in% c("not", "never", "hardly", "nothing", "far", "anything")) turned <- TRUE
    if (word %in% c("although", "though", "despite", "spite", "expected", "hoped", "promised", "said", "call", "could",
      "supposed")) ignored <- TRUE
    if (word %in% c(good, bad)) {
      if (!ignored) verdict <- xor(word %in% good, turned)
      turned <- ignored <- FALSE
    }
  }
  as.integer(verdict)
}

test_that("the sentiment can be read off from left to right", {
  data <- dataset_reviews(n = 1500, test = 10, encode = FALSE)
  expect_identical(vapply(words_of(data$train$x), read_verdict, 0L), data$train$y)
  expect_identical(read_verdict(text_to_word_sequence("The plot was dull, but I did love it.")), 1L)
  expect_identical(read_verdict(text_to_word_sequence(
    "I loved the music, but it was anything but a gem, although the cast was funny.")), 0L)
})

test_that("reviews are various, balanced and of moderate length", {
  data <- dataset_reviews(n = 2001, test = 500, encode = FALSE)
  expect_equal(c(sum(data$train$y), sum(data$test$y)), c(1000, 250), tolerance = 0.002)
  all <- c(data$train$x, data$test$x)
  expect_identical(anyDuplicated(all), 0L)
  words <- words_of(all)
  expect_true(all(lengths(words) >= 8 & lengths(words) <= 40))
  expect_gt(length(unique(unlist(words))), 250)
  expect_false(any(grepl("[{}<>|]|\\[|\\]|  |\n| [.,]|\\ba [aeiou]|\\ban [^aeiou]|[.,]{2}", all)))
  expect_true(all(grepl("^[A-Z].*[a-z][.]$", all)))
})

test_that("words without their order tell little", {
  data <- dataset_reviews(n = 4000, test = 2000)
  columns <- length(dataset_reviews_word_index()) + 4
  accuracy <- function(mode) {
    train <- sequences_to_matrix(data$train$x, num_words = columns, mode = mode)
    test <- sequences_to_matrix(data$test$x, num_words = columns, mode = mode)
    ridge <- solve(crossprod(train) + diag(10, columns), crossprod(train, data$train$y - 0.5))
    mean((test %*% ridge > 0) == data$test$y)
  }
  for (mode in c("binary", "count")) {
    expect_lt(accuracy(mode), 0.78)
    # but not nothing: else there is nothing to compare with
    expect_gt(accuracy(mode), 0.62)
  }
})

test_that("the encoded form has the layout of dataset_imdb()", {
  texts <- dataset_reviews(n = 50, test = 10, encode = FALSE)
  c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_reviews(n = 50, test = 10)
  expect_identical(y_train, texts$train$y)
  expect_type(y_test, "integer")
  expect_true(all(vapply(x_train, is.integer, NA)))
  index <- dataset_reviews_word_index()
  expect_identical(unname(unlist(index)), seq_along(index))
  word <- c("<start>", "<unknown>", "", names(index))
  expect_identical(lapply(x_test, function(ids) word[ids]), lapply(words_of(texts$test$x), function(w) c("<start>", w)))
  # frequent words first, as far as a sample can tell
  expect_true(all(c("the", "it", "was", "i", "a") %in% names(index)[1:6]))
  plain <- dataset_reviews(n = 50, test = 0, start_char = NULL, index_from = 0)
  expect_identical(lapply(plain$train$x, function(ids) names(index)[ids]),
    words_of(dataset_reviews(50, 0, encode = FALSE)$train$x))
  few <- dataset_reviews(n = 50, test = 10, num_words = 20)
  expect_identical(few$train$x, lapply(x_train, function(ids) ifelse(ids >= 20, 2L, ids)))
  expect_true(all(lengths(dataset_reviews(n = 50, maxlen = 20)$train$x) < 20))
})

test_that("the seed decides alone, and R's generator stays as it was", {
  set.seed(1)
  before <- .Random.seed
  first <- dataset_reviews(n = 20)
  expect_identical(.Random.seed, before)
  RNGkind(sample.kind = "Rounding") |> suppressWarnings()
  on.exit(RNGkind(sample.kind = "default"))
  expect_identical(dataset_reviews(n = 20), first)
  expect_identical(suppressWarnings(RNGkind()[3]), "Rounding")
  expect_false(identical(dataset_reviews(n = 20, seed = 2)$train$x, first$train$x))
  set.seed(5)
  own <- dataset_reviews(n = 20, seed = NULL)
  expect_false(identical(dataset_reviews(n = 20, seed = NULL), own))
  set.seed(5)
  expect_identical(dataset_reviews(n = 20, seed = NULL), own)
  expect_error(dataset_reviews(n = 20, seed = "a"), "`dataset_reviews()`: `seed` must be", fixed = TRUE)
  expect_error(dataset_reviews(n = 0), "`dataset_reviews()`: `n` must be a positive whole number, not 0", fixed = TRUE)
  expect_length(dataset_reviews(n = 1, test = 0)$test$x, 0)
})
