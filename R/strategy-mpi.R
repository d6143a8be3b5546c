# MPI by the package Rmpi, or by a small library of C that is compiled against the MPI at hand (inst/mpi). nativenet
# itself links no MPI.

#' Data-parallel training over MPI
#'
#' `fit(strategy = strategy_mpi())` trains one model in the processes that `mpirun` or Slurm's `srun` starts: a script
#' `train.R` runs as `mpirun -np 8 Rscript train.R`. See [strategies] for what is computed, and what each rank does.
#'
#' Two ways lead to MPI: the package \pkg{Rmpi}, and `native = TRUE`, which compiles a library of some lines of C by
#' `mpicc` (`system.file("mpi", "mpi.c", package = "nativenet")`) into the session's temporary folder, or takes the one
#' that `mpi_library()` has compiled before. The native way costs less per step; MPI is the same, and so are the bits.
#'
#' MPI is initialized by the call, and finalized as R ends. A rank that ends by an error ends the job, as MPI's
#' programs do; so does a rank that is killed.
#'
#' @section Cost: Each step sends the packed gradients, in double precision: 8 N bytes for N weights, in
#'   \eqn{\log_2 P}{log2(P)} rounds for P ranks. So a step of B rows takes about
#'   \deqn{t(P) = \frac{B c}{P} + \log_2 P\,(l + 8 N / w) + u,}{t(P) = B c / P + log2(P) (l + 8 N / w) + u,}
#'   with c seconds of work for a row, latency l, bandwidth w in bytes per second, and u for the update, which each rank
#'   does in full. It pays when \eqn{B c (1 - 1/P)} is well above the second term. Two ranks on two cores of one
#'   machine, one thread each, beside one process on one thread: a convolutional network of 19,466 weights took half the
#'   time with batches of 32 rows and of 256; a dense one of 203,530 weights 0.8 of it with 1,024 rows and with 4,096,
#'   but three times as long with 64 (`bench/strategies.R` of the sources). Start one rank per core with
#'   `nn_threads(1)`, or one per socket with more threads: not both of all.
#' @section Slurm:
#' ```
#' #!/bin/bash
#' #SBATCH --job-name=train
#' #SBATCH --ntasks=8
#' #SBATCH --cpus-per-task=1
#' #SBATCH --time=02:00:00
#' export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
#' srun --mpi=pmix Rscript train.R
#' ```
#' @section Killed jobs: A rank that is killed ends the job within seconds. [callback_model_checkpoint()] replaces its
#'   file as a whole, so the last one can be loaded; training then goes on by `load_model()` and
#'   `fit(initial_epoch = )`, to the same bits as if it had not been ended.
#' @param shards see [strategies].
#' @param native take the library of C in place of Rmpi? `NULL`: where Rmpi is not installed.
#' @param time_limit seconds that a rank waits for another one before it gives up with an error.
#' @param folder where the library is, or is compiled into.
#' @return `strategy_mpi()`: a strategy, for [fit()]. `mpi_library()`: the name of the compiled file.
#' @section Errors: `nativenet_error_package` if neither Rmpi nor `mpicc` is there.
#' @seealso [strategies], [communicator()]
#' @examples
#' \dontrun{
#' # train.R, for mpirun -np 4 Rscript train.R
#' library(nativenet)
#' nn_threads(1)
#' set.seed(1)
#' x <- matrix(rnorm(1e5), ncol = 20)
#' y <- x[, 1] > x[, 2]
#' model <- keras_model_sequential(input_shape = 20) |>
#'   layer_dense(128, activation = "relu") |>
#'   layer_dense(1, activation = "sigmoid")
#' model |> compile("adam", "binary_crossentropy", metrics = "accuracy")
#' model |> fit(x, y, batch_size = 1000, epochs = 5, strategy = strategy_mpi())
#' }
#' @export
strategy_mpi <- function(shards = 8, native = NULL, time_limit = 300) {
  shards <- check_count(shards, max = most_shards)
  time_limit <- check_number(time_limit, above = 0)
  there <- nzchar(system.file(package = "Rmpi")) # not loaded, as that starts MPI
  if (is.null(native)) native <- !there else check_flag(native)
  if (!native && !there) abort("needs the package Rmpi; `install.packages(\"Rmpi\")` gets it where MPI is installed, ",
    "and `native = TRUE` does without it where there is `mpicc`", class = "package")
  if (is.null(session$mpi) || session$mpi$native != native) {
    if (!is.null(session$mpi)) abort("MPI was started by ", if (native) "Rmpi" else "`native = TRUE`",
      " in this session, which cannot be changed")
    session$mpi <- list(native = native, start = if (native) native_mpi() else rmpi())
  }
  new_strategy("strategy_mpi", session$mpi$start(time_limit), shards)
}

