# Files below a folder that has a folder for each class, and data sets of them.

check_folder <- function(path, arg = "directory", fun = calling_function()) {
  check_string(path, arg, fun)
  if (!file.exists(path)) abort("`", arg, "` does not exist: \"", path, "\"", class = "file", fun = fun)
  if (!dir.exists(path)) abort("`", arg, "` must be a folder, not the file \"", path, "\"", class = "file", fun = fun)
  sub("(.)[/\\\\]+$", "\\1", path.expand(path))
}

has_ending <- function(files, endings) tolower(tools::file_ext(files)) %in% endings

no_files <- function(directory, what, classes, fun = calling_function()) abort("there are no ", what, " in \"",
  directory, "\"", if (classes) "" else ", which has no folders: it must hold a folder for each class, with its files",
  class = "file", fun = fun)

#' The files below a folder by the class folders that they are in: list(files, labels, classes), names relative to the
#' folder and class numbers from 1. In the order of the bytes of their names, whatever the language.
#' @noRd
class_files <- function(directory, classes, endings, follow_links, arg = "classes", fun = calling_function()) {
  own <- sort(Filter(function(d) dir.exists(file.path(directory, d)), list.files(directory)), method = "radix")
  if (is.null(classes)) classes <- own
  odd <- setdiff(check_strings(classes, arg, fun), own)
  if (length(odd)) abort("`", arg, "` names \"", odd[1], "\", but there is no folder of that name in \"", directory,
    "\"", class = "file", fun = fun)
  files <- lapply(classes, function(class) {
    found <- files_below(file.path(directory, class), follow_links)
    file.path(class, found[has_ending(found, endings)], fsep = "/")[seq_len(sum(has_ending(found, endings)))]
  })
  list(files = as.character(unlist(files)), labels = rep(seq_along(classes), lengths(files)), classes = classes)
}

#' Names of files below a folder, folder by folder. No folder is visited twice, so that links may go in a circle.
#' @noRd
files_below <- function(root, follow_links) {
  seen <- character()
  walk <- function(below) {
    here <- file.path(root, below)
    real <- normalizePath(here)
    if (real %in% seen) return(character())
    seen <<- c(seen, real)
    names <- sort(list.files(here), method = "radix")
    paths <- if (nzchar(below)) file.path(below, names)[seq_along(names)] else names
    folder <- dir.exists(file.path(root, paths)[seq_along(paths)])
    inner <- paths[folder]
    if (!follow_links) inner <- inner[!nzchar(Sys.readlink(file.path(root, inner)[seq_along(inner)]))]
    c(paths[!folder], unlist(lapply(inner, walk)))
  }
  walk("")
}
