# Under mpirun, where there is one: of OpenMPI or MPICH.

mpi_version <- if (nzchar(Sys.which("mpirun"))) suppressWarnings(system2("mpirun", "--version", stdout = TRUE,
  stderr = TRUE))
mpi_is_open <- any(grepl("Open MPI|OpenRTE", mpi_version))
skip_without_mpi <- function(native) {
  skip_on_cran()
  skip_if_not(mpi_is_open || any(grepl("HYDRA", mpi_version)), "neither OpenMPI nor MPICH is installed")
  if (native) skip_if_not(nzchar(Sys.which("mpicc")), "mpicc is not installed")
  else skip_if_not(mpi_is_open && nzchar(system.file(package = "Rmpi")), # loading it would start MPI here
    "Rmpi is not installed, or not for this MPI")
}

#' What code(strategy, ...) gives on each rank, and what mpirun said.
under_mpirun <- function(size, code, native, args = list(), shards = 8, time_limit = 60) {
  folder <- tempfile("mpi")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  saveRDS(list(code, args), file.path(folder, "code"))
  script <- file.path(folder, "script.R")
  writeLines(c(".libPaths(commandArgs(TRUE)[-1])", "library(nativenet)", "nn_threads(1)",
    "folder <- commandArgs(TRUE)[1]", "what <- readRDS(file.path(folder, 'code'))",
    sprintf("strategy <- strategy_mpi(%d, native = %s, time_limit = %g)", shards, native, time_limit),
    "found <- do.call(what[[1]], c(list(strategy), what[[2]]))",
    "saveRDS(found, file.path(folder, paste0('rank-', strategy$rank)))"), script)
  said <- suppressWarnings(system2("mpirun", c(if (mpi_is_open) c("--allow-run-as-root",
    "--oversubscribe"), "-np", size,
    shQuote(file.path(R.home("bin"), "Rscript")), shQuote(script), shQuote(folder), shQuote(.libPaths())),
    stdout = TRUE, stderr = TRUE, timeout = 120))
  files <- file.path(folder, paste0("rank-", seq_len(size) - 1))
  list(found = lapply(files[file.exists(files)], readRDS), said = said, status = attr(said, "status"))
}

test_that("2, 3 and 8 processes give the bits of one, by the library of C and by Rmpi", {
  all <- c("mlp", "norm", "masked")
  one <- lapply(stats::setNames(nm = all), train_in_shards, strategy = strategy_local(8))
  train <- function(strategy, kinds, train) lapply(stats::setNames(nm = kinds), train, strategy = strategy)
  for (native in c(TRUE, FALSE)) {
    skip_without_mpi(native)
    for (size in c(2, 3, 8)) {
      kinds <- if (size == 2) all else "mlp"
      run <- under_mpirun(size, train, native, list(kinds, train_in_shards))
      expect_null(run$status, info = paste(run$said, collapse = "\n"))
      expect_identical(run$found, rep(list(one[kinds]), size), info = paste(native, size))
    }
  }
})

test_that("a rank's own error ends the job, and says which", {
  for (native in c(TRUE, FALSE)) {
    skip_without_mpi(native)
    train <- function(strategy) {
      set.seed(1)
      x <- matrix(stats::rnorm(100), 50)
      model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
      model |> compile("sgd", "mse")
      model |> fit(x, x[, 1], epochs = 50, verbose = 0, strategy = strategy,
        callbacks = list(on_epoch_end = function(epoch, logs) if (epoch == 1 && strategy$rank == 1) stop("mine")))
    }
    seconds <- system.time(run <- under_mpirun(2, train, native))[[3]]
    expect_length(run$found, 0)
    expect_lt(seconds, 30)
    expect_match(paste(run$said, collapse = "\n"), "mine|has left")
  }
})

test_that("a rank that does not answer is an error after the time limit", {
  train <- function(strategy) {
    if (strategy$rank == 1) Sys.sleep(4)
    strategy$communicator$all_reduce(1)
  }
  for (native in c(TRUE, FALSE)) {
    skip_without_mpi(native)
    run <- under_mpirun(2, train, native, time_limit = 1)
    expect_match(paste(run$said, collapse = "\n"), if (native) "did not answer in time" else
      "did not answer within the 1 seconds of `time_limit`")
  }
})

test_that("without MPI the way out is told", {
  expect_error(strategy_mpi(time_limit = 0), "`time_limit`")
  expect_error(strategy_mpi(native = 1), "`native`")
  path <- Sys.getenv("PATH")
  on.exit(Sys.setenv(PATH = path))
  Sys.setenv(PATH = tempfile())
  folder <- tempfile()
  dir.create(folder)
  expect_error(mpi_library(folder), "mpicc", class = "nativenet_error_package")
})
