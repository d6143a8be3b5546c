# Derivatives made of ops (R/derivative.R), and derivatives of these. The cases stand in helper-op-cases.R.

#' f for each case of a differentiable op that has something to differentiate; collects what f returns as text.
over_derivative_cases <- function(f) {
  wrong <- character()
  for (op in c(op_names(differentiable = TRUE), composed)) {
    for (case in op_cases[[op]]) {
      if (length(case$wants) == 0) next
      told <- tryCatch(f(op, case), error = conditionMessage)
      if (length(told)) wrong <- c(wrong, paste(op, paste0(case$what, ":"), told))
    }
  }
  wrong
}

composed_derivatives <- function(f, inputs, wants, dtype = "float64") {
  tensors <- as_tensors(inputs, dtype)
  tape <- gradient_tape()
  for (x in tensors[wants]) tape_watch(tape, x)
  y <- tape_record(tape, do.call(f, tensors))
  seed <- tensor(gradient_weights(y), tensor_dtype(y))
  nativenet:::composed_gradients(nativenet:::tape_state(tape), list(y), tensors[wants], list(seed))
}

#' The first derivatives as one vector of numbers: by the engine's kernels, or as ops that a tape records.
slopes_of <- function(f, wants, recorded = FALSE) {
  function(...) {
    tensors <- list(...)
    tape <- gradient_tape()
    for (x in tensors[wants]) tape_watch(tape, x)
    y <- tape_record(tape, do.call(f, tensors))
    seed <- list(tensor(gradient_weights(y), tensor_dtype(y)))
    found <- if (!recorded) tape_gradient(tape, list(y), tensors[wants], seed) else
      nativenet:::composed_gradients(nativenet:::tape_state(tape), list(y), tensors[wants], seed)
    op_concat(lapply(found, op_reshape, newshape = -1))
  }
}

#' Those of the first derivatives, weighed as gradient_weights() does; zeros where these are constant.
second_derivatives <- function(f, inputs, wants) {
  tensors <- as_tensors(inputs)
  tape <- gradient_tape()
  slopes <- tape_record(tape, {
    for (x in tensors[wants]) tape_watch(tape, x)
    do.call(slopes_of(f, wants, recorded = TRUE), tensors)
  })
  lapply(tape$gradient(slopes, tensors[wants], gradient_weights(slopes), "zero"), as.array)
}

test_that("every differentiable op has a rule, and no other", {
  table <- nativenet:::op_table()
  expect_setequal(names(nativenet:::derivatives), table$name[table$differentiable])
})

test_that("derivatives made of ops are those of the engine's kernels", {
  wrong <- over_derivative_cases(function(op, case) {
    fused <- tape_gradients(case$call, case$inputs, case$wants)
    made <- composed_derivatives(case$call, case$inputs, case$wants)
    if (any(vapply(made, is.null, NA))) return("NULL")
    error <- max(mapply(relative_error, lapply(made, as.array), fused, MoreArgs = list(floor = max(1, case$floor))))
    if (!(error < 1e-12)) sprintf("%.2g", error)
  })
  expect_identical(wrong, character())
})

test_that("derivatives made of ops have the dtype of their inputs", {
  wrong <- over_derivative_cases(function(op, case) {
    if (case$what != op_cases[[op]][[1]]$what || op == "cast") return()
    made <- composed_derivatives(case$call, case$inputs, case$wants, "float32")
    if (!all(vapply(made, tensor_dtype, "") == "float32")) "float64"
  })
  expect_identical(wrong, character())
})

test_that("second derivatives agree with differences of first ones", {
  set.seed(3)
  wrong <- over_derivative_cases(function(op, case) {
    n <- sum(lengths(case$inputs[case$wants]))
    if (n == 0 || n > 100) return()
    second <- second_derivatives(case$call, case$inputs, case$wants)
    error <- directional_error(slopes_of(case$call, case$wants), case$inputs, case$wants, second)
    if (!(error < 1e-7)) sprintf("%.2g", error)
  })
  expect_identical(wrong, character())
})

nested_slope <- function(f, x, order) {
  if (order == 0) return(f(x))
  with(tf$GradientTape() %as% tape, {
    tape$watch(x)
    y <- nested_slope(f, x, order - 1)
  })
  tape$gradient(y, x)
}

