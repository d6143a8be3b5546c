# The state of R's generator: looked at, put back, kept while code of ours draws with a seed of its own.

#' NULL before the first draw of a session.
#' @noRd
random_state_now <- function() get0(".Random.seed", envir = globalenv(), inherits = FALSE)

put_random_state <- function(state) {
  if (!is.null(state)) assign(".Random.seed", state, envir = globalenv())
  else if (!is.null(random_state_now())) rm(".Random.seed", envir = globalenv())
}

#' How many numbers the state of a generator has, by its place in RNGkind(): Wichmann-Hill, Marsaglia-Multicarry,
#' Super-Duper, Mersenne-Twister, Knuth-TAOCP, one of the user's (not known), Knuth-TAOCP-2002, L'Ecuyer-CMRG.
#' @noRd
random_state_lengths <- c(3, 2, 2, 625, 101, NA, 101, 6)

#' The state as a tensor for files. R has NA where 32 bits give the lowest number, which is one like any other here.
#' @noRd
random_state_tensor <- function() {
  state <- random_state_now()
  if (!is.null(state)) tensor(ifelse(is.na(state), -2^31, state), "int32")
}

#' What stood in a file, or NULL if it is no state of a generator of R; see ?.Random.seed for the first number.
#' @noRd
read_random_state <- function(x) {
  if (!is_tensor(x) || tensor_dtype(x) != "int32") return()
  x <- as.vector(as.array(x))
  kinds <- x[1] %/% c(1, 100, 10000) %% 100
  known <- isTRUE(length(x) == 1 + random_state_lengths[kinds[1] + 1]) && kinds[2] %in% c(0, 1, 2, 4, 5) &&
    kinds[3] %in% 0:1
  if (known) as.integer(ifelse(x == -2^31, NA, x))
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
  if (is.null(seed <- check_seed(seed, fun = fun))) return(draw)
  check_not_tracing("it draws random numbers with a seed of its own")
  keeping_random_state({
    set.seed(seed)
    draw
  })
}

#' The same with one kind of generator, so that a seed gives the same in all sessions.
#' @noRd
with_seed <- function(seed, code, fun = calling_function()) {
  if (is.null(seed <- check_seed(seed, fun = fun))) return(code)
  keeping_random_state({
    set.seed(seed, "Mersenne-Twister", "Inversion", "Rejection")
    code
  })
}

#' In a traced function a generator leaves it to the engine, whose numbers are others in each run, too.
#' @noRd
seed_of <- function(seed) {
  if (!inherits(seed, "nn_seed_generator")) seed else if (!is_tracing()) seed$next_seed()
}
