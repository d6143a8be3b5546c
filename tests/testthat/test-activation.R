# Activations against base R and published values.

x <- some(c(3, 5), -4, 4)
sigmoid_of <- stats::plogis
expected <- list(
  list(activation_linear(), identity),
  list(activation_relu(), function(x) pmax(x, 0)),
  list(activation_relu(alpha = 0.1), function(x) ifelse(x > 0, x, 0.1 * x)),
  list(activation_relu(alpha = 0.1, max_value = 2, threshold = 1), function(x)
    ifelse(x >= 2, 2, ifelse(x > 1, x, 0.1 * (x - 1)))),
  list(activation_relu(max_value = 2), function(x) pmin(pmax(x, 0), 2)),
  list(activation_elu(), function(x) ifelse(x > 0, x, exp(x) - 1)),
  list(activation_elu(alpha = 0.5), function(x) ifelse(x > 0, x, 0.5 * (exp(x) - 1))),
  list(activation_selu(), function(x) 1.0507009873554805 * ifelse(x > 0, x, 1.6732632423543772 * (exp(x) - 1))),
  list(activation_gelu(), function(x) x * stats::pnorm(x)),
  list(activation_gelu(approximate = TRUE), function(x) 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))),
  list(activation_swish(), function(x) x * sigmoid_of(x)),
  list(activation_sigmoid(), sigmoid_of),
  list(activation_hard_sigmoid(), function(x) pmin(pmax(0.2 * x + 0.5, 0), 1)),
  list(activation_tanh(), tanh),
  list(activation_softmax(), row_wise(softmax_of)),
  list(activation_softmax(axis = 1), function(x) t(row_wise(softmax_of)(t(x)))),
  list(activation_softplus(), function(x) log(1 + exp(x))),
  list(activation_softsign(), function(x) x / (1 + abs(x))),
  list(activation_exponential(), exp),
  list(activation_celu(alpha = 0.5), function(x) ifelse(x > 0, x, 0.5 * (exp(x / 0.5) - 1))),
  list(activation_hard_shrink(), function(x) ifelse(abs(x) > 0.5, x, 0)),
  list(activation_hard_silu(), function(x) x * pmin(pmax(x / 6 + 0.5, 0), 1)),
  list(activation_hard_tanh(), function(x) pmin(pmax(x, -1), 1)),
  list(activation_leaky_relu(), function(x) ifelse(x > 0, x, 0.2 * x)),
  list(activation_log_sigmoid(), function(x) stats::plogis(x, log.p = TRUE)),
  list(activation_log_softmax(), row_wise(function(x) log(softmax_of(x)))),
  list(activation_mish(), function(x) x * tanh(log1p(exp(x)))),
  list(activation_relu6(), function(x) pmin(pmax(x, 0), 6)),
  list(activation_soft_shrink(threshold = 0.25), function(x) sign(x) * pmax(abs(x) - 0.25, 0)),
  list(activation_sparse_plus(), function(x) ifelse(x <= -1, 0, ifelse(x < 1, (x + 1)^2 / 4, x))),
  list(activation_sparse_sigmoid(), function(x) pmin(pmax((x + 1) / 2, 0), 1)),
  list(activation_sparsemax(), row_wise(function(x) { # the threshold by bisection
    pmax(x - stats::uniroot(function(t) sum(pmax(x - t, 0)) - 1, range(x) - c(1, 0), tol = 1e-14)$root, 0)
  })),
  list(activation_squareplus(b = 2), function(x) (x + sqrt(x^2 + 2)) / 2),
  list(activation_tanh_shrink(), function(x) x - tanh(x)),
  list(activation_threshold(threshold = 0.5, default_value = -3), function(x) ifelse(x > 0.5, x, -3))
)

test_that("each follows its formula in both dtypes, and its derivative is right", {
  expect_setequal(vapply(expected, function(e) part_name(e[[1]]), ""), setdiff(part_names$activation, "glu"))
  for (e in expected) {
    label <- part_name(e[[1]])
    expect_equal(as.array(e[[1]](x)), e[[2]](x), tolerance = 1e-12, info = label)
    y <- e[[1]](tensor(x, "float32"))
    expect_identical(tensor_dtype(y), "float32")
    expect_equal(as.array(y), e[[2]](x), tolerance = 1e-5, info = label)
    expect_true(check_gradient(function(x) op_multiply(e[[1]](x), some(c(3, 5), 1, 2, k = 3)), x)$ok, info = label)
  }
})

