# A plain-R reference of the recurrent ops: one sequence after the other, one step after the other.

hard_sigmoid_of <- function(x) pmin(pmax(0.2 * x + 0.5, 0), 1)
recurrent_functions <- list(
  linear = identity, tanh = tanh, sigmoid = plogis, hard_sigmoid = hard_sigmoid_of, relu = function(x) pmax(x, 0),
  elu = function(x) ifelse(x > 0, x, expm1(x)), selu = selu_reference, softplus = function(x) pmax(x, 0) +
  log1p(exp(-abs(x))), softsign = function(x)
  x / (1 + abs(x)), exponential = exp
)

#' One step of a cell: state is list(h, c), x and the result's h are vectors. `by`: factors of h in the recurrent
#' product.
cell_reference <- list(
  lstm = function(x, state, w, r, b, by, g, f, after) {
    u <- nrow(r)
    z <- matrix(c(x %*% w) + c((state$h * by) %*% r) + b, u, 4)
    c <- f(z[, 2]) * state$c + f(z[, 1]) * g(z[, 3])
    list(h = f(z[, 4]) * g(c), c = c)
  },
  gru = function(x, state, w, r, b, by, g, f, after) {
    u <- nrow(r)
    b <- if (after) matrix(b, 2) else rbind(b, 0)
    xs <- matrix(c(x %*% w) + b[1, ], u, 3)
    hs <- matrix(c((state$h * by) %*% r) + b[2, ], u, 3)
    z <- f(xs[, 1] + hs[, 1])
    reset <- f(xs[, 2] + hs[, 2])
    a <- g(xs[, 3] + if (after) reset * hs[, 3] else
      c((reset * state$h * by) %*% r[, 2 * u + seq_len(u), drop = FALSE]))
    list(h = z * state$h + (1 - z) * a, c = 0)
  },
  simple_rnn = function(x, state, w, r, b, by, g, f, after) list(h = g(c(x %*% w) + c((state$h * by) %*% r) + b), c = 0)
)

recurrent_reference <- function(cell, x, kernel, recurrent_kernel, bias = NULL, mask = NULL, recurrent_mask = NULL,
  activation = "tanh", recurrent_activation = "sigmoid",
  output = "last", go_backwards = FALSE, reset_after = cell == "gru", table = NULL, initial_state = NULL,
  return_state = FALSE) {
  n <- dim(x)[1:2]
  u <- nrow(recurrent_kernel)
  if (is.null(bias)) bias <- rep(0, ncol(kernel) * if (reset_after) 2 else 1)
  if (is.null(mask)) mask <- matrix(TRUE, n[1], n[2])
  sequence <- array(0, c(n, u))
  first <- if (is.null(initial_state)) rep(list(matrix(0, n[1], u)), 2) else rep(initial_state, length.out = 2)
  states <- list(matrix(0, n[1], u), matrix(0, n[1], u))
  for (b in seq_len(n[1])) {
    state <- list(h = c(first[[1]][b, ]), c = c(first[[2]][b, ]))
    y <- rep(0, u)
    times <- seq_len(n[2])
    if (go_backwards) times <- rev(times)
    for (i in seq_along(times)) {
      input <- if (is.null(table)) x[b, times[i], ] else if (mask[b, times[i]]) table[x[b, times[i]] + 1, ]
      by <- if (is.null(recurrent_mask)) 1 else recurrent_mask[b, ]
      if (mask[b, times[i]]) {
        state <- cell_reference[[cell]](input, state, kernel, recurrent_kernel, c(bias), by,
          recurrent_functions[[activation]], recurrent_functions[[recurrent_activation]], reset_after)
        y <- state$h
      }
      if (u) sequence[b, i, ] <- y
    }
    states[[1]][b, ] <- state$h
    states[[2]][b, ] <- state$c
  }
  last <- if (n[2]) array(sequence[, n[2], ], c(n[1], u)) else matrix(0, n[1], u)
  y <- if (output == "last") last else sequence
  if (return_state) flat_states(c(list(y), states[seq_len(if (cell == "lstm") 2 else 1)]), n[1]) else y
}

#' Output and states side by side, as cases have one result.
flat_states <- function(all, rows) {
  size <- prod(dim(all[[1]])[-1])
  if (!is.array(all[[1]])) return(op_concat(c(list(op_reshape(all[[1]], c(rows, size))), all[-1]), 2))
  do.call(cbind, c(list(matrix(array_reshape(all[[1]], c(rows, size)), rows, size)), all[-1]))
}

mask_of <- function(b, t, row) matrix(as.logical(unlist(lapply(seq_len(t), function(i) row(seq_len(b), i)))), b, t)
recurrent_masks <- list(
  none = function(b, t) NULL,
  pre = function(b, t) mask_of(b, t, function(row, time) time > (row * 7) %% t),
  post = function(b, t) mask_of(b, t, function(row, time) time <= (row * 5) %% t + 1),
  holes = function(b, t) matrix(c(some_true(c(b, t), 4)), b, t),
  empty_row = function(b, t) matrix(c(some_true(c(b, t), 3)), b, t) & mask_of(b, t, function(row, time)
    row != (b + 1) %/% 2),
  empty = function(b, t) matrix(FALSE, b, t)
)

