# TensorFlow's functions of pictures, tf$image, besides those that resize (R/tf-window.R): of a picture (rows, columns,
# channels) or a batch of them. Whole numbers are what files hold, 0 .. 255: see R/tf-dtypes.R.

#' f of a picture of floats; of one of 8 bits, whose numbers are divided by 255 before and come back as such.
#' @noRd
on_float_picture <- function(image, f, fun = calling_function()) {
  image <- op_input(image)
  if (is.integer(image)) image <- tensor(image)
  if (!is_tensor(image) || !is_whole_dtype(tensor_dtype(image))) return(f(as_floats(image)))
  if (!is_byte_tensor(image)) refuse_bytes_unknown("image", fun)
  bytes_of(f(op_multiply(op_cast(image, "float32"), 1 / 255)))
}

#' The same numbers in other places: what holds 8 bits still does.
#' @noRd
as_picture_like <- function(y, image) if (is_byte_tensor(image)) mark_bytes(y) else y

moved <- function(image, f) {
  image <- tf_tensor(image)
  check_image_axes(image)
  as_picture_like(f(image), image)
}

cut_picture <- function(x, top, left, height, width) {
  rank <- rank_of(x)
  op_slice(x, c(rep(1, rank - 3), top + 1, left + 1, 1), c(rep(-1, rank - 3), height, width, -1))
}

flipped <- function(axis) {
  force(axis)
  function(image) moved(image, function(x) op_reverse(x, picture_axes(x)[axis]))
}

#' With an even chance for each picture of a batch.
#' @noRd
maybe_flipped <- function(axis) {
  force(axis)
  function(image, seed = NULL) moved(image, function(x) {
    chance <- with_own_seed(seed, if (rank_of(x) == 4) uniform_like(op_cast(row_ones(x), "float32"), 0, 1) else
      op_random_uniform(integer()))
    op_where(op_less(chance, 0.5), op_reverse(x, picture_axes(x)[axis]), x)
  })
}

#' One number between two ends for the whole call.
#' @noRd
draw_between <- function(low, high, seed, dtype) with_own_seed(seed, op_random_uniform(integer(), low, high, dtype))

check_span <- function(lower, upper, least = 0, fun = user_function()) {
  lower <- check_number(lower, min = least, arg = "lower", fun = fun)
  c(lower, check_number(upper, above = lower, arg = "upper", fun = fun))
}

changed_hue <- function(x, delta) {
  with_hsv(x, c(0, 1), function(hsv) list(op_floor_mod(op_add(hsv[[1]], delta), 1), hsv[[2]], hsv[[3]]))
}

changed_saturation <- function(x, factor) {
  with_hsv(x, c(0, 1), function(hsv) list(hsv[[1]], op_clip(op_multiply(hsv[[2]], factor), 0, 1), hsv[[3]]))
}

changed_contrast <- function(x, factor) {
  mean <- op_mean(x, picture_axes(x), keepdims = TRUE)
  op_add(op_multiply(op_subtract(x, mean), factor), mean)
}

#' Colours times a matrix.
#' @noRd
recoloured <- function(m) {
  force(m)
  function(images) {
    x <- three_channels(as_floats(op_input(images)))
    op_matmul(x, tensor(m, tensor_dtype(x)))
  }
}

yiq <- matrix(c(0.299, 0.587, 0.114, 0.59590059, -0.27455667, -0.32134392, 0.2115, -0.52273617, 0.31119955), 3)
yuv <- matrix(c(0.299, 0.587, 0.114, -0.14714119, -0.28886916, 0.43601035, 0.61497538, -0.51496512, -0.10001026), 3)

#' Each channel of a batch of pictures seen through the same kernels: (rows, columns, kernels).
#' @noRd
through_kernels <- function(x, kernels) {
  channels <- utils::tail(shape_of(x), 1)
  kernel <- array(kernels, c(dim(kernels)[1:2], 1, dim(kernels)[3]))
  op_depthwise_conv(x, tensor(kernel[, , rep(1, channels), , drop = FALSE], tensor_dtype(x)), 1, "valid")
}

