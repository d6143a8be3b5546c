# Recurrent layers made of a cell: one step of the recurrence, of ours or of the user's own, that layer_rnn() takes from
# timestep to timestep. The formulas of our cells are those of R/derivative-cell.R.

#' Recurrent layer of a cell
#'
#' Runs a cell along the timesteps of a sequence. A cell is a layer that computes one step: of the input of a timestep
#' and the states before it, the output and the states after it. Cells are [layer_lstm_cell()], [layer_gru_cell()],
#' [layer_simple_rnn_cell()], stacks of them, and cells of your own.
#'
#' Shapes: input (batch, timesteps, ...); output (batch, units), or with `return_sequences` (batch, timesteps, units).
#' Weights: those of the cell.
#'
#' [layer_lstm()], [layer_gru()] and [layer_simple_rnn()] run whole sequences in one op, and are many times faster than
#' their cells here, where each step is a few ops.
#'
#' @section Cells of your own: A class of [new_layer_class()] whose `call(inputs, states)` gives
#'   `list(output, new states)`, where states are a list, and which sets `self$state_size`: the size of its state, or a
#'   list of one for each state. Where `call` has an argument `training`, it is given.
#' @section Masks: Masked timesteps leave states as they are and repeat the output before them, which is 0 before the
#'   first valid timestep; with `zero_output_for_mask` it is 0 at all of them.
#'
#' @inheritParams layer_lstm
#' @param cell a cell, or a list of cells, which are stacked.
#' @param return_state return the last states, too? The result is then a list: output, then each state.
#' @param zero_output_for_mask is the output of masked timesteps 0?
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of fewer than three axes.
#' @seealso [layer_lstm()], [new_layer_class()], [reset_states()]
#' @examples
#' # a cell that forgets at rates of its own
#' cell_leaky <- new_layer_class("LeakyCell",
#'   initialize = function(units) {
#'     self$units <- units
#'     self$state_size <- units
#'   },
#'   build = function(input_shape) {
#'     self$kernel <- self$add_weight("kernel", c(input_shape[2], self$units))
#'     self$rate <- self$add_weight("rate", self$units, initializer = "zeros")
#'   },
#'   call = function(inputs, states) {
#'     keep <- op_sigmoid(self$rate)
#'     h <- keep * states[[1]] + (1 - keep) * op_matmul(inputs, self$kernel)
#'     list(h, list(h))
#'   }
#' )
#' # the mean of a sequence
#' x <- array(rnorm(300 * 8), c(300, 8, 1))
#' model <- keras_model_sequential(input_shape = c(8, 1)) |> layer_rnn(cell_leaky(units = 4)) |>
#'   layer_dense(1)
#' model |> compile(optimizer_adam(0.05), "mse")
#' model |> fit(x, apply(x, 1, mean), epochs = 15, verbose = 0)
#' @export
layer_rnn <- function(object, cell, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
  stateful = FALSE, unroll = FALSE, time_major = FALSE, ..., zero_output_for_mask = FALSE) {
  check_given(missing(cell), "cell")
  if (is_branch(cell)) cell <- layer_stacked_rnn_cells(cell)
  if (!is_layer(cell)) abort("`cell` must be a layer that computes one step, or a list of such, not ", describe(cell))
  check_flag(unroll)
  if (check_flag(time_major)) abort("`time_major` must be FALSE")
  new_layer("rnn", object, list(
    cell = cell, return_sequences = check_flag(return_sequences), return_state = check_flag(return_state),
    go_backwards = check_flag(go_backwards), stateful = check_flag(stateful),
    zero_output_for_mask = check_flag(zero_output_for_mask)
  ), ..., fields = list(cell = cell))
}

