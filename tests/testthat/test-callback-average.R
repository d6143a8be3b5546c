# Averaged weights in evaluation, and events for a server.

test_that("a model is evaluated with the averages and trained without them", {
  x <- matrix(1:8 / 8)
  run <- function(...) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
    model |> compile(optimizer_sgd(0.1, use_ema = TRUE, ema_momentum = 0.6), "mse")
    seen <- list()
    watch <- callback_lambda(on_epoch_end = function(epoch, logs) seen[[epoch + 1]] <<- get_weights(model))
    history <- fit(model, x, 2 * x, epochs = 3, shuffle = FALSE, verbose = 0, validation_data = list(x, 2 * x),
      callbacks = list(..., watch))
    list(history = history$metrics, seen = lapply(seen, unlist), last = unlist(get_weights(model)),
      score = evaluate(model, x, 2 * x, verbose = 0)[[1]])
  }
  plain <- run()
  swapped <- run(callback_swap_ema_weights())
  kept <- run(callback_swap_ema_weights(swap_on_epoch = TRUE))
  expect_identical(swapped$seen, plain$seen)
  expect_identical(swapped$history$loss, plain$history$loss)
  expect_identical(kept$history, swapped$history)
  # the averages by hand, which begin with the first weights' own average
  loss <- function(w) mean((2 * x - (w[1] * x + w[2]))^2)
  expect_equal(vapply(kept$seen, loss, 0), swapped$history$val_loss, tolerance = 1e-5)
  for (k in 2:3) expect_equal(kept$seen[[k]], 0.6 * kept$seen[[k - 1]] + 0.4 * plain$seen[[k]], tolerance = 1e-6)
  for (end in list(swapped, kept)) {
    expect_identical(end$last, plain$last)
    expect_identical(end$last, kept$seen[[3]])
    expect_equal(end$score, swapped$history$val_loss[3], tolerance = 1e-6)
  }
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1) |> compile("sgd", "mse")
  expect_error(fit(model, x, x, epochs = 1, verbose = 0, callbacks = callback_swap_ema_weights()), "use_ema")
})

test_that("a server gets the metrics of each epoch as JSON; one that is not there is a warning", {
  skip_on_cran()
  skip_if(.Platform$OS.type == "windows" || getRversion() < "4.0")
  where <- http_address("http://localhost:8080/base/")
  expect_identical(where[c("host", "port", "path")], list(host = "localhost", port = 8080, path = "/base"))
  expect_identical(http_address("http://[::1]")$host, "::1")
  for (bad in c("localhost", "ftp://a", "http://a:99999", "http://a b")) expect_error(callback_remote_monitor(bad),
    "`root`")
  expect_error(callback_remote_monitor("https://localhost"), "TLS", class = "nativenet_error_missing")
  expect_error(callback_remote_monitor(headers = list(a = "b\r\nc: d")), "`headers`")
  x <- matrix(1:4 / 4)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1) |> compile("sgd", "mse")
  expect_warning(fit(model, x, x, epochs = 1, verbose = 0, callbacks = callback_remote_monitor("http://localhost:1")),
    class = "nativenet_warning_remote")
  # a server of one request, in another process
  port <- 20000 + Sys.getpid() %% 20000
  got <- tempfile()
  code <- sprintf(paste0("s <- socketConnection(port = %d, server = TRUE, blocking = TRUE, open = 'r+b',",
    "timeout = 20);",
    "text <- ''; while (!grepl('loss', text)) text <- paste0(text, rawToChar(readBin(s, 'raw', 1)));",
    "while (length(b <- readBin(s, 'raw', 1)) && rawToChar(b) != '}') text <- paste0(text, rawToChar(b));",
    "writeBin(charToRaw('HTTP/1.1 200 OK\\r\\n\\r\\n'), s); close(s); writeLines(text, '%s')"), port, got)
  system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(code)), wait = FALSE, stdout = FALSE, stderr = FALSE)
  Sys.sleep(2)
  expect_no_warning(fit(model, x, x, epochs = 1, verbose = 0, callbacks = callback_remote_monitor(
    sprintf("http://localhost:%d", port), send_as_json = TRUE, headers = list(Accept = "application/json"))))
  for (i in 1:50) if (!file.exists(got)) Sys.sleep(0.1)
  text <- paste(readLines(got), collapse = "\n")
  expect_match(text, "^POST /publish/epoch/end/ HTTP/1.1")
  expect_match(text, "Content-Type: application/json")
  expect_match(text, "\"epoch\": ?0")
})
