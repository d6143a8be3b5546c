# Tensors as R objects: an external pointer of class nn_tensor. An eager tensor has numbers; a
# symbolic one stands for a slot of the program that is being traced.

# Of each float dtype the distance from 1 to the next number, and the largest one.
float_limits <- list(float32 = list(eps = 2^-23, most = (2 - 2^-23) * 2^127),
  float64 = list(eps = .Machine$double.eps, most = .Machine$double.xmax))
float_dtypes <- names(float_limits)
dtypes <- c(float_dtypes, "int32", "int64", "bool")

#' The engine's code of a dtype, given as a string or as what `x$dtype` gives; -1 lets the R type decide.
#' @noRd
dtype_code <- function(dtype, fun = calling_function()) {
  if (is.null(dtype)) return(-1L)
  match(check_choice(dtype, dtypes, arg = "dtype", fun = fun), dtypes) - 1L
}

#' Tensors
#'
#' A tensor is an array whose numbers live in the engine, in row-major order and with a dtype. R arrays keep their
#' indices: `x[i, j]` in R is element (i, j) of the tensor. A number without dimensions becomes a scalar, a vector a
#' tensor of one axis.
#'
#' @param x for `tensor()`: a numeric or logical vector, matrix or array, or a tensor; for
#'   `as.array()` and the others: a tensor.
#' @param dtype `"float32"`, `"float64"`, `"int32"`, `"int64"` or `"bool"`; by default doubles become
#'   `"float64"`, integers `"int32"`, bit64's `integer64` `"int64"`, logicals `"bool"`. Fractions and numbers
#'   that the dtype cannot hold are an error for the integer dtypes; use [op_cast()] to truncate.
#' @param ... ignored.
#' @return `tensor()`: an object of class `nn_tensor`. `as.array()`: an R array with the same
#'   indices (a plain number for a scalar). `tensor_dtype()`: a string. `dim()`: the shape,
#'   `integer(0)` for a scalar.
#' @section Vectors with a class: here and wherever the package takes numbers, `integer64` (of bit64,
#'   `data.table::fread()` and database drivers) is read as the whole numbers that it holds; beyond 2^53 floats do not
#'   hold them exactly, which is an error. Tables, time series, `I()`, Roman and octal numbers and matrices of package
#'   Matrix are what they look like. Dates, times, durations, units, factors, labelled vectors, survival times and all
#'   other classes are refused by name: what their numbers mean is for you to say, and the message has the conversion.
#' @section Errors: of class `nativenet_error_value` for anything that is not an array of numbers or
#'   logicals, and for NA, fractions or numbers beyond the range of an integer type. `"float64"` keeps R's NA,
#'   `"float32"` has only NaN.
#' @examples
#' x <- tensor(matrix(1:6, 2), dtype = "float32")
#' x
#' dim(x)
#' as.array(op_sum(x, axis = 1))
#' @export
tensor <- function(x, dtype = NULL) {
  code <- dtype_code(dtype)
  if (inherits(x, "nn_tensor")) {
    if (is.null(dtype) || tensor_dtype(x) == dtype) return(x)
    return(op_cast(x, dtype))
  }
  .Call(C_tensor, bare_numbers(x), code)
}

#' Which dtype doubles without dimensions have: float64, or float32 while a function of TensorFlow's or Keras' name
#' runs.
#' @noRd
plain_dtype <- function() dtypes[.Call(C_plain_dtype, -1L) + 1L]

name_check <- quote(if (!is.null(name)) check_string(name))

#' A function in which doubles without dimensions are float32, as in TensorFlow. Its arguments are evaluated first: they
#' are the user's code. So it must not call functions of the user's.
#' @noRd
as_tensorflow <- function(f) {
  inputs <- lapply(setdiff(names(formals(f)), "..."), as.name)
  needed <- needed_arguments(f)
  given <- lapply(inputs, function(x) if (x == quote(name)) name_check else if (as.character(x) %in% needed)
    bquote(if (missing(.(x))) check_given(TRUE, .(as.character(x))) else force(.(x))) else
    bquote(if (!missing(.(x))) force(.(x))))
  code <- dtype_code("float32")
  body(f) <- as.call(c(as.name("{"), given, bquote(before <- .Call(C_plain_dtype, .(code))),
    quote(on.exit(.Call(C_plain_dtype, before))), body(f)))
  f
}

#' Arguments without a default, of functions that do not look after that themselves.
#' @noRd
needed_arguments <- function(f) if (!"missing" %in% all.names(body(f)))
  setdiff(names(Filter(function(x) identical(x, quote(expr = )), formals(f))), "...")

#' A function that says which of them are missing.
#' @noRd
with_needed <- function(f) {
  checks <- lapply(needed_arguments(f), function(arg) bquote(check_given(missing(.(as.name(arg))), .(arg))))
  if (length(checks)) body(f) <- as.call(c(as.name("{"), checks, body(f)))
  f
}

#' The dtype of plain numbers that meet in an op of floats.
#' @noRd
float_dtype <- function(...) {
  for (x in list(...)) if (is.double(x) && !is.object(x) && !is.null(dim(x))) return("float64")
  plain_dtype()
}

#' R's numbers as `k_*()` and loops take them, doubles as Keras' floats.
#' @noRd
as_floatx <- function(x) if (is_tensor(x) || is_keras_tensor(x)) x else tensor(x, if (is.double(x)) session$floatx)

