test_that("a writer that finds the disk full says so and leaves the old file", {
  skip_if_not(full_disk_there())
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
    cache = function() suppressWarnings(as.list(dataset_cache(range_dataset(to = 3), path))), log = function()
    log$on_epoch_end(0, list(loss = 1)), strip = function() strip_solutions(lab, path), replace = function()
    nativenet:::replace_file(path, list(as.raw(1), tensor(1:3)))
  )
  for (name in names(writers)) {
    expect_error(writers[[name]](), "No space left", fixed = TRUE, class = "nativenet_error_file")
    expect_identical(readLines(path, 1), "old", info = name)
    expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "file", info = name)
  }
})

# ---- files that are small and ask for much, or say only at their end that they are none ----

#' A gzip file of `head`, `n` megabytes of one byte, and `tail`.
gzip_of <- function(head, n, byte, tail = raw()) {
  path <- tempfile(fileext = ".gz")
  con <- gzfile(path, "wb", compression = 1)
  on.exit(close(con))
  block <- rep(byte, 2^20)
  writeBin(head, con)
  for (i in seq_len(n)) writeBin(block, con)
  writeBin(tail, con)
  path
}
text_of <- function(unit, n = 2^20) charToRaw(strrep(unit, n / nchar(unit)))
idx_head <- function(...) c(as.raw(c(0, 0, 8, ...length())), writeBin(c(...), raw(), endian = "big"))
many_words <- function(n) charToRaw(paste0("{", paste0(sprintf("\"%x\":", seq_len(n)), seq_len(n), collapse = ",")))
bombs <- function() {
  zipped <- function(bytes) {
    folder <- tempfile("zip")
    dir.create(folder)
    old <- setwd(folder)
    on.exit(setwd(old))
    writeBin(bytes, "a.npy")
    utils::zip("a.npz", "a.npy", "-q1")
    unlink("a.npy")
    file.path(folder, "a.npz")
  }
  header <- function(text, size = length(text)) c(writeBin(c(length(text), 0L), raw(), endian = "little"), text,
    raw(size - length(text)))
  lines <- function(path) iterate(text_line_dataset(path))
  csv <- function(path) iterate(csv_dataset(path))
  words <- many_words(2e5)
  tokenizer <- function(counts) temp_bytes(
    charToRaw("{\"class_name\":\"Tokenizer\",\"config\":{\"document_count\":1,\"word_docs\":\"{}\",\"word_counts\":\""),
    charToRaw(gsub("\"", "\\\"", rawToChar(counts), fixed = TRUE)), charToRaw("\"}}"))
  cases <- list(
    idx = list(gzip_of(idx_head(40L * 1024L, 1024L), 40, as.raw(0), as.raw(0)), read_idx, idx_dataset),
    short = list(gzip_of(idx_head(40L * 1024L + 1L, 1024L), 40, as.raw(0)), read_idx, idx_dataset),
    long = list(gzip_of(idx_head(5L), 40, as.raw(0)), read_idx, idx_dataset),
    trailing = list(temp_bytes(idx_head(2^23), raw(2^23), as.raw(0)), read_idx, idx_dataset),
    line = list(gzip_of(raw(), 80, charToRaw("a")), lines, csv, load_text_tokenizer, dataset_imdb_word_index),
    commas = list(gzip_of(raw(), 40, charToRaw(",")), csv),
    columns = list(temp_bytes(text_of(","), charToRaw("\n")), csv),
    zeros = list(gzip_of(raw(), 40, as.raw(0)), lines, csv), arrays = list(temp_bytes(text_of("[],", 2^22)),
      load_text_tokenizer, dataset_imdb_word_index),
    numbers = list(temp_bytes(charToRaw("["), text_of("0,", 2^22), charToRaw("0]")), load_text_tokenizer,
      dataset_imdb_word_index),
    deep = list(temp_bytes(text_of("[")), load_text_tokenizer, dataset_imdb_word_index),
    words = list(temp_bytes(words), dataset_imdb_word_index),
    twice = list(temp_bytes(words, charToRaw(",\"\\u0031\":1}")),
      dataset_imdb_word_index),
    text = list(temp_bytes(words, charToRaw(",\"x\":\"y\"}")), dataset_imdb_word_index),
    counts = list(tokenizer(c(words, charToRaw(",\"x\":0}"))), load_text_tokenizer),
    header = list(temp_bytes(header(c(charToRaw("{\"__metadata__\":{}"), text_of(" ", 2^23), charToRaw(",}")))),
      safetensors_read, load_model),
    entries = list(temp_bytes(header(c(charToRaw("{\"a\":["), text_of("{},"), charToRaw("0]}")), 2^22 + 100)),
      safetensors_read)
  )
  if (nzchar(Sys.which("zip"))) cases$npz <- list(zipped(npy_bytes("|u1", "(5,)", raw(2e7))), read_npz)
  if (nzchar(Sys.which("zip"))) cases$pickled <- list(zipped(npy_bytes("|O", "(1,)", rep(charToRaw("]"), 2e7))),
    read_npz)
  for (unit in list("]", ")", "(", "N", "]a", "]q1", as.raw(c(0x55, 0)), as.raw(c(0x43, 0)), as.raw(0x94),
    as.raw(c(0x5d, 0x72, 255, 255, 255, 0)))) {
    unit <- if (is.raw(unit)) unit else charToRaw(unit)
    many <- rep(unit, 2^22 / length(unit))
    groups <- rep(c(charToRaw("("), rep(unit, 1000), charToRaw("e")), length(many) / length(unit) / 1000)
    cases[[length(cases) + 1]] <- list(temp_bytes(npy_bytes("|O", "(1,)", many)), read_npy)
    cases[[length(cases) + 1]] <- list(temp_bytes(npy_bytes("|O", "(1,)", c(charToRaw("]"), groups))), read_npy)
  }
  # lists of two, each remembered, a thousand at a time, as Python writes them; then what is no value
  cases$honest <- list(temp_npy("|O", "(200000,)", pickle_bytes(2e5, c(lists_of_two(2e5), hex("284b0168016528")))),
    read_npy)
  cases
}
lists_of_two <- function(n) {
  one <- rbind(0x5d, 0x72, matrix(as.integer(writeBin(15L + seq_len(n), raw(), endian = "little")), 4), 0x28, 0x4b, 1,
    0x4b, 2, 0x65)
  c(rbind(matrix(as.raw(one), nrow(one) * 1000), as.raw(0x65), as.raw(0x28)))
}
test_that("no file takes much before it is refused, and none leaves anything behind", {
  place <- function() list.files(tempdir(), "^nativenet-|^content-|[.]part$", all.files = TRUE)
  cases <- bombs()
  # a second, or on a slow machine ten times what a right file of 40 MB takes there
  right <- gzip_of(idx_head(40L * 1024L, 1024L), 40, as.raw(0))
  longest <- max(1, 10 * system.time(read_idx(right))[["user.self"]])
  before <- place()
  # R collects what is not in use before it says that a limit is reached; here that is done once, as it takes longer
  # than to refuse a file. It takes no limit below the room that it has made for itself, and gives that back little by
  # little.
  room <- Inf
  repeat {
    sizes <- gc()
    if (sizes[2, 4] >= room) break
    room <- sizes[2, 4]
  }
  used <- sizes[2, 2]
  within_megabytes <- function(most, code) {
    unlimited <- mem.maxVSize()
    on.exit(mem.maxVSize(unlimited))
    tryCatch(mem.maxVSize(used + most), warning = function(w) mem.maxVSize(room + 1))
    code
  }
  for (i in seq_along(cases)) for (read in cases[[i]][-1]) {
    info <- paste(i, names(cases)[i])
    most <- max(16, 4 * file.size(cases[[i]][[1]]) / 2^20)
    seconds <- system.time(within_megabytes(most,
      expect_error(read(cases[[i]][[1]]), class = "nativenet_error_file", info = info)), FALSE)[["user.self"]]
    expect_lt(seconds, longest, label = paste(info, "seconds"))
    expect_identical(place(), before, info = info)
  }
})

