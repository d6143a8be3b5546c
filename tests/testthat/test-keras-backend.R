# Keras' backend names: values against base R, axes counted from 1, dtypes, errors, in traced functions, gradients.

m <- matrix(c(1, -2, 3, -4, 5, -6), 2)
a <- some(c(2, 3, 4))
value <- function(x) as.array(x)
flat <- function(x) c(as.array(x))
with_default <- function(set, get, new, code) {
  old <- get()
  on.exit(set(old))
  set(new)
  code
}

test_that("constants, variables and random numbers have the type of k_floatx()", {
  expect_identical(k_floatx(), "float32")
  expect_identical(k_epsilon(), 1e-7)
  expect_identical(value(k_constant(1:6, shape = c(2, 3))), matrix(c(1, 4, 2, 5, 3, 6), 2))
  expect_identical(value(k_constant(7, shape = list(2, 1))), matrix(7, 2, 1))
  expect_identical(value(k_constant(1:6, shape = list(3L, -1))), t(matrix(1:6 + 0, 2)))
  expect_identical(k_dtype(k_constant(1L)), "float32")
  expect_identical(k_dtype(k_constant(1, "int32")), "int32")
  expect_identical(value(k_zeros(c(2, 3))), matrix(0, 2, 3))
  expect_identical(value(k_ones(list(2, 3), "float64")), matrix(1, 2, 3))
  expect_identical(value(k_eye(3)), diag(3))
  expect_identical(value(k_zeros_like(m)), 0 * m)
  expect_identical(k_dtype(k_ones_like(m, "int32")), "int32")
  expect_identical(value(k_identity(m)), m)
  for (x in list(k_zeros(2), k_ones(2), k_eye(2), k_variable(2, name = "v"))) expect_s3_class(x, "nn_variable")
  expect_identical(k_variable(2, name = "v")$name, "v:0")
  made <- list(k_constant(1), k_variable(1), k_zeros(1), k_eye(1), k_random_normal(2), k_random_uniform(2),
    k_truncated_normal(2), k_random_binomial(2), k_one_hot(0, 2))
  expect_identical(vapply(made, k_dtype, ""), rep("float32", length(made)))
  with_default(k_set_floatx, k_floatx, "float64", {
    expect_identical(k_dtype(k_constant(1)), "float64")
    expect_identical(k_dtype(k_random_uniform(list(2, k_constant(3)))), "float64")
    expect_identical(k_dtype(k_mean(1:3)), "float64")
  })
})

test_that("random numbers: shapes, seeds, probabilities", {
  expect_identical(dim(k_random_normal(list(2, 3))), 2:3)
  expect_identical(dim(k_random_normal(c(k_shape(m)[[1]], 5))), c(2L, 5L))
  set.seed(1)
  before <- .Random.seed
  expect_identical(value(k_random_normal(3, seed = 5)), value(k_random_normal(3, seed = 5)))
  expect_identical(value(k_dropout(rep(1, 9), 0.5, seed = 5)), value(k_dropout(rep(1, 9), 0.5, seed = 5)))
  expect_identical(.Random.seed, before)
  expect_equal(mean(value(k_random_binomial(20000, 0.3))), 0.3, tolerance = 0.05)
  expect_true(all(value(k_random_binomial(100, 1)) == 1), all(value(k_random_binomial(100, 0)) == 0))
  expect_true(all(abs(value(k_truncated_normal(1000, 1, 2)) - 1) <= 4))
})

test_that("variables are changed in place", {
  v <- k_variable(c(1, 2))
  expect_invisible(k_update_add(v, c(1, 1)))
  k_update_sub(v, 3)
  expect_identical(flat(v), c(-1, 0))
  k_set_value(v, c(5, 6))
  expect_identical(k_get_value(v), array(c(5, 6)))
  expect_identical(k_eval(k_update(v, k_constant(c(7, 8)))), array(c(7, 8)))
  expect_identical(k_get_value(3), 3)
  expect_refusal(k_update(k_constant(1), 2), "value", "only a variable")
  expect_refusal(k_set_value(1, 2), "value", "`k_set_value()`", "tensor")
})

test_that("shapes and types of tensors and arrays", {
  expect_identical(k_int_shape(k_constant(m)), list(2L, 3L))
  expect_identical(as.vector(k_shape(a)), c(2L, 3L, 4L))
  expect_identical(k_ndim(k_constant(1)), 0L)
  expect_identical(k_ndim(a), 3L)
  expect_identical(k_dtype(1:3), "int32")
  expect_identical(k_dtype(k_cast(m, "bool")), "bool")
  expect_null(k_clear_session())
})