test_that("any order: nested tapes, eager and compiled", {
  x <- tensor(0.7)
  expected <- c(sin(0.7), cos(0.7), -sin(0.7), -cos(0.7), sin(0.7), cos(0.7))
  for (n in 0:5) {
    expect_equal(as.array(nested_slope(op_sin, x, n)), expected[n + 1], tolerance = 1e-13)
    compiled <- autograph(function(x) nested_slope(op_sin, x, n))
    expect_silent(expect_equal(as.array(compiled(x)), expected[n + 1], tolerance = 1e-13))
  }
  fourth <- function(f, g) expect_equal(as.array(nested_slope(f, x, 4)), g, tolerance = 1e-9)
  fourth(op_lgamma, psigamma(0.7, 3))
  fourth(function(x) op_power(x, 5), 120 * 0.7)
  fourth(function(x) op_prod(op_stack(list(x, x, x, x, x))), 120 * 0.7)
  fourth(function(x) op_sparse_categorical_crossentropy(0, op_stack(list(x, x * 0)), from_logits = TRUE), {
    p <- plogis(0.7)
    p * (1 - p) * (1 - 6 * p + 6 * p^2) # of log(1 + exp(x)) - x
  })
})

test_that("dropout draws the same again, where x is 0, too, and in compiled functions anew in each run", {
  x <- tensor(c(0, 0, 0, 0, rep(2, 60)))
  f <- function(x) {
    with(tf$GradientTape(persistent = TRUE) %as% outer, {
      outer$watch(x)
      with(tf$GradientTape() %as% inner, {
        inner$watch(x)
        y <- op_dropout(x, 0.5)
        z <- op_sum(op_square(y) + y)
      })
      g <- inner$gradient(z, x)
    })
    list(y, g, outer$gradient(g, x))
  }
  check <- function(found) {
    found <- lapply(found, function(t) c(as.array(t)))
    factor <- found[[3]] / 4 # 2 factor^2, the factor being 0 or 2
    expect_true(all(factor %in% c(0, 2)))
    expect_identical(found[[1]], factor * c(as.array(x)))
    expect_identical(found[[2]], factor * (2 * found[[1]] + 1))
    expect_true(any(factor[1:64] == 0) && any(factor == 2))
    factor
  }
  set.seed(1)
  first <- check(f(x))
  compiled <- autograph(f)
  expect_silent(second <- check(compiled(x)))
  third <- check(compiled(x))
  expect_false(identical(second, third))
  set.seed(1)
  expect_identical(check(f(x)), first)
})

test_that("variables count with the numbers they had when the tape recorded", {
  w <- variable(3)
  with(tf$GradientTape() %as% outer, {
    with(tf$GradientTape() %as% inner, y <- w^3)
    w$assign(10)
    g <- inner$gradient(y, w)
  })
  expect_identical(as.array(g), 27)
  expect_identical(as.array(outer$gradient(g, w)), 18)
  expect_identical(as.array(w), 10)
})

test_that("compiled functions: other batch sizes, constants, parts of what ran, output gradients", {
  w <- variable(matrix(c(1, 2, -1, 0.5), 2))
  f <- autograph(function(x) {
    with(tf$GradientTape() %as% outer, {
      with(tf$GradientTape() %as% inner, {
        inner$watch(x)
        y <- mean(op_tanh(op_matmul(x, w)), axis = 2)
      })
      g <- inner$gradient(y, x)
      loss <- mean(op_square(op_sqrt(op_sum(op_square(g), axis = 2)) - 1))
    })
    outer$gradient(loss, w)
  })
  penalty <- function(w, x) {
    h <- 1 - tanh(x %*% w)^2
    mean((sqrt(rowSums((h %*% t(w) / 2)^2)) - 1)^2)
  }
  for (n in c(3, 5)) {
    x <- some(c(n, 2))
    numeric <- matrix(vapply(1:4, function(i) {
      e <- replace(0 * diag(2), i, 1e-6)
      (penalty(as.array(w) + e, x) - penalty(as.array(w) - e, x)) / 2e-6
    }, 0), 2)
    expect_silent(expect_equal(as.array(f(tensor(x))), numeric, tolerance = 1e-7))
  }
  expect_identical(length(environment(f)$graph$traces), 1L) # one program for all
  points <- tensor(c(0.5, 2)) # a constant of the function
  g <- autograph(function(a) {
    with(tf$GradientTape() %as% tape, {
      tape$watch(points)
      squares <- points^2 # runs once, when the function is traced
      with(tape$stop_recording() %as% pause, unseen <- a * 5)
      y <- a * squares + unseen
    })
    tape$gradient(y, list(points, squares), output_gradients = tensor(c(1, 10)))
  })
  expect_silent(found <- g(tensor(c(3, 4))))
  expect_identical(lapply(found, function(g) c(as.array(g))), list(c(3 * 2 * 0.5, 10 * 4 * 2 * 2), c(3, 40)))
})

