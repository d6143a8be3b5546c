# What a layer is called on: names of arguments, arrays as tensors, and the dtypes of floats.

#' Further arguments of a call with their names: further inputs come first, then what call() has.
#' @noRd
call_arguments <- function(self, given) {
  if (!length(given)) return(given)
  own <- layer_type(self)$arguments # of classes of the user's
  if (!is.null(own)) return(with_argument_names(given, setdiff(own[-1], c("training", "mask", "..."))))
  with_argument_names(given, c(layer_type(self)$takes[-1], setdiff(names(formals(layer_type(self)$call))[-(1:2)],
    c("training", "mask", "..."))))
}

#' Arrays become tensors; floats take the layer's dtype, in a model that of their input.
#' @noRd
as_inputs <- function(self, x) {
  arrange <- layer_type(self)$arrange
  if (!is.null(arrange) && !is_tensor(x)) x <- arrange(self, x)
  leaves <- tensor_leaves(x)
  dtypes <- input_floats(self, length(leaves))
  fill_leaves(x, lapply(seq_along(leaves), function(i) {
    t <- leaves[[i]]
    if (reads_strings(self)) return(token_tensor(self, t))
    if (is_strings(t)) return(pass_strings(self, t))
    if (is_tensor(t)) return(if (isFALSE(layer_type(self)$autocast)) t else cast_float(t, dtypes[i]))
    wanted <- layer_type(self)$input_dtype
    if (is.data.frame(t)) t <- as_number_matrix(t, "x", self$name)
    t <- check_numbers(t, arg = "x", fun = self$name)
    tensor(if (is.null(dim(t)) && length(t) != 1) array(t, length(t)) else t, if (is.null(wanted)) dtypes[i] else
      wanted)
  }))
}

#' The dtypes that the floats of n inputs take.
#' @noRd
input_floats <- function(self, n) {
  own <- rep(self$dtype, n)
  if (!self$kind %in% c("model", "sequential") || length(self$inputs) != n) return(own)
  of_inputs <- vapply(self$inputs, function(input) input$dtype, "")
  ifelse(of_inputs %in% float_dtypes, of_inputs, own)
}

cast_float <- function(t, dtype) {
  own <- tensor_dtype(t)
  if (own == dtype || !own %in% float_dtypes) return(t)
  with_note(op_cast(t, dtype), "mask", attr(t, "mask"))
}
