# The course's network over matrices: the sheet's own network, gradients, agreement of all ways to compute it.

xor_x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), nrow = 4, ncol = 2, byrow = TRUE)
xor_y <- matrix(c(0, 1, 1, 0), nrow = 4, ncol = 1)

build <- function(layers = list(2, htan(), 1, sigmoid()), loss = binary_crossentropy(),
  optimizer = gradient_descent_optimizer(learning_rate = 1),
                  input_size = 2, seed = 1, ...) {
  set.seed(seed)
  build_dense_neural_network(input_size, layers, loss, optimizer, ...)
}
numbers <- function(network) unlist(c(network$weights, network$biases))
# The same network with parts that are not ours: then all is computed in R, layer by layer.
foreign_losses <- new.env()
in_r <- function(network) {
  base <- class(network$loss)[1]
  # a class takes time to make
  if (is.null(foreign_losses[[base]])) foreign_losses[[base]] <- setRefClass(paste0("foreign_", base), contains = base,
    where = globalenv())
  foreign <- foreign_losses[[base]]
  twin <- network$copy()
  fields <- names(network$loss$getRefClass()$fields())
  twin$loss <- do.call(foreign, lapply(stats::setNames(fields, fields), function(f) network$loss$field(f)))
  twin
}
classes <- function(n, k) to_categorical(seq_len(n) %% k, k)

# ---- the sheet ----

test_that("the sheet's program runs: same first weights, fields and methods as there", {
  network <- build(optimizer = gradient_descent_optimizer(learning_rate = 0.25))
  set.seed(1)
  for (sizes in list(c(2, 2), c(2, 1))) {
    sd <- sqrt(2 / (sizes[1] + sizes[2]))
    vals <- rnorm(n = sizes[1] * sizes[2], mean = 0, sd = sd)
    vals <- ifelse(vals > 2 * sd, 2 * sd, vals)
    vals <- ifelse(vals < -2 * sd, -2 * sd, vals)
    l <- if (identical(sizes, c(2, 2))) 1 else 2
    expect_identical(network$weights[[l]], matrix(vals, ncol = sizes[2], nrow = sizes[1]))
    expect_identical(network$biases[[l]], rep(0, sizes[2]))
  }
  expect_true(all(c("weights", "biases", "activations", "loss", "optimizer") %in% names(dense_neural_network$fields())))
  losses <- lapply(1:250, function(i) network$train_on_batch(xor_x, xor_y))
  expect_true(all(lengths(losses) == 1) && losses[[250]] < losses[[1]])
  expect_identical(dim(network$predict(xor_x)), c(4L, 1L))
  loss <- network$gradients(xor_x, xor_y)$loss
  expect_identical(network$train_on_batch(xor_x, xor_y, iter = stop("never forced"), lrate = 1), loss)
})

test_that("weights beyond two standard deviations are cut to two", {
  w <- build(list(200, relu(), 1, linear()), mean_squared_error(), input_size = 200)$weights[[1]]
  sd <- sqrt(2 / 400)
  expect_equal(max(w), 2 * sd)
  expect_equal(min(w), -2 * sd)
  expect_equal(mean(abs(w) == max(w)), 0.0455, tolerance = 0.1)
})

test_that("XOR is learned from most random starts with 2 hidden units and from practically all with 4", {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0", "slow")
  solved <- function(units, seeds) {
    sum(vapply(seeds, function(seed) {
      network <- build(list(units, htan(), 1, sigmoid()), seed = seed)
      network$fit(xor_x, xor_y, epochs = 1000, batch_size = 4, verbose = FALSE)
      all((network$predict(xor_x) > 0.5) == xor_y)
    }, NA))
  }
  expect_gte(solved(2, 1:100), 60) # 70 seen; the others end in a local minimum
  expect_gte(solved(4, 1:50), 49) # 50 seen, as are 100 of 100
})

test_that("train_on_batch returns the loss before the step", {
  for (parts in list(list(binary_crossentropy(), sigmoid()), list(mean_squared_error(), linear()),
    list(mean_squared_error(), sigmoid()))) {
    network <- build(list(3, htan(), 1, parts[[2]]), parts[[1]], gradient_descent_optimizer(learning_rate = 0.1))
    before <- parts[[1]]$forward(xor_y, network$predict(xor_x))
    expect_equal(network$train_on_batch(xor_x, xor_y), before, tolerance = 1e-8)
    before <- parts[[1]]$forward(xor_y, network$predict(xor_x))
    expect_equal(network$train_on_batch(xor_x, xor_y), before, tolerance = 1e-8)
    expect_lt(network$train_on_batch(xor_x, xor_y), before)
  }
})

test_that("a single neuron's step is the one worked by hand", {
  network <- dense_neural_network(
    weights = list(matrix(c(0.5, -0.25), 2)), biases = list(0.1), activations = list(sigmoid()),
    loss = binary_crossentropy(), optimizer = gradient_descent_optimizer(learning_rate = 2)
  )
  x <- matrix(c(1, 2), 1)
  p <- 1 / (1 + exp(-0.1)) # z = 0.5 - 0.5 + 0.1
  expect_equal(network$predict(x), matrix(p))
  expect_equal(network$train_on_batch(x, 1), -log(p))
  expect_equal(network$weights[[1]], matrix(c(0.5, -0.25) - 2 * (p - 1) * c(1, 2), 2))
  expect_equal(network$biases[[1]], 0.1 - 2 * (p - 1))
})

test_that("penalties join loss and gradient as documented, on weights only", {
  plain <- build(list(3, htan(), 2, linear()), mean_squared_error())
  penalized <- build(list(3, htan(), 2, linear()), mean_squared_error(), l1 = 0.3, l2 = 0.7)
  y <- cbind(xor_y, 1 - xor_y)
  g <- plain$gradients(xor_x, y)
  h <- penalized$gradients(xor_x, y)
  w <- unlist(plain$weights)
  expect_equal(h$loss, g$loss + 0.3 * sum(abs(w)) + 0.7 * sum(w^2), tolerance = 1e-12)
  expect_equal(unlist(h$weights), unlist(g$weights) + 0.3 * sign(w) + 1.4 * w, tolerance = 1e-12)
  expect_identical(h$biases, g$biases)
  expect_equal(penalized$evaluate(xor_x, y)$loss, h$loss, tolerance = 1e-12)
  penalized$train_on_batch(xor_x, y)
  expect_equal(unlist(penalized$weights), w - unlist(h$weights), tolerance = 1e-12)
  expect_equal(unlist(penalized$biases), -unlist(h$biases), tolerance = 1e-12)
})

