test_that("a model's architecture goes through JSON: layers, connections, options, functions of one's own", {
  input <- layer_input(c(8, 8, 2), name = "picture")
  middle <- input |> layer_conv_2d(4, 3, padding = "same", use_bias = FALSE, name = "filters") |>
    layer_batch_normalization(momentum = 0.9) |> layer_activation("relu")
  double <- function(x) x * 2
  output <- layer_add(list(middle, layer_conv_2d(input, 4, 1))) |> layer_lambda(double, name = "double") |>
    layer_flatten() |> layer_dense(3, activation = "softmax", kernel_regularizer = regularizer_l2(0.01))
  model <- keras_model(input, output)
  filters <- get_layer(model, "filters")
  filters$trainable <- FALSE
  json <- model_to_json(model)
  expect_length(json, 1)
  again <- model_from_json(json, custom_objects = list(double = double))
  expect_identical(model_to_json(again), json)
  expect_length(again$trainable_weights, length(model$trainable_weights))
  expect_false(identical(get_weights(again)[[1]], get_weights(model)[[1]]))
  set_weights(again, get_weights(model))
  x <- array(sin(1:384), c(3, 8, 8, 2))
  expect_identical(predict(again, x), predict(model, x))
  expect_error(model_from_json(json), "double", class = "nativenet_error_custom")

  sequence <- keras_model_sequential(input_shape = c(5, 3)) |> bidirectional(layer_lstm(units = 4)) |> layer_dense(1)
  again <- set_weights(model_from_json(model_to_json(sequence)), get_weights(sequence))
  expect_identical(predict(again, x[1:3, 1:5, 1:3, 1]), predict(sequence, x[1:3, 1:5, 1:3, 1]))
})

test_that("what describes no model is refused", {
  json <- model_to_json(keras_model_sequential(input_shape = 2) |> layer_dense(1))
  for (wrong in list("", "no JSON", "{}", "[1]", '{"class_name": "Sequential", "config": {}}',
    substr(json, 1, nchar(json) - 5), sub('"dense"', '"dens"', json), sub('"model":[0-9]+', '"model":99', json),
    '{"layers":5,"model":1}', '{"layers":[{}],"model":1}')) {
    expect_error(model_from_json(wrong), class = "nativenet_error_file", info = wrong)
  }
  expect_error(model_from_json(json, custom_objects = 1), "custom_objects")
})
