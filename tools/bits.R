# Rscript tools/bits.R [threads]: every op, its derivative and the networks of tests/testthat/helper-bits.R on 1, 2, 4
# and 8 threads (or those named: 1,3), in every instruction set that processor and build have. Says what differs from one
# thread; with BITS=file it also writes a sum of each result, for a comparison with another state of the package.
suppressMessages({
  library(testthat)
  library(nativenet)
})
for (name in c("gradient", "op-cases", "op-composed", "op-convolution", "op-image", "op-linalg", "op-normalize",
  "op-recurrent", "op-window", "bits")) source(file.path("tests/testthat", paste0("helper-", name, ".R")))
arguments <- commandArgs(TRUE)
counts <- if (length(arguments)) as.integer(strsplit(arguments, ",")[[1]]) else c(1L, 2L, 4L, 8L)
md5 <- function(x) {
  file <- tempfile()
  on.exit(unlink(file))
  saveRDS(x, file, compress = FALSE)
  unname(tools::md5sum(file))
}
sums <- function() c(unlist(lapply(c(float32 = "float32", float64 = "float64"), function(dtype)
  vapply(bits_of_ops(dtype), md5, ""))), vapply(bits_networks, function(f) md5(f()), ""))
log <- Sys.getenv("BITS")
found <- 0
for (set in kernel_sets()) {
  alone <- NULL
  for (threads in counts) {
    now <- with_kernels(set, with_threads(threads, sums(), 1))
    if (is.null(alone)) alone <- now
    wrong <- names(now)[now != alone]
    found <- found + length(wrong)
    cat(sprintf("%s, %d threads: %d results, %d differ %s\n", set, threads, length(now), length(wrong), toString(wrong)))
    if (nzchar(log)) cat(paste(set, threads, names(now), now), file = log, sep = "\n", append = TRUE)
  }
}
quit(status = as.integer(found > 0))
