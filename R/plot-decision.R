#' Plot decision regions
#'
#' Draws the prediction at each point of a plane of two inputs. One output is a surface, blue where it is low and
#' vermilion where it is high, with a line where the decision changes. Of several outputs, each region has the colour of
#' the largest. Points of data lie on top, in the colours of their classes.
#'
#' @param x a [dense_neural_network][build_dense_neural_network] or a model with two inputs, or a function of a matrix
#'   (n, 2) that gives n numbers or a matrix (n, outputs).
#' @param data a matrix (points, 2); its column names become the names of the axes.
#' @param y the classes of the points: a factor, strings or whole numbers, or a one-hot matrix, as
#'   [to_categorical()] makes them. Of several outputs, the first belongs to the lowest class and so on.
#' @param limits `c(from, to)` for both axes, or a list of two such pairs. By default the range of the data, 15 % wider
#'   at each end.
#' @param n the function is asked at n x n points.
#' @param output the number of the output that is drawn as a surface. `NULL`: the only one, or the largest of several.
#' @param contour draw the line where the decision changes? It is at 0.5 if all outputs lie between 0 and 1, otherwise
#'   at 0; a number asks for another level.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics a list of `x`, `y` and the matrix `z` (the output, or the number of the
#'   largest), invisibly.
#' @section Errors: `nativenet_error_shape` if there are not two inputs, or outputs and classes do not fit;
#'   `nativenet_error_nan` if no output is a finite number.
#' @seealso [plot_network()]; [build_dense_neural_network()]; `vignette("lab-backpropagation")`.
#' @examples
#' xor <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
#' y <- c(0, 1, 1, 0)
#' set.seed(4)
#' network <- build_dense_neural_network(2, list(3, htan(), 1, sigmoid()),
#'   loss = binary_crossentropy(), optimizer = gradient_descent_optimizer(learning_rate = 0.5))
#' for (i in 1:500) network$train_on_batch(xor, y)
#' plot_decision(network, xor, y)
#' # any function of a matrix
#' plot_decision(function(p) p[, 1]^2 + p[, 2]^2, limits = c(-1.5, 1.5), contour = 1)
#' @export
plot_decision <- function(x, data = NULL, y = NULL, limits = NULL, n = 101, output = NULL, contour = TRUE,
  method = "auto") {
  method <- plot_method(method)
  n <- check_count(n, min = 2)
  contour <- if (is.numeric(contour)) check_number(contour) else check_flag(contour)
  if (!is.null(data)) {
    data <- check_points(data, "data", "plot_decision")
    if (ncol(data) != 2) abort("`data` must have two columns, not the shape ", format_shape(dim(data)), class = "shape")
  }
  if (!is.null(y)) y <- as_classes(y, NROW(data), "plot_decision")
  limits <- plane_limits(limits, data)
  at <- lapply(limits, function(l) seq(l[1], l[2], length.out = n))
  points <- as.matrix(unname(expand.grid(at, KEEP.OUT.ATTRS = FALSE)))
  colnames(points) <- colnames(data)
  out <- plane_outputs(x, points)
  if (!any(is.finite(out))) abort("`x` gives no finite number on this plane", class = "nan")
  plane <- list(x = at[[1]], y = at[[2]], limits = limits, names = if (is.null(colnames(data))) c("x1", "x2") else
    colnames(data))
  if (is.null(output) && ncol(out) > 1) {
    plane$classes <- output_classes(levels(y), ncol(out), trained = if (is_model(x)) class_names(layer_self(x)))
    out[is.na(out)] <- -Inf
    plane$z <- matrix(max.col(out, "first"), n)
  } else {
    out <- out[, if (is.null(output)) 1 else check_count(output, max = ncol(out))]
    plane$classes <- if (all(levels(y) %in% 0:1)) 0:1 else levels(y)
    is_share <- all(out >= 0 & out <= 1, na.rm = TRUE)
    plane$level <- if (is.numeric(contour)) contour else if (is_share) 0.5 else 0
    plane$range <- if (is_share && plane$level == 0.5) c(0, 1) else plane$level + symmetric_limits(out - plane$level)
    plane$z <- matrix(out, n)
    # a line that is nowhere would only give warnings
    plane$line <- !isFALSE(contour) && any(out > plane$level, na.rm = TRUE) && any(out < plane$level, na.rm = TRUE)
  }
  plane$colours <- stats::setNames(class_colours(length(plane$classes)), plane$classes)
  if (!is.null(data)) plane$points <- data.frame(x = data[, 1], y = data[, 2])
  if (!is.null(y)) plane$points$class <- factor(y, plane$classes)
  if (method == "ggplot2") return(ggplot_plane(plane))
  draw_plane(plane)
  invisible(plane[c("x", "y", "z")])
}

plane_limits <- function(limits, data, fun = "plot_decision") {
  if (is.null(limits)) {
    if (is.null(data)) abort("`limits` must be given where there is no `data`", fun = fun)
    return(list(widened(data[, 1], 0.15), widened(data[, 2], 0.15)))
  }
  pairs <- if (is.list(limits)) unname(limits) else list(limits, limits)
  is_pair <- function(l) is.numeric(l) && length(l) == 2 && all(is.finite(l)) && l[1] < l[2]
  if (length(pairs) != 2 || !all(vapply(pairs, is_pair, NA))) {
    abort("`limits` must be `c(from, to)`, or a list of two of these, not ", describe(limits), fun = fun)
  }
  pairs
}

