# Convolutions: one op for one to three axes, and two that solve it for the input and for the kernel, which are its
# derivatives and each other's. Attributes as in src/ops/convolution.h.

#' Convolution ops
#'
#' A convolution over one to three axes, channels last. Along each axis, with strides s, dilations d and b zeros before:
#' \deqn{y_{n, o, f} = a\left(\sum_{k} \sum_{c} x_{n, o s + k d - b, c} W_{k, c, f} + b_f\right)}{
#' y[n, o, f] = a(sum over k and c of x[n, o s + k d - b, c] W[k, c, f] + b[f])}
#' with x = 0 outside. `op_conv_transpose()` gives the x that belongs to a gradient of y, a larger picture from a
#' smaller one (transposed convolution); `op_conv_kernel()` gives the kernel that belongs to x and a gradient of y.
#' `op_depthwise_conv()` sees each channel alone, with one or several filters for each; `op_separable_conv()` then mixes
#' what comes of it.
#'
#' @section Padding: `"valid"`: none. `"same"`: as many zeros as make the output's size that of the input divided by
#'   the stride, rounded up, half of them, rounded down, before. `"causal"`, for one axis: all before, so that no output
#'   sees a later input. Or numbers: zeros before and after, one row of a matrix for each axis.
#' @section Groups: Channels and filters are divided into `groups`; each filter sees the channels of its own group.
#' @section Sizes: That of the output is `(size + padding - dilation (k - 1) - 1) / strides + 1`, rounded down. What
#'   `op_conv_transpose()` gives has the size `size`; by default, as in Keras, the input's times the stride, and as many
#'   more as a kernel larger than the stride reaches beyond where there is no padding; with `output_padding`
#'   `(size - 1) strides + dilation (k - 1) + 1 + output_padding`, less twice half the kernel's reach where the padding
#'   is `"same"`.
#'
#' @param inputs,x a float tensor or array (batch, sizes..., channels). For `op_conv_transpose()` its last axis is the
#'   filters.
#' @param depthwise_kernel,pointwise_kernel for `op_separable_conv()` those of `op_depthwise_conv()` and of the
#'   `op_conv()`
#'   that follows.
#' @param kernel (kernel sizes..., channels / groups, filters); for `op_depthwise_conv()` (kernel sizes..., channels,
#'   filters for each channel).
#' @param bias (filters) or `NULL`.
#' @param strides,dilation_rate positive whole numbers, one or one for each axis.
#' @param padding see below.
#' @param groups a whole number that divides channels and filters; `NULL` for what the kernel's channels tell.
#' @param data_format `"channels_last"`, or `"channels_first"` for channels behind the batch; `NULL` for the former.
#' @param activation,alpha as for [op_dense()].
#' @param output_padding `NULL` or whole numbers, less than the strides: see below.
#' @param size the sizes that come out, `NULL` for those told below; for `op_conv_kernel()` those of the kernel.
#' @param y a float tensor or array (batch, sizes..., filters), as `op_conv()` gives it.
#' @return A float tensor: (batch, sizes..., filters); for `op_conv_transpose()` (batch, sizes..., channels); for
#'   `op_conv_kernel()` (sizes..., channels / groups, filters); for `op_depthwise_conv()` (batch, sizes..., channels
#'   times filters for each), those of one channel side by side.
#' @section Small kernels: Those of 3 x 3, or 3 along one axis, whose strides are 1 and which have at least 16 channels
#'   and filters, are computed in fewer products by Winograd's algorithm. What would be infinite, as an input that it
#'   sees is, may then be `NaN`.
#' @section Errors: `nativenet_error_shape` if channels and axes do not fit, `nativenet_error_value` if sizes, strides
#'   and paddings do not.
#' @references Dumoulin & Visin (2016), a guide to convolution arithmetic, <https://arxiv.org/abs/1603.07285>. Lavin &
#'   Gray (2016), fast algorithms for convolutional neural networks, <https://arxiv.org/abs/1509.09308>.
#' @seealso [layer_conv_2d()], [layer_conv_2d_transpose()], [layer_depthwise_conv_2d()]
#' @examples
#' x <- array(1:6 / 1, c(1, 6, 1)) # one series of six steps
#' difference <- array(c(-1, 1), c(2, 1, 1))
#' c(as.array(op_conv(x, difference)))
#' c(as.array(op_conv(x, difference, padding = "causal")))
#' dim(op_conv_transpose(array(1, c(1, 4, 4, 3)), array(1, c(2, 2, 8, 3)), strides = 2))
#' @export
op_conv <- function(inputs, kernel, strides = 1, padding = "valid", data_format = NULL, dilation_rate = 1,
  groups = NULL, bias = NULL, activation = "linear", alpha = if (activation == "elu") 1 else 0.2) {
  with_channels_last(inputs, check_data_format(data_format), function(x) {
    axes <- check_convolved(x, kernel, "kernel", "op_conv")
    # of a kernel for fewer channels than there are, each group of channels has its part
    groups <- if (is.null(groups)) max(1, shape_of(x)[axes + 2] %/% max(1, shape_of(kernel)[axes + 1])) else
      check_count(groups, fun = "op_conv")
    fused_or_apart(activation, alpha, function(code) {
      window <- conv_window(sizes_between(x), utils::head(shape_of(kernel), axes), strides, padding, dilation_rate,
        fun = "op_conv")
      apply_op("conv", c(list(x, kernel), if (!is.null(bias)) list(bias)), ints = c(groups, code, window),
        reals = alpha)
    }, "op_conv")
  })
}

