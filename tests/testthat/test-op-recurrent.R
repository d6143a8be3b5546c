# Recurrent ops beyond the cases of helper-op-recurrent.R, which test-op-forward.R and test-op-gradient.R run over.

recurrent_ops <- list(lstm = op_lstm, gru = op_gru, simple_rnn = op_simple_rnn)
gates_of <- c(lstm = 4, gru = 3, simple_rnn = 1)

#' Random weights and data: batch, time, inputs, units.
random_cell <- function(name, d, vocabulary = 11, reset_after = name == "gru") {
  normal <- function(...) array(stats::rnorm(prod(...), sd = 0.5), c(...))
  gates <- gates_of[[name]] * d[4]
  list(
    x = normal(d[1:3]), kernel = normal(d[3], gates), recurrent_kernel = normal(d[4], gates), bias = if (reset_after)
    normal(2, gates) else normal(gates), ids = matrix(sample(vocabulary, d[1] * d[2], TRUE) - 1L, d[1]),
    table = normal(vocabulary, d[3])
  )
}
random_mask <- function(d, p = 0.6) matrix(stats::runif(d[1] * d[2]) < p, d[1])

test_that("outputs and gradients are PyTorch's", {
  source(test_path("recurrent-torch.R"), local = TRUE)
  for (name in names(recurrent_torch)) {
    known <- recurrent_torch[[name]]
    mask <- t(vapply(c(4, 2, 3), function(n) seq_len(4) <= n, logical(4)))
    for (dtype in c("float64", "float32")) {
      tolerance <- c(float64 = 1e-12, float32 = 1e-5)[[dtype]]
      inputs <- lapply(known[c("x", "kernel", "recurrent_kernel", "bias")], variable, dtype = dtype)
      tape <- gradient_tape()
      y <- tape_record(tape, do.call(recurrent_ops[[name]], c(unname(inputs), list(mask = mask, output = "sequence",
        return_state = TRUE))))
      expect_lt(relative_error(as.array(y[[1]]) * c(mask), known$y, 1), tolerance, label = paste(name, dtype))
      if (name == "lstm") expect_lt(relative_error(as.array(y[[3]]), known$c, 1), tolerance)
      seeds <- list(known$weight, known$weight_c)[c(TRUE, name == "lstm")]
      gradients <- lapply(tape_gradient(tape, y[c(TRUE, FALSE, TRUE)[seq_along(y)]], unname(inputs), seeds), as.array)
      wanted <- unname(known[c("dx", "dkernel", "drecurrent_kernel", "dbias")])
      expect_lt(max(mapply(relative_error, gradients, wanted, MoreArgs = list(floor = 1))), tolerance,
        label = paste(name, dtype, "gradients"))
    }
  }
})

test_that("all activations and their derivatives, with every instruction set", {
  set.seed(1)
  d <- c(3, 4, 2, 5)
  mask <- random_mask(d)
  for (name in names(recurrent_ops)) {
    w <- lapply(random_cell(name, d), `*`, 0.4) # exp() of what grows would explode
    for (i in seq_along(nativenet:::enums$cell_activation)) {
      pair <- nativenet:::enums$cell_activation[c(i, i %% 10 + 1)]
      options <- list(mask = mask, activation = pair[1], output = "sequence")
      if (name != "simple_rnn") options$recurrent_activation <- pair[2]
      f <- function(...) do.call(recurrent_ops[[name]], c(list(...), options))
      reference <- do.call(recurrent_reference, c(list(name), unname(w[1:4]), options))
      for (kernels in kernel_sets()) {
        with_kernels(kernels, {
          inputs <- unname(w[1:4])
          expect_lt(relative_error(as.array(do.call(f, inputs)), reference, 1), 1e-12,
            label = paste(name, toString(pair), kernels))
          expect_lt(relative_error(as.array(do.call(f, lapply(inputs, tensor, "float32"))), reference, 1), 2e-5,
            label = paste(name, toString(pair), kernels, "float32"))
          expect_lt(directional_error(f, inputs, 1:4), 1e-8, label = paste(name, toString(pair), kernels, "slope"))
        })
      }
    }
  }
})

