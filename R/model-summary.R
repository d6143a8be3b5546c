# What a model looks like: as a table, as a picture, as data frames.

#' Summarize and plot a model
#'
#' `summary()` writes a line for each layer with its output shape and its number of parameters, `plot()` draws the
#' graph of layers. `tidy()` gives a data frame with a row per layer, `glance()` one with a single row, `augment()` the
#' data with predictions beside.
#'
#' @param object,x a model.
#' @param line_length how many characters a line may have; by default that of the console, at most 98.
#' @param positions where the columns end: shares of the line, or numbers of characters.
#' @param expand_nested show the layers of models within the model, too? `plot()` does not.
#' @param show_trainable say of each layer whether it is trained?
#' @param show_shapes,show_dtype,show_layer_names,show_layer_activations write shapes, dtypes, names and activations
#'   into the boxes?
#' @param to_file a file to draw into, whose name ends in .png, .jpg, .pdf or .svg; `NULL` for the screen.
#' @param dpi points per inch of a file.
#' @param width as `line_length`.
#' @param data the samples to predict: a matrix or data frame.
#' @param main a title.
#' @inheritParams plot_images
#' @param ... ignored; for `augment()` arguments of [predict()].
#' @return `summary()`: its lines, invisibly. `plot()`: a ggplot; with base graphics `x`, invisibly. `tidy()`,
#'   `glance()`, `augment()`: data frames.
#' @examples
#' model <- keras_model_sequential() |>
#'   layer_embedding(input_dim = 10001, output_dim = 64, mask_zero = TRUE) |>
#'   layer_lstm(units = 32) |>
#'   layer_dense(1, activation = "sigmoid")
#' summary(model)
#' tidy(model)
#' plot(model)
#' @export
summary.nn_model <- function(object, line_length = min(getOption("width"), 98), positions = NULL, expand_nested = FALSE,
  show_trainable = FALSE, ...,
                             width = line_length) {
  lines <- model_table(layer_self(object), check_count(width, min = 40, fun = "summary"), positions,
    check_flag(expand_nested, fun = "summary"), check_flag(show_trainable, fun = "summary"))
  cat(lines, sep = "\n")
  invisible(lines)
}

#' @rdname summary.nn_model
#' @export
print.nn_model <- function(x, ...) {
  summary(x, ...)
  invisible(x)
}

#' @export
format.nn_model <- function(x, ...) paste(utils::capture.output(summary(x, ...)), collapse = "\n")

model_table <- function(self, width, positions, expand_nested, show_trainable) {
  rows <- if (self$built || is_own_model(self)) layer_rows(self, expand_nested)
  if (is.null(rows)) {
    n <- length(self$layers)
    rest <- if (n) paste0(" (", n, if (n > 1) " layers" else " layer", " so far)") else ""
    return(c(paste0("Model: \"", self$name, "\""), paste0("<no summary available: the model was not built", rest, ">")))
  }
  connected <- !is_own_model(self) && !is_chain(self)
  cells <- list("Layer (type)" = sprintf("%s%s (%s)", rows$indent, rows$layer, rows$type),
    "Output Shape" = rows$output_shape, "Param #" = as.character(rows$params))
  if (connected) cells[["Connected to"]] <- rows$connected
  if (show_trainable) cells[["Trainable"]] <- ifelse(rows$trainable, "Y", "N")
  ends <- if (!is.null(positions)) positions else if (connected) c(0.36, 0.64, 0.74, 1) else c(0.5, 0.85, 1)
  if (show_trainable) ends <- c(ends * 0.88, 1)
  if (!is.numeric(ends) || length(ends) != length(cells) || anyNA(ends) || is.unsorted(c(0, ends), strictly = TRUE))
    abort("`positions` must be ", length(cells), " rising numbers, not ", describe(positions), fun = "summary")
  if (max(ends) <= 1) ends <- floor(ends * width)
  line <- function(parts) {
    text <- ""
    for (k in seq_along(parts)) {
      text <- paste0(text, parts[k])
      text <- if (k == length(parts)) text else formatC(substr(text, 1, ends[k] - 1), width = -ends[k])
    }
    trimws(text, "right")
  }
  rule <- function(mark) strrep(mark, width)
  body <- vapply(seq_along(rows$layer), function(i) line(vapply(cells, `[[`, "", i)), "")
  totals <- c(count_of(all_weights(self)), count_of(trainable_weights(self)))
  number <- function(n) format(n, big.mark = ",", scientific = FALSE)
  c(
    paste0("Model: \"", self$name, "\""), rule("_"), line(names(cells)), rule("="),
    utils::head(as.vector(rbind(body, rule("_"))), -1), rule("="),
    paste0("Total params: ", number(totals[1])), paste0("Trainable params: ", number(totals[2])),
    paste0("Non-trainable params: ", number(totals[1] - totals[2])), rule("_")
  )
}

