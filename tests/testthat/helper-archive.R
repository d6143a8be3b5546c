# Archives written by hand.

#' A tar archive; entries: list(name, data = raw, type, link).
write_tar <- function(entries, path) {
  field <- function(bytes, n) c(bytes, raw(n - length(bytes)))
  octal <- function(x, n) charToRaw(paste0(strrep("0", n - 1 - nchar(format(as.octmode(as.integer(x))))),
    format(as.octmode(as.integer(x))), " "))
  bytes <- unlist(lapply(entries, function(e) {
    data <- if (is.null(e$data)) raw() else e$data
    block <- c(field(charToRaw(e$name), 100), octal(420, 8), octal(0, 8), octal(0, 8), octal(length(data), 12),
      octal(0, 12), rep(charToRaw(" "), 8), charToRaw(if (is.null(e$type)) "0" else e$type),
      field(charToRaw(if (is.null(e$link)) "" else e$link), 100), charToRaw("ustar"), raw(1), charToRaw("00"))
    block <- field(block, 512)
    block[149:156] <- octal(sum(as.integer(block)), 8)
    c(block, data, raw((512 - length(data) %% 512) %% 512))
  }))
  con <- if (endsWith(path, "gz")) gzfile(path, "wb") else file(path, "wb")
  writeBin(c(bytes, raw(1024)), con)
  close(con)
  path
}

file_url <- function(path) paste0("file://", if (.Platform$OS.type == "windows") "/", normalizePath(path, "/"))
