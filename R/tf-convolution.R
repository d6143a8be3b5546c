# TensorFlow's names for convolutions: tf$nn$conv2d() and its like.

#' Zeros before and after each axis may be given as a list of pairs, batch and channels included.
#' @noRd
tf_padding <- function(x, n, format, fun = calling_function()) {
  if (!is_branch(x)) return(x)
  pairs <- matrix(check_whole(unlist(x), min = 0, arg = "padding", fun = fun), 2)
  others <- if (format == "channels_last") c(1, n + 2) else 1:2
  if (ncol(pairs) != n + 2 || any(pairs[, others] != 0)) abort("`padding` must be \"SAME\", \"VALID\" or a list of ",
    n + 2, " pairs, those of the batch and the channels 0", fun = fun)
  t(pairs[, -others, drop = FALSE])
}

#' What all have in common: f gets x with its channels last, strides, padding and dilations.
#' @param n spatial axes, NULL for those of the input.
#' @noRd
tf_convolved <- function(input, n, strides, padding, data_format, dilations, f, fun = calling_function()) {
  input <- op_input(input)
  n <- if (is.null(n)) spatial_axes(input) else check_spatial_axes(input, n, fun)
  format <- tf_data_format(data_format, n, fun)
  window <- function(x, arg) if (is.null(x)) rep(1, n) else tf_window(x, n, format, arg, fun)
  with_channels_last(input, format, function(x) f(x, window(strides, "strides"), tf_padding(padding, n, format, fun),
    window(dilations, "dilations")))
}

#' Filters of fewer channels see groups of them.
#' @noRd
tf_conv <- function(n = NULL) {
  force(n)
  function(input, filters, strides, padding, data_format = NULL, dilations = NULL, name = NULL) {
    filters <- op_input(filters)
    tf_convolved(input, n, strides, padding, data_format, dilations, function(x, strides, padding, dilations) {
      own <- utils::tail(shape_of(filters), 2)[1]
      channels <- utils::tail(shape_of(x), 1)
      groups <- if (isTRUE(own > 0 && channels %% own == 0)) max(1, channels / own) else 1
      op_conv(x, filters, strides, padding, NULL, dilations, groups)
    })
  }
}

tf_conv_transpose <- function(n = NULL) {
  force(n)
  function(input, filters, output_shape, strides, padding = "SAME", data_format = NULL, dilations = NULL, name = NULL) {
    shape <- check_whole(output_shape, arg = "output_shape")
    tf_convolved(input, n, strides, padding, data_format, dilations, function(x, strides, padding, dilations) {
      axes <- rank_of(x) - 2
      if (length(shape) != axes + 2) abort("`output_shape` must have ", axes + 2, " sizes, not ", length(shape))
      first <- identical(tf_data_format(data_format, axes), "channels_first")
      op_conv_transpose(x, op_input(filters), strides, padding, dilation_rate = dilations,
        size = shape[seq_len(axes) + if (first) 2 else 1])
    })
  }
}

tf_convolutions <- list(
  conv1d = function(input, filters, stride, padding, data_format = "NWC", dilations = NULL, name = NULL) {
    tf_conv(1)(input, filters, stride, padding, data_format, dilations)
  },
  conv2d = tf_conv(2), conv3d = tf_conv(3),
  convolution = function(input, filters, strides = NULL, padding = "VALID", data_format = NULL, dilations = NULL,
    name = NULL) tf_conv()(input, filters, strides, padding, data_format, dilations),
  conv1d_transpose = tf_conv_transpose(1), conv2d_transpose = tf_conv_transpose(2),
  conv3d_transpose = tf_conv_transpose(3), conv_transpose = tf_conv_transpose(),
  depthwise_conv2d = function(input, filter, strides, padding, data_format = NULL, dilations = NULL, name = NULL) {
    tf_convolved(input, 2, strides, padding, data_format, dilations, function(x, strides, padding, dilations) {
      op_depthwise_conv(x, op_input(filter), strides, padding, NULL, dilations)
    })
  },
  separable_conv2d = function(input, depthwise_filter, pointwise_filter, strides, padding, data_format = NULL,
    dilations = NULL, name = NULL) {
    tf_convolved(input, 2, strides, padding, data_format, dilations, function(x, strides, padding, dilations) {
      op_conv(op_depthwise_conv(x, op_input(depthwise_filter), strides, padding, NULL, dilations),
        op_input(pointwise_filter))
    })
  }
)
