test_that("nn_threads() tells and sets, within what there is", {
  old <- nn_threads()
  on.exit(nn_threads(old))
  expect_invisible(nn_threads(1))
  expect_identical(nn_threads(), 1L)
  local_env(OMP_THREAD_LIMIT = NA) # which `R CMD check` sets
  expect_identical(nn_threads(200), 200L) # on any machine
  expect_identical(nn_threads(), 200L)
  local_env(OMP_THREAD_LIMIT = "2")
  expect_warning(expect_identical(nn_threads(3), 2L), "2 threads are in force, not 3",
    class = "nativenet_warning_threads")
})

test_that("more threads than cores give the same bits", {
  local_env(OMP_THREAD_LIMIT = NA)
  set.seed(1)
  x <- matrix(rnorm(400 * 300), 400)
  trained <- function(threads) with_threads(threads, {
    set.seed(2)
    model <- keras_model_sequential(input_shape = 300) |> layer_dense(400, "tanh") |> layer_dense(1)
    model |> compile("adam", "mse")
    model |> fit(x, x[, 1], batch_size = 200, epochs = 3, verbose = 0)
    get_weights(model)
  })
  alone <- trained(1)
  for (threads in c(2, 3, 8)) expect_identical(trained(threads), alone)
  if (Sys.info()[["sysname"]] == "Linux") expect_gte(length(list.files("/proc/self/task")), 8)
})

test_that("products of many matrices are those of each, and the same bits whoever does them", {
  set.seed(3)
  a <- array(rnorm(3 * 17 * 33 * 29), c(3, 17, 33, 29))
  run <- function(y, flip_x, flip_y, dtype) {
    x <- variable(if (flip_x) aperm(a, c(1, 2, 4, 3)) else a, dtype)
    y <- variable(if (flip_y) aperm(y, c(seq_len(length(dim(y)) - 2), length(dim(y)) - 0:1)) else y, dtype)
    with(gradient_tape() %as% tape, {
      z <- op_matmul(x, y, transpose_x = flip_x, transpose_y = flip_y)
      total <- op_sum(z * z)
    })
    lapply(c(list(z), tape$gradient(total, list(x, y))), as.array)
  }
  for (y in list(array(rnorm(3 * 17 * 29 * 31), c(3, 17, 29, 31)), array(rnorm(17 * 29 * 31), c(17, 29, 31)))) {
    for (flip_x in c(FALSE, TRUE)) for (flip_y in c(FALSE, TRUE)) for (dtype in c("float32", "float64")) {
      alone <- with_threads(1, run(y, flip_x, flip_y, dtype))
      for (threads in 2:3) expect_identical(with_threads(threads, run(y, flip_x, flip_y, dtype)), alone)
    }
    b <- if (length(dim(y)) == 4) y[3, 5, , ] else y[5, , ]
    expect_equal(alone[[1]][3, 5, , ], a[3, 5, , ] %*% b, tolerance = 1e-12)
    expect_equal(aperm(alone[[2]], c(1, 2, 4, 3))[3, 5, , ], 2 * a[3, 5, , ] %*% b %*% t(b), tolerance = 1e-12)
  }
  whole <- array(sample(-9:9, 20 * 6, TRUE), c(20, 2, 3)) # in whole numbers, too
  for (threads in c(1, 3)) with_threads(threads, expect_equal(as.array(op_matmul(whole, whole,
    transpose_y = TRUE))[7, , ], whole[7, , ] %*% t(whole[7, , ])))
})

test_that("the library may be unloaded while its threads wait", {
  skip_on_os("windows")
  skip_if_not_installed("callr")
  result <- callr::r(function() {
    for (pause in c(0, 0.01, 0, 0, 0)) { # they spin at first, and then sleep
      nativenet::nn_threads(3)
      x <- nativenet::tensor(matrix(1, 300, 300), "float32")
      nativenet::op_matmul(x, x)
      Sys.sleep(pause)
      unloadNamespace("nativenet")
      gc()
    }
    nativenet::nn_threads(3)
    x <- nativenet::tensor(matrix(1, 700, 700), "float32")
    sum(as.array(nativenet::op_matmul(x, x)))
  }, libpath = .libPaths())
  expect_identical(result, 700^3)
})