rnn_type <- list(
  class_name = "RNN",
  build = function(self, shape) {
    if (length(shape) < 3) abort("needs an input of shape (batch, timesteps, ...), not ", format_keras_shape(shape),
      class = "shape", fun = self$name)
    cell <- layer_self(self$config$cell)
    build_layer(cell, shape[-2])
    make_states(self, shape[1], state_sizes(cell))
  },
  call = function(self, x, training, mask, initial_state = NULL) {
    check_timesteps(self, x)
    cell <- layer_self(self$config$cell)
    sizes <- state_sizes(cell)
    states <- first_states(self, x, initial_state, sizes)
    if (is.null(states)) states <- lapply(sizes, function(size) zero_state(x, size, self$dtype))
    step <- function(x, states) cell_step(cell, x, states, training)
    result <- with_noise_kept(cell, run_steps(self, step, x, states, mask))
    keep_states(self, result$states)
    if (self$config$return_state) c(list(result$y), result$states) else result$y
  },
  mask = function(self, x, mask) if (self$config$return_sequences) list(mask) # states have none
)

check_timesteps <- function(self, x) {
  if (shape_of(x)[2] %in% 0) abort("needs at least one timestep", class = "shape", fun = self$name)
}

#' Step t of a tensor (batch, timesteps, ...).
#' @noRd
step_of <- function(x, t) {
  more <- rank_of(x) - 2
  op_squeeze(op_slice(x, c(1, t, rep(1, more)), c(-1, 1, rep(-1, more))), 2)
}

#' Rows of `yes` where a mask (batch) says so, else of `no`.
#' @noRd
choose_rows <- function(mask, yes, no) op_where(op_reshape(mask, c(-1, rep(1, rank_of(yes) - 1))), yes, no)

#' The states of all timesteps, one after the other.
#' @param step a function of the input of a timestep and the states before it: list(y, states).
#' @noRd
run_steps <- function(self, step, x, states, mask) {
  config <- self$config
  steps <- shape_of(x)[2]
  times <- if (on_trial()) 1 else seq_len(steps) # one step tells the shapes
  if (!is.null(mask) && !same_sizes(shape_of(mask), shape_of(x)[1:2])) abort("`mask` must have the shape ",
    format_keras_shape(c(NA, steps)), " of batch and timesteps, not ", input_shape_text(mask), class = "shape",
    fun = self$name)
  y <- NULL
  sequence <- list()
  for (t in if (config$go_backwards) rev(times) else times) {
    new <- step(step_of(x, t), states)
    out <- new$y
    if (!is.null(mask)) {
      real <- step_of(mask, t)
      out <- choose_rows(real, out, if (isTRUE(config$zero_output_for_mask) || is.null(y)) 0 else y)
      new$states <- Map(choose_rows, list(real), new$states, states)
    }
    states <- new$states
    y <- out
    sequence <- c(sequence, list(y))
  }
  if (config$return_sequences) y <- if (on_trial()) op_repeat(op_expand_dims(y, 2), steps, axis = 2) else
    op_stack(sequence, 2)
  list(y = y, states = states)
}

#' One step: list(y, states).
#' @noRd
cell_step <- function(cell, x, states, training) {
  type <- layer_type(cell)
  method <- if (is.null(type$methods)) type$call else type$methods$call
  takes <- setdiff(names(formals(method)), c("self", "..."))
  if (length(takes) < 2) abort("`call` of a cell must take the inputs and the states", fun = cell$name)
  result <- do.call(call_layer, c(list(cell, x), stats::setNames(list(states), takes[2]), list(training = training)))
  new <- if (is_branch(result)) tensor_leaves(result[-1])
  if (length(new) != length(states)) {
    abort("`call` of a cell must give list(output, states), with ", length(states), " states, not ",
      if (is_branch(result)) paste(length(new), "states") else describe(result), fun = cell$name)
  }
  for (k in seq_along(new)) if (!same_sizes(shape_of(new[[k]])[-1], shape_of(states[[k]])[-1])) {
    abort("state ", k, " of a cell must have the shape ", input_shape_text(states[[k]]),
      " that `state_size` says, not ", input_shape_text(new[[k]]), class = "shape", fun = cell$name)
  }
  list(y = result[[1]], states = new)
}

