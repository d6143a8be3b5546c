# from_config(get_config(x)) of what other tests of files leave out: the same configuration, and the same results.

same_config <- function(x, custom = NULL) {
  again <- from_config(get_config(x), custom)
  expect_identical(get_config(again), get_config(x))
  again
}

test_that("layers of further kinds are made again of their configurations", {
  layers <- list(
    layer_average(), layer_subtract(), layer_multiply(), layer_maximum(), layer_minimum(), layer_dot(axes = 1,
      normalize = TRUE), layer_hashed_crossing(num_bins = 5, output_mode = "one_hot"), layer_hashing(num_bins = 7,
      salt = 3), layer_category_encoding(num_tokens = 4, output_mode = "count"),
    layer_integer_lookup(vocabulary = c(3L, 8L),
      num_oov_indices = 2, output_mode = "multi_hot"), layer_string_lookup(vocabulary = c("a", "b"), mask_token = "",
      invert = TRUE), layer_text_vectorization(vocabulary = c("a", "b"), ngrams = 2, output_mode = "multi_hot"),
    layer_embedding(input_dim = 5, output_dim = 2, mask_zero = TRUE, embeddings_regularizer = "l2"),
    layer_additive_attention(use_scale = FALSE), layer_group_query_attention(head_dim = 2, num_query_heads = 4,
      num_key_value_heads = 2, use_bias = FALSE), layer_einsum_dense(equation = "abc,cd->abd", output_shape = c(NA, 5),
      bias_axes = "d", activity_regularizer = "l1"), layer_spectral_normalization(layer = layer_dense(units = 2),
      power_iterations = 2), layer_bidirectional(layer = layer_gru(units = 2), merge_mode = "ave"),
    layer_simple_rnn_cell(units = 3, activation = "relu"), layer_stacked_rnn_cells(cells = list(layer_gru_cell(units =
      2), layer_lstm_cell(units = 3))), layer_pipeline(layers = list(layer_rescaling(scale = 2), layer_dense(units =
      3))), layer_conv_lstm_3d(filters = 2, kernel_size = 2, strides = 2), layer_random_erasing(factor = 0.5),
    layer_random_hue(factor = 0.2), layer_random_shear(x_factor = 0.1), layer_random_invert(factor = 0.3),
    layer_solarization(threshold_factor = 0.2), layer_cut_mix(factor = 0.5), layer_mix_up(alpha = 0.3),
    layer_rand_augment(num_ops = 1), layer_global_average_pooling_3d(keepdims = TRUE),
    layer_stft_spectrogram(frame_length = 8, frame_step = 4, fft_length = 8), layer_random_width(factor = 0.2)
  )
  for (layer in layers) same_config(layer)
  words <- layers[[12]]
  expect_identical(as.array(same_config(words)(c("a b", "b"))), as.array(words(c("a b", "b"))))
})

test_that("parts with arguments are", {
  parts <- list(metric_mean_iou(num_classes = 3), metric_iou(num_classes = 3, target_class_ids = list(0, 1)),
    metric_precision_at_recall(recall = 0.5), metric_auc(num_thresholds = 10, curve = "PR"), metric_precision(
    thresholds = c(0.3, 0.5), class_id = 1), metric_mean_relative_error(normalizer = c(1, 2)),
    initializer_constant(matrix(1:4, 2)), initializer_orthogonal(gain = 2, seed = 1), regularizer_l1_l2(0.1, 0.2),
    constraint_minmaxnorm(0.1, 0.9, rate = 0.5, axis = 1), loss_huber(delta = 2, reduction = "sum"),
    learning_rate_schedule_exponential_decay(0.1, 10, 0.5, staircase = TRUE),
    learning_rate_schedule_piecewise_constant_decay(c(2L, 5L), c(0.1, 0.2, 0.3)),
    optimizer_adam(learning_rate_schedule_cosine_decay(0.1, 10, alpha = 0.1), clipnorm = 1, weight_decay = 0.1),
    optimizer_rmsprop(0.1, momentum = 0.5, centered = TRUE))
  for (part in parts) same_config(part)
})
