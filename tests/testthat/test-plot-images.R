# plot_images() draws to any device and leaves its settings alone; both methods put the same pixels in the same places.

drawn <- function(...) {
  file <- tempfile(fileext = ".pdf")
  grDevices::pdf(file, compress = FALSE)
  on.exit(unlink(file))
  before <- graphics::par(no.readonly = TRUE)
  closed <- FALSE
  on.exit(if (!closed) grDevices::dev.off(), add = TRUE)
  result <- withVisible(plot_images(..., method = "base"))
  after <- graphics::par(no.readonly = TRUE)
  grDevices::dev.off()
  closed <- TRUE
  lines <- readLines(file, warn = FALSE, encoding = "latin1")
  list(result = result, images = sum(grepl("/ImageMask|/Subtype */Image|^BI", lines, useBytes = TRUE)),
    text = lines[grepl("Tj", lines, useBytes = TRUE)], same = identical(before[c("mar", "oma", "mfrow")],
      after[c("mar", "oma", "mfrow")]))
}
three <- matrix(runif(27), 3)

test_that("rows of a matrix, arrays and lists are drawn, one image each", {
  expect_identical(drawn(three)$images, 3L)
  expect_identical(drawn(array(runif(5 * 4 * 6), c(5, 4, 6)), nrow = 2)$images, 5L)
  expect_identical(drawn(list(three, three[1:2, ]))$images, 5L)
  expect_identical(drawn(matrix(runif(24), 2), dims = c(3, 4))$images, 2L)
})

test_that("the argument comes back invisibly and the device's settings are restored", {
  d <- drawn(three, titles = letters[1:3])
  expect_identical(d$result, list(value = three, visible = FALSE))
  expect_true(d$same)
})

test_that("settings are restored after an error too", {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  before <- graphics::par(no.readonly = TRUE)[c("mar", "oma", "mfrow")]
  expect_error(plot_images(list(three, matrix("a")), method = "base"))
  expect_error(plot_images(array(1, c(60, 2, 2)), nrow = 60, titles = 1:60, method = "base"),
    "`plot_images()`: the device is too small for 60 x 1 images", fixed = TRUE, class = "nativenet_error_value")
  expect_identical(graphics::par(no.readonly = TRUE)[c("mar", "oma", "mfrow")], before)
})

test_that("titles and labels are written", {
  text <- paste(drawn(list(three, three), titles = 7:9, labels = c("first", "second"))$text, collapse = " ")
  for (word in c("7", "8", "9")) expect_match(text, sprintf("(%s)", word), fixed = TRUE)
  expect_match(text, "first|f.*i.*r.*s.*t")
})

test_that("constant, missing and integer pixels can be drawn, and limits", {
  for (x in list(matrix(0, 1, 9), matrix(1:9, 1), matrix(c(TRUE, FALSE, TRUE, FALSE), 1)))
    expect_identical(drawn(x)$images, 1L)
  expect_identical(drawn(three, limits = c(0, 1))$images, 3L)
  expect_silent(drawn(matrix(c(NA, 1:8), 1)))
  expect_silent(drawn(matrix(NA_real_, 1, 4)))
  expect_silent(drawn(matrix(c(-Inf, Inf, 0, 1), 1)))
})

test_that("ink is dark, row 1 is on top, byrow reads rows first", {
  grey <- nativenet:::grey_shades
  expect_identical(grey(matrix(c(0, 1, 0.2, 0), 2), c(0, 1)), matrix(c("#FFFFFF", "#000000", "#CCCCCC", "#FFFFFF"), 2))
  expect_identical(grey(matrix(c(-5, 5), 1), c(0, 1)), matrix(c("#FFFFFF", "#000000"), 1))
  expect_identical(nativenet:::as_images(matrix(1:6, 1), c(2, 3), FALSE), list(matrix(1:6, 2)))
  expect_identical(nativenet:::as_images(matrix(1:6, 1), c(2, 3), TRUE), list(matrix(1:6, 2, byrow = TRUE)))
  ggplot_there()
  cells <- plot_images(matrix(c(0, 1, 0.2, 0), 1), method = "ggplot2")$data
  expect_identical(cells$fill[cells$x == 1 & cells$y == 2], "#FFFFFF")
  expect_identical(cells$fill[cells$x == 1 & cells$y == 1], "#000000")
  expect_identical(cells$fill[cells$x == 2 & cells$y == 2], "#CCCCCC")
})

