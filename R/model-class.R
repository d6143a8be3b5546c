# Models that are classes of the user's: an own forward pass, own steps of training, testing and prediction, own
# compile() and the like. A class with `call` alone is trained by the steps of all models (R/model-step.R), for which
# its graph is one node, itself. Own steps are traced likewise, and run in R where they cannot be
# (R/model-own-step.R).

#' Custom models
#'
#' `new_model_class()` makes a constructor of models of a class of your own, which may say what the forward pass is,
#' and what a step of training, testing or prediction does. `Model()` is keras3's name. All that models have is there:
#' [fit()] with callbacks, data sets and validation, [evaluate()], [predict()].
#'
#' Methods find the model as `self`, or take it as their first argument if that is called `self`:
#'
#' * `initialize(...)` runs when a model is made. It stores layers and other values as `self$name <- ...`. Without it,
#'   and in `super$initialize(...)`, the constructor takes `inputs` and `outputs`, as [keras_model()] does, and `name`.
#' * `call(inputs, training, mask)` is the forward pass, made of layers and ops: that of `self(x)`. Models whose
#'   `train_step` has all that is needed, such as adversarial networks, have none.
#' * `train_step(data)` does a step with a batch: `data` is `list(x, y)` or `list(x, y, sample_weight)`, or what was
#'   given as `x` if there is no `y`; a vector is a tensor of one axis. It computes a loss in a [gradient_tape()],
#'   changes weights, and returns a named list of numbers, which are shown and are the history: those of the last batch
#'   of an epoch.
#' * `test_step(data)` is the same for [evaluate()] and `validation_data`, `predict_step(data)` gives predictions.
#' * `compute_loss(x, y, y_pred, sample_weight)` and `compute_metrics(x, y, y_pred, sample_weight)` are used by steps
#'   that are not the user's.
#' * `compile(...)` may be overridden, for further optimizers and losses; it calls `super$compile(...)`.
#' * `metrics`, marked by [mark_active()]: a list of the metrics whose states are reset before each epoch.
#'
#' Of use in them: `self(x, training = TRUE)`, `self$trainable_variables`, `self$losses` (what layers add by
#' `add_loss()`, and penalties on weights), `self$optimizer`,
#' `self$compiled_loss(y, y_pred, regularization_losses = self$losses)`,
#' `self$compiled_metrics$update_state(y, y_pred)`, `self$compute_loss(...)`, `self$metrics` (each with `$name`,
#' `$update_state()`, `$result()`), `super$train_step(data)`.
#'
#' @section Files: [save_model()] stores the name of the class, the arguments of its constructor (or what its method
#'   `get_config()` gives) and all weights; [load_model()] takes the class as `custom_objects = list(Name = Name)`.
#' @section Speed: Steps are compiled, as [autograph()] compiles functions, and whole epochs run in the engine. What
#'   cannot be compiled (R code that needs numbers, prints or draws random numbers of R's) runs op by op with the same
#'   result, and a message says so once. `compile(run_eagerly = TRUE)` asks for that. A step is compiled again when
#'   something that it found outside, or a field of the model that was set from outside of it, has changed.
#'
#' @inheritParams new_layer_class
#' @param initialize,call,train_step,test_step,predict_step,compute_loss,compute_metrics functions, see above.
#' @param inherit the class that it inherits from: a constructor that `new_model_class()` gave, or `NULL`.
#' @return A constructor with the arguments of `initialize`, which gives models.
#' @seealso [keras_model()], [new_layer_class()]; [fit()][fit.nn_model]
#' @examples
#' CustomModel <- new_model_class("CustomModel",
#'   train_step = function(data) {
#'     c(x, y) %<-% data
#'     with(tf$GradientTape() %as% tape, {
#'       y_pred <- self(x, training = TRUE)
#'       loss <- self$compiled_loss(y, y_pred, regularization_losses = self$losses)
#'     })
#'     gradients <- tape$gradient(loss, self$trainable_variables)
#'     self$optimizer$apply_gradients(zip_lists(gradients, self$trainable_variables))
#'     self$compiled_metrics$update_state(y, y_pred)
#'     results <- list()
#'     for (m in self$metrics) results[[m$name]] <- m$result()
#'     results
#'   }
#' )
#' input <- layer_input(shape = 2)
#' model <- CustomModel(input, layer_dense(input, 1))
#' model |> compile(optimizer = "adam", loss = "mse", metrics = "mae")
#' model |> fit(matrix(1:6, 3), c(1, 2, 3), epochs = 2, verbose = 0)
#' @export
new_model_class <- function(classname, ..., initialize = NULL, call = NULL, train_step = NULL, test_step = NULL,
  predict_step = NULL, compute_loss = NULL, compute_metrics = NULL, public = list(), private = list(), inherit = NULL,
  parent_env = NULL) {
  named <- list(initialize = initialize, call = call, train_step = train_step, test_step = test_step,
    predict_step = predict_step, compute_loss = compute_loss, compute_metrics = compute_metrics)
  model_constructor(new_class("model", classname, class_parts(named, list(...), public, private, parent_env),
    inherit))
}

