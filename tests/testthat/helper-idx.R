# An idx file of the array x. `code` is the type code; NULL takes what fits typeof(x).
write_idx <- function(x, path, code, compress = FALSE) {
  dim <- if (is.null(dim(x))) length(x) else dim(x)
  con <- (if (compress) gzfile else file)(path, "wb")
  on.exit(close(con))
  writeBin(as.raw(c(0, 0, code, length(dim))), con)
  writeBin(as.integer(dim), con, endian = "big")
  values <- if (length(dim) > 1) c(aperm(x)) else c(x)
  if (code >= 0x0d) storage.mode(values) <- "double"
  size <- c("8" = 1, "9" = 1, "11" = 2, "12" = 4, "13" = 4, "14" = 8)[[as.character(code)]]
  if (code == 8) writeBin(as.raw(values), con) else writeBin(values, con, size = size, endian = "big")
  invisible(path)
}

temp_bytes <- function(...) {
  path <- tempfile(fileext = ".idx")
  writeBin(as.raw(c(...)), path)
  path
}

# Environment variables for the rest of the calling function; NA unsets.
local_env <- function(..., .frame = parent.frame()) {
  set <- function(vars) {
    unset <- is.na(vars)
    Sys.unsetenv(names(vars)[unset])
    if (!all(unset)) do.call(Sys.setenv, as.list(vars[!unset]))
  }
  new <- c(...)
  old <- Sys.getenv(names(new), unset = NA, names = TRUE)
  do.call(on.exit, list(bquote(.(set)(.(old))), add = TRUE, after = FALSE), envir = .frame)
  set(new)
}
