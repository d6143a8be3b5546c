# Data sets of records in files: lines of columns, described by a specification, and records of so many bytes.

#' Specifications of records in lines
#'
#' They tell names, types and default values of the columns in files of delimited lines, for [text_line_dataset()] and
#' [dataset_decode_delim()]. What is not given is taken from the first 1000 lines of `example_file`.
#'
#' @param example_file a file of such lines; not needed if names and types or defaults are given.
#' @param delim what stands between columns, a single character.
#' @param skip lines to skip. With `names`, a line with names in the file must be skipped, too; without, the names are
#'   in the line after those that are skipped, which data sets skip as well.
#' @param names names of the columns, or `NULL`.
#' @param types `"integer"`, `"double"` or `"character"` for each column, or a string of the letters `i`, `d`, `c`.
#' @param defaults a list of values for what is missing, which is 0 or `""` by default.
#' @return A specification: a list of class `tf_dataset_record_spec`.
#' @section Errors: `nativenet_error_file` for an example file that cannot be read; `nativenet_error_shape` for names,
#'   types or defaults that differ in number.
#' @seealso [text_line_dataset()], [make_csv_dataset()], [csv_dataset()]
#' @examples
#' path <- tempfile(fileext = ".csv")
#' write.csv(data.frame(x = 1:3, y = c(0.5, 1, 2)), path, row.names = FALSE)
#' spec <- csv_record_spec(path)
#' iterate(text_line_dataset(path, record_spec = spec), function(row) print(row$y))
#' @export
delim_record_spec <- function(example_file, delim = ",", skip = 0, names = NULL, types = NULL, defaults = NULL) {
  make_record_spec(if (!missing(example_file)) example_file, delim, skip, names, types, defaults)
}

#' @rdname delim_record_spec
#' @export
csv_record_spec <- function(example_file, skip = 0, names = NULL, types = NULL, defaults = NULL) {
  make_record_spec(if (!missing(example_file)) example_file, ",", skip, names, types, defaults)
}

#' @rdname delim_record_spec
#' @export
tsv_record_spec <- function(example_file, skip = 0, names = NULL, types = NULL, defaults = NULL) {
  make_record_spec(if (!missing(example_file)) example_file, "\t", skip, names, types, defaults)
}

# What a column of a record becomes.
record_types <- c(integer = "int32", double = "float32", character = "string")
lines_to_look_at <- 1000

make_record_spec <- function(file, delim, skip, names, types, defaults, quote = "\"", na_value = "",
  look_at = lines_to_look_at, fun = calling_function()) {
  if (nchar(check_string(delim, "delim", fun), "bytes") != 1) abort("`delim` must be a single character, not ",
    describe(delim), fun = fun)
  if (!is.null(file)) check_string(file, "example_file", fun)
  skip <- check_count(skip, min = 0, arg = "skip", fun = fun)
  spec <- list(names = names, types = NULL, defaults = NULL, delim = delim, skip = skip, quote = quote,
    na_value = na_value)
  if (!is.null(names)) check_strings(names, "names", fun)
  if (!is.null(types)) types <- full_types(types, fun)
  if (!is.null(defaults)) {
    if (!is_branch(defaults)) abort("`defaults` must be a list with a value for each column, not ",
      describe(defaults), fun = fun)
    defaults <- lapply(defaults, check_default, fun = fun)
    if (is.null(types)) types <- vapply(defaults, typeof, "")
  }
  if (is.null(names) || is.null(types)) {
    if (is.null(file)) abort("`example_file` must be given, unless names and types or defaults are", fun = fun)
    file <- existing_file(file, "example_file", fun)
    refuse <- refuse_records(file, fun)
    reader <- line_reader(file, fun)
    lines <- reader$read(skip + is.null(names) + look_at)
    reader$close(reader)
    lines <- lines[seq_along(lines) > skip]
    if (is.null(names)) {
      if (!length(lines)) refuse("there is no line with the names of the columns")
      spec$names <- make.names(as.character(split_columns(lines[1], spec, refuse)), unique = TRUE)
      spec$skip <- skip + 1
      lines <- lines[-1]
    }
    if (is.null(types)) {
      lines <- lines[nzchar(lines)]
      if (!length(lines)) refuse("there is no line that tells the types of the columns; give `types`")
      types <- vapply(split_columns(lines, spec, refuse), guess_type, "", na_value = na_value)
    }
  }
  for (part in c("types", "defaults")) {
    n <- length(get(part))
    if (n != length(spec$names) && (part == "types" || !is.null(defaults))) abort("`", part, "` must be as many as ",
      "there are columns (", length(spec$names), "), not ", n, class = "shape", fun = fun)
  }
  twice <- anyDuplicated(spec$names)
  if (twice) abort("`names` has ", describe(spec$names[twice]), " twice", class = "names", fun = fun)
  spec$types <- unname(types)
  spec$defaults <- unname(if (is.null(defaults)) lapply(spec$types, function(type) switch(type, integer = 0L,
    double = 0, character = "")) else Map(fitting_default, defaults, spec$types, spec$names, fun))
  structure(spec, class = c("nn_record_spec", "tf_dataset_record_spec"))
}

