# Layers that act in training alone: kinds of dropout for pictures, sequences and self-normalizing networks, and a
# penalty on what passes.

#' Spatial dropout layers
#'
#' Drop whole channels (features) of a sequence, a picture or a volume, all places alike:
#' \deqn{y_{t, k} = \frac{b_k x_{t, k}}{1 - \mathrm{rate}}, \quad b_k \sim \mathrm{Bernoulli}(1 - \mathrm{rate})}{
#' y[t, k] = b[k] x[t, k] / (1 - rate), with b 0 or 1}
#' Neighbouring places of a channel tell about the same, so that dropping single numbers as [layer_dropout()] does hides
#' little. In inference the input is passed on.
#'
#' Shapes: input and output (batch, timesteps, channels) for `layer_spatial_dropout_1d()`, (batch, rows, columns,
#' channels) for `_2d` and (batch, depth, rows, columns, channels) for `_3d`.
#'
#' @inheritParams layer_dropout
#' @param data_format where the channels are: `"channels_last"` (also `NULL`) or `"channels_first"`.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of another number of axes.
#' @references Tompson et al. (2015), Efficient object localization using convolutional networks,
#'   <https://arxiv.org/abs/1411.4280>.
#' @seealso [layer_dropout()]
#' @examples
#' set.seed(1)
#' layer_spatial_dropout_1d(rate = 0.5)(array(1, c(1, 2, 4)), training = TRUE) # both steps alike
#' # which of two sounds is louder, heard through six noisy microphones
#' x <- array(rnorm(200 * 10 * 6, sd = 3), c(200, 10, 6)) + rep(rep(c(-1, 1), each = 100), 60)
#' model <- keras_model_sequential(input_shape = c(10, 6)) |> layer_spatial_dropout_1d(0.2) |>
#'   layer_simple_rnn(4) |> layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, rep(0:1, each = 100), epochs = 10, verbose = 0)
#' @export
layer_spatial_dropout_1d <- function(object, rate, seed = NULL, ...) new_layer("spatial_dropout_1d", object,
  list(rate = check_number(rate, min = 0, max = 1), seed = check_seed(seed)), ...)

#' @rdname layer_spatial_dropout_1d
#' @export
layer_spatial_dropout_2d <- function(object, rate, data_format = NULL, seed = NULL, ...) {
  new_layer("spatial_dropout_2d", object, list(rate = check_number(rate, min = 0, max = 1),
    data_format = check_data_format(data_format), seed = check_seed(seed)), ...)
}

#' @rdname layer_spatial_dropout_1d
#' @export
layer_spatial_dropout_3d <- function(object, rate, data_format = NULL, seed = NULL, ...) {
  new_layer("spatial_dropout_3d", object, list(rate = check_number(rate, min = 0, max = 1),
    data_format = check_data_format(data_format), seed = check_seed(seed)), ...)
}

spatial_dropout_type <- function(places) {
  force(places)
  list(
    class_name = paste0("SpatialDropout", places, "D"),
    call = function(self, x, training) {
      if (rank_of(x) != places + 2) abort("needs an input of ", places + 2, " axes, not ", input_shape_text(x),
        class = "shape", fun = self$name)
      first <- identical(self$config$data_format, "channels_first")
      dropped(x, self$config$rate, training, c(NA, if (first) NA, rep(1, places), if (!first) NA))
    },
    mask = TRUE
  )
}

spatial_dropout_1d_type <- spatial_dropout_type(1)
spatial_dropout_2d_type <- spatial_dropout_type(2)
spatial_dropout_3d_type <- spatial_dropout_type(3)

