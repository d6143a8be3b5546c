# Layers and models of classes of the user's, in files and copies. The name of the class and the arguments of its
# constructor are stored, and of the layers that the constructor makes what may have been changed since: whether they
# are trained, and what they have learned by adapt(). Weights stand among those of the model.

#' A model that can be stored: built, but for models of own steps, whose layers each are by themselves.
#' @noRd
storable_self <- function(object, fun = calling_function()) {
  self <- layer_self(check_model(object, fun = fun))
  if (!is_own_model(self)) return(built_self(object, fun))
  # one that was only called has no symbolic outputs yet, which losses of compile() belong to
  if (has_method(self$own, "call") && is.null(self$inputs) && !is.null(self$called)) {
    begin_own_model(self, called_tensors(self$called))
    if (!is.null(self$compiled) && is.null(self$compiled$losses)) self$compiled <- finish_compile(self, self$compiled)
  }
  if (has_method(self$own, "call")) built_self(object, fun) else self
}

#' How it was compiled, where that can be stored.
#' @noRd
stored_compilation <- function(self) {
  compiled <- self$compiled
  own <- has_method(self$own, "compile")
  if (is.null(compiled) || !own && !is.null(compiled$losses)) return(compiled)
  warn("how `", self$name, "` was compiled is not stored, as ", if (own) "its class has its own `compile()`" else
    "it has no outputs", ": compile what is loaded", class = "custom")
  NULL
}

#' The entry of such a layer in the table of layers (R/save.R).
#' @noRd
class_entry <- function(self, table) {
  enter_own(table$own, self$class_name, self$class)
  arguments <- class_arguments(self)
  list(own = TRUE, config = Map(config_entry, arguments, names(arguments), MoreArgs = list(self = self,
    table = table)), called = if (is_own_model(self)) self$called, within = lapply(inner_layers(self), inner_entry,
    table = table))
}

inner_entry <- function(self, table) list(
  class_name = self$class_name, name = self$name, trainable = self$trainable,
  shape = if (self$built && !is.null(self$input_shape)) map_leaves(self$input_shape, function(s)
    list(size = as.list(s))),
  learned = if (!is.null(self$given)) Map(config_entry, self$config, names(self$config), MoreArgs = list(self = self,
    table = table)), given = self$given
)

#' Make one again.
#' @param found the class' constructor; for a model also a function that gives it, or that of keras_model_custom().
#' @param config arguments of the constructor.
#' @noRd
made_by_class <- function(found, config, entry, fun) {
  is_model <- !identical(entry$kind, "custom")
  options <- entry[c("name", "trainable", "dtype")]
  class <- attr(found, "own_class")
  takes <- if (!is.null(class)) taken_by_class(class) else names(formals(found))
  if (is_model) options <- options[intersect(names(options), takes)]
  arguments <- c(config[setdiff(names(config), names(options))], options)
  made <- if (!is.null(class)) from_class_config(found, arguments)
    else if (is_model && !length(config) && needs_arguments(found)) keras_model_custom(found)
    else do.call(found, if (is_model) arguments[names(arguments) %in% takes] else arguments, quote = TRUE)
  if (!is_layer(made) || is_model && !is_model(made)) abort("what makes `", entry$class_name, "` must give a ",
    if (is_model) "model" else "layer", ", not ", describe(made), class = "custom", fun = fun)
  self <- layer_self(made)
  self$name <- entry$name
  self$trainable <- check_flag(entry$trainable, arg = "trainable", fun = fun)
  self$dtype <- entry$dtype
  self
}

needs_arguments <- function(f) length(formals(f)) > 0 && identical(formals(f)[[1]], quote(expr = ))

#' Symbolic tensors of these shapes and dtypes, as a model of a class was called on.
#' @noRd
called_tensors <- function(called) {
  if (!identical(names(called)[1:2], c("shape", "dtype"))) return(lapply(called, called_tensors))
  input_tensor(read_shape(as.list(called$shape)), as.character(check_choice(called$dtype, input_dtypes(),
    arg = "dtype", fun = NULL)), called$name)
}

