# Coloured pictures without files or network: one figure of ten kinds on each, drawn here as the set of places where a
# distance is negative.

# Signed distances from the edge of each figure, about 1 in size, negative inside, from places (u, v) around its middle.
# Those of corners are not exact, which pictures of 32 pixels do not show.
shape_box <- function(u, v, a, b) pmax(abs(u) - a, abs(v) - b)
shape_distances <- list(
  disc = function(u, v) sqrt(u^2 + v^2) - 0.9,
  ring = function(u, v) abs(sqrt(u^2 + v^2) - 0.75) - 0.22,
  square = function(u, v) shape_box(u, v, 0.78, 0.78),
  triangle = function(u, v) pmax(v, abs(u) * sqrt(0.75) - v / 2) - 0.5,
  cross = function(u, v) pmin(shape_box(u, v, 1, 0.3), shape_box(u, v, 0.3, 1)),
  star = function(u, v) {
    turn <- abs((atan2(v, u) %% (0.4 * pi)) - 0.2 * pi) # from a notch between two points, 0 .. 36 degrees
    radius <- sqrt(u^2 + v^2)
    # the line from the notch, at 0.45, to the point, at 1.1
    edge <- c(1.1 * cos(0.2 * pi) - 0.45, 1.1 * sin(0.2 * pi))
    ((radius * cos(turn) - 0.45) * edge[2] - radius * sin(turn) * edge[1]) / sqrt(sum(edge^2))
  },
  moon = function(u, v) pmax(sqrt(u^2 + v^2) - 1, 0.82 - sqrt((u - 0.5)^2 + v^2)),
  half = function(u, v) pmax(sqrt(u^2 + (v - 0.4)^2) - 1, v - 0.4),
  bars = function(u, v) pmax(abs(abs(u) - 0.6) - 0.28, abs(v) - 0.9),
  corner = function(u, v) pmin(shape_box(u + 0.55, v, 0.28, 0.9), shape_box(u, v - 0.62, 0.83, 0.28))
)

# How much pictures vary: half-widths of uniform distributions. Sizes are radii in pixels. Tuned so that a network of
# dense layers stays below 80 % correct test pictures while a small convolutional one passes 97 %.
shape_variation <- list(size = c(8, 12), shift = 4, turn = 1.5, stretch = 0.1, contrast = 0.3, light = 0.2,
  noise = 0.03)

#' Simulated pictures of coloured shapes
#'
#' A stand-in for [dataset_cifar10()] that needs neither files nor network: one figure of ten kinds on each picture of
#' 32 x 32 pixels, of any colour on any darker ground, turned, moved and scaled at random, in uneven light, with
#' some noise. Colours and places tell nothing, only the form does.
#'
#' Trained on the default 5,000 pictures, a network of dense layers with 256 and 128 units gets some 71 % of the test
#' pictures right, a small convolutional one 99 %.
#'
#' | class | figure | class | figure |
#' |---|---|---|---|
#' | 0 | disc | 5 | star |
#' | 1 | ring | 6 | moon |
#' | 2 | square | 7 | half disc |
#' | 3 | triangle | 8 | two bars |
#' | 4 | cross | 9 | corner |
#'
#' All randomness comes from R's generator: `set.seed()` makes the data repeatable.
#'
#' @param n number of training pictures.
#' @param test number of test pictures, may be 0.
#' @return The same structure as that of [dataset_cifar10()], but that `y` has one axis:
#'   `list(train = list(x, y), test = list(x, y))`. `x` is an integer array of shape (n, 32, 32, 3) with indices
#'   `[picture, row, column, channel]`, the channels red, green and blue, and values of 0 .. 255. `y` is a
#'   one-dimensional integer array of classes from 0. In each part all classes are equally frequent, up to rounding, and
#'   in random order.
#' @seealso [dataset_digits()], [layer_conv_2d()]; `vignette("images")`.
#' @examples
#' set.seed(1)
#' shapes <- dataset_shapes(n = 40)
#' str(shapes)
#' plot(as.raster(shapes$train$x[1, , , ], max = 255), interpolate = FALSE)
#' shapes$train$y[1]
#' @export
dataset_shapes <- function(n = 5000, test = n %/% 6) {
  n <- check_count(n)
  test <- check_count(test, min = 0)
  list(train = shape_pictures(n), test = shape_pictures(test))
}

shape_pictures <- function(n) {
  # The random start spreads the surplus of sizes that are no multiple of ten.
  y <- (sample.int(n) + sample.int(10, 1)) %% 10L
  x <- array(0L, c(n, 32, 32, 3))
  for (class in 0:9) {
    chosen <- which(y == class)
    for (some in split(chosen, seq_along(chosen) %/% 200)) x[some, , , ] <- draw_shapes(shape_distances[[class + 1]],
      length(some))
  }
  list(x = x, y = array(y, n))
}

#' n pictures of one figure, as whole numbers (picture, row, column, channel).
#' @noRd
draw_shapes <- function(distance, n, v = shape_variation) {
  within <- function(range) stats::runif(n, -range, range)
  row <- rep(rep(seq_len(32) - 16.5, 32), each = n) # one number for each picture is recycled along the pixels
  column <- rep(rep(seq_len(32) - 16.5, each = 32), each = n)
  size <- stats::runif(n, v$size[1], v$size[2])
  stretch <- exp(within(v$stretch))
  turn <- within(v$turn)
  right <- column - within(v$shift)
  down <- row - within(v$shift)
  u <- (cos(turn) * right + sin(turn) * down) / (size * stretch)
  w <- (cos(turn) * down - sin(turn) * right) / (size / stretch)
  inside <- pmin(pmax(0.5 - distance(u, w) * size, 0), 1) # the share of a pixel
  light <- turn <- within(pi)
  light <- 1 + v$light * (cos(turn) * column + sin(turn) * row) / 16
  colours <- draw_colours(n, v$contrast)
  shades <- vapply(1:3, function(k) light * (colours[, k] + (colours[, k + 3] - colours[, k]) * inside),
    numeric(n * 1024))
  noisy <- shades + stats::rnorm(length(shades), sd = v$noise)
  array(as.integer(pmin(pmax(noisy, 0), 1) * 255 + 0.5), c(n, 32, 32, 3))
}

#' Colours of n grounds and figures, which are lighter by so much on the average of red, green and blue.
#' @noRd
draw_colours <- function(n, contrast) {
  colours <- matrix(0, n, 6)
  open <- seq_len(n)
  while (length(open)) {
    colours[open, ] <- stats::runif(6 * length(open))
    open <- open[(rowMeans(colours[, 4:6, drop = FALSE]) - rowMeans(colours[, 1:3, drop = FALSE]))[open] < contrast]
  }
  colours
}
