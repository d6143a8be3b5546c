set.seed(71)
x <- matrix(rnorm(50 * 4), 50) # not a multiple of any batch below: the last batch is short
classes <- as.integer(x[, 1] > 0) + as.integer(x[, 2] > 0.5)
one_hot <- diag(3)[classes + 1, ]
binary <- matrix(as.numeric(x[, 1] * x[, 2] > 0))

two_layer_model <- function(outputs, last, ...) {
  keras_model_sequential(input_shape = 4) |> layer_dense(5, activation = "tanh", ...) |>
    layer_dense(outputs, activation = last)
}

test_that("fit() gives the numbers of plain R, for several losses and optimizers", {
  cases <- list(
    list(last = "sigmoid", loss = "binary_crossentropy", y = binary, optimizer = optimizer_adam(0.01),
      step = adam_r(0.01)),
    list(last = "softmax", loss = "categorical_crossentropy", y = one_hot, optimizer = optimizer_rmsprop(0.01),
      step = rmsprop_r(0.01)),
    list(last = "linear", loss = "mean_squared_error", y = one_hot, optimizer = optimizer_sgd(0.1), step = sgd_r(0.1))
  )
  for (case in cases) {
    in_float64(model <- two_layer_model(ncol(case$y), case$last))
    p <- get_weights(model)
    model |> compile(case$optimizer, case$loss)
    history <- model |> fit(x, case$y, epochs = 4, batch_size = 16, shuffle = FALSE, verbose = 0)
    r <- train_r(two_layers(case$last, case$loss), p, x, case$y, case$step, 16, 4)
    expect_weights(model, r$p)
    expect_equal(history$metrics$loss, r$losses, tolerance = 1e-9)
  }
})

test_that("float32 follows within its precision, and sparse labels are the same classes", {
  set.seed(5)
  model <- two_layer_model(3, "softmax")
  p <- get_weights(model)
  model |> compile(optimizer_adam(0.01), "sparse_categorical_crossentropy")
  history <- model |> fit(x, classes, epochs = 3, batch_size = 8, shuffle = FALSE, verbose = 0)
  r <- train_r(two_layers("softmax", "categorical_crossentropy"), p, x, one_hot, adam_r(0.01), 8, 3)
  expect_weights(model, r$p, 2e-5)
  expect_equal(history$metrics$loss, r$losses, tolerance = 1e-5)
})

test_that("penalties count in the gradient and in the reported loss", {
  in_float64(model <- two_layer_model(1, "sigmoid", kernel_regularizer = regularizer_l1_l2(0.02, 0.05),
    bias_regularizer = regularizer_l2(0.1)))
  p <- get_weights(model)
  p[[2]] <- array(c(0.1, -0.2, 0.3, -0.4, 0.5))
  set_weights(model, p)
  model |> compile(optimizer_sgd(0.1), "binary_crossentropy")
  history <- model |> fit(x, binary, epochs = 2, batch_size = 25, shuffle = FALSE, verbose = 0)
  more <- function(p) list(0.02 * sign(p[[1]]) + 0.1 * p[[1]], 0.2 * p[[2]], 0 * p[[3]], 0 * p[[4]])
  penalty <- function(p) sum(0.02 * abs(p[[1]]) + 0.05 * p[[1]]^2) + sum(0.1 * p[[2]]^2)
  r <- train_r(two_layers("sigmoid", "binary_crossentropy"), p, x, binary, sgd_r(0.1), 25, 2, more = more,
    penalty = penalty)
  expect_weights(model, r$p)
  expect_equal(history$metrics$loss, r$losses, tolerance = 1e-9)
  expect_equal(evaluate(model, x, binary)$loss,
    mean(two_layers("sigmoid", "binary_crossentropy")$values(r$p, x, binary)) + penalty(r$p), tolerance = 1e-9)
})

test_that("penalties on activities are divided by the number of rows", {
  in_float64(model <- keras_model_sequential(input_shape = 4) |>
    layer_dense(2, activity_regularizer = regularizer_l2(0.3), use_bias = FALSE))
  w <- get_weights(model)[[1]]
  model |> compile("sgd", "mse")
  y <- one_hot[, 1:2]
  expect_equal(evaluate(model, x, y, batch_size = 50)$loss, mean((x %*% w - y)^2) + 0.3 * sum((x %*% w)^2) / 50,
    tolerance = 1e-12)
})

