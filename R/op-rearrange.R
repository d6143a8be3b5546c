# Axes in the notation of einops.

#' Rearrange axes
#'
#' Reshapes and permutes by a pattern in the notation of einops: each axis has a name, on the left as it is and on the
#' right as it shall be. Axes in parentheses are one: on the left it is taken apart, in row-major order, on the right
#' they are merged. `1` is an axis of size 1.
#'
#' @param tensor a tensor or array.
#' @param pattern a string such as `"b h w c -> b (h w) c"`.
#' @param ... sizes of axes by name, where they do not follow: all but one within each pair of parentheses.
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` for a pattern that does not fit the shape.
#' @references Rogozhnikov (2022), Einops, *ICLR*, <https://openreview.net/forum?id=oapKSVM2bcj>.
#' @seealso [op_reshape()], [op_transpose()], [op_einsum()]
#' @examples
#' x <- array(1:24, c(2, 3, 4))
#' dim(op_rearrange(x, "b h w -> b (w h)")) # 2 12
#' dim(op_rearrange(x, "b h (w1 w) -> (b w1) h w", w1 = 2)) # 4 3 2
#' @export
op_rearrange <- function(tensor, pattern, ...) {
  x <- op_convert_to_tensor(tensor)
  sides <- strsplit(check_string(pattern), "->", fixed = TRUE)[[1]]
  if (length(sides) != 2) abort("`pattern` must have two sides, as in \"b h w -> b (h w)\", not be ",
    describe(pattern))
  left <- pattern_axes(sides[1])
  right <- pattern_axes(sides[2])
  names <- setdiff(unlist(left), "1")
  given <- list(...)
  if (length(given) && (is.null(names(given)) || !all(names(given) %in% names))) abort(
    "sizes must be given by names of axes of `pattern`, ", some_names("", names))
  given <- vapply(names(given), function(name) as.double(check_count(given[[name]], arg = name)), 0)
  if (!setequal(names, setdiff(unlist(right), "1"))) abort("`pattern` must name the same axes on both sides, not ",
    some_names("", names), " and ", some_names("", setdiff(unlist(right), "1")))
  if (length(left) != rank_of(x)) abort("`pattern` has ", length(left), " axes on the left, but the tensor has the ",
    "shape ", format_shape(shape_of(x)), class = "shape")
  sizes <- unlist(Map(axis_parts, left, shape_of(x), list(given), seq_along(left), "op_rearrange"))
  parts <- op_reshape(x, sizes[names])
  merged <- function(side) vapply(side, function(axis) prod(sizes[setdiff(axis, "1")]), 0)
  op_reshape(op_transpose(parts, match(setdiff(unlist(right), "1"), names)), merged(right))
}

#' The axes of one side: a vector of names for each.
#' @noRd
pattern_axes <- function(side, fun = calling_function()) {
  refuse <- function(...) abort("`pattern` ", ..., fun = fun)
  text <- trimws(gsub("([()])", " \\1 ", side))
  words <- strsplit(text, "[[:space:]]+")[[1]]
  axes <- list()
  open <- NULL
  for (word in words[nzchar(words)]) {
    if (word == "(") {
      if (!is.null(open)) refuse("must not have parentheses within others")
      open <- character()
    } else if (word == ")") {
      if (is.null(open)) refuse("closes a parenthesis that is not open")
      axes <- c(axes, list(open))
      open <- NULL
    } else {
      if (!grepl("^([A-Za-z][A-Za-z0-9_]*|1)$", word)) refuse("names axes by letters, not ",
        encodeString(word, quote = "\""))
      if (is.null(open)) axes <- c(axes, list(word)) else open <- c(open, word)
    }
  }
  if (!is.null(open)) refuse("leaves a parenthesis open")
  own <- setdiff(unlist(axes), "1")
  if (anyDuplicated(setdiff_all(unlist(axes), "1"))) refuse("names an axis twice: ", some_names("", own))
  axes
}

setdiff_all <- function(x, y) x[!x %in% y]

#' The sizes of the axes that are one of size n.
#' @noRd
axis_parts <- function(names, n, given, at, fun = calling_function()) {
  refuse <- function(...) abort("axis ", at, " of size ", n, " ", ..., class = "shape", fun = fun)
  names <- setdiff_all(names, "1")
  if (!length(names)) {
    if (n != 1) refuse("is 1 in `pattern`")
    return(NULL)
  }
  sizes <- stats::setNames(given[names], names)
  open <- is.na(sizes)
  if (sum(open) > 1) refuse("is taken apart into ", some_names("", names), ": give all sizes but one")
  if (any(open)) sizes[open] <- n / prod(sizes[!open])
  if (prod(sizes) != n || any(sizes != round(sizes))) refuse("is no product of ", paste0(names[!open], " = ",
    sizes[!open], collapse = ", "))
  sizes
}
