# Files below a folder that has a folder for each class, and data sets of them.

check_folder <- function(path, arg = "directory", fun = calling_function()) {
  check_string(path, arg, fun)
  if (!file.exists(path)) abort("`", arg, "` does not exist: \"", path, "\"", class = "file", fun = fun)
  if (!dir.exists(path)) abort("`", arg, "` must be a folder, not the file \"", path, "\"", class = "file", fun = fun)
  sub("(.)[/\\\\]+$", "\\1", path.expand(path))
}

has_ending <- function(files, endings) tolower(tools::file_ext(files)) %in% endings

no_files <- function(directory, what, classes, fun = calling_function()) abort("there are no ", what, " in \"",
  directory, "\"", if (classes) "" else ", which has no folders: it must hold a folder for each class, with its files",
  class = "file", fun = fun)

#' The files below a folder by the class folders that they are in: list(files, labels, classes), names relative to the
#' folder and class numbers from 1. In the order of the bytes of their names, whatever the language.
#' @noRd
class_files <- function(directory, classes, endings, follow_links, arg = "classes", fun = calling_function()) {
  own <- sort(Filter(function(d) dir.exists(file.path(directory, d)), list.files(directory)), method = "radix")
  if (is.null(classes)) classes <- own
  odd <- setdiff(check_strings(classes, arg, fun), own)
  if (length(odd)) abort("`", arg, "` names \"", odd[1], "\", but there is no folder of that name in \"", directory,
    "\"", class = "file", fun = fun)
  files <- lapply(classes, function(class) {
    found <- files_below(file.path(directory, class), follow_links)
    file.path(class, found[has_ending(found, endings)], fsep = "/")[seq_len(sum(has_ending(found, endings)))]
  })
  list(files = as.character(unlist(files)), labels = rep(seq_along(classes), lengths(files)), classes = classes)
}

#' Names of files below a folder, folder by folder. No folder is visited twice, so that links may go in a circle.
#' @noRd
files_below <- function(root, follow_links) {
  seen <- character()
  walk <- function(below) {
    here <- file.path(root, below)
    real <- normalizePath(here)
    if (real %in% seen) return(character())
    seen <<- c(seen, real)
    names <- sort(list.files(here), method = "radix")
    paths <- if (nzchar(below)) file.path(below, names)[seq_along(names)] else names
    folder <- dir.exists(file.path(root, paths)[seq_along(paths)])
    inner <- paths[folder]
    if (!follow_links) inner <- inner[!nzchar(Sys.readlink(file.path(root, inner)[seq_along(inner)]))]
    c(paths[!folder], unlist(lapply(inner, walk)))
  }
  walk("")
}

# ---- data sets ----

