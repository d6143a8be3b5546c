# tf$bitwise and tf$signal: bits of whole numbers; frames, windows and cosine transforms of signals. What takes or gives
# complex numbers is refused, see R/tf-left.R.

tf_bitwise <- list(
  bitwise_and = binary(op_bitwise_and), bitwise_or = binary(op_bitwise_or), bitwise_xor = binary(op_bitwise_xor),
  left_shift = binary(op_bitwise_left_shift), right_shift = binary(op_bitwise_right_shift),
  invert = unary(op_bitwise_not)
)

#' f of x, for which an axis is the last one.
#' @noRd
with_last_axis <- function(x, axis, f, fun = user_function()) {
  axis <- check_whole(axis, arg = "axis", fun = fun)
  rank <- rank_of(x)
  if (!rank) abort("the signal must have at least one axis", class = "shape", fun = fun)
  if (axis %in% c(-1, rank - 1)) return(f(x))
  op_moveaxis(f(op_moveaxis(x, from_zero(axis), rank)), rank, from_zero(axis))
}

#' Frames in place of the axis: the axis of frames, then that within them.
#' @noRd
tf_frame <- function(signal, frame_length, frame_step, pad_end = FALSE, pad_value = 0, axis = -1, name = NULL) {
  x <- as_value(tensor(op_input(signal)))
  size <- check_count(frame_length)
  step <- check_count(frame_step)
  check_flag(pad_end)
  rank <- rank_of(x)
  if (!rank) abort("`signal` must have at least one axis", class = "shape")
  at <- check_axis(from_zero(check_whole(axis)), rank) + 1
  last <- op_moveaxis(x, at, rank)
  n <- shape_of(last)[rank]
  if (pad_end) {
    frames <- ceiling(n / step)
    missing <- max(0, (frames - 1) * step + size - n)
    last <- op_pad(last, rbind(matrix(0, rank - 1, 2), c(0, missing)), "constant", check_number(pad_value))
    if (!frames) abort("`signal` has no numbers to frame", class = "shape")
    last <- op_slice(last, rep(1, rank), c(rep(-1, rank - 1), (frames - 1) * step + size))
  }
  op_moveaxis(windows_of(last, size, step), c(rank, rank + 1), c(at, at + 1))
}

tf_window_of <- function(kind) {
  force(kind)
  function(window_length, periodic = TRUE, dtype = "float32", name = NULL) {
    n <- check_count(window_length)
    # of an odd length TensorFlow's windows are those that are not periodic
    tensor(array(window_values(kind, n, check_flag(periodic) && n %% 2 == 0), n), dtype)
  }
}

#' Cosine transforms as matrices: y = x C. The sums are those of scipy.fft.dct().
#' @param n numbers.
#' @noRd
cosine_matrix <- function(type, n, ortho) {
  j <- seq_len(n) - 1
  k <- j
  m <- switch(type,
    outer(j, k, function(j, k) cos(pi * j * k / (n - 1)) * ifelse(j %in% c(0, n - 1), 1, 2)),
    outer(j, k, function(j, k) 2 * cos(pi * k * (2 * j + 1) / (2 * n))),
    outer(j, k, function(j, k) cos(pi * j * (2 * k + 1) / (2 * n)) * ifelse(j == 0, 1, 2)),
    outer(j, k, function(j, k) 2 * cos(pi * (2 * j + 1) * (2 * k + 1) / (4 * n))))
  if (!ortho) return(m)
  first <- c(sqrt(1 / (4 * n)), rep(sqrt(1 / (2 * n)), n - 1))
  switch(type, NULL, m * rep(first, each = n), m * c(sqrt(1 / n), rep(sqrt(1 / (2 * n)), n - 1)), m / sqrt(2 * n))
}

