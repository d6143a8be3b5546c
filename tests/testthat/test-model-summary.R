# Models as text, as pictures, as data frames.

lines_of <- function(model, ...) capture.output(summary(model, ...))

test_that("the summary of a sequence is Keras', character by character", {
  k_clear_session()
  model <- keras_model_sequential() |>
    layer_embedding(input_dim = 10001, output_dim = 64, mask_zero = TRUE) |>
    layer_lstm(units = 32) |>
    layer_dense(1, activation = "sigmoid")
  rule <- strrep("_", 65)
  expect_identical(lines_of(model, line_length = 65), c(
    "Model: \"sequential\"",
    rule,
    "Layer (type)                    Output Shape           Param #",
    strrep("=", 65),
    "embedding (Embedding)           (None, None, 64)       640064",
    rule,
    "lstm (LSTM)                     (None, 32)             12416",
    rule,
    "dense (Dense)                   (None, 1)              33",
    strrep("=", 65),
    "Total params: 652,513",
    "Trainable params: 652,513",
    "Non-trainable params: 0",
    rule
  ))
  expect_identical(capture.output(print(model)), lines_of(model))
  expect_identical(capture.output(model$summary()), lines_of(model))
  expect_identical(capture.output(returned <- summary(model)), returned)
})

branched <- function() {
  k_clear_session()
  a <- layer_input(784)
  b <- layer_input(3, name = "extra")
  both <- layer_concatenate(list(layer_dense(a, 32), b))
  keras_model(list(a, b), list(layer_dense(both, 10), layer_dense(both, 1)))
}

test_that("a graph with branches says what is connected to what", {
  rule <- strrep("_", 98)
  expect_identical(lines_of(branched(), line_length = 98), c(
    "Model: \"model\"",
    rule,
    "Layer (type)                       Output Shape               Param #   Connected to",
    strrep("=", 98),
    "input_1 (InputLayer)               [(None, 784)]              0",
    rule,
    "extra (InputLayer)                 [(None, 3)]                0",
    rule,
    "dense (Dense)                      (None, 32)                 25120     input_1",
    rule,
    "concatenate (Concatenate)          (None, 35)                 0         dense, extra",
    rule,
    "dense_1 (Dense)                    (None, 10)                 360       concatenate",
    rule,
    "dense_2 (Dense)                    (None, 1)                  36        concatenate",
    strrep("=", 98),
    "Total params: 25,516",
    "Trainable params: 25,516",
    "Non-trainable params: 0",
    rule
  ))
})

test_that("a graph without branches has no such column, a shared layer one row with all it reads", {
  i <- layer_input(3)
  expect_false(any(grepl("Connected", lines_of(keras_model(i, layer_dense(layer_dense(i, 2), 1))))))
  a <- layer_input(3, name = "a")
  b <- layer_input(3, name = "b")
  shared <- layer_dense(units = 2, name = "shared")
  model <- keras_model(list(a, b), layer_subtract(list(shared(a), shared(b))))
  row <- grep("^shared", lines_of(model, line_length = 90), value = TRUE)
  expect_match(row, "^shared \\(Dense\\) +\\(None, 2\\) +8 +a, b$")
})

nested <- function() {
  k_clear_session()
  inner <- keras_model_sequential(input_shape = 4, name = "inner") |> layer_dense(3) |> layer_dense(2)
  keras_model_sequential(list(inner, layer_dense(units = 1)), name = "outer")
}

test_that("models in models can be shown with their layers, and what is frozen with them", {
  model <- nested()
  first_column <- function(...) sub("  +.*", "",
    sub("^  ", "> ", grep("\\(None", lines_of(model, line_length = 60, ...), value = TRUE)))
  expect_identical(first_column(), c("inner (Sequential)", "dense_2 (Dense)"))
  expect_identical(first_column(expand_nested = TRUE), c("inner (Sequential)", "> dense (Dense)", "> dense_1 (Dense)",
    "dense_2 (Dense)"))
  freeze_weights(model, to = "inner")
  marks <- function() sub(".* ", "", grep("\\(None", lines_of(model, line_length = 60, expand_nested = TRUE,
    show_trainable = TRUE), value = TRUE))
  expect_identical(marks(), c("N", "N", "N", "Y"))
  expect_true("Non-trainable params: 23" %in% lines_of(model))
  unfreeze_weights(model)
  expect_identical(marks(), rep("Y", 4))
  model$trainable <- FALSE
  expect_identical(marks(), rep("N", 4))
  expect_identical(tidy(model)$trainable, c(FALSE, FALSE))
})

