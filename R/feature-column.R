# Feature columns: how a column of a table becomes numbers for a model. They are descriptions; dense_model() makes of
# them a functional model of layers that are there anyway, so that they train and are saved like all others.

#' Feature columns
#'
#' What [layer_dense_features()] makes numbers of, as `tf$feature_column$...` and the steps of [feature_spec()] describe
#' it. Dense columns, which the layer takes:
#'
#' - `numeric_column()`: the numbers, as float32, after `normalizer_fn`.
#' - `bucketized_column()`: a one where a number falls, of one place more than there are boundaries; a boundary
#'   belongs to the place above it.
#' - `indicator_column()`: how often each id occurs, which is a one for a single value.
#' - `embedding_column()`: a row of trained numbers for each id; those of several ids are combined.
#' - `shared_embeddings()`: a list of columns that share these rows.
#'
#' Categorical columns give ids from 0; -1 stands for none, and makes zeros.
#'
#' - `..._with_vocabulary_list()`, `..._with_vocabulary_file()`: the place in the vocabulary.
#' - `..._with_hash_bucket()`: FarmHash's Fingerprint64 of a string modulo the number of buckets, as in TensorFlow.
#' - `..._with_identity()`: the number itself.
#' - `crossed_column()`: a hash of the ids of several columns. Buckets are others than TensorFlow's.
#'
#' Their arguments:
#'
#' - `key`, `keys`: name of the column in the data; for `crossed_column()` several, or categorical columns.
#' - `shape`: sizes of the axes after the first.
#' - `default_value`: for numbers ignored, as in TensorFlow outside of parsing; otherwise the id of what is not known.
#' - `dtype`: `"string"` or one of whole numbers.
#' - `normalizer_fn`: a function of a tensor, or `NULL`.
#' - `source_column`: a numeric column.
#' - `boundaries`: increasing numbers.
#' - `vocabulary_list`: strings or whole numbers, each once.
#' - `vocabulary_file`: a file with a string in each line.
#' - `vocabulary_size`: how many of them, `NULL` for all.
#' - `num_oov_buckets`: how many further ids there are for what is not in the vocabulary, by hash.
#' - `hash_bucket_size`, `num_buckets`: how many ids there are.
#' - `hash_key`: ignored; present for compatibility with TensorFlow.
#' - `categorical_column`, `categorical_columns`: a categorical column, or a list of them.
#' - `dimension`: a whole number: the size of an embedding.
#' - `combiner`: `"mean"`, `"sum"` or `"sqrtn"`: what becomes of several ids in a row.
#' - `initializer`: of the embedding; a truncated normal one of standard deviation 1 / sqrt(dimension) by default.
#' - `shared_embedding_collection_name`: a name, or `NULL`.
#' - `max_norm`, `ckpt_to_load_from`, `tensor_name_in_ckpt`: must be `NULL`.
#' - `trainable`: is the embedding trained?
#'
#' @return A feature column.
#' @section Errors: `nativenet_error_file` for a vocabulary file that is not there or is too short;
#'   `nativenet_error_missing` for what is not supported.
#' @seealso [layer_dense_features()], [feature_spec()]
#' @examples
#' colour <- tf$feature_column$categorical_column_with_vocabulary_list("colour", c("red", "blue"))
#' size <- tf$feature_column$numeric_column("size")
#' columns <- list(size, tf$feature_column$indicator_column(colour))
#' layer <- layer_dense_features(feature_columns = columns)
#' layer(list(size = c(1.5, 2), colour = c("blue", "green")))
#' @name feature_columns
NULL

new_column <- function(kind, name, dense, ...) structure(list(kind = kind, name = name, dense = dense, ...),
  class = "nn_feature_column")

is_feature_column <- function(x) inherits(x, "nn_feature_column")

#' @export
print.nn_feature_column <- function(x, ...) {
  cat("<feature column> ", x$kind, " ", encodeString(x$name, quote = "\""), "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_feature_column <- function(x) paste("a feature column", encodeString(x$name, quote = "\""))

check_column_dtype <- function(dtype, choices = c("string", "int32", "int64"), fun = calling_function()) {
  check_choice(if (inherits(dtype, "nn_dtype")) as.character(dtype) else dtype, choices, "dtype", fun)
}

