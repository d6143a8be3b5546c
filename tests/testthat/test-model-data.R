set.seed(75)
x <- matrix(rnorm(20 * 3), 20)
z <- matrix(rnorm(20 * 3), 20)
y <- as.numeric(x[, 1] > 0)
two_inputs <- function(as = list) {
  a <- layer_input(3, name = "a")
  b <- layer_input(3, name = "b")
  keras_model(as(a, b), layer_subtract(list(a, b), name = "difference"))
}

test_that("inputs are told by name, be it the layer's or that in keras_model()", {
  expected <- x - z
  named <- function(a, b) list(first = a, second = b)
  for (model in list(two_inputs(), two_inputs(named))) {
    expect_equal(predict(model, list(x, z)), expected, tolerance = 1e-6)
    expect_equal(predict(model, list(b = z, a = x)), expected, tolerance = 1e-6)
    expect_equal(predict(model, tensor_slices_dataset(list(b = z, a = x)) |> dataset_batch(6)), expected,
      tolerance = 1e-6)
  }
  expect_equal(predict(model, list(second = z, first = x)), expected, tolerance = 1e-6)
  expect_error(predict(model, list(a = x, c = z)), "`x` names `c`, which the model does not have",
    class = "nativenet_error_value")
  expect_error(predict(model, list(a = x)), "must have 2 arrays (`a`, `b`), not 1", fixed = TRUE)
  expect_error(predict(model, list(x, z[1:3, ])), "`x` for `a` has 20 samples, but `x` for `b` has 3",
    class = "nativenet_error_shape")
  expect_error(predict(model, list(x, z[, 1:2])), "(None, 3) of `b`, not (20, 2)", fixed = TRUE,
    class = "nativenet_error_shape")
})

test_that("a data set of (inputs, targets) may be predicted, too", {
  model <- two_inputs()
  data <- tensor_slices_dataset(list(list(a = x, b = z), y)) |> dataset_batch(6)
  expect_equal(predict(model, data), x - z, tolerance = 1e-6)
})

test_that("weights of classes and rows multiply, on arrays and on data sets", {
  in_float64(model <- keras_model_sequential(input_shape = 3) |> layer_dense(1, activation = "sigmoid"))
  p <- predict(model, x)[, 1]
  losses <- -y * log(p) - (1 - y) * log(1 - p)
  model |> compile(optimizer_sgd(0), "binary_crossentropy")
  by_class <- list("0" = 2, "1" = 3)
  w <- runif(20)
  loss_of <- function(...) (model |> fit(..., epochs = 1, verbose = 0))$metrics$loss
  expected <- mean(losses * ifelse(y == 1, 3, 2))
  for (target in list(y, matrix(y), factor(y), y > 0, list(y), data.frame(y), tensor(y)))
    expect_equal(loss_of(x, target, class_weight = by_class), expected, tolerance = 1e-12)
  expect_equal(loss_of(tensor_slices_dataset(list(x, matrix(y))) |> dataset_batch(6), class_weight = by_class),
    expected, tolerance = 1e-6)
  for (weights in list(w, matrix(w), tensor(w, "float64"))) {
    expect_equal(loss_of(x, y, class_weight = by_class, sample_weight = weights),
      mean(w * losses * ifelse(y == 1, 3, 2)), tolerance = 1e-12)
  }
  refused <- function(words, ...) expect_error(loss_of(x, y, ...), words, class = "nativenet_error")
  refused("`sample_weight`.*NA", sample_weight = c(NA, w[-1]))
  refused("`sample_weight` must not be negative", sample_weight = -w)
  refused("`class_weight`.*NA", class_weight = list("0" = NA_real_, "1" = 1))
  refused("`class_weight` must not be negative", class_weight = list("0" = -1, "1" = 1))
  refused("`x` has 20 samples, but `sample_weight` has 3", sample_weight = 1:3)
  refused("no weight for class 0", class_weight = list("1" = 2))
})