test_that("random masks, sizes and options agree with plain R, and slopes with differences", {
  set.seed(2)
  for (i in 1:60) {
    name <- sample(names(recurrent_ops), 1)
    d <- c(sample(1:9, 1), sample(1:8, 1), sample(1:9, 1), sample(c(1:9, 16), 1))
    after <- name == "gru" && stats::runif(1) < 0.5
    w <- random_cell(name, d, reset_after = after)
    options <- list(output = sample(c("last", "sequence"), 1),
      go_backwards = stats::runif(1) < 0.5)
    if (name == "gru") options$reset_after <- after
    if (stats::runif(1) < 0.8) options$mask <- random_mask(d, stats::runif(1))
    if (stats::runif(1) < 0.4) options$recurrent_mask <- matrix((stats::runif(d[1] * d[4]) < 0.7) / 0.7, d[1])
    with_bias <- stats::runif(1) < 0.7
    inputs <- unname(c(w[c("x", "kernel", "recurrent_kernel")], if (with_bias) w["bias"]))
    f <- function(...) do.call(recurrent_ops[[name]], c(list(...), options))
    what <- paste(name, toString(d), toString(names(options)), options$output)
    expected <- do.call(recurrent_reference, c(list(name), inputs, options))
    expect_lt(relative_error(as.array(do.call(f, inputs)), expected, 1), 1e-12, label = what)
    expect_lt(directional_error(f, inputs, seq_along(inputs)), 1e-7, label = paste(what, "slope"))
    # the same by a table
    options$table <- w$table
    inputs[[1]] <- w$ids
    expected <- do.call(recurrent_reference, c(list(name), inputs, options))
    expect_lt(relative_error(as.array(do.call(f, inputs)), expected, 1), 1e-12, label = paste(what, "table"))
  }
})

test_that("the table form is the gathered form, forward and backward", {
  set.seed(3)
  for (name in names(recurrent_ops)) {
    for (vocabulary in c(3, 50, 4000)) {
      d <- c(8, 20, 12, 16)
      w <- random_cell(name, d, vocabulary)
      mask <- random_mask(d)
      for (dtype in c("float64", "float32")) {
        v <- lapply(w[c("kernel", "recurrent_kernel", "bias", "table")], variable, dtype = dtype)
        run <- function(f) {
          tape <- gradient_tape()
          y <- tape_record(tape, f())
          lapply(c(list(y), tape_gradient(tape, list(y), unname(v), list(gradient_weights(as.array(y))))), as.array)
        }
        op <- recurrent_ops[[name]]
        gathered <- run(function() op(op_gather(v$table, w$ids), v$kernel, v$recurrent_kernel, v$bias, mask = mask))
        fused <- run(function() op(w$ids, v$kernel, v$recurrent_kernel, v$bias, mask = mask, table = v$table))
        error <- max(mapply(relative_error, fused, gathered, MoreArgs = list(floor = 1)))
        expect_lt(error, c(float64 = 1e-12, float32 = 2e-5)[[dtype]], label = paste(name, vocabulary, dtype))
        unused <- setdiff(seq_len(vocabulary) - 1, w$ids[mask])
        expect_true(all(fused[[5]][unused + 1, ] == 0))
      }
    }
  }
})

test_that("padding changes nothing: neither its numbers nor its place, and its gradient is 0", {
  set.seed(4)
  for (name in names(recurrent_ops)) {
    w <- random_cell(name, c(2, 5, 3, 4))
    op <- function(x, mask = NULL) recurrent_ops[[name]](x, w$kernel, w$recurrent_kernel, w$bias, mask = mask)
    plain <- as.array(op(w$x))
    padded <- array(NaN, c(2, 9, 3))
    padded[, 5:9, ] <- w$x
    expect_identical(as.array(op(padded, matrix(rep(1:9 > 4, each = 2), 2))), plain)
    padded[, 1:5, ] <- w$x
    padded[, 6:9, ] <- Inf
    expect_identical(as.array(op(padded, matrix(rep(1:9 < 6, each = 2), 2))), plain)
    mask <- rbind(c(FALSE, TRUE, FALSE, TRUE, TRUE), FALSE)
    g <- tape_gradients(function(x) op(x, mask), list(w$x), 1)[[1]]
    expect_true(all(g[!mask] == 0) && all(apply(g != 0, 1:2, all) == mask))
    expect_identical(as.array(op(w$x, mask))[2, ], rep(0, 4))
  }
})

