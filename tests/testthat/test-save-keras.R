# Files of Keras. Those in files/ are written by Python (tools/keras-files.py), with outputs that PyTorch computed.

has_hdf5 <- requireNamespace("hdf5r", quietly = TRUE) || length(find.package("rhdf5", quiet = TRUE)) > 0

keras_2_file <- function() {
  path <- tempfile(fileext = ".h5")
  con <- gzfile(test_path("files", "keras-2.h5.gz"), "rb")
  on.exit(close(con))
  writeBin(readBin(con, "raw", 1e6), path)
  path
}
keras_3_file <- function() test_path("files", "keras-3.keras")

built_model <- function() {
  picture <- layer_input(c(6, 6, 3), name = "picture")
  inner <- keras_model_sequential(input_shape = 4, name = "inner") |> layer_dense(3) |> layer_batch_normalization()
  steps <- picture |> layer_separable_conv_2d(4, 4) |> layer_flatten() |> layer_reshape(c(3, 12)) |>
    bidirectional(layer_gru(units = 2, return_sequences = TRUE))
  attended <- layer_multi_head_attention(list(steps, steps), num_heads = 2, key_dim = 3)
  end <- attended |> time_distributed(inner) |> layer_rnn(list(layer_lstm_cell(units = 3), layer_gru_cell(units = 2)))
  keras_model(picture, layer_dense(end, 2, activation = "softmax")) |>
    compile(optimizer_adam(0.01), "categorical_crossentropy", metrics = list("accuracy", metric_auc()))
}
data_x <- array(sin(1:(8 * 108)), c(8, 6, 6, 3))
data_y <- diag(2)[rep(1:2, 4), ]

test_that("without a package for HDF5 an error says which one is needed, and nothing is written", {
  before <- options(nativenet.hdf5 = "no.such.package")
  on.exit(options(before))
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  for (path in file.path(tempdir(), c("needs.h5", "needs.keras", "needs.HDF5"))) {
    expect_error(save_model(model, path), "install.packages.\"hdf5r\"", class = "nativenet_error_package")
    expect_false(file.exists(path))
  }
  expect_error(save_model_hdf5(model, tempfile()), "hdf5r", class = "nativenet_error_package")
  expect_error(save_model_weights_hdf5(model, tempfile()), "hdf5r", class = "nativenet_error_package")
  expect_error(callback_model_checkpoint("x.h5"), "hdf5r", class = "nativenet_error_package")
  expect_error(load_model_hdf5(keras_2_file()), "hdf5r", class = "nativenet_error_package")
  expect_error(load_model(keras_3_file()), "keras-3.keras.*hdf5r", class = "nativenet_error_package")
})

test_that("a file of Keras 2.15 has its structure, weights, outputs and state of training", {
  skip_if_not(has_hdf5, "no package for HDF5")
  path <- keras_2_file()
  model <- load_model_hdf5(path)
  expect_identical(vapply(model$layers, function(l) l$name, ""), c("picture", "conv", "norm", "depth", "drop", "pool",
    "classes"))
  held <- nativenet:::read_h5(path, stop, "test")
  check <- held$members$check$members
  expect_identical(dim(check$x), c(2L, 6L, 6L, 2L))
  expect_equal(predict(model, check$x), check$y, tolerance = 1e-6)
  # rows first in the file: the first numbers lie along the last axis
  expect_equal(as.array(model$layers[[2]]$kernel)[1, 1, 1, ], sin(1:3 * (8 / 7)) / 2, tolerance = 1e-6)
  expect_identical(model$optimizer$get_config()[c("name", "beta_1", "beta_2")], list(name = "Adam", beta_1 = 0.8,
    beta_2 = 0.99))
  expect_equal(as.double(model$optimizer$learning_rate), 0.004, tolerance = 1e-7)
  expect_identical(as.double(model$optimizer$iterations), 5)
  expect_equal(model$optimizer$get_weights()[1:2], list(as.array(model$layers[[2]]$kernel) / 10,
    as.array(model$layers[[2]]$kernel)^2), tolerance = 1e-6)
  y <- diag(4)[c(1, 3), ]
  p <- check$y
  scores <- as.numeric(unlist(unclass(evaluate(model, check$x, y, verbose = 0))))
  expect_equal(scores, c(mean(-rowSums((0.9 * y + 0.025) * log(p))), mean(max.col(p) == c(1, 3))), tolerance = 1e-5)
  # the weights alone, into another model
  other <- model_from_json(model_to_json(model))
  load_model_weights_hdf5(other, path)
  expect_identical(get_weights(other), get_weights(model))
  expect_null(load_model(path, compile = FALSE)$optimizer)
})

