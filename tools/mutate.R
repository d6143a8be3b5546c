# Rscript tools/mutate.R [files] [formats] [library]: reads so many damaged files, in turn of every format (or of those
# whose names match), and writes what is not right: crashes, hangs, errors without a class, time or memory taken before
# a file is refused, files left behind, what is believed though it cannot be right. The files are those of
# tests/testthat/helper-mutate.R; number k is made from the seed k. Each process reads some thousands; where one dies,
# the next goes on. MUTATE_FROM=k begins at file k, FINDINGS=file keeps the findings.
arguments <- commandArgs(TRUE)
child <- length(arguments) && arguments[1] == "--child"
if (child) arguments <- arguments[-1]
files <- if (length(arguments)) as.numeric(arguments[1]) else 1000
pattern <- if (length(arguments) > 1) arguments[2] else "."
if (length(arguments) > 2) .libPaths(c(arguments[3], .libPaths()))
from <- as.numeric(Sys.getenv("MUTATE_FROM", "1"))
log <- Sys.getenv("FINDINGS", tempfile())

if (child) {
  suppressMessages(library(nativenet))
  for (helper in c("idx", "npz", "mutate")) source(sprintf("tests/testthat/helper-%s.R", helper))
  nn_threads(1)
  sink(nullfile())
  formats <- mutate_formats()
  formats <- formats[grepl(pattern, names(formats))]
  out <- file(log, "a")
  for (k in from:files) {
    name <- names(formats)[k %% length(formats) + 1]
    cat(sprintf("%.0f\t%s", k, name), file = out)
    flush(out)
    bytes <- mutant(formats[[name]], k)
    setTimeLimit(elapsed = 60, transient = TRUE)
    outcome <- file_outcome(formats[[name]], bytes)
    setTimeLimit()
    figures <- c(attr(outcome, "seconds"), attr(outcome, "taken"), length(bytes))
    cat(sprintf("\t%s\t%.2f\t%.1f\t%.0f\n", outcome, figures[1], figures[2], figures[3]), file = out)
    if (k %% 500 == 0) gc()
  }
  close(out)
  quit(status = 0)
}

unlink(log)
file.create(log)
log <- normalizePath(log)
while (from <= files) {
  to <- min(files, from + 4999)
  Sys.setenv(MUTATE_FROM = sprintf("%.0f", from), FINDINGS = log)
  # with little memory, so that what asks for too much is noticed at once; a sanitizer needs all addresses
  command <- paste(if (!nzchar(Sys.getenv("LD_PRELOAD"))) "ulimit -v 4000000;",
    shQuote(file.path(R.home("bin"), "Rscript")), "tools/mutate.R --child", sprintf("%.0f", to), shQuote(pattern),
    if (length(arguments) > 2) shQuote(arguments[3]))
  status <- suppressWarnings(system(paste(command, "2>>", shQuote(paste0(log, ".err"))), timeout = 3600))
  lines <- readLines(log, warn = FALSE)
  last <- strsplit(c(tail(lines, 1), "0")[1], "\t")[[1]]
  if (status != 0) {
    if (length(last) == 2) cat(sprintf("\t%s\t0\t0\t0\n", if (status == 124) "hung" else
      paste("crashed with status", status)), file = log, append = TRUE)
    if (!length(lines)) stop("no file was read; see ", log, ".err")
  }
  from <- as.numeric(last[1]) + 1
}

results <- utils::read.delim(log, header = FALSE, quote = "", col.names = c("file", "format", "outcome", "seconds",
  "megabytes", "bytes"))
kind <- sub("[: ].*", "", results$outcome)
bad <- results[!kind %in% c("read", "refused"), ]
if (nrow(bad)) cat(sprintf("file %d, %s: %s", bad$file, bad$format, bad$outcome), sep = "\n")
print(table(results$format, kind))
refused <- results[kind == "refused", ]
cat(nrow(results), "files,", nrow(bad), "findings; before a file was refused it took at most", max(0, refused$seconds),
  "s and", max(0, refused$megabytes), "MB\n")
quit(status = if (nrow(bad)) 1 else 0)
