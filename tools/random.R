# Rscript tools/random.R [cases] [kinds]: so many random cases of each kind of op (2,000), or of those whose lines match.
# Values in float64 and float32 against the formulas in plain R of tests/testthat/helper-op-*.R, slopes along a random
# direction against finite differences; and, where a python3 has PyTorch, values and gradients against its own
# (tools/random-torch.py). Prints for each kind the largest error, relative or where numbers are small absolute, and
# ends with status 1 if one is too large. The tests run a sample of the same cases. PYTHON=... names another python.
suppressMessages(library(nativenet))
arguments <- commandArgs(TRUE)
cases <- if (length(arguments)) as.integer(arguments[1]) else 2000L
pattern <- if (length(arguments) > 1) arguments[2] else "."
tests <- new.env(parent = asNamespace("nativenet"))
for (f in list.files("tests/testthat", "^helper-(odd|op|gradient)", full.names = TRUE)) sys.source(f, tests)
failed <- FALSE

tell <- function(kind, against, n, errors, limits) {
  bad <- any(!(errors <= limits))
  if (bad) failed <<- TRUE
  cat(sprintf("%-18s %-8s %5d cases  %s%s\n", kind, against, n, paste(sprintf("%s %.1e", names(errors), errors),
    collapse = ", "), if (bad) "  TOO LARGE" else ""))
}

# ---- plain R ----

random_depthwise <- function() {
  axes <- sample(2, 1)
  k <- sample(3, axes, replace = TRUE)
  same <- all(k %% 2 == 1) && stats::runif(1) < 0.5
  # zeros on both sides, so that "same" without strides pads alike
  tests$depthwise_case(k + sample(0:5, axes, replace = TRUE), k, sample(6, 1), sample(3, 1), if (same) 1 else sample(2,
    1), if (same) "same" else "valid", if (same) (k - 1) / 2 else 0)
}

#' softmax(scale q k') v, with a mask of keys, row by row
random_attention <- function() {
  d <- sample(4, 4, replace = TRUE) # batch, queries, keys, features
  causal <- stats::runif(1) < 0.5
  inputs <- list(tests$some(d[c(1, 2, 4)]), tests$some(d[c(1, 3, 4)], k = 2), tests$some(d[c(1, 3, 4)], k = 3))
  tests$case(toString(c(d, causal)), inputs, function(q, v, k)
    layer_attention(dtype = tensor_dtype(q))(list(q, v, k), use_causal_mask = causal), function(q, v, k) {
    y <- 0 * q
    for (b in seq_len(d[1])) for (i in seq_len(d[2])) {
      seen <- if (causal) seq_len(min(i, d[3])) else seq_len(d[3])
      scores <- vapply(seen, function(j) sum(q[b, i, ] * k[b, j, ]), 0)
      y[b, i, ] <- tests$softmax_of(scores) %*% matrix(v[b, seen, ], length(seen))
    }
    y
  }, floor = 1)
}

table_kind <- function(op) function() tests$random_case(op)
kinds <- c(
  sapply(c("conv", "conv_transpose", "conv_kernel"), table_kind), depthwise_conv = random_depthwise,
  sapply(c("max_pool", "average_pool", "normalize", "lstm", "gru", "simple_rnn"), table_kind),
  attention = random_attention,
  sapply(c("cholesky", "triangular_solve", "solve", "det", "qr", "eigh", "svd"), table_kind)
)

chosen <- function(kinds, against) names(kinds)[grepl(pattern, paste(names(kinds), against))]
for (kind in chosen(kinds, "plain R")) {
  set.seed(1)
  errors <- c(float64 = 0, float32 = 0, slopes = 0)
  for (i in seq_len(cases)) {
    case <- kinds[[kind]]()
    expected <- do.call(case$reference, case$inputs)
    value <- function(dtype) tests$relative_error(as.array(tests$apply_case(case, dtype)), expected, max(1, case$floor))
    empty <- sum(lengths(case$inputs[case$wants])) == 0 || anyNA(expected)
    own <- c(value("float64"), value("float32"), if (empty) 0 else tests$directional_error(case$call, case$inputs,
      case$wants))
    if (any(is.na(own) | own > c(1e-11, 1e-4, 1e-6))) cat("  ", kind, " case ", i, ": ", case$what, ": ",
      paste(signif(own, 2), collapse = " "), "\n", sep = "")
    errors <- pmax(errors, own)
  }
  tell(kind, "plain R", cases, errors, c(1e-11, 1e-4, 1e-6))
}

