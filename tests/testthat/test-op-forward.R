# Values of every op against plain R. The cases stand in helper-op-cases.R.

#' Cases that are off by more than `tolerance`, as text.
wrong_values <- function(dtype, tolerance) {
  expected <- op_expected()
  wrong <- character()
  for (op in names(op_cases)) {
    for (k in seq_along(op_cases[[op]])) {
      case <- op_cases[[op]][[k]]
      error <- relative_error(as.array(apply_case(case, dtype)), expected[[op]][[k]], case$floor)
      if (!(error <= tolerance)) wrong <- c(wrong, sprintf("%s %s: %.2g", op, case$what, error))
    }
  }
  wrong
}

test_that("every op of the table has cases and a function that is exported", {
  expect_setequal(names(op_cases), c(op_names(), composed))
  expect_true(all(lengths(op_cases) > 0))
  inside_others <- c("sigmoid_crossentropy", "softmax_crossentropy", "sparse_softmax_crossentropy", # from_logits = TRUE
    "custom", # custom_gradient()
    "average_unpool", "transform_image_back") # derivatives of op_average_pool(), op_transform_image()
  exported <- setdiff(getNamespaceExports("nativenet"), unlist(not_yet_names))
  expect_setequal(sub("^op_", "", grep("^op_", exported, value = TRUE)),
    c(setdiff(op_names(), c(inside_others, "normalize")), composed, random_op_names(), "standardize", keras_ops))
})

test_that("every case runs the op it stands for", {
  for (op in op_names()) {
    case <- op_cases[[op]][[1]]
    tape <- gradient_tape()
    inputs <- as_inputs(case, "float64")
    lapply(inputs[case$wants], tape_watch, tape = tape)
    tape_record(tape, do.call(case$call, inputs))
    if (length(case$wants)) expect_match(capture.output(tape), paste0("= ", op, "("), fixed = TRUE, all = FALSE)
  }
})

test_that("values agree with plain R, with every instruction set", {
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      expect_identical(wrong_values("float64", 1e-12), character(), label = paste(kernels, "float64"))
      expect_identical(wrong_values("float32", 1e-5), character(), label = paste(kernels, "float32"))
    })
  }
})

test_that("values agree with plain R at random shapes and parameters", {
  set.seed(1)
  wrong <- character()
  for (op in op_names()) {
    for (i in seq_len(random_count())) {
      case <- random_case(op)
      expected <- do.call(case$reference, case$inputs)
      for (dtype in c("float64", "float32")) {
        error <- relative_error(as.array(apply_case(case, dtype)), expected, max(1, case$floor))
        if (!(error <= c(float64 = 1e-12, float32 = 2e-5)[[dtype]])) wrong <- c(wrong,
          sprintf("%s %s %s: %.2g", op, case$what, dtype, error))
      }
    }
  }
  expect_identical(wrong, character())
})

test_that("integers of both sizes, and bool where the table says so, agree with plain R", {
  whole <- function(x) if (is.double(x)) shaped(round(4 * c(x)), dims(x)) else x
  logical <- function(x) if (is.double(x)) shaped(c(x) > 0, dims(x)) else x
  wrong <- character()
  for (op in op_names()[op_part(op_names()) %in% 1:2]) {
    for (case in op_cases[[op]]) {
      numbers <- lapply(case$inputs, whole)
      expected <- do.call(case$reference, numbers)
      if (any(abs(expected) > .Machine$integer.max)) next # an error
      for (dtype in c("int32", "int64")) {
        y <- do.call(case$call, as_tensors(numbers, dtype))
        if (!op %in% c("less", "less_equal", "equal", "not_equal", "argmax", "argmin", "argsort", "cast", "shape") &&
          tensor_dtype(y) != dtype) wrong <- c(wrong, paste(op, case$what, tensor_dtype(y)))
        if (relative_error(as.array(y), expected) > 0) wrong <- c(wrong, paste(op, case$what, dtype))
      }
      if (op_part(op) < 2) next
      logicals <- lapply(case$inputs, logical)
      y <- do.call(case$call, lapply(logicals, tensor))
      if (relative_error(as.array(y), do.call(case$reference, logicals)) > 0)
        wrong <- c(wrong, paste(op, case$what, "bool"))
    }
  }
  expect_identical(wrong, character())
})

test_that("ops refuse the dtypes that the table excludes", {
  refused <- list(c("int32", "bool"), "bool", NULL, c("float64", "int32"))
  for (op in op_names()) {
    case <- op_cases[[op]][[1]]
    for (dtype in refused[[op_part(op) + 1]]) {
      if (op == "power" && dtype == "int32") next # products in its place
      inputs <- lapply(case$inputs, function(x) if (is.integer(x)) tensor(x) else op_cast(tensor(x), dtype))
      expect_error(do.call(case$call, inputs), paste0("`op_[a-z0-9_]+\\(\\)`.*", dtype),
        class = "nativenet_error_dtype")
    }
  }
})

