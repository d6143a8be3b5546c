# Values and gradients of op_einsum() and op_tensordot() stand among the cases of helper-op-linalg.R.

test_that("equations that do not fit say what is wrong", {
  x <- matrix(1:6 / 2, 2)
  for (bad in c("ij-k", "i j>k", "ij->i->j", "i..j", "...i...->i", "i1", "ij,")) {
    e <- tryCatch(op_einsum(bad, x), error = identity)
    expect_s3_class(e, "nativenet_error")
    expect_match(conditionMessage(e), "op_einsum", fixed = TRUE)
  }
  expect_refusal(op_einsum("ij-k", x), "value", "`subscripts`", "ij-k")
  expect_refusal(op_einsum("ij,jk->ik", x), "value", "2 tensors, not 1")
  expect_refusal(op_einsum("ij->k", x), "value", "`k` behind")
  expect_refusal(op_einsum("ijk->k", x), "shape", "tensor 1", "ijk", "(2, 3)")
  expect_refusal(op_einsum("i->i", x), "shape", "(2, 3)")
  expect_refusal(op_einsum("ij,jk->ik", x, x), "shape", "`j`", "3 and 2")
  expect_refusal(op_einsum("ii->i", x), "shape", "`i`", "2 and 3")
  expect_refusal(op_einsum("...i->i", x), "value", "\"...\" behind")
  expect_refusal(op_einsum(2, x), "value", "`subscripts`")
  expect_refusal(tf$einsum("ij,jk->ik", x, x), "shape", "`tf$einsum()`")
  expect_refusal(op_tensordot(x, x, 3), "value", "`axes`")
  expect_refusal(op_tensordot(x, x, list(1, 2)), "shape", "2 and 3")
  expect_refusal(op_tensordot(x, x, list(c(1, 1), c(1, 2))), "value", "once")
})

test_that("TensorFlow's names: lists, dtypes, 0-based axes", {
  x <- matrix(1:6 / 2, 2)
  expect_identical(as.array(tf$einsum("ij,kj->ik", x, x)), x %*% t(x))
  expect_identical(as.array(tf$linalg$einsum("ij->ji", x, optimize = "optimal", name = "a")), t(x))
  expect_identical(as.array(op_einsum("ij,ij->i", list(x, x))), array(rowSums(x * x)))
  expect_identical(as.array(op_einsum("i,i->", 1:3, 4:6)), 32L)
  expect_identical(tensor_dtype(tf$einsum("i,i->", c(1, 2), c(3, 4))), "float32")
  expect_identical(tensor_dtype(op_einsum("ij,ij->", x, tf$ones(c(2L, 3L)))), "float32")
  expect_identical(as.array(tf$tensordot(x, x, axes = 2L)), sum(x * x))
  expect_identical(as.array(tf$tensordot(x, x, axes = list(0L, 0L))), t(x) %*% x)
  expect_identical(as.array(tf$tensordot(x, x, axes = c(1, 1))), x %*% t(x))
})

test_that("compiled functions of an equation serve batches of any size", {
  w <- tensor(some(c(3, 2, 4)))
  equations <- list("bi,ihd->bhd" = c(5, 3),
    "bti,ihd->bthd" = c(5, 2, 3), "...i,ihd->...hd" = c(5, 2, 3),
    "bi,bi,ihd->bhd" = c(5, 3), "bii->bi" = c(5, 2, 2), "bij->jb" = c(5, 2, 3))
  for (equation in names(equations)) {
    n <- length(strsplit(strsplit(equation, "->")[[1]][1], ",")[[1]])
    takes <- grepl("ihd", equation)
    f <- function(x) do.call(op_einsum, c(list(equation), rep(list(x), n - takes), if (takes) list(w)))
    g <- function(x) {
      with(gradient_tape() %as% tape, {
        tape$watch(x)
        y <- op_sum(op_square(f(x)))
      })
      tape$gradient(y, x)
    }
    compiled <- autograph(g)
    for (batch in c(5, 2, 1, 4)) {
      x <- tensor(array(some(replace(equations[[equation]], 1, batch)), replace(equations[[equation]], 1, batch)))
      expect_silent(found <- compiled(x))
      expect_equal(as.array(found), as.array(g(x)), tolerance = 1e-14, label = equation)
    }
    expect_length(environment(compiled)$graph$traces, 1)
  }
})
