# Steps of one's own over the shards of a batch: `strategy$run()`. A step runs for each shard of this process; updates
# of weights wait until all have run, and go along the sums. Until then nobody may look at these weights. What it
# assigns to other variables is put together likewise.

strategy_members <- list(
  scope = function(self) function() structure(list(self = self), class = "nn_strategy_scope"),
  run = function(self) function(fn, args = list(), kwargs = list(), options = NULL) {
    with_ranks(self, run_shards(self, fn, c(as_branch(args), kwargs)))
  },
  reduce = function(self) function(reduce_op, value, axis = NULL) {
    with_ranks(self, reduce_shards(self, reduce_op, value, axis))
  },
  experimental_local_results = function(self) function(value) if (inherits(value, "nn_per_replica"))
    value$values[!vapply(value$values, is.null, NA)] else list(value),
  experimental_distribute_dataset = function(self) function(dataset, options = NULL)
    check_batches(dataset, "experimental_distribute_dataset"),
  distribute_datasets_from_function = function(self) function(dataset_fn, options = NULL) {
    abort("is not there, as each rank goes through the whole batches: give `fit()` or a loop the data set ",
      "itself, whose batches `strategy$run()` cuts into shards", fun = "distribute_datasets_from_function")
  },
  num_replicas_in_sync = function(self) self$shards,
  rank = function(self) self$communicator$rank,
  size = function(self) self$communicator$size,
  is_chief = function(self) self$communicator$rank == 0,
  communicator = function(self) self$communicator
)

check_batches <- function(x, fun) {
  if (inherits(x, "nn_dataset") || is.function(x)) return(x)
  abort("`dataset` must be a data set, not ", describe(x), fun = fun)
}

#' @export
`$.nn_strategy` <- function(x, name) {
  member <- strategy_members[[name]]
  if (is.null(member)) member <- unknown_member(name, names(strategy_members), "a strategy")
  member(strategy_self(x))
}

#' @export
`[[.nn_strategy` <- function(x, name) `$.nn_strategy`(x, check_name(name, "[["))

#' @export
.DollarNames.nn_strategy <- function(x, pattern = "") grep(pattern, names(strategy_members), value = TRUE)

# ---- within a step ----

#' For apply_gradients(): the update comes when all shards have run.
#' @noRd
update_later <- function(self, gradients, variables) {
  replica <- session$replica
  if (is_one_of(self, lapply(replica$updates, `[[`, "optimizer"))) abort("an optimizer takes one step in each call of ",
    "the function: under `strategy$run()` updates are made at the end of the step", fun = "apply_gradients")
  replica$updates <- c(replica$updates, list(list(optimizer = self, gradients = gradients, variables = variables)))
  .Call(C_variables_wait, variables, 1L)
  self
}

note_summed <- function(variables) {
  if (!is.null(session$shards) && is_tracing()) session$summed <- c(session$summed, variables)
  if (!is.null(session$replica)) session$replica$summed <- c(session$replica$summed, variables)
}

#' What fn(...) gives, and what it leaves to be done. Apart from it, so that it may be compiled together with fn.
#' @noRd
note_replica <- function(value) {
  force(value)
  replica <- session$replica
  let_look(replica)
  list(value = value, updates = replica$updates, assigned = replica$assigned, before = replica$before,
    summed = replica$summed)
}

#' Weights that had to wait may be looked at again.
#' @noRd
let_look <- function(replica) for (update in replica$updates) .Call(C_variables_wait, update$variables, 0L)

begin_replica <- function() {
  let_look(session$replica) # of a call that did not come to its end
  session$replica <- list2env(list(updates = list(), assigned = list(), before = list(), summed = list()),
    parent = emptyenv())
}

#' A function that is compiled where fn is.
#' @noRd
replica_call <- function(self, fn) {
  for (known in self$calls) if (identical(known$fn, fn)) return(known)
  step <- check_function(fn, fun = "run")
  compiled <- inherits(fn, "nn_graph_function")
  if (compiled) step <- environment(fn)$graph$f
  run <- function(...) {
    begin_replica()
    note_replica(step(...))
  }
  known <- list2env(list(fn = fn, run = if (compiled) autograph(run) else run, seen = FALSE), parent = emptyenv())
  self$calls <- c(utils::tail(self$calls, 15), list(known))
  known
}

# ---- a call for all shards of this rank ----

run_shards <- function(self, fn, args) {
  check_not_tracing("it calls `strategy$run()`: compile the function that it runs in its place")
  call <- replica_call(self, fn)
  rows <- rows_of_args(args)
  first <- first_shard(self, self$communicator$rank)
  own <- first_shard(self, self$communicator$rank + 1) - first
  if (!call$seen && rows < self$shards) abort("the first batch has ", rows, if (rows == 1) " sample" else " samples",
    ", but each of the ", self$shards, " shards needs one: later batches may be smaller", fun = "run")
  before <- session$replica
  on.exit({
    let_look(session$replica)
    session$replica <- before
  })
  start <- lapply(call$assigned, function(v) outside_of_trace(copies(list(v)))[[1]])
  base <- floor(stats::runif(1) * 2^30) # drawn on all ranks, whether or not a step draws
  news <- list(base, rows, batch_leaves(args)) # what the ranks must have in common
  values <- sums <- vector("list", own)
  for (i in seq_len(own) - 1) {
    from <- floor(rows * (first + i) / self$shards)
    n <- floor(rows * (first + i + 1) / self$shards) - from
    numbers <- if (!n) no_numbers(call)
    if (n) {
      part <- map_leaves(args, function(x) shard_of_arg(x, rows, from + 1, n, i + 1))
      done <- with_seed(base + first + i, do.call(call$run, part, quote = TRUE))
      session$replica <- NULL
      if (!call$seen) {
        call$assigned <- done$assigned
        start <- done$before
        call$seen <- TRUE
        call$value <- done$value
        call$updates <- done$updates
        call$sums <- vapply(done$assigned, is_one_of, NA, done$summed)
        news <- c(news, start, unlist(lapply(call$updates, `[[`, "variables")))
      }
      check_same_updates(call, done)
      numbers <- replica_numbers(call, done, start, n)
      values[i + 1] <- list(done$value)
      Map(variable_assign, call$assigned, start)
    }
    sums[[i + 1]] <- numbers
  }
  finish_step(call, start, sum_in_common(self, sums, news))
  structure(list(values = values, like = call$value), class = "nn_per_replica")
}