#' One from its entry of the table.
#' @noRd
rebuild_own <- function(entry, context) {
  found <- find_custom(context$custom, entry$class_name, if (entry$kind == "custom") "class of layers" else
    "class of models", context$fun)
  config <- lapply(stats::setNames(names(entry$config), names(entry$config)), function(name)
    rebuild_argument(entry$config[[name]], name, entry, context))
  self <- made_by_class(found, config, entry, context$fun)
  restore_learned(self, entry$within, context)
  if (is_own_model(self) && !is.null(entry$called)) begin_own_model(self, called_tensors(entry$called))
  context$note_own(self, entry)
  self
}

#' What layers within learned, before anything is called, and their names.
#' @noRd
restore_learned <- function(self, entries, context) {
  inner <- inner_layers(self)
  for (k in seq_len(min(length(inner), length(entries)))) {
    entry <- entries[[k]]
    check_inner(self, inner[[k]], entry)
    inner[[k]]$name <- check_name(entry$name, self$name)
    if (is.null(entry$learned)) next
    inner[[k]]$config <- Map(rebuild_argument, entry$learned, names(entry$learned), MoreArgs = list(entry =
      entry, context = context))
    inner[[k]]$given <- isTRUE(entry$given)
  }
}

check_inner <- function(self, inner, entry) if (!identical(inner$class_name, entry$class_name)) abort("`", self$name,
  "` has a layer `", inner$name, "` of class ", inner$class_name, ", where the one that was saved had a ",
  entry$class_name, class = "custom", fun = self$class_name)

#' Build the layers within that no call has built, and say which are trained.
#' @noRd
restore_inner <- function(self, entries) {
  for (k in seq_along(entries)) {
    entry <- entries[[k]]
    inner <- inner_layers(self) # building makes more
    if (k > length(inner)) abort("`", self$name, "` has ", length(inner), " layers within, but had ", length(entries),
      " when it was saved", class = "custom", fun = self$class_name)
    check_inner(self, inner[[k]], entry)
    if (!inner[[k]]$built && !is.null(entry$shape)) build_layer(inner[[k]], inner_shape(entry$shape))
    change_trainable(inner[[k]], check_flag(entry$trainable, arg = "trainable", fun = self$name))
  }
}

inner_shape <- function(x) if (identical(names(x), "size")) read_shape(x$size) else lapply(x, inner_shape)

# ---- copies ----

#' Clone a model
#'
#' A model of the same architecture with new random weights. That of a model of a class ([new_model_class()]) is another
#' one of the class, of the same arguments.
#'
#' @param model a model.
#' @param input_tensors symbolic tensors of [layer_input()] that take the place of the model's inputs, or `NULL`.
#' @param clone_function a function of a layer of the model that gives the layer to stand in its place; `NULL`: one of
#'   the same arguments.
#' @param call_function must be `NULL`; present for compatibility with keras3.
#' @param recursive are the layers of models within the model given to `clone_function` in place of these models?
#' @param ... not used: other arguments are refused.
#' @return A model.
#' @seealso [save_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dropout(0.5)
#' clone_model(model)
#' # with dropout of another rate
#' clone_model(model, clone_function = function(layer) {
#'   if (layer$name == "dropout") layer_dropout(rate = 0.1) else from_config(get_config(layer))
#' })
#' @export
clone_model <- function(model, input_tensors = NULL, clone_function = NULL, call_function = NULL, recursive = FALSE,
  ...) {
  check_no_more(list(...), of = clone_model)
  if (!is.null(call_function)) abort("`call_function` must be NULL; `clone_function` may give other layers")
  if (!is.null(clone_function)) check_function(clone_function, takes = 1)
  check_flag(recursive)
  self <- storable_self(model)
  own <- new.env(parent = emptyenv())
  table <- architecture(self, own, list())
  selves <- attr(table, "selves")
  description <- from_json(to_json(table), "description of the model", "clone_model")
  made <- vector("list", length(description$layers))
  if (!is.null(input_tensors)) made <- with_inputs(made, self, selves, input_tensors)
  layers <- if (recursive) Filter(Negate(is_model), lapply(selves, layer_handle)) else self$layers
  for (layer in if (!is.null(clone_function)) layers) if (!isTRUE(layer_self(layer)$is_input))
    made[[place_of(layer_self(layer), selves)]] <- cloned_layer(clone_function(layer), layer)
  layer_handle(rebuild(description, as.list(own, all.names = TRUE), "clone_model", made, attr(table, "kept")))
}

