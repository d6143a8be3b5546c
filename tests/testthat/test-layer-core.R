# Dense, activation, noise and shape layers against their formulas in plain R.

set.seed(1)
x64 <- function(...) array(rnorm(prod(...)), c(...))

test_that("dense computes activation(x kernel + bias) for each activation", {
  x <- matrix(rnorm(20), 5)
  w <- list(matrix(rnorm(12), 4), rnorm(3))
  z <- rows_plus(x %*% w[[1]], w[[2]])
  formulas <- list(
    linear = identity, relu = function(z) pmax(z, 0), tanh = tanh, sigmoid = sigmoid_r, softmax = softmax_r,
    elu = function(z) ifelse(z > 0, z, exp(z) - 1),
    selu = function(z) 1.0507009873554805 * ifelse(z > 0, z, 1.6732632423543772 * (exp(z) - 1)),
    softplus = function(z) log1p(exp(z)), softsign = function(z) z / (1 + abs(z)), exponential = exp,
    hard_sigmoid = function(z) pmin(pmax(0.2 * z + 0.5, 0), 1), swish = function(z) z * sigmoid_r(z), gelu = function(z)
    z * pnorm(z)
  )
  for (name in names(formulas)) {
    d <- layer_dense(units = 3, activation = name, dtype = "float64", weights = w)
    expect_equal(as.array(d(x)), formulas[[name]](z), tolerance = 1e-9, info = name)
    a <- layer_activation(activation = name, dtype = "float64")
    expect_equal(as.array(a(z)), formulas[[name]](z), tolerance = 1e-9, info = name)
  }
  own <- layer_dense(units = 3, activation = function(z) z^2 + 1, dtype = "float64", weights = w)
  expect_equal(as.array(own(x)), z^2 + 1, tolerance = 1e-9)
  bare <- layer_dense(units = 3, use_bias = FALSE, dtype = "float64", weights = w[1])
  expect_equal(as.array(bare(x)), x %*% w[[1]], tolerance = 1e-9)
})

test_that("dense works along the last axis of any input", {
  d <- layer_dense(units = 3, dtype = "float64")
  x <- x64(2, 5, 4)
  y <- as.array(d(x))
  w <- d$get_weights()
  expect_identical(dim(y), c(2L, 5L, 3L))
  for (i in 1:2) expect_equal(y[i, , ], rows_plus(x[i, , ] %*% w[[1]], w[[2]]), tolerance = 1e-9)
  s <- layer_input(c(NA, 4))
  expect_identical(dim(layer_dense(s, 3)), c(NA, NA, 3L))
  expect_error(layer_conv_1d(layer_input(c(4, 2), dtype = "int32"), 1, 1), "convert one with `tf$cast(x, tf$float32)`",
    fixed = TRUE, class = "nativenet_error_dtype")
  whole <- layer_dense(layer_input(4, dtype = "int32"), 3) # as in Keras, they become floats
  expect_identical(whole$dtype, "float32")
  expect_equal(as.array(d(tensor(matrix(1:4, 1)))), rows_plus(t(1:4) %*% w[[1]], w[[2]]), tolerance = 1e-9)
})

test_that("initializers give what weights start from, and must fit", {
  d <- layer_dense(units = 2, kernel_initializer = initializer_constant(3), bias_initializer = "ones")
  expect_identical(as.array(d(matrix(1, 1, 2))), matrix(7, 1, 2))
  own <- layer_dense(units = 2, kernel_initializer = function(shape, dtype) tensor(array(seq_len(prod(shape)), shape),
    dtype))
  expect_identical(as.array(own(matrix(c(1, 0), 1))), matrix(c(1, 3), 1))
  expect_error(layer_dense(units = 2, bias_initializer = function(shape, dtype) tensor(0, dtype))(matrix(1, 1, 2)),
    "the initializer of `bias` gave an array of shape (), not (2)", fixed = TRUE, class = "nativenet_error_shape")
  expect_error(layer_dense(units = 2, kernel_initializer = NULL), "`layer_dense()`: `kernel_initializer` must be given",
    fixed = TRUE, class = "nativenet_error")
})

test_that("an activation must keep the shape", {
  x <- matrix(1, 2, 3)
  for (f in list(function(z) "a", function(z) NULL, function(z) 3, mean, function(z) op_sum(z, axis = 2))) {
    expect_error(layer_dense(units = 2, activation = f)(x),
      "`activation` must give a tensor of its input's shape (None, 2), not", fixed = TRUE,
      class = "nativenet_error_shape")
  }
})

