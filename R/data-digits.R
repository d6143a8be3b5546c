# Handwritten-looking digits without files or network: pen strokes drawn by us, bent and
# smeared at random in R, rendered in C (src/formats/digits.c).

# Ways to write each digit. A style is one or more strokes, a stroke is "x,y" points of a
# smooth curve, in percent of the digit's box, y downwards. A point given twice in a row
# makes a corner. Points at the same place move together when the digit is bent.
digit_styles <- list(
  "0" = list(
    "55,1 27,10 12,35 14,70 32,95 60,98 84,76 88,40 76,12 55,1 42,4",
    "62,3 35,8 18,40 20,78 42,100 70,86 84,50 78,18 55,0",
    "35,12 15,40 14,72 38,98 68,92 86,62 84,26 62,3 40,4 28,14"
  ),
  "1" = list(
    "52,0 51,50 50,100",
    "28,22 42,12 54,0 54,0 52,50 50,100",
    "26,24 42,12 54,0 54,0 52,50 50,100;25,100 50,100 78,100",
    "50,2 52,40 48,98"
  ),
  "2" = list(
    "14,25 26,7 52,0 78,11 82,34 60,62 36,82 12,99 12,99 50,97 90,98",
    "14,22 30,4 60,0 80,18 70,46 44,76 18,97 8,88 22,78 48,90 70,100 92,93",
    "18,14 45,0 76,8 78,34 50,66 12,96 12,96 48,92 88,100"
  ),
  "3" = list(
    "14,14 40,0 72,6 80,26 64,42 38,47 38,47 70,53 86,72 72,94 40,100 12,88",
    "15,3 48,2 82,3 82,3 62,24 42,42 42,42 76,50 86,72 68,95 38,100 12,88",
    "18,10 46,0 74,12 70,36 46,46 34,44 42,40 70,50 84,74 66,97 34,98 12,84"
  ),
  "4" = list(
    "24,0 19,28 12,56 12,56 50,56 90,54;72,8 69,50 66,100",
    "64,0 38,34 8,68 8,68 50,68 94,68;64,0 64,50 64,100",
    "22,2 16,32 28,50 54,50 76,34 82,2 82,2 77,50 72,100"
  ),
  "5" = list(
    "84,2 55,2 27,2 27,2 24,22 21,44 21,44 48,36 78,48 85,72 66,96 38,100 12,88",
    "30,4 27,24 24,46 24,46 50,38 80,52 84,76 62,97 36,100 14,91;30,4 58,3 88,1",
    "78,4 52,2 36,8 26,28 34,42 60,48 80,64 74,88 48,100 16,94"
  ),
  "6" = list(
    "70,0 42,18 20,50 19,80 44,100 74,91 80,68 60,54 36,60 21,76",
    "52,0 34,30 22,66 34,94 60,99 80,82 74,60 50,56 28,68 24,78",
    "80,8 58,0 32,14 16,52 22,86 48,100 76,90 82,70 66,56 42,58 20,76"
  ),
  "7" = list(
    "12,5 50,5 87,4 87,4 64,34 50,62 40,100",
    "12,5 50,4 87,3 87,3 64,34 50,62 40,100;28,53 52,51 76,49",
    "12,20 14,5 14,5 50,6 87,4 87,4 70,30 46,60 34,98"
  ),
  "8" = list(
    "74,16 50,1 26,14 34,36 62,56 80,78 56,100 24,88 26,66 58,44 76,24 70,10",
    "50,0 28,10 28,34 50,46 72,34 72,10 50,0;50,46 24,56 20,86 50,100 80,86 76,56 50,46",
    "60,46 34,34 32,10 58,0 76,14 66,38 36,60 22,84 46,100 74,90 74,64 52,44"
  ),
  "9" = list(
    "78,20 56,1 28,10 20,34 42,50 66,42 78,20 78,20 76,60 68,100",
    "78,18 54,0 26,12 22,38 46,50 70,38 78,18 78,18 82,56 66,92 34,98 20,90",
    "76,24 60,2 32,6 20,32 38,48 62,40 76,24 76,24 66,62 50,100"
  )
)

# How much digits vary: standard deviations of `bend` and `point`, which are shares of the
# box; half-widths of uniform distributions for the rest. `size` and `aspect` are logarithms,
# `rotation` is in radians, `shift` in pixels. Tuned so that a linear model stays well below
# 95 % correct test images, while a network with one hidden layer passes 97 %.
digit_variation <- list(
  bend = 0.055, point = 0.01, size = 0.08, aspect = 0.1, slant = 0.55, rotation = 0.28, shift = 2.2
)

