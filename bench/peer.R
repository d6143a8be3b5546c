# What the benchmarks share: their arguments, the peer's side, and rounds of measurements.

args <- commandArgs(trailingOnly = TRUE) # PEER.py DATA_DIR [rounds]
peer <- args[1]
data <- args[2]
rounds <- if (length(args) > 2) as.integer(args[3]) else 5
Sys.setenv(NATIVENET_DATA = data)

# PyTorch multiplies by the BLAS of the system: with the reference BLAS it takes ten times as long. Two threads pay only with
# OpenBLAS built on OpenMP (Debian's package libopenblas0-openmp).
openmp_blas <- dirname(Sys.glob("/usr/lib/*/openblas-openmp/libblas.so.3"))
if (length(openmp_blas) == 0) stop("PyTorch needs OpenBLAS: apt-get install libopenblas0-openmp")

theirs <- function(peer, data, name, threads) {
  out <- system2(Sys.getenv("PYTHON", "python3"), c(peer, data, name, "--threads", threads),
    stdout = TRUE, stderr = FALSE, env = paste0("LD_LIBRARY_PATH=", openmp_blas[1]))
  as.numeric(sub(".*samples_per_s=([0-9]+).*", "\\1", grep("samples_per_s", out, value = TRUE)))
}

#' Interleaved rounds of ours(name, threads) and the peer on one and two threads; prints each and their medians. As the figure to
#' trust on a noisy machine, the median over rounds of the ratio to the faster of the peer's settings in the same round.
compare <- function(workloads, ours) {
  results <- NULL
  for (round in seq_len(rounds)) {
    for (name in names(workloads)) {
      row <- data.frame(
        round, workload = name,
        ours_1 = ours(name, 1), peer_1 = theirs(peer, data, workloads[[name]], 1),
        ours_2 = ours(name, 2), peer_2 = theirs(peer, data, workloads[[name]], 2)
      )
      print(row, row.names = FALSE, digits = 6)
      results <- rbind(results, row)
    }
  }
  best <- pmax(results$peer_1, results$peer_2)
  summary <- do.call(rbind, lapply(names(workloads), function(name) {
    i <- results$workload == name
    medians <- vapply(results[i, c("ours_1", "ours_2", "peer_1", "peer_2")], stats::median, 0)
    data.frame(workload = name, t(medians), ratio_1 = stats::median((results$ours_1 / best)[i]), ratio_2 = stats::median((results$ours_2 / best)[i]),
      same_1 = stats::median((results$ours_1 / results$peer_1)[i]), same_2 = stats::median((results$ours_2 / results$peer_2)[i]))
  }))
  cat("\nmedians of", rounds, "rounds, samples per second; ratio: to the peer's best of the round, same: at the same number of threads\n")
  print(summary, row.names = FALSE, digits = 3)
  print(nn_features()[c("instructions", "cores")])
}
