# Recurrent layers, each one op of the engine.

#' Recurrent ops
#'
#' A whole sequence through an LSTM, a GRU or a simple recurrent layer, with masks, in one op of the engine.
#' The sizes below are: B batch, T timesteps, I inputs, U units, V vocabulary. Gates stand in the order of Keras. With
#' `h`, `c` the state before a step (zeros at first), `f` the recurrent activation, `g` the activation and each gate's
#' part of the matrices:
#'
#' * LSTM, columns `i, f, c, o`: `i, f, o = f(x W + h R + b)`, `a = g(x W + h R + b)`, `c' = f c + i a`, `h' = o g(c')`;
#' * GRU, columns `z, r, h`: `z, r = f(x W + h R + b)`, `h' = z h + (1 - z) a`, with `a = g(x W + b1 + r (h R + b2))` if
#'   `reset_after` (rows 1 and 2 of the bias are for the input and the recurrent product, for `z` and `r` too), else
#'   `a = g(x W + (r h) R + b)`;
#' * simple: `h' = g(x W + h R + b)`.
#'
#' Where `mask` is `FALSE` the state and the output stay what they were; before the first valid timestep the output is
#' 0. Masked timesteps cost nothing and send no gradient. Sequences run from the last timestep to the first with
#' `go_backwards`, and those of the output are then in the order in which they were computed.
#'
#' With an embedding matrix `table`, `x` holds tokens, 0-based row indices of it: `op_lstm(ids, ..., table = e)` gives
#' what `op_lstm(op_gather(e, ids), ...)` does, up to rounding, but multiplies each row with the kernel once only,
#' however often it occurs among the valid timesteps. Tokens at masked timesteps may be anything.
#'
#' @param x (B, T, I) float; with a `table` tokens (B, T), whole numbers.
#' @param kernel (I, G), float; G is 4 U for the LSTM, 3 U for the GRU, U for the simple layer.
#' @param recurrent_kernel (U, G).
#' @param bias (G), for a GRU that resets after (2, G); or `NULL`.
#' @param mask (B, T), logical: which timesteps are valid? `NULL`: all.
#' @param recurrent_mask (B, U), or `NULL`: factors of `h` in the product with the recurrent kernel, the same at all
#'   steps (recurrent dropout, scaled already). They are constants: no gradient flows to them.
#' @param activation,recurrent_activation `"linear"`, `"tanh"`, `"sigmoid"`, `"hard_sigmoid"` (`x / 5 + 1 / 2` within 0
#'   .. 1), `"relu"`, `"elu"`, `"selu"`, `"softplus"`, `"softsign"` or `"exponential"`. The default pair is the fastest.
#' @param output `"last"`: the output at the last timestep, (B, U); `"sequence"`: at each one, (B, T, U). For the LSTM
#'   also `"last_state"`, (B, 2, U): the last output, then `c`; and `"sequence_state"`, (B, T + 1, U): the sequence,
#'   then `c` at its end.
#' @param go_backwards run from the last timestep to the first?
#' @param table an embedding matrix (V, I), float, or `NULL`.
#' @param reset_after apply the reset gate to the recurrent product, or to `h` before it?
#' @return A float tensor.
#' @section Errors: `nativenet_error_shape` and `nativenet_error_dtype`, naming the argument that does not fit the
#'   others; `nativenet_error_index` if the token of a valid timestep lies outside the embedding matrix.
#' @references Hochreiter & Schmidhuber (1997), <https://doi.org/10.1162/neco.1997.9.8.1735>. Gers et al. (2000), forget
#'   gate, <https://doi.org/10.1162/089976600300015015>. Cho et al. (2014), GRU, <https://arxiv.org/abs/1406.1078>. Gal
#'   & Ghahramani (2016), recurrent dropout, <https://arxiv.org/abs/1512.05287>.
#' @examples
#' x <- array(rnorm(2 * 3 * 4), c(2, 3, 4)) # two sequences of three steps
#' w <- matrix(rnorm(4 * 8), 4)
#' r <- matrix(rnorm(2 * 8), 2)
#' op_lstm(x, w, r, bias = c(0, 0, 1, 1, 0, 0, 0, 0), mask = rbind(c(FALSE, TRUE, TRUE), TRUE))
#' op_simple_rnn(x, diag(4), diag(4), output = "sequence")
#' @export
op_lstm <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL, activation = "tanh",
                    recurrent_activation = "sigmoid", output = "last", go_backwards = FALSE, table = NULL) {
  check_choice(output, enums$cell_output)
  recurrent_op("lstm", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, recurrent_activation,
    output, go_backwards, table)
}

#' @rdname op_lstm
#' @export
op_gru <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL, activation = "tanh",
                   recurrent_activation = "sigmoid", output = "last", go_backwards = FALSE, reset_after = TRUE,
                   table = NULL) {
  check_choice(output, enums$cell_output[1:2])
  check_flag(reset_after)
  recurrent_op("gru", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, recurrent_activation, output,
    go_backwards, table, reset_after)
}

#' @rdname op_lstm
#' @export
op_simple_rnn <- function(x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL,
  activation = "tanh",
                          output = "last", go_backwards = FALSE, table = NULL) {
  check_choice(output, enums$cell_output[1:2])
  recurrent_op("simple_rnn", x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation, "sigmoid", output,
    go_backwards, table)
}

#' Inputs that are there in the order of the flags, and the attributes, as in src/recurrent.h.
#' @noRd
recurrent_op <- function(name, x, kernel, recurrent_kernel, bias, mask, recurrent_mask, activation,
  recurrent_activation, output, go_backwards,
                         table, reset_after = FALSE, fun = calling_function()) {
  check_choice(activation, enums$cell_activation, fun = fun)
  check_choice(recurrent_activation, enums$cell_activation, fun = fun)
  check_flag(go_backwards, fun = fun)
  if (!is.null(table) && !is_tensor(x)) x <- tensor(x, "int32")
  if (!is.null(mask) && !is_tensor(mask)) mask <- tensor(mask, "bool")
  more <- list(bias, mask, recurrent_mask, table)
  given <- !vapply(more, is.null, NA)
  apply_op(name, c(list(x, kernel, recurrent_kernel), more[given]), ints = c(
    enum_code("cell_output", output), go_backwards, enum_code("cell_activation", activation),
    enum_code("cell_activation", recurrent_activation), given, reset_after
  ))
}
