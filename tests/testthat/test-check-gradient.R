# check_gradient() tells right derivatives from wrong ones.

own_activation <- function(name, forward, backward) {
  setRefClass(name, contains = "activation", where = globalenv(),
    methods = list(forward = forward, backward = backward))()
}
x <- matrix(c(-1.5, -0.3, 0.4, 2), 2)
y <- matrix(c(0, 1, 1, 0), 2)
p <- matrix(c(0.2, 0.7, 0.9, 0.4), 2)

test_that("right derivatives pass: every activation, loss, and a network of them", {
  for (act in list(relu(), sigmoid(), htan(), elu(), elu(alpha = 0.3), softmax(), linear(), threshold())) {
    check <- check_gradient(act, x)
    expect_true(check$ok, info = class(act)[1])
    expect_lt(check$error, 1e-6)
  }
  for (loss in list(binary_crossentropy(), categorical_crossentropy(), mean_squared_error(),
    mean_squared_error(reduction = "sum"))) {
    expect_true(check_gradient(loss, y, p)$ok)
  }
  set.seed(1)
  network <- build_dense_neural_network(2, list(3, htan(), 2, softmax()), categorical_crossentropy(), adam_optimizer(),
    l1 = 0.1, dtype = "float32")
  before <- network$weights
  check <- check_gradient(network, x, y)
  expect_identical(check$name, c("weights[[1]]", "weights[[2]]", "biases[[1]]", "biases[[2]]"))
  expect_identical(check$shape, c("(2, 3)", "(3, 2)", "(3)", "(2)"))
  expect_true(all(check$ok))
  expect_identical(network$weights, before)
  expect_identical(network$dtype, "float32")
})

test_that("wrong activations are found out: at the output, a factor, a sign, a single element", {
  s <- function(x) 1 / (1 + exp(-x))
  at_output <- own_activation("at_output", function(x) 1 / (1 + exp(-x)), function(x) x * (1 - x))
  double <- own_activation("double_relu", function(x) pmax(x, 0), function(x) 2 * (x > 0))
  negative <- own_activation("negative_tanh", function(x) tanh(x), function(x) tanh(x)^2 - 1)
  forgotten <- own_activation("forgotten", function(x) x^2, function(x) 2 * x + (x > 1) * 1e-3)
  for (wrong in list(at_output, double, negative, forgotten)) {
    check <- check_gradient(wrong, x)
    expect_false(check$ok)
    expect_gt(check$error, 1e-5)
  }
  expect_identical(check_gradient(forgotten, x)$worst, "[2,2]")
  expect_equal(check_gradient(double, x)$derivative, 2)
  expect_equal(check_gradient(double, x)$difference, 1, tolerance = 1e-6)
})

test_that("a derivative that is NA or infinite is wrong", {
  broken <- own_activation("broken", function(x) x^2, function(x) 2 * x / (x > 0))
  expect_false(check_gradient(broken, x)$ok)
})

test_that("a wrong loss is found out: no division by the rows, sign", {
  wrong <- setRefClass("wrong_mse", contains = "loss_function", where = globalenv(), methods = list(
    forward = function(y_true, y_pred) mean((y_pred - y_true)^2), backward = function(y_true, y_pred)
    2 * (y_pred - y_true)
  ))
  expect_false(check_gradient(wrong(), y, p)$ok)
  right <- setRefClass("right_mse", contains = "loss_function", where = globalenv(), methods = list(
    forward = function(y_true, y_pred) mean((y_pred - y_true)^2), backward = function(y_true, y_pred)
    2 * (y_pred - y_true) / length(y_pred)
  ))
  expect_true(check_gradient(right(), y, p)$ok)
})

test_that("a network with a student's wrong activation fails before that layer only, with a right one it passes", {
  build <- function(act) {
    set.seed(2)
    build_dense_neural_network(2, list(3, htan(), 3, act, 2, sigmoid()), binary_crossentropy(),
      gradient_descent_optimizer())
  }
  wrong <- own_activation("wrong_sigmoid", function(x) 1 / (1 + exp(-x)), function(x) x * (1 - x))
  check <- check_gradient(build(wrong), x, y)
  expect_identical(check$ok[grepl("\\[\\[3", check$name)], c(TRUE, TRUE))
  expect_identical(check$ok[grepl("\\[\\[[12]", check$name)], rep(FALSE, 4))
  right <- own_activation("right_sigmoid", function(x) 1 / (1 + exp(-x)), function(x) exp(-x) / (1 + exp(-x))^2)
  expect_true(all(check_gradient(build(right), x, y)$ok))
})

