# Functions of symbolic tensors: k_function(), k_gradients(), and the phases of layers. Listings that look into a
# network (what a filter answers to, where a class stands in a picture) are made of them.

#' Functions of symbolic tensors
#'
#' `k_function()` makes a function of the symbolic tensors of a model: it takes arrays for some of them and gives those
#' of others. `k_gradients()` gives symbolic tensors that are the gradients of one towards others. `k_placeholder()` is
#' a symbolic tensor that stands for an array of a given shape, the first axis included.
#'
#' `k_gradients()` is for symbolic tensors; gradients of tensors are asked of a [gradient_tape()].
#'
#' @param inputs a list of symbolic tensors of inputs, or one; [k_learning_phase()] may be among them, whose argument is
#'   then 0 or 1.
#' @param outputs a list of symbolic tensors, or one.
#' @param updates must be `NULL`, as in TensorFlow 2.
#' @param loss a symbolic tensor, of which the sum of all numbers is meant.
#' @param variables a symbolic tensor or variable, or a list of such.
#' @param shape whole numbers, `NULL` or `NA` for any size.
#' @param ndim the number of axes, in place of `shape`.
#' @param dtype a string; `NULL` for [k_floatx()].
#' @param sparse must be `FALSE`.
#' @param name a string, or `NULL`.
#' @param ... ignored.
#' @return `k_function()`: a function of a list of arrays, which gives a list of arrays. `k_gradients()`: a list of
#'   symbolic tensors, `NULL` where `loss` does not depend on a variable. `k_placeholder()`: a symbolic tensor.
#' @section Errors: `nativenet_error_value` where no input leads to the outputs.
#' @seealso [keras_backend], [gradient_tape()], [grad_cam()]
#' @examples
#' model <- keras_model_sequential(input_shape = c(8, 8, 1)) |>
#'   layer_conv_2d(2, 3, activation = "relu", name = "maps")
#' loss <- k_mean(get_layer(model, "maps")$output[, , , 1])
#' gradients <- k_gradients(loss, model$input)[[1]]
#' iterate <- k_function(list(model$input), list(loss, gradients))
#' result <- iterate(list(array(0.5, c(1, 8, 8, 1))))
#' dim(result[[2]])
#' @export
k_function <- function(inputs, outputs, updates = NULL, ...) {
  if (!is.null(updates) && !identical(updates, list())) abort("`updates` must be NULL: `k_update()` changes variables")
  inputs <- as_branch(inputs)
  symbolic <- vapply(inputs, is_keras_tensor, NA)
  several <- is_branch(outputs)
  plan <- graph_plan(check_symbolic(inputs[symbolic], "inputs"), check_symbolic(outputs), "k_function")
  wanted <- inputs[symbolic]
  traces <- list()
  function(x, ...) {
    x <- as_branch(x)
    if (length(x) != length(inputs)) abort("takes a list of ", length(inputs), " arrays, not of ", length(x),
      fun = "k_function")
    training <- any(vapply(x[!symbolic], function(phase) isTRUE(as.logical(phase)), NA))
    values <- Map(function(value, input) {
      column_tensor(as_column(value, input$dtype, "x", "k_function", dim(input)))
    }, x[symbolic], wanted)
    key <- paste(c(training, lapply(values, dim)), collapse = " ")
    if (is.null(traces[[key]])) traces[[key]] <<- trace_call(function(values) run_graph(plan, values, training),
      list(unname(values)))
    results <- lapply(run_trace(traces[[key]], unname(values)), as.array)
    if (several) results else results[[1]]
  }
}

#' @rdname k_function
#' @export
k_gradients <- function(loss, variables) {
  if (missing(loss) || !is_keras_tensor(loss)) abort(
    "gradients of tensors are asked of a tape that records the computation: `with(tf$GradientTape() %as% tape, loss ",
    "<- ...)`, then `tape$gradient(loss, variables)`. `loss` may be a symbolic tensor of a model")
  wanted <- as_branch(variables)
  for (x in wanted) if (!is_keras_tensor(x) && !is_variable(x)) abort(
    "`variables` must be symbolic tensors or variables, not ", describe(x))
  inputs <- inputs_of(c(list(loss), Filter(is_keras_tensor, wanted)))
  if (!length(inputs)) abort("`loss` depends on no input")
  layer <- new_layer("gradients", config = list(), fun = "k_gradients")
  self <- layer_self(layer)
  self$wanted <- wanted
  self$connected <- rep(TRUE, length(wanted))
  self$graph <- new_plan()
  self$graph$made <- graph_plan(inputs, c(list(loss), Filter(is_keras_tensor, wanted)), "k_gradients")
  found <- as_branch(symbolic_call(self, inputs, list()))
  all <- vector("list", length(wanted))
  all[self$connected] <- found
  all
}

