# Layers: what every layer is and does. A layer is a function; what it holds lies in an environment that all names of
# the layer share. The kinds are in R/layer-*.R: each a constructor and a list `<kind>_type` of functions
#
#   build(self, shape)        makes the weights, knowing the shape of the input (NA: any size; the first axis is the
#   batch) call(self, x, ...)        issues ops; `training` and `mask` are given if it has such arguments
#   training                  what call() is told when nobody says: FALSE, or that; "own": NULL, and call() sees to it
#   mask(self, x, mask)       the mask of its output, or a list of one for each; TRUE: that of its input, where it
#                             fits; a type without it ends the mask; "own": call() sees to it
#   several                   TRUE if x may be a list
#   autocast                  FALSE if floats are taken as they come, not in the layer's dtype
#   takes                     names of the inputs in that list, by which a call may have them one by one
#   masks                     how many masks of these a caller may give, the first ones, if not all
#   state_sizes(self)         of cells: see R/layer-rnn.R
#   arrange(self, x)          what users give that is no tensor, in the order in which call() takes it
#   input_dtype               that of what is no tensor yet: "int32" for tokens; "string": see R/layer-strings.R
#   apply(self, object)       in place of all that: the whole call
#
# Layers are called on tensors, which runs their ops (now, or as part of a traced function), or on symbolic tensors that
# layer_input() begins, which notes the call for a model (R/layer-symbolic.R).

#' @param kind names the type: `dense` for `dense_type` and `layer_dense()`.
#' @param object what the layer is composed with: see compose(); may be missing.
#' @param config arguments of the constructor, from which the layer can be made again.
#' @param ... what all layers take: see check_layer_options().
#' @param fields what the layer holds: layers, whose weights are its own.
#' @noRd
new_layer <- function(kind, object, config, ..., type = NULL, fields = NULL, fun = calling_function()) {
  alone <- missing(object) || is.null(object) # as Keras: what is put on NULL is the layer itself
  if (!alone) take_names_before(object) # in a chain of pipes, layers before this one come first
  options <- check_layer_options(list(...), fun, names(config))
  self <- new.env(parent = emptyenv())
  self$kind <- kind
  self$type <- type # of layers that users define
  self$class_name <- layer_type(self)$class_name
  self$config <- config
  self$fields <- fields
  self$options <- options
  self$dtype <- if (is.null(options$dtype)) session$floatx else options$dtype
  self$trainable <- if (is.null(options$trainable)) TRUE else options$trainable
  self$name <- if (is.null(options$name)) unique_name(snake_case(self$class_name)) else options$name
  self$home <- session$home
  self$built <- FALSE
  self$weights <- list() # variables, in Keras' order
  self$rules <- list()   # for each: list(regularizer, constraint, trainable)
  self$noted <- new_plan() # losses of its last call
  layer <- as_layer(self)
  if (alone) layer else compose(object, layer)
}

layer_type <- function(self) if (is.null(self$type)) get(paste0(self$kind, "_type"), envir = topenv()) else self$type

#' The object that users hold. Scripts for Keras ask for classes of Python: `inherits(x, class(layer_dense())[1])`.
#' @noRd
as_layer <- function(self, class = c(paste0("keras.layers.", self$class_name), "nn_layer",
  "keras.engine.base_layer.Layer")) structure(function(object, ...) apply_layer(self, object, ...), class = class)

#' The same of a layer that may be a model.
#' @noRd
layer_handle <- function(self) if (!self$kind %in% c("model", "sequential", "own_model")) as_layer(self) else
  as_layer(self, c("nn_model", "nn_layer", if (self$kind == "sequential") "keras.engine.sequential.Sequential",
    if (self$kind == "model") "keras.engine.functional.Functional", "keras.engine.training.Model",
    "keras.engine.base_layer.Layer"))

layer_self <- function(layer) environment(layer)$self

