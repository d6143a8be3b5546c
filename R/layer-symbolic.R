# Symbolic tensors: layer_input() begins, and each call of a layer on symbolic tensors adds a node to a graph. Shapes
# follow from a trial: the layer's ops are issued into a program that is thrown away.

#' Input layer
#'
#' The entry point of a model (functional API): gives a symbolic tensor, which has a shape but no numbers. Layers that
#' are called on it give symbolic tensors again, from which [keras_model()] makes models.
#'
#' @param shape the shape without the batch axis: a number or vector; `NA` for sizes that may differ.
#' @param batch_shape the same with the batch axis, in place of `shape`. Stateful layers need to know the batch size.
#' @param name a string; by default `"input_1"` and so on.
#' @param dtype `"float32"` by default; `"int32"` for tokens; `"string"` for strings, which [layer_string_lookup()],
#'   [layer_text_vectorization()] and [layer_hashing()] read.
#' @param batch_size the batch size, with `shape`.
#' @param sparse,tensor,ragged,optional must have their defaults; present for compatibility with Keras.
#' @return A symbolic tensor, an object of class `nn_keras_tensor` with `$shape` (`NULL` sizes are `NA`) and `$dtype`.
#'   Besides layers, it takes operators, `[`, R's functions for tensors ([tensor-methods]), and functions of ops such as
#'   `op_...()`, `k_...()`, `tf$...` and losses, alone or together with numbers: each call becomes a layer of the model
#'   without weights, as in Keras. [k_shape()] gives the sizes of the batch at hand, as a symbolic tensor,
#'   [k_int_shape()] those that are known.
#' @examples
#' input <- layer_input(shape = 784)
#' code <- input |> layer_dense(32, activation = "relu")
#' code
#' 2 * code + k_mean(code, axis = -1, keepdims = TRUE)
#' @export
layer_input <- function(shape = NULL, batch_shape = NULL, name = NULL, dtype = NULL, sparse = FALSE, tensor = NULL,
  ragged = FALSE, batch_size = NULL, optional = FALSE) {
  if (!is.null(batch_size)) {
    if (!is.null(batch_shape)) abort("only one of `batch_size` and `batch_shape` can be given")
    batch_shape <- c(check_count(batch_size), check_input_shape(shape))
  }
  if (check_flag(sparse) || check_flag(ragged) || !is.null(tensor))
    abort("`sparse`, `ragged` and `tensor` are not supported")
  if (check_flag(optional)) abort("`optional` inputs are not supported")
  size <- if (is.null(batch_shape)) check_input_shape(shape) else
    check_input_shape(batch_shape, arg = "batch_shape")[-1]
  if (!is.null(name)) check_name(name, fun = "layer_input")
  dtype <- if (is.null(dtype)) session$floatx else as.character(check_choice(dtype, input_dtypes()))
  input_tensor(size, dtype, name, if (is.null(batch_shape)) NA else check_input_shape(batch_shape)[1])
}

input_dtypes <- function() c(dtypes, "string")

#' NULL, NA and -1 all stand for any size.
#' @noRd
check_input_shape <- function(shape, arg = deparse(substitute(shape)), fun = calling_function()) {
  if (is.null(shape)) abort("`", arg, "` must be given: the sizes of all axes but the batch's", fun = fun)
  shape <- plain_argument(shape, force(arg), fun)
  size <- if (is_branch(shape) || is.atomic(shape) && !is.object(shape)) vapply(as.list(shape), function(n) {
    n <- plain_argument(n)
    if (is_open_size(n)) NA_real_ else if (is_number(n)) n else 0
  }, 0) else 0
  size[!is.na(size) & size == -1] <- NA
  if (any(size < 1 | size != round(size) | size > .Machine$integer.max, na.rm = TRUE)) {
    abort("`", arg, "` must hold positive whole numbers, or NA for any size, not ",
      if (is.numeric(shape) && length(shape) %in% 2:8) format_shape(shape) else describe(shape), fun = fun)
  }
  if (length(size) > 7) abort("`", arg, "` must have at most 7 axes besides the batch's, not ", length(size), fun = fun)
  as.integer(size)
}

input_tensor <- function(size, dtype, name = NULL, batch = NA) {
  self <- new.env(parent = emptyenv())
  self$kind <- "input"
  self$class_name <- "InputLayer"
  self$config <- list()
  self$options <- list()
  self$dtype <- dtype
  self$trainable <- TRUE
  self$name <- if (is.null(name)) unique_input_name() else name
  self$home <- session$home
  self$built <- TRUE
  self$weights <- self$rules <- list()
  self$is_input <- TRUE
  node <- new_node(self, list(), list())
  node$outputs <- keras_tensor(c(batch, size), dtype, node)
  self$input_shape <- self$output_shape <- as.integer(c(batch, size))
  self$input <- self$output <- node$outputs
  node$outputs
}

