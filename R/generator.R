# Generators of known length: functions without arguments that give a batch each time they are called, on and on, and
# that know how many make a pass through their data. fit() and its like take passes of their own.

#' @param start starts from the beginning: gives a function that gives batches, on and on.
#' @param steps batches of a pass.
#' @param members what `$` gives, by name.
#' @noRd
new_generator <- function(start, steps, members = list()) {
  pull <- NULL
  batch <- function() {
    if (is.null(pull)) pull <<- start()
    in_r(pull())
  }
  members$reset <- function() pull <<- NULL
  members[["next"]] <- batch
  structure(batch, start = start, steps = as.integer(steps), members = members, class = "nn_generator")
}

is_generator <- function(x) inherits(x, "nn_generator")

#' @export
length.nn_generator <- function(x) attr(x, "steps")

#' @export
`$.nn_generator` <- function(x, name) {
  members <- attr(x, "members")
  if (name %in% names(members)) return(members[[name]])
  unknown_member(name, names(members), "the generator")
}

#' @export
print.nn_generator <- function(x, ...) {
  cat("<generator> ", length(x), if (length(x) == 1) " batch" else " batches", " a pass\n", sep = "")
  invisible(x)
}

#' How many batches a stream has: Inf for functions of which that is not known.
#' @noRd
stream_length <- function(x) if (is_dataset(x) || is_generator(x)) length(x) else Inf

#' Start with a stream: a function that gives batches, and `batches` where the engine can take them by itself.
#' @noRd
open_stream <- function(x) {
  if (is_generator(x)) return(attr(x, "start")())
  if (!is_dataset(x)) return(x)
  it <- as_iterator(x)
  structure(function() iter_next(it), batches = attr(it$pull, "batches"))
}
