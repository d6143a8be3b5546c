# Student's versions, and the files of the labs.

in_folder <- function(...) {
  folder <- temporary_folder()
  file <- file.path(folder, "lab-solution.R")
  writeBin(charToRaw(paste0(...)), file)
  file
}
temporary_folder <- function(env = parent.frame(2)) {
  folder <- tempfile("labs")
  dir.create(folder)
  do.call(on.exit, list(substitute(unlink(folder, recursive = TRUE), list(folder = folder)), add = TRUE), envir = env)
  folder
}
bytes <- function(file) rawToChar(readBin(file, "raw", file.size(file)))

test_that("solutions go, the text of the mark stays as a comment where the mark was", {
  file <- in_folder("f <- function(x) {\n  #!hwbegin TODO x times x\n  x^2\n\n  # why not\n  #!hwend\n}\ng <- 1\n")
  student <- expect_invisible(strip_solutions(file))
  expect_identical(normalizePath(student), normalizePath(file.path(dirname(file), "lab.R")))
  expect_identical(bytes(student), "f <- function(x) {\n  # TODO x times x\n}\ng <- 1\n")
  expect_silent(strip_solutions(file)) # an older version is replaced
})

test_that("several marks, tabs, text of several lines or none, and no line end at the end", {
  file <-
    in_folder(
      paste0("\t#!hwbegin TODO one\\n# two\\nthree \n1\n\t#!hwend\n#!hwbegin\n2\n#!hwend\n#!hwbegin  TODO  ",
        "last\n3\n  #!hwend\nend"))
  expect_identical(bytes(strip_solutions(file)), "\t# TODO one\n\t# two\n\t# three\n# TODO\n# TODO  last\nend")
  expect_identical(bytes(strip_solutions(in_folder("#!hwbegin TODO a\n1\n#!hwend"))), "# TODO a\n")
})

test_that("marks as PDF conversion leaves them are marks, too", {
  file <- in_folder("  \\#!hwbegin TODO a\nx\n  \\#!hwend\n#!/hwbegin TODO b\ny\n#!/hwend\n")
  expect_identical(bytes(strip_solutions(file)), "  # TODO a\n# TODO b\n")
})

test_that("line ends and bytes of other lines stay, those of Latin-1 among them", {
  file <- in_folder("a\r\n  #!hwbegin TODO x\\n y\r\n1\r\n  #!hwend\r\nb\n\r\nc\r")
  expect_identical(bytes(strip_solutions(file)), "a\r\n  # TODO x\r\n  # y\r\nb\n\r\nc\r")
  file <- in_folder("")
  writeBin(c(charToRaw("# "), as.raw(0xe4), charToRaw("\n#!hwbegin TODO "), as.raw(0xe4), charToRaw("\n1\n#!hwend\n")),
    file)
  expect_identical(readBin(strip_solutions(file), "raw", 100), c(charToRaw("# "), as.raw(0xe4), charToRaw("\n# TODO "),
    as.raw(0xe4), charToRaw("\n")))
})

test_that("marks that do not pair up are errors that give the lines, and nothing is written", {
  refused <- function(text, message) {
    file <- in_folder(text)
    expect_error(strip_solutions(file), message, class = "nativenet_error_marks")
    expect_identical(list.files(dirname(file)), "lab-solution.R")
  }
  refused("a\n#!hwbegin TODO\n1\n", "line 2: `#!hwbegin` without `#!hwend`")
  refused("a\n#!hwend\n", "line 2: `#!hwend` without `#!hwbegin`")
  refused("#!hwbegin TODO\n#!hwend\n#!hwend\n", "line 3: `#!hwend` without")
  refused("#!hwbegin TODO\na\n#!hwbegin TODO\n#!hwend\n#!hwend\n", "lines 1, 3: `#!hwbegin` after `#!hwbegin`")
  refused("a\nx <- 1 #!hwbegin TODO\n#!hwend\n", "line 2: a mark must stand on a line of its own")
  refused("a\nb\n", "has no marks")
  refused("", "has no marks")
})

