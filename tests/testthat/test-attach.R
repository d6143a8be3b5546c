# Small packages of the same names play the others, so that none of the real ones is needed.

x <- matrix(c(1, 2, 3, 4, 4, 3, 2, 1), 4)
y <- c(1, 0, 1, 0)
model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
compile(model, "sgd", "mse")

test_that("generics::evaluate(), whose first argument is called x, evaluates models however data are given", {
  scores <- evaluate(model, x, y)
  data <- dataset_batch(tensor_slices_dataset(list(x, matrix(y))), 4)
  for (again in list(
    generics::evaluate(model, x, y), generics::evaluate(model, x = x, y = y),
    generics::evaluate(model, y = y, x = as.data.frame(x)), generics::evaluate(object = model, x, y),
    generics::evaluate(x = tensor(x), object = model, y = y), model |>
    generics::evaluate(x = data), generics::evaluate(model, data), generics::evaluate(model, x = list(x), y = list(y))
  )) expect_identical(again, scores)
  expect_error(generics::evaluate(model, x = x, z = y), "`evaluate()`: unused argument `z`", fixed = TRUE,
    class = "nativenet_error")
  expect_error(generics::evaluate(x, y), "`evaluate()`: `object` must be a model, not a matrix of shape (4, 2)",
    fixed = TRUE)
})

test_that("evaluate() leaves objects of others to the function that it masks", {
  expect_error(evaluate(1), "`object` must be a model, not 1", class = "nativenet_error")
  other <- list(evaluate = function(x, ...) list(x, caller = parent.frame(), ...))
  attach(other, pos = length(search()), warn.conflicts = FALSE)
  on.exit(detach("other"))
  expect_identical(evaluate(quote(a), 2, b = 3), list(quote(a), caller = environment(), 2, b = 3))
})

fakes <- list(
  coro = c("as_iterator <- function(x) UseMethod('as_iterator')",
    "exhausted <- function() as.symbol('.__exhausted__.')"),
  reticulate = c(
    "`%<-%` <- function(x, value) stop('no destructuring')",
    "`%as%` <- function(object, name) {",
    "  attr(object, 'as') <- deparse(substitute(name))",
    "  attr(object, 'as_envir') <- parent.frame()",
    "  object",
    "}",
    "with.python.builtin.object <- function(data, expr, ...) {",
    "  assign(attr(data, 'as'), 'what it gave', envir = attr(data, 'as_envir'))",
    "  expr",
    "}",
    "iterate <- function(it, f = identity) stop('no Python')"
  )
)

install_fakes <- function() {
  lib <- tempfile()
  dir.create(lib)
  for (name in names(fakes)) {
    dir.create(file.path(lib, "source", name, "R"), recursive = TRUE)
    writeLines(c(paste("Package:", name), "Version: 99.0", "Title: T", "Description: D.", "License: MIT", "Author: A",
      "Maintainer: A <a@b.c>"),
      file.path(lib, "source", name, "DESCRIPTION"))
    names <- sub("^`?([^` ]+)`? <-.*", "\\1", grep("^[^ }].* <- function", fakes[[name]], value = TRUE))
    methods <- startsWith(names, "with.")
    writeLines(c(sprintf("export(\"%s\")", names[!methods]), if (any(methods)) "S3method(with, python.builtin.object)"),
      file.path(lib, "source", name, "NAMESPACE"))
    writeLines(fakes[[name]], file.path(lib, "source", name, "R", "code.R"))
  }
  callr::rcmd("INSTALL", c("--no-docs", "--no-byte-compile", "--no-test-load", "--no-staged-install",
    paste0("--library=", lib), file.path(lib, "source", names(fakes))), fail_on_status = TRUE)
  lib
}

test_that("other packages' generics take our objects, and attaching what masks ours says so", {
  skip_if_not_installed("callr")
  got <- callr::r(function() {
    attach_package <- function(name) {
      said <- character()
      withCallingHandlers(suppressPackageStartupMessages(library(name, character.only = TRUE, warn.conflicts = FALSE)),
        message = function(m) said <<- c(said, conditionMessage(m)))
      said
    }
    attach_package("nativenet")
    loaded <- loadedNamespaces()
    got <- list(unasked = intersect(c("coro", "reticulate"), loaded))
    # as torch has it, whose modules have that class
    registerS3method("$", "nn_module", function(x, name) stop("of torch"), envir = baseenv())
    module <- nn_module("m", initialize = function(self) self$by <- 2, call = function(self, x) x * self$by)()
    got$module <- c(module$by, as.array(module(tensor(3))))
    data <- range_dataset(to = 2)

    got$coro_says <- attach_package("coro")
    it <- as_iterator(data)
    got$coro <- list(as.array(it()), is.null(iter_next(it)), identical(it(), getExportedValue("coro", "exhausted")()),
      is.null(iter_next(it, completed = NULL)))
    got$again <- iterate(getExportedValue("coro", "as_iterator")(nativenet::as_iterator(data)), as.array)

    got$reticulate_says <- attach_package("reticulate")
    got$masked <- tryCatch(c(a, b) %<-% list(1, 2), error = conditionMessage)
    v <- variable(3)
    with(tf$GradientTape() %as% tape, {
      loss <- v^2
      with(tape$stop_recording() %as% pause, v^2)
    })
    got$tape <- list(as.array(tape$gradient(loss, v)), class(pause), attributes(tape))

    detach("package:nativenet")
    attach_package("nativenet")
    c(a, b) %<-% list(1, 2)
    with(tf$GradientTape() %as% again, loss <- v^2)
    context <- structure(list(), class = "python.builtin.object")
    got$now <- list(a + b, as.array(again$gradient(loss, v)), with(context %as% given, given))
    got$hint <- tryCatch(iterate(context), error = conditionMessage)
    got$no_hint <- tryCatch(iterate(quote(a)), error = conditionMessage)

    # once more, and the hooks are still one of each
    unloadNamespace("nativenet")
    loadNamespace("nativenet")
    got$hooks <- c(length(getHook(packageEvent("coro", "onLoad"))),
      length(getHook(packageEvent("reticulate", "attach"))))
    got
  }, libpath = c(install_fakes(), .libPaths()))
  expect_identical(got$unasked, character())
  expect_identical(got$module, c(2, 6))
  expect_identical(got$coro_says, character())
  expect_equal(got$coro, list(0, FALSE, TRUE, TRUE))
  expect_equal(got$again, c(0, 1))
  expect_identical(got$reticulate_says,
    paste("reticulate masks `%<-%`, `iterate` of nativenet, and its own do not work as those do. To go on with",
    "nativenet's, attach it after reticulate, or write `library(reticulate, exclude = c(\"%<-%\", \"iterate\"))`.\n"))
  expect_identical(got$masked, "no destructuring")
  expect_equal(got$tape, list(6, "nn_context", list(names = "state", class = "nn_tape")))
  expect_equal(got$now, list(3, 6, "what it gave"))
  expect_match(got$hint,
    "an object of class <python.builtin.object>; this is nativenet's, which masks `reticulate::iterate()`",
    fixed = TRUE)
  expect_no_match(got$no_hint, "masks")
  expect_identical(got$hooks, c(1L, 1L))
})
