# Damaged files of every format that is read. Each is a good file, changed at some places that a seed chooses: bits,
# bytes, blocks, numbers, or, within what is compressed or has a length or sum, the content. tools/mutate.R reads very
# many, test-file.R a sample.

# ---- changes ----

pick <- function(x) x[[sample.int(length(x), 1)]]

#' One change of bytes; `others` are good files of the same format.
mutate_once <- function(bytes, others) {
  n <- length(bytes)
  if (n < 2) return(c(bytes, as.raw(sample.int(256, 3) - 1)))
  at <- sample.int(n, 1)
  block <- at:min(n, at + sample.int(min(n, 64), 1) - 1)
  switch(sample.int(10, 1),
    replace(bytes, at, xor(bytes[at], as.raw(2^(sample.int(8, 1) - 1)))),
    replace(bytes, at, as.raw(pick(c(0, 1, 10, 34, 91, 123, 127, 128, 255, sample.int(256, 1) - 1)))),
    replace(bytes, block, as.raw(sample.int(256, length(block), replace = TRUE) - 1)),
    bytes[seq_len(at - 1)],
    c(bytes, if (sample.int(2, 1) == 1) bytes[block] else as.raw(sample.int(256, 5) - 1)),
    bytes[-block],
    append(bytes, rep(bytes[block], pick(c(1, 2, 50))), at),
    append(bytes[-block], bytes[block], sample.int(n - length(block) + 1, 1) - 1),
    {
      other <- pick(others)
      c(bytes[seq_len(at - 1)], other[min(length(other), sample.int(n, 1)):length(other)])
    },
    { # a number, as headers have them
      size <- pick(c(1, 2, 4, 8))
      extreme <- pick(list(raw(size), as.raw(rep(255, size)), as.raw(c(rep(255, size - 1), 127)),
        as.raw(c(rep(0, size - 1), 128)), as.raw(c(1, raw(size - 1)))))
      at <- sample.int(min(n, if (sample.int(2, 1) == 1) 64 else n), 1)
      replace(bytes, at:min(n, at + size - 1), rep_len(if (sample.int(2, 1) == 1) rev(extreme) else extreme,
        min(size, n - at + 1)))
    }
  )
}

mutate <- function(bytes, others = list(bytes)) {
  for (i in seq_len(pick(c(1, 1, 2, 5)))) bytes <- mutate_once(bytes, others)
  bytes
}

json_tokens <- "\"(\\\\.|[^\"\\\\])*\"|-?[0-9][-+.0-9eE]*|true|false|null|[][{},:]"
json_values <- c("-1", "0", "1", "2", "255", "65536", "1048576", "2147483647", "2147483648", "4294967296",
  "9007199254740993", "18446744073709551616", "1e308", "1e999", "-1e308", "0.5", "1e-320", "-0", "01", "1.", "null",
  "true", "false", "\"\"", "\"a\"", "\"1\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"%s%n\"", "[]", "{}",
  "[[]]", "[null]", "[1,2,3]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "\"../x\"", "\"NaN\"", "NaN", strrep("[", 200),
  sprintf("\"%s\"", strrep("x", 5000)))

#' One change of a text of JSON: of its tokens, and often of a text of JSON within it.
mutate_json <- function(text) {
  tokens <- regmatches(text, gregexpr(json_tokens, text, perl = TRUE, useBytes = TRUE))[[1]]
  n <- length(tokens)
  if (!n) return(pick(json_values))
  inner <- grep("^\"[[{]", tokens)
  if (length(inner) && sample.int(3, 1) > 1) {
    at <- pick(inner)
    text <- tokens[at]
    Encoding(text) <- "UTF-8"
    text <- if (validUTF8(text)) tryCatch(jsonlite::fromJSON(paste0("[", text, "]")), error = function(e) NULL)
    if (is.character(text)) tokens[at] <- nativenet:::json_string(mutate_json(text))
    return(paste(tokens, collapse = ""))
  }
  at <- sample.int(n, 1)
  values <- grep("^[^][{},:]", tokens)
  block <- at:min(n, at + sample.int(12, 1) - 1)
  tokens <- switch(sample.int(6, 1),
    replace(tokens, at, pick(json_values)),
    if (length(values)) replace(tokens, pick(values), pick(json_values)) else tokens,
    tokens[-block],
    append(tokens, tokens[block], at),
    if (length(values)) replace(tokens, pick(values), tokens[pick(values)]) else tokens,
    replace(tokens, at, tokens[sample.int(n, 1)])
  )
  paste(tokens, collapse = "")
}

