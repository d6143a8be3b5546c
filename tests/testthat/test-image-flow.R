test_that("batches of arrays: targets, weights, order, a smaller last one", {
  x <- array(seq_len(5 * 2 * 2) + 0, c(5, 2, 2, 1))
  flow <- function(...) flow_images_from_data(x, ..., batch_size = 2)
  plain <- flow(shuffle = FALSE)
  expect_identical(list(length(plain), plain$n, plain$samples, plain$batch_size), list(3L, 5L, 5L, 2L))
  expect_identical(plain(), x[1:2, , , , drop = FALSE])
  expect_identical(plain(), x[3:4, , , , drop = FALSE])
  expect_identical(plain(), x[5, , , , drop = FALSE])
  expect_identical(plain(), x[1:2, , , , drop = FALSE])
  with_y <- flow(y = 10 * (1:5), sample_weight = 1:5 / 5, shuffle = FALSE)()
  expect_identical(with_y, list(x[1:2, , , , drop = FALSE], c(10, 20), c(0.2, 0.4)))
  expect_identical(flow(y = diag(5), shuffle = FALSE)()[[2]], diag(5)[1:2, ])
  expect_identical(flow(y = factor(c("b", "a", "a", "b", "b")), shuffle = FALSE)()[[2]], c(1L, 0L))
  pass <- function(f) vapply(1:3, function(i) list(f()[, 1, 1, 1]), list(1))
  set.seed(1)
  shuffled <- flow()
  one <- unlist(pass(shuffled))
  two <- unlist(pass(shuffled))
  expect_setequal(one, 1:5)
  expect_setequal(two, 1:5)
  set.seed(1)
  expect_identical(unlist(pass(flow())), one)
  # a seed: the same, whatever R's generator does, and R's generator as it was
  before <- .Random.seed
  a <- flow(seed = 7)
  b <- flow(seed = 7)
  expect_identical(c(pass(a), pass(a)), c(pass(b), pass(b)))
  expect_identical(.Random.seed, before)
  expect_false(identical(pass(a), pass(flow(seed = 7)))) # the third pass is another than the first
})

test_that("generators of one seed change pictures and their masks alike", {
  x <- array(runif(6 * 8 * 8), c(6, 8, 8, 1))
  how <- list(rotation_range = 30, width_shift_range = 0.2, horizontal_flip = TRUE)
  pictures <- flow_images_from_data(x, generator = do.call(image_data_generator, c(how, channel_shift_range = 0.1)),
    seed = 5, batch_size = 4)
  masks <- flow_images_from_data(x + 0, generator = do.call(image_data_generator, how), seed = 5, batch_size = 4)
  for (i in 1:4) expect_lt(max(abs(pictures() - masks())), 0.1001)
})

test_that("a part of the data is for validation, the first", {
  x <- array(1:10, c(10, 1, 1, 1))
  self <- image_data_generator(validation_split = 0.25)
  part <- function(subset) c(flow_images_from_data(x, generator = self, subset = subset, shuffle = FALSE)())
  expect_identical(part("validation"), c(1, 2))
  expect_identical(part("training"), as.numeric(3:10))
  expect_identical(part(NULL), as.numeric(1:10))
  expect_error(flow_images_from_data(x, subset = "training"), "`subset` needs a `validation_split`", fixed = TRUE)
  expect_error(flow_images_from_data(x, generator = self, subset = "test"), "`subset` must be one of", fixed = TRUE)
})

test_that("folders of pictures: cats and dogs, with augmentation", {
  skip_if_not_installed("png")
  set.seed(1)
  folder <- picture_folder(10)
  on.exit(unlink(folder, recursive = TRUE))
  augment <- image_data_generator(rescale = 1 / 255, rotation_range = 40, width_shift_range = 0.2,
    height_shift_range = 0.2, shear_range = 0.2, zoom_range = 0.2, horizontal_flip = TRUE, validation_split = 0.2)
  flow <- function(...) flow_images_from_directory(folder, augment, target_size = c(12, 12), batch_size = 4,
    class_mode = "binary", ...)
  expect_message(train <- flow(subset = "training"), "Found 16 images belonging to 2 classes.", fixed = TRUE)
  expect_message(validation <- flow(subset = "validation", shuffle = FALSE), "Found 4 images belonging to 2 classes.")
  expect_identical(train$class_indices, list(cats = 0L, dogs = 1L))
  expect_identical(list(train$samples, train$num_classes, train$image_shape), list(16L, 2L, c(12L, 12L, 3L)))
  expect_identical(validation$filenames, c("cats/cats.01.png", "cats/cats.02.png", "dogs/dogs.01.png",
    "dogs/dogs.02.png"))
  expect_identical(validation$classes, c(0L, 0L, 1L, 1L))
  expect_identical(basename(train$filenames[c(1, 9)]), c("cats.03.png", "dogs.03.png"))
  batch <- generator_next(train)
  expect_identical(dim(batch[[1]]), c(4L, 12L, 12L, 3L))
  expect_true(all(batch[[1]] >= 0 & batch[[1]] <= 1) && all(batch[[2]] %in% 0:1))
  model <- keras_model_sequential(input_shape = c(12, 12, 3)) |>
    layer_conv_2d(4, 3, activation = "relu") |>
    layer_max_pooling_2d() |>
    layer_flatten() |>
    layer_dense(1, activation = "sigmoid")
  compile(model, optimizer_adam(0.02), "binary_crossentropy", metrics = "accuracy")
  history <- fit_generator(model, train, steps_per_epoch = 4, epochs = 15, validation_data = validation,
    validation_steps = 1, verbose = 0)
  expect_gt(tail(history$metrics$val_accuracy, 1), 0.9)
  expect_identical(dim(predict(model, validation)), c(4L, 1L))
  expect_gt(evaluate_generator(model, validation, steps = 1)[["accuracy"]], 0.9)
})

