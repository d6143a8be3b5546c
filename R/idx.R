# Reader of the idx format, in which MNIST and its relatives are published.
#
# An idx file is: two zero bytes, a type code, the number of dimensions, each dimension
# as a big-endian 32-bit number, then the elements, last index fastest.

# Element types by type code, as readBin() wants them. Unsigned bytes stay raw until the
# array is turned round: moving bytes is much faster than moving integers.
idx_types <- list(
  "08" = list(what = "raw", size = 1L),
  "09" = list(what = "integer", size = 1L),
  "0b" = list(what = "integer", size = 2L),
  "0c" = list(what = "integer", size = 4L),
  "0d" = list(what = "double", size = 4L),
  "0e" = list(what = "double", size = 8L)
)

#' Read an idx file
#'
#' Reads arrays in the idx format of the MNIST files, compressed with gzip or not. All
#' element types of the format are read: 8-bit integers with and without sign, 16- and
#' 32-bit integers, and 32- and 64-bit floating-point numbers.
#'
#' The file is checked before anything of its announced size is allocated. A file that is
#' not exactly what its header says raises an error of class `nativenet_error_file`.
#'
#' @param path Name of the file. Compression is recognised by content, not by name.
#' @return An array with as many dimensions as the file has (at most eight), and the same
#'   indices: `x[i, row, column]` for a file of images. It is of type integer, or double
#'   for the floating-point types. Because R's integers have no room for -2^31, a file of
#'   32-bit integers that holds this value is returned as double too.
#' @references
#' LeCun, Y., Cortes, C. and Burges, C. J. C. *The MNIST database of handwritten digits*,
#' section "File formats for the MNIST database".
#' @seealso [dataset_mnist()], which downloads and reads the well-known files.
#' @examples
#' # A 2 x 3 matrix of bytes, written by hand.
#' path <- tempfile(fileext = ".idx")
#' writeBin(as.raw(c(0, 0, 8, 2,  0, 0, 0, 2,  0, 0, 0, 3,  1:6)), path)
#' read_idx(path)
#' @export
read_idx <- function(path) {
  with_idx(path, "read_idx", function(header, values) idx_array(values(), header$dim))
}

#' Open an idx file, check that it holds what its header says, and call `use(header, values)`; values() gives that.
#' @noRd
with_idx <- function(path, fun, use) {
  check_file(path, fun)
  refuse <- refuse_file(path, "idx", fun)
  if (file.size(path) == 0) refuse("it is empty")
  compressed <- tryCatch(is_gzip(path), error = function(e) {
    abort("`path` cannot be opened for reading: \"", path, "\"", class = "file", fun = fun)
  })
  # The absolute name keeps file() from giving a meaning of its own to names like "stdin".
  open <- function() (if (compressed) gzfile else file)(normalizePath(path), "rb")
  con <- open()
  on.exit(close(con))
  read <- byte_reader(con, refuse)
  header <- idx_header(read, refuse)
  idx_check_size(header, file.size(path), compressed, refuse)
  header$bytes <- 4 + 4 * length(header$dim) + prod(header$dim) * header$size
  header$compressed <- compressed
  if (compressed) check_stream(open, refuse, header$bytes, path = normalizePath(path))
  use(header, function() idx_values(header, read))
}

idx_header <- function(read, refuse) {
  magic <- read(4)
  if (length(magic) < 4) refuse("its magic bytes are incomplete")
  if (any(magic[1:2] != 0)) {
    refuse("its magic bytes begin with ", paste(magic[1:2], collapse = " "), ", not 00 00")
  }
  type <- idx_types[[as.character(magic[3])]]
  if (is.null(type)) {
    refuse("its type code is 0x", magic[3], ", not one of ",
      paste0("0x", names(idx_types), collapse = ", "))
  }
  rank <- as.integer(magic[4])
  if (rank < 1 || rank > 8) refuse("its number of dimensions is ", rank, ", not 1 to 8")
  bytes <- read(4 * rank)
  if (length(bytes) < 4 * rank) refuse("it ends within its ", rank, " dimensions")
  dim <- colSums(matrix(as.numeric(bytes), 4) * 256^(3:0))
  too_big <- which(dim > .Machine$integer.max)
  if (length(too_big)) {
    refuse(sprintf("its dimension %d is %.0f, more than an array can have", too_big[1], dim[too_big[1]]))
  }
  c(type, list(dim = dim))
}

# Even a compressed file tells how much it can hold.
# The product is exact up to 2^53 and cannot overflow: eight dimensions stay below 2^248.
idx_check_size <- function(header, file_size, compressed, refuse) {
  data <- prod(header$dim) * header$size
  room <- if (compressed) file_size * most_deflated else file_size - 4 - 4 * length(header$dim)
  wrong <- function(...) refuse("its dimensions ", format_shape(header$dim), " announce ", format_bytes(data),
    ", but ", ...)
  if (data > room && compressed) wrong("a gzip file of ", format_bytes(file_size), " cannot hold so much")
  if (data > room) wrong("it has too few bytes, only ", format_bytes(room), " of data")
  if (data < room && !compressed) wrong("it has trailing bytes, ", format_bytes(room), " of data")
}

idx_values <- function(header, read) {
  n <- prod(header$dim)
  values <- read(n * header$size)
  if (header$what != "raw") values <- readBin(values, header$what, n, header$size, endian = "big")
  if (is.integer(values) && anyNA(values)) {
    values <- as.double(values)
    values[is.na(values)] <- -2^31
  }
  values
}

# In the file the last index is fastest, in R the first.
idx_array <- function(values, dim) {
  x <- array(values, rev(dim))
  if (length(dim) > 1) x <- aperm(x)
  if (is.raw(x)) storage.mode(x) <- "integer"
  x
}
