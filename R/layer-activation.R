# Layers that apply an activation.

#' Activation layer
#'
#' Applies an activation f to its input, element by element (softmax: along the last axis):
#' \deqn{y = f(x)}
#' The output has the shape of the input. There are no weights.
#'
#' @inheritParams layer_dense
#' @param activation a name such as `"relu"`, an object such as [activation_relu()] gives, or an R function of a tensor,
#'   see [activations].
#' @param ... arguments of all layers, see [layer_dense()].
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer (class `nn_layer`) without `object`.
#' @seealso [activations]; [layer_activation_relu()] and its like, which have arguments of their own.
#' @examples
#' layer_activation(matrix(c(-1, 2), 1), "tanh")
#' @export
layer_activation <- function(object, activation, ...) {
  new_layer("activation", object, list(activation = layer_part("activation", activation)), ...)
}

activation_type <- list(class_name = "Activation", call = function(self, x) activate(self$config$activation, x),
  mask = TRUE)

#' ReLU layer
#'
#' The rectified linear unit, with the threshold \eqn{\theta}{theta} and the slope \eqn{\alpha}{alpha} below it:
#' \deqn{y = \left\{\begin{array}{ll} \min(x, \mathrm{max\_value}) & x \ge \theta \\ \alpha (x - \theta) & x < \theta
#' \end{array}\right.}{y = min(x, max_value) if x >= theta, else alpha (x - theta)}
#' By default this is \eqn{\max(x, 0)}{max(x, 0)}.
#'
#' @inheritParams layer_activation
#' @param max_value the largest output, `NULL` for no limit.
#' @param negative_slope the slope below the threshold.
#' @param threshold a number.
#' @inherit layer_activation return
#' @seealso [activation_relu()]
#' @examples
#' layer_activation_relu(matrix(c(-1, 2), 1))
#' @export
layer_activation_relu <- function(object, max_value = NULL, negative_slope = 0, threshold = 0, ...) {
  negative_slope <- check_number(negative_slope, min = 0)
  threshold <- check_number(threshold)
  if (!is.null(max_value)) max_value <- check_number(max_value, min = 0)
  new_layer("activation_relu", object, list(max_value = max_value, negative_slope = negative_slope,
    threshold = threshold), ...)
}

activation_relu_type <- list(
  class_name = "ReLU",
  call = function(self, x) activation_relu(x, alpha = self$config$negative_slope, max_value = self$config$max_value,
    threshold = self$config$threshold),
  mask = TRUE
)

#' Leaky ReLU layer
#'
#' A ReLU with a small slope \eqn{\alpha}{alpha} for negative inputs, so that their gradient is not 0:
#' \deqn{y = \left\{\begin{array}{ll} x & x > 0 \\ \alpha x & x \le 0 \end{array}\right.}{y = x if x > 0, else alpha x}
#'
#' @inheritParams layer_activation
#' @param alpha,negative_slope the slope for negative inputs, in Keras 2 and in Keras 3: one of them.
#' @inherit layer_activation return
#' @references Maas et al. (2013), Rectifier nonlinearities improve neural network acoustic models, ICML workshop.
#' @seealso [layer_activation_parametric_relu()], which learns the slope.
#' @examples
#' layer_activation_leaky_relu(matrix(c(-1, 2), 1), alpha = 0.1)
#' @export
layer_activation_leaky_relu <- function(object, alpha = 0.3, ..., negative_slope = NULL) {
  alpha <- relu_slope(if (!missing(alpha)) alpha, negative_slope, 0.3)
  new_layer("activation_leaky_relu", object, list(alpha = check_number(alpha, min = 0)), ...)
}

activation_leaky_relu_type <- list(
  class_name = "LeakyReLU", call = function(self, x) op_leaky_relu(x, self$config$alpha), mask = TRUE
)

#' ELU layer
#'
#' The exponential linear unit:
#' \deqn{y = \left\{\begin{array}{ll} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{array}\right.}{
#' y = x if x > 0, else alpha (exp(x) - 1)}
#'
#' @inheritParams layer_activation
#' @param alpha a number: minus the limit for large negative x.
#' @inherit layer_activation return
#' @references Clevert et al. (2016), <https://arxiv.org/abs/1511.07289>.
#' @seealso [activation_elu()]
#' @examples
#' layer_activation_elu(matrix(c(-1, 2), 1))
#' @export
layer_activation_elu <- function(object, alpha = 1, ...) new_layer("activation_elu", object,
  list(alpha = check_number(alpha)), ...)

activation_elu_type <- list(class_name = "ELU", call = function(self, x) op_elu(x, self$config$alpha), mask = TRUE)

#' Thresholded ReLU layer
#'
#' Passes on what is larger than a threshold \eqn{\theta}{theta}:
#' \deqn{y = \left\{\begin{array}{ll} x & x > \theta \\ 0 & x \le \theta \end{array}\right.}{y = x if x > theta, else 0}
#'
#' @inheritParams layer_activation
#' @param theta the threshold, 0 or more.
#' @inherit layer_activation return
#' @references Konda et al. (2015), Zero-bias autoencoders and the benefits of co-adapting features,
#'   <https://arxiv.org/abs/1402.3337>.
#' @seealso [layer_activation_relu()]
#' @examples
#' layer_activation_thresholded_relu(matrix(c(-1, 0.5, 2), 1))
#' # does what exceeds 1 add up to more than 2?
#' x <- matrix(rexp(800), 200)
#' y <- rowSums(x * (x > 1)) > 2
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_activation_thresholded_relu(theta = 1) |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
#' history <- fit(model, x, as.numeric(y), epochs = 20, verbose = 0)
#' round(tail(history$metrics$accuracy, 1), 2)
#' @export
layer_activation_thresholded_relu <- function(object, theta = 1, ...) new_layer("activation_thresholded_relu", object,
  list(theta = check_number(theta, min = 0)), ...)

