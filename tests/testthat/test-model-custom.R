# Models of a function.

test_that("the layers that the function stores are the model's, and train", {
  model <- keras_model_custom(function(self) {
    self$hidden <- layer_dense(units = 3, activation = "tanh")
    self$drop <- layer_dropout(rate = 0.9)
    self$out <- layer_dense(units = 1)
    function(inputs, mask = NULL, training = FALSE) {
      h <- self$hidden(inputs)
      if (training) h <- h * 0
      self$out(h)
    }
  }, name = "mine")
  x <- matrix(sin(1:12), 4)
  model |> compile(optimizer_sgd(0.1), "mse")
  before <- predict(model, x)
  w <- get_weights(model)
  expect_length(w, 4)
  expect_equal(before, tanh(x %*% w[[1]] + rep(w[[2]], each = 4)) %*% w[[3]] + c(w[[4]]), tolerance = 1e-5)
  fit(model, x, c(1, 2, 3, 4), epochs = 1, verbose = 0)
  expect_identical(get_weights(model)[1:3], w[1:3]) # as `training` was TRUE
  expect_false(identical(get_weights(model)[[4]], w[[4]]))
  expect_identical(model$layers[[1]]$hidden$units, 3L)
  expect_error(keras_model_custom(function(self) 1), "must be a function", class = "nativenet_error_value")
})
