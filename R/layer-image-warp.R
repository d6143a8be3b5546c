# Layers that erase, blur and bend pictures at random in training, and that mix pictures of a batch.

#' Random erasing, blurring and bending
#'
#' Data augmentation, in training alone; in inference pictures are passed on. Each picture is changed with a probability
#' that is uniform between the ends of `factor`; one number f stands for `c(0, f)`.
#'
#' * `layer_random_erasing()`: a rectangle gets other numbers: `fill_value`, or normal ones times the upper end of
#'   `value_range`, cut to that range. Each of its sides is the root of a number between the ends of `scale` times
#'   that of the picture.
#' * `layer_random_gaussian_blur()`: [op_image_gaussian_blur()] with standard deviations between the ends of `sigma`,
#'   the same for all pictures of a batch.
#' * `layer_random_shear()`: rows are moved by a part of their number, and columns: places (u, v) show (u + a v, v + b
#'   u), with a and b between the ends of `x_factor` and `y_factor`, either way. All pictures are changed.
#' * `layer_random_perspective()`: places (u, v) show (u + a (u + v), v + b (u + v)) with a and b up to `scale` either
#'   way, as in Keras.
#' * `layer_random_elastic_transform()`: [op_image_elastic_transform()] with a blur of a twentieth of the smaller side
#'   and distances up to a tenth of it times a number between the ends of `scale`.
#'
#' Shapes: input and output (batch, rows, columns, channels), or without the batch. No weights.
#'
#' @inheritParams layer_random_saturation
#' @param factor,x_factor,y_factor one number from 0 to 1, or two.
#' @param scale a number, or two; see above.
#' @param fill_value a number, or one for each channel; `NULL` for random numbers.
#' @param kernel_size an odd number of rows and columns, or two.
#' @param sigma a number from 0 to 1, or two.
#' @param interpolation,fill_mode see [op_transform_image()].
#' @inherit layer_random_flip return sections
#' @references Zhong et al. (2017), random erasing, <https://arxiv.org/abs/1708.04896>.
#' @seealso [layer_random_flip()], [layer_cut_mix()]
#' @examples
#' set.seed(1)
#' x <- array(100, c(1, 6, 6, 1))
#' as.array(layer_random_erasing(x, c(1, 1), scale = c(0.2, 0.4), fill_value = 0))[1, , , 1]
#' x <- array(rep(1:6, each = 6), c(1, 6, 6, 1))
#' round(as.array(layer_random_shear(x, x_factor = 0.4))[1, , , 1], 1)
#' @export
layer_random_erasing <- function(object, factor = 1, scale = c(0.02, 0.33), fill_value = NULL, value_range = c(0, 255),
  seed = NULL, data_format = NULL, ...) {
  new_layer("random_erasing", object, colour_config(factor = part_ends(factor), scale = part_ends(scale),
    fill_value = if (!is.null(fill_value)) check_reals(fill_value), value_range = value_range, seed = seed,
    data_format = data_format), ...)
}

#' A box in each picture, of parts of its sides: 1 within, 0 outside, and its share of the picture.
#' @noRd
random_boxes <- function(x, down, across) {
  size <- picture_size(x)
  along <- function(n, part, axis) {
    long <- op_multiply(part, n)
    start <- op_multiply(per_pixel(x, c(0, 1)), op_subtract(n, long))
    at <- tensor(array(seq_len(n) - 1, replace(c(1, 1, 1), axis, n)), tensor_dtype(x))
    op_cast(op_logical_and(op_greater_equal(at, start), op_less(at, op_add(start, long))), tensor_dtype(x))
  }
  op_multiply(along(size[1], down, 1), along(size[2], across, 2))
}

