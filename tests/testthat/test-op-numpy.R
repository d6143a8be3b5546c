# The cases stand in helper-op-keras.R.

test_that("ops of keras3 give what it gives", {
  for (op in names(keras_op_cases)) {
    cases <- eval(keras_op_cases[[op]])
    for (k in seq(1, length(cases), 2)) {
      found <- cases[[k]]
      if (is_tensor(found)) found <- as.array(found)
      expected <- cases[[k + 1]]
      if (length(dim(expected)) > 1) expect_identical(dim(found), dim(expected), label = paste(op, k))
      expect_identical(length(found), length(expected), label = paste(op, k))
      if (is.integer(expected)) expect_type(found, "integer")
      expect_equal(as.vector(found), as.vector(expected), tolerance = 2e-6, label = paste(op, k))
    }
  }
})

test_that("names that other ops of ours have mean what keras3 means", {
  x <- rbind(c(3, 1, 2), c(9, 9, 4))
  is <- function(x, y) {
    if (length(y) > 1) expect_identical(dim(x), if (is.null(dim(y))) length(y) else dim(y))
    expect_equal(as.vector(as.array(x)), as.vector(y), tolerance = 1e-6)
  }
  expect_identical(as.array(op_argmax(x)), 4L) # of all of them, row by row, from 1
  is(op_argmax(x, 2), c(1L, 1L))
  is(op_argmin(x, 2, keepdims = TRUE), matrix(c(2L, 3L)))
  is(op_argmin(x, 2, zero_indexed = TRUE), c(1L, 2L))
  is(op_argsort(c(3, 1, 2)), c(2L, 3L, 1L))
  is(op_cumsum(x), cumsum(t(x)))
  is(op_cumprod(x, 1, "int32"), rbind(c(3L, 1L, 2L), c(27L, 9L, 8L)))
  is(op_repeat(x, 2), rep(c(t(x)), each = 2))
  expect_identical(lapply(op_split(1:6, c(2, 5)), function(p) c(as.array(p))), list(1L, 2:4, 5:6))
  is(op_split(x, 2)[[2]], x[2, , drop = FALSE])
  is(op_one_hot(c(1, 3), 3), rbind(c(1, 0, 0), c(0, 0, 1)))
  is(op_one_hot(c(1, 3), 3, axis = 1), cbind(c(1, 0, 0), c(0, 0, 1)))
  is(op_one_hot(factor(c("b", "a"))), rbind(c(0, 1), c(1, 0)))
  is(op_top_k(x, 2)$indices, rbind(c(1L, 3L), 1:2))
  is(op_pad(1:2, 1, constant_values = 7L), c(7L, 1L, 2L, 7L))
  is(op_tile(1:2, c(2, 1)), rbind(1:2, 1:2))
  is(op_round(c(1.25, 12.5), 1), c(1.2, 12.5))
  is(op_max(x, initial = 10), 10)
  is(op_slice(x, c(1, 2), c(2, 1)), x[, 2, drop = FALSE])
  expect_equal(as.numeric(op_norm(x, 2)), svd(x)$d[1], tolerance = 1e-6)
  expect_equal(as.numeric(op_norm(x)), sqrt(sum(x^2)))
  parts <- op_svd(x, FALSE)
  expect_named(parts, c("u", "s", "vh"))
  expect_equal(as.array(parts$u) %*% diag(c(as.array(parts$s))) %*% as.array(parts$vh), x)
  expect_equal(as.numeric(op_trace(array(1:8 / 1, c(2, 2, 2)))[1]), 1 + 4)
  expect_equal(as.numeric(op_gelu(2)), 2 * 0.5 * (1 + tanh(sqrt(2 / pi) * (2 + 0.044715 * 8))), tolerance = 1e-6)
  expect_equal(as.numeric(op_hard_sigmoid(1)), 4 / 6, tolerance = 1e-6)
  is(op_binary_crossentropy(c(1, 0), c(0.5, 0.5)), as.array(tensor(-log(c(0.5, 0.5)))))
  wide <- array(c(1:8) / 1, c(1, 4, 2))
  expect_identical(dim(op_conv(aperm(wide, c(1, 3, 2)), array(1, c(2, 2, 3)), 2, "valid", "channels_first")), c(1L,
    3L, 2L))
  expect_identical(dim(op_lstsq(cbind(1, 1:4), c(1, 3, 5, 7))), 2L)
})

