# A clock that goes on by what is asked, and a terminal of one line: what can be seen after each "\r".
progress_of <- function(..., dynamic = FALSE) {
  now <- 0
  p <- new_progress(..., clock = function() now, dynamic = dynamic)
  p$wait <- function(seconds) now <<- now + seconds
  p
}
output <- function(expr) paste(capture.output(expr), collapse = "\n")
terminal <- function(text) {
  vapply(strsplit(text, "\n", fixed = TRUE)[[1]], function(line) {
    screen <- ""
    for (part in strsplit(line, "\r", fixed = TRUE)[[1]]) screen <- paste0(part, substring(screen, nchar(part) + 1))
    sub(" +$", "", screen)
  }, "", USE.NAMES = FALSE)
}
epoch <- function(p, i, logs, seconds = 3, ...) {
  p$epoch_begin(i)
  for (part in 1:10) {
    p$wait(seconds / 10)
    p$update(part / 10, logs[1], ...)
  }
  p$epoch_end(logs)
}

test_that("a bar per epoch in the form of Keras; where lines cannot be overwritten, its last state only", {
  p <- progress_of(1, epochs = 5, steps = 1875)
  out <- output({
    epoch(p, 1, list(loss = 0.3274, val_loss = 0.2902))
    epoch(p, 2, list(loss = 0.00012345, lr = 1e-3))
    p$done()
  })
  expect_identical(strsplit(out, "\n")[[1]], c(
    "Epoch 1/5", "1875/1875 [==============================] - 3s 2ms/step - loss: 0.3274 - val_loss: 0.2902",
    "Epoch 2/5", "1875/1875 [==============================] - 3s 2ms/step - loss: 1.2345e-04 - lr: 1.0000e-03"
  ))
})

test_that("2 writes one line per epoch, 0 nothing, evaluation has no header", {
  p <- progress_of(2, epochs = 2, steps = 10)
  expect_identical(output(for (i in 1:2) epoch(p, i, c(loss = 0.5, accuracy = 1), 20)),
    paste0("Epoch 1/2 - 20s 2s/step - loss: 0.5000 - accuracy: 1.0000\nEpoch 2/2 - 20s 2s/step - loss: 0.5000 - ",
      "accuracy: 1.0000"))
  expect_identical(output(epoch(progress_of(0, 2, 10), 1, c(loss = 1))), "")
  expect_identical(output(epoch(progress_of(1, steps = 10), 1, c(loss = 1), 0.001)),
    "10/10 [==============================] - 0s 100us/step - loss: 1.0000")
  expect_identical(output(epoch(progress_of(2, steps = 10), 1, c(loss = 1), 1)), "10/10 - 1s 100ms/step - loss: 1.0000")
})

test_that("in a terminal the line is overwritten, stays within it, and leaves nothing behind", {
  for (width in c(25, 40, 60, 80, 200)) {
    local({
      old <- options(cli.width = width)
      on.exit(options(old))
      p <- progress_of(1, epochs = 2, steps = 1875, dynamic = TRUE)
      logs <- list(loss = 0.3274, accuracy = 0.9, val_loss = 0.2902, val_accuracy = 0.88)
      text <- output(epoch(p, 1, logs, 300))
      pieces <- strsplit(text, "[\r\n]")[[1]]
      expect_lt(max(nchar(pieces)), width)
      seen <- paste(trimws(terminal(text)), collapse = " ")
      for (name in names(logs)) expect_match(seen, sprintf("- %s: %.4f", name, logs[[name]]), fixed = TRUE)
      expect_match(seen, "300s 160ms/step", fixed = TRUE)
      expect_no_match(seen, "ETA")
    })
  }
})

test_that("the time left is foretold, as far as lines allow", {
  p <- progress_of(1, epochs = 1, steps = 100, dynamic = TRUE)
  old <- options(cli.width = 80)
  on.exit(options(old))
  text <- output({
    p$epoch_begin(1)
    p$wait(10)
    p$update(0.25, c(loss = 1))
    p$wait(0.05)
    p$update(0.3, c(loss = 2)) # too soon after the last
  })
  expect_identical(text, "Epoch 1/1\n\r 25/100 [======>.......................] - ETA: 30s - loss: 1.0000")
  expect_identical(output(p$done()), "")
  expect_identical(format_eta(61), "1:01")
  expect_identical(format_eta(3725), "1:02:05")
  expect_identical(format_eta(60), "60s")
  expect_identical(format_eta(NA), "?")
})

test_that("an unknown number of steps is said, and known from the second epoch on", {
  p <- progress_of(1, epochs = 2, dynamic = TRUE)
  text <- output({
    p$epoch_begin(1)
    p$wait(2)
    p$update(NA, c(loss = 1), step = 7)
    p$epoch_end(c(loss = 1), step = 8)
    p$epoch_begin(2)
    p$wait(1)
    p$update(0.5, c(loss = 1))
  })
  expect_match(text, "      7/Unknown - 2s 286ms/step - loss: 1.0000", fixed = TRUE)
  expect_match(text, "8/8 [====", fixed = TRUE)
  expect_match(text, "4/8 [====", fixed = TRUE)
})

test_that("an interrupt leaves the cursor at the start of a line", {
  p <- progress_of(1, epochs = 2, steps = 4, dynamic = TRUE)
  expect_match(output({
    p$epoch_begin(1)
    p$wait(1)
    p$update(0.5, c(loss = 1))
    p$done()
    cat("next")
  }), "loss: 1.0000\nnext", fixed = TRUE)
})

test_that("validation is part of an epoch's time, but not of a step's", {
  p <- progress_of(1, epochs = 1, steps = 10)
  text <- output({
    p$epoch_begin(1)
    p$wait(1)
    p$update(1, c(loss = 1))
    p$wait(4)
    p$epoch_end(c(loss = 1))
  })
  expect_match(text, "- 5s 100ms/step -", fixed = TRUE)
})

test_that("numbers have four decimals, small ones an exponent", {
  expect_identical(format_metric(c(0.00101, 0.001, 0, -2, NaN, Inf, 123456)),
    c("0.0010", "1.0000e-03", "0.0000e+00", "-2.0000", "NaN", "Inf", "123456.0000"))
  expect_identical(bar(0, 10), "..........")
  expect_identical(bar(1, 10), "==========")
  expect_identical(bar(0.5, 10), "====>.....")
})

test_that("verbose is 0, 1, 2 or auto, which is quiet where nobody watches", {
  expect_identical(resolve_verbose(1), 1L)
  expect_identical(resolve_verbose(TRUE), 1L)
  expect_identical(resolve_verbose(FALSE), 0L)
  expect_identical(resolve_verbose(2), 2L)
  old <- options(keras.fit_verbose = 2)
  on.exit(options(old))
  expect_identical(resolve_verbose(), 2L)
  options(knitr.in.progress = TRUE, keras.fit_verbose = NULL)
  knitting <- resolve_verbose()
  options(knitr.in.progress = NULL) # before testthat sees it and asks knitr, which may not be installed
  expect_identical(knitting, 0L)
  expect_identical(resolve_verbose("auto"), if (interactive()) 1L else 0L)
  fit <- function(verbose) resolve_verbose(verbose)
  for (bad in list(3, "yes", NA, 1:2, NULL))
    expect_error(fit(bad), "`fit()`: `verbose` must be 0, 1, 2 or \"auto\", not", fixed = TRUE)
})