test_that("what belongs to the pictures", {
  skip_if_not_installed("png")
  folder <- picture_folder(2, c("b", "a", "c"))
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(mode, ...) suppressMessages(flow_images_from_directory(folder, target_size = c(8, 10),
    class_mode = mode, shuffle = FALSE, ...))
  batch <- read("categorical")()
  expect_identical(batch[[2]], diag(3)[c(1, 1, 2, 2, 3, 3), ])
  expect_identical(batch[[1]][3, , , ], image_to_array(image_load(file.path(folder, "b", "b.01.png"))))
  expect_identical(read("sparse")()[[2]], c(0, 0, 1, 1, 2, 2))
  expect_identical(read(NULL)(), batch[[1]])
  expect_identical(read("input")(), batch[c(1, 1)])
  two <- read("binary", classes = c("c", "a"))
  expect_identical(two$class_indices, list(c = 0L, a = 1L))
  expect_identical(two()[[2]], c(0, 0, 1, 1))
  expect_error(read("binary"), "is for two classes, not 3", fixed = TRUE)
  expect_identical(dim(read("input", color_mode = "grayscale")()[[1]]), c(6L, 8L, 10L, 1L))
  first <- suppressMessages(flow_images_from_directory(folder, image_data_generator(data_format = "channels_first"),
    target_size = c(8, 10), shuffle = FALSE))
  expect_identical(first$image_shape, c(3L, 8L, 10L))
  expect_identical(first()[[1]], aperm(batch[[1]], c(1, 4, 2, 3)))
  # changed pictures are written down
  to <- tempfile("changed-")
  dir.create(to)
  on.exit(unlink(to, recursive = TRUE), add = TRUE)
  read("sparse", save_to_dir = to, save_prefix = "seen")()
  expect_identical(list.files(to), sprintf("seen_%d_1.png", 0:5))
  expect_identical(dim(image_load(file.path(to, "seen_0_1.png"))), c(8L, 10L, 3L))
})

test_that("folders that are odd: empty, missing, broken pictures, links, files beside", {
  skip_if_not_installed("png")
  folder <- picture_folder(2)
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(path = folder, ...) suppressMessages(flow_images_from_directory(path, target_size = c(8, 10), ...))
  # what is no picture or in no class, hidden, or another class' file further below
  writeLines("x", file.path(folder, "cats", "notes.txt"))
  file.copy(file.path(folder, "cats", "cats.01.png"), file.path(folder, "loose.png"))
  file.copy(file.path(folder, "cats", "cats.01.png"), file.path(folder, "cats", ".hidden.png"))
  dir.create(file.path(folder, "dogs", "more"))
  file.copy(file.path(folder, "cats", "cats.01.png"), file.path(folder, "dogs", "more", "x.PNG"))
  expect_identical(read(shuffle = FALSE)$filenames, c("cats/cats.01.png", "cats/cats.02.png", "dogs/dogs.01.png",
    "dogs/dogs.02.png", "dogs/more/x.PNG"))
  if (.Platform$OS.type == "unix") {
    file.symlink(file.path(folder, "dogs"), file.path(folder, "cats", "link"))
    file.symlink(folder, file.path(folder, "dogs", "circle"))
    expect_identical(read()$n, 5L)
    expect_gt(read(follow_links = TRUE)$n, 5L)
    unlink(file.path(folder, c("cats/link", "dogs/circle")))
  }
  expect_error(read("no-such-folder"), "`directory` does not exist", class = "nativenet_error_file")
  expect_error(read(file.path(folder, "loose.png")), "must be a folder, not the file", class = "nativenet_error_file")
  expect_error(read(file.path(folder, "dogs", "more")), "which has no folders: it must hold a folder for each class",
    class = "nativenet_error_file")
  expect_error(read(classes = c("cats", "birds")), "`classes` names \"birds\"", class = "nativenet_error_file")
  # another shape and other channels among the pictures
  image_array_save(array(1:60, c(3, 5, 4)), file.path(folder, "cats", "cats.01.png"))
  image_array_save(matrix(1:60, 3), file.path(folder, "cats", "cats.02.png"))
  expect_identical(dim(read(batch_size = 5)()[[1]]), c(5L, 8L, 10L, 3L))
  writeBin(as.raw(1:50), file.path(folder, "dogs", "dogs.02.png"))
  expect_error(read(batch_size = 5)(), "dogs.02.png", class = "nativenet_error_file")
})

