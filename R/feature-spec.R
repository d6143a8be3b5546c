# Specifications of features, as in tfdatasets: steps are collected, learn from the data, and become feature columns.

#' Feature specifications
#'
#' `feature_spec()` begins a specification of what a model reads from the columns of a data set; [steps] add feature
#' columns; `fit()` goes through the data once, for vocabularies and scalers; `dense_features()` gives the dense columns
#' to [layer_dense_features()], and `dataset_use_spec()` makes of the data set pairs of features and response to train
#' on. A step makes a new specification and leaves the old one as it was.
#'
#' `spec$fit()` fits in place, `spec$features()` gives all feature columns, `spec$dense_features()` the dense ones,
#' `spec$feature_names()` and `spec$feature_types()` what steps can select from, `spec$steps` the steps.
#'
#' @param dataset a data set of named lists, in batches or not, or a data frame.
#' @param x the features: a formula such as `y ~ a + b` or `y ~ .`, or a selection of columns, see [has_type()].
#' @param y the response, if it is not in the formula, or `NULL`.
#' @param object,spec a specification.
#' @param ... not used: other arguments are refused.
#' @return `feature_spec()` and `fit()`: a specification. `dense_features()`: a list of feature columns.
#'   `dataset_use_spec()`: a data set of elements `list(features, response)`, where the features are a named list.
#' @section Errors: `nativenet_error_names` for columns that are not there; `nativenet_error_unbuilt` for a
#'   specification that was not fitted.
#' @seealso [steps], [has_type()], [scaler_standard()], [layer_dense_features()], [layer_input_from_dataset()]
#' @examples
#' rows <- data.frame(size = c(1, 2, 4), colour = c("red", "blue", "red"), price = c(3, 4, 6))
#' data <- dataset_batch(tensor_slices_dataset(rows), 3)
#' spec <- feature_spec(data, price ~ .) |>
#'   step_numeric_column(size, normalizer_fn = scaler_standard()) |>
#'   step_categorical_column_with_vocabulary_list(colour) |>
#'   step_indicator_column(colour) |>
#'   fit()
#' inputs <- layer_input_from_dataset(rows[c("size", "colour")])
#' output <- inputs |> layer_dense_features(dense_features(spec)) |> layer_dense(1)
#' model <- keras_model(inputs, output) |> compile("adam", "mse")
#' model |> fit(dataset_use_spec(data, spec), epochs = 2, verbose = 0)
#' predict(model, rows)
#' @export
feature_spec <- function(dataset, x, y = NULL) {
  check_given(missing(x), "x")
  data <- spec_data(dataset)
  columns <- record_columns(data)
  chosen <- select_xy(substitute(x), substitute(y), columns, parent.frame())
  if (!length(chosen$x)) abort("`x` must select at least one feature")
  new_spec(list(data = data, columns = columns, x = chosen$x, y = chosen$y, steps = list(), tried = list(),
    removed = character(), fitted = FALSE))
}

spec_data <- function(dataset, fun = calling_function()) if (is.data.frame(dataset))
  tensor_slices_dataset(plain_frame(dataset)) else check_dataset(dataset, fun = fun)

new_spec <- function(fields) structure(list2env(fields, parent = emptyenv()),
  class = c("nn_feature_spec", "FeatureSpec"))

copy_spec <- function(spec) {
  force(spec) # ls() would take an error for a name
  new_spec(utils::modifyList(mget(ls(spec), envir = spec), list(fitted = FALSE, made = NULL)))
}

is_feature_spec <- function(x) inherits(x, "nn_feature_spec")

check_spec <- function(spec, fun = calling_function()) {
  if (is_feature_spec(spec)) return(spec)
  abort("`spec` must come from `feature_spec()`, not be ", describe(spec), fun = fun)
}

spec_members <- list(
  fit = function(self) function() invisible(fit_spec(self, self$data)),
  features = function(self) function() spec_features(self, "features"),
  dense_features = function(self) function() Filter(function(f) f$dense, spec_features(self, "dense_features")),
  feature_names = function(self) function() spec_columns(self)$names,
  feature_types = function(self) function() spec_columns(self)$types
)

#' @export
`$.nn_feature_spec` <- function(x, name) {
  if (name %in% names(spec_members)) return(spec_members[[name]](x))
  if (exists(name, envir = x, inherits = FALSE)) return(get(name, envir = x, inherits = FALSE))
  unknown_member(name, c(names(spec_members), ls(x)), "a specification of features")
}