#' What x gives for points (n, 2): a matrix (n, outputs).
#' @noRd
plane_outputs <- function(x, points, fun = "plot_decision") {
  check_two <- function(n) if (!identical(as.integer(n), 2L)) abort("`x` must have 2 inputs, not ", format_shape(n),
    class = "shape", fun = fun)
  out <- if (is_layer(x)) {
    self <- layer_self(x)
    if (self$built) check_two(if (is.list(self$input_shape)) lengths(self$input_shape) else self$input_shape[-1])
    if (is_model(x)) stats::predict(x, points) else x(points)
  } else if (is.function(x)) {
    check_function(x, fun = fun)(points)
  } else if (is(x, "envRefClass") && "predict" %in% method_names(x)) {
    if ("weights" %in% names(x$getRefClass()$fields())) check_two(nrow(weight_layers(x, fun)[[1]]$weights))
    x$predict(points)
  } else {
    abort("`x` must be a network, a model or a function of a matrix (n, 2), not ", describe(x), fun = fun)
  }
  if (is_tensor(out)) out <- as.array(out)
  if (is.data.frame(out)) out <- as.matrix(out)
  if (is.atomic(out) && length(dim(out)) < 2 && length(out) == nrow(points)) out <- matrix(out, ncol = 1)
  if (!is.matrix(out) || !is.numeric(out) && !is.logical(out) || nrow(out) != nrow(points) || !ncol(out)) {
    abort("`x` must give a number, or a row of numbers, for each of ", nrow(points), " points, not ", describe(out),
      class = "shape", fun = fun)
  }
  `storage.mode<-`(out, "double")
}

#' The classes that k outputs stand for: those a model was trained with; those of the data, or, if it does not have all,
#' 0 .. k - 1 or 1 .. k.
#' @noRd
output_classes <- function(classes, k, trained = NULL, fun = "plot_decision") {
  if (length(trained) == k && all(classes %in% trained)) return(trained)
  if (length(classes) == k) return(classes)
  for (numbers in list(seq_len(k) - 1, seq_len(k))) if (all(classes %in% numbers)) return(numbers)
  abort("`y` has the classes ", paste(classes, collapse = ", "), ", but `x` has ", k, " outputs", class = "shape",
    fun = fun)
}

# ---- drawing ----

ggplot_plane <- function(plane) {
  .data <- ggplot2::.data
  cells <- data.frame(x = rep(plane$x, length(plane$y)), y = rep(plane$y, each = length(plane$x)),
    z = as.vector(plane$z))
  legend <- if (is.null(plane$points$class) && is.null(plane$level)) "legend" else "none"
  fill <- if (is.null(plane$level)) {
    cells$z <- factor(plane$classes[cells$z], plane$classes)
    ggplot2::scale_fill_manual(values = lighter(plane$colours), name = "class", drop = FALSE, guide = legend)
  } else {
    ggplot2::scale_fill_gradientn(colours = lighter(diverging), limits = plane$range, name = "output")
  }
  points <- if (!is.null(plane$points)) ggplot2::geom_point(data = plane$points, colour = "white", size = 2.6)
  inside <- if (!is.null(plane$points$class)) list(
    ggplot2::geom_point(ggplot2::aes(colour = .data[["class"]]), plane$points, size = 1.9),
    ggplot2::scale_colour_manual(values = plane$colours, name = "class", drop = FALSE,
      guide = ggplot2::guide_legend(order = 1))
  ) else if (!is.null(plane$points)) ggplot2::geom_point(data = plane$points, size = 1.9)
  ggplot2::ggplot(cells, ggplot2::aes(.data[["x"]], .data[["y"]])) +
    ggplot2::geom_raster(ggplot2::aes(fill = .data[["z"]])) + fill +
    (if (isTRUE(plane$line)) ggplot2::geom_contour(ggplot2::aes(z = .data[["z"]]), breaks = plane$level,
      colour = "grey20", na.rm = TRUE)) +
    points + inside +
    ggplot2::coord_fixed(xlim = plane$limits[[1]], ylim = plane$limits[[2]], expand = FALSE) +
    ggplot2::labs(x = plane$names[1], y = plane$names[2])
}

draw_plane <- function(plane) {
  old <- graphics::par(mar = c(3, 3.2, 0.6, 6), mgp = c(1.9, 0.4, 0), las = 1, tcl = -0.2)
  on.exit(graphics::par(old))
  l <- plane$limits
  plot_equal_units(l[[1]], l[[2]])
  shade <- if (is.null(plane$level)) `dim<-`(lighter(plane$colours)[plane$z], dim(plane$z))
  else colours_of(plane$z, plane$range, lighter(diverging))
  raster <- grDevices::as.raster(t(shade)[ncol(shade):1, ])
  graphics::rasterImage(raster, l[[1]][1], l[[2]][1], l[[1]][2], l[[2]][2], interpolate = FALSE)
  if (isTRUE(plane$line)) {
    graphics::contour(plane$x, plane$y, plane$z, levels = plane$level, drawlabels = FALSE, add = TRUE, col = "grey20",
      lwd = 1.5)
  }
  graphics::box(col = "grey60")
  for (side in 1:2) graphics::axis(side, col = "grey60")
  graphics::title(xlab = plane$names[1], ylab = plane$names[2])
  p <- plane$points
  inside <- if (is.null(p$class)) "black" else plane$colours[as.integer(p$class)]
  if (!is.null(p)) graphics::points(p$x, p$y, pch = 21, col = "white", bg = inside, cex = 1.2)
  if (is.null(plane$level) || !is.null(p$class)) draw_class_legend(plane$colours)
  if (!is.null(plane$level)) {
    inch <- diff(l[[1]]) / graphics::par("pin")[1]
    draw_key(l[[1]][2] + inch * c(0.15, 0.3), l[[2]][1] + c(0.02, 0.45) * diff(l[[2]]), plane$range, lighter(diverging))
  }
}
