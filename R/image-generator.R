# Batches of pictures changed at random: what is drawn, in R's numbers, and how a whole batch is changed by it, by ops.

#' Generate batches of changed pictures
#'
#' Describes how pictures are turned, moved, scaled, mirrored and coloured at random, and how their numbers are
#' normalized. [flow_images_from_data()], [flow_images_from_directory()] and [flow_images_from_dataframe()] give batches
#' of pictures that are changed so.
#'
#' Each picture has random numbers of its own, uniform between their ends. Seen at row y and column x of the result,
#' both counted from the middle of the picture, is what was at
#' \deqn{\begin{pmatrix} x' \\ y' \end{pmatrix} = R(\theta) \left( \begin{pmatrix} t_x \\ t_y \end{pmatrix} +
#' \begin{pmatrix} 1 & -\sin s \\ 0 & \cos s \end{pmatrix} \begin{pmatrix} z_x x \\ z_y y \end{pmatrix} \right)}{
#' (x', y') = R(theta) ((tx, ty) + (zx x - sin(s) zy y, cos(s) zy y))}
#' with a turn R by the angle \eqn{\theta}{theta}, shear s and zoom \eqn{z_x, z_y}{zx, zy}, all bilinear as in
#' [op_transform_image()]. After that come, in this order: `channel_shift_range`, which adds a number and cuts to the
#' smallest and largest number of the picture; flips, each with the probability 1/2; `brightness_range`, which
#' multiplies whole numbers of 0 .. 255; and then, without chance, `preprocessing_function`, `rescale`, and
#' \deqn{(x - m) / (s + 10^{-6})}{(x - m) / (s + 1e-6)}
#' with the mean m and the standard deviation s of the picture (`samplewise_...`), and those of each channel in the data
#' that [fit_image_data_generator()] was given (`featurewise_...`).
#'
#' @param featurewise_center,featurewise_std_normalization subtract the mean of each channel in the data, divide by its
#'   standard deviation?
#' @param samplewise_center,samplewise_std_normalization the same for each picture.
#' @param zca_whitening,zca_epsilon multiply pictures by the matrix that makes the numbers of the data uncorrelated?
#' @param rotation_range degrees, for angles of both signs.
#' @param width_shift_range,height_shift_range below 1 a part of the width or height, else pixels; a whole number `nL`
#'   for a shift of 0 to n - 1 pixels, either way; several numbers to choose one of, either way.
#' @param brightness_range two numbers to draw a factor between.
#' @param shear_range degrees, for angles of both signs.
#' @param zoom_range z for factors between 1 - z and 1 + z, or these two; greater ones show more.
#' @param channel_shift_range how much is added or subtracted at most.
#' @param fill_mode,cval what lies outside of a picture: `"nearest"`, `"constant"` (the number `cval`), `"reflect"` or
#'   `"wrap"`, see [op_transform_image()].
#' @param horizontal_flip,vertical_flip mirror pictures?
#' @param rescale a factor of all numbers, such as 1 / 255.
#' @param preprocessing_function a function of an array of one picture that gives an array of the same shape.
#' @param data_format `"channels_last"`; or `"channels_first"` for (batch, channels, rows, columns).
#' @param validation_split the part of the data that is `subset = "validation"`, the first of them.
#' @param interpolation_order 1, or 0 for the nearest pixel.
#' @param dtype `"float32"` or `"float64"`.
#' @return A description, with the members `$flow()`, `$flow_from_directory()`, `$flow_from_dataframe()`, `$fit()`,
#'   `$standardize()` and `$random_transform()`, and, once it was fitted, `$mean` and `$std`.
#' @section Differences to Keras: Pictures that are not square are turned about their middle, `width_shift_range` moves
#'   along the width and `height_shift_range` along the height, as Keras documents it; Keras 2.15 confuses the two axes.
#'   Random numbers are R's.
#' @section Warnings: `nativenet_warning_images` where statistics are wanted, but the generator was not fitted: numbers
#'   are then left as they are.
#' @seealso [layer_random_flip()] and its like, which are part of a model.
#' @examples
#' set.seed(1)
#' augment <- image_data_generator(rotation_range = 20, width_shift_range = 0.1, zoom_range = 0.2)
#' x <- array(rep(dataset_digits(1, test = 0)$train$x, each = 8), c(8, 28, 28, 1))
#' batches <- flow_images_from_data(x, generator = augment, batch_size = 8)
#' plot_images(generator_next(batches)[, , , 1])
#' @export
image_data_generator <- function(featurewise_center = FALSE, samplewise_center = FALSE,
  featurewise_std_normalization = FALSE, samplewise_std_normalization = FALSE, zca_whitening = FALSE,
  zca_epsilon = 1e-06, rotation_range = 0, width_shift_range = 0, height_shift_range = 0, brightness_range = NULL,
  shear_range = 0, zoom_range = 0, channel_shift_range = 0, fill_mode = "nearest", cval = 0, horizontal_flip = FALSE,
  vertical_flip = FALSE, rescale = NULL, preprocessing_function = NULL, data_format = NULL, validation_split = 0,
  interpolation_order = 1, dtype = NULL) {
  self <- new.env(parent = emptyenv())
  for (arg in c("featurewise_center", "samplewise_center", "featurewise_std_normalization",
    "samplewise_std_normalization", "zca_whitening", "horizontal_flip", "vertical_flip"))
    assign(arg, check_flag(get(arg), arg), self)
  for (arg in c("rotation_range", "shear_range", "channel_shift_range"))
    assign(arg, check_number(get(arg), min = 0, arg = arg), self)
  self$zca_epsilon <- check_number(zca_epsilon, min = 0, max = 1)
  self$width_shift_range <- check_shift(width_shift_range)
  self$height_shift_range <- check_shift(height_shift_range)
  zoom <- check_reals(zoom_range)
  self$zoom_range <- check_ends(if (length(zoom) == 1) 1 + c(-zoom, zoom) else zoom, "zoom_range")
  if (!is.null(brightness_range)) self$brightness_range <- check_ends(check_reals(brightness_range), "brightness_range")
  self$fill_mode <- check_choice(fill_mode, enums$fill_mode)
  self$cval <- check_number(cval)
  self$rescale <- if (!is.null(rescale)) check_number(rescale)
  self$preprocessing_function <- if (!is.null(preprocessing_function)) check_function(preprocessing_function, takes = 1)
  self$data_format <- check_data_format(data_format)
  self$validation_split <- if (is.null(validation_split)) 0 else check_number(validation_split, min = 0, below = 1)
  self$interpolation_order <- check_count(interpolation_order, 0, 1)
  self$dtype <- if (is.null(dtype)) "float32" else check_choice(dtype, float_dtypes)
  # as Keras: the mean goes before the deviation
  self$featurewise_center <- self$featurewise_center || self$featurewise_std_normalization || self$zca_whitening
  self$samplewise_center <- self$samplewise_center || self$samplewise_std_normalization
  structure(self, class = "nn_image_generator")
}

