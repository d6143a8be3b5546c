# Random numbers of the engine.

#' Random tensors
#'
#' Random numbers from the uniform, the normal and the truncated normal distribution, whose values beyond two standard
#' deviations are drawn again.
#'
#' They are drawn by the engine, from a seed that it takes from R's generator at each call: `set.seed()` governs them,
#' and they do not depend on the number of threads. In a traced function they are new in each run.
#'
#' @param shape whole numbers; `integer()` for a scalar.
#' @param minval,maxval numbers, the ends.
#' @param mean,stddev numbers, of the distribution before truncation.
#' @param dtype `"float32"` or `"float64"`.
#' @return A tensor.
#' @references Box & Muller (1958), \doi{10.1214/aoms/1177706645}. Steele et al. (2014), splitmix64,
#'   \doi{10.1145/2660193.2660195}.
#' @seealso [initializers]
#' @examples
#' set.seed(1)
#' op_random_uniform(c(2, 3))
#' op_random_normal(c(2, 3), stddev = 0.1)
#' @export
op_random_uniform <- function(shape, minval = 0, maxval = 1, dtype = "float32") {
  minval <- check_number(minval)
  random_op("random_uniform", shape, dtype, c(minval, check_number(maxval, min = minval)), "op_random_uniform")
}

#' @rdname op_random_uniform
#' @export
op_random_normal <- function(shape, mean = 0, stddev = 1, dtype = "float32") {
  random_op("random_normal", shape, dtype, c(check_number(mean), check_number(stddev, min = 0)), "op_random_normal")
}

#' @rdname op_random_uniform
#' @export
op_random_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = "float32") {
  random_op("random_truncated_normal", shape, dtype, c(check_number(mean), check_number(stddev, min = 0)),
    "op_random_truncated_normal")
}

random_op <- function(name, shape, dtype, reals, fun) {
  apply_op(name, list(), ints = c(dtype_code(dtype, fun = fun), check_sizes(shape, fun = fun)), reals = reals)
}

#' Uniform numbers of the shape and dtype of x: in a program, as many rows as the batch at hand has.
#' @noRd
uniform_like <- function(x, minval, maxval) apply_op("random_uniform", list(op_stop_gradient(x)),
  ints = dtype_code(tensor_dtype(x)), reals = c(minval, maxval))

#' Dropout op
#'
#' Sets each element to 0 with the probability `rate` and multiplies the others by `1 / (1 - rate)`, so that the
#' expected sum stays the same. Random numbers are those of [op_random_uniform()].
#'
#' @param x a float tensor or array.
#' @param rate the fraction of elements to drop, from 0 to below 1.
#' @param noise_shape the shape of the mask: for each axis its size or `NA`, or 1, where one draw serves the whole axis.
#'   `NULL`: each element has a draw of its own.
#' @return A tensor of the shape and dtype of `x`.
#' @references Srivastava et al. (2014), <https://jmlr.org/papers/v15/srivastava14a.html>.
#' @seealso [layer_dropout()]
#' @examples
#' set.seed(1)
#' as.array(op_dropout(rep(1, 6), rate = 0.5))
#' @export
op_dropout <- function(x, rate, noise_shape = NULL) {
  rate <- check_number(rate, min = 0, below = 1)
  apply_op("dropout", list(x), ints = shared_axes(noise_shape, shape_of(x)), reals = rate)
}

#' Gaussian noise op
#'
#' Adds normal noise of mean 0: \eqn{y = x + \sigma z}{y = x + stddev z} with z standard normal. Random numbers are
#' those of [op_random_normal()].
#'
#' @param x a float tensor or array.
#' @param stddev the standard deviation of the noise, at least 0.
#' @return A tensor of the shape and dtype of `x`.
#' @seealso [layer_gaussian_noise()]
#' @examples
#' set.seed(1)
#' as.array(op_gaussian_noise(rep(1, 6), stddev = 0.1))
#' @export
op_gaussian_noise <- function(x, stddev) apply_op("gaussian_noise", list(x), reals = check_number(stddev, min = 0))

#' For each axis: is one draw shared along it?
#' @noRd
shared_axes <- function(noise_shape, shape, fun = calling_function()) {
  if (is.null(noise_shape)) return(NULL)
  sizes <- open_sizes(noise_shape, fun = fun)
  given <- which(sizes != 1)
  if (length(sizes) != length(shape) || any(sizes[given] != shape[given])) {
    abort("`noise_shape` must have 1, NA or the size for each axis of a tensor of shape ", format_shape(shape),
      ", not be ", format_shape(sizes), fun = fun)
  }
  sizes %in% 1
}

is_open_size <- function(x) is.null(x) || identical(x, NA) || identical(x, NA_integer_) || is.double(x) &&
  length(x) == 1 && is.na(x) && !is.nan(x)

#' Sizes, where NULL or NA means any.
#' @noRd
open_sizes <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  open <- if (is.atomic(x) || is_branch(x)) vapply(x, is_open_size, NA) else FALSE
  if (all(open)) return(rep(NA_real_, length(open)))
  if (!length(open) || !any(open)) return(check_whole(x, min = 1, arg = arg, fun = fun))
  sizes <- rep(NA_real_, length(open))
  replace(sizes, !open, check_whole(x[!open], min = 1, arg = arg, fun = fun))
}
