#' Gradient tape: automatic differentiation
#'
#' A tape records the ops that run while it is open, and computes gradients by reverse-mode differentiation
#' (back-propagation). It watches trainable [variable()]s, tensors given to `tape_watch()`, and everything computed from
#' them.
#'
#' `tape_gradient()` gives the gradient of the sum of the targets' elements with respect to each source:
#' `NULL` where a source has no part in the targets; if that is so for all sources, a warning of class
#' `nativenet_warning_gradient` says what is likely to have cut the way. A tape that is not
#' `persistent` lets go of all it recorded when it is asked the first time, and refuses a second question; for a loop of
#' training steps that is what you want.
#'
#' In TensorFlow's spelling: `with(tf$GradientTape() %as% tape, { ... })`, then `tape$gradient(target, sources)`. A tape
#' has the members `gradient`, `jacobian`, `batch_jacobian`, `watch`, `watched_variables`, `reset` and
#' `stop_recording`.
#'
#' @section Derivatives of derivatives:
#' Tapes may be nested, to any depth. A gradient that is taken while another tape records is recorded there, and so may
#' be differentiated again; likewise one that a `persistent` tape is asked for within its own block. Such gradients are
#' made of ordinary ops, one by one, and take a few times as long as others; take a gradient outside of the blocks if
#' its derivative is not wanted. All that holds in [autograph()] and in layers and losses that `fit()` trains, too.
#' Derivatives that are zero everywhere, as the second of `3 * x`, are `NULL`, as in TensorFlow.
#'
#' @section Jacobians:
#' `tape$jacobian(target, sources)` has the derivative of each element of the target,
#' \eqn{J_{ij} = \partial y_i / \partial x_j}: a tensor of the target's shape followed by the source's, or a list of
#' these. It takes a backward pass for each element. `tape$batch_jacobian(target, source)` is for tensors whose first
#' axis is a batch, each row of the target (b, ...) being computed from the same row of the source (b, ...) alone: the
#' Jacobian of each row, (b, target's other axes, source's other axes), by as many passes as one row has elements.
#' `unconnected_gradients = "zero"` gives zeros in place of `NULL`, there and in `tape$gradient()`. See [hessian()] for
#' second derivatives and [forward_accumulator()] for products with vectors.
#'
#' @param tape what `gradient_tape()` returned.
#' @param persistent may it be asked more than once?
#' @param watch_accessed_variables watch trainable variables automatically?
#' @param expr code whose ops are recorded; it runs where it stands, as if there were no tape.
#' @param x a float tensor.
#' @param target a tensor, or a list of them.
#' @param sources a tensor, or a list of them; lists may be nested and named, and the result is built alike.
#' @param output_gradients the gradient to start from: `NULL` for ones, or a list with an array of
#'   its shape per target: the result is then the vector-Jacobian product.
#' @return `gradient_tape()`: a tape. `tape_record()`: the value of `expr`. `tape_gradient()`: a
#'   tensor like `sources` or `NULL`, or a list of these if `sources` is a list.
#' @seealso [variable()], [optimizer_adam()] for steps along gradients, [autograph()] for the same in C,
#'   [hessian()], [forward_accumulator()], [custom_gradient()], [check_gradient()];
#'   `vignette("tensors-and-tapes")` and `vignette("lab-autoencoder-tape")`.
#' @examples
#' w <- variable(3)
#' tape <- gradient_tape()
#' y <- tape_record(tape, op_square(w))
#' as.array(tape_gradient(tape, y, w))
#'
#' with(tf$GradientTape() %as% tape, {
#'   y <- w^3
#' })
#' tape$gradient(y, w)
#'
#' # the second derivative of w^3
#' with(tf$GradientTape() %as% outer, {
#'   with(tf$GradientTape() %as% inner, y <- w^3)
#'   slope <- inner$gradient(y, w)
#' })
#' outer$gradient(slope, w)
#'
#' x <- tf$constant(matrix(c(1, 2, 3, 4), 2))
#' with(tf$GradientTape() %as% tape, {
#'   tape$watch(x)
#'   y <- tf$nn$softmax(x)
#' })
#' tape$batch_jacobian(y, x)
#' @export
gradient_tape <- function(persistent = TRUE, watch_accessed_variables = TRUE) {
  state <- list2env(list(
    program = .Call(C_program_new),
    persistent = check_flag(persistent),
    watches_variables = check_flag(watch_accessed_variables),
    used = FALSE,
    depth = 0,      # of the blocks of code that it records; 0: it does not
    ranges = NULL,  # of a traced function's program that it saw: list(c(first, end), ...), end NA while it goes on
    traced = NULL,  # this program
    watched = NULL  # what it was told to watch there: list(list(x =, at =), ...), the position from which on
  ), parent = emptyenv())
  if (!watch_accessed_variables) .Call(C_tape_reset, state$program, FALSE)
  tape <- list(state = state)
  class(tape) <- "nn_tape" # structure() takes as long as an op
  tape
}

