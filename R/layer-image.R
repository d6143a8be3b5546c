# Layers that change pictures (rows, columns, channels), one or a batch of them: to a size, and at random in training.

#' Resizing and cropping layers
#'
#' `layer_resizing()` gives pictures another size, `layer_center_crop()` takes the middle of that size; pictures that
#' are too small for that are resized like `layer_resizing(crop_to_aspect_ratio = TRUE)`.
#'
#' Shapes: input (batch, rows, columns, channels), output (batch, `height`, `width`, channels). Called on arrays and
#' tensors, the layers take one picture (rows, columns, channels), too. Whole numbers become floats. No weights.
#'
#' @inheritParams layer_activation
#' @param height,width rows and columns of the output.
#' @param interpolation the method of [op_resize()].
#' @param crop_to_aspect_ratio `TRUE` cuts the picture to the ratio of `height` and `width` first, evenly at both ends,
#'   so that nothing is stretched.
#' @param pad_to_aspect_ratio `TRUE` fills it up with `fill_value` to that ratio in place of cutting.
#' @param fill_mode must be `"constant"`.
#' @param fill_value a number.
#' @param antialias smooth pictures that become smaller, as [op_resize()] does?
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of other axes.
#' @seealso [op_resize()], [layer_cropping_2d()], [layer_random_crop()], [layer_rescaling()]
#' @examples
#' x <- array(1:24 + 0, c(1, 4, 6, 1))
#' as.array(layer_resizing(x, 2, 3))[1, , , 1]
#' as.array(layer_center_crop(x, 2, 2))[1, , , 1]
#' # pictures of any size for a network of one size
#' digits <- dataset_digits(300, test = 0)$train
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_resizing(14, 14) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, "adam", "sparse_categorical_crossentropy", metrics = "accuracy")
#' x <- array(digits$x / 255, c(300, 28, 28, 1))
#' fit(model, x, digits$y, epochs = 5, verbose = 0)$metrics$accuracy
#' @export
layer_resizing <- function(object, height, width, interpolation = "bilinear", crop_to_aspect_ratio = FALSE,
  pad_to_aspect_ratio = FALSE, fill_mode = "constant", fill_value = 0, antialias = FALSE, ...) {
  if (check_flag(crop_to_aspect_ratio) && check_flag(pad_to_aspect_ratio)) abort("`crop_to_aspect_ratio` and ",
    "`pad_to_aspect_ratio` must not both be TRUE")
  new_layer("resizing", object, list(height = check_count(height), width = check_count(width),
    interpolation = check_choice(interpolation, resize_methods), crop_to_aspect_ratio = crop_to_aspect_ratio,
    pad_to_aspect_ratio = check_flag(pad_to_aspect_ratio), fill_mode = check_choice(fill_mode, "constant"),
    fill_value = check_number(fill_value), antialias = check_flag(antialias)), ...)
}

#' @rdname layer_resizing
#' @export
layer_center_crop <- function(object, height, width, ...) new_layer("center_crop", object,
  list(height = check_count(height), width = check_count(width)), ...)

#' x of floats, checked. A model's input without channels is not taken for one picture of as many rows as the batch.
#' @noRd
as_pictures <- function(self, x) {
  check_image_axes(x, self$name)
  if (rank_of(x) == 3 && on_trial()) abort("needs an input of rows, columns and channels, not of shape ",
    input_shape_text(x), "; `layer_reshape()` adds an axis", class = "shape", fun = self$name)
  whole_as_floats(self, x)
}

#' Rows and columns that pictures are to become.
#' @noRd
layer_size <- function(self) c(self$config$height, self$config$width)

#' The size that starts at `at`, counted from 0.
#' @noRd
cut_pictures <- function(x, at, size) {
  if (all(size == picture_size(x))) return(x)
  batch <- rank_of(x) - 3
  op_slice(x, c(rep(1, batch), at + 1, 1), c(rep(-1, batch), size, -1))
}

#' Cut to the ratio of the new size, evenly at both ends.
#' @noRd
cut_to_ratio <- function(x, size) {
  now <- picture_size(x)
  cut <- pmin(now, floor(rev(now) * size / rev(size)))
  cut_pictures(x, (now - cut) %/% 2, cut)
}

#' Zeros around a picture that has not the ratio of the new size, as many at both ends.
#' @noRd
pad_to_ratio <- function(x, size) {
  now <- picture_size(x)
  more <- pmax(0, floor(rev(now) * size / rev(size)) - now)
  op_pad(x, rbind(c(more[1] %/% 2, more[1] - more[1] %/% 2), c(more[2] %/% 2, more[2] - more[2] %/% 2), 0))
}

