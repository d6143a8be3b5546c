# Callbacks that watch a metric and act when it gets better, or no longer does.

#' How a metric is watched: `better(a, b)`, the worst value to start from, and the words for it. Accuracies and AUCs get
#' better as they grow, all else as it falls.
#' @noRd
monitor_rule <- function(monitor, mode, min_delta = 0, fun = calling_function()) {
  check_string(monitor, fun = fun)
  mode <- check_choice(mode, c("auto", "min", "max"), fun = fun)
  if (mode == "auto") mode <- if (grepl("acc|auc$|^fmeasure", monitor)) "max" else "min"
  delta <- abs(check_number(min_delta, fun = fun))
  # NaN is never better
  if (mode == "min") list(better = function(a, b) isTRUE(a < b - delta), worst = Inf)
  else list(better = function(a, b) isTRUE(a > b + delta), worst = -Inf)
}

#' The number that a callback monitors, or NULL: then its user is told once what there is. "acc" finds "accuracy".
#' @noRd
monitored <- function(self, logs, what) {
  name <- self$monitor
  if (is.null(logs[[name]])) name <- sub("acc$", "accuracy", name)
  value <- logs[[name]]
  if (is.null(value) && !isTRUE(self$warned)) {
    self$warned <- TRUE
    text <- sprintf("`callback_%s()`: %s metric `%s`, which is not available. Available metrics are: %s", self$name,
      what, self$monitor, paste(names(logs), collapse = ", "))
    warn(text, class = "monitor")
  }
  value
}

#' Early stopping callback
#'
#' Stops training when a metric has stopped improving: after `patience` epochs in which the monitored metric did not get
#' better than the best one so far by more than `min_delta`. (0 and 1 both end it at the first such epoch, and the first
#' epoch of all never does.) The history then has fewer epochs than planned.
#'
#' @param monitor name of the metric. If it is not there, a warning names those that are.
#' @param min_delta the least change that counts as an improvement.
#' @param patience epochs to wait.
#' @param verbose 1 prints what is done.
#' @param mode does the metric improve when it falls, `"min"`, or grows, `"max"`? By default it grows if it is an
#'   accuracy or AUC.
#' @param baseline `NULL`, or a value that must be surpassed, too, to wait anew.
#' @param restore_best_weights give the model the weights of its best epoch when training is ended this way?
#' @param start_from_epoch epochs at the beginning that are not looked at.
#' @return A callback, for the argument `callbacks` of `fit()`. Its field `stopped_epoch` tells the epoch (from 0) after
#'   which training ended, 0 if it did not; `best` the best value.
#' @references Behaviour and texts follow Keras 2.15, <https://keras.io/2.15/api/callbacks/early_stopping/>.
#' @examples
#' callback_early_stopping(monitor = "val_loss", patience = 2, restore_best_weights = TRUE)
#' @export
callback_early_stopping <- function(monitor = "val_loss", min_delta = 0, patience = 0, verbose = 0,
  mode = c("auto", "min", "max"), baseline = NULL,
                                    restore_best_weights = FALSE, start_from_epoch = 0) {
  rule <- monitor_rule(monitor, mode, min_delta)
  patience <- check_count(patience, min = 0)
  start_from_epoch <- check_count(start_from_epoch, min = 0)
  check_flag(restore_best_weights)
  if (!is.null(baseline)) baseline <- check_number(baseline)
  verbose <- resolve_verbose(verbose)
  self <- new_callback("early_stopping", monitor = monitor, patience = patience, stopped_epoch = 0)
  best_weights <- NULL
  best_epoch <- 0

  self$on_train_begin <- function(logs) {
    self$wait <- 0
    self$stopped_epoch <- 0
    self$best <- rule$worst
    best_weights <<- NULL
    best_epoch <<- 0
  }
  self$on_epoch_end <- function(epoch, logs) {
    current <- monitored(self, logs, "early stopping is conditioned on")
    if (is.null(current) || epoch < start_from_epoch) return()
    # those of the first epoch, should none be an improvement
    if (restore_best_weights && is.null(best_weights)) best_weights <<- get_weights(self$model)
    self$wait <- self$wait + 1
    if (rule$better(current, self$best)) {
      self$best <- current
      best_epoch <<- epoch
      if (restore_best_weights) best_weights <<- get_weights(self$model)
      if (is.null(baseline) || rule$better(current, baseline)) self$wait <- 0
      return()
    }
    if (self$wait < patience || epoch == 0) return()
    self$stopped_epoch <- epoch
    stop_training(self$model)
    if (!restore_best_weights) return()
    if (verbose > 0) say(sprintf("Restoring model weights from the end of the best epoch: %.0f.", best_epoch + 1))
    set_weights(self$model, best_weights)
  }
  self$on_train_end <- function(logs) {
    if (self$stopped_epoch > 0 && verbose > 0) say(sprintf("Epoch %.0f: early stopping", self$stopped_epoch + 1))
    best_weights <<- NULL
  }
  self
}

