# Traced functions: the same numbers as op by op, and clear errors.

network <- function(x, w, b, v) op_mean(op_square(op_matmul(op_dense(x, w, b, "tanh"), v)), axis = 1)
network_arrays <- function(rows = 5) list(some(c(rows, 4)), some(c(4, 6), k = 2), some(6, k = 3), some(c(6, 2), k = 4))

test_that("a traced function gives the bits that its ops give one by one", {
  for (dtype in c("float32", "float64")) {
    tensors <- lapply(network_arrays(), tensor, dtype)
    f <- do.call(trace_program, c(list(network), tensors))
    expect_identical(as.array(do.call(f, tensors)), as.array(do.call(network, tensors)))
    others <- lapply(tensors, op_multiply, 0.5)
    expect_identical(as.array(do.call(f, others)), as.array(do.call(network, others)))
    expect_identical(as.array(do.call(f, tensors)), as.array(do.call(network, tensors)))
  }
})

test_that("every op can be traced, and gives the bits it gives eagerly", {
  wrong <- character()
  for (op in op_names()) {
    for (case in op_cases[[op]]) {
      inputs <- as_inputs(case, "float64")
      f <- do.call(trace_program, c(list(case$call), unname(inputs)))
      if (!identical(as.array(do.call(f, unname(inputs))), as.array(do.call(case$call, inputs))))
        wrong <- c(wrong, paste(op, case$what))
    }
  }
  expect_identical(wrong, character())
})

test_that("arrays are accepted and take the traced dtype", {
  f <- trace_program(function(x) op_multiply(x, 2), tensor(c(1, 2), "float32"))
  expect_identical(tensor_dtype(f(c(3, 4))), "float32")
  expect_identical(c(as.array(f(3:4))), c(6, 8))
  expect_identical(c(as.array(f(c(TRUE, FALSE)))), c(2, 0))
  g <- trace_program(function(i) op_gather(c(10, 20, 30), i), 0L)
  expect_identical(as.array(g(2L)), 30)
  expect_identical(as.array(g(1)), 20)
})

test_that("several outputs, in the shape of the list; inputs may be outputs", {
  f <- trace_program(function(x) list(double = op_add(x, x), square = op_square(x)), c(1, 2))
  y <- f(c(3, 4))
  expect_named(y, c("double", "square"))
  expect_identical(lapply(y, function(t) c(as.array(t))), list(double = c(6, 8), square = c(9, 16)))
  same <- trace_program(function(x, y) list(y, x, y), 1, 2)
  expect_identical(lapply(same(3, 4), as.array), list(4, 3, 4))
  expect_identical(as.array(trace_program(function(x) x, c(1, 2))(c(5, 6))), array(c(5, 6)))
})

test_that("results of earlier calls stay as they were", {
  f <- trace_program(op_square, c(1, 2))
  a <- f(c(1, 2))
  b <- f(c(3, 4))
  expect_identical(c(as.array(a)), c(1, 4))
  expect_identical(c(as.array(b)), c(9, 16))
})

test_that("variables take part with their present numbers, constants are kept as they were", {
  w <- variable(3)
  offset <- c(10, 20)
  f <- trace_program(function(x) op_add(op_multiply(x, w), offset), c(1, 2))
  variable_assign(w, 100)
  offset <- c(0, 0)
  gc()
  expect_identical(c(as.array(f(c(1, 2)))), c(110, 220))
})

test_that("sizes are those of the trace, also zero", {
  f <- trace_program(function(x) op_sum(x, axis = 1), matrix(0, 0, 3))
  expect_identical(c(as.array(f(matrix(0, 0, 3)))), c(0, 0, 0))
  expect_identical(c(as.array(trace_program(function(x) op_mean(x, 2), array(0, c(3, 0, 2)))(array(0, c(3, 0, 2))))),
    rep(NaN, 6))
})

test_that("traced functions survive saving", {
  f <- trace_program(function(x, y) op_add(op_multiply(x, c(2, 3)), y), c(0, 0), 0)
  g <- unserialize(serialize(f, NULL))
  expect_identical(c(as.array(g(c(1, 1), 5))), c(7, 8))
})

test_that("one thread or two: the same bits", {
  arrays <- list(some(c(128, 200)), some(c(200, 101), k = 2), some(101, k = 3), some(c(101, 50), k = 4))
  f <- do.call(trace_program, c(list(network), arrays))
  one <- with_threads(1, as.array(do.call(f, arrays)))
  for (i in 1:20) expect_true(identical(with_threads(2, as.array(do.call(f, arrays))), one))
})

test_that("printing shows the program", {
  expect_snapshot(trace_program(function(x, w) op_relu(op_add(op_matmul(x, w), 1)), matrix(0, 2, 3), matrix(0, 3, 4)))
})

