doubles <- function(x) writeBin(as.double(x), raw(), 8, endian = "little")

local_boston <- function(x, y) {
  path <- tempfile(fileext = ".npz")
  write_zip(list("x.npy" = npy_bytes("<f8", sprintf("(%d, %d)", nrow(x), ncol(x)), doubles(t(x))),
    "y.npy" = npy_bytes("<f8", sprintf("(%d,)", length(y)), doubles(y))), path)
}
x <- matrix(seq_len(11 * 13) / 4, 11)
y <- seq_len(11) / 2

test_that("rows come in NumPy's order, the last ones for the test", {
  order <- .Call(nativenet:::C_numpy_shuffle, 113, 11L)[[1]] + 1
  data <- dataset_boston_housing(local_boston(x, y))
  expect_identical(data, list(train = list(x = x[order[1:8], ], y = array(y[order[1:8]])),
    test = list(x = x[order[9:11], ], y = array(y[order[9:11]]))))
  all <- dataset_boston_housing(local_boston(x, y), test_split = 0, seed = 7)
  expect_identical(all$train$x, x[.Call(nativenet:::C_numpy_shuffle, 7, 11L)[[1]] + 1, ])
  expect_identical(dim(all$test$x), c(0L, 13L))
  expect_identical(lengths(nativenet:::train_and_test(506, 0.2, identity)), c(train = 404L, test = 102L))
})

test_that("arguments and files are checked, and offline the error says what to do", {
  expect_error(dataset_boston_housing(test_split = 1), "`test_split` must be a number at least 0 and below 1")
  expect_error(dataset_boston_housing(seed = -1), "`seed` must be")
  expect_error(dataset_boston_housing("elsewhere.npz"), "`path` does not exist", class = "nativenet_error_file")
  expect_error(dataset_boston_housing(local_boston(x, y[-1])), "no price for each row", class = "nativenet_error_file")
  local_env(c(NATIVENET_DATA = tempfile("data-"), R_USER_CACHE_DIR = tempfile("cache-")))
  error <- expect_error(dataset_boston_housing(download = FALSE), class = "nativenet_error_offline")
  for (part in c("`dataset_boston_housing()`", "a folder `boston_housing`", "NATIVENET_DATA"))
    expect_match(conditionMessage(error), part, fixed = TRUE)
})