#' Reduce the learning rate on a plateau
#'
#' After `patience` epochs without improvement the learning rate is multiplied by `factor`, but does not fall below
#' `min_lr`. The history gets the learning rate of each epoch as `lr`.
#'
#' @inheritParams callback_early_stopping
#' @param factor a number from 0 to below 1.
#' @param epsilon older name of `min_delta`.
#' @param cooldown epochs after a change in which the metric is not judged.
#' @param min_lr the least learning rate.
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @references Behaviour and texts follow Keras 2.15, <https://keras.io/2.15/api/callbacks/reduce_lr_on_plateau/>.
#' @examples
#' callback_reduce_lr_on_plateau(monitor = "val_loss", factor = 0.5, patience = 3)
#' @export
callback_reduce_lr_on_plateau <- function(monitor = "val_loss", factor = 0.1, patience = 10, verbose = 0,
  mode = c("auto", "min", "max"),
                                          min_delta = 1e-04, cooldown = 0, min_lr = 0, epsilon = NULL) {
  if (!is.null(epsilon)) min_delta <- check_number(epsilon, min = 0)
  rule <- monitor_rule(monitor, mode, min_delta)
  factor <- check_number(factor, min = 0, below = 1)
  patience <- check_count(patience, min = 0)
  cooldown <- check_count(cooldown, min = 0)
  min_lr <- check_number(min_lr, min = 0)
  verbose <- resolve_verbose(verbose)
  self <- new_callback("reduce_lr_on_plateau", monitor = monitor, factor = factor, patience = patience)
  cooling <- 0

  self$on_train_begin <- function(logs) {
    self$wait <- 0
    self$best <- rule$worst
    cooling <<- 0
  }
  self$on_epoch_end <- function(epoch, logs) {
    rate <- learning_rate_of(self$model)
    current <- monitored(self, logs, "the learning rate depends on")
    if (!is.null(current)) judge(epoch, current, rate)
    list(lr = rate)
  }
  judge <- function(epoch, current, rate) {
    if (cooling > 0) {
      cooling <<- cooling - 1
      self$wait <- 0
    }
    if (rule$better(current, self$best)) {
      self$best <- current
      self$wait <- 0
      return()
    }
    if (cooling > 0) return()
    self$wait <- self$wait + 1
    if (self$wait < patience || rate <= min_lr) return()
    lower <- max(rate * factor, min_lr)
    set_learning_rate_of(self$model, lower)
    if (verbose > 0) say(sprintf("Epoch %.0f: ReduceLROnPlateau reducing learning rate to %s.", epoch + 1,
      format(lower, digits = 15)))
    cooling <<- cooldown
    self$wait <- 0
  }
  self
}

learning_rate_of <- function(model) as.double(model$optimizer$learning_rate)

set_learning_rate_of <- function(model, rate) {
  optimizer <- model$optimizer
  optimizer$learning_rate <- rate
}

