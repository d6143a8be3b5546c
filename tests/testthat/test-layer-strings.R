again <- function(model, ...) unserialize_model(serialize_model(model), ...)
texts <- c("good film", "bad film, film", "film")
numbers <- matrix(1:6 / 6, 3)

#' A model of texts and numbers, in which three layers read the texts.
text_model <- function() {
  set.seed(1)
  text <- layer_input(1, dtype = "string", name = "text")
  number <- layer_input(2, name = "number")
  vectorize <- layer_text_vectorization(vocabulary = c("good", "bad", "film"), name = "words")
  spell <- layer_text_vectorization(vocabulary = c("o", "a"), split = "character", output_mode = "count")
  bucket <- layer_hashing(num_bins = 5, output_mode = "one_hot")
  read <- vectorize(text) |> layer_embedding(6, 4, mask_zero = TRUE) |> layer_lstm(3)
  keras_model(list(text, number), layer_concatenate(list(read, spell(text), bucket(text), number)) |> layer_dense(1))
}

test_that("a model that begins with strings computes what its layers do", {
  model <- text_model()
  expected <- predict(model, list(texts, numbers))
  expect_equal(as.array(model(list(texts, numbers))), expected, tolerance = 1e-6)
  expect_identical(predict(model, list(texts, numbers), batch_size = 1), expected)
  expect_identical(predict(model, list(number = numbers, text = matrix(texts))), expected)
  expect_identical(predict(model, list(factor(texts), numbers)), expected)
  expect_identical(predict(model, list(data.frame(t = texts), numbers)), expected)
  expect_identical(predict_on_batch(model, list(texts, numbers)), expected)
  # the same, from tokens
  tokens <- as.array(get_layer(model, "words")(texts))
  by_hand <- keras_model_sequential(list(layer_embedding(input_dim = 6, output_dim = 4, mask_zero = TRUE),
    layer_lstm(units = 3)), input_shape = 3)
  weights <- get_weights(model)
  predict(by_hand, tokens)
  set_weights(by_hand, weights[1:4])
  features <- cbind(predict(by_hand, tokens),
    as.array(layer_text_vectorization(texts, vocabulary = c("o", "a"), split = "character", output_mode = "count")),
    as.array(layer_hashing(matrix(texts), num_bins = 5, output_mode = "one_hot")), numbers)
  expect_equal(expected, features %*% as.array(weights[[5]]) + as.vector(weights[[6]]), tolerance = 1e-5)
})

test_that("it is trained, evaluated, saved, cloned, from arrays and data sets", {
  model <- text_model()
  model |> compile("adam", "mse")
  y <- c(1, 2, 3)
  data <- dataset_batch(tensor_slices_dataset(list(list(texts, numbers), y)), 2)
  twin <- again(model)
  fit(model, list(texts, numbers), y, epochs = 3, batch_size = 2, shuffle = FALSE, verbose = 0)
  fit(twin, data, epochs = 3, verbose = 0)
  expect_equal(predict(twin, list(texts, numbers)), predict(model, list(texts, numbers)), tolerance = 1e-6)
  expect_equal(evaluate(model, data)$loss, evaluate(model, list(texts, numbers), y)$loss, tolerance = 1e-6)
  expect_equal(predict(model, data), predict(model, list(texts, numbers)), tolerance = 1e-6)
  before <- mean((predict(model, list(texts, numbers)) - y)^2)
  expect_equal(train_on_batch(model, list(texts, numbers), y)$loss, before, tolerance = 1e-5)
  path <- tempfile(fileext = ".safetensors")
  save_model(model, path)
  expect_identical(predict(load_model(path), list(texts, numbers)), predict(model, list(texts, numbers)))
  expect_identical(get_vocabulary(clone_model(model)$layers[[2]]), c("", "[UNK]", "good", "bad", "film"))
  expect_output(print(model), "words (TextVectorization)   (None, None)", fixed = TRUE)
})

test_that("vocabularies come back from files as they were, whatever and however many their words are", {
  model <- function(words) keras_model_sequential(input_shape = 1) |> layer_string_lookup(vocabulary = words)
  odd <- list("src", c("", "a"), c("a\nb", "c"), c("\"", "\\", "\u00e9", " "), c("NA", "TRUE", "1"))
  for (words in odd) expect_identical(get_vocabulary(again(model(words))$layers[[1]]), c("[UNK]", words))
  many <- as.character(seq_len(2e5))
  expect_identical(get_vocabulary(again(model(many))$layers[[1]], FALSE), many)
  expect_identical(layer_input(1, dtype = tf$string)$dtype, "string")
})

