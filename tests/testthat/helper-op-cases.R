# Sample inputs and a plain-R reference for every op of the table (src/ops/ops.h). test-op-forward.R and
# test-op-gradient.R run over all of them and fail when an op has none.
#
# References use base R on R arrays and nothing of nativenet. A number without dim is a scalar, a
# plain vector has one axis, as in tensor().

dims <- function(x) if (!is.null(dim(x))) dim(x) else if (length(x) == 1) integer() else length(x)
shaped <- function(values, dim) if (length(dim)) array(values, dim) else values

#' Numbers in (low, high), spread evenly, all different, exact in float32 and never closer than 1/8192
#' to a multiple of 1/1024 or to numbers made with another k: away from kinks and ties.
some <- function(dim, low = -2, high = 2, k = 1) {
  fraction <- (seq_len(prod(dim)) * 0.6180339887 + 0.37 * k) %% 1
  shaped(floor((low + (high - low) * fraction) * 1024) / 1024 + k / 8192, dim)
}

#' Truth values, spread as evenly.
some_true <- function(dim, k = 1) shaped(c(some(dim, k = k)) > 0, dim)

#' One record. Doubles among the inputs take the dtype under test; integers and logicals stay int32 and
#' bool. `call` gets tensors, `reference` the arrays. `wants`: the inputs to differentiate by. `floor`:
#' errors of smaller numbers count as if the number were `floor` (a sum of large numbers may cancel).
case <- function(what, inputs, call, reference, wants = which(vapply(inputs, is.double, NA)), floor = 0.1) {
  list(what = what, inputs = inputs, call = call, reference = reference, wants = wants, floor = floor)
}

text_of <- function(...) {
  shapes <- vapply(list(...), function(d) paste0("(", toString(d), ")"), "")
  paste(if (length(shapes) > 4) c(shapes[1:2], "...", length(shapes)) else shapes, collapse = " ")
}

# ---- element by element ----

#' x repeated to the shape `to` (NumPy's broadcasting), index by index.
spread <- function(x, to) {
  if (length(to) == 0) return(c(x))
  from <- c(rep(1, length(to) - length(dims(x))), dims(x))
  at <- (arrayInd(seq_len(prod(to)), to) - 1) %*% (c(1, cumprod(from))[seq_along(to)] * (from > 1))
  array(c(x)[at + 1], to)
}
broadcast_dim <- function(a, b) {
  n <- max(length(a), length(b))
  a <- c(rep(1, n - length(a)), a)
  b <- c(rep(1, n - length(b)), b)
  ifelse(a == 1, b, a)
}
broadcast <- function(f) {
  function(a, b) {
    to <- broadcast_dim(dims(a), dims(b))
    shaped(c(f(c(spread(a, to)), c(spread(b, to)))), to)
  }
}

unary_shapes <- list(integer(), 1, 7, c(3, 5), 67, c(2, 3, 2, 1), rep(c(1, 2), 4), c(0, 3), 0)
unary <- function(call, reference, low = -2, high = 2) {
  lapply(unary_shapes, function(d) case(text_of(d), list(some(d, low, high)), call, function(x)
    shaped(reference(c(x)), dims(x))))
}

binary_shapes <- list(
  list(integer(), integer()), list(5, 5), list(67, 67), list(integer(), c(2, 3)), list(c(3, 4), 4),
  list(c(3, 1), c(1, 4)), list(c(2, 3, 4), c(3, 1)), list(c(1, 1), 4), list(c(2, 35), 35), list(c(35, 2), c(35, 1)),
  list(c(0, 3), c(1, 3)), list(3, c(0, 3)), list(c(2, 0), integer()), list(rep(c(2, 1), 4), c(1, 2, 1, 1, 2, 1, 1, 3)),
  list(c(4, 1, 3), c(2, 1)), list(c(6, 5, 4, 3), c(5, 1, 3))
)
binary <- function(call, reference, low = c(-2, -2), high = c(2, 2), wants = 1:2) {
  lapply(binary_shapes, function(d) {
    case(text_of(d[[1]], d[[2]]), list(some(d[[1]], low[1], high[1], 1), some(d[[2]], low[2], high[2], 2)), call,
      broadcast(reference), wants)
  })
}
# comparisons: with ties
compared <- function(call, reference) {
  lapply(binary_shapes, function(d) {
    case(text_of(d[[1]], d[[2]]), list(round(some(d[[1]])), round(some(d[[2]], k = 2))), call, broadcast(reference),
      integer())
  })
}
logical_pairs <- function(call, reference) {
  lapply(binary_shapes, function(d) case(text_of(d[[1]], d[[2]]), list(some_true(d[[1]]), some_true(d[[2]], 2)), call,
    broadcast(reference)))
}
forward_only <- function(cases) lapply(cases, function(case) replace(case, "wants", list(integer())))

selu_reference <- function(x) 1.0507009873554804934193 * ifelse(x > 0, x, 1.6732632423543772848170 * expm1(x))

