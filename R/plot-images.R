#' Draw images in a grid
#'
#' Grey-scale images, dark ink on white, side by side: digits, reconstructions, weights seen as images. Row 1
#' of an image is at the top.
#'
#' @param x a matrix with an image per row, an array (images, rows, columns), or a list of these: each
#'   element of a list becomes a row of the grid.
#' @param dims rows and columns of an image that is given as a row of a matrix; square by default. Such a
#'   row is read column by column, as `matrix(x[i, ], dims[1], dims[2])` does; see `byrow`.
#' @param byrow is each row of the matrix read row by row instead?
#' @param nrow rows of the grid, if `x` is no list.
#' @param titles text above the images of the first row, or above each image.
#' @param limits numbers drawn white and black. By default the range of each image by itself.
#' @param labels text at the left of each row of the grid.
#' @return `x`, invisibly.
#' @examples
#' digits <- dataset_digits(20)
#' plot_images(digits$train$x, nrow = 2, titles = digits$train$y)
#' @export
plot_images <- function(x, dims = NULL, byrow = FALSE, nrow = 1, titles = NULL, limits = NULL, labels = NULL) {
  rows <- if (is.list(x)) lapply(x, as_images, dims, byrow) else split_rows(as_images(x, dims, byrow), check_count(nrow))
  n <- max(0, lengths(rows))
  if (n == 0) abort("`x` has no images")
  old <- graphics::par(mfrow = c(length(rows), n), mar = c(0.3, 0.3, if (is.null(titles)) 0.3 else 1.5, 0.3),
    oma = c(0, if (is.null(labels)) 0 else 2, 0, 0))
  on.exit(graphics::par(old))
  count <- 0
  for (r in seq_along(rows)) {
    for (i in seq_len(n)) {
      graphics::plot.new()
      count <- count + 1
      if (i > length(rows[[r]])) next
      graphics::plot.window(c(0, 1), c(0, 1), xaxs = "i", yaxs = "i", asp = 1)
      graphics::rasterImage(grey_raster(rows[[r]][[i]], limits), 0, 0, 1, 1, interpolate = FALSE)
      if (count <= length(titles)) graphics::title(titles[count], line = 0.3, font.main = 1, cex.main = 1)
      if (i == 1 && r <= length(labels)) graphics::mtext(labels[r], side = 2, line = 0.6, cex = 0.8)
    }
  }
  invisible(x)
}

#' A list of matrices.
#' @noRd
as_images <- function(x, dims, byrow, fun = "plot_images") {
  if (length(dim(x)) == 3 && is.numeric(x)) return(lapply(seq_len(dim(x)[1]), function(i) matrix(x[i, , ], dim(x)[2])))
  check_rows(x, "x", fun)
  if (is.null(dims)) dims <- rep(sqrt(ncol(x)), 2)
  if (!is.numeric(dims) || length(dims) != 2 || any(dims != round(dims)) || prod(dims) != ncol(x)) {
    abort("`dims` must be the rows and columns of an image of ", ncol(x), " numbers, not ", paste(dims, collapse = " x "), fun = fun)
  }
  lapply(seq_len(nrow(x)), function(i) matrix(x[i, ], dims[1], dims[2], byrow = byrow))
}

split_rows <- function(images, nrow) {
  per_row <- ceiling(length(images) / nrow)
  unname(split(images, ceiling(seq_along(images) / per_row)))
}

grey_raster <- function(m, limits) {
  if (is.null(limits)) limits <- if (any(is.finite(m))) range(m, finite = TRUE) else c(0, 1)
  if (diff(limits) == 0) limits <- limits + c(0, 1)
  grDevices::as.raster(1 - pmin(pmax((m - limits[1]) / diff(limits), 0), 1))
}