test_that("adapting changes models that are there", {
  lookup <- layer_string_lookup(max_tokens = 4, output_mode = "multi_hot", pad_to_max_tokens = TRUE)
  model <- keras_model_sequential(input_shape = 2) |> lookup()
  adapt(lookup, c("a", "b"))
  x <- rbind(c("a", "x"), c("b", "b"))
  expect_identical(predict(model, x), rbind(c(1, 0, 1, 0), c(0, 1, 0, 0)))
  adapt(lookup, c("x", "a", "b"))
  expect_identical(predict(model, x), rbind(c(0, 1, 0, 1), c(0, 0, 1, 0)))
  expect_identical(predict(again(model), x), predict(model, x))
})

test_that("models of strings may be parts of others, and be built by their first data", {
  inner <- keras_model_sequential() |> layer_text_vectorization(vocabulary = c("good", "bad"),
    output_sequence_length = 2) |> layer_embedding(4, 2) |> layer_flatten()
  x <- layer_input(1, dtype = "string")
  outer <- keras_model(x, layer_dense(inner(x), 1))
  expected <- predict(inner, texts) %*% get_weights(outer)[[2]]
  expect_equal(predict(outer, texts), expected, tolerance = 1e-6)
  expect_equal(as.array(outer(texts)), expected, tolerance = 1e-6)
  expect_equal(predict(again(outer), texts), expected, tolerance = 1e-6)
  late <- keras_model_sequential() |> layer_hashing(num_bins = 7, output_mode = "one_hot") |> layer_dense(1)
  late |> compile("sgd", "mse")
  fit(late, data.frame(colour = c("red", "blue")), 1:2, epochs = 1, verbose = 0)
  expect_identical(dim(predict(late, c("red", "green", "blue"))), c(3L, 1L))
  reader <- new_layer_class("Reader", initialize = function() {
    super$initialize()
    self$lookup <- layer_string_lookup(vocabulary = c("a", "b"))
  }, call = function(x, ...) op_cast(self$lookup(x), "float32"))
  own <- keras_model(x, reader(x))
  expect_identical(predict(own, c("b", "z")), matrix(c(2, 0), 2))
})

test_that("whole numbers are hashed on their way into a model", {
  z <- layer_input(1, dtype = "int64")
  hash <- layer_hashing(num_bins = 4)
  model <- keras_model(z, list(hash(z), layer_integer_lookup(vocabulary = c(3, 5))(z)))
  both <- predict(model, c(3, 5, 7))
  expect_equal(both[[1]], as.array(layer_hashing(matrix(c(3, 5, 7)), num_bins = 4)))
  expect_equal(both[[2]], matrix(c(1, 2, 0)))
  data <- tensor_slices_dataset(c(3L, 5L, 7L))
  expect_message(mapped <- dataset_map(data, function(x) hash(x)), "is called in R for each element")
  expect_equal(unlist(lapply(as.list(mapped), as.array)), as.vector(both[[1]]))
  words <- dataset_map(tensor_slices_dataset(c("a", "b")), layer_string_lookup(vocabulary = "b"))
  expect_equal(unlist(lapply(as.list(words), as.array)), c(0, 1))
  expect_error(keras_model_sequential(input_shape = 3) |> layer_dense(2) |> hash(), "not on what is computed there",
    class = "nativenet_error_traced")
})

test_that("strings where there should be numbers are refused, and the other way round", {
  fails <- function(expr, text, kind = "value")
    expect_error(expr, text, fixed = TRUE, class = paste0("nativenet_error_", kind))
  x <- layer_input(1, dtype = "string")
  fails(layer_dense(x, 2), "must be a numeric or logical array, not strings of shape (None, 1)")
  fails(layer_dense(units = 2)("a"), "not \"a\"; `layer_string_lookup()`")
  fails(layer_string_lookup(layer_input(1), vocabulary = "a"), "reads strings, not a tensor of float32")
  model <- keras_model(x, layer_string_lookup(x, vocabulary = c("a", "b")))
  fails(predict(model, 1:3), "`x` must be strings")
  fails(predict(model, c("a", NA)), "`x` must not have missing strings; number 2 is NA")
  fails(predict(model, matrix("a", 2, 2)), "`x` must have the shape (None, 1)", "shape")
  fails(model(1:3), "`x` must be strings")
})
