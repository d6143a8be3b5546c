# The engine's matrix multiply against the BLAS that R runs on: square products, GFLOPS, best of five.
#
# usage: Rscript bench/multiply.R [threads]
# Choose the BLAS from outside, for instance with LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp and
# OMP_NUM_THREADS as many as threads.
library(nativenet)

threads <- commandArgs(trailingOnly = TRUE)
threads <- if (length(threads)) as.integer(threads[1]) else 1L
nn_threads(threads)
options(matprod = "blas")
cat("BLAS:", normalizePath(extSoftVersion()[["BLAS"]]), "\nkernels:", nn_features()$instructions, " threads:", threads, "\n")

gflops <- function(n, f) {
  times <- max(3, round(2e9 / n^3))
  seconds <- min(replicate(5, system.time(for (i in seq_len(times)) f())[["elapsed"]])) / times
  round(2 * n^3 / seconds / 1e9)
}
for (n in c(256, 512, 1024, 2048)) {
  a <- matrix(rnorm(n * n), n)
  b <- matrix(rnorm(n * n), n)
  doubles <- list(tensor(a), tensor(b))
  floats <- list(tensor(a, "float32"), tensor(b, "float32"))
  cat(sprintf("%4d  R's BLAS %4d  ours: float64 %4d  float32 %4d\n", n, gflops(n, function() a %*% b),
    gflops(n, function() op_matmul(doubles[[1]], doubles[[2]])), gflops(n, function() op_matmul(floats[[1]], floats[[2]]))))
}
