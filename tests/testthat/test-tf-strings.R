
test_that("matrices of strings are compared and indexed as tensors are", {
  s <- as_tensor(letters[1:4], shape = c(2, 2))
  expect_identical(as.array(s == "a"), matrix(c(TRUE, FALSE, FALSE, FALSE), 2))
  expect_identical(as.vector(as.array(s[1, ])), c("a", "b"))
  expect_identical(as.vector(as.array(as_tensor(letters[1:6], shape = c(2, 3))[, 2:3])), c("b", "e", "c", "f"))
})

test_that("missing strings are refused in our words everywhere", {
  for (name in setdiff(ls(tf$strings), c("format", "as_string", "unicode_encode", "reduce_join", "join"))) {
    f <- tf$strings[[name]]
    args <- list(NA_character_, pattern = "a", rewrite = "b", pos = 0, len = 1, input_encoding = "UTF-8")
    args <- args[c(1, which(names(args) %in% setdiff(names(formals(f))[-1], "")))]
    expect_error(do.call(f, args), "must not have missing strings; number 1 is NA", fixed = TRUE,
      class = "nativenet_error_value", info = name)
  }
  expect_error(tf$strings$join(list("a", NA_character_)), "must not have missing strings", fixed = TRUE)
  expect_error(tf$strings$regex_replace("a", "(", "b"), "`tf$strings$regex_replace()`: `pattern` is no regular",
    fixed = TRUE)
})

test_that("a whole match leaves out no line feed at the end", {
  expect_identical(as.vector(as.array(tf$strings$regex_full_match(c("ab", "ab\n"), "a."))), c(TRUE, FALSE))
})
