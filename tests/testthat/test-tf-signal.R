# tf$bitwise and tf$signal against plain R.

test_that("bits are those of R", {
  a <- c(5L, 12L, 7L)
  b <- c(3L, 10L, 1L)
  bits <- tf$bitwise
  expect_equal(c(as.array(bits$bitwise_and(a, b))), bitwAnd(a, b))
  expect_equal(c(as.array(bits$bitwise_or(a, b))), bitwOr(a, b))
  expect_equal(c(as.array(bits$bitwise_xor(a, b))), bitwXor(a, b))
  expect_equal(c(as.array(bits$invert(a))), bitwNot(a))
  expect_equal(c(as.array(bits$left_shift(a, b))), a * 2^b)
  expect_equal(c(as.array(bits$right_shift(a, b))), a %/% 2^b)
})

test_that("frames and windows are those of TensorFlow", {
  s <- tf$signal
  x <- 1:9 / 1
  expect_equal(as.array(s$frame(x, 4L, 2L)), rbind(1:4, 3:6, 5:8) / 1)
  padded <- as.array(s$frame(x, 4L, 3L, pad_end = TRUE, pad_value = -1))
  expect_equal(padded, rbind(1:4, 4:7, c(7:9, -1)) / 1)
  m <- matrix(1:10 / 1, 5)
  expect_equal(as.array(s$frame(m, 2L, 2L, axis = 0L))[2, , ], m[3:4, ])
  expect_identical(dim(s$frame(m, 2L, 2L, axis = 0L)), c(2L, 2L, 2L))
  expect_equal(c(as.array(s$overlap_and_add(rbind(1:4, 5:8) / 1, 2L))), c(1, 2, 8, 10, 7, 8))
  n <- 0:7
  expect_equal(c(as.array(s$hann_window(8L))), 0.5 - 0.5 * cos(2 * pi * n / 8), tolerance = 1e-6)
  expect_equal(c(as.array(s$hamming_window(8L, periodic = FALSE))), 0.54 - 0.46 * cos(2 * pi * n / 7), tolerance = 1e-6)
  # of odd lengths they are not periodic
  expect_equal(c(as.array(s$hann_window(5L))), 0.5 - 0.5 * cos(2 * pi * 0:4 / 4), tolerance = 1e-6)
  expect_equal(c(as.array(s$vorbis_window(8L))), sin(pi / 2 * sin(pi * (n + 0.5) / 8)^2), tolerance = 1e-6)
  kaiser <- besselI(12 * sqrt(1 - (2 * n / 7 - 1)^2), 0) / besselI(12, 0)
  expect_equal(c(as.array(s$kaiser_window(8L))), kaiser, tolerance = 1e-6)
  expect_equal(c(as.array(s$kaiser_window(8L, -12))), kaiser, tolerance = 1e-6)
  expect_equal(c(as.array(s$fftshift(0:4 / 1))), c(3, 4, 0, 1, 2))
  expect_equal(c(as.array(s$ifftshift(s$fftshift(0:4 / 1)))), 0:4)
  expect_error(s$stft(x, 4, 2), "op_fft", class = "nativenet_error_missing")
})

test_that("cosine transforms are the sums they are defined by", {
  x <- c(1, -2, 3, 0.5, 4)
  n <- length(x)
  j <- seq_len(n) - 1
  by_sums <- list(
    vapply(j, function(k) x[1] + (-1)^k * x[n] + 2 * sum(x[2:(n - 1)] * cos(pi * k * (1:(n - 2)) / (n - 1))), 0),
    vapply(j, function(k) 2 * sum(x * cos(pi * k * (2 * j + 1) / (2 * n))), 0),
    vapply(j, function(k) x[1] + 2 * sum(x[-1] * cos(pi * (2 * k + 1) * j[-1] / (2 * n))), 0),
    vapply(j, function(k) 2 * sum(x * cos(pi * (2 * k + 1) * (2 * j + 1) / (4 * n))), 0))
  x64 <- tf$constant(x, tf$float64)
  for (type in 1:4) expect_equal(c(as.array(tf$signal$dct(x64, type))), by_sums[[type]], tolerance = 1e-12)
  # orthonormal ones keep lengths, and their inverse is the inverse
  for (type in 2:4) {
    y <- tf$signal$dct(x64, type, norm = "ortho")
    expect_equal(sum(as.array(y)^2), sum(x^2))
    expect_equal(c(as.array(tf$signal$idct(y, type, norm = "ortho"))), x)
  }
  m <- cbind(x, rev(x))
  expect_equal(as.array(tf$signal$dct(m, axis = 0L))[, 1], by_sums[[2]])
  expect_equal(c(as.array(tf$signal$dct(x64, n = 3L))), vapply(0:2, function(k) 2 * sum(x[1:3] * cos(pi * k *
    (2 * 0:2 + 1) / 6)), 0))
  expect_error(tf$signal$dct(x, 1, norm = "ortho"), class = "nativenet_error_value")
  expect_equal(c(as.array(tf$signal$mfccs_from_log_mel_spectrograms(x64))), by_sums[[2]] / sqrt(2 * n))
  w <- as.array(tf$signal$linear_to_mel_weight_matrix(4L, 9L, 8000, 125, 3800))
  expect_identical(dim(w), c(9L, 4L))
  mel <- function(f) 1127 * log(1 + f / 700)
  edges <- seq(mel(125), mel(3800), length.out = 6)
  at <- mel(500 * 3)
  expect_equal(w[4, ], pmax(0, pmin((at - edges[1:4]) / diff(edges)[1], (edges[3:6] - at) / diff(edges)[1])),
    tolerance = 1e-5)
})

test_that("dtypes have Python's members", {
  expect_identical(c(tf$uint8$max, tf$int32$min, tf$int16$max), c(255, -2^31, 32767))
  expect_equal(tf$float32$max, 3.4028234663852886e38)
  expect_identical(tf$float64$min, -.Machine$double.xmax)
  expect_true(tf$float16$is_floating && tf$uint8$is_unsigned && tf$uint8$is_integer && !tf$int32$is_floating)
  expect_identical(c(tf$float32$size, tf$int64$size, tf$bool$size), c(4L, 8L, 1L))
  expect_identical(tf$as_dtype("float32"), tf$float32)
  expect_identical(tf$as_dtype("double"), tf$float64)
  expect_identical(tf$as_dtype(tf$uint8), tf$uint8)
  expect_error(tf$as_dtype("flaot32"), class = "nativenet_error_value")
  expect_error(tf$string$max, "least or greatest", class = "nativenet_error_dtype")
  expect_identical(tf$constant(1)$dtype$name, "float32")
})