test_that("sample weights and class weights multiply the losses, and metrics only where they are asked to", {
  w <- runif(50)
  run <- function(...) {
    in_float64(model <- two_layer_model(1, "sigmoid"))
    set.seed(8)
    model |> set_weights(lapply(get_weights(model), function(a) a * 0 + rnorm(length(a))))
    model |> compile(optimizer_sgd(0.1), "binary_crossentropy", metrics = "accuracy", weighted_metrics = "accuracy")
    list(before = get_weights(model), history = model |> fit(x, binary, epochs = 1, batch_size = 50, shuffle = FALSE,
      verbose = 0, ...), model = model)
  }
  a <- run(sample_weight = w)
  net <- two_layers("sigmoid", "binary_crossentropy")
  r <- train_r(net, a$before, x, binary, sgd_r(0.1), 50, 1, w = w)
  expect_weights(a$model, r$p)
  expect_equal(a$history$metrics$loss, r$losses, tolerance = 1e-9)
  right <- (net$forward(a$before, x)$y > 0.5) == (binary == 1)
  expect_equal(unlist(a$history$metrics[-1]), c(accuracy = mean(right), accuracy_1 = sum(w * right) / sum(w)),
    tolerance = 1e-9)
  b <- run(class_weight = list("0" = 1, "1" = 5))
  expect_weights(b$model, train_r(net, b$before, x, binary, sgd_r(0.1), 50, 1, w = ifelse(binary == 1, 5, 1))$p)
  expect_error(run(class_weight = list("0" = 1)), "no weight for class 1")
  expect_error(run(class_weight = c(1, 2)), "named list")
  expect_error(run(sample_weight = -w), "must not be negative")
  expect_error(run(sample_weight = matrix(1, 50, 50)), "losses have shape", class = "nativenet_error_shape")
})

test_that("constraints hold after each step, and clipped gradients are shorter", {
  in_float64(model <- keras_model_sequential(input_shape = 4) |> layer_dense(3, kernel_constraint = constraint_nonneg(),
    activation = "tanh") |> layer_dense(1))
  model |> compile(optimizer_sgd(0.5), "mse")
  model |> fit(x, binary, epochs = 2, verbose = 0)
  expect_true(all(get_weights(model)[[1]] >= 0) && any(get_weights(model)[[1]] == 0))
  in_float64(model <- two_layer_model(1, "sigmoid"))
  p <- get_weights(model)
  model |> compile(optimizer_sgd(1, global_clipnorm = 0.01), "binary_crossentropy")
  model |> fit(x, binary, epochs = 1, batch_size = 50, verbose = 0)
  expect_equal(sqrt(sum(mapply(function(a, b) sum((a - b)^2), get_weights(model), p))), 0.01, tolerance = 1e-9)
})

test_that("two outputs: named losses and metrics, weighed", {
  input <- layer_input(4)
  h <- input |> layer_dense(5, activation = "tanh")
  in_float64({
    input <- layer_input(4)
    h <- input |> layer_dense(5, activation = "tanh", name = "hidden")
    model <- keras_model(input, list(h |> layer_dense(1, activation = "sigmoid", name = "sign"), h |>
      layer_dense(3, name = "kind")))
  })
  model |> compile(optimizer_sgd(0.1), list(sign = "binary_crossentropy", kind = "mse"),
    metrics = list(sign = "accuracy", kind = "mae"), loss_weights = list(sign = 2, kind = 0.5))
  p <- get_weights(model)
  scores <- evaluate(model, x, list(binary, one_hot))
  f <- function(p, k) two_layers(c("sigmoid", "linear")[k], c("binary_crossentropy", "mean_squared_error")[k])
  first <- f(p, 1)$values(p[c(1, 2, 3, 4)], x, binary)
  second <- f(p, 2)$values(p[c(1, 2, 5, 6)], x, one_hot)
  expect_named(scores, c("loss", "sign_loss", "kind_loss", "sign_accuracy", "kind_mae"))
  expect_equal(scores$loss, 2 * mean(first) + 0.5 * mean(second), tolerance = 1e-9)
  expect_equal(unclass(scores)[2:3], c(sign_loss = mean(first), kind_loss = mean(second)), tolerance = 1e-9)
  history <- model |> fit(x, list(kind = one_hot, sign = binary), epochs = 1, batch_size = 50, verbose = 0)
  expect_equal(history$metrics$loss, scores$loss, tolerance = 1e-9)
  g1 <- f(p, 1)$gradient(p[1:4], x, binary)
  g2 <- f(p, 2)$gradient(p[c(1, 2, 5, 6)], x, one_hot)
  expect_weights(model, list(p[[1]] - 0.1 * (2 * g1[[1]] + 0.5 * g2[[1]]), p[[2]] - 0.1 * (2 * g1[[2]] + 0.5 * g2[[2]]),
    p[[3]] - 0.2 * g1[[3]]))
})

