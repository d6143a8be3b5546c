# Pictures of programs: every edge goes down, nothing overlaps, and all kinds of programs can be drawn.

layout_of <- function(trace, ...) {
  graph <- nativenet:::program_graph(trace)
  n <- length(graph$title)
  c(nativenet:::graph_layout(n, graph$from, graph$to, width = rep(1, n), input = graph$role == "input", ...),
    list(graph = graph, n = n))
}

expect_tidy <- function(l, gap = 0.3) {
  expect_true(all(l$layer[l$to] == l$layer[l$from] + 1)) # also the edges through lanes
  expect_true(all(l$layer[l$graph$to] > l$layer[l$graph$from]))
  expect_true(all(l$layer >= 1))
  for (row in split(seq_along(l$layer), l$layer)) {
    row <- row[order(l$x[row])]
    apart <- diff(l$x[row]) - (l$width[row][-1] + l$width[row][-length(row)]) / 2
    expect_true(all(apart >= gap - 1e-9))
  }
}

draw <- function(...) {
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  before <- graphics::par(no.readonly = TRUE)[c("mar", "xpd", "mfrow")]
  result <- withVisible(plot(..., method = "base"))
  expect_identical(graphics::par(no.readonly = TRUE)[c("mar", "xpd", "mfrow")], before)
  result
}

autoencoder_step <- function(named = TRUE) {
  sizes <- c(20, 8, 3, 8, 20)
  weights <- unlist(lapply(1:4, function(i) {
    name <- function(what) if (named) paste0(what, i) else NULL
    list(tf$Variable(matrix(rnorm(sizes[i] * sizes[i + 1]), sizes[i]), name = name("W")),
      tf$Variable(matrix(0, 1, sizes[i + 1]), name = name("b")))
  }))
  adam <- tf$optimizers$Adam()
  autograph(function(x) {
    with(tf$GradientTape() %as% tape, {
      h <- x
      for (i in c(1, 3, 5)) h <- tf$nn$tanh(tf$matmul(h, weights[[i]]) + weights[[i + 1]])
      loss <- tf$reduce_mean(tf$square(tf$matmul(h, weights[[7]]) + weights[[8]] - x))
    })
    adam$apply_gradients(zip_lists(tape$gradient(loss, weights), weights))
    loss
  })
}

test_that("the training step of an autoencoder: edges go down, the input is at the top and the update at the bottom", {
  step <- autoencoder_step()
  step(tf$constant(matrix(1, 2, 20)))
  l <- layout_of(environment(step)$graph$traces[[1]])
  expect_tidy(l)
  g <- l$graph
  boxes <- seq_len(l$n)
  expect_identical(l$layer[boxes][g$title == "input"], 1)
  expect_identical(l$layer[boxes][g$title == "update"], max(l$layer))
  expect_true(all(c("W1", "b1", "W4", "b4") %in% g$title[g$role == "variable"]))
  expect_identical(g$detail[g$title == "update"], "W1, b1, W2, b2, W3, b3, W4, b4")
  back <- which(endsWith(g$title, "_gradient"))
  expect_identical(g$title[back], rev(paste0(g$title[g$role == "op"], "_gradient"))) # one for each op, backwards
  expect_true(all(g$from[g$to %in% back] %in% c(back, which(g$title == "fill"))))
  expect_identical(g$title[g$returns], "mean")
  expect_false(any(g$role == "constant")) # what the optimizer remembers is not drawn
  # variables lie right above the op that reads them first
  for (v in which(g$role == "variable")) expect_identical(min(l$layer[g$to[g$from == v]]), l$layer[v] + 1)
  expect_identical(draw(step, main = "a step"), list(value = step, visible = FALSE))
  draw(step, legend = FALSE)
})

test_that("variables without names have their numbers, scalar constants their values, other dtypes are told", {
  w <- variable(matrix(1, 3, 2))
  f <- trace_program(function(x, i) op_divide(op_gather(op_matmul(x, w), i, axis = 1), 7), matrix(0, 4, 3), 0:1)
  g <- nativenet:::program_graph(environment(f)$trace)
  expect_match(g$title[g$role == "variable"], "^%[0-9]+$")
  expect_identical(g$title[g$role == "constant"], "7")
  expect_identical(g$detail[g$role == "input"], c("(4, 3)", "int32 (2)"))
  expect_identical(g$dtype, "float64")
  f <- trace_program(function(x) op_add(x, c(1, 2, 3)), c(0, 0, 0))
  expect_true("constant" %in% nativenet:::program_graph(environment(f)$trace)$title)
})

