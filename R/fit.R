# fit(): epochs of training. The engine runs a whole epoch by itself (R/model-step.R); between epochs, R evaluates the
# validation part, keeps the history and asks the callbacks.

#' @importFrom generics fit
#' @export
generics::fit

#' Train a model
#'
#' Trains for a fixed number of epochs (iterations over the data) in batches, and changes the model in place. Whole
#' epochs run in the engine, over arrays and over data sets whose parts run there and that end in [dataset_batch()]; R
#' code runs between batches only if a callback asks for it, or for elements with weights. Ctrl-C stops within a
#' fraction of a second, in the middle of a large step, too: the weights are then those of the last complete step, and
#' `fit(..., resume = TRUE)` goes on where it stopped.
#'
#' A loss or a weight that is no longer a finite number ends the training with a warning; the weights are then those
#' from before that step if they are sound, and those of at most 32 steps before if they have exploded.
#'
#' @param object a compiled model.
#' @param x input samples, one per row: a matrix, array, tensor or data frame; a list of these for several inputs; a
#'   data set of `(x, y)` or `(x, y, weights)` batches, or a function that gives such a list each time it is called.
#' @param y targets likewise; class labels count from 0, a factor's levels do so, too.
#' @param batch_size samples per gradient update, 32 by default. The last batch of an epoch may be smaller.
#' @param epochs the number of epochs to train for; with `initial_epoch` the number of the final epoch.
#' @param verbose 0 silent, 1 a progress bar, 2 a line per epoch; `"auto"`: 1 at the console, else 0.
#' @param callbacks a callback such as [callback_early_stopping()], or a list of them.
#' @param view_metrics show a page of live curves in RStudio's viewer? `"auto"`: in RStudio, for two epochs or more.
#' @param validation_split the fraction of samples, from the end, that is kept for validation and not trained on.
#' @param validation_data `list(x, y)` or `list(x, y, weights)` or a data set, for validation after each epoch.
#' @param shuffle shuffle the samples before each epoch? `"batch"`: the batches.
#' @param class_weight a named list of numbers, `list("0" = 1, "1" = 5)` or by the levels of `y`: the weight of
#'   the samples of each class.
#' @param sample_weight a weight per sample, a factor of its loss.
#' @param initial_epoch the number of epochs that were trained before.
#' @param steps_per_epoch,validation_steps the number of batches of an epoch or a validation. Of arrays and data without
#'   end, an epoch goes on where the last one stopped; a validation takes the first batches.
#' @param resume go on with a call that was interrupted, with the same arrays, from the next batch on? Epochs that were
#'   finished are not repeated.
#' @param strategy data-parallel training over the processes of a job, see [strategies]; by default that in whose scope
#'   the model was compiled, if any.
#' @param ... not used: other arguments are refused.
#' @return The history, invisibly: an object of class `nn_history` with `$metrics`, a list of the loss and metrics of
#'   each epoch, and `$params`. [plot()] draws it.
#' @section Names: Training remembers what the columns of `x` and `y` and the levels of factors are called;
#'   [save_model()] keeps that. Data that come later, also to [predict()], [evaluate()] or as `validation_data`, are
#'   matched by these names: the order of columns or levels does not matter, nor do levels without rows. A column that
#'   is missing or new, or a level that is new, is an error. Data sets keep the names of [tensor_slices_dataset()];
#'   steps that make new elements, such as [dataset_map()], lose them, and named data that come later then give a
#'   warning of class `nativenet_warning_names`. Data without names and labels that are numbers are taken by position.
#'   `class_weight` may name levels.
#' @section Warnings: Once per call `nativenet_warning_loss`, if a loss and the activation of the last layer do not go
#'   together; `nativenet_warning_targets`, if targets lie outside what the loss is defined for, or rows of categorical
#'   ones do not sum to 1; `nativenet_warning_split`, if `validation_split` leaves a class out of training;
#'   `nativenet_warning_nan`, see above. A factor as target of a loss of numbers is an error.
#' @section Errors: `nativenet_error_uncompiled`; `nativenet_error_shape` where data do not fit the model;
#'   `nativenet_error_index` for labels or tokens out of range; `nativenet_error_names` for columns and levels that were
#'   not there in training; the model is as before then. What is wrong in a later batch of a data set is seen when its
#'   turn comes: the weights are then those of the step before.
#' @section Memory: Each call converts its arrays to the dtype of the model, in the memory that the last call had for
#'   its data if they are of the same shape. That memory is held for as long as the model is there, or until data of
#'   another shape are trained on. [predict()] and [evaluate()] make no copy of their arrays.
#' @seealso [compile()][compile.nn_model] before it; [plot()][plot.nn_history] of what it returns;
#'   [callback_early_stopping()] and other callbacks; [evaluate()][evaluate.nn_model], [predict()][predict.nn_model],
#'   [train_on_batch()]; `vignette("models")`.
#' @examples
#' x <- matrix(c(0, 0, 1, 1, 0, 1, 0, 1), 4)
#' y <- c(0, 1, 1, 0)
#' set.seed(1)
#' model <- keras_model_sequential(input_shape = 2) |>
#'   layer_dense(8, activation = "tanh") |>
#'   layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
#' history <- model |> fit(x, y, epochs = 100, verbose = 0)
#' history
#' round(predict(model, x), 2)
#' @export
fit.nn_model <- function(object, x = NULL, y = NULL, batch_size = NULL, epochs = 10,
  verbose = getOption("keras.fit_verbose", "auto"),
                         callbacks = NULL, view_metrics = getOption("keras.view_metrics", "auto"), validation_split = 0,
                         validation_data = NULL, shuffle = TRUE, class_weight = NULL, sample_weight = NULL,
                         initial_epoch = 0, steps_per_epoch = NULL, validation_steps = NULL, resume = FALSE,
                         strategy = NULL, ...) {
  fun <- "fit"
  check_no_more(list(...), fun, of = fit.nn_model, kind = "fit")
  self <- compiled_self(object, fun)
  epochs <- min(check_count(epochs, min = 0, fun = fun), max_epochs())
  initial_epoch <- check_count(initial_epoch, min = 0, fun = fun)
  check_flag(resume, fun = fun)
  validation_split <- check_number(validation_split, min = 0, below = 1, fun = fun)
  mode <- check_shuffle(shuffle, fun)
  strategy <- if (is.null(strategy)) self$compiled$strategy else check_strategy(strategy)
  callbacks <- as_callbacks(callbacks)
  if (initial_epoch > epochs) {
    warn("`fit()`: `epochs` is the number of the last epoch, and with ", epochs, " after `initial_epoch` ",
      initial_epoch, " there is none to train", class = "epochs")
  }
  check_trained(self, fun)
  if (!is.null(strategy) && has_own_steps(self) && !is_stream(x)) build_own_model(self, x, fun) # before it is traced
  source <- data_source(self, x, y, batch_size, sample_weight, class_weight, steps_per_epoch, fun, "steps_per_epoch")
  check_ends_and_targets(self, source, ends = TRUE)
  if (!is.null(source$data)) {
    source$data <- training_data(source$data)
    held <- source$data$own
    on.exit(keep_memory(self, held))
  }
  parts <- with_validation(self, source, validation_data, validation_split, validation_steps, fun)
  source <- epoch_source(self, parts$train, steps_per_epoch, mode, strategy, fun)
  run <- new_run(self, source, parts$validation, mode, resume, initial_epoch)
  run$strategy <- strategy
  verbose <- if (is_helper(strategy)) 0 else resolve_verbose(verbose, fun)
  steps <- if (is.null(source$steps)) NA else source$steps
  params <- list(verbose = verbose, epochs = epochs, steps = steps, samples = source$rows, batch_size = source$batch)
  if (initial_epoch) params$initial_epoch <- initial_epoch
  history <- new_history(params, list())
  viewer <- if (resolve_view_metrics(view_metrics, epochs, verbose, fun))
    metrics_viewer(epochs, initial_epoch = initial_epoch)
  progress <- new_progress(verbose, epochs, steps)
  self$stop_training <- FALSE
  callback_set(callbacks, object, params)
  tell_callbacks(run, callbacks, "on_train_begin")
  if (!is.null(self$first_epoch)) run$epoch <- max(run$epoch, self$first_epoch) # that of a backup
  self$first_epoch <- NULL
  history <- train_epochs(self, run, epochs, callbacks, progress, history, viewer)
  if (!length(self$compiled$trained) && !has_own_steps(self))
    warn("`fit()`: the model has no trainable weights, so nothing was trained", class = "untrained")
  take_averages(self$compiled$optimizer)
  tell_callbacks(run, callbacks, "on_train_end", logs = lapply(history$metrics, function(v) v[length(v)]))
  if (!is.null(viewer)) viewer$done(history$metrics)
  self$interrupted <- NULL
  self$history <- history
  invisible(history)
}

