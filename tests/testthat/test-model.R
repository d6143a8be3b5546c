# Sequences, models as functions, weights.

net <- function() keras_model_sequential(input_shape = 4) |> layer_dense(3, activation = "tanh", name = "a") |>
  layer_dense(2, name = "b")
forward <- function(w, x) rows_plus(tanh(rows_plus(x %*% w[[1]], w[[2]])) %*% w[[3]], w[[4]])

test_that("a sequence changes in place, with both pipes, and returns itself invisibly", {
  `%>%` <- magrittr::`%>%`
  model <- keras_model_sequential()
  expect_invisible(model %>% layer_dense(3, input_shape = 2))
  model |> layer_dense(1, activation = "sigmoid")
  expect_length(model$layers, 2)
  expect_identical(dim(model$output), c(NA, 1L))
  same <- model %>% layer_dense(5)
  expect_length(model$layers, 3)
  expect_identical(same$output, model$output)
  model$add(layer_dense(units = 6))
  expect_identical(model$output_shape, c(NA, 6L))
})

test_that("a model's inputs keep the dtype that they have", {
  inner <- keras_model_sequential() |> layer_dense(3, dtype = "float64", input_shape = 4)
  outer <- keras_model_sequential(input_shape = 4, dtype = "float64") |> layer_activation("linear", dtype = "float64")
  outer$add(inner)
  x <- matrix(rnorm(20), 5)
  y <- x %*% get_weights(inner)[[1]]
  for (model in list(inner, outer)) {
    expect_equal(as.array(model(x)), y, tolerance = 1e-14)
    expect_equal(as.array(model(tensor(x, "float64"))), y, tolerance = 1e-14)
    expect_equal(predict(model, x), y, tolerance = 1e-14)
  }
})

test_that("layers may come as a list; the input's shape from the model, the first layer or the data", {
  from_list <- keras_model_sequential(list(layer_dense(units = 3, input_shape = 4), layer_dense(units = 1)))
  expect_identical(dim(from_list$output), c(NA, 1L))
  expect_identical(lapply(from_list$weights, dim), list(c(4L, 3L), 3L, c(3L, 1L), 1L))
  batch <- keras_model_sequential() |> layer_dense(3, batch_input_shape = c(NA, 4))
  expect_identical(dim(batch$input), c(NA, 4L))
  begun <- keras_model_sequential(list(layer_input(4, dtype = "float64", name = "start"), layer_dense(units = 3)))
  expect_identical(begun$input$name, "start")
  expect_identical(begun$input$dtype, "float64")
  expect_identical(dim(begun$weights[[1]]), c(4L, 3L))
  again <- unserialize_model(serialize_model(begun))
  expect_identical(again$input$name, "start")
  expect_identical(predict(again, matrix(1:8, 2)), predict(begun, matrix(1:8, 2)))
  expect_error(keras_model_sequential(list(layer_dense(units = 3), layer_input(4))), "must be layers",
    class = "nativenet_error_value")
  open <- keras_model_sequential() |> layer_dense(3)
  expect_length(open$weights, 0)
  expect_identical(dim(predict(open, matrix(1, 5, 7))), c(5L, 3L))
  expect_identical(dim(open$weights[[1]]), c(7L, 3L))
})

test_that("models compute what their layers' formulas say", {
  in_float64(model <- net())
  x <- matrix(rnorm(20), 5)
  expect_equal(predict(model, x), forward(get_weights(model), x), tolerance = 1e-12)
  expect_equal(as.array(model(x)), predict(model, x), tolerance = 1e-12)
  expect_identical(predict(model, as.data.frame(x)), predict(model, x))
  expect_identical(as.array(model(as.data.frame(x))), as.array(model(x)))
})

