# Second derivatives in one call.

#' Hessians
#'
#' `hessian(f, x)` gives the second derivatives of a function with one number as its value, a loss for example:
#' \eqn{H_{ij} = \partial^2 f / \partial x_i \partial x_j}. Its eigenvalues say how strongly the function is curved,
#' and in which directions; all positive where the gradient is zero, it is a minimum.
#'
#' The gradient is differentiated again, number by number: a Hessian of n numbers takes n backward passes. For large n
#' take its products with vectors instead, each as cheap as a few gradients: see the examples.
#'
#' `tf$hessians(ys, xs)` and `tf$gradients(ys, xs)` work on what was computed already, within [autograph()] or while a
#' [gradient_tape()] records.
#'
#' @param f a function of x; of no arguments if `x` is a variable or a list of variables, such as
#'   `model$trainable_weights`.
#' @param x a float tensor or an array where the derivatives are taken, or a list of them, which are then the arguments
#'   of `f`; or variables.
#' @return A tensor. For a single x the shape is that of x twice, so that `H[i, j, k, l]` is with respect to `x[i, j]`
#'   and `x[k, l]`. For a list the matrix over all their numbers, in the order of `unlist(lapply(x, as.array))`.
#' @section Errors: `nativenet_error_shape` if f gives more than one number; `nativenet_error_value` if its value is not
#'   computed from x by ops that have derivatives.
#' @references Pearlmutter (1994), "Fast exact multiplication by the Hessian",
#'   \doi{10.1162/neco.1994.6.1.147}.
#' @seealso [gradient_tape()], [forward_accumulator()], [check_gradient()] with `order = 2`.
#' @examples
#' hessian(function(x) sum(x^3), c(1, 2))
#'
#' w <- variable(matrix(c(0.5, -1, 2, 0.1), 2))
#' b <- variable(c(0, 0.2))
#' x <- matrix(rnorm(10), 5)
#' loss <- function() mean(op_square(op_tanh(op_matmul(x, w) + b)))
#' eigen(as.matrix(hessian(loss, list(w, b))))$values
#'
#' # a Hessian-vector product without the Hessian
#' v <- matrix(c(1, 0, 0, 0), 2)
#' with(tf$GradientTape() %as% outer, {
#'   with(tf$GradientTape() %as% inner, y <- loss())
#'   slope <- inner$gradient(y, w)
#' })
#' outer$gradient(slope, w, output_gradients = v)
#' @export
hessian <- function(f, x) {
  check_function(f)
  given <- tensor_leaves(x, keep_null = TRUE)
  if (!length(given)) abort("`x` must be a tensor, an array or a list of them, not ", describe(x))
  variables <- vapply(given, is_variable, NA)
  if (any(variables) && !all(variables)) abort("`x` must be variables, or none of it may be one")
  if (all(variables)) check_function(f, takes = 0)
  xs <- if (all(variables)) given else lapply(given, as_floats)
  value <- if (all(variables)) f else function() do.call(f, if (is_branch(x)) fill_leaves(x, xs) else xs)
  outer <- gradient_tape()
  inner <- gradient_tape(persistent = FALSE)
  slopes <- tape_record(outer, {
    tape_watch(outer, xs)
    y <- tape_record(inner, {
      tape_watch(inner, xs)
      with_place(NULL, value())
    })
    if (!is_tensor(y) || !all(dim(y) == 1)) abort("`f` must give a tensor of one number, not ", describe(y), if
      (is_tensor(y)) paste(" of shape", format_shape(dim(y))), class = "shape")
    gradient_towards(inner, y, xs)
  })
  if (all_null(slopes)) abort("the value of `f` has no derivative with respect to `x`: ",
    why_unconnected(tape_state(inner), list(y), xs))
  if (!is_branch(x)) return(hessian_of(outer, slopes[[1]], xs[[1]]))
  blocks <- lapply(seq_along(xs), function(i) lapply(seq_along(xs), function(j) {
    block <- hessian_of(outer, slopes[[i]], xs[[j]], xs[[i]])
    ranks <- c(rank_of(xs[[i]]), rank_of(xs[[j]]))
    as_in_r <- op_transpose(block, c(rev(seq_len(ranks[1])), ranks[1] + rev(seq_len(ranks[2]))))
    op_reshape(as_in_r, c(length(xs[[i]]), length(xs[[j]])))
  }))
  op_concat(lapply(blocks, op_concat, axis = 2), axis = 1)
}

#' The derivatives of a gradient, that of x, with respect to y; zeros where it is constant.
#' @noRd
hessian_of <- function(tape, slope, y, x = y) {
  if (is.null(slope)) return(tensor_filled(0, c(dim(x), dim(y)), tensor_dtype(y)))
  tape_jacobian(tape, slope, y, "zero", fun = "hessian")
}

#' A tape of all that the function being traced has done, or else the one that records; as in TensorFlow, where these
#' functions are for graphs.
#' @noRd
tape_so_far <- function(xs, fun) {
  tape <- gradient_tape(watch_accessed_variables = FALSE)
  state <- tape_state(tape)
  state$depth <- 1 # derivatives are recorded, too
  if (is_tracing()) {
    state$traced <- tracing_program()
    state$ranges <- list(c(0, NA))
    state$watched <- lapply(tensor_leaves(xs), function(x) list(x = x, at = 0))
  } else {
    tapes <- tapes_recording()
    if (!length(tapes)) {
      abort("nothing was recorded: it needs a function of autograph(), or the block of a tape; `hessian(f, x)` and ",
        "`tape$gradient()` work everywhere", fun = fun)
    }
    state$program <- tapes[[length(tapes)]]
  }
  tape
}

tf_gradients <- function(ys, xs, grad_ys = NULL, unconnected_gradients = "none", name = NULL) {
  if (!is.null(name)) check_string(name)
  zero <- wants_zeros(unconnected_gradients, "tf$gradients")
  found <- gradient_towards(tape_so_far(xs, "tf$gradients"), ys, xs, grad_ys, tell = !zero, fun = "tf$gradients")
  if (zero) zeros_where_null(found, xs) else found
}

tf_hessians <- function(ys, xs, name = NULL) {
  if (!is.null(name)) check_string(name)
  for (y in tensor_leaves(ys)) {
    check_tensor(y, arg = "ys", fun = "tf$hessians")
    if (!all(dim(y) == 1)) abort("`ys` must be one number, not a tensor of shape ", format_shape(dim(y)),
      class = "shape", fun = "tf$hessians")
  }
  tape <- tape_so_far(xs, "tf$hessians")
  found <- lapply(tensor_leaves(xs), function(x) {
    hessian_of(tape, gradient_towards(tape, ys, x, tell = TRUE, fun = "tf$hessians"), x)
  })
  if (is_tensor(xs)) found[[1]] else fill_leaves(xs, found)
}
