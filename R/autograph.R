# autograph(): an R function of tensors becomes a program that C replays, one for each kind of arguments.
#
# A function may become one if nothing but its arguments, and the variables that it finds, can make it do another
# thing the next time. R/autograph-scan.R reads its code and decides; what it found outside is remembered, and
# looked at again before each replay. Whatever cannot be traced runs eagerly, as R runs it.

#' Compile a function of tensors into a graph
#'
#' `autograph()` is TensorFlow's `tf.function()`: it gives a function that does the same as `f`, faster. The first call
#' traces the function: the ops that it issues, with gradient tapes and the steps of optimizers among them, become a
#' program (a graph), and later calls run that program in C. Arguments of other shapes, dtypes or values cause
#' retracing, and get a program of their own; batches of other sizes share one, unless the function looked at the batch
#' size (`nrow(x)`). `if` and `while` understand tensors inside it, and `for` runs over data sets and over the first
#' axis of tensors.
#'
#' A `for` over a native data set (see [tensor_slices_dataset()]) that ends in [dataset_batch()] goes through C as a
#' whole: R takes its first and its last batch, and the body is compiled for those in between, with the tensors that it
#' carries on, such as a sum of losses. It stays in R, batch by batch, where the body cannot be compiled, leaves the
#' loop by `break` or `next`, or carries on what is no tensor (`n <- n + 1` for an R number).
#'
#' Results do not depend on whether a function was compiled, but for the last bits of gradients of a variable that was
#' assigned to in between, of an embedding matrix whose rows go to a recurrent layer, and of those that start from
#' `output_gradients` or from a tape that was told late what to watch. Where the function looks at numbers (`$numpy()`,
#' an `if` on a tensor), prints, draws random numbers with R's generator, changes things outside of it or takes elements
#' from a data set, it runs eagerly (op by op), and a message says so once. When something that it found outside has
#' changed since (a number, a function, the field of an object), it is retraced. Random numbers of `tf$random` are new
#' in each call.
#' Inside the block of a gradient tape that was opened outside, a compiled function runs eagerly, so that the tape sees
#' what it does.
#'
#' Arguments that are R's own numbers and arrays are constants: a function of these alone has nothing to compile, and a
#' message says so once.
#'
#' `print()` shows the ops of the programs with shapes, `plot()` draws the graph of the last one.
#'
#' @param f a function; or a block of code, `autograph({ ... })`, which is run at once where it stands.
#' @param input_signature a list of `tf$TensorSpec()`, one for each argument: R's numbers become tensors of these
#'   dtypes, and tensors of other shapes or dtypes are refused. `NULL`: any are taken.
#' @param autograph,... ignored; present for compatibility with TensorFlow.
#' @return A function of class `nn_graph_function`; for a block its value.
#' @seealso [trace_program()], [gradient_tape()], [nn_module()]; [plot()][plot.nn_traced] draws the program;
#'   `vignette("tensors-and-tapes")` and `vignette("how-it-works")`.
#' @examples
#' w <- tf$Variable(matrix(rnorm(6), 3))
#' optimizer <- tf$optimizers$SGD(learning_rate = 0.1)
#' step <- autograph(function(x, y) {
#'   with(tf$GradientTape() %as% tape, {
#'     loss <- tf$reduce_mean(tf$square(tf$matmul(x, w) - y))
#'   })
#'   optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
#'   loss
#' })
#' x <- tf$constant(matrix(rnorm(12), 4))
#' y <- tf$constant(matrix(rnorm(8), 4))
#' step(x, y)
#' step(x, y)
#' step
#'
#' total <- 0
#' autograph({
#'   for (batch in dataset_batch(range_dataset(to = 10), 4)) total <- total + sum(batch)
#' })
#' total
#' @export
autograph <- function(f) {
  check_given(missing(f), "f")
  code <- substitute(f)
  if (is.call(code) && list(code[[1]]) %in% lapply(c("{", "for", "while", "repeat", "if"), as.name)) {
    value <- withVisible(eval(with_tensor_control(code), parent.frame()))
    if (!is.function(value$value)) return(if (value$visible) value$value else invisible(value$value))
    f <- value$value
  }
  if (inherits(f, "nn_graph_function")) return(f)
  if (!is.function(f)) return(f) # a call of a function or a value: nothing to do
  if (is.primitive(f)) abort("`f` must be an R function, not a primitive one")
  graph <- new.env(parent = emptyenv())
  graph$f <- f
  graph$run <- with_control(f)
  graph$traces <- list()
  graph$guards <- NULL # what it found outside, NULL: not looked yet
  graph$objects <- NULL # functions and objects among its arguments; what they hold lies outside, too
  graph$renewed <- 0   # how often that had changed
  graph$changes <- 0   # how many calls in turn have changed it
  graph$reason <- NULL # why it runs eagerly
  structure(function(...) graph_call(graph, list(...), parent.frame()), class = c("nn_graph_function", "nn_traced"))
}

