# Lab files: what a teacher writes, solutions between marks, and what students get of it.

# A mark stands on a line of its own. Sheets that went through a PDF have `#!/hwbegin` or `\#!hwbegin`.
mark_pattern <- "\\\\?#!/?[ \t]*hw(begin|end)\\b"

#' A student's version of a file with solutions
#'
#' Solutions stand between two marks, each on a line of its own:
#'
#' ```
#' forward = function(x) {
#'   #!hwbegin TODO the value, number by number
#'   tanh(x)
#'   #!hwend
#' }
#' ```
#'
#' The student's version has the text of the first mark as a comment, as far to the right as the mark was, and nothing
#' of the solution. A `\n` in that text begins a new line of the comment. Works for R scripts and R Markdown files, and
#' on any other text. All other lines stay as they are, to the byte, with their line ends.
#'
#' Let what is left be R code: `x <- ` before a mark would take the next line of the file for the value of `x`. Marks
#' inside braces or parentheses are safe. [check_lab()] says whether the file can be read.
#'
#' @param file path of the file with the solutions.
#' @param output path of the student's version; an older one there is replaced. By default it lies beside `file`:
#'   `lab-solution.R` becomes `lab.R`, and any other `lab.R` becomes `lab-student.R`.
#' @return The path of the student's version, invisibly.
#' @section Errors: `nativenet_error_marks`, which gives the numbers of the lines, if the marks do not pair up, or stand
#'   beside code, or if there are none; then nothing is written. `nativenet_error_file` if `file` cannot be read, or
#'   `output` is the same file.
#' @seealso [use_lab()] for the labs of this package.
#' @examples
#' solution <- file.path(tempdir(), "square-solution.R")
#' lines <- c("square <- function(x) {", "  #!hwbegin TODO x times x", "  x^2", "  #!hwend", "}")
#' writeLines(lines, solution)
#' student <- strip_solutions(solution)
#' basename(student)
#' cat(readLines(student), sep = "\n")
#' @export
strip_solutions <- function(file, output = NULL) {
  check_file(file, arg = "file")
  if (is.null(output)) output <- student_path(file)
  check_string(output)
  if (file.exists(output) && normalizePath(output) == normalizePath(file)) {
    abort("`output` is `file` itself, whose solutions would be lost", class = "file")
  }
  replace_text(output, strip_text(read_text(file), file))
  invisible(output)
}

student_path <- function(file) {
  stem <- tools::file_path_sans_ext(file)
  student <- sub("[-_. ]solutions?$", "", stem)
  paste0(if (student == stem) paste0(stem, "-student") else student, ".", tools::file_ext(file))
}

# Bytes, so that neither encodings nor line ends change.
read_text <- function(file, fun = calling_function()) {
  as_string(read_bytes(file), function(...) abort(encodeString(file, quote = "\""), " holds no text: ", ...,
    class = "file", fun = fun))
}

#' @param text the whole file, one string.
#' @param name of the file, for messages.
#' @noRd
strip_text <- function(text, name, fun = calling_function()) {
  lines <- regmatches(text, gregexpr("[^\n]*\n|[^\n]+$", text, useBytes = TRUE))[[1]] # each with its line end
  marked <- grepl(mark_pattern, lines, useBytes = TRUE)
  alone <- grepl(paste0("^[ \t]*", mark_pattern), lines, useBytes = TRUE)
  begins <- grepl("hwbegin\\b", lines, useBytes = TRUE)[marked]
  at <- which(marked)
  wrong <- function(at, ...) {
    place <- paste(if (length(at) > 1) "lines" else "line", paste(at, collapse = ", "))
    abort("in \"", basename(name), "\", ", place, ": ", ..., class = "marks", fun = fun)
  }
  if (!length(at)) abort("\"", basename(name), "\" has no marks `#!hwbegin` and `#!hwend`", class = "marks", fun = fun)
  if (any(marked & !alone)) wrong(which(marked & !alone), "a mark must stand on a line of its own")
  before <- c(FALSE, begins[-length(begins)])
  nested <- begins & before
  if (any(nested)) wrong(rbind(at[which(nested) - 1], at[nested]),
    "`#!hwbegin` after `#!hwbegin`, whose `#!hwend` is missing")
  if (any(!begins & !before)) wrong(at[!begins & !before], "`#!hwend` without `#!hwbegin`")
  if (begins[length(begins)]) wrong(at[length(at)], "`#!hwbegin` without `#!hwend`")
  opened <- at[begins]
  kept <- c(TRUE, cumsum(marked)[-length(lines)] %% 2 == 0) & !marked # outside of a pair
  lines[opened] <- vapply(lines[opened], todo_lines, "")
  kept[opened] <- TRUE
  paste(lines[kept], collapse = "")
}