test_that("files that are large and right are read", {
  expect_identical(read_npy(temp_npy("|O", "(70000,)", pickle_bytes(70000, lists_of_two(70000)))),
    rep(list(1:2), 70000))
  # a tuple goes onto the stack as a whole; numbers in the memo may be left out
  many <- c(hex("28"), rep(hex("4b07"), 1e5), hex("7472"), writeBin(90000L, raw(), endian = "little"))
  expect_identical(read_npy(temp_npy("|O", "(2,)",
    pickle_bytes(2, c(many, hex("6a"), writeBin(90000L, raw(), endian = "little"))))), rep(list(rep(7L, 1e5)), 2))
  index <- dataset_imdb_word_index(temp_bytes(many_words(1e5), charToRaw("}")))
  expect_identical(index[c(1, 1e5)], list("1" = 1L, "186a0" = 100000L))
  # a header that is longer than what follows
  tensors <- stats::setNames(rep(list(tensor(1, "float32")), 2500), strrep(paste0("t", 1001:3500), 100))
  path <- tempfile()
  safetensors_write(path, tensors)
  expect_identical(names(safetensors_read(path)$tensors), names(tensors))
  parts <- gzip_of(raw(), 1, charToRaw("a"), charToRaw("\n"))
  more <- gzip_of(raw(), 0, charToRaw("b"), charToRaw("end\n"))
  file.append(parts, more)
  expect_equal(nchar(unlist(as.list(text_line_dataset(parts)))), c(2^20, 3))
  model <- keras_model_sequential(input_shape = 1) |> layer_repeat_vector(2^21)
  save_model(model, path)
  expect_equal(dim(load_model(path)$output)[3], 1)
})

