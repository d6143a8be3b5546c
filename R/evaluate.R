# Evaluation, prediction, single batches; and where the data of all these come from.

# ---- sources: rows of arrays, or batches that a data set or function gives ----

is_stream <- function(x) is_dataset(x) || is.function(x) && !is_layer(x)

#' @param steps,steps_arg how many batches of a stream, and what the user calls that.
#' @param known what columns and levels are called, if that is not what the model knows.
#' @noRd
data_source <- function(self, x, y, batch_size, sample_weight, class_weight, steps, fun, steps_arg = "steps",
  known = NULL) {
  if (is_stream(x)) {
    if (!is.null(sample_weight)) abort(
      "`sample_weight` must not be given beside a data set, whose elements may be (x, y, weights)", fun = fun)
    return(stream_source(self, x, y, batch_size, class_weight, steps, fun, steps_arg))
  }
  if (!is.null(steps)) steps <- check_count(steps, arg = steps_arg, fun = fun)
  if (steps_arg == "steps_per_epoch") steps <- NULL # see epoch_source()
  if (is.null(x)) abort("`x` must be given", fun = fun)
  batch <- if (is.null(batch_size)) 32L else check_count(batch_size, fun = fun)
  if (has_own_steps(self)) return(array_source(own_data(self, x, y, sample_weight, fun, class_weight), batch, steps))
  if (is.environment(x) && !is_tensor(x)) abort("`x` must be arrays, a data set or a generator, which is a function ",
    "without arguments that gives a batch each time, not ", describe(x), fun = fun) # iterators, `__getitem__` of R6
  build_for(self, x, fun)
  if (is.null(y) && needs_targets(self)) abort("`y` must be given", fun = fun)
  if (is.null(y) && !is.null(c(sample_weight, class_weight))) abort("weights of samples need `y`", fun = fun)
  array_source(model_data(self, x, y, sample_weight, class_weight, fun, if (is.null(known)) data_names(self) else
    known), batch, steps)
}

#' @param steps how many batches, the first ones; NULL for all.
#' @noRd
array_source <- function(data, batch, steps = NULL) {
  if (!is.null(steps)) data <- data_rows(data, 1, min(data$rows, steps * batch))
  list(data = data, rows = data$rows, batch = min(batch, data$rows), steps = ceiling(data$rows / batch))
}

#' What fit() trains on: a source, or with `steps` and arrays the batches of one pass after the other, in epochs of that
#' many.
#' @param mode whether samples (1) or batches (2) are shuffled before each pass.
#' @noRd
epoch_source <- function(self, source, steps, mode, strategy, fun) {
  if (is.null(steps) || is.null(source$data)) return(source)
  if (!is.null(strategy)) abort("`steps_per_epoch` is for data sets and functions under a strategy", fun = fun)
  data <- source$data
  columns <- lapply(data$columns, column_tensor)
  n <- data$rows
  batches <- list()
  next_rows <- function() {
    if (!length(batches)) {
      order <- if (mode == 1) sample.int(n) else seq_len(n)
      batches <<- unname(split(order, (seq_len(n) - 1) %/% source$batch))
      if (mode == 2) batches <<- batches[sample.int(length(batches))]
    }
    rows <- batches[[1]]
    batches[[1]] <<- NULL
    rows
  }
  stream_source(self, next_rows, NULL, NULL, NULL, steps, fun, "steps_per_epoch", read = function(rows) {
    at <- array(as.integer(data$first + rows - 1), length(rows))
    data$columns <- unrecorded(lapply(columns, op_gather, at, 1))
    data$first <- 0
    data$rows <- length(rows)
    data$own <- NULL
    data
  })
}

