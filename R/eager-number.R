# Numbers that are tensors in Keras: results of metrics, learning rates, counts of steps. R computes with them, and asks
# `if` and sprintf() with them, as with any number; they have the members that scripts ask such a tensor for.

#' @param x a double vector.
#' @param dtype of the tensor that it is in Keras.
#' @param class further classes, whose members come first.
#' @noRd
eager_number <- function(x, dtype = session$floatx, ..., class = NULL)
  structure(x, dtype = dtype, ..., class = c(class, "nn_eager_number"))

eager_number_members <- list(
  numpy = function(x) function() bare_number(x),
  value = function(x) function() tensor(bare_number(x), attr(x, "dtype")),
  read_value = function(x) function() tensor(bare_number(x), attr(x, "dtype")),
  dtype = function(x) nn_dtype(attr(x, "dtype")),
  shape = function(x) nn_shape(if (length(x) != 1) length(x))
)

#' Without its class and what it knows; also of what R computed from it.
#' @noRd
bare_number <- function(x) as.vector(unclass(x))

#' @export
`$.nn_eager_number` <- function(x, name) {
  member <- eager_number_members[[name]]
  if (is.null(member)) unknown_member(name, names(eager_number_members), "such a number")
  member(x)
}

#' @export
format.nn_eager_number <- function(x, ...) format(bare_number(x), ...)

#' @export
print.nn_eager_number <- function(x, ...) {
  print(bare_number(x), ...)
  invisible(x)
}

#' @export
as.array.nn_eager_number <- function(x, ...) bare_number(x)

#' @export
as.data.frame.nn_eager_number <- function(x, ...) as.data.frame(bare_number(x), ...)

#' @export
all.equal.nn_eager_number <- function(target, current, ...) all.equal(bare_number(target),
  if (inherits(current, "nn_eager_number")) bare_number(current) else current, ...)
