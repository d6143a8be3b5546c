# Shapes and dtypes as objects: they print and compare as TensorFlow's do.

#' A shape: integers that print as TensorFlow's do. NA: not known yet.
#' @noRd
nn_shape <- function(dim) structure(as.integer(dim), class = "nn_shape")

#' @export
format.nn_shape <- function(x, ...) {
  sizes <- as.integer(x)
  paste0("TensorShape([", paste(ifelse(is.na(sizes), "None", sizes), collapse = ", "), "])")
}
#' @export
print.nn_shape <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' TensorFlow's members of a shape, whose sizes are whole numbers here.
#' @noRd
shape_members <- list(
  as_list = function(x) function() if (anyNA(x) || !length(x)) lapply(x, function(n) if (!is.na(n)) n) else x,
  rank = function(x) length(x), ndims = function(x) length(x),
  dims = function(x) lapply(x, function(n) if (!is.na(n)) n),
  num_elements = function(x) function() if (!anyNA(x)) as.integer(prod(x)),
  is_fully_defined = function(x) function() !anyNA(x),
  is_compatible_with = function(x) function(other) fits_shape(x, as_sizes(other)),
  concatenate = function(x) function(other) nn_shape(c(x, as_sizes(other))),
  merge_with = function(x) function(other) {
    other <- as_sizes(other)
    if (!fits_shape(x, other)) abort("the shapes ", format_shape(x), " and ", format_shape(other),
      " are not compatible", class = "shape", fun = "merge_with")
    nn_shape(ifelse(is.na(x), other, x))
  }
)

fits_shape <- function(x, other) length(x) == length(other) && !any(x != other, na.rm = TRUE)

#' Sizes from a shape, a vector or a list, in which NULL or NA stand for any.
#' @noRd
as_sizes <- function(x, arg = "other", fun = calling_function()) {
  sizes <- inherits(x, "nn_shape") || !is.object(x) && (is.atomic(x) || is.list(x))
  if (!sizes || is.null(x)) abort("`", arg, "` must be sizes, not ", describe(x), class = "shape", fun = fun)
  vapply(unclass(x), as_size, 0L, arg, fun)
}

as_size <- function(n, arg, fun) if (is_open_size(n)) NA_integer_ else as.integer(check_count(n, min = 0, arg = arg,
  fun = fun))

#' @export
`$.nn_shape` <- function(x, name) {
  member <- shape_members[[name]]
  if (is.null(member)) abort("a shape has no `$", name, "`", did_you_mean(name, names(shape_members)), fun = NULL)
  member(as.integer(x))
}

#' @export
.DollarNames.nn_shape <- function(x, pattern = "") grep(pattern, names(shape_members), value = TRUE)

#' A shape, a dtype and a name, which print as TensorFlow's do.
#' @noRd
nn_tensor_spec <- function(shape, dtype, name = NULL) structure(list(shape = shape, dtype = dtype, name = name),
  class = "nn_tensor_spec")

#' @export
format.nn_tensor_spec <- function(x, ...) {
  sizes <- as.integer(x$shape)
  paste0("TensorSpec(shape=(", paste(ifelse(is.na(sizes), "None", sizes), collapse = ", "), if (length(sizes) == 1) ",",
    "), dtype=", format(x$dtype), ", name=", if (is.null(x$name)) "None" else paste0("'", x$name, "'"), ")")
}
#' @export
print.nn_tensor_spec <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' A dtype: its name, which prints as TensorFlow's do and compares with strings.
#' @noRd
nn_dtype <- function(name) structure(name, class = "nn_dtype")

#' @export
format.nn_dtype <- function(x, ...) paste0("tf.", as.character(x))
#' @export
print.nn_dtype <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
# The ends of dtypes, also of those that are kept as others (R/tf-dtypes.R).
dtype_ends <- list(float16 = c(-65504, 65504), float32 = c(-1, 1) * (2 - 2^-23) * 2^127,
  float64 = c(-1, 1) * .Machine$double.xmax, int8 = c(-128, 127), uint8 = c(0, 255), int16 = c(-32768, 32767),
  uint16 = c(0, 65535), int32 = c(-2^31, 2^31 - 1), uint32 = c(0, 2^32 - 1), int64 = c(-2^63, 2^63), bool = c(0, 1))

dtype_members <- list(
  name = function(x) x, is_floating = function(x) grepl("float|half", x), is_bool = function(x) x == "bool",
  is_integer = function(x) grepl("^u?int", x), is_unsigned = function(x) startsWith(x, "uint"),
  is_complex = function(x) startsWith(x, "complex"), min = function(x) dtype_end(x, 1),
  max = function(x) dtype_end(x, 2),
  limits = function(x) list(dtype_end(x, 1), dtype_end(x, 2)),
  size = function(x) if (x == "bool") 1L else as.integer(sub("[^0-9]*", "", x)) %/% 8L,
  base_dtype = function(x) nn_dtype(x), as_numpy_dtype = function(x) x,
  is_compatible_with = function(x) function(other) identical(x, as.character(other))
)

dtype_end <- function(x, k) {
  if (is.null(dtype_ends[[x]])) abort("numbers of ", x, " have no least or greatest one", class = "dtype", fun = NULL)
  if (x == "bool") k == 2 else dtype_ends[[x]][k]
}

#' @export
`[[.nn_dtype` <- function(x, i) if (is.character(i)) `$.nn_dtype`(x, i) else unclass(x)[[i]]

#' @export
`$.nn_dtype` <- function(x, name) {
  member <- dtype_members[[name]]
  if (is.null(member)) abort("a dtype has no `$", name, "`", did_you_mean(name, names(dtype_members)), fun = NULL)
  member(as.character(x))
}
