# What training shows while it runs, in the form of Keras 2: a bar for each epoch, or a line. All goes to R's standard
# output, so that sink() and capture.output() have it. Only a terminal that can overwrite a line sees the bar grow.

#' What `verbose` means: 0 silent, 1 a bar per epoch, 2 a line per epoch. "auto" shows bars to people who watch, and
#' leaves reports and batch jobs quiet.
#' @noRd
resolve_verbose <- function(verbose = getOption("keras.fit_verbose", "auto"), fun = calling_function()) {
  if (identical(verbose, "auto")) return(if (interactive() && !isTRUE(getOption("knitr.in.progress"))) 1L else 0L)
  verbose <- plain_argument(verbose)
  if (isTRUE(verbose) || isFALSE(verbose)) return(as.integer(verbose))
  if (!is_number(verbose) || !verbose %in% 0:2) abort("`verbose` must be 0, 1, 2 or \"auto\", not ", describe(verbose),
    fun = fun)
  as.integer(verbose)
}

#' The progress of `epochs` epochs of `steps` steps each (`NA`: not known before the first epoch's end). Without
#' `epochs` there is no header: `evaluate()` and `predict()`. Call `$epoch_begin(epoch)`, `epoch` from 1;
#' `$update(fraction, logs)` as often as you like; `$epoch_end(logs)` with all metrics of the epoch; `$done()` after the
#' last epoch and on the way out of an interrupt. Where the number of steps is not known, give `step` to `$update()` and
#' `$epoch_end()`. `clock` and `dynamic` are for tests.
#' @noRd
new_progress <- function(verbose, epochs = NULL, steps = NA, label = "Epoch", clock = function()
  proc.time()[["elapsed"]],
                         dynamic = cli::is_dynamic_tty(stdout())) {
  silent <- function(...) invisible()
  if (verbose == 0) return(list(epoch_begin = silent, update = silent, epoch_end = silent, done = silent))
  header <- NULL
  shown <- "" # of the line that is still open
  start <- drawn <- trained <- NA

  redraw <- function(line) {
    cat("\r", line, strrep(" ", max(0, nchar(shown) - nchar(line))), sep = "")
    utils::flush.console()
    shown <<- line
  }
  list(
    epoch_begin = function(epoch = 1) {
      start <<- clock()
      drawn <<- -Inf
      trained <<- NA
      header <<- if (!is.null(epochs)) sprintf("%s %.0f/%.0f", label, epoch, epochs)
      if (verbose == 1 && !is.null(header)) cat(header, "\n", sep = "")
      invisible()
    },
    update = function(fraction, logs, step = round(fraction * steps)) {
      now <- clock()
      if (!is.na(fraction) && fraction >= 1) trained <<- now
      # a redraw costs more than a step may
      if (verbose == 2 || !dynamic || now - drawn < 0.1) return(invisible())
      drawn <<- now
      time <- if (is.na(fraction)) paste0(format_seconds(now - start), " ", per_step(now - start, step))
      else paste0("ETA: ", format_eta(if (fraction > 0) (now - start) * (1 / fraction - 1) else NA))
      redraw(bar_line(step, steps, fraction, c(time, format_logs(logs)), line_width()))
    },
    epoch_end = function(logs, step = steps) {
      now <- clock()
      time <- paste(c(format_seconds(now - start), if (!is.na(step)) per_step((if (is.na(trained)) now else trained) -
        start, step)), collapse = " ")
      parts <- c(time, format_logs(logs))
      if (verbose == 2) {
        cat(paste(c(if (is.null(header)) sprintf("%.0f/%.0f", step, step) else header, parts), collapse = " - "), "\n",
          sep = "")
      } else {
        if (dynamic && nzchar(shown)) redraw("")
        cat(if (dynamic) "\r", bar_line(step, step, 1, parts, if (dynamic) line_width() else Inf, final = TRUE), "\n",
          sep = "")
      }
      shown <<- ""
      if (is.na(steps)) steps <<- step
      invisible()
    },
    done = function() {
      if (nzchar(shown)) cat("\n")
      shown <<- ""
      invisible()
    }
  )
}

# Terminals move on to the next line when the last column is filled.
line_width <- function() cli::console_width() - 1

#' "1875/1875 [====>....] - 3s - loss: 0.3": within `width` by a shorter bar, then by leaving out what stands last or,
#' in the final line, by going on in the next one.
#' @noRd
bar_line <- function(step, steps, fraction, parts, width, final = FALSE, most = 30, least = 10) {
  digits <- nchar(sprintf("%.0f", steps))
  count <- if (is.na(steps)) sprintf("%7.0f/Unknown", step) else sprintf("%*.0f/%.0f", digits, step, steps)
  rest <- paste0(" - ", parts)
  room <- width - nchar(count) - 3 - sum(nchar(rest))
  cells <- if (room >= least) min(most, room) else if (width - nchar(count) - 3 - nchar(rest[1]) >= least) least else 0
  if (!is.na(fraction) && cells > 0) count <- paste0(count, " [", bar(fraction, cells), "]")
  if (!final) {
    rest <- rest[nchar(count) + cumsum(nchar(rest)) <= width]
    return(substr(paste(c(count, rest), collapse = ""), 1, min(width, 1e4)))
  }
  lines <- count
  for (part in rest) {
    last <- length(lines)
    if (nchar(lines[last]) + nchar(part) <= width) lines[last] <- paste0(lines[last], part)
    else lines <- c(lines, part)
  }
  paste(lines, collapse = "\n")
}

#' "=====>....", all "=" at the end.
#' @noRd
bar <- function(fraction, cells) {
  done <- floor(min(max(fraction, 0), 1) * cells)
  if (done >= cells) return(strrep("=", cells))
  paste0(strrep("=", max(done - 1, 0)), if (done > 0) ">", strrep(".", cells - done))
}

format_logs <- function(logs) {
  if (!length(logs)) return(character())
  values <- vapply(logs, function(v) as.double(v)[1], 0)
  paste0(names(logs), ": ", format_metric(values))
}

#' As Keras writes metrics: 0.3274, but 3.2740e-04.
#' @noRd
format_metric <- function(x) ifelse(!is.na(x) & abs(x) > 1e-3, sprintf("%.4f", x), sprintf("%.4e", x))

format_seconds <- function(seconds) sprintf("%.0fs", seconds)

format_eta <- function(seconds) {
  if (is.na(seconds)) return("?")
  s <- round(seconds)
  if (s > 3600) return(sprintf("%.0f:%02.0f:%02.0f", s %/% 3600, s %% 3600 %/% 60, s %% 60))
  if (s > 60) sprintf("%.0f:%02.0f", s %/% 60, s %% 60) else format_seconds(s)
}

per_step <- function(seconds, steps) {
  each <- seconds / max(steps, 1)
  if (each >= 1) sprintf("%.0fs/step", each) else if (each >= 1e-3) sprintf("%.0fms/step", 1e3 * each) else
    sprintf("%.0fus/step", 1e6 * each)
}
