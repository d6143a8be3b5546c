test_that("a model's architecture goes through JSON: layers, connections, options, functions of one's own", {
  input <- layer_input(c(8, 8, 2), name = "picture")
  middle <- input |> layer_conv_2d(4, 3, padding = "same", use_bias = FALSE, name = "filters") |>
    layer_batch_normalization(momentum = 0.9) |> layer_activation("relu")
  double <- function(x) x * 2
  output <- layer_add(list(middle, layer_conv_2d(input, 4, 1))) |> layer_lambda(double, name = "double") |>
    layer_flatten() |> layer_dense(3, activation = "softmax", kernel_regularizer = regularizer_l2(0.01))
  model <- keras_model(input, output)
  filters <- get_layer(model, "filters")
  filters$trainable <- FALSE
  json <- model_to_json(model)
  expect_length(json, 1)
  again <- model_from_json(json, custom_objects = list(double = double))
  expect_identical(model_to_json(again), json)
  expect_length(again$trainable_weights, length(model$trainable_weights))
  expect_false(identical(get_weights(again)[[1]], get_weights(model)[[1]]))
  set_weights(again, get_weights(model))
  x <- array(sin(1:384), c(3, 8, 8, 2))
  expect_identical(predict(again, x), predict(model, x))
  expect_error(model_from_json(json), "double", class = "nativenet_error_custom")

  sequence <- keras_model_sequential(input_shape = c(5, 3)) |> bidirectional(layer_lstm(units = 4)) |> layer_dense(1)
  again <- set_weights(model_from_json(model_to_json(sequence)), get_weights(sequence))
  expect_identical(predict(again, x[1:3, 1:5, 1:3, 1]), predict(sequence, x[1:3, 1:5, 1:3, 1]))
})

test_that("what describes no model is refused", {
  json <- model_to_json(keras_model_sequential(input_shape = 2) |> layer_dense(1))
  for (wrong in list("", "no JSON", "{}", "[1]", '{"class_name": "Sequential", "config": {}}',
    substr(json, 1, nchar(json) - 5), sub('"units":1', '"units":"a"', json), sub('"units":1', '"unit":1', json), 
    sub('[null,2]', '[null,-2]', json, fixed = TRUE), sub('"float32"', '"mixed_float16"', json),
    '{"layers":5,"model":1}', '{"layers":[{}],"model":1}')) {
    expect_error(model_from_json(wrong), class = "nativenet_error_file", info = wrong)
  }
  expect_error(model_from_json(json, custom_objects = 1), "custom_objects")
})

