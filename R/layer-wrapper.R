# Layers around another layer: in both directions of time, and at each timestep.

#' Bidirectional layer
#'
#' Runs a recurrent layer along a sequence and a copy of it, with weights of its own, from the end to the beginning, and
#' merges what they give, so that each timestep knows what follows, too:
#' \deqn{y_t = \mathrm{merge}(\overrightarrow{h}_t, \overleftarrow{h}_t)}{y[t] = merge(forward[t], backward[t])}
#'
#' Shapes: as the layer's; with `"concat"` the last axis is twice as long. Weights: those of the forward layer, then
#' those of the backward layer. With `return_state` the result is a list: output, states of the forward layer, states of
#' the backward layer. `initial_state` of a call has these in the same order.
#'
#' `layer_bidirectional()` is another name of the same.
#'
#' @inheritParams layer_activation
#' @param layer a recurrent layer, such as `layer_lstm(units = 32)`. It is copied: `$forward_layer` and
#'   `$backward_layer` are the layers that run.
#' @param merge_mode how the outputs are merged: `"concat"`, `"sum"`, `"mul"` (product) or `"ave"` (mean); `NULL` gives
#'   a list of both.
#' @param weights a list of arrays to start from.
#' @param backward_layer another layer for the way back, with `go_backwards = TRUE` (`FALSE` if `layer` has it); by
#'   default a copy of `layer`.
#' @inherit layer_activation return
#' @section Masks: Both directions skip masked timesteps. With `return_sequences` the mask goes on, and the output of
#'   masked timesteps is 0.
#' @references Schuster & Paliwal (1997), Bidirectional recurrent neural networks, \doi{10.1109/78.650093}.
#' @seealso [layer_lstm()], [layer_gru()], [layer_rnn()]
#' @examples
#' # is a number larger than the one that follows it? Only the way back knows
#' x <- array(runif(200 * 6), c(200, 6, 1))
#' y <- array(cbind(x[, -6, 1] > x[, -1, 1], FALSE) * 1, c(200, 6, 1))
#' model <- keras_model_sequential(input_shape = c(6, 1)) |>
#'   bidirectional(layer_gru(units = 6, return_sequences = TRUE)) |>
#'   layer_dense(1, activation = "sigmoid")
#' model |> compile(optimizer_adam(0.03), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, y, epochs = 10, verbose = 0)
#' @export
bidirectional <- function(object, layer, merge_mode = "concat", weights = NULL, backward_layer = NULL, ...) {
  forward <- two_way_layer(layer)
  if (!is.null(merge_mode)) merge_mode <- as.character(check_choice(merge_mode, c("concat", "sum", "mul", "ave")))
  named <- function(side) sub(paste0("^(", side, "_)?"), paste0(side, "_"), forward$name)
  backwards <- !forward$config$go_backwards
  if (is.null(backward_layer)) {
    backward_layer <- layer_like(layer, named("backward"), list(go_backwards = backwards))
  } else {
    backward <- two_way_layer(backward_layer)
    for (name in c("return_sequences", "return_state", "stateful")) {
      if (!identical(backward$config[[name]], forward$config[[name]]))
        abort("`layer` and `backward_layer` must agree on `", name, "`")
    }
    if (backward$config$go_backwards != backwards)
      abort("`backward_layer` must have `go_backwards = ", backwards, "`, as `layer` has ", !backwards)
  }
  layer <- layer_like(layer, named("forward"))
  own <- list(...)
  shapes <- forward$options[setdiff(intersect(names(forward$options), c("input_shape", "batch_input_shape",
    "batch_size")), names(own))]
  do.call(new_layer, c(list("bidirectional"), if (!missing(object)) list(object = object), list(
    config = list(layer = layer, merge_mode = merge_mode, backward_layer = backward_layer), weights = weights,
    fields = list(forward_layer = layer, backward_layer = backward_layer), fun = calling_function()
  ), shapes, own))
}

#' @rdname bidirectional
#' @export
layer_bidirectional <- bidirectional

#' A recurrent layer, which can go both ways.
#' @noRd
two_way_layer <- function(layer, arg = deparse(substitute(layer)), fun = calling_function()) {
  check_given(missing(layer), arg, fun)
  if (!is_layer(layer) || is.null(layer_self(layer)$config$go_backwards)) {
    abort("`", arg, "` must be a recurrent layer, such as `layer_lstm(units = 32)`, not ", describe(layer), fun = fun)
  }
  layer_self(layer)
}

