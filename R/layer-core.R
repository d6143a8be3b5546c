# Layers that every network has.

#' Dense layers
#'
#' `layer_dense()` computes `activation(x kernel + bias)` along the last axis of its input. `layer_tied_dense()` uses
#' the kernel of another dense layer, transposed: the decoder of an auto-encoder with tied weights. Gradients of the
#' kernel then come from both layers.
#'
#' @param object what the layer is put on: a model from [keras_model_sequential()], which changes in place; a symbolic
#'   tensor from [layer_input()] or another layer; a tensor or array, on which it is run now. Without it the layer
#'   itself is returned, a function that may be called several times, always with the same weights.
#' @param units how many outputs.
#' @param activation a name such as `"relu"`, an `activation_*` function or an R function of a tensor; `NULL` for none.
#' @param use_bias add a bias?
#' @param kernel_initializer,bias_initializer names such as `"he_normal"`, or what `initializer_*()` give.
#' @param kernel_regularizer,bias_regularizer,activity_regularizer what `regularizer_*()` give, or `NULL`. The penalty
#'   on the output is divided by the number of rows.
#' @param kernel_constraint,bias_constraint what `constraint_*()` give, or `NULL`.
#' @param ... options that every layer has: `name`; `trainable`; `dtype` (`"float32"` or `"float64"`); `input_shape`
#'   without the batch axis, for the first layer of a sequence (`batch_input_shape` with it); `weights`, a list of
#'   arrays to start from.
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer (class `nn_layer`) without `object`.
#'   Weights: kernel (inputs, units) and bias (units); of a tied layer the bias alone, and the shared kernel stays
#'   with its owner.
#' @section Errors: `nativenet_error_shape` if the last axis of the input is not what the layer was built for.
#' @seealso [keras_model_sequential()], [layer_activation()], [layer_dropout()], [op_dense()]; [plot_weights()];
#'   [new_layer_class()] for layers of your own; `vignette("models")` and `vignette("lab-denoising")`.
#' @examples
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_dense(3, activation = "relu") |>
#'   layer_dense(1)
#' model
#'
#' input <- layer_input(shape = 4)
#' encode <- layer_dense(units = 2, activation = "elu")
#' decode <- layer_tied_dense(tied_to = encode)
#' autoencoder <- keras_model(input, decode(encode(input)))
#' dim(predict(autoencoder, matrix(1, 5, 4)))
#' @export
layer_dense <- function(object, units, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros",
                        kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                        kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_layer("dense", object, list(
    units = check_count(units), activation = layer_part("activation", activation), use_bias = check_flag(use_bias),
    kernel_initializer = layer_part("initializer", kernel_initializer), bias_initializer = layer_part("initializer",
      bias_initializer),
    kernel_regularizer = layer_part("regularizer", kernel_regularizer), bias_regularizer = layer_part("regularizer",
      bias_regularizer),
    activity_regularizer = layer_part("regularizer", activity_regularizer),
    kernel_constraint = layer_part("constraint", kernel_constraint), bias_constraint = layer_part("constraint",
      bias_constraint)
  ), ...)
}

#' A part of a layer. It may be NULL, for none, but there is no weight without an initializer.
#' @noRd
layer_part <- function(kind, x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x) || kind == "initializer" && is.null(x), arg, fun)
  as_part(kind, x, arg = arg, fun = fun)
}

#' Sizes or axes in a vector or list.
#' @noRd
check_layer_sizes <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_given(missing(x), arg, fun)
  if (is.null(x)) return(numeric())
  check_whole(x, arg = arg, fun = fun)
}

#' The shape of a layer's input, for messages.
#' @noRd
input_shape_text <- function(x) format_keras_shape(c(NA, shape_of(x)[-1]))

#' An axis as Keras counts, 0 being the batch, as ops do.
#' @noRd
op_axis <- function(self, axis, x) {
  rank <- rank_of(x)
  if (axis != round(axis) || axis < -rank || axis >= rank) {
    abort("`axis` must lie in 0 .. ", rank - 1, " or -", rank, " .. -1 for an input of shape ", input_shape_text(x),
      ", not be ", describe(axis), fun = self$name)
  }
  if (axis < 0) axis else axis + 1
}

#' The size of the last axis, which must be known.
#' @noRd
features_of <- function(self, shape) {
  if (length(shape) < 2) {
    abort("needs an input of at least two axes, rows and features, not of shape ", format_keras_shape(shape),
      if (length(shape) == 1) lost_row(2), class = "shape", fun = self$name)
  }
  n <- shape[length(shape)]
  if (is.na(n)) abort("needs to know the size of the last axis of its input, which has shape ",
    format_keras_shape(shape), ": `input_shape` of the first layer, or `input_length` of `layer_embedding()`, tells it",
    class = "shape", fun = self$name)
  n
}

