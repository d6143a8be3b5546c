# JSON from files of anybody's.

# Values in a text of JSON, each of which costs some hundred bytes in R: so many, and one more for each so many bytes.
json_limits <- list(values = 5e4, bytes = 16)

#' Nested lists. `refuse` is called with what is wrong. Of `bytes` bytes is what the text was taken from.
#' @noRd
read_json <- function(text, deepest, refuse, bytes = nchar(text, "bytes")) {
  # the parser recurses
  extent <- .Call(C_json_extent, text)
  if (extent[1] > deepest) refuse(" of the right form: brackets are nested ", extent[1], " deep")
  if (extent[2] > json_limits$values + bytes / json_limits$bytes) refuse(" of the right form: it has ", sprintf("%.0f", extent[2]), " values")
  # jsonlite must not parse what it cannot: it takes its own message, which quotes the text, for a format, and "%n" ends R
  valid <- jsonlite::validate(text)
  if (!valid) refuse(": ", plain_line(attr(valid, "err")))
  x <- tryCatch(jsonlite::parse_json(text), error = function(e) refuse(": ", plain_line(conditionMessage(e))))
  name <- name_twice(x)
  if (length(name)) refuse(" of the right form: the name ", quoted_name(name), " stands twice in an object")
  x
}

#' The first name that an object within has twice: readers would differ about which of them counts.
#' @noRd
name_twice <- function(x) {
  if (!is.list(x)) return()
  twice <- anyDuplicated(names(x))
  if (twice) return(names(x)[twice])
  for (part in x) if (is.list(part) && length(name <- name_twice(part))) return(name)
}

#' The first line of what another library says, which may quote any bytes.
#' @noRd
plain_line <- function(text) gsub("[^ -~]", "?", sub("(?s)\\s*\n.*", "", text, perl = TRUE, useBytes = TRUE), useBytes = TRUE)

read_json_file <- function(path, refuse) read_json(file_text(path, function(...) refuse(": ", ...)), 10, refuse)

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
json_object <- function(names, values) paste0("{", paste0(json_string(names), if (length(names)) ":", values, collapse = ","), "}")

# ---- writing ----

to_json <- function(x) {
  as.character(jsonlite::toJSON(exact_numbers(x), auto_unbox = TRUE, null = "null", na = "null", json_verbatim = TRUE))
}

#' Doubles as JSON text; jsonlite writes 15 digits at most.
#' @noRd
exact_numbers <- function(x) {
  if (is.object(x) || !is.list(x) && !is.double(x)) return(x)
  if (is.list(x)) {
    x[] <- lapply(x, exact_numbers)
    return(x)
  }
  if (length(dim(x)) > 1) {
    return(lapply(seq_len(nrow(x)), function(i) exact_numbers(array(asplit(x, 1)[[i]], dim(x)[-1]))))
  }
  text <- ifelse(is.finite(x), exact_text(x), "null")
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
