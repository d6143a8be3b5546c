# Convolution layers: values against plain R, shapes and counts as in Keras, saving.

window_of <- function(strides, dilation, before, after) rbind(strides, dilation, before, after)

test_that("layers give what plain R gives", {
  x <- some(c(2, 6, 5, 2), -1, 1)
  layer <- layer_conv_2d(filters = 3, kernel_size = c(3, 2), strides = 2, padding = "same", activation = "tanh")
  y <- as.array(layer(x))
  w <- get_weights(layer)
  expect_identical(lapply(w, dim), list(c(3L, 2L, 2L, 3L), 3L))
  z <- conv_reference(x, w[[1]], NULL, window_of(c(2, 2), 1, c(0, 0), c(1, 1)))
  expect_equal(y, tanh(z + rep(c(w[[2]]), each = length(z) / 3)), tolerance = 1e-6)
  causal <- layer_conv_1d(filters = 2, kernel_size = 3, padding = "causal", dilation_rate = 2, use_bias = FALSE)
  series <- some(c(2, 7, 4), -1, 1)
  y <- as.array(causal(series))
  expect_equal(y, conv_reference(series, get_weights(causal)[[1]], NULL, window_of(1, 2, 4, 0)), tolerance = 1e-6)
  grouped <- layer_conv_3d(filters = 4, kernel_size = 2, groups = 2)
  volume <- some(c(1, 3, 4, 2, 6), -1, 1)
  y <- as.array(grouped(volume))
  expect_equal(y, conv_reference(volume, get_weights(grouped)[[1]], NULL, window_of(rep(1, 3), 1, 0, 0), 2),
    tolerance = 1e-6)
})

test_that("transposed layers undo the sizes of plain ones", {
  x <- some(c(2, 4, 3, 2), -1, 1)
  layer <- layer_conv_2d_transpose(filters = 5, kernel_size = 3, strides = 2, padding = "same", activation = "relu")
  y <- as.array(layer(x))
  w <- get_weights(layer)
  expect_identical(lapply(w, dim), list(c(3L, 3L, 5L, 2L), 5L))
  z <- conv_reference(NULL, w[[1]], x, window_of(c(2, 2), 1, 0, 1), size = c(8, 6))
  expect_equal(y, pmax(z, 0), tolerance = 1e-6)
  size <- function(...) dim(layer_conv_1d_transpose(array(0, c(1, 5, 2)), filters = 1, ...))[2]
  # Keras' deconv_output_length()
  expect_identical(size(kernel_size = 3, strides = 2), 11L)
  expect_identical(size(kernel_size = 2, strides = 3), 15L)
  expect_identical(size(kernel_size = 3, strides = 2, padding = "same"), 10L)
  expect_identical(size(kernel_size = 3, strides = 2, padding = "same", output_padding = 0), 9L)
  expect_identical(size(kernel_size = 3, strides = 2, padding = "same", output_padding = 1), 10L)
  expect_identical(size(kernel_size = 4, strides = 3, output_padding = 2), 18L)
  expect_identical(size(kernel_size = 3, dilation_rate = 2), 9L)
  expect_identical(dim(layer_conv_3d_transpose(array(0, c(1, 2, 3, 2, 4)), filters = 3, kernel_size = 2, strides = 2)),
    c(1L, 4L, 6L, 4L, 3L))
  expect_error(layer_conv_1d_transpose(filters = 1, kernel_size = 3, output_padding = 1)(array(0, c(1, 5, 2))),
    "`output_padding` must be less than `strides`", class = "nativenet_error_value")
  expect_error(layer_conv_1d_transpose(array(0, c(1, 2, 2)), 1, 4, padding = "same", output_padding = 0),
    "`output_padding` of 0 asks for an output of size 1, .* not lead to 2; `NULL` makes one of size 2")
})

test_that("depthwise and separable layers give what plain R gives", {
  x <- some(c(2, 5, 4, 3), -1, 1)
  layer <- layer_depthwise_conv_2d(kernel_size = 2, depth_multiplier = 2, strides = 2)
  y <- as.array(layer(x))
  w <- get_weights(layer)
  expect_identical(lapply(w, dim), list(c(2L, 2L, 3L, 2L), 6L))
  for (channel in 1:3) {
    one <- conv_reference(x[, , , channel, drop = FALSE], w[[1]][, , channel, , drop = FALSE], NULL,
      window_of(c(2, 2), 1, 0, 0))
    expect_equal(y[, , , 2 * channel - 1:0], array(one, dim(one)), tolerance = 1e-6)
  }
  separable <- layer_separable_conv_1d(filters = 5, kernel_size = 3, depth_multiplier = 2, padding = "causal",
    activation = "elu")
  series <- some(c(2, 6, 3), -1, 1)
  y <- as.array(separable(series))
  w <- get_weights(separable)
  expect_identical(lapply(w, dim), list(c(3L, 3L, 2L), c(1L, 6L, 5L), 5L))
  deep <- as.array(op_depthwise_conv(series, w[[1]], padding = "causal"))
  z <- matrix(deep, 12) %*% matrix(w[[2]], 6)
  expect_equal(c(y), c(ifelse(z > 0, z, expm1(z))), tolerance = 1e-6)
  expect_identical(dim(layer_separable_conv_2d(array(0, c(1, 6, 6, 2)), 3, 3, strides = 2)), c(1L, 2L, 2L, 3L))
  expect_identical(dim(layer_depthwise_conv_1d(array(0, c(1, 6, 2)), 3, padding = "same")), c(1L, 6L, 2L))
})

