# Data sets of many files: found by patterns, read one after the other or in turns.

#' Data sets from tables in text files
#'
#' Reads batches of rows from one or several files of the same columns, shuffled and again and again, as training needs
#' it.
#'
#' @param file_pattern names of files, or patterns such as `"*.csv"`.
#' @param batch_size rows in a batch.
#' @param column_names names of the columns; `NULL`: they stand in the first line of each file.
#' @param column_defaults a list of values for what is missing, one for each column that is selected; a dtype such as
#'   `tf$int32`, or a vector of length 0, for columns where no value may be missing. `NULL`: types are those of the
#'   first lines, values 0 or `""`.
#' @param label_name name of the column that is the label, or `NULL`.
#' @param select_columns names of the columns to keep, in the order of the file; `NULL` for all.
#' @param field_delim what stands between columns, a single character.
#' @param use_quote_delim may columns stand in double quotes?
#' @param na_value text that means that a value is missing, beside none.
#' @param header do the files begin with a line of names?
#' @param num_epochs how often the files are gone through, `NULL` for without end; then all batches are full.
#' @param shuffle,shuffle_buffer_size,shuffle_seed whether and how to shuffle, see [dataset_shuffle()].
#' @param prefetch_buffer_size,num_parallel_reads,num_parallel_parser_calls,sloppy ignored; present for compatibility
#'   with TensorFlow.
#' @param num_rows_for_inference lines of the first file that tell types; `NULL` for all of them.
#' @return A data set of elements `list(features, label)`, where the features are a named list; only the features
#'   without `label_name`.
#' @section Errors: `nativenet_error_file` for files that do not hold what they should; `nativenet_error_names` for
#'   columns that are not there.
#' @seealso [csv_dataset()], [text_line_dataset()], [dataset_prepare()]
#' @examples
#' path <- tempfile(fileext = ".csv")
#' write.csv(data.frame(x = 1:4, y = c(0.5, 1, 2, 3)), path, row.names = FALSE)
#' data <- make_csv_dataset(path, batch_size = 2, label_name = "y", num_epochs = 1)
#' iterate(data, function(batch) print(batch[[1]]$x))
#' @export
make_csv_dataset <- function(file_pattern, batch_size, column_names = NULL, column_defaults = NULL, label_name = NULL,
  select_columns = NULL, field_delim = ",", use_quote_delim = TRUE, na_value = "", header = TRUE, num_epochs = NULL,
  shuffle = TRUE, shuffle_buffer_size = 10000, shuffle_seed = NULL, prefetch_buffer_size = 1, num_parallel_reads = 1,
  num_parallel_parser_calls = 2, sloppy = FALSE, num_rows_for_inference = 100) {
  files <- matching_files(file_pattern)
  batch_size <- check_count(batch_size)
  check_hints(num_parallel_parser_calls, check_flag(sloppy))
  check_reading_hints(buffer_size = prefetch_buffer_size, num_parallel_reads = num_parallel_reads)
  if (is.null(num_rows_for_inference)) rows <- 2^31 else rows <- check_count(num_rows_for_inference)
  if (!check_flag(header) && is.null(column_names)) abort("`column_names` must be given for files without a `header`")
  quote <- if (check_flag(use_quote_delim)) "\"" else ""
  check_string(na_value)
  if (nchar(check_string(field_delim), "bytes") != 1) abort("`field_delim` must be a single character, not ",
    describe(field_delim))
  names <- if (is.null(column_names)) names_in_headers(files, field_delim, quote) else check_strings(column_names)
  keep <- if (is.null(select_columns)) names else check_strings(select_columns)
  label <- if (!is.null(label_name)) check_string(label_name)
  for (wanted in c(keep, label)) if (!wanted %in% names) abort("there is no column ",
    encodeString(wanted, quote = "\""), did_you_mean(wanted, names), class = "names")
  if (!is.null(label) && !label %in% keep) abort("`label_name` must be one of `select_columns`", class = "names")
  keep <- names[names %in% keep]
  defaults <- if (!is.null(column_defaults)) all_defaults(column_defaults, keep, names)
  spec <- make_record_spec(files[1], field_delim, as.integer(header), names, NULL, defaults, quote, na_value, rows)
  each <- lapply(files, function(file) records_dataset(file, spec, fun = "make_csv_dataset"))
  data <- new_dataset(each[[1]]$spec, NA, pull = function() do.call(dataset_concatenate, each)$pull())
  if (check_flag(shuffle)) data <- dataset_shuffle(data, shuffle_buffer_size, shuffle_seed)
  data <- dataset_batch(dataset_repeat(data, num_epochs), batch_size, drop_remainder = is.null(num_epochs))
  arrange <- function(record) if (is.null(label)) record[keep] else list(record[setdiff(keep, label)], record[[label]])
  elements <- data
  new_dataset(arrange(elements$spec), elements$size, pull = function() {
    pull <- elements$pull()
    function() if (!is.null(record <- pull())) arrange(record)
  })
}