#' @rdname autograph
#' @export
tf_function <- function(f, input_signature = NULL, autograph = TRUE, ...) {
  check_flag(autograph)
  compiled <- nativenet::autograph(check_function(f))
  if (is.null(input_signature)) return(compiled)
  if (!is_branch(input_signature) || !all(vapply(input_signature, inherits, NA, "nn_tensor_spec")))
    abort("`input_signature` must be a list of `tf$TensorSpec()`, not ", describe(input_signature))
  graph <- environment(compiled)$graph
  structure(function(...) graph_call(graph, signed_arguments(list(...), input_signature, f), parent.frame()),
    class = class(compiled))
}

#' Arguments as tensors of these shapes and dtypes, in the order of the function's.
#' @noRd
signed_arguments <- function(args, signature, f) {
  names <- setdiff(names(formals(f)), "...")
  if (length(args) != length(signature)) abort("needs ", length(signature), " arguments, as `input_signature` says, ",
    "not ", length(args), fun = "tf_function")
  args <- with_argument_names(args, names)
  args <- args[c(intersect(names, names(args)), setdiff(names(args), names))]
  args[] <- Map(function(x, spec, name) {
    x <- if (is_tensor(x)) x else tensor(x, as.character(spec$dtype))
    fits <- tensor_dtype(x) == as.character(spec$dtype) && fits_shape(shape_of(x), as.integer(spec$shape))
    if (!fits) abort("`", name, "` must be like ", format(spec), ", as `input_signature` says, not a tensor of shape ",
      format_shape(shape_of(x)), " and dtype ", tensor_dtype(x), class = "shape", fun = "tf_function")
    x
  }, args, signature, names(args))
  args
}

most_programs <- 32 # kinds of arguments, for one function
most_renewals <- 8

graph_call <- function(graph, args, caller) {
  compiled <- is.null(graph$reason) && !is_tracing() && length(tapes_recording()) == 0
  if (!compiled) return(run_in_r(graph, args, caller))
  if (!is.null(graph$guards) && !guards_hold(graph$guards)) graph_renew(graph)
  signature <- .Call(C_signature, args, 0L)
  for (trace in graph$traces) if (is_same(trace$key, signature[[1]])) return(run_visibly(trace, signature))
  open <- .Call(C_signature, args, 1L)
  for (trace in graph$traces) if (!trace$rows && is_same(trace$open_key, open[[1]])) return(run_visibly(trace,
    signature))
  graph_trace(graph, args, signature, open, sys.call(-1), caller)
}

run_in_r <- function(graph, args, caller) with_place(NULL, do.call(graph$run, args, quote = TRUE, envir = caller))

run_visibly <- function(trace, signature) {
  result <- run_trace(trace, signature[[2]])
  if (trace$visible) result else invisible(result)
}

# Something that the function found outside has changed.
graph_renew <- function(graph) {
  graph$traces <- list()
  graph$guards <- graph$objects <- NULL
  graph$renewed <- graph$renewed + 1
}

graph_trace <- function(graph, args, signature, open, call, caller) {
  reason <- if (graph$renewed > most_renewals) "what it finds outside changes again and again"
  else if (length(graph$traces) >= most_programs) "its arguments are of another kind each time"
  objects <- Filter(function(x) !is.atomic(x) && !is_tensor(x), tensor_leaves(args))
  if (is.null(reason) && (is.null(graph$guards) || length(objects))) {
    graph$objects <- c(graph$objects, objects)
    found <- look_through(graph$f, graph$objects)
    graph$guards <- found$guards
    reason <- found$reason
  }
  if (is.null(reason)) {
    trace <- try_trace(graph$run, args, open[[3]])
    if (is.character(trace)) reason <- trace
    if (!guards_hold(graph$guards)) {
      guards_restore(graph$guards)
      graph$changes <- graph$changes + 1
      if (graph$changes == 1) { # a first call may build layers: the next finds them built
        graph_renew(graph)
        return(run_in_r(graph, args, caller))
      }
      reason <- "it changes an object that it finds outside"
    }
  }
  if (is.null(reason)) {
    graph$changes <- 0
    if (length(args) && !holds_ops(trace) && is.null(graph$told)) {
      graph$told <- TRUE
      message("autograph: ", called_as(call),
        " has nothing to compile, as its arguments are no tensors: R computes with R's numbers. `tf$constant()` makes ",
        "tensors of them.")
    }
    trace$key <- signature[[1]]
    trace$open_key <- open[[1]]
    graph$traces <- c(graph$traces, list(trace))
    return(run_visibly(trace, signature))
  }
  result <- withVisible(run_in_r(graph, args, caller)) # its own errors are no reason
  graph$reason <- reason
  message("autograph: ", called_as(call), " runs eagerly, not compiled: ", reason, ".")
  if (result$visible) result$value else invisible(result$value)
}

