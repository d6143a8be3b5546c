# Operators, functions, `[`, `$` and conversions: what base R does with the arrays is the reference.

value <- function(x) {
  expect_s3_class(x, "nn_tensor")
  as.array(x)
}
plain <- function(x) if (is.null(dim(x)) && length(x) != 1) array(x) else x

arithmetic <- list(`+` = `+`, `-` = `-`, `*` = `*`, `/` = `/`)
comparisons <- list(`==` = `==`, `!=` = `!=`, `<` = `<`, `<=` = `<=`, `>` = `>`, `>=` = `>=`)

expect_operators <- function(operators, x, y, dtype = "float64") {
  for (name in names(operators)) {
    f <- operators[[name]]
    expected <- plain(f(x, y))
    for (result in list(f(tensor(x, dtype), tensor(y, dtype)), f(tensor(x, dtype), y), f(x, tensor(y, dtype)))) {
      expect_equal(value(result), expected, label = name, tolerance = if (dtype == "float32") 1e-6 else 1e-14)
    }
  }
}

test_that("arithmetic of equal shapes is R's", {
  for (d in list(integer(), 5, c(2, 3), c(2, 3, 4))) {
    expect_operators(arithmetic, some(d), some(d, 0.5, 3, k = 3))
    expect_operators(arithmetic, some(d), some(d, 0.5, 3, k = 3), "float32")
  }
  expect_operators(arithmetic[-4], matrix(1:6, 2), matrix(6:1, 2), "int32")
  expect_identical(value(-tensor(c(1, -2))), array(c(-1, 2)))
  x <- tensor(c(1, 2))
  expect_identical(+x, x)
})

test_that("comparisons are R's", {
  for (d in list(integer(), 5, c(2, 3))) {
    for (dtype in c("float64", "int64")) {
      x <- shaped(seq_len(prod(d)) %% 3, d)
      y <- shaped(seq_len(prod(d)) %% 2, d)
      expect_operators(comparisons, x, y, dtype)
    }
  }
  expect_identical(tensor_dtype(tensor(1) < 2), "bool")
})

test_that("a shape broadcasts as in NumPy, and a plain number meets any shape", {
  expect_identical(value(tensor(matrix(1:6, 2)) + c(10L, 20L, 30L)), matrix(1:6, 2) + rep(c(10L, 20L, 30L), each = 2))
  expect_identical(value(2 * tensor(matrix(1:6, 2))), 2L * matrix(1:6, 2))
  expect_refusal(tensor(matrix(0, 2, 3)) + c(1, 2), "shape", "(2, 3)", "(2)")
})

test_that("plain values take the tensor's dtype, on both sides", {
  for (dtype in c("float32", "float64", "int32", "int64")) {
    for (y in list(2, 2L, TRUE)) {
      expect_identical(tensor_dtype(tensor(3, dtype) * y), dtype)
      expect_identical(tensor_dtype(y - tensor(3, dtype)), dtype)
    }
  }
  expect_refusal(tensor(3L) * 0.5, "value", "not whole", "int32")
  expect_refusal(0.5 + tensor(3L), "value", "not whole", "int32")
  expect_refusal(tensor(1) + "a", "value", "`+`", "numeric or logical array, not \"a\"")
  expect_identical(value(tensor(1, "float32") * 0.1), as.array(tensor(0.1, "float32")))
})

test_that("true division of integers, and powers", {
  expect_identical(value(tensor(1:4) / 2L), array(1:4 / 2))
  expect_identical(value(1 / tensor(1:4)), array(1 / (1:4)))
  expect_identical(value(tensor(1:4) / tensor(4:1)), array(1:4 / 4:1))
  expect_identical(value(tensor(1L) / 0.5), 2)
  expect_identical(tensor_dtype(tensor(1:4) / 2L), "float64")
  expect_identical(tensor_dtype(tensor(1, "float32") / 2L), "float32")
  expect_refusal(tensor(1L) / tensor(1L, "int64"), "dtype", "int32", "int64")
  x <- some(c(2, 3), 0.5, 2)
  expect_equal(value(tensor(x)^2), x^2)
  expect_equal(value(tensor(x)^3), x^3)
  expect_equal(value(tensor(x)^0.5), x^0.5)
  expect_equal(value(2^tensor(x)), 2^x)
  expect_equal(value(tensor(x)^tensor(x)), x^x)
  for (n in 0:9) expect_identical(value(tensor(-3:3)^n), array(as.integer((-3:3)^n)))
  expect_warning(expect_identical(as.double(tensor(3, "int64")^39), 3^39), class = "nativenet_warning_precision")
  expect_refusal(tensor(2L)^-1, "value", "`^`", "exponent")
  expect_refusal(tensor(2L)^0.5, "value", "`^`", "exponent")
})

