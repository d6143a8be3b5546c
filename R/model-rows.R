# Columns: what the engine takes the rows of inputs, targets and weights from. A column is a tensor, or an R array as it
# is, whose rows are converted batch by batch on their way into a program's inputs (src/run/dataset.c). Which rows of
# the columns are meant stands beside them: list(columns, first, rows, ...), see model_data().

#' An R array as a column: bare numbers that are known to fit the dtype, and the shape that they are meant to have.
#' @param ends the smallest and the largest of them.
#' @noRd
array_column <- function(values, dtype, dim, ends) {
  structure(list(values = values, dim = as.integer(dim), dtype = dtype, ends = ends), class = "nn_column")
}

#' The ends of numbers that fit the dtype. An error says which one does not: NA, NaN or Inf, or what is not whole where
#' the dtype is.
#' @noRd
checked_ends <- function(values, dtype) {
  ends <- finite_ends(values)
  .Call(C_check_fits, values, dtype_code(dtype))
  ends
}

#' @export
dim.nn_column <- function(x) .subset2(x, "dim")

#' list(dtype, shape)
#' @noRd
column_info <- function(x) if (is_tensor(x)) tensor_info(x)[1:2] else list(.subset2(x, "dtype"), .subset2(x, "dim"))

#' The column as a tensor, in the memory of the tensor `into` if that is of its dtype and shape.
#' @noRd
column_tensor <- function(x, into = NULL) {
  if (is_tensor(x)) return(x)
  .Call(C_tensor_into, .subset2(x, "values"), dtype_code(.subset2(x, "dtype")), .subset2(x, "dim"), into)
}

#' The smallest and the largest number of a column, as its dtype has them.
#' @noRd
column_ends <- function(x) {
  if (is_tensor(x)) return(c(as.double(op_min(x)), as.double(op_max(x))))
  as.double(tensor(.subset2(x, "ends"), .subset2(x, "dtype")))
}

#' The rows that are meant of column k, as an R array.
#' @noRd
column_array <- function(data, k) {
  all <- as.array(column_tensor(data$columns[[k]]))
  if (data$rows == dim(all)[1]) return(all)
  array_rows(all, data$first + seq_len(data$rows))
}

#' Rows of an array of any number of axes.
#' @noRd
array_rows <- function(x, rows) array(array(x, c(dim(x)[1], prod(dim(x)[-1])))[rows, , drop = FALSE],
  c(length(rows), dim(x)[-1]))

#' Rows `from` to `to` of all columns.
#' @noRd
data_rows <- function(data, from, to) {
  data$first <- data$first + from - 1
  data$rows <- to - from + 1
  data
}

# ---- batches that the engine takes from a native data set by itself (src/run/dataset.c) ----

#' Is it (x, y) or (x, y, weights), rather than the inputs alone?
#' @noRd
has_targets <- function(element, inputs) is_branch(element) && length(element) %in% 2:3 &&
  (length(element) != inputs || is_branch(element[[1]]))

#' A description of such batches in the manner of model_data(): columns for one of them, and `from` which tensor of an
#' element each comes (from 0). FALSE if R has to look at each batch.
#' @param element,data the first batch, and what was made of it.
#' @noRd
native_batches <- function(self, element, data, batches) {
  if (!is.null(data$template)) {
    if (is.null(batches) || data$rows != batches$size) return(FALSE)
    return(utils::modifyList(data, list(columns = lapply(data$columns, op_zeros_like),
      from = seq_along(data$columns) - 1L)))
  }
  if (is.null(batches) || data$rows != batches$size || length(unlist(data$parts))) return(FALSE)
  leaves <- tensor_leaves(element)
  numbered <- fill_leaves(element, as.list(seq_along(leaves)))
  n <- length(self$inputs)
  trains <- length(data$columns) > n
  pair <- trains || has_targets(element, n)
  if (trains && length(element) != 2) return(FALSE)
  x <- if (pair) element[[1]] else element
  from <- unlist(c(as_parts(if (pair) numbered[[1]] else numbered, input_names(self, x), "x", "fit", n),
    if (trains) as_parts(numbered[[2]], output_names(self), "y", "fit")))
  if (!all(mapply(comes_as_it_is, leaves[from], data$columns, data$names[seq_along(data$columns)]))) return(FALSE)
  list(columns = lapply(data$columns, op_zeros_like), from = from - 1L, first = 0, rows = data$rows,
    names = data$names, layout = data$layout, parts = data$parts)
}

#' Is the column the tensor of the data set, but for its dtype and the second axis of a column of numbers?
#' @noRd
comes_as_it_is <- function(leaf, column, names) {
  from <- tensor_info(leaf)
  to <- column_info(column)
  called <- column_names(leaf)
  (from[[1]] == to[[1]] || to[[1]] %in% float_dtypes) &&
    (identical(from[[2]], to[[2]]) || identical(c(from[[2]], 1L), to[[2]])) &&
    (is.null(called) || identical(called, names$columns))
}

#' The batch that the columns hold, as the model has it.
#' @noRd
batch_at_hand <- function(data, state) {
  data$rows <- epoch_totals(state)[1]
  data$columns <- lapply(data$columns, slice_rows, 1, data$rows)
  data
}

# ---- fit() goes through the rows in any order, and again and again ----

#' The columns as tensors, in the memory that the last call of fit() had for its data, if these are of the same shapes.
#' What takes time is fresh memory more than the conversion, which is done each time: so it does not matter whether, and
#' how, the arrays have changed since.
#' @return the data, with what was made for them in `own`.
#' @noRd
training_data <- function(data) {
  columns <- data$columns
  kept <- take_memory()
  # an autoencoder's target is its input
  same <- vapply(columns, function(x) Position(function(other) identical(other, x), columns), 0L)
  ours <- which(!vapply(columns, is_tensor, NA) & same == seq_along(columns))
  fits <- function(k) !is.null(kept[[k]]) && identical(column_info(columns[[k]]), column_info(kept[[k]]))
  if (length(kept) != length(columns) || !all(vapply(ours, fits, NA))) kept <- NULL # before there is more
  data$own <- vector("list", length(columns))
  for (k in ours) data$own[k] <- list(column_tensor(columns[[k]], kept[[k]]))
  data$columns[ours] <- data$own[ours]
  data$columns <- data$columns[same]
  data
}

# One set for all models, held for as long as the one that was trained is there. Who uses it takes it away.
take_memory <- function() {
  kept <- if (!is.null(session$rows)) .Call(C_weak_value, session$rows)
  session$rows <- NULL
  kept
}

keep_memory <- function(self, own) session$rows <- .Call(C_weak, self, own)
