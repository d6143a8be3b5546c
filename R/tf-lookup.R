# tf$lookup: tables from keys to values, numbers or strings.

#' Numbers or strings as R has them; `read` makes of values like them what a look-up gives.
#' @noRd
table_side <- function(x, dtype, arg, fun) {
  if (!is.null(dtype)) dtype <- check_choice(dtype, c(dtypes, "string"), paste0(sub("s$", "", arg), "_dtype"), fun)
  if (is_strings(x)) return(list(x = as.vector(as_strings(x, arg, fun)), dtype = "string"))
  x <- tf_tensor(x)
  dtype <- if (is.null(dtype)) tensor_dtype(x) else as.character(check_choice(dtype, dtypes, "dtype", fun))
  list(x = as.vector(as.array(op_cast(x, dtype))), dtype = dtype)
}

new_table <- function(keys, values, default, fun) {
  if (length(keys$x) != length(values$x)) abort("`keys` and `values` must be as many, not ", length(keys$x), " and ",
    length(values$x), class = "shape", fun = fun)
  doubled <- keys$x[duplicated(keys$x)]
  if (length(doubled)) abort("`keys` has ", describe(doubled[1]), " twice", fun = fun)
  if (length(default) != 1 || is.na(default)) abort("`default_value` must be one value, not ", describe(default),
    fun = fun)
  structure(list2env(list(keys = keys, values = values, default = default), parent = emptyenv()), class = "nn_table")
}

#' The values that belong to keys, in their shape.
#' @noRd
look_up <- function(table, keys, fun = "lookup") {
  check_not_tracing("it looks keys up in R")
  own <- .subset2(table, "keys")
  values <- .subset2(table, "values")
  strings <- own$dtype == "string"
  if (strings != is_strings(keys)) abort("`keys` must be ", if (strings) "strings" else "numbers", ", not ",
    describe(keys), fun = fun)
  wanted <- if (strings) as_strings(keys, "keys", fun) else as.array(tensor(keys))
  at <- match(as.vector(wanted), own$x)
  found <- ifelse(is.na(at), .subset2(table, "default"), values$x[at])
  if (!is.null(dim(wanted)) && (!strings || !is.null(dim(keys)))) found <- array(found, dim(wanted))
  if (values$dtype == "string") found else tensor(found, values$dtype)
}

table_members <- list(
  lookup = function(x) function(keys, name = NULL) look_up(x, keys),
  size = function(x) function(name = NULL) tensor(length(.subset2(x, "keys")$x), "int64"),
  default_value = function(x) .subset2(x, "default"),
  key_dtype = function(x) nn_dtype(.subset2(x, "keys")$dtype),
  value_dtype = function(x) nn_dtype(.subset2(x, "values")$dtype)
)

#' @export
`$.nn_table` <- function(x, name) {
  member <- table_members[[name]]
  if (is.null(member)) unknown_member(name, names(table_members), "a table")
  member(x)
}

#' @export
`[.nn_table` <- function(x, keys) look_up(x, keys, "[")

#' @export
print.nn_table <- function(x, ...) {
  cat("<table of ", length(.subset2(x, "keys")$x), " keys>\n", sep = "")
  invisible(x)
}

lookup_namespace <- function() new_namespace("tf$lookup", list(
  KeyValueTensorInitializer = function(keys, values, key_dtype = NULL, value_dtype = NULL, name = NULL) {
    fun <- "tf$lookup$KeyValueTensorInitializer"
    structure(list(keys = table_side(keys, key_dtype, "keys", fun), values = table_side(values, value_dtype, "values",
      fun)), class = "nn_table_initializer")
  },
  StaticHashTable = function(initializer, default_value, name = NULL) {
    fun <- "tf$lookup$StaticHashTable"
    if (!inherits(initializer, "nn_table_initializer")) abort("`initializer` must be a ",
      "`tf$lookup$KeyValueTensorInitializer()`, not ", describe(initializer), fun = fun)
    default <- if (is_strings(default_value)) as.vector(as_strings(default_value, "default_value", fun)) else
      as.vector(as.array(tensor(default_value)))
    new_table(initializer$keys, initializer$values, default, fun)
  }
))
