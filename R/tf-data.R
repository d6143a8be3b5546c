# Members of data sets as Python has them: `dataset$batch(32)$prefetch(1)`, and more of tf$data.

dataset_members <- list(
  batch = function(x) function(batch_size, drop_remainder = FALSE, num_parallel_calls = NULL, deterministic = NULL,
    name = NULL) dataset_batch(x, batch_size, drop_remainder, num_parallel_calls, deterministic, name),
  map = function(x) function(map_func, num_parallel_calls = NULL, deterministic = NULL, name = NULL) {
    check_hints(deterministic, name)
    dataset_map(x, map_func, num_parallel_calls)
  },
  filter = function(x) function(predicate, name = NULL) dataset_filter(x, predicate),
  take = function(x) function(count, name = NULL) dataset_take(x, count),
  take_while = function(x) function(predicate, name = NULL) dataset_take_while(x, predicate),
  skip = function(x) function(count, name = NULL) dataset_skip(x, count),
  `repeat` = function(x) function(count = NULL, name = NULL) dataset_repeat(x, count),
  shuffle = function(x) function(buffer_size, seed = NULL, reshuffle_each_iteration = NULL, name = NULL)
    dataset_shuffle(x, buffer_size, seed, reshuffle_each_iteration),
  prefetch = function(x) function(buffer_size = NULL, name = NULL) dataset_prefetch(x, buffer_size),
  cache = function(x) function(filename = NULL, name = NULL) dataset_cache(x, if (!identical(filename, "")) filename),
  enumerate = function(x) function(start = 0L, name = NULL) dataset_enumerate(x, start),
  concatenate = function(x) function(dataset, name = NULL) dataset_concatenate(x, dataset),
  zip = function(x) function(...) zip_datasets(x, ...),
  flat_map = function(x) function(map_func, name = NULL) dataset_flat_map(x, map_func),
  interleave = function(x) function(map_func, cycle_length = NULL, block_length = NULL, num_parallel_calls = NULL,
    deterministic = NULL, name = NULL) dataset_interleave(x, map_func, cycle_length, if (is.null(block_length)) 1 else
    block_length, num_parallel_calls, deterministic, name),
  padded_batch = function(x) function(batch_size, padded_shapes = NULL, padding_values = NULL, drop_remainder = FALSE,
    name = NULL) dataset_padded_batch(x, batch_size, padded_shapes, padding_values, drop_remainder, name),
  unbatch = function(x) function(name = NULL) dataset_unbatch(x),
  rebatch = function(x) function(batch_size, drop_remainder = FALSE, name = NULL) dataset_rebatch(x, batch_size,
    drop_remainder),
  window = function(x) function(size, shift = NULL, stride = 1, drop_remainder = FALSE, name = NULL)
    dataset_window(x, size, shift, stride, drop_remainder),
  shard = function(x) function(num_shards, index, name = NULL) dataset_shard(x, num_shards, index),
  reduce = function(x) function(initial_state, reduce_func, name = NULL) dataset_reduce(x, initial_state, reduce_func),
  scan = function(x) function(initial_state, scan_func, name = NULL) dataset_scan(x, initial_state, scan_func),
  unique = function(x) function(name = NULL) dataset_unique(x, name),
  group_by_window = function(x) function(key_func, reduce_func, window_size = NULL, window_size_func = NULL,
    name = NULL) dataset_group_by_window(x, key_func, reduce_func, window_size, window_size_func, name),
  bucket_by_sequence_length = function(x) function(element_length_func, bucket_boundaries, bucket_batch_sizes, ...)
    dataset_bucket_by_sequence_length(x, element_length_func, bucket_boundaries, bucket_batch_sizes, ...),
  rejection_resample = function(x) function(class_func, target_dist, initial_dist = NULL, seed = NULL, name = NULL)
    dataset_rejection_resample(x, class_func, target_dist, initial_dist, seed, name),
  snapshot = function(x) function(path, ...) dataset_snapshot(x, path, ...),
  with_options = function(x) function(options, name = NULL) x,
  apply = function(x) function(transformation_func) check_dataset(check_function(transformation_func)(x),
    "transformation_func's result"),
  as_numpy_iterator = function(x) function() as_array_iterator(x),
  cardinality = function(x) function() tensor(cardinality_of(x), "int64"),
  get_single_element = function(x) function(name = NULL) only_element(x, "get_single_element"),
  element_spec = function(x) dataset_spec(x)
)

#' TensorFlow's number of elements: -1 if they do not end, -2 if nobody knows.
#' @noRd
cardinality_of <- function(x) {
  n <- .subset2(x, "size")
  if (is.na(n)) -2 else if (is.infinite(n)) -1 else n
}

#' What elements are like: for each tensor its shape and dtype.
#' @noRd
dataset_spec <- function(x) {
  shapes <- output_shapes(x)
  types <- output_types(x)
  fill_leaves(shapes, Map(nn_tensor_spec, tensor_leaves(shapes), tensor_leaves(types)))
}

#' @export
`$.nn_dataset` <- function(x, name) {
  member <- dataset_members[[name]]
  if (!is.null(member)) return(if (is.function(member <- member(x))) with_needed(member) else member)
  if (exists(name, envir = x, inherits = FALSE) || name %in% c("columns", "options", "stages"))
    return(.subset2(x, name))
  unknown_member(name, names(dataset_members), "a data set")
}

#' @export
.DollarNames.nn_dataset <- function(x, pattern = "") grep(pattern, names(dataset_members), value = TRUE)