test_that("two dtypes are an error that says what to do", {
  for (f in c(arithmetic, list(`^` = `^`, `==` = `==`))) {
    expect_refusal(f(tensor(matrix(0, 2, 3)), tensor(1, "float32")), "dtype", "float64 of shape (2, 3)",
      "float32 of shape ()", "tf$cast(x, tf$float64)", "op_cast")
  }
  expect_refusal(tensor(1) * tensor(1L), "dtype", "`op_multiply()`", "float64", "int32")
  expect_refusal(tensor(1L) / tensor(1), "dtype", "`op_divide()`", "float64", "int32")
  expect_refusal(sqrt(tensor(1L)), "dtype", "`op_sqrt()`", "tf$cast()")
})

test_that("%*% multiplies matrices where R lets it", {
  skip_if(getRversion() < "4.3.0")
  x <- some(c(2, 3))
  y <- some(c(3, 4))
  expect_equal(value(tensor(x) %*% y), x %*% y)
  expect_equal(value(x %*% tensor(y)), x %*% y)
})

test_that("floor division and modulo are R's", {
  both <- list(`%/%` = `%/%`, `%%` = `%%`)
  x <- c(-7.5, -2, 0, 3, 7.25)
  for (y in c(-3, -0.5, 2)) expect_operators(both, x, rep(y, 5))
  expect_operators(both, -7:7, rep(c(-2L, 3L, 5L), 5), "int32")
})

test_that("logical operators are R's", {
  x <- c(TRUE, TRUE, FALSE, FALSE)
  y <- c(TRUE, FALSE, TRUE, FALSE)
  expect_operators(list(`&` = `&`, `|` = `|`), x, y, "bool")
  expect_identical(value(!tensor(x)), array(!x))
})

test_that("functions with an op of the same name, and those made of it", {
  x <- some(c(2, 3), 0.2, 0.9)
  for (f in list(abs, sqrt, exp, log, log2, log10, tanh)) expect_equal(value(f(tensor(x))), f(x))
  expect_equal(value(log(tensor(x), 3)), log(x, 3))
  expect_equal(value(log(tensor(x), base = 2)), log(x, 2))
  expect_equal(value(log(tensor(x), tensor(3))), log(x, 3))
  expect_identical(value(abs(tensor(-2:2))), array(abs(-2:2)))
  expect_refusal(gamma(tensor(1)), "value", "`gamma()`", "as.array()")
  expect_refusal(round(tensor(1), 2), "value", "`round()`", "digits")
  expect_refusal(cumsum(tensor(matrix(0, 2, 2))), "value", "`cumsum()`", "(2, 2)", "op_cumsum")
})

test_that("trigonometry, gamma functions, rounding and running sums are R's", {
  x <- some(c(2, 3), 0.2, 0.9)
  for (f in list(expm1, log1p, cos, sin, tan, acos, asin, atan, cosh, sinh, lgamma, digamma, cospi, sinpi, tanpi))
    expect_equal(value(f(tensor(x))), f(x))
  x <- c(-2.5, -1.5, -0.7, 0, 0.2, 0.5, 1.5, 9.9)
  for (f in list(sign, floor, ceiling, trunc, round)) expect_equal(value(f(tensor(x))), plain(f(x)))
  expect_equal(value(round(tensor(x), 0)), plain(round(x)))
  expect_equal(value(cumsum(tensor(x))), plain(cumsum(x)))
  expect_equal(value(cumsum(tensor(1:5))), plain(cumsum(1:5)))
  x <- c(1, NaN, Inf, -Inf)
  for (f in list(is.finite, is.infinite, is.nan)) expect_identical(value(f(tensor(x))), plain(f(x)))
})

test_that("sums and extremes are R's", {
  x <- some(c(2, 3, 4))
  t <- tensor(x)
  for (f in list(sum, min, max, mean)) {
    expect_equal(value(f(t)), f(x))
    for (axis in 1:3) {
      expected <- apply(x, setdiff(1:3, axis), f)
      expect_equal(value(f(t, axis = axis)), expected)
      expect_equal(value(f(t, axis = axis - 4)), expected)
      expect_identical(dim(f(t, axis = axis, keepdims = TRUE)), replace(dim(x), axis, 1L))
    }
    expect_equal(value(f(t, axis = c(1, 3))), plain(apply(x, 2, f)))
    expect_refusal(f(t, axis = 0), "value", "axis")
  }
  expect_equal(value(range(t)), array(range(x)))
  expect_equal(value(range(t, axis = 1)), array(c(apply(x, 2:3, min), apply(x, 2:3, max)), c(3, 4, 2)))
  expect_identical(value(sum(tensor(1:4), 10, tensor(5L))), 25L)
  expect_identical(value(max(tensor(1:4), 10)), 10L)
  expect_refusal(sum(t, na.rm = TRUE), "value", "`sum()`", "na.rm")
})

