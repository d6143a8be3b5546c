# Callbacks: objects whose functions run while a model trains, under the names and with the arguments of Keras.
#
# A callback is an environment. Its functions find it as `self`, with the fields `model` and `params` that `fit()` sets.
# What training calls, when, and with which arguments:
#
#   on_train_begin(logs), on_train_end(logs)                once
#   on_epoch_begin(epoch, logs), on_epoch_end(epoch, logs)  epochs count from 0
#   on_train_batch_begin(batch, logs), on_train_batch_end   batches of an epoch count from 0
#   on_test_*, on_predict_*                                 of evaluation, also that after an epoch, and of prediction
#
# `logs` is a named list of numbers. on_batch_begin and on_batch_end are old names of on_train_batch_*.

callback_hooks <- c(
  "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end",
  paste0("on_", rep(c("train", "test", "predict"), each = 2), "_batch_", c("begin", "end")),
  "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end", "on_batch_begin", "on_batch_end"
)

old_hook <- function(hook) if (startsWith(hook, "on_train_batch_")) sub("train_", "", hook)

#' An object; hooks and fields are set on it afterwards, or given here by name.
#' @noRd
new_callback <- function(name, ...) {
  self <- list2env(list(...), parent = emptyenv())
  self$name <- name
  structure(self, class = c("nn_callback", python_classes$callback))
}

#' @export
print.nn_callback <- function(x, ...) {
  fields <- Filter(function(v) is.atomic(v) && length(v) == 1, mget(setdiff(ls(x), c("name", "wait", "best")),
    envir = x))
  shown <- paste(names(fields), "=", vapply(fields, describe, ""), collapse = ", ")
  hooks <- intersect(callback_hooks, ls(x))
  cat("<callback ", x$name, ">", if (length(fields)) paste0(" ", shown), if (!length(fields))
    paste0(" ", paste(hooks, collapse = ", ")), "\n", sep = "")
  invisible(x)
}

# ---- for who trains ----

#' What users give as `callbacks`, one or a list: callbacks, R6 objects and environments with functions of those names,
#' or lists of such functions. A list of callbacks.
#' @noRd
as_callbacks <- function(x, fun = calling_function()) {
  if (is.null(x)) return(list())
  if (is.list(x) && !is.object(x) && !any(names(x) %in% callback_hooks)) return(unname(lapply(x, as_callback, fun)))
  list(as_callback(x, fun))
}

as_callback <- function(x, fun) {
  refuse <- function(...) abort("`callbacks` must be callbacks, as `callback_early_stopping()` makes them, not ", ...,
    fun = fun)
  if (inherits(x, "nn_callback")) return(x)
  if (inherits(x, "R6ClassGenerator")) refuse("the class itself; `", x$classname, "$new()` makes an object of it")
  if (is.function(x)) refuse(describe(x), "; is a pair of parentheses missing?")
  if (is.environment(x)) {
    if (any(callback_hooks %in% ls(x))) return(x)
    refuse("an object without a function ", paste0("`", callback_hooks[1:4], "`", collapse = ", "), " or the like")
  }
  if (!is.list(x) || !length(x)) refuse(describe(x))
  hooks <- intersect(callback_hooks, names(x))
  if (!length(hooks)) refuse("a list without a function `on_epoch_end` or the like")
  for (hook in hooks) check_function(x[[hook]], arg = hook, fun = fun)
  do.call(new_callback, c(list("list"), x))
}

#' Tell one or more callbacks what is being trained. R6 objects may have no room for it.
#' @noRd
callback_set <- function(callbacks, model, params) {
  for (callback in as_callbacks(callbacks)) {
    for (field in c("model", "params")) {
      if (exists(field, envir = callback, inherits = FALSE) || !environmentIsLocked(callback)) {
        assign(field, if (field == "model") model else params, envir = callback)
      }
    }
  }
}

#' The function of this name, or NULL where there is none or it does nothing.
#' @noRd
callback_hook <- function(callback, hook) {
  f <- get0(hook, envir = callback, mode = "function", inherits = FALSE)
  if (!is.null(f) && !is.null(body(f))) f
}

