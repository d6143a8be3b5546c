# Layers that change pictures. Transforms themselves are among the cases of ops.

again <- function(model) unserialize_model(serialize_model(model))
numbered <- function(rows, columns) array(seq_len(rows * columns) + 0, c(rows, columns, 1))
flat <- function(x) as.array(x)[, , 1]

test_that("pictures are resized and cut", {
  x <- some(c(2, 6, 9, 3))
  for (method in c("bilinear", "nearest")) expect_equal(as.array(layer_resizing(x, 4, 5, method, dtype = "float64")),
    as.array(op_resize(x, c(4, 5), method)), tolerance = 1e-12)
  # the middle 6 x 6, and the middle 3 x 9
  expect_equal(as.array(layer_resizing(x, 3, 3, crop_to_aspect_ratio = TRUE, dtype = "float64")),
    as.array(op_resize(x[, , 2:7, ], c(3, 3))), tolerance = 1e-12)
  expect_equal(as.array(layer_resizing(x, 1, 3, crop_to_aspect_ratio = TRUE, dtype = "float64")),
    as.array(op_resize(x[, 2:4, , ], c(1, 3))), tolerance = 1e-12)
  expect_equal(as.array(layer_center_crop(x, 3, 4, dtype = "float64")), x[, 2:4, 3:6, ], tolerance = 1e-12)
  expect_equal(as.array(layer_center_crop(x[1, , , ], 3, 4, dtype = "float64")), x[1, 2:4, 3:6, ], tolerance = 1e-12)
  expect_equal(as.array(layer_center_crop(x, 8, 8, dtype = "float64")), as.array(op_resize(x[, , 2:7, ], c(8, 8))),
    tolerance = 1e-12) # too small
  expect_identical(as.array(layer_center_crop(height = 6, width = 9, dtype = "float64")(x)), x)
  expect_identical(flat(layer_resizing(height = 1, width = 1)(tensor(array(1:4, c(2, 2, 1))))), 2.5)
})

test_that("flips, turns, shifts and zooms are what they say", {
  x <- numbered(5, 5)
  one <- x[, , 1]
  turn <- function(f, ...) flat(layer_random_rotation(x, c(f, f), dtype = "float64", ...))
  expect_equal(turn(0.25), t(one)[5:1, ], tolerance = 1e-9) # counter-clockwise
  expect_equal(turn(-0.25), t(one[5:1, ]), tolerance = 1e-9)
  expect_equal(turn(0.5, interpolation = "nearest"), one[5:1, 5:1])
  shift <- function(down, right, ...) flat(layer_random_translation(x, c(down, down), c(right, right),
    dtype = "float64", ...))
  expect_equal(shift(0.2, 0, "constant", fill_value = 9), rbind(9, one[1:4, ]), tolerance = 1e-12)
  expect_equal(shift(-0.2, 0, "wrap"), one[c(2:5, 1), ], tolerance = 1e-12)
  expect_equal(shift(0, 0.4, "wrap"), one[, c(4:5, 1:3)], tolerance = 1e-12)
  expect_equal(shift(0, 0.4, "reflect"), one[, c(2:1, 1:3)], tolerance = 1e-12)
  expect_equal(shift(0, -0.4, "nearest"), one[, c(3:5, 5, 5)], tolerance = 1e-12)
  zoom <- function(x, f, g = NULL, ...) flat(layer_random_zoom(x, c(f, f), g, dtype = "float64", ...))
  at <- seq(1, 3, 0.5) # the middle half
  expect_equal(zoom(x, -0.5), outer(at, at, function(row, column) 1 + row + 5 * column), tolerance = 1e-12)
  expect_equal(zoom(x, 1, fill_mode = "constant")[2:4, 2:4], one[c(1, 3, 5), c(1, 3, 5)], tolerance = 1e-12)
  expect_equal(zoom(x, 0, c(1, 1), fill_mode = "constant"), cbind(0, one[, c(1, 3, 5)], 0), tolerance = 1e-12)
})

test_that("any turn, shift and zoom agrees with a formula", {
  x <- some(c(1, 5, 8, 2))
  seen <- function(a, mode, interpolation) image_reference(c(5, 8), interpolation, mode, 0.3)(x, rbind(a))
  middle <- c(2, 3.5)
  for (mode in c("constant", "reflect", "wrap", "nearest")) for (way in c("bilinear", "nearest")) {
    check <- function(layer, a) expect_equal(as.array(layer), seen(a, mode, way), tolerance = 1e-9)
    r <- 2 * pi * 0.07
    check(layer_random_rotation(x, c(0.07, 0.07), mode, way, NULL, 0.3, dtype = "float64"),
      c(cos(r), -sin(r), middle[2] * (1 - cos(r)) + middle[1] * sin(r), sin(r), cos(r),
        middle[1] * (1 - cos(r)) - middle[2] * sin(r), 0, 0))
    check(layer_random_translation(x, c(0.33, 0.33), c(-0.41, -0.41), mode, way, NULL, 0.3, dtype = "float64"),
      c(1, 0, 8 * 0.41, 0, 1, -5 * 0.33, 0, 0))
    check(layer_random_zoom(x, c(0.3, 0.3), c(-0.3, -0.3), mode, way, NULL, 0.3, dtype = "float64"),
      c(0.7, 0, 0.3 * middle[2], 0, 1.3, -0.3 * middle[1], 0, 0))
  }
})