#' @rdname op_conv
#' @export
op_conv_transpose <- function(inputs, kernel, strides = 1, padding = "valid", output_padding = NULL,
  data_format = NULL, dilation_rate = 1, groups = 1, size = NULL) {
  fun <- "op_conv_transpose"
  with_channels_last(inputs, check_data_format(data_format), function(x) {
    axes <- check_convolved(x, kernel, "kernel", fun)
    k <- utils::head(shape_of(kernel), axes)
    size <- if (is.null(size)) transposed_size(sizes_between(x), k, strides, padding, dilation_rate, output_padding,
      fun) else per_spatial_axis(size, axes, fun = fun)
    window <- conv_window(size, k, strides, padding, dilation_rate, size, fun)
    apply_op("conv_transpose", list(x, kernel), ints = c(check_count(groups, fun = fun), -1, window))
  })
}

#' @rdname op_conv
#' @export
op_conv_kernel <- function(x, y, size, strides = 1, padding = "valid", dilation_rate = 1, groups = 1) {
  axes <- check_convolved(x, y, "y")
  size <- per_spatial_axis(size, axes)
  window <- conv_window(sizes_between(x), size, strides, padding, dilation_rate, size)
  apply_op("conv_kernel", list(x, y), ints = c(check_count(groups), -1, window))
}

#' @rdname op_conv
#' @export
op_depthwise_conv <- function(inputs, kernel, strides = 1, padding = "valid", data_format = NULL, dilation_rate = 1,
  bias = NULL, activation = "linear", alpha = if (activation == "elu") 1 else 0.2) {
  axes <- check_convolved(inputs, kernel, "kernel")
  k <- shape_of(kernel)
  channels <- if (check_data_format(data_format) == "channels_first") 2 else axes + 2
  if (k[axes + 1] != shape_of(inputs)[channels]) abort("the channels of `inputs`, axis ", channels, ", must be the ",
    "kernel's axis before the last: ", format_shape(shape_of(inputs)), " and ", format_shape(k), class = "shape")
  kernel <- op_reshape(as_floats(kernel), c(k[seq_len(axes)], 1, prod(k[axes + 1:2])))
  op_conv(inputs, kernel, strides, padding, data_format, dilation_rate, k[axes + 1], bias, activation, alpha)
}

