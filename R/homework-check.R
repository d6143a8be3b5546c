# Checks of a student's file: they run in a process of their own (R/homework-run.R), as it may loop, quit or crash.

#' Check a student's file
#'
#' Runs the file in a fresh R process and then the checks of its lab on what it has defined: values at known points,
#' derivatives against finite differences, shapes, and whether training works. Prints what holds and what does not, in
#' words that help to go on. Solutions are not shown. Any right implementation passes, whatever it looks like; a file
#' with open TODOs gives a list of what is to be done.
#'
#' The session that calls is left alone: its objects, options, working directory and random numbers. The file runs in
#' its own folder, without your profile, and with its output and its pictures thrown away. When it stops with an error,
#' what comes after it is run all the same. After `timeout` seconds of processor time, or ten times as long by the
#' clock, it is ended, along with all processes that it has started. It has your rights on this computer, so look at
#' files from people you do not know before you run them.
#'
#' @section What is accepted in the lab on back-propagation:
#' * the cross-entropy with or without a small constant inside the logarithms; it is a mean over rows;
#' * in `train_on_batch()`, the gradient of the mean over the batch, or the sum of the gradients of the samples, each
#'   taken as a batch of one, as the course sheet has it: n times as much;
#' * `backward()` of an activation is its derivative at the pre-activation. The sheet's printed loop hands it the
#'   output, which is the gradient for ReLU only: it is not accepted; see [activation].
#'
#' @param file path of an R script or an R Markdown file, of which the chunks of R are run (those with `eval = FALSE`
#'   are not).
#' @param lab name of the lab, see [use_lab()]; by default what the head of the file says, else the name of the file
#'   (`tensors-anna.R`).
#' @param timeout seconds of processor time after which the process is ended: what other programs do at the same time
#'   does not count. On Windows, seconds by the clock.
#' @return A data frame of class `nn_lab_check`, invisibly: a row per check with `check`, what must hold; `ok`; and
#'   `message`, why it does not. The first row says whether the file runs. Checks that were not reached have `ok = NA`.
#' @section Errors: `nativenet_error_file` for a file that is not there, `nativenet_error_value` if it is not clear
#'   which lab it belongs to.
#' @seealso [check_gradient()] for derivatives at the console.
#' @examples
#' file <- use_lab("backpropagation", solution = TRUE, path = tempdir(), open = FALSE)
#' checked <- check_lab(file)
#' all(checked$ok)
#' @export
check_lab <- function(file, lab = NULL, timeout = 60) {
  check_file(file, arg = "file")
  timeout <- check_number(timeout, min = 1, max = 1e6)
  if (is.null(lab)) lab <- lab_of(file)
  check_lab_name(lab)
  checks <- file.path(lab_folder(), "checks", paste0(lab, ".R"))
  folder <- tempfile("lab")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  late <- run_apart(sprintf("asNamespace(\"nativenet\")$run_lab(%s)",
    toString(vapply(normalizePath(c(file, checks, folder), "/"), deparse1, ""))),
    folder, ceiling(timeout))
  end <- if (late) sprintf("stopped after %g seconds", timeout) else "the process ended: `quit()`, or R crashed,"
  result <- lab_result(folder, check_titles(checks), end)
  print(structure(result, class = c("nn_lab_check", "data.frame"), file = basename(file), lab = lab))
}

lab_of <- function(file, fun = calling_function()) {
  header <- grep(lab_header, readLines(file, 20, warn = FALSE), value = TRUE, useBytes = TRUE)
  name <- sub(lab_header, "\\2", c(header, sub("[^a-z].*", "", basename(file))), useBytes = TRUE)
  known <- name[name %in% lab_names()]
  if (!length(known)) abort("neither the name of \"", basename(file),
    "\" nor its first lines say which lab it is; give `lab`", fun = fun)
  known[1]
}