test_that("mistakes do not leave tapes recording", {
  bad <- autograph(function(x) {
    with(tf$GradientTape() %as% tape, stop("no"))
  })
  expect_error(suppressMessages(bad(tensor(1))), "no")
  expect_identical(length(nativenet:::tapes_recording()), 0L)
  expect_identical(length(nativenet:::session$traced_tapes), 0L)
})

test_that("fit() trains a layer that takes gradients itself: a gradient penalty", {
  # y = tanh(x w), with 3 (|dy/dx| - 1)^2 beside the squared error
  Critic <- new_layer_class("Critic",
    build = function(input_shape) self$w <- self$add_weight("w", shape = c(input_shape[2], 1), initializer = start),
    call = function(inputs) {
      with(tf$GradientTape() %as% tape, {
        tape$watch(inputs)
        y <- tf$tanh(tf$matmul(inputs, self$w))
      })
      slope <- tape$gradient(y, inputs)
      self$add_loss(3 * mean((sqrt(sum(slope^2, axis = 2)) - 1)^2))
      y
    })
  start <- function(shape, dtype) tensor(matrix(c(0.5, -0.3), 2), dtype)
  x <- some(c(7, 2))
  y <- matrix(some(7, -1, 1, k = 2))
  loss <- function(w) {
    h <- tanh(x %*% w)
    slope <- (1 - h^2) %*% t(w)
    mean((h - y)^2) + 3 * mean((sqrt(rowSums(slope^2)) - 1)^2)
  }
  model <- keras_model_sequential(input_shape = 2) |> Critic()
  compile(model, optimizer = optimizer_sgd(0.1), loss = "mse")
  history <- fit(model, x, y, epochs = 1, batch_size = 7, verbose = 0)
  expect_equal(history$metrics$loss, loss(c(0.5, -0.3)), tolerance = 1e-6)
  numeric <- vapply(1:2, function(i) {
    e <- replace(c(0, 0), i, 1e-6)
    (loss(c(0.5, -0.3) + e) - loss(c(0.5, -0.3) - e)) / 2e-6
  }, 0)
  expect_equal(c(get_weights(model)[[1]]), c(0.5, -0.3) - 0.1 * numeric, tolerance = 1e-5)
  fit(model, x, y, epochs = 100, batch_size = 3, verbose = 0) # with a smaller last batch
  expect_lt(evaluate(model, x, y, verbose = 0)[[1]], mean((tanh(x %*% c(0.5, -0.3)) - y)^2) + 2)
})

test_that("fit() solves a differential equation: u'' = -u, u(0) = 0, u'(0) = 1", {
  set.seed(4)
  Oscillation <- new_layer_class("Oscillation",
    initialize = function() {
      self$hidden <- layer_dense(units = 12, activation = "tanh")
      self$out <- layer_dense(units = 1)
    },
    call = function(inputs) {
      with(tf$GradientTape() %as% outer, {
        outer$watch(inputs)
        with(tf$GradientTape() %as% inner, {
          inner$watch(inputs)
          u <- inputs + inputs^2 * self$out(self$hidden(inputs))
        })
        slope <- inner$gradient(u, inputs)
      })
      tf$concat(list(outer$gradient(slope, inputs) + u, u), axis = 1L)
    })
  x <- matrix(seq(0, 3, length.out = 32))
  model <- keras_model_sequential(input_shape = 1) |> Oscillation()
  compile(model, optimizer = optimizer_adam(0.02), loss = function(y_true, y_pred) op_square(y_pred[, 1]))
  fit(model, x, 0 * x, epochs = 300, batch_size = 32, verbose = 0)
  expect_lt(max(abs(predict(model, x)[, 2] - sin(x))), 0.1)
})

