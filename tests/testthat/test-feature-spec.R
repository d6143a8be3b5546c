letters_data <- list(a = letters, b = 1:26, c = (1:26) / 7, d = LETTERS, y = (1:26) / 26)
dataset <- dataset_batch(tensor_slices_dataset(letters_data), 4)
spec <- feature_spec(dataset, y ~ a + b + c + d)
features_of <- function(spec) as.array(layer_dense_features(letters_data, dense_features(spec)))

test_that("steps leave the specification as it was, and fit() learns once", {
  expect_setequal(spec$feature_names(), c("a", "b", "c", "d"))
  one <- spec |> step_numeric_column(b) |> step_categorical_column_with_vocabulary_list(a, d) |>
    step_indicator_column(a, d)
  expect_identical(one$feature_types(), c("float32", "string", "string", "float32", "float32", "float64"))
  expect_length(spec$steps, 0)
  expect_error(one$features(), class = "nativenet_error_unbuilt")
  fitted <- fit(one)
  expect_length(fitted$features(), 5)
  expect_error(one$features(), class = "nativenet_error_unbuilt")
  one$fit()
  expect_named(one$dense_features(), c("b", "indicator_a", "indicator_d"))
  expect_equal(features_of(fitted), cbind(diag(26), 1:26, diag(26)))
  expect_error(dataset_use_spec(dataset, spec), class = "nativenet_error_unbuilt")
  expect_error(fit(one, dataset_repeat(dataset)), "without end")
})

test_that("columns are selected and named", {
  all <- fit(spec |> step_numeric_column(all_numeric(), -b) |>
    step_categorical_column_with_vocabulary_list(all_nominal()) |> step_indicator_column(all_nominal(), -a))
  expect_named(dense_features(all), c("c", "indicator_d"))
  named <- spec |> step_categorical_column_with_vocabulary_list(a, d) |> step_indicator_column(ind = a)
  expect_named(dense_features(fit(named)), "ind")
  expect_error(named |> step_indicator_column(x = has_type("string")), "one column")
  expect_error(step_numeric_column(spec, zz), class = "nativenet_error_names")
  expect_error(step_numeric_column(spec), "at least one column")
  expect_error(fit(step_indicator_column(spec, a)), class = "nativenet_error_names")
  expect_error(fit(spec |> step_numeric_column(b) |> step_indicator_column(b)), "categorical")
  gone <- spec |> step_numeric_column(b) |> step_bucketized_column(b, boundaries = c(5, 10)) |> step_remove_column(b)
  expect_named(fit(gone)$features(), "bucketized_b")
  expect_error(step_remove_column(spec, b), class = "nativenet_error_names")
  crossed <- spec |> step_crossed_column(c(a, d), hash_bucket_size = 10) |> step_indicator_column(crossed_a_d)
  expect_named(dense_features(fit(crossed)), "indicator_crossed_a_d")
  expect_error(step_crossed_column(spec, a, hash_bucket_size = 10), "two columns")
  expect_error(dense_features(1), "feature_spec")
})

test_that("scalers learn in batches what they would in one", {
  standard <- fit(spec |> step_numeric_column(b, c, normalizer_fn = scaler_standard()))
  scaled <- function(x) (x - mean(x)) / sd(x)
  expect_equal(features_of(standard), cbind(scaled(1:26), scaled((1:26) / 7)), tolerance = 1e-6)
  ends <- fit(spec |> step_numeric_column(b, normalizer_fn = scaler_min_max()))
  expect_equal(features_of(ends), cbind((0:25) / 25), tolerance = 1e-6)
  flat <- fit(feature_spec(data.frame(x = c(3, 3)), x = x) |> step_numeric_column(x, normalizer_fn = scaler_standard()))
  expect_equal(as.array(layer_dense_features(list(x = c(3, 4)), dense_features(flat))), cbind(c(0, 1)))
  expect_error(fit(feature_spec(data.frame(x = c(3, NA)), x = x) |>
    step_numeric_column(x, normalizer_fn = scaler_min_max())), class = "nativenet_error_nan")
  expect_error(fit(spec |> step_numeric_column(b, normalizer_fn = scaler_standard()), dataset_take(dataset, 0)),
    "without elements")
  expect_error(fit(spec |> step_numeric_column(b, normalizer_fn = scaler_standard()),
    tensor_slices_dataset(data.frame(z = 1))), class = "nativenet_error_names")
})