test_that("NaN and the infinities come out as in R", {
  x <- c(NaN, Inf, -Inf, 0, 1, -1)
  functions <- list(
    list(op_negative, `-`), list(op_abs, abs), list(op_square, function(x) x^2),
    list(op_sqrt, function(x) suppressWarnings(sqrt(x))), list(op_exp, exp),
    list(op_log, function(x) suppressWarnings(log(x))), list(op_tanh, tanh), list(op_sigmoid, plogis),
    list(op_relu, function(x) pmax(x, 0)), list(function(x) op_clip(x, -1, 1), function(x)
      pmin(pmax(x, -1), 1)),
    list(op_leaky_relu, function(x) ifelse(x > 0, x, 0.2 * x)), list(op_elu, function(x) ifelse(x > 0, x, expm1(x))),
    list(op_selu, selu_reference), list(op_softplus, function(x) ifelse(x > 0, x + log1p(exp(-x)), log1p(exp(x)))),
    list(op_step, function(x) as.double(x > 0)), list(function(x) op_gelu(x, FALSE), function(x) x * pnorm(x)),
      list(op_sign, sign),
    list(op_floor, floor), list(op_ceiling, ceiling), list(op_round, round), list(op_atan, atan), list(op_sinh, sinh),
    list(op_cosh, cosh), list(op_expm1, expm1), list(op_log1p, function(x) suppressWarnings(log1p(x))),
    list(op_erf, function(x) 2 * pnorm(x * sqrt(2)) - 1), list(op_lgamma, function(x) suppressWarnings(lgamma(x))),
    list(op_digamma, function(x) c(NaN, Inf, NaN, NaN, digamma(1), NaN)),
    list(op_sin, function(x) suppressWarnings(sin(x))), list(op_cos, function(x) suppressWarnings(cos(x))),
    list(op_tan, function(x) suppressWarnings(tan(x))), list(op_asin, function(x) suppressWarnings(asin(x))),
    list(op_acos, function(x) suppressWarnings(acos(x))), list(op_prod, function(x) NaN), list(op_cumsum, cumsum),
    list(op_logsumexp, function(x) NaN)
  )
  pairs <- expand.grid(a = x, b = x)
  with_two <- list(
    list(op_add, `+`), list(op_subtract, `-`), list(op_multiply, `*`), list(op_divide, `/`), list(op_maximum, pmax),
    list(op_minimum, pmin), list(op_less, function(a, b) (a < b) %in% TRUE),
    list(op_less_equal, function(a, b) (a <= b) %in% TRUE), list(op_equal, function(a, b) (a == b) %in% TRUE),
    list(op_not_equal, function(a, b) !(a == b) %in% TRUE), list(op_floor_divide, `%/%`), list(op_floor_mod, `%%`)
  )
  for (kernels in kernel_sets()) {
    with_kernels(kernels, for (dtype in c("float32", "float64")) {
      for (f in functions) expect_lt(relative_error(c(as.array(f[[1]](tensor(x, dtype)))), f[[2]](x)), 1e-6,
        label = paste(kernels, dtype, deparse1(f[[1]])))
      for (f in with_two) {
        y <- f[[1]](tensor(pairs$a, dtype), tensor(pairs$b, dtype))
        expect_identical(relative_error(c(as.array(y)), f[[2]](pairs$a, pairs$b)), 0,
          label = paste(kernels, dtype, deparse1(f[[1]])))
      }
      powers <- pairs[pairs$a >= 0 | is.finite(pairs$b), ] # (-1)^Inf is 1 in C and NaN in R
      expect_identical(relative_error(c(as.array(op_power(tensor(powers$a, dtype), tensor(powers$b, dtype)))),
        powers$a^powers$b), 0)
    })
  }
})

test_that("NaN passes through sums, extremes, products and softmax", {
  for (n in c(3, 40)) { # below and beyond one vector
    x <- replace(some(n), 2, NaN)
    for (f in list(op_sum, op_mean, op_max, op_min)) expect_true(is.nan(as.array(f(x))))
    expect_identical(as.array(op_argmax(x)), 2L)
    expect_identical(as.array(op_argmin(x)), 2L)
    expect_true(all(is.nan(as.array(op_softmax(x)))))
    expect_true(all(is.nan(as.array(op_log_softmax(x)))))
    expect_true(is.nan(as.array(op_matmul(matrix(x, 1), matrix(some(n), n)))))
  }
})

test_that("a NaN among predictions gives a NaN loss, never a number", {
  for (n in c(3, 40)) {
    p <- replace(some(n, 0.1, 0.9), 2, NaN)
    t <- some(n, 0.1, 0.9, 2)
    losses <- list(
      squared_error = op_squared_error(t, p), absolute_error = op_absolute_error(t, p), huber = op_huber(t, p),
      logcosh = op_logcosh(t, p), kl_divergence = op_kl_divergence(t, p),
      binary = op_binary_crossentropy(t, p, reduction = "mean"), sigmoid = op_binary_crossentropy(t, p, TRUE,
        reduction = "mean"),
      categorical = op_categorical_crossentropy(t, p), not_normalized = op_categorical_crossentropy(t, p,
        normalize = FALSE),
      softmax = op_categorical_crossentropy(t, p, from_logits = TRUE),
      sparse = op_sparse_categorical_crossentropy(1L, p), sparse_softmax = op_sparse_categorical_crossentropy(1L, p,
        from_logits = TRUE)
    )
    for (name in names(losses)) expect_true(is.nan(as.array(losses[[name]])), label = name)
  }
})

