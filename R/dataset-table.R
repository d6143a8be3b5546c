# Data sets of tables that come block by block and need not fit into memory: Parquet files, Arrow's tables, queries of
# databases. A block is a data frame; the first one, or a specification, says what the columns are.

#' Data sets from Parquet files and Arrow's tables
#'
#' `parquet_dataset()` reads the rows of Parquet files, `arrow_dataset()` those of a table of the package arrow: a
#' `Dataset`, a `Table`, a `RecordBatch`, a query that dplyr made of these, or a `RecordBatchReader`, which can be gone
#' through once. [tensor_slices_dataset()] takes these, too. Elements are named lists, as those of [csv_dataset()].
#'
#' Parquet files are read by the package arrow, some rows at a time, or, where that is not installed, by nanoparquet, a
#' whole file at a time, of which only the columns that are asked for are in memory: many files of moderate size are
#' better then than a large one. Each iteration reads the files again.
#'
#' Whole numbers become int32, or int64 if they are of class integer64, others float64, logical values bool, texts and
#' factors strings, as the first block has them. A missing number is NaN in columns of floats, and an error in others; a
#' column of whole numbers of which some are missing in the first block is one of floats. Without strings the engine
#' takes the rows of a block by itself, so [dataset_map()], [dataset_shuffle()], [dataset_batch()] and [fit()] run
#' natively. A buffer of [dataset_shuffle()] mixes rows that lie near each other; order rows at random when you write
#' them.
#'
#' @param files names of files, or patterns such as `"*.parquet"`. Each file is read once, in the order of their names.
#' @param x a table of the package arrow.
#' @param select names of the columns to keep, in this order; `NULL` for all.
#' @param block rows that become tensors at a time.
#' @return A data set.
#' @section Errors: `nativenet_error_file` for files that cannot be read, and columns that are nested, of dates,
#'   missing, or not as in the first block: the file or table, the column and the row are named;
#'   `nativenet_error_missing` without the packages.
#' @seealso [dbi_dataset()] for databases, [csv_dataset()], [dataset_prepare()]; `vignette("scaling")`.
#' @examplesIf requireNamespace("nanoparquet", quietly = TRUE)
#' path <- tempfile(fileext = ".parquet")
#' nanoparquet::write_parquet(mtcars, path)
#' data <- dataset_prepare(parquet_dataset(path), mpg ~ wt + hp, batch_size = 16)
#' dim(next_batch(data)$x)
#' @export
parquet_dataset <- function(files, select = NULL, block = 10000) {
  files <- matching_files(files)
  if (!is.null(select)) check_strings(select)
  block <- check_count(block)
  package <- Find(has_package, c("arrow", "nanoparquet"))
  if (is.null(package)) abort("Parquet files are read by the package arrow or nanoparquet, and neither is installed: ",
    "`install.packages(\"nanoparquet\")`", class = "missing")
  what <- if (length(files) == 1) encodeString(files, quote = "\"") else "the files"
  if (package == "arrow") {
    open <- function() arrow_pass(from_package("arrow", "open_dataset")(files, format = "parquet"), select, block, what,
      "parquet_dataset")
    return(table_dataset(open, select, block, what))
  }
  read <- from_package("nanoparquet", "read_parquet")
  names_in <- from_package("nanoparquet", "read_parquet_schema")
  table_dataset(function() {
    at <- 0
    function() {
      if (at == length(files)) return(NULL)
      at <<- at + 1
      path <- files[at]
      refuse <- refuse_table(encodeString(path, quote = "\""), "parquet_dataset")
      schema <- reading(names_in(path), refuse)
      check_schema(schema, select, refuse)
      rows <- reading(as.data.frame(read(path, col_select = select)), refuse)
      check_exact(rows, schema, refuse)
      rows
    }
  }, select, block, what)
}

#' Of a schema as nanoparquet gives it: the root, then each column with its children behind it.
#' @noRd
check_schema <- function(schema, select, refuse) {
  children <- ifelse(is.na(schema$num_children), 0, schema$num_children)
  behind <- function(i) Reduce(function(at, k) behind(at), seq_len(children[i]), i + 1)
  top <- integer()
  while ((i <- if (length(top)) behind(top[length(top)]) else 2) <= nrow(schema)) top <- c(top, i)
  check_columns(select, schema$name[top], refuse)
  wanted <- if (is.null(select)) top else top[schema$name[top] %in% select]
  check_once(schema$name[wanted], refuse)
  nested <- wanted[children[wanted] > 0 | schema$repetition_type[wanted] %in% "REPEATED"]
  if (length(nested)) refuse_nested(schema$name[nested[1]], "nested", refuse)
}

