# Layers that make spectra of sounds.

#' Spectrogram layers
#'
#' `layer_mel_spectrogram()`: the powers of short windows of a signal ([op_stft()]), added up in bands that are equally
#' wide on the mel scale, \eqn{1127 \log(1 + f / 700)}{1127 log(1 + f / 700)} for a frequency f, with the weights of
#' triangles; in decibels, \eqn{10 \log_{10}}{10 log10} of the ratio to `ref_power`, no lower than `top_db` below the
#' largest. Shapes: input (batch, time) or (time), output (batch, bands, windows). No weights.
#'
#' `layer_stft_spectrogram()`: the Fourier transform of windows as a convolution, whose kernels ([initializer_stft()])
#' may be trained. Shapes: input (batch, time, channels), output (batch, windows, channels times frequencies), or with
#' `expand_dims` (batch, windows, frequencies, channels). Weights: real and imaginary kernel, (`frame_length`, 1,
#' `fft_length` / 2 + 1).
#'
#' @inheritParams layer_activation
#' @param fft_length a whole number of at least the window's length; `NULL` for the next power of 2.
#' @param sequence_stride,sequence_length how far windows are apart, and their length; `NULL` for `fft_length`.
#' @param window `"hann"`, `"hamming"`, numbers, or `NULL` for none.
#' @param sampling_rate samples per second.
#' @param num_mel_bins how many bands.
#' @param min_freq,max_freq the frequencies where they begin and end; `NULL` for half of `sampling_rate`.
#' @param power_to_db in decibels?
#' @param top_db,mag_exp,min_power,ref_power numbers: see above; the power is that of the amplitude with the exponent
#'   `mag_exp`, and at least `min_power` in decibels.
#' @param mode `"log"`, the logarithm of the amplitude; `"magnitude"`, the amplitude; `"psd"`, the power, doubled but
#'   for the first and last frequency; `"real"`, `"imag"`, `"angle"`, or `"stft"` for real and imaginary part.
#' @param frame_length,frame_step the length of windows, and how far apart they are; `NULL` for half of it.
#' @param periodic is the window one period of its length, or of one less?
#' @param scaling `"density"` or `"spectrum"`: the window is divided by the root of the sum of its squares, or by its
#'   sum; `NULL` for neither.
#' @param padding `"valid"` or `"same"`.
#' @param expand_dims see above.
#' @param data_format `"channels_last"`.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of other axes, or one that is too short.
#' @seealso [op_stft()]
#' @examples
#' sound <- sin(2 * pi * 440 * seq_len(4000) / 8000)
#' mel <- layer_mel_spectrogram(array(sound, c(1, 4000)), fft_length = 256, sequence_stride = 128,
#'   sampling_rate = 8000, num_mel_bins = 20)
#' which.max(rowMeans(as.array(mel)[1, , ])) # the band of 440 Hz
#' dim(layer_stft_spectrogram(array(sound, c(1, 4000, 1)), frame_length = 64))
#' @export
layer_mel_spectrogram <- function(object, fft_length = 2048, sequence_stride = 512, sequence_length = NULL,
  window = "hann", sampling_rate = 16000, num_mel_bins = 128, min_freq = 20, max_freq = NULL, power_to_db = TRUE,
  top_db = 80, mag_exp = 2, min_power = 1e-10, ref_power = 1, ...) {
  sizes <- stft_sizes(if (is.null(sequence_length)) fft_length else sequence_length, sequence_stride, fft_length)
  rate <- check_number(sampling_rate, above = 0)
  min_freq <- check_number(min_freq, min = 0)
  max_freq <- if (is.null(max_freq)) rate / 2 else check_number(max_freq, above = 0)
  if (max_freq <= min_freq) abort("`max_freq` must be above `min_freq`, not ", max_freq)
  window_values(window, sizes$length)
  new_layer("mel_spectrogram", object, list(fft_length = sizes$fft, sequence_stride = sizes$stride,
    sequence_length = sizes$length, window = window, sampling_rate = rate, num_mel_bins = check_count(num_mel_bins),
    min_freq = min_freq, max_freq = max_freq, power_to_db = check_flag(power_to_db), top_db = check_number(top_db),
    mag_exp = check_number(mag_exp, above = 0), min_power = check_number(min_power, above = 0),
    ref_power = check_number(ref_power)), ...)
}

#' Weights of frequencies (rows) in mel bands (columns): triangles of the height 1.
#' @noRd
mel_weights <- function(bands, frequencies, rate, low, high) {
  mel <- function(f) 1127 * log(1 + f / 700)
  at <- mel(seq(0, rate / 2, length.out = frequencies))
  edges <- seq(mel(low), mel(high), length.out = bands + 2)
  width <- edges[2] - edges[1]
  w <- pmax(outer(at, edges[-c(1, bands + 2)], function(f, middle) 1 - abs(f - middle) / width), 0)
  w[1, ] <- 0 # not the constant part
  w
}