test_that("large numbers do not overflow on the way", {
  expect_equal(as.array(op_softmax(c(1e4, 1e4))), array(c(0.5, 0.5)))
  expect_equal(as.array(op_log_softmax(c(-1e4, 0))), array(c(-1e4, 0)))
  expect_equal(as.array(op_softplus(c(-1e4, 1e4))), array(c(0, 1e4)))
  expect_equal(as.array(op_sigmoid(c(-1e4, 1e4))), array(c(0, 1)))
  expect_equal(as.numeric(op_binary_crossentropy(array(1, 1), array(-1e4, 1), from_logits = TRUE)), 1e4)
  expect_equal(as.array(op_sparse_categorical_crossentropy(0L, c(-1e4, 0), from_logits = TRUE)), 1e4)
})

test_that("ELU keeps its digits near 0", {
  x <- -10^-(1:12)
  expect_lt(relative_error(c(as.array(op_elu(x))), expm1(x), 0), 1e-12)
  expect_lt(relative_error(c(as.array(op_selu(x))), selu_reference(x), 0), 1e-12)
})

test_that("long float32 sums keep their digits", {
  x <- rep(0.1, 1e6)
  rounded <- as.array(tensor(0.1, "float32"))
  # pieces of 1024 are added in float32
  expect_lt(abs(as.array(op_sum(tensor(x, "float32"))) / (1e6 * rounded) - 1), 1e-5)
  expect_lt(abs(as.array(op_mean(tensor(x, "float32"))) / rounded - 1), 1e-5)
  # down the columns they are added one by one
  expect_lt(abs(as.array(op_mean(tensor(matrix(x, 1e4), "float32"), axis = 1))[1] / rounded - 1), 1e-3)
  # those of our products too: one by one they are wrong by 0.01; a library, in use with portable kernels, may do so
  was <- .Call(nativenet:::C_blas, -1L)[2]
  on.exit(.Call(nativenet:::C_blas, as.integer(was)))
  .Call(nativenet:::C_blas, 0L)
  long <- tensor(matrix(x, 1), "float32")
  for (columns in 1:2) {
    ones <- tensor(matrix(1, 1e6, columns), "float32")
    expect_lt(max(abs(as.array(op_matmul(long, ones)) / (1e6 * rounded) - 1)), 1e-4)
  }
})

test_that("cast: between all dtypes, towards zero; what no whole number stands for is refused", {
  x <- c(-2.7, -1, -0.5, 0, 0.5, 1, 2.7)
  for (from in nativenet:::dtypes) {
    given <- switch(from, bool = x > 0, int32 = , int64 = trunc(x), x)
    for (to in nativenet:::dtypes) {
      y <- op_cast(tensor(given, from), to)
      expected <- switch(to, bool = given != 0, int32 = , int64 = as.integer(given),
        as.array(tensor(as.double(given), "float32")))
      if (to == "float64" && from == "float64") expected <- given
      expect_equal(c(as.array(y)), c(expected), tolerance = 0, label = paste(from, "to", to))
      expect_identical(tensor_dtype(y), to)
    }
  }
  for (from in c("float32", "float64")) {
    for (odd in c(NaN, Inf, -Inf, 1e30, -1e30)) {
      for (to in c("int32", "int64"))
        expect_refusal(op_cast(tensor(c(1, odd), from), to), "value", "NaN or beyond the whole numbers of its dtype")
      expect_identical(c(as.array(op_cast(tensor(odd, from), "bool"))), TRUE)
    }
    ends <- c(-2^31, 2^31 - 128)
    expect_identical(c(as.array(op_cast(op_cast(tensor(ends, from), "int32"), "float64"))), ends)
    expect_identical(c(as.array(op_cast(op_cast(tensor(c(-2^63, 2^62), from), "int64"), "float64"))), c(-2^63, 2^62))
  }
  expect_identical(c(as.array(op_cast(tensor(2^31 - 0.5, "float64"), "int32"))), 2147483647L)
  for (odd in c(2^31, -2^31 - 1)) {
    expect_refusal(op_cast(tensor(odd, "int64"), "int32"), "value", "whole numbers of its dtype")
    expect_refusal(op_cast(tensor(odd, "float64"), "int32"), "value", "whole numbers of its dtype")
  }
  # a token that is no number is not token 0
  table <- layer_embedding(input_dim = 3, output_dim = 1)
  expect_refusal(table(tensor(matrix(c(1, NaN), 1), "float32")), "value", "NaN")
})

test_that("int64 numbers beyond 2^53 stay exact, in sums too", {
  big <- op_add(tensor(2^53, "int64"), tensor(1, "int64"))
  minus <- function(x) as.array(op_subtract(x, tensor(2^53, "int64")))
  expect_identical(minus(big), 1L)
  expect_identical(minus(op_sum(op_stack(list(big, tensor(0, "int64"))))), 1L)
  expect_identical(minus(op_max(op_stack(list(big, tensor(0, "int64"))))), 1L)
})

test_that("clip of integers works with ends beyond their range", {
  expect_identical(c(as.array(op_clip(1:3, -1e10, 1e10))), 1:3)
  expect_identical(c(as.array(op_clip(1:3, 2, 1e300))), c(2L, 2L, 3L))
})

