# Callbacks that set the learning rate by a plan, write logs, or keep watch over the loss.

#' Learning rate scheduler callback
#'
#' Sets the learning rate at the beginning of each epoch.
#'
#' @param schedule a function of `(epoch, lr)`, or of `epoch` alone, that gives the learning rate for the epoch. Epochs
#'   count from 0; `lr` is the learning rate before.
#' @param verbose 1 prints each learning rate.
#' @return A callback, for the argument `callbacks` of `fit()`. The history gets the learning rate of each epoch as
#'   `lr`.
#' @section Errors: `nativenet_error_value` if the schedule gives anything but a number of at least 0.
#' @examples
#' callback_learning_rate_scheduler(function(epoch, lr) if (epoch < 10) lr else lr * exp(-0.1))
#' @export
callback_learning_rate_scheduler <- function(schedule, verbose = 0) {
  check_function(schedule)
  verbose <- resolve_verbose(verbose)
  self <- new_callback("learning_rate_scheduler")
  self$on_epoch_begin <- function(epoch, logs) {
    rate <- call_with(schedule, list(epoch, learning_rate_of(self$model)))
    if (is_tensor(rate)) rate <- as.array(rate)
    rate <- check_number(rate, min = 0, arg = "schedule(epoch, lr)", fun = "callback_learning_rate_scheduler")
    set_learning_rate_of(self$model, as.double(rate))
    if (verbose > 0) say(sprintf("Epoch %.0f: LearningRateScheduler setting learning rate to %s.", epoch + 1,
      format(as.double(rate), digits = 15)))
  }
  self$on_epoch_end <- function(epoch, logs) list(lr = learning_rate_of(self$model))
  self
}

#' CSV logger callback
#'
#' Writes the metrics to a CSV file, a line per epoch, as soon as the epoch has ended: `epoch` (from 0), then the
#' metrics in the order of their names. The file is replaced as a whole each time, so that it never holds half a line.
#'
#' @param filename name of the file.
#' @param separator a string between columns.
#' @param append keep what the file holds, and add to it?
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @section Errors: `nativenet_error_file` if the file cannot be written.
#' @examples
#' callback_csv_logger(file.path(tempdir(), "log.csv"))
#' @export
callback_csv_logger <- function(filename, separator = ",", append = FALSE) {
  check_string(filename)
  check_string(separator)
  check_flag(append)
  self <- new_callback("csv_logger", filename = filename)
  keys <- NULL
  text <- raw()
  put <- function(...) {
    added <- vapply(list(...), function(values) paste0(paste0(values, collapse = separator), "\n"), "")
    text <<- c(text, charToRaw(paste(added, collapse = "")))
    replace_file(filename, list(text), fun = "callback_csv_logger")
  }
  self$on_train_begin <- function(logs) {
    keys <<- NULL
    text <<- if (append && file.exists(filename)) read_bytes(filename) else raw()
    put()
  }
  self$on_epoch_end <- function(epoch, logs) {
    header <- if (is.null(keys)) {
      keys <<- sort(names(logs), method = "radix")
      if (!length(text)) c("epoch", keys)
    }
    # a metric may be missing in some epochs
    values <- c(epoch, vapply(keys, function(key) if (is.null(logs[[key]])) "NA" else
      exact_text(as.double(logs[[key]])), ""))
    do.call(put, c(if (length(header)) list(header), list(values)))
  }
  self
}

#' Terminate training when the loss is NaN
#'
#' After a batch whose loss is NaN or infinite, training ends.
#'
#' @return A callback, for the argument `callbacks` of `fit()`.
#' @examples
#' callback_terminate_on_naan()
#' @export
callback_terminate_on_naan <- function() {
  self <- new_callback("terminate_on_naan")
  self$on_train_batch_end <- function(batch, logs) {
    if (is.null(logs$loss) || is.finite(logs$loss)) return()
    say(sprintf("Batch %.0f: Invalid loss, terminating training", batch))
    stop_training(self$model)
  }
  self
}

#' @rdname callback_terminate_on_naan
#' @export
callback_terminate_on_nan <- callback_terminate_on_naan

#' Callbacks present for compatibility
#'
#' Ignored, with a message; present for compatibility with Keras. Progress is shown by `fit(verbose = )`.
#'
#' @param ... ignored.
#' @return A callback without functions.
#' @examples
#' callback_progbar_logger()
#' @export
callback_progbar_logger <- function(...) {
  message("callback_progbar_logger(): ignored; `verbose` of `fit()` shows progress.")
  new_callback("progbar_logger")
}
