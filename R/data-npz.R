# Reader of NumPy's files: .npy holds one array, .npz is a zip archive of them.
#
# A .npy file is: the magic bytes, two bytes of version, the length of the header, a header that is the text of a Python
# dictionary of the keys descr, fortran_order and shape, and the elements. Arrays of objects are a pickle instead
# (src/border/r_pickle.c). The header is matched, never evaluated.

# Element types by kind and size, as readBin() wants them. What R's integers cannot hold is put together from halves.
npy_types <- list(
  b1 = list(what = "integer", size = 1L, signed = FALSE),
  i1 = list(what = "integer", size = 1L, signed = TRUE), u1 = list(what = "integer", size = 1L, signed = FALSE),
  i2 = list(what = "integer", size = 2L, signed = TRUE), u2 = list(what = "integer", size = 2L, signed = FALSE),
  i4 = list(what = "integer", size = 4L, signed = TRUE), u4 = list(what = "integer", size = 4L, signed = FALSE),
  i8 = list(what = "integer", size = 8L, signed = TRUE), u8 = list(what = "integer", size = 8L, signed = FALSE),
  f4 = list(what = "double", size = 4L), f8 = list(what = "double", size = 8L)
)

#' Read NumPy's files
#'
#' `read_npy()` reads an array from a `.npy` file, `read_npz()` all arrays of a `.npz` archive, or some of them. Python
#' is not needed.
#'
#' Read are whole numbers of 8 to 64 bits, floating-point numbers of 32 and 64 bits, logical values, texts, and arrays
#' of objects whose elements are `None`, logical values, numbers, texts, or lists and tuples of these, even nested. Such
#' arrays are stored as *pickles*, which in Python may run any program. Here nothing in a file is ever run: a pickle
#' that asks for anything but an array of plain values is refused.
#'
#' A file that is not exactly what its header says, or is of another kind, raises an error of class
#' `nativenet_error_file`.
#'
#' @param path name of the file.
#' @param names which arrays of the archive to read; `NULL` for all of them.
#' @return `read_npy()`: a vector, if the array has one dimension or none, else an array with the same indices. It is of
#'   type integer, or double if the numbers need it (whole numbers beyond 2^53 are refused), or logical, character, or
#'   for objects a list, whose elements are vectors where Python's lists hold values of one kind. An empty list is read
#'   as `integer(0)`.
#'
#'   `read_npz()`: a named list of these.
#' @references
#' NumPy enhancement proposal 1, *A simple file format for NumPy arrays*.
#' @seealso [dataset_imdb()], [read_idx()].
#' @examples
#' # The vector 1, 2, 3 of bytes, written by hand.
#' header <- sprintf("%-117s\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }")
#' path <- tempfile(fileext = ".npy")
#' start <- c(as.raw(0x93), charToRaw("NUMPY"), as.raw(c(1, 0, 118, 0)))
#' writeBin(c(start, charToRaw(header), as.raw(1:3)), path)
#' read_npy(path)
#' @export
read_npy <- function(path) {
  check_file(path)
  refuse <- refuse_file(path, "npy", "read_npy")
  con <- file(normalizePath(path), "rb")
  on.exit(close(con))
  npy_array(function(n) readBin(con, "raw", n), file.size(path), refuse)
}

#' @rdname read_npy
#' @export
read_npz <- function(path, names = NULL) npz_arrays(path, names, "read_npz")

#' @param lists the names of arrays whose elements must be lists of whole numbers.
#' @noRd
npz_arrays <- function(path, wanted, fun, lists = character()) {
  check_file(path, fun)
  refuse <- refuse_file(path, "npz", fun)
  path <- normalizePath(path)
  entries <- zip_directory(path, refuse)
  entries <- entries[grepl("[.]npy$", entries$Name), ]
  held <- sub("[.]npy$", "", entries$Name)
  if (anyDuplicated(held)) refuse("it has two arrays \"", held[anyDuplicated(held)], "\"")
  if (is.null(wanted)) wanted <- held
  if (!is.character(wanted)) abort("`names` must be names of arrays, not ", describe(wanted), fun = fun)
  missing <- setdiff(wanted, held)
  if (length(missing)) refuse("it has no array \"", missing[1], "\", only ", paste0("\"", held, "\"", collapse = ", "))
  lapply(stats::setNames(nm = wanted), function(name) {
    i <- match(name, held)
    refuse_array <- function(...) refuse("its array \"", name, "\": ", ...)
    read_entry(path, entries$Name[i], entries$Length[i], entries$sum[i], refuse_array, name %in% lists)
  })
}

# The archive announces the length of an entry, and so does the header within. Of pickles only the archive does, which
# may lie.
read_entry <- function(path, name, length, sum, refuse, lists) {
  open <- function() unz(path, name, "rb")
  con <- open()
  on.exit(close(con))
  read <- byte_reader(con, refuse)
  npy_array(read, length, refuse, lists, check = function(header, start) {
    if (is.null(npy_length(header))) check_stream(open, refuse, most = file_slack(path))
    check_stream(open, refuse, announced = length)
    rest <- read(length - base::length(start))
    check_zip_sum(c(start, rest), sum, base::length(read(1)), refuse)
    rest
  })
}

