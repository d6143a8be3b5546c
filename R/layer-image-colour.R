# Layers that change the colours of pictures, at random in training, or always.

#' Random colours
#'
#' Data augmentation of colours, in training alone; in inference pictures are passed on. Each picture gets random
#' numbers of its own, uniform between two ends; one number f as a `factor` stands for `c(0, f)`. x is a pixel, and
#' numbers lie in `value_range`.
#'
#' * `layer_random_saturation()`: with the factor f, the saturation is multiplied by f / (1 - f): 0 is gray, 0.5 changes
#'   nothing, 1 is full colour;
#' * `layer_random_hue()`: the hue is turned by up to half of the circle of colours times the factor, either way;
#' * `layer_random_color_degeneration()`: \eqn{x + f (g - x)}{x + f (g - x)} with g the gray of the pixel;
#' * `layer_random_sharpness()`: \eqn{x + (1 - 2 f) (b - x)}{x + (1 - 2 f) (b - x)} with b the mean around the pixel, in
#'   which it counts five times and each neighbour once: 0 is blurred, 0.5 changes nothing, 1 is sharpened;
#' * `layer_random_grayscale()`: gray in all channels, with the probability `factor`;
#' * `layer_random_invert()`: the ends of `value_range` together minus x, with a probability between the ends of
#'   `factor`;
#' * `layer_random_posterization()`: a random number of bits, from 1 to below `factor` (or from the first to below the
#'   second of two; two that are the same are that number), stays of the 8 of 0 .. 255;
#' * `layer_random_color_jitter()`: brightness and contrast ([layer_random_contrast()]), saturation and hue one after
#'   the other, those whose factor is given;
#' * `layer_solarization()`: a random part of the range is added to x, which is cut to the range; what is not below a
#'   random threshold is turned into its complement. Without factors, all is.
#'
#' Those of hue, saturation and gray take three channels. Shapes: input and output (batch, rows, columns, channels), or
#' without the batch. No weights.
#'
#' @inheritParams layer_random_flip
#' @param factor one number from 0 to 1, or two; of `layer_random_posterization()` from 1 to 8.
#' @param addition_factor,threshold_factor,saturation_factor,hue_factor one number from 0 to 1, or two.
#' @param brightness_factor as `factor` of [layer_random_brightness()].
#' @param contrast_factor as `factor` of [layer_random_contrast()].
#' @param value_range the smallest and the largest number that a picture may have.
#' @param data_format `"channels_last"` or `"channels_first"`; `NULL` for the former.
#' @inherit layer_random_flip return sections
#' @references Cubuk et al. (2019), AutoAugment, <https://arxiv.org/abs/1805.09501>.
#' @seealso [layer_random_contrast()], [layer_auto_contrast()], [layer_rand_augment()]
#' @examples
#' x <- array(c(255, 100, 0, 50, 20, 200), c(1, 2, 3))
#' as.array(layer_random_saturation(x, c(0.2, 0.2)))
#' as.array(layer_solarization(x))
#' set.seed(1)
#' as.array(layer_random_hue(x, 0.5))
#' @name layer_random_saturation
NULL

#' Two ends from 0 on, from a number or a pair.
#' @noRd
part_ends <- function(x, least = 0, most = 1, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  x <- check_reals(x, arg, fun)
  ends <- if (length(x) == 1) c(least, x) else sort(x)
  if (length(ends) != 2 || any(ends < least | ends > most)) abort("`", arg, "` must be a number, or two, from ", least,
    " to ", most, ", not ", paste(x, collapse = ", "), fun = fun)
  ends
}

check_value_range <- function(x, fun = calling_function()) {
  x <- check_reals(x, "value_range", fun)
  if (length(x) != 2 || x[1] >= x[2]) abort("`value_range` must be two numbers, the smaller first, not ", describe(x),
    fun = fun)
  x
}

#' Numbers between the ends, one for each picture, that meet its pixels.
#' @noRd
per_pixel <- function(x, ends) {
  drawn <- draw_per_picture(x, ends)
  if (is_tensor(drawn)) op_reshape(drawn, c(if (rank_of(x) == 4) -1, 1, 1, 1)) else drawn
}