#' The source of training and that of validation, which is a part of the former, data of its own or NULL.
#' @noRd
with_validation <- function(self, source, data, split, steps, fun) {
  if (split > 0 && is.null(data)) {
    parts <- split_source(self, source, split, fun)
    if (!is.null(steps)) parts$validation <- array_source(parts$validation$data, source$batch, check_count(steps,
      arg = "validation_steps", fun = fun))
  } else {
    parts <- list(train = source, validation = validation_source(self, data, source, steps, fun))
    if (!is.null(parts$validation)) check_ends_and_targets(self, parts$validation, "validation_data")
  }
  for (part in parts) if (!is.null(part$data)) check_indices(self, part$data)
  parts
}

#' Trains until the last epoch, or until a callback stops it, and gives the history with the logs of these epochs.
#' @noRd
train_epochs <- function(self, run, epochs, callbacks, progress, history, viewer) {
  interrupted <- FALSE
  on.exit({
    progress$done()
    if (interrupted) tell_interrupted(self, run)
  })
  with_ranks(run$strategy, withCallingHandlers({
    check_ranks(self, run, list(epochs, run$epoch))
    while (run$epoch < epochs && !self$stop_training) {
      logs <- train_one_epoch(self, run, callbacks, progress)
      history$metrics <- with_logs(history, logs)
      self$history <- history
      if (!is.null(viewer)) viewer$update(history$metrics)
    }
  }, interrupt = function(i) interrupted <<- TRUE))
  history
}

