# Feature spaces: named columns of data as numbers. Each feature has a preprocessing layer, some are crossed, and what
# they give is encoded; all that is a functional model once the layers have learned from data.

feature_kinds <- c("float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical",
  "string_categorical", "integer_hashed", "string_hashed")

# ---- features ----

new_feature <- function(kind, name, dtype, output_mode, make, ...) {
  fun <- paste0("feature_", kind)
  if (!is.null(name)) check_name(name, fun)
  check_choice(output_mode, c("int", "one_hot", "float"), "output_mode", fun)
  stem <- if (is.null(name)) unique_name(kind) else name
  preprocessor <- tryCatch(make(..., name = paste0(make_name(stem), "_preprocessor")), nativenet_error = function(e)
    abort(sub("^`[^`]*`: ", "", error_text(e)), class = error_kind(e), fun = fun))
  as_feature(dtype, preprocessor, output_mode)
}

as_feature <- function(dtype, preprocessor, output_mode) structure(list(dtype = dtype, preprocessor = preprocessor,
  output_mode = output_mode), class = "nn_feature")

is_feature <- function(x) inherits(x, "nn_feature")

#' @export
in_words.nn_feature <- function(x) "a feature"

#' @export
print.nn_feature <- function(x, ...) {
  cat("<feature of ", x$dtype, ", output_mode \"", x$output_mode, "\", by layer ", layer_self(x$preprocessor)$name,
    ">\n", sep = "")
  invisible(x)
}

#' Features of a feature space
#'
#' What becomes of a column of data in [layer_feature_space()].
#'
#' * `feature_float()`: numbers as they are;
#' * `feature_float_rescaled()`: \eqn{x \cdot \mathrm{scale} + \mathrm{offset}}{x scale + offset}, by
#'   [layer_rescaling()];
#' * `feature_float_normalized()`: less the mean, divided by the standard deviation, by [layer_normalization()];
#' * `feature_float_discretized()`: the bin in which a number lies, by [layer_discretization()];
#' * `feature_integer_categorical()`, `feature_string_categorical()`: the index in a vocabulary, by
#'   [layer_integer_lookup()] and [layer_string_lookup()];
#' * `feature_integer_hashed()`, `feature_string_hashed()`: a bucket, by [layer_hashing()];
#' * `feature_custom()`: by any layer or model;
#' * `feature_cross()`: the bucket of several features together, by [layer_hashed_crossing()]; for `crosses`.
#'
#' @param name name of the preprocessing layer, without `_preprocessor`; `NULL` for one that is made.
#' @param scale,offset numbers.
#' @param num_bins how many bins or buckets there are.
#' @param bin_boundaries increasing numbers, or `NULL`: [adapt()] finds them.
#' @param max_tokens the largest size of the vocabulary with its special tokens; `NULL` for any.
#' @param num_oov_indices how many indices there are for values out of the vocabulary.
#' @param output_mode `"one_hot"`: zeros and a 1 for each bin, index or bucket; `"int"`: its number; for
#'   `feature_custom()` also `"float"`: what the layer gives.
#' @param dtype that of the column: `"float32"`, `"int32"`, `"int64"` or `"string"`.
#' @param preprocessor a layer or a model, which is called on a tensor of shape (batch, 1).
#' @param feature_names the names of two or more features.
#' @param crossing_dim how many buckets there are.
#' @return A feature, a list with `$dtype`, `$preprocessor` and `$output_mode`; a cross, with `$feature_names`,
#'   `$crossing_dim`, `$output_mode` and `$name`.
#' @seealso [layer_feature_space()]
#' @examples
#' feature_float_discretized(num_bins = 4)
#' feature_string_categorical(max_tokens = 100, output_mode = "int")$preprocessor
#' feature_cross(c("colour", "size"), crossing_dim = 16)
#' @name features
NULL

#' @rdname features
#' @export
feature_float <- function(name = NULL) new_feature("float", name, "float32", "float", layer_identity)

#' @rdname features
#' @export
feature_float_rescaled <- function(scale = 1, offset = 0, name = NULL)
  new_feature("float_rescaled", name, "float32", "float", layer_rescaling, scale = scale, offset = offset)