test_that("a prediction of a row does not depend on how many rows come with it", {
  set.seed(1)
  in_float64(model <- net())
  x <- matrix(rnorm(4000), 1000)
  all <- predict(model, x, batch_size = 32)
  expect_equal(all, forward(get_weights(model), x), tolerance = 1e-12)
  for (size in c(1, 7, 1000)) expect_equal(predict(model, x[1:40, ], batch_size = size), all[1:40, ], tolerance = 1e-14)
  expect_equal(predict(model, x[1, , drop = FALSE]), all[1, , drop = FALSE], tolerance = 1e-14)
  run <- autograph(function(x) model(x))
  for (n in c(32, 1, 7, 1000)) expect_equal(as.array(run(tensor(x[seq_len(n), , drop = FALSE], "float64"))),
    all[seq_len(n), , drop = FALSE], tolerance = 1e-14)
})

test_that("models and layers of sequences run with steps of any number", {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_gru(4, return_sequences = TRUE) |> layer_dense(2)
  x <- array(rnorm(60), c(2, 10, 3))
  long <- predict(model, x)
  expect_identical(dim(long), c(2L, 10L, 2L))
  expect_equal(predict(model, x[, 1:4, ]), long[, 1:4, ], tolerance = 1e-5)
})

test_that("gradients towards a model's weights are right, and an optimizer steps by them", {
  in_float64(model <- net())
  x <- matrix(rnorm(20), 5)
  y <- matrix(rnorm(10), 5)
  w <- get_weights(model)
  loss <- function(w) mean((forward(w, x) - y)^2)
  numeric <- lapply(seq_along(w), function(k) {
    g <- w[[k]]
    for (i in seq_along(g)) {
      at <- function(d) loss(replace(w, k, list(replace(w[[k]], i, w[[k]][i] + d))))
      g[i] <- (at(1e-5) - at(-1e-5)) / 2e-5
    }
    g
  })
  with(gradient_tape() %as% tape, value <- op_mean((model(tensor(x, "float64")) - tensor(y, "float64"))^2))
  expect_equal(as.array(value), loss(w), tolerance = 1e-12)
  gradients <- tape$gradient(value, model$trainable_weights)
  expect_equal(lapply(gradients, as.array), numeric, tolerance = 1e-6, ignore_attr = TRUE)
  optimizer_sgd(learning_rate = 0.5)$apply_gradients(Map(list, gradients, model$trainable_weights))
  expect_equal(get_weights(model), Map(function(w, g) w - 0.5 * g, w, numeric), tolerance = 1e-6, ignore_attr = TRUE)
})

test_that("a step of one's own inside autograph() trains as the same step outside", {
  in_float64({
    one <- net()
    two <- net()
  })
  set_weights(two, get_weights(one))
  x <- tensor(matrix(rnorm(20), 5), "float64")
  y <- tensor(matrix(rnorm(10), 5), "float64")
  stepper <- function(model) {
    optimizer <- optimizer_adam(learning_rate = 0.01)
    function(x, y) {
      with(gradient_tape() %as% tape, loss <- op_mean((model(x) - y)^2))
      optimizer$apply_gradients(Map(list, tape$gradient(loss, model$trainable_weights), model$trainable_weights))
      loss
    }
  }
  plain <- stepper(one)
  fast <- autograph(stepper(two))
  a <- vapply(1:5, function(i) as.array(plain(x, y)), 0)
  b <- vapply(1:5, function(i) as.array(fast(x, y)), 0)
  expect_lt(a[5], a[1])
  expect_equal(b, a, tolerance = 1e-12)
  expect_equal(get_weights(two), get_weights(one), tolerance = 1e-12)
})

