# Checks of students' files: right ones pass, whatever they look like; wrong ones are explained; hostile ones leave the
# session alone.

folder <- tempfile("labs")
dir.create(folder)

student_file <- function(code, ext = ".R") {
  file <- tempfile("student-", folder, ext)
  writeLines(code, file)
  file
}
# Where a test is not about the time, there is plenty of it.
checked <- function(code, lab = "backpropagation", ext = ".R", timeout = 600) {
  capture.output(result <- check_lab(student_file(code, ext), lab, timeout))
  result
}
# The same checks for files that do nothing to their process, one after the other in one: quicker than one for each.
others <- if (requireNamespace("callr", quietly = TRUE)) callr::r_session$new()
judged <- function(code, lab = "backpropagation") {
  if (is.null(others)) return(checked(code, lab))
  notes <- tempfile("notes-", folder)
  dir.create(notes)
  checks <- file.path(nativenet:::lab_folder(), "checks", paste0(lab, ".R"))
  others$run(function(...) {
    rm(list = ls(globalenv(), all.names = TRUE), envir = globalenv())
    if ("package:nativenet" %in% search()) detach("package:nativenet")
    asNamespace("nativenet")$run_lab(...)
  }, list(student_file(code), checks, notes))
  nativenet:::lab_result(notes, nativenet:::check_titles(checks), "the process ended")
}
solution_of <- function(lab) readLines(nativenet:::lab_path(lab))
# The solution with one line (or a few) changed; each must be there once.
changed <- function(..., code = solution_of("backpropagation")) {
  changes <- list(...)
  for (old in names(changes)) {
    at <- grep(old, code, fixed = TRUE)
    stopifnot(length(at) == 1)
    code[at] <- sub(old, changes[[old]], code[at], fixed = TRUE)
  }
  code
}
# Without the training at the end, where a test does not look at that: quicker.
parts <- function(code = solution_of("backpropagation")) code[seq_len(grep("^set.seed", code) - 1)]
failing <- function(result) result$check[!result$ok %in% TRUE]
message_of <- function(result, check) result$message[grep(check, result$check, fixed = TRUE)]

test_that("every solution passes all its checks, of which each lab has many", {
  for (lab in nativenet:::lab_names()) {
    expect_identical(nativenet:::lab_of(student_file(solution_of(lab))), lab)
    result <- judged(solution_of(lab), lab)
    expect_identical(result$message[!result$ok %in% TRUE], character(), info = lab)
    expect_gte(nrow(result), 10)
    expect_identical(result$check, c("the file runs",
      nativenet:::check_titles(file.path(nativenet:::lab_folder(), "checks", paste0(lab, ".R")))))
  }
})

test_that("a file with open TODOs gives a list of what is to be done", {
  for (lab in c("backpropagation", "tensors")) {
    capture.output(file <- use_lab(lab, path = folder, open = FALSE))
    result <- judged(readLines(file), lab)
    expect_false(any(result$ok[-1]))
    expect_gt(mean(grepl("TODO|not there yet|still open|Waits for", result$message[-1])), 0.6)
    expect_lte(sum(grepl("forward pass.*is still open", result$message)), 1)
    expect_no_match(result$message, "non-conformable")
  }
  output <- capture.output(result <- check_lab(file))
  expect_match(output, "is its TODO", all = FALSE)
  expect_match(output[length(output)], "^[01] of 1[0-9] hold")
  expect_s3_class(result, c("nn_lab_check", "data.frame"), exact = TRUE)
  expect_named(result, c("check", "ok", "message"))
})

test_that("mistakes are told apart and explained, each where it is", {
  result <- judged(changed(code = parts(), "s * (1 - s)" = "x * (1 - x)", "-sum(right + wrong)" = "sum(right + wrong)",
    "z <- sweep(result %*% weights[[l]], 2, biases[[l]], \"+\")" = "z <- result %*% weights[[l]]",
    "x - learning_rate * gradient" = "x + learning_rate * gradient", "1 - tanh(x)^2" = "x"))
  wrong <- c("binary_crossentropy()$forward() is the loss", "sigmoid()$backward() is the slope of forward()",
    "htan()$backward() is the slope of forward()", "gradient_descent_optimizer()$step() goes down",
    "predict() takes all rows through all layers")
  expect_true(all(wrong %in% failing(result)))
  expect_true(all(result$ok[grep("relu|sigmoid()$forward|htan()$forward|train_on_batch", result$check)]))
  expect_match(message_of(result, "crossentropy()$forward"), "Yours has the opposite sign")
  expect_match(message_of(result, "sigmoid()$backward"),
    "must be the derivative at x, the pre-activation. Yours takes x for the output", fixed = TRUE)
  expect_match(message_of(result, "htan()$backward"), "at x = -2 yours is -2, and finite differences say 0.07065",
    fixed = TRUE)
  expect_match(message_of(result, "step()"), "Yours goes uphill")
  expect_match(message_of(result, "predict() takes"), "leaves out the biases")
})