test_that("shape functions, with axes counted from 1", {
  expect_identical(flat(k_flatten(m)), c(t(m)))
  expect_identical(value(k_batch_flatten(a)), t(apply(a, 1, function(x) c(t(x)))))
  expect_identical(value(k_reshape(m, list(3, -1))), matrix(c(t(m)), 3, byrow = TRUE))
  expect_identical(value(k_permute_dimensions(a, c(3, 1, 2))), aperm(a, c(3, 1, 2)))
  expect_identical(value(k_transpose(m)), t(m))
  expect_identical(dim(k_expand_dims(m)), c(2L, 3L, 1L))
  expect_identical(dim(k_expand_dims(m, 1)), c(1L, 2L, 3L))
  expect_identical(dim(k_squeeze(array(0, c(2, 1, 3)), 2)), 2:3)
  expect_identical(value(k_concatenate(list(m, m))), cbind(m, m))
  expect_identical(value(k_concatenate(list(m, m), axis = 1)), rbind(m, m))
  expect_identical(dim(k_stack(list(m, m))), c(2L, 2L, 3L))
  expect_identical(dim(k_stack(list(m, m), axis = -1)), c(2L, 3L, 2L))
  expect_identical(value(k_repeat_elements(m, 2, axis = 2)), m[, c(1, 1, 2, 2, 3, 3)])
  expect_identical(value(k_tile(m, c(2, 1))), rbind(m, m))
  expect_identical(value(k_reverse(m, 2)), m[, 3:1])
  expect_identical(value(k_gather(m, c(1, 0))), m[2:1, ])
  expect_identical(value(k_one_hot(c(2, 0), 3)), rbind(c(0, 0, 1), c(1, 0, 0)))
})

test_that("reductions against base R", {
  over <- list(k_sum = sum, k_mean = mean, k_max = max, k_min = min, k_prod = prod, k_var = variance_of,
    k_std = function(v) sqrt(variance_of(v)), k_logsumexp = log_sum_exp)
  for (name in names(over)) {
    f <- get(name)
    expect_equal(value(f(m)), over[[name]](m), info = name)
    expect_equal(flat(f(m, axis = 1)), apply(m, 2, over[[name]]), info = name)
    expect_equal(flat(f(m, axis = -1)), apply(m, 1, over[[name]]), info = name)
    expect_identical(dim(f(m, axis = 2, keepdims = TRUE)), c(2L, 1L), info = name)
    expect_equal(flat(f(a, axis = c(1, 3))), apply(a, 2, over[[name]]), info = name)
  }
  expect_identical(flat(k_any(m > 4, axis = 1)), c(FALSE, FALSE, TRUE))
  expect_identical(value(k_all(c(1, 0))), FALSE)
  expect_identical(flat(k_argmax(m)), c(2L, 0L))
  expect_identical(flat(k_argmin(m, axis = 1)), c(1L, 1L, 1L))
  expect_identical(k_dtype(k_argmax(m)), "int64")
  expect_equal(value(k_cumsum(m)), apply(m, 2, cumsum))
  expect_equal(value(k_cumsum(m, 2)), t(apply(m, 1, cumsum)))
  expect_equal(value(k_mean(k_equal(k_argmax(m), c(2, 1)))), 0.5)
  expect_equal(value(k_var(c(1L, 3L))), 1)
})

test_that("functions element by element against base R", {
  of_one <- list(k_abs = abs, k_square = function(x) x^2, k_exp = exp, k_sign = sign, k_round = round, k_sin = sin,
    k_cos = cos, k_sigmoid = plogis, k_tanh = tanh, k_softplus = function(x) log1p(exp(x)), k_softsign = function(x)
    x / (1 + abs(x)), k_elu = function(x)
    ifelse(x > 0, x, expm1(x)), k_hard_sigmoid = function(x) pmin(pmax(0.2 * x + 0.5, 0), 1))
  for (name in names(of_one)) expect_equal(value(get(name)(a)), of_one[[name]](a), info = name)
  expect_equal(value(k_sqrt(m^2)), abs(m))
  expect_equal(value(k_log(m^2)), log(m^2))
  expect_equal(value(k_pow(m, 3)), m^3)
  expect_identical(value(k_pow(tensor(1:3), 2)), array(c(1L, 4L, 9L)))
  expect_identical(value(k_clip(m, -1, 2)), pmin(pmax(m, -1), 2))
  expect_identical(value(k_clip(m, -1)), pmax(m, -1))
  expect_identical(value(k_clip(m, NULL, c(1, 2, 3))), pmin(m, rep(1:3, each = 2)))
  of_two <- list(k_maximum = pmax, k_minimum = pmin, k_equal = `==`, k_not_equal = `!=`, k_greater = `>`,
    k_greater_equal = `>=`, k_less = `<`, k_less_equal = `<=`)
  for (name in names(of_two)) expect_identical(value(get(name)(m, 1)), array(of_two[[name]](m, 1), dim(m)), info = name)
  expect_equal(value(k_softmax(m, axis = 1)), apply(m, 2, softmax_of))
  expect_equal(value(k_softmax(m)), t(apply(m, 1, softmax_of)))
  expect_equal(value(k_l2_normalize(m, 1)), apply(m, 2, function(v) v / sqrt(sum(v^2))))
  expect_equal(value(k_elu(-1, alpha = 2)), 2 * expm1(-1))
})

