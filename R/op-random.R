# Random numbers of the engine.

#' Random numbers
#'
#' Drawn by the engine, from a seed that it takes from R's generator at each call: `set.seed()` governs them, and they do
#' not depend on the number of threads. In a traced function they are new in each run.
#'
#' @param shape whole numbers; `integer()` for a scalar.
#' @param minval,maxval numbers, the ends.
#' @param mean,stddev numbers; truncated: values beyond two standard deviations are drawn again.
#' @param dtype `"float32"` or `"float64"`.
#' @return A tensor.
#' @references Box & Muller (1958), <https://doi.org/10.1214/aoms/1177706645>. Steele et al. (2014), splitmix64,
#'   <https://doi.org/10.1145/2660193.2660195>.
#' @examples
#' set.seed(1)
#' op_random_uniform(c(2, 3))
#' @export
op_random_uniform <- function(shape, minval = 0, maxval = 1, dtype = "float32") {
  check_number(minval)
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
  random_op("random_truncated_normal", shape, dtype, c(check_number(mean), check_number(stddev, min = 0)), "op_random_truncated_normal")
}

random_op <- function(name, shape, dtype, reals, fun) {
  apply_op(name, list(), ints = c(dtype_code(dtype, fun = fun), check_sizes(shape, fun = fun)), reals = reals)
}
