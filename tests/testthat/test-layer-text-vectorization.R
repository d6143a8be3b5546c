plain <- function(x) { x <- as.array(x); if (length(dim(x)) == 1) as.vector(x) else x }
words <- function(x, ...) {
  layer <- layer_text_vectorization(vocabulary = "-", ...)
  text_words(layer_self(layer), as_strings(x, "x", "words"))
}

test_that("texts become indices as in Keras", {
  # from Keras' help page
  vectorize <- layer_text_vectorization(max_tokens = 5000, output_sequence_length = 4)
  adapt(vectorize, c("foo", "bar", "baz"))
  expect_identical(get_vocabulary(vectorize), c("", "[UNK]", "foo", "baz", "bar"))
  model <- keras_model_sequential(input_shape = 1) |> vectorize()
  expect_equal(predict(model, c("foo qux bar", "qux baz")), rbind(c(2, 1, 4, 0), c(1, 3, 0, 0)))
  given <- layer_text_vectorization(vocabulary = c("earth", "wind", "and", "fire"), output_sequence_length = 4)
  expect_identical(get_vocabulary(given), c("", "[UNK]", "earth", "wind", "and", "fire"))
  expect_equal(plain(given(c("Fire! and the earth, and wind", ""))), rbind(c(5, 4, 1, 2), 0))
  open <- layer_text_vectorization(vocabulary = c("a", "b"))
  expect_equal(plain(open(c("a", "b a c"))), rbind(c(2, 0, 0), c(3, 2, 1)))
  expect_equal(dim(open(layer_input(1, dtype = "string"))), c(NA_integer_, NA_integer_))
})

test_that("texts are standardized, split and joined as in TensorFlow", {
  expect_identical(words("It's GOOD:  very,\tgood!\n"), list(c("its", "good", "very", "good")))
  expect_identical(words("\u00c9T\u00c9 [x]^_`{|}~\"#$%&'()*+,-./;<=>?@\\"), list(c("\u00c9t\u00c9", "x")))
  expect_identical(words("It's GOOD", standardize = "lower"), list(c("it's", "good")))
  expect_identical(words("It's GOOD", standardize = "strip_punctuation"), list(c("Its", "GOOD")))
  expect_identical(words("It's GOOD", standardize = NULL), list(c("It's", "GOOD")))
  expect_identical(words(c("a-b", "-"), standardize = function(x) gsub("-", " ", x)), list(c("a", "b"), character()))
  expect_identical(words("a \u00fcb", split = "character"), list(c("a", " ", "\u00fc", "b")))
  expect_identical(words(c("a,b", ""), standardize = NULL, split = function(x) strsplit(x, ",")), list(c("a", "b"),
    NULL))
  expect_identical(words(rbind(c("a b", "c"), c("d", "e f")), split = NULL), list(c("a b", "c"), c("d", "e f")))
  expect_identical(words("a b c", ngrams = 2), list(c("a", "b", "c", "a b", "b c")))
  expect_identical(words(c("a b c", "a"), ngrams = c(3, 2)), list(c("a b c", "a b", "b c"), character()))
})

test_that("texts become counts", {
  texts <- c("a b a", "c a")
  rows <- function(...) {
    layer <- layer_text_vectorization(...)
    adapt(layer, texts)
    list(get_vocabulary(layer), plain(layer(c("a z b", ""))))
  }
  expect_identical(rows(output_mode = "multi_hot"), list(c("[UNK]", "a", "c", "b"), rbind(c(1, 1, 0, 1), 0)))
  expect_identical(rows(output_mode = "count", max_tokens = 3, pad_to_max_tokens = TRUE),
    list(c("[UNK]", "a", "c"), rbind(c(2, 1, 0), 0)))
  idf <- log(1 + 2 / (1 + c(2, 1, 1)))
  expect_equal(rows(output_mode = "tf_idf")[[2]], rbind(c(mean(idf), idf[1], 0, idf[3]), 0), tolerance = 1e-6)
  expect_identical(rows(output_mode = "tf_idf"), rows(output_mode = "tf-idf"))
})

test_that("text vectorization refuses what it cannot do", {
  fails <- function(expr, text, kind = "value")
    expect_error(expr, text, fixed = TRUE, class = paste0("nativenet_error_", kind))
  fails(layer_text_vectorization(output_mode = "one_hot"), "`output_mode` must be one of")
  fails(layer_text_vectorization(output_mode = "count", output_sequence_length = 3), "is for `output_mode = \"int\"`")
  fails(layer_text_vectorization(standardize = "upper"), "`standardize` must be one of")
  fails(layer_text_vectorization(ragged = TRUE), "`ragged` must be FALSE")
  fails(layer_text_vectorization(ngrams = 0), "`ngrams` must be whole numbers of at least 1")
  fails(layer_text_vectorization(vocabulary = "a")(matrix("a", 1, 2)), "splits rows of one text", "shape")
  fails(layer_text_vectorization(vocabulary = "a", standardize = function(x) "b")(c("a", "b")),
    "`standardize` must give 2 strings")
  fails(layer_text_vectorization(vocabulary = "a", split = function(x) x)(c("a", "b")), "`split` must give a list")
  fails(layer_text_vectorization()("a"), "knows no vocabulary yet", "unbuilt")
})