test_that("validation_split takes the tail, before any shuffling", {
  in_float64(model <- two_layer_model(1, "sigmoid"))
  model |> compile(optimizer_sgd(0), "binary_crossentropy", metrics = "accuracy")
  history <- model |> fit(x, binary, epochs = 1, validation_split = 0.3, verbose = 0)
  p <- get_weights(model)
  values <- two_layers("sigmoid", "binary_crossentropy")$values(p, x, binary)
  expect_equal(c(history$metrics$loss, history$metrics$val_loss), c(mean(values[1:35]), mean(values[36:50])),
    tolerance = 1e-9)
  expect_named(history$metrics, c("loss", "accuracy", "val_loss", "val_accuracy"))
  expect_error(model |> fit(x[1, , drop = FALSE], binary[1, , drop = FALSE], validation_split = 0.5, verbose = 0),
    "leaves no samples")
})

test_that("a second call goes on with the optimizer, compile() begins anew", {
  in_float64(model <- two_layer_model(1, "sigmoid"))
  p <- get_weights(model)
  model |> compile(optimizer_adam(0.01), "binary_crossentropy")
  for (k in 1:2) model |> fit(x, binary, epochs = 1, batch_size = 16, shuffle = FALSE, verbose = 0)
  net <- two_layers("sigmoid", "binary_crossentropy")
  r <- train_r(net, p, x, binary, adam_r(0.01), 16, 2)
  expect_weights(model, r$p)
  expect_equal(as.double(model$optimizer$iterations), 8)
  model |> compile(optimizer_adam(0.01), "binary_crossentropy")
  model |> fit(x, binary, epochs = 1, batch_size = 16, shuffle = FALSE, verbose = 0)
  expect_weights(model, train_r(net, r$p, x, binary, adam_r(0.01), 16, 1)$p)
})

test_that("learning rates follow schedules step by step, and callbacks epoch by epoch", {
  in_float64(model <- keras_model_sequential(input_shape = 1) |>
    layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros"))
  # the loss is -w: its gradient is -1, so w is the sum of the learning rates
  minus <- function(y_true, y_pred) op_negative(y_pred)
  ones <- matrix(1, 6)
  model |> compile(optimizer_sgd(learning_rate_schedule_exponential_decay(1, 1, 0.5)), minus)
  model |> fit(ones, ones, epochs = 2, batch_size = 2, verbose = 0)
  expect_equal(get_weights(model)[[1]][1], sum(0.5^(0:5)))
  set_weights(model, list(matrix(0)))
  model |> compile(optimizer_sgd(1), minus)
  history <- model |> fit(ones, ones, epochs = 3, batch_size = 2, verbose = 0,
    callbacks = callback_learning_rate_scheduler(function(epoch, lr) 10^-epoch))
  expect_equal(get_weights(model)[[1]][1], 3 * (1 + 0.1 + 0.01))
  expect_equal(history$metrics$lr, c(1, 0.1, 0.01))
})

test_that("callbacks between batches see consistent weights, may change the rate and stop", {
  in_float64(model <- keras_model_sequential(input_shape = 1) |>
    layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros"))
  minus <- function(y_true, y_pred) op_negative(y_pred)
  model |> compile(optimizer_sgd(1), minus)
  seen <- c()
  watch <- callback_lambda(on_batch_end = function(batch, logs) {
    seen[batch + 1] <<- get_weights(model)[[1]][1]
    model$optimizer$learning_rate <- 10
    if (batch == 2) model$stop_training <- TRUE
  })
  history <- model |> fit(matrix(1, 10), matrix(1, 10), epochs = 5, batch_size = 2, verbose = 0, callbacks = watch)
  expect_equal(seen, c(1, 11, 21))
  expect_length(history$metrics$loss, 1)
  expect_equal(history$metrics$loss, mean(-c(0, 1, 11)))
})

test_that("early stopping restores the best weights", {
  set.seed(1)
  model <- two_layer_model(1, "sigmoid")
  model |> compile(optimizer_adam(0.1), "binary_crossentropy")
  stop_early <- callback_early_stopping(patience = 2, restore_best_weights = TRUE)
  noise <- matrix(as.numeric(runif(50) > 0.5))
  history <- model |> fit(x, noise, epochs = 100, validation_split = 0.4, verbose = 0, callbacks = list(stop_early))
  losses <- history$metrics$val_loss
  expect_lt(length(losses), 100)
  expect_equal(evaluate(model, x[31:50, ], noise[31:50, , drop = FALSE])$loss, min(losses), tolerance = 1e-6)
})

test_that("set.seed() governs order and dropout, whatever the number of threads", {
  run <- function(threads, shuffle = TRUE) {
    old <- nn_threads(threads)
    on.exit(nn_threads(old))
    set.seed(3)
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(300, activation = "relu") |> layer_dropout(0.4) |>
      layer_dense(1, activation = "sigmoid")
    model |> compile("adam", "binary_crossentropy")
    model |> fit(x[rep(1:50, 20), ], binary[rep(1:50, 20)], epochs = 2, verbose = 0, shuffle = shuffle)
    get_weights(model)
  }
  one <- run(1)
  expect_identical(run(1), one)
  expect_identical(run(2), one)
  expect_false(identical(run(1, shuffle = FALSE), one))
  expect_false(identical(run(1, shuffle = "batch"), one))
})

test_that("batches are shuffled whole, and each row is seen once an epoch", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1, kernel_initializer = "ones")
  model |> compile(optimizer_sgd(0), "mse")
  for (shuffle in list(TRUE, "batch", FALSE)) {
    seen <- c()
    watch <- callback_lambda(on_batch_end = function(batch, logs)
      seen <<- c(seen, logs$loss * min(3 * (batch + 1), 10)))
    model |> fit(matrix(sqrt(1:10)), numeric(10), epochs = 1, batch_size = 3, shuffle = shuffle, verbose = 0,
      callbacks = watch)
    batches <- diff(c(0, seen))
    expect_equal(sum(batches), 55, tolerance = 1e-5)
    if (identical(shuffle, "batch")) expect_equal(sort(batches), c(6, 10, 15, 24), tolerance = 1e-4)
    if (isFALSE(shuffle)) expect_equal(batches, c(6, 15, 24, 10), tolerance = 1e-4)
  }
})

