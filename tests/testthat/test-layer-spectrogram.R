# Spectra of sounds against plain R.

set.seed(7)
sound <- rnorm(400)
hann <- function(n, m = n) 0.5 - 0.5 * cos(2 * pi * (seq_len(n) - 1) / m)

test_that("powers in mel bands, in decibels", {
  mel <- function(f) 2595 * log10(1 + f / 700)
  x <- c(rev(sound[2:33]), sound, rev(sound)[2:33])
  frames <- vapply(seq(0, length(x) - 64, 50), function(s) Mod(fft(x[s + 1:64] * hann(64)))[1:33]^2, numeric(33))
  edges <- seq(mel(20), mel(4000), length.out = 12)
  at <- mel(seq(0, 4000, length.out = 33))
  w <- vapply(1:10, function(k) pmax(0, pmin((at - edges[k]) / (edges[k + 1] - edges[k]), (edges[k + 2] - at) /
    (edges[k + 2] - edges[k + 1]))), numeric(33))
  w[1, ] <- 0
  power <- t(w) %*% frames
  layer <- function(x, ...) layer_mel_spectrogram(x, 64, 50, sampling_rate = 8000, num_mel_bins = 10, ...,
    dtype = "float64")
  expect_equal(as.array(layer(rbind(sound), power_to_db = FALSE))[1, , ], power, tolerance = 1e-5)
  db <- 10 * log10(pmax(power, 1e-10))
  expect_equal(as.array(layer(rbind(sound), ref_power = 2, top_db = 30))[1, , ], pmax(db, max(db) - 30) - 10 * log10(2),
    tolerance = 1e-5)
  expect_equal(as.array(layer(sound, power_to_db = FALSE)), power, tolerance = 1e-5)
  amplitude <- t(w) %*% sqrt(frames)
  expect_equal(as.array(layer(sound, power_to_db = FALSE, mag_exp = 1)), amplitude, tolerance = 1e-5)
  model <- keras_model_sequential(input_shape = 400) |> layer_mel_spectrogram(64, 50, sampling_rate = 8000,
    num_mel_bins = 10) |> layer_flatten() |> layer_dense(1)
  expect_identical(dim(predict(model, rbind(sound, sound))), c(2L, 1L))
  expect_identical(predict(unserialize_model(serialize_model(model)), rbind(sound)), predict(model, rbind(sound)))
  expect_error(layer_mel_spectrogram(rbind(sound), 64, max_freq = 10), "`max_freq`")
  expect_error(layer_mel_spectrogram(rbind(sound[1:10]), 64), class = "nativenet_error_shape")
})

test_that("a convolution is the Fourier transform of windows", {
  x <- array(c(sound[1:200], sound[201:400]), c(1, 200, 2))
  window <- hann(16, 15)
  window <- window / sqrt(sum(window^2))
  frames <- lapply(1:2, function(k) t(vapply(seq(0, 184, 8), function(s) fft(c(x[1, s + 1:16, k] * window,
    numeric(16)))[1:17], complex(17))))
  out <- function(mode, ...) as.array(layer_stft_spectrogram(x, mode, 16, fft_length = 32, ..., dtype = "float64"))
  both <- function(f) cbind(f(frames[[1]]), f(frames[[2]]))
  expect_equal(out("real")[1, , ], both(Re), tolerance = 1e-6)
  expect_equal(out("imag")[1, , ], both(Im), tolerance = 1e-6)
  expect_equal(out("magnitude")[1, , ], sqrt(pmax(both(Mod)^2, 1e-7)), tolerance = 1e-6)
  expect_equal(out("log")[1, , ], log(sqrt(pmax(both(Mod)^2, 1e-7))), tolerance = 1e-6)
  expect_equal(out("psd")[1, , ], both(function(z) t(t(Mod(z)^2) * c(1, rep(2, 15), 1))), tolerance = 1e-6)
  expect_equal(out("stft")[1, , ], both(function(z) cbind(Re(z), Im(z))), tolerance = 1e-6)
  expect_equal(cos(out("angle")[1, , 2:16]), cos(Arg(frames[[1]][, 2:16])), tolerance = 1e-5)
  deep <- out("real", expand_dims = TRUE)
  expect_identical(dim(deep), c(1L, 24L, 17L, 2L))
  expect_equal(deep[1, , , 2], Re(frames[[2]]), tolerance = 1e-6)
  expect_identical(dim(out("log", padding = "same")), c(1L, 25L, 34L))
  model <- keras_model_sequential(input_shape = c(200, 1)) |> layer_stft_spectrogram("magnitude", 16) |>
    layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  fit(model, x[, , 1, drop = FALSE], 1, epochs = 1, verbose = 0)
  expect_identical(predict(unserialize_model(serialize_model(model)), x[, , 1, drop = FALSE]),
    predict(model, x[, , 1, drop = FALSE]))
  expect_error(layer_stft_spectrogram(x, "power"), "`mode`")
  expect_error(layer_stft_spectrogram(x, frame_length = 16, fft_length = 8), "`fft_length`")
  expect_error(layer_stft_spectrogram(x, data_format = "channels_first"), class = "nativenet_error_missing")
  kernel <- as.array(initializer_stft("imag", NULL, NULL)(c(4, 1, 3), "float64"))[, 1, ]
  expect_equal(kernel, sin(-2 * pi * outer(0:3, 0:2) / 4), tolerance = 1e-12)
  expect_error(initializer_stft()(c(4, 3)), class = "nativenet_error_shape")
})
