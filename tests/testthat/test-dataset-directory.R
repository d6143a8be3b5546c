taken <- function(data) lapply(dataset_collect(data), in_r)

test_that("pictures of a folder come in batches, with the labels that were asked for", {
  skip_if_not_installed("png")
  folder <- picture_folder(3, c("b", "a"))
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(...) suppressMessages(image_dataset_from_directory(folder, image_size = c(8, 10), ...))
  expect_message(data <- image_dataset_from_directory(folder, image_size = c(8, 10), batch_size = 4, shuffle = FALSE),
    "Found 6 files belonging to 2 classes.", fixed = TRUE)
  expect_identical(data$class_names, c("a", "b"))
  expect_identical(basename(data$file_paths), c(sprintf("a.%02d.png", 1:3), sprintf("b.%02d.png", 1:3)))
  expect_identical(length(data), 2L)
  expect_identical(unclassed(output_shapes(data)), list(c(NA, 8L, 10L, 3L), NA_integer_))
  batches <- taken(data)
  expect_identical(lapply(batches, function(b) c(b[[2]])), list(c(0L, 0L, 0L, 1L), c(1L, 1L)))
  expect_identical(batches[[1]][[1]][2, , , ], image_to_array(image_load(data$file_paths[2])))
  expect_identical(taken(data), batches)
  two <- function(mode) taken(read(label_mode = mode, shuffle = FALSE))[[1]][[2]]
  expect_identical(two("binary"), matrix(c(0, 0, 0, 1, 1, 1)))
  expect_identical(two("categorical"), diag(2)[c(1, 1, 1, 2, 2, 2), ])
  given <- read(labels = c(2, 0, 1, 1, 0, 2), shuffle = FALSE)
  expect_identical(c(taken(given)[[1]][[2]]), c(2L, 0L, 1L, 1L, 0L, 2L))
  expect_identical(given$class_names, c("0", "1", "2"))
  expect_identical(read(class_names = c("b", "a"))$class_names, c("b", "a"))
  alone <- read(label_mode = NULL, shuffle = FALSE)
  expect_identical(taken(alone)[[1]], taken(read(shuffle = FALSE))[[1]][[1]])
  expect_null(alone$class_names)
  expect_identical(dim(taken(read(labels = NULL, color_mode = "grayscale"))[[1]]), c(6L, 8L, 10L, 1L))
  single <- taken(read(batch_size = NULL, shuffle = FALSE))
  expect_identical(single[[4]], list(batches[[1]][[1]][4, , , ], 1L))
  expect_identical(dim(taken(read(data_format = "channels_first"))[[1]][[1]]), c(6L, 3L, 8L, 10L))
})

test_that("pictures are resized as tf.image.resize() does it, cut or filled up on request", {
  skip_if_not_installed("png")
  folder <- picture_folder(1, c("a", "b"), size = c(8, 12))
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(...) {
    taken(image_dataset_from_directory(folder, shuffle = FALSE, verbose = FALSE, ...))[[1]][[1]][1, , , ]
  }
  x <- image_to_array(image_load(file.path(folder, "a", "a.01.png")))
  resized <- function(x, ...) as.array(op_resize(tensor(x, "float32"), ...))
  expect_equal(read(image_size = c(5, 5)), resized(x, c(5, 5)))
  expect_equal(read(image_size = c(5, 5), interpolation = "area"), resized(x, c(5, 5), "area"))
  expect_equal(read(image_size = c(4, 4), crop_to_aspect_ratio = TRUE), resized(x[, 3:10, ], c(4, 4)))
  high <- array(0, c(12, 12, 3))
  high[3:10, , ] <- x
  expect_equal(read(image_size = c(6, 6), pad_to_aspect_ratio = TRUE), resized(high, c(6, 6)))
  expect_identical(read(image_size = c(8, 12)), x)
})

test_that("subsets share no file, and orders follow the seed", {
  skip_if_not_installed("png")
  folder <- picture_folder(5, size = c(2, 2))
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(...) image_dataset_from_directory(folder, image_size = c(2, 2), ...)
  expect_message(expect_message(train <- read(validation_split = 0.3, subset = "training", seed = 1), "Found 10 files"),
    "Using 7 files for training.", fixed = TRUE)
  expect_message(expect_message(held <- read(validation_split = 0.3, subset = "validation", seed = 1), "Found"),
    "Using 3 files for validation.", fixed = TRUE)
  expect_identical(c(length(train$file_paths), length(held$file_paths)), c(7L, 3L))
  expect_identical(anyDuplicated(c(train$file_paths, held$file_paths)), 0L)
  both <- suppressMessages(read(validation_split = 0.3, subset = "both", seed = 1))
  expect_identical(lapply(both, `[[`, "file_paths"), list(train$file_paths, held$file_paths))
  expect_silent(read(verbose = FALSE))
  set.seed(1)
  first <- taken(read(seed = 5, verbose = FALSE))
  expect_identical(taken(read(seed = 5, verbose = FALSE)), first)
  again <- read(seed = 5, verbose = FALSE)
  one <- taken(again)[[1]][[2]]
  two <- taken(again)[[1]][[2]]
  expect_false(identical(taken(again)[[1]][[1]], taken(again)[[1]][[1]])) # another order in each iteration
  expect_identical(sort(c(one)), sort(c(two)))
  expect_error(read(validation_split = 0.3), "`validation_split` and `subset` go together", fixed = TRUE)
  expect_error(read(subset = "training"), "`validation_split` is not given", fixed = TRUE)
  expect_error(read(validation_split = 0.3, subset = "training"), "`seed` must be given for shuffled files",
    fixed = TRUE)
  expect_error(read(validation_split = 0.01, subset = "training", seed = 1, verbose = FALSE),
    "leaves no files for validation", fixed = TRUE)
})

