# Layers that users define.

layer_scale <- function(style) {
  switch(style,
    argument = new_layer_class("Scale",
      initialize = function(self, factor = 1) self$factor <- factor,
      build = function(self, input_shape) self$scale <- self$add_weight("scale",
        shape = input_shape[length(input_shape)], initializer = "ones"),
      call = function(self, inputs) inputs * self$scale * self$factor
    ),
    found = new_layer_class("Scale",
      initialize = function(factor = 1) {
        super()$`__init__`()
        self$factor <- factor
      },
      build = function(input_shape) self$scale <- self$add_weight("scale", shape = input_shape[length(input_shape)],
        initializer = "ones"),
      call = function(inputs) inputs * self$scale * self$factor
    )
  )
}

test_that("methods find the layer as self, or take it as their first argument", {
  x <- matrix(c(1, 2, 3, 4), 2)
  for (style in c("argument", "found")) {
    k_clear_session()
    scale <- layer_scale(style)
    s <- scale(factor = 3)
    expect_identical(s$name, "scale")
    expect_equal(as.array(s(x)), 3 * x, tolerance = 1e-6)
    expect_identical(lapply(s$weights, dim), list(2L))
    s$set_weights(list(c(1, 10)))
    expect_equal(as.array(s(x)), 3 * x %*% diag(c(1, 10)), tolerance = 1e-6)
    expect_identical(s$factor, 3)
    expect_equal(as.array(scale(x, factor = 2)), 2 * x, tolerance = 1e-6)
    expect_identical(dim(scale(layer_input(c(NA, 5)))), c(NA, NA, 5L))
  }
})

test_that("two layers of a class share nothing", {
  scale <- layer_scale("found")
  one <- scale(factor = 1)
  two <- scale(factor = 2)
  one(matrix(1, 1, 2))
  two(matrix(1, 1, 2))
  one$set_weights(list(c(5, 6)))
  expect_identical(two$get_weights(), list(array(c(1, 1))))
  expect_identical(c(one$factor, two$factor), c(1, 2))
})

test_that("they train in a model as the formula says", {
  in_float64({
    model <- keras_model_sequential(input_shape = 3)
    layer_scale("argument")(model)
    compile(model, optimizer_sgd(learning_rate = 0.1), "mse")
  })
  x <- matrix(rnorm(12), 4)
  y <- matrix(rnorm(12), 4)
  fit(model, x, y, epochs = 1, batch_size = 4, verbose = 0, shuffle = FALSE)
  expect_equal(as.vector(get_weights(model)[[1]]), 1 - 0.1 * colSums(2 * (x - y) * x) / 12, tolerance = 1e-9)
})

test_that("layers and variables in fields are the layer's: their weights, training and freezing", {
  block <- new_layer_class("Block",
    initialize = function(units) {
      self$dense <- layer_dense(units = units, activation = "tanh")
      self$both <- list(layer_dense(units = units), layer_dropout(rate = 0.5))
      self$offset <- variable(1, "float32")
    },
    call = function(inputs, training = FALSE) self$both[[2]](self$both[[1]](self$dense(inputs)), training = training) +
    self$offset
  )
  model <- keras_model_sequential(input_shape = 3) |> block(units = 2)
  expect_length(model$weights, 5)
  expect_identical(count_params(model), 8 + 6 + 1)
  w <- get_weights(model)
  at <- function(n) w[vapply(w, function(v) length(v) == n, NA)]
  x <- matrix(rnorm(6), 2)
  d <- model$layers[[1]]$dense$get_weights()
  l <- model$layers[[1]]$both[[1]]$get_weights()
  expect_equal(predict(model, x), rows_plus(tanh(rows_plus(x %*% d[[1]], d[[2]])) %*% l[[1]], l[[2]]) + 1,
    tolerance = 1e-5)
  expect_gt(max(abs(as.array(model(x, training = TRUE)) - predict(model, x))), 1e-3)
  freeze_weights(model)
  expect_length(model$trainable_weights, 0)
  unfreeze_weights(model)
  expect_length(model$trainable_weights, 5)
})

