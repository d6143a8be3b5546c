# Layers that repeat, add or take away cells of spatial axes.

#' Up-sampling layers
#'
#' Repeats each cell along the spatial axes, or, for pictures, puts cells between them whose numbers are in between. It
#' is the reverse of pooling in decoders and generators.
#'
#' Shapes: input (batch, spatial axes, channels), output the same with the spatial axes `size` times as long. No
#' weights.
#'
#' @inheritParams layer_max_pooling_1d
#' @param size how many times: a number, or one for each spatial axis.
#' @param interpolation `"nearest"`, which repeats, `"bilinear"` or another method of [op_resize()].
#' @inherit layer_max_pooling_1d return sections
#' @seealso [layer_max_pooling_2d()], [layer_zero_padding_2d()], [op_resize()], [op_repeat()]
#' @examples
#' as.array(layer_upsampling_1d(array(1:3 + 0, c(1, 3, 1)), size = 2))[1, , 1] # 1 1 2 2 3 3
#' # a small picture from its mean in each quarter
#' set.seed(1)
#' x <- array(runif(100 * 4 * 4), c(100, 4, 4, 1))
#' x <- as.array(layer_upsampling_2d(layer_average_pooling_2d(x)))
#' model <- keras_model_sequential(input_shape = c(4, 4, 1)) |>
#'   layer_max_pooling_2d() |>
#'   layer_dense(1) |>
#'   layer_upsampling_2d()
#' compile(model, optimizer_adam(0.05), "mse")
#' history <- fit(model, x, x, epochs = 30, verbose = 0)
#' signif(tail(history$metrics$loss, 1), 1)
#' @export
layer_upsampling_1d <- function(object, size = 2, ...) {
  new_layer("upsampling_1d", object, list(size = per_spatial_axis(size, 1)), ...)
}

#' @rdname layer_upsampling_1d
#' @export
layer_upsampling_2d <- function(object, size = c(2, 2), data_format = NULL, interpolation = "nearest", ...) {
  new_layer("upsampling_2d", object, list(size = per_spatial_axis(size, 2),
    data_format = check_data_format(data_format),
    interpolation = check_choice(interpolation, resize_methods)), ...)
}

#' @rdname layer_upsampling_1d
#' @export
layer_upsampling_3d <- function(object, size = c(2, 2, 2), data_format = NULL, ...) {
  new_layer("upsampling_3d", object, list(size = per_spatial_axis(size, 3),
    data_format = check_data_format(data_format)), ...)
}

upsampling_type <- function(class_name, n) list(
  class_name = class_name,
  call = function(self, x) {
    config <- self$config
    check_spatial(self, x, n)
    resize_times(x, spatial_places(self, n), config$size, if (is.null(config$interpolation)) "nearest" else
      config$interpolation)
  }
)
upsampling_1d_type <- upsampling_type("UpSampling1D", 1)
upsampling_2d_type <- upsampling_type("UpSampling2D", 2)
upsampling_3d_type <- upsampling_type("UpSampling3D", 3)

#' Zero padding layers
#'
#' Adds cells of 0 at the ends of the spatial axes.
#'
#' Shapes: input (batch, spatial axes, channels), output the same with longer spatial axes. No weights.
#'
#' @inheritParams layer_max_pooling_1d
#' @param padding how many cells: a number for all ends; one for both ends of each axis; or a list with `c(before,
#'   after)` for each axis (for the 1d layer the vector alone).
#' @inherit layer_max_pooling_1d return sections
#' @seealso [layer_cropping_2d()], [op_pad()]
#' @examples
#' as.array(layer_zero_padding_1d(array(1:3 + 0, c(1, 3, 1)), c(0, 2)))[1, , 1] # 1 2 3 0 0
#' # with a border, windows of 3 reach the same number of cells again
#' set.seed(1)
#' x <- array(runif(100 * 6), c(100, 6, 1))
#' y <- apply(x, 1, max)
#' model <- keras_model_sequential(input_shape = c(6, 1)) |>
#'   layer_zero_padding_1d(1) |>
#'   layer_max_pooling_1d(pool_size = 3, strides = 1) |>
#'   layer_flatten() |>
#'   layer_dense(1)
#' compile(model, optimizer_adam(0.05), "mse")
#' history <- fit(model, x, y, epochs = 30, verbose = 0)
#' signif(tail(history$metrics$loss, 1), 1)
#' @export
layer_zero_padding_1d <- function(object, padding = 1, data_format = NULL, ...) {
  new_layer("zero_padding_1d", object, list(padding = check_edges(padding, 1),
    data_format = check_data_format(data_format)), ...)
}

