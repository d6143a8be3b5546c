# Generators of batches of pictures: from arrays, from folders, from tables of names.

#' @param n how many pictures.
#' @param load gives pictures by their numbers, a tensor with the channels last.
#' @param finish makes a batch of changed pictures and their numbers.
#' @param save list(dir, prefix, format), checked.
#' @noRd
new_image_flow <- function(self, n, batch_size, shuffle, seed, load, finish, save, members, fun) {
  if (!n) abort("there are no pictures", class = "value", fun = fun)
  batch_size <- check_count(batch_size, fun = fun)
  check_flag(shuffle, fun = fun)
  seed <- check_seed(seed, fun = fun)
  seen <- 0 # batches, so that with a seed each differs
  start <- function() {
    order <- NULL
    at <- 0L
    function() {
      with_seed(if (!is.null(seed)) (seed + seen) %% .Machine$integer.max, {
        if (at == 0) order <<- if (shuffle) sample.int(n) else seq_len(n)
        rows <- order[at + seq_len(min(batch_size, n - at))]
        at <<- if (at + batch_size >= n) 0L else at + batch_size
        x <- standardize_pictures(self, transform_pictures(self, load(rows)))
      })
      seen <<- seen + 1
      save_pictures(x, rows, seen, save)
      finish(in_format(x, self$data_format), rows)
    }
  }
  new_generator(start, ceiling(n / batch_size), c(members, list(n = n, samples = n, batch_size = batch_size,
    shuffle = shuffle, seed = seed, image_data_generator = self)))
}

check_saving <- function(dir, prefix, format, fun = calling_function()) {
  check_string(prefix, "save_prefix", fun)
  format <- check_choice(tolower(check_string(format, "save_format", fun)), c("png", "jpeg", "jpg"), "save_format", fun)
  if (is.null(dir)) return(NULL)
  if (!dir.exists(check_string(dir, "save_to_dir", fun))) abort("`save_to_dir` does not exist: \"", dir, "\"",
    class = "file", fun = fun)
  list(dir = dir, prefix = prefix, format = format)
}

save_pictures <- function(x, rows, batch, save) {
  if (is.null(save)) return()
  for (k in seq_along(rows)) {
    file <- sprintf("%s_%d_%d.%s", save$prefix, rows[k] - 1L, batch, save$format)
    image_array_save(slice_rows(x, k, drop = TRUE), file.path(save$dir, file))
  }
}

#' The rows of `n` that a subset has: the first part is for validation.
#' @noRd
subset_rows <- function(n, subset, share, fun = calling_function()) {
  if (is.null(subset)) return(seq_len(n))
  subset <- check_choice(subset, c("training", "validation"), fun = fun)
  if (share == 0) abort("`subset` needs a `validation_split` of `image_data_generator()`", fun = fun)
  at <- floor(share * n)
  if (subset == "validation") seq_len(at) else seq_len(n)[seq_len(n) > at]
}

