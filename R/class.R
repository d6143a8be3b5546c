# Classes of the user's own: methods, active fields and first values of fields, and the class that they inherit from.
# Layers, models, callbacks, metrics, losses, constraints and schedules are made of them; what each kind adds stands
# beside its other things. A class is an environment, which is not changed once it is made.

#' @param kind "layer", "model" and so on.
#' @param parts methods and fields by name.
#' @param inherit NULL, or what the user gives: a constructor of such a class, an R6 class, what stands for all of a
#'   kind (KerasLayer), a constructor of ours.
#' @noRd
new_class <- function(kind, classname, parts, inherit = NULL, fun = calling_function()) {
  check_string(classname, fun = fun)
  if (!is_named_list(parts)) abort("methods and fields must be named", fun = fun)
  parts <- lapply(parts, function(x) if (inherits(x, "nn_graph_function")) environment(x)$graph$f else as_closure(x))
  names(parts)[names(parts) == "__init__"] <- "initialize"
  if (anyDuplicated(names(parts))) abort("`", names(parts)[duplicated(names(parts))][1], "` is given twice", fun = fun)
  active <- vapply(parts, is_active, NA)
  method <- vapply(parts, function(x) is.function(x) && !is.object(x), NA) & !active
  parent <- parent_class(inherit, kind, fun)
  class_record(kind, classname, parts[method], parts[active], parts[!method & !active], parent$class, parent$base)
}

class_record <- function(kind, classname, methods, active = list(), fields = list(), parent = NULL, base = NULL) {
  structure(list2env(as.list(environment()), parent = emptyenv()), class = "nn_own_class")
}

#' What a class inherits from: list(class, base), one of them, or NULL.
#' @noRd
parent_class <- function(inherit, kind, fun) {
  if (is.null(inherit)) return(NULL)
  if (inherits(inherit, "R6ClassGenerator")) inherit <- class_of_r6(inherit, fun)
  class <- if (inherits(inherit, "nn_own_class")) inherit else attr(inherit, "own_class")
  if (!is.null(class)) {
    if (class$kind == kind) return(list(class = class, base = class$base))
    abort("`inherit` is a class of ", plural_of(class$kind), ", not of ", plural_of(kind), fun = fun)
  }
  if (inherits(inherit, "nn_base_class")) {
    if (.subset2(inherit, "kind") == kind) return(NULL)
    abort("`inherit` is ", .subset2(inherit, "classname"), ", not a class of ", plural_of(kind), fun = fun)
  }
  base <- if (is.function(inherit)) base_of(inherit, kind)
  if (identical(base, "")) return(NULL)
  if (is.null(base)) abort("`inherit` must be a class of ", plural_of(kind), ", not ", describe(inherit), fun = fun)
  list(base = base)
}

plural_of <- function(kind) paste0(kind, if (endsWith(kind, "s")) "es" else "s")

#' The name of our constructor, as it is or in Python's spelling; "" for the one of all of the kind.
#' @noRd
base_of <- function(f, kind) {
  if (kind == "model" && (identical(f, keras_model_of()))) return("")
  code <- body(f)
  named <- if (is.call(code) && is.character(code[[2]])) code[[2]]
  names <- c(named, ls(topenv(), pattern = paste0("^", kind, "_")))
  Find(function(name) startsWith(name, paste0(kind, "_")) && (identical(name, named) || identical(get(name), f)), names)
}

# keras_model() stands on a floor above.
keras_model_of <- function() get("keras_model", envir = topenv())

#' The kind that a class in an R6 or %py_class% definition is of.
#' @noRd
kind_of_parent <- function(inherit, fun) {
  if (inherits(inherit, "R6ClassGenerator")) return(kind_of_parent(inherit$get_inherit(), fun))
  if (inherits(inherit, "nn_base_class")) return(.subset2(inherit, "kind"))
  class <- if (inherits(inherit, "nn_own_class")) inherit else attr(inherit, "own_class")
  if (!is.null(class)) return(class$kind)
  for (kind in c("model", "layer", "metric", "loss", "callback", "constraint")) {
    if (is.function(inherit) && !is.null(base_of(inherit, kind))) return(kind)
  }
  abort("the class must inherit from `KerasLayer` or another class of ours, not from ", describe(inherit), fun = fun)
}

