# Examples and tensors as records.

example_bytes <- function(...) tf$train$Example(features = tf$train$Features(feature = list(...)))$SerializeToString()
ints <- function(...) tf$train$Feature(int64_list = tf$train$Int64List(value = c(...)))
floats <- function(...) tf$train$Feature(float_list = tf$train$FloatList(value = c(...)))
strings <- function(...) tf$train$Feature(bytes_list = tf$train$BytesList(value = list(...)))

test_that("an example has the bytes of the format", {
  # Example { Features { entry { "a", Feature { Int64List { packed 1, 300, -1 } } } } }
  values <- as.raw(c(1, 0xac, 2, rep(0xff, 9), 1))
  list <- c(as.raw(c(0x0a, 13)), values)
  feature <- c(as.raw(c(0x1a, 15)), list)
  entry <- c(as.raw(c(0x0a, 1)), charToRaw("a"), as.raw(c(0x12, 17)), feature)
  all <- c(as.raw(c(0x0a, 24, 0x0a, 22)), entry)
  expect_identical(unclass(example_bytes(a = ints(1, 300, -1))), all)
  # one by one, not packed, is the same
  one <- c(as.raw(c(0x0a, 13, 0x0a, 11, 0x0a, 1)), charToRaw("a"), as.raw(c(0x12, 6, 0x1a, 4, 8, 1, 8, 3)))
  found <- tf$io$parse_single_example(one, list(a = tf$io$FixedLenFeature(shape(2), tf$int64)))
  expect_equal(as.vector(as.array(found$a)), c(1, 3))
})

test_that("names of features that R has not met are kept while their values are made", {
  part <- function(field, bytes) c(as.raw(c(field * 8 + 2, length(bytes))), bytes)
  value <- part(1, unlist(rep(list(part(1, charToRaw("abcde"))), 15)))
  entry <- function(k) part(1, c(part(1, c(charToRaw("q8w_"), as.raw(k))), part(2, value)))
  features <- unlist(lapply(97:122, entry))
  size <- length(features)
  bytes <- c(as.raw(c(0x0a, size %% 128 + 128, size %/% 128)), features)
  gctorture(TRUE)
  on.exit(gctorture(FALSE))
  found <- .Call(C_example, bytes)
  gctorture(FALSE)
  expect_identical(names(found), paste0("q8w_", letters))
  expect_identical(found[[26]], rep(list(charToRaw("abcde")), 15))
})

test_that("features come back with their dtypes and shapes", {
  picture <- as.raw(c(0xff, 0xd8, 0, 1))
  bytes <- example_bytes(x = floats(1:6 / 4), n = ints(-2^40), name = strings("\u00e9t\u00e9"),
    words = strings("a", "b", "c"), picture = strings(picture), none = tf$train$Feature())
  found <- tf$io$parse_single_example(bytes, list(x = tf$io$FixedLenFeature(shape(2, 3), tf$float32),
    n = tf$io$FixedLenFeature(shape(), tf$int64), name = tf$io$FixedLenFeature(shape(), tf$string),
    words = tf$io$VarLenFeature(tf$string), picture = tf$io$FixedLenFeature(list(), "string"),
    none = tf$io$FixedLenFeature(shape(2), tf$float32, default_value = 7),
    pairs = tf$io$VarLenFeature(tf$int64)))
  expect_equal(as.array(found$x), matrix(1:6 / 4, 2, byrow = TRUE))
  expect_identical(as.character(found$x$dtype), "float32")
  expect_equal(as.double(as.array(found$n)), -2^40)
  expect_identical(found$name, "\u00e9t\u00e9")
  expect_identical(as.vector(found$words), c("a", "b", "c"))
  expect_identical(unclass(found$picture), picture)
  expect_equal(as.vector(as.array(found$none)), c(7, 7))
  expect_identical(length(found$pairs), 0L)
  pairs <- tf$io$parse_single_example(bytes, list(x = tf$io$FixedLenSequenceFeature(shape(2), tf$float32,
    allow_missing = TRUE)))$x
  expect_equal(as.array(pairs), matrix(1:6 / 4, 3, byrow = TRUE))
  # a float is one of float32
  expect_equal(as.vector(as.array(tf$io$parse_single_example(example_bytes(x = floats(0.1, NaN, Inf)),
    list(x = tf$io$VarLenFeature(tf$float32)))$x)), c(0.1, NaN, Inf), tolerance = 1e-7)
})

