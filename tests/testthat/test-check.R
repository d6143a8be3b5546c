# The helpers that word all errors.

helper <- function(name) get(name, asNamespace("nativenet"))
caught <- function(expr) tryCatch(expr, error = identity)

test_that("abort() makes a classed condition without a call, prefixed by the user's function", {
  error <- caught(helper("abort")("it is ", 3, class = "shape", fun = "fit"))
  expect_s3_class(error, c("nativenet_error_shape", "nativenet_error", "error", "condition"), exact = TRUE)
  expect_identical(conditionMessage(error), "`fit()`: it is 3")
  expect_null(conditionCall(error))
  expect_identical(conditionMessage(caught(helper("abort")("plain", fun = NULL))), "plain")
  expect_s3_class(caught(helper("abort")("plain", fun = NULL)), "nativenet_error_value")
})

test_that("the prefix is the function that called the check", {
  check_count <- helper("check_count")
  mine <- function(epochs) check_count(epochs)
  expect_error(mine(0), "`mine()`: `epochs` must be a positive whole number, not 0", fixed = TRUE)
  holder <- list(fit = function(epochs) check_count(epochs))
  expect_error(holder$fit(0), "`fit()`: `epochs`", fixed = TRUE)
  several <- function(sizes) lapply(sizes, function(size) check_count(size))
  expect_error(several(1:0), "`several()`: `size` must be", fixed = TRUE)
  expect_error(tensor_slices_dataset(as.Date("2026-01-01")), "`tensor_slices_dataset()`: `tensors`", fixed = TRUE)
  expect_error((function(n) check_count(n))(0), "`n` must be a positive whole number", fixed = TRUE)
  expect_error(do.call(mine, list(0)), "`epochs` must be a positive whole number", fixed = TRUE)
})

test_that("numbers: what passes comes back as double, what does not is told with the range", {
  check <- helper("check_number")
  expect_identical(check(2L), 2)
  expect_identical(check(0.5, above = 0, below = 1), 0.5)
  refused <- function(x, words, ...) expect_error(check(x, ..., arg = "rate", fun = "f"),
    paste0("`f()`: `rate` must be ", words), fixed = TRUE, class = "nativenet_error_value")
  refused("a", "a finite number, not \"a\"")
  refused(NULL, "a finite number, not NULL")
  refused(c(1, 2), "a finite number, not a double vector of length 2")
  refused(Inf, "a finite number, not Inf")
  refused(-1, "a number at least 0, not -1", min = 0)
  refused(2, "a number at least 0 and at most 1, not 2", min = 0, max = 1)
  refused(0, "a number above 0, not 0", above = 0)
  refused(1, "a number at least 0 and below 1, not 1", min = 0, below = 1)
  refused(TRUE, "a finite number, not TRUE")
})

test_that("counts: whole doubles pass and come back as integers", {
  check <- helper("check_count")
  expect_identical(check(10), 10L)
  expect_identical(check(0, min = 0), 0L)
  refused <- function(x, words, ...) expect_error(check(x, ..., arg = "n", fun = "f"),
    paste0("`f()`: `n` must be ", words), fixed = TRUE, class = "nativenet_error_value")
  refused(1.5, "a positive whole number, not 1.5")
  refused(3e9, "a positive whole number, not 3e+09")
  refused(-1, "a whole number, zero or more, not -1", min = 0)
  refused(1, "a whole number of at least 2, not 1", min = 2)
  refused(9, "a positive whole number and at most 8, not 9", max = 8)
  refused(NA, "a positive whole number, not NA")
})

