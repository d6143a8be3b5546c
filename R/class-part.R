# Losses, metrics, constraints and learning rate schedules of the user's classes.

#' Custom losses, metrics, constraints and schedules
#'
#' Constructors of objects of classes of your own, which [compile()] and layers take. Methods find the object as `self`,
#' or take it as their first argument if that is called `self`; `self$name <- value` keeps values; `super$method(...)`
#' is that of the class that it inherits from; `super$initialize(name = )` gives the object a name. `Loss()`,
#' `Metric()`, `Constraint()` and `LearningRateSchedule()` are keras3's names.
#'
#' * A loss has `call(y_true, y_pred)`, which gives the loss of each sample or one number.
#' * A metric has `update_state(y_true, y_pred, sample_weight = NULL)`, which changes variables that it made by
#'   `self$add_weight(name, shape, initializer)`, as by `self$total$assign_add(x)`, and `result()`, made of ops, which
#'   gives one number. `reset_state()` sets all variables to 0 if the class does not say otherwise. Both are compiled in
#'   training.
#' * A constraint has `call(w)`, which gives weights in place of `w`.
#' * A schedule has `call(step)`, which gives the learning rate of a step, counted from 0.
#'
#' @inheritParams new_layer_class
#' @param initialize,call,update_state,result functions, see above.
#' @return A constructor with the arguments of `initialize`, which gives losses, metrics and so on.
#' @seealso [losses], [metrics], [constraints], [learning_rate_schedules]; [new_layer_class()], [new_model_class()],
#'   [new_callback_class()]
#' @examples
#' squared <- new_loss_class("Squared", call = function(y_true, y_pred) {
#'   k_mean((y_true - y_pred)^2, axis = -1)
#' })
#' squared()(matrix(1:2, 2), matrix(3, 2))
#'
#' positives <- new_metric_class("Positives",
#'   initialize = function(name = "positives") {
#'     super$initialize(name = name)
#'     self$count <- self$add_weight(name = "count", initializer = "zeros")
#'   },
#'   update_state = function(y_true, y_pred, sample_weight = NULL) {
#'     self$count$assign_add(k_sum(k_cast(y_pred > 0.5, "float32")))
#'   },
#'   result = function() self$count
#' )
#' m <- positives()
#' m$update_state(c(1, 0), c(0.7, 0.6))
#' m$result()
#' @name new_loss_class
NULL

#' @rdname new_loss_class
#' @export
new_loss_class <- function(classname, ..., initialize = NULL, call = NULL, public = list(), private = list(),
  inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, call = call)
  part_constructor_of(new_class("loss", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), "call")
}

#' @rdname new_loss_class
#' @export
Loss <- function(classname, call = NULL, ..., initialize = NULL, public = list(), private = list(), inherit = NULL,
  parent_env = NULL) {
  named <- list(initialize = initialize, call = call)
  part_constructor_of(new_class("loss", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), "call")
}

#' @rdname new_loss_class
#' @export
new_metric_class <- function(classname, ..., initialize = NULL, update_state = NULL, result = NULL, public = list(),
  private = list(), inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, update_state = update_state, result = result)
  part_constructor_of(new_class("metric", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), c("update_state", "result"))
}

#' @rdname new_loss_class
#' @export
Metric <- function(classname, initialize = NULL, update_state = NULL, result = NULL, ..., public = list(),
  private = list(), inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, update_state = update_state, result = result)
  part_constructor_of(new_class("metric", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), c("update_state", "result"))
}

#' @rdname new_loss_class
#' @export
Constraint <- function(classname, call = NULL, ..., initialize = NULL, public = list(), private = list(),
  inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, call = call)
  part_constructor_of(new_class("constraint", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), "call")
}

#' @rdname new_loss_class
#' @export
new_learning_rate_schedule_class <- function(classname, ..., initialize = NULL, call = NULL, public = list(),
  private = list(), inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, call = call)
  part_constructor_of(new_class("schedule", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), "call")
}

#' @rdname new_loss_class
#' @export
LearningRateSchedule <- function(classname, call = NULL, initialize = NULL, ..., public = list(), private = list(),
  inherit = NULL, parent_env = NULL) {
  named <- list(initialize = initialize, call = call)
  part_constructor_of(new_class("schedule", classname, class_parts(named, list(...), public, private, parent_env),
    inherit), "call")
}

