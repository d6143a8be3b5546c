test_that("the page is opened once, written at most once a second, and stops to reload at the end", {
  now <- 0
  opened <- character()
  v <- metrics_viewer(5, viewer = function(url) opened <<- c(opened, url), clock = function() now)
  page <- function() paste(readLines(v$path), collapse = "\n")
  v$update(list(loss = 0.5))
  expect_identical(opened, v$path)
  expect_match(page(), "Epoch 1 of 5", fixed = TRUE)
  expect_match(page(), "http-equiv=\"refresh\"", fixed = TRUE)
  expect_no_match(page(), "validation")
  now <- 0.5
  v$update(list(loss = c(0.5, 0.4)))
  expect_match(page(), "Epoch 1 of 5", fixed = TRUE)
  now <- 1.5
  v$update(list(loss = c(0.5, 0.4, 0.3), val_loss = c(0.6, 0.5, 0.45)))
  expect_match(page(), "Epoch 3 of 5", fixed = TRUE)
  expect_match(page(), "training 0.3000, validation 0.4500", fixed = TRUE)
  v$done(list(loss = c(0.5, 0.4, 0.3, NaN), "a<b" = 1))
  expect_no_match(page(), "refresh")
  expect_match(page(), "a&lt;b", fixed = TRUE)
  expect_length(opened, 1)
})

test_that("curves pass through their points: top left to bottom right", {
  page <- metrics_page(new_history(list(epochs = 3), list(loss = c(3, 2, 1))), TRUE)
  points <- sub(".*points=\"([^\"]*)\".*", "\\1", paste(strsplit(page, "\n")[[1]], collapse = ""))
  xy <- matrix(as.numeric(strsplit(points, "[ ,]")[[1]]), 2)
  expect_equal(xy[1, ], c(60, 261, 462))
  expect_equal(diff(xy[2, ]), rep((165 - 22) / 2 / 1.1, 2), tolerance = 1e-3)
  # nothing to draw is no error
  expect_match(metrics_page(new_history(list(epochs = 3), list(loss = NaN)), TRUE), "<svg", fixed = TRUE)
  expect_match(metrics_page(new_history(list(epochs = 3), list()), FALSE), "Epoch 0 of 3", fixed = TRUE)
})

test_that("only RStudio gets the page by itself", {
  expect_true(resolve_view_metrics(TRUE))
  expect_false(resolve_view_metrics(FALSE))
  expect_false(resolve_view_metrics("auto", epochs = 1))
  fit <- function(view_metrics) resolve_view_metrics(view_metrics)
  expect_error(fit("no"), "`fit()`: `view_metrics` must be TRUE or FALSE", fixed = TRUE)
})
