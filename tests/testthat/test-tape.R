# Tapes: what they follow, what they give back, what they refuse.

gradient <- function(...) {
  g <- tape_gradient(...)
  if (is.list(g)) lapply(g, function(x) if (!is.null(x)) c(as.array(x))) else if (!is.null(g)) c(as.array(g))
}

# NULL, with a word on what cut the way
unconnected <- function(code, words) {
  told <- expect_warning(found <- code, class = "nativenet_warning_gradient")
  expect_null(unlist(found))
  expect_match(conditionMessage(told), "no source has a gradient, the result is NULL: ", fixed = TRUE)
  expect_match(conditionMessage(told), words, fixed = TRUE)
}

test_that("variables are watched, constants and untrainable variables are not", {
  w <- variable(c(1, 2))
  fixed <- variable(c(3, 4), trainable = FALSE)
  x <- tensor(c(5, 6))
  tape <- gradient_tape()
  y <- tape_record(tape, op_multiply(op_multiply(w, fixed), x))
  expect_identical(gradient(tape, y, list(w, fixed, x)), list(c(15, 24), NULL, NULL))
  tape_watch(tape, x)
  y <- tape_record(tape, op_multiply(w, x))
  expect_identical(gradient(tape, y, list(w = w, x = x)), list(w = c(5, 6), x = c(1, 2)))
  unconnected(gradient(tape, y, variable(1)), "the target does not depend on them")
  # a target that the tape does not know
  unconnected(gradient(tape, tensor(1), w), "was not computed from them while the tape recorded")
  unconnected(gradient(tape, op_square(w), w), "must run within `with(tf$GradientTape() %as% tape") # not recorded
})

test_that("a source may be its own target", {
  w <- variable(c(1, 2))
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(w))
  expect_identical(gradient(tape, w, w), c(1, 1))
  expect_identical(gradient(tape, y, y), c(1, 1))
  expect_identical(gradient(tape, list(y, w), w), c(3, 5))
})

test_that("intermediate results have gradients", {
  x <- variable(3)
  tape <- gradient_tape()
  h <- tape_record(tape, op_square(x))
  y <- tape_record(tape, op_multiply(h, op_add(h, x)))
  expect_identical(gradient(tape, y, list(h, x)), list(2 * 9 + 3, (2 * 9 + 3) * 6 + 9))
})

test_that("several targets add up; a target named twice counts twice", {
  x <- variable(c(2, 3))
  tape <- gradient_tape()
  tape_record(tape, {
    a <- op_square(x)
    b <- op_multiply(x, 5)
    c <- op_multiply(a, 2) # a is a target and on the way to another
  })
  expect_identical(gradient(tape, list(a, b), x), c(9, 11))
  expect_identical(gradient(tape, list(a, a, b), x), c(13, 17))
  expect_identical(gradient(tape, list(a, c), x), c(12, 18))
  expect_identical(gradient(tape, list(c, a), x), c(12, 18))
  expect_identical(gradient(tape, list(), x), NULL)
  expect_identical(gradient(tape, a, list()), list())
})

test_that("output gradients weigh the targets", {
  x <- variable(matrix(c(1, 2, 3, 4), 2))
  tape <- gradient_tape()
  tape_record(tape, {
    y <- op_square(x)
    z <- op_sum(x)
  })
  w <- matrix(c(1, 0, -1, 2), 2)
  expect_identical(gradient(tape, y, x, w), c(2 * as.array(x) * w))
  expect_identical(gradient(tape, y, x, tensor(w)), c(2 * as.array(x) * w))
  expect_identical(gradient(tape, list(y, z), x, list(w, NULL)), c(2 * as.array(x) * w + 1))
  expect_identical(gradient(tape, list(y, z, y), x, list(w, 10, w)), c(4 * as.array(x) * w + 10))
  # unknown targets are skipped together with theirs
  expect_identical(gradient(tape, list(tensor(1), z), x, list(5, 2)), rep(2, 4))
  expect_refusal(tape_gradient(tape, y, x, c(1, 2)), "shape", "(2, 2)", "(2)")
  expect_refusal(tape_gradient(tape, y, x, tensor(w, "float32")), "shape", "float32")
  expect_refusal(tape_gradient(tape, list(y, z), x, list(w)), "value", "`tape_gradient()`", "`output_gradients`",
    "(2)", "1")
  expect_refusal(tape_gradient(tape, y, x, "a"), "value")
})