tell_interrupted <- function(self, run) {
  goes_on <- !is.null(run$source$data) && !is.null(self$interrupted)
  message("Training was interrupted in epoch ", run$epoch + 1, "; the weights are those of the last complete step",
    if (goes_on) ". `fit(..., resume = TRUE)` with the same arrays goes on from there.")
}

#' What bounds the epochs of all trainings, or NULL.
#' @noRd
max_epochs <- function() {
  if (!is.null(session$max_epochs)) return(if (is.finite(session$max_epochs)) session$max_epochs)
  given <- suppressWarnings(as.integer(Sys.getenv("KERAS_MAX_EPOCHS")))
  if (!is.na(given) && given > 0) given
}

check_shuffle <- function(shuffle, fun) {
  if (identical(shuffle, "batch")) return(2)
  if (!isTRUE(shuffle) && !isFALSE(shuffle)) abort("`shuffle` must be TRUE, FALSE or \"batch\", not ",
    describe(shuffle), fun = fun)
  as.numeric(shuffle)
}

#' What a call of fit() goes through: its data, and the epoch it is in. Kept in the model while it runs, so that an
#' interrupted one can be resumed.
#' @noRd
new_run <- function(self, source, validation, mode, resume, initial_epoch) {
  run <- new.env(parent = emptyenv())
  restore_random_state(self)
  if (resume) {
    before <- self$interrupted
    if (is.null(source$data)) abort("`resume` is for arrays without `steps_per_epoch`; where other data stood is not ",
      "known", fun = "fit")
    if (is.null(before)) abort("there is no interrupted training to go on with", fun = "fit")
    if (is.null(before$rows)) abort("the interrupted training was of a data set, and where that stood is not known",
      fun = "fit")
    if (before$rows != source$rows) abort("`x` has ", source$rows, " samples, but the interrupted training had ",
      before$rows, class = "shape", fun = "fit")
    run$epoch <- before$epoch
    run$state <- before$state
  } else {
    run$epoch <- initial_epoch
  }
  run$rows <- source$rows
  run$source <- source
  run$validation <- validation
  run$mode <- if (is.null(source$data)) 0 else mode # batches of a data set come as they are
  run
}