#' @rdname new_model_class
#' @export
Model <- new_model_class
formals(Model) <- formals(new_model_class)[c("classname", "initialize", "call", "train_step", "predict_step",
  "test_step", "compute_loss", "compute_metrics", "...", "public", "private", "inherit", "parent_env")]

model_constructor <- function(class) {
  constructor <- new_constructor(class, function(...) {
    self <- new_model("own_model", NULL, stem = snake_case(class$classname))
    self$class_name <- class$classname
    self$own <- class
    self$class <- constructor
    self$type <- own_model_type(class)
    self$fields <- all_of(class, "fields")
    model <- layer_handle(self)
    if (has_method(class, "initialize")) {
      self$made_with <- with_argument_names(list(...), setdiff(names(formals(find_member(class, "methods",
        "initialize")$value)), c("self", "...")))
      run_method(model, "initialize", self$made_with, class)
    } else base_member(model, "initialize")(...)
    layer_handle(self)
  })
  constructor
}

own_model_type <- function(class) {
  type <- own_type(class)
  if (!has_method(class, "call")) type$call <- function(self, x) abort("has no method `call`", class = "member",
    fun = self$name)
  type$training <- FALSE
  body(type$call) <- bquote({
    note_called(self, x)
    .(body(type$call))
  })
  type
}

#' What a model of a class was called on first, in shapes and dtypes, so that one of a file can be called likewise.
#' @noRd
note_called <- function(self, x) {
  if (is.null(self$called)) self$called <- map_leaves(x, function(t) list(shape = as.list(shapes_of(t)[-1]), dtype =
    if (is_strings(t)) "string" else tensor_dtype(t)))
}

#' `super$initialize(...)` of a model: inputs and outputs, as keras_model() takes them, and a name.
#' @noRd
initialize_model <- function(self, inputs = NULL, outputs = NULL, name = NULL, dtype = NULL, trainable = TRUE, ...) {
  check_no_more(list(...), self$class_name)
  if (!is.null(name)) self$name <- check_name(name, self$class_name)
  if (!is.null(dtype)) self$dtype <- as.character(check_choice(dtype, float_dtypes))
  self$trainable <- check_flag(trainable)
  if (is.null(inputs) && is.null(outputs)) return(invisible())
  self$kind <- "model"
  self$type <- NULL
  make_functional(self, inputs, outputs, self$class_name)
  invisible()
}

is_own_model <- function(self) self$kind == "own_model"

#' What a model of a class computes is code, not layers in a graph.
#' @noRd
check_graph <- function(self, fun) {
  if (is_own_model(self)) abort("`", self$name, "` is of the class `", self$class_name, "`, which is code, not a ",
    "graph of layers: `keras_model()` and `keras_model_sequential()` make such", class = "custom", fun = fun)
}

#' Are batches of this kind given as they are to steps that are the user's, or are made of what is?
#' @noRd
has_own_steps <- function(self) {
  class <- self$own
  if (is.null(class)) return(FALSE)
  any(vapply(c("train_step", "test_step", "predict_step", "compute_loss", "compute_metrics"), has_method, NA,
    class = class)) || is_own_model(self) && !has_method(class, "call") || isTRUE(self$compiled$eager)
}

#' Can it be made again from a description?
#' @noRd
check_describable <- function(self) {
  if (length(self$captures)) abort("`", self$name, "` is code that closes over tensors of the model: give them to it ",
    "as inputs, or keep the weights alone by `save_model_weights()`", class = "custom", fun = user_function())
}

#' Is it made by its class' constructor, rather than of the layers in its graph?
#' @noRd
is_made_by_class <- function(self) !is.null(self$own) && (self$kind %in% c("custom", "own_model") ||
  has_method(self$own, "initialize"))

#' A functional model becomes one of a class.
#' @noRd
give_class <- function(self, constructor) {
  class <- attr(constructor, "own_class")
  if (is.null(class) || class$kind != "model") abort("`", self$class_name, "` must be a class of models, not ",
    describe(constructor), class = "custom", fun = user_function())
  self$class_name <- class$classname
  self$own <- class
  self$class <- constructor
  self$fields <- all_of(class, "fields")
  self
}

