# Convolution layers. Each is one op of R/op-convolution.R, or two, with weights as Keras has them.

#' Convolution layers
#'
#' Each filter looks at a small window of the input, the same weights at every place, and gives one channel of the
#' output:
#' \deqn{y_{n, o, f} = a\left(\sum_{k} \sum_{c} x_{n, o s + k d, c} W_{k, c, f} + b_f\right)}{
#' y[n, o, f] = a(sum over k and c of x[n, o s + k d, c] W[k, c, f] + b[f])}
#' with strides s, dilation d, bias b and the activation a. Windows go over one axis (time), two (pictures) or three
#' (volumes).
#'
#' Shapes: input (batch, sizes..., channels), output (batch, sizes..., filters); with `data_format = "channels_first"`
#' the channels stand behind the batch. Weights: kernel (kernel sizes..., channels / groups, filters), bias (filters).
#'
#' @inheritParams layer_dense
#' @param filters the number of channels of the output.
#' @param kernel_size,strides,dilation_rate the size of the window, how far it moves, and how far apart its cells are:
#'   whole numbers, one for each axis, or one for all.
#' @param padding `"valid"`: windows lie within the input. `"same"`: the input is padded with zeros so that the output
#'   has the size of the input divided by the strides, rounded up. `"causal"`, for time alone: all zeros come before, so
#'   that no output depends on later inputs.
#' @param data_format `NULL` or `"channels_last"`; or `"channels_first"`.
#' @param groups a number that divides channels and filters: each filter sees the channels of its group alone.
#' @inherit layer_dense return
#' @section Errors: `nativenet_error_shape` if the input has other axes or channels than the layer was built for;
#'   `nativenet_error_value` if the window is larger than the padded input.
#' @references LeCun et al. (1998), \doi{10.1109/5.726791}.
#' @seealso [layer_conv_2d_transpose()], [layer_depthwise_conv_2d()]; [op_conv()]
#' @examples
#' # which way do the stripes run?
#' set.seed(1)
#' turned <- rep(0:1, 60)
#' stripes <- t(sapply(turned, function(t) {
#'   m <- outer(1:8, 1:8, function(i, j) sin(if (t) i else j) + rnorm(64, sd = 0.3))
#'   c(m)
#' }))
#' model <- keras_model_sequential(input_shape = c(8, 8, 1)) |>
#'   layer_conv_2d(4, kernel_size = 3, strides = 2, activation = "relu") |>
#'   layer_flatten() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
#' fit(model, array_reshape(stripes, c(120, 8, 8, 1)), turned, epochs = 10, verbose = 0)
#' evaluate(model, array_reshape(stripes, c(120, 8, 8, 1)), turned, verbose = 0)
#' @export
layer_conv_2d <- function(object, filters, kernel_size, strides = c(1, 1), padding = "valid", data_format = NULL,
  dilation_rate = c(1, 1), groups = 1, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_2d", object, ...)
}

#' @rdname layer_conv_2d
#' @export
layer_conv_1d <- function(object, filters, kernel_size, strides = 1, padding = "valid", data_format = NULL,
  dilation_rate = 1, groups = 1, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_1d", object, ...)
}

#' @rdname layer_conv_2d
#' @export
layer_conv_3d <- function(object, filters, kernel_size, strides = c(1, 1, 1), padding = "valid", data_format = NULL,
  dilation_rate = c(1, 1, 1), groups = 1, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_3d", object, ...)
}