#' Batches of changed pictures from arrays
#'
#' Gives batches of the pictures in an array, changed at random as [image_data_generator()] describes, on and on.
#'
#' The batch is a list of an array of pictures and of what belongs to them, `list(x, y)` or `list(x, y,
#' sample_weight)`; without `y` it is the array alone. The last batch of a pass may be smaller; each pass has another
#' order if they are shuffled. The pictures of a batch are changed at once, by ops of the engine.
#'
#' With a `seed` the batches are the same each time, and two generators of the same seed turn and move their pictures
#' alike: pictures and their masks. Without one, [set.seed()] governs.
#'
#' @param x an array of pictures, (n, rows, columns, channels), or with the channels second.
#' @param y as many targets, a vector or array; `NULL` for none.
#' @param generator what [image_data_generator()] made.
#' @param batch_size a whole number.
#' @param shuffle in another order in each pass?
#' @param sample_weight a weight for each picture.
#' @param seed a whole number, or `NULL`.
#' @param save_to_dir,save_prefix,save_format a folder to write the changed pictures to, as files of the name
#'   `<prefix>_<number>_<batch>.<format>`, `"png"` or `"jpeg"`.
#' @param subset `"training"` or `"validation"`, where the generator has a `validation_split`.
#' @return A generator: a function without arguments that gives the next batch as R arrays, also by
#'   [generator_next()]. Its `length()` is the number of batches of a pass; [fit()], [evaluate()] and [predict()] take
#'   such passes, each from the beginning, where the number of steps is not said. Members: `$n`, `$samples`,
#'   `$batch_size`, `$shuffle`, `$seed`, `$reset()`.
#' @section Errors: `nativenet_error_shape` for other axes, or if `y` is for another number of pictures.
#' @seealso [flow_images_from_directory()]
#' @examples
#' digits <- dataset_digits(100, test = 0)$train
#' x <- array(digits$x, c(100, 28, 28, 1))
#' augment <- image_data_generator(rescale = 1 / 255, rotation_range = 10, zoom_range = 0.1)
#' batches <- flow_images_from_data(x, digits$y, augment)
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, "adam", "sparse_categorical_crossentropy")
#' fit(model, batches, epochs = 2, verbose = 0)
#' @export
flow_images_from_data <- function(x, y = NULL, generator = image_data_generator(), batch_size = 32, shuffle = TRUE,
  sample_weight = NULL, seed = NULL, save_to_dir = NULL, save_prefix = "", save_format = "png", subset = NULL) {
  self <- check_image_generator(generator)
  save <- check_saving(save_to_dir, save_prefix, save_format)
  if (is.list(x)) abort("`x` must be an array of pictures, not ", describe(x))
  x <- pictures_in(plain_argument(x), "x", self)
  n <- shape_of(x)[1]
  beside <- function(v, arg) {
    if (is.null(v)) return(NULL)
    v <- if (is.factor(v)) as.integer(v) - 1L else if (is_tensor(v)) as.array(v) else check_numbers(v, arg,
      "flow_images_from_data")
    if (NROW(v) != n) abort("`", arg, "` must be for as many pictures as `x` has, ", n, ", not ", NROW(v),
      class = "shape", fun = "flow_images_from_data")
    v
  }
  if (is.data.frame(y)) y <- as.matrix(y)
  y <- beside(y, "y")
  sample_weight <- beside(sample_weight, "sample_weight")
  if (is.null(y) && !is.null(sample_weight)) abort("`sample_weight` needs `y`")
  rows <- subset_rows(n, subset, self$validation_split)
  finish <- function(pictures, k) {
    if (is.null(y)) return(pictures)
    c(list(pictures, take_rows(y, rows[k])), if (!is.null(sample_weight)) list(take_rows(sample_weight, rows[k])))
  }
  new_image_flow(self, length(rows), batch_size, shuffle, seed, function(k) op_gather(x, array(rows[k] - 1L)), finish,
    save, list(), "flow_images_from_data")
}

#' Batches of changed pictures from folders and tables
#'
#' `flow_images_from_directory()` reads the pictures in a folder that has a folder for each class, all below these
#' included; `flow_images_from_dataframe()` those that a column of a data frame names. The pictures are resized to
#' `target_size` as [image_load()] does, and changed at random as [image_data_generator()] describes.
#'
#' Classes are numbered from **0** in the order of their names, which is that of their bytes. `class_mode` says what
#' belongs to the pictures of a batch:
#'
#' | `class_mode` | targets |
#' |---|---|
#' | `"categorical"` | one-hot rows (batch, classes) |
#' | `"binary"`, `"sparse"` | a vector of class numbers; the first for two classes |
#' | `"input"` | the pictures themselves, for autoencoders |
#' | `"raw"` | the numbers in `y_col`, of one column a vector, else a matrix |
#' | `"multi_output"` | a list of the columns `y_col` |
#' | `NULL` | none: the batch is the array of pictures alone |
#'
#' With `"categorical"` a column of a data frame may be a list, where a picture has several classes.
#'
#' Files whose names end with png, jpg, jpeg, bmp, gif, tif, tiff, ppm or webp are taken; names that begin with a dot
#' are not. How many there are a message says. A subset takes the first files of each class for validation.
#'
#' @inheritParams flow_images_from_data
#' @inheritParams image_load
#' @param directory a folder.
#' @param target_size rows and columns of the batch.
#' @param classes the names of the classes to take, in the order of their numbers; `NULL` for all there are.
#' @param class_mode see above.
#' @param follow_links also into folders that are symbolic links?
#' @param keep_aspect_ratio cut pictures to the ratio of `target_size` before they are resized?
#' @inherit flow_images_from_data return
#' @details The generator also has the members `$class_indices` (a list of numbers from 0, by the names of the classes),
#'   `$classes` (the number of the class of each picture), `$num_classes`, `$filenames`, `$filepaths`, `$labels`,
#'   `$image_shape`, `$target_size`, `$color_mode`, `$class_mode` and `$directory`.
#' @section Errors: `nativenet_error_file` for a folder that is not there or has no pictures, or pictures that are
#'   broken, which names the file; `nativenet_error_missing` where a package for files of that format is not installed.
#' @section Warnings: `nativenet_warning_images` for rows of a table whose files are not there: they are left out.
#' @seealso [image_dataset_from_directory()]
#' @examplesIf requireNamespace("png", quietly = TRUE)
#' # two classes of pictures in a folder
#' folder <- tempfile()
#' for (class in c("dark", "light")) {
#'   dir.create(file.path(folder, class), recursive = TRUE)
#'   for (i in 1:4) {
#'     x <- matrix(runif(64, 0, 100) + 150 * (class == "light"), 8)
#'     image_array_save(x, file.path(folder, class, paste0(i, ".png")), scale = FALSE)
#'   }
#' }
#' batches <- flow_images_from_directory(folder, image_data_generator(rescale = 1 / 255),
#'   target_size = c(8, 8), color_mode = "grayscale", class_mode = "binary")
#' batches$class_indices
#' str(generator_next(batches))
#' @export
flow_images_from_directory <- function(directory, generator = image_data_generator(), target_size = c(256, 256),
  color_mode = "rgb", classes = NULL, class_mode = "categorical", batch_size = 32, shuffle = TRUE, seed = NULL,
  save_to_dir = NULL, save_prefix = "", save_format = "png", follow_links = FALSE, subset = NULL,
  interpolation = "nearest", keep_aspect_ratio = FALSE) {
  self <- check_image_generator(generator)
  save <- check_saving(save_to_dir, save_prefix, save_format)
  how <- reading_pictures(color_mode, target_size, interpolation, check_flag(keep_aspect_ratio))
  directory <- check_folder(directory)
  if (!is.null(class_mode)) check_choice(class_mode, c("categorical", "binary", "sparse", "input"))
  found <- class_files(directory, classes, endings_of_pictures, check_flag(follow_links))
  rows <- unlist(lapply(split(seq_along(found$files), factor(found$labels, seq_along(found$classes))), function(own)
    own[subset_rows(length(own), subset, self$validation_split, "flow_images_from_directory")]), use.names = FALSE)
  labels <- found$labels[rows] - 1L
  message("Found ", length(rows), " images belonging to ", length(found$classes), " classes.")
  if (!length(rows)) no_files(directory, "pictures", length(found$classes))
  flow_of_files(self, found$files[rows], directory, labels, found$classes, class_mode, how,
    batch_size, shuffle, seed, save)
}