test_that("add_loss counts in training, and add_weight's regularizer and constraint hold", {
  penalty <- new_layer_class("Penalty",
    build = function(input_shape) {
      self$w <- self$add_weight("w", input_shape[2], "ones", regularizer = regularizer_l2(0.5),
        constraint = constraint_nonneg())
    },
    call = function(inputs) {
      self$add_loss(op_sum(self$w) * 2)
      inputs * self$w
    }
  )
  in_float64({
    model <- keras_model_sequential(input_shape = 2) |> penalty()
    compile(model, optimizer_sgd(learning_rate = 10), "mse")
  })
  x <- matrix(1, 2, 2)
  expect_equal(evaluate(model, x, x, verbose = 0)[["loss"]], 0 + 2 * 2 + 0.5 * 2, tolerance = 1e-9)
  fit(model, x, x, epochs = 1, verbose = 0)
  expect_identical(as.vector(get_weights(model)[[1]]), c(0, 0)) # the step leads below 0
})

test_that("masks are given to those who ask, and computed by compute_mask", {
  see <- new_layer_class("See", call = function(inputs, mask = NULL) inputs * op_cast(op_reshape(mask, c(-1, 3, 1)),
    "float32"))
  x <- array(c(1, 0, 2, 3, 0, 0), c(2, 3, 1))
  expect_equal(as.array(see()(layer_masking(x)))[, , 1], x[, , 1], tolerance = 1e-6)
  expect_equal(as.array(see()(x, mask = matrix(c(TRUE, FALSE), 2, 3)))[, , 1], x[, , 1] * c(1, 0), tolerance = 1e-6)
  flip <- new_layer_class("Flip", call = function(inputs) inputs * 0 + 1, compute_mask = function(inputs, mask)
    op_logical_not(mask))
  expect_equal(as.array(see()(flip()(layer_masking(x + 1, mask_value = 1)))), array(as.numeric(x == 0), dim(x)),
    tolerance = 1e-6)
})

test_that("wrong classes and arguments get words", {
  x <- matrix(1, 2, 2)
  fails <- function(code, message, class = "nativenet_error_value")
    expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
  identity_call <- function(inputs) inputs
  fails(new_layer_class(), "`classname` must be given")
  fails(new_layer_class(3, call = identity_call), "`classname` must be a single string, not 3")
  fails(new_layer_class("A"), "`call` must be given")
  fails(new_layer_class("A", call = 3), "`call` must be a function, not 3")
  fails(new_layer_class("A", build = 3, call = identity_call), "`build` must be a function, not 3")
  fails(new_layer_class("A", call = identity_call, 5), "methods and fields must be named")
  plain <- new_layer_class("Plain", call = identity_call)
  fails(plain(units = 2), "`Plain()`: takes no arguments, as it has no `initialize`")
  fails(plain(x, name = 3), "`Plain()`: `name` must be a single string, not 3")
  fails(new_layer_class("A", call = function(inputs) NULL)(x, name = "n"),
    "`n()`: gave NULL where a tensor was expected")
  fails(new_layer_class("A", call = function(inputs) self$nothing)(x), "an A layer has no member `$nothing`",
    "nativenet_error_member")
  with_weight <- function(...) new_layer_class("A", build = function(input_shape) self$w <- self$add_weight(...),
    call = identity_call)(x, name = "n")
  for (shape in list("a", NA, 2.5)) fails(with_weight("w", shape), "`n()`: `shape` must be whole numbers")
  fails(with_weight(3, 2), "`n()`: `name` must be a single string, not 3")
  fails(with_weight("w", 2, "nothing"), "`w_initializer` names no initializer")
  fails(with_weight("w", 2, trainable = "a"), "`trainable` must be TRUE or FALSE")
})