# ---- one truth, however it is computed ----

losses_for <- function(last) {
  switch(last,
    sigmoid = list(binary_crossentropy(), mean_squared_error()),
    softmax = list(categorical_crossentropy(), mean_squared_error(), binary_crossentropy()),
    list(mean_squared_error(), mean_squared_error(reduction = "sum"))
  )
}
made <- list(sigmoid = sigmoid, softmax = softmax, htan = htan, linear = linear, relu = relu, elu = function()
  elu(alpha = 0.7))

test_that("gradients equal finite differences: activations x losses x penalties, one to three layers", {
  wrong <- character()
  count <- 0
  set.seed(5)
  x <- matrix(rnorm(5 * 3), 5)
  for (last in names(made)) for (loss in losses_for(last))
    for (hidden in list("", "htan", "relu", c("elu", "sigmoid"), c("softmax", "htan"))) {
    penalty <- list(c(0, 0), c(0.01, 0.02))[[count %% 2 + 1]] # in turn: five hidden parts, so each meets both
    layers <- c(if (nzchar(hidden[1])) unlist(lapply(hidden, function(h) list(4, made[[h]]())), recursive = FALSE),
      list(3, made[[last]]()))
    network <- build(layers, loss, input_size = 3, seed = count + 10, l1 = penalty[1], l2 = penalty[2])
    network$biases <- lapply(network$biases, function(b) rnorm(length(b), sd = 0.3))
    check <- check_gradient(network, x, classes(5, 3), tolerance = 1e-4)
    count <- count + 1
    if (!all(check$ok)) wrong <- c(wrong, paste(toString(hidden), last, class(loss)[1], penalty[1]))
  }
  expect_identical(wrong, character())
  expect_gt(count, 50)
})

optimizers <- function() list(
  gradient_descent_optimizer(learning_rate = 0.5), momentum_optimizer(learning_rate = 0.1),
  momentum_optimizer(learning_rate = 0.1, nesterov = TRUE), rmsprop_optimizer(learning_rate = 0.01),
  adam_optimizer(learning_rate = 0.02), adamw_optimizer(learning_rate = 0.02, weight_decay = 0.1),
  adagrad_optimizer(learning_rate = 0.1)
)

test_that("training in the engine and in R agree over 25 steps for every optimizer", {
  set.seed(6)
  x <- matrix(rnorm(20 * 4), 20)
  y <- classes(20, 3)
  for (optimizer in optimizers()) {
    for (penalty in c(0, 0.01)) {
      layers <- list(6, htan(), 5, elu(alpha = 0.5), 3, softmax())
      network <- build(layers, mean_squared_error(), optimizer, input_size = 4, l1 = penalty, l2 = penalty)
      twin <- in_r(network)
      for (i in 1:25) {
        rows <- if (i %% 3) 1:20 else 4:11
        a <- network$train_on_batch(x[rows, ], y[rows, ])
        b <- twin$train_on_batch(x[rows, ], y[rows, ])
        if (abs(a - b) > 1e-11) break
      }
      expect_identical(i, 25L, info = class(optimizer)[1])
      expect_equal(numbers(twin), numbers(network), tolerance = 1e-11, info = class(optimizer)[1])
      expect_equal(twin$predict(x), network$predict(x), tolerance = 1e-11)
      expect_equal(twin$evaluate(x, y), network$evaluate(x, y), tolerance = 1e-11)
    }
  }
})

test_that("fit without shuffling is train_on_batch over slices, in the engine to the bit", {
  set.seed(7)
  x <- matrix(rnorm(11 * 4), 11)
  y <- classes(11, 3)
  for (optimizer in optimizers()) {
    network <- build(list(5, htan(), 3, softmax()), categorical_crossentropy(), optimizer, input_size = 4)
    by_hand <- network$copy()
    twin <- in_r(network)
    history <- network$fit(x, y, epochs = 2, batch_size = 4, shuffle = FALSE, verbose = FALSE)
    losses <- replicate(2, sum(vapply(list(1:4, 5:8, 9:11), function(r) length(r) * by_hand$train_on_batch(x[r, ],
      y[r, ]), 0)) / 11)
    expect_equal(history$loss, losses, tolerance = 1e-14)
    expect_identical(numbers(network), numbers(by_hand))
    expect_equal(twin$fit(x, y, epochs = 2, batch_size = 4, shuffle = FALSE, verbose = FALSE)$loss, losses,
      tolerance = 1e-7)
    expect_equal(numbers(twin), numbers(network), tolerance = 1e-7)
  }
})

test_that("a tape over the ops, gradients() and a training step give the same bits", {
  for (dtype in c("float64", "float32")) {
    set.seed(8)
    x <- matrix(rnorm(37 * 9), 37)
    y <- classes(37, 5)
    network <- build(list(19, htan(), 5, softmax()), categorical_crossentropy(),
      gradient_descent_optimizer(learning_rate = 1), 9, dtype = dtype)
    w <- lapply(network$weights, tensor, dtype)
    b <- lapply(network$biases, function(b) tensor(array(b, length(b)), dtype))
    tape <- gradient_tape()
    for (v in c(w, b)) tape_watch(tape, v)
    loss <- tape_record(tape, {
      hidden <- op_dense(tensor(x, dtype), w[[1]], b[[1]], "tanh")
      z <- op_dense(hidden, w[[2]], b[[2]])
      op_mean(op_categorical_crossentropy(tensor(y, dtype), z, TRUE, clip = 0, epsilon = 1e-9, normalize = FALSE))
    })
    on_tape <- lapply(tape_gradient(tape, loss, c(w, b)), as.array)
    g <- network$gradients(x, y)
    expect_identical(g$loss, as.double(loss))
    expect_identical(g$weights, on_tape[1:2])
    expect_identical(g$biases, lapply(on_tape[3:4], as.vector))
    expect_identical(network$train_on_batch(x, y), g$loss)
    moved <- Map(function(v, d) as.vector(as.array(op_subtract(v, tensor(d, dtype)))), c(w, b), on_tape)
    expect_identical(numbers(network), unlist(moved))
  }
})