#' Simulated handwritten digits
#'
#' A stand-in for [dataset_mnist()] that needs neither files nor network: digits of
#' several writing styles, drawn with a pen of varying width on 28 x 28 pixels, and bent,
#' slanted, rotated, scaled and shifted at random.
#'
#' The images are about as difficult as those of MNIST. Trained on the default 10,000
#' images, a linear classifier gets some 91 % of the test images right, a network with one
#' hidden layer of 128 units 98 %.
#'
#' All randomness comes from R's generator: `set.seed()` makes the data repeatable.
#'
#' @param n Number of training images.
#' @param test Number of test images, may be 0.
#' @return The same structure as that of [dataset_mnist()]:
#'   `list(train = list(x, y), test = list(x, y))`. `x` is an integer array of shape
#'   (n, 28, 28) with indices `[image, row, column]` and values from 0 (background) to
#'   255. `y` is a one-dimensional integer array with the digits 0 to 9. In each part all
#'   digits are equally frequent, up to rounding, and in random order.
#' @examples
#' set.seed(1)
#' digits <- dataset_digits(n = 100)
#' str(digits)
#' image(t(digits$train$x[1, 28:1, ]), col = grey(255:0 / 255), asp = 1, axes = FALSE)
#' digits$train$y[1]
#' @export
dataset_digits <- function(n = 10000, test = n %/% 6) {
  n <- check_count(n)
  test <- check_count(test, min = 0)
  list(train = digit_images(n), test = digit_images(test))
}

digit_images <- function(n) {
  # The random start spreads the surplus of sizes that are no multiple of ten.
  y <- (sample.int(n) + sample.int(10, 1)) %% 10L
  style <- ceiling(stats::runif(n) * lengths(digit_styles)[y + 1])
  x <- array(0L, c(n, 28, 28))
  for (digit in seq_along(digit_styles)) {
    for (k in seq_along(digit_styles[[digit]])) {
      chosen <- which(y == digit - 1 & style == k)
      if (length(chosen)) x[chosen, , ] <- draw_digits(digit_styles[[digit]][[k]], length(chosen))
    }
  }
  list(x = x, y = array(y, n))
}

#' n images of one style.
#' @noRd
draw_digits <- function(style, n) {
  strokes <- parse_strokes(style)
  at <- vary_points(do.call(rbind, strokes), n)
  .Call(C_digits, vapply(strokes, nrow, 1L), at$x, at$y, random_pens(n))
}

# One matrix of points for each stroke, from -0.5 to 0.5 around the middle of the box.
parse_strokes <- function(style) {
  lapply(strsplit(style, ";", fixed = TRUE)[[1]], function(stroke) {
    matrix(scan(text = chartr(",", " ", stroke), quiet = TRUE), ncol = 2, byrow = TRUE) / 100 - 0.5
  })
}

#' Control points in pixels, as matrices with one row for each image.
#' @noRd
vary_points <- function(points, n, v = digit_variation) {
  # A smooth random field bends the digit as a whole, a small error is added to each point.
  field <- bend_basis(points)
  place <- match(paste(points[, 1], points[, 2]), unique(paste(points[, 1], points[, 2])))
  normal <- function(sd, k) matrix(stats::rnorm(n * k, sd = sd), n)
  wobble <- function() {
    normal(v$bend, ncol(field)) %*% t(field) + normal(v$point, max(place))[, place, drop = FALSE]
  }
  x <- rep(points[, 1], each = n) + wobble()
  y <- rep(points[, 2], each = n) + wobble()

  # Uniform, because the far tails of a normal distribution are illegible. One number for
  # each image, recycled along the columns.
  within <- function(range) stats::runif(n, -range, range)
  # Digits are 20 pixels tall, narrower than tall, and lean a little to the right.
  size <- 20 * exp(within(v$size))
  aspect <- exp(within(v$aspect))
  x <- x * 0.78 * size * aspect
  y <- y * size / aspect
  x <- x - (0.12 + within(v$slant)) * y
  angle <- within(v$rotation)
  middle <- 13.5
  list(
    x = middle + within(v$shift) + cos(angle) * x - sin(angle) * y,
    y = middle + within(v$shift) + sin(angle) * x + cos(angle) * y
  )
}

# Waves over the box; slower ones would only repeat shift, scale and slant.
bend_basis <- function(points) {
  u <- pi * points[, 1]
  v <- pi * points[, 2]
  cbind(cos(2 * u), cos(2 * v), sin(2 * v), cos(u) * sin(v), sin(u) * cos(v)) / sqrt(5)
}

# Columns as in src/formats/digits.h: radius at the start and at the end, softness, ink.
random_pens <- function(n) {
  radius <- 1.1 * exp(stats::runif(n, -0.5, 0.5))
  cbind(
    radius * exp(stats::runif(n, -0.2, 0.2)), radius * exp(stats::runif(n, -0.2, 0.2)),
    stats::runif(n, 0.9, 1.6), stats::runif(n, 200, 270)
  )
}