#' The graph of a model with `call`, once its inputs are known: one call of itself.
#' @noRd
build_own_model <- function(self, x, fun) {
  if (!is.null(self$inputs)) return()
  given <- as_branch(if (is.data.frame(x)) as_number_matrix(x, "x", fun) else x)
  inputs <- lapply(seq_along(given), function(k) {
    part <- given[[k]]
    dtype <- if (is_tensor(part)) tensor_dtype(part) else if (is.character(part)) "string" else
      if (is.integer(part) || is.factor(part)) "int32" else self$dtype
    shape <- if (is.null(dim(part))) integer() else dim(part)[-1]
    input_tensor(if (length(shape) || is_tensor(part)) shape else 1L, dtype, names(given)[k])
  })
  begin_own_model(self, if (is_branch(x)) stats::setNames(inputs, names(x)) else inputs[[1]])
}

#' @param nested symbolic tensors, as the model is called on them.
#' @noRd
begin_own_model <- function(self, nested) {
  outputs <- symbolic_call(self, nested, list())
  if (is_branch(outputs)) self$output_names <- names(outputs)
  self$inputs <- unname(tensor_leaves(nested))
  self$called <- map_leaves(nested, function(t) list(shape = as.list(dim(t)[-1]), dtype = t$dtype,
    name = t$node$layer$name))
  end_model(self, tensor_leaves(outputs))
}

#' @export
base_member.nn_model <- function(object, name) {
  self <- layer_self(object)
  if (name %in% c("initialize", "__init__")) return(function(...) initialize_model(self, ...))
  if (name == "compile") return(function(...) base_compile(self, ...))
  if (name == "call") return(function(inputs, ...) model_type$call(self, as_inputs(self, inputs), ...))
  if (name == "build") return(function(input_shape) invisible())
  if (name == "get_config" && is_made_by_class(self)) return(function() list(name = self$name, trainable =
    self$trainable, dtype = self$dtype))
  member <- step_members[[name]]
  if (!is.null(member)) return(member(self))
  plain_member(object, name)
}

# ---- what steps are made of ----

step_members <- list(
  train_step = function(self) function(data) default_step(self, data, TRUE),
  test_step = function(self) function(data) default_step(self, data, FALSE),
  predict_step = function(self) function(data) layer_handle(self)(batch_parts(data)$x, training = FALSE),
  compute_loss = function(self) function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL, ...) {
    compiled_loss(self, y, y_pred, sample_weight, layer_handle(self)$losses)
  },
  compute_metrics = function(self) function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL) {
    update_compiled_metrics(self, y, y_pred, sample_weight)
    layer_handle(self)$get_metrics_result()
  },
  compiled_loss = function(self) function(y_true, y_pred, sample_weight = NULL, regularization_losses = NULL)
    compiled_loss(self, y_true, y_pred, sample_weight, regularization_losses),
  compiled_metrics = function(self) list(
    update_state = function(y_true, y_pred, sample_weight = NULL) update_compiled_metrics(self, y_true, y_pred,
      sample_weight),
    metrics = compiled_metrics(self), reset_state = function() for (m in compiled_metrics(self)) m$reset_state()
  ),
  metrics = function(self) if (!is.null(self$compiled) || !is.null(self$own)) model_metrics(self),
  get_metrics_result = function(self) function() metric_results(layer_handle(self)$metrics),
  reset_metrics = function(self) function() for (m in layer_handle(self)$metrics) m$reset_state(),
  losses = function(self) losses_of(self)
)

metric_results <- function(metrics) stats::setNames(lapply(metrics, function(m) m$result()),
  vapply(metrics, function(m) m$name, ""))

#' list(x, y, sample_weight) of a batch.
#' @noRd
batch_parts <- function(data) {
  if (!is_branch(data)) return(list(x = data))
  if (length(data) > 3) abort("a batch must be (x, y) or (x, y, weights), not a list of ", length(data))
  stats::setNames(data, c("x", "y", "sample_weight")[seq_along(data)])
}

#' The step of all models, of what the class says.
#' @noRd
default_step <- function(self, data, training) {
  model <- layer_handle(self)
  parts <- batch_parts(data)
  tape <- gradient_tape(persistent = FALSE)
  forward <- function() {
    y_pred <<- model(parts$x, training = training)
    self$noted$tracked <- FALSE
    loss <- model$compute_loss(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight)
    # a loss of the user's is followed as compiled_loss() does it, unless the class has metrics of its own
    if (!isTRUE(self$noted$tracked) && is.null(find_member(self$own, "active", "metrics")))
      track_loss(self, loss, y_pred)
    loss
  }
  y_pred <- NULL
  loss <- if (training) tape_record(tape, forward()) else forward()
  if (training) {
    weights <- trainable_weights(self)
    apply_gradients(self$compiled$optimizer, Map(list, gradient_towards(tape, loss, weights), weights))
    constrain_weights(self, weights)
  }
  model$compute_metrics(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight)
}

