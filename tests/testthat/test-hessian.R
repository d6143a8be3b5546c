# Hessians.

test_that("of one array or tensor: the shape of x twice", {
  h <- hessian(function(x) sum(x^3), c(1, 2))
  expect_identical(as.array(h), diag(c(6, 12)))
  x <- matrix(c(1, 2, 3, 4), 2)
  h <- as.array(hessian(function(x) op_sum(op_square(op_matmul(x, x))), x))
  expect_identical(dim(h), c(2L, 2L, 2L, 2L))
  f <- function(v) sum((matrix(v, 2) %*% matrix(v, 2))^2)
  expected <- stats::optimHess(c(x), f)
  expect_equal(matrix(h, 4), unname(expected), tolerance = 1e-5)
  expect_identical(as.array(hessian(function(x) 3 * x, 2)), 0) # linear
})

test_that("of variables, in R's order", {
  w <- variable(matrix(c(0.5, -1, 2, 0.1, 1, -0.3), 2))
  b <- variable(c(0, 0.2, -0.1))
  x <- matrix(some(c(5, 2)), 5)
  loss <- function() mean(op_square(op_tanh(op_matmul(x, w) + b)))
  h <- as.matrix(hessian(loss, list(w, b)))
  value <- function(v) mean(tanh(x %*% matrix(v[1:6], 2) + rep(v[7:9], each = 5))^2)
  expect_equal(h, unname(stats::optimHess(c(as.array(w), as.array(b)), value)), tolerance = 1e-4)
  expect_equal(h, t(h), tolerance = 1e-13)
})

test_that("of small networks, as PyTorch has them", {
  source(test_path("hessian-torch.R"), local = TRUE)
  with(hessian_torch, {
    parts <- utils::relist(weights, list(matrix(0, 2, 3), array(0, 3), matrix(0, 3, 2), array(0, 2)))
    variables <- lapply(parts, variable)
    network <- function(activation) {
      op_dense(activation(op_dense(x, variables[[1]], variables[[2]])), variables[[3]], variables[[4]])
    }
    losses <- list(
      tanh_squared = function() mean(op_squared_error(y, network(op_tanh))),
      gelu_squared = function() mean(op_squared_error(y, network(activation_gelu))),
      sigmoid_softmax = function()
        mean(op_sparse_categorical_crossentropy(labels, network(op_sigmoid), from_logits = TRUE))
    )
    for (name in names(losses)) expect_equal(as.matrix(hessian(losses[[name]], variables)), hessian_torch[[name]],
      tolerance = 1e-13, label = name)
    # a fused activation has the same
    fused <- function() mean(op_squared_error(y, op_dense(op_dense(x, variables[[1]], variables[[2]], "tanh"),
      variables[[3]], variables[[4]])))
    expect_equal(as.matrix(hessian(fused, variables)), tanh_squared, tolerance = 1e-13)
  })
})

test_that("of what was computed already, within a tape or a compiled function", {
  x <- tf$constant(array(c(1, 2)), dtype = "float64")
  compiled <- autograph(function(x) {
    y <- sum(x^3)
    list(tf$hessians(y, x), tf$gradients(y, x))
  })
  expect_silent(found <- compiled(x))
  expect_identical(as.array(found[[1]]), diag(c(6, 12)))
  expect_identical(c(as.array(found[[2]])), c(3, 12))
  with(tf$GradientTape() %as% tape, {
    tape$watch(x)
    y <- sum(x^3)
    h <- tf$hessians(y, list(x))
  })
  expect_identical(as.array(h[[1]]), diag(c(6, 12)))
  expect_refusal(tf$hessians(sum(x^3), x), "value", "nothing was recorded", "hessian(f, x)")
  expect_refusal(autograph(function(x) tf$hessians(x^3, x))(x), "shape", "one number")
})

test_that("what is wrong is said", {
  expect_refusal(hessian(function(x) x^2, c(1, 2)), "shape", "one number", "(2)")
  expect_refusal(hessian(function(x) tensor(1), c(1, 2)), "value", "no derivative with respect to `x`")
  expect_refusal(hessian(function(x) sum(as.array(x)), c(1, 2)), "shape", "one number")
  expect_refusal(hessian(1, 1), "value", "`f`")
})
