# Records of text files by a specification.

cars <- tempfile(fileext = ".csv")
writeLines(c("model,miles per,cyl", "\"a, b\",21.5,6", ",22,", "c,,4"), cars)
in_r_lists <- function(data) lapply(as.list(data), lapply, function(x) if (is_tensor(x)) as.array(x) else x)
rows <- list(list(model = "a, b", miles.per = 21.5, cyl = 6L), list(model = "", miles.per = 22, cyl = 0L),
  list(model = "c", miles.per = 0, cyl = 4L))

test_that("a specification is read from a file or given", {
  spec <- csv_record_spec(cars)
  expect_identical(spec[c("names", "types", "defaults", "delim", "skip")], list(names = c("model", "miles.per", "cyl"),
    types = c("character", "double", "integer"), defaults = list("", 0, 0L), delim = ",", skip = 1))
  expect_identical(csv_record_spec(names = c("a", "b"), types = "DI")$types, c("double", "integer"))
  by_default <- csv_record_spec(names = c("a", "b"), defaults = list(list(1L), "x"))
  expect_identical(by_default$types, c("integer", "character"))
  expect_identical(csv_record_spec(cars, skip = 1, names = c("a", "b", "c"))$skip, 1L)
  expect_identical(delim_record_spec(cars, types = "ccc", delim = ",")$defaults, list("", "", ""))
  tabs <- tempfile()
  writeLines(c("a\tb", "1\tx"), tabs)
  expect_identical(tsv_record_spec(tabs)$types, c("integer", "character"))
  expect_refusal(csv_record_spec(names = "a"), "value", "`csv_record_spec()`", "`example_file`")
  expect_refusal(csv_record_spec(tempfile()), "file", "no file")
  expect_refusal(csv_record_spec(cars, types = "ii"), "shape", "`types`", "(3)")
  expect_refusal(csv_record_spec(cars, types = c("integer", "logical", "x")), "value", "`types`")
  expect_refusal(csv_record_spec(cars, names = c("a", "a", "b")), "names", "twice")
  expect_refusal(csv_record_spec(cars, names = c("a", "b")), "file", "3 columns, not 2")
  expect_refusal(csv_record_spec(cars, defaults = list("", 0, 0.5), types = "cdi"), "value", "\"cyl\"")
  expect_refusal(delim_record_spec(cars, delim = ";;"), "value", "`delim`")
})

test_that("lines become records", {
  spec <- csv_record_spec(cars)
  for (block in c(1, 2, 1000)) {
    data <- text_line_dataset(cars, record_spec = spec, block = block)
    expect_equal(in_r_lists(data), rows)
  }
  expect_identical(as.list(data)[[1]]$miles.per$dtype, tensor(1, "float32")$dtype)
  expect_identical(dim(as.list(dataset_decode_delim(text_line_dataset(cars), spec))[[1]]$miles.per), integer())
  expect_identical(unclassed(output_types(data)), list(model = "string", miles.per = "float32", cyl = "int32"))
  expect_equal(in_r_lists(dataset_decode_delim(text_line_dataset(cars), spec)), rows)
  batch <- as.list(dataset_batch(data, 3))[[1]]
  expect_equal(as.array(batch$cyl), array(c(6L, 0L, 4L)))
  expect_identical(as.vector(batch$model), c("a, b", "", "c"))
})

test_that("lines that are no such records are refused", {
  read <- function(line, ...) as.list(dataset_decode_delim(tensor_slices_dataset(line), csv_record_spec(names = c("a",
    "b"), ...)))
  expect_refusal(read("1", types = "ii"), "file", "1 columns, not 2")
  expect_refusal(read("1,2,3", types = "ii"), "file", "3 columns")
  expect_refusal(read("1,2.5", types = "ii"), "file", "column \"b\"", "whole number")
  expect_refusal(read("1,3000000000", types = "ii"), "file", "whole number")
  expect_refusal(read("1,NA", types = "id"), "file", "\"NA\"")
  expect_refusal(read("1,", defaults = list(0L, integer())), "file", "missing", "no default")
  expect_refusal(as.list(dataset_decode_delim(range_dataset(0, 2), csv_record_spec(cars))), "value", "`dataset`")
  expect_refusal(dataset_decode_delim(text_line_dataset(cars), 1), "value", "`record_spec`")
  broken <- tempfile()
  writeLines(c("a,b", "1,2", "3"), broken)
  spec <- csv_record_spec(names = c("a", "b"), types = "ii", skip = 1)
  expect_refusal(as.list(text_line_dataset(broken, record_spec = spec)), "file", "`text_line_dataset()`")
  expect_equal(in_r_lists(read("1,NaN", types = "id"))[[1]]$b, NaN)
})
