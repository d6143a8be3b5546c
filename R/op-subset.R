# Parts of tensors as keras3 takes and replaces them: `[` with its indices, but places count from 1 in tensors, too.

#' Parts of tensors
#'
#' `op_subset()` takes a part as R's `[` does. `op_subset_set()` is the tensor with another part in its place,
#' `op_subset(x, ...) <- value` puts that under the name of `x`; a [variable()] is changed in place.
#'
#' Indices are those of `[` for tensors ([tensor-methods]): 1-based numbers, which drop their axis; vectors, logical
#' vectors and ranges `a:b` or `a:b:step`, which keep it; negative ones count from the end, as in Python; `NULL` or
#' `newaxis` is a new axis. In addition
#'
#' * axes that no index stands for are kept: `op_subset(x, 1)` of a matrix is its first row;
#' * `..` or [all_dims()] stands for as many empty indices as are missing;
#' * `NA` in a range is the end of the axis: `2:NA`;
#' * a logical array of the shape of `x` chooses elements, row by row;
#' * a matrix with a column for each axis chooses an element for each of its rows;
#' * tensors as indices are 1-based.
#'
#' From R 4.3 on `x@r[...]` is `op_subset(x, ...)`, and `x@py[...]` counts from 0, without the ends of ranges, as Python
#' does.
#'
#' @param x a tensor, a variable or an array.
#' @param ... indices.
#' @param value numbers that broadcast to the shape of the part.
#' @return A tensor. Of `op_subset<-` with a variable: the variable.
#' @section Errors: `nativenet_error_index` for places that are not there; `nativenet_error_shape` for a `value` that
#'   does not broadcast.
#' @seealso [op_slice()], [op_take()], [op_scatter_update()]
#' @examples
#' x <- tensor(matrix(1:6, 2))
#' op_subset(x, 1)
#' op_subset(x, .., 2:NA)
#' op_subset(x, x > 3)
#' op_subset(x, rbind(c(1, 1), c(2, 3)))
#' op_subset(x, , 2) <- 0L
#' x
#' op_subset(x, newaxis) |> dim()
#' @export
op_subset <- function(x, ...) subset_of(x, read_indices(sys.call(), parent.frame(), ...))

#' @rdname op_subset
#' @export
op_subset_set <- function(x, ..., value) {
  check_given(missing(value), "value")
  with_subset(x, read_indices(sys.call(), parent.frame(), ...), value)
}

#' @rdname op_subset
#' @export
`op_subset<-` <- function(x, ..., value) {
  new <- with_subset(x, read_indices(sys.call(), parent.frame(), ...), value)
  if (is_variable(x)) variable_assign(x, new) else new
}

# ---- x@r[...] and x@py[...], as in keras3 ----

#' What lies behind `@`: the tensor, of which `[` takes a part as op_subset(), or as Python.
#' @noRd
at_tensor <- function(object, name) {
  name <- check_choice(as.character(name), c("r", "py"), "name", "@")
  structure(list(object), class = paste0("nn_subset_", name))
}

at_set_tensor <- function(object, name, value) value

#' @export
`[.nn_subset_r` <- function(x, ...) subset_of(x[[1]], read_indices(sys.call(), parent.frame(), ...), "[")

#' @export
`[.nn_subset_py` <- function(x, ...) part_of(tensor(x[[1]]), read_indices(sys.call(), parent.frame(), ...,
  style = "python"), TRUE)

#' @export
`[<-.nn_subset_r` <- function(x, ..., value) {
  new <- with_subset(x[[1]], read_indices(sys.call(), parent.frame(), ...), value, "[<-")
  if (is_variable(x[[1]])) variable_assign(x[[1]], new) else new
}

#' Before R 4.3 `@` is for objects of S4 alone.
#' @noRd
register_at <- function() {
  if (getRversion() < "4.3") return(invisible())
  for (class in c("nn_tensor", "nn_keras_tensor")) {
    registerS3method("@", class, at_tensor, baseenv())
    registerS3method("@<-", class, at_set_tensor, baseenv())
  }
}

#' A new axis
#'
#' `NULL` under a name, for [op_subset()] and `[` of tensors.
#'
#' @format `NULL`.
#' @examples
#' dim(tensor(1:3)[newaxis, ])
#' @export
newaxis <- NULL