#' @export
print.nn_feature_spec <- function(x, ...) {
  cat("<feature specification> of ", some_names("", x$x), if (length(x$y)) paste0(" for ", some_names("", x$y)), "; ",
    length(x$steps), " steps", if (!x$fitted) ", not fitted", "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_feature_spec <- function(x) "a specification of features"

#' What steps select from: what the steps before made, and the features.
#' @noRd
spec_columns <- function(spec) {
  names <- unique(c(names(spec$steps), spec$x))
  types <- vapply(names, function(name) {
    if (name %in% spec$x && !isTRUE(spec$steps[[name]]$dense)) spec$columns$types[[name]] else "float32"
  }, "", USE.NAMES = FALSE)
  list(names = names, types = types)
}

# ---- fitting ----

#' @rdname feature_spec
#' @exportS3Method
fit.nn_feature_spec <- function(object, dataset = NULL, ...) {
  check_no_more(list(...), "fit")
  fit_spec(copy_spec(object), if (is.null(dataset)) object$data else spec_data(dataset, "fit"))
}

fit_spec <- function(spec, data) {
  if (is.infinite(data$size)) abort("a specification cannot be fitted to a data set without end; `dataset_take()` has ",
    "one", fun = "fit")
  learning <- Filter(function(step) !is.null(step$learn), spec$steps)
  states <- lapply(learning, function(step) list())
  if (length(learning)) dataset_for(data, function(element) {
    if (!is_named_list(element) && is_branch(element) && length(element) == 2) element <- element[[1]]
    lost <- setdiff(vapply(learning, `[[`, "", "column"), names(element))
    if (length(lost)) abort("the data set has no column ", encodeString(lost[1], quote = "\""), class = "names",
      fun = "fit")
    for (name in names(learning)) {
      value <- element[[learning[[name]]$column]]
      states[[name]] <<- learning[[name]]$learn(states[[name]], if (is_tensor(value)) c(as.array(value)) else value)
    }
  })
  features <- list()
  for (name in names(spec$steps)) {
    step <- spec$steps[[name]]
    made <- step$make(features, states[[name]], FALSE)
    features <- c(features, made_columns(made, name))
  }
  spec$made <- features[!names(features) %in% spec$removed]
  spec$fitted <- TRUE
  spec
}

#' The feature columns that a step made, which may be several.
#' @noRd
made_columns <- function(made, name) if (is_feature_column(made)) stats::setNames(list(made), name) else made

spec_features <- function(spec, fun) {
  if (!spec$fitted) abort("the specification was not fitted: call `fit()` on it", class = "unbuilt", fun = fun)
  spec$made
}

#' @rdname feature_spec
#' @export
dense_features <- function(spec) check_spec(spec)$dense_features()

#' @rdname feature_spec
#' @export
dataset_use_spec <- function(dataset, spec) {
  check_dataset(dataset)
  spec_features(check_spec(spec), "dataset_use_spec")
  x <- spec$x
  y <- spec$y
  columns <- record_columns(dataset)
  lost <- setdiff(c(x, y), columns$names)
  if (length(lost)) abort("`dataset` has no column ", encodeString(lost[1], quote = "\""),
    did_you_mean(lost[1], columns$names), class = "names")
  if (length(y)) dataset_prepare(dataset, x = !!x, y = !!y, named = FALSE, named_features = TRUE) else
    dataset_prepare(dataset, x = !!x, named = FALSE, named_features = TRUE)
}

# ---- scalers ----

#' Scale numeric columns
#'
#' For `normalizer_fn` of [step_numeric_column()]; `fit()` learns from the data. `scaler_standard()`: minus the mean,
#' and divided by the standard deviation (of n - 1). `scaler_min_max()`: the lowest number becomes 0, the highest 1. A
#' column that is the same everywhere becomes 0.
#'
#' @return A scaler.
#' @seealso [feature_spec()]
#' @examples
#' spec <- feature_spec(data.frame(a = c(1, 2, 6)), x = a) |>
#'   step_numeric_column(a, normalizer_fn = scaler_min_max()) |> fit()
#' layer_dense_features(list(a = c(1, 2, 6)), dense_features(spec))
#' @export
scaler_standard <- function() new_scaler("standard")

#' @rdname scaler_standard
#' @export
scaler_min_max <- function() new_scaler("min_max")

new_scaler <- function(kind, ...) structure(list(kind = kind, ...), class = "nn_scaler")
is_scaler <- function(x) inherits(x, "nn_scaler")

#' @export
in_words.nn_scaler <- function(x) paste0("`scaler_", x$kind, "()`")

#' Numbers of a column, and what they are: how many, mean and squares around it (Welford's, by batches), ends.
#' @noRd
learn_numbers <- function(state, x) {
  x <- as.double(x)
  if (!length(x)) return(state)
  if (anyNA(x)) abort("a scaler cannot learn from missing numbers", class = "nan", fun = "fit")
  n <- length(x)
  own <- list(n = n, mean = mean(x), squares = sum((x - mean(x))^2), min = min(x), max = max(x))
  if (!length(state)) return(own)
  all <- state$n + n
  apart <- own$mean - state$mean
  list(n = all, mean = state$mean + apart * n / all,
    squares = state$squares + own$squares + apart^2 * state$n * n / all, min = min(state$min, own$min),
    max = max(state$max, own$max))
}

fitted_scaler <- function(scaler, state) {
  if (!length(state)) abort("a scaler cannot learn from a data set without elements", fun = "fit")
  range <- if (scaler$kind == "standard") sqrt(state$squares / max(state$n - 1, 1)) else state$max - state$min
  new_scaler(scaler$kind, shift = if (scaler$kind == "standard") state$mean else state$min,
    scale = if (range > 0) range else 1)
}

# ---- steps ----

#' Steps of a feature specification
#'
#' Each adds feature columns to a specification of [feature_spec()], for the columns that are selected: by name, by
#' `-name`, by [all_numeric()] and its like, or by the names that the steps before gave. [feature_columns] tells
#' what the columns are.
#'
#' The names are those of the columns, with `indicator_`, `embedding_`, `bucketized_`, `crossed_` or `shared_` before
#' them; a single column may have another: `step_indicator_column(colours = colour)`. `step_remove_column()` takes
#' feature columns out again, which others may be made of.
#'
#' @param spec a specification.
#' @param ... columns. For `step_crossed_column()` each is several, such as `c(a, b)`.
#' @param shape,default_value,dtype,num_oov_buckets,vocabulary_file,vocabulary_size as for [feature_columns].
#' @param hash_bucket_size,num_buckets,hash_key as for [feature_columns].
#' @param boundaries,combiner,initializer,max_norm,ckpt_to_load_from,tensor_name_in_ckpt,trainable as for
#'   [feature_columns].
#' @param shared_embedding_collection_name a name for the rows that are shared, or `NULL`.
#' @param normalizer_fn a function of a tensor, [scaler_standard()] or [scaler_min_max()], or `NULL`.
#' @param vocabulary_list strings or whole numbers; `NULL` for those that are in the data, sorted.
#' @param dimension size of the embedding, or a function of the number of ids that gives it.
#' @return A new specification.
#' @section Errors: `nativenet_error_names` for columns that are not there.
#' @seealso [feature_spec()], [feature_columns]
#' @examples
#' rows <- data.frame(size = c(1, 2, 4), colour = c("red", "blue", "red"))
#' spec <- feature_spec(rows, x = c(size, colour)) |>
#'   step_numeric_column(size) |>
#'   step_bucketized_column(size, boundaries = c(2, 3)) |>
#'   step_categorical_column_with_vocabulary_list(colour) |>
#'   step_embedding_column(colour, dimension = 2) |>
#'   step_crossed_column(c(colour, bucketized_size), hash_bucket_size = 10) |>
#'   step_indicator_column(crossed_colour_bucketized_size) |>
#'   step_remove_column(size) |>
#'   fit()
#' names(dense_features(spec))
#' @name steps
NULL

#' Adds a step for each column.
#' @param prefix of its name. @param make,learn functions of a column's name that give those of the step.
#' @noRd
add_steps <- function(spec, dots, env, prefix, dense, make, learn = NULL, fun = calling_function()) {
  spec <- copy_spec(check_spec(spec, fun))
  columns <- spec_columns(spec)
  given <- if (is.null(names(dots))) rep("", length(dots)) else names(dots)
  if (!length(dots)) abort("`...` must select at least one column", fun = fun)
  add <- function(column, name) {
    step <- list(column = column, dense = dense, make = make(column), learn = if (!is.null(learn)) learn(column))
    with_step(spec, name, step, fun)
  }
  plain <- select_columns(dots[given == ""], columns, env, fun)
  for (column in plain) add(column, paste0(prefix, column))
  for (name in which(given != "")) {
    column <- select_columns(dots[name], columns, env, fun)
    if (length(column) != 1) abort("`", given[name], "` must be one column, not ", length(column),
      "; names are for single ones", fun = fun)
    add(column, given[name])
  }
  spec
}

#' A specification with one step more. What the step will make when data are there is tried without, so that its
#' arguments are checked where they are given: `make()` has the third argument TRUE then, and no state.
#' @noRd
with_step <- function(spec, name, step, fun) {
  spec$steps[[name]] <- NULL # the later one counts, and comes later
  spec$steps[[name]] <- step
  made <- tryCatch(step$make(spec$tried, NULL, TRUE), nativenet_error = function(e) {
    abort(error_text(e), class = error_kind(e), fun = fun)
  })
  made <- made_columns(made, name)
  spec$tried[names(made)] <- made
  spec
}

#' The feature column that a step before made.
#' @noRd
made_before <- function(features, column, step, fun) {
  if (is.null(features[[column]])) abort("column \"", column, "\" has no feature column yet: `", step, "()` before it ",
    "makes one", class = "names", fun = fun)
  features[[column]]
}

holds_strings <- function(spec, column) identical(unname(spec$columns$types[column]), "string")

#' @rdname steps
#' @export
step_numeric_column <- function(spec, ..., shape = 1L, default_value = NULL, dtype = "float32", normalizer_fn = NULL) {
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "", TRUE, function(column) {
    function(features, state, trial) numeric_column(column, shape, default_value, dtype,
      if (is_scaler(normalizer_fn) && !trial) fitted_scaler(normalizer_fn, state) else normalizer_fn)
  }, if (is_scaler(normalizer_fn)) function(column) learn_numbers)
}

#' @rdname steps
#' @export
step_categorical_column_with_vocabulary_list <- function(spec, ..., vocabulary_list = NULL, dtype = NULL,
  default_value = -1L, num_oov_buckets = 0L) {
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "", FALSE, function(column) {
    function(features, state, trial) {
      if (trial && is.null(vocabulary_list)) {
        state <- list(if (holds_strings(spec, column)) "" else 0L)
        # how many words there will be is not known
        if (is_number(default_value) && default_value == trunc(default_value)) default_value <- min(default_value, 0)
      }
      words <- if (is.null(vocabulary_list)) sort(unlist(state), method = "radix") else vocabulary_list
      if (is.null(words)) abort("column \"", column, "\" has no values for a vocabulary", fun = "fit")
      categorical_column_with_vocabulary_list(column, words, dtype, default_value, num_oov_buckets)
    }
  }, if (is.null(vocabulary_list)) function(column) function(state, x) list(unique(c(unlist(state), x))))
}

