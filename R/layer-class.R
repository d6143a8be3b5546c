# Layers that users define.

#' Custom layers
#'
#' `new_layer_class()` makes a constructor of custom layers, which work like all others: in sequential and functional
#' models, and in training, where their ops become part of the model's program.
#'
#' Methods find the layer as `self`, or take it as their first argument if that is called `self`:
#'
#' * `initialize(...)` runs when a layer is made, with the constructor's arguments;
#' * `build(input_shape)` runs once, when the shape of the input is known (`input_shape[1]` is the rows: `NA`), and
#'   makes the weights with `self$add_weight(name, shape, initializer, regularizer, constraint, trainable)`;
#' * `call(inputs)` issues ops; arguments `training` and `mask` are given if it has them;
#' * `compute_mask(inputs, mask)` gives the mask of the output (without it: the mask of the input, where it
#'   fits the output, if `call` has an argument `mask` or `supports_masking` is `TRUE`).
#'
#' `self$field <- value` keeps values, variables (which become weights), layers and modules (whose weights become the
#' layer's), also in lists;
#' `self$add_loss(x)` adds a scalar to the loss, `self$add_metric(x, name)` reports the mean of what `call()` computes;
#' `super()$__init__(...)` may be called and does nothing.
#' Read sizes off `dim(inputs)`, but not the number of rows, which may change: use -1 in [op_reshape()] and the like.
#'
#' @param classname a string.
#' @param initialize,build,call,compute_mask functions, see above; only `call` must be there.
#' @param ... more methods and values, named.
#' @param get_config,compute_output_shape ignored; present for compatibility with Keras.
#' @return A constructor with the arguments `object`, those of `initialize`, and the options of layers (see
#'   [layer_dense()]).
#' @examples
#' layer_scale <- new_layer_class("Scale",
#'   build = function(input_shape) {
#'     self$scale <- self$add_weight("scale", shape = input_shape[2], initializer = "ones")
#'   },
#'   call = function(inputs) inputs * self$scale
#' )
#' model <- keras_model_sequential(input_shape = 3) |> layer_scale() |> layer_dense(1)
#' model
#' @export
new_layer_class <- function(classname, ..., initialize = NULL, build = NULL, call, compute_mask = NULL,
  get_config = NULL, compute_output_shape = NULL) {
  check_string(classname)
  check_function(call)
  for (name in c("initialize", "build", "compute_mask", "get_config", "compute_output_shape")) if (!is.null(get(name)))
    check_function(get(name), arg = name)
  parts <- list(...)
  if (length(parts) && (is.null(names(parts)) || any(names(parts) == ""))) abort("methods and fields must be named")
  methods <- c(list(initialize = initialize, build = build, call = call, compute_mask = compute_mask),
    Filter(is.function, parts))
  methods <- methods[!vapply(methods, is.null, NA)]
  fields <- Filter(Negate(is.function), parts)
  takes <- if (!is.null(initialize)) names(formals(initialize))
  by_place <- setdiff(takes[!cumsum(takes == "...")], "self")
  constructor <- function(object, ...) {
    args <- list(...)
    is_option <- if (is.null(names(args))) rep(FALSE, length(args)) else
      names(args) %in% setdiff(layer_option_names, takes)
    own <- with_argument_names(args[!is_option], by_place) # a file has them by name
    options <- args[is_option]
    if (length(own) && is.null(initialize)) abort("takes no arguments, as it has no `initialize`", fun = classname)
    if (!missing(object)) take_names_before(object)
    layer <- do.call(new_layer, c(list("custom", config = own, type = own_type(classname, methods), fun = classname),
      options))
    self <- layer_self(layer)
    self$class <- constructor
    self$fields <- fields
    if (!is.null(initialize)) run_method(self, "initialize", own)
    if (missing(object)) layer else compose(object, layer)
  }
  constructor
}

#' Layers of R6 classes
#'
#' `create_layer()` makes a layer of a class: an R6 class that inherits from `KerasLayer`, or what [new_layer_class()]
#' gives. The methods of such a class are those that are described there; `self` is the layer.
#'
#' @param layer_class an R6 class, or a constructor of layers.
#' @param object what the layer is composed with, as for [layer_dense()]; without it, or `NULL`, the layer itself.
#' @param args a named list: the arguments of `initialize`, and options such as `name`.
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer without `object`.
#' @seealso [new_layer_class()]
#' @examples
#' if (requireNamespace("R6", quietly = TRUE)) {
#'   Scale <- R6::R6Class("Scale", inherit = KerasLayer, public = list(
#'     factor = NULL,
#'     initialize = function(factor) self$factor <- factor,
#'     call = function(x, mask = NULL) x * self$factor
#'   ))
#'   layer_scale <- function(object, factor, ...) {
#'     create_layer(Scale, object, list(factor = factor, ...))
#'   }
#'   layer_scale(matrix(1:4, 2), 3)
#' }
#' @export
create_layer <- function(layer_class, object = NULL, args = list()) {
  if (!is_branch(args)) abort("`args` must be a list, not ", describe(args))
  constructor <- if (inherits(layer_class, "R6ClassGenerator")) class_of_r6(layer_class) else
    check_function(layer_class)
  args <- args[!vapply(args, is.null, NA) | !names(args) %in% layer_option_names]
  alone <- missing(object) || is.null(object) # missing, too, where the function around had none
  do.call(constructor, c(if (!alone) list(object), args), quote = TRUE)
}