names_in_headers <- function(files, delim, quote, fun = calling_function()) {
  found <- lapply(files, function(file) {
    refuse <- refuse_records(file, fun)
    reader <- line_reader(file, fun)
    line <- reader$read(1)
    reader$close(reader)
    if (!length(line) || !nzchar(line)) refuse("there is no line with the names of the columns")
    names <- as.character(split_columns(line, list(delim = delim, quote = quote), refuse))
    if (anyDuplicated(names)) refuse("there are two columns of the name ", describe(names[anyDuplicated(names)]))
    names
  })
  other <- which(!vapply(found, identical, NA, found[[1]]))
  if (length(other)) abort(encodeString(files[other[1]], quote = "\""), " has other columns than ",
    encodeString(files[1], quote = "\""), class = "file", fun = fun)
  found[[1]]
}

#' Defaults for all columns, where those for the columns to keep are given.
#' @noRd
all_defaults <- function(given, keep, names, fun = calling_function()) {
  if (!is_branch(given) || length(given) != length(keep)) abort("`column_defaults` must be a list with a value for ",
    "each of ", length(keep), " columns, not ", describe(given), fun = fun)
  values <- rep(list(""), length(names))
  values[match(keep, names)] <- lapply(given, function(x) {
    if (is_tensor(x)) return(as.vector(as.array(x)))
    if (!inherits(x, "nn_dtype")) return(x)
    switch(check_choice(as.character(x), c(record_types, "float64"), "column_defaults", fun), int32 = integer(),
      string = character(), double())
  })
  values
}

#' Files of these names or patterns, sorted.
#' @noRd
matching_files <- function(pattern, arg = deparse(substitute(pattern)), fun = calling_function()) {
  if (!length(check_strings(pattern, arg, fun))) abort("`", arg, "` must name at least one file", fun = fun)
  found <- lapply(pattern, function(p) {
    files <- if (file.exists(p)) p else Sys.glob(p)
    files <- files[!dir.exists(files)]
    if (!length(files)) abort("there is no file ", encodeString(p, quote = "\""), class = "file", fun = fun)
    files
  })
  sort(unique(unlist(found)), method = "radix")
}

#' Read many files
#'
#' `file_list_dataset()` gives the names of files, `read_files()` what `reader` gives for each.
#'
#' @param file_pattern names of files, or patterns such as `"*.csv"`.
#' @param shuffle in another order each time? As in TensorFlow, unless it is `FALSE`.
#' @param seed a whole number, or `NULL`.
#' @param files names of files, a pattern, or a data set of names. Names are read in their order; files found by a
#'   pattern are shuffled.
#' @param reader a function of a name that gives a data set, such as [text_line_dataset()].
#' @param ... arguments of `reader`.
#' @param parallel_files how many files are read in turns.
#' @param parallel_interleave how many elements of each, before the next one's turn.
#' @param num_shards,shard_index read only the files of one of so many shards, counted from 0.
#' @return A data set.
#' @section Errors: `nativenet_error_file` where there is no such file.
#' @seealso [dataset_interleave()], [dataset_shard()]
#' @examples
#' folder <- tempfile()
#' dir.create(folder)
#' for (k in 1:2) writeLines(paste(k, 1:3), file.path(folder, paste0(k, ".txt")))
#' files <- file_list_dataset(file.path(folder, "*.txt"), shuffle = FALSE)
#' iterate(read_files(files, text_line_dataset, parallel_files = 2), print)
#' @export
file_list_dataset <- function(file_pattern, shuffle = NULL, seed = NULL) {
  files <- matching_files(file_pattern)
  seed <- check_seed(seed)
  data <- tensor_slices_dataset(files)
  if (is.null(shuffle) || check_flag(shuffle)) dataset_shuffle(data, length(files), seed) else data
}