called_as <- function(call) if (is.name(call[[1]])) paste0("`", call[[1]], "()`") else "a function"

#' Is there anything in it, of tensors?
#' @noRd
holds_ops <- function(trace) length(trace$inputs) > 0 || length(describe_program(trace$program, trace$outputs)$op) > 0

#' A trace, or why there can be none.
#' @noRd
try_trace <- function(f, args, rows = NULL) {
  before <- random_state_now()
  builds <- session$builds
  trace <- tryCatch(trace_call(f, args, rows), error = identity)
  if (!identical(before, random_state_now())) {
    # layers drew their first weights, which they do once
    if (!identical(builds, session$builds)) {
      again <- try_trace(f, args, rows)
      if (is.character(again)) put_random_state(before)
      return(again)
    }
    put_random_state(before)
    return("it draws random numbers with R's generator; those of `tf$random` can be compiled")
  }
  if (inherits(trace, "nativenet_error_traced")) return(session$aborted)
  if (inherits(trace, "error")) return(paste0("tracing it failed with \"", conditionMessage(trace), "\""))
  trace
}

# What is bound to a name that is not bound.
absent <- as.name("absent")

bindings <- function(names, env) mget(names, envir = env, ifnotfound = list(absent))

#' Are all bindings what they were, and objects without new ones? An identical value that was assigned anew counts as
#' the same.
#' @noRd
guards_hold <- function(guards) {
  for (g in guards) {
    if (!is_same(bindings(g$names, g$env), g$values)) return(FALSE)
    if (g$whole && length(g$env) != g$size) return(FALSE)
  }
  TRUE
}

guards_restore <- function(guards) {
  for (g in guards) {
    now <- bindings(g$names, g$env)
    for (name in g$names[!mapply(is_same, now, g$values)]) {
      if (identical(g$values[[name]], absent)) rm(list = name, envir = g$env) else
        assign(name, g$values[[name]], envir = g$env)
    }
    if (g$whole) rm(list = setdiff(ls(g$env, all.names = TRUE), g$names), envir = g$env)
  }
}

#' @export
print.nn_graph_function <- function(x, ...) {
  graph <- environment(x)$graph
  cat("<autograph function>\n")
  print(graph$f, useSource = TRUE)
  if (!is.null(graph$reason)) cat("runs eagerly: ", graph$reason, "\n", sep = "")
  for (trace in graph$traces) {
    cat("\nprogram for ", describe_inputs(trace), ":\n", sep = "")
    cat(if (holds_ops(trace)) format_program(trace$program) else "nothing to compile: R computes with R's numbers",
      sep = "\n")
  }
  if (is.null(graph$reason) && !length(graph$traces)) cat("not called yet, so not compiled\n")
  invisible(x)
}

describe_inputs <- function(trace) {
  if (!length(trace$inputs)) return("no tensors")
  paste(vapply(trace$inputs, function(x) {
    info <- tensor_info(x)
    paste(info[[1]], format_shape(info[[2]]))
  }, ""), collapse = ", ")
}

# ---- if, while and for on tensors and data sets ----

#' Code in which conditions may be tensors and `for` may run over tensors and data sets; everything else is as it was.
#' `for (x in over) body` becomes a `while`, so that break and next stay R's own.
#' @noRd
with_tensor_control <- function(code, loop = 1) {
  if (!is.call(code)) return(code)
  original <- code
  head <- if (is.name(code[[1]])) as.character(code[[1]]) else ""
  if (head %in% c("quote", "bquote", "~", "expression", "substitute")) return(code)
  if (head == "function") {
    code[[3]] <- with_tensor_control(code[[3]], loop)
    return(code)
  }
  again <- function(x) if (missing(x)) x else with_tensor_control(x, loop + (head == "for"))
  code <- as.call(lapply(code, again))
  switch(head,
    `if` = , `while` = {
      code[[2]] <- as.call(list(as_condition, code[[2]]))
      code
    },
    `&&` = , `||` = {
      code[2:3] <- lapply(code[2:3], function(x) as.call(list(as_condition, x)))
      code
    },
    isTRUE = , isFALSE = , switch = {
      if (length(code) > 1) code[[2]] <- as.call(list(if (head == "switch") as_choice else as_condition, code[[2]]))
      code
    },
    stopifnot = {
      code[[1]] <- stop_unless
      code
    },
    `for` = {
      name <- as.name(paste0(".loop_", loop))
      body <- as.call(list(as.name("{"), call("<-", code[[2]], as.call(list(loop_value, name))), code[[4]]))
      own <- list2env(list(name = as.character(code[[2]]), original = original[[4]], body = code[[4]], traces = list(),
        reason = NULL), parent = emptyenv())
      as.call(list(as.name("{"), call("<-", name, as.call(list(loop_over, code[[3]]))),
        as.call(list(as.name("while"), as.call(list(loop_next, name, own)), body))))
    },
    code
  )
}

