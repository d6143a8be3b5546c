# Ops on symbolic tensors: layers of their own in the graph.

test_that("every op makes a layer that gives its bits", {
  wrong <- character()
  tried <- character()
  ops <- Filter(function(op) paste0("op_", op) %in% getNamespaceExports("nativenet"), c(op_names(), composed))
  ops <- setdiff(ops, "shape") # of a symbolic tensor it is known at once
  for (op in ops) {
    fit <- Filter(function(case) all(lengths(lapply(case$inputs, dims)) %in% 1:7) &&
      all(lengths(case$inputs) > 0),
      op_cases[[op]])
    for (case in utils::tail(fit, 1)) {
      values <- unname(as_inputs(case, "float32"))
      inputs <- lapply(values, function(x) layer_input(batch_shape = dim(x), dtype = tensor_dtype(x)))
      output <- do.call(case$call, inputs)
      plan <- nativenet:::graph_plan(inputs, list(output), "test")
      expected <- do.call(case$call, values)
      again <- nativenet:::run_graph(plan, values, FALSE)[[1]]
      same <- identical(as.array(again), as.array(expected)) && identical(dim(output), dim(expected)) &&
        output$dtype == tensor_dtype(expected) && output$node$layer$kind == "op_lambda"
      if (!same) wrong <- c(wrong, paste(op, case$what))
      tried <- union(tried, op)
    }
  }
  expect_identical(wrong, character())
  expect_identical(setdiff(ops, tried), character())
})

test_that("calls in any spelling are layers with Keras' names, numbered", {
  k_clear_session()
  x <- layer_input(4)
  y <- layer_input(4)
  named <- function(t) t$node$layer$name
  expect_identical(named(x + y), "tf.__operators__.add")
  expect_identical(named(1 + x), "tf.__operators__.add_1")
  expect_identical(named(-x), "tf.math.negative")
  expect_identical(named(x - 1), "tf.math.subtract")
  expect_identical(named(x / y), "tf.math.truediv")
  expect_identical(named(x^2), "tf.math.pow")
  expect_equal(predict(keras_model(x, round(x)), t(c(0.5, 1.5, -0.7, 2))), t(c(0, 2, -1, 2)))
  for (f in list(k_mean, op_mean, mean, function(x, ...) tf$reduce_mean(x), function(x, ...) tf$math$reduce_mean(x)))
    expect_match(named(f(x)), "^tf.math.reduce_mean(_[1-9])?$")
  expect_identical(named(x |> k_square()), "tf.math.square")
  expect_identical(named(do.call(tf$concat, list(list(x, y), axis = 1L))), "tf.concat")
  expect_identical(named(lapply(list(x), exp)[[1]]), "tf.math.exp")
  expect_identical(named(tf$nn$relu(tf$matmul(x, y, transpose_b = TRUE))), "tf.nn.relu")
  expect_identical(named(is.nan(x)), "tf.math.is_nan")
  expect_identical(named(k_batch_flatten(x)), "tf.keras.backend.batch_flatten")
  expect_identical(named(loss_mean_squared_error(x, y)), "tf.keras.losses.mean_squared_error")
  part <- x[, 2:-1]
  expect_identical(c(named(part), part$node$layer$class_name), c("tf.__operators__.getitem", "SlicingOpLambda"))
  expect_identical((x + y)$node$layer$class_name, "TFOpLambda")
  expect_length((x * 2)$node$layer$weights, 0)
})

test_that("sizes are known where they follow from others, and the batch stays open", {
  x <- layer_input(c(NA, 6))
  expect_identical(k_int_shape(x), list(NULL, NULL, 6L))
  expect_identical(x$shape$as_list(), list(NULL, NULL, 6L))
  expect_identical(list(k_ndim(x), c(as.array(tf$rank(x))), k_dtype(x)), list(3L, 3L, "float32"))
  size <- tf$shape(x)
  expect_identical(dim(size), 3L)
  expect_identical(size$dtype, "int32")
  expect_identical(dim(tf$reshape(x, list(size[1], -1L, 2L, 3L))), c(NA, NA, 2L, 3L))
  expect_identical(dim(tf$reshape(x, list(size[[1]] * size[[2]], 6L))), c(NA, 6L))
  expect_identical(dim(x[, 1, ]), c(NA, 6L))
  expect_identical(dim(x[2:-1, , ]), c(NA, NA, 6L)) # one less than the batch is no fixed number
  expect_identical(dim(k_random_normal(list(k_shape(x)[[1]], 2L))), c(NA, 2L))
  expect_identical(dim(tf$zeros(tf$shape(layer_input(6)))), c(NA, 6L))
  expect_identical(dim(tf$transpose(x)), c(6L, NA, NA))
})

