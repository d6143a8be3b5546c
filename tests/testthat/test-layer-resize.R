# Up-sampling, zero padding and cropping layers, and resizing.

repeat_cells <- function(x, times) {
  for (k in seq_along(times)) {
    at <- lapply(dim(x), seq_len)
    at[[k + 1]] <- rep(at[[k + 1]], each = times[k])
    x <- do.call(`[`, c(list(x), at, drop = FALSE))
  }
  x
}
first_of <- function(x) aperm(x, c(1, length(dim(x)), 2:(length(dim(x)) - 1)))
last_of <- function(x) aperm(x, c(1, 3:length(dim(x)), 2))
volume <- some(c(2, 3, 4, 2, 3))
by_rank <- list(volume[, , 1, 1, ], volume[, , , 1, ], volume)

test_that("up-sampling repeats cells", {
  layers <- list(layer_upsampling_1d, layer_upsampling_2d, layer_upsampling_3d)
  for (n in 1:3) {
    x <- by_rank[[n]]
    expect_identical(as.array(layers[[n]](x, dtype = "float64")), repeat_cells(x, rep(2, n)))
    times <- c(3, 1, 2)[seq_len(n)]
    expect_identical(as.array(layers[[n]](x, size = times, dtype = "float64")), repeat_cells(x, times))
    if (n > 1) expect_identical(last_of(as.array(layers[[n]](first_of(x), size = times, dtype = "float64",
      data_format = "channels_first"))), repeat_cells(x, times))
  }
  x <- by_rank[[2]]
  expect_equal(as.array(layer_upsampling_2d(x, interpolation = "bilinear", dtype = "float64")),
    as.array(op_resize(x, c(6, 8))), tolerance = 1e-12)
})

test_that("resized pictures are PyTorch's", {
  # interpolate() of x[h, w] = sin(7 h + 3 w) to these sizes, by "bilinear" and "nearest-exact": sum(y cos(1, 2, 3 ...))
  x <- array(sin(outer(7 * 0:2, 3 * 0:3, "+")), c(3, 4, 1))
  total <- function(...) {
    y <- as.array(op_resize(x, ...))
    sum(row_major(y) * cos(seq_along(y)))
  }
  expect_equal(total(c(6, 8)), -0.4382779082262466, tolerance = 1e-12)
  expect_equal(total(c(5, 3)), 0.40884992249307406, tolerance = 1e-12)
  expect_equal(total(c(6, 8), "nearest"), -0.6838348414452471, tolerance = 1e-12)
  expect_equal(total(c(5, 3), "nearest"), 0.8465987814013115, tolerance = 1e-12)
  batch <- array(rep(x, each = 2), c(2, 3, 4, 1))
  expect_equal(as.array(op_resize(batch, 5))[2, , , ], as.array(op_resize(x, 5))[, , 1], tolerance = 1e-12)
})

test_that("zero padding and cropping undo each other, at any end", {
  pad <- list(layer_zero_padding_1d, layer_zero_padding_2d, layer_zero_padding_3d)
  crop <- list(layer_cropping_1d, layer_cropping_2d, layer_cropping_3d)
  for (n in 1:3) {
    x <- by_rank[[n]]
    edges <- list(c(1, 2), c(0, 3), c(2, 0))[seq_len(n)]
    for (own in list(edges, if (n == 1) edges[[1]] else edges, 2, c(1, 2, 0)[seq_len(n)])) {
      padded <- as.array(pad[[n]](x, own, dtype = "float64"))
      expect_identical(as.array(crop[[n]](padded, own, dtype = "float64")), x)
      expect_equal(sum(padded), sum(x))
    }
    padded <- as.array(pad[[n]](x, edges, dtype = "float64"))
    expect_identical(dim(padded), as.integer(dim(x) + c(0, vapply(edges, sum, 0), 0)))
    expect_true(all(asplit(padded, 2)[[1]] == 0))
    if (n == 1) next
    first <- pad[[n]](first_of(x), edges, data_format = "channels_first", dtype = "float64")
    expect_identical(last_of(as.array(first)), padded)
    expect_identical(as.array(crop[[n]](first, edges, data_format = "channels_first", dtype = "float64")), first_of(x))
  }
})

test_that("models with them are summarised, saved, cloned and trained as others are, sizes unknown or not", {
  build <- function(shape) keras_model_sequential(input_shape = shape) |>
    layer_zero_padding_2d(padding = list(c(1, 0), c(2, 1))) |>
    layer_upsampling_2d(size = c(2, 1), interpolation = "bilinear") |>
    layer_cropping_2d(cropping = list(c(0, 1), c(1, 1))) |>
    layer_dense(1)
  model <- build(c(5, 4, 2))
  shapes <- lapply(model$layers, function(l) l$output_shape)
  expect_identical(shapes[1:3], list(c(NA, 6L, 7L, 2L), c(NA, 12L, 7L, 2L), c(NA, 11L, 5L, 2L)))
  expect_match(model$layers[[2]]$name, "^up_sampling2d")
  expect_output(print(model), "ZeroPadding2D", fixed = TRUE)
  x <- some(c(6, 5, 4, 2))
  compile(model, optimizer_adam(0.01), "mse")
  history <- fit(model, x, array(0.3, c(6, 11, 5, 1)), epochs = 5, batch_size = 4, verbose = 0)
  expect_lt(history$metrics$loss[5], history$metrics$loss[1])
  path <- file.path(tempdir(), "resize.model")
  save_model(model, path)
  expect_identical(predict(load_model(path), x), predict(model, x))
  open <- build(c(NA, NA, 2))
  set_weights(open, get_weights(model))
  expect_identical(open$output_shape, c(NA, NA, NA, 1L))
  expect_identical(predict(open, x), predict(model, x))
  copy <- clone_model(open)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x[, 1:3, , , drop = FALSE]), predict(open, x[, 1:3, , , drop = FALSE]))
})

