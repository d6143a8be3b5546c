set.seed(77)
x <- matrix(rnorm(24 * 3), 24)
kind <- rep(0:2, 8)
classes <- letters[kind + 1]

made <- function(..., loss, input_shape = 3) {
  model <- keras_model_sequential(input_shape = input_shape)
  for (layer in list(...)) model |> layer()
  model |> compile("sgd", loss)
  model
}
ends_in <- function(activation, units = 1) function(model) layer_dense(model, units, activation = activation,
  name = "last")
fitted <- function(model, y, ..., epochs = 2) fit(model, x, y, ..., epochs = epochs, verbose = 0)

#' The messages of one kind of warning.
said <- function(kind, expr) {
  found <- NULL
  withCallingHandlers(force(expr), nativenet_warning = function(w) {
    expect_s3_class(w, paste0("nativenet_warning_", kind))
    found <<- c(found, conditionMessage(w))
    invokeRestart("muffleWarning")
  })
  found
}
says <- function(kind, expr, ...) {
  found <- said(kind, expr)
  expect_length(found, 1) # once
  for (words in c(...)) expect_match(found, words, fixed = TRUE)
}
quiet <- function(expr) expect_no_warning(force(expr))

test_that("the last layer and the loss must go together, and both are named, once in each fit()", {
  none <- c("linear", "relu", "tanh", "elu", "selu", "softplus", "softsign", "swish", "gelu", "exponential")
  for (activation in none) {
    says("loss", fitted(made(ends_in(activation), loss = "binary_crossentropy"), kind %% 2),
      "the last layer `last` and the loss `binary_crossentropy`", sprintf("ends in \"%s\"", activation),
      "\"sigmoid\", or the loss `from_logits = TRUE`")
  }
  for (loss in c("categorical_crossentropy", "kl_divergence"))
    says("loss", fitted(made(ends_in(NULL, 3), loss = loss), to_categorical(kind)), loss, "\"softmax\"")
  says("loss", fitted(made(ends_in("relu", 3), loss = "sparse_categorical_crossentropy"), kind),
    "`sparse_categorical_crossentropy`")
  says("loss", fitted(made(ends_in("softmax"), loss = "binary_crossentropy"), kind %% 2), "a single unit", "`last`",
    "`binary_crossentropy`", "\"sigmoid\"")
  says("loss", fitted(made(ends_in("softmax"), loss = "mse"), kind), "a single unit", "`mean_squared_error`")
  says("loss", fitted(made(ends_in("linear"), layer_activation_softmax, loss = "mse"), kind), "a single unit")
  says("loss", fitted(made(ends_in("sigmoid"), loss = loss_sparse_categorical_crossentropy()), 0 * kind),
    "a single unit")
  for (activation in c("sigmoid", "softmax")) {
    says("loss", fitted(made(ends_in(activation, 2), loss = loss_binary_crossentropy(from_logits = TRUE)),
      cbind(kind %% 2, 1)), "`from_logits = TRUE`", activation)
  }
  # seen through layers that move numbers, and through models
  says("loss", fitted(made(ends_in(NULL, 4), function(m) layer_reshape(m, c(2, 2)), layer_flatten,
    loss = "binary_crossentropy"), matrix(0.5, 24, 4)), "`last`")
  inner <- keras_model_sequential(input_shape = 3) |> layer_dense(1, name = "inner")
  model <- keras_model_sequential(list(inner))
  model |> compile("sgd", "binary_crossentropy")
  says("loss", fitted(model, kind %% 2), "`inner`")
  # the first step of a loop by hand says it, the others do not
  model |> compile("sgd", "binary_crossentropy")
  says("loss", for (i in 1:3) train_on_batch(model, x, kind %% 2), "`inner`")
  a <- layer_input(3)
  model <- keras_model(a, list(layer_dense(a, 1, "sigmoid", name = "good"), layer_dense(a, 1, name = "bad")))
  model |> compile("sgd", "binary_crossentropy")
  says("loss", fitted(model, list(kind %% 2, kind %% 2)), "`bad`")
})

