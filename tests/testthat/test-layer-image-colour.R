# Colours of pictures against plain R, with factors that leave nothing to chance.

set.seed(5)
x <- array(runif(2 * 4 * 3 * 3) * 255, c(2, 4, 3, 3))
value <- function(layer) as.array(layer)
gray <- function(x) x[, , , 1] * 0.2989 + x[, , , 2] * 0.587 + x[, , , 3] * 0.114

test_that("saturation and hue are those of R's rgb2hsv()", {
  hsv <- function(x) grDevices::rgb2hsv(rbind(c(x[, , , 1]), c(x[, , , 2]), c(x[, , , 3])), maxColorValue = 255)
  s <- hsv(x)["s", ]
  more <- hsv(value(layer_random_saturation(x, c(0.4, 0.4), dtype = "float64")))["s", ]
  expect_equal(more, s * 0.4 / 0.6, tolerance = 1e-5)
  expect_equal(value(layer_random_saturation(x, c(0.5, 0.5), dtype = "float64")), x, tolerance = 1e-5)
  expect_equal(hsv(value(layer_random_saturation(x, c(1, 1), dtype = "float64")))["s", ], rep(1, 24), tolerance = 1e-5)
  h <- hsv(x)["h", ]
  turned <- hsv(value(layer_random_hue(x, c(0.2, 0.2), dtype = "float64")))
  apart <- (turned["h", ] - h) %% 1
  expect_true(all(abs(apart - 0.1) < 1e-6 | abs(apart - 0.9) < 1e-6))
  expect_equal(turned["v", ], hsv(x)["v", ], tolerance = 1e-6)
  expect_equal(value(layer_random_hue(x / 255, 0, c(0, 1), dtype = "float64")), x / 255, tolerance = 1e-9)
})

test_that("gray, sharpness, complement, bits, solarization", {
  pale <- value(layer_random_color_degeneration(x, c(0.3, 0.3), dtype = "float64"))
  expect_equal(pale[, , , 2], 0.7 * x[, , , 2] + 0.3 * gray(x), tolerance = 1e-10)
  whole <- value(layer_random_grayscale(x, 1, dtype = "float64"))
  for (k in 1:3) expect_equal(whole[, , , k], gray(x), tolerance = 1e-10)
  expect_identical(value(layer_random_grayscale(x, 0, dtype = "float64")), x)
  expect_equal(value(layer_random_invert(x, c(1, 1), dtype = "float64")), 255 - x)
  expect_equal(value(layer_random_invert(x / 127.5 - 1, c(1, 1), c(-1, 1), dtype = "float64")), 1 - x / 127.5)
  expect_identical(value(layer_random_invert(x, 0, dtype = "float64")), x)
  padded <- array(0, c(2, 6, 5, 3))
  padded[, 2:5, 2:4, ] <- x
  smooth <- 4 / 13 * x
  for (i in 0:2) for (j in 0:2) smooth <- smooth + padded[, 1:4 + i, 1:3 + j, ] / 13
  for (f in c(0, 0.5, 0.9)) expect_equal(value(layer_random_sharpness(x, c(f, f), dtype = "float64")),
    pmin(pmax(x + (1 - 2 * f) * (smooth - x), 0), 255), tolerance = 1e-10)
  expect_equal(value(layer_random_posterization(x, c(3, 3), dtype = "float64")), floor(x / 32) * 32)
  expect_equal(value(layer_random_posterization(x / 255, c(1, 1), c(0, 1), dtype = "float64")),
    floor(x / 128) * 128 / 255)
  set.seed(1)
  many <- value(layer_random_posterization(array(255, c(200, 1, 1, 1)), 4, dtype = "float64"))
  expect_setequal(many, c(128, 192, 224))
  expect_equal(value(layer_solarization(x, dtype = "float64")), 255 - x)
  some <- pmin(x + 25.5, 255)
  expect_equal(value(layer_solarization(x, c(0.1, 0.1), c(0.5, 0.5), dtype = "float64")), ifelse(some < 127.5, some,
    255 - some))
})

test_that("stretched and equalized", {
  y <- value(layer_auto_contrast(x, dtype = "float64"))
  for (i in 1:2) for (k in 1:3) {
    own <- x[i, , , k]
    expect_equal(y[i, , , k], (own - min(own)) / diff(range(own)) * 255, tolerance = 1e-9)
  }
  flat <- array(7, c(1, 2, 2, 1))
  expect_identical(value(layer_auto_contrast(flat, dtype = "float64")), flat)
  expect_equal(value(layer_auto_contrast()(x, training = FALSE)), value(layer_auto_contrast(x)))
  whole <- floor(x)
  y <- value(layer_equalization(whole, dtype = "float64"))
  for (k in 1:3) {
    own <- whole[, , , k]
    counts <- cumsum(tabulate(own + 1, 256))
    low <- min(counts[counts > 0])
    expect_equal(y[, , , k], array(round((counts[own + 1] - low) * 255 / (24 - low)), dim(own)), tolerance = 1e-6)
  }
  expect_identical(value(layer_equalization(flat, dtype = "float64")), flat)
})

test_that("inference changes nothing, each picture has its own draws, formats and files keep the arguments", {
  layers <- list(layer_random_saturation(factor = 0.5), layer_random_hue(factor = 0.5),
    layer_random_color_degeneration(factor = 0.5), layer_random_sharpness(factor = 0.5), layer_random_grayscale(),
    layer_random_invert(), layer_random_posterization(factor = 4), layer_random_color_jitter(brightness_factor = 0.2,
    contrast_factor = 0.2, saturation_factor = 0.4, hue_factor = 0.1), layer_solarization(addition_factor = 0.4))
  for (layer in layers) {
    expect_equal(value(layer(x, training = FALSE)), x, tolerance = 1e-6)
    changed <- value(layer(x))
    expect_identical(dim(changed), dim(x))
    expect_true(all(changed >= -1e-4 & changed <= 255.001))
    one <- value(layer(x[1, , , ]))
    expect_identical(dim(one), dim(x)[-1])
    expect_identical(get_config(from_config(get_config(layer))), get_config(layer))
  }
  set.seed(2)
  same <- array(rep(x[1, , , ], each = 2), c(2, 4, 3, 3))
  y <- value(layer_random_saturation(same, 1))
  expect_false(isTRUE(all.equal(y[1, , , ], y[2, , , ])))
  first <- aperm(x, c(1, 4, 2, 3))
  expect_equal(aperm(value(layer_random_color_degeneration(first, c(0.3, 0.3), data_format = "channels_first")),
    c(1, 3, 4, 2)), value(layer_random_color_degeneration(x, c(0.3, 0.3))), tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = c(4, 3, 3)) |> layer_random_color_jitter(brightness_factor = 0.2,
    hue_factor = 0.3) |> layer_random_grayscale(0.3) |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  expect_true(is.finite(fit(model, x / 255, c(1, 2), epochs = 2, verbose = 0)$metrics$loss[2]))
  again <- unserialize_model(serialize_model(model))
  expect_identical(predict(again, x), predict(model, x))
  expect_error(layer_random_saturation(x, 2), "`factor`", class = "nativenet_error_value")
  expect_error(layer_random_hue(x, c(0.5, 0.1, 0.2)), "`factor`")
  expect_error(layer_random_posterization(x, 9), "at most 8")
  expect_error(layer_random_invert(x, value_range = 1), "`value_range`")
  expect_error(layer_random_saturation(x[, , , 1:2], 0.5), class = "nativenet_error_shape")
  expect_error(layer_random_color_jitter(x, contrast_factor = -1), "`contrast_factor`")
})