# As Keras' smart_resize() does.
resize_to_ratio <- function(x, size, method = "bilinear") op_resize(cut_to_ratio(x, size), size, method)

resizing_type <- list(
  class_name = "Resizing",
  call = function(self, x) {
    x <- as_pictures(self, x)
    config <- self$config
    if (config$crop_to_aspect_ratio && !config$antialias) return(resize_to_ratio(x, layer_size(self),
      config$interpolation))
    op_image_resize(x, layer_size(self), config$interpolation, config$antialias, config$crop_to_aspect_ratio,
      config$pad_to_aspect_ratio, fill_value = config$fill_value)
  }
)

center_crop_type <- list(
  class_name = "CenterCrop",
  call = function(self, x) {
    x <- as_pictures(self, x)
    more <- picture_size(x) - layer_size(self)
    if (any(more < 0)) resize_to_ratio(x, layer_size(self)) else cut_pictures(x, more %/% 2, layer_size(self))
  }
)

# ---- at random: where each picture is seen from ----

#' Random flips, turns, shifts and zooms
#'
#' Data augmentation: in training each picture is seen a little differently each time, mirrored, turned, moved or scaled
#' by random numbers of its own. What shall not matter to a network becomes visible to it. In inference pictures are
#' passed on.
#'
#' The numbers are uniform between two ends. A `factor` is a pair `c(lower, upper)`, or one number f for `c(-f, f)`:
#'
#' * `layer_random_rotation()`: of a full turn; positive ones turn counter-clockwise. `0.1` is up to 36 degrees.
#' * `layer_random_translation()`: of the height and of the width; positive ones move down and right.
#' * `layer_random_zoom()`: the picture shows 1 + factor times as much: positive ones zoom out, negative ones in.
#'   Without `width_factor` the ratio of height and width is kept.
#'
#' `layer_random_flip()` mirrors each picture with the probability 1/2, and both ways independently of each other.
#'
#' Shapes: input and output (batch, rows, columns, channels). Called on arrays and tensors, the layers take one picture
#' (rows, columns, channels), too. Whole numbers become floats. No weights. The mean of the four pixels around a place,
#' or the nearest one, is what is seen there: see [op_transform_image()].
#'
#' @inheritParams layer_resizing
#' @param mode `"horizontal"`, `"vertical"` or `"horizontal_and_vertical"`.
#' @param factor,height_factor,width_factor one number or two, see above.
#' @param fill_mode,interpolation,fill_value see [op_transform_image()]: what lies outside of the picture, and what
#'   between pixels.
#' @param seed ignored; present for compatibility with Keras. [set.seed()] governs the draws.
#' @inherit layer_activation return
#' @section Training: As in Keras, layers that are called by hand, by themselves, in [dataset_map()] or in a model that
#'   is called by hand, do so as in training unless `training = FALSE` is said. [fit()], [evaluate()] and [predict()]
#'   say what it is.
#' @section Errors: `nativenet_error_shape` for an input of other axes.
#' @seealso [layer_random_contrast()], [layer_random_crop()]; [op_transform_image()]; `vignette("images")`.
#' @examples
#' x <- array(1:6 + 0, c(2, 3, 1))
#' set.seed(2)
#' as.array(layer_random_flip(x, "horizontal"))[, , 1]
#' set.seed(1)
#' digits <- dataset_digits(300)
#' augment <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_random_rotation(0.05, fill_mode = "constant") |>
#'   layer_random_zoom(0.1, fill_mode = "constant") |>
#'   layer_random_translation(0.1, 0.1, fill_mode = "constant")
#' # the first one, eight times
#' same <- array(rep(digits$train$x[1, , ], each = 8) / 255, c(8, 28, 28, 1))
#' plot_images(as.array(augment(same))[, , , 1])
#' # the layers are part of a model, where they work in fit() alone
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   augment() |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, "adam", "sparse_categorical_crossentropy", metrics = "accuracy")
#' x <- array(digits$train$x / 255, c(300, 28, 28, 1))
#' fit(model, x, digits$train$y, epochs = 3, verbose = 0)$metrics$accuracy
#' @name layer_random_flip
NULL

#' Two ends from a number or a pair.
#' @param most how far from 0 the ends may be.
#' @noRd
factor_ends <- function(x, most = 1, arg = deparse(substitute(x)), fun = calling_function()) {
  force(arg)
  x <- check_reals(x, arg, fun)
  ends <- if (length(x) == 1 && x >= 0) c(-x, x) else x
  if (length(ends) != 2 || ends[1] > ends[2] || any(abs(ends) > most)) {
    abort("`", arg, "` must be a number from 0, or two in order", if (is.finite(most)) paste(", within", -most, "..",
      most), ", not ", paste(x, collapse = ", "), fun = fun)
  }
  ends
}

