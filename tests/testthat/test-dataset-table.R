# Tables that come block by block: databases, Parquet files, Arrow's tables.

# A data set of data frames, as if they were blocks of a table.
as_table <- function(..., block = 3, select = NULL, spec = NULL) {
  tables <- list(...)
  nativenet:::table_dataset(function() {
    at <- 0
    function() if (at < length(tables)) tables[[at <<- at + 1]]
  }, select, block, "the table", spec, "some_dataset")
}
column_of <- function(data, name) sapply(as.list(data), function(row) {
  x <- row[[name]]
  if (is.character(x)) x else as.array(x)
})

test_that("a number next to 0 is no whole one, and no truth value", {
  for (type in c("int32", "bool")) {
    data <- as_table(data.frame(a = c(1, 2^-1074)), spec = sql_record_spec("a", type))
    expect_error(as.list(data), if (type == "bool") "neither TRUE nor FALSE" else "no whole number")
  }
})

test_that("rows of blocks come in order, natively where there are no strings", {
  data <- as_table(data.frame(a = 1:7, b = 1:7 / 2), data.frame(a = 8:9, b = 4:5), data.frame(a = 1L, b = 1)[0, ])
  expect_true(nativenet:::has_stages(data))
  expect_identical(unclassed(output_types(data)), list(a = "int32", b = "float64"))
  for (pass in 1:2) {
    expect_identical(column_of(data, "a"), 1:9)
    expect_identical(column_of(data, "b"), c(1:7 / 2, 4, 5))
  }
  expect_identical(elements(in_fallback(data)), elements(data))
  batches <- as.list(dataset_batch(data, 4))
  expect_identical(lapply(batches, function(b) as.array(b$a)), list(array(1:4), array(5:8), array(9L)))
  expect_identical(column_of(dataset_repeat(data, 2), "a"), rep(1:9, 2))
  expect_identical(column_of(dataset_take(dataset_skip(data, 5), 2), "a"), 6:7)
  expect_identical(sort(column_of(dataset_shuffle(data, 5), "a")), 1:9)
  expect_identical(column_of(dataset_filter(data, function(row) row$a > 6L), "a"), 7:9)
  both <- zip_datasets(data, range_dataset(to = 20))
  expect_length(as.list(both), 9)
  expect_identical(column_of(dataset_concatenate(data, data), "a"), rep(1:9, 2))
  words <- as_table(data.frame(a = 1:4, w = letters[1:4]), data.frame(a = 5L, w = NA))
  expect_false(nativenet:::has_stages(words))
  expect_identical(column_of(words, "w"), c(letters[1:4], NA))
  expect_identical(column_of(as_table(data.frame(f = factor(c("u", "v")))), "f"), c("u", "v"))
  expect_named(as.list(as_table(data.frame(a = 1, b = 2, c = 3), select = c("c", "a")))[[1]], c("c", "a"))
})

test_that("types are those of the first block, or of a specification", {
  data <- as_table(data.frame(i = c(1L, NA), l = c(TRUE, FALSE), n = c(NA, NA)), data.frame(i = 5, l = NA, n = 3)[0, ],
    data.frame(i = 5L, l = TRUE, n = 2))
  expect_identical(unclassed(output_types(data)), list(i = "float64", l = "bool", n = "float64"))
  expect_identical(column_of(data, "i"), c(1, NaN, 5))
  expect_identical(column_of(data, "n"), c(NaN, NaN, 2))
  spec <- sql_record_spec(c("a", "b"), list(tf$float32, "int64"))
  given <- as_table(data.frame(x = 1:2, y = c(3, 4)), spec = spec)
  expect_identical(unclassed(output_types(given)), list(a = "float32", b = "int64"))
  expect_equal(column_of(given, "b"), c(3, 4))
  expect_output(print(spec), "a: float32, b: int64")
})

