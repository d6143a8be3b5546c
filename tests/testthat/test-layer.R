# What all layers share: names, weights, calls, masks, errors.

test_that("layers are named by their class and counted; k_clear_session() begins again", {
  k_clear_session()
  expect_identical(layer_dense(units = 1)$name, "dense")
  expect_identical(layer_dense(units = 1)$name, "dense_1")
  expect_identical(layer_simple_rnn(units = 1)$name, "simple_rnn")
  expect_identical(layer_activation_leaky_relu()$name, "leaky_re_lu")
  expect_identical(layer_input(2)$node$layer$name, "input_1")
  expect_identical(layer_input(2)$node$layer$name, "input_2")
  expect_identical(layer_dense(units = 1, name = "mine")$name, "mine")
  k_clear_session()
  expect_identical(layer_dense(units = 1)$name, "dense")
  expect_identical(layer_input(2)$node$layer$name, "input_1")
})

test_that("a layer is built by its first input; called twice it shares its weights; two layers do not", {
  d <- layer_dense(units = 3)
  expect_false(d$built)
  expect_identical(d$weights, list())
  x <- matrix(rnorm(8), 2)
  first <- as.array(d(x))
  w <- d$get_weights()
  expect_identical(lapply(d$weights, dim), list(c(4L, 3L), 3L))
  expect_identical(as.array(d(x)), first)
  expect_identical(d$get_weights(), w)
  expect_false(isTRUE(all.equal(as.array(layer_dense(x, 3)), first)))
  expect_identical(d$count_params(), 15)
  d$set_weights(list(w[[1]] * 2, 1:3))
  expect_equal(as.array(d(x)), rows_plus(2 * x %*% w[[1]], 1:3), tolerance = 1e-6)
})

test_that("layers take a data frame of numbers, a list of one tensor, and whole-number doubles", {
  d <- layer_dense(units = 2)
  x <- data.frame(a = c(1, 2), b = c(3L, 4L))
  expect_identical(as.array(d(x)), as.array(d(unname(as.matrix(x)))))
  expect_identical(as.array(d(list(as.matrix(x)))), as.array(d(x)))
})

test_that("the dtype of a layer is that of its weights and results", {
  expect_identical(tensor_dtype(layer_dense(matrix(1, 1, 2), 1)), "float32")
  d <- layer_dense(units = 1, dtype = "float64")
  expect_identical(tensor_dtype(d(tensor(matrix(1, 1, 2), "float32"))), "float64")
  expect_identical(tensor_dtype(d$weights[[1]]), "float64")
  in_float64(expect_identical(tensor_dtype(layer_dense(matrix(1, 1, 2), 1)), "float64"))
})

test_that("weights given to a layer are what it starts from", {
  w <- list(matrix(c(1, 2), 2), 3)
  expect_identical(as.array(layer_dense(matrix(1, 1, 2), 1, weights = w)), matrix(6))
  expect_error(layer_dense(matrix(1, 1, 2), 1, weights = w[1]), "must have 2 arrays", class = "nativenet_error_shape")
})

test_that("trainable = FALSE takes weights out of trainable_weights, not out of weights", {
  d <- layer_dense(units = 1, trainable = FALSE)
  d(matrix(1, 1, 2))
  expect_length(d$trainable_weights, 0)
  expect_length(d$non_trainable_weights, 2)
  d[["trainable"]] <- TRUE
  expect_length(d$trainable_weights, 2)
  expect_length(d$weights, 2)
})

test_that("activity regularizers are divided by the number of rows", {
  in_float64({
    model <- keras_model_sequential(input_shape = 2) |>
      layer_dense(2, activity_regularizer = regularizer_l2(0.5), weights = list(matrix(1:4, 2), c(1, -1)))
    compile(model, optimizer_sgd(), "mse")
  })
  x <- matrix(c(1, 2, 3, 4, 5, 6), 3)
  y <- matrix(0, 3, 2)
  z <- rows_plus(x %*% matrix(1:4, 2), c(1, -1))
  expect_equal(evaluate(model, x, y, verbose = 0)[["loss"]], mean(z^2) + 0.5 * sum(z^2) / 3, tolerance = 1e-9)
})

