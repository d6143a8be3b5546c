# Layers for sequences: embedding, masking, recurrent layers.

#' Embedding layer
#'
#' Turns tokens into vectors: the output for the token t is row t of the embedding matrix E, which is learned:
#' \deqn{y = E_t}{y = E[t, ]}
#'
#' Shapes: input (batch, timesteps), whole numbers; output (batch, timesteps, output_dim). Weights: the embedding matrix
#' (input_dim, output_dim).
#'
#' With `mask_zero` the token 0 is padding: layers that support masks skip these timesteps, and row 0 of the embedding
#' matrix is not changed by training if only such layers read it.
#'
#' @inheritParams layer_activation
#' @param input_dim the size of the vocabulary: tokens are 0 to `input_dim - 1`.
#' @param output_dim the size of the vectors.
#' @param embeddings_initializer,embeddings_regularizer,embeddings_constraint of the embedding matrix, see
#'   [initializers], [regularizers] and [constraints].
#' @param activity_regularizer of the output, see [layer_dense()].
#' @param mask_zero is 0 padding?
#' @param input_length the number of timesteps, if it is always the same.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_index` for a token outside 0 .. input_dim - 1.
#' @references Bengio et al. (2003), A neural probabilistic language model,
#'   <https://www.jmlr.org/papers/v3/bengio03a.html>.
#' @seealso [pad_sequences()], [layer_lstm()], [op_gather()]; [plot_embedding()].
#' @examples
#' embed <- layer_embedding(input_dim = 10, output_dim = 3)
#' dim(embed(matrix(c(1L, 2L, 3L, 4L), 2))) # 2 2 3
#' @export
layer_embedding <- function(object, input_dim, output_dim, embeddings_initializer = "uniform",
  embeddings_regularizer = NULL, activity_regularizer = NULL, embeddings_constraint = NULL, mask_zero = FALSE,
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
    op_gather(self$weights[[1]], op_cast(x, "int32"))
  },
  mask = function(self, x, mask) if (self$config$mask_zero) op_not_equal(x, 0L)
)

#' Masking layer
#'
#' Masks the timesteps of a sequence whose features all equal `mask_value`. Layers that support masks skip them:
#' recurrent layers keep their state there. The output is the input, with 0 in masked timesteps.
#'
#' Shapes: input and output (batch, timesteps, features). No weights.
#'
#' @inheritParams layer_activation
#' @param mask_value a number.
#' @inherit layer_activation return
#' @seealso [layer_embedding()], whose `mask_zero` masks tokens; [layer_lstm()]
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

