# Weight initializers.

#' Weight initializers
#'
#' An initializer gives a weight of a layer its first values, when the layer is built. Layers take it as
#' `kernel_initializer`, `bias_initializer` and the like: an object, such as `initializer_he_normal(seed = 1)`; the
#' constructor, `initializer_he_normal`; a string, `"he_normal"`; or an R function of `(shape, dtype)`.
#'
#' Scaled random weights: [initializer_glorot_uniform()] (the default) and [initializer_glorot_normal()],
#' [initializer_he_normal()] and [initializer_he_uniform()] for ReLU, [initializer_lecun_normal()] and
#' [initializer_lecun_uniform()], [initializer_variance_scaling()], [initializer_orthogonal()].
#'
#' Others: [initializer_random_uniform()], [initializer_random_normal()], [initializer_truncated_normal()],
#' [initializer_zeros()], [initializer_ones()], [initializer_constant()], [initializer_identity()].
#'
#' @section Fans:
#' A kernel of shape (inputs, units) has the fan-in `inputs` and the fan-out `units`. That of a convolution,
#' (sizes, inputs, filters), has them times the product of its sizes. A weight of one axis has its size for both.
#'
#' @section Random numbers:
#' They come from the engine with a seed from R's generator: `set.seed()` governs them, and the number of threads does
#' not matter. An initializer with a `seed` of its own gives the same numbers at each call and leaves R's generator
#' alone.
#'
#' @seealso [layer_dense()], [set_weights()]
#' @examples
#' set.seed(1)
#' initializer_glorot_uniform()(c(2, 3))
#' bias <- initializer_constant(0.1)
#' layer_dense(units = 3, kernel_initializer = "he_normal", bias_initializer = bias)
#' @name initializers
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
    stft = function(shape, dtype, config) tensor(stft_kernel(shape, config), dtype),
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

#' Glorot initializers
#'
#' Also called Xavier initialization. With the fans \eqn{n_{in}}{n_in} and \eqn{n_{out}}{n_out}, the numbers of inputs
#' and of units (see [initializers]), weights have the variance
#' \deqn{\mathrm{Var}(w) = \frac{2}{n_{in} + n_{out}}}{Var(w) = 2 / (n_in + n_out)}
#' which keeps the variance of signals and of gradients from layer to layer, for activations that are linear near 0,
#' such as [activation_tanh()]. `initializer_glorot_uniform()` is uniform between
#' \eqn{\pm\sqrt{6 / (n_{in} + n_{out})}}{+-sqrt(6 / (n_in + n_out))} and the default of most layers;
#' `initializer_glorot_normal()` is a truncated normal distribution.
#'
#' @param seed a whole number, or `NULL` to follow `set.seed()`.
#' @return An initializer: a function of class `nn_initializer`, `f(shape, dtype = "float32")`, that gives a tensor.
#' @references Glorot & Bengio (2010), <https://proceedings.mlr.press/v9/glorot10a.html>.
#' @seealso [initializers], [initializer_variance_scaling()]
#' @examples
#' set.seed(1)
#' initializer_glorot_uniform()(c(2, 3))
#' initializer_glorot_normal(seed = 1)
#' @export
initializer_glorot_uniform <- function(seed = NULL) new_initializer("glorot_uniform", list(seed = seed))
#' @rdname initializer_glorot_uniform
#' @export
initializer_glorot_normal <- function(seed = NULL) new_initializer("glorot_normal", list(seed = seed))
#' He initializers
#'
#' Also called Kaiming initialization. With the fan-in \eqn{n_{in}}{n_in}, the number of inputs (see [initializers]),
#' weights have the variance
#' \deqn{\mathrm{Var}(w) = \frac{2}{n_{in}}}{Var(w) = 2 / n_in}
#' which keeps the variance of signals for [activation_relu()]. `initializer_he_uniform()` is uniform between
#' \eqn{\pm\sqrt{6 / n_{in}}}{+-sqrt(6 / n_in)}; `initializer_he_normal()` is a truncated normal distribution.
#'
#' @inheritParams initializer_glorot_uniform
#' @inherit initializer_glorot_uniform return
#' @references He et al. (2015), <https://arxiv.org/abs/1502.01852>.
#' @seealso [initializers], [initializer_variance_scaling()]
#' @examples
#' initializer_he_normal()(c(2, 3))
#' initializer_he_uniform(seed = 1)
#' @export
initializer_he_uniform <- function(seed = NULL) new_initializer("he_uniform", list(seed = seed))
#' @rdname initializer_he_uniform
#' @export
initializer_he_normal <- function(seed = NULL) new_initializer("he_normal", list(seed = seed))
#' LeCun initializers
#'
#' With the fan-in \eqn{n_{in}}{n_in}, the number of inputs (see [initializers]), weights have the variance
#' \deqn{\mathrm{Var}(w) = \frac{1}{n_{in}}}{Var(w) = 1 / n_in}
#' `initializer_lecun_normal()`, a truncated normal distribution, goes with [activation_selu()];
#' `initializer_lecun_uniform()` is uniform between \eqn{\pm\sqrt{3 / n_{in}}}{+-sqrt(3 / n_in)}.
#'
#' @inheritParams initializer_glorot_uniform
#' @inherit initializer_glorot_uniform return
#' @references LeCun et al. (1998), Efficient BackProp. Klambauer et al. (2017), <https://arxiv.org/abs/1706.02515>.
#' @seealso [initializers], [initializer_variance_scaling()]
#' @examples
#' initializer_lecun_normal()(c(2, 3))
#' initializer_lecun_uniform(seed = 1)
#' @export
initializer_lecun_uniform <- function(seed = NULL) new_initializer("lecun_uniform", list(seed = seed))
#' @rdname initializer_lecun_uniform
#' @export
initializer_lecun_normal <- function(seed = NULL) new_initializer("lecun_normal", list(seed = seed))

