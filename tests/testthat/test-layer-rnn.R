set.seed(31)
x <- array(rnorm(3 * 5 * 2), c(3, 5, 2))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE, FALSE), FALSE, c(FALSE, TRUE, TRUE, FALSE, TRUE))
pairs <- list(
  list(layer_lstm, layer_lstm_cell, list()), list(layer_gru, layer_gru_cell, list()),
  list(layer_gru, layer_gru_cell, list(reset_after = FALSE, use_bias = FALSE)),
  list(layer_simple_rnn, layer_simple_rnn_cell, list(activation = "relu")),
  list(layer_lstm, layer_lstm_cell, list(recurrent_activation = "hard_sigmoid", activation = "linear"))
)

cell_mean <- new_layer_class("MeanCell", # h = (h + x w) / 2, and the number of steps
  initialize = function(units) {
    self$units <- units
    self$state_size <- list(units, 1)
  },
  build = function(input_shape) self$w <- self$add_weight("w", c(input_shape[2], self$units)),
  call = function(inputs, states, training = FALSE) {
    h <- (states[[1]] + op_matmul(inputs, self$w)) / 2
    if (training) h <- h * 2
    list(h, list(h, states[[2]] + 1))
  }
)

test_that("layer_rnn() of our cells is the layer, with masks, in both directions, from given states", {
  for (pair in pairs) for (back in c(FALSE, TRUE)) for (sequences in c(FALSE, TRUE)) {
    options <- list(return_sequences = sequences, return_state = TRUE, go_backwards = back, dtype = "float64")
    whole <- do.call(pair[[1]], c(list(units = 4), pair[[3]], options))
    steps <- do.call(layer_rnn, c(list(cell = do.call(pair[[2]], c(list(units = 4, dtype = "float64"), pair[[3]]))),
      options))
    whole(x)
    steps(x)
    expect_identical(lapply(get_weights(steps), dim), lapply(get_weights(whole), dim))
    set_weights(whole, get_weights(steps))
    n <- length(whole(x)) - 1
    first <- lapply(1:n, function(k) matrix(sin(k * 1:12), 3))
    for (mask in list(NULL, mask)) for (first in list(NULL, first)) {
      call <- function(layer) lapply(layer(x, mask = mask, initial_state = first), as.array)
      expect_equal(call(steps), call(whole), tolerance = 1e-12)
    }
  }
})

test_that("a cell of one's own has its states, its weights and its training", {
  layer <- layer_rnn(cell = cell_mean(units = 3), return_state = TRUE, return_sequences = TRUE)
  y <- lapply(layer(x), as.array)
  w <- get_weights(layer)[[1]]
  expect_identical(dim(w), c(2L, 3L))
  h <- matrix(0, 3, 3)
  for (t in 1:5) {
    h <- (h + x[, t, ] %*% w) / 2
    expect_equal(y[[1]][, t, ], h, tolerance = 1e-6)
  }
  expect_equal(y[[2]], h, tolerance = 1e-6)
  expect_identical(y[[3]], matrix(5, 3, 1))
  masked <- lapply(layer(x, mask = mask), as.array)
  expect_identical(c(masked[[3]]), c(3, 0, 3))
  expect_identical(masked[[1]][2, , ], matrix(0, 5, 3))
  expect_identical(masked[[1]][1, 4, ], masked[[1]][1, 3, ])
  zeros <- layer_rnn(cell = cell_mean(units = 3), return_sequences = TRUE, zero_output_for_mask = TRUE)
  zeros(x)
  set_weights(zeros, list(w))
  expect_equal(as.array(zeros(x, mask = mask)), masked[[1]] * c(mask), tolerance = 1e-6)
  expect_gt(max(abs(as.array(layer(x, training = TRUE)[[1]]))), max(abs(y[[1]])))
})

test_that("stacked cells are layers on top of each other, and keep their states in order", {
  stack <- layer_rnn(cell = list(layer_lstm_cell(units = 4), layer_gru_cell(units = 3)), return_state = TRUE,
    return_sequences = TRUE)
  y <- lapply(stack(x, mask = mask), as.array)
  w <- get_weights(stack)
  lstm <- layer_lstm(units = 4, return_sequences = TRUE, return_state = TRUE)
  gru <- layer_gru(units = 3, return_sequences = TRUE, return_state = TRUE)
  h <- lstm(x, mask = mask)
  gru(h[[1]])
  set_weights(lstm, w[1:3])
  set_weights(gru, w[4:6])
  h <- lstm(x, mask = mask)
  z <- gru(h[[1]])
  expect_equal(y, lapply(c(z[1], h[2:3], z[2]), as.array), tolerance = 1e-6)
})

