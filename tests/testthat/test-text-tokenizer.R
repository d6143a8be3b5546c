texts <- c("The film was good, the plot was thin.", "Good! The GOOD film?", "")

fitted <- function(..., x = texts) {
  tokenizer <- text_tokenizer(...)
  fit_text_tokenizer(tokenizer, x)
  tokenizer
}

test_that("words are numbered by frequency, then by first appearance", {
  tokenizer <- fitted()
  expect_identical(tokenizer$word_index, list(the = 1L, good = 2L, film = 3L, was = 4L, plot = 5L, thin = 6L))
  expect_identical(unlist(tokenizer$word_counts), c(the = 3L, film = 2L, was = 2L, good = 3L, plot = 1L, thin = 1L))
  expect_identical(unlist(tokenizer$word_docs)[c("the", "good", "was")], c(the = 2L, good = 2L, was = 1L))
  expect_identical(tokenizer$index_word[["3"]], "film")
  expect_identical(tokenizer$index_docs[["4"]], 1L)
  expect_identical(tokenizer$document_count, 3L)
})

test_that("fitting changes the tokenizer in place and goes on", {
  tokenizer <- text_tokenizer()
  expect_identical(withVisible(fit_text_tokenizer(tokenizer, "a b"))$visible, FALSE)
  fit_text_tokenizer(tokenizer, c("b c", "c c"))
  expect_identical(tokenizer$word_index, list(c = 1L, b = 2L, a = 3L))
  expect_identical(unlist(tokenizer$word_docs), c(a = 1L, b = 2L, c = 2L))
  expect_identical(tokenizer$document_count, 3L)
  fit_text_tokenizer(tokenizer, character())
  expect_identical(tokenizer$document_count, 3L)
})

test_that("sequences leave out what is not known or not used", {
  expect_identical(texts_to_sequences(fitted(), c("good plot, bad plot", "", "thin")),
    list(c(2L, 5L, 5L), integer(), 6L))
  expect_identical(texts_to_sequences(fitted(num_words = 3), c("the good plot", "thin")), list(1:2, integer()))
  expect_identical(texts_to_sequences(text_tokenizer(), c("a", "b")), list(integer(), integer()))
  expect_identical(texts_to_sequences(fitted(), character()), list())
})

test_that("a token may stand for the words that are left out", {
  tokenizer <- fitted(num_words = 4, oov_token = "<oov>")
  expect_identical(unlist(tokenizer$word_index)[1:3], c("<oov>" = 1L, the = 2L, good = 3L))
  expect_identical(texts_to_sequences(tokenizer, "the bad film was good"), list(c(2L, 1L, 1L, 1L, 3L)))
})

test_that("texts may be factors, lists, words, or characters", {
  expected <- texts_to_sequences(fitted(), texts)
  expect_identical(texts_to_sequences(fitted(x = factor(texts, levels = rev(texts))), factor(texts)), expected)
  words <- list(c("the", "film", "was", "good", "the", "plot", "was", "thin"), c("Good", "the", "GOOD", "film"),
    character())
  expect_identical(texts_to_sequences(fitted(x = words), words), expected)
  expect_identical(texts_to_sequences(fitted(x = as.list(texts)), lapply(words, as.list)), expected)
  tokenizer <- fitted(char_level = TRUE, x = c("Aab", "a c"))
  expect_identical(tokenizer$word_index, list(a = 1L, b = 2L, " " = 3L, c = 4L))
  expect_identical(texts_to_sequences(tokenizer, "cab"), list(c(4L, 1L, 2L)))
  utf8 <- fitted(x = "\u00c9t\u00e9 \u00e9t\u00e9 \u65e5\u672c")
  expect_identical(texts_to_sequences(utf8, iconv("\u00e9t\u00e9", "UTF-8", "latin1")), list(1L))
})

