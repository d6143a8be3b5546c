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

test_that("members are those of Python", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, name = "a") |> layer_dense(1, name = "b")
  expect_identical(model$get_layer(index = 0)$name, "a")
  expect_identical(c(model$get_layer(1L)$name, model$get_layer(index = -1)$name, model$get_layer("b")$name),
    c("b", "b", "b"))
  expect_identical(get_layer(model, index = 1)$name, "a")
  expect_refusal(model$get_layer(index = 2), "value", "`index` must lie in 0 .. 1, as Python counts")
  dense <- model$layers[[1]]
  expect_identical(dense$get_input_shape_at(0), c(NA, 3L))
  expect_identical(dense$get_output_shape_at(0), c(NA, 2L))
  twice <- layer_dense(units = 4)
  first <- twice(layer_input(2))
  second <- twice(layer_input(2))
  expect_identical(twice$get_output_at(1), second)
  expect_identical(twice$get_output_at(0), first)
  expect_refusal(twice$get_input_at(2), "index", "`node_index` must be below 2")
  name_of <- function(x) x$`__class__`$`__name__`
  Mine <- new_layer_class("Mine", call = function(x) x)
  expect_identical(vapply(list(dense, model, optimizer_adam(), loss_huber(), metric_auc(), Mine()), name_of, ""),
    c("Dense", "Sequential", "Adam", "Huber", "AUC", "Mine"))
  dense$built <- TRUE
  fresh <- layer_dense(units = 1)
  expect_refusal(fresh$built <- TRUE, "member", "`$build(input_shape)`")
  adam <- optimizer_adam()
  model$optimizer <- adam
  expect_identical(model$optimizer, adam)
  tokens <- matrix(c(1, 0, 2, 2), 2)
  embed <- layer_embedding(input_dim = 3, output_dim = 2, mask_zero = TRUE)
  expect_identical(as.array(embed(tokens)$`_keras_mask`), tokens != 0)
  expect_null(dense(matrix(1, 1, 3))$`_keras_mask`)
  input <- layer_input(2)
  mask <- keras_model(input, embed(input)$`_keras_mask`)
  expect_identical(mask(tokens)$dtype$name, "bool")
})

test_that("a sequence knows its batch size and the name of its input", {
  make <- function(...) keras_model_sequential(...) |> layer_dense(2)
  for (model in list(make(batch_input_shape = c(5, 3)), make(input_shape = 3, batch_size = 5), make(input_shape = 3,
    input_batch_size = 5))) expect_identical(dim(model$input), c(5L, 3L))
  expect_identical(make(input_shape = 3, input_name = "numbers")$input_names, "numbers")
  stateful <- keras_model_sequential(batch_input_shape = c(2, 3, 1)) |> layer_lstm(4, stateful = TRUE)
  expect_identical(dim(stateful$output), c(2L, 4L))
})

test_that("metrics of several outputs may be vectors in a list", {
  input <- layer_input(3)
  model <- keras_model(input, list(layer_dense(input, 1, name = "p"), layer_dense(input, 1, name = "q")))
  names_of <- function(metrics) {
    compile(model, "sgd", "mse", metrics = metrics)
    names(evaluate(model, diag(3), list(1:3, 1:3), verbose = 0))[-(1:3)]
  }
  expect_identical(names_of(list("mae", c("mse", "mape"))), c("p_mae", "q_mse", "q_mape"))
  expect_identical(names_of(list("mae", "mse")), c("p_mae", "p_mse", "q_mae", "q_mse"))
  one <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  compile(one, "sgd", "mse", metrics = list(c("mae", "mse")))
  expect_identical(one$metrics_names, c("loss", "mae", "mse"))
})

test_that("steps of models that are not built yet are compiled, and a loss of one's own is reported", {
  Own <- new_model_class("Own", initialize = function() {
    super$initialize()
    self$a <- layer_dense(units = 3)
    self$b <- layer_dense(units = 1)
  }, call = function(inputs) self$b(self$a(inputs)), compute_loss = function(x = NULL, y = NULL, y_pred = NULL,
    sample_weight = NULL, ...) 2 * k_mean(k_square(y - y_pred)))
  x <- matrix(sin(1:24), 8)
  y <- matrix(cos(1:8))
  train <- function(model, ...) {
    compile(model, ...)
    fit(model, x, y, epochs = 2, batch_size = 4, shuffle = FALSE, verbose = 0)$metrics
  }
  model <- Own()
  expect_message(still <- train(model, optimizer_sgd(0)), NA) # would say that it runs eagerly
  expected <- 2 * mean((as.array(model(x)) - y)^2)
  expect_equal(still, list(loss = c(expected, expected)), tolerance = 1e-6)
  expect_equal(evaluate(model, x, y, verbose = 0)[["loss"]], expected, tolerance = 1e-6)
  other <- Own()
  other(x)
  set_weights(other, get_weights(model))
  expect_equal(train(model, optimizer_sgd(0.1)), train(other, optimizer_sgd(0.1), run_eagerly = TRUE), tolerance = 1e-6)
  expect_equal(get_weights(model), get_weights(other), tolerance = 1e-6)
  path <- tempfile(fileext = ".safetensors")
  fit(model, x, y, verbose = 0, callbacks = callback_model_checkpoint(path))
  expect_true(file.exists(path))
})

test_that("layer_einsum_dense() penalizes its output", {
  input <- layer_input(3)
  model <- keras_model(input, layer_einsum_dense(input, "ab,bc->ac", output_shape = 2, activity_regularizer =
    regularizer_l2(0.5)))
  y <- model(diag(3))
  expect_equal(as.numeric(model$losses[[1]]), 0.5 * sum(as.array(y)^2) / 3, tolerance = 1e-6)
})