test_that("compressed data that was changed or cut off is not believed", {
  lines <- gzip_of(charToRaw(paste0(1:100, "\n", collapse = "")), 0, raw())
  bytes <- readBin(lines, "raw", 1e5)
  n <- length(bytes)
  for (damaged in list(bytes[1:10], bytes[1:(n - 9)], bytes[1:(n - 8)], bytes[1:(n - 1)],
    replace(bytes, n - 5, xor(bytes[n - 5], as.raw(1))), c(bytes, as.raw(1:9)))) {
    expect_error(iterate(text_line_dataset(temp_bytes(damaged))), "compressed data", class = "nativenet_error_file")
  }
  entry <- npy_bytes("|u1", "(5,)", as.raw(1:5))
  archive <- write_zip(list(a.npy = entry), tempfile())
  expect_identical(read_npz(archive), list(a = 1:5))
  bytes <- readBin(archive, "raw", 1e5)
  at <- 30 + 5 + length(entry) # the last number
  expect_error(read_npz(temp_bytes(replace(bytes, at, as.raw(9)))), "it is damaged", class = "nativenet_error_file")
  expect_error(read_npz(temp_bytes(bytes[seq_len(length(bytes) - 22)])), class = "nativenet_error_file")
})

test_that("damaged files of every format are read or refused, and nothing else", {
  formats <- mutate_formats()
  outcome <- with_threads(1, vapply(seq_len(12 * length(formats)), function(k) {
    format <- formats[[k %% length(formats) + 1]]
    suppressMessages(utils::capture.output(outcome <- file_outcome(format, mutant(format, 1e6 + k))))
    paste(names(formats)[k %% length(formats) + 1], if (outcome %in% c("read", "refused")) "fine" else
      paste(k, outcome))
  }, ""))
  expect_setequal(outcome, paste(names(formats), "fine"))
})
