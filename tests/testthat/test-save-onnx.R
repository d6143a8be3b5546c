# ONNX files, read by a reader of their own: the fields of Protocol Buffers, as a list of number and value. What engines
# make of them is compared by tools/onnx.R.

proto_fields <- function(bytes) {
  at <- 0
  varint <- function() {
    value <- 0
    shift <- 0
    repeat {
      at <<- at + 1
      b <- as.integer(bytes[at])
      value <- value + (b %% 128) * 2^shift
      shift <- shift + 7
      if (b < 128) return(value)
    }
  }
  fields <- list()
  while (at < length(bytes)) {
    key <- varint()
    take <- function(n) {
      force(n)
      at <<- at + n
      bytes[at - n + seq_len(n)]
    }
    value <- switch(as.character(key %% 8), "0" = varint(), "2" = take(varint()), "5" = readBin(take(4), "double", 1,
      4, endian = "little"))
    fields <- c(fields, list(list(field = key %/% 8, value = value)))
  }
  expect_identical(at, length(bytes) + 0)
  fields
}
field <- function(fields, k) lapply(Filter(function(f) f$field == k, fields), `[[`, "value")
text <- function(fields, k) vapply(field(fields, k), rawToChar, "")

onnx_of <- function(model) {
  path <- tempfile(fileext = ".onnx")
  expect_identical(save_model_onnx(model, path), path)
  file <- proto_fields(readBin(path, "raw", 1e6))
  graph <- proto_fields(field(file, 7)[[1]])
  list(version = unlist(field(proto_fields(field(file, 8)[[1]]), 2)),
    nodes = lapply(field(graph, 1), function(n) {
      n <- proto_fields(n)
      list(op = text(n, 4), from = text(n, 1), to = text(n, 2), attributes = lapply(field(n, 5), proto_fields))
    }),
    constants = lapply(field(graph, 5), function(t) {
      t <- proto_fields(t)
      size <- unlist(field(t, 1))
      kind <- field(t, 2)[[1]]
      numbers <- if (kind == 1) readBin(field(t, 9)[[1]], "double", 1e4, 4, endian = "little") else
        readBin(field(t, 9)[[1]], "integer", 1e4, 4, endian = "little")
      list(name = text(t, 8), kind = kind, dim = size, numbers = numbers)
    }),
    inputs = lapply(field(graph, 11), proto_fields), outputs = lapply(field(graph, 12), proto_fields))
}

test_that("a file has operators, weights, names and shapes of a model", {
  model <- keras_model_sequential(input_shape = c(6, 5, 2)) |> layer_conv_2d(3, c(3, 2), activation = "relu",
    name = "small") |>
    layer_flatten() |> layer_dense(4, activation = "softmax", name = "classes")
  file <- onnx_of(model)
  expect_identical(file$version, 17)
  expect_identical(vapply(file$nodes, function(n) n$op, ""), c("Transpose", "Conv", "Transpose", "Relu", "Flatten",
    "MatMul", "Add", "Softmax", "Identity"))
  expect_identical(text(file$inputs[[1]], 1), "small_input")
  kernel <- as.array(model$layers[[1]]$kernel)
  conv <- Filter(function(t) identical(t$dim, c(3, 2, 3, 2)), file$constants)[[1]]
  # (filters, channels, height, width), the last index fastest
  expect_equal(conv$numbers, as.vector(aperm(aperm(kernel, c(4, 3, 1, 2)))), tolerance = 1e-7)
  dense <- Filter(function(t) identical(t$dim, c(48, 4)), file$constants)[[1]]
  expect_equal(dense$numbers, as.vector(t(as.array(model$layers[[3]]$kernel))), tolerance = 1e-7)
  # each operator reads what stands before it
  known <- c(text(file$inputs[[1]], 1), vapply(file$constants, function(t) t$name, ""))
  for (n in file$nodes) {
    expect_true(all(n$from %in% known))
    expect_false(any(n$to %in% known))
    known <- c(known, n$to)
  }
  expect_true(text(file$outputs[[1]], 1) %in% known)
  perm <- file$nodes[[1]]$attributes[[1]]
  expect_identical(list(text(perm, 1), unlist(field(perm, 8)), unlist(field(perm, 20))), list("perm", c(0, 3, 1, 2), 7))
})

test_that("gates, negative numbers and states are those of the format", {
  model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_lstm(2, return_sequences = TRUE, go_backwards = TRUE)
  set_weights(model, list(matrix(1:24, 3), matrix(1:16, 2), array(1:8, 8)))
  file <- onnx_of(model)
  sized <- function(...) Filter(function(t) identical(t$dim, c(...)), file$constants)[[1]]$numbers
  # blocks i, o, f, c of i, f, c, o
  expect_identical(sized(1, 8, 3), as.vector(matrix(1:24 + 0, 3)[, c(1, 2, 7, 8, 3, 4, 5, 6)]))
  expect_identical(sized(1, 16), c(1, 2, 7, 8, 3, 4, 5, 6, rep(0, 8)))
  # the steps turned round: from the last to beyond the first, by -1
  turned <- Filter(function(t) t$kind == 7 && identical(t$numbers, c(-1L, -1L)), file$constants)
  expect_length(turned, 2)
  expect_true("Slice" %in% vapply(file$nodes, function(n) n$op, ""))
})

test_that("each kind of layer is exported, or refused by name", {
  refused <- function(layer, size, words) expect_error(save_model_onnx(keras_model_sequential(list(layer), input_shape =
    size), tempfile()), words, class = "nativenet_error_missing")
  refused(layer_lambda(f = function(x) 2 * x, name = "own"), 2, "`own`: a layer of class Lambda")
  refused(layer_rnn(cell = layer_gru_cell(units = 2), name = "cells"), c(3, 2), "`cells`")
  refused(layer_discretization(bin_boundaries = 1), 2, "Discretization")
  refused(layer_conv_2d_transpose(filters = 1, kernel_size = 2), c(NA, NA, 1), "needs to know its sizes")
  words <- layer_input(4)
  masked <- keras_model(words, words |> layer_embedding(5, 2, mask_zero = TRUE) |> layer_lstm(2, name = "reader"))
  expect_error(save_model_onnx(masked, tempfile()), "`reader`: follows a mask", class = "nativenet_error_missing")
  path <- tempfile()
  file.create(path)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  expect_error(save_model_onnx(model, path, overwrite = FALSE), "exists", class = "nativenet_error_file")
  rules <- nativenet:::onnx_rules
  kinds <- unique(nativenet:::onnx_kind(unname(nativenet:::layer_classes())))
  left <- c("lambda", "op_lambda", "rnn", "lstm_cell", "gru_cell", "simple_rnn_cell", "stacked_rnn_cells", "conv_lstm",
    "locally_connected", "masking", "hashing", "discretization", "category_encoding", "string_lookup",
    "integer_lookup", "text_vectorization", "random_crop", "center_crop", "tied_dense", "rms_normalization", "input",
    "auto_contrast", "equalization", "einsum_dense", "group_query_attention", "spectral_normalization", "pipeline",
    "mel_spectrogram", "stft_spectrogram", "feature_space", "hashed_crossing", "max_num_bounding_boxes")
  expect_identical(setdiff(kinds, c(names(rules), left)), character())
  expect_identical(intersect(names(rules), left), character())
})