test_that("logicals count as integers, and means of integers are fractions", {
  b <- tensor(c(TRUE, FALSE, TRUE, TRUE))
  expect_identical(value(sum(b)), 3L)
  expect_identical(value(mean(b)), 0.75)
  expect_identical(value(mean(tensor(1:4))), 2.5)
  expect_identical(tensor_dtype(mean(tensor(1, "float32"))), "float32")
})

test_that("prod, any and all are R's", {
  x <- some(c(2, 3))
  expect_equal(value(prod(tensor(x))), prod(x))
  expect_equal(value(prod(tensor(x), axis = 1)), plain(apply(x, 2, prod)))
  b <- x > 0
  for (f in list(any, all)) {
    expect_identical(value(f(tensor(b))), f(b))
    expect_identical(value(f(tensor(b), axis = 2)), plain(apply(b, 1, f)))
    expect_identical(value(f(tensor(c(0L, 3L)))), f(c(FALSE, TRUE)))
    expect_identical(value(f(tensor(c(TRUE, TRUE)), FALSE)), f(c(TRUE, FALSE)))
  }
})

# ---- indices ----

#' An index of an axis of n as a tensor takes it, as R takes it, and whether it drops the axis.
random_index <- function(n) {
  k <- sample(n, 1)
  pieces <- list(
    list(TRUE, seq_len(n), FALSE), list(k, k, TRUE), list(as.integer(k), k, TRUE), list(-k, n + 1 - k, TRUE),
    list(sample(n, k), NULL, k == 1), list(sample(n, n + 2, replace = TRUE), NULL, FALSE),
    list(integer(), integer(), FALSE), list(rev(seq_len(n)), NULL, n == 1), list(-seq_len(n), rev(seq_len(n)), n == 1),
    list(seq_len(n) %% 2 == 1, NULL, FALSE)
  )
  piece <- pieces[[sample(length(pieces), 1)]]
  if (is.null(piece[[2]])) piece[2] <- piece[1]
  piece
}

test_that("`[` takes what R takes", {
  set.seed(1)
  wrong <- integer()
  suppressMessages(for (i in 1:400) {
    d <- sample(5, sample(4, 1), replace = TRUE)
    x <- array(seq_len(prod(d)), d)
    picked <- lapply(d, random_index)
    ours <- lapply(picked, function(p) if (isTRUE(p[[1]])) quote(expr = ) else p[[1]])
    expected <- do.call(`[`, c(list(x), lapply(picked, `[[`, 2), list(drop = FALSE)))
    keeps <- !vapply(picked, `[[`, NA, 3)
    dropped <- if (any(keeps)) array(expected, dim(expected)[keeps]) else c(expected)
    right <- identical(value(do.call(`[`, c(list(tensor(x)), ours, list(drop = FALSE)))), expected) &&
      identical(value(do.call(`[`, c(list(tensor(x)), ours))), dropped)
    if (!right) wrong <- c(wrong, i)
  })
  expect_identical(wrong, integer())
})

test_that("ranges, steps, new axes and all_dims()", {
  x <- array(1:60, c(3, 4, 5))
  t <- tensor(x)
  suppressMessages({
    expect_identical(value(t[2:-1, , ]), x[2:3, , ])
    expect_identical(value(t[-2:-1, , ]), x[2:3, , ])
    expect_identical(value(t[, , 1:-1:2]), x[, , c(1, 3, 5)])
    expect_identical(value(t[, 4:1, ]), x[, 4:1, ])
    expect_identical(value(t[, -1:1:-2, ]), x[, c(4, 2), ])
  })
  expect_identical(value(t[2:2, , ]), x[2, , , drop = FALSE])
  n <- 2
  expect_identical(value(t[(n - 1):n, , ]), x[1:2, , ])
  expect_identical(value(t[all_dims(), 1]), x[, , 1])
  expect_identical(value(t[1, all_dims()]), x[1, , ])
  expect_identical(value(t[1, all_dims(), 2]), plain(x[1, , 2]))
  expect_identical(value(t[1, 2, 3, all_dims()]), x[1, 2, 3])
  expect_identical(dim(t[NULL, , , ]), c(1L, 3L, 4L, 5L))
  expect_identical(dim(t[, NULL, 1, , NULL]), c(3L, 1L, 5L, 1L))
  expect_identical(dim(tensor(1:3)[, NULL]), c(3L, 1L))
  expect_identical(t[], t)
  expect_identical(value(tensor(5)[NULL]), array(5))
  first <- function(x, ...) x[1, ...]
  expect_identical(value(first(t, 2:3, 4)), plain(x[1, 2:3, 4]))
  k <- 4
  expect_identical(value((function() { k <- 2; first(t, 2:3, k) })()), plain(x[1, 2:3, 2]))
  expect_identical(value(t[[2, 3, 4]]), x[[2, 3, 4]])
  expect_identical(value(tensor(c(5, 6))[[2]]), 6)
})