#' @rdname features
#' @export
feature_float_normalized <- function(name = NULL)
  new_feature("float_normalized", name, "float32", "float", layer_normalization)

#' @rdname features
#' @export
feature_float_discretized <- function(num_bins, bin_boundaries = NULL, output_mode = "one_hot", name = NULL) {
  if (missing(num_bins) && !is.null(bin_boundaries)) num_bins <- NULL
  check_given(missing(num_bins), "num_bins")
  new_feature("float_discretized", name, "float32", output_mode, layer_discretization, num_bins = num_bins,
    bin_boundaries = bin_boundaries)
}

#' @rdname features
#' @export
feature_integer_categorical <- function(max_tokens = NULL, num_oov_indices = 1, output_mode = "one_hot", name = NULL)
  new_feature("integer_categorical", name, "int32", output_mode, layer_integer_lookup, max_tokens = max_tokens,
    num_oov_indices = num_oov_indices)

#' @rdname features
#' @export
feature_string_categorical <- function(max_tokens = NULL, num_oov_indices = 1, output_mode = "one_hot", name = NULL)
  new_feature("string_categorical", name, "string", output_mode, layer_string_lookup, max_tokens = max_tokens,
    num_oov_indices = num_oov_indices)

#' @rdname features
#' @export
feature_string_hashed <- function(num_bins, output_mode = "one_hot", name = NULL) {
  check_given(missing(num_bins), "num_bins")
  new_feature("string_hashed", name, "string", output_mode, layer_hashing, num_bins = num_bins)
}

#' @rdname features
#' @export
feature_integer_hashed <- function(num_bins, output_mode = "one_hot", name = NULL) {
  check_given(missing(num_bins), "num_bins")
  new_feature("integer_hashed", name, "int32", output_mode, layer_hashing, num_bins = num_bins)
}

#' @rdname features
#' @export
feature_custom <- function(dtype, preprocessor, output_mode) {
  check_given(missing(preprocessor), "preprocessor")
  dtype <- as.character(check_choice(dtype, input_dtypes()))
  if (!is_layer(preprocessor)) abort("`preprocessor` must be a layer or a model, not ", describe(preprocessor))
  as_feature(dtype, preprocessor, check_choice(output_mode, c("int", "one_hot", "float")))
}

#' @rdname features
#' @export
feature_cross <- function(feature_names, crossing_dim, output_mode = "one_hot") {
  check_given(missing(feature_names), "feature_names")
  new_cross(feature_names, crossing_dim, output_mode, "feature_names", "feature_cross")
}

new_cross <- function(names, dim, output_mode, arg, fun) {
  if (is.list(names)) names <- unlist(names)
  names <- check_strings(names, arg, fun)
  if (length(names) < 2) abort("`", arg, "` must name at least two features, not ", length(names), fun = fun)
  structure(list(feature_names = names, crossing_dim = check_count(dim, arg = "crossing_dim", fun = fun),
    output_mode = check_choice(output_mode, c("one_hot", "int"), "output_mode", fun),
    name = paste(names, collapse = "_X_")), class = "nn_cross")
}

#' @export
in_words.nn_cross <- function(x) "a cross of features"

#' @export
print.nn_cross <- function(x, ...) {
  cat("<cross ", x$name, " into ", x$crossing_dim, " buckets, output_mode \"", x$output_mode, "\">\n", sep = "")
  invisible(x)
}

# ---- the space ----

