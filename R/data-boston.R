# House prices of Boston, in the published file's order of NumPy.

boston_files <- list(
  sums = c("boston_housing.npz" = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
  substitute = "R's own data sets such as `mtcars`"
)

#' Boston housing price regression
#'
#' Median values of homes, in 1000 dollars, in 506 towns around Boston in the 1970s, and 13 numbers about each town. It
#' is there for scripts of old: one of its columns rests on assumptions about race that nobody should repeat.
#'
#' The rows are put into the order of NumPy's generator (MT19937) with `seed`, as in Keras; R's own generator is not
#' used. The last `test_split` of them are the test set.
#'
#' @section Files:
#' `boston_housing.npz` (57 KB) is looked for as those of [dataset_imdb()] are: in the folder `boston_housing` below the
#' folder named by the environment variable `NATIVENET_DATA`, in the cache, then on the internet. Downloads are compared
#' with the published sum. Without it the error has the class `nativenet_error_offline`.
#'
#' @param path name of a file in the layout of `boston_housing.npz` (arrays `x` and `y`). Where there is no such file,
#'   the default name stands for the published one.
#' @param test_split the fraction of rows for the test set, from 0 to below 1.
#' @param seed a whole number for the order of the rows.
#' @param convert must be `TRUE`; present for compatibility with keras3.
#' @param download `FALSE` to never use the network.
#' @return `list(train = list(x, y), test = list(x, y))`: matrices of 13 columns, and prices as arrays of one axis.
#' @references
#' Harrison, D. and Rubinfeld, D. L. (1978). Hedonic prices and the demand for clean air. *Journal of Environmental
#' Economics and Management*, 5, 81-102.
#' @seealso [layer_normalization()], [normalize()]
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' boston <- try(dataset_boston_housing(download = FALSE))
#' @export
dataset_boston_housing <- function(path = "boston_housing.npz", test_split = 0.2, seed = 113L, convert = TRUE,
  download = TRUE) {
  check_converts(convert)
  house_prices("boston_housing", path, test_split, seed, download)
}

#' The rows of a file of features `x` and prices `y`, in NumPy's order.
#' @param most how many rows of the file are taken.
#' @noRd
house_prices <- function(set, path, test_split, seed, download, most = Inf, fun = paste0("dataset_", set)) {
  test_split <- check_number(test_split, min = 0, below = 1, fun = fun)
  seed <- check_number(seed, min = 0, max = 2^32 - 1, fun = fun)
  data <- published_file(set, path, paste0(set, ".npz"), download, function(path) {
    arrays <- npz_arrays(path, c("x", "y"), fun)
    refuse <- refuse_file(path, set, fun)
    if (!is.numeric(arrays$x) || length(dim(arrays$x)) != 2) refuse("its array \"x\" is no matrix of numbers")
    if (!is.numeric(arrays$y) || length(arrays$y) != nrow(arrays$x)) refuse("its array \"y\" has no price for each row")
    arrays
  }, fun)
  order <- shuffled_order(seed, as.integer(min(most, nrow(data$x))))[[1]]
  train_and_test(length(order), test_split, function(rows) list(x = data$x[order[rows], , drop = FALSE],
    y = array(data$y[order[rows]], length(rows))))
}

#' The first rows and the last ones, as Keras splits them.
#' @noRd
train_and_test <- function(n, test_split, part) {
  train <- floor(n * (1 - test_split))
  list(train = part(seq_len(train)), test = part(train + seq_len(n - train)))
}