#' @param read what model_data() makes of an element.
#' @noRd
stream_source <- function(self, x, y, batch_size, class_weight, steps, fun, steps_arg,
  read = function(element) batch_data(self, element, class_weight, fun)) {
  if (!is.null(y)) abort("`y` must not be given beside a data set, whose elements are (x, y)", fun = fun)
  if (!is.null(batch_size) && (is_dataset(x) || is_generator(x)))
    abort("`batch_size` must not be given for a ", if (is_dataset(x)) "data set" else "generator",
      ", whose elements are batches", fun = fun)
  size <- stream_length(x)
  if (!is.null(steps)) steps <- check_count(steps, arg = steps_arg, fun = fun)
  else if (is_generator(x)) steps <- size
  if (is.null(steps) && is.infinite(size)) abort("`", steps_arg, "` must be given for data without end", fun = fun)
  source <- new.env(parent = emptyenv())
  source$next_batch <- NULL
  source$start <- function() {
    next_batch <- open_stream(x)
    source$batches <- attr(next_batch, "batches")
    next_batch
  }
  source$fun <- fun
  source$check <- NULL # of the first batch
  source$read <- function(element) {
    data <- c(read(with_columns(element, x)), passing = TRUE)
    if (!is.null(source$check)) source$check(data)
    source$check <- NULL
    if (is.null(source$native)) source$native <- if (is.null(class_weight)) native_batches(self, element, data,
      source$batches) else FALSE
    data
  }
  source$endless <- is.infinite(size)
  source$steps <- if (!is.null(steps)) steps else if (is.na(size)) NULL else size
  source$limit <- if (is.null(steps)) Inf else steps
  source$most <- most_native
  source$batch <- NULL
  source$rows <- NULL
  source
}

#' An element of a data set or what a generator gave: (x, y) or (x, y, weights).
#' @noRd
batch_data <- function(self, element, class_weight, fun) {
  if (has_own_steps(self)) return(own_columns(self, weighted_batch(element, class_weight, fun), fun))
  pair <- is_branch(element) && length(element) %in% 2:3
  if (!pair && !needs_targets(self)) {
    if (is_branch(element) && length(self$inputs) == 1) element <- element[[1]]
    build_for(self, element, fun)
    return(model_data(self, element, fun = fun))
  }
  if (!pair) {
    abort("`x` must give batches of (x, y) or (x, y, weights), not ", describe(element), fun = fun)
  }
  build_for(self, element[[1]], fun)
  model_data(self, element[[1]], element[[2]], if (length(element) == 3) element[[3]], class_weight, fun)
}

#' Call f(data, batch) for each block of rows: once for arrays, once per batch of a stream. f gives FALSE to stop.
#' @param native may the engine take batches by itself, many at once?
#' @noRd
each_block <- function(source, run, f, native = FALSE) {
  if (!is.null(source$data)) return(f(source$data, source$batch))
  # a stream without end goes on in the next epoch, others begin anew
  if (is.null(source$next_batch) || !source$endless) source$next_batch <- source$start()
  done <- 0
  ended <- FALSE
  while (done < source$limit) {
    if (native && is.list(source$native)) {
      most <- min(source$limit - done, source$most)
      before <- steps_of(run$state)
      go_on <- f(c(source$native, source$batches, most = most), source$batches$size)
      taken <- steps_of(run$state) - before
      done <- done + taken
      if (!go_on) break
      if (taken == most) next
      ended <- TRUE
    }
    element <- if (!ended) source$next_batch()
    if (is.null(element)) {
      source$next_batch <- NULL
      if (is.finite(source$limit)) warn("the data ended after ", done, " of ", source$limit, " steps", class = "data")
      break
    }
    data <- source$read(element)
    if (!f(data, data$rows)) break
    epoch_rewind(run$state)
    done <- done + 1
  }
  if (!done) abort("the data set is empty", fun = source$fun)
}

most_native <- 1000 # batches at once

steps_of <- function(state) if (is.null(state)) 0 else epoch_totals(state)[3]

split_source <- function(self, source, share, fun) {
  if (is.null(source$data)) abort("`validation_split` is for arrays, not for data sets; give `validation_data`",
    fun = fun)
  at <- floor(source$rows * (1 - share))
  if (at < 1 || at >= source$rows) {
    abort("`validation_split` of ", share, " leaves no samples for ", if (at < 1) "training" else "validation",
      ": there are ", source$rows, fun = fun)
  }
  check_split(self, source$data, at)
  part <- function(from, to) array_source(data_rows(source$data, from, to), source$batch)
  list(train = part(1, at), validation = part(at + 1, source$rows))
}

