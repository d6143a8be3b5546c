expect_refused <- function(path, message) {
  expect_error(read_idx(path), message, class = "nativenet_error_file")
  expect_error(read_idx(path), basename(path), fixed = TRUE)
}

test_that("every element type round-trips, compressed or not", {
  whole <- function(lo, hi) array(as.integer(seq(lo, hi, length.out = 24)), c(2, 3, 4))
  cases <- list(
    list(0x08, whole(0, 255)), list(0x09, whole(-128, 127)), list(0x0b, whole(-32768, 32767)),
    list(0x0c, whole(-.Machine$integer.max, .Machine$integer.max)),
    list(0x0d, whole(-50, 50) / 8), list(0x0e, array(c(pi, -Inf, NaN, 1e300), c(2, 2)))
  )
  for (case in cases) {
    for (compress in c(FALSE, TRUE)) {
      path <- write_idx(case[[2]], tempfile(), case[[1]], compress)
      expect_identical(read_idx(path), case[[2]])
    }
  }
})

test_that("the last index is fastest in the file", {
  x <- read_idx(temp_bytes(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1:12))
  expect_identical(dim(x), c(2L, 2L, 3L))
  expect_identical(x[1, 1, ], 1:3)
  expect_identical(x[1, 2, ], 4:6)
  expect_identical(x[2, 1, 1], 7L)
})

test_that("arrays of one and of eight dimensions, and empty ones, are read", {
  expect_identical(read_idx(temp_bytes(0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255)), array(c(7L, 0L, 255L), 3))
  x <- array(1:128, rep(2, 7) |> c(1))
  expect_identical(read_idx(write_idx(x, tempfile(), 0x0c)), x)
  empty <- read_idx(temp_bytes(0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 28))
  expect_identical(empty, array(0L, c(0, 28)))
  expect_identical(read_idx(temp_bytes(0, 0, 0x0e, 1, 0, 0, 0, 0)), array(0, 0))
})

test_that("files longer than a block are read", {
  x <- array(rep_len(0:250, 2^20 + 3), 2^20 + 3)
  expect_identical(read_idx(write_idx(x, tempfile(), 8, compress = TRUE)), x)
})

test_that("-2^31, which R's integers lack, becomes a double", {
  path <- temp_bytes(0, 0, 0x0c, 1, 0, 0, 0, 2, 0x80, 0, 0, 0, 0, 0, 0, 5)
  expect_identical(read_idx(path), array(c(-2^31, 5), 2))
})

test_that("`path` must name an existing file", {
  expect_error(read_idx(1), "`read_idx()`: `path` must be a single string, not 1", fixed = TRUE)
  expect_refused(tempfile(), "`path` does not exist")
  expect_refused(tempdir(), "must be a file, not the folder")
})

test_that("malformed headers are refused", {
  expect_refused(temp_bytes(), "it is empty")
  expect_refused(temp_bytes(0, 0, 8), "magic bytes are incomplete")
  expect_refused(temp_bytes(0x50, 0x4b, 3, 4), "magic bytes begin with 50 4b, not 00 00")
  expect_refused(temp_bytes(0, 1, 8, 1, 0, 0, 0, 1, 1), "magic bytes begin with 00 01")
  expect_refused(temp_bytes(0, 0, 0x0a, 1, 0, 0, 0, 1, 1), "type code is 0x0a, not one of 0x08, 0x09")
  expect_refused(temp_bytes(0, 0, 8, 0, 1), "number of dimensions is 0, not 1 to 8")
  expect_refused(temp_bytes(0, 0, 8, 9, rep(c(0, 0, 0, 1), 9), 1), "number of dimensions is 9")
  expect_refused(temp_bytes(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0), "ends within its 3 dimensions")
  expect_refused(temp_bytes(0, 0, 8, 2, 0, 0, 0, 1, 0x80, 0, 0, 0, 1), "its dimension 2 is 2147483648")
})

