# Examples, and tensors, as records of files: messages of Protocol Buffers, which src/border/r_record.c reads.
# tensorflow/core/example/example.proto and feature.proto, tensorflow/core/framework/tensor.proto.

#' TFRecord files: writing, examples and tensors
#'
#' Members of `tf$io` and `tf$train`, as TensorFlow has them.
#'
#' * `tf$io$TFRecordWriter(path, options = NULL)`: a writer, with `$write(record)` for bytes or a string, `$flush()` and
#'   `$close()`; `with(tf$io$TFRecordWriter(path) %as% writer, ...)` closes it. `options`: `"GZIP"`, `"ZLIB"`, or what
#'   `tf$io$TFRecordOptions(compression_type)` gives. Files of `"ZLIB"` are written when they are closed.
#' * `tf$train$Example(features)` of `tf$train$Features(feature)`, a named list of `tf$train$Feature(bytes_list,
#'   float_list, int64_list)`, one of which is `tf$train$BytesList(value)`, `FloatList(value)` or `Int64List(value)`.
#'   `example$SerializeToString()` gives bytes, `tf$train$Example$FromString(bytes)` and
#'   `example$ParseFromString(bytes)` read them; `example$features$feature$x$int64_list$value` are its numbers.
#' * `tf$io$parse_single_example(serialized, features)` gives the named list of features of an example,
#'   `tf$io$parse_example()` those of a batch of them, with a first axis. `features` is a named list:
#'     * `tf$io$FixedLenFeature(shape, dtype, default_value = NULL)`: a tensor of that shape. Without a default, each
#'       example must have it.
#'     * `tf$io$VarLenFeature(dtype)`: all values of the example, (n). Where TensorFlow gives a sparse tensor, this is
#'       dense; in a batch, rows are filled up at their ends by 0 or `""`.
#'     * `tf$io$FixedLenSequenceFeature(shape, dtype, allow_missing = TRUE, default_value = NULL)`: (n, `shape`), filled
#'       up by the default.
#' * `tf$io$serialize_tensor(tensor)` and `tf$io$parse_tensor(serialized, out_type)`: any tensor as bytes, and back.
#'
#' The dtypes of features are `tf$float32`, `tf$int64` and `tf$string`. Values of the last are strings where they are
#' UTF-8, and else bytes, as of pictures: `tf$io$decode_jpeg()`, `tf$io$decode_raw()` and the like take both.
#'
#' @section Errors: `nativenet_error_file` for bytes that are no example or no tensor; `nativenet_error_value` for
#'   features that an example does not have, `nativenet_error_dtype` and `nativenet_error_shape` for values of another
#'   kind and number: the feature and the example are named.
#' @seealso [tfrecord_dataset()]
#' @examples
#' path <- tempfile(fileext = ".tfrecord")
#' with(tf$io$TFRecordWriter(path) %as% writer, {
#'   for (k in 1:3) {
#'     example <- tf$train$Example(features = tf$train$Features(feature = list(
#'       x = tf$train$Feature(float_list = tf$train$FloatList(value = c(k, k / 2))),
#'       label = tf$train$Feature(int64_list = tf$train$Int64List(value = k)),
#'       name = tf$train$Feature(bytes_list = tf$train$BytesList(value = list(letters[k]))))))
#'     writer$write(example$SerializeToString())
#'   }
#' })
#' features <- list(x = tf$io$FixedLenFeature(shape(2), tf$float32),
#'   label = tf$io$FixedLenFeature(shape(), tf$int64),
#'   name = tf$io$FixedLenFeature(shape(), tf$string))
#' data <- tfrecord_dataset(path) |>
#'   dataset_map(function(record) tf$io$parse_single_example(record, features)) |>
#'   dataset_batch(2)
#' next_batch(data)
#' @name tf_records
NULL

feature_dtypes <- c("float32", "int64", "string")

# ---- messages that are made ----