#' Feature space
#'
#' Turns a data frame, a named list of columns, or the elements of a data set into numbers: a preprocessing layer for
#' each feature, crosses of features, and one-hot encodings. [adapt()] lets the layers learn what they need, such as
#' vocabularies and means.
#'
#' With `output_mode = "concat"` all columns stand side by side in a tensor of shape (batch, width): features in the
#' order of their names, then crosses in that of theirs. With `"dict"` they are a named list. Vectors have an element
#' for each row; a list of single values is one sample, and gives tensors without the batch axis. Columns that are no
#' feature are not looked at.
#'
#' A feature is one of [features], or its name, such as `"float_normalized"`: then `num_discretization_bins` is the
#' number of bins, `hashing_dim` that of buckets.
#'
#' @section Members:
#' * `$adapt(data)`: as [adapt()]; a data set may have batches or single samples as elements, which are named lists.
#' * `$get_inputs()`, `$get_encoded_features()`: symbolic tensors for [keras_model()]: a named list of inputs, and
#'   what becomes of them. `$features`, `$preprocessors`, `$crosses`, `$crossers`, `$one_hot_encoders`: named lists.
#' * `$save(filepath)`: as [save_model()], which takes a feature space, too. [load_model()] gives it back from a file in
#'   the safetensors format; from files of Keras' it gives a model that computes the same.
#'
#' @section Calls: on data it gives tensors, also within [dataset_map()]; on a named list of symbolic tensors it is part
#'   of a model; as the first layer of a sequence it makes a model of named columns.
#' @param object a data frame, a named list, or a sequential model without layers; may be missing to get the layer
#'   itself.
#' @param features a named list of [features] or of their names.
#' @param output_mode `"concat"` or `"dict"`.
#' @param crosses a list of vectors of names, or of what [feature_cross()] gives.
#' @param crossing_dim how many buckets crosses have that are given by names alone.
#' @param hashing_dim,num_discretization_bins how many buckets and bins features have that are given by name.
#' @param name a string, or `NULL`.
#' @param feature_names an older name of `features`.
#' @return The layer; or what it gives of `object`.
#' @section Errors: `nativenet_error_unbuilt` where it has to learn before it is called; `nativenet_error_names` for
#'   columns that are missing.
#' @seealso [features], [feature_spec()] with the feature columns of TensorFlow 1
#' @examples
#' rows <- data.frame(age = c(20, 35, 50, 65), plan = c("a", "b", "a", "c"),
#'   visits = c(0L, 3L, 1L, 0L))
#' space <- layer_feature_space(
#'   features = list(age = "float_normalized", plan = "string_categorical",
#'     visits = feature_integer_categorical(num_oov_indices = 0)),
#'   crosses = list(feature_cross(c("plan", "visits"), crossing_dim = 4))
#' )
#' space |> adapt(rows)
#' space(rows)
#' output <- space$get_encoded_features() |> layer_dense(1, activation = "sigmoid")
#' model <- keras_model(space$get_inputs(), output)
#' model |> compile("adam", "binary_crossentropy")
#' model |> fit(as.list(rows), c(0, 1, 0, 1), epochs = 2, verbose = 0)
#' @export
layer_feature_space <- function(object, features, output_mode = "concat", crosses = NULL, crossing_dim = 32L,
  hashing_dim = 32L, num_discretization_bins = 32L, name = NULL, feature_names = NULL) {
  if (missing(features)) features <- feature_names
  sizes <- list(hashing_dim = check_count(hashing_dim), num_discretization_bins = check_count(num_discretization_bins))
  crossing_dim <- if (!is.null(crossing_dim)) check_count(crossing_dim)
  features <- check_space_features(features, sizes)
  layer <- new_layer("feature_space", , c(list(output_mode = check_choice(output_mode, c("concat", "dict")),
    crossing_dim = crossing_dim), sizes), name = name)
  self <- layer_self(layer)
  self$features <- features
  self$crosses <- check_crosses(crosses, names(features), crossing_dim)
  self$crossers <- lapply(self$crosses, function(cross) layer_hashed_crossing(num_bins = cross$crossing_dim,
    name = make_name(cross$name)))
  self$fields <- list(preprocessors = lapply(features, `[[`, "preprocessor"))
  if (missing(object)) layer else layer(object)
}

check_space_features <- function(features, sizes, fun = calling_function()) {
  if (!is_named_list(features) && is.character(features) && !is.null(names(features))) features <- as.list(features)
  if (!is_named_list(features) || !length(features)) abort("`features` must be a named list of features, such as ",
    "list(age = \"float_normalized\"), not ", describe(features), fun = fun)
  if (anyDuplicated(names(features))) abort("`features` has the name ", encodeString(names(features)[
    anyDuplicated(names(features))], quote = "\""), " twice", class = "names", fun = fun)
  Map(function(feature, name) {
    if (is_feature(feature)) return(feature)
    if (!is_string(feature) || !feature %in% feature_kinds) abort("feature ", encodeString(name, quote = "\""),
      " must come from `feature_float()` and its like, or be one of ", paste0("\"", feature_kinds, "\"",
      collapse = ", "), ", not ", describe(feature), fun = fun)
    make <- get(paste0("feature_", feature), envir = topenv())
    switch(feature, float_discretized = make(sizes$num_discretization_bins, name = name),
      integer_hashed = , string_hashed = make(sizes$hashing_dim, name = name), make(name = name))
  }, features, names(features))
}