full_types <- function(types, fun) {
  types <- tolower(check_strings(types, "types", fun))
  if (length(types) == 1 && grepl("^[idc]+$", types)) types <- strsplit(types, "")[[1]]
  short <- match(types, substr(names(record_types), 1, 1))
  types[!is.na(short)] <- names(record_types)[short[!is.na(short)]]
  unknown <- setdiff(types, names(record_types))
  if (length(unknown)) abort("`types` must be \"integer\", \"double\" or \"character\", or a string of the letters i, ",
    "d and c, not ", describe(unknown[1]), fun = fun)
  types
}

#' A value, or none: then it must not be missing.
#' @noRd
check_default <- function(x, fun) {
  if (is.list(x) && !is.object(x) && length(x) == 1) x <- x[[1]]
  if (is.object(x) || !typeof(x) %in% names(record_types) || length(x) > 1 || anyNA(x)) abort("`defaults` must be ",
    "numbers or strings, or vectors of length 0 for columns where no value may be missing, not ", describe(x),
    fun = fun)
  x
}

fitting_default <- function(x, type, name, fun) {
  if (typeof(x) == type) return(x)
  if (type == "double" && is.integer(x)) return(as.double(x))
  if (type == "integer" && is.double(x) && all(x == trunc(x) & abs(x) <= .Machine$integer.max)) return(as.integer(x))
  abort("the default of column \"", name, "\" must be of type ", type, ", not ", describe(x), fun = fun)
}

check_record_spec <- function(x, arg = "record_spec", fun = calling_function()) {
  if (inherits(x, "nn_record_spec")) return(x)
  abort("`", arg, "` must come from `csv_record_spec()` or its like, not be ", describe(x), fun = fun)
}

