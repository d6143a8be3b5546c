#' Plot the weights of a layer
#'
#' The incoming weights of each unit, on one scale for all: blue below 0, white at 0, vermilion above. Where the inputs
#' are an image, the weights of a unit are one too, and it shows what the unit looks for. Otherwise a table of colours,
#' inputs down and units across, with the numbers in it if there is room.
#'
#' The inputs are taken for an image if `dims` says so, or if their number is a square and at least 16. Pixels come in
#' the order in which the network read them: column by column (`byrow = FALSE`) after `matrix(images, n)`, row by row
#' (`byrow = TRUE`) after [array_reshape()] or `layer_flatten()`. With the wrong one, images are mirrored on the
#' diagonal.
#'
#' The filters of a convolution over pictures are images, one for each channel of the input and each filter; "2>5" is
#' what filter 5 looks for in channel 2.
#'
#' @param x a [dense_neural_network][build_dense_neural_network], a model or a layer, or a matrix (inputs, units).
#' @param layer which layer, of those that have a matrix of weights: its number (negative: from the end), or its name in
#'   a model.
#' @param units numbers of the units to draw; `NULL` for all, but at most the first 100 images.
#' @param dims rows and columns of the inputs seen as an image; `NA` if they are none, although their number is a
#'   square.
#' @param byrow do the inputs go through the image row by row?
#' @param nrow rows of the grid of images.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics the matrix of weights, invisibly.
#' @section Errors: `nativenet_error_value` if there are no weights, or they hold no finite number;
#'   `nativenet_error_index` for units that are not there; `nativenet_error_shape` if `dims` do not fit.
#' @seealso [plot_network()], [plot_images()]; [build_dense_neural_network()], [layer_dense()];
#'   `vignette("lab-denoising")`.
#' @examples
#' digits <- dataset_digits(500)
#' model <- keras_model_sequential(input_shape = 784) |>
#'   layer_dense(6, activation = "relu") |>
#'   layer_dense(10, activation = "softmax")
#' x <- array_reshape(digits$train$x / 255, c(500, 784))
#' compile(model, optimizer = "adam", loss = "sparse_categorical_crossentropy")
#' fit(model, x, digits$train$y, epochs = 3, verbose = 0)
#' plot_weights(model, byrow = TRUE)
#' plot_weights(model, layer = 2)
#' @export
plot_weights <- function(x, layer = 1, units = NULL, dims = NULL, byrow = FALSE, nrow = NULL, method = "auto") {
  method <- plot_method(method)
  check_flag(byrow)
  if (!is.null(nrow)) nrow <- check_count(nrow) # before it is called as a function
  layers <- weight_layers(x, "plot_weights", filters = TRUE)
  chosen <- layers[[layer_at(layer, vapply(layers, `[[`, "", "name"), "layer", "plot_weights")]]
  w <- chosen$weights
  if (is.null(dims)) dims <- chosen$dims
  if (!any(is.finite(w))) abort("the weights of shape ", format_shape(dim(w)), " hold no finite number", class = "nan")
  as_image <- if (is.null(dims)) nrow(w) >= 16 && sqrt(nrow(w)) %% 1 == 0 else !is_open_size(dims)
  numbers <- if (is.null(units)) seq_len(if (as_image) min(ncol(w), 100) else ncol(w)) else check_units(units, ncol(w))
  names <- if (is.null(colnames(w))) as.character(numbers) else colnames(w)[numbers]
  w <- w[, numbers, drop = FALSE]
  limits <- symmetric_limits(w)
  if (!as_image) {
    if (method == "ggplot2") return(ggplot_table(w, names, limits))
    draw_table(w, names, limits)
    return(invisible(w))
  }
  if (!is.null(dims)) dims <- check_whole(dims, min = 1)
  if (!is.null(dims) && (length(dims) != 2 || prod(dims) != nrow(w))) {
    abort("`dims` must be the rows and columns of an image of the ", nrow(w), " inputs, not ",
      paste(dims, collapse = " x "), class = "shape")
  }
  images <- as_images(t(w), dims, byrow, "plot_weights")
  drawn <- draw_on_one_scale(images, names, nrow, "weight", method, limits)
  if (method == "ggplot2") drawn else invisible(w)
}

