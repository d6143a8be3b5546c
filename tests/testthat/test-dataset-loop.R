# Loops over data sets that the engine takes by itself give the bits of the same loops in R, and leave the same behind.

set.seed(3)
loop_x <- tensor(matrix(rnorm(150), 50), "float32")
loop_y <- tensor(matrix(rnorm(50), 50), "float32")
rows_of <- function(batch = 4) dataset_batch(dataset_shuffle(tensor_slices_dataset(list(x = loop_x, y = loop_y)), 20),
  batch)

#' So many batches the engine took while `expr` ran.
batches_ahead <- function(expr) {
  taken <- 0
  own <- nativenet:::run_loop
  utils::assignInNamespace("run_loop", function(trace, loop, batches, env) {
    taken <<- taken + batches
    own(trace, loop, batches, env)
  }, "nativenet")
  on.exit(utils::assignInNamespace("run_loop", own, "nativenet"))
  force(expr)
  taken
}

#' The values that a loop leaves, from the engine and from R; `of` runs it over a data set.
both_loops <- function(of, ahead, data = rows_of()) {
  found <- list()
  for (k in 1:2) {
    own <- if (k == 1) data else in_fallback(data)
    set.seed(5)
    expect_identical(batches_ahead(found[[k]] <- whole(of(own))), c(ahead, 0)[k])
  }
  expect_identical(found[[1]], found[[2]])
}

training <- function(data, epochs = 1, optimizer = tf$optimizers$Adam(learning_rate = 0.01)) {
  w <- variable(matrix(0.1, 3, 1), "float32")
  total <- 0
  smooth <- tensor(0, "float32")
  count <- tensor(0L)
  autograph({
    for (epoch in seq_len(epochs)) for (batch in data) {
      with(gradient_tape() %as% tape, loss <- op_mean(op_square(op_subtract(op_matmul(batch$x, w), batch$y))))
      optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
      total <- total + loss
      smooth <- 0.9 * smooth + 0.1 * loss
      count <- count + 1L
    }
  })
  list(as_value(w), total, smooth, count, loss, batch, tape$gradient)[1:6]
}
as_value <- nativenet:::as_value

test_that("a training loop keeps variables, optimizer state and what it adds up, epoch after epoch", {
  both_loops(training, 11) # of 13, the last one short
  both_loops(function(data) training(data, 3), 33)
  both_loops(function(data) training(data, 2, tf$optimizers$SGD(0.1, momentum = 0.9)), 22)
  both_loops(training, 0, dataset_batch(dataset_take(rows_of(1), 3), 1))
})

test_that("random numbers are those that the steps would draw one by one", {
  both_loops(function(data) {
    noise <- layer_dropout(rate = 0.5)
    w <- variable(matrix(0.1, 3, 1), "float32")
    total <- tensor(0, "float32")
    autograph(for (batch in data) {
      x <- noise(batch$x + tf$random$normal(shape(3L)), training = TRUE)
      with(gradient_tape() %as% tape, loss <- op_mean(op_square(op_dropout(op_matmul(x, w), 0.3) - batch$y)))
      w$assign_sub(0.1 * tape$gradient(loss, w))
      total <- total + loss
    })
    list(as_value(w), total, runif(1)) # and R's generator stands where it would
  }, 11)
})

test_that("a learning rate follows its schedule", {
  rate <- learning_rate_schedule_exponential_decay(0.1, decay_steps = 2, decay_rate = 0.5)
  both_loops(function(data) {
    optimizer <- tf$optimizers$SGD(rate)
    c(training(data, 2, optimizer), as.double(optimizer$iterations))
  }, 22)
  both_loops(function(data) training(data, 1, tf$optimizers$Adam(rate)), 11)
})

test_that("what is carried on may change places, and what is not is that of the last batch", {
  both_loops(function(data) {
    before <- now <- tensor(c(0, 0, 0), "float32")
    autograph({
      for (batch in data) {
        gone <- before
        before <- now
        now <- batch$x[1, ] + 0.5 * gone
      }
    })
    list(before, now, gone, batch)
  }, 11)
})

test_that("a function that loops over a data set finds what stands around it now", {
  scale <- 2
  total_of <- autograph(function(data, power = 1) {
    total <- tensor(0, "float32")
    half <- 0.5 * power
    for (batch in data) total <- total + scale * half * op_sum(batch$x)
    total
  })
  plain <- as.array(op_sum(loop_x))
  data <- dataset_batch(tensor_slices_dataset(list(x = loop_x)), 2)
  expect_message(value <- total_of(data), "batches")
  expect_equal(as.array(value), plain, tolerance = 1e-5)
  expect_identical(batches_ahead(expect_equal(as.array(total_of(data)), plain, tolerance = 1e-5)), 23)
  scale <- 6
  expect_equal(as.array(total_of(data)), 3 * plain, tolerance = 1e-5)
  expect_equal(as.array(total_of(data, 2)), 6 * plain, tolerance = 1e-5)
})

test_that("loops that cannot be traced run in R", {
  both_loops(function(data) {
    n <- 0
    last <- NULL
    autograph({
      for (batch in data) {
        n <- n + 1
        last <- batch$y
      }
    })
    expect_identical(n, 13)
    last
  }, 0)
  both_loops(function(data) {
    total <- 0
    autograph({
      for (batch in data) {
        if (op_sum(batch$x) > 2) break
        total <- total + op_sum(batch$x)
      }
    })
    total
  }, 0)
  both_loops(function(data) {
    grown <- tensor(matrix(0, 1, 1), "float32")
    autograph({
      for (batch in data) grown <- op_concat(list(grown, batch$y), axis = 1)
    })
    grown
  }, 0)
  with(gradient_tape() %as% tape, {
    w <- variable(1, "float32")
    total <- 0
    autograph({
      for (batch in rows_of()) total <- total + w * op_sum(batch$x)
    })
  })
  expect_equal(as.array(tape$gradient(total, w)), as.array(op_sum(loop_x)), tolerance = 1e-4)
})

test_that("an error in a batch leaves the steps before it, and what they added up", {
  tokens <- dataset_batch(tensor_slices_dataset(c(0:9, 99L, 0:9)), 2)
  table <- variable(matrix(1, 10, 1), "float32")
  total <- tensor(0, "float32")
  expect_error(autograph({
    for (batch in tokens) total <- total + op_sum(op_gather(table, batch))
  }), class = "nativenet_error_index")
  expect_identical(as.array(total), 10)
})
