# Training in the engine: reproducible to the bit, and whatever stops it leaves a network that can go on.

problem <- function(rows = 256, inputs = 150, k = 10) {
  set.seed(100)
  x <- matrix(rnorm(rows * inputs), rows)
  list(x = x, y = to_categorical(max.col(x[, 1:k]) - 1, k))
}
big <- problem()
# Large enough for two threads: a step is some 20 million multiplications.
large_network <- function(optimizer = adam_optimizer(learning_rate = 0.01), dtype = "float32", seed = 1,
  hidden = relu()) {
  set.seed(seed)
  build_dense_neural_network(150, list(128, hidden, 64, htan(), 10, softmax()), categorical_crossentropy(), optimizer,
    l2 = 1e-5, dtype = dtype)
}
numbers <- function(network) unlist(c(network$weights, network$biases))
fitted <- function(seed = 1, ..., threads = 1, verbose = FALSE) {
  old <- nn_threads()
  on.exit(nn_threads(old))
  nn_threads(threads)
  network <- large_network(...)
  set.seed(seed)
  capture.output(history <- network$fit(big$x, big$y, epochs = 2, batch_size = 100, verbose = verbose))
  list(numbers(network), history$loss, network$predict(big$x), runif(1))
}

xor_x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), nrow = 4, ncol = 2, byrow = TRUE)
xor_y <- matrix(c(0, 1, 1, 0), nrow = 4, ncol = 1)
xor_network <- function(optimizer = gradient_descent_optimizer(learning_rate = 1), ...) {
  set.seed(1)
  build_dense_neural_network(2, list(4, htan(), 1, sigmoid()), binary_crossentropy(), optimizer, ...)
}

test_that("set.seed() governs: the same seed the same bits, another seed other ones", {
  one <- fitted(seed = 3)
  expect_identical(fitted(seed = 3), one)
  other <- fitted(seed = 4)
  expect_false(identical(other[[1]], one[[1]]))
  expect_lt(one[[2]][2], one[[2]][1])
})

test_that("R's generator advances the same whatever verbose, shuffle, threads and the number of epochs", {
  after <- function(...) {
    set.seed(5)
    network <- xor_network()
    set.seed(7)
    capture.output(network$fit(xor_x, xor_y, batch_size = 2, ...))
    runif(1)
  }
  expected <- after(epochs = 1, verbose = FALSE)
  expect_identical(after(epochs = 1, verbose = TRUE), expected)
  expect_identical(after(epochs = 5, verbose = FALSE), expected)
  expect_identical(after(epochs = 1, verbose = FALSE, on_epoch = function(epoch, loss) TRUE), expected)
  expect_identical(fitted(verbose = TRUE), fitted(verbose = FALSE))
})

test_that("without shuffling the seed does not matter", {
  run <- function(seed) {
    network <- xor_network()
    set.seed(seed)
    network$fit(xor_x, xor_y, epochs = 3, batch_size = 3, shuffle = FALSE, verbose = FALSE)
    numbers(network)
  }
  expect_identical(run(1), run(2))
})

test_that("one and two threads give the same bits, for each instruction set and dtype", {
  on.exit(.Call(nativenet:::C_kernels, "widest")) # the widest there is
  for (set in kernel_sets()) {
    .Call(nativenet:::C_kernels, set)
    for (dtype in c("float32", "float64")) {
      expect_identical(fitted(dtype = dtype, threads = 2), fitted(dtype = dtype, threads = 1), info = paste(set, dtype))
    }
  }
})

test_that("one and two threads give the same bits for every optimizer, and step by step", {
  old <- nn_threads()
  on.exit(nn_threads(old))
  for (make in list(gradient_descent_optimizer, momentum_optimizer, rmsprop_optimizer, adamw_optimizer,
    adagrad_optimizer)) {
    expect_identical(fitted(optimizer = make(), threads = 2), fitted(optimizer = make(), threads = 1))
  }
  steps <- function(threads) {
    nn_threads(threads)
    network <- large_network()
    losses <- vapply(c(256, 31, 256, 97), function(n) network$train_on_batch(big$x[1:n, ], big$y[1:n, ]), 0)
    list(losses, network$gradients(big$x, big$y), numbers(network))
  }
  expect_identical(steps(2), steps(1))
})