#' Variance scaling initializer
#'
#' Weights of mean 0 and variance
#' \deqn{\mathrm{Var}(w) = \frac{s}{n}}{Var(w) = s / n}
#' with the scale s and n the fan-in, the fan-out or their mean (see [initializers]). Glorot, He and LeCun initializers
#' are special cases.
#'
#' The truncated normal distribution is cut at 2 standard deviations, which are enlarged by 1 / 0.8796, so that the
#' variance is as said.
#'
#' @inheritParams initializer_glorot_uniform
#' @param scale a number above 0, s.
#' @param mode `"fan_in"`, `"fan_out"` or `"fan_avg"`: which n.
#' @param distribution `"uniform"`, `"truncated_normal"` (also called `"normal"`) or `"untruncated_normal"`.
#' @inherit initializer_glorot_uniform return
#' @references He et al. (2015), <https://arxiv.org/abs/1502.01852>.
#' @seealso [initializers]
#' @examples
#' initializer_variance_scaling(scale = 2, mode = "fan_out", distribution = "uniform")(c(2, 3))
#' @export
initializer_variance_scaling <- function(scale = 1, mode = "fan_in", distribution = "normal", seed = NULL) {
  scale <- check_number(scale, above = 0)
  check_choice(mode, c("fan_in", "fan_out", "fan_avg"))
  check_choice(distribution, c("normal", "uniform", "truncated_normal", "untruncated_normal"))
  new_initializer("variance_scaling", list(scale = scale, mode = mode, distribution = distribution, seed = seed))
}

#' Random uniform initializer
#'
#' Weights from the uniform distribution between `minval` and `maxval`. As a string: `"random_uniform"` or `"uniform"`.
#'
#' @inheritParams initializer_glorot_uniform
#' @param minval,maxval numbers, the ends.
#' @inherit initializer_glorot_uniform return
#' @seealso [initializers], [op_random_uniform()]
#' @examples
#' initializer_random_uniform(-1, 1)(c(2, 3))
#' @export
initializer_random_uniform <- function(minval = -0.05, maxval = 0.05, seed = NULL) {
  minval <- check_number(minval)
  maxval <- check_number(maxval, min = minval)
  new_initializer("random_uniform", list(minval = minval, maxval = maxval, seed = seed))
}

#' Random normal initializers
#'
#' `initializer_random_normal()`: weights from the normal distribution. `initializer_truncated_normal()`: those beyond 2
#' standard deviations are drawn again. As strings: `"random_normal"` or `"normal"`, and `"truncated_normal"`.
#'
#' @inheritParams initializer_glorot_uniform
#' @param mean,stddev numbers, of the distribution before truncation.
#' @inherit initializer_glorot_uniform return
#' @seealso [initializers], [op_random_normal()]
#' @examples
#' initializer_random_normal(stddev = 0.01)(c(2, 3))
#' initializer_truncated_normal(stddev = 0.01)(c(2, 3))
#' @export
initializer_random_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  mean <- check_number(mean)
  stddev <- check_number(stddev, min = 0)
  new_initializer("random_normal", list(mean = mean, stddev = stddev, seed = seed))
}

#' @rdname initializer_random_normal
#' @export
initializer_truncated_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  mean <- check_number(mean)
  stddev <- check_number(stddev, min = 0)
  new_initializer("truncated_normal", list(mean = mean, stddev = stddev, seed = seed))
}

