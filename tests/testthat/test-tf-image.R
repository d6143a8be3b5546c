# tf$image and tf$io: what files hold and what becomes of pictures, against plain R.

picture <- function(...) array(stats::runif(prod(c(...))), c(...))
values <- function(x) as.array(x)

test_that("what a file holds comes back as bytes, numbers and pictures", {
  skip_if_not_installed("png")
  folder <- tempfile()
  dir.create(folder)
  x <- array(as.integer(sample(0:255, 5 * 6 * 3, TRUE)), c(5, 6, 3))
  file <- file.path(folder, "a.png")
  tf$io$write_file(file, tf$io$encode_png(x))
  bytes <- tf$io$read_file(tf$constant(file))
  expect_output(print(bytes), "bytes>")
  expect_false(as.array(tf$image$is_jpeg(bytes)))
  for (decode in list(tf$io$decode_png, tf$image$decode_image, tf$image$decode_jpeg))
    expect_identical(values(decode(bytes)), x)
  expect_identical(dim(tf$image$decode_png(bytes, channels = 1L)), c(5L, 6L, 1L))
  expect_identical(dim(tf$image$decode_png(tf$io$encode_png(x[, , 1, drop = FALSE]))), c(5L, 6L, 1L))
  expect_identical(dim(tf$image$decode_png(bytes, channels = 4L)), c(5L, 6L, 4L))
  expect_equal(values(tf$image$decode_image(bytes, dtype = tf$float32)), x / 255, tolerance = 1e-6)
  expect_identical(values(tf$io$decode_raw(as.raw(c(255, 1)), tf$uint8)), array(c(255L, 1L)))
  expect_identical(values(tf$io$decode_raw(as.raw(c(255, 255)), tf$int16)), array(-1L))
  expect_identical(values(tf$io$decode_raw(writeBin(c(1.5, 2), raw()), tf$float64)), array(c(1.5, 2)))
  expect_error(tf$io$decode_raw(as.raw(1:3), tf$int16), "no multiple", class = "nativenet_error_value")
  expect_error(tf$image$decode_png(as.raw(1:20)), "no picture", class = "nativenet_error_file")
  expect_error(tf$io$read_file("nowhere"), "does not exist", class = "nativenet_error_file")
  data <- tf$data$Dataset$list_files(file.path(folder, "*.png")) |>
    dataset_map(function(path) tf$cast(tf$image$decode_png(tf$io$read_file(path)), tf$float32) / 255)
  expect_equal(values(next_batch(data)), x / 255, tolerance = 1e-6)
  expect_true(tf$io$gfile$exists(file))
  expect_identical(tf$io$gfile$listdir(folder), "a.png")
  expect_identical(tf$io$matching_files(file.path(folder, "*")), file)
})

test_that("JPEG files tell how many channels they have", {
  skip_if_not_installed("jpeg")
  for (n in c(1, 3)) {
    bytes <- tf$io$encode_jpeg(array(100L, c(9, 7, n)), quality = 90L)
    expect_true(as.array(tf$io$is_jpeg(bytes)))
    expect_identical(dim(tf$image$decode_jpeg(bytes)), as.integer(c(9, 7, n)))
  }
})

test_that("bytes become floats and come back; whole numbers of unknown range are refused", {
  skip_if_not_installed("png")
  x <- array(0:255, c(16, 16, 1))
  bytes <- tf$image$decode_png(tf$io$encode_png(x))
  floats <- tf$image$convert_image_dtype(bytes, tf$float32)
  expect_equal(values(floats), x / 255, tolerance = 1e-6)
  expect_identical(values(tf$image$convert_image_dtype(floats, tf$uint8)), x)
  expect_equal(values(tf$image$adjust_brightness(bytes, 0.5)), pmin(trunc((x / 255 + 0.5) * 255.5), 255),
    tolerance = 0.01)
  expect_error(tf$image$convert_image_dtype(bytes + 1L, tf$float32), "cast(", fixed = TRUE,
    class = "nativenet_error_dtype")
  expect_error(tf$image$adjust_hue(array(1:3, c(1, 1, 3)), 0.1), "255", class = "nativenet_error_dtype")
})

test_that("pictures are moved, cut and framed", {
  x <- picture(5, 6, 3)
  b <- array(x, c(1, dim(x)))
  expect_identical(values(tf$image$flip_left_right(x)), x[, 6:1, ])
  expect_identical(values(tf$image$flip_up_down(b)), b[, 5:1, , , drop = FALSE])
  expect_identical(values(tf$image$transpose(x)), aperm(x, c(2, 1, 3)))
  expect_identical(values(tf$image$rot90(x)), aperm(x, c(2, 1, 3))[6:1, , ])
  expect_identical(values(tf$image$rot90(x, k = 2L)), x[5:1, 6:1, ])
  expect_identical(values(tf$image$central_crop(x, 0.5)), x[2:4, 2:5, ])
  expect_identical(values(tf$image$crop_to_bounding_box(x, 1L, 2L, 3L, 2L)), x[2:4, 3:4, ])
  framed <- array(0, c(8, 9, 3))
  framed[2:6, 3:8, ] <- x
  expect_identical(values(tf$image$pad_to_bounding_box(x, 1L, 2L, 8L, 9L)), framed)
  expect_error(tf$image$pad_to_bounding_box(x, 1L, 2L, 5L, 9L), "does not fit", class = "nativenet_error_shape")
  both <- array(0, c(7, 3, 3))
  both[2:6, , ] <- x[, 2:4, ]
  expect_identical(values(tf$image$resize_with_crop_or_pad(x, 7L, 3L)), both)
  expect_identical(values(tf$image$grayscale_to_rgb(x[, , 1, drop = FALSE])), x[, , c(1, 1, 1)])
  patches <- values(tf$image$extract_patches(b, c(1, 2, 2, 1), c(1, 2, 2, 1), c(1, 1, 1, 1), "VALID"))
  expect_equal(patches[1, 1, 2, ], c(x[1, 3, ], x[1, 4, ], x[2, 3, ], x[2, 4, ]))
})