test_that("a loss that is no number any more is an error that leaves finite weights to go on with", {
  for (dtype in c("float64", "float32")) {
    set.seed(1)
    network <- build_dense_neural_network(2, list(8, relu(), 1, linear()), mean_squared_error(),
      gradient_descent_optimizer(learning_rate = 1e10), dtype = dtype)
    expect_error(network$fit(10 * xor_x, xor_y, epochs = 1000, batch_size = 2, verbose = FALSE),
      "`fit()`: the loss is no longer a finite number", fixed = TRUE, class = "nativenet_error_nan")
    expect_true(all(is.finite(numbers(network))))
    expect_true(all(is.finite(network$predict(xor_x))))
    set.seed(2)
    network <- build_dense_neural_network(2, list(8, relu(), 1, linear()), mean_squared_error(),
      gradient_descent_optimizer(learning_rate = 1e10), dtype = dtype)
    error <- NULL
    for (i in 1:100) if (is.null(error)) error <- tryCatch({
      network$train_on_batch(xor_x, xor_y)
      NULL
    }, error = identity)
    expect_s3_class(error, "nativenet_error_nan")
    expect_true(all(is.finite(numbers(network))))
  }
})

test_that("after such an error training goes on with a smaller rate", {
  set.seed(3)
  network <- build_dense_neural_network(2, list(8, htan(), 1, linear()), mean_squared_error(),
    adam_optimizer(learning_rate = 0.01), dtype = "float32")
  network$fit(xor_x, xor_y, epochs = 50, batch_size = 4, verbose = FALSE)
  network$optimizer$learning_rate <- 3e38
  expect_error(network$fit(xor_x, xor_y, epochs = 50, batch_size = 4, verbose = FALSE), class = "nativenet_error_nan")
  network$optimizer$learning_rate <- 0.01
  losses <- network$fit(xor_x, xor_y, epochs = 200, batch_size = 4, verbose = FALSE)$loss
  expect_true(all(is.finite(losses)))
  expect_lt(losses[200], losses[1])
})

test_that("weights never stop being finite numbers without an error", {
  # a single step with a gigantic rate: the loss before it is fine, the weights after it are not
  for (activation in list(htan(), relu())) for (dtype in c("float64", "float32")) {
    network <- dense_neural_network(weights = list(matrix(0.5, 1, 2), matrix(0.5, 2, 1)), biases = list(c(0, 0), 0),
      activations = list(activation, linear()), loss = mean_squared_error(),
      optimizer = gradient_descent_optimizer(learning_rate = 1e308), dtype = dtype)
    try(network$train_on_batch(matrix(100), matrix(-1e4)), silent = TRUE)
    expect_true(all(is.finite(numbers(network))), info = paste(class(activation)[1], dtype))
  }
})

test_that("weights that explode go back to those of at most 32 steps before, and Adam's memory with them", {
  set.seed(1)
  network <- build_dense_neural_network(2, list(4, relu(), 1, linear()), mean_squared_error(),
    adam_optimizer(learning_rate = 0.01), dtype = "float32")
  network$predict(xor_x) # weights are float32 from here on
  seen <- list()
  step <- function() {
    seen[[length(seen) + 1]] <<- numbers(network)
    network$train_on_batch(xor_x, xor_y)
  }
  for (i in 1:61) step()
  network$optimizer$learning_rate <- 1e30
  expect_error(for (i in 1:10) step(), class = "nativenet_error_nan")
  back <- which(vapply(seen, identical, NA, numbers(network)))
  expect_identical(back, 33L) # kept before the first step and after 32
  expect_lte(length(seen) - back, 32)
  network$optimizer$learning_rate <- 0.01
  for (i in back:61) {
    expect_identical(numbers(network), seen[[i]])
    network$train_on_batch(xor_x, xor_y)
  }
})

test_that("a batch whose loss overflows does not undo the steps before it", {
  network <- xor_network()
  network$activations <- list(htan(), linear())
  network$loss <- mean_squared_error()
  network$optimizer$learning_rate <- 0.1
  for (i in 1:40) network$train_on_batch(xor_x, xor_y)
  before <- numbers(network)
  expect_error(network$train_on_batch(xor_x, 1e200 * xor_y), class = "nativenet_error_nan")
  expect_identical(numbers(network), before)
})

test_that("an error, warning or jump in on_epoch leaves a network of that epoch that can go on", {
  network <- xor_network(adam_optimizer(learning_rate = 0.1))
  twin <- xor_network(adam_optimizer(learning_rate = 0.1))
  twin$fit(xor_x, xor_y, epochs = 2, batch_size = 4, shuffle = FALSE, verbose = FALSE)
  ways <- list(
    function() stop("no more"), function() stop(structure(class = c("own_condition", "error", "condition"),
      list(message = "no more", call = NULL))), function() invokeRestart("enough"), function() log("a")
  )
  for (way in ways) {
    network <- xor_network(adam_optimizer(learning_rate = 0.1))
    withRestarts(try(network$fit(xor_x, xor_y, epochs = 9, batch_size = 4, shuffle = FALSE, verbose = FALSE,
      on_epoch = function(epoch, loss) if (epoch == 2) way()), silent = TRUE), enough = function() NULL)
    expect_identical(numbers(network), numbers(twin))
    expect_identical(network$train_on_batch(xor_x, xor_y), twin$copy()$train_on_batch(xor_x, xor_y))
  }
  expect_warning(xor_network()$fit(xor_x, xor_y, epochs = 2, batch_size = 4, verbose = FALSE,
    on_epoch = function(epoch, loss) if (epoch == 1) warning("hm")), "hm")
})

