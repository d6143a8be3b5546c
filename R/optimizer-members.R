# Members of optimizers, and their learning rate and steps, numbers that know whose they are.

optimizer_members <- list(
  # TensorFlow 1 counts steps in a variable
  apply_gradients = function(self) function(grads_and_vars, global_step = NULL, ...) {
    if (!is.null(global_step) && !is_variable(global_step)) abort("`global_step` must be a variable or NULL, not ",
      describe(global_step), fun = "apply_gradients")
    apply_gradients(self, grads_and_vars)
    if (!is.null(global_step)) global_step$assign_add(1)
    invisible()
  },
  apply = function(self) function(grads, trainable_variables) {
    check_given(missing(trainable_variables), "trainable_variables", "apply")
    if (length(grads) != length(trainable_variables)) abort("`trainable_variables` must be as many as the gradients, ",
      length(grads), ", not ", length(trainable_variables), fun = "apply")
    apply_gradients(self, unname(Map(list, grads, trainable_variables)))
  },
  minimize = function(self) function(loss, var_list, tape = NULL) minimize(self, loss, var_list, tape),
  learning_rate = function(self) optimizer_number(self, "learning_rate"),
  lr = function(self) optimizer_number(self, "learning_rate"),
  iterations = function(self) optimizer_number(self, "iterations"),
  variables = function(self) function() optimizer_states(self),
  get_weights = function(self) function() lapply(tensor_leaves(optimizer_now(self)[[3]]), as.array),
  weights = function(self) optimizer_states(self),
  build = function(self) function(var_list) invisible(check_tensors(var_list)), # states are made when they are needed
  get_config = function(self) function() get_config(self),
  name = function(self) .subset2(self, "name"),
  `__class__` = function(self) class_of_python(attr(get_config(self), "config_class")[["class_name"]])
)

#' @export
`$.nn_optimizer` <- function(x, name) {
  member <- optimizer_members[[name]]
  if (!is.null(member)) return(member(x))
  config <- get_config(x)
  if (name %in% names(config)) return(config[[name]])
  unknown_member(name, union(names(optimizer_members), names(config)), "an optimizer")
}

#' @export
`$<-.nn_optimizer` <- function(x, name, value) {
  if (name == "lr") name <- "learning_rate"
  if (name != "learning_rate") abort("`", name, "` of an optimizer cannot be changed; its `learning_rate` can",
    fun = "optimizer")
  check_not_tracing("it changes an optimizer")
  assign("schedule", if (is_schedule(value)) value, envir = x)
  if (is_schedule(value)) refresh(x) else set_learning_rate(x, value)
  x
}

#' @export
`[[.nn_optimizer` <- function(x, name) `$.nn_optimizer`(x, check_name(name, "[["))

#' @export
.DollarNames.nn_optimizer <- function(x, pattern = "") grep(pattern, names(optimizer_members), value = TRUE)

current_rate <- function(x) as.array(optimizer_now(x)[[1]])[2]

#' Copies of what the optimizer keeps of weights.
#' @noRd
optimizer_states <- function(self) lapply(tensor_leaves(optimizer_now(self)[[3]]), function(s) op_cast(s,
  tensor_dtype(s)))

#' A variable in Keras: `optimizer$lr$assign(0.1)`. R computes with it as with any number.
#' @param name "learning_rate" or "iterations".
#' @noRd
optimizer_number <- function(x, name) {
  made <- function(value, dtype) eager_number(value, dtype, optimizer = x, name = name, class = "nn_optimizer_number")
  switch(name, iterations = made(optimizer_iterations(x), "int64"), made(current_rate(x), session$floatx))
}

optimizer_number_members <- list(
  assign = function(x) function(value, ...) assign_number(x, value),
  assign_add = function(x) function(delta, ...) assign_number(x, as.double(x) + check_number(as.double(delta))),
  assign_sub = function(x) function(delta, ...) assign_number(x, as.double(x) - check_number(as.double(delta))),
  name = function(x) attr(x, "name")
)

assign_number <- function(x, value) {
  optimizer <- attr(x, "optimizer")
  value <- if (is_tensor(value)) as.vector(as.array(value)) else value
  if (attr(x, "name") == "iterations") set_iterations(optimizer, value) else optimizer$learning_rate <- value
  invisible(optimizer_number(optimizer, attr(x, "name")))
}

#' @export
`$.nn_optimizer_number` <- function(x, name) {
  member <- optimizer_number_members[[name]]
  if (is.null(member)) NextMethod() else member(x)
}
