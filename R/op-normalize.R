# Mean and variance, and what they make of numbers.

#' Normalization
#'
#' Takes the mean \eqn{\mu}{m} and the variance \eqn{\sigma^2}{v} of numbers and makes them 0 and 1; a scale
#' \eqn{\gamma}{g} and an offset \eqn{\beta}{b} for each channel, the last axis, may follow:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta}{y = g (x - m) / sqrt(v + epsilon) + b}
#' Which numbers have a mean in common is said by `leading` and `groups`: batch normalization has one for each channel
#' (the default), layer normalization one for each row (`leading` all axes but the last, `groups = 1`), group
#' normalization one for each sample and group of channels (`leading = 1`).
#'
#' The numbers are read once for both statistics, block by block, and blocks are put together in double, so that the
#' variance of large numbers keeps its digits.
#'
#' @param x a float tensor or array.
#' @param scale,offset vectors as long as the last axis of `x`, or `NULL` for none.
#' @param mean,variance statistics of the channels to use in place of those of `x`, likewise; both or none.
#' @param leading how many axes lead: each of their indices has statistics of its own.
#' @param groups in how many groups of neighbours the channels share statistics; `NULL`: each has its own.
#' @param epsilon a small positive number.
#' @return A list of tensors: `output`, `mean` and `variance` (the mean of squares, divided by n) of the shape (leading
#'   axes, groups). With `mean` and `variance` given: the output alone.
#' @section Errors: `nativenet_error_shape` if `scale` and its like are not as long as the last axis,
#'   `nativenet_error_value` if the groups do not divide it.
#' @references Ioffe & Szegedy (2015), <https://arxiv.org/abs/1502.03167>. Ba et al. (2016),
#'   <https://arxiv.org/abs/1607.06450>. Wu & He (2018), <https://arxiv.org/abs/1803.08494>. Chan et al. (1983),
#'   Algorithms for computing the sample variance, The American Statistician.
#' @seealso [layer_batch_normalization()], [layer_layer_normalization()], [op_var()], [op_l2_normalize()]
#' @examples
#' x <- matrix(c(1, 3, 10, 30), 2)
#' lapply(op_standardize(x, epsilon = 1e-9), as.array) # by column
#' as.array(op_standardize(x, leading = 1, groups = 1, epsilon = 1e-9)$output) # by row
#' @export
op_standardize <- function(x, scale = NULL, offset = NULL, mean = NULL, variance = NULL, leading = 0, groups = NULL,
  epsilon = 0.001) {
  epsilon <- check_number(epsilon, above = 0, max = 1)
  given <- !is.null(mean)
  if (given != !is.null(variance)) abort("`mean` and `variance` must be given both, or none")
  ints <- c(check_count(leading, min = 0), if (is.null(groups)) 0 else check_count(groups), !is.null(scale),
    !is.null(offset), given)
  inputs <- list(x, scale, offset, mean, variance)
  y <- apply_op("normalize", Filter(Negate(is.null), inputs), ints = ints, reals = epsilon)
  if (given) y else stats::setNames(y, c("output", "mean", "variance"))
}

#' The same by statistics of any shapes that broadcast.
#' @noRd
normalize_by <- function(x, mean, variance, offset, scale, epsilon) {
  given <- Filter(Negate(is.null), list(mean, variance, offset, scale))
  if (rank_of(x) && all(vapply(given, function(p) identical(shape_of(p), utils::tail(shape_of(x), 1)), NA)))
    return(op_standardize(x, scale, offset, mean, variance, epsilon = epsilon))
  factor <- op_reciprocal(op_sqrt(op_add(variance, epsilon)))
  if (!is.null(scale)) factor <- op_multiply(factor, scale)
  y <- op_multiply(op_subtract(x, mean), factor)
  if (is.null(offset)) y else op_add(y, offset)
}

#' f of x with some of its axes last, flattened to one; what it gives goes back to the shape of x.
#' @param axes 1-based, in order.
#' @noRd
with_axes_last <- function(x, axes, f) {
  rank <- rank_of(x)
  order <- c(setdiff(seq_len(rank), axes), axes)
  moves <- is.unsorted(order)
  if (moves) x <- op_transpose(x, order)
  sizes <- open_shape(x)
  several <- length(axes) > 1
  if (several) {
    before <- seq_len(rank - length(axes))
    x <- reshape_to(x, c(sizes[before], prod(shape_of(x)[-before])))
  }
  y <- f(x)
  if (several) y <- reshape_to(y, sizes)
  if (moves) op_transpose(y, order(order)) else y
}
