# The process in which check_lab() runs a student's file, and what the checks in inst/labs/checks/ are written in. All
# functions live in the namespace, so that a file that hides `c` or `T`, empties the workspace or detaches the package
# does not reach them.

#' Run a file, then its checks; leave a note in `folder` before and after each step, so that an end without notice can
#' be placed.
#' @noRd
run_lab <- function(file, checks, folder) {
  silence()
  count <- 0
  note <- function(check, ok, message) {
    count <<- count + 1
    replace_text(file.path(folder, sprintf("%06d.json", count)),
      to_json(list(check = check, ok = ok, message = as_utf8(message))))
  }
  setwd(dirname(file))
  student_file$open <- any(grepl("^[ \t]*#+'?[ \t]*TODO\\b", readLines(file, warn = FALSE), useBytes = TRUE))
  trouble <- run_file(file, function(place) note(file_runs, NA, place))
  note(file_runs, is.null(trouble), if (is.null(trouble)) "" else c(trouble))
  if (!is.null(attr(trouble, "unread"))) return()
  # Checks are run once, and the methods of each new object would be compiled again.
  compiler::enableJIT(0)
  words <- new.env(parent = topenv())
  words$check <- function(title, code) {
    note(title, NA, "in this check")
    set.seed(1)
    silence()
    message <- tryCatch({ force(code); "" }, lab_fault = conditionMessage, error = function(e)
      paste0("R says: ", one_line(e), ".", hint_at(e)))
    note(title, !nzchar(message), message)
  }
  sys.source(checks, words)
}

# What a student's file says may be in any encoding or none.
as_utf8 <- function(x) iconv(enc2utf8(x), "UTF-8", "UTF-8", sub = "byte")

#' No pictures, whatever the file does to the devices.
#' @noRd
silence <- function() {
  options(device = function(...) grDevices::pdf(NULL), warn = -1, error = NULL)
  grDevices::graphics.off()
}

#' The message of an error, and the call it comes from.
#' @noRd
one_line <- function(e) {
  short <- function(text, most) {
    text <- gsub("[[:space:]]+", " ", paste(text, collapse = " "))
    if (nchar(text) > most) paste0(substr(text, 1, most), "...") else text
  }
  call <- conditionCall(e)
  known <- is.call(call) && !identical(call[[1]], quote(eval))
  paste0(short(conditionMessage(e), 300), if (known) paste0(" (in `", short(deparse(call), 60), "`)"))
}

#' What to think of on an error of R's own; gettext() because R speaks the student's language.
#' @noRd
hint_at <- function(e) {
  one_number <- grepl(gettext("the condition has length > 1", domain = "R"), conditionMessage(e), fixed = TRUE)
  if (one_number) " x is a matrix: work on all its numbers, not on one." else ""
}

#' Why a file is no R code: of "<text>:2:5: unexpected ')'" the line and the reason, and the line itself.
#' @noRd
unread_line <- function(e, lines) {
  parts <- regmatches(conditionMessage(e), regexec("^<text>:([0-9]+):[0-9]+: ([^\n]*)", conditionMessage(e)))[[1]]
  if (!length(parts)) return(conditionMessage(e))
  at <- as.integer(parts[2])
  paste0("line ", at, ": ", parts[3], if (at <= length(lines)) paste0(" in `", trimws(lines[at]), "`") else
    ": is a bracket or a quote not closed?")
}

#' Run all expressions of a file in the workspace, those after an error, too. Returns NULL, or what went wrong first,
#' and where.
#' @param begin called with the place of each expression before it is run.
#' @noRd
run_file <- function(file, begin) {
  lines <- r_lines(file)
  code <- tryCatch(parse(text = lines, keep.source = TRUE), error = identity)
  if (inherits(code, "error")) return(structure(paste0("It cannot be read as R code: ", unread_line(code, lines)),
    unread = TRUE))
  rows <- utils::getSrcref(code)
  faults <- character()
  for (i in seq_along(code)) {
    lines <- unique(c(rows[[i]][1], rows[[i]][3]))
    place <- paste(if (length(lines) > 1) "in lines" else "in line", paste(lines, collapse = " to "))
    begin(place)
    tryCatch({
      value <- withVisible(eval(code[[i]], globalenv()))
      if (value$visible) print(value$value)
    }, error = function(e) faults <<- c(faults, paste0(place, ": ", one_line(e))))
  }
  if (length(faults)) paste0(faults[1], if (length(faults) > 1) sprintf(" (and %d more after that)",
    length(faults) - 1))
}

#' The lines of R in a file; in R Markdown all others are made empty, so that numbers of lines hold.
#' @noRd
r_lines <- function(file) {
  lines <- readLines(file, warn = FALSE)
  if (!grepl("[.]rmd$", file, ignore.case = TRUE)) return(lines)
  opens <- grepl("^[ \t]*```+ *\\{[rR]\\b", lines)
  fence <- grepl("^[ \t]*```+", lines)
  inside <- FALSE
  for (i in seq_along(lines)) {
    if (inside && fence[i]) inside <- FALSE
    else if (!inside && opens[i]) {
      inside <- !grepl("eval *= *F", lines[i])
      lines[i] <- ""
    }
    if (!inside) lines[i] <- ""
  }
  lines
}

