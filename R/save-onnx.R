# Models as ONNX files: a graph of the standard's operators, which other engines run. The file is a message of Protocol
# Buffers (https://protobuf.dev/programming-guides/encoding/), of which a writer is all that is needed. What becomes of
# each kind of layer is in R/save-onnx-layer.R.

#' Export a model to ONNX
#'
#' Writes a model as it predicts to a file of the Open Neural Network Exchange format, which ONNX Runtime and other
#' engines run.
#'
#' Inputs and outputs keep their names, shapes and order of axes: channels stay last, and convolutions stand between
#' transpositions. The first axis, the batch, may have any size. The file holds no training: dropout, noise and random
#' layers are left out.
#'
#' @inheritParams save_model
#' @return The file's name, invisibly.
#' @section Errors: `nativenet_error_missing` for what the format cannot hold or this version does not export: masks
#'   that a layer follows, R functions of lambda and custom layers, calls of ops on symbolic tensors, layers of strings
#'   and categories, cells, and sizes that must be known. The message names the layer.
#' @references <https://onnx.ai/onnx/intro/>, operators of version 17.
#' @seealso [save_model()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, activation = "softmax")
#' path <- tempfile(fileext = ".onnx")
#' save_model_onnx(model, path)
#' @export
save_model_onnx <- function(object, filepath, overwrite = TRUE) {
  fun <- "save_model_onnx"
  self <- built_self(object)
  check_graph(self, fun)
  replace_file(check_target(filepath, overwrite, fun), list(onnx_bytes(self)), fun)
  invisible(filepath)
}

# ---- Protocol Buffers: a field is its number and kind, then a number or bytes of announced length ----

proto_varint <- function(n) {
  if (n < 0) n <- n + 2^64 # only -1 .. of axes: beyond 2^53 the low bits are put together below
  bytes <- raw()
  repeat {
    low <- n %% 128
    n <- (n - low) / 128
    bytes <- c(bytes, as.raw(low + if (n > 0) 128 else 0))
    if (n == 0) return(bytes)
  }
}

#' -1 and other small negative numbers take ten bytes, as their bits do in 64.
#' @noRd
proto_int <- function(field, n) {
  value <- if (n >= 0) proto_varint(n) else {
    low <- 2^28 + n # the lowest 28 bits; all above are 1
    c(as.raw(floor(low / 128^(0:3)) %% 128 + 128), as.raw(c(255, 255, 255, 255, 255, 1)))
  }
  c(proto_varint(field * 8), value)
}
proto_bytes <- function(field, bytes) c(proto_varint(field * 8 + 2), proto_varint(length(bytes)), bytes)
proto_text <- function(field, x) unlist(lapply(enc2utf8(x), function(text) proto_bytes(field, charToRaw(text))))
proto_float <- function(field, x) c(proto_varint(field * 8 + 5), writeBin(x, raw(), size = 4, endian = "little"))
proto_ints <- function(field, x) unlist(lapply(x, function(n) proto_int(field, n)))

# ---- messages of ONNX ----

onnx_dtypes <- c(float32 = 1, int32 = 6, int64 = 7, bool = 9, float64 = 11)

#' A tensor with its numbers, given as array or tensor in our order of axes.
#' @noRd
onnx_tensor <- function(name, x, dtype, dim) {
  values <- row_major(x)
  bytes <- switch(dtype,
    float32 = writeBin(as.double(values), raw(), size = 4, endian = "little"),
    float64 = writeBin(as.double(values), raw(), size = 8, endian = "little"),
    bool = as.raw(values != 0),
    int32 = writeBin(as.integer(values), raw(), size = 4, endian = "little"),
    # each as its low and its high half
    int64 = writeBin(as.integer(rbind(values, -(values < 0))), raw(), size = 4, endian = "little"))
  c(proto_ints(1, dim), proto_int(2, onnx_dtypes[[dtype]]), proto_text(8, name), proto_bytes(9, bytes))
}

#' An attribute: a number (`1L` whole), a string, or several whole numbers or strings.
#' @noRd
onnx_attribute <- function(name, x) {
  several <- inherits(x, "AsIs") || length(x) > 1
  x <- unclass(x)
  value <- if (is.character(x)) c(proto_text(if (several) 9 else 4, x), proto_int(20, if (several) 8 else 3))
  else if (is.integer(x)) c(proto_ints(if (several) 8 else 3, x), proto_int(20, if (several) 7 else 2))
  else c(unlist(lapply(x, function(v) proto_float(if (several) 7 else 2, v))), proto_int(20, if (several) 6 else 1))
  c(proto_text(1, name), value)
}

onnx_node <- function(op, inputs, outputs, attributes) c(proto_text(1, inputs), proto_text(2, outputs),
  proto_text(4, op), unlist(unname(Map(function(x, name) proto_bytes(5, onnx_attribute(name, x)), attributes,
    names(attributes)))))

#' An input or output: sizes that are not known have a name.
#' @noRd
onnx_value <- function(name, shape, dtype) {
  dims <- lapply(seq_along(shape), function(k) proto_bytes(1, if (!is.na(shape[k])) proto_int(1, shape[k]) else
    proto_text(2, if (k == 1) "batch" else paste0(name, "_", k))))
  tensor <- c(proto_int(1, onnx_dtypes[[dtype]]), proto_bytes(2, unlist(dims)))
  c(proto_text(1, name), proto_bytes(2, proto_bytes(1, tensor)))
}