#' @rdname steps
#' @export
step_categorical_column_with_vocabulary_file <- function(spec, ..., vocabulary_file, vocabulary_size = NULL,
  dtype = "string", default_value = NULL, num_oov_buckets = 0L) {
  check_given(missing(vocabulary_file), "vocabulary_file")
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "", FALSE, function(column) {
    function(features, state, trial) categorical_column_with_vocabulary_file(column, vocabulary_file, vocabulary_size,
      dtype, default_value, num_oov_buckets)
  })
}

#' @rdname steps
#' @export
step_categorical_column_with_hash_bucket <- function(spec, ..., hash_bucket_size, dtype = "string") {
  check_given(missing(hash_bucket_size), "hash_bucket_size")
  check_column_dtype(dtype)
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "", FALSE, function(column) {
    function(features, state, trial) categorical_column_with_hash_bucket(column, hash_bucket_size,
      if (holds_strings(spec, column)) "string" else "int64")
  })
}

#' @rdname steps
#' @export
step_categorical_column_with_identity <- function(spec, ..., num_buckets, default_value = NULL) {
  check_given(missing(num_buckets), "num_buckets")
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "", FALSE, function(column) {
    function(features, state, trial) categorical_column_with_identity(column, num_buckets, default_value)
  })
}

#' @rdname steps
#' @export
step_indicator_column <- function(spec, ...) {
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "indicator_", TRUE, function(column) {
    function(features, state, trial) indicator_column(made_before(features, column,
      "step_categorical_column_with_vocabulary_list", "step_indicator_column"))
  })
}

