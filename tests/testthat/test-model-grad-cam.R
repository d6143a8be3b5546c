# Class activation maps, against the formula.

set.seed(1)
pictures <- array(stats::runif(3 * 64), c(3, 8, 8, 1))
network <- function(last = "softmax") keras_model_sequential(input_shape = c(8, 8, 1)) |>
  layer_conv_2d(4, 3, activation = "tanh", name = "maps") |> layer_max_pooling_2d() |> layer_flatten() |>
  layer_dense(3, activation = last)

test_that("maps are those of the formula", {
  linear <- network("linear")
  kernels <- linear$get_weights()
  maps <- as.array(get_layer(linear, "maps")(pictures))
  for (class in 0:2) {
    score <- function(maps) {
      pooled <- as.array(layer_max_pooling_2d(maps, dtype = "float64"))
      c(array_reshape(pooled, c(1, 36)) %*% kernels[[3]][, class + 1])
    }
    expected <- vapply(1:3, function(i) {
      one <- array(maps[i, , , ], c(1, 6, 6, 4))
      weights <- vapply(1:4, function(k) mean(vapply(1:36, function(p) {
        moved <- replace(one, (k - 1) * 36 + p, one[(k - 1) * 36 + p] + 1e-6)
        (score(moved) - score(one)) / 1e-6
      }, 0)), 0)
      map <- pmax(matrix(matrix(one, 36) %*% weights, 6), 0)
      map <- as.array(op_resize(array(map, c(6, 6, 1)), c(8, 8)))[, , 1]
      if (max(map) > 0) map / max(map) else map
    }, matrix(0, 8, 8))
    expect_equal(array(grad_cam(linear, pictures, class), c(3, 8, 8)), aperm(expected, c(3, 1, 2)), tolerance = 1e-3)
  }
})

test_that("the score is that before a softmax, frozen layers count, and the class is the predicted one", {
  soft <- network()
  linear <- network("linear")
  set_weights(linear, get_weights(soft))
  expect_equal(grad_cam(soft, pictures, 2), grad_cam(linear, pictures, 2), tolerance = 1e-5)
  predicted <- max.col(predict(soft, pictures)) - 1
  expect_identical(attr(grad_cam(soft, pictures), "class_index"), as.integer(predicted))
  expect_identical(grad_cam(soft, pictures), grad_cam(soft, pictures, predicted))
  second <- grad_cam(soft, pictures[2, , , , drop = FALSE], 1)
  expect_identical(grad_cam(soft, pictures[2, , , ], 1), second) # R drops axes of size 1
  expect_identical(grad_cam(soft, array(pictures[2, , , ], c(8, 8, 1)), 1), second)
  expect_identical(grad_cam(soft, pictures[, , , 1]), grad_cam(soft, pictures))
  before <- grad_cam(soft, pictures, 0)
  freeze_weights(soft)
  expect_identical(grad_cam(soft, pictures, 0), before)
  expect_identical(grad_cam(soft, pictures, 0, layer = "maps"), before)
  expect_identical(grad_cam(soft, pictures, 0, layer = 1), before)
  expect_false(identical(grad_cam(soft, pictures, 0, layer = 2), before))
})

test_that("graphs with branches and dropout work as in inference", {
  input <- layer_input(shape = c(8, 8, 1))
  maps <- input |> layer_conv_2d(4, 3, padding = "same")
  output <- layer_add(list(maps, layer_conv_2d(maps, 4, 1))) |> layer_dropout(0.5) |>
    layer_global_average_pooling_2d() |> layer_dense(1, activation = "sigmoid")
  model <- keras_model(input, output)
  expect_identical(grad_cam(model, pictures), grad_cam(model, pictures))
  expect_identical(dim(grad_cam(model, pictures)), c(3L, 8L, 8L))
})

test_that("what cannot be done is refused", {
  model <- network()
  expect_error(grad_cam(model, pictures, 3), "`class` must lie in 0 .. 2, not be 3", fixed = TRUE,
    class = "nativenet_error_index")
  expect_error(grad_cam(model, pictures, layer = "nope"), "there is no layer `nope`")
  expect_error(grad_cam(model, pictures, layer = 3), "`layer` must give maps", class = "nativenet_error_shape")
  expect_error(grad_cam(model, matrix(1, 2, 2)), class = "nativenet_error_shape")
  flat <- keras_model_sequential(input_shape = 4) |> layer_dense(2)
  expect_error(grad_cam(flat, matrix(1, 2, 4)), "no layer that gives maps", class = "nativenet_error_shape")
})