train_one_epoch <- function(self, run, callbacks, progress) {
  epoch <- run$epoch
  tell_callbacks(run, callbacks, "on_epoch_begin", epoch)
  follow_rank_0(self, run)
  progress$epoch_begin(epoch + 1)
  logs <- tryCatch(over_shards(run$strategy, trained_and_validated(self, run, callbacks, progress)),
    nativenet_error_index = function(e) {
    self$interrupted <- NULL
    stop(e)
  })
  run$epoch <- epoch + 1
  state <- run$state
  run$state <- NULL
  self$interrupted <- list(epoch = run$epoch, state = NULL, rows = run$rows)
  progress$epoch_end(logs, step = epoch_totals(state)[3])
  logs <- tell_callbacks(run, callbacks, "on_epoch_end", epoch, logs = logs)
  follow_rank_0(self, run)
  logs
}

#' The logs of an epoch.
#' @noRd
trained_and_validated <- function(self, run, callbacks, progress) {
  logs <- tryCatch(
    train_pass(self, run, callbacks, progress),
    nativenet_error_nan = function(e) {
      self$stop_training <- TRUE
      warn("the loss or a weight in epoch ", run$epoch + 1, " is no longer a finite number; training ends, and the ",
        "weights are those ", if (e$back) "of at most 32 steps" else "from", " before. A smaller learning rate or ",
        "scaled inputs may help", class = "nan")
      c(loss = NaN)
    }
  )
  if (is.null(run$validation)) return(logs)
  values <- evaluate_source(self, run$validation, callbacks)
  c(logs, stats::setNames(values, paste0("val_", names(values))))
}

#' One pass of training over the source.
#' @noRd
train_pass <- function(self, run, callbacks, progress) {
  source <- run$source
  if (is.null(run$state)) reset_own_metrics(self)
  optimizer <- self$compiled$optimizer
  step <- NULL
  note <- function() self$interrupted <- list(epoch = run$epoch, state = run$state, rows = run$rows)
  hooks <- batch_hooks(callbacks, "train", function() step_logs(step, run$state), function() !self$stop_training)
  on_clock <- function(steps, fraction, rows) {
    if (is.null(source$data)) fraction <- if (is.null(source$steps)) NA else steps / source$steps
    progress$update(fraction, step_logs(step, run$state), steps)
    TRUE
  }
  on_step <- hooks$on_step
  if (!is.null(on_step) && !is.null(run$strategy)) on_step <- function(...) {
    self$stop_training <- !hooks$on_step(...)
    follow_rank_0(self, run)
    !self$stop_training
  }
  each_block(source, run, function(data, batch) {
    step <<- step_program(self, "train", data, batch)
    check_same_step(run, step)
    # what is drawn for an epoch and the note of it belong together: a resumed epoch must not draw again
    if (is.null(run$state)) suspendInterrupts({
      run$state <- new_state(step, random = TRUE)
      note()
    })
    note_names(self, data$names)
    hooks$begin(run$state)
    rates <- if (has_schedule(optimizer) && is.null(step$results))
      coming_rates(optimizer, if (is.null(data$stream)) ceiling(data$rows / batch) else data$most)
    reading_data(self, data, or_recover(step_cache(self)$kept,
      run_step(self, step, data, batch, run$state, run$mode, on_step, on_clock, rates)), run$state)
    !self$stop_training
  }, native = is.null(hooks$on_step))
  step_logs(step, run$state)
}

