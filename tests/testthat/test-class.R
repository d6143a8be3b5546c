# Classes of the user's: inheritance, active fields, and kinds that are no layers or models.

test_that("layers inherit from classes and from layers of ours, with active fields", {
  x <- matrix(c(1, 2, 3, 4), 2)
  Scale <- new_layer_class("Scale",
    initialize = function(factor = 2, ...) {
      super$initialize(...)
      self$factor <- factor
    },
    call = function(inputs) inputs * self$double / 2,
    double = mark_active(function(value) if (missing(value)) 2 * self$factor else self$factor <- value / 2)
  )
  Shift <- Layer("Shift", inherit = Scale,
    initialize = function(shift, ...) {
      super()$`__init__`(factor = 3, ...)
      self$shift <- shift
    },
    call = function(inputs) super$call(inputs) + self$shift
  )
  layer <- Shift(shift = 1, name = "mine")
  expect_identical(layer$name, "mine")
  expect_equal(as.array(layer(x)), 3 * x + 1)
  expect_identical(layer$double, 6)
  layer$double <- 10
  expect_identical(layer$factor, 5)
  layer$shift <- 0
  expect_equal(as.array(layer(x)), 5 * x)
  expect_equal(as.array(layer$call(tensor(x))), 5 * x)
  Thrice <- new_layer_class("Thrice", inherit = layer_dense,
    initialize = function(units, ...) super$initialize(units = units, use_bias = FALSE, ...),
    call = function(inputs) 3 * super$call(inputs)
  )
  dense <- Thrice(units = 2L)
  y <- as.array(dense(x))
  expect_identical(dim(dense$kernel), c(2L, 2L))
  expect_equal(y, 3 * x %*% dense$get_weights()[[1]], tolerance = 1e-6)
  Plain <- new_layer_class("Plain", inherit = keras$layers$Dense)
  expect_identical(dim(Plain(units = 3)(x)), c(2L, 3L))
  expect_error(new_layer_class("A", inherit = 3), "must be a class of layers", class = "nativenet_error_value")
  expect_error(mark_active(3), class = "nativenet_error_value")
  expect_identical(active_property(function() 1), mark_active(function() 1), ignore_function_env = TRUE,
    ignore_srcref = TRUE)
})

test_that("wrappers hold a layer, whose weights are theirs", {
  skip_if_not_installed("R6")
  Twice <- R6::R6Class("Twice", inherit = KerasWrapper, public = list(
    call = function(inputs, mask = NULL, training = NULL) 2 * self$layer(inputs)
  ))
  x <- matrix(c(1, 2, 3, 4), 2)
  wrapper <- create_wrapper(Twice, args = list(layer = layer_dense(units = 1)))
  y <- as.array(wrapper(x))
  expect_equal(y, 2 * x %*% wrapper$get_weights()[[1]], tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = 2)
  model %>% create_wrapper(Twice, ., list(layer = layer_dense(units = 3)))
  expect_identical(dim(model$output), c(NA, 3L))
  plain <- create_wrapper(R6::R6Class("Same", inherit = KerasWrapper), x, list(layer = layer_flatten()))
  expect_equal(as.array(plain), x)
  expect_error(create_wrapper(Twice, x, list(layer = 3)), "must be a layer", class = "nativenet_error_value")
})

test_that("a wrapper's initialize() need not take the layer", {
  skip_if_not_installed("R6")
  Shifted <- R6::R6Class("Shifted", inherit = KerasWrapper, public = list(
    by = NULL, offset = NULL,
    initialize = function(by) self$by <- by,
    build = function(input_shape) {
      super$build(input_shape)
      self$offset <- self$add_weight(name = "offset", shape = list(1), initializer = "ones")
    },
    call = function(x, mask = NULL, training = NULL) super$call(x) * self$by + self$offset
  ))
  model <- keras_model_sequential(input_shape = 4)
  create_wrapper(Shifted, model, list(layer = layer_dense(units = 3), by = 2))
  x <- matrix(rnorm(8), 2)
  expect_length(model$weights, 3)
  w <- get_weights(model)
  expect_equal(predict(model, x), x %*% w[[2]] * 2 + 1, tolerance = 1e-6)
  again <- clone_model(model)
  set_weights(again, w)
  expect_identical(predict(again, x), predict(model, x))
})

