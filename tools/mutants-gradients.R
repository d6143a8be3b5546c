# Rscript tools/mutants-gradients.R: with the package that tools/mutants.R built first in R_LIBS, does a test fail when
# a gradient is off by a factor of 1.001? Each differentiable op has two: that of its kernel in C, scaled while
# NATIVENET_SCALED has its name, and that of its rule in R/derivative.R. The tests are those of the test files
# themselves, on the cases of this op alone.
library(nativenet)
nn_threads(1)
folder <- "tests/testthat"
home <- new.env(parent = asNamespace("nativenet"))
for (helper in list.files(folder, "^helper-.*[.]R$", full.names = TRUE)) sys.source(helper, home)

# The bodies of tests in a file, beside what the file defines.
tests_of <- function(file, what) {
  code <- as.list(parse(file.path(folder, file)))
  is_test <- vapply(code, function(e) is.call(e) && identical(e[[1]], quote(test_that)), NA)
  for (e in code[!is_test]) eval(e, home)
  Filter(Negate(is.null), lapply(code[is_test], function(e) if (e[[2]] %in% what) e[[3]]))
}
kernel_tests <- tests_of("test-op-gradient.R", c("partial derivatives agree with finite differences",
  "slopes along random directions agree, in all inputs at once"))
rule_tests <- tests_of("test-derivative.R", "derivatives made of ops are those of the engine's kernels")
stopifnot(length(kernel_tests) == 2, length(rule_tests) == 1)

all_ops <- home$op_names(differentiable = TRUE)
table <- nativenet:::op_table()
home$composed <- character()
fails <- function(op, tests) {
  home$op_names <- function(...) op
  any(vapply(tests, function(test) inherits(try(eval(test, new.env(parent = home)), silent = TRUE), "try-error"), NA))
}
rules <- nativenet:::derivatives
set_rules <- function(rules) {
  space <- asNamespace("nativenet")
  unlockBinding("derivatives", space)
  assign("derivatives", rules, envir = space)
}
scaled <- function(rule) function(n) lapply(rule(n), function(g) if (is.null(g)) NULL else op_multiply(g, 1.001))

stopifnot(!fails(all_ops, c(kernel_tests, rule_tests)))
missed <- character()
for (op in all_ops) {
  Sys.setenv(NATIVENET_SCALED = op)
  kernel <- fails(op, kernel_tests)
  Sys.unsetenv("NATIVENET_SCALED")
  set_rules(replace(rules, op, list(scaled(rules[[op]]))))
  rule <- fails(op, rule_tests)
  set_rules(rules)
  missed <- c(missed, if (!kernel) paste("kernel of", op), if (!rule) paste("rule of", op))
}
cat(2 * length(all_ops), "gradients off by a factor, missed:", if (length(missed)) toString(missed) else "none", "\n")
quit(status = as.integer(length(missed) > 0))