test_that("gradients() changes nothing, also when the loss overflows", {
  network <- build(list(2, htan(), 1, linear()), mean_squared_error(), gradient_descent_optimizer(learning_rate = 0.1))
  for (i in 1:40) network$train_on_batch(xor_x, xor_y)
  before <- numbers(network)
  network$gradients(xor_x, xor_y)
  expect_identical(numbers(network), before)
  expect_error(network$gradients(xor_x, 1e200 * xor_y), class = "nativenet_error_nan")
  expect_identical(numbers(network), before)
})

test_that("sigmoid with binary and softmax with categorical cross-entropy stay right when saturated", {
  one <- function(z, activation, loss, dtype = "float64") {
    dense_neural_network(weights = list(diag(length(z))), biases = list(numeric(length(z))),
      activations = list(activation), loss = loss, optimizer = gradient_descent_optimizer(),
      dtype = dtype)$gradients(matrix(z, 1), matrix(c(0, 1)[seq_along(z)], 1))
  }
  for (dtype in c("float64", "float32")) {
    for (z in c(-1000, -100, -20, -1, 0, 1, 20, 100, 1000)) {
      g <- one(z, sigmoid(), binary_crossentropy(), dtype) # target 0: the loss is log(1 + e^z)
      expect_equal(g$loss, if (z > 30) z else log1p(exp(z)), tolerance = 1e-6, info = z)
      expect_equal(g$biases[[1]], 1 / (1 + exp(-z)), tolerance = 1e-6, info = z)
      g <- one(c(z, 0), softmax(), categorical_crossentropy(), dtype)
      expect_equal(g$loss, if (z > 30) z else log1p(exp(z)), tolerance = 1e-6, info = z)
      expect_equal(g$biases[[1]], c(1, -1) / (1 + exp(-z)), tolerance = 1e-6, info = z)
    }
  }
})

test_that("evaluate() and validation report the loss that training follows, also when saturated", {
  network <- dense_neural_network(weights = list(matrix(1000)), biases = list(0), activations = list(sigmoid()),
    loss = binary_crossentropy(), optimizer = gradient_descent_optimizer())
  expect_equal(network$evaluate(matrix(1), 0)$loss, network$gradients(matrix(1), 0)$loss)
})

test_that("float32 is close to float64 and its weights are exact float32 numbers", {
  set.seed(9)
  x <- matrix(rnorm(50 * 6), 50)
  y <- classes(50, 3)
  fit <- function(dtype) {
    network <- build(list(8, relu(), 3, softmax()), categorical_crossentropy(), adam_optimizer(learning_rate = 0.01), 6,
      dtype = dtype)
    network$fit(x, y, epochs = 5, batch_size = 10, verbose = FALSE)
    network
  }
  single <- fit("float32")
  double <- fit("float64")
  expect_equal(numbers(single), numbers(double), tolerance = 1e-4)
  expect_equal(single$predict(x), double$predict(x), tolerance = 1e-4)
  expect_false(identical(numbers(single), numbers(double)))
  expect_identical(unlist(lapply(single$weights, function(w) as.array(tensor(w, "float32")))), unlist(single$weights))
})

test_that("predictions do not depend on how rows are batched, to the bit", {
  set.seed(10)
  for (dtype in c("float64", "float32")) {
    for (layers in list(list(3, htan(), 1, sigmoid()), list(70, relu(), 33, elu(), 10, softmax()))) {
      network <- build(layers, mean_squared_error(), input_size = 13, dtype = dtype)
      x <- matrix(rnorm(600 * 13), 600)
      together <- network$predict(x)
      rows <- c(1:3, 255:258, 512:513, 599:600)
      expect_identical(do.call(rbind, lapply(rows, function(i) network$predict(x[i, , drop = FALSE]))),
        together[rows, , drop = FALSE])
      expect_identical(network$predict(x[5:37, ]), together[5:37, , drop = FALSE])
    }
  }
})

test_that("batches may change in size from call to call, also upwards", {
  set.seed(11)
  x <- matrix(rnorm(100 * 3), 100)
  y <- matrix(rnorm(100), 100)
  network <- build(list(4, htan(), 1, linear()), mean_squared_error(), adam_optimizer(learning_rate = 0.01), 3)
  fresh <- network$copy()
  twin <- in_r(network)
  for (n in c(1, 100, 3, 64, 65, 2, 100)) {
    expect_equal(network$train_on_batch(x[1:n, , drop = FALSE], y[1:n]), twin$train_on_batch(x[1:n, , drop = FALSE],
      y[1:n]), tolerance = 1e-12)
    network$predict(x[1:7, ])
    network$gradients(x, y)
  }
  expect_equal(numbers(network), numbers(twin), tolerance = 1e-12)
  expect_false(identical(numbers(network), numbers(fresh)))
})

test_that("a step after fit() in smaller batches is the step that it would be without", {
  set.seed(11)
  x <- matrix(rnorm(100 * 3), 100)
  y <- matrix(rnorm(100), 100)
  network <- build(list(4, htan(), 5, htan(), 1, linear()), mean_squared_error(), input_size = 3)
  network$train_on_batch(x, y)
  network$fit(x[1:4, ], y[1:4], epochs = 1, batch_size = 2, verbose = FALSE)
  fresh <- build(list(4, htan(), 5, htan(), 1, linear()), mean_squared_error(), input_size = 3)
  fresh$weights <- network$weights
  fresh$biases <- network$biases
  expect_identical(network$train_on_batch(x, y), fresh$train_on_batch(x, y))
  expect_identical(numbers(network), numbers(fresh))
})

# ---- fields ----

test_that("weights and biases can be replaced at any time and take effect", {
  network <- build()
  network$train_on_batch(xor_x, xor_y)
  network$weights <- list(matrix(c(1, 2, 3, 4), 2), matrix(c(1, -1), 2))
  network$biases[[2]] <- 5
  h <- tanh(xor_x %*% matrix(c(1, 2, 3, 4), 2) + matrix(network$biases[[1]], 4, 2, byrow = TRUE))
  expect_equal(network$predict(xor_x), 1 / (1 + exp(-(h %*% c(1, -1) + 5))), tolerance = 1e-13)
  network$weights[[1]][2, 1] <- 0
  expect_identical(network$weights[[1]], matrix(c(1, 0, 3, 4), 2))
})

