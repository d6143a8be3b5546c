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
#' `super$method(...)`, or `super()$method(...)`, calls the method of the class that this one inherits from.
#' Methods and fields are members of the layer from outside, too: `layer$method()`, `layer$field`.
#' Read sizes off `dim(inputs)`, but not the number of rows, which may change: use -1 in [op_reshape()] and the like.
#'
#' A class may inherit from another one that the user made, or from a layer of ours, as by `inherit = layer_dense`:
#' `super$initialize(...)` takes then the arguments of that, and `super$call(inputs)` is what it does.
#'
#' @param classname a string.
#' @param initialize,build,call,compute_mask functions, see above; `call` must be there, or inherited.
#' @param ... more methods and values, named; functions marked by [mark_active()] are active fields.
#' @param public,private lists of such.
#' @param inherit the class that it inherits from, see above; `NULL` for none.
#' @param parent_env ignored.
#' @param get_config,compute_output_shape methods that Keras asks for. They can be called, and are not needed here.
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
#'
#' # inheritance
#' layer_scale_shift <- new_layer_class("ScaleShift", inherit = layer_scale,
#'   initialize = function(shift) self$shift <- shift,
#'   call = function(inputs) super$call(inputs) + self$shift
#' )
#' layer_scale_shift(matrix(1, 1, 2), shift = 5)
#' @export
new_layer_class <- function(classname, ..., initialize = NULL, build = NULL, call = NULL, compute_mask = NULL,
  get_config = NULL, compute_output_shape = NULL, public = list(), private = list(), inherit = NULL,
  parent_env = NULL) {
  named <- list(initialize = initialize, build = build, call = call, compute_mask = compute_mask,
    get_config = get_config, compute_output_shape = compute_output_shape)
  own_layer_constructor(new_class("layer", classname, class_parts(named, list(...), public, private, parent_env),
    inherit))
}

#' @rdname new_layer_class
#' @export
Layer <- function(classname, initialize = NULL, call = NULL, build = NULL, get_config = NULL, ..., public = list(),
  private = list(), inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, build = build, call = call, get_config = get_config)
  own_layer_constructor(new_class("layer", classname, class_parts(named, list(...), public, private, parent_env),
    inherit))
}

#' The members of a class: methods that have arguments of their own, and further ones.
#' @noRd
class_parts <- function(named, more, public, private, parent_env, fun = calling_function()) {
  if (!is.null(parent_env) && (!is.environment(parent_env) || is.object(parent_env)))
    abort("`parent_env` must be an environment, not ", describe(parent_env), fun = fun)
  named <- Filter(Negate(is.null), named)
  for (name in names(named)) check_method_part(named[[name]], name, fun)
  for (part in list(more, public, private)) if (!is_named_list(part)) abort("methods and fields must be named",
    fun = fun)
  c(named, more, public, private)
}

#' Layers, losses and the like are functions, too, but would be fields.
#' @noRd
check_method_part <- function(x, name, fun = calling_function()) {
  if (is.object(x) && !inherits(x, "nn_graph_function")) abort("`", name, "` must be a function, not ", describe(x),
    fun = fun)
  check_function(x, arg = name, fun = fun)
}

own_layer_constructor <- function(class, fun = calling_function()) {
  if (!has_method(class, "call") && is.null(class$base)) abort("`call` must be given: the class `",
    class$classname, "` must have a method `call`, or inherit one", fun = fun)
  initialize <- find_member(class, "methods", "initialize")$value
  made_by <- if (is.null(initialize) && !is.null(class$base)) get(class$base) else initialize
  takes <- if (!is.null(made_by)) names(formals(made_by))
  by_place <- setdiff(takes[!cumsum(takes == "...")], c("self", "object"))
  constructor <- new_constructor(class, function(object, ...) {
    args <- list(...)
    is_option <- if (is.null(names(args))) rep(FALSE, length(args)) else
      names(args) %in% setdiff(layer_option_names, takes)
    own <- with_argument_names(args[!is_option], by_place) # a file has them by name
    options <- args[is_option]
    if (length(own) && is.null(takes)) abort("takes no arguments, as it has no `initialize`", fun = class$classname)
    alone <- missing(object) || is.null(object)
    if (!alone) take_names_before(object)
    layer <- do.call(new_layer, c(list("custom", config = own, type = own_type(class), fields = all_of(class, "fields"),
      fun = class$classname), options), quote = TRUE)
    self <- layer_self(layer)
    self$class <- constructor
    self$own <- class
    self$made_with <- own
    if (is_wrapper(class) && !"layer" %in% taken_by_class(class)) { # its initialize() has only what it adds
      layer$layer <- own$layer
      own$layer <- NULL
    }
    if (!is.null(initialize)) run_method(layer, "initialize", own, class)
    else if (!is.null(class$base)) do.call(base_member(layer, "initialize"), own, quote = TRUE)
    if (alone) layer else compose(object, layer)
  })
  constructor
}

