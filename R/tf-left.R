# What TensorFlow has and this package has not: the names, so that asking for one says why, and what to do instead.

ragged_way <- "there are no ragged tensors; lists, or `pad_sequences()`, hold rows of different lengths"
seeds_way <- "such a seed gives other numbers here; `set.seed()` with the name without `stateless_` draws anew"
graph_way <- paste("there are no graphs and sessions of TensorFlow 1: what is computed has a value at once, and",
  "`tf_function()` compiles")
plain_way <- "it is not in this version"
file_way <- paste("`tf$train$Example()` and `tf$io$parse_example()` have the records of `tfrecord_dataset()`,",
  "`save_model_weights()` and `saveRDS()` keep numbers")

#' @noRd
because <- function(way, ...) {
  names <- c(...)
  stats::setNames(rep(way, length(names)), names)
}

tf_left <- list(
  tf = c(
    because(ragged_way, "ragged", "RaggedTensor", "RaggedTensorSpec", "ragged_fill_empty_rows"),
    because(sparse_way, "sparse", "SparseTensor", "SparseTensorSpec", "IndexedSlices", "sparse_tensor_to_dense"),
    because(complex_way, "complex", "fft", "ifft"),
    because(graph_way, "Graph", "graph_util", "Operation", "group", "init_scope", "control_dependencies",
      "get_default_graph", "variable_scope", "name_scope", "no_op", "app",
      "contrib", "layers", "logging", "global_variables", "trainable_variables", "py_func", "estimator",
      "VariableAggregation", "VariableSynchronization", "variable_creator_scope", "grad_pass_through", "TensorArray",
      "TensorArraySpec"),
    because("there is no Python here; R functions are called as they are", "py_function", "numpy_function", "python",
      "numpy", "experimental"),
    because(machine_way, "tpu", "xla", "mlir", "raw_ops", "load_library", "load_op_library", "sysconfig"),
    because("it is `tf$io$parse_tensor()`, and `serialize_tensor()` there", "parse_tensor", "serialize_tensor"),
    because(saved_model_way, "saved_model", "lite"),
    because("`Rprof()` of R tells where time goes", "profiler"),
    because(plain_way, "audio", "bitcast", "quantization", "space_to_batch",
      "space_to_batch_nd", "batch_to_space", "histogram_fixed_width", "histogram_fixed_width_bins", "edit_distance",
      "dynamic_partition", "dynamic_stitch", "parallel_stack", "reverse_sequence", "tensor_scatter_nd_max",
      "tensor_scatter_nd_min", "tensor_scatter_nd_sub", "recompute_grad",
      "extract_volume_patches", "fingerprint", "hash_bucket", "autograph", "type_spec_from_value", "types",
      "OptionalSpec", "DeviceSpec", "CriticalSection", "get_static_value", "broadcast_static_shape",
      "broadcast_dynamic_shape", "timestamp")),
  `tf$math` = c(because(plain_way, "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "betainc", "igamma", "igammac",
      "lbeta", "polygamma", "zeta", "nextafter", "sobol_sample", "approx_max_k", "approx_min_k", "special",
      "segment_prod", "unsorted_segment_max", "unsorted_segment_min", "unsorted_segment_prod"),
    because(complex_way, "angle", "imag")),
  `tf$linalg` = c(because(plain_way, "lu", "lu_matrix_inverse", "lu_reconstruct", "lu_solve", "logm", "sqrtm",
      "tridiagonal_matmul", "tridiagonal_solve", "banded_triangular_solve", "experimental", "LinearOperator",
      "LinearOperatorDiag", "LinearOperatorIdentity", "LinearOperatorFullMatrix", "LinearOperatorLowerTriangular"),
    because(paste0(complex_way, "; `eigh()` is for symmetric matrices"), "eig", "eigvals")),
  `tf$nn` = because(plain_way, "ctc_loss", "ctc_beam_search_decoder", "ctc_greedy_decoder", "ctc_unique_labels",
    "nce_loss", "sampled_softmax_loss", "fractional_max_pool", "fractional_avg_pool", "dilation2d", "erosion2d",
    "atrous_conv2d", "atrous_conv2d_transpose", "depthwise_conv2d_backprop_input", "sufficient_statistics",
    "normalize_moments", "safe_embedding_lookup_sparse", "embedding_lookup_sparse",
    "with_space_to_batch", "space_to_batch", "batch_to_space", "fixed_unigram_candidate_sampler",
    "log_uniform_candidate_sampler", "uniform_candidate_sampler", "learned_unigram_candidate_sampler",
    "compute_accidental_hits", "all_candidate_sampler", "isotonic_regression", "collapse_repeated",
    "batch_norm_with_global_normalization", "approx_max_k", "approx_min_k", "rnn_cell", "static_rnn", "dynamic_rnn",
    "RNNCellDeviceWrapper", "RNNCellDropoutWrapper", "experimental"),
  `tf$random` = c(because(seeds_way, "stateless_normal", "stateless_uniform", "stateless_truncated_normal",
      "stateless_categorical", "stateless_gamma", "stateless_poisson", "stateless_binomial", "fold_in", "split",
      "stateless_parameterized_truncated_normal", "experimental"),
    because("R's generator is there: `set.seed()`, and `tf$random$normal()` and its like", "Generator",
      "get_global_generator", "set_global_generator", "create_rng_state", "Algorithm"),
    because(plain_way, "fixed_unigram_candidate_sampler", "learned_unigram_candidate_sampler",
      "log_uniform_candidate_sampler", "uniform_candidate_sampler", "all_candidate_sampler")),
  `tf$image` = c(because(seeds_way, "stateless_random_brightness", "stateless_random_contrast",
      "stateless_random_crop", "stateless_random_flip_left_right", "stateless_random_flip_up_down",
      "stateless_random_hue", "stateless_random_saturation", "stateless_random_jpeg_quality",
      "stateless_sample_distorted_bounding_box"),
    because("the package magick reads the pictures of an animation", "decode_gif"),
    because(plain_way, "adjust_jpeg_quality", "random_jpeg_quality", "combined_non_max_suppression",
      "decode_and_crop_jpeg", "draw_bounding_boxes", "extract_glimpse", "extract_jpeg_shape",
      "generate_bounding_box_proposals", "non_max_suppression_overlaps", "non_max_suppression_padded",
      "non_max_suppression_with_scores", "sample_distorted_bounding_box", "ssim_multiscale")),
  `tf$io` = c(because(file_way, "parse_sequence_example", "parse_single_sequence_example", "SparseFeature",
      "RaggedFeature",
      "decode_proto", "encode_proto", "decode_json_example", "serialize_many_sparse", "serialize_sparse",
      "deserialize_many_sparse", "parse_example_dataset"),
    because("`csv_dataset()` and `dataset_decode_delim()` read columns", "decode_csv"),
    because("the package magick reads the pictures of an animation", "decode_gif"),
    because(graph_way, "write_graph", "match_filenames_once"),
    because(plain_way, "decode_base64", "encode_base64", "decode_compressed", "decode_and_crop_jpeg",
      "extract_jpeg_shape")),
  `tf$io$gfile` = because("R's `unlink()`, `file.rename()`, `file.info()` and `file()` do it", "remove", "rename",
    "rmtree", "stat", "walk", "GFile"),
  `tf$strings` = c(because("`layer_hashing()` makes numbers of strings", "to_hash_bucket", "to_hash_bucket_fast",
      "to_hash_bucket_strong"),
    because(plain_way, "ngrams", "unicode_script", "unicode_transcode", "unicode_decode_with_offsets",
      "unicode_split_with_offsets")),
  `tf$debugging` = because(plain_way, "assert_proper_iterable", "assert_same_float_dtype", "assert_scalar",
    "assert_shapes", "enable_check_numerics", "disable_check_numerics", "set_log_device_placement",
    "get_log_device_placement", "experimental", "enable_traceback_filtering", "disable_traceback_filtering",
    "is_traceback_filtering_enabled", "Assert"),
  `tf$lookup` = because("a `StaticHashTable()` of a `KeyValueTensorInitializer()` does it, or R's own `match()`",
    "StaticVocabularyTable", "TextFileInitializer", "TextFileIndex", "experimental", "MutableHashTable"),
  `tf$summary` = because("scalars and histograms are written", "image", "text", "audio", "trace_on", "trace_off",
    "trace_export", "graph", "FileWriter", "merge_all", "write", "experimental", "record_if", "should_record_summaries",
    "create_noop_writer", "SummaryWriter"),
  `tf$train` = because(file_way, "SequenceExample", "FeatureList", "FeatureLists"),
  `tf$signal` = c(because(complex_way, "stft", "inverse_stft", "fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d",
      "rfft", "rfft2d", "rfft3d", "irfft", "irfft2d", "irfft3d"),
    because(plain_way, "mdct", "inverse_mdct", "kaiser_bessel_derived_window", "inverse_stft_window_fn")),
  `tf$data` = because(plain_way, "Options", "Iterator", "IteratorSpec", "DatasetSpec", "NumpyIterator",
    "ThreadingOptions"),
  `tf$keras` = c(because(pretrained_way, "applications"),
    because("`op_*()` are Keras' ops, whose axes count from 1; `tf$...` and `tf$math$...` count from 0", "ops"))
)

#' The error that says why a name of TensorFlow's is not here, if one is known.
#' @noRd
check_left <- function(path, name) {
  way <- tf_left[[path]][name]
  if (length(way) && !is.na(way)) abort("`", path, "$", name, "` is not here: ", way, class = "missing", fun = NULL)
}