test_that("the bias of long series with few channels has its gradient", {
  dy <- some(c(2, 300, 3), -1, 1)
  for (dtype in c("float32", "float64")) {
    bias <- variable(c(0, 0, 0), dtype = dtype)
    with(gradient_tape() %as% tape, {
      y <- op_depthwise_conv(tensor(some(c(2, 302, 3)), dtype), tensor(some(c(3, 3, 1)), dtype), bias = bias)
    })
    g <- as.array(tape$gradient(y, bias, list(dy)))
    expect_equal(c(g), apply(dy, 3, sum), tolerance = c(float32 = 1e-5, float64 = 1e-12)[[dtype]])
  }
})

test_that("where the gradient of the result is mostly zero, those of kernel and input are sums of a few patches", {
  cases <- list(
    list(sizes = 150, k = 3, channels = 18, filters = 70, strides = 1, dilation = 1, before = 1, after = 0),
    list(sizes = 400, k = 2, channels = 3, filters = 37, strides = 2, dilation = 3, before = 0, after = 2),
    list(sizes = c(21, 20), k = c(3, 3), channels = 33, filters = 24, strides = 1, dilation = 1, before = 1, after = 1),
    list(sizes = c(9, 8, 11), k = c(2, 1, 3), channels = 2, filters = 40, strides = c(1, 2, 1), dilation = 1,
      before = c(0, 1, 2), after = 1))
  set.seed(1)
  for (case in cases) {
    axes <- length(case$sizes)
    window <- rbind(rep_len(case$strides, axes), rep_len(case$dilation, axes), rep_len(case$before, axes),
      rep_len(case$after, axes))
    out <- (case$sizes + window[3, ] + window[4, ] - window[2, ] * (case$k - 1) - 1) %/% window[1, ] + 1
    x <- some(c(3, case$sizes, case$channels), -1, 1)
    w <- some(c(case$k, case$channels, case$filters), -1, 1, 2)
    dy <- array(0, c(3, out, case$filters))
    dy[sample(length(dy), 100)] <- stats::rnorm(100)
    expected <- list(conv_reference(NULL, w, dy, window, 1, case$sizes), conv_reference(x, NULL, dy, window, 1, case$k),
      apply(dy, axes + 2, sum))
    if (all(case$strides == 1)) { # nobody looks at it: were all positions summed, the sums would be NaN
      unseen <- which(conv_reference(NULL, array(1, dim(w)), abs(dy), window, 1, case$sizes) == 0)
      x[unseen[1]] <- Inf
    }
    for (dtype in c("float32", "float64")) {
      found <- lapply(c(1, 4), function(n) with_threads(n, {
        inputs <- list(variable(tensor(x, dtype)), variable(tensor(w, dtype)), variable(tensor(numeric(case$filters),
          dtype)))
        with(gradient_tape() %as% tape, y <- op_conv(inputs[[1]], inputs[[2]], case$strides, t(window[3:4, ,
          drop = FALSE]), NULL, case$dilation, 1, inputs[[3]]))
        lapply(tape$gradient(y, inputs, list(dy)), as.array)
      }))
      expect_equal(lapply(found[[1]], c), lapply(expected, c), tolerance = c(float32 = 1e-6, float64 = 1e-14)[[dtype]])
      expect_identical(found[[1]], found[[2]])
    }
  }
})

test_that("channels may come first", {
  x <- some(c(2, 3, 6, 5), -1, 1)
  first <- layer_conv_2d(filters = 4, kernel_size = 3, data_format = "channels_first")
  y <- as.array(first(x))
  expect_identical(dim(y), c(2L, 4L, 4L, 3L))
  last <- layer_conv_2d(filters = 4, kernel_size = 3)
  expect_identical(dim(last(aperm(x, c(1, 3, 4, 2)))), c(2L, 4L, 3L, 4L))
  set_weights(last, get_weights(first))
  expect_identical(aperm(as.array(last(aperm(x, c(1, 3, 4, 2)))), c(1, 4, 2, 3)), y)
})

lenet <- function() keras_model_sequential(input_shape = c(8, 8, 1)) |>
  layer_conv_2d(4, kernel_size = 3, activation = "relu", kernel_regularizer = regularizer_l2(0.01),
    kernel_constraint = constraint_nonneg()) |>
  layer_conv_2d_transpose(3, kernel_size = 2, strides = 2, activation = "sigmoid") |>
  layer_separable_conv_2d(2, kernel_size = 3, padding = "same", depth_multiplier = 2) |>
  layer_depthwise_conv_2d(kernel_size = 2, strides = 2) |>
  layer_flatten() |>
  layer_dense(1)