is_model_input <- function(x) is_keras_tensor(x) && isTRUE(x$node$layer$is_input)

input_type <- list(class_name = "InputLayer", call = function(self, x) x, mask = TRUE)

# Keras counts inputs from 1.
unique_input_name <- function() {
  name <- unique_name("input")
  n <- if (name == "input") 1 else as.integer(sub("input_", "", name)) + 1
  paste0("input_", n)
}

#' A call of a layer: its inputs and outputs are structures of symbolic tensors, and so are those of the arguments that
#' hold such, `more`.
#' @noRd
new_node <- function(self, inputs, args, more = list()) {
  node <- new.env(parent = emptyenv())
  node$layer <- self
  node$home <- session$home
  node$inputs <- inputs
  node$args <- args
  node$more <- more
  session$nodes <- session$nodes + 1
  node$number <- session$nodes # in the order of the calls
  node
}

#' All symbolic tensors that a call reads.
#' @noRd
node_sources <- function(node) tensor_leaves(c(list(node$inputs), unname(node$more)))

#' @param mask the shape of its mask, or NULL.
#' @param values what it holds in the two trials of a call, where that follows from shapes.
#' @param sizes its shapes in both.
#' @noRd
keras_tensor <- function(shape, dtype, node, mask = NULL, values = NULL, sizes = NULL) {
  x <- new.env(parent = emptyenv())
  x$shape <- as.integer(shape)
  x$mask <- mask
  x$values <- values
  x$sizes <- sizes
  x$dtype <- dtype
  x$node <- node
  structure(x, class = "nn_keras_tensor")
}

#' "(None, 784)", as Keras writes shapes.
#' @noRd
format_keras_shape <- function(shape) format_shape(ifelse(is.na(shape), "None", shape))