test_that("a token outside the table is an error at real steps only", {
  w <- random_cell("lstm", c(2, 3, 2, 2), 5)
  for (bad in c(-1L, 5L)) {
    ids <- matrix(c(bad, 0L, 1L, 2L, 3L, 4L), 2)
    for (op in list(op_lstm, op_simple_rnn)) {
      gates <- if (identical(op, op_lstm)) 8 else 2
      call <- function(mask) op(ids, w$kernel[, seq_len(gates)], w$recurrent_kernel[, seq_len(gates)], mask = mask,
        table = w$table)
      expect_refusal(call(NULL), "index", "outside")
      expect_refusal(call(matrix(TRUE, 2, 3)), "index")
      expect_identical(dim(call(matrix(c(FALSE, rep(TRUE, 5)), 2))), c(2L, 2L))
    }
  }
})

test_that("long float32 sums keep their digits", {
  # 8000 steps of one token with a linear cell that forgets at once: bias and kernel gradients are sums of 8000 numbers
  x <- array(some(c(32, 250, 1), 0.2, 1.2), c(32, 250, 1))
  for (dtype in c("float32", "float64")) {
    w <- lapply(list(matrix(0.7), matrix(0), array(0.1, 1)), variable, dtype = dtype)
    tape <- gradient_tape()
    y <- tape_record(tape, op_simple_rnn(tensor(x, dtype), w[[1]], w[[2]], w[[3]], activation = "linear",
      output = "sequence"))
    seed <- some(c(32, 250, 1), 0.5, 1.5, 2)
    g <- vapply(tape_gradient(tape, list(y), w, list(seed)), function(g) c(as.array(g)), 0)
    expect_equal(g[c(1, 3)], c(sum(x * seed), sum(seed)), tolerance = c(float32 = 2e-6, float64 = 1e-13)[[dtype]])
  }
})

test_that("one thread or two: the same bits, forward and backward", {
  set.seed(5)
  d <- c(30, 40, 24, 20) # enough work for two
  for (dtype in c("float32", "float64")) {
    for (name in names(recurrent_ops)) {
      for (after in if (name == "gru") c(TRUE, FALSE) else FALSE) {
        w <- random_cell(name, d, 300, after)
        v <- lapply(w[c("kernel", "recurrent_kernel", "bias", "table")], variable, dtype = dtype)
        options <- c(list(mask = random_mask(d), output = "sequence"), if (name == "gru") list(reset_after = after))
        for (form in c("x", "table")) {
          input <- if (form == "x") tensor(w$x, dtype) else tensor(w$ids)
          if (form == "table") options$table <- v$table
          # a program runs on all threads at first
          run <- function() {
            program <- trace_program(function(x) {
              tape <- gradient_tape()
              if (form == "x") tape_watch(tape, x)
              y <- tape_record(tape, do.call(recurrent_ops[[name]], c(list(x), unname(v[1:3]), options)))
              c(list(y), tape_gradient(tape, y, c(unname(v[1:3]), if (form == "x") x else v$table)))
            }, input)
            lapply(program(input), as.array)
          }
          expect_identical(with_threads(2, run()), with_threads(1, run()), label = paste(dtype, name, form))
        }
      }
    }
  }
})

test_that("a compiled program follows the batch's size and changes of the weights, and gives eager bits", {
  set.seed(6)
  w <- random_cell("lstm", c(6, 7, 3, 4))
  r <- variable(w$recurrent_kernel)
  f <- function(ids, mask) {
    with(tf$GradientTape() %as% tape, y <- op_lstm(ids, w$kernel, r, w$bias, mask = mask, table = w$table))
    list(y, tape$gradient(y, r))
  }
  mask <- random_mask(c(6, 7))
  compiled <- trace_program(f, w$ids, mask)
  values <- function(results) lapply(results, as.array)
  expect_identical(values(compiled(w$ids, mask)), values(f(w$ids, mask)))
  variable_assign(r, w$recurrent_kernel / 2)
  expect_identical(values(compiled(w$ids, mask)), values(f(w$ids, mask)))
  by_itself <- autograph(f)
  for (rows in list(1:6, 2:4)) {
    # it would tell that it is not compiled
    expect_no_message(found <- by_itself(tensor(w$ids[rows, ]), tensor(mask[rows, ])))
    expect_identical(values(found), values(f(w$ids[rows, ], mask[rows, ])))
  }
})