#' A class whose methods and fields are those of an R6 class. Private ones are among them.
#' @noRd
class_of_r6 <- function(generator, fun) {
  inherit <- generator$get_inherit()
  kind <- kind_of_parent(inherit, fun)
  parts <- c(generator$public_fields, generator$private_fields, generator$public_methods, generator$private_methods,
    lapply(generator$active, mark_active))
  new_class(kind, generator$classname, parts[names(parts) != "clone"], inherit, fun)
}

is_active <- function(x) is.function(x) && isTRUE(attr(x, "marked_active", exact = TRUE))

#' Active fields
#'
#' Marks a function as an active field of a class: `object$name` calls it, and `object$name <- value` calls it with the
#' value, if it takes one. `active_property()` is keras3's name.
#'
#' @param x,fn a function.
#' @return The function, marked.
#' @seealso [new_layer_class()], [new_model_class()]
#' @examples
#' layer_twice <- new_layer_class("Twice",
#'   factor = mark_active(function() 2),
#'   call = function(inputs) inputs * self$factor
#' )
#' layer_twice()(matrix(1, 1, 2))
#' @export
mark_active <- function(x) {
  x <- as_closure(check_method_part(x, "x"))
  attr(x, "marked_active") <- TRUE
  x
}

#' @rdname mark_active
#' @export
active_property <- function(fn) mark_active(check_method_part(fn, "fn"))

# ---- members ----

#' The nearest member of that name, from the class on to its ancestors: list(value, class), or NULL.
#' @noRd
find_member <- function(class, part, name) {
  while (!is.null(class)) {
    value <- .subset2(class, part)[[name]]
    if (!is.null(value)) return(list(value = value, class = class))
    class <- class$parent
  }
}

has_method <- function(class, name) !is.null(find_member(class, "methods", name))

#' Members of a class and of its ancestors, of which nearer ones win.
#' @noRd
all_of <- function(class, part) {
  if (is.null(class)) return(list())
  own <- .subset2(class, part)
  c(own, all_of(class$parent, part)[setdiff(names(all_of(class$parent, part)), names(own))])
}

#' Call a method or active field; `self` is an argument, or found where the method was written, as are `private`, which
#' is the same, and `super`.
#' @param found what find_member() gave.
#' @noRd
call_member <- function(object, found, args) do.call(bound_method(object, found), args, quote = TRUE)

bound_method <- function(object, found) {
  method <- found$value
  home <- new.env(parent = environment(method))
  home$self <- home$private <- object
  home$super <- new_super(object, found$class$parent)
  if (identical(names(formals(method))[1], "self")) formals(method) <- formals(method)[-1]
  environment(method) <- home
  method
}

#' @param class that of the object, or an ancestor.
#' @noRd
run_method <- function(object, name, args, class) call_member(object, find_member(class, "methods", name), args)

#' What the class of an object says of a member: list(value), or NULL.
#' @noRd
own_member <- function(object, class, fields, name) {
  if (name %in% names(fields)) return(list(fields[[name]]))
  method <- find_member(class, "methods", name)
  if (!is.null(method)) return(list(bound_method(object, method)))
  active <- find_member(class, "active", name)
  if (!is.null(active)) list(call_member(object, active, list()))
}

#' The object as its ancestors see it: `super$method(...)`, `super()$method(...)`.
#' @noRd
new_super <- function(object, class) {
  super <- structure(function(...) super, class = "nn_super")
  super
}

#' @export
`$.nn_super` <- function(x, name) {
  object <- environment(x)$object
  if (name == "__init__") name <- "initialize"
  found <- own_member(object, environment(x)$class, NULL, name)
  if (!is.null(found)) found[[1]] else base_member(object, name)
}

#' @export
`[[.nn_super` <- function(x, i) `$.nn_super`(x, check_name(i, "[["))

#' A member as it is without the user's class.
#' @noRd
base_member <- function(object, name) UseMethod("base_member")

# ---- constructors, and what stands for all classes of a kind ----

#' @param make a function of the arguments of the class' `initialize`.
#' @noRd
new_constructor <- function(class, make) structure(make, class = "nn_class", own_class = class)

