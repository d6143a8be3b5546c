# Layers that make mean and variance of their input 0 and 1, or its length 1.

#' Batch normalization layer
#'
#' In training each channel is normalized by the mean \eqn{\mu}{m} and the variance \eqn{\sigma^2}{v} that it has in the
#' batch, and gets a scale \eqn{\gamma}{g} and an offset \eqn{\beta}{b} that are learned:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta}{y = g (x - m) / sqrt(v + epsilon) + b}
#' Moving averages of both, \eqn{\bar{\mu} \leftarrow \mathrm{momentum}\, \bar{\mu} + (1 - \mathrm{momentum})
#' \mu}{moving = momentum moving + (1 - momentum) m}, take their place in inference.
#'
#' Shapes: input and output (batch, ..., channels). Weights, each as long as the axis: gamma, beta (both trained),
#' moving_mean, moving_variance.
#'
#' A frozen layer, by `trainable = FALSE`, by [freeze_weights()] or within a frozen model, behaves as in inference, also
#' while the rest is trained, as in Keras 2. The moving variance is that of the batch, divided by n (TensorFlow's fused
#' kernel for pictures divides by n - 1).
#'
#' @inheritParams layer_activation
#' @param axis the axis of the channels, 1-based with the batch axis first, negative from the end; or several axes, each
#'   of whose cells is a channel.
#' @param momentum of the moving averages, from 0 to 1.
#' @param epsilon a small positive number.
#' @param center,scale add an offset beta, multiply by a scale gamma?
#' @param beta_initializer,gamma_initializer names or objects, see [initializers].
#' @param moving_mean_initializer,moving_variance_initializer names or objects, see [initializers].
#' @param beta_regularizer,gamma_regularizer names or objects, see [regularizers]; `NULL` for none.
#' @param beta_constraint,gamma_constraint names or objects, see [constraints]; `NULL` for none.
#' @param synchronized ignored; present for compatibility with Keras.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the axis is not there or has another size than when the layer was built.
#' @references Ioffe & Szegedy (2015), Batch normalization, <https://arxiv.org/abs/1502.03167>.
#' @seealso [layer_layer_normalization()], [op_standardize()]
#' @examples
#' # columns of very different size
#' set.seed(1)
#' x <- cbind(rnorm(200), 1000 + 100 * rnorm(200))
#' y <- as.numeric(x[, 1] + (x[, 2] - 1000) / 100 > 0)
#' model <- keras_model_sequential(input_shape = 2) |>
#'   layer_batch_normalization() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.05), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, y, epochs = 20, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' model$layers[[1]]
#' @export
layer_batch_normalization <- function(object, axis = -1, momentum = 0.99, epsilon = 0.001, center = TRUE, scale = TRUE,
  beta_initializer = "zeros", gamma_initializer = "ones", moving_mean_initializer = "zeros",
  moving_variance_initializer = "ones", beta_regularizer = NULL, gamma_regularizer = NULL, beta_constraint = NULL,
  gamma_constraint = NULL, synchronized = FALSE, ...) {
  check_flag(synchronized)
  own <- list(axis = check_normal_axis(axis), momentum = check_number(momentum, min = 0, max = 1),
    moving_mean_initializer = layer_part("initializer", moving_mean_initializer),
    moving_variance_initializer = layer_part("initializer", moving_variance_initializer))
  more <- normal_config(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
    gamma_regularizer, beta_constraint, gamma_constraint)
  new_layer("batch_normalization", object, c(own, more), ...)
}

#' What the layers of gamma and beta have in common.
#' @noRd
normal_config <- function(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
  gamma_regularizer, beta_constraint, gamma_constraint, fun = calling_function()) {
  list(
    epsilon = check_number(epsilon, above = 0, fun = fun), center = check_flag(center, fun = fun),
    scale = check_flag(scale, fun = fun),
    beta_initializer = layer_part("initializer", beta_initializer, fun = fun),
    gamma_initializer = layer_part("initializer", gamma_initializer, fun = fun),
    beta_regularizer = layer_part("regularizer", beta_regularizer, fun = fun),
    gamma_regularizer = layer_part("regularizer", gamma_regularizer, fun = fun),
    beta_constraint = layer_part("constraint", beta_constraint, fun = fun),
    gamma_constraint = layer_part("constraint", gamma_constraint, fun = fun)
  )
}

