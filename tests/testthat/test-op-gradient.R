# Gradients of every op against finite differences. The cases stand in helper-op-cases.R.

#' f for each case that has something to differentiate; collects what f returns as text.
over_gradient_cases <- function(f) {
  wrong <- character()
  for (op in c(op_names(differentiable = TRUE), composed)) {
    for (case in op_cases[[op]]) {
      if (length(case$wants) == 0) next
      told <- f(op, case)
      if (length(told)) wrong <- c(wrong, paste(op, paste0(case$what, ":"), told))
    }
  }
  wrong
}
#' Scalars and arrays alike: dims of the gradient are those of the input.
like_input <- function(g, x) identical(as.integer(dims(g)), as.integer(dims(x)))

test_that("every differentiable op has gradient cases, for each of its float inputs", {
  by_input <- function(op) unique(unlist(lapply(op_cases[[op]], `[[`, "wants")))
  expect_identical(Filter(function(op) length(by_input(op)) == 0, op_names(differentiable = TRUE)), character())
  expect_identical(Filter(function(op) length(by_input(op)) > 0, setdiff(op_names(), op_names(differentiable = TRUE))),
    character())
  two_inputs <- c("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "floor_divide", "floor_mod",
    "matmul", "dense", "conv_transpose", "conv_kernel",
    "squared_error", "absolute_error", "huber", "logcosh", "kl_divergence", "binary_crossentropy",
    "sigmoid_crossentropy", "categorical_crossentropy", "softmax_crossentropy")
  for (op in two_inputs) expect_true(all(1:2 %in% by_input(op)), label = op)
  for (op in c("dense", "conv")) expect_setequal(by_input(op), 1:3)
  expect_setequal(by_input("where"), 2:3)
  for (op in c("lstm", "gru", "simple_rnn")) expect_true(all(1:7 %in% by_input(op))) # in several places
})

test_that("partial derivatives agree with finite differences", {
  wrong <- over_gradient_cases(function(op, case) {
    gradients <- tape_gradients(case$call, case$inputs, case$wants)
    for (k in seq_along(case$wants)) {
      x <- case$inputs[[case$wants[k]]]
      if (is.null(gradients[[k]])) return("NULL")
      if (!like_input(gradients[[k]], x)) return(paste("gradient of shape", text_of(dims(gradients[[k]]))))
      if (length(x) > 40) next # by direction, below
      error <- relative_error(gradients[[k]], numeric_gradient(case$call, case$inputs, case$wants[k], order = 2))
      if (!(error < 1e-7)) return(sprintf("input %d is off by %.2g", case$wants[k], error))
    }
  })
  expect_identical(wrong, character())
})

test_that("slopes along random directions agree, in all inputs at once", {
  set.seed(1)
  wrong <- over_gradient_cases(function(op, case) {
    if (sum(lengths(case$inputs[case$wants])) == 0) return()
    error <- directional_error(case$call, case$inputs, case$wants)
    if (!(error < 1e-7)) sprintf("%.2g", error)
  })
  expect_identical(wrong, character())
})

test_that("slopes agree at random shapes and parameters", {
  set.seed(2)
  wrong <- character()
  for (op in op_names(differentiable = TRUE)) {
    for (i in seq_len(random_count())) {
      case <- random_case(op)
      # means of nothing
      if (sum(lengths(case$inputs[case$wants])) == 0 || anyNA(as.array(apply_case(case, "float64")))) next
      error <- directional_error(case$call, case$inputs, case$wants)
      if (!(error < 1e-6)) wrong <- c(wrong, sprintf("%s %s: %.2g", op, case$what, error))
    }
  }
  expect_identical(wrong, character())
})

test_that("each input alone gets the gradient that it gets with the others", {
  wrong <- over_gradient_cases(function(op, case) {
    together <- tape_gradients(case$call, case$inputs, case$wants)
    alone <- lapply(case$wants, function(k) tape_gradients(case$call, case$inputs, k)[[1]])
    if (!identical(together, alone)) "differs"
  })
  expect_identical(wrong, character())
})

