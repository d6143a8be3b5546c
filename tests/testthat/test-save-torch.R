# Files that PyTorch's state_dicts were written to by tools/torch-files.py, with inputs and outputs.

torch_file <- function(name) {
  file <- safetensors_read(test_path("files", paste0("torch-", name, ".safetensors")))
  check <- lapply(file$tensors[c("check_x", "check_y")], as.array)
  path <- tempfile(fileext = ".safetensors")
  state <- file$tensors[setdiff(names(file$tensors), names(check))]
  safetensors_write(path, state)
  list(path = path, x = check$check_x, y = check$check_y, state = state)
}

images_model <- function() keras_model_sequential(input_shape = c(6, 6, 2)) |>
  layer_zero_padding_2d(padding = list(c(1, 1), c(0, 0))) |> layer_conv_2d(4, c(3, 2)) |>
  layer_batch_normalization(epsilon = 1e-5) |> layer_activation("relu") |>
  layer_depthwise_conv_2d(3, depth_multiplier = 2) |> layer_activation_parametric_relu(shared_axes = 1:2) |>
  layer_conv_2d_transpose(3, 2, strides = 2) |> layer_flatten() |> layer_dropout(0.5) |>
  layer_dense(3, name = "dense")

steps_model <- function(...) {
  words <- layer_input(5, dtype = "int32")
  h <- words |> layer_embedding(10, 6, name = "words") |> layer_lstm(4, return_sequences = TRUE, name = "first") |>
    layer_lstm(4, return_sequences = TRUE, name = "second") |>
    bidirectional(layer_gru(units = 3, return_sequences = TRUE, ...), name = "ways")
  attended <- layer_multi_head_attention(list(h, h), num_heads = 2, key_dim = 3, name = "heads")
  end <- layer_add(h, attended) |> layer_layer_normalization(epsilon = 1e-5, name = "norm") |>
    layer_simple_rnn(3, name = "simple") |> layer_dense(2, name = "out_end")
  keras_model(words, end)
}

test_that("modules in a sequence give the layers their weights, as PyTorch computes with them", {
  file <- torch_file("images")
  model <- load_torch_weights(images_model(), file$path)
  expect_equal(predict(model, file$x), file$y, tolerance = 1e-6)
})

test_that("what is flattened with channels first has PyTorch's order, or that of channels last", {
  file <- torch_file("images")
  for (format in c("channels_last", "channels_first")) {
    first <- function(layer, ...) function(object) layer(object, ..., data_format = "channels_first")
    model <- keras_model_sequential(input_shape = c(2, 6, 6)) |>
      first(layer_zero_padding_2d, list(c(1, 1), c(0, 0)))() |> first(layer_conv_2d, 4, c(3, 2))() |>
      layer_batch_normalization(axis = 2, epsilon = 1e-5) |> layer_activation("relu") |>
      first(layer_depthwise_conv_2d, 3, depth_multiplier = 2)() |>
      layer_activation_parametric_relu(shared_axes = 2:3) |> first(layer_conv_2d_transpose, 3, 2, strides = 2)() |>
      layer_flatten(data_format = format) |> layer_dropout(0.5) |> layer_dense(3)
    load_torch_weights(model, file$path)
    expect_equal(predict(model, aperm(file$x, c(1, 4, 2, 3))), file$y, tolerance = 1e-6)
  }
})

test_that("modules by name: embeddings, recurrent layers in both directions, attention, normalization", {
  file <- torch_file("steps")
  model <- steps_model()
  before <- get_weights(model)
  expect_error(load_torch_weights(model, file$path), "`encoder.l0`", class = "nativenet_error_file")
  expect_identical(get_weights(model), before)
  map <- c(words = "words", first = "encoder.l0", second = "encoder.l1", ways = "ways", heads = "heads", norm = "norm",
    simple = "simple", out_end = "out.end")
  load_torch_weights(model, file$path, layers = map)
  expect_equal(predict(model, file$x), file$y, tolerance = 1e-5)
  expect_error(load_torch_weights(steps_model(reset_after = FALSE), file$path, map), "reset_after",
    class = "nativenet_error_shape")
  # names that are those of the layers
  names(file$state) <- sub("^encoder[.](.*)_l1$", "second.\\1_l0", sub("^encoder[.](.*)_l0$", "first.\\1_l0",
    names(file$state)))
  safetensors_write(file$path, file$state)
  again <- load_torch_weights(steps_model(), file$path)
  expect_identical(get_weights(again), get_weights(model))
  # some layers alone
  part <- load_torch_weights(steps_model(), file$path, list(words = "words"))
  expect_identical(get_weights(part)[[1]], get_weights(model)[[1]])
})

test_that("what does not belong together is refused, and the model unchanged", {
  file <- torch_file("images")
  model <- images_model()
  before <- get_weights(model)
  refused <- function(state, words, class = "nativenet_error_shape", layers = NULL) {
    safetensors_write(file$path, state)
    expect_error(load_torch_weights(model, file$path, layers), words, class = class)
  }
  state <- file$state
  refused(state[setdiff(names(state), "8.bias")], "no `bias`")
  refused(state[!grepl("^8", names(state))], "say by `layers", "nativenet_error_file")
  refused(replace(state, "8.weight", list(matrix(1, 3, 5))), "5 columns")
  refused(replace(state, "0.weight", list(matrix(1, 4, 5))), "4 axes")
  refused(replace(state, "1.running_var", list(array(1, 7))), "module `1`")
  refused(c(state, list("0.spin" = 1:3)), "`spin` besides")
  refused(state, "no module `9`", "nativenet_error_file", c(dense = "9"))
  refused(state, "no layer `dens`", "nativenet_error", c(dens = "8"))
  refused(state, "must name layers", "nativenet_error", "8")
  expect_identical(get_weights(model), before)
  expect_error(load_torch_weights(model, tempfile()), "no file", class = "nativenet_error_file")
  lonely <- keras_model_sequential(input_shape = c(2, 2)) |> layer_locally_connected_1d(1, 1)
  safetensors_write(file$path, list("0.weight" = matrix(1, 2, 2), "0.bias" = 1))
  expect_error(load_torch_weights(lonely, file$path), "PyTorch for a layer of class LocallyConnected1D",
    class = "nativenet_error_shape")
})
