# Pooling ops: values, gradients and shapes are checked with all ops (helper-op-window.R); here what is their own.

test_that("the gradient of a maximum goes to the first one, row by row; NaN counts as the maximum", {
  slope <- function(x, ...) {
    x <- tensor(x)
    tape <- gradient_tape()
    tape_watch(tape, x)
    y <- tape_record(tape, op_max_pool(x, ...))
    drop(as.array(tape_gradient(tape, y, x)))
  }
  for (kernels in kernel_sets()) {
    with_kernels(kernels, {
      ties <- slope(array(1, c(1, 4, 4, 3)), 2)
      for (channel in 1:3) expect_identical(ties[, , channel], matrix(rep(c(1, 0), 8) * rep(c(1, 0), each = 4), 4))
      expect_identical(slope(array(c(2, 5, 5, 1), c(1, 4, 1)), 3, 1), c(0, 2, 0, 0))
      expect_identical(slope(array(c(2, NaN, 5, 1), c(1, 4, 1)), 4), c(0, 1, 0, 0))
      expect_identical(slope(array(-Inf, c(1, 2, 1)), 2), c(1, 0))
    })
  }
  expect_identical(c(as.array(op_max_pool(array(c(1, NaN, 3, 4), c(1, 4, 1)), 2))), c(NaN, 4))
  expect_identical(c(as.array(op_max_pool_argmax(array(c(1, NaN, 4, 4), c(1, 4, 1)), 2))), 1:2)
})

test_that("padding is TensorFlow's: the odd cell behind, and no part of a mean", {
  x <- array(c(1, 2, 3, 4, 5), c(1, 5, 1))
  expect_identical(c(as.array(op_average_pool(x, 2, 2, "same"))), c(1.5, 3.5, 5))
  expect_identical(c(as.array(op_average_pool(x, 3, 2, "same"))), c(1.5, 3, 4.5))
  expect_identical(c(as.array(op_average_pool(x, 4, 4, "same"))), c(2, 4.5))
  expect_identical(c(as.array(op_max_pool(-x, 4, 3, "SAME"))), c(-1, -3))
  expect_identical(c(as.array(op_max_pool(x, 2))), c(2, 4))
})

test_that("values and gradients are PyTorch's", {
  # torch.nn.functional.max_pool2d(x, (3, 2), (2, 1)), avg_pool2d likewise, of x[h, w, c] = sin(7 h + 3 w + 2 c), and
  # the gradients of sum(y cos(0, 1, 2 ...))
  x <- outer(outer(7 * 0:5, 3 * 0:3, "+"), 2 * 0:1, "+")
  x <- tensor(array(sin(x), c(1, dim(x))))
  check <- function(op, total, slope) {
    tape <- gradient_tape()
    tape_watch(tape, x)
    y <- tape_record(tape, op(x, c(3, 2), c(2, 1)))
    seed <- from_row_major(cos(seq_along(c(as.array(y))) - 1), dim(y))
    expect_equal(sum(as.array(y) * seed), total, tolerance = 1e-12)
    g <- as.array(tape_gradient(tape, list(y), list(x), list(seed))[[1]])
    expect_equal(sum(g * cos(1:length(g))), slope, tolerance = 1e-12)
  }
  check(op_max_pool, -0.3369884594408549, -0.05235473768127308)
  check(op_average_pool, -0.1383642772012853, -0.29456130537993624)
})

test_that("one thread or two: the same bits, forward and back, where windows overlap and where they do not", {
  x <- list(some(c(3, 41, 40, 7)), some(c(1, 500, 67)), some(c(2, 12, 13, 14, 5)))
  f <- function(op, x, stride, padding) {
    x <- tensor(x, "float32")
    tape <- gradient_tape()
    tape_watch(tape, x)
    y <- tape_record(tape, op_square(op(x, 3, stride, padding)))
    lapply(list(y, tape_gradient(tape, y, x)), as.array)
  }
  for (op in list(op_max_pool, op_average_pool)) for (one in x) for (stride in c(1, 3)) {
    expect_identical(with_threads(2, f(op, one, stride, "same"), 5000),
      with_threads(1, f(op, one, stride, "same"), 5000))
  }
})

