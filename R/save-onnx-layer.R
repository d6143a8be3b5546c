# What becomes of layers in ONNX: each rule adds operators to the graph g, and gives the names of the results. `from`
# and `to` are lists of shapes, NA where a size is not known.

int64_of <- function(g, x) g$constant(x, "int64")
weight_of <- function(g, self, k) g$constant(self$weights[[k]], self$dtype, dim(self$weights[[k]]))
number_of <- function(g, self, x) g$constant(x, self$dtype, integer())

known_sizes <- function(g, shape) {
  if (anyNA(shape)) g$refuse("needs to know its sizes, but they are ", format_keras_shape(shape))
  shape
}

#' To a shape of which at most one size besides the batch is not known.
#' @noRd
onnx_reshape <- function(g, x, shape) {
  open <- is.na(shape)
  if (sum(open) > 1) g$refuse("needs to know its sizes, but they are ", format_keras_shape(shape))
  g$add("Reshape", x, int64_of(g, ifelse(open, -1, shape)))
}

onnx_transpose <- function(g, x, order) g$add("Transpose", x, attributes = list(perm = I(as.integer(order - 1))))

#' f of x with channels first; f may change sizes, but not the number of axes.
#' @noRd
channels_first <- function(g, self, x, rank, f) {
  if (identical(self$config$data_format, "channels_first")) return(f(x))
  inner <- seq_len(rank - 2) + 1
  onnx_transpose(g, f(onnx_transpose(g, x, c(1, rank, inner))), c(1, inner + 1, 2))
}

# ---- activations ----

onnx_activations <- list(
  linear = function(g, self, x, config) x,
  relu = function(g, self, x, config) onnx_relu(g, self, x, config$max_value, config$alpha, config$threshold),
  elu = function(g, self, x, config) g$add("Elu", x, attributes = list(alpha = config$alpha)),
  selu = function(g, self, x, config) g$add("Selu", x),
  gelu = function(g, self, x, config) {
    of <- function(v) number_of(g, self, v)
    half <- g$add("Mul", x, of(0.5))
    inner <- if (config$approximate) {
      cube <- g$add("Mul", g$add("Mul", x, x), g$add("Mul", x, of(0.044715)))
      g$add("Tanh", g$add("Mul", g$add("Add", x, cube), of(sqrt(2 / pi))))
    } else g$add("Erf", g$add("Mul", x, of(sqrt(0.5))))
    g$add("Mul", half, g$add("Add", inner, of(1)))
  },
  swish = function(g, self, x, config) g$add("Mul", x, g$add("Sigmoid", x)),
  sigmoid = function(g, self, x, config) g$add("Sigmoid", x),
  hard_sigmoid = function(g, self, x, config) g$add("HardSigmoid", x, attributes = list(alpha = 0.2, beta = 0.5)),
  tanh = function(g, self, x, config) g$add("Tanh", x),
  softmax = function(g, self, x, config) g$add("Softmax", x, attributes = list(axis = as.integer(config$axis))),
  softplus = function(g, self, x, config) g$add("Softplus", x),
  softsign = function(g, self, x, config) g$add("Softsign", x),
  exponential = function(g, self, x, config) g$add("Exp", x)
)

onnx_activate <- function(g, self, x, activation = self$config$activation) {
  if (is.null(activation)) return(x)
  rule <- onnx_activations[[part_name(activation)]]
  if (is.null(rule)) g$refuse("its activation `", part_name(activation), "` is not exported")
  rule(g, self, x, part_config(activation))
}

#' x above the threshold, at most max_value; below it the slope times the distance.
#' @noRd
onnx_relu <- function(g, self, x, max_value, slope, threshold) {
  of <- function(v) number_of(g, self, v)
  y <- if (threshold == 0 && slope == 0) g$add("Relu", x) else {
    below <- g$add("Mul", g$add("Sub", x, of(threshold)), of(slope))
    g$add("Where", g$add("GreaterOrEqual", x, of(threshold)), x, below)
  }
  if (is.null(max_value)) y else g$add("Min", y, of(max_value))
}