test_that("a model with ops trains, and follows batches of any size", {
  x <- layer_input(3)
  hidden <- layer_dense(x, 4, activation = "tanh")
  n <- k_shape(hidden)[[1]]
  mixed <- tf$reshape(hidden, list(n, 2L, 2L)) * c(1, -1) + k_mean(hidden, axis = -1, keepdims = TRUE)[, , NULL]
  y <- layer_dense(k_batch_flatten(mixed), 1)
  model <- keras_model(x, y)
  data <- matrix(sin(1:30), 10)
  w <- get_weights(model)
  h <- tanh(sweep(data %*% w[[1]], 2, w[[2]], "+"))
  wanted <- sweep(h, 2, c(1, -1, 1, -1), "*") + rowMeans(h)
  expect_equal(predict(model, data), wanted %*% w[[3]] + c(w[[4]]), tolerance = 1e-5)
  expect_equal(predict(model, data, batch_size = 3), predict(model, data))
  expect_equal(as.array(model(data)), predict(model, data))
  model |> compile(optimizer_sgd(0.1), "mse")
  history <- fit(model, data, rowSums(data), epochs = 20, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1] / 2)
})

test_that("models with ops are saved, cloned and described, whatever the arguments", {
  x <- layer_input(4)
  y <- layer_input(4)
  table <- tensor(matrix(c(0.1, Inf, -Inf, 1 / 3), 1), "float32")
  parts <- list(x * table, tf$where(x > y, 1, c(NaN, 0, 1e-300, 2)), cbind(x, y)[all_dims(), -1:2],
    tf$cast(tf$cast(x * 3, tf$int32), "float32"), op_pad(x, list(c(0, 0), c(1, 2)), constant_values = 0.1),
    tf$gather(x, c(0L, 2L), axis = 1L), x[, c(TRUE, FALSE, TRUE, TRUE)], loss_huber(x, y)[, NULL],
    sum(x, y, axis = 2)[, NULL], k_concatenate(list(x, y)), op_slice(x, c(1, 2), c(-1, 2)))
  model <- keras_model(list(x, y), c(parts, list(layer_dense(x, 1))))
  data <- list(matrix(sin(1:8), 2), matrix(cos(1:8), 2))
  expected <- predict(model, data)
  path <- tempfile(fileext = ".safetensors")
  save_model(model, path)
  expect_identical(predict(load_model(path), data), expected)
  saveRDS(model, path)
  expect_identical(predict(readRDS(path), data), expected)
  again <- model_from_json(model_to_json(model))
  expect_identical(predict(set_weights(again, get_weights(model)), data), expected)
  expect_identical(predict(clone_model(model), data)[1:11], expected[1:11])
  expect_identical(sum(tidy(model)$type == "SlicingOpLambda"), 4L)
  expect_identical(dim(keras_model(parts[[1]], parts[[1]] + 1)(data[[1]])), c(2L, 4L)) # which begins in the middle
})

test_that("what no file can hold is refused, and so is what is no op", {
  x <- layer_input(4)
  dense <- layer_dense(units = 2)
  dense(x)
  tied <- keras_model(x, layer_lambda(x, function(t) t) |> k_dot(dense$weights[[1]]))
  expect_equal(predict(tied, diag(4)), get_weights(dense)[[1]], tolerance = 1e-6)
  refused <- function(code, text, kind) expect_error(code, text, class = paste0("nativenet_error_", kind))
  refused(save_model(tied, tempfile()), "is called on a symbolic tensor and a variable", "custom")
  double <- custom_gradient(function(x) list(x * 2, function(dy) dy * 3))
  refused(double(x), "or `layer_lambda\\(x, function\\(x\\) ...\\)`", "traced")
  refused(x + matrix(0, 3, 3), "layer `tf.__operators__.add[_0-9]*`: .*do not broadcast: \\(None, 4\\) and \\(3, 3\\)",
    "shape")
  for (f in c(as.numeric, as.vector, as.matrix, as.integer, as.logical, as.character))
    refused(f(x), "no numbers", "traced")
  refused(x[1, 1] <- 2, "a tensor does not change", "value")
  refused(x$name <- "a", "a tensor does not change", "value")
  refused(op_conv(op_reshape(layer_input(c(3, 2, 1)), c(-1, 2, 1)), array(0, c(5, 1, 1))), "shape \\(None, 2, 1\\)$",
    "value")
  refused(layer_conv_lstm_1d(layer_input(c(3, 2, 1)), 1, 5), "for a tensor of shape \\(None, 2, 1\\)$", "value")
  refused(tf$unstack(x), "how many tensors it gives follows from sizes that are not known", "shape")
  json <- model_to_json(keras_model(x, k_exp(x)))
  refused(model_from_json(sub("k_exp", "save_model", json)), "there is no function of ops", "file")
  refused(model_from_json(sub('"input":1', '"input":7', json)), "cannot be built", "file")
  refused(model_from_json(sub('"input":1', '"null":true', json)), "without a tensor", "file")
})