op_cases <- list(
  add = binary(function(a, b) op_add(a, b), `+`),
  subtract = binary(function(a, b) op_subtract(a, b), `-`),
  multiply = binary(function(a, b) op_multiply(a, b), `*`),
  divide = binary(function(a, b) op_divide(a, b), `/`, c(-2, 0.5), c(2, 3)),
  power = c(
    binary(function(a, b) op_power(a, b), `^`, c(0.3, -2), c(3, 2)),
    unary(function(x) op_power(x, 2), function(x) x * x),
    unary(function(x) op_power(x, 3), function(x) x * x * x),
    unary(function(x) op_power(2, x), function(x) exp(x * log(2)))
  ),
  maximum = binary(function(a, b) op_maximum(a, b), pmax),
  minimum = binary(function(a, b) op_minimum(a, b), pmin),
  floor_divide = c(
    binary(function(a, b) op_floor_divide(a, b), `%/%`, c(-2, 1), c(2, 3)),
    binary(function(a, b) op_floor_divide(a, b), `%/%`, c(-2, -3), c(2, -1))
  ),
  floor_mod = c(
    binary(function(a, b) op_floor_mod(a, b), `%%`, c(-2, 1), c(2, 3)),
    binary(function(a, b) op_floor_mod(a, b), `%%`, c(-2, -3), c(2, -1))
  ),
  less = compared(function(a, b) op_less(a, b), `<`),
  less_equal = compared(function(a, b) op_less_equal(a, b), `<=`),
  equal = compared(function(a, b) op_equal(a, b), `==`),
  not_equal = compared(function(a, b) op_not_equal(a, b), `!=`),
  logical_and = logical_pairs(function(a, b) op_logical_and(a, b), `&`),
  logical_or = logical_pairs(function(a, b) op_logical_or(a, b), `|`),
  logical_not = lapply(unary_shapes, function(d) case(text_of(d), list(some_true(d)), function(x)
    op_logical_not(x), `!`)),
  negative = unary(function(x) op_negative(x), function(x) 0 - x),
  abs = unary(function(x) op_abs(x), abs),
  square = unary(function(x) op_square(x), function(x) x * x),
  sqrt = unary(function(x) op_sqrt(x), sqrt, 0.1, 4),
  exp = unary(function(x) op_exp(x), exp, -5, 5),
  log = unary(function(x) op_log(x), log, 0.1, 9),
  clip = c(
    unary(function(x) op_clip(x, -1, 1), function(x) pmin(pmax(x, -1), 1)),
    unary(function(x) op_clip(x, 0, 0), function(x) 0 * x)
  ),
  relu = unary(function(x) op_relu(x), function(x) pmax(x, 0)),
  leaky_relu = c(
    unary(function(x) op_leaky_relu(x), function(x) pmax(x, 0) + 0.2 * pmin(x, 0)),
    unary(function(x) op_leaky_relu(x, negative_slope = 0.01), function(x) pmax(x, 0) + 0.01 * pmin(x, 0))
  ),
  elu = c(
    unary(function(x) op_elu(x), function(x) ifelse(x > 0, x, expm1(x))),
    unary(function(x) op_elu(x, alpha = 2.5), function(x) ifelse(x > 0, x, 2.5 * expm1(x)))
  ),
  selu = unary(function(x) op_selu(x), selu_reference),
  gelu = unary(function(x) op_gelu(x, FALSE), function(x) x * pnorm(x), -3, 3),
  sigmoid = unary(function(x) op_sigmoid(x), plogis, -6, 6),
  tanh = unary(function(x) op_tanh(x), tanh, -3, 3),
  softplus = unary(function(x) op_softplus(x), function(x) pmax(x, 0) + log1p(exp(-abs(x))), -6, 6),
  step = unary(function(x) op_step(x), function(x) as.double(x > 0)),
  sin = unary(function(x) op_sin(x), sin, -8, 8),
  cos = unary(function(x) op_cos(x), cos, -8, 8),
  tan = unary(function(x) op_tan(x), tan, -1.2, 1.2),
  asin = unary(function(x) op_asin(x), asin, -0.9, 0.9),
  acos = unary(function(x) op_acos(x), acos, -0.9, 0.9),
  atan = unary(function(x) op_atan(x), atan, -5, 5),
  sinh = unary(function(x) op_sinh(x), sinh, -3, 3),
  cosh = unary(function(x) op_cosh(x), cosh, -3, 3),
  log1p = unary(function(x) op_log1p(x), log1p, -0.8, 5),
  expm1 = unary(function(x) op_expm1(x), expm1, -3, 3),
  erf = unary(function(x) op_erf(x), function(x) 2 * pnorm(x * sqrt(2)) - 1, -3, 3),
  lgamma = c(
    unary(function(x) op_lgamma(x), lgamma, 0.3, 12),
    unary(function(x) op_lgamma(x), lgamma, -1.8, -1.2)
  ),
  digamma = c(
    unary(function(x) op_digamma(x), digamma, 0.3, 30),
    unary(function(x) op_digamma(x), digamma, -1.8, -1.2)
  ),
  floor = unary(function(x) op_floor(x), floor, -4, 4),
  ceiling = unary(function(x) op_ceiling(x), ceiling, -4, 4),
  round = unary(function(x) op_round(x), round, -4, 4),
  sign = unary(function(x) op_sign(x), sign)
)

# ---- along the last axis ----

#' An array as a matrix of rows of its last axis.
as_rows <- function(x) matrix(x, prod(dims(x)[-length(dims(x))]), dims(x)[length(dims(x))])
#' f of each pair of rows, one number; the other axes stay.
per_row <- function(f, x, y) {
  rows <- as_rows(x)
  others <- as_rows(y)
  shaped(vapply(seq_len(nrow(rows)), function(i) f(rows[i, ], others[i, ]), 0), dims(x)[-length(dims(x))])
}

softmax_of <- function(v) exp(v - max(v)) / sum(exp(v - max(v)))
log_sum_exp <- function(v) max(v) + log(sum(exp(v - max(v))))
row_wise <- function(f) {
  function(x) {
    m <- as_rows(x)
    for (i in seq_len(nrow(m))) m[i, ] <- f(m[i, ])
    array(m, dims(x))
  }
}
row_shapes <- list(1, 4, c(3, 5), c(2, 3, 7), c(3, 1), c(2, 67), c(0, 4), rep(c(1, 2), 4))
row_cases <- function(call, f) {
  c(
    lapply(row_shapes, function(d) case(text_of(d), list(some(d)), call, row_wise(f))),
    # a float32 near 1000 has three digits behind the point
    list(case("huge", list(some(c(2, 5)) + 1000), call, row_wise(f), floor = 10),
      case("tiny", list(some(c(2, 5)) - 1000), call, row_wise(f), floor = 10))
  )
}
op_cases$softmax <- row_cases(function(x) op_softmax(x), softmax_of)
op_cases$log_softmax <- row_cases(function(x) op_log_softmax(x), function(v) v - log_sum_exp(v))

