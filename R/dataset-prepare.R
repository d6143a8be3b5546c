# Verbs that are made of others.

#' Features and responses from named columns
#'
#' Makes of elements that are named lists what models train on: the features, stacked along a new last axis or as a
#' named list, and the response. Columns are given by names, `c()`, `-`, strings or the functions of [has_type()], or
#' by a formula such as `y ~ a + b` or `y ~ .`.
#'
#' @param dataset a data set of named lists, as [text_line_dataset()] with a `record_spec`, [make_csv_dataset()] and
#'   [tensor_slices_dataset()] of a data frame give.
#' @param x the features, or a formula.
#' @param y the response, or `NULL` for none.
#' @param named `TRUE` for elements `list(x = , y = )`, `FALSE` for such without names.
#' @param named_features `TRUE` for features as a named list, `FALSE` for one tensor, for which they must agree in dtype
#'   and shape.
#' @param batch_size a whole number to make batches as [dataset_batch()] does, or `NULL`.
#' @param drop_remainder leave out a last batch that is not full?
#' @param parallel_records,num_parallel_batches ignored; present for compatibility with TensorFlow.
#' @return A data set of elements with the parts `x` and, if there is a response, `y`.
#' @section Errors: `nativenet_error_names` for columns that are not there; `nativenet_error_dtype` and
#'   `nativenet_error_shape` for features that cannot be stacked.
#' @seealso [dataset_map()], [feature_spec()]
#' @examples
#' data <- dataset_prepare(tensor_slices_dataset(mtcars), x = c(mpg, disp), y = cyl, batch_size = 16)
#' batch <- next_batch(data)
#' dim(batch$x)
#' next_batch(dataset_prepare(tensor_slices_dataset(mtcars), cyl ~ mpg + disp))
#' @export
dataset_prepare <- function(dataset, x, y = NULL, named = TRUE, named_features = FALSE, parallel_records = NULL,
  batch_size = NULL, num_parallel_batches = NULL, drop_remainder = FALSE) {
  check_dataset(dataset)
  check_given(missing(x), "x")
  check_hints(parallel_records)
  check_hints(num_parallel_batches)
  check_flag(named)
  check_flag(named_features)
  check_flag(drop_remainder)
  columns <- record_columns(dataset)
  chosen <- select_xy(substitute(x), substitute(y), columns, parent.frame())
  if (!length(chosen$x)) abort("`x` must select at least one column")
  for (names in list(if (!named_features) chosen$x, chosen$y)) check_stackable(columns, names)
  data <- dataset_map(dataset, split_record(chosen$x, chosen$y, columns$types, named, named_features))
  if (is.null(data$spec) && !is.null(dataset$spec) && named_features && length(chosen$y) < 2) {
    parts <- list(x = columns$specs[chosen$x])
    if (length(chosen$y)) parts$y <- columns$specs[[chosen$y]]
    data$spec <- if (named) parts else unname(parts)
  }
  if (is.null(batch_size)) data else dataset_batch(data, batch_size, drop_remainder)
}

#' A function of a record. It is made here, as tracing looks at all that is around a function.
#' @noRd
split_record <- function(x, y, types, named, named_features) {
  # one feature makes an axis of size 1, one response does not
  stack <- function(record, names, axis) {
    if (length(names) == 1 && (!axis || types[names] == "string")) record[[names]] else
      op_stack(unname(record[names]), axis = -1)
  }
  function(record) {
    parts <- list(x = if (named_features) record[x] else stack(record, x, TRUE))
    if (length(y)) parts$y <- stack(record, y, FALSE)
    if (named) parts else unname(parts)
  }
}

check_stackable <- function(columns, names, fun = calling_function()) {
  if (length(names) < 2) return()
  types <- unique(columns$types[names])
  shapes <- unique(lapply(columns$specs[names], `[[`, "dim"))
  if (length(types) > 1 || types == "string") abort("columns that are stacked must be numbers of one dtype, not ",
    paste(types, collapse = " and "), "; `named_features = TRUE` keeps them apart", class = "dtype", fun = fun)
  if (length(shapes) > 1) abort("columns that are stacked must agree in shape, not have ",
    paste(vapply(shapes, format_shape, ""), collapse = " and "), class = "shape", fun = fun)
}