#' @rdname op_conv
#' @export
op_separable_conv <- function(inputs, depthwise_kernel, pointwise_kernel, strides = 1, padding = "valid",
  data_format = NULL, dilation_rate = 1) {
  y <- op_depthwise_conv(inputs, depthwise_kernel, strides, check_padding(padding), data_format, dilation_rate)
  op_conv(y, pointwise_kernel, data_format = data_format)
}

#' The axes between the batch and the channels, of which both have as many.
#' @noRd
check_convolved <- function(x, other, arg, fun = calling_function()) {
  shape <- shape_of(x)
  axes <- length(shape) - 2
  if (!axes %in% 1:3) abort("`x` must have the axes batch, one to three sizes, and channels, not the shape ",
    format_shape(shape), class = "shape", fun = fun)
  if (rank_of(other) != axes + 2) abort("`", arg, "` must have as many axes as `x` of shape ", format_shape(shape),
    ", not the shape ", format_shape(shape_of(other)), class = "shape", fun = fun)
  axes
}

sizes_between <- function(x) shape_of(x)[seq_len(rank_of(x) - 2) + 1]

#' Of each axis stride, dilation, zeros before and after, and `out`: a size that the op needs to be told.
#' @param x,k sizes of the input and of the kernel.
#' @noRd
conv_window <- function(x, k, strides, padding, dilation_rate, out = 0, fun = calling_function()) {
  strides <- per_spatial_axis(strides, length(x), fun = fun)
  dilation <- per_spatial_axis(dilation_rate, length(x), fun = fun)
  pads <- conv_padding(x, dilation * (k - 1), strides, padding, fun)
  c(rbind(strides, dilation, pads$before, pads$after, out))
}

#' @param reach how much farther than one number the kernel sees.
#' @noRd
conv_padding <- function(x, reach, strides, padding, fun) {
  if (is.numeric(padding) || is_branch(padding)) {
    given <- check_whole(padding, min = 0, fun = fun)
    if (length(given) != 2 * length(x)) abort("`padding` must have two numbers for each axis, before and after, not ",
      length(given), fun = fun)
    given <- if (is_branch(padding)) matrix(given, 2) else t(matrix(given, ncol = 2))
    return(list(before = given[1, ], after = given[2, ]))
  }
  padding <- check_padding(padding, c("valid", "same", if (length(x) == 1) "causal"), fun = fun)
  if (padding == "valid") return(list(before = 0, after = 0))
  if (padding == "causal") return(list(before = reach, after = 0))
  all <- pmax((ceiling(x / strides) - 1) * strides + reach + 1 - x, 0)
  list(before = all %/% 2, after = all - all %/% 2)
}

#' The size of a transposed convolution, as Keras has it.
#' @noRd
transposed_size <- function(x, k, strides, padding, dilation_rate, output_padding, fun = calling_function()) {
  strides <- per_spatial_axis(strides, length(x), fun = fun)
  reach <- per_spatial_axis(dilation_rate, length(x), fun = fun) * (k - 1)
  pads <- conv_padding(x, reach, strides, padding, fun)
  same <- is.character(padding) && tolower(padding) == "same"
  if (is.null(output_padding)) {
    if (is.character(padding)) return(x * strides + if (same) 0 else pmax(reach + 1 - strides, 0))
    return((x - 1) * strides + reach + 1 - pads$before - pads$after)
  }
  output_padding <- per_spatial_axis(output_padding, length(x), min = 0, fun = fun)
  if (any(output_padding >= strides)) abort("`output_padding` must be less than `strides`, ",
    toString(strides), ", not ", toString(output_padding), fun = fun)
  size <- (x - 1) * strides + reach + 1 + output_padding - if (same) 2 * ((reach + 1) %/% 2) else
    pads$before + pads$after
  astray <- same & (size < 1 | ceiling(size / strides) != x)
  if (any(astray, na.rm = TRUE)) abort("`output_padding` of ", toString(output_padding), " asks for an output of size ",
    toString(size), ", which this convolution does not lead to ", toString(x), "; `NULL` makes one of size ",
    toString(x * strides), fun = fun)
  size
}
