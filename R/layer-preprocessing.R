# Layers that prepare numbers for others, and adapt(), by which layers learn from data before training. Types whose
# layers do have
#
#   adapt(self, state, batch)   what is known after one more batch, an R array; NULL before the first
#   adapted(self, state)        keeps what was learned
#
# or, of several layers at once, learn(self, data, batch_size, steps, fun).

#' Fit the state of a preprocessing layer to data
#'
#' Some layers learn from data before the training of a model: [layer_normalization()] means and variances,
#' [layer_discretization()] the boundaries of its bins, [layer_text_vectorization()], [layer_string_lookup()] and
#' [layer_integer_lookup()] their vocabularies; [layer_feature_space()] what its features need. `layer$adapt(data)` is
#' the same.
#'
#' A call forgets what calls before have learned. A model that holds the layer works with what was learned last.
#'
#' @param object a layer.
#' @param data what the layer is to be called on: an array of numbers or strings, or a data set of batches; for
#'   [layer_feature_space()] also a named list or a data frame.
#' @param ... not used: other arguments are refused.
#' @param batch_size how many rows of an array to look at once; `NULL` for all of them.
#' @param steps how many batches to look at; `NULL` for all.
#' @return The layer, changed in place, invisibly.
#' @examples
#' normalize <- layer_normalization()
#' adapt(normalize, matrix(c(0, 2, 0, 2, 7, 9, 7, 9), 4))
#' as.array(normalize(matrix(c(0, 7), 1))) # -1 -1
#' @export
adapt <- function(object, data, ..., batch_size = NULL, steps = NULL) {
  check_no_more(list(...), of = adapt)
  adapt_layer(object, data, batch_size, steps, "adapt")
}

adapt_layer <- function(object, data, batch_size = NULL, steps = NULL, fun) {
  type <- if (is_layer(object)) layer_type(layer_self(object))
  if (is.null(type$adapt) && is.null(type$learn)) {
    abort("`object` must be a layer that learns from data, such as `layer_normalization()`, not ", describe(object),
      fun = fun)
  }
  self <- layer_self(object)
  if (!is.null(batch_size)) batch_size <- check_count(batch_size, fun = fun)
  steps <- if (is.null(steps)) Inf else check_count(steps, fun = fun)
  check_given(missing(data), "data", fun)
  if (!is.null(type$learn)) {
    type$learn(self, data, batch_size, steps, fun)
    return(invisible(object))
  }
  if (!is_dataset(data) && !is_tensor(data)) data <- adapt_data(type, data, fun)
  pull <- adapt_batches(data, batch_size, is.finite(steps))
  state <- NULL
  while (steps > 0 && !is.null(batch <- pull())) {
    steps <- steps - 1
    state <- type$adapt(self, state, batch_values(self, batch))
  }
  if (is.null(state)) abort("`data` must not be empty", fun = fun)
  type$adapted(self, state)
  forget_programs()
  invisible(object)
}

#' What programs have from layers that learn may be another from now on.
#' @noRd
forget_programs <- function() session$adapted <- new.env(parent = emptyenv())

#' The members that layers have beside adapt() and its like.
#' @noRd
adapt_members <- list(adapt = function(self) function(data, batch_size = NULL, steps = NULL)
  adapt_layer(as_layer(self), data, batch_size, steps, self$name))

adapts_to_strings <- function(type) identical(type$input_dtype, "string")

adapt_data <- function(type, data, fun) {
  if (adapts_to_strings(type)) return(as_strings(data, "data", fun))
  if (is.data.frame(data)) as_number_matrix(data, "data", fun) else data
}

#' A function that gives the next batch, or NULL at the end.
#' @noRd
adapt_batches <- function(data, batch_size, stepwise) UseMethod("adapt_batches")

