# Calls of members of tf$image, tf$io, tf$strings and others, for helper-odd-arguments.R.

odd_picture <- function(...) array(seq(0.1, 0.9, length.out = prod(c(...))), c(...))
odd_bytes <- function() tf$io$read_file(odd_file("png"))

odd_calls <- c(odd_calls, alist(
  tf$image$adjust_brightness(odd_picture(2, 2, 3), 0.1), tf$image$adjust_contrast(odd_picture(2, 2, 3), 0.1),
  tf$image$adjust_gamma(odd_picture(2, 2, 3)), tf$image$adjust_hue(odd_picture(2, 2, 3), 0.1),
  tf$image$adjust_saturation(odd_picture(2, 2, 3), 0.1), tf$image$random_brightness(odd_picture(2, 2, 3), 0.1),
  tf$image$random_contrast(odd_picture(2, 2, 3), 0.1, 0.2), tf$image$random_hue(odd_picture(2, 2, 3), 0.1),
  tf$image$random_saturation(odd_picture(2, 2, 3), 0.1, 0.2), tf$image$flip_left_right(odd_picture(2, 2, 3)),
  tf$image$flip_up_down(odd_picture(2, 2, 3)), tf$image$random_flip_left_right(odd_picture(2, 2, 3)),
  tf$image$random_flip_up_down(odd_picture(2, 2, 3)), tf$image$random_crop(odd_picture(3, 3, 3), c(2, 2, 3)),
  tf$image$rot90(odd_picture(2, 2, 3)), tf$image$transpose(odd_picture(2, 2, 3)),
  tf$image$central_crop(odd_picture(4, 4, 3), 0.5), tf$image$crop_to_bounding_box(odd_picture(4, 4, 3), 1, 1, 2, 2),
  tf$image$pad_to_bounding_box(odd_picture(2, 2, 3), 1, 1, 4, 4),
  tf$image$resize_with_crop_or_pad(odd_picture(2, 2, 3), 3, 1), tf$image$grayscale_to_rgb(odd_picture(2, 2, 1)),
  tf$image$rgb_to_grayscale(odd_picture(2, 2, 3)), tf$image$rgb_to_hsv(odd_picture(2, 2, 3)),
  tf$image$hsv_to_rgb(odd_picture(2, 2, 3)), tf$image$rgb_to_yiq(odd_picture(2, 2, 3)),
  tf$image$yiq_to_rgb(odd_picture(2, 2, 3)), tf$image$rgb_to_yuv(odd_picture(2, 2, 3)),
  tf$image$yuv_to_rgb(odd_picture(2, 2, 3)), tf$image$per_image_standardization(odd_picture(2, 2, 3)),
  tf$image$convert_image_dtype(odd_picture(2, 2, 3), "float64"), tf$image$total_variation(odd_picture(2, 2, 3)),
  tf$image$image_gradients(odd_picture(1, 2, 2, 3)), tf$image$sobel_edges(odd_picture(1, 2, 2, 3)),
  tf$image$extract_patches(odd_picture(1, 2, 2, 3), c(1, 2, 2, 1), c(1, 1, 1, 1), c(1, 1, 1, 1), "SAME"),
  tf$image$psnr(odd_picture(2, 2, 3), odd_picture(2, 2, 3), 1),
  tf$image$ssim(odd_picture(12, 12, 1), odd_picture(12, 12, 1), 1),
  tf$image$non_max_suppression(matrix(c(0, 0, 1, 1), 1), 0.5, 1), tf$image$decode_png(odd_bytes()),
  tf$image$decode_jpeg(odd_bytes()), tf$image$decode_bmp(odd_bytes()), tf$image$decode_image(odd_bytes()),
  tf$image$is_jpeg(odd_bytes()), tf$image$encode_png(array(0:3, c(2, 2, 1))),
  tf$image$encode_jpeg(array(0:3, c(2, 2, 1))), tf$io$decode_png(odd_bytes()), tf$io$decode_jpeg(odd_bytes()),
  tf$io$FixedLenFeature(2, "float32"), tf$io$VarLenFeature("float32"), tf$io$serialize_tensor(1),
  tf$io$FixedLenSequenceFeature(2, "float32", TRUE), tf$io$parse_tensor(tf$io$serialize_tensor(1), "float32"),
  tf$io$parse_single_example(tf$train$Example()$SerializeToString(), list(a = tf$io$VarLenFeature("float32"))),
  tf$io$parse_example(list(tf$train$Example()$SerializeToString()), list(a = tf$io$VarLenFeature("float32"))),
  tf$io$TFRecordWriter(tempfile()),
  tf$io$decode_bmp(odd_bytes()), tf$io$decode_image(odd_bytes()), tf$io$is_jpeg(odd_bytes()),
  tf$io$encode_png(array(0:3, c(2, 2, 1))), tf$io$encode_jpeg(array(0:3, c(2, 2, 1))),
  tf$io$read_file(odd_file("png")), tf$io$write_file("odd.out", "text"), tf$io$matching_files("odd*"),
  tf$io$decode_raw(as.raw(1:4), "uint8"), tf$io$gfile$exists("odd"), tf$io$gfile$isdir("odd"),
  tf$io$gfile$listdir("."), tf$io$gfile$glob("odd*"), tf$io$gfile$join("a", "b"), tf$io$gfile$makedirs("odd-made"),
  tf$io$gfile$mkdir("odd-made"), tf$io$gfile$copy(odd_file("png"), "odd-copy.png", overwrite = TRUE),
  tf$strings$join(list("a", "b")), tf$strings$reduce_join(c("a", "b")), tf$strings$split("a b"),
  tf$strings$unicode_split("ab", "UTF-8"), tf$strings$bytes_split("ab"), tf$strings$unicode_decode("ab", "UTF-8"),
  tf$strings$unicode_encode(c(97L, 98L), "UTF-8"), tf$strings$substr("abc", 1L, 1L), tf$strings$to_number("1"),
  tf$strings$as_string(c(1, 2)), tf$strings$regex_full_match("a", "a"), tf$strings$format("{}", 1),
  tf$random$categorical(matrix(0.1, 1, 2), 3), tf$random$gamma(2, 1), tf$random$poisson(2, 1),
  tf$add_n(list(1, 2)), tf$linspace(0, 1, 3), tf$`repeat`(c(1, 2), 2L), tf$roll(c(1, 2), 1, 0),
  tf$meshgrid(c(1, 2), c(3, 4)), tf$gather_nd(matrix(1:4, 2), matrix(0L, 1, 2)),
  tf$scatter_nd(matrix(1L), 2, 3L), tf$tensor_scatter_nd_update(c(1, 2), matrix(1L), 3),
  tf$tensor_scatter_nd_add(c(1, 2), matrix(1L), 3), tf$slice(matrix(1:4, 2), c(0L, 0L), c(1L, 2L)),
  tf$searchsorted(c(1, 2), c(1, 2)), tf$sequence_mask(c(1L, 2L)), tf$unique(c(1, 1)), tf$unique_with_counts(c(1, 1)),
  tf$unravel_index(1L, c(2, 2)), tf$clip_by_norm(c(3, 4), 1), tf$clip_by_global_norm(list(c(3, 4)), 1),
  tf$saturate_cast(1, "int32"), tf$truncatediv(c(3L, 4L), 2L), tf$truncatemod(c(3L, 4L), 2L),
  tf$ensure_shape(c(1, 2), 2L), tf$identity_n(list(1, 2)), tf$shape_n(list(1, 2)),
  tf$strided_slice(matrix(1:4, 2), c(0L, 0L), c(1L, 2L)), tf$is_tensor(1), tf$constant_initializer(1),
  tf$debugging$assert_equal(1, 1), tf$debugging$assert_none_equal(1, 2), tf$debugging$assert_less(1, 2),
  tf$debugging$assert_less_equal(1, 2), tf$debugging$assert_greater(2, 1), tf$debugging$assert_greater_equal(2, 1),
  tf$debugging$assert_positive(1), tf$debugging$assert_negative(-1), tf$debugging$assert_non_negative(1),
  tf$debugging$assert_non_positive(-1), tf$debugging$assert_all_finite(1, "m"), tf$debugging$check_numerics(1, "m"),
  tf$debugging$assert_near(1, 1), tf$debugging$assert_rank(c(1, 2), 1), tf$debugging$assert_rank_at_least(c(1, 2), 1),
  tf$debugging$assert_rank_in(c(1, 2), 1:2), tf$debugging$assert_type(1, "float32"),
  tf$debugging$assert_integer(1L), tf$debugging$is_numeric_tensor(tensor(1)), tf$nest$flatten(list(1, 2)),
  tf$nest$map_structure(function(x) x, list(1, 2)), tf$nest$pack_sequence_as(list(1, 2), list(3, 4)),
  tf$nest$is_nested(list(1)), tf$nest$assert_same_structure(list(1), list(2)), tf$test$is_gpu_available(),
  tf$lookup$KeyValueTensorInitializer(c("a", "b"), 1:2),
  tf$lookup$StaticHashTable(tf$lookup$KeyValueTensorInitializer(c("a", "b"), 1:2), 0L),
  tf$bitwise$bitwise_and(5L, 3L), tf$bitwise$bitwise_or(5L, 3L), tf$bitwise$bitwise_xor(5L, 3L),
  tf$bitwise$left_shift(5L, 1L), tf$bitwise$right_shift(5L, 1L), tf$bitwise$invert(5L),
  tf$signal$frame(c(1, 2, 3), 2, 1), tf$signal$overlap_and_add(matrix(1, 2, 2), 1), tf$signal$hann_window(4),
  tf$signal$hamming_window(4), tf$signal$vorbis_window(4), tf$signal$kaiser_window(4), tf$signal$dct(c(1, 2)),
  tf$signal$idct(c(1, 2)), tf$signal$fftshift(c(1, 2)), tf$signal$ifftshift(c(1, 2)),
  tf$signal$mfccs_from_log_mel_spectrograms(c(1, 2)), tf$as_dtype("float32"),
  tf$nn$compute_average_loss(c(1, 2)), tf$losses$get("mse"), tf$losses$serialize(loss_mean_squared_error()),
  tf$losses$deserialize("mse"),
  tf$data$experimental$cardinality(range_dataset(0, 3)), tf$data$TextLineDataset(odd_file("csv")),
  tf$data$TFRecordDataset(odd_file("csv")), tf$data$FixedLengthRecordDataset(odd_file("csv"), 3L)
))

