# Keras' names in Python.

test_that("names follow Python's, and make what ours make", {
  k_clear_session()
  k <- tf$keras
  expect_identical(keras, k)
  layer <- k$layers$Dense(3L, "relu", name = "a")
  expect_identical(layer$get_config()[c("units", "name")], list(units = 3L, name = "a"))
  input <- k$Input(shape = 4L)
  both <- k$layers$Concatenate(axis = -1L)(list(layer(input), k$layers$Bidirectional(k$layers$GRU(2L))(
    k$layers$RepeatVector(2L)(input))))
  model <- k$Model(input, both)
  expect_identical(dim(model$output), c(NA, 7L))
  x <- matrix(sin(1:8), 2)
  expect_equal(predict(model, x)[, 1:3], pmax(x %*% as.array(layer$kernel) + rep(as.array(layer$bias), each = 2), 0),
    tolerance = 1e-5)
  expect_error(k$layers$Dens, "did you mean `Dense`", class = "nativenet_error_member")
  expect_error(k$layers$Dense(3L, unit = 2), "`layer_dense()`: there is no argument `unit`", fixed = TRUE)
})

test_that("losses, metrics and other parts are those of ours", {
  k <- tf$keras
  y <- matrix(c(0, 1, 1, 0), 2)
  p <- matrix(c(0.2, 0.7, 0.6, 0.1), 2)
  expect_identical(k$losses$mean_squared_error, loss_mean_squared_error)
  for (pair in list(list(k$losses$MeanSquaredError, "mean_squared_error"), list(k$losses$KLDivergence, "kl_divergence"),
    list(k$losses$LogCosh, "logcosh"), list(k$losses$BinaryCrossentropy, "binary_crossentropy"))) {
    expect_identical(attr(pair[[1]](), "name"), pair[[2]])
  }
  none <- k$losses$MeanSquaredError(reduction = k$losses$Reduction$NONE)
  expect_equal(as.array(none(y, p)), array(rowMeans((y - p)^2)), tolerance = 1e-6)
  mean <- k$metrics$Mean()
  mean$update_state(c(1, 2, 6))
  expect_equal(mean$result(), 3)
  expect_identical(k$metrics$AUC(), metric_auc())
  expect_identical(k$regularizers$L1L2(l1 = 0.1, l2 = 0.2), regularizer_l1_l2(0.1, 0.2))
  expect_identical(k$constraints$MaxNorm(3), constraint_maxnorm(3))
  expect_identical(k$initializers$GlorotUniform(), initializer_glorot_uniform())
  expect_identical(k$callbacks$EarlyStopping(patience = 2)$patience, callback_early_stopping(patience = 2)$patience)
  expect_identical(as.array(k$backend$sum(p, axis = 0L)), as.array(k_sum(p, axis = 1)))
  expect_match(k$backend$mean(layer_input(2), axis = -1L)$node$layer$name, "^tf.math.reduce_mean")
  expect_identical(k$utils$to_categorical(0:1, 2), to_categorical(0:1, 2))
  expect_identical(k$utils$img_to_array(matrix(1:4, 2)), image_to_array(matrix(1:4, 2)))
  windows <- k$utils$timeseries_dataset_from_array(1:9, NULL, 3, start_index = 2, end_index = 6)
  expect_equal(in_r(iter_next(as_iterator(windows))), rbind(3:5, 4:6)) # of 3, 4, 5, 6, counted as in Python
  expect_s3_class(k$preprocessing$image$ImageDataGenerator(rescale = 2)$flow(array(1, c(2, 2, 2, 1))), "nn_generator")
  expect_s3_class(k$preprocessing$sequence$TimeseriesGenerator(1:9, 1:9, 2), "nn_generator")
  expect_true(is.function(k$datasets$mnist$load_data))
  expect_s3_class(k$models$Sequential(list(k$layers$Dense(1L))), "nn_model")
})

test_that("parts are found by name, and objects come from configurations", {
  k <- tf$keras
  expect_identical(k$losses$get("mse"), loss_mean_squared_error())
  expect_identical(k$regularizers$get("l2"), as_part("regularizer", "l2"))
  expect_null(k$constraints$get(NULL))
  expect_s3_class(k$optimizers$get("adam"), "nn_optimizer")
  expect_s3_class(k$optimizers$legacy$Adam(learning_rate = 0.1), "nn_optimizer")
  config <- k$layers$serialize(k$layers$Dense(3L))
  expect_identical(k$layers$deserialize(config)$units, 3L)
  expect_equal(as.array(k$activations$get("relu")(c(-1, 2))), array(c(0, 2)))
  expect_equal(as.array(k$activations$relu(c(-1, 2, 9), max_value = 6)), array(c(0, 2, 6)))
  expect_identical(k$initializers$deserialize(k$initializers$serialize(initializer_he_normal())),
    initializer_he_normal())
  twice <- function(x) 2 * x
  model <- keras_model_sequential(input_shape = 2) |> layer_lambda(twice, name = "twice")
  again <- with(k$utils$custom_object_scope(list(twice = twice)), model_from_json(model_to_json(model)))
  expect_identical(predict(again, diag(2)), 2 * diag(2))
  expect_identical(k$models$model_from_json(model_to_json(model), list(twice = twice))$name, model$name)
  expect_identical(k$utils$unpack_x_y_sample_weight(list(1, 2)), list(1, 2, NULL))
  expect_identical(k$utils$pack_x_y_sample_weight(1, 2), list(1, 2))
  file <- tempfile(fileext = ".png")
  skip_if_not(capabilities("png"))
  k$utils$plot_model(model, to_file = file, show_shapes = TRUE)
  expect_gt(file.size(file), 1000)
})

test_that("arguments stand in Python's order, axes count from 0", {
  k <- tf$keras
  expect_identical(k$layers$LSTMCell(4L)$units, 4L)
  stack <- k$layers$StackedRNNCells(list(k$layers$GRUCell(2L), k$layers$SimpleRNNCell(3L)))
  expect_identical(stack$cells[[2]]$units, 3L)
  lstm <- k$layers$LSTM(4L, "tanh", "sigmoid", TRUE, "zeros")
  expect_identical(lstm$kernel_initializer, initializer_zeros())
  expect_false(lstm$return_sequences)
  norm <- k$layers$BatchNormalization(axis = 3L)
  norm$build(list(NULL, 5L, 6L, 2L))
  expect_identical(dim(norm$gamma), 2L)
  expect_equal(as.numeric(k$losses$MeanSquaredError("sum")(diag(2), matrix(0, 2, 2))), 1)
  y <- matrix(c(1, 0, 0.5, 1, 1, 2), 2)
  p <- matrix(c(0.3, 1, 0.5, 2, 1, 1), 2)
  none <- "none"
  expect_equal(as.array(k$losses$CosineSimilarity(0L, none)(y, p)), as.array(loss_cosine_similarity(axis = 1,
    reduction = none)(y, p)))
  layer <- k$layers$Lambda("function" = function(x) 2 * x)
  expect_equal(as.array(layer(matrix(1, 1, 2))), matrix(2, 1, 2))
  expect_identical(k$callbacks$ModelCheckpoint("a", "loss", 0, TRUE, FALSE, "min", "epoch")$monitor, "loss")
})
