# The optimizer classes: one step on numbers, vectors or matrices, with a memory per key.

# Each optimizer as a loop in plain R after the documented formulas: g(x) is the gradient, t counts from 1.
in_plain_r <- function(rule, x, g, steps) {
  state <- list()
  path <- vector("list", steps)
  for (t in seq_len(steps)) {
    result <- rule(x, g(x), t, state)
    x <- path[[t]] <- result$x
    state <- result$state
  }
  path
}
sgd_rule <- function(r) function(x, g, t, s) list(x = x - r * g)
momentum_rule <- function(r, m, nesterov = FALSE) function(x, g, t, s) {
  v <- m * (if (t == 1) 0 * x else s$v) - r * g
  list(x = if (nesterov) x + m * v - r * g else x + v, state = list(v = v))
}
rmsprop_rule <- function(r, rho = 0.9, e = 1e-7) function(x, g, t, s) {
  a <- rho * (if (t == 1) 0 * x else s$a) + (1 - rho) * g^2
  list(x = x - r * g / sqrt(a + e), state = list(a = a))
}
adam_rule <- function(r, b1 = 0.9, b2 = 0.999, e = 1e-7, decay = 0) function(x, g, t, s) {
  m <- b1 * (if (t == 1) 0 * x else s$m) + (1 - b1) * g
  v <- b2 * (if (t == 1) 0 * x else s$v) + (1 - b2) * g^2
  x <- x - r * decay * x
  list(x = x - r * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + e), state = list(m = m, v = v))
}
adagrad_rule <- function(r, start = 0.1, e = 1e-7) function(x, g, t, s) {
  a <- (if (t == 1) start + 0 * x else s$a) + g^2
  list(x = x - r * g / sqrt(a + e), state = list(a = a))
}

all_optimizers <- function() list(
  list(gradient_descent_optimizer(learning_rate = 0.1), sgd_rule(0.1)),
  list(gradient_descent_optimizer(), sgd_rule(0.01)),
  list(momentum_optimizer(), momentum_rule(0.01, 0.9)),
  list(momentum_optimizer(learning_rate = 0.05, momentum = 0.5), momentum_rule(0.05, 0.5)),
  list(momentum_optimizer(learning_rate = 0.05, nesterov = TRUE), momentum_rule(0.05, 0.9, TRUE)),
  list(rmsprop_optimizer(), rmsprop_rule(0.001)),
  list(rmsprop_optimizer(learning_rate = 0.1, rho = 0.5, epsilon = 1e-3), rmsprop_rule(0.1, 0.5, 1e-3)),
  list(adam_optimizer(), adam_rule(0.001)),
  list(adam_optimizer(learning_rate = 0.1, beta_1 = 0.8, beta_2 = 0.9, epsilon = 1e-2), adam_rule(0.1, 0.8, 0.9, 1e-2)),
  list(adamw_optimizer(), adam_rule(0.001, decay = 0.004)),
  list(adamw_optimizer(learning_rate = 0.1, weight_decay = 0.1), adam_rule(0.1, decay = 0.1)),
  list(adagrad_optimizer(), adagrad_rule(0.001)),
  list(adagrad_optimizer(learning_rate = 0.5, initial_accumulator_value = 1, epsilon = 1e-2),
    adagrad_rule(0.5, 1, 1e-2))
)

test_that("published first steps: loss w^2 / 2 from w = 10 with learning rate 0.1", {
  expect_equal(gradient_descent_optimizer(learning_rate = 0.1)$step(10, 10), 9)
  expect_equal(rmsprop_optimizer(learning_rate = 0.1)$step(10, 10), 9.683772, tolerance = 1e-7)
  expect_equal(adam_optimizer(learning_rate = 0.1)$step(10, 10), 9.9, tolerance = 1e-7)
  opt <- momentum_optimizer(learning_rate = 0.1, momentum = 0.9)
  first <- opt$step(1, 1)
  expect_equal(1 - first, 0.1)
  expect_equal(first - opt$step(first, first), 0.18)
})

test_that("many steps of every optimizer follow the documented formulas", {
  slope <- function(x) 0.7 * x + 0.2 * sin(3 * x)
  for (case in all_optimizers()) {
    for (start in list(10, c(-1, 0.5, 3), matrix(seq(-2, 2, length.out = 35), 5))) {
      x <- start
      key <- paste(length(x))
      path <- in_plain_r(case[[2]], x, slope, 12)
      for (t in 1:12) {
        x <- case[[1]]$step(x, slope(x), key = key)
        expect_equal(x, path[[t]], tolerance = 1e-12, info = paste(class(case[[1]])[1], t))
      }
    }
  }
})

test_that("memories of different keys do not mix, and one object's memory is not another's", {
  both <- adam_optimizer(learning_rate = 0.1)
  alone <- list(adam_optimizer(learning_rate = 0.1), adam_optimizer(learning_rate = 0.1))
  a <- a1 <- 1
  b <- b1 <- c(2, -3)
  for (i in 1:5) {
    a <- both$step(a, a, key = "a")
    b <- both$step(b, 2 * b, key = "b")
    a1 <- alone[[1]]$step(a1, a1)
    b1 <- alone[[2]]$step(b1, 2 * b1)
  }
  expect_identical(a, a1)
  expect_identical(b, b1)
})

