# Pictures looked at in other places: blurred, bent, in another perspective.

#' Look up places in an array
#'
#' The numbers of an array at places between its cells: `order = 1` weighs the cells around by their distance, `0` takes
#' the nearest. Places are counted **from 0**, as pixels are.
#'
#' @section Gradients: They reach the array, and with `order = 1` the places.
#'
#' @param inputs a float tensor or array.
#' @param coordinates a tensor or array whose first axis has an entry for each axis of `inputs`: (axes, ...).
#' @param order 0 or 1.
#' @param fill_mode what lies beyond an axis a b c d: `"constant"`, the number `fill_value`; `"nearest"`, a before it
#'   and d behind; `"wrap"`, a b c d again; `"mirror"`, c b before it and c b behind; `"reflect"`, b a and d c.
#' @param fill_value a number.
#' @return A tensor of the shape of `coordinates` without its first axis.
#' @section Errors: `nativenet_error_shape` for another number of coordinates.
#' @seealso [op_transform_image()], [op_image_perspective_transform()]
#' @examples
#' x <- matrix(c(1, 3, 2, 4), 2)
#' op_image_map_coordinates(x, rbind(c(0.5, 1), c(0.5, 0)), order = 1) # 2.5 3
#' @export
op_image_map_coordinates <- function(inputs, coordinates, order, fill_mode = "constant", fill_value = 0) {
  x <- as_floats(inputs)
  order <- check_count(order, min = 0, max = 1)
  fill_mode <- check_choice(fill_mode, c("constant", "nearest", "wrap", "mirror", "reflect"))
  fill_value <- check_number(fill_value)
  at <- op_cast(as_value(tensor(coordinates)), tensor_dtype(x))
  rank <- rank_of(x)
  if (rank_of(at) < 1 || shape_of(at)[1] != rank) abort("`coordinates` must have an entry for each of the ", rank,
    " axes of `inputs` along its first axis, not the shape ", format_shape(shape_of(at)), class = "shape")
  look_up_cells(op_reshape(x, -1), op_unstack(at, axis = 1), shape_of(x), order, fill_mode, fill_value)
}

#' @param cells all cells in a row; or rows of channels, one for each cell.
#' @param at for each axis a tensor of places.
#' @param offset a tensor of the number of the first cell, or NULL.
#' @noRd
look_up_cells <- function(cells, at, sizes, order, fill_mode, fill_value, offset = NULL) {
  deep <- rank_of(cells) > 1
  ahead <- row_major_steps(sizes)
  ends <- lapply(seq_along(at), function(k) {
    low <- if (order) op_floor(at[[k]]) else op_floor(op_add(at[[k]], 0.5))
    steps <- if (order) list(list(low, op_subtract(1, op_subtract(at[[k]], low))), list(op_add(low, 1),
      op_subtract(at[[k]], low))) else list(list(low, NULL))
    lapply(steps, function(step) c(cell_within(step[[1]], sizes[k], fill_mode), list(weight = step[[2]])))
  })
  corners <- expand.grid(lapply(ends, seq_along))
  parts <- lapply(seq_len(nrow(corners)), function(i) {
    own <- Map(function(end, j) end[[j]], ends, corners[i, ])
    place <- Reduce(op_add, Map(function(cell, by) op_multiply(cell$cell, as.integer(by)), own, ahead))
    if (!is.null(offset)) place <- op_add(place, offset)
    widen <- function(x) if (deep) op_expand_dims(x, -1) else x
    value <- op_gather(cells, place, 1)
    inside <- Filter(Negate(is.null), lapply(own, `[[`, "inside"))
    if (length(inside)) value <- op_where(widen(Reduce(op_logical_and, inside)), value, fill_value)
    weights <- Filter(Negate(is.null), lapply(own, `[[`, "weight"))
    if (length(weights)) op_multiply(value, widen(Reduce(op_multiply, weights))) else value
  })
  Reduce(op_add, parts)
}

#' The cell that stands for a whole number, which may lie beyond the axis; and where it does not.
#' @noRd
cell_within <- function(x, n, fill_mode) {
  x <- op_stop_gradient(x)
  clipped <- op_clip(x, 0, n - 1)
  cell <- switch(fill_mode,
    constant = , nearest = clipped,
    wrap = op_floor_mod(x, n),
    reflect = {
      turn <- op_floor_mod(x, 2 * n)
      op_minimum(turn, op_subtract(2 * n - 1, turn))
    },
    mirror = {
      turn <- op_floor_mod(x, max(1, 2 * (n - 1)))
      op_minimum(turn, op_subtract(max(1, 2 * (n - 1)), turn))
    })
  list(cell = op_cast(op_clip(cell, 0, n - 1), "int32"), inside = if (fill_mode == "constant") op_equal(x, clipped))
}

