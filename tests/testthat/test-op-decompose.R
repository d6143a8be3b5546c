# Values and gradients stand among the cases of helper-op-linalg.R.

test_that("singular and indefinite matrices, NaN and shapes that do not fit are refused, compiled and not", {
  singular <- list(matrix(1, 2, 2), matrix(0, 2, 2), matrix(1:9 + 0, 3), matrix(c(NaN, 1, 1, 2), 2),
    matrix(c(Inf, 1, 1, 2), 2), array(c(1, 1, 0, 1, 0, 1, 1, 1), c(2, 2, 2)))
  for (x in singular) {
    expect_refusal(op_inverse(x), "value", "`op_inverse()`", "Input matrix is not invertible")
    expect_refusal(op_solve(x, x), "value", "not invertible")
    compiled <- autograph(function(x) op_inverse(x))
    expect_refusal(compiled(tensor(x)), "value", "not invertible")
  }
  expect_refusal(op_triangular_solve(matrix(c(1, 1, 5, 0), 2), diag(2)), "value", "not invertible")
  expect_refusal(tf$linalg$inv(matrix(1, 2, 2)), "value", "`tf$linalg$inv()`")
  for (x in list(matrix(c(1, 2, 2, 1), 2), matrix(c(NaN, 1, 1, 2), 2), matrix(0, 2, 2)))
    expect_refusal(op_cholesky(x), "value", "not positive definite")
  for (f in list(op_svd, op_qr, op_eigh, op_det)) for (bad in c(NaN, Inf, -Inf))
    expect_refusal(f(matrix(c(1, bad, 2, 3), 2)), "value", "NaN or Inf")
  for (f in list(op_inverse, op_cholesky, op_det, op_eigh)) expect_refusal(f(matrix(1, 2, 3)), "shape", "(2, 3)")
  for (f in list(op_inverse, op_cholesky, op_det, op_eigh, op_svd, op_qr, op_pinv))
    expect_refusal(f(c(1, 2)), "shape", "(2)")
  expect_refusal(op_solve(diag(2), matrix(1, 3, 1)), "shape", "(2, 2)", "(3, 1)")
  expect_refusal(op_solve(diag(2), c(1, 2)), "shape", "two axes")
  expect_refusal(op_lstsq(diag(2), diag(2), l2_regularizer = 1), "value", "l2_regularizer")
  # a result that nobody needs is refused all the same
  unused <- autograph(function(x) {
    op_inverse(x)
    x * 2
  })
  expect_refusal(unused(tensor(matrix(1, 2, 2))), "value", "not invertible")
})

test_that("a determinant of 0 is one, and beyond the doubles there is its logarithm", {
  expect_identical(as.array(op_det(matrix(1, 2, 2))), 0)
  expect_identical(lapply(op_slogdet(matrix(1, 2, 2)), as.array), list(sign = 0, log_abs_determinant = -Inf))
  expect_identical(as.array(op_det(diag(400) * 10)), Inf)
  expect_equal(as.array(op_det(diag(c(1e-200, 1e-200, 1e200, 1e200)))), 1, tolerance = 1e-14)
  expect_equal(as.array(op_slogdet(diag(400) * -10)$log_abs_determinant), 400 * log(10))
  expect_identical(as.array(op_det(diag(2)[2:1, ])), -1)
  x <- tensor(matrix(1, 2, 2))
  with(gradient_tape() %as% tape, {
    tape$watch(x)
    y <- op_det(x)
  })
  expect_refusal(tape$gradient(y, x), "value", "not invertible")
})