test_that("a tensor as an index is 0-based", {
  x <- matrix(1:12, 4)
  expect_identical(value(tensor(x)[tensor(c(0L, 2L)), ]), x[c(1, 3), ])
  expect_identical(value(tensor(x)[, tensor(2L)]), plain(x[, 3]))
  expect_identical(value(tensor(x)[tensor(matrix(0:3, 2)), 2]), matrix(x[1:4, 2], 2))
  expect_identical(value(tensor(x)[tensor(c(TRUE, FALSE, FALSE, TRUE)), ]), x[c(1, 4), ])
  expect_refusal(tensor(x)[tensor(4L), ], "index", "`[`", "outside")
})

test_that("bad indices are refused with the possible ones", {
  t <- tensor(matrix(0, 2, 3))
  for (bad in list(0, 4, -4, c(1, 7))) expect_refusal(t[, bad], "index", "`[`", "axis 2", "1 to 3", "-1 to -3")
  expect_refusal(t[3:1, 1], "index", "position 3", "axis 1")
  expect_refusal(t[1, 0:2], "index", "position 0")
  for (bad in list(1.5, NA, NA_real_, "a", factor(1), list(1))) expect_refusal(t[1, bad], "index", "axis 2")
  expect_refusal(t[TRUE, ], "index", "axis 1", "2 values")
  expect_refusal(t[1, 1:3:-1], "index", "step")
  expect_refusal(t[1, 1:3:0], "index", "step")
  expect_refusal(t[1], "index", "1 index", "(2, 3)", "all_dims()")
  expect_refusal(t[1, 1, 1], "index", "3 indices", "(2, 3)")
  expect_refusal(t[all_dims(), all_dims()], "index", "once")
  expect_refusal(tensor(matrix(0, 0, 3))[1, ], "index", "empty")
  expect_refusal(t[[1:2, 1]], "index", "`[[`")
  refused <- "a tensor does not change"
  expect_refusal(t[1, 1] <- 2, "value", refused, "variable()")
  expect_refusal(t[[1, 1]] <- 2, "value", refused)
  expect_refusal(t$shape <- 2, "value", refused)
})

test_that("negative indices are explained once", {
  session <- nativenet:::session
  session$told <- character()
  x <- tensor(1:3)
  expect_message(x[-1], "from the end")
  expect_no_message(x[-1])
})

test_that("methods are recorded and traced", {
  w <- variable(matrix(c(1, 2, 3, 4), 2))
  tape <- gradient_tape()
  loss <- tape_record(tape, sum(w[2, ]^2 / 2) + mean(t(w)[c(1, 1), 1]))
  expect_equal(as.array(tape_gradient(tape, loss, w)), matrix(c(1, 2, 0, 4), 2))
  f <- trace_program(function(x) x[, 2:3] * 2 + x[NULL, , 1][1, ], matrix(0, 2, 3))
  x <- matrix(1:6 / 2, 2)
  expect_identical(as.array(f(x)), x[, 2:3] * 2 + rep(x[, 1], each = 2))
})

# ---- shape and conversion ----

test_that("shape functions are R's", {
  x <- some(c(2, 3, 4))
  t <- tensor(x)
  expect_identical(c(nrow(t), ncol(t)), 2:3)
  expect_identical(seq_along(t), 1:24)
  expect_identical(value(aperm(t, c(3, 1, 2))), aperm(x, c(3, 1, 2)))
  expect_identical(value(aperm(t)), aperm(x))
  m <- matrix(1:6, 2)
  expect_identical(value(t(tensor(m))), t(m))
  expect_identical(value(t(tensor(1:3))), t(1:3))
  expect_refusal(t(tensor(x)), "shape", "`t()`", "3 axes", "aperm()")
})

