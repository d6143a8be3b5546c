#' Plot the architecture and weights of a small network
#'
#' A circle for each unit, a column for each layer, inputs at the left. Lines are weights: vermilion above 0, blue
#' below, thick if they are large. Where there is room, the weights are written on the lines and the biases in the
#' circles. The activations stand above their layers.
#'
#' @param x a [dense_neural_network][build_dense_neural_network], a model of dense layers in a row, or one matrix of
#'   weights (inputs, units).
#' @param inputs,outputs names of the inputs and outputs. By default the row names of the first weights, or `x1`, `x2`,
#'   ... if there are few; outputs have none.
#' @param digits decimals of weights and biases.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics `x`, invisibly.
#' @section Errors: `nativenet_error_value` for networks of other layers, or with more than 40 units in a layer;
#'   `nativenet_error_shape` if layers do not follow one another; `nativenet_error_nan` for weights that are not finite.
#' @seealso [plot_decision()], [plot_weights()]; [build_dense_neural_network()]; `vignette("lab-backpropagation")`.
#' @examples
#' set.seed(1)
#' network <- build_dense_neural_network(2, list(3, htan(), 1, sigmoid()),
#'   loss = binary_crossentropy(), optimizer = gradient_descent_optimizer(learning_rate = 1)
#' )
#' plot_network(network, outputs = "p")
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_dense(8, activation = "relu") |>
#'   layer_dense(3, activation = "softmax")
#' plot_network(model, inputs = names(iris)[1:4], outputs = levels(iris$Species))
#' @export
plot_network <- function(x, inputs = NULL, outputs = NULL, digits = 2, method = "auto") {
  method <- plot_method(method)
  digits <- check_count(digits, min = 0, max = 10)
  layers <- dense_chain(x)
  sizes <- c(nrow(layers[[1]]$weights), vapply(layers, function(l) ncol(l$weights), 0L))
  if (is.null(inputs)) inputs <- rownames(layers[[1]]$weights)
  picture <- network_picture(layers, sizes, digits)
  picture$inputs <- if (!is.null(inputs)) check_captions(inputs, sizes[1]) else if (sizes[1] <= 25)
    paste0("x", seq_len(sizes[1]))
  picture$outputs <- if (!is.null(outputs)) check_captions(outputs, sizes[length(sizes)])
  if (method == "ggplot2") return(ggplot_network(picture))
  draw_network(picture)
  invisible(x)
}

#' The dense layers of x, each of which reads the one before. Layers without weights between them do not change what is
#' drawn.
#' @noRd
dense_chain <- function(x, fun = "plot_network") {
  all <- if (is_layer(x)) {
    built_weights(x, fun)
    flat_layers(layer_self(x))
  } else weight_layers(x, fun)
  layers <- list()
  for (l in all) {
    if (is.null(l$kind) || l$kind %in% c("dense", "tied_dense")) layers <- c(layers, list(l))
    else if (startsWith(l$kind, "activation") && length(layers)) layers[[length(layers)]]$activation <- l$activation
    else if (!l$kind %in% c("input", "flatten", "reshape", "dropout", "gaussian_noise", "gaussian_dropout")) {
      abort("only dense layers in a row can be drawn, but `", l$name, "` is of another kind", fun = fun)
    }
  }
  if (!length(layers)) abort("`x` has no dense layer", fun = fun)
  for (i in seq_along(layers)) {
    l <- layers[[i]]
    if (max(dim(l$weights)) > 40) {
      abort("the network is too big to draw: `", l$name, "` has ", nrow(l$weights), " inputs and ", ncol(l$weights),
        " units, but 40 are the limit; `plot_weights()` draws layers of any size", fun = fun)
    }
    if (!all(is.finite(c(l$weights, l$biases)))) abort("the weights of `", l$name, "` are not all finite numbers",
      class = "nan", fun = fun)
    if (i > 1 && nrow(l$weights) != ncol(layers[[i - 1]]$weights)) {
      abort("`", l$name, "` with ", nrow(l$weights), " inputs does not follow `", layers[[i - 1]]$name, "` with ",
        ncol(layers[[i - 1]]$weights), " units", class = "shape", fun = fun)
    }
  }
  layers
}

