# Pictures of programs: a box for each op, variable, constant and input, in layers from top to bottom, so that every
# edge goes down. First what is drawn (program_graph), then where (graph_layout), then the shapes, in inches and shrunk
# to the room there is (graph_picture), which base graphics or grid draw.

#' Plot the graph of a program
#'
#' Inputs are at the top, results and changes of variables at the bottom; each box is an op, and
#' edges lead from what it reads to what reads it. Variables carry their names, or else the numbers that `print()`
#' gives them. The boxes of what the function returns have a thick border. Optimizer state is left out.
#'
#' For an [autograph()]ed function with several programs, the last one is drawn. Text shrinks to fit:
#' the program of a training step needs a device of some 7 inches in height.
#'
#' @param x a function that [trace_program()] or [autograph()] returned; the latter must have been called.
#' @param legend say below the picture what the colours mean?
#' @param main a title.
#' @param ... ignored.
#' @inheritParams plot_images
#' @return A ggplot; with base graphics `x`, invisibly.
#' @seealso [trace_program()], [autograph()]; `vignette("how-it-works")`.
#' @examples
#' w <- tf$Variable(matrix(rnorm(6), 3), name = "w")
#' f <- trace_program(function(x) op_mean(op_square(op_tanh(op_matmul(x, w)))), matrix(0, 4, 3))
#' plot(f, main = "mean(tanh(x w)^2)")
#' @export
plot.nn_traced <- function(x, legend = TRUE, main = NULL, method = "auto", ...) {
  check_no_more(list(...), "plot", of = plot.nn_traced)
  if (!holds_ops(environment(x)$trace)) abort("there is no program to draw: the function computes nothing with tensors",
    fun = "plot")
  plot_graph(x, program_graph(environment(x)$trace), legend, main, method)
}

#' @rdname plot.nn_traced
#' @export
plot.nn_graph_function <- function(x, legend = TRUE, main = NULL, method = "auto", ...) {
  check_no_more(list(...), "plot", of = plot.nn_graph_function)
  graph <- environment(x)$graph
  traces <- Filter(holds_ops, graph$traces)
  if (!is.null(graph$reason)) abort("there is no program to draw, as the function runs eagerly: ", graph$reason,
    fun = "plot")
  if (!length(graph$traces))
    abort("there is no program to draw: the function was not called yet, and its first call makes one", fun = "plot")
  if (!length(traces))
    abort(
      "there is no program to draw: the function was called with R's numbers, with which R computes; `tf$constant()` ",
      "makes tensors of them", fun = "plot")
  plot_graph(x, program_graph(traces[[length(traces)]]), legend, main, method)
}

# ---- what is drawn ----

#' @return a list: of each box `title`, `detail`, `role` ("input", "variable", "constant", "op", "action") and whether
#'   it `returns`; the edges `from` one box `to` another; `dtype`, the commonest one, which no box mentions.
#' @noRd
program_graph <- function(trace) {
  d <- describe_program(trace$program, trace$outputs)
  ops <- length(d$op)
  reads <- d$inputs
  of_kind <- function(slots, kinds) Filter(function(k) d$kind[k] %in% kinds, slots)
  changes <- vector("list", ops)
  for (i in which(d$op == "update")) {
    changes[[i]] <- of_kind(reads[[i]], "variable")
    reads[[i]] <- of_kind(reads[[i]], setdiff(d$kind, c("variable", "state")))
  }
  for (i in which(d$op == "assign")) {
    changes[[i]] <- d$out[[i]]
    d$out[[i]] <- integer()
  }
  # the numbers that a derivative looks at again would be edges across half of the picture
  derivative <- endsWith(d$op, "_gradient")
  for (i in which(derivative)) reads[[i]] <- of_kind(reads[[i]], "gradient")
  written <- unlist(d$out)
  given <- setdiff(sort(unique(c(which(d$kind == "input"), unlist(reads), d$output))), written)
  box <- integer(length(d$kind)) # the box that a slot's numbers come from
  box[given] <- seq_along(given)
  from <- to <- integer()
  dtype <- if (length(c(given, written))) names(which.max(table(d$dtype[c(given, written)])))
  size <- function(k) trimws(paste(if (d$dtype[k] != dtype) d$dtype[k], d$shape[k]))
  name <- vapply(seq_along(d$kind), function(k) slot_name(d$object[[k]], d$kind[k], k), "")
  detail <- title <- character(ops)
  for (i in seq_len(ops)) {
    this <- length(given) + i
    sources <- setdiff(unique(box[reads[[i]]]), 0)
    from <- c(from, sources)
    to <- c(to, rep(this, length(sources)))
    out <- d$out[[i]]
    box[c(out, changes[[i]])] <- this # who reads the variable later reads what was made of it here
    title[i] <- d$op[i]
    detail[i] <- if (length(out)) paste(unique(vapply(out, size, "")), collapse = ", ") else
      names_of(name[changes[[i]]])
  }
  list(
    title = c(name[given], title), detail = c(vapply(given, size, ""), detail),
    role = c(d$kind[given], ifelse(derivative | d$op %in% c("fill", "update", "assign", "guard"), "action", "op")),
    returns = seq_len(length(given) + ops) %in% box[d$output], from = from, to = to, dtype = dtype
  )
}

