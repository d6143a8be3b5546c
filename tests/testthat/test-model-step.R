# The programs of a model serve batches of any size: what its functions learn from the size of a batch is right for the
# batch at hand.

# Functions of a batch that ask for its size in each of the ways there are. `free`: one program serves all sizes.
asking <- list(
  free = list(
    many = function(a) Reduce(op_add, list(a, op_concat(rep(list(a), 70), 2)[, 1:2])),
    k_shape = function(a) a / k_cast(k_shape(a)[1], k_dtype(a)),
    tf_shape = function(a) a / tf$cast(tf$shape(a)[1], a$dtype),
    tf_size = function(a) a / tf$cast(tf$size(a), a$dtype),
    features = function(a) a / dim(a)[2],
    rank = function(a) a / length(dim(a)),
    members = function(a) a / a$shape[[2]],
    all_rows = function(a) a * a[, 1, drop = FALSE],
    a_column = function(a) a + k_expand_dims(a[, 2], 2),
    new_axis = function(a) a[, NULL, ][, 1, ],
    k_tile = function(a) a + k_tile(a, c(1, 2))[, 1:2],
    k_reshape = function(a) k_reshape(k_reshape(a, c(-1, 2, 1)), c(-1, 2)),
    a_mean = function(a) a - k_mean(a, 1, keepdims = TRUE),
    a_product = function(a) op_matmul(op_matmul(a, op_transpose(a)), a),
    k_switch = function(a) k_switch(k_shape(a)[1] > 2L, a, -a),
    tiled = function(a) a * op_tile(tensor(matrix(2, 1, 2), k_dtype(a)), c(1, 1)),
    cumsum = function(a) op_cumsum(a, 1),
    gradient = function(a) {
      tape <- gradient_tape()
      tape_watch(tape, a)
      b <- tape_record(tape, a^2 * k_sum(a))
      tape_gradient(tape, b, a)
    }
  ),
  bound = list(
    nrow = function(a) a / nrow(a),
    dim = function(a) a / dim(a)[1],
    length = function(a) a / length(a),
    shape = function(a) a * a$shape[[1]],
    as_list = function(a) a * unlist(a$shape$as_list())[1],
    k_int_shape = function(a) a * k_int_shape(a)[[1]],
    prod = function(a) a / prod(dim(a)),
    identical = function(a) if (identical(dim(a), c(3L, 2L))) a else -a,
    compared = function(a) if (nrow(a) > 2) a else -a,
    a_loop = function(a) {
      sum <- a * 0
      for (i in seq_len(nrow(a))) sum <- sum + a[i, , drop = FALSE]
      sum
    },
    lapply = function(a) op_concat(lapply(seq_len(nrow(a)), function(i) a[i, , drop = FALSE] * i), 1),
    first = function(a) a - a[1, , drop = FALSE],
    last = function(a) a - a[-1, , drop = FALSE],
    reversed = function(a) op_reverse(a, 1),
    split = function(a) op_concat(rev(op_split(a, nrow(a), axis = 1)), 1),
    unstack = function(a) op_stack(rev(op_unstack(a)), 1),
    an_array = function(a) a * array(seq_along(as.double(dim(a))), dim(a)),
    ones = function(a) a * op_sum(op_cast(tf$ones(dim(a)), k_dtype(a))),
    ones_like_shape = function(a) a * op_sum(op_cast(tf$ones(tf$shape(a)), k_dtype(a))),
    k_tile = function(a) a * k_tile(tensor(matrix(2, 1, 2), k_dtype(a)), c(nrow(a), 1)),
    k_reshape = function(a) k_reshape(k_reshape(a, c(dim(a)[1], 2, 1)), dim(a)),
    reshape_list = function(a) k_reshape(k_reshape(a, list(k_shape(a)[1], 2L, 1L)), k_shape(a)),
    reshape_c = function(a) k_reshape(a, c(k_shape(a)[[1]], 2)),
    a_sample = function(a) a * (1 + 0 * op_cast(k_random_normal(shape = c(k_shape(a)[[1]], 2)), k_dtype(a))),
    a_number = function(a) a * as.numeric(k_shape(a)[1] * 2L),
    if_tensor = autograph(function(a) if (k_shape(a)[1] > 2L) a else -a),
    broadcast = function(a) op_broadcast_to(a[1, , drop = FALSE], dim(a)) + a
  )
)

