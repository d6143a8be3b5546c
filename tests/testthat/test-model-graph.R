# Graphs of layers: several inputs and outputs, shared layers, models in models.

test_that("an auto-encoder, its encoder and its decoder share their weights", {
  in_float64({
    input <- layer_input(5)
    code <- input |> layer_dense(2, activation = "tanh")
    decode <- layer_dense(units = 5)
    whole <- keras_model(input, decode(code))
    encoder <- keras_model(input, code)
    code_input <- layer_input(2)
    decoder <- keras_model(code_input, decode(code_input))
  })
  x <- matrix(rnorm(20), 4)
  w <- get_weights(whole)
  expect_identical(get_weights(encoder), w[1:2])
  expect_identical(get_weights(decoder), w[3:4])
  expect_equal(predict(encoder, x), tanh(rows_plus(x %*% w[[1]], w[[2]])), tolerance = 1e-12)
  expect_equal(predict(decoder, predict(encoder, x)), predict(whole, x), tolerance = 1e-12)
  compile(whole, optimizer_sgd(learning_rate = 0.1), "mse")
  fit(whole, x, x, epochs = 2, verbose = 0)
  expect_identical(c(get_weights(encoder), get_weights(decoder)), get_weights(whole))
  expect_gt(max(abs(get_weights(encoder)[[1]] - w[[1]])), 0)
  expect_equal(predict(decoder, predict(encoder, x)), predict(whole, x), tolerance = 1e-12)
})

test_that("several inputs and outputs, in order or by name", {
  in_float64({
    a <- layer_input(2, name = "age")
    b <- layer_input(3, name = "income")
    h <- layer_concatenate(list(a, b))
    left <- h |> layer_dense(1, name = "left")
    right <- layer_multiply(list(b, layer_dense(a, 3, name = "gate")), name = "right")
    model <- keras_model(list(a, b), list(left, right))
  })
  x <- matrix(rnorm(8), 4)
  y <- matrix(rnorm(12), 4)
  w <- coef(model)
  expect_setequal(names(w), c("left/kernel", "left/bias", "gate/kernel", "gate/bias"))
  wanted <- list(rows_plus(cbind(x, y) %*% w[["left/kernel"]], w[["left/bias"]]),
    y * rows_plus(x %*% w[["gate/kernel"]], w[["gate/bias"]]))
  close <- function(got) expect_equal(unname(lapply(got, as.array)), wanted, tolerance = 1e-12)
  close(predict(model, list(x, y)))
  close(predict(model, list(income = y, age = x)))
  close(model(list(x, y)))
  close(model(list(income = y, age = x)))
  fails <- function(code, message, class = "nativenet_error")
    expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
  for (call in list(model, function(x) predict(model, x))) {
    fails(call(x), "`x` must have 2 arrays (`age`, `income`), not 1")
    fails(call(list(x, y, y)), "not 3")
    fails(call(list(age = x, incme = y)), "`x` names `incme`, which the model does not have; did you mean `income`?")
  }
  fails(predict(model, list(y, x)), "`x` must have the shape (None, 2) of `age`, not (4, 3)", "nativenet_error_shape")
  fails(predict(model, list(x, y[1:3, ])), "`age` has 4 samples, but `x` for `income` has 3", "nativenet_error_shape")
  fails(model(list(x, NULL)), "a list with a NULL")
})

