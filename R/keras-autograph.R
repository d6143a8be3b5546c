# R's tfautograph: branches and maps with functions written as formulas, and what is said to autograph there.

#' Branches, maps and hints of tfautograph
#'
#' As in R's tfautograph, where functions may be written as formulas: `~ x + 1`.
#'
#' * `tf_cond()`: one function or the other, as [op_cond()]. `tf_case()`: the function of the first condition that
#'   holds, of pairs `condition ~ value`. `tf_switch()`: the one whose number is `branch_index`, of pairs
#'   `number ~ value`, or counted from 0 where no numbers stand.
#' * `tf_map()`: `fn` of each slice of the first axis, stacked, as [k_map_fn()]; `.x` is the slice in a formula.
#' * `tf_assert()`: an error unless all of a condition holds.
#' * `ag_name()`, `ag_loop_vars()`, `ag_if_vars()`, `ag_while_opts()` say before a loop or branch how a graph of
#'   TensorFlow's is made of it. [autograph()] here needs no hints, and they change nothing.
#'
#' @param pred TRUE, FALSE or a tensor of one value.
#' @param true_fn,false_fn,default functions without arguments, or formulas.
#' @param ... pairs as formulas; for `tf_assert()` what the message has besides; for the hints, not used.
#' @param pred_fn_pairs,branch_fns the same as a list.
#' @param exclusive must exactly one condition hold, or at most one with a `default`?
#' @param branch_index a whole number.
#' @param elems a tensor, array, or list of such.
#' @param fn a function of a slice, or a formula.
#' @param dtype,parallel_iterations,back_prop,swap_memory,infer_shape,name,summarize ignored; present for compatibility
#'   with tfautograph.
#' @param condition a logical array or tensor.
#' @param expr the code of the condition, for the message.
#' @param x a string.
#' @param modified,return,undefs,control_flow,list,include,exclude,undef,shape_invariants ignored.
#' @param maximum_iterations must be `NULL`.
#' @return What the functions give; `tf_assert()` and the hints nothing, invisibly.
#' @section Errors: `nativenet_error_assert` if a condition of `tf_assert()` does not hold, or the one of no branch
#'   does.
#' @seealso [autograph()], [op_cond()]
#' @examples
#' x <- tensor(3)
#' tf_cond(x > 2, ~ x * 2, ~ x)
#' tf_case(x < 1 ~ "small", x < 5 ~ "middle", default = ~ "large")
#' tf_switch(1L, 0 ~ "a", 1 ~ "b")
#' tf_map(matrix(1:4, 2), ~ sum(.x))
#' tf_assert(x > 0)
#' @export
tf_cond <- function(pred, true_fn, false_fn, name = NULL) {
  op_cond(pred, of_formula(true_fn, "true_fn"), of_formula(false_fn, "false_fn"))
}

#' Pairs of formulas: what stands left, and functions of what stands right.
#' @noRd
formula_pairs <- function(pairs, arg, fun = calling_function()) {
  if (!is_branch(pairs) || !length(pairs)) abort("`", arg, "` must be a list of formulas, not ", describe(pairs),
    fun = fun)
  lapply(pairs, function(pair) {
    if (is_branch(pair) && length(pair) == 2) return(list(of = pair[[1]], f = check_function(pair[[2]], arg, fun,
      takes = 0)))
    if (inherits(pair, "formula")) return(list(of = if (length(pair) == 3) eval(pair[[2]], environment(pair)),
      f = of_formula(pair, arg, fun = fun)))
    if (is.function(pair)) return(list(of = NULL, f = check_function(pair, arg, fun, takes = 0)))
    abort("`", arg, "` must be formulas `condition ~ value`, not ", describe(pair), fun = fun)
  })
}