#' @param fields a named list of what it holds.
#' @noRd
new_message <- function(type, fields) structure(list2env(list(type = type, fields = fields), parent = emptyenv()),
  class = "nn_message")

is_message <- function(x, type) inherits(x, "nn_message") && identical(.subset2(x, "type"), type)

check_message <- function(x, type, arg, fun) {
  if (is_message(x, type)) return(x)
  abort("`", arg, "` must come from `tf$train$", type, "()`, not be ", describe(x), fun = fun)
}

#' @export
`$.nn_message` <- function(x, name) {
  fields <- .subset2(x, "fields")
  if (name %in% names(fields)) return(fields[[name]])
  members <- c("SerializeToString", if (is_message(x, "Example")) "ParseFromString")
  switch(name, SerializeToString = function() new_bytes(message_bytes(x)),
    ParseFromString = if ("ParseFromString" %in% members) function(serialized) {
      assign("fields", .subset2(example_of(serialized, "tf$train$Example$ParseFromString"), "fields"), envir = x)
      invisible(length(serialized))
    }) %or% unknown_member(name, c(names(fields), members), paste0("`tf$train$", .subset2(x, "type"), "`"))
}

`%or%` <- function(x, y) if (is.null(x)) y else x

#' @export
`$<-.nn_message` <- function(x, name, value) abort("what it holds is given when it is made", fun = paste0("tf$train$",
  .subset2(x, "type")))

#' @export
print.nn_message <- function(x, ...) {
  cat("<", .subset2(x, "type"), "> ", paste(names(.subset2(x, "fields")), collapse = ", "), "\n", sep = "")
  invisible(x)
}

#' @export
in_words.nn_message <- function(x) paste0("a `tf$train$", .subset2(x, "type"), "`")

#' @export
names.nn_message <- function(x) names(.subset2(x, "fields"))

#' The fields in the order of their numbers.
#' @noRd
message_bytes <- function(x) {
  fields <- .subset2(x, "fields")
  switch(.subset2(x, "type"),
    BytesList = unlist(lapply(fields$value, function(v) proto_bytes(1, if (is.raw(v)) as.raw(unclass(v)) else
      charToRaw(v)))),
    FloatList = if (length(fields$value)) proto_bytes(1, writeBin(fields$value, raw(), size = 4, endian = "little")),
    Int64List = if (length(fields$value)) proto_bytes(1, .Call(C_varints, tensor_of_whole(fields$value))),
    Feature = {
      kind <- which(!vapply(fields, is.null, NA))
      if (length(kind)) proto_bytes(kind, message_bytes(fields[[kind]]))
    },
    Features = unlist(Map(function(name, feature) proto_bytes(1, c(proto_text(1, name), proto_bytes(2,
      message_bytes(feature)))), names(fields$feature), fields$feature), use.names = FALSE),
    Example = proto_bytes(1, message_bytes(fields$features))
  ) %or% raw()
}

tensor_of_whole <- function(x) if (is_tensor(x)) x else tensor(array(x, length(x)), "int64")

#' Values of lists, arrays and tensors, row by row.
#' @noRd
flat_values <- function(value) {
  if (is_branch(value)) return(unlist(lapply(value, flat_values), FALSE))
  if (is.raw(value)) return(list(value))
  if (is_tensor(value)) value <- as.array(value) else if (is.numeric(value)) value <- plain_argument(value)
  if (is.atomic(value) && (!is.object(value) || is.character(value))) row_major(value) else value
}