test_that("batches of examples have a first axis, and are filled up", {
  all <- list(example_bytes(x = ints(1, 2), s = strings("a"), v = floats(1)),
    example_bytes(x = ints(3, 4), s = strings("b", "c"), v = floats(2, 3, 4)))
  features <- list(x = tf$io$FixedLenFeature(shape(2), tf$int64), s = tf$io$VarLenFeature(tf$string),
    v = tf$io$VarLenFeature(tf$float32))
  path <- tempfile()
  with(tf$io$TFRecordWriter(path) %as% writer, for (bytes in all) writer$write(bytes))
  found <- next_batch(dataset_map(dataset_batch(tfrecord_dataset(path), 2), function(x) tf$io$parse_example(x,
    features)))
  expect_equal(as.array(found$x), matrix(1:4, 2, byrow = TRUE))
  expect_identical(unname(found$s), matrix(c("a", "b", "", "c"), 2))
  expect_equal(as.array(found$v), rbind(c(1, 0, 0), 2:4))
  single <- as.list(dataset_map(tfrecord_dataset(path), function(x) tf$io$parse_single_example(x, features["x"])))
  expect_equal(as.vector(as.array(single[[2]]$x)), 3:4)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1) |> compile("sgd", "mse")
  data <- dataset_batch(dataset_map(tfrecord_dataset(path), function(x) {
    x <- tf$cast(tf$io$parse_single_example(x, features["x"])$x, tf$float32)
    list(x, tf$reduce_sum(x, keepdims = TRUE))
  }), 2)
  expect_length(fit(model, data, epochs = 1, verbose = 0)$metrics$loss, 1)
})

test_that("messages know what they hold", {
  bytes <- example_bytes(a = ints(5), b = strings("x"), c = floats(0.5))
  example <- tf$train$Example$FromString(bytes)
  feature <- example$features$feature
  expect_equal(as.double(as.array(feature$a$int64_list$value)), 5)
  expect_identical(as.character(feature$b$bytes_list$value[[1]]), "x")
  expect_identical(feature$c$float_list$value, 0.5)
  expect_identical(example$SerializeToString(), bytes)
  empty <- tf$train$Example()
  empty$ParseFromString(bytes)
  expect_identical(empty$SerializeToString(), bytes)
  expect_output(print(example), "Example")
  expect_error(example$nothing, "nothing")
  expect_error(example$features <- 1, "when it is made")
})

test_that("what is no example, or has other features, is refused", {
  bytes <- example_bytes(a = ints(5), b = strings("x"))
  parse <- function(...) tf$io$parse_single_example(bytes, list(...))
  fixed <- tf$io$FixedLenFeature
  expect_error(parse(z = fixed(shape(), tf$int64)), "`z` is missing.*`a`, `b`", class = "nativenet_error_value")
  expect_error(parse(a = fixed(shape(), tf$float32)), "int64, not float32", class = "nativenet_error_dtype")
  expect_error(parse(a = fixed(shape(2), tf$int64)), "1 values, not 2", class = "nativenet_error_shape")
  expect_error(parse(a = 1), "`features\\$a`")
  expect_error(tf$io$parse_single_example(bytes, 1), "`features`")
  expect_error(fixed(shape(), tf$int32), "`dtype`")
  expect_error(tf$io$FixedLenSequenceFeature(shape(), tf$int64), "`allow_missing`")
  expect_error(tf$io$parse_example(list(bytes, as.raw(1:3)), list(a = fixed(shape(), tf$int64))), "number 2 is no",
    class = "nativenet_error_file")
  for (n in seq_len(length(bytes) - 1)) expect_error(tf$io$parse_single_example(unclass(bytes)[seq_len(n)],
    list(a = fixed(shape(), tf$int64))), class = "nativenet_error")
  expect_error(ints(0.5), "whole numbers")
  expect_error(ints("a"), "whole numbers")
  expect_error(floats("a"), "`value`")
  expect_error(tf$train$BytesList(list(1)), "`value`")
  expect_error(tf$train$Feature(int64_list = 1), "`int64_list`")
  expect_error(tf$train$Feature(int64_list = tf$train$Int64List(1), float_list = tf$train$FloatList(1)), "one of")
  expect_error(tf$train$Features(list(1)), "`feature`")
  expect_error(tf$train$Example(1), "`features`")
  writer <- tf$io$TFRecordWriter(tempfile())
  writer$close()
  expect_error(writer$write("a"), "closed")
  expect_error(tf$io$TFRecordWriter(file.path(tempfile(), "a")), "cannot write", class = "nativenet_error_file")
  expect_error(tf$io$TFRecordWriter(tempfile(), "ZIP"), "`options`")
})

