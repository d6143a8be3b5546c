# Ops of pictures under their names in keras3.

#' Pictures under their names in keras3
#'
#' Of a picture (rows, columns, channels) or a batch of them.
#'
#' * `op_image_resize()`: [op_resize()], or cut or framed first so that nothing is stretched;
#' * `op_image_affine_transform()`: [op_transform_image()];
#' * `op_image_crop()`, `op_image_pad()`: rows and columns taken away or added at the edges;
#' * `op_image_extract_patches()`: windows of pictures, the numbers of each as the last axis;
#' * `op_image_rgb_to_grayscale()`: 0.2989 R + 0.587 G + 0.114 B; `op_image_rgb_to_hsv()`, `op_image_hsv_to_rgb()`:
#'   colours from 0 to 1 as hue, saturation and value, and back.
#'
#' @param images a float tensor or array.
#' @param size rows and columns.
#' @param interpolation as `method` of [op_resize()].
#' @param antialias as for [op_resize()].
#' @param crop_to_aspect_ratio,pad_to_aspect_ratio cut, or frame, so that nothing is stretched?
#' @param fill_mode `"constant"`; for `op_image_affine_transform()` as for [op_transform_image()].
#' @param fill_value the number of what is added.
#' @param transform as `transforms` of [op_transform_image()].
#' @param top_cropping,left_cropping,bottom_cropping,right_cropping rows and columns; of those at two opposite edges one
#'   may be `NULL` where the target size is given.
#' @param top_padding,left_padding,bottom_padding,right_padding likewise.
#' @param target_height,target_width rows and columns of the result, `NULL` for what follows.
#' @param strides how far apart windows begin; `NULL` for `size`.
#' @param dilation_rate how far apart the pixels of a window are.
#' @param padding `"valid"` or `"same"`.
#' @param data_format `"channels_last"` or `"channels_first"`; `NULL` for the former.
#' @return A tensor.
#' @seealso [op_resize()], [op_transform_image()]
#' @examples
#' x <- array(runif(48), c(4, 4, 3))
#' dim(op_image_resize(x, c(2, 2)))
#' dim(op_image_extract_patches(array(x, c(1, 4, 4, 3)), c(2, 2))) # 1 2 2 12
#' as.array(op_image_rgb_to_hsv(array(c(1, 0, 0), c(1, 1, 3)))) # 0 1 1
#' @export
op_image_resize <- function(images, size, interpolation = "bilinear", antialias = FALSE, crop_to_aspect_ratio = FALSE,
  pad_to_aspect_ratio = FALSE, fill_mode = "constant", fill_value = 0, data_format = NULL) {
  check_choice(fill_mode, "constant")
  fill_value <- check_number(fill_value)
  check_flag(antialias)
  size <- per_spatial_axis(size, 2)
  crop <- check_flag(crop_to_aspect_ratio)
  frame <- check_flag(pad_to_aspect_ratio)
  if (crop && frame) abort("`crop_to_aspect_ratio` and `pad_to_aspect_ratio` must not both be TRUE")
  of_pictures(images, data_format, function(x) {
    rank <- rank_of(x)
    now <- shape_of(x)[rank - 2:1]
    if (crop) {
      kept <- pmin(now, pmax(1, floor(rev(now) * size / rev(size))))
      x <- op_slice(x, c(rep(1, rank - 3), (now - kept) %/% 2 + 1, 1), c(rep(-1, rank - 3), kept, -1))
    } else if (frame) {
      full <- pmax(now, floor(rev(now) * size / rev(size)))
      before <- (full - now) %/% 2
      x <- op_pad(x, rbind(matrix(0, rank - 3, 2), cbind(before, full - now - before, deparse.level = 0), 0),
        constant_values = fill_value)
    }
    op_resize(x, size, interpolation, antialias)
  })
}

#' With the channels behind; the result likewise as it came.
#' @noRd
of_pictures <- function(x, data_format, f, fun = calling_function()) {
  x <- as_floats(x)
  check_image_axes(x, fun)
  with_picture_channels_last(x, check_data_format(data_format, fun = fun), f)
}

#' As with_channels_last(), but x may be a single picture, without the axis of a batch.
#' @param data_format `NULL` for channels that are last.
#' @noRd
with_picture_channels_last <- function(x, data_format, f) {
  if (!isTRUE(data_format == "channels_first")) return(f(x))
  op_moveaxis(f(op_moveaxis(x, -3, -1)), -1, -3)
}

#' Of pictures, or batches of them, with their channels last: the axes and the numbers of rows and columns.
#' @noRd
picture_axes <- function(x) rank_of(x) - 2:1
picture_size <- function(x) shape_of(x)[picture_axes(x)]

#' @rdname op_image_resize
#' @export
op_image_affine_transform <- function(images, transform, interpolation = "bilinear", fill_mode = "constant",
  fill_value = 0, data_format = NULL) {
  fun <- "op_image_affine_transform"
  of_pictures(images, data_format, function(x) transformed_images(x, transform, NULL, interpolation, fill_mode,
    fill_value, "transform", fun))
}

