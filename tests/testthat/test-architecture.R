# The rules of the architecture that a program can check. They need the sources beside the tests.

root <- testthat::test_path("..", "..")
sources <- function(pattern, folder) list.files(file.path(root, folder), pattern, full.names = TRUE, recursive = TRUE)
skip_without_sources <- function() skip_if_not(
  all(file.exists(file.path(root, c("DESCRIPTION", "src/init.c", "R/check.R")))), "no sources")
c_files <- function() sources("[.][ch]$", "src")
r_files <- function() sources("[.]R$", "R")

# Code only: without comments and, for words, without strings.
code <- function(file) {
  text <- paste(readLines(file, warn = FALSE), collapse = "\n")
  if (grepl("[.]R$", file)) {
    return(gsub("(?m)(^|\\s)#[^\n]*", "", gsub("\"([^\"\\\\\n]|\\\\.)*\"", "\"\"", text, perl = TRUE), perl = TRUE))
  }
  text <- gsub("(?s)/\\*.*?\\*/", " ", text, perl = TRUE)
  gsub("(?m)//[^\n]*", "", gsub("\"([^\"\\\\\n]|\\\\.)*\"", "\"\"", text, perl = TRUE), perl = TRUE)
}
with_headers <- function(file) gsub("(?s)/\\*.*?\\*/", " ", paste(readLines(file, warn = FALSE), collapse = "\n"),
  perl = TRUE)
within <- function(files) sub(".*/(src|R)/", "", files)
having <- function(files, pattern, read = code) {
  found <- files[vapply(files, function(f) grepl(pattern, read(f), perl = TRUE), NA)]
  sort(within(found))
}

# The folders of src/, and those whose headers the files of each may include. Formats stand beside the floors.
c_floors <- list(base = "base", ops = c("base", "ops"), kernels = c("base", "ops", "kernels"),
  graph = c("base", "ops", "graph"), run = c("base", "ops", "kernels", "graph", "run"), formats = c("base", "formats"),
  border = c("base", "ops", "kernels", "graph", "run", "formats", "border"))
border_files <- function() grep("/(border/[^/]*|init[.]c)$", c_files(), value = TRUE)

test_that("files of src/ include headers of their own floor and of those below", {
  skip_without_sources()
  expect_setequal(dirname(within(c_files())), c(names(c_floors), "."))
  included <- lapply(c_files(), function(file) {
    named <- unlist(regmatches(with_headers(file), gregexpr("#\\s*include\\s*\"[^\"]+\"", with_headers(file))))
    named <- sub(".*\"(.*)\"", "\\1", named)
    folder <- dirname(within(file))
    allowed <- if (folder == ".") "border" else c_floors[[folder]]
    siblings <- grepl("kernels/all[.]h$", file) & !grepl("/", named)
    wrong <- named[!dirname(named) %in% allowed & !siblings]
    paste(within(file), "includes", wrong, recycle0 = TRUE)
  })
  expect_identical(unlist(included), character())
})

test_that("no function in C has more than 60 lines", {
  skip_without_sources()
  long <- lapply(c_files(), function(file) {
    lines <- readLines(file)
    begins <- grep("^[A-Za-z_][^;]*\\(|^(INLINE|static) ", lines)
    ends <- which(lines == "}")
    first <- vapply(ends, function(end) max(c(0L, begins[begins < end])), 0L)
    paste0(within(file), ":", first[ends - first >= 60])[any(ends - first >= 60)]
  })
  expect_identical(unlist(long), character())
})

test_that("no function in R has more than 60 lines", {
  skip_without_sources()
  long <- function(e) { # the first lines of those in an expression
    if (!is.recursive(e)) return(NULL)
    place <- if (is.call(e) && identical(e[[1]], quote(`function`))) e[[4]]
    c(if (!is.null(place) && place[3] - place[1] >= 60) place[1],
      unlist(lapply(as.list(e), function(part) if (!identical(part, quote(expr = ))) long(part))))
  }
  found <- lapply(r_files(), function(file) paste0(within(file), ":", long(parse(file, keep.source = TRUE)),
    recycle0 = TRUE))
  expect_identical(unlist(found), character())
  expect_identical(long(parse(text = c("f <- function(x) {", rep("x", 59), "}"), keep.source = TRUE)), 1L)
})

test_that("kernels know no threads: the interpreter has the barriers", {
  skip_without_sources()
  kernels <- grep("/kernels/", c_files(), value = TRUE)
  expect_gt(length(kernels), 30)
  expect_identical(having(kernels, "base/threads[.]h", with_headers), character())
  expect_identical(having(kernels, "team_|atomic_|pthread"), character())
})

