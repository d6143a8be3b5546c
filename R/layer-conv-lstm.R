# LSTM layers whose products are convolutions: sequences of pictures. What comes in is convolved for all timesteps at
# once; then the recurrence goes step by step, by ops.

#' Convolutional LSTM layers
#'
#' [layer_lstm()] for sequences of pictures (or of series, or volumes): at each timestep the matrix products with the
#' input x and with the output h before it are convolutions, so that each cell of a picture remembers what was near it:
#' \deqn{i = \sigma(x * W_i + h * U_i + b_i), \quad f = \sigma(x * W_f + h * U_f + b_f), \quad
#' o = \sigma(x * W_o + h * U_o + b_o)}{
#' i = s(x * Wi + h * Ui + bi), f = s(x * Wf + h * Uf + bf), o = s(x * Wo + h * Uo + bo)}
#' \deqn{c \leftarrow f \odot c + i \odot a(x * W_c + h * U_c + b_c), \quad h \leftarrow o \odot a(c)}{
#' c = f c + i a(x * Wc + h * Uc + bc), h = o a(c)}
#'
#' Shapes: input (batch, timesteps, sizes..., channels); output (batch, sizes..., filters), or with `return_sequences`
#' (batch, timesteps, sizes..., filters); with `data_format = "channels_first"` the channels stand before the sizes.
#' Weights: kernel (kernel sizes..., channels, 4 filters), recurrent_kernel (kernel sizes..., filters, 4 filters), bias
#' (4 filters), in the order i, f, c, o. Strides, dilation and padding are those of the convolution of the input; that
#' of h keeps its size.
#'
#' @section Masks: Masked timesteps leave states as they are and repeat the output before them, which is 0 before the
#'   first valid timestep.
#'
#' @inheritParams layer_lstm
#' @inheritParams layer_conv_2d
#' @param recurrent_activation of the gates.
#' @param padding `"valid"` or `"same"`.
#' @inherit layer_conv_2d return sections
#' @references Shi et al. (2015), <https://arxiv.org/abs/1506.04214>.
#' @seealso [layer_lstm()], [layer_conv_2d()]; [time_distributed()] for pictures apart from each other
#' @examples
#' # a dot that moves to the right: where will it be?
#' set.seed(1)
#' row <- sample(6, 100, replace = TRUE)
#' films <- array(0, c(100, 4, 6, 6, 1))
#' for (t in 1:4) films[cbind(1:100, t, row, t, 1)] <- 1
#' model <- keras_model_sequential(input_shape = c(3, 6, 6, 1)) |>
#'   layer_conv_lstm_2d(filters = 4, kernel_size = 3, padding = "same") |>
#'   layer_conv_2d(1, kernel_size = 1)
#' compile(model, optimizer_adam(0.02), "mse")
#' fit(model, films[, 1:3, , , , drop = FALSE], films[, 4, , , ], epochs = 5, verbose = 0)
#' @export
layer_conv_lstm_2d <- function(object, filters, kernel_size, strides = c(1, 1), padding = "valid", data_format = NULL,
  dilation_rate = c(1, 1), activation = "tanh", recurrent_activation = "hard_sigmoid", use_bias = TRUE,
  kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal", bias_initializer = "zeros",
  unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
  activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL,
  return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE, dropout = 0,
  recurrent_dropout = 0, ...) {
  new_conv("conv_lstm_2d", object, ...)
}

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_1d <- function(object, filters, kernel_size, strides = 1, padding = "valid", data_format = NULL,
  dilation_rate = 1, activation = "tanh", recurrent_activation = "hard_sigmoid", use_bias = TRUE,
  kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal", bias_initializer = "zeros",
  unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
  activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL,
  return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE, dropout = 0,
  recurrent_dropout = 0, ...) {
  new_conv("conv_lstm_1d", object, ...)
}

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_3d <- function(object, filters, kernel_size, strides = c(1, 1, 1), padding = "valid",
  data_format = NULL, dilation_rate = c(1, 1, 1), activation = "tanh", recurrent_activation = "hard_sigmoid",
  use_bias = TRUE, kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
  bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
  bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
  bias_constraint = NULL, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE,
  dropout = 0, recurrent_dropout = 0, ...) {
  new_conv("conv_lstm_3d", object, ...)
}

