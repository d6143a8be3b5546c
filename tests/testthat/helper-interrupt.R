# Waiting for what other processes do, and interrupting them. No test depends on how busy the machine is: what is waited
# for has ten minutes, and how long something goes on is measured in processor time.

#' Does it come true?
happens <- function(condition) {
  for (i in 1:60000) if (condition()) return(TRUE) else Sys.sleep(0.01)
  FALSE
}

processor_time <- function() sum(proc.time()[c("user.self", "sys.self")])

#' Is SIGINT, the second signal, ignored, as it is for what a shell began in the background? R 4.6 leaves that so.
ignores_interrupts <- function(status = "/proc/self/status") {
  ignored <- if (file.exists(status)) grep("^SigIgn:", readLines(status), value = TRUE)
  isTRUE(strtoi(substring(ignored, nchar(ignored)), 16) %/% 2 %% 2 == 1)
}

#' Begins `code(running, ...)` in the session of callr, interrupts it `wait` seconds after it has made the file
#' `running`, and gives what it returned; as attribute `sent`, the processor time that the session had taken by then.
interrupted <- function(session, code, ..., wait = 0.3) {
  testthat::skip_if(session$run(ignores_interrupts), "interrupts are ignored here")
  running <- tempfile()
  session$call(code, list(running, ...))
  expect_true(happens(function() file.exists(running) || session$poll_process(0) == "ready"))
  Sys.sleep(wait)
  session$interrupt()
  sent <- sum(unlist(session$get_cpu_times()[c("user", "system")]))
  expect_identical(session$poll_process(600000), "ready")
  structure(session$read()$result, sent = sent)
}
