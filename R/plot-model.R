# A model as a picture.

#' @rdname summary.nn_model
#' @export
plot.nn_model <- function(x, main = NULL, method = "auto", ...) {
  check_no_more(list(...), "plot", of = plot.nn_model)
  self <- built_self(x, fun = "plot")
  check_graph(self, "plot")
  plot_graph(x, model_graph(self), legend = FALSE, main, method)
}

#' As program_graph(): a box for each call of a layer.
#' @noRd
model_graph <- function(self) {
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
  list(
    title = vapply(nodes, function(n) paste0(n$layer$name, ": ", n$layer$class_name), ""),
    detail = ifelse(params > 0, paste0(shape, "  ", format(params, big.mark = ",", trim = TRUE)), shape),
    role = ifelse(vapply(nodes, function(n) isTRUE(n$layer$is_input), NA), "input", "op"), returns = is_output,
    from = as.integer(edges[, 1]), to = as.integer(edges[, 2]), dtype = self$dtype
  )
}