data_x <- matrix(c(0.5, 1, -2, 1.5, 3, -1, 2, 0.25, -0.5, 4, 1, 2, -3, 1), 7)
batches_of <- function(n, size) split(seq_len(n), (seq_len(n) - 1) %/% size)
rows_of_x <- function(i) data_x[i, , drop = FALSE]
# op by op, in double precision
by_hand <- function(f, i) as.array(f(tensor(rows_of_x(i))))
asked_for <- function() c(asking$free, stats::setNames(asking$bound, paste0(names(asking$bound), "_")))
programs_of <- function(model) Filter(is.list, as.list(step_cache(layer_self(model))))

#' A model of float64 whose output is its input, compiled so that training changes nothing.
mirror <- function(..., output = identity, activity = NULL) {
  model <- keras_model_sequential(input_shape = 2, dtype = "float64")
  model <- output(layer_dense(model, 2, use_bias = FALSE, activity_regularizer = activity, dtype = "float64"))
  set_weights(model, list(diag(2)))
  compile(model, optimizer_sgd(0), ...)
  model
}

test_that("a layer's function sees the size of the batch at hand", {
  scaled <- new_layer_class("Scaled", initialize = function(f) self$f <- f, call = function(inputs) self$f(inputs))
  for (name in names(asked_for())) {
    f <- asked_for()[[name]]
    lambda <- keras_model_sequential(input_shape = 2, dtype = "float64") |> layer_lambda(f, dtype = "float64")
    custom <- keras_model_sequential(input_shape = 2, dtype = "float64") |> scaled(f, dtype = "float64")
    by_three <- do.call(rbind, lapply(batches_of(7, 3), by_hand, f = f))
    for (model in list(lambda, custom)) {
      found <- list(predict(model, data_x, batch_size = 3), predict_on_batch(model, rows_of_x(2:3)))
      expect_equal(found, list(by_three, by_hand(f, 2:3)), label = name)
    }
    rows <- list(1:5, 1:3, 7, 1:7)
    expect_equal(lapply(rows, function(i) predict(lambda, rows_of_x(i))), lapply(rows, by_hand, f = f), label = name)
    expect_length(programs_of(lambda), if (name %in% names(asking$free)) 1 else 5)
  }
})

test_that("losses, metrics and activity regularizers do, too, in whatever takes batches", {
  mean_over <- function(values, batches) stats::weighted.mean(vapply(batches, values, 0), lengths(batches))
  for (name in setdiff(names(asked_for()), "gradient")) { # which cannot be differentiated again
    f <- asked_for()[[name]]
    y <- data_x / 2
    loss_of <- function(i) mean((y[i, , drop = FALSE] - by_hand(f, i))^2)
    metric_of <- function(i) mean(abs(y[i, , drop = FALSE] - by_hand(f, i)))
    penalty_of <- function(i) sum(by_hand(f, i)) / length(i)
    model <- mirror(
      loss = function(y_true, y_pred) k_mean(k_square(y_true - f(y_pred)), -1), activity = function(a) k_sum(f(a)),
      metrics = list(function(y_true, y_pred) k_mean(k_abs(y_true - f(y_pred)), -1))
    )
    expected <- function(batches) c(mean_over(function(i) loss_of(i) + penalty_of(i), batches),
      mean_over(metric_of, batches))
    found <- wanted <- list()
    check <- function(given, batches) {
      found <<- c(found, list(as.numeric(unlist(given))[1:2]))
      wanted <<- c(wanted, list(expected(batches)))
    }
    by_three <- batches_of(7, 3)
    check(fit(model, data_x, y, batch_size = 3, epochs = 1, shuffle = FALSE, verbose = 0)$metrics, by_three)
    check(evaluate(model, data_x, y, batch_size = 3, verbose = 0), by_three)
    check(evaluate(model, data_x, y, batch_size = 4, verbose = 0), batches_of(7, 4))
    check(train_on_batch(model, rows_of_x(1:2), y[1:2, ]), list(1:2))
    check(train_on_batch(model, rows_of_x(1:3), y[1:3, ]), list(1:3))
    check(test_on_batch(model, rows_of_x(7), y[7, , drop = FALSE]), list(7L))
    given <- 0
    generator <- function() {
      given <<- given %% 3 + 1
      list(rows_of_x(by_three[[given]]), y[by_three[[given]], , drop = FALSE])
    }
    check(fit(model, generator, steps_per_epoch = 3, epochs = 1, verbose = 0)$metrics, by_three)
    data <- tensor_slices_dataset(list(data_x, y)) |> dataset_batch(3)
    check(evaluate(model, data, verbose = 0), by_three)
    expect_equal(found, wanted, tolerance = 1e-6, label = name)
  }
})

