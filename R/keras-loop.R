# Loops of Keras' backend.

#' Map and fold
#'
#' `k_map_fn()` applies a function to each slice of the first axis and stacks what it gives; `k_foldl()` and `k_foldr()`
#' combine the slices one by one, from the first or from the last.
#'
#' @param fn a function of a slice; of what there is so far and a slice.
#' @param elems an array or tensor; for `k_map_fn()` also a list of such, of which `fn` gets a list of slices.
#' @param initializer what there is at first; `NULL` for the first slice.
#' @param dtype the dtype of the result; `NULL` for that of what `fn` gives.
#' @param name ignored; present for compatibility with Keras.
#' @return A tensor, or what `fn` gives.
#' @seealso [keras_backend], [op_map()], [op_scan()]
#' @examples
#' k_map_fn(function(row) k_sum(row), matrix(1:6, 3))
#' k_foldl(function(so_far, x) so_far * 10 + x, c(1, 2, 3))
#' @export
k_map_fn <- function(fn, elems, name = NULL, dtype = NULL) {
  check_function(fn, takes = 1)
  if (!is.null(name)) check_string(name)
  ys <- op_map(map_leaves(elems, as_floatx), fn)
  if (is.null(dtype)) ys else map_leaves(ys, function(y) op_cast(y, dtype))
}

#' @rdname k_map_fn
#' @export
k_foldl <- function(fn, elems, initializer = NULL, name = NULL) {
  fold(fn, elems, initializer, name, FALSE)
}

#' @rdname k_map_fn
#' @export
k_foldr <- function(fn, elems, initializer = NULL, name = NULL) {
  fold(fn, elems, initializer, name, TRUE)
}

fold <- function(fn, elems, initializer, name, reverse, fun = calling_function()) {
  if (!is.null(name)) check_string(name, fun = fun)
  check_function(fn, fun = fun, takes = 2)
  slices <- op_unstack(as_floatx(elems), axis = 1)
  reduce_slices(fn, if (reverse) rev(slices) else slices, initializer, fun)
}

#' fn of what there is so far, at first the initializer or else the first slice, and each slice.
#' @noRd
reduce_slices <- function(fn, slices, initializer, fun) {
  if (!length(slices)) abort("`elems` has no slices", class = "shape", fun = fun)
  if (is.null(initializer)) Reduce(fn, slices[-1], slices[[1]]) else
    Reduce(fn, slices, map_leaves(initializer, as_floatx))
}

#' Iterate over time
#'
#' Calls a function for each timestep, the second axis of `inputs`.
#'
#' @param step_function a function of the inputs of a timestep and of a list of states (and constants), which gives
#'   `list(output, new_states)`.
#' @param inputs an array or tensor of the shape (rows, timesteps, ...).
#' @param initial_states a list of tensors or arrays.
#' @param go_backwards begin with the last timestep?
#' @param mask an array or tensor of the shape (rows, timesteps): where it is 0, states stay and the output is that of
#'   the timestep before (at first 0).
#' @param constants a list of tensors that follow the states in the call.
#' @param unroll,input_length ignored; present for compatibility with Keras.
#' @return A list: the last output, all outputs (rows, timesteps, ...), and the states at the end.
#' @seealso [keras_backend], [layer_rnn()]
#' @examples
#' sums <- function(x, states) list(x + states[[1]], list(x + states[[1]]))
#' k_rnn(sums, array(1:6 + 0, c(1, 3, 2)), list(matrix(0, 1, 2)))[[2]]
#' @export
k_rnn <- function(step_function, inputs, initial_states, go_backwards = FALSE, mask = NULL, constants = NULL,
  unroll = FALSE, input_length = NULL) {
  check_function(step_function, takes = 2)
  check_flag(unroll)
  if (!is.null(input_length)) check_value(input_length)
  for (constant in tensor_leaves(constants)) check_value(constant, "constants")
  steps <- op_unstack(as_floatx(inputs), axis = 2)
  masks <- if (!is.null(mask)) lapply(op_unstack(tensor(mask), axis = 2), op_cast, "bool")
  at <- seq_along(steps)
  if (check_flag(go_backwards)) at <- rev(at)
  states <- lapply(as_branch(initial_states), as_floatx)
  before <- NULL
  outputs <- list()
  for (t in at) {
    result <- step_function(steps[[t]], c(states, constants))
    if (!is_branch(result) || length(result) != 2) abort("`step_function` must give list(output, states), not ",
      describe(result))
    new <- as_branch(result[[2]])
    output <- result[[1]]
    if (!is.null(masks)) {
      keep <- function(new, old) op_where(op_reshape(masks[[t]], c(-1, rep(1, rank_of(new) - 1))), new, old)
      output <- keep(output, if (is.null(before)) op_zeros_like(output) else before)
      new <- Map(keep, new, states)
    }
    states <- new
    outputs <- c(outputs, list(before <- output))
  }
  list(before, op_stack(outputs, axis = 2), states)
}
