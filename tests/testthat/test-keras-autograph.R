# tfautograph's words.

test_that("branches and maps take functions and formulas", {
  x <- tensor(3)
  expect_identical(as.double(tf_cond(x > 2, ~ x * 2, ~ x)), 6)
  expect_identical(tf_cond(FALSE, ~ 1, function() 2), 2)
  expect_identical(tf_case(x < 1 ~ "small", x < 5 ~ "middle", x < 9 ~ "large", default = ~ "none"), "middle")
  expect_identical(tf_case(FALSE ~ 1, default = ~ 2), 2)
  expect_identical(tf_case(pred_fn_pairs = list(list(TRUE, function() 5))), 5)
  expect_error(tf_case(FALSE ~ 1), "no condition holds", class = "nativenet_error_assert")
  expect_error(tf_case(TRUE ~ 1, TRUE ~ 2, exclusive = TRUE), "more than one", class = "nativenet_error_assert")
  expect_error(tf_case(~ 1), "no condition")
  expect_identical(tf_switch(1L, 0 ~ "a", 1 ~ "b"), "b")
  expect_identical(tf_switch(tensor(0L), ~ "a", ~ "b"), "a")
  expect_identical(tf_switch(7L, 3 ~ "a", 5 ~ "b", 4 ~ "c"), "b")
  expect_identical(tf_switch(7L, 3 ~ "a", default = ~ "d"), "d")
  expect_error(tf_switch(0L, 1), "formulas")
  expect_identical(c(as.array(tf_map(matrix(1:4, 2), ~ sum(.x)))), c(4L, 6L))
  expect_identical(c(as.array(tf_map(1:3, function(v) v * 2L))), c(2L, 4L, 6L))
  f <- autograph(function(a) tf_map(a, ~ .x * 2))
  expect_identical(as.array(f(tensor(matrix(1:4 + 0, 2)))), 2 * matrix(1:4 + 0, 2))
})

test_that("assertions hold or say what did not; hints change nothing", {
  x <- tensor(c(1, 2))
  expect_invisible(tf_assert(x > 0))
  expect_error(tf_assert(x > 1, "too small", x), "x > 1; too small 1 2", fixed = TRUE,
    class = "nativenet_error_assert")
  expect_error(tf_assert(FALSE, expr = quote(never())), "never()", fixed = TRUE)
  expect_error(tf_assert("a"), "`condition`")
  total <- 0
  ag_name("loop")
  ag_loop_vars(total, -i)
  ag_if_vars(total, return = TRUE)
  ag_while_opts(parallel_iterations = 3)
  for (i in 1:3) total <- total + i
  expect_identical(total, 6)
  expect_error(ag_while_opts(maximum_iterations = 3), class = "nativenet_error_missing")
  expect_error(ag_name(3), "single string")
})