#' LSTM layer
#'
#' Long short-term memory. At each timestep, with the input x, the output h and the cell state c of the timestep before,
#' the recurrent activation \eqn{\sigma}{s}, the activation a and the elementwise product \eqn{\odot}{*}:
#' \deqn{i = \sigma(x W_i + h U_i + b_i), \quad f = \sigma(x W_f + h U_f + b_f), \quad o = \sigma(x W_o + h U_o + b_o)}{
#' i = s(x Wi + h Ui + bi), f = s(x Wf + h Uf + bf), o = s(x Wo + h Uo + bo)}
#' \deqn{g = a(x W_c + h U_c + b_c), \quad c \leftarrow f \odot c + i \odot g, \quad h \leftarrow o \odot a(c)}{
#' g = a(x Wc + h Uc + bc), c = f * c + i * g, h = o * a(c)}
#' The gates i, f and o say what enters the cell state, what stays and what is put out, so that gradients reach far
#' back.
#'
#' Shapes: input (batch, timesteps, features); output (batch, units), or with `return_sequences` (batch, timesteps,
#' units). Weights: kernel (features, 4 units), recurrent kernel (units, 4 units), bias (4 units),
#' in the order i, f, c, o.
#'
#' Masked timesteps are skipped: state and output are kept over them, and outputs before the first valid timestep are 0.
#' Whole sequences run in the engine.
#'
#' A layer that is called with `initial_state = list(h, c)` begins with these states, each (batch, units), such as
#' another layer gives with `return_state`. `layer_cudnn_lstm()` is another name.
#'
#' @inheritParams layer_dense
#' @param units the size of the output and of the state.
#' @param recurrent_activation of the gates: `"sigmoid"`; `"hard_sigmoid"` was the default of R's keras before 2.7.
#' @param return_sequences return the output of each timestep, not only of the last one?
#' @param return_state return the last state, too? The result is then a list: output, h and, of an LSTM, c.
#' @param go_backwards process the sequence from its end? Sequences returned are in that order.
#' @param stateful begin each batch with the states where the one before it ended? See [reset_states()]. The layer
#'   needs to know the batch size: `batch_input_shape` of the first layer, or `batch_shape` of [layer_input()].
#' @param time_major must be `FALSE`.
#' @param unroll ignored; present for compatibility with Keras.
#' @param recurrent_initializer,recurrent_regularizer,recurrent_constraint of the recurrent kernel.
#' @param unit_forget_bias initialize the bias of the forget gate with 1?
#' @param dropout,recurrent_dropout in training, the fraction of inputs and of previous outputs to drop; the same ones
#'   at each timestep.
#' @inherit layer_dense return
#' @section Errors: `nativenet_error_shape` for an input that has not three axes, or other features than the layer was
#'   built for.
#' @references Hochreiter & Schmidhuber (1997), \doi{10.1162/neco.1997.9.8.1735}. Gers et al. (2000), forget
#'   gates, \doi{10.1162/089976600300015015}. Gal & Ghahramani (2016), recurrent dropout,
#'   <https://arxiv.org/abs/1512.05287>.
#' @seealso [layer_gru()], [layer_simple_rnn()], [layer_embedding()], [layer_masking()], [op_lstm()]; [pad_sequences()]
#'   pads sequences to the same length; `vignette("models")` and `vignette("lab-sentiment")`.
#' @examples
#' x <- array(rnorm(24), c(2, 4, 3))
#' dim(layer_lstm(x, units = 5)) # 2 5
#' dim(layer_lstm(x, units = 5, return_sequences = TRUE)) # 2 4 5
#'
#' # an encoder reads a sequence, and a decoder begins where it ended: sequences the other way round
#' x <- array(rnorm(200 * 4), c(200, 4, 1))
#' read <- layer_input(shape = c(4, 1))
#' encoded <- layer_lstm(units = 12, return_state = TRUE)(read)
#' told <- layer_input(shape = c(4, 1)) # what was to be written a step before
#' written <- layer_lstm(units = 12, return_sequences = TRUE)(told, initial_state = encoded[2:3])
#' model <- keras_model(list(read, told), layer_dense(written, 1))
#' model |> compile(optimizer_adam(0.02), "mse")
#' y <- x[, 4:1, , drop = FALSE]
#' before <- array(cbind(0, y[, -4, 1]), dim(y))
#' model |> fit(list(x, before), y, epochs = 10, verbose = 0)
#' @export
layer_lstm <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE, time_major = FALSE,
  unroll = FALSE, kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
  bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
  bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
  bias_constraint = NULL, dropout = 0, recurrent_dropout = 0, ...) {
  recurrent_layer("lstm", object, environment(), ...)
}

#' @rdname layer_lstm
#' @export
layer_cudnn_lstm <- function(object, units, ...) layer_lstm(object, units, ...)

#' GRU layer
#'
#' Gated recurrent unit. At each timestep, with the input x, the output h of the timestep before, the recurrent
#' activation \eqn{\sigma}{s}, the activation a and the elementwise product \eqn{\odot}{*}:
#' \deqn{z = \sigma(x W_z + h U_z + b_z), \quad r = \sigma(x W_r + h U_r + b_r)}{
#' z = s(x Wz + h Uz + bz), r = s(x Wr + h Ur + br)}
#' \deqn{g = a(x W_h + b_h + r \odot (h U_h + c_h)), \quad h \leftarrow z \odot h + (1 - z) \odot g}{
#' g = a(x Wh + bh + r * (h Uh + ch)), h = z * h + (1 - z) * g}
#' With `reset_after = FALSE`, the form of the first article,
#' \eqn{g = a(x W_h + (r \odot h) U_h + b_h)}{g = a(x Wh + (r * h) Uh + bh)}. A GRU has fewer weights than an LSTM.
#'
#' Shapes: input (batch, timesteps, features); output (batch, units), or with `return_sequences` (batch, timesteps,
#' units). Weights: kernel (features, 3 units), recurrent kernel (units, 3 units), bias (3 units) in
#' the order z, r, h; with `reset_after` the bias has the shape (2, 3 units), for the input and for the state.
#'
#' @inheritParams layer_lstm
#' @param reset_after apply the reset gate after the matrix product? This is the default of Keras 2.
#' @inherit layer_lstm return sections
#' @references Cho et al. (2014), <https://arxiv.org/abs/1406.1078>.
#' @seealso [layer_lstm()], [op_gru()]
#' @examples
#' x <- array(rnorm(24), c(2, 4, 3))
#' dim(layer_gru(x, units = 5)) # 2 5
#' @export
layer_gru <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
  return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE, unroll = FALSE,
  time_major = FALSE, reset_after = TRUE, kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
  bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
  activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL,
  dropout = 0, recurrent_dropout = 0, ...) {
  recurrent_layer("gru", object, environment(), ...)
}

