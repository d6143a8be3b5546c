# Pictures of programs: a box for each op, variable, constant and input, in layers from top to bottom, so that every
# edge goes down. First what is drawn (program_graph), then where (graph_layout), then the drawing.

#' Draw the graph of a program
#'
#' Inputs are at the top, results and changes of variables at the bottom; each box is an op, and
#' edges lead from what it reads to what reads it. Variables carry their names, or else the numbers that `print()`
#' gives them. The boxes of what the function returns have a thick border. The memory of optimizers is left out.
#'
#' For an [autograph()]ed function with several programs, the last one is drawn. Text shrinks to fit:
#' the program of a training step needs a device of some 7 inches in height.
#'
#' @param x a function that [trace_program()] or [autograph()] returned; the latter must have been called.
#' @param legend say below the picture what the colours mean?
#' @param ... further arguments of [graphics::title()], such as `main`.
#' @return `x`, invisibly.
#' @seealso [trace_program()], [autograph()]; `vignette("how-it-works")`.
#' @examples
#' w <- tf$Variable(matrix(rnorm(6), 3), name = "w")
#' f <- trace_program(function(x) op_mean(op_square(op_tanh(op_matmul(x, w)))), matrix(0, 4, 3))
#' plot(f, main = "mean(tanh(x w)^2)")
#' @export
plot.nn_traced <- function(x, legend = TRUE, ...) {
  check_flag(legend, fun = "plot")
  draw_graph(program_graph(environment(x)$trace), legend, ...)
  invisible(x)
}

#' @rdname plot.nn_traced
#' @export
plot.nn_graph_function <- function(x, legend = TRUE, ...) {
  check_flag(legend, fun = "plot")
  graph <- environment(x)$graph
  if (!is.null(graph$reason)) abort("there is no program to draw, as the function runs op by op: ", graph$reason, fun = "plot")
  if (!length(graph$traces)) abort("there is no program to draw: the function was not called yet, and its first call makes one", fun = "plot")
  draw_graph(program_graph(graph$traces[[length(graph$traces)]]), legend, ...)
  invisible(x)
}

# ---- what is drawn ----

