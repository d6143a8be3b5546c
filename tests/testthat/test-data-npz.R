expect_refused <- function(path, message) {
  expect_error(read_npy(path), message, class = "nativenet_error_file")
  expect_error(read_npy(path), basename(path), fixed = TRUE)
}
objects <- function(pickle, shape = "(1,)") temp_npy("|O", shape, pickle)
little <- function(x, size) writeBin(x, raw(), size, endian = "little")

# ---- numbers and texts ----

test_that("a file that NumPy wrote is read", {
  # numpy.save(f, numpy.arange(6).reshape(2, 3)) of NumPy 1.24
  header <- paste0("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", strrep(" ", 58), "\n")
  path <- tempfile()
  writeBin(c(hex("934e554d505901007600"), charToRaw(header), unlist(lapply(0:5, function(i) as.raw(c(i, integer(7)))))),
    path)
  expect_identical(read_npy(path), matrix(0:5, 2, byrow = TRUE))
})

test_that("every type of numbers is read, in either order of bytes", {
  cases <- list(
    list("i1", c(-128L, 127L), 1), list("i2", c(-32768L, 32767L), 2),
    list("i4", c(-.Machine$integer.max, .Machine$integer.max), 4), list("f4", c(0.5, -1024), 4),
    list("f8", c(pi, NaN, -Inf), 8)
  )
  for (case in cases) {
    for (endian in c("<", ">")) {
      data <- writeBin(case[[2]], raw(), case[[3]], endian = if (endian == "<") "little" else "big")
      expect_identical(read_npy(temp_npy(paste0(endian, case[[1]]), sprintf("(%d,)", length(case[[2]])), data)),
        case[[2]])
    }
  }
  expect_identical(read_npy(temp_npy("|u1", "(3,)", as.raw(c(0, 128, 255)))), c(0L, 128L, 255L))
  expect_identical(read_npy(temp_npy("<u2", "(1,)", as.raw(c(255, 255)))), 65535L)
  expect_identical(read_npy(temp_npy("|b1", "(2,)", as.raw(0:1))), c(FALSE, TRUE))
})

test_that("whole numbers that R's integers cannot hold become doubles", {
  expect_identical(read_npy(temp_npy("<i4", "(2,)", hex("0000008005000000"))), c(-2^31, 5))
  expect_identical(read_npy(temp_npy("<u4", "(2,)", hex("ffffffff01000000"))), c(2^32 - 1, 1))
  expect_identical(read_npy(temp_npy("<u4", "(1,)", hex("01000000"))), 1L)
  expect_identical(read_npy(temp_npy("<i8", "(3,)", hex("ffffffffffffffff00000000010000000000000000000000"))),
    c(-1, 2^32, 0))
  expect_identical(read_npy(temp_npy(">i8", "(2,)", hex("fffffffffffffffe0000000000000003"))), c(-2L, 3L))
  expect_identical(read_npy(temp_npy("<u8", "(1,)", hex("0000000000000100"))), 2^48)
  expect_refused(temp_npy("<i8", "(1,)", hex("0100000000000070")), "whole numbers beyond 2\\^53")
})

test_that("the order of the indices is the file's, of the elements as well", {
  data <- as.raw(1:24)
  x <- read_npy(temp_npy("|u1", "(2, 3, 4)", data))
  expect_identical(dim(x), c(2L, 3L, 4L))
  expect_identical(x[1, 1, ], 1:4)
  expect_identical(x[2, 1, 1], 13L)
  y <- read_npy(temp_npy("|u1", "(2, 3, 4)", data, fortran = TRUE))
  expect_identical(y[, 1, 1], 1:2)
  expect_identical(y[1, 1, 2], 7L)
  expect_identical(read_npy(temp_npy("|u1", "()", as.raw(9))), 9L)
  expect_identical(read_npy(temp_npy("<f8", "(0,)", raw())), numeric())
  expect_identical(dim(read_npy(temp_npy("<f8", "(0, 3)", raw()))), c(0L, 3L))
  expect_identical(read_npy(temp_npy("|u1", "(2,)", as.raw(1:2), version = 2L)), 1:2)
})

