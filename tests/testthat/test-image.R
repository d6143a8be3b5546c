test_that("a picture comes back from a PNG file as it was, as rows, columns and channels", {
  skip_if_not_installed("png")
  file <- picture_file(".png")
  x <- array(floor(runif(5 * 7 * 3, 0, 256)), c(5, 7, 3))
  expect_identical(image_array_save(x, file, scale = FALSE), x)
  picture <- image_load(file)
  expect_s3_class(picture, "nn_image")
  expect_identical(image_to_array(picture), x)
  expect_identical(image_to_array(picture, dtype = "int32")[2, 3, ], as.integer(x[2, 3, ]))
  expect_identical(image_to_array(picture, "channels_first"), aperm(x, c(3, 1, 2)))
  expect_identical(list(picture$width, picture$height, picture$size, picture$mode), list(7L, 5L, c(7L, 5L), "RGB"))
  expect_output(print(picture), "<picture> 5 rows, 7 columns, RGB", fixed = TRUE)
  expect_identical(as.array(tensor(picture, "int32")), unclass(picture))
  expect_identical(dim(as.raster(picture)), c(5L, 7L))
  expect_error(picture$depth, "a picture has no member `$depth`", fixed = TRUE)
  # the file is judged by its first bytes
  other <- picture_file(".jpg")
  file.copy(file, other)
  expect_identical(image_to_array(image_load(other)), x)
  image_array_save(aperm(x, c(3, 1, 2)), file, data_format = "channels_first", scale = FALSE)
  expect_identical(image_to_array(image_load(file)), x)
})

test_that("colour modes: gray is weighed as Pillow does, opacity is left out or 255", {
  skip_if_not_installed("png")
  file <- picture_file(".png")
  x <- array(floor(runif(4 * 3 * 4, 0, 256)), c(4, 3, 4))
  image_array_save(x, file, scale = FALSE)
  read <- function(...) image_to_array(image_load(file, ...))
  expect_identical(read(color_mode = "rgba"), x)
  expect_identical(read(), x[, , 1:3])
  gray <- array(floor((x[, , 1] * 19595 + x[, , 2] * 38470 + x[, , 3] * 7471 + 32768) / 65536), c(4, 3, 1))
  expect_identical(read(color_mode = "grayscale"), gray)
  expect_identical(read(grayscale = TRUE), gray)
  expect_identical(read("grayscale"), gray)
  image_array_save(gray, file, scale = FALSE)
  expect_identical(read(), gray[, , c(1, 1, 1)])
  expect_identical(read(color_mode = "grayscale"), gray)
  expect_identical(read(color_mode = "rgba")[, , 4], matrix(255, 4, 3))
  # gray with opacity; 16 bits, of which the upper 8 are taken
  writeBin(png::writePNG(array(c(gray, gray) / 255, c(4, 3, 2))), file)
  expect_identical(read(color_mode = "rgba"), gray[, , c(1, 1, 1, 1)])
  writeBin(png_of_16_bits(rbind(c(0, 255, 256), c(32767, 65280, 65535))), file)
  expect_identical(read("grayscale")[, , 1], rbind(c(0, 0, 1), c(127, 255, 255)))
})

test_that("JPEG files are read and written", {
  skip_if_not_installed("jpeg")
  file <- picture_file(".jpg")
  x <- array(rep(c(20, 120, 220), each = 64), c(8, 8, 3))
  image_array_save(x, file, scale = FALSE, quality = 100)
  expect_lt(max(abs(image_to_array(image_load(file)) - x)), 4)
  image_array_save(x[, , 2, drop = FALSE], file, scale = FALSE)
  expect_lt(max(abs(image_to_array(image_load(file)) - 120)), 3)
  expect_warning(image_array_save(array(1:64, c(4, 4, 4)), file), "no transparency", class = "nativenet_warning_format")
  expect_identical(dim(image_load(file)), c(4L, 4L, 3L))
})

