# Accuracy of the engine's own exp, log, tanh and relatives (src/kernels/functions.h), with every
# instruction set: largest relative errors over dense grids, and the ends of the ranges.

# Dense over the range, on both sides of 0 where there are two, down to tiny numbers.
grid <- function(low, high, n = 20000) {
  tiny <- 10^seq(-30, 0, length.out = 2000)
  x <- c(seq(low, high, length.out = n), tiny, -tiny, seq(-1, 1, length.out = 5000))
  x[x >= low & x <= high & x != 0]
}

# References in double; where those cancel, the form that does not.
accurate <- list(
  exp = list(op_exp, exp, c(-87, 88), c(-708, 709)),
  log = list(op_log, log, c(1e-30, 1e30), c(1e-300, 1e300)),
  log_near_1 = list(op_log, log, c(0.5, 2), c(0.5, 2)),
  sqrt = list(op_sqrt, sqrt, c(1e-30, 1e30), c(1e-300, 1e300)),
  tanh = list(op_tanh, tanh, c(-20, 20), c(-40, 40)),
  sigmoid = list(op_sigmoid, plogis, c(-80, 80), c(-700, 700)),
  softplus = list(op_softplus, function(x) ifelse(x > 0, x + log1p(exp(-x)), log1p(exp(x))), c(-80, 80), c(-700, 700)),
  elu = list(op_elu, function(x) ifelse(x > 0, x, expm1(x)), c(-80, 80), c(-700, 700)),
  gelu = list(function(x) op_gelu(x, FALSE), function(x) x * pnorm(x), c(-5, 5), c(-5, 5))
)

worst <- function(f, dtype) {
  range <- f[[if (dtype == "float32") 3 else 4]]
  x <- tensor(c(grid(range[1], range[2]), if (range[1] > 0) 10^seq(log10(range[1]), log10(range[2]),
    length.out = 20000)), dtype)
  relative_error(c(as.array(f[[1]](x))), f[[2]](c(as.array(x))), floor = 1e-300)
}

test_that("relative errors are a few units in the last place", {
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      for (name in names(accurate)) {
        expect_lt(worst(accurate[[name]], "float32"), 3e-7, label = paste(kernels, name, "float32"))
        expect_lt(worst(accurate[[name]], "float64"), 5e-15, label = paste(kernels, name, "float64"))
      }
    })
  }
})

test_that("softmax and log-softmax of rows of random size", {
  for (n in c(1:20, 100, 1000)) {
    x <- c(some(n, -8, 8))
    expect_lt(relative_error(c(as.array(op_softmax(array(x, n)))), softmax_of(x), 0), 1e-14)
    expect_lt(relative_error(c(as.array(op_softmax(tensor(array(x, n), "float32")))), softmax_of(x), 0), 2e-6)
  }
})

test_that("at the ends of the ranges", {
  value <- function(f, x, dtype) c(as.array(f(tensor(x, dtype))))
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      expect_identical(value(op_exp, c(0, -Inf, Inf, 89, -104, 1e30, -1e30), "float32"), c(1, 0, Inf, Inf, 0, Inf, 0))
      expect_identical(value(op_exp, c(0, -Inf, Inf, 710, -746, 1e300, -1e300), "float64"),
        c(1, 0, Inf, Inf, 0, Inf, 0))
      expect_lt(relative_error(value(op_exp, c(-87.3, 88.72), "float32"),
        exp(as.array(tensor(c(-87.3, 88.72), "float32"))), 0), 3e-7)
      expect_lt(relative_error(value(op_exp, c(-708.39, 709.78), "float64"), exp(c(-708.39, 709.78)), 0), 5e-15)
      for (dtype in c("float32", "float64")) {
        expect_identical(value(op_log, c(1, 0, Inf), dtype), c(0, -Inf, Inf))
        expect_true(all(is.nan(value(op_log, c(-1, -Inf, NaN), dtype))))
        expect_identical(value(op_tanh, c(0, Inf, -Inf, 100, -100), dtype), c(0, 1, -1, 1, -1))
        expect_identical(value(op_sigmoid, c(0, Inf, -Inf, 1e4, -1e4), dtype), c(0.5, 1, 0, 1, 0))
        expect_identical(value(op_softplus, c(Inf, -Inf, 1e4, -1e4), dtype), c(Inf, 0, 1e4, 0))
        expect_identical(value(op_sqrt, c(0, 4, Inf), dtype), c(0, 2, Inf))
        expect_true(is.nan(value(op_sqrt, -1, dtype)))
      }
    })
  }
})

test_that("a number's result does not depend on where in the tensor it stands", {
  x <- c(some(67, -3, 3))
  for (f in list(op_exp, op_tanh, op_sigmoid, op_softplus, function(x) op_gelu(x, FALSE), op_elu)) {
    whole <- as.array(f(tensor(x, "float32")))
    single <- vapply(x, function(v) as.array(f(tensor(v, "float32"))), 0)
    expect_identical(c(whole), single)
  }
})