#' @rdname layer_gru
#' @export
layer_cudnn_gru <- function(object, units, ...) layer_gru(object, units, ...)

#' Simple recurrent layer
#'
#' A fully connected recurrent network. At each timestep, with the input x, the output h of the timestep before and the
#' activation a:
#' \deqn{h \leftarrow a(x W + h U + b)}{h = a(x W + h U + b)}
#' Gradients vanish over long sequences; see [layer_lstm()] and [layer_gru()].
#'
#' Shapes: input (batch, timesteps, features); output (batch, units), or with `return_sequences` (batch, timesteps,
#' units). Weights: kernel (features, units), recurrent kernel (units, units), bias (units).
#'
#' @inheritParams layer_lstm
#' @inherit layer_lstm return sections
#' @references Elman (1990), Finding structure in time, \doi{10.1207/s15516709cog1402_1}.
#' @seealso [layer_lstm()], [op_simple_rnn()]
#' @examples
#' x <- array(rnorm(24), c(2, 4, 3))
#' dim(layer_simple_rnn(x, units = 5)) # 2 5
#' @export
layer_simple_rnn <- function(object, units, activation = "tanh", use_bias = TRUE, return_sequences = FALSE,
  return_state = FALSE, go_backwards = FALSE, stateful = FALSE, unroll = FALSE,
  kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal", bias_initializer = "zeros",
  kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
  time_major = FALSE, ...) {
  recurrent_layer("simple_rnn", object, environment(), ...)
}

