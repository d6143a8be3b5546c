# Models: layers in a graph. A model is a layer itself, so it can be called, and be part of other models.

#' Models
#'
#' `keras_model_sequential()` makes a sequential model, a linear stack of layers. It changes in place when a layer is
#' piped onto it. `keras_model()` makes a functional model of any graph of layers between inputs and outputs. Models
#' that share layers share their weights: the encoder, the decoder and the whole of an autoencoder are three models over
#' the same weights.
#'
#' A model is a function of tensors or arrays, `model(x, training = FALSE)`, and a layer: other models may hold it. Its
#' members: `$layers`, `$weights`, `$trainable_weights`, `$inputs`, `$outputs`, `$optimizer`, `$loss`, `$name`, and
#' the `stop_training` that callbacks set.
#'
#' Until its input shape is known a sequence has no weights: give `input_shape`, begin with [layer_embedding()] or, in a
#' list of `layers`, with [layer_input()], or let the first data that it sees decide. Its input has the name of the
#' first layer and `_input`.
#'
#' Several inputs are given as a list, in the model's order or by the names of the input layers. The layers of a model
#' must have different names.
#'
#' @param layers a list of layers.
#' @param name a string; by default `"sequential"` or `"model"` with a number.
#' @param input_shape the shape of a sample, without the batch axis.
#' @param ... for `keras_model_sequential()`: `dtype` of the layers; `batch_size` or `input_batch_size`, where it is
#'   fixed; `batch_input_shape` or `batch_shape`, with it, in place of `input_shape`; `input_name`; `input_dtype` is
#'   ignored. For `keras_model()`: `name`.
#' @param inputs,outputs symbolic tensors, or lists of them.
#' @return A model, an object of class `nn_model`.
#' @section Errors: `nativenet_error_shape` if layers and inputs do not fit, `nativenet_error_unbuilt` if weights are
#'   asked for before the shape of the input is known. A layer that fails leaves a sequence as it was.
#' @seealso [layer_input()], [layer_dense()], [layer_lstm()]; [compile()][compile.nn_model], [fit()][fit.nn_model],
#'   [predict()][predict.nn_model], [summary()][summary.nn_model], [save_model()]; `vignette("models")`.
#' @examples
#' model <- keras_model_sequential(input_shape = 784) |>
#'   layer_dense(32, activation = "relu") |>
#'   layer_dense(784, activation = "sigmoid")
#' model
#'
#' input <- layer_input(shape = 784)
#' code <- input |> layer_dense(32, activation = "relu")
#' output <- code |> layer_dense(784, activation = "sigmoid")
#' autoencoder <- keras_model(input, output)
#' encoder <- keras_model(input, code)
#' dim(encoder(matrix(0, 2, 784)))
#' @export
keras_model_sequential <- function(layers = NULL, name = NULL, input_shape = NULL, ...) {
  options <- list(...)
  unknown <- setdiff(names(options), c("dtype", "batch_size", "batch_input_shape", "batch_shape", "input_dtype",
    "input_batch_size", "input_name"))
  if (length(unknown)) abort("there is no argument `", unknown[1], "`",
    did_you_mean(unknown[1], c("input_shape", "dtype", "batch_size")))
  if (!is.null(options$dtype)) check_choice(options$dtype, float_dtypes, arg = "dtype")
  self <- new_model("sequential", name, options$dtype)
  self$input_name <- if (!is.null(options$input_name)) check_name(options$input_name, "keras_model_sequential")
  for (arg in c("batch_size", "input_batch_size")) if (!is.null(options[[arg]]))
    self$batch <- check_count(options[[arg]], arg = arg)
  for (arg in c("batch_input_shape", "batch_shape")) if (!is.null(options[[arg]])) {
    shape <- check_input_shape(options[[arg]], arg = arg)
    self$batch <- shape[1]
    input_shape <- shape[-1]
  }
  if (!is.null(input_shape)) self$row_shape <- check_input_shape(input_shape)
  if (!is.null(layers) && !is_branch(layers) && !is_layer(layers)) abort("`layers` must be a list of layers, not ",
    describe(layers))
  model <- layer_handle(self)
  for (layer in if (is_layer(layers)) list(layers) else layers) add_layer(model, layer)
  model
}

