# Own steps of training, testing and prediction (R/model-class.R) as programs. Batches come to them as they are: what
# they do with the parts is theirs. The numbers that a step gives are kept by variables, or are metrics, which have
# states of their own: so the engine runs batch after batch, and R asks when it wants to know.

#' Data as columns: see model_data(). `template` is the batch, with the number of a column for each part.
#' @noRd
own_data <- function(self, x, y = NULL, sample_weight = NULL, fun = calling_function(), class_weight = NULL) {
  if (is.null(x)) abort("`x` must be given", fun = fun)
  batch <- if (!is.null(sample_weight)) list(x, y, sample_weight) else if (!is.null(y)) list(x, y) else
    if (is_branch(x)) list(x) else x
  own_columns(self, weighted_batch(batch, class_weight, fun), fun)
}

#' (x, y) or (x, y, weights), weighed by the classes of y.
#' @noRd
weighted_batch <- function(batch, class_weight, fun) {
  if (is.null(class_weight)) return(batch)
  if (!is_branch(batch) || !length(batch) %in% 2:3 || is_branch(batch[[2]])) abort("`class_weight` needs batches of ",
    "(x, y) or (x, y, weights), of one output", fun = fun)
  plain <- function(x) if (is_tensor(x)) as.array(x) else x
  w <- class_weights(plain(batch[[2]]), class_weight, NULL, fun)
  if (any(w < 0)) abort("`class_weight` must not be negative", fun = fun)
  given <- if (length(batch) == 3) c(check_numbers(plain(batch[[3]]), "sample_weight", fun)) else 1
  if (!length(given) %in% c(1, length(w))) abort("`sample_weight` must have ", length(w), " numbers, one for each ",
    "row, not ", length(given), class = "shape", fun = fun)
  list(batch[[1]], batch[[2]], array(w * given, length(w)))
}

#' Floats take the model's dtype.
#' @noRd
own_columns <- function(self, batch, fun) {
  leaves <- tensor_leaves(batch)
  columns <- lapply(leaves, function(part) {
    if (is_strings(part)) abort("`x` holds strings, which own steps do not take: make numbers of them before",
      fun = fun)
    dtype <- if (is_tensor(part)) tensor_dtype(part) else if (is.factor(part) || is.integer(part) || is.logical(part))
      "int32" else self$dtype
    as_column(part, if (startsWith(dtype, "float")) self$dtype else dtype, "x", fun)
  })
  rows <- vapply(columns, function(t) if (length(dim(t))) dim(t)[1] else 0L, 0L)
  if (any(rows != rows[1])) abort("the tensors of the data must have as many samples as each other, not ",
    paste(rows, collapse = " and "), class = "shape", fun = fun)
  if (!length(rows) || rows[1] == 0) abort("`x` has no samples", fun = fun)
  template <- fill_leaves(batch, as.list(seq_along(leaves)))
  list(columns = columns, first = 0, rows = rows[1], template = template, layout = deparse1(template))
}

batch_of <- function(data, columns) map_leaves(data$template, function(k) columns[[k]])

#' The method of a kind of step.
#' @noRd
own_step <- function(self, kind, batch) {
  name <- paste0(kind, "_step")
  model <- layer_handle(self)
  found <- find_member(self$own, "methods", name)
  before <- list(session$stepping, session$penalties)
  on.exit({
    session$stepping <- before[[1]]
    session$penalties <- before[[2]]
    session$graph <- session$reports <- NULL
    forget_losses(self)
  })
  session$stepping <- self
  session$penalties <- list() # so that the further ends of its graph are computed
  step <- if (is.null(found)) base_member(model, name) else {
    found$value <- with_control(found$value)
    bound_method(model, found)
  }
  with_training(kind == "train", with_place(paste0("`", name, "`"), step(batch), fun = self$name))
}

