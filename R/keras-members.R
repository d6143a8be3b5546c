# Members of models, and the methods that Python spells with a dollar: model$fit(...).

model_members <- list(
  layers = function(self) model_layers(self),
  inputs = function(self) self$inputs,
  input_names = function(self) if (!is.null(self$inputs)) input_names(self),
  output_names = function(self) if (!is.null(self$outputs)) output_names(self),
  build = function(self) function(input_shape) {
    shape <- check_input_shape(input_shape, "input_shape", self$name)
    if (is_sequential(layer_handle(self)) && !self$built) build_sequential(self, shape[-1])
    invisible()
  },
  outputs = function(self) self$outputs,
  optimizer = function(self) if (is.null(self$compiled)) self$given_optimizer else self$compiled$optimizer,
  loss = function(self) self$compiled$loss,
  metrics_names = function(self) if (!is.null(self$compiled$losses)) score_names(self),
  stop_training = function(self) self$stop_training,
  history = function(self) self$history,
  run_eagerly = function(self) isTRUE(self$compiled$eager),
  add_loss = function(self) function(losses, ...) invisible(add_model_losses(self, losses)),
  add_metric = function(self) function(value, name = NULL, aggregation = NULL)
    invisible(add_metric_end(self, value, name, aggregation)),
  summary = function(self) function(...) summary(layer_handle(self), ...)
)

#' @export
`$.nn_model` <- function(x, name) {
  self <- layer_self(x)
  if (!is.null(self$own)) {
    found <- own_member(x, self$own, self$fields, name)
    if (!is.null(found)) return(found[[1]])
  }
  plain_member(x, name)
}

#' @export
plain_member.nn_model <- function(x, name) {
  self <- layer_self(x)
  for (members in list(model_members, step_members)) if (!is.null(members[[name]])) return(members[[name]](self))
  method <- model_methods[[name]]
  if (!is.null(method)) return(function(...) method(x, ...))
  NextMethod()
}

#' @export
`$<-.nn_model` <- function(x, name, value) {
  self <- layer_self(x)
  if (name == "stop_training") self$stop_training <- check_flag(value, arg = name, fun = self$name)
  else if (name == "optimizer") {
    # before compile(), which gives the model one, it is for steps of the user's
    value <- as_optimizer(value, fun = self$name)
    if (is.null(self$compiled)) self$given_optimizer <- value
    else self$compiled$optimizer <- claim_optimizer(value, self, self$name)
  }
  # as after model$layers[[1]]$trainable <- FALSE
  else if (name == "layers" && identical(lapply(value, layer_self), lapply(self$layers, layer_self))) self
  else return(NextMethod())
  x
}

# Python's spelling: model$fit(...).
model_methods <- list(
  compile = function(x, ...) compile(x, ...), fit = function(x, ...) fit(x, ...), evaluate = function(x, ...)
  evaluate(x, ...), predict = function(x, ...) stats::predict(x, ...), train_on_batch = function(x, ...)
  train_on_batch(x, ...), test_on_batch = function(x, ...) test_on_batch(x, ...), predict_on_batch = function(x, ...)
  predict_on_batch(x, ...), get_layer = function(x, name = NULL, index = NULL)
  layer_from_0(x, name, index), save = function(x, ...) save_model(x, ...),
  save_weights = function(x, ...) save_model_weights(x, ...), load_weights = function(x, ...)
  load_model_weights(x, ...), to_json = function(x, ...) model_to_json(x),
  to_yaml = function(x, ...) model_to_yaml(x, ...),
  export = function(x, ...) abort("`$export()` writes TensorFlow's files, which nothing here can; `save_model()` and ",
    "`save_model_onnx()` write others", class = "missing", fun = NULL),
  add = function(x, layer) invisible(compose(x, layer)), pop = function(x) pop_layer(x)
)

#' Python counts layers from 0.
#' @noRd
layer_from_0 <- function(x, name, index) {
  if (is.numeric(name) && is.null(index)) {
    index <- name
    name <- NULL
  }
  n <- length(model_layers(layer_self(x)))
  if (is_number(index) && index >= 0) {
    if (index >= n) abort("`index` must lie in 0 .. ", n - 1, ", as Python counts, not be ", describe(index),
      fun = "$get_layer")
    index <- index + 1
  }
  get_layer(x, name, index)
}

#' @export
more_members.nn_model <- function(x) c(names(model_members), names(step_members),
  names(model_methods))
