#' Plot derivatives against finite differences
#'
#' A panel for each array that [check_gradient()] looked at, and a point for each of its numbers: across the finite
#' difference, up the derivative. Right derivatives lie on the diagonal. Wrong ones are vermilion, and where they lie
#' tells what is wrong: on another straight line if a factor is missing, on the falling diagonal if it is the sign, on
#' the line at 0 if nothing arrives.
#'
#' @param x what [check_gradient()] returned, or some rows of it.
#' @param y,... ignored.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics `x`, invisibly.
#' @section Errors: `nativenet_error_value` for anything else.
#' @seealso [check_gradient()]; `vignette("lab-backpropagation")`.
#' @examples
#' set.seed(1)
#' x <- matrix(rnorm(12), 3)
#' plot_gradient_check(check_gradient(sigmoid(), x))
#' # the derivative at the output instead of the pre-activation
#' wrong <- setRefClass("wrong_sigmoid", contains = "activation", methods = list(
#'   forward = function(x) 1 / (1 + exp(-x)),
#'   backward = function(x) x * (1 - x)
#' ))
#' plot(check_gradient(wrong(), x))
#' @export
plot_gradient_check <- function(x, method = "auto") {
  method <- plot_method(method)
  panels <- gradient_panels(x)
  if (method == "ggplot2") return(ggplot_gradients(panels))
  draw_gradients(panels)
  invisible(x)
}

#' @rdname plot_gradient_check
#' @export
plot.nn_gradient_check <- function(x, y, method = "auto", ...) {
  check_no_more(if (!missing(y)) list(y = y), "plot")
  plot_gradient_check(x, method)
}

#' A list of data frames, one per array, named by what its panel says.
#' @noRd
gradient_panels <- function(x, fun = "plot_gradient_check") {
  numbers <- attr(x, "numbers")
  if (!inherits(x, "nn_gradient_check") || is.null(numbers) || is.null(x$name)) {
    abort("`x` must be what `check_gradient()` returned, not ", describe(x), fun = fun)
  }
  numbers <- Filter(nrow, numbers[names(numbers) %in% x$name])
  if (!length(numbers)) abort("`x` holds no numbers", fun = fun)
  said <- vapply(numbers, function(d) if (all(d$ok)) "all right" else sprintf("%d of %d wrong", sum(!d$ok), nrow(d)),
    "")
  stats::setNames(numbers, paste0(names(numbers), ": ", said))
}

#' Rows and columns of panels, on a wide device.
#' @noRd
panel_grid <- function(n) if (n <= 3) c(1, n) else rev(grDevices::n2mfrow(n))

ggplot_gradients <- function(panels) {
  .data <- ggplot2::.data
  data <- do.call(rbind, panels)
  data$panel <- factor(rep(seq_along(panels), vapply(panels, nrow, 0L)), labels = names(panels))
  data$agreement <- factor(ifelse(data$ok, "right", "wrong"), names(agreement_colours))
  # both axes of a panel have the same range, without points of their own
  corners <- do.call(rbind, lapply(seq_along(panels), function(i) {
    range <- gradient_range(panels[[i]])
    data.frame(difference = range, derivative = range, panel = factor(names(panels)[i], levels(data$panel)))
  }))
  size <- if (nrow(data) > 500) 1 else 2
  ggplot2::ggplot(data[order(data$agreement), ], ggplot2::aes(.data[["difference"]], .data[["derivative"]])) +
    ggplot2::geom_blank(data = corners) +
    ggplot2::geom_abline(slope = 1, intercept = 0, colour = "grey60") +
    ggplot2::geom_point(ggplot2::aes(colour = .data[["agreement"]]), size = size, alpha = 0.8, na.rm = TRUE) +
    ggplot2::facet_wrap("panel", scales = "free", nrow = panel_grid(length(panels))[1]) +
    ggplot2::scale_x_continuous(n.breaks = 4) + ggplot2::scale_y_continuous(n.breaks = 4) +
    ggplot2::scale_colour_manual(values = agreement_colours, name = NULL, drop = FALSE) +
    ggplot2::labs(x = "finite difference", y = "derivative") + (if (all(data$ok)) ggplot2::guides(colour = "none"))
}

gradient_range <- function(d) widened(c(d$difference, d$derivative), 0.06)

draw_gradients <- function(panels) {
  old <- set_par(mfrow = panel_grid(length(panels)), mar = c(2, 3, 1.8, 0.8), oma = c(1.4, 1.2, 0, 0),
    mgp = c(1.9, 0.4, 0), las = 1, tcl = -0.2, cex = 0.8)
  on.exit(graphics::par(old))
  for (i in seq_along(panels)) {
    d <- panels[[i]]
    range <- gradient_range(d)
    graphics::plot(NA, xlim = range, ylim = range, xlab = "", ylab = "", axes = FALSE)
    graphics::abline(0, 1, col = "grey60")
    graphics::box(col = "grey60")
    for (side in 1:2) graphics::axis(side, col = "grey60")
    d <- d[order(!d$ok), ]
    graphics::points(d$difference, d$derivative, pch = 16,
      col = grDevices::adjustcolor(agreement_colours[2 - d$ok], 0.8))
    graphics::title(names(panels)[i], font.main = 1, cex.main = 1, line = 0.5, col.main = if (all(d$ok)) "black" else
      agreement_colours[["wrong"]])
  }
  graphics::mtext("finite difference", 1, outer = TRUE, line = 0.2, cex = 0.8)
  graphics::mtext("derivative", 2, outer = TRUE, line = 0.2, cex = 0.8, las = 0)
}