test_that("flags, strings, functions and choices", {
  expect_true(helper("check_flag")(TRUE))
  expect_error(helper("check_flag")(1, "verbose", "fit"), "`fit()`: `verbose` must be TRUE or FALSE, not 1",
    fixed = TRUE)
  expect_error(helper("check_flag")(NA, "verbose", "fit"), "not NA", fixed = TRUE)
  expect_identical(helper("check_string")("a"), "a")
  expect_error(helper("check_string")(c("a", "b"), "path", "f"),
    "`path` must be a single string, not a character vector of length 2", fixed = TRUE)
  expect_identical(helper("check_function")(sum), sum)
  expect_error(helper("check_function")("sum", "on_epoch", "fit"), "`on_epoch` must be a function, not \"sum\"",
    fixed = TRUE)
  expect_identical(helper("check_choice")("b", c("a", "b")), "b")
  expect_error(helper("check_choice")("c", c("a", "b"), "dtype", "f"),
    "`f()`: `dtype` must be one of \"a\", \"b\", not \"c\"", fixed = TRUE)
  expect_error(helper("check_choice")(NULL, c("a", "b"), "dtype", "f"), "not NULL", fixed = TRUE)
  expect_null(helper("check_no_more")(list()))
  expect_error(helper("check_no_more")(list(a = 1, "b"), "f"), "`f()`: unused argument `a`, \"b\"", fixed = TRUE)
})

test_that("bad values are described in a few words", {
  describe <- helper("describe")
  cases <- list(
    list(NULL, "NULL"), list(sum, "a function"), list(initializer_ones(), "an initializer"), list(1.5, "1.5"),
    list("a\n", "\"a\\n\""), list(NA, "NA"), list(c(1, 2, 3), "a double vector of length 3"),
    list(character(), "a character vector of length 0"), list(list(1, 2), "a list of length 2"),
    list(matrix(0, 2, 3), "a matrix of shape (2, 3)"), list(data.frame(a = 1:2), "a data.frame of shape (2, 1)"),
    list(structure(list(), class = "thing"), "an object of class <thing>"), list(relu(), "an object of class <relu>"),
    list(globalenv(), "an object of class <environment>")
  )
  for (case in cases) expect_identical(describe(case[[1]]), case[[2]])
  expect_match(describe(1:3), "^an? integer vector of length 3$")
  expect_match(describe(array(0, c(1, 2, 3))), "^an? array of shape \\(1, 2, 3\\)$")
  expect_identical(helper("format_shape")(c(32, 784)), "(32, 784)")
  expect_identical(helper("format_shape")(integer()), "()")
})

test_that("every exported function and method names itself in its errors", {
  expect_error(to_categorical("a"), "`to_categorical()`: ", fixed = TRUE)
  expect_error(nn_threads("a"), "`nn_threads()`: ", fixed = TRUE)
  expect_error(plot_images("a"), "`plot_images()`: ", fixed = TRUE)
  expect_error(check_gradient("a"), "`check_gradient()`: ", fixed = TRUE)
  expect_error(build_dense_neural_network(2, 3), "`build_dense_neural_network()`: ", fixed = TRUE)
  expect_error(gradient_descent_optimizer(learning_rate = -1)$step(1, 1),
    "`gradient_descent_optimizer()`: `learning_rate`", fixed = TRUE)
})

test_that(
  paste0("odd arguments are refused in our words or make sense: one for each function, of those that ",
    "tools/odd-arguments.R tries"), {
  skip_if(Sys.getenv("NATIVENET_SLOW") == "0", "a thousand errors take too long here")
  folder <- tempfile("odd")
  dir.create(folder)
  before <- setwd(folder)
  grDevices::pdf(NULL)
  sink(nullfile())
  on.exit({
    sink()
    grDevices::dev.off()
    setwd(before)
  })
  cases <- odd_cases(odd_bases())
  set.seed(2026)
  chosen <- vapply(split(seq_len(nrow(cases$grid)), cases$grid$i), function(rows) rows[sample.int(length(rows), 1)], 0L)
  outcomes <- vapply(chosen, function(k) suppressMessages(odd_try(cases, k)), "")
  wrong <- which(!odd_is_right(outcomes))
  expect_identical(paste(vapply(chosen[wrong], odd_label, "", cases = cases, between = " "), outcomes[wrong],
    recycle0 = TRUE), character())
  expect_gt(length(chosen), 600)
})
