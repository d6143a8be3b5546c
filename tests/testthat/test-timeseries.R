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
