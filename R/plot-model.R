# A model as a picture.

#' @rdname summary.nn_model
#' @export
plot.nn_model <- function(x, main = NULL, method = "auto", show_shapes = TRUE, show_dtype = FALSE,
  show_layer_names = TRUE, show_layer_activations = FALSE, show_trainable = FALSE, expand_nested = FALSE,
  to_file = NULL, dpi = 200, ...) {
  check_no_more(list(...), "plot", of = plot.nn_model)
  shown <- c(shapes = check_flag(show_shapes, fun = "plot"), dtype = check_flag(show_dtype, fun = "plot"),
    names = check_flag(show_layer_names, fun = "plot"), activations = check_flag(show_layer_activations, fun = "plot"),
    trainable = check_flag(show_trainable, fun = "plot"))
  if (check_flag(expand_nested, fun = "plot")) abort("`expand_nested` must be FALSE: a model within another is a box; ",
    "`plot()` draws it by itself", fun = "plot")
  self <- built_self(x, fun = "plot")
  check_graph(self, "plot")
  graph <- model_graph(self, shown)
  if (is.null(to_file)) return(plot_graph(x, graph, legend = FALSE, main, method))
  in_picture_file(to_file, check_number(dpi, above = 0, fun = "plot"), print(plot_graph(x, graph, legend = FALSE, main,
    method)), "plot")
  invisible(x)
}

#' Evaluate what draws, onto a file of the kind that its name's ending says, of 7 by 7 inches.
#' @noRd
in_picture_file <- function(path, dpi, expr, fun) {
  kind <- tolower(sub(".*[.]", "", check_string(path, arg = "to_file", fun = fun)))
  check_choice(kind, c("png", "jpg", "jpeg", "pdf", "svg"), arg = "ending of `to_file`", fun = fun)
  if (file.access(dirname(path.expand(path)), 2) != 0) abort("`to_file`: there is no folder ",
    encodeString(dirname(path), quote = "\""), " that can be written to", class = "file", fun = fun)
  switch(kind,
    png = grDevices::png(path, 7, 7, "in", res = dpi), pdf = grDevices::pdf(path), svg = grDevices::svg(path),
    grDevices::jpeg(path, 7, 7, "in", res = dpi))
  on.exit(grDevices::dev.off())
  utils::capture.output(expr)
}

#' As program_graph(): a box for each call of a layer.
#' @param shown what is written in it.
#' @noRd
model_graph <- function(self, shown = c(shapes = TRUE, dtype = FALSE, names = TRUE, activations = FALSE,
  trainable = FALSE)) {
  nodes <- model_plan(self)$nodes
  at <- function(node) place_of(node, nodes)
  edges <- do.call(rbind, lapply(seq_along(nodes), function(i) {
    sources <- vapply(tensor_leaves(nodes[[i]]$inputs), function(x) at(x$node), 0L)
    if (length(sources)) cbind(sources, i)
  }))
  is_output <- vapply(nodes, function(n) any(vapply(self$outputs, function(y) identical(y$node, n), NA)), NA)
  shape <- vapply(nodes, function(n) paste(vapply(tensor_leaves(n$outputs), function(y) format_keras_shape(dim(y)),
    ""), collapse = ", "), "")
  params <- vapply(nodes, function(n) count_of(all_weights(n$layer)), 0)
  said <- cbind(if (shown[["shapes"]]) shape, if (shown[["dtype"]]) vapply(nodes, function(n)
    tensor_leaves(n$outputs)[[1]]$dtype, ""), ifelse(params > 0, format(params, big.mark = ",", trim = TRUE), ""),
    if (shown[["activations"]]) vapply(nodes, layer_activation_name, ""), if (shown[["trainable"]])
      vapply(nodes, function(n) if (n$layer$trainable) "trainable" else "frozen", ""))
  list(
    title = vapply(nodes, function(n) paste0(if (shown[["names"]]) paste0(n$layer$name, ": "), n$layer$class_name),
      ""),
    detail = apply(said, 1, function(words) paste(words[nzchar(words)], collapse = "  ")),
    role = ifelse(vapply(nodes, function(n) isTRUE(n$layer$is_input), NA), "input", "op"), returns = is_output,
    from = as.integer(edges[, 1]), to = as.integer(edges[, 2]), dtype = self$dtype
  )
}

layer_activation_name <- function(node) {
  activation <- node$layer$config$activation
  if (is_part(activation, "activation")) part_name(activation) else ""
}