activation_thresholded_relu_type <- list(
  class_name = "ThresholdedReLU",
  call = function(self, x) op_where(op_greater(x, self$config$theta), x, 0),
  mask = TRUE
)

#' SELU layer
#'
#' The scaled exponential linear unit, see [activation_selu()].
#'
#' @inheritParams layer_activation
#' @inherit layer_activation return
#' @references Klambauer et al. (2017), <https://arxiv.org/abs/1706.02515>.
#' @seealso [activation_selu()]
#' @examples
#' layer_activation_selu(matrix(c(-1, 2), 1))
#' @export
layer_activation_selu <- function(object, ...) layer_activation(object, "selu", ...)

#' Softmax layer
#'
#' Turns logits into probabilities along an axis:
#' \deqn{y_k = \frac{e^{x_k}}{\sum_i e^{x_i}}}{y[k] = exp(x[k]) / sum(exp(x))}
#'
#' @inheritParams layer_activation
#' @param axis the axis along which the values sum to 1; 0-based with the batch as axis 0, or negative from the end, as
#'   in Keras.
#' @inherit layer_activation return
#' @seealso [activation_softmax()]
#' @examples
#' layer_activation_softmax(matrix(c(0, 1, 2, 0), 2))
#' @export
layer_activation_softmax <- function(object, axis = -1, ...) new_layer("activation_softmax", object,
  list(axis = check_number(axis)), ...)

activation_softmax_type <- list(
  class_name = "Softmax",
  call = function(self, x) {
    axis <- op_axis(self, self$config$axis, x)
    y <- op_softmax(x, axis)
    if (axis %in% c(-1, rank_of(x))) with_note(y, "logits", list(of = "softmax", z = x)) else y
  },
  mask = TRUE
)

#' Parametric ReLU layer
#'
#' A leaky ReLU whose slopes \eqn{\alpha}{alpha} for negative inputs are learned:
#' \deqn{y = \left\{\begin{array}{ll} x & x > 0 \\ \alpha x & x \le 0 \end{array}\right.}{y = x if x > 0, else alpha x}
#' Weights: alpha, of the shape of a sample, with 1 at shared axes.
#'
#' @inheritParams layer_activation
#' @param alpha_initializer,alpha_regularizer,alpha_constraint of the slopes, see [initializers], [regularizers] and
#'   [constraints].
#' @param shared_axes axes along which the slopes are shared, 1-based without the batch axis, as in Keras.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` for an input of another shape than the layer was built for.
#' @references He et al. (2015), <https://arxiv.org/abs/1502.01852>.
#' @examples
#' layer_activation_parametric_relu(matrix(c(-1, 2), 1), alpha_initializer = "ones")
#' # the absolute value of a number: its slope below 0 is learnt, -1
#' x <- matrix(rnorm(200))
#' model <- keras_model_sequential(input_shape = 1) |> layer_activation_parametric_relu()
#' compile(model, optimizer_adam(0.1), "mse")
#' fit(model, x, abs(x), epochs = 20, verbose = 0)
#' model$weights[[1]]
#' @export
layer_activation_parametric_relu <- function(object, alpha_initializer = "zeros", alpha_regularizer = NULL,
  alpha_constraint = NULL, shared_axes = NULL, ...) {
  new_layer("activation_parametric_relu", object, list(
    alpha_initializer = layer_part("initializer", alpha_initializer), alpha_regularizer = layer_part("regularizer",
      alpha_regularizer),
    alpha_constraint = layer_part("constraint", alpha_constraint), shared_axes = if (!is.null(shared_axes))
    check_layer_sizes(shared_axes)
  ), ...)
}

activation_parametric_relu_type <- list(
  class_name = "PReLU",
  build = function(self, shape) {
    shape <- shape[-1]
    shared <- self$config$shared_axes
    if (any(shared < 1 | shared > length(shape))) {
      abort("`shared_axes` must lie in 1 .. ", length(shape), " for an input of shape ",
        format_keras_shape(c(NA, shape)), ", not be ", describe(shared), fun = self$name)
    }
    shape[shared] <- 1L
    if (anyNA(shape)) abort("needs to know the shape of its input, or `shared_axes`", class = "shape", fun = self$name)
    add_weight(self, "alpha", shape, self$config$alpha_initializer, self$config$alpha_regularizer,
      self$config$alpha_constraint)
  },
  call = function(self, x) {
    alpha <- self$weights[[1]]
    own <- replace(dim(alpha), self$config$shared_axes, NA)
    size <- shape_of(x)[-1]
    if (length(size) != length(own) || any(size != own, na.rm = TRUE)) {
      abort("was built for inputs of shape ", format_keras_shape(c(NA, own)), ", not ", input_shape_text(x),
        class = "shape", fun = self$name)
    }
    op_subtract(op_relu(x), op_multiply(alpha, op_relu(op_negative(x))))
  },
  mask = TRUE
)
