# Steps of one's own over shards: of models, of the course's networks, of loops.

own_step_model <- function(strategy, more = FALSE) {
  own <- new_model_class("own",
    initialize = function(units) {
      super$initialize()
      self$hidden <- layer_dense(units = units, activation = "relu")
      self$norm <- layer_batch_normalization()
      self$out <- layer_dense(units = 1, activation = "sigmoid")
      self$mine <- metric_mean(name = "mine")
    },
    call = function(inputs, training = FALSE) self$out(self$norm(self$hidden(inputs), training = training)),
    train_step = function(data) {
      x <- data[[1]]
      y <- data[[2]]
      with(tf$GradientTape() %as% tape, {
        y_pred <- self(x, training = TRUE)
        loss <- self$compiled_loss(y, y_pred)
      })
      gradients <- tape$gradient(loss, self$trainable_variables)
      self$optimizer$apply_gradients(zip_lists(gradients, self$trainable_variables))
      self$compiled_metrics$update_state(y, y_pred)
      self$mine$update_state(tf$reduce_mean(y_pred))
      lapply(stats::setNames(self$metrics, sapply(self$metrics, function(m) m$name)), function(m) m$result())
    }
  )
  set.seed(2)
  x <- matrix(stats::rnorm(180), 60)
  y <- matrix(as.numeric(x[, 1] > x[, 2]))
  model <- own(4)
  if (is.null(strategy)) model(x)
  model |> compile(optimizer_adam(0.01, clipvalue = 0.1), "binary_crossentropy", metrics = "accuracy")
  history <- model |> fit(x, y, batch_size = 14, epochs = 3, verbose = 0, strategy = strategy)
  list(weights = get_weights(model), metrics = history$metrics)
}

test_that("train_step of a model's class goes over shards, with its metrics", {
  plain <- own_step_model(NULL)
  expect_equal(own_step_model(strategy_local(1)), plain, tolerance = 1e-6)
  found <- own_step_model(strategy_local(2)) # batch normalization is of the shard
  expect_named(found$metrics, names(plain$metrics))
  expect_equal(found$metrics$mine, plain$metrics$mine, tolerance = 0.1)
  one <- own_step_model(strategy_local(8))
  for (ranks in c(2, 4)) for (found in on_ranks(ranks, own_step_model)) expect_identical(found, one)
})

train_course_network <- function(strategy) {
  set.seed(1)
  x <- matrix(stats::rnorm(120), 40)
  y <- as.numeric(x[, 1] > 0)
  network <- build_dense_neural_network(3, list(5, relu(), 1, sigmoid()), binary_crossentropy(),
    adam_optimizer(0.01))
  network$l2 <- 0.01
  losses <- network$fit(x, y, epochs = 4, batch_size = 9, verbose = FALSE, validation_data = list(x, y),
    strategy = strategy, on_epoch = function(epoch, loss) epoch < 3)
  list(network$weights, network$biases, losses)
}

test_that("the course's networks train over shards", {
  plain <- train_course_network(NULL)
  expect_equal(train_course_network(strategy_local(1)), plain, tolerance = 1e-12)
  expect_equal(train_course_network(strategy_local(8)), plain, tolerance = 1e-8)
  expect_length(plain[[3]]$loss, 3)
  one <- train_course_network(strategy_local(8))
  for (found in on_ranks(2, train_course_network)) expect_identical(found, one)
})

loop_of_ones_own <- function(strategy, compiled = TRUE, rows = 20) {
  set.seed(1)
  w <- tf$Variable(matrix(c(0.5, -0.5), 2))
  noise <- tf$Variable(0)
  seen <- metric_mean()
  optimizer <- optimizer_adam(0.05)
  step <- function(x, y) {
    with(tf$GradientTape() %as% tape, {
      p <- tf$matmul(x, w)
      loss <- tf$reduce_sum((p - y)^2) / 20
    })
    noise$assign(tf$reduce_mean(tf$random$normal(shape(4))))
    seen$update_state(tf$reduce_mean(p))
    optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
    list(loss = loss, rows = tf$reduce_sum(tf$ones_like(y)))
  }
  if (compiled) step <- tf_function(step)
  x <- tf$constant(matrix(stats::rnorm(40), 20))
  y <- tf$constant(matrix(stats::rnorm(20), 20))
  losses <- double()
  for (n in c(20, 20, rows)) {
    values <- strategy$run(step, args = list(tf$constant(as.array(x)[seq_len(n), , drop = FALSE]),
      tf$constant(as.array(y)[seq_len(n), , drop = FALSE])))
    sums <- strategy$reduce("SUM", values)
    losses <- c(losses, as.numeric(sums$loss), as.numeric(sums$rows))
  }
  list(w = as.array(w), noise = as.array(noise), seen = as.double(seen$result()), losses = losses)
}

test_that("strategy$run() takes one step along the sum over the shards; assigned variables are put together", {
  one <- loop_of_ones_own(strategy_local(1))
  # by hand: the same loop on whole batches
  set.seed(1)
  w <- tf$Variable(matrix(c(0.5, -0.5), 2))
  optimizer <- optimizer_adam(0.05)
  x <- tf$constant(matrix(rnorm(40), 20))
  y <- tf$constant(matrix(rnorm(20), 20))
  losses <- double()
  for (k in 1:3) {
    with(tf$GradientTape() %as% tape, loss <- tf$reduce_sum((tf$matmul(x, w) - y)^2) / 20)
    optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
    losses <- c(losses, as.numeric(loss), 20)
  }
  expect_equal(one$w, as.array(w), tolerance = 1e-6)
  expect_equal(one$losses, losses, tolerance = 1e-6)
  four <- loop_of_ones_own(strategy_local(4))
  expect_equal(four[c("w", "losses", "seen")], one[c("w", "losses", "seen")], tolerance = 1e-5)
  expect_equal(loop_of_ones_own(strategy_local(4), FALSE)[c("w", "losses", "seen")], four[c("w", "losses", "seen")],
    tolerance = 1e-6)
  runs <- list(list(TRUE, 3), list(FALSE, 3)) # compiled or not; the last batch leaves a shard empty
  local <- lapply(runs, function(args) do.call(loop_of_ones_own, c(list(strategy_local(4)), args)))
  for (ranks in c(2, 4)) expect_identical(on_ranks_in_turn(ranks, loop_of_ones_own, runs, 4),
    lapply(local, function(one) rep(list(one), ranks)))
})

