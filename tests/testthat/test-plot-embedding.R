# Points of codes: projected if they have more than two numbers, coloured by classes or numbers, with words that do not
# overlap.

both <- both_methods()
set.seed(1)
codes <- matrix(rnorm(60), 20)

test_that("two columns are drawn as they are, more by their principal components with their shares", {
  expect_equal(unname(draws(plot_embedding(codes[, 1:2], method = "base"))$value), codes[, 1:2])
  expect_equal(unname(draws(plot_embedding(codes[, 1:2], dims = 2:1, method = "base"))$value), codes[, 2:1])
  parts <- stats::prcomp(codes)
  expect_equal(unname(draws(plot_embedding(codes, dims = c(3, 1), method = "base"))$value), unname(parts$x[, c(3, 1)]))
  ggplot_there()
  share <- round(100 * parts$sdev^2 / sum(parts$sdev^2))
  expect_identical(plot_embedding(codes, dims = c(3, 1), method = "ggplot2")$labels[c("x", "y")],
    list(x = sprintf("component 3 (%d %% of variance)", share[3]), y = sprintf("component 1 (%d %% of variance)",
      share[1])))
  named <- `colnames<-`(codes[, 1:2], c("left", "right"))
  expect_identical(plot_embedding(named, method = "ggplot2")$labels[c("x", "y")], list(x = "left", y = "right"))
})

test_that("y is classes if there are few whole numbers, else a scale", {
  variable <- function(y) nativenet:::colour_variable(y, length(y))
  expect_s3_class(variable(c(3, 1, 2)), "factor")
  expect_s3_class(variable(c("a", "b")), "factor")
  expect_s3_class(variable(c(TRUE, FALSE)), "factor")
  expect_identical(levels(variable(factor("b", c("a", "b")))), "b")
  expect_type(variable(c(0.5, 1)), "double")
  expect_type(variable(1:13), "integer")
  ggplot_there()
  p <- draws(plot_embedding(codes[1:3, 1:2], c("b", "a", "b"), method = "ggplot2"))$value
  expect_identical(layers_of(p)[[1]]$colour, nativenet:::class_colours(2)[c(2, 1, 2)])
})

test_that("labels are written where they cover no others", {
  shown <- nativenet:::not_covered(c(0, 0.5, 3, 3), c(0, 0, 0, 5), width = rep(2, 4), height = rep(1, 4))
  expect_identical(shown, c(1L, 3L, 4L))
  ggplot_there()
  p <- draws(plot_embedding(codes[1:3, 1:2], labels = c("one", NA, "three"), method = "ggplot2"))$value
  expect_identical(texts_of(p), c("one", "", "three"))
  expect_true(p$layers[[2]]$geom_params$check_overlap)
})

test_that("all kinds of codes are drawn by both methods", {
  for (method in both) {
    expect_silent(draws(plot_embedding(codes, rep(0:9, 2), method = method)))
    expect_silent(draws(plot_embedding(codes, codes[, 1], labels = seq_len(20), method = method)))
    expect_silent(draws(plot_embedding(codes, c(NA, codes[-1, 1]), method = method)))
    expect_silent(draws(plot_embedding(codes, factor(rep(letters[1:20])), method = method)))
    expect_silent(draws(plot_embedding(matrix(1, 3, 2), method = method)))
    expect_silent(draws(plot_embedding(matrix(1, 3, 4), method = method)))
    expect_silent(draws(plot_embedding(matrix(1:2, 1), "one", "word", method = method)))
    expect_silent(draws(plot_embedding(matrix(rnorm(1400), 700), rep(1:2, 350), method = method)))
    expect_silent(draws(plot_embedding(iris[, 1:4], iris$Species, method = method)))
    expect_silent(draws(plot_embedding(tensor(codes), method = method)))
  }
})

test_that("what are no codes is refused", {
  expect_error(plot_embedding("a"), "`plot_embedding()`: `x` must be a numeric matrix with a row per point, not \"a\"",
    fixed = TRUE, class = "nativenet_error_value")
  expect_error(plot_embedding(matrix(1, 3, 1)), "at least two columns, not the shape (3, 1)", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(plot_embedding(matrix(0, 0, 2)), "`x` has no points", class = "nativenet_error_value")
  expect_error(plot_embedding(matrix(c(1, NA), 1)), "finite numbers only", class = "nativenet_error_nan")
  expect_error(plot_embedding(matrix(1, 1, 3)), "at least two points", class = "nativenet_error_value")
  expect_error(plot_embedding(matrix(rnorm(10), 2), dims = c(1, 5)), "2 points have no more principal components",
    class = "nativenet_error_value")
  for (dims in list(1, c(1, 1), c(0, 1), c(1, 4), "a", as.difftime(1:2, units = "days")))
    expect_error(plot_embedding(codes, dims = dims),
    "`dims` must be two different numbers of 1 .. 3", class = "nativenet_error_value")
  expect_error(plot_embedding(codes, 1:3), "`y` must be a class for each of the 20 points",
    class = "nativenet_error_shape")
  expect_error(plot_embedding(codes, labels = "a"), "`labels` must be 20 strings", class = "nativenet_error_shape")
})
