# tf$summary: event files for TensorBoard, as callback_tensorboard() writes them, by hand.

event_writer <- function(logdir, max_queue = NULL, flush_millis = NULL, filename_suffix = NULL, name = NULL) {
  fun <- "tf$summary$create_file_writer"
  folder <- path.expand(check_string(logdir, fun = fun))
  structure(list2env(list(file = event_file(folder, fun)), parent = emptyenv()), class = "nn_event_writer")
}

#' @export
`$.nn_event_writer` <- function(x, name) switch(name,
  as_default = , set_as_default = function(step = NULL) {
    if (name == "set_as_default") session$event_writer <- x
    x
  },
  flush = , close = function() invisible(), # what is written is in the file
  unknown_member(name, c("as_default", "set_as_default", "flush", "close"), "a writer of summaries"))

#' @export
print.nn_event_writer <- function(x, ...) {
  cat("<writer of summaries in ", dirname(.subset2(x, "file")$path), ">\n", sep = "")
  invisible(x)
}

#' @export
with.nn_event_writer <- function(data, expr, ...) {
  before <- session$event_writer
  on.exit(session$event_writer <- before)
  session$event_writer <- data
  invisible(expr)
}

#' The file of the writer at hand; NULL without one, as in TensorFlow.
#' @noRd
summary_file <- function(name, step, fun) {
  check_string(name, fun = fun)
  check_not_tracing("it writes to a file")
  if (is.null(step)) abort("`step` must be given", fun = fun)
  if (!is.null(session$event_writer)) .subset2(session$event_writer, "file")
}

summary_step <- function(step, fun) check_count(as.vector(as.array(tensor(step))), min = 0, arg = "step", fun = fun)

summary_namespace <- function() new_namespace("tf$summary", list(
  create_file_writer = event_writer,
  scalar = function(name, data, step = NULL, description = NULL) {
    file <- summary_file(name, step, "tf$summary$scalar")
    value <- check_number(as.vector(as.array(tensor(data))), arg = "data", fun = "tf$summary$scalar")
    step <- summary_step(step, "tf$summary$scalar")
    if (!is.null(file)) write_scalars(file, stats::setNames(list(value), name), step)
    invisible(!is.null(file))
  },
  histogram = function(name, data, step = NULL, buckets = NULL, description = NULL) {
    file <- summary_file(name, step, "tf$summary$histogram")
    bytes <- histogram_bytes(name, as.array(tensor(data)))
    step <- summary_step(step, "tf$summary$histogram")
    if (!is.null(file)) write_event(file, step, bytes)
    invisible(!is.null(file))
  },
  flush = function(writer = NULL) invisible()
))