#' The mean structural similarity of Wang et al. (2004), of windows weighed by a Gaussian.
#' @noRd
ssim_of <- function(a, b, max_val, size, sigma, k1, k2, fun = calling_function()) {
  a <- as_floats(op_input(a))
  b <- as_floats(op_input(b))
  if (check_image_axes(a, fun) == 3) a <- op_expand_dims(a, 1)
  if (check_image_axes(b, fun) == 3) b <- op_expand_dims(b, 1)
  if (any(picture_size(a) < size)) abort("the pictures must have at least ", size, " rows and columns, not ",
    format_shape(picture_size(a)), class = "shape", fun = fun)
  line <- gauss_line(size, sigma)
  blur <- function(x) through_kernels(x, array(outer(line, line), c(size, size, 1)))
  c1 <- (k1 * max_val)^2
  c2 <- (k2 * max_val)^2
  ma <- blur(a)
  mb <- blur(b)
  light <- op_divide(op_add(op_multiply(op_multiply(ma, mb), 2), c1),
    op_add(op_add(op_square(ma), op_square(mb)), c1))
  cross <- op_subtract(blur(op_multiply(a, b)), op_multiply(ma, mb))
  spread <- op_subtract(blur(op_add(op_square(a), op_square(b))), op_add(op_square(ma), op_square(mb)))
  structure <- op_divide(op_add(op_multiply(cross, 2), c2), op_add(spread, c2))
  op_mean(op_multiply(light, structure), c(2, 3, 4))
}

#' Windows that overlap a better one by more than a share of both are left out: rows of boxes, best first, 0-based.
#' @noRd
suppressed <- function(boxes, scores, most, overlap, least, fun = calling_function()) {
  check_not_tracing("how many boxes are left depends on their values")
  boxes <- as.array(tf_value(boxes))
  scores <- as.vector(as.array(tf_value(scores)))
  if (length(dim(boxes)) != 2 || ncol(boxes) != 4 || nrow(boxes) != length(scores)) abort(
    "`boxes` must be a matrix of four columns with a row for each score", class = "shape", fun = fun)
  corner <- cbind(pmin(boxes[, 1], boxes[, 3]), pmin(boxes[, 2], boxes[, 4]), pmax(boxes[, 1], boxes[, 3]),
    pmax(boxes[, 2], boxes[, 4]))
  area <- (corner[, 3] - corner[, 1]) * (corner[, 4] - corner[, 2])
  kept <- integer()
  for (i in order(-scores)) {
    if (length(kept) >= most || scores[i] <= least) break
    both <- pmax(0, pmin(corner[kept, 3], corner[i, 3]) - pmax(corner[kept, 1], corner[i, 1])) *
      pmax(0, pmin(corner[kept, 4], corner[i, 4]) - pmax(corner[kept, 2], corner[i, 2]))
    if (!any(both / (area[kept] + area[i] - both) > overlap, na.rm = TRUE)) kept <- c(kept, i)
  }
  kept
}

#' A part of so many rows, columns ... at a place drawn at random.
#' @noRd
random_part <- function(value, size, seed, fun = calling_function()) {
  x <- tf_tensor(value)
  size <- check_whole(size, min = 0, arg = "size", fun = fun)
  own <- shape_of(x)
  if (length(size) != length(own) || any(size > own)) abort("`size` must have a number for each axis, of at most ",
    format_shape(own), ", not be ", format_shape(size), class = "shape", fun = fun)
  y <- with_own_seed(seed, {
    for (axis in which(size < own)) {
      start <- op_cast(op_floor(op_random_uniform(integer(), 0, own[axis] - size[axis] + 1, "float64")), "int32")
      x <- op_gather(x, op_add(tensor(array(seq_len(size[axis]) - 1L, size[axis])),
        op_minimum(start, as.integer(own[axis] - size[axis]))), axis)
    }
    x
  })
  as_picture_like(y, value)
}