test_that("floats are taken as they come, and a mask ends at an op, as in Keras", {
  x <- layer_input(2, dtype = "float64")
  expect_identical((x * 2)$dtype, "float64")
  tokens <- layer_input(3, dtype = "int32")
  masked <- layer_embedding(tokens, 5, 2, mask_zero = TRUE)
  expect_false(is.null(.subset2(masked, "mask")))
  expect_null(.subset2(masked * 2, "mask"))
})

test_that("a loss computes with any tensor of the model, as published autoencoders do", {
  x <- matrix(seq(0, 1, length.out = 60), 10)
  with_term <- function(term) {
    set_random_seed(1)
    input <- layer_input(6)
    mean <- layer_dense(input, 2)
    output <- layer_dense(mean, 6)
    model <- keras_model(input, output)
    penalty <- function() k_mean(k_square(mean), axis = -1)
    if (term == "loss") {
      compile(model, "sgd", function(y, p) loss_mean_squared_error(y, p) + 0.5 * penalty())
    } else {
      model$add_loss(k_mean(0.5 * penalty()))
      compile(model, "sgd", "mse")
    }
    c(fit(model, x, x, epochs = 3, batch_size = 4, verbose = 0)$metrics$loss, evaluate(model, x, x, verbose = 0)[[1]])
  }
  expect_equal(with_term("loss"), with_term("add_loss"), tolerance = 1e-6)
  input <- layer_input(6)
  aside <- layer_dense(input, 2)
  model <- compile(keras_model(input, layer_dense(input, 6)), "sgd", function(y, p) k_mean(k_square(aside)))
  expect_error(fit(model, x, x, verbose = 0), "does not stand between the model's inputs and outputs",
    class = "nativenet_error_traced")
  expect_s3_class(aside + 1, "nn_keras_tensor")
})

test_that("sizes that are not known go on with their origin, or may be equal where two origins meet", {
  q <- layer_input(c(NA, 8))
  k <- layer_input(c(NA, 8))
  weights <- tf$nn$softmax(tf$matmul(q, k, transpose_b = TRUE) / sqrt(8))
  expect_identical(dim(weights), rep(NA_integer_, 3))
  attended <- tf$matmul(weights, k)
  expect_identical(dim(attended), c(NA, NA, 8L))
  a <- array(sin(1:48), c(2, 3, 8))
  b <- array(cos(1:80), c(2, 5, 8))
  z <- a[1, , ] %*% t(b[1, , ]) / sqrt(8)
  expect_equal(predict(keras_model(list(q, k), attended), list(a, b))[1, , ], (exp(z) / rowSums(exp(z))) %*% b[1, , ],
    tolerance = 1e-5)
  shorter <- layer_conv_1d(q, 8, 3)
  expect_identical(dim(shorter[, , 1:2] * 2 + k[, , 1:2]), c(NA, NA, 2L))
})

test_that("a layer's function may reach for symbolic tensors outside of it", {
  x <- layer_input(4)
  y <- layer_lambda(x * 2, function(t) t + x)
  expect_equal(predict(keras_model(x, y), matrix(1:8, 2)), matrix(1:8, 2) * 3)
})

test_that("pipes lead to functions of backend(), too", {
  K <- backend()
  input <- layer_input(shape = c(2, 3))
  y <- input %>% K$permute_dimensions(pattern = c(0L, 2L, 1L)) %>% K$batch_flatten()
  x <- array(1:12, c(2, 2, 3))
  expect_equal(predict(keras_model(input, y), x), rbind(c(x[1, , ]), c(x[2, , ])), ignore_attr = TRUE)
})