test_that("numbers that are not there are found, and functions named as the user called them", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, activation = "softmax")
  model |> compile("sgd", "sparse_categorical_crossentropy")
  for (bad in c(NA, NaN, Inf)) {
    expect_error(predict(model, replace(x, 2, bad)), sprintf("`predict()`: `x`: the data contain %s at position 2",
      bad), fixed = TRUE, class = "nativenet_error_value")
  }
  expect_error(evaluate(model, x, y + 0.5), "`evaluate()`: a number that is not whole", fixed = TRUE)
  expect_error(evaluate(model, x, y + 1), "`evaluate()`: `y` holds the label 2", fixed = TRUE,
    class = "nativenet_error_index")
  expect_error(evaluate(model, x, letters[y + 1]), "must be a numeric", class = "nativenet_error_value")
  expect_error(predict(model, x[1, ]), "(None, 3)", fixed = TRUE, class = "nativenet_error_shape")
  expect_error(predict(model, x[1, ]), "`x[i, , drop = FALSE]`", fixed = TRUE)
  expect_error(evaluate(model, x[1, ], 1), "`x[i, , drop = FALSE]`", fixed = TRUE)
  expect_no_match(conditionMessage(expect_error(predict(model, x[, 1]))), "drop")
  images <- keras_model_sequential(input_shape = c(4, 2)) |> layer_flatten()
  expect_error(predict(images, array(0, c(3, 4, 2))[1, , ]), "`x[i, , , drop = FALSE]`", fixed = TRUE)
  expect_error(predict(model, x[0, ]), "`x` has no samples", class = "nativenet_error_value")
})

test_that("what is missing is told by row and column, the column by its name", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  model |> compile("sgd", "mse")
  data <- replace(x, 22, NA)
  said <- function(expr, words) expect_error(expr, words, fixed = TRUE, class = "nativenet_error_value")
  said(predict(model, data), "`predict()`: `x`: the data contain NA at position 22: row 2, column 2")
  said(predict(model, as.data.frame(data)), "NA at position 22: row 2, column `V2`")
  colnames(data) <- c("length", "width", "height")
  said(fit(model, data, y, verbose = 0), "`fit()`: `x`: the data contain NA at position 22: row 2, column `width`")
  said(fit(model, x, replace(y, 5, NA), verbose = 0), "`y`: the data contain NA at position 5")
  said(evaluate(model, x, data.frame(target = replace(y, 5, NA))), "row 5, column `target`")
  images <- keras_model_sequential(input_shape = c(4, 2)) |> layer_flatten()
  said(predict(images, replace(array(0, c(3, 4, 2)), 8, NaN)), "NaN at position 8: [2, 3, 1]")
})

test_that("lists of sequences are to be padded", {
  model <- keras_model_sequential() |> layer_embedding(10, 3, input_length = 4) |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  sequences <- list(1:3, 1:4, 2:3)
  expect_error(predict(model, sequences), "must have 1 array.*not 3; of a list of sequences `pad_sequences[(][)]`",
    class = "nativenet_error_value")
  expect_error(fit(model, sequences, c(1, 0, 1), verbose = 0), "`pad_sequences()`", fixed = TRUE)
  unbuilt <- keras_model_sequential() |> layer_dense(1)
  expect_error(predict(unbuilt, sequences), "`pad_sequences()`", fixed = TRUE)
  expect_equal(dim(predict(model, pad_sequences(sequences, 4))), c(3, 1))
})