#' @export
adapt_batches.default <- function(data, batch_size, stepwise) {
  if (is_tensor(data)) data <- as.array(data)
  if (!is.atomic(data)) abort("`data` must be an array or a data set of batches, not ", describe(data), fun = "adapt")
  n <- NROW(data)
  size <- if (!is.null(batch_size)) batch_size else if (stepwise) 32 else n
  from <- 1
  function() {
    if (from > n) return(NULL)
    rows <- from:min(n, from + size - 1)
    from <<- from + size
    if (length(rows) == n) return(data)
    if (is.null(dim(data))) return(data[rows])
    array(matrix(data, n)[rows, , drop = FALSE], c(length(rows), dim(data)[-1]))
  }
}

#' A batch as an array of numbers or strings.
#' @noRd
batch_values <- function(self, batch) {
  if (is_branch(batch)) abort("`data` must have one tensor in each batch, not ", describe(batch), "; `dataset_map()` ",
    "picks one", fun = self$name)
  if (adapts_to_strings(layer_type(self))) return(as_strings(batch, "data", self$name))
  if (is_tensor(batch)) batch <- as.array(batch)
  batch <- check_numbers(batch, "data", self$name)
  if (anyNA(batch) || !all(is.finite(batch))) abort("`data` must be finite numbers, without NA", fun = self$name)
  if (is.null(dim(batch))) array(batch, length(batch)) else batch
}

# ---- numbers ----

#' Rescaling layer
#'
#' \deqn{y = x \cdot \mathrm{scale} + \mathrm{offset}}{y = x scale + offset}
#' With `scale = 1 / 255` pictures lie in 0 .. 1, with `scale = 1 / 127.5, offset = -1` in -1 .. 1.
#'
#' @inheritParams layer_activation
#' @param scale,offset numbers, or a number for each feature (the last axis).
#' @inherit layer_activation return
#' @seealso [layer_normalization()]
#' @examples
#' layer_rescaling(matrix(c(0, 51, 255), 1), scale = 1 / 255)
#' # digits as they come, in 0 .. 255
#' digits <- dataset_digits(200)
#' model <- keras_model_sequential(input_shape = c(28, 28)) |>
#'   layer_rescaling(scale = 1 / 255) |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, optimizer_adam(0.01), "sparse_categorical_crossentropy", metrics = "accuracy")
#' history <- fit(model, digits$train$x, digits$train$y, epochs = 8, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_rescaling <- function(object, scale, offset = 0, ...) new_layer("rescaling", object,
  list(scale = check_features_numbers(scale), offset = check_features_numbers(offset)), ...)

check_features_numbers <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  x <- check_reals(x, arg, fun)
  if (!length(x)) abort("`", arg, "` must hold at least one number", fun = fun)
  as.vector(x)
}

rescaling_type <- list(
  class_name = "Rescaling",
  call = function(self, x) {
    x <- whole_as_floats(self, x)
    op_add(op_multiply(x, along_features(self, x, "scale")), along_features(self, x, "offset"))
  },
  mask = TRUE
)

along_features <- function(self, x, arg) {
  value <- self$config[[arg]]
  n <- shape_of(x)[rank_of(x)]
  if (length(value) > 1 && !identical(as.integer(n), length(value))) abort("`", arg, "` must be a number, or one for ",
    "each of the features of an input of shape ", input_shape_text(x), ", not have ", length(value), class = "shape",
    fun = self$name)
  tensor(if (length(value) > 1) array(value, length(value)) else value, tensor_dtype(x))
}

