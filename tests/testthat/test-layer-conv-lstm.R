hard <- function(x) pmin(pmax(0.2 * x + 0.5, 0), 1)
rows_of <- function(x, f) matrix(x, ncol = f) # cells and samples as rows

#' Step by step in plain R, channels last; conv_reference() is that of helper-op-convolution.R.
film_reference <- function(x, w, strides = 1, padding = "valid", dilation = 1, mask = NULL, start = NULL,
  backwards = FALSE) {
  axes <- length(dim(x)) - 3
  d <- dim(x)
  k <- dim(w[[1]])[seq_len(axes)]
  f <- dim(w[[2]])[axes + 1]
  window <- function(n, strides, dilation, padding) {
    reach <- dilation * (k - 1)
    pads <- if (padding == "same") pmax((ceiling(n / strides) - 1) * strides + reach + 1 - n, 0) else 0 * n
    rbind(rep_len(strides, axes), rep_len(dilation, axes), pads %/% 2, pads - pads %/% 2)
  }
  take <- function(t) array(matrix(aperm(x, c(2, 1, seq_len(axes + 1) + 2)), d[2])[t, ], d[-2])
  states <- start
  y <- NULL
  sequence <- list()
  for (t in if (backwards) d[2]:1 else seq_len(d[2])) {
    z <- conv_reference(take(t), w[[1]], NULL, window(d[2 + seq_len(axes)], strides, dilation, padding))
    shape <- c(dim(z)[seq_len(axes + 1)], f)
    if (is.null(states)) states <- list(array(0, shape), array(0, shape))
    z <- rows_of(z, 4 * f) + rows_of(conv_reference(states[[1]], w[[2]], NULL, window(shape[1 + seq_len(axes)], 1, 1,
      "same")), 4 * f) + rep(w[[3]], each = length(z) / (4 * f))
    gate <- function(i) array(z[, (i - 1) * f + seq_len(f)], shape)
    memory <- hard(gate(2)) * states[[2]] + hard(gate(1)) * tanh(gate(3))
    new <- list(hard(gate(4)) * tanh(memory), memory)
    out <- new[[1]]
    if (!is.null(mask)) {
      real <- array(mask[, t], shape)
      new <- Map(function(a, b) ifelse(real, a, b), new, states)
      out <- ifelse(real, out, if (is.null(y)) 0 else y)
    }
    states <- new
    y <- out
    sequence <- c(sequence, list(y))
  }
  whole <- aperm(array(unlist(sequence), c(dim(y), d[2])), c(1, axes + 3, 1 + seq_len(axes + 1)))
  list(y = y, states = states, sequence = whole)
}
layers <- list(layer_conv_lstm_1d, layer_conv_lstm_2d, layer_conv_lstm_3d)
random_weights <- function(layer) set_weights(layer, Map(function(w, k) array(some(dim(w), -0.5, 0.5, k), dim(w)),
  lapply(get_weights(layer), as.array), 1:3))
first_of <- function(x, lead) aperm(x, c(seq_len(lead), length(dim(x)), (lead + 1):(length(dim(x)) - 1)))

test_that("values are those of plain R, along one to three axes, with all arguments of the convolution", {
  for (axes in 1:3) {
    d <- c(2, 3, c(5, 4, 3)[seq_len(axes)], 2)
    x <- array(some(d), d)
    for (more in list(list(), list(padding = "same"), list(padding = "same", strides = 2), list(dilation_rate = 2))) {
      new <- function(...) do.call(layers[[axes]], c(list(filters = 3, kernel_size = 2, dtype = "float64", ...), more))
      layer <- new(return_sequences = TRUE, return_state = TRUE)
      invisible(layer(x))
      random_weights(layer)
      w <- lapply(get_weights(layer), as.array)
      reference <- do.call(film_reference, c(list(x, w), stats::setNames(more, sub("_rate", "", names(more)))))
      found <- lapply(layer(x), as.array)
      expect_equal(found[[1]], reference$sequence, tolerance = 1e-12)
      expect_equal(found[2:3], reference$states, tolerance = 1e-12)
      last <- new(data_format = "channels_first", return_state = TRUE)
      invisible(last(first_of(x, 2)))
      set_weights(last, w)
      found <- lapply(last(first_of(x, 2)), as.array)
      expect_equal(found, lapply(c(list(reference$y), reference$states), first_of, lead = 1), tolerance = 1e-12)
    }
  }
})

