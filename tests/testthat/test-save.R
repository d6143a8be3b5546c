set.seed(72)
x <- matrix(rnorm(40 * 5), 40)
y <- as.integer(x[, 1] > 0) + as.integer(x[, 2] > 0)

rich_model <- function() {
  encode <- layer_dense(units = 3, activation = activation_elu(alpha = 0.5),
    kernel_initializer = initializer_he_normal(seed = 4), name = "code")
  input <- layer_input(shape = 5, name = "numbers")
  code <- encode(layer_gaussian_noise(input, 0.1))
  decoded <- layer_tied_dense(code, tied_to = encode, name = "decoded")
  kinds <- code |> layer_dropout(0.3) |>
    layer_dense(3, activation = "softmax", kernel_regularizer = regularizer_l1_l2(0.01, 0.02),
      bias_constraint = constraint_maxnorm(3), name = "kind")
  model <- keras_model(input, list(decoded, kinds))
  model |> compile(
    optimizer_adam(learning_rate_schedule_exponential_decay(0.01, 10, 0.9), clipnorm = 2, amsgrad = TRUE),
    list(loss_huber(delta = 0.7), "sparse_categorical_crossentropy"),
    metrics = list(kind = list("accuracy", metric_sparse_top_k_categorical_accuracy(k = 2)), decoded = "mae"),
    loss_weights = list(0.5, 2)
  )
}
train <- function(model, epochs, initial = 0) fit(model, x, list(x, y), epochs = epochs, initial_epoch = initial,
  batch_size = 16, verbose = 0)

test_that("a model that is loaded predicts and trains as the one that was saved, to the bit", {
  set.seed(1)
  whole <- rich_model()
  set.seed(2)
  history <- train(whole, 5)
  set.seed(1)
  model <- rich_model()
  set.seed(2)
  train(model, 2)
  path <- tempfile(fileext = ".safetensors")
  expect_identical(save_model(model, path), path)
  again <- load_model(path)
  expect_identical(predict(again, x), predict(model, x))
  expect_identical(evaluate(again, x, list(x, y)), evaluate(model, x, list(x, y)))
  expect_identical(capture.output(print(again)), capture.output(print(model)))
  rest <- train(again, 5, 2)
  expect_identical(get_weights(again), get_weights(whole))
  expect_identical(again$optimizer$get_weights(), whole$optimizer$get_weights())
  expect_identical(rest$metrics$kind_loss, history$metrics$kind_loss[3:5])
})

test_that("in another process, too", {
  skip_if_not_installed("callr")
  set.seed(1)
  model <- rich_model()
  train(model, 1)
  path <- tempfile(fileext = ".safetensors")
  rds <- tempfile(fileext = ".rds")
  save_model(model, path)
  saveRDS(model, rds)
  there <- callr::r(function(path, rds, x, library) {
    loadNamespace("nativenet", lib.loc = library)
    library(nativenet, lib.loc = library)
    list(predict(load_model(path), x), predict(readRDS(rds), x))
  }, list(path, rds, x, dirname(system.file(package = "nativenet"))), libpath = .libPaths())
  expect_identical(there, list(predict(model, x), predict(model, x)))
})

test_that("saveRDS() keeps what training needs, and little else", {
  set.seed(1)
  model <- rich_model()
  train(model, 1)
  path <- tempfile()
  saveRDS(model, path)
  expect_lt(file.size(path), 1e5)
  again <- readRDS(path)
  set.seed(3)
  train(model, 1)
  set.seed(3)
  train(again, 1)
  expect_identical(get_weights(again), get_weights(model))
})

