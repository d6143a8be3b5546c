# TensorFlow's functions of strings, which are R's own character vectors and arrays: what functions for `standardize` of
# layer_text_vectorization() are written with.

#' Strings made of strings, in the shape they have.
#' @noRd
map_strings <- function(input, f, fun = calling_function()) {
  x <- as.vector(as_strings(input, "input", fun)) # no error of the user's code, or of these, is one of f
  made <- f(x)
  if (is.null(dim(input))) made else array(made, dim(input))
}

#' Letters of ASCII only, or of all scripts.
#' @noRd
change_case <- function(input, encoding, ascii, all, fun = calling_function()) {
  check_choice(encoding, c("", "utf-8"), "encoding", fun)
  map_strings(input, if (encoding == "") ascii else all, fun)
}

#' "\\0" is the whole match for TensorFlow, which R lacks: all is a group here, so those of the pattern count from 2.
#' @noRd
whole_match <- function(rewrite, fun = calling_function()) {
  parts <- regmatches(rewrite, gregexpr("\\\\.?", rewrite))[[1]]
  odd <- grep("^\\\\[0-8\\\\]$", parts, invert = TRUE, value = TRUE)
  if (length(odd)) abort("`rewrite` has `", odd[1], "`, but a backslash stands before a digit up to 8 or a backslash",
    fun = fun)
  digits <- grepl("[0-9]", parts)
  parts[digits] <- paste0("\\", as.integer(substring(parts[digits], 2)) + 1)
  regmatches(rewrite, gregexpr("\\\\.?", rewrite)) <- list(parts)
  rewrite
}

