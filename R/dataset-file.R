# Data sets from files, for data larger than memory.

#' Create data sets from files
#'
#' `idx_dataset()` reads images, and labels beside them, from idx files as [dataset_mnist()]'s; `array_file_dataset()`
#' reads any file of plain numbers in row-major order, the lowest byte of each first. Both leave the numbers on disk,
#' where the operating system fetches them as they are needed; of each file the process keeps at most some 64 MB. They
#' can be shuffled fully, or by blocks where the file is larger than memory, see [dataset_shuffle()]. Compressed idx
#' files are unpacked to a temporary file first. `text_line_dataset()` gives lines as strings, `csv_dataset()` rows as
#' named lists; they read some lines at a time. The first `block` lines decide the types of the columns; missing
#' numbers are NaN in columns of doubles. Windows keeps a file from being changed or removed as long as a data set
#' reads it; `gc()` lets go of it afterwards.
#'
#' @param file,images,labels,filenames paths; `filenames` may be several.
#' @param dim the shape of the whole array.
#' @param dtype `"float32"`, `"float64"`, `"int32"`, `"int64"` or `"uint8"` (which becomes int32).
#' @param offset bytes before the first number.
#' @param column_names names of the columns; `NULL`: they stand in the first line.
#' @param select names of the columns to keep, `NULL` for all.
#' @param sep what stands between columns.
#' @param record_spec what [csv_record_spec()] or its like gives, for records in place of lines; `NULL` for none. The
#'   lines that it skips are those of the first file; [read_files()] skips them in each.
#' @param compression_type `"GZIP"`, `""` or `NULL`; what is compressed is found out.
#' @param buffer_size,num_parallel_reads,parallel_records,name ignored; present for compatibility with TensorFlow.
#' @param ... must be empty.
#' @param block lines to read at a time.
#' @return A data set.
#' @section Errors: `nativenet_error_file` for files that do not hold what they should; for `array_file_dataset()` of
#'   floats and int64 on big-endian machines.
#' @examples
#' path <- tempfile(fileext = ".csv")
#' write.csv(data.frame(x = 1:3, y = c(0.5, 1, 2)), path, row.names = FALSE)
#' iterate(csv_dataset(path), function(row) print(row$y))
#'
#' numbers <- tempfile()
#' writeBin(as.double(1:6), numbers, size = 4)
#' as.list(array_file_dataset(numbers, dim = c(3, 2)))
#' @export
idx_dataset <- function(images, labels = NULL) {
  files <- c(check_string(images), if (!is.null(labels)) check_string(labels))
  columns <- lapply(unname(files), idx_column)
  rows <- vapply(columns, `[[`, 0, "rows")
  if (any(rows != rows[1])) abort(rows[1], " images but ", rows[2], " labels", class = "shape")
  spec <- lapply(columns, `[[`, "spec")
  slices_dataset(if (length(spec) == 1) spec[[1]] else spec, rows[1], columns)
}

#' The bytes of an idx file, or, where they are larger numbers in the wrong order for this machine, the array.
#' @noRd
idx_column <- function(path, fun = "idx_dataset") {
  with_idx(path, fun, function(header, values) {
    rows <- as.double(header$dim[1])
    if (header$what != "raw") return(c(column(idx_array(values(), header$dim)), rows = rows))
    bytes <- file_bytes(path, header$bytes, exactly = TRUE, compressed = header$compressed, fun = fun)
    list(data = bytes, offset = header$bytes - prod(header$dim), spec = tensor_spec("int32", header$dim[-1]),
      rows = rows)
  })
}

