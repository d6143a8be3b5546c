# Layers that every network has.

#' Dense layer
#'
#' A fully connected layer. With the input x, the kernel W, the bias b and the activation f it computes along the last
#' axis
#' \deqn{y = f(x W + b)}
#'
#' Shapes: input (batch, ..., inputs), output (batch, ..., units). Weights: kernel (inputs, units), bias (units).
#'
#' @param object what the layer is called on or added to: a model from [keras_model_sequential()], which changes in
#'   place; a symbolic tensor from [layer_input()] or another layer; a tensor or array, on which it runs now. Without it
#'   the layer itself is returned, a function that may be called several times, always with the same weights.
#' @param units the size of the output.
#' @param activation a name such as `"relu"`, an object such as [activation_relu()] gives, or an R function of a tensor;
#'   `NULL` for none. See [activations].
#' @param use_bias add a bias?
#' @param kernel_initializer,bias_initializer names such as `"he_normal"`, or objects, see [initializers].
#' @param kernel_regularizer,bias_regularizer,activity_regularizer names or objects, see [regularizers]; `NULL` for
#'   none. The penalty on the output (activity) is divided by the batch size.
#' @param kernel_constraint,bias_constraint names or objects, see [constraints]; `NULL` for none.
#' @param ... arguments of all layers: `name`; `trainable`; `dtype` (`"float32"` or `"float64"`); `input_shape` without
#'   the batch axis, for the first layer of a sequential model (`batch_input_shape` with it; `input_dim` for one axis);
#'   `weights`, a list of arrays to start from.
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer (class `nn_layer`) without `object`.
#' @section Errors: `nativenet_error_shape` if the last axis of the input is not what the layer was built for.
#' @seealso [keras_model_sequential()], [layer_activation()], [layer_dropout()], [op_dense()]; [plot_weights()];
#'   [new_layer_class()] for layers of your own; `vignette("models")` and `vignette("lab-denoising")`.
#' @examples
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_dense(3, activation = "relu") |>
#'   layer_dense(1)
#' model
#' layer_dense(matrix(1, 2, 4), units = 3) # on an array
#' @export
layer_dense <- function(object, units, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
  bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, ...) {
  new_layer("dense", object, c(list(units = check_count(units), activation = layer_part("activation", activation),
    use_bias = check_flag(use_bias)), weight_parts()), ...)
}

#' The parts for a kernel, a bias and the output, as far as they are arguments of the layer's function.
#' @noRd
weight_parts <- function(args = parent.frame(), fun = calling_function()) {
  names <- c("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
    "activity_regularizer", "kernel_constraint", "bias_constraint")
  names <- names[vapply(names, exists, NA, envir = args, inherits = FALSE)]
  Map(function(name, kind) layer_part(kind, get(name, envir = args), arg = name, fun = fun), names, sub("^.*_", "",
    names))
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
    abort("needs an input of at least two axes, batch and features, not of shape ", format_keras_shape(shape),
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

#' An op and the activation, in one op where the engine has it so. Sigmoids stay apart, as losses start from their
#' inputs.
#' @param op a function of the `activation` and `alpha` of op_dense().
#' @noRd
with_activation <- function(activation, op) {
  fused <- if (!is.null(activation) && part_name(activation) != "sigmoid") fused_activation(activation)
  if (is.null(fused)) activate(activation, op()) else do.call(op, fused)
}

dense_op <- function(x, kernel, bias, activation) {
  with_activation(activation, function(...) op_dense(x, kernel, bias, ...))
}

#' Floats stay as they are.
#' @noRd
whole_as_floats <- function(self, x) if (is_whole_dtype(tensor_dtype(x)) || tensor_dtype(x) == "bool")
  op_cast(x, self$dtype) else x

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
    x <- whole_as_floats(self, x)
    dense_op(x, self$weights[[1]], if (self$config$use_bias) self$weights[[2]], self$config$activation)
  },
  mask = TRUE
)

