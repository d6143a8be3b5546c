made <- function(n, val = FALSE, planned = n, ...) {
  metrics <- list(loss = 1 / seq_len(n), accuracy = seq_len(n) / (n + 1))
  if (val) metrics <- c(metrics, list(val_loss = 2 / seq_len(n), val_accuracy = seq_len(n) / (n + 2)))
  new_history(list(epochs = planned, ...), metrics)
}

test_that("a history is a plain list that can be saved", {
  h <- made(3, TRUE, samples = 10)
  expect_s3_class(h, c("nn_history", "keras_training_history"), exact = TRUE)
  expect_identical(unserialize(serialize(h, NULL)), h)
  expect_identical(utils::tail(h$metrics$val_loss, 1), 2 / 3)
})

test_that("printing shows the last epoch, names to the right, four digits", {
  h <- new_history(list(epochs = 8, samples = 60000, batch_size = 32),
    list(loss = c(1, 0.327444), accuracy = c(0, 0.88), val_loss = c(1, NaN), lr = c(1, 0.00001)))
  expect_identical(capture.output(print(h)), c(
    "Trained on 60,000 samples (batch_size=32, epochs=8)", "Final epoch (plot to see history):",
    "    loss: 0.3274", "accuracy: 0.88", "val_loss: NaN", "      lr: 1e-05"
  ))
  expect_identical(capture.output(print(new_history(list(epochs = 2), list(loss = 1234.5678)))),
    c("Final epoch (plot to see history):", "loss: 1235"))
  expect_identical(capture.output(print(new_history(list(epochs = 2), list()))), "No epoch was finished.")
})

test_that("the data frame is padded to the epochs that were planned", {
  d <- as.data.frame(made(2, TRUE, planned = 4))
  expect_identical(names(d), c("epoch", "value", "metric", "data"))
  expect_identical(d$epoch, rep(1:4, 4))
  expect_identical(d$value[1:8], c(1, 0.5, NA, NA, 1 / 3, 2 / 3, NA, NA))
  expect_identical(d$value[9:12], c(2, 1, NA, NA))
  expect_identical(levels(d$metric), c("loss", "accuracy"))
  expect_identical(as.character(d$metric), rep(c("loss", "accuracy", "loss", "accuracy"), each = 4))
  expect_identical(levels(d$data), c("training", "validation"))
  expect_identical(as.character(d$data), rep(c("training", "validation"), each = 8))
  # epochs that were run before count
  expect_identical(as.data.frame(made(2, planned = 7, initial_epoch = 5))$epoch, rep(6:7, 2))
  expect_identical(nrow(as.data.frame(new_history(list(epochs = 3), list()))), 0L)
  # a metric logged in some epochs only
  expect_identical(as.data.frame(new_history(list(epochs = 2), list(loss = 1:2, lr = 0.1)))$value, c(1, 2, 0.1, NA))
})

drawn <- function(...) {
  path <- tempfile(fileext = ".pdf")
  grDevices::pdf(path)
  on.exit(grDevices::dev.off())
  result <- withVisible(plot(...))
  if (inherits(result$value, "ggplot")) print(result$value)
  result
}

test_that("base graphics draw histories of any length, stopped early, and with NaN", {
  for (h in list(made(1), made(1, TRUE), made(8, TRUE), made(30, TRUE), made(6, TRUE, planned = 30),
    made(12, planned = 30))) {
    expect_silent(result <- drawn(h, method = "base"))
    expect_identical(result, list(value = h, visible = FALSE))
  }
  expect_silent(drawn(new_history(list(epochs = 3), list(loss = c(1, NaN, Inf), val_loss = c(NaN, NaN, NaN))),
    method = "base"))
  expect_silent(drawn(new_history(list(epochs = 2), list(loss = c(3, 3))), method = "base"))
  before <- graphics::par("mfrow")
  drawn(made(3), method = "base")
  expect_identical(graphics::par("mfrow"), before)
  grDevices::graphics.off()
})

test_that("what cannot be drawn is refused", {
  expect_error(drawn(made(3), metrics = "los"),
    "`plot()`: `metrics` must be one of \"loss\", \"accuracy\", not \"los\"", fixed = TRUE)
  expect_error(drawn(made(3), method = "lattice"), "`method` must be one of", class = "nativenet_error_value")
  expect_error(drawn(new_history(list(epochs = 3), list())), "holds no epoch", class = "nativenet_error_value")
})

test_that("ggplot2 shows a panel per metric, a curve from 10 epochs on, whole epochs", {
  ggplot_there()
  geoms <- function(p) vapply(p$layers, function(l) class(l$geom)[1], "", USE.NAMES = FALSE)
  p <- drawn(made(8, TRUE))
  expect_true(p$visible)
  p <- p$value
  expect_s3_class(p, "ggplot")
  expect_identical(geoms(p), c("GeomLine", "GeomPoint"))
  expect_identical(geoms(drawn(made(10, TRUE))$value), c("GeomSmooth", "GeomPoint"))
  expect_identical(geoms(drawn(made(10, TRUE), smooth = FALSE)$value), c("GeomLine", "GeomPoint"))
  with_rate <- made(10)
  with_rate$metrics$lr <- rep(c(0.1, 0.01), each = 5)
  p_rate <- drawn(with_rate)$value
  expect_identical(geoms(p_rate), c("GeomSmooth", "GeomLine", "GeomPoint"))
  expect_identical(as.character(unique(p_rate$layers[[2]]$data$metric)), "lr")
  expect_identical(geoms(drawn(made(6, TRUE, planned = 30))$value), c("GeomLine", "GeomPoint"))
  expect_identical(geoms(drawn(made(1))$value), "GeomPoint")
  expect_silent(drawn(made(1, TRUE), theme_bw = TRUE))
  expect_silent(drawn(made(12, TRUE, planned = 30)))
  built <- ggplot2::ggplot_build(p)
  expect_identical(nrow(built$layout$layout), 2L)
  points <- built$data[[2]]
  expect_identical(sort(unique(points$colour)), sort(unname(data_colours)))
  expect_identical(points$y[points$PANEL == 1 & points$colour == data_colours[["validation"]]], 2 / 1:8)
  one <- drawn(made(8, TRUE), metrics = "accuracy")$value
  expect_identical(nrow(ggplot2::ggplot_build(one)$layout$layout), 1L)
})

test_that("ticks stand at whole epochs within the limits", {
  for (limits in list(c(1, 1), c(1, 2), c(1, 8), c(1, 30), c(6, 9), c(1, 1000))) {
    breaks <- whole_breaks(limits)
    expect_true(length(breaks) > 0 && all(breaks == round(breaks) & breaks >= limits[1] & breaks <= limits[2]),
      info = limits)
  }
})

test_that("a history has Python's members", {
  h <- new_history(list(epochs = 3), list(loss = c(3, 2, 1)))
  expect_identical(h$history$loss, c(3, 2, 1))
  expect_identical(h$epoch, 0:2)
})