#' @rdname tf_cond
#' @export
tf_case <- function(..., pred_fn_pairs = list(...), default = NULL, exclusive = FALSE, name = "case") {
  pairs <- formula_pairs(pred_fn_pairs, "pred_fn_pairs")
  if (!is.null(default)) default <- of_formula(default, "default")
  holds <- NULL
  for (k in seq_along(pairs)) {
    if (is.null(pairs[[k]]$of)) abort("`pred_fn_pairs` must be pairs `condition ~ value`, and number ", k,
      " has no condition")
    if (one_truth(pairs[[k]]$of, "pred_fn_pairs")) holds <- c(holds, k)
    if (length(holds) && !check_flag(exclusive)) break
  }
  if (length(holds) > 1) abort("more than one condition holds: ", paste(holds, collapse = ", "), class = "assert")
  if (length(holds)) return(pairs[[holds]]$f())
  if (is.null(default)) abort("no condition holds, and there is no `default`", class = "assert")
  default()
}

#' @rdname tf_cond
#' @export
tf_switch <- function(branch_index, ..., branch_fns = list(...), default = NULL, name = "switch_case") {
  pairs <- formula_pairs(branch_fns, "branch_fns")
  if (!is.null(default)) default <- of_formula(default, "default")
  number <- vapply(seq_along(pairs), function(k) if (is.null(pairs[[k]]$of)) k - 1 else
    check_number(check_whole(pairs[[k]]$of, arg = "branch_fns"), arg = "branch_fns"), 0)
  index <- known_value(if (is_tensor(branch_index)) branch_index else check_whole(branch_index))
  if (is_tensor(index) && is_symbolic(index)) abort_trace("a branch depends on the value of a tensor")
  at <- match(check_number(check_whole(index, arg = "branch_index"), arg = "branch_index"), number)
  # as in TensorFlow: the last one where there is none
  if (!is.na(at)) pairs[[at]]$f() else if (!is.null(default)) default() else pairs[[which.max(number)]]$f()
}

#' @rdname tf_cond
#' @export
tf_map <- function(elems, fn, dtype = NULL, parallel_iterations = NULL, back_prop = TRUE, swap_memory = FALSE,
  infer_shape = TRUE, name = NULL) {
  if (is.character(fn) && length(fn) == 1) fn <- get0(fn, envir = parent.frame(), mode = "function", ifnotfound = fn)
  f <- of_formula(fn, "fn", takes = 1)
  k_map_fn(f, elems, dtype = dtype)
}

#' @rdname tf_cond
#' @export
tf_assert <- function(condition, ..., expr = substitute(condition), summarize = NULL, name = NULL) {
  code <- force(expr)
  holds <- if (is_tensor(condition)) op_all(op_cast(condition, "bool")) else all(check_mask_value(condition))
  if (one_truth(holds, "condition")) return(invisible())
  said <- function(x) paste(if (is.character(x)) x else format(c(if (is_tensor(x)) as.array(x) else x), digits = 6),
    collapse = " ")
  more <- vapply(list(...), said, "")
  abort("the condition does not hold: ", deparse1(code), if (length(more)) "; ", paste(more, collapse = " "),
    class = "assert")
}

check_mask_value <- function(x, fun = calling_function()) {
  if (is.logical(x) && length(x) && !anyNA(x)) return(x)
  abort("`condition` must be TRUE or FALSE, or a tensor of such, not ", describe(x), fun = fun)
}

#' @rdname tf_cond
#' @export
ag_name <- function(x) invisible(check_string(x))

#' @rdname tf_cond
#' @export
ag_loop_vars <- function(..., list = character(), include = character(), exclude = character(), undef = character()) {
  invisible()
}

#' @rdname tf_cond
#' @export
ag_if_vars <- function(..., modified = list(), return = FALSE, undefs = NULL, control_flow = 0) invisible()

#' @rdname tf_cond
#' @export
ag_while_opts <- function(..., shape_invariants = NULL, parallel_iterations = 10L, back_prop = TRUE,
  swap_memory = FALSE, maximum_iterations = NULL) {
  check_no_more(list(...))
  if (!is.null(maximum_iterations)) abort("`maximum_iterations` must be NULL: `op_while_loop()` has such an argument, ",
    "and a `while` of R can count", class = "missing")
  invisible()
}