#' The step as a program; where there can be none, list(eager = why not).
#' @noRd
trace_own_step <- function(self, kind, data, batch) {
  found <- if (isTRUE(self$compiled$eager)) list(reason = "") else look_at_step(self, paste0(kind, "_step"))
  reason <- found$reason
  names <- NULL
  results <- list()
  if (is.null(reason)) {
    trace <- try_trace(function(columns) {
      result <- own_step(self, kind, batch_of(data, columns))
      if (kind == "predict") return(result)
      results <<- lapply(step_results(self, result), keep_result)
      NULL
    }, list(specs_like(data$columns, batch)), batch)
    reason <- if (is.character(trace)) trace
    if (!guards_hold(found$guards)) {
      guards_restore(found$guards)
      reason <- "it changes an object that it finds outside"
    }
  }
  common <- list(tallies = list(), averaged = integer(), results = results, guards = found$guards,
    weigh = if (kind != "predict") list(kind = enum_code("weigh", "rows")))
  if (!is.null(reason) && !is.null(session$shards)) abort("`", kind, "_step` cannot be compiled, which a strategy ",
    "needs", if (nzchar(reason)) paste0(": ", reason, if (is.null(self$inputs))
      "; call the model on a batch before, so that it is built") else "; leave out `run_eagerly`",
      fun = user_function())
  if (is.null(reason)) {
    return(c(common, list(program = trace$program, inputs = trace$inputs, rows = trace$rows,
      optimizers = trace$optimizers, collected = tensor_leaves(trace$template))))
  }
  if (nzchar(reason) && !identical(self$told, reason)) {
    self$told <- reason
    message("`", kind, "_step` of ", self$name, " runs eagerly, not compiled: ", reason, ".")
  }
  # a program that gives the batches as they are, so that the engine shuffles the rows
  trace <- trace_call(function(columns) lapply(columns, op_stop_gradient), list(specs_like(data$columns, batch)), batch)
  c(common, list(eager = TRUE, program = trace$program, inputs = trace$inputs, rows = 0, collected = trace$template))
}

#' What look_through() says of a method of the model, whose fields count as they are when it is traced.
#' @noRd
look_at_step <- function(self, name) {
  method <- find_member(self$own, "methods", name)
  if (is.null(method)) return(list())
  look_through(bound_method(layer_handle(self), method), known = list(self), methods = all_of(self$own, "methods"))
}

step_results <- function(self, result) {
  if (is.null(result)) return(list())
  if (!is_named_list(result)) abort("a step must return a named list of numbers, not ", describe(result),
    fun = self$name)
  result
}

#' How a result is known when a program runs: a metric, a variable, or a number that never changes.
#' @noRd
keep_result <- function(x) {
  metric <- if (inherits(x, "nn_metric_result")) x else attr(x, "metric")
  if (!is.null(metric)) {
    if (metric$updates == metric_updates(metric$metric)) return(metric$metric)
    abort_trace("it updates a metric after it asked for its result")
  }
  if (is.null(x) || !is_tensor(x)) return(x)
  held <- outside_of_trace(variable(0, "float64", trainable = FALSE))
  variable_assign(held, op_reshape(op_cast(x, "float64"), integer()))
  held
}

#' @param results what keep_result() gave, or what a step gave that ran eagerly.
#' @noRd
result_numbers <- function(results) {
  numbers <- lapply(results, function(x) {
    if (is_part(x, "metric") || inherits(x, "nn_own_metric")) x <- x$result()
    plain_number(x)
  })
  names <- rep(names(numbers), lengths(numbers))
  stats::setNames(unlist(numbers), names)
}

#' One pass of a step that runs eagerly, as run_step() does it for programs.
#' @noRd
run_eagerly <- function(self, step, data, batch, state, shuffle, on_step, on_clock) {
  before <- epoch_totals(state$rows_of)[2]
  rows <- run_program(self, step, data, batch, state$rows_of, shuffle)
  if (!is.null(data$stream)) data$rows <- epoch_totals(state$rows_of)[2] - before
  rows <- lapply(rows, function(x) if (is_tensor(x)) x else tensor(x, session$floatx))
  outputs <- list()
  for (first in seq(1, by = batch, length.out = ceiling(data$rows / batch))) {
    n <- min(batch, data$rows - first + 1)
    result <- own_step(self, step$kind, batch_of(data, lapply(rows, slice_rows, first, n)))
    state$steps <- state$steps + 1
    state$rows <- state$rows + n
    if (step$kind == "predict") outputs[[length(outputs) + 1]] <- tensor_leaves(result)
    else state$results <- step_results(self, result)
    fraction <- (first + n - 1) / data$rows
    if (!is.null(on_clock)) on_clock(state$steps, fraction, state$rows)
    if (!is.null(on_step) && !isTRUE(on_step(state$steps, fraction, state$rows))) break
  }
  if (length(outputs)) lapply(seq_along(outputs[[1]]), function(k) op_concat(lapply(outputs, `[[`, k), axis = 1))
}
