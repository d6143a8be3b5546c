# Other packages beside this one. Their generics that mean what ours mean get our methods when they load; who attaches a
# package that masks functions of ours is told which, and what to do.

#' Generics of other packages that take our objects: package, generic, class, and the method of ours.
#' @noRd
foreign_methods <- matrix(ncol = 4, byrow = TRUE, dimnames = list(NULL, c("package", "generic", "class", "method")), c(
  "generics", "evaluate", "nn_model", "evaluate.nn_model",
  "generics", "evaluate", "default", "evaluate.default",
  "tensorflow", "evaluate", "nn_model", "evaluate.nn_model", # which keras and keras3 export, too
  "tensorflow", "as_tensor", "nn_tensor", "as_tensor",
  "tensorflow", "as_tensor", "nn_dataset", "as_tensor",
  "coro", "as_iterator", "nn_dataset", "coro_iterator",
  "coro", "as_iterator", "nn_iterator", "coro_iterator"
))

#' Packages with functions that mask ours and cannot be taught to take our objects; tools/attach-order.R finds them.
#' @noRd
masking_packages <- c("compiler", "dials", "e1071", "evaluate", "future", "keras", "keras3", "luz", "reticulate",
  "tensorflow", "tfautograph", "tfdatasets", "torch", "yardstick")

#' When the package loads: nothing of other packages is loaded, and nothing runs for those that never are.
#' @noRd
meet_packages <- function() {
  for (package in unique(foreign_methods[, "package"])) {
    on_event(package, "onLoad")
    if (isNamespaceLoaded(package)) register_foreign_methods(package)
  }
  for (package in masking_packages) on_event(package, "attach")
}

#' The hook names the package instead of holding it, as it outlives it, and is set once however often the package loads.
#' @noRd
on_event <- function(package, event) {
  hook <- switch(event,
    onLoad = function(package, ...)
      if (isNamespaceLoaded("nativenet")) asNamespace("nativenet")$register_foreign_methods(package),
    attach = function(package, ...)
      if (isNamespaceLoaded("nativenet")) asNamespace("nativenet")$tell_masked(package)
  )
  environment(hook) <- baseenv()
  event <- packageEvent(package, event)
  if (!any(vapply(getHook(event), identical, NA, hook))) setHook(event, hook)
}

register_foreign_methods <- function(package) {
  home <- asNamespace(package)
  for (i in which(foreign_methods[, "package"] == package)) {
    row <- foreign_methods[i, ]
    if (!row[["generic"]] %in% getNamespaceExports(home)) next # another version of it
    if (row[["class"]] == "default" && !is.null(utils::getS3method(row[["generic"]], "default", optional = TRUE,
      envir = home))) next
    registerS3method(row[["generic"]], row[["class"]], get(row[["method"]], envir = topenv()), envir = home)
  }
}

#' What coro takes for an iterator: a function that gives the next element, or coro's sign at the end.
#' @noRd
coro_iterator <- function(x) {
  it <- as_iterator(x)
  structure(function() iter_next(it, getExportedValue("coro", "exhausted")()), class = "nn_coro_iterator",
    iterator = it)
}

#' A plain message: future, say, silences those of packages that start when a future attaches it by the way.
#' @noRd
tell_masked <- function(package) {
  if (!"package:nativenet" %in% search()) return()
  names <- masked_names(package)
  if (!length(names)) return()
  quoted <- paste0("`", names, "`")
  few <- length(names) <= 6
  message(package, " masks ", if (few) toString(quoted) else paste0(toString(quoted[1:3]), " and ", length(names) - 3,
    " more"), " of nativenet",
    ", and its own do not work as those do. To go on with nativenet's, attach it after ", package,
    if (few) paste0(", or write `library(", package, ", exclude = ", paste(deparse(names), collapse = ""), ")`"), ".")
}

#' Names that both export, for different things, without those that take our objects.
#' @noRd
masked_names <- function(package) {
  both <- sort(intersect(getNamespaceExports(package), getNamespaceExports(topenv())), method = "radix")
  Filter(function(name) {
    theirs <- getExportedValue(package, name)
    if (identical(theirs, getExportedValue("nativenet", name))) return(FALSE)
    home <- if (is.function(theirs)) environmentName(topenv(environment(theirs)))
    taught <- foreign_methods[foreign_methods[, "generic"] == name, "package"]
    !(length(home) && (home %in% taught || name == "%as%" && home == "reticulate"))
  }, both)
}

# ---- what ours mask ----