test_that("damaged examples never do harm", {
  set.seed(2)
  bytes <- unclass(example_bytes(a = ints(5, -7, 1000), b = strings("x", "yz"), c = floats(0.5, 2)))
  features <- list(a = tf$io$VarLenFeature(tf$int64), b = tf$io$VarLenFeature(tf$string),
    c = tf$io$VarLenFeature(tf$float32))
  for (i in 1:300) {
    wrong <- bytes
    wrong[sample(length(bytes), 2)] <- as.raw(sample(0:255, 2))
    found <- tryCatch(tf$io$parse_single_example(wrong, features), error = identity)
    expect_true(is.list(found))
    if (inherits(found, "error")) expect_s3_class(found, "nativenet_error")
  }
})

test_that("tensors are bytes, and come back", {
  for (dtype in c("float32", "float64", "int32", "int64", "bool")) {
    x <- tf$constant(array(0:5 %% 2, c(2, 3)), dtype = dtype)
    bytes <- tf$io$serialize_tensor(x)
    expect_identical(as.array(tf$io$parse_tensor(bytes, dtype)), as.array(x), info = dtype)
  }
  expect_equal(as.double(as.array(tf$io$parse_tensor(tf$io$serialize_tensor(tf$constant(3)), tf$float32))), 3)
  expect_identical(as.vector(tf$io$parse_tensor(tf$io$serialize_tensor(c("a", "b")), tf$string)), c("a", "b"))
  # dtype 1 (float), shape (3), float_val 2: the last value stands for the rest
  short <- c(as.raw(c(8, 1, 0x12, 4, 0x12, 2, 8, 3, 0x2d)), writeBin(2, raw(), size = 4, endian = "little"))
  expect_equal(as.vector(as.array(tf$io$parse_tensor(short, tf$float32))), c(2, 2, 2))
  expect_error(tf$io$parse_tensor(bytes, tf$float32), "is bool", class = "nativenet_error_dtype")
  expect_error(tf$io$parse_tensor(as.raw(1:3), tf$float32), class = "nativenet_error_file")
  for (n in seq_len(length(bytes) - 1)) expect_error(tf$io$parse_tensor(unclass(bytes)[seq_len(n)], tf$bool),
    class = "nativenet_error")
})

test_that("arrays and tensors are written row by row, and come back", {
  m <- matrix(1:6, 2)
  parse <- function(feature, dtype, ...) tf$io$parse_single_example(example_bytes(a = feature), list(
    a = tf$io$FixedLenFeature(shape(2, 3), dtype, ...)))$a
  for (x in list(m, m / 4, tensor(m / 4, "float32"), tensor(m, "int32"), tensor(m / 4), list(m[1, ], m[2, ]))) {
    found <- parse(tf$train$Feature(float_list = tf$train$FloatList(x)), tf$float32)
    expect_equal(as.array(found), if (is.list(x)) m else as.array(x))
  }
  for (x in list(m, tensor(m, "float32"), tensor(m, "int32"), tensor(m, "int64"))) {
    found <- parse(tf$train$Feature(int64_list = tf$train$Int64List(x)), tf$int64)
    expect_equal(as.array(found), m)
  }
  words <- matrix(letters[1:6], 2)
  for (x in list(words, tf$constant(words), as.list(t(words)))) expect_identical(parse(tf$train$Feature(
    bytes_list = tf$train$BytesList(x)), tf$string), words)
  both <- tf$io$parse_example(list(example_bytes(a = floats(t(m))), example_bytes(a = floats(t(m) + 6))), list(
    a = tf$io$FixedLenFeature(shape(2, 3), tf$float32)))$a
  expect_equal(as.array(both[2, , ]), m + 6)
  # 2^53 + 1, which no double is
  large <- structure(readBin(as.raw(c(1, 0, 0, 0, 0, 0, 32, 0, 251, rep(255, 7))), "double", 2, 8, endian = "little"),
    class = "integer64")
  found <- tf$io$parse_single_example(example_bytes(a = tf$train$Feature(int64_list = tf$train$Int64List(large))),
    list(a = tf$io$VarLenFeature(tf$int64)))$a
  expect_identical(as.array(found == tensor(large, "int64")), array(c(TRUE, TRUE)))
  expect_equal(unlist(tf$train$FloatList(int64(3))$value), 3)
  expect_error(tf$train$Int64List(int64(NA)), "NA")
})