# ---- convolutions ----

#' A convolution of x, channels first.
#' @param kernel (sizes..., inputs, outputs)
#' @noRd
onnx_conv <- function(g, self, x, kernel, bias, group = 1, padding = self$config$padding, strides =
  self$config$strides, dilations = self$config$dilation_rate) {
  axes <- length(dim(kernel)) - 2
  w <- g$constant(aperm(kernel, c(axes + 2, axes + 1, seq_len(axes))), self$dtype)
  attributes <- list(strides = I(as.integer(rep_len(strides, axes))), dilations = I(as.integer(rep_len(dilations,
    axes))), group = as.integer(group), kernel_shape = I(dim(kernel)[seq_len(axes)]))
  cut <- (dim(kernel)[seq_len(axes)] - 1) * dilations
  before <- if (padding == "causal") cut else floor(cut / 2)
  # engines do not take auto_pad with dilation, which has no strides
  attributes <- c(attributes, if (padding == "same" && any(strides > 1)) list(auto_pad = "SAME_UPPER") else
    if (padding != "valid") list(pads = I(as.integer(c(before, cut - before)))))
  g$add("Conv", x, w, bias, attributes = attributes)
}

depthwise_as_grouped <- function(w) {
  axes <- length(dim(w)) - 2
  # (sizes..., channels, multiplier) to (sizes..., 1, channels times multiplier)
  array(aperm(w, c(seq_len(axes), axes + 2, axes + 1)), c(dim(w)[seq_len(axes)], 1, prod(dim(w)[axes + 1:2])))
}

onnx_bias <- function(g, self) if (self$config$use_bias) weight_of(g, self, length(self$weights))

pool_rule <- function(op) function(g, self, x, from, to, call) {
  config <- self$config
  attributes <- list(kernel_shape = I(as.integer(config$pool_size)), strides = I(as.integer(config$strides)),
    auto_pad = if (config$padding == "same") "SAME_UPPER" else "VALID")
  channels_first(g, self, x, length(from[[1]]), function(x) g$add(op, x, attributes = attributes))
}

global_rule <- function(op) function(g, self, x, from, to, call) {
  rank <- length(from[[1]])
  axes <- seq_len(rank - 2) + if (identical(self$config$data_format, "channels_first")) 1 else 0
  g$add(op, x, attributes = list(axes = I(as.integer(axes)), keepdims = as.integer(self$config$keepdims)))
}

#' Amounts before and after each spatial axis, for all axes.
#' @noRd
onnx_margins <- function(self, amounts, rank) {
  amounts <- do.call(rbind, amounts)
  at <- seq_len(rank - 2) + if (identical(self$config$data_format, "channels_first")) 2 else 1
  all <- matrix(0, rank, 2)
  all[at, ] <- amounts
  all
}

onnx_slice <- function(g, x, starts, ends, axes, steps = rep(1, length(axes))) g$add("Slice", x, int64_of(g, starts),
  int64_of(g, ends), int64_of(g, axes), int64_of(g, steps))

onnx_resize <- function(g, self, x, from, to, linear) {
  rank <- length(from)
  known_sizes(g, c(from[-1], to[-1]))
  channels_first(g, self, x, rank, function(x) {
    sizes <- if (identical(self$config$data_format, "channels_first")) c(from[-1], to[-1]) else NULL
    at <- if (is.null(sizes)) seq_len(rank - 2) + 1 else seq_len(rank - 2) + 2
    scales <- c(1, 1, to[at] / from[at])
    g$add("Resize", x, "", g$constant(scales, "float32"), attributes = if (linear) list(mode = "linear",
      coordinate_transformation_mode = "half_pixel") else list(mode = "nearest", nearest_mode = "floor",
      coordinate_transformation_mode = if (self$kind == "resizing") "half_pixel" else "asymmetric"))
  })
}

# ---- normalization ----

#' Weights along some axes, in a shape that meets x.
#' @noRd
along_axes <- function(g, self, w, axes, rank) {
  shape <- rep(1, rank)
  w <- as.array(w)
  shape[axes] <- if (is.null(dim(w))) length(w) else dim(w)
  g$constant(array(w, shape), self$dtype)
}