test_that("the listing of the tfdatasets articles trains, predicts, is saved and loaded", {
  hearts <- clinic(64)
  data <- dataset_batch(tensor_slices_dataset(hearts), 32)
  spec <- feature_spec(hearts, target ~ .) |>
    step_numeric_column(all_numeric(), -cp, -restecg, -exang, -sex, -fbs, normalizer_fn = scaler_standard()) |>
    step_categorical_column_with_vocabulary_list(thal) |>
    step_bucketized_column(age, boundaries = c(18, 25, 30, 35, 40, 45, 50, 55, 60, 65)) |>
    step_indicator_column(thal) |>
    step_embedding_column(thal, dimension = 2) |>
    step_crossed_column(c(thal, bucketized_age), hash_bucket_size = 10) |>
    step_indicator_column(crossed_thal_bucketized_age) |>
    fit()
  expect_length(spec$dense_features(), 11)
  training <- dataset_use_spec(data, spec)
  set.seed(1)
  inputs <- layer_input_from_dataset(hearts[names(hearts) != "target"])
  output <- inputs |> layer_dense_features(dense_features(spec)) |> layer_dense(8, "relu") |> layer_dense(1, "sigmoid")
  model <- keras_model(inputs, output)
  model |> compile(optimizer_adam(0.05), "binary_crossentropy", metrics = "binary_accuracy")
  history <- suppressWarnings(fit(model, training, epochs = 12, verbose = 0))
  expect_lt(rev(history$metrics$loss)[1], 0.7 * history$metrics$loss[1])
  path <- tempfile()
  save_model(model, path)
  expect_identical(predict(load_model(path), hearts), predict(model, hearts))

  sequence <- keras_model_sequential() |> layer_dense_features(dense_features(spec)) |> layer_dense(1, "sigmoid")
  sequence |> compile("adam", "binary_crossentropy")
  fit(sequence, training, epochs = 1, verbose = 0)
  path <- tempfile()
  save_model(sequence, path)
  expect_identical(predict(load_model(path), hearts), predict(sequence, hearts))
  first <- next_batch(training)[[1]]
  layer <- layer_dense_features(feature_columns = dense_features(spec))
  expect_identical(dim(layer(first)), c(32L, 33L))
  unlink(path)
})

test_that("arguments of steps are checked at the call, what is learned later is left open", {
  refused <- function(call, kind, ...) expect_refusal(call, kind, ...)
  refused(step_numeric_column(spec, b, shape = -1), "value", "`step_numeric_column()`", "`shape`")
  refused(step_numeric_column(spec, b, normalizer_fn = 1), "value", "`step_numeric_column()`")
  refused(step_indicator_column(spec, a), "names", "`step_indicator_column()`", "makes one")
  refused(step_categorical_column_with_identity(spec, b, num_buckets = 0), "value", "`num_buckets`")
  refused(step_categorical_column_with_vocabulary_file(spec, a, vocabulary_file = tempfile()), "file")
  refused(step_categorical_column_with_vocabulary_list(spec, a, num_oov_buckets = -1), "value", "`num_oov_buckets`")
  refused(step_categorical_column_with_vocabulary_list(spec, a, default_value = 0.5), "value", "`default_value`")
  refused(step_categorical_column_with_hash_bucket(spec, a, hash_bucket_size = 3, dtype = "no"), "value", "`dtype`")
  words <- spec |> step_categorical_column_with_vocabulary_list(a, default_value = 25) |>
    step_categorical_column_with_vocabulary_list(d, vocabulary_list = LETTERS)
  refused(step_embedding_column(words, a, combiner = "no"), "value", "`step_embedding_column()`", "`combiner`")
  refused(step_embedding_column(words, a, dimension = 2, initializer = "no"), "value", "`initializer`")
  refused(step_crossed_column(words, c(a, d), hash_bucket_size = 0), "value", "`step_crossed_column()`")
  # 26 words that the data have, and 26 given ones
  made <- fit(words |> step_shared_embeddings_column(a, d, dimension = function(n) n / 2))
  expect_identical(dense_features(made)[[1]]$dimension, 13L)
})
