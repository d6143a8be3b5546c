# Distribution strategies: steps of training in equal pieces of each batch, over the processes of a job. The work is
# done in src/run/shards.c; here is the object, and what ranks must agree on.

#' Distribution strategies: data-parallel training
#'
#' `fit(strategy = )` cuts each batch into `shards` equal pieces, computes the gradient of each, and takes one step of
#' the optimizer with their mean. The processes (*ranks*) of a job share the pieces; all hold the same weights.
#' `strategy_local()` does it in one process, [strategy_mpi()] in those that `mpirun` starts,
#' `strategy_communicator()` in those that a [communicator()] of one's own connects.
#'
#' **The same bits.** What is computed depends on `shards`, but not on the number of ranks: 1, 2, 3, 4 and 8 processes
#' with `shards = 8` end with the same weights to the bit. The pieces are the leaves of a binary tree, in which each
#' node is the sum of its left and its right half; sums of gradients are made along it in double precision, at first
#' within a rank, then over ranks. Any number of ranks up to that of shards will do, but the work is even only where the
#' ranks divide the shards, and the traffic is least where both are powers of two.
#'
#' **Each rank runs the same script** on the same data, with the same `set.seed()`; from each batch it takes its own
#' pieces. Rank 0 alone prints and writes files in callbacks. `batch_size` is that of all ranks together.
#' Data sets, tables and generators of batches are gone through by each rank, and the batches of a step are compared:
#' they must come in the same order, which a query with `ORDER BY random()` does not give. Where processors differ, all
#' ranks need the same instruction set (the option `nativenet.instructions`, see [nn_features()]), as the last bits of
#' what is computed depend on it.
#'
#' With B rows in a batch, row i of it (from 0) belongs to shard k if \eqn{\lfloor kB/S \rfloor \le i <
#' \lfloor (k+1)B/S \rfloor}{floor(k B / S) <= i < floor((k + 1) B / S)} for S shards. The last batch may have fewer
#' rows than there are shards; some are then empty. The step goes along
#' \deqn{g = \sum_k w_k g_k \big/ \sum_k w_k,}{g = sum_k w_k g_k / sum_k w_k,}
#' where \eqn{g_k}{g_k} is the gradient of the loss of shard k, and \eqn{w_k}{w_k} is its number of rows; where the
#' output is masked, the number of values that the mask lets through; and for losses with `reduction = "sum"`, the
#' step is the plain sum. So the loss, its gradient, penalties on weights and metrics are those of the whole batch, up
#' to rounding. Clipping of gradients comes after the sum. A model whose losses are weighed by different numbers, such
#' as two masks, or a mask beside penalties on weights, takes a gradient for each of them.
#'
#' @section What is of the shard: Batch normalization normalizes by the mean and variance of the shard, as TensorFlow's
#'   does by those of the replica; the moving averages are means over the shards, weighted by rows. So are losses and
#'   penalties that are not means over rows. Dropout and noise draw for each shard by a seed of its own.
#' @section Where it is given: `fit(strategy = )`; or a model is compiled within `with(strategy$scope(), ...)`, as in
#'   TensorFlow, and trains with the strategy ever after. Validation in `fit()` is shared by the ranks, too;
#'   [evaluate()], [predict()] and what callbacks compute is done by each rank for itself.
#' @section Members: `strategy$scope()`, for `with()`; `strategy$num_replicas_in_sync`, the number of shards;
#'   `strategy$rank`, `strategy$size`, `strategy$communicator`; `strategy$is_chief`, is it rank 0?
#' @section When it pays: see [strategy_mpi()].
#' @section Errors: `nativenet_error_rank`, on all ranks, if they have different models, data, batches, arguments,
#'   weights or seeds, if one of them fails or leaves, or if a sum fails; the weights are those of the last complete
#'   step. No rank waits longer than the communicator's time limit. `nativenet_error_value` if there are more ranks than
#'   rows or shards, and for models whose step cannot be compiled.
#' @param shards pieces of a batch, at least as many as ranks.
#' @param communicator what [communicator()] gave.
#' @return A strategy, for [fit()].
#' @seealso [communicator()], [strategy_mpi()], [fit()]
#' @examples
#' set.seed(1)
#' x <- matrix(runif(400), 100)
#' y <- x %*% c(1, -1, 2, 0)
#' strategy <- strategy_local(shards = 4)
#' with(strategy$scope(), {
#'   model <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
#'   model |> compile("sgd", "mse")
#' })
#' model |> fit(x, y, batch_size = 20, epochs = 2, verbose = 0)
#'
#' # or
#' model |> fit(x, y, batch_size = 20, epochs = 2, verbose = 0, strategy = strategy)
#' @name strategies
NULL

#' @rdname strategies
#' @export
strategy_local <- function(shards = 8) {
  new_strategy("strategy_local", communicator(0, 1, function(x) x), shards)
}

#' @rdname strategies
#' @export
strategy_communicator <- function(communicator, shards = 8) {
  if (!inherits(communicator, "nn_communicator")) abort("`communicator` must be what `communicator()` gave, not ",
    describe(communicator))
  new_strategy("strategy_communicator", communicator, shards)
}

