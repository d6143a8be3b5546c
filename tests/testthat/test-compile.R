set.seed(73)
x <- matrix(rnorm(30 * 4), 30)
y <- as.numeric(x[, 1] > 0)
one_output <- function(...) keras_model_sequential(input_shape = 4) |> layer_dense(1, activation = "sigmoid", ...)
two_outputs <- function() {
  input <- layer_input(4)
  keras_model(input, list(input |> layer_dense(1, name = "a"), input |> layer_dense(2, name = "b")))
}

test_that("scores have the names that the user typed, and numbers where these are the same", {
  model <- one_output()
  expect_null(model$metrics_names)
  model |> compile("sgd", "mse", metrics = c("accuracy", "mae", "accuracy"), weighted_metrics = "mae")
  names <- c("loss", "accuracy", "mae", "accuracy_1", "mae_1")
  expect_identical(model$metrics_names, names)
  expect_named(evaluate(model, x, y), names)
  expect_named((model |> fit(x, y, epochs = 1, verbose = 0))$metrics, names)
  model <- two_outputs()
  model |> compile("sgd", "mse", metrics = list(b = list("mae", custom_metric("largest", function(y_true, y_pred)
    k_max(k_abs(y_true - y_pred), -1)))))
  names <- c("loss", "a_loss", "b_loss", "b_mae", "b_largest")
  expect_identical(model$metrics_names, names)
  scores <- evaluate(model, x, list(y, x[, 1:2]))
  expect_named(scores, names)
  expect_equal(scores$b_largest, mean(apply(abs(predict(model, x)[[2]] - x[, 1:2]), 1, max)), tolerance = 1e-5)
})

test_that("names are told from each other, and mistakes are answered in words", {
  model <- one_output()
  expect_error(compile(model, "adma", "mse"), "`compile()`: `optimizer` must be a name", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(fit(compile(model, "adam"), x, verbose = 0), "nothing to minimise", class = "nativenet_error_value")
  expect_error(compile(model, "adam", "binary_crosentropy"), "did you mean `binary_crossentropy`",
    class = "nativenet_error_value")
  expect_error(compile(model, "adam", "mse", metrics = "acuracy"), "did you mean `accuracy`",
    class = "nativenet_error_value")
  expect_null(model$optimizer)
  expect_error(fit(model, x, y, verbose = 0), "`fit()`: the model must be compiled first", fixed = TRUE,
    class = "nativenet_error_uncompiled")
  model <- two_outputs()
  expect_error(compile(model, "adam", list("mse", "mse", "mae")), "one entry per output (2), not 3", fixed = TRUE)
  expect_error(compile(model, "adam", list(a = "mse", c = "mse")), "`loss` names the output `c`")
  expect_error(compile(model, "adam", "mse", loss_weights = c(1, NA)), "2 numbers")
  expect_error(compile(model, "adam", "mse", loss_weights = list(a = 1)), "2 numbers")
})

test_that("layers that are not trainable stay, and count for compile()", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(3, trainable = FALSE) |> layer_dense(1)
  model |> compile("adam", "mse")
  before <- get_weights(model)
  model |> fit(x, y, epochs = 2, verbose = 0)
  after <- get_weights(model)
  expect_identical(after[1:2], before[1:2])
  expect_false(any(after[[3]] == before[[3]]))
})

test_that("a sequence without a shape is compiled when it sees data", {
  model <- keras_model_sequential() |> layer_dense(2) |> layer_dense(1)
  model |> compile("sgd", "mse", metrics = "mae", loss_weights = 2)
  expect_named(evaluate(model, x, y), c("loss", "mae"))
  expect_equal(evaluate(model, x, y)$loss, 2 * mean((predict(model, x) - y)^2), tolerance = 1e-5)
})

test_that("a model whose layers have changed asks to be compiled again", {
  model <- one_output()
  expect_error(fit(model, x, y), "must be compiled first", class = "nativenet_error_uncompiled")
  model |> compile("sgd", "mse")
  model |> layer_dense(1)
  again <- "must be compiled again, as layers were added or taken away after `compile()`"
  expect_error(fit(model, x, y), again, fixed = TRUE, class = "nativenet_error_uncompiled")
  expect_error(evaluate(model, x, y), again, fixed = TRUE)
  model |> compile("sgd", "mse")
  expect_length(evaluate(model, x, y), 1)
  model |> pop_layer()
  expect_error(train_on_batch(model, x, y), again, fixed = TRUE)
})

