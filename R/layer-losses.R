# Losses and metrics that layers have besides those of a model's outputs: add_loss(), add_metric(), regularizers.

# While a step is traced, what is added to its loss and what it reports besides is collected here; at other times nobody
# asks for it.

#' @param self the layer that gave it, which remembers it for `$losses`, but for steps of ours, which collect them.
#' @noRd
note_loss <- function(x, fun, self = NULL) {
  for (loss in tensor_leaves(x)) {
    if (!is_tensor(loss)) loss <- tensor(loss)
    check_scalar(loss, fun)
    if (!is.null(session$penalties)) session$penalties <- c(session$penalties, list(loss))
    if (!is.null(self) && (is.null(session$penalties) || !is.null(session$stepping)) && !on_trial()) {
      session$noted <- TRUE
      self$noted$losses <- c(self$noted$losses, list(loss))
    }
  }
}

#' What may change without being a change of the layer: an environment that autograph() does not look into.
#' @noRd
new_plan <- function() structure(new.env(parent = emptyenv()), class = "nn_plan")

#' A call begins, and its losses with it.
#' @noRd
forget_losses <- function(self) {
  if (isTRUE(session$noted)) for (layer in layers_within(self)) layer$noted$losses <- NULL
}

#' `$losses`: what layers added in their last call, and what they were given, and the penalties on weights.
#' @noRd
losses_of <- function(self) {
  found <- list()
  for (layer in layers_within(self)) found <- c(found, layer$noted$losses, lapply(layer$own_losses, function(f) f()))
  if (!is_tracing()) found <- Filter(Negate(is_symbolic), found)
  c(found, weight_penalties(self))
}

#' Losses that a layer is given from outside: functions without arguments, called in each step.
#' @noRd
add_losses <- function(self, losses) {
  for (loss in tensor_leaves(losses, keep_null = TRUE)) {
    if (is_keras_tensor(loss)) abort("a symbolic tensor belongs to a model's graph: `model$add_loss(x)`. A layer ",
      "takes a function without arguments, or tensors within its `call()`", fun = "add_loss")
    if (!is.function(loss)) note_loss(loss, "add_loss", self)
    else self$own_losses <- c(self$own_losses, list(check_function(loss, takes = 0, fun = "add_loss")))
  }
  forget_steps()
}

#' Programs know of no losses and metrics that came later.
#' @noRd
forget_steps <- function() session$adapted <- new.env(parent = emptyenv())

note_metric <- function(x, name, fun) {
  check_name(name, fun)
  if (!is_tensor(x)) x <- tensor(x)
  if (!is.null(session$penalties)) session$reports <- c(session$reports, list(list(name = name, value = x)))
}

check_scalar <- function(x, fun) {
  if (length(dim(x)) == 0) return(x)
  abort("a loss must be a scalar, as `k_mean(x)` gives, not of shape ", format_keras_shape(dim(x)), class = "shape",
    fun = fun)
}

#' Penalties on weights, once per step, for weights that have a regularizer.
#' @noRd
weight_penalties <- function(self) {
  rules <- Filter(function(r) !is.null(r$regularizer), weight_rules(self))
  lapply(rules, function(r) with_place(paste0("the regularizer of `", variable_name(r$weight), "`"),
    r$regularizer(r$weight)))
}