slot_name <- function(object, kind, k) {
  number <- paste0("%", k)
  if (kind == "input") return("input")
  if (is_variable(object)) {
    name <- sub(":0$", "", variable_name(object))
    return(if (name %in% c("Variable", "")) number else name)
  }
  if (kind != "constant") return(number)
  if (is_tensor(object) && length(object) == 1) format(as.vector(as.array(object)), digits = 4) else "constant"
}

names_of <- function(names) if (sum(nchar(names) + 2) <= 40) paste(names, collapse = ", ") else
  paste(length(names), "variables")

# ---- where ----

#' Layers: each box lies below all that lead to it.
#'
#' Boxes to which no input leads (variables, constants and what is made of them alone) move down as far as what reads
#' them allows, and those that nothing reads lie in the last layer.
#' @param from,to edges, with from < to in each: boxes come in the order in which they are computed.
#' @noRd
graph_layers <- function(n, from, to, input) {
  layer <- rep(1, n)
  reached <- input
  for (i in order(to)) {
    layer[to[i]] <- max(layer[to[i]], layer[from[i]] + 1)
    reached[to[i]] <- reached[to[i]] || reached[from[i]]
  }
  read <- seq_len(n) %in% from
  layer[!read & !input] <- max(layer)
  below <- split(to, factor(from, seq_len(n)))
  for (i in rev(which(!reached & read))) layer[i] <- min(layer[below[[i]]]) - 1
  layer
}

#' Where the boxes lie.
#'
#' Edges across several layers run through lanes: narrow boxes, one per layer, that are not drawn. Edges to the same box
#' share one, or edges from the same box, whichever are more.
#' @param width of each box.
#' @param gap between neighbours.
#' @return a list: `layer`, `width` and `x`, the middle, of boxes and then lanes; `from`, `to`: edges from one layer to
#'   the next.
#' @noRd
graph_layout <- function(n, from, to, width, input = rep(FALSE, n), gap = 0.3) {
  layer <- graph_layers(n, from, to, input)
  far <- layer[to] - layer[from] > 1
  hops <- list(cbind(from, to)[!far, , drop = FALSE])
  outgoing <- tabulate(from[far], n)
  incoming <- tabulate(to[far], n)
  # a lane that starts below a box, or that ends above one (which is negative here)
  lanes <- split(which(far), ifelse(outgoing[from] > incoming[to], from, -to)[far])
  for (edges in lanes) {
    first <- min(layer[from[edges]]) + 1
    last <- max(layer[to[edges]]) - 1
    lane <- length(layer) + seq_len(last - first + 1)
    layer <- c(layer, first:last)
    one_source <- length(unique(from[edges])) == 1
    entry <- if (one_source) lane[1] else lane[layer[from[edges]] - first + 2]
    exit <- if (one_source) lane[layer[to[edges]] - first] else lane[length(lane)]
    hops <- c(hops, list(cbind(from[edges], entry), cbind(lane[-length(lane)], lane[-1]), cbind(exit, to[edges])))
  }
  edges <- unique(do.call(rbind, hops))
  from <- edges[, 1]
  to <- edges[, 2]
  is_lane <- seq_along(layer) > n
  width <- c(width, rep(0, sum(is_lane)))
  rows <- order_layers(unname(split(seq_along(layer), factor(layer, seq_len(max(layer))))), from, to)
  list(layer = layer, x = place_boxes(rows, from, to, width, is_lane, gap), from = from, to = to, width = width)
}

