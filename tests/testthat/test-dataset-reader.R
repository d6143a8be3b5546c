# Data sets of many files.

folder <- tempfile()
dir.create(folder)
for (k in 1:3) writeLines(c("x,y,z", paste0(k, ",", k / 2, ",w", k), paste0(10 * k, ",,", "v")),
  file.path(folder, paste0(k, ".csv")))
pattern <- file.path(folder, "*.csv")
one <- file.path(folder, "1.csv")

test_that("tables are read in batches of features and labels", {
  data <- make_csv_dataset(pattern, 4, label_name = "y", num_epochs = 1, shuffle = FALSE)
  expect_identical(unclassed(output_types(data)), list(list(x = "int32", z = "string"), "float32"))
  batches <- as.list(data)
  expect_identical(lapply(batches, function(b) as.vector(as.array(b[[1]]$x))), list(c(1L, 10L, 2L, 20L), c(3L, 30L)))
  expect_equal(as.vector(as.array(batches[[1]][[2]])), c(0.5, 0, 1, 0))
  expect_identical(as.vector(batches[[2]][[1]]$z), c("w3", "v"))
  endless <- make_csv_dataset(pattern, 4, shuffle_seed = 1)
  taken <- as.list(dataset_take(endless, 3))
  expect_identical(vapply(taken, function(b) length(b$x), 0L), rep(4L, 3))
  expect_setequal(unlist(lapply(taken, function(b) as.array(b$x))), c(1, 2, 3, 10, 20, 30))
  some <- make_csv_dataset(one, 2, select_columns = c("y", "x"), column_defaults = list(7L, 8), num_epochs = 1,
    shuffle = FALSE)
  expect_equal(lapply(as.list(some)[[1]], function(x) as.vector(as.array(x))), list(x = c(1L, 10L), y = c(0.5, 8)))
  plain <- make_csv_dataset(one, 3, column_names = c("a", "b", "c"), header = FALSE, num_epochs = 1, shuffle = FALSE)
  expect_identical(as.vector(as.list(plain)[[1]]$a), c("x", "1", "10"))
  expect_refusal(as.list(make_csv_dataset(one, 2, column_defaults = list(0L, tf$float32, ""), num_epochs = 1)), "file",
    "missing", "\"y\"")
  expect_refusal(make_csv_dataset(one, 2, label_name = "zz"), "names", "`make_csv_dataset()`", "\"zz\"")
  expect_refusal(make_csv_dataset(one, 2, header = FALSE), "value", "`column_names`")
  expect_refusal(make_csv_dataset(file.path(folder, "*.txt"), 2), "file", "no file")
  other <- tempfile(fileext = ".csv")
  writeLines(c("x,y", "1,2"), other)
  expect_refusal(make_csv_dataset(c(one, other), 2), "file", "other columns")
})

test_that("files are listed, and read in turns", {
  expect_identical(basename(unlist(as.list(file_list_dataset(pattern, shuffle = FALSE)))), paste0(1:3, ".csv"))
  expect_setequal(basename(unlist(as.list(file_list_dataset(pattern)))), paste0(1:3, ".csv"))
  expect_refusal(file_list_dataset(file.path(folder, "no*")), "file", "no file")
  files <- file.path(folder, paste0(3:1, ".csv"))
  read <- function(...) vapply(as.list(read_files(files, text_line_dataset, record_spec = csv_record_spec(one), ...)),
    function(row) as.array(row$x), 0L)
  expect_identical(read(), c(3L, 30L, 2L, 20L, 1L, 10L))
  expect_identical(read(parallel_files = 2), c(3L, 2L, 30L, 20L, 1L, 10L))
  expect_identical(read(num_shards = 2, shard_index = 1), c(2L, 20L))
  expect_length(as.list(read_files(pattern, text_line_dataset)), 9)
  expect_refusal(read_files(pattern, 1), "value", "`reader`")
})

test_that("records of so many bytes", {
  a <- temp_bytes(9, 1, 2, 3, 4, 8, 8)
  b <- temp_bytes(9, 5, 6, 8, 8)
  data <- fixed_length_record_dataset(c(a, b), 2, header_bytes = 1, footer_bytes = 2)
  expect_identical(as.list(data), list(as.raw(1:2), as.raw(3:4), as.raw(5:6)))
  expect_identical(length(data), 3L)
  expect_identical(lapply(as.list(dataset_map(data, function(x) as.integer(x))), function(x) as.vector(as.array(x))),
    list(1:2, 3:4, 5:6))
  large <- tempfile()
  writeBin(as.raw(rep(0:255, 2048)), large)
  whole <- as.list(fixed_length_record_dataset(large, 2^17))
  expect_identical(unlist(whole), as.raw(rep(0:255, 2048)))
  expect_refusal(fixed_length_record_dataset(a, 2), "file", "whole records", "7")
  expect_refusal(fixed_length_record_dataset(a, 2, header_bytes = 10), "file", "fewer bytes")
  expect_refusal(fixed_length_record_dataset(tempfile(), 2), "file", "no file")
})