test_that("whole numbers divided by zero, or beyond their dtype, are errors; floats are Inf and NaN", {
  refused <- function(expression, text) expect_error(expression, text, class = "nativenet_error_value")
  for (dtype in c("int32", "int64")) {
    low <- op_cast(if (dtype == "int32") -2^31 else -2^63, dtype)
    top <- op_subtract(-1, low)
    one <- tensor(1, dtype)
    refused(tensor(c(3, 0), dtype) %/% 0, "`%/%`: whole numbers are divided by 0")
    refused(tensor(c(3, 0), dtype) %% tensor(c(1, 0), dtype), "`%%`: whole numbers are divided by 0")
    for (f in list(function() top + one, function() low - one, function() top * 2L, function() low * -1L, function()
      -low, function() abs(low), function() low %/% -1L, function() op_square(top), function()
      op_sum(op_stack(list(top, one))), function()
      op_prod(op_stack(list(top, top))), function() op_sum(matrix(c(1, 2)) * top, 1), function()
      op_cumsum(op_stack(list(low, low)), -1), function()
      op_matmul(matrix(1, 1, 2) * top, matrix(1, 2, 1) * one))) {
      refused(f(), "beyond the whole numbers of its dtype; cast to \"int64\" or \"float64\"")
    }
    expect_true(as.array(low + top == -1L & low %% -1L == 0L & top - top == 0L & -top - 1L == low))
    f <- autograph(function(x) x + one)
    expect_identical(as.array(f(tensor(4, dtype))), 5L)
    refused(f(top), "beyond")
  }
  expect_identical(as.array(op_sum(c(.Machine$integer.max, 1L, -5L))), .Machine$integer.max - 4L)
  expect_identical(c(as.array(tensor(c(-1, 0, 1)) %/% 0)), c(-Inf, NaN, Inf))
})

test_that("what R's types cannot hold is seen: the lowest int32 is no NA, and rounding is told", {
  expect_identical(as.array(op_cast(-2^31, "int32")), -2^31)
  expect_warning(expect_identical(as.array(op_cast(2^53, "int64") + 1L), 2^53), "2\\^53",
    class = "nativenet_warning_precision")
  expect_silent(expect_identical(as.array(op_cast(2^60, "int64")), 2^60))
})

test_that("products of whole numbers stay whole, in batches and transposed", {
  a <- array(1:24, c(2, 3, 4))
  b <- array(-19:20, c(2, 4, 5))
  for (dtype in c("int32", "int64")) {
    y <- op_matmul(tensor(a, dtype), tensor(b, dtype))
    expect_identical(tensor_dtype(y), dtype)
    for (i in 1:2) expect_equal(as.array(y)[i, , ], a[i, , ] %*% b[i, , ])
    expect_equal(as.array(op_matmul(tensor(a[1, , ], dtype), tensor(a[2, , ], dtype), TRUE)),
      crossprod(a[1, , ], a[2, , ]))
    expect_equal(as.array(op_matmul(tensor(a[1, , ], dtype), tensor(a[2, , ], dtype), FALSE, TRUE)),
      tcrossprod(a[1, , ], a[2, , ]))
  }
  expect_identical(as.array(op_matmul(matrix(2^40, 1, 1) * tensor(1, "int64"),
    matrix(2^10, 1, 1) * tensor(1, "int64"))), matrix(2^50))
})

test_that("a mean of equal numbers is that number", {
  for (dtype in c("float32", "float64")) for (n in c(7, 49, 1e4 + 3))
    expect_identical(as.array(op_mean(tensor(rep(1, n), dtype))), 1)
})

test_that("whole quotients and rests are those of R for both signs and fractions", {
  pairs <- expand.grid(a = c(-7.5, -6, -0.25, 0, 0.25, 6, 7.5, 1e10), b = c(-Inf, -3, -2.5, -0.5, 0.5, 2.5, 3, Inf))
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      expect_identical(c(as.array(op_floor_divide(pairs$a, pairs$b))), pairs$a %/% pairs$b)
      expect_identical(c(as.array(op_floor_mod(pairs$a, pairs$b))) + 0, pairs$a %% pairs$b + 0)
    })
  }
  expect_identical(c(as.array(op_floor_divide(c(1, -1, 0), 0))), c(Inf, -Inf, NaN))
})

test_that("halves are rounded to the even number", {
  x <- c(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994)
  expect_identical(c(as.array(op_round(x))), round(x))
})

test_that("no derivative is off: log1p and expm1 near 0, lgamma and digamma near and at the poles", {
  tiny <- 10^-(1:15)
  expect_lt(relative_error(c(as.array(op_log1p(tiny))), log1p(tiny), 0), 1e-15)
  expect_lt(relative_error(c(as.array(op_expm1(-tiny))), expm1(-tiny), 0), 1e-15)
  x <- c(-1000.5, -3.25, -1e-3, 1e-8, 0.5, 1.4616, 9.99, 10, 1e5, 1e300)
  expect_lt(relative_error(c(as.array(op_digamma(x))), digamma(x)), 1e-13)
  expect_identical(c(as.array(op_lgamma(c(0, -1, -2)))), c(Inf, Inf, Inf))
  expect_true(all(is.nan(as.array(op_digamma(c(0, -1, -2))))))
})

