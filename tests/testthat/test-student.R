# A fresh session in which a student loads the package and types the course sheet: classes of the same names,
# defined in the workspace, must be theirs and come without a word from R.

# R compiles functions that are called twice, which takes a third of the time and changes nothing: one test has it.
run_student <- function(code, attach = TRUE, compile = FALSE) {
  script <- tempfile(fileext = ".R")
  on.exit(unlink(script))
  paths <- paste(deparse(.libPaths()), collapse = "")
  writeLines(c(sprintf(".libPaths(%s)", paths), "options(warn = 1)", if (attach) "library(nativenet)", code,
    "cat('[end]\\n')"), script)
  rscript <- file.path(R.home("bin"), "Rscript")
  said <- suppressWarnings(system2(rscript, c("--vanilla", shQuote(script)), stdout = TRUE, stderr = TRUE,
    env = if (!compile) "R_ENABLE_JIT=0"))
  # what R says of each class where its recommended packages are left out
  grep("recommended package .codetools. not available", said, value = TRUE, invert = TRUE)
}

# The sheet's classes, shortened; calls are counted to see that it is they who run.
sheet <- '
calls <- 0
called <- function() assign("calls", calls + 1, envir = globalenv())
loss_function = setRefClass("loss_function", methods = list(
  forward = function(y_true, y_pred) NA, backward = function(y_true, y_pred) NA))
binary_crossentropy = setRefClass("binary_crossentropy", contains = "loss_function", methods = list(
  forward = function(y_true, y_pred) {
    called()
    -sum(y_true * log(y_pred + 1e-9) + (1 - y_true) * log(1 - y_pred + 1e-9)) / nrow(y_true)
  },
  backward = function(y_true, y_pred) -(y_true / (y_pred + 1e-9) - (1 - y_true) / (1 - y_pred + 1e-9)) / nrow(y_true)))
activation = setRefClass("activation", methods = list(forward = function(x) NA, backward = function(x) NA))
relu = setRefClass("relu", contains = "activation", methods = list(
  forward = function(x) ifelse(x > 0, x, 0), backward = function(x) ifelse(x > 0, 1, 0)))
sigmoid = setRefClass("sigmoid", contains = "activation", methods = list(
  forward = function(x) 1 / (1 + exp(-x)), backward = function(x) exp(-x) / (1 + exp(-x))^2))
htan = setRefClass("htan", contains = "activation", methods = list(
  forward = function(x) { called(); tanh(x) }, backward = function(x) 1 - tanh(x)^2))
gradient_descent_optimizer = setRefClass("gradient_descent_optimizer", fields = list(learning_rate = "numeric"),
  methods = list(
  step = function(x, gradient) { called(); x - learning_rate * gradient }))
dense_neural_network = setRefClass("dense_neural_network",
  fields = list(weights = "list", biases = "list", activations = "list", loss = "loss_function",
    optimizer = "gradient_descent_optimizer"),
  methods = list(
    predict = function(batch_x) {
      result = batch_x
      for (i in 1:length(weights)) {
        bias_matrix = matrix(rep(biases[[i]], nrow(batch_x)), nrow = nrow(batch_x), byrow = TRUE)
        result = activations[[i]]$forward(result %*% weights[[i]] + bias_matrix)
      }
      result
    },
    train_on_batch = function(batch_x, batch_y, iter, lrate) {
      y = list(batch_x)
      z = list()
      for (i in 1:length(weights)) {
        z[[i]] = y[[i]] %*% weights[[i]] + matrix(rep(biases[[i]], nrow(batch_x)), nrow = nrow(batch_x), byrow = TRUE)
        y[[i + 1]] = activations[[i]]$forward(z[[i]])
      }
      n = length(weights)
      g = loss$backward(batch_y, y[[n + 1]])
      for (i in n:1) {
        delta = g * activations[[i]]$backward(z[[i]])
        g = delta %*% t(weights[[i]])
        weights[[i]] <<- optimizer$step(weights[[i]], t(y[[i]]) %*% delta)
        biases[[i]] <<- optimizer$step(biases[[i]], colSums(delta))
      }
      loss$forward(batch_y, y[[n + 1]])
    }))
