# The recurrent ops as plain ops, step by step, for derivatives of their derivatives. The formulas are those of
# src/kernels/cells.h.

cell_function <- function(name) switch(name, linear = identity, exponential = op_exp,
  hard_sigmoid = function(x) op_hard_sigmoid(x, 0.2), gelu = function(x) op_gelu(x, FALSE), get(paste0("op_", name)))

#' One step: x the projected input (B, G), state a list of h and c, by what the recurrent kernel is multiplied with.
#' @noRd
cell_steps <- list(
  lstm = function(x, state, by, kernel, bias, g, f, after) {
    z <- split_axis(x + op_matmul(by, kernel), 4, 2)
    c <- f(z[[2]]) * state$c + f(z[[1]]) * g(z[[3]])
    list(h = f(z[[4]]) * g(c), c = c)
  },
  gru = function(x, state, by, kernel, bias, g, f, after) {
    x <- split_axis(x, 3, 2)
    if (after) {
      product <- op_matmul(by, kernel)
      product <- split_axis(if (is.null(bias)) product else product + bias, 3, 2)
      a <- function(r) g(x[[3]] + r * product[[3]])
    } else {
      kernel <- split_axis(kernel, 3, 2)
      product <- lapply(kernel[1:2], function(part) op_matmul(by, part))
      a <- function(r) g(x[[3]] + op_matmul(r * by, kernel[[3]]))
    }
    z <- f(x[[1]] + product[[1]])
    list(h = z * state$h + (1 - z) * a(f(x[[2]] + product[[2]])))
  },
  simple_rnn = function(x, state, by, kernel, bias, g, f, after) {
    list(h = g(x + op_matmul(by, kernel)))
  }
)

#' @param x the inputs of the node n, see recurrent_op().
#' @return All outputs: of each step or the last, and the state at the end.
#' @noRd
unrolled_cell <- function(x, n) {
  flags <- c("bias", "mask", "dropped", "table", "h", "c")
  ints <- stats::setNames(n$ints, c("output", "backwards", "activation", "recurrent", flags, "after"))
  more <- stats::setNames(vector("list", length(flags)), flags)
  more[ints[flags] != 0] <- x[-(1:3)]
  output <- enums$cell_output[ints["output"] + 1]
  steps <- dim(x[[1]])[2]
  states <- if (n$op == "lstm") c("h", "c") else "h"
  first <- Map(function(given, like) if (is.null(given)) op_zeros_like(like) else given, more[states], n$outputs[-1])
  if (!steps) return(c(list(op_zeros_like(n$output)), unname(first)))
  mask <- if (!is.null(more$mask)) op_unstack(op_expand_dims(more$mask, -1), axis = 2)
  rows <- x[[1]]
  # what stands at masked steps may be anything
  if (!is.null(more$table)) rows <- op_gather(more$table, if (is.null(mask)) rows else op_where(more$mask, rows, 0L))
  else if (!is.null(mask)) rows <- op_where(op_expand_dims(more$mask, -1), rows, 0)
  projected <- op_matmul(rows, x[[2]])
  after <- n$op == "gru" && ints["after"] != 0
  biases <- if (after && !is.null(more$bias)) op_unstack(more$bias, axis = 1) else list(more$bias, NULL)
  if (!is.null(biases[[1]])) projected <- projected + biases[[1]]
  xs <- op_unstack(projected, axis = 2)
  state <- first
  y <- op_zeros_like(n$outputs[[2]])
  g <- cell_function(enums$cell_activation[ints["activation"] + 1])
  f <- cell_function(enums$cell_activation[ints["recurrent"] + 1])
  sequence <- list()
  for (t in if (ints["backwards"]) rev(seq_len(steps)) else seq_len(steps)) {
    by <- if (is.null(more$dropped)) state$h else state$h * op_stop_gradient(more$dropped)
    new <- cell_steps[[n$op]](xs[[t]], state, by, x[[3]], biases[[2]], g, f, after)
    y <- if (is.null(mask)) new$h else op_where(mask[[t]], new$h, y) # 0 before the first valid step
    state <- if (is.null(mask)) new else Map(function(new, old) op_where(mask[[t]], new, old), new, state)
    sequence <- c(sequence, list(y))
  }
  c(list(if (output == "last") y else op_stack(sequence, 2)), unname(state))
}