#' Layers of R6 classes
#'
#' `create_layer()` makes a layer of a class: an R6 class that inherits from `KerasLayer`, or what [new_layer_class()]
#' gives. `create_layer_wrapper()` makes the function that makes such layers, `layer_scale()` in the example. The
#' methods of such a class are those that are described there; `self` is the layer.
#'
#' @param layer_class an R6 class, or a constructor of layers.
#' @param object what the layer is composed with, as for [layer_dense()]; without it, or `NULL`, the layer itself.
#' @param args a named list: the arguments of `initialize`, and options such as `name`.
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer without `object`.
#' @details `create_wrapper()` does the same for a class that inherits from `KerasWrapper`: the layer among `args` that
#'   is called `layer` is the one that is wrapped, `self$layer`, whose weights are the wrapper's, too. `initialize` may
#'   have it as an argument, and hands it on by `super$initialize(layer)`, or not.
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
  if (!is_named_list(args)) abort("`args` must be a named list, not ", describe(args),
    if (is_branch(args)) " without names")
  constructor <- check_constructor(layer_class, names(args))
  args <- args[!vapply(args, is.null, NA) | !names(args) %in% layer_option_names]
  alone <- missing(object) || is.null(object) # missing, too, where the function around had none
  do.call(constructor, c(if (!alone) list(object), args), quote = TRUE)
}

#' What makes layers of a class: of an R6 class, a function of ours, or one that somebody wrote.
#' @param given names of the arguments that it gets.
#' @noRd
check_constructor <- function(x, given, arg = deparse(substitute(x)), fun = calling_function()) {
  if (inherits(x, "R6ClassGenerator")) return(layer_of_r6(x))
  if (!is.function(x) || is.primitive(x) || is.object(x) && !inherits(x, "nn_class"))
    abort("`", arg, "` must be a class of layers, not ", describe(x), fun = fun)
  unknown <- if (!"..." %in% names(formals(x))) setdiff(given, names(formals(x)))
  if (length(unknown)) abort("`", arg, "` takes no argument `", unknown[1], "`", fun = fun)
  x
}

#' @rdname create_layer
#' @param Layer as `layer_class`.
#' @param modifiers a named list of functions, which change the arguments of these names before `initialize` has them.
#' @param convert ignored; present for compatibility.
#' @export
create_layer_wrapper <- function(Layer, modifiers = NULL, convert = TRUE) {
  check_flag(convert)
  if (!is.null(modifiers) && !is_named_list(modifiers)) abort("`modifiers` must be a named list, not ",
    describe(modifiers))
  constructor <- check_constructor(Layer, NULL)
  if (inherits(constructor, "nn_class") && attr(constructor, "own_class")$kind == "model")
    constructor <- composing_model(constructor)
  if (is.null(modifiers)) return(constructor)
  for (name in names(modifiers)) check_function(modifiers[[name]], arg = paste0("modifiers$", name))
  function(object, ...) {
    args <- list(...)
    for (name in intersect(names(args), names(modifiers))) args[name] <- list(modifiers[[name]](args[[name]]))
    do.call(constructor, c(if (!missing(object)) list(object), args), quote = TRUE)
  }
}