test_that("mistakes of the backward pass are told apart", {
  result <- judged(changed(code = parts(), "$backward(pre_activations[[l]])" = "$backward(outputs[[l + 1]])"))
  expect_match(message_of(result, "moves the weights"), "take backward() at the outputs of layers", fixed = TRUE)
  expect_match(message_of(result, "moves the biases"), "take backward() at the outputs of layers", fixed = TRUE)
  result <- judged(changed(code = parts(),
    "weights = crossprod(outputs[[l]], delta)" = "weights = outputs[[l]][1, ] %o% delta[1, ]",
    "biases[[l]] <<- optimizer" = "biases[[l]] <- optimizer"))
  expect_match(message_of(result, "moves the weights"), "of sample 1 alone: the sum over all rows")
  expect_match(message_of(result, "moves the biases"),
    "does not change `biases[[3]]`. In a method, fields are changed with `<<-`", fixed = TRUE)
  # a step before the gradient goes on to the layer below
  result <- judged(changed(code = parts(), "weights[[l]] <<- optimizer$step" = "optimizer$step",
    "towards <- tcrossprod" =
      "weights[[l]] <<- optimizer$step(weights[[l]], gradients[[l]]$weights); towards <- tcrossprod"))
  expect_match(message_of(result, "moves the weights"), "The last layer is right, those before it are not")
  expect_match(message_of(result, "moves the biases"), "The last layer is right, those before it are not")
  result <- judged(changed(code = parts(), "colSums(delta)" = "colMeans(delta)",
    "weights = crossprod(outputs[[l]], delta)" =
      "weights = outer(seq_len(ncol(outputs[[l]])), seq_len(ncol(delta)))"))
  expect_match(message_of(result, "moves the weights"), "at [row, column] = [2, 1] yours is 2", fixed = TRUE)
  expect_match(message_of(result, "moves the biases"), "in the gradient of the loss already")
})

test_that("only what is wrong is faulted, and hints are told where they fit", {
  result <- judged(changed(code = parts(), "-sum(right + wrong) / nrow(y_true)" = "-sum(right + wrong)",
    "s * (1 - s)" = "f <- forward(s); f * (1 - f)", "1 - tanh(x)^2" = "1 - tanh(x)",
    "x * (x > 0)" = "if (x > 0) x else 0", "colSums(delta)" = "delta"))
  expect_match(message_of(result, "crossentropy()$forward"), "the sum over the rows, not their mean")
  expect_true(result$ok[grep("crossentropy()$backward", result$check, fixed = TRUE)])
  expect_match(message_of(result, "sigmoid()$backward"), "taken at the output")
  expect_match(message_of(result, "htan()$backward"), "Is a square missing?", fixed = TRUE)
  expect_match(message_of(result, "relu()$forward"), "x is a matrix: work on all its numbers")
  expect_match(message_of(result, "moves the biases"),
    "`biases[[1]]` has become 15 numbers, 3 for each row of the batch: sum over the rows", fixed = TRUE)
  expect_no_match(result$message, "TODO")
  result <- judged(changed("slope / nrow(y_true)" = "slope",
    "-sum(right + wrong) / nrow(y_true)" = "-sum(right + wrong)", "plot(losses" = "losses <- rev(losses) #"))
  expect_match(message_of(result, "`losses`"), "The loss must fall")
  expect_match(message_of(result, "crossentropy()$backward"), "fits your forward(), which is not the loss yet",
    fixed = TRUE)
  result <- judged(changed("slope / nrow(y_true)" = "slope", "1 - tanh(x)^2" = "0.9369 * (1 - tanh(x)^2)",
    "plot(losses" = "losses <- losses[400] #"))
  expect_match(message_of(result, "`losses`"), "a number for each step, but yours has the length 1.", fixed = TRUE)
  expect_match(message_of(result, "crossentropy()$backward"), "All of yours are 2 times as large")
  expect_no_match(message_of(result, "htan()$backward"), "times as large")
})