test_that("weights are copied out and in, checked before anything changes", {
  model <- net()
  w <- get_weights(model)
  expect_identical(lapply(w, dim), list(c(4L, 3L), 3L, c(3L, 2L), 2L))
  expect_identical(names(coef(model)), c("a/kernel", "a/bias", "b/kernel", "b/bias"))
  expect_identical(unname(coef(model)), w)
  expect_invisible(set_weights(model, lapply(w, `*`, 2)))
  expect_equal(get_weights(model), lapply(w, `*`, 2), tolerance = 1e-7)
  fails <- function(weights, message, class) expect_error(set_weights(model, weights), message, fixed = TRUE,
    class = class)
  fails(rev(w), "array 1 of `weights` must have the shape (4, 3) of `a/kernel`, not (2)", "nativenet_error_shape")
  fails(list(w[[1]] * 0, w[[2]], w[[3]], 1:3), "array 4 of `weights` must have the shape (2) of `b/bias`, not (3)",
    "nativenet_error_shape")
  fails(w[1:2], "`weights` must have 4 arrays for `sequential", "nativenet_error_shape")
  fails(replace(w, 2, list(letters[1:3])), "`set_weights()`: `weights[[2]]` must be a numeric", "nativenet_error_value")
  fails(3, "`weights` must be a list of arrays, not 3", "nativenet_error_value")
  expect_error(set_weights(model), "`weights` must be given", class = "nativenet_error_value")
  expect_equal(get_weights(model), lapply(w, `*`, 2), tolerance = 1e-7)
  set_weights(model, list(tensor(w[[1]]), w[[2]], w[[3]], as.vector(w[[4]])))
  expect_equal(get_weights(model), w, tolerance = 1e-7)
  for (bad in list("a", c(TRUE, FALSE), 2)) expect_error(get_weights(model, bad), "`trainable` must be TRUE or FALSE",
    class = "nativenet_error_value")
  expect_error(get_weights(3), "must be a model or a layer, not 3", class = "nativenet_error_value")
})

test_that("freezing some layers makes the others trainable, as in Keras, and unfreezing some freezes the others", {
  model <- keras_model_sequential(input_shape = 3)
  for (name in c("a", "b", "c", "d")) model <- layer_dense(model, 3, name = name)
  trainable <- function() paste(vapply(model$layers, function(l) if (l$trainable) l$name else "-", ""), collapse = "")
  after <- function(code, expected) {
    force(code)
    expect_identical(trainable(), expected)
  }
  after(freeze_weights(model, from = -2), "ab--")
  after(freeze_weights(model, to = 1), "-bcd")
  after(unfreeze_weights(model, from = "c"), "--cd")
  after(unfreeze_weights(model, from = "b", to = "c"), "-bc-")
  after(freeze_weights(model, which = ~ .x$name %in% c("a", "d")), "-bc-")
  after(unfreeze_weights(model, which = c(TRUE, FALSE, FALSE, TRUE)), "a--d")
  after(freeze_weights(model, from = model$layers[[2]], to = model$layers[[2]]), "a-cd")
  after(unfreeze_weights(model, which = model$layers[[2]]), "-b--")
  after(unfreeze_weights(model, which = list(get_layer(model, "d"), "a")), "a--d")
  after(freeze_weights(model), "----")
  after(unfreeze_weights(model), "abcd")
  outer <- keras_model_sequential(list(model, layer_dense(units = 1, name = "top")), input_shape = 3)
  freeze_weights(model, which = "a")
  after(unfreeze_weights(outer, which = 1), "abcd") # those of a model within, too
  after(freeze_weights(outer, from = 1, to = 1), "----")
  after(freeze_weights(outer, which = "top"), "abcd")
  expect_error(freeze_weights(model, from = 1, which = 2), "cannot be given together", class = "nativenet_error_value")
  expect_identical(trainable(), "abcd")
})