#' Data sets of the pictures or texts in folders
#'
#' Batches of the pictures, or of the texts, in a folder that has a folder for each class, all below these included.
#' Files are read when a batch is taken, so that there may be more than fit into memory.
#'
#' Classes are numbered from **0** in the order of their names, which is that of their bytes. `label_mode` says what the
#' labels of a batch are: `"int"`, whole numbers (batch); `"binary"`, floats 0 or 1 (batch, 1), for two classes;
#' `"categorical"`, one-hot rows (batch, classes). Without labels an element is the pictures or texts alone, of all
#' files below the folder.
#'
#' Pictures are floats from 0 to 255, (batch, rows, columns, channels), resized to `image_size` by [op_resize()]; what
#' the colour modes are [image_load()] says. Texts are strings, as `layer_text_vectorization()` takes them; bytes that
#' are not UTF-8 are taken for Latin-1. Files of pictures are those whose names end with png, jpg, jpeg, bmp or gif, of
#' texts with txt; names that begin with a dot are left out. How many there are a message says.
#'
#' `validation_split` and `subset` divide the files, which are shuffled first if `shuffle` is `TRUE`, for which both
#' subsets need the same `seed`: the last part is for validation.
#'
#' @param directory a folder.
#' @param labels `"inferred"` from the folders; or a whole number for each file, in the order of their names; `NULL` for
#'   no labels.
#' @param label_mode `"int"`, `"binary"`, `"categorical"`, or `NULL` for no labels.
#' @param class_names the names of the folders, all of them, in the order of their numbers.
#' @inheritParams image_load
#' @param batch_size a whole number; `NULL` for single pictures or texts.
#' @param image_size rows and columns.
#' @param shuffle in another order in each iteration?
#' @param seed a whole number that makes the orders the same each time the program runs; `NULL`: [set.seed()] governs.
#' @param validation_split the part of the files that is for validation.
#' @param subset `"training"`, `"validation"`, or `"both"` for a list of the two data sets.
#' @param interpolation a method of [op_resize()].
#' @param follow_links also into folders that are symbolic links?
#' @param crop_to_aspect_ratio,pad_to_aspect_ratio cut pictures to the ratio of `image_size` first, or add zeros around
#'   them, so that nothing is stretched?
#' @param data_format `"channels_last"` or `"channels_first"`.
#' @param verbose say how many files there are?
#' @param ... not used: other arguments are refused.
#' @return A data set, whose elements are `list(x, labels)`, with the members `$class_names` and `$file_paths`.
#' @section Errors: `nativenet_error_file` for a folder that is not there or has no such files, or files that are
#'   broken, which are named; `nativenet_error_missing` where a package for pictures of that format is not installed.
#' @seealso [flow_images_from_directory()], which changes pictures at random; [dataset_map()]
#' @examplesIf requireNamespace("png", quietly = TRUE)
#' folder <- tempfile()
#' for (class in c("dark", "light")) {
#'   dir.create(file.path(folder, class), recursive = TRUE)
#'   for (i in 1:3) {
#'     image_array_save(matrix(i + 200 * (class == "light"), 4, 4), scale = FALSE,
#'       file.path(folder, class, paste0(i, ".png")))
#'     writeLines(paste(class, i), file.path(folder, class, paste0(i, ".txt")))
#'   }
#' }
#' data <- image_dataset_from_directory(folder, image_size = c(4, 4), batch_size = 4)
#' data
#' data$class_names
#' text_dataset_from_directory(folder, shuffle = FALSE, batch_size = 2) |>
#'   as_iterator() |>
#'   iter_next()
#' @export
image_dataset_from_directory <- function(directory, labels = "inferred", label_mode = "int", class_names = NULL,
  color_mode = "rgb", batch_size = 32, image_size = c(256, 256), shuffle = TRUE, seed = NULL, validation_split = NULL,
  subset = NULL, interpolation = "bilinear", follow_links = FALSE, crop_to_aspect_ratio = FALSE,
  pad_to_aspect_ratio = FALSE, data_format = NULL, verbose = TRUE, ...) {
  check_no_more(list(...), of = image_dataset_from_directory)
  data_format <- check_data_format(data_format)
  if (is.null(image_size)) abort("`image_size` must be two numbers, rows and columns, not NULL")
  crop <- check_flag(crop_to_aspect_ratio)
  how <- reading_pictures(color_mode, image_size, interpolation, crop, stats::setNames(nm = resize_methods),
    "image_size")
  how$resize <- op_resize
  how$pad <- check_flag(pad_to_aspect_ratio)
  if (crop && how$pad) abort("`crop_to_aspect_ratio` and `pad_to_aspect_ratio` must not both be TRUE")
  read <- function(paths) in_format(read_pictures(paths, how), data_format)
  shape <- c(how$size, how$channels)
  directory_datasets(directory, c("png", "jpg", "jpeg", "bmp", "gif"), "pictures", labels, label_mode, class_names,
    batch_size, shuffle, seed, validation_split, subset, follow_links, verbose, read,
    tensor_spec("float32", c(NA, if (data_format == "channels_last") shape else shape[c(3, 1, 2)])))
}

#' @rdname image_dataset_from_directory
#' @param max_length the number of characters that texts are cut to; `NULL` for all of them.
#' @export
text_dataset_from_directory <- function(directory, labels = "inferred", label_mode = "int", class_names = NULL,
  batch_size = 32, max_length = NULL, shuffle = TRUE, seed = NULL, validation_split = NULL, subset = NULL,
  follow_links = FALSE, verbose = TRUE, ...) {
  check_no_more(list(...), of = text_dataset_from_directory)
  if (!is.null(max_length)) max_length <- check_count(max_length)
  read <- function(paths) vapply(paths, function(path) {
    text <- as_string(read_bytes(path), refuse_file(path, "text", "text_dataset_from_directory"))
    Encoding(text) <- if (validUTF8(text)) "UTF-8" else "latin1"
    if (is.null(max_length)) enc2utf8(text) else substr(enc2utf8(text), 1, max_length)
  }, "", USE.NAMES = FALSE)
  directory_datasets(directory, "txt", "texts", labels, label_mode, class_names, batch_size, shuffle, seed,
    validation_split, subset, follow_links, verbose, read, tensor_spec("string", NA))
}

