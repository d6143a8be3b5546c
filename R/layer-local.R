# Layers of windows whose weights are not shared: each place has its own.

#' Locally connected layers
#'
#' As [layer_conv_1d()] and [layer_conv_2d()], but each window has weights of its own, which makes sense where places
#' differ, as in faces that are all aligned.
#'
#' Shapes: input (batch, sizes..., channels), output (batch, sizes..., filters); with `data_format = "channels_first"`
#' the channels stand behind the batch. Weights: kernel (windows, numbers of a window, filters), bias (sizes...,
#' filters).
#'
#' @inheritParams layer_conv_2d
#' @param kernel_size,strides the size of the window, and how far it moves: a number for each axis, or one for all.
#' @param padding `"valid"`; or `"same"`, which Keras has for `implementation` 2 and 3.
#' @param implementation 1, 2 or 3: how Keras computes it, which changes nothing here; weights are those of 1.
#' @inherit layer_conv_2d return sections
#' @seealso [layer_conv_2d()]
#' @examples
#' # which place has the largest number?
#' set.seed(1)
#' x <- array(runif(300 * 8), c(300, 8, 1))
#' model <- keras_model_sequential(input_shape = c(8, 1)) |>
#'   layer_locally_connected_1d(filters = 4, kernel_size = 3, activation = "relu") |>
#'   layer_flatten() |>
#'   layer_dense(8, activation = "softmax")
#' compile(model, optimizer_adam(0.02), "sparse_categorical_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, max.col(x[, , 1]) - 1, epochs = 10, verbose = 0)
#' history$metrics$accuracy[c(1, 10)]
#' @export
layer_locally_connected_1d <- function(object, filters, kernel_size, strides = 1, padding = "valid", data_format = NULL,
  activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
  kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
  bias_constraint = NULL, implementation = 1, ...) {
  new_conv("locally_connected_1d", object, ...)
}

#' @rdname layer_locally_connected_1d
#' @export
layer_locally_connected_2d <- function(object, filters, kernel_size, strides = c(1, 1), padding = "valid",
  data_format = NULL, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, implementation = 1, ...) {
  new_conv("locally_connected_2d", object, ...)
}

#' Windows along an axis of n cells: a row of 0-based cells for each, after zeros that padding adds.
#' @noRd
window_cells <- function(n, size, stride, padding) {
  pads <- conv_padding(n, size - 1, stride, padding, NULL)
  starts <- seq(0, by = stride, length.out = max(0, (n + pads$before + pads$after - size) %/% stride + 1))
  list(cells = outer(starts, seq_len(size) - 1, `+`), edges = c(pads$before, pads$after))
}

local_windows <- function(self, sizes) {
  config <- self$config
  windows <- Map(window_cells, sizes, config$kernel_size, config$strides, config$padding)
  if (any(vapply(windows, function(w) nrow(w$cells), 0L) == 0)) abort("a window of ", format_shape(config$kernel_size),
    " does not fit into ", format_shape(sizes), class = "shape", fun = self$name)
  windows
}

local_type <- function(class_name) list(
  class_name = class_name,
  build = function(self, shape) {
    config <- self$config
    n <- channels_of(self, shape)
    sizes <- shape[format_places(config$data_format, length(config$kernel_size))]
    if (anyNA(sizes)) abort("needs to know the sizes of its input, which has shape ", format_keras_shape(shape),
      class = "shape", fun = self$name)
    out <- vapply(local_windows(self, sizes), function(w) nrow(w$cells), 0L)
    add_weight(self, "kernel", c(prod(out), prod(config$kernel_size) * n, config$filters), config$kernel_initializer,
      config$kernel_regularizer, config$kernel_constraint)
    if (config$use_bias) add_weight(self, "bias", c(out, config$filters), config$bias_initializer,
      config$bias_regularizer, config$bias_constraint)
    self$channels <- n
    self$sizes <- sizes
  },
  call = function(self, x) {
    config <- self$config
    channels_of(self, shape_of(x))
    sizes <- shape_of(x)[format_places(config$data_format, length(config$kernel_size))]
    if (!identical(as.numeric(sizes), as.numeric(self$sizes))) abort("was built for inputs of the sizes ",
      format_shape(self$sizes), ", not ", format_shape(sizes), class = "shape", fun = self$name)
    y <- with_channels_last(x, config$data_format, function(x) {
      y <- local_products(x, self$weights[[1]], local_windows(self, sizes), config$data_format == "channels_first")
      if (config$use_bias) y + self$weights[[2]] else y
    })
    activate(config$activation, y)
  }
)

#' @param first stand the channels of a window before its cells?
#' @noRd
local_products <- function(x, kernel, windows, first) {
  axes <- length(windows)
  x <- pad_places(x, 1 + seq_len(axes), lapply(windows, `[[`, "edges"))
  for (k in seq_len(axes)) x <- op_gather(x, array(as.integer(windows[[k]]$cells), dim(windows[[k]]$cells)), 2 * k)
  # (batch, places and cells of each axis in turn, channels)
  cells <- 1 + 2 * seq_len(axes)
  x <- op_transpose(x, c(1, cells - 1, if (first) 2 * axes + 2, cells, if (!first) 2 * axes + 2))
  places <- vapply(windows, function(w) nrow(w$cells), 0L)
  patches <- reshape_to(x, c(-1, dim(kernel)[1:2]))
  reshape_to(op_einsum("bpk,pkf->bpf", patches, kernel), c(-1, places, dim(kernel)[3]))
}

locally_connected_1d_type <- local_type("LocallyConnected1D")
locally_connected_2d_type <- local_type("LocallyConnected2D")