test_that("values that do not fit are refused where they stand", {
  later <- function(...) as.list(as_table(data.frame(a = 1:4, w = "u"), data.frame(...)))
  expect_refusal(later(a = c(1L, NA), w = "x"), "file", "some_dataset", "a value is missing in row 6 of column \"a\"")
  expect_refusal(later(a = c(1, 1.5), w = "x"), "file", "1.5 is no whole number of 32 bits, in row 6")
  expect_refusal(later(a = c("1", "x"), w = "x"), "file", "a text, \"1\", in row 5 of column \"a\"")
  expect_refusal(later(a = 1L, w = 2), "file", "no text in row 5 of column \"w\"")
  expect_refusal(later(a = 1L), "file", "there are 1 columns, not 2")
  expect_refusal(as_table(data.frame(d = Sys.Date())), "file", "column \"d\"", "of class Date")
  expect_refusal(as_table(data.frame(l = I(list(1, 2)))), "file", "column \"l\" are nested")
  expect_refusal(as_table(data.frame(a = 1)[0, , drop = FALSE]), "file", "there are no rows")
  twice <- data.frame(a = 1, a = 2, check.names = FALSE)
  expect_refusal(as_table(twice), "file", "there are two columns of the name \"a\"")
  expect_refusal(as_table(data.frame(abc = 1), select = "abd"), "file", "no column \"abd\"", "abc")
})

test_that("a block that fails ends training between steps, and the error is the one that was raised", {
  broken <- function() nativenet:::blocks_dataset(list(x = tensor_spec("float64", integer()),
    y = tensor_spec("float64", integer())), NA, function() {
      n <- 0
      function() {
        n <<- n + 1
        if (n == 3) stop(structure(class = c("mine", "error", "condition"), list(message = "lost", call = NULL)))
        list(x = tensor(array(1:64 / 64)), y = tensor(array(1:64 / 32)))
      }
    })
  tensor_spec <- nativenet:::tensor_spec
  data <- dataset_batch(dataset_map(broken(), function(row) list(op_reshape(row$x, 1L), row$y)), 16)
  expect_error(as.list(data), "lost", class = "mine")
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", "mse")
  for (threads in 1:2) with_threads(threads, expect_error(fit(model, data, epochs = 2, verbose = 0), "lost",
    class = "mine"))
  expect_true(all(is.finite(unlist(get_weights(model)))))
  losses <- fit(model, matrix(1:4 / 4), 1:4 / 2, epochs = 50, verbose = 0)$metrics$loss # all is well
  expect_lt(losses[50], losses[1])
})

test_that("training on blocks is training on the array", {
  set.seed(1)
  frame <- data.frame(a = rnorm(100), b = rnorm(100))
  frame$y <- frame$a - frame$b
  trained <- function(x, y = NULL, ...) {
    set.seed(2)
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(4, activation = "tanh") |> layer_dense(1)
    model |> compile("sgd", "mse")
    fit(model, x, y, epochs = 3, verbose = 0, ...)
    get_weights(model)
  }
  data <- dataset_prepare(as_table(frame[1:37, ], frame[38:100, ], block = 11), y ~ a + b, batch_size = 8)
  expect_identical(trained(data), trained(as.matrix(frame[1:2]), frame$y, batch_size = 8, shuffle = FALSE))
})

# ---- databases ----