test_that("tables of file names", {
  skip_if_not_installed("png")
  folder <- picture_folder(2)
  on.exit(unlink(folder, recursive = TRUE))
  table <- data.frame(file = c("dogs/dogs.01.png", "cats/cats.02.png", "cats/cats.01.png"), kind = c("d", "c", "c"),
    age = c(3, 1, 2), height = c(40, 20, 30))
  read <- function(data = table, ...) suppressMessages(flow_images_from_dataframe(data, folder, x_col = "file", ...,
    target_size = c(8, 10), shuffle = FALSE))
  expect_message(flow_images_from_dataframe(table, folder, "file", "kind"),
    "Found 3 validated image filenames belonging to 2 classes.", fixed = TRUE)
  batch <- read(y_col = "kind")()
  expect_identical(batch[[2]], rbind(c(0, 1), c(1, 0), c(1, 0)))
  expect_identical(batch[[1]][1, , , ], image_to_array(image_load(file.path(folder, "dogs", "dogs.01.png"))))
  expect_identical(read(y_col = "kind", class_mode = "binary")()[[2]], c(1, 0, 0))
  expect_identical(read(y_col = "age", class_mode = "raw")()[[2]], table$age)
  expect_identical(unname(read(y_col = c("age", "height"), class_mode = "raw")()[[2]]), unname(as.matrix(table[3:4])))
  expect_identical(read(y_col = c("age", "height"), class_mode = "multi_output")()[[2]], list(table$age, table$height))
  expect_identical(read(class_mode = NULL)(), batch[[1]])
  expect_identical(read(y_col = "kind", weight_col = "age")()[[3]], table$age)
  several <- table
  several$kind <- list(c("c", "d"), "c", "d")
  expect_identical(read(several, y_col = "kind")()[[2]], rbind(c(1, 1), c(1, 0), c(0, 1)))
  expect_identical(read(y_col = "kind", classes = "c")$filenames, table$file[2:3])
  absolute <- transform(table, file = file.path(folder, file))
  expect_identical(suppressMessages(flow_images_from_dataframe(absolute, x_col = "file", y_col = "kind",
    target_size = c(8, 10), shuffle = FALSE))(), batch)
  missing <- rbind(table, table[1, ], transform(table[1, ], file = "nothing.png"))
  expect_warning(less <- read(missing, y_col = "kind"), "1 of 5 files in `x_col` are not there",
    class = "nativenet_warning_images")
  expect_identical(less$n, 4L)
  expect_identical(suppressWarnings(read(missing, y_col = "kind", drop_duplicates = TRUE))$n, 3L)
  expect_error(read(y_col = "kid"), "which `dataframe` does not have; did you mean `kind`?", fixed = TRUE)
  expect_error(read(y_col = "age"), "`class_mode = \"raw\"` takes numbers", fixed = TRUE)
  expect_error(suppressWarnings(read(transform(table, file = "x.png"), y_col = "kind")), "none of the 3 files is there",
    class = "nativenet_error_file")
  expect_error(flow_images_from_dataframe(1), "`dataframe` must be a data frame", fixed = TRUE)
})

test_that("arrays that do not fit are refused", {
  x <- array(0, c(4, 3, 3, 1))
  expect_error(flow_images_from_data(x[, , , 1]), "`array_reshape(x, c(dim(x), 1))` adds channels", fixed = TRUE,
    class = "nativenet_error_shape")
  expect_error(flow_images_from_data(x, 1:3), "`y` must be for as many pictures as `x` has, 4, not 3",
    class = "nativenet_error_shape")
  expect_error(flow_images_from_data(x, sample_weight = 1:4), "`sample_weight` needs `y`", fixed = TRUE)
  expect_error(flow_images_from_data(x, batch_size = 0), "`batch_size` must be", fixed = TRUE)
  expect_error(flow_images_from_data(x, generator = 3), "`generator` must be", fixed = TRUE)
  expect_error(flow_images_from_data(list(x, 1)), "`x` must be an array of pictures", fixed = TRUE)
  expect_error(flow_images_from_data(x, save_to_dir = "no-such-folder"), "`save_to_dir` does not exist",
    class = "nativenet_error_file")
  expect_error(flow_images_from_data(x, save_format = "doc"), "`save_format` must be one of", fixed = TRUE)
  expect_warning(flow_images_from_data(array(0, c(1, 2, 2, 7))), "pictures have 1, 3 or 4 channels",
    class = "nativenet_warning_images")
})