#' Normalization layer
#'
#' Shifts and scales features to a mean of 0 and a standard deviation of 1:
#' \deqn{y = \frac{x - \mathrm{mean}}{\max(\sqrt{\mathrm{variance}}, 10^{-7})}}{
#' y = (x - mean) / max(sqrt(variance), 1e-7)}
#' Mean and variance (that of a population, divided by n) are given, or learned by [adapt()]. Until then they are 0 and
#' 1.
#'
#' Weights, unless `mean` and `variance` are given: mean, variance and count, which training does not change.
#'
#' @inheritParams layer_activation
#' @param axis the axes that keep a mean and a variance of each index, counted from 0, which is the batch; negative ones
#'   from the end. `NULL` for one mean and variance of all numbers.
#' @param mean,variance numbers, for all or for each index.
#' @param invert `TRUE` to turn normalized numbers back:
#'   \eqn{y = \mathrm{mean} + x \max(\sqrt{\mathrm{variance}}, 10^{-7})}{y = mean + x max(sqrt(variance), 1e-7)}.
#' @inherit layer_activation return
#' @seealso [adapt()], [layer_rescaling()]
#' @examples
#' x <- as.matrix(iris[1:4])
#' normalize <- layer_normalization(name = "normalize")
#' adapt(normalize, x)
#' model <- keras_model_sequential(input_shape = 4) |> normalize() |>
#'   layer_dense(3, activation = "softmax")
#' round(colMeans(as.array(normalize(x))), 3)
#' @export
layer_normalization <- function(object, axis = -1L, mean = NULL, variance = NULL, invert = FALSE, ...) {
  if (!is.null(axis)) axis <- as.integer(check_whole(axis))
  if (is.null(mean) != is.null(variance)) abort("`mean` and `variance` must be given together")
  if (!is.null(mean)) {
    mean <- check_features_numbers(mean)
    variance <- check_features_numbers(variance)
    if (any(variance < 0)) abort("`variance` must not be negative")
  }
  new_layer("normalization", object, list(axis = axis, mean = mean, variance = variance, invert = check_flag(invert)),
    ...)
}

#' The axes that are kept, from 1, and the shape in which their mean meets the input.
#' @noRd
normalization_shape <- function(self, shape) {
  rank <- length(shape)
  axis <- self$config$axis
  if (any(axis < -rank | axis >= rank)) {
    abort("`axis` must lie in 0 .. ", rank - 1, " or -", rank, " .. -1 for an input of shape ",
      format_keras_shape(shape), ", not be ", axis[axis < -rank | axis >= rank][1], fun = self$name)
  }
  kept <- sort(unique(ifelse(axis < 0, axis + rank, axis) + 1))
  if (anyNA(shape[kept])) abort("needs to know the sizes of the axes that it keeps, but its input has the shape ",
    format_keras_shape(shape), class = "shape", fun = self$name)
  list(kept = kept, size = shape[kept], broadcast = replace(rep(1, rank), kept, shape[kept]))
}