test_that("frozen layers keep their weights in training, others learn", {
  in_float64(model <- net())
  counts <- function() c(length(model$trainable_weights), length(get_weights(model, trainable = FALSE)))
  expect_identical(counts(), c(4L, 0L))
  expect_invisible(freeze_weights(model, to = "a"))
  expect_identical(counts(), c(2L, 2L))
  x <- matrix(rnorm(20), 5)
  y <- matrix(rnorm(10), 5)
  compile(model, optimizer_sgd(learning_rate = 0.1), "mse")
  before <- get_weights(model)
  fit(model, x, y, epochs = 1, batch_size = 5, verbose = 0)
  after <- get_weights(model)
  expect_identical(after[1:2], before[1:2])
  h <- tanh(rows_plus(x %*% before[[1]], before[[2]]))
  expect_equal(after[[3]], before[[3]] - 0.1 * t(h) %*% (2 * (forward(before, x) - y) / 10), tolerance = 1e-9)
  expect_output(summary(model), "Trainable params: 8\nNon-trainable params: 15", fixed = TRUE)
  unfreeze_weights(model)
  expect_identical(counts(), c(4L, 0L))
  for (which in list(2, -1, "b", list("b"), function(l) l$name == "b")) {
    freeze_weights(model, which = which)
    expect_identical(vapply(model$layers, function(l) l$trainable, NA), c(TRUE, FALSE))
    unfreeze_weights(model, from = 1)
  }
  freeze_weights(model, which = c("a", "b"))
  expect_identical(counts(), c(0L, 4L))
  freeze_weights(get_layer(unfreeze_weights(model), "a"))
  expect_identical(counts(), c(2L, 2L))
  fails <- function(code, message, class = "nativenet_error_value") expect_error(code, message, fixed = TRUE,
    class = class)
  fails(freeze_weights(model, from = "b", to = "a"), "`from` (layer 2) must not come after `to` (layer 1)")
  fails(freeze_weights(model, from = 3), "`from` must lie in 1 .. 2, not be 3")
  fails(freeze_weights(model, which = "c"), "there is no layer `c`", "nativenet_error_member")
  fails(freeze_weights(model, which = NA), "`which` must be a finite number, not NA")
  fails(freeze_weights(keras_model_sequential()), "has no layers yet")
  fails(freeze_weights(3), "must be a model or a layer, not 3")
})

test_that("layers are found by name and number", {
  model <- net()
  expect_identical(get_layer(model, "b")$name, "b")
  expect_identical(get_layer(model, index = 1)$name, "a")
  expect_identical(get_layer(model, -1)$name, "b")
  expect_identical(model$get_layer("a")$name, "a")
  expect_identical(get_layer(model, "b")$weights[[1]], model$weights[[3]])
  fails <- function(code, message, class = "nativenet_error_value") expect_error(code, message, fixed = TRUE,
    class = class)
  fails(get_layer(model, "hidden"), "`get_layer()`: there is no layer `hidden`; there is `a`, `b`",
    "nativenet_error_member")
  for (i in list(0, 3, 1.5)) fails(get_layer(model, i), "`index` must lie in 1 .. 2")
  for (bad in list(NA, TRUE, c("a", "b"), list("a"))) fails(get_layer(model, bad), "`name` must be a single string")
  fails(get_layer(model), "`name` or `index` must be given")
  fails(get_layer(3, "a"), "`object` must be a model, not 3")
  fails(get_layer(keras_model_sequential(), 1), "has no layers yet")
})

test_that("pop_layer takes the last layer off, and another can follow", {
  model <- net()
  w <- get_weights(model)
  expect_invisible(pop_layer(model))
  expect_identical(dim(model$output), c(NA, 3L))
  expect_identical(get_weights(model), w[1:2])
  model |> layer_dense(5)
  expect_identical(dim(predict(model, matrix(1, 2, 4))), c(2L, 5L))
  expect_identical(get_weights(model)[1:2], w[1:2])
  pop_layer(pop_layer(model))
  expect_error(pop_layer(model), "`pop_layer()`: the model has no layers yet", fixed = TRUE,
    class = "nativenet_error_value")
  model |> layer_dense(1, input_shape = 2)
  expect_error(pop_layer(3), "must come from `keras_model_sequential()`, not be 3", fixed = TRUE,
    class = "nativenet_error_value")
})