test_that("inherits() knows the classes that Keras' objects have", {
  expect_s3_class(metric_auc(), "keras.metrics.Metric")
  expect_s3_class(optimizer_adam(), "keras.optimizers.Optimizer")
  expect_s3_class(callback_early_stopping(), "keras.callbacks.Callback")
  expect_s3_class(range_dataset(0, 3), "tensorflow.python.data.ops.dataset_ops.DatasetV2")
})

test_that("callbacks inherit", {
  said <- c()
  Base <- new_callback_class("Base", n = 0, on_epoch_end = function(epoch, logs) {
    self$n <- self$n + 1
    said <<- c(said, "base")
  })
  Own <- Callback("Own", inherit = Base, twice = mark_active(function() 2 * self$n),
    on_epoch_end = function(self, epoch, logs = NULL) {
      super$on_epoch_end(epoch, logs)
      said <<- c(said, "own")
    },
    on_train_end = function(logs) super$on_train_end(logs)
  )
  own <- Own()
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  compile(model, "sgd", "mse")
  fit(model, matrix(1:4), 1:4, epochs = 2, verbose = 0, callbacks = own)
  expect_identical(said, c("base", "own", "base", "own"))
  expect_identical(own$twice, 4)
})

test_that("losses, metrics, constraints and schedules of classes train as the formula says", {
  Weighted <- new_loss_class("Weighted",
    initialize = function(factor = 2) {
      super$initialize(name = "weighted")
      self$factor <- factor
    },
    call = function(y_true, y_pred) self$factor * k_mean(k_square(y_true - y_pred), axis = -1)
  )
  Above <- new_metric_class("Above",
    initialize = function(limit, name = "above", ...) {
      super()$`__init__`(name = name, ...)
      self$limit <- limit
      self$found <- self$add_weight(name = "found", initializer = "zeros")
      self$n <- self$add_weight(shape = list(), name = "n")
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      self$found$assign_add(k_sum(k_cast(y_pred > self$limit, "float32")))
      self$n$assign_add(k_sum(k_ones_like(y_pred)))
    },
    result = function() self$found / self$n
  )
  Small <- Constraint("Small", call = function(w) k_clip(w, -0.5, 0.5))
  Halving <- new_learning_rate_schedule_class("Halving", initialize = function(rate) self$rate <- rate,
    call = function(step) self$rate * 0.5^step)
  x <- matrix(c(1, 2, 3, 4), 4)
  y <- c(0, 1, 1, 0)
  model <- keras_model_sequential(input_shape = 1) |>
    layer_dense(1, use_bias = FALSE, kernel_initializer = "ones", kernel_constraint = Small())
  loss <- Weighted(3)
  expect_identical(loss$factor, 3)
  expect_identical(loss$name, "weighted")
  expect_equal(c(as.array(loss(x, 0 * x))), 3 * mean(x^2))
  compile(model, optimizer_sgd(Halving(0.001)), loss, metrics = list(Above(0.75), above2 = Above(limit = 2)))
  history <- fit(model, x, y, epochs = 2, batch_size = 2, shuffle = FALSE, verbose = 0,
    validation_data = list(x, y))
  w <- 1
  seen <- above <- c()
  for (step in 0:3) {
    rows <- step %% 2 * 2 + 1:2
    seen[step + 1] <- 3 * mean((x[rows] * w - y[rows])^2)
    above[step + 1] <- mean(x[rows] * w > 0.75)
    w <- min(0.5, w - 0.001 * 0.5^step * 6 * mean((x[rows] * w - y[rows]) * x[rows]))
  }
  expect_equal(history$metrics$loss, c(mean(seen[1:2]), mean(seen[3:4])), tolerance = 1e-6)
  expect_equal(history$metrics$above, c(mean(above[1:2]), mean(above[3:4])))
  expect_equal(get_weights(model)[[1]], matrix(w), tolerance = 1e-6)
  expect_equal(tail(history$metrics$val_above, 1), mean(x * w > 0.75))
  expect_identical(names(evaluate(model, x, y)), c("loss", "above", "above2"))
  expect_equal(evaluate(model, x, y)[["above"]], mean(x * w > 0.75))
  m <- Above(1)
  m$update_state(0, c(0, 2, 3))
  expect_equal(as.numeric(m$result()), 2 / 3, tolerance = 1e-6)
  m$reset_state()
  expect_equal(as.numeric(m$variables[[1]]), 0)
  expect_error(new_metric_class("A", result = function() 1), "`update_state` must be given",
    class = "nativenet_error_value")
  expect_error(Metric("A", inherit = Weighted), "is a class of losses", class = "nativenet_error_value")
  expect_equal(as.array(Loss("L", call = function(y_true, y_pred) k_abs(y_true - y_pred))()(matrix(1, 1, 1),
    matrix(3, 1, 1))), 2, ignore_attr = TRUE)
  expect_equal(LearningRateSchedule("S", call = function(step) step / 2)()(c(1, 2)), c(0.5, 1))
})

