# Small pictures of things and animals, in the binary form in which they are published: records of one label byte (two
# in CIFAR-100: coarse, fine) and 3,072 bytes, a plane for each colour with its columns fastest.

cifar_sets <- lapply(list(
  cifar10 = list(sums = c("cifar-10-binary.tar.gz" = "c32a1d4ab5d03f1284b67883e8d87530"),
    folder = "cifar-10-batches-bin", train = sprintf("data_batch_%d.bin", 1:5), test = "test_batch.bin", labels = 1),
  cifar100 = list(sums = c("cifar-100-binary.tar.gz" = "03b5dce01913d631647c71ecec9e9cb8"),
    folder = "cifar-100-binary", train = "train.bin", test = "test.bin", labels = 2)
), function(set) c(set, list(mirrors = "https://www.cs.toronto.edu/~kriz/", suffix = "", packed = TRUE,
  reader = "readBin()", substitute = "dataset_shapes()")))

#' CIFAR-10 and CIFAR-100
#'
#' 50,000 training and 10,000 test pictures of 32 x 32 pixels in three colours, in ten classes (airplane, automobile,
#' bird, cat, deer, dog, frog, horse, ship, truck) or a hundred.
#'
#' The files are the *binary versions* from <https://www.cs.toronto.edu/~kriz/cifar.html>, `cifar-10-binary.tar.gz` and
#' `cifar-100-binary.tar.gz`, some 165 MB each, as they are published. They are looked for as those of
#' [dataset_mnist()] are, in folders of the names `cifar10` and `cifar100`, and compared with their published md5 sums
#' before they are unpacked.
#'
#' @param label_mode `"fine"` for 100 classes, `"coarse"` for 20 that comprise five of these each.
#' @param convert must be `TRUE`; present for compatibility with keras3.
#' @param download `FALSE` to never use the network.
#' @return `list(train = list(x, y), test = list(x, y))`. `x` is an integer array of shape (50000, 32, 32, 3), or
#'   (10000, 32, 32, 3), with indices `[image, row, column, colour]` and values from 0 to 255, `y` an integer matrix of
#'   one column, with the classes counted from **0**.
#' @references
#' Krizhevsky, A. (2009). *Learning multiple layers of features from tiny images*.
#' @seealso [dataset_mnist()]; [dataset_shapes()] needs neither files nor network.
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' cifar <- try(dataset_cifar10(download = FALSE))
#' @export
dataset_cifar10 <- function(convert = TRUE, download = TRUE) {
  check_converts(convert)
  cifar_images("cifar10", download)
}

#' @rdname dataset_cifar10
#' @export
dataset_cifar100 <- function(label_mode = c("fine", "coarse"), convert = TRUE, download = TRUE) {
  check_converts(convert)
  label_mode <- check_choice(label_mode, c("fine", "coarse"))
  cifar_images("cifar100", download, label = if (label_mode == "fine") 2 else 1)
}

#' @param fetch,set arguments so that tests need neither network nor the files.
#' @noRd
cifar_images <- function(name, download, label = 1, fetch = fetch_url, set = cifar_sets[[name]]) {
  fun <- paste0("dataset_", name)
  check_flag(download, fun = fun)
  with_data_files(name, set, if (download) fetch, fun, function(path) {
    folder <- tempfile("cifar-")
    on.exit(unlink(folder, recursive = TRUE))
    utils::untar(path, exdir = folder, tar = "internal")
    part <- function(files) cifar_records(file.path(folder, set$folder, files), set$labels, label,
      refuse_file(path, name, fun))
    list(train = part(set$train), test = part(set$test))
  })[[1]]
}

cifar_records <- function(paths, labels, label, refuse) {
  length <- labels + 3072
  bytes <- unlist(lapply(paths, function(path) {
    if (!file.exists(path) || file.size(path) %% length) refuse("it has no records in \"", basename(path), "\"")
    read_bytes(path)
  }))
  records <- matrix(bytes, length)
  n <- ncol(records)
  # bytes are turned round, not integers: they are a quarter as large
  pixels <- aperm(array(records[-seq_len(labels), ], c(32, 32, 3, n)), c(4, 2, 1, 3))
  list(x = array(as.integer(pixels), dim(pixels)), y = matrix(as.integer(records[label, ])))
}