test_that("recurrent layers in compiled functions: one program for batches of any size", {
  set.seed(6)
  table <- tensor(matrix(some(12, -1, 1), 6))
  kernel <- variable(matrix(some(2 * 9, -1, 1), 2))
  recurrent <- variable(matrix(some(3 * 9, -1, 1, k = 2), 3))
  f <- function(ids, mask) {
    with(tf$GradientTape() %as% outer, {
      with(tf$GradientTape() %as% inner, {
        inner$watch(table)
        y <- sum(op_gru(ids, kernel, recurrent, mask = mask, table = table)^2)
      })
      loss <- mean(inner$gradient(y, table)^2)
    })
    outer$gradient(loss, list(kernel, recurrent))
  }
  compiled <- autograph(f)
  for (n in c(2, 5)) {
    ids <- tensor(matrix(sample(0:5, 4 * n, TRUE), n))
    mask <- tensor(matrix(some_true(c(n, 4)), n))
    expect_silent(found <- compiled(ids, mask))
    for (k in 1:2) expect_equal(as.array(found[[k]]), as.array(f(ids, mask)[[k]]), tolerance = 1e-14)
  }
  expect_identical(length(environment(compiled)$graph$traces), 1L)
})

test_that("second derivatives in compiled functions: one program for batches of any size", {
  rows <- function(n, seed = 1) some(c(n, 6), 0.1, 0.9, k = seed)
  steps <- function(n) some(c(n, 5, 2, 3), -1, 1)
  of <- list(
    by_sum = list(rows, function(x) x / op_sum(x, -1, keepdims = TRUE)), less_mean = list(rows, function(x)
      x^3 - op_mean(x^2, 1, keepdims = TRUE)), prod = list(rows, function(x) op_prod(x, 2)),
    logsumexp = list(rows, function(x) op_logsumexp(x, 2)), row = list(rows, function(x) x^2 * (1:6 / 6)),
    from_probabilities = list(rows, function(x) op_categorical_crossentropy(op_stop_gradient(x), x^2)),
    sparse = list(rows, function(x) op_sparse_categorical_crossentropy(op_argmax(x, 2, zero_indexed = TRUE), x^2)),
    standardized = list(rows, function(x) op_standardize(x)[[1]]), attention = list(steps, function(x)
      op_attention(x, x, x, causal = TRUE)), slice = list(rows, function(x) op_slice(x^3, c(1, 2), c(-1, 3)))
  )
  for (name in names(of)) {
    f <- of[[name]][[2]]
    penalty <- function(x) {
      with(gradient_tape() %as% outer, {
        outer$watch(x)
        with(gradient_tape() %as% inner, {
          inner$watch(x)
          y <- op_sum(f(x))
        })
        slope <- op_sum(op_square(inner$gradient(y, x)))
      })
      outer$gradient(slope, x)
    }
    compiled <- autograph(penalty)
    for (n in c(4, 7, 3)) {
      x <- tensor(of[[name]][[1]](n))
      expect_equal(as.array(compiled(x)), as.array(penalty(x)), tolerance = 1e-12, label = paste(name, n))
    }
    expect_length(environment(compiled)$graph$traces, 1)
  }
})

test_that("in fit() dropout draws the same again for each derivative", {
  Same <- new_layer_class("Same", call = function(inputs, training = FALSE) {
    if (!training) return(inputs)
    with(tf$GradientTape() %as% outer, {
      outer$watch(inputs)
      with(tf$GradientTape() %as% inner, {
        inner$watch(inputs)
        y <- op_dropout(inputs, 0.5)
        z <- sum(y^2)
      })
      g <- inner$gradient(z, inputs) # 2 factor^2 x
    })
    self$add_loss(sum(abs(outer$gradient(g, inputs) * inputs^2 - 2 * y^2)))
    y
  })
  model <- keras_model_sequential(input_shape = 3) |> Same() |> layer_dense(1, kernel_initializer = "ones")
  compile(model, optimizer = optimizer_sgd(0), loss = function(y_true, y_pred) 0 * op_square(y_pred - y_true))
  history <- fit(model, matrix(some(60), 20), matrix(0, 20), epochs = 3, batch_size = 7, verbose = 0)
  expect_identical(history$metrics$loss, c(0, 0, 0))
})