test_that("backwards, masks, initial states, states that are kept", {
  x <- array(some(c(2, 4, 3, 3, 1)), c(2, 4, 3, 3, 1))
  new <- function(...) {
    layer <- layer_conv_lstm_2d(filters = 2, kernel_size = 3, padding = "same", dtype = "float64", ...)
    invisible(layer(x))
    random_weights(layer)
    layer
  }
  w <- lapply(get_weights(new()), as.array)
  value <- function(y) as.array(y)
  expect_equal(value(new(go_backwards = TRUE)(x)), film_reference(x, w, padding = "same", backwards = TRUE)$y)
  mask <- rbind(c(FALSE, TRUE, FALSE, TRUE), c(TRUE, TRUE, FALSE, FALSE))
  expect_equal(value(new(return_sequences = TRUE)(x, mask = mask)), film_reference(x, w, padding = "same",
    mask = mask)$sequence)
  start <- list(array(some(c(2, 3, 3, 2)), c(2, 3, 3, 2)), array(some(c(2, 3, 3, 2), k = 2), c(2, 3, 3, 2)))
  expect_equal(value(new()(x, initial_state = start)), film_reference(x, w, padding = "same", start = start)$y)
  halves <- new(stateful = TRUE, batch_input_shape = c(2, NA, 3, 3, 1))
  reset_states(halves)
  invisible(halves(x[, 1:2, , , , drop = FALSE]))
  expect_equal(value(halves(x[, 3:4, , , , drop = FALSE])), film_reference(x, w, padding = "same")$y)
})

clone_of <- function(model) {
  copy <- clone_model(model)
  set_weights(copy, get_weights(model))
  copy
}

test_that("it trains, compiled too, for batches of any size, drops, and is saved", {
  set.seed(2)
  x <- array(rnorm(20 * 3 * 4 * 4), c(20, 3, 4, 4, 1))
  model <- keras_model_sequential(input_shape = c(3, 4, 4, 1)) |>
    layer_conv_lstm_2d(2, 3, padding = "same", dropout = 0.2, recurrent_dropout = 0.2, return_sequences = TRUE) |>
    layer_conv_lstm_2d(2, c(2, 2)) |> layer_flatten() |> layer_dense(1)
  expect_identical(dim(model$layers[[1]]$output), c(NA, 3L, 4L, 4L, 2L))
  bias <- as.array(get_weights(model)[[3]])
  expect_identical(c(bias), c(0, 0, 1, 1, 0, 0, 0, 0))
  compile(model, optimizer_adam(0.05), "mse")
  y <- apply(x[, 3, , , 1], 1, mean)
  history <- fit(model, x, y, epochs = 15, batch_size = 7, verbose = 0)
  expect_lt(utils::tail(history$metrics$loss, 1), history$metrics$loss[1])
  path <- file.path(tempdir(), "conv-lstm.model")
  save_model(model, path)
  expect_identical(predict(load_model(path), x), predict(model, x))
  expect_identical(predict(clone_of(model), x), predict(model, x))
})
test_that("what does not fit is refused in words", {
  expect_refusal(layer_conv_lstm_2d(array(0, c(2, 3, 3, 1)), 1, 2), "shape",
    "(batch, timesteps, rows, columns, channels)")
  expect_refusal(layer_conv_lstm_2d(filters = 0, kernel_size = 2), "value", "`filters`")
  expect_refusal(layer_conv_lstm_2d(filters = 1, kernel_size = 2, dropout = 1), "value", "`dropout`")
  expect_refusal(layer_conv_lstm_2d(filters = 1, kernel_size = 2, padding = "causal"), "value", "`padding`")
  expect_refusal(layer_conv_lstm_2d(filters = 1), "value", "`kernel_size`")
  x <- array(0, c(2, 4, 6, 2))
  masked <- layer_masking()(x) # a mask of single cells
  expect_refusal(layer_conv_lstm_1d(filters = 1, kernel_size = 2)(masked), "shape",
    "`mask` must have the shape (None, 4) of batch and timesteps, not (None, 4, 6)")
  expect_refusal(layer_conv_lstm_1d(filters = 1, kernel_size = 2)(x, mask = matrix(TRUE, 2, 3)), "shape",
    "not (None, 3)")
})
