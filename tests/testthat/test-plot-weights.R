# Weights are drawn on one scale around 0, as images in the order in which the inputs were read, or as a table.

lab <- function(inputs, layers) {
  build_dense_neural_network(inputs, layers, loss = mean_squared_error(),
    optimizer = gradient_descent_optimizer(learning_rate = 1))
}
cells_of <- function(plot) plot$data

test_that("the incoming weights of a unit are an image, with the pixels where they belong", {
  ggplot_there()
  w <- matrix(0, 20, 3)
  w[2, 1] <- 5 # column by column of a 4 x 5 image: row 2, column 1
  place <- function(...) {
    cells <- cells_of(draws(plot_weights(w, dims = c(4, 5), method = "ggplot2", ...))$value)
    cells[cells$fill == 5, ]
  }
  # y counts from the bottom
  expect_identical(unlist(place()[c("row", "column", "x", "y")], use.names = FALSE), c(1, 1, 1, 3))
  expect_identical(unlist(place(byrow = TRUE)[c("x", "y")], use.names = FALSE), c(2, 4))
})

test_that("one scale, symmetric around 0, serves all units", {
  ggplot_there()
  w <- cbind(rep(-1, 16), rep(3, 16))
  p <- draws(plot_weights(w, method = "ggplot2"))$value
  scale <- p$scales$get_scales("fill")
  expect_identical(scale$limits, c(-3, 3))
  fills <- layers_of(p)[[1]]$fill
  expect_identical(toupper(unique(fills[w[, 2] == 3 & p$data$fill == 3])), "#D55E00")
  # also where only some of the units are drawn
  expect_identical(draws(plot_weights(w, units = 1, method = "ggplot2"))$value$scales$get_scales("fill")$limits,
    c(-1, 1))
})

test_that("inputs are an image if their number is a square of 16 or more, or dims says so", {
  ggplot_there()
  is_image <- function(...) "GeomRaster" %in% class(draws(plot_weights(..., method = "ggplot2"))$value$layers[[1]]$geom)
  expect_true(is_image(matrix(1, 16, 2)))
  expect_false(is_image(matrix(1, 9, 2)))
  expect_true(is_image(matrix(1, 9, 2), dims = c(3, 3)))
  expect_false(is_image(matrix(1, 16, 2), dims = NA))
  expect_false(is_image(matrix(1, 12, 2)))
})

test_that("a small table holds the numbers, a large one does not", {
  ggplot_there()
  w <- matrix(c(1, -2.345, 0.5, 0), 2, dimnames = list(c("age", "height"), NULL))
  p <- draws(plot_weights(w, method = "ggplot2"))$value
  expect_identical(texts_of(p), c("1.00", "-2.35", "0.50", "0.00"))
  expect_identical(p$scales$get_scales("y")$labels, c("age", "height"))
  expect_length(texts_of(draws(plot_weights(matrix(1, 17, 20), method = "ggplot2"))$value), 0)
})

test_that("networks, models and layers of all kinds give their weights", {
  set.seed(1)
  network <- lab(3, list(4, htan(), 2, sigmoid()))
  expect_identical(draws(plot_weights(network, method = "base")), list(value = network$weights[[1]], visible = FALSE))
  expect_identical(draws(plot_weights(network, layer = -1, units = 2, method = "base"))$value,
    network$weights[[2]][, 2, drop = FALSE])
  encode <- layer_dense(units = 2, name = "encode")
  input <- layer_input(shape = c(4, 4))
  flat <- input |> layer_flatten()
  model <- keras_model(input, layer_tied_dense(encode(flat), tied_to = encode, name = "decode"))
  w <- get_weights(model)
  expect_identical(draws(plot_weights(model, method = "base"))$value, w[[1]])
  expect_identical(draws(plot_weights(model, layer = "decode", method = "base"))$value, t(w[[1]]))
  expect_identical(draws(plot_weights(encode, method = "base"))$value, w[[1]])
  outer <- keras_model_sequential(list(model))
  expect_identical(draws(plot_weights(outer, layer = 2, units = 1:3, method = "base"))$value, t(w[[1]])[, 1:3])
  words <- keras_model_sequential() |> layer_embedding(input_dim = 7, output_dim = 3, input_length = 2)
  expect_identical(dim(draws(plot_weights(words, method = "base"))$value), c(7L, 3L))
  # a class of the user's own
  mine <- setRefClass("my_network", fields = list(weights = "list"))(weights = list(matrix(1:6, 2)))
  expect_identical(draws(plot_weights(mine, method = "base"))$value, matrix(1:6, 2))
})

test_that("zero, missing, many and single units can be drawn by both methods", {
  for (method in both_methods()) {
    for (w in list(matrix(0, 16, 2), matrix(1, 1, 1), matrix(c(NA, 1:15), 16), matrix(c(NA, 1:3), 2),
      matrix(1, 200, 60))) {
      expect_silent(draws(plot_weights(w, method = method)))
    }
  }
  expect_identical(dim(draws(plot_weights(matrix(1, 16, 150), method = "base"))$value), c(16L, 100L))
})

test_that("what has no such weights is refused", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, name = "first")
  expect_error(plot_weights("a"),
    "`plot_weights()`: `x` must be a network, a model or a matrix of weights (inputs, units), not \"a\"", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(plot_weights(keras_model_sequential() |> layer_dense(2)), class = "nativenet_error_unbuilt")
  expect_error(plot_weights(keras_model_sequential(input_shape = 3) |> layer_dropout(0.1)), "no layer with a matrix",
    class = "nativenet_error_value")
  expect_error(plot_weights(model, layer = 2), "`layer` must lie in 1 .. 1, not be 2", class = "nativenet_error_value")
  expect_error(plot_weights(model, layer = "frist"), "there is `first`", class = "nativenet_error_member")
  expect_error(plot_weights(model, units = c(1, 3)), "`units` must be different numbers of units, 1 .. 2, not 3",
    class = "nativenet_error_index")
  for (units in list("a", as.difftime(1, units = "days")))
    expect_error(plot_weights(model, units = units), "`units`", class = "nativenet_error_index")
  expect_error(plot_weights(matrix(1, 16, 2), dims = c(3, 5)), "an image of the 16 inputs, not 3 x 5",
    class = "nativenet_error_shape")
  expect_error(plot_weights(matrix(NaN, 4, 2)), "hold no finite number", class = "nativenet_error_nan")
  expect_error(plot_weights(model, byrow = NA), "`byrow` must be TRUE or FALSE", class = "nativenet_error_value")
  expect_error(plot_weights(matrix(0, 0, 2)), class = "nativenet_error_value")
})

test_that("filters of a convolution are images, one per channel and filter", {
  model <- keras_model_sequential(input_shape = c(8, 8, 2)) |> layer_conv_2d(3, c(2, 4)) |> layer_flatten() |>
    layer_dense(2)
  kernel <- get_weights(model)[[1]]
  pdf(NULL)
  on.exit(dev.off())
  w <- plot_weights(model, method = "base")
  expect_identical(dim(w), c(8L, 6L))
  expect_identical(colnames(w), c("1>1", "2>1", "1>2", "2>2", "1>3", "2>3"))
  expect_identical(matrix(w[, "2>3"], 2), kernel[, , 2, 3])
  expect_identical(plot_weights(model, units = 4, method = "base"), w[, 4, drop = FALSE])
  for (method in both_methods()) expect_silent(draws(plot_weights(model, method = method)))
  expect_identical(dim(plot_weights(model, layer = 2, method = "base")), c(105L, 2L)) # the dense layer is the second
})
