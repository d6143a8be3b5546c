# Pictures seen through a transform of the plane.

#' Move, turn and scale pictures
#'
#' Looks at pictures through a projective transform. The number at row v and column u of the result is that of `x` at
#' row v' and column u', all counted from 0:
#' \deqn{u' = \frac{a_1 u + a_2 v + a_3}{k}, \quad v' = \frac{a_4 u + a_5 v + a_6}{k}, \quad k = a_7 u + a_8 v + 1}{
#' u' = (a1 u + a2 v + a3) / k, v' = (a4 u + a5 v + a6) / k, k = a7 u + a8 v + 1}
#' so that (1, 0, 0, 0, 1, 0, 0, 0) changes nothing, and (1, 0, 2, 0, 1, 0, 0, 0) moves the picture two columns to the
#' left. The order of the numbers is that of TensorFlow's `ImageProjectiveTransformV3`.
#'
#' @section Gradients: They reach the pictures, not the transforms, as in TensorFlow.
#'
#' @param x a tensor or array with the axes batch, rows, columns, channels, or rows, columns, channels.
#' @param transforms a matrix or tensor with a row a1, ..., a8 for each picture, or one row or vector for all.
#' @param size rows and columns of the result; `NULL` for those of `x`.
#' @param interpolation `"bilinear"` weighs the four pixels around a place by their distance, `"nearest"` takes the
#'   nearest.
#' @param fill_mode what lies outside of the picture a b c d: `"constant"`, the number `fill_value`; `"reflect"`, d c b
#'   a before it and behind it; `"wrap"`, a b c d again; `"nearest"`, only a before it, and only d behind it.
#' @param fill_value a number.
#' @return A tensor of the dtype of `x`, of floats.
#' @section Errors: `nativenet_error_shape` if `x` has other axes or `transforms` other rows.
#' @seealso [op_resize()]; [layer_random_rotation()] and its like.
#' @examples
#' x <- array(c(1, 2, 3, 4), c(2, 2, 1))
#' as.array(op_transform_image(x, c(-1, 0, 1, 0, 1, 0, 0, 0)))[, , 1] # mirrored
#' as.array(op_transform_image(x, c(1, 0, 0.5, 0, 1, 0, 0, 0), fill_mode = "nearest"))[, , 1]
#' @export
op_transform_image <- function(x, transforms, size = NULL, interpolation = "bilinear", fill_mode = "constant",
  fill_value = 0) {
  transformed_images(x, transforms, size, interpolation, fill_mode, fill_value, "transforms")
}

#' @param arg what the user calls the transforms.
#' @noRd
transformed_images <- function(x, transforms, size, interpolation, fill_mode, fill_value, arg,
  fun = calling_function()) {
  x <- as_floats(x)
  rank <- check_image_axes(x, fun)
  size <- if (is.null(size)) shape_of(x)[rank - 2:1] else per_spatial_axis(size, 2, fun = fun)
  if (!is_tensor(transforms)) {
    rows <- if (is.matrix(transforms)) nrow(transforms) else 1
    transforms <- check_reals(transforms, arg, fun)
    if (length(transforms) != 8 * rows) abort("`", arg, "` must have 8 numbers for each picture, not ",
      length(transforms) / rows, class = "shape", fun = fun)
    transforms <- tensor(matrix(transforms, rows), tensor_dtype(x))
  }
  see_images(x, transforms, size, check_choice(interpolation, c("bilinear", "nearest"), fun = fun),
    check_choice(fill_mode, enums$fill_mode, fun = fun), check_number(fill_value, fun = fun))
}

see_images <- function(x, transforms, size, interpolation, fill_mode, fill_value) {
  see <- function(x) apply_op("transform_image", list(x, op_stop_gradient(transforms)),
    ints = c(size, enum_code("fill_mode", fill_mode), interpolation == "nearest"), reals = fill_value)
  if (rank_of(x) == 4) see(x) else op_squeeze(see(op_expand_dims(x, 1)), 1)
}

#' The axes of a picture, or of a batch of them.
#' @noRd
check_image_axes <- function(x, fun = calling_function()) {
  rank <- rank_of(x)
  if (rank %in% 3:4) return(rank)
  abort("needs a tensor of rows, columns and channels, with a batch or without, not of shape ",
    format_shape(shape_of(x)), class = "shape", fun = fun)
}