test_that("matrices have Keras' formulas", {
  tokenizer <- fitted()
  x <- c("good good film", "unknown", "the thin thin thin plot")
  count <- rbind(c(0, 0, 2, 1, 0, 0, 0), 0, c(0, 1, 0, 0, 0, 1, 3))
  expect_identical(texts_to_matrix(tokenizer, x, "count"), count)
  expect_identical(texts_to_matrix(tokenizer, x), (count > 0) + 0)
  expect_identical(texts_to_matrix(tokenizer, x, "binary"), (count > 0) + 0)
  # of the words that are known
  expect_equal(texts_to_matrix(tokenizer, x, "freq"), count / c(3, 1, 5))
  documents <- c(0, 2, 2, 2, 1, 1, 1)
  tfidf <- ifelse(count > 0, 1 + log(count), 0) * rep(log(1 + 3 / (1 + documents)), each = 3)
  expect_equal(texts_to_matrix(tokenizer, x, mode = "tfidf"), tfidf, tolerance = 1e-12)
  expect_identical(texts_to_matrix(fitted(num_words = 3), x, "count"), count[, 1:3])
  expect_equal(texts_to_matrix(fitted(num_words = 3), x, "tfidf"), tfidf[, 1:3], tolerance = 1e-12)
})

test_that("a saved tokenizer is the same, and Keras' JSON is read", {
  for (name in c("t.rds", "t")) {
    odd <- fitted(num_words = 5, oov_token = "<\"\u00e9>",
      x = list("\u00e9t\u00e9 b", c("", "\\u0041", "a\nb\u0001", "1e5", "\u4e00\U1f600", "b")))
    for (tokenizer in list(odd, text_tokenizer(char_level = TRUE, filters = ""))) {
      path <- file.path(tempfile("saved"), name)
      dir.create(dirname(path))
      save_text_tokenizer(tokenizer, path)
      loaded <- load_text_tokenizer(path)
      for (field in nativenet:::tokenizer_fields) expect_identical(loaded[[field]], tokenizer[[field]], info = field)
      expect_identical(texts_to_sequences(loaded, "b"), texts_to_sequences(tokenizer, "b"))
    }
  }
  # the format of Tokenizer.to_json()
  path <- tempfile(fileext = ".json")
  writeLines('{"class_name": "Tokenizer", "config": {"num_words": 3, "filters": ".", "lower": true, "split": " ",
    "char_level": false, "oov_token": null, "document_count": 2, "word_counts": "{\\"b\\": 1, \\"a\\": 2}",
    "word_docs": "{\\"a\\": 2, \\"b\\": 1}",
    "index_docs": "{\\"1\\": 2, \\"2\\": 1}", "index_word": "{\\"1\\": \\"a\\", \\"2\\": \\"b\\"}",
    "word_index": "{\\"a\\": 1, \\"b\\": 2}"}}', path)
  loaded <- load_text_tokenizer(path)
  expect_identical(loaded$word_index, list(a = 1L, b = 2L))
  expect_identical(texts_to_sequences(loaded, "A. b!"), list(1L))
  # numbers that somebody has set otherwise count, as in Keras
  writeLines(sub('\\"word_index.*', '"word_index": "{\\\\"a\\\\": 7, \\\\"b\\\\": 1}"}}', readLines(path)), path)
  loaded <- load_text_tokenizer(path)
  expect_identical(loaded$word_index, list(a = 7L, b = 1L))
  expect_identical(loaded$index_docs, list("7" = 2L, "1" = 1L))
  expect_identical(texts_to_sequences(loaded, "a b"), list(1L))
})