test_that("a tied dense layer uses the kernel transposed, and its gradient is the sum of both uses", {
  x <- x64(5, 4)
  encode <- layer_dense(units = 2, activation = "tanh", dtype = "float64")
  decode <- layer_tied_dense(tied_to = encode, activation = "sigmoid", dtype = "float64")
  code <- encode(x)
  out <- as.array(decode(code))
  w <- c(encode$get_weights(), decode$get_weights())
  expect_identical(lengths(w), c(8L, 2L, 4L))
  forward <- function(k, b, c) sigmoid_r(rows_plus(tanh(rows_plus(x %*% k, b)) %*% t(k), c))
  expect_equal(out, forward(w[[1]], w[[2]], w[[3]]), tolerance = 1e-9)
  loss <- function(k) sum((forward(k, w[[2]], w[[3]]) - x)^2)
  with(gradient_tape() %as% tape, total <- op_sum((decode(encode(x)) - tensor(x, "float64"))^2))
  gradient <- as.array(tape$gradient(total, encode$weights[[1]]))
  numeric <- w[[1]]
  for (i in seq_along(numeric)) {
    step <- replace(numeric * 0, i, 1e-5)
    numeric[i] <- (loss(w[[1]] + step) - loss(w[[1]] - step)) / 2e-5
  }
  expect_equal(gradient, numeric, tolerance = 1e-7)
})

test_that("a tied layer in a trained model steps the shared kernel once by the sum", {
  in_float64({
    encode <- layer_dense(units = 2, use_bias = FALSE)
    input <- layer_input(4)
    model <- keras_model(input, layer_tied_dense(tied_to = encode, use_bias = FALSE)(encode(input)))
  })
  expect_length(model$weights, 1)
  x <- x64(3, 4)
  k <- get_weights(model)[[1]]
  compile(model, optimizer_sgd(learning_rate = 0.1), "mse")
  fit(model, x, x, epochs = 1, batch_size = 3, verbose = 0, shuffle = FALSE)
  r <- 2 * (x %*% k %*% t(k) - x) / 12
  expect_equal(get_weights(model)[[1]], k - 0.1 * (t(x) %*% r %*% k + t(r) %*% x %*% k), tolerance = 1e-9)
})

