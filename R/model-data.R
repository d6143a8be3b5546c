# What users give as x and y, as columns that the engine takes rows from (R/model-rows.R).

#' @param known what columns and levels are called, see data_names().
#' @return list(columns, first, rows, layout, names, parts): inputs, targets, weights in the model's order, of which the
#'   `rows` rows after `first` are meant; the layout tells which there are, `parts` what the columns of inputs hold: see
#'   column_parts().
#' @noRd
model_data <- function(self, x, y = NULL, sample_weight = NULL, class_weight = NULL, fun = calling_function(),
  known = data_names(self)) {
  if (is.null(x)) abort("`x` must be given", fun = fun)
  n <- length(self$inputs)
  x <- parts_by_name(x, input_names(self, x), known[seq_len(n)], "x", fun)
  texts <- vapply(self$inputs, function(input) input$dtype == "string", NA)
  x[texts] <- lapply(x[texts], as_strings, "x", fun)
  if (!is.null(y)) y <- parts_by_name(y, output_names(self), known[-seq_len(n)], "y", fun)
  parts <- c(x, if (is.null(y)) rep(list(NULL), length(self$outputs)) else y)
  names <- lapply(seq_along(known), function(k) learned_names(known[[k]], parts[[k]]))
  readers <- input_readers(self)
  inputs <- lapply(seq_len(n), function(k) input_column(x[[k]], self$inputs[[k]], fun))
  made <- lapply(seq_len(n), function(k) add_tokens(inputs[[k]], self$inputs[[k]]$dtype, readers[[k]]))
  inputs <- lapply(made, `[[`, "column")
  targets <- if (!is.null(y)) target_columns(self, y, fun, x, inputs)
  weights <- if (!is.null(y)) weight_columns(self, y, sample_weight, class_weight, names[[n + 1]], fun)
  columns <- c(inputs, targets, weights)
  rows <- vapply(columns, function(t) dim(t)[1], 0L)
  if (any(rows != rows[1])) {
    what <- rep(c("x", "y", "sample_weight"), c(length(inputs), length(targets), length(weights)))
    parts <- c(layer_names_of(self$inputs), if (length(targets)) output_names(self), if (length(weights))
      output_names(self))
    what <- ifelse(table(what)[what] > 1, paste0("`", what, "` for `", parts, "`"), paste0("`", what, "`"))
    odd <- which(rows != rows[1])[1]
    abort(what[1], " has ", rows[1], " samples, but ", what[odd], " has ", rows[odd],
      if (is.null(dim(x[[1]])) && rows[1] > 1 && rows[odd] == 1) lost_row(2)
      else if (rows[odd] == 1 && prod(dim(columns[[odd]]))
        == rows[1]) "; a single row of numbers is meant as a column: `t()` turns it", class = "shape", fun = fun)
  }
  if (rows[1] == 0) abort("`x` has no samples", fun = fun)
  list(columns = columns, first = 0, rows = rows[1], layout = paste(c(length(inputs), length(targets), length(weights),
    unlist(lapply(made, function(m) lapply(m$parts, `[`, -1)))), collapse = " "), names = names,
    parts = lapply(made, `[[`, "parts"))
}

#' A list of arrays, one per input or output, from an array, a list (matched by names where these are the model's), or a
#' data frame. Names of a single one are not asked for.
#' @noRd
as_parts <- function(x, names, arg, fun, n = length(names)) {
  # a table has a column for each input
  if (is.data.frame(x) && n > 1 && all(names %in% names(x))) x <- as.list(x)
  if (!is.list(x) || is.object(x)) x <- list(x)
  # columns that no input reads, as in Keras
  if (length(x) > n && !is.null(names(x)) && all(names %in% names(x))) x <- x[names]
  if (n > 1 && all(nzchar(names(x))) && !is.null(names(x))) {
    unknown <- setdiff(names(x), names)
    if (length(unknown)) abort("`", arg, "` names `", unknown[1], "`, which the model does not have",
      did_you_mean(unknown[1], names), fun = fun)
    if (setequal(names(x), names)) x <- x[names]
  }
  if (length(x) == n) return(unname(x))
  sequences <- n == 1 && all(vapply(x, function(v) is.atomic(v) && is.null(dim(v)), NA))
  abort("`", arg, "` must have ", n, if (n == 1) " array" else " arrays", " (",
    paste0("`", names, "`", collapse = ", "), "), not ", length(x), if (sequences) padding_hint, fun = fun)
}

padding_hint <- paste0("; of a list of sequences `pad_sequences()` makes a matrix, with a row for each, and of ",
  "rows that are equally long `do.call(rbind, x)`")

layer_names_of <- function(tensors) vapply(tensors, function(t) t$node$layer$name, "")

