# Feature spaces against the layers that they are made of, in plain R.

rows <- data.frame(age = c(20, 35, 50, 65, 35), plan = c("a", "b", "a", "c", "b"), visits = c(0L, 3L, 1L, 0L, 3L),
  label = c(0, 1, 0, 1, 1))
one_hot <- function(index, n) diag(n)[index + 1, , drop = FALSE]
scaled <- function(x) (x - mean(x)) / sqrt(mean((x - mean(x))^2))

make_space <- function(...) layer_feature_space(features = list(visits = "integer_categorical",
  age = "float_normalized", plan = "string_categorical"), crosses = list(c("plan", "visits")), crossing_dim = 8, ...)
# the most frequent first, of those as frequent the last
plans <- c("b", "a", "c")
visits <- c(3, 0, 1)

wanted <- function(rows) {
  plan <- match(rows$plan, plans, 0)
  visit <- match(rows$visits, visits, 0)
  bucket <- as.vector(as.array(layer_hashed_crossing(num_bins = 8)(list(as.integer(plan), as.integer(visit)))))
  cbind((rows$age - mean(c(20, 35, 50, 65, 35))) / sqrt(mean((c(20, 35, 50, 65, 35) - 41)^2)), one_hot(plan, 4),
    one_hot(visit, 4), one_hot(bucket, 8))
}

test_that("features stand in the order of their names, then crosses; each is what its layer makes of it", {
  space <- make_space()
  expect_error(space(rows), "adapt", class = "nativenet_error_unbuilt")
  expect_identical(adapt(space, rows), space)
  expect_equal(as.array(space(rows)), wanted(rows), tolerance = 1e-6)
  unknown <- data.frame(age = 41, plan = "zz", visits = 9L)
  expect_equal(as.array(space(unknown)), wanted(unknown), tolerance = 1e-6)
  # a single sample has no axis for the batch
  expect_equal(as.array(space(as.list(unknown))), array(wanted(unknown), 17), tolerance = 1e-6)
  expect_equal(as.array(space(as.list(rows))), wanted(rows), tolerance = 1e-6)
  expect_identical(space$preprocessors$plan$get_vocabulary(), c("[UNK]", plans))
  expect_identical(names(space$crossers), "plan_X_visits")
  expect_s3_class(space$features$age, "nn_feature")
  expect_identical(space$output_mode, "concat")
  # learning anew
  space$adapt(data.frame(age = c(0, 2), plan = c("x", "x"), visits = 1:2))
  expect_identical(dim(space(rows)), c(5L, 1L + 2L + 3L + 8L))
})

test_that("data sets of batches and of single samples teach the same; dataset_map() takes it", {
  named <- as.list(rows[1:3])
  one <- make_space()
  one |> adapt(tensor_slices_dataset(named))
  two <- make_space()
  two |> adapt(tensor_slices_dataset(named) |> dataset_batch(2))
  expect_equal(as.array(one(rows)), wanted(rows), tolerance = 1e-6)
  expect_equal(as.array(two(rows)), wanted(rows), tolerance = 1e-6)
  mapped <- tensor_slices_dataset(named) |> dataset_batch(2) |> dataset_map(one)
  expect_equal(do.call(rbind, lapply(as.list(mapped), as.array)), wanted(rows), tolerance = 1e-6)
  single <- as.list(tensor_slices_dataset(named) |> dataset_map(one))
  expect_equal(as.array(single[[3]]), array(wanted(rows)[3, ], 17), tolerance = 1e-6)
  pairs <- tensor_slices_dataset(list(named, rows$label)) |> dataset_batch(5) |>
    dataset_map(function(x, y) list(one(x), y))
  expect_equal(as.array(as.list(pairs)[[1]][[1]]), wanted(rows), tolerance = 1e-6)
  expect_refusal(adapt(make_space(), tensor_slices_dataset(list(named, rows$label))), "value", "named lists")
})