test_that("what a layer more or less costs does not grow with the sequence: its plan waits until it is asked for", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2)
  self <- environment(model)$self
  for (i in 1:3) {
    model |> layer_dense(2)
    expect_null(self$plan$made)
  }
  expect_equal(dim(model(matrix(0, 4, 2))), c(4, 2))
  expect_length(self$plan$made$steps, 4)
  pop_layer(model)
  expect_null(self$plan$made)
  expect_length(get_weights(model), 6)
  expect_equal(predict(model, matrix(0, 4, 2)), matrix(0, 4, 2))
  expect_error(layer_dense(model, 2, name = self$inputs[[1]]$node$layer$name), "names must differ")
})

test_that("parameters are counted, in models, layers and nested models, each once", {
  model <- net()
  expect_equal(count_params(model), 4 * 3 + 3 + 3 * 2 + 2)
  expect_equal(count_params(get_layer(model, "a")), 15)
  outer <- keras_model_sequential(list(model, layer_dense(units = 1)))
  expect_equal(count_params(outer), 23 + 3)
  i <- layer_input(4)
  expect_equal(count_params(keras_model(i, layer_add(list(model(i), model(i))))), 23)
  expect_error(count_params(layer_dense(units = 1)), "has no weights yet", class = "nativenet_error_unbuilt")
  expect_error(count_params("a"), "must be a model or a layer", class = "nativenet_error_value")
})

test_that("a layer that fails leaves the sequence as it was", {
  model <- net()
  w <- get_weights(model)
  expect_error(model |> layer_lstm(2), "needs an input of shape (batch, timesteps, features), not (None, 2)",
    fixed = TRUE, class = "nativenet_error_shape")
  expect_error(model |> layer_reshape(7), "does not fill", class = "nativenet_error_shape")
  expect_error(model |> layer_dense(1, name = "a"), "has a layer `a` already", class = "nativenet_error_value")
  expect_error(model |> layer_dense(-3), "`units` must be a positive whole number, not -3",
    class = "nativenet_error_value")
  expect_error(model$add(model), "cannot be a layer of itself", class = "nativenet_error_value")
  expect_length(model$layers, 2)
  expect_identical(get_weights(model), w)
  fresh <- keras_model_sequential(input_shape = 4)
  expect_error(fresh |> layer_lstm(2), class = "nativenet_error_shape")
  fresh |> layer_dense(2)
  expect_length(fresh$layers, 1)
  open <- keras_model_sequential()
  holder <- keras_model_sequential(list(open))
  expect_error(open$add(open), "cannot be a layer of itself", class = "nativenet_error_value")
  expect_error(open$add(holder), "cannot be a layer of itself", class = "nativenet_error_value")
})

test_that("a model keeps its ends when it or its layers are called elsewhere", {
  model <- net()
  i <- layer_input(4)
  outer <- keras_model(i, layer_dense(model(i), 1))
  expect_identical(model$input_shape, c(NA, 4L))
  expect_identical(model$output_shape, c(NA, 2L))
  expect_identical(outer$output_shape, c(NA, 1L))
  model |> layer_dense(5)
  expect_identical(dim(predict(model, matrix(1, 2, 4))), c(2L, 5L))
  elsewhere <- get_layer(model, "a")(layer_input(4))
  pop_layer(pop_layer(model))
  expect_identical(dim(predict(model, matrix(1, 2, 4))), c(2L, 3L))
  # models hold models, not copies of them
  expect_error(predict(outer, matrix(1, 2, 4)), "was built for inputs of shape (None, 2), not (None, 3)", fixed = TRUE,
    class = "nativenet_error_shape")
})