#' @rdname flow_images_from_directory
#' @param dataframe a data frame.
#' @param x_col the name of the column of file names, below `directory` or, without one, as they are.
#' @param y_col the name of the column of classes or numbers; names, where there are several.
#' @param drop_duplicates leave out rows whose file was named before?
#' @param weight_col the name of a column of weights of the pictures.
#' @param validate_filenames leave out rows whose files are not there?
#' @export
flow_images_from_dataframe <- function(dataframe, directory = NULL, x_col = "filename", y_col = "class",
  generator = image_data_generator(), target_size = c(256, 256), color_mode = "rgb", classes = NULL,
  class_mode = "categorical", batch_size = 32, shuffle = TRUE, seed = NULL, save_to_dir = NULL, save_prefix = "",
  save_format = "png", subset = NULL, interpolation = "nearest", drop_duplicates = NULL, weight_col = NULL,
  validate_filenames = TRUE) {
  self <- check_image_generator(generator)
  save <- check_saving(save_to_dir, save_prefix, save_format)
  how <- reading_pictures(color_mode, target_size, interpolation)
  if (!is.data.frame(dataframe)) abort("`dataframe` must be a data frame, not ", describe(dataframe))
  dataframe <- as.data.frame(dataframe)
  directory <- if (is.null(directory)) "" else check_folder(directory)
  if (!is.null(class_mode)) class_mode <- check_choice(if (identical(class_mode, "other")) "raw" else class_mode,
    c("categorical", "binary", "sparse", "input", "raw", "multi_output"))
  column <- function(name, arg) {
    for (own in check_strings(name, arg, "flow_images_from_dataframe")) if (!own %in% names(dataframe))
      abort("`", arg, "` names the column `", own, "`, which `dataframe` does not have", did_you_mean(own,
        names(dataframe)), fun = "flow_images_from_dataframe")
    name
  }
  files <- dataframe[[column(check_string(x_col), "x_col")]]
  files <- check_strings(if (is.factor(files)) as.character(files) else files, "dataframe[[x_col]]")
  weights <- if (!is.null(weight_col)) check_numbers(dataframe[[column(check_string(weight_col), "weight_col")]],
    "dataframe[[weight_col]]")
  path <- function(files) if (nzchar(directory)) file.path(directory, files) else files
  keep <- if (check_flag(validate_filenames)) file.exists(path(files)) & has_ending(files, endings_of_pictures) else
    !logical(length(files))
  if (any(!keep)) warn("`flow_images_from_dataframe()`: ", sum(!keep), " of ", length(keep), " files in `x_col` are ",
    "not there or no pictures, such as \"", files[!keep][1], "\"; their rows are left out", class = "images")
  if (!is.null(drop_duplicates) && check_flag(drop_duplicates)) keep <- keep & !duplicated(files)
  labels <- of_classes <- NULL
  if (isTRUE(class_mode %in% c("categorical", "binary", "sparse"))) {
    own <- dataframe[[column(check_string(y_col), "y_col")]]
    if (is.numeric(own)) abort("`dataframe[[y_col]]` holds numbers: classes are strings, `as.character()` makes them, ",
      "and `class_mode = \"raw\"` takes numbers as they are")
    if (is.factor(own)) own <- as.character(own)
    if (is.list(own) && class_mode != "categorical") abort("a list of classes needs `class_mode = \"categorical\"`")
    own <- lapply(own, check_strings, "dataframe[[y_col]]", "flow_images_from_dataframe")
    of_classes <- if (!is.null(classes)) check_strings(classes) else
      sort(unique(as.character(unlist(own[keep]))), method = "radix")
    own <- lapply(own, match, of_classes)
    keep <- keep & !vapply(own, anyNA, NA)
    labels <- if (all(lengths(own) == 1)) unlist(own) - 1L else lapply(own, `-`, 1L)
  } else if (isTRUE(class_mode %in% c("raw", "multi_output"))) {
    labels <- lapply(column(y_col, "y_col"), function(name) check_numbers(dataframe[[name]],
      paste0("dataframe$", name), "flow_images_from_dataframe"))
  }
  rows <- which(keep)
  rows <- rows[subset_rows(length(rows), subset, self$validation_split)]
  message("Found ", length(rows), " validated image filenames", if (!is.null(of_classes)) paste(" belonging to",
    length(of_classes), "classes"), ".")
  if (!length(rows)) abort("there are no pictures: none of the ", length(files), " files is there", class = "file")
  raw <- isTRUE(class_mode %in% c("raw", "multi_output"))
  flow_of_files(self, files[rows], directory, if (raw) lapply(labels, `[`, rows) else labels[rows], of_classes,
    class_mode, how, batch_size, shuffle, seed, save, weights[rows])
}