# A layer of each kind, by the shape of its input.
kept_layers <- function() list(
  "4" = list(layer_dense(units = 3, activation = "relu", kernel_regularizer = regularizer_l1(0.1), bias_initializer =
    initializer_constant(0.5), kernel_constraint = constraint_maxnorm(3)), layer_activation(activation = "elu"),
    layer_activation_relu(max_value = 1, negative_slope = 0.1), layer_activation_leaky_relu(alpha = 0.2),
    layer_activation_elu(alpha = 0.5), layer_activation_selu(), layer_activation_softmax(),
    layer_activation_thresholded_relu(theta = 0.5), layer_activation_parametric_relu(alpha_initializer = "ones"),
    layer_dropout(rate = 0.5, seed = 3), layer_gaussian_noise(stddev = 1), layer_gaussian_dropout(rate = 0.5),
    layer_alpha_dropout(rate = 0.5), layer_activity_regularization(l1 = 0.1), layer_reshape(target_shape = c(2, 2)),
    layer_reshape(target_shape = 4), layer_repeat_vector(n = 2), layer_rescaling(scale = 0.5, offset = 1),
    layer_normalization(mean = 1:4, variance = 2), layer_unit_normalization(),
    layer_identity(), layer_rms_normalization(epsilon = 0.1), layer_discretization(bin_boundaries =
    c(0, 0.5)), layer_batch_normalization(momentum = 0.9, scale = FALSE), layer_layer_normalization(),
    layer_group_normalization(groups = 2)),
  "6 4" = list(layer_conv_1d(filters = 2, kernel_size = 3, padding = "causal"), layer_conv_1d_transpose(filters = 2,
    kernel_size = 3, strides = 2), layer_separable_conv_1d(filters = 2, kernel_size = 2), layer_depthwise_conv_1d(
    kernel_size = 2, depth_multiplier = 2), layer_locally_connected_1d(filters = 2, kernel_size = 2),
    layer_max_pooling_1d(), layer_average_pooling_1d(pool_size = 3, strides = 1, padding = "same"),
    layer_global_max_pooling_1d(), layer_global_average_pooling_1d(keepdims = TRUE), layer_zero_padding_1d(padding = 2),
    layer_cropping_1d(), layer_upsampling_1d(), layer_spatial_dropout_1d(rate = 0.5), layer_permute(dims = c(2, 1)),
    layer_lstm(units = 3, return_sequences = TRUE, recurrent_activation = "hard_sigmoid"), layer_gru(units = 3),
    layer_gru(units = 3, reset_after = FALSE, go_backwards = TRUE), layer_simple_rnn(units = 3, use_bias = FALSE),
    layer_rnn(cell = list(layer_gru_cell(units = 2), layer_lstm_cell(units = 3))), layer_masking(mask_value = 1),
    bidirectional(layer = layer_lstm(units = 2), merge_mode = "sum"), time_distributed(layer = layer_dense(units = 2)),
    layer_time_distributed(layer = keras_model_sequential(input_shape = 4) |> layer_dense(2)), layer_flatten()),
  "6 6 4" = list(layer_conv_2d(filters = 4, kernel_size = c(3, 2), strides = 2, groups = 2), layer_conv_2d_transpose(
    filters = 2, kernel_size = 3, output_padding = 1, strides = 2), layer_separable_conv_2d(filters = 2, kernel_size =
    3), layer_depthwise_conv_2d(kernel_size = 3, depth_multiplier = 2), layer_locally_connected_2d(filters = 2,
    kernel_size = 2), layer_max_pooling_2d(), layer_average_pooling_2d(), layer_global_max_pooling_2d(),
    layer_global_average_pooling_2d(), layer_zero_padding_2d(padding = list(c(1, 2), c(0, 1))), layer_cropping_2d(
    cropping = c(1, 2)), layer_upsampling_2d(interpolation = "bilinear"), layer_spatial_dropout_2d(rate = 0.5),
    layer_conv_lstm_1d(filters = 2, kernel_size = 2), layer_resizing(height = 3, width = 4), layer_center_crop(height =
    2, width = 3), layer_random_flip(), layer_random_rotation(factor = 0.1), layer_random_zoom(height_factor = 0.1),
    layer_random_translation(height_factor = 0.1, width_factor = 0.1), layer_random_contrast(factor = 0.1),
    layer_random_brightness(factor = 0.1), layer_random_crop(height = 3, width = 3), layer_batch_normalization(axis =
    2), layer_flatten()),
  "4 4 4 2" = list(layer_conv_3d(filters = 2, kernel_size = 2), layer_conv_3d_transpose(filters = 2, kernel_size = 2),
    layer_max_pooling_3d(), layer_average_pooling_3d(), layer_global_max_pooling_3d(), layer_zero_padding_3d(),
    layer_cropping_3d(), layer_upsampling_3d(), layer_spatial_dropout_3d(rate = 0.5), layer_conv_lstm_2d(filters = 2,
    kernel_size = 2, return_sequences = TRUE))
)

test_that("a layer of each kind is made again from its configuration and from JSON", {
  for (shape in names(kept_layers())) for (layer in kept_layers()[[shape]]) {
    size <- as.integer(strsplit(shape, " ")[[1]])
    name <- layer$name
    model <- keras_model_sequential(list(layer), input_shape = size)
    json <- model_to_json(model)
    again <- model_from_json(json)
    expect_identical(model_to_json(again), json, info = name)
    set_weights(again, get_weights(model))
    x <- array(sin(seq_len(2 * prod(size))), c(2, size))
    expect_identical(predict(again, x), predict(model, x), info = name)
    config <- get_config(layer)
    expect_identical(get_config(from_config(config)), config, info = name)
    expect_identical(layer$get_config(), config, info = name)
    third <- as_keras_3(list(class_name = attr(config, "config_class")[["class_name"]], config = unclass(config)))
    expect_identical(get_config(from_config(third))[names(third$config)], unclass(config)[names(third$config)],
      info = name)
  }
})

