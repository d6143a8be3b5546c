#' Plot embeddings
#'
#' A scatter plot of embeddings: the codes of an encoder, word vectors, the activations of a layer. Those of more than
#' two dimensions are projected on their principal components ([stats::prcomp()], not scaled), and the axes say which
#' share of the variance each shows.
#'
#' @param x a matrix of embeddings, a row per point, with two or more columns.
#' @param y what the colours mean: a factor, strings, logicals or up to 12 different whole numbers (classes), or other
#'   numbers (a scale).
#' @param labels text at the points, such as words. Those that would cover others before them are left out.
#' @param dims which two columns, or, if there are more than two, which principal components: across and up.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics the matrix (points, 2) of what was drawn, invisibly.
#' @section Errors: `nativenet_error_shape` if `x` has less than two columns, or `y` or `labels` another length;
#'   `nativenet_error_nan` for codes that are not finite.
#' @seealso [layer_embedding()], [plot_images()], [predict()][predict.nn_model] of an encoder;
#'   `vignette("lab-sentiment")`.
#' @examples
#' plot_embedding(iris[, 1:4], iris$Species)
#' plot_embedding(scale(mtcars), mtcars$mpg, labels = rownames(mtcars))
#' @export
plot_embedding <- function(x, y = NULL, labels = NULL, dims = c(1, 2), method = "auto") {
  method <- plot_method(method)
  x <- check_points(x, "x", "plot_embedding")
  at <- plain_numbers(dims)
  if (!are_numbers(at) || length(at) != 2 || !all(at %in% seq_len(ncol(x))) || at[1] == at[2]) {
    abort("`dims` must be two different numbers of 1 .. ", ncol(x), ", not ", if (are_numbers(at))
      paste(at, collapse = ", ") else describe(dims))
  }
  points <- plane_of_codes(x, at)
  if (!is.null(labels)) {
    points$label <- check_captions(labels, nrow(x))
  }
  if (!is.null(y)) points$colour <- colour_variable(y, nrow(x))
  if (method == "ggplot2") return(ggplot_codes(points))
  draw_codes(points)
  invisible(as.matrix(points[c("across", "up")]))
}

#' A data frame of `across` and `up`, with the names of the axes as an attribute.
#' @noRd
plane_of_codes <- function(x, dims, fun = "plot_embedding") {
  if (ncol(x) == 2) {
    names <- if (is.null(colnames(x))) paste("code", 1:2) else colnames(x)
  } else {
    if (nrow(x) < 2) abort("`x` must have at least two points to find principal components, not the shape ",
      format_shape(dim(x)), fun = fun)
    parts <- stats::prcomp(x)
    most <- ncol(parts$x)
    if (max(dims) > most) abort("`dims` must lie in 1 .. ", most, ": ", nrow(x),
      " points have no more principal components", fun = fun)
    share <- parts$sdev^2 / max(sum(parts$sdev^2), .Machine$double.xmin)
    names <- sprintf("component %d (%.0f %% of variance)", seq_along(share), 100 * share)
    x <- parts$x
  }
  structure(data.frame(across = unname(x[, dims[1]]), up = unname(x[, dims[2]])), axes = names[dims])
}

#' A factor for classes, numbers for a scale.
#' @noRd
colour_variable <- function(y, n, fun = "plot_embedding") {
  is_scale <- is.numeric(y) && length(y) == n &&
    (any(y != round(y), na.rm = TRUE) || length(unique(y)) > length(okabe_ito))
  if (is_scale) return(as.vector(y))
  droplevels(as_classes(y, n, fun))
}

# its light end would not be seen on white
scale_colours <- function() grDevices::hcl.colors(115, "viridis")[1:101]

