# compile(): what a model is trained for.

#' @importFrom generics compile
#' @export
generics::compile

#' Configure a model for training
#'
#' Changes the model in place: sets its optimizer, losses and metrics. Weights stay. An optimizer that is given by name
#' begins anew; an object keeps its optimizer state, its step count and learning rate included, and is best made for one
#' model.
#'
#' `compile()` decides which weights are trainable: a change by [freeze_weights()] or `$trainable` takes effect with the
#' next `compile()` of a model that holds the layer.
#'
#' @param object a model.
#' @param optimizer a name such as `"adam"` or an object such as [optimizer_adam()] gives, see [optimizers].
#' @param loss a name such as `"binary_crossentropy"`, a loss object, or an R function of `(y_true, y_pred)` made of
#'   ops, see [losses]. One for each output, or one for all; a list may be named by the outputs' layers. An output whose
#'   loss is `NULL` is not trained on; a model without any needs `model$add_loss()`, and no targets (see below).
#' @param metrics names, metric objects or R functions of `(y_true, y_pred)`, see [metrics]: a vector or list; for
#'   several outputs a list of these, one per output or named, or one that serves all. `"accuracy"` means the accuracy
#'   that fits the shapes. An entry's name, as in `c("accuracy", mp = f)`, is that of its column in the history; R
#'   functions without one have that of their variable.
#' @param loss_weights numbers, one per output: the loss that is minimised is the weighted sum.
#' @param weighted_metrics metrics that take sample weights into account.
#' @param run_eagerly for a model of [new_model_class()]: run its steps op by op? Ignored for others.
#' @param steps_per_execution,target_tensors,sample_weight_mode ignored; present for compatibility with
#'   Keras.
#' @param ... not used: other arguments are refused.
#' @return The model, invisibly.
#' @section Further losses: `model$add_loss(x)` adds a scalar to what is minimised: a symbolic tensor computed from
#'   those of the model, or a function without arguments, such as a penalty on weights, which layers take by
#'   `layer$add_loss(f)`, too. `model$add_metric(x, name)` reports the mean of a symbolic tensor. Without other losses
#'   and metrics [fit()] takes no `y`, as variational autoencoders have none.
#' @section Warnings: `nativenet_warning_optimizer`, if the optimizer is that of another model, or has taken steps with
#'   other weights.
#' @seealso [optimizers], [losses], [metrics]; [fit()][fit.nn_model] comes next; `vignette("models")`.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer = "rmsprop", loss = "binary_crossentropy", metrics = c("accuracy"))
#' @export
compile.nn_model <- function(object, optimizer = NULL, loss = NULL, metrics = NULL, loss_weights = NULL,
  weighted_metrics = NULL, run_eagerly = NULL,
                             steps_per_execution = NULL, ..., target_tensors = NULL, sample_weight_mode = NULL) {
  self <- layer_self(object)
  if (has_method(self$own, "compile") && !isTRUE(self$compiling)) return(run_own_compile(self, sys.call(),
    parent.frame()))
  check_no_more(list(...), "compile", of = compile.nn_model, kind = "compile")
  if (!is.null(run_eagerly)) check_flag(run_eagerly)
  optimizer <- as_optimizer(if (is.null(optimizer)) "rmsprop" else optimizer, fun = "compile")
  self$compiled <- self$cache <- self$changed <- NULL # nothing half done
  claim_optimizer(optimizer, self, "compile")
  given <- list(loss = with_names(loss, substitute(loss)), metrics = with_names(metrics, substitute(metrics)),
    loss_weights = loss_weights, weighted_metrics = with_names(weighted_metrics, substitute(weighted_metrics)))
  compiled <- list(optimizer = optimizer, given = given, loss = loss, eager = run_eagerly, strategy = session$scope)
  self$compiled <- if (self$built && !is.null(self$outputs)) finish_compile(self, compiled) else compiled
  invisible(object)
}