#' A grid of matrices, blue below 0 and vermilion above: a ggplot, or drawn.
#' @param what the numbers are.
#' @noRd
draw_on_one_scale <- function(images, names, nrow, what, method, limits = symmetric_limits(unlist(images))) {
  rows <- split_rows(images, if (is.null(nrow)) max(1, round(sqrt(length(images) / 2))) else nrow)
  titles <- if (length(images) <= 40) names
  if (method == "ggplot2") {
    frame <- ggplot2::theme(panel.border = ggplot2::element_rect(fill = NA, colour = "grey80"))
    return(ggplot_images(rows, titles, NULL) + colour_scale(limits, what) + frame)
  }
  draw_images(lapply(rows, lapply, colours_of, limits, diverging), titles, NULL,
    key = list(limits = limits, colours = diverging))
}

check_units <- function(units, n, fun = "plot_weights", arg = "units") {
  units <- plain_numbers(units, arg, fun)
  if (!are_numbers(units) || !length(units) || !all(units %in% seq_len(n)) || anyDuplicated(units)) {
    bad <- if (are_numbers(units)) units[!units %in% seq_len(n)]
    abort("`", arg, "` must be different numbers of ", arg, ", 1 .. ", n, ", not ",
      describe(if (length(bad)) bad[1] else units), class = "index", fun = fun)
  }
  units
}

#' The layers with a matrix of weights: `name`, `weights` (inputs, units), `biases` (or NULL), `activation` (its name,
#' or NULL), `kind`.
#' @noRd
weight_layers <- function(x, fun, filters = FALSE) {
  layers <- if (is.matrix(x) && is.numeric(x)) list(list(name = "weights", weights = x))
  else if (is_layer(x)) {
    built_weights(x, fun)
    layers <- flat_layers(layer_self(x))
    if (filters) layers <- lapply(layers, filters_as_units)
    Filter(function(l) !is.null(l$weights), layers)
  } else if (is(x, "envRefClass") && "weights" %in% names(x$getRefClass()$fields())) {
    fields <- names(x$getRefClass()$fields())
    part <- function(name, l) if (name %in% fields) x$field(name)[[l]]
    lapply(seq_along(x$weights), function(l) list(
      name = paste("layer", l), weights = x$weights[[l]], biases = part("biases", l),
      activation = class(part("activations", l))[1], kind = "dense"
    ))
  } else abort("`x` must be a network, a model or a matrix of weights (inputs, units), not ", describe(x), fun = fun)
  if (!length(layers)) abort("`x` has no layer with a matrix of weights", fun = fun)
  for (l in layers) {
    w <- l$weights
    if (!is.matrix(w) || !length(w)) abort("the weights of `", l$name, "` must be a matrix (inputs, units), not ",
      describe(w), fun = fun)
  }
  layers
}

#' All layers of a model and of models in it, one after the other; those without a matrix have no `weights`.
#' @noRd
flat_layers <- function(self) {
  if (length(self$layers)) return(unlist(lapply(self$layers, function(l) flat_layers(layer_self(l))), FALSE))
  parameters <- lapply(self$weights, as.array)
  tied <- self$kind == "tied_dense"
  first <- if (length(parameters)) parameters[[1]]
  kernel <- if (tied) t(as.array(owners_kernel(self))) else if (length(dim(first)) == 2) first
  bias <- if (tied) parameters else if (self$kind == "dense") parameters[-1]
  of <- self$config$activation
  list(list(
    name = self$name, kind = self$kind, weights = kernel, filters = if (grepl("conv_2d", self$kind)) first,
    biases = if (length(bias)) bias[[1]],
    activation = if (!is.null(of)) part_name(of) else if (startsWith(self$kind, "activation_"))
    sub("^activation_", "", self$kind)
  ))
}