test_that("a factor of 0 changes nothing, and inference does not", {
  x <- some(c(3, 4, 5, 2)) * 100 + 200 # no number of 0 .. 255 is cut
  x[] <- pmin(pmax(x, 0), 255)
  still <- list(layer_random_rotation(factor = 0, dtype = "float64"), layer_random_zoom(height_factor = 0,
    dtype = "float64"), layer_random_translation(height_factor = 0, width_factor = 0, dtype = "float64"),
    layer_random_brightness(factor = 0, dtype = "float64"))
  for (layer in still) for (y in list(x, x[1, , , ])) expect_identical(as.array(layer(y)), y)
  expect_equal(as.array(layer_random_contrast(x, 0, dtype = "float64")), x, tolerance = 1e-12)
  for (layer in list(layer_random_flip(dtype = "float64"), layer_random_contrast(factor = 0.5, dtype = "float64"),
    layer_random_rotation(factor = 0.4, dtype = "float64"))) expect_identical(as.array(layer(x, training = FALSE)), x)
})

test_that("each picture has its own draws, within the ends", {
  set.seed(1)
  n <- 400
  x <- array(rep(numbered(1, 10), each = n), c(n, 1, 10, 1))
  moved <- as.array(layer_random_translation(x, 0, c(-0.2, 0.3), "nearest"))[, 1, 5, 1] - 5 # the fifth is linear
  expect_gt(length(unique(moved)), n - 20)
  fits <- function(v, ...) suppressWarnings(stats::ks.test(v, ...))$p.value
  expect_gt(fits(moved, "punif", -3, 2), 0.01)
  y <- array(some(c(n, 2, 2, 1)), c(n, 2, 2, 1))
  flipped <- as.array(layer_random_flip(y, dtype = "float64"))
  ways <- vapply(seq_len(n), function(i) {
    same <- vapply(list(y[i, , , ], y[i, 2:1, , ], y[i, , 2:1, ], y[i, 2:1, 2:1, ]), identical, NA, flipped[i, , , ])
    which(same)
  }, 1L)
  expect_gt(stats::chisq.test(table(factor(ways, 1:4)))$p.value, 0.01)
  across <- as.array(layer_random_flip(y, "horizontal", dtype = "float64"))
  expect_true(all(apply(across, c(1, 2), sum) == apply(y, c(1, 2), sum)) && !identical(across, y))
  down <- as.array(layer_random_flip(y, "vertical", dtype = "float64"))
  expect_equal(apply(down, c(1, 3), sum), apply(y, c(1, 3), sum), tolerance = 1e-12)
  # one height and width where there is no other factor
  zoomed <- as.array(layer_random_zoom(array(1, c(n, 20, 20, 1)), c(0, 1), fill_mode = "constant"))
  expect_equal(apply(zoomed, c(1, 2), max), apply(zoomed, c(1, 3), max), tolerance = 1e-5)
  bright <- as.array(layer_random_brightness(array(0.5, c(n, 2, 2, 1)), c(-0.5, 0.25), c(0, 1)))
  expect_gt(fits(bright[, 1, 1, 1], "punif", 0, 0.75), 0.01)
  expect_identical(bright[, 1, 1, ], bright[, 2, 2, ])
})

test_that("contrast and brightness are those of the formula, and cut", {
  x <- 100 + 60 * some(c(3, 4, 4, 2), -1, 1)
  y <- as.array(layer_random_contrast(x, c(0.3, 0.2), dtype = "float64"))
  middle <- array(rep(apply(x, c(1, 4), mean), each = 16), c(4, 4, 3, 2)) |> aperm(c(3, 1, 2, 4))
  ratio <- (y - middle) / (x - middle)
  expect_lt(diff(range(ratio)), 1e-9) # one for all
  expect_true(ratio[1] > 0.7 && ratio[1] < 1.2)
  expect_identical(range(as.array(layer_random_contrast(x * 4 - 300, c(0, 9)))), c(0, 255))
  expect_identical(range(as.array(layer_random_brightness(x, c(1, 1)))), c(255, 255))
  expect_equal(as.array(layer_random_brightness(x, c(-0.1, -0.1), dtype = "float64")), x - 25.5, tolerance = 1e-12)
})