#' Elements that an R function gives: either one at each call, until NULL; or, at each start, something to iterate over:
#' a function that gives one at each call, as those of package coro, an iterator or a data set.
#' @noRd
dataset_of_generator <- function(generator, output_types = NULL, output_shapes = NULL, args = NULL,
  output_signature = NULL, name = NULL) {
  fun <- "tf$data$Dataset$from_generator"
  check_function(generator, fun = fun)
  specs <- generator_specs(output_types, output_shapes, output_signature, fun)
  known <- !any(vapply(tensor_leaves(specs), function(spec) is.null(spec$dim), NA))
  new_dataset(if (known) specs, NA, pull = function() {
    pull <- pull_of_generator(generator, as.list(args))
    function() {
      element <- pull()
      if (!is.null(element)) typed_element(element, specs, fun)
    }
  })
}

#' The structure of an element with a tensor_spec() for each tensor, whose `dim` is NULL if nothing is said of it; NULL
#' if nothing is said of dtypes, either.
#' @noRd
generator_specs <- function(types, shapes, signature, fun) {
  if (!is.null(signature)) {
    for (x in tensor_leaves(signature)) if (!inherits(x, "nn_tensor_spec"))
      abort("`output_signature` must be made of `tf$TensorSpec()`, not ", describe(x), fun = fun)
    return(fill_leaves(signature, lapply(tensor_leaves(signature), function(x) tensor_spec(as.character(x$dtype),
      x$shape))))
  }
  if (is.null(types)) return()
  dtypes <- lapply(tensor_leaves(types), function(x) as.character(kept_dtype(dtype_named(x, fun,
    "output_types"), fun)))
  sizes <- if (!is.null(shapes)) {
    if (length(dtypes) == 1 && !inherits(types, "list")) list(as_sizes(shapes, "output_shapes", fun)) else
      lapply(shapes, as_sizes, "output_shapes", fun)
  }
  if (is.null(sizes)) sizes <- vector("list", length(dtypes)) # any shape
  if (length(sizes) != length(dtypes)) abort("`output_shapes` must be ", length(dtypes),
    ", as `output_types` are, not ", length(sizes), class = "shape", fun = fun)
  fill_leaves(types, Map(function(dtype, dim) {
    spec <- tensor_spec(dtype, dim)
    if (is.null(dim)) spec["dim"] <- list(NULL)
    spec
  }, dtypes, unname(sizes)))
}

pull_of_generator <- function(generator, args) {
  first <- do.call(generator, args, quote = TRUE)
  if (is.function(first) && !is_generator(first)) return(function() {
    x <- first()
    if (!identical(x, quote(.__exhausted__.))) x # of package coro
  })
  if (is_dataset(first) || is_iterator(first) || is_generator(first) || inherits(first, "nn_coro_iterator"))
    return(as_iterator(first)$pull)
  function() {
    x <- first
    if (!is.null(first)) first <<- do.call(generator, args, quote = TRUE)
    x
  }
}

#' An element whose tensors have the dtypes and the shapes that were said.
#' @noRd
typed_element <- function(element, specs, fun) {
  if (is.null(specs)) return(as_element(element, fun))
  leaves <- tensor_leaves(element, keep_null = TRUE)
  wanted <- tensor_leaves(specs)
  if (length(leaves) != length(wanted)) abort("an element must have as many parts as was said, ",
    length(wanted), ", not ", length(leaves), class = "shape", fun = fun)
  fill_leaves(specs, Map(function(x, spec) {
    if (spec$dtype != "string") x <- tensor(if (is_tensor(x)) x else bare_numbers(x, "an element", fun), spec$dtype)
    shape <- if (is_tensor(x)) dim(x) else text_shape(x)
    if (!is.null(spec$dim) && !fits_shape(shape, spec$dim)) abort("an element must be of shape ",
      format_shape(spec$dim), ", as it was said, not ", format_shape(shape), class = "shape", fun = fun)
    x
  }, leaves, wanted))
}

data_constants <- list(AUTOTUNE = -1L, INFINITE_CARDINALITY = -1L, UNKNOWN_CARDINALITY = -2L)

data_namespace <- function() new_namespace("tf$data", c(data_constants, list(
  TextLineDataset = function(filenames, compression_type = NULL, buffer_size = NULL, ...)
    text_line_dataset(filenames, compression_type, ..., buffer_size = buffer_size),
  TFRecordDataset = function(filenames, compression_type = NULL, buffer_size = NULL, num_parallel_reads = NULL,
    name = NULL) tfrecord_dataset(filenames, compression_type, buffer_size, num_parallel_reads),
  FixedLengthRecordDataset = function(filenames, record_bytes, header_bytes = NULL, footer_bytes = NULL,
    buffer_size = NULL, ...) fixed_length_record_dataset(filenames, record_bytes, header_bytes, footer_bytes,
    buffer_size),
  experimental = new_namespace("tf$data$experimental", c(data_constants, list(
    cardinality = function(dataset) tensor(cardinality_of(check_dataset(dataset)), "int64")))),
  Dataset = new_namespace("tf$data$Dataset", list(
    from_tensor_slices = tensor_slices_dataset, from_tensors = tensors_dataset, from_generator = dataset_of_generator,
    range = function(start, stop = NULL, step = 1) if (is.null(stop)) range_dataset(to = start) else
      range_dataset(start, stop, step),
    zip = zip_datasets, list_files = list_files_dataset,
    sample_from_datasets = function(datasets, weights = NULL, seed = NULL, ...) sample_from_datasets(datasets, weights,
      seed),
    choose_from_datasets = function(datasets, choice_dataset, stop_on_empty_dataset = TRUE)
      choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)
  ))
)))