#' Sort each layer by the mean position of what leads to it, then of what it leads to, and so on; the order of fewest
#' crossings wins.
#' @noRd
order_layers <- function(rows, from, to, sweeps = 6) {
  best <- rows
  fewest <- crossings(rows, from, to)
  boxes <- seq_along(unlist(rows))
  above <- split(from, factor(to, boxes))
  below <- split(to, factor(from, boxes))
  for (sweep in seq_len(sweeps)) {
    down <- sweep %% 2 == 1
    near <- if (down) above else below
    for (r in if (down) seq_along(rows)[-1] else rev(seq_along(rows))[-1]) {
      position <- positions_in(rows)
      means <- vapply(rows[[r]], function(k) mean(position[if (length(near[[k]])) near[[k]] else k]), 0)
      rows[[r]] <- rows[[r]][order(means)]
    }
    now <- crossings(rows, from, to)
    if (now < fewest) {
      best <- rows
      fewest <- now
    }
  }
  best
}

#' Positions from 0 to 1 within each layer.
#' @noRd
positions_in <- function(rows) {
  position <- numeric(length(unlist(rows)))
  for (row in rows) position[row] <- (seq_along(row) - 0.5) / length(row)
  position
}

crossings <- function(rows, from, to) {
  position <- positions_in(rows)
  sum(vapply(rows, function(row) {
    at <- from %in% row
    sum(outer(position[from[at]], position[from[at]], "<") & outer(position[to[at]], position[to[at]], ">"))
  }, 0))
}

#' Draw boxes towards the middle of their neighbours, without changing the order in a layer or letting them overlap.
#' @noRd
place_boxes <- function(rows, from, to, width, is_lane, gap, rounds = 40) {
  x <- numeric(length(width))
  apart <- lapply(rows, function(row) {
    half <- width[row] / 2
    c(0, cumsum(half[-1] + half[-length(half)] + gap))
  })
  for (r in seq_along(rows)) x[rows[[r]]] <- apart[[r]] - mean(range(apart[[r]]))
  boxes <- seq_along(width)
  neighbours <- Map(c, split(to, factor(from, boxes)), split(from, factor(to, boxes)))
  # lanes and chains of ops had better be straight; variables and constants give way
  weight <- ifelse(is_lane, 20, ifelse(boxes %in% to, ifelse(boxes %in% from, 10, 5), 1))
  for (round in seq_len(rounds)) {
    for (r in if (round %% 2) seq_along(rows) else rev(seq_along(rows))) {
      row <- rows[[r]]
      wanted <- vapply(row, function(k) {
        near <- if (length(neighbours[[k]])) neighbours[[k]] else k
        sum(x[near] * weight[near]) / sum(weight[near])
      }, 0)
      x[row] <- ascending(wanted - apart[[r]], weight[row]) + apart[[r]]
    }
  }
  x
}

#' The ascending sequence nearest to y by weighted least squares: neighbours that are out of order share their mean.
#' @noRd
ascending <- function(y, weight) {
  value <- total <- size <- numeric()
  for (i in seq_along(y)) {
    value <- c(value, y[i])
    total <- c(total, weight[i])
    size <- c(size, 1)
    while ((n <- length(value)) > 1 && value[n - 1] > value[n]) {
      value[n - 1] <- sum(value[n - 1:0] * total[n - 1:0]) / sum(total[n - 1:0])
      total[n - 1] <- sum(total[n - 1:0])
      size[n - 1] <- sum(size[n - 1:0])
      value <- value[-n]
      total <- total[-n]
      size <- size[-n]
    }
  }
  rep(value, size)
}

# ---- the shapes ----