endings_of_pictures <- c("png", "jpg", "jpeg", "bmp", "gif", "tif", "tiff", "ppm", "webp")

flow_of_files <- function(self, files, directory, labels, classes, class_mode, how, batch_size, shuffle, seed, save,
  weights = NULL, fun = calling_function()) {
  n_classes <- length(classes)
  if (identical(class_mode, "binary") && n_classes != 2) abort("`class_mode = \"binary\"` is for two classes, not ",
    n_classes, fun = fun)
  if (is.null(how$size)) abort("`target_size` must be given: the pictures of a batch are of one size", fun = fun)
  paths <- if (nzchar(directory)) file.path(directory, files) else files
  targets <- function(x, k) switch(class_mode,
    binary = , sparse = as.double(labels[k]),
    categorical = one_hot_rows(labels[k], n_classes),
    input = x,
    raw = if (length(labels) == 1) labels[[1]][k] else do.call(cbind, lapply(labels, `[`, k)),
    multi_output = lapply(labels, `[`, k))
  finish <- function(x, k) {
    if (is.null(class_mode)) return(x)
    c(list(x, targets(x, k)), if (!is.null(weights)) list(weights[k]))
  }
  shape <- c(how$size, how$channels)
  if (self$data_format == "channels_first") shape <- shape[c(3, 1, 2)]
  how$fun <- fun
  new_image_flow(self, length(files), batch_size, shuffle, seed, function(k) read_pictures(paths[k], how, self$dtype),
    finish, save, list(class_indices = if (n_classes) as.list(stats::setNames(seq_len(n_classes) - 1L, classes)),
      classes = if (n_classes) labels, labels = labels, num_classes = n_classes, filenames = files, filepaths = paths,
      image_shape = as.integer(shape), target_size = as.integer(how$size), color_mode = how$mode,
      class_mode = class_mode, directory = directory), fun)
}

#' Rows of zeros and ones from class numbers, or lists of them.
#' @noRd
one_hot_rows <- function(labels, n) {
  rows <- matrix(0, length(labels), n)
  rows[cbind(rep(seq_along(labels), lengths(labels)), unlist(labels) + 1)] <- 1
  rows
}

#' The pictures in files of one size as a tensor with the channels last.
#' @noRd
read_pictures <- function(paths, how, dtype = "float32") op_stack(lapply(paths, read_picture, how, dtype), 1)