test_that("fields may be changed between steps and keep the memory", {
  opt <- momentum_optimizer(learning_rate = 0.1, momentum = 0.9)
  opt$step(1, 1)
  opt$learning_rate <- 0.2
  expect_equal(opt$step(0.9, 1), 0.9 - 0.09 - 0.2)
  opt$momentum <- 0
  expect_equal(opt$step(0.5, 1), 0.3)
  plain <- gradient_descent_optimizer(learning_rate = 0.1)
  plain$learning_rate <- 1
  expect_equal(plain$step(10, 10), 0)
})

test_that("numbers stay numbers, matrices keep shape and names, arguments are left alone", {
  x <- matrix(c(1, 2, 3, 4), 2, dimnames = list(c("a", "b"), NULL))
  kept <- x + 0
  for (case in all_optimizers()) {
    expect_identical(attributes(case[[1]]$step(x, x)), attributes(x))
    expect_null(attributes(case[[1]]$step(1, 1, key = "other")))
  }
  expect_identical(x, kept)
  expect_identical(gradient_descent_optimizer(learning_rate = 1)$step(5:6, 1:2), c(4, 4))
  expect_identical(gradient_descent_optimizer(learning_rate = 0)$step(x, x), x)
  expect_identical(adam_optimizer()$step(numeric(), numeric()), numeric())
})

test_that("a gradient of zero leaves x where it is, decay aside", {
  for (opt in list(gradient_descent_optimizer(), momentum_optimizer(), rmsprop_optimizer(), adam_optimizer(),
    adagrad_optimizer())) {
    expect_identical(opt$step(3, 0), 3)
  }
  expect_equal(adamw_optimizer(learning_rate = 0.1, weight_decay = 0.5)$step(3, 0), 3 * 0.95)
})

test_that("bad input is refused and leaves the memory as it was", {
  opt <- momentum_optimizer(learning_rate = 0.1)
  opt$step(c(1, 1), c(1, 1))
  expect_error(opt$step(1:3, 1:2), "`step()`: `x` has 3 numbers and `gradient` 2", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(opt$step(1:3, 1:3), "state of `key`", class = "nativenet_error_shape")
  expect_error(opt$step("a", 1), "`step()`: `x` must be", fixed = TRUE, class = "nativenet_error_value")
  expect_error(opt$step(1, NULL), "`step()`: `gradient` must be", fixed = TRUE, class = "nativenet_error_value")
  for (bad in list(-1, NA_real_, Inf, numeric(), c(0.1, 0.2))) {
    opt$learning_rate <- bad
    expect_error(opt$step(c(1, 1), c(1, 1)), "`learning_rate` must be a number at least 0",
      class = "nativenet_error_value")
  }
  opt$learning_rate <- 0.1
  opt$momentum <- 1
  expect_error(opt$step(c(1, 1), c(1, 1)), "momentum` must be a number at least 0 and below 1",
    class = "nativenet_error_value")
  opt$momentum <- 0.9
  expect_equal(opt$step(c(0.9, 0.9), c(1, 1)), c(0.71, 0.71))
  expect_error(adam_optimizer(beta_2 = 1)$step(1, 1), "beta_2", class = "nativenet_error_value")
  expect_error(adamw_optimizer(weight_decay = -1)$step(1, 1), "`weight_decay`", class = "nativenet_error_value")
  expect_error(gradient_descent_optimizer(lr = 1), "lr")
})

test_that("all optimizers are gradient_descent_optimizers, as the sheet's typed field wants", {
  for (case in all_optimizers()) expect_true(is(case[[1]], "gradient_descent_optimizer"))
})

test_that("optimizers written in plain R work, alone and on top of ours", {
  signed <- setRefClass("signed", contains = "gradient_descent_optimizer", where = globalenv(), methods = list(
    step = function(x, gradient) x - learning_rate * sign(gradient)
  ))
  expect_equal(signed(learning_rate = 0.5)$step(c(1, 1), c(3, -3)), c(0.5, 1.5))
  clipped <- setRefClass("clipped_adam", contains = "adam_optimizer", fields = list(limit = "numeric"),
    where = globalenv(), methods = list(
    step = function(x, gradient, ...) callSuper(x, pmax(pmin(gradient, limit), -limit), ...)
  ))
  one <- clipped(limit = 1, learning_rate = 0.1)
  two <- adam_optimizer(learning_rate = 0.1)
  for (g in c(5, 0.5, -7)) expect_identical(one$step(1, g, key = "k"), two$step(1, max(min(g, 1), -1)))
})

test_that("a copy, and an object saved and read, go on from the same memory independently", {
  for (case in all_optimizers()) {
    one <- case[[1]]
    one$step(c(1, 2), c(0.5, -1), key = "k")
    file <- tempfile(fileext = ".rds")
    saveRDS(one, file)
    two <- one$copy()
    three <- readRDS(file)
    unlink(file)
    expected <- one$step(c(1, 2), c(0.3, 0.4), key = "k")
    expect_identical(two$step(c(1, 2), c(0.3, 0.4), key = "k"), expected)
    expect_identical(three$step(c(1, 2), c(0.3, 0.4), key = "k"), expected)
  }
})