#' The sizes of a cell's states: a list.
#' @noRd
state_sizes <- function(cell) {
  type <- layer_type(cell)
  if (is.function(type$state_sizes)) return(type$state_sizes(cell))
  size <- cell$fields$state_size
  if (is.null(size) && is.function(type$methods$state_size)) {
    size <- run_method(layer_handle(cell), "state_size", list(), cell$own)
  }
  sizes <- if (is_branch(size)) size else as.list(size)
  good <- vapply(sizes, function(s) is.numeric(s) && length(s) > 0 && !anyNA(s) && all(s >= 0 & s == round(s)), NA)
  if (!length(sizes) || !all(good)) {
    abort("a cell must say the size of its state: `self$state_size`, a number or a list of one for each state, not ",
      describe(size), fun = cell$name)
  }
  lapply(unname(sizes), as.numeric)
}

# ---- our cells ----

#' Cells of recurrent layers
#'
#' One step of [layer_lstm()], [layer_gru()] and [layer_simple_rnn()], for [layer_rnn()] or to be called with
#' `cell(inputs, states = list(h, c))`, which gives `list(output, list(h, c))`. A GRU and a simple cell have the state h
#' alone. Weights, formulas and arguments are those of the layers.
#'
#' `layer_stacked_rnn_cells()` makes one cell of several: each gets the output of the one before it.
#'
#' @inheritParams layer_gru
#' @param units the size of the output and of the state.
#' @param cells a list of cells.
#' @param kernel_regularizer,bias_regularizer names or objects, see [regularizers]; `NULL` for none.
#' @param unit_forget_bias initialize the bias of the forget gate with 1?
#' @param ... arguments of all layers, see [layer_dense()].
#' @return A layer (class `nn_layer`).
#' @seealso [layer_rnn()]
#' @examples
#' cell <- layer_lstm_cell(units = 3)
#' step <- cell(matrix(1, 2, 4), states = list(matrix(0, 2, 3), matrix(0, 2, 3)))
#' dim(step[[1]]) # 2 3
#' # the sign of the sum of a sequence, by two cells on top of each other
#' x <- array(rnorm(200 * 6), c(200, 6, 1))
#' model <- keras_model_sequential(input_shape = c(6, 1)) |>
#'   layer_rnn(list(layer_gru_cell(units = 4), layer_simple_rnn_cell(units = 4))) |>
#'   layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, 1 * (apply(x, 1, sum) > 0), epochs = 10, verbose = 0)
#' @export
layer_lstm_cell <- function(units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal", bias_initializer = "zeros",
  unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
  kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
  ...) {
  recurrent_layer("lstm_cell", args = environment(), ...)
}

#' @rdname layer_lstm_cell
#' @export
rnn_cell_lstm <- layer_lstm_cell # keras3's name

#' @rdname layer_lstm_cell
#' @export
layer_gru_cell <- function(units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal", bias_initializer = "zeros",
  kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL, kernel_constraint = NULL,
  recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0, reset_after = TRUE, ...) {
  recurrent_layer("gru_cell", args = environment(), ...)
}

#' @rdname layer_lstm_cell
#' @export
rnn_cell_gru <- layer_gru_cell # keras3's name

#' @rdname layer_lstm_cell
#' @export
layer_simple_rnn_cell <- function(units, activation = "tanh", use_bias = TRUE, kernel_initializer = "glorot_uniform",
  recurrent_initializer = "orthogonal", bias_initializer = "zeros", kernel_regularizer = NULL,
  recurrent_regularizer = NULL, bias_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
  bias_constraint = NULL, dropout = 0, recurrent_dropout = 0, ...) {
  recurrent_layer("simple_rnn_cell", args = environment(), ...)
}

#' @rdname layer_lstm_cell
#' @export
rnn_cell_simple <- layer_simple_rnn_cell # keras3's name