sensible <- c(list(
  c("^tf[$](is_tensor|test[$]|nest[$]|debugging[$]is_)", names(odd_values)),
  c("^tf[$](identity_n|shape_n)[|]", "primitive", "mixed", "nested"),
  c("^tf[$]io[$](matching_files|gfile[$]glob|write_file)", "factor"),
  c("^tf[$]strings[$]", "factor", "mixed", "nested"),
  c("^tf[$](constant|convert_to_tensor)[|]value$", "bad_utf8", "factor"),
  c("^tf[$].*_initializer|get_variable[|]initializer", "initializer"), c("^tf[$]lookup[$]", "factor"),
  c("^tf[$]debugging[$].*(summarize)$", names(odd_values)), c("assert_rank_in[|]ranks$", "nested")
), sensible)

odd_calls <- c(odd_calls, alist(
  tf$get_variable("v", shape = 2), tf$assign(variable(1), 2), tf$assign_add(variable(1), 2),
  tf$assign_sub(variable(1), 2), tf$log(c(1, 2)), tf$random_normal(2), tf$random_uniform(2), tf$truncated_normal(2),
  tf$random_shuffle(c(1, 2)), tf$multinomial(matrix(0.1, 1, 2), 3), tf$to_float(1L), tf$to_double(1L), tf$to_int32(1),
  tf$to_int64(1), tf$set_random_seed(1), tf$div(1, 2), tf$read_file(odd_file("png")),
  tf$compat$v1$get_variable("v", shape = 2), tf$compat$v1$assign(variable(1), 2),
  tf$compat$v1$assign_add(variable(1), 2), tf$compat$v1$assign_sub(variable(1), 2),
  tf$compat$v1$multinomial(matrix(0.1, 1, 2), 3), tf$image$resize_images(odd_picture(2, 2, 1), c(2, 3))
))