#' A function that gives the file's bytes: as memory where the system has that, else read. The file is checked now and
#' each time.
#' @noRd
file_bytes <- function(path, needed, exactly = FALSE, compressed = FALSE, fun = calling_function()) {
  path <- normalizePath(path)
  find <- function() {
    plain <- if (compressed && file.exists(path)) unpacked(path, needed, fun) else path
    size <- file.size(plain)
    if (is.na(size)) abort("there is no file ", encodeString(path, quote = "\""), class = "file", fun = fun)
    if (size < needed || (exactly && size > needed)) {
      abort(encodeString(path, quote = "\""), " holds ", format_bytes(size), ", not ", if (!exactly) "at least ",
        needed, class = "file", fun = fun)
    }
    plain
  }
  find()
  function() {
    plain <- find()
    mapped <- if (file.size(plain) > 0) .Call(C_map_file, plain)
    if (is.null(mapped)) readBin(plain, "raw", file.size(plain)) else mapped
  }
}

#' Unpack a compressed file of so many bytes, once in a session.
#' @noRd
unpacked <- function(path, bytes, fun) {
  info <- file.info(path)
  key <- paste(path, as.numeric(info$mtime), info$size)
  if (isTRUE(file.exists(as.character(session$unpacked[key])))) return(session$unpacked[[key]])
  to <- tempfile("nativenet-", fileext = ".idx")
  unpack(path, to, refuse_file(path, "idx", fun), bytes, fun = fun)
  session$unpacked[key] <- to
  to
}

# Bytes of a number in files.
dtype_sizes <- c(float32 = 4, float64 = 8, int64 = 8, int32 = 4, int16 = 2, int8 = 1, uint16 = 2, uint8 = 1, bool = 1)

#' @rdname idx_dataset
#' @export
array_file_dataset <- function(file, dim, dtype = "float32", offset = 0) {
  file <- existing_file(file)
  size <- dtype_sizes[c("float32", "float64", "int32", "int64", "uint8")]
  check_choice(dtype, names(size))
  offset <- check_count(offset, min = 0)
  dim <- check_sizes(dim, arg = "dim")
  if (!length(dim)) abort("`dim` must be the sizes of at least one axis, not ", describe(dim))
  if (.Platform$endian != "little" && !dtype %in% c("uint8", "int32")) abort("numbers are read where they lie in the ",
    "file, lowest byte first, which this machine cannot: use readBin(endian = \"little\")", class = "file")
  spec <- tensor_spec(if (dtype == "uint8") "int32" else dtype, dim[-1])
  bytes <- file_bytes(file, prod(dim) * size[[dtype]] + offset)
  if (dtype != "int32") return(slices_dataset(spec, dim[1], list(list(data = bytes, offset = offset))))
  con <- file(normalizePath(file), "rb") # a file of int32 is read whole: mapped bytes are small numbers
  on.exit(close(con))
  seek(con, offset)
  numbers <- readBin(con, "integer", prod(dim), size = 4, endian = "little")
  slices_dataset(spec, dim[1], list(list(data = op_reshape(tensor(array(numbers, length(numbers))), dim), offset = 0)))
}

#' @rdname idx_dataset
#' @export
text_line_dataset <- function(filenames, compression_type = NULL, ..., buffer_size = NULL, num_parallel_reads = NULL,
  name = NULL, record_spec = NULL, parallel_records = NULL, block = 1000) {
  check_no_more(list(...))
  block <- check_count(block)
  check_hints(parallel_records, name = name)
  check_reading_hints(compression_type, buffer_size, num_parallel_reads)
  filenames <- existing_files(filenames)
  if (!is.null(record_spec)) return(records_dataset(filenames, check_record_spec(record_spec), block))
  new_dataset(spec_of(""), NA, pull = function() {
    lines <- line_reader(filenames, "text_line_dataset")
    items <- character()
    i <- 0
    function() {
      if (i >= length(items)) {
        items <<- lines$read(block)
        i <<- 0
        if (!length(items)) return(NULL)
      }
      i <<- i + 1
      items[[i]]
    }
  })
}

existing_files <- function(filenames, fun = calling_function()) {
  if (!length(check_strings(filenames, fun = fun))) abort("`filenames` must name at least one file", fun = fun)
  vapply(filenames, existing_file, "", arg = "filenames", fun = fun, USE.NAMES = FALSE)
}