#' What makes models of a class, put on an object as layers are.
#' @noRd
composing_model <- function(constructor) {
  force(constructor)
  function(object, ...) {
    model <- constructor(...)
    if (missing(object) || is.null(object)) model else compose(object, model)
  }
}

layer_of_r6 <- function(generator) own_layer_constructor(class_of_r6(generator, "create_layer"), "create_layer")

# ---- what makes a layer or model of a class again ----

#' Names of the arguments that a class' constructor takes, of `initialize` and of those before it to which it hands on
#' its dots. `named`: of the user's methods alone.
#' @noRd
taken_by_class <- function(class, named = FALSE) {
  base <- class$base
  takes <- character()
  while (!is.null(class)) {
    initialize <- .subset2(class, "methods")$initialize
    class <- class$parent
    if (is.null(initialize)) next
    takes <- c(takes, setdiff(names(formals(initialize)), c("self", "...")))
    if (!"..." %in% names(formals(initialize))) return(takes)
  }
  c(takes, if (!is.null(base) && !named) setdiff(names(formals(get(base))), c("object", "...")))
}

#' The configuration that the class' own method gives.
#' @noRd
said_config <- function(self) {
  config <- run_method(layer_handle(self), "get_config", list(), self$own)
  if (!is_named_list(config)) abort("`get_config()` of the class must give a named list, not ", describe(config),
    fun = self$class_name)
  config
}

#' The arguments that make it again: those that its class' `get_config()` says, or else those that it was made with.
#' What `super$get_config()` says of the layer of ours that the class inherits from is among them where the class takes
#' it.
#' @noRd
class_arguments <- function(self) {
  if (!has_method(self$own, "get_config")) return(self$made_with)
  config <- said_config(self)
  config <- config[setdiff(names(config), c("name", "trainable", "dtype"))]
  if (has_method(self$own, "from_config")) return(config)
  own <- names(config) %in% c(names(self$made_with), taken_by_class(self$own, named = TRUE))
  if (has_method(self$own, "initialize")) config <- config[own | !names(config) %in% names(self$config)]
  unknown <- setdiff(names(config), taken_by_class(self$own))
  if (length(unknown)) abort("`get_config()` of the class gives `", unknown[1], "`, which its `initialize()` does not ",
    "take", class = "custom", fun = self$class_name)
  config
}

#' A layer or model of a class, of its configuration: by its method `from_config`, which finds the constructor as `cls`.
#' @noRd
from_class_config <- function(constructor, config) {
  class <- attr(constructor, "own_class")
  found <- if (!is.null(class)) find_member(class, "methods", "from_config")
  if (is.null(found)) return(do.call(constructor, config, quote = TRUE))
  method <- found$value
  home <- new.env(parent = environment(method))
  home$cls <- home$self <- home$`__class__` <- constructor
  environment(method) <- home
  if (names(formals(method))[1] %in% c("self", "cls")) method(constructor, config) else method(config)
}

#' @rdname create_layer
#' @param wrapper_class an R6 class that inherits from `KerasWrapper`, or a constructor of layers.
#' @export
create_wrapper <- function(wrapper_class, object = NULL, args = list()) {
  if (!is_layer(args$layer)) abort("`args$layer` must be a layer, not ", describe(args$layer))
  if (inherits(wrapper_class, "R6ClassGenerator") && missing(object)) create_layer(wrapper_class, args = args) else
    create_layer(wrapper_class, object, args)
}

#' @rdname create_layer
#' @format An object of class `nn_base_class`, to inherit from.
#' @export
KerasLayer <- base_class("layer", "KerasLayer")

#' @rdname create_layer
#' @format NULL
#' @export
KerasWrapper <- class_record("layer", "KerasWrapper", list(
  initialize = function(layer, ...) {
    self$layer <- layer
    super$initialize(...)
  },
  call = function(inputs, ...) self$layer(inputs, ...)
))

is_wrapper <- function(class) {
  while (!is.null(class) && class$classname != "KerasWrapper") class <- class$parent
  !is.null(class)
}