test_that("losses of several outputs add up, weighted, and so do their gradients in shared layers", {
  in_float64({
    input <- layer_input(3)
    h <- input |> layer_dense(2, use_bias = FALSE, name = "shared")
    model <- keras_model(input, list(layer_dense(h, 1, use_bias = FALSE, name = "p"),
      layer_dense(h, 2, use_bias = FALSE, name = "q")))
  })
  x <- matrix(rnorm(12), 4)
  y <- list(matrix(rnorm(4), 4), matrix(rnorm(8), 4))
  w <- coef(model)
  k <- w[["shared/kernel"]]
  out <- list(w[["p/kernel"]], w[["q/kernel"]])
  compile(model, optimizer_sgd(learning_rate = 0.1), "mse", loss_weights = c(1, 0.25))
  residual <- Map(function(v, y) x %*% k %*% v - y, out, y)
  expect_equal(unname(unlist(evaluate(model, x, y, verbose = 0)))[1:3],
    c(mean(residual[[1]]^2) + 0.25 * mean(residual[[2]]^2), mean(residual[[1]]^2), mean(residual[[2]]^2)),
    tolerance = 1e-9)
  fit(model, x, y, epochs = 1, batch_size = 4, verbose = 0)
  g <- t(x) %*% (2 * residual[[1]] / 4) %*% t(out[[1]]) + 0.25 * t(x) %*% (2 * residual[[2]] / 8) %*% t(out[[2]])
  expect_equal(coef(model)[["shared/kernel"]], k - 0.1 * g, tolerance = 1e-9)
})

test_that("a layer that is called twice has one set of weights, and both calls count in its gradient", {
  in_float64({
    a <- layer_input(3)
    b <- layer_input(3)
    shared <- layer_dense(units = 2, use_bias = FALSE)
    model <- keras_model(list(a, b), layer_subtract(list(shared(a), shared(b))))
  })
  expect_length(model$weights, 1)
  x <- matrix(rnorm(12), 4)
  y <- matrix(rnorm(12), 4)
  z <- matrix(rnorm(8), 4)
  k <- get_weights(model)[[1]]
  expect_equal(predict(model, list(x, y)), (x - y) %*% k, tolerance = 1e-12)
  compile(model, optimizer_sgd(learning_rate = 0.1), "mse")
  fit(model, list(x, y), z, epochs = 1, batch_size = 4, verbose = 0)
  expect_equal(get_weights(model)[[1]], k - 0.1 * t(x - y) %*% (2 * ((x - y) %*% k - z) / 8), tolerance = 1e-9)
})

test_that("models in models: weights, training, freezing", {
  in_float64({
    inner <- keras_model_sequential(input_shape = 3, name = "inner") |> layer_dense(2, activation = "tanh") |>
      layer_dropout(0.5)
    outer <- keras_model_sequential(list(inner, layer_dense(units = 1)))
  })
  x <- matrix(rnorm(15), 5)
  w <- get_weights(outer)
  expect_identical(w[1:2], get_weights(inner))
  expect_equal(predict(outer, x), rows_plus(tanh(rows_plus(x %*% w[[1]], w[[2]])) %*% w[[3]], w[[4]]),
    tolerance = 1e-12)
  set.seed(1)
  # training reaches the inner dropout
  expect_gt(max(abs(as.array(outer(x, training = TRUE)) - predict(outer, x))), 1e-3)
  compile(outer, optimizer_sgd(learning_rate = 0.1), "mse")
  fit(outer, x, matrix(0, 5, 1), epochs = 1, verbose = 0)
  expect_gt(max(abs(get_weights(inner)[[1]] - w[[1]])), 0)
  freeze_weights(outer, to = "inner")
  expect_length(outer$trainable_weights, 2)
  compile(outer, optimizer_sgd(learning_rate = 0.1), "mse")
  before <- get_weights(inner)
  fit(outer, x, matrix(0, 5, 1), epochs = 1, verbose = 0)
  expect_identical(get_weights(inner), before)
})

test_that("models have inputs that are outputs, outputs twice, and begin in the middle of a graph", {
  input <- layer_input(3)
  h <- layer_dense(input, 2)
  y <- layer_dense(h, 1)
  x <- matrix(rnorm(6), 2)
  same <- predict(keras_model(input, list(input, h, h)), x)
  expect_equal(same[[1]], x, tolerance = 1e-7)
  expect_identical(same[[2]], same[[3]])
  whole <- keras_model(input, y)
  rest <- keras_model(h, y)
  expect_equal(predict(rest, same[[2]]), predict(whole, x), tolerance = 1e-6)
  probe <- keras_model(whole$input, get_layer(whole, index = 2)$output)
  expect_equal(predict(probe, x), same[[2]], tolerance = 1e-7)
})