tf_messages <- list(
  BytesList = function(value = list()) {
    if (inherits(value, "nn_many_bytes")) value <- unclass(value)
    if (!is_branch(value)) value <- flat_values(value)
    value <- if (is.null(value) || is.atomic(value) || is_branch(value)) as.list(value) else list(value)
    ok <- vapply(value, function(v) is.raw(v) || is.character(v) && length(v) == 1 && !is.na(v), NA)
    if (!all(ok)) abort("`value` must be a list of strings or raw vectors, not have ", describe(value[[which(!ok)[1]]]),
      fun = "tf$train$BytesList")
    new_message("BytesList", list(value = lapply(value, function(v) if (is.raw(v)) v else enc2utf8(v))))
  },
  FloatList = function(value = double()) {
    value <- flat_values(value)
    known <- is.null(value) || is.numeric(value) || is.logical(value)
    if (!known || any(is.na(value) & !is.nan(value))) abort("`value` must be numbers, not ", describe(value),
      fun = "tf$train$FloatList")
    new_message("FloatList", list(value = as.double(value)))
  },
  Int64List = function(value = integer()) {
    fun <- "tf$train$Int64List"
    if (is_integer64(value)) value <- tensor(value, "int64")
    if (is_tensor(value) && tensor_dtype(value) == "int64") {
      value <- op_reshape(value, -1)
    } else {
      value <- flat_values(value)
      whole <- (is.numeric(value) || is.logical(value)) && !anyNA(value) && all(abs(value) <= 2^53) &&
        all(value == trunc(value))
      if (!is.null(value) && !whole) abort("`value` must be whole numbers, not ", describe(value), fun = fun)
      value <- as.double(value)
    }
    new_message("Int64List", list(value = value))
  },
  Feature = function(bytes_list = NULL, float_list = NULL, int64_list = NULL) {
    fun <- "tf$train$Feature"
    fields <- list(bytes_list = bytes_list, float_list = float_list, int64_list = int64_list)
    if (sum(!vapply(fields, is.null, NA)) > 1) abort("one of `bytes_list`, `float_list` and `int64_list` can be given",
      fun = fun)
    Map(function(x, type, arg) if (!is.null(x)) check_message(x, type, arg, fun), fields,
      c("BytesList", "FloatList", "Int64List"), names(fields))
    new_message("Feature", fields)
  },
  Features = function(feature = list()) {
    fun <- "tf$train$Features"
    if (!is_branch(feature) || length(feature) && !is_named_list(feature)) abort("`feature` must be a named list, not ",
      describe(feature), fun = fun)
    lapply(feature, check_message, "Feature", "feature", fun)
    new_message("Features", list(feature = feature))
  },
  Example = new_type(function(features = NULL) new_message("Example", list(features = if (is.null(features))
    new_message("Features", list(feature = list())) else check_message(features, "Features", "features",
    "tf$train$Example"))), "tf$train$Example", list(FromString = function(serialized) example_of(serialized,
    "tf$train$Example$FromString")))
)

#' Bytes as the message that they are.
#' @noRd
example_of <- function(serialized, fun) {
  feature <- lapply(features_in(check_bytes(serialized, "serialized", fun), NULL, fun), function(x) {
    fields <- list(bytes_list = NULL, float_list = NULL, int64_list = NULL)
    kind <- match(kind_of_feature(x), c("string", "float32", "int64"))
    if (!is.na(kind)) fields[[kind]] <- new_message(c("BytesList", "FloatList", "Int64List")[kind], list(value =
      switch(kind, lapply(x, new_bytes), as.vector(as.array(x)), x)))
    new_message("Feature", fields)
  })
  new_message("Example", list(features = new_message("Features", list(feature = feature))))
}

# ---- examples that are read ----

#' Values of the features of an example, by name: a list of raw vectors, or a tensor; NULL without any.
#' @param at its number in a batch, or NULL.
#' @noRd
features_in <- function(bytes, at, fun) {
  found <- .Call(C_example, bytes)
  if (is.null(found)) abort("`serialized`", if (!is.null(at)) paste(" number", at), " is no `tf$train$Example` (",
    length(bytes), " bytes)", class = "file", fun = fun)
  found[!duplicated(names(found), fromLast = TRUE)]
}

kind_of_feature <- function(x) if (is.null(x)) "none" else if (is.list(x)) "string" else tensor_dtype(x)