#' @param wanted methods that the class must have.
#' @noRd
part_constructor_of <- function(class, wanted, fun = calling_function()) {
  force(class)
  for (name in wanted) if (!has_method(class, name) && is.null(class$base)) abort("`", name,
    "` must be given: the class `", class$classname, "` must have a method `", name, "`, or inherit one", fun = fun)
  constructor <- new_constructor(class, function(...) {
    object <- new_own_object(class, ...)
    name <- get0("name", envir = object, inherits = FALSE, ifnotfound = snake_case(class$classname))
    part <- switch(class$kind,
      metric = new_metric("custom", list(name = name), own = function(y_true, y_pred) object$result()),
      schedule = structure(function(step) rates_of(object, step), class = "nn_schedule", name = class$classname,
        config = list()),
      own_part(class$kind, function(...) object$call(...), name)
    )
    if (class$kind == "loss" && !is.null(object_field(object, "reduction")))
      attr(part, "config")$reduction <- check_choice(object_field(object, "reduction"), reductions,
        arg = "reduction", fun = class$classname)
    attr(part, "object") <- object
    attr(part, "constructor") <- constructor
    part
  })
  constructor
}

object_field <- function(object, name) get0(name, envir = object, inherits = FALSE)

#' Rates are plain numbers, also where the user's code gives tensors.
#' @noRd
rates_of <- function(object, step) {
  rates <- object$call(step)
  if (is_tensor(rates) && !is_tensor(step)) as.array(rates) else rates
}

#' The object of the user's class that a part is made of, or NULL.
#' @noRd
own_object <- function(part) attr(part, "object")

#' What makes it again: what its class' `get_config()` says, or else what it was made with.
#' @noRd
own_object_arguments <- function(part) {
  object <- own_object(part)
  class <- own_class(object)
  if (!has_method(class, "get_config")) return(attr(object, "made_with"))
  config <- object$get_config()
  if (!is_named_list(config)) abort("`get_config()` of the class must give a named list, not ", describe(config),
    fun = class$classname)
  config[setdiff(names(config), setdiff(c("name", "dtype", "reduction"), taken_by_class(class)))]
}

# A member of a loss and so on that is of a class of the user's.
#' @export
`$.nn_part` <- function(x, name) {
  object <- own_object(x)
  if (name == "__class__") return(class_of_python(if (is.null(object)) part_class_name(part_kind(x), part_name(x)) else
    own_class(object)$classname))
  if (!is.null(object) && name != "name") return(`$.nn_own_object`(object, name))
  if (name == "name") return(part_config(x)$name)
  if (name %in% names(part_config(x))) return(part_config(x)[[name]])
  if (name == "get_config") return(function() get_config(x))
  unknown_member(name, c("name", names(part_config(x)), "get_config"), in_words(x))
}

#' @export
`$.nn_schedule` <- function(x, name) {
  if (!is.null(own_object(x))) return(`$.nn_own_object`(own_object(x), name))
  if (name == "get_config") return(function() get_config(x))
  if (name %in% names(attr(x, "config"))) return(attr(x, "config")[[name]])
  unknown_member(name, c(names(attr(x, "config")), "get_config"), "a schedule")
}

# ---- metrics: their variables are the state ----

#' @export
base_member.nn_own_metric <- function(object, name) {
  base <- own_class(object)$base
  if (!is.null(base) && name == "initialize") return(function(...) {
    inner <- do.call(base, list(...))
    assign("inner", inner, envir = object)
    assign("name", metric_name(inner), envir = object)
  })
  inner <- object_field(object, "inner")
  if (!is.null(inner) && name %in% c("update_state", "result", "reset_state")) return(metric_members[[name]](inner))
  switch(name,
    add_weight = , add_variable = function(name = "weight", shape = integer(), initializer = "zeros", dtype = NULL,
      ...) {
      if (missing(shape) && !is.character(name)) { # keras3 begins with the shape
        shape <- name
        name <- "weight"
      }
      value <- as_part("initializer", initializer)(check_layer_sizes(shape, "shape", own_class(object)$classname),
        if (is.null(dtype)) session$floatx else dtype)
      weight <- outside_of_trace(variable(value, trainable = FALSE, name = check_string(name)))
      assign("weights", c(object_field(object, "weights"), list(weight)), envir = object)
      weight
    },
    dtype = session$floatx,
    variables = , weights = object_field(object, "weights"),
    reset_state = , reset_states = function() {
      for (weight in object_field(object, "weights")) variable_assign(weight, op_zeros_like(weight))
    },
    NextMethod()
  )
}

#' Update the state of a metric of the user's; `sample_weight` is given where there is one, or it takes it.
#' @noRd
update_own_metric <- function(object, y_true, y_pred, sample_weight) {
  note_summed(object_field(object, "weights"))
  update <- object$update_state
  takes <- names(formals(update))
  with_place(paste0("`update_state` of ", own_class(object)$classname), do.call(update, c(list(y_true),
    if (length(setdiff(takes, "sample_weight")) > 1) list(y_pred),
    if ("sample_weight" %in% takes) list(sample_weight = sample_weight))))
}