#' One axis or several, as R counts.
#' @noRd
check_normal_axis <- function(axis, fun = calling_function()) {
  axis <- check_whole(axis, min = -8, max = 8, arg = "axis", fun = fun)
  if (!length(axis) || any(axis == 0)) abort("`axis` must name axes from 1 on (the batch), or from the end with -1, ",
    "not be ", describe(axis), fun = fun)
  as.integer(axis)
}

#' The axes of an input of this shape that `axis` names, in order.
#' @noRd
normal_axes <- function(self, shape) {
  rank <- length(shape)
  axis <- self$config$axis
  at <- ifelse(axis < 0, rank + 1 + axis, axis)
  if (any(at < 2 | at > rank) || anyDuplicated(at)) {
    abort("`axis` must name axes 2 .. ", rank, " of an input of shape ", format_keras_shape(shape), ", each once, not ",
      if (length(axis) == 1) axis else format_shape(axis), class = "shape", fun = self$name)
  }
  sort(at)
}

#' Gamma and beta, as the configuration wants them.
#' @param shape of the input. @return the sizes of the axes.
#' @noRd
add_scale_and_offset <- function(self, shape) {
  config <- self$config
  sizes <- shape[normal_axes(self, shape)]
  if (anyNA(sizes)) abort("needs to know the size of `axis` of its input, which has shape ", format_keras_shape(shape),
    class = "shape", fun = self$name)
  for (name in c(if (config$scale) "gamma", if (config$center) "beta")) {
    part <- function(kind) config[[paste0(name, "_", kind)]]
    add_weight(self, name, sizes, part("initializer"), part("regularizer"), part("constraint"))
  }
  sizes
}

#' list(scale, offset, others) as vectors, or NULL.
#' @noRd
normal_weights <- function(self) {
  config <- self$config
  flat <- lapply(self$weights, function(w) if (rank_of(w) > 1) op_reshape(w, -1) else w)
  own <- config$scale + config$center
  list(scale = if (config$scale) flat[[1]], offset = if (config$center) flat[[own]],
    others = utils::tail(flat, length(flat) - own))
}

#' f of x with the axes that are normalized last; their sizes must be those that the layer was built for.
#' @noRd
normalize_along <- function(self, x, f) {
  axes <- normal_axes(self, shape_of(x))
  built <- self$input_shape[normal_axes(self, self$input_shape)]
  if (!identical(as.integer(shape_of(x)[axes]), as.integer(built))) {
    expected <- replace(rep(NA, rank_of(x)), axes, built)
    abort("was built for inputs of shape ", format_keras_shape(expected), ", not ", input_shape_text(x),
      class = "shape", fun = self$name)
  }
  with_axes_last(x, axes, f)
}

batch_normalization_type <- list(
  class_name = "BatchNormalization",
  build = function(self, shape) {
    sizes <- add_scale_and_offset(self, shape)
    for (name in c("moving_mean", "moving_variance"))
      add_weight(self, name, sizes, self$config[[paste0(name, "_initializer")]], trainable = FALSE)
  },
  call = function(self, x, training) {
    config <- self$config
    w <- normal_weights(self)
    normalize_along(self, x, function(x) {
      if (!training || session$frozen)
        return(op_standardize(x, w$scale, w$offset, w$others[[1]], w$others[[2]], epsilon = config$epsilon))
      found <- op_standardize(x, w$scale, w$offset, epsilon = config$epsilon)
      moving <- utils::tail(self$weights, 2)
      for (k in 1:2) {
        new <- w$others[[k]] * config$momentum + op_stop_gradient(found[[k + 1]]) * (1 - config$momentum)
        variable_assign(moving[[k]], if (rank_of(moving[[k]]) > 1) op_reshape(new, dim(moving[[k]])) else new)
      }
      found$output
    })
  },
  mask = TRUE
)