mutate_text <- function(bytes) {
  for (i in seq_len(pick(c(1, 1, 1, 3)))) bytes <- charToRaw(mutate_json(rawToChar(bytes[bytes != 0])))
  bytes
}

#' The header of a safetensors file, whose length is made right again, or the numbers after it.
mutate_safetensors <- function(bytes) {
  end <- 8 + sum(as.integer(bytes[1:4]) * 256^(0:3))
  header <- mutate_text(bytes[9:end])
  c(writeBin(c(length(header), 0L), raw(), endian = "little"), header, bytes[-seq_len(end)])
}

gzip_bytes <- function(bytes) bytes_of(function(path) {
  con <- gzfile(path, "wb")
  writeBin(bytes, con)
  close(con)
})

zip_bytes <- function(entries) bytes_of(function(path) write_zip(entries, path))

pickle_opcodes <- as.raw(c(0x80, 0x95, 0x2e, 0x28, 0x4e, 0x88, 0x89, 0x4a, 0x4b, 0x4d, 0x8a, 0x47, 0x55, 0x54, 0x43,
  0x42, 0x8c, 0x58, 0x8d, 0x29, 0x85, 0x86, 0x87, 0x74, 0x5d, 0x61, 0x65, 0x71, 0x72, 0x94, 0x68, 0x6a, 0x63, 0x93,
  0x52, 0x62))

#' Opcodes put in or over others.
mutate_pickle <- function(bytes) {
  n <- length(bytes)
  for (i in seq_len(pick(c(1, 2, 4)))) {
    at <- sample.int(n, 1)
    bytes <- if (sample.int(2, 1) == 1) replace(bytes, at, pick(pickle_opcodes)) else
      append(bytes, rep(pick(pickle_opcodes), pick(c(1, 1, 100))), at)
  }
  bytes
}

# ---- formats ----

bytes_of <- function(write) {
  path <- tempfile("good")
  on.exit(unlink(path))
  write(path)
  readBin(path, "raw", file.size(path))
}

#' What a program says of a file of these bytes; nothing where there is no such program.
said_by <- function(program, option, bytes, ending) {
  if (!nzchar(Sys.which(program))) return(character())
  path <- tempfile("test", fileext = ending)
  on.exit(unlink(path))
  writeBin(bytes, path)
  suppressWarnings(system2(program, c(option, shQuote(path)), stdout = TRUE, stderr = TRUE))
}

mutate_models <- function() {
  x <- matrix(1:12 / 10, 3)
  dense <- keras_model_sequential(input_shape = 4) |> layer_dense(3, activation = activation_elu(alpha = 0.5),
    name = "d") |> layer_dense(1)
  dense |> compile(optimizer_adam(learning_rate_schedule_exponential_decay(0.01, 10, 0.9), amsgrad = TRUE), "mse",
    metrics = "mae")
  dense |> fit(x, 1:3, epochs = 1, verbose = 0)
  a <- layer_input(shape = 4, name = "a")
  b <- layer_input(shape = 4, name = "b")
  shared <- layer_dense(units = 2, kernel_regularizer = regularizer_l2(0.01))
  inner <- keras_model_sequential(input_shape = 2) |> layer_dense(2) |> layer_dropout(0.5)
  joined <- layer_concatenate(list(inner(shared(a)), shared(b)))
  graph <- keras_model(list(a, b), list(layer_dense(joined, 1, name = "u"),
    layer_dense(joined, 3, activation = "softmax", name = "v")))
  graph |> compile("sgd", list("mse", "sparse_categorical_crossentropy"), metrics = list(v = "accuracy"),
    loss_weights = list(1, 2))
  words <- keras_model_sequential(input_shape = 3) |> layer_embedding(5, 2, mask_zero = TRUE) |> layer_lstm(2) |>
    layer_repeat_vector(2) |>
    layer_gru(2, return_sequences = TRUE) |> layer_permute(c(2, 1)) |> layer_flatten() |> layer_reshape(c(2, 2)) |>
    layer_simple_rnn(2)
  stopped <- keras_model_sequential(input_shape = 4) |> layer_dense(1)
  stopped |> compile("rmsprop", "mse")
  try(stopped |> fit(x, 1:3, batch_size = 1, epochs = 1, verbose = 0,
    callbacks = callback_lambda(on_batch_end = function(batch, logs) stop("here"))), silent = TRUE)
  list(dense = dense, graph = graph, words = words, stopped = stopped)
}