# Arguments of every layer's constructor.
layer_option_names <- c("name", "trainable", "dtype", "input_shape", "batch_input_shape", "batch_size", "weights",
  "input_length")

#' @param own arguments of the constructor, one of which may have been meant.
#' @noRd
check_layer_options <- function(options, fun, own = character()) {
  options <- input_dim_as_shape(without_effect(options, "layer", fun), "return_sequences" %in% own, fun)
  unknown <- setdiff(names(options), layer_option_names)
  unnamed <- if (is.null(names(options))) seq_along(options) else which(names(options) == "")
  if (length(unnamed)) abort("takes no further argument without a name, such as ", describe(options[[unnamed[1]]]),
    fun = fun)
  if (length(unknown)) abort("there is no argument `", unknown[1], "`",
    did_you_mean(unknown[1], c(own, layer_option_names)), fun = fun)
  options <- options[!vapply(options, is.null, NA)]
  if (!is.null(options$name)) check_name(options$name, fun)
  if (!is.null(options$trainable)) check_flag(options$trainable, arg = "trainable", fun = fun)
  if (!is.null(options$dtype)) options$dtype <- as.character(check_choice(options$dtype, float_dtypes,
    arg = "dtype", fun = fun))
  for (arg in intersect(c("input_shape", "batch_input_shape"), names(options)))
    options[[arg]] <- check_input_shape(options[[arg]], arg = arg, fun = fun)
  options
}

#' Keras' older way to say `input_shape`: the number of features, of sequences together with that of timesteps.
#' @noRd
input_dim_as_shape <- function(options, recurrent, fun) {
  if (!"input_dim" %in% names(options)) return(options)
  if (is.null(options$input_dim)) return(options[names(options) != "input_dim"])
  if (!is.null(options$input_shape)) abort("only one of `input_dim` and `input_shape` can be given", fun = fun)
  n <- check_count(options$input_dim, arg = "input_dim", fun = fun)
  steps <- options$input_length
  if (!is.null(steps)) steps <- check_count(steps, arg = "input_length", fun = fun)
  options$input_shape <- c(if (recurrent) if (is.null(steps)) NA else steps, n)
  options[names(options) != "input_dim"]
}

#' A layer from what another one, or a file, notes of one. Of their own classes take whatever they like.
#' @noRd
made_layer <- function(constructor, kind, config, options) {
  accepted <- if (kind == "custom") names(config) else intersect(names(config), names(formals(constructor)))
  do.call(constructor, c(config[accepted], options))
}

#' Another layer of the same arguments, but for `changes`; so are layers within it. It has no weights yet.
#' @noRd
layer_like <- function(layer, name, changes = list()) {
  self <- layer_self(layer)
  constructor <- if (is.null(self$class)) get(paste0("layer_", self$kind), envir = topenv()) else self$class
  again <- function(x) {
    if (is_layer(x)) return(layer_like(x, sub(layer_self(layer)$name, name, layer_self(x)$name, fixed = TRUE)))
    if (is_branch(x)) lapply(x, again) else x
  }
  config <- if (is.null(self$own)) self$config else class_arguments(self)
  config <- utils::modifyList(lapply(config, again), changes, keep.null = TRUE)
  made_layer(constructor, self$kind, config, list(name = name, trainable = self$trainable, dtype = self$dtype))
}

#' "dense", then "dense_1" and so on.
#' @noRd
unique_name <- function(stem) {
  n <- session$names[[stem]]
  session$names[[stem]] <- if (is.null(n)) 1 else n + 1
  if (is.null(n)) stem else paste0(stem, "_", n)
}

#' A name that did not come from unique_name() is taken.
#' @noRd
take_name <- function(name) {
  stem <- sub("_[0-9]{1,9}$", "", name)
  n <- if (stem == name) 1 else as.numeric(substring(name, nchar(stem) + 2)) + 1
  if (nzchar(stem)) session$names[[stem]] <- max(n, session$names[[stem]])
}

