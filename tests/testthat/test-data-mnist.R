# A set of tiny files, a folder playing the mirror, and an empty cache.
local_set <- function(frame = parent.frame()) {
  server <- tempfile("server-")
  cache <- tempfile("cache-")
  dir.create(server)
  local_env(c(NATIVENET_DATA = NA, R_USER_CACHE_DIR = cache), .frame = frame)
  arrays <- list(
    "train-labels-idx1-ubyte" = array(c(5L, 0L, 4L), 3),
    "t10k-labels-idx1-ubyte" = array(c(7L, 2L), 2),
    "t10k-images-idx3-ubyte" = array(1:24, c(2, 3, 4)),
    "train-images-idx3-ubyte" = array(1:36, c(3, 3, 4))
  )
  md5 <- vapply(names(arrays), function(file) {
    plain <- write_idx(arrays[[file]], tempfile(), 8)
    write_idx(arrays[[file]], file.path(server, paste0(file, ".gz")), 8, compress = TRUE)
    unname(tools::md5sum(plain))
  }, "")
  list(
    sums = md5, mirrors = c("http://first/", "http://second/"), server = server,
    cache = cache_dir("mnist"), arrays = arrays,
    suffix = ".gz", reader = "read_idx()", substitute = "dataset_digits()"
  )
}

mirror <- function(set) function(url, path) file.copy(file.path(set$server, basename(url)), path)
no_fetch <- function(url, path) stop("no network")

load_set <- function(set, fetch = no_fetch, download = TRUE) {
  suppressMessages(image_set("mnist", download, fetch, set))
}

expect_loaded <- function(data, set) {
  expect_identical(data, list(
    train = list(x = set$arrays[["train-images-idx3-ubyte"]], y = set$arrays[["train-labels-idx1-ubyte"]]),
    test = list(x = set$arrays[["t10k-images-idx3-ubyte"]], y = set$arrays[["t10k-labels-idx1-ubyte"]])
  ))
}

# The mirror's files in a NATIVENET_DATA folder.
local_folder <- function(set, frame = parent.frame()) {
  root <- tempfile("data-")
  dir.create(file.path(root, "mnist"), recursive = TRUE)
  file.copy(dir(set$server, full.names = TRUE), file.path(root, "mnist"))
  local_env(c(NATIVENET_DATA = root), .frame = frame)
  file.path(root, "mnist")
}

test_that("a download is returned, kept, and not repeated", {
  set <- local_set()
  expect_loaded(load_set(set, mirror(set)), set)
  expect_setequal(dir(set$cache), paste0(names(set$sums), ".gz"))
  expect_loaded(load_set(set, no_fetch), set)
  expect_loaded(load_set(set, download = FALSE), set)
})

test_that("files below NATIVENET_DATA are used first, compressed or not", {
  set <- local_set()
  folder <- local_folder(set)
  label <- file.path(folder, "t10k-labels-idx1-ubyte")
  unlink(paste0(label, ".gz"))
  write_idx(set$arrays[["t10k-labels-idx1-ubyte"]], label, 8)
  expect_loaded(load_set(set, download = FALSE), set)
  expect_false(dir.exists(set$cache))
})

test_that("a file missing below NATIVENET_DATA comes from elsewhere", {
  set <- local_set()
  unlink(file.path(local_folder(set), "t10k-labels-idx1-ubyte.gz"))
  expect_error(load_set(set, download = FALSE), "t10k-labels", class = "nativenet_error_offline")
  expect_loaded(load_set(set, mirror(set)), set)
  expect_identical(dir(set$cache), "t10k-labels-idx1-ubyte.gz")
})

test_that("another file below NATIVENET_DATA is refused with both sums", {
  set <- local_set()
  path <- file.path(local_folder(set), "train-labels-idx1-ubyte.gz")
  write_idx(array(1:3, 3), path, 8, compress = TRUE)
  other <- tools::md5sum(write_idx(array(1:3, 3), tempfile(), 8))
  error <- expect_error(load_set(set, mirror(set)), class = "nativenet_error_file")
  for (part in c("`dataset_mnist()`", path, "NATIVENET_DATA", other, set$sums[["train-labels-idx1-ubyte"]])) {
    expect_match(conditionMessage(error), part, fixed = TRUE)
  }
  writeBin(as.raw(c(0x1f, 0x8b, 1)), path)
  expect_error(load_set(set), "corrupt gzip", class = "nativenet_error_file")
})

test_that("without files and network the error says what to do", {
  set <- local_set()
  error <- expect_error(load_set(set), class = "nativenet_error_offline")
  parts <- c("`dataset_mnist()`", "http://first/train-labels-idx1-ubyte.gz: no network",
    "http://second/", "NATIVENET_DATA", set$cache, "dataset_digits()")
  for (part in parts) expect_match(conditionMessage(error), part, fixed = TRUE)
  expect_false(dir.exists(set$cache))
})

test_that("the cause of a failure is told, which R gives as a warning", {
  set <- local_set()
  unresolved <- function(url, path) {
    warning("could not resolve host")
    stop("cannot open URL")
  }
  expect_no_warning(expect_error(load_set(set, unresolved), "labels-idx1-ubyte.gz: could not resolve host"))
})