test_that("parts are made again from their configurations, under Keras' names", {
  parts <- list(initializer_he_normal(3), initializer_random_uniform(-1, 2), initializer_variance_scaling(2, "fan_out"),
    initializer_orthogonal(), initializer_identity(2), regularizer_l1(0.2), regularizer_l2(0.3), regularizer_l1_l2(0.1,
    0.2), regularizer_orthogonal(), constraint_maxnorm(3), constraint_minmaxnorm(0.1), constraint_nonneg(),
    constraint_unitnorm(1), loss_huber(delta = 2), loss_kl_divergence(), loss_binary_crossentropy(from_logits = TRUE),
    metric_precision(thresholds = 0.3), metric_top_k_categorical_accuracy(k = 2), activation_relu(max_value = 2),
    optimizer_sgd(0.1, momentum = 0.5, nesterov = TRUE), optimizer_adam(amsgrad = TRUE, clipnorm = 2),
    optimizer_rmsprop(centered = TRUE), optimizer_adamw(), optimizer_adadelta(), optimizer_adagrad(),
    optimizer_adamax(), optimizer_nadam(learning_rate_schedule_cosine_decay(0.1, 10)),
    optimizer_sgd(weight_decay = 0.1, use_ema = TRUE, ema_momentum = 0.9), optimizer_lion(), optimizer_ftrl(),
    optimizer_lamb(0.1), optimizer_adafactor(relative_step = FALSE), optimizer_muon(exclude_layers = c("a", "b")),
    learning_rate_schedule_piecewise_constant_decay(c(1, 2), c(0.1, 0.2, 0.3)))
  for (part in parts) {
    config <- get_config(part)
    again <- from_config(config)
    expect_identical(class(again), class(part))
    expect_identical(get_config(again), config, info = attr(config, "config_class")[["class_name"]])
  }
  classes <- vapply(parts, function(p) attr(get_config(p), "config_class")[["class_name"]], "")
  expect_true(all(c("HeNormal", "L1L2", "OrthogonalRegularizer", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm",
    "KLDivergence", "TopKCategoricalAccuracy", "relu", "SGD", "RMSprop", "AdamW", "PiecewiseConstantDecay") %in%
    classes))
  expect_identical(get_config(regularizer_l2(0.3))$l2, 0.3)
  own <- list(scale = function(x) x / 10)
  layer <- layer_dense(units = 1, activation = structure(own$scale, py_function_name = "scale"))
  expect_identical(as.vector(from_config(get_config(layer))(matrix(1, 1, 1))$shape), c(1L, 1L))
  expect_error(get_config(1), "layer", class = "nativenet_error")
  expect_error(from_config(list(1)), "class", class = "nativenet_error")
})

