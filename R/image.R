# Pictures from files and to files. Decoding is done by the packages png and jpeg, and by magick for all other formats
# or where these are not installed.

#' Load and save pictures
#'
#' `image_load()` reads a file, `image_to_array()` makes an array of numbers from **0 to 255** of it, with the axes
#' rows, columns, channels. `image_from_array()` is the reverse, and `image_array_save()` writes an array to a file.
#'
#' PNG files are read by the package png, JPEG files by jpeg, others (BMP, GIF, TIFF, WebP) by magick, which also stands
#' in for the first two. Which format a file is of its first bytes tell, not its name.
#'
#' All pictures become 8 bits for each channel; of 16 bits the upper 8 are taken. `color_mode` is what they become:
#'
#' * `"rgb"`, 3 channels: a gray one is repeated; transparency is left out, as in Keras, not blended.
#' * `"rgba"`, 4 channels: where the file has no transparency, the fourth is 255.
#' * `"grayscale"`, 1 channel: 0.299 red + 0.587 green + 0.114 blue, rounded.
#'
#' With a `target_size` pictures are resized as Pillow does it, which Keras uses: `"nearest"` takes single pixels; the
#' other methods are those of [op_resize()] with `antialias = TRUE` (`"box"` is its `"area"`, `"lanczos"` its
#' `"lanczos3"`, `"hamming"` a cosine window of the width of `"bilinear"`), first along columns, then along rows, each
#' time rounded to whole numbers.
#'
#' `image_from_array()` with `scale = TRUE` stretches the numbers to 0 .. 255, \eqn{255 (x - \min x) / \max(x - \min
#' x)}{255 (x - min x) / max(x - min x)}, and leaves out their fraction.
#'
#' @param path the name of a file.
#' @param grayscale older spelling of `color_mode = "grayscale"`; a string is taken for `color_mode`.
#' @param color_mode `"rgb"`, `"rgba"` or `"grayscale"`.
#' @param target_size `NULL`, or the rows and columns to resize to.
#' @param interpolation `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos"`, `"box"` or `"hamming"`.
#' @param keep_aspect_ratio `TRUE` cuts the picture to the ratio of `target_size` first.
#' @param img,x a picture of `image_load()`, or an array of rows, columns and channels; a matrix has one channel.
#' @param data_format `"channels_last"`; or `"channels_first"` for channels, rows, columns.
#' @param dtype `"float32"` (the default) or another dtype of floats for an array of doubles, one of whole numbers for
#'   integers.
#' @return `image_load()`, `image_from_array()`: an object of class `nn_image`, an integer array of rows, columns and
#'   channels with the members `$width`, `$height`, `$size` and `$mode`, that can be printed and plotted.
#'   `image_to_array()`: an array. `image_array_save()`: its first argument, invisibly.
#' @section Errors: `nativenet_error_file` for files that are missing, broken or of no known format;
#'   `nativenet_error_missing`, which names the package to install; `nativenet_error_shape` for arrays of other axes or
#'   numbers of channels.
#' @seealso [image_array_resize()], [flow_images_from_directory()], [image_dataset_from_directory()]
#' @examplesIf requireNamespace("png", quietly = TRUE)
#' x <- array(c(0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0, 255), c(2, 2, 3))
#' file <- tempfile(fileext = ".png")
#' image_array_save(x, file)
#' picture <- image_load(file, target_size = c(4, 4))
#' picture
#' image_to_array(picture)[, , 1]
#' @export
image_load <- function(path, grayscale = FALSE, color_mode = "rgb", target_size = NULL, interpolation = "nearest",
  keep_aspect_ratio = FALSE) {
  if (is.character(grayscale)) color_mode <- grayscale
  else if (check_flag(grayscale)) color_mode <- "grayscale"
  how <- reading_pictures(color_mode, target_size, interpolation, check_flag(keep_aspect_ratio))
  check_file(path)
  x <- as.array(read_picture(path.expand(path), how))
  storage.mode(x) <- "integer"
  new_image(x)
}

#' @rdname image_load
#' @export
image_to_array <- function(img, data_format = NULL, dtype = NULL) {
  x <- picture_array(img, "img", data_format)
  dtype <- if (is.null(dtype)) "float32" else check_choice(dtype, c(dtypes, "uint8", "integer", "double"))
  storage.mode(x) <- if (is_whole_dtype(dtype) || dtype == "uint8") "integer" else "double"
  if (check_data_format(data_format) == "channels_first") aperm(x, c(3, 1, 2)) else x
}

#' @rdname image_load
#' @export
image_from_array <- function(x, data_format = NULL, scale = TRUE, dtype = NULL) {
  check_flag(scale)
  if (!is.null(dtype)) check_string(dtype)
  image_of(picture_array(x, "x", data_format, first = TRUE), scale)
}

