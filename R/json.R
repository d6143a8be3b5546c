# JSON from files of anybody's.

# So much of R's memory the values of a text may take that is not known to be of the right form yet.
json_slack <- 2^23
json_slack_factor <- 3

#' What a text of JSON (a string or raw vector) is like, checked as a whole before anything is made of it. `refuse` is
#' called with what is wrong.
#' @noRd
scan_json <- function(text, deepest, refuse) {
  extent <- .Call(C_json_scan, text, as.integer(deepest))
  if (is.character(extent)) refuse(": ", extent)
  as.list(stats::setNames(extent, c("cost", "numbers", "whole", "least", "most")))
}

#' Nested lists, in which arrays of two and more numbers are vectors. Of `bytes` bytes is what the text was taken from.
#' @noRd
read_json <- function(text, deepest, refuse, bytes = size_of_text(text)) {
  cost <- scan_json(text, deepest, refuse)$cost
  if (cost > json_slack + json_slack_factor * bytes) refuse(" of the right form: its values need ", format_bytes(cost),
    " of memory")
  .Call(C_json_read, text)
}

size_of_text <- function(text) if (is.raw(text)) length(text) else nchar(text, "bytes")

#' A list of numbers by name; `wrong` is called when the text holds anything else.
#' @noRd
read_json_numbers <- function(text, refuse, wrong, counts = FALSE) {
  extent <- scan_json(text, 1, refuse)
  fine <- extent$numbers && (!counts || extent$whole && extent$least >= 1 && extent$most <= .Machine$integer.max)
  x <- if (fine) .Call(C_json_read, text)
  if (!is.list(x) || is.null(names(x)) && length(x)) wrong()
  x
}

read_json_file <- function(path, refuse) read_json(file_content(path, function(...) refuse(": ", ...)), 10, refuse)

#' Strings as JSON has them.
#' @noRd
json_string <- function(x) {
  x <- gsub("([\"\\\\])", "\\\\\\1", enc2utf8(as.character(x)))
  codes <- unique(unlist(lapply(x[grepl("[\\x01-\\x1f\\x7f]", x, perl = TRUE)], utf8ToInt)))
  for (code in codes[codes < 32 | codes == 127]) x <- gsub(intToUtf8(code), sprintf("\\u%04x", code), x, fixed = TRUE)
  if (length(x)) paste0("\"", x, "\"") else character()
}

#' An object, of which there may be very many members; the values are JSON.
#' @noRd
json_object <- function(names, values)
  paste0("{", paste0(json_string(names), if (length(names)) ":", values, collapse = ","), "}")

# ---- writing ----

to_json <- function(x) {
  as.character(jsonlite::toJSON(exact_numbers(x), auto_unbox = TRUE, null = "null", na = "null", json_verbatim = TRUE))
}

#' Doubles as JSON text; jsonlite writes 15 digits at most.
#' @param point have whole numbers a point, by which readers know doubles?
#' @noRd
exact_numbers <- function(x, point = FALSE) {
  if (is.object(x) || !is.list(x) && !is.double(x)) return(x)
  if (is.list(x)) {
    x[] <- lapply(x, exact_numbers, point)
    return(x)
  }
  if (length(dim(x)) > 1) {
    return(lapply(seq_len(nrow(x)), function(i) exact_numbers(array(asplit(x, 1)[[i]], dim(x)[-1]), point)))
  }
  text <- ifelse(is.finite(x), exact_text(x), "null")
  if (point) text <- sub("^(-?[0-9]+)$", "\\1.0", text)
  if (length(x) != 1 || !is.null(dim(x))) text <- paste0("[", paste(text, collapse = ","), "]")
  structure(text, class = "json")
}

#' Doubles as text that is read as the same numbers, which takes up to 17 digits.
#' @noRd
exact_text <- function(x) {
  text <- sprintf("%.15g", x)
  for (digits in 16:17) {
    inexact <- which(is.finite(x))[as.double(text[is.finite(x)]) != x[is.finite(x)]]
    text[inexact] <- sprintf("%.*g", digits, x[inexact])
  }
  text
}

from_json <- function(text, what, fun) {
  refuse <- function(...) abort("the ", what, " is no JSON", ..., class = "file", fun = fun)
  if (is.null(text)) refuse(": there is none")
  x <- read_json(text, 100, refuse)
  if (is.list(x)) x else refuse(" object")
}