test_that("only the border includes R's headers", {
  skip_without_sources()
  found <- having(c_files(), "#\\s*include\\s*[<\"](R|Rinternals|Rmath|R_ext/\\w+|Rversion|Rdefines)[.]h", with_headers)
  expect_identical(setdiff(found, within(border_files())), character())
  core <- setdiff(c_files(), border_files())
  expect_gt(length(core), 50)
  expect_identical(having(core, "\\bSEXP\\b|\\bRf_\\w+|\\bPROTECT\\b"), character())
})

test_that(".Call stands in the files that border on the engine only", {
  skip_without_sources()
  allowed <- c("nativenet-package.R", "session.R", "threads.R", "tensor.R", "op.R", "tape.R", "derivative.R",
    "program.R", "program-print.R", "autograph.R", "optimizer.R", "dataset.R", "dataset-verb.R", "dataset-batch.R",
    "dataset-cache.R", "dataset-file.R", "dataset-loop.R", "dataset-tfrecord.R", "tf-example.R",
    "course-network.R", "course-network-step.R", "course-network-r.R", "course-optimizer.R", "data-digits.R",
    "model-step.R", "model-rows.R", "evaluate.R", "fit.R", "file.R", "file-zip.R", "json.R", "safetensors.R",
    "communicator.R", "strategy.R", "strategy-run.R", "strategy-mpi.R",
    "data-file.R", "data-imdb.R", "data-npz.R", "layer-hashing.R")
  found <- having(r_files(), "[.]Call\\(|[.]External\\b|[.]C\\(")
  expect_identical(setdiff(found, allowed), character())
  expect_true("op.R" %in% found)
})

# Which floor a file of R/ stands on, by its name. A file uses its own floor and those below. What is above is reached
# by S3 methods: the generic stands below.
floors <- c(
  "errors, checks, the session" = "caller|check|file(-.*)?|json|kinds|session|structure",
  "tensors, ops, derivatives" = paste0("array-reshape|custom-gradient|derivative(-.*)?|eager-number|",
    "forward-accumulator|hessian|",
    "jacobian|numbers|op(-.*)?|plot|program-print|random-state|tape|tensor(-.*)?|threads|user-code"),
  "programs" = "autograph(-.*)?|communicator|loop|program|strategy(-mpi)?",
  "layers and other parts of models" = paste0("activation(-.*)?|class(-.*)?|config(-.*)?|constraint|initializer|",
    "layer(-.*)?|loss(-.*)?|metric(-.*)?|module|optimizer(-.*)?|part|regularizer|strategy-run"),
  "models" = "compile|model(-.*)?",
  "data, training, files" = paste0("callback(-.*)?|data(set)?(-.*)?|evaluate|feature-.*|fit(-.*)?|generator|history|",
    "idx|image(-.*)?|metrics-viewer|progress|safetensors|save(-.*)?|sweep|text(-.*)?|timeseries"),
  "course, homework, pictures" = "check-gradient|course-.*|homework-.*|plot-.*",
  "other spellings, other packages" = "attach|keras-.*|nativenet-package|not-yet|tf(-.*)?"
)

test_that("files of R use their own floor and those below", {
  skip_without_sources()
  skip_if_not_installed("codetools")
  code <- lapply(r_files(), function(f) as.list(parse(f, keep.source = FALSE)))
  names(code) <- sub("[.]R$", "", basename(r_files()))
  floor_of <- lapply(names(code), function(f) which(vapply(floors, function(p) grepl(paste0("^(", p, ")$"), f), NA)))
  expect_identical(names(code)[lengths(floor_of) != 1], character()) # new ones find their place in the table
  level <- stats::setNames(as.integer(floor_of), names(code))
  defined <- lapply(code, function(file) unlist(lapply(file, function(e)
    if (is.call(e) && identical(e[[1]], quote(`<-`)) && is.name(e[[2]])) as.character(e[[2]]))))
  home <- stats::setNames(rep(names(defined), lengths(defined)), unlist(defined))
  up <- lapply(names(code), function(file) {
    above <- names(home)[level[home] > level[[file]]]
    used <- lapply(code[[file]], function(e) {
      named <- intersect(all.names(e), above) # maybe as an argument or a member
      if (length(named)) intersect(named, codetools::findGlobals(as.function(list(e))))
    })
    used <- unique(unlist(used))
    paste0(file, ".R uses ", used, "() of ", home[used], ".R", recycle0 = TRUE)
  })
  expect_gt(length(home), 1000)
  expect_identical(unlist(up), character())
})