test_that("replacing a part keeps the weights and takes effect", {
  network <- build(list(2, htan(), 1, sigmoid()))
  for (i in 1:3) network$train_on_batch(xor_x, xor_y)
  before <- numbers(network)
  reference <- function(f, g) g(sweep(f(sweep(xor_x %*% network$weights[[1]], 2, network$biases[[1]], "+")) %*%
    network$weights[[2]], 2, network$biases[[2]], "+"))
  network$activations <- list(relu(), linear())
  expect_equal(network$predict(xor_x), reference(function(x) pmax(x, 0), identity), tolerance = 1e-13)
  network$loss <- mean_squared_error()
  expect_equal(network$gradients(xor_x, xor_y)$loss, mean((network$predict(xor_x) - xor_y)^2), tolerance = 1e-13)
  network$l2 <- 0.5
  expect_equal(network$gradients(xor_x, xor_y)$loss, mean((network$predict(xor_x) - xor_y)^2) +
    0.5 * sum(unlist(network$weights)^2), tolerance = 1e-13)
  network$optimizer <- adam_optimizer(learning_rate = 0)
  network$train_on_batch(xor_x, xor_y)
  expect_identical(numbers(network), before)
  network$activations[[1]] <- elu(alpha = 2)
  expect_equal(network$predict(xor_x), reference(function(x) ifelse(x > 0, x, 2 * expm1(x)), identity),
    tolerance = 1e-13)
  network$dtype <- "float32"
  expect_equal(numbers(network), before, tolerance = 1e-6)
  expect_equal(network$predict(xor_x), reference(function(x) ifelse(x > 0, x, 2 * expm1(x)), identity),
    tolerance = 1e-6)
})

test_that("the learning rate can be changed through the network without losing the optimizer's memory", {
  network <- build(optimizer = adam_optimizer(learning_rate = 0.1))
  other <- network$copy()
  for (i in 1:5) {
    network$train_on_batch(xor_x, xor_y)
    other$train_on_batch(xor_x, xor_y)
    network$optimizer$learning_rate <- 0.1 # an assignment to the field, as R sees it
  }
  expect_identical(numbers(network), numbers(other))
  network$optimizer$learning_rate <- 0
  before <- numbers(network)
  network$train_on_batch(xor_x, xor_y)
  expect_identical(numbers(network), before)
})

test_that("the learning rate can be changed in on_epoch, by either way to reach it", {
  for (way in 1:2) {
    optimizer <- gradient_descent_optimizer(learning_rate = 1)
    network <- build(optimizer = optimizer)
    seen <- list()
    network$fit(xor_x, xor_y, epochs = 4, batch_size = 4, verbose = FALSE, on_epoch = function(epoch, loss) {
      seen[[epoch]] <<- numbers(network)
      if (epoch == 2 && way == 1) optimizer$learning_rate <- 0
      if (epoch == 2 && way == 2) network$optimizer$learning_rate <- 0
      TRUE
    })
    expect_length(seen, 4)
    expect_false(identical(seen[[1]], seen[[2]]))
    expect_identical(seen[[2]], seen[[4]])
  }
})

test_that("copy() is independent in weights and parts", {
  network <- build(list(2, elu(alpha = 0.5), 1, sigmoid()), optimizer = momentum_optimizer(learning_rate = 0.5),
    l2 = 0.01, dtype = "float32")
  network$train_on_batch(xor_x, xor_y)
  twin <- network$copy()
  expect_identical(numbers(twin), numbers(network))
  expect_identical(twin$predict(xor_x), network$predict(xor_x))
  expect_identical(list(twin$l1, twin$l2, twin$dtype), list(0, 0.01, "float32"))
  before <- numbers(network)
  twin$optimizer$learning_rate <- 0.1
  twin$activations[[1]]$alpha <- 3
  twin$train_on_batch(xor_x, xor_y)
  expect_identical(numbers(network), before)
  expect_identical(network$optimizer$learning_rate, 0.5)
  expect_identical(network$activations[[1]]$alpha, 0.5)
  expect_false(identical(numbers(twin), before))
})

test_that("a copy made amid training goes on exactly as the original", {
  for (optimizer in optimizers()) {
    network <- build(optimizer = optimizer)
    for (i in 1:5) network$train_on_batch(xor_x, xor_y)
    twin <- network$copy()
    for (i in 1:3) {
      network$train_on_batch(xor_x, xor_y)
      twin$train_on_batch(xor_x, xor_y)
    }
    expect_identical(numbers(twin), numbers(network), info = class(optimizer)[1])
  }
})

test_that("networks that share an optimizer object do not disturb each other", {
  shared <- adam_optimizer(learning_rate = 0.1)
  alone <- build(optimizer = adam_optimizer(learning_rate = 0.1))
  for (f in list(identity, in_r)) {
    one <- f(build(optimizer = shared))
    one$optimizer <- shared
    two <- f(build(list(5, htan(), 1, sigmoid()), optimizer = shared))
    two$optimizer <- shared
    own <- f(alone)
    for (i in 1:3) {
      one$train_on_batch(xor_x, xor_y)
      two$train_on_batch(xor_x, xor_y)
      own$train_on_batch(xor_x, xor_y)
    }
    expect_identical(numbers(one), numbers(own))
    alone <- build(optimizer = adam_optimizer(learning_rate = 0.1))
  }
})

test_that("saved and read, a network goes on exactly as it would have", {
  set.seed(12)
  x <- matrix(rnorm(30 * 4), 30)
  y <- classes(30, 3)
  for (dtype in c("float64", "float32")) {
    for (optimizer in optimizers()) {
      network <- build(list(5, htan(), 3, softmax()), categorical_crossentropy(), optimizer, 4, l2 = 0.01,
        dtype = dtype)
      network$fit(x, y, epochs = 2, batch_size = 8, verbose = FALSE)
      file <- tempfile(fileext = ".rds")
      saveRDS(network, file)
      back <- readRDS(file)
      unlink(file)
      expect_identical(numbers(back), numbers(network))
      on <- function(n) {
        set.seed(13)
        list(n$train_on_batch(x[1:3, ], y[1:3, ]), n$fit(x, y, epochs = 2, batch_size = 8, verbose = FALSE),
          n$predict(x), numbers(n))
      }
      expect_identical(on(back), on(network), info = paste(dtype, class(optimizer)[1]))
    }
  }
})