test_that("functional models keep shared layers, several ends, models within, states and calls by name", {
  shared <- layer_dense(units = 4, activation = "tanh", name = "shared")
  a <- layer_input(c(5, 3), name = "a")
  b <- layer_input(c(5, 3), name = "b")
  inner_input <- layer_input(4)
  inner <- keras_model(inner_input, layer_dense(inner_input, 2), name = "inner")
  stack <- keras_model_sequential(input_shape = 4, name = "stack") |> layer_dense(4)
  states <- layer_lstm(units = 4, return_state = TRUE, name = "encoder")(shared(a))
  decoded <- layer_lstm(units = 4, return_sequences = TRUE, name = "decoder")(shared(b), initial_state = states[2:3])
  attended <- layer_multi_head_attention(num_heads = 2, key_dim = 2, name = "heads")(decoded, shared(a))
  looked <- layer_attention(list(decoded, attended))
  joined <- layer_concatenate(list(looked, attended), axis = -1) |> layer_dense(4)
  first <- stack(layer_flatten(joined) |> layer_dense(4))
  second <- inner(stack(states[[2]]))
  model <- keras_model(list(a, b), list(first, second, inner(first)))
  json <- model_to_json(model)
  again <- model_from_json(json)
  expect_identical(model_to_json(again), json)
  set_weights(again, get_weights(model))
  x <- lapply(1:2, function(k) array(sin(k * 1:30), c(2, 5, 3)))
  expect_identical(predict(again, x), predict(model, x))
  expect_identical(vapply(again$layers, function(l) l$name, ""), vapply(model$layers, function(l) l$name, ""))
  expect_length(again$weights, length(model$weights))
  expect_identical(model_to_json(from_config(get_config(model))), json)
})

test_that("what Keras 2 wrote is read", {
  json <- '{"class_name": "Functional", "config": {"name": "net", "trainable": true, "layers": [
    {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 8, 8, 3], "dtype": "float32", "sparse": false,
      "ragged": false, "name": "picture"}, "name": "picture", "inbound_nodes": []},
    {"class_name": "Conv2D", "config": {"name": "conv", "trainable": false, "dtype": "float32", "filters": 4,
      "kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "data_format": "channels_last",
      "dilation_rate": [1, 1], "groups": 1, "activation": "relu", "use_bias": true, "kernel_initializer": {
      "module": "keras.initializers", "class_name": "HeNormal", "config": {"seed": 7}, "registered_name": null},
      "bias_initializer": {"class_name": "Constant", "config": {"value": 0.25}}, "kernel_regularizer": {
      "class_name": "L2", "config": {"l2": 0.5}}, "bias_regularizer": null, "activity_regularizer": null,
      "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": [0, 1, 2]}},
      "bias_constraint": null}, "name": "conv", "inbound_nodes": [[["picture", 0, 0, {}]]]},
    {"class_name": "BatchNormalization", "config": {"name": "bn", "trainable": true, "dtype": {"class_name": "Policy",
      "config": {"name": "float32"}}, "axis": [3], "momentum": 0.9, "epsilon": 0.001, "center": true, "scale": true,
      "beta_initializer": {"class_name": "Zeros", "config": {}}, "gamma_initializer": {"class_name": "Ones",
      "config": {}}, "moving_mean_initializer": {"class_name": "Zeros", "config": {}}, "moving_variance_initializer":
      {"class_name": "Ones", "config": {}}, "beta_regularizer": null, "gamma_regularizer": null,
      "beta_constraint": null, "gamma_constraint": null}, "name": "bn", "inbound_nodes": [[["conv", 0, 0,
      {"training": false}]]]},
    {"class_name": "Add", "config": {"name": "add", "trainable": true, "dtype": "float32"}, "name": "add",
      "inbound_nodes": [[["conv", 0, 0, {}], ["bn", 0, 0, {}]]]},
    {"class_name": "GlobalAveragePooling2D", "config": {"name": "gap", "trainable": true, "dtype": "float32",
      "data_format": "channels_last", "keepdims": false}, "name": "gap", "inbound_nodes": [[["add", 0, 0, {}]]]},
    {"class_name": "Dense", "config": {"name": "out", "trainable": true, "dtype": "float32", "units": 2, "activation":
      "softmax", "use_bias": true, "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}},
      "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null, "bias_regularizer": null,
      "activity_regularizer": null, "kernel_constraint": null, "bias_constraint": null}, "name": "out",
      "inbound_nodes": [[["gap", 0, 0, {}]]]}],
    "input_layers": [["picture", 0, 0]], "output_layers": [["out", 0, 0]]}, "keras_version": "2.15.0",
    "backend": "tensorflow"}'
  model <- model_from_json(json)
  expect_identical(vapply(model$layers, function(l) l$name, ""), c("picture", "conv", "bn", "add", "gap", "out"))
  conv <- get_layer(model, "conv")
  expect_false(conv$trainable)
  expect_identical(get_config(get_layer(model, "bn"))$axis, 3L) # 0-based, here 4
  expect_identical(get_config(layer_layer_normalization(axis = c(2, -1)))$axis, c(1L, -1L))
  config <- get_config(conv)
  expect_identical(config$kernel_initializer, list(class_name = "HeNormal", config = list(seed = 7L)))
  expect_identical(config$kernel_constraint$config$axis, c(0, 1, 2))
  expect_identical(as.vector(conv$bias$numpy()), rep(0.25, 4))
  expect_identical(dim(get_layer(model, "conv")$kernel), c(3L, 3L, 3L, 4L))
  expect_identical(unlist(model$output_shape), c(NA, 2L))
  refused <- function(from, to, message, class = "nativenet_error_file") expect_error(model_from_json(sub(from, to,
    json, fixed = TRUE)), message, class = class)
  refused('"Conv2D"', '"Conv4D"', "no class of layers `Conv4D`", "nativenet_error_custom")
  refused('"HeNormal"', '"MyNormal"', "MyNormal", "nativenet_error_custom")
  refused('"use_bias": true', '"use_bias": true, "spin": 3', "argument `spin` of 3")
  refused('"float32", "filters"', '"mixed_float16", "filters"', "mixed_float16")
  refused('[["gap", 0, 0, {}]]', '[["gap", 1, 0, {}]]', "no layer gives")
  refused('[["gap", 0, 0, {}]]', '[["nowhere", 0, 0, {}]]', "no tensors of its model")
  refused('[["out", 0, 0]]', '[["nowhere", 0, 0]]', "output_layers")
})

