# Layers for sequences: embedding, masking, recurrent layers.

#' Embeddings of whole numbers
#'
#' Looks up rows of a table: tokens (rows, steps) become (rows, steps, output_dim). With `mask_zero`, the token 0 is
#' padding: layers that know masks leave these steps out, and row 0 of the table is never changed by training if only
#' such layers read it.
#'
#' @inheritParams layer_activation
#' @param input_dim the number of tokens: these are 0 to `input_dim - 1`.
#' @param output_dim the length of the vectors.
#' @param embeddings_initializer,embeddings_regularizer,embeddings_constraint,activity_regularizer see [layer_dense()].
#' @param mask_zero is 0 padding?
#' @param input_length the number of steps, if it is always the same.
#' @param ... options of layers, see [layer_dense()].
#' @return As [layer_dense()]. Weights: the table (input_dim, output_dim).
#' @section Errors: `nativenet_error_index` for a token outside 0 .. input_dim - 1.
#' @examples
#' embed <- layer_embedding(input_dim = 10, output_dim = 3)
#' dim(embed(matrix(c(1L, 2L, 3L, 4L), 2)))
#' @export
layer_embedding <- function(object, input_dim, output_dim, embeddings_initializer = "uniform",
  embeddings_regularizer = NULL,
                            activity_regularizer = NULL, embeddings_constraint = NULL, mask_zero = FALSE,
                            input_length = NULL, ...) {
  new_layer("embedding", object, list(
    input_dim = check_count(input_dim), output_dim = check_count(output_dim),
    embeddings_initializer = layer_part("initializer", embeddings_initializer),
    embeddings_regularizer = layer_part("regularizer", embeddings_regularizer),
    activity_regularizer = layer_part("regularizer", activity_regularizer),
    embeddings_constraint = layer_part("constraint", embeddings_constraint),
    mask_zero = check_flag(mask_zero), input_length = if (!is.null(input_length)) check_count(input_length)
  ), ...)
}

embedding_type <- list(
  class_name = "Embedding",
  input_dtype = "int32",
  input_shape = function(self) if (is.null(self$config$input_length)) NA else self$config$input_length,
  build = function(self, shape) {
    config <- self$config
    add_weight(self, "embeddings", c(config$input_dim, config$output_dim), config$embeddings_initializer,
      config$embeddings_regularizer, config$embeddings_constraint)
  },
  call = function(self, x) {
    ids <- op_cast(x, "int32")
    table <- self$weights[[1]]
    # a recurrent layer that comes next projects each token of a batch once
    with_note(op_gather(table, ids), "lookup", list(table = table, ids = ids))
  },
  mask = function(self, x, mask) if (self$config$mask_zero) op_not_equal(x, 0L)
)

#' Leave steps out
#'
#' A step is masked where all its features equal `mask_value`. Recurrent layers hold their state there.
#'
#' @inheritParams layer_activation
#' @param mask_value a number.
#' @param ... options of layers, see [layer_dense()].
#' @return As [layer_dense()]: the input, 0 in masked steps. No weights.
#' @examples
#' dim(layer_masking(array(0, c(1, 3, 2))))
#' @export
layer_masking <- function(object, mask_value = 0, ...)
  new_layer("masking", object, list(mask_value = check_number(mask_value)), ...)

masking_type <- list(
  class_name = "Masking",
  call = function(self, x) op_multiply(x, op_cast(real_steps(self, x, keepdims = TRUE), tensor_dtype(x))),
  mask = function(self, x, mask) real_steps(self, x, keepdims = FALSE)
)

real_steps <- function(self, x, keepdims) op_any(op_not_equal(x, self$config$mask_value), axis = -1,
  keepdims = keepdims)