# ---- fit, evaluate, labels ----

test_that("fit returns a loss per epoch, and one for the validation data", {
  network <- build()
  history <- withVisible(network$fit(xor_x, xor_y, epochs = 3, batch_size = 2,
    validation_data = list(xor_x[1:2, ], xor_y[1:2, ]), verbose = FALSE))
  expect_false(history$visible)
  expect_identical(lengths(history$value), c(loss = 3L, val_loss = 3L))
  expect_equal(history$value$val_loss[3], network$evaluate(xor_x[1:2, ], xor_y[1:2, ])$loss)
  expect_named(network$fit(xor_x, xor_y, epochs = 1, batch_size = 4, verbose = FALSE), "loss")
})

test_that("fit works with its defaults on four samples", {
  expect_length(build()$fit(xor_x, xor_y, verbose = FALSE)$loss, 10)
})

test_that("each epoch visits every row once, in an order that changes", {
  note <- setRefClass("note", contains = "mean_squared_error", fields = list(visited = "list"), where = globalenv(),
    methods = list(
    backward = function(y_true, y_pred) {
      visited[[length(visited) + 1]] <<- c(y_true)
      callSuper(y_true, y_pred)
    }
  ))
  loss <- note()
  network <- build(list(1, linear()), loss, gradient_descent_optimizer(learning_rate = 0), input_size = 1)
  network$fit(matrix(1:10), 1:10, epochs = 2, batch_size = 4, verbose = FALSE)
  visited <- loss$visited
  expect_identical(lengths(visited), c(4L, 4L, 2L, 4L, 4L, 2L))
  expect_setequal(unlist(visited[1:3]), 1:10)
  expect_setequal(unlist(visited[4:6]), 1:10)
  expect_false(identical(unlist(visited[1:3]), unlist(visited[4:6])))
  # in the engine: with a learning rate of 0 the epoch's mean loss is that of all rows once
  native <- build(list(1, linear()), mean_squared_error(), gradient_descent_optimizer(learning_rate = 0),
    input_size = 1)
  losses <- native$fit(matrix(1:10), 1:10, epochs = 20, batch_size = 4, verbose = FALSE)$loss
  expect_equal(losses, rep(native$evaluate(matrix(1:10), 1:10)$loss, 20), tolerance = 1e-13)
  # and in an order that changes: the step depends on which row comes last
  native$optimizer$learning_rate <- 0.01
  start <- native$weights
  ends <- replicate(8, {
    native$weights <- start
    native$biases <- list(0)
    native$fit(matrix(1:10), 1:10, epochs = 1, batch_size = 1, verbose = FALSE)
    native$weights[[1]][1]
  })
  expect_identical(anyDuplicated(ends), 0L)
})

test_that("on_epoch hears epoch and loss, and FALSE stops training, in the engine and in R", {
  for (network in list(build(), in_r(build()))) {
    heard <- NULL
    history <- network$fit(xor_x, xor_y, epochs = 10, batch_size = 4, verbose = FALSE,
      validation_data = list(xor_x, xor_y), on_epoch = function(epoch, loss) {
        heard <<- rbind(heard, c(epoch, loss))
        epoch < 3
      })
    expect_equal(heard[, 1], 1:3)
    expect_identical(heard[, 2], history$loss)
    expect_length(history$val_loss, 3)
  }
})

test_that("on_epoch may use the network: predict, evaluate, even train", {
  network <- build()
  history <- network$fit(xor_x, xor_y, epochs = 3, batch_size = 3, verbose = FALSE, on_epoch = function(epoch, loss) {
    network$predict(matrix(0, 300, 2))
    network$evaluate(xor_x, xor_y)
    network$gradients(matrix(0, 50, 2), numeric(50))
    network$train_on_batch(xor_x[1:2, ], xor_y[1:2])
    network$fit(xor_x, xor_y, epochs = 1, batch_size = 1, verbose = FALSE)
    TRUE
  })
  expect_length(history$loss, 3)
  expect_true(all(is.finite(numbers(network))))
})

test_that("verbose prints a line per epoch", {
  without_time <- function(x) sub("[0-9.]+ s$", "0.0 s", x)
  quiet <- capture.output(build()$fit(xor_x, xor_y, epochs = 2, batch_size = 4, verbose = FALSE))
  expect_identical(quiet, character())
  for (network in list(build(optimizer = gradient_descent_optimizer(learning_rate = 0)),
    in_r(build(optimizer = gradient_descent_optimizer(learning_rate = 0))))) {
    lines <- capture.output(network$fit(xor_x, xor_y, epochs = 10, batch_size = 4, verbose = TRUE))
    loss <- sprintf("%.4f", network$evaluate(xor_x, xor_y)$loss)
    expect_identical(without_time(lines), sprintf("Epoch %2d/10  loss %s  0.0 s", 1:10, loss))
    lines <- capture.output(network$fit(xor_x, xor_y, epochs = 1, batch_size = 4, verbose = TRUE,
      validation_data = list(xor_x, xor_y)))
    expect_identical(without_time(lines), sprintf("Epoch 1/1  loss %s  val_loss %s  0.0 s", loss, loss))
  }
})

test_that("evaluate counts right answers for one output and for classes", {
  identity_net <- function(k, activation, loss) {
    dense_neural_network(weights = list(diag(k)), biases = list(numeric(k)), activations = list(activation),
      loss = loss, optimizer = gradient_descent_optimizer())
  }
  expect_equal(identity_net(1, sigmoid(), binary_crossentropy())$evaluate(matrix(c(-1, 2, 3, -4)),
    c(0, 1, 0, 0))$accuracy, 0.75)
  x <- rbind(c(3, 1, 2), c(0, 5, 1), c(1, 2, 9), c(7, 8, 1))
  expect_equal(identity_net(3, softmax(), categorical_crossentropy())$evaluate(x, c(0, 1, 2, 0))$accuracy, 0.75)
  expect_equal(identity_net(3, linear(), mean_squared_error())$evaluate(x, to_categorical(c(0, 1, 1, 1), 3))$accuracy,
    0.75)
  expect_equal(identity_net(3, linear(), mean_squared_error())$evaluate(x, x)$loss, 0)
})