test_that("last layers that may be meant are let pass", {
  y <- kind %% 2
  quiet(fitted(made(ends_in("sigmoid"), loss = "binary_crossentropy"), y))
  quiet(fitted(made(ends_in("hard_sigmoid"), loss = "binary_crossentropy"), y))
  quiet(fitted(made(ends_in(NULL), loss = loss_binary_crossentropy(from_logits = TRUE)), y))
  quiet(fitted(made(ends_in(NULL, 3), loss = loss_sparse_categorical_crossentropy(from_logits = TRUE)), kind))
  quiet(fitted(made(ends_in(NULL), function(m) layer_activation(m, "sigmoid"), loss = "binary_crossentropy"), y))
  quiet(fitted(made(ends_in(NULL, 3), layer_activation_softmax, loss = "sparse_categorical_crossentropy"), kind))
  quiet(fitted(made(ends_in(NULL), function(m) layer_lambda(m, k_sigmoid), loss = "binary_crossentropy"), y))
  quiet(fitted(made(ends_in(function(x) k_sigmoid(x)), loss = "binary_crossentropy"), y))
  quiet(fitted(made(ends_in(NULL), function(m) layer_activation_relu(m, max_value = 1), loss = "binary_crossentropy"),
    y))
  quiet(fitted(made(ends_in(NULL), loss = function(y_true, y_pred) k_mean((y_true - y_pred)^2)), kind))
  quiet(fitted(made(ends_in("tanh"), loss = "hinge"), y))
  quiet(fitted(made(ends_in(NULL), loss = "mse"), kind))
})

test_that("targets must lie where the loss is defined, and hints say how they get there", {
  model <- function(loss = "binary_crossentropy") made(ends_in("sigmoid"), loss = loss)
  y <- kind %% 2
  outside <- function(y, ..., loss = "binary_crossentropy") says("targets", fitted(model(loss), y),
    paste0("the loss `", loss, "` of `last`"), ...)
  outside(y + 1, "has 1 to 2", "`y - 1`")
  outside(as.integer(factor(y)), "`y - 1`")
  outside(matrix(2 * y - 1), "has -1 to 1", "`(y + 1) / 2`", "\"hinge\"")
  outside(kind, "has 0 to 2", "\"sparse_categorical_crossentropy\"")
  outside(factor(classes), "has 0 to 2")
  outside(255 * y, "divided by 255")
  outside(y + 1, "takes targets from -1 to 1, but `y` has 1 to 2", loss = "hinge")
  outside(y - 1, "at least 0, but `y` has -1 to 0", loss = "poisson")
  good <- list(y, factor(y), y > 0, runif(24), 0.1 + 0.8 * y, y * (1 + 1e-7), data.frame(y), tensor(y))
  for (target in good) quiet(fitted(model(), target))
  quiet(fitted(model("hinge"), 2 * y - 1))
  quiet(fitted(model(loss_binary_crossentropy(label_smoothing = 0.2)), y))
  quiet(fitted(model(function(t, p) k_mean((t - p)^2)), y + 1))
  # what has no weight is free
  ignored <- replace(y, 3:4, -1)
  quiet(fitted(model(), ignored, sample_weight = as.numeric(ignored >= 0)))
  says("targets", fitted(model(), replace(ignored, 5, 7), sample_weight = as.numeric(ignored >= 0)), "has 0 to 7")
  # wherever targets come from
  says("targets", fitted(model(), y, validation_data = list(x, y + 1)), "`validation_data` has 1 to 2")
  says("targets", evaluate(model(), x, y + 1), "`y` has 1 to 2")
  batches <- tensor_slices_dataset(list(x, matrix(y + 1))) |> dataset_batch(8)
  says("targets", fit(model(), batches, epochs = 2, verbose = 0), "has 1 to 2")
  says("targets", fit(model(), function() list(x, y + 1), steps_per_epoch = 3, epochs = 2, verbose = 0), "has 1 to 2")
  one <- model()
  says("targets", for (i in 1:3) train_on_batch(one, x, y + 1), "has 1 to 2")
})

test_that("rows of categorical targets sum to 1", {
  model <- function(loss = "categorical_crossentropy") made(ends_in("softmax", 3), loss = loss)
  rows <- to_categorical(kind)
  says("targets", fitted(model(), rows + rows[, 3:1]), "`categorical_crossentropy` of `last`", "rows of `y` sum to 2",
    "\"binary_crossentropy\"")
  says("targets", fitted(model(), replace(rows, 1, 0)), "sum to 0 to 1")
  says("targets", fitted(model("categorical_hinge"), 2 * rows), "sum to 2")
  for (y in list(rows, 0.9 * rows + 0.1 / 3, matrix(0.33, 24, 3), tensor(rows))) quiet(fitted(model(), y))
  quiet(fitted(model(loss_categorical_crossentropy(label_smoothing = 0.1)), rows))
  quiet(fitted(model(), replace(rows, 1, 0), sample_weight = c(0, rep(1, 23))))
  # only the shapes are wrong
  expect_error(quiet(fitted(model(), kind)), class = "nativenet_error_shape")
  # steps under a mask may be anything
  tokens <- cbind(rep(1, 24), 2, 0)
  masked <- keras_model_sequential() |> layer_embedding(3, 2, mask_zero = TRUE, input_length = 3) |>
    layer_dense(2, activation = "softmax")
  masked |> compile("sgd", "categorical_crossentropy")
  y <- array(0.5, c(24, 3, 2))
  y[, 3, ] <- 0
  quiet(fit(masked, tokens, y, epochs = 1, verbose = 0))
})