tf_pictures <- list(
  adjust_brightness = function(image, delta) on_float_picture(image, function(x) op_add(x, delta)),
  adjust_contrast = function(images, contrast_factor) on_float_picture(images, function(x) changed_contrast(x,
    contrast_factor)),
  adjust_gamma = function(image, gamma = 1, gain = 1) {
    gamma <- check_number(gamma, min = 0)
    gain <- check_number(gain)
    on_float_picture(image, function(x) op_multiply(op_power(x, gamma), gain))
  },
  adjust_hue = function(image, delta, name = NULL) on_float_picture(image, function(x) changed_hue(x, delta)),
  adjust_saturation = function(image, saturation_factor, name = NULL) on_float_picture(image, function(x)
    changed_saturation(x, saturation_factor)),
  random_brightness = function(image, max_delta, seed = NULL) {
    most <- check_number(max_delta, min = 0)
    on_float_picture(image, function(x) op_add(x, draw_between(-most, most, seed, tensor_dtype(x))))
  },
  random_contrast = function(image, lower, upper, seed = NULL) {
    span <- check_span(lower, upper)
    on_float_picture(image, function(x) changed_contrast(x, draw_between(span[1], span[2], seed, tensor_dtype(x))))
  },
  random_hue = function(image, max_delta, seed = NULL) {
    most <- check_number(max_delta, min = 0, max = 0.5)
    on_float_picture(image, function(x) changed_hue(x, draw_between(-most, most, seed, tensor_dtype(x))))
  },
  random_saturation = function(image, lower, upper, seed = NULL) {
    span <- check_span(lower, upper)
    on_float_picture(image, function(x) changed_saturation(x, draw_between(span[1], span[2], seed, tensor_dtype(x))))
  },
  flip_left_right = flipped(2), flip_up_down = flipped(1),
  random_flip_left_right = maybe_flipped(2), random_flip_up_down = maybe_flipped(1),
  random_crop = function(value, size, seed = NULL, name = NULL) random_part(value, size, seed),
  rot90 = function(image, k = 1, name = NULL) {
    k <- check_count(k, min = -2^31)
    moved(image, function(x) op_rot90(x, k, as.list(picture_axes(x))))
  },
  transpose = function(image, name = NULL) moved(image, function(x) op_swapaxes(x, picture_axes(x)[1],
    picture_axes(x)[2])),
  central_crop = function(image, central_fraction) {
    part <- check_number(central_fraction, above = 0, max = 1)
    moved(image, function(x) {
      own <- picture_size(x)
      start <- trunc((own - own * part) / 2)
      cut_picture(x, start[1], start[2], own[1] - 2 * start[1], own[2] - 2 * start[2])
    })
  },
  crop_to_bounding_box = function(image, offset_height, offset_width, target_height, target_width) {
    at <- c(check_count(offset_height, 0), check_count(offset_width, 0))
    size <- c(check_count(target_height), check_count(target_width))
    moved(image, function(x) {
      if (any(at + size > picture_size(x))) abort("the box of ", format_shape(size), " at ", format_shape(at),
        " does not lie within ", format_shape(picture_size(x)), class = "shape", fun = "tf$image$crop_to_bounding_box")
      cut_picture(x, at[1], at[2], size[1], size[2])
    })
  },
  pad_to_bounding_box = function(image, offset_height, offset_width, target_height, target_width) {
    at <- c(check_count(offset_height, 0), check_count(offset_width, 0))
    size <- c(check_count(target_height), check_count(target_width))
    moved(image, function(x) {
      rest <- size - at - picture_size(x)
      if (any(rest < 0)) abort("a picture of ", format_shape(picture_size(x)), " at ", format_shape(at),
        " does not fit into ", format_shape(size), class = "shape", fun = "tf$image$pad_to_bounding_box")
      pad_places(x, picture_axes(x), Map(c, at, rest))
    })
  },
  resize_with_crop_or_pad = function(image, target_height, target_width) {
    size <- c(check_count(target_height), check_count(target_width))
    moved(image, function(x) {
      over <- size - picture_size(x)
      start <- pmax((-over) %/% 2, 0)
      kept <- pmin(size, picture_size(x))
      y <- cut_picture(x, start[1], start[2], kept[1], kept[2])
      before <- pmax(over %/% 2, 0)
      pad_places(y, picture_axes(y), Map(c, before, size - kept - before))
    })
  },
  grayscale_to_rgb = function(images, name = NULL) moved(images, function(x) op_repeat(x, 3L, rank_of(x))),
  rgb_to_grayscale = function(images, name = NULL) on_float_picture(images, op_image_rgb_to_grayscale),
  rgb_to_hsv = function(images, name = NULL) op_image_rgb_to_hsv(op_input(images)),
  hsv_to_rgb = function(images, name = NULL) op_image_hsv_to_rgb(op_input(images)),
  rgb_to_yiq = recoloured(yiq), yiq_to_rgb = recoloured(solve(yiq)),
  rgb_to_yuv = recoloured(yuv), yuv_to_rgb = recoloured(solve(yuv)),
  per_image_standardization = function(image) {
    x <- floats_of(tf_tensor(image))
    axes <- rank_of(x) - 2:0
    check_image_axes(x)
    spread <- op_maximum(op_std(x, axes, keepdims = TRUE), 1 / sqrt(prod(shape_of(x)[axes])))
    op_divide(op_subtract(x, op_mean(x, axes, keepdims = TRUE)), spread)
  },
  convert_image_dtype = function(image, dtype, saturate = FALSE, name = NULL) convert_picture(image, dtype,
    check_flag(saturate)),
  total_variation = function(images, name = NULL) {
    x <- as_floats(op_input(images))
    rank <- check_image_axes(x)
    steps <- lapply(picture_axes(x), function(axis) op_sum(op_abs(op_diff(x, axis = axis)), rank - 2:0))
    op_add(steps[[1]], steps[[2]])
  },
  image_gradients = function(image) {
    x <- as_floats(op_input(image))
    rank <- check_image_axes(x)
    if (rank != 4) abort("`image` must be a batch of pictures, not of shape ", format_shape(shape_of(x)),
      class = "shape")
    lapply(2:3, function(axis) pad_places(op_diff(x, axis = axis), axis, list(c(0, 1))))
  },
  sobel_edges = function(image) {
    x <- as_floats(op_input(image))
    if (check_image_axes(x) != 4) abort("`image` must be a batch of pictures, not of shape ",
      format_shape(shape_of(x)), class = "shape")
    down <- matrix(c(-1, 0, 1, -2, 0, 2, -1, 0, 1), 3)
    y <- through_kernels(op_pad(x, rbind(0, c(1, 1), c(1, 1), 0), "reflect"), array(c(down, t(down)), c(3, 3, 2)))
    op_reshape(y, c(-1, shape_of(x)[-1], 2))
  },
  extract_patches = function(images, sizes, strides, rates, padding, name = NULL) {
    inner <- lapply(list(sizes = sizes, strides = strides, rates = rates), function(x) {
      x <- check_whole(x, min = 1)
      if (length(x) != 4 || any(x[c(1, 4)] != 1)) abort("`sizes`, `strides` and `rates` must be four numbers, the ",
        "first and the last 1, not ", describe(x), fun = "tf$image$extract_patches")
      x[2:3]
    })
    op_image_extract_patches(op_input(images), inner$sizes, inner$strides, inner$rates, check_padding(padding))
  },
  psnr = function(a, b, max_val, name = NULL) {
    a <- as_floats(op_input(a))
    most <- check_number(max_val, above = 0)
    error <- op_mean(op_square(op_subtract(a, op_input(b))), check_image_axes(a) - 2:0)
    op_subtract(20 * log10(most), op_multiply(op_log(error), 10 / log(10)))
  },
  ssim = function(img1, img2, max_val, filter_size = 11, filter_sigma = 1.5, k1 = 0.01, k2 = 0.03,
    return_index_map = FALSE) {
    if (check_flag(return_index_map)) abort("`return_index_map` must be FALSE", fun = "tf$image$ssim")
    ssim_of(img1, img2, check_number(max_val, above = 0), check_count(filter_size), check_number(filter_sigma,
      above = 0), check_number(k1, min = 0), check_number(k2, min = 0))
  },
  non_max_suppression = function(boxes, scores, max_output_size, iou_threshold = 0.5, score_threshold = -Inf,
    name = NULL) {
    least <- if (identical(score_threshold, -Inf)) -Inf else check_number(score_threshold)
    kept <- suppressed(boxes, scores, check_count(max_output_size, 0), check_number(iou_threshold, 0, 1), least)
    tensor(array(kept - 1L, length(kept)), "int32")
  }
)
