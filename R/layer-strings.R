# Strings at the border of the engine, which has numbers only. Layers that read strings turn them into whole numbers
# ("tokens") in R, before anything is computed; from there on they are layers like all others. Their types have
#
#   tokens(self, x)          an array of strings as an array of tokens
#   token_shape(self, shape) the shape of these for strings of this shape; by default the same
#   of_numbers               TRUE if `tokens()` takes whole numbers, too
#   passes_numbers           TRUE if call() takes whole numbers as they are, beside tokens with the note "limbs"
#
# and call() finds the tokens in place of the strings. In a program a tensor of tokens stands for each layer that reads
# an input: it comes with the input, as its column does (R/model-data.R).

reads_strings <- function(self) !is.null(layer_type(self)$tokens)

#' Which layers within this one read its inputs: a list with those of each.
#' @param dtypes of the inputs.
#' @noRd
string_readers <- function(self, dtypes) {
  none <- vector("list", length(dtypes))
  if (!any(dtypes == "string" | is_whole_dtype(dtypes))) return(none)
  own <- layer_type(self)$readers # models know which reads which
  found <- if (!is.null(own)) own(self) else rep(list(Filter(reads_strings, layers_within(self))), length(dtypes))
  found <- c(found, none)[seq_along(dtypes)] # tensors among further arguments come last
  Map(function(layers, dtype) {
    if (dtype == "string") return(layers)
    if (is_whole_dtype(dtype)) Filter(function(l) isTRUE(layer_type(l)$of_numbers), layers)
  }, found, dtypes)
}

# ---- what R has ----

#' Strings as an array of them, in UTF-8.
#' @noRd
as_strings <- function(x, arg, fun) {
  if (is.data.frame(x) && all(vapply(x, function(v) is.character(v) || is.factor(v), NA)))
    x <- do.call(cbind, lapply(x, as.character))
  if (is.factor(x)) x <- as.character(x)
  if (!is.character(x)) abort("`", arg, "` must be strings, not ", describe(x), fun = fun)
  if (anyNA(x)) abort("`", arg, "` must not have missing strings; number ", which(is.na(x))[1], " is NA", fun = fun)
  array(check_utf8(as.vector(x), arg, fun), string_shape(x))
}

#' A vector is a column where rows of one string are wanted.
#' @noRd
string_rows <- function(x, shape) if (length(dim(x)) == 1 && length(shape) == 2) array(x, c(length(x), 1L)) else x

#' What a layer makes of strings, or of whole numbers.
#' @noRd
make_tokens <- function(self, x) {
  if (is_tensor(x)) {
    if (is_symbolic(x)) abort_trace(paste0("`", self$name, "` works in R, on what comes into a model or function, ",
      "not on what is computed there"))
    x <- as.array(x)
  }
  layer_type(self)$tokens(self, if (is.numeric(x) && isTRUE(layer_type(self)$of_numbers)) with_axes_of(check_whole(x,
    -2^53, 2^53, "x", self$name), x) else as_strings(x, "x", self$name))
}

with_axes_of <- function(values, x) array(values, string_shape(x))

# ---- what programs have ----

#' Strings of which a program knows the shape, and what each layer that reads them makes of them.
#' @param tokens a list of list(layer, tensor).
#' @noRd
traced_strings <- function(dim, tokens) structure(list(dim = as.integer(dim), tokens = tokens), class = "nn_strings")

#' @export
dim.nn_strings <- function(x) .subset2(x, "dim")

#' @export
in_words.nn_strings <- function(x) paste("strings of shape", format_shape(dim(x)))

#' What a layer that reads strings computes with.
#' @noRd
token_tensor <- function(self, x) {
  noted <- if (inherits(x, "nn_strings")) .subset2(x, "tokens") else if (is_tensor(x)) attr(x, "tokens")
  mine <- Find(function(read) identical(read$layer, self), noted)
  numbers <- isTRUE(layer_type(self)$passes_numbers)
  if (!is.null(mine)) return(if (numbers) with_note(mine$tensor, "limbs", TRUE) else mine$tensor)
  if (numbers && is_tensor(x)) return(x)
  if (numbers && is.numeric(x)) return(tensor(with_axes_of(check_whole(x, -2^53, 2^53, "x", self$name), x), "int64"))
  if (inherits(x, "nn_strings")) abort("reads strings, but neither the model nor a layer of it holds this layer",
    fun = self$name)
  if (is_tensor(x) && !isTRUE(layer_type(self)$of_numbers)) abort("reads strings, not a tensor of ", tensor_dtype(x),
    "; a model begins with them by `layer_input(dtype = \"string\")`", fun = self$name)
  tokens <- tensor(make_tokens(self, x), "int64")
  if (numbers) with_note(tokens, "limbs", TRUE) else tokens
}

#' Strings that come to a layer which does not read them.
#' @noRd
pass_strings <- function(self, x) {
  if (self$kind %in% c("custom", "own_model")) return(x)
  if (!is_model(layer_handle(self)) || inherits(x, "nn_strings") && !length(self$inputs)) {
    abort("`x` must be a numeric or logical array, not ", describe(x), "; `layer_string_lookup()`, ",
      "`layer_text_vectorization()` and `layer_hashing()` make numbers of strings", fun = self$name)
  }
  x
}

# An input's column holds its numbers, if it has any, and the tokens of all layers that read it, side by side.

#' The shapes of the parts of a column: NULL for an input that is what it is.
#' @noRd
column_parts <- function(dtype, shape, readers) {
  if (!length(readers)) return()
  c(if (dtype != "string") list(shape), lapply(readers, function(l) {
    rule <- layer_type(l)$token_shape
    if (is.null(rule)) shape else rule(l, shape)
  }))
}

column_spec <- function(dtype, shape, parts) {
  if (!length(parts)) return(if (dtype != "string") tensor_spec(dtype, shape))
  tensor_spec("int64", if (length(parts) == 1) parts[[1]] else
    c(shape[1], sum(vapply(parts, function(s) prod(s[-1]), 0))))
}

#' The column's tensor as layers have it: a tensor, or strings.
#' @noRd
column_input <- function(column, dtype, shape, readers, parts) {
  if (!length(parts)) return(if (dtype == "string") traced_strings(shape, list()) else column)
  sizes <- vapply(parts, function(s) prod(s[-1]), 0)
  pieces <- if (length(parts) == 1) list(column) else
    Map(op_reshape, split_axis(column, as.integer(sizes), 2), lapply(parts, function(s) c(-1, s[-1])))
  strings <- dtype == "string"
  tokens <- Map(function(layer, piece) list(layer = layer, tensor = piece), readers, if (strings) pieces else
    pieces[-1])
  if (strings) traced_strings(shape, tokens) else with_note(op_cast(pieces[[1]], dtype), "tokens", tokens)
}