subset_of <- function(x, indices, fun = calling_function()) {
  symbolic <- is_keras_tensor(x)
  if (!symbolic) x <- tensor(x)
  indices <- subset_indices(indices, if (symbolic) dim(x) else shape_of(x), fun)
  if (symbolic && is_places(indices)) abort("takes no matrix of places for a symbolic tensor", fun = fun)
  if (is_places(indices)) return(op_gather(op_reshape(x, -1), unclass(indices)))
  # `[` of a symbolic tensor makes a layer of the call
  if (symbolic) do.call(`[`, c(list(x), lapply(indices, written_index))) else part_of(x, indices, TRUE)
}

#' An index as the code that `[` reads.
#' @noRd
written_index <- function(index) {
  if (!inherits(index, "nn_range")) return(index)
  if (!length(index)) return(quote(expr = ))
  Reduce(function(a, b) call(":", a, b), unclass(index))
}

#' Indices with all axes; of a matrix of places the 0-based places among all elements, row by row.
#' @noRd
subset_indices <- function(indices, sizes, fun) {
  rank <- length(sizes)
  if (length(indices) == 1 && (is.matrix(indices[[1]]) || is_tensor(indices[[1]])) && !is_mask(indices[[1]]) &&
    length(dim(indices[[1]])) == 2 && dim(indices[[1]])[2] == rank) return(places_of_matrix(indices[[1]], sizes))
  if (length(indices) == 1 && is_mask(indices[[1]]) && length(dim(indices[[1]])) > 1) return(indices)
  for (k in seq_along(indices)) if (is_tensor(indices[[k]]) && !is_mask(indices[[k]])) {
    axis <- sum(lengths(lapply(indices[seq_len(k)], list)) - vapply(indices[seq_len(k)], is.null, NA))
    if (rank_of(indices[[k]]) > 1) abort("an index of an axis must be a vector, not of shape ",
      format_shape(shape_of(indices[[k]])), class = "index", fun = fun)
    indices[[k]] <- places_from_end(to_zero(indices[[k]]), sizes[axis])
  }
  given <- sum(!vapply(indices, function(i) is.null(i) || inherits(i, "nn_all_dims"), NA))
  if (given < rank && !any(vapply(indices, inherits, NA, "nn_all_dims"))) indices <- c(indices, list(all_dims()))
  indices
}

is_places <- function(x) inherits(x, "nn_places")

places_of_matrix <- function(at, sizes) {
  if (is_tensor(at)) at <- as.array(at)
  places <- lapply(seq_along(sizes), function(k) if (nrow(at)) positions(at[, k], sizes[k], k) - 1 else numeric())
  ahead <- row_major_steps(sizes)
  place <- Reduce(`+`, Map(`*`, places, ahead))
  structure(array(as.integer(place), nrow(at)), class = "nn_places")
}

#' x with another part: of all elements in a row, and behind them those of the value, each place takes its own.
#' @noRd
with_subset <- function(x, indices, value, fun = calling_function()) {
  if (is_keras_tensor(x)) abort("does not change symbolic tensors; `op_where()` and `op_concatenate()` make others",
    class = "missing", fun = fun)
  x <- as_value(tensor(x))
  for (index in indices) if (is_tensor(index) && is_symbolic(index))
    abort_trace("which places of a tensor change depends on its values")
  sizes <- shape_of(x)
  n <- prod(sizes)
  indices <- subset_indices(indices, sizes, fun)
  at <- if (is_places(indices)) unclass(indices) else outside_of_trace(unrecorded(as.array(part_of(op_reshape(
    tensor(array(seq_len(n) - 1L, n)), sizes), indices, TRUE))))
  shape <- if (is.null(dim(at))) integer() else dim(at)
  value <- in_dtype_of(x, value, "value", fun)
  if (rank_of(value) > length(shape)) abort("`value` of shape ", format_shape(shape_of(value)),
    " does not fit a part of shape ", format_shape(shape), class = "shape", fun = fun)
  value <- op_reshape(op_broadcast_to(value, shape), -1)
  from <- seq_len(n) - 1L
  count <- length(at)
  from[c(if (length(shape) > 1) aperm(at) else at) + 1] <- as.integer(n) + seq_len(count) - 1L
  op_reshape(op_gather(op_concat(list(op_reshape(x, -1), value), 1), array(from, n)), sizes)
}