test_that("a mask follows the tensor; a layer that gives its input back takes it from nobody", {
  k_clear_session()
  set.seed(1)
  x <- matrix(c(1L, 2L, 0L, 0L, 3L, 4L, 5L, 0L), 2, byrow = TRUE)
  embed <- layer_embedding(input_dim = 6, output_dim = 3, mask_zero = TRUE)
  read <- layer_lstm(units = 2)
  alone <- as.array(read(embed(x)))
  # only the real steps count
  expect_equal(as.array(read(embed(x[1, 1:2, drop = FALSE]))), alone[1, , drop = FALSE], tolerance = 1e-6)
  input <- layer_input(4, dtype = "int32")
  e <- embed(input)
  same <- layer_lambda(e, function(x) x) # without a mask of its own, and read first
  both <- keras_model(input, list(layer_flatten(same), read(e)))
  expect_equal(predict(both, x)[[2]], alone, tolerance = 1e-6)
  # and it ends there
  ended <- keras_model(input, read(same))
  expect_gt(max(abs(predict(ended, x) - alone)), 1e-3)
  # eagerly: the mask that travels, and one that is given
  expect_equal(as.array(read(tensor(as.array(embed(x))), mask = x != 0)), alone, tolerance = 1e-6)
})

test_that("masks pass dense layers, dropout, activations, sums and nested models", {
  x <- matrix(c(1L, 2L, 0L, 0L, 3L, 4L, 5L, 0L), 2, byrow = TRUE)
  embed <- layer_embedding(input_dim = 6, output_dim = 3, mask_zero = TRUE)
  dense <- layer_dense(units = 3, activation = "tanh")
  drop <- layer_dropout(rate = 0.5)
  act <- layer_activation(activation = "relu")
  read <- layer_gru(units = 2)
  input <- layer_input(4, dtype = "int32")
  inner <- keras_model(input, act(drop(dense(embed(input)))))
  flat <- predict(keras_model(input, read(inner(input))), x)
  w <- c(embed$get_weights(), dense$get_weights())
  h <- pmax(tanh(rows_plus(w[[1]][c(2, 3), ] %*% w[[2]], w[[3]])), 0) # tokens 1 and 2 of the first row
  expect_equal(as.array(read(array(h, c(1, 2, 3)))), flat[1, , drop = FALSE], tolerance = 1e-5)
  merged <- keras_model(input, read(layer_add(list(inner(input), inner(input)))))
  expect_equal(predict(merged, x)[1, ], as.array(read(array(2 * h, c(1, 2, 3))))[1, ], tolerance = 1e-5)
})

test_that("masking leaves steps out that have the mask's value throughout", {
  read <- layer_simple_rnn(units = 2)
  x <- array(rnorm(12), c(2, 3, 2))
  x[1, 3, ] <- -1
  x[2, 2, 1] <- -1 # only one feature: a real step
  y <- as.array(read(layer_masking(x, mask_value = -1)))
  expect_equal(y[1, ], as.array(read(x[1, 1:2, , drop = FALSE]))[1, ], tolerance = 1e-6)
  expect_equal(y[2, ], as.array(read(x[2, , , drop = FALSE]))[1, ], tolerance = 1e-6)
})

test_that("training given in a graph holds there, also after saving", {
  input <- layer_input(20)
  model <- keras_model(input, layer_dropout(rate = 0.5)(input, training = TRUE))
  x <- matrix(1, 1, 20)
  set.seed(1)
  first <- predict(model, x)
  expect_setequal(as.vector(first), c(0, 2))
  path <- tempfile(fileext = ".safetensors")
  on.exit(unlink(path))
  save_model(model, path)
  set.seed(1)
  expect_identical(predict(load_model(path), x), first)
  expect_identical(as.array(layer_dropout(rate = 0.5)(x)), x)
})