test_that("targets may be labels, factors, vectors, integers, logicals or one-column arrays", {
  x <- matrix(c(1, 2, 3, 4, 5, 6), 3)
  network <- build(list(3, softmax()), categorical_crossentropy())
  wanted <- network$gradients(x, to_categorical(c(0, 2, 1), 3))
  for (y in list(c(0, 2, 1), c(0L, 2L, 1L), array(c(0, 2, 1)), factor(c("a", "c", "b"))))
    expect_identical(network$gradients(x, y), wanted)
  single <- build()
  wanted <- single$gradients(x, matrix(c(0, 1, 1)))
  for (y in list(c(0, 1, 1), 0:2 > 0, c(0L, 1L, 1L), array(c(0, 1, 1)), matrix(c(FALSE, TRUE, TRUE))))
    expect_identical(single$gradients(x, y), wanted)
  expect_identical(single$predict(data.frame(a = x[, 1], b = x[, 2])), single$predict(x))
  expect_identical(single$predict(matrix(1:6, 3)), single$predict(x))
})

test_that("to_categorical makes rows with a one", {
  expect_identical(to_categorical(c(0, 2, 1)), matrix(c(1, 0, 0, 0, 0, 1, 0, 1, 0), 3))
  expect_identical(dim(to_categorical(c(0L, 1L), 5)), c(2L, 5L))
  expect_identical(to_categorical(factor(c("b", "a", "b"))), matrix(c(0, 1, 0, 1, 0, 1), 3))
  expect_identical(ncol(to_categorical(factor("a", levels = c("a", "b", "c")))), 3L)
  expect_identical(dim(to_categorical(numeric(), 3)), c(0L, 3L))
  for (bad in list(-1, 0.5, NA, "a", c(0, NaN), Inf, NULL))
    expect_error(to_categorical(bad), "`y` must be labels 0, 1, 2", class = "nativenet_error_value")
  expect_error(to_categorical(3, 3), "`y` has the label 3, but with 3 classes the labels are 0 .. 2",
    class = "nativenet_error_index")
  expect_error(to_categorical(0, 0), "`num_classes` must be a positive whole number", class = "nativenet_error_value")
})

# ---- errors ----

test_that("bad calls are refused in clear words and leave weights and optimizer exactly as they were", {
  network <- build(optimizer = adam_optimizer(learning_rate = 0.1))
  untouched <- build(optimizer = adam_optimizer(learning_rate = 0.1))
  foreign <- in_r(network)
  for (n in list(network, untouched, foreign)) n$train_on_batch(xor_x, xor_y)
  before <- numbers(network)
  na <- `[<-`(xor_x, 2, 1, NA)
  refused <- function(call, message, class = "value") {
    for (n in list(network, foreign)) {
      kept <- numbers(n)
      expect_error(eval(call, list(n = n, na = na)), message, fixed = TRUE, class = paste0("nativenet_error_", class))
      expect_identical(numbers(n), kept)
    }
  }
  refused(quote(n$predict(c(1, 2))),
    "`predict()`: `batch_x` must be a numeric matrix with a row per sample, not a double vector of length 2")
  refused(quote(n$predict(matrix(1, 2, 3))), "`batch_x` of shape (2, 3) must have 2 columns, one per input", "shape")
  refused(quote(n$predict(matrix(1, 0, 2))), "`batch_x` has no rows", "shape")
  refused(quote(n$predict(matrix("a", 2, 2))), "`batch_x` must be a numeric matrix")
  refused(quote(n$predict(NULL)), "not NULL")
  refused(quote(n$predict(data.frame(a = 1, b = "x"))), "`batch_x` must hold numbers, but column `b` is \"x\"")
  refused(quote(n$train_on_batch(xor_x, xor_y[1:3, , drop = FALSE])),
    "`batch_y` of shape (3, 1) must have the shape (4, 1)", "shape")
  refused(quote(n$train_on_batch(xor_x, cbind(xor_y, xor_y))), "`batch_y` of shape (4, 2) must have the shape (4, 1)",
    "shape")
  refused(quote(n$train_on_batch(xor_x, c("0", "1", "1", "0"))), "`batch_y` must be a numeric matrix")
  refused(quote(n$train_on_batch(na, xor_y)), "NA at position 2")
  refused(quote(n$train_on_batch(xor_x, c(0, 1, NaN, 0))), "NaN at position 3")
  refused(quote(n$train_on_batch(xor_x, c(0, Inf, 1, 0))), "Inf at position 2")
  refused(quote(n$gradients(na, xor_y)), "NA at position 2")
  refused(quote(n$fit(na, xor_y, batch_size = 2, verbose = FALSE)), "NA at position 2")
  refused(quote(n$fit(xor_x, c(0, 1, NA, 1), batch_size = 2, verbose = FALSE)), "NA at position 3")
  refused(quote(n$fit(xor_x, xor_y, epochs = 0)), "`fit()`: `epochs` must be a positive whole number, not 0")
  refused(quote(n$fit(xor_x, xor_y, epochs = 1.5, batch_size = 2)), "`epochs` must be a positive whole number, not 1.5")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 0)), "`batch_size` must be a positive whole number, not 0")
  refused(quote(n$fit(xor_x, xor_y, batch_size = "a")), "`batch_size` must be a positive whole number, not \"a\"")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, shuffle = NA)), "`shuffle` must be TRUE or FALSE, not NA")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, verbose = 2)), "`verbose` must be TRUE or FALSE, not 2")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, on_epoch = 1)), "`on_epoch` must be a function, not 1")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, validation_data = xor_x)), "`validation_data` must be list(x, y)")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, validation_data = list(xor_x, 1:3))),
    "`validation_data[[2]]` of shape (3, 1)", "shape")
  refused(quote(n$fit(xor_x, xor_y, batch_size = 2, verbose = FALSE, validation_data = list(na, xor_y))),
    "NA at position 2")
  refused(quote(n$evaluate(xor_x, 1:3)), "`evaluate()`: `y` of shape (3, 1)", "shape")
  refused(quote(n$weights <- list()), "`weights`", "shape")
  refused(quote(n$weights <- rev(n$weights)), "`weights` must keep their shapes (2, 2), (2, 1)", "shape")
  refused(quote(n$weights[[1]] <- matrix(1, 3, 2)), "`weights` must keep their shapes (2, 2), (2, 1)", "shape")
  refused(quote(n$weights[[1]][1, 1] <- NA), "`weights[[1]]` must be finite numbers")
  refused(quote(n$weights <- 1), "`weights` must be a list of matrices")
  refused(quote(n$biases[[1]] <- 1), "`biases[[1]]` must be 2 finite numbers")
  refused(quote(n$biases[[1]] <- c(1, Inf)), "`biases[[1]]` must be 2 finite numbers")
  refused(quote(n$biases <- list(1)), "`biases` must be a list of 2 vectors")
  refused(quote(n$activations <- list(relu())), "`activations` must be a list of 2, not of 1")
  refused(quote(n$activations <- relu()), "`activations` must be a list of activations")
  refused(quote(n$loss <- "mse"), "`loss` must be a loss such as `binary_crossentropy()`, not \"mse\"")
  refused(quote(n$loss <- relu()), "`loss` must be a loss such as")
  refused(quote(n$optimizer <- 0.1), "`optimizer` must be an optimizer such as `adam_optimizer()`, not 0.1")
  refused(quote(n$l1 <- -1), "`l1` must be a number at least 0, not -1")
  refused(quote(n$l2 <- "a"), "`l2` must be a number at least 0, not \"a\"")
  refused(quote(n$dtype <- "float16"), "`dtype` must be one of \"float32\", \"float64\", not \"float16\"")
  for (n in list(network, untouched)) for (i in 1:3) n$train_on_batch(xor_x, xor_y)
  expect_identical(numbers(network), numbers(untouched))
})

