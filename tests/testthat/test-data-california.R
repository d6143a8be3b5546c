doubles <- function(x) writeBin(as.double(x), raw(), 8, endian = "little")

local_california <- function(x, y) {
  path <- tempfile(fileext = ".npz")
  write_zip(list("x.npy" = npy_bytes("<f8", sprintf("(%d, %d)", nrow(x), ncol(x)), doubles(t(x))),
    "y.npy" = npy_bytes("<f8", sprintf("(%d,)", length(y)), doubles(y))), path)
}

test_that("rows come in NumPy's order, of the small version the first ones", {
  x <- matrix(seq_len(700 * 8) / 4, 700)
  y <- seq_len(700) / 2
  order <- .Call(nativenet:::C_numpy_shuffle, 113, 700L)[[1]] + 1
  data <- dataset_california_housing(path = local_california(x, y))
  expect_identical(data$train, list(x = x[order[1:560], ], y = array(y[order[1:560]])))
  order <- .Call(nativenet:::C_numpy_shuffle, 113, 600L)[[1]] + 1
  small <- dataset_california_housing("small", path = local_california(x, y))
  expect_identical(small$test, list(x = x[order[481:600], ], y = array(y[order[481:600]])))
  expect_error(dataset_california_housing("huge"), "`version`")
  expect_error(dataset_california_housing(convert = FALSE), "`convert`")
  local_env(c(NATIVENET_DATA = tempfile("data-"), R_USER_CACHE_DIR = tempfile("cache-")))
  error <- expect_error(dataset_california_housing(download = FALSE), class = "nativenet_error_offline")
  expect_match(conditionMessage(error), "`dataset_california_housing()`", fixed = TRUE)
})

test_that("words of keras3 for 16 and 8 bits", {
  inner <- optimizer_adam()
  expect_identical(optimizer_loss_scale(inner), inner)
  expect_identical(optimizer_loss_scale("sgd")$name, "SGD")
  expect_error(optimizer_loss_scale(3), "`optimizer`")
  expect_error(optimizer_loss_scale(inner, clipnorm = 1), "inner optimizer")
  expect_error(quantize_weights(layer_dense(units = 1), "int8"), class = "nativenet_error_missing")
  expect_error(audio_dataset_from_directory("."), class = "nativenet_error_missing")
})