#' @rdname image_load
#' @param file_format `"png"` or `"jpeg"`, or another format that magick writes; `NULL`: what the name of the file ends
#'   with.
#' @param scale stretch the numbers to 0 .. 255? Without, they must lie there.
#' @param ... `quality`, from 1 to 100, of JPEG files.
#' @export
image_array_save <- function(img, path, data_format = NULL, file_format = NULL, scale = TRUE, ...) {
  check_string(path)
  more <- list(...)
  check_no_more(more[setdiff(names(more), "quality")])
  quality <- if (is.null(more$quality)) 75 else check_count(more$quality, max = 100, arg = "quality")
  format <- tolower(if (is.null(file_format)) tools::file_ext(path) else check_string(file_format))
  if (!nzchar(format)) abort("`path` must end with a format such as \".png\", or `file_format` be given")
  picture <- image_of(picture_array(img, "img", data_format, first = TRUE), check_flag(scale))
  replace_file(path.expand(path), list(picture_bytes(picture, format, quality)))
  invisible(img)
}

new_image <- function(x) structure(x, class = "nn_image")

#' An array of rows, columns, channels out of a picture, an array or a tensor.
#' @param first may the array have its channels first?
#' @noRd
picture_array <- function(x, arg, data_format, first = FALSE, fun = calling_function()) {
  x <- if (is_tensor(x)) as.array(x) else check_numbers(x, arg, fun)
  turn <- check_data_format(data_format, fun = fun) == "channels_first" && first
  if (length(dim(x)) == 2) x <- array(x, c(dim(x), 1L))
  else if (turn && length(dim(x)) == 3) x <- aperm(x, c(2, 3, 1))
  if (length(dim(x)) == 3 && length(x)) return(array(x, dim(x)))
  abort("`", arg, "` must be an array of rows, columns and channels, not ", describe(x), class = "shape", fun = fun)
}

image_of <- function(x, scale, fun = calling_function()) {
  check_finite(x)
  if (!dim(x)[3] %in% c(1, 3, 4)) abort("a picture has 1, 3 or 4 channels, not ", dim(x)[3], class = "shape", fun = fun)
  if (scale) {
    x <- x - min(x)
    if (max(x) > 0) x <- x / max(x) * 255
  }
  x <- trunc(x)
  if (any(x < 0 | x > 255)) abort("with `scale = FALSE` numbers must lie in 0 .. 255, not be ",
    format(x[x < 0 | x > 255][1]), fun = fun)
  storage.mode(x) <- "integer"
  new_image(x)
}

# ---- reading ----

#' How pictures are read: checked arguments.
#' @noRd
reading_pictures <- function(color_mode, target_size, interpolation, crop = FALSE, methods = pillow_methods,
  size_arg = "target_size", fun = calling_function()) {
  color_mode <- check_choice(color_mode, names(color_modes), fun = fun)
  if (!is.null(target_size)) {
    target_size <- check_whole(target_size, min = 1, arg = size_arg, fun = fun)
    if (length(target_size) != 2) abort("`", size_arg, "` must be two numbers, rows and columns, not ",
      length(target_size), fun = fun)
  }
  method <- methods[[check_choice(interpolation, names(methods), fun = fun)]]
  list(mode = color_mode, channels = color_modes[[color_mode]], size = target_size, method = method, crop = crop,
    resize = resize_as_pillow, fun = fun)
}

color_modes <- c(grayscale = 1L, rgb = 3L, rgba = 4L)
pillow_methods <- c(nearest = "nearest", bilinear = "bilinear", bicubic = "bicubic", lanczos = "lanczos3", box = "area",
  hamming = "hamming")

#' The picture in a file, a tensor of rows, columns, channels.
#' @noRd
read_picture <- function(path, how, dtype = "float32") {
  x <- decode_picture(path, how$fun)
  t <- op_reshape(tensor(in_channels(x$bytes, how$channels), dtype), c(x$size, how$channels))
  if (is.null(how$size) || all(x$size == how$size)) return(t)
  if (how$crop) t <- cut_to_ratio(t, how$size)
  if (isTRUE(how$pad)) t <- pad_to_ratio(t, how$size)
  how$resize(t, how$size, how$method)
}

resize_as_pillow <- function(x, size, method) {
  rank <- rank_of(x)
  for (axis in 2:1) {
    if (picture_size(x)[axis] == size[axis]) next
    x <- resize_axes(x, rank - 3 + axis, size[axis], method, antialias = TRUE)
    if (method != "nearest") x <- op_clip(op_floor(op_add(x, 0.5)), 0, 255)
  }
  x
}