test_that("data sets and generators train as their batches say", {
  in_float64(model <- two_layer_model(1, "sigmoid"))
  p <- get_weights(model)
  batches <- tensor_slices_dataset(list(x, binary)) |> dataset_batch(16)
  model |> compile(optimizer_adam(0.01), "binary_crossentropy", metrics = "accuracy")
  history <- model |> fit(batches, epochs = 2, verbose = 0, validation_data = batches)
  net <- two_layers("sigmoid", "binary_crossentropy")
  r <- train_r(net, p, x, binary, adam_r(0.01), 16, 2)
  expect_weights(model, r$p)
  expect_equal(history$metrics$loss, r$losses, tolerance = 1e-9)
  expect_equal(history$metrics$val_loss[2], mean(net$values(r$p, x, binary)), tolerance = 1e-9)
  expect_equal(predict(model, batches), predict(model, x))
  set_weights(model, p)
  at <- 0
  generator <- function() {
    at <<- at %% 5 + 1
    rows <- 10 * at - 9:0
    list(x[rows, ], binary[rows, , drop = FALSE])
  }
  model |> compile(optimizer_adam(0.01), "binary_crossentropy")
  model |> fit(generator, epochs = 2, steps_per_epoch = 5, verbose = 0)
  expect_weights(model, train_r(net, p, x, binary, adam_r(0.01), 10, 2)$p)
  expect_error(model |> fit(generator, verbose = 0), "steps_per_epoch")
  expect_error(model |> fit(batches, batch_size = 3, verbose = 0), "batch_size")
})

test_that("x and y may come as data frames, vectors, factors, lists by name", {
  model <- two_layer_model(3, "softmax")
  model |> compile("adam", "sparse_categorical_crossentropy", metrics = "accuracy")
  frame <- as.data.frame(x)
  expect_equal(evaluate(model, frame, factor(classes)), evaluate(model, x, classes))
  expect_equal(evaluate(model, list(x), matrix(classes)), evaluate(model, x, classes))
  expect_error(fit(model, cbind(frame, word = "a"), classes, verbose = 0), "column `word`")
  model <- keras_model_sequential() |> layer_dense(1)
  model |> compile("sgd", "mse")
  model |> fit(1:10, 1:10, epochs = 1, verbose = 0)
  expect_identical(dim(get_weights(model)[[1]]), c(1L, 1L))
  expect_identical(dim(predict(model, 1:3)), c(3L, 1L))
})

test_that("a loss that is not finite ends the training with a warning, and brings the weights back", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(3, activation = "relu") |> layer_dense(1)
  before <- get_weights(model)
  model |> compile(optimizer_sgd(1e20), "mse")
  expect_warning(history <- model |> fit(x, binary, epochs = 3, batch_size = 5, verbose = 0),
    class = "nativenet_warning_nan")
  expect_identical(get_weights(model), before)
  expect_identical(history$metrics$loss, NaN)
  model |> compile(optimizer_sgd(1e20), "mse")
  # leaves fit() on the spot
  tryCatch(model |> fit(x, binary, epochs = 3, batch_size = 5, verbose = 0), warning = identity)
  expect_identical(get_weights(model), before)
  model |> compile(optimizer_sgd(0.01), "mse")
  expect_true(all(is.finite((model |> fit(x, binary, epochs = 1, verbose = 0))$metrics$loss)))
})

