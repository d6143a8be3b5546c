# Signals: windows of them and their spectra. The Fourier transforms are in R/op-linalg-names.R.

#' Spectra of short windows
#'
#' * `op_extract_sequences()`: windows of the last axis, `sequence_length` long, each `sequence_stride` further.
#' * `op_stft()`: the Fourier transforms of windows (the short-time Fourier transform), with frequencies along the last
#'   axis; `op_istft()`: the signal of which these are the spectra, from windows that overlap.
#'
#' With `center`, the signal is mirrored at both ends first, so that window t has its middle at t `sequence_stride`. A
#' window shorter than `fft_length` has zeros on both sides.
#'
#' @param x a tensor or array; for `op_istft()` a list of real and imaginary parts, (..., windows, frequencies).
#' @param sequence_length,sequence_stride whole numbers.
#' @param fft_length a whole number of at least `sequence_length`; `NULL` for the next power of 2.
#' @param length how long the signal is; `NULL` for what the windows span.
#' @param window `"hann"`, `"hamming"`, numbers, or `NULL` for none. The named ones are periodic.
#' @param center is the middle of each window meant?
#' @return A tensor (..., windows, `sequence_length`); a list of real and imaginary part, (..., windows,
#'   `fft_length` / 2 + 1); a tensor (..., time).
#' @section Errors: `nativenet_error_shape` for a signal that is shorter than a window.
#' @references Griffin and Lim (1984), Signal estimation from modified short-time Fourier transform, *IEEE ASSP* 32.
#' @seealso [op_rfft()], [layer_mel_spectrogram()]
#' @examples
#' op_extract_sequences(1:6, 3, 2)
#' x <- sin(1:64)
#' spectrum <- op_stft(x, 16, 4, 16)
#' max(abs(as.array(op_istft(spectrum, 16, 4, 16)) - x))
#' @export
op_extract_sequences <- function(x, sequence_length, sequence_stride) {
  x <- as_value(tensor(x))
  if (!rank_of(x)) abort("`x` must have at least one axis", class = "shape")
  windows_of(x, check_count(sequence_length), check_count(sequence_stride))
}

windows_of <- function(x, size, stride, fun = calling_function()) {
  n <- utils::tail(shape_of(x), 1)
  if (n < size) abort("windows of ", size, " need a signal of at least that length, not ", n, class = "shape",
    fun = fun)
  starts <- seq(0, n - size, by = stride)
  op_gather(x, outer(as.integer(starts), seq_len(size) - 1L, `+`), rank_of(x))
}

#' @rdname op_extract_sequences
#' @export
op_stft <- function(x, sequence_length, sequence_stride, fft_length = NULL, window = "hann", center = TRUE) {
  x <- float_tensor(x)
  if (!rank_of(x)) abort("`x` must have at least one axis", class = "shape")
  sizes <- stft_sizes(sequence_length, sequence_stride, fft_length)
  window <- padded_window(window, sizes, tensor_dtype(x))
  if (check_flag(center)) x <- mirror_ends(x, sizes$fft %/% 2)
  frames <- windows_of(x, sizes$fft, sizes$stride)
  op_rfft(op_multiply(frames, window), sizes$fft)
}

stft_sizes <- function(length, stride, fft, fun = calling_function()) {
  length <- check_count(length, arg = "sequence_length", fun = fun)
  fft <- if (is.null(fft)) 2^ceiling(log2(length)) else check_count(fft, min = length, arg = "fft_length", fun = fun)
  list(length = length, stride = check_count(stride, arg = "sequence_stride", fun = fun), fft = fft)
}

#' The window with zeros on both sides.
#' @noRd
padded_window <- function(window, sizes, dtype, fun = calling_function()) {
  values <- window_values(window, sizes$length, TRUE, fun)
  before <- (sizes$fft - sizes$length) %/% 2
  # without a window nothing is cut off
  if (is.null(window)) return(tensor(array(1, sizes$fft), dtype))
  tensor(array(c(numeric(before), values, numeric(sizes$fft - sizes$length - before)), sizes$fft), dtype)
}

#' @param periodic is it one period of n numbers, or of n - 1?
#' @noRd
window_values <- function(window, n, periodic = TRUE, fun = calling_function()) {
  if (is.null(window)) return(rep(1, n))
  if (is.character(window)) {
    a <- if (check_choice(window, c("hann", "hamming"), fun = fun) == "hann") 0.5 else 0.54
    if (n == 1) return(1)
    return(a - (1 - a) * cos(2 * pi * (seq_len(n) - 1) / (n - !periodic)))
  }
  window <- check_reals(window, "window", fun)
  if (length(window) != n) abort("`window` must have ", n, " numbers, not ", length(window), class = "shape", fun = fun)
  window
}

#' The last axis with k more at both ends, mirrored at the first and the last number.
#' @noRd
mirror_ends <- function(x, k, fun = calling_function()) {
  n <- utils::tail(shape_of(x), 1)
  if (k >= n) abort("a signal of ", n, " is too short to be mirrored by ", k, ": take a shorter `fft_length`, or ",
    "`center = FALSE`", class = "shape", fun = fun)
  if (k) op_gather(x, array(as.integer(c(k:1, 0:(n - 1), n - 1 - seq_len(k))), n + 2 * k), rank_of(x)) else x
}

#' @rdname op_extract_sequences
#' @export
op_istft <- function(x, sequence_length, sequence_stride, fft_length = NULL, length = NULL, window = "hann",
  center = TRUE) {
  parts <- check_complex(x, axes = 2)
  sizes <- stft_sizes(sequence_length, sequence_stride, fft_length)
  window <- padded_window(window, sizes, tensor_dtype(parts[[1]]))
  frames <- op_multiply(op_irfft(parts, sizes$fft), window)
  count <- utils::tail(shape_of(frames), 2)[1]
  signal <- overlap_add(frames, sizes$stride)
  weight <- overlap_add(op_multiply(tensor(matrix(1, count, sizes$fft), tensor_dtype(frames)), op_square(window)),
    sizes$stride)
  # where no window reaches there is nothing to divide
  signal <- op_divide(signal, op_where(op_greater(weight, 1e-10), weight, 1))
  start <- if (check_flag(center)) sizes$fft %/% 2 else 0
  n <- sizes$fft + sizes$stride * (count - 1)
  end <- if (!is.null(length)) start + check_count(length) else n - start
  if (end > n) signal <- fit_last(signal, end)
  rank <- rank_of(signal)
  op_slice(signal, c(rep(1, rank - 1), start + 1), c(rep(-1, rank - 1), end - start))
}

#' Windows (..., windows, size), each `stride` behind the one before, added up.
#' @noRd
overlap_add <- function(frames, stride) {
  rank <- rank_of(frames)
  size <- shape_of(frames)[rank]
  count <- shape_of(frames)[rank - 1]
  pieces <- ceiling(size / stride)
  frames <- fit_last(frames, pieces * stride)
  none <- matrix(0, rank - 2, 2)
  parts <- lapply(seq_len(pieces), function(k) {
    piece <- op_slice(frames, c(rep(1, rank - 1), (k - 1) * stride + 1), c(rep(-1, rank - 1), stride))
    line <- reshape_to(piece, c(open_shape(piece)[seq_len(rank - 2)], count * stride))
    op_pad(line, rbind(none, c((k - 1) * stride, (pieces - k) * stride)))
  })
  fit_last(Reduce(op_add, parts), size + stride * (count - 1))
}
