# Numbers from R: what the class of a vector makes of them, wherever they come in.

test_that("integer64 becomes int64, exactly, or the dtype that is asked for", {
  x <- tensor(int64(c(1, -2, 2^60)))
  expect_identical(tensor_dtype(x), "int64")
  expect_identical(c(as.array(x)), c(1, -2, 2^60))
  # 2^53 + 1, which no double is
  bits <- structure(readBin(as.raw(c(1, 0, 0, 0, 0, 0, 32, 0)), "double", 1, 8, endian = "little"), class = "integer64")
  expect_identical(as.array(op_subtract(tensor(bits), tensor(2^53, "int64"))), 1L)
  for (dtype in c("float32", "float64", "int32", "int64")) {
    expect_identical(as.double(as.array(tensor(int64(c(7, -8), c(1, 2)), dtype))), c(7, -8))
  }
  expect_identical(dim(tensor(int64(1:6, c(2, 3)))), c(2L, 3L))
  expect_identical(as.array(tensor(int64(1:6, c(2, 3)), "int32")), matrix(1:6, 2))
  expect_identical(c(as.array(tensor(int64(c(0, 5)), "bool"))), c(FALSE, TRUE))
  expect_identical(c(as.array(tensor(I(int64(3:4)), "int32"))), 3:4)
})

test_that("what the dtype cannot hold is an error that says so, and NA is NA", {
  beyond <- structure(readBin(as.raw(c(1, 0, 0, 0, 0, 0, 32, 0)), "double", 1, 8, endian = "little"),
    class = "integer64")
  expect_error(tensor(beyond, "float64"), "beyond 2\\^53.*position 1", class = "nativenet_error_value")
  expect_error(tensor(beyond, "float32"), "beyond 2\\^53", class = "nativenet_error_value")
  expect_error(tensor(beyond, "int32"), "beyond the range", class = "nativenet_error_value")
  expect_error(op_sqrt(beyond), "beyond 2\\^53", class = "nativenet_error_value")
  expect_error(to_categorical(beyond), "beyond 2\\^53", class = "nativenet_error_value")
  expect_identical(c(as.array(tensor(int64(c(1, NA)), "float64"))), c(1, NA))
  expect_false(any(is.nan(as.array(tensor(int64(NA), "float64")))))
  expect_error(tensor(int64(c(1, NA)), "int64"), "NA at position 2", class = "nativenet_error_value")
  expect_error(tensor(int64(c(1, NA)), "int32"), "NA at position 2", class = "nativenet_error_value")
})

test_that("ops, k_*() and tf$ take integer64 as whole numbers", {
  x <- int64(c(4, 9))
  expect_identical(tensor_dtype(op_add(x, 1L)), "int64")
  expect_identical(c(as.array(op_add(x, 1L))), c(5L, 10L))
  expect_identical(c(as.array(op_add(x, 0.5))), c(4.5, 9.5))
  expect_identical(c(as.array(op_multiply(tensor(c(2, 3), "float32"), x))), c(8, 27))
  expect_identical(c(as.array(op_sqrt(x))), c(2, 3))
  expect_identical(as.array(k_sum(x)), 13L)
  expect_identical(tf$constant(x)$dtype$name, "int64")
  expect_identical(c(as.array(k_constant(x))), c(4, 9))
  expect_identical(c(as.array(op_gather(c(10, 20, 30), int64(2:1)))), c(30, 20))
  expect_identical(dim(k_zeros(int64(2:3))), 2:3)
  expect_identical(as.array(tensor(1:9)[int64(2)]), 2L)
  expect_identical(as.array(variable_assign(variable(c(1, 2)), x)), array(c(4, 9)))
})

test_that("models take integer64 wherever they take numbers", {
  m <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  m |> compile("sgd", "mse")
  set_weights(m, list(int64(c(1, 2), c(2, 1)), int64(3)))
  expect_identical(get_weights(m), list(matrix(c(1, 2), 2), array(3)), ignore_attr = TRUE)
  set_weights(m, list(matrix(c(1, 2), 2), 3))
  x <- matrix(1:6, 3)
  x64 <- int64(1:6, c(3, 2))
  y64 <- int64(1:3)
  expect_identical(predict(m, x64), predict(m, x))
  expect_identical(m(x64)$numpy(), m(x)$numpy())
  expect_identical(evaluate(m, x64, y64, verbose = 0), evaluate(m, x, 1:3, verbose = 0))
  expect_identical(evaluate(m, x64, y64, sample_weight = int64(c(1, 0, 2)), verbose = 0),
    evaluate(m, x, 1:3, sample_weight = c(1, 0, 2), verbose = 0))
  frame <- data.frame(a = 1:3)
  frame$b <- int64(4:6)
  expect_identical(predict(m, frame), predict(m, x))
  expect_identical(test_on_batch(m, x64, y64), test_on_batch(m, x, 1:3))
  slices <- function(x, y) tensor_slices_dataset(list(x, y)) |>
    dataset_map(function(x, y) list(tf$cast(x, "float32"), tf$cast(y, "float32"))) |> dataset_batch(2)
  expect_identical(evaluate(m, slices(x64, y64), verbose = 0), evaluate(m, slices(x, 1:3), verbose = 0))
  once <- function(x, y) function() list(x, y)
  expect_identical(evaluate(m, once(x64, y64), steps = 2, verbose = 0),
    evaluate(m, once(x, 1:3), steps = 2, verbose = 0))
  train <- function(x, y, weight) {
    set_weights(m, list(matrix(0, 2, 1), 0))
    fit(m, x, y, epochs = 2, shuffle = FALSE, class_weight = weight, verbose = 0)$metrics$loss
  }
  expect_identical(train(x64, int64(c(0, 1, 1)), list("0" = int64(2), "1" = int64(1))),
    train(x, c(0, 1, 1), list("0" = 2, "1" = 1)))
  named <- `dimnames<-`(x64, list(NULL, c("a", "b")))
  fit(m, named, y64, verbose = 0)
  expect_identical(predict(m, `dimnames<-`(int64(c(4:6, 1:3), c(3, 2)), list(NULL, c("b", "a")))), predict(m, x))
  expect_error(fit(m, int64(c(1, NA), c(1, 2)), 1, verbose = 0), "NA at position 2", class = "nativenet_error_value")
})

