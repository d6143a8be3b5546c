# Layers of several inputs against plain R.

a <- matrix(c(1, -2, 3, 0.5, 4, -1), 2)
b <- matrix(c(2, 2, -3, 1, 0, 5), 2)
of <- function(layer, ...) as.array(layer(list(...)))

test_that("sums, products and the like go element by element over any number of inputs", {
  expect_equal(of(layer_add(dtype = "float64"), a, b, a), 2 * a + b, tolerance = 1e-12)
  expect_equal(of(layer_subtract(dtype = "float64"), a, b), a - b, tolerance = 1e-12)
  expect_equal(of(layer_multiply(dtype = "float64"), a, b, b), a * b^2, tolerance = 1e-12)
  expect_equal(of(layer_average(dtype = "float64"), a, b, b), (a + 2 * b) / 3, tolerance = 1e-12)
  expect_equal(of(layer_maximum(dtype = "float64"), a, b), pmax(a, b), tolerance = 1e-12)
  expect_equal(of(layer_minimum(dtype = "float64"), a, b, -b), pmin(a, b, -b), tolerance = 1e-12)
})

test_that("inputs may come one by one, and broadcast", {
  expect_equal(as.array(layer_add(a, b, a)), 2 * a + b, tolerance = 1e-6)
  column <- matrix(c(10, 20), 2)
  expect_equal(of(layer_add(), a, column), a + c(10, 20), tolerance = 1e-6)
  expect_equal(of(layer_multiply(), column, a), a * c(10, 20), tolerance = 1e-6)
  steps <- array(1:12, c(2, 3, 2))
  one <- array(c(1, 2), c(2, 1, 1))
  expect_equal(of(layer_add(), steps, one), steps + c(1, 2), tolerance = 1e-6)
  i <- layer_input(c(3, 2))
  expect_identical(dim(layer_add(list(i, layer_input(c(1, 2))))), c(NA, 3L, 2L))
})

test_that("concatenate joins along an axis that counts from 0 at the batch, or from the end", {
  expect_equal(of(layer_concatenate(), a, b, a), cbind(a, b, a), tolerance = 1e-6)
  x <- array(as.numeric(1:12), c(2, 3, 2))
  y <- array(as.numeric(13:16), c(2, 1, 2))
  joined <- of(layer_concatenate(axis = 1), x, y)
  expect_identical(dim(joined), c(2L, 4L, 2L))
  expect_equal(joined[, 1:3, ], x, tolerance = 1e-6)
  expect_equal(joined[, 4, ], y[, 1, ], tolerance = 1e-6)
  expect_equal(of(layer_concatenate(axis = -2), x, y), joined)
  expect_identical(dim(layer_concatenate(list(layer_input(c(NA, 4)), layer_input(c(NA, 5))))), c(NA, NA, 9L))
})

test_that("dot multiplies along an axis of each input", {
  expect_equal(of(layer_dot(axes = 1, dtype = "float64"), a, b), matrix(rowSums(a * b)), tolerance = 1e-12)
  expect_equal(of(layer_dot(axes = -1, normalize = TRUE, dtype = "float64"), a, b),
    matrix(rowSums(a * b) / sqrt(rowSums(a^2) * rowSums(b^2))), tolerance = 1e-9)
  x <- array(rnorm(24), c(2, 3, 4))
  y <- array(rnorm(30), c(2, 5, 3))
  z <- of(layer_dot(axes = c(1, 2), dtype = "float64"), x, y)
  expect_identical(dim(z), c(2L, 4L, 5L))
  for (i in 1:2) expect_equal(z[i, , ], t(x[i, , ]) %*% t(y[i, , ]), tolerance = 1e-12)
  v <- of(layer_dot(axes = c(1, 1), dtype = "float64"), a, x)
  for (i in 1:2) expect_equal(v[i, ], as.vector(a[i, ] %*% x[i, , ]), tolerance = 1e-12)
  expect_identical(dim(layer_dot(list(layer_input(c(3, 4)), layer_input(c(5, 3))), axes = c(1, 2))), c(NA, 4L, 5L))
})

test_that("gradients reach every input", {
  x <- variable(a, "float64")
  y <- variable(b, "float64")
  with(gradient_tape() %as% tape, total <- op_sum(layer_dot(list(x, layer_multiply(list(x, y), dtype = "float64")),
    axes = 1, dtype = "float64")))
  g <- tape$gradient(total, list(x, y))
  expect_equal(as.array(g[[1]]), 2 * a * b, tolerance = 1e-9)
  expect_equal(as.array(g[[2]]), a^2, tolerance = 1e-9)
})