#' Layer normalization
#'
#' Each sample is normalized by its own mean and variance along `axis`; a scale \eqn{\gamma}{g} and an offset
#' \eqn{\beta}{b} for each position along it are learned:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta}{y = g (x - m) / sqrt(v + epsilon) + b}
#' It does the same in training and in inference, whatever the batch.
#'
#' Shapes: input and output (batch, ..., features). Weights, of the sizes of the axes: gamma, beta.
#'
#' @inheritParams layer_batch_normalization
#' @param axis the axes that are normalized together, 1-based with the batch axis first, negative from the end.
#' @inherit layer_batch_normalization return sections
#' @references Ba et al. (2016), Layer normalization, <https://arxiv.org/abs/1607.06450>.
#' @seealso [layer_batch_normalization()], [layer_group_normalization()], [op_standardize()]
#' @examples
#' as.array(layer_layer_normalization(matrix(c(1, 10, 2, 20, 3, 30), 2))) # both rows alike
#' # which of three numbers is the largest, whatever their size
#' set.seed(1)
#' x <- matrix(runif(600), 200) * 10^runif(200, -2, 2)
#' y <- max.col(x) - 1
#' model <- keras_model_sequential(input_shape = 3) |>
#'   layer_layer_normalization(epsilon = 1e-9) |>
#'   layer_dense(3, activation = "softmax")
#' compile(model, optimizer_adam(0.05), "sparse_categorical_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, y, epochs = 20, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_layer_normalization <- function(object, axis = -1, epsilon = 0.001, center = TRUE, scale = TRUE,
  beta_initializer = "zeros", gamma_initializer = "ones", beta_regularizer = NULL, gamma_regularizer = NULL,
  beta_constraint = NULL, gamma_constraint = NULL, ...) {
  more <- normal_config(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
    gamma_regularizer, beta_constraint, gamma_constraint)
  new_layer("layer_normalization", object, c(list(axis = check_normal_axis(axis)), more), ...)
}

layer_normalization_type <- list(
  class_name = "LayerNormalization",
  build = function(self, shape) add_scale_and_offset(self, shape),
  call = function(self, x) {
    w <- normal_weights(self)
    normalize_along(self, x, function(x) {
      op_standardize(x, w$scale, w$offset, leading = rank_of(x) - 1, groups = 1, epsilon = self$config$epsilon)$output
    })
  },
  mask = TRUE
)

#' Group normalization layer
#'
#' The channels of each sample are normalized in groups of neighbours, each by its own mean and variance over all cells
#' of the sample. A scale \eqn{\gamma}{g} and an offset \eqn{\beta}{b} of each channel are learned:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta}{y = g (x - m) / sqrt(v + epsilon) + b}
#' With one group this is layer normalization over all but the batch axis, with as many as there are channels instance
#' normalization. It does the same in training and in inference, whatever the batch.
#'
#' Shapes: input and output (batch, ..., channels). Weights: gamma (channels), beta (channels).
#'
#' @inheritParams layer_batch_normalization
#' @param groups how many groups, which must divide the channels; -1: as many as there are channels.
#' @param axis the axis of the channels, 1-based with the batch axis first, negative from the end.
#' @inherit layer_batch_normalization return sections
#' @references Wu & He (2018), Group normalization, <https://arxiv.org/abs/1803.08494>.
#' @seealso [layer_batch_normalization()], [layer_layer_normalization()], [op_standardize()]
#' @examples
#' x <- array(rnorm(2 * 5 * 4), c(2, 5, 4))
#' y <- as.array(layer_group_normalization(x, groups = 2))
#' round(c(mean(y[1, , 1:2]), var(c(y[1, , 1:2])) * 9 / 10), 2) # 0 1
#' # which channel moves the most, whatever the size of the sample
#' set.seed(1)
#' y <- sample(0:1, 200, TRUE)
#' x <- array(rnorm(200 * 6 * 2), c(200, 6, 2)) * 10^runif(200, -1, 1)
#' for (i in 1:200) x[i, , y[i] + 1] <- x[i, , y[i] + 1] * 5
#' model <- keras_model_sequential(input_shape = c(6, 2)) |>
#'   layer_group_normalization(groups = 1) |>
#'   layer_lambda(abs) |>
#'   layer_global_average_pooling_1d() |>
#'   layer_dense(2, activation = "softmax")
#' compile(model, optimizer_adam(0.05), "sparse_categorical_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, y, epochs = 15, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_group_normalization <- function(object, groups = 32, axis = -1, epsilon = 0.001, center = TRUE, scale = TRUE,
  beta_initializer = "zeros", gamma_initializer = "ones", beta_regularizer = NULL, gamma_regularizer = NULL,
  beta_constraint = NULL, gamma_constraint = NULL, ...) {
  if (!identical(check_count(groups, min = -1), -1L)) groups <- check_count(groups)
  axis <- check_normal_axis(axis)
  if (length(axis) > 1) abort("`axis` must name one axis, not ", format_shape(axis))
  more <- normal_config(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
    gamma_regularizer, beta_constraint, gamma_constraint)
  new_layer("group_normalization", object, c(list(groups = groups, axis = axis), more), ...)
}