# ---- where things are: columns are 1 apart, and all units lie between -0.5 and 0.5 ----

network_picture <- function(layers, sizes, digits) {
  tallest <- max(sizes)
  # small layers are spread out a little
  step <- 0.86 / max(tallest - 1, 1.5)
  heights <- lapply(sizes, function(n) -(seq_len(n) - (n + 1) / 2) * sqrt(max(tallest - 1, 1) / max(n - 1, 1)) * step)
  number <- function(x) formatC(as.vector(x), digits = digits, format = "f")
  largest <- max(vapply(layers, function(l) max(abs(l$weights)), 0), .Machine$double.xmin)
  edges <- do.call(rbind, lapply(seq_along(layers), function(k) {
    w <- layers[[k]]$weights
    from <- heights[[k]][row(w)]
    to <- heights[[k + 1]][col(w)]
    t <- label_place(from, to, margin = min(0.08 * length(layers), 0.45))
    data.frame(
      x = k - 1, y = from, to_x = k, to_y = to, sign = factor(ifelse(w < 0, "below 0", "above 0"),
        c("below 0", "above 0")),
      share = as.vector(abs(w)) / largest, label_x = k - 1 + t, label_y = (1 - t) * from + t * to, label = if (is.na(t))
      NA else number(w)
    )
  }))
  biases <- lapply(seq_along(layers), function(k) if (length(layers[[k]]$biases)) number(layers[[k]]$biases) else
    rep("", sizes[k + 1]))
  units <- data.frame(x = rep(seq_along(sizes) - 1, sizes), y = unlist(heights),
    bias = c(rep("", sizes[1]), unlist(biases)))
  names <- vapply(layers, function(l) if (length(l$activation)) l$activation else "", "")
  list(edges = edges, units = units, columns = data.frame(x = seq_along(sizes) - 1, name = c("inputs", names)),
    has_biases = tallest <= 7 && any(nzchar(units$bias)),
    diameter = min(0.14, 0.75 * step), # as a share of the height
    thickest = min(1, 8 / tallest))
}

#' How far along the lines to write, so that the numbers, one below the other, are far enough apart; NA where
#' they would touch. None comes nearer to a unit than `margin`.
#' @noRd
label_place <- function(from, to, margin, needed = 0.043, enough = 0.16) {
  places <- seq(margin, 1 - margin, length.out = 41)
  places <- places[order(abs(places - 0.5))]
  gaps <- vapply(places, function(t) min(diff(sort((1 - t) * from + t * to)), enough), 0)
  if (max(gaps) < needed) NA_real_ else places[which(gaps > max(gaps) - 1e-6)[1]]
}

# ---- drawing ----

ggplot_network <- function(picture) {
  .data <- ggplot2::.data
  place <- function(...) ggplot2::aes(.data[["x"]], .data[["y"]], ...)
  mm <- picture$diameter * 75
  edges <- picture$edges
  written <- edges[!is.na(edges$label), ]
  # without a border, which has another name from ggplot2 4.0 on
  border <- if ("border.colour" %in% names(formals(ggplot2::geom_label))) "linewidth" else "label.size"
  boxes <- list(ggplot2::aes(.data[["label_x"]], .data[["label_y"]], label = .data[["label"]]), written, size = 2.9,
    label.padding = ggplot2::unit(1, "pt"), label.r = ggplot2::unit(0, "pt"))
  boxes[[border]] <- 0
  columns <- max(picture$columns$x)
  beside <- function(names, at, hjust, nudge) if (length(names)) {
    text <- data.frame(x = at, y = picture$units$y[picture$units$x == at], name = names)
    ggplot2::geom_text(place(label = .data[["name"]]), text, size = max(1.8, min(3.6, 75 / length(names))),
      hjust = hjust, nudge_x = nudge)
  }
  reach <- 0.06 * columns # from the middle of a circle to the name beside it
  room <- function(names) if (length(names)) reach + 0.019 * columns * max(nchar(names)) else reach
  ggplot2::ggplot(edges, place()) +
    ggplot2::geom_segment(ggplot2::aes(xend = .data[["to_x"]], yend = .data[["to_y"]], colour = .data[["sign"]],
      linewidth = 0.2 + 2 * picture$thickest * .data[["share"]]), alpha = 0.75) +
    ggplot2::scale_linewidth_identity() +
    ggplot2::scale_colour_manual(values = diverging[c(1, 3)], name = "weight", drop = FALSE) +
    (if (nrow(written)) do.call(ggplot2::geom_label, boxes)) +
    ggplot2::geom_point(data = picture$units, shape = 21, size = mm, fill = "grey96", colour = "grey30") +
    (if (picture$has_biases) ggplot2::geom_text(place(label = .data[["bias"]]), picture$units,
      size = min(2.9, 1.45 * mm / max(5, nchar(picture$units$bias))))) +
    ggplot2::geom_text(ggplot2::aes(.data[["x"]], 0.56, label = .data[["name"]]), picture$columns, size = 4) +
    beside(picture$inputs, 0, 1, -reach) + beside(picture$outputs, columns, 0, reach) +
    ggplot2::coord_cartesian(xlim = c(-room(picture$inputs), columns + room(picture$outputs)), ylim = c(-0.5, 0.58),
      clip = "off") +
    ggplot2::labs(caption = if (picture$has_biases) "in the circles: biases") +
    ggplot2::theme_void() + ggplot2::theme(legend.position = "bottom", plot.margin = ggplot2::margin(4, 6, 4, 6))
}