test_that("TensorFlow's and Keras' names", {
  x <- some(c(2, 6, 5, 3))
  expect_identical(as.array(tf$nn$max_pool2d(x, ksize = 2, strides = 2, padding = "VALID")),
    as.array(op_max_pool(x, 2)))
  expect_identical(as.array(tf$nn$max_pool(x, c(1, 2, 3, 1), c(1, 1, 2, 1), "SAME")),
    as.array(op_max_pool(x, c(2, 3), c(1, 2), "same")))
  expect_identical(as.array(tf$nn$avg_pool2d(x, c(2, 1), 1, "SAME", data_format = "NCHW")),
    as.array(op_average_pool(x, c(2, 1), 1, "same", "channels_first")))
  expect_identical(as.array(tf$nn$avg_pool1d(x[, , 1, ], 2, 2, "VALID", "NWC")),
    as.array(op_average_pool(x[, , 1, ], 2)))
  expect_identical(as.array(tf$nn$pool(x, c(2, 2), "AVG")), as.array(op_average_pool(x, 2, 1)))
  expect_identical(dim(tf$nn$avg_pool3d(array(0, c(1, 4, 4, 4, 2)), 2, 2, "SAME")), c(1L, 2L, 2L, 2L, 2L))
  expect_identical(dim(tf$nn$max_pool3d(array(0, c(1, 4, 4, 4, 2)), 2, 2, "SAME")), c(1L, 2L, 2L, 2L, 2L))
  expect_identical(dim(tf$nn$max_pool1d(x[, , 1, ], 2, 2, "SAME")), c(2L, 3L, 3L))
  expect_identical(dim(tf$nn$avg_pool(x, 2, 2, "SAME")), c(2L, 3L, 3L, 3L))
  expect_identical(as.array(k_pool2d(x, c(2, 2), pool_mode = "avg")), as.array(op_average_pool(x, 2, 1)))
  expect_identical(as.array(k_pool3d(array(x, c(2, 6, 5, 3, 1)), 2, 2)),
    as.array(op_max_pool(array(x, c(2, 6, 5, 3, 1)), 2)))
  found <- tf$nn$max_pool_with_argmax(x, 2, 2, "VALID")
  flat <- t(apply(x, 1, row_major))
  at <- as.array(found$argmax)
  for (i in 1:2) expect_identical(flat[i, c(at[i, , , ]) + 1], c(as.array(found$output)[i, , , ]))
  whole <- tf$nn$max_pool_with_argmax(x, 2, 2, "VALID", include_batch_in_index = TRUE, output_dtype = "int32")
  expect_identical(row_major(x)[c(as.array(whole$argmax)) + 1], c(as.array(found$output)))
})

test_that("what does not fit is refused in words", {
  x <- array(0, c(2, 4, 3, 1))
  expect_refusal(op_max_pool(x, 4), "shape", "`op_max_pool()`", "window of 4 does not fit into an axis of 3",
    "(2, 4, 3, 1)")
  expect_refusal(op_max_pool(matrix(0, 2, 2)), "shape", "1 to 3 spatial axes", "(2, 2)")
  expect_refusal(op_average_pool(x, c(1, 2, 3)), "value", "`op_average_pool()`", "`pool_size`",
    "one number or 2, not 3")
  expect_refusal(op_average_pool(x, 0), "value", "`pool_size`", "at least 1")
  expect_refusal(op_max_pool(x, 2, padding = "full"), "value", "`padding`", "\"valid\", \"same\"")
  expect_refusal(tf$nn$max_pool2d(x, c(2, 2, 2, 1), 1, "SAME"), "value", "`ksize`", "batch and the channels")
  expect_refusal(tf$nn$max_pool2d(array(0, 2:4), 1, 1, "SAME"), "shape", "4 axes", "(2, 3, 4)")
  expect_refusal(tf$nn$pool(x, 1, "MAX", dilations = 2), "value", "`dilations`")
  expect_refusal(tf$nn$max_pool2d(x, 1, 1, "SAME", "NHCW"), "value", "\"NHWC\", \"NCHW\"")
})