with_control <- function(f) {
  if (is.primitive(f) || inherits(f, c("nn_graph_function", "nn_part", "nn_layer"))) return(f)
  body(f) <- with_tensor_control(body(f))
  f
}

as_condition <- function(x) if (is_tensor(x)) as.logical(deciding_value(x, "an `if` or `while` depends",
  "a condition must be a single value, not")) else x

#' What switch() chooses by.
#' @noRd
as_choice <- function(x) if (is_tensor(x)) as.vector(deciding_value(x, "a `switch` depends",
  "`switch()` chooses by a single value, not by")) else x

#' The value of a tensor that decides which code runs.
#' @param depends,needs beginnings of the messages.
#' @noRd
deciding_value <- function(x, depends, needs) {
  x <- known_value(x)
  if (is_symbolic(x) || is_tracing() && is_variable(x)) abort_trace(paste(depends, "on the value of a tensor"))
  if (length(x) != 1) abort(needs, " a tensor of shape ", format_shape(dim(x)), class = "shape", fun = NULL)
  as.array(x)
}

#' R's stopifnot(), which takes a tensor for something that is not TRUE.
#' @noRd
stop_unless <- function(..., exprs, exprObject, local = TRUE) {
  codes <- as.list(substitute(list(...)))[-1]
  for (i in seq_along(codes)) {
    holds <- ...elt(i)
    if (is_tensor(holds)) holds <- as_condition(op_all(op_cast(holds, "bool")))
    if (is.logical(holds) && !anyNA(holds) && all(holds)) next
    if (length(names(codes)) && nzchar(names(codes)[i])) abort(names(codes)[i], class = "assert", fun = NULL)
    abort(deparse1(codes[[i]]), if (length(holds) > 1) " are not all TRUE" else " is not TRUE", class = "assert",
      fun = NULL)
  }
  if (!missing(exprs)) eval(bquote(stopifnot(exprs = .(substitute(exprs)))), parent.frame())
  if (!missing(exprObject)) stopifnot(exprObject = exprObject, local = local)
  invisible()
}

#' An iterator over anything that `for` may be given, evaluated once.
#' @noRd
loop_over <- function(x) UseMethod("loop_over")

#' @export
loop_over.default <- function(x) {
  loop <- new.env(parent = emptyenv())
  if (is_tensor(x)) {
    if (!length(dim(x))) abort("`for` cannot run over a scalar tensor", class = "shape", fun = NULL)
    items <- dim(x)[1]
    item <- function(i) slice_rows(x, i, drop = TRUE)
  } else {
    if (is.factor(x)) x <- as.character(x)
    if (is.list(x)) x <- unclass(x)
    if (is.pairlist(x)) x <- as.list(x)
    if (!(is.list(x) || is.atomic(x) || is.null(x) || is.expression(x))) abort("`for` cannot run over ", describe(x),
      fun = NULL)
    x <- if (is.list(x)) x else as.vector(x)
    items <- length(x)
    item <- function(i) x[[i]]
  }
  i <- 0
  loop$pull <- function() {
    if (i >= items) return(NULL)
    i <<- i + 1
    list(item(i))
  }
  loop$boxed <- TRUE # an element may be NULL itself
  loop
}

#' @param code what is known of the loop's code, whoever runs it: the name of its variable, the body.
#' @noRd
loop_next <- function(loop, code) {
  run_ahead(loop, code, parent.frame())
  value <- loop$pull()
  loop$value <- if (is.null(loop$boxed) || is.null(value)) value else value[[1]]
  !is.null(value)
}

loop_value <- function(loop) loop$value

#' What a loop can do by itself before R has the next element; `env` is where its code runs.
#' @noRd
run_ahead <- function(loop, code, env) UseMethod("run_ahead")

#' @export
run_ahead.default <- function(loop, code, env) NULL

#' Row i of a tensor, without its first axis if `drop`.
#' @noRd
slice_rows <- function(x, i, n = 1, drop = FALSE) {
  shape <- dim(x)
  rows <- op_slice(x, c(i, rep(1, length(shape) - 1)), shape = c(n, shape[-1]))
  if (drop) op_reshape(rows, shape[-1]) else rows
}