graph_colours <- c(input = "#BBD7F0", variable = "#FBD9A5", constant = "#E6E6E6", op = "#FFFFFF", action = "#C9E6C3")
line_colour <- "grey45"

#' All that is drawn, in inches from the lower left corner of `room` (width, height).
#'
#' @param line the height of a line of text.
#' @param text_width a function of text, whether it is bold, and by how much it is shrunk: its width.
#' @return a list of data frames: `lines` and `heads` (of arrows), points `x`, `y` of each `id`; `boxes`, their ends and
#'   looks; `texts`, of which `x` is the middle or, as `hjust` says, the left end and `y` the baseline.
#' @noRd
graph_picture <- function(graph, room, line, legend, text_width) {
  wide <- cbind(text_width(graph$title, TRUE, 1), text_width(graph$detail, FALSE, 1))
  foot <- if (legend) 1.5 * line else 0
  room[2] <- room[2] - foot
  # shrunk by one factor, text and all, if need be
  designs <- lapply(c(one = 1, two = 2), function(lines) {
    width <- 1.03 * (if (lines == 1) wide[, 1] + wide[, 2] + 0.5 * line * (wide[, 2] > 0) else
      pmax(wide[, 1], wide[, 2])) + 0.8 * line
    layout <- graph_layout(length(width), graph$from, graph$to, width, graph$role == "input", gap = 0.9 * line)
    height <- (lines + 0.45) * line
    step <- height + 1.05 * line
    left <- min(layout$x - layout$width / 2)
    extent <- c(max(layout$x + layout$width / 2) - left, (max(layout$layer) - 1) * step + height)
    c(layout, list(lines = lines, height = height, step = step, left = left, extent = extent,
      scale = min(1, room / extent)))
  })
  d <- designs[[if (designs$two$scale > designs$one$scale) "two" else "one"]]
  # in the middle, at most so much taller that the edges get twice as long
  stretch <- min(room[2] / (d$extent[2] * d$scale), 1.35)
  x <- (d$x - d$left) * d$scale + (room[1] - d$extent[1] * d$scale) / 2
  y <- foot + room[2] - ((d$layer - 1) * d$step + d$height / 2) * d$scale * stretch -
    (room[2] - d$extent[2] * d$scale * stretch) / 2
  box <- list(x = x, y = y, half_width = d$width * d$scale / 2, half_height = d$height * d$scale / 2)
  edges <- edge_shapes(d$from, d$to, box, n = length(graph$title), head = 0.3 * line * d$scale)
  drawn <- seq_along(graph$title) # without the lanes
  boxes <- graph_boxes((x - box$half_width)[drawn], (y - box$half_height)[drawn], (x + box$half_width)[drawn],
    (y + box$half_height)[drawn], unname(graph_colours[graph$role]), graph$returns)
  texts <- box_texts(graph, box, d$lines == 2, line * d$scale, d$scale, text_width)
  key <- if (legend) legend_shapes(graph, room[1], line, text_width)
  c(edges, list(boxes = rbind(boxes, key$boxes), texts = rbind(texts, key$texts)))
}

#' Curves that leave and arrive vertically, between layers; those that arrive at one box share its upper side. Lanes (>
#' n) run straight through their layer.
#' @noRd
edge_shapes <- function(from, to, box, n, head) {
  t <- seq(0, 1, length.out = 25)
  lines <- heads <- list()
  for (lane in seq_along(box$x)[-seq_len(n)]) {
    lines <- c(lines, list(data.frame(x = box$x[lane], y = box$y[lane] + c(-1, 1) * box$half_height)))
  }
  for (target in unique(to)) {
    sources <- from[to == target]
    sources <- sources[order(box$x[sources])]
    k <- length(sources)
    side <- if (target > n) 0 else box$half_width[target]
    ports <- box$x[target] + (seq_len(k) - (k + 1) / 2) * min(4 * head, 1.6 * side / k)
    top <- box$y[target] + box$half_height
    for (i in seq_len(k)) {
      start <- box$x[sources[i]]
      bottom <- box$y[sources[i]] - box$half_height
      end <- top + if (target <= n) head else 0
      lines <- c(lines, list(data.frame(x = start + (ports[i] - start) * (3 * t^2 - 2 * t^3), y = bottom +
        (end - bottom) * t)))
      if (target <= n) heads <- c(heads, list(data.frame(x = ports[i] + head * c(-0.5, 0.5, 0), y = top +
        head * c(1.2, 1.2, 0))))
    }
  }
  joined <- function(shapes) {
    all <- if (length(shapes)) do.call(rbind, shapes) else data.frame(x = numeric(), y = numeric())
    cbind(all, id = rep(seq_along(shapes), vapply(shapes, nrow, 0L)))
  }
  list(lines = joined(lines), heads = joined(heads))
}