test_that("output_mode \"dict\" keeps features apart, and whole numbers as they are", {
  space <- layer_feature_space(features = list(plan = feature_string_categorical(output_mode = "int"),
    visits = feature_integer_categorical(output_mode = "int", num_oov_indices = 2),
    size = feature_float_rescaled(2, 1), raw = "float"),
    crosses = list(feature_cross(c("plan", "visits"), 32, output_mode = "int")), output_mode = "dict")
  data <- list(plan = rows$plan, visits = rows$visits, size = 1:5, raw = 5:1)
  space |> adapt(data)
  got <- space(data)
  expect_named(got, c("plan", "raw", "size", "visits", "plan_X_visits"))
  expect_equal(as.array(got$size), matrix(2 * 1:5 + 1))
  expect_equal(as.array(got$raw), matrix(5:1 + 0))
  expect_equal(as.vector(as.array(got$plan)), match(rows$plan, plans))
  expect_equal(as.vector(as.array(got$visits)), match(rows$visits, visits) + 1)
  expect_true(all(as.array(got$plan_X_visits) %in% 0:31))
})

test_that("bins, buckets and layers of one's own", {
  texts <- c("a b", "b c b", "c")
  data <- list(x = c(0.5, 1.5, 9), word = c("u", "v", "u"), id = 5:7, text = texts)
  own <- layer_text_vectorization(output_mode = "count")
  space <- layer_feature_space(features = list(x = feature_float_discretized(bin_boundaries = c(1, 2)),
    word = feature_string_hashed(6), id = feature_integer_hashed(4),
    text = feature_custom("string", own, "float")))
  space |> adapt(data)
  buckets <- function(x, n) as.vector(as.array(layer_hashing(x, n)))
  expect_equal(as.array(space(data)), cbind(one_hot(buckets(5:7, 4), 4), as.array(own(texts)),
    one_hot(buckets(data$word, 6), 6), one_hot(0:2, 3)), ignore_attr = TRUE)
  # nothing to learn: it is ready; the names of kinds take the space's sizes
  ready <- layer_feature_space(features = list(word = "string_hashed", id = "integer_hashed"), hashing_dim = 5)
  expect_identical(dim(ready(data)), c(3L, 10L))
  bins <- layer_feature_space(features = list(x = "float_discretized"), num_discretization_bins = 3)
  adapt(bins, list(x = 1:30))
  expect_equal(colSums(as.array(bins(list(x = 1:30)))), rep(10, 3), tolerance = 0.25)
})

test_that("models begin with a space, or with its tensors, train and are saved", {
  space <- make_space(name = "columns")
  space |> adapt(rows)
  inputs <- space$get_inputs()
  expect_named(inputs, c("visits", "age", "plan"))
  output <- space$get_encoded_features() |> layer_dense(1, activation = "sigmoid")
  model <- keras_model(inputs, output)
  model |> compile(optimizer_adam(0.1), "binary_crossentropy")
  history <- model |> fit(as.list(rows[1:3]), rows$label, epochs = 20, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), 0.3)
  weights <- lapply(model$trainable_weights, as.array)
  expect_equal(as.vector(predict(model, rows[1:3])), plogis(as.vector(wanted(rows) %*% weights[[1]]) +
    c(weights[[2]])), tolerance = 1e-5)
  path <- tempfile()
  save_model(model, path)
  expect_identical(predict(load_model(path), rows[1:3]), predict(model, rows[1:3]))
  chain <- keras_model_sequential() |> space() |> layer_dense(2)
  expect_identical(dim(predict(chain, rows[1:3])), c(5L, 2L))
  other <- list(visits = layer_input(1, dtype = "int32"), age = layer_input(1), plan = layer_input(1, dtype = "string"))
  within <- keras_model(other, space(other))
  expect_equal(predict(within, rows[1:3]), wanted(rows), tolerance = 1e-6)
})

