# Other numbers of cells along spatial axes.

#' Resize pictures
#'
#' Gives pictures another number of rows and columns. Cell o of an axis of m cells lies at
#' \eqn{(o + 1/2) n / m - 1/2} of an axis of n cells, all counted from 0, as centres of pixels do. It is a mean of the
#' cells around, weighed by their distance d to that point:
#'
#' | `method` | weights |
#' |---|---|
#' | `"nearest"` | 1 for the cell that the point lies in |
#' | `"bilinear"` | 1 - d, up to 1 |
#' | `"bicubic"` | Keys' cubic with -1/2, up to 2: may overshoot |
#' | `"mitchellcubic"` | Mitchell's and Netravali's cubic with 1/3 and 1/3, up to 2 |
#' | `"lanczos3"`, `"lanczos5"` | \eqn{\mathrm{sinc}(d) \mathrm{sinc}(d / r)}{sinc(d) sinc(d / r)}, up to r = 3 or 5 |
#' | `"gaussian"` | \eqn{e^{-2 d^2}}{exp(-2 d^2)}, up to 1.5 |
#' | `"area"` | the part of the cell that lies within the new one |
#'
#' Cells beyond the ends have no weight, and weights are divided by their sum. With `antialias` distances are divided by
#' n / m where pictures shrink, so that all cells take part: without, most of them have no say in a much smaller
#' picture.
#'
#' @param x a tensor or array with the axes batch, rows, columns, channels, or rows, columns, channels; floats but for
#'   `"nearest"`.
#' @param size the new rows and columns.
#' @param method see above.
#' @param antialias widen the weights where pictures shrink? `"nearest"` and `"area"` are the same with and without.
#' @return A tensor of the dtype of `x`.
#' @section Errors: `nativenet_error_shape` if `x` has other axes.
#' @references Keys (1981), \doi{10.1109/TASSP.1981.1163711}. Mitchell & Netravali (1988), \doi{10.1145/378456.378514}.
#' @seealso [layer_upsampling_2d()], [op_pad()], [op_crop_and_resize()]
#' @examples
#' x <- array(c(1, 2, 3, 4), c(2, 2, 1))
#' as.array(op_resize(x, c(4, 4)))[, , 1]
#' as.array(op_resize(x, c(4, 4), method = "nearest"))[, , 1]
#' as.array(op_resize(array(1:16 / 2, c(4, 4, 1)), 2, "area"))[, , 1]
#' @export
op_resize <- function(x, size, method = "bilinear", antialias = FALSE) {
  rank <- check_image_axes(x)
  resize_axes(x, rank - 2:1, per_spatial_axis(size, 2), check_choice(method, resize_methods), check_flag(antialias))
}

resize_methods <- c("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")

#' @param axes of x, 1-based; sizes: their new ones.
#' @noRd
resize_axes <- function(x, axes, sizes, method, antialias = FALSE) {
  if (method != "nearest") x <- as_floats(x)
  for (k in seq_along(axes)) {
    n <- shape_of(x)[axes[k]]
    by_taps <- method == "nearest" || method == "bilinear" && !(antialias && sizes[k] < n)
    x <- if (by_taps) resize_axis(x, axes[k], n, sizes[k], method) else
      along_matrix(x, axes[k], resize_matrix(n, sizes[k], method, antialias))
  }
  as_value(tensor(x))
}

cubic <- function(near, far) {
  function(d) {
    d <- abs(d)
    powers <- function(b) ((b[1] * d + b[2]) * d + b[3]) * d + b[4]
    ifelse(d < 1, powers(near), ifelse(d < 2, powers(far), 0))
  }
}
lanczos <- function(r) {
  function(d) {
    x <- pi * d
    ifelse(d == 0, 1, ifelse(abs(d) < r, r * sin(x) * sin(x / r) / x^2, 0))
  }
}
#' What a cell weighs at a distance.
#' @noRd
resize_kernels <- list(
  bilinear = function(d) pmax(0, 1 - abs(d)),
  bicubic = cubic(c(1.5, -2.5, 0, 1), c(-0.5, 2.5, -4, 2)),
  mitchellcubic = cubic(c(7 / 6, -2, 0, 8 / 9), c(-7 / 18, 2, -10 / 3, 16 / 9)),
  lanczos3 = lanczos(3), lanczos5 = lanczos(5),
  gaussian = function(d) ifelse(abs(d) < 1.5, exp(-2 * d^2), 0),
  # of Pillow, for image_load() alone
  hamming = function(d) ifelse(d == 0, 1, ifelse(abs(d) < 1, sin(pi * d) / (pi * d) * (0.54 + 0.46 * cos(pi * d)), 0))
)