test_that("crops are parts of the size, the same for all pictures of a batch", {
  set.seed(1)
  x <- array(rep(numbered(4, 5), each = 3), c(3, 4, 5, 1))
  crop <- layer_random_crop(height = 2, width = 3)
  starts <- vapply(1:60, function(i) {
    y <- as.array(crop(x))
    expect_identical(y[1, , , ], y[3, , , ])
    expect_identical(y[1, , , 1] - y[1, 1, 1, 1], cbind(0:1, 5:6 - 1, 9:10 - 1) + 0)
    y[1, 1, 1, 1]
  }, 0)
  expect_setequal(starts, c(1:3, 5:7, 9:11))
  resized <- layer_resizing(x, 2, 3, crop_to_aspect_ratio = TRUE)
  expect_identical(as.array(crop(x, training = FALSE)), as.array(resized))
  expect_identical(as.array(layer_random_crop(x, 8, 6)), as.array(layer_resizing(x, 8, 6, crop_to_aspect_ratio = TRUE)))
})

augmented <- function() keras_model_sequential(input_shape = c(6, 6, 1)) |> layer_random_flip() |>
  layer_random_rotation(0.1) |> layer_random_zoom(0.2, 0.1) |> layer_random_translation(0.1, 0.2) |>
  layer_random_contrast(0.2) |> layer_random_brightness(0.1, c(0, 1)) |> layer_random_crop(5, 5)

test_that("models augment in training, and by hand unless told otherwise", {
  x <- array(stats::runif(8 * 36), c(8, 6, 6, 1))
  augment <- augmented()
  model <- keras_model_sequential(input_shape = c(6, 6, 1)) |> augment() |> layer_flatten() |> layer_dense(1)
  middle <- as.array(layer_resizing(x, 5, 5, crop_to_aspect_ratio = TRUE))
  expect_identical(predict(augment, x), middle)
  expect_identical(as.array(augment(x, training = FALSE)), middle)
  expect_false(identical(as.array(augment(x)), middle))
  expect_identical(predict(model, x), as.array(model(x, training = FALSE)))
  compile(model, optimizer_sgd(0), "mse") # weights stay, so that losses differ by what is seen
  losses <- fit(model, x, rep(1, 8), epochs = 3, batch_size = 3, verbose = 0)$metrics$loss
  expect_length(unique(losses), 3)
  expect_identical(evaluate(model, x, rep(1, 8), verbose = 0), evaluate(model, x, rep(1, 8), verbose = 0))
  expect_identical(predict(again(model), x), predict(model, x))
  configs <- function(model) lapply(model$layers, function(l) l$get_config())
  expect_equal(configs(again(augment)), configs(augment))
  expect_equal(lapply(configs(clone_model(augment)), `[`, -1), lapply(configs(augment), `[`, -1))
  expect_output(print(augment), "random_translation", fixed = TRUE)
})

test_that("set.seed() governs, in fit(), too, whatever the number of threads", {
  x <- array(seq(0, 1, length.out = 70 * 36), c(70, 6, 6, 1))
  run <- function(threads) {
    old <- nn_threads(threads)
    on.exit(nn_threads(old))
    set.seed(7)
    augment <- augmented()
    model <- keras_model_sequential(input_shape = c(6, 6, 1)) |> augment() |> layer_flatten() |> layer_dense(1)
    compile(model, "adam", "mse")
    fit(model, x, rep(0:1, 35), epochs = 2, verbose = 0)
    list(as.array(augment(x)), lapply(model$get_weights(), as.vector))
  }
  one <- run(1)
  expect_identical(run(2), one)
  set.seed(8)
  expect_false(identical(as.array(augmented()(x)), one[[1]]))
})

test_that("data sets map them over pictures and over batches", {
  x <- array(stats::runif(6 * 36), c(6, 6, 6, 1))
  augment <- augmented()
  flip <- layer_random_flip(mode = "horizontal")
  single <- as_array_iterator(dataset_map(tensor_slices_dataset(x), function(x) flip(x)))
  y <- iter_next(single)
  expect_true(any(vapply(list(x[1, , , ], x[1, , 6:1, ]), function(one) max(abs(c(y) - one)) < 1e-6, NA)))
  batch <- iter_next(as_array_iterator(dataset_map(dataset_batch(tensor_slices_dataset(x), 4), function(x)
    augment(x, training = TRUE))))
  expect_identical(dim(batch), c(4L, 5L, 5L, 1L))
})