example_feature <- function(kind, dtype, shape = integer(), default = NULL, fun = calling_function()) {
  shape <- as.integer(check_sizes(if (is_branch(shape)) as.numeric(unlist(shape)) else shape, arg = "shape", fun = fun))
  dtype <- as.character(check_choice(dtype, feature_dtypes, "dtype", fun))
  if (!is.null(default)) {
    default <- if (dtype == "string") default_strings(default, shape, fun) else
      op_broadcast_to(tensor(op_input(default), dtype), shape)
  }
  structure(list(kind = kind, dtype = dtype, shape = shape, default = default), class = "nn_feature_kind")
}

#' One string for all values, or one for each, row by row.
#' @noRd
default_strings <- function(default, shape, fun) {
  text <- flat_values(default)
  if (!is.character(text) || anyNA(text) || !length(text) %in% c(1, prod(shape))) abort("`default_value` must be a ",
    "string, or one for each of the ", prod(shape), " values, not ", describe(default), fun = fun)
  if (length(dim(default)) && !identical(as.integer(dim(default)), shape)) abort("`default_value` must have the shape ",
    format_shape(shape), ", not ", format_shape(dim(default)), class = "shape", fun = fun)
  rep_len(enc2utf8(text), prod(shape))
}

#' @export
print.nn_feature_kind <- function(x, ...) {
  cat("<", x$kind, "> ", x$dtype, if (x$kind != "VarLenFeature") paste0(" of shape ", format_shape(x$shape)), "\n",
    sep = "")
  invisible(x)
}

#' @export
in_words.nn_feature_kind <- function(x) paste0("a `tf$io$", x$kind, "`")

check_feature_kinds <- function(features, fun) {
  if (!is_named_list(features) || !length(features)) abort("`features` must be a named list of ",
    "`tf$io$FixedLenFeature()` and its like, not ", describe(features), fun = fun)
  for (name in names(features)) if (!inherits(features[[name]], "nn_feature_kind")) abort("`features$", name,
    "` must come from `tf$io$FixedLenFeature()` or its like, not be ", describe(features[[name]]), fun = fun)
  features
}

#' Strings where all are UTF-8; else bytes.
#' @noRd
strings_or_bytes <- function(values, shape) {
  text <- vapply(values, function(v) if (any(v == 0)) NA_character_ else rawToChar(v), "")
  if (anyNA(text) || !all(validUTF8(text))) return(if (length(shape)) many_bytes(values) else new_bytes(values[[1]]))
  Encoding(text) <- "UTF-8"
  if (length(shape) < 2) return(if (length(shape)) array(text, shape) else text)
  aperm(array(text, rev(shape)), rev(seq_along(shape)))
}

#' The values of a feature in one example, all of them in a row: a list of raw vectors or a tensor.
#' @noRd
feature_values <- function(found, feature, name, at, fun) {
  x <- found[[name]]
  where <- paste0("feature `", name, "`", if (!is.null(at)) paste(" of example", at))
  if (!is.null(x) && kind_of_feature(x) != feature$dtype) abort(where, " has values of dtype ", kind_of_feature(x),
    ", not ", feature$dtype, class = "dtype", fun = fun)
  n <- prod(feature$shape)
  if (feature$kind == "FixedLenFeature") {
    if (!length(x)) x <- if (is.character(feature$default)) lapply(feature$default, charToRaw) else
      if (!is.null(feature$default)) op_reshape(feature$default, -1)
    if (is.null(x) && n > 0) abort(where, " is missing, and has no `default_value`; the example has ",
      if (length(found)) paste0("`", names(found), "`", collapse = ", ") else "none", fun = fun)
    if (length(x) != n) abort(where, " has ", length(x), " values, not ", n, " as its shape ",
      format_shape(feature$shape), " says", class = "shape", fun = fun)
  }
  if (feature$kind == "FixedLenSequenceFeature" && length(x) && (!n || length(x) %% n)) abort(where, " has ",
    length(x), " values, which is no multiple of ", n, ", as its shape ", format_shape(feature$shape), " says",
    class = "shape", fun = fun)
  if (is.null(x)) if (feature$dtype == "string") list() else op_zeros(0, feature$dtype) else x
}