normalization_type <- list(
  class_name = "Normalization",
  build = function(self, shape) {
    size <- normalization_shape(self, shape)$size
    if (!is.null(self$config$mean)) {
      for (arg in c("mean", "variance")) if (!length(self$config[[arg]]) %in% c(1, prod(size))) {
        abort("`", arg, "` must have one number, or ", prod(size), " for an input of shape ",
          format_keras_shape(shape), ", not ", length(self$config[[arg]]), class = "shape", fun = self$name)
      }
      return()
    }
    add_weight(self, "mean", size, "zeros", trainable = FALSE)
    add_weight(self, "variance", size, "ones", trainable = FALSE)
    add_weight(self, "count", integer(), "zeros", trainable = FALSE, dtype = "int64")
  },
  call = function(self, x) {
    x <- whole_as_floats(self, x)
    shape <- normalization_shape(self, shape_of(x))
    one <- function(k, arg) {
      given <- self$config[[arg]]
      if (length(given) == 1) return(tensor(given, tensor_dtype(x)))
      if (is.null(given) && !same_sizes(dim(self$weights[[k]]), shape$size)) {
        abort("keeps means of shape ", format_shape(dim(self$weights[[k]])), ", which an input of shape ",
          input_shape_text(x), " does not have", class = "shape", fun = self$name)
      }
      op_reshape(if (is.null(given)) op_cast(self$weights[[k]], tensor_dtype(x)) else
        tensor(array(given, length(given)), tensor_dtype(x)), shape$broadcast)
    }
    mean <- one(1, "mean")
    deviation <- op_maximum(op_sqrt(one(2, "variance")), 1e-7)
    if (self$config$invert) op_add(mean, op_multiply(x, deviation)) else op_divide(op_subtract(x, mean), deviation)
  },
  mask = TRUE,
  members = c(adapt_members, list(
    mean = function(self) if (is.null(self$config$mean) && self$built) self$weights[[1]] else self$config$mean,
    variance = function(self) if (is.null(self$config$mean) && self$built) self$weights[[2]] else self$config$variance
  )),
  adapt = function(self, state, batch) {
    if (!is.null(self$config$mean)) abort("was given `mean` and `variance`, and learns nothing", fun = self$name)
    if (!length(batch)) return(state)
    if (!self$built) build_layer(self, c(NA, dim(batch)[-1]))
    shape <- normalization_shape(self, dim(batch))
    if (!same_sizes(dim(self$weights[[1]]), shape$size)) abort("`data` must have the sizes ",
      format_shape(dim(self$weights[[1]])), " on the axes that it keeps, not ", format_shape(shape$size),
      class = "shape", fun = self$name)
    # groups of numbers as rows: sums of squares around the mean, which two batches add by Chan's formula
    rows <- matrix(aperm(batch, c(shape$kept, setdiff(seq_along(dim(batch)), shape$kept))), max(1, prod(shape$size)))
    n <- ncol(rows)
    mean <- rowMeans(rows)
    mean <- mean + rowMeans(rows - mean)
    new <- list(n = n, mean = mean, squares = rowSums((rows - mean)^2))
    if (is.null(state)) return(new)
    all <- state$n + n
    apart <- new$mean - state$mean
    list(n = all, mean = state$mean + apart * n / all,
      squares = state$squares + new$squares + apart^2 * state$n * n / all)
  },
  adapted = function(self, state) {
    values <- list(state$mean, state$squares / state$n, state$n)
    for (k in 1:3) {
      weight <- self$weights[[k]]
      variable_assign(weight, tensor(if (length(dim(weight))) array(values[[k]], dim(weight)) else values[[k]],
        tensor_dtype(weight)))
    }
  }
)

# ---- classes ----

category_modes <- c("one_hot", "multi_hot", "count")

#' Category encoding layer
#'
#' Whole numbers from 0 as columns of zeros and ones. For `num_tokens = 4` the sample (0, 1, 1) becomes
#'
#' * `"multi_hot"`: (1, 1, 0, 0), which numbers there are
#' * `"count"`: (1, 2, 0, 0), how many there are of each
#' * `"one_hot"`: a row of 0 and 1 for each of its numbers; samples of one number give a row each.
#'
#' Shapes: input (batch, n), output (batch, `num_tokens`); of `"one_hot"`, for n above 1, (batch, n, `num_tokens`).
#'
#' @inheritParams layer_activation
#' @param num_tokens how many classes there are.
#' @param output_mode `"one_hot"`, `"multi_hot"` or `"count"`.
#' @param sparse must be `FALSE`; present for compatibility with Keras.
#' @inherit layer_activation return
#' @section Calls: with `count_weights`, an array of the input's shape, `"count"` adds these up: `layer(x, count_weights
#'   = w)`.
#' @section Errors: `nativenet_error_index` for numbers outside 0 .. `num_tokens` - 1.
#' @seealso [to_categorical()] for R vectors, [layer_embedding()], [layer_string_lookup()]
#' @examples
#' layer_category_encoding(matrix(c(0, 1, 3), 3), num_tokens = 4, output_mode = "one_hot")
#' layer_category_encoding(rbind(c(0, 1), c(3, 3)), num_tokens = 4, output_mode = "count")
#' # a number for each of four classes
#' class <- sample(0:3, 200, TRUE)
#' model <- keras_model_sequential(input_shape = 1, input_dtype = "int32") |>
#'   layer_category_encoding(num_tokens = 4, output_mode = "one_hot") |>
#'   layer_dense(1, use_bias = FALSE)
#' compile(model, optimizer_adam(0.1), "mse")
#' fit(model, class, c(1, -1, 3, 0.5)[class + 1] + rnorm(200, sd = 0.1), epochs = 20, verbose = 0)
#' c(as.array(model$layers[[2]]$kernel))
#' @export
layer_category_encoding <- function(object, num_tokens = NULL, output_mode = "multi_hot", sparse = FALSE, ...) {
  check_given(is.null(num_tokens), "num_tokens")
  new_layer("category_encoding", object, list(num_tokens = check_count(num_tokens),
    output_mode = check_choice(output_mode, category_modes), sparse = check_not_sparse(sparse)), ...)
}

