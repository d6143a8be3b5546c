# Crosses of features, against TensorFlow's published buckets and its hash in R's exact arithmetic.

# FingerprintCat64 with numbers of 64 bits as vectors of 64 bits, the lowest first.
bits <- function(x) as.integer(floor(x / 2^(0:63)) %% 2)
of_hex <- function(x) unlist(lapply(rev(strsplit(x, "")[[1]]), function(d) as.integer(intToBits(strtoi(d, 16)))[1:4]))
factor_bits <- of_hex("c6a4a7935bd1e995")
times <- function(a, b) {
  sum <- integer(128)
  for (i in which(b == 1)) sum[i - 1 + 1:64] <- sum[i - 1 + 1:64] + a
  for (i in 1:64) {
    sum[i + 1] <- sum[i + 1] + sum[i] %/% 2L
    sum[i] <- sum[i] %% 2L
  }
  sum[1:64]
}
mix <- function(a) (a + c(a[48:64], integer(47))) %% 2L
hash_both <- function(a, b) {
  a <- (a + factor_bits + times(mix(times(b, factor_bits)), factor_bits)) %% 2L # xor of three
  mix(times(mix(times(a, factor_bits)), factor_bits))
}
modulo <- function(a, n) Reduce(function(rest, bit) (2 * rest + bit) %% n, rev(a), 0)
key <- c(of_hex("decafcaffe"), integer(24))

test_that("published buckets of strings and numbers, and those of numbers alone", {
  cross <- layer_hashed_crossing(num_bins = 5)
  letters <- c("A", "B", "A", "B", "A")
  numbers <- c(101, 101, 101, 102, 102)
  expect_equal(as.vector(cross(list(letters, numbers))), c(1, 4, 1, 1, 3))
  ones <- layer_hashed_crossing(list(letters, numbers), 5, output_mode = "one_hot")
  expect_equal(as.array(ones), diag(5)[c(1, 4, 1, 1, 3) + 1, ])
  a <- c(0, 1, 77, 2^40 + 3, 12345)
  b <- c(5, 0, 77, 1, 2^52 + 1)
  wanted <- mapply(function(x, y) modulo(hash_both(hash_both(key, bits(x)), bits(y)), 1000), a, b)
  got <- layer_hashed_crossing(num_bins = 1000)(list(tensor(matrix(a), "int64"), tensor(matrix(b), "int64")))
  expect_identical(dim(got), c(5L, 1L))
  expect_equal(as.vector(as.array(got)), wanted)
  # negative numbers are those of two's complement
  minus_two <- c(0L, rep(1L, 63))
  expect_equal(as.vector(cross(list(-2L, 3L))), modulo(hash_both(hash_both(key, minus_two), bits(3)), 5))
  three <- layer_hashed_crossing(num_bins = 997)(list(1L, 2L, 3L))
  expect_equal(as.vector(three), modulo(Reduce(hash_both, list(bits(1), bits(2), bits(3)), key), 997))
})

test_that("models cross strings that come in with numbers that they compute", {
  word <- layer_input(1, name = "word", dtype = "string")
  size <- layer_input(1, name = "size", dtype = "int32")
  index <- layer_string_lookup(word, vocabulary = c("u", "v"))
  one <- layer_hashed_crossing(list(word, size), num_bins = 50)
  two <- layer_hashed_crossing(list(index, size), num_bins = 50, output_mode = "one_hot")
  model <- keras_model(list(word, size), list(one, two))
  x <- list(word = c("u", "v", "w"), size = c(3L, -1L, 3L))
  got <- predict(model, x)
  eager <- layer_hashed_crossing(num_bins = 50)
  expect_equal(as.vector(got[[1]]), as.vector(as.array(eager(list(x$word, x$size)))))
  expect_equal(max.col(got[[2]]) - 1, as.vector(as.array(eager(list(c(1L, 2L, 0L), x$size)))))
  path <- tempfile()
  save_model(model, path)
  expect_identical(predict(load_model(path), x), got)
})

test_that("what cannot be crossed is refused", {
  cross <- layer_hashed_crossing(num_bins = 5)
  expect_refusal(cross(list("a")), "value", "at least two")
  expect_refusal(cross(list(c("a", "b"), "a")), "shape", "one shape")
  expect_refusal(cross(list(matrix(1:4, 2), matrix(1:4, 2))), "shape", "(2, 2)")
  expect_refusal(cross(list(tensor(c(1.5, 2)), 1:2)), "dtype", "float64")
  expect_refusal(cross(list(c(1.5, 2), 1:2)), "value", "whole")
  expect_refusal(layer_hashed_crossing(num_bins = 0), "value", "`num_bins`")
  expect_refusal(layer_hashed_crossing(num_bins = 3, output_mode = "count"), "value", "`output_mode`")
})