#' A row per layer, in the order in which data pass them.
#' @noRd
layer_rows <- function(self, expand_nested = FALSE, indent = "", trained = self$trainable) {
  row <- function(layer, outputs, from = "") {
    own <- data.frame(
      indent = indent, layer = layer$name, type = layer$class_name,
      output_shape = paste(vapply(outputs, format_keras_shape, ""), collapse = ", "),
      params = count_of(all_weights(layer)), trainable = trained && layer$trainable,
      connected = paste(unique(from), collapse = ", ")
    )
    if (isTRUE(layer$is_input)) own$output_shape <- paste0("[", own$output_shape, "]")
    nested <- if (expand_nested && (!is.null(layer$outputs) || is_own_model(layer)))
      layer_rows(layer, TRUE, paste0(indent, "  "), own$trainable)
    rbind(own, nested)
  }
  if (is_own_model(self)) {
    return(do.call(rbind, lapply(model_layers(self), function(l) row(layer_self(l),
      tensor_leaves(layer_self(l)$output_shape)))))
  }
  nodes <- model_plan(self)$nodes
  shown <- if (self$kind == "sequential") Filter(function(n) !isTRUE(n$layer$is_input), nodes) else nodes
  seen <- new.env(parent = emptyenv())
  shown <- Filter(function(n) !was_seen(seen, n$layer), shown)
  rows <- lapply(shown, function(n) {
    layer <- n$layer
    from <- unlist(lapply(nodes, function(m) if (identical(m$layer, layer)) vapply(node_sources(m), function(x)
      x$node$layer$name, "")))
    row(layer, lapply(tensor_leaves(n$outputs), dim), from)
  })
  do.call(rbind, rows)
}

#' Does each layer read what the one before it gives?
#' @noRd
is_chain <- function(self) {
  nodes <- model_plan(self)$nodes
  sources <- lapply(nodes, function(n) lapply(node_sources(n), function(x) x$node))
  all(lengths(sources) <= 1) && sum(lengths(sources) == 0) == 1 && length(self$outputs) == 1 &&
    all(vapply(seq_along(nodes)[-1], function(i) identical(sources[[i]][[1]], nodes[[i - 1]]), NA))
}

#' @importFrom generics tidy
#' @export
generics::tidy

#' @importFrom generics glance
#' @export
generics::glance

#' @importFrom generics augment
#' @export
generics::augment

#' @rdname summary.nn_model
#' @export
tidy.nn_model <- function(x, ...) layer_rows(built_self(x, fun = "tidy"))[c("layer", "type", "output_shape", "params",
  "trainable")]

#' @rdname summary.nn_model
#' @export
glance.nn_model <- function(x, ...) {
  self <- built_self(x, fun = "glance")
  optimizer <- self$compiled$optimizer
  scores <- if (!is.null(self$history)) as.data.frame(lapply(self$history$metrics, function(v) v[length(v)]))
  one <- data.frame(
    layers = length(self$layers), params = count_of(all_weights(self)),
    trainable_params = count_of(trainable_weights(self)), optimizer = if (is.null(optimizer)) NA_character_ else
    optimizer$name, steps = if (is.null(optimizer)) 0 else
    optimizer$iterations, epochs = if (is.null(self$history)) 0L else length(self$history$metrics$loss)
  )
  if (is.null(scores)) one else cbind(one, scores)
}

#' @rdname summary.nn_model
#' @export
augment.nn_model <- function(x, data, ...) {
  check_given(missing(data), "data", "augment")
  if (is_branch(data)) abort("`data` must be a matrix or a data frame, not ", describe(data),
    "; `predict()` takes lists", fun = "augment")
  fitted <- stats::predict(x, data, ...)
  if (is.list(fitted)) abort("`x` has several outputs; use `predict()`", fun = "augment")
  data <- if (is.data.frame(data)) data else as.data.frame(array_reshape(data, c(first_axis(data, "augment"), -1)))
  fitted <- array_reshape(fitted, c(nrow(data), -1))
  data[paste0(".fitted", if (ncol(fitted) > 1) seq_len(ncol(fitted)))] <- as.data.frame(fitted)
  data
}

#' @export
tidy.nn_history <- function(x, ...) as.data.frame(x)