#' Blur, bend and tilt pictures
#'
#' * `op_image_gaussian_blur()`: each pixel is the mean of those around it, by the weights
#'   \eqn{e^{-x^2 / 2 \sigma^2}}{exp(-x^2 / (2 sigma^2))} of both distances; zeros lie beyond the edges.
#' * `op_image_perspective_transform()`: the projective transform that takes four points to four others.
#' * `op_image_elastic_transform()`: pixels are moved by random distances, `alpha` times a field of normal numbers of
#'   standard deviation `sigma` that is blurred by a Gaussian kernel of the size `6 sigma`; a field for each picture.
#'
#' @section Gradients: They reach the pictures, not the points.
#'
#' @param images a float tensor or array of a picture (rows, columns, channels) or a batch of them.
#' @param kernel_size rows and columns of the kernel.
#' @param sigma a number, or for the blur two: standard deviations along rows and columns.
#' @param start_points,end_points points of the picture, and where they are to lie: a row (column, row) for each of
#'   four, counted from 0; with a first axis for those of each picture.
#' @param interpolation `"bilinear"` or `"nearest"`.
#' @param alpha a number: how far pixels are moved.
#' @param fill_mode see [op_transform_image()].
#' @param fill_value a number: what lies beyond the picture.
#' @param seed a number, or `NULL`.
#' @param data_format `"channels_last"` or `"channels_first"`; `NULL` for the former.
#' @return A tensor of the shape of `images`.
#' @section Errors: `nativenet_error_shape` for other axes, and for points that are not four.
#' @references Simard et al. (2003), Best practices for convolutional neural networks, *ICDAR*: elastic distortions.
#' @seealso [op_transform_image()], [op_image_resize()], [layer_random_perspective()]
#' @examples
#' x <- array(0, c(5, 5, 1))
#' x[3, 3, 1] <- 1
#' round(as.array(op_image_gaussian_blur(x))[, , 1], 3)
#' corners <- rbind(c(0, 0), c(4, 0), c(0, 4), c(4, 4))
#' tilted <- op_image_perspective_transform(x, corners, corners + c(0, 0, 1, -1))
#' bent <- op_image_elastic_transform(x, alpha = 2, sigma = 1, seed = 1)
#' @export
op_image_gaussian_blur <- function(images, kernel_size = c(3, 3), sigma = c(1, 1), data_format = NULL) {
  size <- per_spatial_axis(kernel_size, 2)
  sigma <- check_reals(sigma)
  if (!length(sigma) %in% 1:2) abort("`sigma` must be a number, or two, not ", length(sigma))
  sigma <- rep_len(sigma, 2)
  if (any(sigma <= 0)) abort("`sigma` must be above 0, not ", describe(min(sigma)))
  of_pictures(images, data_format, function(x) blurred(x, lapply(1:2, function(k) gauss_line(size[k], sigma[k]))))
}

#' The weights along one axis.
#' @noRd
gauss_line <- function(n, sigma) {
  w <- exp(-((seq_len(n) - (n + 1) / 2) / sigma)^2 / 2)
  w / sum(w)
}

#' Pictures with the channels behind, along rows and then along columns.
#' @noRd
blurred <- function(x, lines) {
  single <- rank_of(x) == 3
  if (single) x <- op_expand_dims(x, 1)
  channels <- shape_of(x)[4]
  for (k in 1:2) {
    n <- length(lines[[k]])
    line <- op_reshape(tensor(lines[[k]], tensor_dtype(x)), c(if (k == 1) c(n, 1) else c(1, n), 1, 1))
    x <- op_depthwise_conv(x, op_tile(line, c(1, 1, channels, 1)), 1, "same")
  }
  if (single) op_squeeze(x, 1) else x
}

