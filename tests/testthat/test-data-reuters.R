local_reuters <- function(x, y) {
  path <- tempfile(fileext = ".npz")
  write_zip(list(
    "x.npy" = npy_bytes("|O", sprintf("(%d,)", length(x)), pickle_bytes(length(x), unlist(lapply(x, pickle_list)))),
    "y.npy" = npy_bytes("<i8", sprintf("(%d,)", length(y)), unlist(lapply(y, function(v) c(as.raw(v), raw(7)))))), path)
}
wires <- list(c(5, 1, 9), c(2, 2), 1:8, c(100, 3), 4, c(7, 8), c(1, 50, 2), 6, 3:5, 10)
topics <- c(45, 0, 3, 3, 4, 19, 20, 4, 3, 1)
numpy_order <- function(seed, n) .Call(nativenet:::C_numpy_shuffle, seed, n)[[1]] + 1

test_that("newswires are put in order, encoded and split", {
  order <- numpy_order(113, 10L)
  data <- dataset_reuters(local_reuters(wires, topics), num_words = 1000)
  coded <- lapply(wires[order], function(x) as.integer(c(1, x + 3)))
  expect_identical(data, list(train = list(x = coded[1:8], y = as.integer(topics[order][1:8])),
    test = list(x = coded[9:10], y = as.integer(topics[order][9:10]))))
  short <- dataset_reuters(local_reuters(wires, topics), num_words = 50, maxlen = 4, test_split = 0.5, seed = 1,
    start_char = NULL, oov_char = NULL, index_from = 0)
  kept <- numpy_order(1, 10L)
  kept <- kept[lengths(wires[kept]) < 4]
  expected <- lapply(wires[kept], function(x) as.integer(x[x < 50]))
  expect_identical(short$train$x, expected[1:4])
  expect_identical(short$test$x, expected[5:9])
  expect_identical(short$test$y, as.integer(topics[kept][5:9]))
  # without a limit the largest number of all is the limit
  expect_identical(max(unlist(lapply(dataset_reuters(local_reuters(wires, topics)), `[[`, "x"))), 53L)
})

test_that("arguments and files are checked, and offline the error says what to do", {
  expect_error(dataset_reuters(test_split = -0.1), "`test_split` must be")
  expect_error(dataset_reuters(maxlen = "a"), "`maxlen` must be", fixed = TRUE)
  expect_error(dataset_reuters(local_reuters(wires, topics[-1])), "labels are not whole numbers from 0 for each text",
    class = "nativenet_error_file")
  root <- tempfile("data-")
  local_env(c(NATIVENET_DATA = root, R_USER_CACHE_DIR = tempfile("cache-")))
  errors <- list(expect_error(dataset_reuters(download = FALSE), class = "nativenet_error_offline"),
    expect_error(dataset_reuters_word_index(download = FALSE), class = "nativenet_error_offline"))
  for (error in errors) for (part in c("`dataset_reuters", "a folder `reuters`", "dataset_reviews()"))
    expect_match(conditionMessage(error), part, fixed = TRUE)
  dir.create(file.path(root, "reuters"), recursive = TRUE)
  file.copy(local_reuters(wires, topics), file.path(root, "reuters", "reuters.npz"))
  writeLines("{\"the\": 1, \"mdbl\": 10996}", file.path(root, "reuters", "reuters_word_index.json"))
  expect_identical(dataset_reuters(download = FALSE), dataset_reuters(local_reuters(wires, topics)))
  expect_identical(dataset_reuters_word_index(download = FALSE), list(the = 1L, mdbl = 10996L))
})