#' So are those of layers from another session that x is, or was computed by.
#' @noRd
take_names_before <- function(x) {
  found <- new.env(parent = emptyenv())
  look <- function(self) {
    if (identical(self$home, session$home) || was_seen(found, self)) return()
    take_name(self$name)
    for (l in self$layers) look(layer_self(l))
  }
  look_back <- function(x) {
    if (identical(x$node$home, session$home) || was_seen(found, x$node)) return()
    look(x$node$layer)
    for (y in node_sources(x$node)) look_back(y)
  }
  for (leaf in tensor_leaves(x)) if (is_keras_tensor(leaf)) look_back(leaf) else if (is_layer(leaf))
    look(layer_self(leaf))
}

#' As Keras does: max_pooling1d of MaxPooling1D, conv2d_transpose of Conv2DTranspose.
#' @noRd
snake_case <- function(x) tolower(gsub("([a-z])([A-Z])", "\\1_\\2", gsub("(.)([A-Z][a-z0-9]+)", "\\1_\\2", x)))

#' Put a layer on top of what is piped into it: a model that is a sequence, symbolic tensors, or tensors and arrays.
#' @noRd
compose <- function(object, layer) UseMethod("compose")

#' @export
compose.nn_layer <- function(object, layer) {
  abort("is put on models from `keras_model_sequential()` and on tensors, not on ", describe(object),
    if (is_model(object)) "; call it on the model's `$output`", fun = layer_self(layer)$name)
}

#' @export
compose.default <- function(object, layer) {
  if (is.character(object) && !reads_strings(layer_self(layer)) && !is_model(layer)) {
    abort("the first argument without a name is what the layer is put on, a model or tensors, not ", describe(object),
      "; name the others, as in `activation = \"relu\"`", fun = layer_self(layer)$name)
  }
  layer(object)
}

# ---- weights ----

#' A new weight of a layer, for build().
#' @noRd
add_weight <- function(self, name, shape, initializer = "glorot_uniform", regularizer = NULL, constraint = NULL,
  trainable = TRUE, dtype = self$dtype) {
  if (!is.null(session$room)) session$room <- session$room - prod(shape)
  if (isTRUE(session$room < 0)) abort("needs larger weights than the file holds", class = "file", fun = self$name)
  value <- layer_part("initializer", initializer, arg = paste0(name, "_initializer"),
    fun = self$name)(as.integer(shape), dtype)
  if (!identical(as.integer(shape_of(value)), as.integer(shape))) {
    abort("the initializer of `", name, "` gave an array of shape ", format_shape(shape_of(value)), ", not ",
      format_shape(shape), class = "shape", fun = self$name)
  }
  weight <- variable(value, dtype, trainable = trainable, name = paste0(self$name, "/", name))
  self$weights[[length(self$weights) + 1]] <- weight
  self$rules[[length(self$rules) + 1]] <- list(regularizer = regularizer, constraint = constraint,
    trainable = trainable)
  weight
}

#' Make the weights, if that was not done yet. Building is no part of a function that is being traced.
#' @noRd
build_layer <- function(self, shape) {
  if (self$built) return(invisible(self))
  self$input_shape <- shape
  build <- layer_type(self)$build
  tryCatch(
    if (!is.null(build)) outside_of_trace(unrecorded(build(self, shape))),
    error = function(e) { # all or nothing
      self$weights <- self$rules <- list()
      stop(e)
    }
  )
  self$built <- TRUE
  session$builds <- new.env(parent = emptyenv()) # another token for each
  if (!is.null(self$options$weights)) set_weights(as_layer(self), self$options$weights)
  invisible(self)
}

# ---- calls ----

# The mask of a tensor travels with it (R/layer-mask.R); so does what a loss can use in place of it: the inputs of the
# sigmoid or softmax that made it ("logits"). That is no fusion: from logits, numbers are others where probabilities
# would be clipped.
with_note <- function(x, name, value) {
  attr(x, name) <- value # tensors are references: this marks the object itself
  x
}