#' A number, or a function of how many ids there are, which is not known in a trial.
#' @noRd
embedding_size <- function(dimension, source, trial) {
  if (!is.function(dimension)) dimension else if (trial) 1 else dimension(column_depth(source))
}

#' @rdname steps
#' @export
step_embedding_column <- function(spec, ..., dimension = function(x) as.integer(x^0.25), combiner = "mean",
  initializer = NULL, ckpt_to_load_from = NULL, tensor_name_in_ckpt = NULL, max_norm = NULL, trainable = TRUE) {
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "embedding_", TRUE, function(column) {
    function(features, state, trial) {
      source <- made_before(features, column, "step_categorical_column_with_vocabulary_list", "step_embedding_column")
      check_categorical(source, "...", "step_embedding_column")
      embedding_column(source, embedding_size(dimension, source, trial), combiner, initializer, ckpt_to_load_from,
        tensor_name_in_ckpt, max_norm, trainable)
    }
  })
}

#' @rdname steps
#' @export
step_bucketized_column <- function(spec, ..., boundaries) {
  check_given(missing(boundaries), "boundaries")
  add_steps(spec, as.list(substitute(list(...)))[-1], parent.frame(), "bucketized_", TRUE, function(column) {
    function(features, state, trial) bucketized_column(made_before(features, column, "step_numeric_column",
      "step_bucketized_column"), boundaries)
  })
}