test_that("a layer may stand in two models if the shapes agree", {
  d <- layer_dense(units = 2)
  one <- keras_model_sequential(input_shape = 3)
  one$add(d)
  two <- keras_model_sequential(input_shape = 3)
  two$add(d)
  expect_identical(one$weights, two$weights)
  three <- keras_model_sequential(input_shape = 5)
  expect_error(three$add(d), "was built for inputs of shape (None, 3), not (None, 5)", fixed = TRUE,
    class = "nativenet_error_shape")
})

test_that("members can be read and set as far as they should", {
  model <- net()
  expect_identical(model[["layers"]], model$layers)
  expect_null(model$optimizer)
  model$optimizer <- optimizer_adam()
  expect_identical(model$optimizer$name, "Adam")
  compile(model, "sgd", "mse")
  model$optimizer <- "adam"
  expect_identical(model$optimizer$name, "Adam")
  expect_error(model$optimizer <- 3, "`optimizer` must be a name", class = "nativenet_error_value")
  expect_error(model$foo, "a model has no member `$foo`", fixed = TRUE, class = "nativenet_error_member")
  expect_error(model$optimiser, "did you mean `optimizer`", class = "nativenet_error_member")
  expect_error(model$layers <- 3, "`$layers` of a model cannot be set", fixed = TRUE, class = "nativenet_error_member")
  expect_error(model$stop_training <- 3, "must be TRUE or FALSE", class = "nativenet_error_value")
  expect_error(model[1], "a model is a function", class = "nativenet_error_member")
  expect_error(model[[1]], "must be a single string, not 1; layers are numbered in `$layers[[1]]`", fixed = TRUE,
    class = "nativenet_error_value")
})

test_that("models refuse what they cannot take", {
  model <- net()
  x <- matrix(1, 2, 4)
  fails <- function(code, message, class = "nativenet_error")
    expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
  fails(model(), "`x` must be given")
  fails(model(list(x, x)), "`x` must have 1 array (`a_input`), not 2")
  fails(model(x, x), "unused argument a matrix of shape (2, 4)")
  fails(model(matrix(1, 2, 5)), "was built for inputs of shape (None, 4), not (None, 5)", "nativenet_error_shape")
  fails(model("a"), "`x` must be a numeric or logical array, not \"a\"")
  fails(model(x, training = "a"), "`training` must be TRUE or FALSE, not \"a\"")
  fails(predict(model), "`predict()`: `x` must be given")
  fails(predict(model, layer_input(4)), "`predict()`: a symbolic tensor has no numbers")
  fails(predict(model, matrix(1, 3, 5)), "`predict()`: `x` must have the shape (None, 4)", "nativenet_error_shape")
  fails(predict(model, 1:4), "not (4, 1)", "nativenet_error_shape")
  fails(predict(model, array(0, c(0, 4))), "`predict()`: `x` has no samples")
  fails(predict(model, iris), "`predict()`: `x` must hold numbers, but column `Species` is a factor")
  fails(predict(model, data.frame(1, 2, 3, word = "a")), "column `word` is \"a\"")
  fails(predict(model, replace(x, 2, NA)), "`predict()`: `x`: the data contain NA at position 2")
  fails(predict(model, model), "not a model")
  for (size in list(0, -1, "a", 2.5)) fails(predict(model, x, batch_size = size),
    "`batch_size` must be a positive whole number")
})

test_that("tokens and labels outside the range are named, with the function that was called", {
  inner <- keras_model_sequential() |> layer_embedding(5, 2, input_length = 2)
  model <- keras_model_sequential() |> layer_embedding(5, 2) |> layer_lstm(2) |> layer_dense(3, activation = "softmax")
  wrapped <- keras_model_sequential(list(inner, layer_flatten(), layer_dense(units = 3, activation = "softmax")))
  for (m in list(model, wrapped)) compile(m, "adam", "sparse_categorical_crossentropy")
  x <- matrix(9L, 1, 2)
  fails <- function(code, message) expect_error(code, message, fixed = TRUE, class = "nativenet_error_index")
  fails(predict(model, x), "`predict()`: `x` holds the token 9")
  fails(evaluate(model, x, 1, verbose = 0), "`evaluate()`: `x` holds the token 9")
  fails(fit(model, x, 1, verbose = 0), "`fit()`: `x` holds the token 9")
  fails(fit(model, x * 0L, 3, verbose = 0), "`fit()`: `y` holds the label 3")
  fails(predict(wrapped, x), "outside the classes or rows there are")
  model$name <- "mine"
  fails(model(x), "`mine()`: ")
})

