# tf$io: files as bytes, and pictures of bytes. What a file holds is a raw vector here.

#' Bytes, which a string has, too: strings of a record are one or the other.
#' @noRd
check_bytes <- function(x, arg, fun) {
  if (is.raw(x)) return(as.raw(unclass(x)))
  if (is.character(x) && length(x) == 1 && !is.na(x)) return(charToRaw(enc2utf8(x)))
  abort("`", arg, "` must be bytes, as `tf$io$read_file()` gives, not ", describe(x), fun = fun)
}

file_name <- function(x, arg, fun) check_string(if (is_strings(x)) as.vector(as_strings(x, arg, fun)) else x, arg, fun)

bytes_in_file <- function(filename, name = NULL, fun = "tf$io$read_file") {
  path <- file_name(filename, "filename", fun)
  check_file(path, fun, "filename")
  new_bytes(readBin(path.expand(path), "raw", file.size(path.expand(path))))
}

bytes_to_file <- function(filename, contents, name = NULL, fun = "tf$io$write_file") {
  path <- path.expand(file_name(filename, "filename", fun))
  contents <- if (is_strings(contents)) charToRaw(file_name(contents, "contents", fun)) else check_bytes(contents,
    "contents", fun)
  make_folder(dirname(path), fun)
  replace_file(path, list(contents), fun)
  invisible()
}

# ---- pictures ----

#' How many channels a picture has by itself. Those of other formats are taken for coloured.
#' @noRd
own_channels <- function(bytes, format) {
  if (format == "png") return(c("0" = 1, "2" = 3, "3" = 3, "4" = 2, "6" = 4)[[as.character(as.integer(bytes[26]))]])
  if (format != "jpeg") return(3)
  at <- 3
  repeat {
    if (at + 9 > length(bytes)) return(3)
    marker <- as.integer(bytes[at + 1])
    # the frame's header, but for the tables of codes among those numbers
    if (marker >= 0xc0 && marker <= 0xcf && !marker %in% c(0xc4, 0xc8, 0xcc)) return(as.integer(bytes[at + 9]))
    at <- at + 2 + 256 * as.integer(bytes[at + 2]) + as.integer(bytes[at + 3])
  }
}

decode_bytes <- function(contents, channels, formats, fun) {
  bytes <- check_bytes(contents, "contents", fun)
  format <- picture_format(bytes[seq_len(min(12, length(bytes)))])
  if (is.null(format) || !format %in% formats) abort("`contents` is no picture of the format ",
    paste(formats, collapse = ", "), class = "file", fun = fun)
  channels <- check_choice(as.character(check_count(channels, min = 0, arg = "channels", fun = fun)),
    c("0", "1", "3", "4"), "channels", fun)
  n <- if (channels == "0") own_channels(bytes, format) else as.integer(channels)
  if (!n %in% c(1, 3, 4)) abort("the picture has ", n, " channels; give `channels` as 1, 3 or 4", class = "file",
    fun = fun)
  path <- tempfile()
  on.exit(unlink(path))
  writeBin(bytes, path)
  mark_bytes(read_picture(path, list(channels = n, size = NULL, fun = fun), "int32"))
}

encode_picture <- function(image, format, quality, fun) {
  x <- tf_tensor(image)
  if (!is_whole_dtype(tensor_dtype(x))) abort("`image` must have whole numbers from 0 to 255, not ",
    tensor_dtype(x), "; `tf$image$convert_image_dtype(image, tf$uint8)` makes them of floats from 0 to 1", fun = fun)
  picture <- image_of(picture_array(x, "image", NULL, fun = fun), FALSE, fun)
  new_bytes(picture_bytes(picture, format, quality, fun))
}

only_bytes <- function(dtype, fun) check_choice(dtype, "uint8", "dtype", fun)

tf_decoders <- list(
  # by whatever is asked for, as in TensorFlow
  decode_jpeg = function(contents, channels = 0, ratio = 1, fancy_upscaling = TRUE, try_recover_truncated = FALSE,
    acceptable_fraction = 1, dct_method = "", name = NULL) {
    check_count(ratio, max = 1)
    check_flag(fancy_upscaling)
    if (check_flag(try_recover_truncated)) abort("`try_recover_truncated` must be FALSE", fun = "tf$image$decode_jpeg")
    check_number(acceptable_fraction, min = 0, max = 1)
    check_string(dct_method)
    decode_bytes(contents, channels, c("jpeg", "png", "bmp"), "tf$image$decode_jpeg")
  },
  decode_png = function(contents, channels = 0, dtype = "uint8", name = NULL) {
    only_bytes(dtype, "tf$image$decode_png")
    decode_bytes(contents, channels, c("png", "jpeg", "bmp"), "tf$image$decode_png")
  },
  decode_bmp = function(contents, channels = 0, name = NULL) decode_bytes(contents, channels, "bmp",
    "tf$image$decode_bmp"),
  decode_image = function(contents, channels = 0, dtype = "uint8", name = NULL, expand_animations = TRUE) {
    fun <- "tf$image$decode_image"
    check_flag(expand_animations)
    formats <- c("jpeg", "png", "bmp", if (!expand_animations) "gif")
    y <- decode_bytes(contents, channels, formats, fun)
    dtype <- check_choice(dtype, c("uint8", "float32", "float64"), fun = fun)
    if (dtype == "uint8") y else convert_picture(y, dtype, FALSE, fun)
  },
  encode_jpeg = function(image, quality = 95, name = NULL) encode_picture(image, "jpeg", check_count(quality,
    max = 100), "tf$image$encode_jpeg"),
  encode_png = function(image, compression = -1, name = NULL) {
    check_count(compression, min = -1, max = 9)
    encode_picture(image, "png", 75, "tf$image$encode_png")
  },
  is_jpeg = function(contents, name = NULL) {
    bytes <- check_bytes(contents, "contents", "tf$image$is_jpeg")
    tensor(identical(picture_format(bytes[seq_len(min(12, length(bytes)))]), "jpeg"))
  }
)

