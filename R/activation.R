# Activations as parts of layers, and as functions of tensors.

#' Activations
#'
#' An activation is applied to the output of a layer, element by element (softmax: along an axis). Layers take it as
#' `activation`: the constructor, `activation_relu`; an object, such as `activation_relu(alpha = 0.1)`; a string,
#' `"relu"`; or an R function of a tensor, made of ops.
#'
#' Called with `x` an activation computes at once; without, it gives an object.
#'
#' Hidden layers: [activation_relu()], [activation_elu()], [activation_selu()], [activation_gelu()],
#' [activation_swish()], [activation_tanh()], [activation_softsign()].
#'
#' Outputs: [activation_linear()], [activation_sigmoid()], [activation_softmax()], [activation_softplus()],
#' [activation_exponential()].
#'
#' Gates: [activation_sigmoid()], [activation_hard_sigmoid()].
#'
#' Those of Keras 3: [activation_celu()] and its like.
#'
#' @seealso [layer_activation()]; [activation], the reference classes for courses.
#' @examples
#' leaky <- activation_relu(alpha = 0.1)
#' leaky
#' leaky(c(-1, 2))
#' layer_dense(units = 3, activation = leaky)
#' @name activations
NULL

# ---- formulas: functions of x and the other arguments ----

activation_formulas <- c(keras3_activations, list(
  linear = function(x, config) as_value(x),
  relu = function(x, config) relu_of(x, config$alpha, config$max_value, config$threshold),
  elu = function(x, config) op_elu(x, config$alpha),
  selu = function(x, config) op_selu(x),
  gelu = function(x, config) op_gelu(x, config$approximate),
  swish = function(x, config) op_silu(x),
  sigmoid = function(x, config) op_sigmoid(x),
  hard_sigmoid = function(x, config) op_hard_sigmoid(x, 0.2),
  tanh = function(x, config) op_tanh(x),
  softmax = function(x, config) op_softmax(x, config$axis),
  softplus = function(x, config) op_softplus(x),
  softsign = function(x, config) op_softsign(x),
  mish = function(x, config) op_multiply(x, op_tanh(op_softplus(x))),
  exponential = function(x, config) op_exp(x)
))

call_activation <- function(x) {
  self <- sys.function()
  activation_formulas[[part_name(self)]](as_floats(x), part_config(self))
}

# ---- the objects ----

use_activation <- function(name, config, x) {
  f <- new_part("activation", name, config, call_activation)
  if (missing(x)) f else f(x)
}

#' The `activation` and `alpha` of op_dense() that do the same in one op, or NULL if none does.
#' @noRd
fused_activation <- function(f) {
  name <- part_name(f)
  config <- part_config(f)
  if (name == "exponential") return(list(activation = "exp"))
  if (name == "relu" && (!is.null(config$max_value) || config$threshold != 0)) return(NULL)
  if (name == "relu" && config$alpha != 0) return(list(activation = "leaky_relu", alpha = config$alpha))
  if (name == "leaky_relu") return(list(activation = name, alpha = config$negative_slope))
  if (name %in% enums$dense_activation) c(list(activation = name), if (name == "elu") list(alpha = config$alpha))
}

#' ReLU activation
#'
#' The rectified linear unit:
#' \deqn{f(x) = \max(x, 0)}{f(x) = max(x, 0)}
#' It is cheap, and its gradient does not vanish for large x: the usual choice for hidden layers. In general, with the
#' threshold \eqn{\theta}{theta} and the slope \eqn{\alpha}{alpha} below it:
#' \deqn{f(x) = \left\{\begin{array}{ll} \min(x, \mathrm{max\_value}) & x \ge \theta \\ \alpha (x - \theta) & x < \theta
#' \end{array}\right.}{f(x) = min(x, max_value) if x >= theta, else alpha (x - theta)}
#' `alpha` above 0 gives a leaky ReLU, which has a gradient for negative x, too.
#'
#' @param x a float tensor or array.
#' @param alpha,negative_slope a number, the slope below the threshold, in Keras 2 and in Keras 3: one of them.
#' @param max_value a number above 0, or `NULL` for no limit.
#' @param threshold a number.
#' @return With `x` a tensor of the shape and dtype of `x`. Without it an activation object: a function of class
#'   `nn_activation`, see [activations].
#' @references Glorot et al. (2011), <https://proceedings.mlr.press/v15/glorot11a.html>. Maas et al. (2013), leaky ReLU,
#'   Rectifier nonlinearities improve neural network acoustic models, ICML workshop.
#' @seealso [activations], [layer_activation_relu()], [op_relu()]
#' @examples
#' activation_relu(c(-1, 0, 2)) # 0 0 2
#' leaky <- activation_relu(alpha = 0.1)
#' leaky(c(-1, 2)) # -0.1 2
#' @export
activation_relu <- function(x, alpha = 0, max_value = NULL, threshold = 0, negative_slope = NULL) {
  alpha <- relu_slope(if (!missing(alpha)) check_number(alpha), negative_slope, 0)
  threshold <- check_number(threshold)
  if (!is.null(max_value)) max_value <- check_number(max_value, above = 0)
  use_activation("relu", list(alpha = alpha, max_value = max_value, threshold = threshold), x)
}