test_that("no gradient reaches masks; a watched recurrent mask gets zeros", {
  set.seed(7)
  w <- random_cell("gru", c(2, 3, 2, 2))
  g <- tape_gradients(function(x, m) op_gru(x, w$kernel, w$recurrent_kernel, recurrent_mask = m),
    list(w$x, matrix(1.5, 2, 2)), 1:2)
  expect_true(any(g[[1]] != 0))
  expect_identical(g[[2]], matrix(0, 2, 2))
})

test_that("one tensor in two places collects both gradients", {
  set.seed(8)
  w <- matrix(stats::rnorm(9), 3)
  x <- array(stats::rnorm(24), c(2, 4, 3))
  expect_lt(directional_error(function(w) op_simple_rnn(x, w, w), list(w), 1), 1e-9)
  expect_lt(directional_error(function(w) op_simple_rnn(matrix(c(0L, 2L, 1L, 1L), 2), w, w, table = w), list(w), 1),
    1e-9)
})

test_that("a sequence is its parts, one after the other from the state where the one before it ended", {
  d <- c(5, 8, 3, 4)
  for (name in names(recurrent_ops)) {
    w <- random_cell(name, d)
    for (mask in list(NULL, random_mask(d, 0.5))) {
      op <- function(at, ...) recurrent_ops[[name]](w$x[, at, ], w$kernel, w$recurrent_kernel, w$bias,
        mask = mask[, at], output = "sequence", return_state = TRUE, ...)
      whole <- op(1:8)
      first <- op(1:3)
      second <- op(4:8, initial_state = first[-1])
      for (k in seq_along(whole)[-1]) expect_equal(as.array(second[[k]]), as.array(whole[[k]]), tolerance = 1e-14)
      real <- if (is.null(mask)) matrix(TRUE, 5, 8) else mask
      expect_equal(as.array(second[[1]]) * c(real[, 4:8]), as.array(whole[[1]])[, 4:8, ] * c(real[, 4:8]),
        tolerance = 1e-14)
    }
    empty <- recurrent_ops[[name]](w$x, w$kernel, w$recurrent_kernel, w$bias, mask = matrix(FALSE, 5, 8),
      initial_state = lapply(first[-1], as.array), return_state = TRUE)
    expect_identical(as.array(empty[[1]]), matrix(0, 5, 4)) # nothing was put out
    for (k in seq_along(empty)[-1]) expect_identical(as.array(empty[[k]]), as.array(first[[k]]))
  }
})

test_that("gradients of a state reach through the beginning, whichever outputs they come from", {
  d <- c(3, 4, 2, 5)
  for (name in names(recurrent_ops)) {
    w <- random_cell(name, d)
    n <- if (name == "lstm") 2 else 1
    h <- lapply(1:n, function(k) matrix(stats::rnorm(15), 3))
    for (k in 1:(n + 1)) for (output in c("last", "sequence")) {
      f <- function(...) recurrent_ops[[name]](w$x, w$kernel, w$recurrent_kernel, mask = random_mask(d, 1),
        initial_state = list(...), output = output, return_state = TRUE)[[k]]
      expect_lt(directional_error(f, h, seq_len(n)), 1e-8, label = paste(name, k, output))
    }
  }
  w <- random_cell("lstm", d)
  same <- function(s) op_lstm(w$x, w$kernel, w$recurrent_kernel, initial_state = list(s, s))
  expect_lt(directional_error(same, list(matrix(stats::rnorm(15), 3)), 1), 1e-8)
})