new_model <- function(kind, name, dtype = NULL, stem = kind) {
  self <- new.env(parent = emptyenv())
  self$kind <- kind
  self$class_name <- if (kind == "sequential") "Sequential" else "Functional"
  self$config <- list()
  self$options <- list()
  self$dtype <- if (is.null(dtype)) session$floatx else dtype
  self$trainable <- TRUE
  self$name <- if (is.null(name)) unique_name(stem) else check_name(name, if (kind == "sequential")
    "keras_model_sequential" else "keras_model")
  self$home <- session$home
  self$built <- FALSE
  self$layers <- list()
  self$noted <- new_plan()
  self$stop_training <- FALSE
  self
}

#' @export
in_words.nn_model <- function(x) "a model"

check_model <- function(x, arg = "object", fun = calling_function()) {
  if (is_model(x)) return(x)
  abort("`", arg, "` must be a model, not ", describe(x), fun = fun)
}

#' @export
compose.nn_model <- function(object, layer) {
  if (is_sequential(object)) invisible(add_layer(object, layer)) else NextMethod()
}

#' Put a layer at the end of a sequence.
#' @noRd
add_layer <- function(model, layer) {
  self <- layer_self(model)
  if (is_model_input(layer) && !length(self$layers) && is.null(self$row_shape) && is.null(self$begin)) {
    self$begin <- layer
    return(model)
  }
  if (!is_layer(layer)) abort("`layers` must be layers, not ", describe(layer), fun = "keras_model_sequential")
  present <- c(lapply(self$layers, layer_self), lapply(self$inputs, function(x) x$node$layer))
  own <- layer_self(layer)
  if (holds(own, self)) abort("a model cannot be a layer of itself", fun = self$name)
  if (is_one_of(own, present)) {
    abort("`", own$name,
      "` is in the model already: a sequence has each layer once. Make another; or call it twice on the symbolic ",
      "tensors of a `keras_model()`, where both calls share its weights", fun = self$name)
  }
  if (own$name %in% self_names(present))
    abort("the model has a layer `", own$name, "` already; names must differ", fun = self$name)
  if (self$built) output <- one_output(self, layer, self$output)
  before <- self$layers
  self$layers <- c(before, list(layer))
  tryCatch(
    if (self$built) end_model(self, list(output))
    else if (!is.null(shape <- first_shape(self))) build_sequential(self, shape),
    error = function(e) { # the model stays as it was
      self$layers <- before
      stop(e)
    }
  )
  forget_compilation(self)
  model
}

self_names <- function(selves) vapply(selves, function(self) self$name, "")

#' Of a model whose layers have changed.
#' @noRd
forget_compilation <- function(self) {
  self$changed <- isTRUE(self$changed) || !is.null(self$compiled)
  self$compiled <- NULL
}

#' Is `inner` the layer itself or one in it?
#' @noRd
holds <- function(self, inner) identical(self, inner) ||
  any(vapply(self$layers, function(l) holds(layer_self(l), inner), NA))

#' The shape of a row, if the sequence or its first layer says it.
#' @noRd
first_shape <- function(self) {
  if (!is.null(self$row_shape)) return(self$row_shape)
  if (!is.null(self$begin)) return(dim(self$begin)[-1])
  first <- layer_self(self$layers[[1]])
  if (!is.null(first$options$input_shape)) return(first$options$input_shape)
  if (!is.null(first$options$batch_input_shape)) return(first$options$batch_input_shape[-1])
  if (is_model(self$layers[[1]]) && first$built) return(dim(first$inputs[[1]])[-1])
  own <- if (!is_model(self$layers[[1]])) layer_type(first)$input_shape
  if (!is.null(own)) own(first)
}

#' The batch size, where the first layer says it, or NA.
#' @noRd
first_batch <- function(self) {
  if (!is.null(self$batch)) return(self$batch)
  options <- layer_self(self$layers[[1]])$options
  if (!is.null(options$batch_input_shape)) return(options$batch_input_shape[1])
  if (is.null(options$batch_size)) NA else options$batch_size
}

