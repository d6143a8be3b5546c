# Programs: an R function of tensors runs once with tensors that have a shape but no numbers, and the ops that
# it issues are kept. autograph() (R/autograph.R) does so by itself; trace_program() does it once and for all.

#' Trace a function into a program
#'
#' Runs an R function of tensors once, with tensors that have a shape but no numbers, and keeps the
#' ops it issued: a program (a graph). The result is called like the function and runs wholly in the engine. Variables
#' take part with the numbers that they have when it runs; all else that the function found is kept as it was. R code
#' that needs numbers (`as.array()`, `if` on a value) cannot be traced and is an error: [autograph()] falls back to
#' running such a function eagerly, and notices when what it found has changed. Tapes do not record what a
#' traced program does when it is called.
#'
#' @param f a function of tensors that returns a tensor or a list of tensors.
#' @param ... one example per argument: an array or tensor whose shape and dtype the input will have.
#' @return `trace_program()`: a function of class `nn_traced`. Called with arrays or tensors of the
#'   traced shapes it returns what `f` returns. `print()` shows its ops one by one with shapes, `plot()` draws their
#'   graph.
#' @seealso [autograph()], [plot()][plot.nn_traced]; `vignette("how-it-works")`.
#' @examples
#' f <- trace_program(function(x, y) op_sum(op_add(op_square(x), y)), c(1, 2), c(0, 0))
#' f(c(1, 2), c(5, 5))
#' f
#' @export
trace_program <- function(f, ...) {
  check_function(f)
  trace <- with_place(NULL, trace_call(f, lapply(list(...), tensor)))
  if (!length(trace$outputs)) abort("`f` must return a tensor or a list of tensors, not ", describe(trace$template))
  for (x in tensor_leaves(trace$template)) {
    if (!is_symbolic(x)) abort("`f` must return tensors that it computed from its arguments, not ", describe(x))
  }
  structure(function(...) run_trace(trace, list(...)), class = "nn_traced")
}

#' Run f with symbolic tensors in place of those (or their tensor_spec()s) among its arguments, and keep what it did.
#' Variables stay.
#'
#' @param rows inputs whose first axis has so many rows are batches: the program may serve batches of other sizes, too.
#' @return a list: the program, the only number of rows that it serves (0: any), its inputs and outputs (symbolic), the
#'   structure of the result, whether it is visible, and the optimizers that take part.
#' @noRd
trace_call <- function(f, args, rows = NULL) {
  program <- .Call(C_program_new)
  inputs <- list()
  symbolic <- fill_leaves(args, lapply(tensor_leaves(args, keep_null = TRUE), function(x) {
    spec <- if (inherits(x, "nn_spec")) unname(unclass(x)) else if (is_tensor(x) && !is_variable(x)) tensor_info(x)
    if (is.null(spec)) return(x)
    input <- .Call(C_program_input, program, dtype_code(spec[[1]]), spec[[2]], as.integer(isTRUE(spec[[2]][1] == rows)))
    inputs <<- c(inputs, list(input))
    input
  }))
  before <- list(recording[[1]], recording[[2]], session$traced_tapes)
  set_recording(tracing = program)
  session$optimizers <- session$summed <- list()
  session$aborted <- NULL
  on.exit({
    set_recording(before[[1]], before[[2]])
    session$traced_tapes <- before[[3]]
  })
  result <- withVisible(do.call(f, symbolic, quote = TRUE))
  if (!is.null(session$aborted)) abort_trace(session$aborted) # the function caught the condition itself
  for (leaf in tensor_leaves(result$value)) {
    if (!is_tensor(leaf) && !is_plain_value(leaf)) abort_trace("it returns an object, which may hold tensors")
  }
  outputs <- Filter(is_symbolic, tensor_leaves(result$value))
  .Call(C_program_seal, program, outputs, if (!is.null(session$shards)) summed_variables())
  list(program = program, rows = if (.Call(C_program_rows, program)) rows else 0, inputs = inputs, outputs = outputs,
    template = result$value, visible = result$visible, optimizers = session$optimizers)
}

#' Can it hold no tensor? Optimizers and the like are what they are, traced or not.
#' @noRd
is_plain_value <- function(x) {
  is_live_object(x) || is_module(x) || is.atomic(x) && all(vapply(attributes(x), is.atomic, NA))
}

#' What an object that takes part in a program does before each run of it.
#' @noRd
refresh <- function(x) UseMethod("refresh")

run_trace <- function(trace, values) {
  for (optimizer in trace$optimizers) refresh(optimizer)
  results <- .Call(C_program_run, trace$program, trace$inputs, values, trace$outputs)
  if (is_symbolic(trace$template)) return(results[[1]])
  at <- 0
  fill_leaves(trace$template, lapply(tensor_leaves(trace$template, keep_null = TRUE), function(x) {
    if (!is_symbolic(x)) return(x)
    at <<- at + 1
    results[[at]]
  }))
}

#' @export
print.nn_traced <- function(x, ...) {
  cat("<traced function>\n")
  cat(format_program(environment(x)$trace$program), sep = "\n")
  invisible(x)
}

#' dtype and shape of a tensor in an element; NA for an axis whose size may differ.
#' @noRd
tensor_spec <- function(dtype, dim, columns = NULL) structure(c(list(dtype = dtype, dim = as.integer(dim)),
  if (!is.null(columns)) list(columns = columns)), class = "nn_spec")