test_that("the nodes of a graph are found along its longest paths, of thousands of layers, too", {
  self <- environment(layer_dense(units = 1))$self
  call <- function(inputs) {
    node <- new_node(self, inputs, list())
    node$outputs <- keras_tensor(c(NA, 1), "float32", node)
  }
  input <- layer_input(1)
  x <- input
  for (i in 1:2000) x <- call(list(x, call(x))) # a short and a long way to each
  nodes <- nodes_between(list(input), list(x))
  expect_length(nodes, 4001)
  expect_identical(vapply(nodes, function(n) n$number, 0), nodes[[1]]$number + 0:4000)
})

test_that("sizes that are not known stay so through layers", {
  s <- layer_input(c(NA, 4))
  expect_identical(dim(layer_lstm(s, 3, return_sequences = TRUE)), c(NA, NA, 3L))
  expect_identical(dim(layer_lstm(s, 3)), c(NA, 3L))
  expect_identical(dim(layer_add(list(s, s))), c(NA, NA, 4L))
  expect_identical(dim(layer_embedding(layer_input(NA, dtype = "int32"), 7, 3)), c(NA, NA, 3L))
  expect_identical(dim(layer_input(list(NULL, 4))), c(NA, NA, 4L))
  expect_identical(dim(layer_input(c(-1, 4))), c(NA, NA, 4L))
  expect_identical(dim(layer_input(batch_shape = c(32, 4))), c(32L, 4L))
  expect_output(print(s), "<symbolic tensor of shape (None, None, 4), float32, from layer input_", fixed = TRUE)
})

test_that("a model that was saved by R works in another process", {
  skip_if_not_installed("callr")
  embed <- layer_input(6, dtype = "int32")
  y <- embed |> layer_embedding(9, 3, mask_zero = TRUE) |> layer_lstm(4) |> layer_dense(2, activation = "softmax")
  model <- keras_model(embed, list(y, layer_lambda(y, function(p) 1 - p)))
  compile(model, "adam", list("categorical_crossentropy", "mse"))
  x <- matrix(c(1:6, 3, 2, 0, 0, 0, 0), 2, byrow = TRUE)
  wanted <- predict(model, x)
  path <- tempfile(fileext = ".rds")
  on.exit(unlink(path))
  saveRDS(model, path)
  got <- callr::r(function(path, x) {
    model <- readRDS(path)
    first <- stats::predict(model, x)
    text <- utils::capture.output(print(model))
    generics::fit(model, x, list(matrix(c(1, 0, 0, 1), 2), matrix(0, 2, 2)), epochs = 1, verbose = 0)
    list(first, text, identical(first, stats::predict(model, x)))
  }, list(path, x))
  expect_equal(got[[1]], wanted, tolerance = 1e-7)
  expect_identical(got[[2]], capture.output(print(model)))
  expect_false(got[[3]])
  again <- readRDS(path)
  expect_equal(predict(again, x), wanted, tolerance = 1e-7)
})