#' What the engine of layers asks of a layer of a class: methods where there are any, else those of the layer of ours
#' that the class inherits from.
#' @noRd
own_type <- function(class) {
  base <- own_base(class)
  forward <- if (has_method(class, "call")) find_member(class, "methods", "call")$value else base$call
  wants <- if (!is.null(forward)) intersect(c("training", "mask"), names(formals(forward)))
  run <- function(name) function(self, ...) run_method(layer_handle(self), name, list(...), class)
  call <- function(self, x, ...) NULL
  # the engine of layers looks at the arguments
  formals(call) <- c(formals(call), stats::setNames(rep(list(quote(expr = )), length(wants)), wants))
  body(call) <- bquote(run_call(self, c(list(x), list(...), .(as.call(c(quote(list), stats::setNames(lapply(wants,
    as.name), wants)))))))
  run_call <- if (has_method(class, "call")) function(self, args) run_method(layer_handle(self), "call", args, class)
    else function(self, args) do.call(base$call, c(list(self), args))
  own <- list(
    class_name = class$classname, methods = all_of(class, "methods"),
    arguments = if (is.function(forward)) setdiff(names(formals(forward)), "self"),
    several = if (is.null(base)) TRUE else base$several,
    build = if (has_method(class, "build")) run("build") else base$build,
    call = call,
    mask = if (has_method(class, "compute_mask")) run("compute_mask") else if (!is.null(base)) base$mask else
      "mask" %in% wants
  )
  utils::modifyList(if (is.null(base)) list() else base, Filter(Negate(is.null), own))
}

own_members <- list(
  add_weight = function(self) {
    function(name = "weight", shape = integer(), initializer = "glorot_uniform", regularizer = NULL, constraint = NULL,
      trainable = TRUE, dtype = NULL, ...) {
      if (missing(shape) && !is.character(name)) { # keras3 begins with the shape
        shape <- name
        name <- "weight"
      }
      check_no_more(list(...)[setdiff(names(list(...)), c("autocast", "aggregation"))], self$name)
      add_weight(self, check_string(name, fun = self$name), check_layer_sizes(shape, "shape", self$name), initializer,
        as_part("regularizer", regularizer), as_part("constraint", constraint), check_flag(trainable, fun = self$name),
        if (is.null(dtype)) self$dtype else dtype)
    }
  },
  add_loss = function(self) function(losses, ...) invisible(add_losses(self, losses)),
  add_metric = function(self) function(value, name = NULL, ...) note_metric(value, name, self$name)
)

#' @export
base_member.nn_layer <- function(object, name) {
  self <- layer_self(object)
  type <- own_base(self$own)
  switch(name,
    initialize = function(...) initialize_layer(self, list(...)),
    build = function(input_shape) if (is.null(type$build)) invisible() else type$build(self, input_shape),
    call = function(...) if (is.null(type)) abort("the class it inherits from has no `call`", fun = self$name) else
      type$call(self, ...),
    compute_mask = function(inputs, mask = NULL) mask,
    get_config = function() c(list(name = self$name, trainable = self$trainable, dtype = self$dtype),
      if (!is.null(type)) self$config),
    if (!is.null(own_members[[name]])) own_members[[name]](self) else plain_member(object, name)
  )
}

#' The type of the layer of ours that a class inherits from, or NULL.
#' @noRd
own_base <- function(class) if (!is.null(class$base)) get(paste0(sub("^layer_", "", class$base), "_type"),
  envir = topenv())

#' What `super$initialize(...)` does: options of layers, and the arguments of the layer of ours.
#' @noRd
initialize_layer <- function(self, args) {
  base <- self$own$base
  is_option <- names(args) %in% c("name", "trainable", "dtype")
  options <- check_layer_options(args[is_option], self$name)
  for (name in names(options)) self[[name]] <- options[[name]]
  rest <- if (is.null(names(args))) args else args[!is_option]
  if (is.null(base)) return(check_no_more(rest, self$class_name))
  made <- layer_self(do.call(base, if (length(rest)) with_argument_names(rest, names(formals(base))[-1]) else rest))
  self$config <- made$config
  self$fields <- c(self$fields, made$fields)
  invisible()
}
