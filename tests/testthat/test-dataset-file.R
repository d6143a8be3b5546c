# Data sets from files: what they give, and what they refuse.

digits <- array(rep(c(0:255, 7L, 9L), length.out = 5 * 4 * 3), c(5, 4, 3))
labels <- c(3L, 0L, 255L, 1L, 2L)

test_that("idx files give what read_idx() gives", {
  for (compress in c(FALSE, TRUE)) {
    images <- write_idx(digits, tempfile(), 8, compress)
    marks <- write_idx(labels, tempfile(), 8, compress)
    data <- idx_dataset(images, marks)
    expect_identical(length(data), 5L)
    expect_identical(unclassed(output_shapes(data)), list(c(4L, 3L), integer()))
    expect_identical(elements(data), elements(tensor_slices_dataset(list(digits, labels))))
    expect_identical(elements(idx_dataset(images)), elements(tensor_slices_dataset(digits)))
    expect_identical(elements(dataset_batch(data, 2)),
      elements(dataset_batch(tensor_slices_dataset(list(digits, labels)), 2)))
    set.seed(1)
    shuffled <- as.list(dataset_shuffle(data, 5))
    expect_setequal(vapply(shuffled, function(e) as.array(e[[2]]), 0L), labels)
    for (e in shuffled) expect_identical(as.array(e[[1]]), digits[match(as.array(e[[2]]), labels), , ])
    expect_equal(flat(dataset_map(data, function(x, y) op_sum(x))), apply(digits, 1, sum))
    saved <- tempfile()
    saveRDS(data, saved)
    expect_identical(elements(readRDS(saved)), elements(data))
  }
  other <- matrix(c(1.5, -2, 3, 4), 2)
  expect_identical(elements(idx_dataset(write_idx(other, tempfile(), 0x0e))), elements(tensor_slices_dataset(other)))
  wide <- matrix(c(-1L, 2L, 70000L, 4L), 2)
  expect_identical(elements(idx_dataset(write_idx(wide, tempfile(), 0x0c))), elements(tensor_slices_dataset(wide)))
  expect_identical(as.list(idx_dataset(write_idx(array(1L, c(0, 2)), tempfile(), 8))), list())
  # a file unpacked before, of the same name and elsewhere
  folders <- c(tempfile(), tempfile())
  for (i in 1:2) {
    dir.create(folders[i])
    write_idx(labels + 0L * i, file.path(folders[i], "x.gz"), 8, TRUE)
  }
  write_idx(rev(labels), file.path(folders[2], "x.gz"), 8, TRUE)
  expect_equal(flat(idx_dataset(file.path(folders[1], "x.gz"))), labels)
  expect_equal(flat(idx_dataset(file.path(folders[2], "x.gz"))), rev(labels))
})

test_that("broken idx files are refused", {
  images <- write_idx(digits, tempfile(), 8)
  cut <- function(path, n, gz = FALSE) {
    bytes <- readBin(path, "raw", file.size(path))
    to <- tempfile()
    writeBin(if (n > 0) head(bytes, n) else c(bytes, as.raw(0)), to)
    to
  }
  for (n in c(0.5, 3, 10, 16, 40, 75)) expect_refusal(idx_dataset(cut(images, ceiling(n))), "file", "`idx_dataset()`")
  expect_refusal(idx_dataset(cut(images, -1)), "file", "`idx_dataset()`")
  packed <- write_idx(digits, tempfile(), 8, TRUE)
  expect_refusal(idx_dataset(cut(packed, 60)), "file", "`idx_dataset()`")
  expect_refusal(idx_dataset(cut(packed, 12)), "file", "`idx_dataset()`")
  bytes <- readBin(packed, "raw", file.size(packed))
  bytes[40:60] <- as.raw(0xff)
  corrupt <- tempfile()
  writeBin(bytes, corrupt)
  expect_refusal(idx_dataset(corrupt), "file")
  expect_refusal(idx_dataset(temp_bytes(1, 0, 8, 1, 0, 0, 0, 1, 5)), "file", "magic")
  expect_refusal(idx_dataset(temp_bytes(0, 0, 7, 1, 0, 0, 0, 1, 5)), "file", "type code")
  expect_refusal(idx_dataset(tempfile()), "file", "does not exist")
  expect_refusal(idx_dataset(tempdir()), "file")
  expect_refusal(idx_dataset(images, write_idx(1:4, tempfile(), 8)), "shape", "5 images but 4 labels")
  expect_refusal(idx_dataset(5), "value", "string")
})

