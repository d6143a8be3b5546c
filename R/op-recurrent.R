# Recurrent layers, each one op of the engine.

#' LSTM op
#'
#' A whole sequence through an LSTM, with masks, in one op of the engine. The formulas are those of [layer_lstm()]; the
#' gates stand in the order i, f, c, o.
#'
#' Where `mask` is `FALSE`, state and output stay what they were; before the first valid timestep the output is 0.
#' Masked timesteps cost nothing and send no gradient. Sequences run from the last timestep to the first with
#' `go_backwards`, and those of the output are then in the order in which they were computed.
#'
#' With an embedding matrix `table`, `x` holds tokens, 0-based row indices of it: `op_lstm(ids, ..., table = e)` gives
#' what `op_lstm(op_gather(e, ids), ...)` does, up to rounding, but multiplies each row with the kernel once only,
#' however often it occurs among the valid timesteps. Tokens at masked timesteps may be anything.
#'
#' The sizes below are: B batch, T timesteps, I inputs, U units, V vocabulary; G is 4 U for the LSTM, 3 U for the GRU, U
#' for the simple recurrent op.
#'
#' @param x (B, T, I), float; with a `table` tokens (B, T), whole numbers.
#' @param kernel (I, G), float.
#' @param recurrent_kernel (U, G).
#' @param bias (G), or `NULL`; for a GRU with `reset_after` (2, G).
#' @param mask (B, T), logical: which timesteps are valid? `NULL`: all.
#' @param recurrent_mask (B, U), or `NULL`: factors of the output in the product with the recurrent kernel, the same at
#'   all timesteps (recurrent dropout, scaled already). They are constants: no gradient flows to them.
#' @param activation,recurrent_activation `"linear"`, `"tanh"`, `"sigmoid"`, `"hard_sigmoid"`, `"relu"`, `"elu"`,
#'   `"selu"`, `"softplus"`, `"softsign"` or `"exponential"`. The default pair is the fastest.
#' @param output `"last"`: the output at the last timestep, (B, U); `"sequence"`: at each one, (B, T, U).
#' @param go_backwards run from the last timestep to the first?
#' @param table an embedding matrix (V, I), float, or `NULL`.
#' @param initial_state the state before the first timestep: for the LSTM `list(h, c)`, else h, each (B, U); `NULL`: 0.
#' @param return_state give the state at the end, too?
#' @return A float tensor, or with `return_state` a list: the output, h and, of the LSTM, c, each (B, U). A sequence
#'   without a valid timestep ends in the state that it began with.
#' @section Errors: `nativenet_error_shape` and `nativenet_error_dtype`, naming the argument that does not fit the
#'   others; `nativenet_error_index` if the token of a valid timestep lies outside the embedding matrix.
#' @references Hochreiter & Schmidhuber (1997), \doi{10.1162/neco.1997.9.8.1735}. Gers et al. (2000), forget
#'   gate, \doi{10.1162/089976600300015015}. Gal & Ghahramani (2016), recurrent dropout,
#'   <https://arxiv.org/abs/1512.05287>.
#' @seealso [layer_lstm()], [op_gru()], [op_simple_rnn()]
#' @examples
#' x <- array(rnorm(2 * 3 * 4), c(2, 3, 4)) # two sequences of three timesteps
#' w <- matrix(rnorm(4 * 8), 4)
#' r <- matrix(rnorm(2 * 8), 2)
#' op_lstm(x, w, r, bias = c(0, 0, 1, 1, 0, 0, 0, 0), mask = rbind(c(FALSE, TRUE, TRUE), TRUE))
#' @export
op_lstm <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL, activation = "tanh",
                    recurrent_activation = "sigmoid", output = "last", go_backwards = FALSE, table = NULL,
  initial_state = NULL, return_state = FALSE) {
  recurrent_op("lstm", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, recurrent_activation,
    output, go_backwards, table, initial_state, return_state)
}

