# Branches and loops of keras3, which run as R code does: op by op, or noted once as a function is traced.

#' Branches and loops
#'
#' As in R's keras3. In a traced function, conditions must not depend on numbers that are known only when it runs, see
#' [autograph()].
#'
#' * `op_cond()`: one function or the other; `op_switch()`: that of several with the number `index`, 1-based, the first
#'   or the last where there is none.
#' * `op_while_loop()`: `loop_vars <- body(loop_vars)` as long as `cond(loop_vars)` holds; `op_fori_loop()`:
#'   `value <- body_fun(i, value)` for i from `lower` to below `upper`.
#' * `op_map()`, `op_vectorized_map()`: `f` of each slice of the first axis, stacked; `op_vectorize()`: a function that
#'   does so with all its arguments.
#' * `op_scan()`: `c(carry, y) <- f(carry, x)` over the slices; a list of the last carry and all y.
#'   `op_associative_scan()`: what all slices up to each make together by `f(a, b)`.
#'
#' @param pred TRUE, FALSE or a tensor of one value.
#' @param true_fn,false_fn functions without arguments.
#' @param index a whole number.
#' @param branches a list of functions.
#' @param ... what they are called with; for `op_vectorize()` not used.
#' @param cond,body functions of as many arguments as there are `loop_vars`.
#' @param loop_vars a tensor or a list of tensors.
#' @param maximum_iterations how often at most; `NULL` for any number.
#' @param lower,upper whole numbers.
#' @param body_fun a function of the number and the value.
#' @param init_val,init what the loop begins with: a tensor, or lists of tensors.
#' @param xs,elements,elems a tensor, or a list of tensors with the same first axis.
#' @param f,func a function.
#' @param length how many steps, where `xs` is `NULL`.
#' @param reverse from the last slice to the first?
#' @param unroll has no effect.
#' @param axis the axis of the slices, 1-based.
#' @param excluded,signature must be `NULL`.
#' @return What the functions give.
#' @seealso [autograph()]
#' @examples
#' op_cond(TRUE, function() 1, function() 2)
#' op_while_loop(function(i) i < 5, function(i) i + 2, 0)
#' as.array(op_map(matrix(1:6, 3), function(row) op_sum(row)))
#' op_scan(function(carry, x) list(carry + x, carry), 0, c(1, 2, 3))
#' @export
op_cond <- function(pred, true_fn, false_fn) {
  branches <- list(check_function(true_fn, takes = 0), check_function(false_fn, takes = 0))
  branches[[if (one_truth(pred, "pred")) 1 else 2]]()
}

#' @rdname op_cond
#' @export
op_switch <- function(index, branches, ...) {
  if (!is_branch(branches) || !length(branches)) abort("`branches` must be a list of functions, not ",
    describe(branches))
  for (branch in branches) check_function(branch, "branches", takes = ...length())
  at <- check_whole(if (is_tensor(index)) as.array(index) else index, arg = "index")
  branches[[min(max(at, 1), length(branches))]](...)
}

#' @rdname op_cond
#' @export
op_while_loop <- function(cond, body, loop_vars, maximum_iterations = NULL) {
  several <- is_branch(loop_vars)
  vars <- as_branch(loop_vars)
  for (x in tensor_leaves(vars, keep_null = TRUE)) if (!is_tensor(x)) check_numbers(x, "loop_vars")
  vars <- map_leaves(vars, as_floatx)
  check_function(cond, takes = length(vars))
  check_function(body, takes = length(vars))
  left <- if (is.null(maximum_iterations)) Inf else check_count(maximum_iterations, min = 0)
  while (left > 0 && one_truth(do.call(cond, vars, quote = TRUE), "cond()")) {
    vars <- as_branch(do.call(body, vars, quote = TRUE))
    left <- left - 1
  }
  if (several) vars else vars[[1]]
}

#' @rdname op_cond
#' @export
op_fori_loop <- function(lower, upper, body_fun, init_val) {
  check_function(body_fun, takes = 2)
  for (leaf in tensor_leaves(init_val)) check_value(leaf, "init_val")
  init_val <- map_leaves(init_val, as_floatx)
  lower <- check_whole(if (is_tensor(lower)) as.array(lower) else lower, arg = "lower")
  upper <- check_whole(if (is_tensor(upper)) as.array(upper) else upper, arg = "upper")
  for (i in seq_len(max(0, upper - lower))) init_val <- body_fun(as.integer(lower + i - 1), init_val)
  init_val
}

