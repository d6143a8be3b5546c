# The names of the data that a model was trained with: columns of inputs and targets, levels of factors. Training notes
# them at the symbolic tensors that stand for the data, so that models which share these know them, too. Whatever comes
# later is put into that order. What has no names is taken by position.

#' What is known of the model's inputs and outputs: for each list(columns, levels), or NULL.
#' @noRd
data_names <- function(self) lapply(c(self$inputs, self$outputs), function(t) .subset2(t, "names"))

note_names <- function(self, known) {
  tensors <- c(self$inputs, self$outputs)
  for (k in seq_along(tensors)) if (!identical(.subset2(tensors[[k]], "names"), known[[k]])) assign("names", known[[k]],
    envir = tensors[[k]])
}

#' What the classes of the first output are called: its levels or columns.
#' @noRd
class_names <- function(self, known = data_names(self)[[length(self$inputs) + 1]]) {
  c(known$levels, if (is.null(known$levels) && length(known$columns) > 1) known$columns)
}

#' What is known already, and besides what the value brings.
#' @noRd
learned_names <- function(known, value) {
  columns <- column_names(value)
  if (is.null(columns) && !is.factor(value)) return(known)
  if (anyDuplicated(columns) || !all(nzchar(columns)) || anyNA(columns)) columns <- NULL # only as positions
  found <- if (is.factor(value)) list(levels = levels(value)) else if (length(columns) || is_tensor(value) &&
    !is.null(columns)) list(columns = columns)
  known <- c(known, found[setdiff(names(found), names(known))])
  if (length(known)) known
}

#' Names along the last axis.
#' @noRd
column_names <- function(value) {
  if (is.data.frame(value)) return(names(value))
  if (is_tensor(value)) return(attr(value, "columns")) # of a data set
  rank <- length(dim(value))
  if (rank > 1) dimnames(value)[[rank]]
}

#' The parts of x or y, with their columns and levels as the model knows them.
#' @noRd
parts_by_name <- function(x, names, known, arg, fun) {
  n <- length(known)
  parts <- as_parts(x, names, arg, fun, n)
  lapply(seq_len(n), function(k) {
    part <- parts[[k]]
    if (is.data.frame(part) && length(part) == 1 && is.factor(part[[1]])) part <- part[[1]]
    part <- plain_argument(part, arg, fun) # `[` drops the class of an integer64
    if (is.null(known[[k]])) part else by_name(part, known[[k]],
      paste0("`", arg, "`", if (n > 1) paste0(" for `", names[k], "`")), fun)
  })
}

by_name <- function(value, known, what, fun) {
  if (is.factor(value)) return(if (is.null(known$levels)) value else with_levels(value, known$levels, what, fun))
  columns <- column_names(value)
  if (!length(columns) || is.null(known$columns) || identical(columns, known$columns)) return(value)
  if (!length(known$columns)) {
    warn("`", fun, "()`: the columns of ", what,
      " are taken by position: the model was trained with a data set that lost their names on the way, as in ",
      "`dataset_map()`", class = "names")
    return(value)
  }
  check_same_columns(columns, known$columns, what, fun)
  order <- match(known$columns, columns)
  if (is.data.frame(value)) return(list2DF(unclass(value)[order]))
  if (is_tensor(value)) return(op_gather(value, array(order - 1L, length(order)), -1))
  do.call(`[`, c(list(value), rep(list(TRUE), length(dim(value)) - 1), list(order), drop = FALSE))
}

check_same_columns <- function(columns, wanted, what, fun) {
  odd <- c(
    some_names("has no column ", setdiff(wanted, columns)), some_names("has the new column ", setdiff(columns, wanted)),
    some_names("has twice the column ", columns[duplicated(columns)])
  )
  if (!length(odd)) return()
  abort(what, " ", paste(odd, collapse = " and "), "; the model was trained with ", some_names("", wanted),
    ". Columns without names, as `unname(as.matrix())` gives, are taken by position", class = "names", fun = fun)
}

with_levels <- function(f, wanted, what, fun) {
  own <- levels(f)
  if (identical(own, wanted)) return(f)
  at <- match(own, wanted)
  new <- own[is.na(at) & tabulate(f, length(own)) > 0]
  if (length(new)) abort(what, some_names(" has the new level ", new), "; the model was trained with ",
    some_names("", wanted), class = "names", fun = fun)
  structure(at[as.integer(f)], levels = wanted, class = "factor")
}

# ---- in a model's file: a list of what is known, as data_names() gives it ----

names_entry <- function(self) {
  known <- data_names(self)
  if (any(lengths(known))) to_json(lapply(known, function(k) if (!is.null(k)) lapply(k, as.list)))
}

read_names <- function(text, self, fun) {
  entries <- from_json(text, "list of names", fun)
  is_text <- function(x) is.list(x) && all(vapply(x, function(s) is.null(s) || is.character(s) && length(s) == 1, NA))
  is_entry <- function(x) is.null(x) || is.list(x) && all(names(x) %in% c("columns", "levels")) && !is.null(names(x)) &&
    all(vapply(x, is_text, NA))
  if (length(entries) != length(c(self$inputs, self$outputs)) || !all(vapply(entries, is_entry, NA))) {
    abort("the file's list of names does not fit its model", class = "file", fun = fun)
  }
  note_names(self, lapply(entries, lapply, function(x) vapply(x, function(s) if (is.null(s)) NA_character_ else s, "")))
}
