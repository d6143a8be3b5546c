# TensorFlow's functions of strings, which are R's own character vectors and arrays: what functions for `standardize` of
# layer_text_vectorization() are written with.

#' Strings made of strings, in the shape they have.
#' @noRd
map_strings <- function(input, f, fun = calling_function()) {
  made <- f(as.vector(as_strings(input, "input", fun)))
  if (is.null(dim(input))) made else array(made, dim(input))
}

#' Letters of ASCII only, or of all scripts.
#' @noRd
change_case <- function(input, encoding, ascii, all, fun = calling_function()) {
  check_choice(encoding, c("", "utf-8"), "encoding", fun)
  map_strings(input, if (encoding == "") ascii else all, fun)
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
    check_string(rewrite)
    replace <- if (check_flag(replace_global)) gsub else sub
    fun <- calling_function()
    map_strings(input, function(x) tryCatch(suppressWarnings(replace(pattern, rewrite, x, perl = TRUE)),
      error = function(e) abort("`pattern` is no regular expression: ", describe(pattern), fun = fun)))
  }
)