#' Identity layer
#'
#' Gives its input, as it is. It has no weights; it stands where a layer is expected and nothing shall be done.
#'
#' @inheritParams layer_dense
#' @param ... arguments of all layers, see [layer_dense()].
#' @return The model, a symbolic tensor or a tensor, as `object` is; a layer (class `nn_layer`) without `object`.
#' @seealso [layer_activation()]
#' @examples
#' layer_identity(matrix(1:2, 1))
#' @export
layer_identity <- function(object, ...) new_layer("identity", object, list(), ...)

identity_type <- list(class_name = "Identity", call = function(self, x) x, mask = TRUE)

#' Dense layer with tied weights
#'
#' A dense layer that uses the kernel W of another one, transposed:
#' \deqn{y = f(x W^T + b)}{y = f(x W' + b)}
#' It is the decoder of an autoencoder with tied weights. The gradient of the kernel is the sum over both layers.
#'
#' Shapes: input (batch, ..., units of the other layer), output (batch, ..., inputs of the other layer). Weights: the
#' bias alone; the kernel stays with its owner.
#'
#' @inheritParams layer_dense
#' @param tied_to a dense layer; it is built first.
#' @param bias_initializer,bias_regularizer,bias_constraint of the bias, see [layer_dense()].
#' @param activity_regularizer of the output, see [layer_dense()].
#' @inherit layer_dense return sections
#' @seealso [layer_dense()]
#' @examples
#' input <- layer_input(shape = 4)
#' encode <- layer_dense(units = 2, activation = "elu")
#' decode <- layer_tied_dense(tied_to = encode)
#' autoencoder <- keras_model(input, decode(encode(input)))
#' dim(predict(autoencoder, matrix(1, 5, 4)))
#' @export
layer_tied_dense <- function(object, tied_to, activation = NULL, use_bias = TRUE, bias_initializer = "zeros",
  bias_regularizer = NULL, activity_regularizer = NULL, bias_constraint = NULL, ...) {
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

#' Dropout layer
#'
#' In training each element of the input is set to 0 with the probability `rate`, and the others are multiplied by
#' `1 / (1 - rate)`, so that the expected sum stays the same:
#' \deqn{y_i = \frac{b_i x_i}{1 - \mathrm{rate}}, \quad b_i \sim \mathrm{Bernoulli}(1 - \mathrm{rate})}{
#' y = b x / (1 - rate), with b 0 or 1}
#' In inference the input is passed on. Dropout keeps units from relying on each other, against overfitting.
#'
#' @inheritParams layer_activation
#' @param rate the fraction of elements to drop, from 0 to 1.
#' @param noise_shape the shape of the mask: a vector as long as the input has axes, the batch axis included, with 1
#'   where one draw serves the whole axis, `NULL` or `NA` elsewhere.
#' @param seed ignored; present for compatibility with Keras. [set.seed()] governs the draws.
#' @inherit layer_activation return
#' @references Srivastava et al. (2014), <https://jmlr.org/papers/v15/srivastava14a.html>.
#' @seealso [layer_spatial_dropout_1d()], [layer_alpha_dropout()], [layer_gaussian_dropout()], [layer_gaussian_noise()],
#'   [op_dropout()]
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
  call = function(self, x, training) dropped(x, self$config$rate, training, self$config$noise_shape),
  mask = TRUE
)

dropped <- function(x, rate, training, noise_shape) {
  if (!training || rate == 0) return(x)
  if (rate == 1) op_multiply(x, 0) else op_dropout(x, rate, noise_shape = noise_shape)
}