test_that("defaults of strings have one string for all, or one for each", {
  bytes <- example_bytes(a = ints(1))
  default <- function(value, ...) tf$io$parse_single_example(bytes, list(b = tf$io$FixedLenFeature(shape(2, 2),
    tf$string, default_value = value)))$b
  expect_identical(default("x"), matrix("x", 2, 2))
  expect_identical(default(matrix(letters[1:4], 2)), matrix(letters[1:4], 2))
  expect_identical(default(letters[1:4]), matrix(letters[1:4], 2, byrow = TRUE))
  expect_error(default(c("a", "b")), "`default_value`")
  expect_error(default(NA_character_), "`default_value`")
  expect_error(default(1), "`default_value`")
  expect_error(default(matrix(letters[1:4], 1)), "`default_value`", class = "nativenet_error_shape")
  number <- tf$io$parse_single_example(bytes, list(b = tf$io$FixedLenFeature(shape(2, 2), tf$float32,
    default_value = list(list(1, 2), list(3, 4)))))$b
  expect_equal(as.array(number), matrix(1:4, 2, byrow = TRUE))
  all <- list(example_bytes(s = strings("a")), example_bytes(s = strings("b", "c")))
  rows <- tf$io$parse_example(all, list(s = tf$io$FixedLenSequenceFeature(shape(), tf$string, TRUE, "-")))$s
  expect_identical(rows, matrix(c("a", "b", "-", "c"), 2))
  empty <- tf$io$FixedLenSequenceFeature(0L, tf$int64, TRUE)
  expect_identical(dim(tf$io$parse_single_example(bytes, list(z = empty))$z), c(0L, 0L))
  expect_error(tf$io$parse_single_example(bytes, list(a = empty)), "no multiple of 0", class = "nativenet_error_shape")
})

test_that("damaged tensors never do harm", {
  set.seed(3)
  typed <- c(as.raw(c(8, 1, 0x12, 4, 0x12, 2, 8, 3, 0x2d)), writeBin(2, raw(), size = 4, endian = "little"))
  whole <- as.raw(c(8, 3, 0x12, 4, 0x12, 2, 8, 2, 0x3a, 2, 5, 7)) # int32 of shape (2), packed int_val 5, 7
  expect_identical(as.array(tf$io$parse_tensor(whole, tf$int32)), array(c(5L, 7L)))
  kinds <- list(list(unclass(tf$io$serialize_tensor(matrix(1:6 / 2, 2))), "float64"), list(typed, "float32"),
    list(unclass(tf$io$serialize_tensor(c("a", "bc"))), "string"), list(whole, "int32"))
  for (kind in kinds) for (i in 1:300) {
    wrong <- kind[[1]]
    at <- sample(min(length(wrong), 14), 2)
    wrong[at] <- as.raw(sample(0:255, 2))
    found <- tryCatch(tf$io$parse_tensor(wrong, kind[[2]]), error = identity)
    if (inherits(found, "error")) expect_s3_class(found, "nativenet_error")
  }
  # dtype as fixed32; a size as fixed32; content as a varint
  expect_error(tf$io$parse_tensor(as.raw(c(0x0d, 1, 0, 0, 0)), tf$float32), "dtype is damaged",
    class = "nativenet_error_file")
  expect_error(tf$io$parse_tensor(as.raw(c(8, 1, 0x12, 7, 0x12, 5, 0x0d, 1, 0, 0, 0)), tf$float32), "shape is damaged",
    class = "nativenet_error_file")
  expect_error(tf$io$parse_tensor(as.raw(c(8, 1, 0x20, 4)), tf$float32), "bytes are damaged",
    class = "nativenet_error_file")
})
