# Graphs of layers: the nodes between inputs and outputs that R/layer-symbolic.R notes, how to run them.

#' The nodes between, each before those that need it; by depth, as Keras lists layers.
#' @noRd
nodes_between <- function(inputs, outputs, fun = calling_function()) {
  starts <- lapply(inputs, function(x) x$node)
  sources <- function(node) if (!is_one_of(node, starts)) lapply(node_sources(node), function(x) x$node)
  found <- new.env(parent = emptyenv())
  nodes <- list() # each after those it reads: numbers tell nodes of one session apart only
  waiting <- lapply(outputs, function(x) x$node) # a stack of our own: R's does not hold a thousand layers
  while ((n <- length(waiting)) > 0) {
    node <- waiting[[n]]
    if (!was_seen(found, node)) {
      if (isTRUE(node$layer$is_input) && !is_one_of(node, starts))
        abort("the outputs depend on `", node$layer$name, "`, which is not among the inputs", fun = fun)
      waiting <- c(waiting, sources(node))
    } else {
      waiting[[n]] <- NULL
      if (!is_one_of(node, nodes)) nodes <- c(nodes, list(node))
    }
  }
  # inputs that no output depends on: add_loss() may read them later
  nodes <- c(lapply(Filter(function(x) !is_one_of(x$node, nodes), inputs), function(x) x$node), nodes)
  depth <- numeric(length(nodes))
  for (i in rev(seq_along(nodes))) for (source in sources(nodes[[i]])) {
    at <- place_of(source, nodes)
    depth[at] <- max(depth[at], depth[i] + 1)
  }
  nodes[order(-depth, vapply(nodes, function(n) n$number, 0))]
}

#' A model that begins in the middle of a graph has inputs of its own, and the layers that follow are called again on
#' these: list(inputs, outputs).
#' @noRd
own_beginning <- function(inputs, outputs, fun = calling_function()) {
  from <- inputs
  to <- lapply(inputs, function(x) if (isTRUE(x$node$layer$is_input)) x else
    input_tensor(dim(x)[-1], x$dtype, batch = dim(x)[1]))
  if (identical(from, to)) return(list(inputs = inputs, outputs = outputs))
  inputs <- to
  moved <- function(x) to[[place_of(x, from)]]
  starts <- lapply(from, function(x) x$node)
  for (node in nodes_between(from, outputs, fun)) {
    if (is_one_of(node, starts)) next
    move <- function(structure) fill_leaves(structure, lapply(tensor_leaves(structure), moved))
    again <- symbolic_call(node$layer, move(node$inputs), c(node$args, lapply(node$more, move)))
    from <- c(from, tensor_leaves(node$outputs))
    to <- c(to, tensor_leaves(again))
  }
  list(inputs = inputs, outputs = lapply(outputs, moved))
}

#' How to run a graph: its nodes, and which values each reads and fills.
#' @param ends further ends, see R/model-loss.R.
#' @noRd
graph_plan <- function(inputs, outputs, fun, ends = list()) {
  further <- lapply(ends, function(end) end$tensor)
  nodes <- nodes_between(inputs, c(outputs, further), fun)
  tensors <- list()
  place <- function(x) {
    at <- place_of(x, tensors)
    if (is.na(at)) tensors[[at <- length(tensors) + 1L]] <<- x
    at
  }
  places <- function(structure) fill_leaves(structure, lapply(tensor_leaves(structure), place))
  input_places <- vapply(inputs, place, 0L)
  starts <- lapply(inputs, function(x) x$node)
  inner <- Filter(function(n) !is_one_of(n, starts), nodes)
  steps <- lapply(inner, function(n) list(layer = n$layer, inputs = places(n$inputs), args = n$args,
    more = lapply(n$more, places), outputs = unlist(places(n$outputs))))
  if (length(ends)) {
    wanted <- nodes_between(inputs, outputs, NULL)
    for (k in seq_along(inner)) steps[[k]]$further <- !is_one_of(inner[[k]], wanted)
  }
  list(nodes = nodes, inputs = input_places, steps = steps, outputs = vapply(outputs, place, 0L),
    ends = ends, end_places = vapply(further, place, 0L), tensors = tensors)
}

#' That of a model. A sequence grows layer by layer: its plan is made when it is asked for, which is no change of the
#' model; that it gets another is one.
#' @noRd
model_plan <- function(self) {
  if (is.null(self$plan$made)) self$plan$made <- graph_plan(self$inputs, self$outputs, self$name, self$ends)
  c(self$plan$made, list(self = self))
}

#' Run a graph on tensors, one per input.
#' @noRd
run_graph <- function(plan, values, training) {
  tensors <- vector("list", length(plan$tensors))
  tensors[plan$inputs] <- values
  for (step in plan$steps) {
    if (isTRUE(step$further) && is.null(session$penalties)) next
    self <- step$layer
    at <- function(places) fill_leaves(places, tensors[unlist(places)])
    x <- at(step$inputs)
    y <- tryCatch(
      do.call(call_layer, c(list(self, as_inputs(self, x)), step$args, lapply(step$more, at),
        if (is.null(step$args$training)) list(training = training))),
      nativenet_error_shape = function(e) abort_at_layer(self, e)
    )
    tensors[step$outputs] <- tensor_leaves(y)
  }
  if (!is.null(session$penalties)) {
    note_ends_found(plan, tensors)
    session$graph <- list(tensors = plan$tensors, values = tensors) # that of the whole model comes last
  }
  tensors[plan$outputs]
}