test_that("printing names class, name and weights; unknown members get a hint", {
  k_clear_session()
  d <- layer_dense(units = 3)
  expect_output(print(d), "<Dense layer dense> not built yet", fixed = TRUE)
  d(matrix(0, 1, 2))
  expect_output(print(d), "<Dense layer dense>\n  dense/kernel (2, 3)\n  dense/bias (3)", fixed = TRUE)
  expect_error(d$unit, "a Dense layer has no member `$unit`; did you mean `units`", fixed = TRUE,
    class = "nativenet_error_member")
  expect_error(d[1], "is a function", class = "nativenet_error_member")
  expect_error(d[[1]], "must be a single string, not 1; weights are numbered", class = "nativenet_error_value")
  expect_error(d + 1, "`+`: there is no arithmetic with a Dense layer", fixed = TRUE, class = "nativenet_error_value")
  expect_error(d$units <- 4, "cannot be set", class = "nativenet_error_member")
  expect_error(d$name <- 5, "`name` must be a single string, not 5", fixed = TRUE)
  expect_error(d$trainable <- "a", "`trainable` must be TRUE or FALSE", fixed = TRUE)
})

# Each of these is a worded error of ours.
expect_worded <- function(code, message, class = "nativenet_error") {
  expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
}

test_that("options are checked when the layer is made, and the function named", {
  x <- matrix(1, 2, 4)
  expect_worded(layer_dense(x), "`layer_dense()`: `units` must be given")
  expect_worded(layer_dense(x, 3, foo = 1), "`layer_dense()`: there is no argument `foo`")
  expect_worded(layer_dense(x, 3, NULL, TRUE, "ones", "zeros", NULL, NULL, NULL, NULL, NULL, 5),
    "takes no further argument without a name, such as 5")
  expect_worded(layer_dense(x, 3, name = 5), "`layer_dense()`: `name` must be a single string, not 5")
  expect_worded(layer_dense(x, 3, name = ""), "`layer_dense()`: `name` must not be empty")
  expect_worded(layer_dense(x, 3, trainable = "no"), "`trainable` must be TRUE or FALSE, not \"no\"")
  expect_worded(layer_dense(x, 3, dtype = "int32"), "`dtype` must be one of \"float32\", \"float64\"")
  for (shape in list("a", 0, -2, 2.5, 3e9, Inf, mean, list("a"))) {
    expect_worded(layer_dense(units = 3, input_shape = shape),
      "`layer_dense()`: `input_shape` must hold positive whole numbers, or NA for any size")
  }
  expect_worded(layer_dense(units = 3, input_shape = rep(2, 9)), "at most 7 axes")
  expect_worded(layer_dense(units = 3, batch_input_shape = "a"), "`batch_input_shape` must hold")
})

test_that("what a layer is called on is checked, and the layer named", {
  d <- layer_dense(units = 3, name = "d")
  x <- matrix(1, 2, 4)
  d(x)
  expect_worded(d(), "`d()`: `x` must be given")
  expect_worded(d(NULL), "`d()`: is called on nothing")
  expect_worded(d(list()), "`d()`: is called on nothing")
  expect_worded(d(list(x, NULL)), "`d()`: is called on a list with a NULL")
  expect_worded(d(list(x, x)), "`d()`: takes one tensor, not a list of 2")
  expect_worded(d(x, x), "`d()`: unused argument a matrix of shape (2, 4)")
  expect_worded(d(x, foo = 3), "`d()`: unused argument `foo`")
  expect_worded(d(x, training = NA), "`d()`: `training` must be TRUE or FALSE, not NA")
  expect_worded(d(x, mask = "a"), "`d()`: `mask` must be a numeric or logical array, not \"a\"")
  for (bad in list("a", matrix("a", 2, 4), mean, globalenv(), quote(a), 1i, factor(1:4), optimizer_adam())) {
    expect_worded(d(bad), "`d()`: `x` must be a numeric or logical array, not")
  }
  expect_worded(d(iris), "`d()`: `x` must hold numbers, but column `Species` is a factor")
  expect_worded(d(matrix(1, 2, 5)), "was built for inputs of shape (None, 4), not (None, 5)", "nativenet_error_shape")
  expect_worded(layer_dense(5, 3), "needs an input of at least two axes", "nativenet_error_shape")
  expect_worded(layer_dense(layer_dense(units = 2), 3), "not on a Dense layer")
  input <- layer_input(4)
  expect_worded(layer_dense(keras_model(input, d(input)), 3), "not on a model; call it on the model's `$output`")
  expect_worded(d(input, mask = x), "takes no `mask` with symbolic tensors")
  expect_worded(layer_add(list(input, x)), "is called on a mixture of symbolic tensors and a matrix of shape (2, 4)")
})