test_that("float32 gradients are close to float64's, with every instruction set", {
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      wrong <- over_gradient_cases(function(op, case) {
        if (op == "cast") return() # its result is always float64
        double <- tape_gradients(case$call, case$inputs, case$wants)
        single <- tape_gradients(case$call, case$inputs, case$wants, "float32")
        error <- max(mapply(relative_error, single, double, MoreArgs = list(floor = max(1, case$floor))))
        if (!(error < 2e-5)) sprintf("%.2g", error)
      })
      expect_identical(wrong, character(), label = kernels)
    })
  }
})

test_that("instruction sets agree in float64", {
  others <- setdiff(kernel_sets(), nn_features()$instructions)
  skip_if(length(others) == 0, "this processor has one instruction set")
  double <- function(case) tape_gradients(case$call, case$inputs, case$wants)
  for (kernels in others) {
    wrong <- over_gradient_cases(function(op, case) {
      error <- max(mapply(relative_error, with_kernels(kernels, double(case)), double(case),
        MoreArgs = list(floor = case$floor)))
      if (!(error < 1e-11)) sprintf("%.2g", error)
    })
    expect_identical(wrong, character(), label = kernels)
  }
})

test_that("asked twice, a tape gives the same bits", {
  wrong <- over_gradient_cases(function(op, case) {
    inputs <- as_inputs(case, "float64")
    tape <- gradient_tape()
    lapply(inputs[case$wants], tape_watch, tape = tape)
    y <- tape_record(tape, do.call(case$call, inputs))
    first <- lapply(tape_gradient(tape, y, inputs[case$wants]), as.array)
    again <- lapply(tape_gradient(tape, y, inputs[case$wants]), as.array)
    if (!identical(first, again)) "differs"
  })
  expect_identical(wrong, character())
})

test_that("gradients accumulate when an op gets the same tensor twice", {
  x <- some(c(4, 4), 0.5, 2)
  ids <- matrix(c(0:3, 3:0), 4)
  twice <- list(
    function(x) op_add(x, x), function(x) op_subtract(x, x), function(x) op_multiply(x, x), function(x) op_divide(x, x),
    function(x) op_power(x, x), function(x) op_maximum(x, x), function(x) op_matmul(x, x), function(x)
    op_matmul(x, x, transpose_x = TRUE), function(x) op_matmul(x, x, FALSE, TRUE), function(x) op_dense(x, x),
    function(x) op_concat(list(x, x)), function(x)
    op_stack(list(x, x, x)), function(x)
    op_where(some(c(4, 4)) > 0, x, x), function(x) op_squared_error(op_exp(x), x), function(x)
    op_categorical_crossentropy(x, x, from_logits = TRUE), function(x)
    op_simple_rnn(ids, x, x, table = x, initial_state = x), function(x) {
      v <- op_mean(x, 1)
      op_add(op_standardize(x, v, v)[[1]], op_standardize(x, v, v, v, v))
    }
  )
  for (f in twice) expect_lt(directional_error(f, list(x), 1), 1e-9)
  expect_equal(tape_gradients(function(x) op_add(x, x), list(x), 1)[[1]], 2 * gradient_weights(x))
  expect_equal(tape_gradients(function(x) op_maximum(x, x), list(x), 1)[[1]], gradient_weights(x)) # all to the first
})

