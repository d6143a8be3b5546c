# Tensors as NumPy and TensorFlow print them. The rules are those of numpy/core/arrayprint.py with its defaults;
# tests/testthat/numpy-print.txt holds what NumPy itself prints.

shown <- list(
  most = 1000, # elements; of larger tensors only the edges are shown
  edge = 3, # so many at each end of an axis
  width = 75, # of a line
  decimals = 8
)

#' @export
format.nn_tensor <- function(x, ...) {
  info <- tensor_info(x)
  sprintf("<tensor %s %s>", info[[1]], format_shape(info[[2]]))
}

#' @export
print.nn_tensor <- function(x, ...) {
  cat(if (is_symbolic(x)) format(x) else tensor_text(x), "\n", sep = "")
  invisible(x)
}

#' @importFrom utils str
#' @export
str.nn_tensor <- function(object, ...) cat("", format(object), "\n")

tensor_text <- function(x) {
  info <- tensor_info(x)
  shape <- format_shape(info[[2]])
  values <- if (is_variable(x)) array_repr(x) else array_str(x)
  if (grepl("\n", values, fixed = TRUE)) values <- paste0("\n", values)
  if (!is_variable(x)) return(paste0("tf.Tensor(", values, ", shape=", shape, ", dtype=", info[[1]], ")"))
  paste0("<tf.Variable '", variable_name(x), "' shape=", shape, " dtype=", info[[1]], ", numpy=", values, ">")
}

#' numpy.array_str(): `[[1. 2.]]`
#' @noRd
array_str <- function(x) array_text(x, " ", indent = "", width = shown$width)

#' numpy.array_repr(): `array([[1., 2.]])`, with the dtype where the numbers do not show it
#' @noRd
array_repr <- function(x) {
  if (length(dim(x)) == 0) return(array_str(x))
  dtype <- tensor_dtype(x)
  is_plain <- length(x) > 0 && dtype %in% c("float64", "int64", "bool")
  values <- array_text(x, ", ", indent = strrep(" ", nchar("array(")), width = shown$width - 1)
  if (length(x) == 0 && length(dim(x)) > 1) values <- paste0(values, ", shape=", format_shape(dim(x)))
  if (is_plain) return(paste0("array(", values, ")"))
  start <- paste0("array(", values, ",")
  end <- paste0("dtype=", dtype, ")")
  fits <- nchar(sub(".*\n", "", start)) + nchar(end) + 1 <= shown$width
  paste0(start, if (fits) " " else "\n      ", end)
}

array_text <- function(x, separator, indent, width) {
  dim <- dim(x)
  if (length(dim) == 0) return(scalar_text(as.array(x), tensor_dtype(x)))
  if (length(x) == 0) return("[]")
  cut <- length(x) > shown$most & dim > 2 * shown$edge
  values <- edges(x, which(cut))
  words <- number_words(aperm(values), tensor_dtype(x))
  lay_out(words, dim(values), cut, separator, paste0(indent, " "), width)
}

#' Both ends of these axes, as an R array. All the rest stays in the engine.
#' @noRd
edges <- function(x, axes) {
  unrecorded(for (axis in axes) {
    n <- dim(x)[axis]
    ends <- seq_len(shown$edge)
    x <- op_gather(x, c(ends - 1, n - rev(ends)), axis)
  })
  as.array(x)
}

#' Brackets, separators and line breaks around words in row-major order. `indent` stands before all lines but the
#' first, which follows a bracket.
#' @noRd
lay_out <- function(words, dim, cut, separator, indent, width) {
  if (length(dim) == 1) {
    inner <- fill_lines(with_dots(words, cut), separator, indent, width - 1)
  } else {
    rows <- split(words, rep(seq_len(dim[1]), each = length(words) / dim[1]))
    rows <- vapply(rows, lay_out, "", dim[-1], cut[-1], separator, paste0(indent, " "), width - 1)
    between <- paste0(trimws(separator), strrep("\n", length(dim) - 1), indent)
    inner <- paste(with_dots(rows, cut[1]), collapse = between)
  }
  paste0("[", inner, "]")
}

with_dots <- function(words, cut) if (cut) append(words, "...", after = shown$edge) else words

fill_lines <- function(words, separator, indent, width) {
  words[-length(words)] <- paste0(words[-length(words)], separator)
  # a separator may stand beyond the width
  needs <- nchar(words) - c(rep(nchar(separator), length(words) - 1), 0)
  lines <- list()
  first <- 1
  used <- nchar(indent)
  for (i in seq_along(words)) {
    if (used + needs[i] > width && i > first) {
      lines <- c(lines, list(words[first:(i - 1)]))
      first <- i
      used <- nchar(indent)
    }
    used <- used + nchar(words[i])
  }
  lines <- vapply(c(lines, list(words[first:length(words)])), paste, "", collapse = "")
  lines[-length(lines)] <- trimws(lines[-length(lines)], "right")
  paste(lines, collapse = paste0("\n", indent))
}

