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

#' Data set of windows of a time series
#'
#' Batches of windows of `sequence_length` time steps, each `sampling_rate` steps after the one before, which start
#' `sequence_stride` steps after one another. The target of a window is that at the number of its **first** step: shift
#' `targets` to predict what comes later.
#'
#' @param data a vector, or a matrix or array whose first dimension is time.
#' @param targets a vector, matrix or array, or `NULL` for none. There are no windows beyond its end.
#' @param sequence_length,sequence_stride,sampling_rate whole numbers, see above.
#' @param batch_size windows in a batch; `NULL` for single ones.
#' @param shuffle in another order in each iteration?
#' @param ... not used: other arguments are refused.
#' @param seed a whole number that makes the orders the same each time the program runs; `NULL`: [set.seed()] governs.
#' @param start_index,end_index the first and the last time step to use, counted from **1** as in Keras for R; `NULL`
#'   for all.
#' @return A data set, which the engine reads by itself in [fit()]: of `list(x, y)`, or of x without targets. x has the
#'   shape (batch, `sequence_length`, ...).
#' @section Errors: `nativenet_error_value` if no window fits.
#' @seealso [timeseries_generator()], [dataset_window()]
#' @examples
#' # three numbers, and the one that follows
#' x <- 1:10
#' data <- timeseries_dataset_from_array(head(x, -3), tail(x, -3), sequence_length = 3, batch_size = 4)
#' iter_next(as_iterator(data))
#' @export
timeseries_dataset_from_array <- function(data, targets, sequence_length, sequence_stride = 1, sampling_rate = 1,
  batch_size = 128, shuffle = FALSE, ..., seed = NULL, start_index = NULL, end_index = NULL) {
  check_no_more(list(...), of = timeseries_dataset_from_array)
  check_given(missing(targets), "targets")
  series <- function(x, arg) {
    x <- if (is.data.frame(x)) as_number_matrix(x, arg, "timeseries_dataset_from_array") else
      if (is_tensor(x)) as.array(x) else plain_argument(x, arg)
    list(n = time_steps(x, arg, "timeseries_dataset_from_array"), x = tensor(with_axes(x)))
  }
  data <- series(data, "data")
  if (!is.null(targets)) targets <- series(targets, "targets")
  length <- check_count(sequence_length)
  stride <- check_count(sequence_stride)
  rate <- check_count(sampling_rate)
  if (!is.null(batch_size)) batch_size <- check_count(batch_size)
  check_flag(shuffle)
  seed <- check_seed(seed)
  first <- if (is.null(start_index)) 1 else max(1, check_count(start_index, min = 0, max = data$n))
  last <- if (is.null(end_index)) data$n else check_count(end_index, max = data$n)
  fitting <- min(last - first + 1 - (length - 1) * rate, if (!is.null(targets)) targets$n - first + 1)
  if (fitting < 1) abort("no window fits: ", length, " steps", if (rate > 1) paste(",", rate, "apart"), " between ",
    first, " and ", last, if (!is.null(targets)) paste(", with", targets$n, "targets"))
  starts <- tensor_slices_dataset(as.integer(seq(first - 1, by = stride, length.out = (fitting - 1) %/% stride + 1)))
  if (shuffle) starts <- dataset_shuffle(starts, base::length(starts), seed)
  steps <- array(as.integer((seq_len(length) - 1) * rate))
  # one by one, so that the engine does it
  windows <- dataset_map(starts, function(at) {
    x <- op_gather(data$x, at + steps)
    if (is.null(targets)) x else list(x, op_gather(targets$x, at))
  })
  if (is.null(batch_size)) windows else dataset_batch(windows, batch_size)
}
