numpy_order <- function(seed, sizes) .Call(nativenet:::C_numpy_shuffle, seed, as.integer(sizes))

# A small archive in the layout of imdb.npz: train and test are lists of vectors.
local_imdb <- function(train, test, y_train = seq_along(train) %% 2, y_test = seq_along(test) %% 2) {
  path <- tempfile(fileext = ".npz")
  labels <- function(y) npy_bytes("<i8", sprintf("(%d,)", length(y)),
    unlist(lapply(y, function(v) c(as.raw(v), raw(7)))))
  reviews <- function(x) npy_bytes("|O", sprintf("(%d,)", length(x)),
    pickle_bytes(length(x), unlist(lapply(x, pickle_list))))
  write_zip(list("x_train.npy" = reviews(train), "y_train.npy" = labels(y_train), "x_test.npy" = reviews(test),
    "y_test.npy" = labels(y_test)), path)
}
train <- list(c(5, 1, 9), c(2, 2), 1:8, c(100, 3), 4)
test <- list(c(7, 8), c(1, 50, 2), 6)

test_that("the order is NumPy's", {
  # numpy.random.RandomState(seed).shuffle(numpy.arange(n)), NumPy 1.24
  expect_identical(numpy_order(0, 10)[[1]], c(2L, 8L, 4L, 9L, 1L, 6L, 7L, 3L, 0L, 5L))
  expect_identical(numpy_order(42, 10)[[1]], c(8L, 1L, 5L, 0L, 7L, 2L, 9L, 4L, 3L, 6L))
  expect_identical(numpy_order(7, 5)[[1]], c(0L, 3L, 2L, 1L, 4L))
  large <- numpy_order(113, c(25000, 25000))
  expect_identical(large[[1]][1:8], c(7798L, 13226L, 18078L, 793L, 17499L, 23003L, 574L, 19638L))
  expect_identical(large[[2]][1:8], c(22748L, 4083L, 8015L, 13688L, 5310L, 4466L, 736L, 22654L))
  expect_identical(sort(large[[2]]), 0:24999)
  expect_identical(numpy_order(123456789, 1000)[[1]][1:6], c(947L, 863L, 731L, 526L, 692L, 674L))
  expect_identical(numpy_order(1, c(1, 0)), list(0L, integer()))
})

