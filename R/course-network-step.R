# The course's network as programs of the engine, if all its parts are ours: its parameters are variables, and a step is
# traced as a model's is (R/model-step.R), once for each kind of call. Programs serve batches of any number of rows.

#' Parameters and what the optimizer remembers, as tensors that programs change in place.
#' @noRd
network_engine <- function(parts, p, memory) {
  weights <- lapply(p$weights, variable, parts$dtype)
  biases <- lapply(p$biases, function(b) variable(array(b, length(b)), parts$dtype))
  numbers <- optimizer_numbers(parts$optimizer)
  optimizer <- .Call(C_optimizer_new, numbers)
  variables <- c(weights, biases)
  states <- unlist(.Call(C_optimizer_states, optimizer, variables), recursive = FALSE)
  e <- list(
    weights = weights, biases = biases, variables = variables, optimizer = optimizer,
    memory = c(.Call(C_optimizer_memory, optimizer, NULL, NULL)[1], states),
    made_for = list(numbers[1], parts$dtype), sizes = c(nrow(p$weights[[1]]), ncol(p$weights[[length(weights)]]))
  )
  if (identical(memory$made_for, e$made_for)) copies(memory$tensors, e$memory)
  e$kept <- new_kept(c(e$memory, variables))
  e
}

#' One layer on tensors; the multiply and the activation are one op where the engine has it so.
#' @noRd
layer_op <- function(activation, x, w, b) {
  kind <- class(activation)[1]
  if (kind == "htan") kind <- "tanh"
  if (kind == "elu") return(op_dense(x, w, b, "elu", alpha = activation$alpha))
  if (kind %in% enums$dense_activation) return(op_dense(x, w, b, kind))
  course_ops[[kind]](activation, op_dense(x, w, b))
}

#' Pairs of last activation and loss that are computed together, from the pre-activations.
#' @noRd
is_fused <- function(activation, loss) {
  paste(class(activation)[1], class(loss)[1]) %in% c("sigmoid binary_crossentropy", "softmax categorical_crossentropy")
}

#' What the network makes of inputs, and of targets if there are any: list(output, loss). Losses that are computed from
#' the pre-activations leave the output for who asks for it.
#' @noRd
network_ops <- function(parts, e, x, y = NULL) {
  last <- length(e$weights)
  for (i in seq_len(last - 1)) x <- layer_op(parts$activations[[i]], x, e$weights[[i]], e$biases[[i]])
  activation <- parts$activations[[last]]
  fused <- is_fused(activation, parts$loss)
  z <- if (fused) op_dense(x, e$weights[[last]], e$biases[[last]])
  output <- if (fused) course_ops[[class(activation)[1]]](activation, z) else
    layer_op(activation, x, e$weights[[last]], e$biases[[last]])
  if (is.null(y)) return(list(output))
  losses <- course_ops[[class(parts$loss)[1]]](parts$loss, y, if (fused) z else output, fused)
  penalty <- function(kind) {
    if (parts[[kind]] > 0) lapply(e$weights, regularizer_formulas[[kind]], list(l = parts[[kind]]))
  }
  list(output, Reduce(op_add, c(list(op_mean(losses)), penalty("l1"), penalty("l2"))))
}

#' The program of this kind ("train", "gradients", "evaluate", "predict"), from the cache if it is there.
#' @noRd
network_step <- function(self, kind) {
  cache <- step_cache(self)
  if (!network_is_current(cache)) rm(list = ls(cache), envir = cache)
  key <- paste(c(kind, if (!is.null(session$shards)) "shards"), collapse = " ")
  step <- cache[[key]]
  if (!is.null(step)) return(step)
  cache$traced <- traced_fields(self$parts)
  cache[[key]] <- trace_network(self$parts, self$engine, kind)
}

trace_network <- function(parts, e, kind) {
  step <- function(x, y = NULL) {
    tape <- gradient_tape(persistent = FALSE)
    found <- tape_record(tape, network_ops(parts, e, x, y))
    if (kind %in% c("predict", "evaluate")) return(found)
    loss <- found[[2]]
    if (kind == "train") guard_step(over_all_shards(list(loss))[[1]], e$kept)
    gradients <- gradient_towards(tape, loss, e$variables)
    if (kind == "train") gradients <- over_all_shards(gradients)
    if (kind == "gradients") return(c(list(loss), gradients))
    .Call(C_program_update, tracing_program(), e$optimizer, gradients, e$variables)
    loss
  }
  rows <- 2
  widths <- if (kind == "predict") e$sizes[1] else e$sizes
  trace <- trace_call(step, lapply(widths, function(n) tensor_spec(parts$dtype, c(rows, n))), rows)
  tallies <- switch(kind, train = trace$outputs, evaluate = trace$outputs[2], list())
  list(program = trace$program, inputs = trace$inputs, outputs = trace$outputs, rows = trace$rows, tallies = tallies,
    averaged = rep(1L, length(tallies)), size = length(tallies), weigh = list(kind = enum_code("weigh", "rows")),
    collected = if (kind %in% c("predict", "evaluate")) trace$outputs[1] else list())
}

#' Fields of the parts whose values programs are traced with.
#' @noRd
traced_fields <- function(parts) {
  fields <- lapply(c(list(parts$loss), parts$activations), function(part) {
    home <- as.environment(part)
    lapply(intersect(c("epsilon", "reduction", "alpha"), ls(home)), function(name)
      list(home = home, name = name, value = home[[name]]))
  })
  unlist(fields, recursive = FALSE)
}

network_is_current <- function(cache) {
  for (field in cache$traced) if (!identical(field$home[[field$name]], field$value)) return(FALSE)
  TRUE
}

network_is_native <- function(parts) {
  is_native(parts$loss) && is_native(parts$optimizer) && all(vapply(parts$activations, is_native, NA))
}