refuse_nested <- function(name, what, refuse) refuse("the values of column ", encodeString(name, quote = "\""), " are ",
  what, ", which cannot be tensors; leave the column out, or convert it before")

check_once <- function(names, refuse) {
  twice <- anyDuplicated(names)
  if (twice) refuse("there are two columns of the name ", encodeString(names[twice], quote = "\""))
}

#' nanoparquet gives whole numbers of 64 bits as double, which rounds those beyond 2^53.
#' @noRd
check_exact <- function(rows, schema, refuse) {
  whole <- schema$type %in% "INT64"
  for (name in intersect(names(rows), schema$name[whole])) {
    if (!is.double(rows[[name]]) || inherits(rows[[name]], c("integer64", "POSIXct", "difftime"))) next
    beyond <- which(abs(rows[[name]]) >= 2^53)
    if (length(beyond)) refuse("row ", beyond[1], " of column ", encodeString(name, quote = "\""), " is a number ",
      "beyond 2^53, which nanoparquet rounds: install the package arrow, or leave the column out")
  }
}

has_package <- function(name) requireNamespace(name, quietly = TRUE)
#' Packages that compile for many minutes (arrow, duckdb, mirai) are not in DESCRIPTION: what it names must be there for
#' a check.
#' @noRd
from_package <- function(package, name) getExportedValue(package, name)

need_package <- function(package, what, fun = calling_function()) {
  if (!has_package(package)) abort(what, " needs the package ", package, ", which is not installed: ",
    "`install.packages(\"", package, "\")`", class = "missing", fun = fun)
}

#' @rdname parquet_dataset
#' @export
arrow_dataset <- function(x, select = NULL, block = 10000) {
  if (!is_arrow(x)) abort("`x` must be a table of the package arrow, such as a `Dataset`, not ", describe(x))
  need_package("arrow", "a table of Arrow")
  if (!is.null(select)) check_strings(select)
  block <- check_count(block)
  once <- inherits(x, "RecordBatchReader")
  first <- NULL # the batch that told the columns is the first of the only pass
  passes <- 0
  table_dataset(function() {
    if (once && passes > 1) abort("a `RecordBatchReader` can be gone through once: make a `Table` of it, or take the ",
      "`Dataset` that it reads", class = "file", fun = "arrow_dataset")
    passes <<- passes + 1
    pass <- arrow_pass(x, select, block, "the table", "arrow_dataset")
    if (!once) return(pass)
    if (passes == 1) return(function() first <<- pass())
    function() {
      if (is.null(first)) return(pass())
      kept <- first
      first <<- NULL
      kept
    }
  }, select, block, "the table")
}

is_arrow <- function(x) inherits(x, c("ArrowTabular", "Dataset", "RecordBatchReader", "arrow_dplyr_query"))

#' A function that gives batches of the rows of an Arrow table as data frames.
#' @noRd
arrow_pass <- function(x, select, block, what, fun) {
  refuse <- refuse_table(what, fun)
  reader <- reading({
    if (!is.null(select)) check_columns(select, names(x), refuse)
    if (inherits(x, "Dataset")) {
      from_package("arrow", "Scanner")$create(x, projection = select, batch_size = block)$ToRecordBatchReader()
    } else {
      from_package("arrow", "as_record_batch_reader")(x)
    }
  }, refuse)
  function() reading({
    batch <- reader$read_next_batch()
    if (!is.null(batch)) as.data.frame(batch)
  }, refuse)
}