test_that("every op adds to a gradient that is there already", {
  # x goes through the op and past it; the part past it comes first in the backward pass
  wrong <- over_gradient_cases(function(op, case) {
    plain <- tape_gradients(case$call, case$inputs, case$wants)
    for (k in seq_along(case$wants)) {
      inputs <- as_inputs(case, "float64")
      x <- inputs[[case$wants[k]]]
      tape <- gradient_tape()
      tape_watch(tape, x)
      y <- tape_record(tape, do.call(case$call, inputs))
      past <- tape_record(tape, op_multiply(x, 3))
      g <- as.array(tape_gradient(tape, list(y, past), x, list(gradient_weights(as.array(y)), NULL)))
      if (relative_error(g, plain[[k]] + 3) > 1e-12) return(paste("input", case$wants[k]))
    }
  })
  expect_identical(wrong, character())
})

test_that("a tensor that fans out collects all its gradients", {
  f <- function(x, w) {
    h <- op_tanh(op_matmul(x, w))
    a <- op_sum(op_multiply(h, op_exp(h)), axis = 1)
    b <- op_mean(op_transpose(op_softmax(h)), axis = -1)
    op_add(op_add(a, b), op_sum(op_slice(h, c(1, 1), c(2, 1))))
  }
  inputs <- list(some(c(3, 4)), some(c(4, 2), k = 2))
  for (k in 1:2) expect_lt(relative_error(tape_gradients(f, inputs, k)[[1]], numeric_gradient(f, inputs, k)), 1e-8)
})

test_that("deep chains and reused layers are right", {
  f <- function(x, w) {
    for (i in 1:20) x <- op_tanh(op_matmul(x, w))
    x
  }
  expect_lt(directional_error(f, list(some(c(2, 3)), some(c(3, 3), k = 2)), 1:2), 1e-8)
})

test_that("kinks and ties have the derivatives that the manual states", {
  slope <- function(f, x) c(tape_gradients(function(x) op_multiply(f(x), 1 / gradient_weights(x)), list(x), 1)[[1]])
  expect_equal(slope(op_abs, c(-1, 0, 1)), c(-1, 0, 1))
  expect_equal(slope(op_relu, c(-1, 0, 1)), c(0, 0, 1))
  expect_equal(slope(function(x) op_clip(x, -1, 1), c(-2, -1, 0, 1, 2)), c(0, 1, 1, 1, 0))
  expect_equal(slope(op_step, c(-1, 0, 1)), c(0, 0, 0))
  expect_equal(slope(op_leaky_relu, c(-1, 0, 1)), c(0.2, 0.2, 1))
  x <- array(c(1, 2), 2)
  expect_equal(c(tape_gradients(function(x) op_maximum(x, c(1, 1)), list(x), 1)[[1]]), c(gradient_weights(x)))
  expect_equal(c(tape_gradients(function(y) op_maximum(c(1, 1), y), list(x), 1)[[1]]), c(0, gradient_weights(x)[2]))
  weight <- c(gradient_weights(1))
  expect_equal(c(tape_gradients(op_max, list(c(3, 1, 3, 3)), 1)[[1]]), weight * c(1, 0, 1, 1) / 3)
  expect_equal(c(tape_gradients(op_min, list(c(3, 1, 3, 1)), 1)[[1]]), weight * c(0, 1, 0, 1) / 2)
  # x^0 is constant, x^2 is flat at 0, and towards the exponent nothing flows from 0
  expect_identical(c(tape_gradients(function(x) op_power(x, 0), list(c(0, -2, 3)), 1)[[1]]), c(0, 0, 0))
  expect_identical(c(tape_gradients(function(x) op_power(x, 2), list(0), 1)[[1]]), 0)
  expect_identical(c(tape_gradients(function(y) op_power(0, y), list(2), 1)[[1]]), 0)
})

test_that("activations of a dense layer have the right derivatives for parameters below zero too", {
  inputs <- list(some(c(5, 3), -1, 1), some(c(3, 4), -1, 1, 2), some(4, -1, 1, 3))
  for (activation in c("elu", "leaky_relu")) {
    for (alpha in c(-0.5, 0, 0.5)) {
      f <- function(x, w, b) op_dense(x, w, b, activation, alpha)
      expect_lt(directional_error(f, inputs, 1:3), 1e-8, label = paste(activation, alpha))
    }
  }
})

