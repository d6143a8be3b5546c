# Rscript tools/odd-arguments.R [pattern] [file]: calls every exported function with odd values for each argument and
# writes what is not right: raw errors and warnings of R, nonsense that is taken, crashes, hangs. The calls are those of
# tests/testthat/helper-odd-arguments.R. Each process makes some, in the folder of its own. `pattern` chooses functions
# by name; `file` gets every outcome. ODD_MESSAGES=1 has the messages of what was refused in it.
source("tools/pieces.R")
arguments <- commandArgs(TRUE)

prepare <- function(pattern) {
  suppressMessages(library(nativenet))
  for (helper in c("npz", "odd-arguments", "odd-tf", "op-keras")) source(sprintf("tests/testthat/helper-%s.R", helper), globalenv())
  bases <- odd_bases()
  odd_cases(bases[grepl(pattern, vapply(bases, function(call) paste(deparse(call[[1]]), collapse = ""), ""))])
}

if (length(arguments) && arguments[1] == "--child") {
  # --child from to log pattern
  cases <- prepare(arguments[5])
  setwd(tempdir())
  pdf(NULL)
  sink(nullfile())
  try_piece(as.numeric(arguments[2]), as.numeric(arguments[3]), arguments[4], function(k) odd_label(cases, k, " "),
    function(k) odd_try(cases, k))
  quit(status = 0)
}

pattern <- if (length(arguments)) arguments[1] else "."
out <- if (length(arguments) > 1) arguments[2] else tempfile()
cases <- prepare(pattern)
n <- nrow(cases$grid)
cat(n, "calls of", length(cases$bases), "base calls\n")
lines <- run_pieces("tools/odd-arguments.R", 1, n, out, pattern)
calls <- vapply(lines, function(line) odd_label(cases, as.integer(line[1])), "")
outcomes <- vapply(lines, `[`, "", 3)
kind <- sub("[: ].*", "", outcomes)
writeLines(paste(calls, outcomes, sep = "\t"), out)
bad <- !odd_is_right(outcomes)
cat(paste(calls[bad], outcomes[bad], sep = "\t"), sep = "\n")
print(table(kind))
quit(status = if (any(bad)) 1 else 0)