check_shift <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.integer(x) && length(x) == 1) return(check_count(x, min = 0, arg = arg, fun = fun))
  numbers <- check_reals(x, arg, fun)
  if (!length(numbers) || length(numbers) == 1 && numbers < 0) abort("`", arg,
    "` must be a number from 0, or several to choose from, not ", describe(x), fun = fun)
  numbers
}

check_ends <- function(x, arg, fun = calling_function()) {
  if (length(x) == 2 && all(x >= 0) && x[1] <= x[2]) return(x)
  abort("`", arg, "` must be two numbers in order", if (arg == "zoom_range") ", or one from 0 to 1", ", not ",
    paste(x, collapse = ", "), fun = fun)
}

check_image_generator <- function(x, arg = "generator", fun = calling_function()) {
  if (inherits(x, "nn_image_generator")) return(x)
  abort("`", arg, "` must be what `image_data_generator()` makes, not ", describe(x), fun = fun)
}

# Python's spelling.
image_generator_methods <- list(
  flow = function(self, x, ...) flow_images_from_data(x, ..., generator = self),
  flow_from_directory = function(self, directory, ...) flow_images_from_directory(directory, self, ...),
  flow_from_dataframe = function(self, dataframe, ...) flow_images_from_dataframe(dataframe, ..., generator = self),
  fit = function(self, x, ...) fit_image_data_generator(self, x, ...),
  standardize = function(self, x) on_one_picture(self, x, standardize_pictures),
  random_transform = function(self, x, seed = NULL) with_seed(seed, on_one_picture(self, x, transform_pictures))
)

