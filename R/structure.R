# Nested lists of tensors, as arguments, results, elements of a data set: their leaves, and back.

is_branch <- function(x) is.list(x) && !is.object(x)
as_branch <- function(x) if (is_branch(x)) x else list(x)

# These run in every step of a training loop, so they loop: vapply() takes longer.
is_flat <- function(x) {
  for (part in x) if (is_branch(part)) return(FALSE)
  TRUE
}

holds_null <- function(x) {
  for (part in x) if (is.null(part)) return(TRUE)
  FALSE
}

all_null <- function(x) {
  for (part in x) if (!is.null(part)) return(FALSE)
  TRUE
}

#' The leaves of a nested list, in order; NULLs are left out unless they are wanted.
#' @noRd
tensor_leaves <- function(x, keep_null = FALSE) {
  if (!is_branch(x)) return(if (!is.null(x) || keep_null) list(x))
  if (is_flat(x)) return(unname(if (keep_null || !holds_null(x)) x else x[!vapply(x, is.null, NA)]))
  do.call(c, unname(lapply(x, tensor_leaves, keep_null)))
}

#' The same structure with other leaves (which may be NULL).
#' @noRd
fill_leaves <- function(x, leaves) {
  if (is_branch(x) && is_flat(x)) {
    x[] <- leaves
    return(x)
  }
  at <- 0
  fill <- function(x) {
    if (is_branch(x)) {
      for (i in seq_along(x)) x[i] <- list(fill(x[[i]]))
      return(x)
    }
    at <<- at + 1
    leaves[[at]]
  }
  fill(x)
}

#' The same structure with f of each leaf.
#' @noRd
map_leaves <- function(x, f) {
  if (!is_branch(x)) return(f(x))
  x[] <- lapply(x, map_leaves, f)
  x
}

#' Arguments without a name get those of `wants` that are free, in order.
#' @noRd
with_argument_names <- function(given, wants) {
  if (is.null(names(given))) names(given) <- rep("", length(given))
  open <- which(names(given) == "")
  free <- setdiff(wants, names(given))
  named <- seq_len(min(length(open), length(free)))
  names(given)[open[named]] <- free[named]
  given
}

first_axis <- function(x, fun = "tensor_slices_dataset") {
  if (is_tensor(x) && !length(dim(x))) abort("a scalar has no slices; `tensors_dataset()` takes it whole",
    class = "shape", fun = fun)
  if (is.null(dim(x))) length(x) else dim(x)[1]
}