test_that("what Keras 3 wrote is read", {
  tensor_text <- function(layer) sprintf('{"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "dtype":
    "float32", "keras_history": ["%s", 0, 0]}}', layer)
  dtype <- '"dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
    "registered_name": null}'
  dense <- function(name, from) sprintf('{"module": "keras.layers", "class_name": "Dense", "config": {"name": "%s",
    "trainable": true, %s, "units": 4, "activation": "silu", "use_bias": true, "kernel_initializer": {"module":
    "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}, "registered_name": null},
    "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null},
    "kernel_regularizer": null, "bias_regularizer": null, "kernel_constraint": null, "bias_constraint": null,
    "quantization_config": null}, "registered_name": null, "build_config": {"input_shape": [null, 4]}, "name": "%s",
    "inbound_nodes": [{"args": [%s], "kwargs": {}}]}', name, dtype, name, tensor_text(from))
  json <- sprintf('{"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "f",
    "trainable": true, "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape":
    [null, 4], "dtype": "float32", "sparse": false, "ragged": false, "name": "x"}, "registered_name": null, "name": "x",
    "inbound_nodes": []}, %s, %s, {"module": "keras.layers", "class_name": "Concatenate", "config": {"name": "both",
    "trainable": true, %s, "axis": -1}, "registered_name": null, "build_config": {"input_shape": [[null, 4],
    [null, 4]]}, "name": "both", "inbound_nodes": [{"args": [[%s, %s]], "kwargs": {}}]}],
    "input_layers": [["x", 0, 0]], "output_layers": ["both", 0, 0]}, "registered_name": "Functional",
    "build_config": {"input_shape": null}}', dense("u", "x"), dense("v", "u"), dtype, tensor_text("u"),
    tensor_text("v"))
  model <- model_from_json(json)
  expect_identical(vapply(model$layers, function(l) l$name, ""), c("x", "u", "v", "both"))
  expect_identical(unlist(model$output_shape), c(NA, 8L))
  expect_identical(get_config(get_layer(model, "u"))$activation, "swish")

  json <- sprintf('{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "trainable": true, %s,
    "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, 6, 3], "dtype":
    "float32", "sparse": false, "ragged": false, "name": "steps"}, "registered_name": null}, {"module": "keras.layers",
    "class_name": "Bidirectional", "config": {"name": "both_ways", "trainable": true, %s, "merge_mode": "concat",
    "layer": {"module": "keras.layers", "class_name": "GRU", "config": {"name": "forward_gru", "units": 2,
    "reset_after": true, "seed": null, "zero_output_for_mask": true}, "registered_name": null}, "backward_layer":
    {"module": "keras.layers", "class_name": "GRU", "config": {"name": "backward_gru", "units": 2, "go_backwards": true,
    "reset_after": true}, "registered_name": null}}, "registered_name": null}, {"module": "local", "class_name":
    "Twice", "config": {"name": "twice", "factor": 2}, "registered_name": "mine>Twice"}],
    "build_input_shape": [null, 6, 3]}, "registered_name": null}', dtype, dtype)
  twice <- new_layer_class("Twice", initialize = function(factor) self$factor <- factor,
    call = function(inputs) self$factor * inputs)
  expect_error(model_from_json(json), "Twice", class = "nativenet_error_custom")
  model <- model_from_json(json, list(Twice = twice))
  expect_identical(unlist(model$output_shape), c(NA, 4L))
  expect_identical(model_to_json(with_custom_object_scope(list(Twice = twice), model_from_json(json))),
    model_to_json(model))
  expect_identical(dim(model$weights[[3]]), c(2L, 6L))
  expect_error(model_to_yaml(model), "model_to_json", class = "nativenet_error_missing")
  expect_error(model_from_yaml(""), "model_from_json", class = "nativenet_error_missing")
})