tape_state <- function(tape) .subset2(tape, "state")

# Begin and end recording, in the program of the function that is being traced or else as ops run.
tape_start <- function(state) {
  if (is_tracing()) {
    state$traced <- tracing_program()
    state$ranges <- c(state$ranges, list(c(.Call(C_program_position, state$traced), NA)))
    session$traced_tapes <- c(session$traced_tapes, list(state))
  }
  set_recording(tapes = c(recording[[1]], list(state$program))) # while a function is traced, what runs on constants
  state$depth <- state$depth + 1
}

tape_stop <- function(state) {
  if (state$depth == 0) return()
  state$depth <- state$depth - 1
  n <- length(state$ranges)
  if (n && is.na(state$ranges[[n]][2])) state$ranges[[n]][2] <- .Call(C_program_position, state$traced)
  if (length(session$traced_tapes))
    session$traced_tapes <- Filter(function(other) !identical(other, state), session$traced_tapes)
  tapes <- recording[[1]]
  for (at in rev(seq_along(tapes))) if (is_same(tapes[[at]], state$program)) return(set_recording(tapes = tapes[-at]))
}

#' @rdname gradient_tape
#' @export
tape_record <- function(tape, expr) {
  state <- tape_state(check_tape(tape))
  tape_start(state)
  on.exit(tape_stop(state))
  with_place(NULL, expr)
}

#' What is done for show or for bookkeeping leaves nothing on tapes.
#' @noRd
unrecorded <- function(expr) {
  before <- tapes_recording()
  on.exit(set_recording(tapes = before))
  set_recording(tapes = NULL)
  expr
}

#' @rdname gradient_tape
#' @export
tape_watch <- function(tape, x) {
  state <- tape_state(check_tape(tape))
  for (t in tensor_leaves(x)) {
    check_tensor(t, arg = "x")
    if (!is_symbolic(t) && !(is_tracing() && is_variable(t))) .Call(C_tape_watch, state$program, t)
    if (is_tracing()) {
      state$watched <- c(state$watched, list(list(x = t, at = .Call(C_program_position, tracing_program()))))
    }
  }
  invisible(x)
}

#' @rdname gradient_tape
#' @export
tape_gradient <- function(tape, target, sources, output_gradients = NULL) gradient_towards(tape, target, sources,
  output_gradients, tell = TRUE)

#' The derivative of a variable towards itself is 1, whether or not an op has read it. A program that is being traced
#' knows so where the gradient is a node of it.
#' @noRd
meet_sources <- function(state, targets, sources, of_ops) {
  for (x in targets) {
    if (!state$watches_variables || !is_variable(x) || !is_trainable(x) || !is_one_of(x, sources)) next
    if (!is_tracing()) .Call(C_tape_watch, state$program, x)
    else if (of_ops) {
      op_stop_gradient(x) # now it has a place there
      state$watched <- c(state$watched, list(list(x = x, at = 0)))
    }
  }
}

