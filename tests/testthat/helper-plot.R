# Draws on a device of its own; base graphics must leave its settings as they were. What withVisible() gives comes back.
draws <- function(expr) {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  settings <- c("mar", "oma", "mfrow", "pin", "plt", "xpd", "mgp", "las", "tcl", "cex", "pty")
  before <- graphics::par(no.readonly = TRUE)[settings]
  result <- withVisible(expr)
  if (inherits(result$value, "ggplot")) print(result$value)
  expect_equal(graphics::par(no.readonly = TRUE)[settings], before)
  result
}

# The data that each layer of a ggplot draws.
layers_of <- function(plot) ggplot2::ggplot_build(plot)$data
texts_of <- function(plot) unlist(lapply(layers_of(plot), function(d) as.character(d$label)))

ggplot_there <- function() skip_if_not_installed("ggplot2", "3.4.0")

# Those that can be had here.
both_methods <- function() unique(c("base", nativenet:::plot_method("auto")))
