#' What unpacking gives: names and contents, or the condition.
unpacked <- function(path, ...) {
  into <- tempfile("into-")
  dir.create(into)
  on.exit(unlink(into, recursive = TRUE))
  unpack_archive(path, into, ..., fun = "get_file")
  names <- list.files(into, recursive = TRUE, all.files = TRUE)
  lapply(stats::setNames(nm = names), function(name) read_bytes(file.path(into, name)))
}
word <- function(x) charToRaw(x)

test_that("zip and tar archives are unpacked, compressed or not", {
  content <- list(a.txt = word("alpha"), "more/b.bin" = as.raw(rep(0:255, 9)), "more/deep/empty" = raw())
  wanted <- content[order(names(content))]
  path <- tempfile(fileext = ".tar.gz")
  on.exit(unlink(path))
  entries <- c(list(list(name = "more/", type = "5")), Map(function(data, name) list(name = name, data = data), content,
    names(content)))
  write_tar(entries, path)
  expect_identical(unpacked(path), wanted)
  expect_identical(unpacked(path, "tar"), wanted)
  plain <- tempfile(fileext = ".tar")
  zip <- tempfile(fileext = ".zip")
  on.exit(unlink(c(plain, zip)), add = TRUE)
  write_tar(entries, plain)
  expect_identical(unpacked(plain), wanted)
  write_zip(content, zip)
  expect_identical(unpacked(zip), wanted)
  # by other programs: R's own, which has long names in fields of their own
  folder <- tempfile("packed-")
  long <- file.path(folder, strrep("long", 30), strrep("name", 30))
  dir.create(long, recursive = TRUE)
  on.exit(unlink(folder, recursive = TRUE), add = TRUE)
  writeLines("x", file.path(long, "file"))
  before <- setwd(folder)
  on.exit(setwd(before), add = TRUE)
  for (how in c("none", "bzip2", "xz")) {
    suppressWarnings(utils::tar(path, ".", compression = how, tar = "internal"))
    expect_identical(names(unpacked(path)), file.path(strrep("long", 30), strrep("name", 30), "file"))
  }
  # names in the fields of pax, which come before the entry
  write_tar(list(list(name = "x", type = "x", data = word("19 path=other.name\n")), list(name = "short", data =
    word("1"))), plain)
  expect_identical(unpacked(plain), list(other.name = word("1")))
})

test_that("what leads out of the folder is refused, and nothing is left", {
  path <- tempfile(fileext = ".tar")
  on.exit(unlink(path))
  refused <- function(pattern) {
    into <- tempfile("into-")
    dir.create(into)
    on.exit(unlink(into, recursive = TRUE))
    writeLines("mine", file.path(into, "good"))
    expect_error(unpack_archive(path, into, fun = "get_file"), pattern, class = "nativenet_error_file")
    expect_identical(list.files(into, all.files = TRUE, no.. = TRUE), "good")
    expect_identical(readLines(file.path(into, "good")), "mine")
  }
  good <- list(name = "good", data = word("1"))
  for (name in c("../evil", "a/../../evil", "/tmp/evil", "..", "C:/evil", "..\\evil", "~/evil")) {
    write_tar(list(good, list(name = name, data = word("x"))), path)
    refused("leads out of the folder")
    write_zip(stats::setNames(list(word("1"), word("x")), c("good", name)), path)
    refused("leads out of the folder")
  }
  write_tar(list(good, list(name = "l", type = "2", link = "/etc"), list(name = "l/passwd", data = word("x"))), path)
  refused("its entry \"l\" is a link")
  write_tar(list(good, list(name = "l", type = "1", link = "good")), path)
  refused("is a link")
  write_zip(list(good = word("1"), l = word("/etc")), path)
  bytes <- read_bytes(path)
  entry <- tail(grepRaw(as.raw(c(0x50, 0x4b, 1, 2)), bytes, all = TRUE), 1) # the last one's mode in the directory
  writeBin(replace(bytes, entry + 40:41, as.raw(c(0xff, 0xa1))), path)
  refused("its entry \"l\" is a link")
  write_tar(list(good, list(name = "tty", type = "3")), path)
  refused("is a device")
  write_tar(list(list(name = "x", type = "x", data = word("20 path=../evil.name\n")[-20]), good), path)
  refused("is damaged|leads out")
  write_tar(list(list(name = "x", type = "L", data = word("../evil")), good), path)
  refused("leads out of the folder")
})

test_that("archives that are damaged are refused, what is none is told", {
  path <- tempfile(fileext = ".tar")
  on.exit(unlink(path))
  write_tar(list(list(name = "a", data = as.raw(rep(1, 2000))), list(name = "b", data = word("b"))), path)
  bytes <- read_bytes(path)
  writeBin(bytes[1:1500], path)
  expect_error(unpacked(path), "it is cut off", class = "nativenet_error_file")
  writeBin(replace(bytes, 2600, as.raw(9)), path) # in the second header
  expect_error(unpacked(path), "it is damaged", class = "nativenet_error_file")
  zipped <- memCompress(bytes, "gzip")
  con <- gzfile(path, "wb")
  writeBin(bytes, con)
  close(con)
  zipped <- read_bytes(path)
  writeBin(zipped[seq_len(length(zipped) - 12)], path)
  expect_error(unpacked(path), "cut off|corrupt", class = "nativenet_error_file")
  write_zip(list(a = as.raw(1:200)), path)
  bytes <- read_bytes(path)
  writeBin(bytes[1:100], path)
  expect_error(unpacked(path), class = "nativenet_error_file")
  writeLines("text", path)
  expect_warning(expect_identical(unpacked(path), stats::setNames(list(), character())), "is no archive",
    class = "nativenet_warning_archive")
  expect_warning(unpacked(write_tar(list(list(name = "a")), path), "zip"), "is no zip file",
    class = "nativenet_warning_archive")
})

test_that("get_file() unpacks", {
  from <- tempfile(fileext = ".tar.gz")
  cache <- tempfile("cache-")
  on.exit(unlink(c(from, cache), recursive = TRUE))
  write_tar(list(list(name = "flowers/rose.txt", data = word("red"))), from)
  get <- function(fname, ...) suppressMessages(get_file(fname, file_url(from), cache_dir = cache, ...))
  expect_identical(get("f.tar.gz", extract = TRUE, cache_subdir = "one"), file.path(cache, "one", "f.tar.gz"))
  expect_true(file.exists(file.path(cache, "one", "flowers", "rose.txt")))
  expect_identical(get("flowers", untar = TRUE), file.path(cache, "datasets", "flowers"))
  expect_identical(readLines(file.path(cache, "datasets", "flowers", "rose.txt"), warn = FALSE), "red")
  expect_identical(list.files(file.path(cache, "datasets"), all.files = TRUE, no.. = TRUE), c("flowers",
    "flowers.tar.gz"))
  expect_identical(get("g", extract = TRUE, archive_format = NULL, cache_subdir = "two"), file.path(cache, "two", "g"))
  expect_identical(list.files(file.path(cache, "two")), "g")
})