#' The filters of a convolution over pictures, each a unit for one channel of the input.
#' @noRd
filters_as_units <- function(l) {
  d <- dim(l$filters) # rows, columns, channels, filters
  if (is.null(d)) return(l)
  names <- if (d[3] == 1) seq_len(d[4]) else paste(rep(seq_len(d[3]), d[4]), rep(seq_len(d[4]), each = d[3]), sep = ">")
  l$weights <- matrix(l$filters, d[1] * d[2], dimnames = list(NULL, names))
  l$dims <- d[1:2]
  l
}

# ---- drawing ----

colour_scale <- function(limits, what) {
  bar <- ggplot2::guide_colourbar(barheight = ggplot2::unit(90, "pt"), barwidth = ggplot2::unit(9, "pt"))
  ggplot2::scale_fill_gradientn(colours = diverging, limits = limits, name = what, guide = bar)
}

#' Numbers fit into tables of this size.
#' @noRd
has_numbers <- function(w) nrow(w) <= 16 && ncol(w) <= 10

table_ticks <- function(n) seq(1, n, by = ceiling(n / 20))

row_labels <- function(w) if (is.null(rownames(w))) as.character(seq_len(nrow(w))) else rownames(w)

ggplot_table <- function(w, names, limits) {
  .data <- ggplot2::.data
  cells <- data.frame(unit = as.vector(col(w)), input = as.vector(row(w)), weight = as.vector(w))
  across <- table_ticks(ncol(w))
  down <- table_ticks(nrow(w))
  numbers <- if (has_numbers(w)) ggplot2::geom_text(ggplot2::aes(label = formatC(.data[["weight"]], digits = 2,
    format = "f")), size = 3.5)
  fill <- ggplot2::aes(fill = .data[["weight"]])
  ggplot2::ggplot(cells, ggplot2::aes(.data[["unit"]], .data[["input"]])) +
    (if (has_numbers(w)) ggplot2::geom_tile(fill, colour = "grey85") else ggplot2::geom_raster(fill)) +
    numbers + colour_scale(limits, "weight") +
    ggplot2::scale_x_continuous(breaks = across, labels = names[across], expand = c(0, 0)) +
    ggplot2::scale_y_reverse(breaks = down, labels = row_labels(w)[down], expand = c(0, 0)) +
    ggplot2::labs(x = "unit", y = "input") + ggplot2::theme(panel.grid = ggplot2::element_blank())
}

draw_table <- function(w, names, limits) {
  old <- graphics::par(mar = c(3, 3.6, 0.6, 5), mgp = c(1.9, 0.4, 0), las = 1, tcl = -0.2)
  on.exit(graphics::par(old))
  n <- dim(w)
  graphics::plot.new()
  graphics::plot.window(c(0.5, n[2] + 0.5), c(n[1] + 0.5, 0.5), xaxs = "i", yaxs = "i")
  graphics::rasterImage(grDevices::as.raster(colours_of(w, limits, diverging)), 0.5, n[1] + 0.5, n[2] + 0.5, 0.5,
    interpolate = FALSE)
  graphics::box(col = "grey60")
  for (side in 1:2) {
    text <- if (side == 1) names else row_labels(w)
    shown <- table_ticks(length(text))
    graphics::axis(side, shown, text[shown], col = "grey60")
  }
  graphics::title(xlab = "unit", ylab = "input")
  if (has_numbers(w)) graphics::text(col(w), row(w), formatC(w, digits = 2, format = "f"), cex = 0.85)
  inch <- diff(graphics::par("usr")[1:2]) / graphics::par("pin")[1]
  right <- graphics::par("usr")[2]
  draw_key(right + inch * c(0.15, 0.3), c(n[1] * 0.85, n[1] * 0.15) + 0.5, limits, diverging)
}