#' Orthogonal initializer
#'
#' A random matrix W with orthonormal rows or columns, whichever are fewer, times the gain:
#' \deqn{W W^T = \mathrm{gain}^2 I \quad \mathrm{or} \quad W^T W = \mathrm{gain}^2 I}{
#' W W' = gain^2 I or W' W = gain^2 I}
#' It keeps the norm of signals, and is the default of recurrent kernels. With more than two axes all but the last are
#' taken as rows.
#'
#' It is the factor Q of the QR decomposition of a normal matrix, with the signs of the diagonal of R, so that all such
#' matrices are equally likely.
#'
#' @inheritParams initializer_glorot_uniform
#' @param gain a number, the factor.
#' @inherit initializer_glorot_uniform return
#' @section Errors: `nativenet_error_shape` if the shape has fewer than two axes.
#' @references Saxe et al. (2014), <https://arxiv.org/abs/1312.6120>. Mezzadri (2007), How to generate random matrices
#'   from the classical compact groups, <https://arxiv.org/abs/math-ph/0609050>.
#' @seealso [initializers], [regularizer_orthogonal()]
#' @examples
#' w <- as.array(initializer_orthogonal(seed = 1)(c(2, 8)))
#' round(w %*% t(w), 6)
#' @export
initializer_orthogonal <- function(gain = 1, seed = NULL) {
  gain <- check_number(gain)
  new_initializer("orthogonal", list(gain = gain, seed = seed))
}

#' @rdname initializer_constant
#' @export
initializer_zeros <- function() new_initializer("zeros", list())
#' @rdname initializer_constant
#' @export
initializer_ones <- function() new_initializer("ones", list())

#' Constant initializers
#'
#' `initializer_zeros()` and `initializer_ones()` fill a weight with 0 or 1; zeros are the default of biases.
#' `initializer_constant()` fills it with a number, or with given numbers.
#'
#' @param value a number, or an array of as many numbers as the weight has.
#' @inherit initializer_glorot_uniform return
#' @section Errors: `nativenet_error_shape` if `value` has another number of elements than the weight.
#' @seealso [initializers]
#' @examples
#' initializer_zeros()(c(2, 3))
#' initializer_ones()(2)
#' initializer_constant(0.1)(c(2, 3))
#' @export
initializer_constant <- function(value = 0) {
  value <- array_of_rows(value)
  check_reals(value)
  new_initializer("constant", list(value = check_numbers(value))) # in their shape
}

#' Rows within rows, as files hold arrays; anything else as it is.
#' @noRd
array_of_rows <- function(x) {
  if (!is_branch(x) || !length(x)) return(x)
  parts <- lapply(x, array_of_rows)
  size <- function(p) if (is.null(dim(p))) length(p) else dim(p)
  if (!all(vapply(parts, is.numeric, NA)) || any(lengths(parts) == 1) || length(unique(lapply(parts, size))) > 1)
    return(x)
  inner <- size(parts[[1]])
  aperm(array(unlist(parts), c(inner, length(parts))), c(length(inner) + 1, seq_along(inner)))
}

#' Identity initializer
#'
#' A matrix with `gain` on the diagonal and 0 elsewhere. It is used for recurrent kernels of ReLU networks.
#'
#' @param gain a number, the factor.
#' @inherit initializer_glorot_uniform return
#' @section Errors: `nativenet_error_shape` if the shape has not two axes.
#' @references Le et al. (2015), <https://arxiv.org/abs/1504.00941>.
#' @seealso [initializers]
#' @examples
#' initializer_identity()(c(2, 3))
#' @export
initializer_identity <- function(gain = 1) {
  gain <- check_number(gain)
  new_initializer("identity", list(gain = gain))
}

#' Initializer of Fourier transforms
#'
#' Kernels (time, 1, frequencies) of a convolution that is a short-time Fourier transform: for time t and frequency k of
#' n frequencies, with the window w,
#' \deqn{w_t \cos\frac{-2 \pi t k}{2 (n - 1)}}{w[t] cos(-2 pi t k / (2 (n - 1)))}
#' or the sine.
#'
#' @param side `"real"` or `"imag"`: cosines or sines.
#' @param window,scaling,periodic as for [layer_stft_spectrogram()].
#' @return An initializer, see [initializers].
#' @seealso [layer_stft_spectrogram()], [initializers]
#' @examples
#' dim(initializer_stft()(c(8, 1, 5)))
#' @export
initializer_stft <- function(side = "real", window = "hann", scaling = "density", periodic = FALSE) {
  if (!is.null(window) && !is.character(window)) window <- check_reals(window)
  if (is.character(window)) check_choice(window, c("hann", "hamming"))
  new_initializer("stft", list(side = check_choice(side, c("real", "imag")), window = window,
    scaling = if (!is.null(scaling)) check_choice(scaling, c("density", "spectrum")), periodic = check_flag(periodic)))
}

stft_kernel <- function(shape, config) {
  if (length(shape) != 3) abort("`shape` must be (time, 1, frequencies), not ", format_shape(shape), class = "shape",
    fun = "initializer_stft")
  window <- window_values(unlist(config$window), shape[1], config$periodic, "initializer_stft")
  if (!is.null(config$scaling)) window <- window / if (config$scaling == "density") sqrt(sum(window^2)) else
    sum(abs(window))
  turn <- -2 * pi * outer(seq_len(shape[1]) - 1, seq_len(shape[3]) - 1) / max(1, 2 * (shape[3] - 1))
  wave <- (if (config$side == "real") cos(turn) else sin(turn)) * window
  aperm(array(rep(wave, shape[2]), shape[c(1, 3, 2)]), c(1, 3, 2))
}
