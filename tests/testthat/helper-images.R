# Pictures on disk, made on the spot.

#' A folder of `n` pictures for each class, of random pixels around a gray of its own.
picture_folder <- function(n = 4, classes = c("cats", "dogs"), size = c(8, 10), format = "png") {
  folder <- tempfile("pictures-")
  for (k in seq_along(classes)) {
    dir.create(file.path(folder, classes[k]), recursive = TRUE)
    for (i in seq_len(n)) {
      x <- array(floor(runif(prod(size) * 3, 160 * (k - 1) / length(classes), 80 + 175 * k / length(classes))),
        c(size, 3))
      image_array_save(x, file.path(folder, classes[k], sprintf("%s.%02d.%s", classes[k], i, format)), scale = FALSE)
    }
  }
  folder
}

picture_file <- function(ending, env = parent.frame()) {
  file <- tempfile(fileext = ending)
  do.call(on.exit, list(bquote(unlink(.(file))), add = TRUE), envir = env)
  file
}

#' A PNG file of one gray channel of 16 bits: signature, header, stored pixels, end.
png_of_16_bits <- function(x) {
  number <- function(n, bytes = 4) as.raw(n %/% 256^((bytes - 1):0) %% 256)
  crc <- function(bytes) {
    sum <- bitwNot(0L)
    for (byte in as.integer(bytes)) {
      sum <- bitwXor(sum, byte)
      for (k in 1:8) sum <- if (bitwAnd(sum, 1L)) bitwXor(bitwShiftR(sum, 1L), -306674912L) else bitwShiftR(sum, 1L)
    }
    rev(writeBin(bitwNot(as.integer(ifelse(sum > 2^31 - 1, sum - 2^32, sum))), raw(), endian = "little"))
  }
  chunk <- function(name, data) c(number(length(data)), charToRaw(name), data, crc(c(charToRaw(name), data)))
  rows <- unlist(lapply(seq_len(nrow(x)), function(i) c(as.raw(0), unlist(lapply(x[i, ], number, 2)))))
  c(as.raw(c(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)),
    chunk("IHDR", c(number(ncol(x)), number(nrow(x)), as.raw(c(16, 0, 0, 0, 0)))),
    chunk("IDAT", memCompress(as.raw(rows), "gzip")), chunk("IEND", raw()))
}