#' The layer was built for another input: say so before an op does.
#' @noRd
check_features <- function(self, x, n) {
  shape <- shape_of(x)
  if (length(shape) > 1 && shape[length(shape)] == n) return(invisible(x))
  abort("was built for inputs of shape ", format_keras_shape(c(rep(NA, max(1, length(shape) - 1)), n)), ", not ",
    input_shape_text(x), class = "shape", fun = self$name)
}

#' The activation of a sum. What sigmoid and softmax start from is noted for losses that start there, too.
#' @noRd
activate <- function(activation, z) {
  if (is.null(activation)) return(z)
  y <- activation(z)
  if (!is_tensor(y) || !same_sizes(dim(y), dim(z))) {
    abort("`activation` must give a tensor of its input's shape ", input_shape_text(z), ", not ", describe(y),
      class = "shape", fun = part_label(activation))
  }
  name <- part_name(activation)
  if (name %in% c("sigmoid", "softmax") && !isFALSE(part_config(activation)$axis == -1))
    with_note(y, "logits", list(of = name, z = z)) else y
}

#' x kernel + bias and the activation, in one op where the engine has it so. Sigmoids stay apart, as losses start from
#' their inputs.
#' @noRd
dense_op <- function(x, kernel, bias, activation) {
  fused <- if (!is.null(activation) && part_name(activation) != "sigmoid") fused_activation(activation)
  if (is.null(fused)) return(activate(activation, op_dense(x, kernel, bias)))
  do.call(op_dense, c(list(x, kernel, bias), fused))
}

dense_type <- list(
  class_name = "Dense",
  build = function(self, shape) {
    config <- self$config
    n <- features_of(self, shape)
    add_weight(self, "kernel", c(n, config$units), config$kernel_initializer, config$kernel_regularizer,
      config$kernel_constraint)
    if (config$use_bias) add_weight(self, "bias", config$units, config$bias_initializer, config$bias_regularizer,
      config$bias_constraint)
  },
  call = function(self, x) {
    check_features(self, x, dim(self$weights[[1]])[1])
    dense_op(x, self$weights[[1]], if (self$config$use_bias) self$weights[[2]], self$config$activation)
  },
  mask = TRUE
)

#' @rdname layer_dense
#' @param tied_to a dense layer; it is built first.
#' @export
layer_tied_dense <- function(object, tied_to, activation = NULL, use_bias = TRUE, bias_initializer = "zeros",
  bias_regularizer = NULL,
                             activity_regularizer = NULL, bias_constraint = NULL, ...) {
  check_given(missing(tied_to), "tied_to")
  if (!is_layer(tied_to) || layer_self(tied_to)$kind != "dense")
    abort("`tied_to` must be a layer from `layer_dense()`, not ", describe(tied_to))
  new_layer("tied_dense", object, list(
    tied_to = tied_to, activation = layer_part("activation", activation), use_bias = check_flag(use_bias),
    bias_initializer = layer_part("initializer", bias_initializer), bias_regularizer = layer_part("regularizer",
      bias_regularizer),
    activity_regularizer = layer_part("regularizer", activity_regularizer), bias_constraint = layer_part("constraint",
      bias_constraint)
  ), ...)
}

owners_kernel <- function(self) {
  owner <- layer_self(self$config$tied_to)
  if (!owner$built) abort("`", owner$name, "`, whose kernel it shares, must be called first", fun = self$name)
  owner$weights[[1]]
}

tied_dense_type <- list(
  class_name = "TiedDense",
  build = function(self, shape) {
    config <- self$config
    if (!config$use_bias) return()
    add_weight(self, "bias", dim(owners_kernel(self))[1], config$bias_initializer, config$bias_regularizer,
      config$bias_constraint)
  },
  call = function(self, x) {
    kernel <- owners_kernel(self)
    check_features(self, x, dim(kernel)[2])
    z <- op_matmul(x, kernel, transpose_y = TRUE)
    if (self$config$use_bias) z <- op_add(z, self$weights[[1]])
    activate(self$config$activation, z)
  },
  mask = TRUE
)

#' Activations as layers
#'
#' @inheritParams layer_dense
#' @param activation a name, an `activation_*` function or an R function of a tensor.
#' @param ... options of layers, see [layer_dense()].
#' @param alpha the slope for negative inputs (`leaky_relu`), or the limit with its sign changed (`elu`).
#' @param max_value,negative_slope,threshold of the ReLU: the largest output, the slope below the threshold, the
#'   threshold.
#' @param axis the axis that softmax sums to 1 along, 0-based or negative from the end, as in Keras.
#' @return As [layer_dense()]. No weights.
#' @examples
#' layer_activation_relu(matrix(c(-1, 2), 1))
#' @export
layer_activation <- function(object, activation, ...) {
  new_layer("activation", object, list(activation = layer_part("activation", activation)), ...)
}