check_not_sparse <- function(sparse, fun = calling_function()) {
  if (check_flag(sparse, fun = fun)) abort("`sparse` must be FALSE: there are no sparse tensors", fun = fun)
  sparse
}

category_encoding_type <- list(
  class_name = "CategoryEncoding",
  input_dtype = "int32",
  call = function(self, x, count_weights = NULL, ...) {
    check_no_more(list(...), fun = self$name)
    config <- self$config
    if (!is.null(count_weights)) {
      if (config$output_mode != "count") abort("`count_weights` are for `output_mode = \"count\"`, not \"",
        config$output_mode, "\"", fun = self$name)
      count_weights <- tensor(count_weights, self$dtype)
      if (!same_sizes(dim(count_weights), shape_of(x))) abort("`count_weights` must have the shape ",
        format_shape(shape_of(x)), " of the input, not ", format_shape(dim(count_weights)), class = "shape",
        fun = self$name)
    }
    encode_classes(self, op_cast(x, "int32"), config$output_mode, config$num_tokens, count_weights)
  }
)

#' Classes as zeros and ones, or counts.
#' @param x whole numbers from 0.
#' @noRd
encode_classes <- function(self, x, mode, depth, weights = NULL) {
  if (mode == "int") return(x)
  if (!rank_of(x)) x <- op_expand_dims(x, 1)
  shape <- shape_of(x)
  n <- shape[length(shape)]
  if (mode == "one_hot") {
    if (length(shape) > 1 && n == 1) x <- op_squeeze(x, length(shape))
    return(op_multiply(op_one_hot(x, depth, dtype = self$dtype, zero_indexed = TRUE),
      op_expand_dims(valid_classes(self, x, depth), -1)))
  }
  # each sample counts in its part of one long vector
  valid <- valid_classes(self, x, depth)
  rows <- op_reshape(x, c(-1, n))
  ones <- row_ones(op_cast(rows, self$dtype))
  zeros <- op_multiply(ones, array(0, c(1, depth)))
  begins <- op_multiply(op_subtract(op_cumsum(op_cast(ones, "int32"), 1), 1L), as.integer(depth))
  counts <- op_scatter_add(op_reshape(zeros, -1), op_reshape(op_add(rows, begins), -1),
    op_reshape(if (is.null(weights)) valid else op_multiply(valid, weights), -1))
  if (mode == "multi_hot") counts <- op_minimum(counts, 1)
  op_reshape(counts, if (length(shape) == 1) depth else c(-1, shape[-c(1, length(shape))], depth))
}

#' 1 for each class; other numbers are an error.
#' @noRd
valid_classes <- function(self, x, depth) op_gather(tensor(array(1, depth), self$dtype), x)