check_crosses <- function(crosses, names, dim, fun = calling_function()) {
  if (inherits(crosses, "nn_cross") || is.character(crosses)) crosses <- list(crosses)
  if (!is.null(crosses) && !is_branch(crosses)) abort("`crosses` must be a list of crosses, not ", describe(crosses),
    fun = fun)
  crosses <- lapply(unname(crosses), function(cross) {
    if (!inherits(cross, "nn_cross")) {
      if (is.null(dim)) abort("`crossing_dim` must be given for crosses without a size of their own", fun = fun)
      cross <- new_cross(cross, dim, "one_hot", "crosses", fun)
    }
    lost <- setdiff(cross$feature_names, names)
    if (length(lost)) abort("`crosses` names ", encodeString(lost[1], quote = "\""), ", which is no feature",
      did_you_mean(lost[1], names), class = "names", fun = fun)
    cross
  })
  stats::setNames(crosses, vapply(crosses, `[[`, "", "name"))
}

feature_space_type <- list(
  class_name = "FeatureSpace",
  several = TRUE,
  call = function(self, x) x, # see apply
  apply = function(self, object) call_space(self, object),
  learn = function(self, data, batch_size, steps, fun) learn_space(self, data, steps, fun),
  members = list(
    adapt = function(self) function(dataset, ...) adapt_layer(as_layer(self), dataset, ..., fun = self$name),
    features = function(self) self$features,
    preprocessors = function(self) self$fields$preprocessors,
    crosses = function(self) self$crosses,
    crossers = function(self) self$crossers,
    one_hot_encoders = function(self) built_space(self)$encoders,
    output_mode = function(self) self$config$output_mode,
    inputs = function(self) built_space(self)$inputs,
    get_inputs = function(self) function() built_space(self)$inputs,
    get_encoded_features = function(self) function() built_space(self)$encoded,
    save = function(self) function(filepath, overwrite = TRUE) save_model(as_layer(self), filepath, overwrite)
  )
)

# ---- learning ----

#' Layers that have to learn: a vocabulary, a mean or boundaries that were given are not.
#' @noRd
learners <- function(self) Filter(function(layer) {
  own <- layer_self(layer)
  !is.null(layer_type(own)$adapt) && is.null(own$config$mean) && (is.null(own$config$bin_boundaries) ||
    !is.null(own$learned)) && (is.null(own$config$vocabulary) || isFALSE(own$given))
}, self$fields$preprocessors)

learn_space <- function(self, data, steps, fun) {
  layers <- learners(self)
  pull <- space_batches(data, fun)
  states <- buffers <- list()
  learn <- function(name, values) {
    own <- layer_self(layers[[name]])
    if (is_tensor(values)) values <- as.array(values)
    if (is.factor(values)) values <- as.character(values)
    if (length(dim(values)) < 2) values <- array(values, c(length(values), 1L))
    states[[name]] <<- layer_type(own)$adapt(own, states[[name]], batch_values(own, values))
  }
  flush <- function(name) {
    if (length(buffers[[name]])) learn(name, unlist(buffers[[name]]))
    buffers[[name]] <<- NULL
  }
  while (steps > 0 && !is.null(batch <- pull())) {
    steps <- steps - 1
    check_has_columns(names(layers), batch, fun)
    check_equal_rows(batch[intersect(names(self$features), names(batch))], fun)
    for (name in names(layers)) {
      values <- batch[[name]]
      if (!is_sample(values)) learn(name, values)
      else { # single samples, some at a time
        buffers[[name]] <- c(buffers[[name]], list(if (is_tensor(values)) as.array(values) else as.vector(values)))
        if (length(buffers[[name]]) == 32) flush(name)
      }
    }
  }
  for (name in names(layers)) {
    flush(name)
    if (is.null(states[[name]])) abort("`data` must not be empty", fun = fun)
    own <- layer_self(layers[[name]])
    layer_type(own)$adapted(own, states[[name]])
    own$learned <- TRUE
  }
  forget_programs()
  self$space <- make_space(self)
}