test_that("files may go or change between iterations", {
  path <- write_idx(digits, tempfile(), 8)
  data <- idx_dataset(path)
  expect_length(as.list(data), 5)
  gc() # lets go of the file, which Windows keeps from changing
  writeBin(as.raw(1:10), path)
  expect_refusal(as.list(data), "file", "10 bytes")
  unlink(path)
  expect_refusal(as.list(data), "file", "no file")
})

test_that("files of plain numbers, in every dtype and from any place on", {
  values <- c(1, 2, 3, 200, 5, 6)
  x <- matrix(values, 3, byrow = TRUE)
  write <- function(dtype, offset) {
    path <- tempfile()
    con <- file(path, "wb")
    on.exit(close(con))
    writeBin(as.raw(rep(9, offset)), con)
    little <- function(x, ...) writeBin(x, con, ..., endian = "little")
    switch(dtype,
      float32 = little(values, size = 4), float64 = little(values), int32 = little(as.integer(values)),
      int64 = little(c(rbind(as.integer(values), 0L))), uint8 = little(as.raw(values)))
    path
  }
  wide <- c("float32", "float64", "int64")
  if (.Platform$endian == "big") {
    for (dtype in wide) expect_refusal(array_file_dataset(write(dtype, 0), 6, dtype), "file", "lowest byte first")
    wide <- character()
  }
  for (dtype in c(wide, "int32", "uint8")) for (offset in c(0, 3, 8)) {
    path <- write(dtype, offset)
    data <- array_file_dataset(path, dim = c(3, 2), dtype = dtype, offset = offset)
    expect_identical(length(data), 3L)
    expect_identical(unclassed(output_types(data)), if (dtype == "uint8") "int32" else dtype)
    expect_equal(numbers(data), list(c(1, 2), c(3, 200), c(5, 6)), info = paste(dtype, offset))
    expect_equal(flat(dataset_map(data, function(x) op_sum(x))), c(3, 203, 11))
    expect_equal(as.array(as.list(dataset_batch(data, 3))[[1]]), x)
    expect_equal(numbers(array_file_dataset(path, dim = 2, dtype = dtype, offset = offset)), list(1, 2))
    expect_refusal(array_file_dataset(path, c(3, 3), dtype, offset), "file", "`array_file_dataset()`", "at least")
    expect_refusal(array_file_dataset(path, c(3, 2), dtype, offset + 1), "file")
  }
  special <- tempfile()
  writeBin(c(NaN, Inf, -Inf), special)
  if ("float64" %in% wide) expect_identical(flat(array_file_dataset(special, 3, "float64")), c(NaN, Inf, -Inf))
  gz_like <- tempfile()
  writeBin(as.raw(c(0x1f, 0x8b, 3, 4)), gz_like)
  expect_equal(flat(array_file_dataset(gz_like, 4, "uint8")), c(31, 139, 3, 4))
  empty <- tempfile()
  file.create(empty)
  expect_identical(as.list(array_file_dataset(empty, c(0, 3), "uint8")), list())
  expect_refusal(array_file_dataset(tempfile(), 3), "file", "no file")
  expect_refusal(array_file_dataset(special, 3, "int8"), "value", "`dtype`")
  expect_refusal(array_file_dataset(special, -1), "value", "`dim`")
  expect_refusal(array_file_dataset(special, numeric()), "value", "`dim`")
  expect_refusal(array_file_dataset(special, 1, offset = -1), "value", "`offset`")
})