#' @export
print.nn_record_spec <- function(x, ...) {
  cat("<records> ", paste0(x$names, ": ", x$types, collapse = ", "), "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_record_spec <- function(x) "a specification of records"

refuse_records <- function(file, fun) function(...) abort(encodeString(file, quote = "\""), ": ", ..., class = "file",
  fun = fun)

#' Lines as a list of columns of text.
#' @noRd
split_columns <- function(lines, spec, refuse) {
  unreadable <- function(e) refuse(conditionMessage(e))
  columns <- tryCatch(utils::read.table(text = lines, sep = spec$delim, quote = spec$quote, header = FALSE,
    colClasses = "character", na.strings = character(), comment.char = "", check.names = FALSE,
    stringsAsFactors = FALSE), error = unreadable, warning = unreadable)
  n <- length(spec$names)
  if (n && length(columns) != n) refuse("there are ", length(columns), " columns, not ", n, " as the names say")
  unname(as.list(columns))
}

whole_number_text <- "^[[:space:]]*[-+]?[0-9]+[[:space:]]*$"

#' Text as numbers of a type, NA where it is none.
#' @noRd
read_numbers <- function(text, type) {
  x <- suppressWarnings(as.double(text))
  if (type == "double") return(x)
  x[!grepl(whole_number_text, text) | abs(x) > .Machine$integer.max] <- NA
  as.integer(x)
}

is_missing_text <- function(text, na_value) text == "" | text == na_value

guess_type <- function(text, na_value) {
  text <- text[!is_missing_text(text, na_value)]
  fits <- function(type) !any(is.na(x <- read_numbers(text, type)) & !is.nan(x))
  if (length(text) && fits("integer")) "integer" else if (fits("double")) "double" else "character"
}

#' Lines as columns of the specification.
#' @noRd
decode_lines <- function(lines, spec, refuse) {
  columns <- split_columns(lines, spec, refuse)
  stats::setNames(lapply(seq_along(columns), function(k) {
    text <- columns[[k]]
    lost <- is_missing_text(text, spec$na_value)
    default <- spec$defaults[[k]]
    if (any(lost) && !length(default)) refuse("a value is missing in column \"", spec$names[k],
      "\", which has no default")
    if (spec$types[k] == "character") return(if (any(lost)) replace(text, lost, default) else text)
    x <- read_numbers(replace(text, lost, "0"), spec$types[k])
    bad <- which(is.na(x) & !is.nan(x))
    if (length(bad)) refuse(describe(text[bad[1]]), " in column \"", spec$names[k], "\" is no ", if (spec$types[k] ==
      "integer") "whole number of 32 bits" else "number")
    if (any(lost)) x[lost] <- default
    if (is.double(x)) tensor(with_axes(x), "float32") else x
  }), spec$names)
}

record_elements <- function(spec) stats::setNames(lapply(record_types[spec$types], tensor_spec, integer()), spec$names)

#' The records of files one after the other, read by blocks of lines.
#' @noRd
records_dataset <- function(filenames, spec, block = lines_to_look_at, fun = calling_function()) {
  force(fun)
  refuse <- refuse_records(filenames[1], fun)
  if (length(filenames) > 1) refuse <- function(...) abort("cannot read the files: ", ..., class = "file", fun = fun)
  blocks_dataset(record_elements(spec), NA, function() {
    reader <- line_reader(filenames, fun)
    left <- spec$skip
    function() {
      while (length(lines <- reader$read(block))) {
        skipped <- min(left, length(lines))
        left <<- left - skipped
        lines <- lines[seq_along(lines) > skipped & nzchar(lines)]
        if (length(lines)) return(decode_lines(lines, spec, refuse))
      }
    }
  })
}

#' Decode lines of columns
#'
#' Makes records of a data set of lines, as [text_line_dataset()] gives them. Empty lines are left out. With
#' `record_spec`, [text_line_dataset()] does the same, and faster.
#'
#' @param dataset a data set of strings.
#' @param record_spec what [csv_record_spec()] or its like gives.
#' @param parallel_records ignored; present for compatibility with TensorFlow.
#' @return A data set of named lists.
#' @section Errors: `nativenet_error_file` for lines that do not hold what the specification says.
#' @seealso [delim_record_spec()]
#' @examples
#' lines <- tensor_slices_dataset(c("1,a", "2,b"))
#' spec <- csv_record_spec(names = c("n", "word"), types = "ic")
#' as.list(dataset_decode_delim(lines, spec))
#' @export
dataset_decode_delim <- function(dataset, record_spec, parallel_records = NULL) {
  check_dataset(dataset)
  spec <- check_record_spec(record_spec)
  check_hints(parallel_records)
  refuse <- function(...) abort("cannot decode a line: ", ..., class = "file", fun = "dataset_decode_delim")
  new_dataset(record_elements(spec), NA, pull = function() {
    pull <- dataset_skip(dataset, spec$skip)$pull()
    function() {
      while (!is.null(line <- pull())) {
        if (!is.character(line) || length(line) != 1) abort("`dataset` must have lines, each a string, not ",
          describe(line), fun = "dataset_decode_delim")
        if (nzchar(line)) return(lapply(decode_lines(line, spec, refuse), function(x) if (is.character(x)) x else
          op_reshape(tensor(x), integer())))
      }
    }
  })
}
