# Files of published data sets: found on disk or downloaded.
#
# A set is list(sums, mirrors, suffix, ...):
#   sums        what each file must be: the md5 or sha256 sum of its *uncompressed* bytes, because mirrors compress
#               differently
#   mirrors     the urls to which a file's name is appended, and the `suffix` of compression ("" for none)
#   packed      TRUE where the sum is that of the file as it is, compressed
#   reader      the function that reads a user's own files; NULL where any file below NATIVENET_DATA will do
#   substitute  the data set to use without network
# Nothing unverified is ever stored in the cache or returned from it.

#' What `read(path)` makes of each file of a set, by name.
#' @param fetch how to get a url into a file; NULL to never use the network.
#' @noRd
with_data_files <- function(name, set, fetch, fun, read, files = names(set$sums)) {
  scratch <- tempfile("nativenet-")
  dir.create(scratch)
  on.exit(unlink(scratch, recursive = TRUE))
  lapply(stats::setNames(nm = files), function(file) {
    path <- data_local(name, file, set, scratch, fun)
    if (is.null(path)) path <- data_cached(name, file, set, scratch)
    if (is.null(path)) path <- data_download(name, file, set, scratch, fetch, fun)
    read(path)
  })
}

#' What `read()` makes of the file that `path` names, or of the published one of the name `file`.
#' @noRd
published_file <- function(name, path, file, download, read, fun = calling_function()) {
  check_string(path, "path", fun)
  check_flag(download, "download", fun)
  if (path != file || file.exists(path)) {
    check_file(path, fun)
    return(read(path))
  }
  with_data_files(name, data_set(name), if (download) fetch_url, fun, read, file)[[1]]
}

data_set <- function(name) {
  of_keras <- lapply(list(imdb = imdb_files, reuters = reuters_files, boston_housing = boston_files,
    california_housing = california_files), c,
    list(mirrors = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/", suffix = ""))
  c(image_sets, cifar_sets, of_keras)[[name]]
}

#' Whether all files of a set are on this computer (their content is not checked).
#' @noRd
data_available <- function(name) {
  at_hand <- function(file) {
    length(data_candidates(data_dir(name), file)) || length(data_candidates(cache_dir(name), file))
  }
  all(vapply(names(data_set(name)$sums), at_hand, logical(1)))
}

data_dir <- function(name) {
  root <- Sys.getenv("NATIVENET_DATA")
  if (nzchar(root)) file.path(root, name)
}

cache_dir <- function(name) file.path(tools::R_user_dir("nativenet", "cache"), name)

data_candidates <- function(dir, file) {
  if (is.null(dir)) return(character())
  paths <- file.path(dir, paste0(file, c("", ".gz")))
  paths[file.exists(paths) & !dir.exists(paths)]
}

# The next three return the name of a file with verified, uncompressed content; the first
# two NULL when there is none.

data_local <- function(name, file, set, scratch, fun) {
  found <- data_candidates(data_dir(name), file)
  if (!length(found)) return(NULL)
  if (is.null(set$reader)) return(if (is_gzip(found[1]))
    inflate(found[1], scratch, refuse_file(found[1], name, fun)) else found[1])
  content <- verify(found[1], set$sums[[file]], scratch, set$packed)
  if (content$ok) return(content$path)
  abort("the file \"", found[1], "\", found by the environment variable NATIVENET_DATA, is not ",
    "the published one: ", content$reason, ". Replace or remove it; ", set$reader, " reads other files",
    class = "file", fun = fun)
}

data_cached <- function(name, file, set, scratch) {
  for (path in data_candidates(cache_dir(name), file)) {
    content <- verify(path, set$sums[[file]], scratch, set$packed)
    if (content$ok) return(content$path)
  }
}

data_download <- function(name, file, set, scratch, fetch, fun) {
  failures <- "downloads were not allowed, `download = FALSE`"
  if (!is.null(fetch)) {
    failures <- character()
    for (mirror in set$mirrors) {
      url <- paste0(mirror, file, set$suffix)
      path <- tempfile("download-", scratch)
      message("Downloading ", url)
      failure <- try_fetch(fetch, url, path)
      content <- if (is.null(failure)) verify(path, set$sums[[file]], scratch, set$packed) else failure
      if (content$ok) {
        cache_store(path, name, file, fun, set$packed)
        return(content$path)
      }
      failures <- c(failures, paste0(url, ": ", content$reason))
    }
  }
  abort("the file \"", file, "\" is not on this computer and could not be downloaded:\n",
    paste0("  ", failures, "\n", collapse = ""),
    "Put the files of the set into a folder `", name, "` and let the environment variable ",
    "NATIVENET_DATA name the folder above it, or into the cache \"", cache_dir(name), "\", ",
    "or use ", set$substitute, ", which needs no network",
    class = "offline", fun = fun)
}

# NULL, or why nothing came. R tells the cause in a warning and only the url in the error.
try_fetch <- function(fetch, url, path) {
  cause <- NULL
  tryCatch(
    withCallingHandlers(
      {
        fetch(url, path)
        # R only warns of it
        if (any(grepl("downloaded length", cause, fixed = TRUE))) list(ok = FALSE, reason = cause)
      },
      warning = function(w) {
        cause <<- conditionMessage(w)
        tryInvokeRestart("muffleWarning")
      }
    ),
    error = function(e) list(ok = FALSE, reason = if (is.null(cause)) conditionMessage(e) else cause)
  )
}

# R's limit of 60 seconds holds for the whole transfer: too short for 20 MB on a slow line.
fetch_url <- function(url, path, seconds = if (grepl("-images-|[.]npz$|[.]tar[.]gz$", url)) 600) {
  old <- options(timeout = max(getOption("timeout"), seconds))
  on.exit(options(old))
  utils::download.file(url, path, mode = "wb", quiet = TRUE)
}

# A copy that cannot be kept is a pity but no failure: the data is there.
cache_store <- function(path, name, file, fun, packed = NULL) {
  dir <- cache_dir(name)
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  target <- file.path(dir, paste0(file, if (is_gzip(path) && !isTRUE(packed)) ".gz"))
  failure <- tryCatch({
    replace_file(target, list(read_bytes(path)))
    NULL
  }, nativenet_error_file = identity)
  if (is.null(failure)) {
    unlink(setdiff(data_candidates(dir, file), target))
  } else {
    warning("`", fun, "()`: cannot write to the cache folder \"", dir,
      "\", so the download was used but not kept", call. = FALSE)
  }
}

# list(ok, path of the uncompressed content, reason when not ok)
verify <- function(path, sum, scratch, packed = NULL) {
  content <- tryCatch(if (isTRUE(packed) || !is_gzip(path)) path else inflate(path, scratch, stop),
    error = function(e) NULL)
  if (is.null(content)) return(list(ok = FALSE, reason = "it is unreadable or corrupt gzip data"))
  kind <- if (nchar(sum) == 64) "sha256" else "md5"
  actual <- if (kind == "md5") unname(tools::md5sum(content)) else sha256sum(content)
  list(ok = identical(actual, sum), path = content,
    reason = sprintf("the %s sum of its content is %s instead of %s", kind, actual, sum))
}

sha256sum <- function(path) .Call(C_sha256, read_bytes(path))

# The content of the published files goes to disk and has at most 47 MB, the training images.
largest_set <- 2^26

inflate <- function(path, scratch, refuse) {
  to <- tempfile("content-", scratch)
  unpack(path, to, refuse, most = max(file_slack(path), largest_set))
  to
}