test_that("a tape may be asked often, in any order", {
  x <- variable(c(1, 2))
  tape <- gradient_tape()
  tape_record(tape, {
    a <- op_square(x)
    b <- op_exp(a)
  })
  first <- gradient(tape, b, x)
  expect_identical(gradient(tape, a, x), c(2, 4))
  expect_identical(gradient(tape, b, list(x, a)), list(first, c(as.array(b))))
  expect_identical(gradient(tape, b, x), first)
  c <- tape_record(tape, op_square(b)) # and goes on recording
  expect_equal(gradient(tape, c, x), 2 * c(as.array(b)) * first)
  expect_identical(gradient(tape, b, x), first)
})

test_that("gradients are new tensors", {
  x <- variable(c(1, 2))
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(x))
  g <- tape_gradient(tape, y, x)
  tape_gradient(tape, y, x, c(100, 100))
  expect_identical(c(as.array(g)), c(2, 4))
})

test_that("tapes nest; each knows only what ran while it recorded", {
  x <- variable(3)
  outer <- gradient_tape()
  inner <- gradient_tape()
  tape_record(outer, {
    a <- op_square(x)
    b <- tape_record(inner, op_multiply(x, a)) # to the inner tape, a is a constant
    c <- op_multiply(b, 2)
  })
  expect_identical(gradient(outer, b, x), 27)
  expect_identical(gradient(outer, c, x), 54)
  expect_identical(gradient(inner, b, x), 9)
  unconnected(gradient(inner, c, x), "while the tape recorded")
  unconnected(gradient(inner, a, x), "while the tape recorded")
  again <- tape_record(outer, tape_record(outer, op_square(x))) # recorded twice by one tape
  expect_identical(gradient(outer, again, x) %in% c(6, 12), TRUE)
})

test_that("recording ends with an error, and with a jump", {
  x <- variable(2)
  tape <- gradient_tape()
  try(tape_record(tape, stop("no")), silent = TRUE)
  unconnected(gradient(tape, op_square(x), x), "while the tape recorded")
  f <- function() tape_record(tape, return(op_square(x)))
  y <- f()
  expect_identical(gradient(tape, y, x), 4)
  unconnected(gradient(tape, op_square(x), x), "while the tape recorded")
  expect_identical(length(nativenet:::tapes_recording()), 0L)
})

test_that("a gradient that is asked for while the tape records has derivatives, if it may be asked again", {
  x <- variable(3)
  tape <- gradient_tape()
  tape_record(tape, {
    y <- op_square(x)
    g <- tape_gradient(tape, y, x)
    z <- op_multiply(y, g)
  })
  expect_identical(c(as.array(g)), 6)
  expect_identical(gradient(tape, y, x), 6)
  expect_identical(gradient(tape, z, x), 54)
  expect_identical(gradient(tape, g, x), 2)
  once <- gradient_tape(persistent = FALSE)
  g <- tape_record(once, tape_gradient(once, op_square(x), x))
  expect_identical(c(as.array(g)), 6)
  expect_refusal(tape_gradient(once, g, x), "tape", "asked already")
})

test_that("what was recorded before an assignment is not affected", {
  x <- variable(3)
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(x))
  variable_assign(x, 100)
  expect_identical(gradient(tape, y, x), 6)
})

test_that("what is recorded after an assignment uses the new value, and both count", {
  x <- variable(3)
  tape <- gradient_tape()
  tape_record(tape, {
    y <- op_square(x)
    variable_assign(x, 10)
    z <- op_square(x)
  })
  expect_identical(gradient(tape, z, x), 20)
  expect_identical(gradient(tape, list(y, z), x), 26)
  expect_identical(gradient(tape, y, x), 6)
})

