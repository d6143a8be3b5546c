#' Window by window in plain R. `first`: channels before the cells in the weights of a window.
local_reference <- function(x, w, b, k, strides, padding, first = FALSE) {
  axes <- length(k)
  d <- dim(x)
  n <- d[1 + seq_len(axes)]
  pads <- if (padding == "same") pmax((ceiling(n / strides) - 1) * strides + k - n, 0) else 0 * n
  out <- (n + pads - k) %/% strides + 1
  y <- array(0, c(d[1], out, dim(w)[3]))
  places <- arrayInd(seq_len(prod(out)), rev(out))[, axes:1, drop = FALSE] # row by row
  for (p in seq_len(nrow(places))) {
    cells <- lapply(seq_len(axes), function(i) (places[p, i] - 1) * strides[i] - pads[i] %/% 2 + seq_len(k[i]))
    for (s in seq_len(d[1])) {
      patch <- array(0, c(k, d[axes + 2]))
      for (i in seq_along(patch)) {
        at <- arrayInd(i, dim(patch))
        cell <- vapply(seq_len(axes), function(j) cells[[j]][at[j]], 0)
        if (all(cell >= 1 & cell <= n)) patch[i] <- x[rbind(c(s, cell, at[axes + 1]))]
      }
      flat <- c(aperm(patch, if (first) c(axes:1, axes + 1) else (axes + 1):1))
      y[cbind(s, rbind(places[p, ])[rep(1, dim(w)[3]), , drop = FALSE], seq_len(dim(w)[3]))] <-
        flat %*% matrix(w[p, , ], length(flat))
    }
  }
  y + rep(c(b), each = d[1])
}

test_that("values are those of plain R", {
  for (axes in 1:2) for (padding in c("valid", "same")) for (strides in 1:2) for (first in c(FALSE, TRUE)) {
    k <- c(3, 2)[seq_len(axes)]
    d <- c(2, c(6, 5)[seq_len(axes)], 2)
    x <- array(some(d), d)
    new <- list(layer_locally_connected_1d, layer_locally_connected_2d)[[axes]]
    layer <- new(filters = 3, kernel_size = k, strides = strides, padding = padding, dtype = "float64",
      implementation = if (padding == "same") 3 else 1, data_format = if (first) "channels_first")
    turned <- function(x) if (first) aperm(x, c(1, axes + 2, 1 + seq_len(axes))) else x
    invisible(layer(turned(x)))
    w <- Map(function(w, k) array(some(dim(w), k = k), dim(w)), lapply(get_weights(layer), as.array), 1:2)
    set_weights(layer, w)
    expect_equal(as.array(layer(turned(x))), turned(local_reference(x, w[[1]], w[[2]], k, rep(strides, axes), padding,
      first)), tolerance = 1e-12)
  }
})

test_that("it trains, for batches of any size, and is saved", {
  set.seed(1)
  x <- array(rnorm(40 * 5 * 5), c(40, 5, 5, 1))
  model <- keras_model_sequential(input_shape = c(5, 5, 1)) |>
    layer_locally_connected_2d(4, c(2, 3), activation = "relu", kernel_regularizer = "l2") |>
    layer_reshape(c(12, 4)) |> layer_locally_connected_1d(2, 3, strides = 3, use_bias = FALSE) |> layer_flatten() |>
    layer_dense(1)
  expect_identical(lapply(get_weights(model)[1:3], dim), list(c(12L, 6L, 4L), c(4L, 3L, 4L), c(4L, 12L, 2L)))
  compile(model, optimizer_adam(0.02), "mse")
  y <- x[, 1, 1, 1] - x[, 5, 5, 1]
  history <- fit(model, x, y, epochs = 20, batch_size = 7, verbose = 0)
  expect_lt(utils::tail(history$metrics$loss, 1), history$metrics$loss[1] / 2)
  path <- file.path(tempdir(), "local.model")
  save_model(model, path)
  expect_identical(predict(load_model(path), x[1:3, , , , drop = FALSE]), predict(model, x[1:3, , , , drop = FALSE]))
})

test_that("what does not fit is refused in words", {
  expect_refusal(layer_locally_connected_1d(array(0, c(2, 3, 1)), 1, 4), "shape", "does not fit")
  for (odd in list(4, c(1, 2))) expect_refusal(layer_locally_connected_1d(filters = 1, kernel_size = 2,
    implementation = odd), "value", "`implementation`")
  layer <- layer_locally_connected_1d(filters = 1, kernel_size = 2)
  invisible(layer(array(0, c(2, 3, 1))))
  expect_refusal(layer(array(0, c(2, 4, 1))), "shape", "sizes")
  expect_refusal(keras_model_sequential(input_shape = c(NA, 1)) |> layer_locally_connected_1d(1, 2), "shape",
    "needs to know the sizes")
})
