# What the package keeps while R runs: counters and settings, and who records the ops.

# State of the session.
#   networks    made so far
#   optimizers  that take part in the function being traced; aborted: why it cannot be
#   names       of layers and models: how many there are of each kind, for numbers behind them
#   home        in which session a layer was made or called: as no two share it, names are unique in one only
#   nodes       calls of layers on symbolic tensors so far
#   trainable_changes  another environment after each change of what is to be trained
#   adapted     another environment after each call of adapt() and its like: what programs hold of layers is old
#   traced_tapes  the states of tapes that record in the function being traced
#   custom      TRUE once a function of custom_gradient() was called
#   training    do layers that are called without `training` behave as in training?
#   frozen      TRUE within a layer or model that is not to be trained
#   penalties   on activities and other losses of layers, collected while a step is traced; reports: their metrics
#   stepping    the model whose own step runs, or is traced
#   custom_objects, registered  functions and classes of the user's that files name, for a while or for good
#   open_queries  what passes over databases have opened (R/dataset-table.R)
#   told_formats  names of files whose format is not what the name says
#   scope       the strategy that models compiled now belong to; shards: that over whose shards programs go now;
#               replica: what a step that runs for a part of a batch leaves to be done after it (R/strategy-run.R);
#               summed: variables of the function being traced whose changes in all shards are added up;
#               silent: TRUE while callbacks run in a process that must neither print nor write files
#   floatx, epsilon  of the k_*() functions; compiled functions notice when they change
session <- new.env(parent = emptyenv())
session$networks <- 0
session$floatx <- "float32"
session$epsilon <- 1e-7
session$names <- list()
session$home <- new.env(parent = emptyenv())
session$nodes <- 0
session$trainable_changes <- new.env(parent = emptyenv())
session$frozen <- FALSE

# Who keeps the ops that run; changed in place by set_recording().
recording <- vector("list", 2)

# Memory that tapes share for gradients on their way; grows in place.
gradient_scratch <- vector("list", 1)

is_silent <- function() isTRUE(session$silent)

tapes_recording <- function() recording[[1]]
tracing_program <- function() recording[[2]]
is_tracing <- function() !is.null(recording[[2]])
set_recording <- function(tapes = recording[[1]], tracing = recording[[2]]) .Call(C_recording, recording, tapes,
  tracing)

# What C enumerates, in its order: names of "update" rules, of the "stage" of a data set, of the "cell_activation" and
# "cell_output" of recurrent ops, of the "fill_mode" of transforms of pictures, and of what may be the
# "dense_activation"; and the codes of ops, by name. Filled when the package loads.
enums <- new.env(parent = emptyenv())
op_code <- new.env(parent = emptyenv())

#' The number that C has for a name.
#' @noRd
enum_code <- function(enum, name) match(name, enums[[enum]]) - 1L

#' Run code that is no part of the function being traced.
#' @noRd
outside_of_trace <- function(expr) {
  before <- tracing_program()
  set_recording(tracing = NULL)
  on.exit(set_recording(tracing = before))
  expr
}

#' What the function does cannot be part of a program. Outside of autograph() this is an error.
#' @noRd
abort_trace <- function(reason) {
  session$aborted <- reason
  abort("this function cannot be traced: ", reason, class = "traced", fun = NULL)
}

#' For code that would give other results each time: refuse to be part of a trace.
#' @noRd
check_not_tracing <- function(what) {
  if (is_tracing()) abort_trace(what)
}
