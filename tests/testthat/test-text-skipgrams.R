test_that("words are paired with all neighbours", {
  x <- c(5, 0, 6, 7)
  pairs <- skipgrams(x, 10, window_size = 2, negative_samples = 0, shuffle = FALSE)
  expect_identical(pairs, list(couples = list(c(5L, 6L), c(6L, 5L), c(6L, 7L), c(7L, 6L)), labels = rep(1L, 4)))
  expect_identical(skipgrams(x, 10, 1, 0, FALSE)$couples, list(6:7, 7:6))
  expect_identical(skipgrams(integer(), 10), list(couples = list(), labels = integer()))
})

test_that("random pairs have the label 0, and words in the vocabulary", {
  pairs <- skipgrams(rep(1:4, 50), 8, negative_samples = 2, seed = 1)
  labels <- pairs$labels
  expect_equal(sum(labels == 0), 2 * sum(labels == 1))
  expect_false(all(diff(labels) <= 0))
  negative <- do.call(rbind, pairs$couples[labels == 0])
  expect_setequal(negative[, 1], 1:4)
  expect_setequal(negative[, 2], 1:7)
  expect_identical(skipgrams(rep(1:4, 50), 8, negative_samples = 2, seed = 1), pairs)
  expect_identical(skipgrams(1:2, 8, 1, 1, FALSE, categorical = TRUE)$labels, list(0:1, 0:1, c(1L, 0L), c(1L, 0L)))
})

test_that("the sampling table is Keras'", {
  # keras.preprocessing.sequence.make_sampling_table(): word 0 counts as word 1
  inverse <- function(r) r * (log(r) + 0.577) + 0.5 - 1 / (12 * r)
  table <- make_sampling_table(10000)
  expect_equal(table[c(1, 2, 3, 10000)], sqrt(1e-5 * inverse(c(1, 1, 2, 9999))))
  expect_equal(make_sampling_table(5, 10), rep(1, 5))
  none <- skipgrams(1:5, 10, sampling_table = numeric(6), negative_samples = 0)
  expect_identical(none$couples, list())
  expect_error(skipgrams(1:5, 10, sampling_table = 1),
    "`skipgrams()`: `sampling_table` must be probabilities for words 0 .. 5, not 1", fixed = TRUE)
  expect_error(skipgrams(1:5, 1), "`vocabulary_size` must be a whole number of at least 2", fixed = TRUE)
})