#' Model checkpoint callback
#'
#' After each epoch, or after a number of batches, the model is saved to a file whose name may hold the epoch and
#' metrics: `"model-{epoch:02d}-{val_loss:.2f}"`. A file is replaced as a whole or not at all, so that a crash leaves
#' the last one.
#'
#' @inheritParams callback_early_stopping
#' @param filepath name of the file. `{epoch}` counts from 1, `{batch}` too; any number of the logs can stand there.
#'   After a colon: digits to fill with zeros or blanks, and the format `d`, `f`, `e` or `g` as in [sprintf()]. A
#'   missing folder is made.
#' @param save_best_only save only when the metric is better than ever?
#' @param save_weights_only save the weights alone, not the whole model?
#' @param period older name: save every so many epochs.
#' @param save_freq `"epoch"`, or a number of batches.
#' @param initial_value_threshold with `save_best_only`, a number that the metric must be better than to be saved first.
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @section Errors: `nativenet_error_value` for a name that holds something that is not in the logs.
#' @references Behaviour and texts follow Keras 2.15, <https://keras.io/2.15/api/callbacks/model_checkpoint/>.
#' @examples
#' callback_model_checkpoint(file.path(tempdir(), "model-{epoch:02d}"), save_best_only = TRUE)
#' @export
callback_model_checkpoint <- function(filepath, monitor = "val_loss", verbose = 0, save_best_only = FALSE,
  save_weights_only = FALSE, mode = c("auto", "min", "max"), period = NULL, save_freq = "epoch",
  initial_value_threshold = NULL) {
  target_format(check_string(filepath), "callback_model_checkpoint")
  rule <- monitor_rule(monitor, mode)
  check_flag(save_best_only)
  check_flag(save_weights_only)
  if (!is.null(period)) period <- check_count(period)
  if (!identical(save_freq, "epoch")) save_freq <- check_count(save_freq)
  verbose <- resolve_verbose(verbose)
  self <- new_callback("model_checkpoint", filepath = filepath, monitor = monitor,
    best = if (is.null(initial_value_threshold)) rule$worst else check_number(initial_value_threshold))
  epochs <- 0 # since the last was saved, and so for batches
  batches <- 0
  now <- 0

  self$on_epoch_begin <- function(epoch, logs) now <<- epoch
  if (identical(save_freq, "epoch")) {
    self$on_epoch_end <- function(epoch, logs) {
      epochs <<- epochs + 1
      if (is.null(period) || epochs >= period) save(logs, NULL)
    }
  } else {
    self$on_train_batch_end <- function(batch, logs) {
      batches <<- batches + 1
      if (batches >= save_freq) save(logs, batch)
    }
  }
  save <- function(logs, batch) {
    epochs <<- 0
    batches <<- 0
    path <- fill_template(filepath, c(list(epoch = now + 1), if (!is.null(batch)) list(batch = batch + 1), logs),
      fun = "callback_model_checkpoint")
    epoch <- sprintf("Epoch %.0f: ", now + 1)
    if (save_best_only) {
      current <- monitored(self, logs, "the best model is chosen by")
      if (is.null(current)) return()
      if (!rule$better(current, self$best)) {
        if (verbose > 0) say(epoch, sprintf("%s did not improve from %.5f", monitor, self$best))
        return()
      }
      if (verbose > 0) say(epoch, sprintf("%s improved from %.5f to %.5f, saving model to %s", monitor, self$best,
        current, path))
      self$best <- current
    } else if (verbose > 0) {
      say(epoch, "saving model to ", path)
    }
    dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE)
    note_format(path) # told when the callback was made
    if (save_weights_only) save_model_weights(self$model, path, overwrite = TRUE) else
      save_model(self$model, path, overwrite = TRUE)
  }
  self
}

#' Python's str.format() for numbers: "{epoch:02d}-{loss:.2f}"; "{{" stands for a bracket.
#' @noRd
fill_template <- function(template, values, fun = calling_function()) {
  fields <- gregexpr("[{][{]|[}][}]|[{][^{}]*[}]|[{}]", template)
  texts <- vapply(regmatches(template, fields)[[1]], fill_field, "", values = values, template = template, fun = fun)
  regmatches(template, fields) <- list(texts)
  template
}

fill_field <- function(field, values, template, fun) {
  wrong <- function(...) abort("`filepath` is ", encodeString(template, quote = "\""), ": ", ..., fun = fun)
  if (field %in% c("{{", "}}")) return(substr(field, 1, 1))
  parts <- regmatches(field, regexec("^[{]([^:]*)(:[+]?0?[0-9]{0,2}([.][0-9]{1,2})?[dfFeEgG]?)?[}]$", field))[[1]]
  if (!length(parts)) wrong("`", field, "` is no field with a format as in {epoch:02d} or {loss:.2f}")
  value <- values[[parts[2]]]
  if (is.null(value)) wrong("there is no `", parts[2], "`, but ", paste0("`", names(values), "`", collapse = ", "))
  spec <- substring(parts[3], 2)
  if (!nzchar(spec)) return(format(value, digits = 15))
  if (!grepl("[a-zA-Z]$", spec)) spec <- paste0(spec, if (value == round(value) && !grepl(".", spec, fixed = TRUE))
    "d" else "g")
  if (grepl("d$", spec)) {
    if (value != round(value)) wrong("`", field, "` wants a whole number, but `", parts[2], "` is ", describe(value))
    # doubles hold whole numbers that R's integers do not
    spec <- sub("d$", ".0f", spec)
  }
  sprintf(paste0("%", spec), value)
}
