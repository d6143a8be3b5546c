# Zip archives, as NumPy and Keras have them: whole entries in memory, none unpacked to where its name says.

#' The entries of an archive, a data frame of Name, Length, sum and whether it is a link, all told by its directory.
#' @noRd
zip_directory <- function(path, refuse) {
  entries <- tryCatch(suppressWarnings(utils::unzip(path, list = TRUE)), error = function(e)
    refuse("it is no zip archive"))
  sums <- zip_sums(path)
  if (length(sums) != nrow(entries) || !all(entries$Name %in% names(sums))) refuse("its directory is damaged")
  if (sum(entries$Length) > most_deflated * file.size(path)) refuse("an archive of ", format_bytes(file.size(path)),
    " cannot hold ", format_bytes(sum(entries$Length)))
  entries$sum <- as.vector(sums[entries$Name])
  entries$link <- unname(bitwAnd(attr(sums, "mode")[entries$Name], 0xf000L) == 0xa000L) # as Unix has it
  entries
}

#' The sums of a zip archive's entries by name, of which R does not tell: from the directory at its end.
#' @noRd
zip_sums <- function(path) {
  con <- file(path, "rb")
  on.exit(close(con))
  last <- min(file.size(path), 65557)
  seek(con, file.size(path) - last)
  end <- readBin(con, "raw", last)
  at <- utils::tail(grepRaw(as.raw(c(0x50, 0x4b, 5, 6)), end, fixed = TRUE, all = TRUE), 1)
  if (!length(at) || at + 21 > last) return(NA)
  seek(con, little_endian(end[at + 16:19]))
  directory <- readBin(con, "raw", min(little_endian(end[at + 12:15]), file.size(path)))
  sums <- mode <- numeric()
  at <- 0
  while (at + 46 <= length(directory) && identical(directory[at + 1:4], as.raw(c(0x50, 0x4b, 1, 2)))) {
    sizes <- vapply(c(29, 31, 33), function(i) little_endian(directory[at + i + 0:1]), 0)
    name <- tryCatch(rawToChar(directory[at + 46 + seq_len(sizes[1])]), error = function(e) "")
    sums[name] <- little_endian(directory[at + 17:20])
    mode[name] <- little_endian(directory[at + 41:42])
    at <- at + 46 + sum(sizes)
  }
  structure(sums, mode = mode)
}

#' @param more how many bytes come after those that were announced.
#' @noRd
check_zip_sum <- function(bytes, sum, more, refuse) {
  if (!identical(crc_32(bytes), sum) || more) refuse("it is damaged")
}

#' The bytes of some entries by name. None is larger than `most`.
#' @noRd
read_zip <- function(path, wanted, refuse, most = Inf) {
  entries <- zip_directory(path, refuse)
  outside <- leads_out(entries$Name)
  if (any(outside)) refuse("its entry ", encodeString(entries$Name[outside][1], quote = "\""),
    " would lie outside of it")
  lapply(stats::setNames(nm = intersect(wanted, entries$Name)), function(name) {
    refuse_entry <- function(...) refuse("its entry ", encodeString(name, quote = "\""), ": ", ...)
    at <- match(name, entries$Name)
    length <- entries$Length[at]
    if (length > most) refuse_entry("it has ", format_bytes(length), ", more than ", format_bytes(most))
    open <- function() unz(path, name, "rb")
    check_stream(open, refuse_entry, announced = length)
    con <- open()
    on.exit(close(con))
    read <- byte_reader(con, refuse_entry)
    bytes <- read(length)
    check_zip_sum(bytes, entries$sum[at], base::length(read(1)), refuse_entry)
    bytes
  })
}

#' The bytes of an archive of these entries, not compressed. Sizes and places have 4 bytes there.
#' @noRd
zip_bytes <- function(entries, most = 2^32 - 2^16) {
  held <- sum(lengths(entries))
  if (held > most) abort("a zip archive, such as a `.keras` file, holds at most ", format_bytes(most), ", not ",
    format_bytes(held), ": save to a file of another format, such as one whose name ends in \".h5\"", class = "file",
    fun = user_function())
  at <- 0
  local <- central <- list()
  for (name in names(entries)) {
    content <- entries[[name]]
    # version, flags, method, time and date of 1980, sum, sizes, lengths of the name and of more
    common <- c(number_bytes(c(20, 0, 0, 0, 33), 2), number_bytes(c(crc_32(content), rep(length(content), 2)), 4),
      number_bytes(c(nchar(name, "bytes"), 0), 2))
    central <- c(central, list(c(charToRaw("PK"), as.raw(1:2), number_bytes(20, 2), common, number_bytes(c(0, 0, 0), 2),
      number_bytes(c(0, at), 4), charToRaw(name))))
    local <- c(local, list(c(charToRaw("PK"), as.raw(3:4), common, charToRaw(name), content)))
    at <- at + length(local[[length(local)]])
  }
  size <- sum(lengths(central))
  c(unlist(local), unlist(central), charToRaw("PK"), as.raw(5:6), number_bytes(c(0, 0, length(entries),
    length(entries)), 2), number_bytes(c(size, at), 4), number_bytes(0, 2))
}

#' CRC-32, that of zip archives, or Castagnoli's, that of records of TensorFlow.
#' @noRd
crc_32 <- function(bytes, castagnoli = FALSE) .Call(C_crc32, bytes, as.integer(castagnoli))

#' Whole numbers as so many bytes each, the lowest first.
#' @noRd
number_bytes <- function(x, size) as.raw(floor(rep(x, each = size) / 256^(seq_len(size) - 1)) %% 256)
