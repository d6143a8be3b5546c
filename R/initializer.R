# First values of weights.

#' Initializers
#'
#' How the weights of a layer start. An initializer is called with a shape and gives a tensor; layers do so when they
#' are built. Layers also take the name as a string: `kernel_initializer = "he_normal"`.
#'
#' | `initializer_` | values |
#' |---|---|
#' | `zeros ones constant` | all the same |
#' | `identity` | `gain` on the diagonal of a matrix, 0 elsewhere |
#' | `random_uniform` | uniform between `minval` and `maxval` |
#' | `random_normal` | normal |
#' | `truncated_normal` | normal, drawn again beyond 2 standard deviations |
#' | `variance_scaling` | of variance `scale / n`, n being the fan in, the fan out or their mean |
#' | `glorot_uniform glorot_normal` | variance scaling with scale 1 and the mean of both fans |
#' | `he_uniform he_normal` | with scale 2 and the fan in |
#' | `lecun_uniform lecun_normal` | with scale 1 and the fan in |
#' | `orthogonal` | rows or columns, whichever are fewer, of length `gain` and at right angles |
#'
#' A kernel of shape (inputs, outputs) has these as fans; that of a convolution, (sizes, inputs, outputs), has them
#' times the product of its sizes. The `_normal` ones are truncated at 2 standard deviations, which are enlarged by 1 /
#' 0.8796 so that the variance is as said. `orthogonal` takes all axes but the last as rows.
#'
#' Numbers come from the engine with a seed from R's generator: `set.seed()` governs them, and threads do not matter. An
#' initializer with a `seed` of its own gives the same numbers at each call and leaves R's generator alone.
#'
#' @param seed a whole number, or `NULL` for R's generator as it stands.
#' @param value a number, or an array of as many numbers as the shape has.
#' @param gain a number, the factor.
#' @param minval,maxval,mean,stddev numbers.
#' @param scale a number above 0.
#' @param mode `"fan_in"`, `"fan_out"` or `"fan_avg"`.
#' @param distribution `"uniform"`, `"truncated_normal"` (also called `"normal"`) or `"untruncated_normal"`.
#' @return A function of class `nn_initializer`: `f(shape, dtype = "float32")` gives a tensor.
#' @section Errors: `nativenet_error_shape` if the shape has too few axes for `identity` or `orthogonal`.
#' @references Glorot & Bengio (2010), <https://proceedings.mlr.press/v9/glorot10a.html>. He et al. (2015),
#'   <https://arxiv.org/abs/1502.01852>. LeCun et al. (1998), Efficient BackProp. Saxe et al. (2014), orthogonal,
#'   <https://arxiv.org/abs/1312.6120>. Mezzadri (2007), how to draw orthogonal matrices,
#'   <https://arxiv.org/abs/math-ph/0609050>.
#' @examples
#' set.seed(1)
#' initializer_glorot_uniform()(c(2, 3))
#' w <- as.array(initializer_orthogonal(seed = 1)(c(2, 8)))
#' round(w %*% t(w), 6)
#' initializer_he_normal()
#' @name initializer_glorot_uniform
NULL

# ---- formulas: functions of the shape, the dtype and the arguments of the constructor ----

scaling_rules <- list(
  glorot_uniform = list(scale = 1, mode = "fan_avg", distribution = "uniform"),
  glorot_normal = list(scale = 1, mode = "fan_avg", distribution = "truncated_normal"),
  he_uniform = list(scale = 2, mode = "fan_in", distribution = "uniform"),
  he_normal = list(scale = 2, mode = "fan_in", distribution = "truncated_normal"),
  lecun_uniform = list(scale = 1, mode = "fan_in", distribution = "uniform"),
  lecun_normal = list(scale = 1, mode = "fan_in", distribution = "truncated_normal")
)

initializer_formulas <- c(
  list(
    zeros = function(shape, dtype, config) tensor_filled(0, shape, dtype),
    ones = function(shape, dtype, config) tensor_filled(1, shape, dtype),
    constant = function(shape, dtype, config) fit_shape(tensor(config$value, dtype), shape),
    identity = function(shape, dtype, config) {
      if (length(shape) != 2) bad_rank("initializer_identity", "2 axes", shape)
      tensor(diagonal(config$gain, shape, "shape"), dtype)
    },
    random_uniform = function(shape, dtype, config) op_random_uniform(shape, config$minval, config$maxval, dtype),
    random_normal = function(shape, dtype, config) op_random_normal(shape, config$mean, config$stddev, dtype),
    truncated_normal = function(shape, dtype, config) op_random_truncated_normal(shape, config$mean, config$stddev,
      dtype),
    variance_scaling = function(shape, dtype, config) draw_scaled(shape, dtype, config),
    orthogonal = function(shape, dtype, config) draw_orthogonal(shape, dtype, config$gain)
  ),
  lapply(scaling_rules, function(rule) function(shape, dtype, config) draw_scaled(shape, dtype, rule))
)

diagonal <- function(value, shape, arg) {
  check_room(shape, arg)
  diag(value, shape[1], shape[2])
}

bad_rank <- function(fun, wanted, shape) {
  abort("`shape` must have ", wanted, ", not be ", format_shape(shape), class = "shape", fun = fun)
}

