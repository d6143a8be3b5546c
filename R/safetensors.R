# The safetensors format: 8 bytes that tell the length of a JSON header, the header, then the numbers of all tensors,
# row-major and least significant byte first. Files hold no code, so that a file from anywhere can be read. The
# checks are those of the reference implementation, https://github.com/huggingface/safetensors, and more.

safetensors_dtypes <- c(F32 = "float32", F64 = "float64", I32 = "int32", I64 = "int64", BOOL = "bool", U8 = "uint8")
safetensors_bytes <- c(F32 = 4, F64 = 8, I32 = 4, I64 = 8, BOOL = 1, U8 = 1)

# Bytes of a name, and axes. The writer keeps them, too.
safetensors_limits <- list(name = 4096, axes = 8)

#' Read and write tensors in safetensors files
#'
#' Named tensors and a few strings in a file of the safetensors format, which libraries of other languages read, too.
#' Numbers are kept bit for bit. Such files hold no code: reading one from anywhere is safe.
#'
#' A file is replaced as a whole or not at all: the new one is written beside it, and takes its name once it is on the
#' disk.
#'
#' @param path name of the file.
#' @param tensors a named list of tensors, variables or arrays, which become tensors as by [tensor()]. Vectors and
#'   arrays of raw bytes are stored as unsigned bytes (`U8`).
#' @param metadata `NULL` or a named list of strings.
#' @return `safetensors_write()`: `path`, invisibly. `safetensors_read()`: a list of `tensors`, a named list in the
#'   order of the file's header, of tensors (of dtype float32, float64, int32, int64 or bool) and, for unsigned bytes,
#'   raw arrays; and `metadata`, a named list of strings.
#' @section Errors: `nativenet_error_file` for files that cannot be written, and for those that are missing, cut off or
#'   not such a file; the message names the file and what is wrong.
#' @references <https://huggingface.co/docs/safetensors/index#format>
#' @examples
#' path <- tempfile(fileext = ".safetensors")
#' bias <- tensor(c(0.5, 1, 2), "float32")
#' safetensors_write(path, list(kernel = matrix(1:6, 2), bias = bias), list(made_by = "me"))
#' saved <- safetensors_read(path)
#' saved$tensors$kernel
#' saved$metadata$made_by
#' @export
safetensors_write <- function(path, tensors, metadata = NULL) write_tensor_file(check_string(path), tensors, metadata,
  "safetensors_write")

write_tensor_file <- function(path, tensors, metadata, fun)
  replace_file(path, safetensors_pieces(tensors, metadata, fun), fun)

#' @rdname safetensors_write
#' @export
safetensors_read <- function(path) read_tensor_file(path, "path", "safetensors_read")

#' @param hint what to do with a file of Python's.
#' @noRd
read_tensor_file <- function(path, arg, fun, hint = NULL) {
  path <- existing_file(path, arg, fun)
  name <- encodeString(path, quote = "\"")
  other <- other_format(path)
  if (!is.null(other)) abort("cannot read ", name, ": it is no safetensors file, but ", other, if (!is_serialized(path))
    hint, class = "file", fun = fun)
  con <- file(path, "rb")
  on.exit(close(con))
  read_safetensors(con, file.size(path), name, fun)
}

#' The same as a raw vector, and back.
#' @noRd
safetensors_to_raw <- function(tensors, metadata = NULL, fun = calling_function()) {
  pieces <- safetensors_pieces(tensors, metadata, fun)
  do.call(c, lapply(pieces, function(piece) if (is_tensor(piece)) .Call(C_tensor_bytes, piece) else piece))
}

safetensors_from_raw <- function(bytes, fun = calling_function()) {
  if (!is.raw(bytes)) abort("expects a raw vector, not ", describe(bytes), fun = fun)
  con <- rawConnection(bytes)
  on.exit(close(con))
  read_safetensors(con, length(bytes), "the raw vector", fun)
}

# ---- writing ----