#' @rdname strategy_mpi
#' @export
mpi_library <- function(folder = tempdir()) {
  check_string(folder)
  target <- file.path(folder, paste0("nativenet_mpi", .Platform$dynlib.ext))
  if (file.exists(target)) return(target)
  if (!nzchar(Sys.which("mpicc"))) abort("needs `mpicc`, the C compiler of an MPI, on the search path: install ",
    "OpenMPI or MPICH with its headers, or the package Rmpi", class = "package")
  if (!dir.exists(folder)) abort("`folder` ", encodeString(folder, quote = "\""), " does not exist", class = "file")
  build <- tempfile("mpi")
  dir.create(build)
  on.exit(unlink(build, recursive = TRUE))
  made <- file.path(build, basename(target))
  file.copy(c(system.file("mpi", "mpi.c", package = "nativenet"),
    system.file("include", "nativenet_communicator.h", package = "nativenet")), build)
  # R knows how a library that calls it is linked here: macOS has to be told that R's functions come later
  writeLines(c("CC = mpicc", "CFLAGS = -O2", "PKG_CPPFLAGS = -I."), file.path(build, "user"))
  here <- setwd(build)
  said <- tryCatch(suppressWarnings(system2(file.path(R.home("bin"), "R"), stdout = TRUE, stderr = TRUE,
    c("CMD", "SHLIB", "-o", basename(target), "mpi.c"), env = c("R_MAKEVARS_USER=user", "R_TESTS="))),
    finally = setwd(here))
  if (!file.exists(made)) abort("`mpicc` could not compile the library: ", paste(utils::tail(said, 3), collapse = " "),
    class = "package")
  file.copy(made, part <- tempfile("nativenet_mpi", folder))
  file.rename(part, target) # other ranks may do the same
  target
}

#' A function of the time limit that gives a communicator by the library of C.
#' @noRd
native_mpi <- function() {
  library <- dyn.load(mpi_library())
  ask <- function(name, ...) do.call(.Call, list(getNativeSymbolInfo(name, library)$address, ...))
  pointer <- ask("nativenet_mpi_open")
  reg.finalizer(session, function(e) ask("nativenet_mpi_close"), onexit = TRUE)
  function(time_limit) {
    ask("nativenet_mpi_limit", time_limit)
    communicator(all_reduce = pointer)
  }
}

#' The same by Rmpi. Messages have tag 1; 2 is that of a rank that leaves.
#' @noRd
rmpi <- function() {
  library <- asNamespace("Rmpi")
  world <- 0L
  library$mpi.comm.set.errhandler(world)
  library$mpi.realloc.request(2)
  rank <- library$mpi.comm.rank(world)
  size <- library$mpi.comm.size(world)
  gone <- rep(FALSE, size)
  look <- function() while (library$mpi.iprobe(library$mpi.any.source(), 2, world)) {
    from <- library$mpi.get.sourcetag()[1]
    library$mpi.recv(integer(1), 1, from, 2, world)
    gone[from + 1] <<- TRUE
  }
  left <- FALSE
  leave <- function() {
    if (!left) for (other in setdiff(seq_len(size) - 1, rank)) library$mpi.send(0L, 1, other, 2, world)
    left <<- TRUE
  }
  reg.finalizer(session, function(e) {
    leave()
    until <- proc.time()[[3]] + exit_seconds
    while (!all(gone[-(rank + 1)]) && proc.time()[[3]] < until) look()
    if (all(gone[-(rank + 1)])) library$mpi.finalize() else library$mpi.abort(world)
  }, onexit = TRUE)
  function(time_limit) {
    exchange <- function(x, peer) {
      y <- double(length(x))
      y[1] <- 0 # memory of its own
      library$mpi.irecv(y, 2, peer, 1, world, 0)
      library$mpi.isend(x, 2, peer, 1, world, 1)
      until <- NULL
      tries <- 0
      open <- c(TRUE, TRUE)
      repeat {
        for (k in which(open)) if (library$mpi.test(k - 1, 0)) {
          open[k] <- FALSE
          if (k == 1 && library$mpi.get.count(2, 0) != length(x)) stop("rank ", peer, " sent ",
            library$mpi.get.count(2, 0), " numbers in place of ", length(x),
            ": the ranks do not train the same model on the same data")
        }
        if (!any(open)) return(y)
        tries <- tries + 1
        if (tries %% 50) next
        look()
        now <- proc.time()[[3]]
        if (is.null(until)) until <- now + time_limit
        if (gone[peer + 1]) until <- min(until, now + last_seconds)
        if (now > until) stop("rank ", peer, if (gone[peer + 1]) " has left, by an error or an interrupt" else
          paste0(" did not answer within the ", format(time_limit), " seconds of `time_limit`"))
        if (tries > 5000) Sys.sleep(0.0005)
      }
    }
    communicator(rank, size, exchange = exchange, leave = leave)
  }
}

last_seconds <- 0.2 # what a rank sent before it left may still be on its way
exit_seconds <- 5 # that a rank waits for others to end, before it ends them