#' Transposed convolution layers
#'
#' Also called deconvolution: each cell of the input spreads its channels over a window of the output, times the kernel;
#' where windows overlap they are added up. With strides the output is larger than the input, as decoders of pictures
#' want it. It is the gradient of a [layer_conv_2d()] with respect to its input.
#'
#' Shapes: input (batch, sizes..., channels), output (batch, sizes..., filters). Along an axis of size n, with kernel
#' size k, the output has the size n strides with padding `"same"`, n strides + max(k - strides, 0) with `"valid"`,
#' where k is `dilation_rate (k - 1) + 1`; `output_padding` chooses another of the sizes that belong to the same input.
#' Weights: kernel (kernel sizes..., filters, channels), bias (filters).
#'
#' @inheritParams layer_conv_2d
#' @param padding `"valid"` or `"same"`.
#' @param output_padding `NULL` or whole numbers less than the strides, one for each axis or one for all.
#' @inherit layer_conv_2d return sections
#' @references Dumoulin & Visin (2016), <https://arxiv.org/abs/1603.07285>.
#' @seealso [layer_conv_2d()]; [op_conv_transpose()]
#' @examples
#' # from the place of a dot to its picture
#' set.seed(1)
#' place <- matrix(sample(0:7, 400, replace = TRUE), 200)
#' picture <- array(0, c(200, 8, 8, 1))
#' picture[cbind(1:200, place + 1, 1)] <- 1
#' decoder <- keras_model_sequential(input_shape = 2) |>
#'   layer_dense(4 * 4 * 8, activation = "relu") |>
#'   layer_reshape(c(4, 4, 8)) |>
#'   layer_conv_2d_transpose(1, kernel_size = 3, strides = 2, padding = "same")
#' compile(decoder, optimizer_adam(0.01), "mse")
#' history <- fit(decoder, place / 7, picture, epochs = 20, verbose = 0)
#' history$metrics$loss[c(1, 20)]
#' @export
layer_conv_2d_transpose <- function(object, filters, kernel_size, strides = c(1, 1), padding = "valid",
  output_padding = NULL, data_format = NULL, dilation_rate = c(1, 1), activation = NULL, use_bias = TRUE,
  kernel_initializer = "glorot_uniform", bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL,
  activity_regularizer = NULL, kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_2d_transpose", object, ...)
}

#' @rdname layer_conv_2d_transpose
#' @export
layer_conv_1d_transpose <- function(object, filters, kernel_size, strides = 1, padding = "valid", output_padding = NULL,
  data_format = NULL, dilation_rate = 1, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_1d_transpose", object, ...)
}

#' @rdname layer_conv_2d_transpose
#' @export
layer_conv_3d_transpose <- function(object, filters, kernel_size, strides = c(1, 1, 1), padding = "valid",
  output_padding = NULL, data_format = NULL, dilation_rate = c(1, 1, 1), activation = NULL, use_bias = TRUE,
  kernel_initializer = "glorot_uniform", bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL,
  activity_regularizer = NULL, kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("conv_3d_transpose", object, ...)
}

#' Depthwise and separable convolution layers
#'
#' A depthwise convolution has `depth_multiplier` filters for each channel, which see that channel alone. A separable
#' one mixes what they give by windows of size 1: far fewer weights and less work than [layer_conv_2d()].
#'
#' Shapes: input (batch, sizes..., channels), output (batch, sizes..., channels times depth_multiplier), for the
#' separable layers (batch, sizes..., filters). Weights: depthwise_kernel (kernel sizes..., channels, depth_multiplier),
#' for the separable layers pointwise_kernel (1..., channels times depth_multiplier, filters), and the bias.
#'
#' @inheritParams layer_conv_2d
#' @param depth_multiplier the number of filters for each channel.
#' @param depthwise_initializer,pointwise_initializer,bias_initializer see [initializers].
#' @param depthwise_regularizer,pointwise_regularizer,bias_regularizer,activity_regularizer see [regularizers]; `NULL`
#'   for none.
#' @param depthwise_constraint,pointwise_constraint,bias_constraint see [constraints]; `NULL` for none.
#' @inherit layer_conv_2d return sections
#' @references Chollet (2017), Xception, <https://arxiv.org/abs/1610.02357>.
#' @seealso [layer_conv_2d()]; [op_depthwise_conv()]
#' @examples
#' # is there a step in the series?
#' set.seed(1)
#' step <- rep(0:1, 100)
#' series <- t(sapply(step, function(s) rnorm(20, sd = 0.5) + s * (1:20 > sample(5:15, 1)) * 2))
#' model <- keras_model_sequential(input_shape = c(20, 1)) |>
#'   layer_separable_conv_1d(8, kernel_size = 5, depth_multiplier = 4, activation = "relu") |>
#'   layer_flatten() |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
#' fit(model, array_reshape(series, c(200, 20, 1)), step, epochs = 10, verbose = 0)
#' evaluate(model, array_reshape(series, c(200, 20, 1)), step, verbose = 0)
#' @export
layer_depthwise_conv_2d <- function(object, kernel_size, strides = c(1, 1), padding = "valid", depth_multiplier = 1,
  data_format = NULL, dilation_rate = c(1, 1), activation = NULL, use_bias = TRUE,
  depthwise_initializer = "glorot_uniform", bias_initializer = "zeros", depthwise_regularizer = NULL,
  bias_regularizer = NULL, activity_regularizer = NULL, depthwise_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("depthwise_conv_2d", object, ...)
}

