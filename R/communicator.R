# Communicators: how the engine reaches the other processes of a job. What these run under is the user's choice: MPI
# (R/strategy-mpi.R), or any functions that give sums. The additions are done in C, in a fixed order
# (src/run/communicator.c).

#' Communicator: sums over the processes of a job
#'
#' Tells training how to add up numbers over the processes of a parallel job, its *ranks*. nativenet links no MPI: the
#' functions are brought by who makes the communicator. [strategy_mpi()] makes one of MPI, `strategy_communicator()`
#' makes a strategy of any.
#'
#' All ranks call the functions in the same order with vectors of the same lengths.
#'
#' @param rank the number of this process, from 0.
#' @param size how many there are.
#' @param all_reduce a function of a numeric vector that returns the sum of the vectors of all ranks, in any order of
#'   the additions; or an external pointer to a `struct nativenet_communicator` of the header
#'   `system.file("include", "nativenet_communicator.h", package = "nativenet")`, whose C functions are called in place
#'   of R's. `rank` and `size` may then be left out.
#' @param exchange a function of a numeric vector and the number of another rank, that sends the vector there and
#' returns
#'   the one that comes from there. With it, `all_reduce` is not called and may be `NULL`.
#' @param leave a function without arguments that tells all other ranks that this one takes part no more, so that their
#'   `exchange` fails.
#' @return A communicator: a list with `rank`, `size` and `all_reduce`, a function that gives the sum of a numeric
#'   vector over the ranks, with the same bits on all.
#' @section Order of the additions: Floating point sums depend on their order, and libraries choose it by their own
#'   rules. So the ranks are the leaves of a binary tree, in which each node is the sum of its left and its right half.
#'   With `exchange` two ranks swap what they have in each of \eqn{\log_2 P}{log2(P)} rounds for P ranks: n numbers are
#'   sent each time. With `all_reduce` alone, two ranks are summed by it; for more, each rank puts its n numbers in the
#'   rank-th place of P n zeros, which is exact in any order, and adds up what comes back: P n numbers are summed.
#'   Before it, P numbers tell of ranks that left or sum other lengths. Numbers of shards that the ranks do not divide
#'   take some more of both: see [strategies].
#' @section Errors: `nativenet_error_value` for what cannot be a communicator; `nativenet_error_rank` when a sum fails:
#'   with the message of the function's own error, for a result of another length or with `NA`, for ranks that sum
#'   different lengths, and where another rank has left.
#' @seealso [strategy_mpi()]
#' @examples
#' # one process; a real one calls a library
#' alone <- communicator(rank = 0, size = 1, all_reduce = function(x) x)
#' alone$all_reduce(c(1, 2))
#' @export
communicator <- function(rank = NULL, size = NULL, all_reduce = NULL, exchange = NULL, leave = NULL) {
  pointer <- if (typeof(all_reduce) == "externalptr") all_reduce
  if (!is.null(pointer)) {
    own <- .Call(C_communicator_numbers, pointer)
    if (!is.null(rank) && rank != own[1] || !is.null(size) && size != own[2])
      abort("`rank` and `size` must be those of the pointer, ", own[1], " and ", own[2], ", or be left out")
    rank <- own[1]
    size <- own[2]
    if (!is.null(exchange) || !is.null(leave))
      abort("`exchange` and `leave` are in the struct that `all_reduce` points to")
  } else {
    if (is.null(all_reduce) && is.null(exchange)) abort("`all_reduce` or `exchange` must be given")
    if (!is.null(all_reduce)) check_function(all_reduce, takes = 1)
    if (!is.null(exchange)) check_function(exchange, takes = 2)
    if (!is.null(leave)) check_function(leave, takes = 0)
  }
  check_given(is.null(rank), "rank")
  check_given(is.null(size), "size")
  size <- check_count(size, max = 2^15)
  rank <- check_count(rank, min = 0, max = size - 1)
  parts <- list(c(as.integer(rank), as.integer(size), 0L), pointer, careful(if (is.null(pointer)) all_reduce),
    careful(exchange), careful(leave))
  structure(list(rank = rank, size = size, all_reduce = function(x) sum_over_ranks(parts, check_reals(x)),
    parts = parts), class = "nn_communicator")
}

#' For C, which must not be jumped out of: errors as strings, numbers as doubles.
#' @noRd
careful <- function(f) {
  if (is.null(f)) return(NULL)
  function(...) tryCatch({
    value <- f(...)
    if (is.integer(value)) as.double(value) else if (is.character(value)) NULL else as.vector(value)
  }, error = function(e) conditionMessage(e), interrupt = function(e) "it was interrupted")
}

sum_over_ranks <- function(parts, x) .Call(C_communicator_sum, parts, parts[[1]][2], list(as.double(x)))

#' What each rank has, one row per rank.
#' @noRd
gather_over_ranks <- function(communicator, x) {
  all <- matrix(0, communicator$size, length(x))
  all[communicator$rank + 1, ] <- x
  all[] <- sum_over_ranks(communicator$parts, all)
  all
}

#' @export
print.nn_communicator <- function(x, ...) {
  cat("<communicator> rank", x$rank, "of", x$size, "\n")
  invisible(x)
}

#' @export
in_words.nn_communicator <- function(x) "a communicator"
