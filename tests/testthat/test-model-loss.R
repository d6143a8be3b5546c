# Losses and metrics besides those of the outputs.

x <- matrix(sin(1:24), 6)

#' An autoencoder whose code is penalised.
penalised <- function() {
  input <- layer_input(4)
  code <- layer_dense(input, 2)
  model <- keras_model(input, layer_dense(code, 4))
  model$add_loss(0.5 * k_mean(k_square(code)))
  model$add_metric(k_mean(code, axis = -1), name = "code", aggregation = "mean")
  model
}
code_of <- function(model, x) x %*% get_weights(model)[[1]] + rep(get_weights(model)[[2]], each = nrow(x))

test_that("symbolic tensors are added to the loss and reported", {
  model <- penalised()
  model |> compile("sgd", "mse")
  code <- code_of(model, x)
  scores <- evaluate(model, x, x, batch_size = 6, verbose = 0)
  expect_named(scores, c("loss", "code"))
  expect_equal(scores$loss, mean((predict(model, x) - x)^2) + 0.5 * mean(code^2), tolerance = 1e-6)
  expect_equal(scores$code, mean(code), tolerance = 1e-3)
  model |> compile(optimizer_sgd(0.1))
  before <- get_weights(model)[[1]]
  expect_warning(first <- train_on_batch(model, x), "no gradient for") # the layer behind has no loss now
  expect_equal(first$loss, 0.5 * mean(code^2), tolerance = 1e-6)
  expect_equal(get_weights(model)[[1]], before - 0.1 * t(x) %*% code / length(code), tolerance = 1e-5)
  expect_named(fit(model, x, epochs = 1, verbose = 0, validation_split = 0.5)$metrics,
    c("loss", "code", "val_loss", "val_code"))
  batches <- tensor_slices_dataset(x) |> dataset_batch(3)
  expect_length(fit(model, batches, epochs = 2, verbose = 0)$metrics$loss, 2)
  whole <- keras_model(model$input, model(model$input) * 2) # a model within another brings its losses along
  whole |> compile("sgd")
  expect_equal(evaluate(whole, x, verbose = 0)[["loss"]], evaluate(model, x, verbose = 0)[["loss"]])
})

test_that("ends are saved with the model, functions are told of", {
  model <- penalised()
  model |> compile("sgd", "mse")
  again <- unserialize_model(serialize_model(model))
  expect_identical(evaluate(again, x, x, verbose = 0), evaluate(model, x, x, verbose = 0))
  model$layers[[2]]$add_loss(function() 1)
  expect_warning(serialize_model(model), "add them again", class = "nativenet_warning_custom")
})

test_that("functions are called in each step, and weights learn from them", {
  dense <- layer_dense(units = 2, use_bias = FALSE)
  model <- keras_model_sequential(input_shape = 4) |> dense()
  model |> compile(optimizer_sgd(0.25))
  dense$add_loss(function() k_sum(k_square(dense$weights[[1]])))
  model$add_loss(function() 3)
  before <- get_weights(model)[[1]]
  expect_equal(train_on_batch(model, x)[["loss"]], sum(before^2) + 3, tolerance = 1e-6)
  expect_equal(get_weights(model)[[1]], before / 2, tolerance = 1e-6)
})

test_that("outputs without a loss are not trained on, and custom layers report", {
  input <- layer_input(4)
  layer_report <- new_layer_class("Report", call = function(inputs) {
    self$add_loss(k_mean(inputs))
    self$add_metric(k_max(inputs), name = "largest")
    inputs
  })
  model <- keras_model(input, list(a = layer_dense(input, 1), b = layer_report(input)))
  model |> compile("sgd", loss = list(a = "mse"), metrics = list(b = "mae"))
  scores <- evaluate(model, x, list(x[, 1], 0 * x), verbose = 0)
  expect_named(scores, c("loss", "b_mae", "largest"))
  expect_equal(scores$loss, mean((predict(model, x)[[1]] - x[, 1])^2) + mean(x), tolerance = 1e-6)
  expect_equal(c(scores$b_mae, scores$largest), c(mean(abs(x)), max(x)), tolerance = 1e-6)
})

test_that("what is no loss is refused", {
  refused <- function(code, text) expect_error(code, text, class = "nativenet_error")
  input <- layer_input(4)
  dense <- layer_dense(units = 1)
  model <- keras_model(input, dense(input))
  refused(model$add_loss(k_square(input)), "a loss must be a scalar, as `k_mean\\(x\\)` gives, not of shape \\(None")
  refused(dense$add_loss(k_mean(input)), "belongs to a model's graph")
  refused(model$add_loss(k_mean(layer_input(2))), "which is not among the inputs")
  refused(model$add_metric(input, name = "a", aggregation = "sum"), "`aggregation`")
  refused(model$add_loss(function(x) x), "without arguments")
  model |> compile("sgd")
  refused(fit(model, x, verbose = 0), "nothing to minimise")
  model |> compile("sgd", metrics = "mae")
  refused(fit(model, x, verbose = 0), "`y` must be given")
})

test_that("an input may be read by add_loss() alone; one that nothing reads is told in training", {
  x <- layer_input(2)
  target <- layer_input(1, name = "target")
  y <- layer_dense(x, 1, use_bias = FALSE, kernel_initializer = "ones")
  model <- keras_model(list(x, target), y)
  compile(model, optimizer_sgd(0.1))
  d <- matrix(c(1, 2, 3, 4), 2)
  t <- c(3, 5)
  expect_equal(predict(model, list(d, t)), cbind(rowSums(d)), tolerance = 1e-6)
  compile(model, optimizer_sgd(0.1), "mse")
  expect_warning(fit(model, list(d, t), rowSums(d), epochs = 1, verbose = 0),
    "no output and no loss depends on `target`", class = "nativenet_warning_inputs")
  model$add_loss(k_mean(k_square(y - target)))
  compile(model, optimizer_sgd(0.1))
  expect_no_warning(fit(model, list(d, t), epochs = 1, batch_size = 2, verbose = 0))
  expect_equal(get_weights(model)[[1]], cbind(1 - 0.1 * 2 * colMeans((rowSums(d) - t) * d)), tolerance = 1e-6)
  expect_equal(model$history$metrics$loss, mean((rowSums(d) - t)^2), tolerance = 1e-6)
  expect_equal(as.numeric(model$losses), numeric()) # those of the graph belong to a step
})