test_that("c() makes a plain list", {
  a <- tensor(1)
  b <- variable(2)
  expect_identical(c(a, b), list(a, b))
  expect_identical(c(c(a, b), c(b)), list(a, b, b))
  expect_identical(typeof(c(b, b)), "list")
})

test_that("cbind() and rbind() are R's", {
  m <- matrix(1:6, 2)
  n <- matrix(7:10, 2)
  expect_identical(value(cbind(tensor(m), n)), cbind(m, n))
  expect_identical(value(cbind(m, tensor(n))), cbind(m, n))
  expect_identical(value(cbind(1, tensor(m), c(8, 9))), cbind(1L, m, 8:9))
  expect_identical(value(rbind(variable(m), 7:9, 0)), rbind(m, 7:9, 0L))
  expect_identical(value(rbind(tensor(m), tensor(7:9))), rbind(m, 7:9))
  expect_identical(value(cbind(tensor(1:2), tensor(3:4), NULL)), cbind(1:2, 3:4))
  expect_refusal(cbind(tensor(m), tensor(array(0L, c(1, 1, 1)))), "shape", "`cbind()`", "(1, 1, 1)")
})

test_that("conversions are R's", {
  x <- matrix(c(0, 1.5, -2.25, 3), 2)
  t <- tensor(x)
  expect_identical(as.vector(t), as.vector(x))
  expect_identical(as.vector(t, "character"), as.vector(x, "character"))
  expect_identical(as.numeric(t), as.numeric(x))
  expect_identical(as.integer(t), as.integer(x))
  expect_identical(as.logical(t), as.logical(x))
  expect_identical(as.character(t), as.character(x))
  expect_identical(as.matrix(t), x)
  expect_identical(summary(t), summary(as.vector(x)))
  expect_true(all.equal(t, x))
  expect_true(all.equal(t, tensor(x + 1e-12)))
  expect_true(all.equal(tensor(c(1, 2)), c(1, 2)))
  expect_true(all.equal(tensor(1), 1))
  expect_type(all.equal(t, x + 1), "character")
})

# ---- members ----

test_that("members of tensors", {
  x <- tensor(matrix(1:6, 2), "float32")
  expect_identical(x$numpy(), as.array(x))
  expect_identical(x[["numpy"]](), as.array(x))
  expect_identical(x$ndim, 2L)
  expect_identical(x$device, "CPU")
  expect_refusal(x$shpe, "value", "$shpe", "did you mean `shape`?")
  expect_refusal(x$wrong_altogether, "value", "`shape`, `dtype`")
  for (name in c("assign", "assign_add", "name", "trainable", "value")) expect_refusal(x[[name]], "value",
    paste0("$", name), "variable()")
  expect_identical(.DollarNames(x, "^s"), c("shape", "set_shape"))
  expect_true(all(c("assign", "shape") %in% .DollarNames(variable(1), "")))
})

test_that("shapes", {
  s <- tensor(matrix(0, 784, 64))$shape
  expect_output(print(s), "^TensorShape\\(\\[784, 64\\]\\)$")
  expect_identical(s$as_list(), c(784L, 64L))
  expect_identical(s[[2]], 64L)
  expect_identical(length(s), 2L)
  expect_identical(as.integer(s), c(784L, 64L))
  expect_identical(s$rank, 2L)
  expect_identical(s$num_elements(), 784L * 64L)
  expect_output(print(tensor(1)$shape), "TensorShape([])", fixed = TRUE)
  expect_identical(format(nativenet:::nn_shape(c(NA, 3))), "TensorShape([None, 3])")
  expect_identical(dim(op_reshape(tensor(1:6), tensor(matrix(0, 2, 3))$shape)), 2:3)
  expect_refusal(s$as_lst, "value", "as_list")
  expect_identical(tensor(matrix(0, 2, 3))$get_shape()$as_list(), 2:3)
})

test_that("dtypes are objects that stand wherever their names do", {
  d <- tensor(1, "float32")$dtype
  expect_output(print(d), "^tf.float32$")
  expect_identical(format(d), "tf.float32")
  expect_identical(as.character(d), "float32")
  expect_identical(d$name, "float32")
  expect_true(d$is_floating)
  expect_false(d$is_integer)
  expect_identical(d == "float32", TRUE)
  expect_identical("float64" == d, FALSE)
  expect_identical(d == variable(2, "float32")$dtype, TRUE)
  expect_identical(d != tensor(1)$dtype, TRUE)
  expect_identical(tensor_dtype(tensor(1, d)), "float32")
  expect_identical(tensor_dtype(tensor(tensor(1), d)), "float32")
  expect_identical(tensor_dtype(op_cast(1, d)), "float32")
  expect_identical(tensor_dtype(variable(1, d)), "float32")
  network <- build_dense_neural_network(2, list(1, sigmoid()), binary_crossentropy(), gradient_descent_optimizer(),
    dtype = d)
  expect_length(network$predict(matrix(0, 3, 2)), 3)
  expect_refusal(d$nme, "value", "name")
})