#' @param read gives the x of a batch of paths, `spec` says what it is.
#' @noRd
directory_datasets <- function(directory, endings, what, labels, label_mode, class_names, batch_size, shuffle, seed,
  validation_split, subset, follow_links, verbose, read, spec, fun = calling_function()) {
  directory <- check_folder(directory, fun = fun)
  if (!is.null(label_mode)) check_choice(label_mode, c("int", "binary", "categorical"), fun = fun)
  if (!is.null(batch_size)) batch_size <- check_count(batch_size, fun = fun)
  check_flag(shuffle, fun = fun)
  seed <- check_seed(seed, fun = fun)
  check_flag(follow_links, fun = fun)
  tell <- if (check_flag(verbose, fun = fun)) message else function(...) NULL
  check_parts(validation_split, subset, shuffle, seed, fun)
  found <- labelled_files(directory, endings, labels, label_mode, class_names, follow_links, fun)
  n <- length(found$files)
  if (!n) no_files(directory, what, found$folders, fun)
  n_classes <- length(found$classes)
  tell("Found ", n, " files", if (n_classes) paste0(" belonging to ", n_classes, " classes"), ".")
  if (n_classes != 2 && identical(label_mode, "binary") && !is.null(found$labels)) abort(
    "`label_mode = \"binary\"` is for two classes, not ", n_classes, fun = fun)
  order <- if (shuffle) with_seed(seed, sample.int(n)) else seq_len(n)
  part <- function(rows) {
    data <- files_dataset(file.path(directory, found$files[order[rows]]), found$labels[order[rows]], n_classes,
      label_mode, batch_size, shuffle, seed, read, spec)
    data$class_names <- if (n_classes) found$classes
    data$file_paths <- file.path(directory, found$files[order[rows]])
    data
  }
  if (is.null(subset)) return(part(seq_len(n)))
  parts <- list(training = seq_len(n - floor(validation_split * n)))
  parts$validation <- setdiff(seq_len(n), parts$training)
  if (!all(lengths(parts))) abort("`validation_split` of ", validation_split, " leaves no files for ",
    names(parts)[lengths(parts) == 0], ": there are ", n, fun = fun)
  if (subset != "both") parts <- parts[subset]
  for (name in names(parts)) tell("Using ", length(parts[[name]]), " files for ", name, ".")
  if (subset == "both") unname(lapply(parts, part)) else part(parts[[1]])
}

check_parts <- function(validation_split, subset, shuffle, seed, fun) {
  if (is.null(validation_split) != is.null(subset)) abort("`validation_split` and `subset` go together: ",
    if (is.null(subset)) "`subset` is not given" else "`validation_split` is not given", fun = fun)
  if (is.null(subset)) return()
  check_choice(subset, c("training", "validation", "both"), fun = fun)
  check_number(validation_split, above = 0, below = 1, fun = fun)
  if (shuffle && is.null(seed) && subset != "both") abort("`seed` must be given for shuffled files of which there are ",
    "two subsets, else the same file may be in both", fun = fun)
}

#' list(files, labels from 0, or NULL, classes, folders: are there any?)
#' @noRd
labelled_files <- function(directory, endings, labels, label_mode, class_names, follow_links, fun) {
  if (is.null(labels) || is.null(label_mode)) {
    files <- files_below(directory, follow_links)
    return(list(files = files[has_ending(files, endings)], folders = 1))
  }
  inferred <- identical(labels, "inferred")
  if (!inferred && !is.null(class_names)) abort("`class_names` is for labels that are inferred", fun = fun)
  found <- class_files(directory, class_names, endings, follow_links, "class_names", fun)
  folders <- length(found$classes)
  more <- if (!is.null(class_names)) setdiff(class_files(directory, NULL, "", follow_links)$classes, class_names)
  if (length(more)) abort("`class_names` must name all folders in \"", directory, "\", also \"", more[1], "\"",
    fun = fun)
  if (inferred) return(list(files = found$files, labels = found$labels - 1L, classes = found$classes,
    folders = folders))
  labels <- as.integer(check_whole(labels, min = 0, arg = "labels", fun = fun))
  if (length(labels) != length(found$files)) abort("`labels` must be for each of the ", length(found$files),
    " files in \"", directory, "\", not ", length(labels), fun = fun)
  list(files = found$files, labels = labels, classes = as.character(sort(unique(labels))), folders = folders)
}

files_dataset <- function(paths, labels, n_classes, label_mode, batch_size, shuffle, seed, read, spec) {
  single <- is.null(batch_size)
  made <- if (!is.null(labels)) switch(label_mode,
    int = list("int32", labels), binary = list("float32", matrix(labels)),
    categorical = list("float32", one_hot_rows(labels, max(n_classes, labels + 1))))
  numbers <- tensor_slices_dataset(seq_along(paths))
  if (shuffle) numbers <- dataset_shuffle(numbers, length(paths), seed)
  numbers <- dataset_batch(numbers, if (single) 1 else batch_size)
  one <- function(x) if (!single) x else if (is.character(x)) x[[1]] else slice_rows(x, 1, drop = TRUE)
  of_one <- function(spec) {
    if (single) spec$dim <- spec$dim[-1]
    spec
  }
  label_spec <- if (!is.null(made)) of_one(tensor_spec(made[[1]], c(NA, dim(made[[2]])[-1])))
  new_dataset(if (is.null(made)) of_one(spec) else list(of_one(spec), label_spec), length(numbers), pull = function() {
    pull <- numbers$pull()
    function() {
      rows <- pull()
      if (is.null(rows)) return(NULL)
      rows <- as.array(rows)
      x <- one(read(paths[rows]))
      if (is.null(made)) return(x)
      list(x, one(tensor(with_axes(take_rows(made[[2]], rows)), made[[1]])))
    }
  })
}