# ---- numbers ----

#' All the numbers of an array as words of the same width.
#' @noRd
number_words <- function(x, dtype) {
  if (dtype == "bool") return(ifelse(x, " True", "False"))
  if (!startsWith(dtype, "float")) return(formatC(whole_text(x), width = max(nchar(whole_text(range(x)))), flag = " "))
  finite <- x[is.finite(x)]
  size <- abs(finite[finite != 0])
  # as NumPy does it, in the precision of the numbers
  scientific <- length(size) > 0 &&
    (max(size) >= 1e8 || min(size) < 1e-4 || as_dtype(max(size) / min(size), dtype) > 1000)
  parts <- if (scientific) scientific_parts(finite, dtype) else positional_parts(finite, dtype)
  before <- max(0, nchar(parts$before))
  after <- max(0, nchar(parts$after))
  other <- ifelse(is.nan(x) | is.na(x), "nan", ifelse(x < 0, "-inf", "inf"))[!is.finite(x)]
  before <- max(before, nchar(other) - after - 1)
  words <- character(length(x))
  words[is.finite(x)] <- paste0(formatC(parts$before, width = before), ".",
    formatC(parts$after, width = after, flag = "-"))
  words[!is.finite(x)] <- formatC(other, width = before + 1 + after)
  words
}

#' A number that stands alone, with all its digits.
#' @noRd
scalar_text <- function(x, dtype) {
  if (dtype == "bool") return(if (x) "True" else "False")
  if (!startsWith(dtype, "float")) return(whole_text(x))
  if (!is.finite(x)) return(number_words(x, dtype))
  digits <- shortest(x, dtype, 17)
  if (x != 0 && (abs(x) >= 1e16 || abs(x) < 1e-4)) return(digits)
  parts <- place_point(digits)
  paste0(parts$before, ".", if (nzchar(parts$after)) parts$after else "0")
}

#' What R calls NA is a number like the others to int32.
#' @noRd
whole_text <- function(x) ifelse(is.na(x), "-2147483648", sprintf("%.0f", x))

#' The text before and after each number's point. Before it, all digits are those of the number itself.
#' @noRd
positional_parts <- function(x, dtype) {
  after <- place_point(shortest(x, dtype, 17))$after
  text <- sprintf("%.*f", pmin(nchar(after), shown$decimals), x)
  list(before = sub("[.].*", "", text), after = sub("0+$", "", sub("^[^.]*[.]?", "", text)))
}

#' The same in scientific form: all with the decimals that the longest needs, and exponents of the same length.
#' @noRd
scientific_parts <- function(x, dtype) {
  decimals <- sub("e.*", "", sub("^[^.]*", "", shortest(x, dtype, shown$decimals + 1)))
  text <- sprintf("%.*e", max(0, nchar(sub("0+$", "", decimals)) - 1), x)
  exponent <- sub(".*e[-+]", "", text)
  exponent <- paste0(strrep("0", max(nchar(exponent)) - nchar(exponent)), exponent)
  mantissa <- sub("e.*", "", text)
  list(before = sub("[.].*", "", mantissa),
    after = paste0(sub("^[^.]*[.]?", "", mantissa), "e", sub(".*e([-+]).*", "\\1", text), exponent))
}

#' Scientific form with the fewest digits that give the number back when read, but not more than `most`. (Some
#' powers of two lie closer to the number below than to that above; NumPy then saves one digit more.)
#' @noRd
shortest <- function(x, dtype, most) {
  text <- sprintf("%.*e", most - 1, x)
  open <- seq_along(x)
  for (digits in seq_len(most)) {
    if (length(open) == 0) break
    short <- sprintf("%.*e", digits - 1, x[open])
    same <- as_dtype(as.numeric(short), dtype) == x[open]
    text[open[same]] <- short[same]
    open <- open[!same]
  }
  text
}

as_dtype <- function(x, dtype) if (dtype == "float64") x else as.double(as.array(tensor(x, dtype)))

#' From "-1.25e+01" to "-12" and "5".
#' @noRd
place_point <- function(text) {
  sign <- ifelse(startsWith(text, "-"), "-", "")
  digits <- gsub("^-|[.]|e.*", "", text)
  exponent <- as.integer(sub(".*e", "", text))
  digits <- paste0(strrep("0", pmax(0, -exponent)), digits)
  before <- pmax(exponent, 0) + 1
  digits <- paste0(digits, strrep("0", pmax(0, before - nchar(digits))))
  list(before = paste0(sign, substr(digits, 1, before)), after = sub("0+$", "", substring(digits, before + 1)))
}