#' @export
`$.nn_image_generator` <- function(x, name) {
  method <- image_generator_methods[[name]]
  if (is.null(method)) .subset2(x, name) else function(...) method(x, ...)
}

#' @export
print.nn_image_generator <- function(x, ...) {
  changed <- c(x$rotation_range, max(abs(x$width_shift_range)), max(abs(x$height_shift_range)), x$shear_range,
    x$channel_shift_range)
  names(changed) <- c("rotation", "width shift", "height shift", "shear", "channel shift")
  parts <- sprintf("%s %g", names(changed), changed)[changed > 0]
  if (any(x$zoom_range != 1)) parts <- c(parts, sprintf("zoom %g .. %g", x$zoom_range[1], x$zoom_range[2]))
  if (length(x$brightness_range)) parts <- c(parts, sprintf("brightness %g .. %g", x$brightness_range[1],
    x$brightness_range[2]))
  parts <- c(parts, c("horizontal flip", "vertical flip")[c(x$horizontal_flip, x$vertical_flip)],
    if (!is.null(x$rescale)) sprintf("rescale %.4g", x$rescale))
  cat("<image data generator> ", if (length(parts)) paste(parts, collapse = ", ") else "pictures as they are", "\n",
    sep = "")
  invisible(x)
}

# ---- what is drawn ----

#' Random numbers for n pictures of a size: a list of vectors. Those of the geometry come first, so that generators of
#' the same seed turn and move alike whatever else they do.
#' @noRd
draw_changes <- function(self, n, size) {
  between <- function(ends) stats::runif(n, ends[1], ends[2])
  both <- function(range) if (range > 0) between(c(-range, range)) else rep(0, n)
  shift <- function(range, cells) {
    if (identical(range, 0L) || identical(range, 0)) return(rep(0, n))
    from <- if (is.integer(range)) seq_len(range) - 1 else range
    moved <- if (is.double(range) && length(range) == 1) both(range) else
      from[sample.int(length(from), n, replace = TRUE)] * sample(c(-1, 1), n, replace = TRUE)
    if (max(range) < 1) moved * cells else moved
  }
  coin <- function(wanted) if (wanted) stats::runif(n) < 0.5 else logical(n)
  list(
    angle = both(self$rotation_range) * pi / 180,
    down = shift(self$height_shift_range, size[1]),
    right = shift(self$width_shift_range, size[2]),
    shear = both(self$shear_range) * pi / 180,
    wide = if (all(self$zoom_range == 1)) rep(1, n) else between(self$zoom_range),
    high = if (all(self$zoom_range == 1)) rep(1, n) else between(self$zoom_range),
    across = coin(self$horizontal_flip),
    upside = coin(self$vertical_flip),
    shift = if (self$channel_shift_range > 0) both(self$channel_shift_range),
    brightness = if (!is.null(self$brightness_range)) between(self$brightness_range)
  )
}

#' The rows of op_transform_image() for what was drawn.
#' @noRd
change_matrix <- function(d, size) {
  c <- cos(d$angle)
  s <- sin(d$angle)
  lean <- -sin(d$shear) * d$high
  tall <- cos(d$shear) * d$high
  middle <- (size[2:1] - 1) / 2
  a <- list(c * d$wide, c * lean - s * tall, s * d$wide, s * lean + c * tall)
  x <- middle[1] + c * d$right - s * d$down - a[[1]] * middle[1] - a[[2]] * middle[2]
  y <- middle[2] + s * d$right + c * d$down - a[[3]] * middle[1] - a[[4]] * middle[2]
  # what is mirrored afterwards is looked up from the other side
  across <- 1 - 2 * d$across
  upside <- 1 - 2 * d$upside
  x <- x + d$across * a[[1]] * (size[2] - 1) + d$upside * a[[2]] * (size[1] - 1)
  y <- y + d$across * a[[3]] * (size[2] - 1) + d$upside * a[[4]] * (size[1] - 1)
  cbind(a[[1]] * across, a[[2]] * upside, x, a[[3]] * across, a[[4]] * upside, y, 0, 0)
}

# ---- how a batch is changed ----

