# Event files, read by the formats' own description: checksums bit by bit, messages field by field.

# CRC-32C by its polynomial, with doubles for whole numbers below 2^32.
xor <- function(a, b) bitwXor(a %/% 65536, b %/% 65536) * 65536 + bitwXor(a %% 65536, b %% 65536)
crc32c <- function(bytes) {
  sum <- 2^32 - 1
  for (byte in as.integer(bytes)) {
    sum <- xor(sum, byte)
    for (bit in 1:8) sum <- if (sum %% 2 == 1) xor(sum %/% 2, 0x82f63b78) else sum %/% 2
  }
  2^32 - 1 - sum
}
whole <- function(bytes) sum(as.numeric(bytes) * 256^(seq_along(bytes) - 1))
expect_checksum <- function(found, bytes) {
  sum <- crc32c(bytes)
  expect_identical(whole(found), (sum %/% 2^15 + sum %% 2^15 * 2^17 + 0xa282ead8) %% 2^32)
}

# list(field, value) of each part of a message.
fields <- function(bytes) {
  at <- 1
  number <- function() {
    value <- 0
    power <- 1
    repeat {
      byte <- as.integer(bytes[at])
      at <<- at + 1
      value <- value + byte %% 128 * power
      power <- power * 128
      if (byte < 128) return(value)
    }
  }
  take <- function(n) {
    force(n)
    at <<- at + n
    bytes[at - n + seq_len(n) - 1]
  }
  found <- list()
  while (at <= length(bytes)) {
    key <- number()
    value <- switch(as.character(key %% 8), "0" = number(), "1" = readBin(take(8), "double"),
      "2" = take(number()), "5" = readBin(take(4), "double", size = 4))
    found <- c(found, list(list(field = key %/% 8, value = value)))
  }
  found
}
field <- function(message, n) for (f in message) if (f$field == n) return(f$value)

# step, tag and what is said, for each value in a folder's only file.
events <- function(folder) {
  path <- list.files(folder, "^events[.]out[.]tfevents", full.names = TRUE)
  expect_length(path, 1)
  bytes <- readBin(path, "raw", file.size(path))
  found <- list()
  while (length(bytes)) {
    n <- whole(bytes[1:8])
    event <- bytes[12 + seq_len(n)]
    expect_checksum(bytes[9:12], bytes[1:8])
    expect_checksum(bytes[12 + n + 1:4], event)
    bytes <- bytes[-seq_len(n + 16)]
    event <- fields(event)
    if (!length(found)) expect_identical(rawToChar(field(event, 3)), "brain.Event:2")
    for (v in if (!is.null(field(event, 5))) fields(field(event, 5))) {
      value <- fields(v$value)
      step <- field(event, 2)
      found <- c(found, list(list(step = step, tag = rawToChar(field(value, 1)), scalar = field(value, 2),
        histogram = if (!is.null(field(value, 5))) fields(field(value, 5)))))
    }
    if (!length(found)) found <- list(NULL)
  }
  Filter(length, found)
}

scalars <- function(found, tag) {
  own <- Filter(function(e) e$tag == tag, found)
  stats::setNames(vapply(own, function(e) e$scalar, 0), vapply(own, function(e) format(e$step), ""))
}

test_that("the checksum is that of the published test values", {
  expect_identical(crc32c(charToRaw("123456789")), 0xe3069283)
  expect_identical(crc32c(raw(32)), 0x8a9136aa)
})

test_that("a model's losses and metrics, of training and validation, are what the history says", {
  folder <- tempfile()
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(4, name = "first") |> layer_dense(1, name = "last")
  model |> compile("sgd", "mse", metrics = "mae")
  x <- matrix(sin(1:60), 20)
  history <- model |> fit(x, 1:20 / 20, epochs = 3, batch_size = 5, validation_split = 0.25, verbose = 0,
    callbacks = callback_tensorboard(folder, histogram_freq = 2, update_freq = "batch"))
  expect_setequal(list.files(folder), c("train", "validation"))
  train <- events(file.path(folder, "train"))
  expect_equal(scalars(train, "epoch_loss"), stats::setNames(history$metrics$loss, 0:2), tolerance = 1e-6)
  expect_equal(scalars(train, "epoch_mae"), stats::setNames(history$metrics$mae, 0:2), tolerance = 1e-6)
  expect_named(scalars(train, "batch_loss"), as.character(0:8))
  expect_equal(scalars(train, "batch_loss")[["8"]], history$metrics$loss[3], tolerance = 1e-6)
  validation <- events(file.path(folder, "validation"))
  expect_equal(scalars(validation, "epoch_loss"), stats::setNames(history$metrics$val_loss, 0:2), tolerance = 1e-6)
  expect_named(scalars(validation, "evaluation_mae_vs_iterations"), c("3", "6", "9"))
  kernels <- Filter(function(e) e$tag == "first/kernel_0/histogram", train)
  expect_identical(vapply(kernels, function(e) e$step, 0), c(0, 2))
  w <- c(get_weights(model)[[1]])
  h <- kernels[[2]]$histogram
  expect_identical(vapply(1:5, function(n) field(h, n), 0), c(range(w), 12, sum(w), sum(w^2)))
  limits <- readBin(field(h, 6), "double", 100)
  counts <- readBin(field(h, 7), "double", 100)
  expect_equal(limits, seq(min(w), max(w), length.out = 31)[-1])
  expect_identical(sum(counts), 12)
  expect_identical(cumsum(counts)[15], as.double(sum(w < limits[15])))
})

test_that("tf$summary writes by hand, and nothing without a writer", {
  folder <- tempfile()
  expect_false(tf$summary$scalar("loss", 1, step = 0L))
  writer <- tf$summary$create_file_writer(folder)
  with(writer$as_default(), for (step in c(0L, 300L)) tf$summary$scalar("loss", tf$constant(0.5), step = step))
  with(writer$as_default(), tf$summary$histogram("same", c(2, 2), step = 1L))
  writer$flush()
  found <- events(folder)
  expect_identical(scalars(found[1:2], "loss"), c("0" = 0.5, "300" = 0.5))
  expect_identical(field(found[[3]]$histogram, 3), 2)
  expect_error(tf$summary$scalar("a", 1), "step", class = "nativenet_error_value")
  expect_error(tf$summary$image, "scalars and histograms", class = "nativenet_error_missing")
  expect_error(callback_tensorboard(write_images = TRUE), "write_images", class = "nativenet_error_value")
  expect_output(print(writer), "summaries")
})