#' @rdname op_cond
#' @export
op_map <- function(xs, f) {
  check_function(f, takes = 1)
  stack_results(lapply(seq_len(slices_of(xs)), function(i) f(slice_at(xs, i))), "xs")
}

#' @rdname op_cond
#' @export
op_vectorized_map <- function(elements, f) {
  check_function(f, takes = 1)
  stack_results(lapply(seq_len(slices_of(elements)), function(i) f(slice_at(elements, i))), "elements")
}

#' @rdname op_cond
#' @export
op_vectorize <- function(func, ..., excluded = NULL, signature = NULL) {
  check_function(func)
  if (!is.null(excluded) || !is.null(signature)) abort("`excluded` and `signature` must be NULL")
  function(...) {
    xs <- list(...)
    stack_results(lapply(seq_len(slices_of(xs)), function(i) do.call(func, slice_at(xs, i))), "...")
  }
}

#' @rdname op_cond
#' @export
op_scan <- function(f, init, xs = NULL, length = NULL, reverse = FALSE, unroll = 1L) {
  check_function(f, takes = 2)
  check_count(unroll, min = 0)
  for (leaf in tensor_leaves(init)) check_value(leaf, "init")
  if (is.null(xs) || !is.null(length)) length <- check_count(length, min = 0)
  n <- if (is.null(xs)) length else slices_of(xs)
  if (!is.null(length) && length != n) abort("`length` must be that of `xs`, ", n, ", not ", length, class = "shape")
  at <- seq_len(n)
  if (check_flag(reverse)) at <- rev(at)
  ys <- vector("list", n)
  for (i in at) {
    step <- f(init, if (!is.null(xs)) slice_at(xs, i))
    if (!is_branch(step) || length(step) != 2) abort("`f` must return a list of the carry and of y, not ",
      describe(step))
    init <- step[[1]]
    ys[i] <- list(step[[2]])
  }
  list(init, if (n && !is.null(ys[[1]])) stack_results(ys, "xs"))
}

#' @rdname op_cond
#' @export
op_associative_scan <- function(f, elems, reverse = FALSE, axis = 1L) {
  check_function(f, takes = 2)
  front <- function(x) op_moveaxis(x, axis, 1)
  elems <- map_leaves(elems, front)
  n <- slices_of(elems)
  at <- seq_len(n)
  if (check_flag(reverse)) at <- rev(at)
  ys <- vector("list", n)
  before <- NULL
  for (i in at) ys[[i]] <- before <- if (is.null(before)) slice_at(elems, i) else f(before, slice_at(elems, i))
  map_leaves(stack_results(ys, "elems"), function(x) op_moveaxis(x, 1, axis))
}

#' What decides between two ways: TRUE, FALSE or a tensor of one value.
#' @noRd
one_truth <- function(x, arg, fun = calling_function()) check_flag(as_condition(x), arg = arg, fun = fun)

slices_of <- function(xs, fun = calling_function()) {
  sizes <- vapply(tensor_leaves(xs), function(x) if (rank_of(x)) shape_of(x)[1] else NA_integer_, 0L)
  if (!length(sizes) || anyNA(sizes) || any(sizes != sizes[1]))
    abort("needs tensors with the same first axis, not sizes ",
    paste(sizes, collapse = ", "), class = "shape", fun = fun)
  sizes[1]
}

slice_at <- function(xs, i) map_leaves(xs, function(x) op_gather(x, as.integer(i - 1)))

#' Lists of results, each as one tensor.
#' @noRd
stack_results <- function(ys, arg) {
  if (!length(ys)) abort("`", arg, "` has no slices", class = "shape", fun = user_function())
  if (!is_branch(ys[[1]])) return(op_stack(ys))
  y <- lapply(seq_along(ys[[1]]), function(k) stack_results(lapply(ys, `[[`, k), arg))
  stats::setNames(y, names(ys[[1]]))
}
