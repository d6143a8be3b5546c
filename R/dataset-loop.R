# Loops over data sets in code that autograph() has: `for (batch in data)`. R takes the first batch, after which it is
# known what the loop carries on, and the last, which leaves what the loop leaves behind. Those in between the engine
# takes by itself, from a native data set (src/run/epoch.c): the body is traced as a function of the batch, and what is
# carried on from one iteration to the next is held by variables.

#' @export
run_ahead.nn_dataset_loop <- function(loop, code, env) {
  between <- loop$left - 2
  if (loop$taken != 1 || is.null(loop$batches) || !is.null(code$reason)) return()
  if (!is.finite(between) || between < 2 || length(tapes_recording())) return()
  trace <- loop_trace(code, loop$value, env)
  if (!is.null(trace)) run_loop(trace, loop, between, env)
}

#' The trace of the body for what it finds now; NULL, and why, where there can be none.
#' @noRd
loop_trace <- function(code, batch, env) {
  signature <- .Call(C_signature, list(batch), 0L)[[1]]
  for (trace in code$traces) if (is_same(trace$key, signature) && loop_still_fits(trace, env)) return(trace)
  trace <- if (length(code$traces) < most_renewals) trace_loop(code, batch, env) else
    "what it finds outside changes again and again"
  if (is.character(trace)) {
    code$reason <- trace
    return(NULL)
  }
  trace$key <- signature
  code$traces <- c(code$traces, list(trace))
  trace
}

# What the body reads where it runs belongs to that run: the next one has an environment of its own.
loop_still_fits <- function(trace, env) {
  guards_hold(trace$guards) && is_same(bindings(trace$here$names, env), trace$here$values) &&
    is_same(types_of(bindings(names(trace$held), env)), trace$types)
}

types_of <- function(values) lapply(values, function(x) if (is_value(x)) tensor_info(x)[1:2])

is_value <- function(x) is_tensor(x) && !is_symbolic(x) && !is_variable(x)

trace_loop <- function(code, batch, env) {
  if (any(c("break", "next", "return") %in% all.names(code$original))) return("it leaves its loop")
  found <- look_through(body_function(code$original, code$name, env))
  if (!is.null(found$reason)) return(found$reason)
  here <- Find(function(g) identical(g$env, env), found$guards)
  carried <- setdiff(intersect(here$names, assigned_names(code$original)), code$name)
  values <- bindings(carried, env)
  if (!all(vapply(values, is_value, NA))) return("it carries on what is no tensor")
  here$values <- here$values[setdiff(here$names, carried)]
  guards <- Filter(function(g) !identical(g$env, env), found$guards)
  held <- lapply(values, variable, trainable = FALSE)
  results <- as.call(c(list(as.name("list")), lapply(carried, as.name)))
  body <- body_function(call("{", code$body, results), c(code$name, carried), env)
  trace <- try_trace(function(batch) {
    results <- lapply(do.call(body, c(list(batch), unname(held)), quote = TRUE), function(x) as_value(tensor(x)))
    Map(variable_assign, held, results)
    NULL
  }, list(batch))
  if (!guards_hold(c(found$guards))) {
    guards_restore(found$guards)
    return("it changes an object that it finds outside")
  }
  if (is.character(trace)) return(trace)
  if (sum(vapply(trace$optimizers, has_schedule, NA)) > 1) return("several learning rates follow schedules")
  list(program = trace$program, inputs = trace$inputs, optimizers = trace$optimizers, held = held,
    types = types_of(values), guards = guards, here = list(names = names(here$values), values = here$values))
}

#' Code as the body of a function with these arguments.
#' @noRd
body_function <- function(code, args, env) {
  eval(call("function", as.pairlist(stats::setNames(rep(list(quote(expr = )), length(args)), args)), code), env)
}

#' Names that code may assign to.
#' @noRd
assigned_names <- function(code) {
  if (!is.call(code)) return(NULL)
  head <- if (is.name(code[[1]])) as.character(code[[1]]) else ""
  own <- switch(head, `<-` = , `=` = , `for` = assigned_name(code[[2]]), `%as%` = all.names(code[[3]]),
    `%<-%` = all.names(code[[2]]))
  unique(c(own, unlist(lapply(as.list(code), function(x) if (!missing(x)) assigned_names(x)))))
}

#' So many batches, which all are full. What is carried on goes into the engine and comes back, also after an error.
#' @noRd
run_loop <- function(trace, loop, batches, env) {
  names <- names(trace$held)
  Map(variable_assign, trace$held, mget(names, envir = env))
  on.exit(for (name in names) assign(name, as_value(trace$held[[name]]), envir = env))
  for (optimizer in trace$optimizers) refresh(optimizer)
  scheduled <- Find(has_schedule, trace$optimizers)
  rates <- if (!is.null(scheduled)) coming_rates(scheduled, batches)
  columns <- lapply(tensor_leaves(loop$value), op_zeros_like)
  rows <- loop$batches$size
  .Call(C_epoch_run, trace$program, trace$inputs, columns, list(loop$batches$stream, seq_along(columns) - 1L),
    as.double(c(rows, 0, rows, 0, rows, 1, batches, 1, 1)), list(), integer(), list(), NULL, rates,
    if (!is.null(rates)) optimizer_now(scheduled)[[1]], .Call(C_epoch_state, 0L, 0L), list(NULL, NULL, NULL), NULL)
}
