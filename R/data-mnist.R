# The two sets of 28 x 28 images every course uses: found on disk or downloaded.
#
# A file is known by the md5 sum of its *uncompressed* bytes, because mirrors compress
# differently. Nothing unverified is ever returned or stored in the cache.

# Labels come first: they are small, so a missing network shows at once.
image_sets <- list(
  mnist = list(
    md5 = c(
      "train-labels-idx1-ubyte" = "a25bea736e30d166cdddb491f175f624",
      "t10k-labels-idx1-ubyte" = "27ae3e4e09519cfbb04c329615203637",
      "t10k-images-idx3-ubyte" = "2646ac647ad5339dbf082846283269ea",
      "train-images-idx3-ubyte" = "6bbc9ace898e44ae57da46a324031adb"
    ),
    mirrors = c(
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://storage.googleapis.com/cvdf-datasets/mnist/"
    )
  ),
  fashion_mnist = list(
    md5 = c(
      "train-labels-idx1-ubyte" = "9018921c3c673c538a1fc5bad174d6f9",
      "t10k-labels-idx1-ubyte" = "15d484375f8d13e6eb1aabb0c3f46965",
      "t10k-images-idx3-ubyte" = "8181f5470baa50b63fa0f6fddb340f0a",
      "train-images-idx3-ubyte" = "f4a8712d7a061bf5bd6d2ca38dc4d50a"
    ),
    mirrors = c(
      "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    )
  )
)

#' MNIST and Fashion-MNIST
#'
#' 60,000 training and 10,000 test images of 28 x 28 grey values in ten classes:
#' handwritten digits (`dataset_mnist()`) or articles of clothing
#' (`dataset_fashion_mnist()`).
#'
#' Each of the four files of a set is looked for in this order:
#'
#' 1. in the folder `mnist` or `fashion_mnist` below the folder named by the environment
#'    variable `NATIVENET_DATA`, compressed (`.gz`) or not;
#' 2. in the cache, `tools::R_user_dir("nativenet", "cache")`;
#' 3. on the internet, on several mirrors. A download (11 MB for MNIST, 30 MB for
#'    Fashion-MNIST) is kept in the cache.
#'
#' The content of a file is compared with its published md5 sum before it is used. A wrong
#' file in the cache is downloaded again, a wrong file below `NATIVENET_DATA` is an error of
#' class `nativenet_error_file`. When a file is not at hand and cannot be downloaded the
#' error has the class `nativenet_error_offline`.
#'
#' @param download `FALSE` to never use the network.
#' @return `list(train = list(x, y), test = list(x, y))`. `x` is an integer array of shape
#'   (60000, 28, 28), or (10000, 28, 28) for the test images, with indices
#'   `[image, row, column]` and values from 0 (background) to 255. `y` is a one-dimensional
#'   integer array with the classes, counted from **0**. The classes of Fashion-MNIST are
#'   T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot.
#' @references
#' LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-based learning
#' applied to document recognition. *Proceedings of the IEEE*, 86(11), 2278-2324.
#'
#' Xiao, H., Rasul, K. and Vollgraf, R. (2017). Fashion-MNIST: a novel image dataset for
#' benchmarking machine learning algorithms. *arXiv:1708.07747*.
#' @seealso [dataset_digits()] needs neither files nor network; [read_idx()] reads files
#'   of your own.
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' mnist <- dataset_mnist(download = FALSE)
#' str(mnist)
#' image(t(mnist$train$x[1, 28:1, ]), col = grey(255:0 / 255), asp = 1, axes = FALSE)
#' @export
dataset_mnist <- function(download = TRUE) image_set("mnist", download)

#' @rdname dataset_mnist
#' @export
dataset_fashion_mnist <- function(download = TRUE) image_set("fashion_mnist", download)

#' @param fetch how to get a url into a file; an argument so that tests need no network.
#' @noRd
image_set <- function(name, download, fetch = fetch_url, set = image_sets[[name]]) {
  check_flag(download, fun = paste0("dataset_", name))
  scratch <- tempfile("nativenet-")
  dir.create(scratch)
  on.exit(unlink(scratch, recursive = TRUE))
  read <- function(file) {
    path <- image_local(name, file, set$md5[[file]], scratch)
    if (is.null(path)) path <- image_cached(name, file, set$md5[[file]], scratch)
    if (is.null(path)) path <- image_download(name, file, set, scratch, if (download) fetch)
    read_idx(path)
  }
  data <- lapply(stats::setNames(nm = names(set$md5)), read)
  list(
    train = list(x = data[["train-images-idx3-ubyte"]], y = data[["train-labels-idx1-ubyte"]]),
    test = list(x = data[["t10k-images-idx3-ubyte"]], y = data[["t10k-labels-idx1-ubyte"]])
  )
}

#' Whether all files of an image set are on this computer (their content is not checked).
#' @noRd
data_available <- function(name) {
  at_hand <- function(file) {
    length(image_candidates(image_dir(name), file)) || length(image_candidates(cache_dir(name), file))
  }
  all(vapply(names(image_sets[[name]]$md5), at_hand, logical(1)))
}

image_dir <- function(name) {
  root <- Sys.getenv("NATIVENET_DATA")
  if (nzchar(root)) file.path(root, name)
}

cache_dir <- function(name) file.path(tools::R_user_dir("nativenet", "cache"), name)

image_candidates <- function(dir, file) {
  if (is.null(dir)) return(character())
  paths <- file.path(dir, paste0(file, c("", ".gz")))
  paths[file.exists(paths) & !dir.exists(paths)]
}

# The next three return the name of a file with verified, uncompressed content; the first
# two NULL when there is none.

image_local <- function(name, file, md5, scratch) {
  found <- image_candidates(image_dir(name), file)
  if (!length(found)) return(NULL)
  content <- verify(found[1], md5, scratch)
  if (content$ok) return(content$path)
  abort("the file \"", found[1], "\", found by the environment variable NATIVENET_DATA, is not ",
    "the published one: ", content$reason, ". Replace or remove it; read_idx() reads other files",
    class = "file", fun = paste0("dataset_", name))
}

image_cached <- function(name, file, md5, scratch) {
  for (path in image_candidates(cache_dir(name), file)) {
    content <- verify(path, md5, scratch)
    if (content$ok) return(content$path)
  }
}

image_download <- function(name, file, set, scratch, fetch) {
  failures <- "downloads were not allowed, `download = FALSE`"
  if (!is.null(fetch)) {
    failures <- character()
    for (mirror in set$mirrors) {
      url <- paste0(mirror, file, ".gz")
      path <- tempfile("download-", scratch)
      message("Downloading ", url)
      failure <- try_fetch(fetch, url, path)
      content <- if (is.null(failure)) verify(path, set$md5[[file]], scratch) else failure
      if (content$ok) {
        cache_store(path, name, file)
        return(content$path)
      }
      failures <- c(failures, paste0(url, ": ", content$reason))
    }
  }
  abort("the file \"", file, "\" is not on this computer and could not be downloaded:\n",
    paste0("  ", failures, "\n", collapse = ""),
    "Put the four files of the set into a folder `", name, "` and let the environment variable ",
    "NATIVENET_DATA name the folder above it, or into the cache \"", cache_dir(name), "\", ",
    "or use dataset_digits(), which needs no network",
    class = "offline", fun = paste0("dataset_", name))
}

# NULL, or why nothing came. R tells the cause in a warning and only the url in the error.
try_fetch <- function(fetch, url, path) {
  cause <- NULL
  tryCatch(
    withCallingHandlers(
      {
        fetch(url, path)
        NULL
      },
      warning = function(w) {
        cause <<- conditionMessage(w)
        tryInvokeRestart("muffleWarning")
      }
    ),
    error = function(e) list(ok = FALSE, reason = if (is.null(cause)) conditionMessage(e) else cause)
  )
}

# R's limit of 60 seconds holds for the whole transfer: too short for 26 MB on a slow line.
fetch_url <- function(url, path) {
  seconds <- if (grepl("-images-", url, fixed = TRUE)) 600
  old <- options(timeout = max(getOption("timeout"), seconds))
  on.exit(options(old))
  utils::download.file(url, path, mode = "wb", quiet = TRUE)
}

# A copy that cannot be kept is a pity but no failure: the data is there.
cache_store <- function(path, name, file) {
  dir <- cache_dir(name)
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  # Renaming within a folder is atomic: other processes see the old file, the new one or none.
  part <- tempfile("part-", dir)
  target <- file.path(dir, paste0(file, if (is_gzip(path)) ".gz"))
  stored <- suppressWarnings(file.copy(path, part) && file.rename(part, target))
  if (stored) {
    unlink(setdiff(image_candidates(dir, file), target))
  } else {
    unlink(part)
    warning("`dataset_", name, "()`: cannot write to the cache folder \"", dir,
      "\", so the download was used but not kept", call. = FALSE)
  }
}

# list(ok, path of the uncompressed content, reason when not ok)
verify <- function(path, md5, scratch) {
  content <- tryCatch(if (is_gzip(path)) inflate(path, scratch) else path, error = function(e) NULL)
  if (is.null(content)) return(list(ok = FALSE, reason = "it is unreadable or corrupt gzip data"))
  actual <- unname(tools::md5sum(content))
  list(ok = identical(actual, md5), path = content,
    reason = sprintf("the md5 sum of its content is %s instead of %s", actual, md5))
}

inflate <- function(path, scratch, limit = 2^26) {
  to <- tempfile("content-", scratch)
  input <- gzfile(path, "rb")
  on.exit(close(input))
  output <- file(to, "wb")
  on.exit(close(output), add = TRUE)
  repeat {
    block <- suppressWarnings(readBin(input, "raw", 2^20))
    if (!length(block)) break
    limit <- limit - length(block)
    # All files are smaller; something that goes on and on is not one of them.
    if (limit < 0) stop("too long")
    writeBin(block, output)
  }
  to
}