erased <- function(x, config) {
  side <- function() op_sqrt(op_add(per_pixel(x, config$scale), op_zeros_like(per_pixel(x, c(0, 1)))))
  box <- random_boxes(x, side(), side())
  channels <- shape_of(x)[rank_of(x)]
  given <- unlist(config$fill_value)
  if (!is.null(given) && !length(given) %in% c(1, channels)) abort("`fill_value` must be a number, or ", channels,
    ", one for each channel, not ", length(given), class = "shape", fun = "layer_random_erasing")
  fill <- if (is.null(given)) op_multiply(op_gaussian_noise(op_zeros_like(op_stop_gradient(x)), 1),
    config$value_range[2]) else tensor(if (length(given) == 1) given else array(given, length(given)), tensor_dtype(x))
  erase <- op_logical_and(op_greater(box, 0.5), chosen_pictures(x, config$factor))
  op_where(erase, clip_range(fill, config$value_range), x)
}
random_erasing_type <- colour_type("RandomErasing", erased)

#' @rdname layer_random_erasing
#' @export
layer_random_gaussian_blur <- function(object, factor = 1, kernel_size = 3, sigma = 1, value_range = c(0, 255),
  data_format = NULL, seed = NULL, ...) {
  kernel_size <- per_spatial_axis(kernel_size, 2)
  if (any(kernel_size %% 2 == 0)) abort("`kernel_size` must be odd, not ", paste(kernel_size, collapse = ", "))
  new_layer("random_gaussian_blur", object, colour_config(factor = part_ends(factor), kernel_size = kernel_size,
    sigma = part_ends(sigma), value_range = value_range, data_format = data_format, seed = seed), ...)
}

random_gaussian_blur_type <- colour_type("RandomGaussianBlur", function(x, config) {
  line <- function(n) {
    ends <- config$sigma + 1e-6
    sigma <- if (ends[1] == ends[2]) tensor(ends[1], tensor_dtype(x)) else op_random_uniform(integer(), ends[1],
      ends[2], tensor_dtype(x))
    w <- op_exp(op_divide(tensor(array(-(seq_len(n) - (n + 1) / 2)^2 / 2, n), tensor_dtype(x)), op_square(sigma)))
    op_divide(w, op_sum(w))
  }
  smooth <- blurred(x, list(line(config$kernel_size[1]), line(config$kernel_size[2])))
  clip_range(op_where(chosen_pictures(x, config$factor), smooth, x), config$value_range)
})

#' @rdname layer_random_erasing
#' @export
layer_random_shear <- function(object, x_factor = 0, y_factor = 0, interpolation = "bilinear", fill_mode = "reflect",
  fill_value = 0, data_format = NULL, seed = NULL, ...) {
  # one number stands for both ways
  signed <- function(f, arg, fun) if (length(f) == 1) c(-1, 1) * part_ends(f, arg = arg, fun = fun)[2] else
    part_ends(f, -1, 1, arg, fun)
  fun <- calling_function(environment())
  new_layer("random_shear", object, c(seen_config(x_factor = signed(x_factor, "x_factor", fun),
    y_factor = signed(y_factor, "y_factor", fun), fill_mode = fill_mode, interpolation = interpolation, seed = seed,
    fill_value = fill_value), list(data_format = if (!is.null(data_format))
    as.character(check_data_format(data_format)))), ...)
}

#' The pictures seen through transforms, by numbers for each.
#' @noRd
seen_by <- function(x, transforms, config) see_images(x, do.call(as_transforms, c(list(x), transforms)),
  picture_size(x), config$interpolation, if (is.null(config$fill_mode)) "constant" else config$fill_mode,
  config$fill_value)

sheared <- function(x, config) {
  way <- 2 * draw_coins(x) - 1
  seen_by(x, list(1, way * draw_per_picture(x, config$x_factor), 0, way * draw_per_picture(x, config$y_factor), 1, 0, 0,
    0), config)
}
random_shear_type <- colour_type("RandomShear", sheared)

#' @rdname layer_random_erasing
#' @export
layer_random_perspective <- function(object, factor = 1, scale = 1, interpolation = "bilinear", fill_value = 0,
  seed = NULL, data_format = NULL, ...) {
  new_layer("random_perspective", object, colour_config(factor = part_ends(factor),
    scale = check_number(scale, min = 0), interpolation = check_choice(interpolation, c("nearest", "bilinear")),
    fill_value = check_number(fill_value),
    seed = seed, data_format = data_format), ...)
}

