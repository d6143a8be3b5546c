# `.[a, b] <- value`, as keras3 has it from the package dotty.

#' Several names at once
#'
#' `.[a, b] <- value` gives the parts of a list or vector names, one after the other. `..` skips as many as are left, an
#' empty place skips one, and `.[a, .[b, c]] <- value` takes a part apart in turn. `.[a = x] <- value` makes `a` of the
#' part that is called `x`, or of an expression of such names. [`%<-%`] does much the same.
#'
#' A tensor comes apart along its first axis. The name `.` itself is taken by that where it stands.
#'
#' @format An object of class `nn_dot`.
#' @section Errors: `nativenet_error_shape` if there are more or fewer parts than names.
#' @examples
#' .[x, y] <- c(1, 2)
#' .[first, .., last] <- letters
#' .[.[rows, columns], rest] <- list(dim(matrix(0, 2, 3)), "more")
#' c(rows, columns)
#' .[height = h, area = h * w] <- list(w = 2, h = 3)
#' area
#' @name dot
#' @aliases .
#' @export
. <- structure(list(), class = "nn_dot")

#' @export
`[<-.nn_dot` <- function(x, ..., value) {
  assign_parts(as.list(substitute(list(...)))[-1], value, parent.frame())
  x
}

#' @export
print.nn_dot <- function(x, ...) {
  cat("<`.[a, b] <- value` gives the parts of a value names>\n")
  invisible(x)
}

#' @param targets what stands between the brackets.
#' @noRd
assign_parts <- function(targets, value, frame) {
  parts <- parts_of(value)
  called <- if (is.null(names(targets))) character(length(targets)) else names(targets)
  open <- vapply(targets, identical, NA, quote(..))
  if (sum(open) > 1) abort("`..` stands once between the brackets", fun = ".")
  by_place <- which(!nzchar(called))
  wanted <- length(by_place) - sum(open)
  if (length(by_place) && (wanted > length(parts) || !any(open) && wanted < length(parts)))
    abort("there are ", wanted, " names for ", length(parts), " parts of ", describe(value),
      if (wanted < length(parts)) "; `..` skips the others", class = "shape", fun = ".")
  at <- 0
  for (k in seq_along(targets)) {
    if (nzchar(called[k])) {
      assign(called[k], eval(targets[[k]], named_parts(parts), frame), frame)
    } else if (open[k]) {
      at <- length(parts) - sum(by_place > k)
    } else {
      at <- at + 1
      if (!is_empty(targets[[k]])) assign_part_to(targets[[k]], parts[[at]], frame)
    }
  }
}

assign_part_to <- function(target, part, frame) {
  if (is.call(target) && identical(target[[1]], quote(`[`)) && identical(target[[2]], quote(.)))
    return(assign_parts(as.list(target)[-(1:2)], part, frame))
  eval(call("<-", target, call("quote", part)), frame) # `self$x`, too
}

named_parts <- function(parts) parts[nzchar(if (is.null(names(parts))) character(length(parts)) else names(parts))]

parts_of <- function(value) {
  if (is_tensor(value)) return(op_unstack(value, axis = 1))
  if (is.numeric_version(value)) value <- unclass(value)[[1]]
  if (is.language(value) || is.function(value)) abort("the value must be a list or a vector, not ", describe(value),
    fun = ".")
  as.list(value)
}