#' A value without an axis for the batch.
#' @noRd
is_sample <- function(x) if (is_tensor(x)) !rank_of(x) else length(x) == 1 && length(dim(x)) < 2

space_batches <- function(data, fun) {
  if (is_dataset(data)) {
    pull <- adapt_batches(data, NULL, FALSE)
    return(function() {
      batch <- pull()
      if (!is.null(batch) && !is_named_list(batch)) abort("`data` must have named lists as elements, not ",
        describe(batch), "; `dataset_map()` picks them", fun = fun)
      batch
    })
  }
  data <- as_columns(data, "data", fun)
  function() {
    batch <- data
    data <<- NULL
    batch
  }
}

as_columns <- function(x, arg, fun) {
  if (is.data.frame(x)) x <- lapply(as.list(x), function(v) if (is.factor(v)) as.character(v) else v)
  if (!is_named_list(x) || !length(x)) abort("`", arg, "` must be a data frame or a named list of columns, not ",
    describe(x), fun = fun)
  x
}

check_equal_rows <- function(columns, fun) {
  rows <- vapply(columns, function(x) if (is_tensor(x)) c(shape_of(x), 1L)[1] else NROW(x), 0L)
  other <- which(rows != rows[1])[1]
  if (!is.na(other)) abort("columns must be of equal length, but `", names(rows)[1], "` has ", rows[1], " and `",
    names(rows)[other], "` ", rows[other], class = "shape", fun = fun)
}

check_has_columns <- function(wanted, batch, fun) {
  lost <- setdiff(wanted, names(batch))
  if (length(lost)) abort("there is no column ", encodeString(lost[1], quote = "\""), did_you_mean(lost[1],
    names(batch)), class = "names", fun = fun)
}

# ---- the model ----

#' list(model, inputs, encoded, encoders), made when it is first needed.
#' @noRd
built_space <- function(self, fun = self$name) {
  if (is.null(self$space)) {
    if (length(learners(self))) abort("has to learn before it is used: `adapt()` it to data", class = "unbuilt",
      fun = fun)
    self$space <- make_space(self)
  }
  self$space
}

make_space <- function(self) {
  names <- names(self$features)
  inputs <- Map(function(feature, name) layer_input(1L, name = make_name(name), dtype = feature$dtype), self$features,
    names)
  values <- Map(function(feature, input) feature$preprocessor(input), self$features, inputs)
  crossed <- Map(function(cross, crosser) crosser(unname(values[cross$feature_names])), self$crosses, self$crossers)
  values <- c(values[sort(names, method = "radix")], crossed[sort(names(crossed), method = "radix")])
  specs <- c(self$features, self$crosses)
  layers <- c(self$fields$preprocessors, self$crossers)
  encoders <- list()
  for (name in names(values)) {
    if (specs[[name]]$output_mode == "one_hot") {
      encoders[[name]] <- layer_category_encoding(num_tokens = classes_of(layers[[name]], values[[name]], name,
        self$name), output_mode = "multi_hot", name = paste0(self$name, "_", make_name(name)))
      values[[name]] <- encoders[[name]](values[[name]])
    }
    if (self$config$output_mode == "concat" && !values[[name]]$dtype %in% float_dtypes)
      abort("feature ", encodeString(name, quote = "\""), " gives ", values[[name]]$dtype, " and was not encoded, so ",
        "it does not stand beside others: take `output_mode = \"one_hot\"`, or \"dict\" for the space",
        class = "dtype", fun = self$name)
  }
  encoded <- if (self$config$output_mode == "dict") values else if (length(values) == 1) values[[1]] else
    layer_concatenate(unname(values), name = paste0(self$name, "_concatenate"))
  model <- keras_model(inputs, encoded, name = self$name)
  own <- layer_self(model)
  # how it is made again from a file
  own$space <- list(config = self$config, crosses = lapply(self$crosses, unclass),
    dtypes = lapply(self$features, `[[`, "dtype"), modes = lapply(self$features, `[[`, "output_mode"),
    layers = lapply(layers, function(l) layer_self(l)$name))
  list(model = model, inputs = inputs, encoded = encoded, encoders = encoders)
}