build_sequential <- function(self, shape) {
  first <- layer_self(self$layers[[1]])
  if (length(first$inputs) > 1) return(build_on_several(self, first))
  dtype <- if (is_model(self$layers[[1]])) first$input$dtype else layer_type(first)$input_dtype
  x <- input <- if (!is.null(self$begin)) self$begin else
    input_tensor(shape, if (is.null(dtype)) first$dtype else dtype, if (is.null(self$input_name)) paste0(first$name,
      "_input") else self$input_name, first_batch(self))
  # a model that begins it
  if (length(first$inputs)) assign("names", .subset2(first$inputs[[1]], "names"), envir = input)
  for (layer in self$layers) x <- one_output(self, layer, x)
  finish_model(self, list(input), list(x))
}

#' A sequence that begins with a model of several inputs has the same inputs.
#' @noRd
build_on_several <- function(self, first) {
  inputs <- lapply(first$inputs, function(input) input_tensor(dim(input)[-1], input$dtype, input$node$layer$name))
  self$input_names <- first$input_names
  x <- one_output(self, self$layers[[1]], inputs)
  for (layer in self$layers[-1]) x <- one_output(self, layer, x)
  finish_model(self, inputs, list(x))
}

#' What a layer in a sequence gives.
#' @noRd
one_output <- function(self, layer, x) {
  outputs <- tensor_leaves(layer(x))
  if (length(outputs) == 1) return(outputs[[1]])
  abort("`", layer_self(layer)$name, "` has several outputs, which a sequence cannot take", fun = self$name)
}

finish_model <- function(self, inputs, outputs, fun = calling_function()) {
  plan <- graph_plan(inputs, outputs, fun, self$ends)
  layers <- layers_of_plan(plan, fun)
  self$inputs <- inputs
  end_model(self, outputs)
  self$plan$made <- plan
  if (self$kind == "model") self$layers <- layers
  self$built <- TRUE
}

layers_of_plan <- function(plan, fun = calling_function()) {
  layers <- unique_objects(lapply(plan$nodes, function(n) n$layer))
  names <- self_names(layers)
  if (anyDuplicated(names)) abort("two layers have the name `", names[duplicated(names)][1], "`; names must differ",
    fun = fun)
  lapply(layers, layer_handle)
}

#' Its outputs are others: nothing that was made for those before holds.
#' @noRd
end_model <- function(self, outputs) {
  self$outputs <- outputs
  self$plan <- new_plan()
  self$cache <- NULL
  one <- function(x) if (length(x) == 1) x[[1]] else x
  note_ends(self, one(self$inputs), one(outputs))
}

#' @rdname keras_model_sequential
#' @export
keras_model <- function(inputs, outputs = NULL, ...) {
  options <- list(...)
  check_no_more(options[setdiff(seq_along(options), which(names(options) == "name"))])
  check_given(missing(inputs), "inputs")
  self <- new_model("model", options$name)
  make_functional(self, inputs, outputs)
  layer_handle(self)
}

make_functional <- function(self, inputs, outputs, fun = calling_function()) {
  check_given(is.null(outputs), "outputs", fun)
  if (is_branch(inputs)) self$input_names <- names(inputs)
  if (is_branch(outputs)) self$output_names <- names(outputs)
  inputs <- check_symbolic(inputs, "inputs", fun)
  if (length(unique_objects(inputs)) < length(inputs)) abort("`inputs` has the same tensor twice", fun = fun)
  graph <- own_beginning(inputs, check_symbolic(outputs, "outputs", fun), fun)
  finish_model(self, graph$inputs, graph$outputs, fun)
}

check_symbolic <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  leaves <- tensor_leaves(x, keep_null = TRUE)
  for (leaf in leaves) {
    if (!is_keras_tensor(leaf)) abort("`", arg, "` must be symbolic tensors, as `layer_input()` and layers give, not ",
      describe(leaf), fun = fun)
  }
  if (!length(leaves)) abort("`", arg, "` must hold at least one symbolic tensor", fun = fun)
  leaves
}