test_that("an archive of Keras 3 has its structure, weights, outputs and state of training", {
  skip_if_not(has_hdf5, "no package for HDF5")
  model <- load_model(keras_3_file())
  expect_identical(vapply(model$layers, function(l) l$name, ""), c("lstm", "ways", "end"))
  check <- jsonlite::fromJSON(rawToChar(nativenet:::read_zip(keras_3_file(), "check.json", stop)[[1]]))
  expect_equal(predict(model, check$x), check$y, tolerance = 1e-6)
  expect_identical(model$optimizer$get_config()[c("learning_rate", "momentum")], list(learning_rate = 0.25,
    momentum = 0.5))
  expect_identical(as.double(model$optimizer$iterations), 3)
  expect_equal(model$optimizer$get_weights(), lapply(get_weights(model), function(w) w / 5), tolerance = 1e-6)
  expect_identical(names(evaluate(model, check$x, check$y, verbose = 0)), c("loss", "mae"))
})

test_that("models of many kinds of layers come back from both formats as they were, training included", {
  skip_if_not(has_hdf5, "no package for HDF5")
  model <- built_model()
  fit(model, data_x, data_y, epochs = 2, verbose = 0)
  for (ending in c(".h5", ".keras")) {
    path <- tempfile(fileext = ending)
    expect_silent(save_model(model, path))
    again <- load_model(path)
    expect_identical(model_to_json(again), model_to_json(model))
    expect_identical(get_weights(again), get_weights(model))
    expect_identical(evaluate(again, data_x, data_y, verbose = 0), evaluate(model, data_x, data_y, verbose = 0))
    expect_identical(as.double(again$optimizer$iterations), as.double(model$optimizer$iterations))
    expect_identical(again$optimizer$get_weights(), model$optimizer$get_weights())
    expect_error(save_model(model, path, overwrite = FALSE), "exists", class = "nativenet_error_file")
  }
  bare <- keras_model_sequential(input_shape = 2) |> layer_activation_leaky_relu(alpha = 0.4)
  for (ending in c(".h5", ".keras", ".weights.h5")) {
    path <- tempfile(fileext = ending)
    if (ending == ".weights.h5") save_model_weights(bare, path) else save_model(bare, path)
    again <- if (ending == ".weights.h5") load_model_weights(bare, path) else load_model(path)
    expect_identical(model_to_json(again), model_to_json(bare))
  }
  small <- keras_model_sequential(input_shape = c(3, 2)) |> layer_lstm(2) |> layer_dense(1)
  for (ending in c(".h5", ".weights.h5")) {
    model <- small
    path <- tempfile(fileext = ending)
    save_model_weights(model, path)
    again <- load_model_weights(model_from_json(model_to_json(model)), path)
    expect_identical(get_weights(again), get_weights(model))
    expect_error(load_model(path), "weights alone", class = "nativenet_error_file")
  }
  expect_error(save_model_weights(model, tempfile(fileext = ".keras")), "whole model", class = "nativenet_error_file")
  fixed <- keras_model_sequential(input_shape = 2) |> layer_dense(2) |> layer_batch_normalization() |> layer_dense(1)
  freeze_weights(fixed, to = 1)
  for (optimizer in list(optimizer_sgd(momentum = 0.5), "adadelta")) {
    fixed |> compile(optimizer, "mse")
    fit(fixed, matrix(1:6 / 6, 3), 1:3, epochs = 1, verbose = 0)
    path <- tempfile(fileext = ".h5")
    save_model(fixed, path)
    again <- load_model(path)
    expect_identical(again$optimizer$get_weights(), fixed$optimizer$get_weights())
    expect_identical(get_config(again$optimizer), get_config(fixed$optimizer))
    expect_length(again$trainable_weights, 4)
  }
  fixed |> compile("nadam", "mse")
  expect_warning(save_model(fixed, path), "optimizer_nadam", class = "nativenet_warning_format")
})