test_that("weights that overflow in the last step are noticed as in any other", {
  rows <- matrix(1e3, 4, 2)
  new <- function(...) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, kernel_initializer = "zeros")
    model |> compile(optimizer_sgd(1e38, ...), "mse")
    model
  }
  model <- new()
  before <- get_weights(model)
  expect_warning(history <- fit(model, rows, rep(1e3, 4), epochs = 1, verbose = 0), class = "nativenet_warning_nan")
  expect_identical(get_weights(model), before)
  expect_identical(history$metrics$loss, NaN)
  batches <- tensor_slices_dataset(list(rows, matrix(1e3, 4))) |> dataset_batch(4)
  expect_warning(fit(model, batches, epochs = 1, verbose = 0), class = "nativenet_warning_nan")
  expect_identical(get_weights(model), before)
  stop_first <- callback_lambda(on_train_batch_end = function(batch, logs) model$stop_training <- TRUE)
  expect_warning(fit(model, rows, rep(1e3, 4), epochs = 1, verbose = 0, callbacks = stop_first),
    class = "nativenet_warning_nan")
  expect_identical(get_weights(model), before)
  expect_error(train_on_batch(model, rows, rep(1e3, 4)), "weights that are not finite", class = "nativenet_error_nan")
  # no false alarm: lanes of a vector beyond the last of an odd number of weights divide 0 by 0
  odd <- keras_model_sequential(input_shape = 2) |> layer_dense(3)
  compile(odd, optimizer_adam(0.1, epsilon = 0), "mse")
  expect_true(is.finite(train_on_batch(odd, matrix(1:2, 1), matrix(9, 1, 3))[["loss"]]))
  # large, but finite: none either
  set_weights(model, list(matrix(3e38, 2, 1), 1))
  expect_identical(train_on_batch(model, matrix(0, 4, 2), rep(1, 4))[["loss"]], 0)
})

test_that("bad input is refused in words, and leaves the model as it was", {
  model <- keras_model_sequential() |> layer_embedding(10, 4, input_length = 2) |> layer_flatten() |>
    layer_dense(3, activation = "softmax")
  expect_error(fit(model, matrix(1L, 4, 2), 0:3), class = "nativenet_error_uncompiled")
  model |> compile("adam", "sparse_categorical_crossentropy")
  before <- get_weights(model)
  tokens <- matrix(1:8, 4)
  refused <- function(x, y, words, class = "nativenet_error", ...) {
    expect_error(fit(model, x, y, verbose = 0, ...), words, class = class)
    expect_identical(get_weights(model), before)
  }
  refused(tokens + 3L, c(0, 1, 2, 0), "token 11.*`embedding.*0 .. 9", "nativenet_error_index")
  refused(tokens, c(0, 1, 3, 0), "label 3.*0 .. 2", "nativenet_error_index")
  refused(tokens, c(0, 1), "has 4 samples, but `y` has 2")
  refused(cbind(tokens, 1L), c(0, 1, 2, 0), "shape .None, 2.")
  refused(replace(tokens, 3, NA), c(0, 1, 2, 0), "`x`.*NA")
  refused(tokens, c(0, 1, NA, 0), "`y`.*NA")
  refused(tokens, c("a", "b", "c", "d"), "`y` must be a numeric")
  refused(list(tokens, tokens), c(0, 1, 2, 0), "must have 1 array")
  refused(tokens[0, ], integer(), "no samples")
  refused(tokens, c(0, 1, 2, 0), "batch_size", batch_size = 0)
  refused(tokens, c(0, 1, 2, 0), "epochs", epochs = -1)
  refused(list(1:2, 3:4, 5L), c(0, 1, 2, 0), "must have 1 array")
  model <- two_layer_model(1, "sigmoid")
  model |> compile("adam", "binary_crossentropy")
  expect_error(fit(model, x, one_hot, verbose = 0), "of shape .32, 3.", class = "nativenet_error_shape")
})

test_that("what fit() prints", {
  model <- two_layer_model(1, "sigmoid")
  model |> compile("adam", "binary_crossentropy", metrics = "accuracy")
  out <- capture.output(model |> fit(x, binary, epochs = 2, verbose = 2, batch_size = 10))
  expect_match(out, "^Epoch [12]/2 - \\d+s \\d+[um]?s/step - loss: \\d\\.\\d{4} - accuracy: \\d\\.\\d{4}$")
  expect_length(capture.output(model |> fit(x, binary, epochs = 1, verbose = 0)), 0)
  out <- capture.output(model |> fit(x, binary, epochs = 1, verbose = 1, batch_size = 10))
  expect_match(out[1], "^Epoch 1/1$")
  expect_match(out[2], "^5/5 \\[=+\\] - ")
})

