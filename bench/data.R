# Rows from files: megabytes per second, and the most memory of the process (all of it, and what is no part of a file),
# of numbers in a file in order, shuffled by blocks and in shards, and of smaller tables in Parquet and CSV. The system
# forgets the file before each reading (`dd oflag=nocache`); each is a process of its own. Linux only.
#
# usage: Rscript bench/data.R [folder with room] [gigabytes] [megabytes of the tables]
arguments <- commandArgs(TRUE)
library(nativenet)
nn_threads(1)
columns <- 1024

status <- function(field) {
  line <- grep(field, readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

kinds <- list(
  "in order" = function(data) data,
  "shuffled: block_size = 64, buffer_size = 8192" = function(data) dataset_shuffle(data, 8192, 1, block_size = 64),
  "shuffled: block_size = 256, buffer_size = 16384" = function(data) dataset_shuffle(data, 16384, 1, block_size = 256),
  "one of 4 shards" = function(data) dataset_shard(data, 4, 1)
)

if (identical(arguments[1], "run")) {
  path <- arguments[3]
  data <- switch(arguments[2],
    parquet = parquet_dataset(Sys.glob(file.path(path, "*.parquet"))), csv = csv_dataset(path),
    kinds[[arguments[2]]](array_file_dataset(path, dim = c(file.size(path) / 4 / columns, columns))))
  bytes <- sum(file.size(if (arguments[2] == "parquet") Sys.glob(file.path(path, "*.parquet")) else path))
  if (arguments[2] == "one of 4 shards") bytes <- bytes / 4
  most <- rows <- 0
  start <- proc.time()[["elapsed"]]
  it <- as_iterator(dataset_batch(data, 256))
  while (!is.null(batch <- iter_next(it))) {
    rows <- rows + dim(if (is.list(batch)) batch[[1]] else batch)[1]
    most <- max(most, status("RssAnon"))
  }
  seconds <- proc.time()[["elapsed"]] - start
  cat(sprintf("%-48s %7.0f MB/s %9.0f rows/s, memory %4.0f MB, of which %4.0f MB are no part of a file\n", arguments[2],
    bytes / 1e6 / seconds, rows / seconds, status("VmHWM"), most))
  quit()
}

folder <- if (length(arguments)) arguments[1] else tempdir()
gigabytes <- if (length(arguments) > 1) as.numeric(arguments[2]) else 5
megabytes <- if (length(arguments) > 2) as.numeric(arguments[3]) else 100
run <- function(kind, path) {
  for (file in if (dir.exists(path)) list.files(path, full.names = TRUE) else path)
    system2("dd", c(paste0("of=", shQuote(file)), "oflag=nocache", "conv=notrunc,fdatasync", "count=0"), stderr = FALSE)
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  system2(file.path(R.home("bin"), "Rscript"), shQuote(c(script, "run", kind, path)))
}
path <- file.path(folder, "numbers")
con <- file(path, "wb")
block <- writeBin(runif(2500 * columns), raw(), size = 4)
for (i in seq_len(gigabytes * 1e9 / length(block))) writeBin(block, con)
close(con)
for (kind in names(kinds)) run(kind, path)
unlink(path)

rows <- 1e5
table <- as.data.frame(matrix(rnorm(rows * 11), rows))
for (kind in c("parquet", "csv")) {
  path <- file.path(folder, kind)
  if (kind == "csv") {
    utils::write.csv(table[seq_len(megabytes * 1e6 / 200 / 10), ], path, row.names = FALSE)
  } else {
    dir.create(path)
    for (i in seq_len(megabytes * 1e6 / rows / 88)) nanoparquet::write_parquet(table, file.path(path, paste0(i,
      ".parquet")))
  }
  run(kind, path)
  unlink(path, recursive = TRUE)
}