#' @rdname file_list_dataset
#' @export
read_files <- function(files, reader, ..., parallel_files = 1, parallel_interleave = 1, num_shards = NULL,
  shard_index = NULL) {
  check_function(reader)
  if (!is_dataset(files)) {
    found <- matching_files(files)
    files <- if (length(files) == 1 && !file.exists(files)) file_list_dataset(files) else tensor_slices_dataset(files)
  }
  if (is.null(num_shards) && !is.null(shard_index)) abort("`num_shards` must be given with `shard_index`")
  if (!is.null(num_shards)) files <- dataset_shard(files, num_shards, shard_index)
  dataset_interleave(files, function(file) reader(file, ...), cycle_length = check_count(parallel_files),
    block_length = check_count(parallel_interleave))
}

#' Records of so many bytes
#'
#' @param filenames paths of files.
#' @param record_bytes bytes in each record.
#' @param header_bytes,footer_bytes bytes at the beginning and the end of each file that are no records.
#' @param buffer_size ignored; present for compatibility with TensorFlow.
#' @return A data set of raw vectors. They are no tensors: a function of [dataset_map()] makes numbers of them.
#' @section Errors: `nativenet_error_file` for files that do not hold whole records.
#' @seealso [array_file_dataset()]
#' @examples
#' path <- tempfile()
#' writeBin(as.raw(1:6), path)
#' iterate(fixed_length_record_dataset(path, record_bytes = 3), print)
#' @export
fixed_length_record_dataset <- function(filenames, record_bytes, header_bytes = NULL, footer_bytes = NULL,
  buffer_size = NULL) {
  filenames <- existing_files(filenames)
  size <- check_count(record_bytes)
  head <- if (is.null(header_bytes)) 0 else check_count(header_bytes, min = 0)
  foot <- if (is.null(footer_bytes)) 0 else check_count(footer_bytes, min = 0)
  check_reading_hints(buffer_size = buffer_size)
  count <- function(path) {
    body <- file.size(existing_file(path, "filenames", "fixed_length_record_dataset")) - head - foot
    if (body < 0 || body %% size != 0) abort(encodeString(path, quote = "\""), " must hold whole records of ", size,
      " bytes, not ", if (body < 0) "fewer bytes than header and footer" else format_bytes(body), class = "file",
      fun = "fixed_length_record_dataset")
    body / size
  }
  new_dataset(NULL, sum(vapply(filenames, count, 0)), pull = function() {
    counts <- vapply(filenames, count, 0, USE.NAMES = FALSE)
    at <- 1
    done <- 0
    records <- list()
    taken <- 0
    function() {
      if (taken == length(records)) {
        while (at <= length(filenames) && done == counts[at]) {
          at <<- at + 1
          done <<- 0
        }
        if (at > length(filenames)) return(NULL)
        n <- min(counts[at] - done, max(1, line_bytes %/% size))
        records <<- read_records(filenames[at], head + done * size, size, n)
        done <<- done + n
        taken <<- 0
      }
      taken <<- taken + 1
      records[[taken]]
    }
  })
}

read_records <- function(path, from, size, n) {
  con <- file(path, "rb")
  on.exit(close(con))
  seek(con, from)
  bytes <- readBin(con, "raw", size * n)
  if (length(bytes) < size * n) abort(encodeString(path, quote = "\""), " has become shorter", class = "file",
    fun = "fixed_length_record_dataset")
  lapply(seq_len(n), function(k) bytes[(k - 1) * size + seq_len(size)])
}
