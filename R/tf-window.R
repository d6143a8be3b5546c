# TensorFlow's names for ops of windows over spatial axes: tf$nn$max_pool2d() and its like.

#' TensorFlow names the axes of its inputs by letters, "NHWC" for batch, height, width and channels.
#' @param n spatial axes.
#' @return "channels_last" or "channels_first".
#' @noRd
tf_data_format <- function(x, n, fun = calling_function()) {
  spatial <- c("W", "HW", "DHW")[n]
  last <- paste0("N", spatial, "C")
  if (is.null(x) || check_choice(x, c(last, paste0("NC", spatial)), "data_format", fun) == last) "channels_last" else
    "channels_first"
}

#' Numbers of spatial axes: one for all, one for each, or with 1 for batch and channels, too.
#' @noRd
tf_window <- function(x, n, format, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  x <- check_whole(x, min = 1, arg = arg, fun = fun)
  if (length(x) != n + 2) return(per_spatial_axis(x, n, arg = arg, fun = fun))
  others <- if (format == "channels_last") c(1, n + 2) else 1:2
  if (any(x[others] != 1)) abort("`", arg, "` must be 1 for the batch and the channels, not be ",
    format_shape(x), fun = fun)
  x[-others]
}

#' @param n spatial axes, NULL for those of the input.
#' @noRd
tf_pooling <- function(op, n = NULL) {
  force(op)
  function(input, ksize, strides, padding, data_format = NULL, name = NULL) {
    input <- op_input(input)
    spatial <- if (is.null(n)) spatial_axes(input) else check_spatial_axes(input, n)
    format <- tf_data_format(data_format, spatial)
    op(input, tf_window(ksize, spatial, format), tf_window(strides, spatial, format), padding, format)
  }
}

tf_windows <- list(
  max_pool = tf_pooling(op_max_pool), max_pool1d = tf_pooling(op_max_pool, 1), max_pool2d = tf_pooling(op_max_pool, 2),
  max_pool3d = tf_pooling(op_max_pool, 3), avg_pool = tf_pooling(op_average_pool),
  avg_pool1d = tf_pooling(op_average_pool, 1), avg_pool2d = tf_pooling(op_average_pool, 2),
  avg_pool3d = tf_pooling(op_average_pool, 3),
  pool = function(input, window_shape, pooling_type, strides = NULL, padding = "VALID", data_format = NULL,
    dilations = NULL, name = NULL) {
    op <- list(MAX = op_max_pool, AVG = op_average_pool)[[check_choice(pooling_type, c("MAX", "AVG"))]]
    if (!is.null(dilations) && any(check_whole(dilations) != 1))
      abort("`dilations` must be 1, not ", describe(dilations))
    tf_pooling(op)(input, window_shape, if (is.null(strides)) 1 else strides, padding, data_format)
  },
  max_pool_with_argmax = function(input, ksize, strides, padding, data_format = "NHWC", output_dtype = "int64",
    include_batch_in_index = FALSE, name = NULL) {
    check_choice(data_format, "NHWC")
    at <- tf_pooling(op_max_pool_argmax, 2)(input, ksize, strides, padding, data_format)
    each <- prod(shape_of(op_input(input))[-1])
    if (!check_flag(include_batch_in_index)) at <- op_floor_mod(at, each)
    list(output = tf_pooling(op_max_pool, 2)(input, ksize, strides, padding, data_format),
      argmax = op_cast(at, output_dtype))
  }
)

tf_windows$space_to_depth <- function(input, block_size, data_format = "NHWC", name = NULL)
  op_space_to_depth(op_input(input), block_size, tf_data_format(data_format, 2))
tf_windows$depth_to_space <- function(input, block_size, data_format = "NHWC", name = NULL)
  op_depth_to_space(op_input(input), block_size, tf_data_format(data_format, 2))

tf_image <- list(
  resize = function(images, size, method = "bilinear", preserve_aspect_ratio = FALSE, antialias = FALSE, name = NULL) {
    images <- op_input(images)
    size <- per_spatial_axis(size, 2)
    if (check_flag(preserve_aspect_ratio)) {
      check_image_axes(images)
      own <- picture_size(images)
      size <- round(own * min(size / own))
    }
    op_resize(if (identical(method, "nearest")) images else floats_of(images), size, method, antialias)
  },
  resize_with_pad = function(image, target_height, target_width, method = "bilinear", antialias = FALSE) {
    image <- op_input(image)
    at <- check_image_axes(image) - 2:1
    own <- picture_size(image)
    target <- c(check_count(target_height), check_count(target_width))
    inside <- own / max(own / target)
    lead <- pmax(0, floor((target - inside) / 2))
    inside <- pmax(1, floor(inside))
    y <- op_resize(if (identical(method, "nearest")) image else floats_of(image), inside, method, antialias)
    pad_places(y, at, Map(c, lead, target - inside - lead))
  },
  crop_and_resize = function(image, boxes, box_indices, crop_size, method = "bilinear", extrapolation_value = 0,
    name = NULL) {
    op_cast(op_crop_and_resize(floats_of(op_input(image)), boxes, box_indices, crop_size, method, extrapolation_value),
      "float32")
  }
)
