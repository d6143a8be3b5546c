# Files of TensorFlow's records: each has a length, the checksum of that, bytes and their checksum. What the bytes are
# is R/tf-example.R's.
# <https://www.tensorflow.org/tutorials/load_data/tfrecord>

#' Data sets of TFRecord files
#'
#' Gives the records of one file or of several, in their order. What they are is said by a function of
#' [dataset_map()], such as `tf$io$parse_single_example()`, see [tf_records]. Both checksums of each record are
#' verified. Some records are read at a time; the compressed bytes of files of `"ZLIB"` are held in memory.
#'
#' @param filenames paths of files.
#' @param compression_type `"GZIP"`, which is found out, `"ZLIB"`, or `""` or `NULL` for none.
#' @param buffer_size,num_parallel_reads ignored; present for compatibility with TensorFlow.
#' @return A data set of bytes: raw vectors of class `nn_bytes`. [dataset_batch()] makes lists of them.
#' @section Errors: `nativenet_error_file` for files that are cut off, or whose checksums are wrong: the record and its
#'   place in the file are named.
#' @seealso [tf_records], [fixed_length_record_dataset()]
#' @examples
#' path <- tempfile(fileext = ".tfrecord")
#' with(tf$io$TFRecordWriter(path) %as% writer, {
#'   for (k in 1:3) writer$write(paste("record", k))
#' })
#' iterate(tfrecord_dataset(path), function(record) print(as.character(record)))
#' @export
tfrecord_dataset <- function(filenames, compression_type = NULL, buffer_size = NULL, num_parallel_reads = NULL) {
  filenames <- existing_files(filenames)
  check_reading_hints(compression_type, buffer_size, num_parallel_reads, types = c("", "GZIP", "ZLIB"))
  new_dataset(NULL, NA, pull = function() {
    read <- record_reader(filenames, identical(compression_type, "ZLIB"))
    records <- list()
    taken <- 0
    function() {
      if (taken == length(records)) {
        records <<- read()
        taken <<- 0
      }
      if (!length(records)) return(NULL)
      taken <<- taken + 1
      new_bytes(records[[taken]])
    }
  })
}

#' A function that gives the next records of files, a list of raw vectors; an empty one at the end.
#' @noRd
record_reader <- function(filenames, zlib, fun = "tfrecord_dataset") {
  reader <- new_reader()
  at <- 0
  bytes <- raw()
  taken <- before <- done <- 0 # bytes of `bytes` that were records; of the file before them; records of the file
  open <- function() {
    at <<- at + 1
    bytes <<- raw()
    taken <<- before <<- done <<- 0
    path <- open_reader(reader, filenames[[at]], fun)
    if (zlib) open_zlib(reader, path)
  }
  more <- function(needed) {
    fresh <- reader$bytes(max(line_bytes, min(needed, 2 * length(bytes))))
    before <<- before + taken
    bytes <<- c(bytes[seq_along(bytes) > taken], fresh)
    taken <<- 0
    length(fresh) > 0
  }
  function() {
    repeat {
      if (is.null(reader$con)) {
        if (at == length(filenames)) return(list())
        open()
      }
      found <- .Call(C_records, bytes, taken)
      place <- function(k) paste0("record ", done + k, ", at byte ", format(before + taken + found[[2]][1],
        scientific = FALSE), " of the ", if (is_gzip(filenames[[at]]) || zlib) "unpacked ", "file")
      if (length(found[[1]])) {
        taken <<- taken + found[[2]][1]
        done <<- done + length(found[[1]])
        return(found[[1]])
      }
      if (found[[2]][3] > 0) reader$refuse("the checksum of the ", if (found[[2]][3] == 1) "length" else "data", " of ",
        place(1), ", is wrong", if (done == 0 && found[[2]][3] == 1)
          "; is it no TFRecord file, or one of another `compression_type`?")
      if (!more(found[[2]][2])) {
        if (length(bytes)) reader$refuse("it ends within ", place(1))
        reader$close(reader)
      }
    }
  }
}

#' Reads a file of a zlib stream (RFC 1950). memDecompress() takes ever more memory where one is cut off, so gzfile()
#' reads it, with the head and foot of gzip around the same compressed data. The foot is wrong, as nobody knows the
#' checksum that gzip wants; that of zlib is compared here.
#' @noRd
open_zlib <- function(reader, path) {
  bytes <- read_bytes(path)
  n <- length(bytes)
  if (n < 8 || bytes[1] != as.raw(0x78) || sum(as.integer(bytes[1:2]) * c(256, 1)) %% 31) reader$refuse(
    "it is no file of compression ZLIB")
  unpacked <- tempfile("nativenet-")
  writeBin(c(as.raw(c(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)), bytes[3:(n - 4)], raw(8)), unpacked)
  reader$close(reader)
  reader$con <- keep_open(gzfile(unpacked, "rb"))
  sums <- c(1, 0) # Adler's
  reader$bytes <- function(n) {
    fresh <- tryCatch(suppressWarnings(readBin(reader$con, "raw", n)), error = function(e) raw())
    x <- as.double(fresh)
    sums <<- c(sums[1] + sum(x), sums[2] + length(x) * sums[1] + sum(x * rev(seq_along(x)))) %% 65521
    if (!length(fresh) && n > 0) {
      unlink(unpacked)
      if (!identical(sums[2] * 65536 + sums[1], sum(as.integer(utils::tail(bytes, 4)) * 256^(3:0)))) reader$refuse(
        "its compressed data is cut off or corrupt")
    }
    fresh
  }
}

# ---- bytes ----

#' @param x a raw vector.
#' @noRd
new_bytes <- function(x) structure(x, class = "nn_bytes")

#' @export
print.nn_bytes <- function(x, ...) {
  cat("<", length(x), " bytes>\n", sep = "")
  invisible(x)
}

#' @export
`$.nn_bytes` <- function(x, name) switch(name, numpy = function() unclass(x), shape = nn_shape(integer()),
  dtype = nn_dtype("string"), unknown_member(name, c("numpy", "shape", "dtype"), "bytes of a file"))

#' @export
as.character.nn_bytes <- function(x, ...) rawToChar(unclass(x))

#' @export
in_words.nn_bytes <- function(x) paste(length(x), "bytes")

#' Bytes of several elements.
#' @param x a list of raw vectors.
#' @noRd
many_bytes <- function(x) structure(unname(lapply(x, new_bytes)), class = "nn_many_bytes")

is_bytes <- function(x) inherits(x, c("nn_bytes", "nn_many_bytes"))

#' @export
print.nn_many_bytes <- function(x, ...) {
  cat("<", length(x), " times bytes>\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_many_bytes <- function(x) paste(length(x), "times bytes")
