set.seed(41)
x <- array(rnorm(4 * 6 * 2), c(4, 6, 2))

stateful_layers <- list(
  function(...) layer_lstm(units = 3, ...), function(...) layer_gru(units = 3, ...),
  function(...) layer_simple_rnn(units = 3, ...), function(...) layer_rnn(cell = layer_lstm_cell(units = 3), ...)
)

test_that("a stateful layer goes on where the batch before ended, until its states are reset", {
  for (make in stateful_layers) {
    layer <- make(stateful = TRUE)
    whole <- as.array(layer(x))
    reset_states(layer)
    layer(x[, 1:4, ])
    expect_equal(as.array(layer(x[, 5:6, ])), whole, tolerance = 1e-6)
    expect_gt(max(abs(as.array(layer(x)) - whole)), 1e-3)
    layer$reset_states()
    expect_equal(as.array(layer(x)), whole, tolerance = 1e-6)
    expect_length(layer$weights, if (identical(make, stateful_layers[[3]])) 3 else length(get_weights(layer)))
  }
})

test_that("models of stateful layers carry states through predict() and fit(), batch by batch", {
  build <- function() {
    model <- keras_model_sequential() |> layer_lstm(3, stateful = TRUE, return_sequences = TRUE,
      batch_input_shape = c(2, 3, 2)) |> bidirectional(layer_gru(units = 2, stateful = TRUE)) |> layer_dense(1)
    set_weights(model, lapply(get_weights(model), function(w) array(sin(seq_along(w)), dim(w))))
    model
  }
  model <- build()
  expect_identical(model$layers[[1]]$output_shape, c(2L, 3L, 3L))
  parts <- x[, 1:3, ]
  y <- predict(model, parts, batch_size = 2)
  lstm <- layer_lstm(units = 3, return_sequences = TRUE, return_state = TRUE)
  lstm(parts)
  set_weights(lstm, get_weights(model)[1:3])
  h <- lstm(parts[1:2, , ])
  second <- lstm(parts[3:4, , ], initial_state = h[-1]) # rows 3 and 4 went on from 1 and 2
  inner <- keras_model(model$input, model$layers[[1]]$output)
  reset_states(model)
  expect_equal(predict(inner, parts, batch_size = 2)[3:4, , ], as.array(second[[1]]), tolerance = 1e-6)
  reset_states(model)
  expect_equal(predict(model, parts, batch_size = 2), y, tolerance = 1e-6)
  # training: as step by step
  fitted <- build()
  fitted |> compile(optimizer_sgd(0.1), "mse")
  fitted |> fit(parts, 1:4, epochs = 2, batch_size = 2, shuffle = FALSE, verbose = 0)
  steps <- build()
  steps |> compile(optimizer_sgd(0.1), "mse")
  for (epoch in 1:2) for (at in list(1:2, 3:4)) train_on_batch(steps, parts[at, , ], (1:4)[at])
  expect_equal(get_weights(fitted), get_weights(steps), tolerance = 1e-6)
  again <- unserialize_model(serialize_model(model))
  reset_states(model)
  expect_equal(predict(again, parts, batch_size = 2), predict(model, parts, batch_size = 2), tolerance = 1e-6)
  expect_error(predict(model, parts, batch_size = 4), "was built for batches of 2 sequences, not of 4",
    class = "nativenet_error_shape")
  expect_error(predict(model, parts[1:3, , ], batch_size = 2), "was built for batches of 2 sequences, not of 1",
    class = "nativenet_error_shape")
  expect_error(keras_model_sequential(input_shape = c(3, 2)) |> layer_gru(2, stateful = TRUE),
    "needs to know the batch size", class = "nativenet_error_shape")
  given <- layer_input(batch_shape = c(2, 3, 2))
  expect_identical(dim(layer_gru(given, 2, stateful = TRUE)), c(2L, 2L))
  expect_error(reset_states(3), "`object` must be a model or a layer", class = "nativenet_error_value")
})

test_that("an encoder's states begin a decoder, in symbols as in numbers, and all of it is saved", {
  read <- layer_input(shape = c(NA, 2), name = "read")
  told <- layer_input(shape = c(NA, 1), name = "told")
  encoder <- layer_lstm(units = 3, return_state = TRUE)
  decoder <- layer_lstm(units = 3, return_sequences = TRUE)
  states <- encoder(read)[-1]
  model <- keras_model(list(read, told), decoder(told, initial_state = states) |> layer_dense(1))
  target <- x[, 1:3, 1, drop = FALSE]
  by_hand <- decoder(target, initial_state = encoder(x)[-1])
  dense <- layer_dense(units = 1)
  dense(by_hand)
  set_weights(dense, get_weights(model)[7:8])
  expect_equal(predict(model, list(x, target)), as.array(dense(by_hand)), tolerance = 1e-6)
  model |> compile(optimizer_adam(0.02), "mse")
  before <- get_weights(model)
  history <- model |> fit(list(x, target), target, epochs = 20, batch_size = 3, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1])
  expect_true(all(mapply(function(a, b) any(a != b), before, get_weights(model)))) # the encoder learns through states
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, list(x, target)), predict(model, list(x, target)))
  expect_equal(predict(clone_model(model), list(x, target)) |> dim(), c(4L, 3L, 1L))
  # the decoder alone, from states that come as inputs
  h <- layer_input(shape = 3)
  c <- layer_input(shape = 3)
  alone <- keras_model(list(told, h, c), decoder(told, initial_state = list(h, c)))
  from <- lapply(encoder(x)[-1], as.array)
  expect_equal(predict(alone, list(target, from[[1]], from[[2]])),
    as.array(decoder(target, initial_state = from)), tolerance = 1e-6)
  expect_output(summary(model), "lstm.*told.*lstm") # connected to both
  fails <- function(code, message, class = "nativenet_error_value") expect_error(code, message, fixed = TRUE,
    class = class)
  fails(decoder(told, initial_state = h), "`initial_state` must be a list of 2 tensors")
  fails(decoder(told, initial_state = list(h, told)), "`initial_state` must have the shape (None, 3)",
    "nativenet_error_shape")
  fails(decoder(told, initial_state = list(h, matrix(0, 2, 3))), "is a mixture of symbolic tensors and others")
  fails(decoder(target, initial_state = list(matrix(0, 4, 2), matrix(0, 4, 3))), "must have the shape (None, 3), not",
    "nativenet_error_shape")
  fails(keras_model(told, decoder(told, initial_state = list(h, c))), "the outputs depend on")
})