#' A list of strings or of numbers as a vector; what is no such list as it is.
#' @noRd
list_as_vector <- function(x) {
  single <- function(is) all(vapply(x, function(v) is(v) && length(v) == 1, NA))
  if (is.list(x) && !is.object(x) && (single(is.character) || single(are_numbers))) unlist(x) else x
}

numeric_column <- function(key, shape = 1L, default_value = NULL, dtype = "float32", normalizer_fn = NULL) {
  if (!is.null(normalizer_fn) && !is_scaler(normalizer_fn)) normalizer_fn <- as_function(normalizer_fn)
  if (!is.null(default_value)) check_numbers(default_value)
  check_column_dtype(dtype, dtypes)
  new_column("numeric", check_string(key), TRUE, size = prod(check_sizes(list_as_vector(shape), arg = "shape")),
    normalizer = normalizer_fn)
}

bucketized_column <- function(source_column, boundaries) {
  if (!is_feature_column(source_column) || source_column$kind != "numeric") abort("`source_column` must be a numeric ",
    "column, not ", describe(source_column))
  boundaries <- as.vector(check_reals(list_as_vector(boundaries), "boundaries"))
  if (!length(boundaries) || is.unsorted(boundaries, strictly = TRUE)) abort("`boundaries` must be increasing ",
    "numbers, not ", describe(boundaries))
  new_column("bucketized", paste0(source_column$name, "_bucketized"), TRUE, source = source_column,
    boundaries = boundaries)
}

categorical_column_with_vocabulary_list <- function(key, vocabulary_list, dtype = NULL, default_value = -1L,
  num_oov_buckets = 0L) {
  words <- list_as_vector(vocabulary_list)
  if (is.factor(words)) words <- as.character(words)
  words <- if (is.character(words)) check_utf8(check_strings(words, "vocabulary_list"), "vocabulary_list",
    calling_function()) else as.vector(check_whole(words, -2^53, 2^53, "vocabulary_list"))
  if (!length(words)) abort("`vocabulary_list` must not be empty")
  if (anyDuplicated(words)) abort("`vocabulary_list` has ", describe(words[duplicated(words)][1]), " twice")
  wanted <- if (is.null(dtype)) NULL else check_column_dtype(dtype)
  if (!is.null(wanted) && (wanted == "string") != is.character(words)) abort("`vocabulary_list` must be of `dtype` ",
    wanted, ", not ", describe(words), class = "dtype")
  oov <- check_count(num_oov_buckets, min = 0)
  # TensorFlow has -1 as the default of both
  default <- if (is.null(default_value)) -1 else check_whole(check_number(default_value), -1, length(words) - 1,
    "default_value")
  if (oov > 0 && default != -1) abort("`default_value` and `num_oov_buckets` cannot be given together")
  new_column("vocabulary", check_string(key), FALSE, vocabulary = words, default = default, oov = oov,
    depth = length(words) + oov)
}

categorical_column_with_vocabulary_file <- function(key, vocabulary_file, vocabulary_size = NULL, dtype = "string",
  default_value = NULL, num_oov_buckets = 0L) {
  check_column_dtype(dtype)
  words <- readLines(existing_file(vocabulary_file, "vocabulary_file"), warn = FALSE, encoding = "UTF-8")
  if (!is.null(vocabulary_size)) {
    size <- check_count(vocabulary_size)
    if (size > length(words)) abort(encodeString(vocabulary_file, quote = "\""), " has ", length(words),
      " lines, fewer than `vocabulary_size` ", size, class = "file")
    words <- words[seq_len(size)]
  }
  if (dtype != "string") {
    numbers <- suppressWarnings(as.double(words))
    if (anyNA(numbers)) abort(encodeString(vocabulary_file, quote = "\""), " has ",
      describe(words[is.na(numbers)][1]), ", which is no number", class = "file")
    words <- numbers
  }
  categorical_column_with_vocabulary_list(key, words, default_value = default_value, num_oov_buckets = num_oov_buckets)
}

categorical_column_with_hash_bucket <- function(key, hash_bucket_size, dtype = "string") {
  check_column_dtype(dtype)
  new_column("hash", check_string(key), FALSE, depth = check_count(hash_bucket_size), strings = dtype == "string")
}

categorical_column_with_identity <- function(key, num_buckets, default_value = NULL) {
  n <- check_count(num_buckets)
  new_column("identity", check_string(key), FALSE, depth = n,
    default = if (!is.null(default_value)) check_whole(check_number(default_value), 0, n - 1, "default_value"))
}