another_name <- function(x) with_note(op_reshape(x, if (rank_of(x)) c(-1, shape_of(x)[-1]) else integer()), "logits",
  attr(x, "logits"))

apply_layer <- function(self, object, ..., training = NULL, mask = NULL) {
  if (missing(object)) {
    given <- list(...)
    first <- c(intersect(c(layer_type(self)$arguments[1], layer_type(self)$takes[1], "inputs"), names(given)), NA)[1]
    if (is.na(first)) check_given(TRUE, "x", self$name)
    return(do.call(apply_layer, c(list(self, given[[first]]), given[names(given) != first], list(training = training,
      mask = mask)), quote = TRUE))
  }
  apply <- layer_type(self)$apply
  if (!is.null(apply)) return(apply(self, object))
  if (is_sequential(object)) return(compose(object, layer_handle(self)))
  extra <- call_arguments(self, list(...))
  is_input <- names(extra) %in% layer_type(self)$takes
  if (any(is_input)) {
    more <- extra[intersect(layer_type(self)$takes, names(extra))]
    object <- c(if (is_branch(object)) object else list(object), more[!vapply(more, is.null, NA)])
    extra <- extra[!is_input]
  }
  gives_strings <- layer_type(self)$gives_strings
  if (!is.null(gives_strings) && gives_strings(self)) return(strings_of(self, object))
  leaves <- tensor_leaves(object, keep_null = TRUE)
  if (!length(leaves) || holds_null(leaves)) abort("is called on ", if (length(leaves) > 1) "a list with a NULL" else
    "nothing", fun = self$name)
  if (!is.null(training)) check_flag(training, fun = self$name)
  if (any(vapply(leaves, is_keras_tensor, NA))) {
    if (!is.null(mask)) abort("takes no `mask` with symbolic tensors, which bring their own", fun = self$name)
    return(symbolic_call(self, object, c(extra, if (!is.null(training)) list(training = training))))
  }
  mask <- if (!is.null(mask)) given_mask(self, object, mask)
  y <- do.call(call_layer, c(list(self, as_inputs(self, object)), extra, list(training = training, mask = mask)))
  # one string is no batch
  if (self$kind == "text_vectorization" && is.character(object) && is.null(dim(object)) && length(object) == 1)
    op_reshape(y, shape_of(y)[-1]) else y
}

#' Run a layer's ops on tensors.
#' @noRd
call_layer <- function(self, x, ..., training = NULL, mask = NULL, captured = NULL) {
  type <- layer_type(self)
  if (!is.null(captured)) {
    outer <- session$captured
    on.exit(session$captured <- outer)
    session$captured <- list(tensors = self$captures, values = captured)
  }
  if (!isTRUE(session$calling)) {
    session$calling <- TRUE
    on.exit(session$calling <- FALSE, add = TRUE)
    forget_losses(self)
  }
  wants <- names(formals(type$call))
  given <- list(...)
  known <- if (is.null(names(given))) rep(FALSE, length(given)) else names(given) %in% wants[-(1:2)]
  if (!"..." %in% wants) check_no_more(given[!known], fun = self$name)
  x <- one_tensor(self, x)
  if (!self$built) build_layer(self, shapes_of(x))
  if (is.null(training)) training <- session$training
  if (is.null(training) && !identical(type$training, "own")) training <- isTRUE(type$training)
  if (is.null(mask)) mask <- mask_of(x)
  else if (identical(type$mask, "own")) x <- with_masks(x, tensor_leaves(mask, keep_null = TRUE), another_name)
  extra <- c(list(...), if ("training" %in% wants) list(training = training), if ("mask" %in% wants) list(mask = mask))
  run <- function() with_frozen(self, do.call(type$call, c(list(self, x), extra)))
  # code of the user's
  result <- check_result(self, if (self$kind %in% c("lambda", "custom")) with_place(NULL, run()) else run())
  if (identical(type$mask, "own")) return(result)
  result <- fill_leaves(result, Map(function(y, mask) {
    if (is_same(attr(y, "mask"), mask)) return(y)
    if (is_one_of(y, tensor_leaves(x))) y <- another_name(y) # the input given back has its own mask and other readers
    with_note(y, "mask", mask)
  }, tensor_leaves(result), result_masks(self, result, x, mask)))
  regularizer <- self$config$activity_regularizer
  if (!is.null(regularizer) && !on_trial()) {
    penalty <- with_place(paste0("the `activity_regularizer` of `", self$name, "`"), regularizer(result))
    note_loss(op_divide(penalty, batch_size_of(result)), self$name, self)
  }
  result
}

