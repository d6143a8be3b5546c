# Classes in the manner of Python.

#' Classes in Python's manner
#'
#' `Name(Parent) %py_class% { ... }` makes a class `Name` that inherits from `Parent` and assigns its constructor to
#' `Name`. What the block assigns are its methods and fields; `name %<-active% function() ...` is an active field. The
#' parent is `keras$layers$Layer`, `keras$Model`, `keras$callbacks$Callback`, `keras$metrics$Metric`,
#' `keras$losses$Loss`, `keras$constraints$Constraint` or `keras$optimizers$schedules$LearningRateSchedule`, a layer or
#' metric of ours, or a class of your own.
#'
#' @param spec the name of the class, called with the parent.
#' @param body a block of assignments.
#' @param sym,value a name, and a function, see [mark_active()].
#' @return The constructor, invisibly.
#' @seealso [new_layer_class()], [new_model_class()]
#' @examples
#' Doubled(keras$layers$Layer) %py_class% {
#'   call <- function(inputs) 2 * inputs
#' }
#' layer <- Doubled()
#' layer(matrix(1, 1, 2))
#' @name py_class
NULL

#' @rdname py_class
#' @usage spec \%py_class\% body
#' @export
`%py_class%` <- function(spec, body) {
  spec <- substitute(spec)
  frame <- parent.frame()
  if (!is.call(spec) || !is.name(spec[[1]]) || length(spec) < 2) abort("the class must be written as Name(Parent)",
    fun = "%py_class%")
  parts <- new.env(parent = frame)
  eval(substitute(body), parts)
  members <- mget(ls(parts, all.names = TRUE, sorted = FALSE), envir = parts)
  constructor <- own_constructor(as.character(spec[[1]]), members, eval(spec[[2]], frame), "%py_class%")
  if (attr(constructor, "own_class")$kind == "layer") constructor <- called_as_python(constructor)
  assign(as.character(spec[[1]]), constructor, envir = frame)
  invisible(constructor)
}

#' @rdname py_class
#' @usage sym \%<-active\% value
#' @export
`%<-active%` <- function(sym, value) {
  assign(as.character(substitute(sym)), mark_active(check_function(value, fun = "%<-active%")), envir = parent.frame())
}

#' The constructor of a class of the kind that its parent is of.
#' @noRd
own_constructor <- function(classname, members, parent, fun) {
  kind <- kind_of_parent(parent, fun)
  class <- new_class(kind, classname, members, parent, fun)
  switch(kind, layer = own_layer_constructor(class, fun), model = model_constructor(class),
    callback = callback_constructor(class, fun), metric = part_constructor_of(class, c("update_state", "result"), fun),
    part_constructor_of(class, "call", fun))
}

#' A constructor of layers whose first argument is that of `initialize`, as in Python, unless a layer is put on it.
#' @noRd
called_as_python <- function(constructor) {
  class <- attr(constructor, "own_class")
  takes <- taken_by_class(class)
  new_constructor(class, function(...) {
    args <- list(...)
    first <- if (length(args) && !nzchar(c(names(args), "")[1])) args[[1]]
    put_on <- is_sequential(first) || length(dim(first)) > 1 ||
      any(vapply(tensor_leaves(first), function(x) is_keras_tensor(x) || is_tensor(x), NA))
    do.call(constructor, if (put_on) args else with_argument_names(args, takes), quote = TRUE)
  })
}
