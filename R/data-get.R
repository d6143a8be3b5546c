# get_file(): any file from a url, compared with its sum, kept in the cache, unpacked.

#' Download a file into the cache
#'
#' Downloads a file once: the next call finds it in the cache. Nothing stands under the file's name before it is whole
#' and, where a sum is given, has that sum.
#'
#' The file is kept as `<cache_dir>/<cache_subdir>/<fname>`. With `extract`, or `untar`, the archive is unpacked beside
#' it. Archives are zip files, and tar files as they are or compressed by gzip, bzip2 or xz. An archive may come from
#' anybody: one that has links or devices, or names that lead out of the folder, such as `../x` or `/etc/x`, is refused,
#' and nothing of it is left.
#'
#' @param fname the name of the file; `NULL` for the last part of `origin`. A url stands for `origin`.
#' @param origin the url, also of the kind `file://`.
#' @param file_hash the md5 or sha256 sum that the file must have. A file in the cache that has another one is
#'   downloaded again.
#' @param cache_subdir a folder below `cache_dir`.
#' @param hash_algorithm `"md5"`, `"sha256"`, or `"auto"`, which is told by the length of the sum.
#' @param extract unpack the archive?
#' @param archive_format `"zip"`, `"tar"`, or `"auto"`; `NULL` or `"none"` for no archive.
#' @param cache_dir a folder; by default that of the package's data sets, `tools::R_user_dir("nativenet", "cache")`.
#' @param untar unpack a tar file, unless the folder `fname` is there, and return the name of that?
#' @param force_download download the file even if it is in the cache?
#' @param md5_hash older spelling of `file_hash`.
#' @return The name of the file, as in Keras also if it was unpacked; with `untar` that of the folder.
#' @section Errors: `nativenet_error_offline` if the download fails; `nativenet_error_file` if the file has another sum,
#'   or the archive is damaged or refused.
#' @section Warnings: `nativenet_warning_archive` if the file that is to be unpacked is no archive, or of another kind.
#' @seealso [dataset_mnist()] and its like know where their files are.
#' @examples
#' # a file of this computer in the place of one on the network
#' from <- tempfile(fileext = ".csv")
#' writeLines(c("a,b", "1,2"), from)
#' url <- paste0("file://", if (.Platform$OS.type == "windows") "/", normalizePath(from, "/"))
#' path <- get_file("table.csv", url, file_hash = unname(tools::md5sum(from)), cache_dir = tempdir())
#' read.csv(path)
#' @export
get_file <- function(fname = NULL, origin = NULL, file_hash = NULL, cache_subdir = "datasets", hash_algorithm = "auto",
  extract = FALSE, archive_format = "auto", cache_dir = NULL, untar = FALSE, force_download = FALSE, md5_hash = NULL) {
  if (is.null(origin) && is.character(fname) && isTRUE(grepl("://", fname[1], fixed = TRUE))) {
    origin <- fname
    fname <- NULL
  }
  if (is.null(origin)) abort("`origin` must be given: the url of the file")
  check_string(origin)
  if (is.null(fname)) fname <- basename(sub("[?#].*$", "", origin))
  if (!nzchar(check_string(fname))) abort("`fname` must be given: \"", origin, "\" has no name of a file")
  check_flag(extract)
  check_flag(untar)
  check_flag(force_download)
  if (is.null(file_hash)) file_hash <- md5_hash
  hash_algorithm <- check_choice(hash_algorithm, c("auto", "md5", "sha256"))
  sum <- if (!is.null(file_hash)) check_sum(file_hash, hash_algorithm)
  format <- if (is.null(archive_format)) "none" else check_choice(archive_format, c("auto", "zip", "tar", "none"))
  cache_dir <- if (is.null(cache_dir)) cache_dir("") else check_string(cache_dir)
  folder <- below(path.expand(cache_dir), check_string(cache_subdir), "cache_subdir")
  if (untar) fname <- sub("[.]tar[.]gz$", "", fname)
  to <- below(folder, fname, "fname")
  path <- if (untar) paste0(to, ".tar.gz") else to
  dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE)
  check_replaceable(path)
  if (force_download || !is_cached(path, sum)) download_file(origin, path, sum)
  if (untar) {
    if (!file.exists(to)) unpack_archive(path, dirname(to), "tar")
    return(to)
  }
  if (extract) unpack_archive(path, dirname(path), format)
  path
}

#' A name below a folder; an absolute one stands for itself, as in Keras.
#' @noRd
below <- function(folder, name, arg, fun = calling_function()) {
  if (leads_out(name) && !is_absolute(name)) abort("`", arg, "` must not lead out of the folder: \"", name, "\"",
    fun = fun)
  sub("/+$", "", if (is_absolute(name)) path.expand(name) else file.path(folder, name))
}

check_sum <- function(x, algorithm, fun = calling_function()) {
  x <- tolower(check_string(x, "file_hash", fun))
  length <- switch(algorithm, md5 = 32, sha256 = 64, if (nchar(x) == 64) 64 else 32)
  if (grepl(sprintf("^[0-9a-f]{%d}$", length), x)) return(x)
  abort("`file_hash` must be ", length, " hexadecimal digits for ", if (length == 32) "md5" else "sha256", ", not \"",
    x, "\"", fun = fun)
}

is_cached <- function(path, sum) {
  if (!file.exists(path)) return(FALSE)
  if (is.null(sum)) return(TRUE)
  own <- verify(path, sum, NULL, packed = TRUE)
  if (!own$ok) message("The file \"", path, "\" is not the one that is wanted: ", own$reason,
    "; it is downloaded again")
  own$ok
}

#' @param fetch an argument so that tests need no network.
#' @noRd
download_file <- function(origin, path, sum, fetch = fetch_url, fun = calling_function()) {
  message("Downloading ", origin)
  part <- part_file(path)
  on.exit(unlink(part, expand = FALSE))
  failure <- try_fetch(function(url, path) fetch(url, path, seconds = 3600), origin, part)
  if (is.null(failure) && !file.exists(part)) failure <- list(reason = "nothing came")
  if (!is.null(failure)) abort("cannot download \"", origin, "\": ", failure$reason, class = "offline", fun = fun)
  own <- if (!is.null(sum)) verify(part, sum, NULL, packed = TRUE)
  if (isFALSE(own$ok)) abort("what came from \"", origin, "\" is not the file that is wanted: ", own$reason,
    class = "file", fun = fun)
  if (!file.rename(part, path)) abort("cannot write \"", path, "\"", class = "file", fun = fun)
}