test_that("arguments of Keras that change nothing are taken, and refused with values that would", {
  x <- array(1, c(1, 2, 3))
  ones <- function(...) as.array(layer_lstm(units = 1, kernel_initializer = "ones", recurrent_initializer = "ones",
    ...)(x))
  expect_identical(ones(implementation = 2L, use_cudnn = "auto", seed = 1), ones())
  expect_true(is_layer(layer_dense(units = 1, lora_rank = NULL, autocast = TRUE)))
  expect_refusal(layer_dense(units = 1, lora_rank = 4), "value",
    "`layer_dense()`: `lora_rank` must be NULL here, not 4")
  expect_refusal(layer_batch_normalization(renorm = TRUE), "value", "`renorm` must be NULL or FALSE here, not TRUE")
  expect_refusal(optimizer_adam(gradient_accumulation_steps = 4), "value", "`optimizer_adam()`",
    "`gradient_accumulation_steps`")
  expect_identical(loss_mean_squared_error(dtype = "float32"), loss_mean_squared_error())
  model <- keras_model_sequential() |> layer_dense(1, input_dim = 2)
  compile(model, optimizer_sgd(jit_compile = TRUE, loss_scale_factor = NULL), "mse", jit_compile = "auto")
  fit(model, matrix(1, 2, 2), 1:2, epochs = 1, verbose = 0, workers = 2, max_queue_size = 10, validation_freq = 1)
  expect_refusal(fit(model, matrix(1, 2, 2), 1:2, validation_freq = 2), "value", "`fit()`: `validation_freq`")
  expect_identical(dim(predict(model, matrix(1, 2, 2), workers = 1)), c(2L, 1L))
})

test_that("`input_dim` is the older way to say the shape of a row", {
  expect_identical(keras_model_sequential()$add(layer_dense(units = 3, input_dim = 5))$input_shape, c(NA, 5L))
  model <- keras_model_sequential() |> layer_gru(2, input_dim = 3, input_length = 4, return_sequences = TRUE)
  expect_identical(model$output_shape, c(NA, 4L, 2L))
  expect_identical((keras_model_sequential() |> layer_simple_rnn(2, input_dim = 3))$input_shape, c(NA, NA, 3L))
  expect_refusal(layer_dense(units = 1, input_dim = 2, input_shape = 2), "value", "only one of")
  expect_refusal(layer_dense(units = 1, input_dim = 0), "value", "`input_dim`")
  expect_identical(dim(layer_input(shape = 3, batch_size = 2)), c(2L, 3L))
  expect_error(layer_input(shape = 3, batch_size = 2, batch_shape = c(2, 3)), "only one of")
})

test_that("layers and models tell what shape they would give", {
  dense <- layer_dense(units = 4)
  expect_identical(dense$compute_output_shape(list(NULL, 3L)), c(NA, 4L))
  expect_false(dense$built)
  expect_identical(layer_concatenate()$compute_output_shape(list(list(NULL, 3L), list(NULL, 4L))), c(NA, 7L))
  expect_identical(layer_lstm(units = 3, return_sequences = TRUE)$compute_output_shape(shape(NULL, 5, 2)),
    c(NA, 5L, 3L))
  model <- keras_model_sequential(input_shape = c(8, 8, 1)) |> layer_conv_2d(2, 3)
  expect_identical(model$compute_output_shape(list(NULL, 8L, 8L, 1L)), c(NA, 6L, 6L, 2L))
  expect_null(dense$compute_mask(matrix(1, 1, 3)))
  expect_error(model$to_yaml(), class = "nativenet_error")
  expect_error(model$export("x"), "save_model", class = "nativenet_error_missing")
})