test_that("cells drop the same at each step, and in training only", {
  ones <- array(1, c(50, 4, 6))
  cell <- layer_simple_rnn_cell(units = 2, activation = "linear", recurrent_initializer = "zeros",
    kernel_initializer = "ones", dropout = 0.5)
  layer <- layer_rnn(cell = cell, return_sequences = TRUE)
  expect_true(all(as.array(layer(ones)) == 6))
  y <- as.array(layer(ones, training = TRUE))
  expect_true(all(y == y[, c(1, 1, 1, 1), ]))
  expect_gt(length(unique(y[, 1, 1])), 3)
  kept <- layer_rnn(cell = layer_simple_rnn_cell(units = 3, activation = "linear", recurrent_initializer = "identity",
    kernel_initializer = "ones", recurrent_dropout = 0.5), return_sequences = TRUE)
  h <- as.array(kept(ones[, , 1, drop = FALSE], training = TRUE))
  expect_setequal(unique(c(h[, 4, ])), c(1, 15)) # 1, or ((1 2 + 1) 2 + 1) 2 + 1
})

test_that("layers of cells train like the layers, in any number of steps, and are saved with own cells", {
  fitted <- function(layer) {
    set.seed(3)
    input <- layer_input(shape = c(NA, 2))
    model <- keras_model(input, layer(input) |> layer_dense(1, kernel_initializer = "ones"))
    set_weights(model, lapply(get_weights(model), function(w) array(sin(seq_along(w)), dim(w))))
    model |> compile(optimizer_sgd(0.1), "mse")
    model |> fit(x, 1:3, epochs = 3, batch_size = 2, shuffle = FALSE, verbose = 0)
    model
  }
  a <- fitted(layer_lstm(units = 4, dtype = "float64"))
  b <- fitted(layer_rnn(cell = layer_lstm_cell(units = 4, dtype = "float64"), dtype = "float64"))
  expect_equal(get_weights(b), get_weights(a), tolerance = 1e-6)
  expect_equal(predict(b, x[, 1:2, ]), predict(a, x[, 1:2, ]), tolerance = 1e-6)
  own <- fitted(layer_rnn(cell = cell_mean(units = 2)))
  again <- unserialize_model(serialize_model(own), custom_objects = list(MeanCell = cell_mean))
  expect_identical(predict(again, x), predict(own, x))
})

test_that("what is wrong with a cell is said", {
  fails <- function(code, message, class = "nativenet_error_value") expect_error(code, message, fixed = TRUE,
    class = class)
  fails(layer_rnn(), "`cell` must be given")
  fails(layer_rnn(cell = "lstm"), "`cell` must be a layer that computes one step")
  fails(layer_stacked_rnn_cells(list()), "`cells` must be a list of cells")
  fails(layer_rnn(x[, , 1], layer_gru_cell(units = 2)), "needs an input of shape (batch, timesteps, ...)",
    "nativenet_error_shape")
  fails(layer_rnn(x, layer_dense(units = 2)), "a cell must say the size of its state")
  cell <- function(call, size = 2)
    new_layer_class("Odd", initialize = function() self$state_size <- size, call = call)()
  fails(layer_rnn(x, cell(function(inputs) inputs)), "must take the inputs and the states")
  fails(layer_rnn(x, cell(function(inputs, states) inputs)), "must give list(output, states), with 1 states")
  fails(layer_rnn(x, cell(function(inputs, states) list(inputs, op_concat(list(inputs, inputs), 2)))),
    "must have the shape (None, 2) that `state_size` says, not (None, 4)", "nativenet_error_shape")
  fails(layer_rnn(x, cell(function(inputs, states) list(inputs, inputs), -1)), "a cell must say the size of its state")
  fails(layer_rnn(x, layer_lstm_cell(units = 2))(x), "attempt to apply non-function", "error")
  fails(layer_lstm_cell(units = 0), "`units` must be a positive whole number")
  fails(layer_lstm_cell(units = 2)(x[, 1, ], states = list(matrix(0, 3, 2))), "`initial_state` must be a list of 2")
})