#' @export
print.nn_class <- function(x, ...) {
  class <- attr(x, "own_class")
  cat("<constructor of ", class$classname, ", a class of ", plural_of(class$kind), ">\n", sep = "")
  invisible(x)
}

#' @export
`$.nn_class` <- function(x, name) {
  class <- attr(x, "own_class")
  if (name == "new") return(x)
  if (name %in% c("classname", "__name__")) return(class$classname)
  if (name == "from_config" && class$kind %in% c("layer", "model"))
    return(function(config) from_class_config(x, config))
  found <- find_member(class, "methods", name)
  if (is.null(found)) found <- find_member(class, "fields", name)
  if (is.null(found)) unknown_member(name, c("new", "classname", names(all_of(class, "methods"))), "the class")
  found$value
}

base_class <- function(kind, classname) structure(list(classname = classname, kind = kind), class = "nn_base_class")

#' @export
print.nn_base_class <- function(x, ...) {
  cat("<class ", .subset2(x, "classname"), ">\n", sep = "")
  invisible(x)
}

# ---- objects that are no layers: an environment of fields ----

#' @param ... what the constructor was given.
#' @noRd
new_own_object <- function(class, ...) {
  object <- structure(list2env(c(all_of(class, "fields")), parent = emptyenv()), class = c(paste0("nn_own_",
    class$kind), "nn_own_object"), own_class = class)
  if (!has_method(class, "initialize")) base_member(object, "initialize")(...)
  else run_method(object, "initialize", list(...), class)
  attr(object, "made_with") <- with_argument_names(list(...), setdiff(taken_by_class(class), "self"))
  object
}

own_class <- function(object) attr(object, "own_class")

#' @export
`$.nn_own_object` <- function(x, name) {
  found <- own_member(x, own_class(x), NULL, name)
  if (!is.null(found)) return(found[[1]])
  if (exists(name, envir = x, inherits = FALSE)) get(name, envir = x) else base_member(x, name)
}

#' @export
`[[.nn_own_object` <- function(x, i) `$.nn_own_object`(x, check_name(i, "[["))

#' @export
`$<-.nn_own_object` <- function(x, name, value) {
  active <- find_member(own_class(x), "active", name)
  if (!is.null(active)) call_member(x, active, list(value)) else assign(name, value, envir = x)
  x
}

#' @export
`[[<-.nn_own_object` <- function(x, i, value) `$<-.nn_own_object`(x, check_name(i, "[["), value)

#' @export
print.nn_own_object <- function(x, ...) {
  cat("<", own_class(x)$kind, " ", own_class(x)$classname, ">\n", sep = "")
  invisible(x)
}

# Nothing but a name is there where no class of the user's has it.
#' @export
base_member.nn_own_object <- function(object, name) {
  if (name == "initialize") return(function(name = NULL, reduction = NULL, dtype = NULL, ...) {
    check_no_more(list(...), own_class(object)$classname)
    if (!is.null(name)) assign("name", check_string(name, fun = own_class(object)$classname), envir = object)
    if (!is.null(reduction)) assign("reduction", reduction, envir = object)
    invisible(object)
  })
  if (name == "get_config") return(function() mget(intersect("name", ls(object)), envir = object))
  class <- own_class(object)
  unknown_member(name, c(ls(object), names(all_of(class, "methods"))), with_article(class$classname))
}

#' @export
print.nn_own_class <- function(x, ...) {
  cat("<class ", x$classname, ">\n", sep = "")
  invisible(x)
}

#' R6 is not needed to use this package, so a class of it is made when somebody looks at it; `NULL` without R6.
#' @noRd
bind_r6_class <- function(name, public, namespace) {
  rm(list = name, envir = namespace)
  class <- NULL
  makeActiveBinding(name, function() {
    if (is.null(class) && requireNamespace("R6", quietly = TRUE))
      class <<- R6::R6Class(name, public = public, parent_env = namespace)
    class
  }, namespace)
}

# What Python says of the class of an object.
class_of_python <- function(name) structure(list(`__name__` = name), class = "nn_python_class")

#' @export
print.nn_python_class <- function(x, ...) {
  cat("<class ", x$`__name__`, ">\n", sep = "")
  invisible(x)
}