#' @param made,selves new and old layers by their places.
#' @noRd
with_inputs <- function(made, self, selves, tensors) {
  given <- lapply(check_symbolic(tensors, "input_tensors", "clone_model"), function(x) x$node$layer)
  if (length(given) != length(self$inputs) || !all(vapply(given, function(l) isTRUE(l$is_input), NA)))
    abort("`input_tensors` must be ", length(self$inputs), " symbolic tensors of `layer_input()`, as the model has ",
      "inputs", fun = "clone_model")
  for (k in seq_along(given)) made[[place_of(self$inputs[[k]]$node$layer, selves)]] <- given[[k]]
  made
}

cloned_layer <- function(x, layer) {
  if (!is_layer(x)) abort("`clone_function` must give a layer, not ", describe(x), " for `", layer$name, "`",
    fun = "clone_model")
  layer_self(x)
}

# ---- configurations of Keras ----

#' A constructor, of a class of R6 too.
#' @noRd
class_constructor <- function(x, fun = user_function()) {
  if (!inherits(x, "R6ClassGenerator")) return(x)
  class <- class_of_r6(x, fun)
  if (class$kind == "model") model_constructor(class) else own_layer_constructor(class, fun)
}

#' The arguments of a class in its configuration; layers and parts among them are made.
#' @param entry list(config, values): `values` is "R" where they are R's own, "json" where they come of a text of ours.
#' @param skip names of others.
#' @param make are objects made, or left to the class?
#' @noRd
config_arguments <- function(entry, context, skip = NULL, make = TRUE) {
  config <- as.list(entry$config)
  config <- config[setdiff(names(config), skip)]
  values <- entry[["values"]]
  if (is.null(values)) return(lapply(config, if (make) own_value else function(x, ...) keras_value(x), context))
  Map(function(x, arg) exact_value(x, arg, context, values == "json", make), config, names(config))
}

exact_value <- function(x, arg, context, json, make) {
  if (!is_branch(x)) return(x)
  if (is_data(x)) return(read_argument_data(x$config, arg, context, function(data) if (!is.null(data$keras))
    list(if (make) own_value(data$keras, context) else data$keras)))
  if (is_object_entry(x)) return(if (make) own_value(x, context) else x)
  if (json) return(json_value(x))
  x[] <- lapply(x, exact_value, arg, context, json, make)
  x
}

# What holds an object's class and configuration, and what holds a value of R (R/config-data.R).
is_object_entry <- function(x) is_branch(x) && is_string(x$class_name) && "config" %in% names(x)
is_data <- function(x) is_object_entry(x) && x$class_name == data_class
data_class <- "nativenet.value"

#' Values within the configuration of a class; layers among them are made.
#' @noRd
own_value <- function(x, context) {
  if (is_branch(x) && is_string(x$class_name) && is_branch(x$config) && (x$class_name %in% c(names(layer_classes()),
    model_classes) || inherits(custom_class(x, context), "nn_class"))) return(read_keras_layer(x, context))
  if (is_branch(x) && is_string(x$class_name)) {
    module <- if (is_string(x$module)) x$module else ""
    kind <- names(part_names)[match(module, part_module(names(part_names)))]
    if (!is.na(kind)) return(read_keras_part(kind, x, kind, context))
    if (module != "keras.optimizers") return(keras_value(x))
    return(read_keras_optimizer(x, context))
  }
  x <- plain_value(x)
  if (is_branch(x)) lapply(x, own_value, context = context) else x
}

