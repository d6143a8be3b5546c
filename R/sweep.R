# Sweeps: many models trained side by side, by whatever package hands jobs to R processes.

#' Train many models side by side
#'
#' Calls `train` once for each row of a grid of settings, here or in several R processes, and gives a data frame of what
#' came out. The rows are the same to the bit wherever and in whatever order the runs are made: each run has its own
#' seed, which is set before it, and computes on one thread.
#'
#' `workers` says where the runs are made:
#' * `NULL`: here, one after the other.
#' * a whole number: in so many R processes on this machine, by the package callr.
#' * a cluster of [parallel::makeCluster()] or its like.
#' * `"future"`: by the plan that `future::plan()` has set, such as `multisession`, or a cluster or batch system.
#' * `"mirai"`: by the daemons that `mirai::daemons()` has started, here or by a scheduler such as Slurm.
#' * a function of a list of jobs and a function of a job, which gives the list of what that function gives, for any
#'   other package: `function(jobs, run) clustermq::Q(run, jobs, n_jobs = 20)`.
#'
#' A worker that is free takes the next run. `train` is sent with what it uses: the objects of the global environment
#' that it names, and its own environment; the packages that are attached here are attached there. Large data are sent
#' for each run, so have `train` read them from files, or make them. What ends early, by an error or with Ctrl-C, leaves
#' no processes behind that were started here.
#'
#' @param grid a data frame with a row for each run, or a named list of vectors, all combinations of which are tried.
#' @param train a function whose arguments are the columns of the grid. It gives what shall be known of a run: a named
#'   vector or list of numbers, as [evaluate()] does, or the history of [fit()], of which the last epoch counts.
#' @param workers where the runs are made, see below.
#' @param seed a whole number from which the seeds of the runs follow; `NULL`: from R's generator, that is,
#'   [set.seed()].
#' @return A data frame: the columns of the grid, `seed`, what `train` gave, `seconds`, and `error` and `warning`: the
#'   message if there was one, else `NA`. `set.seed(seed)` and `nn_threads(1)` before `train(...)` repeat a single run.
#' @section Errors: an error in `train` is a row with its message, and so is a worker that ends, but for clusters and
#'   functions, which end the sweep then. `nativenet_error_missing` without the package that is asked for.
#' @seealso [fit()]; `vignette("scaling")`.
#' @examples
#' x <- as.matrix(iris[1:4])
#' y <- as.integer(iris$Species) - 1L
#' train <- function(units, rate) {
#'   model <- keras_model_sequential(input_shape = 4) |>
#'     layer_dense(units, activation = "relu") |>
#'     layer_dense(3, activation = "softmax")
#'   model |> compile(optimizer_adam(rate), "sparse_categorical_crossentropy", "accuracy")
#'   fit(model, x, y, epochs = 5, validation_split = 0.2, verbose = 0)
#' }
#' run_sweep(list(units = c(4, 16), rate = c(0.1, 0.01)), train, seed = 1)
#' @export
run_sweep <- function(grid, train, workers = NULL, seed = NULL) {
  grid <- as_grid(grid)
  check_function(train)
  arguments <- names(formals(as_closure(train)))
  unknown <- if (!"..." %in% arguments) setdiff(names(grid), arguments)
  if (length(unknown)) abort("`train` must take the columns of `grid`, but it has no argument `", unknown[1], "`")
  backend <- sweep_backend(workers)
  jobs <- sweep_jobs(grid, seed)
  task <- serialize(list(train = train, globals = globals_of(train), packages = .packages()), NULL)
  run <- sweep_run(task, .libPaths())
  results <- tryCatch(backend(jobs, run), error = function(e) if (inherits(e, "nativenet_error")) stop(e) else
    abort("the workers failed: ", conditionMessage(e), fun = "run_sweep"))
  if (!is.list(results) || length(results) != length(jobs)) abort("`workers` must give a list of ", length(jobs),
    " results, not ", describe(results))
  sweep_table(grid, jobs, lapply(results, as_result))
}

#' Columns of the result beside those of the grid and what runs give.
#' @noRd
sweep_columns <- c("seed", "seconds", "error", "warning")

as_grid <- function(grid, fun = calling_function()) {
  if (is_named_list(grid) && length(grid)) {
    for (name in names(grid)) if (!is.vector(grid[[name]]) || !length(grid[[name]])) abort("`grid$", name,
      "` must be a vector of settings, not ", describe(grid[[name]]), fun = fun)
    index <- do.call(expand.grid, lapply(grid, seq_along))
    columns <- Map(function(values, i) if (is.list(values)) I(values[i]) else values[i], grid, index)
    grid <- as.data.frame(columns, optional = TRUE, stringsAsFactors = FALSE)
  }
  if (!is.data.frame(grid) || !nrow(grid) || !length(grid)) abort("`grid` must be a data frame with a row for each ",
    "run, or a named list of vectors, not ", describe(grid), fun = fun)
  own <- intersect(sweep_columns, names(grid))
  if (length(own)) abort("`grid` must not have a column `", own[1], "`: the result has one of that name", fun = fun)
  rownames(grid) <- NULL
  grid
}