test_that("logsumexp of infinite numbers is right", {
  expect_identical(as.array(op_logsumexp(c(-Inf, -Inf))), -Inf)
  expect_identical(as.array(op_logsumexp(c(Inf, 1))), Inf)
  expect_equal(as.array(op_logsumexp(c(-Inf, 1))), 1)
  expect_equal(as.array(op_logsumexp(1:2)), log(exp(1) + exp(2)))
})

test_that("constants and one-hot rows have the dtype that is asked for", {
  for (dtype in nativenet:::dtypes) {
    x <- tensor(c(1, 0), dtype)
    expect_identical(tensor_dtype(op_zeros_like(x)), dtype)
    expect_identical(tensor_dtype(op_ones_like(x)), dtype)
    expect_identical(tensor_dtype(op_one_hot(1L, 2, dtype = dtype)), dtype)
    expect_identical(tensor_dtype(op_tile(x, 2)), dtype)
    expect_identical(tensor_dtype(op_broadcast_to(x, c(2, 2))), dtype)
  }
  expect_true(all(as.array(op_zeros_like(tensor(c(NaN, Inf)))) == 0))
})

test_that("split gives all parts, under the names of the sizes", {
  x <- matrix(1:10, 2)
  parts <- nativenet:::split_axis(x, c(a = 1, b = 4), -1)
  expect_identical(lapply(parts, as.array), list(a = x[, 1, drop = FALSE], b = x[, -1]))
  expect_identical(as.array(op_concat(op_split(x, 5, axis = 2))), x)
  expect_length(op_split(x, 2, axis = 1), 2)
})

test_that("R's integers are floats to what is composed of ops of floats", {
  x <- matrix(1:6, 2)
  for (f in list(op_softsign, op_silu, op_hard_sigmoid, op_var, op_std, op_l2_normalize, function(x) op_softmax(x, 1),
    function(x) op_dropout(x, 0.5))) {
    expect_identical(tensor_dtype(f(x)), "float64")
  }
  expect_refusal(op_var(tensor(x)), "dtype")
})

test_that("unstack gives all parts, pad and repeat keep the dtype", {
  x <- matrix(1:6, 2)
  expect_identical(lapply(op_unstack(x), function(row) c(as.array(row))), list(x[1, ], x[2, ]))
  expect_length(op_unstack(x, axis = 2), 3)
  expect_identical(op_unstack(x[0, ]), list())
  expect_identical(as.array(op_pad(x, list(c(0, 1), c(0, 0)), constant_values = 7)), rbind(x, 7L))
  expect_identical(tensor_dtype(op_pad(tensor(x > 1), matrix(1, 2, 2))), "bool")
  expect_identical(as.array(op_l2_normalize(c(0, 0))), array(c(0, 0)))
})

test_that("a slice of size -1 goes on to the end", {
  x <- matrix(1:15, 3)
  expect_identical(as.array(op_slice(x, c(2, 3), c(-1, -1))), x[2:3, 3:5])
  expect_identical(as.array(op_slice(x, c(3, 1), c(-1, -1), c(-2, 2))), x[c(3, 1), c(1, 3, 5)])
  expect_identical(as.array(op_slice(x, c(1, 5), c(1, -1), c(1, -3))), x[1, c(5, 2), drop = FALSE])
  expect_identical(dim(op_slice(x[0, ], c(1, 2), c(-1, -1))), c(0L, 4L))
  expect_refusal(op_slice(x, c(1, 7), c(-1, -1)), "value", "start lies outside")
})

test_that("composed ops can be traced, and give the bits they give eagerly", {
  wrong <- character()
  for (op in composed) {
    for (case in op_cases[[op]]) {
      inputs <- unname(as_inputs(case, "float64"))
      f <- do.call(trace_program, c(list(case$call), inputs))
      if (!identical(as.array(do.call(f, inputs)), as.array(do.call(case$call, inputs))))
        wrong <- c(wrong, paste(op, case$what))
    }
  }
  expect_identical(wrong, character())
})

test_that("plain numbers take the dtype of the tensor they meet", {
  for (dtype in nativenet:::dtypes[1:4]) {
    x <- tensor(c(1, 2), dtype)
    expect_identical(tensor_dtype(op_add(x, 1)), dtype)
    expect_identical(tensor_dtype(op_add(1L, x)), dtype)
    expect_identical(tensor_dtype(op_where(c(TRUE, FALSE), x, 0)), dtype)
  }
  expect_identical(tensor_dtype(op_add(1L, 2L)), "int32")
  expect_identical(tensor_dtype(op_add(1L, 2)), "float64")
  expect_identical(tensor_dtype(op_add(TRUE, TRUE)), "int32")
  expect_identical(tensor_dtype(op_exp(1L)), "float64")
  # labels and indices are tensors of their own dtype, which says nothing about the others
  expect_equal(c(as.array(op_gather(c(0.5, 1.5), 1))), 1.5)
  expect_identical(tensor_dtype(op_gather(c(1, 2), 1)), "float64")
  expect_equal(as.array(op_sparse_categorical_crossentropy(0, c(0.5, 0.5))), log(2))
  expect_equal(as.array(op_sparse_categorical_crossentropy(1, c(0, 1), from_logits = TRUE)), log(1 + exp(-1)))
  expect_error(op_add(tensor(1:2), 0.5), "not whole", class = "nativenet_error_value")
})

