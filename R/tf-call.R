# How the functions of `tf` take what comes: values as tf$constant() sees them, lists as Python's, 0-based axes.

#' A class of Python's with functions of its own, such as `tf$train$Example()` and `tf$train$Example$FromString()`.
#' @noRd
new_type <- function(f, path, members) structure(f, class = "nn_type", path = path, members = members)

#' @export
`$.nn_type` <- function(x, name) {
  members <- attr(x, "members")
  if (is.null(members[[name]])) unknown_member(name, names(members), paste0("`", attr(x, "path"), "`"))
  members[[name]]
}

#' @export
.DollarNames.nn_type <- function(x, pattern = "") grep(pattern, names(attr(x, "members")), value = TRUE)

#' @export
print.nn_type <- function(x, ...) {
  cat("<", attr(x, "path"), "()>\n", sep = "")
  invisible(x)
}

#' Functions of `tf` that compute what activations of ours do: layers know them, so that models with them are saved.
#' @noRd
as_activations <- function(functions) Map(function(f, name) {
  own <- find_name("activation", name)
  if (is.function(f) && !is.na(own)) structure(f, spells = paste0("activation_", own)) else f
}, functions, names(functions))

#' An R value or tensor as tf$constant() sees it.
#' @noRd
tf_value <- as_tensorflow(function(x, dtype = NULL, fun = calling_function()) {
  if (is_tensor(x)) return(as_value(tensor(x, dtype)))
  one <- is_branch(x) && length(x) == 1
  if (is_branch(x)) x <- if (length(x)) stacked(x, fun) else numeric() # [] is a vector of no numbers
  if (is_tensor(x)) return(tensor(x, dtype))
  x <- bare_numbers(x, "value", fun)
  if (anyNA(x) && !is.double(x)) abort("`value` has NA at position ", which(is.na(x))[1], fun = fun)
  if (one && is.null(dim(x))) op_reshape(tensor(x, dtype), 1) else tensor(x, dtype)
})

#' A list as Python reads it: its parts, which may be lists again, along a new first axis. Numbers without dimensions
#' stay such.
#' @noRd
stacked <- function(x, fun) {
  parts <- lapply(x, function(part) {
    if (is_branch(part) && length(part)) stacked(part, fun) else if (is_tensor(part)) part else
      bare_numbers(part, "value", fun)
  })
  shapes <- lapply(parts, shape_of)
  odd <- which(!vapply(shapes, identical, NA, shapes[[1]]))[1]
  if (!is.na(odd)) {
    abort("`value` is a list of parts that differ in shape: ", format_shape(shapes[[1]]), ", and at position ",
      odd, " ", format_shape(shapes[[odd]]), class = "shape", fun = fun)
  }
  if (all(lengths(shapes) == 0) && !any(vapply(parts, is_tensor, NA))) return(unlist(parts))
  op_stack(parts, axis = 1)
}

#' What an op takes as it is, and lists.
#' @noRd
op_input <- function(x) if (is_branch(x)) tf_value(x) else x

#' The same as a tensor.
#' @noRd
tf_tensor <- function(x) as_value(tensor(op_input(x)))

reduction <- function(op) {
  function(input_tensor, axis = NULL, keepdims = FALSE, name = NULL) op(op_input(input_tensor), from_zero(axis),
    keepdims)
}
unary <- function(op) function(x, name = NULL) op(op_input(x))
binary <- function(op) function(x, y, name = NULL) op(op_input(x), op_input(y))

#' The mean of whole numbers is truncated towards zero to one, as in TensorFlow.
#' @noRd
mean_as_tensorflow <- function(x, axis, keepdims) {
  x <- if (is_tensor(x)) x else if (is.double(x)) return(op_mean(x, axis, keepdims)) else tensor(x)
  if (!is_whole_dtype(tensor_dtype(x)))
    return(op_mean(if (tensor_dtype(x) == "bool") op_cast(x, "float32") else x, axis, keepdims))
  total <- op_sum(x, axis, keepdims)
  axes <- if (is.null(axis)) seq_len(rank_of(x)) else check_axis(axis, rank_of(x)) + 1
  count <- op_cast(op_prod(op_gather(op_shape(x), as.integer(axes - 1), 1)), tensor_dtype(x))
  op_multiply(op_sign(total), op_floor_divide(op_abs(total), count))
}

