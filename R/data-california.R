# House prices of California, in the published file's order of NumPy.

california_files <- list(
  sums = c("california_housing.npz" = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"),
  substitute = "R's own data sets such as `mtcars`"
)

#' California housing price regression
#'
#' Median values of houses, in dollars, in 20640 block groups of California in 1990, and 8 numbers about each:
#' longitude, latitude, median age of the houses, rooms, bedrooms, population, households and median income, in the
#' order of the published file.
#'
#' The rows are put into the order of NumPy's generator (MT19937) with `seed`, as in Keras; R's own generator is not
#' used. The last `test_split` of them are the test set.
#'
#' @section Files:
#' `california_housing.npz` (743 KB) is looked for as that of [dataset_boston_housing()] is, in folders
#' `california_housing`. Downloads are compared with the published sum. Without it the error has the class
#' `nativenet_error_offline`.
#'
#' @inheritParams dataset_boston_housing
#' @param version `"large"`, or `"small"` for the first 600 rows of the file.
#' @param path name of a file in the layout of `california_housing.npz` (arrays `x` and `y`). Where there is no such
#'   file, the default name stands for the published one.
#' @param convert must be `TRUE`; present for compatibility with keras3.
#' @return `list(train = list(x, y), test = list(x, y))`: matrices of 8 columns, and prices as arrays of one axis.
#' @references
#' Pace, R. K. and Barry, R. (1997). Sparse spatial autoregressions. *Statistics and Probability Letters*, 33, 291-297.
#' @seealso [layer_normalization()], [dataset_boston_housing()]
#' @examplesIf nzchar(Sys.getenv("NATIVENET_DATA"))
#' california <- try(dataset_california_housing("small", download = FALSE))
#' @export
dataset_california_housing <- function(version = "large", path = "california_housing.npz", test_split = 0.2,
  seed = 113L, convert = TRUE, download = TRUE) {
  check_choice(version, c("large", "small"))
  check_converts(convert)
  house_prices("california_housing", path, test_split, seed, download, if (version == "small") 600 else Inf)
}