test_that("training interrupted anywhere, saved, loaded and resumed gives the same weights as without", {
  make <- function() {
    set.seed(9)
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(6, activation = "tanh") |> layer_dropout(0.2) |>
      layer_dense(1, activation = "sigmoid")
    model |> compile(optimizer_adam(learning_rate_schedule_exponential_decay(0.02, 5, 0.9)), "binary_crossentropy",
      metrics = "accuracy")
  }
  whole <- make()
  set.seed(10)
  history <- whole |> fit(x, binary, epochs = 4, batch_size = 8, verbose = 0)
  path <- tempfile(fileext = ".safetensors")
  for (at in sample(28, 10)) {
    model <- make()
    steps <- 0
    interrupt <- callback_lambda(on_batch_end = function(batch, logs) {
      steps <<- steps + 1
      if (steps == at) stop("interrupted here")
    })
    set.seed(10)
    expect_error(model |> fit(x, binary, epochs = 4, batch_size = 8, verbose = 0, callbacks = interrupt),
      "interrupted here")
    expect_equal(as.double(model$optimizer$iterations), at)
    save_model(model, path)
    set.seed(12345)
    again <- load_model(path)
    rest <- again |> fit(x, binary, epochs = 4, batch_size = 8, verbose = 0, resume = TRUE)
    expect_identical(get_weights(again), get_weights(whole))
    expect_identical(rest$metrics$loss, utils::tail(history$metrics$loss, length(rest$metrics$loss)))
  }
  batches <- tensor_slices_dataset(list(x, binary)) |> dataset_batch(16)
  expect_error(again |> fit(batches, epochs = 4, resume = TRUE, verbose = 0), "`resume` is for arrays")
  expect_error(again |> fit(x, binary, epochs = 4, resume = TRUE, verbose = 0), "no interrupted training")
})

test_that("fit() gives the numbers of gradients by PyTorch", {
  source(test_path("fit-torch.R"), local = TRUE)
  cases <- list(
    adam_binary = list(1, "sigmoid", function() optimizer_adam(0.01), "binary_crossentropy", NULL),
    rmsprop_sparse_l2 = list(3, "softmax", function() optimizer_rmsprop(0.01), "sparse_categorical_crossentropy",
      regularizer_l2(0.01)),
    momentum_mse = list(2, "linear", function() optimizer_sgd(0.05, momentum = 0.9), "mse", NULL)
  )
  for (name in names(cases)) {
    known <- fit_torch[[name]]
    case <- cases[[name]]
    for (floats in c("float64", "float32")) {
      k_set_floatx(floats)
      model <- keras_model_sequential(input_shape = 4) |> layer_dense(5, activation = "tanh",
        kernel_regularizer = case[[5]]) |> layer_dense(case[[1]], activation = case[[2]])
      k_set_floatx("float32")
      set_weights(model, known$start)
      model |> compile(case[[3]](), case[[4]])
      history <- model |> fit(fit_torch$x, known$y, epochs = 3, batch_size = 8, shuffle = FALSE, verbose = 0)
      tolerance <- if (floats == "float64") 1e-9 else 1e-5
      expect_weights(model, known$end, tolerance)
      expect_equal(history$metrics$loss, known$losses, tolerance = tolerance)
    }
  }
})

test_that("a token or label out of range in a late batch leaves the model as it was before the epoch", {
  model <- keras_model_sequential() |> layer_embedding(10, 3, input_length = 2) |> layer_flatten() |>
    layer_dense(3, activation = "softmax")
  model |> compile("adam", "sparse_categorical_crossentropy")
  tokens <- matrix(sample(0:9, 80, TRUE), 40)
  labels <- rep(0:3, 10) %% 3
  before <- get_weights(model)
  refused <- function(words, ...) {
    expect_error(fit(model, ..., batch_size = 8, shuffle = FALSE, verbose = 0), words, class = "nativenet_error_index")
    expect_identical(get_weights(model), before)
    expect_equal(as.double(model$optimizer$iterations), 0)
  }
  refused("`x` holds the token 10", replace(tokens, 40, 10L), labels)
  refused("`y` holds the label 3", tokens, replace(labels, 40, 3))
  refused("`y` holds the label 5", tokens, labels, validation_data = list(tokens, replace(labels, 40, 5)))
  one <- clone_model(model)
  set_weights(one, before)
  one |> compile("adam", "sparse_categorical_crossentropy")
  for (m in list(model, one)) m |> fit(tokens, labels, shuffle = FALSE, epochs = 1, verbose = 0)
  expect_identical(get_weights(model), get_weights(one))
})