test_that("parts of one's own that return nonsense are refused and leave the network whole", {
  whole <- function(network) {
    before <- list(network$weights, network$biases)
    expect_error(network$train_on_batch(xor_x, xor_y), class = "nativenet_error", info = class(network$optimizer)[1])
    expect_identical(list(network$weights, network$biases), before)
  }
  optimizer <- function(name, step) setRefClass(name, contains = "gradient_descent_optimizer",
    methods = list(step = step), where = globalenv())()
  steps <- list(
    no_step = function(x, gradient) NULL, sum_step = function(x, gradient) sum(x), turned_step = function(x, gradient)
    t(x - gradient), text_step = function(x, gradient) "x", na_step = function(x, gradient) NA * x,
    short_step = function(x, gradient) x[-1]
  )
  for (name in names(steps)) {
    for (layers in list(list(3, htan(), 1, sigmoid()), list(1, sigmoid()))) {
      set.seed(1)
      whole(build_dense_neural_network(2, layers, binary_crossentropy(), optimizer(name, steps[[name]])))
    }
  }
  set.seed(1)
  square <- build_dense_neural_network(2, list(2, htan(), 1, sigmoid()), binary_crossentropy(),
    optimizer("turned_step", steps$turned_step))
  whole(square)
  nonsense <- list(
    list(function(y_true, y_pred) (y_pred - y_true)^2, function(y_true, y_pred) 2 * (y_pred - y_true)),
    list(function(y_true, y_pred) "high", function(y_true, y_pred) 2 * (y_pred - y_true)),
    list(function(y_true, y_pred) NULL, function(y_true, y_pred) 2 * (y_pred - y_true)),
    list(function(y_true, y_pred) mean((y_pred - y_true)^2), function(y_true, y_pred) sum(y_pred - y_true)),
    list(function(y_true, y_pred) mean((y_pred - y_true)^2), function(y_true, y_pred) NULL)
  )
  for (pair in nonsense) {
    loss <- setRefClass("nonsense_loss", contains = "loss_function", where = globalenv(),
      methods = list(forward = pair[[1]], backward = pair[[2]]))
    whole(build(loss = loss()))
  }
  shapes <- list(
    list(function(x) sum(x), function(x) x), list(function(x) t(x), function(x) x), list(function(x) x, function(x) 1),
    list(function(x) NULL, function(x) x), list(function(x) x, function(x) NULL),
    list(function(x) x, function(x) NA * x)
  )
  for (pair in shapes) {
    act <- setRefClass("nonsense_activation", contains = "activation", where = globalenv(),
      methods = list(forward = pair[[1]], backward = pair[[2]]))
    whole(build(list(3, act(), 1, sigmoid())))
  }
})

test_that("an own softmax with its Jacobian, but no pull(), trains like ours", {
  own <- setRefClass("own_softmax", contains = "activation", where = globalenv(), methods = list(
    forward = function(x) exp(x) / rowSums(exp(x)),
    backward = function(x) {
      p <- exp(x) / rowSums(exp(x))
      jacobian <- array(0, c(nrow(x), ncol(x), ncol(x)))
      for (n in seq_len(nrow(x))) jacobian[n, , ] <- diag(p[n, ]) - p[n, ] %o% p[n, ]
      jacobian
    }
  ))
  mine <- build(list(3, htan(), 3, own()), categorical_crossentropy())
  ours <- build(list(3, htan(), 3, softmax()), categorical_crossentropy())
  for (i in 1:5) expect_equal(mine$train_on_batch(xor_x, c(0, 1, 2, 0)), ours$train_on_batch(xor_x, c(0, 1, 2, 0)),
    tolerance = 1e-6)
})

test_that("a subclass of the network has fields and methods of its own and stays one when copied", {
  logging <- setRefClass("logging_network", contains = "dense_neural_network", fields = list(log = "numeric"),
    where = globalenv(), methods = list(
    train_on_batch = function(batch_x, batch_y, ...) {
      before <- callSuper(batch_x, batch_y, ...)
      log <<- c(log, before)
      before
    }
  ))
  plain <- build()
  network <- logging(weights = plain$weights, biases = plain$biases, activations = plain$activations, loss = plain$loss,
    optimizer = plain$optimizer)
  losses <- vapply(1:3, function(i) network$train_on_batch(xor_x, xor_y), 0)
  expect_identical(losses, vapply(1:3, function(i) plain$train_on_batch(xor_x, xor_y), 0))
  expect_identical(network$log, losses)
  expect_identical(network$predict(xor_x), plain$predict(xor_x))
  twin <- network$copy()
  expect_s4_class(twin, "logging_network")
  expect_identical(twin$log, losses)
})

