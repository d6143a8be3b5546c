# The state of R's generator: looked at, put back, kept while code of ours draws with a seed of its own.

#' NULL before the first draw of a session.
#' @noRd
random_state_now <- function() get0(".Random.seed", envir = globalenv(), inherits = FALSE)

put_random_state <- function(state) {
  if (!is.null(state)) assign(".Random.seed", state, envir = globalenv())
  else if (!is.null(random_state_now())) rm(".Random.seed", envir = globalenv())
}

#' Leave R's generator, its kind and its state, as it was.
#' @noRd
keeping_random_state <- function(code) {
  before <- random_state_now()
  kinds <- RNGkind()
  on.exit({
    suppressWarnings(do.call(RNGkind, as.list(kinds))) # the old way of sampling comes with a warning
    put_random_state(before)
  })
  code
}

#' Draw with a seed of one's own; NULL: from R's generator as it is.
#' @noRd
with_own_seed <- function(seed, draw, fun = calling_function()) {
  if (is.null(check_seed(seed, fun = fun))) return(draw)
  check_not_tracing("it draws random numbers with a seed of its own")
  keeping_random_state({
    set.seed(seed)
    draw
  })
}

#' The same with one kind of generator, so that a seed gives the same in all sessions.
#' @noRd
with_seed <- function(seed, code, fun = calling_function()) {
  if (is.null(check_seed(seed, fun = fun))) return(code)
  keeping_random_state({
    set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
    code
  })
}