#' @rdname op_image_resize
#' @export
op_image_crop <- function(images, top_cropping = NULL, left_cropping = NULL, bottom_cropping = NULL,
  right_cropping = NULL, target_height = NULL, target_width = NULL, data_format = NULL) {
  of_pictures(images, data_format, function(x) {
    rank <- rank_of(x)
    now <- shape_of(x)[rank - 2:1]
    rows <- edges_of(top_cropping, bottom_cropping, target_height, now[1], -1, "top_cropping", "bottom_cropping")
    columns <- edges_of(left_cropping, right_cropping, target_width, now[2], -1, "left_cropping", "right_cropping")
    op_slice(x, c(rep(1, rank - 3), rows[1] + 1, columns[1] + 1, 1),
      c(rep(-1, rank - 3), now[1] - sum(rows), now[2] - sum(columns), -1))
  })
}

#' @rdname op_image_resize
#' @export
op_image_pad <- function(images, top_padding = NULL, left_padding = NULL, bottom_padding = NULL, right_padding = NULL,
  target_height = NULL, target_width = NULL, data_format = NULL) {
  of_pictures(images, data_format, function(x) {
    rank <- rank_of(x)
    now <- shape_of(x)[rank - 2:1]
    rows <- edges_of(top_padding, bottom_padding, target_height, now[1], 1, "top_padding", "bottom_padding")
    columns <- edges_of(left_padding, right_padding, target_width, now[2], 1, "left_padding", "right_padding")
    op_pad(x, rbind(matrix(0, rank - 3, 2), rows, columns, 0, deparse.level = 0))
  })
}

#' How much at both edges of an axis, of which one may follow from the size that is wanted.
#' @param sign 1 if it is added, -1 if it is taken away.
#' @noRd
edges_of <- function(before, after, target, now, sign, ..., fun = user_function()) {
  given <- list(before, after)
  known <- !vapply(given, is.null, NA)
  given[known] <- Map(check_count, given[known], min = 0, arg = c(...)[known], fun = list(fun))
  if (is.null(target)) given[!known] <- 0
  else {
    rest <- sign * (check_count(target, arg = "target", fun = fun) - now) - sum(unlist(given[known]))
    if (rest < 0 || all(known) && rest != 0) abort("the edges do not lead from a size of ", now, " to ", target,
      class = "shape", fun = fun)
    given[!known] <- if (any(known)) rest else list(rest %/% 2, rest - rest %/% 2)
  }
  edges <- unlist(given)
  if (sign < 0 && sum(edges) >= now) abort("the edges leave nothing of a size of ", now, class = "shape", fun = fun)
  edges
}

#' @rdname op_image_resize
#' @export
op_image_extract_patches <- function(images, size, strides = NULL, dilation_rate = 1L, padding = "valid",
  data_format = NULL) {
  size <- per_spatial_axis(size, 2)
  strides <- if (is.null(strides)) size else per_spatial_axis(strides, 2)
  of_pictures(images, data_format, function(x) {
    single <- rank_of(x) == 3
    if (single) x <- op_expand_dims(x, 1)
    channels <- shape_of(x)[4]
    n <- prod(size) * channels
    check_room(c(n, n), "size")
    kernel <- array(aperm(array(diag(n), c(channels, rev(size), n)), c(3, 2, 1, 4)), c(size, channels, n))
    y <- op_conv(x, tensor(kernel, tensor_dtype(x)), strides, padding, NULL, dilation_rate, 1)
    if (single) op_squeeze(y, 1) else y
  })
}

#' @rdname op_image_resize
#' @export
op_image_rgb_to_grayscale <- function(images, data_format = NULL) {
  of_pictures(images, data_format, function(x) {
    op_sum(op_multiply(three_channels(x), tensor(c(0.2989, 0.587, 0.114), tensor_dtype(x))), -1, keepdims = TRUE)
  })
}

three_channels <- function(x, fun = user_function()) {
  if (!3 %in% utils::tail(shape_of(x), 1)) abort("`images` must have 3 channels, not shape ", format_shape(shape_of(x)),
    class = "shape", fun = fun)
  x
}

#' @rdname op_image_resize
#' @export
op_image_rgb_to_hsv <- function(images, data_format = NULL) {
  of_pictures(images, data_format, function(x) {
    rgb <- op_unstack(three_channels(x), axis = -1)
    value <- op_max(x, -1)
    range <- op_subtract(value, op_min(x, -1))
    gray <- op_equal(range, 0)
    by <- op_where(gray, 1, range)
    part <- function(a, b, add) op_add(op_divide(op_subtract(rgb[[a]], rgb[[b]]), by), add)
    hue <- op_where(op_equal(value, rgb[[1]]), part(2, 3, 0), op_where(op_equal(value, rgb[[2]]), part(3, 1, 2),
      part(1, 2, 4)))
    hue <- op_where(gray, 0, op_floor_mod(op_multiply(hue, 1 / 6), 1))
    op_stack(list(hue, op_divide_no_nan(range, value), value), -1)
  })
}

#' @rdname op_image_resize
#' @export
op_image_hsv_to_rgb <- function(images, data_format = NULL) {
  of_pictures(images, data_format, function(x) {
    hsv <- op_unstack(three_channels(x), axis = -1)
    strength <- function(at) {
      k <- op_floor_mod(op_add(op_multiply(hsv[[1]], 6), at), 6)
      fade <- op_clip(op_minimum(k, op_subtract(4, k)), 0, 1)
      op_multiply(hsv[[3]], op_subtract(1, op_multiply(hsv[[2]], fade)))
    }
    op_stack(lapply(c(5, 3, 1), strength), -1)
  })
}