test_that("sequences, nested models, recurrent layers and custom objects come back", {
  inner <- keras_model_sequential(input_shape = 4, name = "inner") |> layer_dense(3, activation = "relu") |>
    layer_lambda(function(x) x^2, name = "squares")
  layer_scale <- new_layer_class("Scale",
    initialize = function(start) self$start <- start,
    build = function(input_shape) self$w <- self$add_weight("w", input_shape[2], initializer_constant(self$start)),
    call = function(inputs) inputs * self$w
  )
  model <- keras_model_sequential() |> layer_embedding(20, 4, mask_zero = TRUE) |>
    layer_gru(4, dropout = 0.1, reset_after = FALSE) |>
    inner() |> layer_scale(start = 0.5, name = "scale") |> layer_dense(1)
  own_loss <- function(y_true, y_pred) op_abs(op_subtract(y_true, y_pred))
  model |> compile("sgd", own_loss, metrics = list(custom_metric("twice", function(y_true, y_pred)
    op_multiply(own_loss(y_true, y_pred), 2))))
  tokens <- matrix(sample(0:19, 60, TRUE), 10)
  path <- tempfile()
  save_model(model, path)
  expect_error(load_model(path), "custom_objects = list\\((squares|Scale) = ", class = "nativenet_error_custom")
  custom <- list(squares = function(x) x^2, Scale = layer_scale, own_loss = own_loss, twice = function(y_true, y_pred)
    op_multiply(own_loss(y_true, y_pred), 2))
  again <- load_model(path, custom_objects = custom)
  expect_identical(predict(again, tokens), predict(model, tokens))
  expect_equal(evaluate(again, tokens, 1:10), evaluate(model, tokens, 1:10))
  clone <- clone_model(model)
  expect_identical(lapply(get_weights(clone), dim), lapply(get_weights(model), dim))
  expect_false(identical(get_weights(clone)[[1]], get_weights(model)[[1]]))
  raw <- unserialize_model(serialize_model(again), custom_objects = custom)
  expect_identical(predict(raw, tokens), predict(model, tokens))
})

test_that("weights alone", {
  model <- keras_model_sequential(input_shape = 5) |> layer_dense(3) |> layer_dense(2)
  path <- tempfile()
  save_model_weights(model, path)
  other <- keras_model_sequential(input_shape = 5) |> layer_dense(3, name = "a") |> layer_dense(2, name = "b")
  load_model_weights(other, path)
  expect_identical(predict(other, x), predict(model, x))
  smaller <- keras_model_sequential(input_shape = 5) |> layer_dense(3) |> layer_dense(1)
  before <- get_weights(smaller)
  expect_error(load_model_weights(smaller, path), "\\(3, 1\\).*\\(3, 2\\)", class = "nativenet_error_shape")
  expect_identical(get_weights(smaller), before)
  expect_error(load_model_weights(keras_model_sequential(input_shape = 5) |> layer_dense(3), path),
    "4 weights, but the model has 2", class = "nativenet_error_shape")
  expect_error(save_model_weights(model, path, overwrite = FALSE), "exists", class = "nativenet_error_file")
})

test_that("files that are missing, cut off, foreign or false are refused", {
  model <- rich_model()
  train(model, 1)
  path <- tempfile()
  save_model(model, path)
  bytes <- readBin(path, "raw", file.size(path))
  refused <- function(bytes, ...) {
    other <- tempfile()
    writeBin(bytes, other)
    expect_error(load_model(other), class = "nativenet_error_file", ...)
  }
  expect_error(load_model(tempfile()), class = "nativenet_error_file")
  for (n in c(0, 5, 100, length(bytes) %/% 2, length(bytes) - 1)) refused(bytes[seq_len(n)])
  refused(charToRaw("\x89HDF\r\n\x1a\n and so on"))
  other <- tempfile()
  safetensors_write(other, list(a = 1:3))
  expect_error(load_model(other), "holds no model", class = "nativenet_error_file")
  saved <- safetensors_read(path)
  forged <- function(from, to, tensors = saved$tensors) {
    metadata <- saved$metadata
    metadata$architecture <- sub(from, to, metadata$architecture, fixed = TRUE)
    expect_false(identical(metadata, saved$metadata))
    safetensors_write(other, tensors, metadata)
    error <- tryCatch(load_model(other), error = identity)
    expect_s3_class(error, "nativenet_error")
    expect_true(inherits(error, c("nativenet_error_file", "nativenet_error_shape")),
      info = paste(from, to, conditionMessage(error)))
  }
  forged("\"kind\":\"dropout\"", "\"kind\":\"no_such\"")
  forged("\"kind\":\"dropout\"", "\"kind\":\"input\"")
  forged("\"units\":{\"value\":3}", "\"units\":{\"value\":-3}")
  forged("\"units\":{\"value\":3}", "\"units\":{\"value\":4}")
  forged("\"layer\":1", "\"layer\":99")
  forged("\"at\":[1,1]", "\"at\":[77,1]")
  forged("{", "[")
  set.seed(6)
  text <- charToRaw(saved$metadata$architecture)
  for (k in 1:150) { # letters changed at random: a model or an error in words
    bad <- text
    bad[sample(length(text), 1)] <- as.raw(sample(32:126, 1))
    safetensors_write(other, saved$tensors, replace(saved$metadata, "architecture", rawToChar(bad)))
    result <- tryCatch(load_model(other, compile = FALSE), error = identity)
    if (inherits(result, "error")) expect_s3_class(result, "nativenet_error")
  }
})