capital_height <- 0.58 # of a line

#' One box per row; results have a thick border.
#' @noRd
graph_boxes <- function(left, bottom, right, top, fill, thick) {
  data.frame(left = left, bottom = bottom, right = right, top = top, fill = fill,
    border = ifelse(thick, "black", line_colour), lwd = ifelse(thick, 2.2, 1))
}

#' One piece of text per row; of none, no row.
#' @noRd
graph_texts <- function(x, y, label, bold = FALSE, colour = "black", scale = 1, hjust = 0.5) {
  each <- function(v) rep_len(v, length(x))
  data.frame(x = x, y = y, label = label, bold = each(bold), colour = each(colour), scale = each(scale),
    hjust = each(hjust))
}

#' Titles and details: below each other, or beside each other where boxes have one line.
#' @noRd
box_texts <- function(graph, box, two_lines, line, scale, text_width) {
  both <- nzchar(graph$detail)
  at <- seq_along(graph$title)
  x <- box$x[at]
  base <- box$y[at] - capital_height * line / 2
  if (two_lines) {
    return(rbind(
      graph_texts(x, base + ifelse(both, line / 2, 0), graph$title, TRUE, scale = scale),
      graph_texts(x[both], base[both] - line / 2, graph$detail[both], colour = "grey25", scale = scale)
    ))
  }
  # measured again: small letters are not quite the large ones shrunk
  title <- text_width(graph$title, TRUE, scale)
  detail <- text_width(graph$detail, FALSE, scale)
  left <- x - (title + ifelse(both, detail + 0.4 * line, 0)) / 2
  rbind(
    graph_texts(left, base, graph$title, TRUE, scale = scale, hjust = 0),
    graph_texts((left + title + 0.4 * line)[both], base[both], graph$detail[both], colour = "grey25", scale = scale,
      hjust = 0)
  )
}

legend_shapes <- function(graph, width, line, text_width) {
  words <- c(input = "input", variable = "variable", constant = "constant", op = "op", action = "gradient, update")
  roles <- intersect(names(words), graph$role)
  fill <- c(unname(graph_colours[roles]), if (any(graph$returns)) "#FFFFFF", if (length(graph$dtype)) NA)
  text <- c(unname(words[roles]), if (any(graph$returns)) "thick: result", if (length(graph$dtype))
    paste("numbers:", graph$dtype))
  size <- 0.8
  mark <- 0.6 * size * line
  gaps <- text_width(text, FALSE, size) + ifelse(is.na(fill), 0, 1.6 * mark) + 2.5 * mark
  shrink <- min(1, width / sum(gaps))
  mark <- mark * shrink
  gaps <- gaps * shrink
  at <- (width - sum(gaps) + 2.5 * mark) / 2 + cumsum(c(0, gaps))[seq_along(gaps)]
  y <- 0.5 * line
  marked <- !is.na(fill)
  list(
    boxes = graph_boxes(at, y - mark / 2, at + 1.2 * mark, y + mark / 2, fill, text == "thick: result")[marked, ],
    texts = graph_texts(at + ifelse(marked, 1.6 * mark, 0), y - capital_height * size * shrink * line / 2, text,
      scale = size * shrink, hjust = 0)
  )
}

# ---- the drawing ----