random_perspective_type <- colour_type("RandomPerspective", function(x, config) {
  ends <- c(-config$scale, config$scale)
  a <- draw_per_picture(x, ends)
  b <- draw_per_picture(x, ends)
  op_where(chosen_pictures(x, config$factor), seen_by(x, list(1 + a, a, 0, b, 1 + b, 0, 0, 0), config), x)
})

#' @rdname layer_random_erasing
#' @export
layer_random_elastic_transform <- function(object, factor = 1, scale = 1, interpolation = "bilinear",
  fill_mode = "reflect", fill_value = 0, value_range = c(0, 255), seed = NULL, data_format = NULL, ...) {
  new_layer("random_elastic_transform", object, colour_config(factor = part_ends(factor), scale = part_ends(scale),
    interpolation = check_choice(interpolation, c("nearest", "bilinear")),
    fill_mode = check_choice(fill_mode, enums$fill_mode), fill_value = check_number(fill_value),
    value_range = value_range, seed = seed, data_format = data_format), ...)
}

random_elastic_transform_type <- colour_type("RandomElasticTransform", function(x, config) {
  small <- min(picture_size(x))
  alpha <- per_pixel(x, config$scale) * (small * 0.1)
  if (is_tensor(alpha) && rank_of(alpha) == 3) alpha <- op_expand_dims(alpha, 1)
  bent <- bent_pictures(x, alpha, max(small * 0.05, 0.1), as.numeric(config$interpolation == "bilinear"),
    config$fill_mode, config$fill_value)
  clip_range(op_where(chosen_pictures(x, config$factor), bent, x), config$value_range)
})

# ---- pictures of a batch ----

#' Mix pictures of a batch
#'
#' In training mixes each picture with another one of its batch, and their labels in the same way; in inference passes
#' both on. `layer_mix_up()`: \eqn{w x + (1 - w) x'}{w x + (1 - w) x'} with one weight w for the batch from the
#' beta distribution with both parameters `alpha`. `layer_cut_mix()`: a box of x' in the place of that of x; its share
#' of the picture, with roots of its sides from a beta distribution with parameters between the ends of `factor`, is the
#' weight of the label of x'.
#'
#' Weights and orders are drawn by R's generator, so these layers work where they are called by hand and in
#' [dataset_map()], on pictures or on `list(images = , labels = )`, whose labels must be one-hot rows; [fit()] of a
#' model that holds one is an error.
#'
#' @inheritParams layer_random_saturation
#' @param object what the layer is put on, or `list(images = , labels = )`.
#' @param alpha a number above 0.
#' @param factor one number from 0 to 1, or two.
#' @return A layer; called, pictures, or a list of `images` and `labels`.
#' @section Errors: `nativenet_error_shape` for an input that is no batch of pictures, and in a program that trains.
#' @references Zhang et al. (2017), mixup, <https://arxiv.org/abs/1710.09412>. Yun et al. (2019), CutMix,
#'   <https://arxiv.org/abs/1905.04899>.
#' @seealso [layer_random_erasing()]
#' @examples
#' set.seed(1)
#' x <- array(rep(c(0, 100), 16), c(2, 4, 4, 1))
#' mixed <- layer_mix_up(alpha = 1)(list(images = x, labels = diag(2)), training = TRUE)
#' as.array(mixed$labels)
#' as.array(layer_cut_mix()(x, training = TRUE))[1, , , 1]
#' @export
layer_mix_up <- function(object, alpha = 0.2, data_format = NULL, seed = NULL, ...) {
  new_layer("mix_up", object, colour_config(alpha = check_number(alpha, above = 0), data_format = data_format,
    seed = seed), ...)
}

#' @rdname layer_mix_up
#' @export
layer_cut_mix <- function(object, factor = 1, seed = NULL, data_format = NULL, ...) {
  new_layer("cut_mix", object, colour_config(factor = part_ends(factor), seed = seed, data_format = data_format), ...)
}