#' Several columns that become one step or one group of columns.
#' @noRd
add_group <- function(spec, groups, env, prefix, dense, make, fun = calling_function()) {
  spec <- copy_spec(check_spec(spec, fun))
  if (!length(groups)) abort("`...` must select columns", fun = fun)
  given <- if (is.null(names(groups))) rep("", length(groups)) else names(groups)
  for (k in seq_along(groups)) {
    chosen <- select_columns(groups[k], spec_columns(spec), env, fun)
    if (length(chosen) < 2) abort("each of `...` must be at least two columns, such as `c(a, b)`, not ", length(chosen),
      fun = fun)
    name <- if (nzchar(given[k])) given[k] else paste0(prefix, paste(chosen, collapse = "_"))
    with_step(spec, name, list(column = chosen, dense = dense, make = make(chosen, name)), fun)
  }
  spec
}

#' @rdname steps
#' @export
step_crossed_column <- function(spec, ..., hash_bucket_size, hash_key = NULL) {
  check_given(missing(hash_bucket_size), "hash_bucket_size")
  add_group(spec, as.list(substitute(list(...)))[-1], parent.frame(), "crossed_", FALSE, function(columns, name) {
    function(features, state, trial) crossed_column(lapply(columns, function(column) {
      if (is.null(features[[column]])) column else features[[column]]
    }), hash_bucket_size, hash_key)
  })
}

#' @rdname steps
#' @export
step_shared_embeddings_column <- function(spec, ..., dimension, combiner = "mean", initializer = NULL,
  shared_embedding_collection_name = NULL, ckpt_to_load_from = NULL, tensor_name_in_ckpt = NULL, max_norm = NULL,
  trainable = TRUE) {
  check_given(missing(dimension), "dimension")
  groups <- as.list(substitute(list(...)))[-1]
  # step_shared_embeddings_column(a, b) means one group
  if (length(groups) > 1 && is.null(names(groups)) && all(vapply(groups, is.name, NA))) groups <- list(as.call(c(
    quote(c), groups)))
  add_group(spec, groups, parent.frame(), "shared_", TRUE, function(columns, name) {
    function(features, state, trial) {
      sources <- lapply(columns, made_before, features = features,
        step = "step_categorical_column_with_vocabulary_list", fun = "step_shared_embeddings_column")
      made <- function(sources) shared_embeddings(sources, embedding_size(dimension, sources[[1]], trial), combiner,
        initializer, shared_embedding_collection_name, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable)
      # in a trial it is not known whether they have as many ids as each other
      made <- if (trial) unlist(lapply(sources, function(x) made(list(x))), recursive = FALSE) else made(sources)
      stats::setNames(made, paste0(name, "_", columns))
    }
  })
}

#' @rdname steps
#' @export
step_remove_column <- function(spec, ...) {
  spec <- copy_spec(check_spec(spec))
  chosen <- select_columns(as.list(substitute(list(...)))[-1], spec_columns(spec), parent.frame())
  unknown <- setdiff(chosen, names(spec$steps))
  if (length(unknown)) abort("column \"", unknown[1], "\" has no feature column to remove", class = "names")
  spec$removed <- c(spec$removed, chosen)
  spec
}
