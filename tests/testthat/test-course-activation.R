# The activation classes: values, derivatives at the pre-activation, shapes, errors, classes of one's own.

x_sheet <- matrix(c(-0.1, 0.3, 0.7, 0.5, -1.0, 0.7), ncol = 3)
s_sheet <- matrix(c(2, 0, -2, 0.5, -0.25, 0.25), ncol = 3)
logistic <- function(x) 1 / (1 + exp(-x))

plain <- list(
  relu = list(relu(), function(x) ifelse(x > 0, x, 0), function(x) ifelse(x > 0, 1, 0)),
  sigmoid = list(sigmoid(), logistic, function(x) exp(-x) / (1 + exp(-x))^2),
  htan = list(htan(), tanh, function(x) 1 - tanh(x)^2),
  elu = list(elu(), function(x) ifelse(x > 0, x, expm1(x)), function(x) ifelse(x > 0, 1, exp(x))),
  elu_half = list(elu(alpha = 0.5), function(x) ifelse(x > 0, x, 0.5 * expm1(x)), function(x)
    ifelse(x > 0, 1, 0.5 * exp(x))),
  linear = list(linear(), function(x) x, function(x) 1 + 0 * x),
  threshold = list(threshold(), function(x) ifelse(x > 0, 1, 0), function(x) 0 * x)
)
softmax_in_r <- function(x) exp(x - apply(x, 1, max)) / rowSums(exp(x - apply(x, 1, max)))

test_that("the sheet's examples come out as on paper", {
  expect_equal(relu()$forward(x_sheet), matrix(c(0, 0.3, 0.7, 0.5, 0, 0.7), ncol = 3), tolerance = 0)
  expect_equal(relu()$backward(x_sheet), matrix(c(0, 1, 1, 1, 0, 1), ncol = 3), tolerance = 0)
  expect_equal(c(sigmoid()$forward(s_sheet)), c(0.880797077978, 0.5, 0.119202922022, 0.622459331202, 0.437823499114,
    0.562176500886),
    tolerance = 1e-11)
  expect_equal(c(sigmoid()$backward(s_sheet)), c(0.104993585404, 0.25, 0.104993585404, 0.235003712202, 0.246134082738,
    0.246134082738),
    tolerance = 1e-11)
  expect_equal(htan()$forward(matrix(1)), matrix(0.761594155956), tolerance = 1e-11)
  expect_equal(htan()$backward(matrix(1)), matrix(0.419974341614), tolerance = 1e-11)
})

test_that("values and derivatives agree with plain R over many sizes and magnitudes", {
  set.seed(1)
  for (name in names(plain)) {
    case <- plain[[name]]
    for (x in list(s_sheet, matrix(rnorm(7 * 19, sd = 3), 7), rnorm(33), c(-700, -30, -0.01, 0.01, 30, 700), 0.3)) {
      expect_equal(case[[1]]$forward(x), case[[2]](x), tolerance = 1e-13, info = name)
      expect_equal(case[[1]]$backward(x), case[[3]](x), tolerance = 1e-11, info = name)
    }
  }
})

test_that("at 0 the derivatives are those of the sheet: 0 for relu and threshold", {
  expect_identical(relu()$backward(c(-0, 0)), c(0, 0))
  expect_identical(threshold()$forward(0), 0)
  expect_identical(threshold()$backward(c(-1, 0, 1)), c(0, 0, 0))
})

test_that("extreme numbers saturate and NA stays NA", {
  x <- c(-1e308, 1e308, -Inf, Inf, NA, NaN)
  expect_identical(sigmoid()$forward(x), c(0, 1, 0, 1, NA, NaN))
  expect_identical(htan()$forward(x), c(-1, 1, -1, 1, NA, NaN))
  expect_identical(elu()$forward(x), c(-1, 1e308, -1, Inf, NA, NaN))
  expect_identical(relu()$forward(x[1:4]), c(0, 1e308, 0, Inf))
  expect_identical(sigmoid()$backward(c(-1000, 1000)), c(0, 0))
  expect_identical(htan()$backward(c(-1000, 1000)), c(0, 0))
})

test_that("softmax is right for rows of any size and its Jacobian is diag(p) - p p'", {
  set.seed(2)
  x <- rbind(matrix(rnorm(12, sd = 2), 3), c(1000, 999, -1000, 0))
  p <- softmax()$forward(x)
  expect_equal(p, softmax_in_r(x), tolerance = 1e-14)
  expect_equal(rowSums(p), rep(1, 4), tolerance = 1e-14)
  jacobian <- softmax()$backward(x)
  expect_identical(dim(jacobian), c(4L, 4L, 4L))
  for (n in 1:4) expect_equal(jacobian[n, , ], diag(p[n, ]) - p[n, ] %o% p[n, ], tolerance = 1e-13)
})