test_that("relu with slope, ceiling and threshold", {
  x <- c(-2, -1, 0, 0.5, 1, 2, 7)
  expect_identical(flat(k_relu(x)), pmax(x, 0))
  expect_equal(flat(k_relu(x, alpha = 0.1)), ifelse(x > 0, x, 0.1 * x))
  expect_identical(flat(k_relu(x, max_value = 2)), pmin(pmax(x, 0), 2))
  expect_identical(flat(k_relu(x, threshold = 1)), ifelse(x > 1, x, 0))
  expect_equal(flat(k_relu(x, alpha = 0.1, max_value = 2, threshold = 1)), pmin(ifelse(x > 1, x, 0.1 * (x - 1)), 2),
    tolerance = 1e-6)
  expect_refusal(k_relu(x, alpha = "a"), "value", "`alpha`")
})

test_that("switch chooses by elements, by rows, or one of two functions", {
  expect_identical(value(k_switch(m > 0, m, -1)), ifelse(m > 0, m, -1))
  expect_identical(value(k_switch(c(TRUE, FALSE), m, 0 * m)), rbind(m[1, ], 0))
  expect_identical(value(k_switch(TRUE, m, 0)), m)
  calls <- 0
  count <- function() {
    calls <<- calls + 1
    2
  }
  expect_identical(k_switch(k_constant(1) > 2, count, function() 3), 3)
  expect_identical(calls, 0)
  expect_identical(value(k_switch(c(TRUE, FALSE), count, function() 3)), array(c(2, 3)))
})

test_that("products of matrices, arrays and batches", {
  b <- some(c(4, 2), k = 2)
  expect_equal(value(k_dot(m, t(m))), m %*% t(m))
  expect_equal(value(k_dot(a, b)), array(matrix(a, 6) %*% b, c(2, 3, 2)))
  y <- some(c(2, 3, 2), k = 3)
  by_slice <- function(x, y) apply(y, c(1, 3), function(v) x %*% v)
  expect_equal(value(k_dot(m, y)), by_slice(m, y))
  z <- some(c(2, 4, 5), k = 3)
  product <- array(0, c(2, 3, 5))
  for (i in 1:2) product[i, , ] <- a[i, , ] %*% z[i, , ]
  expect_equal(value(k_batch_dot(a, z)), product)
  expect_equal(value(k_batch_dot(a, aperm(z, c(1, 3, 2)), axes = 3)), product)
  expect_equal(value(k_batch_dot(a, aperm(z, c(1, 3, 2)), axes = c(-1, -1))), product)
  expect_equal(value(k_batch_dot(m, m)), matrix(rowSums(m^2)))
  expect_equal(value(k_batch_dot(a, m, axes = c(2, 2))),
    t(vapply(1:2, function(i) c(t(a[i, , ]) %*% m[i, ]), numeric(4))))
  expect_identical(k_dtype(k_batch_dot(tensor(m, "float32"), m)), "float32")
  expect_identical(k_dtype(k_dot(tensor(m, "float32"), y)), "float32")
  expect_refusal(k_batch_dot(1:2, m), "shape", "`k_batch_dot()`", "(2) and (2, 3)")
  expect_refusal(k_batch_dot(m, m, 1), "value", "`axes`")
})