#' @param mix a function of the pictures, the others and the arguments that gives list(pictures, weights of the own).
#' @noRd
mixing_type <- function(class_name, mix) list(
  class_name = class_name,
  several = TRUE,
  training = TRUE,
  call = function(self, x, training) {
    alone <- !is_branch(x)
    if (!alone && !setequal(names(x), c("images", "labels"))) abort("takes pictures, or a list of `images` and ",
      "`labels`, not ", describe(x), fun = self$name)
    images <- whole_as_floats(self, if (alone) x else x$images)
    if (!training || on_trial()) return(if (alone) images else list(images = images, labels = x$labels))
    if (is_tracing()) abort("draws by R's generator which pictures it mixes: call it by hand, or in `dataset_map()`",
      class = "shape", fun = self$name)
    if (rank_of(images) != 4) abort("needs a batch of pictures, not the shape ", format_shape(shape_of(images)),
      class = "shape", fun = self$name)
    n <- shape_of(images)[1]
    order <- array(sample.int(n) - 1L, n)
    w <- NULL
    images <- with_picture_channels_last(images, self$config$data_format, function(images) {
      mixed <- mix(images, op_gather(images, order), self$config)
      w <<- mixed[[2]]
      mixed[[1]]
    })
    if (alone) return(images)
    labels <- whole_as_floats(self, tensor(x$labels))
    w <- tensor(array(w, c(length(w), rep(1, rank_of(labels) - 1))), tensor_dtype(labels))
    list(images = images, labels = labels * w + (1 - w) * op_gather(labels, order))
  }
)

mix_up_type <- mixing_type("MixUp", function(x, others, config) {
  w <- stats::rbeta(1, config$alpha, config$alpha)
  list(x * w + others * (1 - w), w)
})

cut_mix_type <- mixing_type("CutMix", function(x, others, config) {
  n <- shape_of(x)[1]
  size <- picture_size(x)
  alpha <- stats::runif(1, config$factor[1], config$factor[2]) + 1e-6
  part <- sqrt(1 - stats::rbeta(n, alpha, alpha))
  mask <- array(0, c(n, size, 1))
  for (i in seq_len(n)) {
    within <- lapply(size, function(m) {
      start <- stats::runif(1) * m * (1 - part[i])
      at <- seq_len(m) - 1
      at >= start & at < start + m * part[i]
    })
    mask[i, , , 1] <- outer(within[[1]], within[[2]])
  }
  list(op_where(op_greater(tensor(mask, tensor_dtype(x)), 0.5), others, x), 1 - part^2)
})

# ---- chains of changes ----

#' Random chains of changes
#'
#' Data augmentation by several of the other layers: [layer_random_shear()], [layer_random_translation()],
#' [layer_random_rotation()], brightness, [layer_random_color_degeneration()], contrast, [layer_random_sharpness()],
#' [layer_random_posterization()], [layer_solarization()], [layer_auto_contrast()] and [layer_equalization()], each of
#' the strength `factor`. Active in training alone.
#'
#' * `layer_rand_augment()`: `num_ops` of them one after the other, drawn anew for each batch.
#' * `layer_aug_mix()`: `num_chains` chains of up to `chain_depth` of them, mixed by weights of a Dirichlet distribution
#'   with the parameter `alpha`, and the mixture with the picture itself by one of a beta distribution.
#'
#' R draws which of them a batch gets, so that these layers work where they are called by hand and in [dataset_map()];
#' [fit()] of a model that holds one is an error.
#'
#' @inheritParams layer_random_saturation
#' @param num_ops,num_chains,chain_depth whole numbers.
#' @param factor a number from 0 to 1: how strong each of them is.
#' @param alpha a number above 0.
#' @param all_ops `FALSE` to leave out brightness, colour, contrast and sharpness.
#' @param interpolation `"bilinear"` or `"nearest"`.
#' @inherit layer_random_flip return
#' @section Errors: `nativenet_error_shape` for an input of other axes, and in a program that trains.
#' @references Cubuk et al. (2019), RandAugment, <https://arxiv.org/abs/1909.13719>. Hendrycks et al. (2019), AugMix,
#'   <https://arxiv.org/abs/1912.02781>.
#' @seealso [layer_random_flip()], [layer_random_saturation()]
#' @examples
#' set.seed(1)
#' x <- array(runif(2 * 8 * 8 * 3) * 255, c(2, 8, 8, 3))
#' dim(layer_rand_augment(x))
#' dim(layer_aug_mix(x, num_chains = 2))
#' @export
layer_rand_augment <- function(object, value_range = c(0, 255), num_ops = 2, factor = 0.5, interpolation = "bilinear",
  seed = NULL, data_format = NULL, ...) {
  new_layer("rand_augment", object, colour_config(value_range = value_range, num_ops = check_count(num_ops),
    factor = check_number(factor, min = 0, max = 1), interpolation = check_choice(interpolation, c("bilinear",
    "nearest")), seed = seed, data_format = data_format), ...)
}