#' The inputs that symbolic tensors follow from.
#' @noRd
inputs_of <- function(tensors) {
  found <- new.env(parent = emptyenv())
  inputs <- list()
  waiting <- lapply(tensors, function(x) x$node)
  while (length(waiting)) {
    node <- waiting[[1]]
    waiting <- waiting[-1]
    if (was_seen(found, node)) next
    if (isTRUE(node$layer$is_input)) inputs <- c(inputs, tensor_leaves(node$outputs))
    waiting <- c(waiting, lapply(node_sources(node), function(x) x$node))
  }
  inputs
}

gradients_type <- list(
  class_name = "Gradients", several = TRUE, training = FALSE,
  call = function(self, x, training) {
    tape <- gradient_tape(persistent = FALSE)
    x <- lapply(as_branch(x), another_name)
    values <- tape_record(tape, {
      for (input in x) if (startsWith(tensor_dtype(input), "float")) tape_watch(tape, input)
      values <- run_graph(self$graph$made, x, training)
      total <- op_sum(values[[1]])
      values
    })
    sources <- self$wanted
    sources[vapply(sources, is_keras_tensor, NA)] <- values[-1]
    # an input is one of those that are watched
    found <- gradient_towards(tape, total, sources, fun = "k_gradients")
    self$connected <- !vapply(found, is.null, NA)
    if (!any(self$connected)) abort("`loss` depends on none of `variables` by ops that have a derivative",
      fun = "k_gradients")
    found[self$connected]
  }
)

#' @rdname k_function
#' @export
k_placeholder <- function(shape = NULL, ndim = NULL, dtype = NULL, sparse = FALSE, name = NULL) {
  if (check_flag(sparse)) abort("`sparse` must be FALSE")
  if (!is.null(ndim)) ndim <- check_count(ndim)
  if (is.null(shape)) {
    if (is.null(ndim)) abort("`shape` or `ndim` must be given")
    shape <- rep(NA, ndim)
  }
  layer_input(batch_shape = shape, dtype = dtype, name = name)
}

#' Training and test phase
#'
#' `k_in_train_phase()` gives `x` where a layer is called in training, else `alt`; `k_in_test_phase()` the other way
#' round. `k_learning_phase()` is the phase of code outside of [fit()] and the like, 0 (test) at first.
#'
#' @param x,alt tensors or arrays, or functions without arguments that give such.
#' @param training `TRUE` or `FALSE`; `NULL` for the phase of the layer or code that is running.
#' @param value 0 (test) or 1 (training).
#' @return A tensor or array; `k_learning_phase()` a number.
#' @seealso [keras_backend], [k_dropout()]
#' @examples
#' k_in_train_phase(1, 2, training = TRUE)
#' k_in_train_phase(1, 2)
#' @export
k_in_train_phase <- function(x, alt, training = NULL) {
  in_phase(in_training(training), phase_value(x), phase_value(alt))
}

#' @rdname k_in_train_phase
#' @export
k_in_test_phase <- function(x, alt, training = NULL) {
  in_phase(!in_training(training), phase_value(x), phase_value(alt))
}

#' Both are looked at, whichever is wanted; of functions only that one runs.
#' @noRd
phase_value <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  if (is.function(x) && !is.object(x)) check_function(x, arg, fun, takes = 0) else check_value(x, arg, fun)
}

in_phase <- function(first, x, alt) {
  value <- list(x, alt)[[if (first) 1 else 2]]
  if (is.function(value) && !is.object(value)) value() else value
}

in_training <- function(training, fun = calling_function()) {
  if (is.null(training)) training <- session$training
  if (is.null(training)) training <- k_learning_phase()
  training <- known_value(training)
  if (is_tensor(training)) training <- as.array(training)
  if (is_number(training)) training <- training != 0
  check_flag(training, fun = fun)
}

#' @rdname k_in_train_phase
#' @export
k_learning_phase <- function() if (is.null(session$phase)) 0L else session$phase

#' @rdname k_in_train_phase
#' @export
k_set_learning_phase <- function(value) {
  session$phase <- if (isTRUE(value) || isFALSE(value)) as.integer(value) else check_count(value, min = 0, max = 1)
  invisible()
}
