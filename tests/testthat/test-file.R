test_that("a writer that finds the disk full says so and leaves the old file", {
  skip_if_not(file.exists("/dev/full"))
  folder <- tempfile("full")
  dir.create(folder)
  path <- file.path(folder, "file")
  writeLines("old", path)
  # the new file under its first name is a link to a disk that is full
  own <- nativenet:::part_file
  utils::assignInNamespace("part_file", function(path) {
    part <- file.path(folder, ".part")
    file.symlink("/dev/full", part)
    part
  }, "nativenet")
  on.exit(utils::assignInNamespace("part_file", own, "nativenet"))
  tokenizer <- text_tokenizer()
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  log <- callback_csv_logger(path)
  lab <- tempfile(fileext = ".R")
  writeLines(c("#!hwbegin TODO", "x", "#!hwend"), lab)
  writers <- list(
    tokenizer = function() save_text_tokenizer(tokenizer, path), model = function() save_model(model, path),
    weights = function() save_model_weights(model, path), tensors = function() safetensors_write(path, list(x = 1)),
    cache = function() suppressWarnings(as.list(dataset_cache(range_dataset(to = 3), path))), log = function() log$on_epoch_end(0, list(loss = 1)),
    strip = function() strip_solutions(lab, path), replace = function() nativenet:::replace_file(path, list(as.raw(1), tensor(1:3)))
  )
  for (name in names(writers)) {
    expect_error(writers[[name]](), "No space left", fixed = TRUE, class = "nativenet_error_file")
    expect_identical(readLines(path, 1), "old", info = name)
    expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "file", info = name)
  }
})

# ---- files that are small and ask for much ----

#' A gzip file of `head`, `n` megabytes of one byte, and `tail`.
gzip_of <- function(head, n, byte, tail = raw()) {
  path <- tempfile(fileext = ".gz")
  con <- gzfile(path, "wb", compression = 1)
  on.exit(close(con))
  for (bytes in c(list(head), rep(list(rep(byte, 2^20)), n), list(tail))) writeBin(bytes, con)
  path
}
file_of <- function(...) {
  path <- tempfile()
  writeBin(c(...), path)
  path
}
idx_head <- function(...) c(as.raw(c(0, 0, 8, ...length())), writeBin(c(...), raw(), endian = "big"))
test_that("no file takes much before it is refused, and none leaves anything behind", {
  zipped <- function(bytes) {
    folder <- tempfile("zip")
    dir.create(folder)
    old <- setwd(folder)
    on.exit(setwd(old))
    writeBin(bytes, "a.npy")
    utils::zip("a.npz", "a.npy", "-q")
    unlink("a.npy")
    file.path(folder, "a.npz")
  }
  text <- function(unit, n = 2^20) charToRaw(strrep(unit, n / nchar(unit)))
  header <- function(text, size = length(text)) c(writeBin(c(length(text), 0L), raw(), endian = "little"), text, raw(size - length(text)))
  lines <- function(path) iterate(text_line_dataset(path))
  csv <- function(path) iterate(csv_dataset(path))
  cases <- list(
    idx = list(gzip_of(idx_head(100L * 1024L, 1024L), 100, as.raw(0), as.raw(0)), read_idx, idx_dataset),
    short = list(gzip_of(idx_head(100L * 1024L + 1L, 1024L), 100, as.raw(0)), read_idx, idx_dataset),
    long = list(gzip_of(idx_head(5L), 100, as.raw(0)), read_idx, idx_dataset),
    line = list(gzip_of(raw(), 100, charToRaw("a")), lines, csv, load_text_tokenizer, dataset_imdb_word_index),
    commas = list(gzip_of(raw(), 100, charToRaw(",")), csv), zeros = list(gzip_of(raw(), 100, as.raw(0)), lines, csv),
    arrays = list(file_of(text("[],")), load_text_tokenizer, dataset_imdb_word_index),
    numbers = list(file_of(charToRaw("["), text("0,"), charToRaw("0]")), load_text_tokenizer, dataset_imdb_word_index),
    deep = list(file_of(text("[")), load_text_tokenizer, dataset_imdb_word_index),
    header = list(file_of(header(c(charToRaw("{\"__metadata__\":{}"), text(" ", 2^24), charToRaw(",}")))), safetensors_read, load_model),
    entries = list(file_of(header(c(charToRaw("{\"a\":["), text("{},"), charToRaw("0]}")), 2^22 + 100)), safetensors_read)
  )
  if (nzchar(Sys.which("zip"))) cases$npz <- list(zipped(npy_bytes("|u1", "(5,)", raw(1e8))), read_npz)
  if (nzchar(Sys.which("zip"))) cases$pickled <- list(zipped(npy_bytes("|O", "(1,)", rep(charToRaw("]"), 1e8))), read_npz)
  for (unit in list("]", ")", "(", "N", "]a", "]q1", as.raw(c(0x55, 0)), as.raw(c(0x43, 0)), as.raw(0x94), as.raw(c(0x5d, 0x72, 255, 255, 255, 0)))) {
    unit <- if (is.raw(unit)) unit else charToRaw(unit)
    many <- rep(unit, 2^20 / length(unit))
    groups <- rep(c(charToRaw("("), rep(unit, 1000), charToRaw("e")), length(many) / length(unit) / 1000)
    cases[[length(cases) + 1]] <- list(file_of(npy_bytes("|O", "(1,)", many)), read_npy)
    cases[[length(cases) + 1]] <- list(file_of(npy_bytes("|O", "(1,)", c(charToRaw("]"), groups))), read_npy)
  }
  place <- function() list.files(tempdir(), "^nativenet-|^content-|[.]part$", all.files = TRUE)
  before <- place()
  for (i in seq_along(cases)) for (read in cases[[i]][-1]) {
    info <- paste(i, names(cases)[i])
    used <- gc(reset = TRUE)
    if (nzchar(Sys.getenv("BOMBS"))) cat(info, "")
    seconds <- system.time(expect_error(read(cases[[i]][[1]]), class = "nativenet_error_file", info = info))[["user.self"]]
    taken <- sum(gc()[, 6] - used[, 2])
    if (nzchar(Sys.getenv("BOMBS"))) cat(taken, "MB", seconds, "s,", file.size(cases[[i]][[1]]) / 2^20, "MB\n")
    # R's collector lets up to some hundred megabytes of what is no longer needed lie
    expect_lt(taken, 150, label = paste(info, "megabytes"))
    expect_lt(seconds, 4, label = paste(info, "seconds"))
    expect_identical(place(), before, info = info)
  }
})

test_that("as many lists as arrays of objects do have are read", {
  # 70,000 lists of two, each remembered, a thousand at a time, as Python writes them
  of_two <- rbind(0x5d, 0x72, matrix(as.integer(writeBin(15L + 1:70000, raw(), endian = "little")), 4), 0x28, 0x4b, 1, 0x4b, 2, 0x65)
  thousands <- rbind(matrix(as.raw(of_two), nrow(of_two) * 1000), as.raw(0x65), as.raw(0x28))
  path <- temp_npy("|O", "(70000,)", pickle_bytes(70000, c(thousands)))
  expect_identical(read_npy(path), rep(list(1:2), 70000))
})