test_that("helpers and course classes take integer64", {
  expect_identical(to_categorical(int64(c(0, 2, 1))), to_categorical(c(0, 2, 1)))
  expect_identical(pad_sequences(list(int64(1:3), 4)), pad_sequences(list(1:3, 4)))
  expect_identical(normalize(int64(c(3, 4))), c(0.6, 0.8))
  expect_identical(array_reshape(int64(1:6), c(2, 3)), array_reshape(1:6 + 0, c(2, 3)))
  expect_error(array_reshape(as.Date("2026-01-01") + 0:3, c(2, 2)), "not a <Date> of length 4; `as.numeric(x)`",
    fixed = TRUE)
  expect_identical(layer_dense(units = int64(3))$units, 3L)
  g <- timeseries_generator(int64(1:5), int64(11:15), 2)
  expect_identical(g(), timeseries_generator(1:5 + 0, 11:15 + 0, 2)())
  net <- dense_neural_network(list(matrix(1, 2, 1)), list(0), list(sigmoid()), binary_crossentropy(),
    gradient_descent_optimizer())
  expect_identical(net$predict(int64(1:4, c(2, 2))), net$predict(matrix(1:4 + 0, 2)))
  expect_identical(net$evaluate(int64(1:4, c(2, 2)), int64(0:1)), net$evaluate(matrix(1:4, 2), 0:1))
  expect_identical(sigmoid()$forward(int64(c(0, 1), c(1, 2))), sigmoid()$forward(matrix(c(0, 1), 1)))
  expect_identical(sigmoid()$backward(int64(c(0, 1), c(1, 2))), sigmoid()$backward(matrix(c(0, 1), 1)))
  made <- function(w, b) dense_neural_network(list(w), list(b), list(linear()), mean_squared_error(),
    gradient_descent_optimizer(0.1))
  network <- made(int64(c(1, 2, 3, 4), c(2, 2)), int64(c(5, 6)))
  expect_identical(network$weights, list(matrix(c(1, 2, 3, 4), 2)))
  expect_identical(network$biases, list(c(5, 6)))
  expect_equal(network$predict(diag(2)), made(matrix(c(1, 2, 3, 4), 2), c(5, 6))$predict(diag(2)))
  network$weights <- list(int64(c(0, 0, 0, 1), c(2, 2)))
  network$biases <- list(int64(c(0, 7)))
  expect_identical(network$weights, list(matrix(c(0, 0, 0, 1), 2)))
  expect_identical(network$biases, list(c(0, 7)))
})

test_that("single numbers, sizes and seeds may be integer64, too", {
  two <- int64(2)
  same <- function(f) expect_identical(f(two), f(2), label = deparse1(body(f)))
  same(function(n) as.array(op_clip(5, 0, n)))
  same(function(n) as.array(op_pad(diag(2), int64(c(0, 1, 1, 0), c(2, 2)), constant_values = n)))
  same(function(n) as.array(op_one_hot(1, n)))
  same(function(n) dim(k_eye(n)))
  same(function(n) as.array(tf$eye(n)))
  same(function(n) as.list(range_dataset(to = 9, by = n)) |> lapply(as.array))
  same(function(n) as.array(activation_elu(-1, alpha = n)))
  same(function(n) as.array(loss_huber(0, 3, delta = n)))
  same(function(n) as.array(regularizer_l2(n)(c(1, 2))))
  same(function(n) as.array(initializer_random_normal(stddev = n, seed = n)(3)))
  same(function(n) as.array(k_dropout(rep(1, 20), 0.5, seed = n)))
  same(function(n) dim(layer_input(n)))
  same(function(n) keras_model_sequential(input_shape = list(n, NA))$input_shape)
  same(function(n) check_gradient(function(x) op_sum(x^3), 1, step = n)$difference)
  same(function(n) learning_rate_schedule_exponential_decay(n, n, 0.5)(3))
  expect_identical(optimizer_adam(beta_1 = int64(0), epsilon = int64(1))$get_config()$epsilon, 1)
  first_step <- function(...) {
    w <- variable(1)
    optimizer_adam(1, ...)$apply_gradients(list(list(tensor(4), w)))
    as.array(w)
  }
  expect_identical(first_step(epsilon = int64(1)), first_step(epsilon = 1))
  expect_identical(first_step(clipnorm = two), first_step(clipnorm = 2))
})

