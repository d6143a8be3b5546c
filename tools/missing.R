# Rscript tools/missing.R <purpose> [must]: names the R packages still missing, after DESCRIPTION; must: those alone
# without which nothing comes of it, as tests that need another are skipped.
purpose <- commandArgs(TRUE)[1]
must <- identical(commandArgs(TRUE)[2], "must")
description <- read.dcf("DESCRIPTION", c("Depends", "Imports", "LinkingTo", "Suggests"))

# "cli (>= 3.0), utils" as c(cli = "3.0", utils = "0")
requirements <- function(fields) {
  text <- trimws(unlist(strsplit(description[, fields], ",")))
  text <- text[!is.na(text) & nzchar(text)]
  version <- ifelse(grepl("(", text, fixed = TRUE), gsub("^.*>=|[) \n]", "", text), "0")
  names(version) <- sub("[ (\n].*", "", text)
  version[names(version) != "R"]
}

needed <- requirements(c("Depends", "Imports", "LinkingTo"))
suggested <- requirements("Suggests") # without which tests are skipped
if (purpose == "clang") suggested <- suggested["testthat"]
# These need a library of C besides, which Debian's packages bring along; what needs them is refused without.
if (Sys.getenv("NATIVENET_PACKAGES") == "cran") suggested <- suggested[setdiff(names(suggested),
  c("hdf5r", "jpeg", "magick", "png"))]
if (must) suggested <- suggested[c("testthat", if (purpose %in% c("check", "document")) c("knitr", "rmarkdown"))]
if (!purpose %in% c("run", "windows")) needed <- c(needed, suggested)
if (purpose == "document") needed <- c(needed, roxygen2 = "7.0")

present <- function(package, version) {
  nzchar(system.file(package = package)) && packageVersion(package) >= version
}
cat(names(needed)[!mapply(present, names(needed), needed)], sep = "\n")