test_that("weights are loaded by name, and what does not fit is refused as a whole or left", {
  skip_if_not(has_hdf5, "no package for HDF5")
  make <- function(units, end = "end") keras_model_sequential(input_shape = 3) |> layer_dense(units, name = "first") |>
    layer_dense(2, name = end)
  a <- make(4)
  for (path in c(tempfile(fileext = ".h5"), tempfile(fileext = ".safetensors"))) {
    save_model_weights(a, path)
    b <- load_model_weights(make(4, "other"), path, by_name = TRUE)
    expect_identical(get_weights(b)[1:2], get_weights(a)[1:2])
    expect_false(identical(get_weights(b)[[3]], get_weights(a)[[3]]))
    wider <- make(5)
    before <- get_weights(wider)
    expect_error(load_model_weights(wider, path), "3, 5", class = "nativenet_error_shape")
    expect_error(load_model_weights(wider, path, by_name = TRUE), "3, 4", class = "nativenet_error_shape")
    expect_identical(get_weights(wider), before)
    suppressWarnings(expect_warning(load_model_weights_hdf5(wider, path, by_name = TRUE, skip_mismatch = TRUE),
      "keeps its weights", class = "nativenet_warning_mismatch"))
    expect_identical(get_weights(wider)[[1]], before[[1]])
  }
  wide <- keras_model_sequential(input_shape = 2) |> layer_dense(3, use_bias = FALSE)
  tall <- keras_model_sequential(input_shape = 3) |> layer_dense(2, use_bias = FALSE)
  path <- tempfile(fileext = ".h5")
  save_model_weights(wide, path)
  load_model_weights(tall, path, reshape = TRUE)
  expect_identical(c(t(get_weights(tall)[[1]])), c(t(get_weights(wide)[[1]])))
  expect_error(load_model_weights(make(4), path), "1 layers", class = "nativenet_error_shape")
})

test_that("layers of one's own, functions and losses go through files by name", {
  skip_if_not(has_hdf5, "no package for HDF5")
  twice <- new_layer_class("Twice", initialize = function(units) self$units <- units,
    build = function(input_shape) self$kernel <- self$add_weight("kernel", c(input_shape[2], self$units)),
    call = function(inputs) 2 * op_matmul(inputs, self$kernel))
  half <- function(x) x / 2
  gap <- function(y_true, y_pred) (y_true - y_pred)^2
  model <- keras_model_sequential(input_shape = 2) |> twice(units = 3) |> layer_lambda(half, name = "half") |>
    layer_dense(1)
  model |> compile("sgd", gap)
  for (ending in ".keras") {
    path <- tempfile(fileext = ending)
    save_model(model, path)
    own <- list(Twice = twice, half = half, gap = gap, loss = gap)
    again <- load_model(path, own)
    expect_identical(predict(again, diag(2)), predict(model, diag(2)))
    expect_identical(evaluate(again, diag(2), 1:2, verbose = 0), evaluate(model, diag(2), 1:2, verbose = 0))
    expect_error(load_model(path, own["half"]), "Twice", class = "nativenet_error_custom")
    expect_error(load_model(path, own["Twice"]), "half", class = "nativenet_error_custom")
  }
})