test_that("errors name the argument", {
  w <- random_cell("lstm", c(2, 3, 4, 5))
  shape <- function(code, ...) expect_refusal(code, "shape", ...)
  value <- function(code, ...) expect_refusal(code, "value", ...)
  shape(op_lstm(w$x, w$kernel[-1, ], w$recurrent_kernel),
    "`op_lstm()`: `kernel` must have the shape (4, 20), not (3, 20)")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel[, -1]), "`recurrent_kernel` must have the shape (5, 20), not (5, 19)")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel, w$bias[-1]), "`bias` must have the shape (20), not (19)")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel, mask = matrix(TRUE, 3, 3)),
    "`mask` must have the shape (2, 3), not (3, 3)")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel, recurrent_mask = matrix(1, 2, 3)),
    "`recurrent_mask` must have the shape (2, 5), not (2, 3)")
  shape(op_lstm(w$ids, w$kernel, w$recurrent_kernel, table = w$table[, -1]), "`kernel`")
  shape(op_gru(w$x, w$kernel[, 1:15], w$recurrent_kernel[, 1:15], w$bias[1:15]),
    "`op_gru()`: `bias` must have the shape (2, 15), not (15)")
  shape(op_gru(w$x, w$kernel[, 1:15], w$recurrent_kernel[, 1:15], matrix(0, 2, 15), reset_after = FALSE),
    "`bias` must have the shape (15), not (2, 15)")
  shape(op_gru(w$x, w$kernel, w$recurrent_kernel), "`kernel` must have the shape (4, 15), not (4, 20)")
  shape(op_lstm(w$x[, , 1], w$kernel, w$recurrent_kernel),
    "`op_lstm()`: `x` must have the axes batch, timesteps, inputs, not the shape (2, 3)")
  value(op_lstm(w$x, w$kernel, w$recurrent_kernel, table = w$table), "not whole")
  shape(op_lstm(w$ids[1, ], w$kernel, w$recurrent_kernel, table = w$table),
    "`x` must have the axes batch, timesteps, not")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel[1, ]), "`recurrent_kernel` must have the axes")
  shape(op_lstm(w$x, w$kernel[1, ], w$recurrent_kernel), "`kernel` must have the shape (4, 20), not (20)")
  shape(op_lstm(w$ids, w$kernel, w$recurrent_kernel, table = w$table[, 1]), "`table` must have the axes")
  value(op_lstm(w$x, w$kernel, w$recurrent_kernel, activation = "softmax"), "`op_lstm()`: `activation` must be one of",
    "\"softmax\"")
  value(op_gru(w$x, w$kernel, w$recurrent_kernel, recurrent_activation = NULL), "`op_gru()`: `recurrent_activation`",
    "not NULL")
  shape(op_lstm(w$x, w$kernel, w$recurrent_kernel, initial_state = list(matrix(0, 2, 5), matrix(0, 2, 4))),
    "`initial_state` must have the shape (2, 5), not (2, 4)")
  value(op_lstm(w$x, w$kernel, w$recurrent_kernel, initial_state = matrix(0, 2, 5)),
    "`initial_state` must be a list of 2 tensors, not")
  value(op_gru(w$x, w$kernel, w$recurrent_kernel, initial_state = list(matrix(0, 2, 5), NULL)),
    "`initial_state` must be one tensor, not")
  value(op_gru(w$x, w$kernel, w$recurrent_kernel, return_state = 1), "`return_state` must be TRUE or FALSE")
  value(op_gru(w$x, w$kernel, w$recurrent_kernel, output = "last_state"),
    "`op_gru()`: `output` must be one of \"last\", \"sequence\"")
  value(op_simple_rnn(w$x, w$kernel, w$recurrent_kernel, go_backwards = NA),
    "`op_simple_rnn()`: `go_backwards` must be TRUE or FALSE")
  value(op_gru(w$x, w$kernel, w$recurrent_kernel, reset_after = 1), "`op_gru()`: `reset_after`")
  expect_refusal(op_lstm(tensor(w$x, "float32"), tensor(w$kernel), w$recurrent_kernel), "dtype", "a kernel of float64",
    "float32")
  expect_refusal(op_lstm(w$x, w$kernel, w$recurrent_kernel, mask = tensor(matrix(1, 2, 3))), "dtype",
    "`mask` must be bool, not float64")
  expect_refusal(op_lstm(tensor(w$ids + 0), w$kernel, w$recurrent_kernel, table = w$table), "dtype",
    "`x` must be int32, not float64")
})

test_that("plain R numbers take the dtype of the tensors, never that of tokens and masks", {
  w <- random_cell("lstm", c(2, 3, 4, 5))
  single <- tensor(w$recurrent_kernel, "float32")
  expect_identical(tensor_dtype(op_lstm(w$ids, w$kernel, single, mask = tensor(matrix(TRUE, 2, 3)), table = w$table)),
    "float32")
  expect_identical(tensor_dtype(op_lstm(tensor(w$ids), w$kernel, w$recurrent_kernel, mask = matrix(TRUE, 2, 3),
    table = w$table)), "float64")
  expect_identical(tensor_dtype(op_simple_rnn(array(1:6, c(1, 3, 2)), diag(2), matrix(0L, 2, 2))), "float64")
  expect_identical(tensor_dtype(op_lstm(w$ids + 0, w$kernel, single, table = w$table)), "float32") # whole doubles
})
