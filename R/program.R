#' Trace a function into a program
#'
#' Runs an R function of tensors once, with tensors that have a shape but no numbers, and keeps the
#' ops it issued. The result is called like the function and runs wholly in the engine. R code that
#' needs numbers (`as.array()`, `if` on a value) cannot be traced and is an error. Tapes do not record what a
#' traced function does when it is called.
#'
#' @param f a function of tensors that returns a tensor or a list of tensors.
#' @param ... one example per argument: an array or tensor whose shape and dtype the input will have.
#' @return `trace_program()`: a function of class `nn_traced`. Called with arrays or tensors of the
#'   traced shapes it returns what `f` returns.
#' @examples
#' f <- trace_program(function(x, y) op_sum(op_add(op_square(x), y)), c(1, 2), c(0, 0))
#' f(c(1, 2), c(5, 5))
#' f
#' @export
trace_program <- function(f, ...) {
  check_function(f)
  examples <- lapply(list(...), tensor)
  program <- .Call(C_program_new)
  inputs <- lapply(examples, function(x) {
    info <- tensor_info(x)
    .Call(C_program_input, program, dtype_code(info[[1]]), info[[2]])
  })
  result <- do.call(f, inputs)
  outputs <- if (is_tensor(result)) list(result) else result
  if (!is.list(outputs) || length(outputs) == 0) abort("`f` must return a tensor or a list of tensors, not ", describe(result))
  for (x in outputs) {
    if (!is_symbolic(x)) abort("`f` must return tensors that it computed from its arguments, not ", describe(x))
  }
  run <- function(...) {
    values <- .Call(C_program_run, program, inputs, list(...), outputs, NULL, NULL)[[1]]
    if (is_tensor(result)) values[[1]] else `names<-`(values, names(outputs))
  }
  structure(run, class = "nn_traced")
}

#' Ops of a program, one per line.
#' @noRd
format_program <- function(program) {
  d <- .Call(C_program_describe, program)
  slot <- function(i) sprintf("%%%d", i)
  lines <- sprintf("%s = %s %s %s", slot(seq_along(d[[1]])), d[[1]], d[[2]], d[[3]])
  nodes <- vapply(seq_along(d[[4]]), function(i) {
    sprintf("%s = %s(%s) %s %s", slot(d[[5]][i]), d[[4]][i], paste(slot(d[[6]][[i]]), collapse = ", "),
      d[[2]][d[[5]][i]], d[[3]][d[[5]][i]])
  }, "")
  c(lines[d[[1]] != "computed" & !seq_along(d[[1]]) %in% d[[5]]], nodes)
}

#' @export
print.nn_traced <- function(x, ...) {
  cat("<traced function>\n")
  cat(format_program(environment(x)$program), sep = "\n")
  invisible(x)
}