#' list(bytes, size): a column of the bytes red, green, blue and opacity for each pixel, row by row; rows and columns.
#' @noRd
decode_picture <- function(path, fun) {
  refuse <- refuse_file(path, "picture", fun)
  start <- readBin(path, "raw", 12)
  format <- picture_format(start)
  if (is.null(format)) refuse("its first bytes are those of no known format")
  reader <- picture_package(format, paste0("\"", path, "\", a ", toupper(format), " file,"), fun)
  tryCatch(withCallingHandlers(switch(reader,
    png = native_bytes(png::readPNG(path, native = TRUE)),
    jpeg = native_bytes(jpeg::readJPEG(path, native = TRUE)),
    magick = magick_bytes(path)),
    # of odd profiles, 16 bits, and bytes too many; a picture that is cut off is no picture
    warning = function(w) if (grepl("premature end", conditionMessage(w), ignore.case = TRUE)) refuse("the package ",
      reader, " says: ", conditionMessage(w)) else tryInvokeRestart("muffleWarning")),
    error = function(e) if (inherits(e, "nativenet_error")) stop(e) else refuse("the package ", reader, " says: ",
      trimws(conditionMessage(e))))
}

# Native pictures hold a whole number for each pixel, row by row, whose lowest byte is red.
native_bytes <- function(x) list(bytes = matrix(writeBin(as.vector(unclass(x)), raw(), endian = "little"), 4),
  size = dim(x)[1:2])

magick_bytes <- function(path) {
  x <- unclass(magick::image_data(magick::image_read(path)[1], "rgba"))
  list(bytes = matrix(as.vector(x), 4), size = dim(x)[3:2])
}

picture_starts <- list(png = c(0x89, 0x50, 0x4e, 0x47), jpeg = c(0xff, 0xd8, 0xff), gif = c(0x47, 0x49, 0x46, 0x38),
  bmp = c(0x42, 0x4d), tiff = c(0x49, 0x49, 0x2a, 0x00), tiff = c(0x4d, 0x4d, 0x00, 0x2a),
  webp = c(0x52, 0x49, 0x46, 0x46), ppm = c(0x50, 0x36), pgm = c(0x50, 0x35))

picture_format <- function(start) {
  for (k in seq_along(picture_starts)) {
    own <- as.raw(picture_starts[[k]])
    if (identical(utils::head(start, length(own)), own)) return(names(picture_starts)[k])
  }
}

#' The installed package that reads or writes a format.
#' @noRd
picture_package <- function(format, what, fun, installed = function(name) requireNamespace(name, quietly = TRUE)) {
  packages <- c(if (format %in% c("png", "jpeg")) format, "magick")
  for (package in packages) if (installed(package)) return(package)
  abort(what, " needs the package ", packages[1], ", which is not installed: `install.packages(\"", packages[1], "\")`",
    class = "missing", fun = fun)
}

#' The bytes of so many channels, one after the other for each pixel, as whole numbers.
#' @noRd
in_channels <- function(bytes, channels) {
  if (channels == 4) return(as.integer(bytes))
  if (channels == 3) return(as.integer(bytes[1:3, ]))
  part <- function(k) as.integer(bytes[k, ])
  # in 1 / 65536, as Pillow
  (part(1) * 19595L + part(2) * 38470L + part(3) * 7471L + 32768L) %/% 65536L
}

# ---- writing ----

picture_bytes <- function(x, format, quality, fun = calling_function()) {
  format <- switch(format, jpg = "jpeg", tif = "tiff", format)
  package <- picture_package(format, paste0("a ", toupper(format), " file"), fun)
  if (format == "jpeg" && dim(x)[3] == 4) {
    warn("`", fun, "()`: JPEG files hold no transparency, which is left out", class = "format")
    x <- unclass(x)[, , 1:3]
  }
  if (package == "magick") return(magick_file(unclass(x), format, quality, fun))
  x <- unclass(x) / 255
  if (dim(x)[3] == 1) x <- matrix(x, nrow(x))
  if (package == "png") png::writePNG(x, raw()) else jpeg::writeJPEG(x, raw(), quality = quality / 100)
}

magick_file <- function(x, format, quality, fun) {
  if (dim(x)[3] == 1) x <- x[, , c(1, 1, 1), drop = FALSE]
  bytes <- aperm(x, c(3, 2, 1))
  tryCatch(magick::image_write(magick::image_read(array(as.raw(bytes), dim(bytes))), format = format,
    quality = quality), error = function(e) abort("the package magick cannot write \"", format, "\": ",
    conditionMessage(e), fun = fun))
}

# ---- objects ----