test_that("the number that a check returns is the one that is used", {
  skip_without_sources()
  # an integer64 is checked as the number it stands for; what came still has the bits of another
  checks <- c("check_number", "check_count", "check_whole", "check_seed")
  checked <- function(e) {
    if (is.call(e) && identical(e[[1]], quote(`if`)) && length(e) == 3) e <- e[[3]]
    if (is.call(e) && is.name(e[[1]]) && as.character(e[[1]]) %in% checks && is.name(e[[2]])) as.character(e[[2]])
  }
  dropped <- function(e) {
    if (!is.recursive(e)) return(NULL)
    own <- if (is.call(e) && identical(e[[1]], quote(`{`))) lapply(seq_along(e), function(i) {
      intersect(checked(e[[i]]), unlist(lapply(as.list(e)[-seq_len(i)], all.names, functions = FALSE)))
    })
    c(own, lapply(as.list(e), function(part) if (!identical(part, quote(expr = ))) dropped(part)))
  }
  found <- lapply(r_files(), function(file) paste(basename(file), unlist(lapply(parse(file, keep.source = FALSE),
    dropped)), recycle0 = TRUE))
  expect_identical(unlist(found), character())
})

test_that("the engine neither allocates nor prints nor ends the process nor draws numbers by itself", {
  skip_without_sources()
  words <-
    paste0("\\b(malloc|calloc|realloc|free|printf|fprintf|puts|putchar|exit|_exit|abort|assert|rand|srand|random|",
      "drand48)\\s*\\(")
  expect_identical(having(c_files(), words), character())
})

test_that("compiler extensions stand in the vector and target headers only", {
  skip_without_sources()
  allowed <- c("kernels/kernels.c", "kernels/target.h", "kernels/vector.h")
  found <- having(c_files(), "__attribute__|__builtin_|vector_size|#\\s*pragma\\s+(GCC|clang)|__extension__|__typeof__")
  expect_identical(setdiff(found, allowed), character())
})

test_that("no name is defined twice, as the later file would win", {
  skip_without_sources()
  names <- unlist(lapply(r_files(), function(f) {
    assigned <- Filter(function(e) is.call(e) && identical(e[[1]], quote(`<-`)) && is.name(e[[2]]),
      as.list(parse(f, keep.source = FALSE)))
    vapply(assigned, function(e) as.character(e[[2]]), "")
  }))
  expect_gt(length(names), 500)
  expect_identical(unique(names[duplicated(names)]), character())
})

test_that("no line has more than 120 characters", {
  skip_without_sources()
  files <- c(c_files(), r_files(), list.files(testthat::test_path(), "[.]R$", full.names = TRUE),
    file.path(root, "CONTRIBUTING.md"))
  long <- lapply(files, function(f) {
    lines <- readLines(f, warn = FALSE)
    which(nchar(lines) > 120)
  })
  names(long) <- basename(files)
  expect_identical(Filter(length, long), stats::setNames(list(), character()))
})

test_that("sources with a DOI are named by it alone, as CRAN wants them", {
  skip_without_sources()
  as_url <- Filter(function(f) any(grepl("<https?://(dx[.])?doi[.]org/", readLines(f, warn = FALSE))), r_files())
  expect_identical(basename(as_url), character())
})

test_that("no file has more than 600 lines", {
  skip_without_sources()
  lines <- vapply(c(c_files(), r_files()), function(f) length(readLines(f, warn = FALSE)), 0L)
  long <- lines[lines > 600]
  expect_identical(sprintf("%s: %d lines", basename(names(long)), long), character())
})

test_that("tests and code hold no tabs, no non-ASCII characters and no trailing blanks", {
  skip_without_sources()
  files <- c(c_files(), r_files())
  expect_identical(having(files, "\t|[ \t]+(\n|$)|[^\\x00-\\x7F]", function(f)
    paste(readLines(f, warn = FALSE), collapse = "\n")), character())
})

#' Help pages: a list of the text of each, by file name.
help_pages <- function() {
  files <- list.files(file.path(root, "man"), "[.]Rd$", full.names = TRUE)
  stats::setNames(lapply(files, readLines), basename(files))
}
#' The names under which a page is found.
page_names <- function(page) gsub("\\\\%", "%", sub("^\\\\(alias|name)\\{(.*)\\}$", "\\2",
  grep("^\\\\(alias|name)\\{", page, value = TRUE)))
exported_names <- function() grep("^[.]__", getNamespaceExports("nativenet"), value = TRUE, invert = TRUE)

test_that("every exported name is documented", {
  skip_without_sources()
  expect_identical(setdiff(exported_names(), unlist(lapply(help_pages(), page_names))), character())
})

test_that("every exported function has a page with examples", {
  skip_without_sources()
  shown <- unlist(lapply(Filter(function(page) any(startsWith(page, "\\examples{")), help_pages()), page_names))
  own <- setdiff(exported_names(), page_names(help_pages()[["reexports.Rd"]])) # those have their pages elsewhere
  expect_gt(length(own), 400)
  expect_identical(setdiff(own, shown), character())
})

