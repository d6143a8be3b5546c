# What a picture looks like through the matrix of Keras' apply_affine_transform(), pixel by pixel. x is a matrix.
plain_affine <- function(x, theta = 0, right = 0, down = 0, shear = 0, zx = 1, zy = 1, fill = "nearest", cval = 0) {
  theta <- theta * pi / 180
  shear <- shear * pi / 180
  turn <- rbind(c(cos(theta), -sin(theta), 0), c(sin(theta), cos(theta), 0), c(0, 0, 1))
  move <- rbind(c(1, 0, right), c(0, 1, down), c(0, 0, 1))
  lean <- rbind(c(1, -sin(shear), 0), c(0, cos(shear), 0), c(0, 0, 1))
  middle <- (rev(dim(x)) - 1) / 2
  to <- rbind(c(1, 0, middle[1]), c(0, 1, middle[2]), c(0, 0, 1))
  m <- to %*% turn %*% move %*% lean %*% diag(c(zx, zy, 1)) %*% solve(to)
  inside <- function(i, n) switch(fill, nearest = pmin(pmax(i, 0), n - 1), wrap = i %% n,
    reflect = pmin(i %% (2 * n), 2 * n - 1 - i %% (2 * n)), constant = i)
  # between the last pixel and the first one's repetition lies the last one, as in TensorFlow
  wrapped <- function(at) {
    if (fill == "wrap") ifelse(at < 0 | at > dim(x) - 1, pmin(at %% dim(x), dim(x) - 1), at) else at
  }
  pixel <- function(r, c) {
    r <- inside(r, nrow(x))
    c <- inside(c, ncol(x))
    if (r < 0 || c < 0 || r >= nrow(x) || c >= ncol(x)) cval else x[r + 1, c + 1]
  }
  outer(seq_len(nrow(x)) - 1, seq_len(ncol(x)) - 1, Vectorize(function(row, col) {
    at <- wrapped((m %*% c(col, row, 1))[2:1])
    if (fill == "constant" && any(at < -1e-9 | at > dim(x) - 1 + 1e-9)) return(cval)
    low <- floor(at + 1e-9)
    part <- at - low
    sum(outer(c(1 - part[1], part[1]), c(1 - part[2], part[2])) *
      outer(low[1] + 0:1, low[2] + 0:1, Vectorize(pixel)))
  }))
}

#' A generator's view of x, a matrix, with the numbers that were drawn given.
seen_by <- function(x, ..., drawn, order = NULL) {
  self <- image_data_generator(...)
  given <- list(angle = 0, down = 0, right = 0, shear = 0, wide = 1, high = 1, across = FALSE, upside = FALSE)
  as.array(seen_through(self, tensor(array(x, c(1, dim(x), 1))), change_matrix(utils::modifyList(given, drawn), dim(x)),
    dim(x)))[1, , , 1]
}

test_that("pictures are turned, moved, sheared and zoomed as by Keras' matrices", {
  x <- matrix(runif(42, 0, 255), 6)
  for (fill in c("nearest", "reflect", "wrap", "constant")) {
    see <- function(...) seen_by(x, fill_mode = fill, cval = 7, drawn = list(...))
    expect_near <- function(a, b) expect_equal(a, b, tolerance = 1e-5)
    expect_near(see(angle = 25 * pi / 180), plain_affine(x, 25, fill = fill, cval = 7))
    expect_near(see(right = 1.3, down = -2.6), plain_affine(x, right = 1.3, down = -2.6, fill = fill, cval = 7))
    expect_near(see(shear = -12 * pi / 180), plain_affine(x, shear = -12, fill = fill, cval = 7))
    expect_near(see(wide = 1.4, high = 0.7), plain_affine(x, zx = 1.4, zy = 0.7, fill = fill, cval = 7))
    all <- plain_affine(x, -33, 0.8, 1.7, 9, 0.8, 1.2, fill, 7)
    together <- list(angle = -33 * pi / 180, right = 0.8, down = 1.7, shear = 9 * pi / 180, wide = 0.8, high = 1.2)
    expect_near(do.call(see, together), all)
    # flips come last
    expect_near(do.call(see, c(together, across = TRUE)), all[, 7:1])
    expect_near(do.call(see, c(together, upside = TRUE)), all[6:1, ])
    expect_near(do.call(see, c(together, across = TRUE, upside = TRUE)), all[6:1, 7:1])
  }
  expect_identical(seen_by(x + 0, drawn = list(across = TRUE)), as.array(tensor(x))[, 7:1])
  # whole pixels: content moves to the left by two, up by one
  moved <- seen_by(x, fill_mode = "constant", drawn = list(right = 2, down = 1))
  expect_equal(moved[1:5, 1:5], x[2:6, 3:7], tolerance = 1e-6)
  expect_identical(unique(c(moved[6, ], moved[, 6:7])), 0)
  nearest <- seen_by(x, interpolation_order = 0, drawn = list(right = 0.4, down = 0.7))
  expect_equal(nearest[1:5, ], x[2:6, ], tolerance = 1e-6)
})

