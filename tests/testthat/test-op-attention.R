# op_attention() beyond its cases (helper-op-dot-attention.R): sizes of several blocks, dropout, threads.

inputs_of <- function(d, dtype) lapply(1:3, function(k) variable(array(rnorm(prod(d)), d), dtype))

#' Output and gradients of f(q, k, v).
pulled <- function(f, x) {
  with(gradient_tape() %as% tape, {
    y <- do.call(f, x)
    total <- op_sum(op_multiply(y, tensor(array(cos(seq_len(prod(dim(y)))), dim(y)), tensor_dtype(y))))
  })
  lapply(c(list(y), tape$gradient(total, x)), as.array)
}

test_that("many queries of few heads, in chunks, are the formula, at any number of threads", {
  set.seed(1)
  for (causal in c(FALSE, TRUE)) {
    x <- inputs_of(c(1, 401, 1, 3), "float64")
    found <- pulled(function(q, k, v) op_attention(q, k, v, causal = causal), x)
    by_matrices <- pulled(function(q, k, v) {
      two <- lapply(list(q, k, v), op_reshape, newshape = c(401, 3))
      s <- op_multiply(op_matmul(two[[1]], two[[2]], transpose_y = TRUE), 1 / sqrt(3))
      if (causal) s <- op_where(outer(1:401, 1:401, `>=`), s, -Inf)
      op_reshape(op_matmul(op_softmax(s), two[[3]]), c(1, 401, 1, 3))
    }, x)
    for (k in 1:4) expect_lt(max(abs(found[[k]] - by_matrices[[k]])), 1e-12)
  }
  x <- inputs_of(c(2, 401, 2, 5), "float32")
  before <- nn_threads()
  on.exit(nn_threads(before))
  runs <- lapply(c(1, 2, 3, 8), function(n) {
    nn_threads(n)
    set.seed(2)
    pulled(function(q, k, v) op_attention(q, k, v, causal = TRUE, rate = 0.2), x)
  })
  for (run in runs[-1]) expect_identical(run, runs[[1]])
})

test_that("one tensor may be query, key and value", {
  set.seed(3)
  x <- variable(array(rnorm(2 * 60 * 2 * 3), c(2, 60, 2, 3)), "float64")
  apart <- lapply(1:3, function(k) variable(as.array(x), "float64"))
  one <- pulled(function(x) op_attention(x, x, x), list(x))
  each <- pulled(op_attention, apart)
  expect_identical(one[[1]], each[[1]])
  expect_equal(one[[2]], each[[2]] + each[[3]] + each[[4]], tolerance = 1e-13)
})

test_that("dropout drops weights at its rate, the same ones backwards, and keeps the mean", {
  set.seed(4)
  n <- 300
  same <- array(0, c(1, n, 1, 1))
  unit <- array(diag(n), c(1, n, 1, n))
  w <- as.array(op_attention(same, same, unit, rate = 0.25))[1, , 1, ] * n # all weights, which would be 1
  expect_setequal(round(w, 5), c(0, round(4 / 3, 5)))
  expect_lt(abs(mean(w == 0) - 0.25), 4 * sqrt(0.25 * 0.75 / n^2))
  expect_lt(abs(cor(c(w[-1, ]), c(w[-n, ]))), 0.02)
  x <- inputs_of(c(1, 50, 2, 3), "float64")
  f <- function(...) {
    set.seed(5)
    op_attention(..., causal = TRUE, rate = 0.3)
  }
  slope <- pulled(f, x)
  weights <- cos(seq_len(300))
  for (k in 1:3) {
    along <- array(sin(1:300), c(1, 50, 2, 3))
    at <- function(h) {
      x[[k]] <- op_add(x[[k]], along * h)
      sum(as.array(do.call(f, x)) * weights)
    }
    expect_equal(sum(slope[[k + 1]] * along), (at(1e-5) - at(-1e-5)) / 2e-5, tolerance = 1e-7)
  }
})

test_that("second derivatives see the same dropout", {
  set.seed(6)
  x <- inputs_of(c(1, 5, 1, 2), "float64")
  slope <- function(q) {
    set.seed(7)
    with(gradient_tape() %as% tape, {
      tape$watch(q)
      y <- op_sum(op_square(op_attention(q, x[[2]], x[[3]], rate = 0.4)))
    })
    tape$gradient(y, q)
  }
  along <- array(sin(1:10), c(1, 5, 1, 2))
  with(gradient_tape() %as% tape, total <- op_sum(op_multiply(slope(x[[1]]), along)))
  found <- as.array(tape$gradient(total, x[[1]]))
  at <- function(h) as.array(slope(op_add(x[[1]], along * h)))
  expect_equal(found, (at(1e-5) - at(-1e-5)) / 2e-5, tolerance = 1e-6)
})

test_that("positions may be none, and what does not fit is refused", {
  none <- array(0, c(2, 0, 1, 3))
  x <- array(1, c(2, 4, 1, 3))
  expect_identical(dim(op_attention(none, x, x)), c(2L, 0L, 1L, 3L))
  expect_identical(as.array(op_attention(x, none, none)), 0 * x)
  v <- variable(none, "float64")
  w <- variable(x, "float64")
  expect_identical(pulled(function(w) op_attention(none, w, w), list(w))[[2]], 0 * x)
  expect_identical(pulled(function(w) op_attention(w, none, none), list(w))[[2]], 0 * x)
  expect_refusal(op_attention(x[, , 1, ], x, x), "shape", "`op_attention()`", "query")
  expect_refusal(op_attention(x, x[, 1:3, , , drop = FALSE], x), "shape", "value")
  expect_refusal(op_attention(x, x, x, mask = matrix(TRUE, 3, 4)), "shape", "`mask` must broadcast to (2, 1, 4, 4)")
  expect_refusal(op_attention(x, x, x, rate = 1), "value", "`rate`")
})

test_that("dropout draws for each sample, head, query and key", {
  x <- array(0, c(2, 12, 2, 1)) # all weights are equal
  v <- array(rep(1:12, each = 2), c(2, 12, 2, 1))
  set.seed(1)
  y <- as.array(op_attention(x, x, v, rate = 0.5))
  rows <- split(round(aperm(y, c(1, 3, 2, 4)), 6), rep(1:4, 12)) # of each sample and head, by query
  expect_length(unique(rows), 4)
  expect_true(all(vapply(rows, function(r) length(unique(r)) > 6, NA)))
})