#' Whatever a layer or model holds that is not to be trained is not, either.
#' @noRd
with_frozen <- function(self, expr) {
  before <- session$frozen
  on.exit(session$frozen <- before)
  session$frozen <- before || !self$trainable
  expr
}

#' One tensor, but for types that take `several`.
#' @noRd
one_tensor <- function(self, x) {
  if (!is_branch(x) || isTRUE(layer_type(self)$several)) return(x)
  if (length(x) == 1) return(one_tensor(self, x[[1]]))
  abort("takes one tensor, not a list of ", length(x), fun = self$name)
}

check_result <- function(self, result) {
  leaves <- tensor_leaves(result, keep_null = TRUE)
  wrong <- if (length(leaves)) Filter(Negate(is_tensor), leaves) else list(result)
  if (length(wrong)) abort("gave ", describe(wrong[[1]]), " where a tensor was expected", fun = self$name)
  result
}

shapes_of <- function(x) if (is_branch(x)) lapply(x, shapes_of) else if (is_strings(x)) string_shape(x) else shape_of(x)

#' A 1 for each row of x, of shape (rows, 1, ..., 1): in a program, as many as the batch at hand has.
#' @noRd
row_ones <- function(x) {
  rank <- rank_of(x)
  op_ones_like(op_stop_gradient(op_slice(x, rep(1, rank), c(-1, rep(1, rank - 1)))))
}

batch_size_of <- function(x) op_sum(row_ones(x))

# ---- members, printing, configuration ----

layer_members <- list(
  name = function(self) self$name,
  weights = function(self) all_weights(self),
  trainable_weights = function(self) trainable_weights(self),
  non_trainable_weights = function(self) fixed_weights(self),
  variables = function(self) all_weights(self),
  trainable_variables = function(self) trainable_weights(self),
  non_trainable_variables = function(self) fixed_weights(self),
  trainable = function(self) self$trainable,
  built = function(self) self$built,
  dtype = function(self) self$dtype,
  input_shape = function(self) self$input_shape,
  output_shape = function(self) self$output_shape,
  input = function(self) self$input,
  output = function(self) self$output,
  get_config = function(self) function() get_config(layer_handle(self)),
  reset_states = function(self) function() reset_states(as_layer(self)),
  add_loss = function(self) function(losses, ...) invisible(add_losses(self, losses)),
  losses = function(self) losses_of(self),
  build = function(self) function(input_shape) invisible(build_layer(self, check_input_shape(input_shape,
    "input_shape", self$name))),
  call = function(self) function(inputs, ...) apply_layer(self, inputs, ...),
  supports_masking = function(self) !is.null(layer_type(self)$mask) && !isFALSE(layer_type(self)$mask),
  get_weights = function(self) function() lapply(all_weights(self), as.array),
  set_weights = function(self) function(weights) set_weights(as_layer(self), weights),
  count_params = function(self) function() count_of(all_weights(self)),
  compute_output_shape = function(self) function(input_shape) shape_after(self, input_shape),
  compute_mask = function(self) function(inputs, mask = NULL) {
    rule <- layer_type(self)$mask
    if (is.function(rule)) rule(self, inputs, mask) else if (isTRUE(rule)) mask
  },
  stateful = function(self) isTRUE(self$config$stateful),
  dynamic = function(self) FALSE,
  compute_dtype = function(self) self$dtype,
  variable_dtype = function(self) self$dtype,
  metrics = function(self) list(),
  updates = function(self) list(),
  get_input_at = function(self) function(node_index) call_ends(self, "input", node_index),
  get_output_at = function(self) function(node_index) call_ends(self, "output", node_index),
  get_input_shape_at = function(self) function(node_index) map_leaves(call_ends(self, "input", node_index), dim),
  get_output_shape_at = function(self) function(node_index) map_leaves(call_ends(self, "output", node_index), dim),
  `__class__` = function(self) class_of_python(self$class_name)
)