test_that("damaged files are refused by name, and no model is half loaded", {
  skip_if_not(has_hdf5, "no package for HDF5")
  path <- keras_2_file()
  whole <- readBin(path, "raw", 1e6)
  bad <- file.path(tempdir(), "bad.h5")
  refused <- function(bytes, words = "bad.h5") {
    writeBin(bytes, bad)
    expect_error(load_model(bad), words, class = "nativenet_error_file")
  }
  refused(whole[1:2000], "cut off")
  refused(whole[1:20], "cut off")
  replaced <- function(from, to) {
    for (at in grepRaw(from, whole, fixed = TRUE, all = TRUE)) whole[at + seq_len(nchar(from)) - 1] <- charToRaw(to)
    whole
  }
  refused(replaced("layer_names", "layer_nam_s"), "no weights as Keras")
  refused(replaced("conv/bias:0", "conv/bia_:0"), "lacks the weight")
  writeBin(replaced("\"Functional\"", "\"Factional\" "), bad)
  expect_error(load_model(bad), "Factional", class = "nativenet_error_custom")
  refused(replaced("model_config", "model_conf_g"), "weights alone")

  archive <- function(...) {
    writeBin(nativenet:::zip_bytes(lapply(list(...), function(x) if (is.character(x)) charToRaw(x) else x)), bad)
    bad
  }
  expect_error(nativenet:::zip_bytes(list(a = raw(9), b = raw(9)), most = 17), "at most 17 bytes, not 18 bytes",
    class = "nativenet_error_file")
  held <- nativenet:::read_zip(keras_3_file(), c("config.json", "model.weights.h5"), stop)
  expect_error(load_model(archive(config.json = "{}")), "model.weights.h5", class = "nativenet_error_file")
  expect_error(load_model(archive(config.json = held$config.json, model.weights.h5 = held$model.weights.h5,
    "../out.txt" = "x")), "outside", class = "nativenet_error_file")
  expect_error(load_model(archive(config.json = held$config.json, model.weights.h5 = "no hdf5")), "HDF5",
    class = "nativenet_error_file")
  config <- sub('"units": 4,', '"units": 5,', rawToChar(held$config.json), fixed = TRUE)
  expect_error(load_model(archive(config.json = config, model.weights.h5 = held$model.weights.h5)), "3, 20",
    class = "nativenet_error_shape")
  # weights of more numbers than the file has are not even made
  config <- sub('"units": 2,', '"units": 200000,', rawToChar(held$config.json), fixed = TRUE)
  expect_error(load_model(archive(config.json = config, model.weights.h5 = held$model.weights.h5)), "larger weights",
    class = "nativenet_error_file")
  config <- sub('"layers": [', '"layers": [3, ', rawToChar(held$config.json), fixed = TRUE)
  expect_error(load_model(archive(config.json = config, model.weights.h5 = held$model.weights.h5)), "bad.h5",
    class = "nativenet_error_file")
  bytes <- readBin(keras_3_file(), "raw", 1e6)
  writeBin(bytes[1:3000], bad)
  expect_error(load_model(bad), "bad.h5", class = "nativenet_error_file")
  writeBin(replace(bytes, 1500, xor(bytes[1500], as.raw(255))), bad)
  expect_error(load_model(bad), "bad.h5", class = "nativenet_error_file")
})

test_that("weights of models of a class go to HDF5 files and back; what these have no place for is refused", {
  skip_if_not_installed("hdf5r")
  Net <- new_model_class("Net", initialize = function() {
    super$initialize()
    self$first <- layer_dense(units = 3)
    self$more <- list(layer_dense(units = 3), layer_batch_normalization(), layer_dense(units = 2))
  }, call = function(x) {
    x <- self$first(x)
    for (layer in self$more) x <- layer(x)
    x
  })
  x <- matrix(1:10 / 10, 2)
  model <- Net()
  y <- as.array(model(x))
  for (ending in c(".h5", ".weights.h5")) {
    path <- tempfile(fileext = ending)
    save_model_weights(model, path)
    other <- Net()
    expect_false(isTRUE(all.equal(as.array(other(x)), y)))
    load_model_weights(other, path)
    expect_identical(as.array(other(x)), y)
  }
  Own <- new_model_class("Own", initialize = function() {
    super$initialize()
    self$inner <- layer_dense(units = 1)
    self$rate <- variable(1, "float32", name = "rate")
  }, call = function(x) self$inner(x) * self$rate)
  own <- Own()
  own(x)
  for (ending in c(".h5", ".weights.h5")) expect_refusal(save_model_weights(own, tempfile(fileext = ending)), "format",
    "`save_model_weights()`", "rate", ".safetensors")
})