mel_spectrogram_type <- list(
  class_name = "MelSpectrogram",
  call = function(self, x) {
    config <- self$config
    x <- whole_as_floats(self, x)
    if (!rank_of(x) %in% 1:2) abort("needs an input of shape (batch, time), not ", input_shape_text(x), class = "shape",
      fun = self$name)
    parts <- op_stft(x, config$sequence_length, config$sequence_stride, config$fft_length, unlist(config$window), TRUE)
    power <- op_add(op_square(parts[[1]]), op_square(parts[[2]]))
    if (config$mag_exp != 2) power <- op_power(power, config$mag_exp / 2)
    weights <- mel_weights(config$num_mel_bins, config$fft_length %/% 2 + 1, config$sampling_rate, config$min_freq,
      config$max_freq)
    y <- op_matmul(power, tensor(weights, tensor_dtype(x)))
    if (config$power_to_db) {
      y <- op_multiply(op_log(op_maximum(y, config$min_power)), 10 / log(10))
      y <- op_subtract(y, 10 * log10(max(abs(config$ref_power), config$min_power)))
      y <- op_maximum(y, op_subtract(op_max(y), config$top_db))
    }
    op_swapaxes(y, -1, -2)
  }
)

#' @rdname layer_mel_spectrogram
#' @export
layer_stft_spectrogram <- function(object, mode = "log", frame_length = 256, frame_step = NULL, fft_length = NULL,
  window = "hann", periodic = FALSE, scaling = "density", padding = "valid", expand_dims = FALSE, data_format = NULL,
  ...) {
  frame_length <- check_count(frame_length)
  window_values(window, frame_length)
  if (check_data_format(data_format) != "channels_last") abort("`data_format` must be \"channels_last\"",
    class = "missing")
  new_layer("stft_spectrogram", object, list(
    mode = check_choice(mode, c("log", "magnitude", "psd", "real", "imag", "angle", "stft")),
    frame_length = frame_length,
    frame_step = if (is.null(frame_step)) max(1, frame_length %/% 2) else check_count(frame_step, max = frame_length),
    fft_length = if (is.null(fft_length)) 2^ceiling(log2(frame_length)) else check_count(fft_length,
      min = frame_length),
    window = window, periodic = check_flag(periodic),
    scaling = if (!is.null(scaling)) check_choice(scaling, c("density", "spectrum")), padding = check_padding(padding),
    expand_dims = check_flag(expand_dims)), ...)
}

stft_spectrogram_type <- list(
  class_name = "STFTSpectrogram",
  build = function(self, shape) {
    config <- self$config
    if (length(shape) != 3) abort("needs an input of shape (batch, time, channels), not ", format_keras_shape(shape),
      class = "shape", fun = self$name)
    for (side in c("real", "imag")) if (config$mode != setdiff(c("real", "imag"), side))
      add_weight(self, paste0(side, "_kernel"), c(config$frame_length, 1, config$fft_length %/% 2 + 1),
        initializer_stft(side, unlist(config$window), config$scaling, config$periodic))
  },
  call = function(self, x) {
    config <- self$config
    x <- whole_as_floats(self, x)
    channels <- shape_of(x)[3]
    time <- shape_of(x)[2]
    # each channel by itself: as rows of the batch
    lines <- op_reshape(op_transpose(x, c(1, 3, 2)), c(-1, time, 1))
    parts <- lapply(self$weights, function(w) op_conv(lines, w, config$frame_step, config$padding))
    y <- switch(config$mode,
      real = , imag = parts[[1]],
      stft = op_concat(parts, 3),
      angle = op_arctan2(parts[[2]], parts[[1]]),
      op_add(op_square(parts[[1]]), op_square(parts[[2]])))
    n <- shape_of(y)[3]
    if (config$mode == "psd") y <- op_multiply(y, tensor(array(c(1, rep(2, n - 2), 1), n), tensor_dtype(y)))
    if (config$mode %in% c("magnitude", "log")) y <- op_sqrt(op_maximum(y, session$epsilon))
    if (config$mode == "log") y <- op_log(op_maximum(y, session$epsilon))
    steps <- shape_of(y)[2]
    y <- op_reshape(y, c(-1, channels, steps, n))
    if (config$expand_dims) return(op_transpose(y, c(1, 3, 4, 2)))
    op_reshape(op_transpose(y, c(1, 3, 2, 4)), c(-1, steps, channels * n))
  }
)