#' @rdname layer_zero_padding_1d
#' @export
layer_zero_padding_2d <- function(object, padding = c(1, 1), data_format = NULL, ...) {
  new_layer("zero_padding_2d", object, list(padding = check_edges(padding, 2),
    data_format = check_data_format(data_format)), ...)
}

#' @rdname layer_zero_padding_1d
#' @export
layer_zero_padding_3d <- function(object, padding = c(1, 1, 1), data_format = NULL, ...) {
  new_layer("zero_padding_3d", object, list(padding = check_edges(padding, 3),
    data_format = check_data_format(data_format)), ...)
}

zero_padding_type <- function(class_name, n) list(
  class_name = class_name,
  call = function(self, x) {
    check_spatial(self, x, n)
    pad_places(x, spatial_places(self, n), self$config$padding)
  }
)
zero_padding_1d_type <- zero_padding_type("ZeroPadding1D", 1)
zero_padding_2d_type <- zero_padding_type("ZeroPadding2D", 2)
zero_padding_3d_type <- zero_padding_type("ZeroPadding3D", 3)

#' Cropping layers
#'
#' Takes cells away at the ends of the spatial axes.
#'
#' Shapes: input (batch, spatial axes, channels), output the same with shorter spatial axes. No weights.
#'
#' @inheritParams layer_max_pooling_1d
#' @param cropping how many cells: a number for all ends; one for both ends of each axis; or a list with `c(before,
#'   after)` for each axis (for the 1d layer the vector alone).
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the input has another number of axes, or nothing would be left.
#' @seealso [layer_zero_padding_2d()], [op_slice()]
#' @examples
#' as.array(layer_cropping_1d(array(1:5 + 0, c(1, 5, 1)), c(1, 2)))[1, , 1] # 2 3
#' # what counts is in the middle
#' set.seed(1)
#' x <- array(rnorm(200 * 5 * 5), c(200, 5, 5, 1))
#' y <- as.numeric(x[, 3, 3, 1] > 0)
#' model <- keras_model_sequential(input_shape = c(5, 5, 1)) |>
#'   layer_cropping_2d(cropping = 2) |>
#'   layer_flatten() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, y, epochs = 10, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_cropping_1d <- function(object, cropping = c(1, 1), ...) {
  new_layer("cropping_1d", object, list(cropping = check_edges(cropping, 1)), ...)
}

#' @rdname layer_cropping_1d
#' @export
layer_cropping_2d <- function(object, cropping = list(c(0, 0), c(0, 0)), data_format = NULL, ...) {
  new_layer("cropping_2d", object, list(cropping = check_edges(cropping, 2),
    data_format = check_data_format(data_format)), ...)
}

#' @rdname layer_cropping_1d
#' @export
layer_cropping_3d <- function(object, cropping = list(c(1, 1), c(1, 1), c(1, 1)), data_format = NULL, ...) {
  new_layer("cropping_3d", object, list(cropping = check_edges(cropping, 3),
    data_format = check_data_format(data_format)), ...)
}

cropping_type <- function(class_name, n) list(
  class_name = class_name,
  call = function(self, x) {
    check_spatial(self, x, n)
    at <- spatial_places(self, n)
    edges <- do.call(rbind, self$config$cropping)
    left <- shape_of(x)[at] - rowSums(edges)
    if (any(left < 1)) abort("`cropping` takes all of an axis of an input of shape ", input_shape_text(x),
      class = "shape", fun = self$name)
    rank <- rank_of(x)
    op_slice(x, replace(rep(1, rank), at, edges[, 1] + 1), replace(rep(-1, rank), at, left))
  }
)
cropping_1d_type <- cropping_type("Cropping1D", 1)
cropping_2d_type <- cropping_type("Cropping2D", 2)
cropping_3d_type <- cropping_type("Cropping3D", 3)