bidirectional_type <- list(
  class_name = "Bidirectional",
  build = function(self, shape) for (layer in self$fields) build_layer(layer_self(layer), shape),
  call = function(self, x, training, mask, initial_state = NULL) {
    config <- layer_self(self$config$layer)$config
    halves <- list(NULL, NULL)
    if (!is.null(initial_state)) {
      n <- length(initial_state)
      if (!is_branch(initial_state) || n %% 2) abort("`initial_state` must be a list of the states of the forward ",
        "layer, then of the backward layer, not ", describe(initial_state), fun = self$name)
      halves <- list(initial_state[seq_len(n / 2)], initial_state[n / 2 + seq_len(n / 2)])
    }
    both <- Map(function(layer, state) {
      y <- do.call(call_layer, c(list(layer_self(layer), x), if (!is.null(state)) list(initial_state = state),
        list(training = training, mask = mask)))
      if (is_branch(y)) y else list(y)
    }, unname(self$fields), halves)
    y <- lapply(both, `[[`, 1)
    if (config$return_sequences) y[[2]] <- op_reverse(y[[2]], 2)
    # as in Keras: nothing, rather than the output before, where one way has already ended
    if (config$return_sequences && !is.null(mask)) {
      real <- if (config$go_backwards) op_reverse(mask, 2) else mask # outputs come in the order of `layer`
      y <- lapply(y, function(t) op_where(op_reshape(real, c(-1, shape_of(t)[2], rep(1, rank_of(t) - 2))), t, 0))
    }
    merged <- if (is.null(self$config$merge_mode)) y else list(switch(self$config$merge_mode, concat = op_concat(y, -1),
      sum = op_add(y[[1]], y[[2]]), mul = op_multiply(y[[1]], y[[2]]), ave = op_multiply(op_add(y[[1]], y[[2]]), 0.5)))
    result <- c(merged, both[[1]][-1], both[[2]][-1])
    if (length(result) == 1) result[[1]] else result
  },
  mask = function(self, x, mask) {
    if (layer_self(self$config$layer)$config$return_sequences)
      rep(list(mask), if (is.null(self$config$merge_mode)) 2 else 1) # states have none
  }
)

#' Time distributed layer
#'
#' Calls a layer on each timestep of a sequence, always with the same weights:
#' \deqn{y_t = f(x_t)}{y[t] = f(x[t])}
#'
#' Shapes: input (batch, timesteps, ...), where (batch, ...) is what the layer takes; output (batch, timesteps, ...)
#' with what it gives. Weights: those of the layer. [layer_dense()] works on each timestep as it is.
#'
#' `layer_time_distributed()` is another name of the same.
#'
#' @inheritParams layer_activation
#' @param layer any layer, or a model.
#' @inherit layer_activation return
#' @section Masks: The mask of the timesteps goes on. A mask of further axes, or one that the layer makes of each
#'   timestep, is the layer's.
#' @section Errors: `nativenet_error_shape` for an input of fewer than three axes.
#' @seealso [layer_dense()], [bidirectional()]
#' @examples
#' # documents of sentences of words: a vector for each sentence, then one for the document
#' x <- array(sample(0:9, 100 * 3 * 4, TRUE), c(100, 3, 4))
#' y <- apply(x == 9, 1, any) * 1 # does the word 9 occur?
#' input <- layer_input(shape = c(3, 4), dtype = "int32")
#' output <- input |>
#'   time_distributed(layer_embedding(input_dim = 10, output_dim = 4, mask_zero = TRUE)) |>
#'   time_distributed(layer_gru(units = 4)) |>
#'   layer_gru(4) |> layer_dense(1, activation = "sigmoid")
#' model <- keras_model(input, output)
#' model |> compile(optimizer_adam(0.03), "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, y, epochs = 15, verbose = 0)
#' @export
time_distributed <- function(object, layer, ...) {
  check_given(missing(layer), "layer")
  if (!is_layer(layer)) abort("`layer` must be a layer or a model, not ", describe(layer))
  new_layer("time_distributed", object, list(layer = layer), ..., fields = list(layer = layer))
}

#' @rdname time_distributed
#' @export
layer_time_distributed <- time_distributed

time_distributed_type <- list(
  class_name = "TimeDistributed",
  build = function(self, shape) {
    if (length(shape) < 3) abort("needs an input of shape (batch, timesteps, ...), not ", format_keras_shape(shape),
      class = "shape", fun = self$name)
    build_layer(layer_self(self$config$layer), c(NA, shape[-(1:2)]))
  },
  call = function(self, x, training, mask) {
    shape <- shape_of(x)
    if (length(shape) < 3) abort("needs an input of shape (batch, timesteps, ...), not ", input_shape_text(x),
      class = "shape", fun = self$name)
    check_timesteps(self, x)
    flat <- function(t) op_reshape(t, c(-1, shape_of(t)[-(1:2)]))
    back <- function(t) op_reshape(t, c(-1, shape[2], shape_of(t)[-1]))
    within <- if (!is.null(mask) && rank_of(mask) > 2) flat(mask)
    inner <- layer_self(self$config$layer)
    y <- call_layer(inner, as_inputs(inner, flat(x)), training = training, mask = within)
    if (!is.null(within)) mask <- op_any(mask, axis = seq_len(rank_of(mask))[-(1:2)])
    fill_leaves(y, lapply(tensor_leaves(y), function(t) {
      own <- attr(t, "mask")
      with_note(back(t), "mask", if (is.null(own)) mask else back(own))
    }))
  },
  mask = "own"
)