test_that("texts are read", {
  # numpy.array(["ab", "", "d\u00e9f"])
  data <- hex("61000000620000000000000000000000000000000000000064000000e900000066000000")
  expect_identical(read_npy(temp_npy("<U3", "(3,)", data)), c("ab", "", "d\u00e9f"))
  expect_identical(read_npy(temp_npy("|S2", "(2,)", charToRaw("abc") |> c(as.raw(0)))), c("ab", "c"))
  expect_refused(temp_npy("<U1", "(1,)", hex("ffffffff")), "not Unicode")
  expect_refused(temp_npy("<U0", "(2147483647,)", raw()), "of the type \"<U0\"")
})

test_that("malformed files are refused", {
  expect_error(read_npy(3), "`read_npy()`: `path` must be a single string, not 3", fixed = TRUE)
  expect_refused(tempfile(), "does not exist")
  path <- tempfile()
  writeBin(charToRaw("not an array at all"), path)
  expect_refused(path, "magic bytes")
  expect_refused(temp_npy("<f8", "(2,)", raw(15)), "announces 16 bytes, but it has 15 bytes")
  expect_refused(temp_npy("<f8", "(2,)", raw(17)), "announces 16 bytes, but it has 17 bytes")
  expect_refused(temp_npy("<f8", "(99999, 99999, 99999)", raw(8)), "announces 8e\\+15 bytes")
  expect_refused(temp_npy("<c16", "(1,)", raw(16)), "of the type \"<c16\"")
  expect_refused(temp_npy("<f8", "(99999999999999999999,)", raw(8)), "shape cannot be read")
  expect_refused(temp_npy("<f8", "quit()", raw(8)), "no `shape` that can be read")
  good <- npy_bytes("<f8", "(2,)", raw(16))
  for (n in c(0, 5, 9, 11, 30)) {
    writeBin(good[seq_len(n)], path)
    expect_error(read_npy(path), class = "nativenet_error_file")
  }
})

# ---- objects ----

# numpy.array of [1, 300, 70000, -1], [], [7], ["a", "b"], None, pickled by Python 3.11 in the protocols 2 to 4
mixed <- c(
  paste0("8002636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e6461727261",
    "790a71014b00857102635f636f646563730a656e636f64650a7103580100000062710458060000006c6174696e31710586710652",
    "7107877108527109284b014b0585710a636e756d70790a64747970650a710b58020000004f38710c898887710d52710e284b03",
    "58010000007c710f4e4e4e4affffffff4affffffff4b3f74711062895d7111285d7112284b014d2c014a701101004affffff",
    "ff655d71135d71144b07615d71152858010000006171166804654e65747117622e"),
  paste0("8003636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e6461727261",
    "790a71014b008571024301627103877104527105284b014b05857106636e756d70790a64747970650a710758020000004f387108",
    "898887710952710a284b0358010000007c710b4e4e4e4affffffff4affffffff4b3f74710c62895d710d285d710e284b014d2c",
    "014a701101004affffffff655d710f5d71104b07615d71112858010000006171125801000000627113654e65747114622e"),
  paste0("800495b0000000000000008c156e756d70792e636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c",
    "056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b05859468038c0564747970659493948c02",
    "4f3894898887945294284b038c017c944e4e4e4affffffff4affffffff4b3f749462895d94285d94284b014d2c014a70110100",
    "4affffffff655d945d944b07615d94288c0161948c016294654e657494622e")
)
mixed_value <- list(c(1L, 300L, 70000L, -1L), integer(), 7L, c("a", "b"), NULL)

test_that("objects are read from every protocol, and under NumPy 2's name", {
  for (pickle in mixed) expect_identical(read_npy(objects(hex(pickle), "(5,)")), mixed_value)
  # "numpy.core" is "numpy._core" now, one letter longer
  renamed <- sub("8c156e756d70792e636f", "8c166e756d70792e5f636f", mixed[3])
  expect_identical(read_npy(objects(hex(renamed), "(5,)")), mixed_value)
})

test_that("doubles, tuples, nested lists, large numbers and bytes are read", {
  # [1.5, 2], (True, False), [[1], [2, 3]], 2**40
  x <- read_npy(objects(pickle_protocol_4, "(4,)"))
  expect_identical(x, list(c(1.5, 2), c(TRUE, FALSE), list(1L, 2:3), 2^40))
  # [[1, "\u00e9"], [b"x", [-2**31, 5]]] of shape (2, 2)
  y <- read_npy(objects(hex(paste0(
    "8003636e756d70792e636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e64",
    "61727261790a71014b008571024301627103877104527105284b014b024b02867106636e756d70790a64747970650a71",
    "0758020000004f387108898887710952710a284b0358010000007c710b4e4e4e4affffffff4affffffff4b3f74710c",
    "62895d710d284b015802000000c3a9710e430178710f5d7110284a000000804b056565747111622e")), "(2, 2)"))
  expect_identical(dim(y), c(2L, 2L))
  expect_identical(y[[1, 1]], 1L)
  expect_identical(y[[1, 2]], "\u00e9")
  expect_identical(y[[2, 1]], charToRaw("x"))
  expect_identical(y[[2, 2]], c(-2^31, 5))
})