test_that("download = FALSE never uses the network", {
  set <- local_set()
  touched <- function(url, path) stop("the network was used")
  error <- expect_error(load_set(set, touched, download = FALSE), class = "nativenet_error_offline")
  expect_match(conditionMessage(error), "`download = FALSE`", fixed = TRUE)
  expect_error(dataset_mnist(download = NA), "`dataset_mnist()`: `download` must be TRUE or FALSE", fixed = TRUE)
  expect_error(dataset_fashion_mnist(download = FALSE), "`dataset_fashion_mnist()`", fixed = TRUE,
    class = "nativenet_error_offline")
})

test_that("the second mirror is asked when the first fails in any way", {
  set <- local_set()
  good <- mirror(set)
  ways <- list(
    error = function(url, path) stop("cannot open URL"),
    warned = function(url, path) {
      warning("status was 'Could not resolve host'")
      stop("cannot open URL")
    },
    timeout = function(url, path) stop("Timeout of 60 seconds was reached"),
    nothing = function(url, path) NULL,
    empty = function(url, path) file.create(path),
    html = function(url, path) writeLines("<html>404 Not Found</html>", path),
    other = function(url, path) write_idx(array(9:1, 9), path, 8, compress = TRUE),
    short = function(url, path) {
      good(url, path)
      half <- readBin(path, "raw", file.size(path) %/% 2)
      writeBin(half, path)
    }
  )
  for (way in ways) {
    unlink(set$cache, recursive = TRUE)
    asked <- character()
    first_fails <- function(url, path) {
      asked <<- c(asked, url)
      if (startsWith(url, "http://first/")) way(url, path) else good(url, path)
    }
    expect_loaded(load_set(set, first_fails), set)
    expect_length(asked, 8)

    unlink(set$cache, recursive = TRUE)
    expect_error(load_set(set, way), class = "nativenet_error_offline")
    expect_length(dir(set$cache), 0)
  }
})

test_that("a wrong file in the cache is replaced, or ignored without network", {
  set <- local_set()
  load_set(set, mirror(set))
  path <- file.path(set$cache, "train-labels-idx1-ubyte.gz")
  good <- readBin(path, "raw", 1e4)
  writeBin(good[1:20], path)
  writeLines("leftover", file.path(set$cache, "train-labels-idx1-ubyte"))
  expect_error(load_set(set, download = FALSE), class = "nativenet_error_offline")
  expect_loaded(load_set(set, mirror(set)), set)
  expect_identical(readBin(path, "raw", 1e4), good)
  expect_setequal(dir(set$cache), paste0(names(set$sums), ".gz"))
})

test_that("a cache that cannot be written is a warning only", {
  set <- local_set()
  # A file where the folder should be stops even the superuser.
  file.create(Sys.getenv("R_USER_CACHE_DIR"))
  warnings <- capture_warnings(data <- load_set(set, mirror(set)))
  expect_loaded(data, set)
  expect_match(warnings, "`dataset_mnist()`: cannot write to the cache folder", fixed = TRUE, all = TRUE)
})

test_that("temporary files do not stay", {
  set <- local_set()
  load_set(set, mirror(set))
  try(load_set(set, function(url, path) stop("x")), silent = TRUE)
  expect_length(dir(tempdir(), "^nativenet-"), 0)
})

test_that("data_available() looks in both places", {
  set <- local_set()
  expect_false(data_available("mnist"))
  folder <- local_folder(set)
  expect_true(data_available("mnist"))
  expect_false(data_available("fashion_mnist"))
  unlink(file.path(folder, "train-labels-idx1-ubyte.gz"))
  expect_false(data_available("mnist"))
  local_env(c(NATIVENET_DATA = NA))
  load_set(set, mirror(set))
  expect_true(data_available("mnist"))
})

test_that("the published sets are read as they are", {
  skip_if(!nzchar(Sys.getenv("NATIVENET_DATA")), "NATIVENET_DATA is not set")
  first <- list(mnist = c(5, 0, 4, 1, 9, 2, 1, 3), fashion_mnist = c(9, 0, 0, 3, 0, 2, 7, 2))
  readers <- list(mnist = dataset_mnist, fashion_mnist = dataset_fashion_mnist)
  for (name in names(first)) {
    skip_if_not(data_available(name))
    data <- readers[[name]](download = FALSE)
    expect_identical(lapply(data$train, dim), list(x = c(60000L, 28L, 28L), y = 60000L))
    expect_identical(lapply(data$test, dim), list(x = c(10000L, 28L, 28L), y = 10000L))
    expect_type(data$train$x, "integer")
    expect_type(data$train$y, "integer")
    expect_identical(range(data$train$x), c(0L, 255L))
    expect_equal(c(data$train$y[1:8]), first[[name]])
    expect_setequal(data$test$y, 0:9)
    # Images are upright: the margin of a picture is empty in both directions.
    if (name == "mnist") expect_equal(max(data$train$x[1:100, 1, ], data$train$x[1:100, , 1]), 0)
  }
})