# ---- PyTorch ----

python <- Sys.getenv("PYTHON", "python3")
if (system2(python, c("-c", shQuote("import torch")), stdout = FALSE, stderr = FALSE) != 0) {
  cat("No PyTorch for", python, "\n")
  quit(status = as.integer(failed))
}

pick <- function(x) x[sample(length(x), 1)]
numbers <- function(...) array(stats::rnorm(prod(...)), c(...))

#' list(parameters, inputs, the op): what it gives and its gradients are compared.
random_conv <- function(transposed = FALSE) {
  axes <- sample(3, 1)
  k <- sample(3, axes, replace = TRUE)
  strides <- sample(3, axes, replace = TRUE)
  dilation <- if (all(strides == 1)) sample(3, axes, replace = TRUE) else rep(1, axes)
  pads <- matrix(sample(0:2, 2 * axes, replace = TRUE), axes)
  groups <- sample(3, 1)
  sizes <- pmax(dilation * (k - 1) + 1 - rowSums(pads), 1) + sample(0:4, axes, replace = TRUE)
  channels <- groups * sample(3, 1)
  w <- numbers(k, channels / groups, groups * sample(3, 1))
  out <- (sizes + rowSums(pads) - dilation * (k - 1) - 1) %/% strides + 1
  list(par = c(axes, strides, dilation, t(pads), groups, sizes), inputs = list(if (transposed) numbers(2, out,
    dim(w)[axes + 2]) else numbers(2, sizes, channels), w), op = function(x, w) if (transposed) op_conv_transpose(x, w,
    strides, pads, NULL, NULL, dilation, groups, sizes) else op_conv(x, w, strides, pads, NULL, dilation, groups))
}
random_pooling <- function(op) {
  axes <- sample(3, 1)
  k <- sample(3, axes, replace = TRUE)
  strides <- sample(3, axes, replace = TRUE)
  sizes <- k + sample(0:4, axes, replace = TRUE)
  same <- stats::runif(1) < 0.5
  all <- if (same) pmax((ceiling(sizes / strides) - 1) * strides + k - sizes, 0) else 0 * sizes
  list(par = c(axes, k, strides, rbind(all %/% 2, all - all %/% 2)), inputs = list(numbers(2, sizes, sample(4, 1))),
    op = function(x) op(x, k, strides, if (same) "same" else "valid"))
}
random_rnn <- function(op, gates, biases) {
  d <- sample(5, 4, replace = TRUE) # batch, timesteps, inputs, units
  list(par = d, inputs = list(numbers(d[1:3]), numbers(d[3], gates * d[4]), numbers(d[4], gates * d[4]),
    if (biases == 2) numbers(2, gates * d[4]) else numbers(gates * d[4])), op = function(x, w, r, b)
    op(x, w, r, b, output = "sequence"))
}
torch_kinds <- list(
  conv = function() random_conv(), conv_transpose = function() random_conv(TRUE), depthwise_conv = function() {
    k <- sample(3, 2, replace = TRUE)
    strides <- rep(sample(2, 1), 2)
    sizes <- k + sample(0:4, 2, replace = TRUE)
    w <- numbers(k, sample(4, 1), sample(3, 1))
    list(par = c(strides, 0), inputs = list(numbers(2, sizes, dim(w)[3]), w), op = function(x, w)
      op_depthwise_conv(x, w, strides = strides))
  },
  max_pool = function() random_pooling(op_max_pool), average_pool = function() random_pooling(op_average_pool),
  batch_norm = function() {
    d <- 1 + sample(4, sample(2:4, 1), replace = TRUE)
    n <- d[length(d)]
    list(par = length(d), inputs = list(numbers(d), numbers(n), numbers(n)), op = function(x, scale, offset)
      op_standardize(x, scale, offset)$output)
  },
  layer_norm = function() {
    d <- 1 + sample(4, sample(2:4, 1), replace = TRUE)
    n <- d[length(d)]
    list(par = length(d), inputs = list(numbers(d), numbers(n), numbers(n)), op = function(x, scale, offset)
      op_standardize(x, scale, offset, leading = length(d) - 1, groups = 1)$output)
  },
  group_norm = function() {
    groups <- sample(3, 1)
    d <- c(1 + sample(3, sample(3, 1), replace = TRUE), groups * (1 + sample(2, 1)))
    n <- d[length(d)]
    list(par = groups, inputs = list(numbers(d), numbers(n), numbers(n)), op = function(x, scale, offset)
      op_standardize(x, scale, offset, leading = 1, groups = groups)$output)
  },
  lstm = function() random_rnn(op_lstm, 4, 1), gru = function() random_rnn(op_gru, 3, 2),
  simple_rnn = function() random_rnn(op_simple_rnn, 1, 1),
  attention = function() {
    d <- sample(5, 5, replace = TRUE) # batch, queries, keys, features, heads
    causal <- stats::runif(1) < 0.5
    layer <- layer_multi_head_attention(num_heads = d[5], key_dim = d[4], use_bias = FALSE, dtype = "float64")
    inputs <- list(numbers(d[c(1, 2, 4)]), numbers(d[c(1, 3, 4)]))
    invisible(layer(inputs[[1]], inputs[[2]], use_causal_mask = causal))
    list(par = as.integer(causal), inputs = c(inputs, lapply(get_weights(layer), as.array)), op = function(q, v, ...) {
      weights <- list(...)
      for (i in seq_along(weights)) layer$weights[[i]]$assign(weights[[i]])
      layer(q, v, use_causal_mask = causal)
    }, wants = 1:2)
  }
)

