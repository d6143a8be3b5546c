test_that("one rank's sum is what it has", {
  alone <- communicator(0, 1, function(x) stop("not called"))
  expect_identical(alone$all_reduce(c(1, -2)), c(1, -2))
  expect_output(print(alone), "rank 0 of 1")
})

test_that("sums go by a binary tree over the ranks", {
  # rank 0 of 4, where the others have these numbers; 1e16 + 1 = 1e16 in doubles
  have <- c(1e16, 1, -1e16, 1)
  gather <- communicator(0, 4, function(x) if (length(x) == 4 && x[1] == 1) rep(1, 4) else have)
  expect_identical(gather$all_reduce(have[1]), (have[1] + have[2]) + (have[3] + have[4]))
  swaps <- communicator(0, 4, exchange = function(x, peer) if (peer == 1) have[2] else have[3] + have[4])
  expect_identical(swaps$all_reduce(have[1]), (have[1] + have[2]) + (have[3] + have[4]))
})

test_that("functions that fail, or return something else, are errors that say so", {
  sum_of <- function(f, x = c(1, 2)) communicator(0, 2, f)$all_reduce(x)
  announced <- function(f) function(x) if (identical(x, c(2, 0))) c(2, 2) else f(x)
  expect_error(sum_of(function(x) stop("no network")), "no network", class = "nativenet_error_rank")
  expect_error(sum_of(announced(function(x) 1)), "given 2 numbers and returned a vector of length 1")
  expect_error(sum_of(announced(function(x) "a")), "returned no numeric vector")
  expect_error(sum_of(announced(function(x) c(1, NA))), "returned NA")
  expect_error(sum_of(announced(function(x) NULL)), "no numeric vector")
  expect_error(sum_of(function(x) c(2, 0)), "rank 1 of 2 has left")
  expect_error(sum_of(function(x) c(2, 5)), "rank 1 of 2 sums 5 numbers, and rank 0 sums 2")
  expect_identical(sum_of(announced(function(x) as.integer(2 * x))), c(2, 4))
  expect_error(sum_of(function(x) 2 * x, NA), "must be")
  expect_identical(sum_of(function(x) stop("not called"), numeric()), numeric())
})

test_that("a function that is no sum is found out by training", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", "mse")
  run <- function(f) {
    calls <- 0
    wrong <- function(x) if (length(x) == 2) rep(max(x), 2) else f(x)
    fit(model, matrix(1:4), 1:4, verbose = 0, strategy = strategy_communicator(communicator(0, 2, wrong), 2))
  }
  expect_error(run(function(x) x / 2), class = "nativenet_error_rank")
})

test_that("arguments that make no sense are refused", {
  f <- function(x) x
  expect_error(communicator(2, 2, f), "`rank`")
  expect_error(communicator(-1, 2, f), "`rank`")
  expect_error(communicator(0, 0, f), "`size`")
  expect_error(communicator(0, 2), "`all_reduce` or `exchange` must be given")
  expect_error(communicator(0, 2, 1), "`all_reduce`")
  expect_error(communicator(0, 2, f, exchange = f), "`exchange`")
  expect_error(communicator(all_reduce = f), "`rank` must be given")
})