test_that("a list may be used twice, but not within itself", {
  # s = [1, 2]; [s, s]
  expect_identical(read_npy(objects(pickle_bytes(2, hex("5d710e284b014b0265680e")), "(2,)")), list(1:2, 1:2))
  # a reference made before the list was filled
  expect_identical(read_npy(objects(pickle_bytes(2, hex("5d710e680e284b014b0265")), "(2,)")), list(1:2, 1:2))
  expect_refused(objects(pickle_bytes(1, hex("5d710e284b01680e65"))), "nested too deeply")
  expect_refused(objects(pickle_bytes(1, c(rep(hex("5d"), 100), rep(hex("61"), 99)))), "nested too deeply")
  deep <- read_npy(objects(pickle_bytes(1, c(rep(hex("5d"), 20), hex("4b07"), rep(hex("61"), 20)))))
  expect_identical(unlist(deep), 7L)
  # each of 30 lists holds the next one twice: a billion elements, if they were copied
  bomb <- c(hex("5d710e"), unlist(lapply(1:30, function(i)
    c(as.raw(c(0x5d, 0x71, 0x0e + i, 0x28, 0x68, 0x0e + i - 1, 0x68, 0x0e + i - 1, 0x65))))))
  bomb <- c(bomb, hex("30"))
  expect_refused(objects(pickle_bytes(1, bomb)), "opcode 0x30")
})

test_that("long lists come in pieces", {
  x <- sample(1e5, 2500)
  piece <- function(x) pickle_list(x)[-1]
  pickle <- c(hex("5d"), piece(x[1:1000]), piece(x[1001:2000]), piece(x[2001:2499]), hex("4a"), little(x[2500], 4),
    hex("61"))
  expect_identical(read_npy(objects(pickle_bytes(1, pickle))), list(x))
  # after whole numbers another kind
  expect_identical(read_npy(objects(pickle_bytes(1, c(pickle_list(1:3), hex("473ff8000000000000"), hex("61"))))),
    list(c(1, 2, 3, 1.5)))
  expect_identical(read_npy(objects(pickle_bytes(1, c(pickle_list(1:3), hex("4e61"))))), list(list(1L, 2L, 3L, NULL)))
})

test_that("nothing in a file is run, and the error names what it wanted", {
  marker <- tempfile()
  # posix.system("...") in protocols 3 and 4
  evil <- c(charToRaw("cposix\nsystem\n"), hex("58"), little(nchar(marker) + 6L, 4), charToRaw(paste("touch", marker)),
    hex("8552"))
  expect_refused(objects(pickle_bytes(1, evil)), "wants to use posix.system of Python")
  stacked <- c(hex("8c05"), charToRaw("posix"), hex("8c06"), charToRaw("system"), hex("93"), hex("8c05"),
    charToRaw("touch"), hex("8552"))
  expect_refused(objects(pickle_bytes(1, stacked)), "wants to use posix.system of Python")
  expect_refused(objects(pickle_bytes(1, c(hex("63"), charToRaw("numpy\nload\n")))),
    "wants to use numpy.load of Python")
  expect_refused(objects(pickle_bytes(1, hex("63410a1b5b420a"))), "wants to use A[.][?]\\[B of Python")
  # inst, obj, newobj, reduce with the names it knows
  expect_refused(objects(pickle_bytes(1, hex("69"))), "opcode 0x69")
  expect_refused(objects(pickle_bytes(1, hex("81"))), "opcode 0x81")
  expect_refused(objects(pickle_bytes(1, hex("680128746252"))), "is no array|another way|no function")
  expect_refused(objects(pickle_bytes(1, hex("6801"))), "function where a value should be")
  expect_refused(objects(pickle_bytes(1, hex("7d"))), "opcode 0x7d")
  expect_false(file.exists(marker))
})

