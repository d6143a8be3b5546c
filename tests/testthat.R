library(testthat)
library(nativenet)

test_check("nativenet")
