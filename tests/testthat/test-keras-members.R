# Members of models and layers, as Python spells them.

test_that("models and layers are built and called by members, and say what their ends are called", {
  model <- keras_model_sequential() |> layer_dense(2, name = "a") |> layer_dense(1, name = "b")
  model$build(list(NULL, 3))
  expect_identical(lapply(model$get_weights(), dim), list(c(3L, 2L), 2L, c(2L, 1L), 1L))
  expect_identical(c(model$input_names, model$output_names), c("a_input", "b"))
  x <- matrix(1:6, 2)
  expect_equal(as.array(model$call(x)), predict(model, x), tolerance = 1e-6)
  layer <- layer_dense(units = 2)
  layer$build(c(NA, 3))
  expect_identical(dim(layer$kernel), c(3L, 2L))
  expect_equal(as.array(layer$call(x)), x %*% as.array(layer$kernel), tolerance = 1e-6)
  expect_true(layer_embedding(input_dim = 3, output_dim = 2)$supports_masking)
  expect_error(layer_dense(units = 2)$build("a"), class = "nativenet_error_value")
})