#' @param tell say why if no source has a gradient?
#' @noRd
gradient_towards <- function(tape, target, sources, output_gradients = NULL, tell = FALSE, fun = calling_function()) {
  state <- tape_state(check_tape(tape, fun))
  if (state$used) {
    abort(
      "this tape was asked already and has let go of what it recorded; `tf$GradientTape(persistent = TRUE)` makes one ",
      "that may be asked again", class = "tape", fun = fun)
  }
  targets <- tensor_leaves(target)
  wanted <- tensor_leaves(sources, keep_null = TRUE)
  for (x in targets) check_tensor(x, arg = "target", fun = fun)
  for (x in wanted) check_source(x, fun)
  seeds <- if (!is.null(output_gradients)) check_seeds(output_gradients, targets, fun)
  of_ops <- made_of_ops(state, seeds)
  meet_sources(state, targets, wanted, of_ops)
  gradients <- if (of_ops) {
    before <- tapes_recording()
    if (!state$persistent) set_recording(tapes = Filter(function(p) !is_same(p, state$program), before))
    on.exit(set_recording(tapes = before))
    composed_gradients(state, targets, wanted, seeds)
  } else if (!is_tracing()) {
    eager_gradients(state, targets, wanted, seeds)
  } else {
    traced_gradients(state, targets, wanted)
  }
  if (tell && length(wanted) && length(targets) && all_null(gradients)) {
    warn("`", fun, "()`: no source has a gradient, the result is NULL: ", why_unconnected(state, targets, wanted),
      class = "gradient")
  }
  if (!state$persistent) tape_end(state)
  if (is_tensor(sources)) gradients[[1]] else fill_leaves(sources, gradients)
}

#' The trainable variables that a tape has met.
#' @noRd
recorded_variables <- function(state) {
  if (!is_tracing()) return(.Call(C_tape_variables, state$program))
  unique_objects(Filter(Negate(is.null), do.call(c, lapply(recorded(state)$nodes, `[[`, "trained"))))
}

#' Let go of all that was recorded, after the last question.
#' @noRd
tape_end <- function(state) {
  if (!is_tracing()) .Call(C_tape_reset, state$program, state$watches_variables)
  state$used <- TRUE
}

#' What is likely to have cut the way from the sources to the targets.
#' @noRd
why_unconnected <- function(state, targets, sources) {
  whole <- function(xs) vapply(xs, function(x) !startsWith(tensor_dtype(x), "float"), NA)
  if (all(whole(sources))) return(paste0("the source is ", tensor_dtype(sources[[1]]),
    ", and only floating-point numbers have derivatives, as of `tf$Variable(2)`, not `tf$Variable(2L)`"))
  if (length(targets) && all(whole(targets)))
    return(paste0("the target is ", tensor_dtype(targets[[1]]), ", and only floating-point numbers have derivatives"))
  if (is_tracing()) return("the target is not computed from the sources while the tape records")
  seen <- recorded(state)
  follows <- function(x) any(seen$follows[seen$find(list(x), 1L)[[1]]])
  if (!state$watches_variables || !any(vapply(sources, function(x) is_variable(x) && is_trainable(x), NA))) {
    if (!any(vapply(sources, follows, NA))) {
      return(paste0(if (is_variable(sources[[1]])) "a tape follows such variables" else
        "a tape follows variables, and constants", " only if it is told before: `tape$watch(x)` in its block"))
    }
  }
  if (!any(vapply(targets, follows, NA))) {
    return(
      paste0(
        "the target was not computed from them while the tape recorded. Its ops must run within ",
        "`with(tf$GradientTape() %as% tape, { ... })`, ",
      "on tensors, not on R's numbers as `as.array()` gives them, and without `op_stop_gradient()`, comparisons and ",
      "casts to whole numbers on the way"))
  }
  "the target does not depend on them"
}

