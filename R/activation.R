# Activations as parts of layers, and as functions of tensors.

#' Activations
#'
#' Called with `x` they compute; without, they give an object that layers take as `activation`. Layers also take the
#' name as a string, the function itself, and R functions of a tensor. Not to be confused with the reference classes for
#' courses, [activation].
#'
#' | `activation_` | f(x) |
#' |---|---|
#' | `linear` | `x` |
#' | `relu` | `x` above `threshold`, `alpha (x - threshold)` below, cut at `max_value` |
#' | `elu` | `x` above 0, `alpha (exp(x) - 1)` below |
#' | `selu` | the ELU with fixed constants that keep mean 0 and variance 1 |
#' | `gelu` | `x pnorm(x)`; approximate: `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` |
#' | `swish` | `x sigmoid(x)`; also called `"silu"` |
#' | `sigmoid` | `1 / (1 + exp(-x))` |
#' | `hard_sigmoid` | `x / 5 + 1 / 2` cut to 0 .. 1 |
#' | `tanh` | `tanh(x)` |
#' | `softmax` | `exp(x) / sum(exp(x))` along an axis |
#' | `softplus` | `log(1 + exp(x))` |
#' | `softsign` | `x / (1 + abs(x))` |
#' | `exponential` | `exp(x)` |
#'
#' @param x a float tensor or array.
#' @param alpha a number, see the table.
#' @param max_value a number above 0, or `NULL` for none.
#' @param threshold a number.
#' @param approximate the form with tanh?
#' @param axis 1-based, negative from the end.
#' @return A tensor of the same shape; without `x`, a function of class `nn_activation`.
#' @references Clevert et al. (2016), ELU, <https://arxiv.org/abs/1511.07289>. Klambauer et al. (2017), SELU,
#'   <https://arxiv.org/abs/1706.02515>. Hendrycks & Gimpel (2016), GELU, <https://arxiv.org/abs/1606.08415>.
#'   Ramachandran et al. (2017), swish, <https://arxiv.org/abs/1710.05941>.
#' @examples
#' activation_relu(c(-1, 0, 2))
#' activation_softmax(matrix(c(0, 1, 2, 0), 2))
#' leaky <- activation_relu(alpha = 0.1)
#' leaky
#' leaky(c(-1, 2))
#' @name activation_relu
NULL

# ---- formulas: functions of x and the other arguments ----

activation_formulas <- list(
  linear = function(x, config) as_value(x),
  relu = function(x, config) k_relu(x, config$alpha, config$max_value, config$threshold),
  elu = function(x, config) op_elu(x, config$alpha),
  selu = function(x, config) op_selu(x),
  gelu = function(x, config) if (config$approximate) gelu_by_tanh(x) else op_gelu(x),
  swish = function(x, config) op_silu(x),
  sigmoid = function(x, config) op_sigmoid(x),
  hard_sigmoid = function(x, config) op_hard_sigmoid(x),
  tanh = function(x, config) op_tanh(x),
  softmax = function(x, config) op_softmax(x, config$axis),
  softplus = function(x, config) op_softplus(x),
  softsign = function(x, config) op_softsign(x),
  exponential = function(x, config) op_exp(x)
)

#' (1 + tanh(z / 2)) / 2 is sigmoid(z).
#' @noRd
gelu_by_tanh <- function(x) {
  z <- op_multiply(op_multiply(x, op_add(op_square(x), 1 / 0.044715)), 0.044715 * 2 * sqrt(2 / pi))
  op_multiply(x, op_sigmoid(z))
}

call_activation <- function(x) {
  self <- sys.function()
  activation_formulas[[part_name(self)]](as_floats(x), part_config(self))
}

# ---- the objects ----

use_activation <- function(name, config, x) {
  f <- new_part("activation", name, config, call_activation)
  if (missing(x)) f else f(x)
}

#' What layers take as `activation`; NULL is linear.
#' @noRd
as_activation <- function(x, arg = "activation", fun = calling_function(), custom_objects = NULL, name = NULL) {
  as_part("activation", if (is.null(x)) "linear" else x, arg, fun, custom_objects, name)
}

#' The `activation` and `alpha` of op_dense() that do the same in one op, or NULL if none does.
#' @noRd
fused_activation <- function(f) {
  name <- part_name(f)
  config <- part_config(f)
  if (name == "exponential") return(list(activation = "exp"))
  if (name == "relu" && (!is.null(config$max_value) || config$threshold != 0)) return(NULL)
  if (name == "relu" && config$alpha != 0) return(list(activation = "leaky_relu", alpha = config$alpha))
  if (name %in% enums$dense_activation) c(list(activation = name), if (name == "elu") list(alpha = config$alpha))
}

#' @rdname activation_relu
#' @export
activation_relu <- function(x, alpha = 0, max_value = NULL, threshold = 0) {
  alpha <- check_number(alpha)
  threshold <- check_number(threshold)
  if (!is.null(max_value)) max_value <- check_number(max_value, above = 0)
  use_activation("relu", list(alpha = alpha, max_value = max_value, threshold = threshold), x)
}

#' @rdname activation_relu
#' @export
activation_elu <- function(x, alpha = 1) {
  alpha <- check_number(alpha)
  use_activation("elu", list(alpha = alpha), x)
}

#' @rdname activation_relu
#' @export
activation_gelu <- function(x, approximate = FALSE)
  use_activation("gelu", list(approximate = check_flag(approximate)), x)

#' @rdname activation_relu
#' @export
activation_softmax <- function(x, axis = -1) use_activation("softmax", list(axis = check_number(axis)), x)

#' @rdname activation_relu
#' @export
activation_linear <- function(x) use_activation("linear", list(), x)
#' @rdname activation_relu
#' @export
activation_selu <- function(x) use_activation("selu", list(), x)
#' @rdname activation_relu
#' @export
activation_swish <- function(x) use_activation("swish", list(), x)
#' @rdname activation_relu
#' @export
activation_sigmoid <- function(x) use_activation("sigmoid", list(), x)
#' @rdname activation_relu
#' @export
activation_hard_sigmoid <- function(x) use_activation("hard_sigmoid", list(), x)
#' @rdname activation_relu
#' @export
activation_tanh <- function(x) use_activation("tanh", list(), x)
#' @rdname activation_relu
#' @export
activation_softplus <- function(x) use_activation("softplus", list(), x)
#' @rdname activation_relu
#' @export
activation_softsign <- function(x) use_activation("softsign", list(), x)
#' @rdname activation_relu
#' @export
activation_exponential <- function(x) use_activation("exponential", list(), x)