test_that("cross-entropies: element by element, and by row", {
  t <- matrix(c(1, 0, 0.5, 0.2), 2)
  p <- matrix(c(0.9, 0.2, 0.4, 1), 2)
  expect_equal(value(k_binary_crossentropy(t, p)), matrix(binary_of(t, p, 1e-7, 1e-7), 2))
  expect_equal(value(k_binary_crossentropy(t, 3 * p, from_logits = TRUE)), matrix(sigmoid_loss_of(t, 3 * p), 2))
  expect_equal(value(k_binary_crossentropy(1, 0.5)), -log(0.5 + 1e-7), tolerance = 1e-6)
  expect_identical(k_dtype(k_binary_crossentropy(t, tensor(p, "float32"))), "float32")
  q <- some(c(4, 3), 0.1, 0.9)
  labels <- c(2L, 0L, 1L, 1L)
  one_hot <- diag(3)[labels + 1, ]
  by_row <- vapply(1:4, function(i) categorical_of(one_hot[i, ], q[i, ]), 0)
  expect_equal(flat(k_categorical_crossentropy(one_hot, q)), by_row)
  expect_equal(flat(k_sparse_categorical_crossentropy(labels, q)), by_row)
  expect_equal(flat(k_sparse_categorical_crossentropy(matrix(labels), q, axis = 2)), by_row)
  expect_equal(flat(k_categorical_crossentropy(one_hot, q, TRUE)),
    flat(k_sparse_categorical_crossentropy(k_constant(labels), q, TRUE)))
  with_default(k_set_epsilon, k_epsilon, 0.1, {
    expect_equal(value(k_binary_crossentropy(t, p)), matrix(binary_of(t, p, 0.1, 0.1), 2))
    expect_equal(flat(k_categorical_crossentropy(one_hot, q)),
      vapply(1:4, function(i) categorical_of(one_hot[i, ], q[i, ], 0.1), 0))
  })
  expect_refusal(k_categorical_crossentropy(one_hot, q, axis = 1), "value", "`k_categorical_crossentropy()`", "last")
})

test_that("gradients flow through what is composed, and stop where they should", {
  check <- function(f, ...) expect_true(all(check_gradient(f, ...)$ok))
  w <- some(c(2, 3), 0.5, 1.5, 7)
  check(function(x) k_sum(k_relu(x, 0.1, 4, 0.5) * w), m)
  check(function(x) k_sum(k_softmax(x, 1) * w), m)
  check(function(x) k_sum(k_l2_normalize(x, 2) * w), m)
  check(function(x) k_sum(k_std(x, 1) * c(1, 2, 3)), m)
  check(function(x) k_sum(k_switch(c(TRUE, FALSE), k_square(x), x) * w), m)
  check(function(x) k_sum(k_repeat_elements(x, 2, 1) * 1:4), m[, 1, drop = FALSE])
  check(function(x, y) k_batch_dot(x, y), a, some(c(2, 4, 2), k = 2))
  check(function(x, y) k_dot(x, y), m, some(c(2, 3, 2), k = 2))
  check(function(t, p) k_binary_crossentropy(t, p), some(c(2, 3), 0, 1), some(c(2, 3), 0.1, 0.9, 2))
  v <- k_variable(c(1, 2))
  with(gradient_tape() %as% tape, {
    y <- k_sum(k_stop_gradient(v) * v)
    z <- k_sum(k_stop_gradient(list(v, v * 2))[[2]])
  })
  expect_identical(flat(tape$gradient(y, v)), c(1, 2))
  expect_warning(expect_null(tape$gradient(z, v)), "no source has a gradient", class = "nativenet_warning_gradient")
})

test_that("traced functions give the bits that they give op by op", {
  functions <- list(
    function(x) k_mean(k_square(x - k_mean(x, 1, TRUE))), function(x) k_batch_flatten(k_expand_dims(x)), function(x)
    k_concatenate(list(x, k_reverse(x, 2)), 1), function(x) k_softmax(x, 1), function(x)
    k_switch(k_greater(x, 0), x, k_constant(0)), function(x)
    k_relu(x, 0.1, 4, 0.5), function(x) k_one_hot(k_argmax(x), 3), function(x)
    k_binary_crossentropy(k_cast(x > 0, "float32"), k_sigmoid(x)), function(x) k_dot(k_transpose(x), x), function(x)
    k_batch_dot(x, x), function(x) k_stop_gradient(x) * k_ones_like(x), function(x)
    k_reshape(x, c(k_shape(x)[[2]], -1)), function(x) k_l2_normalize(k_clip(x, -3), 1), function(x)
    k_identity(k_dropout(x, 0)), function(x) k_std(k_gather(x, 0))
  )
  x <- tensor(m, "float32")
  for (f in functions) {
    g <- autograph(f)
    for (i in 1:2) expect_identical(as.array(g(x)), as.array(f(x)), info = deparse1(f))
    expect_null(environment(g)$graph$reason, info = deparse1(f))
  }
  v <- k_variable(1)
  g <- autograph(function(x) {
    k_update_add(v, k_sum(x))
    k_update(v, v * 2)
    NULL
  })
  g(x)
  g(x)
  expect_identical(as.array(v), ((1 + sum(m)) * 2 + sum(m)) * 2)
  expect_null(environment(g)$graph$reason)
})