#' The array of a .npy file of `size` bytes, of which `read` gives the next n. `check(header, start)` gives all that
#' comes after its start.
#' @noRd
npy_array <- function(read, size, refuse, lists = FALSE, check = function(header, start) read(size - length(start))) {
  start <- read(min(size, npy_longest))
  header <- npy_header(start, refuse)
  announced <- npy_length(header)
  if (!is.null(announced) && announced != size) refuse_size(header, size - header$start + 1, refuse)
  rest <- check(header, start)
  n <- prod(header$shape)
  if (header$kind == "O") {
    pickle <- .Call(C_pickle, c(start, rest), header$start - 1, header$shape, lists)
    if (is.character(pickle)) refuse(pickle)
    values <- pickle[[3]]
    header$fortran <- pickle[[2]]
  } else {
    values <- npy_values(c(start[-seq_len(header$start - 1)], rest), header, n, refuse)
  }
  if (length(header$shape) < 2) return(values)
  if (header$fortran) array(values, header$shape) else idx_array(values, header$shape)
}

# The longest header that is read, with what is before it; NumPy itself reads 10,000 bytes.
npy_longest <- 2^17

#' How many bytes an array has with its header, which does not tell it of objects.
#' @noRd
npy_length <- function(header) if (header$kind != "O") header$start - 1 + prod(header$shape) * header$size

refuse_size <- function(header, held, refuse) {
  refuse("its shape ", format_shape(header$shape), " announces ", format_bytes(prod(header$shape) * header$size),
    ", but it has ", format_bytes(held))
}

#' list(start of the data, kind, size, endian, fortran, shape)
#' @noRd
npy_header <- function(bytes, refuse) {
  magic <- c(as.raw(0x93), charToRaw("NUMPY"))
  if (length(bytes) < 12 || !identical(bytes[1:6], magic)) refuse("it does not begin with NumPy's magic bytes")
  version <- as.integer(bytes[7])
  if (!version %in% 1:3) refuse("it is of the format's version ", version)
  width <- if (version == 1) 2 else 4
  length <- little_endian(bytes[8 + seq_len(width)])
  start <- 8 + width
  if (start + length > npy_longest) refuse("its header has ", format_bytes(length))
  if (start + length > length(bytes)) refuse("it ends within its header")
  text <- bytes[start + seq_len(length)]
  if (any(text == 0)) refuse("its header holds zero bytes")
  text <- rawToChar(text)
  field <- function(name, pattern) {
    found <- regmatches(text, regexec(paste0("'", name, "': *", pattern), text, useBytes = TRUE))[[1]]
    if (!length(found)) refuse("its header has no `", name, "` that can be read")
    found[-1]
  }
  descr <- field("descr", "'([<>|=])([a-zA-Z])([0-9]{0,9})'")
  fortran <- field("fortran_order", "(True|False)") == "True"
  shape <- field("shape", "[(]([0-9L, ]*)[)]")
  shape <- as.numeric(strsplit(gsub("[L ]", "", shape), ",", fixed = TRUE)[[1]])
  if (anyNA(shape) || length(shape) > 32 || any(shape > .Machine$integer.max)) refuse("its shape cannot be read")
  kind <- descr[2]
  size <- if (kind == "O") 0 else as.numeric(descr[3]) * if (kind == "U") 4 else 1
  known <- kind == "O" || kind %in% c("U", "S") && size %in% seq_len(1e6) ||
    paste0(kind, descr[3]) %in% names(npy_types)
  if (!known) refuse("its elements are of the type \"", paste(descr, collapse = ""), "\", which is not read")
  list(start = start + length + 1, kind = kind, size = size, endian = if (descr[1] == ">") "big" else "little",
    fortran = fortran, shape = shape)
}

npy_values <- function(data, header, n, refuse) {
  if (header$kind == "U") return(npy_unicode(data, header, n, refuse))
  if (header$kind == "S") return(npy_strings(data, header$size, n))
  type <- npy_types[[paste0(header$kind, header$size)]]
  if (type$what == "double" || type$size < 4) {
    signed <- is.null(type$signed) || type$signed
    values <- readBin(data, type$what, n, type$size, signed = signed, endian = header$endian)
    return(if (header$kind == "b") values != 0 else values)
  }
  # 32-bit halves, each taken as a number without sign, except the highest of a number with sign
  halves <- type$size / 4
  words <- readBin(data, "integer", n * halves, 4, endian = header$endian)
  if (halves == 1 && type$signed && !anyNA(words)) return(words)
  words <- ifelse(is.na(words), -2^31, words)
  unsigned <- function(x) x + 2^32 * (x < 0)
  if (halves == 1) return(shorten(if (type$signed) words else unsigned(words)))
  first <- words[c(TRUE, FALSE)]
  second <- words[c(FALSE, TRUE)]
  low <- if (header$endian == "big") second else first
  high <- if (header$endian == "big") first else second
  values <- (if (type$signed) high else unsigned(high)) * 2^32 + unsigned(low)
  if (any(abs(values) > 2^53)) refuse("it holds whole numbers beyond 2^53")
  shorten(values)
}

#' Whole numbers as integers, if all of them fit.
#' @noRd
shorten <- function(x) if (all(abs(x) <= .Machine$integer.max)) as.integer(x) else x

# Fixed numbers of bytes, or of 32-bit code points, for each text; filled up with zeros.
npy_strings <- function(data, size, n) {
  if (size == 0) return(character(n))
  apply(matrix(data, size), 2, function(x) rawToChar(x[x != 0]))
}

npy_unicode <- function(data, header, n, refuse) {
  if (header$size == 0) return(character(n))
  points <- matrix(readBin(data, "integer", length(data) / 4, 4, endian = header$endian), header$size / 4)
  if (anyNA(points) || any(points < 0 | points > 0x10ffff | points >= 0xd800 & points <= 0xdfff))
    refuse("it holds texts that are not Unicode")
  apply(points, 2, function(x) intToUtf8(x[x != 0]))
}
