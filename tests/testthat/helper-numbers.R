# bit64's numbers, which lie in the bits of doubles, without bit64. Strings of digits for what doubles do not hold.
int64 <- function(x, dim = NULL) {
  bytes <- function(v) {
    if (is.na(v)) return(as.raw(c(0, 0, 0, 0, 0, 0, 0, 128)))
    below <- v < 0
    if (below) v <- -v - 1
    digits <- v %/% 256^(0:7) %% 256
    as.raw(if (below) 255 - digits else digits)
  }
  x <- readBin(unlist(lapply(x, bytes)), "double", length(x), 8, endian = "little")
  dim(x) <- dim
  structure(x, class = "integer64")
}
