# Files are compared byte by byte with ones put together here.

# A file from the text of its header and the bytes of its data, `length` being what it claims of its header.
file_of <- function(header, data = raw(), length = nchar(header, "bytes")) {
  path <- tempfile(fileext = ".safetensors")
  writeBin(c(writeBin(c(as.integer(length), 0L), raw(), endian = "little"), charToRaw(header), as.raw(data)), path)
  path
}
bytes_of <- function(path) readBin(path, "raw", file.size(path))
write <- function(...) safetensors_write(tempfile(fileext = ".safetensors"), ...)
expect_refused <- function(path, message) {
  expect_error(safetensors_read(path), message, class = "nativenet_error_file", fixed = TRUE)
  expect_error(safetensors_read(path), basename(path), class = "nativenet_error_file", fixed = TRUE)
}

test_that("a written file has exactly the bytes of the format", {
  path <- write(list(a = tensor(matrix(c(1, 2, 3, 4, 5, 6), 2), "float32"), b = c(TRUE, FALSE)),
    list(made = "by \"me\""))
  header <- paste0("{\"__metadata__\":{\"made\":\"by \\\"me\\\"\"},",
    paste0("\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"BOOL\",\"shap",
      "e\":[2],\"data_offsets\":[24,26]}}"))
  size <- 8 * ceiling(nchar(header) / 8)
  header <- c(charToRaw(header), rep(charToRaw(" "), size - nchar(header)))
  data <- c(writeBin(c(1, 3, 5, 2, 4, 6), raw(), size = 4, endian = "little"), as.raw(c(1, 0)))
  expect_identical(bytes_of(path), c(writeBin(c(as.integer(size), 0L), raw(), endian = "little"), header, data))
})

test_that("every dtype, scalars, empty ones and eight axes come back bit for bit, in the order of the names", {
  tensors <- list(
    flags = tensor(matrix(c(TRUE, FALSE, TRUE), 1)), f32 = tensor(array(rnorm(24), 2:4), "float32"),
    f64 = tensor(c(pi, -0, 5e-324)), i32 = tensor(c(-2147483647, 7), "int32"), i64 = tensor(c(2^53, -2^40), "int64"),
    scalar = tensor(3), empty = tensor(matrix(0, 0, 5)), deep = tensor(array(1:16, c(1, 2, 1, 2, 1, 2, 1, 2))),
    variable = variable(1:3, "float32")
  )
  saved <- safetensors_read(write(tensors))
  expect_identical(names(saved$tensors), names(tensors))
  for (name in names(tensors)) {
    expect_identical(tensor_dtype(saved$tensors[[name]]), tensor_dtype(tensors[[name]]), info = name)
    expect_identical(as.array(saved$tensors[[name]]), as.array(tensors[[name]]), info = name)
  }
  expect_false(is_variable(saved$tensors$variable))
  expect_identical(saved$metadata, structure(list(), names = character()))
  again <- safetensors_from_raw(safetensors_to_raw(tensors, list(a = "1")))
  expect_identical(lapply(again$tensors, as.array), lapply(tensors, as.array))
  expect_identical(again$metadata, list(a = "1"))
  expect_identical(safetensors_to_raw(tensors), bytes_of(write(tensors)))
})

test_that("NaN keeps its payload, -0 its sign, and a byte that is no 0 is TRUE", {
  bits <- as.raw(c(0x01, 0x02, 0xa3, 0x7f, 0, 0, 0, 0x80, 1, 0, 0, 0))
  path <- file_of("{\"x\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", bits)
  expect_identical(utils::tail(bytes_of(write(safetensors_read(path)$tensors)), 12), bits)
  path <- file_of("{\"x\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}", c(0, 7))
  expect_identical(safetensors_to_raw(safetensors_read(path)$tensors), safetensors_to_raw(list(x = c(FALSE, TRUE))))
})

test_that("wide numbers lie at multiples of their size", {
  bytes <- safetensors_to_raw(list(flag = TRUE, x = 1, byte = as.raw(9), y = tensor(2, "float32")))
  expect_identical(utils::tail(bytes, 14), c(writeBin(1, raw(), endian = "little"),
    writeBin(2, raw(), size = 4, endian = "little"), as.raw(1), as.raw(9)))
  expect_identical(as.integer(bytes[1]) %% 8L, 0L)
})