#' What the file holds, one piece after the other: raw vectors, and tensors whose numbers are meant.
#' @noRd
safetensors_pieces <- function(tensors, metadata, fun) {
  check_names(tensors, "tensors", fun)
  if (any(names(tensors) == "__metadata__")) abort("no tensor can be called \"__metadata__\"", fun = fun)
  if (!is.null(metadata)) {
    check_names(metadata, "metadata", fun)
    for (name in names(metadata)) check_string(metadata[[name]], arg = paste0("metadata$", name), fun = fun)
  }
  tensors <- Map(function(x, name) {
    if (is.raw(x) || is_tensor(x)) x else tensor(bare_numbers(x, paste0("tensors$", name), fun))
  }, tensors, names(tensors))
  dtype <- vapply(tensors, function(x) if (is.raw(x)) "uint8" else tensor_dtype(x), "")
  dtype <- names(safetensors_dtypes)[match(dtype, safetensors_dtypes)]
  shape <- lapply(tensors, function(x) if (is.raw(x) && is.null(dim(x))) length(x) else dim(x))
  bytes <- safetensors_bytes[dtype] * vapply(shape, prod, 0)
  # the widest types first, so that all numbers lie at multiples of their size
  layout <- order(-safetensors_bytes[dtype])
  end <- begin <- numeric(length(tensors))
  end[layout] <- cumsum(bytes[layout])
  begin <- end - bytes
  entries <- sprintf("%s:{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%.0f,%.0f]}",
    json_string(names(tensors)), dtype, vapply(shape, paste, "", collapse = ","), begin, end)
  if (length(metadata)) {
    pairs <- paste0(json_string(names(metadata)), ":", json_string(unlist(metadata)), collapse = ",")
    entries <- c(paste0("\"__metadata__\":{", pairs, "}"), entries)
  }
  header <- charToRaw(enc2utf8(paste0("{", paste(entries, collapse = ","), "}")))
  header <- c(header, rep(charToRaw(" "), -length(header) %% 8))
  size <- writeBin(c(length(header), 0L), raw(), endian = "little")
  c(list(size, header), lapply(unname(tensors)[layout], function(x) if (is.raw(x)) row_major(x) else x))
}

check_names <- function(x, arg, fun) {
  names <- names(x)
  if (!is_branch(x) || (length(x) && is.null(names))) abort("`", arg, "` must be a named list, not ", describe(x),
    fun = fun)
  if (!length(x)) return()
  if (any(is.na(names) | !nzchar(names)) || anyDuplicated(names))
    abort("the names of `", arg, "` must be there and differ", fun = fun)
  long <- nchar(names, "bytes") > safetensors_limits$name
  if (any(long)) abort("the names of `", arg, "` must not be longer than ", safetensors_limits$name, " bytes",
    fun = fun)
  if (!all(validUTF8(enc2utf8(names)))) abort("the names of `", arg, "` must be text", fun = fun)
}

row_major <- function(x) if (length(dim(x)) > 1) as.vector(aperm(x)) else as.vector(x)

from_row_major <- function(x, dim) if (length(dim) > 1) aperm(array(x, rev(dim))) else if (length(dim))
  array(x, dim) else x

# ---- reading ----

#' From a connection that holds `size` bytes; `what` names it in messages.
#' @noRd
read_safetensors <- function(con, size, what, fun) {
  refuse <- function(...) abort("cannot read ", what, ": ", ..., class = "file", fun = fun)
  header <- parse_header(read_header(con, size, refuse), size, refuse)
  specs <- header[names(header) != "__metadata__"]
  specs <- Map(read_spec, specs, names(specs), MoreArgs = list(refuse = refuse))
  layout <- check_layout(specs, size - attr(header, "end"), refuse)
  tensors <- vector("list", length(specs))
  for (i in layout) tensors[[i]] <- read_tensor(con, specs[[i]], names(specs)[i], refuse)
  names(tensors) <- names(specs)
  list(tensors = tensors, metadata = read_metadata(header[["__metadata__"]], refuse))
}

read_header <- function(con, size, refuse) {
  if (size < 8) refuse("it has ", format_bytes(size), ", too few for a safetensors file")
  start <- readBin(con, "raw", 8)
  # beyond 2^53 a double is not exact, but then it is far too large anyway
  length <- little_endian(start)
  if (length > size - 8) {
    refuse("it is no safetensors file, or cut off: a header of ", format_bytes(length), " in a file of ",
      format_bytes(size))
  }
  bytes <- readBin(con, "raw", length)
  if (!length(bytes) || bytes[1] != charToRaw("{"))
    refuse("it is no safetensors file: its header does not begin with {")
  bytes
}