test_that("products have the right derivatives where the whole product overflows or vanishes", {
  x <- c(1e-200, 1e-200, 1e200)
  g <- tape_gradients(function(x) op_prod(x), list(x), 1)[[1]]
  expect_equal(c(g) / c(gradient_weights(1)), c(1, 1, 0))
})

test_that("no gradient passes truth values and constants", {
  through <- list(op_stop_gradient, op_ones_like, op_zeros_like, function(x)
    op_cast(op_not_equal(x, 1), "float64"))
  for (f in through) expect_warning(expect_null(tape_gradients(f, list(some(3)), 1)[[1]]),
    class = "nativenet_warning_gradient")
})

test_that("a clipped prediction gets no gradient", {
  p <- c(1e-9, 0.5, 1)
  g <- tape_gradients(function(p) op_binary_crossentropy(c(1, 1, 0), p, epsilon = 1e-7, reduction = "mean"), list(p),
    1)[[1]]
  expect_identical(c(g) == 0, c(TRUE, FALSE, TRUE))
  g <- tape_gradients(function(p) op_sparse_categorical_crossentropy(0, p), list(c(0, 1)), 1)[[1]]
  expect_identical(c(g), c(0, 0))
})

test_that("casts carry gradients between float types and stop at integers", {
  x <- some(c(2, 3))
  g <- tape_gradients(function(x) op_multiply(op_cast(op_multiply(op_cast(x, "float32"), 2), "float64"), 3), list(x),
    1)[[1]]
  expect_equal(g, 6 * gradient_weights(x), tolerance = 1e-6)
  expect_warning(expect_null(tape_gradients(function(x) op_cast(op_cast(x, "int32"), "float64"), list(x), 1)[[1]]),
    class = "nativenet_warning_gradient")
})

test_that("one thread or two: the same bits backward", {
  # arrays are a hundredth of what two threads would share, as is the work that a thread is good for
  gradients <- function(f, ..., dtype) tape_gradients(f, list(...), seq_along(list(...)), dtype)
  wide <- some(c(3, 5000))
  tall <- some(c(5000, 3))
  p <- some(c(600, 10), 0.1, 0.9)
  q <- some(c(600, 10), 0.1, 0.9, 2)
  cases <- list(
    exp = list(op_exp, wide), add_row = list(op_add, wide, some(5000, k = 2)),
    multiply_column = list(op_multiply, tall, some(c(5000, 1), k = 2)), multiply_narrow = list(op_multiply, tall,
      some(3, k = 2)), divide_scalar = list(op_divide, wide, 3),
    itself = list(function(x) op_multiply(x, x), wide), sum = list(function(x) op_sum(x, 2), wide),
    prod = list(function(x) op_prod(x, 1), wide), cumsum = list(function(x) op_cumsum(x, 1), tall),
    mean = list(function(x) op_mean(x, 1), tall), max = list(function(x) op_max(x, 2), wide),
    softmax = list(op_softmax, p), transpose = list(op_transpose, tall),
    slice = list(function(x) op_slice(x, c(1, 5000), c(3, 2500), c(1, -2)),
      wide), concat = list(function(a, b) op_concat(list(a, b)), wide, wide),
    gather = list(function(x) op_gather(x, as.integer(seq_len(1e4) %% 1000)), tall),
    where = list(function(a, b) op_where(some(c(3, 5000)) > 0, a, b), wide, 1),
    matmul = list(op_matmul, some(c(301, 203)), some(c(203, 97), k = 2)),
    matmul_few_rows = list(op_matmul, some(c(3, 1500)), some(c(1500, 1001), k = 2)),
    matmul_batch = list(op_matmul, some(c(7, 65, 120)), some(c(1, 120, 41), k = 2)),
    matmul_both = list(function(a, b) op_matmul(a, b, TRUE, TRUE), some(c(203, 301)), some(c(97, 203), k = 2)),
    matmul_itself = list(function(x) op_matmul(x, x), some(c(160, 160))),
    dense = list(function(x, w, b) op_dense(x, w, b, "tanh"), some(c(128, 200)), some(c(200, 101), k = 2),
      some(101, k = 3)),
    dense_one_row = list(function(x, w) op_dense(x, w, x), some(1300), some(c(1300, 1300), k = 2)),
    categorical = list(function(p, t) op_categorical_crossentropy(t, p), p, q),
    softmax_loss = list(function(p, t) op_categorical_crossentropy(t, p, from_logits = TRUE), p, q),
    sparse = list(function(p) op_sparse_categorical_crossentropy(as.integer(seq_len(600) %% 10), p,
      from_logits = TRUE), p)
  )
  for (dtype in c("float32", "float64")) {
    for (name in names(cases)) {
      one <- with_threads(1, do.call(gradients, c(cases[[name]], dtype = dtype)), 15000)
      two <- with_threads(2, do.call(gradients, c(cases[[name]], dtype = dtype)), 15000)
      expect_true(identical(one, two), label = paste(dtype, name))
    }
  }
})