test_that("labels that are no class are refused", {
  network <- build(list(3, softmax()), categorical_crossentropy())
  expect_error(network$train_on_batch(xor_x, c(0, 1, 2, 3)),
    "`batch_y` has the label 3, but with 3 classes the labels are 0 .. 2", class = "nativenet_error_index")
  for (bad in list(c(0, 1, 2, -1), c(0, 1, 2, 0.5), c(0, 1, 2, NA))) expect_error(network$train_on_batch(xor_x, bad),
    class = "nativenet_error_value")
  expect_error(build(list(3, linear()), mean_squared_error())$train_on_batch(xor_x, c(0, 1, 2, 0)),
    "`batch_y` must be a numeric matrix", class = "nativenet_error_value")
})

test_that("bad layers and parts are refused when a network is built", {
  refused <- function(expr, message, class = "nativenet_error_value") expect_error(expr, message, fixed = TRUE,
    class = class)
  loss <- mean_squared_error()
  sgd <- gradient_descent_optimizer()
  refused(build_dense_neural_network(0, list(1, relu()), loss, sgd),
    "`build_dense_neural_network()`: `input_size` must be a positive whole number, not 0")
  refused(build_dense_neural_network(2, 3, loss, sgd),
    "`layers` must be a list of numbers of units and activations, not 3")
  refused(build_dense_neural_network(2, list(), loss, sgd), "`layers` must be a list")
  refused(build_dense_neural_network(2, list(3), loss, sgd),
    "the last of `layers` has no activation; use `linear()` for none")
  refused(build_dense_neural_network(2, list(3, 4, relu()), loss, sgd),
    "`layers[[2]]` must be an activation such as `sigmoid()` or `linear()`, not 4")
  refused(build_dense_neural_network(2, list(relu(), 3), loss, sgd),
    "`layers[[1]]` must be a number of units, not an object of class <relu>")
  refused(build_dense_neural_network(2, list(2.5, relu()), loss, sgd),
    "`layers[[1]]` must be a positive whole number, not 2.5")
  refused(build_dense_neural_network(2, list(3, relu), loss, sgd), "`layers[[2]]` must be an activation")
  refused(build_dense_neural_network(2, list(3, "relu"), loss, sgd),
    "`layers[[2]]` must be an activation such as `sigmoid()` or `linear()`, not \"relu\"")
  refused(build_dense_neural_network(2, list(3, loss), loss, sgd), "not an object of class <mean_squared_error>")
  refused(build_dense_neural_network(2, list(3, relu()), "mse", sgd), "`loss` must be a loss")
  refused(build_dense_neural_network(2, list(3, relu()), sgd, loss), "`loss` must be a loss")
  refused(build_dense_neural_network(2, list(3, relu()), loss, loss), "`optimizer` must be an optimizer")
  refused(build_dense_neural_network(2, list(3, relu()), loss, sgd, l1 = NA),
    "`l1` must be a number at least 0, not NA")
  refused(build_dense_neural_network(2, list(3, relu()), loss, sgd, dtype = "int32"), "`dtype` must be one of")
  net <- function(w, b, a = list(relu())) dense_neural_network(weights = w, biases = b, activations = a, loss = loss,
    optimizer = sgd)
  refused(net(list(matrix(1, 2, 3), matrix(1, 2, 1)), list(1:3, 1), list(relu(), relu())),
    "`weights[[2]]` of shape (2, 1) does not fit the 3 units before it", "nativenet_error_shape")
  refused(net(list(matrix(1)), list(1:2)), "`biases[[1]]` must be 1 finite numbers")
  refused(net(list(matrix(1)), list(1), list(relu(), relu())),
    "`activations` must be a list of 1, one per layer, not of 2")
  refused(net(list(1), list(1)), "`weights[[1]]` must be a numeric matrix")
  refused(net(matrix(1), list(1)), "`weights` must be a list of matrices")
})

test_that("a bad optimizer number or field of a part is refused before a step", {
  network <- build()
  before <- numbers(network)
  network$optimizer$learning_rate <- -1
  expect_error(network$train_on_batch(xor_x, xor_y), "`learning_rate` must be a number at least 0.*, not -1",
    class = "nativenet_error_value")
  expect_error(network$fit(xor_x, xor_y, batch_size = 4, verbose = FALSE), "`learning_rate`",
    class = "nativenet_error_value")
  expect_identical(numbers(network), before)
})

test_that("a network shows its shape", {
  expect_snapshot(build(list(3, htan(), 1, sigmoid()), input_size = 2, dtype = "float32"))
})

test_that("targets beyond 0 and 1 are no targets for a cross-entropy", {
  network <- build()
  before <- network$weights
  expect_error(network$fit(xor_x, c(-1, 1, 1, -1), verbose = FALSE),
    "`fit()`: `y` has the value -1, but `binary_crossentropy()`", fixed = TRUE, class = "nativenet_error_value")
  expect_error(network$train_on_batch(xor_x, c(1, 2, 2, 1)), "has the value 2", class = "nativenet_error_value")
  expect_identical(network$weights, before)
  squared <- build(list(2, htan(), 1, htan()), mean_squared_error())
  expect_true(is.finite(squared$train_on_batch(xor_x, c(-1, 1, 1, -1))))
})

test_that("a class in place of an object is named", {
  expect_error(build_dense_neural_network(2, list(2, relu, 1, sigmoid()), binary_crossentropy(), adam_optimizer()),
    "`relu()` makes an object of it", fixed = TRUE)
  expect_error(check_gradient(relu, matrix(1)), "`relu()` makes an object of it", fixed = TRUE,
    class = "nativenet_error_value")
  expect_error(build_dense_neural_network(2, list(1, softmax()), categorical_crossentropy(), adam_optimizer()),
    "always 1", class = "nativenet_error_value")
})

test_that("predict() works as R users type it", {
  network <- build()
  expect_identical(predict(network, xor_x), network$predict(xor_x))
})

test_that("to_categorical() gives the dtype that is asked for", {
  expect_identical(to_categorical(1:0, dtype = "int32"), matrix(c(0L, 1L, 1L, 0L), 2))
  expect_identical(to_categorical(1:0, dtype = "float32"), matrix(c(0, 1, 1, 0), 2))
  expect_refusal(to_categorical(0, dtype = "complex"), "value", "`to_categorical()`: `dtype`")
})