test_that("ggplot2 draws a panel per image, titles above and labels beside, those of a list being its names", {
  ggplot_there()
  panels <- function(plot) nrow(ggplot2::ggplot_build(plot)$layout$layout)
  p <- draws(plot_images(list(first = three, second = three[1:2, ]), titles = 7:9, method = "ggplot2"))
  expect_true(p$visible)
  expect_identical(panels(p$value), 6L)
  expect_identical(texts_of(p$value), c("first", "second"))
  expect_length(unique(layers_of(p$value)[[1]]$PANEL), 5)
  # titles of all images
  p <- draws(plot_images(three, nrow = 2, titles = c("a", "b", "c"), labels = "x", method = "ggplot2"))$value
  expect_identical(p$facet$params$nrow, 2L)
  expect_identical(texts_of(p), "x")
  expect_identical(panels(draws(plot_images(three, method = "ggplot2"))$value), 3L)
  # images of several sizes lie in the middle of their panels
  cells <- draws(plot_images(list(matrix(1, 1, 4), matrix(1, 1, 16)), method = "ggplot2"))$value$data
  expect_identical(range(cells$x[cells$row == 1]), c(2, 3))
  expect_identical(range(cells$y[cells$row == 1]), c(2, 3))
})

test_that("names of a list are its labels", {
  text <- paste(drawn(list("71" = three, "72" = three))$text, collapse = " ")
  for (word in c("71", "72")) expect_match(text, sprintf("(%s)", word), fixed = TRUE)
})

test_that("the digits can be drawn to a png file", {
  skip_if_not(capabilities("png"))
  file <- tempfile(fileext = ".png")
  on.exit(unlink(file))
  grDevices::png(file)
  digits <- dataset_digits(6)
  plot_images(digits$train$x, nrow = 2, titles = digits$train$y, method = "base")
  grDevices::dev.off()
  expect_gt(file.size(file), 500)
})

test_that("bad arguments are refused, before anything is drawn", {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  expect_error(plot_images(1:9), "`plot_images()`: `x` must be a numeric matrix", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(plot_images(matrix("a")), "`x` must be a numeric matrix", class = "nativenet_error_value")
  expect_error(plot_images(NULL), class = "nativenet_error_value")
  expect_error(plot_images(list()), "`x` has no images", class = "nativenet_error_value")
  expect_error(plot_images(matrix(0, 0, 4)), "`x` has no images", class = "nativenet_error_value")
  expect_error(plot_images(matrix(0, 1, 10)), "`dims` must be the rows and columns of an image of 10 numbers",
    class = "nativenet_error_value")
  expect_error(plot_images(three, dims = c(3, 4)),
    "`dims` must be the rows and columns of an image of 9 numbers, not 3 x 4", class = "nativenet_error_value")
  expect_error(plot_images(three, dims = "a"), "`dims`", class = "nativenet_error_value")
  expect_error(plot_images(three, byrow = 1i), "`byrow`", class = "nativenet_error_value")
  for (text in list(globalenv(), 1i, list(1), quote(a), "\xff")) {
    expect_error(plot_images(three, titles = text), "`titles`", class = "nativenet_error_shape")
    expect_error(plot_images(three, labels = text), "`labels`", class = "nativenet_error_shape")
  }
  expect_error(plot_images(three, nrow = 0), "`nrow` must be a positive whole number, not 0",
    class = "nativenet_error_value")
  expect_error(plot_images(three, limits = "a"), "`limits` must be two numbers", class = "nativenet_error_value")
  expect_error(plot_images(three, method = "lattice"), "`method` must be one of", class = "nativenet_error_value")
})

test_that("pictures with channels are drawn in their colours", {
  x <- array(c(0, 255, 255, 0, 0, 255), c(2, 1, 1, 3)) # yellow-green ones
  expect_identical(drawn(x)$images, 2L)
  expect_identical(drawn(array(0.5, c(3, 4, 4, 1)))$images, 3L)
  shades <- function(...) nativenet:::picture_shades(...)
  expect_identical(c(shades(array(c(255, 0, 51), c(1, 1, 3)), c(0, 255))), "#FF0033")
  expect_identical(c(shades(array(c(2, NaN, 0), c(1, 1, 3)), c(0, 1))), "#FFFFFF")
  expect_identical(nativenet:::picture_limits(list(array(1, c(1, 1, 3)))), c(0, 1))
  expect_identical(nativenet:::picture_limits(list(array(2, c(1, 1, 3)))), c(0, 255))
  expect_error(drawn(array(1, c(2, 3, 3, 2))))
})
