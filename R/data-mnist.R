# The two sets of 28 x 28 images every course uses. R/data-file.R finds or downloads the files.

# Labels come first: they are small, so a missing network shows at once.
image_sets <- list(
  mnist = list(
    sums = c(
      "train-labels-idx1-ubyte" = "a25bea736e30d166cdddb491f175f624",
      "t10k-labels-idx1-ubyte" = "27ae3e4e09519cfbb04c329615203637",
      "t10k-images-idx3-ubyte" = "2646ac647ad5339dbf082846283269ea",
      "train-images-idx3-ubyte" = "6bbc9ace898e44ae57da46a324031adb"
    ),
    mirrors = c(
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://storage.googleapis.com/cvdf-datasets/mnist/"
    ),
    suffix = ".gz", reader = "read_idx()", substitute = "dataset_digits()"
  ),
  fashion_mnist = list(
    sums = c(
      "train-labels-idx1-ubyte" = "9018921c3c673c538a1fc5bad174d6f9",
      "t10k-labels-idx1-ubyte" = "15d484375f8d13e6eb1aabb0c3f46965",
      "t10k-images-idx3-ubyte" = "8181f5470baa50b63fa0f6fddb340f0a",
      "train-images-idx3-ubyte" = "f4a8712d7a061bf5bd6d2ca38dc4d50a"
    ),
    mirrors = c(
      "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    ),
    suffix = ".gz", reader = "read_idx()", substitute = "dataset_digits()"
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
#' @param path not used; present for compatibility with Keras.
#' @param convert must be `TRUE`; present for compatibility with keras3.
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
#'   of your own; [array_reshape()] makes rows of images, [plot_images()] draws them; `vignette("lab-denoising")`.
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' mnist <- dataset_mnist(download = FALSE)
#' str(mnist)
#' image(t(mnist$train$x[1, 28:1, ]), col = grey(255:0 / 255), asp = 1, axes = FALSE)
#' @export
dataset_mnist <- function(path = "mnist.npz", convert = TRUE, download = TRUE) {
  check_string(path)
  check_converts(convert)
  image_set("mnist", download)
}

#' @rdname dataset_mnist
#' @export
dataset_fashion_mnist <- function(convert = TRUE, download = TRUE) {
  check_converts(convert)
  image_set("fashion_mnist", download)
}

check_converts <- function(convert, fun = calling_function()) {
  if (!check_flag(convert, fun = fun)) abort("`convert` must be TRUE: there are no arrays of NumPy", fun = fun)
}

#' @param fetch how to get a url into a file; an argument so that tests need no network.
#' @noRd
image_set <- function(name, download, fetch = fetch_url, set = image_sets[[name]]) {
  fun <- paste0("dataset_", name)
  check_flag(download, fun = fun)
  data <- with_data_files(name, set, if (download) fetch, fun, read_idx)
  list(
    train = list(x = data[["train-images-idx3-ubyte"]], y = data[["train-labels-idx1-ubyte"]]),
    test = list(x = data[["t10k-images-idx3-ubyte"]], y = data[["t10k-labels-idx1-ubyte"]])
  )
}