#' @rdname layer_depthwise_conv_2d
#' @export
layer_depthwise_conv_1d <- function(object, kernel_size, strides = 1, padding = "valid", depth_multiplier = 1,
  data_format = NULL, dilation_rate = 1, activation = NULL, use_bias = TRUE, depthwise_initializer = "glorot_uniform",
  bias_initializer = "zeros", depthwise_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  depthwise_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("depthwise_conv_1d", object, ...)
}

#' @rdname layer_depthwise_conv_2d
#' @export
layer_separable_conv_2d <- function(object, filters, kernel_size, strides = c(1, 1), padding = "valid",
  data_format = NULL, dilation_rate = 1, depth_multiplier = 1, activation = NULL, use_bias = TRUE,
  depthwise_initializer = "glorot_uniform", pointwise_initializer = "glorot_uniform", bias_initializer = "zeros",
  depthwise_regularizer = NULL, pointwise_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  depthwise_constraint = NULL, pointwise_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("separable_conv_2d", object, ...)
}

#' @rdname layer_depthwise_conv_2d
#' @export
layer_separable_conv_1d <- function(object, filters, kernel_size, strides = 1, padding = "valid", data_format = NULL,
  dilation_rate = 1, depth_multiplier = 1, activation = NULL, use_bias = TRUE,
  depthwise_initializer = "glorot_uniform", pointwise_initializer = "glorot_uniform", bias_initializer = "zeros",
  depthwise_regularizer = NULL, pointwise_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  depthwise_constraint = NULL, pointwise_constraint = NULL, bias_constraint = NULL, ...) {
  new_conv("separable_conv_1d", object, ...)
}

#' A layer with the arguments of the constructor that calls, all of which say by their names what they are.
#' @noRd
new_conv <- function(kind, object, ..., fun = calling_function()) {
  frame <- parent.frame()
  names <- setdiff(names(formals(sys.function(sys.parent()))), c("object", "..."))
  for (name in intersect(names, c("filters", "kernel_size")))
    check_given(eval(call("missing", as.name(name)), frame), name, fun)
  axes <- as.integer(sub(".*_([123])d.*", "\\1", kind))
  parts <- c("activation", "initializer", "regularizer", "constraint")
  config <- Map(function(x, name) {
    part <- sub("^(kernel|bias|depthwise|pointwise|activity|recurrent)_", "", name)
    if (part %in% parts) return(layer_part(part, x, name, fun))
    switch(name,
      filters = , groups = , depth_multiplier = check_count(x, arg = name, fun = fun),
      output_padding = if (!is.null(x)) as.integer(per_spatial_axis(x, axes, 0, name, fun)),
      padding = check_padding(x, c("valid", "same", if (kind %in% c("conv_1d", "separable_conv_1d")) "causal"),
        fun = fun),
      data_format = check_data_format(x, fun = fun),
      implementation = check_count(x, max = 3, arg = name, fun = fun),
      dropout = , recurrent_dropout = check_number(x, min = 0, below = 1, arg = name, fun = fun),
      use_bias = , unit_forget_bias = , return_sequences = , return_state = , go_backwards = , stateful =
        check_flag(x, arg = name, fun = fun),
      as.integer(per_spatial_axis(x, axes, arg = name, fun = fun))
    )
  }, mget(names, frame), names)
  if (!is.null(config$groups) && config$filters %% config$groups != 0)
    abort("`groups` must divide `filters`, ", config$filters, ", not be ", config$groups, fun = fun)
  new_layer(kind, object, config, ..., fun = fun)
}

#' The number of channels of an input, once it has the right axes.
#' @noRd
channels_of <- function(self, shape) {
  axes <- length(self$config$kernel_size)
  check_spatial_shape(self, shape, axes)
  n <- shape[if (self$config$data_format == "channels_first") 2 else axes + 2]
  if (is.na(n)) abort("needs to know the number of channels of its input, which has shape ", format_keras_shape(shape),
    class = "shape", fun = self$name)
  if (!is.null(self$channels) && !same_sizes(n, self$channels)) abort("was built for inputs of ", self$channels,
    " channels, not of shape ", format_keras_shape(c(NA, shape[-1])), class = "shape", fun = self$name)
  n
}