test_that("a time limit stops fit with R's own error and a usable network", {
  network <- large_network()
  set.seed(1)
  began <- processor_time()
  expect_error({
    setTimeLimit(cpu = 0.3, transient = TRUE)
    on.exit(setTimeLimit())
    network$fit(big$x, big$y, epochs = 1e6, batch_size = 64, verbose = FALSE)
  }, "time limit")
  setTimeLimit()
  expect_lt(processor_time() - began, 1.5)
  expect_true(all(is.finite(numbers(network))))
  expect_length(network$fit(big$x, big$y, epochs = 1, batch_size = 64, verbose = FALSE)$loss, 1)
})

test_that("an interrupt stops fit within half a second; it can be caught, and training can go on", {
  skip_on_os("windows")
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0", "slow")
  skip_if_not_installed("callr")
  child <- callr::r_session$new()
  on.exit(child$close())
  child$run(function(x, y) {
    library(nativenet)
    big <<- list(x = x, y = y)
    set.seed(1)
    network <<- build_dense_neural_network(150, list(128, relu(), 64, htan(), 10, softmax()),
      categorical_crossentropy(), adam_optimizer(), dtype = "float32")
    network$fit(big$x, big$y, epochs = 1, batch_size = 64, verbose = FALSE)
  }, list(big$x, big$y))
  for (threads in 1:2) for (wait in list(c(0.05, 0.33), c(0.2, 0.5))[[threads]]) {
    result <- interrupted(child, function(running, threads) {
      nn_threads(threads)
      before <- network$weights
      tell <- function(epoch, loss) epoch > 1 || file.create(running)
      caught <- tryCatch(network$fit(big$x, big$y, epochs = 1e6, batch_size = 64, verbose = FALSE, on_epoch = tell),
        interrupt = function(e) "interrupted")
      stopped <- sum(proc.time()[c("user.self", "sys.self")])
      finite <- all(is.finite(unlist(c(network$weights, network$biases))))
      again <- network$fit(big$x, big$y, epochs = 1, batch_size = 64, verbose = FALSE)$loss
      list(caught, finite, is.finite(again), identical(before, network$weights), stopped)
    }, threads, wait = wait)
    expect_identical(unname(result[1:4]), list("interrupted", TRUE, TRUE, FALSE))
    expect_lt(result[[5]] - attr(result, "sent"), 0.5 * threads)
  }
})

test_that("forked children can train after the parent used threads, and the parent goes on", {
  skip_on_os("windows")
  skip_if_not_installed("callr")
  agree <- callr::r(function(x, y) { # in a process of its own, which a hanging child takes down in the end
    library(nativenet)
    nn_threads(2)
    network <- build_dense_neural_network(150, list(128, relu(), 10, softmax()), categorical_crossentropy(),
      adam_optimizer())
    network$train_on_batch(x, y)
    expected <- network$copy()$gradients(x, y)
    children <- parallel::mclapply(1:4, function(i) network$gradients(x, y), mc.cores = 2)
    vapply(c(children, list(network$gradients(x, y))), identical, NA, expected)
  }, list(big$x, big$y), timeout = 600)
  expect_identical(agree, rep(TRUE, 5))
})

test_that("networks that are dropped are collected", {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0", "slow")
  x <- matrix(0, 64, 100)
  cycle <- function(n) {
    for (i in seq_len(n)) {
      network <- build_dense_neural_network(100, list(200, relu(), 10, softmax()), categorical_crossentropy(),
        adam_optimizer())
      network$train_on_batch(x, numeric(64))
    }
    rm(network)
    gc()
    sum(gc()[, 2])
  }
  start <- cycle(5)
  expect_lt(cycle(30) - start, 0.5) # megabytes; one network has about one
})

test_that("a dtype and an instruction set do not change what is learned, beyond rounding", {
  on.exit(.Call(nativenet:::C_kernels, "widest"))
  best <- fitted(dtype = "float64", optimizer = gradient_descent_optimizer(learning_rate = 0.1))
  .Call(nativenet:::C_kernels, "portable")
  expect_equal(fitted(dtype = "float64", optimizer = gradient_descent_optimizer(learning_rate = 0.1)), best,
    tolerance = 1e-11)
  expect_equal(fitted(dtype = "float32", optimizer = gradient_descent_optimizer(learning_rate = 0.1)), best,
    tolerance = 1e-4)
})