test_that("Ctrl-C stops training, which goes on in another process with the same weights in the end", {
  skip_on_os("windows")
  skip_if_not_installed("callr")
  folder <- tempfile()
  dir.create(folder)
  run <- function(running, parts, folder, epochs) {
    library(nativenet)
    nn_threads(1)
    set.seed(1)
    x <- matrix(rnorm(2000 * 20), 2000)
    y <- as.numeric(x[, 1] > 0)
    file <- file.path(folder, "model")
    go <- function(model, ...) model |> fit(x, y, epochs = epochs, batch_size = 8, verbose = 0, ...)
    lapply(parts, function(part) {
      if (part == "rest") {
        model <- load_model(file)
        go(model, resume = TRUE)
      } else {
        model <- keras_model_sequential(input_shape = 20) |> layer_dense(40, activation = "relu") |>
          layer_dropout(0.2) |> layer_dense(1, activation = "sigmoid")
        model |> compile("adam", "binary_crossentropy")
        set.seed(2)
        if (part == "whole") {
          go(model)
        } else {
          begun <- callback_lambda(on_epoch_begin = function(epoch, logs) file.create(running))
          stopped <- tryCatch({ go(model, callbacks = begun); FALSE }, interrupt = function(e) TRUE)
          save_model(model, file)
          return(list(stopped, as.double(model$optimizer$iterations)))
        }
      }
      get_weights(model)
    })
  }
  session <- callr::r_session$new()
  on.exit(session$close())
  first <- interrupted(session, run, "first", folder, 1e5)[[1]] # would take minutes
  expect_true(first[[1]])
  weights <- callr::r(run, list(NULL, c("whole", "rest"), folder, first[[2]] %/% 250 + 2), libpath = .libPaths())
  expect_identical(weights[[1]], weights[[2]])
})

test_that("models that are trained and dropped leave no memory behind", {
  once <- function() {
    model <- keras_model_sequential(input_shape = 4) |> layer_dense(50) |> layer_dense(1)
    model |> compile("adam", "mse")
    train_on_batch(model, x, binary)
  }
  used <- function() sum(gc(full = TRUE)[, 2])
  for (k in 1:5) once()
  before <- used()
  for (k in 1:50) once()
  # a model is some 0.1 MB, so that keeping them all would be 5 MB; what else the session collects is 1 to 3 MB
  expect_lt(used() - before, 3.5)
})

test_that("fit() says that nothing is trained", {
  model <- keras_model_sequential(input_shape = 1) |> layer_lambda(function(x) x * 2)
  compile(model, "sgd", "mse")
  expect_warning(fit(model, matrix(1:2), 1:2, epochs = 1, verbose = 0), "no trainable weights",
    class = "nativenet_warning_untrained")
})

test_that("weights that explode go back to those of at most 32 steps before, and the optimizer's state with them", {
  x <- matrix(c(1, 2, 3, 1, 0, 1), 3)
  made <- function() {
    set_random_seed(4)
    keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "relu") |> layer_dense(1) |>
      compile(optimizer_nadam(0.01), "mse")
  }
  trained <- function(model, steps, ...)
    fit(model, x, c(1, 2, 4), epochs = steps, batch_size = 3, shuffle = FALSE, verbose = 0, ...)
  explode_at <- function(model, step) callback_lambda(
    on_epoch_begin = function(epoch, logs) model$optimizer$learning_rate <- if (epoch == step) 1e38 else 0.01)
  as_after <- function(model, steps) {
    good <- made()
    trained(good, steps)
    expect_identical(get_weights(model), get_weights(good))
    model$optimizer$learning_rate <- 0.01
    for (one in list(good, model)) trained(one, 3)
    expect_identical(get_weights(model), get_weights(good))
  }
  model <- made()
  expect_warning(trained(model, 99, callbacks = explode_at(model, 40)), "of at most 32 steps before",
    class = "nativenet_warning_nan")
  as_after(model, 32) # kept before the first step and after 32
  # many calls are like one, until weights are set by somebody else
  model <- made()
  for (i in 1:39) train_on_batch(model, x, c(1, 2, 4))
  model$optimizer$learning_rate <- 1e38
  expect_error(for (i in 1:3) train_on_batch(model, x, c(1, 2, 4)), class = "nativenet_error_nan")
  as_after(model, 32)
  set_weights(model, lapply(get_weights(model), `*`, 0.5))
  own <- get_weights(model)
  expect_warning(trained(model, 9, callbacks = explode_at(model, 0)), class = "nativenet_warning_nan")
  expect_identical(get_weights(model), own)
})