test_that("metrics of classes inherit from ours", {
  Doubled <- Metric("Doubled", inherit = metric_mean, result = function() 2 * super$result())
  m <- Doubled(name = "d")
  m$update_state(c(1, 2))
  m$update_state(6)
  expect_equal(as.numeric(m$result()), 6)
  expect_identical(m$name, "d")
})

test_that("classes in Python's manner", {
  Doubled(keras$layers$Layer) %py_class% {
    initialize <- function(bias = 0) {
      super()$`__init__`()
      self$bias <- bias
    }
    factor %<-active% function() 2
    call <- function(inputs) inputs * self$factor + self$bias
  }
  Tripled(Doubled) %py_class% {
    factor %<-active% function() 3
  }
  expect_equal(as.array(Doubled()(matrix(1, 1, 2))), matrix(2, 1, 2))
  expect_equal(as.array(Tripled(bias = 1)(matrix(1, 1, 2))), matrix(4, 1, 2))
  Net(keras$Model) %py_class% {
    initialize <- function() {
      super$initialize()
      self$out <- layer_dense(units = 1)
    }
    call <- function(inputs) self$out(inputs)
  }
  expect_identical(dim(Net()(matrix(1, 3, 2))), c(3L, 1L))
  seen <- 0
  Counter(keras$callbacks$Callback) %py_class% {
    on_epoch_end <- function(epoch, logs) seen <<- seen + 1
  }
  model <- Net()
  compile(model, "sgd", "mse")
  fit(model, matrix(1, 3, 2), 1:3, epochs = 2, verbose = 0, callbacks = list(Counter()))
  expect_identical(seen, 2)
  expect_error(Odd(3) %py_class% {}, "must inherit from", class = "nativenet_error_value")
  expect_error(`%py_class%`(Odd, {}), "must be written as", class = "nativenet_error_value")
})

test_that("layers of Python's manner take their arguments by place", {
  Times(keras$layers$Layer) %py_class% {
    initialize <- function(factor, plus = 0) {
      super$initialize()
      self$factor <- factor
      self$plus <- plus
    }
    call <- function(x) x * self$factor + self$plus
  }
  x <- matrix(1:4 / 1, 2)
  expect_equal(as.array(Times(3)(x)), 3 * x)
  expect_equal(as.array(Times(3, 1)(x)), 3 * x + 1)
  expect_equal(as.array(Times(x, factor = 2)), 2 * x)
  model <- keras_model_sequential(input_shape = 2) |> Times(factor = 2)
  expect_equal(predict(model, x), 2 * x)
  again <- unserialize_model(serialize_model(model), list(Times = Times))
  expect_equal(predict(again, x), 2 * x)
})