#' Map and batch in one call
#'
#' The same as [dataset_map()] and then [dataset_batch()].
#'
#' @inheritParams dataset_map
#' @inheritParams dataset_batch
#' @param num_parallel_batches ignored, as is `num_parallel_calls`.
#' @return A data set.
#' @examples
#' print(iterate(dataset_map_and_batch(range_dataset(to = 5), ~ -.x, 2), as.array))
#' @export
dataset_map_and_batch <- function(dataset, map_func, batch_size, num_parallel_batches = NULL, drop_remainder = FALSE,
  num_parallel_calls = NULL) {
  check_hints(num_parallel_batches)
  dataset_batch(dataset_map(dataset, map_func, num_parallel_calls), batch_size, drop_remainder)
}

#' Options of a data set
#'
#' TensorFlow's options steer threads and optimizations of its own. They are kept, so that code that sets them runs,
#' and change nothing: elements always come in the same order.
#'
#' @param dataset a data set.
#' @param ... named options, or one named list of them; nothing to look at those of the data set.
#' @return The data set with these options besides its own; without options, a list of them.
#' @examples
#' data <- dataset_options(range_dataset(to = 3), threading.private_threadpool_size = 10)
#' dataset_options(data)
#' @export
dataset_options <- function(dataset, ...) {
  check_dataset(dataset)
  options <- list(...)
  if (length(options) == 1 && is.null(names(options))) options <- options[[1]]
  if (!length(options)) return(as.list(dataset$options))
  if (!is_named_list(options)) abort("`...` must be named options or a named list of them, not ", describe(options))
  copy <- list2env(mget(ls(dataset), envir = dataset), parent = emptyenv())
  copy$options <- utils::modifyList(as.list(dataset$options), options)
  structure(copy, class = class(dataset))
}

#' Keep the elements of a data set in a folder
#'
#' [dataset_cache()] with a file in a folder, which other sessions read, too.
#'
#' @param dataset a data set that ends.
#' @param path the folder; it is made if it is not there.
#' @param compression ignored; present for compatibility with TensorFlow.
#' @param reader_func,shard_func must be `NULL`: the elements are in one file, and come in their order.
#' @return A data set.
#' @examples
#' data <- dataset_snapshot(range_dataset(to = 3), tempfile())
#' print(iterate(data, as.array))
#' @export
dataset_snapshot <- function(dataset, path, compression = c("AUTO", "GZIP", "SNAPPY", "None"), reader_func = NULL,
  shard_func = NULL) {
  check_dataset(dataset)
  check_string(path)
  if (!is.null(compression) && !missing(compression)) check_choice(compression, c("AUTO", "GZIP", "SNAPPY", "None", ""))
  if (!is.null(reader_func)) abort("`reader_func` must be NULL: the elements are in one file", class = "missing")
  if (!is.null(shard_func)) abort("`shard_func` must be NULL: the elements are in one file", class = "missing")
  make_folder(path)
  dataset_cache(dataset, file.path(path, "snapshot.safetensors"))
}

#' @rdname dataset_prefetch
#' @export
dataset_prefetch_to_device <- function(dataset, device, buffer_size = NULL) {
  if (!grepl("cpu", check_string(device), ignore.case = TRUE)) abort("`device` must be \"/cpu:0\", the only one that ",
    "the engine computes on, not ", describe(device), class = "missing")
  dataset_prefetch(dataset, buffer_size)
}

#' Data sets as they are
#'
#' `as_tf_dataset()` gives a data set back: all of them are of one class here.
#'
#' @param dataset a data set.
#' @return The data set.
#' @examples
#' as_tf_dataset(range_dataset(to = 2))
#' @export
as_tf_dataset <- function(dataset) check_dataset(dataset)