test_that("ops of keras3 take symbolic tensors, have gradients and refuse what does not fit", {
  x <- layer_input(c(4, 3))
  y <- op_concatenate(list(op_tril(x), op_roll(x, 1, 2)), 3)
  model <- keras_model(x, op_average(y, 2, weights = c(1, 2, 3, 4)))
  at <- array(rnorm(24), c(2, 4, 3))
  expected <- sapply(1:2, function(i) {
    both <- cbind(at[i, , ] * (row(at[i, , ]) >= col(at[i, , ])), at[i, c(4, 1:3), ])
    colSums(both * 1:4) / 10
  })
  expect_equal(predict(model, at, verbose = 0), t(expected), tolerance = 1e-5)
  gradient <- function(f, x) {
    x <- variable(tensor(x, "float64"))
    with(gradient_tape() %as% tape, y <- op_sum(f(x)))
    as.array(tape$gradient(y, x))
  }
  v <- c(0.3, -0.7, 0.9, 0.15)
  functions <- list(op_arcsinh, op_arctanh, op_cbrt, op_log_sigmoid, op_sparsemax, op_celu, op_squareplus, op_erfinv,
    function(x) op_arctan2(x, 0.5), function(x) op_logaddexp(x, 1), function(x) op_quantile(x, 0.4),
    function(x) op_scatter_update(c(1, 2, 3), rbind(2, 3, 3, 1), x) * c(3, 4, 5), function(x) op_segment_sum(x, c(1,
      2, 1, 2)) *
      c(2, 3), function(x) op_normalize(x) * c(1, 2, 3, 4), function(x) op_correlate(x, c(1, 3), "full")^2)
  for (k in seq_along(functions)) {
    f <- functions[[k]]
    slopes <- vapply(1:4, function(i) {
      d <- replace(numeric(4), i, 1e-5)
      (as.numeric(op_sum(f(tensor(v + d, "float64")))) - as.numeric(op_sum(f(tensor(v - d, "float64"))))) / 2e-5
    }, 0)
    expect_equal(c(gradient(f, v)), slopes, tolerance = 1e-5, label = k)
  }
  expect_refusal(op_take(1:3, 4), "index")
  expect_refusal(op_scatter(rbind(c(3, 1)), 1, c(2, 2)), "index")
  expect_refusal(op_scatter_update(matrix(0, 2, 2), rbind(1), matrix(1, 1, 3)), "shape", "`updates`", "(1, 2)")
  expect_refusal(op_slice_update(c(0, 0), 2, c(1, 1)), "shape", "does not lie within")
  # what would lose its fraction
  half <- tensor(0.5)
  expect_refusal(op_scatter_update(1:3, rbind(1), tensor(c(0.5))), "dtype", "`updates` of dtype float64", "int32")
  expect_refusal(op_slice_update(1:3, 2, tensor(c(0.5))), "dtype", "`updates` of dtype float64", "int32")
  expect_refusal(op_full_like(1:3, half), "dtype", "`fill_value` of dtype float64", "int32")
  for (f in list(function(x) op_scatter_update(1:3, rbind(1), x), function(x) op_slice_update(1:3, 2, x),
    function(x) op_full_like(1:3, x))) expect_refusal(f(0.5), "value")
  expect_refusal(op_map(3, identity), "shape", "first axis")
  expect_refusal(op_split(1:6, c(5, 2)), "value", "increasing places")
  expect_refusal(op_cross(1:4, 1:4), "shape", "two or three")
  expect_refusal(op_image_crop(array(1, c(2, 2, 1)), 1, 0, 1, 0), "shape", "nothing")
  expect_refusal(op_scan(function(a, b) a, 0, 1:3), "value", "carry")
})

test_that("what does not fit is refused where R would recycle it or go on", {
  expect_error(op_segment_max(c(1, 2, 3), 1), "`segment_ids` must be as many", fixed = TRUE)
  expect_error(op_segment_sum(c(1, 2, 3), 1), "`segment_ids` must be as many", fixed = TRUE)
  expect_error(op_scan(function(carry, x) list(carry + x, x), tensor(0), c(1, 2, 3), length = 4), "`length` must be",
    fixed = TRUE)
  expect_error(op_rfft(3), "at least 1 axis", fixed = TRUE)
  expect_error(op_switch(1, list(1)), "`branches` must be a function", fixed = TRUE)
})

test_that("angles are those of R at zeros with signs and at infinities", {
  ends <- c(-Inf, -2, -0, 0, 3, Inf)
  grid <- expand.grid(y = ends, x = ends)
  for (dtype in c("float32", "float64")) {
    expect_equal(as.vector(as.array(op_arctan2(tensor(grid$y, dtype), tensor(grid$x, dtype)))), atan2(grid$y, grid$x),
      tolerance = 1e-6)
    expect_equal(as.array(op_arctan2(tensor(matrix(ends), dtype), tensor(t(ends), dtype))), outer(ends, ends, atan2),
      tolerance = 1e-6)
  }
})

test_that("arccosh is NaN below 1 and does not overflow, heaviside of NaN is NaN", {
  x <- c(-1e30, -Inf, 0.5, 1, 1 + 1e-6, 2, 1e30, Inf, NaN)
  wanted <- suppressWarnings(acosh(replace(x, x < 1, NaN)))
  expect_equal(as.vector(as.array(op_arccosh(tensor(x, "float64")))), wanted, tolerance = 1e-12)
  expect_equal(as.vector(as.array(op_arccosh(tensor(x[-5], "float32")))), wanted[-5], tolerance = 1e-6)
  expect_identical(as.vector(as.array(op_heaviside(c(NaN, -1, 0, 2), 0.5))), c(NaN, 0, 0.5, 1))
  expect_identical(as.vector(as.array(op_heaviside(c(-1L, 0L, 2L), 7L))), c(0L, 7L, 1L))
})