#' How callbacks hear of batches: `begin(state)` before the first of a block, `on_step` between them (NULL where none
#' listens). Batches count from `before`.
#' @noRd
batch_hooks <- function(callbacks, mode, logs, go_on = function() TRUE, before = 0) {
  if (!wants_batches(callbacks, mode)) return(list(begin = function(state) NULL))
  tell <- function(when, ...) run_callbacks(callbacks, paste0("on_", mode, "_batch_", when), ...)
  list(
    begin = function(state) tell("begin", before + epoch_totals(state)[3]),
    on_step = function(steps, fraction, rows) {
      tell("end", before + steps - 1, logs = logs())
      if (fraction < 1) tell("begin", before + steps)
      go_on()
    }
  )
}

#' An index out of range is a token or a label: say which.
#' @noRd
reading_data <- function(self, data, expr, state = NULL) {
  tryCatch(expr, nativenet_error_index = function(e) {
    if (!is.null(data$stream)) data <- batch_at_hand(data, state)
    check_indices(self, data)
    stop(e)
  })
}

#' Do tokens and labels lie within the embeddings and classes that there are? Of `targets`, if there are any.
#' @noRd
check_indices <- function(self, data) {
  if (has_own_steps(self)) return()
  refuse <- function(...) abort(..., class = "index", fun = user_function())
  plan <- model_plan(self)
  for (k in seq_along(self$inputs)) {
    for (step in plan$steps) {
      layer <- step$layer
      if (layer$kind != "embedding" || !isTRUE(unlist(step$inputs) == plan$inputs[k])) next
      n <- layer$config$input_dim
      odd <- number_outside(data, k, n)
      if (length(odd)) refuse("`x` holds the token ", odd, ", but `", layer$name, "` has `input_dim` ", n,
        ", so tokens must lie in 0 .. ", n - 1)
    }
  }
  for (k in seq_along(self$outputs)) {
    at <- length(self$inputs) + k
    loss <- self$compiled$losses[[k]]
    if (at > length(data$columns) || !takes_labels(loss) || part_name(loss) == "circle") next
    n <- utils::tail(dim(self$outputs[[k]]), 1)
    odd <- number_outside(data, at, n, part_config(loss)$ignore_class)
    if (length(odd)) refuse("`y` holds the label ", odd, ", but `", output_names(self)[k], "` has ", n,
      " classes, so labels must lie in 0 .. ", n - 1)
  }
}

#' The smallest or else the largest number of column k, if it lies outside 0 .. n - 1 and is not `but`.
#' @noRd
number_outside <- function(data, k, n, but = NULL) {
  outside <- function(ends) utils::head(ends[ends < 0 | ends >= n], 1)
  odd <- outside(column_ends(data$columns[[k]]))
  if (!length(odd)) return(odd)
  numbers <- column_array(data, k) # of the rows that are meant
  outside(range(if (is.null(but)) numbers else c(numbers[numbers != but], 0)))
}

# ---- a random state that came with a saved model ----

#' A model that was loaded goes on with the random numbers it would have had, unless R's generator was used or seeded
#' since.
#' @noRd
restore_random_state <- function(self) {
  pending <- self$random_state
  self$random_state <- NULL
  if (!is.null(pending) && identical(pending$at_load, random_state_now())) put_random_state(pending$saved)
}