#' compile() of the user's class, with the arguments of a call; `super$compile(...)` is ours.
#' @noRd
run_own_compile <- function(self, call, frame) {
  args <- as.list(call)[-1]
  args[[max(1, match("object", names(args), 0))]] <- NULL
  run_method(layer_handle(self), "compile", eval(as.call(c(list(list), args)), frame), self$own)
  invisible(layer_handle(self))
}

base_compile <- function(self, ...) {
  on.exit(self$compiling <- NULL)
  self$compiling <- TRUE
  compile.nn_model(layer_handle(self), ...)
}

#' R functions that have no name yet take that of the variable that the caller gave, as functions have their names in
#' Keras.
#' @noRd
with_names <- function(x, code) {
  if (is.function(x)) return(if (is.name(code)) with_name(x, code) else x)
  parts <- if (is.call(code) && (identical(code[[1]], quote(list)) || identical(code[[1]], quote(c)))) as.list(code)[-1]
  if (!is_branch(x) || length(parts) != length(x)) return(x)
  for (i in seq_along(x)) if (is.function(x[[i]])) x[[i]] <- with_names(x[[i]], parts[[i]])
  x
}

with_name <- function(f, name) {
  ours <- is.object(f) || is.primitive(f) || identical(environment(f), topenv())
  if (!ours && is.null(attr(f, "py_function_name"))) attr(f, "py_function_name") <- as.character(name)
  f
}

#' Once the outputs are known.
#' @noRd
finish_compile <- function(self, compiled) {
  settled <- c(compiled, check_compilation(self, compiled$given),
    list(trained = trainable_weights(self), changes = session$trainable_changes))
  for (layer in layers_within(self)) layer$unsettled <- NULL
  settled
}

#' Layers that were frozen or unfrozen since compile(), which settled what is trained: say so once, as Keras does. A
#' compile() of another model that holds the layers has heard of the change: so adversarial networks are made.
#' @noRd
check_trained <- function(self, fun) {
  compiled <- self$compiled
  if (identical(compiled$changes, session$trainable_changes)) return()
  self$compiled$changes <- session$trainable_changes
  unsettled <- Filter(function(layer) isTRUE(layer$unsettled), layers_within(self))
  changed <- vapply(unsettled, function(layer) layer$name, "")
  now <- trainable_weights(self)
  names <- function(weights, others) sub(":0$", "", vapply(Filter(function(w) !is_one_of(w, others), weights),
    variable_name, ""))
  still <- names(compiled$trained, now)
  never <- names(now, compiled$trained)
  if (!length(changed) || !length(c(still, never))) return()
  warn("`", fun, "()`: `trainable` of ", some_names("", changed),
    " was changed after `compile()`, which settles what is trained. ",
    paste0(c(some_names("Weights that are frozen now are trained on: ", still),
      some_names("Weights to be trained are not: ", never)), ". ", collapse = ""),
    "If that is not meant, compile the model again", class = "trainable")
}

check_compilation <- function(self, given) {
  names <- output_names(self)
  n <- length(names)
  losses <- if (is.null(given$loss)) rep(list(NULL), n) else
    per_output(given$loss, names, "loss", function(l) is.function(l) || is.environment(l))
  weights <- given$loss_weights
  if (!is.null(weights)) {
    weights <- plain_vector(weights, "loss_weights", "compile")
    if (!is.null(names(weights))) weights <- weights[names]
    if (!is.numeric(weights) || length(weights) != n || anyNA(weights)) abort("`loss_weights` must be ", n,
      " numbers, not ", describe(given$loss_weights), fun = "compile")
  }
  plain <- per_output_metrics(given$metrics, names, "metrics")
  weighted <- per_output_metrics(given$weighted_metrics, names, "weighted_metrics")
  list(
    losses = lapply(losses, function(l) as_part("loss", l, arg = "loss", fun = "compile")),
    loss_weights = if (is.null(weights)) rep(1, n) else unname(weights),
    metrics = Map(function(a, b) c(metric_entries(a, FALSE), metric_entries(b, TRUE)), plain, weighted)
  )
}