#' @param train the source of training, whose names of columns and levels hold.
#' @noRd
validation_source <- function(self, data, train, steps, fun) {
  if (is.null(data)) return(NULL)
  if (is_stream(data) && !is_dataset(data)) check_function(data, "validation_data", fun, takes = 0)
  if (is_stream(data)) return(stream_source(self, data, NULL, NULL, NULL, steps, fun, "validation_steps"))
  if (!is.list(data) || is.data.frame(data) || !length(data) %in% 2:3) {
    abort("`validation_data` must be list(x, y), list(x, y, weights) or a data set, not ", describe(data), fun = fun)
  }
  if (all(c("x", "y") %in% names(data))) data <- data[c("x", "y", setdiff(names(data), c("x", "y")))]
  tryCatch(
    data_source(self, data[[1]], data[[2]], train$batch, if (length(data) == 3) data[[3]], NULL, steps, fun,
      "validation_steps", train$data$names),
    nativenet_error = function(e) {
      e$message <- paste(conditionMessage(e), "(in `validation_data`)")
      stop(e)
    }
  )
}

evaluate_source <- function(self, source, callbacks) {
  run <- new.env(parent = emptyenv())
  step <- NULL
  reset_own_metrics(self)
  hooks <- batch_hooks(callbacks, "test", function() step_logs(step, run$state))
  run_callbacks(callbacks, "on_test_begin")
  each_block(source, run, function(data, batch) {
    step <<- step_program(self, "test", data, batch)
    if (is.null(run$state)) run$state <- new_state(step)
    hooks$begin(run$state)
    reading_data(self, data, run_step(self, step, data, batch, run$state, on_step = hooks$on_step), run$state)
    TRUE
  }, native = is.null(hooks$on_step))
  values <- step_logs(step, run$state)
  run_callbacks(callbacks, "on_test_end", logs = values)
  values
}

#' @rdname evaluate.nn_model
#' @export
evaluate <- function(object, ...) UseMethod("evaluate")

# generics::evaluate(x, ...) dispatches on the data in `evaluate(model, x = data)`: the model is then among the others.
# What is not ours goes to the function that ours masks, if there is one.
#' @export
evaluate.default <- function(object, ...) {
  if (is_model(object)) return(evaluate.nn_model(object, ...))
  masked <- masked_function("evaluate")
  if (is.null(masked) || length(frame_of(masked$f))) abort("`object` must be a model, not ", describe(object),
    fun = "evaluate")
  do.call(masked$f, list(object, ...), quote = TRUE, envir = parent.frame())
}

#' Evaluate a model
#'
#' Computes the loss and the metrics over all samples in test mode: without dropout or noise, and without training.
#'
#' @inheritParams fit.nn_model
#' @param steps the number of batches to take, the first ones; `NULL` for all.
#' @param return_dict give a list?
#' @return A named vector of the loss and the metrics, for which `$` works, too; with `return_dict` a named list.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", "mse", metrics = "mae")
#' evaluate(model, matrix(1, 3, 2), c(1, 2, 3))
#' @export
evaluate.nn_model <- function(object, x = NULL, y = NULL, batch_size = NULL, verbose = "auto", sample_weight = NULL,
  steps = NULL,
                              callbacks = NULL, return_dict = FALSE, ...) {
  check_no_more(list(...), "evaluate", of = evaluate.nn_model, kind = "fit")
  check_flag(return_dict, fun = "evaluate")
  self <- compiled_self(object, "evaluate")
  callbacks <- as_callbacks(callbacks)
  source <- data_source(self, x, y, batch_size, sample_weight, NULL, steps, "evaluate")
  check_ends_and_targets(self, source)
  callback_set(callbacks, object, list())
  progress <- new_progress(resolve_verbose(verbose, "evaluate"))
  progress$epoch_begin()
  values <- evaluate_source(self, source, callbacks)
  progress$epoch_end(values, step = if (is.null(source$steps)) 1 else source$steps)
  if (return_dict) as.list(values) else structure(values, class = "nn_scores")
}

