# What the course does with tensors, shortened: autoencoders on digits, by a tape and by compiled steps.

digits <- local({
  kept <- NULL
  function() {
    if (is.null(kept)) {
      set.seed(1)
      kept <<- if (nativenet:::data_available("mnist")) dataset_mnist(download = FALSE)$train$x[1:8000, , ] else
        dataset_digits(8000)$train$x
    }
    kept
  }
})

random_weights <- function(from, to) rnorm(from * to, sd = sqrt(6 / (from + to)))

test_that("a linear autoencoder learns with a tape, in float64, from batches that are R matrices", {
  images <- digits() / 255
  dim(images) <- c(nrow(images), 784)
  set.seed(2)
  encode <- tf$Variable(matrix(random_weights(784, 64), 784))
  decode <- tf$Variable(matrix(random_weights(64, 784), 64))
  adam <- tf$optimizers$Adam(learning_rate = 0.001)
  size <- tf$cast(32, tf$float64)
  losses <- numeric()
  for (i in 1:250) {
    batch <- images[((i - 1) * 32):(i * 32 - 1), ] # the first one has 31 rows: R drops row 0
    with(tf$GradientTape() %as% tape, {
      restored <- tf$matmul(tf$matmul(batch, encode), decode)
      loss <- tf$reduce_sum(tf$square(restored - batch)) / size
    })
    slopes <- tape$gradient(loss, list(encode, decode))
    adam$apply_gradients(list(list(slopes[[1]], encode), list(slopes[[2]], decode)))
    losses[i] <- loss$numpy()
  }
  expect_gt(losses[1], 100)
  expect_lt(mean(losses[241:250]), 35) # 26.8 is what the sheet prints at this place, for MNIST
  expect_identical(dim(restored), c(32L, 784L))
})

deep_autoencoder <- function(activation, flatten, rate) {
  layer <- function(from, to) {
    c(tf$Variable(matrix(random_weights(from, to) / 2, from), dtype = tf$float32), tf$Variable(tf$zeros(c(1, to))))
  }
  weights <- c(layer(784, 128), layer(128, 32), layer(32, 128), layer(128, 784))
  network <- function(x) {
    for (i in c(1, 3, 5)) x <- activation(tf$matmul(x, weights[[i]]) + weights[[i + 1]])
    tf$matmul(x, weights[[7]]) + weights[[8]]
  }
  adam <- tf$optimizers$Adam(learning_rate = rate)
  step <- autograph(function(batch) {
    with(tf$GradientTape() %as% tape, {
      loss <- tf$reduce_sum(tf$square(network(batch) - batch)) / as.numeric(nrow(batch))
    })
    adam$apply_gradients(zip_lists(tape$gradient(loss, weights), weights))
    loss
  })
  data <- digits() %>%
    tensor_slices_dataset() %>%
    dataset_map(function(x) tf$cast(flatten(x), tf$float32) / 255) %>%
    dataset_shuffle(8000) %>%
    dataset_repeat(2) %>%
    dataset_batch(32)
  list(step = step, data = data, weights = weights)
}

test_that("deep autoencoders learn by compiled steps over a pipeline, also with batches of shape (32, 1, 784)", {
  settings <- list(
    tanh = list(tf$nn$tanh, function(x) tf$reshape(x, 784), 0.003, c(32L, 784L)),
    relu = list(tf$nn$relu, function(x) tf$reshape(x, c(1L, 28L * 28L)), 0.001, c(32L, 1L, 784L))
  )
  for (name in names(settings)) {
    s <- settings[[name]]
    set.seed(3)
    ae <- deep_autoencoder(s[[1]], s[[2]], s[[3]])
    losses <- numeric()
    shapes <- list()
    train <- autograph(function(most) {
      i <- 0
      for (batch in ae$data) {
        shapes[[length(shapes) + 1]] <<- dim(batch)
        losses <<- c(losses, ae$step(batch)$numpy())
        i <- i + 1
        if (i >= most) break
      }
    })
    suppressMessages(train(300))
    expect_length(losses, 300)
    expect_identical(unique(shapes), list(s[[4]]))
    expect_null(environment(ae$step)$graph$reason)
    expect_length(environment(ae$step)$graph$traces, 1)
    expect_lt(mean(losses[291:300]), 0.6 * mean(losses[1:10]))
  }
})

test_that("a compiled step gives the bits of the same step op by op, over batches of different size", {
  run <- function(compile) {
    set.seed(4)
    ae <- deep_autoencoder(tf$nn$tanh, function(x) tf$reshape(x, 784), 0.01)
    step <- if (compile) ae$step else environment(ae$step)$graph$f
    data <- dataset_batch(dataset_take(dataset_map(tensor_slices_dataset(digits()),
      ~ tf$cast(tf$reshape(.x, 784), tf$float32) / 255), 75), 32)
    list(iterate(data, function(batch) as.array(step(batch))), lapply(ae$weights, as.array))
  }
  expect_identical(run(TRUE), run(FALSE))
})
