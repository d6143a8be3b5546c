# Results do not depend on the number of threads: see helper-bits.R. tools/bits.R does the same in all instruction sets.

test_that("every op and its derivative have the same bits on any number of threads, more than cores, too", {
  for (dtype in c("float32", "float64")) {
    alone <- with_threads(1, bits_of_ops(dtype))
    for (threads in c(2, 4, 8)) {
      shared <- with_threads(threads, bits_of_ops(dtype), 1)
      expect_identical(names(Filter(isFALSE, Map(identical, shared, alone))), character(),
        label = paste(dtype, "on", threads, "threads"))
    }
  }
})

test_that("networks of all kinds train to the same bits on any number of threads", {
  for (name in names(bits_networks)) {
    alone <- with_threads(1, bits_networks[[name]]())
    for (threads in 2:3) expect_identical(with_threads(threads, bits_networks[[name]](), 1), alone, label = name)
  }
})

test_that("a tensor that is several inputs has the sum of their gradients, by any number of threads", {
  x <- some(c(6, 6), -1, 1)
  row <- some(6, 0.5, 1.5)
  cases <- list(
    matmul = list(function(a, b) op_matmul(a, b), x, 2), divide = list(function(a, b) op_divide(a, b), row, 2),
    dense = list(function(a, b) op_dense(a, row %o% row, b, "tanh"), row, 2),
    dense_weights = list(function(a, b) op_dense(a, b, row, "relu"), x, 2),
    attention = list(function(a, b, c) op_attention(a, b, c), array(x, c(1, 9, 2, 2)), 3),
    attention_keys = list(function(a, b) op_attention(array(row, c(1, 3, 1, 2)), a, b), array(x, c(1, 18, 1, 2)), 2),
    conv = list(function(a, b) op_conv(a, b, activation = "tanh"), array(x, c(2, 2, 2, 2)), 2),
    conv_transpose = list(function(a, b) op_conv_transpose(a, b), array(x, c(2, 2, 2, 2)), 2),
    conv_kernel = list(function(a, b) op_conv_kernel(a, b, c(1, 1)), array(x, c(2, 2, 2, 2)), 2),
    standardize = list(function(a, b) op_standardize(x, a, b)[[1]], row, 2),
    standardize_itself = list(function(a, b) op_standardize(a, b)[[1]], row, 2),
    standardize_given = list(function(a, b, c, d) list_of(op_standardize(x, a, b, c, d))[[1]], row, 4),
    scatter_add = list(function(a, b) op_scatter_add(a, c(3L, 0L, 3L, 1L, 5L, 2L), b), x, 2),
    where = list(function(a, b) op_where(x > 0, a, b), x, 2),
    lstm = list(function(a, b) op_lstm(some(c(2, 3, 4)), a, b), some(c(4, 16), -1, 1), 2),
    lstm_state = list(function(a, b) op_lstm(some(c(2, 3, 4)), some(c(4, 8)), some(c(2, 8)),
      initial_state = list(a, b)), some(c(2, 2)), 2),
    rnn_table = list(function(a, b) op_simple_rnn(matrix(2999:0), row %o% row, row %o% row / 9, table = a,
      initial_state = b), matrix(some(6 * 3000, -1, 1), 3000), 2)
  )
  for (name in names(cases)) {
    f <- cases[[name]][[1]]
    x_of <- cases[[name]][[2]]
    n <- cases[[name]][[3]]
    apart <- tape_gradients(f, rep(list(x_of), n), seq_len(n))
    for (threads in c(1, 3)) {
      once <- with_threads(threads, tape_gradients(function(a) do.call(f, rep(list(a), n)), list(x_of), 1), 1)
      expect_equal(once[[1]], Reduce(`+`, apart), tolerance = 1e-12, label = paste(name, threads))
    }
  }
})
