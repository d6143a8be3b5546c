# Random numbers of the engine: their distribution, and who governs them.

many <- 20000
draws <- list(
  uniform = function(dtype = "float64") op_random_uniform(many, -1, 3, dtype), normal = function(dtype = "float64") op_random_normal(many, 2, 3, dtype),
  truncated = function(dtype = "float64") op_random_truncated_normal(many, 2, 3, dtype)
)

test_that("they have the distribution that is asked for", {
  set.seed(1)
  within <- pnorm(2) - pnorm(-2)
  expected <- list(uniform = function(x) punif(x, -1, 3), normal = function(x) pnorm(x, 2, 3), truncated = function(x) (pnorm(x, 2, 3) - pnorm(-2)) / within)
  for (name in names(draws)) {
    for (dtype in c("float32", "float64")) {
      x <- draws[[name]](dtype)
      expect_identical(tensor_dtype(x), dtype)
      expect_gt(stats::ks.test(unique(c(as.array(x))), expected[[name]])$p.value, 1e-4, label = paste(name, dtype))
    }
  }
  expect_true(all(abs(as.array(draws$truncated()) - 2) <= 6))
})

test_that("set.seed() governs them, whatever the threads; each call draws others", {
  for (draw in draws) {
    set.seed(2)
    first <- as.array(draw())
    second <- as.array(draw())
    expect_false(identical(first, second))
    set.seed(2)
    expect_identical(with_threads(1, as.array(draw())), first)
  }
  g <- autograph(function(n) op_random_normal(n))
  expect_false(identical(as.array(g(5)), as.array(g(5))))
})

test_that("dropout puts zeros, scales the rest, and sends the gradient the same way", {
  set.seed(3)
  x <- tensor(rep(2, many), "float32")
  tape <- gradient_tape()
  tape_watch(tape, x)
  y <- tape_record(tape, op_dropout(x, 0.25))
  kept <- as.array(y) != 0
  expect_equal(mean(kept), 0.75, tolerance = 0.02)
  expect_equal(unique(c(as.array(y))[kept]), 2 / 0.75, tolerance = 1e-6)
  expect_equal(c(as.array(tape_gradient(tape, y, x))), c(kept) / 0.75, tolerance = 1e-6)
  expect_identical(dim(op_dropout(matrix(1, 2, 3), 0.5)), 2:3)
})

test_that("wrong arguments are errors", {
  expect_refusal(op_random_uniform(2, 1, 0), "value", "`maxval`", "at least 1")
  expect_refusal(op_random_normal(2, stddev = -1), "value", "`stddev`")
  expect_refusal(op_random_normal(2, dtype = "int32"), "dtype")
  expect_refusal(op_random_uniform(1.5), "value", "`shape`")
  expect_refusal(op_dropout(1, -0.1), "value", "`rate`")
})