#' Does any callback want to hear of batches, or does the engine go on by itself?
#' @noRd
wants_batches <- function(callbacks, mode = "train") {
  hooks <- paste0("on_", mode, "_batch_", c("begin", "end"))
  hooks <- c(hooks, unlist(lapply(hooks, old_hook)))
  any(vapply(callbacks, function(callback)
    any(vapply(hooks, function(hook) !is.null(callback_hook(callback, hook)), NA)), NA))
}

#' Run a hook of all callbacks: `run_callbacks(callbacks, "on_epoch_end", epoch, logs = logs)`. The logs come back with
#' what callbacks added for those after them and for the history.
#' @noRd
run_callbacks <- function(callbacks, hook, ..., logs = list()) {
  logs <- as.list(logs)
  before <- list(session$shards, session$silent)
  on.exit({
    session$shards <- before[[1]]
    session$silent <- before[[2]]
  })
  session$silent <- !is.null(session$shards) && session$shards$communicator$rank > 0
  session$shards <- NULL # what callbacks compute is theirs
  for (callback in callbacks) {
    for (name in c(hook, old_hook(hook))) {
      f <- callback_hook(callback, name)
      if (is.null(f)) next
      said <- withVisible(call_with(f, c(list(...), list(logs))))
      result <- if (said$visible) said$value # an assignment at the end is no answer
      if (are_logs(result)) logs[names(result)] <- lapply(result, plain_number)
    }
  }
  invisible(logs)
}

#' Functions may leave out their last arguments.
#' @noRd
call_with <- function(f, values) {
  known <- names(formals(args(f)))
  n <- if ("..." %in% known) length(values) else min(length(known), length(values))
  # not do.call(), whose errors show all the values
  switch(n + 1, f(), f(values[[1]]), f(values[[1]], values[[2]]))
}

#' What a hook returns adds to the logs, as in keras3: a named list of numbers.
#' @noRd
are_logs <- function(x) {
  number <- function(v) is_tensor(v) && !length(dim(v)) || is.numeric(v) && length(v) == 1
  is_branch(x) && length(x) && !is.null(names(x)) && all(nzchar(names(x))) && all(vapply(x, number, NA))
}

stop_training <- function(model) {
  model$stop_training <- TRUE
  invisible(TRUE)
}

# One way for all callbacks to speak, which sink() and capture.output() hear.
say <- function(...) if (!is_silent()) cat(..., "\n", sep = "")

# ---- callbacks of one's own ----