crossed_column <- function(keys, hash_bucket_size, hash_key = NULL) {
  if (!is.null(hash_key)) check_whole(check_number(hash_key), -2^53, 2^53, "hash_key")
  keys <- if (is_feature_column(keys)) list(keys) else as.list(keys)
  if (length(keys) < 2) abort("`keys` must be at least two columns, not ", length(keys))
  for (key in keys) if (!is.character(key) && !(is_feature_column(key) && (!key$dense || key$kind == "bucketized")))
    abort("`keys` must be names, categorical or bucketized columns, not ", describe(key))
  sources <- lapply(keys, function(key) if (is_feature_column(key)) key else
    new_column("raw", check_string(key, "keys"), FALSE))
  names <- sort(vapply(sources, `[[`, "", "name"), method = "radix")
  new_column("crossed", paste(names, collapse = "_X_"), FALSE, crossed = sources, depth = check_count(hash_bucket_size))
}

check_categorical <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_feature_column(x) && (!x$dense || x$kind == "bucketized")) return(x)
  abort("`", arg, "` must be a categorical column, not ", describe(x), fun = fun)
}

indicator_column <- function(categorical_column) new_column("indicator",
  paste0(check_categorical(categorical_column)$name, "_indicator"), TRUE, source = categorical_column)

embedding_column <- function(categorical_column, dimension, combiner = "mean", initializer = NULL,
  ckpt_to_load_from = NULL, tensor_name_in_ckpt = NULL, max_norm = NULL, trainable = TRUE) {
  new_embedding(check_categorical(categorical_column), "_embedding", dimension, combiner, initializer,
    list(ckpt_to_load_from = ckpt_to_load_from, tensor_name_in_ckpt = tensor_name_in_ckpt, max_norm = max_norm),
    trainable)
}

new_embedding <- function(source, ending, dimension, combiner, initializer, missing, trainable, shared = NULL,
  fun = calling_function()) {
  for (arg in names(missing)) if (!is.null(missing[[arg]])) abort("`", arg, "` must be NULL: it is not supported",
    class = "missing", fun = fun)
  if (!is.null(initializer)) layer_part("initializer", initializer, fun = fun)
  new_column("embedding", paste0(source$name, ending), TRUE, source = source,
    dimension = check_count(dimension, arg = "dimension", fun = fun),
    combiner = check_choice(combiner, c("mean", "sqrtn", "sum"), "combiner", fun), initializer = initializer,
    trainable = check_flag(trainable, "trainable", fun), shared = shared)
}

shared_embeddings <- function(categorical_columns, dimension, combiner = "mean", initializer = NULL,
  shared_embedding_collection_name = NULL, ckpt_to_load_from = NULL, tensor_name_in_ckpt = NULL, max_norm = NULL,
  trainable = TRUE) {
  if (!is_branch(categorical_columns) || !length(categorical_columns)) abort("`categorical_columns` must be a list of ",
    "categorical columns, not ", describe(categorical_columns))
  for (column in categorical_columns) check_categorical(column, "categorical_columns")
  depths <- vapply(categorical_columns, column_depth, 0)
  if (any(depths != depths[1])) abort("`categorical_columns` must have as many ids as each other, not ",
    paste(unique(depths), collapse = " and "), class = "shape")
  names <- sort(vapply(categorical_columns, `[[`, "", "name"), method = "radix")
  shared <- if (!is.null(shared_embedding_collection_name)) check_string(shared_embedding_collection_name) else
    paste0(paste(names, collapse = "_"), "_shared_embedding")
  lapply(categorical_columns, new_embedding, "_shared_embedding", dimension, combiner, initializer,
    list(ckpt_to_load_from = ckpt_to_load_from, tensor_name_in_ckpt = tensor_name_in_ckpt, max_norm = max_norm),
    trainable, shared)
}

column_depth <- function(column) if (column$kind == "bucketized")
  column$source$size * (length(column$boundaries) + 1) else column$depth

# ---- as layers ----

#' The columns of the data that a feature column reads: dtypes by name.
#' @noRd
source_types <- function(column) switch(column$kind,
  numeric = stats::setNames("float32", column$name),
  vocabulary = stats::setNames(if (is.character(column$vocabulary)) "string" else "int64", column$name),
  hash = stats::setNames(if (column$strings) "string" else "int64", column$name),
  identity = stats::setNames("int64", column$name),
  raw = stats::setNames("string", column$name),
  crossed = unlist(lapply(column$crossed, source_types)),
  source_types(column$source)
)

