# R functions of users that run inside ours, as losses, metrics and layers do: what goes wrong in them is told with the
# place where they were given, and with what to write instead.

#' Evaluate code that calls such functions. An error gets the place and, where an op should stand for R code, a hint.
#' @param what the place, such as "`loss`"; NULL for none.
#' @param more to be added to the message.
#' @noRd
with_place <- function(what, expr, more = "", fun = user_function()) {
  here <- sys.nframe()
  # the calls that led to the error are still there, for taker_of_tensor() and for the user's debugger
  withCallingHandlers(expr, error = function(e) {
    text <- sub("^`(loss|metric)_[a-z_0-9]+\\(\\)`: ", "", explained(e, here))
    if (!is.null(what)) text <- paste0(if (!is.null(fun)) paste0("`", fun, "()`: "), what, ": ", text)
    e$explained <- TRUE
    e$message <- paste0(text, if (!grepl("`y_pred` of shape", text, fixed = TRUE)) more)
    stop(e)
  })
}

# Ops in place of R's own functions; where there is none, a general word must do.
ops_for <- c(
  max = "op_maximum(x, y)", pmax = "op_maximum(x, y)", min = "op_minimum(x, y)", pmin = "op_minimum(x, y)",
  ifelse = "op_where(test, yes, no)", which = "op_where(test, yes, no)", sd = "op_std(x)", var = "op_var(x)",
  rowSums = "op_sum(x, axis = 2)", colSums = "op_sum(x, axis = 1)", `[` = "op_where(mask, x, 0)",
  rowMeans = "op_mean(x, axis = 2)", colMeans = "op_mean(x, axis = 1)", apply = "op_sum(x, axis)",
  crossprod = "op_matmul(x, y, transpose_x = TRUE)", tcrossprod = "op_matmul(x, y, transpose_y = TRUE)",
  which.max = "op_argmax(x)", which.min = "op_argmin(x)", diag = "op_diag(x)", match = "op_equal(x, y)",
  `%in%` = "op_any(op_equal(x, y))", outer = "op_outer(x, y)"
)

#' The message of an error. If a tensor stood where R needs a value of its own, it says so, and what to write.
#' @param from the frame that began to call the user's code.
#' @noRd
explained <- function(e, from) {
  text <- conditionMessage(e)
  if (isTRUE(e$explained)) return(text)
  traced <- inherits(e, "nativenet_error_traced")
  if (is_undecided(e) || traced && grepl("an `if` or `while`", text, fixed = TRUE)) {
    return(paste0(text, ". R decides nothing by a tensor", if (is_tracing()) {
      paste0(", whose numbers are known only when the program runs: `tf$where()`, `op_where()` or `k_switch()` ",
        "choose by value, in place of `if`")
    } else {
      ": `as.logical()` makes an R value of one, and `autograph()` understands `if`, `while` and `for` with tensors"
    }))
  }
  taker <- if (grepl("externalptr", text, fixed = TRUE) && is.call(conditionCall(e))) called_name(conditionCall(e)) else
    taker_of_tensor(from, traced)
  if (is.null(taker)) return(text)
  op <- if (taker %in% names(ops_for)) paste0(", such as `", ops_for[[taker]], "`") else
    ": `op_...()`, `k_...()`, `tf$...`"
  instead <- paste0("; write ops in its place", op)
  if (traced) paste0(text, ". `", taker, if (taker != "[") "()", "` asks for them", instead)
  else paste0("R's `", taker, "()` takes no tensors", instead, ". It failed with \"", text, "\"")
}

#' Did `if`, `while`, `&&` or `||` get something that is neither TRUE nor FALSE nor a string? gettext() because R speaks
#' the user's language.
#' @noRd
is_undecided <- function(e) {
  call <- conditionCall(e)
  if (!is.call(call) || !is.name(call[[1]])) return(FALSE)
  switch(as.character(call[[1]]),
    `if` = , `while` = conditionMessage(e) == gettext("argument is not interpretable as logical", domain = "R"),
    `&&` = , `||` = TRUE,
    FALSE
  )
}

#' The function of R's own packages that the user's code called with a tensor among its arguments, or one of ours; or
#' NULL.
#' @param from frames after this one are looked at.
#' @param ours may it be one of ours?
#' @noRd
taker_of_tensor <- function(from, ours) {
  frames <- utils::tail(seq_len(sys.nframe() - 1), -from)
  homes <- vapply(frames, function(i) home_of(sys.function(i)), "")
  called <- frames[homes != "user" & sys.parents()[frames] %in% frames[homes == "user"]]
  last <- utils::tail(called, 1)
  if (!length(last)) return(NULL)
  if (homes[match(last, frames)] == "ours" && ours || homes[match(last, frames)] == "R" &&
    holds_tensor(sys.frame(last))) sub("[.]default$", "", called_name(sys.call(last), sys.frame(last)))
}

home_of <- function(f) {
  home <- topenv(environment(f))
  if (identical(home, topenv())) return("ours")
  if (isNamespace(home) && getNamespaceName(home) %in% c("base", "stats", "utils", "methods")) "R" else "user"
}

holds_tensor <- function(frame) {
  for (name in ls(frame, all.names = TRUE)) {
    value <- tryCatch(if (name == "...") eval(call("list", as.name("...")), frame) else frame[[name]],
      error = function(e) NULL)
    if (is_tensor(value) || is_branch(value) && any(vapply(value, is_tensor, NA))) return(TRUE)
  }
  FALSE
}

#' A function, from the right side of a formula, too.
#' @noRd
of_formula <- function(f, arg, takes = 0, fun = calling_function()) {
  if (!inherits(f, "formula")) return(check_function(f, arg, fun, takes = takes))
  env <- environment(f)
  body <- f[[length(f)]]
  if (takes == 0) return(function() of_user(eval(body, env), arg, fun))
  function(.x) of_user(eval(body, list2env(list(.x = .x, . = .x), parent = env)), arg, fun)
}

#' Errors of R in code that a formula holds, with the argument that it came as.
#' @noRd
of_user <- function(expr, arg, fun) withCallingHandlers(expr, error = function(e) {
  if (!inherits(e, "nativenet_error")) abort("`", arg, "`: ", conditionMessage(e), fun = fun)
})