test_that("columns can be moved; names that are too long are cut", {
  model <- nested()
  expect_identical(lines_of(model, line_length = 60, positions = c(20, 40, 60))[3],
    "Layer (type)        Output Shape        Param #")
  expect_identical(lines_of(model, line_length = 60, positions = c(20, 40, 60) / 60)[3],
    "Layer (type)        Output Shape        Param #")
  long <- keras_model_sequential(input_shape = 2) |> layer_dense(1, name = strrep("x", 100))
  expect_identical(substr(lines_of(long, width = 60)[5], 1, 31), paste0(strrep("x", 29), " ("))
  fails <- function(code, message) expect_no_warning(expect_error(code, message, fixed = TRUE,
    class = "nativenet_error_value"))
  for (bad in list("a", c(1, 2), c(0.5, 0.2, 1), c(-1, 0, 1), c(NA, 1, 2))) fails(summary(model, positions = bad),
    "`summary()`: `positions` must be 3 rising numbers, not")
  for (bad in list("a", 5, NA)) fails(summary(model, line_length = bad),
    "`summary()`: `width` must be a whole number of at least 40")
  fails(summary(model, expand_nested = "a"), "`expand_nested` must be TRUE or FALSE")
  fails(summary(model, show_trainable = NA), "`show_trainable` must be TRUE or FALSE")
})

test_that("plot() draws a box for each call of a layer, in one graph, and gives the model back", {
  # draw on a device that keeps what is drawn
  drawn <- function(model, ...) {
    grDevices::pdf(NULL)
    on.exit(grDevices::dev.off())
    grDevices::dev.control("enable")
    expect_identical(expect_invisible(plot(model, ..., method = "base")), model)
    grDevices::recordPlot()[[1]]
  }
  expect_gt(length(drawn(nested(), main = "Nested")),
    length(drawn(keras_model_sequential(input_shape = 2) |> layer_dense(1))))
  graph <- model_graph(layer_self(branched()))
  expect_identical(graph$title, c("input_1: InputLayer", "extra: InputLayer", "dense: Dense",
    "concatenate: Concatenate", "dense_1: Dense", "dense_2: Dense"))
  expect_identical(graph$detail[3:4], c("(None, 32)  25,120", "(None, 35)"))
  expect_setequal(paste(graph$from, graph$to), c("1 3", "3 4", "2 4", "4 5", "4 6"))
  expect_identical(graph$returns, c(FALSE, FALSE, FALSE, FALSE, TRUE, TRUE))
  expect_identical(graph$role, rep(c("input", "op"), c(2, 4)))
})

test_that("tidy() and glance() give numbers", {
  model <- nested()
  expect_identical(tidy(model), data.frame(
    layer = c("inner", "dense_2"), type = c("Sequential", "Dense"), output_shape = c("(None, 2)", "(None, 1)"),
    params = c(23, 3), trainable = TRUE
  ))
  expect_identical(glance(model), data.frame(layers = 2L, params = 26, trainable_params = 26, optimizer = NA_character_,
    steps = 0, epochs = 0L))
  compile(model, optimizer_adam(), "mse", metrics = "mae")
  history <- fit(model, matrix(rnorm(40), 10), rnorm(10), epochs = 3, batch_size = 5, verbose = 0)
  one <- glance(model)
  expect_identical(one[c("optimizer", "steps", "epochs")], data.frame(optimizer = "Adam", steps = 6, epochs = 3L))
  expect_identical(one$loss, history$metrics$loss[3])
  expect_identical(dim(tidy(history)), dim(as.data.frame(history)))
})

test_that("augment() puts predictions beside the data", {
  x <- data.frame(a = 1:3, b = c(0.5, 1, 2))
  one <- keras_model_sequential(input_shape = 2) |> layer_dense(1, weights = list(matrix(c(1, 2), 2), 3))
  expect_equal(augment(one, x), cbind(x, .fitted = x$a + 2 * x$b + 3), tolerance = 1e-6)
  expect_equal(augment(one, as.matrix(x))$.fitted, x$a + 2 * x$b + 3, tolerance = 1e-6)
  two <- keras_model_sequential(input_shape = 2) |> layer_dense(2)
  expect_identical(names(augment(two, x)), c("a", "b", ".fitted1", ".fitted2"))
  expect_equal(unname(as.matrix(augment(two, x)[3:4])), predict(two, x), tolerance = 1e-12)
  expect_error(augment(one), "`augment()`: `data` must be given", fixed = TRUE, class = "nativenet_error_value")
  expect_error(augment(one, list(x, x)), "`data` must be a matrix or a data frame, not a list of length 2",
    class = "nativenet_error_value")
  expect_error(augment(one, iris), "`x` must hold numbers, but column `Species`", class = "nativenet_error_value")
})
