# Files: found, read within bounds, and written as a whole or not at all. Readers and writers of all formats stand on
# these.
#
# A file may come from anybody. No reader hands one to unserialize() or to the parser of R, and none takes much more
# memory than the file has bytes before it knows that the file is what it says: `slack` and `slack_factor` times the
# file. What a header announces and the file really holds may be more.

slack <- 2^23
slack_factor <- 4

#' So many bytes a reader may take of a file without an announcement.
#' @noRd
file_slack <- function(path) slack + slack_factor * file.size(path)

check_file <- function(path, fun = calling_function(), arg = "path") {
  check_string(path, arg, fun)
  if (!file.exists(path)) abort("`", arg, "` does not exist: \"", path, "\"", class = "file", fun = fun)
  if (dir.exists(path)) abort("`", arg, "` must be a file, not the folder \"", path, "\"", class = "file", fun = fun)
}

is_absolute <- function(path) grepl("^([/~\\\\]|[A-Za-z]:)", path)

#' May a name, of whatever system, lie outside of the folder that it is meant to be below?
#' @noRd
leads_out <- function(name) is_absolute(name) | grepl("(^|[/\\\\])[.][.]([/\\\\]|$)", name)

existing_file <- function(path, arg = "file", fun = calling_function()) {
  name <- encodeString(check_string(path, arg = arg, fun = fun), quote = "\"")
  if (dir.exists(path)) abort("there is no file ", name, ", but a folder of that name", class = "file", fun = fun)
  if (!file.exists(path)) {
    abort("there is no file ", name, if (!is_absolute(path)) paste(" in the working directory,",
      encodeString(getwd(), quote = "\"")), class = "file", fun = fun)
  }
  normalizePath(path)
}

#' What a file of a known other format is, by its first bytes; NULL for others.
#' @noRd
other_format <- function(path) {
  start <- readBin(path, "raw", 9)
  # the length of a safetensors header, which comes first, may begin like any of these; its text follows
  header <- sum(as.integer(start[seq_len(min(8, length(start)))]) * 256^seq(0, length.out = min(8, length(start))))
  if (identical(start[9], charToRaw("{")) && header + 8 <= file.size(path)) return(NULL)
  begins <- function(...) identical(utils::head(start, ...length()), as.raw(c(...)))
  if (begins(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a))
    return("an HDF5 file, such as Keras writes by the ending .h5")
  if (begins(0x50, 0x4b, 0x03, 0x04))
    return("a zip archive, such as Keras writes by the ending .keras, and PyTorch by .pt")
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return("an array of NumPy, which `read_npy()` reads")
  if (identical(start[1], as.raw(0x80)) && start[2] %in% as.raw(2:5)) return("a pickle of Python")
  if (is_serialized(path)) return("a file of R objects; `readRDS()` and `load()` read one's own")
}

#' A function that raises the error of a malformed file.
#' @noRd
refuse_file <- function(path, format, fun, arg = "path") {
  function(...) abort("`", arg, "` is not a valid ", format, " file, ", ..., ": \"", path, "\"", class = "file",
    fun = fun)
}

read_bytes <- function(path) readBin(path, "raw", file.size(path))

#' Does a file hold R objects, as saveRDS() and save() write them? They are for one's own use: reading them can run
#' code.
#' @noRd
is_serialized <- function(path) {
  con <- gzfile(path, "rb") # reads plain files, too
  on.exit(close(con))
  start <- tryCatch(suppressWarnings(readBin(con, "raw", 5)), error = function(e) raw())
  any(vapply(c("X\n", "A\n", "A\r", "B\n", "RDX", "RDA", "RDB"), function(magic) identical(start[seq_len(nchar(magic))],
    charToRaw(magic)), NA))
}

# ---- compressed files ----

# Deflate compresses at most so many times.
most_deflated <- 1032

is_gzip <- function(path) {
  identical(suppressWarnings(readBin(normalizePath(path), "raw", 2L)), as.raw(c(0x1f, 0x8b)))
}

#' A function that gives the next n bytes of a connection in binary mode, fewer at its end. Bytes only, decoded
#' afterwards: readBin() of R 4.2 crashes when it meets corrupt gzip data while reading larger elements. A sum that is
#' wrong is a warning of it.
#' @param path of the file, where it may be compressed as a whole.
#' @noRd
byte_reader <- function(con, refuse, path = NULL) {
  corrupt <- function(e) refuse("its compressed data is corrupt")
  held <- since <- 0
  function(n) {
    if (since > 2^22) {
      gc(full = FALSE) # else what was read before lies about
      since <<- 0
    }
    bytes <- tryCatch(readBin(con, "raw", n), error = corrupt, warning = corrupt)
    since <<- since + n
    held <<- held + length(bytes)
    if (!length(bytes) && n > 0 && !is.null(path) && is_gzip(path) && !is_whole_gzip(path, held))
      refuse("its compressed data is cut off")
    bytes
  }
}

#' The number that bytes stand for, the lowest first.
#' @noRd
little_endian <- function(bytes) sum(as.numeric(bytes) * 256^(seq_along(bytes) - 1))

#' Does a gzip file end where its data does? R does not tell. The file says last how many bytes it has, or its last part
#' has.
#' @noRd
is_whole_gzip <- function(path, held) {
  says <- function(bytes) little_endian(utils::tail(bytes, 4))
  if (file.size(path) < 20) return(FALSE) # a header and the sum of nothing
  con <- file(path, "rb")
  on.exit(close(con))
  seek(con, file.size(path) - 4)
  if (says(readBin(con, "raw", 4)) == held %% 2^32) return(TRUE)
  bytes <- read_bytes(path)
  to <- tempfile("nativenet-")
  on.exit(unlink(to), add = TRUE)
  for (start in setdiff(rev(grepRaw(as.raw(c(0x1f, 0x8b, 0x08)), bytes, fixed = TRUE, all = TRUE)), 1)) {
    part <- bytes[start:length(bytes)]
    writeBin(part, to)
    if (tryCatch(check_stream(function() gzfile(to, "rb"), stop, most = says(part)) == says(part), error = function(e)
      FALSE)) return(TRUE)
  }
  FALSE
}