#' Data sets from databases
#'
#' The rows of a query, some at a time, as named lists. `dbi_dataset()` takes any connection of the package DBI;
#' `sqlite_dataset()` and `sql_dataset()` open files of databases themselves, as those of tfdatasets do.
#'
#' Each iteration sends the query again. A connection has one query under way, with most databases: where two data sets
#' are read in turns, as for training and validation, give a function that opens a connection; it is closed when the
#' rows end. `ORDER BY random()` in the query shuffles in the database. For types and missing values see
#' [parquet_dataset()].
#'
#' @param connection a connection of the package DBI, or a function that opens one.
#' @param query the query, in SQL.
#' @param params a list of values for the query's placeholders, or `NULL`.
#' @param record_spec what `sql_record_spec()` gives; `NULL`: names and types are those of the first block of rows.
#' @param block rows to fetch at a time.
#' @param filename,data_source_name the file of a database.
#' @param driver_name `"sqlite"` or `"duckdb"`.
#' @param names names of the columns, in the order of the query.
#' @param types a type for each column, such as `tf$int32` or `"string"`.
#' @return A data set; a specification from `sql_record_spec()`.
#' @section Errors: `nativenet_error_file` for a query that fails, at once or after some rows, a connection that was
#'   closed, a query without rows where there is no `record_spec`, and values that do not fit their column: the column
#'   and the row are named; `nativenet_error_missing` without the packages.
#' @seealso [parquet_dataset()], [dataset_prepare()]; `vignette("scaling")`.
#' @examplesIf requireNamespace("RSQLite", quietly = TRUE)
#' path <- tempfile(fileext = ".sqlite")
#' connection <- DBI::dbConnect(RSQLite::SQLite(), path)
#' DBI::dbWriteTable(connection, "cars", mtcars)
#' data <- dbi_dataset(connection, "SELECT mpg, wt, hp FROM cars WHERE cyl = ?", params = list(4))
#' next_batch(dataset_prepare(data, mpg ~ wt + hp, batch_size = 4))$x
#' DBI::dbDisconnect(connection)
#' spec <- sql_record_spec(c("mpg", "cyl"), list(tf$float32, tf$int32))
#' next_batch(sqlite_dataset(path, "SELECT mpg, cyl FROM cars", spec))$cyl
#' @export
dbi_dataset <- function(connection, query, params = NULL, record_spec = NULL, block = 10000) {
  need_package("DBI", "a query")
  if (is.function(connection)) check_function(connection, takes = 0)
  else if (!methods::is(connection, "DBIConnection")) abort("`connection` must be a connection ",
    "of the package DBI, or a function that opens one, not ", describe(connection))
  check_string(query)
  if (!is.null(params) && !is_branch(params)) abort("`params` must be a list of values for the placeholders of the ",
    "query, not ", describe(params))
  query_dataset(connection, query, params, record_spec, check_count(block))
}

#' @rdname dbi_dataset
#' @export
sqlite_dataset <- function(filename, query, record_spec = NULL) sql_dataset("sqlite", filename, query, record_spec)

#' @rdname dbi_dataset
#' @export
sql_dataset <- function(driver_name, data_source_name, query, record_spec = NULL) {
  fun <- user_function()
  check_choice(driver_name, c("sqlite", "duckdb"), fun = fun)
  path <- existing_file(data_source_name, if (fun == "sqlite_dataset") "filename" else "data_source_name", fun)
  check_string(query, fun = fun)
  need_package("DBI", "a query", fun)
  package <- if (driver_name == "sqlite") "RSQLite" else "duckdb"
  need_package(package, paste("a database of", driver_name), fun)
  query_dataset(function() {
    if (package == "duckdb") {
      DBI::dbConnect(from_package(package, "duckdb")(), dbdir = path, read_only = TRUE)
    } else {
      DBI::dbConnect(from_package(package, "SQLite")(), path, flags = from_package(package, "SQLITE_RO"))
    }
  }, query, NULL, record_spec, 10000, fun)
}

query_dataset <- function(connection, query, params, record_spec, block, fun = calling_function()) {
  if (!is.null(record_spec) && !inherits(record_spec, "nn_sql_record_spec")) abort("`record_spec` must come from ",
    "`sql_record_spec()`, not be ", describe(record_spec), fun = fun)
  refuse <- refuse_table("the query", fun)
  last <- new.env(parent = emptyenv()) # its `end` ends the pass that began last
  table_dataset(function() query_pass(connection, query, params, block, refuse, last), NULL, block, "the query",
    record_spec, fun)
}