test_that("errors are classed and name the op and the shapes", {
  shape <- function(code, ...) expect_refusal(code, "shape", ...)
  value <- function(code, ...) expect_refusal(code, "value", ...)
  m <- matrix(0, 2, 3)
  shape(op_add(m, 1:2), "`op_add()`", "(2, 3) and (2)")
  shape(op_matmul(m, m), "`op_matmul()`", "inner sizes differ", "(2, 3) and (2, 3)")
  shape(op_matmul(1:3, m), "two axes")
  shape(op_matmul(array(0, c(2, 1, 3)), array(0, c(3, 3, 1))), "broadcast")
  shape(op_dense(m, m), "`op_dense()`", "(2, 3) and (2, 3)")
  shape(op_dense(m, matrix(0, 3, 4), 1:3), "bias of shape (4), not (3)")
  shape(op_dense(1, m), "`op_dense()`")
  shape(op_softmax(1), "`op_softmax()`", "scalar")
  shape(op_reshape(m, c(4, -1)), "`op_reshape()`", "(2, 3)", "(4, -1)")
  shape(op_concat(list(m, t(m)), 1), "`op_concat()`", "(2, 3) and (3, 2)")
  shape(op_concat(list(m, 1:3), 1), "(2, 3) and (3)")
  shape(op_stack(list(m, t(m))), "`op_stack()`", "(2, 3) and (3, 2)")
  shape(op_squared_error(m, t(m)), "`op_squared_error()`", "same shape", "(2, 3)", "(3, 2)")
  shape(op_squared_error(1, 1), "same shape")
  shape(op_sparse_categorical_crossentropy(0:2, m), "one label per sample", "(2, 3) and (3)")
  shape(op_sparse_categorical_crossentropy(0L, 1), "axis of classes")
  shape(op_max(numeric()), "`op_max()`", "no elements")
  shape(op_argmax(m[0, ], 1), "`op_argmax()`", "no elements")
  shape(op_argmin(m[0, ], 1), "`op_argmin()`", "no elements")
  shape(op_squeeze(m, 1), "`op_squeeze()`", "size 1", "(2, 3)")
  shape(op_broadcast_to(m, 3), "`op_broadcast_to()`", "(2, 3)", "(3)")
  shape(op_broadcast_to(m, c(2, 4)), "(2, 4)")
  shape(op_split(m, 2, 2), "`op_split()`", "axis of 3", "not be 2")
  value(op_split(m, c(4, 2)), "`op_split()`", "increasing places in 1 .. 3")
  shape(op_where(c(TRUE, FALSE), 1:3, 0L), "`op_where()`", "(2) and (3)")
  value(op_stack(list(array(0, rep(1, 8)))), "at most 8 axes")
  shape(op_gather(array(0, rep(1, 8)), matrix(0L, 1, 1)), "more than 8 axes")
  shape(op_add(array(0, rep(1, 9)), 1), "at most 8")
  value(op_sum(m, axis = 3), "`op_sum()`", "1 .. 2", "not be 3")
  value(op_sum(m, axis = 0), "not be 0")
  value(op_sum(m, axis = "a"), "not be \"a\"")
  value(op_sum(m, keepdims = NA), "`op_sum()`", "TRUE or FALSE")
  value(op_argmax(m, axis = -3), "`op_argmax()`", "-1 .. -2")
  value(op_cumsum(m, axis = 3), "`op_cumsum()`", "1 .. 2")
  value(op_logsumexp(m, axis = 3), "`op_logsumexp()`", "1 .. 2")
  value(op_any(m > 0, axis = 3), "`op_any()`", "1 .. 2")
  value(op_expand_dims(m, 4), "`op_expand_dims()`", "1 .. 3")
  value(op_squeeze(m, 3), "`op_squeeze()`", "1 .. 2")
  value(op_split(m, 1.5), "`op_split()`", "1.5")
  value(op_split(m, 0), "`op_split()`", "positive")
  value(op_softmax(m, 3), "`op_softmax()`", "1 .. 2")
  value(op_log_softmax(m, 0), "`op_log_softmax()`", "not be 0")
  value(op_var(m, 3), "`op_var()`", "1 .. 2")
  value(op_l2_normalize(m, 3), "`op_l2_normalize()`", "1 .. 2")
  value(op_l2_normalize(m, epsilon = -1), "`op_l2_normalize()`", "`epsilon`")
  for (f in list(op_binary_crossentropy, op_categorical_crossentropy)) {
    value(f(m, m, epsilon = 1e300), "`epsilon` must be a number at least 0 and at most 1")
    value(f(m, m, clip = 0.5), "`clip`", "below 0.5")
  }
  value(op_elu(tensor(-1, "float32"), alpha = 1e300), "`op_elu()`", "float32 can hold, not 1e+300")
  value(op_random_normal(2, mean = 1e300), "float32 can hold")
  expect_equal(as.array(op_elu(-1, alpha = 1e300)), expm1(-1) * 1e300)
  value(op_reverse(m, 3), "`op_reverse()`", "1 .. 2")
  value(op_unstack(m, axis = 3), "`op_unstack()`", "1 .. 2")
  value(op_repeat(m, c(1, 2, 3), 1), "`op_repeat()`", "`repeats`", "or 2")
  value(op_repeat(m, -1, 1), "`op_repeat()`", "not -1")
  value(op_pad(m, c(1, 1, 1)), "`op_pad()`", "`pad_width`", "(2)")
  value(op_pad(m, matrix(-1, 2, 2)), "`op_pad()`", "`pad_width`")
  value(op_dropout(m, 1), "`op_dropout()`", "`rate`", "below 1")
  value(op_tile(m, c(1, -1)), "`op_tile()`", "`repeats`", "at least 0")
  value(op_one_hot(0L, 0), "`op_one_hot()`", "`num_classes`")
  value(op_one_hot(0.5, 2), "not whole")
  value(op_transpose(m, c(1, 1)), "`op_transpose()`", "1 .. 2")
  value(op_slice(m, 1, 1), "`op_slice()`", "`start_indices`", "(2)")
  value(op_slice(m, c(1, 1), c(2, 4)), "`op_slice()`", "(2, 3)")
  value(op_slice(m, c(0, 1), c(1, 1)), "start lies outside")
  value(op_slice(m, c(1, 1), c(1, 1), c(0, 1)), "steps must not be 0")
  value(op_slice(m, c(1, 1), c(-2, 1)), "sizes")
  value(op_reshape(m, c(-1, -1)), "one may be -1")
  value(op_reshape(m, 1.5), "`op_reshape()`", "`newshape`", "1.5")
  value(op_reshape(m, rep(1, 9)), "at most 8 axes")
  value(op_clip(m, 1, 0), "`op_clip()`", "`x_max`", "at least 1")
  value(op_dense(m, m, activation = "gelu"), "`op_dense()`", "\"gelu\"")
  value(op_concat(list()), "`op_concat()`", "`xs`")
  value(op_concat(m), "`xs`")
  value(op_cast(m, "float16"), "\"float16\"")
  value(op_add("a", 1), "numeric or logical array, not \"a\"")
  value(op_add(NULL, 1), "NULL")
  value(op_add(list(1), 1), "list")
  value(op_add(factor(1), 1))
  value(op_huber(1:2, 1:2, delta = 0), "`op_huber()`", "`delta`")
  value(op_squared_error(1:2, 1:2, reduction = "none"), "`reduction`", "\"none\"")
  value(op_gather(m, 0.5), "not whole")
  expect_refusal(op_gather(m, 2L), "index", "outside")
  expect_refusal(op_gather(m, -1L), "index")
  expect_refusal(op_gather(m[0, ], 0L), "index")
  expect_refusal(op_sparse_categorical_crossentropy(c(0L, 3L), m), "index")
  expect_refusal(op_sparse_categorical_crossentropy(c(0L, -1L), m, from_logits = TRUE), "index")
  expect_refusal(op_add(tensor(1, "float32"), tensor(1, "float64")), "dtype",
    "`op_add()`: tensors of different dtype: float32 of shape () and float64 of shape ()")
})