#' x: a tensor of pictures, channels last.
#' @noRd
transform_pictures <- function(self, x) {
  size <- picture_size(x)
  drawn <- draw_changes(self, shape_of(x)[1], size)
  x <- seen_through(self, x, change_matrix(drawn, size), size)
  each <- function(v) tensor(array(v, c(length(v), 1, 1, 1)), tensor_dtype(x))
  ends <- function(x) list(low = op_min(x, 2:4, keepdims = TRUE), high = op_max(x, 2:4, keepdims = TRUE))
  if (!is.null(drawn$shift)) {
    own <- ends(x)
    x <- op_minimum(op_maximum(op_add(x, each(drawn$shift)), own$low), own$high)
  }
  if (is.null(drawn$brightness)) return(x)
  # as Pillow: of bytes, which numbers beyond 0 .. 255 become first
  own <- ends(x)
  low <- as.array(own$low)
  high <- as.array(own$high)
  beyond <- low < 0 | high > 255
  low <- each(ifelse(beyond, low, 0))
  width <- each(ifelse(beyond, pmax(high - as.array(low), 1e-30), 255) / 255)
  bytes <- op_floor(op_divide(op_subtract(x, low), width))
  bright <- op_floor(op_clip(op_multiply(bytes, each(drawn$brightness)), 0, 255))
  op_add(op_multiply(bright, width), low)
}

seen_through <- function(self, x, matrix, size) {
  if (all(matrix == rep(c(1, 0, 0, 0, 1, 0, 0, 0), each = nrow(matrix)))) return(x)
  transforms <- tensor(matrix, tensor_dtype(x))
  look <- function(x, fill) see_images(x, transforms, size, if (self$interpolation_order) "bilinear" else "nearest",
    self$fill_mode, fill)
  y <- look(x, self$cval)
  if (self$fill_mode != "constant") return(y)
  # what lies between the edge and beyond is beyond, as in SciPy: nothing is blended with `cval`
  whole <- look(op_ones_like(op_slice(x, rep(1, 4), c(-1, -1, -1, 1))), 0)
  op_where(op_greater(whole, 0.999), y, self$cval)
}

#' x: a tensor of pictures, channels last.
#' @noRd
standardize_pictures <- function(self, x) {
  x <- preprocess_pictures(self, x)
  if (!is.null(self$rescale) && self$rescale != 0) x <- op_multiply(x, self$rescale)
  if (self$samplewise_center) x <- op_subtract(x, op_mean(x, 2:4, keepdims = TRUE))
  if (self$samplewise_std_normalization) x <- op_divide(x, op_add(deviation(x, 2:4), 1e-6))
  own <- function(name, wanted, f) {
    if (!wanted) return(x)
    if (!is.null(.subset2(self, name))) return(f(tensor(.subset2(self, name), tensor_dtype(x))))
    warn("`image_data_generator()`: ", wanted_by[[name]], " asks for the statistics of data: ",
      "`fit_image_data_generator()` computes them; without, numbers are left as they are", class = "images")
    x
  }
  x <- own("mean", self$featurewise_center, function(m) op_subtract(x, m))
  x <- own("std", self$featurewise_std_normalization, function(s) op_divide(x, op_add(s, 1e-6)))
  own("zca_whitening_matrix", self$zca_whitening, function(w) {
    if (shape_of(w)[1] != prod(shape_of(x)[-1])) abort("the generator was fitted to pictures of another size",
      class = "shape", fun = "image_data_generator")
    op_reshape(op_matmul(flat_pictures(x), w), shape_of(x))
  })
}

wanted_by <- c(mean = "`featurewise_center`", std = "`featurewise_std_normalization`",
  zca_whitening_matrix = "`zca_whitening`")

deviation <- function(x, axes) op_sqrt(op_mean(op_square(op_subtract(x, op_mean(x, axes, keepdims = TRUE))), axes,
  keepdims = TRUE))

#' Pictures as rows.
#' @noRd
flat_pictures <- function(x) op_reshape(x, c(shape_of(x)[1], -1))

preprocess_pictures <- function(self, x) {
  f <- self$preprocessing_function
  if (is.null(f)) return(x)
  first <- self$data_format == "channels_first"
  turned <- function(x, axes) if (first) aperm(x, axes) else x
  pictures <- lapply(seq_len(shape_of(x)[1]), function(i) {
    before <- as.array(slice_rows(x, i, drop = TRUE))
    after <- f(turned(before, c(3, 1, 2)))
    if (is_tensor(after)) after <- as.array(after)
    after <- if (is.numeric(after) && length(dim(after)) == 3) turned(after, c(2, 3, 1)) else after
    if (!identical(dim(after), dim(before))) abort("`preprocessing_function` must give an array of the shape of its ",
      "argument, ", format_shape(dim(before)), ", not ", describe(after), class = "shape", fun = "image_data_generator")
    tensor(after, tensor_dtype(x))
  })
  op_stack(pictures, 1)
}