test_that("a network of the package's class, frozen weights, and losses that are none do not pass", {
  result <- judged(c(changed("weights[[l]] <<- optimizer$step(weights[[l]], gradients[[l]]$weights)" = "",
    "network <- build_network" = "network <- build_dense_neural_network"), "# TODO more"))
  expect_true(all(c("your network learns XOR with your parts", "`network` of your file has learned XOR") %in%
    failing(result)))
  expect_match(message_of(result, "has learned XOR"), "make it with your `build_network()`", fixed = TRUE)
  expect_match(message_of(result, "moves the weights"),
    "does not change `weights[[3]]`. If your TODO is done: in a method", fixed = TRUE)
  result <- judged(changed("losses <- vapply" = "losses <- numeric(900); losses[1:400] <- vapply",
    "plot(losses" = "NULL #"))
  expect_identical(failing(result), "`losses` has the loss of each step")
  expect_match(message_of(result, "`losses`"), "ends with 0, but the loss of `network` is")
})

test_that("what is right in another way passes: gradients summed over samples, no constants, R Markdown", {
  code <- changed("weights = crossprod(outputs[[l]], delta), biases = colSums(delta)" =
      "weights = nrow(delta) * t(outputs[[l]]) %*% delta, biases = nrow(delta) * apply(delta, 2, sum)",
    "1 * (x > 0)" = "ifelse(x >= 0, 1, 0)", "s * (1 - s)" = "exp(-x) / (1 + exp(-x))^2",
    "right <- y_true * log(y_pred + tiny)" = "right <- y_true * log(y_pred)",
    "learning_rate = 1)" = "learning_rate = 0.25)")
  rmd <- c("---", "lab: backpropagation", "---", "Prose that is no R: x <- <- y", "```{r, eval = FALSE}",
    "stop(\"not run\")", "```", "```{r all}", code, "```", "end")
  result <- checked(rmd, NULL, ".Rmd")
  expect_identical(result$message[!result$ok %in% TRUE], character())
})

test_that("errors are reported with their lines, and what comes after them is run all the same", {
  result <- judged(c("x <- 1", "f <- function() stop(\"no way\")", "", "f(", ")", solution_of("backpropagation"),
    "stop(\"the end\")"))
  expect_identical(failing(result), "the file runs")
  expect_match(result$message[1], "in lines 4 to 5: no way (in `f()`) (and 1 more after that)", fixed = TRUE)
  result <- judged(c("x <- 1", "y <- <- 2"))
  expect_identical(result$message[1], "It cannot be read as R code: line 2: unexpected assignment in `y <- <- 2`")
  unread <- function(...) tryCatch(parse(text = c(...), keep.source = TRUE), error = function(e)
    nativenet:::unread_line(e, c(...)))
  expect_identical(unread("x <- 1", "f(", "  x))", "y"), "line 3: unexpected ')' in `x))`")
  expect_identical(unread("f(", "x"), "line 3: unexpected end of input: is a bracket or a quote not closed?")
  expect_true(all(is.na(result$ok[-1])))
})

# A letter, "Z" for a process that is dead and not yet buried; nothing if there is none. A minimal system has no `ps`.
process_state <- function(pid) {
  if (!file.exists("/proc/self/stat")) return(system2("ps", c("-o", "stat=", "-p", pid), stdout = TRUE))
  tryCatch(sub("^.*\\) (.).*$", "\\1", readLines(sprintf("/proc/%s/stat", pid))), error = function(e) character())
}

test_that("a file that loops is stopped, with all that it has started, and the place is told", {
  skip_on_os("windows")
  mark <- tempfile("mark", folder)
  code <- c(sprintf("system(\"sleep 900 & echo $! > %s\")", mark), "repeat try(repeat 1)")
  # as much time as this machine takes to get to line 2
  for (timeout in 2^(1:8)) {
    started <- proc.time()
    result <- checked(code, timeout = timeout)
    taken <- proc.time() - started
    if (file.exists(mark)) break
  }
  expect_lt(sum(taken[c("user.child", "sys.child")]), timeout + 1)
  expect_lt(taken[["elapsed"]], 600) # which is not the end of `sleep`
  expect_identical(result$message[1], sprintf("stopped after %g seconds in line 2", timeout))
  expect_identical(unique(result$message[-1]), "not reached")
  running <- function() { # that is: not gone, nor dead and not yet buried
    state <- suppressWarnings(process_state(readLines(mark)))
    length(state) && !startsWith(state, "Z")
  }
  expect_true(happens(function() !running()))
})