#' The slope for which Keras has had two names.
#' @noRd
relu_slope <- function(alpha, negative_slope, default, fun = calling_function()) {
  if (is.null(negative_slope)) return(if (is.null(alpha)) default else alpha)
  if (!is.null(alpha)) abort("only one of `alpha` and `negative_slope` can be given", fun = fun)
  check_number(negative_slope, min = 0, fun = fun)
}

#' ELU activation
#'
#' The exponential linear unit:
#' \deqn{f(x) = \left\{\begin{array}{ll} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{array}\right.}{
#' f(x) = x if x > 0, else alpha (exp(x) - 1)}
#' Unlike [activation_relu()] it is smooth for alpha = 1 and has negative values, which keeps the mean near 0.
#'
#' @inheritParams activation_relu
#' @param alpha a number: minus the limit for large negative x.
#' @inherit activation_relu return
#' @references Clevert et al. (2016), <https://arxiv.org/abs/1511.07289>.
#' @seealso [activations], [op_elu()]
#' @examples
#' activation_elu(c(-1, 0, 2))
#' @export
activation_elu <- function(x, alpha = 1) {
  alpha <- check_number(alpha)
  use_activation("elu", list(alpha = alpha), x)
}

#' GELU activation
#'
#' The Gaussian error linear unit:
#' \deqn{f(x) = x \, \Phi(x)}{f(x) = x pnorm(x)}
#' with the distribution function \eqn{\Phi}{pnorm} of the standard normal distribution. It is usual in transformers.
#' `approximate` takes
#' \deqn{f(x) = \frac{x}{2} \left(1 + \tanh\left(\sqrt{2 / \pi} \, (x + 0.044715 \, x^3)\right)\right)}{
#' f(x) = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))}
#'
#' @inheritParams activation_relu
#' @param approximate use the approximation by tanh?
#' @inherit activation_relu return
#' @references Hendrycks & Gimpel (2016), <https://arxiv.org/abs/1606.08415>.
#' @seealso [activations], [op_gelu()]
#' @examples
#' activation_gelu(c(-1, 0, 2))
#' activation_gelu(c(-1, 0, 2), approximate = TRUE)
#' @export
activation_gelu <- function(x, approximate = FALSE)
  use_activation("gelu", list(approximate = check_flag(approximate)), x)

#' Softmax activation
#'
#' Turns K logits into probabilities, which are positive and sum to 1:
#' \deqn{f(x)_k = \frac{e^{x_k}}{\sum_{i=1}^{K} e^{x_i}}}{f(x)[k] = exp(x[k]) / sum(exp(x))}
#' It is the last activation of classifiers of K classes; see [loss_categorical_crossentropy()].
#'
#' @inheritParams activation_relu
#' @param axis the axis along which the values sum to 1; 1-based, negative from the end.
#' @inherit activation_relu return
#' @seealso [activations], [layer_activation_softmax()], [op_softmax()]
#' @examples
#' activation_softmax(matrix(c(0, 1, 2, 0), 2))
#' @export
activation_softmax <- function(x, axis = -1) use_activation("softmax", list(axis = check_number(axis)), x)