test_that("functions of tensors are checked towards each array of doubles, by name", {
  check <- check_gradient(function(a, n, b) op_multiply(op_power(a, 3), b), a = x, n = 1L, b = c(2, 3))
  expect_identical(check$name, c("a", "b"))
  expect_true(all(check$ok))
  check <- check_gradient(op_matmul, matrix(1:6 / 3, 2), matrix(1:6 / 5, 3))
  expect_identical(check$name, c("argument 1", "argument 2"))
  expect_true(all(check$ok))
  # towards an argument that goes unused all is zero
  expect_true(all(check_gradient(function(a, b) op_exp(a), x, p)$ok))
  # the step function cuts the gradient that the difference sees
  expect_false(check_gradient(function(a) op_multiply(op_cast(op_cast(op_multiply(a, 1e8), "int32"), "float64"), 1e-8),
    x)$ok)
})

test_that("second derivatives of functions of tensors", {
  check <- check_gradient(function(a, b) op_multiply(op_power(a, 3), op_tanh(b)), a = x, b = y + 0.3, order = 2)
  expect_identical(check$name, c("a", "b"))
  expect_true(all(check$ok))
  expect_gt(min(abs(check$derivative)), 0.05)
  expect_true(check_gradient(op_lgamma, abs(x), order = 2)$ok)
  expect_true(check_gradient(function(a) op_multiply(a, 3), x, order = 2)$ok) # all 0
  # right at first, wrong at second: the slope of the gradient is lost on the way
  cut <- custom_gradient(function(a) list(op_power(a, 3), function(dy) dy * 3 * op_stop_gradient(a)^2))
  expect_true(check_gradient(cut, x)$ok)
  expect_false(check_gradient(cut, x, order = 2)$ok)
  expect_error(check_gradient(sigmoid(), x, order = 2), "`order = 2` is for a function of tensors",
    class = "nativenet_error_value")
  expect_error(check_gradient(op_exp, x, order = 3), "`order`", class = "nativenet_error_value")
})

test_that("results can be used as a data frame", {
  check <- check_gradient(sigmoid(), x)
  expect_s3_class(check, c("nn_gradient_check", "data.frame"), exact = TRUE)
  expect_named(check, c("name", "shape", "worst", "derivative", "difference", "error", "ok"))
})

test_that("printing shows a line per array and a verdict", {
  wrong <- own_activation("tanh_at_output", function(x) tanh(x), function(x) 1 - x^2)
  expect_snapshot({
    check <- check_gradient(wrong, matrix(c(0.5, 2), 1))
    check$difference <- round(check$difference, 4)
    check$error <- round(check$error, 3)
    check
  })
  expect_output(print(check_gradient(sigmoid(), x)), "All derivatives agree with finite differences.", fixed = TRUE)
  expect_output(print(check_gradient(wrong, x)), "WRONG\nSome derivatives disagree with finite differences.",
    fixed = TRUE)
})

test_that("some columns of it can be printed", {
  expect_output(print(check_gradient(sigmoid(), x)[c("name", "ok")]), "x")
})

test_that("small derivatives are not taken for wrong ones because differences round", {
  set.seed(56)
  network <- build_dense_neural_network(3, list(4, elu(alpha = 0.7), 4, sigmoid(), 3, relu()), mean_squared_error(),
    gradient_descent_optimizer())
  network$biases <- lapply(network$biases, function(b) rnorm(length(b), sd = 0.3))
  set.seed(5)
  inputs <- matrix(rnorm(15), 5)
  expect_true(all(check_gradient(network, inputs, to_categorical(1:5 %% 3, 3))$ok))
})

test_that("named arguments may come in any order", {
  loss <- binary_crossentropy()
  expect_equal(check_gradient(loss, y_pred = p, y_true = y)$derivative, check_gradient(loss, y, p)$derivative)
})

test_that("bad calls are refused", {
  expect_error(check_gradient(1), "`object` must be an activation, a loss, a network or a function of tensors, not 1",
    class = "nativenet_error_value")
  expect_error(check_gradient(gradient_descent_optimizer(), x), "`object` must be", class = "nativenet_error_value")
  expect_error(check_gradient(relu()), "`...` must be `x` here, not 0 arguments", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(check_gradient(mean_squared_error(), y), "`...` must be `y_true` and `y_pred` here, not 1 arguments",
    fixed = TRUE, class = "nativenet_error_value")
  expect_error(check_gradient(op_exp, 1:3), "array of doubles", class = "nativenet_error_value")
  expect_error(check_gradient(relu(), x, step = 0), "`step` must be a number above 0, not 0",
    class = "nativenet_error_value")
  expect_error(check_gradient(relu(), x, tolerance = "a"), "`tolerance` must be a number above 0",
    class = "nativenet_error_value")
  expect_error(check_gradient(relu(), "a"), class = "nativenet_error_value")
  short <- own_activation("short", function(x) x, function(x) 1)
  expect_error(check_gradient(short, x), "`x` has 4 numbers but its derivative 1", class = "nativenet_error_shape")
})