test_that("a file can ask for no more than it holds, and is no trap when edited", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(5, name = "d1") |> layer_dense(1)
  model |> compile("adam", "mse", metrics = "mae")
  model |> fit(x[, 1:4], y, epochs = 1, verbose = 0)
  path <- tempfile()
  save_model(model, path)
  saved <- safetensors_read(path)
  other <- tempfile()
  refused <- function(what, from, to) {
    expect_match(saved$metadata[[what]], from, fixed = TRUE)
    safetensors_write(other, saved$tensors,
      replace(saved$metadata, what, sub(from, to, saved$metadata[[what]], fixed = TRUE)))
    expect_error(load_model(other), class = "nativenet_error_file")
  }
  memory <- grep("^optimizer/0001/", names(saved$tensors), value = TRUE)
  numbers <- as.array(saved$tensors[["optimizer/numbers"]])
  for (tensors in list(saved$tensors[setdiff(names(saved$tensors), memory[1])],
    replace(saved$tensors, "optimizer/numbers", list(tensor(numbers[-1]))),
    replace(saved$tensors, "optimizer/numbers", list(tensor(replace(numbers, 2, NaN)))))) {
    safetensors_write(other, tensors, saved$metadata)
    expect_error(load_model(other), "the state of another kind of optimizer", class = "nativenet_error_file")
  }
  for (units in c("1000000000", "100", "\"x\"", "{\"a\":1}")) refused("architecture", "\"units\":{\"value\":5}",
    paste0("\"units\":{\"value\":", units, "}"))
  refused("architecture", "\"shape\":[4]", "\"shape\":[2147483647,2147483647]")
  refused("architecture", "\"dtype\":\"float32\"", "\"dtype\":null")
  expect_no_warning(refused("architecture", "\"layer\":2", "\"layer\":3000000000"))
  for (layer in c("4", "-1", "null", "[1,2]")) refused("architecture", "\"layer\":2", paste0("\"layer\":", layer))
  for (place in c("[1,2]", "[0,1]", "[3,1]", "[\"a\",1]", "[]")) refused("architecture", "\"at\":[1,1]",
    paste0("\"at\":", place))
  for (to in c("system", "optimizer_zzz", "optimizer_sgd")) refused("training", "optimizer_adam", to)
  for (rate in c("-1", "\"a\"", "null")) refused("training", "\"learning_rate\":0.001",
    paste0("\"learning_rate\":", rate))
  refused("training", "\"metrics\"", "\"metrix\"")
  refused("training", "\"mean_squared_error\"", "\"zzz\"")
  changed <- function(name, value) {
    safetensors_write(other, replace(saved$tensors, name, list(value)), saved$metadata)
    expect_error(load_model(other), class = "nativenet_error_file")
  }
  changed("optimizer/numbers", tensor(1:2, "float64"))
  changed("optimizer/0001/1", tensor(1:8, "float32"))
  changed("optimizer/0001/1", as.raw(1:8))
})