#' Alpha dropout layer
#'
#' Dropout for networks of [activation_selu()]. In training each element becomes the value \eqn{\alpha'}{a'} that SELU
#' has for large negative numbers with the probability `rate`, and a line then gives the mean and the variance back that
#' the input had:
#' \deqn{y_i = a (b_i x_i + (1 - b_i) \alpha') + c, \quad b_i \sim \mathrm{Bernoulli}(1 - \mathrm{rate})}{
#' y = a (b x + (1 - b) a') + c, with b 0 or 1}
#' \deqn{\alpha' = -1.7581, \quad a = \left((1 - \mathrm{rate}) (1 + \mathrm{rate}\, \alpha'^2)\right)^{-1/2}, \quad
#' c = -a \, \mathrm{rate}\, \alpha'}{a' = -1.7581, a = ((1 - rate) (1 + rate a'^2))^(-1/2), c = -a rate a'}
#' In inference the input is passed on.
#'
#' @inheritParams layer_dropout
#' @param rate from 0 to below 1, as for dropout.
#' @inherit layer_activation return
#' @references Klambauer et al. (2017), Self-normalizing neural networks, <https://arxiv.org/abs/1706.02515>.
#' @seealso [activation_selu()], [layer_dropout()]
#' @examples
#' y <- layer_alpha_dropout(rate = 0.3)(matrix(rnorm(1e4), 100), training = TRUE)
#' c(mean(as.array(y)), sd(as.array(y))) # about 0 and 1, as before
#' model <- keras_model_sequential(input_shape = 2) |>
#'   layer_dense(8, activation = "selu", kernel_initializer = "lecun_normal") |>
#'   layer_alpha_dropout(0.05) |>
#'   layer_dense(1)
#' model |> compile(optimizer_adam(0.05), "mse")
#' x <- matrix(rnorm(200), 100)
#' model |> fit(x, x[, 1] * x[, 2], epochs = 20, verbose = 0)
#' @export
layer_alpha_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, ...) {
  rate <- check_number(rate, min = 0, below = 1)
  if (!is.null(noise_shape)) noise_shape <- open_sizes(noise_shape)
  seed <- check_seed(seed)
  new_layer("alpha_dropout", object, list(rate = rate, noise_shape = noise_shape, seed = seed), ...)
}

alpha_dropout_type <- list(
  class_name = "AlphaDropout",
  call = function(self, x, training) {
    rate <- self$config$rate
    if (!training || rate == 0) return(x)
    low <- -selu_alpha * selu_scale
    scale <- 1 / sqrt((1 - rate) * (1 + rate * low^2))
    ones <- op_ones_like(op_stop_gradient(x))
    kept <- op_sign(op_dropout(ones, rate, noise_shape = self$config$noise_shape))
    y <- op_add(op_multiply(op_subtract(x, low), kept), low) # low where it is not kept
    op_subtract(op_multiply(y, scale), scale * low * rate)
  },
  mask = TRUE
)

#' Activity regularization layer
#'
#' Passes its input x on, and adds a penalty on it to the loss:
#' \deqn{\frac{1}{n} \left(l_1 \sum_i |x_i| + l_2 \sum_i x_i^2\right)}{(l1 sum(abs(x)) + l2 sum(x^2)) / n}
#' with the batch size n. It makes activations sparse or small.
#'
#' @inheritParams layer_activation
#' @param l1,l2 factors of the penalties.
#' @inherit layer_activation return
#' @seealso `activity_regularizer` of [layer_dense()], [regularizers]
#' @examples
#' # a code with few active units
#' x <- rbind(diag(8), diag(8))
#' model <- keras_model_sequential(input_shape = 8) |> layer_dense(6, activation = "relu") |>
#'   layer_activity_regularization(l1 = 0.001) |> layer_dense(8, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.05), "binary_crossentropy")
#' model |> fit(x, x, epochs = 60, verbose = 0)
#' @export
layer_activity_regularization <- function(object, l1 = 0, l2 = 0, ...) {
  l1 <- check_number(l1, min = 0)
  l2 <- check_number(l2, min = 0)
  new_layer("activity_regularization", object, list(l1 = l1, l2 = l2,
    activity_regularizer = if (l1 > 0 || l2 > 0) regularizer_l1_l2(l1, l2)), ...)
}

activity_regularization_type <- list(class_name = "ActivityRegularization", call = function(self, x) x, mask = TRUE)