test_that("a layer's weights are all that its fields hold: variables, layers and modules, in lists too", {
  pair <- nn_module("pair",
    initialize = function(self) {
      self$w <- variable(diag(2), "float32", name = "w")
      self$fixed <- variable(c(1, 1), "float32", name = "fixed", trainable = FALSE)
    },
    call = function(self, x) op_matmul(x, self$w) + self$fixed
  )
  layer_own <- new_layer_class("Own",
    initialize = function() {
      self$parts <- list(pair(), pair())
      self$dense <- layer_dense(units = 1)
      self$shift <- variable(0, "float32", name = "shift")
    },
    call = function(inputs) self$dense(self$parts[[2]](self$parts[[1]](inputs))) + self$shift
  )
  model <- keras_model_sequential(input_shape = 2) |> layer_own()
  expect_identical(c(count_params(model), length(model$trainable_weights)), c(16, 5))
  before <- get_weights(model)
  compile(model, optimizer_sgd(0.1), "mse")
  x <- matrix(c(1, 2, 3, 1, 0, 1), 3)
  fit(model, x, c(1, 2, 4), epochs = 1, verbose = 0)
  moved <- !mapply(identical, before, get_weights(model))
  expect_identical(sum(moved), 5L)
  file <- tempfile(fileext = ".safetensors")
  save_model(model, file)
  again <- load_model(file, custom_objects = list(Own = layer_own))
  expect_identical(predict(again, x), predict(model, x))
  # what a field no longer holds is no weight
  replaced <- new_layer_class("Replaced", initialize = function() {
    self$v <- variable(1, "float32")
    self$v <- variable(2, "float32")
  }, call = function(inputs) inputs * self$v)
  expect_identical(count_params(keras_model_sequential(input_shape = 1) |> replaced()), 1)
})

test_that("a module's variables are those of its layers and models, too", {
  inner <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  net <- nn_module("net",
    initialize = function(self) {
      self$first <- layer_dense(units = 3, activation = "tanh")
      self$rest <- list(inner)
    },
    call = function(self, x) self$rest[[1]](self$first(x))
  )
  module <- net()
  x <- matrix(c(1, 2, 3, 1, 0, 1), 3)
  module(x)
  expect_identical(vapply(module$trainable_variables, length, 0L), c(6L, 3L, 3L, 1L))
  expect_length(module$submodules, 3)
  tape <- gradient_tape()
  loss <- tape_record(tape, sum(module(x)^2))
  expect_true(all(lengths(tape_gradient(tape, loss, module$trainable_variables)) > 0))
  inner$trainable <- FALSE
  expect_length(module$trainable_variables, 2)
  expect_length(module$variables, 4)
  expect_length(module$non_trainable_variables, 2)
})

test_that("`dtype` of add_weight() is heard", {
  layer_typed <- new_layer_class("Typed", build = function(input_shape) {
    self$a <- self$add_weight("a", shape = 2, dtype = "float64")
    self$n <- self$add_weight("n", shape = 1, dtype = tf$int32, initializer = "zeros", trainable = FALSE)
  }, call = function(inputs) inputs * op_cast(self$a, "float32"))
  layer <- layer_typed()
  layer(matrix(1, 1, 2))
  expect_identical(vapply(layer$weights, tensor_dtype, ""), c("float64", "int32"))
})