test_that("data of another size than announced is refused", {
  expect_refused(temp_bytes(0, 0, 8, 1, 0, 0, 0, 3, 1, 2), "too few bytes, only 2 bytes of data")
  expect_refused(temp_bytes(0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 2, 3), "announce 4 bytes, but")
  expect_refused(temp_bytes(0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3), "trailing bytes, 3 bytes of data")
  expect_refused(temp_bytes(0, 0, 8, 8, rep(c(0x7f, 255, 255, 255), 8)), "announce 4.52e\\+74 bytes")
})

test_that("a lying compressed header costs no memory", {
  zip <- function(...) {
    path <- tempfile(fileext = ".gz")
    con <- gzfile(path, "wb")
    on.exit(close(con))
    writeBin(as.raw(c(...)), con)
    path
  }
  expect_refused(zip(0, 0, 8, 2, 0x7f, 0, 0, 0, 0, 0, 1, 0), "cannot hold so much")
  expect_refused(zip(0, 0, 8, 1, 0, 0, 16, 0, 1:9), "announces 4104 bytes, but has 17 bytes")
  expect_refused(zip(0, 0, 0x0c, 1, 0, 0, 0, 2, 1:7), "announces 16 bytes, but has 15 bytes")
  expect_refused(zip(0, 0, 8, 1, 0, 0, 0, 1, 1:9), "unpacks to more than 9 bytes")
})

test_that("corrupt gzip data is refused", {
  good <- write_idx(array(sample(0:255, 5000, TRUE), 5000), tempfile(), 8, compress = TRUE)
  bytes <- readBin(good, "raw", 1e5)
  n <- length(bytes)
  spoil <- function(i) replace(bytes, i, xor(bytes[i], as.raw(0xff)))
  expect_refused(temp_bytes(bytes[1:5]), "compressed data is corrupt|magic bytes")
  expect_refused(temp_bytes(spoil(3)), "compressed data is corrupt|magic bytes")
  expect_refused(temp_bytes(spoil(n - 6)), "compressed data is corrupt")
  expect_refused(temp_bytes(bytes[1:(n - 8)]), "compressed data is corrupt")
  expect_refused(temp_bytes(bytes[1:(n %/% 2)]), "compressed data is cut off")
})

test_that("gzip data that breaks before larger elements is refused; R's readBin() crashes there", {
  # A stored block with the header of two 32-bit integers, then a block of no valid type.
  path <- temp_bytes(
    0x1f, 0x8b, 8, rep(0, 6), 3, 0, 8, 0, 0xf7, 0xff, 0, 0, 0x0c, 1, 0, 0, 0, 2, 7, rep(0xff, 12)
  )
  expect_refused(path, "compressed data is corrupt")
})

test_that("mutated files are read or refused, never anything else", {
  set.seed(1)
  good <- list(
    readBin(write_idx(array(1:24, c(2, 3, 4)), tempfile(), 0x0b), "raw", 1e4),
    readBin(write_idx(array(1:24, c(2, 3, 4)), tempfile(), 0x0d, TRUE), "raw", 1e4)
  )
  outcome <- vapply(1:400, function(i) {
    bytes <- good[[1 + i %% 2]]
    at <- sample(length(bytes), 2)
    bytes[at] <- as.raw(sample(0:255, 2))
    path <- temp_bytes(bytes[seq_len(sample(c(length(bytes), at[1]), 1))])
    on.exit(unlink(path))
    tryCatch(
      if (is.array(read_idx(path))) "read" else "other",
      nativenet_error_file = function(e) "refused",
      condition = function(c) "other"
    )
  }, "")
  expect_setequal(outcome, c("read", "refused"))
})

test_that("no connection stays open", {
  before <- nrow(showConnections())
  try(read_idx(temp_bytes(0, 0, 8, 1, 0, 0, 0, 3, 1, 2)), silent = TRUE)
  expect_identical(nrow(showConnections()), before)
})