# ---- the graph, as it grows ----

#' Functions that add to a graph: `add()` an operator, whose results it names, and `constant()` numbers.
#' @noRd
onnx_graph <- function() {
  g <- new.env(parent = emptyenv())
  g$nodes <- g$constants <- list()
  g$count <- 0
  g$layer <- NULL # the name of the layer at hand
  g$name <- function(stem) {
    g$count <- g$count + 1
    paste0(g$layer, "/", stem, "_", g$count)
  }
  g$add <- function(op, ..., results = 1, attributes = list()) {
    outputs <- vapply(seq_len(results), function(k) g$name(op), "")
    g$nodes[[length(g$nodes) + 1]] <- onnx_node(op, c(...), outputs, attributes)
    outputs
  }
  g$constant <- function(x, dtype = "float32", dim = if (is.null(base::dim(x))) length(x) else base::dim(x)) {
    name <- g$name("constant")
    g$constants[[length(g$constants) + 1]] <- onnx_tensor(name, if (is_tensor(x)) as.array(x) else x, dtype, dim)
    name
  }
  g$refuse <- function(...) abort("layer `", g$layer, "`: ", ..., class = "missing", fun = "save_model_onnx")
  g
}

onnx_bytes <- function(self) {
  g <- onnx_graph()
  g$layer <- self$name
  for (x in self$inputs) if (!x$dtype %in% names(onnx_dtypes)) g$refuse("inputs of ", x$dtype, " are not exported")
  inputs <- vapply(self$inputs, function(x) x$node$layer$name, "")
  ends <- onnx_model(g, self, inputs)
  g$layer <- self$name
  names <- make.unique(output_names(self))
  # an output may be an input, or the same tensor twice: each has a node of its own
  for (k in seq_along(ends)) g$nodes[[length(g$nodes) + 1]] <- onnx_node("Identity", ends[k], names[k], list())
  graph <- c(unlist(lapply(g$nodes, function(n) proto_bytes(1, n))), proto_text(2, self$name),
    unlist(lapply(g$constants, function(t) proto_bytes(5, t))),
    unlist(Map(function(x, name) proto_bytes(11, onnx_value(name, dim(x), x$dtype)), self$inputs, inputs)),
    unlist(Map(function(x, name) proto_bytes(12, onnx_value(name, dim(x), x$dtype)), self$outputs, names)))
  opset <- c(proto_text(1, ""), proto_int(2, 17))
  c(proto_int(1, 8), proto_text(2, "nativenet"), proto_bytes(7, graph), proto_bytes(8, opset))
}

#' The operators of a model's graph; gives the names of its results.
#' @noRd
onnx_model <- function(g, self, inputs) {
  plan <- model_plan(self)
  values <- character(length(plan$tensors))
  values[plan$inputs] <- inputs
  for (step in plan$steps) {
    if (isTRUE(step$further)) next
    g$layer <- step$layer$name
    x <- plan$tensors[unlist(step$inputs)]
    results <- plan$tensors[step$outputs]
    if (length(step$more) && !"initial_state" %in% names(step$more)) g$refuse("is called with tensors by name, ",
      "which is not exported")
    first <- values[unlist(step$more$initial_state)]
    values[step$outputs] <- onnx_layer(g, step$layer, values[unlist(step$inputs)], lapply(x, dim), lapply(results, dim),
      masked = any(lengths(lapply(x, function(t) .subset2(t, "mask"))) > 0), first, step$args,
      vapply(x, function(t) t$dtype, ""))
  }
  values[plan$outputs]
}

#' One layer: `x` are the names of its inputs, `from` and `to` the shapes of inputs and results.
#' @noRd
onnx_layer <- function(g, self, x, from, to, masked = FALSE, first = character(), args = list(), dtypes = "float32") {
  g$layer <- self$name
  if (self$kind %in% c("model", "sequential")) return(onnx_model(g, self, x))
  if (masked && "mask" %in% names(formals(layer_type(self)$call))) g$refuse("follows a mask, which the ",
    "format does not have")
  if (isTRUE(self$config$stateful)) g$refuse("keeps its states from batch to batch, which the format does not have")
  rule <- onnx_rules[[onnx_kind(self$kind)]]
  if (is.null(rule)) g$refuse("a layer of class ", self$class_name, " is not exported")
  whole <- dtypes %in% c("int32", "int64", "bool")
  if (any(whole) && !self$kind %in% c("embedding", "concatenate", "flatten", "reshape", "permute", "repeat_vector"))
    x[whole] <- vapply(x[whole], function(name) g$add("Cast", name, attributes = list(to = as.integer(onnx_dtypes[[
      self$dtype]]))), "")
  result <- rule(g, self, x, from, to, list(first = first, args = args))
  if (length(result) != length(to)) g$refuse("is called in a way that is not exported")
  result
}

#' One rule for all numbers of spatial axes.
#' @noRd
onnx_kind <- function(kind) sub("_[123]d(_transpose)?$", "\\1", kind)