test_that("calls of ops in models of Python are calls of ours", {
  input <- '{"class_name": "InputLayer", "config": {"batch_input_shape": [null, 3], "dtype": "float32", "name": "x"},
    "name": "x", "inbound_nodes": []}'
  op <- function(name, f, node) sprintf('{"class_name": "TFOpLambda", "config": {"name": "%s", "trainable": true,
    "dtype": "float32", "function": "%s"}, "name": "%s", "inbound_nodes": [[%s]]}', name, f, name, node)
  json <- function(...) sprintf('{"class_name": "Functional", "config": {"name": "ops", "layers": [%s], "input_layers":
    [["x", 0, 0]], "output_layers": [["end", 0, 0]]}}', paste(input, ..., sep = ", "))
  x <- matrix(c(1, -2, 3, 4, 5, -6), 2)
  model <- model_from_json(json(op("plus", "__operators__.add", '["x", 0, 0, {"y": 2.5, "name": null}]'),
    op("minus", "math.subtract", '["_CONSTANT_VALUE", -1, 1.0, {"y": ["plus", 0, 0], "name": null}]'),
    op("mean", "math.reduce_mean", '["minus", 0, 0, {"axis": 1, "keepdims": true}]'),
    op("end", "math.multiply", '["minus", 0, 0, {"y": ["mean", 0, 0], "name": null}]')))
  d <- 1 - (x + 2.5)
  expect_equal(predict(model, x), d * rowMeans(d), tolerance = 1e-6)
  expect_identical(vapply(model$layers, function(l) l$name, "")[c(1, 2, 5)], c("x", "plus", "end"))
  expect_error(model_from_json(json(op("end", "strings.spin", '["x", 0, 0, {}]'))), "strings.spin",
    class = "nativenet_error_custom")

  third <- function(name, class, config, args) sprintf('{"module": "keras.src.ops.numpy", "class_name": "%s", "config":
    {"name": "%s"%s}, "registered_name": "%s", "name": "%s", "inbound_nodes": [{"args": [%s], "kwargs": {}}]}', class,
    name, config, class, name, args)
  ref <- '{"class_name": "__keras_tensor__", "config": {"shape": [null, 3], "keras_history": ["%s", 0, 0]}}'
  model <- model_from_json(json(third("plus", "Add", "", paste0(sprintf(ref, "x"), ", 2.5")),
    third("end", "Mean", ', "axis": 1, "keepdims": true', sprintf(ref, "plus"))))
  expect_equal(predict(model, x), matrix(rowMeans(x + 2.5)), tolerance = 1e-6)
})