#' @param inputs symbolic tensors by name.
#' @noRd
dense_model <- function(columns, inputs, name, fun) {
  made <- new.env(parent = emptyenv())
  once <- function(key, make) {
    if (is.null(made[[key]])) made[[key]] <- make
    made[[key]]
  }
  tensor_of <- function(column) inputs[[column$name]]
  whole <- function(column) {
    x <- tensor_of(column)
    if (x$dtype != "string" && !is_whole_dtype(x$dtype)) abort("column \"", column$name, "\" must be whole numbers or ",
      "strings to have ids, not ", x$dtype, "; `as.integer()` makes it so", class = "dtype", fun = fun)
    x
  }
  ids_of <- function(column) once(paste(column$kind, column$name, column_id(column)), switch(column$kind,
    vocabulary = lookup_ids(whole(column), column$vocabulary, column$oov, column$default),
    identity = lookup_ids(whole(column), seq_len(column$depth) - 1, 0, column$default),
    hash = layer_hashing(whole(column), column$depth),
    raw = layer_hashing(whole(column), cross_prime),
    bucketized = bucket_ids(numbers_of(column$source), column$boundaries, column$source$size),
    crossed = cross_ids(lapply(column$crossed, ids_of), column$depth, fun)
  ))
  numbers_of <- function(column) once(paste("numeric", column$name, column_id(column)), {
    x <- tensor_of(column)
    if (x$dtype == "string") abort("column \"", column$name, "\" must be numbers, not strings", class = "dtype",
      fun = fun)
    x <- sym("op_cast", x, "float32")
    if (length(dim(x)) > 2) x <- layer_flatten(x)
    if (dim(x)[2] != column$size) abort("column \"", column$name, "\" must have ", column$size,
      " numbers in a row, as its `shape` says, not ", dim(x)[2], class = "shape", fun = fun)
    normalized(x, column$normalizer, column$name, fun)
  })
  tables <- list()
  table_of <- function(column) {
    key <- if (is.null(column$shared)) column$name else column$shared
    if (is.null(tables[[key]])) {
      initializer <- if (is.null(column$initializer)) initializer_truncated_normal(0, 1 / sqrt(column$dimension)) else
        column$initializer
      tables[[key]] <<- layer_embedding(input_dim = column_depth(column$source), output_dim = column$dimension,
        embeddings_initializer = initializer, name = make_name(key), trainable = column$trainable)
    }
    tables[[key]]
  }
  dense <- function(column) switch(column$kind,
    numeric = numbers_of(column),
    bucketized = count_ids(ids_of(column), column_depth(column)),
    indicator = count_ids(ids_of(column$source), column_depth(column$source)),
    embedding = combine_rows(table_of(column), ids_of(column$source), column$combiner)
  )
  parts <- lapply(columns, dense)
  output <- if (length(parts) == 1) parts[[1]] else layer_concatenate(parts)
  keras_model(inputs, output, name = name)
}

#' Two columns of one name may differ otherwise.
#' @noRd
column_id <- function(column) paste(deparse(unclass(column)[setdiff(names(column), c("source", "crossed"))]),
  collapse = "")

make_name <- function(x) gsub("[^A-Za-z0-9_.]", "_", x)

normalized <- function(x, normalizer, name, fun) {
  if (is.null(normalizer)) return(x)
  if (is_scaler(normalizer)) {
    if (is.null(normalizer$shift)) abort("the scaler of column \"", name, "\" was not fitted: `fit()` the ",
      "specification", class = "unbuilt", fun = fun)
    return(sym("/", sym("-", x, normalizer$shift), normalizer$scale))
  }
  y <- normalizer(x)
  if (!is_keras_tensor(y) || !identical(dim(y), dim(x))) abort("`normalizer_fn` of column \"", name, "\" must give a ",
    "tensor of the shape that it gets, not ", describe(y), class = "shape", fun = fun)
  y
}

#' A call of an op as a layer, which files can hold.
#' @noRd
sym <- function(f, ...) op_layer(f, list(...))