activation_type <- list(class_name = "Activation", call = function(self, x) activate(self$config$activation, x),
  mask = TRUE)

#' @rdname layer_activation
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

#' @rdname layer_activation
#' @export
layer_activation_leaky_relu <- function(object, alpha = 0.3, ...) {
  new_layer("activation_leaky_relu", object, list(alpha = check_number(alpha, min = 0)), ...)
}

activation_leaky_relu_type <- list(
  class_name = "LeakyReLU", call = function(self, x) op_leaky_relu(x, self$config$alpha), mask = TRUE
)

#' @rdname layer_activation
#' @export
layer_activation_elu <- function(object, alpha = 1, ...) new_layer("activation_elu", object,
  list(alpha = check_number(alpha)), ...)

activation_elu_type <- list(class_name = "ELU", call = function(self, x) op_elu(x, self$config$alpha), mask = TRUE)

#' @rdname layer_activation
#' @export
layer_activation_selu <- function(object, ...) layer_activation(object, "selu", ...)

#' @rdname layer_activation
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

#' @rdname layer_activation
#' @param shared_axes axes along which the slopes are the same, 1-based without the batch axis, as in Keras.
#' @param alpha_initializer,alpha_regularizer,alpha_constraint of the slopes.
#' @export
layer_activation_parametric_relu <- function(object, alpha_initializer = "zeros", alpha_regularizer = NULL,
  alpha_constraint = NULL,
                                             shared_axes = NULL, ...) {
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

#' Noise in training
#'
#' In training `layer_dropout()` sets a share `rate` of the numbers to 0 and multiplies the others by `1 / (1 - rate)`;
#' `layer_gaussian_noise()` adds normal noise, and `layer_gaussian_dropout()` multiplies by normal noise around 1 with
#' the variance of dropout. In prediction and evaluation all three pass their input on.
#'
#' @inheritParams layer_activation
#' @param rate from 0 to below 1 (dropout: 1 gives zeros).
#' @param noise_shape for dropout: a vector as long as the input has axes, the batch axis included, 1 where one draw
#'   serves the whole axis, `NULL` or `NA` elsewhere.
#' @param seed of layers with the same seed the draws still differ from step to step; kept for Keras' sake: [set.seed()]
#'   governs them.
#' @param stddev the noise's standard deviation.
#' @return As [layer_dense()]. No weights.
#' @references Srivastava et al. (2014), <https://jmlr.org/papers/v15/srivastava14a.html>
#' @examples
#' drop <- layer_dropout(rate = 0.5)
#' set.seed(1)
#' drop(matrix(1, 2, 4), training = TRUE)
#' drop(matrix(1, 2, 4))
#' @export
layer_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, ...) {
  rate <- check_number(rate, min = 0, max = 1)
  if (!is.null(noise_shape)) noise_shape <- open_sizes(noise_shape)
  seed <- check_seed(seed)
  new_layer("dropout", object, list(rate = rate, noise_shape = noise_shape, seed = seed), ...)
}

dropout_type <- list(
  class_name = "Dropout",
  call = function(self, x, training) {
    rate <- self$config$rate
    if (!training || rate == 0) return(x)
    if (rate == 1) return(op_multiply(x, 0))
    op_dropout(x, rate, noise_shape = self$config$noise_shape)
  },
  mask = TRUE
)

#' @rdname layer_dropout
#' @export
layer_gaussian_noise <- function(object, stddev, ...) new_layer("gaussian_noise", object,
  list(stddev = check_number(stddev, min = 0)), ...)

gaussian_noise_type <- list(
  class_name = "GaussianNoise",
  call = function(self, x, training) if (training) op_gaussian_noise(x, self$config$stddev) else x,
  mask = TRUE
)

#' @rdname layer_dropout
#' @export
layer_gaussian_dropout <- function(object, rate, ...) new_layer("gaussian_dropout", object,
  list(rate = check_number(rate, min = 0, below = 1)), ...)

gaussian_dropout_type <- list(
  class_name = "GaussianDropout",
  call = function(self, x, training) {
    if (!training) return(x)
    rate <- self$config$rate
    op_multiply(x, op_gaussian_noise(op_ones_like(x), sqrt(rate / (1 - rate))))
  },
  mask = TRUE
)

