ten <- range_dataset(to = 10)
kept <- function(data, path) as.list(dataset_cache(data, path))

test_that("a cache in a file gives what was put in, bit by bit, without the data set", {
  lines <- tempfile()
  writeLines(c("one", "", "\u00e9t\u00e9 \\ \"two\""), lines)
  rows <- data.frame(x = c(0.1, NaN, -Inf), n = 1:3, s = c("a", "\u00e9", ""), flag = c(TRUE, FALSE, TRUE))
  ragged <- suppressMessages(dataset_map(tensor_slices_dataset(c("a", "b", "a")), function(s) {
    if (s == "a") list(s, 1:2) else list(part = list(tensor(matrix(1.5, 1, 2), "float32"), c("x", NA)), 7)
  }))
  none <- tempfile()
  file.create(none)
  for (data in list(
    dataset_map(ten, function(x) list(x = x, y = op_cast(x, "float32") / 3)), dataset_filter(ten, function(x) x > 20),
    tensor_slices_dataset(rows), text_line_dataset(lines), dataset_batch(tensor_slices_dataset(rows), 2), ragged,
    tensors_dataset(list(matrix(c(TRUE, FALSE), 1), "s")), text_line_dataset(none)
  )) {
    path <- tempfile()
    first <- kept(data, path)
    expect_identical(lapply(whole, X = first), elements(data))
    again <- kept(data, path)
    expect_identical(lapply(whole, X = again), lapply(whole, X = first))
  }
})

test_that("elements come from the file, not from the data set", {
  path <- tempfile()
  noise <- dataset_map(ten, function(x) op_random_uniform(2L))
  expect_identical(lapply(whole, X = kept(noise, path)), lapply(whole, X = kept(noise, path)))
})

test_that("a broken or foreign cache is made anew and runs nothing", {
  path <- tempfile()
  anew <- function(message) {
    expect_warning(elements <- kept(ten, path), message, class = "nativenet_warning_cache")
    expect_identical(lapply(whole, X = elements), elements(ten))
    expect_no_warning(expect_identical(lapply(whole, X = kept(ten, path)), elements(ten))) # and is whole again
  }
  saveRDS(list(1), path)
  anew("is made anew: cannot read")
  file.create(path)
  anew("0 bytes")
  safetensors_write(path, list(x = 1))
  anew("it is no cache of a data set")
  kept(range_dataset(to = 9), {unlink(path); path})
  anew("it holds 9 elements, not 10")
  kept(tensor_slices_dataset(c(1.5, 1:9)), {unlink(path); path})
  anew("its elements are like")
  kept(ten, {unlink(path); path})
  bytes <- readBin(path, "raw", file.size(path))
  for (place in c(1, 9, 30, 200, length(bytes) - 4)) {
    broken <- bytes
    broken[place] <- xor(broken[place], as.raw(4))
    writeBin(broken, path)
    anew("is made anew")
  }
  writeBin(bytes[seq_len(length(bytes) - 3)], path)
  anew("cut off")
})

test_that("what cannot be kept is an error, and so is a disk that is full", {
  windows <- dataset_window(suppressMessages(dataset_map(ten, function(x) if (TRUE) x)), 2)
  expect_error(kept(windows, tempfile()), "cannot be kept|cannot", class = "nativenet_error")
  skip_if_not(full_disk_there())
  expect_error(kept(ten, "/dev/full"), "/dev/full", class = "nativenet_error_file")
})