test_that("numbers are stretched to 0 .. 255, or must lie there", {
  x <- array(c(-1, 0, 1, 3), c(2, 2, 1))
  expect_identical(unclass(image_from_array(x))[, , 1], rbind(c(0L, 127L), c(63L, 255L)))
  expect_identical(unclass(image_from_array(x * 0 + 7))[, , 1], matrix(0L, 2, 2)) # all the same
  expect_identical(unclass(image_from_array(x * 10 + 10.9, scale = FALSE))[, , 1], rbind(c(0L, 20L), c(10L, 40L)))
  expect_error(image_from_array(x * 255, scale = FALSE), "numbers must lie in 0 .. 255, not be -255", fixed = TRUE)
  expect_error(image_from_array(array(NaN, c(2, 2, 1))), "NaN")
  expect_error(image_from_array(array(1, c(2, 2, 2))), "has 1, 3 or 4 channels, not 2", class = "nativenet_error_shape")
  expect_error(image_to_array(1:3), "must be an array of rows, columns and channels", class = "nativenet_error_shape")
  expect_identical(dim(image_to_array(matrix(0, 2, 3))), c(2L, 3L, 1L))
})

test_that("pictures are resized as Pillow does it", {
  skip_if_not_installed("png")
  file <- picture_file(".png")
  x <- array(floor(runif(6 * 9, 0, 256)), c(6, 9, 1))
  image_array_save(x, file, scale = FALSE)
  read <- function(size, how) {
    image_to_array(image_load(file, "grayscale", target_size = size, interpolation = how))[, , 1]
  }
  at <- function(n, m) floor((seq_len(m) - 0.5) * n / m) + 1
  expect_identical(read(c(4, 12), "nearest"), x[at(6, 4), at(9, 12), 1])
  # the triangle as wide as the pixels are drawn together, columns first, rounded each time
  weights <- function(n, m, f) {
    wide <- max(n / m, 1)
    w <- outer(seq_len(m), seq_len(n), function(o, i) f(((o - 0.5) * n / m - (i - 0.5)) / wide))
    w / rowSums(w)
  }
  by <- function(f, size) {
    once <- pmin(pmax(floor(x[, , 1] %*% t(weights(9, size[2], f)) + 0.5), 0), 255)
    pmin(pmax(floor(weights(6, size[1], f) %*% once + 0.5), 0), 255)
  }
  triangle <- function(d) pmax(0, 1 - abs(d))
  hamming <- function(d) ifelse(d == 0, 1, ifelse(abs(d) < 1, sin(pi * d) / (pi * d) * (0.54 + 0.46 * cos(pi * d)), 0))
  keys <- function(d) {
    d <- abs(d)
    ifelse(d < 1, 1.5 * d^3 - 2.5 * d^2 + 1, ifelse(d < 2, -0.5 * d^3 + 2.5 * d^2 - 4 * d + 2, 0))
  }
  near <- function(a, b) expect_lte(max(abs(a - b)), 1) # where a half is rounded by float32
  for (size in list(c(3, 4), c(12, 20))) {
    near(read(size, "bilinear"), by(triangle, size))
    near(read(size, "hamming"), by(hamming, size))
    near(read(size, "bicubic"), by(keys, size))
  }
  box <- read(c(3, 3), "box")
  near(box[1, 1], mean(x[1:2, 1:3, 1]))
  cut <- image_load(file, "grayscale", target_size = c(3, 3), keep_aspect_ratio = TRUE)
  expect_identical(dim(cut), c(3L, 3L, 1L))
  expect_identical(image_to_array(cut)[, , 1], x[c(2, 4, 6), c(3, 5, 7), 1]) # of the middle 6 columns
})