test_that(
  "a vector of targets is a column beside an output of two axes, as in Keras, for losses and metrics of one's own", {
  target <- c(1, 2, 3, 4)
  x <- diag(4)[, 1:2]
  shapes <- NULL
  total <- function(y_true, y_pred) {
    shapes <<- c(shapes, list(dim(y_true)[-1]))
    k_sum((y_true - y_pred)^2)
  }
  for (units in c(1, 3, 4)) { # with 4 rows and 4 units a vector would be taken for a row
    in_float64(model <- keras_model_sequential(input_shape = 2) |>
      layer_dense(units, "linear", kernel_initializer = "zeros"))
    output <- seq_len(units) / 2
    set_weights(model, list(matrix(0, 2, units), output))
    model |> compile(optimizer_sgd(0), total, metrics = list(custom_metric("total", total)))
    squares <- outer(target, output, "-")^2
    expected <- c(loss = sum(squares), total = sum(squares))
    data <- tensor_slices_dataset(list(x, target)) |> dataset_batch(4)
    for (y in list(target, matrix(target), tensor(target), list(target), data.frame(target)))
      expect_equal(unclass(evaluate(model, x, y)), expected)
    expect_equal(unclass(evaluate(model, data)), expected)
    expect_equal(unclass(evaluate(model, function() list(x, target), steps = 1)), expected)
    expect_equal(unclass(train_on_batch(model, x, target)), expected)
    expect_equal(unclass(test_on_batch(model, x, target, sample_weight = 1:4)), expected)
    history <- model |> fit(x, target, epochs = 1, validation_data = list(x, target, 1:4), verbose = 0)
    expect_equal(unlist(history$metrics), c(expected, val_loss = sum(squares), val_total = sum(squares)))
  }
  expect_true(all(vapply(shapes, identical, NA, 1L)))
  # a loss of each sample takes weights as before
  model |> compile("sgd", function(y_true, y_pred) k_sum((y_true - y_pred)^2, axis = 2))
  expect_equal(evaluate(model, x, target, sample_weight = 4:1)$loss, mean(4:1 * rowSums(squares)))
})

test_that("data that do not fit say what may have been meant", {
  says <- function(code, ...) expect_refusal(code, NULL, ...)
  x <- matrix(1:6 / 6, 2)
  net <- function(shape = 3, units = 1, loss = "mse", ...) {
    model <- keras_model_sequential(input_shape = shape) |> layer_dense(units, ...)
    model |> compile("sgd", loss)
  }
  lost <- "stays one with `drop = FALSE`: `x[i, , drop = FALSE]`"
  unbuilt <- function() keras_model_sequential() |> layer_dense(1)
  expect_match(conditionMessage(expect_warning(predict(unbuilt(), x[1, ]), class = "nativenet_warning_shape")), lost,
    fixed = TRUE)
  says(fit(compile(unbuilt(), "sgd", "mse"), x[1, ], 1), "`x` has 3 samples, but `y` has 1", lost)
  says(fit(net(dim(x)), x, 1:2), "`input_shape` must be that of one, `dim(x)[-1]`")
  says(fit(net(nrow(x)), x, 1:2), "`input_shape` is the number of columns, but here it is that of the rows")
  says(predict(net(), t(x)), "`t(x)`")
  says(fit(net(), tensor_slices_dataset(list(x, c(1, 2)))), "`dataset_batch()`")
  says(fit(net(), list(1:3, 4:6), 1:2), "`pad_sequences()`", "`do.call(rbind, x)`")
  says(fit(net(), matrix("a", 2, 3), 1:2), "`as.numeric(x)` reads numbers")
  says(fit(net(units = 3), x, c(0.5, 2)), "the last layer has one unit")
  says(fit(net(units = 1, loss = "binary_crossentropy", activation = "sigmoid"), x, diag(2)),
    "the last layer has 1 unit, but a row of `y` has 2 numbers", "labels 0 and 1")
  says(fit(net(c(2, 3), 4, "sparse_categorical_crossentropy", activation = "softmax"), array(0, c(2, 2, 3)), 0:1),
    "`layer_flatten()`")
  says(fit(net(units = 3, loss = "sparse_categorical_crossentropy", activation = "softmax"), x, c(0.5, 1)),
    "`fit()`: a number that is not whole", "in `y`: labels of classes")
  says(fit(net(), x, 1:2, validation_data = list(1:2, x)), "`fit()`: `x` must have the shape", "(in `validation_data`)")
  by_order <- fit(net(), x, 1:2, validation_data = list(x, 1:2), epochs = 1, verbose = 0)
  expect_length(fit(net(), x, 1:2, validation_data = list(y = 1:2, x = x), epochs = 1, verbose = 0)$metrics$val_loss, 1)
})

