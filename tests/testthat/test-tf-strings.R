
test_that("matrices of strings are compared and indexed as tensors are", {
  s <- as_tensor(letters[1:4], shape = c(2, 2))
  expect_identical(as.array(s == "a"), matrix(c(TRUE, FALSE, FALSE, FALSE), 2))
  expect_identical(as.vector(as.array(s[1, ])), c("a", "b"))
  expect_identical(as.vector(as.array(as_tensor(letters[1:6], shape = c(2, 3))[, 2:3])), c("b", "e", "c", "f"))
})