test_that("pull is the chain rule: times the derivative, for softmax through the Jacobian", {
  set.seed(3)
  x <- matrix(rnorm(15), 3)
  gradient <- matrix(rnorm(15), 3)
  for (name in names(plain)) expect_equal(plain[[name]][[1]]$pull(x, gradient), gradient * plain[[name]][[3]](x),
    tolerance = 1e-12, info = name)
  jacobian <- softmax()$backward(x)
  expected <- t(sapply(1:3, function(n) gradient[n, ] %*% jacobian[n, , ]))
  expect_equal(softmax()$pull(x, gradient), expected, tolerance = 1e-13)
})

test_that("shapes, names and other attributes stay; integers and logicals count as numbers", {
  named <- matrix(c(-1, 0.5, 2, -3), 2, dimnames = list(c("a", "b"), c("u", "v")))
  for (act in list(relu(), sigmoid(), elu(), softmax(), linear())) expect_identical(dimnames(act$forward(named)),
    dimnames(named))
  expect_identical(dimnames(htan()$backward(named)), dimnames(named))
  expect_identical(relu()$forward(c(a = -1, b = 2)), c(a = 0, b = 2))
  expect_null(dim(sigmoid()$forward(c(1, 2))))
  expect_identical(relu()$forward(array(-1:6, c(2, 2, 2))), array(c(0, 0:6) + 0, c(2, 2, 2)))
  expect_identical(relu()$forward(numeric()), numeric())
  expect_identical(dim(sigmoid()$backward(matrix(0, 0, 3))), c(0L, 3L))
  expect_identical(relu()$forward(c(TRUE, FALSE)), c(1, 0))
  expect_identical(linear()$forward(-2:2), c(-2, -1, 0, 1, 2))
  expect_identical(relu()$backward(matrix(-1:2, 2)), matrix(c(0, 0, 1, 1), 2))
})

test_that("calls leave their argument alone", {
  x <- matrix(c(-1, 2, -3, 4), 2)
  kept <- x + 0
  for (act in list(relu(), sigmoid(), softmax())) {
    act$forward(x)
    act$backward(x)
    act$pull(x, x)
  }
  expect_identical(x, kept)
})