#' @export
`$.nn_scores` <- function(x, name) {
  x[[name]]
}

#' @export
`[[.nn_scores` <- function(x, i) {
  if (!is.character(i)) return(unclass(x)[[check_count(i, max = length(x), fun = "[[")]])
  if (!check_name(i, "[[") %in% names(x)) unknown_member(i, names(x), "the result")
  unclass(x)[[i]]
}

#' @export
print.nn_scores <- function(x, ...) {
  print(unclass(x), ...)
  invisible(x)
}

#' Generate predictions
#'
#' Computes the outputs of the model for each sample, in batches and in inference mode: without dropout or noise.
#'
#' @inheritParams fit.nn_model
#' @param x input samples as in [fit()], or a data set of batches, or a function that gives one each time it is called.
#' @param verbose 1 or 2 print a line when it is done; `"auto"` does not.
#' @param steps the number of batches to take, the first ones; `NULL` for all.
#' @return An array whose first axis is the samples, also if there is only one; a list of arrays for several outputs.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "softmax")
#' predict(model, matrix(1, 2, 2))
#' @importFrom stats predict
#' @export
predict.nn_model <- function(object, x, batch_size = NULL, verbose = "auto", steps = NULL, callbacks = NULL, ...) {
  check_no_more(list(...), "predict", of = predict.nn_model, kind = "fit")
  self <- layer_self(object)
  check_given(missing(x), "x", "predict")
  callbacks <- as_callbacks(callbacks)
  callback_set(callbacks, object, list())
  progress <- new_progress(if (identical(verbose, "auto")) 0 else resolve_verbose(verbose, "predict"))
  progress$epoch_begin()
  run_callbacks(callbacks, "on_predict_begin")
  if (is_stream(x)) {
    source <- stream_source(self, x, NULL, batch_size, NULL, steps, "predict", "steps",
      function(element) inputs_data(self, element))
    if (!is.null(source$steps)) source$most <- source$steps # all rows in one array
  } else {
    if (!self$built && !has_own_steps(self) && is.null(dim(x)) && is.numeric(x) && length(x) > 1) {
      warn("`predict()`: the model was not trained or built, and `x` is a vector, which is taken as ", length(x),
        " rows of one number", lost_row(2), class = "shape")
    }
    source <- array_source(prediction_data(self, x), if (is.null(batch_size)) 32L else
      check_count(batch_size, fun = "predict"), if (!is.null(steps)) check_count(steps, fun = "predict"))
  }
  run <- new.env(parent = emptyenv())
  columns <- predict_source(self, source, run, callbacks)
  run_callbacks(callbacks, "on_predict_end")
  progress$epoch_end(NULL, step = steps_of(run$state))
  named_outputs(self, lapply(columns, function(x) if (is_tensor(x)) as.array(x) else x))
}

#' @return What the outputs are for all rows: arrays, or tensors where they are no floats.
#' @noRd
predict_source <- function(self, source, run, callbacks) {
  hooks <- batch_hooks(callbacks, "predict", function() list())
  parts <- list()
  each_block(source, run, function(data, batch) {
    step <- step_program(self, "predict", data, batch)
    if (is.null(run$state)) run$state <- new_state(step)
    hooks$begin(run$state)
    before <- rows_of_state(run$state)
    columns <- reading_data(self, data, run_step(self, step, data, batch, run$state, on_step = hooks$on_step),
      run$state)
    rows <- rows_of_state(run$state) - before
    if (rows) parts[[length(parts) + 1]] <<- lapply(columns, first_rows, rows)
    TRUE
  }, native = is.null(hooks$on_step))
  lapply(seq_along(parts[[1]]), function(k) join_rows(lapply(parts, `[[`, k)))
}

rows_of_state <- function(state) epoch_totals(state)[2]

prediction_data <- function(self, x) {
  if (has_own_steps(self)) return(own_data(self, x, fun = "predict"))
  build_for(self, x, "predict")
  model_data(self, x, fun = "predict")
}