test_that("shuffled rows, callbacks, schedules and interrupted epochs go through remainders", {
  losses <- list(function(t, p) k_mean(k_square(t - p), -1), function(t, p) k_sum(k_square(t - p)) / (2 * nrow(p)),
    function(t, p) k_sum(k_square(t - p)) / tf$cast(tf$size(p), "float64"))
  runs <- lapply(losses, function(loss) {
    set.seed(1)
    in_float64(model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, "tanh") |> layer_dropout(0.3) |>
      layer_dense(2))
    compile(model, optimizer_adam(learning_rate_schedule_exponential_decay(0.1, 2, 0.5)), loss)
    seen <- list()
    listener <- callback_lambda(on_train_batch_end = function(batch, logs) {
      seen <<- c(seen, list(c(batch, logs$loss)))
      if (length(seen) == 5) stop("here")
    })
    train <- function(...) fit(model, data_x, data_x, ..., verbose = 0)
    expect_error(train(batch_size = 3, epochs = 3, callbacks = list(listener)), "here")
    history <- train(batch_size = 3, epochs = 3, callbacks = list(listener), resume = TRUE)
    train(batch_size = 2, epochs = 1, shuffle = "batch")
    list(get_weights(model), history$metrics, seen)
  })
  expect_length(runs[[1]][[3]], 9)
  for (run in runs[-1]) expect_equal(unlist(run), unlist(runs[[1]]), tolerance = 1e-7)
})

test_that("programs for single sizes are few, however many sizes come", {
  model <- keras_model_sequential(input_shape = 2) |> layer_lambda(function(a) a / nrow(a))
  for (n in 1:32) expect_equal(predict(model, matrix(n, n, 2)), matrix(1, n, 2))
  expect_lte(length(programs_of(model)), most_row_programs)
})

test_that("a variable that takes the shape of a batch is refused for another one", {
  held <- variable(matrix(0, 3, 2), "float32", trainable = FALSE)
  model <- keras_model_sequential(input_shape = 2) |> layer_lambda(function(a) if (is_symbolic(a) && nrow(a) > 100)
    a else {
    held$assign(a)
    a
  })
  predict(model, rows_of_x(1:3))
  expect_equal(as.array(held), rows_of_x(1:3))
  expect_error(predict(model, rows_of_x(1:2)), class = "nativenet_error_shape")
})