test_that("raw vectors and arrays are unsigned bytes", {
  x <- list(v = as.raw(0:255), m = matrix(as.raw(1:6), 2), a = array(as.raw(1:24), 2:4), none = raw())
  saved <- safetensors_read(write(x))$tensors
  expect_identical(saved$m, x$m)
  expect_identical(saved$a, x$a)
  expect_identical(as.vector(saved$v), x$v)
  expect_length(saved$none, 0)
  expect_identical(utils::tail(safetensors_to_raw(x["m"]), 6), as.raw(c(1, 3, 5, 2, 4, 6)))
})

test_that("names and metadata may hold any text", {
  names <- c("layer/0:kernel", "quote\" back\\slash\n", "M\u00fcller \u2200", "1e5")
  metadata <- stats::setNames(as.list(rev(names)), names)
  saved <- safetensors_read(write(stats::setNames(as.list(1:4), names), metadata))
  expect_identical(names(saved$tensors), names)
  expect_identical(saved$metadata, metadata)
  expect_length(safetensors_read(write(list()))$tensors, 0)
})

test_that("what cannot be written is refused and leaves the old file", {
  path <- write(list(x = 1))
  old <- bytes_of(path)
  bad <- function(..., message) expect_error(safetensors_write(path, ...), message, class = "nativenet_error_value",
    fixed = TRUE)
  bad(1, message = "`safetensors_write()`: `tensors` must be a named list, not 1")
  bad(list(1), message = "`tensors` must be a named list")
  bad(list(a = 1, 2), message = "names of `tensors` must be there and differ")
  bad(list(a = 1, a = 2), message = "must be there and differ")
  bad(list("__metadata__" = 1), message = "can be called")
  bad(list(a = "text"), message = "`tensors$a` must be a numeric or logical array, not \"text\"")
  bad(list(a = 1), list(1), message = "`metadata` must be a named list")
  bad(list(a = 1), list(b = 1), message = "`metadata$b` must be a single string, not 1")
  bad(stats::setNames(list(1), strrep("x", 5000)), message = "longer than 4096 bytes")
  expect_identical(bytes_of(path), old)
  expect_error(safetensors_write(tempdir(), list(a = 1)), "it is a folder", class = "nativenet_error_file")
  skip_on_os("windows")
  pipe <- tempfile()
  system2("mkfifo", pipe)
  expect_error(safetensors_write(pipe, list(a = 1)), "it is a device, not a file", class = "nativenet_error_file")
  expect_error(safetensors_write(file.path(path, "x"), list(a = 1)), "does not exist", class = "nativenet_error_file")
})

test_that("a full disk is an error, and leaves neither a change nor a stray file", {
  skip_if_not(full_disk_there())
  expect_match(.Call(C_file_write, "/dev/full", list(as.raw(1:9)), FALSE), "No space left", fixed = TRUE)
  expect_match(.Call(C_file_write, "/dev/full", list(tensor(numeric(1e5))), FALSE), "No space left", fixed = TRUE)
  folder <- tempfile()
  dir.create(folder)
  path <- file.path(folder, "model")
  safetensors_write(path, list(x = 1))
  old <- bytes_of(path)
  local({
    part_file <- function(path) {
      file.symlink("/dev/full", file.path(folder, "part"))
      file.path(folder, "part")
    }
    write <- replace_file
    environment(write) <- environment()
    expect_error(write(path, list(as.raw(1))), "No space left on device", class = "nativenet_error_file")
  })
  expect_identical(bytes_of(path), old)
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "model")
})

test_that("a file is replaced, with its mode, behind a link", {
  skip_on_os("windows") # links and modes are of Unix
  folder <- tempfile()
  dir.create(folder)
  path <- file.path(folder, "model")
  safetensors_write(path, list(x = 1))
  Sys.chmod(path, "600")
  link <- file.path(folder, "link")
  file.symlink(path, link)
  safetensors_write(link, list(x = 2))
  expect_identical(as.array(safetensors_read(path)$tensors$x), 2)
  expect_identical(Sys.readlink(link), path)
  expect_identical(format(file.info(path)$mode), "600")
  expect_setequal(list.files(folder, all.files = TRUE, no.. = TRUE), c("model", "link"))
})

test_that("a file that somebody reads is replaced or, on Windows, stays as it was", {
  folder <- file.path(tempdir(), "f\u00fcr \u6587")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  path <- file.path(folder, "m\u03b1")
  safetensors_write(path, list(x = 1))
  reader <- file(path, "rb")
  outcome <- tryCatch(safetensors_write(path, list(x = 2)), nativenet_error_file = identity)
  close(reader)
  failed <- inherits(outcome, "error")
  expect_identical(failed, .Platform$OS.type == "windows")
  expect_identical(as.array(safetensors_read(path)$tensors$x), if (failed) 1 else 2)
  expect_length(list.files(folder, all.files = TRUE, no.. = TRUE), 1)
})