#' @rdname op_image_gaussian_blur
#' @export
op_image_perspective_transform <- function(images, start_points, end_points, interpolation = "bilinear",
  fill_value = 0, data_format = NULL) {
  check_choice(interpolation, c("bilinear", "nearest"))
  fill_value <- check_number(fill_value)
  of_pictures(images, data_format, function(x) {
    points <- lapply(list(start_points = start_points, end_points = end_points), function(p) {
      p <- op_cast(tensor(p), tensor_dtype(x))
      if (!rank_of(p) %in% 2:3 || !same_sizes(utils::tail(shape_of(p), 2), c(4, 2))) abort("points must be four rows ",
        "(column, row), not of shape ", format_shape(shape_of(p)), class = "shape", fun =
        "op_image_perspective_transform")
      if (rank_of(p) == 2) op_expand_dims(p, 1) else p
    })
    see_images(x, homographies(points[[1]], points[[2]]), picture_size(x), interpolation, "constant", fill_value)
  })
}

#' The transforms that lead from places in the result to those they show, from two times four points, (batch, 4, 2).
#' @noRd
homographies <- function(start, end) {
  column <- function(p, k) op_slice(p, c(1, 1, k), c(-1, -1, 1))
  u <- column(end, 1)
  v <- column(end, 2)
  one <- op_ones_like(u)
  none <- op_zeros_like(u)
  of <- function(k, ahead) {
    s <- op_negative(column(start, k))
    own <- list(u, v, one)
    parts <- if (ahead) c(own, list(none, none, none)) else c(list(none, none, none), own)
    op_concat(c(parts, list(op_multiply(s, u), op_multiply(s, v))), 3)
  }
  system <- op_concat(list(of(1, TRUE), of(2, FALSE)), 2)
  right <- op_concat(list(column(start, 1), column(start, 2)), 2)
  op_squeeze(op_solve(system, right), 3)
}

#' @rdname op_image_gaussian_blur
#' @export
op_image_elastic_transform <- function(images, alpha = 20, sigma = 5, interpolation = "bilinear",
  fill_mode = "reflect", fill_value = 0, seed = NULL, data_format = NULL) {
  alpha <- check_number(alpha, min = 0)
  sigma <- check_number(sigma, above = 0, max = 1000)
  order <- as.numeric(check_choice(interpolation, c("bilinear", "nearest")) == "bilinear")
  check_choice(fill_mode, enums$fill_mode)
  fill_value <- check_number(fill_value)
  of_pictures(images, data_format, function(x) with_own_seed(seed_of(seed), bent_pictures(x, alpha, sigma, order,
    fill_mode, fill_value)))
}

#' @param alpha a number, or a tensor of one for each picture: (batch, 1, 1, 1).
#' @noRd
bent_pictures <- function(x, alpha, sigma, order, fill_mode, fill_value) {
  single <- rank_of(x) == 3
  if (single) x <- op_expand_dims(x, 1)
  size <- picture_size(x)
  n <- 2 * (floor(6 * sigma) %/% 2) + 1
  line <- gauss_line(n, sigma)
  none <- op_zeros_like(op_stop_gradient(first_channel(x)))
  field <- op_multiply(op_gaussian_noise(op_concat(list(none, none), 4), 1), sigma)
  moved <- op_multiply(blurred(field, list(line, line)), alpha)
  rows <- op_add(op_squeeze(first_channel(moved), 4), array(seq_len(size[1]) - 1, c(1, size[1], 1)))
  columns <- op_add(op_squeeze(op_slice(moved, c(1, 1, 1, 2), c(-1, -1, -1, 1)), 4), array(seq_len(size[2]) - 1,
    c(1, 1, size[2])))
  y <- warped(x, rows, columns, order, fill_mode, fill_value)
  if (single) op_squeeze(y, 1) else y
}

first_channel <- function(x) op_slice(x, c(1, 1, 1, 1), c(-1, -1, -1, 1))

#' Pictures (batch, rows, columns, channels), looked at in places (batch, rows, columns).
#' @noRd
warped <- function(x, rows, columns, order, fill_mode, fill_value) {
  size <- picture_size(x)
  cells <- op_reshape(x, c(-1, shape_of(x)[4]))
  number <- op_cumsum(op_ones_like(op_cast(op_slice(op_stop_gradient(x), rep(1, 4), c(-1, 1, 1, 1)), "int32")), 1)
  first <- op_multiply(op_squeeze(op_subtract(number, 1L), 4), as.integer(prod(size)))
  look_up_cells(cells, list(rows, columns), size, order, fill_mode, fill_value, first)
}
