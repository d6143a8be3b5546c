# Regularizers against their formulas.

w <- some(c(4, 3))

test_that("penalties follow their formulas, in both dtypes", {
  cosines <- function(m) {
    m <- m / sqrt(rowSums(m^2))
    mean(abs(tcrossprod(m))[upper.tri(diag(nrow(m)))])
  }
  expected <- list(
    list(regularizer_l1(0.3), 0.3 * sum(abs(w))),
    list(regularizer_l2(0.3), 0.3 * sum(w^2)),
    list(regularizer_l1_l2(0.1, 0.2), 0.1 * sum(abs(w)) + 0.2 * sum(w^2)),
    list(regularizer_l1_l2(), 0.01 * sum(abs(w)) + 0.01 * sum(w^2)),
    list(regularizer_orthogonal(0.5), 0.5 * cosines(w)),
    list(regularizer_orthogonal(0.5, "columns"), 0.5 * cosines(t(w)))
  )
  for (e in expected) {
    for (dtype in c("float32", "float64")) {
      penalty <- e[[1]](tensor(w, dtype))
      expect_identical(list(dim(penalty), tensor_dtype(penalty)), list(integer(), dtype))
      expect_equal(as.double(penalty), e[[2]], tolerance = if (dtype == "float64") 1e-12 else 1e-5)
    }
    expect_true(check_gradient(e[[1]], w)$ok)
  }
  expect_equal(as.double(regularizer_l2(0.01)(c(3, 4))), 0.25) # there is no 1/2
  expect_equal(as.double(regularizer_l1()(variable(c(3, -4)))), 0.07)
  expect_equal(as.double(regularizer_orthogonal()(matrix(1, 1, 3))), 0)
})

test_that("arguments are checked", {
  expect_refusal(regularizer_l1(-1), "value", "`regularizer_l1()`", "`l`")
  expect_refusal(regularizer_orthogonal(mode = "row"), "value", "\"columns\"")
  expect_refusal(regularizer_orthogonal()(1:3 + 0), "shape", "`regularizer_orthogonal()`", "(3)")
})

test_that("the factor has the names of both versions of Keras", {
  expect_identical(regularizer_l2(l2 = 0.2), regularizer_l2(0.2))
  expect_identical(regularizer_l1(l1 = 0.2), regularizer_l1(0.2))
  expect_refusal(regularizer_l1(0.1, l1 = 0.2), "value", "only one of")
  expect_refusal(regularizer_l2(l2 = -1), "value", "`l2`")
})
