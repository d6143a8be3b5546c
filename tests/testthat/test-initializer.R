# Initializers: distributions, fans, seeds.

numbers <- function(f, shape = c(200, 300), dtype = "float64") c(as.array(f(shape, dtype)))

test_that("limits and standard deviations follow from the fans", {
  set.seed(1)
  shape <- c(200, 300)
  kernel <- c(3, 3, 20, 50) # of a convolution: fans 180 and 450
  # fan in, fan out -> the variance
  variances <- list(glorot = function(i, o) 2 / (i + o), he = function(i, o) 2 / i, lecun = function(i, o) 1 / i)
  for (name in names(variances)) {
    for (size in list(list(shape, 200, 300), list(kernel, 180, 450), list(5000, 5000, 5000))) {
      sd <- sqrt(variances[[name]](size[[2]], size[[3]]))
      uniform <- numbers(as_part("initializer", paste0(name, "_uniform")), size[[1]])
      expect_length(uniform, prod(size[[1]]))
      expect_lte(max(abs(uniform)), sqrt(3) * sd)
      expect_gt(stats::ks.test(uniform, "punif", -sqrt(3) * sd, sqrt(3) * sd)$p.value, 1e-3)
      normal <- numbers(as_part("initializer", paste0(name, "_normal")), size[[1]])
      expect_equal(stats::sd(normal), sd, tolerance = 0.03)
      expect_lte(max(abs(normal)), 2 * sd / 0.87962566103423978 + 1e-12)
      expect_gt(max(abs(normal)), 1.9 * sd / 0.8796)
    }
  }
})

test_that("variance scaling takes scale, mode and distribution", {
  set.seed(1)
  n <- c(fan_in = 200, fan_out = 300, fan_avg = 250)
  for (mode in names(n)) {
    for (distribution in c("normal", "truncated_normal", "untruncated_normal", "uniform")) {
      x <- numbers(initializer_variance_scaling(3, mode, distribution))
      sd <- sqrt(3 / n[[mode]])
      expect_equal(stats::sd(x), sd, tolerance = 0.02, info = paste(mode, distribution))
      expect_lt(abs(mean(x)), 4 * sd / sqrt(length(x)))
      edge <- switch(distribution, uniform = sqrt(3) * sd, untruncated_normal = Inf,
        2 * sd / 0.87962566103423978 + 1e-12)
      expect_lte(max(abs(x)), edge)
      if (distribution == "untruncated_normal") expect_gt(max(abs(x)), 3 * sd)
    }
  }
  expect_equal(truncated_sd, sqrt(1 - 4 * stats::dnorm(2) / (2 * stats::pnorm(2) - 1)), tolerance = 1e-9)
})

test_that("plain distributions", {
  set.seed(1)
  u <- numbers(initializer_random_uniform(), 20000)
  expect_gt(stats::ks.test(u, "punif", -0.05, 0.05)$p.value, 1e-3)
  z <- numbers(initializer_random_normal(1, 2), 20000)
  expect_gt(stats::ks.test(z, "pnorm", 1, 2)$p.value, 1e-3)
  t <- numbers(initializer_truncated_normal(1, 2), 20000)
  expect_true(all(abs(t - 1) <= 4))
  expect_equal(stats::sd(t), 2 * 0.8796, tolerance = 0.02)
})

test_that("constants, identity, shapes and dtypes", {
  expect_identical(as.array(initializer_zeros()(c(2, 3))), matrix(0, 2, 3))
  expect_identical(as.array(initializer_ones()(list(4))), array(1, 4))
  expect_identical(as.array(initializer_constant(2.5)(c(1, 2, 1))), array(2.5, c(1, 2, 1)))
  expect_identical(as.array(initializer_constant(matrix(1:6, 2))(c(2, 3))), matrix(1:6 + 0, 2))
  expect_identical(as.array(initializer_constant(1:6)(c(2, 3))), matrix(1:6 + 0, 2, byrow = TRUE))
  expect_identical(as.array(initializer_identity(2)(c(2, 3))), 2 * diag(1, 2, 3))
  expect_identical(as.array(initializer_zeros()(integer())), 0)
  for (name in setdiff(known_names("initializer"), "stft")) { # that one: test-layer-spectrogram.R
    f <- as_part("initializer", name)
    for (dtype in c("float32", "float64")) {
      x <- f(c(4, 5), dtype)
      expect_identical(list(dim(x), tensor_dtype(x)), list(4:5, dtype), info = name)
    }
    expect_identical(tensor_dtype(f(c(2, 2))), "float32")
  }
})