test_that("what dead processes left is removed, and nothing of those that live", {
  folder <- tempfile()
  dir.create(folder)
  part <- function(id) sprintf(".model.%s-%d.part", Sys.info()[["nodename"]], id)
  script <- tempfile()
  writeLines(c("args <- commandArgs(TRUE)", "writeLines(format(Sys.getpid()), paste0(args[1], 1))",
    "invisible(file.rename(paste0(args[1], 1), args[1]))", "Sys.sleep(as.numeric(args[2]))"), script)
  process <- function(note, seconds) {
    system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", shQuote(script), shQuote(note), seconds),
      wait = seconds == 0)
    happens(function() file.exists(note))
    as.integer(readLines(note))
  }
  dead <- process(tempfile(), 0)
  alive <- process(tempfile(), 600)
  on.exit(tools::pskill(alive))
  for (id in c(dead, alive, Sys.getpid())) writeLines("half", file.path(folder, part(id)))
  safetensors_write(file.path(folder, "model"), list(x = 1))
  expect_setequal(list.files(folder, all.files = TRUE, no.. = TRUE), c("model", part(alive)))
})
test_that("files that are none, or cut off, are refused by name", {
  expect_error(safetensors_read(tempfile()), "there is no file", class = "nativenet_error_file")
  expect_error(safetensors_read(tempdir()), "there is no file .*, but a folder", class = "nativenet_error_file")
  expect_error(safetensors_read(1), "must be a single string", class = "nativenet_error_value")
  entry <- "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
  expect_length(safetensors_read(file_of(entry, 1:8))$tensors, 1)
  expect_refused(file_of(entry, 1:7), "need 8 bytes of data, but it has 7 bytes; it is cut off")
  expect_refused(file_of(entry, 1:9), "need 8 bytes of data, but it has 9 bytes")
  expect_refused(file_of(entry, length = 1000), "a header of 1000 bytes in a file of")
  expect_refused(file_of(entry, length = -1), "it is no safetensors file, or cut off")
  expect_refused(file_of("", length = 0), "does not begin with {")
  expect_refused(file_of("[1]"), "does not begin with {")
  short <- tempfile()
  writeBin(as.raw(1:7), short)
  expect_refused(short, "it has 7 bytes, too few")
  expect_error(safetensors_from_raw(as.raw(1)), "cannot read the raw vector: it has 1 bytes",
    class = "nativenet_error_file")
})