test_that("R values between ops are constants", {
  x <- variable(3)
  tape <- gradient_tape()
  y <- tape_record(tape, op_multiply(x, as.array(x)))
  expect_identical(gradient(tape, y, x), 3)
  y <- tape_record(tape, op_multiply(x, tensor(2)))
  expect_identical(gradient(tape, y, x), 2)
})

test_that("float32 variables have float32 gradients", {
  x <- variable(c(1, 2), "float32")
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(x))
  expect_identical(tensor_dtype(tape_gradient(tape, y, x)), "float32")
  expect_identical(gradient(tape, y, x, c(0.5, 1)), c(1, 4))
})

test_that("integers stop gradients", {
  x <- variable(c(1.5, 2.5))
  tape <- gradient_tape()
  tape_record(tape, {
    i <- op_cast(x, "int32")
    y <- op_multiply(x, op_cast(i, "float64"))
    n <- op_argmax(x)
  })
  expect_identical(gradient(tape, y, x), c(1, 2))
  unconnected(gradient(tape, i, x), "the target is int32")
  unconnected(gradient(tape, n, x), "only floating-point numbers have derivatives")
  unconnected(gradient(tape, op_less(x, 2), x), "the target is bool")
})

test_that("large tapes find their tensors", {
  x <- variable(1)
  tape <- gradient_tape()
  steps <- vector("list", 500)
  tape_record(tape, {
    y <- x
    for (i in 1:500) steps[[i]] <- y <- op_add(y, x)
  })
  expect_identical(gradient(tape, y, x), 501)
  expect_identical(unique(unlist(gradient(tape, y, steps))), 1)
  gc()
  expect_identical(gradient(tape, steps[[250]], x), 251)
})

test_that("empty tapes and tensors without elements", {
  tape <- gradient_tape()
  unconnected(gradient(tape, tensor(1), tensor(1)), "`tape$watch(x)`")
  x <- variable(numeric())
  y <- tape_record(tape, op_sum(op_square(x)))
  expect_identical(gradient(tape, y, x), numeric())
  expect_output(print(gradient_tape()), "<tape>")
})

test_that("a tape that was saved and read again still knows its tensors", {
  x <- variable(3)
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(x))
  again <- unserialize(serialize(list(tape, x, y), NULL))
  expect_identical(gradient(again[[1]], again[[3]], again[[2]]), 6)
})

test_that("printing shows the ops", {
  w <- variable(matrix(0, 3, 2))
  tape <- gradient_tape()
  tape_record(tape, op_sum(op_dense(matrix(1, 4, 3), w, activation = "tanh")))
  expect_snapshot(tape)
})

test_that("errors name function and argument", {
  tape <- gradient_tape()
  x <- variable(1)
  expect_refusal(tape_record("a", 1), "value", "`tape_record()`", "`tape`", "\"a\"")
  expect_refusal(tape_watch(NULL, x), "value", "`tape_watch()`", "`tape`")
  expect_refusal(tape_watch(tape, 1), "value", "`tape_watch()`", "`x` must be a tensor")
  expect_refusal(tape_watch(tape, tensor(1L)), "dtype", "int32")
  expect_refusal(tape_gradient(1, x, x), "value", "`tape_gradient()`", "`tape`")
  expect_refusal(tape_gradient(tape, 1, x), "value", "`tape_gradient()`", "`target`")
  expect_refusal(tape_gradient(tape, x, 1), "value", "`tape_gradient()`", "`sources`")
  expect_refusal(tape_gradient(tape, x, list(x, NULL)), "value", "`sources`", "NULL")
  expect_refusal(tape_gradient(tape, list(x, "a"), x), "value", "`target`")
})