scale_and_offset <- function(g, self, y, axes, rank) {
  config <- self$config
  if (config$scale) y <- g$add("Mul", y, along_axes(g, self, self$weights[[1]], axes, rank))
  if (config$center) y <- g$add("Add", y, along_axes(g, self, self$weights[[config$scale + 1]], axes, rank))
  y
}

#' x without its mean, divided by its deviation, along axes counted from 0.
#' @noRd
onnx_standardize <- function(g, self, x, axes) {
  mean <- function(v) g$add("ReduceMean", v, attributes = list(axes = I(as.integer(axes)), keepdims = 1L))
  centred <- g$add("Sub", x, mean(x))
  variance <- mean(g$add("Mul", centred, centred))
  g$add("Div", centred, g$add("Sqrt", g$add("Add", variance, number_of(g, self, self$config$epsilon))))
}

# ---- recurrent layers ----

# Blocks of our gates in the order of ONNX: i f c o as i o f c; z r h stay.
onnx_gates <- list(lstm = c(1, 4, 2, 3), gru = 1:3, simple_rnn = 1)
onnx_cells <- c(lstm = "LSTM", gru = "GRU", simple_rnn = "RNN")

#' One direction of a recurrent layer: list(sequence (batch, steps, units), states...).
#' @noRd
onnx_recurrent <- function(g, self, x, first, in_order = FALSE) {
  config <- self$config
  kind <- self$kind
  order <- onnx_gates[[kind]]
  blocks <- function(w) t(gates_in_order(as.array(w), order)) # (gates times units, inputs)
  w <- self$weights
  units <- config$units
  size <- length(order) * units
  bias <- if (config$use_bias) as.array(w[[3]]) else numeric(size)
  if (is.null(dim(bias)) || length(dim(bias)) == 1) bias <- rbind(as.vector(bias), 0)
  bias <- cbind(gates_in_order(bias[1, , drop = FALSE], order), gates_in_order(bias[2, , drop = FALSE], order))
  one <- function(m) g$constant(array(m, c(1, dim(m))), self$dtype)
  names <- c(if (!is.null(config$recurrent_activation)) part_name(config$recurrent_activation),
    part_name(config$activation), if (kind == "lstm") part_name(config$activation))
  known <- c(sigmoid = "Sigmoid", tanh = "Tanh", relu = "Relu", hard_sigmoid = "HardSigmoid", softsign = "Softsign",
    softplus = "Softplus", linear = "Affine")
  if (!all(names %in% names(known))) g$refuse("its activation `", setdiff(names, names(known))[1], "` is not exported")
  attributes <- list(hidden_size = as.integer(units), direction = if (config$go_backwards) "reverse" else "forward",
    activations = I(unname(known[names])))
  if (any(names %in% c("hard_sigmoid", "linear"))) attributes <- c(attributes, list(activation_alpha = I(ifelse(names ==
    "hard_sigmoid", 0.2, 1)), activation_beta = I(ifelse(names == "hard_sigmoid", 0.5, 0))))
  if (kind == "gru") attributes$linear_before_reset <- as.integer(config$reset_after)
  states <- vapply(first, function(s) g$add("Unsqueeze", s, int64_of(g, 0)), "")
  # without lengths of sequences
  y <- g$add(onnx_cells[[kind]], onnx_transpose(g, x, c(2, 1, 3)), one(blocks(w[[1]])), one(blocks(w[[2]])),
    g$constant(bias, self$dtype), if (length(states)) c("", states), results = if (kind == "lstm") 3 else 2,
    attributes = attributes)
  squeeze <- function(v, axis) g$add("Squeeze", v, int64_of(g, axis))
  sequence <- onnx_transpose(g, squeeze(y[1], 1), c(2, 1, 3))
  # the format gives the steps in the order of time, a layer in the order of its walk
  if (config$go_backwards && !in_order) sequence <- onnx_slice(g, sequence, -1, 1 - 2^31, 1, -1)
  c(sequence, vapply(y[-1], squeeze, "", 0))
}