test_that("queries of a database", {
  skip_if_not_installed("DBI")
  skip_if_not_installed("RSQLite")
  path <- tempfile(fileext = ".sqlite")
  connection <- DBI::dbConnect(RSQLite::SQLite(), path)
  DBI::dbWriteTable(connection, "t", data.frame(a = 1:25, b = 1:25 / 2, w = rep(c("u", "v"), length.out = 25)))
  data <- dbi_dataset(connection, "SELECT a, b FROM t", block = 4)
  for (pass in 1:2) expect_identical(column_of(data, "a"), 1:25)
  expect_identical(column_of(dbi_dataset(connection, "SELECT w, b FROM t WHERE a > ?", params = list(23)), "w"),
    c("v", "u"))
  opened <- 0
  own <- dbi_dataset(function() {
    opened <<- opened + 1
    DBI::dbConnect(RSQLite::SQLite(), path)
  }, "SELECT a FROM t", block = 10)
  expect_identical(vapply(as.list(zip_datasets(own, own)), function(e) as.array(e[[2]]$a), 0L), 1:25)
  expect_gt(opened, 2)
  expect_refusal(dbi_dataset(connection, "SELECT z FROM t"), "file", "the query", "no such column: z")
  expect_refusal(dbi_dataset(connection, "SELECT a FROM t WHERE a > 99"), "file", "there are no rows")
  expect_refusal(dbi_dataset(3, "SELECT a FROM t"), "value", "`connection`")
  expect_refusal(dbi_dataset(function() 3, "SELECT a FROM t"), "value", "`connection` must open")
  expect_refusal(dbi_dataset(connection, "SELECT a FROM t", params = 1), "value", "`params`")
  expect_refusal(dbi_dataset(connection, "SELECT a FROM t", record_spec = 1), "value", "`record_spec`")
  it <- as_iterator(data)
  iter_next(it)
  suppressWarnings(DBI::dbGetQuery(connection, "SELECT 1")) # ends what is under way
  suppressWarnings(expect_refusal(for (i in 1:25) iter_next(it), "file", "after row 4"))
  it <- as_iterator(data)
  iter_next(it)
  as.list(data)
  expect_refusal(for (i in 1:25) iter_next(it), "file", "after row 4", "give a function")
  # a database that closes while its rows are read, by hand and in fit()
  suppressWarnings(DBI::dbDisconnect(connection))
  expect_refusal(as.list(data), "file", "the connection to the database is closed")
  connection <- DBI::dbConnect(RSQLite::SQLite(), path)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", "mse")
  batches <- dataset_prepare(dbi_dataset(connection, "SELECT a, b FROM t", block = 4), a ~ b, batch_size = 2)
  ends <- function(end) list(on_train_batch_end = function(batch, logs) if (batch == 2) suppressWarnings(end()))
  fails <- function(end, words) expect_refusal(fit(model, batches, epochs = 2, verbose = 0, callbacks = ends(end)),
    "file", words)
  fails(function() DBI::dbGetQuery(connection, "SELECT 1"), "the query: after row")
  # SQLite itself closes when the rows that were asked for have come: here in the second epoch
  fails(function() DBI::dbDisconnect(connection), "the connection to the database is closed")
  # as tfdatasets has them
  spec <- sql_record_spec(c("n", "word"), list(tf$int32, tf$string))
  first <- next_batch(sql_dataset("sqlite", path, "SELECT a, w FROM t", spec))
  expect_identical(list(as.array(first$n), first$word), list(1L, "u"))
  expect_identical(column_of(sqlite_dataset(path, "SELECT a FROM t"), "a"), 1:25)
  none <- sqlite_dataset(path, "SELECT a, w FROM t WHERE a > 99", spec)
  expect_length(as.list(none), 0)
  expect_refusal(sql_dataset("oracle", path, "SELECT a FROM t"), "value", "`driver_name`")
  expect_refusal(sqlite_dataset(tempfile(), "SELECT a FROM t"), "file", "no file")
  expect_refusal(sql_record_spec(c("a", "b"), list("int32")), "value", "`types`")
  expect_refusal(sql_record_spec("a", list("int7")), "value", "`types`")
  expect_refusal(sql_record_spec(c("a", "a"), list("int32", "int32")), "names", "twice")
})

test_that("a pass that nobody ends closes what it opened", {
  skip_if_not_installed("DBI")
  skip_if_not_installed("RSQLite")
  path <- tempfile(fileext = ".sqlite")
  connection <- DBI::dbConnect(RSQLite::SQLite(), path)
  DBI::dbWriteTable(connection, "t", data.frame(a = 1:25))
  DBI::dbDisconnect(connection)
  open <- list()
  leave <- function() iter_next(as_iterator(dbi_dataset(function() {
    open <<- c(open, DBI::dbConnect(RSQLite::SQLite(), path))
    open[[length(open)]]
  }, "SELECT a FROM t", block = 4)))
  leave()
  gc()
  expect_length(open, 2) # that told the types, and that was left
  expect_false(any(vapply(open, DBI::dbIsValid, NA)))
  expect_null(unlist(nativenet:::session$open_queries))
  expect_silent({ # the database warns of a connection that R ends
    iter_next(as_iterator(sqlite_dataset(path, "SELECT a FROM t")))
    gc()
    gc()
  })
})