shaped_feature <- function(values, shape) if (is.list(values)) strings_or_bytes(values, shape) else
  op_reshape(values, shape)

#' The axes of a feature in one example that has so many values; NA where that varies.
#' @noRd
axes_of_feature <- function(feature, n) switch(feature$kind, FixedLenFeature = feature$shape, VarLenFeature = n,
  c(if (n) n %/% prod(feature$shape) else 0, feature$shape))

parse_one <- function(serialized, features, example_names = NULL, name = NULL, fun = "tf$io$parse_single_example") {
  check_feature_kinds(features, fun)
  found <- features_in(check_bytes(serialized, "serialized", fun), NULL, fun)
  lapply(stats::setNames(nm = names(features)), function(key) {
    values <- feature_values(found, features[[key]], key, NULL, fun)
    shaped_feature(values, axes_of_feature(features[[key]], length(values)))
  })
}

parse_many <- function(serialized, features, example_names = NULL, name = NULL, fun = "tf$io$parse_example") {
  check_feature_kinds(features, fun)
  if (inherits(serialized, "nn_many_bytes")) serialized <- unclass(serialized)
  all <- if (is_branch(serialized)) serialized else if (is.character(serialized)) as.list(serialized) else
    abort("`serialized` must be the bytes of several examples, as `dataset_batch()` gives, not ", describe(serialized),
      fun = fun)
  if (!length(all)) abort("`serialized` must have at least one example", fun = fun)
  found <- lapply(seq_along(all), function(k) features_in(check_bytes(all[[k]], "serialized", fun), k, fun))
  lapply(stats::setNames(nm = names(features)), function(key) {
    feature <- features[[key]]
    values <- lapply(seq_along(found), function(k) feature_values(found[[k]], feature, key, k, fun))
    longest <- max(lengths(values))
    shape <- c(length(values), axes_of_feature(feature, longest))
    fill <- function(x) {
      if (length(x) == longest) return(x)
      if (is.list(x)) return(c(x, rep(list(charToRaw(feature$default[1] %or% "")), longest - length(x))))
      op_concat(list(x, op_full(longest - length(x), if (is.null(feature$default)) 0 else
        as.vector(as.array(feature$default))[1], feature$dtype)), axis = 1)
    }
    values <- lapply(values, fill)
    shaped_feature(if (feature$dtype == "string") unlist(values, FALSE) else op_concat(values, axis = 1), shape)
  })
}

# ---- tensors as bytes ----

# DataType of tensorflow/core/framework/types.proto
proto_dtypes <- c(float32 = 1, float64 = 2, int32 = 3, uint8 = 4, int16 = 5, int8 = 6, string = 7, int64 = 9, bool = 10,
  uint16 = 17)

serialize_one <- function(tensor, name = NULL, fun = "tf$io$serialize_tensor") {
  text <- is_strings(tensor)
  x <- if (text) as_strings(tensor, "tensor", fun) else as_value(tensor(op_input(tensor)))
  shape <- if (text) if (is.null(dim(tensor)) && length(tensor) == 1) integer() else dim(x) else shape_of(x)
  dims <- unlist(lapply(shape, function(n) proto_bytes(2, proto_int(1, n))))
  values <- if (text) unlist(lapply(row_major(x), function(s) proto_bytes(8, charToRaw(enc2utf8(s))))) else
    proto_bytes(4, tensor_bytes(x))
  new_bytes(c(proto_int(1, proto_dtypes[[if (text) "string" else tensor_dtype(x)]]), proto_bytes(2, dims), values))
}