# ---- losses: call(y_true, y_pred); reference by row ----

loss_shapes <- list(4, c(3, 5), c(2, 3, 7), c(4, 1), c(2, 67), c(0, 3))
loss_cases <- function(what, call, f, true = c(-2, 2), pred = c(-2, 2), shapes = loss_shapes, wants = 1:2) {
  lapply(shapes, function(d) {
    case(paste(what, text_of(d)), list(some(d, true[1], true[2], 1), some(d, pred[1], pred[2], 2)), call,
      function(y_true, y_pred) per_row(function(t, p) f(t, p), y_true, y_pred), wants)
  })
}
limit_to <- function(p, low, high) pmin(pmax(p, low), high)

op_cases$squared_error <- c(
  loss_cases("mean", function(t, p) op_squared_error(t, p), function(t, p) mean((t - p)^2)),
  loss_cases("sum", function(t, p) op_squared_error(t, p, reduction = "sum"), function(t, p) sum((t - p)^2))
)
op_cases$absolute_error <- c(
  loss_cases("mean", function(t, p) op_absolute_error(t, p), function(t, p) mean(abs(t - p))),
  loss_cases("sum", function(t, p) op_absolute_error(t, p, reduction = "sum"), function(t, p) sum(abs(t - p)))
)
huber_of <- function(e, delta) ifelse(abs(e) <= delta, e^2 / 2, delta * (abs(e) - delta / 2))
op_cases$huber <- c(
  loss_cases("mean", function(t, p) op_huber(t, p), function(t, p) mean(huber_of(t - p, 1))),
  loss_cases("sum", function(t, p) op_huber(t, p, delta = 0.3, reduction = "sum"), function(t, p)
    sum(huber_of(t - p, 0.3)))
)
op_cases$logcosh <- c(
  loss_cases("mean", function(t, p) op_logcosh(t, p), function(t, p) mean(log(cosh(p - t)))),
  loss_cases("sum", function(t, p) op_logcosh(t, p, reduction = "sum"), function(t, p) sum(log(cosh(p - t))))
)
kl_of <- function(t, p, clip) {
  t <- limit_to(t, clip, 1)
  sum(t * (log(t) - log(limit_to(p, clip, 1))))
}
op_cases$kl_divergence <- c(
  loss_cases("sum", function(t, p) op_kl_divergence(t, p), function(t, p) kl_of(t, p, 1e-7), c(0.05, 0.95),
    c(0.05, 0.95)),
  loss_cases("mean, clipped", function(t, p) op_kl_divergence(t, p, clip = 0.25, reduction = "mean"),
    function(t, p) kl_of(t, p, 0.25) / length(t), c(0.05, 1.2), c(0.05, 1.2)),
  loss_cases("no clip", function(t, p) op_kl_divergence(t, p, clip = 0), function(t, p) sum(t * log(t / p)),
    c(0.05, 0.95), c(0.05, 0.95))
)
binary_of <- function(t, p, clip, epsilon) {
  q <- limit_to(p, clip, 1 - clip)
  -(t * log(q + epsilon) + (1 - t) * log(1 - q + epsilon))
}
op_cases$binary_crossentropy <- c(
  loss_cases("mean", function(t, p) op_binary_crossentropy(t, p, epsilon = 1e-7, reduction = "mean"), function(t,
    p) mean(binary_of(t, p, 1e-7, 1e-7)),
    c(0, 1), c(0.05, 0.95)),
  loss_cases("sum, clipped", function(t, p) op_binary_crossentropy(t, p, clip = 0.25, epsilon = 0, reduction = "sum"),
    function(t, p) sum(binary_of(t, p, 0.25, 0)), c(0, 1), c(0.05, 0.95)),
  loss_cases("epsilon only", function(t, p) op_binary_crossentropy(t, p, clip = 0, epsilon = 0.125, reduction = "mean"),
    function(t, p) mean(binary_of(t, p, 0, 0.125)), c(0, 1), c(0.05, 0.95))
)
sigmoid_loss_of <- function(t, z) -(t * plogis(z, log.p = TRUE) + (1 - t) * plogis(-z, log.p = TRUE))
op_cases$sigmoid_crossentropy <- c(
  loss_cases("mean", function(t, p) op_binary_crossentropy(t, p, from_logits = TRUE, reduction = "mean"), function(t, z)
    mean(sigmoid_loss_of(t, z)), c(0, 1), c(-4, 4)),
  loss_cases("sum", function(t, p) op_binary_crossentropy(t, p, from_logits = TRUE, reduction = "sum"),
    function(t, z) sum(sigmoid_loss_of(t, z)), c(0, 1), c(-40, 40))
)
categorical_of <- function(t, p, clip = 1e-7, epsilon = 0, normalize = TRUE) {
  if (normalize) p <- p / sum(p)
  -sum(t * log(limit_to(p, clip, 1 - clip) + epsilon))
}
op_cases$categorical_crossentropy <- c(
  loss_cases("sum", function(t, p) op_categorical_crossentropy(t, p), categorical_of, c(0, 1), c(0.1, 0.9)),
  loss_cases("mean", function(t, p) op_categorical_crossentropy(t, p, reduction = "mean"),
    function(t, p) categorical_of(t, p) / length(t), c(0, 1), c(0.1, 0.9)),
  loss_cases("clipped", function(t, p) op_categorical_crossentropy(t, p, clip = 0.125, epsilon = 0.0625),
    function(t, p) categorical_of(t, p, 0.125, 0.0625), c(0, 1), c(0.1, 0.9)),
  loss_cases("not normalized", function(t, p) op_categorical_crossentropy(t, p, clip = 0.25, epsilon = 1e-9,
    normalize = FALSE),
    function(t, p) categorical_of(t, p, 0.25, 1e-9, FALSE), c(0, 1), c(0.1, 0.9))
)
softmax_loss_of <- function(t, z) sum(t) * log_sum_exp(z) - sum(t * z)
op_cases$softmax_crossentropy <- c(
  loss_cases("sum", function(t, p) op_categorical_crossentropy(t, p, from_logits = TRUE), softmax_loss_of, c(0, 1),
    c(-3, 3)),
  loss_cases("mean", function(t, p) op_categorical_crossentropy(t, p, from_logits = TRUE, reduction = "mean"),
    function(t, z) softmax_loss_of(t, z) / length(t), c(0, 1), c(-30, 30))
)

