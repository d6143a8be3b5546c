buckets <- function(x, ...) as.vector(as.array(layer_hashing(x, ...)))

#' The remainder of a 64-bit number, in hexadecimal digits.
remainder <- function(hex, n) {
  halves <- as.numeric(paste0("0x", substring(hex, c(1, 9), c(8, 16))))
  ((halves[1] %% n) * (2^32 %% n) + halves[2]) %% n
}

test_that("strings fall into the buckets of Keras", {
  # from Keras' help page
  letters <- matrix(c("A", "B", "C", "D", "E"))
  expect_equal(buckets(letters, num_bins = 3), c(1, 0, 1, 1, 2))
  expect_equal(buckets(matrix(c("A", "B", "", "C", "D")), num_bins = 3, mask_value = ""), c(1, 1, 0, 2, 2))
  expect_equal(buckets(letters, num_bins = 3, salt = c(133, 137)), c(1, 2, 1, 0, 2))
  expect_equal(buckets(letters, num_bins = 3, salt = 133), c(0, 0, 2, 1, 0))
  expect_identical(dim(layer_hashing(letters, num_bins = 3)), c(5L, 1L))
})

test_that("the hash is FarmHash's for strings of each length", {
  # published values of Fingerprint64: the tests of github.com/tecnickcom/farmhash64
  known <- c("9ae16a3b2f90404f" = "", "b3454265b6df75e3" = "a", "24a5b3a074e7f369" = "abc", "1a5502de4a1f8101" = "abcd",
    "3c40c92b1ccb7355" = "abcdefg", "fee9d22990c82909" = "abcdefgh", "4283d4ef43627f64" = "0123456789'01234",
    "46a7416ed4861e3b" = "0123456789=012345", "b944f8a16261e414" = "C is as portable as Stonehedge!!",
    "e8f89ab6df9bdd25" = "Discard medicine more than two years old.",
    "2a578b80bb82147c" = "The days of the digital watch are numbered.  -Tom Stoppard",
    "55182f8859eca4ce" = "For every action there is an equal and opposite government program.",
    "5a05644eb66e435e" =
      "Even if I could be Shakespeare, I think I should still choose to be Faraday. - A. Huxley",
    "098eff6958c5e91a" = paste("The fugacity of a constituent in a mixture of gases at a given temperature is",
      "proportional to its mole fraction.  Lewis-Randall Rule"))
  n <- 2147483647
  expect_equal(string_buckets(unname(known), n), vapply(names(known), remainder, 0, n), ignore_attr = TRUE)
  # the paper's example: the key is 00 .. 0f, which no salt of doubles is, and so are these from a shorter one
  expect_false(identical(string_buckets(letters, 1000, 1), string_buckets(letters, 1000, 2)))
})

test_that("numbers are hashed as they are printed, and masked ones are 0", {
  expect_identical(buckets(c(3, -5, 1e10), num_bins = 97), buckets(c("3", "-5", "10000000000"), num_bins = 97))
  expect_identical(buckets(tensor(c(3L, 5L)), num_bins = 97), buckets(c("3", "5"), num_bins = 97))
  expect_identical(buckets(c(0, 7), num_bins = 9, mask_value = 0), c(0L, buckets("7", num_bins = 8) + 1L))
  expect_identical(buckets(factor("u"), num_bins = 97), buckets("u", num_bins = 97))
  latin <- "\u00e9"
  expect_identical(buckets(iconv(latin, "UTF-8", "latin1"), num_bins = 97), buckets(latin, num_bins = 97))
})

test_that("buckets become columns", {
  x <- rbind(c("A", "B"), c("C", "E"))
  expect_identical(as.array(layer_hashing(x, 3, output_mode = "multi_hot")), rbind(c(1, 1, 0), c(0, 1, 1)))
  expect_identical(as.array(layer_hashing(x, 3, output_mode = "count")), rbind(c(1, 1, 0), c(0, 1, 1)))
  expect_identical(as.array(layer_hashing(x[, 1, drop = FALSE], 3, output_mode = "one_hot")),
    rbind(c(0, 1, 0), c(0, 1, 0)))
})

test_that("hashing refuses what it cannot do", {
  expect_error(layer_hashing(), "`num_bins` must be given")
  expect_error(layer_hashing("a", num_bins = 3, salt = 1:3), "`salt` must be one or two whole numbers")
  expect_error(layer_hashing("a", num_bins = 3, salt = -1), "`salt` must be whole numbers")
  expect_error(layer_hashing(0.5, num_bins = 3), "`x` must be whole numbers")
  expect_error(layer_hashing(NA_character_, num_bins = 3), "`x` must not have missing strings; number 1 is NA")
  expect_error(layer_hashing("a", num_bins = 3, output_mode = "tf_idf"), "`output_mode` must be one of")
})