test_that("each rule of the header is checked", {
  one <- function(dtype = "\"F32\"", shape = "[2]", offsets = "[0,8]", more = "") {
    file_of(sprintf("{\"x\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s%s}}", dtype, shape, offsets, more), 1:8)
  }
  expect_identical(dim(safetensors_read(one())$tensors$x), 2L)
  expect_refused(one(dtype = "\"F16\""), "tensor \"x\": its dtype is \"F16\", not one of F32, F64, I32, I64, BOOL, U8")
  expect_refused(one(dtype = "7"), "its dtype is no string")
  expect_refused(one(dtype = "null"), "its dtype is no string")
  expect_refused(one(shape = "[3]"), "shape (3) of F32 needs 12 bytes, but its data_offsets span 8 bytes")
  for (shape in c("[1.5]", "[-2]", "2", "\"2\"", "[\"2\"]", "[null]", "[true]", "[1e300]", "{\"a\":2}")) {
    expect_refused(one(shape = shape), "its shape is no list of whole numbers")
  }
  expect_refused(one(shape = "[1,1,1,1,1,1,1,1,2]"), "it has 9 axes, more than 8")
  expect_refused(one(shape = "[4294967296]"), "an axis has 4294967296 elements")
  # a product that overflows 64 bits to 8
  expect_refused(one(shape = "[2147483647,2147483647,2147483647,8]"), "bytes, but its data_offsets span 8 bytes")
  for (offsets in c("[8,0]", "[0]", "[0,8,8]", "[-1,7]", "[0.5,8.5]", "\"0,8\"", "[null,8]")) {
    expect_refused(one(offsets = offsets), "its data_offsets are no begin and end")
  }
  expect_refused(one(offsets = "[0,1e400]"), "a number is beyond those of doubles")
  expect_refused(one(offsets = "[8,16]"), "begins at byte 8 of the data, not 0: numbers overlap or have a gap")
  expect_refused(one(offsets = "[9007199254740984,9007199254740991]", shape = "[7]", dtype = "\"U8\""),
    "begins at byte 9007199254740984")
  expect_refused(one(more = ",\"dtype\":\"F32\""), "the name \"dtype\" stands twice in an object")
  expect_refused(file_of("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 1:8), "must have dtype, shape and data_offsets")
  expect_refused(file_of("{\"x\":null}"), "must have dtype, shape and data_offsets")
  expect_refused(file_of("{\"x\":[]}"), "must have dtype, shape and data_offsets")
  entry <- "\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}"
  expect_refused(file_of(paste0("{", entry, ",", entry, "}"), 1:2), "the name \"x\" stands twice in an object")
  two <- function(b) file_of(paste0("{", entry, ",\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[", b, "]}}"),
    1:4)
  expect_identical(as.vector(safetensors_read(two("2,4"))$tensors$y), as.raw(3:4))
  expect_refused(two("1,3"), "tensor \"y\" begins at byte 1 of the data, not 2")
  expect_refused(two("0,2"), "overlap")
  # an empty tensor inside another's numbers
  expect_refused(file_of(paste0("{", entry, ",\"y\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]}}"), 1:2),
    "overlap")
  # sizes that only a 0 keeps from being impossible
  expect_refused(one(shape = "[0,2147483647,2147483647,2147483647,2147483647]", offsets = "[0,0]"), "tensor")
  for (metadata in c("1", "[\"a\"]", "{\"a\":1}", "{\"a\":[\"b\",\"c\"]}")) {
    expect_refused(file_of(paste0("{\"__metadata__\":", metadata, "}")), "its metadata are not strings by name")
  }
  expect_refused(file_of("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"), "the name \"a\" stands twice in an object")
})

test_that("headers that are no JSON are refused", {
  expect_refused(file_of("{\"x\":"), "its header is no JSON")
  expect_refused(file_of("{} {}"), "its header is no JSON")
  expect_refused(file_of("{,}"), "its header is no JSON")
  # what a parser quotes in its message may look like a format
  expect_refused(file_of(paste0("{\"a\":", strrep("%n%s%n", 20), "}")), "its header is no JSON")
  expect_refused(file_of("{\"x\":{\"dtype\":\"F32\""), "its header is no JSON")
  expect_refused(file_of(paste0("{\"a\":", strrep("[", 5e5))), "its brackets are nested too deeply")
  expect_refused(file_of(paste0("{\"a\\\"[[[\":", strrep("[", 5), "}")),
    "at byte 13, its brackets are nested too deeply")
  latin <- tempfile()
  writeBin(c(writeBin(c(9L, 0L), raw(), endian = "little"), charToRaw("{\""), as.raw(0xff), charToRaw("\":{} }")),
    latin)
  expect_refused(latin, "at byte 3, it is not UTF-8")
  zero <- tempfile()
  writeBin(c(writeBin(c(4L, 0L), raw(), endian = "little"), charToRaw("{"), as.raw(0), charToRaw(" }")), zero)
  expect_refused(zero, "at byte 2, a name is missing")
  expect_refused(file_of(sprintf("{\"%s\":{}}", strrep("n", 5000))), "longer than 4096 bytes")
})

test_that("a file whose first bytes are gzip's is read as it is", {
  header <- "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"
  path <- file_of(paste0(header, strrep(" ", 0x8b1f - nchar(header))), 42)
  expect_identical(bytes_of(path)[1:2], as.raw(c(0x1f, 0x8b)))
  expect_identical(as.vector(safetensors_read(path)$tensors$x), as.raw(42))
})

test_that("damaged files are read or refused with an error of class file, never anything else", {
  set.seed(1)
  good <- safetensors_to_raw(list(kernel = tensor(matrix(rnorm(6), 2), "float32"), bias = c(1, 2), flag = TRUE),
    list(a = "b"))
  header <- 8 + sum(as.integer(good[1:8]) * 256^(0:7))
  outcome <- function(bytes) tryCatch({
    safetensors_from_raw(bytes)
    "read"
  }, nativenet_error_file = function(e) "refused", error = function(e) paste("other:", conditionMessage(e)))
  cut <- vapply(0:(length(good) - 1), function(n) outcome(good[seq_len(n)]), "")
  expect_identical(unique(cut), "refused")
  flipped <- vapply(1:1500, function(i) {
    bytes <- good
    at <- sample(header, sample(3, 1))
    bytes[at] <- as.raw(sample(0:255, length(at), replace = TRUE))
    outcome(bytes)
  }, "")
  expect_setequal(unique(flipped), c("read", "refused"))
  swapped <- vapply(1:500, function(i) {
    text <- sub(sample(c("[0-9]+", "\"[A-Z0-9]+\"", "[\\[{]", ":"), 1),
      sample(c("-1", "1e9", "null", "[", "{}", "\"\"", "0"), 1), rawToChar(good[9:header]))
    outcome(c(writeBin(c(nchar(text), 0L), raw(), endian = "little"), charToRaw(text), good[-seq_len(header)]))
  }, "")
  expect_identical(grep("other", swapped, value = TRUE), character())
})

test_that("another language reads our files and we read its", {
  skip_on_os("windows")
  python <- "/usr/bin/python3"
  skip_if_not(file.exists(python) && system2(python, c("-c", shQuote("import numpy")), stdout = FALSE,
    stderr = FALSE) == 0, "no Python with numpy")
  script <- tempfile(fileext = ".py")
  writeLines(c(
    "import sys, json, struct, numpy as np",
    "kinds = {'F32': '<f4', 'F64': '<f8', 'I32': '<i4', 'I64': '<i8', 'BOOL': '?', 'U8': 'u1'}",
    "b = open(sys.argv[1], 'rb').read()",
    "n = struct.unpack('<Q', b[:8])[0]",
    "h = json.loads(b[8:8+n]); meta = h.pop('__metadata__')",
    "out, head, at = b'', {'__metadata__': {'seen': meta['by']}}, 0",
    "for name, s in h.items():",
    paste0("    x = np.frombuffer(b[8+n+s['data_offsets'][0]:8+n+s['data_offsets'][1]], ",
      "kinds[s['dtype']]).reshape(s['shape'])"),
    "    print(name, x.dtype, x.shape, float(x.astype('f8').sum()), float(x.astype('f8')[(0,) * (x.ndim - 1)][-1]))",
    "    y = np.ascontiguousarray(x.T); d = y.tobytes()",
    paste0("    head[name] = {'dtype': s['dtype'], 'shape': list(y.shape), 'data_offsets': [at, at + len(d)]}; out ",
      "+= d; at += len(d)"),
    "j = json.dumps(head).encode(); open(sys.argv[2], 'wb').write(struct.pack('<Q', len(j)) + j + out)"
  ), script)
  x <- list(a = tensor(matrix(c(0.5, -1, 2, 3, 4, 8), 2), "float32"), b = array(1:24, 2:4), c = c(1e300, 2),
    d = tensor(c(2^40, 1), "int64"), e = matrix(c(TRUE, FALSE, TRUE, TRUE), 2), u = as.raw(c(200, 100)))
  there <- write(x, list(by = "R"))
  back <- tempfile()
  said <- system2(python, c(script, there, back), stdout = TRUE)
  expect_identical(said, c("a float32 (2, 3) 16.5 4.0", "b int32 (2, 3, 4) 300.0 19.0", "c float64 (2,) 1e+300 2.0",
    "d int64 (2,) 1099511627777.0 1.0", "e bool (2, 2) 3.0 1.0", "u uint8 (2,) 300.0 100.0"))
  saved <- safetensors_read(back)
  expect_identical(saved$metadata, list(seen = "R"))
  expect_identical(as.array(saved$tensors$a), t(as.array(x$a)))
  expect_identical(as.array(saved$tensors$b), aperm(x$b))
  expect_identical(as.array(saved$tensors$e), t(x$e))
  expect_identical(as.vector(saved$tensors$u), x$u)
})

test_that("a header of any length is read: some begin like a pickle of Python or a file of R", {
  path <- tempfile(fileext = ".safetensors")
  on.exit(unlink(path))
  met <- NULL
  for (n in c(seq(1, 1400, 8), seq(2500, 2700, 8))) {
    nativenet:::write_tensor_file(path, list(a = tensor(1, "float32")), list(text = strrep("x", n)), "test")
    start <- readBin(path, "raw", 2)
    if (start[1] != as.raw(0x80) && start[2] != charToRaw("\n")) next
    met <- c(met, paste(start, collapse = " "))
    expect_identical(nativenet:::read_tensor_file(path, "path", "test")$metadata$text, strrep("x", n))
  }
  expect_true(all(c("80 02", "80 03", "80 04", "80 05", "58 0a") %in% met))
})