test_that("a space is saved and loaded, and learns on", {
  for (mode in c("concat", "dict")) {
    space <- make_space(output_mode = mode)
    space |> adapt(rows)
    path <- tempfile(fileext = ".safetensors")
    space$save(path)
    again <- load_model(path)
    arrays <- function(x) if (is.list(x)) lapply(x, as.array) else as.array(x)
    expect_identical(arrays(again(rows)), arrays(space(rows)))
    expect_identical(again$preprocessors$plan$get_vocabulary(), space$preprocessors$plan$get_vocabulary())
    expect_identical(names(again$get_inputs()), names(space$get_inputs()))
    expect_identical(names(again$one_hot_encoders), names(space$one_hot_encoders))
    again |> adapt(data.frame(age = c(0, 2), plan = c("x", "y"), visits = 1:2))
    expect_identical(again$preprocessors$plan$get_vocabulary(), c("[UNK]", "y", "x"))
    twice <- unserialize(serialize(space, NULL))
    expect_identical(arrays(twice(rows)), arrays(space(rows)))
  }
})

test_that("what does not fit is refused", {
  expect_refusal(layer_feature_space(features = list()), "value", "`features`")
  expect_refusal(layer_feature_space(features = list(a = "floats")), "value", "\"a\"", "\"float\"")
  expect_refusal(layer_feature_space(features = list(a = "float"), crosses = list(c("a", "b"))), "names", "\"b\"")
  expect_refusal(layer_feature_space(features = list(a = "float"), output_mode = "list"), "value", "`output_mode`")
  expect_refusal(feature_cross("a", 3), "value", "at least two")
  expect_refusal(feature_custom("string", 3, "int"), "value", "`preprocessor`")
  expect_refusal(feature_string_categorical(output_mode = "many"), "value", "`output_mode`",
    "`feature_string_categorical()`")
  space <- make_space()
  expect_refusal(adapt(space, rows[1:2]), "names", "\"visits\"")
  expect_refusal(adapt(space, 1:3), "value", "named list")
  adapt(space, rows)
  expect_refusal(space(rows[1:2]), "names", "\"visits\"")
  expect_refusal(space(1:3), "value", "named list")
  whole <- layer_feature_space(features = list(a = feature_string_hashed(3, output_mode = "int")))
  expect_error(whole(list(a = "x")), "was not encoded", class = "nativenet_error_dtype")
  floats <- layer_feature_space(features = list(a = "float", b = "float"), crosses = list(c("a", "b")))
  expect_error(floats(list(a = 1, b = 2)), "whole numbers", class = "nativenet_error_dtype")
})

test_that("fractions are no integer features, and large numbers are exact", {
  space <- layer_feature_space(features = list(v = feature_integer_categorical(num_oov_indices = 1)))
  space |> adapt(list(v = c(3L, 5L, 16777217L)))
  for (x in list(c(3.9, 5), tensor(c(3.9, 5)), tensor(matrix(c(3.9, 5)), "float32"))) expect_refusal(space(list(v = x)),
    "value", "`v` must be whole numbers")
  expect_identical(as.array(space(list(v = tensor(c(3, 5))))), as.array(space(list(v = c(3L, 5L)))))
  expect_identical(as.array(space(list(v = c(16777216L, 16777217L))))[, 1], c(1, 0)) # the first is unknown
  # models with inputs of whole numbers likewise
  model <- keras_model(space$get_inputs(), space$get_encoded_features())
  expect_refusal(model(list(v = c(3.9, 5))), "value")
  expect_refusal(predict(model, list(v = c(3.9, 5))), "value")
  expect_identical(as.array(model(list(v = c(16777216L, 16777217L)))), predict(model, list(v = c(16777216L,
    16777217L))))
})

test_that("columns are of equal length", {
  space <- layer_feature_space(features = list(a = "float_normalized", b = "string_categorical"))
  expect_refusal(adapt(space, list(a = 1:3, b = c("x", "y"))), "shape", "`a` has 3 and `b` 2")
  adapt(space, list(a = 1:3, b = c("x", "y", "y"), other = 1:7))
  expect_refusal(space(list(a = 1:3, b = c("x", "y"))), "shape", "`a` has 3 and `b` 2")
  expect_refusal(space(list(a = 1:3, b = "x")), "shape", "`a` has 3 and `b` 1")
  expect_identical(dim(space(list(a = 1:3, b = c("x", "y", "y"), other = 1:7))), c(3L, 4L))
})