test_that("a state of training that was forged is refused when it is resumed", {
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
  model |> compile("adam", "mse")
  stop_early <- callback_lambda(on_batch_end = function(batch, logs) stop("here"))
  expect_error(model |> fit(x[, 1:4], y, epochs = 1, batch_size = 10, verbose = 0, callbacks = stop_early), "here")
  path <- tempfile()
  save_model(model, path)
  saved <- safetensors_read(path)
  state <- saved$tensors[["interrupted/state"]]
  resume <- function(state, metadata = saved$metadata) {
    safetensors_write(path, replace(saved$tensors, "interrupted/state", list(state)), metadata)
    load_model(path) |> fit(x[, 1:4], y, epochs = 1, batch_size = 10, verbose = 0, resume = TRUE)
  }
  expect_s3_class(resume(state), "nn_history")
  position <- 65:72 # after two random states of 32 bytes
  for (bad in list(as.raw(1:3), replace(state, 1:32, as.raw(0)), replace(state, 33:64, as.raw(0)),
    replace(state, position, as.raw(255)), replace(state, position[8], as.raw(127)), tensor(1:3))) {
    expect_error(resume(bad), class = "nativenet_error")
  }
  for (noted in c("{\"epoch\":\"a\",\"rows\":40}", "{\"epoch\":-1,\"rows\":40}", "{}",
    "{\"epoch\":0,\"rows\":[1,2]}")) {
    expect_error(resume(state, replace(saved$metadata, "interrupted", noted)), class = "nativenet_error_file")
  }
})

test_that("each optimizer, schedule and metric survives saving, twice", {
  one_hot <- diag(3)[sample(3, 40, TRUE), ]
  path <- tempfile()
  check <- function(optimizer, metrics) {
    model <- keras_model_sequential(input_shape = 5) |> layer_dense(3, activation = "softmax")
    model |> compile(optimizer, "categorical_crossentropy", metrics = metrics)
    go <- function(model) {
      force(model) # loading after set.seed() would bring the saved random state back
      set.seed(4)
      model |> fit(x, one_hot, epochs = 1, batch_size = 16, verbose = 0)
    }
    go(model)
    save_model(model, path)
    again <- load_model(path)
    save_model(again, path)
    expect_identical(go(load_model(path))$metrics, go(model)$metrics)
    again <- load_model(path)
    go(again)
    expect_identical(get_weights(again), get_weights(model))
  }
  exponential <- learning_rate_schedule_exponential_decay # under a name of one's own
  optimizers <- list(
    optimizer_sgd(0.1, momentum = 0.9, nesterov = TRUE), optimizer_rmsprop(centered = TRUE, momentum = 0.5),
    optimizer_adam(0.01, 0.8, 0.9, 1e-5, amsgrad = TRUE), optimizer_adamw(weight_decay = 0.1),
    optimizer_adagrad(initial_accumulator_value = 0.3), optimizer_adadelta(rho = 0.9), optimizer_adamax(),
    optimizer_nadam(), optimizer_lion(weight_decay = 0.1), optimizer_ftrl(), optimizer_adam(use_ema = TRUE),
    optimizer_lamb(weight_decay = 0.1), optimizer_adafactor(beta_2_decay = -0.5), optimizer_muon(),
    optimizer_muon(exclude_layers = c("dense", "out"), nesterov = FALSE, use_ema = TRUE),
    optimizer_sgd(clipvalue = 0.01), optimizer_sgd(decay = 0.1),
    optimizer_sgd(exponential(0.1, 5, 0.5, staircase = TRUE)),
    optimizer_sgd(learning_rate_schedule_piecewise_constant_decay(c(2, 4), c(0.1, 0.01, 0.001))),
    optimizer_sgd(learning_rate_schedule_polynomial_decay(0.1, 5, cycle = TRUE)),
    optimizer_sgd(learning_rate_schedule_cosine_decay_restarts(0.1, 5))
  )
  for (optimizer in optimizers) check(optimizer, NULL)
  check("sgd", list(metric_accuracy(), metric_accuracy, metric_auc(num_thresholds = 50, curve = "PR"),
    metric_precision(thresholds = 0.3), "mae", loss_huber(delta = 0.2)))
})