test_that("where no source has a gradient a warning says what is likely to have cut the way", {
  v <- tf$Variable(2)
  fixed <- tf$Variable(2, trainable = FALSE)
  k <- tf$constant(2)
  whole <- tf$Variable(2L)
  of <- function(code, sources, ...) {
    tape <- gradient_tape(persistent = FALSE, ...)
    tape$gradient(tape_record(tape, code), sources)
  }
  loss <- v^2
  outside <- "was not computed from them while the tape recorded. Its ops must run within"
  unconnected(of(loss, v), outside)
  unconnected(of(tf$constant(as.array(v)^2), v), "not on R's numbers as `as.array()` gives them")
  unconnected(of(tf$stop_gradient(v) * 2, list(v)), "`op_stop_gradient()`")
  unconnected(of(k^2, k), "follows variables, and constants only if it is told before: `tape$watch(x)`")
  unconnected(of(fixed^2, fixed), "follows such variables only if it is told before: `tape$watch(x)`")
  unconnected(of(v^2, v, watch_accessed_variables = FALSE), "`tape$watch(x)`")
  unconnected(of(whole * 2L, whole),
    "the source is int32, and only floating-point numbers have derivatives, as of `tf$Variable(2)`")
  unconnected(of(v^2, tf$Variable(3)), "the target does not depend on them")
  expect_silent(some <- of(v^2, list(v, fixed)))
  expect_null(some[[2]])
  tape <- gradient_tape()
  y <- tape_record(tape, tf$stack(list(k, k)) * v)
  expect_silent(tape$gradient(y, fixed, unconnected_gradients = "zero"))
  unconnected(tape$jacobian(y, fixed), "`tape$jacobian()`:")
  compiled <- autograph(function() {
    with(tf$GradientTape() %as% tape, loss <- fixed^2)
    is.null(tape$gradient(loss, v))
  })
  expect_warning(expect_true(compiled()), class = "nativenet_warning_gradient")
})

test_that("a source that was assigned to may be named more than once", {
  w <- variable(c(1, 2))
  with(tf$GradientTape(persistent = TRUE) %as% tape, {
    y <- op_sum(w * 2)
    w$assign(c(5, 6))
    total <- y + op_sum(w * 3)
  })
  expect_identical(lapply(tape$gradient(total, list(w, w, w)), as.array), rep(list(array(c(5, 5))), 3))
})

test_that("a seed that does not fit leaves the tape as it was", {
  x <- variable(c(1, 2))
  tape <- gradient_tape()
  y <- tape_record(tape, op_square(x))
  before <- capture.output(print(tape))
  expect_error(tape_gradient(tape, y, x, list(1:3)), class = "nativenet_error_shape")
  expect_identical(capture.output(print(tape)), before)
  expect_identical(gradient(tape, y, x), c(2, 4))
})

test_that("the gradient of a variable towards itself is 1, read or not, op by op and compiled", {
  v <- variable(c(1, 2))
  asked <- list(
    function(x) tape_of(x)$gradient(v, v),
    function(x) tape_of(x)$gradient(list(v, v), v),
    function(x) tape_of(x)$gradient(v, v, output_gradients = x),
    function(x) tape_of(x)$gradient(list(v, op_square(x)), list(x, v))[[2]],
    function(x) {
      with(gradient_tape() %as% outer, y <- op_sum(tape_of(x)$gradient(v, v) * op_square(v)))
      outer$gradient(y, v)
    }
  )
  tape_of <- function(x) {
    tape <- gradient_tape()
    with(tape, op_square(x))
    tape
  }
  wanted <- list(c(1, 1), c(2, 2), c(3, 4), c(1, 1), c(2, 4))
  for (k in seq_along(asked)) {
    expect_identical(c(as.array(asked[[k]](tensor(c(3, 4))))), wanted[[k]])
    compiled <- autograph(asked[[k]])
    for (again in 1:2) expect_identical(c(as.array(compiled(tensor(c(3, 4))))), wanted[[k]])
    expect_null(environment(compiled)$graph$reason)
  }
  ignoring <- gradient_tape(watch_accessed_variables = FALSE)
  with(ignoring, op_square(v))
  expect_null(suppressWarnings(ignoring$gradient(v, v)))
})