test_that("the signal tells that the time was over, whatever the system says was taken", {
  skip_on_os("windows")
  own <- tempfile("late", folder)
  dir.create(own)
  expect_true(nativenet:::run_apart("repeat 1", own, 1))
  expect_true(file.exists(file.path(own, "late")))
  unlink(file.path(own, "late"))
  expect_false(nativenet:::run_apart("quit(status = 3)", own, 60))
  expect_false(file.exists(file.path(own, "late")))
})

test_that("a file that waits is stopped, too, by the clock", {
  skip_on_os("windows")
  expect_true(nativenet:::run_apart("Sys.sleep(900)", folder, 600, longest = 1))
})

test_that("quit() in the file, or in a method that a check calls, is told, and the session goes on", {
  result <- checked(c("x <- 1", "quit(status = 3)", "y <- 2"))
  expect_match(result$message[1], "the process ended: `quit()`, or R crashed, in line 2", fixed = TRUE)
  result <- checked(changed("s * (1 - s)" = "q()", "network <- build_network" = "network <- list",
    "losses <- vapply" = "losses <- NULL #", "round(network$predict(x), 3)" = "", "plot(losses" = "NULL #(losses",
    "network$weights" = ""))
  at <- grep("sigmoid()$backward", result$check, fixed = TRUE)
  expect_true(all(result$ok[seq_len(at - 1)]))
  expect_match(result$message[at], "the process ended: `quit()`, or R crashed, in this check", fixed = TRUE)
  expect_true(all(is.na(result$ok[-seq_len(at)])))
})

test_that("what a file does to its own session neither reaches the checks nor ours", {
  old <- list(getwd(), options(), search(), ls(globalenv()))
  set.seed(3)
  seed <- .Random.seed
  code <- solution_of("backpropagation")
  hostile <- c("T <- FALSE; c <- function(...) stop('c'); stop <- function(...) NULL; list <- 1; TRUE",
    "setwd(tempdir()); options(error = quote(q()), warn = 2, digits = 3)",
    paste0("sink(tempfile()); set.seed(9); graphics.off(); plot(1); for (i in 1:200) cat(strrep('x', 1e5)); ",
      "message(strrep('y', 1e6))"), "detach('package:nativenet')", "rm(x, y, network)", "closeAllConnections()")
  code <- checked(base::c(code, hostile))
  expect_identical(failing(code), "`network` of your file has learned XOR")
  expect_identical(.Random.seed, seed)
  expect_identical(list(getwd(), options(), search(), ls(globalenv())), old)
  expect_false(file.exists(file.path(folder, "Rplots.pdf")))
})

test_that("arguments are checked, and the lab is found by the head or the name of the file", {
  expect_error(check_lab(file.path(folder, "none.R")), "`file` does not exist", class = "nativenet_error_file")
  file <- file.path(folder, "own.R")
  writeLines("x <- 1", file)
  expect_error(check_lab(file), "give `lab`", class = "nativenet_error_value")
  expect_error(check_lab(file, "tensor"), "did you mean `tensors`", class = "nativenet_error_value")
  expect_error(check_lab(file, "tensors", timeout = 0), "timeout", class = "nativenet_error_value")
  file <- file.path(folder, "sentiment-anna.R")
  writeLines("x <- 1", file)
  expect_identical(nativenet:::lab_of(file), "sentiment")
  writeLines(c("# Lab tensors: mine", "x <- 1"), file)
  expect_identical(nativenet:::lab_of(file), "tensors")
})

test_that("results print their failures, once", {
  result <- structure(data.frame(check = c("one holds", "two holds", "three holds"), ok = c(TRUE, FALSE, NA),
    message = c("", "because {of} this", "not reached")),
    class = c("nn_lab_check", "data.frame"), file = "f.R", lab = "tensors")
  output <- capture.output(expect_invisible(print(result)))
  expect_match(output[1], "f.R, lab tensors")
  expect_length(output, 6)
  expect_match(output[4], "    because {of} this", fixed = TRUE)
  expect_identical(output[6], "1 of 3 hold.")
})

if (!is.null(others)) others$close()