# labels 0 .. K-1, one per row
label_shapes <- list(4, c(3, 5), c(2, 3, 7), c(2, 67), c(0, 3))
label_cases <- function(what, call, f, low, high) {
  lapply(label_shapes, function(d) {
    lead <- d[-length(d)]
    labels <- shaped(as.integer((seq_len(prod(lead)) * 7L) %% d[length(d)]), lead)
    case(paste(what, text_of(d)), list(labels, some(d, low, high)), call, function(labels, p) {
      rows <- as_rows(p)
      shaped(vapply(seq_len(nrow(rows)), function(i) f(labels[i] + 1, rows[i, ]), 0), dims(labels))
    })
  })
}
sparse_of <- function(clip = 1e-7, epsilon = 0, normalize = TRUE) {
  function(label, p) categorical_of(as.double(seq_along(p) == label), p, clip, epsilon, normalize)
}
op_cases$sparse_categorical_crossentropy <- c(
  label_cases("default", function(t, p) op_sparse_categorical_crossentropy(t, p), sparse_of(), 0.1, 0.9),
  label_cases("clipped", function(t, p) op_sparse_categorical_crossentropy(t, p, clip = 0.125, epsilon = 0.0625),
    sparse_of(0.125, 0.0625), 0.1, 0.9),
  label_cases("not normalized", function(t, p) op_sparse_categorical_crossentropy(t, p, clip = 0.25, epsilon = 1e-9,
    normalize = FALSE),
    sparse_of(0.25, 1e-9, FALSE), 0.1, 0.9)
)
op_cases$sparse_softmax_crossentropy <- label_cases("logits",
  function(t, p) op_sparse_categorical_crossentropy(t, p, from_logits = TRUE), function(label, z) log_sum_exp(z) -
  z[label], -3, 3)

# ---- products ----

#' Sub-array by leading indices (a batch), as a matrix.
batch_of <- function(x, index) {
  d <- dims(x)
  own <- length(d) - 2
  if (own == 0) return(x)
  index <- pmin(index[length(index) - own + seq_len(own)], d[seq_len(own)])
  at <- 1 + sum((index - 1) * c(1, cumprod(d))[seq_len(own)]) + prod(d[seq_len(own)]) *
    (seq_len(prod(d[own + 1:2])) - 1)
  matrix(x[at], d[own + 1], d[own + 2])
}
matmul_reference <- function(ta, tb) {
  function(a, b) {
    lead <- function(x) dims(x)[seq_len(length(dims(x)) - 2)]
    batch <- broadcast_dim(lead(a), lead(b))
    da <- utils::tail(dims(a), 2)
    db <- utils::tail(dims(b), 2)
    y <- array(0, c(prod(batch), if (ta) da[2] else da[1], if (tb) db[1] else db[2]))
    for (i in seq_len(prod(batch))) {
      index <- if (length(batch)) arrayInd(i, batch) else integer()
      ai <- batch_of(a, index)
      bi <- batch_of(b, index)
      y[i, , ] <- (if (ta) t(ai) else ai) %*% (if (tb) t(bi) else bi)
    }
    array(y, c(batch, dim(y)[-1]))
  }
}
matmul_case <- function(a, b, ta = FALSE, tb = FALSE) {
  case(paste0(text_of(a, b), if (ta) " ta", if (tb) " tb"), list(some(a, k = 1), some(b, k = 2)),
    function(x, y) op_matmul(x, y, transpose_x = ta, transpose_y = tb), matmul_reference(ta, tb),
    floor = sqrt(max(1, a[length(a) - !ta])))
}
op_cases$matmul <- list(
  matmul_case(c(2, 3), c(3, 4)), matmul_case(c(3, 2), c(3, 4), TRUE), matmul_case(c(2, 3), c(4, 3), FALSE, TRUE),
  matmul_case(c(3, 2), c(4, 3), TRUE, TRUE), matmul_case(c(1, 1), c(1, 1)), matmul_case(c(1, 5), c(5, 1)),
  matmul_case(c(5, 1), c(1, 5)), matmul_case(c(1, 300), c(300, 5)),
  # edges of tiles, of panels (K > 256) and of packing (96 rows)
  matmul_case(c(33, 70), c(70, 41)), matmul_case(c(70, 33), c(70, 41), TRUE), matmul_case(c(33, 70), c(41, 70), FALSE,
    TRUE), matmul_case(c(70, 33), c(41, 70), TRUE, TRUE),
  matmul_case(c(101, 300), c(300, 53)), matmul_case(c(300, 101), c(53, 300), TRUE, TRUE),
  matmul_case(c(7, 300), c(53, 300), FALSE, TRUE),
  # batches
  matmul_case(c(2, 3, 4), c(4, 5)), matmul_case(c(2, 3, 4), c(2, 4, 5)), matmul_case(c(1, 3, 4), c(2, 4, 5)),
  matmul_case(c(2, 3, 4), c(1, 4, 5)), matmul_case(c(3, 4), c(2, 4, 5)), matmul_case(c(2, 1, 3, 4), c(3, 4, 2)),
  matmul_case(c(3, 1, 2), c(2, 3)), matmul_case(c(2, 4, 3), c(4, 5), TRUE),
  matmul_case(c(2, 4, 3), c(2, 5, 4), TRUE, TRUE), matmul_case(c(2, 3, 4), c(5, 4), FALSE, TRUE),
  matmul_case(c(2, 1, 4, 3), c(3, 4, 2), TRUE), matmul_case(c(3, 4), c(2, 2, 5, 4), FALSE, TRUE),
  matmul_case(rep(c(1, 2), 4), c(2, 3)),
  # nothing
  matmul_case(c(0, 3), c(3, 2)), matmul_case(c(2, 0), c(0, 3)), matmul_case(c(2, 3), c(3, 0)),
  matmul_case(c(0, 2, 3), c(3, 4)), matmul_case(c(0, 2, 3), c(1, 3, 4))
)