model_type <- sequential_type <- list(
  class_name = "Functional",
  several = TRUE,
  arrange = function(self, x) {
    n <- length(self$inputs)
    if (!n) return(x)
    Map(function(part, input) {
      if (inherits(part, "nn_strings")) return(part)
      if (input$dtype == "string") return(string_rows(as_strings(part, "x", self$name), dim(input)))
      if (is.character(part)) return(check_numbers(part, "x", self$name))
      # numbers for an input of one number are a column, as in fit()
      column <- length(dim(input)) == 2 && (is.null(dim(part)) || length(dim(part)) == 1) && is_branch(x)
      if (is_tensor(part)) return(if (column) op_reshape(part, c(-1L, 1L)) else part)
      if (column) part <- array(part, c(length(part), 1L))
      # floats would round large numbers, and a cast cut fractions
      if (!is_whole_dtype(input$dtype) || is_keras_tensor(part)) return(part)
      part <- check_numbers(if (is.data.frame(part)) as_number_matrix(part, "x", self$name) else part, "x", self$name)
      tensor(if (is.null(dim(part)) && length(part) != 1) array(part, length(part)) else part, input$dtype)
    }, parts_by_name(x, input_names(self, x), data_names(self)[seq_len(n)], "x", self$name), self$inputs)
  },
  readers = function(self) {
    plan <- model_plan(self)
    lapply(plan$inputs, function(place) unique_objects(unlist(lapply(plan$steps, function(step) {
      reads <- unlist(step$inputs) == place
      if (any(reads)) string_readers(step$layer, rep("string", length(reads)))[reads]
    }))))
  },
  build = function(self, shape) {
    check_has_layers(self, self$name)
    if (!self$built && is.list(shape)) abort("a sequence takes one tensor, not a list of ", length(shape),
      class = "shape", fun = self$name)
    if (!self$built) build_sequential(self, shape[-1])
  },
  call = function(self, x, training) {
    values <- run_graph(model_plan(self), as_parts(x, input_names(self), "x", self$name), training)
    if (length(values) == 1) values[[1]] else stats::setNames(values, self$output_names)
  },
  mask = "own",
  training = "own"
)

check_has_layers <- function(self, fun = calling_function()) {
  layers <- model_layers(self)
  if (!length(layers)) abort("the model has no layers yet", fun = fun)
  layers
}

#' The layers of a graph or sequence, or those in the fields of a model of the user's class.
#' @noRd
model_layers <- function(self) if (is_own_model(self)) Filter(is_layer, tensor_leaves(self$fields)) else self$layers

#' The model's state, built.
#' @noRd
built_self <- function(model, fun = calling_function()) {
  self <- layer_self(check_model(model, fun = fun))
  if (!self$built)
    abort("the model was not built yet, as the shape of its input is not known: give `input_shape`, or fit it",
      class = "unbuilt", fun = fun)
  self
}

#' @rdname keras_model_sequential
#' @param object a model.
#' @param rebuild must be `TRUE`; present for compatibility with keras3.
#' @return `pop_layer()`: the model without its last layer, invisibly.
#' @export
pop_layer <- function(object, rebuild = TRUE) {
  if (!check_flag(rebuild)) abort("`rebuild` must be TRUE: what is left is always built")
  if (!is_sequential(object)) abort("`object` must come from `keras_model_sequential()`, not be ", describe(object))
  self <- layer_self(object)
  check_has_layers(self)
  self$layers <- self$layers[-length(self$layers)]
  forget_compilation(self)
  # what the last layer read
  if (self$built && length(self$layers)) end_model(self, list(self$output$node$inputs))
  else self$built <- FALSE
  invisible(object)
}

# ---- weights ----

#' Get a layer by name or index
#'
#' Finds a layer of a model.
#'
#' @param object a model.
#' @param name the name of the layer, or `NULL`.
#' @param index its number, counted from 1 (negative: from the end), or `NULL`.
#' @return A layer.
#' @section Errors: `nativenet_error_member` if there is no such layer.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, name = "code")
#' get_layer(model, "code")
#' @export
get_layer <- function(object, name = NULL, index = NULL) {
  layers <- check_has_layers(layer_self(check_model(object)))
  names <- self_names(lapply(layers, layer_self))
  if (is.numeric(name) && is.null(index)) {
    index <- name
    name <- NULL
  }
  if (!is.null(name)) check_string(name)
  if (!is.null(index)) return(layers[[layer_at(index, names, "index", "get_layer")]])
  if (is.null(name)) abort("`name` or `index` must be given")
  layers[[layer_at(name, names, "name", "get_layer")]]
}

