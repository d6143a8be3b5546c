# Older names for training from generators.

test_that("generators train, evaluate and predict", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile("sgd", "mse", metrics = "mae")
  calls <- 0
  batches <- function() {
    calls <<- calls + 1
    list(matrix(c(1, 2, 3, 4), 2), c(1, 2))
  }
  history <- fit_generator(model, batches, steps_per_epoch = 3, epochs = 2, verbose = 0, validation_data = batches,
    validation_steps = 1)
  expect_named(history$metrics, c("loss", "mae", "val_loss", "val_mae"))
  expect_identical(calls, 8)
  expect_identical(evaluate_generator(model, batches, steps = 1), evaluate(model, batches, steps = 1))
  expect_equal(predict_generator(model, batches, steps = 2), predict(model, matrix(c(1, 2, 3, 4), 2))[c(1, 2, 1, 2), ,
    drop = FALSE])
  expect_error(fit_generator(3, batches), "`fit_generator()`: `object` must be a model", fixed = TRUE)
})