#' A job for each row: its settings, and a seed that depends on nothing but the number of the row.
#' @noRd
sweep_jobs <- function(grid, seed, fun = calling_function()) {
  seeds <- with_seed(seed, sample.int(.Machine$integer.max, nrow(grid)), fun)
  lapply(seq_len(nrow(grid)), function(i) list(seed = seeds[i], settings = lapply(as.list(grid), `[[`, i)))
}

#' The function of a job that workers call. It stands on R alone until the worker knows where the packages are.
#' @noRd
sweep_run <- function(task, libraries) {
  run <- function(job) {
    .libPaths(unique(c(libraries, .libPaths())))
    loadNamespace("nativenet")
    utils::getFromNamespace("sweep_step", "nativenet")(job, task)
  }
  environment(run) <- list2env(list(task = task, libraries = libraries), parent = baseenv())
  run
}

#' One run, on one thread, by its own seed: list(values, seconds, error, warning).
#' @noRd
sweep_step <- function(job, task) {
  task <- unserialize(task)
  for (package in rev(task$packages)) suppressWarnings(suppressMessages(require(package, character.only = TRUE,
    quietly = TRUE)))
  train <- with_globals(task$train, task$globals)
  threads <- nn_threads()
  on.exit(nn_threads(threads))
  nn_threads(1)
  warned <- NA_character_
  start <- proc.time()[[3]]
  values <- tryCatch(
    withCallingHandlers(with_seed(job$seed, run_values(do.call(train, job$settings, quote = TRUE), job$settings)),
      warning = function(w) {
        if (is.na(warned)) warned <<- conditionMessage(w)
        invokeRestart("muffleWarning")
      }),
    error = identity)
  failed <- inherits(values, "error")
  list(values = if (!failed) values, seconds = proc.time()[[3]] - start,
    error = if (failed) conditionMessage(values) else NA_character_, warning = warned)
}

#' What a run gave as a named vector of numbers.
#' @noRd
run_values <- function(x, settings) {
  if (inherits(x, "nn_history")) x <- lapply(x$metrics, function(v) v[length(v)])
  x <- if (is.list(x) && !is.object(x)) lapply(x, function(v) if (is_tensor(v)) as.array(v) else v) else unclass(x)
  fits <- length(names(x)) == length(x) && all(nzchar(names(x))) && !anyDuplicated(names(x)) &&
    all(vapply(x, function(v) length(v) == 1 && (is.numeric(v) || is.logical(v)), NA))
  if (!fits) abort("`train` must give a named vector of numbers, or the history of `fit()`, not ", describe(x),
    fun = "run_sweep")
  own <- intersect(names(x), c(names(settings), sweep_columns))
  if (length(own)) abort("`train` must not give a number called `", own[1], "`: the table has a column of that name",
    fun = "run_sweep")
  unlist(x)
}

# ---- what a function finds in the global environment goes with it ----

#' The objects of the global environment that a function names, and those that these functions name.
#' @noRd
globals_of <- function(f) {
  found <- list()
  visit <- function(f) {
    used <- unique(c(all.names(body(f)), unlist(lapply(formals(f), all.names))))
    for (name in setdiff(used, names(found))) {
      if (!exists(name, envir = globalenv(), inherits = FALSE)) next
      value <- get(name, envir = globalenv())
      found[name] <<- list(value)
      if (is.function(value) && !is.primitive(value)) visit(value)
    }
  }
  if (!is.primitive(f)) visit(f)
  found
}

#' The function, with these objects behind its environments and before the global one; nothing is put into that.
#' @noRd
with_globals <- function(f, globals) {
  if (!length(globals) || is.primitive(f)) return(f)
  env <- list2env(globals, parent = globalenv())
  behind <- function(f) {
    if (is.primitive(f)) return(f)
    at <- environment(f)
    if (identical(at, globalenv())) environment(f) <- env
    f
  }
  for (name in names(globals)) if (is.function(globals[[name]])) assign(name, behind(globals[[name]]), envir = env)
  at <- environment(f)
  if (identical(at, globalenv())) return(behind(f))
  # the function came by serialization, so its environments are nobody else's
  while (!identical(parent.env(at), globalenv()) && !identical(parent.env(at), emptyenv()) && !isNamespace(at))
    at <- parent.env(at)
  if (identical(parent.env(at), globalenv()) && !isNamespace(at)) parent.env(at) <- env
  f
}