test_that("what lies in files is read ahead, of shards no more than that", {
  skip_on_cran()
  skip_if_not(all(nzchar(Sys.which(c("fincore", "dd")))), "no tools that look at what the system has in memory")
  megabytes <- function(path) as.numeric(system2("fincore", c("--bytes", "--noheadings", "--output", "RES",
    shQuote(path)), stdout = TRUE)) / 2^20
  for (shards in c(1, 2, 8)) {
    path <- tempfile()
    writeBin(raw(64 * 2^20), path)
    suppressWarnings(system2("dd", c(paste0("of=", shQuote(path)), "oflag=nocache", "conv=notrunc,fdatasync",
      "count=0"), stdout = FALSE, stderr = FALSE))
    skip_if_not(isTRUE(megabytes(path) == 0), "the system does not forget what it has read")
    rows <- array_file_dataset(path, c(1024, 16384)) # of 64 kB
    data <- if (shards > 1) dataset_shard(rows, shards, 1) else rows
    # a small tensor for each row: as much is read ahead for these as for the rows
    it <- as_iterator(dataset_map(data, function(x) op_sum(x)))
    iter_next(it)
    until <- Sys.time() + 20
    while (megabytes(path) < 1 && Sys.time() < until) Sys.sleep(0.02)
    expect_gte(megabytes(path), 1, label = paste(shards, "shards: MB"))
    for (i in 1:100) iter_next(it)
    if (shards == 8) expect_lte(megabytes(path), 16) # the rows of the shard are 8 MB
    unlink(path)
  }
})

test_that("lines of text", {
  a <- tempfile()
  cat("one\n\ntwo\nthree", file = a) # no newline at its end
  b <- tempfile(fileext = ".gz")
  con <- gzfile(b, "w")
  writeLines(c("four", "f\u00fcnf"), con)
  close(con)
  empty <- tempfile()
  file.create(empty)
  for (block in c(1, 2, 1000)) {
    data <- text_line_dataset(c(a, empty, b), block = block)
    for (round in 1:2) expect_identical(as.list(data), list("one", "", "two", "three", "four", "f\u00fcnf"))
  }
  expect_identical(unclassed(output_types(data)), "string")
  expect_true(is.na(length(data)))
  expect_identical(as.list(dataset_take(dataset_batch(data, 4), 1)), list(c("one", "", "two", "three")))
  expect_identical(unlist(as.list(dataset_shuffle(data, 1))), c("one", "", "two", "three", "four", "f\u00fcnf"))
  expect_equal(flat(dataset_map(data, nchar)), c(3, 0, 3, 5, 4, 4))
  expect_refusal(text_line_dataset(c(a, tempfile())), "file", "no file")
  expect_refusal(text_line_dataset(tempdir()), "file", "`text_line_dataset()`: there is no file")
  expect_refusal(text_line_dataset(1), "value", "string")
  expect_refusal(text_line_dataset(a, block = 0), "value", "`block`")
})

test_that("a reader that is left alone closes its file", {
  path <- tempfile()
  writeLines(as.character(1:100), path)
  gc()
  before <- nrow(showConnections())
  leave <- function() for (i in 1:5) iter_next(as_iterator(text_line_dataset(path, block = 10)))
  leave()
  expect_silent(for (i in 1:3) gc())
  expect_lte(nrow(showConnections()), before + 1)
})

csv <- function(...) {
  path <- tempfile(fileext = ".csv")
  writeLines(as.character(c(...)), path)
  path
}
column <- function(data, name) vapply(as.list(data), function(row) if (is.character(row[[name]])) row[[name]] else
  as.character(as.array(row[[name]])), "")

test_that("text in quotes may go over lines, empty ones too, wherever a block ends", {
  given <- c("a", "two\nlines", "x \"y\"\n\nz", "", "e\n\n")
  path <- csv("n,s", "1,a", "2,\"two", "lines\"", "", "3,\"x \"\"y\"\"", "", "z\"", "4,\"\"", "5,\"e", "", "\"")
  for (block in 1:12) {
    expect_identical(column(csv_dataset(path, block = block), "s"), given)
    expect_identical(column(csv_dataset(path, select = "n", block = block), "n"), as.character(1:5))
  }
  expect_named(as.list(csv_dataset(csv("n,\"a", "b\"", "1,2")))[[1]], c("n", "a\nb"))
  expect_refusal(csv_dataset(csv("n,s", "1,\"a", "2,b")), "file", "`csv_dataset()`", "quote is open at its end")
  expect_refusal(csv_dataset(csv("n,s", "1,\"a", rep("2,b", 20000)), block = 10), "file", "quote is not closed")
})

