# The rule, one sequence at a time.
pad_one <- function(x, maxlen, padding = "pre", truncating = "pre", value = 0) {
  if (length(x) > maxlen) x <- if (truncating == "pre") utils::tail(x, maxlen) else utils::head(x, maxlen)
  fill <- rep(value, maxlen - length(x))
  if (padding == "pre") c(fill, x) else c(x, fill)
}

test_that("sequences are filled up and cut as asked", {
  set.seed(1)
  x <- lapply(c(3, 0, 7, 5, 12, 1, 0), function(n) sample(100, n))
  for (padding in c("pre", "post")) {
    for (truncating in c("pre", "post")) {
      for (maxlen in c(1, 5, 12, 20)) {
        expected <- t(matrix(vapply(x, pad_one, numeric(maxlen), maxlen, padding, truncating, -1), maxlen))
        actual <- pad_sequences(x, maxlen, padding = padding, truncating = truncating, value = -1)
        expect_type(actual, "integer")
        expect_equal(actual, expected)
      }
    }
  }
  expect_identical(pad_sequences(list(1, 2:3, 4:6)), rbind(c(0L, 0L, 1L), c(0L, 2L, 3L), 4:6))
})

test_that("dtypes, nested lists and nothing at all", {
  expect_identical(pad_sequences(list(c(1.9, -1.9)), dtype = "int32"), matrix(c(1L, -1L), 1))
  expect_identical(pad_sequences(list(1:2, 0.5), dtype = "float32", value = 0.25), rbind(c(1, 2), c(0.25, 0.5)))
  expect_identical(pad_sequences(list(list(1, 2), list(), NULL)), rbind(1:2, 0L, 0L))
  expect_identical(pad_sequences(list()), matrix(0L, 0, 0))
  expect_identical(pad_sequences(list(), 3), matrix(0L, 0, 3))
  expect_identical(pad_sequences(list(integer(), integer())), matrix(0L, 2, 0))
})

test_that("bad sequences are told", {
  expect_error(pad_sequences(1:3),
    "`pad_sequences()`: `sequences` must be a list of numeric vectors, not an integer vector of length 3", fixed = TRUE)
  expect_error(pad_sequences(list(1, "a")), "number 2 is \"a\"", fixed = TRUE)
  expect_error(pad_sequences(list(1, factor("a"))), "number 2 is a factor", fixed = TRUE)
  expect_error(pad_sequences(list(1, c(2, NA))), "must not have missing numbers; number 2 has", fixed = TRUE)
  expect_error(pad_sequences(data.frame(a = 1)), "must be a list of numeric vectors, not")
  expect_error(pad_sequences(list(1), 0), "`maxlen` must be a positive whole number, not 0", fixed = TRUE)
  expect_error(pad_sequences(list(1), padding = "left"), "`padding` must be one of \"pre\", \"post\", not \"left\"",
    fixed = TRUE)
  expect_error(pad_sequences(list(1), dtype = "object"), "`dtype` must be one of", fixed = TRUE)
})

test_that("bags of words count each word", {
  set.seed(2)
  x <- lapply(c(0, 1, 40, 7, 300), function(n) sample(0:14, n, replace = TRUE))
  count <- t(vapply(x, function(s) tabulate(s + 1, 12), integer(12)))
  expect_identical(sequences_to_matrix(x, num_words = 12, mode = "count"), count + 0)
  expect_identical(sequences_to_matrix(x, num_words = 12, mode = "count", dtype = "int32"), count)
  expect_identical(sequences_to_matrix(x, num_words = 12), (count > 0) + 0)
  expect_identical(sequences_to_matrix(text_tokenizer(12), x, "binary"), (count > 0) + 0)
  expect_equal(sequences_to_matrix(x, num_words = 12, mode = "freq"), count / pmax(lengths(x), 1), tolerance = 1e-12)
  # in several groups of rows
  long <- rep(list(rep(0:9, 30000)), 8)
  expect_identical(sequences_to_matrix(long, num_words = 5, mode = "count"), matrix(30000, 8, 5))
  expect_identical(sequences_to_matrix(list(NULL, 20), num_words = 3), matrix(0, 2, 3))
  expect_identical(sequences_to_matrix(list(), num_words = 3), matrix(0, 0, 3))
})

test_that("bad bags of words are told", {
  expect_error(sequences_to_matrix(list(1)), "`sequences_to_matrix()`: give `num_words`", fixed = TRUE)
  expect_error(sequences_to_matrix(list(-1), num_words = 3), "whole and not negative", fixed = TRUE)
  expect_error(sequences_to_matrix(list(1.5), num_words = 3), "whole and not negative", fixed = TRUE)
  expect_error(sequences_to_matrix("a", list(1)), "`tokenizer` must be made by text_tokenizer(), not \"a\"",
    fixed = TRUE)
  expect_error(sequences_to_matrix(list(1), num_words = 3, mode = "tfidf"), "needs a tokenizer that was fitted",
    fixed = TRUE)
  expect_error(sequences_to_matrix(list(1), num_words = 3, mode = "freq", dtype = "int32"),
    "`dtype` must be \"float64\" for the mode \"freq\"", fixed = TRUE)
})

test_that("vectors along an axis get norm 1", {
  set.seed(3)
  m <- matrix(rnorm(6), 2)
  expect_equal(normalize(m), m / sqrt(rowSums(m^2)))
  expect_equal(normalize(m, axis = 1), sweep(m, 2, sqrt(colSums(m^2)), "/"))
  expect_equal(normalize(m, order = 1), m / rowSums(abs(m)))
  expect_equal(normalize(m, order = Inf), m / apply(abs(m), 1, max))
  expect_equal(normalize(m, order = 3), m / rowSums(abs(m)^3)^(1 / 3))
  a <- array(rnorm(24), 2:4)
  expect_equal(normalize(a, 2)[2, , 3], a[2, , 3] / sqrt(sum(a[2, , 3]^2)))
  expect_equal(normalize(a), normalize(a, 3))
  expect_equal(normalize(c(3, 4)), c(0.6, 0.8))
  expect_identical(normalize(matrix(0, 2, 2)), matrix(0, 2, 2))
  expect_error(normalize("a"), "`normalize()`: `x` must be a numeric or logical array, not \"a\"", fixed = TRUE)
  expect_error(normalize(m, 3), "`axis` must be 1 to 2 or -1 to -2, not 3", fixed = TRUE,
    class = "nativenet_error_index")
  expect_error(normalize(m, 0), "`axis` must be", fixed = TRUE)
  expect_error(normalize(m, order = 0), "`order` must be a number above 0", fixed = TRUE)
})

test_that("texts become sequences one by one", {
  words <- text_tokenizer() |> fit_text_tokenizer(c("a b c", "b c"))
  pull <- texts_to_sequences_generator(words, c("a b", "c"))
  expect_identical(list(pull(), pull(), pull()), c(texts_to_sequences(words, c("a b", "c")), list(NULL)))
})