test_that("a tied layer needs a dense layer that was called", {
  x <- matrix(1, 2, 4)
  expect_error(layer_tied_dense(x), "`tied_to` must be given", class = "nativenet_error_value")
  expect_error(layer_tied_dense(x, 3), "`tied_to` must be a layer from `layer_dense()`, not 3", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(layer_tied_dense(x, layer_flatten()), "not a Flatten layer", class = "nativenet_error_value")
  for (bias in c(TRUE, FALSE)) expect_error(layer_tied_dense(x, layer_dense(units = 2), use_bias = bias),
    "must be called first", class = "nativenet_error_value")
  e <- layer_dense(units = 2)
  e(x)
  expect_error(layer_tied_dense(x, e), "was built for inputs of shape (None, 2), not (None, 4)", fixed = TRUE,
    class = "nativenet_error_shape")
})

test_that("activation layers follow their arguments", {
  z <- matrix(c(-3, -1, -0.1, 0, 0.5, 1, 2, 7), 2)
  of <- function(layer) as.array(layer(z))
  expect_equal(of(layer_activation_relu(max_value = 1, negative_slope = 0.5, threshold = 0.4, dtype = "float64")),
    ifelse(z >= 0.4, pmin(z, 1), 0.5 * (z - 0.4)), tolerance = 1e-9)
  expect_equal(of(layer_activation_leaky_relu(dtype = "float64")), ifelse(z > 0, z, 0.3 * z), tolerance = 1e-9)
  expect_equal(of(layer_activation_leaky_relu(alpha = 0.01, dtype = "float64")), ifelse(z > 0, z, 0.01 * z),
    tolerance = 1e-9)
  expect_equal(of(layer_activation_elu(alpha = 2, dtype = "float64")), ifelse(z > 0, z, 2 * (exp(z) - 1)),
    tolerance = 1e-9)
  expect_equal(of(layer_activation_selu(dtype = "float64")),
    1.0507009873554805 * ifelse(z > 0, z, 1.6732632423543772 * (exp(z) - 1)), tolerance = 1e-9)
  expect_equal(of(layer_activation_softmax(dtype = "float64")), softmax_r(z), tolerance = 1e-9)
  expect_equal(of(layer_activation_softmax(axis = 0, dtype = "float64")), t(softmax_r(t(z))), tolerance = 1e-9)
  expect_equal(of(layer_activation_thresholded_relu(theta = 0.5, dtype = "float64")), ifelse(z > 0.5, z, 0),
    tolerance = 1e-9)
  a <- x64(2, 3, 4)
  along <- as.array(layer_activation_softmax(axis = 1, dtype = "float64")(a))
  for (i in 1:2) expect_equal(along[i, , ], t(softmax_r(t(a[i, , ]))), tolerance = 1e-9)
})

test_that("softmax says which axes there are, as the user counts them", {
  x <- matrix(1, 2, 4)
  for (axis in c(7, 1.5, -3)) {
    expect_error(layer_activation_softmax(x, axis),
      paste0("must lie in 0 .. 1 or -2 .. -1 for an input of shape (None, 4), not be ", axis), fixed = TRUE,
      class = "nativenet_error_value")
  }
  expect_error(layer_activation_softmax(layer_input(c(NA, 4)), 5),
    "0 .. 2 or -3 .. -1 for an input of shape (None, None, 4), not be 5", fixed = TRUE, class = "nativenet_error_value")
  expect_error(layer_activation(x), "`activation` must be given", class = "nativenet_error_value")
  expect_error(layer_activation(x, "rleu"), "names no activation", class = "nativenet_error_value")
})

test_that("PReLU learns a slope for each feature, or shared ones", {
  z <- x64(3, 2, 4)
  p <- layer_activation_parametric_relu(alpha_initializer = initializer_constant(0.25), dtype = "float64")
  expect_equal(as.array(p(z)), ifelse(z > 0, z, 0.25 * z), tolerance = 1e-9)
  expect_identical(dim(p$weights[[1]]), c(2L, 4L))
  a <- matrix(runif(8), 2)
  p$set_weights(list(a))
  expect_equal(as.array(p(z)), ifelse(z > 0, z, z * rep(a, each = 3)), tolerance = 1e-9)
  shared <- layer_activation_parametric_relu(shared_axes = 1, dtype = "float64")
  shared(z)
  expect_identical(dim(shared$weights[[1]]), c(1L, 4L))
  free <- layer_activation_parametric_relu(layer_input(c(NA, 4)), shared_axes = 1)
  expect_identical(dim(free), c(NA, NA, 4L))
  # the gradient of a slope: the sum of negative inputs
  with(gradient_tape() %as% tape, total <- op_sum(p(z)))
  expect_equal(as.array(tape$gradient(total, p$weights[[1]])), apply(pmin(z, 0), 2:3, sum), tolerance = 1e-9)
})

test_that("PReLU does not broadcast to inputs of other shapes", {
  p <- layer_activation_parametric_relu()
  p(matrix(0, 3, 4))
  for (x in list(matrix(0, 3, 1), matrix(0, 3, 5), array(0, c(2, 3, 4)))) {
    expect_error(p(x), "was built for inputs of shape (None, 4), not", fixed = TRUE, class = "nativenet_error_shape")
  }
  for (axes in list(0, 3, -1)) expect_error(layer_activation_parametric_relu(matrix(0, 2, 4), shared_axes = axes),
    "`shared_axes` must lie in 1 .. 1", class = "nativenet_error_value")
  for (axes in list("a", 1.5, NA)) expect_error(layer_activation_parametric_relu(shared_axes = axes),
    "`shared_axes` must be whole numbers", class = "nativenet_error_value")
  expect_error(layer_activation_parametric_relu(layer_input(c(NA, 3))), "needs to know the shape",
    class = "nativenet_error_shape")
})

test_that("noise is for training: expectations and variances", {
  set.seed(1)
  x <- matrix(2, 400, 500)
  d <- as.array(layer_dropout(rate = 0.3)(x, training = TRUE))
  expect_equal(sort(unique(as.vector(d))), c(0, 2 / 0.7), tolerance = 1e-6)
  expect_lt(abs(mean(d == 0) - 0.3), 5 * sqrt(0.21 / 2e5)) # five standard deviations
  g <- as.array(layer_gaussian_noise(stddev = 0.5)(x, training = TRUE)) - x
  expect_lt(abs(mean(g)), 5 * 0.5 / sqrt(2e5))
  expect_lt(abs(sd(g) - 0.5), 0.01)
  m <- as.array(layer_gaussian_dropout(rate = 0.2)(x, training = TRUE)) / 2
  expect_lt(abs(mean(m) - 1), 5 * 0.5 / sqrt(2e5))
  expect_lt(abs(sd(m) - sqrt(0.2 / 0.8)), 0.01)
  for (l in list(layer_dropout(rate = 0.3), layer_gaussian_noise(stddev = 1), layer_gaussian_dropout(rate = 0.2)))
    expect_identical(as.array(l(x)), x)
  rows <- as.array(layer_dropout(rate = 0.5, noise_shape = c(NA, 1))(x, training = TRUE))
  expect_true(all(apply(rows, 1, function(r) length(unique(r))) == 1))
  expect_setequal(unique(as.vector(rows)), c(0, 4))
  expect_identical(as.array(layer_dropout(rate = 1)(x, training = TRUE)), x * 0)
})

test_that("flatten, reshape and permute go row by row", {
  a <- x64(2, 3, 4)
  by_rows <- function(i) as.vector(aperm(a[i, , ])) # the last axis fastest
  flat <- as.array(layer_flatten(dtype = "float64")(a))
  for (i in 1:2) expect_identical(flat[i, ], by_rows(i))
  first <- layer_flatten(data_format = "channels_first", dtype = "float64")
  expect_identical(as.array(first(aperm(a, c(1, 3, 2)))), flat)
  expect_identical(as.array(first(a[, , 1])), a[, , 1])
  back <- as.array(layer_reshape(target_shape = c(3, 4), dtype = "float64")(flat))
  expect_identical(back, a)
  other <- as.array(layer_reshape(target_shape = list(2, -1), dtype = "float64")(a))
  for (i in 1:2) expect_identical(other[i, , ], matrix(by_rows(i), 2, byrow = TRUE))
  expect_identical(as.array(layer_permute(dims = c(2, 1), dtype = "float64")(a)), aperm(a, c(1, 3, 2)))
  expect_identical(as.array(layer_repeat_vector(n = 3, dtype = "float64")(a[, , 1])),
    aperm(array(a[, , 1], c(2, 3, 3)), c(1, 3, 2)))
})

test_that("shapes are inferred where sizes are not known", {
  s <- layer_input(c(NA, 6))
  expect_identical(dim(layer_reshape(s, c(-1, 3))), c(NA, NA, 3L))
  expect_identical(dim(layer_permute(s, c(2, 1))), c(NA, 6L, NA))
  expect_identical(dim(layer_flatten(s)), c(NA_integer_, NA))
  expect_identical(dim(layer_repeat_vector(layer_input(6), 4)), c(NA, 4L, 6L))
  model <- keras_model(s, layer_reshape(s, c(-1, 3)))
  x <- x64(2, 5, 6)
  expect_identical(dim(predict(model, x)), c(2L, 10L, 3L))
  expect_equal(predict(model, x)[1, 1:2, ], matrix(x[1, 1, ], 2, byrow = TRUE), tolerance = 1e-6)
})

test_that("shape layers name what does not fit", {
  x <- matrix(1, 2, 4)
  fails <- function(code, message, class = "nativenet_error_shape")
    expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
  for (target in list(c(3, 2), c(-1, -1), c(3, -1), 0, -2))
    fails(layer_reshape(x, target), "an input of shape (None, 4) does not fill `target_shape`")
  for (target in list("a", NA, c(2, NA), 2.5, mean))
    fails(layer_reshape(x, target), "`layer_reshape()`: `target_shape` must be whole numbers", "nativenet_error_value")
  fails(layer_reshape(x, 3e9), "`target_shape` must be whole numbers of at most 2147483647, not 3e+09",
    "nativenet_error_value")
  fails(layer_reshape(x), "`target_shape` must be given", "nativenet_error_value")
  for (dims in list(0, c(1, 1), c(1, 3))) fails(layer_permute(x, dims), "`dims` must name each axis",
    "nativenet_error_value")
  fails(layer_permute(x, "a"), "`dims` must be whole numbers", "nativenet_error_value")
  fails(layer_permute(x, c(2, 1)), "of an input of shape (None, 4)")
  fails(layer_permute(x), "`dims` must be given", "nativenet_error_value")
  for (n in list(0, -1, "a", NULL)) fails(layer_repeat_vector(x, n), "`n` must be a positive whole number",
    "nativenet_error_value")
  fails(layer_repeat_vector(layer_input(c(3, 2)), 2), "needs an input of shape (batch, features), not (None, 3, 2)")
  fails(layer_flatten(x, data_format = "first"), "`data_format` must be one of", "nativenet_error_value")
})

test_that("constructors check their numbers", {
  fails <- function(code, message) expect_no_warning(expect_error(code, message, fixed = TRUE,
    class = "nativenet_error_value"))
  for (units in list(-3, 0, 2.5, NA, NULL, "a", TRUE, Inf, 3e9, c(1, 2), list(3), factor(3)))
    fails(layer_dense(units = units), "`units` must be a positive whole number, not")
  for (flag in list("yes", NA, NULL, 1)) fails(layer_dense(units = 1, use_bias = flag),
    "`use_bias` must be TRUE or FALSE")
  for (arg in c("kernel_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "bias_constraint")) {
    for (bad in list(5, "nothing", list(), NA))
      fails(do.call(layer_dense, c(list(units = 1), stats::setNames(list(bad), arg))), paste0("`", arg, "` "))
  }
  for (rate in list(-0.1, 1.5, 50, "a", NA, NULL))
    fails(layer_dropout(rate = rate), "`rate` must be a number at least 0 and at most 1")
  fails(layer_dropout(), "`rate` must be given")
  fails(layer_dropout(rate = 0.5, noise_shape = "a"), "`noise_shape` must be whole numbers")
  fails(layer_dropout(rate = 0.5, seed = "a"), "`seed` must be")
  fails(layer_gaussian_noise(stddev = -1), "`stddev` must be a number at least 0")
  fails(layer_gaussian_dropout(rate = 1), "`rate` must be a number at least 0 and below 1")
  fails(layer_activation_leaky_relu(alpha = -1), "`alpha` must be a number at least 0")
  fails(layer_activation_relu(max_value = -1), "`max_value` must be a number at least 0")
})

test_that("lambda layers run one's own ops on a tensor or a list", {
  x <- matrix(1:6 / 2, 2)
  expect_equal(as.array(layer_lambda(x, function(x) x^2)), x^2, tolerance = 1e-6)
  expect_equal(as.array(layer_lambda(x, function(x, k) x * k, arguments = list(k = 3))), 3 * x, tolerance = 1e-6)
  seen <- layer_lambda(f = function(x, training) if (training) x + 1 else x)
  expect_equal(as.array(seen(x, training = TRUE)) - as.array(seen(x)), x * 0 + 1, tolerance = 1e-6)
  a <- layer_input(3)
  b <- layer_input(3)
  model <- keras_model(list(a, b), layer_lambda(list(a, b), function(x) x[[1]] * x[[2]] - 1))
  expect_equal(predict(model, list(x, x)), x^2 - 1, tolerance = 1e-6)
  several <- layer_lambda(a, function(x) list(double = x * 2, half = x / 2))
  expect_identical(lapply(several, dim), list(double = c(NA, 3L), half = c(NA, 3L)))
})

test_that("what is no layer's function or gives no tensor is refused", {
  x <- matrix(1, 2, 3)
  i <- layer_input(3)
  fails <- function(code, message, class = "nativenet_error_value") expect_error(code, message, fixed = TRUE,
    class = class)
  fails(layer_lambda(x), "`f` must be given")
  fails(layer_lambda(x, "relu"), "`f` must be a function, not \"relu\"")
  fails(layer_lambda(x, function(x, k) x, arguments = 3), "`arguments` must be a named list, not 3")
  fails(layer_lambda(x, function(x, k) x, arguments = list(3)), "`arguments` must be a named list")
  for (input in list(x, i)) {
    fails(layer_lambda(input, function(x) 3), "gave 3 where a tensor was expected")
    fails(layer_lambda(input, function(x) NULL), "gave NULL where a tensor was expected")
    fails(layer_lambda(input, function(x) list()), "gave a list of length 0 where a tensor was expected")
  }
  fails(layer_lambda(i, function(x) as.array(x)), "cannot be traced", "nativenet_error_traced")
  expect_error(layer_lambda(i, function(x) stop("mine"), name = "l"), "layer `l`: mine", fixed = TRUE)
  fails(keras_model(i, layer_lambda(i, sum)) |> predict(x), "an output is a scalar", "nativenet_error_shape")
})

test_that("a misspelt argument of a layer finds the one that was meant", {
  expect_error(layer_dense(units = 3, activaton = "relu"), "`activaton`; did you mean `activation`?", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(layer_lstm(units = 3, return_sequenses = TRUE), "did you mean `return_sequences`?", fixed = TRUE)
  expect_error(layer_dense(units = 3, trainble = FALSE), "did you mean `trainable`?", fixed = TRUE)
})