test_that("what is drawn lies within its range, and is used", {
  draw <- function(..., n = 2000) draw_changes(image_data_generator(...), n, c(10, 20))
  set.seed(1)
  ends <- function(v) c(min(v), max(v))
  near <- function(v, to, by = 0.02) {
    expect_true(all(v >= to[1] & v <= to[2]))
    expect_lt(max(abs(ends(v) - to)), by * diff(to))
  }
  still <- draw()
  expect_identical(unlist(lapply(still, unique)), c(angle = 0, down = 0, right = 0, shear = 0, wide = 1, high = 1,
    across = 0, upside = 0))
  near(draw(rotation_range = 30)$angle, c(-1, 1) * pi / 6)
  near(draw(width_shift_range = 0.2)$right, c(-4, 4))   # of 20 columns
  near(draw(height_shift_range = 0.2)$down, c(-2, 2))   # of 10 rows
  near(draw(width_shift_range = 5)$right, c(-5, 5))
  expect_setequal(draw(width_shift_range = 3L)$right, -2:2)
  expect_setequal(draw(height_shift_range = c(1, 4))$down, c(-4, -1, 1, 4))
  expect_setequal(draw(height_shift_range = c(0.1, 0.3))$down, c(-3, -1, 1, 3))
  near(draw(shear_range = 10)$shear, c(-1, 1) * pi / 18)
  zoom <- draw(zoom_range = 0.3)
  near(zoom$wide, c(0.7, 1.3))
  near(zoom$high, c(0.7, 1.3))
  expect_lt(abs(cor(zoom$wide, zoom$high)), 0.1)
  near(draw(zoom_range = c(0.5, 1))$wide, c(0.5, 1))
  near(draw(channel_shift_range = 40)$shift, c(-40, 40))
  near(draw(brightness_range = c(0.2, 0.9))$brightness, c(0.2, 0.9))
  expect_lt(abs(mean(draw(horizontal_flip = TRUE)$across) - 0.5), 0.05)
  expect_lt(abs(mean(draw(vertical_flip = TRUE)$upside) - 0.5), 0.05)
})

test_that("colours: channels are shifted within the picture's range, brightness is that of bytes", {
  x <- array(runif(3 * 4 * 5 * 3, 10, 200), c(3, 4, 5, 3))
  set.seed(1)
  y <- as.array(transform_pictures(image_data_generator(channel_shift_range = 50), tensor(x)))
  set.seed(1)
  by <- runif(3, -50, 50)
  for (i in 1:3) expect_equal(y[i, , , ], pmin(pmax(x[i, , , ] + by[i], min(x[i, , , ])), max(x[i, , , ])),
    tolerance = 1e-5)
  bright <- function(x, lower, upper) {
    set.seed(2)
    as.array(transform_pictures(image_data_generator(brightness_range = c(lower, upper)), tensor(x)))
  }
  y <- bright(x, 0.2, 2)
  set.seed(2)
  by <- runif(3, 0.2, 2)
  for (i in 1:3) expect_equal(y[i, , , ], pmin(floor(floor(x[i, , , ]) * by[i]), 255))
  expect_true(all(bright(x, 1, 1) == floor(x)))
  # beyond 0 .. 255 the picture's own range stands for that of bytes
  z <- array(c(-1, 0, 1, 3), c(1, 2, 2, 1))
  expect_equal(c(bright(z, 0.5, 0.5)), floor(floor((c(z) + 1) / 4 * 255) * 0.5) / 255 * 4 - 1, tolerance = 1e-5)
})