test_that("sums are those of sha256", {
  sha256 <- function(bytes) .Call(nativenet:::C_sha256, bytes)
  a <- function(n) rep(charToRaw("a"), n)
  # hashlib.sha256() of Python; the lengths around which the padding takes another block
  expect_identical(sha256(raw()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  expect_identical(sha256(charToRaw("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  expect_identical(sha256(a(55)), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318")
  expect_identical(sha256(a(56)), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a")
  expect_identical(sha256(a(1000)), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
})

test_that("reviews are put in order, shifted and given a start", {
  data <- dataset_imdb(local_imdb(train, test), num_words = 1000, seed = 7)
  order <- numpy_order(7, c(5, 3))
  expect_identical(data$train$x, lapply(train[order[[1]] + 1], function(x) as.integer(c(1, x + 3))))
  expect_identical(data$test$x, lapply(test[order[[2]] + 1], function(x) as.integer(c(1, x + 3))))
  expect_identical(data$train$y, c(1L, 0L, 1L, 0L, 1L)[order[[1]] + 1])
  expect_identical(data$test$y, c(1L, 0L, 1L)[order[[2]] + 1])
  plain <- dataset_imdb(local_imdb(train, test), num_words = 1000, seed = 7, start_char = NULL, index_from = 0)
  expect_identical(plain$train$x, lapply(train[order[[1]] + 1], as.integer))
  expect_type(dataset_imdb(local_imdb(train, test), num_words = 10, start_char = 1, oov_char = 2,
    index_from = 3)$train$x[[1]], "integer")
})

test_that("words that are not kept are replaced or left out", {
  path <- local_imdb(list(c(5, 1, 9)), list(c(7, 8, 100)))
  expect_identical(dataset_imdb(path, num_words = 11)$train$x, list(c(1L, 8L, 4L, 2L)))
  expect_identical(dataset_imdb(path, num_words = 11, oov_char = NULL)$train$x, list(c(1L, 8L, 4L)))
  expect_identical(dataset_imdb(path, num_words = 13, skip_top = 5)$train$x, list(c(2L, 8L, 2L, 12L)))
  # without a limit the largest number of all is the limit
  expect_identical(dataset_imdb(path)$test$x, list(c(1L, 10L, 11L, 2L)))
  expect_identical(dataset_imdb(path)$train$x, list(c(1L, 8L, 4L, 12L)))
})

test_that("long reviews are dropped, counted with the start", {
  data <- dataset_imdb(local_imdb(train, test), num_words = 1000, maxlen = 4)
  expect_setequal(lengths(data$train$x), c(3, 2))
  expect_length(data$train$x, 3)
  expect_length(data$train$y, 3)
  expect_length(dataset_imdb(local_imdb(train, test), maxlen = 5)$train$x, 4)
  expect_length(dataset_imdb(local_imdb(train, test), maxlen = 3, start_char = NULL)$train$x, 3)
  error <- expect_error(dataset_imdb(local_imdb(train, test), maxlen = 2), class = "nativenet_error_value")
  expect_match(conditionMessage(error), "`dataset_imdb()`: no review is shorter than `maxlen`, 2; the shortest has 2",
    fixed = TRUE)
})

test_that("R's generator is neither used nor changed", {
  path <- local_imdb(train, test)
  set.seed(1)
  before <- .Random.seed
  first <- dataset_imdb(path)
  expect_identical(.Random.seed, before)
  set.seed(2)
  expect_identical(dataset_imdb(path), first)
  expect_false(identical(dataset_imdb(path, seed = 1), first))
})

test_that("arguments and files are checked", {
  expect_error(dataset_imdb(num_words = 0), "`dataset_imdb()`: `num_words` must be a positive whole number, not 0",
    fixed = TRUE)
  expect_error(dataset_imdb(maxlen = "a"), "`maxlen` must be", fixed = TRUE)
  expect_error(dataset_imdb(seed = -1), "`seed` must be", fixed = TRUE)
  expect_error(dataset_imdb(download = NA), "`download` must be TRUE or FALSE", fixed = TRUE)
  expect_error(dataset_imdb("elsewhere.npz"), "`dataset_imdb()`: `path` does not exist", fixed = TRUE,
    class = "nativenet_error_file")
  path <- tempfile()
  write_zip(list("x_train.npy" = npy_bytes("|u1", "(1,)", as.raw(1))), path)
  expect_error(dataset_imdb(path), "no array \"y_train\"", class = "nativenet_error_file")
  expect_error(dataset_imdb(local_imdb(train, test, y_test = c(0, 1, 2))), "labels are not 0 or 1",
    class = "nativenet_error_file")
})

test_that("a file below NATIVENET_DATA is taken as it is, and without one the error says what to do", {
  root <- tempfile("data-")
  local_env(c(NATIVENET_DATA = root, R_USER_CACHE_DIR = tempfile("cache-")))
  errors <- list(expect_error(dataset_imdb(download = FALSE), class = "nativenet_error_offline"),
    expect_error(dataset_imdb_word_index(download = FALSE), class = "nativenet_error_offline"))
  for (error in errors) {
    for (part in c("`dataset_imdb", "a folder `imdb`", "NATIVENET_DATA", "dataset_reviews()"))
      expect_match(conditionMessage(error), part, fixed = TRUE)
  }
  dir.create(file.path(root, "imdb"), recursive = TRUE)
  expect_false(data_available("imdb"))
  path <- local_imdb(train, test)
  file.copy(path, file.path(root, "imdb", "imdb.npz"))
  writeLines("{\"the\": 1, \"d\u00e9j\u00e0\": 2, \"'s\": 3}", file.path(root, "imdb", "imdb_word_index.json"),
    useBytes = TRUE)
  expect_true(data_available("imdb"))
  expect_identical(dataset_imdb(download = FALSE), dataset_imdb(path))
  expect_identical(dataset_imdb_word_index(download = FALSE), list(the = 1L, "d\u00e9j\u00e0" = 2L, "'s" = 3L))
})

test_that("a download is compared with the published sum", {
  local_env(c(NATIVENET_DATA = NA, R_USER_CACHE_DIR = tempfile("cache-")))
  set <- nativenet:::data_set("imdb")
  path <- local_imdb(train, test)
  fetch <- function(url, to) file.copy(path, to)
  load <- function() suppressMessages(nativenet:::with_data_files("imdb", set, fetch, "dataset_imdb", identity,
    "imdb.npz"))
  error <- expect_error(load(), class = "nativenet_error_offline")
  expect_match(conditionMessage(error), "the sha256 sum of its content is [0-9a-f]{64} instead of 69664113be75")
  set$sums[["imdb.npz"]] <- nativenet:::sha256sum(path)
  load()
  expect_identical(dir(nativenet:::cache_dir("imdb")), "imdb.npz")
})

test_that("a word index that is none is refused", {
  path <- tempfile(fileext = ".json")
  for (text in c("{\"a\": ", "[1, 2]", "{\"a\": \"b\"}", "")) {
    writeLines(text, path)
    expect_error(dataset_imdb_word_index(path), "`dataset_imdb_word_index()`", fixed = TRUE,
      class = "nativenet_error_file")
  }
})

# The file in the project's shared folder has the layout of the published one, but other words.
test_that("a large file is read and encoded as known", {
  path <- file.path(Sys.getenv("NATIVENET_DATA"), "imdb", "imdb.npz")
  skip_if_not(file.exists(path) && nativenet:::sha256sum(path) ==
    "71a79245057abf43a69bc75923e33186f96613e577413f293a2958bbdf76f8d5")
  c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_imdb(num_words = 10000, maxlen = 250)
  expect_length(x_train, 17349)
  expect_length(x_test, 17705)
  expect_equal(c(sum(y_train), sum(y_test)), c(8586, 8891))
  expect_equal(max(lengths(x_train)), 249)
  expect_identical(x_train[[1]][1:6], c(1L, 3018L, 514L, 13L, 5597L, 799L))
  expect_length(x_train[[1]], 182)
  expect_identical(x_train[[5]][1:6], c(1L, 913L, 65L, 119L, 8L, 904L))
  expect_length(x_train[[5]], 238)
  expect_identical(x_test[[1]][1:6], c(1L, 12L, 212L, 13L, 19L, 18L))
  expect_length(x_test[[1]], 147)
  expect_identical(range(unlist(x_train)), c(1L, 9999L))
  expect_length(dataset_imdb_word_index(), 123285)
  padded <- pad_sequences(x_train, 250)
  expect_identical(dim(padded), c(17349L, 250L))
  expect_identical(padded[1, ], c(integer(250 - 182), x_train[[1]]))
})