#' Each format is list(good = list of the bytes of files, read = reads a file, edits = list of functions that change
#' what is within, wrong = what cannot be right of a value that was read from these bytes).
mutate_formats <- function() {
  set.seed(1)
  formats <- list()
  add <- function(name, good, read, edits = list(), wrong = function(value, bytes) NULL) {
    formats[[name]] <<- list(good = good, read = read, edits = edits, wrong = wrong)
  }
  gzip_edit <- function(edit) function(content) function(bytes) gzip_bytes(edit(pick(content)))
  with_gzip <- function(content) c(content, lapply(content, gzip_bytes))
  damaged_gzip <- function(value, bytes) {
    if (!identical(bytes[1:2], as.raw(c(0x1f, 0x8b)))) return()
    said <- said_by("gzip", "-t", bytes, ".gz")
    if (any(grepl("crc error|end of file|violated", said))) "its gzip data is damaged"
  }

  # tensors and models
  tensors <- list(kernel = tensor(matrix(rnorm(6), 2), "float32"), bias = c(1, 2), flag = TRUE, raw = as.raw(1:3),
    whole = tensor(1:3, "int64"))
  plain <- list(bytes_of(function(path) safetensors_write(path, tensors, list(a = "b", c = "{\"d\":[1,2]}"))),
    bytes_of(function(path) safetensors_write(path, list(a = 1))))
  full <- function(value, bytes) {
    held <- sum(vapply(value$tensors, function(x) if (is.raw(x)) length(x) else length(as.array(x)) *
      c(float32 = 4, float64 = 8, int32 = 4, int64 = 8, bool = 1)[[nativenet:::tensor_dtype(x)]], 0))
    if (held + 8 + sum(as.integer(bytes[1:8]) * 256^(0:7)) != length(bytes)) "its tensors are not the size of the file"
  }
  add("safetensors", plain, safetensors_read, list(mutate_safetensors), full)
  models <- mutate_models()
  saved <- lapply(models, serialize_model)
  use <- function(model) {
    inputs <- lapply(model$inputs, function(input) {
      shape <- dim(input)[-1]
      if (prod(shape) < 1e4) array(1, c(2, shape))
    })
    if (!any(vapply(inputs, is.null, NA))) predict(model, if (length(inputs) == 1) inputs[[1]] else inputs)
    summary(model)
  }
  add("model", saved, load_model, list(mutate_safetensors))
  add("resume", saved["stopped"], function(path) fit(load_model(path), matrix(1:12 / 10, 3), 1:3, batch_size = 1,
    epochs = 1, verbose = 0, resume = TRUE), list(mutate_safetensors))
  add("raw", saved, function(path) unserialize_model(readBin(path, "raw", file.size(path))), list(mutate_safetensors))
  before <- get_weights(models$dense)
  add("weights", list(bytes_of(function(path) save_model_weights(models$dense, path)), saved$dense), function(path) {
    set_weights(models$dense, before)
    tryCatch(load_model_weights(models$dense, path), error = function(e) {
      if (!identical(get_weights(models$dense), before)) stop("the weights changed though the file was refused")
      stop(e)
    })
  }, list(mutate_safetensors))

  # arrays
  idx <- lapply(c(8, 9, 0x0b, 0x0c, 0x0d, 0x0e), function(code)
    bytes_of(function(path) write_idx(array(if (code > 0x0c) 1:24 / 2 else 1:24, c(4, 3, 2)), path, code)))
  same_idx <- function(value, bytes) {
    if (bytes[1] == 0x1f) return(damaged_gzip(value, bytes))
    size <- c("08" = 1, "09" = 1, "0b" = 2, "0c" = 4, "0d" = 4, "0e" = 8)[[as.character(bytes[3])]]
    if (length(value) * size + 4 + 4 * length(dim(value)) != length(bytes)) "its array is not the size of the file"
  }
  idx_edit <- gzip_edit(mutate)(idx)
  add("idx", with_gzip(idx), read_idx, list(idx_edit), same_idx)
  add("idx data set", with_gzip(idx), function(path) as.list(dataset_take(idx_dataset(path), 5)), list(idx_edit),
    damaged_gzip)
  npy <- list(
    npy_bytes("<f8", "(2, 3)", writeBin(1:6 / 2, raw())), npy_bytes("<i4", "(6,)", writeBin(1:6, raw())),
    npy_bytes("|u1", "(2, 3)", as.raw(1:6), fortran = TRUE), npy_bytes(">i8", "(2,)", raw(16)),
    npy_bytes("<U3", "(2,)", raw(24)), npy_bytes("|S2", "(3,)", charToRaw("abcdef")),
    npy_bytes("|b1", "(3,)", as.raw(0:2)), npy_bytes("<f4", "()", raw(4), version = 2L)
  )
  add("npy", npy, read_npy, list(), function(value, bytes) {
    text <- rawToChar(bytes[bytes != 0])
    shape <- regmatches(text, regexec("'shape': *[(]([0-9L, ]*)[)]", text, useBytes = TRUE))[[1]][2]
    shape <- as.numeric(strsplit(gsub("[L ]", "", shape), ",", fixed = TRUE)[[1]])
    if (length(value) != prod(shape)) "its array has not the shape that the header says"
  })
  reviews <- function(n) pickle_bytes(n, unlist(lapply(seq_len(n), function(i) pickle_list(i + 1:3))))
  mixed <- pickle_bytes(4, c(hex("4e8847"), raw(8), hex("5802000000c3a9"), hex("710f")))
  pickles <- list(npy_bytes("|O", "(2,)", reviews(2)), npy_bytes("|O", "(4,)", mixed),
    npy_bytes("|O", "(4,)", pickle_protocol_4))
  start <- length(npy_bytes("|O", "(2,)", raw()))
  add("pickle", pickles, read_npy, list(function(bytes)
    c(bytes[seq_len(start)], mutate_pickle(bytes[-seq_len(start)]))))
  imdb <- list(x_train.npy = npy_bytes("|O", "(3,)", reviews(3)),
    y_train.npy = npy_bytes("<i8", "(3,)", c(as.raw(1), raw(23))), x_test.npy = npy_bytes("|O", "(1,)", reviews(1)),
    y_test.npy = npy_bytes("<i8", "(1,)", raw(8)))
  zip_edit <- function(bytes) {
    at <- sample.int(length(imdb), 1)
    zip_bytes(replace(imdb, at, list(mutate(imdb[[at]]))))
  }
  zips <- list(zip_bytes(imdb))
  if (nzchar(Sys.which("zip"))) zips$deflated <- local({
    folder <- tempfile("npz")
    dir.create(folder)
    on.exit(unlink(folder, recursive = TRUE))
    for (name in names(imdb)) writeBin(imdb[[name]], file.path(folder, name))
    bytes_of(function(path) utils::zip(paste0(path, ".zip"), file.path(folder, names(imdb)), "-q9j") == 0 &&
      file.rename(paste0(path, ".zip"), path))
  })
  damaged_zip <- function(value, bytes) {
    said <- said_by("unzip", "-tqq", bytes, ".zip")
    # unzip alone believes a local header that does not agree with the directory; entries of other names are not read
    said <- said[vapply(said, function(line) any(startsWith(trimws(sub("testing:", "", line)), names(imdb))), NA)]
    if (any(grepl("bad CRC|invalid compressed", said)) && !any(grepl("<> csize", said))) "its sum is wrong"
  }
  add("npz", zips, read_npz, list(zip_edit), damaged_zip)
  add("imdb", zips, function(path) dataset_imdb(path), list(zip_edit), damaged_zip)
  add("mnist", with_gzip(idx), function(path) {
    folder <- file.path(tempfile("data"), "mnist")
    dir.create(folder, recursive = TRUE)
    local_env(NATIVENET_DATA = dirname(folder))
    on.exit(unlink(dirname(folder), recursive = TRUE), add = TRUE)
    file.copy(path, file.path(folder, "train-labels-idx1-ubyte"))
    dataset_mnist(download = FALSE)
  }, list(idx_edit), function(value, bytes) "it is not the published one")

  # texts
  index <- list(charToRaw("{\"the\": 1, \"and\": 2, \"a\": 3, \"caf\\u00e9\": 4}"))
  valid <- function(value, bytes) {
    if (bytes[1] == 0x1f) return(damaged_gzip(value, bytes))
    if (!jsonlite::validate(rawToChar(bytes))) "it is no JSON"
  }
  add("word index", with_gzip(index), dataset_imdb_word_index, list(mutate_text, gzip_edit(mutate_text)(index)), valid)
  tokenizer <- list(bytes_of(function(path) save_text_tokenizer(fit_text_tokenizer(text_tokenizer(oov_token = "?"),
    c("a b c d", "b c \u00e9", "a \"q\\")), path)))
  add("tokenizer", with_gzip(tokenizer), load_text_tokenizer, list(mutate_text, gzip_edit(mutate_text)(tokenizer)),
    valid)
  note <- list(charToRaw("{\"check\":\"the file runs\",\"ok\":true,\"message\":\"fine\"}"))
  add("lab note", note, nativenet:::lab_note, list(mutate_text), function(value, bytes) if (!is.null(value))
    valid(value, bytes))
  lines <- list(charToRaw("one\ntwo\r\nthr\xc3\xa9e\rfour\n\nsix"), charToRaw("\xef\xbb\xbfa\nb\n"))
  add("lines", with_gzip(lines), function(path) iterate(text_line_dataset(path, block = 2)),
    list(gzip_edit(mutate)(lines)), damaged_gzip)
  rows <- list(charToRaw("x,y,z\n1,0.5,\"a\"\n2,1,b\n3,,\"c, d\"\n4,1e3,e\n"), charToRaw("a,b\nTRUE,1\nFALSE,NA\n"))
  add("csv", with_gzip(rows), function(path) iterate(csv_dataset(path, block = 2)), list(gzip_edit(mutate)(rows)),
    damaged_gzip)
  numbers <- list(writeBin(1:12 / 2, raw()))
  add("array file", numbers, function(path)
    as.list(array_file_dataset(path, c(3, 4), pick(c("float32", "float64", "int32", "int64", "uint8")), pick(c(0, 8)))))
  log <- list(charToRaw("epoch,loss\n0,1.5\n1,1.25\n"))
  add("csv log", log, function(path) {
    log <- callback_csv_logger(path, append = TRUE)
    log$on_train_begin(NULL)
    log$on_epoch_end(2, list(loss = 1))
    readBin(path, "raw", file.size(path))
  }, list(), function(value, bytes) if (!identical(value[seq_along(bytes)], bytes)) "what it held is lost")
  lab <- list(charToRaw("f <- function(x) {\n  #!hwbegin TODO x\\n# times x\n  x^2\n  #!hwend\n}\n# \xc3\xa9\n"))
  add("lab", lab, function(path) {
    output <- tempfile("lab")
    on.exit(unlink(output))
    strip_solutions(path, output)
  })

  # data sets kept in a file: whatever it holds, what comes is right
  elements <- tensor_slices_dataset(list(a = matrix(1:6 / 2, 3), b = 1:3))
  words <- suppressMessages(dataset_map(tensor_slices_dataset(c("a", "b", "a")), function(s) {
    if (s == "a") list(s, 1:2) else list(part = list(tensor(matrix(1.5, 1, 2), "float32"), c("x", NA)), 7)
  }))
  for (name in c("cache", "cache of texts")) local({
    dataset <- if (name == "cache") elements else words
    right <- as_plain(as.list(dataset))
    add(name, list(bytes_of(function(path) as.list(dataset_cache(dataset, path)))), function(path) {
      withCallingHandlers(as.list(dataset_cache(dataset, path)), nativenet_warning_cache = function(w)
        tryInvokeRestart("muffleWarning"))
    }, list(mutate_safetensors), function(value, bytes) if (!identical(as_plain(value), right))
      "it gives other elements")
  })
  formats
}

