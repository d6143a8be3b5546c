# Pictures of networks: all weights and biases of small ones can be read, and those that cannot be drawn are refused.

both <- both_methods()
network_of <- function(inputs, layers) {
  build_dense_neural_network(inputs, layers, loss = mean_squared_error(),
    optimizer = gradient_descent_optimizer(learning_rate = 1))
}
picture_of <- function(x, digits = 2) {
  layers <- nativenet:::dense_chain(x)
  nativenet:::network_picture(layers, c(nrow(layers[[1]]$weights), vapply(layers, function(l) ncol(l$weights), 0L)),
    digits)
}

test_that("each weight is a line between its units, in the colour of its sign, as thick as it is large", {
  network <- network_of(2, list(2, htan(), 1, sigmoid()))
  network$weights <- list(matrix(c(1, -2, 3, -4), 2), matrix(c(0.5, 0)))
  network$biases <- list(c(0.25, -1), 7)
  p <- picture_of(network)
  e <- p$edges
  expect_identical(e$label, c("1.00", "-2.00", "3.00", "-4.00", "0.50", "0.00"))
  expect_identical(as.character(e$sign), paste(c("above", "below", "above", "below", "above", "above"), "0"))
  expect_equal(e$share, c(1, 2, 3, 4, 0.5, 0) / 4)
  expect_equal(e$x, c(0, 0, 0, 0, 1, 1))
  expect_true(e$y[1] > e$y[2] && e$y[1] == e$y[3]) # the first input is on top
  expect_true(e$to_y[1] > e$to_y[3] && e$to_y[1] == e$to_y[2])
  expect_equal(e$to_y[5:6], c(0, 0))
  expect_identical(p$units$bias, c("", "", "0.25", "-1.00", "7.00"))
  expect_identical(p$columns$name, c("inputs", "htan", "sigmoid"))
  expect_identical(picture_of(network, 0)$edges$label[2:4], c("-2", "3", "-4"))
})

test_that("labels lie on their lines, and never on each other", {
  for (sizes in list(c(1, 1), c(2, 2), c(2, 3), c(4, 3), c(3, 4), c(1, 8), c(8, 1))) {
    p <- picture_of(matrix(rnorm(prod(sizes)), sizes[1]))
    e <- p$edges
    expect_false(anyNA(e$label), info = sizes)
    expect_equal((e$label_y - e$y) * (e$to_x - e$x), (e$label_x - e$x) * (e$to_y - e$y))
    if (nrow(e) > 1) expect_gt(min(dist(cbind(0, e$label_y))), 0.04)
  }
  # there is no room
  for (sizes in list(c(8, 8), c(6, 6), c(20, 3)))
    expect_true(all(is.na(picture_of(matrix(rnorm(prod(sizes)), sizes[1]))$edges$label)), info = sizes)
  expect_false(picture_of(network_of(8, list(1, linear())))$has_biases)
})

test_that("what is written is in the picture", {
  ggplot_there()
  network <- network_of(2, list(1, sigmoid()))
  network$weights <- list(matrix(c(1, -2), 2))
  p <- draws(plot_network(network, inputs = c("age", "height"), outputs = "p", method = "ggplot2"))
  expect_true(p$visible)
  expect_setequal(texts_of(p$value), c("1.00", "-2.00", "", "0.00", "inputs", "sigmoid", "age", "height", "p"))
  expect_setequal(layers_of(p$value)[[1]]$colour, c("#0072B2", "#D55E00"))
})

test_that("models of dense layers are drawn, with what lies between them left out", {
  model <- keras_model_sequential(input_shape = c(2, 2)) |>
    layer_flatten() |>
    layer_dense(3) |>
    layer_activation_relu() |>
    layer_dropout(0.5) |>
    layer_dense(2, activation = "tanh", use_bias = FALSE) |>
    layer_dense(1) |>
    layer_activation("sigmoid")
  p <- picture_of(model)
  w <- get_weights(model)
  expect_identical(p$columns$name, c("inputs", "relu", "tanh", "sigmoid"))
  expect_identical(p$edges$label[1:12], formatC(as.vector(w[[1]]), digits = 2, format = "f"))
  expect_identical(p$units$bias, c(rep("", 4), rep("0.00", 3), "", "", "0.00"))
  encode <- layer_dense(units = 2)
  input <- layer_input(shape = 3)
  tied <- keras_model(input, layer_tied_dense(encode(input), tied_to = encode))
  expect_identical(picture_of(tied)$units$x, rep(0:2, c(3, 2, 3)) + 0)
  for (method in both) expect_silent(draws(plot_network(model, method = method)))
})

test_that("networks of all sizes are drawn by both methods", {
  for (method in both) {
    for (x in list(matrix(0, 1, 1), matrix(rnorm(12), 3), network_of(40, list(2, relu(), 20, softmax())),
      network_of(1, rep(list(1, linear()), 9)))) {
      expect_silent(draws(plot_network(x, method = method)))
    }
    expect_silent(draws(plot_network(matrix(1:40, 40), inputs = paste("word", 1:40), outputs = "a long name",
      method = method)))
    expect_silent(draws(plot_network(matrix(1:4, 2, dimnames = list(c("a", "b"), NULL)), method = method)))
  }
  network <- network_of(2, list(1, linear()))
  expect_identical(draws(plot_network(network, method = "base")), list(value = network, visible = FALSE))
})

test_that("what cannot be drawn is refused", {
  expect_error(plot_network("a"), "`plot_network()`: `x` must be a network", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(plot_network(network_of(784, list(10, softmax()))),
    "too big to draw: `layer 1` has 784 inputs and 10 units, but 40", class = "nativenet_error_value")
  expect_error(plot_network(matrix(1, 2, 41)), "too big to draw", class = "nativenet_error_value")
  expect_error(plot_network(matrix(c(1, NA), 2)), "not all finite", class = "nativenet_error_nan")
  lstm <- keras_model_sequential(input_shape = c(3, 2)) |> layer_lstm(2, name = "memory") |> layer_dense(1)
  expect_error(plot_network(lstm), "only dense layers in a row can be drawn, but `memory` is of another kind",
    class = "nativenet_error_value")
  expect_error(plot_network(keras_model_sequential(input_shape = 3) |> layer_dropout(0.5)), "no dense layer",
    class = "nativenet_error_value")
  expect_error(plot_network(keras_model_sequential() |> layer_dense(1)), class = "nativenet_error_unbuilt")
  input <- layer_input(shape = 3)
  branches <- keras_model(input, list(layer_dense(input, 2), layer_dense(input, 4)))
  expect_error(plot_network(branches), "does not follow", class = "nativenet_error_shape")
  expect_error(plot_network(matrix(1, 2, 2), inputs = "a"), "`inputs` must be 2 strings, numbers or classes, not \"a\"",
    class = "nativenet_error_shape")
  expect_error(plot_network(matrix(1, 2, 2), outputs = letters), "`outputs` must be 2 strings, numbers or classes",
    class = "nativenet_error_shape")
  expect_error(plot_network(matrix(1, 2, 2), digits = -1), "`digits`", class = "nativenet_error_value")
})