#' Recurrent layers
#'
#' Whole sequences (rows, steps, features) run in the engine. Steps that a mask leaves out cost nothing: state and
#' output are held over them, and outputs before the first real step are 0.
#'
#' | layer | step, with row vectors x (input), h (output before), o elementwise product, s recurrent activation, a activation |
#' |---|---|
#' | LSTM | `i = s(x Wi + h Ui + bi)`, `f`, `o` likewise, `g = a(x Wc + h Uc + bc)`; `c = f o c + i o g`; `h = o o a(c)`. Order in the weights: i, f, c, o |
#' | GRU | `z = s(x Wz + h Uz + bz)`, `r` likewise, `g = a(x Wh + bh + r o (h Uh + ch))` (`reset_after`), or `a(x Wh + (r o h) Uh + bh)`; `h = z o h + (1 - z) o g`. Order: z, r, h |
#' | simple RNN | `h = a(x W + h U + b)` |
#'
#' @inheritParams layer_dense
#' @param units the size of the output and of the state.
#' @param recurrent_activation of the gates: `"sigmoid"`; `"hard_sigmoid"` was R keras' default before 2.7.
#' @param return_sequences the output of each step, not only of the last?
#' @param return_state also the state after the last step? The result is then a list: output, h and, of an LSTM, c.
#' @param go_backwards read the sequence from its end? Sequences returned are in that order.
#' @param stateful,time_major,unroll accepted for Keras' sake: only `FALSE` (`unroll` makes no difference).
#' @param recurrent_initializer,recurrent_regularizer,recurrent_constraint of the recurrent kernel.
#' @param unit_forget_bias start the forget gate's bias at 1?
#' @param dropout,recurrent_dropout in training, the share of inputs and of previous outputs set to 0; the same ones in
#'   each step.
#' @param reset_after which form of GRU, see above.
#' @param ... options of layers, see [layer_dense()].
#' @return As [layer_dense()]. Weights: kernel (features, gates units), recurrent kernel (units, gates units), bias
#'   (gates units; of a GRU with `reset_after` (2, gates units): for the input, for the state).
#' @references Hochreiter & Schmidhuber (1997), <https://doi.org/10.1162/neco.1997.9.8.1735>. Gers et al. (2000), forget
#'   gates, <https://doi.org/10.1162/089976600300015015>. Cho et al. (2014), GRU, <https://arxiv.org/abs/1406.1078>.
#' @seealso [layer_embedding()], [layer_masking()], [op_lstm()]; [pad_sequences()] makes sequences equally long;
#'   `vignette("models")` and `vignette("lab-sentiment")`.
#' @examples
#' x <- array(rnorm(24), c(2, 4, 3))
#' dim(layer_lstm(x, units = 5))
#' dim(layer_gru(x, units = 5, return_sequences = TRUE))
#' @export
layer_lstm <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  return_sequences = FALSE,
                       return_state = FALSE, go_backwards = FALSE, stateful = FALSE, time_major = FALSE, unroll = FALSE,
                       kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                       bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL,
                       recurrent_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                       kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0,
                       recurrent_dropout = 0, ...) {
  recurrent_layer("lstm", object, environment(), c("recurrent_activation", "unit_forget_bias"), ...)
}

#' @rdname layer_lstm
#' @export
layer_gru <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  return_sequences = FALSE,
                      return_state = FALSE, go_backwards = FALSE, stateful = FALSE, time_major = FALSE, unroll = FALSE,
                      reset_after = TRUE, kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                      bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                      bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                      recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0, ...) {
  recurrent_layer("gru", object, environment(), c("recurrent_activation", "reset_after"), ...)
}

#' @rdname layer_lstm
#' @export
layer_simple_rnn <- function(object, units, activation = "tanh", use_bias = TRUE, return_sequences = FALSE,
  return_state = FALSE,
                             go_backwards = FALSE, stateful = FALSE, time_major = FALSE, unroll = FALSE,
                             kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                             bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                             bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                             recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0,
                             recurrent_dropout = 0, ...) {
  recurrent_layer("simple_rnn", object, environment(), character(), ...)
}

#' @param args the constructor's arguments; `own` names those that not all of them have.
#' @noRd
recurrent_layer <- function(kind, object, args, own, ...) {
  fun <- paste0("layer_", kind)
  get_arg <- function(name) get(name, envir = args)
  check_given(evalq(missing(units), args), "units", fun)
  check_flag(get_arg("unroll"), arg = "unroll", fun = fun)
  for (name in c("stateful", "time_major")) if (check_flag(get_arg(name), arg = name, fun = fun))
    abort("`", name, "` must be FALSE", fun = fun)
  flag <- function(name) check_flag(get_arg(name), arg = name, fun = fun)
  share <- function(name) check_number(get_arg(name), min = 0, below = 1, arg = name, fun = fun)
  part <- function(kind, name) layer_part(kind, get_arg(name), arg = name, fun = fun)
  config <- list(units = check_count(get_arg("units"), arg = "units", fun = fun))
  for (name in c("activation", intersect("recurrent_activation", own)))
    config[[name]] <- recurrent_activation(get_arg(name), name, fun)
  for (name in c("use_bias", "return_sequences", "return_state", "go_backwards",
    intersect(c("unit_forget_bias", "reset_after"), own))) {
    config[[name]] <- flag(name)
  }
  for (name in c("dropout", "recurrent_dropout")) config[[name]] <- share(name)
  for (of in c("kernel", "recurrent", "bias")) {
    config[[paste0(of, "_initializer")]] <- part("initializer", paste0(of, "_initializer"))
    config[[paste0(of, "_regularizer")]] <- part("regularizer", paste0(of, "_regularizer"))
    config[[paste0(of, "_constraint")]] <- part("constraint", paste0(of, "_constraint"))
  }
  config$activity_regularizer <- part("regularizer", "activity_regularizer")
  new_layer(kind, object, config, ..., fun = fun)
}