'
sheet_network <- '
set.seed(1)
w <- list(matrix(rnorm(8), 2), matrix(rnorm(4), 4)); b <- list(numeric(4), 0)
x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE); y <- matrix(c(0, 1, 1, 0), 4)
network <- dense_neural_network(weights = w, biases = b, activations = list(htan(), sigmoid()),
  loss = binary_crossentropy(),
  optimizer = gradient_descent_optimizer(learning_rate = 1))
losses <- sapply(1:300, function(i) network$train_on_batch(x, y))
stopifnot(calls > 300, losses[300] < losses[1])
'
ours <- '
mine <- list(network$weights, network$biases)
reference <- nativenet::dense_neural_network(weights = w, biases = b, activations = list(nativenet::htan(),
  nativenet::sigmoid()),
  loss = nativenet::binary_crossentropy(), optimizer = nativenet::gradient_descent_optimizer(learning_rate = 1))
reference_losses <- sapply(1:300, function(i) reference$train_on_batch(x, y))
stopifnot(all.equal(losses, reference_losses, tolerance = 1e-5),
  all.equal(mine, list(reference$weights, reference$biases), tolerance = 1e-5))
'

test_that("the sheet's own classes can be typed after library(nativenet), and again, and learn what ours learn", {
  expect_identical(run_student(c(sheet, sheet_network, sheet, sheet_network, ours), compile = TRUE), "[end]")
})

test_that("without library() both live side by side too, whichever comes first", {
  first <- "stopifnot(identical(nativenet::relu()$forward(c(-1, 2)), c(0, 2)))"
  last <- "stopifnot(is(nativenet::relu(), 'activation'), identical(nativenet::sigmoid()$forward(0), 0.5))"
  expect_identical(run_student(c(first, sheet, sheet_network, ours, last), attach = FALSE), "[end]")
  expect_identical(run_student(c(sheet, sheet_network, ours, "library(nativenet, warn.conflicts = FALSE)",
    "stopifnot(identical(attr(class(relu()), 'package'), '.GlobalEnv'))", sheet_network, ours), attach = FALSE),
    "[end]")
})

test_that("their classes plug into our network: their own base classes, without pull() or key", {
  mixed <- '
  set.seed(1)
  network <- build_dense_neural_network(2, list(4, htan(), 1, sigmoid()), binary_crossentropy(),
    gradient_descent_optimizer(learning_rate = 1))
  set.seed(1)
  reference <- build_dense_neural_network(2, list(4, nativenet::htan(), 1, nativenet::sigmoid()),
    nativenet::binary_crossentropy(),
    nativenet::gradient_descent_optimizer(learning_rate = 1))
  stopifnot(is(network, "dense_neural_network"), identical(attr(class(network), "package"), "nativenet"))
  x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE); y <- matrix(c(0, 1, 1, 0), 4)
  a <- sapply(1:100, function(i) network$train_on_batch(x, y))
  b <- sapply(1:100, function(i) reference$train_on_batch(x, y))
  stopifnot(calls > 100, all.equal(a, b, tolerance = 1e-6), all.equal(network$predict(x), reference$predict(x),
    tolerance = 1e-6))
  set.seed(2); a <- network$fit(x, y, epochs = 5, batch_size = 4, verbose = FALSE)$loss
  set.seed(2); b <- reference$fit(x, y, epochs = 5, batch_size = 4, verbose = FALSE)$loss
  stopifnot(all.equal(a, b, tolerance = 1e-6), all(check_gradient(network, x, y)$ok), check_gradient(htan(), x)$ok)
  one <- build_dense_neural_network(2, list(4, htan(), 1, nativenet::sigmoid()), nativenet::binary_crossentropy(),
    nativenet::adam_optimizer())
  two <- build_dense_neural_network(2, list(4, nativenet::htan(), 1, nativenet::sigmoid()), binary_crossentropy(),
    nativenet::adam_optimizer())
  for (n in list(one, two)) stopifnot(is.finite(n$train_on_batch(x, y)), is.finite(n$copy()$evaluate(x, y)$loss))
  '
  expect_identical(run_student(c(sheet, mixed)), "[end]")
  expect_identical(run_student(c(sheet,
    "build_dense_neural_network <- nativenet::build_dense_neural_network; check_gradient <- nativenet::check_gradient",
    mixed), attach = FALSE),
    "[end]")
})