#' The weights of n cells in each of m, row by row.
#' @noRd
resize_matrix <- function(n, m, method, antialias) {
  scale <- n / m
  new <- seq_len(m)
  old <- seq_len(n)
  weights <- if (method == "area") {
    outer(new, old, function(o, i) pmax(0, pmin(o * scale, i) - pmax((o - 1) * scale, i - 1)))
  } else {
    kernel <- resize_kernels[[method]]
    wide <- if (antialias) max(scale, 1) else 1
    array(kernel(outer((new - 0.5) * scale, old - 0.5, `-`) / wide), c(m, n))
  }
  weights / rowSums(weights)
}

#' A matrix times each line of x along an axis.
#' @noRd
along_matrix <- function(x, axis, weights) {
  sizes <- open_shape(x)
  before <- sizes[seq_len(axis - 1)]
  after <- sizes[-seq_len(axis)]
  lines <- reshape_to(x, c(if (-1 %in% before) -1 else prod(before), sizes[axis], prod(after)))
  y <- op_matmul(tensor(weights, tensor_dtype(x)), lines)
  reshape_to(y, c(before, nrow(weights), after))
}

#' Cut boxes out of pictures, and resize them
#'
#' Each box of rows \eqn{y_1 .. y_2}{y1 .. y2} and columns \eqn{x_1 .. x_2}{x1 .. x2}, in parts of the height and width
#' less one cell, is read at `size` points from edge to edge, between the centres of cells: bilinear, or from the
#' nearest one. Where a box has y1 > y2, it is turned upside down.
#'
#' @param x a float tensor or array, (batch, rows, columns, channels).
#' @param boxes a tensor or array, (boxes, 4): y1, x1, y2, x2, where 0 is the first row and 1 the last.
#' @param box_indices whole numbers, (boxes), **0-based**: which picture of the batch each box is of.
#' @param size the rows and columns of the result.
#' @param method `"bilinear"` or `"nearest"`.
#' @param extrapolation_value what stands outside the pictures.
#' @return A tensor, (boxes, rows, columns, channels).
#' @section Errors: `nativenet_error_shape` for other axes; `nativenet_error_index` for a picture that is not there.
#' @seealso [op_resize()]
#' @examples
#' x <- array(1:16 / 2, c(1, 4, 4, 1))
#' as.array(op_crop_and_resize(x, matrix(c(0, 0, 1 / 3, 1 / 3), 1), 0, c(2, 2)))[1, , , 1] # its corner
#' @export
op_crop_and_resize <- function(x, boxes, box_indices, size, method = "bilinear", extrapolation_value = 0) {
  x <- as_floats(x)
  boxes <- op_cast(boxes, tensor_dtype(x))
  box_indices <- op_cast(tensor(box_indices), "int32")
  size <- per_spatial_axis(size, 2)
  check_choice(method, c("bilinear", "nearest"))
  outside <- check_number(extrapolation_value)
  sizes <- shape_of(x)
  if (length(sizes) != 4) abort("needs pictures (batch, rows, columns, channels), not shape ", format_shape(sizes),
    class = "shape")
  if (rank_of(boxes) != 2 || !4 %in% shape_of(boxes)[2]) abort("`boxes` must have the shape (boxes, 4), not ",
    format_shape(shape_of(boxes)), class = "shape")
  # for each box (first axis) the points along rows, or along columns
  points <- function(k) {
    last <- sizes[k + 1] - 1
    start <- op_slice(boxes, c(1, k), c(-1, 1))
    end <- op_slice(boxes, c(1, k + 2), c(-1, 1))
    step <- if (size[k] > 1) (seq_len(size[k]) - 1) / (size[k] - 1) else 0.5
    at <- (start + (end - start) * array(step, c(1, size[k]))) * last
    if (method == "nearest") at <- op_floor(at + 0.5)
    low <- op_clip(op_floor(at), 0, last)
    list(low = op_cast(low, "int32"), high = op_cast(op_clip(op_ceiling(at), 0, last), "int32"), part = at - low,
      inside = op_logical_and(op_greater_equal(at, 0), op_less_equal(at, last)))
  }
  on <- lapply(1:2, points)
  rows <- function(v) op_expand_dims(v, 3)
  columns <- function(v) op_expand_dims(v, 2)
  # gathered, so that a picture that is not there is refused
  one_each <- op_ones_like(op_slice(op_reshape(x, c(-1, prod(sizes[2:4]))), c(1, 1), c(-1, 1)))
  picture <- op_gather(op_cast(op_cumsum(one_each, 1), "int32") - 1L, box_indices)
  cells <- op_reshape(x, c(-1, sizes[4]))
  take <- function(y, x) {
    op_gather(cells, (op_expand_dims(picture, -1) * sizes[2] + rows(on[[1]][[y]])) * sizes[3] + columns(on[[2]][[x]]))
  }
  down <- op_expand_dims(rows(on[[1]]$part), 4)
  right <- op_expand_dims(columns(on[[2]]$part), 4)
  between <- function(a, b, part) a + (b - a) * part
  y <- if (method == "nearest") take("low", "low") else between(between(take("low", "low"), take("low", "high"), right),
    between(take("high", "low"), take("high", "high"), right), down)
  inside <- op_logical_and(rows(on[[1]]$inside), columns(on[[2]]$inside))
  op_where(op_expand_dims(inside, -1), y, outside)
}