odd_calls <- c(odd_calls, alist(
  tf$TensorShape(c(2, 3)), tf$TensorSpec(c(2, 3), "float32", "a"), tf$map_fn(function(x) x, 1:2),
  tf$vectorized_map(function(x) x, 1:2), tf$foldl(function(a, x) x, 1:2), tf$foldr(function(a, x) x, 1:2),
  tf$scan(function(a, x) x, 1:2), tf$case(list(list(TRUE, function() 1))), tf$switch_case(0L, list(function() 1)),
  tf$dtypes$cast(1.5, "int32"), tf$dtypes$saturate_cast(1.5, "int32"), tf$dtypes$as_dtype("int32"),
  tf$nn$crelu(c(-1, 2)), tf$nn$weighted_cross_entropy_with_logits(c(0, 1), c(0.1, 0.2), 2),
  tf$nn$log_poisson_loss(c(0, 1), c(0.1, 0.2)), tf$nn$local_response_normalization(odd_picture(1, 2, 2, 3)),
  tf_function(function(x) x, input_signature = list(tf$TensorSpec(2)))
))

odd_calls <- c(odd_calls, alist(
  callback_tensorboard("odd-logs"), tf$summary$create_file_writer("odd-logs"), tf$summary$scalar("a", 1, step = 1L),
  tf$summary$histogram("a", c(1, 2), step = 1L)
))
sensible <- c(list(
  c("^tf[$](map_fn|fold.|scan)[|](parallel_iterations|back_prop|swap_memory|infer_shape)$", names(odd_values)),
  c("^tf[$](case|vectorized_map)[|](strict|fallback_to_while_loop|warn)$", names(odd_values)),
  c("^tf[$](case|switch_case)[|]default$", "primitive", "formula"),
  c("^tf[$]Tensor(Shape|Spec)[|](dims|shape)$", "nulls"),
  c("^callback_tensorboard[|]update_freq$", "three"), c("^tf[$]losses[$].*[|]weights$", "bool_tensor"),
  c("^callback_tensorboard[|](batch_size|embeddings_(layer_names|data)|profile_batch)$", names(odd_values)),
  c("^tf[$]summary.*[|](max_queue|flush_millis|filename_suffix|description|buckets|writer)$", names(odd_values))
), sensible)