test_that("contents that do not fit are refused", {
  expect_refused(objects(pickle_bytes(2, hex("4b014b02")), "(3,)"), "another shape than its header")
  expect_refused(objects(pickle_bytes(2, hex("4b01")), "(2,)"), "its pickle has 1 elements")
  expect_refused(objects(c(pickle_bytes(1, hex("4b01")), as.raw(0))), "bytes after the end of its pickle")
  expect_refused(objects(hex("80034b012e")), "its pickle is not an array")
  expect_refused(objects(hex("8009")), "protocol after 5")
  expect_refused(objects(pickle_bytes(1, hex("6855"))), "recalls what it never named")
  expect_refused(objects(pickle_bytes(1, hex("4b01723fffff7f"))), "beyond its size")
  expect_refused(objects(pickle_bytes(1, hex("58ffffffff41"))), "ends early")
  expect_refused(objects(pickle_bytes(1, hex("8dffffffffffffffff41"))), "ends early")
  expect_refused(objects(pickle_bytes(1, hex("8a09000000000000000009"))), "beyond 2\\^53")
  expect_refused(objects(pickle_bytes(1, hex("8c0200"))), "zero byte|ends early")
  expect_refused(objects(hex("80036161616161")), "takes more than there is")
  expect_refused(objects(hex("800365")), "takes more than there is")
  expect_refused(objects(hex("800374")), "takes more than there is")
  expect_refused(objects(hex("80032871002e")), "what is not there")
})

test_that("a damaged pickle is an error or another value, but never a crash", {
  pickles <- c(lapply(mixed, hex), list(pickle_bytes(2, c(pickle_list(1:40), pickle_list(300)))))
  tried <- refused <- 0
  survive <- function(bytes, n = 5) {
    result <- .Call(nativenet:::C_pickle, bytes, 0, n, FALSE)
    tried <<- tried + 1
    refused <<- refused + is.character(result)
    if (!is.character(result) && !is.list(result)) stop("neither a value nor an error")
  }
  for (pickle in pickles) {
    for (n in seq_along(pickle) - 1) survive(pickle[seq_len(n)])
    expect_identical(refused, tried) # a part is never a whole
    for (i in seq_along(pickle)) {
      for (bit in 0:7) survive(replace(pickle, i, xor(pickle[i], as.raw(2^bit))))
    }
    tried <- refused <- 0
  }
  opcodes <- hex("8095284e88894a4b4d8a475554434258 8c8d2985868774 5d6165 7172946a68 63935262 2e" |>
    gsub(pattern = " ", replacement = ""))
  set.seed(1)
  for (i in 1:2000) survive(c(hex("8003"), sample(c(opcodes, as.raw(0:3)), 40, replace = TRUE)))
  expect_gt(tried, 1999)
})

# ---- archives ----

test_that("archives are read, whole or in part", {
  path <- tempfile(fileext = ".npz")
  write_zip(list("a.npy" = npy_bytes("|u1", "(3,)", as.raw(1:3)),
    "b.npy" = npy_bytes("|O", "(2,)", pickle_bytes(2, c(pickle_list(5:6), pickle_list(7))))), path)
  expect_identical(read_npz(path), list(a = 1:3, b = list(5:6, 7L)))
  expect_identical(read_npz(path, "b"), list(b = list(5:6, 7L)))
  expect_error(read_npz(path, "c"), "it has no array \"c\", only \"a\", \"b\"", class = "nativenet_error_file")
  expect_error(read_npz(path, 1), "`read_npz()`: `names` must be names of arrays, not 1", fixed = TRUE)
})

test_that("damaged archives are refused", {
  path <- tempfile(fileext = ".npz")
  writeBin(charToRaw("no archive"), path)
  expect_error(read_npz(path), "no zip archive", class = "nativenet_error_file")
  expect_error(read_npz(tempfile()), "does not exist", class = "nativenet_error_file")
  write_zip(list("a.npy" = npy_bytes("|u1", "(3,)", as.raw(1:3)), "b.npy" = hex("0102")), path)
  expect_error(read_npz(path), "its array \"b\": it does not begin", class = "nativenet_error_file")
  expect_no_error(read_npz(path, "a"))
  whole <- readBin(path, "raw", 1e4)
  for (n in seq(0, length(whole) - 22, by = 7)) { # the last 22 bytes say where the directory is
    writeBin(whole[seq_len(n)], path)
    expect_error(read_npz(path), class = "nativenet_error_file")
  }
})