test_that("a factor is no target for a loss of numbers", {
  for (loss in c("mse", "mae", "huber_loss", "poisson", "cosine_similarity")) {
    model <- made(ends_in(NULL), loss = loss)
    before <- get_weights(model)
    expect_error(fitted(model, factor(classes)), "`fit()`: `y` is a factor, but the loss `", fixed = TRUE,
      class = "nativenet_error_value")
    expect_identical(get_weights(model), before)
  }
  refused <- function(expr, name) expect_error(expr, paste0("`", name, "()`: `y` is a factor"), fixed = TRUE,
    class = "nativenet_error_value")
  refused(evaluate(model, x, factor(classes)), "evaluate")
  refused(train_on_batch(model, x, factor(classes)), "train_on_batch")
  refused(fit(model, function() list(x, factor(classes)), steps_per_epoch = 1, verbose = 0), "fit")
  refused(fitted(model, kind, validation_data = list(x, factor(classes))), "fit")
  quiet(fitted(made(ends_in("sigmoid"), loss = "binary_crossentropy"), factor(kind %% 2)))
  quiet(fitted(made(ends_in(NULL), loss = "hinge"), factor(kind %% 2)))
  quiet(fitted(made(ends_in(NULL), loss = function(t, p) k_mean((t - p)^2)), factor(classes)))
})

test_that("a validation_split that leaves a class out of training says which", {
  sorted <- sort(kind)
  model <- function(units = 3, activation = "softmax", loss = "sparse_categorical_crossentropy")
    made(ends_in(activation, units), loss = loss)
  left_out <- function(model, y, words, ...) says("split", fitted(model, y, validation_split = 0.4, ...),
    "`validation_split`", words, "sample(nrow(x))")
  left_out(model(), sorted, "class `2` of `last`")
  left_out(model(), factor(sort(classes)), "class `c`")
  left_out(model(), rev(sorted), "class `0`")
  left_out(model(loss = "categorical_crossentropy"), to_categorical(sorted), "class `2`")
  left_out(model(1, "sigmoid", "binary_crossentropy"), as.numeric(sorted > 1), "class `1`")
  left_out(model(1, NULL, "hinge"), 2 * (sorted > 1) - 1, "class `1`")
  left_out(model(1, NULL, function(t, p) k_mean((t - p)^2)), factor(sort(classes)), "class `c`")
  quiet(fitted(model(), kind, validation_split = 0.4))
  quiet(fitted(model(), sorted, validation_split = 0.2))
  quiet(fitted(model(), sorted, validation_data = list(x, sorted)))
  quiet(fitted(model(1, NULL, "mse"), sorted, validation_split = 0.4)) # numbers
  quiet(fitted(model(1, "sigmoid", "binary_crossentropy"), sorted / 3, validation_split = 0.4)) # shares
  # a word that comes once, near the end, is no sign of order
  quiet(fitted(model(4), replace(kind, 23, 3), validation_split = 0.2))
  # pixels that only late images have
  images <- matrix(0, 24, 3)
  images[24, 3] <- 1
  quiet(fitted(model(3, "sigmoid", "binary_crossentropy"), images, validation_split = 0.2))
})

test_that("numbers that the last layer never gives, and accuracies of numbers, are told", {
  x <- matrix(1:12 / 12, 6)
  fitted <- function(activation, y, loss = "mse", metrics = NULL) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, activation = activation, name = "out")
    model |> compile("sgd", loss, metrics = metrics)
    model |> fit(x, y, epochs = 1, verbose = 0)
  }
  says("targets", fitted("sigmoid", 1:6),
    paste0("the last layer `out` ends in \"sigmoid\" and gives numbers from 0 to 1, but `y` has 1 to 6, which it ",
      "never reaches"))
  says("targets", fitted("relu", -(1:6), "mae"), "of at least 0, but `y` has -6 to -1")
  says("targets", fitted("tanh", 1:6, "huber_loss"), "from -1 to 1")
  expect_silent(fitted("sigmoid", 1:6 / 6))
  expect_silent(fitted("relu", 0:5))
  expect_silent(fitted(NULL, -(1:6)))
  expect_silent(fitted(function(x) k_sigmoid(x), 1:6))
  says("targets", fitted(NULL, 1:6 / 7, metrics = "acc"),
    paste0("the metric `acc` is for classification, but `y` holds numbers, 0.1429 to 0.8571, and the loss ",
      "`mean_squared_error`"), "\"mae\"")
  expect_silent(fitted("sigmoid", c(0, 1, 0, 1, 0, 1), metrics = "accuracy"))
  expect_silent(fitted(NULL, 1:6, metrics = "mae"))
})