test_that("compiled functions notice other defaults, and do not set them", {
  g <- autograph(function(x) list(k_constant(1) * 1, k_binary_crossentropy(x, 0.01 * x)))
  x <- tensor(1)
  before <- g(x)
  with_default(k_set_epsilon, k_epsilon, 0.1, with_default(k_set_floatx, k_floatx, "float64", {
    expect_identical(k_dtype(g(x)[[1]]), "float64")
    expect_equal(value(g(x)[[2]]), -log(0.1 + 0.1))
  }))
  expect_identical(lapply(g(x), value), lapply(before, value))
  h <- autograph(function(x) {
    k_set_epsilon(k_epsilon())
    x * 2
  })
  expect_message(h(x), "k_set_epsilon")
})

test_that("errors are classed and name the function", {
  expect_refusal(k_set_floatx("float16"), "value", "`k_set_floatx()`", "\"float16\"")
  expect_refusal(k_set_epsilon(0), "value", "`k_set_epsilon()`", "above 0")
  expect_refusal(k_gradients(1, 2), "value", "`k_gradients()`", "tape$gradient(loss, variables)")
  expect_refusal(k_sum(m, axis = 0), "value", "not be 0")
  expect_refusal(k_argmax(m, 3), "value", "1 .. 2")
  expect_refusal(k_random_binomial(2, 2), "value", "`p`")
  expect_refusal(k_dropout(m, 0.5, noise_shape = 1), "value", "`noise_shape`")
  expect_refusal(k_eye(-1), "value", "`size`")
  for (f in list(k_zeros, k_ones)) for (shape in list(-1, 2+1i, c(2, -1), NA, "a"))
    expect_refusal(f(shape), "value", "`shape` must be whole numbers")
  expect_refusal(k_zeros(), "value", "`k_zeros()`: `shape` must be given")
  expect_refusal(k_constant(0, shape = -1), "value", "`k_constant()`: `shape`")
  expect_refusal(k_set_epsilon(1e300), "value", "`e`")
  expect_refusal(k_ndim(Sys.Date()), "value", "`k_ndim()`: `x` must be a numeric or logical array")
  expect_refusal(k_get_value("a"), "value")
})

test_that("the learning rate of an optimizer is set as a variable, and shapes are TensorFlow's", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile(optimizer_adam(0.1), "mse")
  k_set_value(model$optimizer$lr, 0.01)
  expect_equal(k_get_value(model$optimizer$lr), 0.01)
  expect_error(k_set_value(3, 0.01), "must be a tensor", class = "nativenet_error_value")
  expect_identical(shape(NULL, 28, 28L)$as_list(), list(NULL, 28L, 28L))
  expect_identical(dim(layer_input(shape(NA, 3))), c(NA, NA, 3L))
  expect_identical(dim(k_zeros(shape(2, 3))), 2:3)
  expect_error(shape("a"), "`shape()`", fixed = TRUE, class = "nativenet_error_value")
})

test_that("local convolutions have a kernel for each place", {
  set.seed(1)
  x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
  kernel <- array(rnorm(2 * 6 * 4), c(2, 6, 4))
  y <- as.array(k_local_conv1d(x, kernel, 2, 2))
  for (i in 1:2) for (p in 1:2) expect_equal(y[i, p, ], c(c(t(x[i, 2 * p - 1:0, ])) %*% kernel[p, , ]))
  first <- as.array(k_local_conv1d(aperm(x, c(1, 3, 2)), kernel, 2, 2, "channels_first"))
  for (p in 1:2) expect_equal(first[1, , p], c(c(x[1, 2 * p - 1:0, ]) %*% kernel[p, , ]))
  x <- array(rnorm(2 * 4 * 4), c(2, 4, 4, 1))
  kernel <- array(rnorm(9 * 4 * 2), c(9, 4, 2))
  y <- as.array(k_local_conv2d(x, kernel, c(2, 2), c(1, 1), c(3, 3)))
  expect_identical(dim(y), c(2L, 3L, 3L, 2L))
  expect_equal(y[1, 2, 3, ], c(c(t(x[1, 2:3, 3:4, 1])) %*% kernel[6, , ]))
  expect_refusal(k_local_conv1d(x, kernel, 2, 1), "shape", "`inputs`")
  expect_refusal(k_local_conv2d(x, kernel, 2, 1, c(2, 2)), "shape", "`output_shape`")
  expect_refusal(k_local_conv2d(x, kernel[1:8, , ], 2, 1, c(3, 3)), "shape", "`kernel`", "(9, 4, filters)")
})