#' Linear activation
#'
#' The identity, which is no activation at all:
#' \deqn{f(x) = x}
#' It is the last activation of regression, and the default of layers.
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations]
#' @examples
#' activation_linear(c(-1, 0, 2)) # -1 0 2
#' @export
activation_linear <- function(x) use_activation("linear", list(), x)
#' SELU activation
#'
#' The scaled exponential linear unit:
#' \deqn{f(x) = \lambda \left\{\begin{array}{ll} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{array}\right.}{
#' f(x) = lambda x if x > 0, else lambda alpha (exp(x) - 1)}
#' with \eqn{\alpha}{alpha} = 1.67326324 and \eqn{\lambda}{lambda} = 1.05070098, which keep mean 0 and variance 1 from
#' layer to layer. It goes with [initializer_lecun_normal()].
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @references Klambauer et al. (2017), <https://arxiv.org/abs/1706.02515>.
#' @seealso [activations], [op_selu()]
#' @examples
#' activation_selu(c(-1, 0, 2))
#' @export
activation_selu <- function(x) use_activation("selu", list(), x)
#' Swish activation
#'
#' The input times its sigmoid:
#' \deqn{f(x) = \frac{x}{1 + e^{-x}}}{f(x) = x / (1 + exp(-x))}
#' It is smooth and not monotonic, and is also called SiLU. As a string: `"swish"` or `"silu"`.
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @references Ramachandran et al. (2017), <https://arxiv.org/abs/1710.05941>.
#' @seealso [activations], [op_silu()]
#' @examples
#' activation_swish(c(-1, 0, 2))
#' @export
activation_swish <- function(x) use_activation("swish", list(), x)

#' @rdname activation_swish
#' @export
activation_silu <- activation_swish # keras3's name

#' Sigmoid activation
#'
#' The logistic function:
#' \deqn{f(x) = \frac{1}{1 + e^{-x}}}{f(x) = 1 / (1 + exp(-x))}
#' It turns a logit into a probability: the last activation of binary classifiers, see [loss_binary_crossentropy()]. In
#' hidden layers its gradient vanishes for large inputs.
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_sigmoid()]
#' @examples
#' activation_sigmoid(c(-1, 0, 2))
#' @export
activation_sigmoid <- function(x) use_activation("sigmoid", list(), x)
#' Hard sigmoid activation
#'
#' A piecewise linear approximation of [activation_sigmoid()], as in Keras 2:
#' \deqn{f(x) = \min(\max(x / 5 + 1 / 2, 0), 1)}{f(x) = min(max(x / 5 + 1 / 2, 0), 1)}
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_hard_sigmoid()]
#' @examples
#' activation_hard_sigmoid(c(-3, 0, 1)) # 0 0.5 0.7
#' @export
activation_hard_sigmoid <- function(x) use_activation("hard_sigmoid", list(), x)
#' Hyperbolic tangent activation
#'
#' The hyperbolic tangent:
#' \deqn{f(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}}{f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))}
#' Its values lie between -1 and 1. It is the default activation of recurrent layers.
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_tanh()]
#' @examples
#' activation_tanh(c(-1, 0, 2))
#' @export
activation_tanh <- function(x) use_activation("tanh", list(), x)
#' Softplus activation
#'
#' A smooth form of [activation_relu()], whose values are positive:
#' \deqn{f(x) = \log(1 + e^x)}{f(x) = log(1 + exp(x))}
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_softplus()]
#' @examples
#' activation_softplus(c(-100, 0, 100))
#' @export
activation_softplus <- function(x) use_activation("softplus", list(), x)
#' Softsign activation
#'
#' Like [activation_tanh()], with values between -1 and 1, but slower to reach them:
#' \deqn{f(x) = \frac{x}{1 + |x|}}{f(x) = x / (1 + abs(x))}
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_softsign()]
#' @examples
#' activation_softsign(c(-1, 0, 3)) # -0.5 0 0.75
#' @export
activation_softsign <- function(x) use_activation("softsign", list(), x)
#' Exponential activation
#'
#' The exponential function:
#' \deqn{f(x) = e^x}{f(x) = exp(x)}
#' It gives positive numbers, such as the rates of [loss_poisson()].
#'
#' @inheritParams activation_relu
#' @inherit activation_relu return
#' @seealso [activations], [op_exp()]
#' @examples
#' activation_exponential(c(-1, 0, 2))
#' @export
activation_exponential <- function(x) use_activation("exponential", list(), x)

#' A slope below the threshold, and a ceiling.
#' @noRd
relu_of <- function(x, alpha = 0, max_value = NULL, threshold = 0) {
  y <- if (check_number(threshold) != 0) {
    op_where(op_greater(x, threshold), x, op_multiply(op_subtract(x, threshold), check_number(alpha)))
  } else if (check_number(alpha) != 0) {
    op_leaky_relu(x, alpha)
  } else {
    op_relu(x)
  }
  if (is.null(max_value)) y else op_minimum(y, check_number(max_value))
}