tf_strings <- list(
  lower = function(input, encoding = "", name = NULL) change_case(input, encoding, lower_ascii, tolower),
  upper = function(input, encoding = "", name = NULL) change_case(input, encoding, upper_ascii, toupper),
  strip = function(input, name = NULL) map_strings(input, trimws),
  length = function(input, unit = "BYTE", name = NULL) {
    type <- c(BYTE = "bytes", UTF8_CHAR = "chars")[check_choice(unit, c("BYTE", "UTF8_CHAR"))]
    tensor(map_strings(input, function(x) nchar(x, type)), "int32")
  },
  regex_replace = function(input, pattern, rewrite, replace_global = TRUE, name = NULL) {
    check_string(pattern)
    rewrite <- whole_match(check_string(rewrite))
    replace <- if (check_flag(replace_global)) gsub else sub
    fun <- "tf$strings$regex_replace"
    map_strings(input, function(x) tryCatch(suppressWarnings(replace(paste0("(", pattern, ")"), rewrite, x,
      perl = TRUE)),
      error = function(e) abort("`pattern` is no regular expression: ", describe(pattern), fun = fun)))
  },
  join = function(inputs, separator = "", name = NULL) {
    check_string(separator)
    parts <- lapply(if (is_branch(inputs)) inputs else list(inputs), as_strings, "inputs", "tf$strings$join")
    sizes <- unique(lapply(parts[lengths(parts) != 1], dim))
    if (length(sizes) > 1) abort("`inputs` must be of one shape, not ", format_shape(sizes[[1]]), " and ",
      format_shape(sizes[[2]]), class = "shape", fun = "tf$strings$join")
    made <- do.call(paste, c(lapply(parts, as.vector), sep = separator, list(recycle0 = TRUE)))
    if (length(sizes) && length(sizes[[1]]) > 1) array(made, sizes[[1]]) else made
  },
  reduce_join = function(inputs, axis = NULL, keepdims = FALSE, separator = "", name = NULL) {
    x <- as_strings(inputs, "inputs", "tf$strings$reduce_join")
    check_string(separator)
    check_flag(keepdims)
    if (is.null(axis)) {
      joined <- paste(row_major(x), collapse = separator)
      return(if (keepdims) array(joined, rep(1, length(dim(x)))) else joined)
    }
    at <- check_axis(from_zero(axis), length(dim(x))) + 1
    if (length(at) != 1) abort("`axis` must be one axis, not ", describe(axis), fun = "tf$strings$reduce_join")
    rest <- dim(x)[-at]
    if (!length(rest)) return(paste(x, collapse = separator))
    y <- apply(x, seq_along(dim(x))[-at], paste, collapse = separator)
    array(y, if (keepdims) replace(dim(x), at, 1L) else rest)
  },
  split = function(input, sep = NULL, maxsplit = -1, name = NULL) {
    if (check_count(maxsplit, min = -1) != -1) abort("`maxsplit` must be -1", fun = "tf$strings$split")
    x <- as_strings(input, "input", "tf$strings$split")
    parts <- if (is.null(sep) || !nzchar(check_string(sep))) strsplit(trimws(x), "[[:space:]]+") else
      lapply(strsplit(paste0(x, sep), sep, fixed = TRUE), as.character)
    several(parts, input)
  },
  unicode_split = function(input, input_encoding, errors = "replace", replacement_char = 65533, name = NULL) {
    check_choice(input_encoding, "UTF-8")
    check_decoding(errors, replacement_char)
    several(strsplit(as_strings(input, "input", "tf$strings$unicode_split"), ""), input)
  },
  bytes_split = function(input, name = NULL) several(lapply(as_strings(input, "input", "tf$strings$bytes_split"),
    function(x) vapply(charToRaw(x), rawToChar, "")), input),
  unicode_decode = function(input, input_encoding, errors = "replace", replacement_char = 65533,
    replace_control_characters = FALSE, name = NULL) {
    check_choice(input_encoding, "UTF-8")
    check_decoding(errors, replacement_char, replace_control_characters)
    several(lapply(as_strings(input, "input", "tf$strings$unicode_decode"), function(x) tensor(utf8ToInt(x), "int32")),
      input)
  },
  unicode_encode = function(input, output_encoding, errors = "replace", replacement_char = 65533, name = NULL) {
    check_choice(output_encoding, "UTF-8")
    check_decoding(errors, replacement_char)
    fun <- "tf$strings$unicode_encode"
    text <- function(x) intToUtf8(check_whole(as.vector(x), min = 1, max = 0x10ffff, arg = "input", fun = fun))
    if (is_branch(input)) return(vapply(input, function(x) text(as.array(tensor(x))), ""))
    x <- as.array(tensor(input))
    if (length(dim(x)) > 2) abort("`input` must have at most two axes, not the shape ", format_shape(dim(x)),
      class = "shape", fun = fun)
    if (length(dim(x)) == 2) apply(x, 1, text) else text(x)
  },
  substr = function(input, pos, len, unit = "BYTE", name = NULL) {
    check_choice(unit, c("BYTE", "UTF8_CHAR"))
    pos <- check_whole(c(as.array(tensor(pos))), arg = "pos")
    len <- check_whole(c(as.array(tensor(len))), min = 0, arg = "len")
    if (length(pos) != 1 || length(len) != 1) abort("`pos` and `len` must be single numbers", fun = "tf$strings$substr")
    map_strings(input, function(x) {
      if (unit == "BYTE" && any(nchar(x, "bytes") != nchar(x))) abort("the strings are not of ASCII alone: give ",
        "`unit = \"UTF8_CHAR\"`", fun = "tf$strings$substr")
      n <- nchar(x)
      start <- ifelse(pos < 0, pos + n, pos)
      if (any(start < 0 | start > n)) abort("`pos` of ", pos[1], " lies outside of a string", class = "index",
        fun = "tf$strings$substr")
      substr(x, start + 1, start + len)
    })
  },
  to_number = function(input, out_type = "float32", name = NULL) {
    x <- as_strings(input, "input", "tf$strings$to_number")
    numbers <- suppressWarnings(as.numeric(x))
    if (anyNA(numbers)) abort("`input` has ", describe(x[is.na(numbers)][1]), ", which is no number",
      fun = "tf$strings$to_number")
    tensor(if (is.null(dim(input))) c(numbers) else array(numbers, dim(input)), check_choice(out_type, dtypes))
  },
  as_string = function(input, precision = -1, scientific = FALSE, shortest = FALSE, width = -1, fill = "",
    name = NULL) {
    x <- as.array(tensor(op_input(input)))
    check_flag(scientific)
    check_flag(shortest)
    if (check_count(width, min = -1) != -1 || nzchar(check_string(fill))) abort("`width` and `fill` must be left out",
      fun = "tf$strings$as_string")
    precision <- check_count(precision, min = -1)
    text <- if (is.double(x) && !is_whole_dtype(tensor_dtype(tensor(op_input(input))))) formatC(as.vector(x),
      digits = if (precision < 0) 6 else precision, format = if (scientific) "e" else if (shortest) "g" else "f") else
      tolower(format(as.vector(x), trim = TRUE, scientific = FALSE))
    if (length(dim(x)) < 2) text else array(text, dim(x))
  },
  regex_full_match = function(input, pattern, name = NULL) {
    check_string(pattern)
    tensor(map_strings(input, function(x) tryCatch(suppressWarnings(grepl(paste0("\\A(?:", pattern, ")\\z"), x,
      perl = TRUE)), error = function(e) abort("`pattern` is no regular expression: ", describe(pattern),
      fun = "tf$strings$regex_full_match"))))
  },
  format = function(template, inputs, placeholder = "{}", summarize = 3, name = NULL) {
    summarize <- check_count(summarize, min = -1)
    pieces <- strsplit(paste0(check_string(template), " "), check_string(placeholder), fixed = TRUE)[[1]]
    inputs <- if (is_branch(inputs)) inputs else list(inputs)
    if (length(inputs) != length(pieces) - 1) abort("`template` has ", length(pieces) - 1, " places, not ",
      length(inputs), fun = "tf$strings$format")
    words <- vapply(inputs, function(x) {
      if (is_strings(x)) x <- text_constant(x, fun = "tf$strings$format") else x <- tf_tensor(x)
      nested_words(as.character(x), dim(x), summarize)
    }, "")
    sub(" $", "", paste0(rbind(pieces, c(words, "")), collapse = ""))
  }
)

