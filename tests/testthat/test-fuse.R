# Ops that a sealed program computes as one: the same bits, forward and backward.

some_float <- function(dim, dtype = "float32") as_tensor(array(rnorm(prod(dim)), dim), dtype)
ops_of <- function(f) describe_program(environment(f)$graph$traces[[1]]$program, list())$op
bits <- function(x) lapply(x, function(t) if (!is.null(t)) as.array(t))

# The values and gradients of sum(f(x)^2) towards the variables, compiled and op by op.
both_ways <- function(f, variables, ...) {
  step <- function(...) {
    with(gradient_tape() %as% tape, loss <- op_sum(op_square(f(...))))
    c(list(loss), tape$gradient(loss, variables))
  }
  compiled <- autograph(step)
  expect_identical(bits(compiled(...)), bits(step(...)))
  compiled
}

test_that("matmul, bias and activation are one op, dense", {
  set.seed(1)
  for (dtype in c("float32", "float64")) {
    x <- some_float(c(5, 300), dtype) # deeper than one block of the multiply
    w <- variable(some_float(c(300, 7), dtype))
    activations <- list(op_relu, op_tanh, op_sigmoid, op_elu, op_selu, op_softplus, op_exp,
      function(x) op_leaky_relu(x, 0.1), identity)
    for (size in list(7, c(1, 7))) {
      b <- variable(some_float(size, dtype))
      for (activation in activations) {
        compiled <- both_ways(function(x) activation(op_add(b, op_matmul(x, w))), list(w, b), x)
        expect_identical(sum(ops_of(compiled) == "dense"), 1L)
        expect_identical(sum(ops_of(compiled) %in% c("matmul", "add", "relu", "tanh", "matmul_gradient")), 0L)
      }
    }
    compiled <- both_ways(function(x) op_relu(op_matmul(x, w)), list(w), x)
    expect_identical(ops_of(compiled)[1], "dense")
  }
  many <- some_float(c(300, 7)) # rows whose sums are added up in blocks
  w <- variable(some_float(c(7, 40)))
  b <- variable(some_float(40))
  both_ways(function(x) op_tanh(op_add(op_matmul(x, w), b)), list(w, b), many)
  three <- some_float(c(2, 3, 300))
  w <- variable(some_float(c(300, 7)))
  expect_true("dense" %in% ops_of(both_ways(function(x) op_tanh(op_matmul(x, w)), list(w), three)))
})

test_that("normalize and relu are one op, whose statistics are those of before", {
  set.seed(1)
  for (dtype in c("float32", "float64")) {
    scale <- variable(some_float(19, dtype))
    offset <- variable(some_float(19, dtype))
    of <- list(function(x) op_relu(op_standardize(x, scale, offset)$output),
      function(x) op_relu(op_standardize(x, scale, offset, leading = 1)$output),
      function(x) op_relu(op_standardize(x, scale, offset, leading = 1, groups = 1)$output),
      function(x) {
        parts <- op_standardize(x, scale, offset)
        op_relu(parts$output) * op_sum(parts$mean) + parts$variance
      },
      function(x) op_relu(op_standardize(x, scale, offset, mean = numeric(19), variance = rep(2, 19))))
    for (f in of) for (d in list(c(5, 300, 19), c(1, 1, 19), c(3, 1, 19))) {
      compiled <- both_ways(f, list(scale, offset), some_float(d, dtype))
      expect_identical(sum(ops_of(compiled) == "relu"), 0L)
    }
  }
  both <- both_ways(function(x) {
    y <- op_standardize(x, scale, offset)$output
    op_relu(y) + y
  }, list(scale, offset), some_float(c(4, 19), "float64"))
  expect_identical(sum(ops_of(both) == "relu"), 1L)
})

test_that("a gradient that is no number is seen behind normalize and relu, too", {
  set.seed(1)
  x <- some_float(c(4, 19))
  scale <- variable(some_float(19))
  offset <- variable(some_float(19))
  for (odd in c(NaN, Inf)) {
    weights <- tensor(matrix(replace(rnorm(4 * 19), 1:40, odd), 4), "float32")
    expect_true(any(as.array(op_relu(op_standardize(x, scale, offset)$output))[1:40] == 0)) # relu is shut there
    both_ways(function(x) op_relu(op_standardize(x, scale, offset)$output) * weights, list(scale, offset), x)
  }
})

test_that("a bias is one row, of a fixed number of rows", {
  x <- some_float(c(7, 4))
  w <- variable(some_float(c(4, 7)))
  column <- variable(some_float(c(7, 1)))
  whole <- variable(some_float(c(7, 7)))
  for (b in list(column, whole)) {
    compiled <- both_ways(function(x) op_add(op_matmul(x, w), b), list(w, b), x)
    expect_false("dense" %in% ops_of(compiled))
  }
  # one row today, more tomorrow
  compiled <- autograph(function(x, b) op_add(op_matmul(x, w), b))
  one <- some_float(c(1, 4))
  row <- some_float(c(1, 7))
  expect_identical(as.array(compiled(one, row)), as.array(op_add(op_matmul(one, w), row)))
  more <- some_float(c(3, 4))
  rows <- some_float(c(3, 7))
  expect_identical(as.array(compiled(more, rows)), as.array(op_add(op_matmul(more, w), rows)))
})

