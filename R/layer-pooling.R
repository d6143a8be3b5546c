# Pooling layers: the largest or the mean of neighbouring cells, or of all.

#' Max pooling layers
#'
#' The maximum over windows that move along the spatial axes, each channel by itself: what was found stays, where
#' exactly does not matter.
#' \deqn{y_{b,o,c} = \max_{i \in \mathrm{window}(o)} x_{b,i,c}}{y[b, o, c] = max of x[b, i, c], the cells i of window o}
#'
#' Shapes: input (batch, steps, channels), (batch, rows, columns, channels) or (batch, three spatial axes, channels);
#' output the same with one cell per window, see [op_max_pool()]. No weights.
#'
#' @inheritParams layer_activation
#' @param pool_size the size of the window: a number, or one for each spatial axis.
#' @param strides how far apart windows begin, likewise; `NULL` for `pool_size`.
#' @param padding `"valid"`, or `"same"`: windows may reach over the ends.
#' @param data_format `NULL` for `"channels_last"`, or `"channels_first"`.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the input has another number of axes, or the window does not fit.
#' @references Scherer et al. (2010), Evaluation of pooling operations in convolutional architectures for object
#'   recognition, ICANN.
#' @seealso [layer_average_pooling_2d()], [layer_global_max_pooling_2d()], [op_max_pool()]
#' @examples
#' x <- array(1:16 + 0, c(1, 4, 4, 1))
#' as.array(layer_max_pooling_2d(x))[1, , , 1]
#' # digits, at a quarter of their pixels
#' digits <- dataset_digits(200)
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_max_pooling_2d(pool_size = 2) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, optimizer_adam(0.01), "sparse_categorical_crossentropy", metrics = "accuracy")
#' images <- array(digits$train$x / 255, c(200, 28, 28, 1))
#' history <- fit(model, images, digits$train$y, epochs = 8, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_max_pooling_1d <- function(object, pool_size = 2, strides = NULL, padding = "valid", data_format = NULL, ...) {
  new_pooling("max_pooling_1d", object, 1, pool_size, strides, padding, data_format, ...)
}

#' @rdname layer_max_pooling_1d
#' @export
layer_max_pooling_2d <- function(object, pool_size = c(2, 2), strides = NULL, padding = "valid", data_format = NULL,
  ...) {
  new_pooling("max_pooling_2d", object, 2, pool_size, strides, padding, data_format, ...)
}

#' @rdname layer_max_pooling_1d
#' @export
layer_max_pooling_3d <- function(object, pool_size = c(2, 2, 2), strides = NULL, padding = "valid", data_format = NULL,
  ...) {
  new_pooling("max_pooling_3d", object, 3, pool_size, strides, padding, data_format, ...)
}

#' Average pooling layers
#'
#' The mean over windows that move along the spatial axes, each channel by itself. Cells that are not there do not
#' count.
#'
#' Shapes: as for [layer_max_pooling_1d()]. No weights.
#'
#' @inheritParams layer_max_pooling_1d
#' @inherit layer_max_pooling_1d return sections
#' @seealso [layer_max_pooling_2d()], [layer_global_average_pooling_2d()], [op_average_pool()]
#' @examples
#' as.array(layer_average_pooling_1d(array(1:6, c(1, 6, 1))))[1, , 1] # 1.5 3.5 5.5
#' # is there more in the left half?
#' set.seed(1)
#' x <- array(runif(100 * 8), c(100, 8, 1))
#' y <- rowMeans(x[, 1:4, 1]) > rowMeans(x[, 5:8, 1])
#' model <- keras_model_sequential(input_shape = c(8, 1)) |>
#'   layer_average_pooling_1d(pool_size = 4) |>
#'   layer_flatten() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, as.numeric(y), epochs = 20, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_average_pooling_1d <- function(object, pool_size = 2, strides = NULL, padding = "valid", data_format = NULL,
  ...) {
  new_pooling("average_pooling_1d", object, 1, pool_size, strides, padding, data_format, ...)
}

#' @rdname layer_average_pooling_1d
#' @export
layer_average_pooling_2d <- function(object, pool_size = c(2, 2), strides = NULL, padding = "valid",
  data_format = NULL, ...) {
  new_pooling("average_pooling_2d", object, 2, pool_size, strides, padding, data_format, ...)
}

#' @rdname layer_average_pooling_1d
#' @export
layer_average_pooling_3d <- function(object, pool_size = c(2, 2, 2), strides = NULL, padding = "valid",
  data_format = NULL, ...) {
  new_pooling("average_pooling_3d", object, 3, pool_size, strides, padding, data_format, ...)
}

new_pooling <- function(kind, object, n, pool_size, strides, padding, data_format, ..., fun = calling_function()) {
  pool_size <- per_spatial_axis(pool_size, n, fun = fun)
  new_layer(kind, object, list(
    pool_size = pool_size, strides = if (is.null(strides)) pool_size else per_spatial_axis(strides, n, fun = fun),
    padding = check_padding(padding, fun = fun), data_format = check_data_format(data_format, fun = fun)
  ), ..., fun = fun)
}

#' An input with n spatial axes.
#' @noRd
check_spatial <- function(self, x, n) check_spatial_shape(self, shape_of(x), n)

