# Layers that are products by letters of axes; and those that normalize another layer's weights, or run several.

#' Einsum layer
#'
#' A dense layer over any axes: \eqn{y = \mathrm{activation}(\mathrm{einsum}(x, W) + b)}{y = activation(einsum(x, W) +
#' b)}, with the axes of input, kernel and output named by letters, as in `"ab,bc->ac"` for a dense layer of matrices.
#' `"..."` stands for any axes of the input and of the output.
#'
#' Weights: kernel, of the axes that the equation names, and bias.
#'
#' @inheritParams layer_dense
#' @param equation a string such as `"abc,cd->abd"`.
#' @param output_shape sizes of the axes of the output but the first and those of `"..."`; `NA` for what the input says.
#' @param bias_axes letters of the output that the bias has; `NULL` for no bias.
#' @param kernel_regularizer,bias_regularizer,activity_regularizer names or objects, see [regularizers]; `NULL` for
#'   none.
#' @inherit layer_dense return
#' @section Errors: `nativenet_error_shape` for an input or an `output_shape` that the equation does not fit.
#' @seealso [op_einsum()], [layer_dense()]
#' @examples
#' x <- array(rnorm(24), c(2, 3, 4))
#' dim(layer_einsum_dense(x, "abc,cd->abd", output_shape = c(NA, 5), bias_axes = "d"))
#' @export
layer_einsum_dense <- function(object, equation, output_shape, activation = NULL, bias_axes = NULL,
  kernel_initializer = "glorot_uniform", bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL,
  kernel_constraint = NULL, bias_constraint = NULL, activity_regularizer = NULL, ...) {
  check_string(equation)
  equation <- gsub("[[:space:]]", "", equation)
  dots <- "(\\.\\.\\.)"
  plain <- sprintf("^%s?[A-Za-z]+%s?,[A-Za-z]+->%s?[A-Za-z]+%s?$", dots, dots, dots, dots)
  left <- grepl(paste0("^", dots), equation) + grepl(paste0("->", dots), equation)
  right <- grepl(paste0(dots, ","), equation) + grepl(paste0(dots, "$"), equation)
  if (!grepl(plain, equation) || left == 1 || right == 1 || left + right > 2) abort("`equation` must be like ",
    "\"ab,bc->ac\", with \"...\" before or behind the axes of both input and output, not ", describe(equation))
  check_given(missing(output_shape), "output_shape")
  shape <- vapply(as.list(output_shape), function(n) if (is_open_size(n)) NA_real_ else as.double(check_count(n,
    arg = "output_shape")), 0)
  letters <- einsum_letters(equation)
  if (length(shape) != length(letters$sized)) abort("`output_shape` must have ", length(letters$sized),
    " sizes, those of ", some_names("", letters$sized), ", not ", length(shape), class = "shape")
  if (!is.null(bias_axes)) {
    bias_axes <- check_string(bias_axes)
    if (!all(strsplit(bias_axes, "")[[1]] %in% letters$output)) abort("`bias_axes` must be axes of the output, ",
      some_names("", letters$output), ", not ", describe(bias_axes))
  }
  new_layer("einsum_dense", object, c(list(equation = equation, output_shape = shape,
    activation = layer_part("activation", activation), bias_axes = bias_axes), weight_parts()), ...)
}

#' The letters of input, kernel and output; `sized`: those of the output whose sizes are given.
#' @noRd
einsum_letters <- function(equation) {
  sides <- strsplit(equation, ",|->")[[1]]
  own <- lapply(strsplit(gsub(".", "", sides, fixed = TRUE), ""), as.character)
  list(input = own[[1]], kernel = own[[2]], output = own[[3]],
    sized = if (startsWith(sides[3], ".")) own[[3]] else own[[3]][-1], dots = grepl("...", equation, fixed = TRUE),
    left = startsWith(sides[1], "."))
}

einsum_dense_type <- list(
  class_name = "EinsumDense",
  build = function(self, shape) {
    config <- self$config
    letters <- einsum_letters(config$equation)
    n <- length(letters$input)
    rank <- length(shape)
    if (rank < n || rank > n && !letters$dots) abort("`equation` has ", n, " axes for the input, whose shape is ",
      format_keras_shape(shape), class = "shape", fun = self$name)
    known <- stats::setNames(if (letters$left) utils::tail(shape, n) else shape[seq_len(n)], letters$input)
    given <- stats::setNames(config$output_shape, letters$sized)
    both <- intersect(names(given), names(known))
    differ <- both[!is.na(given[both]) & !is.na(known[both]) & given[both] != known[both]]
    if (length(differ)) abort("`output_shape` says ", given[differ[1]], " for the axis `", differ[1],
      "`, which is ", known[differ[1]], " in the input", class = "shape", fun = self$name)
    sizes <- c(known, given[setdiff(names(given), both)])
    open <- letters$kernel[is.na(sizes[letters$kernel])]
    if (length(open)) abort("the size of the kernel's axis `", open[1], "` follows neither from the input nor from ",
      "`output_shape`", class = "shape", fun = self$name)
    add_weight(self, "kernel", sizes[letters$kernel], config$kernel_initializer, config$kernel_regularizer,
      config$kernel_constraint)
    if (is.null(config$bias_axes)) return()
    own <- strsplit(config$bias_axes, "")[[1]]
    behind <- letters$output[seq(min(match(own, letters$output)), length(letters$output))]
    more <- if (letters$dots && !letters$left) rank - n else 0
    size <- c(ifelse(behind %in% own, sizes[behind], 1), rep(1, more))
    if (anyNA(size)) abort("the size of the bias' axes is not known", class = "shape", fun = self$name)
    add_weight(self, "bias", unname(size), config$bias_initializer, config$bias_regularizer, config$bias_constraint)
  },
  call = function(self, x) {
    y <- op_einsum(self$config$equation, x, self$weights[[1]])
    activate(self$config$activation, if (is.null(self$config$bias_axes)) y else op_add(y, self$weights[[2]]))
  }
)