#' A function that fetches the rows of a query, which is ended when they end or nobody wants them any more.
#' @param last ends the pass before: on one connection that is where this one begins.
#' @noRd
query_pass <- function(connection, query, params, block, refuse, last) {
  state <- new.env(parent = emptyenv())
  state$done <- 0
  # what was opened is reached until it is closed: what R finalizes by itself gives a warning of the database
  open <- new.env(parent = emptyenv())
  session$open_queries <- c(session$open_queries, open)
  end <- function(state) {
    quietly <- function(expr) try(suppressWarnings(expr), silent = TRUE)
    if (!is.null(open$result)) quietly(DBI::dbClearResult(open$result))
    if (is.function(connection) && !is.null(open$connection)) quietly(DBI::dbDisconnect(open$connection))
    open$result <- open$connection <- NULL
    session$open_queries <- Filter(function(other) !identical(other, open), session$open_queries)
  }
  reg.finalizer(state, end, onexit = TRUE)
  if (!is.function(connection)) {
    if (!is.null(last$end)) last$end()
    last$end <- function() if (!is.null(open$result)) {
      end(state)
      state$lost <- TRUE
    }
  }
  broken <- function(...) {
    end(state)
    refuse(...)
  }
  open$connection <- if (is.function(connection)) reading(connection(), broken) else connection
  if (!methods::is(open$connection, "DBIConnection")) abort("`connection` must open a connection of the package DBI, ",
    "not give ", describe(open$connection), fun = "dbi_dataset")
  if (!DBI::dbIsValid(open$connection)) broken("the connection to the database is closed")
  reading({
    open$result <- DBI::dbSendQuery(open$connection, query)
    if (!is.null(params)) DBI::dbBind(open$result, params)
  }, broken)
  structure(function() {
    if (isTRUE(state$lost)) refuse("after row ", state$done, ": the query was sent again on the same connection; ",
      "give a function that opens one for each iteration")
    if (is.null(open$result)) return(NULL)
    rows <- reading(as.data.frame(DBI::dbFetch(open$result, n = block)), function(...) broken("after row ", state$done,
      ": ", ...))
    state$done <- state$done + nrow(rows)
    if (nrow(rows)) return(rows)
    end(state)
    NULL
  }, end = function() end(state))
}

#' @rdname dbi_dataset
#' @export
sql_record_spec <- function(names, types) {
  check_strings(names)
  if (is.atomic(types) && is.character(types)) types <- as.list(types)
  if (!is_branch(types) || length(types) != length(names) || !length(names)) abort("`types` must be a list with a ",
    "type for each of the ", length(names), " `names`, not ", describe(types))
  twice <- anyDuplicated(names)
  if (twice) abort("`names` has ", describe(names[twice]), " twice", class = "names")
  types <- vapply(types, function(type) check_choice(if (inherits(type, "nn_dtype")) as.character(type) else type,
    table_types, "types", "sql_record_spec"), "")
  structure(list(names = names, types = types), class = c("nn_sql_record_spec", "tf_dataset_record_spec"))
}