test_that("files that are no tokenizers are refused, and none runs code", {
  path <- tempfile(fileext = ".rds")
  expect_error(load_text_tokenizer(path), "`load_text_tokenizer()`: `filename` does not exist", fixed = TRUE,
    class = "nativenet_error_file")
  saveRDS(1:3, path)
  expect_error(load_text_tokenizer(path), "it is a file of R objects, as version 0.1.0 wrote them",
    class = "nativenet_error_file")
  for (options in list(list(compress = FALSE), list(ascii = TRUE, compress = FALSE))) {
    do.call(saveRDS, c(list(list(format = "nativenet tokenizer"), path), options))
    expect_error(load_text_tokenizer(path), "version 0.1.0", class = "nativenet_error_file")
  }
  writeBin(charToRaw("A\r\n3\r\n"), path) # as Windows writes it
  expect_error(load_text_tokenizer(path), "version 0.1.0", class = "nativenet_error_file")
  refused <- function(text, message) {
    writeLines(text, path)
    expect_error(load_text_tokenizer(path), message, fixed = TRUE, class = "nativenet_error_file")
  }
  refused("{", "`filename` is not a valid tokenizer file")
  refused("[1]", "it holds something else")
  refused('{"config": {}}', "it holds something else")
  save_text_tokenizer(fitted(oov_token = "?"), path)
  whole <- readLines(path, warn = FALSE)
  swapped <- function(from, to, message) {
    expect_true(grepl(from, whole, fixed = TRUE), info = from)
    refused(sub(from, to, whole, fixed = TRUE), message)
  }
  swapped('"num_words":null', '"num_words":-1', "`num_words` must be a positive whole number, not -1")
  swapped('"num_words":null', '"num_words":null,"num_words":3', 'the name "num_words" stands twice')
  swapped('"lower":true', '"lower":"true"', "`lower` must be TRUE or FALSE")
  swapped('"split":" "', '"split":""', "`split` must be a string of at least one character")
  swapped('"document_count":', '"document_count":0.5,"x":', "`document_count` must be a whole number")
  swapped('"word_counts":"{', '"word_counts":"{\\"zz\\":-1,',
    "`word_counts` must give each word a positive whole number")
  swapped('"word_counts":"{', '"word_counts":"{\\"zz\\":{},',
    "`word_counts` is no JSON: at byte 7, its brackets are nested too deeply")
  swapped('"word_counts":"', '"word_counts":{},"x":"', "it has no `word_counts`")
  swapped('"word_docs":"{', '"word_docs":"{\\"zz\\":1,', "`word_docs` has words that `word_counts` has not")
  swapped('"word_index":"{', '"word_index":"{\\"zz\\":1,', "`word_index` gives two words the same number")
  swapped('"oov_token":"?"', '"oov_token":"!"', "`word_index` lacks the `oov_token`")
  expect_error(save_text_tokenizer(1, path), "`object` must be made by text_tokenizer(), not 1", fixed = TRUE)
})

test_that("bad arguments are told", {
  tokenizer <- text_tokenizer()
  expect_error(fit_text_tokenizer(tokenizer, c("a", NA)),
    "`fit_text_tokenizer()`: `x` must not have missing texts; number 2 is NA", fixed = TRUE)
  expect_error(fit_text_tokenizer(tokenizer, 1:3),
    "`x` must be a character vector or a list of texts, not an integer vector of length 3", fixed = TRUE)
  expect_error(fit_text_tokenizer(tokenizer, data.frame(a = "x")),
    "`x` must be a character vector or a list of texts, not an object of class <data.frame>|data.frame of shape")
  expect_error(texts_to_sequences(tokenizer, list("a", 3)), "`texts` must be texts; number 2 is 3", fixed = TRUE)
  expect_error(texts_to_sequences("a", "a"),
    "`texts_to_sequences()`: `tokenizer` must be made by text_tokenizer(), not \"a\"", fixed = TRUE)
  expect_error(texts_to_sequences(tokenizer, "\xff"), "must be valid UTF-8")
  expect_error(text_tokenizer(num_words = 0), "`text_tokenizer()`: `num_words` must be a positive whole number, not 0",
    fixed = TRUE)
  expect_error(texts_to_matrix(tokenizer, "a", "tfidf"), "`texts_to_matrix()`: give `num_words`", fixed = TRUE)
  expect_error(texts_to_matrix(text_tokenizer(5), "a", "tfidf"), "needs a tokenizer that was fitted", fixed = TRUE)
  expect_error(texts_to_matrix(tokenizer, "a", "other"), "`mode` must be one of \"binary\", \"count\"", fixed = TRUE)
  expect_error(tokenizer$words, "a tokenizer has no member `$words`", fixed = TRUE, class = "nativenet_error_member")
  expect_output(print(fitted(num_words = 4)), "<text tokenizer: 6 words from 3 texts, 3 used>", fixed = TRUE)
})