test_that("bad numbers of threads are refused and change nothing", {
  before <- nn_threads()
  for (bad in list(0, -1, 1.5, NA, "2", c(1, 2), Inf, TRUE, 257)) {
    expect_error(nn_threads(bad), "`nn_threads()`: `n` must be a positive whole number and at most 256", fixed = TRUE,
      class = "nativenet_error_value")
  }
  expect_identical(nn_threads(), before)
})

test_that("nn_features() describes the engine", {
  found <- nn_features()
  expect_named(found, c("instructions", "sgemm", "blas", "threads", "cores"))
  expect_true(found$instructions %in% kernel_sets())
  sets <- switch(R.version$arch, x86_64 = c("portable", "avx2", "avx512"), aarch64 = "neon", "portable")
  expect_true(all(kernel_sets() %in% sets))
  expect_true(is.logical(found$sgemm))
  expect_gte(found$threads, 1)
  expect_identical(found$threads, nn_threads())
})

test_that("asking does not change the instruction set", {
  all_have <- kernel_sets()[1]
  with_kernels("portable", expect_identical(c(nn_features()$instructions, nn_features()$instructions),
    c(all_have, all_have)))
})

test_that("an option or a variable of the environment names the instruction set", {
  on.exit(.Call(nativenet:::C_kernels, "widest"))
  widest <- nn_features()$instructions
  chosen <- function(option, variable) {
    local_env(NATIVENET_INSTRUCTIONS = variable)
    old <- options(nativenet.instructions = option)
    on.exit(options(old), add = TRUE)
    nativenet:::choose_instructions()
    nn_features()$instructions
  }
  all_have <- kernel_sets()[1]
  expect_identical(chosen(NULL, "portable"), all_have)
  expect_identical(chosen(widest, "portable"), widest)
  expect_identical(chosen("portable", ""), all_have)
  for (bad in list("sse", 3, c("avx2", "portable"))) expect_warning(expect_identical(chosen(bad, ""), widest),
    "must be one of \"portable\", \"neon\", \"avx2\", \"avx512\"", class = "nativenet_warning_instructions")
  foreign <- if (all_have == "neon") "avx2" else "neon"
  expect_warning(chosen(foreign, ""), "this processor or this build lacks", class = "nativenet_warning_instructions")
})

test_that("R's BLAS multiplies where it is asked to, or where it is a tuned one and our kernels are not", {
  was <- .Call(nativenet:::C_blas, -1L)[2]
  on.exit(.Call(nativenet:::C_blas, as.integer(was)))
  tuned <- c("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3", "/opt/R/lib/libopenblasp-r0.3.21.so",
    "/usr/lib/x86_64-linux-gnu/blis-openmp/libblas.so.4", "/usr/lib/atlas/libblas.so.3", "/opt/intel/libmkl_rt.so",
    "/System/Library/Frameworks/Accelerate.framework/libBLAS.dylib", "/R/lib/libRblas.vecLib.dylib")
  plain <- c("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", "/usr/lib/R/lib/libRblas.so", "",
    "/opt/mkl/R/lib/libRblas.so")
  chosen <- function(option, files, instructions = "portable", asked = "") {
    local_env(NATIVENET_INSTRUCTIONS = asked)
    with_kernels(instructions, {
      vapply(files, function(file) nativenet:::choose_blas(option, file) && nn_features()$blas, NA, USE.NAMES = FALSE)
    })
  }
  none_better <- kernel_sets()[1] == "portable"
  expect_identical(chosen(NULL, tuned), rep(none_better, length(tuned)))
  expect_identical(chosen(NULL, plain), logical(length(plain)))
  expect_identical(chosen(NULL, tuned, asked = "portable"), logical(length(tuned))) # the same bits on any processor
  if (length(kernel_sets()) > 1) expect_identical(chosen(NULL, tuned, "widest"), logical(length(tuned)))
  expect_true(all(chosen(TRUE, plain, "widest")))
  for (no in list(FALSE, NA, "yes")) expect_false(any(chosen(no, tuned)))
})