#' @export
`$.nn_image` <- function(x, name) {
  size <- dim(x)
  switch(name, height = size[1], width = size[2], size = size[2:1], mode = c("L", "", "RGB", "RGBA")[size[3]],
    unknown_member(name, c("height", "width", "size", "mode"), "a picture"))
}

#' @export
print.nn_image <- function(x, ...) {
  cat("<picture> ", x$height, " rows, ", x$width, " columns, ", x$mode, "\n", sep = "")
  invisible(x)
}

#' @importFrom grDevices as.raster
#' @export
as.raster.nn_image <- function(x, ...) {
  x <- unclass(x) / 255
  as.raster(if (dim(x)[3] == 1) matrix(x, nrow(x)) else x, ...)
}

# Numbers of pictures are from 0 to 1, whole ones from 0 to 255.
#' @export
as.raster.nn_tensor <- function(x, max = if (startsWith(tensor_dtype(x), "float")) 1 else 255, ...) {
  max <- check_number(max, above = 0, fun = "as.raster")
  x <- as.array(x)
  rank <- length(dim(x))
  if (rank != 2 && !(rank == 3 && dim(x)[3] %in% c(1, 3, 4))) abort("a picture has rows and columns, and 1, 3 or 4 ",
    "channels, not the shape ", format_shape(dim(x)), class = "shape", fun = "as.raster")
  odd <- which(!is.finite(x) | x < 0 | x > max)[1]
  if (!is.na(odd)) abort("the numbers of a picture must lie in 0 .. ", format(max), ", not be ", format(x[odd]),
    "; give their largest value as `max`", fun = "as.raster")
  as.raster(if (length(dim(x)) == 3 && dim(x)[3] == 1) matrix(x, nrow(x)) else x, max = max, ...)
}

#' @export
plot.nn_image <- function(x, ...) {
  graphics::plot(as.raster(x), ...)
  invisible(x)
}

#' @export
in_words.nn_image <- function(x) paste("a picture of", x$height, "rows and", x$width, "columns")

# ---- arrays ----

#' Resize arrays of pictures
#'
#' `image_array_resize()` reads a picture at points from edge to edge, between the centres of pixels: row o of `height`
#' lies at \eqn{o (n - 1) / (\mathrm{height} - 1)}{o (n - 1) / (height - 1)} of n rows, counted from 0, and what is seen
#' there is the mean of the four pixels around, weighed by their distance, as in Keras for R.
#'
#' `image_smart_resize()` cuts the picture to the ratio of `size` first, evenly at both ends, so that nothing is
#' stretched, and then resizes it by [op_resize()].
#'
#' @param img,x a picture, or an array or tensor of rows, columns and channels, with a batch before them or without.
#' @param height,width rows and columns of the result.
#' @param size the same as two numbers.
#' @param data_format `"channels_last"` or `"channels_first"`.
#' @param interpolation a method of [op_resize()].
#' @param backend_module ignored; present for compatibility with Keras.
#' @return An array; a tensor where one came.
#' @section Errors: `nativenet_error_shape` if there are other axes.
#' @seealso [op_resize()], [image_load()], [layer_resizing()]
#' @examples
#' image_array_resize(array(c(1, 2, 3, 4), c(2, 2, 1)), 3, 3)[, , 1]
#' dim(image_smart_resize(array(runif(60), c(4, 5, 3)), c(2, 2)))
#' @export
image_array_resize <- function(img, height, width, data_format = c("channels_last", "channels_first")) {
  size <- c(check_count(height), check_count(width))
  on_pictures(img, "img", data_format, function(x) {
    step <- ifelse(size > 1, (picture_size(x) - 1) / (size - 1), 0)
    see_images(x, tensor(matrix(c(step[2], 0, 0, 0, step[1], 0, 0, 0), 1), tensor_dtype(x)), size, "bilinear",
      "nearest", 0)
  })
}

#' @rdname image_array_resize
#' @export
image_smart_resize <- function(x, size, interpolation = "bilinear", data_format = "channels_last",
  backend_module = NULL) {
  size <- per_spatial_axis(size, 2)
  method <- check_choice(interpolation, resize_methods)
  if (!is.null(backend_module)) check_string(backend_module)
  on_pictures(x, "x", data_format, function(x) resize_to_ratio(x, size, method))
}

#' f of floats with the channels last, as what came: array or tensor.
#' @noRd
on_pictures <- function(x, arg, data_format, f, fun = calling_function()) {
  format <- check_data_format(data_format, fun = fun)
  t <- as_floats(if (is_tensor(x)) x else check_numbers(x, arg, fun))
  single <- check_image_axes(t, fun) == 3
  if (single) t <- op_expand_dims(t, 1)
  y <- with_channels_last(t, format, f)
  if (single) y <- op_squeeze(y, 1)
  if (is_tensor(x)) y else as.array(y)
}
