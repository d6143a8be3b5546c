# What `fit()` returns: the metrics of each epoch, as a plain list that can be printed, plotted and saved.

#' Training history
#'
#' `fit()` returns the loss and the metrics of each epoch: a list of `params` (`epochs`, `steps`, `batch_size`,
#' `samples` and the like, as far as known) and `metrics` (numbers by name, first `loss`, then metrics, then those of
#' validation, whose names begin with `val_`). It is plain data: `tail(history$metrics$val_loss, 1)` is the last
#' validation loss. As in Python, `history$history` are the metrics, and `history$epoch` the epochs, counted from 0.
#'
#' `plot()` draws a panel for each metric over the epochs, training and validation in two colours. From 10 epochs on a
#' smooth curve (loess) shows the trend; with fewer, lines join the points. With \pkg{ggplot2} it returns the plot,
#' which prints itself at the console, but in loops and functions needs [print()]; base graphics draw at once.
#'
#' @param x a history.
#' @param y,... ignored.
#' @param metrics names of the metrics to draw, without `val_`; `NULL` for all.
#' @param method `"ggplot2"`, `"base"`, or `"auto"`: the first if that package is installed.
#' @param smooth draw smooth curves, given 10 epochs or more?
#' @param theme_bw use ggplot2's black and white theme?
#' @param row.names,optional ignored; present for compatibility with the generic.
#' @return `as.data.frame()`: columns `epoch`, `value`, `metric` (a factor in the order of the history) and `data` (a
#'   factor, training or validation), with `NA` for epochs that were planned but not run. `plot()`: a ggplot, or with
#'   base graphics `x`, invisibly.
#' @section Errors: `nativenet_error_value` for metrics that are not there.
#' @references Cleveland (1979), loess, \doi{10.1080/01621459.1979.10481038}.
#' @seealso [fit()][fit.nn_model]; `vignette("models")`.
#' @examples
#' history <- structure(class = c("nn_history", "keras_training_history"), list(
#'   params = list(epochs = 4, samples = 1000, batch_size = 32),
#'   metrics = list(loss = c(0.7, 0.5, 0.4, 0.35), val_loss = c(0.6, 0.5, 0.45, 0.44))
#' ))
#' history
#' head(as.data.frame(history))
#' plot(history, method = "base")
#' @name plot.nn_history
NULL

new_history <- function(params, metrics) {
  structure(list(params = params, metrics = metrics), class = c("nn_history", "keras_training_history"))
}

#' @export
`$.nn_history` <- function(x, name) {
  parts <- unclass(x)
  if (name %in% names(parts)) return(parts[[name]])
  if (name == "history") return(parts$metrics)
  if (name == "epoch") return(seq_len(epochs_run(x)) - 1L)
  abort("a history has no member `$", name, "`, but `$params`, `$epoch` and `$metrics`",
    some_names(", a list of ", names(parts$metrics)), class = "member", fun = NULL)
}

epochs_run <- function(history) max(0L, lengths(history$metrics))

#' The metrics with those of one more epoch; NA in epochs that have none, as callbacks need not give one each time.
#' @noRd
with_logs <- function(history, logs) {
  done <- epochs_run(history)
  names <- union(names(history$metrics), names(logs))
  of <- function(name) {
    before <- history$metrics[[name]]
    c(before, rep(NA_real_, done - length(before)), if (is.null(logs[[name]])) NA_real_ else logs[[name]])
  }
  stats::setNames(lapply(names, of), names)
}

#' @export
print.nn_history <- function(x, ...) {
  n <- epochs_run(x)
  params <- x$params
  if (!is.null(params$samples)) {
    facts <- c(if (!is.null(params$batch_size)) paste0("batch_size=", params$batch_size), if (!is.null(params$epochs))
      paste0("epochs=", params$epochs))
    cat("Trained on ", format(params$samples, big.mark = ",", scientific = FALSE), " samples",
      if (length(facts)) paste0(" (", paste(facts, collapse = ", "), ")"), "\n", sep = "")
  }
  if (n == 0) cat("No epoch was finished.\n")
  else {
    last <- vapply(x$metrics, function(values) as.double(utils::tail(values, 1)), 0)
    cat("Final epoch (plot to see history):\n")
    cat(paste0(formatC(names(last), width = max(nchar(names(last)))), ": ",
      vapply(signif(last, 4), format, "", digits = 4), "\n"), sep = "")
  }
  invisible(x)
}