#' The number of a layer that is given by name, or by number from either end.
#' @noRd
layer_at <- function(x, names, arg, fun) {
  if (is_layer(x)) x <- layer_self(x)$name
  if (is.character(x)) {
    at <- match(check_string(x, arg = arg, fun = fun), names)
    if (is.na(at)) abort("there is no layer `", x, "`", did_you_mean(x, names), class = "member", fun = fun)
    return(at)
  }
  x <- check_number(x, arg = arg, fun = fun)
  if (x != round(x) || x == 0 || abs(x) > length(names)) abort("`", arg, "` must lie in 1 .. ", length(names),
    ", not be ", describe(x), fun = fun)
  if (x < 0) length(names) + x + 1 else x
}

#' Freeze and unfreeze weights
#'
#' `freeze_weights()` makes layers non-trainable and the other layers of the model trainable; `unfreeze_weights()` makes
#' layers trainable and the others non-trainable. So, as in Keras, the last call says it all: a second
#' `freeze_weights(model, to = 2)` does not add to the first. It takes effect with the next [compile()] of a model that
#' holds them. It is for transfer learning: train a new last layer on top of frozen ones, then fine-tune all.
#'
#' @param object a model or layer.
#' @param from,to,which layers by name, as objects or by number (negative: from the end): from one to another, or those
#'   of `which`, which may also be a logical vector, or a function or formula of a layer. Without any, all.
#' @return `object`, invisibly.
#' @seealso [get_weights()], [compile()][compile.nn_model]
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(3) |> layer_dense(1)
#' freeze_weights(model, to = 1)
#' model
#' @export
freeze_weights <- function(object, from = NULL, to = NULL, which = NULL) set_trainable(object, from, to, which, FALSE)

#' @rdname freeze_weights
#' @export
unfreeze_weights <- function(object, from = NULL, to = NULL, which = NULL) set_trainable(object, from, to, which, TRUE)

set_trainable <- function(object, from, to, which, trainable, fun = calling_function()) {
  if (!is_layer(object)) abort("`object` must be a model or a layer, not ", describe(object), fun = fun)
  self <- layer_self(object)
  if (!is_model(object)) {
    change_trainable(self, trainable)
    return(invisible(object))
  }
  names <- self_names(lapply(check_has_layers(self, fun), layer_self))
  layers <- lapply(model_layers(self), layer_self)
  selected <- !is.null(from) || !is.null(to)
  if (selected && !is.null(which)) abort("`which` and `from` / `to` cannot be given together", fun = fun)
  chosen <- if (!is.null(which)) chosen_layers(self, which, names, fun) else {
    at <- function(x, arg, default) if (is.null(x)) default else layer_at(x, names, arg, fun)
    layer_range(at(from, "from", 1), at(to, "to", length(names)), fun)
  }
  for (i in seq_along(layers)) for (layer in layers_within(layers[[i]])) # those of a model within, too
    change_trainable(layer, (i %in% chosen) == trainable)
  if (trainable || selected || !is.null(which)) change_trainable(self, TRUE)
  invisible(object)
}

chosen_layers <- function(self, which, names, fun) {
  if (is_layer(which)) which <- list(which) # which is a function, too
  if (is.function(which) || inherits(which, "formula")) {
    meant <- of_formula(which, "which", takes = 1, fun = fun)
    which <- vapply(model_layers(self), function(l) isTRUE(meant(l)), NA)
  }
  if (is.logical(which) && length(which) == length(names) && !anyNA(which)) return(base::which(which))
  if (!is.atomic(which) && !is_branch(which)) abort("`which` must name layers, or be a function of a layer, not ",
    describe(which), fun = fun)
  vapply(which, layer_at, 0, names, "which", fun)
}

layer_range <- function(from, to, fun) {
  if (from > to) abort("`from` (layer ", from, ") must not come after `to` (layer ", to, ")", fun = fun)
  from:to
}

#' @rdname get_weights
#' @importFrom stats coef
#' @export
coef.nn_model <- function(object, ...) {
  weights <- all_weights(built_self(object, fun = "coef"))
  stats::setNames(lapply(weights, as.array), sub(":0$", "", vapply(weights, variable_name, "")))
}