group_normalization_type <- list(
  class_name = "GroupNormalization",
  build = function(self, shape) {
    channels <- add_scale_and_offset(self, shape)
    groups <- self$config$groups
    if (groups > 0 && channels %% groups) abort("`groups` must divide the ", channels,
      " channels of an input of shape ", format_keras_shape(shape), ", not be ", groups, class = "shape",
      fun = self$name)
  },
  call = function(self, x) {
    w <- normal_weights(self)
    groups <- self$config$groups
    normalize_along(self, x, function(x) {
      op_standardize(x, w$scale, w$offset, leading = 1, groups = if (groups > 0) groups,
        epsilon = self$config$epsilon)$output
    })
  },
  mask = TRUE
)

#' Unit normalization layer
#'
#' Divides by the Euclidean norm along `axis`, so that each vector has the length 1; see [op_l2_normalize()]:
#' \deqn{y = \frac{x}{\sqrt{\sum_i x_i^2}}}{y = x / sqrt(sum(x^2))}
#'
#' Shapes: input and output are the same. No weights.
#'
#' @inheritParams layer_activation
#' @param axis the axes along which the norm is taken, 1-based with the batch axis first, negative from the end.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if an axis is not there.
#' @seealso [layer_layer_normalization()], [op_l2_normalize()]
#' @examples
#' as.array(layer_unit_normalization(matrix(c(3, 0, 4, 2), 2))) # 0.6 0.8, 0 1
#' # the direction decides, not the length
#' set.seed(1)
#' x <- matrix(rnorm(400), 200)
#' y <- as.numeric(x[, 1] > 0.5 * sqrt(rowSums(x^2)))
#' model <- keras_model_sequential(input_shape = 2) |>
#'   layer_unit_normalization() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, y, epochs = 25, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_unit_normalization <- function(object, axis = -1, ...) {
  new_layer("unit_normalization", object, list(axis = check_normal_axis(axis)), ...)
}

unit_normalization_type <- list(
  class_name = "UnitNormalization",
  call = function(self, x) op_l2_normalize(x, normal_axes(self, shape_of(x))),
  mask = TRUE
)

#' RMS normalization layer
#'
#' Each sample is divided by the root of the mean of its squares along `axis`; a scale \eqn{\gamma}{g} for each position
#' along it is learned:
#' \deqn{y = \gamma \frac{x}{\sqrt{\mathrm{mean}(x^2) + \epsilon}}}{y = g x / sqrt(mean(x^2) + epsilon)}
#'
#' Shapes: input and output (batch, ..., features). Weights, of the sizes of the axes: scale.
#'
#' @inheritParams layer_layer_normalization
#' @param epsilon a small number above 0.
#' @inherit layer_batch_normalization return sections
#' @references Zhang & Sennrich (2019), <https://arxiv.org/abs/1910.07467>.
#' @seealso [layer_layer_normalization()], [op_rms_normalization()]
#' @examples
#' # the squares of each row have the mean 1
#' as.array(layer_rms_normalization(matrix(c(3, 4, 0, 1), 2)))
#' @export
layer_rms_normalization <- function(object, axis = -1, epsilon = 1e-6, ...) {
  new_layer("rms_normalization", object, list(axis = check_normal_axis(axis),
    epsilon = check_number(epsilon, above = 0)), ...)
}

rms_normalization_type <- list(
  class_name = "RMSNormalization",
  build = function(self, shape) add_weight(self, "scale", shape[normal_axes(self, shape)], "ones"),
  call = function(self, x) {
    sizes <- shape_of(x)
    axes <- normal_axes(self, sizes)
    scale <- op_reshape(self$weights[[1]], replace(rep(1, length(sizes)), axes, sizes[axes]))
    op_rms_normalization(x, scale, axes, self$config$epsilon)
  },
  mask = TRUE
)
