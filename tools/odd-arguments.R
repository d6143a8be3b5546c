# Rscript tools/odd-arguments.R [pattern] [file]: calls every exported function with odd values for each argument and
# writes what is not right: raw errors and warnings of R, nonsense that is taken, crashes, hangs. The calls are those of
# tests/testthat/helper-odd-arguments.R. Each process makes some, in the folder of its own; where one dies, the next
# goes on. `pattern` chooses functions by name; `file` gets every outcome. ODD_MESSAGES=1 has the messages of what was
# refused in it.
arguments <- commandArgs(TRUE)
child <- length(arguments) && arguments[1] == "--child"
helpers <- normalizePath(file.path("tests/testthat", c("helper-npz.R", "helper-odd-arguments.R")), mustWork = FALSE)
pattern <- if (child) arguments[2] else if (length(arguments)) arguments[1] else "."

prepare <- function(helpers) {
  suppressMessages(library(nativenet))
  for (helper in helpers) source(helper, globalenv())
  bases <- odd_bases()
  odd_cases(bases[grepl(pattern, vapply(bases, function(call) paste(deparse(call[[1]]), collapse = ""), ""))])
}

if (child) {
  # --child pattern from to file helpers...
  from <- as.integer(arguments[3])
  cases <- prepare(arguments[-(1:5)])
  setwd(tempdir())
  pdf(NULL)
  log <- file(arguments[5], "a")
  sink(nullfile())
  for (k in from:as.integer(arguments[4])) {
    writeLines(sprintf("%d\t%s", k, odd_label(cases, k)), log)
    flush(log)
    setTimeLimit(elapsed = 60, transient = TRUE)
    outcome <- odd_try(cases, k)
    setTimeLimit()
    writeLines(sprintf("%d\tis\t%s", k, outcome), log)
    if (k %% 200 == 0) gc()
  }
  close(log)
  quit(status = 0)
}

out <- if (length(arguments) > 1) arguments[2] else tempfile()
unlink(out)
file.create(out)
out <- normalizePath(out)
cases <- prepare(helpers)
n <- nrow(cases$grid)
cat(n, "calls of", length(cases$bases), "base calls\n")
from <- 1
while (from <= n) {
  # with little memory, so that what asks for too much is noticed at once
  command <- paste("ulimit -v 4000000;", shQuote(file.path(R.home("bin"), "Rscript")), "tools/odd-arguments.R --child",
    shQuote(pattern), from, min(n, from + 4999), shQuote(out), paste(shQuote(helpers), collapse = " "))
  status <- suppressWarnings(system(paste(command, "2>", shQuote(paste0(out, ".err"))), timeout = 3600))
  last <- strsplit(c(tail(readLines(out, warn = FALSE), 1), "0")[1], "\t")[[1]]
  if (status != 0 && !identical(last[2], "is")) cat(sprintf("%s\tis\t%s\n", last[1], if (status == 124) "hung" else
    paste("crashed with status", status)), file = out, append = TRUE)
  from <- as.integer(last[1]) + 1
}

lines <- strsplit(readLines(out, warn = FALSE), "\t")
results <- Filter(function(l) identical(l[2], "is"), lines)
calls <- vapply(as.integer(vapply(results, `[`, "", 1)), function(k) odd_label(cases, k), "")
outcomes <- vapply(results, `[`, "", 3)
kind <- sub("[: ].*", "", outcomes)
writeLines(paste(calls, outcomes, sep = "\t"), out)
bad <- !odd_is_right(outcomes)
cat(paste(calls[bad], outcomes[bad], sep = "\t"), sep = "\n")
print(table(kind))
quit(status = if (any(bad)) 1 else 0)