ggplot_codes <- function(points) {
  .data <- ggplot2::.data
  many <- nrow(points) > 500
  has <- function(name) !is.null(points[[name]])
  size <- if (has("label")) 1 else if (many) 1.1 else 2
  scale <- if (is.factor(points$colour)) {
    key <- ggplot2::guide_legend(override.aes = list(size = 2.5, alpha = 1))
    ggplot2::scale_colour_manual(values = class_colours(nlevels(points$colour)), name = NULL, guide = key)
  } else if (has("colour")) ggplot2::scale_colour_gradientn(colours = scale_colours(), name = NULL)
  room <- function(labelled) ggplot2::expansion(mult = if (has("label")) labelled else 0.05)
  ggplot2::ggplot(points, ggplot2::aes(.data[["across"]], .data[["up"]])) +
    (if (has("colour")) ggplot2::aes(colour = .data[["colour"]])) +
    ggplot2::geom_point(size = size, alpha = if (many) 0.6 else 0.9) +
    (if (has("label")) {
      ggplot2::geom_text(ggplot2::aes(label = .data[["label"]]), vjust = -0.5, size = 3.4, check_overlap = TRUE,
        show.legend = FALSE)
    }) +
    scale + ggplot2::scale_x_continuous(expand = room(0.14)) + ggplot2::scale_y_continuous(expand = room(0.1)) +
    ggplot2::labs(x = attr(points, "axes")[1], y = attr(points, "axes")[2])
}

draw_codes <- function(points) {
  legend <- !is.null(points$colour)
  old <- graphics::par(mar = c(3, 3.2, 0.6, if (legend) 6 else 0.6), mgp = c(1.9, 0.4, 0), las = 1, tcl = -0.2)
  on.exit(graphics::par(old))
  classes <- if (is.factor(points$colour)) stats::setNames(class_colours(nlevels(points$colour)), levels(points$colour))
  limits <- if (legend && is.null(classes)) widened(points$colour, 0)
  colour <- if (!legend) "black"
  else if (is.null(classes)) colours_of(points$colour, limits, scale_colours())
  else classes[as.integer(points$colour)]
  share <- if (is.null(points$label)) c(0.05, 0.05) else c(0.14, 0.1)
  axes <- attr(points, "axes")
  graphics::plot(NA, xlim = widened(points$across, share[1]), ylim = widened(points$up, share[2]), xlab = axes[1],
    ylab = axes[2], xaxs = "i", yaxs = "i", axes = FALSE)
  graphics::abline(v = graphics::axTicks(1), h = graphics::axTicks(2), col = "grey92")
  graphics::box(col = "grey60")
  for (side in 1:2) graphics::axis(side, col = "grey60")
  graphics::points(points$across, points$up, pch = 16, cex = if (!is.null(points$label)) 0.5 else
    if (nrow(points) > 500) 0.6 else 1, col = grDevices::adjustcolor(colour, if (nrow(points) > 500) 0.6 else 0.9))
  if (!is.null(points$label)) {
    above <- points$up + graphics::strheight("M") * 1.1
    shown <- not_covered(points$across, above, graphics::strwidth(points$label, cex = 0.8),
      graphics::strheight(points$label, cex = 0.8) * 1.2)
    colour <- rep_len(colour, nrow(points))
    graphics::text(points$across[shown], above[shown], points$label[shown], cex = 0.8, col = colour[shown])
  }
  if (!is.null(classes)) draw_class_legend(classes)
  else if (legend) {
    corner <- graphics::par("usr")
    inch <- diff(corner[1:2]) / graphics::par("pin")[1]
    draw_key(corner[2] + inch * c(0.15, 0.3), corner[3] + c(0.25, 0.75) * diff(corner[3:4]), limits, scale_colours())
  }
}

#' Which boxes touch none of those shown before them?
#' @noRd
not_covered <- function(x, y, width, height) {
  shown <- integer()
  for (i in seq_along(x)) {
    covers <- abs(x[i] - x[shown]) < (width[i] + width[shown]) / 2 & abs(y[i] - y[shown]) <
      (height[i] + height[shown]) / 2
    if (!any(covers)) shown <- c(shown, i)
  }
  shown
}
