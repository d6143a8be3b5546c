#' Plot images in a grid
#'
#' Images side by side: digits, reconstructions, weights seen as images, in grey, dark ink on white, or pictures in red,
#' green and blue. Row 1 of an image is at the top.
#'
#' @param x a matrix with an image per row, an array (images, rows, columns) or (images, rows, columns, channels) of one
#'   channel or of red, green and blue, or a list of these: each element of a list becomes a row of the grid.
#' @param dims rows and columns of an image that is given as a row of a matrix; square by default. Such a
#'   row is read column by column, as `matrix(x[i, ], dims[1], dims[2])` does; see `byrow`.
#' @param byrow is each row of the matrix read row by row instead, as [array_reshape()] lays images out?
#' @param nrow rows of the grid, if `x` is no list.
#' @param titles text above the images of the first row, or above each image.
#' @param limits numbers drawn white and black. By default the range of each image by itself. Of coloured pictures the
#'   numbers that are no and full light: by default 0 and 255, or 0 and 1 if none is above 1.
#' @param labels text at the left of each row of the grid: by default the names of a list.
#' @param method `"ggplot2"`, `"base"`, or `"auto"`: the first if that package is installed.
#' @return A ggplot, which prints itself at the console, but in loops and functions needs [print()]. Base graphics draw
#'   at once, and `x` comes back, invisibly.
#' @section Errors: `nativenet_error_value` for what is no images.
#' @seealso [plot_weights()] for weights as images; [dataset_digits()] and [dataset_mnist()] for images;
#'   `vignette("models")` and `vignette("lab-denoising")`.
#' @examples
#' digits <- dataset_digits(10)
#' plot_images(digits$train$x, nrow = 2, titles = digits$train$y)
#' plot_images(list(first = digits$train$x[1:3, , ], "then these" = digits$train$x[4:6, , ]))
#' @export
plot_images <- function(x, dims = NULL, byrow = FALSE, nrow = 1, titles = NULL, limits = NULL, labels = NULL,
  method = "auto") {
  method <- plot_method(method)
  check_flag(byrow)
  if (!is.null(dims)) dims <- check_whole(dims, min = 1)
  if (!is.null(titles)) titles <- check_captions(titles)
  if (!is.null(labels)) labels <- check_captions(labels)
  rows <- if (is.list(x)) lapply(unname(x), as_images, dims, byrow) else split_rows(as_images(x, dims, byrow),
    check_count(nrow))
  if (max(0, lengths(rows)) == 0) abort("`x` has no images")
  if (is.null(labels) && is.list(x)) labels <- names(x)
  if (!is.null(limits) && (!is.numeric(limits) || length(limits) != 2 || !all(is.finite(limits)))) {
    abort("`limits` must be two numbers, drawn white and black, not ", describe(limits))
  }
  if (is.null(limits)) limits <- picture_limits(unlist(rows, FALSE))
  shades <- lapply(rows, lapply, picture_shades, limits)
  if (method == "ggplot2") return(ggplot_images(shades, titles, labels) + ggplot2::scale_fill_identity())
  draw_images(shades, titles, labels)
  invisible(x)
}

#' A list of matrices.
#' @noRd
as_images <- function(x, dims, byrow, fun = "plot_images") {
  if (length(dim(x)) == 4 && is.numeric(x) && dim(x)[4] == 3) return(lapply(seq_len(dim(x)[1]), function(i)
    array(x[i, , , ], dim(x)[-1])))
  if (length(dim(x)) == 4 && is.numeric(x) && dim(x)[4] == 1) x <- array(x, dim(x)[1:3])
  if (length(dim(x)) == 3 && is.numeric(x)) return(lapply(seq_len(dim(x)[1]), function(i) matrix(x[i, , ], dim(x)[2])))
  check_rows(x, "x", fun)
  if (is.null(dims)) dims <- rep(sqrt(ncol(x)), 2)
  if (length(dims) != 2 || any(dims != round(dims)) || prod(dims) != ncol(x)) {
    abort("`dims` must be the rows and columns of an image of ", ncol(x), " numbers, not ",
      paste(dims, collapse = " x "), fun = fun)
  }
  lapply(seq_len(nrow(x)), function(i) matrix(x[i, ], dims[1], dims[2], byrow = byrow))
}

split_rows <- function(images, nrow) {
  per_row <- ceiling(length(images) / nrow)
  unname(split(images, ceiling(seq_along(images) / per_row)))
}

#' Of coloured pictures: no and full light. NULL: each image in grey has its own limits.
#' @noRd
picture_limits <- function(images) {
  coloured <- unlist(Filter(function(m) length(dim(m)) == 3, images))
  if (length(coloured)) c(0, if (any(coloured > 1, na.rm = TRUE)) 255 else 1)
}

#' A matrix of colours from one of numbers, or from (rows, columns, red, green and blue).
#' @noRd
picture_shades <- function(m, limits) {
  if (length(dim(m)) != 3) return(grey_shades(m, limits))
  light <- matrix(pmin(pmax((m - limits[1]) / diff(limits), 0), 1), ncol = 3)
  known <- rowSums(is.na(light)) == 0
  shades <- rep("#FFFFFF", nrow(light))
  shades[known] <- grDevices::rgb(light[known, , drop = FALSE])
  matrix(shades, nrow(m))
}

grey_shades <- function(m, limits) {
  if (is.null(limits)) limits <- if (any(is.finite(m))) range(m, finite = TRUE) else c(0, 1)
  colours_of(m, limits, c("#FFFFFF", "#000000"))
}

# ---- grids of images: lists (rows of the grid) of lists of matrices, of colours or of numbers ----