recurrent_results <- function(self, all) c(all[if (self$config$return_sequences) 1 else 2],
  if (self$config$return_state) all[-1])

recurrent_rule <- function(g, self, x, from, to, call)
  recurrent_results(self, onnx_recurrent(g, self, x[1], call$first))

# ---- attention ----

onnx_einsum <- function(g, equation, ...) g$add("Einsum", ..., attributes = list(equation = equation))

onnx_heads <- function(g, self, x, from, to, call) {
  config <- self$config
  if (length(call$args) && !all(vapply(call$args, isFALSE, NA))) g$refuse("is called with `", names(call$args)[1],
    "`, which is not exported")
  if (any(lengths(from) != 3) || length(config$output_shape) > 1) g$refuse("with several axes of positions is not ",
    "exported")
  x <- x[c(1, length(x), min(2, length(x)))] # query, keys, values; a call has the values before the keys
  parts <- split(seq_along(self$weights), rep(1:4, each = 1 + config$use_bias))
  project <- function(x, at, equation) {
    y <- onnx_einsum(g, equation, x, weight_of(g, self, at[1]))
    if (length(at) > 1) g$add("Add", y, weight_of(g, self, at[2])) else y
  }
  inner <- Map(project, x, parts[1:3], "btd,dhk->bthk")
  scores <- g$add("Mul", onnx_einsum(g, "bthk,bshk->bhts", inner[[1]], inner[[2]]), number_of(g, self, 1 /
    sqrt(config$key_dim)))
  seen <- onnx_einsum(g, "bhts,bshk->bthk", g$add("Softmax", scores, attributes = list(axis = -1L)), inner[[3]])
  project(seen, parts[[4]], "bthk,hko->bto")
}

onnx_attention <- function(additive) function(g, self, x, from, to, call) {
  config <- self$config
  if (length(call$args) && !all(vapply(call$args, isFALSE, NA))) g$refuse("is called with `", names(call$args)[1],
    "`, which is not exported")
  if (any(lengths(from) != 3) || !additive && config$score_mode != "dot") g$refuse("is used in a way that is not ",
    "exported")
  key <- x[length(x)] # values come before it
  scores <- if (additive) {
    sum <- g$add("Tanh", g$add("Add", g$add("Unsqueeze", x[1], int64_of(g, 2)), g$add("Unsqueeze", key, int64_of(g,
      1))))
    if (config$use_scale) sum <- g$add("Mul", sum, weight_of(g, self, 1))
    g$add("ReduceSum", sum, int64_of(g, -1), attributes = list(keepdims = 0L))
  } else {
    s <- onnx_einsum(g, "btd,bsd->bts", x[1], key)
    if (config$use_scale) g$add("Mul", s, weight_of(g, self, 1)) else s
  }
  onnx_einsum(g, "bts,bsd->btd", g$add("Softmax", scores, attributes = list(axis = -1L)), x[2])
}

# ---- the rules ----

same_rule <- function(g, self, x, from, to, call) x
shape_rule <- function(g, self, x, from, to, call) onnx_reshape(g, x, to[[1]])
join_rule <- function(op) function(g, self, x, from, to, call) {
  if (length(unique(lengths(from))) > 1) g$refuse("joins inputs of different numbers of axes, which is not exported")
  Reduce(function(a, b) g$add(op, a, b), x)
}