test_that("bad input is refused in words that name the method and the argument", {
  expect_error(relu()$forward("a"), "`forward()`: `x` must be a numeric or logical array, not \"a\"", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(sigmoid()$backward(NULL), "`backward()`: `x` must be", fixed = TRUE, class = "nativenet_error_value")
  expect_error(htan()$forward(factor(1:2)), class = "nativenet_error")
  expect_error(relu()$forward(list(1)), class = "nativenet_error_value")
  expect_error(relu()$forward(data.frame(a = 1)), class = "nativenet_error_value")
  expect_error(softmax()$backward(c(1, 2, 3)),
    "`backward()`: `x` must be a numeric matrix with a row per sample, not a double vector of length 3", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(elu(alpha = c(1, 2))$forward(1), "`alpha` must be a finite number", class = "nativenet_error_value")
})

test_that("the base class says which method a class of one's own lacks", {
  expect_error(activation()$forward(1), "`forward()`: class <activation> does not define this method", fixed = TRUE,
    class = "nativenet_error_value")
  half <- setRefClass("half_done", contains = "activation", methods = list(forward = function(x) x),
    where = globalenv())
  expect_error(half()$backward(1), "class <half_done> does not define this method", class = "nativenet_error_value")
})

test_that("an activation written in plain R works, with fields, and inherits pull", {
  swish <- setRefClass("swish", contains = "activation", fields = list(beta = "numeric"), where = globalenv(),
    methods = list(
    forward = function(x) x / (1 + exp(-beta * x)),
    backward = function(x) {
      s <- 1 / (1 + exp(-beta * x))
      s + beta * x * s * (1 - s)
    }
  ))
  act <- swish(beta = 2)
  expect_true(is(act, "activation"))
  expect_equal(act$forward(1), 0.880797077978, tolerance = 1e-11)
  x <- matrix(c(-1, 0.5, 2, 3), 2)
  expect_equal(act$pull(x, 2 * x), 2 * x * act$backward(x), tolerance = 0)
  act$beta <- 0
  expect_equal(act$forward(x), x / 2)
})

test_that("a subclass of ours can build on it with callSuper()", {
  leaky <- setRefClass("leaky_relu", contains = "relu", where = globalenv(), methods = list(
    forward = function(x) callSuper(x) - 0.1 * callSuper(-x),
    backward = function(x) callSuper(x) + 0.1 * callSuper(-x)
  ))
  expect_equal(leaky()$forward(c(-2, 3)), c(-0.2, 3))
  expect_equal(leaky()$backward(c(-2, 3)), c(0.1, 1))
  expect_equal(leaky()$pull(c(-2, 3), c(10, 10)), c(1, 10))
  shifted <- setRefClass("shifted_elu", contains = "elu", fields = list(by = "numeric"), where = globalenv(),
    methods = list(
    initialize = function(...) {
      by <<- 1
      callSuper(...)
    },
    forward = function(x) callSuper(x) + by
  ))
  expect_equal(shifted()$forward(-50), 0)
  expect_equal(shifted(alpha = 0.5, by = 3)$forward(-50), 2.5)
})

test_that("objects can be copied, and saved and read", {
  one <- elu(alpha = 0.5)
  two <- one$copy()
  two$alpha <- 2
  expect_equal(c(one$forward(-50), two$forward(-50)), c(-0.5, -2))
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  saveRDS(list(one, softmax()), file)
  back <- readRDS(file)
  expect_equal(back[[1]]$forward(-50), -0.5)
  expect_identical(back[[2]]$forward(s_sheet), softmax()$forward(s_sheet))
  expect_true(is(back[[1]], "elu"))
})

test_that("activations and optimizers of the course work in models, losses say what to give", {
  x <- matrix(c(-1, 0.5, 2, 0.1), 2)
  of <- function(activation) as.array((layer_lambda(f = identity)(x) |> layer_activation(activation = activation)))
  for (case in list(list(relu(), "relu"), list(sigmoid(), "sigmoid"), list(htan(), "tanh"), list(htan, "tanh"),
    list(softmax(), "softmax"), list(linear(), "linear"),
    list(elu(alpha = 2), activation_elu(alpha = 2)))) expect_identical(of(case[[1]]), of(case[[2]]))
  refused <- function(code, ...) expect_refusal(code, "value", ...)
  refused(layer_dense(units = 1, activation = threshold()),
    "`layer_dense()`: `activation` is an object of class <threshold>", "a function made of ops")
  own <- setRefClass("own_activation", contains = "activation", where = environment())
  refused(layer_dense(units = 1, activation = own()), "<own_activation>", "`build_dense_neural_network()`")
  trained <- function(optimizer) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, kernel_initializer = "ones")
    model |> compile(optimizer, "mse")
    model |> fit(x, c(1, 2), epochs = 3, verbose = 0)
    get_weights(model)
  }
  for (case in list(
    list(gradient_descent_optimizer(0.1), optimizer_sgd(0.1)), list(momentum_optimizer(0.1, nesterov = TRUE),
      optimizer_sgd(0.1, 0.9, TRUE)),
    list(rmsprop_optimizer(0.1), optimizer_rmsprop(0.1)),
    list(adam_optimizer(0.1, beta_1 = 0.5), optimizer_adam(0.1, beta_1 = 0.5)),
    list(adamw_optimizer(0.1), optimizer_adamw(0.1)), list(adagrad_optimizer(0.1), optimizer_adagrad(0.1)),
    list(adam_optimizer, "adam")
  )) expect_identical(trained(case[[1]]), trained(case[[2]]))
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, name = "out")
  for (loss in list(binary_crossentropy(), mean_squared_error(), categorical_crossentropy())) {
    refused(compile(model, "sgd", loss), sprintf("`compile()`: `loss` is an object of class <%s>", class(loss)[1]),
      sprintf("\"%s\" or `loss_%s()`", class(loss)[1], class(loss)[1]))
  }
  refused(compile(model, "sgd", list(out = mean_squared_error())), "`loss_mean_squared_error()`")
  refused(compile(model, "sgd", "mse", metrics = list(mean_squared_error())), "`metric_mean_squared_error()`")
  refused(compile(model, binary_crossentropy(), "mse"), "`optimizer` is an object of class <binary_crossentropy>")
  refused(layer_dense(units = 1, activation = adam_optimizer()), "`activation` is an object of class <adam_optimizer>")
})