#' Whether a layer's weights are to be trained, from the next compile() on.
#' @noRd
change_trainable <- function(self, value) {
  if (identical(self$trainable, value)) return()
  self$trainable <- value
  self$unsettled <- TRUE
  session$trainable_changes <- new.env(parent = emptyenv()) # models notice that it is another
}

# ---- what layers and modules hold ----

#' Among it are layers, modules and variables; in fields they may stand in lists.
#' @noRd
held_by <- function(owner) if (is_module(owner)) module_leaves(owner) else c(owner$layers, tensor_leaves(owner$fields))

#' A layer (its `self`) or module, and those within, each once, as they are met first; or only what is not within a
#' frozen layer.
#' @noRd
owners_within <- function(owner, trained = FALSE) {
  found <- new.env(parent = emptyenv())
  walk <- function(owner) {
    if (trained && is.environment(owner) && !owner$trainable || was_seen(found, owner)) return()
    for (part in held_by(owner)) if (is_layer(part)) walk(layer_self(part)) else if (is_module(part)) walk(part)
  }
  walk(owner)
  found$seen
}

layers_within <- function(owner) Filter(is.environment, owners_within(owner))

#' list(weight, regularizer, constraint, trainable) for each variable of a layer or module itself; the middle ones only
#' where a layer made it.
#' @noRd
own_rules <- function(owner) {
  made <- if (is.environment(owner)) owner$weights
  given <- Filter(function(x) is_variable(x) && !is_one_of(x, made), held_by(owner))
  c(Map(function(w, r) c(list(weight = w), r), made, if (length(made)) owner$rules),
    lapply(given, function(v) list(weight = v, trainable = is_trainable(v))))
}

#' The same of all within, each variable once.
#' @noRd
weight_rules <- function(owner, trained = FALSE) {
  rules <- unlist(lapply(owners_within(owner, trained), own_rules), recursive = FALSE)
  if (trained) rules <- Filter(function(r) r$trainable, rules)
  found <- new.env(parent = emptyenv())
  Filter(function(r) !was_seen(found, r$weight), rules)
}

all_weights <- function(owner) lapply(weight_rules(owner), `[[`, "weight")

#' Those that training changes.
#' @noRd
trainable_weights <- function(owner) lapply(weight_rules(owner, trained = TRUE), `[[`, "weight")

fixed_weights <- function(owner) {
  trained <- trainable_weights(owner)
  Filter(function(w) !is_one_of(w, trained), all_weights(owner))
}

# ---- access ----

#' @export
`$.nn_layer` <- function(x, name) {
  self <- layer_self(x)
  if (!is.null(self$own)) {
    found <- own_member(x, self$own, self$fields, name)
    if (!is.null(found)) return(found[[1]])
    if (!is.null(own_members[[name]])) return(own_members[[name]](self))
  }
  plain_member(x, name)
}

#' A member without what a class of the user's adds.
#' @noRd
plain_member <- function(x, name) UseMethod("plain_member")