#' A name for each input: that of its layer, or the one in the list that the model was made with. `x` may be named
#' either way.
#' @noRd
input_names <- function(self, x = NULL) {
  own <- layer_names_of(self$inputs)
  if (is.null(names(x))) return(own)
  given <- ifelse(nzchar(self$input_names), self$input_names, own)
  if (length(given) == length(own) && setequal(names(x), given)) given else own
}

input_readers <- function(self) string_readers(self, vapply(self$inputs, function(input) input$dtype, ""))

#' The tokens of layers that read an input, and where they stand in its column.
#' @noRd
add_tokens <- function(column, dtype, readers) {
  if (!length(readers)) {
    if (dtype == "string") abort("no layer of the model reads the strings in `x`", fun = "predict")
    return(list(column = column))
  }
  values <- if (dtype == "string") column else as.array(column_tensor(column))
  all <- c(if (dtype != "string") list(values), lapply(readers, make_tokens, values))
  parts <- lapply(all, dim)
  flat <- if (length(all) == 1) all[[1]] else do.call(cbind, lapply(all, function(a) matrix(a, dim(a)[1])))
  list(column = array_column(flat, "int64", dim(flat), finite_ends(flat)), parts = parts)
}

input_column <- function(value, input, fun) {
  wanted <- dim(input)
  t <- if (input$dtype == "string") string_rows(value, wanted) else
    like_rows(as_column(value, input$dtype, "x", fun, wanted), wanted)
  shape <- dim(t)
  if (length(shape) != length(wanted) || any(shape[-1] != wanted[-1], na.rm = TRUE)) {
    abort("`x` must have the shape ", format_keras_shape(wanted), " of `", input$node$layer$name, "`, not ",
      format_shape(shape), row_hint(value, wanted), class = "shape", fun = fun)
  }
  t
}

#' For rows that were not taken as such: one that has lost its first axis, or columns that are rows.
#' @noRd
row_hint <- function(value, wanted) {
  row <- as.integer(wanted[-1])
  shape <- if (is.null(dim(value))) length(value) else dim(value)
  if (identical(row, shape)) {
    lost_row(length(wanted), if (is_tensor(value)) "; elements of a data set become batches by `dataset_batch()`"
    else if (length(row) > 1) "; if these are all the rows, `input_shape` must be that of one, `dim(x)[-1]`")
  } else if (length(row) == 1 && length(shape) == 2 && identical(row, shape[1])) {
    paste0("; cases are rows and `input_shape` is the number of columns, but here it is that of the rows; ",
      "`t(x)` turns a matrix")
  } else if (!anyNA(row) && length(shape) > 1 && prod(row) == prod(shape[-1])) {
    paste0("; `array_reshape(x, c(nrow(x), ", paste(row, collapse = ", "), "))` gives rows of that shape")
  }
}

#' Row and column of an element, or all its indices; nothing for a vector, whose position is known.
#' @noRd
place_in <- function(value, at) {
  if (is.null(dim(value))) return()
  at <- arrayInd(at, dim(value))
  if (length(at) != 2) return(paste0(": [", paste(at, collapse = ", "), "]"))
  column <- colnames(value)[at[2]]
  paste0(": row ", at[1], ", column ", if (is.null(column) || !nzchar(column)) at[2] else paste0("`", column, "`"))
}

#' An array as a column of the dtype, without NA; a vector gets two axes beside rows of such a shape.
#' @noRd
as_column <- function(value, dtype, arg, fun, shape = NULL) {
  if (is.data.frame(value)) value <- as_number_matrix(value, arg, fun)
  if (is.factor(value)) value <- as.integer(value) - 1L
  if (is_tensor(value)) {
    t <- as_value(value)
    if (tensor_dtype(t) != dtype) t <- op_cast(t, dtype)
    if (!rank_of(t)) abort("`", arg, "` must have an axis of samples, but is a scalar", class = "shape", fun = fun)
    return(t)
  }
  if (is.list(value)) {
    abort("`", arg, "` must be an array, not a list", padding_hint, fun = fun)
  }
  value <- check_numbers(value, arg = arg, fun = fun)
  named <- function(e) {
    text <- error_text(e)
    at <- which(!is.finite(value))[1]
    if (is.na(at) && inherits(e, "nativenet_error_value") && is_whole_dtype(dtype)) {
      abort(text, ", in `", arg, "`: labels of classes and tokens are whole numbers from 0", fun = fun)
    }
    abort("`", arg, "`: ", text, if (!is.na(at)) place_in(value, at), class = error_kind(e), fun = fun)
  }
  ends <- withCallingHandlers(checked_ends(value, dtype), nativenet_error_value = named,
    nativenet_error_memory = named)
  dim <- if (is.null(dim(value))) c(length(value), if (length(shape) == 2) 1L) else dim(value)
  array_column(value, dtype, dim, ends)
}

