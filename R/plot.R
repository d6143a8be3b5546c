# What all plots share: the choice between ggplot2 and base graphics, and the colours.

plot_methods <- c("auto", "ggplot2", "base")

#' "ggplot2" or "base".
#' @noRd
plot_method <- function(method, fun = calling_function()) {
  if (identical(method, plot_methods)) method <- "auto" # a default that lists the choices
  method <- check_choice(method, plot_methods, fun = fun)
  if (method == "base") return(method)
  # which has line widths apart from sizes
  installed <- requireNamespace("ggplot2", quietly = TRUE, versionCheck = list(op = ">=", version = "3.4.0"))
  if (method == "ggplot2" && !installed)
    abort("`method` \"ggplot2\" needs the package ggplot2, 3.4.0 or later, which is not installed", fun = fun)
  if (installed) "ggplot2" else "base"
}

# ---- colours ----

# Okabe and Ito's palette, which the colour-blind tell apart, its pale yellow far behind; wine, grey, olive and indigo
# are near Paul Tol's.
okabe_ito <- c("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255", "#888888",
  "#F0E442", "#999933", "#332288")

data_colours <- c(training = okabe_ito[1], validation = okabe_ito[2])
agreement_colours <- c(right = okabe_ito[1], wrong = okabe_ito[2])

# from below 0 to above it
diverging <- c(okabe_ito[1], "#FFFFFF", okabe_ito[2])

class_colours <- function(n) if (n <= length(okabe_ito)) okabe_ito[seq_len(n)] else grDevices::hcl.colors(n, "Dynamic")

#' `colours` mixed with white.
#' @noRd
lighter <- function(colours, share = 0.55) {
  mixed <- grDevices::col2rgb(colours) * (1 - share) + 255 * share
  grDevices::rgb(t(mixed), maxColorValue = 255)
}

#' Colours for numbers, in the shape of the numbers; what is outside of the limits has the colour of the end, NA is
#' grey.
#' @noRd
colours_of <- function(x, limits, colours) {
  width <- if (diff(limits) > 0) diff(limits) else 1
  at <- pmin(pmax((x - limits[1]) / width, 0), 1)
  shade <- rep("#BEBEBE", length(x))
  shown <- !is.na(at)
  shade[shown] <- grDevices::rgb(grDevices::colorRamp(colours)(at[shown]), maxColorValue = 255)
  `dim<-`(shade, dim(x))
}

#' Limits around 0 that hold all finite numbers.
#' @noRd
symmetric_limits <- function(x) {
  largest <- max(abs(x[is.finite(x)]), 0)
  if (largest > 0) c(-largest, largest) else c(-1, 1)
}

#' A key of a continuous scale, for base graphics: a bar at `x` (left, right), `y` (bottom, top) in the plot's units.
#' @noRd
draw_key <- function(x, y, limits, colours, cex = 0.8) {
  bar <- grDevices::as.raster(matrix(rev(grDevices::colorRampPalette(colours)(101))))
  graphics::rasterImage(bar, x[1], y[1], x[2], y[2], xpd = NA)
  graphics::rect(x[1], y[1], x[2], y[2], border = "grey60", xpd = NA)
  marks <- pretty(limits, 4)
  marks <- marks[marks >= limits[1] & marks <= limits[2]]
  at <- y[1] + (marks - limits[1]) / diff(limits) * diff(y)
  graphics::text(x[2], at, paste0(" ", format(marks, trim = TRUE)), adj = c(0, 0.5), cex = cex, xpd = NA)
}

# ---- axes ----

#' Set parameters of base graphics; what restores them comes back. `par()` alone would not do: `mfrow` changes `cex`
#' before that is read.
#' @noRd
set_par <- function(...) {
  before <- graphics::par(no.readonly = TRUE)[names(list(...))]
  graphics::par(...)
  before
}

#' The range of finite numbers, `share` of it added at each end; never of no width.
#' @noRd
widened <- function(x, share) {
  range <- if (any(is.finite(x))) range(x, finite = TRUE) else c(0, 1)
  if (diff(range) == 0) range + c(-0.5, 0.5) * max(1, abs(range[1])) else range + c(-share, share) * diff(range)
}

#' Classes of points as a factor, from whatever says which class each belongs to.
#' @noRd
as_classes <- function(y, n, fun) {
  if (!is.factor(y)) y <- plain_argument(y, "y", fun)
  if (is.matrix(y) && ncol(y) > 1 && is.numeric(y)) y <- max.col(y, "first") - 1 # as `to_categorical()` makes them
  if (!is.atomic(y) || is.complex(y) || is.raw(y) || length(y) != n) abort("`y` must be a class for each of the ", n,
    " points, not ", describe(y), class = "shape", fun = fun)
  if (anyNA(y)) abort("`y` must not be NA", fun = fun)
  broken <- if (is.numeric(y)) y[y != round(y)]
  if (length(broken)) abort("`y` must be classes: a factor, strings or whole numbers, not ", describe(broken[1]),
    fun = fun)
  if (is.factor(y)) y else factor(as.vector(y))
}

#' Points as a matrix of finite numbers.
#' @noRd
check_points <- function(x, arg, fun) {
  if (is_tensor(x)) x <- as.array(x)
  x <- if (is.data.frame(x)) as_number_matrix(x, arg, fun) else plain_argument(x, arg, fun)
  if (!is.matrix(x) || !is.numeric(x)) abort("`", arg, "` must be a numeric matrix with a row per point, not ",
    describe(x), fun = fun)
  if (ncol(x) < 2) abort("`", arg, "` must have at least two columns, not the shape ", format_shape(dim(x)),
    class = "shape", fun = fun)
  if (nrow(x) == 0) abort("`", arg, "` has no points", fun = fun)
  if (!all(is.finite(x))) abort("`", arg, "` must hold finite numbers only", class = "nan", fun = fun)
  x
}

#' An empty plot whose region, in the middle of its place, has the shape of the limits: a unit is as long on both axes.
#' @noRd
plot_equal_units <- function(x, y) {
  room <- graphics::par("pin")
  # before the plot begins, which fixes what is clipped
  graphics::par(pin = min(room / c(diff(x), diff(y))) * c(diff(x), diff(y)))
  graphics::plot.new()
  graphics::plot.window(x, y, xaxs = "i", yaxs = "i")
}

#' A legend of classes at the right of the plot region, for base graphics.
#' @noRd
draw_class_legend <- function(colours) {
  corner <- graphics::par("usr")[c(2, 4)]
  graphics::legend(corner[1], corner[2], names(colours), pch = 16, col = colours, bty = "n", xpd = NA, cex = 0.9,
    pt.cex = 1.2)
}