test_that("sizes that overflow are errors", {
  x <- c(1, 2, 3)
  nothing <- array(0, c(0, .Machine$integer.max, .Machine$integer.max))
  expect_error(op_slice(x, 1, 5, 2^62), class = "nativenet_error")
  expect_error(op_slice(x, 1, 2^62 + 1, 4), class = "nativenet_error")
  expect_error(op_slice(x, 1, 1, 1e300), class = "nativenet_error")
  expect_error(op_reshape(numeric(), c(2^32, 2^32)), class = "nativenet_error")
  expect_error(op_reshape(x, c(3, 2^32, 2^32)), class = "nativenet_error")
  expect_error(op_reshape(x, 1e300), class = "nativenet_error")
  expect_error(op_sum(nothing, axis = 1), class = "nativenet_error")
  expect_error(op_add(nothing, array(0, c(1, 1, 1))) |> op_sum(axis = 1), class = "nativenet_error")
  expect_error(op_sum(matrix(1, 1, 1), axis = rep(1, 40)), class = "nativenet_error")
})

# ---- threads ----

# Big enough for two threads (src/base/threads.c), in every way that work is shared: by rows, by columns,
# within a row.
big_calls <- function(dtype) {
  t <- function(...) tensor(some(...), dtype)
  wide <- t(c(3, 11000))
  tall <- t(c(11000, 3))
  p <- t(c(600, 10), 0.1, 0.9)
  q <- t(c(600, 10), 0.1, 0.9, 2)
  labels <- tensor(as.integer(seq_len(600) %% 10))
  square <- t(c(160, 160))
  list(
    exp = function() op_exp(wide), add = function() op_add(wide, wide), add_row = function()
    op_add(wide, t(11000, k = 2)), add_column = function() op_add(tall, t(c(11000, 1), k = 2)),
    add_narrow = function() op_multiply(tall, t(3, k = 2)), sum = function() op_sum(wide), sum_rows = function()
    op_sum(tall, 2), sum_columns = function() op_sum(wide, 1), prod = function() op_prod(wide, 1), cumsum = function()
    op_cumsum(wide, -1), cumsum_down = function()
    op_cumsum(tall, 1), floor_mod = function() op_floor_mod(wide, 3), sin = function() op_sin(wide), mean = function()
    op_mean(tall, 1), max = function() op_max(wide, 2), softmax = function() op_softmax(tall), transpose = function()
    op_transpose(tall), slice = function()
    op_slice(tall, c(11000, 1), c(11000, 3), c(-1, 1)), concat = function()
    op_concat(list(tall, tall), 2), reshape = function() op_reshape(tall, -1), gather = function()
    op_gather(tall, matrix(as.integer(seq_len(22000) %% 1100), 2)), where = function()
    op_where(some(c(3, 11000)) > 0, wide, 0), cast = function() op_cast(wide, "float32"), matmul = function()
    op_matmul(t(c(301, 203)), t(c(203, 97), k = 2)), matmul_row = function()
    op_matmul(t(c(3, 1500)), t(c(1500, 1001), k = 2)), matmul_dots = function()
    op_matmul(t(c(20, 1500)), t(c(101, 1500), k = 2), transpose_y = TRUE), matmul_batch = function()
    op_matmul(t(c(7, 65, 120)), t(c(7, 120, 41), k = 2)), matmul_itself = function()
    op_matmul(square, square), dense = function()
    op_dense(t(c(128, 200)), t(c(200, 101), k = 2), t(101, k = 3), "tanh"), softmax_loss = function()
    op_categorical_crossentropy(q, p, from_logits = TRUE), sparse = function()
    op_sparse_categorical_crossentropy(labels, p), binary = function() op_binary_crossentropy(q, p),
    squared = function() op_squared_error(q, p)
  )
}

