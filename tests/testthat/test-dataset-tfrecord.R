# Files of TensorFlow's records.

written <- function(records, options = NULL) {
  path <- tempfile(fileext = ".tfrecord")
  writer <- tf$io$TFRecordWriter(path, options)
  for (record in records) writer$write(record)
  writer$close()
  path
}
read_all <- function(path, ...) lapply(as.list(tfrecord_dataset(path, ...)), unclass)

test_that("records are written and read, of each compression and of several files", {
  set.seed(1)
  records <- lapply(c(0, 1, 5, 1000, 300000, 2, 70000), function(n) as.raw(sample(0:255, n, TRUE)))
  for (type in c("", "GZIP", "ZLIB")) {
    path <- written(records, if (type == "GZIP") tf$io$TFRecordOptions("GZIP") else type)
    expect_identical(read_all(path, type), records, info = type)
    expect_identical(read_all(c(path, path), type), c(records, records), info = type)
  }
  expect_identical(read_all(written(list())), list())
  expect_identical(lapply(as.list(tfrecord_dataset(written("text"))), as.character), list("text"))
  batch <- next_batch(dataset_batch(tfrecord_dataset(written(c("a", "bc"))), 2))
  expect_output(print(batch), "2 times bytes")
  expect_output(print(tfrecord_dataset(written("a"))), "data")
})

test_that("a file has the bytes of TensorFlow's format", {
  # length 3, its masked CRC-32C, the data, theirs; by an independent implementation (tools/tfrecord.py)
  bytes <- readBin(written("abc"), "raw", 100)
  expect_identical(bytes[1:8], as.raw(c(3, 0, 0, 0, 0, 0, 0, 0)))
  expect_identical(bytes[13:15], charToRaw("abc"))
  expect_length(bytes, 19)
  # CRC-32C of "123456789" is 0xe3069283, by RFC 3720's polynomial
  expect_identical(nativenet:::crc_32(charToRaw("123456789"), TRUE), 0xe3069283)
})

test_that("files that are cut off or changed are refused wherever it is", {
  path <- written(c("abc", "defgh"))
  bytes <- readBin(path, "raw", 100)
  for (n in setdiff(seq_along(bytes) - 1, c(0, 19))) {
    writeBin(bytes[seq_len(n)], path)
    e <- expect_error(read_all(path), class = "nativenet_error_file")
    expect_match(conditionMessage(e), paste("ends within record", if (n < 19) 1 else 2), info = n)
  }
  for (at in seq_along(bytes)) {
    wrong <- bytes
    wrong[at] <- xor(wrong[at], as.raw(16))
    writeBin(wrong, path)
    e <- expect_error(read_all(path), class = "nativenet_error_file")
    expect_match(conditionMessage(e), "checksum of the (length|data) of record", info = at)
  }
  # a length beyond all memory, with the right checksum
  size <- as.raw(c(0, 0, 0, 0, 0, 0, 1, 0))
  writeBin(c(size, nativenet:::masked_checksum(size), raw(50)), path)
  expect_error(read_all(path), "ends within record 1", class = "nativenet_error_file")
  for (type in c("GZIP", "ZLIB")) {
    path <- written(rep("some record", 2000), type)
    bytes <- readBin(path, "raw", 1e5)
    writeBin(bytes[seq_len(length(bytes) - 30)], path)
    expect_error(read_all(path, type), class = "nativenet_error_file", info = type)
  }
  expect_error(read_all(written("abc"), "ZLIB"), "compression ZLIB", class = "nativenet_error_file")
  expect_error(read_all(written("abc", "ZLIB")), "compression_type", class = "nativenet_error_file")
  expect_error(tfrecord_dataset("not there"), "no file", class = "nativenet_error_file")
  expect_error(tfrecord_dataset(path, "BZIP"), "`compression_type`")
})