#' A layer or model of a class, from its configuration.
#' @noRd
read_own_class <- function(constructor, entry, options, context) {
  config <- entry$config
  class <- attr(constructor, "own_class")
  is_model <- !is.null(class) && class$kind == "model"
  if (is_model && is_branch(config$layers) && !is.null(config$output_layers) && !has_method(class, "initialize"))
    return(layer_handle(give_class(read_functional(config, context), constructor)))
  # a class that reads its configuration itself makes what is in it
  arguments <- config_arguments(entry, context, c(layer_option_names, "batch_shape", "dynamic"), is.null(class) ||
    !has_method(class, "from_config"))
  takes <- if (is.null(class)) names(formals(constructor)) else taken_by_class(class)
  if (is.null(class) && !"..." %in% takes) return(read_own_model(constructor, arguments, entry, options))
  given <- if (is_model) options[intersect(names(options), takes)] else options
  layer <- from_class_config(constructor, c(arguments, given))
  restore_keras_learned(layer_self(layer), entry, context)
  if (is_model) restore_options(layer, entry, options) else layer
}

restore_keras_learned <- function(self, entry, context) {
  inner <- inner_layers(self)
  for (noted in entry$learned) {
    at <- check_count(noted$at, arg = "at", fun = NULL)
    if (at > length(inner)) next # made when it is built
    check_inner(self, inner[[at]], noted)
    inner[[at]]$config <- config_arguments(list(config = noted$config, values = entry[["values"]]), context)
    inner[[at]]$given <- isTRUE(noted$given)
  }
}

#' A model that a function gives, or one of keras_model_custom() of that function.
#' @noRd
read_own_model <- function(f, arguments, entry, options) {
  made <- if (!length(arguments) && needs_arguments(f)) keras_model_custom(f) else do.call(f, c(arguments,
    options)[intersect(names(c(arguments, options)), names(formals(f)))], quote = TRUE)
  if (is_layer(made)) restore_options(made, entry, options) else abort("what makes `", entry$class_name, "` must give ",
    "a layer or model, not ", describe(made), class = "custom", fun = user_function())
}

restore_options <- function(layer, entry, options) {
  self <- layer_self(layer)
  if (!is.null(options$name)) self$name <- options$name
  if (is.logical(options$trainable)) self$trainable <- options$trainable
  shape <- entry$build_config$input_shape
  if (is_own_model(self) && has_method(self$own, "call") && length(shape)) begin_own_model(self, shape_tensors(shape,
    entry$build_config$input_dtype))
  layer
}

#' Symbolic tensors of shapes as Keras notes them: lists of sizes, of which the first is the batch.
#' @noRd
shape_tensors <- function(shape, dtype = NULL, name = NULL) {
  sizes <- plain_value(keras_value(shape))
  if (is.atomic(sizes)) return(input_tensor(as.integer(sizes[-1]), if (is.null(dtype)) "float32" else
    as.character(check_choice(dtype, input_dtypes(), arg = "input_dtype", fun = NULL)), name))
  parts <- lapply(seq_along(shape), function(k) shape_tensors(shape[[k]], if (!is.null(dtype)) dtype[[k]],
    names(shape)[k]))
  stats::setNames(parts, names(shape))
}

#' The note of how a model of a class was called, beside its configuration.
#' @noRd
build_config <- function(self) {
  if (!is_own_model(self) || is.null(self$called)) return(NULL)
  of <- function(called, part) if (identical(names(called)[1:2], c("shape", "dtype"))) part(called) else lapply(called,
    of, part)
  list(input_shape = of(self$called, function(x) c(list(NULL), x$shape)), input_dtype = of(self$called, function(x)
    x$dtype))
}