activation_reference <- list(
  linear = identity, relu = function(x) pmax(x, 0), leaky_relu = function(x) pmax(x, 0) + 0.2 * pmin(x, 0),
  elu = function(x) ifelse(x > 0, x, expm1(x)), selu = selu_reference, sigmoid = plogis, tanh = tanh,
  softplus = function(x) pmax(x, 0) + log1p(exp(-abs(x))), exp = exp
)
dense_reference <- function(activation) {
  function(x, w, b = 0) {
    rows <- as_rows(x)
    z <- rows %*% w + rep(c(b), each = nrow(rows), length.out = nrow(rows) * ncol(w))
    shaped(activation(c(z)), c(dims(x)[-length(dims(x))], ncol(w)))
  }
}
dense_case <- function(x, outputs, activation = "linear", bias = TRUE) {
  inputs <- x[length(x)]
  case(paste(text_of(x), outputs, activation, if (bias) "bias"),
    c(list(some(x, -1, 1, 1), some(c(inputs, outputs), -1, 1, 2)), if (bias)
      list(array(some(outputs, -1, 1, 3), outputs))),
    function(x, w, b = NULL) op_dense(x, w, b, activation), dense_reference(activation_reference[[activation]]),
    floor = sqrt(max(1, inputs)))
}
op_cases$dense <- c(
  lapply(names(activation_reference), function(a) dense_case(c(3, 4), 5, a)),
  lapply(names(activation_reference), function(a) dense_case(c(5, 3), 2, a, bias = FALSE)),
  list(
    dense_case(4, 3, "tanh"), dense_case(1, 1), dense_case(c(2, 3, 4), 5, "sigmoid"),
    dense_case(c(101, 17), 35, "relu"), dense_case(c(3, 300), 19), dense_case(c(0, 4), 3, "relu"),
    dense_case(c(3, 0), 2, "tanh"), dense_case(c(3, 4), 0)
  )
)

# ---- over axes ----

reduce_reference <- function(f, axis, keepdims = FALSE) {
  function(x) {
    d <- dims(x)
    drop <- if (is.null(axis)) seq_along(d) else ifelse(axis < 0, length(d) + 1 + axis, axis)
    kept <- d
    kept[drop] <- 1
    of <- if (length(d)) drop((arrayInd(seq_along(x), d) - 1) %*%
      (c(1, cumprod(kept))[seq_along(d)] * !seq_along(d) %in% drop)) + 1 else 1
    values <- vapply(seq_len(prod(kept)), function(j) as.double(f(x[of == j])), 0)
    shaped(values, if (keepdims) kept else d[!seq_along(d) %in% drop])
  }
}
reductions <- list(
  list(integer(), NULL), list(7, NULL), list(67, 1), list(c(3, 4), NULL), list(c(3, 4), 1), list(c(3, 4), 2),
  list(c(3, 4), -1, TRUE), list(c(3, 35), -1), list(c(35, 3), 1), list(c(2, 3, 4), 2), list(c(2, 3, 4), c(1, 3)),
  list(c(2, 3, 4), c(1, 3), TRUE), list(c(2, 3, 4), c(-1, -2)), list(c(2, 1, 3), 2), list(c(2, 3, 4), NULL, TRUE),
  list(c(5, 2, 3, 4), c(2, 4)), list(rep(2, 8), c(1, 3, 5, 7)), list(rep(2, 8), c(2, 4, 6, 8), TRUE), list(c(0, 3), 2),
  list(c(1, 1, 1), 2)
)
empty_reductions <- list(list(c(0, 3), 1), list(c(3, 0), 2), list(c(3, 0, 2), 2), list(c(2, 3, 0), c(1, 3)),
  list(0, NULL), list(c(0, 3), 1, TRUE))
reduce_cases <- function(op, f, over, numbers = some) {
  lapply(over, function(r) {
    keepdims <- length(r) == 3
    case(paste0(text_of(r[[1]], r[[2]]), if (keepdims) " keepdims"), list(numbers(r[[1]])), function(x)
      op(x, axis = r[[2]], keepdims = keepdims), reduce_reference(f, r[[2]], keepdims))
  })
}
op_cases$sum <- reduce_cases(function(...) op_sum(...), sum, c(reductions, empty_reductions))
op_cases$mean <- reduce_cases(function(...) op_mean(...), mean, c(reductions, empty_reductions))
op_cases$max <- reduce_cases(function(...) op_max(...), max, reductions)
op_cases$min <- reduce_cases(function(...) op_min(...), min, reductions)