test_that("orthogonal: rows or columns of the length of the gain, at right angles, uniform among all", {
  for (shape in list(c(8, 32), c(32, 8), c(6, 6), c(1, 5), c(5, 1), c(3, 3, 2, 5))) {
    w <- initializer_orthogonal(gain = 3)(shape, "float64")
    expect_identical(dim(w), as.integer(shape))
    rows <- as.array(op_reshape(w, c(-1, shape[length(shape)])))
    product <- if (nrow(rows) < ncol(rows)) rows %*% t(rows) else t(rows) %*% rows
    expect_equal(product, 9 * diag(nrow(product)), tolerance = 1e-12)
  }
  # without the fix of the signs the first number would always be negative
  set.seed(1)
  corner <- replicate(400, as.array(initializer_orthogonal()(c(2, 2), "float64"))[1, 1])
  expect_lt(abs(mean(corner > 0) - 0.5), 0.1)
  angle <- acos(corner) / pi # uniform
  expect_gt(stats::ks.test(angle, "punif")$p.value, 1e-3)
  expect_refusal(initializer_orthogonal()(5), "shape", "`initializer_orthogonal()`", "at least 2 axes", "(5)")
  expect_refusal(initializer_identity()(c(2, 2, 2)), "shape", "`initializer_identity()`", "2 axes", "(2, 2, 2)")
})

test_that("set.seed() governs; a seed of one's own gives the same each time and leaves R's generator alone", {
  random <- c("random_uniform", "random_normal", "truncated_normal", "variance_scaling", names(scaling_rules),
    "orthogonal")
  for (name in random) {
    f <- as_part("initializer", name)
    set.seed(1)
    a <- numbers(f, c(3, 4))
    b <- numbers(f, c(3, 4))
    expect_false(identical(a, b))
    set.seed(1)
    expect_identical(numbers(f, c(3, 4)), a)
    own <- as_part("initializer", list(class_name = name, config = list(seed = 11)))
    before <- .Random.seed
    first <- numbers(own, c(3, 4))
    expect_identical(numbers(own, c(3, 4)), first)
    expect_identical(.Random.seed, before)
    expect_false(identical(numbers(as_part("initializer", list(class_name = name, config = list(seed = 12))), c(3, 4)),
      first))
  }
  old <- nn_threads()
  on.exit(nn_threads(old))
  one <- numbers(initializer_he_normal(seed = 1), c(1000, 1000))
  nn_threads(1)
  expect_identical(numbers(initializer_he_normal(seed = 1), c(1000, 1000)), one)
})

test_that("arguments are checked", {
  expect_refusal(initializer_glorot_uniform(seed = "a"), "value", "`initializer_glorot_uniform()`", "`seed`")
  expect_refusal(initializer_variance_scaling(mode = "fan"), "value", "`initializer_variance_scaling()`", "\"fan_avg\"")
  expect_refusal(initializer_random_uniform(1, 0), "value", "`maxval`")
  expect_refusal(initializer_random_normal(stddev = -1), "value", "`stddev`")
  expect_refusal(initializer_constant("a"), "value", "`initializer_constant()`")
  expect_refusal(initializer_zeros()(c(2, -1)), "value", "`initializer_zeros()`", "`shape`", "at least 0, not -1")
})

test_that("a large orthogonal matrix, made in panels, is the Q of all its numbers", {
  set.seed(3)
  by_panels <- as.array(initializer_orthogonal()(c(400, 300), "float64"))
  set.seed(3)
  decomposed <- qr(matrix(rnorm(400 * 300), 400))
  expect_equal(by_panels, qr.Q(decomposed) %*% diag(sign(diag(qr.R(decomposed)))), tolerance = 1e-10)
  expect_equal(crossprod(by_panels), diag(300), tolerance = 1e-13)
})