test_that("a function that needs numbers cannot be traced", {
  needs <- "looks at the numbers of a tensor"
  expect_refusal(trace_program(function(x) as.array(x), 1), "traced", needs)
  expect_refusal(trace_program(function(x) if (as.double(op_sum(x)) > 0) x, 1), "traced", needs)
  expect_refusal(trace_program(function(x) op_add(x, variable(x)), 1), "traced", "makes a variable")
  v <- variable(1)
  expect_refusal(trace_program(function(x) if (as.double(v) > 0) x, 1), "traced", "numbers of a variable")
  f <- trace_program(op_square, 1)
  expect_refusal(trace_program(function(x) f(x), 1), "traced", needs)
  expect_refusal(trace_program(function(x) tryCatch(as.array(x), error = function(e) x), 1), "traced", needs)
  expect_output(trace_program(function(x) {
    print(x)
    x
  }, c(1, 2)), "<tensor float64 (2)>", fixed = TRUE)
})

test_that("wrong inputs are refused with both shapes", {
  f <- trace_program(function(x, y) op_add(x, y), c(1, 2), 1)
  expect_refusal(f(c(1, 2, 3), 1), "shape", "(2)", "(3)")
  expect_refusal(f(matrix(1, 1, 2), 1), "shape", "(1, 2)")
  expect_refusal(f(c(1, 2)), "value", "2 inputs, not 1")
  expect_refusal(f(c(1, 2), 1, 1), "value", "2 inputs, not 3")
  expect_refusal(f(tensor(c(1, 2), "float32"), 1), "dtype", "float64", "float32")
  for (x in list("a", NULL, list(1), mean)) expect_refusal(f(c(1, 2), x), "value", "numeric")
  expect_refusal(trace_program(function(i) i, 1L)(1.5), "value", "not whole")
  expect_refusal(trace_program(function(i) op_gather(1:3, i), 0L)(3L), "index")
  expect_identical(c(as.array(f(c(1, 2), 1))), c(2, 3)) # and goes on working
})

test_that("shape errors appear while tracing", {
  expect_refusal(trace_program(function(x) op_matmul(x, x), matrix(0, 2, 3)), "shape", "`op_matmul()`",
    "(2, 3) and (2, 3)")
  expect_refusal(trace_program(function(x) op_add(x, 1:3), 1:2), "shape", "(2) and (3)")
})

test_that("results must come from the arguments", {
  expect_refusal(trace_program(function(x) 1, 1), "value", "`trace_program()`", "`f`", "1")
  expect_refusal(trace_program(function(x) tensor(1), 1), "value", "`f`")
  expect_refusal(trace_program(function(x) list(x, 2), 1), "value", "`f`")
  expect_refusal(trace_program(function(x) NULL, 1), "value", "`f`")
  expect_refusal(trace_program(function(x) list(), 1), "value", "`f`")
  expect_refusal(trace_program("f", 1), "value", "`trace_program()`", "`f` must be a function")
  expect_refusal(trace_program(op_square, "a"), "value")
})

test_that("tensors of different traces do not mix", {
  kept <- NULL
  trace_program(function(x) kept <<- op_square(x), 1)
  expect_refusal(trace_program(function(x) op_add(x, kept), 1), "value", "`op_add()`", "different traced functions")
  expect_refusal(trace_program(function(x) kept, 1)(1), "value")
  expect_refusal(as.array(kept), "traced", "looks at the numbers")
})

test_that("print() shows the attributes of ops", {
  lines <- function(f, ...) {
    g <- autograph(f)
    g(...)
    gsub(", %[0-9]+", ", %k", capture.output(print(g)))
  }
  x <- tensor(matrix(1:12 / 4, 4))
  shown <- lines(function(x) {
    list(op_dense(x, diag(3), activation = "relu"), op_dense(x, diag(3), activation = "leaky_relu", alpha = 0.5),
      op_dense(x, diag(3)), op_sum(x), op_sum(x, 1), op_sum(x, c(1, 2), keepdims = TRUE), op_transpose(x),
      op_reshape(x, c(-1, 2)), x[3:1, 2:3], op_clip(x, 0, 1 / 3), op_squared_error(x, x), op_dropout(x, 0.25),
      op_gather(x, 0L, 2), op_random_uniform(c(2, 3)))
  }, x)
  for (call in c("dense(%1, %k, activation = relu)", "dense(%1, %k, activation = leaky_relu, negative_slope = 0.5)",
    "dense(%1, %k)", "sum(%1)", "sum(%1, axis = 1)", "sum(%1, keepdims = TRUE, axis = c(1, 2))",
    "transpose(%1, perm = c(2, 1))", "reshape(%1, shape = c(-1, 2))", "slice(%1, part = c(3:1:-1, 2:3))",
    "clip(%1, low = 0, high = 0.333333)", "squared_error(%1, %k, mean = TRUE)", "dropout(%1, rate = 0.25)",
    "gather(%1, %k, axis = 2)", "random_uniform(shape = c(2, 3), minval = 0, maxval = 1)")) {
    expect_true(any(grepl(paste0("= ", call, " "), shown, fixed = TRUE)), label = call)
  }
  x <- tensor(array(0, c(2, 4, 3)))
  shown <- lines(function(x) op_gru(x, matrix(0, 3, 6), matrix(0, 2, 6), activation = "relu", output = "sequence"), x)
  expect_match(shown, "output = sequence, activation = relu, recurrent_activation = sigmoid", all = FALSE)
})