#' @param y,x lists of the parts; `inputs` the columns of `x`.
#' @noRd
target_columns <- function(self, y, fun, x, inputs) {
  same <- length(y) == 1 && length(x) == 1 && identical(x[[1]], y[[1]]) &&
    identical(column_info(inputs[[1]])[[1]], target_dtype(self, 1))
  lapply(seq_along(y), function(k) {
    shape <- dim(self$outputs[[k]])
    if (is.factor(y[[k]])) check_factor(self, k, fun)
    like_rows(if (same) inputs[[k]] else as_column(y[[k]], target_dtype(self, k), "y", fun, shape), shape)
  })
}

#' A vector is a column beside a tensor of rows, as in Keras.
#' @noRd
like_rows <- function(x, shape) {
  if (length(dim(x)) != 1 || length(shape) != 2) return(x)
  if (is_tensor(x)) return(op_reshape(x, c(-1, 1)))
  array_column(.subset2(x, "values"), .subset2(x, "dtype"), c(dim(x), 1), .subset2(x, "ends"))
}

target_dtype <- function(self, k) if (takes_labels(self$compiled$losses[[k]])) "int32" else self$outputs[[k]]$dtype

# Losses whose targets are class numbers.
takes_labels <- function(loss) isTRUE(part_name(loss) %in% label_losses)

#' Weights of the samples, from `sample_weight` and `class_weight`, as a column per output; NULL if there are none.
#' @param y a list of the parts.
#' @param known the columns and levels of the first.
#' @noRd
weight_columns <- function(self, y, sample_weight, class_weight, known, fun) {
  if (is.null(sample_weight) && is.null(class_weight)) return(NULL)
  names <- output_names(self)
  n <- length(names)
  if (n > 1 && !is.null(class_weight)) abort("`class_weight` is for models of one output", fun = fun)
  given <- if (is.list(sample_weight)) as_parts(sample_weight, names, "sample_weight", fun) else
    rep(list(sample_weight), n)
  for (w in given) if (!is.null(w) && !is_tensor(w) && !is.data.frame(w)) check_numbers(w, "sample_weight", fun)
  Map(function(w, y, output) {
    weights <- function(value, arg) column_tensor(as_column(value, output$dtype, arg, fun))
    by_class <- if (!is.null(class_weight)) weights(class_weights(y, class_weight, known, fun), "class_weight")
    if (is.null(w)) w <- if (is.null(by_class)) tensor(rep(1, NROW(y)), output$dtype) else by_class
    else w <- weigh(weights(w, "sample_weight"), by_class)
    if (any(as.array(w) < 0)) abort("`", if (is.null(class_weight)) "sample_weight" else "class_weight",
      "` must not be negative", fun = fun)
    w
  }, given, y, self$outputs)
}

#' Classes are called by their levels or columns where all the names are among these, otherwise by number.
#' @noRd
class_weights <- function(y, class_weight, known, fun) {
  values <- plain_vector(class_weight, "class_weight", fun)
  given <- names(values)
  if (is.null(given) || !is.numeric(values))
    abort("`class_weight` must be a named list of numbers, such as list(\"0\" = 1, \"1\" = 5)", fun = fun)
  if (anyNA(values)) abort("`class_weight` must not have NA; the weight of class ", given[is.na(values)][1], " is",
    fun = fun)
  if (any(values < 0)) abort("`class_weight` must not be negative", fun = fun)
  if (any(is.infinite(values))) abort("`class_weight` must be finite numbers; the weight of class ",
    given[is.infinite(values)][1], " is ", values[is.infinite(values)][1], fun = fun)
  classes <- class_numbers(y, fun)
  called <- class_names(known = known)
  numbers <- suppressWarnings(as.numeric(given))
  if (all(given %in% called)) {
    numbers <- match(given, called) - 1
  } else {
    odd <- c(setdiff(given[is.na(numbers)], called), setdiff(given, called))[1]
    if (anyNA(numbers)) {
      abort("`class_weight` names the class `", odd, "`, but there is ", if (length(called))
        paste0(some_names("", called), ", or "), "0, 1, ...", fun = fun)
    }
    called <- NULL
  }
  missing <- setdiff(unique(classes), numbers)
  if (length(missing)) abort("`class_weight` has no weight for class ", if (length(called)) called[missing[1] + 1] else
    missing[1], fun = fun)
  unname(values[match(classes, numbers)])
}

#' Class numbers from labels, or from rows that are one-hot.
#' @noRd
class_numbers <- function(y, fun = calling_function()) {
  if (is_tensor(y)) y <- as.array(y)
  if (is.factor(y)) return(as.integer(y) - 1L)
  y <- if (is.data.frame(y)) as_number_matrix(y, "y", fun) else check_numbers(y, "y", fun)
  if (length(dim(y)) == 2 && ncol(y) > 1) return(max.col(y, ties.method = "first") - 1L)
  as.integer(y)
}