# ---- variables ----

test_that("variables change in place and give themselves back", {
  v <- variable(c(1, 2), "float32", name = "W1")
  alias <- v
  expect_identical(class(v), c("nn_variable", "nn_tensor", "tensorflow.tensor"))
  expect_identical(v$name, "W1:0")
  expect_identical(variable(1)$name, "Variable:0")
  expect_true(v$trainable)
  expect_false(variable(1, trainable = FALSE)$trainable)
  before <- v$value()
  expect_false(nativenet:::is_variable(before))
  expect_invisible(v$assign(c(3, 4)))
  expect_identical(v$assign_add(1L), v)
  v$assign_sub(tensor(c(0.5, 0.5), "float32"))
  expect_identical(value(alias), array(c(3.5, 4.5)))
  expect_identical(c(v$name, v$read_value()$numpy()), c("W1:0", "3.5", "4.5"))
  expect_identical(value(before), array(c(1, 2)))
  expect_refusal(v$assign(tensor(1)), "dtype", "tf$cast(x, tf$float32)")
  expect_refusal(v$assign(1:3), "shape", "(2)", "(3)")
  expect_refusal(v$assign_add(tensor(c(1, 1))), "dtype")
  expect_refusal(variable_assign(tensor(1), 2), "value", "`variable()`")
  expect_refusal(variable(1, name = 2), "value", "`variable()`", "`name`")
  expect_false(nativenet:::is_variable(v + 1))
})

test_that("assignments leave nothing on a tape, values do", {
  v <- variable(3)
  tape <- gradient_tape()
  y <- tape_record(tape, {
    v$assign_add(1)
    v$value()^2
  })
  expect_identical(as.array(tape_gradient(tape, y, v)), 8)
})

test_that("names are saved", {
  path <- tempfile(fileext = ".rds")
  v <- variable(matrix(1:4 / 2, 2), name = "b", trainable = FALSE)
  saveRDS(list(v, v$value()), path)
  w <- readRDS(path)
  expect_identical(w[[1]]$name, "b:0")
  expect_false(w[[1]]$trainable)
  expect_identical(value(w[[1]]), value(v))
  expect_identical(value(w[[2]]), value(v))
  w[[1]]$assign_add(1)
  expect_identical(value(w[[1]]), value(v) + 1)
  expect_identical(w[[1]]$name, "b:0")
})

test_that("a mask of all axes takes elements row by row, one of the first axes slices, as tf$boolean_mask()", {
  m <- matrix(c(1, -2, 3, 4, -5, 6), 2)
  t <- tensor(m)
  expect_identical(as.array(t[t > 0]), array(c(1, 3, 4, 6)))
  expect_identical(as.array(t[m > 0]), as.array(t[t > 0]))
  expect_identical(as.array(tf$boolean_mask(t, c(FALSE, TRUE))), m[2, , drop = FALSE])
  expect_identical(as.array(tf$boolean_mask(t, t > 3)), array(c(4, 6)))
  expect_identical(dim(t[t > 10]), 0L)
  expect_identical(as.array(sort(tensor(c(2, -1, 3)))), array(c(-1, 2, 3)))
  expect_identical(order(tensor(c(2, -1, 3)), decreasing = TRUE), c(3L, 1L, 2L))
  expect_error(sort(t), "`sort()`: a tensor of one axis is sorted", fixed = TRUE)
  expect_error(tf$boolean_mask(t, c(TRUE, FALSE, TRUE)), "the mask of shape (3) does not fit a tensor of shape (2, 3)",
    fixed = TRUE)
  expect_error(tf$boolean_mask(t, 1:2), "must be a logical array", fixed = TRUE)
  f <- autograph(function(x) sum(x[x > 0]))
  expect_message(r <- f(t), "how many elements of a tensor a mask chooses", fixed = TRUE)
  expect_equal(as.array(r), 14)
  w <- variable(m)
  tape <- gradient_tape()
  loss <- tape_record(tape, sum(w[w > 0]^2))
  expect_equal(as.array(tape_gradient(tape, loss, w)), 2 * m * (m > 0))
})