test_that("values of another library", { # PyTorch 1.13
  z <- -3:3
  value <- function(f, ...) c(as.array(f(z, ...)))
  expect_equal(value(activation_gelu, approximate = TRUE),
    c(-0.003637392082, -0.045402305912, -0.158808009392, 0, 0.841191990608, 1.954597694088, 2.996362607918),
    tolerance = 1e-10)
  expect_equal(value(activation_swish), c(-0.142277619533, -0.238405844044, -0.26894142137, 0, 0.73105857863,
    1.761594155956, 2.857722380467), tolerance = 1e-10)
  expect_equal(value(activation_selu), c(-1.670568728767, -1.520166468596, -1.111330737813, 0, 1.050700987355,
    2.101401974711, 3.152102962066), tolerance = 1e-10)
})

test_that("called with x they compute, without they make an object", {
  expect_identical(as.array(activation_relu(x)), as.array(activation_relu()(x)))
  expect_identical(as.array(activation_relu(x, alpha = 0.5)), as.array(activation_relu(alpha = 0.5)(x)))
  expect_identical(as.array(activation_elu(x, 2)), as.array(activation_elu(alpha = 2)(x)))
  expect_identical(as.array(activation_relu(-2:2)), array(c(0, 0, 0, 1, 2)))
  expect_identical(as_part("activation", "softmax"), activation_softmax())
  expect_refusal(as_part("activation", "rellu", fun = "layer_dense"), "value",
    "`layer_dense()`: `activation` names no activation", "did you mean", "`relu`")
  expect_refusal(activation_relu(x, max_value = 0), "value", "`activation_relu()`", "`max_value`")
  expect_refusal(activation_gelu(x, approximate = 2), "value", "`approximate`")
})

test_that("what op_dense() can do in one op is the same", {
  kernel <- some(c(5, 2), k = 2)
  fused <- Filter(function(e) !is.null(fused_activation(e[[1]])), expected)
  expect_length(fused, 11)
  for (e in fused) {
    one <- do.call(op_dense, c(list(x, kernel), fused_activation(e[[1]])))
    expect_equal(as.array(one), e[[2]](x %*% kernel), tolerance = 1e-12, info = part_name(e[[1]]))
  }
  expect_null(fused_activation(as_part("activation", tanh)))
})

test_that("the slope has the names of both versions of Keras", {
  expect_identical(activation_relu(negative_slope = 0.2), activation_relu(alpha = 0.2))
  expect_identical(c(as.array(layer_activation_leaky_relu(negative_slope = 0.2)(matrix(c(-1, 1), 1)))),
    c(as.array(op_cast(c(-0.2, 1), "float32"))))
  expect_refusal(activation_relu(alpha = 0.1, negative_slope = 0.1), "value", "only one of")
  expect_refusal(layer_activation_leaky_relu(negative_slope = "a"), "value", "`negative_slope`")
  expect_refusal(layer_activation_leaky_relu(alpha = "a"), "value", "`alpha`")
})

test_that("a gated activation halves its axis", {
  expect_equal(as.array(activation_glu(matrix(c(1, 2, 0, 1), 1))), matrix(c(0.5, 2 * plogis(1)), 1), tolerance = 1e-12)
  expect_error(layer_dense(matrix(1, 1, 2), 4, activation = "glu"), class = "nativenet_error_shape")
})

test_that("activations of Keras 3 go by strings into layers, files and configurations", {
  x <- matrix(c(-1, 0.3, 2, -0.2), 2)
  for (name in c("mish", "hard_swish", "leaky_relu", "silu", "log_softmax", "sparsemax", "relu6")) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = name,
      kernel_initializer = "identity")
    expect_equal(predict(model, x), as.array(part_constructor("activation", name)(x)), tolerance = 1e-6, info = name)
    copy <- clone_model(model)
    set_weights(copy, get_weights(model))
    expect_identical(predict(copy, x), predict(model, x))
    expect_identical(from_config(get_config(model))$layers[[1]]$get_config()$activation,
      model$layers[[1]]$get_config()$activation)
  }
  above <- activation_threshold(threshold = 0.5, default_value = 0.1)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = above,
    kernel_initializer = "identity")
  copy <- from_config(get_config(model))
  set_weights(copy, get_weights(model))
  expect_equal(predict(copy, x), matrix(c(0.1, 0.1, 2, 0.1), 2), tolerance = 1e-6)
  expect_identical(as_part("activation", activation_silu), activation_swish())
  expect_error(layer_dense(units = 1, activation = "threshold"), "`threshold`")
})
