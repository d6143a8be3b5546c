test_that("texts are cut at punctuation and blanks", {
  expect_identical(text_to_word_sequence("It's good: very, VERY good!"), c("it's", "good", "very", "very", "good"))
  expect_identical(text_to_word_sequence("a!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\nb"), c("a", "b"))
  expect_identical(text_to_word_sequence("One Two", lower = FALSE), c("One", "Two"))
  expect_identical(text_to_word_sequence("a-b.c", filters = "-"), c("a", "b.c"))
  expect_identical(text_to_word_sequence("a-b c", filters = ""), c("a-b", "c"))
  expect_identical(text_to_word_sequence("a;b, c", filters = ";", split = ", "), c("a", "b", "c"))
  expect_identical(text_to_word_sequence("a.b", filters = ".", split = "\\"), c("a", "b"))
  expect_identical(text_to_word_sequence(" ... "), character())
  expect_identical(text_to_word_sequence(""), character())
  expect_identical(text_to_word_sequence(factor("A b")), c("a", "b"))
  expect_identical(text_to_word_sequence("\u00c9t\u00e9, \u65e5\u672c\u8a9e"), c("\u00e9t\u00e9", "\u65e5\u672c\u8a9e"))
  latin <- iconv("\u00c9t\u00e9", "UTF-8", "latin1")
  expect_identical(text_to_word_sequence(latin), "\u00e9t\u00e9")
  expect_identical(text_to_word_sequence(NA), NA_character_)
})

test_that("what is no text is told", {
  expect_error(text_to_word_sequence(3), "`text_to_word_sequence()`: `text` must be a single string, not 3",
    fixed = TRUE)
  expect_error(text_to_word_sequence(c("a", "b")), "must be a single string, not a character vector of length 2")
  expect_error(text_to_word_sequence("a\xff"), "whose bytes are no text", fixed = TRUE)
  expect_error(text_to_word_sequence("a", split = ""), "`split` must be a string of at least one character",
    fixed = TRUE)
  expect_error(text_to_word_sequence("a", lower = NA), "`lower` must be TRUE or FALSE", fixed = TRUE)
})

test_that("hashes are the same for the same words, and in range", {
  expect_length(text_one_hot("one two three four five six", 100), 6)
  x <- text_hashing_trick("the film is the best", n = 100)
  expect_type(x, "integer")
  expect_identical(x[1], x[4])
  expect_identical(x, text_one_hot("The film; is the BEST!", 100))
  many <- text_one_hot(paste(sprintf("word%d", 1:2000), collapse = " "), 10)
  expect_setequal(many, 1:9)
  expect_true(all(abs(tabulate(many) - 2000 / 9) < 100))
  # (98 * 31^2 + 99 * 31 + 100) %% (2^31 - 1)
  expect_identical(text_one_hot("bcd", 1000), as.integer((98 * 961 + 99 * 31 + 100) %% 999 + 1))
  expect_identical(text_one_hot(NA, 5), NA_integer_)
  expect_identical(text_hashing_trick(NA, 5), NA_integer_)
  expect_identical(text_one_hot("", 5), integer())
  expect_identical(text_one_hot(text = "a b", n = 2), c(1L, 1L))
})

test_that("md5 gives the numbers of Keras, and any function can be used", {
  # int(hashlib.md5(word.encode()).hexdigest(), 16) % 99 + 1
  expect_identical(text_hashing_trick("the film is the best", 100, "md5"), c(51L, 59L, 66L, 51L, 3L))
  expect_identical(text_hashing_trick("a bbb cc", 3, nchar), c(2L, 2L, 1L))
  expect_error(text_hashing_trick("a", 10, "sha"),
    "`text_hashing_trick()`: `hash_function` must be a function, not \"sha\"", fixed = TRUE)
  expect_error(text_one_hot("a", 1), "`text_one_hot()`: `n` must be a whole number of at least 2, not 1", fixed = TRUE)
})
