# Forward accumulation: Jacobian-vector products.

#' Forward accumulation
#'
#' `tf$autodiff$ForwardAccumulator(primals, tangents)` computes Jacobian-vector products: how much results change when
#' the `primals` move along the `tangents`. In its block everything that is computed from the primals is followed, and
#' `$jvp(results)` gives, for each result y of the primals x with the tangents v, \eqn{J v} with
#' \eqn{J_{ij} = \partial y_i / \partial x_j}, a tensor like y; `NULL` (or zeros) where y does not depend on them.
#'
#' One product costs a few passes, however many numbers y has, where [gradient_tape()] gives the products
#' \eqn{u' J}. Accumulators and tapes nest in any order: a product of a gradient is a Hessian-vector product.
#'
#' @details It is computed by two backward passes: \eqn{u' J} is linear in u, and its derivative with respect to u,
#'   along v, is \eqn{J v}. So it is there for every op that has a derivative.
#' @param primals a float tensor or variable, or a list of them.
#' @param tangents an array or tensor of its shape for each of them.
#' @return An accumulator, for `with(... %as% acc, { ... })`; it has the member `jvp(primals, unconnected_gradients =
#'   "none")`, which takes a tensor or a list of them, also after the block.
#' @section Errors: `nativenet_error_shape` for a tangent of another shape or dtype than its primal.
#' @seealso [gradient_tape()], [hessian()].
#' @examples
#' x <- tf$constant(c(1, 2, 3))
#' with(tf$autodiff$ForwardAccumulator(x, tf$constant(c(1, 0, 0))) %as% acc, {
#'   y <- tf$reduce_prod(x) * x
#' })
#' acc$jvp(y)
#'
#' # a Hessian-vector product: forward over backward
#' with(tf$autodiff$ForwardAccumulator(x, tf$constant(c(0, 1, 0))) %as% acc, {
#'   with(tf$GradientTape() %as% tape, {
#'     tape$watch(x)
#'     loss <- tf$reduce_sum(x^3)
#'   })
#'   gradient <- tape$gradient(loss, x)
#' })
#' acc$jvp(gradient)
#' @export
forward_accumulator <- function(primals, tangents) {
  xs <- tensor_leaves(primals, keep_null = TRUE)
  for (x in xs) check_tensor(x, arg = "primals")
  tangents <- tensor_leaves(tangents, keep_null = TRUE)
  if (length(tangents) != length(xs)) abort("`tangents` must have one entry per primal (", length(xs), "), not ",
    length(tangents))
  tangents <- Map(function(v, x) {
    if (!is_tensor(v)) v <- tensor(v, tensor_dtype(x))
    check_gradient_of(x, v, "an entry of `tangents`", "forward_accumulator")
  }, tangents, xs)
  tape <- gradient_tape(watch_accessed_variables = FALSE)
  tape_watch(tape, xs)
  structure(list(tape = tape, primals = xs, tangents = tangents), class = "nn_accumulator")
}

#' @rdname grapes-as-grapes
#' @export
with.nn_accumulator <- function(data, expr, ...) {
  assign_as(data)
  tape_record(.subset2(data, "tape"), expr)
}

accumulator_jvp <- function(acc, y, zero) {
  check_tensor(y, arg = "primals", fun = "jvp")
  none <- function() if (zero) op_zeros_like(y)
  if (!startsWith(tensor_dtype(y), "float")) return(none())
  back <- gradient_tape(watch_accessed_variables = FALSE)
  u <- op_zeros_like(y)
  pulled <- tape_record(back, {
    tape_watch(back, u)
    composed_gradients(tape_state(acc$tape), list(y), acc$primals, list(u))
  })
  found <- Map(function(g, v) if (!is.null(g)) gradient_towards(back, g, u, list(v)), pulled, acc$tangents)
  found <- Filter(Negate(is.null), found)
  if (length(found)) Reduce(op_add, found) else none()
}

accumulator_members <- list(jvp = function(acc) {
  function(primals, unconnected_gradients = "none") {
    zero <- wants_zeros(unconnected_gradients, "jvp")
    found <- lapply(tensor_leaves(primals), function(y) accumulator_jvp(acc, y, zero))
    if (is_tensor(primals)) found[[1]] else fill_leaves(primals, found)
  }
})

#' @export
`$.nn_accumulator` <- function(x, name) {
  member <- accumulator_members[[name]]
  if (is.null(member)) unknown_member(name, names(accumulator_members), "a forward accumulator")
  member(unclass(x))
}

#' @export
.DollarNames.nn_accumulator <- function(x, pattern = "") grep(pattern, names(accumulator_members), value = TRUE)

#' @export
print.nn_accumulator <- function(x, ...) {
  cat("<forward accumulator>\n")
  cat(format_program(tape_state(.subset2(x, "tape"))$program), sep = "\n")
  invisible(x)
}