#' The engine's recurrent ops apply activations by name.
#' @noRd
recurrent_activation <- function(x, arg, fun) {
  activation <- if (is.null(x)) as_part("activation", "linear") else as_part("activation", x, arg = arg, fun = fun)
  # those with parameters only as they are by themselves
  known <- part_name(activation) %in% enums$cell_activation
  if (known && identical(part_config(activation), part_config(as_part("activation", part_name(activation)))))
    return(activation)
  abort("`", arg, "` must be one of ", paste0("\"", enums$cell_activation, "\"", collapse = ", "), ", not ",
    describe(x), fun = fun)
}

build_recurrent <- function(self, shape, gates) {
  config <- self$config
  if (length(shape) != 3) abort("needs an input of shape (rows, steps, features), not ", format_keras_shape(shape),
    if (length(shape) == 2)
    "; a recurrent layer before it gives steps with `return_sequences = TRUE`, and `array_reshape(x, c(nrow(x), ",
    "steps, features))` makes them", class = "shape", fun = self$name)
  units <- config$units
  add_weight(self, "kernel", c(features_of(self, shape), gates * units), config$kernel_initializer,
    config$kernel_regularizer, config$kernel_constraint)
  add_weight(self, "recurrent_kernel", c(units, gates * units), config$recurrent_initializer,
    config$recurrent_regularizer, config$recurrent_constraint)
  if (!config$use_bias) return()
  bias <- config$bias_initializer
  if (isTRUE(config$unit_forget_bias)) {
    own <- bias
    bias <- function(shape, dtype) {
      u <- units
      op_concat(list(own(u, dtype), tensor(array(1, u), dtype), own(2L * u, dtype)))
    }
  }
  add_weight(self, "bias", if (isTRUE(config$reset_after)) c(2, gates * units) else gates * units, bias,
    config$bias_regularizer, config$bias_constraint)
}

call_recurrent <- function(self, x, training, mask, op, ...) {
  config <- self$config
  if (rank_of(x) != 3) abort("needs an input of shape (rows, steps, features), not ", input_shape_text(x),
    class = "shape", fun = self$name)
  check_features(self, x, dim(self$weights[[1]])[1])
  drops <- training && config$dropout > 0
  lookup <- if (!drops) attr(x, "lookup")
  if (drops) x <- op_dropout(x, config$dropout, noise_shape = c(NA, 1, NA))
  state_mask <- NULL
  if (training && config$recurrent_dropout > 0) {
    ones <- op_add(op_reshape(row_ones(x), c(-1, 1)), tensor(numeric(config$units), self$dtype))
    state_mask <- op_dropout(ones, config$recurrent_dropout)
  }
  has_cell <- self$kind == "lstm"
  output <- if (config$return_state && has_cell) {
    if (config$return_sequences) "sequence_state" else "last_state"
  } else if (config$return_sequences) "sequence" else "last"
  result <- op(if (is.null(lookup)) x else lookup$ids, self$weights[[1]], self$weights[[2]], if (config$use_bias)
    self$weights[[3]], mask = mask, recurrent_mask = state_mask, activation = part_name(config$activation),
    output = output, go_backwards = config$go_backwards, table = lookup$table, ...)
  if (!config$return_state) return(result)
  steps <- shape_of(result)[2]
  step <- function(y, k) op_reshape(op_slice(y, c(1, k, 1), c(-1, 1, -1)), c(-1, config$units))
  if (!has_cell) return(if (config$return_sequences) list(result, step(result, steps)) else list(result, result))
  if (!config$return_sequences) return(list(step(result, 1), step(result, 1), step(result, 2)))
  list(op_slice(result, c(1, 1, 1), c(-1, steps - 1, -1)), step(result, steps - 1), step(result, steps))
}

recurrent_type <- function(class_name, gates, call) {
  force(gates)
  list(
    class_name = class_name,
    build = function(self, shape) build_recurrent(self, shape, gates),
    call = call,
    mask = function(self, x, mask) if (self$config$return_sequences) list(mask) # states have none
  )
}

lstm_type <- recurrent_type("LSTM", 4, function(self, x, training, mask) {
  call_recurrent(self, x, training, mask, op_lstm, recurrent_activation = part_name(self$config$recurrent_activation))
})

gru_type <- recurrent_type("GRU", 3, function(self, x, training, mask) {
  call_recurrent(self, x, training, mask, op_gru, recurrent_activation = part_name(self$config$recurrent_activation),
    reset_after = self$config$reset_after)
})

simple_rnn_type <- recurrent_type("SimpleRNN", 1, function(self, x, training, mask)
  call_recurrent(self, x, training, mask, op_simple_rnn))