#' The smallest and the largest number of an R array. An error names the first NA, NaN or Inf.
#' @noRd
finite_ends <- function(x) .Call(C_finite_ends, x)
check_finite <- function(x) invisible(finite_ends(x))

#' @rdname tensor
#' @export
tensor_dtype <- function(x) tensor_info(x)[[1]]

tensor_info <- function(x) .Call(C_tensor_info, x)

#' @export
dim.nn_tensor <- function(x) tensor_info(x)[[2]]

#' @export
length.nn_tensor <- function(x) as.integer(prod(tensor_info(x)[[2]]))

#' @rdname tensor
#' @export
as.array.nn_tensor <- function(x, ...) {
  if (is_tracing() && is_variable(x)) abort_trace("it looks at the numbers of a variable")
  .Call(C_array, known_value(x))
}

#' What C calls where doubles lie beside the whole numbers.
#' @noRd
warn_rounded <- function() {
  warn("the tensor has whole numbers beyond 2^53, which doubles do not hold exactly: they are rounded",
    class = "precision")
}

#' A symbolic tensor that follows from shapes alone has numbers, for the shapes at hand: see src/border/r_sizes.c.
#' @noRd
known_value <- function(x) {
  known <- if (is_tensor(x)) .Call(C_value_from_shapes, x)
  if (is.null(known)) x else known
}

#' @export
in_words.nn_tensor <- function(x) paste("a tensor of shape", format_shape(dim(x)))

#' @export
as.matrix.nn_tensor <- function(x, ...) as.matrix(as.array(x))

#' @export
as.double.nn_tensor <- function(x, ...) as.double(as.array(x))

#' Before R code makes a large array: is there room for it? If not, an error of class `nativenet_error_memory` that says
#' which argument asks for how much.
#' @param dim its sizes; those that are not known yet count as 1.
#' @param bytes of each number, in all the arrays of this size that the code needs at once.
#' @param of the tensor that the array is made of: a symbolic one needs no room yet.
#' @noRd
check_room <- function(dim, arg, bytes = 8, of = NULL) {
  if (is_symbolic(of)) return(invisible())
  dim <- as.double(dim[!is.na(dim)])
  if (prod(dim) * bytes >= 2^20) .Call(C_check_room, dim, bytes, paste0("as `", arg, "` asks, an array"))
}

is_symbolic <- function(x) is_tensor(x) && tensor_info(x)[[3]]

#' Tensors of the same numbers, in the place of earlier copies if they fit.
#' @noRd
copies <- function(xs, into = NULL) .Call(C_copies, xs, into)

#' The numbers of now: a variable's would change.
#' @noRd
as_value <- function(x) if (is_variable(x)) op_cast(x, tensor_dtype(x)) else x

#' Variables
#'
#' A variable is a tensor whose numbers can be replaced. Tapes watch trainable variables by
#' themselves. `variable_assign()` changes the variable in place, for all who hold it; what a tape
#' recorded before is not affected.
#'
#' @param x an array or tensor: the first value; for `variable_assign()` a variable.
#' @param dtype as for [tensor()].
#' @param trainable should tapes watch it?
#' @param name what it is called where it is printed; names need not differ.
#' @param value an array or tensor of the same shape.
#' @return The variable; invisibly from `variable_assign()`.
#' @examples
#' w <- variable(c(1, 2))
#' variable_assign(w, c(3, 4))
#' as.array(w)
#' @export
variable <- function(x, dtype = NULL, trainable = TRUE, name = "Variable") {
  check_not_tracing("it makes a variable")
  .Call(C_variable, tensor(x, dtype), as.integer(check_flag(trainable)), check_string(name))
}

#' As TensorFlow gives it: with the number of the output, which is always 0.
#' @noRd
variable_name <- function(x) paste0(.Call(C_variable_info, x)[[1]], ":0")

is_trainable <- function(x) .Call(C_variable_info, x)[[2]]

#' @rdname variable
#' @export
variable_assign <- function(x, value) {
  if (!is.null(session$replica)) note_assigned(session$replica, x)
  if (!is_tracing()) .Call(C_variable_assign, x, value)
  else .Call(C_program_assign, tracing_program(), x, value)
  invisible(x)
}

#' In a step that runs for a part of a batch: which variables it changes, and what they held before.
#' @noRd
note_assigned <- function(replica, x) {
  if (is_one_of(x, replica$assigned)) return()
  replica$assigned <- c(replica$assigned, list(x))
  replica$before <- c(replica$before, outside_of_trace(copies(list(x))))
}

# ---- which object is it? ----

# Objects with a state are compared by what they are, not by what they hold. These do it, not identical(), which takes
# all tensors, programs and optimizers that were read from a file for one.

#' Where among these it stands first; NA if nowhere.
#' @noRd
place_of <- function(x, xs) {
  at <- .Call(C_place_of, x, xs)
  if (at) at else NA_integer_
}

is_one_of <- function(x, xs) .Call(C_place_of, x, xs) > 0
is_same <- function(x, y) is_one_of(x, list(y))

unique_objects <- function(xs) unname(as.list(xs)[vapply(seq_along(xs), function(i) place_of(xs[[i]], xs) == i, NA)])