#' Discretization layer
#'
#' The number of the bin in which each number lies, from 0. Boundaries 0, 1 and 2 make the bins below 0, from 0 to below
#' 1, from 1 to below 2, and from 2 on.
#'
#' @inheritParams layer_activation
#' @param bin_boundaries increasing numbers; or `NULL`, and [adapt()] finds boundaries with about as much data in each
#'   bin.
#' @param num_bins how many bins `adapt()` is to make.
#' @param epsilon how exactly: data are represented by `1 / epsilon` of their quantiles.
#' @param output_mode `"int"` for numbers of bins, otherwise as for [layer_category_encoding()].
#' @param sparse must be `FALSE`; present for compatibility with Keras.
#' @inherit layer_activation return
#' @seealso [adapt()], [layer_category_encoding()]
#' @examples
#' x <- rbind(c(-1.5, 1, 3.4, 0.5), c(0, 3, 1.3, 0))
#' as.array(layer_discretization(x, bin_boundaries = c(0, 1, 2)))
#' quartiles <- layer_discretization(num_bins = 4)
#' adapt(quartiles, x)
#' as.array(quartiles(x))
#' @export
layer_discretization <- function(object, bin_boundaries = NULL, num_bins = NULL, epsilon = 0.01, output_mode = "int",
  sparse = FALSE, ...) {
  if (is.null(bin_boundaries) && is.null(num_bins)) abort("`bin_boundaries` or `num_bins` must be given")
  if (!is.null(bin_boundaries)) {
    bin_boundaries <- check_reals(bin_boundaries)
    if (!length(bin_boundaries) || is.unsorted(bin_boundaries, strictly = TRUE)) {
      abort("`bin_boundaries` must be increasing numbers, not ", describe(bin_boundaries))
    }
  }
  if (!is.null(num_bins)) num_bins <- check_count(num_bins)
  new_layer("discretization", object, list(bin_boundaries = bin_boundaries, num_bins = num_bins,
    epsilon = check_number(epsilon, above = 0, below = 1),
    output_mode = check_choice(output_mode, c("int", category_modes)), sparse = check_not_sparse(sparse)), ...)
}

discretization_type <- list(
  class_name = "Discretization",
  call = function(self, x) {
    bounds <- self$config$bin_boundaries
    if (is.null(bounds)) abort("knows no boundaries yet: `adapt()` it first", class = "unbuilt", fun = self$name)
    x <- op_expand_dims(whole_as_floats(self, x), -1)
    below <- op_sum(op_cast(op_less(x, array(bounds, length(bounds))), "int32"), -1)
    bin <- op_subtract(length(bounds), below) # NaN lies in the last one, as in TensorFlow and NumPy
    encode_classes(self, bin, self$config$output_mode, length(bounds) + 1)
  },
  members = adapt_members,
  adapt = function(self, state, batch) {
    if (is.null(self$config$num_bins)) abort("was given `bin_boundaries`, and learns nothing", fun = self$name)
    if (!length(batch)) return(state)
    # as Keras does: quantiles of each batch, merged
    new <- quantile_summary(sort(as.vector(batch)), self$config$epsilon)
    both <- rbind(new, state)
    compress_summary(both[order(both[, 1]), , drop = FALSE], self$config$epsilon)
  },
  adapted = function(self, state) {
    bounds <- utils::head(compress_summary(state, 1 / self$config$num_bins)[, 1], -1)
    keep_size(self, length(bounds), length(self$config$bin_boundaries))
    self$config$bin_boundaries <- bounds
  }
)

#' What depends on a size that has changed was made for the one before.
#' @noRd
keep_size <- function(self, new, old) {
  if (!self$built || old == 0 || self$config$output_mode == "int" || new == old) return()
  abort("was called already, and has learned another number of classes since; make a new layer", class = "shape",
    fun = self$name)
}

#' Values of sorted data at equal distances, and how many numbers each stands for: one row each.
#' @noRd
quantile_summary <- function(values, epsilon) {
  increment <- floor(length(values) * epsilon)
  step <- max(1, increment)
  at <- seq(increment + 1, length(values), by = step)
  cbind(values[at], step)
}

#' As many values as the precision asks for, by interpolation of the cumulative weights.
#' @noRd
compress_summary <- function(summary, epsilon) {
  if (nrow(summary) * epsilon < 1) return(summary)
  share <- epsilon + seq(0, by = epsilon, length.out = ceiling(1 / epsilon - 1e-9))
  sums <- cumsum(summary[, 2])
  to <- function(y) if (nrow(summary) == 1) rep(y, length(share)) else
    stats::approx(sums / sums[length(sums)], y, share, rule = 2, ties = "ordered")$y
  cbind(to(summary[, 1]), diff(c(0, to(sums))))
}