#' Is each picture chosen, with a probability between the ends?
#' @noRd
chosen_pictures <- function(x, ends) op_less(per_pixel(x, c(0, 1)), per_pixel(x, ends))

#' From the range to another one, or back.
#' @noRd
to_range <- function(x, from, to) if (identical(as.double(from), as.double(to))) x else op_add(op_multiply(x,
  diff(to) / diff(from)), to[1] - from[1] * diff(to) / diff(from))

clip_range <- function(x, range) op_clip(x, range[1], range[2])

#' The type of a layer that changes colours, by a function of pictures with the channels behind and the arguments.
#' @param always in inference, too?
#' @noRd
colour_type <- function(class_name, change, always = FALSE) list(
  class_name = class_name,
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    if (!training && !always) return(x)
    with_picture_channels_last(x, self$config$data_format, function(x) change(x, self$config))
  }
)

colour_config <- function(..., value_range = NULL, data_format = NULL, seed = NULL, fun = calling_function()) list(...,
  value_range = if (!is.null(value_range)) check_value_range(value_range, fun), data_format =
    if (!is.null(data_format)) as.character(check_data_format(data_format, fun = fun)), seed = check_seed(seed,
    fun = fun))

#' @rdname layer_random_saturation
#' @export
layer_random_saturation <- function(object, factor, value_range = c(0, 255), data_format = NULL, seed = NULL, ...) {
  new_layer("random_saturation", object, colour_config(factor = part_ends(factor), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

#' Hue, saturation and value of pictures changed, in the range 0 .. 1.
#' @noRd
with_hsv <- function(x, range, change) {
  hsv <- op_unstack(op_image_rgb_to_hsv(to_range(x, range, c(0, 1))), axis = -1)
  to_range(op_image_hsv_to_rgb(op_stack(change(hsv), -1)), c(0, 1), range)
}

#' Without its last axis of size 1, as one channel has it.
#' @noRd
of_channel <- function(by) if (is_tensor(by)) op_squeeze(by, -1) else by

more_saturated <- function(x, config) {
  f <- of_channel(per_pixel(x, config$factor))
  by <- f / (1 - f + session$epsilon)
  with_hsv(x, config$value_range, function(hsv) list(hsv[[1]], op_clip(hsv[[2]] * by, 0, 1), hsv[[3]]))
}
random_saturation_type <- colour_type("RandomSaturation", more_saturated)

#' @rdname layer_random_saturation
#' @export
layer_random_hue <- function(object, factor, value_range = c(0, 255), data_format = NULL, seed = NULL, ...) {
  new_layer("random_hue", object, colour_config(factor = part_ends(factor), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

turned_hue <- function(x, config) {
  way <- op_subtract(op_multiply(op_floor(op_add(per_pixel(x, c(0, 1)), 0.5)), 2), 1)
  by <- of_channel(op_multiply(op_multiply(way, per_pixel(x, config$factor)), 0.5))
  with_hsv(x, config$value_range, function(hsv) list(op_floor_mod(hsv[[1]] + by, 1), hsv[[2]], hsv[[3]]))
}
random_hue_type <- colour_type("RandomHue", turned_hue)

#' @rdname layer_random_saturation
#' @export
layer_random_color_degeneration <- function(object, factor, value_range = c(0, 255), data_format = NULL, seed = NULL,
  ...) {
  new_layer("random_color_degeneration", object, colour_config(factor = part_ends(factor), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

paled <- function(x, config) clip_range(x + per_pixel(x, config$factor) * (op_image_rgb_to_grayscale(x) - x),
  config$value_range)
random_color_degeneration_type <- colour_type("RandomColorDegeneration", paled)

#' @rdname layer_random_saturation
#' @export
layer_random_sharpness <- function(object, factor, value_range = c(0, 255), data_format = NULL, seed = NULL, ...) {
  new_layer("random_sharpness", object, colour_config(factor = part_ends(factor), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

sharpened <- function(x, config) {
  batch <- if (rank_of(x) == 3) op_expand_dims(x, 1) else x
  channels <- shape_of(batch)[4]
  kernel <- array(rep(c(1, 1, 1, 1, 5, 1, 1, 1, 1) / 13, channels), c(3, 3, channels, 1))
  smooth <- op_depthwise_conv(batch, tensor(kernel, tensor_dtype(x)), 1, "same")
  if (rank_of(x) == 3) smooth <- op_squeeze(smooth, 1)
  clip_range(x + (1 - 2 * per_pixel(x, config$factor)) * (smooth - x), config$value_range)
}
random_sharpness_type <- colour_type("RandomSharpness", sharpened)

#' @rdname layer_random_saturation
#' @export
layer_random_grayscale <- function(object, factor = 0.5, data_format = NULL, seed = NULL, ...) {
  new_layer("random_grayscale", object, colour_config(factor = check_number(factor, min = 0, max = 1),
    data_format = data_format, seed = seed), ...)
}

random_grayscale_type <- colour_type("RandomGrayscale", function(x, config) op_where(chosen_pictures(x,
  rep(config$factor, 2)), op_image_rgb_to_grayscale(x), x))

#' @rdname layer_random_saturation
#' @export
layer_random_invert <- function(object, factor = 1, value_range = c(0, 255), seed = NULL, data_format = NULL, ...) {
  new_layer("random_invert", object, colour_config(factor = part_ends(factor), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

random_invert_type <- colour_type("RandomInvert", function(x, config) op_where(chosen_pictures(x, config$factor),
  sum(config$value_range) - x, x))

#' @rdname layer_random_saturation
#' @export
layer_random_posterization <- function(object, factor, value_range = c(0, 255), data_format = NULL, seed = NULL, ...) {
  factor <- check_whole(factor, 1, 8)
  new_layer("random_posterization", object, colour_config(factor = part_ends(factor, 1, 8), value_range = value_range,
    data_format = data_format, seed = seed), ...)
}

posterized <- function(x, config) {
  ends <- config$factor
  bits <- if (ends[1] == ends[2]) ends[1] else op_floor(per_pixel(x, ends))
  step <- if (is_tensor(bits)) op_exp(op_multiply(op_subtract(8, op_minimum(bits, ends[2] - 1)), log(2))) else
    2^(8 - bits)
  if (is_tensor(step)) step <- op_round(step)
  whole <- op_floor(clip_range(to_range(x, config$value_range, c(0, 255)), c(0, 255)))
  to_range(op_multiply(op_floor(op_divide(whole, step)), step), c(0, 255), config$value_range)
}
random_posterization_type <- colour_type("RandomPosterization", posterized)

#' @rdname layer_random_saturation
#' @export
layer_random_color_jitter <- function(object, value_range = c(0, 255), brightness_factor = NULL, contrast_factor = NULL,
  saturation_factor = NULL, hue_factor = NULL, seed = NULL, data_format = NULL, ...) {
  if (!is.null(brightness_factor)) brightness_factor <- sort(check_reals(brightness_factor))
  if (!is.null(contrast_factor)) contrast_factor <- rep_len(check_reals(contrast_factor), 2)
  if (any(contrast_factor < 0)) abort("`contrast_factor` must be numbers from 0, not ", describe(contrast_factor))
  new_layer("random_color_jitter", object, colour_config(value_range = value_range,
    brightness_factor = if (!is.null(brightness_factor)) factor_ends(brightness_factor),
    contrast_factor = contrast_factor, saturation_factor = if (!is.null(saturation_factor))
      part_ends(saturation_factor), hue_factor = if (!is.null(hue_factor)) part_ends(hue_factor), seed = seed,
    data_format = data_format), ...)
}

brightened <- function(x, factor, range) clip_range(x + per_pixel(x, factor * diff(range)), range)

contrasted <- function(x, factor, range) {
  contrast <- op_random_uniform(integer(), max(0, 1 - factor[1]), 1 + factor[2], tensor_dtype(x))
  middle <- op_mean(x, picture_axes(x), keepdims = TRUE)
  clip_range((x - middle) * contrast + middle, range)
}

random_color_jitter_type <- colour_type("RandomColorJitter", function(x, config) {
  range <- config$value_range
  if (!is.null(config$brightness_factor)) x <- brightened(x, config$brightness_factor, range)
  if (!is.null(config$contrast_factor)) x <- contrasted(x, config$contrast_factor, range)
  own <- function(factor) list(factor = factor, value_range = range)
  if (!is.null(config$saturation_factor)) x <- more_saturated(x, own(config$saturation_factor))
  if (!is.null(config$hue_factor)) x <- turned_hue(x, own(config$hue_factor))
  x
})

#' @rdname layer_random_saturation
#' @export
layer_solarization <- function(object, addition_factor = 0, threshold_factor = 0, value_range = c(0, 255), seed = NULL,
  ...) {
  new_layer("solarization", object, colour_config(addition_factor = part_ends(addition_factor),
    threshold_factor = part_ends(threshold_factor), value_range = value_range, seed = seed), ...)
}

solarized <- function(x, config) {
  y <- op_clip(op_add(to_range(x, config$value_range, c(0, 255)), per_pixel(x, 255 * config$addition_factor)), 0, 255)
  y <- op_where(op_less(y, per_pixel(x, 255 * config$threshold_factor)), y, 255 - y)
  to_range(y, c(0, 255), config$value_range)
}
solarization_type <- colour_type("Solarization", solarized)

# ---- not at random ----

#' Stretched colours
#'
#' In training and in inference. `layer_auto_contrast()` stretches the numbers of each channel of each picture over
#' `value_range`; a channel that is the same everywhere stays as it is. `layer_equalization()` makes all of `bins`
#' ranges of numbers about equally frequent, in each channel, over all pictures of a batch together, as Keras does:
#' with c the share of numbers in no higher range, and the lowest that occurs taken away, x becomes c times the range.
#'
#' Shapes: input and output (batch, rows, columns, channels), or without the batch. No weights.
#'
#' @inheritParams layer_random_saturation
#' @param bins a whole number.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of other axes.
#' @seealso [layer_random_contrast()]
#' @examples
#' x <- array(c(10, 20, 30, 20), c(2, 2, 1))
#' as.array(layer_auto_contrast(x))[, , 1]
#' as.array(layer_equalization(x))[, , 1]
#' @export
layer_auto_contrast <- function(object, value_range = c(0, 255), ...) new_layer("auto_contrast", object,
  list(value_range = check_value_range(value_range)), ...)

stretched <- function(x, config) {
  axes <- picture_axes(x)
  low <- op_min(x, axes, keepdims = TRUE)
  width <- op_subtract(op_max(x, axes, keepdims = TRUE), low)
  flat <- op_equal(width, 0)
  y <- op_add(op_multiply(op_divide(op_subtract(x, low), op_where(flat, 1, width)), diff(config$value_range)),
    config$value_range[1])
  op_where(flat, x, clip_range(y, config$value_range))
}
auto_contrast_type <- colour_type("AutoContrast", stretched, always = TRUE)

#' @rdname layer_auto_contrast
#' @export
layer_equalization <- function(object, value_range = c(0, 255), bins = 256L, data_format = NULL, ...) {
  new_layer("equalization", object, list(value_range = check_value_range(value_range),
    bins = check_count(bins, min = 2), data_format = if (!is.null(data_format))
    as.character(check_data_format(data_format))), ...)
}

equalized <- function(x, config) {
  bins <- if (is.null(config$bins)) 256 else config$bins
  of_one <- function(channel) {
    at <- op_multiply(op_subtract(channel, config$value_range[1]), bins - 1)
    at <- op_clip(op_floor(op_divide(at, diff(config$value_range))), 0, bins - 1)
    at <- op_cast(op_stop_gradient(at), "int32")
    flat <- op_reshape(at, -1)
    count <- op_scatter_add(tensor(array(0, bins), "float32"), flat, op_ones_like(op_cast(flat, "float32")))
    sums <- op_cumsum(count, 1)
    first <- op_min(op_where(op_greater(sums, 0), sums, 1e30))
    rest <- op_subtract(op_max(sums), first)
    table <- op_clip(op_round(op_divide(op_multiply(op_subtract(sums, first), 255), op_maximum(rest, 1))), 0, 255)
    new <- to_range(op_cast(op_gather(table, at), tensor_dtype(x)), c(0, 255), config$value_range)
    op_where(op_greater(rest, 0), new, channel)
  }
  op_stack(lapply(op_unstack(x, axis = -1), of_one), -1)
}
equalization_type <- colour_type("Equalization", equalized, always = TRUE)
