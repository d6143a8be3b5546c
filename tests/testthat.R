if (requireNamespace("testthat", quietly = TRUE)) { # suggested, not required
  library(testthat)
  library(nativenet)
  test_check("nativenet")
}