#' One entry for all outputs, or a list with one for each.
#' @noRd
per_output <- function(x, names, arg, is_single) {
  n <- length(names)
  if (is_single(x) || is.character(x) && length(x) == 1 && is.null(names(x))) return(rep(list(x), n))
  if (!is_branch(x) && !is.character(x) && !is.null(x)) abort("`", arg, "` must be a name, a function or a list, not ",
    describe(x), fun = "compile")
  x <- as.list(x)
  if (!is.null(names(x))) {
    unknown <- setdiff(names(x), names)
    if (length(unknown)) abort("`", arg, "` names the output `", unknown[1], "`", did_you_mean(unknown[1], names),
      fun = "compile")
    return(unname(x[names]))
  }
  if (length(x) != n) abort("`", arg, "` must have one entry per output (", n, "), not ", length(x), fun = "compile")
  x
}

per_output_metrics <- function(x, names, arg) {
  n <- length(names)
  if (is.null(x)) return(rep(list(list()), n))
  if (is.function(x) || is_part(x, "metric") || is.environment(x)) x <- list(x)
  if (!is_branch(x) && !is.character(x)) abort("`", arg, "` must be names, functions or a list of them, not ",
    describe(x), fun = "compile")
  several <- function(m) is_branch(m) || is.character(m) && length(m) > 1
  by_output <- is.list(x) && (is.null(names(x)) && length(x) == n && any(vapply(x, several, NA)) ||
    !is.null(names(x)) && all(names(x) %in% names))
  if (!by_output) return(rep(list(as.list(x)), n))
  lapply(per_output(x, names, arg, function(x) FALSE), function(m) if (is.function(m)) list(m) else as.list(m))
}

metric_entries <- function(xs, weighted)
  unname(Map(metric_entry, xs, if (is.null(names(xs))) "" else names(xs), weighted))

#' A metric, the name under which it is reported (that in the list, or its own), and whether sample weights count.
#' @noRd
metric_entry <- function(x, name, weighted) {
  if (is_spelling(x, "metric_accuracy")) x <- "accuracy" # which one, the shapes say
  found <- as_metric(x, 0, 0, fun = "compile", name = if (nzchar(name)) name)
  if (!nzchar(name)) name <- if (is_part(x, "loss")) loss_name(x) else
    metric_name(if (is_part(x, "metric")) x else found)
  list(metric = if (is.null(attr(found, "own"))) x else found, name = name, weighted = weighted)
}

#' The model's state, compiled.
#' @noRd
compiled_self <- function(model, fun = calling_function()) {
  self <- layer_self(check_model(model, fun = fun))
  if (is.null(self$compiled)) {
    abort("the model must be compiled ", if (isTRUE(self$changed))
      "again, as layers were added or taken away after `compile()`" else "first",
      ": `compile(model, optimizer = \"adam\", loss = ...)`", class = "uncompiled", fun = fun)
  }
  self
}

#' For data whose first rows decide the shape of a sequence's input.
#' @noRd
build_for <- function(self, x, fun) {
  if (is_own_model(self)) build_own_model(self, x, fun)
  else if (!self$built) {
    check_has_layers(self, fun)
    if (is.data.frame(x)) x <- if (identical(layer_type(layer_self(self$layers[[1]]))$input_dtype, "string"))
      as_strings(x, "x", fun) else as_number_matrix(x, "x", fun)
    if (is.list(x) && length(x) == 1) x <- x[[1]]
    if (is.list(x)) abort("the model has one input, but `x` is a list of ", length(x), padding_hint, fun = fun)
    shape <- if (is.null(dim(x))) 1L else shapes_of(x)[-1]
    build_sequential(self, shape)
  }
  if (!is.null(self$compiled) && is.null(self$compiled$losses)) self$compiled <- finish_compile(self, self$compiled)
}