test_that("files that are no pictures are refused", {
  skip_if_not_installed("png")
  skip_if_not_installed("jpeg")
  file <- picture_file(".png")
  refused <- function(pattern, path = file, class = "nativenet_error_file") expect_error(image_load(path), pattern,
    class = class)
  refused("`path` does not exist", "no-such-picture.png")
  refused("must be a file, not the folder", tempdir())
  writeLines("no picture", file)
  refused("is not a valid picture file, its first bytes")
  writeBin(raw(), file)
  refused("its first bytes")
  bytes <- png::writePNG(matrix(runif(400), 20))
  writeBin(bytes[seq_len(200)], file) # cut off
  refused("the package png says")
  writeBin(as.raw(c(0xff, 0xd8, 0xff, 1:200)), file)
  refused("the package jpeg says")
  image_array_save(matrix(1:4, 2), file)
  expect_error(image_load(file, target_size = 5), "`target_size` must be two numbers", fixed = TRUE)
  expect_error(image_load(file, color_mode = "cmyk"), "`color_mode` must be one of", fixed = TRUE)
  expect_error(image_load(file, interpolation = "area"), "`interpolation` must be one of", fixed = TRUE)
  expect_error(image_array_save(matrix(1:4, 2), file.path(tempdir(), "no", "folder.png")), "does not exist",
    class = "nativenet_error_file")
  expect_error(image_array_save(matrix(1:4, 2), "name"), "`path` must end with a format", fixed = TRUE)
})

test_that("the package that reads a format is one that is installed, or is asked for", {
  package <- function(format, ...) picture_package(format, "the file", "image_load", function(name) name %in% c(...))
  expect_identical(package("png", "png", "magick"), "png")
  expect_identical(package("png", "jpeg", "magick"), "magick")
  expect_identical(package("bmp", "png", "magick"), "magick")
  expect_error(package("jpeg", "png"), "the file needs the package jpeg, which is not installed: `install.packages",
    class = "nativenet_error_missing")
  expect_error(package("bmp", "png", "jpeg"), "needs the package magick", class = "nativenet_error_missing")
})

test_that("image_array_resize() reads from edge to edge", {
  x <- array(runif(4 * 5 * 2), c(4, 5, 2))
  plain <- function(x, m, n) outer(seq(1, nrow(x), length.out = m), seq(1, ncol(x), length.out = n),
    Vectorize(function(r, c) {
      a <- pmin(floor(r), nrow(x) - 1)
      b <- pmin(floor(c), ncol(x) - 1)
      sum(outer(c(1 - (r - a), r - a), c(1 - (c - b), c - b)) * x[a + 0:1, b + 0:1])
    }))
  y <- image_array_resize(x, 7, 3)
  expect_equal(y[, , 1], plain(x[, , 1], 7, 3), tolerance = 1e-6)
  expect_equal(y[, , 2], plain(x[, , 2], 7, 3), tolerance = 1e-6)
  expect_equal(image_array_resize(aperm(x, c(3, 1, 2)), 7, 3, "channels_first"), aperm(y, c(3, 1, 2)))
  expect_equal(image_array_resize(array(x, c(1, dim(x))), 7, 3), array(y, c(1, dim(y))))
  expect_equal(image_array_resize(x, 1, 1)[1, 1, ], x[1, 1, ], tolerance = 1e-6)
  expect_error(image_array_resize(1:3, 2, 2), class = "nativenet_error_shape")
  # cut to the ratio first
  z <- image_smart_resize(x, c(2, 2))
  expect_equal(z, as.array(op_resize(x[, 1:4, , drop = FALSE], c(2, 2))))
  expect_s3_class(image_smart_resize(tensor(x), c(2, 2)), "nn_tensor")
})

test_that("other formats are read and written by magick", {
  skip_if_not_installed("magick")
  x <- array(floor(runif(5 * 7 * 3, 0, 256)), c(5, 7, 3))
  for (format in c("bmp", "tiff", "png", "gif")) {
    file <- picture_file(paste0(".", format))
    image_array_save(x, file, scale = FALSE)
    picture <- image_load(file)
    expect_identical(dim(picture), dim(x))
    if (format != "gif") expect_identical(image_to_array(picture), x) # of 256 colours
  }
  image_array_save(x[, , 1], file, file_format = "bmp", scale = FALSE)
  expect_identical(image_to_array(image_load(file, "grayscale"))[, , 1], x[, , 1])
  # in place of png
  writeBin(png_of_16_bits(rbind(c(0, 255, 256), c(32767, 65280, 65535))), file)
  expect_identical(magick_bytes(file)$size, c(2L, 3L))
  writeBin(charToRaw("BM and more of a bitmap"), file)
  expect_error(image_load(file), "the package magick says", class = "nativenet_error_file")
})
