# Rscript tools/labs.R: writes the labs' templates of R Markdown and their tutorials into inst/, from inst/labs/*.R, the
# solutions. The text and the code of a lab stand there and nowhere else.

local({
  # strip_text() and what it needs; base R only, so that no installation is wanted
  ours <- new.env(parent = globalenv())
  for (file in c("R/caller.R", "R/check.R", "R/homework-files.R")) sys.source(file, ours)

  # A lab: name, title, and its pieces in order, each with `kind` ("prose" or "code") and `lines`.
  read_lab <- function(file) {
    lines <- readLines(file)
    title <- sub("^# Lab [a-z]+: ", "", lines[1])
    lines <- lines[-seq_len(which(lines == "")[1])]
    prose <- grepl("^#'", lines)
    runs <- rle(prose)
    pieces <- Map(function(prose, end, length) {
      piece <- lines[seq(end - length + 1, end)]
      if (prose) piece <- sub("^#' ?", "", piece)
      filled <- which(nzchar(piece))
      if (length(filled)) list(kind = if (prose) "prose" else "code", lines = piece[seq(min(filled), max(filled))])
    }, runs$values, cumsum(runs$lengths), runs$lengths)
    list(name = tools::file_path_sans_ext(basename(file)), title = title,
      pieces = Filter(Negate(is.null), unname(pieces)))
  }

  stripped <- function(lines) {
    if (!any(grepl("#!hwbegin", lines, fixed = TRUE))) return(lines)
    strsplit(ours$strip_text(paste0(lines, "\n", collapse = ""), "lab"), "\n", fixed = TRUE)[[1]]
  }
  solved <- function(lines) lines[!grepl("#!hw", lines, fixed = TRUE)]
  chunk <- function(header, lines) c(paste0("```{r", header, "}"), lines, "```", "")
  header <- function(...) c("---", ..., "---", "", "<!-- Written by tools/labs.R from inst/labs: change it there. -->",
    "")

  # The student's version as R Markdown.
  template <- function(lab) {
    body <- lapply(lab$pieces, function(piece) if (piece$kind == "prose") c(piece$lines, "") else
      chunk("", stripped(piece$lines)))
    c(
      header(paste0("title: \"", lab$title, "\""), "output: html_document", paste("lab:", lab$name)),
      chunk(" setup, include = FALSE",
        "knitr::opts_chunk$set(error = TRUE) # so that it can be knitted before all is written"),
      "After each piece, save this file and run `check_lab()` on it, at the console.", "", unlist(body)
    )
  }

  # Code with marks becomes an exercise with its solution. Exercises start from the objects of the whole solution, which
  # the setup makes.
  tutorial <- function(lab) {
    body <- Map(function(piece, i) {
      label <- paste0(lab$name, "-", i)
      if (piece$kind == "prose") c(piece$lines, "")
      else if (identical(stripped(piece$lines), piece$lines)) chunk(paste0(" ", label, ", eval = FALSE"), piece$lines)
      else c(
        chunk(paste0(" ", label, ", exercise = TRUE, exercise.lines = ", length(stripped(piece$lines)) + 4),
          stripped(piece$lines)),
        chunk(paste0(" ", label, "-solution"), solved(piece$lines))
      )
    }, lab$pieces, seq_along(lab$pieces))
    setup <- c(
      "library(learnr)", "tutorial_options(exercise.timelimit = 60)", "grDevices::pdf(NULL)",
      paste0("source(system.file(\"labs\", \"", lab$name, ".R\", package = \"nativenet\"), local = TRUE)"),
      "invisible(grDevices::dev.off())"
    )
    c(
      header(paste0("title: \"", lab$title, "\""), "output: learnr::tutorial", "runtime: shiny_prerendered",
        paste0("description: \"A lab of nativenet: ", lab$title, ".\"")),
      chunk(" setup, include = FALSE", setup),
      "## What to do", "",
      paste0("Each piece of code starts from what the solutions of all others have made. For checks of your own ",
        "work as a whole, take the lab as a file:"), paste0("`use_lab(\"", lab$name, "\")` and `check_lab()`."), "",
        unlist(body)
    )
  }

  put <- function(lines, ...) {
    file <- file.path("inst", ...)
    dir.create(dirname(file), recursive = TRUE, showWarnings = FALSE)
    while (!nzchar(lines[length(lines)])) lines <- lines[-length(lines)]
    writeBin(charToRaw(paste0(lines, "\n", collapse = "")), file) # the same on Windows
  }
  for (file in list.files("inst/labs", "[.]R$", full.names = TRUE)) {
    lab <- read_lab(file)
    about <- c(paste0("name: \"Lab: ", lab$title, "\""),
      "description: A lab of nativenet with pieces of code that are left to write.", "create_dir: false")
    put(about, "rmarkdown", "templates", lab$name, "template.yaml")
    put(template(lab), "rmarkdown", "templates", lab$name, "skeleton", "skeleton.Rmd")
    put(tutorial(lab), "tutorials", lab$name, paste0(lab$name, ".Rmd"))
  }
})