#' A case for op_cases. `d`: batch, time, inputs, units; `vocabulary`: with a table of so many rows;
#' `states`: from a state of its own, with the state at the end beside the output.
recurrent_case <- function(cell, d, mask = "none", bias = TRUE, dropped = FALSE, vocabulary = NULL, states = FALSE,
  ...) {
  options <- list(...)
  gates <- c(lstm = 4, gru = 3, simple_rnn = 1)[[cell]] * d[4]
  after <- cell == "gru" && !identical(options$reset_after, FALSE)
  inputs <- list(
    if (is.null(vocabulary)) array(some(d[1:3], -1.5, 1.5, 1), d[1:3]) else
    matrix(as.integer((seq_len(prod(d[1:2]))^2 * 7L) %% vocabulary), d[1], d[2]),
    matrix(some(c(d[3], gates), -0.9, 0.9, 2), d[3], gates), matrix(some(c(d[4], gates), -0.9, 0.9, 3), d[4], gates)
  )
  more <- list(
    bias = if (bias) if (after) matrix(some(c(2, gates), -0.5, 0.5, 4), 2, gates) else array(some(gates, -0.5, 0.5, 4),
      gates),
    mask = recurrent_masks[[mask]](d[1], d[2]),
    recurrent_mask = if (dropped) matrix((seq_len(d[1] * d[4]) %% 4 > 0) / 0.75, d[1], d[4]),
    table = if (!is.null(vocabulary)) matrix(some(c(vocabulary, d[3]), -1.5, 1.5, 5), vocabulary),
    h = if (states) matrix(some(d[c(1, 4)], -0.9, 0.9, 6), d[1], d[4]),
    c = if (states && cell == "lstm") matrix(some(d[c(1, 4)], -0.9, 0.9, 7), d[1], d[4])
  )
  more <- Filter(Negate(is.null), more)
  named <- function(f) {
    function(...) {
      given <- list(...)
      names(given) <- c("", "", "", names(more))
      first <- unname(given[names(given) %in% c("h", "c")])
      if (!length(first)) return(do.call(f, c(given, options)))
      given <- given[!names(given) %in% c("h", "c")]
      y <- do.call(f, c(given, options, list(initial_state = first, return_state = TRUE)))
      if (is.list(y)) flat_states(y, d[1]) else y
    }
  }
  what <- paste(c(text_of(d), mask, names(more), unlist(options)), collapse = " ")
  doubles <- which(vapply(c(inputs, more), is.double, NA))
  case(what, unname(c(inputs, more)), named(get(paste0("op_", cell))),
    named(function(...) recurrent_reference(cell, ...)), setdiff(doubles, 3 + match("recurrent_mask", names(more))),
    floor = 1)
}

#' Sizes that are and are not whole vectors; one of everything.
recurrent_cases <- function(cell) {
  make <- function(...) recurrent_case(cell, ...)
  pair <- function(activation, recurrent) c(list(activation = activation), if (cell != "simple_rnn")
    list(recurrent_activation = recurrent))
  c(
    list(
      make(c(3, 4, 2, 3)), make(c(2, 3, 4, 8), "pre", bias = FALSE), make(c(4, 5, 3, 2), "holes", output = "sequence"),
      make(c(5, 6, 2, 5), "empty_row", output = "sequence"), make(c(5, 4, 3, 2), "post", go_backwards = TRUE),
      make(c(4, 5, 2, 3), "holes", output = "sequence",
        go_backwards = TRUE), make(c(3, 4, 2, 4), dropped = TRUE),
      make(c(4, 5, 2, 3), "pre", dropped = TRUE, output = "sequence"), make(c(4, 6, 3, 2), "pre", vocabulary = 7),
      make(c(3, 5, 2, 3), "holes", vocabulary = 40, output = "sequence", go_backwards = TRUE),
      make(c(3, 4, 5, 2), vocabulary = 3, bias = FALSE, dropped = TRUE), make(c(1, 1, 1, 1)),
      make(c(9, 3, 17, 6), "post"), make(c(2, 3, 2, 2), "empty"), make(c(2, 0, 3, 2)), make(c(0, 3, 2, 2)),
      make(c(2, 3, 0, 2)), make(c(2, 3, 2, 0))
    ),
    Map(function(a, f) do.call(make, c(list(c(3, 4, 2, 3), "pre"), pair(a, f))),
      c("linear", "softplus", "sigmoid", "tanh"), c("softsign", "exponential", "tanh", "softplus")) |> unname()
  )
}
op_cases$lstm <- c(recurrent_cases("lstm"), list(
  recurrent_case("lstm", c(3, 4, 2, 3), states = TRUE), recurrent_case("lstm", c(4, 5, 2, 3), "empty_row",
    output = "sequence", states = TRUE),
  recurrent_case("lstm", c(4, 5, 2, 3), "pre", go_backwards = TRUE, vocabulary = 6, dropped = TRUE, states = TRUE)
))
op_cases$gru <- c(recurrent_cases("gru"), list(
  recurrent_case("gru", c(3, 4, 2, 3), reset_after = FALSE), recurrent_case("gru", c(4, 5, 2, 3), "holes",
    output = "sequence", dropped = TRUE, reset_after = FALSE),
  recurrent_case("gru", c(4, 5, 3, 8), "pre", vocabulary = 6, bias = FALSE, reset_after = FALSE),
  recurrent_case("gru", c(3, 4, 2, 3), "empty_row", reset_after = FALSE, dropped = TRUE, states = TRUE),
  recurrent_case("gru", c(4, 5, 2, 3), "empty_row", output = "sequence", states = TRUE, go_backwards = TRUE)
))
op_cases$simple_rnn <- c(recurrent_cases("simple_rnn"), list(
  recurrent_case("simple_rnn", c(4, 5, 2, 3), "empty_row", output = "sequence", states = TRUE),
  recurrent_case("simple_rnn", c(3, 4, 2, 3), "pre", dropped = TRUE, states = TRUE)
))
