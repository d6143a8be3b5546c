# Rscript tools/mutate.R [files] [formats]: reads so many damaged files, in turn of every format (or of those whose names
# match), and writes what is not right: crashes, hangs, errors without a class, time or memory taken before a file is
# refused, files left behind, what is believed though it cannot be right. The files are those of
# tests/testthat/helper-mutate.R; number k is made from the seed k. MUTATE_FROM=k begins at file k, FINDINGS=file keeps
# the findings.
source("tools/pieces.R")
arguments <- commandArgs(TRUE)

if (length(arguments) && arguments[1] == "--child") {
  # --child from to log formats
  suppressMessages(library(nativenet))
  for (helper in c("idx", "npz", "mutate")) source(sprintf("tests/testthat/helper-%s.R", helper))
  nn_threads(1)
  sink(nullfile())
  formats <- mutate_formats()
  formats <- formats[grepl(arguments[5], names(formats))]
  format_of <- function(k) k %% length(formats) + 1
  try_piece(as.numeric(arguments[2]), as.numeric(arguments[3]), arguments[4], function(k) names(formats)[format_of(k)],
    function(k) {
      bytes <- mutant(formats[[format_of(k)]], k)
      outcome <- file_outcome(formats[[format_of(k)]], bytes)
      sprintf("%s\t%.2f\t%.1f\t%.0f", outcome, attr(outcome, "seconds"), attr(outcome, "taken"), length(bytes))
    })
  quit(status = 0)
}

files <- if (length(arguments)) as.numeric(arguments[1]) else 1000
pattern <- if (length(arguments) > 1) arguments[2] else "."
lines <- run_pieces("tools/mutate.R", as.numeric(Sys.getenv("MUTATE_FROM", "1")), files,
  Sys.getenv("FINDINGS", tempfile()), pattern)
part <- function(i) vapply(lines, function(line) c(line, "0", "0")[i], "")
outcome <- part(3)
kind <- sub("[: ].*", "", outcome)
bad <- !kind %in% c("read", "refused")
if (any(bad)) cat(sprintf("file %s, %s: %s", part(1)[bad], part(2)[bad], outcome[bad]), sep = "\n")
print(table(part(2), kind))
refused <- kind == "refused"
cat(length(lines), "files,", sum(bad), "findings; before a file was refused it took at most",
  max(0, as.numeric(part(4)[refused])), "s and", max(0, as.numeric(part(5)[refused])), "MB\n")
quit(status = if (any(bad)) 1 else 0)
