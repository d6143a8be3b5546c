#' Plot what a layer makes of a picture
#'
#' The feature maps of a convolutional network: the output of a layer for one picture, a map for each channel, on one
#' scale for all, blue below 0, white at 0, vermilion above.
#'
#' @param model a model with one input, pictures (batch, rows, columns, channels).
#' @param x one picture as the model takes it, (rows, columns, channels), or a batch with one; axes of size 1 may be
#'   missing.
#' @param layer name or number of a layer whose output has the axes batch, rows, columns, channels; `NULL` for the first
#'   one.
#' @param channels numbers of the channels to draw; `NULL` for all, but at most the first 64.
#' @param nrow rows of the grid.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics the array (channels, rows, columns), invisibly.
#' @section Errors: `nativenet_error_shape` if the layer gives no maps; `nativenet_error_index` for channels that are
#'   not there; `nativenet_error_nan` if no number is finite.
#' @seealso [plot_weights()] for the filters, [plot_grad_cam()], [plot_images()]; `vignette("images")`.
#' @examples
#' set.seed(1)
#' digits <- dataset_digits(10)
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_conv_2d(8, 5, activation = "relu") |>
#'   layer_max_pooling_2d()
#' plot_activations(model, array(digits$train$x[1, , ] / 255, c(28, 28, 1)))
#' @export
plot_activations <- function(model, x, layer = NULL, channels = NULL, nrow = NULL, method = "auto") {
  method <- plot_method(method)
  if (!is.null(nrow)) nrow <- check_count(nrow)
  self <- layer_self(check_model(model))
  check_has_layers(self)
  chosen <- layer_with_maps(self, layer, "plot_activations", last = FALSE)
  x <- picture_batch(self, x, "plot_activations")
  if (shape_of(x)[1] != 1) abort("`x` must be one picture, not ", shape_of(x)[1], class = "shape")
  maps <- as.array(keras_model(self$inputs, chosen$output)(x, training = FALSE))
  numbers <- if (is.null(channels)) seq_len(min(dim(maps)[4], 64)) else check_units(channels, dim(maps)[4],
    "plot_activations", "channels")
  maps <- aperm(array(maps[1, , , numbers], c(dim(maps)[2:3], length(numbers))), c(3, 1, 2))
  if (!any(is.finite(maps))) abort("the maps of shape ", format_shape(dim(maps)), " hold no finite number",
    class = "nan")
  drawn <- draw_on_one_scale(as_images(maps), as.character(numbers), nrow, "activation", method)
  if (method == "ggplot2") drawn else invisible(maps)
}

#' Plot where a network finds a class
#'
#' Pictures, and below them in grey with the places marked in vermilion that speak for a class, see [grad_cam()].
#'
#' @inheritParams grad_cam
#' @param titles text above the pictures; by default the classes.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics the maps of [grad_cam()], invisibly.
#' @inheritSection grad_cam Errors
#' @seealso [grad_cam()], [plot_activations()], [plot_images()]; `vignette("images")`.
#' @examples
#' set.seed(1)
#' digits <- dataset_digits(500, test = 8)
#' as_pictures <- function(x) array(x / 255, c(dim(x), 1))
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) |>
#'   layer_conv_2d(8, 5, strides = 2, activation = "relu") |>
#'   layer_flatten() |>
#'   layer_dense(10, activation = "softmax")
#' compile(model, optimizer_adam(0.01), "sparse_categorical_crossentropy")
#' fit(model, as_pictures(digits$train$x), digits$train$y, epochs = 3, verbose = 0)
#' plot_grad_cam(model, as_pictures(digits$test$x))
#' @export
plot_grad_cam <- function(model, x, class = NULL, layer = NULL, titles = NULL, method = "auto") {
  method <- plot_method(method)
  maps <- grad_cam(model, x, class, layer)
  titles <- if (is.null(titles)) as.character(attr(maps, "class_index")) else check_captions(titles, dim(maps)[1])
  pictures <- as_images(as.array(picture_batch(layer_self(model), x, "plot_grad_cam")))
  limits <- picture_limits(pictures)
  shades <- lapply(pictures, picture_shades, limits)
  marked <- lapply(seq_along(pictures), function(i) mark_places(shades[[i]], maps[i, , ]))
  if (method == "ggplot2") return(ggplot_images(list(shades, marked), titles, NULL) +
    ggplot2::scale_fill_identity())
  draw_images(list(shades, marked), titles, NULL)
  invisible(maps)
}

#' Colours in light grey, with vermilion where the map has 1.
#' @noRd
mark_places <- function(shades, map) {
  grey <- colSums(grDevices::col2rgb(shades) * c(0.3, 0.59, 0.11)) / 255
  heat <- grDevices::col2rgb(okabe_ito[2]) / 255
  share <- 0.75 * as.vector(map)
  mixed <- vapply(1:3, function(k) (1 - share) * (0.35 + 0.65 * grey) + share * heat[k], numeric(length(grey)))
  matrix(grDevices::rgb(mixed), nrow(shades))
}