test_that("subclasses of ours, defined in the workspace, train; saved objects of them work in a new session", {
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  own <- '
  swish <- setRefClass("swish", contains = "activation", methods = list(forward = function(x) x / (1 + exp(-x)),
    backward = function(x) { s <- 1 / (1 + exp(-x)); s + x * s * (1 - s) }))
  hinge <- setRefClass("hinge", contains = "loss_function",
    methods = list(forward = function(y_true, y_pred) mean(pmax(1 - y_true * y_pred, 0)),
    backward = function(y_true, y_pred) -y_true * (y_true * y_pred < 1) / length(y_pred)))
  signed <- setRefClass("signed", contains = "gradient_descent_optimizer",
    methods = list(step = function(x, gradient) x - learning_rate * sign(gradient)))
  noisy <- setRefClass("noisy", contains = "adam_optimizer",
    methods = list(step = function(x, gradient, key = "") callSuper(x, 1.1 * gradient, key = key)))
  set.seed(1)
  x <- matrix(rnorm(40), 20); y <- sign(x[, 1] * x[, 2])
  '
  train <- '
  for (optimizer in list(signed(learning_rate = 0.01), noisy(learning_rate = 0.01))) {
    network <- build_dense_neural_network(2, list(8, swish(), 1, linear()), hinge(), optimizer)
    losses <- network$fit(x, y, epochs = 60, batch_size = 5, verbose = FALSE)$loss
    stopifnot(losses[60] < 0.6 * losses[1], check_gradient(swish(), x)$ok,
      all(check_gradient(network, x + 0.001, y)$ok))
  }
  '
  expect_identical(run_student(c(own, train, sprintf("saveRDS(network, %s)", deparse(file)))), "[end]")
  again <-
    sprintf(
      paste0("network <- readRDS(%s); stopifnot(is.finite(network$evaluate(x, y)$loss), ",
        "is.finite(network$train_on_batch(x, y)))"), deparse(file))
  expect_identical(run_student(c(own, again)), "[end]")
})

test_that("a network saved in one session goes on in another that did not even attach the package", {
  file <- tempfile(fileext = ".rds")
  on.exit(unlink(file))
  set.seed(1)
  network <- build_dense_neural_network(2, list(4, htan(), 1, sigmoid()), binary_crossentropy(),
    momentum_optimizer(learning_rate = 0.1))
  x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
  for (i in 1:3) network$train_on_batch(x, c(0, 1, 1, 0))
  saveRDS(network, file)
  for (i in 1:3) network$train_on_batch(x, c(0, 1, 1, 0))
  code <- c(sprintf("network <- readRDS(%s)", deparse(file)),
    "x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)",
    "for (i in 1:3) network$train_on_batch(x, c(0, 1, 1, 0))",
    sprintf("saveRDS(list(network$weights, network$biases), %s)", deparse(file)))
  expect_identical(run_student(code, attach = FALSE), "[end]")
  expect_identical(readRDS(file), list(network$weights, network$biases))
})

test_that("attaching and detaching the package, and unloading it, leaves no trace in the way of own classes", {
  expect_identical(run_student(c("detach('package:nativenet')", sheet, sheet_network)), "[end]")
  expect_identical(
    run_student(c("invisible(nativenet::relu()$forward(1)); unloadNamespace('nativenet'); library(nativenet)",
    "stopifnot(identical(relu()$forward(-1), 0))", sheet, sheet_network)), "[end]")
})