eager_gradients <- function(state, targets, sources, seeds)
  .Call(C_tape_gradient, state$program, targets, sources, seeds, gradient_scratch)

# Here the gradient becomes part of the traced function's program.
traced_gradients <- function(state, targets, sources) {
  range <- state$ranges[[1]]
  if (is.na(range[2])) range[2] <- .Call(C_program_position, state$traced)
  .Call(C_program_gradient, state$traced, targets, sources, lapply(state$watched, `[[`, "x"),
    as.integer(c(range, state$watches_variables)))
}

#' Must the gradient be made of ops, as in R/derivative.R? Yes if a tape is recording that may ask for its derivative,
#' or if the engine cannot make it: custom gradients, linear algebra, and in traced functions all but the usual.
#' @noRd
made_of_ops <- function(state, seeds) {
  if (state$persistent && state$depth > 0) return(TRUE)
  if (!is_tracing()) {
    for (p in recording[[1]]) if (!is_same(p, state$program)) return(TRUE)
    return(.Call(C_program_by_rule, state$program))
  }
  if (!is_same(state$traced, tracing_program())) abort_trace("a tape was recorded elsewhere")
  for (other in session$traced_tapes)
    if (!identical(other, state) && is_same(other$traced, state$traced)) return(TRUE)
  start <- state$ranges[[1]][1]
  !all_null(seeds) || length(state$ranges) != 1 || .Call(C_program_position, state$program) > 0 ||
    any(vapply(state$watched, function(w) w$at > start || !is_symbolic(w$x) && !is_variable(w$x), NA)) ||
    .Call(C_program_by_rule, state$traced)
}

#' The gradients to start from as tensors, one per target, NULL for ones.
#' @noRd
check_seeds <- function(seeds, targets, fun) {
  seeds <- if (is_branch(seeds)) seeds else list(seeds)
  if (length(seeds) != length(targets)) {
    abort("`output_gradients` must have one entry per target (", length(targets), "), not ", length(seeds), fun = fun)
  }
  Map(function(seed, target) {
    if (is.null(seed)) return(NULL)
    if (!is_tensor(seed)) seed <- tensor(seed, tensor_dtype(target))
    check_gradient_of(target, seed, "an entry of `output_gradients`", fun)
  }, seeds, targets)
}

#' A gradient has the dtype and the shape of what it is of.
#' @noRd
check_gradient_of <- function(x, gradient, what, fun) {
  if (tensor_dtype(gradient) == tensor_dtype(x) && same_sizes(shape_of(gradient), shape_of(x))) return(gradient)
  abort(what, " must be ", tensor_dtype(x), " of shape ", format_shape(dim(x)), " like what it belongs to, not ",
    tensor_dtype(gradient), " of shape ", format_shape(dim(gradient)), class = "shape", fun = fun)
}

#' @export
print.nn_tape <- function(x, ...) {
  cat("<tape>\n")
  cat(format_program(tape_state(x)$program), sep = "\n")
  invisible(x)
}

tape_members <- list(
  gradient = function(tape) {
    function(target, sources, output_gradients = NULL, unconnected_gradients = "none") {
      zero <- wants_zeros(unconnected_gradients, "tape$gradient")
      gradients <- gradient_towards(tape, target, sources, output_gradients, tell = !zero, fun = "tape$gradient")
      if (zero) zeros_where_null(gradients, sources) else gradients
    }
  },
  watch = function(tape) function(tensor) tape_watch(tape, tensor),
  watched_variables = function(tape) function() recorded_variables(tape_state(tape)),
  reset = function(tape) {
    function() {
      state <- tape_state(tape)
      .Call(C_tape_reset, state$program, state$watches_variables)
      state$used <- FALSE
      state$ranges <- state$watched <- NULL
      invisible(tape)
    }
  },
  stop_recording = function(tape) {
    function() structure(list(enter = function() tape_stop(tape_state(tape)), exit = function()
      tape_start(tape_state(tape))), class = "nn_context")
  },
  jacobian = function(tape) {
    function(target, sources, unconnected_gradients = "none", parallel_iterations = NULL, experimental_use_pfor = TRUE)
      tape_jacobian(tape, target, sources, unconnected_gradients)
  },
  batch_jacobian = function(tape) {
    function(target, source, unconnected_gradients = "none", parallel_iterations = NULL, experimental_use_pfor = TRUE)
      tape_batch_jacobian(tape, target, source, unconnected_gradients)
  }
)