onnx_rules <- list(
  dense = function(g, self, x, from, to, call) {
    y <- g$add("MatMul", x, weight_of(g, self, 1))
    if (self$config$use_bias) y <- g$add("Add", y, weight_of(g, self, 2))
    onnx_activate(g, self, y)
  },
  activation = function(g, self, x, from, to, call) onnx_activate(g, self, x),
  activation_relu = function(g, self, x, from, to, call) onnx_relu(g, self, x, self$config$max_value,
    self$config$negative_slope, self$config$threshold),
  activation_leaky_relu = function(g, self, x, from, to, call) g$add("LeakyRelu", x, attributes = list(alpha =
    self$config$alpha)),
  activation_elu = function(g, self, x, from, to, call) g$add("Elu", x, attributes = list(alpha = self$config$alpha)),
  activation_selu = function(g, self, x, from, to, call) g$add("Selu", x),
  activation_softmax = function(g, self, x, from, to, call) g$add("Softmax", x, attributes = list(axis = as.integer(
    self$config$axis))),
  activation_thresholded_relu = function(g, self, x, from, to, call) g$add("ThresholdedRelu", x, attributes = list(
    alpha = self$config$theta)),
  activation_parametric_relu = function(g, self, x, from, to, call) g$add("PRelu", x, weight_of(g, self, 1)),
  identity = same_rule, dropout = same_rule, gaussian_noise = same_rule, gaussian_dropout = same_rule,
  alpha_dropout = same_rule,
  spatial_dropout = same_rule, activity_regularization = same_rule, random_flip = same_rule,
  random_rotation = same_rule, random_zoom = same_rule, random_translation = same_rule, random_contrast = same_rule,
  random_brightness = same_rule, random_height = same_rule, random_width = same_rule, random_saturation = same_rule,
  random_hue = same_rule, random_color_degeneration = same_rule, random_sharpness = same_rule,
  random_grayscale = same_rule, random_invert = same_rule, random_posterization = same_rule,
  random_color_jitter = same_rule, solarization = same_rule, random_erasing = same_rule,
  random_gaussian_blur = same_rule, random_shear = same_rule, random_perspective = same_rule,
  random_elastic_transform = same_rule, mix_up = same_rule, cut_mix = same_rule, rand_augment = same_rule,
  aug_mix = same_rule,
  flatten = function(g, self, x, from, to, call) {
    rank <- length(from[[1]])
    if (rank > 2 && identical(self$config$data_format, "channels_first")) x <- onnx_transpose(g, x, c(1, 3:rank, 2))
    g$add("Flatten", x, attributes = list(axis = 1L))
  },
  reshape = shape_rule,
  permute = function(g, self, x, from, to, call) onnx_transpose(g, x, c(1, self$config$dims + 1)),
  repeat_vector = function(g, self, x, from, to, call) g$add("Tile", g$add("Unsqueeze", x, int64_of(g, 1)),
    int64_of(g, c(1, self$config$n, 1))),
  embedding = function(g, self, x, from, to, call) g$add("Gather", weight_of(g, self, 1), g$add("Cast", x, attributes =
    list(to = 7L)), attributes = list(axis = 0L)),
  rescaling = function(g, self, x, from, to, call) g$add("Add", g$add("Mul", x, g$constant(self$config$scale,
    self$dtype)), g$constant(self$config$offset, self$dtype)),
  conv = function(g, self, x, from, to, call) onnx_activate(g, self, channels_first(g, self, x, length(from[[1]]),
    function(x) onnx_conv(g, self, x, as.array(self$weights[[1]]), onnx_bias(g, self), self$config$groups))),
  depthwise_conv = function(g, self, x, from, to, call) {
    w <- as.array(self$weights[[1]])
    onnx_activate(g, self, channels_first(g, self, x, length(from[[1]]), function(x) onnx_conv(g, self, x,
      depthwise_as_grouped(w), onnx_bias(g, self), dim(w)[length(dim(w)) - 1])))
  },
  separable_conv = function(g, self, x, from, to, call) {
    w <- lapply(self$weights[1:2], as.array)
    onnx_activate(g, self, channels_first(g, self, x, length(from[[1]]), function(x) onnx_conv(g, self, onnx_conv(g,
      self, x, depthwise_as_grouped(w[[1]]), NULL, dim(w[[1]])[length(dim(w[[1]])) - 1]), w[[2]], onnx_bias(g, self),
      1, "valid", 1, 1)))
  },
  conv_transpose = function(g, self, x, from, to, call) {
    config <- self$config
    w <- as.array(self$weights[[1]])
    axes <- length(dim(w)) - 2
    at <- seq_len(axes) + if (config$data_format == "channels_first") 2 else 1
    size <- (known_sizes(g, from[[1]][at]) - 1) * config$strides + (config$kernel_size - 1) * config$dilation_rate + 1
    cut <- pmax(size - to[[1]][at], 0)
    before <- if (config$padding == "same") floor(cut / 2) else 0 * cut
    attributes <- list(strides = I(config$strides), dilations = I(as.integer(rep_len(config$dilation_rate, axes))),
      kernel_shape = I(config$kernel_size), pads = I(as.integer(c(before, cut - before))),
      output_padding = I(as.integer(pmax(to[[1]][at] - size, 0))))
    kernel <- g$constant(aperm(w, c(axes + 2, axes + 1, seq_len(axes))), self$dtype)
    onnx_activate(g, self, channels_first(g, self, x, axes + 2, function(x) g$add("ConvTranspose", x, kernel,
      onnx_bias(g, self), attributes = attributes)))
  },
  max_pooling = pool_rule("MaxPool"), average_pooling = pool_rule("AveragePool"),
  global_max_pooling = global_rule("ReduceMax"), global_average_pooling = global_rule("ReduceMean"),
  zero_padding = function(g, self, x, from, to, call) g$add("Pad", x, int64_of(g, as.vector(onnx_margins(self,
    self$config$padding, length(from[[1]]))))),
  cropping = function(g, self, x, from, to, call) {
    all <- onnx_margins(self, self$config$cropping, length(from[[1]]))
    onnx_slice(g, x, all[, 1], ifelse(all[, 2] > 0, -all[, 2], 2^31 - 1), seq_len(nrow(all)) - 1)
  },
  upsampling = function(g, self, x, from, to, call) onnx_resize(g, self, x, from[[1]], to[[1]],
    identical(self$config$interpolation, "bilinear")),
  resizing = function(g, self, x, from, to, call) {
    if (!self$config$interpolation %in% c("bilinear", "nearest") || isTRUE(self$config$crop_to_aspect_ratio))
      g$refuse("its interpolation is not exported")
    onnx_resize(g, self, x, from[[1]], to[[1]], self$config$interpolation == "bilinear")
  },
  batch_normalization = function(g, self, x, from, to, call) {
    rank <- length(from[[1]])
    axes <- normal_axes(self, from[[1]])
    w <- lapply(utils::tail(self$weights, 2), as.array)
    y <- g$add("Sub", x, along_axes(g, self, w[[1]], axes, rank))
    y <- g$add("Mul", y, along_axes(g, self, 1 / sqrt(w[[2]] + self$config$epsilon), axes, rank))
    scale_and_offset(g, self, y, axes, rank)
  },
  layer_normalization = function(g, self, x, from, to, call) {
    axes <- normal_axes(self, from[[1]])
    scale_and_offset(g, self, onnx_standardize(g, self, x, axes - 1), axes, length(from[[1]]))
  },
  group_normalization = function(g, self, x, from, to, call) {
    shape <- from[[1]]
    rank <- length(shape)
    if (normal_axes(self, shape) != rank) g$refuse("along another axis than the last one is not exported")
    groups <- if (self$config$groups == -1) shape[rank] else self$config$groups
    apart <- onnx_reshape(g, x, c(NA, known_sizes(g, shape[-1])[-(rank - 1)], groups, shape[rank] / groups))
    y <- onnx_standardize(g, self, apart, c(seq_len(rank - 2), rank))
    scale_and_offset(g, self, onnx_reshape(g, y, shape), rank, rank)
  },
  unit_normalization = function(g, self, x, from, to, call) {
    axes <- normal_axes(self, from[[1]]) - 1
    sum <- g$add("ReduceSum", g$add("Mul", x, x), int64_of(g, axes), attributes = list(keepdims = 1L))
    g$add("Div", x, g$add("Sqrt", g$add("Max", sum, number_of(g, self, 1e-12))))
  },
  normalization = function(g, self, x, from, to, call) {
    shape <- normalization_shape(self, from[[1]])
    given <- !is.null(self$config$mean)
    part <- function(k, arg) {
      v <- if (given) self$config[[arg]] else as.array(self$weights[[k]])
      g$constant(array(v, if (length(v) == 1) rep(1, length(from[[1]])) else shape$broadcast), self$dtype)
    }
    deviation <- g$add("Max", g$add("Sqrt", part(2, "variance")), number_of(g, self, 1e-7))
    if (self$config$invert) g$add("Add", g$add("Mul", x, deviation), part(1, "mean")) else
      g$add("Div", g$add("Sub", x, part(1, "mean")), deviation)
  },
  lstm = recurrent_rule, gru = recurrent_rule, simple_rnn = recurrent_rule,
  bidirectional = function(g, self, x, from, to, call) {
    layers <- lapply(unname(self$fields), layer_self)
    if (!all(self_names(layers) != "" & vapply(layers, function(l) l$kind %in% names(onnx_cells), NA)))
      g$refuse("its layers of class ", layers[[1]]$class_name, " are not exported")
    n <- length(call$first) / 2
    halves <- list(call$first[seq_len(n)], call$first[n + seq_len(n)])
    both <- Map(function(layer, first) recurrent_results(layer, onnx_recurrent(g, layer, x[1], first, TRUE)), layers,
      halves)
    y <- vapply(both, `[`, "", 1)
    merged <- if (is.null(self$config$merge_mode)) y else switch(self$config$merge_mode,
      concat = g$add("Concat", y, attributes = list(axis = -1L)), sum = g$add("Add", y), mul = g$add("Mul", y),
      ave = g$add("Mul", g$add("Add", y), number_of(g, self, 0.5)))
    c(merged, both[[1]][-1], both[[2]][-1])
  },
  time_distributed = function(g, self, x, from, to, call) {
    inner <- layer_self(self$config$layer)
    shape <- known_sizes(g, from[[1]][-(1:2)])
    steps <- known_sizes(g, from[[1]][2])
    y <- onnx_layer(g, inner, onnx_reshape(g, x, c(NA, shape)), list(c(NA, shape)), list(to[[1]][-2]))
    g$layer <- self$name
    onnx_reshape(g, y, c(NA, steps, known_sizes(g, to[[1]][-(1:2)])))
  },
  multi_head_attention = onnx_heads, attention = onnx_attention(FALSE), additive_attention = onnx_attention(TRUE),
  add = join_rule("Add"), subtract = join_rule("Sub"), multiply = join_rule("Mul"), maximum = join_rule("Max"),
  minimum = join_rule("Min"),
  average = function(g, self, x, from, to, call) g$add("Div", join_rule("Add")(g, self, x, from, to, call),
    number_of(g, self, length(x))),
  concatenate = function(g, self, x, from, to, call) g$add("Concat", x, attributes = list(axis = as.integer(
    self$config$axis))),
  dot = function(g, self, x, from, to, call) {
    axes <- rep_len(self$config$axes, 2)
    axes <- ifelse(axes < 0, axes + lengths(from), axes)
    if (isTRUE(self$config$normalize)) x <- unlist(Map(function(v, axis) {
      sum <- g$add("ReduceSum", g$add("Mul", v, v), int64_of(g, axis), attributes = list(keepdims = 1L))
      g$add("Div", v, g$add("Sqrt", g$add("Max", sum, number_of(g, self, 1e-12))))
    }, x, axes))
    words <- lapply(1:2, function(k) c("b", if (k == 1) letters[3:8] else letters[10:15])[seq_along(from[[k]])])
    for (k in 1:2) words[[k]][axes[k] + 1] <- "z"
    out <- c("b", setdiff(unlist(words), c("b", "z")))
    y <- onnx_einsum(g, paste0(paste(words[[1]], collapse = ""), ",", paste(words[[2]], collapse = ""), "->", paste(out,
      collapse = "")), x[1], x[2])
    if (length(out) == 1) g$add("Unsqueeze", y, int64_of(g, 1)) else y
  }
)