#' @rdname create_layer
#' @format An object of class `nn_base_class`, to inherit from.
#' @export
KerasLayer <- structure(list(classname = "KerasLayer"), class = "nn_base_class")

#' @export
print.nn_base_class <- function(x, ...) {
  cat("<class ", .subset2(x, "classname"), ">\n", sep = "")
  invisible(x)
}

#' The constructor for an R6 class, whose methods and fields are those of its ancestors, too.
#' @noRd
class_of_r6 <- function(generator) {
  of <- function(g) {
    if (inherits(g, "nn_base_class")) return(list())
    if (!inherits(g, "R6ClassGenerator")) abort("`layer_class` must inherit from `KerasLayer`", fun = "create_layer")
    parts <- c(g$public_fields, g$private_fields, g$public_methods, g$private_methods)
    utils::modifyList(of(g$get_inherit()), parts[names(parts) != "clone"], keep.null = TRUE)
  }
  parts <- of(generator)
  if (!is.function(parts$call)) abort("the class `", generator$classname, "` must have a method `call`",
    fun = "create_layer")
  do.call(new_layer_class, c(list(generator$classname), parts), quote = TRUE)
}

own_type <- function(classname, methods) {
  wants <- names(formals(methods$call))
  call <- function(self, x, ...) run_method(self, "call", c(list(x), list(...)))
  # the engine of layers looks at the arguments
  formals(call) <- c(formals(call), stats::setNames(rep(list(quote(expr = )), 2),
    c("training", "mask"))[intersect(c("training", "mask"), wants)])
  body(call) <- bquote(run_method(self, "call",
    c(list(x), list(...), .(as.call(c(quote(list), arguments_called(wants)))))))
  list(
    class_name = classname, methods = methods, several = TRUE,
    build = function(self, shape) if (!is.null(methods$build)) run_method(self, "build", list(shape)),
    call = call,
    mask = if (!is.null(methods$compute_mask)) function(self, x, mask)
    run_method(self, "compute_mask", list(x, mask)) else "mask" %in% wants
  )
}

arguments_called <- function(wants) {
  names <- intersect(c("training", "mask"), wants)
  stats::setNames(lapply(names, as.name), names)
}

#' `self` is an argument, or found where the method was written.
#' @noRd
run_method <- function(self, name, args) {
  method <- layer_type(self)$methods[[name]]
  me <- structure(list(self = self), class = "nn_layer_self")
  if (identical(names(formals(method))[1], "self")) return(do.call(method, c(list(me), args)))
  home <- new.env(parent = environment(method))
  home$self <- home$private <- me
  home$super <- function(...) list(`__init__` = function(...) invisible(), initialize = function(...) invisible(),
    build = function(...) invisible())
  class(home$super) <- "nn_super"
  environment(method) <- home
  do.call(method, args)
}

#' @export
`$.nn_super` <- function(x, name) function(...) invisible()

own_members <- list(
  add_weight = function(self) {
    function(name = "weight", shape = integer(), initializer = "glorot_uniform", regularizer = NULL, constraint = NULL,
      trainable = TRUE, dtype = NULL) {
      add_weight(self, check_string(name, fun = self$name), check_layer_sizes(shape, "shape", self$name), initializer,
        as_part("regularizer", regularizer), as_part("constraint", constraint), check_flag(trainable, fun = self$name),
        if (is.null(dtype)) self$dtype else dtype)
    }
  },
  add_loss = function(self) function(loss, ...) note_loss(loss, self$name),
  add_metric = function(self) function(value, name = NULL, ...) note_metric(value, name, self$name)
)

#' @export
`$.nn_layer_self` <- function(x, name) {
  self <- .subset2(x, "self")
  if (name %in% names(self$fields)) return(self$fields[[name]])
  if (!is.null(own_members[[name]])) return(own_members[[name]](self))
  if (name %in% names(layer_type(self)$methods)) return(function(...) run_method(self, name, list(...)))
  as_layer(self)[[name]]
}

#' @export
`[[.nn_layer_self` <- function(x, i) `$.nn_layer_self`(x, i)

#' @export
`$<-.nn_layer_self` <- function(x, name, value) {
  self <- .subset2(x, "self")
  self$fields[name] <- list(value)
  x
}

#' @export
`[[<-.nn_layer_self` <- function(x, i, value) `$<-.nn_layer_self`(x, i, value)

#' @export
print.nn_layer_self <- function(x, ...) print(as_layer(.subset2(x, "self")))
