# Windows of a time series, as batches.

#' Time series generator
#'
#' A generator of batches of temporal data: each sample is a window of `length` time steps, its target what belongs to
#' the step after the window.
#'
#' @param data a matrix or array whose first dimension is time, or a vector.
#' @param targets as many targets, a vector, matrix or array.
#' @param length time steps of a window.
#' @param sampling_rate of a window only each such step is used.
#' @param stride windows start so many steps after one another.
#' @param start_index,end_index the first and last time step to use, counted from **0**; `NULL` for the last one there
#'   is.
#' @param shuffle `TRUE` to draw windows at random, governed by `set.seed()`.
#' @param reverse `TRUE` to turn windows round in time.
#' @param batch_size windows in a batch; the last batch may be smaller.
#' @return A generator: a function without arguments that returns the next batch, `list(x, y)`, starting again after the
#'   last one. `x` has the shape (batch, `length / sampling_rate`, ...). Its `length()` is the number of batches of a
#'   pass; [fit()], [evaluate()] and [predict()] take such passes, each from the beginning, where the number of steps is
#'   not said.
#' @seealso [timeseries_dataset_from_array()]
#' @examples
#' batch <- timeseries_generator(1:10, 1:10, length = 3, batch_size = 2)
#' batch()
#' length(batch)
#' @export
timeseries_generator <- function(data, targets, length, sampling_rate = 1, stride = 1, start_index = 0,
  end_index = NULL,
                                 shuffle = FALSE, reverse = FALSE, batch_size = 128) {
  data <- plain_argument(data)
  targets <- plain_argument(targets)
  steps <- time_steps(data, "data")
  if (time_steps(targets, "targets") != steps) {
    abort("`targets` must be for as many time steps as `data` has, ", steps, ", not ", time_steps(targets, "targets"),
      class = "shape")
  }
  length <- check_count(length)
  sampling_rate <- check_count(sampling_rate, max = length)
  stride <- check_count(stride)
  batch_size <- check_count(batch_size)
  check_flag(shuffle)
  check_flag(reverse)
  first <- check_count(start_index, 0) + length
  last <- if (is.null(end_index)) steps - 1L else check_count(end_index, 0, steps - 1)
  if (first > last) {
    abort("no window fits: `length`, ", length, ", leaves no target between `start_index`, ", start_index,
      ", and the last time step, ", last)
  }
  # steps of the targets from 0, and of a window before its target
  rows <- seq(first, last, by = stride)
  back <- seq(length, 1, by = -sampling_rate)
  if (reverse) back <- rev(back)
  start <- function() {
    at <- 0L
    function() {
      in_order <- rows[at + seq_len(min(batch_size, base::length(rows) - at))]
      chosen <- if (shuffle) first - 1L + sample.int(last - first + 1L, batch_size, replace = TRUE) else in_order
      at <<- if (at + batch_size >= base::length(rows)) 0L else at + batch_size
      list(windows_at(data, outer(chosen, back, "-") + 1), take_rows(targets, chosen + 1))
    }
  }
  new_generator(start, ceiling(base::length(rows) / batch_size), list(length = length, batch_size = batch_size,
    sampling_rate = sampling_rate, stride = stride))
}

time_steps <- function(x, arg, fun = calling_function()) {
  if (!is.numeric(x) || !base::length(x)) abort("`", arg, "` must be numbers over time, not ", describe(x), fun = fun)
  NROW(x)
}

#' Elements along the first dimension.
#' @noRd
take_rows <- function(x, rows) {
  if (is.null(dim(x))) return(x[rows])
  shape <- dim(x)
  array(matrix(x, shape[1])[rows, ], c(base::length(rows), shape[-1]))
}

#' steps: a matrix (batch, time) of places along the first dimension. Returns (batch, time, the other dimensions).
#' @noRd
windows_at <- function(x, steps) array(take_rows(x, c(steps)), c(dim(steps), dim(x)[-1]))