test_that("every help page stands in one group of the web site", {
  skip_without_sources()
  lines <- readLines(file.path(root, "_pkgdown.yml"))
  lines <- lines[seq_along(lines) > which(lines == "reference:")]
  entries <- gsub("\"(%.*%)\"", "\\1", sub("^  - ", "", grep("^  - ", lines, value = TRUE)))
  pages <- Filter(function(page) !any(page == "\\keyword{internal}"), help_pages())
  groups <- findInterval(grep("^  - ", lines), grep("^- title:", lines))
  reached <- function(page) {
    begun <- startsWith(entries, "starts_with(")
    starts <- gsub("starts_with|[(\")]", "", entries)
    hit <- ifelse(begun, vapply(starts, function(start) any(startsWith(page_names(page), start)), NA),
      entries %in% page_names(page))
    length(unique(groups[hit]))
  }
  expect_gt(length(pages), 100)
  times <- vapply(pages, reached, 0L)
  expect_identical(names(times)[times != 1], character())
  named <- entries[!startsWith(entries, "starts_with(")]
  expect_identical(setdiff(named, unlist(lapply(pages, page_names))), character())
})

test_that("every article stands on the web site once", {
  skip_without_sources()
  lines <- readLines(file.path(root, "_pkgdown.yml"))
  lines <- lines[seq_len(which(lines == "reference:"))]
  pages <- sub("[.]Rmd$", "", list.files(file.path(root, "vignettes"), "[.]Rmd$"))
  times <- vapply(pages, function(page) sum(lines == paste0("  - ", page)), 0L)
  expect_identical(names(times)[times != 1], character())
})

test_that("what users build with is named in some test", {
  skip_without_sources()
  made <- grep("^(layer|optimizer|callback|dataset|plot|learning_rate_schedule)_", made_names(), value = TRUE)
  words <- unlist(lapply(list.files(testthat::test_path(), "[.]R$", full.names = TRUE), function(f)
    strsplit(readLines(f, warn = FALSE), "[^A-Za-z0-9_.]+")))
  expect_gt(length(made), 70)
  expect_identical(setdiff(made, words), character())
})

test_that("the tour of the engine and CONTRIBUTING.md name files that are there, and quote what stands in them", {
  skip_without_sources()
  tour <- readLines(file.path(root, "vignettes", "how-it-works.Rmd"))
  pages <- c(tour, readLines(file.path(root, "CONTRIBUTING.md")))
  named <- unique(unlist(regmatches(pages, gregexpr("`[A-Za-z0-9_./-]+[.](c|h|R|Rmd|md|sh|yml)`", pages))))
  named <- gsub("`", "", named)
  expect_gt(length(named), 60)
  there <- vapply(named, function(f) any(file.exists(file.path(root, c("", "src"), f))), NA)
  expect_identical(named[!there], character())
  squeeze <- function(x) gsub("[[:space:]]+", " ", trimws(x))
  fences <- grep("^```", tour)
  opened <- fences[c(TRUE, FALSE)]
  quoted <- unlist(Map(function(from, to) tour[seq(from + 1, length.out = to - from - 1)], opened,
    fences[c(FALSE, TRUE)])[tour[opened] %in% c("```c", "```r")])
  lines <- unlist(lapply(c(c_files(), r_files()), function(f)
    squeeze(sub("[[:space:]]*\\\\$", "", readLines(f, warn = FALSE)))))
  expect_gt(length(quoted), 20)
  expect_identical(setdiff(squeeze(quoted), lines), character())
})

test_that("each topic's tests have the topic's name", {
  skip_without_sources()
  stems <- sub("^test-(.*)[.]R$", "\\1", list.files(testthat::test_path(), "^test-.*[.]R$"))
  for (topic in c("check", "tape", "tensor", "tensor-print", "tensor-methods", "program", "autograph", "optimizer",
    "dataset", "dataset-verb", "dataset-file", "tf", "keras-backend", "module", "threads", "check-gradient", "plot",
    "plot-images", "plot-weights", "plot-decision", "plot-embedding", "plot-network", "plot-gradient-check",
    "safetensors", "history", "progress", "metrics-viewer", "callback", "callback-monitor", "callback-log", "part",
    "initializer", "regularizer", "constraint", "activation", "loss", "metric", "metric-classification",
    "course-activation", "course-loss", "course-optimizer", "course-network", "text", "text-tokenizer",
    "homework-files", "homework-check",
    "text-sequence", "text-skipgrams", "layer", "layer-core", "layer-merge", "layer-class", "layer-recurrent", "model",
    "model-graph", "model-summary", "compile", "fit", "evaluate", "model-data", "save")) {
    expect_true(topic %in% stems, info = topic)
    expect_true(file.exists(file.path(root, "R", paste0(topic, ".R"))), info = topic)
  }
})