#' The losses and metrics of compile(), once it is known how many outputs there are.
#' @noRd
compiled_for <- function(self, y_pred) {
  if (is.null(self$compiled)) abort("the model must be compiled first", class = "uncompiled", fun = self$name)
  if (is.null(self$compiled$losses)) {
    outputs <- tensor_leaves(y_pred)
    if (is.null(self$outputs) && is.null(self$output_names)) self$output_names <- if (length(names(y_pred)))
      names(y_pred) else paste0("output_", seq_along(outputs))
    self$compiled <- finish_compile(self, self$compiled)
  }
  self$compiled
}

compiled_loss <- function(self, y, y_pred, w = NULL, further = NULL) {
  compiled <- compiled_for(self, y_pred)
  if (!is.null(y)) metric_states(self, y, y_pred) # steps may update all of `self$metrics` after that
  of <- outputs_with_loss(self)
  outputs <- tensor_leaves(y_pred)
  per_output <- function(x) if (is.null(x)) rep(list(NULL), length(outputs)) else as_branch(x)
  losses <- Map(function(loss, y, output, w, place) with_place(place, output_loss(loss, y, output, w),
    if (!is.null(y)) shapes_said(y, output) else ""), compiled$losses[of], per_output(y)[of], outputs[of],
    per_output(w)[of], loss_places(self)[of])
  terms <- c(Map(op_multiply, losses, compiled$loss_weights[of]), tensor_leaves(further))
  if (!length(terms)) abort("there is no loss: `compile(loss = ...)` gives one", fun = "compiled_loss")
  total <- Reduce(function(x, y) op_add(x, tensor(y, tensor_dtype(x))), terms)
  track_loss(self, total, y_pred)
  total
}

#' Let the metric that follows the loss know of one.
#' @noRd
track_loss <- function(self, loss, y_pred) {
  outputs <- tensor_leaves(y_pred)
  self$noted$tracked <- TRUE
  metric_update(model_tracker(self), loss, NULL, if (length(outputs)) batch_size_of(outputs[[1]]) else 1)
}

#' The metric that follows the loss: its mean over samples.
#' @noRd
model_tracker <- function(self) {
  if (is.null(self$compiled$tracker)) self$compiled$tracker <- metric_mean(name = "loss")
  self$compiled$tracker
}

#' The metrics of compile() with their states, once targets and outputs are known: list(metric, weighted) for each.
#' @noRd
metric_states <- function(self, y, y_pred) {
  compiled <- compiled_for(self, y_pred)
  if (is.null(compiled$states)) {
    outputs <- tensor_leaves(y_pred)
    ys <- as_branch(y)
    names <- score_names(self)
    names <- utils::tail(names, length(unlist(lapply(compiled$metrics, seq_along))))
    at <- 0
    self$compiled$states <- lapply(seq_along(outputs), function(k) lapply(compiled$metrics[[k]], function(m) {
      at <<- at + 1
      metric <- as_metric(m$metric, ys[[k]], outputs[[k]])
      attr(metric, "config")$name <- names[at]
      list(metric = metric, weighted = m$weighted)
    }))
  }
  self$compiled$states
}

update_compiled_metrics <- function(self, y, y_pred, w = NULL) {
  states <- metric_states(self, y, y_pred)
  outputs <- tensor_leaves(y_pred)
  ys <- as_branch(y)
  ws <- if (is.null(w)) rep(list(NULL), length(outputs)) else as_branch(w)
  for (k in seq_along(outputs)) for (m in states[[k]]) {
    metric_update(m$metric, ys[[k]], outputs[[k]], masked_weights(attr(outputs[[k]], "mask"), if (m$weighted) ws[[k]],
      tensor_dtype(outputs[[k]])))
  }
}

compiled_metrics <- function(self) {
  c(list(self$compiled$tracker)[!is.null(self$compiled$tracker)],
    lapply(unlist(self$compiled$states, recursive = FALSE), `[[`, "metric"))
}

#' Those of compile(), and those that fields hold.
#' @noRd
model_metrics <- function(self) {
  held <- Filter(function(x) is_part(x, "metric") || inherits(x, "nn_own_metric"), tensor_leaves(self$fields))
  unique_objects(c(compiled_metrics(self), held))
}

#' @noRd
reset_own_metrics <- function(self) if (has_own_steps(self)) for (m in layer_handle(self)$metrics) m$reset_state()