rows_of_args <- function(args) {
  for (x in tensor_leaves(args)) if (is_tensor(x) || is.array(x)) if (rank_of(x)) return(shape_of(x)[1])
  abort("`args` holds no batch: a tensor or an array with a row per sample", fun = "run")
}

#' What does not belong to a shard.
#' @noRd
batch_leaves <- function(args) Filter(function(x) is_tensor(x) || is.numeric(x), tensor_leaves(args))

#' The rows of a shard, of what is a batch; what another call of run() gave is there for each shard.
#' @noRd
shard_of_arg <- function(x, rows, from, n, at) {
  if (inherits(x, "nn_per_replica")) return(x$values[[at]])
  if (!is_tensor(x) && !is.array(x)) return(x)
  if (!rank_of(x) || shape_of(x)[1] != rows) return(x)
  slice_rows(if (is_tensor(x)) x else tensor(x, if (is.double(x)) session$floatx), from, n)
}

check_same_updates <- function(call, done) {
  same <- length(done$updates) == length(call$updates) && all(mapply(function(a, b)
    is_same(a$optimizer, b$optimizer) && is_same(a$variables, b$variables), done$updates, call$updates)) &&
    is_same(done$assigned, call$assigned)
  if (!same) abort("the function must update the same variables in each call", fun = "run")
}

#' Packed: 1, rows, gradients, then assigned variables: changes, or values by rows.
#' @noRd
replica_numbers <- function(call, done, start, n) {
  held <- Map(function(v, before, summed) {
    now <- .Call(C_numbers_packed, list(v))
    if (summed) now - .Call(C_numbers_packed, list(before)) else n * now
  }, call$assigned, start, call$sums)
  c(1, n, .Call(C_numbers_packed, unlist(lapply(done$updates, `[[`, "gradients"))), unlist(held))
}

no_numbers <- function(call) {
  double(2 + sum(vapply(c(unlist(lapply(call$updates, `[[`, "variables")), call$assigned), length, 0L)))
}

first_shard <- function(self, rank) (self$shards * rank) %/% self$communicator$size

#' @param numbers a vector of each shard of this rank.
#' @noRd
sum_over_shards <- function(self, numbers) .Call(C_communicator_sum, self$communicator$parts, self$shards, numbers)

#' The same, of ranks that have the same news.
#' @noRd
sum_in_common <- function(self, numbers, news) {
  size <- self$communicator$size
  if (size == 1) return(sum_over_shards(self, numbers))
  own <- replace(double(size), self$communicator$rank + 1, digest_of(news))
  total <- sum_over_shards(self, c(list(c(numbers[[1]], own)), lapply(numbers[-1], c, double(size))))
  all <- utils::tail(total, size)
  odd <- which(all != all[1])
  if (length(odd)) abort("rank ", odd[1] - 1, " has another batch, other weights or another random seed than rank 0: ",
    "all ranks must go through the same data, in the same order, with the same seed", class = "rank", fun = "run")
  utils::head(total, -size)
}

finish_step <- function(call, start, total) {
  rows <- total[2]
  at <- 2
  take <- function(like) {
    n <- sum(vapply(like, length, 0L))
    at <<- at + n
    total[at - n + seq_len(n)]
  }
  gradients <- lapply(call$updates, function(u) .Call(C_numbers_unpacked, take(u$variables), u$variables))
  held <- Map(function(v, before, summed) {
    x <- take(list(v))
    .Call(C_numbers_unpacked, if (summed) .Call(C_numbers_packed, list(before)) + x else x / rows, list(v))[[1]]
  }, call$assigned, start, call$sums)
  Map(variable_assign, call$assigned, held)
  Map(function(u, g) apply_gradients(u$optimizer, Map(list, g, u$variables)), call$updates, gradients)
}

# ---- what shards gave, put together ----

reduce_shards <- function(self, op, value, axis) {
  if (!is.null(axis)) abort("`axis` must be NULL: reduce along axes within the function, and over shards here",
    fun = "reduce")
  op <- check_choice(toupper(op), c("SUM", "MEAN"), "reduce_op", "reduce")
  if (!inherits(value, "nn_per_replica")) abort("`value` must be what `strategy$run()` gave, not ", describe(value),
    fun = "reduce")
  tensors <- function(x) lapply(tensor_leaves(x), function(leaf) if (is_tensor(leaf)) leaf else tensor(leaf))
  like <- tensors(value$like)
  total <- sum_over_shards(self, lapply(value$values, function(x)
    if (is.null(x)) double(1 + sum(vapply(like, length, 0L))) else c(1, .Call(C_numbers_packed, tensors(x)))))
  fill_leaves(value$like, .Call(C_numbers_unpacked, total[-1] / if (op == "MEAN") total[1] else 1, like))
}

#' @export
print.nn_per_replica <- function(x, ...) {
  cat("<values of ", length(x$values), " shards> `strategy$reduce(\"SUM\", value)` adds them up\n", sep = "")
  invisible(x)
}
