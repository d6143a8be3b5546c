# Objects that come from a file or another process: each is still one of its own, untouched as it is.

seeded <- function(use, model) {
  set.seed(2)
  use(model)
}
again <- function(x) unserialize(serialize(x, NULL))
x <- matrix(rep_len(c(0.3, -1.2, 0.8, 2, -0.5, 1.1, 0), 36), 12)
y <- rep(c(0, 1, 1), 4)

small_model <- function() {
  set.seed(1)
  model <- keras_model_sequential(input_shape = 3) |>
    layer_dense(4, activation = "tanh", bias_constraint = constraint_maxnorm(1),
      kernel_regularizer = regularizer_l2(0.01)) |>
    layer_dropout(0.2) |> layer_dense(1, activation = "sigmoid")
  model |> compile(optimizer_adam(0.05), "binary_crossentropy", metrics = c("accuracy", "auc"))
}

#' What one may do with a model first of all, each on a copy of its own.
uses_of_models <- list(
  weights = get_weights, trained = function(m) get_weights(m, trainable = TRUE), count = count_params, coef = coef,
  members = function(m) c(length(m$weights), length(m$trainable_weights), length(m$non_trainable_weights),
    length(m$layers[[1]]$variables)),
  printed = function(m) capture.output(print(m)), predict = function(m) predict(m, x), evaluate = function(m)
  evaluate(m, x, y), called = function(m) as.array(m(x)), file = function(m)
  predict(unserialize_model(serialize_model(m)), x), weights_file = function(m) {
    save_model_weights(m, path <- tempfile())
    get_weights(load_model_weights(small_model(), path))
  },
  given = function(m) get_weights(set_weights(m, lapply(get_weights(small_model()), function(w) w + 1))),
  fit = function(m) {
    list(fit(m, x, y, batch_size = 5, epochs = 3, verbose = 0)$metrics, get_weights(m), m$optimizer$get_weights())
  },
  compiled = function(m) {
    m |> compile("sgd", "mse")
    list(fit(m, x, y, batch_size = 5, epochs = 3, verbose = 0)$metrics, get_weights(m))
  },
  batch = function(m) list(train_on_batch(m, x, y), get_weights(m)),
  frozen = function(m) {
    freeze_weights(m, to = 1) |> compile("sgd", "mse")
    fit(m, x, y, epochs = 1, verbose = 0)
    list(get_weights(m), get_weights(m, trainable = TRUE))
  },
  tape = function(m) {
    with(tf$GradientTape() %as% tape, loss <- op_mean(m(x)))
    lapply(tape$gradient(loss, m$trainable_weights), as.array)
  },
  clone = function(m) lapply(get_weights(clone_model(m)), dim),
  longer = function(m) lapply(get_weights(m |> layer_dense(2)), dim),
  shorter = function(m) lapply(get_weights(pop_layer(m)), dim),
  graph = function(m) predict(keras_model(m$input, m$layers[[1]]$output), x),
  inner = function(m) get_weights(keras_model_sequential(input_shape = 3) |> m() |>
    layer_dense(2, kernel_initializer = "ones")),
  twice = function(m) get_weights(again(m))
)

test_that("a model does all it did when it comes back", {
  model <- small_model()
  fit(model, x, y, epochs = 1, verbose = 0)
  stored <- serialize(model, NULL)
  for (use in names(uses_of_models)) {
    # the copy that was there before has been touched all over
    first <- unserialize(stored)
    get_weights(first)
    lapply(first$optimizer$variables(), dim)
    expect_identical(seeded(uses_of_models[[use]], unserialize(stored)), seeded(uses_of_models[[use]], first),
      info = use)
  }
  expect_length(get_weights(unserialize(stored)), 4)
  expect_identical(count_params(unserialize(stored)), count_params(model))
})

test_that("two models from files may become one, whatever numbers their layers had where they were made", {
  make <- function() keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dense(2)
  a <- make()
  b <- make()
  fake <- function(model) { # as if each had been the first of its session
    stored <- again(model)
    self <- environment(stored)$self
    for (k in seq_along(self$plan$nodes)) self$plan$nodes[[k]]$number <- k
    stored
  }
  a2 <- fake(a)
  b2 <- fake(b)
  both <- keras_model(list(a2$input, b2$input), layer_add(list(a2$output, b2$output)))
  expect_equal(predict(both, list(x, x)), predict(a, x) + predict(b, x), tolerance = 1e-6)
  expect_length(get_weights(both), 8)
  expect_equal(predict(unserialize_model(serialize_model(both)), list(x, x)), predict(both, list(x, x)))
  longer <- a2$output |> layer_dense(1)
  expect_equal(dim(predict(keras_model(a2$input, longer), x)), c(12, 1))
})