test_that("layers of several outputs do not fit into a sequence", {
  fails <- function(code) expect_error(code, "`rnn` has several outputs, which a sequence cannot take", fixed = TRUE,
    class = "nativenet_error_value")
  states <- function(model) layer_lstm(model, 2, return_state = TRUE, name = "rnn")
  fails(states(keras_model_sequential(input_shape = c(NA, 3))))
  fails(states(keras_model_sequential(input_shape = c(NA, 3)) |> layer_dense(3)))
  open <- keras_model_sequential()
  states(open)
  fails(predict(open, array(0, c(1, 2, 3))))
})

test_that("constructors check their arguments", {
  fails <- function(code, message) expect_no_warning(expect_error(code, message, fixed = TRUE,
    class = "nativenet_error_value"))
  for (bad in list(3, "a", function(x) x, layer_input(4))) fails(keras_model_sequential(bad),
    "`layers` must be a list of layers, not")
  fails(keras_model_sequential(list(layer_dense(units = 1), NULL)), "`layers` must be layers, not NULL")
  for (name in list(3, NA, c("a", "b"))) fails(keras_model_sequential(name = name),
    "`keras_model_sequential()`: `name` must be a single string")
  fails(keras_model_sequential(name = ""), "`name` must not be empty")
  for (shape in list("a", 0, 2.5, 3e9, -2)) fails(keras_model_sequential(input_shape = shape),
    "`input_shape` must hold positive whole numbers")
  fails(keras_model_sequential(dtype = "a"), "`dtype` must be one of")
  fails(keras_model_sequential(shape = 3), "there is no argument `shape`")
})

test_that("models that were not built say so", {
  open <- keras_model_sequential() |> layer_dense(3)
  empty <- keras_model_sequential()
  for (f in list(tidy, glance, coef, plot, get_weights, count_params)) {
    for (model in list(open, empty)) expect_error(f(model), "not built", class = "nativenet_error_unbuilt")
  }
  for (f in list(function(m) predict(m, matrix(1, 1, 2)), function(m) m(matrix(1, 1, 2)), function(m)
    m(layer_input(2)))) {
    expect_error(f(empty), "the model has no layers yet", class = "nativenet_error_value")
  }
  expect_output(print(open), "<no summary available: the model was not built (1 layer so far)>", fixed = TRUE)
  expect_output(print(empty), "<no summary available: the model was not built>", fixed = TRUE)
})

test_that("what means nothing is refused by name", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  expect_refusal(set_weights(model, NaN), "value", "`weights`")
  expect_refusal(get_layer(model, name = globalenv(), index = 1), "value", "`name`")
  expect_refusal(freeze_weights(model, which = expression(1)), "value", "`which`")
  expect_refusal(predict_on_batch(1, diag(2)), "value", "`predict_on_batch()`: `object` must be a model, not 1")
  expect_refusal(layer_lambda(diag(2), function(x) x, output_shape = "a"), "value", "`output_shape`")
  compile(model, "sgd", "mse")
  expect_refusal(evaluate(model, diag(2), 1:2, sample_weight = factor(c("u", "v"))), "value", "`sample_weight`",
    "factor")
  path <- save_model(model, tempfile())
  for (own in list("a", list(1), list(sum), list(a = 1), globalenv()))
    expect_refusal(load_model(path, custom_objects = own), "value", "`custom_objects` must be a named list")
})