# ---- where jobs are run ----

#' A function of the jobs and the function of a job that gives the list of results.
#' @noRd
sweep_backend <- function(workers, fun = calling_function()) {
  if (is.null(workers)) return(function(jobs, run) lapply(jobs, run))
  if (inherits(workers, "cluster")) return(function(jobs, run) parallel::clusterApplyLB(workers, jobs, run))
  if (is.function(workers)) return(check_function(workers, fun = fun, takes = 2))
  if (is_number(workers)) {
    n <- check_count(workers, max = 1024, arg = "workers", fun = fun)
    need_package("callr", "a sweep in several processes", fun)
    return(function(jobs, run) by_processes(jobs, run, n))
  }
  if (!is_strings(workers) || length(workers) != 1 || !workers %in% c("future", "mirai")) abort("`workers` must be ",
    "NULL, a number of processes, a cluster, \"future\", \"mirai\" or a function of jobs, not ", describe(workers),
    fun = fun)
  need_package(workers, "a sweep by its workers", fun)
  if (workers == "future") return(by_futures)
  if (!isTRUE(from_package("mirai", "daemons_set")())) abort("`workers = \"mirai\"` needs daemons: start them by ",
    "`mirai::daemons(2)`", fun = fun)
  by_daemons
}

by_futures <- function(jobs, run) {
  value <- from_package("future", "value")
  future <- from_package("future", "future")
  # making one waits until a worker is free; seeds are set by the run itself
  futures <- lapply(jobs, function(job) tryCatch(future(run(job), seed = NULL, globals = list(run = run, job = job),
    packages = character()), error = identity))
  lapply(futures, function(f) if (inherits(f, "error")) f else tryCatch(value(f), error = identity))
}

by_daemons <- function(jobs, run) {
  all <- from_package("mirai", "mirai_map")(jobs, run)
  on.exit(from_package("mirai", "stop_mirai")(all))
  lapply(unname(from_package("mirai", "collect_mirai")(all)), function(x) {
    if (inherits(x, "errorValue")) simpleError(if (is.character(x) && nzchar(x[1])) as.character(x) else
      "the daemon ended") else x
  })
}

#' By so many R processes, each of which takes a job when it has none.
#' @noRd
by_processes <- function(jobs, run, n) {
  n <- min(n, length(jobs))
  start <- from_package("callr", "r_session")$new
  sessions <- vector("list", n)
  on.exit(for (s in sessions) if (!is.null(s)) s$close(grace = 0))
  results <- vector("list", length(jobs))
  at <- integer(n) # the job of each, 0: none
  given <- 0
  repeat {
    for (k in seq_len(n)) {
      if (at[k] || given == length(jobs)) next
      if (is.null(sessions[[k]])) sessions[[k]] <- start()
      at[k] <- given <- given + 1
      sessions[[k]]$call(function(run, job) run(job), list(run, jobs[[given]]))
    }
    busy <- which(at > 0)
    if (!length(busy)) return(results)
    for (k in busy) {
      sessions[[k]]$poll_process(as.integer(50 %/% length(busy) + 1))
      answer <- sessions[[k]]$read()
      if (is.null(answer) || answer$code == 301) next # 301: a message
      results[at[k]] <- list(if (is.null(answer$error)) answer$result else answer$error)
      at[k] <- 0
      if (!sessions[[k]]$is_alive()) sessions[k] <- list(NULL)
    }
  }
}

as_result <- function(x) {
  if (is.list(x) && all(c("values", "seconds", "error", "warning") %in% names(x))) return(x)
  list(values = NULL, seconds = NA_real_, warning = NA_character_,
    error = if (inherits(x, "condition")) conditionMessage(x) else "the worker gave no result")
}

sweep_table <- function(grid, jobs, results) {
  names <- unique(unlist(lapply(results, function(r) names(r$values))))
  field <- function(name, empty) vapply(results, function(r) if (is.null(r[[name]])) empty else r[[name]], empty)
  metrics <- lapply(stats::setNames(nm = names), function(name) vapply(results, function(r)
    if (name %in% names(r$values)) as.double(r$values[[name]]) else NA_real_, 0))
  table <- c(as.list(grid), list(seed = vapply(jobs, `[[`, 0L, "seed")), metrics, list(seconds = field("seconds",
    NA_real_), error = field("error", NA_character_), warning = field("warning", NA_character_)))
  structure(table, class = "data.frame", row.names = seq_along(jobs))
}