op_cases$prod <- c(
  reduce_cases(function(...) op_prod(...), prod, c(reductions, empty_reductions), function(d) some(d, 0.5, 1.6)),
  # one zero, several
  lapply(list(5, 1:2, c(2, 3, 35)), function(zeros) {
    x <- array(replace(some(c(5, 7), -2, 2), zeros, 0), c(5, 7))
    case(paste("zeros", toString(zeros)), list(x), function(x) op_prod(x, axis = 2), reduce_reference(prod, 2))
  }),
  list(case("all zeros", list(c(0, 0, 0)), function(x) op_prod(x), prod))
)
op_cases$any <- reduce_cases(function(...) op_any(...), any, c(reductions, empty_reductions), some_true)
op_cases$all <- reduce_cases(function(...) op_all(...), all, c(reductions, empty_reductions), function(d)
  !some_true(d) | some_true(d, 3))

position_case <- function(op, which) {
  function(d, axis) {
    x <- shaped(round(c(some(d))), d) # with ties: the first wins
    case(text_of(d, axis), list(x), function(x) op(x, axis = axis), reduce_reference(function(v) which(v) - 1, axis),
      integer())
  }
}
argmax_case <- position_case(function(...) op_argmax(..., zero_indexed = TRUE), which.max)
argmin_case <- position_case(function(...) op_argmin(..., zero_indexed = TRUE), which.min)
positions <- list(list(7, 1), list(c(3, 9), -1), list(c(9, 3), 1), list(c(2, 5, 3), 2), list(c(0, 3), 2),
  list(rep(c(1, 3), 4), 4))
op_cases$argmax <- lapply(positions, function(p) argmax_case(p[[1]], p[[2]]))
shape_case <- function(d) case(text_of(d), list(shaped(some(d), d)), function(x) op_shape(x), function(x) array(dim(x)),
  integer())
op_cases$shape <- lapply(list(7, c(3, 9), c(0, 3), rep(c(1, 3), 4)), shape_case)
op_cases$argmin <- lapply(positions, function(p) argmin_case(p[[1]], p[[2]]))

# f of each line along an axis, which may have more or fewer numbers
along_axis <- function(x, axis, f) {
  d <- dims(x)
  place <- if (axis < 0) length(d) + 1 + axis else axis
  first <- c(place, seq_along(d)[-place])
  lines <- matrix(aperm(x, first), d[place])
  found <- lapply(seq_len(ncol(lines)), function(k) f(lines[, k]))
  if (length(found)) d[place] <- length(found[[1]])
  aperm(array(if (length(found)) unlist(found) else x[0], d[first]), order(first))
}
cumsum_case <- function(d, axis) {
  case(text_of(d, axis), list(array(some(d), d)), function(x) op_cumsum(x, axis = axis), function(x)
    along_axis(x, axis, cumsum), floor = sqrt(max(1, d)))
}
cumprod_case <- function(d, axis) {
  case(text_of(d, axis), list(array(some(d, -1.2, 1.2), d)), function(x) op_cumprod(x, axis = axis), function(x)
    along_axis(x, axis, cumprod))
}
argsort_case <- function(d, axis, decreasing = FALSE) {
  # few different numbers: those that are equal keep their order
  case(text_of(d, axis, decreasing), list(array(round(some(d)), d)), function(x) op_argsort(x, axis,
    zero_indexed = TRUE, decreasing = decreasing),
    function(x) along_axis(x, axis, function(line) order(line, decreasing = decreasing, method = "radix") - 1),
    integer())
}
op_cases$argsort <- list(
  argsort_case(7, 1), argsort_case(67, -1, TRUE), argsort_case(c(3, 5), 1), argsort_case(c(3, 33), 2, TRUE),
  argsort_case(c(2, 35, 3), 2), argsort_case(c(2, 3, 4), -3, TRUE), argsort_case(c(1, 4, 1), 1),
  argsort_case(c(0, 3), 1), argsort_case(c(3, 0), 1)
)
op_cases$cumprod <- list(
  cumprod_case(7, 1), cumprod_case(33, -1), cumprod_case(c(3, 5), 1), cumprod_case(c(3, 5), 2),
  cumprod_case(c(2, 9, 3), 2), cumprod_case(c(2, 3, 4), -3), cumprod_case(c(1, 4, 1), 1), cumprod_case(c(0, 3), 1),
  cumprod_case(c(3, 0), 1), cumprod_case(c(0, 3), 2), cumprod_case(rep(2, 8), 5)
)
op_cases$cumsum <- list(
  cumsum_case(7, 1), cumsum_case(67, -1), cumsum_case(c(3, 5), 1), cumsum_case(c(3, 5), 2), cumsum_case(c(2, 35, 3), 2),
  cumsum_case(c(2, 3, 4), -3), cumsum_case(c(1, 4, 1), 1), cumsum_case(c(0, 3), 1), cumsum_case(c(3, 0), 1),
  cumsum_case(c(0, 3), 2), cumsum_case(rep(2, 8), 5)
)

# ---- moving numbers ----

row_major <- function(x) if (length(dims(x)) > 1) c(aperm(x)) else c(x)
from_row_major <- function(v, d) if (length(d) > 1) aperm(array(v, rev(d))) else shaped(v, d)

reshape_case <- function(from, to, result = to) {
  case(text_of(from, to), list(some(from)), function(x) op_reshape(x, to), function(x)
    from_row_major(row_major(x), result))
}
op_cases$reshape <- list(
  reshape_case(c(2, 3), c(3, 2)), reshape_case(c(2, 3, 4), 24), reshape_case(24, c(2, -1, 4), c(2, 3, 4)),
  reshape_case(1, integer()), reshape_case(integer(), c(1, 1)), reshape_case(67, c(1, 67)),
  reshape_case(c(0, 3), c(3, 0)), reshape_case(c(0, 3), c(5, -1), c(5, 0)), reshape_case(256, rep(2, 8)),
  reshape_case(rep(2, 8), -1, 256)
)