test_that("heights and widths change at random", {
  set.seed(1)
  x <- some(c(2, 6, 8, 1))
  for (k in 1:2) {
    layer <- list(layer_random_height, layer_random_width)[[k]](factor = c(-0.5, 0.5))
    sizes <- vapply(1:60, function(i) dim(layer(x)), integer(4))
    expect_setequal(sizes[k + 1, ], if (k == 1) 3:8 else 4:11)
    expect_true(all(sizes[4 - k, ] == dim(x)[4 - k]))
    expect_equal(as.array(layer(x, training = FALSE)), x, tolerance = 1e-6)
  }
  model <- keras_model_sequential(input_shape = c(6, 8, 1)) |> layer_random_height(0.2) |>
    layer_global_average_pooling_2d() |> layer_dense(1)
  compile(model, "sgd", "mse")
  expect_error(fit(model, x, 1:2, verbose = 0), "changes the size of pictures", class = "nativenet_error_shape")
})

test_that("the layers refuse what they cannot do", {
  expect_error(layer_random_flip(matrix(1, 2, 2)), "`random_flip[_0-9]*\\(\\)`", class = "nativenet_error_shape")
  expect_error(keras_model_sequential(input_shape = c(28, 28)) |> layer_random_rotation(0.1),
    "`layer_reshape\\(\\)` adds", class = "nativenet_error_shape")
  expect_error(layer_random_rotation(factor = -0.1), "`factor` must be a number from 0, or two in order")
  expect_error(layer_random_zoom(height_factor = c(-2, 0)), "within -1 .. 1, not -2, 0", fixed = TRUE)
  expect_error(layer_random_translation(height_factor = c(0.2, 0.1), width_factor = 0), "two in order")
  expect_error(layer_random_contrast(factor = -0.1), "`factor` must be")
  expect_error(layer_random_contrast(factor = c(2, 1)), "`factor` must be")
  expect_error(layer_random_brightness(factor = 2), "within -1 .. 1", fixed = TRUE)
  expect_error(layer_random_brightness(factor = 0.1, value_range = 1), "two numbers")
  for (layer in list(layer_random_brightness, layer_random_contrast, layer_random_hue)) for (range in list(c(255, 0),
    c(1, 1))) expect_refusal(layer(factor = 0.1, value_range = range), "value", "the smaller first")
  expect_error(layer_random_zoom(height_factor = 0.1, fill_mode = "mirror"), "fill_mode")
  expect_error(layer_random_flip(mode = "sideways"), "mode")
  expect_error(layer_resizing(height = 0, width = 1), "height")
  expect_error(layer_resizing(height = 2, width = 1, interpolation = "best"), "interpolation")
  expect_error(op_transform_image(some(c(3, 4, 4, 1)), matrix(0, 2, 8)), "`transforms` must have the shape (3, 8)",
    fixed = TRUE, class = "nativenet_error_shape")
  expect_error(op_transform_image(some(c(3, 4)), matrix(0, 1, 8)), class = "nativenet_error_shape")
})

test_that("numbers that are none are seen where they are looked at", {
  x <- array(c(1, NaN, 3, 4), c(1, 2, 2, 1))
  shift <- as.array(op_transform_image(x, c(1, 0, 1, 0, 1, 0, 0, 0)))
  expect_identical(c(shift), c(3, 4, 0, 0))
  expect_true(all(is.nan(as.array(op_transform_image(x, tensor(matrix(NaN, 1, 8), "float64"))))))
  horizon <- as.array(op_transform_image(array(1, c(1, 2, 2, 1)), c(1, 0, 0, 0, 1, 0, -1, -1), fill_value = 7))
  expect_identical(c(horizon)[1:3], c(1, 7, 7))
})

test_that("pictures may be filled up to a ratio before they are resized; contrast keeps to its range", {
  x <- array(1:8 + 0, c(1, 2, 4, 1))
  framed <- as.array(layer_resizing(x, 4, 4, "nearest", pad_to_aspect_ratio = TRUE, fill_value = -1))[1, , , 1]
  expect_equal(framed, rbind(-1, x[1, 1, , 1], x[1, 2, , 1], -1), ignore_attr = TRUE)
  expect_refusal(layer_resizing(x, 2, 2, crop_to_aspect_ratio = TRUE, pad_to_aspect_ratio = TRUE), "value", "both")
  set.seed(1)
  y <- as.array(layer_random_contrast(factor = c(0, 5), value_range = c(2, 6))(x, training = TRUE))
  expect_true(all(y >= 2 & y <= 6))
  expect_identical(dim(layer_center_crop(x, 2, 2, data_format = "channels_last")), c(1L, 2L, 2L, 1L))
  expect_refusal(layer_center_crop(x, 2, 2, data_format = "channels_first"), "value", "`data_format`")
})