parse_one_tensor <- function(serialized, out_type, name = NULL, fun = "tf$io$parse_tensor") {
  bytes <- check_bytes(serialized, "serialized", fun)
  wrong <- function(...) abort("`serialized` is no tensor: ", ..., class = "file", fun = fun)
  fields <- function(x) {
    found <- if (is.raw(x)) .Call(C_proto_fields, x)
    if (is.null(found)) wrong("its bytes are damaged")
    function(number) found[[2]][found[[1]] == number]
  }
  field <- fields(bytes)
  code <- field(1)
  code <- if (length(code)) code[[length(code)]] else 0 # the last one counts
  if (!is.numeric(code)) wrong("its dtype is damaged")
  dtype <- names(proto_dtypes)[match(code, proto_dtypes)]
  if (is.na(dtype)) wrong("it has dtype number ", code)
  wanted <- as.character(check_choice(out_type, names(proto_dtypes), "out_type", fun))
  if (dtype != wanted) abort("`out_type` is ", wanted, ", but the tensor is ", dtype, class = "dtype", fun = fun)
  shape <- vapply(unlist(lapply(field(2), function(s) fields(s)(2)), FALSE) %or% list(), function(d) {
    size <- fields(d)(1)
    if (!length(size)) return(0)
    if (is.numeric(size[[1]])) size[[1]] else wrong("its shape is damaged")
  }, 0)
  n <- prod(shape)
  if (any(shape < 0) || n > 2^31) wrong("its shape is ", format_shape(shape))
  for (part in c(field(4), field(8))) if (!is.raw(part)) wrong("its bytes are damaged")
  content <- unlist(field(4))
  if (dtype == "string") {
    values <- field(8)
    if (length(values) != n) wrong("it has ", length(values), " strings for the shape ", format_shape(shape))
    return(strings_or_bytes(values, shape))
  }
  if (is.null(content)) content <- typed_content(field, dtype, n, wrong)
  if (length(content) != n * dtype_sizes[[dtype]]) wrong("it has ", length(content), " bytes for the shape ",
    format_shape(shape), " of ", dtype)
  if (is_narrow(dtype)) return(with_note(op_reshape(x <- decode_numbers(content, dtype, TRUE, fun), shape), "bytes",
    attr(x, "bytes")))
  tensor_of_bytes(content, dtype, shape)
}

most_repeated <- 2^28 # bytes that are made of a single value

#' The bytes of the numbers of a tensor whose values stand in fields of their own; the last one stands for all that
#' follow.
#' @noRd
typed_content <- function(field, dtype, n, wrong) {
  number <- c(float32 = 5, float64 = 6, int64 = 10, bool = 11)
  number <- if (dtype %in% names(number)) number[[dtype]] else 7
  values <- field(number)
  size <- dtype_sizes[[dtype]]
  if (dtype %in% c("float32", "float64")) {
    if (!all(vapply(values, is.raw, NA))) wrong("its numbers are damaged")
    bytes <- unlist(values) %or% raw()
  } else {
    numbers <- unlist(lapply(values, function(v) if (is.raw(v)) {
      if (is.null(read <- .Call(C_varints, v))) wrong("its numbers are damaged")
      as.vector(as.array(read))
    } else v)) %or% double()
    if (dtype != "int64" && any(abs(numbers) >= 2^31)) wrong("it has numbers beyond ", dtype)
    bytes <- if (dtype == "int64") tensor_bytes(tensor(array(numbers, length(numbers)), "int64")) else
      writeBin(as.integer(numbers), raw(), size = size, endian = "little")
  }
  if (length(bytes) %% size || length(bytes) > n * size) wrong("it has more numbers than its shape says")
  missing <- n - length(bytes) / size
  if (missing && !length(bytes)) wrong("it has no numbers")
  if (missing * size > most_repeated) wrong("one number stands for ", missing)
  c(bytes, rep(utils::tail(bytes, size), missing))
}

