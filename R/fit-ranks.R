# What fit() does where several processes train one model (R/strategy.R): they must agree on all that training depends
# on, and what callbacks decide is decided by rank 0.

#' Is it a process that leaves printing and writing to rank 0?
#' @noRd
is_helper <- function(strategy) !is.null(strategy) && strategy$communicator$rank > 0

tell_callbacks <- function(run, ...) over_shards(run$strategy, run_callbacks(...))

#' Before anything is trained.
#' @noRd
check_ranks <- function(self, run, arguments) {
  strategy <- run$strategy
  if (is.null(strategy)) return()
  source <- run$source
  size <- strategy$communicator$size
  rows <- source$rows
  if (!is.null(rows) && rows < size) abort("`x` has ", rows, if (rows == 1) " sample" else " samples",
    ", which is less than the ", size, " ranks: start fewer processes", fun = "fit")
  optimizer <- optimizer_now(self$compiled$optimizer)
  data <- lapply(c(list(source), list(run$validation)), function(s) {
    if (!is.null(s$data)) c(as.double(c(s$data$first, s$data$rows)), lapply(s$data$columns, column_tensor))
  })
  if (size > 1) check_agreement(strategy, lapply(list(
    arguments = c(arguments, list(source$batch, source$limit, strategy$shards, run$mode, is.null(run$state))),
    data = data, weights = all_weights(self), optimizer = c(optimizer[1], optimizer[[3]]),
    "random seed" = random_state_now()
  ), function(x) digest_of(list(0, x))), "fit")
}

#' Once a program is there: it says what the model and its compilation are. Names of layers count what else a rank has
#' made, and do not matter.
#' @noRd
check_same_step <- function(run, step) {
  if (is.null(run$strategy) || !is.null(run$checked)) return()
  run$checked <- TRUE
  d <- describe_program(step$program)
  said <- c(list(format_program(step$program, d, FALSE)), d$object[d$kind == "constant"])
  check_agreement(run$strategy, list(model = digest_of(said)), "fit")
}

#' Whether training goes on, and the learning rate: callbacks may have changed them.
#' @noRd
follow_rank_0 <- function(self, run) {
  strategy <- run$strategy
  if (is.null(strategy) || strategy$communicator$size == 1) return()
  optimizer <- self$compiled$optimizer
  own <- c(as.double(isTRUE(self$stop_training)), optimizer$learning_rate)
  theirs <- from_rank_0(strategy, own)
  self$stop_training <- theirs[1] == 1
  if (theirs[2] != own[2] && !has_schedule(optimizer)) set_learning_rate(optimizer, theirs[2])
}