#' One number for each picture, uniform between the ends, as a column; a number where they are the same.
#' @noRd
draw_per_picture <- function(x, ends) {
  if (ends[1] == ends[2]) return(ends[1])
  rows <- if (rank_of(x) == 4) op_reshape(row_ones(x), c(-1, 1)) else tensor(matrix(1), tensor_dtype(x))
  uniform_like(rows, ends[1], ends[2])
}

#' Each picture with the probability 1/2: a column of zeros and ones.
#' @noRd
draw_coins <- function(x) op_floor(op_add(draw_per_picture(x, c(0, 1)), 0.5))

#' Rows of transforms, from columns and numbers; one row where there are only numbers.
#' @noRd
as_transforms <- function(x, ...) {
  parts <- list(...)
  known <- !vapply(parts, is_tensor, NA)
  if (all(known)) return(tensor(matrix(unlist(parts), 1), tensor_dtype(x)))
  zeros <- op_multiply(parts[[which(!known)[1]]], 0)
  op_concat(lapply(parts, function(p) if (is_tensor(p)) p else op_add(zeros, p)), 2)
}

#' The type of a layer that looks at pictures through transforms of x, a batch of a size, by `config`.
#' @noRd
seen_type <- function(class_name, transforms) list(
  class_name = class_name,
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    if (!training) return(x)
    seen <- do.call(as_transforms, c(list(x), transforms(x, picture_size(x), self$config)))
    how <- utils::modifyList(list(interpolation = "nearest", fill_mode = "constant", fill_value = 0), self$config)
    see_images(x, seen, picture_size(x), how$interpolation, how$fill_mode, how$fill_value)
  }
)

#' @rdname layer_random_flip
#' @export
layer_random_flip <- function(object, mode = "horizontal_and_vertical", seed = NULL, ...) {
  new_layer("random_flip", object, list(mode = check_choice(mode, c("horizontal", "vertical",
    "horizontal_and_vertical")), seed = check_seed(seed)), ...)
}

random_flip_type <- seen_type("RandomFlip", function(x, size, config) {
  flip <- function(way) if (grepl(way, config$mode)) draw_coins(x) else 0
  across <- flip("horizontal")
  down <- flip("vertical")
  list(1 - 2 * across, 0, (size[2] - 1) * across, 0, 1 - 2 * down, (size[1] - 1) * down, 0, 0)
})

#' The arguments of layers that look beyond the edge.
#' @noRd
seen_config <- function(..., fill_mode, interpolation, seed, fill_value, fun = calling_function()) list(...,
  fill_mode = check_choice(fill_mode, enums$fill_mode, fun = fun),
  interpolation = check_choice(interpolation, c("nearest", "bilinear"), fun = fun), seed = check_seed(seed, fun = fun),
  fill_value = check_number(fill_value, fun = fun))

#' @rdname layer_random_flip
#' @export
layer_random_rotation <- function(object, factor, fill_mode = "reflect", interpolation = "bilinear", seed = NULL,
  fill_value = 0, ...) {
  new_layer("random_rotation", object, seen_config(factor = factor_ends(factor, Inf), fill_mode = fill_mode,
    interpolation = interpolation, seed = seed, fill_value = fill_value), ...)
}

random_rotation_type <- seen_type("RandomRotation", function(x, size, config) rotation_of(x, draw_per_picture(x,
  2 * pi * config$factor)))

#' The transforms that turn pictures around their middle.
#' @noRd
rotation_of <- function(x, angle) {
  size <- picture_size(x)
  c <- cos(angle)
  s <- sin(angle)
  middle <- (size - 1) / 2 # stays where it is
  list(c, -s, middle[2] - (c * middle[2] - s * middle[1]), s, c, middle[1] - (s * middle[2] + c * middle[1]), 0, 0)
}

#' @rdname layer_random_flip
#' @export
layer_random_translation <- function(object, height_factor, width_factor, fill_mode = "reflect",
  interpolation = "bilinear", seed = NULL, fill_value = 0, ...) {
  new_layer("random_translation", object, seen_config(height_factor = factor_ends(height_factor),
    width_factor = factor_ends(width_factor), fill_mode = fill_mode, interpolation = interpolation, seed = seed,
    fill_value = fill_value), ...)
}