#' @rdname plot.nn_history
#' @export
as.data.frame.nn_history <- function(x, row.names = NULL, optional = FALSE, ...) {
  check_flag(optional, fun = "as.data.frame")
  if (!is.null(row.names)) check_strings(row.names, fun = "as.data.frame")
  first <- if (is.null(x$params$initial_epoch)) 0L else as.integer(x$params$initial_epoch)
  epoch <- first + seq_len(max(epochs_run(x), as.integer(x$params$epochs) - first))
  names <- names(x$metrics)
  rows <- length(epoch)
  frame <- data.frame(
    epoch = rep(epoch, length(names)),
    value = as.double(unlist(lapply(x$metrics, function(values) as.double(values)[seq_len(rows)]), use.names = FALSE)),
    metric = factor(rep(base_name(names), each = rows), unique(base_name(names))),
    data = factor(rep(c("training", "validation")[1 + is_validation(names)], each = rows), c("training", "validation"))
  )
  if (is.null(row.names)) return(frame)
  if (length(row.names) != nrow(frame) || anyDuplicated(row.names)) {
    abort("`row.names` must be ", nrow(frame), " different names, not ", describe(row.names), fun = "as.data.frame")
  }
  `rownames<-`(frame, row.names)
}

is_validation <- function(names) startsWith(as.character(names), "val_")

base_name <- function(names) sub("^val_", "", names)

#' @rdname plot.nn_history
#' @export
plot.nn_history <- function(x, y, metrics = NULL, method = c("auto", "ggplot2", "base"),
  smooth = getOption("keras.plot.history.smooth", TRUE),
                            theme_bw = getOption("keras.plot.history.theme_bw", FALSE), ...) {
  method <- plot_method(method, fun = "plot")
  check_no_more(if (!missing(y)) list(y = y), "plot")
  data <- as.data.frame(x)
  data$value[!is.finite(data$value)] <- NA
  known <- levels(data$metric)
  for (name in metrics) check_choice(name, known, arg = "metrics", fun = "plot")
  if (length(metrics)) {
    data <- data[data$metric %in% metrics, ]
    data$metric <- factor(data$metric, unique(metrics))
  }
  if (!nrow(data)) abort("the history holds no epoch", fun = "plot")
  # loess needs some points
  smooth <- check_flag(smooth, fun = "plot") && epochs_run(x) >= 10
  if (method == "ggplot2") return(ggplot_history(data, smooth, check_flag(theme_bw, fun = "plot")))
  draw_history(data, smooth)
  invisible(x)
}

whole_breaks <- function(limits) {
  breaks <- pretty(limits, 8)
  breaks[breaks == round(breaks) & breaks >= limits[1] & breaks <= limits[2]]
}

ggplot_history <- function(data, smooth, theme_bw) {
  .data <- ggplot2::.data
  data$data <- droplevels(data$data)
  layout <- ggplot2::theme(axis.title.y = ggplot2::element_blank(), strip.placement = "outside",
    strip.background = ggplot2::element_blank(), strip.text = ggplot2::element_text(size = 11, colour = "black"),
    panel.grid.minor.x = ggplot2::element_blank(), legend.key = ggplot2::element_blank(),
    legend.position = if (nlevels(data$data) > 1) "top" else "none", legend.justification = "left")
  plot <- ggplot2::ggplot(data, ggplot2::aes(.data[["epoch"]], .data[["value"]], colour = .data[["data"]]))
  line <- function(data) if (diff(range(data$epoch)) > 0) ggplot2::geom_line(data = data, na.rm = TRUE, alpha = 0.4)
  steps <- data$metric == "lr"
  curve <- if (!smooth) line(data)
  else list(ggplot2::geom_smooth(data = data[!steps, ], method = "loess", formula = y ~ x, se = FALSE, na.rm = TRUE),
    if (any(steps)) line(data[steps, ]))
  plot + curve + ggplot2::geom_point(na.rm = TRUE, size = if (nrow(data) > 200) 1 else 2, alpha = if (smooth)
    0.5 else 1) +
    ggplot2::facet_grid(metric ~ ., switch = "y", scales = "free_y") +
    ggplot2::scale_x_continuous(breaks = whole_breaks(range(data$epoch))) +
    ggplot2::scale_colour_manual(values = data_colours) +
    ggplot2::labs(x = "epoch", colour = NULL) +
    (if (theme_bw) ggplot2::theme_bw()) + layout
}