lookup_ids <- function(x, vocabulary, oov, default) {
  lookup <- if (is.character(vocabulary)) layer_string_lookup else layer_integer_lookup
  # no id for what is unknown: that is an error
  if (is.null(default)) return(lookup(x, vocabulary = vocabulary, num_oov_indices = 0L))
  n <- max(oov, 1)
  index <- lookup(x, vocabulary = vocabulary, num_oov_indices = n)
  # the unknown come first there, and last here
  move <- if (oov > 0) length(vocabulary) + n else default + 1
  ids <- sym("-", index, n)
  if (move == 0) ids else sym("+", ids, sym("*", sym("op_cast", sym("<", index, n), "int64"), move))
}

bucket_ids <- function(x, boundaries, size) {
  ids <- sym("op_cast", layer_discretization(x, bin_boundaries = boundaries), "int64")
  if (size == 1) ids else sym("+", ids, matrix((seq_len(size) - 1) * (length(boundaries) + 1), 1))
}

#' The product of any number below it and 48271 is exact in int64.
#' @noRd
cross_prime <- 2147483647

cross_ids <- function(ids, depth, fun) {
  for (x in ids) if (dim(x)[2] != 1) abort("columns that are crossed must have one value in a row, not ", dim(x)[2],
    class = "shape", fun = fun)
  hash <- valid <- NULL
  for (x in ids) {
    x <- sym("op_cast", x, "int64")
    hash <- sym("%%", sym("+", x, if (is.null(hash)) 1 else sym("*", hash, 48271)), cross_prime)
    some <- sym("op_cast", sym(">=", x, 0), "int64")
    valid <- if (is.null(valid)) some else sym("*", valid, some)
  }
  # a Lehmer step more, so that neighbours lie apart
  bucket <- sym("%%", sym("%%", sym("*", hash, 48271), cross_prime), depth)
  sym("-", sym("*", sym("+", bucket, 1), valid), 1)
}

#' How often each id is there: -1 counts nowhere.
#' @noRd
count_ids <- function(ids, depth) {
  counts <- layer_category_encoding(sym("+", sym("op_cast", ids, "int64"), 1), num_tokens = depth + 1,
    output_mode = "count")
  sym("[", counts, list(new_range(), new_range(list(2, depth + 1))), FALSE)
}

combine_rows <- function(table, ids, combiner) {
  ids <- sym("op_cast", ids, "int64")
  valid <- sym("op_cast", sym(">=", ids, 0), "float32")
  if (dim(ids)[2] > 1 && combiner != "sum") {
    n <- sym("op_maximum", sym("op_sum", valid, -1, TRUE), 1)
    valid <- sym("/", valid, if (combiner == "mean") n else sym("op_sqrt", n))
  }
  rows <- table(sym("op_maximum", ids, 0))
  layer_flatten(sym("op_matmul", layer_reshape(valid, target_shape = c(1L, dim(ids)[2])), rows))
}