# ---- the words of checks ----

#' Images that the student's network has not seen: from the test part of `digits`, or drawn, as rows of numbers from 0
#' to 1.
#' @noRd
test_images <- function(n) {
  given <- get0("digits", globalenv(), inherits = FALSE)
  images <- if (is.list(given)) given$test$x
  if (!is.numeric(images) || !identical(dim(images)[-1], c(28L, 28L)) || nrow(images) < n)
    images <- dataset_digits(n, 0)$train$x
  array_reshape(images[seq_len(n), , ] / 255, c(n, 784))
}

#' End a check: what is wrong, in words for the student.
#' @noRd
fault <- function(...) stop(structure(class = c("lab_fault", "error", "condition"),
  list(message = paste0(...), call = NULL)))

# Of the file that is checked: is there a comment `# TODO` in it?
student_file <- new.env()
if_open <- function(yes, no = "") if (isTRUE(student_file$open)) yes else no

#' The end of a sentence about what is missing.
#' @noRd
todo_open <- function() if_open(": is its TODO still open?", ".")

need <- function(ok, ...) if (!isTRUE(ok)) fault(...)

#' What the file has defined under this name; ours of the same name does not count.
#' @noRd
student <- function(name) {
  if (!exists(name, envir = globalenv(), inherits = FALSE)) fault("`", name, "` is not there yet.")
  value <- get(name, envir = globalenv(), inherits = FALSE)
  if (is.null(value)) fault("`", name, "` is NULL", todo_open())
  value
}

#' An object of a class of the student's.
#' @noRd
object_of <- function(name, ...) {
  class <- student(name)
  if (is.function(class)) class(...) else class$new(...)
}

#' Up to four digits of a number, and shapes of what is no number.
#' @noRd
told <- function(x) if (is.numeric(x) && length(x) == 1) format(signif(as.double(x), 4)) else describe(x)

near <- function(a, b, tolerance = 1e-4) {
  length(a) == length(b) && all(is.finite(a)) && max(abs(a - b)) <= tolerance * max(abs(b), 1e-6)
}

#' As R numbers; `what` is how the student would write it.
#' @noRd
numbers <- function(value, what) {
  if (is_tensor(value)) value <- as.array(value)
  if (is.null(value)) fault("`", what, "` gives NULL", todo_open())
  if (is.logical(value) && all(is.na(value))) fault("`", what, "` gives NA", todo_open())
  if (!is.numeric(value) && !is.logical(value)) fault("`", what, "` must give numbers, not ", describe(value), ".")
  if (any(is.na(value))) fault("`", what, "` gives ", if (any(is.nan(value))) "NaN" else "NA", ".")
  value
}

#' Numbers of this shape, NA standing for any size.
#' @noRd
shaped <- function(value, dim, what) {
  value <- numbers(value, what)
  given <- if (is.null(base::dim(value))) length(value) else base::dim(value)
  fits <- length(given) == length(dim) && all(given == dim, na.rm = TRUE)
  if (!fits) fault("`", what, "` must have the shape ", format_shape(dim), ", but yours has ", format_shape(given), ".")
  value
}

#' The student's numbers must be these.
#' @param must ends the sentence "`what` must ...".
#' @param at the place that each number belongs to, and `point` what such a place is called.
#' @param says where the truth comes from.
#' @param slips what it would be after a common mistake: a list of numbers, named by what to say then.
#' @noRd
agree <- function(value, truth, what, must, at = NULL, point = "x", says = "it is", slips = list(), tolerance = 1e-4) {
  value <- shaped(value, if (is.null(dim(truth))) length(truth) else dim(truth), what)
  if (near(value, truth, tolerance)) return(invisible())
  rule <- paste0("`", what, "` must ", must)
  for (i in seq_along(slips)) if (near(value, slips[[i]], tolerance)) fault(rule, ". ", names(slips)[i])
  worst <- which.max(ifelse(is.finite(value), abs(value - truth), Inf))
  index <- if (is.null(dim(truth))) worst else arrayInd(worst, dim(truth))
  place <- if (!is.null(at)) paste0("at ", point, " = ", told(at[worst]), " ")
  else if (length(truth) > 1) paste0(if (is.null(dim(truth))) "at place [" else "at [row, column] = [",
    paste(index, collapse = ", "), "] ")
  ratio <- sum(value * truth) / sum(truth^2)
  several <- length(truth) > 1
  all <- if (!near(value, ratio * truth, tolerance)) ""
  else if (near(ratio, -1)) if (several) " All of yours have the opposite sign." else " Yours has the opposite sign."
  else if (several && (is_round(ratio) || is_round(1 / ratio))) paste0(" All of yours are ", told(ratio),
    " times as large.")
  fault(rule, ": ", place, "yours is ", told(value[worst]), ", and ", says, " ", told(truth[worst]), ".", all)
}

# A factor that a slip may have made, as 2 or -3; others are chance.
is_round <- function(x) is.finite(x) && abs(x) < 1000 && round(x) != 0 && near(x, round(x))

#' Derivatives of a function with one number as value, see check_gradient().
#' @noRd
slope_of <- function(f, x) `attr<-`(finite_differences(f, x, 1e-6), "noise", NULL)