most_shards <- 2^15

new_strategy <- function(name, communicator, shards, fun = calling_function()) {
  shards <- check_count(shards, max = most_shards, fun = fun)
  if (shards < communicator$size) abort("`shards` must be at least the number of ranks, ", communicator$size, ", not ",
    shards, fun = fun)
  self <- list2env(list(name = name, communicator = communicator, shards = shards, left = FALSE),
    parent = emptyenv())
  structure(list(self = self), class = "nn_strategy")
}

is_strategy <- function(x) inherits(x, "nn_strategy")

strategy_self <- function(x) .subset2(x, "self")

check_strategy <- function(x, fun = calling_function()) {
  if (is.null(x)) return(NULL)
  if (is_strategy(x)) return(strategy_self(x))
  abort("`strategy` must be a strategy, such as `strategy_mpi()` gives, not ", describe(x), fun = fun)
}

#' @export
print.nn_strategy <- function(x, ...) {
  self <- strategy_self(x)
  cat("<", self$name, "> ", self$shards, " shards of a batch; rank ", self$communicator$rank, " of ",
    self$communicator$size, "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_strategy <- function(x) "a strategy"

# Models that are compiled by the code belong to the strategy.
#' @export
with.nn_strategy_scope <- function(data, expr, ...) {
  before <- session$scope
  on.exit(session$scope <- before)
  session$scope <- data$self
  expr
}

# ---- while training goes over shards ----

#' Programs that are traced and run by the code go over the strategy's shards (NULL: over whole batches).
#' @noRd
over_shards <- function(self, code) {
  before <- session$shards
  on.exit(session$shards <- before)
  session$shards <- self
  code
}

#' What the engine is told of them: see src/border/r_communicator.c.
#' @param batch tensors that came as a batch, which ranks have not compared before.
#' @noRd
shards_of <- function(step, batch = NULL) {
  self <- session$shards
  if (is.null(self) || is.null(step$weigh)) return(NULL)
  if (step$rows) abort("R code of the model or its loss looks at the number of rows, which differs between ",
    "the shards of a batch: leave it to ops, such as `op_mean()`", fun = user_function())
  weigh <- step$weigh
  list(self$communicator$parts, self$shards, weigh$kind, if (is.null(weigh$slot)) list(NULL) else weigh$slot,
    if (is.null(batch) || self$communicator$size == 1) 0 else digest_of(batch))
}

#' Variables of the function being traced whose changes in the shards are added up, as those of metrics.
#' @noRd
summed_variables <- function() session$summed

#' In a traced step, means of float tensors over the shards, by the weights of a group of losses; as they are where
#' there are no shards.
#' @noRd
over_all_shards <- function(values, group = 1L) {
  there <- !vapply(values, is.null, NA)
  if (is.null(session$shards) || !is_tracing() || !any(there)) return(values)
  values[there] <- .Call(C_program_reduce, tracing_program(), values[there], group - 1L)
  values
}

#' Numbers that the ranks must have in common, each by a name. The error is raised on all ranks.
#' @noRd
check_agreement <- function(self, numbers, fun = user_function()) {
  communicator <- self$communicator
  if (communicator$size == 1) return(invisible())
  all <- gather_over_ranks(communicator, unlist(numbers))
  for (k in seq_along(numbers)) {
    odd <- which(all[, k] != all[1, k])
    if (length(odd)) abort("the ranks must have the same ", names(numbers)[k], ", but rank ", odd[1] - 1,
      " has not that of rank 0", agreement_hints[[names(numbers)[k]]], class = "rank", fun = fun)
  }
}

agreement_hints <- list(
  "random seed" = ": call `set.seed()` with the same number at the top of the script",
  "weights" = ": call `set.seed()` with the same number before the model is made, or load it from one file",
  "data" = ": each rank reads all the data, and takes its shards by itself",
  "model" = "", "arguments" = "", "optimizer" = ""
)

#' What rank 0 has.
#' @noRd
from_rank_0 <- function(self, numbers) {
  communicator <- self$communicator
  if (communicator$size == 1) return(numbers)
  if (communicator$rank) numbers[] <- 0
  sum_over_ranks(communicator$parts, numbers)
}

#' A number for bytes: of tensors, bare vectors, or lists and strings of these.
#' @noRd
digest_of <- function(x) {
  numbers <- vapply(tensor_leaves(x), function(leaf) {
    if (!is_tensor(leaf) && !is.numeric(leaf)) leaf <- serialize(leaf, NULL, xdr = FALSE, version = 2)
    .Call(C_fingerprint, leaf)
  }, 0)
  if (length(numbers) == 1) numbers else .Call(C_fingerprint, numbers)
}

#' Run code of which all ranks must come to the end; if this one does not, the others are told.
#' @noRd
with_ranks <- function(self, code) {
  if (is.null(self)) return(code)
  if (self$left) abort("this rank or another one has left the job by an error or an interrupt: start the job anew",
    class = "rank", fun = user_function())
  done <- FALSE
  on.exit(if (!done && self$communicator$size > 1) {
    self$left <- TRUE
    .Call(C_communicator_leave, self$communicator$parts)
  })
  value <- code
  done <- TRUE
  value
}