#' @return a list: of each box `title`, `detail`, `role` ("input", "variable", "constant", "op", "action") and whether it
#'   `returns`; the edges `from` one box `to` another; `dtype`, the commonest one, which no box mentions.
#' @noRd
program_graph <- function(trace) {
  d <- describe_program(trace$program, trace$outputs)
  written <- unlist(d$out)
  ops <- length(d$op)
  is_update <- d$op == "update"
  reads <- d$inputs
  changes <- vector("list", ops)
  for (i in which(d$op %in% c("update", "assign"))) {
    changes[[i]] <- if (is_update[i]) Filter(function(k) d$kind[k] == "variable", reads[[i]]) else reads[[i]][1]
    reads[[i]] <- if (is_update[i]) Filter(function(k) !d$kind[k] %in% c("variable", "state"), reads[[i]]) else reads[[i]][-1]
  }
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
    detail[i] <- if (d$op[i] == "gradient") names_of(name[utils::head(reads[[i]][-1], length(out))])
    else if (length(out)) size(out) else names_of(name[changes[[i]]])
  }
  list(
    title = c(name[given], title), detail = c(vapply(given, size, ""), detail),
    role = c(d$kind[given], ifelse(d$op %in% c("gradient", "update", "assign"), "action", "op")),
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

names_of <- function(names) if (sum(nchar(names) + 2) <= 40) paste(names, collapse = ", ") else paste(length(names), "variables")

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
#' Edges across several layers run through lanes: narrow boxes, one per layer, that are not drawn. Edges to the same box share
#' one, or edges from the same box, whichever are more.
#' @param width of each box.
#' @param gap between neighbours.
#' @return a list: `layer`, `width` and `x`, the middle, of boxes and then lanes; `from`, `to`: edges from one layer to the next.
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

# ---- the drawing ----

graph_colours <- c(input = "#BBD7F0", variable = "#FBD9A5", constant = "#E6E6E6", op = "#FFFFFF", action = "#C9E6C3")

draw_graph <- function(graph, legend, ...) {
  old <- graphics::par(mar = c(if (legend) 1.8 else 0.4, 0.4, if (length(list(...))) 2 else 0.4, 0.4), xpd = NA)
  on.exit(graphics::par(old))
  graphics::plot.new()
  if (length(list(...))) do.call(graphics::title, utils::modifyList(list(line = 0.6), list(...)))
  room <- graphics::par("pin")
  # in inches; shrunk by one factor, text and all, if need be
  line <- graphics::par("csi")
  text_width <- function(text, font) graphics::strwidth(text, units = "inches", font = font)
  wide <- cbind(text_width(graph$title, 2), text_width(graph$detail, 1))
  designs <- lapply(c(one = 1, two = 2), function(lines) {
    width <- 1.03 * (if (lines == 1) wide[, 1] + wide[, 2] + 0.5 * line * (wide[, 2] > 0) else pmax(wide[, 1], wide[, 2])) + 0.8 * line
    layout <- graph_layout(length(width), graph$from, graph$to, width, graph$role == "input", gap = 0.9 * line)
    height <- (lines + 0.45) * line
    step <- height + 1.05 * line
    left <- min(layout$x - layout$width / 2)
    extent <- c(max(layout$x + layout$width / 2) - left, (max(layout$layer) - 1) * step + height)
    c(layout, list(lines = lines, height = height, step = step, left = left, extent = extent, scale = min(1, room / extent)))
  })
  d <- designs[[if (designs$two$scale > designs$one$scale) "two" else "one"]]
  graphics::plot.window(c(0, room[1]), c(0, room[2]), xaxs = "i", yaxs = "i")
  # in the middle, at most so much taller that the edges get twice as long
  stretch <- min(room[2] / (d$extent[2] * d$scale), 1.35)
  x <- (d$x - d$left) * d$scale + (room[1] - d$extent[1] * d$scale) / 2
  y <- room[2] - ((d$layer - 1) * d$step + d$height / 2) * d$scale * stretch - (room[2] - d$extent[2] * d$scale * stretch) / 2
  box <- list(x = x, y = y, half_width = d$width * d$scale / 2, half_height = d$height * d$scale / 2)
  draw_edges(d$from, d$to, box, n = length(graph$title), head = 0.3 * line * d$scale)
  draw_boxes(graph, box, d, line)
  if (legend) draw_legend(graph)
}

#' Curves that leave and arrive vertically, between layers; those that arrive at one box share its upper side. Lanes (> n)
#' run straight through their layer.
#' @noRd
draw_edges <- function(from, to, box, n, head) {
  t <- seq(0, 1, length.out = 25)
  lanes <- seq_along(box$x)[-seq_len(n)]
  graphics::segments(box$x[lanes], box$y[lanes] - box$half_height, y1 = box$y[lanes] + box$half_height, col = "grey45")
  for (target in unique(to)) {
    sources <- from[to == target]
    sources <- sources[order(box$x[sources])]
    k <- length(sources)
    side <- if (target > n) 0 else box$half_width[target]
    ports <- box$x[target] + (seq_len(k) - (k + 1) / 2) * min(4 * head, 1.6 * side / k)
    top <- box$y[target] + box$half_height
    for (i in seq_len(k)) {
      bottom <- box$y[sources[i]] - box$half_height
      end <- top + if (target <= n) head else 0
      graphics::lines(box$x[sources[i]] + (ports[i] - box$x[sources[i]]) * (3 * t^2 - 2 * t^3), bottom + (end - bottom) * t, col = "grey45")
      if (target <= n) graphics::polygon(ports[i] + head * c(-0.5, 0.5, 0), top + head * c(1.2, 1.2, 0), col = "grey45", border = NA)
    }
  }
}

draw_boxes <- function(graph, box, d, line) {
  cex <- d$scale
  line <- line * cex
  capital <- graphics::strheight("M", cex = cex)
  for (i in seq_along(graph$title)) {
    x <- box$x[i]
    y <- box$y[i]
    graphics::rect(x - box$half_width[i], y - box$half_height, x + box$half_width[i], y + box$half_height,
      col = graph_colours[[graph$role[i]]], border = if (graph$returns[i]) "black" else "grey45", lwd = if (graph$returns[i]) 2.2 else 1)
    two <- nzchar(graph$detail[i])
    if (d$lines == 2 || !two) {
      graphics::text(x, y + (if (two) line / 2 else 0) - capital / 2, graph$title[i], adj = c(0.5, 0), font = 2, cex = cex)
      if (two) graphics::text(x, y - line / 2 - capital / 2, graph$detail[i], adj = c(0.5, 0), cex = cex, col = "grey25")
    } else {
      # measured again: small letters are not quite the large ones shrunk
      wide <- c(graphics::strwidth(graph$title[i], font = 2, cex = cex), graphics::strwidth(graph$detail[i], cex = cex))
      left <- x - (sum(wide) + 0.4 * line) / 2
      graphics::text(left, y - capital / 2, graph$title[i], adj = c(0, 0), font = 2, cex = cex)
      graphics::text(left + wide[1] + 0.4 * line, y - capital / 2, graph$detail[i], adj = c(0, 0), cex = cex, col = "grey25")
    }
  }
}

draw_legend <- function(graph) {
  words <- c(input = "input", variable = "variable", constant = "constant", op = "op", action = "gradient, update")
  roles <- intersect(names(words), graph$role)
  fill <- graph_colours[roles]
  text <- words[roles]
  if (any(graph$returns)) {
    fill <- c(fill, "#FFFFFF")
    text <- c(text, "thick: result")
  }
  if (length(graph$dtype)) {
    fill <- c(fill, NA)
    text <- c(text, paste("numbers:", graph$dtype))
  }
  area <- graphics::par("usr")
  cex <- 0.8
  mark <- graphics::par("csi") * 0.6 * cex
  gaps <- graphics::strwidth(text, cex = cex) + ifelse(is.na(fill), 0, 1.6 * mark) + 2.5 * mark
  shrink <- min(1, (area[2] - area[1]) / sum(gaps))
  mark <- mark * shrink
  gaps <- gaps * shrink
  at <- mean(area[1:2]) + cumsum(c(0, gaps))[seq_along(gaps)] - (sum(gaps) - 2.5 * mark) / 2
  y <- area[3] - graphics::par("csi") * 1.1
  for (i in seq_along(text)) {
    if (!is.na(fill[i])) {
      graphics::rect(at[i], y - mark / 2, at[i] + mark * 1.2, y + mark / 2, col = fill[i], border = if (text[i] == "thick: result") "black" else "grey45",
        lwd = if (text[i] == "thick: result") 2.2 else 1)
    }
    graphics::text(at[i] + (if (is.na(fill[i])) 0 else 1.6 * mark), y, text[i], adj = c(0, 0.5), cex = cex * shrink)
  }
}