test_that("products by R's BLAS are right, also with a bias, transposed, added up and in a team", {
  was <- .Call(nativenet:::C_blas, -1L)[2]
  on.exit(.Call(nativenet:::C_blas, as.integer(was)))
  set.seed(1)
  a <- matrix(rnorm(130 * 120), 130) # beyond a million multiplications
  b <- matrix(rnorm(120 * 110), 120)
  bias <- rnorm(110)
  results <- function(use, dtype) {
    .Call(nativenet:::C_blas, use)
    x <- variable(a, dtype)
    w <- variable(b, dtype)
    with(gradient_tape() %as% tape, {
      y <- op_dense(x, w, tensor(bias, dtype))
      z <- op_matmul(op_matmul(x, w), op_transpose(y))
      loss <- op_sum(op_multiply(z, z))
    })
    lapply(c(list(y, z), tape$gradient(loss, list(x, w))), as.array)
  }
  for (dtype in c("float64", "float32")) {
    ours <- with_threads(2, results(0L, dtype))
    for (threads in 1:2) expect_equal(with_threads(threads, results(1L, dtype)), ours,
      tolerance = if (dtype == "float64") 1e-12 else 1e-5)
  }
})

test_that("the default follows the option, then R CMD check's limit, then four", {
  default <- nativenet:::default_threads
  old <- options(nativenet.threads = 3)
  check <- Sys.getenv("_R_CHECK_LIMIT_CORES_", NA)
  was <- .Call(nativenet:::C_blas, -1L)[2]
  .Call(nativenet:::C_blas, 0L) # else it is one
  on.exit({
    options(old)
    .Call(nativenet:::C_blas, as.integer(was))
    if (is.na(check)) Sys.unsetenv("_R_CHECK_LIMIT_CORES_") else Sys.setenv("_R_CHECK_LIMIT_CORES_" = check)
  })
  expect_identical(default(), 3L)
  for (bad in list("two", 0, NA, NULL, c(1, 2))) {
    options(nativenet.threads = bad)
    Sys.unsetenv("_R_CHECK_LIMIT_CORES_")
    expect_identical(default(), min(4L, nn_features()$cores))
    Sys.setenv("_R_CHECK_LIMIT_CORES_" = "TRUE")
    expect_identical(default(), min(2L, nn_features()$cores))
  }
})

test_that("the default is one thread where R's BLAS multiplies with its own", {
  old <- options(nativenet.threads = NULL)
  was <- .Call(nativenet:::C_blas, -1L)[2]
  on.exit({
    options(old)
    .Call(nativenet:::C_blas, as.integer(was))
  })
  .Call(nativenet:::C_blas, 1L)
  expect_identical(nativenet:::default_threads(), 1L)
  options(nativenet.threads = 2)
  expect_identical(nativenet:::default_threads(), 2L)
})

test_that("a child forked off works alone and the parent keeps its threads", {
  skip_on_os("windows")
  before <- nn_threads()
  expect_identical(parallel::mclapply(1:2, function(i) nn_threads(), mc.cores = 2), list(1L, 1L))
  expect_identical(nn_threads(), before)
})

test_that("denormal numbers are flushed to zero, as results and as numbers given", {
  skip_if_not(R.version$arch %in% c("x86_64", "aarch64"), "flushing is set up for these processors")
  for (x in list(tensor(c(1e-30, 1), "float32") * 1e-15, tensor(c(1e-300, 1), "float64") * 1e-15)) {
    expect_identical(as.array(x)[1], 0)
    expect_gt(as.array(x)[2], 0)
  }
  given <- tensor(1e-44, "float32")
  expect_identical(as.array(given * 1e30), 0)
})