test_that("what is decomposed is made again; batches broadcast; larger matrices", {
  x <- array(some(c(2, 5, 3)), c(2, 5, 3))
  full <- op_svd(x, full_matrices = TRUE)
  expect_identical(lapply(full, dim), list(u = c(2L, 5L, 5L), s = c(2L, 3L), vh = c(2L, 3L, 3L)))
  again <- op_matmul(full$u[, , 1:3] * op_expand_dims(full$s, -2), full$vh)
  expect_equal(as.array(again), x)
  for (all in c(TRUE, FALSE)) {
    parts <- op_qr(x, if (all) "complete" else "reduced")
    expect_identical(dim(parts$q), c(2L, 5L, if (all) 5L else 3L))
    expect_equal(as.array(op_matmul(parts$q, parts$r)), x)
    expect_equal(as.array(op_matmul(parts$q, parts$q, transpose_x = TRUE))[2, , ], diag(if (all) 5 else 3))
  }
  a <- array(firm(c(2, 3, 3)), c(2, 3, 3))
  b <- matrix(some(6), 3)
  expect_equal(as.array(op_solve(a, b))[2, , ], solve(a[2, , ], b))
  expect_equal(as.array(op_solve(a[1, , ], array(b, c(1, 3, 2))))[1, , ], solve(a[1, , ], b))
  set.seed(1)
  m <- matrix(rnorm(90 * 70), 90)
  for (dtype in c("float64", "float32")) {
    near <- function(x, y) expect_equal(x, y, tolerance = c(float64 = 1e-12, float32 = 1e-5)[[dtype]])
    t <- tensor(m, dtype)
    expect_identical(tensor_dtype(op_svd(t)$u), dtype)
    near(as.array(op_svd(t)$s), array(svd(m)$d))
    near(as.array(op_eigh(tensor(crossprod(m), dtype))$values), array(rev(eigen(crossprod(m))$values)))
    near(as.array(op_lstsq(t, fast = TRUE, tensor(m[, 1:2] + 1, dtype))), unname(qr.solve(m, m[, 1:2] + 1)))
    near(as.array(op_inverse(tensor(crossprod(m), dtype))), solve(crossprod(m)))
  }
  expect_identical(dim(op_svd(matrix(0, 0, 3), FALSE)$vh), c(0L, 3L))
  as.array(op_svd(matrix(7, 3, 3))$vh) # whose memory the next one may find
  expect_identical(as.array(op_svd(matrix(0, 0, 3))$vh), diag(3))
  expect_identical(as.array(op_svd(matrix(0, 3, 0), full_matrices = TRUE)$u), diag(3))
  long <- matrix(some(100000, -1, 1), 50000)
  expect_equal(c(as.array(op_svd(long, FALSE)$s)), svd(long)$d)
  expect_equal(abs(as.array(op_qr(long)$r)), abs(qr.R(qr(long))), ignore_attr = TRUE)
  expect_refusal(op_qr(long, "complete"), "value", "`op_qr()`", "too little for matrices of shape (50000, 2)")
  expect_identical(dim(op_inverse(array(0, c(0, 2, 2)))), c(0L, 2L, 2L))
})

test_that("full vectors of rectangles have no gradient, and say so", {
  gradient <- function(f, x) {
    x <- tensor(x)
    with(gradient_tape() %as% tape, {
      tape$watch(x)
      y <- op_sum(f(x))
    })
    as.array(tape$gradient(y, x))
  }
  x <- matrix(some(6), 3)
  expect_refusal(gradient(function(x) op_svd(x, TRUE)$u, x), "value", "full_matrices")
  expect_refusal(gradient(function(x) op_qr(x, "complete")$q, x), "value", "complete")
  expect_equal(gradient(function(x) op_svd(x, TRUE)$s, x), with(svd(x), u %*% t(v)))
  # equal values: what does not depend on the choice of vectors is right
  expect_equal(gradient(function(x) op_eigh(x)$values, diag(3)), diag(3))
  expect_true(all(is.finite(gradient(function(x) op_square(op_eigh(x)$vectors), diag(3)))))
})

test_that("compiled functions of matrices serve batches of any size", {
  f <- function(x) {
    with(gradient_tape() %as% tape, {
      tape$watch(x)
      y <- op_sum(op_inverse(x)) + op_sum(op_svd(x)$s) + op_sum(op_slogdet(x)[[2]])
    })
    tape$gradient(y, x)
  }
  compiled <- autograph(f)
  for (n in c(3, 1, 2)) {
    x <- tensor(array(firm(c(n, 3, 3)), c(n, 3, 3)))
    expect_silent(found <- compiled(x))
    expect_equal(as.array(found), as.array(f(x)), tolerance = 1e-13)
  }
  expect_length(environment(compiled)$graph$traces, 1)
})

