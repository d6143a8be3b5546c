# What ops of windows over spatial axes share: x is (batch, 1 to 3 spatial axes, channels).

#' NULL means that channels come last.
#' @noRd
check_data_format <- function(x, arg = "data_format", fun = calling_function()) {
  if (is.null(x)) "channels_last" else check_choice(x, c("channels_last", "channels_first"), arg, fun)
}

#' As TensorFlow and Keras spell it, "SAME" or "same".
#' @noRd
check_padding <- function(x, choices = c("valid", "same"), arg = "padding", fun = calling_function()) {
  check_choice(if (is.character(x) && all(validEnc(x))) tolower(x) else x, choices, arg, fun)
}

#' f of x with its channels last; they go back to where they were.
#' @noRd
with_channels_last <- function(x, data_format, f) {
  rank <- rank_of(x)
  if (data_format == "channels_last" || rank < 3) return(f(x))
  op_transpose(f(op_transpose(x, c(1, 3:rank, 2))), c(1, rank, 3:rank - 1))
}

#' Numbers of the spatial axes: one for each, or one for all.
#' @noRd
per_spatial_axis <- function(x, n, min = 1, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  x <- check_whole(x, min = min, arg = arg, fun = fun)
  if (!length(x) %in% c(1, n)) abort("`", arg, "` must be one number", if (n > 1) paste(" or", n), ", not ", length(x),
    fun = fun)
  rep_len(x, n)
}

#' How many spatial axes x has: from 1 to 3; the op words what is wrong with others.
#' @noRd
spatial_axes <- function(x) min(max(rank_of(x) - 2, 1), 3)

check_spatial_axes <- function(x, n, fun = calling_function()) {
  if (rank_of(x) == n + 2) return(n)
  abort("needs an input of ", n + 2, " axes, not of shape ", format_shape(shape_of(x)), class = "shape", fun = fun)
}

#' Where the n spatial axes are.
#' @noRd
format_places <- function(data_format, n) seq_len(n) + if (identical(data_format, "channels_first")) 2 else 1

#' Cells at the ends of n spatial axes, as a list of c(before, after): from one number for all, one for both ends of
#' each axis, or such a list.
#' @noRd
check_edges <- function(x, n, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  pairs <- is_branch(x) && any(lengths(x) > 1) || n == 1 && length(x) == 2
  if (!pairs) return(lapply(per_spatial_axis(x, n, min = 0, arg = arg, fun = fun), rep, 2))
  x <- if (is_branch(x) && any(lengths(x) > 1)) x else list(x)
  x <- lapply(x, check_whole, min = 0, arg = arg, fun = fun)
  if (length(x) != n || any(lengths(x) != 2)) abort("`", arg, "` must be ", if (n > 1) paste("a list of", n, "times "),
    "c(before, after), not of lengths ", format_shape(lengths(x)), fun = fun)
  unname(x)
}

#' x with zeros at the ends of its axes `at`.
#' @noRd
pad_places <- function(x, at, edges) {
  paddings <- matrix(0, rank_of(x), 2)
  paddings[at, ] <- do.call(rbind, edges)
  op_pad(x, paddings)
}

#' x with so many times the cells along its axes `at`.
#' @noRd
resize_times <- function(x, at, times, method) resize_axes(x, at, shape_of(x)[at] * times, method)
