test_that("windows and targets are those of Keras", {
  # the example of Keras' TimeseriesGenerator: data = targets = 0 .. 49, length 10, every second step, 2 in a batch
  batch <- timeseries_generator(matrix(0:49), matrix(0:49), length = 10, sampling_rate = 2, batch_size = 2)
  expect_equal(attr(batch, "steps"), 20)
  first <- batch()
  expect_equal(first[[1]], array(rbind(seq(0, 8, 2), seq(1, 9, 2)), c(2, 5, 1)))
  expect_equal(first[[2]], matrix(c(10, 11)))
  for (i in 2:20) last <- batch()
  expect_equal(c(last[[2]]), c(48, 49))
  expect_equal(batch(), first)
})

test_that("strides, limits, short last batches and reversal", {
  batch <- timeseries_generator(1:10, 101:110, length = 3, stride = 2, start_index = 1, end_index = 8, batch_size = 2)
  # targets at 4, 6, 8 counted from 0
  expect_identical(attr(batch, "steps"), 2L)
  expect_equal(batch(), list(rbind(2:4, 4:6), c(105L, 107L)))
  expect_equal(batch(), list(rbind(6:8), 109L))
  expect_equal(batch()[[2]], c(105L, 107L))
  expect_equal(timeseries_generator(1:10, 1:10, 3, reverse = TRUE, batch_size = 1)(), list(rbind(3:1), 4L))
  x <- array(rnorm(60), c(10, 3, 2))
  window <- timeseries_generator(x, 1:10, 4, batch_size = 5)()[[1]]
  expect_identical(dim(window), c(5L, 4L, 3L, 2L))
  expect_identical(window[2, , , ], x[2:5, , ])
})

test_that("random windows follow set.seed()", {
  draw <- function() {
    set.seed(1)
    timeseries_generator(1:30, 1:30, 5, shuffle = TRUE, batch_size = 200)()
  }
  x <- draw()
  expect_identical(draw(), x)
  expect_identical(dim(x[[1]]), c(200L, 5L))
  expect_identical(x[[1]][, 5] + 1L, x[[2]])
  expect_setequal(x[[2]], 6:30)
})

test_that("what does not fit is told", {
  expect_error(timeseries_generator(1:5, 1:4, 2),
    "`timeseries_generator()`: `targets` must be for as many time steps as `data` has, 5, not 4", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(timeseries_generator(1:5, 1:5, 5), "no window fits: `length`, 5, leaves no target", fixed = TRUE)
  expect_error(timeseries_generator("a", 1, 1), "`data` must be numbers over time, not \"a\"", fixed = TRUE)
  expect_error(timeseries_generator(1:5, 1:5, 2, sampling_rate = 3), "`sampling_rate` must be", fixed = TRUE)
  expect_error(timeseries_generator(1:5, 1:5, 2, end_index = 5), "`end_index` must be", fixed = TRUE)
})

test_that("timeseries_dataset_from_array() gives Keras' windows", {
  arrays <- function(...) lapply(dataset_collect(timeseries_dataset_from_array(...)), in_r)
  # the examples of Keras' help page
  x <- 1:20
  batches <- arrays(head(x, -3), tail(x, -3), sequence_length = 3, start_index = 3, end_index = 9, batch_size = 2)
  expect_equal(batches, list(list(rbind(3:5, 4:6), array(6:7)), list(rbind(5:7, 6:8), array(8:9)),
    list(rbind(7:9), array(10L))))
  apart <- arrays(1:100, NULL, sequence_length = 20, sequence_stride = 20)
  expect_equal(apart, list(matrix(1:100, 5, byrow = TRUE)))
  every <- arrays(1:100, (1:100) * 2, sequence_length = 10, sampling_rate = 2, sequence_stride = 3)
  starts <- seq(1, 100 - 18, by = 3)
  expect_equal(every, list(list(outer(starts, seq(0, 18, 2), `+`), array(starts * 2))))
  # series of several values, single windows
  m <- matrix(runif(24), 12)
  windows <- arrays(m, m[, 1], sequence_length = 4, batch_size = NULL)
  expect_identical(length(windows), 9L)
  expect_equal(windows[[3]], list(m[3:6, ], m[3, 1]), tolerance = 1e-6)
  expect_equal(arrays(as.data.frame(m), NULL, 12)[[1]][1, , ], m, tolerance = 1e-6)
  # no windows beyond the targets
  expect_equal(arrays(1:10, 1:3, 2)[[1]][[1]], rbind(1:2, 2:3, 3:4))
  shuffled <- function(seed) arrays(1:50, NULL, 5, shuffle = TRUE, seed = seed, batch_size = 60)[[1]][, 1]
  expect_identical(sort(shuffled(1)), 1:46)
  expect_identical(shuffled(1), shuffled(1))
  expect_false(identical(shuffled(1), shuffled(2)))
  expect_error(arrays(1:5, NULL, 6), "no window fits: 6 steps between 1 and 5", fixed = TRUE)
  expect_error(arrays(1:5, NULL, 2, start_index = 5), "no window fits", fixed = TRUE)
  expect_error(arrays(1:5, NULL, 2, end_index = 6), "`end_index` must be", fixed = TRUE)
  expect_error(arrays(letters, NULL, 2), "`data` must be numbers over time", fixed = TRUE)
  expect_error(timeseries_dataset_from_array(1:5, sequence_length = 2), "`targets` must be given", fixed = TRUE)
})

test_that("the engine takes windows by itself while a model is trained", {
  x <- as.numeric(1:60) / 60
  data <- timeseries_dataset_from_array(head(x, -4), tail(x, -4), sequence_length = 4, batch_size = 8)
  expect_false(is.null(attr(as_iterator(data)$pull, "batches")))
  model <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
  compile(model, optimizer_sgd(0.1), "mse")
  history <- fit(model, data, epochs = 20, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), 0.1 * history$metrics$loss[1])
})