test_that("TensorFlow's names", {
  a <- firm(c(3, 3))
  s <- crossprod(a)
  value <- function(x) as.array(x)
  expect_equal(value(tf$linalg$inv(a)), solve(a))
  expect_equal(value(tf$linalg$solve(a, s, adjoint = TRUE)), solve(t(a), s))
  expect_equal(value(tf$linalg$triangular_solve(a, s, lower = FALSE)), backsolve(a, s))
  expect_equal(value(tf$linalg$cholesky(s)), t(chol(s)))
  expect_equal(value(tf$linalg$cholesky_solve(tf$linalg$cholesky(s), a)), solve(s, a))
  expect_equal(value(tf$linalg$lstsq(a, s)), solve(a, s))
  expect_equal(value(tf$linalg$pinv(a[, 1:2])), solve(crossprod(a[, 1:2]), t(a[, 1:2])))
  expect_identical(names(tf$linalg$qr(a)), c("q", "r"))
  expect_equal(value(tf$linalg$svd(a, compute_uv = FALSE)), array(svd(a)$d))
  expect_equal(value(tf$linalg$eigh(s)[[1]]), value(tf$linalg$eigvalsh(s)))
  expect_equal(value(tf$linalg$det(a)), det(a))
  expect_equal(value(tf$linalg$logdet(s)), log(det(s)))
  expect_equal(value(tf$linalg$slogdet(-a)$sign), -1)
  expect_identical(value(tf$linalg$matrix_rank(cbind(a[, 1:2], a[, 1] + a[, 2]))), 2L)
  expect_equal(value(tf$linalg$norm(a, ord = 2, axis = c(-2, -1))), svd(a)$d[1])
  unit <- tf$linalg$normalize(a, axis = 1L)
  expect_equal(lapply(unit, value), list(a / sqrt(rowSums(a^2)), matrix(sqrt(rowSums(a^2)))))
  expect_equal(value(tf$linalg$l2_normalize(a, axis = 1L)), value(unit[[1]]))
  expect_equal(value(tf$linalg$cross(diag(3), diag(3)[c(2, 3, 1), ])), diag(3)[c(3, 1, 2), ])
  expect_refusal(tf$linalg$cross(matrix(1, 2, 2), matrix(1, 2, 2)), "shape", "(2, 2)")
  rotation <- matrix(c(0, 1, -1, 0), 2)
  expect_equal(value(tf$linalg$expm(rotation * 100)), cos(100) * diag(2) + sin(100) * rotation, tolerance = 1e-12)
  for (x in list(a, a / 100)) {
    powers <- Reduce(function(p, k) p %*% x / k, 1:60, diag(3), accumulate = TRUE)
    expect_equal(value(tf$linalg$expm(x)), Reduce(`+`, powers), tolerance = 1e-13)
  }
  expect_equal(value(tf$linalg$expm(array(c(0, 1), c(2, 1, 1)))), array(c(1, exp(1)), c(2, 1, 1)))
  expect_refusal(tf$linalg$expm(matrix(NaN)), "value", "finite")
})

test_that("LU factors make the matrix again, with the pivots of LAPACK", {
  set.seed(1)
  a <- array(rnorm(2 * 16), c(2, 4, 4))
  found <- lapply(op_lu_factor(a), as.array)
  expect_identical(lapply(found, dim), list(c(2L, 4L, 4L), c(2L, 4L)))
  for (i in 1:2) {
    lu <- found[[1]][i, , ]
    product <- (lu * lower.tri(lu) + diag(4)) %*% (lu * upper.tri(lu, TRUE))
    swapped <- a[i, , ]
    for (k in 1:4) swapped[c(k, found[[2]][i, k] + 1), ] <- swapped[c(found[[2]][i, k] + 1, k), ]
    expect_equal(product, swapped, tolerance = 1e-12)
    expect_true(all(abs(lu[lower.tri(lu)]) <= 1))
  }
  # scipy.linalg.lu_factor
  lu <- lapply(op_lu_factor(rbind(c(2, 5, 8, 7), c(5, 2, 2, 8), c(7, 5, 6, 6), c(5, 4, 4, 8))), as.array)
  expect_identical(c(lu[[2]]), c(2L, 2L, 3L, 3L))
  expect_equal(lu[[1]][1:2, ], rbind(c(7, 5, 6, 6), c(0.28571429, 3.57142857, 6.28571429, 5.28571429)),
    tolerance = 1e-8)
  expect_error(op_lu_factor(matrix(1, 2, 3)), class = "nativenet_error_shape")
})
