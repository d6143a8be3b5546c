# Pictures in other places against plain R.

value <- function(x) as.array(x)
cell <- function(i, n, mode) switch(mode, nearest = min(max(i, 0), n - 1), wrap = i %% n, reflect = {
  i <- i %% (2 * n)
  min(i, 2 * n - 1 - i)
}, mirror = {
  i <- i %% (2 * (n - 1))
  min(i, 2 * (n - 1) - i)
}, if (i < 0 || i >= n) NA else i)

test_that("places between cells and beyond the edges", {
  set.seed(1)
  x <- matrix(rnorm(20), 4)
  at <- rbind(runif(30, -6, 9), runif(30, -6, 9))
  for (mode in c("constant", "nearest", "wrap", "reflect", "mirror")) {
    by_hand <- apply(at, 2, function(p) {
      low <- floor(p)
      w <- p - low
      sum(outer(0:1, 0:1, Vectorize(function(a, b) {
        i <- cell(low[1] + a, 4, mode)
        j <- cell(low[2] + b, 5, mode)
        (if (is.na(i + j)) 7 else x[i + 1, j + 1]) * abs(1 - a - w[1]) * abs(1 - b - w[2])
      })))
    })
    expect_equal(c(value(op_image_map_coordinates(x, at, 1, mode, 7))), by_hand, tolerance = 1e-10, info = mode)
  }
  near <- matrix(c(0.4, 1.6, 2.2, 3.4), 2)
  expect_identical(c(value(op_image_map_coordinates(x, near, 0))), c(x[1, 3], x[3, 4]))
  expect_true(all(check_gradient(function(x, at) op_image_map_coordinates(x, at, 1, "reflect"), x, near)$ok))
  expect_error(op_image_map_coordinates(x, 1:3, 1), "2 axes", class = "nativenet_error_shape")
  expect_error(op_image_map_coordinates(x, near, 2), "`order`")
})

test_that("blurs are means by Gaussian weights; channels, batches and both formats", {
  set.seed(2)
  x <- array(rnorm(2 * 6 * 5 * 3), c(2, 6, 5, 3))
  line <- function(n, s) exp(-((1:n) - (n + 1) / 2)^2 / 2 / s^2) / sum(exp(-((1:n) - (n + 1) / 2)^2 / 2 / s^2))
  k <- outer(line(3, 0.8), line(5, 1.5))
  padded <- array(0, c(2, 8, 9, 3))
  padded[, 2:7, 3:7, ] <- x
  y <- x
  for (i in 1:6) for (j in 1:5) y[, i, j, ] <- apply(padded[, i + 0:2, j + 0:4, ], c(1, 4), function(p) sum(p * k))
  expect_equal(value(op_image_gaussian_blur(x, c(3, 5), c(0.8, 1.5))), y, tolerance = 1e-10)
  expect_equal(value(op_image_gaussian_blur(x[1, , , ], c(3, 5), c(0.8, 1.5))), y[1, , , ], tolerance = 1e-10)
  first <- aperm(x, c(1, 4, 2, 3))
  expect_equal(value(op_image_gaussian_blur(first, c(3, 5), c(0.8, 1.5), "channels_first")), aperm(y, c(1, 4, 2, 3)),
    tolerance = 1e-10)
  expect_error(op_image_gaussian_blur(x, 3, 0), "`sigma`")
})

test_that("a perspective takes its points where they are to lie", {
  set.seed(3)
  x <- array(rnorm(36), c(6, 6, 1))
  start <- rbind(c(0, 0), c(5, 0), c(0, 5), c(5, 5))
  end <- rbind(c(1, 0), c(4, 1), c(0, 4), c(5, 5))
  y <- value(op_image_perspective_transform(x, start, end))
  # column and row of the points, counted from 0
  for (i in 1:4) expect_equal(y[end[i, 2] + 1, end[i, 1] + 1, 1], x[start[i, 2] + 1, start[i, 1] + 1, 1],
    tolerance = 1e-6)
  expect_equal(value(op_image_perspective_transform(x, start, start)), x, tolerance = 1e-8)
  both <- aperm(array(c(start, end), c(4, 2, 2)), c(3, 1, 2))
  batch <- value(op_image_perspective_transform(array(c(x, x), c(6, 6, 1, 2)) |> aperm(c(4, 1, 2, 3)),
    both[c(1, 1), , ], both))
  expect_equal(batch[2, , , ], y[, , 1], tolerance = 1e-6)
  expect_error(op_image_perspective_transform(x, start[1:3, ], end), class = "nativenet_error_shape")
})

test_that("bent pictures keep their numbers, and without distance their places", {
  x <- array(1:50 + 0, c(2, 5, 5, 1))
  expect_identical(value(op_image_elastic_transform(x, alpha = 0, sigma = 1)), x)
  bent <- value(op_image_elastic_transform(x, alpha = 3, sigma = 1, seed = 1))
  expect_identical(bent, value(op_image_elastic_transform(x, alpha = 3, sigma = 1, seed = 1)))
  expect_false(isTRUE(all.equal(bent[1, , , ] + 1, bent[2, , , ]))) # a field for each
  expect_true(all(bent[1, , , ] >= 1 & bent[1, , , ] <= 49))
  nearest <- value(op_image_elastic_transform(x, alpha = 3, sigma = 1, interpolation = "nearest", seed = 1))
  expect_true(all(nearest[1, , , ] %in% x[1, , , ]) && all(nearest[2, , , ] %in% x[2, , , ]))
  expect_error(op_image_elastic_transform(x, alpha = -1), "`alpha`")
})

test_that("op_image_affine_transform() is named by its errors", {
  x <- array(1, c(2, 2, 1))
  expect_refusal(op_image_affine_transform(x, 1:7), "shape", "`op_image_affine_transform()`: `transform` must have 8")
  expect_refusal(op_image_affine_transform(x, "a"), "value", "`op_image_affine_transform()`: `transform`")
  expect_refusal(op_image_affine_transform(x, 1:8, fill_value = NA), "value", "`op_image_affine_transform()`")
  expect_refusal(op_transform_image(x, 1:7), "shape", "`op_transform_image()`: `transforms`")
})
