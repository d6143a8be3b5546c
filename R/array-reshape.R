#' Reshape an array in row-major order
#'
#' `array_reshape()` gives an array another shape in row-major order, as C and NumPy do: the last index runs fastest, so
#' that each image of an array (n, 28, 28) becomes a row, pixel row by pixel row. `dim(x) <- ` is column-major: the
#' first index runs fastest, which mixes the images' rows and columns.
#'
#' @param x an array or vector.
#' @param dim the new shape; one size may be -1, and is inferred.
#' @param order `"C"` for row-major order, or `"F"` for column-major order, as R has it.
#' @return An array.
#' @examples
#' array_reshape(1:6, c(2, 3))
#' images <- array(0, c(5, 28, 28))
#' dim(array_reshape(images, c(5, 784)))
#' @export
array_reshape <- function(x, dim, order = c("C", "F")) {
  order <- check_choice(order, c("C", "F"))
  if (is_tensor(x)) x <- as.array(x)
  x <- plain_argument(x)
  if (is.object(x) && !is.factor(x)) x <- bare_numbers(x)
  if (!is.atomic(x)) abort("`x` must be an array, not ", describe(x))
  dim <- check_sizes(dim, min = -1, arg = "dim")
  open <- which(dim == -1)
  if (length(open) == 1) dim[open] <- length(x) / prod(dim[-open])
  if (prod(dim) != length(x)) abort("`dim` ", format_shape(dim), " does not hold ", length(x), " elements",
    class = "shape")
  check_room(dim, "dim")
  from <- if (is.null(base::dim(x))) length(x) else base::dim(x)
  # axes of size 1, and a single axis to unfold, cost nothing
  turn <- function(y, n) if (sum(n > 1) > 1) aperm(y, rev(seq_along(n))) else y
  if (order == "C") {
    x <- turn(array(x, from), from)
    base::dim(x) <- NULL
    return(array(turn(array(x, rev(dim)), rev(dim)), dim))
  }
  array(x, dim)
}