random_translation_type <- seen_type("RandomTranslation", function(x, size, config) {
  down <- draw_per_picture(x, config$height_factor)
  right <- draw_per_picture(x, config$width_factor)
  list(1, 0, -size[2] * right, 0, 1, -size[1] * down, 0, 0)
})

#' @rdname layer_random_flip
#' @export
layer_random_zoom <- function(object, height_factor, width_factor = NULL, fill_mode = "reflect",
  interpolation = "bilinear", seed = NULL, fill_value = 0, ...) {
  new_layer("random_zoom", object, seen_config(height_factor = factor_ends(height_factor),
    width_factor = if (!is.null(width_factor)) factor_ends(width_factor), fill_mode = fill_mode,
    interpolation = interpolation, seed = seed, fill_value = fill_value), ...)
}

random_zoom_type <- seen_type("RandomZoom", function(x, size, config) {
  high <- draw_per_picture(x, 1 + config$height_factor)
  wide <- if (is.null(config$width_factor)) high else draw_per_picture(x, 1 + config$width_factor)
  middle <- (size - 1) / 2
  list(wide, 0, middle[2] * (1 - wide), 0, high, middle[1] * (1 - high), 0, 0)
})

# ---- at random: a part, or the colours ----

#' Random crops
#'
#' In training takes a part of the size `height` and `width` at a random place, the same one for all pictures of the
#' batch, as Keras does. In inference, and where pictures are too small, they are resized like
#' `layer_resizing(crop_to_aspect_ratio = TRUE)`.
#'
#' @inheritParams layer_random_flip
#' @param height,width rows and columns of the part.
#' @inherit layer_random_flip return sections details
#' @details Shapes: input (batch, rows, columns, channels), output (batch, `height`, `width`, channels); or without the
#'   batch. No weights.
#' @seealso [layer_center_crop()], [layer_random_translation()]
#' @examples
#' x <- array(1:20 + 0, c(4, 5, 1))
#' set.seed(1)
#' as.array(layer_random_crop(x, 2, 3))[, , 1]
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_random_crop(24, 24) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, "adam", "sparse_categorical_crossentropy", metrics = "accuracy")
#' digits <- dataset_digits(300, test = 0)$train
#' x <- array(digits$x / 255, c(300, 28, 28, 1))
#' fit(model, x, digits$y, epochs = 5, verbose = 0)$metrics$accuracy
#' @export
layer_random_crop <- function(object, height, width, seed = NULL, ...) new_layer("random_crop", object,
  list(height = check_count(height), width = check_count(width), seed = check_seed(seed)), ...)

random_crop_type <- list(
  class_name = "RandomCrop",
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    size <- layer_size(self)
    more <- picture_size(x) - size
    if (!training || any(more < 0)) return(resize_to_ratio(x, size))
    start <- function(most) if (most == 0) 0 else op_floor(op_random_uniform(c(1, 1), 0, most + 1, tensor_dtype(x)))
    see_images(x, as_transforms(x, 1, 0, start(more[2]), 0, 1, start(more[1]), 0, 0), size, "nearest", "constant", 0)
  }
)

#' Random contrast and brightness
#'
#' Data augmentation of colours, in training alone.
#'
#' `layer_random_contrast()` moves the numbers of each channel away from the mean m of that channel in the picture, or
#' towards it:
#' \deqn{y = c (x - m) + m, \quad c \sim U(1 - \mathrm{lower}, 1 + \mathrm{upper})}{y = c (x - m) + m, c uniform
#' between 1 - lower and 1 + upper}
#' with one c for the batch, and cuts the result to 0 .. 255, as Keras does. `layer_random_brightness()` adds a number
#' to each picture, uniform between the ends of `factor` times the width of `value_range`, and cuts to that range.
#'
#' Shapes: input and output (batch, rows, columns, channels), or without the batch. No weights.
#'
#' @inheritParams layer_random_flip
#' @param factor of `layer_random_contrast()`: lower and upper end as `c(lower, upper)`, or one number for both, from 0,
#'   the lower one to 1. Of `layer_random_brightness()`: the ends within -1 .. 1, or one number f for `c(-f, f)`.
#' @param value_range the smallest and the largest number that a picture may have.
#' @inherit layer_random_flip return sections
#' @seealso [layer_random_flip()], [layer_rescaling()]
#' @examples
#' set.seed(1)
#' x <- array(c(0, 100, 200, 100), c(2, 2, 1))
#' as.array(layer_random_contrast(x, 0.5))[, , 1]
#' as.array(layer_random_brightness(x, 0.2))[, , 1]
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_random_brightness(0.1) |>
#'   layer_rescaling(1 / 255) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, "adam", "sparse_categorical_crossentropy", metrics = "accuracy")
#' digits <- dataset_digits(300, test = 0)$train
#' x <- array(digits$x, c(300, 28, 28, 1))
#' fit(model, x, digits$y, epochs = 5, verbose = 0)$metrics$accuracy
#' @export
layer_random_contrast <- function(object, factor, value_range = c(0, 255), seed = NULL, ...) {
  factor <- rep_len(check_reals(factor), max(2, length(factor)))
  if (length(factor) != 2 || any(factor < 0) || factor[1] > 1) abort("`factor` must be a number of 0 .. 1, or two ",
    "from 0, the first one to 1, not ", paste(factor, collapse = ", "))
  new_layer("random_contrast", object, list(factor = factor, value_range = check_value_range(value_range),
    seed = check_seed(seed)), ...)
}