#' Spectral normalization layer
#'
#' Runs another layer whose kernel is divided by its largest singular value, before each step of training: its
#' kernel, as a matrix with a column for each unit, is W, and the vectors u and v come nearer with each step,
#' \deqn{v \leftarrow \frac{W u}{\|W u\|}, \quad u \leftarrow \frac{W^T v}{\|W^T v\|}, \quad W \leftarrow \frac{W}{v^T W
#' u}}{v = W u / norm(W u); u = W' v / norm(W' v); W = W / (v' W u)}
#' so that no input is made much longer. It is usual for discriminators.
#'
#' Weights: those of the layer, and u, which training does not change by gradients.
#'
#' @inheritParams layer_activation
#' @param layer a layer with a kernel or an embedding.
#' @param power_iterations how often u and v are computed in each step.
#' @inherit layer_activation return
#' @references Miyato et al. (2018), <https://arxiv.org/abs/1802.05957>.
#' @seealso [layer_unit_normalization()]
#' @examples
#' layer <- layer_spectral_normalization(layer = layer_dense(units = 3), power_iterations = 20)
#' layer(matrix(rnorm(8), 2), training = TRUE)
#' max(svd(get_weights(layer)[[1]])$d)
#' @export
layer_spectral_normalization <- function(object, layer, power_iterations = 1L, ...) {
  check_given(missing(layer), "layer")
  if (!is_layer(layer) || is_model(layer)) abort("`layer` must be a layer, not ", describe(layer))
  config <- list(layer = layer, power_iterations = check_count(power_iterations))
  new_layer("spectral_normalization", object, config, ..., fields = list(layer = layer))
}

spectral_normalization_type <- list(
  class_name = "SpectralNormalization",
  build = function(self, shape) {
    inner <- layer_self(self$config$layer)
    build_layer(inner, shape)
    names <- sub(".*/", "", sub(":0$", "", vapply(inner$weights, variable_name, "")))
    at <- match(TRUE, names %in% c("kernel", "embeddings"))
    if (is.na(at)) abort("`", inner$name, "` has no kernel and no embedding", fun = self$name)
    self$kernel <- inner$weights[[at]]
    add_weight(self, "vector_u", c(1, utils::tail(dim(self$kernel), 1)), initializer_truncated_normal(stddev = 0.02),
      trainable = FALSE)
  },
  call = function(self, x, training, mask) {
    if (training) {
      kernel <- as_value(self$kernel)
      u <- as_value(self$weights[[1]])
      w <- op_stop_gradient(op_reshape(kernel, c(-1, utils::tail(dim(kernel), 1))))
      unit <- function(x) op_divide(x, op_sqrt(op_maximum(op_sum(op_square(x)), 1e-24)))
      for (i in seq_len(self$config$power_iterations)) {
        v <- unit(op_matmul(u, w, transpose_y = TRUE))
        u <- unit(op_matmul(v, w))
      }
      sigma <- op_sum(op_multiply(op_matmul(v, w), u))
      # a kernel of zeros stays as it is
      variable_assign(self$kernel, op_divide(kernel, op_where(op_equal(sigma, 0), 1, sigma)))
      variable_assign(self$weights[[1]], u)
    }
    inner <- layer_self(self$config$layer)
    call_layer(inner, as_inputs(inner, x), training = training, mask = mask)
  },
  mask = "own"
)

#' Pipeline layer
#'
#' Several layers one after the other, as one layer: for augmentation and preprocessing.
#'
#' @param layers a list of layers.
#' @param name a string, or `NULL`.
#' @param ... what all layers take, see [layer_activation()].
#' @return A layer.
#' @seealso [keras_model_sequential()]
#' @examples
#' augment <- layer_pipeline(list(layer_random_flip(), layer_rescaling(scale = 1 / 255)))
#' dim(augment(array(100, c(2, 4, 4, 3))))
#' @export
layer_pipeline <- function(layers, name = NULL, ...) {
  check_given(missing(layers), "layers")
  if (!is_branch(layers) || !length(layers) || !all(vapply(layers, is_layer, NA))) abort(
    "`layers` must be a list of layers, not ", describe(layers))
  layers <- unname(layers)
  new_layer("pipeline", config = list(layers = layers), name = name, ..., fields = list(layers = layers))
}

pipeline_type <- list(
  class_name = "Pipeline",
  training = "own",
  call = function(self, x, training, mask) {
    for (layer in self$config$layers) {
      inner <- layer_self(layer)
      x <- call_layer(inner, as_inputs(inner, x), training = training)
    }
    x
  },
  mask = "own"
)
