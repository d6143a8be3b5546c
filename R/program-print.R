# What a program looks like: its slots and nodes, and as text, an op per line.

#' @param outputs symbolic tensors of the program.
#' @return a list: of each slot its kind, dtype, shape and the variable or constant that it stands for (`object`); of
#'   each node its op, and the slots that it fills and reads; the slots of the outputs; of each node its attributes.
#' @noRd
describe_program <- function(program, outputs = list()) {
  d <- .Call(C_program_describe, program, outputs)
  names(d) <- c("kind", "dtype", "shape", "op", "out", "inputs", "object", "output", "attributes")
  d
}

#' Ops of a program, one per line.
#' @noRd
format_program <- function(program, d = describe_program(program), names = TRUE) {
  slot <- function(i) sprintf("%%%d", i)
  typed <- function(i) paste(d$dtype[i], d$shape[i])
  given <- !d$kind %in% c("computed", "gradient", "state") & !seq_along(d$kind) %in% unlist(d$out[d$op != "assign"])
  named <- vapply(d$object, function(x) if (names && is_variable(x) && variable_name(x) != "Variable:0")
    paste0(" ", sub(":0$", "", variable_name(x))) else "", "")
  nodes <- vapply(seq_along(d$op), function(i) {
    read <- Filter(function(k) d$kind[k] != "state", d$inputs[[i]]) # optimizer state goes without saying
    arguments <- c(slot(read), if (nzchar(d$attributes[i])) d$attributes[i])
    call <- sprintf("%s(%s)", d$op[i], paste(arguments, collapse = ", "))
    if (!length(d$out[[i]])) return(call)
    sprintf("%s = %s %s", paste(slot(d$out[[i]]), collapse = ", "), call, paste(typed(d$out[[i]]), collapse = ", "))
  }, "")
  c(sprintf("%s = %s %s%s", slot(which(given)), d$kind[given], typed(which(given)), named[given]), nodes)
}
