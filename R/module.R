# Modules: objects that hold variables and can be called, as tf.Module's are. An object is a function; what it holds
# lies in that function's environment, so that all who have the object see the same fields.

#' Modules
#'
#' `nn_module()` makes a constructor of objects that hold variables and are called like functions: custom layers,
#' autoencoders or whole models. In Python it would be a subclass of `tf.Module`; `tf$Module` is the same function.
#'
#' * **Methods** are functions whose first argument is `self`, the object: `initialize` is run by the constructor with
#'   the constructor's arguments; `call` is run when the object is called; any other is called as `object$method()`.
#' * **Fields** are set with `self$field <- value` in `initialize`, or from outside at any time. All names of an object
#'   share its fields: there are no copies. What is no function among `...` is the first value of a field.
#' * **Members** of every object: `$variables`, `$trainable_variables`, `$non_trainable_variables` (lists: first the
#'   object's own in the order of the fields' names, with lists walked through, then those of modules, layers and models
#'   among the fields, each variable once), `$submodules`, and `$name`.
#'
#' Objects can be saved with [saveRDS()]. In [autograph()]ed functions they may be called and read; a change
#' of a field between two calls is noticed.
#'
#' @param classname a string, the name of objects that have no field `name`.
#' @param initialize,call functions, see above, or `NULL`.
#' @param ... more methods and first values of fields, all named.
#' @return A constructor: a function that makes a module, an object of class `nn_tf_module`.
#' @section Errors: `nativenet_error_member` for a field or method that is not there.
#' @examples
#' # an autoencoder whose decoder has the encoder's weights
#' basic_ae <- nn_module("basic_ae",
#'   initialize = function(self, unit_nbrs) {
#'     self$W1 <- variable(op_random_normal(unit_nbrs), name = "W1")
#'     self$b1 <- variable(numeric(unit_nbrs[2]), "float32", name = "b1")
#'     self$b2 <- variable(numeric(unit_nbrs[1]), "float32", name = "b2")
#'   },
#'   call = function(self, x) op_add(op_matmul(self$encode(x), t(self$W1)), self$b2),
#'   encode = function(self, x) op_elu(op_add(op_matmul(x, self$W1), self$b1))
#' )
#' ae <- basic_ae(c(3, 2))
#' ae
#' ae(matrix(1, 4, 3))
#' ae$encode(matrix(1, 4, 3))
#'
#' # the sum of squared weights, without the intercepts
#' weights <- Filter(function(v) startsWith(v$name, "W"), ae$trainable_variables)
#' Reduce(`+`, lapply(weights, function(v) sum(v^2)))
#' @export
nn_module <- function(classname, initialize = NULL, call = NULL, ...) {
  check_string(classname)
  parts <- c(list(initialize = initialize, call = call), list(...))
  if (!all(nzchar(names(parts)))) abort("methods and fields must be named")
  is_method <- vapply(parts, function(x) is.function(x) && !is_module(x), NA)
  methods <- parts[is_method]
  fields <- parts[!is_method & !(names(parts) %in% c("initialize", "call"))]
  for (name in names(methods)) check_method(methods[[name]], name)
  for (name in c("initialize", "call")) if (!is.null(parts[[name]])) check_function(parts[[name]], arg = name)
  structure(function(...) {
    module <- new_module(classname, methods, fields)
    if (!is.null(methods$initialize)) methods$initialize(module, ...)
    else if (...length()) abort("takes no arguments, as it has no `initialize`", fun = classname)
    module
  }, class = "nn_tf_module_class")
}

new_module <- function(classname, methods, fields) {
  force(fields) # the rest was used already
  self <- structure(function(...) {
    if (is.null(methods$call)) abort("a ", classname, " cannot be called: it has no method `call`", class = "member",
      fun = NULL)
    methods$call(self, ...)
  }, class = "nn_tf_module")
}

check_method <- function(f, name, fun = calling_function()) {
  first <- names(formals(f))[1]
  if (!is.null(first) && first %in% c("self", "...")) return()
  abort("the method `", name, "` must have `self` as its first argument", fun = fun)
}

#' The leaves of the fields, in the order of the fields' names, which is the same in all languages.
#' @noRd
module_leaves <- function(module) {
  fields <- environment(module)$fields
  tensor_leaves(fields[order(names(fields), method = "radix")])
}

module_members <- list(
  variables = function(self) all_weights(self),
  trainable_variables = function(self) trainable_weights(self),
  non_trainable_variables = function(self) fixed_weights(self),
  submodules = function(self) lapply(owners_within(self)[-1], function(x) if (is_module(x)) x else layer_handle(x)),
  name = function(self) environment(self)$classname
)

#' @export
`$.nn_tf_module` <- function(x, name) {
  state <- environment(x)
  if (name %in% names(state$fields)) return(state$fields[[name]])
  if (name %in% names(state$methods)) return(bind_method(x, state$methods[[name]]))
  member <- module_members[[name]]
  if (is.null(member)) unknown_member(name, all_members(x), with_article(state$classname))
  member(x)
}

bind_method <- function(self, method) structure(function(...) method(self, ...), class = "nn_method")

all_members <- function(x) c(names(environment(x)$fields), names(environment(x)$methods), names(module_members))

#' @export
`[[.nn_tf_module` <- function(x, i, ...) {
  # the names of methods that a function calls are read off its code
  if (check_name(i, "[[") %in% names(environment(x)$methods))
    check_not_tracing("it takes a method of a module with `[[`")
  `$.nn_tf_module`(x, i)
}

#' @export
`$<-.nn_tf_module` <- function(x, name, value) {
  check_not_tracing("it changes a field of a module")
  if (name %in% setdiff(names(module_members), "name"))
    abort("`", name, "` is worked out from the fields and cannot be set", class = "member", fun = NULL)
  state <- environment(x)
  state$fields[name] <- list(value)
  x
}

#' @export
`[[<-.nn_tf_module` <- `$<-.nn_tf_module`

#' @export
.DollarNames.nn_tf_module <- function(x, pattern = "") grep(pattern, all_members(x), value = TRUE)

#' @export
print.nn_tf_module <- function(x, ...) {
  cat("<module ", x$name, ">\n", sep = "")
  variables <- x$variables
  size <- function(variables) format(sum(lengths(variables)), big.mark = ",")
  label <- vapply(variables, variable_name, "")
  cat(sprintf("  %s %s\n", formatC(label, width = -max(0, nchar(label))),
    vapply(variables, function(v) format_shape(dim(v)), "")), sep = "")
  fixed <- x$non_trainable_variables
  cat(size(variables), " parameters", if (length(fixed)) paste0(", ", size(fixed), " of them non-trainable"), "\n",
    sep = "")
  invisible(x)
}

#' @export
print.nn_tf_module_class <- function(x, ...) {
  cat("<constructor of ", environment(x)$classname, " modules>\n", sep = "")
  invisible(x)
}
