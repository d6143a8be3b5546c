#' Gradients of recorded ops
#'
#' A tape keeps the ops that run while it records, and walks back through them. It follows trainable
#' [variable()]s, tensors named to `tape_watch()`, and everything computed from them.
#'
#' `tape_gradient()` gives the gradient of the sum of the targets' elements towards each source:
#' `NULL` where a source has no part in the targets. Tapes may be nested and asked more than once.
#' Derivatives of derivatives are not recorded.
#'
#' @param tape what `gradient_tape()` returned.
#' @param expr code whose ops are recorded; it runs where it stands, as if there were no tape.
#' @param x a float tensor.
#' @param target a tensor, or a list of them.
#' @param sources a tensor, or a list of them (names are kept).
#' @param output_gradients the gradient to start from: `NULL` for ones, or a list with an array of
#'   its shape per target.
#' @return `gradient_tape()`: a tape. `tape_record()`: the value of `expr`. `tape_gradient()`: a
#'   tensor like `sources` or `NULL`, or a list of these if `sources` is a list.
#' @examples
#' w <- variable(3)
#' tape <- gradient_tape()
#' y <- tape_record(tape, op_square(w))
#' as.array(tape_gradient(tape, y, w))
#' @export
gradient_tape <- function() {
  structure(list(program = .Call(C_program_new)), class = "nn_tape")
}

#' @rdname gradient_tape
#' @export
tape_record <- function(tape, expr) {
  check_tape(tape)
  before <- session$tapes
  on.exit(session$tapes <- before)
  session$tapes <- c(before, list(tape$program))
  expr
}

#' What is done for show or for bookkeeping leaves nothing on tapes.
#' @noRd
unrecorded <- function(expr) {
  before <- session$tapes
  on.exit(session$tapes <- before)
  session$tapes <- list()
  expr
}

#' @rdname gradient_tape
#' @export
tape_watch <- function(tape, x) {
  .Call(C_tape_watch, check_tape(tape)$program, check_tensor(x))
  invisible(x)
}

#' @rdname gradient_tape
#' @export
tape_gradient <- function(tape, target, sources, output_gradients = NULL) {
  check_tape(tape)
  targets <- if (is_tensor(target)) list(target) else target
  wanted <- if (is_tensor(sources)) list(sources) else sources
  for (x in targets) check_tensor(x, arg = "target")
  for (x in wanted) check_tensor(x, arg = "sources")
  if (!is.null(output_gradients) && !is.list(output_gradients)) output_gradients <- list(output_gradients)
  if (!is.null(output_gradients) && length(output_gradients) != length(targets)) {
    abort("`output_gradients` must have one entry per target (", length(targets), "), not ", length(output_gradients))
  }
  gradients <- .Call(C_tape_gradient, tape$program, targets, wanted, output_gradients)
  names(gradients) <- names(wanted)
  if (is_tensor(sources)) gradients[[1]] else gradients
}

#' @export
print.nn_tape <- function(x, ...) {
  cat("<tape>\n")
  cat(format_program(x$program), sep = "\n")
  invisible(x)
}

check_tape <- function(tape, fun = calling_function()) {
  if (inherits(tape, "nn_tape")) return(tape)
  abort("`tape` must come from `gradient_tape()`, not be ", describe(tape), fun = fun)
}

check_tensor <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_tensor(x)) return(x)
  abort("`", arg, "` must be a tensor, not ", describe(x), fun = fun)
}
