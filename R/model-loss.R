# Losses and metrics that a model has besides those of its outputs: add_loss() and add_metric() of models and layers. A
# symbolic tensor belongs to the model's graph, of which it is one more end; a function is called in each step.

#' Is there anything that needs targets?
#' @noRd
needs_targets <- function(self) {
  if (has_own_steps(self)) return(FALSE)
  compiled <- self$compiled
  is.null(compiled$losses) || !all_null(compiled$losses) || any(lengths(compiled$metrics) > 0)
}

#' The outputs that have a loss.
#' @noRd
outputs_with_loss <- function(self) which(!vapply(self$compiled$losses, is.null, NA))

add_model_losses <- function(self, losses) {
  losses <- tensor_leaves(losses)
  ends <- vapply(losses, is_keras_tensor, NA)
  for (loss in losses[ends]) add_end(self, list(tensor = check_scalar(loss, "add_loss")), "add_loss")
  add_losses(self, losses[!ends])
}

add_metric_end <- function(self, value, name = NULL, aggregation = NULL, fun = "add_metric") {
  if (!is.null(aggregation)) check_choice(aggregation, "mean", fun = fun)
  if (!is_keras_tensor(value)) return(note_metric(value, name, fun))
  if (is.null(name)) name <- value$node$layer$name
  add_end(self, list(tensor = value, name = check_name(name, fun)), fun)
}

#' One more end of a model's graph.
#' @noRd
add_end <- function(self, end, fun) {
  if (!self$built) abort("the model was not built yet, as the shape of its input is not known", class = "unbuilt",
    fun = fun)
  before <- self$ends
  self$ends <- c(before, list(end))
  self$plan <- new_plan()
  tryCatch(model_plan(self), error = function(e) {
    self$ends <- before
    self$plan <- new_plan()
    stop(e)
  })
  if (self$kind == "model") self$layers <- layers_of_plan(model_plan(self))
  forget_steps()
}

#' While a step is traced: what functions add to the loss.
#' @noRd
note_own_losses <- function(self) {
  for (layer in layers_within(self)) for (f in layer$own_losses) note_loss(f(), layer$name)
}

#' What a graph found at its further ends.
#' @noRd
note_ends_found <- function(plan, tensors) {
  for (k in seq_along(plan$ends)) {
    x <- tensors[[plan$end_places[k]]]
    name <- plan$ends[[k]]$name
    if (is.null(name)) note_loss(x, "add_loss", plan$self) else note_metric(x, name, "add_metric")
  }
}