test_that("one thread or two: the same bits", {
  # arrays are a hundredth of what two threads would share, as is the work that a thread is good for
  for (dtype in c("float32", "float64")) {
    calls <- big_calls(dtype)
    for (name in names(calls)) {
      one <- with_threads(1, as.array(calls[[name]]()), 15000)
      two <- with_threads(2, as.array(calls[[name]]()), 15000)
      expect_true(identical(one, two), label = paste(dtype, name))
    }
  }
})

test_that("sums of whole numbers may be beyond them on the way, but not in the end", {
  most <- .Machine$integer.max
  m <- rbind(c(most, most, 1L), c(5L, 1L, 2L), c(-10L, -1L, 3L))
  whole <- function(x, ...) as.array(op_sum(tensor(x), ...))
  expect_identical(c(whole(m, axis = 1)), c(most - 5L, most, 6L))
  expect_identical(c(whole(t(m), axis = 2)), c(most - 5L, most, 6L))
  expect_identical(c(whole(array(c(m, -m), c(3, 3, 2)), axis = c(1, 3))), c(0L, 0L, 0L))
  expect_error(whole(m), "beyond the whole numbers")
  expect_error(whole(m, axis = 2), "beyond the whole numbers")
  expect_error(whole(rbind(m, m), axis = 1), "beyond the whole numbers")
  expect_identical(whole(array(0L, c(0, 2)), axis = 1), array(c(0L, 0L)))
  scatter <- function(...) as.array(op_scatter_add(c(0L, 1L), c(0L, 0L, 0L), tensor(c(...))))
  expect_identical(c(scatter(most, most, -most)), c(most, 1L))
  expect_error(scatter(most, 1L, 0L), "beyond the whole numbers")
  # and sums of floats keep their digits
  many <- op_scatter_add(tensor(array(0), "float32"), rep(0L, 1e5), tensor(rep(0.1, 1e5), "float32"))
  expect_equal(c(as.array(many)), 1e4, tolerance = 1e-7)
})

test_that("products of no rows, no columns or no depth are there, of any number of rows", {
  zeros <- function(...) tensor(array(numeric(), c(...)), "float32")
  for (rows in c(0, 4, 16, 300)) {
    expect_identical(dim(op_matmul(zeros(rows, 0), zeros(0, 0))), as.integer(c(rows, 0)))
    expect_identical(as.array(op_matmul(zeros(rows, 0), zeros(0, 3))), matrix(0, rows, 3))
    expect_identical(dim(op_matmul(op_zeros(c(rows, 3)), op_zeros(c(3, 0)))), as.integer(c(rows, 0)))
  }
})

test_that("powers of whole numbers are whole numbers", {
  whole <- function(x, y) {
    expect_identical(tensor_dtype(x), "int32")
    expect_identical(as.array(x), y)
  }
  whole(op_power(tensor(2:4), 3L), array(c(8L, 27L, 64L)))
  whole(op_power(2:4, 2L), array(c(4L, 9L, 16L)))
  whole(op_power(2, tensor(0:3)), array(c(1L, 2L, 4L, 8L)))
  whole(op_power(tensor(matrix(1:4, 2)), tensor(1:2)), matrix(c(1L, 2L, 9L, 16L), 2))
  # squares that nothing asks for would be too large
  whole(op_power(tensor(c(100000L, 2L)), tensor(c(1L, 20L))), array(c(100000L, 1048576L)))
  whole(tensor(2:3)^tensor(2L), array(c(4L, 9L)))
  expect_error(op_power(tensor(2:4), -1), "`op_power()`: `exponent` must be whole numbers of at least 0", fixed = TRUE)
  expect_error(op_power(tensor(2:4), 0.5), "`exponent` must be whole numbers, not 0.5", fixed = TRUE)
  expect_error(op_power(tensor(3L), 40), "beyond the whole numbers")
  expect_error(op_power(tensor(2L), tensor(2)), class = "nativenet_error_dtype")
})