#' "  #!hwbegin TODO one\n# two" as a comment of two lines.
#' @noRd
todo_lines <- function(line) {
  indent <- sub("^([ \t]*).*", "\\1", gsub("[\r\n]", "", line, useBytes = TRUE), useBytes = TRUE)
  end <- sub("^[^\r\n]*", "", line, useBytes = TRUE)
  todo <- sub(paste0("^[ \t]*", mark_pattern, "[ \t]*([^\r\n]*?)[ \t]*[\r\n]*$"), "\\2", line, perl = TRUE,
    useBytes = TRUE)
  if (!nzchar(todo)) todo <- "TODO"
  parts <- strsplit(todo, "[ \t]*\\\\n[ \t]*#*[ \t]*", useBytes = TRUE)[[1]]
  paste0(indent, "# ", parts, end, collapse = "")
}

# ---- the labs of the package: inst/labs/*.R, each the one source of all its forms (tools/labs.R) ----

#' Labs for students
#'
#' `use_lab("backpropagation")` puts the student's file of that lab into a folder: a script with explanations, in which
#' pieces of code are left to write. `use_lab()` without a name lists the labs. [check_lab()] then tells how far one has
#' come. The same labs are templates of R Markdown (in RStudio: New File, R Markdown, From Template) and, where
#' \pkg{learnr} is installed, interactive tutorials: `learnr::run_tutorial("backpropagation", package = "nativenet")`.
#'
#' The student's files are made from those with the solutions by [strip_solutions()] at the moment of copying.
#'
#' @param name name of a lab, see `use_lab()`.
#' @param solution copy the file with the solutions, as `<name>-solution.R`?
#' @param path the folder.
#' @param open open the file in RStudio, where that is running?
#' @return The path of the new file, invisibly. Without `name`, a data frame with columns `lab` and `title`, invisibly.
#' @section Errors: `nativenet_error_file` if the file is there already, which is never overwritten, or the folder is
#'   not there.
#' @examples
#' use_lab()
#' file <- use_lab("backpropagation", path = tempdir(), open = FALSE)
#' head(readLines(file))
#' @export
use_lab <- function(name, solution = FALSE, path = ".", open = interactive()) {
  if (missing(name)) return(list_labs())
  check_lab_name(name)
  check_flag(solution)
  check_flag(open)
  check_string(path)
  if (!dir.exists(path)) abort("there is no folder \"", path, "\"", class = "file")
  target <- file.path(path, paste0(name, if (solution) "-solution", ".R"))
  if (file.exists(target)) {
    abort("\"", target, "\" is there already and stays as it is; rename it, or choose another folder by `path`",
      class = "file")
  }
  text <- read_text(lab_path(name))
  replace_text(target, if (solution) text else strip_text(text, name))
  if (open && requireNamespace("rstudioapi", quietly = TRUE) && rstudioapi::isAvailable())
    rstudioapi::navigateToFile(target)
  else cli::cat_line("The lab is in ", cli::col_blue(target))
  cli::cat_line("When a piece is written: ",
    cli::col_blue("check_lab(", encodeString(sub("^[.]/", "", target), quote = "\""), ")"))
  invisible(target)
}

# The first line of a lab: "# Lab tensors: An autoencoder with tapes"; in R Markdown, "lab: tensors" in the header.
lab_header <- "^(# Lab |lab: *)([a-z]+).*$"

lab_folder <- function() system.file("labs", package = "nativenet")
lab_path <- function(name) file.path(lab_folder(), paste0(name, ".R"))
lab_names <- function() tools::file_path_sans_ext(list.files(lab_folder(), "[.]R$"))
lab_title <- function(name) sub("^# Lab [a-z]+: ", "", readLines(lab_path(name), 1))

list_labs <- function() {
  labs <- data.frame(lab = lab_names(), title = vapply(lab_names(), lab_title, "", USE.NAMES = FALSE))
  cli::cat_line(cli::col_blue(format(labs$lab)), "  ", labs$title)
  invisible(labs)
}

check_lab_name <- function(name, arg = deparse(substitute(name)), fun = calling_function()) {
  check_string(name, arg = arg, fun = fun)
  if (!name %in% lab_names()) abort("no lab is called \"", name, "\"", did_you_mean(name, lab_names()), fun = fun)
}
