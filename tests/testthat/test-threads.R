test_that("nn_threads() tells and sets, within what there is", {
  old <- nn_threads()
  on.exit(nn_threads(old))
  cores <- nn_features()$cores
  expect_invisible(nn_threads(1))
  expect_identical(nn_threads(), 1L)
  expect_identical(nn_threads(cores + 100), as.integer(cores))
  expect_identical(nn_threads(), as.integer(cores))
})

test_that("bad numbers of threads are refused and change nothing", {
  before <- nn_threads()
  for (bad in list(0, -1, 1.5, NA, "2", c(1, 2), Inf, TRUE)) {
    expect_error(nn_threads(bad), "`nn_threads()`: `n` must be a positive whole number", fixed = TRUE,
      class = "nativenet_error_value")
  }
  expect_identical(nn_threads(), before)
})

test_that("nn_features() describes the engine", {
  found <- nn_features()
  expect_named(found, c("instructions", "openmp", "sgemm", "threads", "cores"))
  expect_true(found$instructions %in% c("avx512", "avx2", "portable"))
  expect_true(is.logical(found$openmp) && is.logical(found$sgemm))
  expect_gte(found$threads, 1)
  expect_lte(found$threads, found$cores)
  expect_identical(found$threads, nn_threads())
})

test_that("asking does not change the instruction set", {
  on.exit(.Call(nativenet:::C_kernels, "widest"))
  .Call(nativenet:::C_kernels, "portable")
  expect_identical(nn_features()$instructions, "portable")
})

test_that("the default follows the option, then R CMD check's limit, then four", {
  default <- nativenet:::default_threads
  old <- options(nativenet.threads = 3)
  check <- Sys.getenv("_R_CHECK_LIMIT_CORES_", NA)
  on.exit({
    options(old)
    if (is.na(check)) Sys.unsetenv("_R_CHECK_LIMIT_CORES_") else Sys.setenv("_R_CHECK_LIMIT_CORES_" = check)
  })
  expect_identical(default(), 3L)
  for (bad in list("two", 0, NA, NULL, c(1, 2))) {
    options(nativenet.threads = bad)
    Sys.unsetenv("_R_CHECK_LIMIT_CORES_")
    expect_identical(default(), 4L)
    Sys.setenv("_R_CHECK_LIMIT_CORES_" = "TRUE")
    expect_identical(default(), 2L)
  }
})

test_that("a child forked off works alone and the parent keeps its threads", {
  skip_on_os("windows")
  before <- nn_threads()
  expect_identical(parallel::mclapply(1:2, function(i) nn_threads(), mc.cores = 2), list(1L, 1L))
  expect_identical(nn_threads(), before)
})
