# States of recurrent layers: what a sequence begins with, and what stateful layers keep from batch to batch. A state is
# a tensor (batch, size), or (batch, ...) where the size has several axes.

#' Zeros for each row of x.
#' @noRd
zero_state <- function(x, size, dtype) op_multiply(op_cast(op_reshape(row_ones(x), c(-1, rep(1, length(size)))), dtype),
  tensor(array(0, c(1, size)), dtype))

#' The states to begin with: those given, or those kept; NULL for zeros.
#' @noRd
first_states <- function(self, x, given, sizes) {
  if (!is.null(given)) return(given_states(self, given, sizes))
  if (!isTRUE(self$config$stateful)) return()
  rows <- shape_of(x)[1]
  batch <- dim(self$states[[1]])[1]
  if (rows != batch && !on_trial()) {
    abort("is stateful, and was built for batches of ", batch, " sequences, not of ", rows,
      ": `batch_size` must be that number, and divide the number of samples", class = "shape", fun = self$name)
  }
  self$states
}

given_states <- function(self, given, sizes) {
  states <- unname(cell_states(given, seq_along(sizes), "initial_state", self$name))
  states <- as_inputs(self, states)
  for (i in seq_along(sizes)) if (!identical(as.numeric(shape_of(states[[i]])[-1]), as.numeric(sizes[[i]]))) {
    abort("`initial_state` must have the shape ", format_keras_shape(c(NA, sizes[[i]])), ", not ",
      input_shape_text(states[[i]]), class = "shape", fun = self$name)
  }
  states
}

#' Of a stateful layer, for build().
#' @noRd
make_states <- function(self, batch, sizes) {
  if (!isTRUE(self$config$stateful)) return()
  if (is.na(batch)) {
    abort("is stateful and needs to know the batch size: `batch_input_shape` of the first layer of a sequence, or ",
      "`batch_shape` of `layer_input()`, tells it", class = "shape", fun = self$name)
  }
  self$states <- lapply(sizes, function(size) variable(array(0, c(batch, size)), self$dtype, trainable = FALSE,
    name = paste0(self$name, "/state")))
}

keep_states <- function(self, states) {
  if (isTRUE(self$config$stateful)) Map(variable_assign, self$states, states)
}

#' Reset the states of stateful layers
#'
#' Recurrent layers with `stateful = TRUE` begin each batch with the states where the one before it ended: sample i of a
#' batch goes on with the sequence of sample i. `reset_states()` sets these states to 0, before other sequences come.
#'
#' States are not saved with a model.
#'
#' @param object a model or layer.
#' @return `object`, invisibly.
#' @seealso [layer_lstm()], [layer_rnn()]
#' @examples
#' # two halves of a sequence one after the other are the whole of it
#' layer <- layer_gru(units = 2, stateful = TRUE)
#' x <- array(rnorm(6), c(1, 6, 1))
#' whole <- layer(x)
#' reset_states(layer)
#' half <- layer(x[, 1:3, , drop = FALSE])
#' all.equal(as.array(layer(x[, 4:6, , drop = FALSE])), as.array(whole), tolerance = 1e-6)
#' @export
reset_states <- function(object) {
  if (!is_layer(object)) abort("`object` must be a model or a layer, not ", describe(object))
  for (self in layers_within(layer_self(object)))
    for (state in self$states) variable_assign(state, array(0, dim(state)))
  invisible(object)
}
