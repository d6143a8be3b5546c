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
  expect_equal(as.array(k$losses$mean_squared_error(y, p)), array(rowMeans((y - p)^2)), tolerance = 1e-6)
  expect_identical(as_part("loss", k$losses$mean_squared_error), loss_mean_squared_error())
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
  expect_refusal(k$utils$plot_model(model, to_file = file.path(tempfile(), "x.png")), "file", "no folder")
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

test_that("functions of losses and metrics count axes from 0, too, and are known to compile()", {
  k <- tf$keras
  y <- diag(3)
  p <- matrix(c(0.7, 0.1, 0.3, 0.2, 0.8, 0.3, 0.1, 0.1, 0.4), 3)
  expect_equal(as.array(k$losses$categorical_crossentropy(y, p, axis = 1L)), array(-log(diag(p))), tolerance = 1e-6)
  expect_equal(as.array(k$losses$categorical_crossentropy(y, p, FALSE, 0, 0L)), array(-log(diag(p) / colSums(p))),
    tolerance = 1e-6)
  expect_equal(as.array(k$metrics$categorical_crossentropy(y, p, axis = 1L)), array(-log(diag(p))), tolerance = 1e-6)
  expect_equal(as.array(tf$losses$cosine_similarity(y, p, axis = 0L)), array(-diag(p) / sqrt(colSums(p^2))),
    tolerance = 1e-6)
  expect_equal(k$utils$normalize(matrix(c(3, 4, 1, 1), 2), axis = 0L)[, 1], c(0.6, 0.8))
  expect_equal(k$utils$normalize(matrix(c(3, 4, 4, 3), 2), axis = 1L)[1, ], c(0.6, 0.8))
  gamma <- array(1, 2)
  x <- matrix(c(1, 3, 2, 6), 2)
  expect_equal(as.array(k$backend$normalize_batch_in_training(x, gamma, gamma * 0, list(0L))[[2]]), array(c(2, 4)))
  path <- tempfile()
  for (f in list(k$losses$mean_squared_error, k$losses$MSE, k$losses$mse, k$losses$MeanSquaredError,
    tf$losses$MSE)) {
    model <- keras_model_sequential(input_shape = 1) |> layer_dense(1) |> compile("sgd", loss = f,
      metrics = list(k$metrics$mean_absolute_error, k$metrics$accuracy))
    save_model(model, path)
    expect_identical(load_model(path)$loss, loss_mean_squared_error())
    expect_named(evaluate(model, c(1, 2), c(0, 1), verbose = 0), c("loss", "mean_absolute_error", "accuracy"))
  }
  for (f in list(tf$nn$relu, tf$keras$activations$relu, tf$tanh, tf$nn$softmax, tf$math$softplus, tf$nn$silu)) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = f)
    save_model(model, path)
    again <- load_model(path)
    expect_identical(predict(again, diag(2)), predict(model, diag(2)))
    expect_equal(as.array(f(c(-1, 2))), as.array(again$layers[[1]]$activation(c(-1, 2))), tolerance = 1e-6)
  }
})

test_that("activations have Keras' arguments", {
  k <- tf$keras$activations
  expect_equal(as.array(k$elu(c(-1, 2), 2)), array(c(2 * (exp(-1) - 1), 2)), tolerance = 1e-6)
  x <- matrix(c(1, 2, 3, 5), 2)
  expect_equal(as.array(k$softmax(x = x, axis = 0L)), sweep(exp(x), 2, colSums(exp(x)), "/"), tolerance = 1e-6)
  expect_equal(as.array(k$gelu(x = x, approximate = FALSE)), x * pnorm(x), tolerance = 1e-6)
})