check_spatial_shape <- function(self, shape, n) {
  if (length(shape) == n + 2) return(invisible(shape))
  axes <- list("steps", c("rows", "columns"), c("planes", "rows", "columns"))[[n]]
  first <- identical(self$config$data_format, "channels_first")
  abort("needs an input of shape ", format_shape(c("batch", if (first) "channels", axes, if (!first) "channels")),
    ", not ", format_keras_shape(c(NA, shape[-1])), if (length(shape) == n + 1)
      "; `layer_reshape()` adds the axis of channels, of size 1 for pictures in grey", class = "shape", fun = self$name)
}

pooling_type <- function(class_name, op, n) list(
  class_name = class_name,
  call = function(self, x) {
    config <- self$config
    check_spatial(self, x, n)
    op(x, config$pool_size, config$strides, config$padding, config$data_format)
  }
)

max_pooling_1d_type <- pooling_type("MaxPooling1D", op_max_pool, 1)
max_pooling_2d_type <- pooling_type("MaxPooling2D", op_max_pool, 2)
max_pooling_3d_type <- pooling_type("MaxPooling3D", op_max_pool, 3)
average_pooling_1d_type <- pooling_type("AveragePooling1D", op_average_pool, 1)
average_pooling_2d_type <- pooling_type("AveragePooling2D", op_average_pool, 2)
average_pooling_3d_type <- pooling_type("AveragePooling3D", op_average_pool, 3)

# ---- over all cells ----

#' Global pooling layers
#'
#' The mean or the maximum over all spatial axes, each channel by itself: a vector per sample, whatever its size was.
#'
#' Shapes: input (batch, spatial axes, channels), output (batch, channels), with `keepdims` (batch, 1, ..., channels).
#' No weights.
#'
#' `layer_global_average_pooling_1d()` takes the mean over the timesteps that the mask calls real; a sample without any
#' gives 0.
#'
#' @inheritParams layer_max_pooling_1d
#' @param keepdims keep the spatial axes, with size 1?
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the input has another number of axes.
#' @section Gradients: Equal maxima share the gradient.
#' @references Lin et al. (2014), Network in network, <https://arxiv.org/abs/1312.4400>.
#' @seealso [layer_max_pooling_2d()], [layer_average_pooling_2d()], [op_mean()], [op_max()]
#' @examples
#' layer_global_average_pooling_1d(array(1:6, c(1, 3, 2))) # 2 5
#' # the mean of word vectors tells good reviews from bad ones
#' set.seed(1)
#' good <- rep(0:1, 50)
#' weights <- function(g) c(rep(1 + 3 * g, 5), rep(4 - 3 * g, 5))
#' tokens <- t(vapply(good, function(g) sample(1:10, 6, TRUE, prob = weights(g)), 1:6))
#' model <- keras_model_sequential() |>
#'   layer_embedding(11, 4, input_length = 6) |>
#'   layer_global_average_pooling_1d() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.05), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, tokens, good, epochs = 15, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_global_average_pooling_1d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_average_pooling_1d", object, data_format, keepdims, ...)
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_average_pooling_2d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_average_pooling_2d", object, data_format, keepdims, ...)
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_average_pooling_3d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_average_pooling_3d", object, data_format, keepdims, ...)
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_1d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_max_pooling_1d", object, data_format, keepdims, ...)
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_2d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_max_pooling_2d", object, data_format, keepdims, ...)
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_3d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  new_global_pooling("global_max_pooling_3d", object, data_format, keepdims, ...)
}

new_global_pooling <- function(kind, object, data_format, keepdims, ..., fun = calling_function()) {
  new_layer(kind, object, list(data_format = check_data_format(data_format, fun = fun),
    keepdims = check_flag(keepdims, fun = fun)), ..., fun = fun)
}

#' @param op a reduction.
#' @noRd
global_pooling_type <- function(class_name, op, n) list(
  class_name = class_name,
  call = function(self, x) {
    check_spatial(self, x, n)
    op(x, spatial_places(self, n), self$config$keepdims)
  }
)

#' The spatial axes of an input.
#' @noRd
spatial_places <- function(self, n) format_places(self$config$data_format, n)

global_average_pooling_2d_type <- global_pooling_type("GlobalAveragePooling2D", op_mean, 2)
global_average_pooling_3d_type <- global_pooling_type("GlobalAveragePooling3D", op_mean, 3)
global_max_pooling_1d_type <- global_pooling_type("GlobalMaxPooling1D", op_max, 1)
global_max_pooling_2d_type <- global_pooling_type("GlobalMaxPooling2D", op_max, 2)
global_max_pooling_3d_type <- global_pooling_type("GlobalMaxPooling3D", op_max, 3)

global_average_pooling_1d_type <- list(
  class_name = "GlobalAveragePooling1D",
  call = function(self, x, mask) {
    check_spatial(self, x, 1)
    steps <- spatial_places(self, 1)
    keepdims <- self$config$keepdims
    if (is.null(mask)) return(op_mean(x, steps, keepdims))
    mask <- op_expand_dims(mask, 5 - steps) # along the channels
    count <- op_sum(op_cast(mask, tensor_dtype(x)), steps, keepdims)
    op_divide(op_sum(op_where(mask, x, 0), steps, keepdims), op_maximum(count, 1))
  }
)