#' @export
print.nn_sql_record_spec <- function(x, ...) {
  cat("<records> ", paste0(x$names, ": ", x$types, collapse = ", "), "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_sql_record_spec <- function(x) "a specification of records"

# ---- tables as data sets ----

#' @param open a function that starts a pass and gives a function: the next data frame, NULL at the end. Its attribute
#'   `end` ends the pass early.
#' @param what the table in words, for errors.
#' @param spec names and types of the columns; NULL: those of the first rows.
#' @noRd
table_dataset <- function(open, select, block, what, spec = NULL, fun = calling_function()) {
  force(fun)
  refuse <- refuse_table(what, fun)
  if (is.null(spec)) spec <- first_types(open, select, refuse)
  elements <- stats::setNames(lapply(spec$types, tensor_spec, integer()), spec$names)
  blocks_dataset(elements, NA, function() {
    next_table <- open()
    rows <- NULL # of which `taken` have been given; `before` rows came in the tables before
    taken <- before <- 0
    function() {
      while (is.null(rows) || taken == nrow(rows)) {
        before <<- before + taken
        taken <<- 0
        rows <<- next_table()
        if (is.null(rows)) return(NULL)
        if (is.null(select) && length(rows) != length(spec$names)) refuse("there are ", length(rows), " columns, not ",
          length(spec$names))
        if (!is.null(select)) rows <<- rows[check_columns(select, names(rows), refuse)]
      }
      some <- taken + seq_len(min(block, nrow(rows) - taken))
      columns <- Map(function(x, name, type) table_column(x[some], name, type, before + taken, refuse), as.list(rows),
        spec$names, spec$types)
      taken <<- taken + length(some)
      stats::setNames(columns, spec$names)
    }
  })
}

refuse_table <- function(what, fun) function(...) abort(what, ": ", ..., class = "file", fun = fun)

#' What other packages say of their files is an error of ours, with the name of the file.
#' @noRd
reading <- function(expr, refuse) {
  tryCatch(expr, error = function(e) if (inherits(e, "nativenet_error")) stop(e) else refuse(conditionMessage(e)))
}

check_columns <- function(wanted, names, refuse) {
  lost <- setdiff(wanted, names)
  if (length(lost)) refuse("there is no column ", encodeString(lost[1], quote = "\""), did_you_mean(lost[1], names))
  wanted
}

first_types <- function(open, select, refuse) {
  next_table <- open()
  on.exit(if (!is.null(end <- attr(next_table, "end"))) end())
  rows <- next_table()
  while (!is.null(rows) && !nrow(rows)) rows <- next_table()
  if (is.null(rows)) refuse("there are no rows")
  if (!is.null(select)) rows <- rows[check_columns(select, names(rows), refuse)]
  if (!length(rows)) refuse("there are no columns")
  check_once(names(rows), refuse)
  list(names = names(rows), types = vapply(names(rows), function(name) column_type(rows[[name]], name, refuse), "",
    USE.NAMES = FALSE))
}

table_types <- c("float64", "float32", "int32", "int64", "bool", "string")

#' The dtype of a column, by its first values.
#' @noRd
column_type <- function(x, name, refuse) {
  if (is.factor(x) || is.character(x) && !is.object(x)) return("string")
  if (is_integer64(x)) return(if (anyNA(x)) "float64" else "int64")
  if (!is_bare(x) || is.raw(x) || !is.null(dim(x)))
    refuse_nested(name, if (is.list(x)) "nested" else paste("of class", class(x)[1]), refuse)
  switch(csv_class(x), integer = "int32", logical = "bool", "float64")
}

#' Values of a column as a tensor, or as strings. `before` rows came before.
#' @noRd
table_column <- function(x, name, type, before, refuse) {
  at <- function(i) paste0(" in row ", format(before + i, scientific = FALSE), " of column ", encodeString(name,
    quote = "\""))
  lost <- which(is.na(x) & !(is.double(x) & is.nan(x)))
  empty <- length(lost) == length(x)
  own <- if (!empty) column_type(x, name, refuse)
  if (type == "string") {
    if (!empty && own != "string") refuse("a value that is no text", at(1), ", which is ", own)
    return(as.character(x))
  }
  if (!empty && own == "string") refuse("a text, ", encodeString(as.character(x[!is.na(x)][1]), quote = "\""), ",",
    at(which(!is.na(x))[1]), ", which is ", type)
  floats <- type %in% c("float64", "float32")
  if (length(lost) && !floats) refuse("a value is missing", at(lost[1]), ", which is ", type)
  if (empty) x <- rep(NaN, length(x))
  if (is_integer64(x) && type != "int64") x <- as.array(tensor(replace(x, lost, 0), "float64"))
  if (length(lost)) x <- replace(as.double(x), lost, NaN)
  if (type %in% c("int32", "int64") && is.double(x) && !is_integer64(x)) {
    odd <- which(x != trunc(x) | abs(x) > if (type == "int32") .Machine$integer.max else 2^53)
    if (length(odd)) refuse(format(x[odd[1]], digits = 15), " is no whole number of ", substring(type, 4), " bits,",
      at(odd[1]))
  }
  if (type == "bool" && !is.logical(x)) {
    odd <- which(x != 0 & x != 1)
    if (length(odd)) refuse(format(x[odd[1]]), " is neither TRUE nor FALSE,", at(odd[1]))
    x <- x != 0
  }
  tensor(with_axes(x), type)
}

#' Elements that come by blocks: lists of columns, each a vector or tensor of the rows of a block.
#' @param open a function that starts a pass and gives a function: the next block, NULL at the end.
#' @noRd
blocks_dataset <- function(spec, size, open) {
  specs <- tensor_leaves(spec)
  if (length(specs) > most_tensors || any(vapply(specs, function(s) s$dtype == "string", NA))) {
    return(new_dataset(spec, size, from = list(), pull = function() {
      next_block <- open()
      rows <- function() NULL
      function() {
        while (is.null(element <- rows())) {
          block <- next_block()
          if (is.null(block)) return(NULL)
          rows <<- tensor_slices_dataset(block)$pull()
        }
        element
      }
    }))
  }
  new_dataset(spec, size, from = list(), stages = function(add) {
    next_block <- NULL
    # the engine asks for a block when it has taken the rows of the last one (src/run/stream.h)
    feed <- function(first) {
      if (first) next_block <<- open()
      block <- next_block()
      if (!is.null(block)) Map(function(x, spec) if (is_tensor(x)) x else tensor(with_axes(x), spec$dtype),
        unname(tensor_leaves(block)), unname(specs))
    }
    add("feed", a = if (is.na(size)) -1 else size, source = feed, dims = lapply(specs, `[[`, "dim"),
      dtypes = lapply(specs, `[[`, "dtype"))
  })
}