#' Other shapes of the same numbers
#'
#' `layer_flatten()` makes one axis of all but the first; `layer_reshape()` fills another shape; both row by row, the
#' last axis fastest. `layer_permute()` swaps axes, `layer_repeat_vector()` repeats each row along a new axis.
#'
#' @inheritParams layer_activation
#' @param target_shape the new shape without the batch axis; one size may be -1.
#' @param dims the order of the axes, 1-based without the batch axis.
#' @param n how often.
#' @param data_format accepted for Keras' sake; only `"channels_last"`.
#' @return As [layer_dense()]. No weights.
#' @examples
#' dim(layer_flatten(array(0, c(2, 28, 28))))
#' dim(layer_reshape(matrix(0, 2, 6), c(3, 2)))
#' @export
layer_flatten <- function(object, data_format = NULL, ...) {
  if (!is.null(data_format)) check_choice(data_format, "channels_last")
  new_layer("flatten", object, list(), ...)
}

flatten_type <- list(class_name = "Flatten", call = function(self, x) op_reshape(x, c(-1, prod(shape_of(x)[-1]))))

#' @rdname layer_flatten
#' @export
layer_reshape <- function(object, target_shape, ...) {
  new_layer("reshape", object, list(target_shape = as.integer(check_layer_sizes(target_shape))), ...)
}

reshape_type <- list(
  class_name = "Reshape",
  call = function(self, x) {
    target <- self$config$target_shape
    size <- prod(shape_of(x)[-1])
    open <- which(target == -1)
    if (length(open) == 1) target[open] <- size / prod(target[-open])
    if (length(open) > 1 || any(target < 1 | target != round(target)) || prod(target) != size) {
      abort("an input of shape ", input_shape_text(x), " does not fill `target_shape` ",
        format_shape(self$config$target_shape), class = "shape", fun = self$name)
    }
    op_reshape(x, c(-1, target))
  }
)

#' @rdname layer_flatten
#' @export
layer_permute <- function(object, dims, ...) {
  dims <- check_layer_sizes(dims)
  if (!setequal(dims, seq_along(dims))) abort("`dims` must name each axis but the first once, from 1 on, not be ",
    describe(dims))
  new_layer("permute", object, list(dims = as.integer(dims)), ...)
}

permute_type <- list(
  class_name = "Permute",
  call = function(self, x) {
    dims <- self$config$dims
    if (length(dims) != rank_of(x) - 1) {
      abort("`dims` ", format_shape(dims), " must name each axis but the first of an input of shape ",
        input_shape_text(x), class = "shape", fun = self$name)
    }
    op_transpose(x, c(1, dims + 1))
  }
)

#' @rdname layer_flatten
#' @export
layer_repeat_vector <- function(object, n, ...) new_layer("repeat_vector", object, list(n = check_count(n)), ...)

repeat_vector_type <- list(
  class_name = "RepeatVector",
  call = function(self, x) {
    if (rank_of(x) != 2) abort("needs an input of shape (rows, features), not ", input_shape_text(x), class = "shape",
      fun = self$name)
    op_repeat(op_expand_dims(x, 2), self$config$n, axis = 2)
  }
)

#' Layers of one's own ops
#'
#' `layer_lambda()` wraps an R function of tensors. [new_layer_class()] makes layers with weights.
#'
#' @inheritParams layer_activation
#' @param f a function of a tensor (or a list of tensors), made of ops; `training` and `mask` are passed if it has such
#'   arguments.
#' @param output_shape accepted for Keras' sake and not needed.
#' @param mask a function of the inputs and their mask that gives the mask of the output; without it the output has
#'   none.
#' @param arguments a named list of further arguments of `f`.
#' @return As [layer_dense()]. No weights.
#' @examples
#' layer_lambda(matrix(1:4, 2), function(x) x^2)
#' @export
layer_lambda <- function(object, f, output_shape = NULL, mask = NULL, arguments = NULL, ...) {
  check_function(f)
  if (!is.null(arguments) && !is_named_list(arguments)) abort("`arguments` must be a named list, not ",
    describe(arguments))
  unknown <- if (!"..." %in% names(formals(args(f)))) setdiff(names(arguments), names(formals(f)))
  if (length(unknown)) abort("`f` has no argument `", unknown[1], "`, which `arguments` names")
  if (!is.null(mask)) check_function(mask, takes = 2)
  if (!is.null(output_shape) && !is.function(output_shape)) check_input_shape(output_shape)
  new_layer("lambda", object, c(list(f = f, arguments = arguments), if (!is.null(mask)) list(mask = mask)), ...)
}

lambda_type <- list(
  class_name = "Lambda",
  several = TRUE,
  call = function(self, x, training, mask) {
    f <- self$config$f
    known <- list(training = training, mask = mask)
    do.call(f, c(list(x), self$config$arguments, known[intersect(names(known), names(formals(f)))]))
  },
  mask = function(self, x, mask) if (!is.null(self$config$mask)) self$config$mask(x, mask)
)