check_films <- function(self, shape) {
  axes <- length(self$config$kernel_size)
  if (length(shape) != axes + 3) abort("needs an input of shape (batch, timesteps, ", toString(c("rows", "columns",
    "planes")[seq_len(axes)]), ", channels), not ", format_keras_shape(c(NA, shape[-1])), class = "shape",
    fun = self$name)
}

#' The sizes of a state, in the order of the layer's data format.
#' @noRd
film_state <- function(self, sizes) {
  if (self$config$data_format == "channels_first") c(self$config$filters, sizes) else c(sizes, self$config$filters)
}

convolved_sizes <- function(x, config) {
  reach <- config$dilation_rate * (config$kernel_size - 1)
  if (config$padding == "same") ceiling(x / config$strides) else (x - reach - 1) %/% config$strides + 1
}

conv_lstm_type <- function(class_name) list(
  class_name = class_name,
  build = function(self, shape) {
    config <- self$config
    check_films(self, shape)
    n <- channels_of(self, shape[-2])
    add_weight(self, "kernel", c(config$kernel_size, n, 4 * config$filters), config$kernel_initializer,
      config$kernel_regularizer, config$kernel_constraint)
    add_weight(self, "recurrent_kernel", c(config$kernel_size, config$filters, 4 * config$filters),
      config$recurrent_initializer, config$recurrent_regularizer, config$recurrent_constraint)
    if (config$use_bias) lstm_bias(self, config$filters)
    self$channels <- n
    if (!config$stateful) return()
    sizes <- convolved_sizes(shape[-2][format_places(config$data_format, length(config$kernel_size))], config)
    if (anyNA(sizes)) abort("is stateful and needs to know the sizes of its input, which has shape ",
      format_keras_shape(shape), class = "shape", fun = self$name)
    make_states(self, shape[1], rep(list(film_state(self, sizes)), 2))
  },
  call = function(self, x, training, mask, initial_state = NULL) {
    config <- self$config
    axes <- length(config$kernel_size)
    check_films(self, shape_of(x))
    channels_of(self, shape_of(x)[-2])
    first <- config$data_format == "channels_first"
    last <- function(t, lead) if (first) op_transpose(t, c(seq_len(lead), lead + 1 + seq_len(axes), lead + 1)) else t
    back <- function(t, lead) if (first) op_transpose(t, c(seq_len(lead), lead + axes + 1, lead + seq_len(axes))) else t
    if (training && config$dropout > 0) x <- op_dropout(x, config$dropout, noise_shape = c(NA, 1, rep(NA, axes + 1)))
    x <- last(x, 2)
    check_timesteps(self, x)
    sizes <- shape_of(x)
    steps <- sizes[2]
    each <- reshape_to(x, c(-1, sizes[-(1:2)]))
    bias <- if (config$use_bias) self$weights[[3]]
    z <- op_conv(each, self$weights[[1]], config$strides, config$padding, dilation_rate = config$dilation_rate,
      bias = bias)
    inner <- sizes_between(z)
    z <- reshape_to(z, c(-1, steps, shape_of(z)[-1]))
    states <- first_states(self, x, initial_state, rep(list(film_state(self, inner)), 2))
    states <- if (is.null(states)) rep(list(zero_state(x, c(inner, config$filters), self$dtype)), 2) else
      lapply(states, last, lead = 1)
    kept <- if (training && config$recurrent_dropout > 0) op_dropout(zero_state(x, c(inner, config$filters),
      self$dtype) + 1, config$recurrent_dropout)
    step <- function(z, states) {
      h <- if (is.null(kept)) states[[1]] else states[[1]] * kept
      gates <- split_axis(z + op_conv(h, self$weights[[2]], padding = "same"), 4, -1)
      open <- function(k) activate(config$recurrent_activation, gates[[k]])
      memory <- open(2) * states[[2]] + open(1) * activate(config$activation, gates[[3]])
      h <- open(4) * activate(config$activation, memory)
      list(y = h, states = list(h, memory))
    }
    result <- run_steps(self, step, z, states, mask)
    states <- lapply(result$states, back, lead = 1)
    keep_states(self, states)
    y <- back(result$y, 1 + config$return_sequences)
    if (config$return_state) c(list(y), states) else y
  },
  mask = function(self, x, mask) if (self$config$return_sequences) list(mask) # states have none
)
conv_lstm_1d_type <- conv_lstm_type("ConvLSTM1D")
conv_lstm_2d_type <- conv_lstm_type("ConvLSTM2D")
conv_lstm_3d_type <- conv_lstm_type("ConvLSTM3D")
