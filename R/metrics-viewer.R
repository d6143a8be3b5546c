# A page with a chart of each metric, for RStudio's Viewer pane. The page is one file without scripts, written anew
# after an epoch; it loads itself again every second until training ends.

#' Should there be such a page? `view_metrics` is TRUE, FALSE or "auto": where RStudio shows pages to somebody, and
#' there is more than an epoch to draw.
#' @noRd
resolve_view_metrics <- function(view_metrics = getOption("keras.view_metrics", "auto"), epochs = 2, verbose = 1,
  fun = calling_function()) {
  if (!identical(view_metrics, "auto")) return(check_flag(view_metrics, fun = fun))
  interactive() && Sys.getenv("RSTUDIO") == "1" && is.function(getOption("viewer")) && epochs > 1 && verbose > 0
}

#' `$update(metrics)` with the metrics of all epochs so far, as a history has them; `$done(metrics)` at the end.
#' `epochs` are those planned. `viewer` is called once, with the file's name. The file is written at most once a second.
#' @noRd
metrics_viewer <- function(epochs, viewer = getOption("viewer", utils::browseURL), initial_epoch = 0,
  folder = tempfile("metrics-"),
                           clock = function() proc.time()[["elapsed"]]) {
  path <- file.path(folder, "index.html")
  written <- -Inf
  opened <- FALSE
  put <- function(metrics, running) {
    dir.create(folder, showWarnings = FALSE)
    history <- new_history(list(epochs = epochs, initial_epoch = initial_epoch), metrics)
    replace_file(path, list(charToRaw(enc2utf8(metrics_page(history, running)))), fun = "metrics_viewer")
    written <<- clock()
    if (!opened) viewer(path)
    opened <<- TRUE
  }
  list(
    path = path,
    update = function(metrics) if (clock() - written >= 1) put(metrics, running = TRUE),
    done = function(metrics) put(metrics, running = FALSE)
  )
}

metrics_page <- function(history, running) {
  data <- as.data.frame(history)
  data$value[!is.finite(data$value)] <- NA
  done <- epochs_run(history) + if (is.null(history$params$initial_epoch)) 0 else history$params$initial_epoch
  title <- sprintf("Epoch %.0f of %.0f", done, history$params$epochs)
  keys <- sprintf("<span style=\"color:%s\">&#9679;</span> %s", data_colours, names(data_colours))
  if (!any(data$data == "validation")) keys <- NULL
  paste0(
    "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>", title, "</title>\n",
    if (running) "<meta http-equiv=\"refresh\" content=\"1\">\n",
    "<style>body{font:14px sans-serif;color:#222;background:#fff;margin:12px}h1{font-size:15px;margin:0 0 4px}",
    "p{margin:0 0 8px;color:#555}svg{display:block;width:100%;max-width:720px;margin-bottom:10px}",
    "svg text{font:11px sans-serif;fill:#555}svg .name{font-size:13px;fill:#222}</style></head><body>\n",
    "<h1>", title, if (!running) ", finished", "</h1>\n", if (length(keys))
    paste0("<p>", paste(keys, collapse = " &nbsp; "), "</p>\n"),
    paste(vapply(levels(data$metric), function(metric) metric_chart(data[data$metric == metric, ], metric), ""),
      collapse = "\n"),
    "\n</body></html>\n"
  )
}

escape_html <- function(text) gsub("<", "&lt;", gsub("&", "&amp;", text, fixed = TRUE), fixed = TRUE)

#' One panel as SVG, 480 wide and 190 high.
#' @noRd
metric_chart <- function(data, metric) {
  left <- 52
  right <- 470
  top <- 22
  bottom <- 165
  range <- panel_range(data)
  x <- range$x
  y <- range$y + c(-1, 1) * 0.05 * diff(range$y)
  at_x <- function(v) round(left + 8 + (v - x[1]) / diff(x) * (right - left - 16), 1)
  at_y <- function(v) round(bottom - (v - y[1]) / diff(y) * (bottom - top), 1)
  ticks <- pretty(y, 4)
  ticks <- ticks[ticks >= y[1] & ticks <= y[2]]
  marks <- whole_breaks(range(data$epoch))
  last <- data[!is.na(data$value), ]
  last <- vapply(split(last$value, droplevels(last$data)), function(v) format_metric(utils::tail(v, 1)), "")
  lines <- vapply(names(data_colours), function(kind) {
    series <- data[data$data == kind & !is.na(data$value), ]
    if (!nrow(series)) return("")
    points <- paste(at_x(series$epoch), at_y(series$value), sep = ",", collapse = " ")
    radius <- if (nrow(series) > 60) 1.2 else 2.6
    circles <- paste0("<circle cx=\"", at_x(series$epoch), "\" cy=\"", at_y(series$value), "\" r=\"", radius, "\"/>",
      collapse = "")
    paste0("<g stroke=\"none\" fill=\"", data_colours[[kind]], "\">", circles,
      "<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"", data_colours[[kind]], "\" points=\"", points,
      "\"/></g>")
  }, "")
  paste0(
    "<svg viewBox=\"0 0 480 190\" xmlns=\"http://www.w3.org/2000/svg\">",
    "<text class=\"name\" x=\"", left, "\" y=\"14\">", escape_html(metric), "</text>",
    "<text x=\"", right, "\" y=\"14\" text-anchor=\"end\">", paste0(names(last), " ", last, collapse = ", "), "</text>",
    paste0("<line x1=\"", left, "\" x2=\"", right, "\" y1=\"", at_y(ticks), "\" y2=\"", at_y(ticks),
      "\" stroke=\"#e5e5e5\"/>", "<text x=\"", left - 6, "\" y=\"", at_y(ticks) + 4, "\" text-anchor=\"end\">",
      format(ticks), "</text>", collapse = ""),
    paste0("<text x=\"", at_x(marks), "\" y=\"", bottom + 16, "\" text-anchor=\"middle\">", marks, "</text>",
      collapse = ""),
    "<rect x=\"", left, "\" y=\"", top, "\" width=\"", right - left, "\" height=\"", bottom - top,
    "\" fill=\"none\" stroke=\"#bbb\"/>", paste(lines, collapse = ""), "</svg>"
  )
}