test_that("a layer that keeps a running average trains in fit() and compiled as it does op by op", {
  Running <- new_layer_class("Running",
    build = function(input_shape) {
      self$average <- self$add_weight("average", shape = input_shape[2], initializer = "zeros", trainable = FALSE)
    },
    call = function(inputs, training = FALSE) {
      if (training) self$average$assign(0.9 * self$average + 0.1 * tf$reduce_mean(inputs, 0L))
      inputs - self$average
    })
  set.seed(1)
  x <- matrix(rnorm(64 * 4), 64)
  y <- x %*% c(1, 2, 3, 4)
  layers <- NULL
  model_of <- function() {
    set.seed(2)
    layers <<- list(layer_dense(units = 3, activation = "tanh", dtype = "float64"), Running(dtype = "float64"),
      layer_dense(units = 1, dtype = "float64"))
    input <- layer_input(4, dtype = "float64")
    model <- keras_model(input, layers[[3]](layers[[2]](layers[[1]](input))))
    compile(model, optimizer_sgd(0.01), "mse")
  }
  model <- model_of()
  fit(model, x, y, epochs = 3, batch_size = 16, shuffle = FALSE, verbose = 0)
  fitted <- get_weights(model)
  expect_gt(max(abs(fitted[[3]])), 1e-3)
  steps <- function(compiled) {
    model_of()
    sgd <- optimizer_sgd(0.01)
    step <- function(x, y) {
      with(tf$GradientTape() %as% tape, {
        h <- layers[[2]](layers[[1]](x), training = TRUE)
        loss <- tf$reduce_mean(tf$square(layers[[3]](h) - y))
      })
      weights <- c(layers[[1]]$trainable_weights, layers[[3]]$trainable_weights)
      sgd$apply_gradients(zip_lists(tape$gradient(loss, weights), weights))
      loss
    }
    if (compiled) step <- autograph(step)
    for (epoch in 1:3) for (i in split(1:64, rep(1:4, each = 16))) {
      step(as_tensor(x[i, ], "float64"), as_tensor(y[i, , drop = FALSE], "float64"))
    }
    if (compiled) expect_null(environment(step)$graph$reason)
    lapply(c(layers[[1]]$weights, layers[[2]]$weights, layers[[3]]$weights), as.array)
  }
  expect_equal(steps(FALSE), fitted, tolerance = 1e-12)
  expect_equal(steps(TRUE), fitted, tolerance = 1e-12)
})

test_that("R6 classes that inherit from KerasLayer make layers", {
  skip_if_not_installed("R6")
  Base <- R6::R6Class("Base", inherit = KerasLayer, public = list(
    units = NULL, kernel = NULL,
    initialize = function(units) self$units <- units,
    build = function(input_shape) {
      self$kernel <- self$add_weight(name = "kernel", shape = list(input_shape[[2]], self$units),
        initializer = initializer_ones(), trainable = TRUE)
    },
    compute_output_shape = function(input_shape) list(input_shape[[1]], self$units)
  ))
  Times <- R6::R6Class("Times", inherit = Base, public = list(
    call = function(x, mask = NULL) self$scaled(k_dot(x, self$kernel)),
    scaled = function(x) x * private$factor
  ), private = list(factor = 2))
  layer_times <- function(object, units, name = NULL, trainable = TRUE) {
    create_layer(Times, object, list(units = as.integer(units), name = name, trainable = trainable))
  }
  x <- matrix(1:6 / 4, 2)
  expect_equal(as.array(layer_times(units = 2)(x)), 2 * cbind(rowSums(x), rowSums(x)))
  model <- keras_model_sequential(input_shape = 3) |> layer_times(2, name = "times")
  expect_equal(predict(model, x), 2 * cbind(rowSums(x), rowSums(x)))
  expect_identical(dim(model$layers[[1]]$kernel), c(3L, 2L))
  again <- unserialize_model(serialize_model(model), custom_objects = list(Times = Times))
  expect_identical(predict(again, x), predict(model, x))
  expect_equal(as.array(create_layer(Times, x, list(units = 1L))), cbind(2 * rowSums(x)))
  expect_error(create_layer(R6::R6Class("No"), x), "must inherit from `KerasLayer`", class = "nativenet_error_value")
  expect_error(create_layer(Base, x, list(units = 1)), "must have a method `call`", class = "nativenet_error_value")
  expect_output(print(KerasLayer), "<class KerasLayer>")
})

test_that("arguments without names are saved, too", {
  Line <- new_layer_class("Line", initialize = function(slope, offset = 0, ...) {
    self$slope <- slope
    self$offset <- offset
  }, call = function(inputs) self$slope * inputs + self$offset)
  model <- keras_model_sequential(input_shape = 1) |> Line(2, 3)
  again <- unserialize_model(serialize_model(model), custom_objects = list(Line = Line))
  expect_equal(predict(again, 1:2), cbind(c(5, 7)))
  expect_equal(predict(keras_model_sequential(input_shape = 1) |> Line(offset = 1, 2), 1:2), cbind(c(3, 5)))
})