#' GRU op
#'
#' A whole sequence through a GRU, with masks, in one op of the engine. The formulas are those of [layer_gru()]; the
#' gates stand in the order z, r, h. Masks and `table` work as in [op_lstm()].
#'
#' @inheritParams op_lstm
#' @param reset_after apply the reset gate to the recurrent product, or to the output before it? With it, rows 1 and 2
#'   of the bias are for the input and for the recurrent product.
#' @inherit op_lstm return sections
#' @references Cho et al. (2014), <https://arxiv.org/abs/1406.1078>.
#' @seealso [layer_gru()], [op_lstm()]
#' @examples
#' x <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
#' op_gru(x, matrix(rnorm(4 * 6), 4), matrix(rnorm(2 * 6), 2))
#' @export
op_gru <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL, activation = "tanh",
                   recurrent_activation = "sigmoid", output = "last", go_backwards = FALSE, reset_after = TRUE,
  table = NULL, initial_state = NULL, return_state = FALSE) {
  check_flag(reset_after)
  recurrent_op("gru", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, recurrent_activation, output,
    go_backwards, table, initial_state, return_state, reset_after)
}

#' Simple recurrent op
#'
#' A whole sequence through a simple recurrent layer, with masks, in one op of the engine. The formula is that of
#' [layer_simple_rnn()]. Masks and `table` work as in [op_lstm()].
#'
#' @inheritParams op_gru
#' @param bias (U), or `NULL`.
#' @param activation as for [op_lstm()].
#' @inherit op_lstm return sections
#' @references Elman (1990), \doi{10.1207/s15516709cog1402_1}.
#' @seealso [layer_simple_rnn()], [op_lstm()]
#' @examples
#' x <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
#' op_simple_rnn(x, diag(4), diag(4), output = "sequence")
#' @export
op_simple_rnn <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL,
  activation = "tanh", output = "last", go_backwards = FALSE, table = NULL, initial_state = NULL,
  return_state = FALSE) {
  recurrent_op("simple_rnn", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, "sigmoid", output,
    go_backwards, table, initial_state, return_state)
}

#' Inputs that are there in the order of the flags, and the attributes, as in src/ops/recurrent.h.
#' @noRd
recurrent_op <- function(name, x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation,
  recurrent_activation, output, go_backwards, table, initial_state, return_state, reset_after = FALSE,
  fun = calling_function()) {
  check_choice(output, enums$cell_output, fun = fun)
  check_choice(activation, enums$cell_activation, fun = fun)
  check_choice(recurrent_activation, enums$cell_activation, fun = fun)
  check_flag(go_backwards, fun = fun)
  check_flag(return_state, fun = fun)
  if (!is.null(table) && !is_tensor(x)) x <- tensor(x, "int32")
  if (!is.null(mask) && !is_tensor(mask)) mask <- tensor(mask, "bool")
  first <- cell_states(initial_state, if (name == "lstm") c("h", "c") else "h", "initial_state", fun)
  more <- list(bias, mask, recurrent_mask, table, first$h, first$c)
  given <- !vapply(more, is.null, NA)
  result <- apply_op(name, c(list(x, kernel, recurrent_kernel), more[given]), ints = c(
    enum_code("cell_output", output), go_backwards, enum_code("cell_activation", activation),
    enum_code("cell_activation", recurrent_activation), given, reset_after
  ))
  if (return_state) result else result[[1]]
}

#' States by name, or NULL for none: one tensor for one, a list for several.
#' @noRd
cell_states <- function(x, names, arg, fun) {
  if (is.null(x)) return()
  if (!is_branch(x)) x <- list(x)
  if (length(x) != length(names) || holds_null(x)) {
    abort("`", arg, "` must be ", if (length(names) == 1) "one tensor" else paste("a list of", length(names),
      "tensors"), ", not ", if (length(x) == 1) describe(x[[1]]) else describe(x), fun = fun)
  }
  stats::setNames(x, names)
}