as_plain <- function(x) if (is.list(x)) lapply(x, as_plain) else if (inherits(x, "nn_tensor")) as.array(x) else x

#' The bytes of a damaged file, by number.
mutant <- function(format, seed) {
  set.seed(seed)
  good <- pick(format$good)
  if (length(format$edits) && sample.int(2, 1) == 1) return(pick(format$edits)(good))
  mutate(good, format$good)
}

# ---- outcomes ----

memory_status <- function(field) {
  lines <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", lines[startsWith(lines, field)])) / 1024
}
measured <- file.exists("/proc/self/clear_refs")

#' "read" or "refused", or else what is wrong. `most` seconds and megabytes may be taken before a file is refused.
file_outcome <- function(format, bytes) {
  path <- tempfile("mutant")
  writeBin(bytes, path)
  on.exit(unlink(path))
  held <- function() list.files(tempdir(), all.files = TRUE, no.. = TRUE)
  before <- held()
  open <- length(getAllConnections())
  if (measured) try(cat("5\n", file = "/proc/self/clear_refs"), silent = TRUE)
  memory <- if (measured) memory_status("VmRSS") else 0
  start <- proc.time()
  warning <- NULL
  value <- NULL
  outcome <- tryCatch(withCallingHandlers({
    value <- format$read(path)
    "read"
  }, warning = function(w) {
    if (!inherits(w, "nativenet_warning")) warning <<- conditionMessage(w)
    tryInvokeRestart("muffleWarning")
  }), error = function(e) {
    if (!inherits(e, "nativenet_error") || !any(grepl("^nativenet_error_", class(e))))
      return(paste("error:", conditionMessage(e)))
    if (grepl("internal error", conditionMessage(e))) return(paste("error:", conditionMessage(e)))
    if (!validUTF8(conditionMessage(e))) "error: the message is not UTF-8" else "refused"
  })
  seconds <- sum((proc.time() - start)[1:2])
  taken <- if (measured) memory_status("VmHWM") - memory else 0
  if (outcome == "refused") {
    if (seconds > 1) outcome <- sprintf("slow: %.1f s", seconds)
    if (taken > max(16, 4 * length(bytes) / 2^20) + 4) outcome <- sprintf("memory: %.0f MB for %.0f bytes", taken,
      length(bytes))
    left <- setdiff(held(), before)
    if (length(left)) outcome <- paste("left:", paste(left, collapse = " "))
  } else if (outcome == "read" && !is.null(wrong <- format$wrong(value, bytes))) {
    outcome <- paste("wrong:", wrong)
  }
  if (length(getAllConnections()) > open) {
    gc()
    if (length(getAllConnections()) > open) outcome <- "open: a connection"
  }
  if (!is.null(warning)) outcome <- paste("warning:", warning)
  structure(gsub("[\n\t]", " ", outcome), seconds = seconds, taken = taken)
}