#' Cells to channels, and back
#'
#' `op_space_to_depth()` turns each block of cells into one cell with as many times the channels: (batch, rows, columns,
#' channels) becomes (batch, rows / b, columns / b, b b channels). `op_depth_to_space()` turns them back.
#'
#' @param x a tensor or array, (batch, rows, columns, channels).
#' @param block_size a whole number, b.
#' @param data_format `"channels_last"`; or `"channels_first"` for (batch, channels, rows, columns).
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` if `b` does not divide rows and columns, or `b b` the channels.
#' @seealso [op_reshape()]
#' @examples
#' x <- array(1:16, c(1, 4, 4, 1))
#' as.array(op_space_to_depth(x, 2))[1, 1, 1, ] # 1 5 2 6
#' @export
op_space_to_depth <- function(x, block_size, data_format = "channels_last") {
  b <- check_count(block_size)
  x <- tensor(x)
  fun <- calling_function(environment())
  check_spatial_axes(x, 2)
  with_channels_last(x, check_data_format(data_format), function(x) {
    sizes <- open_shape(x)
    if (any(sizes[2:3] %% b > 0)) abort("`block_size` must divide the rows and columns of shape ",
      format_shape(shape_of(x)), ", not be ", b, class = "shape", fun = fun)
    small <- sizes[2:3] / b
    apart <- reshape_to(x, c(sizes[1], small[1], b, small[2], b, sizes[4]))
    reshape_to(op_transpose(apart, c(1, 2, 4, 3, 5, 6)), c(sizes[1], small, b^2 * sizes[4]))
  })
}

#' @rdname op_space_to_depth
#' @export
op_depth_to_space <- function(x, block_size, data_format = "channels_last") {
  b <- check_count(block_size)
  x <- tensor(x)
  fun <- calling_function(environment())
  check_spatial_axes(x, 2)
  with_channels_last(x, check_data_format(data_format), function(x) {
    sizes <- open_shape(x)
    if (sizes[4] %% b^2 > 0) abort("the square of `block_size` must divide the channels of shape ",
      format_shape(shape_of(x)), ", not be ", b, "^2", class = "shape", fun = fun)
    apart <- reshape_to(x, c(sizes[1:3], b, b, sizes[4] / b^2))
    reshape_to(op_transpose(apart, c(1, 2, 4, 3, 5, 6)), c(sizes[1], sizes[2:3] * b, sizes[4] / b^2))
  })
}

resize_axis <- function(x, axis, n, m, method) {
  if (n == m) return(x)
  at <- (seq_len(m) - 0.5) * n / m # counted in pixels from the edge
  take <- function(i) op_gather(x, array(as.integer(pmin(pmax(i, 0), n - 1)), m), axis)
  if (method == "nearest") return(take(floor(at)))
  below <- floor(at - 0.5)
  weight <- array(at - 0.5 - below, c(m, rep(1, rank_of(x) - axis)))
  low <- take(below)
  op_add(low, op_multiply(op_subtract(take(below + 1), low), weight))
}