test_that("what reads a variable after its change hangs on what it holds then, which is assigned in the end", {
  v <- tf$Variable(1, name = "v")
  f <- autograph(function(x) {
    v$assign_add(x)
    v * 2
  })
  f(tf$constant(3))
  g <- nativenet:::program_graph(environment(f)$graph$traces[[1]])
  expect_identical(g$title[g$from[g$to == which(g$title == "multiply")]], c("stop_gradient", "2"))
  expect_identical(g$title[g$from[g$to == which(g$title == "assign")]], "stop_gradient")
  expect_identical(g$detail[g$title == "assign"], "v")
})

test_that("odd programs can be laid out and drawn", {
  w <- variable(c(1, 2))
  programs <- list(
    same = trace_program(function(x) x, c(1, 2)),
    unused = trace_program(function(x, y) op_square(y), c(1, 2), 1),
    twice = trace_program(function(x) op_multiply(x, x), 1),
    random = trace_program(function(x) op_add(op_random_normal(2, dtype = "float64"), op_square(op_exp(w))), 1),
    wide = trace_program(function(x) op_concat(lapply(1:30, function(i) op_multiply(x, i)), 1), c(1, 2)),
    long = trace_program(function(x) {
      y <- x
      for (i in 1:60) y <- op_add(op_tanh(y), x)
      list(y, op_square(x))
    }, c(1, 2))
  )
  for (name in names(programs)) {
    expect_tidy(layout_of(environment(programs[[name]])$trace))
    expect_identical(draw(programs[[name]])$value, programs[[name]])
  }
  expect_silent(draw(unserialize(serialize(programs$random, NULL))))
})

test_that("an autograph function without a program is an error that says why; its last program is drawn", {
  f <- autograph(function(x) x * 2)
  expect_refusal(draw(f), "value", "`plot()`", "not called yet")
  f(tf$constant(c(1, 2)))
  f(tf$constant(c(1, 2, 3)))
  expect_identical(nativenet:::program_graph(utils::tail(environment(f)$graph$traces, 1)[[1]])$detail[1], "(3)")
  draw(f)
  g <- autograph(function(x) if (as.array(x) > 0) x else -x)
  suppressMessages(g(tf$constant(1)))
  expect_refusal(draw(g), "value", "`plot()`", "runs eagerly", "numbers")
  expect_refusal(draw(f, legend = 2), "value", "`legend` must be TRUE or FALSE")
})

test_that("sequences are made ascending by least squares", {
  ascending <- nativenet:::ascending
  expect_identical(ascending(c(1, 2, 3), c(1, 1, 1)), c(1, 2, 3))
  expect_identical(ascending(c(3, 1), c(1, 1)), c(2, 2))
  expect_identical(ascending(c(3, 1), c(3, 1)), c(2.5, 2.5))
  y <- c(5, 1, 4, 2, 8, 3)
  expect_equal(ascending(y, rep(1, 6)), stats::isoreg(y)$yf)
  expect_identical(ascending(numeric(), numeric()), numeric())
})

test_that("by ggplot2 the picture fits the room that it is given, and is of the same shapes as by base graphics", {
  ggplot_there()
  step <- autoencoder_step()
  step(tf$constant(matrix(1, 2, 20)))
  p <- draws(plot(step, main = "a step", method = "ggplot2"))$value
  expect_s3_class(p, "ggplot")
  expect_identical(p$labels$title, "a step")
  graph <- nativenet:::program_graph(environment(step)$graph$traces[[1]])
  for (inches in c(3, 7)) {
    grDevices::pdf(NULL, inches, inches)
    grid::pushViewport(grid::viewport())
    shapes <- nativenet:::makeContent.nn_program_graph(grid::gTree(graph = graph, legend = TRUE,
      cl = "nn_program_graph"))$children
    boxes <- Filter(function(g) inherits(g, "rect"), shapes)[[1]]
    texts <- Filter(function(g) inherits(g, "text"), shapes)[[1]]
    end <- function(at, size) as.numeric(grid::convertUnit(at, "inches")) +
      as.numeric(grid::convertUnit(size, "inches"))
    expect_true(all(end(boxes$x, boxes$width) <= inches + 1e-6) && all(as.numeric(boxes$x) >= -1e-6))
    expect_true(all(end(boxes$y, boxes$height) <= inches + 1e-6) && all(as.numeric(boxes$y) >= -1e-6))
    expect_true(all(c(graph$title, "thick: result") %in% texts$label))
    grDevices::dev.off()
  }
  expect_s3_class(plot(keras_model_sequential(input_shape = 4) |> layer_dense(2), method = "ggplot2"), "ggplot")
})