test_that("compiled gradients are those of the tape to the bit, and read nothing that memory has been taken from", {
  Sys.setenv(NATIVENET_POISON = "1") # numbers become NaN after the node that the plan says needs them last
  on.exit(Sys.unsetenv("NATIVENET_POISON"))
  wrong <- over_gradient_cases(function(op, case) {
    gradients <- function(...) {
      x <- list(...)
      tape <- gradient_tape()
      for (k in case$wants) tape_watch(tape, x[[k]])
      total <- tape_record(tape, {
        y <- do.call(case$call, x)
        op_sum(op_multiply(y, op_exp(op_multiply(y, 0.01))))
      })
      c(list(op_square(y)), Filter(Negate(is.null), tape_gradient(tape, total, x[case$wants])))
    }
    tensors <- as_tensors(case$inputs)
    eager <- do.call(gradients, tensors)
    compiled <- do.call(do.call(trace_program, c(gradients, tensors)), tensors)
    if (!identical(lapply(eager, as.array), lapply(compiled, as.array))) "differs"
  })
  expect_identical(wrong, character())
})

test_that("gradients that add up are right for tensors so large that kernels work part by part", {
  n <- 2001 # the derivative of an op of n^2 numbers is two parts' work
  x <- op_broadcast_to(tensor(0.5, "float32"), c(n, n))
  ops <- list(
    transpose = function(x) op_transpose(x), slice = function(x) x[1:n, ], gather = function(x)
      op_gather(x, seq_len(n) - 1L, axis = 1),
    where = function(x) op_where(op_greater(x, 0), x, 0), max = function(x) op_max(x, axis = 2) * n
  )
  for (name in names(ops)) {
    with(gradient_tape() %as% tape, {
      tape_watch(tape, x)
      y <- op_sum(ops[[name]](x)) + op_sum(x)
    })
    g <- tape$gradient(y, x)
    expect_identical(c(as.array(op_min(g)), as.array(op_max(g))), c(2, 2), label = name)
  }
  # a factor that is repeated, named twice
  s <- variable(matrix(2), dtype = "float32")
  with(gradient_tape() %as% tape, y <- op_sum(x * s) + op_sum(x * s))
  expect_identical(c(as.array(tape$gradient(y, s))), n^2)
  # an embedding with a penalty
  w <- variable(matrix(0.5, 100, 64), dtype = "float32")
  with(gradient_tape() %as% tape, y <- op_sum(op_gather(w, matrix(0L, 256, 250), axis = 1)) +
    0.01 * op_sum(op_square(w)))
  expect_equal(as.array(tape$gradient(y, w))[1:2, 1], c(256 * 250 + 0.01, 0.01), tolerance = 1e-6)
})
