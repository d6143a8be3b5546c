# Runs the test suite against the installed package; started by tools/test.sh.
# A test is one test_that(); the last line printed counts them.
mark <- commandArgs(TRUE)
filter <- Sys.getenv("TEST_FILTER")
started <- proc.time()[["elapsed"]]
results <- testthat::test_dir(
  "tests/testthat",
  package = "nativenet", load_package = "installed",
  filter = if (nzchar(filter)) filter,
  reporter = testthat::SummaryReporter$new(show_praise = FALSE, max_reports = 100L),
  stop_on_failure = FALSE
)
results <- as.data.frame(results)
elapsed <- proc.time()[["elapsed"]] - started

failed <- results$failed > 0 | results$error
skipped <- results$skipped & !failed
passed <- !failed & !skipped

seconds <- sort(tapply(results$real, results$file, sum), decreasing = TRUE)
cat(sprintf("\n%.0f s in all; slowest: %s\n", elapsed,
            toString(sprintf("%s %.0f s", names(seconds), seconds)[seq_len(min(10, length(seconds)))])))
cat(sum(results$warning), "warnings,", sum(results$nb), "expectations\n")
invisible(file.create(mark))
cat(sprintf("%d passed, %d failed, %d skipped\n", sum(passed), sum(failed), sum(skipped)))
quit(status = if (any(failed) || !any(passed)) 1 else 0)
