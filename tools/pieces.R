# For tools that try many cases, numbered from 1, some of which may end R: parent and child of the same script. The child
# tries 5,000 in a process of its own, and the parent goes on where it ended or died. The log has a line for each case:
# its number, its label, the outcome.

#' In the child: `outcome(k)` may take a minute of processor time.
try_piece <- function(from, to, log, label, outcome) {
  out <- file(log, "a")
  on.exit(close(out))
  for (k in from:to) {
    cat(sprintf("%.0f\t%s", k, label(k)), file = out)
    flush(out)
    setTimeLimit(cpu = 60, elapsed = 600, transient = TRUE)
    found <- outcome(k)
    setTimeLimit()
    cat("\t", gsub("[\r\n]+", " ", found), "\n", sep = "", file = out)
    if (k %% 200 == 0) gc()
  }
}

#' In the parent: all cases `from` .. `to`. The child is `script --child from to log arguments...`.
run_pieces <- function(script, from, to, log, arguments) {
  unlink(log)
  file.create(log)
  log <- normalizePath(log)
  number <- function(x) sprintf("%.0f", x)
  while (from <= to) {
    # with little memory, so that what asks for too much is noticed at once; a sanitizer needs all addresses
    command <- paste(if (!nzchar(Sys.getenv("LD_PRELOAD"))) "ulimit -v 4000000;",
      shQuote(file.path(R.home("bin"), "Rscript")), script, "--child", number(from), number(min(to, from + 4999)),
      paste(shQuote(c(log, arguments)), collapse = " "))
    status <- suppressWarnings(system(paste(command, "2>>", shQuote(paste0(log, ".err"))), timeout = 3600))
    last <- strsplit(c(utils::tail(readLines(log, warn = FALSE), 1), "0")[1], "\t")[[1]]
    if (as.numeric(last[1]) < from) stop("nothing was tried from ", number(from), " on; see ", log, ".err")
    if (status != 0 && length(last) == 2)
      cat("\t", if (status == 124) "hung" else paste("crashed with status", status), "\n", sep = "", file = log,
        append = TRUE)
    from <- as.numeric(last[1]) + 1
  }
  strsplit(readLines(log, warn = FALSE), "\t")
}
