# An archive of few pictures in the published layout, a folder that plays the mirror, and an empty cache.
local_cifar <- function(name, counts, frame = parent.frame()) {
  local_env(c(NATIVENET_DATA = NA, R_USER_CACHE_DIR = tempfile("cache-")), .frame = frame)
  set <- nativenet:::cifar_sets[[name]]
  server <- tempfile("server-")
  dir.create(file.path(server, set$folder), recursive = TRUE)
  set$parts <- Map(function(file, n) {
    part <- list(x = array(sample(0:255, n * 3072, TRUE), c(n, 32, 32, 3)),
      labels = matrix(sample(0:(if (set$labels == 1) 9 else 19), n * set$labels, TRUE), n))
    records <- cbind(part$labels, matrix(aperm(part$x, c(1, 3, 2, 4)), n)) # columns fastest, then rows, then colours
    writeBin(as.raw(t(records)), file.path(server, set$folder, file))
    part
  }, c(set$train, set$test), counts)
  archive <- file.path(server, names(set$sums))
  old <- setwd(server)
  on.exit(setwd(old))
  utils::tar(archive, set$folder, compression = "gzip", tar = "internal")
  set$sums[] <- tools::md5sum(archive)
  set$fetch <- function(url, path) file.copy(archive, path)
  set$archive <- archive
  set
}

load_cifar <- function(set, name, label = 1, download = TRUE) suppressMessages(nativenet:::cifar_images(name, download,
  label, set$fetch, set))

test_that("pictures of all batches come in order, with their classes", {
  set.seed(1)
  set <- local_cifar("cifar10", c(2, 1, 1, 1, 2, 3))
  data <- load_cifar(set, "cifar10")
  bind <- function(k) do.call(rbind, lapply(set$parts[k], function(p) matrix(p$x, nrow(p$x))))
  expect_identical(data$train$x, array(bind(1:5), c(7, 32, 32, 3)))
  expect_identical(data$train$y, do.call(rbind, unname(lapply(set$parts[1:5], `[[`, "labels"))))
  expect_identical(data$test, list(x = set$parts[[6]]$x, y = set$parts[[6]]$labels))
  expect_identical(dir(nativenet:::cache_dir("cifar10")), "cifar-10-binary.tar.gz")
  expect_identical(load_cifar(set, "cifar10", download = FALSE), data) # from the cache
})

test_that("there are fine and coarse classes of a hundred", {
  set.seed(2)
  set <- local_cifar("cifar100", c(4, 2))
  expect_identical(load_cifar(set, "cifar100", 1)$train$y, set$parts[[1]]$labels[, 1, drop = FALSE])
  expect_identical(load_cifar(set, "cifar100", 2)$test, list(x = set$parts[[2]]$x,
    y = set$parts[[2]]$labels[, 2, drop = FALSE]))
})

test_that("an archive that is another is refused before it is unpacked, and offline the error says what to do", {
  set.seed(3)
  set <- local_cifar("cifar10", rep(1, 6))
  other <- set
  other$sums[] <- strrep("0", 32)
  error <- expect_error(load_cifar(other, "cifar10"), class = "nativenet_error_offline")
  expect_match(conditionMessage(error), paste("the md5 sum of its content is", set$sums[[1]], "instead of 0000"))
  root <- tempfile("data-")
  dir.create(file.path(root, "cifar10"), recursive = TRUE)
  file.copy(set$archive, file.path(root, "cifar10"))
  local_env(c(NATIVENET_DATA = root))
  expect_identical(load_cifar(set, "cifar10", download = FALSE)$test$y, set$parts[[6]]$labels)
  expect_error(load_cifar(other, "cifar10", download = FALSE), "is not the published one",
    class = "nativenet_error_file")
  local_env(c(NATIVENET_DATA = NA, R_USER_CACHE_DIR = tempfile("cache-")))
  for (load in list(dataset_cifar10, dataset_cifar100)) {
    error <- expect_error(load(download = FALSE), class = "nativenet_error_offline")
    for (part in c("a folder `cifar10", "-binary.tar.gz", "NATIVENET_DATA"))
      expect_match(conditionMessage(error), part, fixed = TRUE)
  }
  expect_error(dataset_cifar100("middle"), "`label_mode` must be one of", class = "nativenet_error_value")
  expect_error(dataset_cifar10(download = NA), "`dataset_cifar10()`: `download` must be TRUE or FALSE", fixed = TRUE)
})