test_that("numbers are normalized in Keras' order", {
  x <- array(runif(6 * 4 * 5 * 3, 0, 255), c(6, 4, 5, 3))
  batch <- function(..., fit = NULL) {
    self <- image_data_generator(...)
    if (!is.null(fit)) fit_image_data_generator(self, fit)
    generator_next(flow_images_from_data(x, generator = self, shuffle = FALSE))
  }
  sd_n <- function(v) sqrt(mean((v - mean(v))^2))
  expect_equal(batch(), x, tolerance = 1e-6)
  expect_equal(batch(rescale = 1 / 255), x / 255, tolerance = 1e-6)
  each <- apply(x / 255, 1, mean)
  expect_equal(batch(rescale = 1 / 255, samplewise_center = TRUE), x / 255 - each, tolerance = 1e-5)
  deviations <- apply(x / 255, 1, sd_n)
  expect_equal(batch(rescale = 1 / 255, samplewise_std_normalization = TRUE), (x / 255 - each) / (deviations + 1e-6),
    tolerance = 1e-5)
  means <- apply(x, 4, mean)
  stds <- apply(x, 4, sd_n)
  expect_equal(batch(featurewise_std_normalization = TRUE, fit = x),
    sweep(sweep(x, 4, means), 4, stds + 1e-6, "/"), tolerance = 1e-4)
  self <- image_data_generator(featurewise_center = TRUE)
  expect_invisible(fit_image_data_generator(self, x))
  expect_equal(c(self$mean), means, tolerance = 1e-5)
  expect_null(self$std)
  expect_warning(batch(featurewise_center = TRUE), "`featurewise_center` asks for the statistics of data",
    class = "nativenet_warning_images")
  # preprocessing comes first, one picture at a time
  expect_equal(batch(rescale = 2, preprocessing_function = function(p) p[4:1, , ] + 1), 2 * (x[, 4:1, , ] + 1),
    tolerance = 1e-6)
  expect_error(batch(preprocessing_function = function(p) p[1, , ]), "must give an array of the shape of its argument",
    class = "nativenet_error_shape")
})

test_that("whitened data are uncorrelated", {
  set.seed(1)
  x <- array(rnorm(200 * 12), c(200, 2, 2, 3))
  x[, 1, , ] <- x[, 1, , ] + 0.8 * x[, 2, , ]
  self <- image_data_generator(zca_whitening = TRUE)
  fit_image_data_generator(self, x)
  y <- generator_next(flow_images_from_data(x, generator = self, batch_size = 200, shuffle = FALSE))
  expect_equal(crossprod(matrix(y, 200)) / 200, diag(12), tolerance = 1e-3)
  flat <- matrix(aperm(x, c(1, 4, 3, 2)), 200) # row-major
  flat <- flat - rep(rep(apply(x, 4, mean), 4), each = 200)
  s <- svd(t(flat))
  w <- s$u %*% diag(sqrt(200) / (s$d + 1e-6)) %*% t(s$u)
  expect_equal(aperm(array(flat %*% w, c(200, 3, 2, 2)), c(1, 4, 3, 2)), y, tolerance = 1e-3)
  expect_error(generator_next(flow_images_from_data(array(0, c(1, 3, 3, 1)), generator = self)),
    class = "nativenet_error_shape")
})

test_that("one picture, channels first, and what is refused", {
  self <- image_data_generator(rescale = 0.5, horizontal_flip = TRUE, data_format = "channels_first")
  x <- array(runif(3 * 4 * 5), c(3, 4, 5))
  expect_equal(self$standardize(x), x / 2, tolerance = 1e-6)
  set.seed(1)
  seen <- lapply(1:20, function(i) self$random_transform(x))
  mirrored <- vapply(seen, function(y) isTRUE(all.equal(y, x[, , 5:1], tolerance = 1e-6)), NA)
  expect_true(any(mirrored) && any(!mirrored))
  expect_equal(self$random_transform(x, seed = 3), self$random_transform(x, seed = 3))
  batch <- generator_next(self$flow(array(x, c(1, 3, 4, 5))))
  expect_identical(dim(batch), c(1L, 3L, 4L, 5L))
  expect_output(print(image_data_generator(rotation_range = 40, zoom_range = 0.2, rescale = 1 / 255)),
    "<image data generator> rotation 40, zoom 0.8 .. 1.2, rescale 0.003922", fixed = TRUE)
  expect_error(image_data_generator(zoom_range = c(2, 1)), "`zoom_range` must be two numbers in order", fixed = TRUE)
  expect_error(image_data_generator(zoom_range = 1.5), "`zoom_range` must be", fixed = TRUE)
  expect_error(image_data_generator(brightness_range = 1), "`brightness_range` must be two numbers", fixed = TRUE)
  expect_error(image_data_generator(rotation_range = -1), "`rotation_range` must be", fixed = TRUE)
  expect_error(image_data_generator(width_shift_range = -0.1), "`width_shift_range` must be", fixed = TRUE)
  expect_error(image_data_generator(fill_mode = "mirror"), "`fill_mode` must be one of", fixed = TRUE)
  expect_error(image_data_generator(validation_split = 1), "`validation_split` must be", fixed = TRUE)
  expect_error(fit_image_data_generator(self, matrix(1, 2, 2)), "must be pictures with the axes batch",
    class = "nativenet_error_shape")
  expect_error(fit_image_data_generator(1, x), "`object` must be what `image_data_generator()` makes", fixed = TRUE)
})
