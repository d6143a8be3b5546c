# Spectra of windows against R's fft().

set.seed(4)
x <- rnorm(50)
hann <- function(n) 0.5 - 0.5 * cos(2 * pi * (seq_len(n) - 1) / n)
by_hand <- function(x, size, stride, n, window, center) {
  if (center) x <- c(rev(x[seq_len(n %/% 2) + 1]), x, rev(x)[seq_len(n %/% 2) + 1])
  before <- (n - size) %/% 2
  window <- c(numeric(before), window, numeric(n - size - before))
  starts <- seq(0, length(x) - n, by = stride)
  t(vapply(starts, function(s) fft(x[s + seq_len(n)] * window)[seq_len(n %/% 2 + 1)], complex(n %/% 2 + 1)))
}

test_that("windows and their spectra are those of R", {
  expect_identical(as.array(op_extract_sequences(x, 8, 3)), t(vapply(seq(0, 42, 3), function(s) x[s + 1:8],
    numeric(8))))
  for (center in c(TRUE, FALSE)) {
    got <- lapply(op_stft(x, 12, 5, 16, center = center), as.array)
    wanted <- by_hand(x, 12, 5, 16, hann(12), center)
    expect_equal(got, list(Re(wanted), Im(wanted)), tolerance = 1e-10)
  }
  own <- lapply(op_stft(x, 8, 2, window = 1:8 / 8), as.array)
  wanted <- by_hand(x, 8, 2, 8, 1:8 / 8, TRUE)
  expect_equal(own, list(Re(wanted), Im(wanted)), tolerance = 1e-10)
  batch <- lapply(op_stft(rbind(x, 2 * x), 8, 4, window = NULL), as.array)
  expect_equal(batch[[1]][2, , ], 2 * batch[[1]][1, , ])
  # a Hamming window of 8
  expect_equal(window_values("hamming", 4, FALSE), c(0.08, 0.77, 0.77, 0.08))
})

test_that("spectra become signals again; gradients pass both ways", {
  for (how in list(list(16, 4, 16, "hann"), list(12, 3, 16, "hamming"), list(8, 8, 8, NULL), list(9, 2, 10, "hann"))) {
    args <- list(how[[1]], how[[2]], how[[3]], window = how[[4]])
    signal <- do.call(op_istft, c(list(do.call(op_stft, c(list(x), args))), args, list(length = 40)))
    expect_equal(c(as.array(signal)), x[1:40], tolerance = 1e-10)
  }
  spectrum <- op_stft(x, 16, 4, 16, center = FALSE)
  y <- c(as.array(op_istft(spectrum, 16, 4, 16, center = FALSE)))
  expect_equal(y[5:45], x[5:45], tolerance = 1e-10)
  expect_length(c(as.array(op_istft(spectrum, 16, 4, 16, length = 60, center = FALSE))), 60)
  expect_true(check_gradient(function(x) {
    parts <- op_stft(x, 6, 3, 8)
    op_sum(op_square(parts[[1]])) + op_sum(parts[[2]]) + op_sum(op_square(op_istft(parts, 6, 3, 8)))
  }, x[1:20])$ok)
  expect_error(op_extract_sequences(1:3, 4, 1), class = "nativenet_error_shape")
  expect_error(op_stft(1:4, 16, 4, 16), class = "nativenet_error_shape")
  expect_error(op_stft(x, 16, 4, 8), "`fft_length`")
  expect_error(op_stft(x, 16, 4, 16, window = 1:3), "16 numbers", class = "nativenet_error_shape")
  expect_error(op_istft(x, 16, 4, 16), "list of real")
})