test_that("random changes follow the seed, and each picture of a batch has its own", {
  x <- picture(8, 3, 4, 3)
  set.seed(1)
  y <- values(tf$image$random_flip_left_right(x))
  flipped <- vapply(1:8, function(i) identical(y[i, , , ], x[i, , 4:1, ]), NA)
  kept <- vapply(1:8, function(i) identical(y[i, , , ], x[i, , , ]), NA)
  expect_true(all(flipped != kept) && any(flipped) && any(kept))
  set.seed(1)
  expect_identical(values(tf$image$random_flip_left_right(x)), y)
  part <- values(tf$image$random_crop(x[1, , , ], c(2L, 2L, 3L)))
  found <- outer(1:2, 1:3, Vectorize(function(i, j) identical(part, x[1, i:(i + 1), j:(j + 1), ])))
  expect_identical(sum(found), 1L)
  expect_identical(values(tf$image$random_crop(x, dim(x))), x)
  one <- x[1, , , ]
  shift <- values(tf$image$random_brightness(one, 0.2)) - one
  expect_lt(diff(range(shift)), 1e-6)
  expect_lt(max(abs(shift)), 0.2)
  f <- tf_function(function(x) tf$image$random_flip_up_down(x))
  expect_true(any(vapply(1:20, function(i) identical(values(f(one)), one[3:1, , ]), NA)))
})

test_that("colours and contrast are changed as their formulas say", {
  x <- picture(4, 5, 3)
  expect_equal(values(tf$image$adjust_contrast(x, 2)), sweep(sweep(x, 3, apply(x, 3, mean)) * 2, 3, apply(x, 3, mean),
    "+"))
  expect_equal(values(tf$image$adjust_gamma(x, 2, 3)), 3 * x^2)
  expect_equal(values(tf$image$adjust_hue(x, 1)), x)
  gray <- values(tf$image$adjust_saturation(x, 0))
  expect_equal(gray, array(apply(x, 1:2, max), dim(x)))
  expect_equal(values(tf$image$yiq_to_rgb(tf$image$rgb_to_yiq(x))), x)
  expect_equal(values(tf$image$yuv_to_rgb(tf$image$rgb_to_yuv(x)))[2, 3, ], x[2, 3, ])
  expect_equal(values(tf$image$rgb_to_yuv(x))[1, 2, 1], sum(c(0.299, 0.587, 0.114) * x[1, 2, ]))
  expect_equal(values(tf$image$per_image_standardization(x)), (x - mean(x)) / sqrt(mean((x - mean(x))^2)))
  expect_equal(c(values(tf$image$total_variation(x))), sum(abs(x[-1, , ] - x[-4, , ])) +
    sum(abs(x[, -1, ] - x[, -5, ])))
})

test_that("edges, similarity and boxes are as their formulas say", {
  x <- picture(1, 14, 13, 2)
  at <- function(dy, dx) x[1, 5 + dy, 6 + dx, 2]
  sobel <- values(tf$image$sobel_edges(x))
  expect_equal(sobel[1, 5, 6, 2, 1], sum(c(1, 2, 1) * (at(1, -1:1) - at(-1, -1:1))))
  expect_equal(sobel[1, 5, 6, 2, 2], at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1))
  gradients <- tf$image$image_gradients(x)
  expect_equal(values(gradients[[1]])[1, 3, 4, 1], x[1, 4, 4, 1] - x[1, 3, 4, 1])
  expect_equal(values(gradients[[2]])[1, 3, 13, 1], 0)
  y <- x * 0.8 + 0.1 * picture(1, 14, 13, 2)
  expect_equal(c(values(tf$image$psnr(x, y, 1))), -10 * log10(mean((x - y)^2)))
  w <- outer(dnorm(-5:5, 0, 1.5), dnorm(-5:5, 0, 1.5))
  w <- w / sum(w)
  score <- function(i, j, k) {
    a <- x[1, i + 0:10, j + 0:10, k]
    b <- y[1, i + 0:10, j + 0:10, k]
    ma <- sum(w * a)
    mb <- sum(w * b)
    (2 * ma * mb + 1e-4) * (2 * (sum(w * a * b) - ma * mb) + 9e-4) / ((ma^2 + mb^2 + 1e-4) *
      (sum(w * a^2) - ma^2 + sum(w * b^2) - mb^2 + 9e-4))
  }
  all <- mapply(score, rep(1:4, 6), rep(rep(1:3, each = 4), 2), rep(1:2, each = 12))
  expect_equal(c(values(tf$image$ssim(x, y, 1))), mean(all))
  boxes <- rbind(c(0, 0, 1, 1), c(0, 0, 1, 0.9), c(2, 2, 3, 3))
  expect_identical(c(values(tf$image$non_max_suppression(boxes, c(0.5, 0.9, 0.3), 3L))), c(1L, 2L))
})