transpose_case <- function(d, perm = NULL) {
  case(text_of(d, perm), list(some(d)), function(x) op_transpose(x, perm), function(x) if (length(d) < 2) x else
    aperm(x, perm))
}
op_cases$transpose <- list(
  transpose_case(integer()), transpose_case(5), transpose_case(c(3, 4)), transpose_case(c(3, 4), 1:2),
  transpose_case(c(2, 3, 4)), transpose_case(c(2, 3, 4), c(2, 1, 3)), transpose_case(c(2, 3, 4), c(3, 1, 2)),
  transpose_case(c(35, 17)), transpose_case(c(0, 3)), transpose_case(c(1, 2, 3, 1, 2, 1, 2, 2),
    c(8, 3, 1, 2, 5, 4, 7, 6))
)

slice_case <- function(d, start, size, step = rep(1, length(d))) {
  case(paste(text_of(d), "from", toString(start), "size", toString(size), "step", toString(step)), list(some(d)),
    function(x) op_slice(x, start, size, step),
    function(x) {
      at <- Map(function(a, n, by) a + by * (seq_len(n) - 1), start, size, step)
      if (length(d) == 0) x else do.call(`[`, c(list(array(x, d)), at, drop = FALSE))
    })
}
op_cases$slice <- list(
  slice_case(integer(), integer(), integer()), slice_case(7, 3, 4), slice_case(7, 7, 7, -1), slice_case(7, 6, 3, -2),
  slice_case(7, 2, 3, 2), slice_case(c(3, 5), c(2, 1), c(2, 3)), slice_case(c(3, 5), c(3, 5), c(3, 3), c(-1, -2)),
  slice_case(c(2, 3, 35), c(1, 2, 3), c(2, 1, 30)), slice_case(c(3, 5), c(1, 1), c(0, 5)), slice_case(5, 2, 0),
  slice_case(c(0, 3), c(1, 2), c(0, 2)), slice_case(rep(2, 8), rep(1:2, 4), rep(c(2, 1), 4)), slice_case(7, 4, 1, 100)
)

bind_reference <- function(axis) {
  function(...) {
    xs <- list(...)
    d <- dims(xs[[1]])
    n <- length(d)
    last <- c(setdiff(seq_len(n), axis), axis) # joined along the last axis, c() is all that is needed
    joined <- unlist(lapply(xs, function(x) c(aperm(array(x, dims(x)), last))))
    d[axis] <- sum(vapply(xs, function(x) dims(x)[axis], 0))
    aperm(array(joined, d[last]), order(last))
  }
}
concat_case <- function(shapes, axis) {
  case(paste(do.call(text_of, shapes), "axis", axis), Map(function(d, k) array(some(d, k = k), d), shapes,
    seq_along(shapes)),
    function(...) op_concat(list(...), axis = axis), bind_reference(if (axis < 0) length(shapes[[1]]) + 1 +
      axis else axis))
}
op_cases$concat <- list(
  concat_case(list(3, 4), 1), concat_case(list(c(2, 3), c(4, 3)), 1), concat_case(list(c(2, 3), c(2, 5)), 2),
  concat_case(list(c(2, 3), c(2, 1), c(2, 2)), -1), concat_case(list(c(2, 3)), 1),
  concat_case(list(c(2, 3, 4), c(2, 1, 4)), 2), concat_case(list(c(2, 0), c(2, 3)), 2),
  concat_case(list(c(0, 2), c(0, 3)), 2), concat_case(list(c(5, 35), c(5, 3)), 2),
  concat_case(list(rep(2, 8), c(2, 2, 2, 3, 2, 2, 2, 2)), 4), concat_case(rep(list(c(2, 2)), 70), 1)
)
stack_case <- function(d, count, axis) {
  n <- length(d)
  place <- if (axis < 0) n + 2 + axis else axis
  case(paste(count, "of", text_of(d), "axis", axis), lapply(seq_len(count), function(k) some(d, k = k)), function(...)
    op_stack(list(...), axis = axis), function(...) {
      y <- array(c(...), c(d, count)) # the new axis last
      if (n) aperm(y, append(seq_len(n), n + 1, place - 1)) else y
    })
}
op_cases$stack <- list(
  stack_case(integer(), 3, 1), stack_case(4, 2, 1), stack_case(4, 2, 2), stack_case(c(2, 3), 3, -1),
  stack_case(c(2, 3), 3, 2), stack_case(c(2, 3), 1, 1), stack_case(c(0, 3), 2, 1),
  stack_case(rep(c(1, 2), c(4, 3)), 2, 3)
)

gather_case <- function(d, index, axis = 1) {
  case(paste(text_of(d, dims(index)), "axis", axis), list(some(d), index), function(x, i) op_gather(x, i, axis = axis),
    function(x, i) {
    n <- length(d)
    place <- if (axis < 0) n + 1 + axis else axis
    at <- lapply(d, seq_len)
    at[[place]] <- c(i) + 1
    shaped(c(do.call(`[`, c(list(array(x, d)), at, drop = FALSE))), append(d[-place], dims(i), place - 1))
  }, wants = 1)
}
op_cases$gather <- list(
  gather_case(5, c(4L, 0L, 0L)), gather_case(5, 3L), gather_case(c(4, 3), c(3L, 1L, 1L, 0L)),
  gather_case(c(4, 3), matrix(c(0L, 3L, 2L, 2L), 2)), gather_case(c(4, 3), c(2L, 0L), 2),
  gather_case(c(2, 5, 3), c(4L, 4L, 1L), 2), gather_case(c(2, 5, 35), matrix(0:3, 2), -2),
  gather_case(c(4, 3), integer()), gather_case(c(0, 3), c(1L, 1L), 2),
  gather_case(c(1, 2, 1, 2, 1, 2, 3), matrix(c(2L, 1L, 0L, 0L), 2), 7)
)