test_that("TensorFlow's and Keras' names", {
  x <- by_rank[[2]]
  expect_identical(as.array(tf$image$resize(x, c(6, 8))), as.array(op_resize(x, c(6, 8))))
  expect_identical(as.array(tf$image$resize(x, c(6, 8), method = tf$image$ResizeMethod$NEAREST_NEIGHBOR)),
    repeat_cells(x, c(2, 2)))
  for (method in c("bicubic", "area", "lanczos5")) expect_identical(as.array(tf$image$resize(x, c(2, 3), tf$image$
    ResizeMethod[[toupper(method)]], antialias = TRUE)), as.array(op_resize(x, c(2, 3), method, antialias = TRUE)))
  # (3, 4) into (6, 20) is twice as large
  expect_identical(dim(tf$image$resize(x, c(6, 20), preserve_aspect_ratio = TRUE)), c(2L, 6L, 8L, 3L))
  padded <- as.array(tf$image$resize_with_pad(x, 6, 13))
  expect_identical(padded[, , 3:10, ], as.array(op_resize(x, c(6, 8))))
  expect_true(all(padded[, , -(3:10), ] == 0))
  expect_identical(as.array(tf$image$crop_and_resize(x, matrix(c(0, 0, 1, 1), 1), 0L, c(3, 4)))[1, , , ],
    as.array(op_cast(x, "float32"))[1, , , ])
  blocks <- tf$nn$space_to_depth(tf$constant(array(1:16, c(1, 4, 4, 1))), 2L)
  expect_identical(as.array(blocks)[1, 2, 1, ], c(3L, 7L, 4L, 8L))
  expect_identical(as.array(tf$nn$depth_to_space(blocks, 2L)), array(1:16, c(1, 4, 4, 1)))
  expect_identical(as.array(k_resize_images(x, 2, 1, "channels_last", "bicubic")), as.array(op_resize(x, c(6, 4),
    "bicubic")))
  whole <- array(1:6, c(1, 2, 3, 1))
  expect_identical(tensor_dtype(tf$image$resize(whole, c(4, 4))), "float32")
  expect_identical(tensor_dtype(tf$image$resize(whole, c(4, 4), "nearest")), "int32")
  expect_identical(as.array(k_resize_images(x, 2, 3)), repeat_cells(x, c(2, 3)))
  expect_identical(as.array(k_resize_volumes(volume, 2, 1, 3)), repeat_cells(volume, c(2, 1, 3)))
  expect_identical(as.array(k_temporal_padding(by_rank[[1]])), as.array(op_pad(by_rank[[1]], rbind(0, c(1, 1), 0))))
  expect_identical(as.array(k_spatial_2d_padding(first_of(x), list(c(1, 2), c(0, 1)), "channels_first")),
    first_of(as.array(op_pad(x, rbind(0, c(1, 2), c(0, 1), 0)))))
  expect_identical(dim(k_spatial_3d_padding(volume)), c(2L, 5L, 6L, 4L, 3L))
  v <- array(1:4 + 0, 4)
  expect_identical(c(as.array(tf$pad(v, matrix(c(2, 3), 1), "REFLECT"))), c(3, 2, 1, 2, 3, 4, 3, 2, 1))
  expect_identical(c(as.array(tf$pad(v, matrix(c(2, 3), 1), "symmetric"))), c(2, 1, 1, 2, 3, 4, 4, 3, 2))
})

test_that("what does not fit is refused in words", {
  x <- by_rank[[2]]
  expect_refusal(layer_upsampling_2d(volume), "shape", "(batch, rows, columns, channels)")
  expect_refusal(layer_upsampling_2d(size = 0), "value", "`size`", "at least 1")
  expect_refusal(layer_upsampling_2d(interpolation = "cubic"), "value", "`interpolation`")
  expect_refusal(layer_zero_padding_2d(padding = list(c(1, 2), 1)), "value", "`padding`", "c(before, after)")
  expect_refusal(layer_zero_padding_1d(padding = -1), "value", "`padding`")
  expect_refusal(layer_cropping_2d(x, cropping = 2), "shape", "takes all of an axis", "(None, 3, 4, 3)")
  expect_refusal(op_resize(matrix(1, 2, 2), 2), "shape", "rows, columns and channels")
  expect_refusal(op_resize(x, 0), "value", "`size`")
  expect_refusal(op_resize(x, 2, "cubic"), "value", "`method`")
  expect_refusal(op_resize(x, 2, antialias = NA), "value", "`antialias`")
  expect_refusal(op_space_to_depth(x, 2), "shape", "`block_size`", "(2, 3, 4, 3)")
  expect_refusal(op_depth_to_space(x, 2), "shape", "2^2")
  expect_refusal(op_crop_and_resize(x, matrix(0, 1, 3), 0, 2), "shape", "`boxes`")
  expect_refusal(op_crop_and_resize(x, matrix(0, 1, 4), 2, 2), "index", "outside")
  expect_refusal(op_pad(1:3, matrix(c(3, 0), 1), mode = "reflect"), "value", "`pad_width`", "at most 2")
  expect_refusal(op_pad(1:3, matrix(c(4, 0), 1), mode = "symmetric"), "value", "at most 3")
  expect_refusal(op_pad(1:3, matrix(c(4, 0), 1), mode = "wrap"), "value", "`mode`")
})