#' Fan in and fan out of a weight.
#' @noRd
fans <- function(shape) {
  rank <- length(shape)
  if (rank < 2) return(rep(prod(shape), 2))
  shape[c(rank - 1, rank)] * prod(shape[seq_len(rank - 2)])
}

# The standard deviation of a standard normal number that is drawn again beyond -2 .. 2.
truncated_sd <- 0.87962566103423978

draw_scaled <- function(shape, dtype, rule) {
  n <- fans(shape)
  n <- max(1, switch(rule$mode, fan_in = n[1], fan_out = n[2], fan_avg = mean(n)))
  sd <- sqrt(rule$scale / n)
  switch(rule$distribution,
    uniform = op_random_uniform(shape, -sqrt(3) * sd, sqrt(3) * sd, dtype),
    untruncated_normal = op_random_normal(shape, 0, sd, dtype),
    op_random_truncated_normal(shape, 0, sd / truncated_sd, dtype)
  )
}

#' Q of a matrix of normal numbers, uniform among all such matrices thanks to the signs (Mezzadri 2007).
#' @noRd
draw_orthogonal <- function(shape, dtype, gain) {
  if (length(shape) < 2) bad_rank("initializer_orthogonal", "at least 2 axes", shape)
  check_not_tracing("it draws with R's generator")
  columns <- shape[length(shape)]
  rows <- prod(shape) / columns
  check_room(c(rows, columns), "shape", 32)
  size <- range(rows, columns)
  q <- orthonormal_columns(size[2], size[1])
  op_reshape(tensor(gain * (if (rows < columns) t(q) else q), dtype), shape)
}

#' Columns in panels, each freed of its part along those before it, twice, as the first time leaves rounding errors. An
#' interrupt waits for a panel only.
#' @noRd
orthonormal_columns <- function(rows, columns, panel = 128) {
  done <- list()
  for (from in seq(1, by = panel, length.out = ceiling(columns / panel))) {
    width <- min(panel, columns - from + 1)
    x <- matrix(rnorm(rows * width), rows)
    for (p in c(done, done)) x <- op_subtract(x, op_matmul(p, op_matmul(op_transpose(p), x)))
    decomposed <- qr(as.array(x))
    q <- qr.Q(decomposed) %*% diag(sign(diag(qr.R(decomposed))), width)
    done <- c(done, list(tensor(q, "float64")))
  }
  if (length(done)) as.array(op_concat(done, axis = 2)) else matrix(0, rows, columns)
}

# ---- the objects ----

call_initializer <- function(shape, dtype = "float32") {
  self <- sys.function()
  config <- part_config(self)
  shape <- check_sizes(shape, fun = part_label(self))
  with_own_seed(config$seed, initializer_formulas[[part_name(self)]](shape, dtype, config), fun = part_label(self))
}

new_initializer <- function(name, config, fun = paste0("initializer_", name)) {
  if (!is.null(config$seed)) config$seed <- check_seed(config$seed, fun = fun)
  new_part("initializer", name, config, call_initializer)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_glorot_uniform <- function(seed = NULL) new_initializer("glorot_uniform", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_glorot_normal <- function(seed = NULL) new_initializer("glorot_normal", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_he_uniform <- function(seed = NULL) new_initializer("he_uniform", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_he_normal <- function(seed = NULL) new_initializer("he_normal", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_uniform <- function(seed = NULL) new_initializer("lecun_uniform", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_normal <- function(seed = NULL) new_initializer("lecun_normal", list(seed = seed))

#' @rdname initializer_glorot_uniform
#' @export
initializer_variance_scaling <- function(scale = 1, mode = "fan_in", distribution = "normal", seed = NULL) {
  scale <- check_number(scale, above = 0)
  check_choice(mode, c("fan_in", "fan_out", "fan_avg"))
  check_choice(distribution, c("normal", "uniform", "truncated_normal", "untruncated_normal"))
  new_initializer("variance_scaling", list(scale = scale, mode = mode, distribution = distribution, seed = seed))
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_random_uniform <- function(minval = -0.05, maxval = 0.05, seed = NULL) {
  minval <- check_number(minval)
  maxval <- check_number(maxval, min = minval)
  new_initializer("random_uniform", list(minval = minval, maxval = maxval, seed = seed))
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_random_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  mean <- check_number(mean)
  stddev <- check_number(stddev, min = 0)
  new_initializer("random_normal", list(mean = mean, stddev = stddev, seed = seed))
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_truncated_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  mean <- check_number(mean)
  stddev <- check_number(stddev, min = 0)
  new_initializer("truncated_normal", list(mean = mean, stddev = stddev, seed = seed))
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_orthogonal <- function(gain = 1, seed = NULL) {
  gain <- check_number(gain)
  new_initializer("orthogonal", list(gain = gain, seed = seed))
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_zeros <- function() new_initializer("zeros", list())
#' @rdname initializer_glorot_uniform
#' @export
initializer_ones <- function() new_initializer("ones", list())

#' @rdname initializer_glorot_uniform
#' @export
initializer_constant <- function(value = 0) {
  check_reals(value)
  new_initializer("constant", list(value = check_numbers(value))) # in their shape
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_identity <- function(gain = 1) {
  gain <- check_number(gain)
  new_initializer("identity", list(gain = gain))
}