# ---- Parquet files ----

# Functions of the package, until the end of a test.
local_ours <- function(..., frame = parent.frame()) {
  new <- list(...)
  ours <- asNamespace("nativenet")
  put <- function(values) for (name in names(values)) {
    (get("unlockBinding", baseenv()))(name, ours)
    assign(name, values[[name]], envir = ours)
    lockBinding(name, ours)
  }
  old <- mget(names(new), envir = ours)
  put(new)
  do.call(on.exit, list(as.call(list(put, old)), add = TRUE), envir = frame)
}

test_that("Parquet files are read one after the other", {
  skip_if_not_installed("nanoparquet")
  skip_if(nativenet:::has_package("arrow"), "arrow reads them then")
  folder <- tempfile()
  dir.create(folder)
  file <- function(k) file.path(folder, paste0(k, ".parquet"))
  for (k in 1:2) nanoparquet::write_parquet(data.frame(a = 1:30 + 30L * (k - 1L), b = k / 2, w = "u"), file(k))
  data <- parquet_dataset(file.path(folder, "*.parquet"), select = c("b", "a"), block = 7)
  expect_identical(unclassed(output_types(data)), list(b = "float64", a = "int32"))
  for (pass in 1:2) expect_identical(column_of(data, "a"), 1:60)
  expect_identical(unique(column_of(parquet_dataset(file(1)), "w")), "u")
  expect_refusal(parquet_dataset(file(1), select = "z"), "file", "1.parquet\": there is no column \"z\"")
  expect_error(parquet_dataset(file(1), select = "z"), "^[^:]*: [^:]*parquet\": there is no column") # said once
  large <- nanoparquet::parquet_schema("INT64")
  nanoparquet::write_parquet(data.frame(id = c(1, 2^53)), file(6), schema = large)
  expect_refusal(parquet_dataset(file(6)), "file", "row 2 of column \"id\"", "2^53")
  nanoparquet::write_parquet(data.frame(id = c(1, 2^53 - 1, NA)), file(6), schema = large)
  expect_identical(column_of(parquet_dataset(file(6)), "id"), c(1, 2^53 - 1, NaN))
  nanoparquet::write_parquet(data.frame(c = 1), file(3))
  expect_refusal(as.list(parquet_dataset(file(1:3), select = "a")), "file", "3.parquet", "no column \"a\"")
  writeLines("no table", file(4))
  expect_refusal(parquet_dataset(file(4)), "file", "4.parquet")
  nanoparquet::write_parquet(data.frame(d = Sys.Date()), file(5))
  expect_refusal(parquet_dataset(file(5)), "file", "column \"d\"", "of class Date")
  expect_refusal(parquet_dataset(file.path(folder, "none*")), "file", "there is no file")
})

# A Parquet file of these columns without rows. `children` (NA: numbers) as in the schema, in Thrift's compact protocol.
schema_file <- function(names, children) {
  zigzag <- function(i) as.raw(2 * i)
  element <- function(name, children) c(if (is.na(children)) as.raw(c(0x15, 2, 0x25, 0)) else as.raw(c(0x35, 0)),
    as.raw(c(0x18, nchar(name))), charToRaw(name), if (!is.na(children)) c(as.raw(0x15), zigzag(children)), as.raw(0))
  top <- length(names) - sum(children, na.rm = TRUE)
  elements <- Map(element, names, children)
  meta <- c(as.raw(c(0x15, 2, 0x19, 16 * (length(names) + 1) + 0x0c)), as.raw(c(0x48, 4)), charToRaw("root"),
    as.raw(0x15), zigzag(top), as.raw(0), unlist(elements), as.raw(c(0x16, 0, 0x19, 0x0c, 0)))
  path <- tempfile(fileext = ".parquet")
  writeBin(c(charToRaw("PAR1"), meta, writeBin(length(meta), raw(), endian = "little"), charToRaw("PAR1")), path)
  path
}