test_that("where tensors, layers and symbolic tensors meet in an operator, it is a layer or an error says why not", {
  x <- tensor(c(1, 2), "float32")
  dense <- layer_dense(units = 1)
  input <- layer_input(2)
  for (f in list(`+`, `-`, `*`, `/`, `^`, `%/%`, `%%`, `<`, `>=`, `==`, `!=`)) {
    for (y in list(x, 2, 2L, input)) {
      expect_refusal(f(y, dense), c("value", "traced"))
      expect_refusal(f(dense, y), c("value", "traced"))
      expect_identical(dim(f(y, input)), c(NA, 2L))
      expect_identical(dim(f(input, y)), c(NA, 2L))
    }
  }
  expect_refusal(dense < x, "value", "`<`: there is no arithmetic with a Dense layer")
  expect_refusal(!dense, "value")
})

test_that("conversions refuse a mode that they have not, and nothing but a tensor is equal to one", {
  x <- tensor(c(1, 2))
  expect_refusal(as.vector(x, "nonsense"), "value", "`mode`")
  expect_identical(as.vector(x, "list"), list(1, 2))
  for (other in list(NULL, globalenv(), quote(f(x)))) expect_match(all.equal(x, other), "target is a tensor")
})

test_that("tensors, symbolic tensors and layers refuse what they meet in an operator in our words, on either side", {
  skip_if(getRversion() < "4.3.0", "R itself refuses two classes")
  for (x in list(tensor(1:2), layer_input(2), layer_dense(units = 1))) {
    for (odd in list(data.frame(a = 1:2), as.Date("2026-01-01"), factor("a"))) {
      for (f in list(`*`, `+`, `^`, `==`)) {
        expect_error(f(x, odd), class = "nativenet_error")
        expect_error(f(odd, x), class = "nativenet_error")
      }
    }
  }
})

test_that("methods that the package tensorflow has: parts of complex numbers, rep(), as.raster()", {
  x <- tensor(c(-2, 0, 3))
  expect_identical(as.array(Re(x)), as.array(x))
  expect_identical(as.array(Conj(x)), as.array(x))
  expect_identical(as.array(Im(x)), array(c(0, 0, 0)))
  expect_identical(as.array(Mod(x)), array(c(2, 0, 3)))
  expect_equal(as.array(Arg(x)), array(Arg(c(-2, 0, 3))))
  expect_equal(as.array(Arg(tensor(c(-2L, 3L)))), array(c(pi, 0)))
  expect_identical(as.array(rep(x, 2)), array(rep(c(-2, 0, 3), 2)))
  expect_identical(as.array(rep(tensor(5), 3)), array(c(5, 5, 5)))
  expect_refusal(rep(tensor(matrix(1, 2, 2)), 2), "shape", "op_tile")
  expect_identical(as.raster(tensor(array(c(0, 1), c(1, 2, 1)))), as.raster(matrix(c(0, 1), 1)))
  expect_identical(as.raster(tensor(matrix(c(0L, 255L), 1))), as.raster(matrix(c(0, 1), 1)))
  input <- layer_input(3)
  expect_equal(predict(keras_model(input, Mod(input)), matrix(c(-1, 2, -3), 1)), matrix(c(1, 2, 3), 1))
  expect_match(format(keras_model_sequential(input_shape = 2) |> layer_dense(1)), "dense.*\n")
})

test_that("anyNA() finds NaN", {
  expect_true(anyNA(tensor(c(1, NaN))))
  expect_false(anyNA(tensor(c(1, 2))))
  expect_false(anyNA(tensor(1:3)))
  expect_true(anyNA(tensor(matrix(c(1, NaN), 1), "float32")))
})

