# Data sets from files, for data larger than memory.

#' Data sets from files
#'
#' `idx_dataset()` reads images, and labels beside them, from idx files as [dataset_mnist()]'s; `array_file_dataset()` reads any file of
#' plain numbers in row-major order. Both leave the numbers on disk, where the operating system fetches them as they are needed, and can
#' be shuffled fully. Compressed idx files are unpacked to a temporary file first. `text_line_dataset()` gives lines as
#' strings, `csv_dataset()` rows as named lists; they read some lines at a time.
#'
#' @param file,images,labels,filenames paths; `filenames` may be several.
#' @param dim the shape of the whole array.
#' @param dtype `"float32"`, `"float64"`, `"int32"`, `"int64"` or `"uint8"` (which becomes int32).
#' @param offset bytes before the first number.
#' @param column_names names of the columns; `NULL`: they stand in the first line.
#' @param select names of the columns to keep, `NULL` for all.
#' @param sep what stands between columns.
#' @param block lines to read at a time.
#' @return A data set.
#' @section Errors: `nativenet_error_file` for files that do not hold what they should.
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
  header <- with_idx(path, fun, function(header, read, refuse) header)
  if (header$what != "raw") return(c(column(read_idx(path)), rows = header$dim[1]))
  plain <- if (header$compressed) unpacked(path) else path
  start <- 4 + 4 * length(header$dim)
  if (file.size(plain) != start + prod(header$dim)) {
    abort(encodeString(path, quote = "\""), " does not hold the ", prod(header$dim), " bytes that its header announces", class = "file", fun = fun)
  }
  list(data = file_bytes(plain), offset = start, spec = tensor_spec("int32", header$dim[-1]), rows = header$dim[1])
}

#' A function that gives the file's bytes: as memory where the system has that, else read.
#' @noRd
file_bytes <- function(path) {
  path <- normalizePath(path)
  function() {
    mapped <- .Call(C_map_file, path)
    if (is.null(mapped)) readBin(path, "raw", file.size(path)) else mapped
  }
}

#' Unpack a compressed file, some megabytes at a time, once in a session.
#' @noRd
unpacked <- function(path) {
  info <- file.info(path)
  to <- file.path(tempdir(), paste0("nativenet-", basename(path), "-", as.numeric(info$mtime), "-", info$size))
  if (file.exists(to)) return(to)
  from <- gzfile(path, "rb")
  on.exit(close(from))
  part <- paste0(to, ".part")
  out <- file(part, "wb")
  while (length(bytes <- readBin(from, "raw", 2^22))) writeBin(bytes, out)
  close(out)
  file.rename(part, to)
  to
}

#' @rdname idx_dataset
#' @export
array_file_dataset <- function(file, dim, dtype = "float32", offset = 0) {
  check_string(file)
  size <- c(float32 = 4, float64 = 8, int32 = 4, int64 = 8, uint8 = 1)
  check_choice(dtype, names(size))
  check_whole(dim)
  check_count(offset, min = 0)
  if (!length(dim) || any(dim < 0)) abort("`dim` must be the sizes of at least one axis, not ", describe(dim))
  if (!file.exists(file)) abort("there is no file ", encodeString(file, quote = "\""), class = "file")
  needed <- prod(dim) * size[[dtype]] + offset
  if (file.size(file) < needed) {
    abort(encodeString(file, quote = "\""), " has ", file.size(file), " bytes, but ", format_shape(dim), " numbers of ", dtype, " end at byte ", needed, class = "file")
  }
  spec <- tensor_spec(if (dtype == "uint8") "int32" else dtype, dim[-1])
  if (.Platform$endian != "little") abort("needs a little-endian machine", class = "file")
  if (dtype != "int32") return(slices_dataset(spec, dim[1], list(list(data = file_bytes(file), offset = offset))))
  con <- file(file, "rb") # a file of int32 is read whole: mapped bytes are small numbers
  on.exit(close(con))
  readBin(con, "raw", offset)
  numbers <- readBin(con, "integer", prod(dim), size = 4, endian = "little")
  slices_dataset(spec, dim[1], list(list(data = op_reshape(tensor(array(numbers, length(numbers))), dim), offset = 0)))
}

#' @rdname idx_dataset
#' @export
text_line_dataset <- function(filenames, block = 1000) {
  block <- check_count(block)
  for (f in filenames) if (!file.exists(check_string(f, arg = "filenames"))) abort("there is no file ", encodeString(f, quote = "\""), class = "file")
  new_dataset(tensor_spec("string", integer()), NA, pull = function() {
    pull <- block_puller(filenames, block)
    items <- character()
    i <- 0
    function() {
      if (i >= length(items)) {
        items <<- pull()
        i <<- 0
        if (!length(items)) return(NULL)
      }
      i <<- i + 1
      items[[i]]
    }
  })
}

#' Lines of files, some at a time; character() at the end. The file is closed then, or when the iterator is gone.
#' @noRd
block_puller <- function(filenames, block) {
  state <- new.env(parent = emptyenv())
  state$con <- NULL
  close_file <- function(state) {
    if (!is.null(state$con)) close(state$con)
    state$con <- NULL
  }
  reg.finalizer(state, close_file)
  at <- 0
  function() {
    repeat {
      if (is.null(state$con)) {
        if (at >= length(filenames)) return(character())
        at <<- at + 1
        state$con <- file(filenames[[at]], "r")
      }
      lines <- readLines(state$con, block, warn = FALSE)
      if (length(lines)) return(lines)
      close_file(state)
    }
  }
}

#' @rdname idx_dataset
#' @export
csv_dataset <- function(file, column_names = NULL, select = NULL, sep = ",", block = 1000) {
  if (!file.exists(check_string(file))) abort("there is no file ", encodeString(file, quote = "\""), class = "file")
  block <- check_count(block)
  parse <- function(lines, classes, names) {
    tryCatch(
      utils::read.table(text = lines, sep = sep, header = FALSE, col.names = names, colClasses = classes, quote = "\"", comment.char = "",
        check.names = FALSE, stringsAsFactors = FALSE),
      error = function(e) abort(encodeString(file, quote = "\""), ": ", conditionMessage(e), class = "file", fun = "csv_dataset")
    )
  }
  first <- readLines(file, 1 + block, warn = FALSE)
  if (!length(first)) abort(encodeString(file, quote = "\""), " is empty", class = "file")
  header <- is.null(column_names)
  if (header) column_names <- as.character(unlist(parse(first[1], "character", NULL)))
  sample <- parse(if (header) first[-1] else first, NA, column_names)
  classes <- vapply(sample, function(x) if (is.logical(x) && all(is.na(x))) "numeric" else class(x)[1], "")
  keep <- if (is.null(select)) column_names else select
  if (length(setdiff(keep, column_names))) {
    abort("`select`: no column ", paste0("\"", setdiff(keep, column_names), "\"", collapse = ", "), " in ", encodeString(file, quote = "\""), class = "file")
  }
  new_dataset(NULL, NA, pull = function() {
    lines <- block_puller(file, block)
    skip <- header
    rows <- NULL
    function() {
      element <- if (!is.null(rows)) rows()
      while (is.null(element)) {
        text <- lines()
        if (!length(text)) return(NULL)
        if (skip) text <- text[-1]
        skip <<- FALSE
        if (!length(text)) next
        rows <<- tensor_slices_dataset(as.list(parse(text, classes, column_names))[keep])$pull()
        element <- rows()
      }
      element
    }
  })
}