#' Run a line of R in a process of its own. Its output goes nowhere. Was it ended for the time?
#' @param seconds of processor time that it may take.
#' @param longest seconds by the clock: a file may wait for ever.
#' @noRd
run_apart <- function(code, folder, seconds, longest = if (windows) seconds else 10 * seconds) {
  script <- file.path(folder, "run.R")
  writeLines(c(paste0(".libPaths(", paste(deparse(.libPaths()), collapse = ""), ")"), code), script)
  rscript <- file.path(R.home("bin"), "Rscript")
  windows <- .Platform$OS.type == "windows"
  late <- file.path(folder, "late")
  taken <- system.time(suppressWarnings(if (windows) {
    system2(rscript, c("--vanilla", shQuote(script)), stdout = FALSE, stderr = FALSE, timeout = longest)
  } else {
    # With a timeout, R makes the shell the head of a process group, interrupts that at its end, and waits long for
    # those who do not mind. The shell outlives the interrupt to end all of its group, the group of number $$, if it is
    # one. The soft limit's signal tells why the process ended, which its processor time does not: the system holds to
    # the limit by counting ticks, which on a busy machine differ from what it reports.
    system(timeout = longest, paste(
      sprintf("trap : INT TERM; (sleep %.0f; kill -9 -$$) > /dev/null 2>&1 &", longest + 2),
      sprintf("exec 2> /dev/null; ulimit -S -t %.0f; ulimit -H -t %.0f;", seconds, seconds + 1),
      shQuote(rscript), "--vanilla", shQuote(script), "> /dev/null < /dev/null;",
      "case $(kill -l $?) in *XCPU) : >", shQuote(late), ";; esac; kill -9 -$$"
    ))
  }), gcFirst = FALSE)
  taken[["elapsed"]] >= longest || file.exists(late) || !windows && sum(taken[c("user.child", "sys.child")]) > seconds
}

#' What the process has left in the folder, as a row per check.
#' @noRd
lab_result <- function(folder, titles, end) {
  notes <- Filter(Negate(is.null), lapply(sort(list.files(folder, "^[0-9]+[.]json$", full.names = TRUE)), lab_note))
  found <- do.call(rbind, lapply(notes, as.data.frame))
  done <- found[!is.na(found$ok), ]
  # the last thing that was begun and not finished
  open <- setdiff(found$check, done$check)
  if (length(open)) {
    last <- found[found$check == open, ]
    done <- rbind(done, data.frame(check = open, ok = FALSE, message = paste0(end, " ", last$message[nrow(last)])))
  }
  rest <- setdiff(c(file_runs, titles), done$check)
  if (length(rest)) done <- rbind(done, data.frame(check = rest, ok = NA, message = "not reached"))
  row.names(done) <- NULL
  done
}

#' A note that run_lab() has left, or that the student's file has put there: NULL if it is none.
#' @noRd
lab_note <- function(path) {
  note <- tryCatch(read_json_file(path, stop), error = function(e) NULL)
  if (!is.list(note) || !identical(names(note), c("check", "ok", "message"))) return()
  if (is.null(note$ok)) note["ok"] <- NA
  texts <- vapply(note[c("check", "message")], function(x) is.character(x) && length(x) == 1, NA)
  if (all(texts) && is.logical(note$ok)) note
}

file_runs <- "the file runs"

#' The checks of a file of checks, without running it.
#' @noRd
check_titles <- function(checks) {
  calls <- Filter(function(e) is.call(e) && identical(e[[1]], quote(check)),
    as.list(parse(checks, keep.source = FALSE)))
  vapply(calls, function(e) e[[2]], "")
}

#' @export
print.nn_lab_check <- function(x, ...) {
  if (!is.null(attr(x, "file"))) cli::cat_line(cli::style_bold(attr(x, "file")), ", lab ", attr(x, "lab"))
  for (i in seq_len(nrow(x))) {
    ok <- x$ok[i]
    sign <- if (is.na(ok)) cli::col_grey("-") else if (ok) cli::col_green(cli::symbol$tick) else
      cli::col_red(cli::symbol$cross)
    cli::cat_line(sign, " ", if (is.na(ok)) cli::col_grey(x$check[i]) else x$check[i])
    if (isFALSE(ok)) cli::cat_line(strwrap(x$message[i], cli::console_width() - 1, indent = 4, exdent = 4))
  }
  cli::cat_line(sum(x$ok, na.rm = TRUE), " of ", nrow(x), if (all(x$ok %in% TRUE)) ": all that is checked holds." else
    " hold.")
  invisible(x)
}