test_that("each R function has a name of its own, by which it is asked for", {
  double <- function(x) x * 2
  loss_a <- function(y_true, y_pred) op_mean(op_square(y_true - y_pred), -1)
  gap <- function(y_true, y_pred) op_abs(y_true - y_pred)
  make <- function() {
    keras_model_sequential(input_shape = 1) |>
      layer_dense(1, activation = double, kernel_initializer = "ones", name = "a") |>
      layer_dense(1, activation = function(x) x + 100, kernel_initializer = "ones", name = "b") |>
      layer_lambda(structure(function(x) x * 1, py_function_name = "same"))
  }
  model <- make()
  expect_equal(as.vector(predict(model, matrix(1))), 102)
  model |> compile("sgd", loss_a, metrics = c("mae", gap, mp = function(y_true, y_pred) gap(y_true, y_pred) * 10,
    structure(function(y_true, y_pred) y_pred, py_function_name = "level")))
  scores <- evaluate(model, matrix(1), 100)
  expect_equal(as.numeric(scores), c(4, 2, 2, 20, 102))
  expect_named(scores, c("loss", "mae", "gap", "mp", "level"))
  raw <- serialize_model(model)
  custom <- list(a_activation = double, b_activation = function(x) x + 100, same = function(x) x * 1, loss_a = loss_a,
    gap = gap, mp = function(y_true, y_pred) gap(y_true, y_pred) * 10, level = function(y_true, y_pred) y_pred)
  again <- unserialize_model(unserialize_model(raw, custom) |> serialize_model(), custom)
  expect_equal(evaluate(again, matrix(1), 100), scores)
  for (name in names(custom)) {
    expect_error(unserialize_model(raw, custom[setdiff(names(custom), name)]), paste0("custom_objects = list\\(", name,
      " = "), class = "nativenet_error_custom")
  }
  expect_equal(predict(clone_model(set_weights(model, list(matrix(1), 0, matrix(1), 0))), matrix(0)), matrix(100))
  clashing <- make() |> layer_lambda(structure(function(x) x, py_function_name = "same"))
  expect_error(serialize_model(clashing), "two R functions of the model are called `same`",
    class = "nativenet_error_custom")
  model |> compile("sgd", function(y_true, y_pred) gap(y_true, y_pred), metrics = list(function(y_true, y_pred) y_pred,
    function(y_true, y_pred) y_true))
  expect_error(serialize_model(model), "two R functions of the model are called `custom`",
    class = "nativenet_error_custom")
  input <- layer_input(1)
  two <- keras_model(input, list(layer_dense(input, 1, name = "p"), layer_dense(input, 1, name = "q")))
  two |> compile("sgd", list(function(y_true, y_pred) gap(y_true, y_pred), function(y_true, y_pred)
    gap(y_true, y_pred) * 3), metrics = list(gap))
  expect_named(evaluate(two, matrix(1), list(1, 1)), c("loss", "p_loss", "q_loss", "p_gap", "q_gap"))
  expect_error(unserialize_model(serialize_model(two), list(p_loss = gap, gap = gap)), "q_loss = ",
    class = "nativenet_error_custom")
})

test_that("interrupted training with a validation split goes on from a file, here and in another process", {
  stop_early <- callback_lambda(on_batch_end = function(batch, logs) if (batch == 2) stop("here"))
  go <- function(model, ...) fit(model, x, y, epochs = 3, batch_size = 8, validation_split = 0.2, verbose = 0, ...)
  make <- function(optimizer) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = 5) |> layer_gaussian_noise(0.1) |> layer_masking() |>
      layer_dense(4) |> layer_dropout(0.3) |> layer_dense(1)
    model |> compile(optimizer(1 / 30), "mse")
  }
  path <- tempfile()
  for (optimizer in list(optimizer_sgd, function(rate) optimizer_sgd(rate, momentum = 0.9, nesterov = TRUE),
    function(rate) optimizer_rmsprop(rate, momentum = 0.5, centered = TRUE), function(rate)
    optimizer_adam(rate, amsgrad = TRUE), optimizer_adamw, optimizer_adagrad, optimizer_adadelta, optimizer_adamax,
    optimizer_nadam)) {
    whole <- make(optimizer)
    set.seed(2)
    history <- go(whole)
    model <- make(optimizer)
    set.seed(2)
    expect_error(go(model, callbacks = stop_early), "here")
    save_model(model, path)
    again <- load_model(path)
    expect_identical(go(again, resume = TRUE)$metrics, history$metrics)
    expect_identical(get_weights(again), get_weights(whole))
  }
  skip_if_not_installed("callr")
  there <- callr::r(function(path, x, y, library) {
    loadNamespace("nativenet", lib.loc = library)
    library(nativenet, lib.loc = library)
    model <- load_model(path)
    fit(model, x, y, epochs = 3, batch_size = 8, validation_split = 0.2, verbose = 0, resume = TRUE)
    get_weights(model)
  }, list(path, x, y, dirname(system.file(package = "nativenet"))), libpath = .libPaths())
  expect_identical(there, get_weights(whole))
})