#' @export
plain_member.nn_layer <- function(x, name) {
  self <- layer_self(x)
  if (!is.null(layer_members[[name]])) return(layer_members[[name]](self))
  own <- layer_type(self)$members[[name]]
  if (!is.null(own)) return(own(self))
  if (name %in% names(self$fields)) return(self$fields[[name]])
  if (exists(name, envir = self, inherits = FALSE)) return(get(name, envir = self))
  weight <- self$weights[sub(":0$", "", sub(".*/", "", vapply(self$weights, variable_name, ""))) == name]
  if (length(weight)) return(weight[[1]])
  if (name %in% names(self$config)) return(self$config[[name]])
  unknown_member(name, layer_member_names(x), describe(x))
}

#' Members that some kinds have besides.
#' @noRd
more_members <- function(x) UseMethod("more_members")

#' @export
more_members.nn_layer <- function(x) NULL

layer_member_names <- function(x) {
  self <- layer_self(x)
  unique(c(more_members(x), names(layer_members), names(layer_type(self)$members), names(self$config),
    names(self$fields), if (!is.null(self$own)) c(names(own_members), names(all_of(self$own, "methods")),
      names(all_of(self$own, "active")))))
}

#' @export
`[[.nn_layer` <- function(x, i, ...) {
  if (is.numeric(i)) abort("`name` must be a single string, not ", describe(i), "; ", if (is_model(x))
    "layers are numbered in `$layers[[1]]`" else "weights are numbered in `$weights[[1]]`", fun = "[[")
  do.call("$", list(x, check_name(i, "[[")))
}

#' @export
`[.nn_layer` <- function(x, ...) abort(describe(x), " is a function: its members are taken with `$`, as in `$weights`",
  class = "member", fun = NULL)

#' @export
`$<-.nn_layer` <- function(x, name, value) {
  self <- layer_self(x)
  if (name == "trainable") change_trainable(self, check_flag(value, arg = "trainable", fun = self$name))
  else if (name == "name") self$name <- check_name(value, self$name)
  else if (name == "built" && is.null(self$own)) mark_built(self, check_flag(value, arg = "built", fun = self$name))
  else if (!is.null(self$own)) set_field(x, self, name, value)
  else abort("`$", name, "` of ", describe(x), " cannot be set", class = "member", fun = NULL)
  x
}

#' Weights are made by building alone.
#' @noRd
mark_built <- function(self, value) {
  if (value != self$built && (!value || !is.null(layer_type(self)$build))) abort("`$built` says whether the weights ",
    "are made, which the first call does, or `$build(input_shape)`: it cannot be set to ", value, class = "member",
    fun = self$name)
  self$built <- value
}

#' A field of a layer or model of the user's class. What was traced knows of no others.
#' @noRd
set_field <- function(x, self, name, value) {
  active <- find_member(self$own, "active", name)
  if (!is.null(active)) return(call_member(x, active, list(value)))
  if (!is_tracing()) forget_steps()
  else if (is_same(self, session$stepping) && name %in% names(self$fields) && !is_same(self$fields[[name]], value)) {
    abort_trace(paste0("it changes the field `", name, "`"))
  }
  self$fields[name] <- list(value)
}

#' @export
`[[<-.nn_layer` <- function(x, i, value) eval(call("$<-", x, check_name(i, "[["), call("quote", value)))

#' @export
.DollarNames.nn_layer <- function(x, pattern = "") grep(pattern, layer_member_names(x), value = TRUE)

#' @export
in_words.nn_layer <- function(x) paste(with_article(layer_self(x)$class_name), "layer")

#' @export
summary.nn_layer <- function(object, ...) print(object)

#' @export
print.nn_layer <- function(x, ...) {
  self <- layer_self(x)
  cat("<", self$class_name, " layer ", self$name, ">", if (!self$built) " not built yet", "\n", sep = "")
  for (w in all_weights(self)) cat("  ", sub(":0$", "", variable_name(w)), " ", format_shape(dim(w)), "\n", sep = "")
  invisible(x)
}

is_sequential <- function(x) is_model(x) && layer_self(x)$kind == "sequential"

count_of <- function(weights) sum(as.numeric(lengths(weights)))