#' Dense features layer
#'
#' Numbers from named columns, one feature column after the other in the order of their names, as Keras has it. It is a
#' functional model of other layers: a column of strings becomes ids in R, as in [layer_string_lookup()].
#'
#' @param object a named list of symbolic tensors, such as [layer_input_from_dataset()] gives, of arrays and strings, or
#'   a sequential model, whose first layer this is; missing to get the layer itself.
#' @param feature_columns a list of [feature_columns], as [dense_features()] gives.
#' @param name a string, or `NULL`.
#' @param trainable are embeddings trained?
#' @param ... not used: other arguments are refused.
#' @return What other layers return: a symbolic tensor or a tensor of shape (batch, width), the model, or the layer.
#' @section Errors: `nativenet_error_names` for columns that are not among the inputs; `nativenet_error_dtype` for such
#'   of another kind.
#' @seealso [feature_spec()], [feature_columns]
#' @examples
#' size <- tf$feature_column$bucketized_column(tf$feature_column$numeric_column("size"), c(1, 2))
#' layer_dense_features(list(size = c(0.5, 1, 7)), list(size))
#' model <- keras_model_sequential() |> layer_dense_features(list(size)) |> layer_dense(1)
#' predict(model, list(size = c(0.5, 1, 7)))
#' @export
layer_dense_features <- function(object, feature_columns, name = NULL, trainable = TRUE, ...) {
  check_no_more(list(...), of = layer_dense_features)
  check_given(missing(feature_columns), "feature_columns")
  columns <- if (is_feature_column(feature_columns)) list(feature_columns) else tensor_leaves(feature_columns)
  for (column in columns) {
    if (!is_feature_column(column)) abort("`feature_columns` must be feature columns, not ", describe(column))
    if (!column$dense) abort("`feature_columns` must be dense; column \"", column$name, "\" is categorical: ",
      "`indicator_column()` and `embedding_column()` make it dense")
  }
  if (!length(columns)) abort("`feature_columns` must hold at least one column")
  columns <- columns[order(vapply(columns, `[[`, "", "name"), method = "radix")]
  types <- unlist(lapply(columns, source_types))
  # of whole numbers, if there are ids of them
  types <- tapply(types, names(types), function(t) if (length(unique(t)) > 1) setdiff(t, "float32")[1] else t[1])
  sizes <- unlist(lapply(columns, numeric_sizes))
  alone <- missing(object)
  if (alone) object <- NULL
  if (is.data.frame(object)) object <- as.list(object)
  symbolic <- is_branch(object) && length(object) && all(vapply(object, is_keras_tensor, NA))
  if (symbolic) check_source_names(names(types), names(object))
  inputs <- sapply(names(types), function(key) {
    like <- if (is_branch(object)) object[[key]]
    shape <- if (length(dim(like)) > 1) dim(like)[-1] else if (key %in% names(sizes)) sizes[[key]] else 1
    layer_input(shape, name = make_name(key), dtype = if (symbolic) like$dtype else types[[key]])
  }, simplify = FALSE)
  layer <- dense_model(columns, inputs, if (is.null(name)) unique_name("dense_features") else check_string(name),
    "layer_dense_features")
  if (!check_flag(trainable)) freeze_weights(layer)
  if (alone) return(layer)
  if (is_sequential(object)) return(invisible(add_layer(object, layer)))
  if (!is_named_list(object) || !length(object)) abort("`object` must be a named list of tensors or a sequential ",
    "model, not ", describe(object))
  check_source_names(names(types), names(object))
  layer(object[names(types)])
}

numeric_sizes <- function(column) if (column$kind == "numeric") stats::setNames(column$size, column$name) else
  if (!is.null(column$source)) numeric_sizes(column$source) else unlist(lapply(column$crossed, numeric_sizes))

check_source_names <- function(wanted, names, fun = calling_function()) {
  lost <- setdiff(wanted, names)
  if (length(lost)) abort("there is no input ", encodeString(lost[1], quote = "\""), did_you_mean(lost[1], names),
    class = "names", fun = fun)
}

#' Symbolic inputs for the columns of a data set
#'
#' A [layer_input()] for each feature of a data set or data frame, of its name, shape and dtype.
#'
#' @param dataset a data set whose elements are named lists, or such lists and a response, as [dataset_use_spec()]
#'   gives; or a data frame. Axes after the first are those of a row, as of batches.
#' @return A named list of symbolic tensors.
#' @seealso [layer_dense_features()]
#' @examples
#' layer_input_from_dataset(data.frame(size = c(1.5, 2), colour = c("red", "blue")))
#' @export
layer_input_from_dataset <- function(dataset) {
  if (is.data.frame(dataset)) dataset <- tensor_slices_dataset(plain_frame(dataset))
  columns <- record_columns(first_part(check_dataset(dataset)))
  sapply(columns$names, function(name) {
    shape <- columns$specs[[name]]$dim
    layer_input(if (length(shape) < 2) 1 else shape[-1], name = make_name(name), dtype = columns$types[[name]])
  }, simplify = FALSE)
}

#' Factors as their labels.
#' @noRd
plain_frame <- function(frame) {
  frame[] <- lapply(frame, function(x) if (is.factor(x)) as.character(x) else x)
  frame
}

#' A data set of the features, where elements are list(features, response).
#' @noRd
first_part <- function(dataset) {
  spec <- dataset$spec
  if (is.null(spec)) {
    element <- keeping_random_state(as_iterator(dataset)$pull())
    if (is.null(element)) abort("`dataset` has no elements, so its columns are not known",
      fun = "layer_input_from_dataset")
    spec <- spec_of(element)
  }
  pair <- is_branch(spec) && length(spec) %in% 1:2 && is_named_list(spec[[1]]) && length(spec[[1]])
  list(spec = if (pair) spec[[1]] else spec)
}
