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
  expect_identical(model$hidden$units, 3L)
  expect_identical(model$name, "mine")
  expect_length(model$layers, 3)
  expect_error(keras_model_custom(function(self) 1), "must be a function", class = "nativenet_error_value")
})

test_that("it takes lists and further arguments, and gives lists", {
  encoder <- keras_model_custom(function(self) {
    self$gru <- layer_gru(units = 3, return_sequences = TRUE, return_state = TRUE)
    self$embedding <- layer_embedding(input_dim = 5, output_dim = 2)
    function(inputs, mask = NULL) {
      c(output, state) %<-% self$gru(self$embedding(inputs[[1]]), initial_state = inputs[[2]])
      list(output, state)
    }
  })
  c(output, state) %<-% encoder(list(matrix(c(1, 2, 3, 4), 2), k_zeros(c(2, 3))))
  expect_identical(dim(output), c(2L, 2L, 3L))
  expect_equal(as.array(state), as.array(output)[, 2, ])
  judge <- keras_model_custom(function(self) {
    self$out <- layer_dense(units = 1, kernel_initializer = "ones")
    function(x, y, mask = NULL, training = TRUE) self$out(k_concatenate(list(x, y))) + training
  })
  x <- tensor(matrix(1, 2, 2), "float32")
  expect_equal(c(as.array(judge(x, x * 2))), c(6, 6))
  expect_equal(c(as.array(judge(x, x * 2, training = TRUE))), c(7, 7))
})