test_that("classes that leave numbers what they are are taken", {
  same <- function(x, bare) expect_identical(as.array(tensor(x)), as.array(tensor(bare)))
  same(utils::as.roman(c(4, 9)), c(4L, 9L))
  same(as.octmode(8:9), 8:9)
  same(table(c("a", "a", "b")), array(c(2L, 1L)))
  same(table(c(1, 1, 2), c(1, 2, 2)), matrix(c(1L, 0L, 1L, 1L), 2))
  same(I(c(1.5, 2)), c(1.5, 2))
  same(stats::ts(c(1, 3, 2), start = 2000), c(1, 3, 2))
  same(structure(c(1, 2), class = c("labelled", "numeric"), label = "Weight"), c(1, 2))
})

test_that("matrices of package Matrix are matrices", {
  skip_if_not_installed("Matrix")
  dense <- matrix(c(0, 2, 0, 0, 0, 3), 2)
  sparse <- Matrix::Matrix(dense, sparse = TRUE)
  expect_identical(as.array(tensor(sparse)), dense)
  expect_identical(as.array(op_add(sparse, 1)), dense + 1)
  expect_identical(as.array(tensor(Matrix::Diagonal(2))), diag(2))
  expect_identical(as.array(tensor(Matrix::Matrix(dense > 0, sparse = TRUE))), dense > 0)
  m <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  m |> compile("sgd", "mse")
  expect_identical(predict(m, sparse), predict(m, dense))
  expect_identical(evaluate(m, sparse, c(1, 2), verbose = 0), evaluate(m, dense, c(1, 2), verbose = 0))
  expect_error(tensor(Matrix::sparseVector(1, 1, 3)), "as.numeric(x)", fixed = TRUE, class = "nativenet_error_value")
})

test_that("vectors whose class gives their numbers another meaning are refused by name, with the way out", {
  day <- as.Date("2020-01-01") + 0:1
  refused <- list(
    Date = day, POSIXct = as.POSIXct(day), POSIXlt = as.POSIXlt(day), difftime = day - day[1],
    factor = factor(c("a", "b")), units = structure(c(1, 2), class = "units"),
    haven_labelled = structure(c(1, 2), class = c("haven_labelled", "vctrs_vctr", "double"), labels = c(no = 1)),
    labelled = structure(c(1, 2), class = "labelled", labels = c(no = 1)),
    numeric_version = numeric_version(c("1.2", "1.3")), complex = c(1i, 2i),
    Surv = structure(cbind(time = 1:2, status = 1:0), class = "Surv"), dist = stats::dist(matrix(1:4, 2)),
    weird = structure(1:2, class = "weird"), data.frame = data.frame(a = 1:2), character = c("1", "2")
  )
  m <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  for (class in names(refused)) {
    x <- refused[[class]]
    hint <- if (class == "numeric_version") class else nativenet:::conversion_hint(x, "x")
    places <- list(
      function() tensor(x), function() op_add(x, 1), function() op_multiply(tensor(c(1, 2)), x), function() k_sum(x),
      function() tf$reduce_sum(x), if (class != "character") function() tf$constant(x), function() k_constant(x),
      if (class != "character") function() as_tensor(x),
      function() variable_assign(variable(c(1, 2)), x), function()
      set_weights(m, list(x, 0)), if (!class %in% c("data.frame", "character")) function() tensor_slices_dataset(x)
    )
    for (place in Filter(Negate(is.null), places)) {
      e <- expect_error(place(), class = "nativenet_error_value")
      expect_match(conditionMessage(e), sub("^vctrs_vctr$", "", class), fixed = TRUE,
        label = paste(class, deparse1(body(place))))
    }
    expect_match(conditionMessage(expect_error(tensor(x))), hint, fixed = TRUE)
    if (!is.list(x) && length(x) == 2 && class != "character") {
      frame <- data.frame(a = 1:2)
      frame$b <- if (class == "Surv") x[, 1] + structure(0, class = "Surv") else x
      expect_error(predict(m, frame), paste0("column `b`.*", class), class = "nativenet_error_value")
    }
  }
  expect_error(layer_dense(units = day[1]), "<Date>", class = "nativenet_error_value")
  length <- structure(2, class = "units")
  for (place in list(function() k_zeros(length), function() op_reshape(1:2, length), function()
    op_sum(diag(2), axis = length), function() layer_input(length), function() to_categorical(length), function()
    pad_sequences(list(length)))) {
    expect_error(place(), "<units>", class = "nativenet_error_value", label = deparse1(body(place)))
  }
  expect_error(compile(m, optimizer_sgd(structure(0.1, class = "units")), "mse"), "<units>",
    class = "nativenet_error_value")
})