# ---- base graphics ----

draw_history <- function(data, smooth) {
  metrics <- levels(data$metric)
  n <- length(metrics)
  # panels of one height: the outer margins, not the panels', hold the axis of epochs
  old <- set_par(mfrow = c(n, 1), mar = c(0.5, 4.5, 1.4, 0.8), oma = c(3.2, 0, 0.4, 0), mgp = c(2.8, 0.6, 0), las = 1,
    tcl = -0.3, cex = if (n > 3) 0.75 else 0.9)
  on.exit(graphics::par(old))
  for (metric in metrics) draw_panel(data[data$metric == metric, ], metric, smooth, last = metric == metrics[n])
}

#' Of epochs and values, neither of them of no width.
#' @noRd
panel_range <- function(data) {
  x <- range(data$epoch)
  y <- if (all(is.na(data$value))) c(0, 1) else range(data$value, na.rm = TRUE)
  list(x = if (diff(x) == 0) x + c(-0.5, 0.5) else x, y = if (diff(y) == 0) y + c(-1, 1) * max(abs(y), 1e-8) /
    10 else y)
}

draw_panel <- function(data, metric, smooth, last) {
  smooth <- smooth && metric != "lr" # a learning rate moves in steps
  range <- panel_range(data)
  graphics::plot(NA, xlim = range$x, ylim = range$y, lab = c(5, 4, 7), xlab = "", ylab = metric, axes = FALSE)
  marks <- whole_breaks(range(data$epoch))
  graphics::abline(v = marks, h = graphics::axTicks(2), col = "grey92")
  graphics::box(col = "grey60")
  graphics::axis(2, col = "grey60")
  graphics::axis(1, at = marks, labels = if (last) marks else FALSE, col = "grey60")
  if (last) graphics::mtext("epoch", side = 1, line = 2.2, cex = graphics::par("cex"))
  shown <- character()
  for (kind in levels(data$data)) {
    series <- data[data$data == kind & !is.na(data$value), ]
    if (!nrow(series)) next
    shown <- c(shown, kind)
    colour <- data_colours[[kind]]
    pch <- c(training = 1, validation = 4)[[kind]]
    if (!smooth) graphics::lines(series$epoch, series$value, col = grDevices::adjustcolor(colour, 0.4))
    graphics::points(series$epoch, series$value, pch = pch, col = colour, lwd = 1.5)
    if (smooth && nrow(series) >= 10) graphics::lines(loess_curve(series), col = colour, lwd = 2)
  }
  if (length(shown) > 1) {
    # above the panel, where no point is hidden
    corner <- graphics::par("usr")[c(2, 4)]
    graphics::legend(corner[1], corner[2], paste0(c("", "val_"), metric), pch = c(1, 4), col = data_colours, bty = "n",
      horiz = TRUE, xpd = NA, xjust = 1, yjust = 0.15, cex = 0.9, pt.lwd = 1.5)
  }
}

loess_curve <- function(series) {
  at <- seq(min(series$epoch), max(series$epoch), length.out = 100)
  fit <- suppressWarnings(stats::loess(value ~ epoch, series))
  list(x = at, y = stats::predict(fit, data.frame(epoch = at)))
}

#' @export
in_words.nn_history <- function(x) "a history, which `fit()` returned; the model is what it was called with"