test_that("inputs, outputs and names of keras_model() are checked", {
  i <- layer_input(4)
  j <- layer_input(5)
  y <- layer_dense(i, 2)
  fails <- function(code, message) expect_no_warning(expect_error(code, paste0("`keras_model()`: ", message),
    fixed = TRUE, class = "nativenet_error_value"))
  fails(keras_model(), "`inputs` must be given")
  fails(keras_model(i), "`outputs` must be given")
  for (bad in list(3, matrix(1, 2, 2), layer_dense(units = 1), "a", NULL)) {
    fails(keras_model(bad, y), "`inputs` must be symbolic tensors, as `layer_input()` and layers give, not")
    if (!is.null(bad)) fails(keras_model(i, bad),
      "`outputs` must be symbolic tensors, as `layer_input()` and layers give, not")
  }
  fails(keras_model(i, list(y, NULL)),
    "`outputs` must be symbolic tensors, as `layer_input()` and layers give, not NULL")
  fails(keras_model(list(), y), "`inputs` must hold at least one symbolic tensor")
  fails(keras_model(i, list()), "`outputs` must hold at least one symbolic tensor")
  fails(keras_model(list(i, i), y), "`inputs` has the same tensor twice")
  fails(keras_model(i, layer_dense(j, 2)), paste0("the outputs depend on `", j$node$layer$name,
    "`, which is not among the inputs"))
  fails(keras_model(y, i), "the outputs depend on")
  fails(keras_model(i, y, foo = 3), "unused argument `foo`")
  fails(keras_model(i, y, 3), "unused argument 3")
  fails(keras_model(i, y, name = 3), "`name` must be a single string, not 3")
  fails(keras_model(i, layer_dense(layer_dense(i, 2, name = "same"), 2, name = "same")),
    "two layers have the name `same`; names must differ")
})

test_that("layer_input() checks its arguments", {
  fails <- function(code, message) expect_no_warning(expect_error(code, paste0("`layer_input()`: ", message),
    fixed = TRUE, class = "nativenet_error_value"))
  fails(layer_input(), "`shape` must be given")
  for (shape in list("a", 0, -3, 2.5, 3e9, Inf, TRUE, list("a"), mean, matrix(0.5, 3, 4)))
    fails(layer_input(shape), "`shape` must hold positive whole numbers, or NA for any size")
  fails(layer_input(c(2, 2.5)), "`shape` must hold positive whole numbers, or NA for any size, not (2, 2.5)")
  fails(layer_input(rep(2, 12)), "`shape` must have at most 7 axes")
  for (name in list(3, NA)) fails(layer_input(4, name = name), "`name` must be a single string")
  fails(layer_input(4, name = ""), "`name` must not be empty")
  fails(layer_input(4, dtype = "foo"), "`dtype` must be one of")
  fails(layer_input(4, sparse = TRUE), "`sparse`, `ragged` and `tensor` are not supported")
})

test_that("symbolic tensors have no numbers, and say what to do instead", {
  i <- layer_input(4)
  for (f in list(as.array, tensor, variable, function(x) tf$Variable(x), function(x) layer_dense(x, units = x))) {
    expect_error(f(i), "a symbolic tensor has no numbers; layers and ops take it", class = "nativenet_error_traced")
  }
  expect_error(i$foo, "a symbolic tensor has no member `$foo`", fixed = TRUE, class = "nativenet_error_member")
  expect_error(layer_lambda(f = function(x, k) x)(i, k = i), "unused argument `k`", class = "nativenet_error")
})

test_that("a model from the middle of a graph has the layers after it only", {
  x <- matrix(rnorm(20), 5)
  input <- layer_input(4)
  code <- input |> layer_dense(2, name = "code")
  output <- code |> layer_dense(3, name = "h") |> layer_dense(1, name = "y")
  decoder <- keras_model(code, output)
  expect_equal(count_params(decoder), 2 * 3 + 3 + 3 + 1)
  whole <- keras_model(input, output)
  encoder <- keras_model(input, code)
  expect_equal(predict(decoder, predict(encoder, x)), predict(whole, x), tolerance = 1e-6)
  expect_identical(decoder$weights, whole$weights[3:6])
})

test_that("an open size is NULL, NA or -1, and no string", {
  for (shape in list(NA_character_, NaN, c("a", NA))) {
    expect_refusal(layer_input(shape), "value", "`layer_input()`: `shape`")
    expect_refusal(op_dropout(array(1, 2), 0.5, noise_shape = shape), "value", "`noise_shape`")
  }
  for (shape in list(NA, NA_integer_, NA_real_, -1, list(NULL))) expect_identical(dim(layer_input(shape)),
    c(NA, NA_integer_))
})