#' A recurrent layer, or one's cell.
#' @param args the constructor's arguments; not all constructors have all.
#' @noRd
recurrent_layer <- function(kind, object, args, ...) {
  fun <- paste0("layer_", kind)
  get_arg <- function(name) get(name, envir = args)
  those_of <- function(...) Filter(function(name) exists(name, args, inherits = FALSE), c(...))
  check_given(evalq(missing(units), args), "units", fun)
  for (name in those_of("unroll", "time_major")) check_flag(get_arg(name), arg = name, fun = fun)
  if (isTRUE(args$time_major)) abort("`time_major` must be FALSE", fun = fun)
  flag <- function(name) check_flag(get_arg(name), arg = name, fun = fun)
  share <- function(name) check_number(get_arg(name), min = 0, below = 1, arg = name, fun = fun)
  part <- function(kind, name) layer_part(kind, get_arg(name), arg = name, fun = fun)
  config <- list(units = check_count(get_arg("units"), arg = "units", fun = fun))
  for (name in those_of("activation", "recurrent_activation"))
    config[[name]] <- recurrent_activation(get_arg(name), name, fun)
  for (name in those_of("use_bias", "return_sequences", "return_state", "go_backwards", "stateful", "unit_forget_bias",
    "reset_after")) config[[name]] <- flag(name)
  for (name in c("dropout", "recurrent_dropout")) config[[name]] <- share(name)
  for (of in c("kernel", "recurrent", "bias")) {
    config[[paste0(of, "_initializer")]] <- part("initializer", paste0(of, "_initializer"))
    config[[paste0(of, "_regularizer")]] <- part("regularizer", paste0(of, "_regularizer"))
    config[[paste0(of, "_constraint")]] <- part("constraint", paste0(of, "_constraint"))
  }
  for (name in those_of("activity_regularizer")) config[[name]] <- part("regularizer", name)
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

build_recurrent <- function(self, shape, gates, states) {
  if (length(shape) != 3) abort("needs an input of shape (batch, timesteps, features), not ", format_keras_shape(shape),
    if (length(shape) == 2)
    "; a recurrent layer before it gives steps with `return_sequences = TRUE`, and `array_reshape(x, c(nrow(x), ",
    "timesteps, features))` makes them", class = "shape", fun = self$name)
  cell_weights(self, features_of(self, shape), gates)
  make_states(self, shape[1], rep(list(self$config$units), states))
}

cell_weights <- function(self, features, gates) {
  config <- self$config
  units <- config$units
  add_weight(self, "kernel", c(features, gates * units), config$kernel_initializer,
    config$kernel_regularizer, config$kernel_constraint)
  add_weight(self, "recurrent_kernel", c(units, gates * units), config$recurrent_initializer,
    config$recurrent_regularizer, config$recurrent_constraint)
  if (!config$use_bias) return()
  if (isTRUE(config$unit_forget_bias)) return(lstm_bias(self, units))
  add_weight(self, "bias", if (isTRUE(config$reset_after)) c(2, gates * units) else gates * units,
    config$bias_initializer, config$bias_regularizer, config$bias_constraint)
}

#' The bias of an LSTM: with `unit_forget_bias` that of the forget gate is 1.
#' @noRd
lstm_bias <- function(self, units) {
  config <- self$config
  own <- config$bias_initializer
  bias <- if (!config$unit_forget_bias) own else function(shape, dtype) {
    op_concat(list(own(units, dtype), tensor(array(1, units), dtype), own(2L * units, dtype)))
  }
  add_weight(self, "bias", 4 * units, bias, config$bias_regularizer, config$bias_constraint)
}

call_recurrent <- function(self, x, training, mask, initial_state, states, op, ...) {
  config <- self$config
  if (rank_of(x) != 3) abort("needs an input of shape (batch, timesteps, features), not ", input_shape_text(x),
    class = "shape", fun = self$name)
  check_features(self, x, dim(self$weights[[1]])[1])
  drops <- training && config$dropout > 0
  first <- first_states(self, x, initial_state, rep(list(config$units), states))
  if (drops) x <- op_dropout(x, config$dropout, noise_shape = c(NA, 1, NA))
  state_mask <- NULL
  if (training && config$recurrent_dropout > 0) {
    ones <- op_add(op_reshape(row_ones(x), c(-1, 1)), tensor(numeric(config$units), self$dtype))
    state_mask <- op_dropout(ones, config$recurrent_dropout)
  }
  result <- op(x, self$weights[[1]], self$weights[[2]], if (config$use_bias) self$weights[[3]], mask = mask,
    recurrent_mask = state_mask, activation = part_name(config$activation),
    output = if (config$return_sequences) "sequence" else "last", initial_state = first, return_state = TRUE,
    go_backwards = config$go_backwards, ...)
  keep_states(self, result[-1])
  if (config$return_state) result else result[[1]]
}

#' @param more the op's arguments that follow from those of the layer.
#' @noRd
recurrent_type <- function(class_name, op, gates, states, more) {
  force(op)
  force(gates)
  force(states)
  force(more)
  list(
    class_name = class_name,
    build = function(self, shape) build_recurrent(self, shape, gates, states),
    call = function(self, x, training, mask, initial_state = NULL) {
      do.call(call_recurrent, c(list(self, x, training, mask, initial_state, states, op), more(self$config)))
    },
    mask = function(self, x, mask) if (self$config$return_sequences) list(mask) # states have none
  )
}

lstm_type <- recurrent_type("LSTM", function(...) op_lstm(...), 4, 2, function(config)
  list(recurrent_activation = part_name(config$recurrent_activation)))

gru_type <- recurrent_type("GRU", function(...) op_gru(...), 3, 1, function(config)
  list(recurrent_activation = part_name(config$recurrent_activation), reset_after = config$reset_after))

simple_rnn_type <- recurrent_type("SimpleRNN", function(...) op_simple_rnn(...), 1, 1, function(config) list())