test_that("shapes that do not meet are both named", {
  i <- layer_input(4)
  s <- layer_input(c(6, 4))
  fails <- function(code, message, class = "nativenet_error_shape")
    expect_no_warning(expect_error(code, message, fixed = TRUE, class = class))
  fails(layer_add(list(i, layer_input(5))), "(None, 4) and (None, 5)")
  fails(layer_add(list(a, a[, 1:2])), "(2, 3) and (2, 2)")
  fails(layer_concatenate(list(i, s)), "(None, 4) and (None, 6, 4)")
  fails(layer_concatenate(list(s, layer_input(c(5, 4)))), "(None, 6, 4) and (None, 5, 4)")
  fails(layer_dot(list(i, layer_input(5)), 1),
    "the axes to multiply along differ in size: 4 in (None, 4) and 5 in (None, 5)")
  fails(layer_dot(list(i, s), c(1, 1)), "4 in (None, 4) and 6 in (None, 6, 4)")
})

test_that("what are no inputs or axes is refused", {
  i <- layer_input(3)
  fails <- function(code, message) expect_no_warning(expect_error(code, message, fixed = TRUE,
    class = "nativenet_error_value"))
  for (one in list(NULL, list(), a, i, list(i), "a"))
    fails(layer_add(one), "`layer_add()`: `inputs` must be a list of at least two tensors")
  fails(layer_add(list(a, "a")), "`x` must be a numeric or logical array, not \"a\"")
  fails(layer_add(list(a, NULL)), "a list with a NULL")
  fails(layer_add(list(i, 3)), "a mixture of symbolic tensors and 3")
  fails(layer_add(list(a, a), foo = 1), "there is no argument `foo`")
  fails(layer_add(keras_model_sequential()), "cannot stand in a sequence of layers")
  fails(layer_add()(a), "needs a list of at least two inputs")
  fails(layer_add()(a, a), "unused argument")
  for (axis in c(5, -3, 1.5)) fails(layer_concatenate(list(a, a), axis = axis),
    paste0("must lie in 0 .. 1 or -2 .. -1 for an input of shape (None, 3), not be ", axis))
  fails(layer_concatenate(list(a, a), axis = "a"), "`axis` must be a finite number")
  for (axes in list(0, 2, -2, c(1, 1, 1), NULL)) fails(layer_dot(list(a, a), axes),
    "`axes` must name one axis, not the batch")
  for (axes in list("a", NA, 1.5)) fails(layer_dot(list(a, a), axes), "`layer_dot()`: `axes` must be whole numbers")
  fails(layer_dot(list(a, a)), "`axes` must be given")
  fails(layer_dot(list(a, a, a), 1), "needs two inputs, not 3")
})

test_that("layer_dot() takes inputs one by one, and axes by place as earlier versions of keras did", {
  a <- matrix(rnorm(6), 2)
  b <- matrix(rnorm(6), 2)
  cosine <- rowSums(a * b) / sqrt(rowSums(a^2) * rowSums(b^2))
  dots <- list(layer_dot(list(a, b), 1), layer_dot(list(a, b), list(1, 1)), layer_dot(list(a, b), as_tensor(1L)),
    layer_dot(list(a, b), axes = 1), layer_dot(tensor(a), tensor(b), axes = 1),
    layer_dot(axes = 1)(list(a, b)))
  for (dot in dots) expect_equal(as.vector(as.array(dot)), rowSums(a * b), tolerance = 1e-6)
  for (dot in list(layer_dot(list(a, b), 1, TRUE), layer_dot(tensor(a), tensor(b), axes = 1, normalize = TRUE)))
    expect_equal(as.vector(as.array(dot)), cosine, tolerance = 1e-6)
  expect_error(layer_dot(list(a, b)), "`axes` must be given", class = "nativenet_error_value")
})

test_that("an axis that keras3 counts in another way is told once", {
  x <- array(1:24, c(2, 3, 4))
  told <- session$told
  on.exit(assign("told", told, session))
  session$told <- setdiff(told, "concatenate")
  for (quiet in list(list(x, x[, , 1:2], -1), list(x, x[, , 1:2], 2), list(x, x, 1), list(x, x, -2)))
    expect_silent(layer_concatenate(list(quiet[[1]], quiet[[2]]), axis = quiet[[3]]))
  expect_message(y <- layer_concatenate(list(x, x), axis = 2), "counts from 0.*its 2 is 1 here")
  expect_identical(dim(y), c(2L, 3L, 8L))
  expect_silent(layer_concatenate(list(x, x), axis = 2))
})