test_that("an optimizer of another model, or that took steps with other weights, is no new one: both models are named",
  {
  step <- function(model) train_on_batch(model, x, y)
  optimizer <- optimizer_adam(0.1)
  a <- one_output()
  expect_silent(compile(a, optimizer, "mse"))
  step(a)
  expect_silent(compile(a, optimizer, "mse")) # goes on, as in Keras
  b <- one_output()
  shared <- sprintf("the optimizer is that of the model `%s` already, so `%s` goes on with its step count, now 1",
    a$name, b$name)
  expect_warning(compile(b, optimizer, "mse"), shared, fixed = TRUE, class = "nativenet_warning_optimizer")
  expect_warning(a$optimizer <- b$optimizer, sprintf("model `%s` already, so `%s`", b$name, a$name),
    class = "nativenet_warning_optimizer")
  a |> compile("sgd", "mse")
  b |> compile("sgd", "mse")
  expect_warning(compile(one_output(), optimizer, "mse"), "took its steps with weights of something else",
    class = "nativenet_warning_optimizer")
  w <- variable(1)
  of_tape <- optimizer_sgd(0.1)
  of_tape$minimize(function() w^2, list(w))
  expect_warning(compile(b, of_tape, "mse"), "now 1, .*`optimizer_sgd\\(\\)` makes one",
    class = "nativenet_warning_optimizer")
  expect_silent(compile(b, of_tape, "mse")) # said already
  b |> compile("sgd", "mse")
  step(b)
  again <- unserialize(serialize(b, NULL))
  expect_silent(compile(again, again$optimizer, "mse"))
})

test_that("what is frozen or unfrozen after compile() counts from the next one on, which training says once", {
  compiled <- function() {
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(3, name = "a") |> layer_dense(1, name = "b")
    compile(model, "sgd", "mse")
  }
  fitted <- function(model) fit(model, x, y, epochs = 1, verbose = 0)
  warns <- function(code, ...) {
    said <- conditionMessage(expect_warning(code, class = "nativenet_warning_trainable"))
    for (words in c(...)) expect_match(said, words, fixed = TRUE)
  }
  model <- compiled()
  freeze_weights(model, to = "a")
  before <- get_weights(model)
  warns(fitted(model), "`fit()`: `trainable` of `a` was changed after `compile()`",
    "frozen now are trained on: `a/kernel`, `a/bias`", "compile the model again")
  expect_false(identical(get_weights(model)[[1]], before[[1]]))
  expect_silent(fitted(model))
  freeze_weights(model)
  warns(train_on_batch(model, x, y), "`train_on_batch()`:", "`b/bias`")
  model |> compile("sgd", "mse")
  untrained <- function() expect_warning(fitted(model), "no trainable weights", class = "nativenet_warning_untrained")
  untrained()
  unfreeze_weights(model, from = "b")
  expect_silent(evaluate(model, x, y))
  expect_warning(
    warns(fitted(unserialize(serialize(model, NULL))), "Weights to be trained are not: `b/kernel`, `b/bias`"),
    "no trainable weights")
  freeze_weights(model)
  untrained() # as it was
  for (change in list(
    function(m) m$trainable <- FALSE, function(m) m$layers[[1]]$trainable <- FALSE,
    function(m) {
      layer <- get_layer(m, "a")
      layer$trainable <- FALSE
    }
  )) {
    model <- compiled()
    change(model)
    warns(fitted(model), "`a/kernel`")
  }
  # the discriminator of an adversarial network is frozen for the other model alone
  model <- compiled()
  model$trainable <- FALSE
  noise <- layer_input(4)
  both <- keras_model(noise, noise |> layer_dense(4) |> model()) |> compile("sgd", "mse")
  expect_silent(fitted(model))
  expect_silent(fitted(both))
  expect_error(model$layers <- list(), "`$layers` of a model cannot be set", fixed = TRUE)
})