test_that("metrics take their arguments in Keras' order", {
  k <- tf$keras
  expect_identical(k$metrics$MeanSquaredError("a")$name, "a")
  expect_identical(k$metrics$BinaryAccuracy("a", NULL, 0.7), metric_binary_accuracy(threshold = 0.7, name = "a"))
  expect_identical(k$metrics$TopKCategoricalAccuracy(3L, "a"), metric_top_k_categorical_accuracy(k = 3L, name = "a"))
  expect_identical(k$metrics$CosineSimilarity("a", "float32", 1L), metric_cosine_similarity(axis = 2, name = "a"))
  expect_identical(k$metrics$AUC(100L, "PR", "interpolation", "a"), metric_auc(num_thresholds = 100L, curve = "PR",
    name = "a"))
  expect_identical(k$metrics$Precision(0.4, NULL, NULL, "a"), metric_precision(thresholds = 0.4, name = "a"))
  expect_identical(k$metrics$CategoricalCrossentropy("a", NULL, TRUE, 0.1), metric_categorical_crossentropy(
    from_logits = TRUE, label_smoothing = 0.1, name = "a"))
  expect_identical(k$metrics$SparseCategoricalCrossentropy("a", NULL, TRUE, NULL, -1L),
    metric_sparse_categorical_crossentropy(from_logits = TRUE, name = "a"))
  expect_identical(k$metrics$SparseCategoricalCrossentropy("a", NULL, TRUE, 0L),
    metric_sparse_categorical_crossentropy(from_logits = TRUE, ignore_class = 0L, name = "a"))
  expect_identical(k$metrics$MeanIoU(3L, "a", NULL, 0L), metric_mean_iou(num_classes = 3L, ignore_class = 0L,
    name = "a"))
  expect_identical(k$metrics$IoU(2L, list(0L), "a"), metric_iou(num_classes = 2L, target_class_ids = 0L, name = "a"))
  expect_identical(k$metrics$BinaryIoU(list(1L), 0.3, "a"), metric_binary_iou(target_class_ids = 1L, threshold = 0.3,
    name = "a"))
  expect_identical(k$metrics$OneHotIoU(2L, list(0L), "a")$name, "a")
  expect_identical(k$metrics$OneHotMeanIoU(2L, "a")$name, "a")
  expect_identical(k$metrics$FBetaScore("micro", 2, NULL, "a"), metric_fbeta_score(average = "micro", beta = 2,
    name = "a"))
  expect_identical(k$metrics$SensitivityAtSpecificity(0.5, 100L, NULL, "a")$name, "a")
  expect_identical(k$metrics$MeanTensor("a")$name, "a")
  expect_equal(as.array(k$metrics$MAE(matrix(1:2), matrix(c(2, 4)))), array(c(1, 2)))
  expect_identical(k$losses$SparseCategoricalCrossentropy(TRUE, NULL, "sum"), loss_sparse_categorical_crossentropy(
    from_logits = TRUE, reduction = "sum"))
  expect_identical(k$losses$Circle(60, 0.3), loss_circle(gamma = 60, margin = 0.3))
  expect_identical(k$losses$Dice("sum", "a", 1L), loss_dice(reduction = "sum", name = "a", axis = 2))
  expect_identical(k$constraints$max_norm(3), constraint_maxnorm(3))
  expect_identical(k$constraints$unit_norm(), constraint_unitnorm())
  expect_identical(k$regularizers$OrthogonalRegularizer(0.1), regularizer_orthogonal(0.1))
})

test_that("inputs take the batch's size second; feature spaces have their features as members", {
  k <- tf$keras
  expect_identical(dim(k$Input(list(28L, 28L), 64L)), c(64L, 28L, 28L))
  expect_identical(dim(k$layers$Input(3L, 5L)), c(5L, 3L))
  space <- k$utils$FeatureSpace
  made <- space(features = list(a = space$float_normalized(), b = space$integer_categorical(num_oov_indices = 1L)),
    crosses = list(space$cross(c("a", "b"), 4L)))
  expect_s3_class(made, "nn_layer")
  expect_identical(made$features$b$dtype, "int32")
  expect_error(space$float_normal, "float_normalized")
  expect_output(print(space), "tf$keras$utils$FeatureSpace()", fixed = TRUE)
})
