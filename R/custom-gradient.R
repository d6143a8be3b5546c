# Functions whose derivatives are given by an R function. The op `custom` stands for such a call on tapes and in
# programs; the first of its inputs carries the function, and only R/derivative.R takes its derivative.

#' A function with a gradient of your own
#'
#' `custom_gradient(f)`, or `tf$custom_gradient(f)`, gives a function that computes what `f` computes, and whose
#' derivative is what `f` says: where a derivative is known that is more stable, cheaper or deliberately another one
#' (a straight-through estimator, a reversed or clipped gradient).
#'
#' `f` returns `list(result, grad_fn)`, the result being a tensor or a list of tensors. `grad_fn(upstream)` gets the
#' gradient of the result, one argument per tensor of it, and returns the gradient with respect to the argument of `f`,
#' or a list with one entry for each, `NULL` where there is none: the vector-Jacobian product. Its ops are recorded, so
#' that derivatives of any order follow; `grad_fn` may call functions with gradients of their own. If `f` uses trainable
#' variables, `grad_fn` must have an argument `variables`; it gets them as a list, and returns
#' `list(gradients, gradients_of_the_variables)`.
#'
#' It works in tapes, in [autograph()] and in `fit()`.
#'
#' @param f a function of tensors that returns `list(result, grad_fn)`.
#' @return A function that returns the result.
#' @section Errors: `nativenet_error_value` if `f` returns anything else, if `grad_fn` gives another number of
#'   gradients or has no argument `variables` where it needs one; `nativenet_error_shape` for a gradient of another
#'   shape than the argument's.
#' @seealso [gradient_tape()].
#' @examples
#' # log(1 + exp(x)), whose derivative from the formula is Inf / Inf for large x
#' log1pexp <- custom_gradient(function(x) {
#'   e <- exp(x)
#'   list(log(1 + e), function(upstream) upstream * (1 - 1 / (1 + e)))
#' })
#' x <- tf$constant(1000, dtype = "float64")
#' with(tf$GradientTape() %as% tape, {
#'   tape$watch(x)
#'   y <- log1pexp(x)
#' })
#' tape$gradient(y, x)
#' @export
custom_gradient <- function(f) {
  check_function(f)
  function(...) {
    arguments <- list(...)
    for (x in tensor_leaves(arguments)) if (is_keras_tensor(x)) needs_values(x)
    watcher <- gradient_tape()
    made <- tape_record(watcher, do.call(f, arguments, quote = TRUE))
    if (!is_branch(made) || length(made) != 2 || !is.function(made[[2]])) {
      abort("`f` must return a list of its result and a function, the gradient, not ", describe(made),
        fun = "custom_gradient")
    }
    given <- tensor_leaves(arguments, keep_null = TRUE)
    tensors <- vapply(given, is_tensor, NA)
    variables <- Filter(function(v) !is_one_of(v, given), recorded_variables(tape_state(watcher)))
    if (length(variables) && !any(c("variables", "...") %in% names(formals(made[[2]])))) {
      abort("`f` uses variables (", some_names("", vapply(variables, variable_name, "")),
        "), so that its gradient must have an argument `variables`", fun = "custom_gradient")
    }
    if (!any(tensors) && !length(variables)) return(made[[1]])
    results <- tensor_leaves(made[[1]])
    call <- list(gradient = made[[2]], tensors = tensors, variables = variables)
    fill_leaves(made[[1]], lapply(seq_along(results), function(i) {
      about <- tensor(0L)
      attr(about, "custom") <- list(call = call, first = i == 1)
      apply_op("custom", c(list(about, results[[i]]), given[tensors], variables))
    }))
  }
}

#' A function with a gradient of your own, in keras3
#'
#' [custom_gradient()] under its name in keras3.
#'
#' @inheritParams custom_gradient
#' @inherit custom_gradient return
#' @seealso [custom_gradient()]
#' @examples
#' double <- op_custom_gradient(function(x) list(2 * x, function(upstream) 2 * upstream))
#' double(tensor(3))
#' @export
op_custom_gradient <- function(f) custom_gradient(f)

is_first_custom <- function(n) attr(n$inputs[[1]], "custom")$first

#' @param n the node of the first output; n$calls are those of all.
#' @noRd
custom_derivatives <- function(n) {
  call <- attr(n$inputs[[1]], "custom")$call
  upstream <- lapply(n$calls, function(o) if (is.null(o$dy)) op_zeros_like(o$output) else o$dy)
  found <- do.call(call$gradient, c(upstream, if (length(call$variables)) list(variables = call$variables)))
  if (length(call$variables)) {
    if (!is_branch(found) || length(found) != 2) {
      abort("a gradient with `variables` must return list(gradients, gradients of the variables), not ",
        describe(found), fun = "custom_gradient")
    }
    of_variables <- tensor_leaves(found[[2]], keep_null = TRUE)
    found <- found[[1]]
  } else {
    of_variables <- list()
  }
  found <- tensor_leaves(found, keep_null = TRUE)
  if (length(found) == length(call$tensors)) found <- found[call$tensors]
  inputs <- n$inputs[-(1:2)]
  found <- c(found, of_variables)
  if (length(found) != length(inputs)) {
    abort("the gradient must return ", length(inputs), if (length(inputs) == 1) " tensor" else " tensors",
      ", one for each argument, not ", length(found), fun = "custom_gradient")
  }
  c(list(NULL, NULL), Map(function(g, x) {
    if (is.null(g)) return(NULL)
    if (!is_tensor(g)) g <- tensor(g, tensor_dtype(x))
    check_gradient_of(x, g, "the gradient that a function of custom_gradient() gives", "custom_gradient")
  }, found, inputs))
}