test_that("R's functions of vectors are right for tensors, or refused", {
  x <- tensor(c(3L, -4L, 3L, 0L))
  expect_identical(as.array(unique(x)), array(c(3L, -4L, 0L)))
  expect_identical(duplicated(x), c(FALSE, FALSE, TRUE, FALSE))
  expect_identical(anyDuplicated(x), 3L)
  expect_identical(anyDuplicated(unique(x)), 0L)
  expect_equal(as.array(median(tensor(c(3, -4, 3, 0)))), median(c(3, -4, 3, 0)))
  expect_identical(as.array(rep(x, each = 2)), array(rep(c(3L, -4L, 3L, 0L), each = 2)))
  expect_identical(as.array(rep(x, length.out = 5)), array(rep(c(3L, -4L, 3L, 0L), length.out = 5)))
  expect_identical(as.array(rep_len(x, 6)), array(rep_len(c(3L, -4L, 3L, 0L), 6)))
  expect_identical(as.array(rep(x, times = 0:3)), array(rep(c(3L, -4L, 3L, 0L), times = 0:3)))
  expect_refusal(rep(x, times = 1:2), "value", "`times`")
  expect_identical(as.data.frame(tensor(matrix(1:4, 2))), as.data.frame(matrix(1:4, 2)))
  expect_refusal(unique(tensor(matrix(1:4, 2))), "shape", "`unique()`", "one axis")
  expect_refusal(mean(x, na.rm = TRUE), "value", "`na.rm` must be FALSE")
  expect_refusal(mean(x, 1), "value", "`mean()`")
  expect_refusal(mean(x, trim = 0.1), "value", "`trim`")
  expect_refusal(median(x, na.rm = TRUE), "value", "`na.rm`")
  for (f in list(na.omit, quantile, diff, function(x) cut(x, 3))) expect_refusal(f(x), "value", "as.array()")
  for (f in list(`dim<-`, `length<-`)) expect_refusal(f(x, 2), "value", "does not change")
  expect_refusal(`names<-`(x, letters[1:4]), "value", "no names")
})

test_that("what is no picture is refused by as.raster()", {
  expect_refusal(as.raster(tensor(1:3)), "shape", "`as.raster()`")
  expect_refusal(as.raster(tensor(array(0, c(2, 2, 2)))), "shape", "channels")
  expect_refusal(as.raster(tensor(matrix(2))), "value", "0 .. 1, not be 2")
  expect_refusal(as.raster(tensor(matrix(NaN))), "value", "NaN")
  expect_identical(as.raster(tensor(matrix(2)), max = 4), as.raster(matrix(0.5)))
})

test_that("shapes are compared as a whole, and are numbers beside numbers", {
  x <- tensor(matrix(0, 2, 3))
  expect_true(x$shape == shape(2, 3))
  expect_false(x$shape == shape(2, 4))
  expect_true(x$shape != shape(2))
  expect_true(shape(NULL, 3) == shape(NULL, 3))
  expect_identical(x$shape == 2:3, c(TRUE, TRUE))
  expect_identical(x$shape != c(2L, 4L), c(FALSE, TRUE))
  expect_identical(as.vector(x$shape * 0.5), c(1, 1.5))
  expect_identical(shape(NULL, 3)$as_list(), list(NULL, 3L))
  expect_identical(shape()$as_list(), list())
  expect_true(shape(shape(NULL, 3)$as_list()) == shape(NULL, 3))
  expect_true(shape(NULL, 3) == list(NULL, 3))
  for (sizes in list(tf$shape(x), op_shape(x))) {
    expect_identical(as.vector(as.array(tensor(c(2L, 3L)) == x$shape)), c(TRUE, TRUE))
    expect_identical(as.vector(as.array(x$shape != tensor(c(2L, 4L)))), c(FALSE, TRUE))
  }
  expect_identical(as.array(tf$constant(2L) * shape(3, 4)), array(c(6L, 8L)))
  expect_identical(as.array(tensor(c(1L, 1L)) + shape(3, 4)), array(c(4L, 5L)))
  expect_true(x$dtype[["is_floating"]])
})

test_that("as_tensor() takes lists, to_categorical() tensors, tf_map() the name of a function", {
  expect_identical(as.array(as_tensor(list(1L, 3L))), array(c(1L, 3L)))
  expect_identical(dim(as_tensor(list(list(1, 2), list(3, 4), list(5, 6)))), c(3L, 2L))
  expect_identical(dim(as_tensor(list(), dtype = "int32")), 0L)
  expect_identical(tf$constant(list())$dtype$name, "float32")
  expect_identical(as.array(tf$concat(list(as_tensor(list(), "int32"), as_tensor(1:2)), 0L)), array(1:2))
  expect_identical(to_categorical(tensor(c(0L, 2L)), 3), rbind(c(1, 0, 0), c(0, 0, 1)))
  twice <- function(x) 2L * x
  expect_identical(as.array(tf_map(as_tensor(1:3), "twice")), array(c(2L, 4L, 6L)))
  expect_error(tf_map(as_tensor(1:3), "nothing_of_this_name"), "must be a function", class = "nativenet_error_value")
})

test_that("determinants of tensors are R's", {
  expect_equal(det(tensor(diag(3) * 2)), 8)
  skip_if(getRversion() < "4.4.0")
  x <- matrix(c(1, 2, 3, 4, 5, 6), 2)
  expect_equal(as.array(crossprod(tensor(x))), crossprod(x))
  expect_equal(as.array(tcrossprod(x, tensor(x))), tcrossprod(x))
})