#' A list by name, with the attribute `end`: where the header ends in the file, which has `size` bytes.
#' @noRd
parse_header <- function(bytes, size, refuse) {
  header <- read_json(bytes, 3, function(...) refuse("its header is no JSON", ...), size)
  if (!is.list(header) || (length(header) && is.null(names(header)))) refuse("its header is no JSON object")
  if (any(nchar(names(header), "bytes") > safetensors_limits$name)) refuse("a name in its header is longer than ",
    safetensors_limits$name, " bytes")
  structure(header, end = 8 + length(bytes))
}

quoted_name <- function(name) encodeString(name, quote = "\"")

#' list(dtype, shape, begin, end), all checked against each other.
#' @noRd
read_spec <- function(x, name, refuse) {
  wrong <- function(...) refuse("tensor ", quoted_name(name), ": ", ...)
  fields <- c("dtype", "shape", "data_offsets")
  if (!is.list(x) || !all(fields %in% names(x))) wrong("its entry must have dtype, shape and data_offsets")
  dtype <- x$dtype
  if (!is.character(dtype) || length(dtype) != 1) wrong("its dtype is no string")
  if (!dtype %in% names(safetensors_dtypes)) {
    wrong("its dtype is ", quoted_name(dtype), ", not one of ", paste(names(safetensors_dtypes), collapse = ", "))
  }
  shape <- whole_numbers(x$shape)
  if (is.null(shape)) wrong("its shape is no list of whole numbers")
  if (length(shape) > safetensors_limits$axes) wrong("it has ", length(shape), " axes, more than ",
    safetensors_limits$axes)
  if (any(shape > .Machine$integer.max)) wrong("an axis has ", sprintf("%.0f", max(shape)), " elements")
  offsets <- whole_numbers(x$data_offsets)
  if (length(offsets) != 2 || offsets[1] > offsets[2]) wrong("its data_offsets are no begin and end")
  bytes <- safetensors_bytes[[dtype]] * prod(shape)
  if (bytes != diff(offsets)) {
    wrong("shape ", format_shape(shape), " of ", dtype, " needs ", format_bytes(bytes), ", but its data_offsets span ",
      format_bytes(diff(offsets)))
  }
  list(dtype = dtype, shape = shape, begin = offsets[1], end = offsets[2])
}

#' A double vector, or NULL if x is anything but an array of numbers 0, 1, 2 ... that doubles hold exactly.
#' @noRd
whole_numbers <- function(x) {
  if (is.list(x)) {
    if (!is.null(names(x)) || !all(vapply(x, is_number, NA))) return(NULL)
    x <- unlist(x)
  } else if (!is.numeric(x) || length(x) < 2) return(NULL)
  x <- as.double(x)
  if (all(x == round(x) & x >= 0 & x < 2^53)) x
}

#' The tensors in the order of their numbers, which must fill the data without hole or overlap.
#' @noRd
check_layout <- function(specs, bytes, refuse) {
  begin <- vapply(specs, `[[`, 0, "begin")
  end <- vapply(specs, `[[`, 0, "end")
  layout <- order(begin, end)
  expected <- c(0, end[layout])[seq_along(layout)]
  wrong <- which(begin[layout] != expected)
  if (length(wrong)) {
    i <- layout[wrong[1]]
    refuse("tensor ", quoted_name(names(specs)[i]), " begins at byte ", sprintf("%.0f", begin[i]), " of the data, not ",
      sprintf("%.0f", expected[wrong[1]]), ": numbers overlap or have a gap")
  }
  last <- if (length(layout)) max(end) else 0
  if (last != bytes) refuse("its tensors need ", format_bytes(last), " of data, but it has ", format_bytes(bytes),
    if (last > bytes) "; it is cut off")
  layout
}

read_tensor <- function(con, spec, name, refuse) {
  bytes <- readBin(con, "raw", spec$end - spec$begin)
  if (length(bytes) != spec$end - spec$begin) refuse("it ends within tensor ", quoted_name(name))
  if (spec$dtype == "U8") return(from_row_major(bytes, spec$shape))
  tryCatch(.Call(C_tensor_from_bytes, bytes, 0, dtype_code(safetensors_dtypes[[spec$dtype]]), spec$shape),
    nativenet_error_shape = function(e) refuse("tensor ", quoted_name(name), ": ", conditionMessage(e)))
}

read_metadata <- function(x, refuse) {
  if (is.null(x)) return(structure(list(), names = character()))
  fine <- is.list(x) && (!length(x) || !is.null(names(x))) && all(vapply(x, is.character, NA) & lengths(x) == 1)
  if (!fine) refuse("its metadata are not strings by name")
  x
}