#' @param weights a function of the layer's configuration and the number of channels: the shapes of its kernels, named.
#' @param op a function of the input, channels last, the configuration, the kernels, the bias and, where `fuses`, the
#'   activation in place.
#' @noRd
conv_type <- function(class_name, weights, op, fuses = TRUE) list(
  class_name = class_name,
  build = function(self, shape) {
    config <- self$config
    n <- channels_of(self, shape)
    if (!is.null(config$groups) && n %% config$groups != 0) abort("`groups` must divide the ", n,
      " channels of its input, not be ", config$groups, fun = self$name)
    shapes <- weights(config, n)
    for (name in names(shapes)) {
      stem <- sub("_kernel", "", name)
      add_weight(self, name, shapes[[name]], config[[paste0(stem, "_initializer")]],
        config[[paste0(stem, "_regularizer")]], config[[paste0(stem, "_constraint")]])
    }
    bias <- if (is.null(config$filters)) n * config$depth_multiplier else config$filters
    if (config$use_bias) add_weight(self, "bias", bias, config$bias_initializer, config$bias_regularizer,
      config$bias_constraint)
    self$channels <- n
  },
  call = function(self, x) {
    config <- self$config
    channels_of(self, shape_of(x))
    kernels <- length(self$weights) - config$use_bias
    bias <- if (config$use_bias) self$weights[[kernels + 1]]
    run <- function(...) with_channels_last(x, config$data_format, function(x) {
      op(x, config, self$weights[seq_len(kernels)], bias, ...)
    })
    if (fuses) with_activation(config$activation, run) else activate(config$activation, run())
  }
)

plain_kernel <- function(config, n) list(kernel = c(config$kernel_size, n / config$groups, config$filters))
plain_conv <- function(x, config, w, bias, ...) {
  op_conv(x, w[[1]], config$strides, config$padding, NULL, config$dilation_rate, config$groups, bias, ...)
}
conv_1d_type <- conv_type("Conv1D", plain_kernel, plain_conv)
conv_2d_type <- conv_type("Conv2D", plain_kernel, plain_conv)
conv_3d_type <- conv_type("Conv3D", plain_kernel, plain_conv)

transposed_kernel <- function(config, n) list(kernel = c(config$kernel_size, config$filters, n))
transposed_conv <- function(x, config, w, bias) {
  y <- op_conv_transpose(x, w[[1]], config$strides, config$padding, config$output_padding,
    dilation_rate = config$dilation_rate)
  if (is.null(bias)) y else op_add(y, bias)
}
conv_1d_transpose_type <- conv_type("Conv1DTranspose", transposed_kernel, transposed_conv, fuses = FALSE)
conv_2d_transpose_type <- conv_type("Conv2DTranspose", transposed_kernel, transposed_conv, fuses = FALSE)
conv_3d_transpose_type <- conv_type("Conv3DTranspose", transposed_kernel, transposed_conv, fuses = FALSE)

depthwise_kernel <- function(config, n) list(depthwise_kernel = c(config$kernel_size, n, config$depth_multiplier))
depthwise_conv <- function(x, config, w, bias, ...) {
  op_depthwise_conv(x, w[[1]], config$strides, config$padding, NULL, config$dilation_rate, bias, ...)
}
depthwise_conv_1d_type <- conv_type("DepthwiseConv1D", depthwise_kernel, depthwise_conv)
depthwise_conv_2d_type <- conv_type("DepthwiseConv2D", depthwise_kernel, depthwise_conv)

separable_kernels <- function(config, n) c(depthwise_kernel(config, n),
  list(pointwise_kernel = c(rep(1, length(config$kernel_size)), n * config$depth_multiplier, config$filters)))
separable_conv <- function(x, config, w, bias, ...) {
  op_conv(depthwise_conv(x, config, w, NULL), w[[2]], bias = bias, ...)
}
separable_conv_1d_type <- conv_type("SeparableConv1D", separable_kernels, separable_conv)
separable_conv_2d_type <- conv_type("SeparableConv2D", separable_kernels, separable_conv)