draw_network <- function(picture) {
  old <- graphics::par(mar = c(1.6, 0.4, 0.4, 0.4), xpd = NA)
  on.exit(graphics::par(old))
  graphics::plot.new()
  columns <- max(picture$columns$x)
  inches <- graphics::par("pin")
  line <- graphics::par("cin")[2]
  # circles keep within their share of the height, also on flat devices
  radius <- min(picture$diameter * inches[2], 0.42) / 2
  wide <- function(names) if (length(names)) max(graphics::strwidth(names, units = "inches", cex = 0.9)) + 0.1 else 0
  heads <- graphics::strwidth(picture$columns$name, units = "inches") / 2
  left <- max(radius + wide(picture$inputs), heads[1])
  right <- max(radius + wide(picture$outputs), heads[length(heads)])
  unit <- columns / max(inches[1] - left - right, 0.1) # of x, per inch
  graphics::plot.window(c(-left * unit, columns + right * unit), c(-0.5, 0.5 + 1.2 * line / inches[2]), xaxs = "i",
    yaxs = "i")
  e <- picture$edges
  colours <- grDevices::adjustcolor(diverging[c(1, 3)], 0.75)
  graphics::segments(e$x, e$y, e$to_x, e$to_y, col = colours[as.integer(e$sign)], lwd = 0.5 + 5 * picture$thickest *
    e$share)
  written <- e[!is.na(e$label), ]
  if (nrow(written)) {
    half_width <- graphics::strwidth(written$label, cex = 0.75) / 2 + 0.02 * unit
    half_height <- graphics::strheight("0", cex = 0.75) * 0.8
    x <- written$label_x
    y <- written$label_y
    graphics::rect(x - half_width, y - half_height, x + half_width, y + half_height, col = "white", border = NA)
    graphics::text(x, y, written$label, cex = 0.75)
  }
  u <- picture$units
  graphics::symbols(u$x, u$y, circles = rep(radius * unit, nrow(u)), inches = radius, add = TRUE, bg = "grey96",
    fg = "grey30")
  if (picture$has_biases) graphics::text(u$x, u$y, u$bias,
    cex = min(0.75, 2 * radius / max(graphics::strwidth(paste0(u$bias, " "), units = "inches"))))
  graphics::text(picture$columns$x, 0.5 + 0.6 * line / inches[2], picture$columns$name)
  beside <- function(names, column, side) if (length(names)) {
    cex <- max(0.45, min(0.9, 18 / length(names)))
    graphics::text(column + side * (radius + 0.05) * unit, u$y[u$x == column], names, adj = c((1 - side) / 2, 0.5),
      cex = cex)
  }
  beside(picture$inputs, 0, -1)
  beside(picture$outputs, columns, 1)
  note <- paste0("weights: blue below 0, vermilion above", if (picture$has_biases) "; in the circles: biases")
  graphics::mtext(note, side = 1, line = 0.5, cex = 0.8 * graphics::par("cex"))
}