test_that("ranks that differ do not take a step of strategy$run()", {
  run <- function(strategy, odd) {
    odd <- if (strategy$rank == 1) odd else "nothing"
    set.seed(if (odd == "seed") 2 else 1)
    w <- tf$Variable(if (odd == "weights") 0.6 else 0.5)
    seen <- tf$Variable(if (odd == "assigned") 1 else 0)
    optimizer <- optimizer_sgd(0.1)
    x <- tf$constant(c(1, 2, 3, if (odd == "batch") 5 else 4, if (odd == "rows") 5))
    step <- function(x) {
      with(tf$GradientTape() %as% tape, loss <- tf$reduce_sum((x * w)^2))
      seen$assign_add(1)
      optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
      loss
    }
    before <- as.array(w)
    said <- tryCatch(strategy$run(step, list(x)), error = identity)
    list(said, identical(as.array(w), before))
  }
  odd <- c("seed", "weights", "assigned", "batch", "rows", "nothing")
  found <- on_ranks_in_turn(2, run, lapply(odd, list), 2)
  for (k in seq_along(odd)) for (rank in found[[k]]) {
    expect_identical(rank[[2]], odd[k] != "nothing", info = odd[k])
    if (odd[k] == "nothing") next
    expect_s3_class(rank[[1]], "nativenet_error_rank")
    expect_match(conditionMessage(rank[[1]]), "another batch, other weights or another random seed", info = odd[k])
  }
})

test_that("what a step over shards cannot do is refused", {
  strategy <- strategy_local(2)
  w <- tf$Variable(1)
  optimizer <- optimizer_sgd(0.1)
  twice <- function(x) {
    with(tf$GradientTape() %as% tape, loss <- tf$reduce_sum(x * w))
    gradient <- tape$gradient(loss, w)
    for (k in 1:2) optimizer$apply_gradients(list(list(gradient, w)))
  }
  expect_error(strategy$run(twice, list(tf$constant(c(1, 2)))), "one step in each call")
  expect_error(strategy_local(2)$run(function(x) x, list(tf$constant(matrix(1)))), "first batch has 1 sample")
  expect_error(strategy_local(2)$run(function(x) x, list(1)), "holds no batch")
  expect_error(strategy_local(2)$run("f", list(1)), "`fn`")
  expect_error(strategy_local(2)$reduce("SUM", 1), "strategy\\$run")
  expect_error(strategy_local(2)$reduce("MAX", 1), "`reduce_op`")
  values <- strategy_local(2)$run(function(x) x * 2, list(tf$constant(c(1, 3))))
  expect_error(strategy_local(2)$reduce("SUM", values, axis = 0), "`axis` must be NULL")
  expect_equal(as.array(strategy_local(2)$reduce("MEAN", values)), array(4))
  expect_length(strategy_local(2)$experimental_local_results(values), 2)
  expect_output(print(values), "2 shards")
  expect_error(strategy_local(2)$distribute_datasets_from_function(identity), "whole batches")
  data <- tensor_slices_dataset(1:3)
  expect_identical(strategy_local(2)$experimental_distribute_dataset(data), data)
  expect_error(strategy_local(2)$experimental_distribute_dataset(1), "`dataset` must be")
})

test_that("nobody looks at weights whose update waits for the other shards", {
  strategy <- strategy_local(2)
  w <- tf$Variable(1)
  x <- list(tf$constant(c(1, 2)))
  looks <- list(function() as.array(w), function() w * 2, function() w$assign(0), function() w$assign_add(1))
  for (look in looks) for (compiled in c(FALSE, TRUE)) {
    optimizer <- optimizer_sgd(0.1)
    step <- function(x) {
      with(tf$GradientTape() %as% tape, loss <- tf$reduce_sum(x * w))
      optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
      look()
      loss
    }
    if (compiled) step <- tf_function(step)
    expect_error(strategy$run(step, x), "end of `strategy\\$run\\(\\)`|updated", info = deparse1(body(look)))
    expect_equal(as.double(as.array(w)), 1) # and may be looked at again
  }
})

test_that("TensorFlow's names of strategies", {
  expect_identical(tf$distribute$MirroredStrategy()$num_replicas_in_sync, 1L)
  expect_identical(tf$distribute$OneDeviceStrategy("cpu:0")$num_replicas_in_sync, 1L)
  expect_identical(tf$distribute$ReduceOp$SUM, "SUM")
  expect_false(tf$distribute$has_strategy())
  strategy <- strategy_local(4)
  with(strategy$scope(), {
    expect_true(tf$distribute$has_strategy())
    expect_identical(tf$distribute$get_strategy()$num_replicas_in_sync, 4L)
  })
  expect_error(tf$distribute$ParameterServerStrategy(), "strategy_mpi")
  expect_error(tf$distribute$TPUStrategy(), "processors")
  expect_error(tf$distribute$MultiWorkerMirroredStrategy(1), "`cluster_resolver`")
})