test_that("Parquet files with nested columns, or two of one name, are refused", {
  skip_if_not_installed("nanoparquet")
  skip_if(nativenet:::has_package("arrow"), "arrow reads them then")
  nested <- schema_file(c("a", "n", "b", "c"), c(NA, 2, NA, NA))
  expect_refusal(parquet_dataset(nested), "file", basename(nested), "column \"n\" are nested")
  expect_refusal(parquet_dataset(nested, select = c("a", "n")), "file", "column \"n\" are nested")
  expect_refusal(parquet_dataset(nested, select = "b"), "file", "there is no column \"b\"")
  expect_refusal(parquet_dataset(nested, select = "a"), "file", basename(nested)) # nanoparquet reads no such file
  twice <- schema_file(c("a", "b", "a"), c(NA, NA, NA))
  expect_refusal(parquet_dataset(twice), "file", basename(twice), "two columns of the name \"a\"")
  expect_refusal(parquet_dataset(twice, select = "b"), "file", "there are no rows")
})

test_that("Parquet files need a package", {
  path <- tempfile()
  file.create(path)
  local_ours(has_package = function(name) FALSE)
  expect_refusal(parquet_dataset(path), "missing", "install.packages(\"nanoparquet\")")
  expect_refusal(dbi_dataset(3, "SELECT 1"), "missing", "DBI")
})

# ---- Arrow ----

# What stands for the package arrow: readers that give batches of a data frame.
mock_arrow <- function() {
  reader <- function(frame, size) {
    at <- 0
    structure(list2env(list(frame = frame, read_next_batch = function() {
      if (at >= nrow(frame)) return(NULL)
      rows <- at + seq_len(min(size, nrow(frame) - at))
      at <<- at + length(rows)
      frame[rows, , drop = FALSE]
    })), class = c("RecordBatchReader", "R6"))
  }
  list(
    open_dataset = function(files, format) structure(list(a = NULL, b = NULL, files = files),
      class = c("FileSystemDataset", "Dataset")),
    Scanner = list(create = function(x, projection, batch_size) list(ToRecordBatchReader = function() {
      frame <- data.frame(a = 1:10, b = 1:10 / 2)
      reader(if (is.null(projection)) frame else frame[projection], batch_size)
    })),
    as_record_batch_reader = function(x) if (inherits(x, "RecordBatchReader")) x else reader(x$frame, 4),
    reader = reader)
}

test_that("tables of Arrow are streams", {
  mock <- mock_arrow()
  local_ours(has_package = function(name) name == "arrow", from_package = function(package, name) mock[[name]])
  path <- tempfile()
  file.create(path)
  data <- parquet_dataset(path, select = "a", block = 3)
  for (pass in 1:2) expect_identical(column_of(data, "a"), 1:10)
  expect_refusal(parquet_dataset(path, select = "z"), "file", "no column \"z\"")
  table <- structure(list(frame = data.frame(a = 1:9)), class = c("Table", "ArrowTabular"))
  for (f in list(arrow_dataset, tensor_slices_dataset)) for (pass in 1:2)
    expect_identical(column_of(f(table), "a"), 1:9)
  odd <- function(frame) arrow_dataset(structure(list(frame = frame), class = c("Table", "ArrowTabular")))
  frame <- data.frame(a = 1:2)
  frame$inner <- data.frame(b = 1:2)
  expect_refusal(odd(frame), "file", "column \"inner\" are nested")
  frame$inner <- list(1, 2:3)
  expect_refusal(odd(frame), "file", "column \"inner\" are nested")
  expect_refusal(odd(data.frame(a = 1, a = 2, check.names = FALSE)), "file", "two columns of the name \"a\"")
  once <- arrow_dataset(mock$reader(data.frame(a = 1:9), 2))
  expect_identical(column_of(once, "a"), 1:9)
  expect_refusal(as.list(once), "file", "can be gone through once")
  expect_refusal(arrow_dataset(data.frame(a = 1)), "value", "`x` must be a table")
})