#' How TensorFlow reads files. What is compressed as gzip is found out.
#' @noRd
check_reading_hints <- function(compression_type = NULL, buffer_size = NULL, num_parallel_reads = NULL,
  fun = calling_function(), types = c("", "GZIP")) {
  if (!is.null(compression_type)) check_choice(compression_type, types, "compression_type", fun)
  if (!is.null(buffer_size)) check_count(buffer_size, min = 0, arg = "buffer_size", fun = fun)
  if (!is.null(num_parallel_reads)) check_count(num_parallel_reads, min = -1, arg = "num_parallel_reads", fun = fun)
}

# Of a file of lines so many bytes are read at a time, and no line is longer than so many, or than the file. A row has
# at most so many columns.
line_bytes <- 2^18
longest_line <- 2^22
most_columns <- 2^17

#' R warns of connections that are swept up before they are closed: until then the session holds them.
#' @noRd
keep_open <- function(con) {
  session$open[as.character(con)] <- list(con)
  con
}

close_kept <- function(con) {
  session$open[as.character(con)] <- NULL
  close(con)
}

#' What reads files, one after the other. Its file is closed when it is gone.
#' @noRd
new_reader <- function() {
  reader <- new.env(parent = emptyenv())
  reader$con <- NULL
  reader$close <- function(reader) {
    if (is.null(reader$con)) return()
    close_kept(reader$con)
    reader$con <- NULL
  }
  reg.finalizer(reader, reader$close)
  reader
}

open_reader <- function(reader, file, fun) {
  path <- existing_file(file, fun = fun) # it may have gone since
  reader$con <- keep_open(gzfile(path, "rb")) # reads plain files, too
  reader$refuse <- function(...) {
    reader$close(reader)
    abort("cannot read ", encodeString(path, quote = "\""), ": ", ..., class = "file", fun = fun)
  }
  reader$bytes <- byte_reader(reader$con, reader$refuse, path)
  path
}

#' Lines of files, compressed or not: up to n at a time, or fewer when they have 4 MB; character() at the end. The file
#' is closed then, or when the reader is gone.
#' @noRd
line_reader <- function(filenames, fun = calling_function()) {
  reader <- new_reader()
  at <- 0
  ready <- character() # whole lines
  reader$read <- function(n) {
    bytes <- 0
    while (length(ready) < n && bytes < 2^22) {
      if (is.null(reader$con)) {
        if (length(ready) || at >= length(filenames)) break
        at <<- at + 1
        open_lines(reader, filenames[[at]], fun)
      }
      fresh <- more_lines(reader)
      bytes <- bytes + sum(nchar(fresh, "bytes"))
      ready <<- c(ready, fresh)
    }
    n <- min(n, length(ready))
    lines <- ready[seq_len(n)]
    ready <<- ready[-seq_len(n)]
    lines
  }
  reader
}

open_lines <- function(reader, file, fun) {
  path <- open_reader(reader, file, fun)
  reader$rest <- character() # the pieces of the line that is not whole yet
  reader$longest <- max(longest_line, file.size(path))
  reader$fresh <- TRUE
}

