# Jacobians and Hessians: gradients of one number after the other.

#' All sources' gradients of each element of a target, stacked along a new first axis.
#' @param unit (n, the elements): where to start for each.
#' @noRd
gradient_rows <- function(tape, target, sources, units, fun) {
  state <- tape_state(check_tape(tape, fun))
  if (!state$persistent) {
    state$persistent <- TRUE # for as long as this takes; it is let go of then
    on.exit({
      state$persistent <- FALSE
      tape_end(state)
    })
  }
  rows <- lapply(units, function(unit) tensor_leaves(gradient_towards(tape, target, sources, list(unit), fun = fun),
    keep_null = TRUE))
  lapply(seq_along(sources), function(k) lapply(rows, `[[`, k))
}

#' For each of n elements a tensor of their shape that is 1 there and 0 elsewhere.
#' @noRd
units_like <- function(n, shape, dtype) lapply(seq_len(n), function(i) {
  op_reshape(tensor(array(as.numeric(seq_len(n) == i), n), dtype), shape)
})

#' What takes the place of a Jacobian that is NULL, and a word on it if all are.
#' @noRd
unconnected_jacobians <- function(found, zero, tape, target, sources, shapes, fun) {
  if (!zero && length(found) && all_null(found)) {
    warn("`", fun, "()`: no source has a gradient, the result is NULL: ",
      why_unconnected(tape_state(tape), list(target), tensor_leaves(sources)), class = "gradient")
  }
  if (!zero) return(found)
  Map(function(j, source, shape) if (is.null(j)) tensor_filled(0, shape, tensor_dtype(source)) else j, found,
    tensor_leaves(sources), shapes)
}

tape_jacobian <- function(tape, target, sources, unconnected_gradients = "none", fun = "tape$jacobian") {
  check_tensor(target, arg = "target", fun = fun)
  wanted <- tensor_leaves(sources, keep_null = TRUE)
  for (x in wanted) check_source(x, fun)
  zero <- wants_zeros(unconnected_gradients, fun)
  shape <- as.integer(dim(target))
  units <- units_like(prod(shape), shape, tensor_dtype(target))
  rows <- gradient_rows(tape, target, wanted, units, fun)
  found <- Map(function(gs, source) {
    if (!length(gs)) return(tensor_filled(0, c(shape, dim(source)), tensor_dtype(source)))
    if (!is.null(gs[[1]])) op_reshape(op_stack(gs), c(shape, dim(source)))
  }, rows, wanted)
  found <- unconnected_jacobians(found, zero, tape, target, sources, lapply(wanted, function(x) c(shape, dim(x))), fun)
  if (is_tensor(sources)) found[[1]] else fill_leaves(sources, found)
}

tape_batch_jacobian <- function(tape, target, source, unconnected_gradients = "none", fun = "tape$batch_jacobian") {
  check_tensor(target, arg = "target", fun = fun)
  check_source(source, fun)
  zero <- wants_zeros(unconnected_gradients, fun)
  if (!rank_of(target) || !rank_of(source) || !same_sizes(size_at(1, shape_of(target)), size_at(1, shape_of(source)))) {
    abort("`target` and `source` must have the same first axis, the batch, not the shapes ",
      format_shape(dim(target)), " and ", format_shape(dim(source)), class = "shape", fun = fun)
  }
  shape <- as.integer(dim(target)[-1])
  ones <- op_ones_like(target)
  units <- lapply(units_like(prod(shape), shape, tensor_dtype(target)), function(unit) op_multiply(ones, unit))
  gs <- gradient_rows(tape, target, list(source), units, fun)[[1]]
  found <- if (length(gs) && !is.null(gs[[1]])) op_reshape(op_stack(gs, 2), c(-1, shape, dim(source)[-1]))
  unconnected_jacobians(list(found), zero, tape, target, source, list(c(dim(target), dim(source)[-1])), fun)[[1]]
}