test_that("one program of each layer, loss and metric of ours serves all sizes", {
  x <- array(seq(-1, 1, length.out = 7 * 4 * 3), c(7, 4, 3))
  flat <- matrix(seq(-1, 1, length.out = 28), 7)
  ids <- matrix((0:27) %% 5, 7)
  of_pair <- function(layer) layer_lambda(f = function(a) layer(list(a, a)))
  layers <- list(
    activation = layer_activation(activation = "tanh"), activation_elu = layer_activation_elu(),
    activation_leaky_relu = layer_activation_leaky_relu(),
    activation_parametric_relu = layer_activation_parametric_relu(), activation_relu = layer_activation_relu(),
    activation_selu = layer_activation_selu(), activation_softmax = layer_activation_softmax(),
    activation_thresholded_relu = layer_activation_thresholded_relu(theta = 0.2),
    activity_regularization = layer_activity_regularization(l2 = 0.1), alpha_dropout = layer_alpha_dropout(rate = 0.1),
    discretization = layer_discretization(bin_boundaries = c(-0.5, 0.3), output_mode = "count"),
    normalization = layer_normalization(mean = 0.1, variance = 2), rescaling = layer_rescaling(scale = 2, offset = 1),
    average_pooling_1d = layer_average_pooling_1d(), batch_normalization = layer_batch_normalization(),
    conv_1d = layer_conv_1d(filters = 2, kernel_size = 2, activation = "tanh"),
    conv_1d_transpose = layer_conv_1d_transpose(filters = 2, kernel_size = 2, strides = 2),
    cropping_1d = layer_cropping_1d(), depthwise_conv_1d = layer_depthwise_conv_1d(kernel_size = 2),
    global_average_pooling_1d = layer_global_average_pooling_1d(),
    global_max_pooling_1d = layer_global_max_pooling_1d(), group_normalization = layer_group_normalization(groups = 3),
    layer_normalization = layer_layer_normalization(),
    locally_connected_1d = layer_locally_connected_1d(filters = 2, kernel_size = 2),
    max_pooling_1d = layer_max_pooling_1d(),
    separable_conv_1d = layer_separable_conv_1d(filters = 2, kernel_size = 2),
    identity = layer_identity(), rms_normalization = layer_rms_normalization(),
    unit_normalization = layer_unit_normalization(), upsampling_1d = layer_upsampling_1d(),
    zero_padding_1d = layer_zero_padding_1d(),
    dense = layer_dense(units = 2, activation = "softmax",
      activity_regularizer = regularizer_l2(0.1)),
    dropout = layer_dropout(rate = 0.5, noise_shape = c(NA, 1, 3)), flatten = layer_flatten(),
    gaussian_dropout = layer_gaussian_dropout(rate = 0.1), gaussian_noise = layer_gaussian_noise(stddev = 1),
    gru = layer_gru(units = 2), lambda = layer_lambda(f = function(a) a * 2), lstm = layer_lstm(units = 2),
    masking = layer_masking(), permute = layer_permute(dims = 2:1), reshape = layer_reshape(target_shape = c(-1, 2)),
    additive_attention = of_pair(layer_additive_attention()), attention = of_pair(layer_attention(use_scale = TRUE)),
    bidirectional = bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE), merge_mode = "sum"),
    multi_head_attention = layer_multi_head_attention(num_heads = 2, key_dim = 2),
    group_query_attention = layer_group_query_attention(head_dim = 2, num_query_heads = 2, num_key_value_heads = 1),
    einsum_dense = layer_einsum_dense(equation = "abc,cd->abd", output_shape = c(NA, 2)),
    stft_spectrogram = layer_stft_spectrogram(frame_length = 4),
    rnn = layer_rnn(cell = list(layer_gru_cell(units = 2), layer_lstm_cell(units = 3))),
    simple_rnn = layer_simple_rnn(units = 2, return_sequences = TRUE),
    spatial_dropout_1d = layer_spatial_dropout_1d(rate = 0.5),
    time_distributed = time_distributed(layer = layer_dense(units = 2))
  )
  pictures <- list(
    average_pooling_2d = layer_average_pooling_2d(), conv_2d = layer_conv_2d(filters = 2, kernel_size = 2),
    conv_lstm_1d = layer_conv_lstm_1d(filters = 2, kernel_size = 2),
    locally_connected_2d = layer_locally_connected_2d(filters = 2, kernel_size = 2),
    conv_2d_transpose = layer_conv_2d_transpose(filters = 2, kernel_size = 2), cropping_2d = layer_cropping_2d(),
    depthwise_conv_2d = layer_depthwise_conv_2d(kernel_size = 2),
    global_average_pooling_2d = layer_global_average_pooling_2d(),
    global_max_pooling_2d = layer_global_max_pooling_2d(), max_pooling_2d = layer_max_pooling_2d(),
    center_crop = layer_center_crop(height = 2, width = 3), random_brightness = layer_random_brightness(factor = 0.1),
    random_contrast = layer_random_contrast(factor = 0.1), random_crop = layer_random_crop(height = 2, width = 3),
    random_flip = layer_random_flip(), random_rotation = layer_random_rotation(factor = 0.1),
    random_translation = layer_random_translation(height_factor = 0.1, width_factor = 0.1),
    random_zoom = layer_random_zoom(height_factor = 0.1), resizing = layer_resizing(height = 3, width = 5),
    auto_contrast = layer_auto_contrast(),
    random_invert = layer_random_invert(), random_posterization = layer_random_posterization(factor = 4),
    random_sharpness = layer_random_sharpness(factor = 0.5), solarization = layer_solarization(),
    random_erasing = layer_random_erasing(), random_gaussian_blur = layer_random_gaussian_blur(),
    random_shear = layer_random_shear(x_factor = 0.1), random_perspective = layer_random_perspective(),
    random_elastic_transform = layer_random_elastic_transform(),
    spectral_normalization = layer_spectral_normalization(layer = layer_conv_2d(filters = 2, kernel_size = 2)),
    pipeline = layer_pipeline(list(layer_random_flip(), layer_rescaling(scale = 2))),
    separable_conv_2d = layer_separable_conv_2d(filters = 2, kernel_size = 2), upsampling_2d = layer_upsampling_2d(),
    zero_padding_2d = layer_zero_padding_2d()
  )
  merges <- list(add = layer_add, average = layer_average, concatenate = layer_concatenate, maximum = layer_maximum,
    minimum = layer_minimum, multiply = layer_multiply, subtract = layer_subtract, dot = function(xs)
    layer_dot(xs, axes = 1))
  others <- c("category_encoding", "conv_lstm_2d", "cudnn_gru", "cudnn_lstm", "dense_features", "embedding", "gru_cell",
    "hashing", "input", "input_from_dataset", "integer_lookup", "lstm_cell", "random_height", "random_width",
    "repeat_vector", "simple_rnn_cell", "mel_spectrogram",
    # of three channels, of the batch as a whole, by R's generator
    "random_grayscale", "random_saturation", "random_hue", "random_color_degeneration", "random_color_jitter",
    "equalization", "mix_up", "cut_mix", "rand_augment", "aug_mix",
    # of named columns, of strings, of boxes: in test-feature-space.R and test-layer-crossing.R, test-layer-boxes.R
    "feature_space", "hashed_crossing", "max_num_bounding_boxes",
    "spatial_dropout_2d", "stacked_rnn_cells", "string_lookup", "text_vectorization", "tied_dense")
  exported <- sub("^layer_", "", grep("^layer_", made_names(), value = TRUE))
  solid <- grep("_3d", exported, value = TRUE) # as those of one and two axes
  expect_setequal(c(names(layers), names(pictures), names(merges), others), setdiff(exported, solid))
  check <- function(model, x, label) {
    whole <- predict(model, x, batch_size = 7)
    expect_equal(predict(model, x, batch_size = 3), whole, tolerance = 1e-6, label = label)
    first <- do.call(`[`, c(list(x, 1:2), rep(TRUE, length(dim(x)) - 1), drop = FALSE))
    whole <- matrix(whole, 7)
    expect_equal(matrix(predict(model, first), 2), whole[1:2, , drop = FALSE], tolerance = 1e-6, label = label)
    if (!length(model$trainable_weights)) model <- model |> layer_dense(1)
    compile(model, "sgd", "mse")
    fit(model, x, array(0, c(7, model$output_shape[-1])), batch_size = 3, epochs = 1, verbose = 0)
    expect_true(all(vapply(programs_of(model), function(p) p$rows, 0) == 0), label = label)
  }
  for (name in names(layers)) check(keras_model_sequential(input_shape = c(4, 3)) |> compose(layers[[name]]), x, name)
  x <- array(seq(-1, 1, length.out = 7 * 4 * 4 * 2), c(7, 4, 4, 2))
  for (name in names(pictures)) check(keras_model_sequential(input_shape = c(4, 4, 2)) |> compose(pictures[[name]]), x,
    name)
  check(keras_model_sequential(input_shape = c(2, 4, 2, 2)) |> layer_conv_lstm_2d(2, 2),
    array(x, c(7, 2, 4, 2, 2)), "conv_lstm_2d")
  check(keras_model_sequential() |> layer_embedding(5, 3, mask_zero = TRUE, input_length = 4) |> layer_lstm(2), ids,
    "embedding")
  check(keras_model_sequential(input_shape = 4) |> layer_category_encoding(5, output_mode = "count"), ids,
    "category_encoding")
  check(keras_model_sequential(input_shape = 4) |> layer_repeat_vector(3), flat, "repeat_vector")
  check(keras_model_sequential(input_shape = 4) |> layer_integer_lookup(vocabulary = c(3, 1), output_mode = "count"),
    ids, "integer_lookup")
  texts <- matrix(letters[ids + 1], 7)
  check(keras_model_sequential(input_shape = 4) |> layer_hashing(5, output_mode = "count"), texts, "hashing")
  check(keras_model_sequential(input_shape = 4) |> layer_string_lookup(vocabulary = c("b", "a"), output_mode = "count"),
    texts, "string_lookup")
  check(keras_model_sequential(input_shape = 1) |> layer_text_vectorization(vocabulary = c("b", "a"),
    output_mode = "count"), matrix(texts[, 1]), "text_vectorization")
  dense <- layer_dense(units = 2)
  check(keras_model_sequential(input_shape = 4) |> compose(dense) |> layer_tied_dense(dense), flat, "tied_dense")
  for (name in names(merges)) {
    input <- layer_input(shape = 4)
    check(keras_model(input, merges[[name]](list(layer_dense(input, 3), layer_dense(input, 3)))), flat, name)
  }
  targets <- function(name) {
    if (grepl("^sparse|generalized|circle", name)) return(list(y = 0:6 %% 3, units = 3, activation = "softmax"))
    if (grepl("categorical|kl_", name)) return(list(y = diag(3)[0:6 %% 3 + 1, ], units = 3, activation = "softmax"))
    list(y = matrix(0:6 %% 2, 7), units = 1, activation = "sigmoid")
  }
  # of which class, and at which rate, these must be told
  told <- c("iou", "mean_iou", "one_hot_iou", "one_hot_mean_iou", "precision_at_recall", "recall_at_precision",
    "sensitivity_at_specificity", "specificity_at_sensitivity", "mean_relative_error")
  # sequences of another shape: test-loss.R
  for (name in c(setdiff(part_names$loss, "ctc"), setdiff(part_names$metric, c("mean", "sum", "of_loss", told,
    part_names$loss)))) {
    wanted <- targets(name)
    is_loss <- name %in% part_names$loss
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(wanted$units, wanted$activation)
    loss <- if (is_loss) name else if (wanted$units == 1) "mse" else if (is.matrix(wanted$y))
      "categorical_crossentropy" else "sparse_categorical_crossentropy"
    compile(model, optimizer_sgd(0), loss, metrics = if (is_loss) list() else name)
    small <- evaluate(model, flat, wanted$y, batch_size = 3, verbose = 0)
    # these are of the batch as a whole
    if (!name %in% c("dice", "tversky", "circle")) expect_equal(unclass(small),
      unclass(evaluate(model, flat, wanted$y, batch_size = 7, verbose = 0)), tolerance = 1e-5, label = name)
    fit(model, flat, wanted$y, batch_size = 3, epochs = 1, verbose = 0)
    expect_true(all(vapply(programs_of(model), function(p) p$rows, 0) == 0), label = name)
  }
})

test_that("the sampling layer of a variational autoencoder follows the batch", {
  sample <- function(arg) {
    mean <- arg[, 1:2]
    spread <- arg[, 3:4]
    mean + k_exp(spread / 2) * k_random_normal(shape = c(k_shape(mean)[[1]], 2L))
  }
  input <- layer_input(shape = 2)
  code <- layer_concatenate(list(layer_dense(input, 2), layer_dense(input, 2))) |> layer_lambda(sample)
  model <- keras_model(input, layer_dense(code, 2))
  compile(model, "adam", "mse")
  history <- fit(model, data_x, data_x, batch_size = 3, epochs = 2, verbose = 0)
  expect_true(all(is.finite(history$metrics$loss)))
  expect_identical(dim(predict(model, data_x, batch_size = 4)), c(7L, 2L))
})