test_that("a name that promises TensorFlow's format is told, once, with what is written", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  said <- function(code, words) {
    told <- conditionMessage(expect_warning(code, class = "nativenet_warning_format"))
    expect_match(told, words, fixed = TRUE)
  }
  path <- tempfile("named", fileext = ".pb")
  said(save_model(model, path), "is written in the safetensors format, not in TensorFlow's")
  expect_silent(save_model(model, path))
  expect_identical(get_weights(load_model(path)), get_weights(model))
  said(save_model_tf(model, tempfile("tf")), "`save_model_tf()`:")
  expect_silent(save_model_hdf5(model, tempfile(fileext = ".safetensors")))
  expect_silent(save_model(model, tempfile("plain")))
  said(of_run <- callback_model_checkpoint(file.path(tempdir(), "run-{epoch}.pb")), "`callback_model_checkpoint()`:")
  model |> compile("sgd", "mse")
  expect_silent(fit(model, diag(2), 1:2, epochs = 1, verbose = 0, callbacks = of_run))
})

test_that("readers of models name themselves, and say what a file of another format is", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  refused <- function(code, ...) {
    said <- conditionMessage(expect_error(code, class = "nativenet_error_file"))
    for (words in c(...)) expect_match(said, words, fixed = TRUE)
  }
  refused(load_model("none.safetensors"),
    "`load_model()`: there is no file \"none.safetensors\" in the working directory, \"")
  refused(load_model_hdf5("/none/x"), "`load_model_hdf5()`: there is no file \"/none/x\"")
  refused(load_model_weights(model, "/none/x"), "`load_model_weights()`: there is no file")
  refused(load_model_tf(tempdir()), "`load_model_tf()`:", "is a folder, such as TensorFlow saves models in",
    "model.save(")
  expect_error(load_model(), "`load_model()`: `filepath` must be given", fixed = TRUE)
  expect_error(load_model(3), "`load_model()`: `filepath` must be a single string, not 3", fixed = TRUE)
  refused(save_model(model, "/none/x"), "`save_model()`: cannot write")
  refused(save_model_weights(model, "/none/x"), "`save_model_weights()`: cannot write")
  path <- tempfile()
  holds <- function(...) writeBin(as.raw(c(..., rep(0, 100))), path)
  holds(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)
  refused(safetensors_read(path), "`safetensors_read()`:", "HDF5")
  holds(0x50, 0x4b, 0x03, 0x04)
  refused(load_model(path), "it is no zip archive")
  refused(safetensors_read(path), "a zip archive, such as Keras writes by the ending .keras")
  holds(0x80, 0x04)
  refused(load_model(path), "a pickle of Python", "model.save(")
  holds(0x93, charToRaw("NUMPY"))
  refused(load_model(path), "`read_npy()`")
  saveRDS(1, path)
  refused(load_model(path), "a file of R objects; `readRDS()`")
  save_model_weights(model, path)
  refused(load_model(path), "holds weights alone, without a model", "load_model_weights(model,")
  expect_error(load_model_weights(model, path, by_name = 1), "`load_model_weights()`: `by_name` must be", fixed = TRUE)
})