test_that("words of other packages find the argument, and what is given twice or without a name says so", {
  says <- function(code, words) expect_refusal(code, NULL, words)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  says(predict(model, newdata = diag(3)), "unused argument `newdata`; did you mean `x`?")
  says(fit(compile(model, "sgd", "mse"), diag(3), 1:3, nb_epoch = 2), "did you mean `epochs`?")
  says(layer_dense(units = 1, input_shapes = 3), "did you mean `input_shape`")
  says(compile(model, "adm", "mse"), "not \"adm\"; did you mean `adam`?")
  says(compile(model, "sgd", "crossentropy"), "did you mean `binary_crossentropy` or")
  says(layer_dense(3), "write `units = 3`")
  says(layer_dense(units = 3, "relu"), "as in `activation = \"relu\"`")
  layer <- layer_dense(units = 3)
  says(keras_model_sequential(list(layer, layer), input_shape = 3),
    "is in the model already: a sequence has each layer once")
  says(model[[1]], "layers are numbered in `$layers[[1]]`")
  says(model$layers[[1]][[1]], "weights are numbered in `$weights[[1]]`")
  expect_output(summary(model$layers[[1]]), "<Dense layer")
  says(get_weights(keras_model_sequential() |> layer_dense(1)), "Give `input_shape`, or fit it")
  says(fit(compile(model, "sgd", "mse"), diag(3), 1:3, metrics = "mae"),
    "unused argument `metrics`; `compile()` takes it")
  says(compile(model, "sgd", "mse", epochs = 3), "unused argument `epochs`; `fit()` takes it")
  expect_warning(fit(compile(model, "sgd", "mse"), diag(3), 1:3, initial_epoch = 5, epochs = 3, verbose = 0),
    "there is none to train", class = "nativenet_warning_epochs")
  says(predict(keras_model_sequential(input_shape = 4) |> layer_dense(1), array(0, c(2, 2, 2))),
    "`array_reshape(x, c(nrow(x), 4))` gives rows of that shape")
  says(fit(compile(model, "sgd", "mse"), diag(3), matrix(1:3, 1)), "`t()` turns it")
  says(keras_model_sequential(input_shape = 5) |> layer_lstm(2), "`return_sequences = TRUE`")
  says(keras_model_sequential() |> layer_embedding(5, 2) |> layer_flatten() |> layer_dense(1),
    "`input_length` of `layer_embedding()`")
  course <- function(activation = relu(), loss = binary_crossentropy(), optimizer = adam_optimizer())
    build_dense_neural_network(2, list(1, activation), loss, optimizer)
  says(course(activation_relu()), "not an activation of models, `activation_relu()`")
  says(course(loss = loss_mean_squared_error()), "not a loss of models, `loss_mean_squared_error()`")
  says(course(optimizer = optimizer_adam()), "not an optimizer of models, `optimizer_adam()`")
  says(fit(course(), diag(2), 1:2), "`network$fit(x, y)`")
  says(evaluate(course(), diag(2), 1:2), "`network$fit(x, y)`")
  says(course(sigmoid())$fit(diag(2), c("a", "b")), "`factor(y)` makes classes")
})

test_that("data frames may have matrices and data frames as columns", {
  frame <- data.frame(a = c(1, 2, 3))
  frame$m <- matrix(c(1, 2, 3, 4, 5, 6), 3)
  frame$d <- data.frame(u = 7:9, v = c(0, 1, 0))
  whole <- cbind(frame$a, frame$m, frame$d$u, frame$d$v)
  model <- keras_model_sequential(input_shape = 5) |> layer_dense(1)
  expect_identical(predict(model, frame), predict(model, whole))
  compile(model, "sgd", "mse")
  expect_identical(evaluate(model, frame, 1:3, verbose = 0), evaluate(model, whole, 1:3, verbose = 0))
  frame$c <- array(1, c(3, 2, 2))
  expect_error(predict(model, frame), "column `c` is an array of shape (3, 2, 2)", fixed = TRUE)
})
