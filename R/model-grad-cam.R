# Where in a picture a network finds a class.

#' Class activation maps
#'
#' Grad-CAM: how much each place of a picture speaks for a class, by the last maps of features that a convolutional
#' network makes of it. With the maps \eqn{A_k} of a layer and the score s of the class,
#' \deqn{w_k = \frac{1}{Z} \sum_{i,j} \frac{\partial s}{\partial A_{k,i,j}}, \quad
#' L = \max\left(\sum_k w_k A_k, 0\right)}{w_k = mean(ds / dA_k), L = max(sum_k w_k A_k, 0)}
#' L is resized to the picture by [op_resize()], and divided by its largest number.
#'
#' The score is the output of the model for the class before a last softmax or sigmoid, which would hide how much more
#' could be said for it.
#'
#' @param model a model with one input, pictures (batch, rows, columns, channels), and one output, a score for each
#'   class (batch, classes), or one number.
#' @param x pictures as the model takes them, or one picture without the batch; axes of size 1 may be missing.
#' @param class which classes, counted from 0: one for each picture or one for all; `NULL` for those that the model
#'   predicts. Of a model with one unit there is class 0 alone.
#' @param layer name or number of the layer whose output (batch, rows, columns, channels) is looked at; `NULL` for the
#'   last such one that does no pooling or dropout.
#' @return An array (batch, rows, columns) of numbers from 0 to 1, with the classes as attribute `class_index`. Where
#'   nothing speaks for the class, all are 0.
#' @section Errors: `nativenet_error_index` for classes that are not there, `nativenet_error_shape` if the layer gives
#'   no maps.
#' @references Selvaraju et al. (2017), Grad-CAM: Visual explanations from deep networks,
#'   <https://arxiv.org/abs/1610.02391>.
#' @seealso [plot_grad_cam()], [plot_activations()]; `vignette("images")`.
#' @examples
#' set.seed(1)
#' digits <- dataset_digits(500, test = 5)
#' as_pictures <- function(x) array(x / 255, c(dim(x), 1))
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_conv_2d(8, 5, strides = 2, activation = "relu") |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, optimizer_adam(0.01), "sparse_categorical_crossentropy")
#' fit(model, as_pictures(digits$train$x), digits$train$y, epochs = 3, verbose = 0)
#' maps <- grad_cam(model, as_pictures(digits$test$x))
#' dim(maps)
#' @export
grad_cam <- function(model, x, class = NULL, layer = NULL) {
  self <- layer_self(check_model(model))
  check_has_layers(self)
  chosen <- layer_with_maps(self, layer, "grad_cam")
  x <- picture_batch(self, x, "grad_cam")
  both <- keras_model(self$inputs, c(list(chosen$output), self$outputs))
  tape <- gradient_tape()
  tape_record(tape, {
    tape_watch(tape, x) # what frozen layers compute, too
    y <- both(x, training = FALSE)
    scores <- logits_or(y[[2]])
  })
  predicted <- as.array(scores)
  if (length(dim(predicted)) != 2) abort("`model` must give a row of scores for each picture, not the shape ",
    format_shape(dim(predicted)), class = "shape")
  class <- if (is.null(class)) max.col(predicted, "first") - 1 else check_whole(class, min = 0)
  if (!length(class) %in% c(1, nrow(predicted))) abort("`class` must be one class, or one for each of ",
    nrow(predicted), " pictures, not ", length(class))
  class <- rep_len(class, nrow(predicted))
  if (any(class >= ncol(predicted))) abort("`class` must lie in 0 .. ", ncol(predicted) - 1, ", not be ",
    max(class), class = "index")
  of <- replace(0 * predicted, cbind(seq_along(class), class + 1), 1)
  slope <- tape_gradient(tape, scores, y[[1]], output_gradients = tensor(of, tensor_dtype(scores)))
  weights <- op_mean(slope, 2:3, keepdims = TRUE)
  map <- op_relu(op_sum(op_multiply(y[[1]], weights), 4, keepdims = TRUE))
  map <- as.array(op_resize(map, shape_of(x)[2:3]))
  top <- apply(map, 1, max)
  structure(array(map / ifelse(top > 0, top, 1), dim(map)[1:3]), class_index = as.integer(class))
}

#' What a last softmax or sigmoid has seen, or y itself.
#' @noRd
logits_or <- function(y) if (is.null(attr(y, "logits"))) y else attr(y, "logits")$z

#' The layer of that name or number, or the last one, or the first, whose output are maps.
#' @noRd
layer_with_maps <- function(self, layer, fun, last = TRUE) {
  layers <- lapply(self$layers, layer_self)
  has_maps <- function(l) is_keras_tensor(l$output) && length(dim(l$output)) == 4
  if (!is.null(layer)) {
    chosen <- layers[[layer_at(layer, vapply(layers, `[[`, "", "name"), "layer", fun)]]
    if (!has_maps(chosen)) abort("`layer` must give maps (batch, rows, columns, channels), as `", chosen$name,
      "` does not", class = "shape", fun = fun)
    return(chosen)
  }
  found <- Filter(function(l) has_maps(l) && !grepl("pooling|dropout|input", l$kind), layers)
  if (!length(found)) abort("`model` has no layer that gives maps (batch, rows, columns, channels)", class = "shape",
    fun = fun)
  found[[if (last) length(found) else 1]]
}

#' Pictures as a tensor (batch, rows, columns, channels).
#' @noRd
picture_batch <- function(self, x, fun) {
  if (length(self$inputs) != 1 || length(self$outputs) != 1) abort("`model` must have one input and one output, not ",
    length(self$inputs), " and ", length(self$outputs), fun = fun)
  x <- tensor(if (is_tensor(x)) x else check_numbers(x, "x", fun), self$dtype)
  one <- self$inputs[[1]]$shape[-1]
  if (anyNA(one)) {
    if (rank_of(x) == length(one)) x <- op_expand_dims(x, 1)
  } else { # R drops axes of size 1
    is_one <- same_sizes(shape_of(x)[shape_of(x) != 1], one[one != 1])
    if (is_one || same_sizes(shape_of(x)[-1], one[one != 1])) x <- op_reshape(x, c(if (is_one) 1 else -1, one))
  }
  if (rank_of(x) != 4) abort("`x` must be pictures (batch, rows, columns, channels), not of shape ",
    format_shape(shape_of(x)), class = "shape", fun = fun)
  x
}