test_that("a model is trained from a folder", {
  skip_if_not_installed("png")
  set.seed(2)
  folder <- picture_folder(8)
  on.exit(unlink(folder, recursive = TRUE))
  parts <- image_dataset_from_directory(folder, image_size = c(8, 8), batch_size = 4, validation_split = 0.25,
    subset = "both", seed = 1, label_mode = "binary", verbose = FALSE)
  model <- keras_model_sequential(input_shape = c(8, 8, 3)) |>
    layer_rescaling(1 / 255) |>
    layer_conv_2d(4, 3, activation = "relu") |>
    layer_global_average_pooling_2d() |>
    layer_dense(1, activation = "sigmoid")
  compile(model, optimizer_adam(0.1), "binary_crossentropy", metrics = "accuracy")
  scaled <- dataset_prefetch(dataset_map(parts[[1]], function(x, y) list(x, y)), 1)
  history <- fit(model, scaled, validation_data = parts[[2]], epochs = 8, verbose = 0)
  expect_identical(history$params$steps, 3L)
  expect_gt(tail(history$metrics$accuracy, 1), 0.9)
  expect_identical(dim(predict(model, parts[[2]])), c(4L, 1L))
})

test_that("texts of a folder are strings", {
  folder <- tempfile("texts-")
  on.exit(unlink(folder, recursive = TRUE))
  for (class in c("neg", "pos")) {
    dir.create(file.path(folder, class, "more"), recursive = TRUE)
    for (i in 1:2) writeLines(paste(class, "text", i), file.path(folder, class, paste0(i, ".txt")))
  }
  writeBin(c(charToRaw("caf"), as.raw(0xe9)), file.path(folder, "neg", "more", "latin.txt"))
  writeBin(charToRaw("caf\u00e9 au lait"), file.path(folder, "pos", "more", "utf8.TXT"))
  writeLines("x", file.path(folder, "pos", "no-text.md"))
  data <- suppressMessages(text_dataset_from_directory(folder, shuffle = FALSE, batch_size = 4))
  batch <- taken(data)
  expect_identical(batch[[1]][[1]], c("neg text 1\n", "neg text 2\n", "caf\u00e9", "pos text 1\n"))
  expect_identical(c(batch[[2]][[2]]), c(1L, 1L))
  expect_identical(batch[[2]][[1]][2], "caf\u00e9 au lait")
  expect_identical(data$class_names, c("neg", "pos"))
  cut <- suppressMessages(text_dataset_from_directory(folder, shuffle = FALSE, max_length = 4, label_mode = NULL))
  expect_identical(taken(cut)[[1]][c(1, 6)], c("neg ", "caf\u00e9"))
  # words of the texts, counted by a layer that was adapted to them
  vectorize <- layer_text_vectorization(max_tokens = 20, output_mode = "count")
  adapt(vectorize, dataset_map(data, function(x, y) x))
  expect_true(all(c("text", "neg", "pos") %in% get_vocabulary(vectorize)))
  writeBin(as.raw(c(65, 0, 66)), file.path(folder, "pos", "zero.txt"))
  expect_error(taken(suppressMessages(text_dataset_from_directory(folder))), "zero.txt", class = "nativenet_error_file")
})

test_that("folders and arguments that do not fit are refused", {
  folder <- tempfile("odd-")
  dir.create(file.path(folder, "a"), recursive = TRUE)
  on.exit(unlink(folder, recursive = TRUE))
  read <- function(...) image_dataset_from_directory(folder, verbose = FALSE, ...)
  expect_error(read(), "there are no pictures in", class = "nativenet_error_file")
  expect_error(text_dataset_from_directory(file.path(folder, "a"), verbose = FALSE), "which has no folders",
    class = "nativenet_error_file")
  expect_error(image_dataset_from_directory(file.path(folder, "none")), "`directory` does not exist",
    class = "nativenet_error_file")
  for (file in c("1.png", "2.png")) writeLines("no picture", file.path(folder, "a", file))
  expect_error(taken(read()), "[12].png", class = "nativenet_error_file")
  expect_error(read(label_mode = "binary"), "is for two classes, not 1", fixed = TRUE)
  expect_error(read(class_names = c("a", "b")), "`class_names` names \"b\"", class = "nativenet_error_file")
  dir.create(file.path(folder, "b"))
  expect_error(read(class_names = "a"), "`class_names` must name all folders", fixed = TRUE)
  expect_error(read(labels = 1:3), "`labels` must be for each of the 2 files", fixed = TRUE)
  expect_error(read(labels = "x"), "`labels` must be whole numbers", fixed = TRUE)
  expect_error(read(labels = 1:2, class_names = "a"), "`class_names` is for labels that are inferred", fixed = TRUE)
  expect_error(read(image_size = 3), "`image_size` must be two numbers", fixed = TRUE)
  expect_error(read(imagesize = 3), "unused argument `imagesize`", fixed = TRUE)
  expect_error(read(crop_to_aspect_ratio = TRUE, pad_to_aspect_ratio = TRUE), "must not both be TRUE", fixed = TRUE)
})