# ---- files that are written ----

record_options <- function(compression_type = NULL, flush_mode = NULL, input_buffer_size = NULL,
  output_buffer_size = NULL, window_bits = NULL, compression_level = NULL, compression_method = NULL, mem_level = NULL,
  compression_strategy = NULL) {
  structure(list(compression_type = check_compression(compression_type, "tf$io$TFRecordOptions")),
    class = "nn_record_options")
}

check_compression <- function(x, fun, arg = "compression_type") if (is.null(x)) "" else
  check_choice(x, c("", "GZIP", "ZLIB"), arg, fun)

record_writer <- function(path, options = NULL) {
  fun <- "tf$io$TFRecordWriter"
  path <- path.expand(file_name(path, "path", fun))
  type <- if (inherits(options, "nn_record_options")) options$compression_type else
    check_compression(options, fun, "options")
  fail <- function(...) abort("cannot write ", encodeString(path, quote = "\""), class = "file", fun = fun)
  self <- list2env(list(path = path, type = type, pieces = list()), parent = emptyenv())
  self$con <- tryCatch(if (type == "GZIP") gzfile(path, "wb") else file(path, "wb"), error = fail, warning = fail)
  keep_open(self$con)
  reg.finalizer(self, close_writer, onexit = TRUE)
  structure(list(self = self), class = c("nn_record_writer", "nn_context"))
}

close_writer <- function(self) {
  if (is.null(self$con)) return(invisible())
  if (self$type == "ZLIB") writeBin(memCompress(unlist(self$pieces) %or% raw(), "gzip"), self$con)
  close_kept(self$con)
  self$con <- NULL
}

write_record <- function(self, record) {
  fun <- "tf$io$TFRecordWriter$write"
  if (is.null(self$con)) abort("the writer is closed", class = "file", fun = fun)
  all <- record_bytes(check_bytes(record, "record", fun))
  if (self$type == "ZLIB") self$pieces <- c(self$pieces, list(all)) else writeBin(all, self$con)
  invisible()
}

writer_members <- list(
  write = function(self) function(record) write_record(self, record),
  flush = function(self) function() {
    if (!is.null(self$con) && self$type == "") flush(self$con)
    invisible()
  },
  close = function(self) function() invisible(close_writer(self)),
  enter = function(self) function() invisible(),
  exit = function(self) function() invisible(close_writer(self))
)

#' @export
`$.nn_record_writer` <- function(x, name) {
  member <- writer_members[[name]]
  if (is.null(member)) unknown_member(name, names(writer_members)[1:3], "a writer of records")
  member(.subset2(x, "self"))
}

#' @export
print.nn_record_writer <- function(x, ...) {
  cat("<writer of records in ", .subset2(x, "self")$path, ">\n", sep = "")
  invisible(x)
}

tf_records <- list(
  TFRecordWriter = record_writer, TFRecordOptions = record_options,
  FixedLenFeature = function(shape, dtype, default_value = NULL) example_feature("FixedLenFeature", dtype, shape,
    default_value, "tf$io$FixedLenFeature"),
  VarLenFeature = function(dtype) example_feature("VarLenFeature", dtype, fun = "tf$io$VarLenFeature"),
  FixedLenSequenceFeature = function(shape, dtype, allow_missing = FALSE, default_value = NULL) {
    fun <- "tf$io$FixedLenSequenceFeature"
    if (!check_flag(allow_missing, fun = fun)) abort("`allow_missing` must be TRUE: examples have no other sequences",
      fun = fun)
    if (!is.null(default_value) && length(default_value) != 1) abort("`default_value` must be a single value, not ",
      describe(default_value), fun = fun)
    example_feature("FixedLenSequenceFeature", dtype, shape, default_value, fun)
  },
  parse_single_example = parse_one, parse_example = parse_many,
  serialize_tensor = serialize_one, parse_tensor = parse_one_tensor
)