#' @export
print.nn_keras_tensor <- function(x, ...) {
  cat("<symbolic tensor of shape ", format_keras_shape(dim(x)), ", ", x$dtype, ", from layer ", x$node$layer$name,
    ">\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_keras_tensor <- function(x) paste("a symbolic tensor of shape", format_keras_shape(dim(x)))

#' @export
dim.nn_keras_tensor <- function(x) .subset2(x, "shape")

#' @export
length.nn_keras_tensor <- function(x) 1L

#' @export
`$.nn_keras_tensor` <- function(x, name) {
  members <- c("shape", "dtype", "name", "ndim", "get_shape", "node")
  switch(name, shape = nn_shape(dim(x)), get_shape = function() nn_shape(dim(x)), ndim = length(dim(x)),
    `_keras_mask` = if (!is.null(.subset2(x, "mask"))) layer_lambda(x, function(x, mask) mask),
    name = x$node$layer$name, dtype = , node = .subset2(x, name),
    unknown_member(name, utils::head(members, -1), "a symbolic tensor"))
}

#' @export
`[.nn_keras_tensor` <- function(x, ..., drop = TRUE, style = NULL) op_layer("[", list(x = x,
  indices = read_indices(sys.call(), parent.frame(), ..., style = style), drop = check_flag(drop)))

# What asks for numbers, or changes a tensor, is refused in the words of tensors.
#' @rawNamespace
#' S3method("[[<-", nn_keras_tensor, "[[<-.nn_tensor")
#' S3method("[<-", nn_keras_tensor, "[<-.nn_tensor")
#' S3method("$<-", nn_keras_tensor, "$<-.nn_tensor")
#' S3method(as.vector, nn_keras_tensor, as.vector.nn_tensor)
#' S3method(as.matrix, nn_keras_tensor, as.matrix.nn_tensor)
#' S3method(as.double, nn_keras_tensor, as.double.nn_tensor)
#' S3method(as.integer, nn_keras_tensor, as.integer.nn_tensor)
#' S3method(as.logical, nn_keras_tensor, as.logical.nn_tensor)
#' S3method(as.character, nn_keras_tensor, as.character.nn_tensor)
#' @export
as.array.nn_keras_tensor <- function(x, ...) needs_values(x)

# ---- what a call gives ----

# What sizes that are not known are taken for. That of the batch is a large prime, so that what is a multiple of it can
# be told. What follows from the others, such as the number of windows, differs between two trials. By position, as
# sizes that meet are mostly at the same place.
unknown_sizes <- list(
  c(10007L, 1009L, 1013L, 1019L, 1021L, 1031L, 1033L, 1039L), c(10009L, 1201L, 1213L, 1217L, 1223L, 1229L, 1231L, 1237L)
)

try_shape <- function(shape, trial = 1) ifelse(is.na(shape), unknown_sizes[[trial]][seq_along(shape)], shape)

#' The sizes with which a symbolic tensor came out of the trials of its layer, if these are others than those of its
#' places. Ops go on with them (`carried`), so that sizes of one origin are the same wherever they stand, as in x x^T;
#' where sizes of different origins meet, which may be equal once they are known, those of the places are taken.
#' @noRd
carried_shape <- function(x, trial) {
  own <- .subset2(x, "sizes")[[trial]]
  if (!is.null(own) && !identical(own, try_shape(dim(x), trial))) own
}

#' NA for sizes that are not known.
#' @param other the shape of another trial.
#' @noRd
known_shape <- function(shape, other) replace(shape, shape != other | shape > 0 & shape %% unknown_sizes[[1]][1] == 0,
  NA)

#' The numbers that a symbolic tensor has in a trial, as it follows from shapes alone; NULL if it does not.
#' @noRd
trial_value <- function(x, trial) .subset2(x, "values")[[trial]]

#' Those of what two trials gave.
#' @noRd
values_of_trials <- function(y, other) {
  values <- list(known_value(y), known_value(other))
  if (!any(vapply(values, is_symbolic, NA))) values
}

#' Do the two trials differ for one of these, in more than the batch?
#' @noRd
trials_differ <- function(xs) {
  for (x in xs) if (anyNA(dim(x)[-1]) ||
    !is.null(trial_value(x, 1)) && !identical(as.array(trial_value(x, 1)), as.array(trial_value(x, 2)))) return(TRUE)
  FALSE
}

symbolic_call <- function(self, object, args) {
  if (!self$kind %in% c("custom", "lambda", "own_model") || "captured" %in% names(args))
    return(enter_call(self, object, args))
  # what the code closes over becomes known as it is met
  before <- session$capturing
  on.exit(session$capturing <- before)
  repeat {
    session$capturing <- TRUE
    more <- if (length(self$captures)) list(captured = self$captures)
    met <- tryCatch(return(enter_call(self, object, c(args, more))), nn_capture = identity)
    self$captures <- c(self$captures, met$tensors)
  }
}

#' Code of a layer meets symbolic tensors that are none of its inputs: they become such, or have numbers already.
#' @noRd
op_on_captured <- function(name, args) {
  found <- session$captured
  met <- Filter(function(x) is_keras_tensor(x) && !is_one_of(x, found$tensors), tensor_leaves(args))
  if (length(met)) signalCondition(structure(list(message = "capture", call = NULL, tensors = unique_objects(met)),
    class = c("nn_capture", "condition")))
  do.call(op_functions()[[name]], map_leaves(args, function(x) if (is_keras_tensor(x))
    found$values[[place_of(x, found$tensors)]] else x), quote = TRUE)
}

enter_call <- function(self, object, args) {
  leaves <- tensor_leaves(object)
  plain <- Filter(Negate(is_keras_tensor), leaves)
  if (length(plain)) abort("is called on a mixture of symbolic tensors and ", describe(plain[[1]]), fun = self$name)
  object <- one_tensor(self, object)
  symbolic <- vapply(args, function(a) any(vapply(tensor_leaves(a), is_keras_tensor, NA)), NA)
  more <- args[symbolic]
  args <- args[!symbolic]
  for (name in names(more)) if (!all(vapply(tensor_leaves(more[[name]]), is_keras_tensor, NA)))
    abort("`", name, "` is a mixture of symbolic tensors and others", fun = self$name)
  if (!self$built) build_layer(self, fill_leaves(object, lapply(leaves, dim)))
  all <- c(list(object), more)
  leaves <- tensor_leaves(unname(all))
  readers <- string_readers(self, vapply(leaves, function(x) x$dtype, ""))
  parts <- Map(function(x, layers) column_parts(x$dtype, dim(x), layers), leaves, readers)
  try_call <- function(trial, carried) {
    values <- lapply(leaves, trial_value, trial)
    shapes <- lapply(leaves, function(x) c(if (carried) carried_shape(x, trial), try_shape(dim(x), trial))[seq_along(
      dim(x))])
    tried <- lapply(parts, lapply, try_shape, trial)
    run <- function(x, masks) {
      inputs <- Map(function(t, value, x, ...) if (is.null(value)) column_input(t, x$dtype, ...) else value,
        tensor_leaves(x, TRUE), values, leaves, shapes, readers, tried)
      session$on_trial_of <- Find(is_symbolic, inputs)
      x <- with_masks(fill_leaves(all, inputs), masks)
      do.call(call_layer, c(list(self, as_inputs(self, x[[1]])), args, x[-1]))
    }
    specs <- fill_leaves(all, Map(function(x, value, ...) if (is.null(value)) column_spec(x$dtype, ...), leaves, values,
      shapes, tried))
    mask_specs <- lapply(leaves, function(x) {
      if (!is.null(.subset2(x, "mask"))) tensor_spec("bool", try_shape(.subset2(x, "mask"), trial))
    })
    with_training(FALSE, with_trial(tryCatch(
      with_place(NULL, trace_call(run, list(specs, mask_specs))),
      error = function(e) abort_at_layer(self, e)
    )))$template
  }
  # what ops make of the size of the batch may be no multiple of it
  twice <- self$kind == "op_lambda" || anyNA(unlist(lapply(unlist(parts, recursive = FALSE), `[`, -1))) ||
    trials_differ(leaves)
  try_calls <- function(carried) lapply(seq_len(1 + twice), try_call, carried)
  carries <- self$kind == "op_lambda" && !all_null(lapply(leaves, carried_shape, 1))
  trials <- if (carries) tryCatch(try_calls(TRUE), error = function(e) try_calls(FALSE)) else try_calls(FALSE)
  template <- trials[[1]]
  other <- trials[[1 + twice]]
  if (length(tensor_leaves(template)) != length(tensor_leaves(other)))
    abort("how many tensors it gives follows from sizes that are not known", class = "shape", fun = self$name)
  node <- new_node(self, object, args, more)
  node$outputs <- fill_leaves(template, Map(function(y, other) {
    mask <- attr(y, "mask")
    keras_tensor(known_shape(shape_of(y), shape_of(other)), tensor_dtype(y), node,
      if (!is.null(mask)) known_shape(shape_of(mask), shape_of(attr(other, "mask"))), values_of_trials(y, other),
      if (twice) list(as.integer(shape_of(y)), as.integer(shape_of(other))))
  }, tensor_leaves(template), tensor_leaves(other)))
  if (is.null(self$outputs)) note_ends(self, object, node$outputs) # models have ends of their own
  self$calls <- c(self$calls, list(list(input = object, output = node$outputs)))
  node$outputs
}

#' What a call on symbolic tensors took or gave; they are counted from 0, as in Python.
#' @noRd
call_ends <- function(self, end, index) {
  calls <- if (isTRUE(self$is_input)) list(list(input = self$input, output = self$output)) else self$calls
  index <- check_count(index, min = 0, arg = "node_index", fun = self$name)
  if (index >= length(calls)) abort("`node_index` must be below ", length(calls), ", the number of calls on symbolic ",
    "tensors, not ", index, class = "index", fun = self$name)
  calls[[index + 1]][[end]]
}

#' What `$input`, `$output` and their shapes say.
#' @noRd
note_ends <- function(self, input, output) {
  shapes <- function(x) fill_leaves(x, lapply(tensor_leaves(x), dim))
  self$input <- input
  self$output <- output
  self$input_shape <- shapes(input)
  self$output_shape <- shapes(output)
}

#' An op's error, in the words of shapes as models have them, and with the layer's name.
#' @noRd
abort_at_layer <- function(self, e) {
  text <- conditionMessage(e)
  numbers <- gregexpr("(?<![.0-9])[0-9]+", text, perl = TRUE)
  regmatches(text, numbers) <- lapply(regmatches(text, numbers), function(digits) {
    n <- as.numeric(digits)
    of_batch <- n > 0 & n %% unknown_sizes[[1]][1] == 0 # the batch, or it and more axes in one
    ifelse(of_batch | n %in% unknown_sizes[[1]], "None", digits)
  })
  if (!grepl(paste0("`", self$name, "()`"), text, fixed = TRUE)) text <- paste0("layer `", self$name, "`: ", text)
  e$message <- text
  stop(e)
}

#' While a shape is found out: layers may leave out what it does not depend on.
#' @noRd
with_trial <- function(expr) {
  before <- session$on_trial
  of <- session$on_trial_of
  on.exit({
    session$on_trial <- before
    session$on_trial_of <- of
  })
  session$on_trial <- TRUE
  expr
}

on_trial <- function() isTRUE(session$on_trial)

#' Layers called without `training` behave so.
#' @noRd
with_training <- function(training, expr) {
  before <- session$training
  on.exit(session$training <- before)
  session$training <- training
  expr
}

#' The shape that the layer gives of an input of a shape, or of several in a list; a copy of it is tried, which has no
#' weights yet.
#' @noRd
shape_after <- function(self, input_shape) {
  several <- is_branch(input_shape) && length(input_shape) > 0 && all(lengths(input_shape) > 1)
  shapes <- lapply(if (several) input_shape else list(input_shape), check_input_shape, "input_shape", self$name)
  wanted <- layer_type(self)$input_dtype
  x <- lapply(shapes, function(s) input_tensor(s[-1], if (is.null(wanted)) self$dtype else wanted, "shape", s[1]))
  layer <- layer_handle(self)
  if (!is_model(layer)) layer <- layer_like(layer, self$name)
  y <- layer(if (several) x else x[[1]])
  if (is_branch(y)) lapply(y, dim) else dim(y)
}