#' How what is no text would be replaced: strings of R are checked before.
#' @noRd
check_decoding <- function(errors, replacement, controls = FALSE, fun = user_function()) {
  check_choice(errors, c("replace", "strict", "ignore"), "errors", fun)
  check_count(replacement, max = 0x10ffff, arg = "replacement_char", fun = fun)
  if (check_flag(controls, "replace_control_characters", fun)) abort("`replace_control_characters` must be FALSE",
    fun = fun)
}

#' Of one string a vector or tensor, of several a list: TensorFlow has ragged tensors for that.
#' @noRd
several <- function(parts, input, fun = user_function()) {
  if (length(dim(input)) > 1) abort("`input` must be a string or a vector of them, not one of shape ",
    format_shape(dim(input)), class = "shape", fun = fun)
  if (length(input) == 1 && is.null(dim(input))) parts[[1]] else parts
}

# ---- strings as values ----

#' What tf$constant("a") gives: R's strings, which print as TensorFlow's. They have the shape, and are refused for the
#' one, that numbers in their places would have.
#' @noRd
text_constant <- function(value, shape = NULL, fun = "tf$constant", min = NULL) {
  text <- character()
  places <- map_leaves(value, function(x) {
    strings <- as_strings(x, "value", fun)
    at <- length(text) + seq_along(strings)
    text <<- c(text, strings)
    if (is.null(dim(x))) at else array(at, dim(x))
  })
  if (is.null(min)) min <- if (length(text) == 1) 0 else -1
  taken_strings(text, fit_shape(tf_value(places, "int32", fun), shape, min, fun))
}

#' The strings at the places that a tensor of whole numbers names, in its shape.
#' @noRd
taken_strings <- function(text, at) structure(as.vector(text)[as.vector(as.array(at))],
  dim = if (rank_of(at)) shape_of(at), class = "nn_text")

#' "[[a b] [c d]]": words as TensorFlow prints an array of them, row by row.
#' @param summarize how many stand at each end of an axis; -1 for all.
#' @noRd
nested_words <- function(words, dim, summarize = -1) {
  if (!length(dim)) return(as.vector(words))
  words <- array(words, dim)
  at <- as.list(seq_len(dim[1]))
  if (summarize >= 0 && dim[1] > 2 * summarize) at <- c(at[seq_len(summarize)], "...",
    at[dim[1] - rev(seq_len(summarize)) + 1])
  rows <- matrix(words, dim[1])
  parts <- lapply(at, function(k) if (is.character(k)) k else nested_words(rows[k, ], dim[-1], summarize))
  paste0("[", paste(parts, collapse = " "), "]")
}

#' @export
print.nn_text <- function(x, ...) {
  shape <- if (is.null(dim(x))) integer() else dim(x)
  cat("tf.Tensor(", nested_words(paste0("b'", unclass(x), "'", recycle0 = TRUE), shape), ", shape=(",
    paste(shape, collapse = ", "), if (length(shape) == 1) ",", "), dtype=string)\n", sep = "")
  invisible(x)
}

#' Where the strings stand, as a tensor of their shape.
#' @noRd
text_places <- function(x) tensor(if (is.null(dim(x)) && length(x) == 1) 1L else array(seq_along(x), string_shape(x)))

# Indices are those of tensors.
#' @export
`[.nn_text` <- function(x, ..., drop = TRUE, style = NULL) taken_strings(unclass(x), part_of(text_places(x),
  read_indices(sys.call(), parent.frame(), ..., style = style), drop))

#' @export
Ops.nn_text <- function(e1, e2) {
  if (missing(e2) || !.Generic %in% c("==", "!=", "+")) abort("strings have `==`, `!=` and `+` only", fun = .Generic)
  both <- lapply(list(e1, e2), text_constant, fun = .Generic)
  places <- lapply(both, text_places)
  shape <- shape_of(op_add(places[[1]], places[[2]]))
  both <- Map(function(x, at) taken_strings(unclass(x), op_broadcast_to(at, shape)), both, places)
  made <- get(if (.Generic == "+") "paste0" else .Generic)(as.vector(both[[1]]), as.vector(both[[2]]))
  dim(made) <- if (length(shape)) shape
  if (.Generic == "+") structure(made, class = "nn_text") else tensor(made)
}

#' @export
`$.nn_text` <- function(x, name) switch(name, numpy = function() unclass(x), shape = nn_shape(dim(x)),
  dtype = nn_dtype("string"), unknown_member(name, c("numpy", "shape", "dtype"), "a tensor of strings"))

#' @export
as.character.nn_text <- function(x, ...) as.vector(unclass(x))

#' @export
xtfrm.nn_text <- function(x) rank(as.character(x))

#' @export
as.array.nn_text <- function(x, ...) if (is.null(dim(x))) as.vector(unclass(x)) else unclass(x)

#' A string, several, or a list of them, for a tensor of this dtype.
#' @noRd
holds_text <- function(x, dtype = NULL) {
  if (!is.null(dtype) && !identical(as.character(dtype), "string")) return(FALSE)
  is.character(x) || is_branch(x) && length(x) > 0 && all(vapply(x, holds_text, NA))
}
