# Files of NumPy, written by hand.

hex <- function(text) as.raw(strtoi(substring(text, seq(1, nchar(text), 2), seq(2, nchar(text), 2)), 16L))

# The bytes of a .npy file. `shape` as Python writes it: "(2, 3)".
npy_bytes <- function(descr, shape, data, fortran = FALSE, version = 1L) {
  header <- sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, if (fortran) "True" else
    "False", shape)
  length <- nchar(header, "bytes")
  size <- if (version == 1L) writeBin(length, raw(), 2, endian = "little") else
    writeBin(length, raw(), 4, endian = "little")
  c(as.raw(0x93), charToRaw("NUMPY"), as.raw(c(version, 0)), size, charToRaw(header), data)
}

temp_npy <- function(...) {
  path <- tempfile(fileext = ".npy")
  writeBin(npy_bytes(...), path)
  path
}

# The pickle of an array of objects as NumPy 1 writes it, protocol 3; `elements` is the code that fills the list.
pickle_bytes <- function(n, elements) {
  little <- function(x) writeBin(as.integer(x), raw(), 4, endian = "little")
  c(
    hex("8003"), charToRaw("cnumpy.core.multiarray\n_reconstruct\n"), hex("7100"), charToRaw("cnumpy\nndarray\n"),
    hex("71014b008571024301627103877104527105284b014a"), little(n), hex("857106"), charToRaw("cnumpy\ndtype\n"),
    hex("710758020000004f387108898887710952710a284b0358010000007c710b4e4e4e4affffffff4affffffff4b3f74710c62895d710d28"),
    elements, hex("6574710f622e")
  )
}

# The pickle of an array of [1.5, 2], (True, False), [[1], [2, 3]] and 2**40, by Python 3.11 in protocol 4.
pickle_protocol_4 <- hex(paste0(
  "800495b5000000000000008c156e756d70792e636f72652e6d756c74696172726179948c0c5f7265636f6e737472756374949394",
  "8c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b04859468038c0564747970659493948c",
  "024f3894898887945294284b038c017c944e4e4e4affffffff4affffffff4b3f749462895d94285d9428473ff80000000000004b",
  "0265888986945d94285d944b01615d94284b024b0365658a06000000000001657494622e"))

# Code for a list of whole numbers.
pickle_list <- function(x) c(hex("5d28"),
  unlist(lapply(as.integer(x), function(i) c(hex("4a"), writeBin(i, raw(), 4, endian = "little")))), hex("65"))

# A zip archive of uncompressed entries.
write_zip <- function(entries, path) {
  number <- function(x, size) writeBin(as.integer(x), raw(), size, endian = "little")
  crc32 <- function(bytes) {
    table <- vapply(0:255, function(c) {
      for (k in 1:8) c <- if (bitwAnd(c, 1L)) bitwXor(-306674912L, bitwShiftR31(c)) else bitwShiftR31(c)
      c
    }, 0L)
    crc <- -1L
    for (b in as.integer(bytes)) crc <- bitwXor(table[bitwAnd(bitwXor(crc, b), 255L) + 1L],
      bitwAnd(bitwShiftR31(crc, 8L), 16777215L))
    bitwNot(crc)
  }
  # a logical shift of the 32 bits that R takes for a number with sign
  bitwShiftR31 <- function(x, by = 1L) {
    shifted <- floor((if (x < 0) x + 2^32 else x) / 2^by)
    as.integer(if (shifted > 2147483647) shifted - 2^32 else shifted)
  }
  body <- directory <- raw()
  for (name in names(entries)) {
    data <- entries[[name]]
    common <- c(number(c(20, 0, 0, 0, 33), 2), number(crc32(data), 4), number(rep(length(data), 2), 4),
      number(c(nchar(name), 0), 2))
    directory <- c(directory, charToRaw("PK"), as.raw(1:2), number(20, 2), common, number(c(0, 0, 0), 2), number(0, 4),
      number(length(body), 4), charToRaw(name))
    body <- c(body, charToRaw("PK"), as.raw(3:4), common, charToRaw(name), data)
  }
  end <- c(charToRaw("PK"), as.raw(5:6), number(c(0, 0, rep(length(entries), 2)), 2),
    number(c(length(directory), length(body)), 4), number(0, 2))
  writeBin(c(body, directory, end), path)
  invisible(path)
}
