test_that("a file is downloaded once, checked by its sum, and kept", {
  from <- tempfile(fileext = ".bin")
  cache <- tempfile("cache-")
  on.exit(unlink(c(from, cache), recursive = TRUE))
  writeBin(as.raw(1:100), from)
  url <- file_url(from)
  sum <- unname(tools::md5sum(from))
  get <- function(...) get_file("data.bin", url, cache_dir = cache, ...)
  expect_message(path <- get(file_hash = toupper(sum)), "Downloading file://", fixed = TRUE)
  expect_identical(path, file.path(cache, "datasets", "data.bin"))
  expect_identical(read_bytes(path), as.raw(1:100))
  # from the cache, even if the source is another now
  writeBin(as.raw(1:50), from)
  expect_no_message(get(md5_hash = sum))
  expect_no_message(get(file_hash = sha256sum(path), hash_algorithm = "sha256"))
  # unless it is asked for, or the one in the cache is not the one that is wanted
  expect_message(get(force_download = TRUE), "Downloading")
  expect_identical(length(read_bytes(path)), 50L)
  writeBin(as.raw(1:100), from)
  expect_message(expect_message(get(file_hash = sum), "is not the one that is wanted: the md5 sum"), "Downloading")
  expect_identical(length(read_bytes(path)), 100L)
  # names and folders
  suppressMessages({
    expect_identical(get_file(origin = paste0(url, ""), cache_dir = cache, cache_subdir = "a/b"),
      file.path(cache, "a/b", basename(from)))
    expect_identical(get_file(url, cache_dir = cache), file.path(cache, "datasets", basename(from)))
    own <- tempfile(fileext = ".own")
    on.exit(unlink(own), add = TRUE)
    expect_identical(get_file(own, url, cache_dir = cache), own)
  })
  expect_identical(formals(get_file)$cache_subdir, "datasets")
})

test_that("what fails leaves nothing under the file's name", {
  from <- tempfile(fileext = ".bin")
  cache <- tempfile("cache-")
  on.exit(unlink(c(from, cache), recursive = TRUE))
  writeBin(as.raw(1:100), from)
  files <- function() list.files(cache, all.files = TRUE, recursive = TRUE)
  get <- function(...) suppressMessages(get_file("data.bin", cache_dir = cache, ...))
  expect_error(get(paste0(file_url(from), ".not")), "cannot download", class = "nativenet_error_offline")
  expect_error(get(file_url(from), file_hash = strrep("0", 32)), "is not the file that is wanted: the md5 sum",
    class = "nativenet_error_file")
  expect_identical(files(), character())
  # a transfer that is cut off, of which R only warns
  fetch <- function(url, path, seconds) {
    writeBin(as.raw(1:10), path)
    warning("downloaded length 10 != reported length 100")
  }
  path <- file.path(cache, "datasets", "data.bin")
  expect_error(suppressMessages(download_file("http://x/y", path, NULL, fetch)), "downloaded length 10",
    class = "nativenet_error_offline")
  expect_error(suppressMessages(download_file("http://x/y", path, NULL, function(url, path, seconds) NULL)),
    "nothing came", class = "nativenet_error_offline")
  expect_identical(files(), character())
  # what is there stays as it was
  kept <- get(file_url(from))
  expect_error(get("file:///no/such/file", force_download = TRUE), class = "nativenet_error_offline")
  expect_identical(read_bytes(kept), as.raw(1:100))
})

test_that("arguments of get_file() are checked", {
  expect_error(get_file("x"), "`origin` must be given", fixed = TRUE)
  expect_error(get_file("../x", "file:///x"), "`fname` must not lead out of the folder", fixed = TRUE)
  expect_error(get_file("x", "file:///x", cache_subdir = "a/../../b"), "`cache_subdir` must not lead out", fixed = TRUE)
  expect_error(get_file("x", "file:///x", file_hash = "abc"), "`file_hash` must be 32 hexadecimal digits", fixed = TRUE)
  expect_error(get_file("x", "file:///x", file_hash = strrep("a", 32), hash_algorithm = "sha256"), "must be 64 hexa")
  expect_error(get_file("x", "file:///x", hash_algorithm = "sha1"), "`hash_algorithm` must be one of", fixed = TRUE)
  expect_error(get_file("x", "file:///x", archive_format = "rar"), "`archive_format` must be one of", fixed = TRUE)
})