#' The lines that end within the next bytes of the file.
#' @noRd
more_lines <- function(reader) {
  bytes <- reader$bytes(line_bytes)
  if (!length(bytes)) {
    last <- paste(reader$rest, collapse = "")
    reader$close(reader)
    return(if (nzchar(last)) last else character())
  }
  if (reader$fresh && identical(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))) bytes <- bytes[-(1:3)] # a byte order mark
  reader$fresh <- FALSE
  # lines end with \n, \r\n or \r
  if (identical(utils::tail(bytes, 1), as.raw(0x0d))) bytes <- c(bytes, reader$bytes(1))
  text <- as_string(bytes, reader$refuse)
  reader$rest <- c(reader$rest, text)
  if (!grepl("\n", text, fixed = TRUE, useBytes = TRUE) && !grepl("\r", text, fixed = TRUE, useBytes = TRUE)) {
    if (length(reader$rest) * line_bytes > reader$longest) reader$refuse("a line has more than ",
      format_bytes(reader$longest))
    return(character())
  }
  text <- gsub("\r\n?", "\n", paste(reader$rest, collapse = ""), useBytes = TRUE)
  lines <- strsplit(text, "\n", fixed = TRUE, useBytes = TRUE)[[1]]
  Encoding(lines) <- "unknown"
  reader$rest <- character()
  if (grepl("\n$", text, useBytes = TRUE)) return(lines)
  reader$rest <- lines[length(lines)]
  lines[-length(lines)]
}

#' @rdname idx_dataset
#' @export
csv_dataset <- function(file, column_names = NULL, select = NULL, sep = ",", block = 1000) {
  file <- existing_file(file)
  block <- check_count(block)
  if (nchar(check_string(sep), "bytes") > 1) abort("`sep` must be a single character, or \"\" for white space, not ",
    describe(sep))
  if (!is.null(column_names)) column_names <- check_strings(column_names)
  if (!is.null(select)) select <- check_strings(select)
  csv <- new.env(parent = emptyenv())
  csv$file <- file
  csv$sep <- sep
  csv$header <- is.null(column_names)
  csv$done <- 0 # rows before those that are parsed
  find_columns(csv, column_names, block)
  keep <- if (is.null(select)) csv$names else select
  unknown <- setdiff(keep, csv$names)
  if (length(unknown)) refuse_csv(csv, " has no column ", paste0("\"", unknown, "\"", collapse = ", "))
  at <- match(keep, csv$names)
  classes <- csv$classes[at]
  odd <- which(!classes %in% names(csv_types))
  if (length(odd)) refuse_csv(csv, " has a column of class ", classes[odd[1]], ", \"", keep[odd[1]], "\"")
  blocks_dataset(stats::setNames(lapply(csv_types[classes], tensor_spec, integer()), keep), NA, function() {
    lines <- csv_rows(csv)
    if (csv$header) lines$read(1)
    before <- 0
    function() {
      text <- lines$read(block)
      if (!length(text)) return(NULL)
      csv$done <- before
      rows <- read_columns(csv, text, at)
      before <<- before + length(rows[[1]])
      rows
    }
  })
}

refuse_csv <- function(csv, ...) abort(encodeString(csv$file, quote = "\""), ..., class = "file", fun = "csv_dataset")

csv_rows <- function(csv) row_reader(csv$file, csv$sep, function(...) refuse_csv(csv, ...))

#' What the heading and the first lines tell of the columns: their names, their classes, and which are to be read as
#' text first.
#' @noRd
find_columns <- function(csv, names, block) {
  lines <- csv_rows(csv)
  heading <- if (csv$header) lines$read(1)
  first <- lines$read(block)
  lines$close()
  if (!length(heading) && !length(first)) refuse_csv(csv, " is empty")
  if (csv$header) {
    if (any(occurrences(if (nzchar(csv$sep)) csv$sep else c(" ", "\t"), heading[1]) > most_columns)) refuse_csv(csv,
      " has more than ", most_columns, " columns")
    names <- parsing(csv, scan(text = heading, what = "", sep = csv$sep, quote = "\"", quiet = TRUE,
      comment.char = ""))
  }
  twice <- anyDuplicated(names)
  if (twice) refuse_csv(csv, " has two columns of the name ", encodeString(names[twice], quote = "\""))
  csv$names <- names
  csv$classes <- if (length(first)) vapply(parse_csv(csv, first, NA), csv_class, "") else
    rep("numeric", length(names))
  # numbers in quotes, such as the row names that write.csv() writes, are read as text first
  in_quotes <- any(grepl("\"", first, fixed = TRUE, useBytes = TRUE)) &&
    inherits(tryCatch(parse_csv(csv, first, csv$classes), error = identity), "error")
  csv$quoted <- in_quotes & csv$classes != "character"
}