test_that("a batch whose loss overflows does not undo the steps before it", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  compile(model, "sgd", "mse")
  data <- tensor_slices_dataset(list(matrix(c(1, 2, 1e30, 1)), matrix(c(1, 2, 3, 4)))) |> dataset_batch(1)
  twin <- clone_model(model)
  set_weights(twin, get_weights(model))
  compile(twin, "sgd", "mse")
  for (i in 1:2) train_on_batch(twin, matrix(i), i)
  expect_warning(fit(model, data, epochs = 3, verbose = 0), "are those from before", class = "nativenet_warning_nan")
  expect_identical(get_weights(model), get_weights(twin))
  expect_error(train_on_batch(model, matrix(1e30), 1), class = "nativenet_error_nan")
  expect_identical(get_weights(model), get_weights(twin))
})

test_that("weights are copied every 32 steps, and not in each epoch", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1, kernel_initializer = "zeros")
  compile(model, "sgd", "mse")
  kept <- callback_lambda(on_epoch_end = function(epoch, logs) {
    seen[[epoch + 1]] <<- as.array(step_cache(layer_self(model))$kept$then[[2]])
  })
  seen <- list()
  fit(model, matrix(1:4), 1:4, epochs = 70, batch_size = 4, verbose = 0, callbacks = kept)
  expect_identical(which(!duplicated(seen)), c(1L, 33L, 65L))
})

test_that("epochs of so many batches of arrays go on where the last one stopped", {
  x <- matrix(sin(1:15), 5)
  y <- cos(1:5)
  make <- function() {
    set.seed(1)
    keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dense(1) |>
      compile(optimizer_adam(0.1), "mse", metrics = "mae")
  }
  model <- make()
  history <- fit(model, x, y, batch_size = 2, epochs = 3, steps_per_epoch = 2, shuffle = FALSE, verbose = 0,
    sample_weight = 1:5)
  by_hand <- make()
  for (rows in list(1:2, 3:4, 5, 1:2, 3:4, 5)) train_on_batch(by_hand, x[rows, , drop = FALSE], y[rows],
    sample_weight = rows)
  expect_equal(get_weights(model), get_weights(by_hand), tolerance = 1e-6)
  expect_length(history$metrics$loss, 3)
  expect_identical(history$params$steps, 2L)
  # a whole pass a time is fit()
  whole <- make()
  fit(whole, x, y, batch_size = 2, epochs = 2, shuffle = FALSE, verbose = 0)
  same <- make()
  fit(same, x, y, batch_size = 2, epochs = 2, steps_per_epoch = 3, shuffle = FALSE, verbose = 0)
  expect_equal(get_weights(same), get_weights(whole), tolerance = 1e-6)
  for (shuffle in list(TRUE, "batch")) {
    seen <- make()
    history <- fit(seen, data.frame(a = x[, 1], b = x[, 2], c = x[, 3]), y, batch_size = 2, epochs = 2,
      steps_per_epoch = 1, shuffle = shuffle, validation_split = 0.2, verbose = 0)
    expect_length(history$metrics$val_loss, 2)
  }
  # the first batches of a validation, an evaluation, a prediction
  expect_equal(evaluate(model, x, y, batch_size = 2, steps = 2, verbose = 0), evaluate(model, x[1:4, ], y[1:4],
    batch_size = 2, verbose = 0))
  expect_identical(predict(model, x, batch_size = 2, steps = 1), predict(model, x[1:2, ]))
  expect_identical(nrow(predict(model, x, batch_size = 4, steps = 9)), 5L)
  history <- fit(model, x, y, epochs = 1, batch_size = 2, validation_data = list(x, y), validation_steps = 1,
    verbose = 0)
  expect_equal(history$metrics$val_loss, evaluate(model, x[1:2, ], y[1:2], verbose = 0)[["loss"]], tolerance = 1e-6)
  expect_refusal(fit(model, x, y, steps_per_epoch = 0, verbose = 0), "value", "`steps_per_epoch`")
  expect_refusal(predict(model, x, steps = -1), "value", "`steps`")
})

test_that("validation_steps are the first batches of the part that validation_split leaves", {
  set.seed(1)
  x <- matrix(rnorm(32), 16)
  y <- rnorm(16)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  compile(model, optimizer_sgd(0), "mse")
  loss <- function(...) fit(model, x, y, validation_split = 0.5, batch_size = 4, verbose = 0, epochs = 1,
    ...)$metrics$val_loss
  expect_equal(loss(validation_steps = 1), evaluate(model, x[9:12, ], y[9:12], verbose = 0)[["loss"]], tolerance = 1e-6)
  expect_equal(loss(), evaluate(model, x[9:16, ], y[9:16], verbose = 0)[["loss"]], tolerance = 1e-6)
  expect_refusal(loss(validation_steps = -1), "value", "`validation_steps`")
})