test_that("errors of csv files name the row, and a file that has gone", {
  path <- csv("n,m", paste(1:30, 1, sep = ","), "1")
  expect_refusal(as.list(csv_dataset(path, block = 5)), "file", "row 31 did not have 2 elements")
  data <- csv_dataset(path, block = 5)
  unlink(path)
  expect_refusal(as.list(data), "file", "`csv_dataset()`: there is no file")
  lines <- text_line_dataset(path <- csv("a"))
  unlink(path)
  expect_refusal(as.list(lines), "file", "`text_line_dataset()`: there is no file")
})

test_that("rows of csv files have the types of their columns", {
  path <- csv("n,d,s,l,\"a b\"", "1,0.5,x,TRUE,7", "2,1e3,\"y, z\",FALSE,8", "", "-3,2,\"\",TRUE,9")
  for (block in c(1, 2, 1000)) {
    data <- csv_dataset(path, block = block)
    rows <- as.list(data)
    expect_length(rows, 3)
    expect_named(rows[[1]], c("n", "d", "s", "l", "a b"))
    expect_identical(tensor_dtype(rows[[1]]$n), "int32")
    expect_identical(tensor_dtype(rows[[1]]$d), "float64")
    expect_identical(tensor_dtype(rows[[1]]$l), "bool")
    expect_identical(column(data, "s"), c("x", "y, z", ""))
    expect_equal(column(data, "n"), c("1", "2", "-3"))
    expect_equal(flat(dataset_map(data, function(row) row$d)), c(0.5, 1000, 2))
  }
  chosen <- csv_dataset(path, select = c("s", "n"))
  expect_named(as.list(chosen)[[1]], c("s", "n"))
  batch <- as.list(dataset_batch(csv_dataset(path), 2))[[1]]
  expect_equal(as.array(batch$d), array(c(0.5, 1000)))
  expect_identical(batch$s, c("x", "y, z"))
  plain <- csv_dataset(csv("1;2", "3;4"), column_names = c("x", "y"), sep = ";")
  expect_equal(column(plain, "y"), c("2", "4"))
  expect_identical(as.list(csv_dataset(csv("a,b"))), list())
  marked <- tempfile()
  writeBin(c(as.raw(c(0xef, 0xbb, 0xbf)), charToRaw("a,b\n1,2\n")), marked)
  expect_named(as.list(csv_dataset(marked))[[1]], c("a", "b"))
  expect_identical(as.list(text_line_dataset(marked)), list("a,b", "1,2"))
  rows <- as.list(csv_dataset(csv("\"\",\"x\"", "1,0.5", "2,1.5"))) # a column without a name
  expect_equal(as.array(rows[[2]][[1]]), 2)
  expect_equal(as.array(rows[[2]]$x), 1.5)
  many <- csv_dataset(csv(paste0("c", 1:100, collapse = ","), paste(1:100, collapse = ",")))
  expect_equal(as.array(as.list(many)[[1]]$c100), 100)
})

test_that("missing values in csv files", {
  data <- csv_dataset(csv("n,d,s", "1,,x", "NA,2.5,NA"))
  rows <- as.list(data)
  expect_identical(is.nan(c(as.array(rows[[1]]$d), as.array(rows[[2]]$n))), c(TRUE, TRUE))
  expect_identical(tensor_dtype(rows[[1]]$n), "float64")
  expect_identical(rows[[2]]$s, NA_character_)
  expect_refusal(as.list(csv_dataset(csv("n", 1:20, "NA"), block = 5)), "file", "missing in column \"n\"", "integer")
  expect_refusal(as.list(csv_dataset(csv("l,m", "TRUE,1", ",2"))), "file", "missing in column \"l\"")
})