scatter_case <- function(d, index, axis = 1) {
  place <- if (axis < 0) length(d) + 1 + axis else axis
  more <- append(d[-place], dims(index), place - 1)
  case(paste(text_of(d, dims(index)), "axis", axis), list(some(d), index, some(more, k = 2)),
    function(x, i, u) op_scatter_add(x, i, u, axis = axis), function(x, i, u) {
      first <- function(n, from, count) c(from - 1 + seq_len(count), setdiff(seq_len(n), from - 1 + seq_len(count)))
      sums <- matrix(aperm(array(x, d), first(length(d), place, 1)), d[place])
      if (length(more)) u <- aperm(array(u, more), first(length(more), place, length(dims(i))))
      u <- matrix(u, length(i))
      for (j in seq_along(i)) sums[i[j] + 1, ] <- sums[i[j] + 1, ] + u[j, ]
      shaped(c(aperm(array(sums, d[first(length(d), place, 1)]), order(first(length(d), place, 1)))), d)
    }, wants = c(1, 3))
}
op_cases$scatter_add <- list(
  scatter_case(5, c(4L, 0L, 0L)), scatter_case(5, 3L), scatter_case(c(4, 3), c(3L, 1L, 1L, 0L)),
  scatter_case(c(4, 3), matrix(c(0L, 3L, 2L, 2L), 2)), scatter_case(c(4, 3), c(2L, 0L), 2),
  scatter_case(c(2, 5, 3), c(4L, 4L, 1L), 2), scatter_case(c(2, 5, 35), matrix(0:3, 2), -2),
  scatter_case(c(4, 3), integer()), scatter_case(c(0, 3), c(1L, 1L), 2)
)
op_cases$custom <- unary(custom_gradient(function(x) list(x, function(dy) dy)), identity) # see test-custom-gradient.R

op_cases$dropout <- unary(function(x) op_dropout(x, 0), identity) # see also test-op-random.R
op_cases$gaussian_noise <- unary(function(x) op_gaussian_noise(x, 0), identity) # likewise
op_cases$stop_gradient <- forward_only(unary(function(x) op_stop_gradient(x), identity))
op_cases$cast <- unary(function(x) op_cast(x, "float64"), identity)

where_case <- function(condition, a, b) {
  case(text_of(condition, a, b), list(shaped(c(some(condition)) > 0, condition), some(a, k = 2), some(b, k = 3)),
    function(c, a, b) op_where(c, a, b), function(c, a, b) {
    to <- broadcast_dim(broadcast_dim(dims(c), dims(a)), dims(b))
    c <- spread(c, to)
    shaped(ifelse(c, spread(a, to), spread(b, to)), to)
  })
}
op_cases$where <- list(
  where_case(integer(), integer(), integer()), where_case(67, 67, 67), where_case(5, integer(), 5),
  where_case(c(3, 4), 4, c(3, 1)), where_case(c(3, 1), c(1, 4), c(3, 4)), where_case(c(2, 1, 3), c(4, 1), integer()),
  where_case(integer(), c(2, 3), 3), where_case(c(0, 3), 3, integer()), where_case(rep(c(2, 1), 4), rep(c(1, 2), 4), 2)
)

# ---- using them ----

# without those that draw random numbers: test-op-random.R
op_names <- function(differentiable = FALSE) {
  table <- nativenet:::op_table()
  table <- table[table$fewest > 0, ] # random ones have tests of their own
  if (differentiable) table$name[table$differentiable] else table$name
}
random_op_names <- function() {
  table <- nativenet:::op_table()
  table$name[table$fewest == 0]
}
#' 0 floats only, 1 also integers, 2 also bool, 3 bool only: the parts of the table, by their first rows.
op_part <- function(name) findInterval(match(name, op_names()), match(c("add", "equal", "logical_and"), op_names()))

as_inputs <- function(case, dtype) as_tensors(case$inputs, dtype)
apply_case <- function(case, dtype) do.call(case$call, as_inputs(case, dtype))

#' The expected values of all cases, computed once; a list like op_cases.
op_expected <- local({
  values <- NULL
  function() {
    if (is.null(values)) values <<- lapply(op_cases, lapply, function(case) do.call(case$reference, case$inputs))
    values
  }
})

#' Largest relative error, Inf if shapes, NaN or infinite places differ (NA counts as NaN); for `floor` see case().
relative_error <- function(value, reference, floor = 0.1) {
  if (!identical(as.integer(dims(value)), as.integer(dims(reference)))) return(Inf)
  value <- as.double(value)
  reference <- as.double(reference)
  if (!identical(is.na(value), is.na(reference)) || !identical(is.infinite(value), is.infinite(reference))) return(Inf)
  same <- is.na(value) | is.infinite(value)
  if (any(value[same] != reference[same], na.rm = TRUE)) return(Inf)
  max(0, abs(value - reference)[!same] / pmax(abs(reference[!same]), floor))
}

#' Run code with other kernels or threads, and put back what was.
with_kernels <- function(name, code) {
  on.exit(.Call(nativenet:::C_kernels, "widest"))
  .Call(nativenet:::C_kernels, name)
  code
}
#' The instruction sets that this processor and this build have.
kernel_sets <- function() {
  taken <- function(name) with_kernels(name, nn_features()$instructions)
  unique(vapply(nativenet:::instruction_sets, taken, "", USE.NAMES = FALSE))
}
#' `work`: what each thread must have to do; 0 is the usual.
with_threads <- function(n, code, work = 0) {
  before <- nn_threads()
  on.exit(nn_threads(before))
  .Call(nativenet:::C_threads, as.integer(n), work)
  code
}

#' An error of the class, any of ours for NULL, with these texts in its message.
expect_refusal <- function(code, kind, ...) {
  e <- tryCatch({
    code
    "no error"
  }, error = identity)
  expect_s3_class(e, if (is.null(kind)) "nativenet_error" else paste0("nativenet_error_", kind), exact = FALSE)
  if (inherits(e, "error")) for (text in c(...)) expect_match(conditionMessage(e), text, fixed = TRUE)
}