test_that("lists of variables and what computes with them", {
  v <- list(a = variable(1), b = variable(1), c = variable(c(1, 2)))
  expect_false(is_same(again(v)$a, again(v)$b))
  expect_length(unique_objects(again(v)), 3)
  expect_length(unique_objects(again(c(v, v))), 3)
  expect_true(is_same(list(v[[1]], 2), list(v[[1]], 2)))
  optimizer <- optimizer_adam(0.1)
  step <- function(all) {
    all$optimizer$apply_gradients(Map(function(w, g) list(tensor(g), w), all$v, list(1, -2, c(0.5, 3))))
    lapply(c(all$v, all$optimizer$variables()), as.array)
  }
  all <- list(optimizer = optimizer, v = v)
  step(all)
  stored <- again(all)
  expect_identical(step(stored), step(all))
  for (doubled in list(autograph(function(w) w * 2), autograph(function(w) op_sum(w$value() * 2)))) {
    w <- again(list(variable(1), variable(10)))
    expect_identical(c(as.array(doubled(w[[1]])), as.array(doubled(w[[2]]))), c(2, 20))
  }
  # a guard sees another variable in the place of one
  held <- again(list(variable(1), variable(10)))
  w <- held[[1]]
  times <- autograph(function(k) w * k)
  expect_identical(as.array(times(tensor(3))), 3)
  w <- held[[2]]
  expect_identical(as.array(times(tensor(3))), 30)
  tape <- gradient_tape(persistent = TRUE)
  with(tape, loss <- v$a * v$b * 3)
  stored <- again(list(tape = tape, v = v, loss = loss))
  expect_equal(lapply(stored$tape$gradient(stored$loss, unname(stored$v[1:2])), as.array),
    lapply(tape$gradient(loss, unname(v[1:2])), as.array))
  net <- nn_module("Net", initialize = function(self) self$w <- list(variable(1), variable(2)), call = function(self, x)
    x * self$w[[2]])()
  expect_length(again(net)$variables, 2)
})

test_that("data sets, histories and networks of the course", {
  arrays <- tensor_slices_dataset(list(x, y)) |> dataset_shuffle(12) |> dataset_map(function(a, b) list(a * 2, b)) |>
    dataset_batch(5)
  all <- function(dataset) {
    set.seed(3)
    lapply(dataset_collect(dataset), lapply, as.array)
  }
  expect_identical(all(again(arrays)), all(arrays))
  model <- small_model()
  history <- fit(model, arrays, epochs = 2, verbose = 0)
  expect_identical(as.data.frame(again(history)), as.data.frame(history))
  expect_identical(capture.output(print(again(history))), capture.output(print(history)))
  set.seed(1)
  network <- build_dense_neural_network(3, list(4, relu(), 3, htan(), 1, sigmoid()), binary_crossentropy(),
    gradient_descent_optimizer(learning_rate = 0.1))
  uses <- list(
    function(n) n$predict(x), function(n) n$weights, function(n) capture.output(print(n)),
    function(n) {
      set.seed(4)
      n$fit(x, matrix(y), epochs = 3, batch_size = 5)
      list(n$weights, n$biases)
    }
  )
  uses[[4]](network)
  for (use in uses) expect_identical(use(again(network)), use(network$copy()))
})

test_that("in another process, too", {
  skip_if_not_installed("callr")
  model <- small_model()
  fit(model, x, y, epochs = 1, verbose = 0)
  path <- tempfile()
  save_model(model, path)
  uses <- uses_of_models[setdiff(names(uses_of_models), "clone")]
  run <- function(stored, path, uses, seeded, library) {
    loadNamespace("nativenet", lib.loc = library)
    library(nativenet, lib.loc = library)
    results <- lapply(uses, function(use) seeded(use, unserialize(stored)))
    # names of layers in a file are taken
    loaded <- load_model(path)
    results$named <- get_weights(loaded |> layer_dense(1, kernel_initializer = "ones"))
    foreign <- unserialize(stored)
    results$branch <- length(get_weights(keras_model(foreign$input, foreign$output |> layer_dense(1))))
    results
  }
  there <- callr::r(run, list(serialize(model, NULL), path, uses, seeded, dirname(system.file(package = "nativenet"))),
    libpath = .libPaths())
  expect_identical(there[names(uses)], lapply(uses, function(use) seeded(use, again(model))))
  expect_length(there$named, 6)
  expect_identical(there$branch, 6L)
})