states_of <- list(lstm = c("h", "c"), gru = "h", simple_rnn = "h")

#' @param formula the name in cell_steps.
#' @noRd
cell_type <- function(class_name, gates, formula) {
  force(gates)
  names <- states_of[[formula]]
  list(
    class_name = class_name,
    build = function(self, shape) cell_weights(self, features_of(self, shape), gates),
    state_sizes = function(self) rep(list(self$config$units), length(names)),
    call = function(self, x, states, training) {
      check_given(missing(states), "states", self$name)
      config <- self$config
      weights <- self$weights
      check_features(self, x, dim(weights[[1]])[1])
      given <- stats::setNames(given_states(self, states, rep(list(config$units), length(names))), names)
      if (training) x <- with_noise(self, "inputs", x, config$dropout)
      by <- if (training) with_noise(self, "states", given$h, config$recurrent_dropout) else given$h
      bias <- if (config$use_bias) weights[[3]]
      both <- if (isTRUE(config$reset_after) && !is.null(bias)) op_unstack(bias) else list(bias, NULL)
      projected <- op_matmul(x, weights[[1]])
      if (!is.null(both[[1]])) projected <- op_add(projected, both[[1]])
      recurrent <- if (is.null(config$recurrent_activation)) "linear" else part_name(config$recurrent_activation)
      new <- cell_steps[[formula]](projected, given, by, weights[[2]], both[[2]],
        cell_function(part_name(config$activation)), cell_function(recurrent), isTRUE(config$reset_after))
      list(new$h, unname(new[names]))
    }
  )
}

#' Dropout by the same draws at each step.
#' @noRd
with_noise <- function(self, name, x, rate) {
  if (rate == 0) return(x)
  draw <- function() op_dropout(op_ones_like(op_stop_gradient(x)), rate)
  if (is.null(self$noise)) return(op_multiply(x, draw()))
  if (is.null(self$noise[[name]])) assign(name, draw(), envir = self$noise)
  op_multiply(x, self$noise[[name]])
}

with_noise_kept <- function(cell, expr) {
  cells <- layers_within(cell)
  on.exit(for (self in cells) self$noise <- NULL)
  for (self in cells) self$noise <- new.env(parent = emptyenv())
  expr
}

lstm_cell_type <- cell_type("LSTMCell", 4, "lstm")
gru_cell_type <- cell_type("GRUCell", 3, "gru")
simple_rnn_cell_type <- cell_type("SimpleRNNCell", 1, "simple_rnn")

#' @rdname layer_lstm_cell
#' @export
layer_stacked_rnn_cells <- function(cells, ...) {
  check_given(missing(cells), "cells")
  if (!is_branch(cells) || !length(cells) || !all(vapply(cells, is_layer, NA)))
    abort("`cells` must be a list of cells, not ", describe(cells))
  names(cells) <- paste0("cell_", seq_along(cells))
  new_layer("stacked_rnn_cells", config = list(cells = cells), ..., fields = list(cells = cells))
}

#' @rdname layer_lstm_cell
#' @export
rnn_cells_stack <- layer_stacked_rnn_cells # keras3's name

stacked_rnn_cells_type <- list(
  class_name = "StackedRNNCells",
  build = function(self, shape) {
    for (cell in lapply(self$config$cells, layer_self)) {
      build_layer(cell, shape)
      shape <- c(shape[1], state_sizes(cell)[[1]])
    }
  },
  state_sizes = function(self) do.call(c, unname(lapply(self$config$cells, function(cell)
    state_sizes(layer_self(cell))))),
  call = function(self, x, states, training) {
    check_given(missing(states), "states", self$name)
    after <- list()
    for (cell in lapply(self$config$cells, layer_self)) {
      own <- seq_along(state_sizes(cell))
      new <- cell_step(cell, x, states[own], training)
      states <- states[-own]
      after <- c(after, new$states)
      x <- new$y
    }
    list(x, after)
  }
)