row_major <- function(x) if (is.null(dim(x))) c(x) else c(aperm(x))
for (kind in chosen(torch_kinds, "PyTorch")) {
  set.seed(2)
  files <- tempfile(c("cases", "numbers", "found"))
  text <- file(files[1], "w")
  bytes <- file(files[2], "wb")
  own <- lapply(seq_len(cases), function(i) {
    case <- torch_kinds[[kind]]()
    tensors <- lapply(case$inputs, tensor, dtype = "float64")
    wants <- if (is.null(case$wants)) seq_along(tensors) else case$wants
    tape <- gradient_tape()
    for (x in tensors[wants]) tape_watch(tape, x)
    y <- tape_record(tape, {
      y <- do.call(case$op, tensors)
      if (inherits(y, "nn_tensor")) y else y[[1]]
    })
    dy <- numbers(dim(y))
    shapes <- lapply(c(case$inputs, list(dy)), function(x) if (is.null(dim(x))) length(x) else dim(x))
    cat(paste(c(toString(case$par), length(wants), vapply(shapes, toString, "")), collapse = ";"), "\n", file = text)
    for (x in c(case$inputs, list(dy))) writeBin(row_major(x), bytes)
    lapply(c(list(y), tape_gradient(tape, list(y), tensors[wants], list(dy))), as.array)
  })
  close(text)
  close(bytes)
  if (system2(python, c("tools/random-torch.py", kind, files)) != 0) quit(status = 1)
  found <- file(files[3], "rb")
  error <- 0
  for (i in seq_along(own)) for (x in own[[i]]) {
    other <- readBin(found, "double", length(x))
    off <- max(abs(row_major(x) - other) / pmax(1, abs(other)), 0)
    if (is.na(off) || off > 1e-9) cat("  ", kind, " case ", i, ": ", off, "\n", sep = "")
    error <- max(error, off)
  }
  close(found)
  unlink(files)
  tell(kind, "PyTorch", cases, c("values and gradients" = error), 1e-9)
}
quit(status = as.integer(failed))