test_that("counts, shapes, names and fans are Keras'", {
  model <- lenet()
  expect_identical(vapply(model$layers, count_params, 0), c(40, 51, 68, 10, 0, 73))
  expect_identical(lapply(model$layers[1:4], function(l) l$output_shape),
    list(c(NA, 6L, 6L, 4L), c(NA, 12L, 12L, 3L), c(NA, 12L, 12L, 2L), c(NA, 6L, 6L, 2L)))
  expect_match(names(coef(model))[c(1, 2, 5, 6, 7, 8)], "kernel|bias|depthwise_kernel|pointwise_kernel")
  expect_match(capture.output(summary(model)), "(Conv2DTranspose|SeparableConv2D)", all = FALSE)
  expect_identical(nativenet:::fans(c(3, 3, 8, 16)), c(72, 144))
  open <- layer_input(shape = c(NA, NA, 3)) |> layer_conv_2d(2, kernel_size = 3, padding = "same")
  expect_identical(dim(open), c(NA, NA, NA, 2L))
})

test_that("they train, are saved, loaded, cloned and frozen", {
  set.seed(1)
  x <- array(runif(64 * 64), c(64, 8, 8, 1))
  y <- apply(x, 1, mean)
  model <- lenet()
  compile(model, optimizer_adam(0.01), "mse")
  losses <- fit(model, x, y, epochs = 4, verbose = 0)$metrics$loss
  expect_lt(losses[4], losses[1] / 2)
  expect_true(all(get_weights(model)[[1]] >= 0))
  file <- tempfile(fileext = ".nn")
  on.exit(unlink(file))
  save_model(model, file)
  expect_identical(predict(load_model(file), x), predict(model, x))
  expect_identical(lapply(get_weights(clone_model(model)), dim), lapply(get_weights(model), dim))
  before <- get_weights(model)
  freeze_weights(model, to = 1)
  compile(model, optimizer_adam(0.01), "mse")
  fit(model, x, y, epochs = 1, verbose = 0)
  expect_identical(get_weights(model)[1:2], before[1:2])
  expect_false(identical(get_weights(model)[3], before[3]))
})

test_that("any number of threads gives the same bits", {
  set.seed(1)
  x <- tensor(array(runif(70 * 81 * 3), c(70, 9, 9, 3)), "float32")
  run <- function(threads) with_threads(threads, {
    set.seed(2)
    model <- keras_model_sequential(input_shape = c(9, 9, 3)) |>
      layer_conv_2d(20, kernel_size = 3, activation = "relu") |> layer_depthwise_conv_2d(3, padding = "same") |>
      layer_conv_2d_transpose(3, kernel_size = 3, strides = 2, padding = "same") |> layer_flatten() |> layer_dense(2)
    compile(model, "sgd", "mse")
    fit(model, x, matrix(1, 70, 2), epochs = 2, verbose = 0, shuffle = FALSE)
    get_weights(model)
  })
  one <- run(1)
  expect_identical(run(2), one)
  expect_identical(run(4), one)
})

test_that("what does not fit is refused", {
  expect_error(layer_conv_2d(kernel_size = 3), "`filters` must be given")
  expect_error(layer_conv_2d(filters = 4, kernel_size = c(3, 3, 3)), "`kernel_size` must be one number or 2, not 3")
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3, padding = "causal"), "`padding`")
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3, groups = 3), "`groups` must divide `filters`")
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3, groups = 2)(array(0, c(1, 5, 5, 3))),
    "`groups` must divide the 3 channels", class = "nativenet_error_value")
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3)(array(0, c(2, 28, 28))),
    "shape \\(batch, rows, columns, channels\\).*adds the axis", class = "nativenet_error_shape")
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3)(array(0, c(1, 2, 5, 3))), "larger than the padded input",
    class = "nativenet_error_value")
  layer <- layer_conv_1d(filters = 4, kernel_size = 3)
  layer(array(0, c(1, 5, 2)))
  expect_error(layer(array(0, c(1, 5, 3))), "was built for inputs of 2 channels", class = "nativenet_error_shape")
  x <- array(0, c(1, 5, 2))
  expect_error(op_conv(x, array(0, c(3, 3, 4))), "channels", class = "nativenet_error_shape")
  expect_error(op_conv(matrix(0, 2, 2), x), "batch, one to three sizes", class = "nativenet_error_shape")
  expect_error(op_conv(x, array(0, c(3, 2, 4)), bias = c(1, 2)), "`bias` must have the shape \\(4\\)")
  expect_error(op_conv(x, array(0, c(3, 2, 4)), padding = "full"), "`padding`")
  expect_error(op_conv(x, array(0, c(3, 1, 3)), groups = 2), "divide the number of filters")
  expect_error(op_conv_transpose(x, array(0, c(3, 1, 2)), size = 9), "do not lead from one size to the other")
  expect_error(op_conv_kernel(x, array(0, c(2, 5, 2)), 1), "one batch", class = "nativenet_error_shape")
  expect_error(op_depthwise_conv(x, array(0, c(3, 3, 1))), "before the last", class = "nativenet_error_shape")
})