grid_titles <- function(titles, rows, n) {
  titles <- as.character(titles)
  cell <- function(r, i) (r - 1) * n + i
  lapply(seq_along(rows), function(r) {
    text <- titles[cell(r, seq_len(n))]
    ifelse(is.na(text), "", text)
  })
}

#' A panel per image. What the matrices hold is mapped to fill, whose scale the caller adds.
#' @noRd
ggplot_images <- function(rows, titles, labels) {
  .data <- ggplot2::.data
  n <- max(lengths(rows))
  size <- apply(vapply(unlist(rows, FALSE), dim, integer(2)), 1, max)
  text <- grid_titles(titles, rows, n)
  cells <- do.call(rbind, unlist(lapply(seq_along(rows), function(r) lapply(seq_along(rows[[r]]), function(i) {
    m <- rows[[r]][[i]]
    x <- as.vector(col(m)) + (size[2] - ncol(m)) / 2
    y <- (size[1] + nrow(m)) / 2 + 1 - as.vector(row(m))
    data.frame(row = r, column = i, x = x, y = y, fill = as.vector(m))
  })), FALSE))
  wrapped <- length(titles) > n
  cells$cell <- factor((cells$row - 1) * n + cells$column, seq_len(n * length(rows)))
  facets <- if (wrapped) {
    ggplot2::facet_wrap("cell", nrow = length(rows), drop = FALSE, labeller = function(of)
      list(unlist(text)[as.integer(as.character(of[[1]]))]))
  } else {
    ggplot2::facet_grid(row ~ column, labeller = function(of) list(if (names(of) == "column") text[[1]][of[[1]]] else
      rep("", nrow(of))))
  }
  strip <- if (is.null(titles)) ggplot2::element_blank() else ggplot2::element_text(size = 11,
    margin = ggplot2::margin(2, 0, 2, 0))
  labelled <- seq_along(rows) <= length(labels)
  beside <- data.frame(row = which(labelled), column = rep(1, sum(labelled)),
    label = as.character(labels)[which(labelled)])
  beside$cell <- factor((beside$row - 1) * n + 1, levels(cells$cell))
  ggplot2::ggplot(cells, ggplot2::aes(.data[["x"]], .data[["y"]])) +
    ggplot2::geom_raster(ggplot2::aes(fill = .data[["fill"]])) +
    (if (nrow(beside)) {
      ggplot2::geom_text(ggplot2::aes(0.5, (size[1] + 1) / 2, label = .data[["label"]]), beside, angle = 90,
        vjust = -0.5, size = 3.9)
    }) +
    facets +
    ggplot2::coord_fixed(xlim = c(0.5, size[2] + 0.5), ylim = c(0.5, size[1] + 0.5), expand = FALSE, clip = "off") +
    ggplot2::theme_void() +
    ggplot2::theme(strip.text.x = strip, strip.text.y = ggplot2::element_blank(),
      panel.spacing = ggplot2::unit(3, "pt"), plot.margin = ggplot2::margin(2, 2, 2, if (nrow(beside)) 18 else 2))
}

#' The same in base graphics: one plot with inches as units. `key`: what draw_key() needs, besides a place.
#' @noRd
draw_images <- function(rows, titles, labels, key = NULL) {
  old <- graphics::par(mar = rep(0.2, 4))
  on.exit(graphics::par(old))
  graphics::plot.new()
  room <- graphics::par("pin")
  graphics::plot.window(c(0, room[1]), c(0, room[2]), xaxs = "i", yaxs = "i")
  line <- graphics::par("cin")[2]
  n <- max(lengths(rows))
  size <- apply(vapply(unlist(rows, FALSE), dim, integer(2)), 1, max)
  text <- grid_titles(titles, rows, n)
  head <- 1.3 * line * vapply(text, function(t) any(nzchar(t)), NA) # room above each row
  left <- if (length(labels)) 1.3 * line else 0
  right <- if (is.null(key)) 0 else 5 * line
  gap <- 0.06
  between <- gap * (c(n, length(rows)) - 1)
  pixel <- min((room - c(left + right, sum(head)) - between) / (c(n, length(rows)) * rev(size)))
  if (pixel <= 0) abort("the device is too small for ", length(rows), " x ", n, " images", fun = user_function())
  cell <- pixel * rev(size) # width, height
  extent <- c(left + n * cell[1] + (n - 1) * gap + right, sum(head) + length(rows) * cell[2] + gap * (length(rows) - 1))
  start <- c((room[1] - extent[1]) / 2 + left, (room[2] + extent[2]) / 2)
  for (r in seq_along(rows)) {
    top <- start[2] - sum(head[seq_len(r)]) - (r - 1) * (cell[2] + gap)
    for (i in seq_along(rows[[r]])) {
      m <- rows[[r]][[i]]
      middle <- c(start[1] + (i - 1) * (cell[1] + gap) + cell[1] / 2, top - cell[2] / 2)
      half <- pixel * c(ncol(m), nrow(m)) / 2
      from <- middle - half
      to <- middle + half
      graphics::rasterImage(grDevices::as.raster(m), from[1], from[2], to[1], to[2], interpolate = FALSE)
      # weights of 0 are white like the page
      if (!is.null(key)) graphics::rect(from[1], from[2], to[1], to[2], border = "grey80")
      if (nzchar(text[[r]][i])) graphics::text(middle[1], top + 0.5 * line, text[[r]][i], cex = 0.9)
    }
    if (r <= length(labels)) graphics::text(start[1] - 0.7 * line, top - cell[2] / 2, labels[r], srt = 90, cex = 0.9)
  }
  if (!is.null(key)) {
    from <- start[1] + n * cell[1] + (n - 1) * gap + line
    tall <- min(extent[2], 2.4) / 2
    draw_key(from + c(0, 0.8 * line), room[2] / 2 + c(-tall, tall), key$limits, key$colours)
  }
}
