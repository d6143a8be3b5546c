set.seed(1)
picture <- array(stats::runif(64), c(8, 8, 1))
network <- keras_model_sequential(input_shape = c(8, 8, 1)) |>
  layer_conv_2d(5, 3, activation = "relu", name = "maps") |>
  layer_max_pooling_2d() |> layer_flatten() |> layer_dense(3, activation = "softmax")

test_that("maps of a layer are drawn, by both methods", {
  maps <- as.array(get_layer(network, "maps")(array(picture, c(1, 8, 8, 1))))
  expected <- aperm(array(maps, c(6, 6, 5)), c(3, 1, 2))
  expect_identical(draws(plot_activations(network, picture, method = "base")), list(value = expected, visible = FALSE))
  expect_identical(draws(plot_activations(network, picture, "maps", channels = c(4, 2), method = "base"))$value,
    expected[c(4, 2), , ])
  expect_identical(dim(draws(plot_activations(network, picture, 2, method = "base"))$value), c(5L, 3L, 3L))
  ggplot_there()
  plot <- plot_activations(network, picture)
  expect_setequal(round(plot$data$fill, 5), round(c(expected), 5))
  draws(plot)
})

test_that("class activation maps are drawn below the pictures", {
  pictures <- array(rep(picture, each = 2), c(2, 8, 8, 1))
  for (method in both_methods()) draws(plot_grad_cam(network, pictures, class = 1, method = method))
  expect_identical(draws(plot_grad_cam(network, pictures, class = 1, method = "base"))$value,
    grad_cam(network, pictures, 1))
  ggplot_there()
  plot <- plot_grad_cam(network, pictures, class = c(0, 2))
  expect_identical(nrow(plot$data), 4L * 64L)
  # where the map is 0, grey is left
  marked <- grDevices::col2rgb(plot$data$fill[plot$data$row == 2 & plot$data$column == 1])
  map <- grad_cam(network, pictures, class = 0)[1, , ]
  expect_identical(c(map) == 0, marked[1, ] == marked[3, ])
})

test_that("what has no maps is refused", {
  expect_error(plot_activations(network, picture, layer = 3), "`layer` must give maps", class = "nativenet_error_shape")
  expect_error(plot_activations(network, array(0, c(2, 8, 8, 1))), "one picture", class = "nativenet_error_shape")
  expect_error(plot_activations(network, picture, channels = 9), "`channels` must be", class = "nativenet_error_index")
  expect_error(plot_activations(network, picture * NaN), class = "nativenet_error")
})