#' An element of a data set or what a function gave: the inputs, or (x, y) or (x, y, weights).
#' @noRd
inputs_data <- function(self, element) {
  if (has_targets(element, length(self$inputs)) && !has_own_steps(self)) element <- element[[1]]
  prediction_data(self, element)
}

first_rows <- function(x, n) {
  if (dim(x)[1] == n) return(x)
  if (is_tensor(x)) return(slice_rows(x, 1, n))
  array_rows(x, seq_len(n))
}

#' Arrays of the rows of batches as one.
#' @noRd
join_rows <- function(parts) {
  if (length(parts) == 1) return(parts[[1]])
  shapes <- lapply(parts, function(x) dim(x)[-1])
  if (is_tensor(parts[[1]]) || length(unique(shapes)) > 1) return(op_concat(lapply(parts, tensor), axis = 1))
  rows <- do.call(rbind, lapply(parts, function(x) array(x, c(dim(x)[1], prod(dim(x)[-1])))))
  array(rows, c(nrow(rows), shapes[[1]]))
}

named_outputs <- function(self, arrays) if (length(arrays) == 1) arrays[[1]] else
  stats::setNames(arrays, self$output_names)

#' Train, test or predict on a single batch
#'
#' `train_on_batch()` runs a single gradient update on one batch of samples; `test_on_batch()` computes loss and metrics
#' of it, `predict_on_batch()` predictions.
#'
#' @inheritParams fit.nn_model
#' @param reset_metrics must be `TRUE`: loss and metrics are those of this batch.
#' @param return_dict give a list?
#' @return Loss and metrics, as [evaluate()] gives; predictions.
#' @section Errors: `nativenet_error_nan` for a loss that is not a finite number, or a step that makes weights that are
#'   not. The weights are then those from before the step if they are sound, and those of at most 32 steps before if
#'   they have exploded.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", "mse")
#' train_on_batch(model, matrix(1, 3, 2), c(1, 2, 3))
#' @export
train_on_batch <- function(object, x, y = NULL, class_weight = NULL, sample_weight = NULL, reset_metrics = TRUE,
  return_dict = FALSE) {
  self <- compiled_self(object)
  check_reset(reset_metrics)
  restore_random_state(self)
  scores <- on_batch(self, "train", x, y, sample_weight, class_weight, "train_on_batch")
  if (check_flag(return_dict)) as.list(scores) else scores
}

check_reset <- function(reset_metrics, fun = calling_function()) if (!check_flag(reset_metrics, fun = fun))
  abort("`reset_metrics` must be TRUE: loss and metrics are those of this batch", fun = fun)

#' @rdname train_on_batch
#' @export
test_on_batch <- function(object, x, y = NULL, sample_weight = NULL, reset_metrics = TRUE, return_dict = FALSE) {
  check_reset(reset_metrics)
  scores <- on_batch(compiled_self(object), "test", x, y, sample_weight, NULL, "test_on_batch")
  if (check_flag(return_dict)) as.list(scores) else scores
}

#' @rdname train_on_batch
#' @export
predict_on_batch <- function(object, x) {
  check_model(object)
  rows <- if (is.list(x)) 0 else if (is_strings(x)) NROW(x) else first_axis(x, "predict_on_batch")
  stats::predict(object, x, batch_size = max(rows, 32))
}

on_batch <- function(self, kind, x, y, sample_weight, class_weight, fun) {
  source <- data_source(self, x, y, .Machine$integer.max, sample_weight, class_weight, NULL, fun)
  if (kind == "train") check_trained(self, fun)
  reset_own_metrics(self)
  if (is.null(self$compiled$checked)) check_ends_and_targets(self, source, ends = TRUE)
  step <- step_program(self, kind, source$data, source$batch)
  state <- if (kind == "train") new_state(step, random = TRUE) else new_state(step)
  optimizer <- self$compiled$optimizer
  if (kind == "train") refresh(optimizer)
  run <- function() run_step(self, step, source$data, source$batch, state)
  reading_data(self, source$data, if (kind == "train") or_recover(step_cache(self)$kept, run()) else run())
  if (kind == "train") note_names(self, source$data$names)
  structure(step_logs(step, state), class = "nn_scores")
}