test_that("what a variable was before a step changes it is not read after it", {
  start <- some_float(c(4, 5))
  w <- variable(start)
  b <- variable(some_float(5))
  x <- some_float(c(3, 4))
  ids <- matrix(0:3, 2)
  table <- variable(some_float(c(4, 6)))
  cell <- lapply(list(c(6, 5), c(5, 5)), some_float)
  optimizer <- optimizer_sgd(1)
  step <- function() optimizer$apply_gradients(list(list(op_ones_like(w), w), list(op_ones_like(table), table)))
  in_between <- list(
    function() { h <- op_matmul(x, w); step(); op_relu(op_add(h, b)) },
    function() { h <- op_add(op_matmul(x, w), b); step(); op_relu(h) },
    function() { rows <- op_gather(table, ids, axis = 1); step(); op_simple_rnn(rows, cell[[1]], cell[[2]]) }
  )
  values <- as.array(table)
  for (f in in_between) {
    found <- lapply(list(f, autograph(f)), function(f) {
      variable_assign(w, start)
      variable_assign(table, values)
      as.array(f())
    })
    expect_identical(found[[2]], found[[1]])
  }
})

test_that("what somebody else reads stays", {
  x <- some_float(c(3, 4))
  w <- variable(some_float(c(4, 5)))
  b <- variable(some_float(5))
  hidden <- autograph(function(x) {
    h <- op_matmul(x, w)
    list(h, op_relu(op_add(h, b)))
  })
  expect_identical(bits(hidden(x)), bits(list(op_matmul(x, w), op_relu(op_add(op_matmul(x, w), b)))))
  expect_true("matmul" %in% ops_of(hidden))
  towards <- function(x) { # the gradient towards what is computed in between
    with(gradient_tape() %as% tape, {
      h <- op_matmul(x, w)
      tape$watch(h)
      loss <- op_sum(op_relu(op_add(h, b)))
    })
    tape$gradient(loss, list(h, b))
  }
  expect_identical(bits(autograph(towards)(x)), bits(towards(x)))
  halfway <- function(x) { # the tape sees the activation alone
    h <- op_add(op_matmul(x, w), b)
    with(gradient_tape() %as% tape, {
      tape$watch(h)
      loss <- op_sum(op_tanh(h))
    })
    tape$gradient(loss, list(h, w))
  }
  expect_identical(bits(autograph(halfway)(x)), bits(halfway(x)))
  # the tape opens in between, and nothing in between is named
  partly <- function(x) {
    h <- op_add(op_matmul(x, w), b)
    with(gradient_tape() %as% tape, loss <- op_sum(op_tanh(h)) + op_sum(op_square(w)))
    tape$gradient(loss, list(w, b))
  }
  expect_identical(bits(autograph(partly)(x)), bits(partly(x)))
  expect_null(autograph(partly)(x)[[2]])
})

test_that("an activation that changes signs is none that dense can differentiate", {
  x <- some_float(c(3, 4))
  w <- variable(some_float(c(4, 5)))
  for (f in list(function(x) op_leaky_relu(x, -0.3), function(x) op_elu(x, -1)))
    expect_false("dense" %in% ops_of(both_ways(function(x) f(op_matmul(x, w)), list(w), x)))
})

test_that("a recurrent layer looks up the rows that were gathered for it", {
  table <- variable(some_float(c(6, 3)))
  kernel <- variable(some_float(c(3, 8)))
  recurrent <- variable(some_float(c(2, 8)))
  ids <- as_tensor(matrix(c(0:5, 3:0), 2), "int32")
  mask <- as_tensor(matrix(rep(c(FALSE, TRUE), c(2, 8)), 2))
  step <- function(ids, mask) {
    with(gradient_tape() %as% tape, loss <- op_sum(op_square(op_lstm(op_gather(table, ids), kernel, recurrent,
      mask = mask))))
    c(list(loss), tape$gradient(loss, list(table, kernel, recurrent)))
  }
  compiled <- autograph(step)
  now <- bits(compiled(ids, mask))
  one_by_one <- bits(step(ids, mask))
  expect_identical(now[[1]], one_by_one[[1]])
  expect_equal(now, one_by_one, tolerance = 1e-5) # rows that occur twice are added up earlier
  expect_false(any(grepl("^gather", ops_of(compiled))))
  for (at in c(1, 10)) { # at a masked timestep and at a valid one: as op_gather() refuses it
    bad <- as.array(ids)
    bad[at] <- 6L
    expect_error(compiled(as_tensor(bad, "int32"), mask), class = "nativenet_error_index")
    expect_error(step(as_tensor(bad, "int32"), mask), class = "nativenet_error_index")
  }
})