test_that("arguments of classes and wrappers are not dropped or kept for later where they make no sense", {
  layer_plain <- new_layer_class("Plain", call = function(x) x)
  expect_error(create_layer(layer_plain, matrix(1, 2, 2), list(1, "a")), "`args` must be a named list", fixed = TRUE)
  expect_error(create_layer(layer_dense(units = 1)), "must be a class of layers, not", fixed = TRUE)
  expect_error(create_wrapper(function(x) x, matrix(1, 2, 2), list(layer = layer_dense(units = 1))),
    "takes no argument `layer`", fixed = TRUE)
  expect_error(Layer("Mine", call = function(x) x, initialize = layer_dense(units = 1)),
    "`initialize` must be a function, not", fixed = TRUE)
  expect_error(Loss("Mine", call = function(y_true, y_pred) y_pred, parent_env = 1), "`parent_env` must be an environ",
    fixed = TRUE)
  expect_s3_class(Loss("Mine", call = function(y_true, y_pred) y_pred, parent_env = globalenv()), "nn_class")
})

test_that("create_layer_wrapper() gives what makes layers, and changes arguments as it is told", {
  Scale <- new_layer_class("Scale", initialize = function(factor, ...) {
    super$initialize(...)
    self$factor <- factor
  }, call = function(inputs) inputs * self$factor)
  layer_scale <- create_layer_wrapper(Scale)
  expect_identical(as.array(layer_scale(matrix(1:4 + 0, 2), 3)), matrix(1:4 * 3, 2))
  model <- keras_model_sequential(input_shape = 2) |> layer_scale(2, name = "twice")
  expect_identical(model$layers[[1]]$name, "twice")
  rounded <- create_layer_wrapper(Scale, modifiers = list(factor = round))
  expect_identical(as.array(rounded(matrix(1, 1, 1), factor = 2.4)), matrix(2))
  skip_if_not_installed("R6")
  Plus <- R6::R6Class("Plus", inherit = KerasLayer, public = list(call = function(x, mask = NULL) x + 1))
  expect_identical(as.array(create_layer_wrapper(Plus)(matrix(1, 1, 1))), matrix(2))
})

test_that("code of a layer may close over tensors of the model, which then have numbers", {
  input <- layer_input(shape = 2)
  hidden <- layer_dense(input, units = 3)
  near <- new_layer_class("Near", call = function(inputs) {
    self$add_loss(k_mean(k_square(hidden)))
    inputs + k_sum(hidden, axis = 2, keepdims = TRUE)
  })
  model <- keras_model(input, near()(layer_dense(hidden, units = 1)))
  x <- matrix(sin(1:8), 4)
  w <- lapply(get_weights(model), unclass)
  forward <- function(w1) {
    h <- x %*% w1 + rep(w[[2]], each = 4)
    list(h = h, y = h %*% w[[3]] + c(w[[4]]) + rowSums(h))
  }
  expect_equal(predict(model, x), forward(w[[1]])$y, tolerance = 1e-5)
  model |> compile(optimizer_sgd(0.1), "mse")
  loss <- function(w1) mean(forward(w1)$y^2) + mean(forward(w1)$h^2)
  target <- matrix(0, 4, 1)
  expect_equal(evaluate(model, x, target, verbose = 0)[["loss"]], loss(w[[1]]), tolerance = 1e-5)
  slope <- w[[1]]
  for (i in seq_along(slope)) slope[i] <- (loss(replace(w[[1]], i, w[[1]][i] + 1e-4)) - loss(replace(w[[1]], i,
    w[[1]][i] - 1e-4))) / 2e-4
  fit(model, x, target, batch_size = 4, epochs = 1, verbose = 0)
  expect_equal(get_weights(model)[[1]], w[[1]] - 0.1 * slope, tolerance = 1e-4)
  expect_error(save_model(model, tempfile()), "closes over", class = "nativenet_error_custom")
})
