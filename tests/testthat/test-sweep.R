# Sweeps: rows are the same wherever runs are made, and what fails is a row.

sweep_x <- as.matrix(iris[1:4])
sweep_y <- as.integer(iris$Species) - 1L
small <- function(units, rate) {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(units, activation = "relu") |>
    layer_dropout(0.2) |> layer_dense(3, activation = "softmax")
  model |> compile(optimizer_adam(rate), "sparse_categorical_crossentropy", "accuracy")
  fit(model, sweep_x, sweep_y, epochs = 2, verbose = 0)
}
plain <- function(table) table[setdiff(names(table), "seconds")]
grid <- list(units = c(3, 5), rate = c(0.1, 0.01))

test_that("a sweep gives a row for each setting, and a seed repeats it", {
  all <- run_sweep(grid, small, seed = 4)
  expect_named(all, c("units", "rate", "seed", "loss", "accuracy", "seconds", "error", "warning"))
  expect_identical(all$units, c(3, 5, 3, 5))
  expect_identical(all$rate, c(0.1, 0.1, 0.01, 0.01))
  expect_true(all(is.na(all$error)) && all(all$seconds >= 0) && all(is.finite(all$loss)))
  expect_identical(plain(run_sweep(grid, small, seed = 4)), plain(all))
  expect_false(identical(run_sweep(grid, small, seed = 5)$loss, all$loss))
  set.seed(all$seed[2])
  alone <- with_threads(1, small(5, 0.1))
  expect_identical(alone$metrics$loss[2], all$loss[2])
  # from R's generator, which goes on as if the runs had drawn nothing
  set.seed(1)
  first <- run_sweep(grid, small)
  after <- runif(1)
  set.seed(1)
  expect_identical(plain(run_sweep(grid, small)), plain(first))
  expect_identical(runif(1), after)
  # a row's seed does not depend on how many come after it
  expect_identical(run_sweep(data.frame(units = 3, rate = 0.1), small, seed = 4)$loss, all$loss[1])
  odd <- run_sweep(list(layers = list(c(2, 3), 4)), function(layers) c(sum = sum(layers)))
  expect_identical(odd$sum, c(5, 4))
})

test_that("errors and warnings of a run are in its row", {
  bad <- run_sweep(data.frame(a = 1:6), function(a) {
    if (a == 2) stop("no ", a)
    if (a == 3) warning("hm")
    if (a == 4) return("text")
    if (a == 5) return(c(seconds = 1))
    if (a == 6) return(list(b = 1, a = 2))
    c(b = a)
  })
  expect_identical(bad$b, c(1, NA, 3, NA, NA, NA))
  expect_identical(bad$error[1:3], c(NA, "no 2", NA))
  expect_match(bad$error[4], "`train` must give a named vector of numbers")
  expect_match(bad$error[5], "must not give a number called `seconds`")
  expect_match(bad$error[6], "must not give a number called `a`")
  expect_identical(bad$warning, c(NA, NA, "hm", NA, NA, NA))
})

test_that("processes, clusters, futures and daemons give the same to the bit", {
  skip_on_cran()
  skip_if_not_installed("callr")
  here <- plain(run_sweep(grid, small, seed = 4))
  expect_identical(plain(run_sweep(grid, small, 2, seed = 4)), here)
  expect_identical(plain(run_sweep(grid, small, 3, seed = 4)), here)
  by_hand <- function(jobs, run) rev(lapply(rev(jobs), run))
  expect_identical(plain(run_sweep(grid, small, by_hand, seed = 4)), here)
  cluster <- parallel::makeCluster(2)
  on.exit(parallel::stopCluster(cluster))
  expect_identical(plain(run_sweep(grid, small, cluster, seed = 4)), here)
})

test_that("futures give the same to the bit", {
  skip_on_cran()
  skip_if_not_installed("future")
  here <- plain(run_sweep(grid, small, seed = 4))
  before <- future::plan(future::multisession, workers = 2)
  on.exit(future::plan(before))
  expect_identical(plain(run_sweep(grid, small, "future", seed = 4)), here)
  ends <- run_sweep(data.frame(a = 1:2), function(a) if (a == 1) quit() else c(b = a), "future")
  expect_false(is.na(ends$error[1]))
})

test_that("daemons give the same to the bit", {
  skip_on_cran()
  skip_if_not_installed("mirai")
  expect_refusal(run_sweep(grid, small, "mirai"), "value", "mirai::daemons(2)")
  here <- plain(run_sweep(grid, small, seed = 4))
  daemons <- getExportedValue("mirai", "daemons")
  daemons(2)
  on.exit(daemons(0))
  expect_identical(plain(run_sweep(grid, small, "mirai", seed = 4)), here)
  bad <- run_sweep(data.frame(a = 1:3), function(a) if (a == 2) stop("no") else c(b = a), "mirai")
  expect_identical(bad$error, c(NA, "no", NA))
})

test_that("a process that ends is a row, and the others go on", {
  skip_on_cran()
  skip_if_not_installed("callr")
  ends <- run_sweep(data.frame(a = 1:4), function(a) {
    if (a == 2) quit(status = 3)
    c(b = a)
  }, 2)
  expect_identical(ends$b, c(1, NA, 3, 4))
  expect_identical(is.na(ends$error), c(TRUE, FALSE, TRUE, TRUE))
})

test_that("what `train` finds in the global environment goes with it", {
  skip_on_cran()
  skip_if_not_installed("callr")
  names <- c("nn_test_a", "nn_test_f")
  on.exit(rm(list = names, envir = globalenv()))
  assign(names[1], 10, envir = globalenv())
  assign(names[2], eval(quote(function(x) x + nn_test_a), globalenv()), envir = globalenv())
  train <- eval(quote(function(b) c(sum = nn_test_f(b))), globalenv())
  expect_identical(run_sweep(data.frame(b = 1:2), train, 1)$sum, c(11, 12))
  inner <- eval(quote(local({
    own <- 100
    function(b) c(sum = own + nn_test_f(b))
  })), globalenv())
  expect_identical(run_sweep(data.frame(b = 1:2), inner, 1)$sum, c(111, 112))
  expect_identical(run_sweep(data.frame(b = 1:2), inner)$sum, c(111, 112))
})

test_that("odd arguments of a sweep are refused", {
  expect_refusal(run_sweep(list(), small), "value", "`grid`")
  expect_refusal(run_sweep(data.frame(seed = 1), function(seed) c(a = 1)), "value", "`grid` must not have a column")
  expect_refusal(run_sweep(data.frame(z = 1), small), "value", "`train`", "`z`")
  expect_refusal(run_sweep(grid, 3), "value", "`train`")
  for (w in list("slurm", -1, TRUE, list())) expect_refusal(run_sweep(grid, small, w), "value", "`workers`")
  expect_refusal(run_sweep(grid, small, function(jobs, run) 3), "value", "`workers` must give a list of 4")
})