#' How many classes the layer's whole numbers are of.
#' @noRd
classes_of <- function(layer, value, name, fun) {
  own <- layer_self(layer)
  config <- own$config
  if (!is_whole_dtype(value$dtype)) abort("feature ", encodeString(name, quote = "\""), " gives ", value$dtype,
    ", and only whole numbers have a one-hot encoding", class = "dtype", fun = fun)
  n <- switch(own$kind, string_lookup = , integer_lookup = length(vocabulary_of(own, TRUE)),
    category_encoding = config$num_tokens, hashing = , hashed_crossing = config$num_bins,
    discretization = max(length(config$bin_boundaries) + 1, if (isTRUE(own$learned)) config$num_bins))
  if (is.null(n)) abort("it is not known how many classes the layer of feature ", encodeString(name, quote = "\""),
    " gives: take `output_mode = \"int\"`", fun = fun)
  n
}

call_space <- function(self, object) {
  model <- built_space(self)$model
  if (is_sequential(object)) return(invisible(add_layer(object, model)))
  rows <- is.data.frame(object)
  object <- as_columns(object, "x", self$name)
  check_has_columns(names(self$features), object, self$name)
  object <- object[names(self$features)]
  if (all(vapply(object, is_keras_tensor, NA))) return(model(object))
  check_equal_rows(object, self$name)
  single <- !rows && any(vapply(object, is_sample, NA))
  y <- model(Map(function(x, name, feature) {
    # whole numbers may come as floats, fractions may not
    if (is_whole_dtype(feature$dtype) && !(is_tensor(x) && is_symbolic(x))) x <- whole_column(x, name, self$name)
    if (is_tensor(x)) return(if (rank_of(x) < 2) op_reshape(x, c(-1, 1)) else x)
    if (length(dim(x)) < 2) array(if (is.factor(x)) as.character(x) else x, c(length(x), 1L)) else x
  }, object, names(object), self$features))
  if (!single) return(y)
  map_leaves(y, function(t) op_reshape(t, shape_of(t)[-1]))
}

whole_column <- function(x, name, fun) {
  if (is_tensor(x) && !tensor_dtype(x) %in% float_dtypes) return(x)
  if (is_tensor(x)) x <- as.array(x)
  with_axes_of(check_whole(x, -2^53, 2^53, name, fun), x)
}

# ---- files ----

#' The space of a model that came from a file.
#' @noRd
space_of_model <- function(model) {
  own <- layer_self(model)
  entry <- own$space
  layers <- stats::setNames(own$layers, vapply(own$layers, function(l) layer_self(l)$name, ""))
  find <- function(names) lapply(names, function(name) layers[[name]])
  preprocessors <- find(entry$layers[names(entry$dtypes)])
  features <- Map(as_feature, entry$dtypes, preprocessors, entry$modes)
  for (layer in preprocessors) assign("learned", TRUE, envir = layer_self(layer))
  layer <- new_layer("feature_space", , entry$config, name = own$name)
  self <- layer_self(layer)
  self$features <- features
  self$crosses <- lapply(entry$crosses, function(cross) structure(lapply(cross, plain_value), class = "nn_cross"))
  self$crossers <- find(entry$layers[names(self$crosses)])
  self$fields <- list(preprocessors = preprocessors)
  names <- names(features)
  self$space <- list(model = model, inputs = stats::setNames(own$inputs, names), encoded = if (
    self$config$output_mode == "dict") stats::setNames(own$outputs, own$output_names) else own$outputs[[1]],
    encoders = Filter(Negate(is.null), sapply(c(sort(names, method = "radix"), sort(names(self$crosses),
      method = "radix")), function(name) layers[[paste0(own$name, "_", make_name(name))]], simplify = FALSE)))
  layer
}
