# Activations that Keras 3 brought: each is the op of its name, see R/op-activation.R.

#' Activations of Keras 3
#'
#' Activations that networks use more rarely. Each computes what the op of its name does; [op_celu()] gives the formulas
#' of most, and
#' \deqn{\mathrm{mish}(x) = x \tanh(\log(1 + e^x))}{mish(x) = x tanh(log(1 + exp(x)))}
#' `activation_silu()` is [activation_swish()]. As strings: `"mish"`, `"log_softmax"`, `"leaky_relu"` and so on.
#' `activation_hard_silu()`, also called hard swish, takes the hard sigmoid \eqn{\min(\max(x / 6 + 1 / 2, 0), 1)}{
#' min(max(x / 6 + 1 / 2, 0), 1)} of Keras 3.
#'
#' `activation_glu()` halves the size of its axis, so that it is no `activation` of a layer but goes into
#' [layer_lambda()].
#'
#' @inheritParams activation_relu
#' @param alpha,b,threshold,default_value numbers, see [op_celu()].
#' @param negative_slope a number, the slope for negative inputs.
#' @param axis 1-based, negative from the end.
#' @inherit activation_relu return
#' @references Misra (2019), mish, <https://arxiv.org/abs/1908.08681>.
#' @seealso [activations], [op_celu()]
#' @examples
#' activation_mish(c(-1, 0, 2))
#' layer_dense(units = 3, activation = "hard_silu")
#' @export
activation_celu <- function(x, alpha = 1) use_activation("celu", list(alpha = check_number(alpha, above = 0)), x)

#' @rdname activation_celu
#' @export
activation_glu <- function(x, axis = -1L) use_activation("glu", list(axis = check_number(axis)), x)

#' @rdname activation_celu
#' @export
activation_hard_shrink <- function(x, threshold = 0.5)
  use_activation("hard_shrink", list(threshold = check_number(threshold)), x)

#' @rdname activation_celu
#' @export
activation_hard_silu <- function(x) use_activation("hard_silu", list(), x)

#' @rdname activation_celu
#' @export
activation_hard_swish <- activation_hard_silu

#' @rdname activation_celu
#' @export
activation_hard_tanh <- function(x) use_activation("hard_tanh", list(), x)

#' @rdname activation_celu
#' @export
activation_leaky_relu <- function(x, negative_slope = 0.2)
  use_activation("leaky_relu", list(negative_slope = check_number(negative_slope)), x)

#' @rdname activation_celu
#' @export
activation_log_sigmoid <- function(x) use_activation("log_sigmoid", list(), x)

#' @rdname activation_celu
#' @export
activation_log_softmax <- function(x, axis = -1L) use_activation("log_softmax", list(axis = check_number(axis)), x)

#' @rdname activation_celu
#' @export
activation_mish <- function(x) use_activation("mish", list(), x)

#' @rdname activation_celu
#' @export
activation_relu6 <- function(x) use_activation("relu6", list(), x)

#' @rdname activation_celu
#' @export
activation_soft_shrink <- function(x, threshold = 0.5)
  use_activation("soft_shrink", list(threshold = check_number(threshold, min = 0)), x)

#' @rdname activation_celu
#' @export
activation_sparse_plus <- function(x) use_activation("sparse_plus", list(), x)

#' @rdname activation_celu
#' @export
activation_sparse_sigmoid <- function(x) use_activation("sparse_sigmoid", list(), x)

#' @rdname activation_celu
#' @export
activation_sparsemax <- function(x, axis = -1L) use_activation("sparsemax", list(axis = check_number(axis)), x)

#' @rdname activation_celu
#' @export
activation_squareplus <- function(x, b = 4) use_activation("squareplus", list(b = check_number(b, min = 0)), x)

#' @rdname activation_celu
#' @export
activation_tanh_shrink <- function(x) use_activation("tanh_shrink", list(), x)

#' @rdname activation_celu
#' @export
activation_threshold <- function(x, threshold, default_value) use_activation("threshold",
  list(threshold = check_number(threshold), default_value = check_number(default_value)), x)

#' Those of one op; the arguments are those of the op, under the same names.
#' @noRd
keras3_activations <- lapply(c(celu = "celu", glu = "glu", hard_shrink = "hard_shrink", hard_silu = "hard_silu",
  hard_tanh = "hard_tanh", leaky_relu = "leaky_relu", log_sigmoid = "log_sigmoid", log_softmax = "log_softmax",
  relu6 = "relu6", soft_shrink = "soft_shrink", sparse_plus = "sparse_plus", sparse_sigmoid = "sparse_sigmoid",
  sparsemax = "sparsemax", squareplus = "squareplus", tanh_shrink = "tanh_shrink", threshold = "threshold"),
  function(name) {
    force(name)
    function(x, config) do.call(paste0("op_", name), c(list(x), config))
  })