#' Gaussian noise layer
#'
#' In training adds normal noise of mean 0 and standard deviation `stddev`:
#' \deqn{y_i = x_i + \sigma z_i, \quad z_i \sim N(0, 1)}{y = x + stddev z, with z standard normal}
#' In inference the input is passed on. It regularizes, and makes the input of denoising autoencoders.
#'
#' @inheritParams layer_activation
#' @param stddev the standard deviation of the noise.
#' @param seed not used; present for compatibility with Keras. [set.seed()] governs the draws.
#' @inherit layer_activation return
#' @seealso [layer_dropout()]
#' @examples
#' noise <- layer_gaussian_noise(stddev = 0.1)
#' noise(matrix(1, 2, 4), training = TRUE)
#' @export
layer_gaussian_noise <- function(object, stddev, seed = NULL, ...) new_layer("gaussian_noise", object,
  list(stddev = check_number(stddev, min = 0), seed = check_seed(seed)), ...)

gaussian_noise_type <- list(
  class_name = "GaussianNoise",
  call = function(self, x, training) if (training) op_gaussian_noise(x, self$config$stddev) else x,
  mask = TRUE
)

#' Gaussian dropout layer
#'
#' In training multiplies by normal noise of mean 1, with the variance of [layer_dropout()]:
#' \deqn{y_i = x_i z_i, \quad z_i \sim N\left(1, \frac{\mathrm{rate}}{1 - \mathrm{rate}}\right)}{
#' y = x z, with z normal of mean 1 and variance rate / (1 - rate)}
#' In inference the input is passed on.
#'
#' @inheritParams layer_activation
#' @param rate from 0 to below 1, as for dropout.
#' @param seed not used; present for compatibility with Keras. [set.seed()] governs the draws.
#' @inherit layer_activation return
#' @references Srivastava et al. (2014), section 10, <https://jmlr.org/papers/v15/srivastava14a.html>.
#' @seealso [layer_dropout()]
#' @examples
#' drop <- layer_gaussian_dropout(rate = 0.5)
#' drop(matrix(1, 2, 4), training = TRUE)
#' # is the sum of four numbers positive?
#' x <- matrix(rnorm(800), 200)
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_dense(16, activation = "relu") |>
#'   layer_gaussian_dropout(rate = 0.2) |>
#'   layer_dense(1, activation = "sigmoid")
#' compile(model, optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
#' fit(model, x, as.numeric(rowSums(x) > 0), epochs = 10, verbose = 0)
#' evaluate(model, x, as.numeric(rowSums(x) > 0), verbose = 0)
#' @export
layer_gaussian_dropout <- function(object, rate, seed = NULL, ...) new_layer("gaussian_dropout", object,
  list(rate = check_number(rate, min = 0, below = 1), seed = check_seed(seed)), ...)

gaussian_dropout_type <- list(
  class_name = "GaussianDropout",
  call = function(self, x, training) {
    if (!training) return(x)
    rate <- self$config$rate
    op_multiply(x, op_gaussian_noise(op_ones_like(x), sqrt(rate / (1 - rate))))
  },
  mask = TRUE
)

#' Flatten layer
#'
#' Makes one axis of all but the batch axis, in row-major order: (batch, 28, 28) becomes (batch, 784).
#'
#' @inheritParams layer_activation
#' @param data_format `NULL` or `"channels_last"`; with `"channels_first"` the first axis behind the batch is taken for
#'   that of the channels, and becomes the last one before: pictures give the same numbers in either format.
#' @inherit layer_activation return
#' @seealso [layer_reshape()], [array_reshape()]
#' @examples
#' dim(layer_flatten(array(0, c(2, 28, 28))))
#' @export
layer_flatten <- function(object, data_format = NULL, ...) {
  new_layer("flatten", object, list(data_format = check_data_format(data_format)), ...)
}

flatten_type <- list(
  class_name = "Flatten",
  call = function(self, x) {
    rank <- rank_of(x)
    if (rank > 2 && identical(self$config$data_format, "channels_first")) x <- op_transpose(x, c(1, 3:rank, 2))
    op_reshape(x, c(-1, prod(shape_of(x)[-1])))
  }
)