parse_csv <- function(csv, lines, classes) {
  parsing(csv, utils::read.table(text = lines, sep = csv$sep, header = FALSE, col.names = csv$names,
    colClasses = classes, quote = "\"", comment.char = "", check.names = FALSE, stringsAsFactors = FALSE))
}

#' The value of an expression that parses rows; its errors and warnings name the row of the file.
#' @noRd
parsing <- function(csv, expr) {
  unreadable <- function(e) {
    what <- conditionMessage(e)
    place <- regmatches(what, regexec("^line ([0-9]+) did", what))[[1]][2]
    refuse_csv(csv, ": ", if (is.na(place)) what else
      sub("line [0-9]+", paste("row", csv$done + as.numeric(place)), what))
  }
  tryCatch(expr, error = unreadable, warning = unreadable)
}

#' The columns at these places, of some lines.
#' @noRd
read_columns <- function(csv, lines, at) {
  # a name may be empty, as that of row names
  columns <- as.list(parse_csv(csv, lines, replace(csv$classes, csv$quoted, "character")))[at]
  for (i in seq_along(at)) {
    class <- csv$classes[at[i]]
    if (csv$quoted[at[i]]) columns[[i]] <- parsing(csv, unquoted(columns[[i]], class))
    if (is.double(columns[[i]])) {
      columns[[i]][is.na(columns[[i]])] <- NaN
    } else if (!is.character(columns[[i]]) && anyNA(columns[[i]])) {
      refuse_csv(csv, ": a value is missing in column \"", csv$names[at[i]], "\", which is ", class)
    }
  }
  columns
}

#' Reads lines as whole rows: a row whose text in quotes goes over several lines is not cut. Empty lines are left out,
#' but for those within quotes.
#' @noRd
row_reader <- function(file, sep, refuse) {
  lines <- line_reader(file, "csv_dataset")
  open_after <- function(text) { # is a quote open behind each line?
    if (!nzchar(sep)) text <- gsub("\\\\.", "", text, useBytes = TRUE) # as scan() has it, between white space
    cumsum(occurrences("\"", text)) %% 2 == 1
  }
  read <- function(n) {
    while (length(text <- lines$read(n))) {
      open <- open_after(text)
      while (open[length(open)]) {
        more <- lines$read(1)
        if (!length(more)) refuse(": a quote is open at its end")
        if (length(open) > n + longest_row) refuse(": a quote is not closed within ", longest_row, " lines")
        text <- c(text, more)
        open <- c(open, !open_after(more))
      }
      text <- text[nzchar(text) | c(FALSE, open[-length(open)])]
      if (length(text)) return(text)
    }
    character()
  }
  list(read = read, close = function() lines$close(lines))
}

longest_row <- 1e4 # lines

occurrences <- function(what, text) {
  rest <- text
  for (one in what) rest <- gsub(one, "", rest, fixed = TRUE, useBytes = TRUE)
  nchar(text, "bytes") - nchar(rest, "bytes")
}

#' Text of what was in quotes, as the class that the first lines had.
#' @noRd
unquoted <- function(x, class) {
  x <- utils::type.convert(x, as.is = TRUE)
  if (csv_class(x) != class && !(class == "numeric" && is.integer(x))) stop("expected ", class, ", got ", csv_class(x))
  if (class == "numeric") as.double(x) else x
}

csv_types <- c(numeric = "float64", integer = "int32", logical = "bool", character = "string")

# Whole numbers of which some are missing are read as double, where a missing one is NaN.
csv_class <- function(x) {
  if (is.integer(x) && anyNA(x) || is.logical(x) && all(is.na(x))) "numeric" else class(x)[1]
}