test_that("the file itself is never overwritten, by whatever name", {
  file <- in_folder("#!hwbegin TODO\n1\n#!hwend\n")
  expect_error(strip_solutions(file, file), class = "nativenet_error_file")
  expect_error(strip_solutions(file, file.path(dirname(file), ".", basename(file))), "would be lost",
    class = "nativenet_error_file")
  link <- file.path(dirname(file), "link.R")
  if (suppressWarnings(file.symlink(file, link))) expect_error(strip_solutions(file, link),
    class = "nativenet_error_file")
  expect_match(bytes(file), "hwbegin")
  expect_identical(basename(strip_solutions(file, file.path(dirname(file), "other.R"))), "other.R")
  plain <- file.path(dirname(file), "plain.R")
  file.copy(file, plain)
  expect_identical(basename(strip_solutions(plain)), "plain-student.R")
  expect_error(strip_solutions(file.path(dirname(file), "none.R")), "`file` does not exist",
    class = "nativenet_error_file")
  expect_error(strip_solutions(1), class = "nativenet_error_value")
})

test_that("use_lab() lists the labs", {
  expect_output(labs <- use_lab(), "backpropagation.*Back-propagation by hand")
  expect_identical(labs$lab, c("autoencoder", "backpropagation", "denoising", "sentiment", "tensors"))
  expect_true(all(nzchar(labs$title)) && !any(grepl("^#", labs$title)))
})

test_that("use_lab() copies both versions, and never over a file", {
  folder <- temporary_folder(environment())
  expect_output(file <- use_lab("tensors", path = folder, open = FALSE), "check_lab\\(\".*tensors[.]R\"\\)")
  expect_identical(file, file.path(folder, "tensors.R"))
  expect_match(bytes(file), "# TODO")
  expect_no_match(bytes(file), "#!hw|apply_gradients")
  capture.output(solution <- use_lab("tensors", solution = TRUE, path = folder, open = FALSE))
  expect_identical(basename(solution), "tensors-solution.R")
  expect_identical(bytes(solution), bytes(system.file("labs", "tensors.R", package = "nativenet")))
  writeLines("mine", file)
  expect_error(use_lab("tensors", path = folder), "is there already", class = "nativenet_error_file")
  expect_identical(readLines(file), "mine")
  expect_error(use_lab("tensor", path = folder), "did you mean `tensors`", class = "nativenet_error_value")
  expect_error(use_lab("tensors", path = file.path(folder, "none")), "no folder", class = "nativenet_error_file")
})

test_that("every lab has a student's version that is R code, with TODOs where the solutions were", {
  folder <- temporary_folder(environment())
  for (lab in nativenet:::lab_names()) {
    capture.output(file <- use_lab(lab, path = folder, open = FALSE))
    solution <- readLines(nativenet:::lab_path(lab))
    expect_no_error(parse(file))
    expect_gte(length(grep("# TODO", readLines(file))), 5)
    expect_identical(length(grep("# TODO", readLines(file))), length(grep("#!hwbegin TODO", solution)), info = lab)
    expect_no_match(bytes(file), "#!hw")
    expect_identical(nativenet:::lab_of(file), lab)
  }
})

test_that("templates and tutorials are what tools/labs.R makes of the labs, with all code in them", {
  root <- normalizePath(test_path("..", ".."))
  skip_if_not(all(file.exists(file.path(root, c("tools/labs.R", "inst/labs")))), "no sources")
  folder <- temporary_folder(environment())
  for (part in c("R", "tools", "inst")) file.copy(file.path(root, part), folder, recursive = TRUE)
  made <- c("inst/rmarkdown", "inst/tutorials")
  unlink(file.path(folder, made), recursive = TRUE)
  old <- setwd(folder)
  on.exit(setwd(old), add = TRUE, after = FALSE)
  sys.source("tools/labs.R", new.env())
  for (part in made) {
    files <- list.files(part, recursive = TRUE)
    expect_identical(list.files(file.path(root, part), recursive = TRUE), files)
    for (f in files) expect_identical(bytes(file.path(root, part, f)), bytes(file.path(part, f)), info = f)
  }
  for (lab in nativenet:::lab_names()) {
    template <- file.path("inst/rmarkdown/templates", lab, "skeleton", "skeleton.Rmd")
    expect_identical(nativenet:::lab_of(template), lab)
    capture.output(student <- use_lab(lab, path = folder, open = FALSE))
    code <- parse(text = nativenet:::r_lines(template), keep.source = FALSE)
    expect_identical(as.list(code)[-1], as.list(parse(student, keep.source = FALSE)), info = lab)
  }
})