#' f of one picture, array or tensor.
#' @noRd
on_one_picture <- function(self, x, f, fun = calling_function()) on_pictures(x, "x", self$data_format, function(x)
  f(self, x), fun)

#' Fit a generator of pictures to data
#'
#' Computes the mean and the standard deviation of each channel in the data, and, for `zca_whitening`, the matrix
#' \deqn{W = U \, \mathrm{diag}(\sqrt{n} / (s + \epsilon)) \, U^\top}{W = U diag(sqrt(n) / (s + epsilon)) U'}
#' of the singular values s and vectors U of the n pictures as columns. Only generators that have one of the
#' `featurewise_...` arguments or `zca_whitening` need it. As in Keras, `rescale` comes before, but not
#' `preprocessing_function`.
#'
#' @param object what [image_data_generator()] made, which is changed.
#' @param x an array of pictures, (n, rows, columns, channels).
#' @param augment compute them from pictures that are changed at random?
#' @param rounds how often each of them is changed then.
#' @param seed a whole number for that, which leaves R's generator as it was.
#' @return `object`, invisibly.
#' @section Errors: `nativenet_error_shape` for other axes.
#' @examples
#' normalize <- image_data_generator(featurewise_center = TRUE, featurewise_std_normalization = TRUE)
#' x <- array(runif(10 * 4 * 4), c(10, 4, 4, 1))
#' fit_image_data_generator(normalize, x)
#' batch <- generator_next(flow_images_from_data(x, generator = normalize))
#' c(mean(batch), sd(batch))
#' @export
fit_image_data_generator <- function(object, x, augment = FALSE, rounds = 1, seed = NULL) {
  self <- check_image_generator(object, "object")
  rounds <- check_count(rounds)
  seed <- check_seed(seed)
  x <- pictures_in(x, "x", self)
  if (!is.null(self$rescale) && self$rescale != 0) x <- op_multiply(x, self$rescale)
  if (check_flag(augment)) x <- with_seed(seed, op_concat(lapply(seq_len(rounds), function(r)
    transform_pictures(self, x)), 1))
  if (self$featurewise_center) {
    mean <- op_mean(x, 1:3, keepdims = TRUE)
    self$mean <- as.array(mean)
    x <- op_subtract(x, mean)
  }
  if (self$featurewise_std_normalization) {
    std <- deviation(x, 1:3)
    self$std <- as.array(std)
    x <- op_divide(x, op_add(std, 1e-6))
  }
  if (self$zca_whitening) {
    columns <- t(as.array(flat_pictures(x)))
    parts <- svd(columns, nu = min(dim(columns)), nv = 0)
    scaled <- parts$u * rep(sqrt(ncol(columns)) / (parts$d + self$zca_epsilon), each = nrow(columns))
    self$zca_whitening_matrix <- tcrossprod(scaled, parts$u)
  }
  invisible(object)
}

#' An array or tensor of pictures as a tensor with the channels last.
#' @noRd
pictures_in <- function(x, arg, self, fun = calling_function()) {
  x <- if (is_tensor(x)) op_cast(x, self$dtype) else tensor(check_numbers(x, arg, fun), self$dtype)
  if (rank_of(x) != 4) abort("`", arg, "` must be pictures with the axes batch, rows, columns and channels, not of ",
    "shape ", format_shape(shape_of(x)), if (rank_of(x) == 3) "; `array_reshape(x, c(dim(x), 1))` adds channels",
    class = "shape", fun = fun)
  x <- channels_last(x, self$data_format)
  if (!shape_of(x)[4] %in% c(1, 3, 4)) {
    warn("`", fun, "()`: pictures have 1, 3 or 4 channels, but `", arg, "` has ", shape_of(x)[4], class = "images")
  }
  x
}

channels_last <- function(x, data_format) if (data_format == "channels_first") op_transpose(x, c(1, 3, 4, 2)) else x
in_format <- function(x, data_format) if (data_format == "channels_first") op_transpose(x, c(1, 4, 2, 3)) else x