tf_cosine <- function(input, type = 2, n = NULL, axis = -1, norm = NULL, name = NULL, inverse = FALSE,
  fun = user_function()) {
  x <- as_value(tensor(op_input(input)))
  type <- check_count(type, max = 4, arg = "type", fun = fun)
  if (inverse) type <- c(1, 3, 2, 4)[type]
  ortho <- !is.null(norm) && check_choice(norm, "ortho", arg = "norm", fun = fun) == "ortho"
  if (type == 1 && ortho) abort("the transform of type 1 has no `norm`", fun = fun)
  size <- if (!is.null(n)) check_count(n, arg = "n", fun = fun)
  with_last_axis(if (is_whole_dtype(tensor_dtype(x))) op_cast(x, "float32") else x, axis, function(x) {
    if (!is.null(size)) x <- fit_last(x, size)
    count <- utils::tail(shape_of(x), 1)
    if (count < 1 + (type == 1)) abort("the signal is too short", class = "shape", fun = fun)
    row <- rank_of(x) == 1
    y <- op_matmul(if (row) op_expand_dims(x, 1) else x, tensor(cosine_matrix(type, count, ortho), tensor_dtype(x)))
    if (row) op_squeeze(y, 1) else y
  }, fun)
}

tf_signal <- list(
  frame = tf_frame,
  overlap_and_add = function(signal, frame_step, name = NULL) {
    x <- as_value(tensor(op_input(signal)))
    if (rank_of(x) < 2) abort("`signal` must have at least two axes, frames and what is in them", class = "shape")
    overlap_add(x, check_count(frame_step))
  },
  hann_window = tf_window_of("hann"), hamming_window = tf_window_of("hamming"),
  vorbis_window = function(window_length, dtype = "float32", name = NULL) {
    n <- check_count(window_length)
    tensor(array(sin(pi / 2 * sin(pi * (seq_len(n) - 0.5) / n)^2), n), dtype)
  },
  kaiser_window = function(window_length, beta = 12, dtype = "float32", name = NULL) {
    n <- check_count(window_length)
    beta <- abs(check_number(beta)) # the window is even in beta
    at <- if (n == 1) 0 else 2 * (seq_len(n) - 1) / (n - 1) - 1
    inside <- beta * sqrt(1 - at^2)
    tensor(array(exp(inside - beta) * besselI(inside, 0, TRUE) / besselI(beta, 0, TRUE), n), dtype)
  },
  dct = function(input, type = 2, n = NULL, axis = -1, norm = NULL, name = NULL) tf_cosine(input, type, n, axis, norm,
    fun = "tf$signal$dct"),
  idct = function(input, type = 2, n = NULL, axis = -1, norm = NULL, name = NULL) tf_cosine(input, type, n, axis, norm,
    inverse = TRUE, fun = "tf$signal$idct"),
  fftshift = function(x, axes = NULL, name = NULL) shifted_half(x, axes, function(n) n %/% 2, "tf$signal$fftshift"),
  ifftshift = function(x, axes = NULL, name = NULL) shifted_half(x, axes, function(n) -(n %/% 2),
    "tf$signal$ifftshift"),
  linear_to_mel_weight_matrix = function(num_mel_bins = 20, num_spectrogram_bins = 129, sample_rate = 8000,
    lower_edge_hertz = 125, upper_edge_hertz = 3800, dtype = "float32", name = NULL) {
    rate <- check_number(sample_rate, above = 0)
    low <- check_number(lower_edge_hertz, min = 0)
    high <- check_number(upper_edge_hertz, above = low, max = rate / 2)
    tensor(mel_weights(check_count(num_mel_bins), check_count(num_spectrogram_bins, min = 2), rate, low, high), dtype)
  },
  # the transform of type 2, by sqrt(2 n)
  mfccs_from_log_mel_spectrograms = function(log_mel_spectrograms, name = NULL) {
    y <- tf_cosine(log_mel_spectrograms, 2, fun = "tf$signal$mfccs_from_log_mel_spectrograms")
    op_multiply(y, 1 / sqrt(2 * utils::tail(shape_of(y), 1)))
  }
)

shifted_half <- function(x, axes, by, fun) {
  x <- as_value(tensor(op_input(x)))
  axes <- if (is.null(axes)) seq_len(rank_of(x)) else check_axis(from_zero(axes), rank_of(x), fun = fun) + 1
  Reduce(function(x, axis) op_roll(x, by(shape_of(x)[axis]), axis), axes, x)
}