#' Custom callbacks
#'
#' `callback_lambda()` makes a callback of functions. `new_callback_class()` makes a constructor of callbacks with
#' fields (`Callback()` is keras3's name), whose functions find the object as `self`.
#' With the package \pkg{R6}, `KerasCallback` is a class to inherit
#' from: `R6::R6Class("Mine", inherit = KerasCallback, public = list(on_epoch_end = function(epoch, logs) ...))`; any R6
#' object or environment with functions of these names will do, too, and so will a named list of functions.
#'
#' Functions may leave out their last arguments. `epoch` and `batch` count from 0; `logs` is a named list of numbers:
#' the loss, the metrics and, after an epoch, those of validation. `self$model` is the model and `self$params` a list of
#' `epochs`, `steps` and the like; `self$model$stop_training <- TRUE` ends training after the present batch or epoch.
#' A function that returns a named list of numbers, such as `logs` with one more, adds them to the logs that the next
#' callbacks and the history get.
#' Batches run faster where no callback asks for them.
#'
#' @param on_epoch_begin,on_epoch_end functions of `(epoch, logs)`.
#' @param on_batch_begin,on_batch_end,on_train_batch_begin,on_train_batch_end functions of `(batch, logs)`.
#' @param on_train_begin,on_train_end functions of `(logs)`.
#' @param on_predict_batch_begin,on_predict_batch_end,on_test_batch_begin,on_test_batch_end functions of
#'   `(batch, logs)`.
#' @param on_predict_begin,on_predict_end,on_test_begin,on_test_end functions of `(logs)`.
#' @param classname a string.
#' @param public,private,... for `callback_lambda()` nothing else; for `new_callback_class()` functions and first values
#'   of fields, all named. `initialize` is run with the arguments of the constructor. `super$on_epoch_end(...)` and so
#'   on are those of the class that it inherits from.
#' @param inherit a constructor that `new_callback_class()` gave, or `NULL`.
#' @param parent_env ignored.
#' @return A callback; for `new_callback_class()` a function that makes one.
#' @section Errors: `nativenet_error_value` for anything that is no function, and for names that are not known.
#' @examples
#' callback_lambda(on_epoch_end = function(epoch, logs) cat("epoch", epoch, "loss", logs$loss, "\n"))
#'
#' loss_history <- new_callback_class("loss_history",
#'   losses = NULL,
#'   on_train_batch_end = function(batch, logs) self$losses <- c(self$losses, logs$loss)
#' )
#' mine <- loss_history()
#' mine$on_train_batch_end(0, list(loss = 0.5))
#' mine$losses
#' @aliases KerasCallback
#' @rawNamespace export(KerasCallback)
#' @export
callback_lambda <- function(on_epoch_begin = NULL, on_epoch_end = NULL, on_batch_begin = NULL, on_batch_end = NULL,
  on_train_batch_begin = NULL,
                            on_train_batch_end = NULL, on_train_begin = NULL, on_train_end = NULL,
                            on_predict_batch_begin = NULL, on_predict_batch_end = NULL, on_predict_begin = NULL,
                            on_predict_end = NULL, on_test_batch_begin = NULL, on_test_batch_end = NULL,
                            on_test_begin = NULL, on_test_end = NULL, ...) {
  if (...length()) abort("there is no hook ", paste0("`", names(list(...)), "`", collapse = ", "),
    did_you_mean(names(list(...))[1], callback_hooks))
  hooks <- Filter(Negate(is.null), mget(callback_hooks))
  for (hook in names(hooks)) check_function(hooks[[hook]], arg = hook)
  do.call(new_callback, c(list("lambda"), hooks))
}

#' @rdname callback_lambda
#' @export
new_callback_class <- function(classname, ..., public = list(), private = list(), inherit = NULL, parent_env = NULL) {
  callback_constructor(new_class("callback", classname, class_parts(list(), list(...), public, private, parent_env),
    inherit))
}

#' @rdname callback_lambda
#' @export
Callback <- new_callback_class

callback_constructor <- function(class, fun = calling_function()) {
  methods <- all_of(class, "methods")
  fields <- all_of(class, "fields")
  for (hook in intersect(callback_hooks, names(fields))) check_function(fields[[hook]], arg = hook, fun = fun)
  new_constructor(class, function(...) {
    self <- do.call(new_callback, c(list(name = class$classname), fields))
    for (name in names(methods)) assign(name, bound_method(self, find_member(class, "methods", name)), envir = self)
    for (name in names(all_of(class, "active"))) makeActiveBinding(name, bound_method(self, find_member(class, "active",
      name)), self)
    if (has_method(class, "initialize")) self$initialize(...)
    else if (...length()) abort("takes no arguments, as it has no `initialize`", fun = class$classname)
    self
  })
}

# Hooks of callbacks do nothing where the class does not say what.
#' @export
base_member.nn_callback <- function(object, name) {
  if (name %in% c("initialize", callback_hooks)) return(function(...) invisible())
  if (!exists(name, envir = object, inherits = FALSE)) unknown_member(name, ls(object), "the callback")
  get(name, envir = object)
}

# Exported by name: roxygen would look into the class.
KerasCallback <- NULL

bind_keras_callback <- function(namespace) {
  numbered <- grepl("epoch|batch", callback_hooks)
  hooks <- stats::setNames(ifelse(numbered, list(function(index, logs = list()) NULL),
    list(function(logs = list()) NULL)), callback_hooks)
  bind_r6_class("KerasCallback", c(list(model = NULL, params = NULL), hooks), namespace)
}
