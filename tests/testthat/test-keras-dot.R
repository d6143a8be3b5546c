test_that("parts of a value have names, by place, by name, within others", {
  .[a, b] <- c(1, 2)
  expect_identical(list(a, b), list(1, 2))
  .[first, .., last] <- letters
  expect_identical(c(first, last), c("a", "z"))
  .[.., y, z] <- 1:5
  expect_identical(c(y, z), 4:5)
  .[.[x, .[u, v]], , w] <- list(list(1, list(2, 3)), "skipped", 4)
  expect_identical(c(x, u, v, w), c(1, 2, 3, 4))
  .[h = height, area = height * width] <- list(width = 2, height = 3)
  expect_identical(c(h, area), c(3, 6))
  .[major, minor, patch] <- numeric_version("1.2.3")
  expect_identical(c(major, minor, patch), 1:3)
  held <- list()
  .[held$one, held[["two"]]] <- list(quote(a), NULL)
  expect_identical(held, list(one = quote(a)))
  f <- function() {
    .[a, b] <- list(5, 6)
    a + b
  }
  expect_identical(f(), 11)
  .[rows, columns] <- dim(tensor(matrix(0, 2, 3)))
  expect_identical(c(rows, columns), 2:3)
  .[one, two] <- tensor(matrix(1:4, 2))
  expect_identical(as.array(two), array(c(2L, 4L)))
  .[batch, .., channels] <- op_shape(layer_input(c(4, 5, 3)))
  expect_identical(list(batch, channels), list(NA_integer_, 3L))
})

test_that("names that do not fit are refused", {
  refused <- function(expr, text) expect_error(expr, text, fixed = TRUE, class = "nativenet_error")
  refused(.[a, b] <- 1:3, "`.()`: there are 2 names for 3 parts of")
  refused(.[a, b] <- 1, "there are 2 names for 1 parts of 1")
  refused(.[a, .., b] <- 1, "there are 2 names for 1 parts")
  refused(.[.., a, ..] <- 1:3, "`..` stands once")
  refused(.[a] <- quote(x), "must be a list or a vector")
  expect_output(print(.), "gives the parts of a value names")
})