#' A reader that refuses what does not hold `announced` bytes, or, where nothing is announced, holds more than `most`.
#' @noRd
counted <- function(read, refuse, announced = NULL, most = announced) {
  held <- 0
  function(n) {
    block <- read(n)
    held <<- held + length(block)
    if (held > most) refuse("it unpacks to more than ", format_bytes(most))
    if (!length(block) && !is.null(announced) && held < announced) refuse("it announces ", format_bytes(announced),
      ", but has ", format_bytes(held))
    block
  }
}

#' Read a compressed stream once without keeping any of it: how many bytes are in it? `open` opens it; it may be the
#' file of the name `path`.
#' @noRd
check_stream <- function(open, refuse, announced = NULL, most = announced, path = NULL) {
  con <- open()
  on.exit(close(con))
  read <- counted(byte_reader(con, refuse, path), refuse, announced, most)
  held <- 0
  while (n <- length(read(2^16))) held <- held + n
  invisible(held)
}

#' Unpack a gzip file into a new one, which is gone again when anything is wrong.
#' @noRd
unpack <- function(path, to, refuse, announced = NULL, most = announced, fun = calling_function()) {
  con <- gzfile(path, "rb")
  on.exit(close(con))
  read <- counted(byte_reader(con, refuse, path), refuse, announced, most)
  replace_file(to, fun = fun, pieces = function() {
    block <- read(2^20)
    if (length(block)) block
  })
}

#' The bytes of a file, compressed or not.
#' @noRd
file_content <- function(path, refuse) {
  path <- normalizePath(path)
  if (!is_gzip(path)) return(read_bytes(path))
  open <- function() gzfile(path, "rb")
  n <- check_stream(open, refuse, most = file_slack(path), path = path)
  con <- open()
  on.exit(close(con))
  byte_reader(con, refuse)(n)
}

#' A string of any bytes but zero.
#' @noRd
as_string <- function(bytes, refuse) {
  force(bytes)
  # an error or, at the end, left out: bytes == 0 would take four times the memory
  text <- tryCatch(rawToChar(bytes), error = function(e) "")
  if (nchar(text, "bytes") != length(bytes)) refuse("it holds zero bytes")
  text
}

# ---- writing ----

#' Let a file hold these pieces: as a whole or, after any failure, what it held before.
#' @param pieces raw vectors and tensors, whose numbers are meant; or a function that gives the next one, NULL after the
#'   last.
#' @noRd
replace_file <- function(path, pieces, fun = calling_function()) {
  if (is_silent()) return(invisible(path)) # another process writes it
  fail <- check_replaceable(path, fun)
  # what a link points to is replaced, not the link
  target <- if (file.exists(path)) normalizePath(path) else path
  part <- part_file(target)
  on.exit(unlink(part, expand = FALSE))
  problem <- .Call(C_file_write, part, if (is.function(pieces)) list() else pieces, FALSE)
  while (is.null(problem) && is.function(pieces) && !is.null(piece <- pieces())) problem <- .Call(C_file_write, part,
    list(piece), TRUE)
  if (is.null(problem) && file.exists(target)) Sys.chmod(part, file.info(target)$mode, use_umask = FALSE)
  # renaming within a folder is atomic
  if (is.null(problem)) problem <- tryCatch(if (!file.rename(part, target)) "it cannot be renamed",
    warning = conditionMessage)
  if (length(problem)) fail(problem)
  .Call(C_folder_sync, dirname(target))
  invisible(path)
}

#' A function that raises the error of a file that cannot be written, if it is not called at once.
#' @noRd
check_replaceable <- function(path, fun = calling_function()) {
  fail <- function(...) abort("cannot write ", encodeString(path, quote = "\""), ": ", ..., class = "file", fun = fun)
  if (dir.exists(path)) fail("it is a folder")
  if (.Call(C_is_device, path)) fail("it is a device, not a file")
  if (!dir.exists(dirname(path))) fail("the folder ", encodeString(dirname(path), quote = "\""), " does not exist")
  fail
}

#' The same for a text, whose bytes stay as they are.
#' @noRd
replace_text <- function(path, text, fun = calling_function()) replace_file(path, list(charToRaw(text)), fun)

#' The name of the new file while it is being written. Those of processes of this machine that died meanwhile are
#' removed.
#' @noRd
part_file <- function(path) {
  stem <- sprintf(".%s.%s-", basename(path), Sys.info()[["nodename"]])
  files <- list.files(dirname(path), all.files = TRUE)
  files <- files[startsWith(files, stem) & grepl("-[0-9]+[.]part$", files)]
  process <- as.integer(sub(".*-([0-9]+)[.]part$", "\\1", files))
  dead <- process == Sys.getpid() | !.Call(C_has_process, process)
  unlink(file.path(dirname(path), files[dead]), expand = FALSE)
  file.path(dirname(path), sprintf("%s%d.part", stem, Sys.getpid()))
}

format_bytes <- function(n) sprintf(if (n < 1e15) "%.0f bytes" else "%.3g bytes", n)

#' Another process may make it at the same time.
#' @noRd
make_folder <- function(path, fun = calling_function()) {
  dir.create(path, recursive = TRUE, showWarnings = FALSE)
  if (!dir.exists(path)) abort("cannot make the folder ", encodeString(path, quote = "\""), class = "file", fun = fun)
}