#' Of `x`, by ggplot2 or base graphics.
#' @noRd
plot_graph <- function(x, graph, legend, main, method) {
  method <- plot_method(method, fun = "plot")
  check_flag(legend, fun = "plot")
  if (!is.null(main)) check_string(main, fun = "plot")
  if (method == "ggplot2") return(ggplot_graph(graph, legend, main))
  draw_graph(graph, legend, main)
  invisible(x)
}

draw_graph <- function(graph, legend, main) {
  old <- graphics::par(mar = c(0.4, 0.4, if (is.null(main)) 0.4 else 2, 0.4), xpd = NA)
  on.exit(graphics::par(old))
  graphics::plot.new()
  if (!is.null(main)) graphics::title(main, line = 0.6)
  room <- graphics::par("pin")
  width <- function(text, bold, scale) graphics::strwidth(text, units = "inches", font = 1 + bold,
    cex = graphics::par("cex") * scale)
  p <- graph_picture(graph, room, graphics::par("csi"), legend, width)
  graphics::plot.window(c(0, room[1]), c(0, room[2]), xaxs = "i", yaxs = "i")
  each <- function(shapes, draw) for (one in split(shapes, shapes$id)) draw(one$x, one$y)
  each(p$lines, function(x, y) graphics::lines(x, y, col = line_colour))
  each(p$heads, function(x, y) graphics::polygon(x, y, col = line_colour, border = NA))
  b <- p$boxes
  graphics::rect(b$left, b$bottom, b$right, b$top, col = b$fill, border = b$border, lwd = b$lwd)
  for (t in split(p$texts, p$texts$hjust)) graphics::text(t$x, t$y, t$label, adj = c(t$hjust[1], 0), font = 1 + t$bold,
    col = t$colour, cex = t$scale)
}

ggplot_graph <- function(graph, legend, main) {
  .data <- ggplot2::.data
  picture <- grid::gTree(graph = graph, legend = legend, cl = "nn_program_graph")
  ggplot2::ggplot(data.frame(x = 0:1, y = 0:1), ggplot2::aes(.data[["x"]], .data[["y"]])) +
    ggplot2::geom_blank() + # for there to be a panel
    ggplot2::annotation_custom(picture) +
    ggplot2::labs(title = main) +
    ggplot2::theme_void() +
    ggplot2::theme(plot.title = ggplot2::element_text(hjust = 0.5, margin = ggplot2::margin(b = 6)),
      plot.margin = ggplot2::margin(4, 6, 4, 6))
}

#' The shapes for the room there is when it is drawn; drawn again when the window changes.
#' @exportS3Method grid::makeContent
#' @noRd
makeContent.nn_program_graph <- function(x) {
  points <- 12
  font <- function(bold, scale, ...) grid::gpar(fontsize = points * scale,
    fontface = ifelse(bold, "bold", "plain"), ...)
  width <- function(text, bold, scale) {
    vapply(text, function(t) grid::convertWidth(grid::grobWidth(grid::textGrob(t, gp = font(bold, scale))), "inches",
      valueOnly = TRUE), 0)
  }
  room <- c(grid::convertWidth(grid::unit(1, "npc"), "inches", valueOnly = TRUE),
    grid::convertHeight(grid::unit(1, "npc"), "inches", valueOnly = TRUE))
  p <- graph_picture(x$graph, room, points * 1.2 / 72, x$legend, width)
  b <- p$boxes
  t <- p$texts
  grid::setChildren(x, grid::gList(
    if (nrow(p$lines)) grid::polylineGrob(p$lines$x, p$lines$y, id = p$lines$id, default.units = "inches",
      gp = grid::gpar(col = line_colour)),
    if (nrow(p$heads)) grid::polygonGrob(p$heads$x, p$heads$y, id = p$heads$id, default.units = "inches",
      gp = grid::gpar(fill = line_colour, col = NA)),
    grid::rectGrob(b$left, b$bottom, b$right - b$left, b$top - b$bottom, just = c("left", "bottom"),
      default.units = "inches", gp = grid::gpar(fill = b$fill, col = b$border, lwd = b$lwd)),
    grid::textGrob(t$label, t$x, t$y, hjust = t$hjust, vjust = 0, default.units = "inches",
      gp = font(t$bold, t$scale, col = t$colour))
  ))
}