test_that("the mask of a lambda layer and functions among its arguments have names of their own", {
  double <- function(x, g) g(x) * 2
  half <- function(x) x / 2
  all_real <- function(x, mask) mask
  model <- keras_model_sequential(input_shape = c(3, 2)) |>
    layer_lambda(double, mask = all_real, arguments = list(g = half), name = "own")
  raw <- serialize_model(model)
  expect_false(grepl("function", safetensors_from_raw(raw)$metadata$architecture))
  custom <- list(own = double, own_mask = all_real, own_g = half)
  for (name in names(custom)) {
    expect_error(unserialize_model(raw, custom[setdiff(names(custom), name)]),
      paste0("`custom_objects = list(", name, " = ...)`"), fixed = TRUE, class = "nativenet_error_custom")
  }
  x <- array(1:6, c(1, 3, 2))
  for (again in list(unserialize_model(raw, custom), clone_model(model))) {
    expect_equal(predict(again, x), x + 0)
    config <- again$layers[[1]]$get_config()
    expect_identical(environment(config$mask), environment(all_real))
  }
  same <- function(f) structure(f, py_function_name = "same")
  expect_error(serialize_model(keras_model_sequential(input_shape = 3) |>
    layer_lambda(same(function(x) x), mask = same(function(x, mask) mask))),
    "two R functions of the model are called `same`", fixed = TRUE, class = "nativenet_error_custom")
})

test_that("training goes on with the random numbers of any of R's generators, whatever their state", {
  keeping_random_state({
    for (kind in c("L'Ecuyer-CMRG", "Wichmann-Hill", "Knuth-TAOCP-2002", "Mersenne-Twister")) {
      set.seed(5, kind)
      state <- random_state_now()
      if (kind == "Mersenne-Twister") state[100] <- NA # the lowest number of 32 bits
      put_random_state(state)
      model <- keras_model_sequential(input_shape = 4) |> layer_dropout(0.5) |> layer_dense(4)
      model |> compile("sgd", "mse")
      put_random_state(state)
      path <- tempfile()
      save_model(model, path)
      loaded <- load_model(path)
      model |> fit(x[, 1:4], x[, 1:4], epochs = 1, verbose = 0)
      after <- random_state_now()
      put_random_state(state)
      runif(7)
      loaded <- load_model(path)
      loaded |> fit(x[, 1:4], x[, 1:4], epochs = 1, verbose = 0)
      expect_identical(random_state_now(), after)
    }
  })
})

test_that("what is no state of a generator is none in a file, either", {
  state <- random_state_tensor()
  expect_identical(read_random_state(state), random_state_now())
  good <- as.vector(as.array(state))
  for (bad in list(1:4, integer(), replace(good, 1, 10305), replace(good, 1, 10403 + 5), replace(good, 1, 90403)))
    expect_null(read_random_state(tensor(bad, "int32")))
  expect_null(read_random_state(tensor(good, "float64")))
  expect_null(read_random_state(as.raw(1:3)))
})

test_that("clones may have other inputs and other layers; a model without a file is a raw vector", {
  input <- layer_input(3)
  inner <- keras_model_sequential(input_shape = 4, name = "inner") |> layer_dense(4, name = "deep")
  model <- keras_model(input, input |> layer_dense(4, name = "first") |> inner() |> layer_dense(2, name = "last"))
  other <- layer_input(3)
  clone <- clone_model(model, input_tensors = list(other))
  expect_identical(clone$inputs[[1]], other)
  expect_identical(lapply(get_weights(clone), dim), lapply(get_weights(model), dim))
  seen <- character()
  wider <- function(layer) {
    seen <<- c(seen, layer$name)
    if (layer$name == "last") layer_dense(units = 5, name = "last") else from_config(get_config(layer))
  }
  expect_identical(dim(clone_model(model, clone_function = wider)$output), c(NA, 5L))
  expect_setequal(seen, c("first", "inner", "last"))
  seen <- character()
  clone_model(model, clone_function = wider, recursive = TRUE)
  expect_setequal(seen, c("first", "deep", "last"))
  expect_refusal(clone_model(model, clone_function = function(layer) 1), "value", "must give a layer")
  expect_refusal(clone_model(model, input_tensors = list(other, other)), "value", "`input_tensors`")
  raw <- save_model(model)
  expect_type(raw, "raw")
  expect_identical(get_weights(load_model(raw)), get_weights(model))
})
