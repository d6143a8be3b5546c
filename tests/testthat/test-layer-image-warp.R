# Pictures erased, blurred, bent and mixed.

set.seed(6)
x <- array(runif(2 * 6 * 5 * 3) * 255, c(2, 6, 5, 3))
value <- function(layer) as.array(layer)

test_that("what is erased is a box of the size that was asked for", {
  set.seed(1)
  y <- value(layer_random_erasing(array(100, c(300, 20, 20, 1)), c(1, 1), scale = c(0.25, 0.25), fill_value = 7))
  counts <- apply(y == 7, 1, sum)
  expect_true(all(counts %in% c(81, 90, 99, 100, 110, 121)))
  rows <- apply(y == 7, 1:2, any)[1:5, , drop = FALSE]
  expect_true(all(apply(rows, 1, function(r) all(diff(which(r)) == 1))))
  some <- value(layer_random_erasing(array(100, c(500, 8, 8, 1)), c(0.3, 0.3), fill_value = 7, scale = c(0.3, 0.3)))
  share <- mean(apply(some == 7, 1, any))
  expect_gt(share, 0.2)
  expect_lt(share, 0.4)
  noise <- value(layer_random_erasing(x, c(1, 1)))
  expect_true(all(noise >= 0 & noise <= 255))
  colours <- value(layer_random_erasing(x, c(1, 1), scale = c(0.5, 0.5), fill_value = c(1, 2, 3)))
  expect_true(all(colours[, , , 2] == 2 | abs(colours[, , , 2] - x[, , , 2]) < 1e-4))
  expect_error(layer_random_erasing(x, fill_value = 1:2), "`fill_value`", class = "nativenet_error_shape")
})

test_that("blurs, shears, perspectives and elastic transforms are those of the ops", {
  expect_equal(value(layer_random_gaussian_blur(x, c(1, 1), 3, c(0.8, 0.8), dtype = "float64")),
    value(op_image_gaussian_blur(x, 3, c(0.8, 0.8))), tolerance = 1e-4)
  expect_identical(value(layer_random_gaussian_blur(x, 0, dtype = "float64")), x)
  a <- value(layer_random_shear(x, c(0.3, 0.3), c(0.1, 0.1), fill_mode = "nearest", dtype = "float64"))
  ways <- lapply(c(1, -1), function(w) value(op_transform_image(x, c(1, w * 0.3, 0, w * 0.1, 1, 0, 0, 0),
    fill_mode = "nearest")))
  for (i in 1:2) expect_true(any(vapply(ways, function(y) isTRUE(all.equal(y[i, , , ], a[i, , , ])), NA)))
  expect_identical(value(layer_random_shear(x, dtype = "float64")), x)
  expect_identical(value(layer_random_perspective(x, scale = 0, dtype = "float64")), x)
  expect_identical(value(layer_random_perspective(x, factor = 0, dtype = "float64")), x)
  expect_false(isTRUE(all.equal(value(layer_random_perspective(x, c(1, 1), 0.4)), x)))
  expect_equal(value(layer_random_elastic_transform(x, c(1, 1), 0, dtype = "float64")), x, tolerance = 1e-9)
  bent <- value(layer_random_elastic_transform(x, c(1, 1), c(1, 1)))
  expect_true(all(bent >= 0 & bent <= 255) && !isTRUE(all.equal(bent, x)))
  expect_identical(dim(value(layer_random_elastic_transform(x[1, , , ]))), dim(x)[-1])
  for (layer in list(layer_random_erasing(), layer_random_gaussian_blur(), layer_random_shear(x_factor = 0.2),
    layer_random_perspective(), layer_random_elastic_transform(), layer_mix_up(), layer_cut_mix(), layer_rand_augment(),
    layer_aug_mix())) {
    expect_equal(value(layer(x, training = FALSE)), x, tolerance = 1e-6)
    expect_identical(get_config(from_config(get_config(layer))), get_config(layer))
  }
  model <- keras_model_sequential(input_shape = c(6, 5, 3)) |> layer_random_shear(0.2, 0.2) |>
    layer_random_gaussian_blur() |> layer_random_erasing() |> layer_random_perspective(0.5, 0.1) |>
    layer_random_elastic_transform() |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  expect_true(is.finite(fit(model, x / 255, c(1, 2), epochs = 2, verbose = 0)$metrics$loss[2]))
  expect_error(layer_random_gaussian_blur(x, kernel_size = 2), "odd")
  expect_error(layer_random_shear(x, 2), "`x_factor`")
  expect_error(layer_random_perspective(x, scale = -1), "`scale`")
})

test_that("pictures and labels are mixed by the same weights", {
  set.seed(3)
  labels <- diag(2)
  mixed <- layer_mix_up(alpha = 1, dtype = "float64")(list(images = x, labels = labels), training = TRUE)
  w <- value(mixed$labels)
  expect_equal(rowSums(w), c(1, 1))
  for (i in 1:2) expect_equal(value(mixed$images)[i, , , ], w[i, 1] * x[1, , , ] + w[i, 2] * x[2, , , ],
    tolerance = 1e-9)
  x4 <- array(rep(1:4, 1600), c(4, 40, 40, 1))
  cut <- layer_cut_mix(dtype = "float64")(list(images = x4, labels = diag(4)), training = TRUE)
  shares <- t(apply(value(cut$images), 1, function(v) tabulate(v, 4) / 1600))
  expect_lt(max(abs(value(cut$labels) - shares)), 0.06)
  expect_true(all(value(layer_cut_mix(x4)) %in% 1:4))
  first <- layer_mix_up(data_format = "channels_first")(aperm(x, c(1, 4, 2, 3)))
  expect_identical(dim(first), c(2L, 3L, 6L, 5L))
  expect_error(layer_mix_up(x[1, , , ]), class = "nativenet_error_shape")
  expect_error(layer_mix_up()(list(a = x, b = labels)), "`images`")
  model <- keras_model_sequential(input_shape = c(6, 5, 3)) |> layer_mix_up() |> layer_flatten() |> layer_dense(1)
  model |> compile("sgd", "mse")
  expect_identical(dim(predict(model, x)), c(2L, 1L))
  expect_error(fit(model, x, 1:2, epochs = 1, verbose = 0), "by hand", class = "nativenet_error_shape")
})

test_that("chains of changes stay in their range; a strength of 0 changes little", {
  set.seed(4)
  for (i in 1:12) {
    y <- value(layer_rand_augment(x, num_ops = 3))
    expect_true(all(y >= -1e-3 & y <= 255.001) && identical(dim(y), dim(x)))
    y <- value(layer_aug_mix(x / 255, c(0, 1), all_ops = i %% 2 == 0))
    expect_true(all(y >= -1e-4 & y <= 1.0001) && identical(dim(y), dim(x)))
  }
  changes <- picture_changes(TRUE)
  own <- list(factor = 0, value_range = c(0, 255), interpolation = "bilinear")
  for (name in c("shear", "translation", "rotation", "brightness", "colour", "contrast")) expect_equal(
    as.array(changes[[name]](tensor(x), own)), x, tolerance = 1e-6, info = name)
  expect_identical(dim(value(layer_rand_augment(x[1, , , ]))), dim(x)[-1])
  expect_identical(dim(value(layer_aug_mix(aperm(x, c(1, 4, 2, 3)), data_format = "channels_first"))),
    c(2L, 3L, 6L, 5L))
  expect_error(layer_rand_augment(x, factor = 2), "`factor`")
  expect_error(layer_aug_mix(x, alpha = 0), "`alpha`")
})
