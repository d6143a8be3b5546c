# What ops of windows over spatial axes share: x is (batch, 1 to 3 spatial axes, channels).

#' NULL means that channels come last.
#' @noRd
check_data_format <- function(x, arg = "data_format", fun = calling_function()) {
  if (is.null(x)) "channels_last" else check_choice(x, c("channels_last", "channels_first"), arg, fun)
}

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