#' @rdname layer_rand_augment
#' @export
layer_aug_mix <- function(object, value_range = c(0, 255), num_chains = 3, chain_depth = 3, factor = 0.3, alpha = 1,
  all_ops = TRUE, interpolation = "bilinear", seed = NULL, data_format = NULL, ...) {
  new_layer("aug_mix", object, colour_config(value_range = value_range, num_chains = check_count(num_chains),
    chain_depth = check_count(chain_depth), factor = check_number(factor, min = 0, max = 1),
    alpha = check_number(alpha, above = 0), all_ops = check_flag(all_ops),
    interpolation = check_choice(interpolation, c("bilinear", "nearest")), seed = seed, data_format = data_format), ...)
}

#' The changes, by name, as functions of pictures and of the arguments.
#' @noRd
picture_changes <- function(all) {
  k <- NULL # the factor, in the expressions that f() is given
  f <- function(change, ...) {
    more <- eval(substitute(alist(...)))
    function(x, config) {
      k <- config$factor
      own <- lapply(more, eval, list(k = k, range = config$value_range), topenv())
      change(x, utils::modifyList(list(value_range = config$value_range, interpolation = config$interpolation,
        fill_mode = "reflect", fill_value = 0), own))
    }
  }
  c(list(
    shear = f(sheared, x_factor = c(-k, k), y_factor = c(-k, k)),
    translation = f(function(x, c) seen_by(x, list(1, 0, -picture_size(x)[2] * draw_per_picture(x, c$by), 0, 1,
      -picture_size(x)[1] * draw_per_picture(x, c$by), 0, 0), c), by = c(-k, k)),
    rotation = f(function(x, c) seen_by(x, rotation_of(x, draw_per_picture(x, 2 * pi * c$by)), c), by = c(-k, k)),
    posterization = f(posterized, factor = c(1, max(1, floor(8 * k)))),
    solarization = f(solarized, addition_factor = c(0, k), threshold_factor = c(0, k)),
    auto_contrast = f(stretched), equalization = f(equalized)
  ), if (all) list(
    brightness = f(function(x, c) brightened(x, c$by, c$value_range), by = c(-k, k)),
    colour = f(paled, factor = c(0, k)), contrast = f(function(x, c) contrasted(x, c$by, c$value_range), by = c(k, k)),
    sharpness = f(sharpened, factor = c(0, k))
  ))
}

chain_type <- function(class_name, run) list(
  class_name = class_name,
  training = TRUE,
  call = function(self, x, training) {
    x <- as_pictures(self, x)
    if (!training || on_trial()) return(x)
    if (is_tracing()) abort("draws by R's generator what it does: call it by hand, or in `dataset_map()`",
      class = "shape", fun = self$name)
    with_picture_channels_last(x, self$config$data_format, function(x) run(x, self$config))
  }
)

rand_augment_type <- chain_type("RandAugment", function(x, config) {
  changes <- picture_changes(TRUE)
  for (k in sample.int(length(changes), config$num_ops, replace = TRUE)) x <- changes[[k]](x, config)
  x
})

aug_mix_type <- chain_type("AugMix", function(x, config) {
  changes <- c(picture_changes(config$all_ops), list(none = function(x, config) x))
  weights <- stats::rgamma(config$num_chains, config$alpha)
  weights <- weights / sum(weights)
  own <- stats::rbeta(1, config$alpha, config$alpha)
  mixed <- Reduce(op_add, lapply(weights, function(w) {
    y <- x
    for (k in sample.int(length(changes), config$chain_depth, replace = TRUE)) y <- changes[[k]](y, config)
    op_multiply(y, w)
  }))
  clip_range(op_add(op_multiply(x, own), op_multiply(mixed, 1 - own)), config$value_range)
})