#' Reshape layer
#'
#' Gives each sample another shape, in row-major order (the last axis moves fastest, unlike R's `dim<-`).
#'
#' @inheritParams layer_activation
#' @param target_shape the new shape without the batch axis; one size may be -1, and is inferred.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the sizes do not multiply to those of the input.
#' @seealso [layer_flatten()], [op_reshape()]
#' @examples
#' dim(layer_reshape(matrix(0, 2, 6), c(3, 2)))
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

#' Permute layer
#'
#' Permutes the axes of each sample: axis i of the output is axis `dims[i]` of the input.
#'
#' @inheritParams layer_activation
#' @param dims a permutation of the axes, 1-based without the batch axis.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the input has another number of axes.
#' @seealso [op_transpose()]
#' @examples
#' dim(layer_permute(array(0, c(5, 3, 2)), dims = c(2, 1))) # 5 2 3
#' # which of three series has the largest mean? Each becomes a timestep of its own
#' x <- array(rnorm(300 * 8 * 3), c(300, 8, 3))
#' y <- max.col(apply(x, c(1, 3), mean)) - 1
#' model <- keras_model_sequential(input_shape = c(8, 3)) |>
#'   layer_permute(dims = c(2, 1)) |>
#'   layer_dense(1) |>
#'   layer_flatten() |>
#'   layer_activation("softmax")
#' compile(model, optimizer_adam(0.05), "sparse_categorical_crossentropy", metrics = "accuracy")
#' fit(model, x, y, epochs = 15, verbose = 0)
#' evaluate(model, x, y, verbose = 0)
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

#' Repeat vector layer
#'
#' Repeats each sample `n` times: (batch, features) becomes (batch, n, features). It hands the code of an encoder to
#' each timestep of a recurrent decoder.
#'
#' @inheritParams layer_activation
#' @param n a whole number.
#' @inherit layer_activation return
#' @section Errors: `nativenet_error_shape` if the input has not two axes.
#' @seealso [op_repeat()]
#' @examples
#' dim(layer_repeat_vector(matrix(0, 2, 3), n = 4)) # 2 4 3
#' # from two numbers, a and b, the series a, a + b, a + 2 b, a + 3 b
#' x <- matrix(runif(400), 200)
#' y <- array(x[, 1] + outer(x[, 2], 0:3), c(200, 4, 1))
#' model <- keras_model_sequential(input_shape = 2) |>
#'   layer_repeat_vector(n = 4) |>
#'   layer_gru(8, return_sequences = TRUE) |>
#'   layer_dense(1)
#' compile(model, optimizer_adam(0.02), "mse")
#' history <- fit(model, x, y, epochs = 20, verbose = 0)
#' history$metrics$loss[c(1, 20)]
#' @export
layer_repeat_vector <- function(object, n, ...) new_layer("repeat_vector", object, list(n = check_count(n)), ...)

repeat_vector_type <- list(
  class_name = "RepeatVector",
  call = function(self, x) {
    if (rank_of(x) != 2) abort("needs an input of shape (batch, features), not ", input_shape_text(x), class = "shape",
      fun = self$name)
    op_repeat(op_expand_dims(x, 2), self$config$n, axis = 2)
  }
)

#' Lambda layer
#'
#' Makes a layer of an R function of tensors. It has no weights; see [new_layer_class()] for custom layers with weights.
#'
#' @inheritParams layer_activation
#' @param f a function of a tensor (or of a list of tensors), made of ops; `training` and `mask` are passed if it has
#'   such arguments.
#' @param output_shape ignored; present for compatibility with Keras.
#' @param mask a function of the inputs and their mask that gives the mask of the output; `NULL` for no mask.
#' @param arguments a named list of further arguments of `f`.
#' @inherit layer_activation return
#' @seealso [new_layer_class()]; [save_model()], which saves the name of `f` alone.
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