test_that("bad csv files are refused, when they are met", {
  late <- csv_dataset(csv("n,m", paste(1:20, 1, sep = ","), "x,1"), block = 5)
  it <- as_iterator(late)
  for (i in 1:20) expect_equal(as.array(iter_next(it)$n), i)
  expect_refusal(iter_next(it), "file", "`csv_dataset()`", "x")
  expect_refusal(as.list(csv_dataset(csv("n,m", paste(1:20, 1, sep = ","), "1"), block = 5)), "file")
  expect_refusal(csv_dataset(csv("n,m", "1,2", "1,2,3,4")), "file")
  expect_refusal(csv_dataset(csv("n,m", "1,2", "3")), "file")
  expect_refusal(csv_dataset(csv()), "file", "is empty")
  expect_refusal(csv_dataset(csv("a,b,a", "1,2,3")), "file", "two columns of the name \"a\"")
  expect_refusal(csv_dataset(csv("a,b", "1,\"2")), "file", "quote is open")
  expect_refusal(csv_dataset(csv("n", "1"), select = "z"), "file", "\"z\"")
  expect_refusal(csv_dataset(csv("n", "1"), column_names = c("a", "b")), "file")
  expect_refusal(csv_dataset(tempfile()), "file", "no file")
  expect_refusal(csv_dataset(csv("n", "1"), block = 0), "value", "`block`")
  for (sep in list(";;", 1, NA_character_, globalenv())) expect_refusal(csv_dataset(csv("n", "1"), sep = sep), "value",
    "`sep`")
  expect_refusal(csv_dataset(csv("n", "1"), select = 1), "value", "`select` must be strings")
  expect_identical(names(as.list(csv_dataset(csv("a b", "1 2"), sep = ""))[[1]]), c("a", "b"))
  expect_refusal(csv_dataset(csv("n", "1"), column_names = c("n", NA)), "value", "`column_names`", "with NA")
  expect_refusal(text_line_dataset(list()), "value", "`filenames`")
})

test_that("the message shows bytes that are no text as numbers", {
  path <- tempfile(fileext = ".csv")
  writeBin(c(charToRaw("x,y\n1,2\n"), as.raw(c(0xf6, 0xac, 0xa5, 0x93)), charToRaw(",3\n")), path)
  error <- expect_error(iterate(csv_dataset(path, block = 1)), class = "nativenet_error_file")
  expect_true(validUTF8(conditionMessage(error)))
  expect_match(conditionMessage(error), "<f6><ac>", fixed = TRUE)
})

test_that("numbers in quotes are numbers, such as the row names of write.csv()", {
  path <- tempfile(fileext = ".csv")
  write.csv(data.frame(x = c(0.5, NA), name = c("a, b", "c"), yes = c(TRUE, FALSE)), path)
  first <- iter_next(as_iterator(csv_dataset(path)))
  expect_identical(as.array(first[[1]]), 1L)
  expect_identical(as.array(first$x), 0.5)
  expect_true(as.array(first$yes))
  writeLines(c("a,b", "\"1\",2", "\"x\",2"), path)
  expect_error(iterate(csv_dataset(path, block = 1)), "expected integer, got character", class = "nativenet_error_file")
})

test_that("of a file that is read little stays in the memory of the process", {
  skip_if_not(file.exists("/proc/self/status"), "the system does not tell")
  skip_on_cran()
  rss <- function() {
    line <- grep("^RssFile:", readLines("/proc/self/status"), value = TRUE)
    if (!length(line)) skip("the system does not tell")
    as.numeric(gsub("[^0-9]", "", line)) / 1024
  }
  path <- tempfile()
  on.exit(unlink(path))
  con <- file(path, "wb") # 400 MB of zeros, which take up no room where files may have holes
  seek(con, 400 * 2^20 - 8, rw = "write")
  writeBin(0, con)
  close(con)
  data <- array_file_dataset(path, dim = c(400 * 1024, 256))
  most <- function(data) {
    before <- rss()
    grown <- 0
    pull <- dataset_batch(data, 4096)$pull()
    while (!is.null(pull())) grown <- max(grown, rss() - before)
    grown
  }
  expect_lt(most(data), 100)
  expect_lt(most(dataset_shuffle(data, 4096, block_size = 256)), 100)
  expect_lt(most(dataset_take(dataset_shuffle(data, 400 * 1024), 40000)), 100)
})