# ---- names of files ----

#' What a pattern of a shell finds, in the order of names.
#' @noRd
files_matching <- function(pattern, fun) {
  pattern <- as.vector(as_strings(pattern, "pattern", fun))
  sort(unique(c(character(), unlist(lapply(path.expand(pattern), Sys.glob)))), method = "radix")
}

#' tf$data$Dataset$list_files()
#' @noRd
list_files_dataset <- function(file_pattern, shuffle = TRUE, seed = NULL, name = NULL) {
  files <- files_matching(file_pattern, "tf$data$Dataset$list_files")
  if (!length(files)) abort("`file_pattern` matches no files: ", describe(file_pattern), class = "file",
    fun = "tf$data$Dataset$list_files")
  data <- tensor_slices_dataset(files)
  if (check_flag(shuffle)) dataset_shuffle(data, length(files), seed = seed) else data
}

tf_files <- list(
  exists = function(path) file.exists(path.expand(check_string(path))),
  isdir = function(path) dir.exists(path.expand(check_string(path))),
  listdir = function(path) {
    if (!dir.exists(path.expand(check_string(path)))) abort("`path` is no folder: ", describe(path), class = "file",
      fun = "tf$io$gfile$listdir")
    list.files(path.expand(path), all.files = TRUE, no.. = TRUE)
  },
  glob = function(pattern) files_matching(pattern, "tf$io$gfile$glob"),
  join = function(path, ...) do.call(file.path, lapply(list(path, ...), check_string, arg = "path",
    fun = "tf$io$gfile$join")),
  makedirs = function(path) invisible(make_folder(path.expand(check_string(path)), "tf$io$gfile$makedirs")),
  mkdir = function(path) invisible(make_folder(path.expand(check_string(path)), "tf$io$gfile$mkdir")),
  copy = function(src, dst, overwrite = FALSE) {
    check_file(src, "tf$io$gfile$copy", "src")
    check_string(dst)
    if (!check_flag(overwrite) && file.exists(path.expand(dst))) abort("`dst` exists, and `overwrite` is FALSE",
      class = "file", fun = "tf$io$gfile$copy")
    if (!file.copy(path.expand(src), path.expand(dst), overwrite = overwrite)) abort("cannot write ", describe(dst),
      class = "file", fun = "tf$io$gfile$copy")
    invisible()
  }
)

io_namespace <- function() new_namespace("tf$io", c(tf_decoders, list(
  read_file = function(filename, name = NULL) bytes_in_file(filename),
  write_file = function(filename, contents, name = NULL) bytes_to_file(filename, contents),
  matching_files = function(pattern, name = NULL) files_matching(pattern, "tf$io$matching_files"),
  decode_raw = function(input_bytes, out_type, little_endian = TRUE, name = NULL) decode_numbers(input_bytes, out_type,
    check_flag(little_endian)),
  gfile = new_namespace("tf$io$gfile", tf_files)
), tf_records))

#' Numbers that lie in bytes one after the other.
#' @noRd
decode_numbers <- function(bytes, dtype, little, fun = "tf$io$decode_raw") {
  bytes <- check_bytes(bytes, "input_bytes", fun)
  kinds <- list(uint8 = list("integer", 1, FALSE), int8 = list("integer", 1, TRUE), uint16 = list("integer", 2, FALSE),
    int16 = list("integer", 2, TRUE), int32 = list("integer", 4, TRUE), float32 = list("double", 4, TRUE),
    float64 = list("double", 8, TRUE))
  dtype <- check_choice(dtype, names(kinds), "out_type", fun)
  kind <- kinds[[dtype]]
  if (length(bytes) %% kind[[2]]) abort("`input_bytes` has ", length(bytes), " bytes, which is no multiple of ",
    kind[[2]], fun = fun)
  x <- readBin(bytes, kind[[1]], length(bytes) / kind[[2]], kind[[2]], kind[[3]], if (little) "little" else "big")
  if (dtype == "int32" && anyNA(x)) x <- ifelse(is.na(x), -2^31, x)
  value_of_dtype(array(x, length(x)), dtype, fun)
}
