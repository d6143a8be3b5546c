# Functions with gradients of their own.

numbers <- function(x) c(as.array(x))
log1pexp <- custom_gradient(function(x) {
  e <- exp(x)
  list(log(1 + e), function(upstream) upstream * (1 - 1 / (1 + e)))
})

test_that("the gradient is what the function says, on tapes of any kind and in compiled functions", {
  x <- tf$constant(array(c(0, 1, 1000)), dtype = "float64")
  slope <- function(x) {
    with(tf$GradientTape() %as% tape, {
      tape$watch(x)
      y <- log1pexp(x)
    })
    tape$gradient(y, x)
  }
  expect_equal(numbers(slope(x)), plogis(c(0, 1, 1000)), tolerance = 1e-14)
  expect_silent(compiled <- autograph(slope)(x))
  expect_equal(numbers(compiled), plogis(c(0, 1, 1000)), tolerance = 1e-14)
  reversed <- tf$custom_gradient(function(x) list(x * 1, function(dy) -dy))
  w <- tf$Variable(2, dtype = "float64")
  with(tf$GradientTape() %as% tape, y <- reversed(w^2))
  expect_identical(numbers(tape$gradient(y, w)), -4)
})

test_that("its derivatives have derivatives, through what the function computed, too", {
  x <- variable(0.3)
  with(tf$GradientTape() %as% outer, {
    with(tf$GradientTape() %as% inner, y <- log1pexp(x))
    g <- inner$gradient(y, x)
  })
  expect_equal(numbers(outer$gradient(g, x)), plogis(0.3) * plogis(-0.3), tolerance = 1e-14)
  # a function with a gradient of its own in another's gradient
  cube_slope <- custom_gradient(function(x) list(3 * x^2, function(dy) dy * 100))
  cube <- custom_gradient(function(x) list(x^3, function(dy) dy * cube_slope(x)))
  with(tf$GradientTape() %as% outer, {
    with(tf$GradientTape() %as% inner, y <- cube(x))
    g <- inner$gradient(y, x)
  })
  expect_equal(numbers(g), 3 * 0.3^2)
  expect_identical(numbers(outer$gradient(g, x)), 100)
})

test_that("several arguments and results", {
  f <- custom_gradient(function(a, b) list(list(a * b, a + b), function(da, db) list(10 * da + db, NULL)))
  a <- variable(c(1, 2))
  b <- variable(c(3, 4))
  with(tf$GradientTape(persistent = TRUE) %as% tape, {
    ys <- f(a, b)
    z <- sum(ys[[2]])
  })
  expect_identical(numbers(ys[[1]]), c(3, 8))
  expect_identical(lapply(tape$gradient(z, list(a, b)), function(g) if (!is.null(g)) numbers(g)), list(c(1, 1), NULL))
  expect_identical(numbers(tape$gradient(ys[[1]], a)), c(10, 10))
  expect_identical(numbers(tape$gradient(ys, a)), c(11, 11))
  # called once with all, as it need not be linear
  calls <- 0
  f <- custom_gradient(function(x) list(list(x, x), function(p, q) {
    calls <<- calls + 1
    p * q
  }))
  with(tf$GradientTape() %as% tape, y <- f(a))
  expect_identical(numbers(tape$gradient(y, a, list(c(2, 3), c(5, 7)))), c(10, 21))
  expect_identical(calls, 1)
})

test_that("variables of the function get their gradients from it", {
  w <- tf$Variable(3, dtype = "float64")
  scaled <- custom_gradient(function(x) {
    list(x * w, function(dy, variables) list(dy * 7, list(dy * 11)))
  })
  x <- tf$Variable(2, dtype = "float64")
  with(tf$GradientTape() %as% tape, y <- scaled(x))
  expect_identical(lapply(tape$gradient(y, list(x, w)), numbers), list(7, 11))
  step <- autograph(function() {
    with(tf$GradientTape() %as% tape, y <- scaled(x))
    tape$gradient(y, list(x, w))
  })
  expect_silent(expect_identical(lapply(step(), numbers), list(7, 11)))
  without <- custom_gradient(function(x) list(x * w, function(dy) dy))
  expect_refusal(without(x), "value", "`f` uses variables", "argument `variables`")
})

test_that("fit() follows such a gradient", {
  half <- custom_gradient(function(x) list(x * 1, function(dy) dy * 0.5))
  train <- function(f) {
    model <- keras_model_sequential() |>
      layer_dense(1, use_bias = FALSE, kernel_initializer = initializer_constant(1), input_shape = 1) |>
      layer_lambda(f)
    compile(model, optimizer = optimizer_sgd(0.1), loss = "mse")
    fit(model, matrix(1), matrix(0), epochs = 1, verbose = 0)
    c(get_weights(model)[[1]])
  }
  expect_equal(train(function(x) x * 1), 1 - 0.2, tolerance = 1e-6)
  expect_equal(train(function(x) half(x)), 1 - 0.1, tolerance = 1e-6)
})

test_that("what is wrong is said", {
  x <- variable(c(1, 2))
  expect_refusal(custom_gradient(1), "value", "`f`")
  expect_refusal(custom_gradient(function(x) x)(x), "value", "`custom_gradient()`",
    "a list of its result and a function")
  slope <- function(f) {
    with(tf$GradientTape() %as% tape, y <- custom_gradient(f)(x))
    tape$gradient(y, x)
  }
  expect_refusal(slope(function(x) list(x * 2, function(dy) list(dy, dy))), "value", "must return 1 tensor", "not 2")
  expect_refusal(slope(function(x) list(x * 2, function(dy) sum(dy))), "shape", "(2)", "()")
  expect_null(suppressWarnings(slope(function(x) list(x * 2, function(dy) NULL))))
})