random_contrast_type <- list(
  class_name = "RandomContrast",
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    ends <- self$config$factor
    if (!training) return(x)
    contrast <- op_random_uniform(integer(), 1 - ends[1], 1 + ends[2], tensor_dtype(x))
    middle <- op_mean(x, rank_of(x) - 2:1, keepdims = TRUE)
    op_clip((x - middle) * contrast + middle, self$config$value_range[1], self$config$value_range[2])
  }
)

#' @rdname layer_random_contrast
#' @export
layer_random_brightness <- function(object, factor, value_range = c(0, 255), seed = NULL, ...) {
  value_range <- check_value_range(value_range)
  factor <- sort(check_reals(factor))
  new_layer("random_brightness", object, list(factor = factor_ends(if (length(factor) == 1) abs(factor) else factor,
    arg = "factor"), value_range = value_range, seed = check_seed(seed)), ...)
}

random_brightness_type <- list(
  class_name = "RandomBrightness",
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    if (!training) return(x)
    range <- self$config$value_range
    more <- draw_per_picture(x, self$config$factor * diff(range))
    if (is_tensor(more)) more <- op_reshape(more, c(if (rank_of(x) == 4) -1, 1, 1, 1))
    op_clip(x + more, range[1], range[2])
  }
)

# ---- at random: the size ----

#' Random heights and widths
#'
#' In training give all pictures of a batch another height or width, 1 + r times what it was, with r uniform between the
#' ends of `factor`; in inference pictures are passed on.
#'
#' A program of the engine has tensors of known sizes, so that these layers work where they are called by hand, and in
#' [dataset_map()]; the networks behind them must take pictures of any size. [fit()] of a model that holds one is an
#' error, which says so.
#'
#' @inheritParams layer_random_flip
#' @param factor the ends as `c(lower, upper)`, or one number f for `c(-f, f)`.
#' @param interpolation the method of [op_resize()].
#' @inherit layer_random_flip return
#' @inheritSection layer_random_flip Training
#' @section Errors: `nativenet_error_shape` for an input of other axes, and in a program that trains.
#' @seealso [layer_random_zoom()], [layer_resizing()]
#' @examples
#' set.seed(1)
#' dim(layer_random_height(array(runif(48), c(1, 8, 6, 1)), 0.5))
#' dim(layer_random_width(array(runif(48), c(1, 8, 6, 1)), c(0, 1)))
#' @export
layer_random_height <- function(object, factor, interpolation = "bilinear", seed = NULL, ...) {
  new_layer("random_height", object, list(factor = factor_ends(factor, Inf), interpolation = check_choice(interpolation,
    resize_methods), seed = check_seed(seed)), ...)
}

#' @rdname layer_random_height
#' @export
layer_random_width <- function(object, factor, interpolation = "bilinear", seed = NULL, ...) {
  new_layer("random_width", object, list(factor = factor_ends(factor, Inf), interpolation = check_choice(interpolation,
    resize_methods), seed = check_seed(seed)), ...)
}

random_size_type <- function(class_name, axis) list(
  class_name = class_name,
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    if (!training) return(x)
    if (is_tracing()) abort("changes the size of pictures, which is fixed in a program: call it by hand, or take `",
      "layer_random_zoom()`", class = "shape", fun = self$name)
    ends <- 1 + self$config$factor
    size <- picture_size(x)
    size[axis] <- max(1, floor(size[axis] * stats::runif(1, ends[1], ends[2])))
    op_resize(x, size, self$config$interpolation)
  }
)
random_height_type <- random_size_type("RandomHeight", 1)
random_width_type <- random_size_type("RandomWidth", 2)