wants_zeros <- function(unconnected_gradients, fun)
  check_choice(unconnected_gradients, c("none", "zero"), arg = "unconnected_gradients", fun = fun) == "zero"

zeros_where_null <- function(gradients, sources) {
  zero <- function(g, source) if (is.null(g)) op_zeros_like(source) else g
  if (is_tensor(sources)) return(zero(gradients, sources))
  fill_leaves(sources, Map(zero, tensor_leaves(gradients, keep_null = TRUE), tensor_leaves(sources)))
}

#' @export
`$.nn_tape` <- function(x, name) {
  member <- tape_members[[name]]
  if (is.null(member)) unknown_member(name, names(tape_members), "a tape")
  member(x)
}

#' @importFrom utils .DollarNames
#' @export
.DollarNames.nn_tape <- function(x, pattern = "") grep(pattern, names(tape_members), value = TRUE)

check_tape <- function(tape, fun = calling_function()) {
  if (inherits(tape, "nn_tape")) return(tape)
  abort("`tape` must come from `gradient_tape()`, not be ", describe(tape), fun = fun)
}

check_tensor <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is_tensor(x)) return(x)
  abort("`", arg, "` must be a tensor, not ", describe(x), fun = fun)
}

check_source <- function(x, fun = calling_function()) {
  if (is_tensor(x)) return(x)
  abort("`sources` must be variables or tensors, not ", describe(x), "; `tf$Variable()` makes a variable of an array",
    fun = fun)
}

# ---- `with(context %as% name, { ... })` ----

#' Context managers: with() and %as%
#'
#' `with(tf$GradientTape() %as% tape, { ... })` runs the block where it stands and records its ops: `tape`, and
#' everything that the block assigns, is there afterwards.
#'
#' @param object a context: a tape, what its `stop_recording()` gives, or a [forward_accumulator()].
#' @param name a name, not quoted.
#' @param data a context.
#' @param expr a block of code.
#' @param ... ignored.
#' @return `%as%`: the context. `with()`: the block's value.
#' @examples
#' x <- tf$Variable(3)
#' with(tf$GradientTape() %as% tape, y <- x^2)
#' tape$gradient(y, x)
#' @name grapes-as-grapes
#' @export
`%as%` <- function(object, name) {
  name <- substitute(name)
  if (!is.name(name)) abort("the right side must be a name, not ", deparse1(name), fun = "%as%")
  assign(as.character(name), object, envir = parent.frame())
  # with() of reticulate names what a context of Python gives
  if (is_foreign(object)) {
    attr(object, "as") <- as.character(name)
    attr(object, "as_envir") <- parent.frame()
  }
  object
}

#' reticulate's operator of that name leaves a mark, where and under which name with() shall assign.
#' @noRd
assign_as <- function(context) {
  name <- attr(context, "as")
  if (is.null(name)) return()
  envir <- attr(context, "as_envir")
  attr(context, "as") <- attr(context, "as_envir") <- NULL
  assign(name, context, envir = if (is.null(envir)) parent.frame(2) else envir)
}

#' @rdname grapes-as-grapes
#' @export
with.nn_tape <- function(data, expr, ...) {
  assign_as(data)
  tape_record(data, expr)
}

#' @rdname grapes-as-grapes
#' @export
with.nn_context <- function(data, expr, ...) {
  assign_as(data)
  data$enter()
  on.exit(data$exit())
  expr
}
