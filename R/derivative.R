# Derivatives that are made of ops. The engine has a backward kernel for each op (src/kernels), which is fast but leaves
# nothing on tapes. Where a gradient shall be differentiated again, it is made here of ordinary ops instead, by one rule
# for each op: tapes record these, functions that are traced hold them, and so the derivative has derivatives, to any
# order.

#' Of a node n: n$inputs, n$output, n$ints and n$reals as in src/ops/ops.h, the gradient n$dy of the output, and
#' n$wanted, with respect to which inputs the derivative is wanted. Of several outputs: n$outputs, and their gradients
#' n$upstream, some of which may be NULL. The rules give a list with one entry per input; others may be NULL.
#' @noRd
rule_of_one <- function(f) function(n) list(f(n$inputs[[1]], n$output, n$dy, n$reals))

#' Element by element: one function per input of a, b, y, dy.
#' @noRd
rule_of_two <- function(...) {
  towards <- list(...)
  function(n) lapply(1:2, function(k) {
    if (n$wanted[k]) sum_to(towards[[k]](n$inputs[[1]], n$inputs[[2]], n$output, n$dy), n$inputs[[k]])
  })
}

#' By the derivatives of a function f of inputs and node that computes the same by plain ops.
#' @noRd
rule_of_ops <- function(f) {
  function(n) {
    x <- n$inputs
    for (k in which(n$wanted & duplicated(n$from))) x[[k]] <- op_cast(x[[k]], tensor_dtype(x[[k]])) # apart
    tape <- gradient_tape(watch_accessed_variables = FALSE)
    y <- tape_record(tape, {
      tape_watch(tape, x[n$wanted])
      f(x, n)
    })
    found <- vector("list", length(x))
    of <- which(!vapply(n$upstream, is.null, NA))
    found[n$wanted] <- composed_gradients(tape_state(tape), (if (is_branch(y)) y else list(y))[of], x[n$wanted],
      n$upstream[of])
    for (k in which(n$wanted)) if (is.null(found[[k]])) found[[k]] <- op_zeros_like(x[[k]])
    found
  }
}

# ---- shapes; those that follow the batch are not looked at, so that traced programs serve batches of any size ----

#' The sum of g over the copies that broadcasting has made of x.
#' @noRd
sum_to <- function(g, x) {
  from <- shape_of(g)
  to <- shape_of(x)
  if (same_sizes(from, to)) return(g)
  more <- length(from) - length(to)
  if (more) g <- op_sum(g, seq_len(more))
  copied <- which(!vapply(seq_along(to), function(i) same_sizes(size_at(more + i, from), size_at(i, to)), NA))
  if (length(copied)) op_sum(g, copied, keepdims = TRUE) else g
}

spread_to <- function(g, x) op_add(op_zeros_like(x), g)

#' Sizes for a reshape: -1 for the one that follows the batch.
#' @noRd
open_shape <- function(x) .Call(C_open_shape, x)

reshape_to <- function(g, sizes) apply_op("reshape", list(g), ints = sizes)

#' Axes that a reduction of x goes over.
#' @noRd
reduced_axes <- function(n) if (length(n$ints) > 1) n$ints[-1] + 1 else seq_len(rank_of(n$inputs[[1]]))

#' What has the shape of a reduction's result, with its axes kept.
#' @noRd
kept <- function(g, n) {
  if (n$ints[1] || !rank_of(g)) return(g)
  sizes <- rep(1, rank_of(n$inputs[[1]]))
  sizes[-reduced_axes(n)] <- open_shape(g)
  reshape_to(g, sizes)
}

#' (..., columns) as (rows, columns)
#' @noRd
as_flat_rows <- function(x) if (rank_of(x) == 2) x else reshape_to(x, c(-1, shape_of(x)[rank_of(x)]))

#' Zeros like x, but for g at `positions` (0-based) along an axis.
#' @noRd
scatter_to <- function(g, x, positions, axis) op_scatter_add(op_zeros_like(x), positions, g, axis)

# ---- formulas that stand in more than one rule ----

times_sign <- function(dy, x) dy * op_sign(x)
where_positive <- function(x, dy, otherwise) op_where(op_greater(x, 0), dy, otherwise)
zero_slope <- function(x, y, dy, reals) op_zeros_like(x)
selu_scale <- 1.0507009873554804934193349852946
selu_alpha <- 1.6732632423543772848170429916717

extreme_rule <- function(n) {
  x <- n$inputs[[1]]
  ties <- op_equal(x, kept(n$output, n))
  share <- kept(n$dy, n) / apply_op("sum", list(op_cast(ties, tensor_dtype(x))), ints = c(1, n$ints[-1]))
  list(op_where(ties, share, 0))
}

#' All numbers along the reduced axes, halves multiplied by each other: no division, so zeros need no care.
#' @noRd
product_by_halves <- function(x, n) {
  axes <- reduced_axes(n)
  sizes <- open_shape(x[[1]])
  if (any(sizes[axes] < 0)) sizes <- dim(x[[1]])
  y <- op_reshape(op_transpose(x[[1]], c(setdiff(seq_along(sizes), axes), axes)), c(sizes[-axes], prod(sizes[axes])))
  last <- rank_of(y)
  part <- function(from, size) op_slice(y, c(rep(1, last - 1), from), c(rep(-1, last - 1), size))
  while ((size <- dim(y)[last]) > 1) {
    half <- size %/% 2
    y <- op_concat(list(part(1, half) * part(half + 1, half), if (size %% 2) part(size, 1))[c(TRUE, size %% 2 == 1)])
  }
  reshape_to(if (size) y else op_ones_like(n$output), open_shape(n$output))
}

#' The derivative of digamma(), as src/kernels/functions.h has it.
#' @noRd
trigamma_of <- function(x) {
  left <- op_less_equal(x, 0)
  sine <- op_sin(op_where(left, x - op_round(x), 0.5) * pi)
  right <- op_where(left, 1 - x, x)
  sum <- 1 / op_square(right)
  for (k in 1:9) sum <- sum + 1 / op_square(right + k)
  far <- right + 10
  z <- 1 / op_square(far)
  series <- z * (7 / 6)
  for (b in c(-691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6)) series <- z * (series + b)
  sum <- sum + (1 + 0.5 / far + series) / far
  op_where(left, pi^2 / op_square(sine) - sum, sum)
}

dense_rule <- function(n) {
  x <- n$inputs[[1]]
  w <- n$inputs[[2]]
  z <- before_activation(n, n$ints[1])
  list(
    if (n$wanted[1]) reshape_to(op_matmul(as_flat_rows(z), w, transpose_y = TRUE), open_shape(x)),
    if (n$wanted[2]) reshape_to(op_matmul(as_flat_rows(x), as_flat_rows(z), transpose_x = TRUE), dim(w)),
    if (length(n$inputs) > 2 && n$wanted[3]) sum_to(z, n$inputs[[3]])
  )
}

pool_by <- function(op, n, inputs) apply_op(op, inputs, ints = n$ints)

#' y_i = x_1 ... x_i: dx_k = y_(k-1) sum_(i >= k) dy_i x_(k+1) ... x_i. In rows of m numbers, the last products are a
#' matrix [k, i].
#' @noRd
cumprod_rule <- function(n) {
  x <- n$inputs[[1]]
  at <- n$ints[1] + 1
  m <- shape_of(x)[at]
  if (m == 0) return(list(op_zeros_like(x)))
  last <- c(seq_len(rank_of(x))[-at], at)
  moved <- op_transpose(x, last)
  rows <- function(t) op_reshape(op_transpose(t, last), c(-1, m))
  later <- outer(seq_len(m), seq_len(m), "<")
  products <- op_cumprod(op_where(later, op_expand_dims(rows(x), -2), 1), -1)
  sums <- op_sum(op_where(later | diag(m) == 1, products * op_expand_dims(rows(n$dy), -2), 0), -1)
  dx <- shifted(rows(n$output), 2, 1) * sums
  list(op_transpose(reshape_to(dx, open_shape(moved)), order(last)))
}

#' Of a picture seen through a transform, and of the way back: each is the other's. None reaches the transforms.
#' @noRd
image_rule <- function(op) function(n) list(
  apply_op(op, list(n$dy, n$inputs[[2]]), ints = c(shape_of(n$inputs[[1]])[2:3], n$ints[-(1:2)]), reals = 0), NULL)

#' To the cells that the maxima came from.
#' @noRd
max_pool_rule <- function(n) {
  x <- n$inputs[[1]]
  at <- op_reshape(op_cast(pool_by("max_pool_argmax", n, list(x)), "int32"), -1)
  list(reshape_to(scatter_to(op_reshape(n$dy, -1), op_reshape(x, -1), at, 1), open_shape(x)))
}

#' The gradient of what an activation in place was applied to. The slope of each follows from its value, which has the
#' sign of that.
#' @noRd
before_activation <- function(n, code) {
  if (code < 0) return(n$dy)
  activation <- derivatives[[op_named(code)]]
  activation(list(inputs = list(n$output), output = n$output, dy = n$dy, reals = n$reals))[[1]]
}

#' y = x * W: each of the three, and a gradient of each, by one op from the other two, with the same attributes but for
#' the sizes that it must be told.
#' @noRd
conv_rule <- function(n) {
  z <- before_activation(n, n$ints[2])
  list(
    if (n$wanted[1]) conv_again("conv_transpose", n, z, n$inputs[[2]], sizes_between(n$inputs[[1]])),
    if (n$wanted[2]) conv_again("conv_kernel", n, n$inputs[[1]], z, kernel_sizes(n$inputs[[2]])),
    if (length(n$inputs) > 2 && n$wanted[3]) sum_to(z, n$inputs[[3]])
  )
}

conv_again <- function(op, n, a, b, size = 0) {
  window <- matrix(n$ints[-(1:2)], 5) # stride, dilation, before, after, size
  window[5, ] <- size
  apply_op(op, list(a, b), ints = c(n$ints[1], -1, window), reals = 0)
}

kernel_sizes <- function(w) utils::head(shape_of(w), -2)

#' normalize() by other ops: its output, and mean and variance if these are not given.
#' @noRd
normalized_by_ops <- function(x, n) {
  leading <- n$ints[1]
  epsilon <- n$reals[1]
  sizes <- open_shape(x[[1]])
  rank <- length(sizes)
  more <- x[-1]
  take <- function() {
    first <- more[[1]]
    more <<- more[-1]
    first
  }
  scale <- if (n$ints[3]) take()
  offset <- if (n$ints[4]) take()
  finish <- function(y) {
    if (!is.null(scale)) y <- y * scale
    if (is.null(offset)) y else y + offset
  }
  if (n$ints[5]) return(finish((x[[1]] - more[[1]]) / op_sqrt(more[[2]] + epsilon)))
  channels <- dim(x[[1]])[rank]
  groups <- if (n$ints[2]) n$ints[2] else channels
  z <- reshape_to(x[[1]], c(sizes[-rank], groups, channels / groups))
  over <- c(leading + seq_len(rank - 1 - leading), rank + 1)
  mean <- op_mean(z, over, keepdims = TRUE)
  variance <- op_mean(op_square(z - mean), over, keepdims = TRUE)
  list(finish(reshape_to((z - mean) / op_sqrt(variance + epsilon), sizes)), op_squeeze(mean, over),
    op_squeeze(variance, over))
}

op_named <- function(code) Find(function(name) op_code[[name]] == code, ls(op_code))

matmul_rule <- function(n) {
  a <- n$inputs[[1]]
  b <- n$inputs[[2]]
  ta <- n$ints[1] != 0
  tb <- n$ints[2] != 0
  list(
    if (n$wanted[1]) sum_to(if (ta) op_matmul(b, n$dy, tb, TRUE) else op_matmul(n$dy, b, FALSE, !tb), a),
    if (n$wanted[2]) sum_to(if (tb) op_matmul(n$dy, a, TRUE, ta) else op_matmul(a, n$dy, !ta, FALSE), b)
  )
}

slice_rule <- function(n) {
  x <- n$inputs[[1]]
  ranges <- matrix(n$ints, 3) # start, size and step of each axis
  cut <- which(!(ranges[1, ] == 0 & ranges[2, ] == -1 & ranges[3, ] == 1))
  g <- n$dy
  # one axis after the other: shapes on the way are those of x sliced along the axes to come
  for (i in seq_along(cut)) {
    axis <- cut[i]
    if (same_sizes(size_at(axis, shape_of(g)), size_at(axis, shape_of(x))) && ranges[3, axis] == 1) next
    size <- shape_of(g)[axis]
    later <- cut[seq_along(cut) > i]
    like <- x
    if (length(later)) {
      whole <- rbind(rep(0, rank_of(x)), -1, 1)
      whole[, later] <- ranges[, later]
      like <- apply_op("slice", list(x), ints = whole)
    }
    positions <- ranges[1, axis] + ranges[3, axis] * (seq_len(size) - 1)
    g <- scatter_to(g, like, array(as.integer(positions), size), axis)
  }
  list(g)
}

concat_rule <- function(n) {
  axis <- n$ints[1] + 1
  rank <- rank_of(n$output)
  from <- 1
  lapply(seq_along(n$inputs), function(k) {
    if (length(n$inputs) == 1) return(n$dy)
    size <- shape_of(n$inputs[[k]])[axis]
    from <<- from + size
    if (n$wanted[k]) op_slice(n$dy, replace(rep(1, rank), axis, from - size), replace(rep(-1, rank), axis, size))
  })
}

#' The same node once more on other inputs, with the same random draws.
#' @noRd
apply_again <- function(n, inputs) .Call(C_apply_again, n$program, n$at, inputs, recording)

# ---- losses: one number per row ----

#' By the slope of a function of prediction less target.
#' @noRd
difference_loss <- function(slope) {
  function(n) {
    e <- n$inputs[[1]] - n$inputs[[2]]
    g <- slope(e, n$reals) * op_expand_dims(n$dy, -1)
    if (n$ints[1]) g <- g / dim(e)[rank_of(e)]
    list(g, -g)
  }
}

per_row_loss <- function(f) rule_of_ops(function(x, n) {
  (if (n$ints[1]) op_mean else op_sum)(f(x[[1]], x[[2]], n$reals), -1)
})
label_mask <- function(labels, p) op_equal(op_expand_dims(labels, -1), array(seq_len(dim(p)[rank_of(p)]) - 1L))
divided_by_sum <- function(p, n) if (n$ints[2]) p / op_sum(p, -1, keepdims = TRUE) else p
clipped_log <- function(p, reals) op_log(op_clip(p, reals[1], 1 - reals[1]) + reals[2])

# ---- the table ----

derivatives <- list(
  add = rule_of_two(function(a, b, y, dy) dy, function(a, b, y, dy) dy),
  subtract = rule_of_two(function(a, b, y, dy) dy, function(a, b, y, dy) -dy),
  multiply = rule_of_two(function(a, b, y, dy) dy * b, function(a, b, y, dy) dy * a),
  divide = rule_of_two(function(a, b, y, dy) dy / b, function(a, b, y, dy) -dy * y / b),
  power = rule_of_two(
    # 0^-1 times 0 would be NaN
    function(a, b, y, dy) dy * b * op_power(a, op_where(op_logical_and(op_equal(a, 0), op_equal(b, 0)), 0, b - 1)),
    function(a, b, y, dy) {
      up <- op_greater(a, 0)
      op_where(up, dy * y * op_log(op_where(up, a, 1)), 0)
    }
  ),
  maximum = rule_of_two(
    function(a, b, y, dy) op_where(op_greater(b, a), 0, dy), function(a, b, y, dy) op_where(op_greater(b, a), dy, 0)
  ),
  minimum = rule_of_two(
    function(a, b, y, dy) op_where(op_less(b, a), 0, dy), function(a, b, y, dy) op_where(op_less(b, a), dy, 0)
  ),
  floor_divide = rule_of_two(function(a, b, y, dy) op_zeros_like(y), function(a, b, y, dy) op_zeros_like(y)),
  floor_mod = rule_of_two(function(a, b, y, dy) dy, function(a, b, y, dy) -dy * op_floor_divide(a, b)),
  negative = rule_of_one(function(x, y, dy, r) -dy),
  abs = rule_of_one(function(x, y, dy, r) times_sign(dy, x)),
  square = rule_of_one(function(x, y, dy, r) dy * x * 2),
  exp = rule_of_one(function(x, y, dy, r) dy * y),
  log = rule_of_one(function(x, y, dy, r) dy / x),
  sqrt = rule_of_one(function(x, y, dy, r) dy * 0.5 / y),
  sin = rule_of_one(function(x, y, dy, r) dy * op_cos(x)),
  cos = rule_of_one(function(x, y, dy, r) -dy * op_sin(x)),
  tan = rule_of_one(function(x, y, dy, r) dy * (1 + op_square(y))),
  asin = rule_of_one(function(x, y, dy, r) dy / op_sqrt((1 - x) * (1 + x))),
  acos = rule_of_one(function(x, y, dy, r) -dy / op_sqrt((1 - x) * (1 + x))),
  atan = rule_of_one(function(x, y, dy, r) dy / (1 + op_square(x))),
  sinh = rule_of_one(function(x, y, dy, r) dy * op_cosh(x)),
  cosh = rule_of_one(function(x, y, dy, r) dy * op_sinh(x)),
  log1p = rule_of_one(function(x, y, dy, r) dy / (1 + x)),
  expm1 = rule_of_one(function(x, y, dy, r) dy * op_exp(x)),
  erf = rule_of_one(function(x, y, dy, r) dy * op_exp(-op_square(x)) * (2 / sqrt(pi))),
  lgamma = rule_of_one(function(x, y, dy, r) dy * op_digamma(x)),
  digamma = rule_of_one(function(x, y, dy, r) dy * trigamma_of(x)),
  floor = rule_of_one(zero_slope), ceiling = rule_of_one(zero_slope), round = rule_of_one(zero_slope),
  sign = rule_of_one(zero_slope), step = rule_of_one(zero_slope),
  clip = rule_of_one(function(x, y, dy, r) op_where(op_logical_or(op_less(x, r[1]), op_greater(x, r[2])), 0, dy)),
  relu = rule_of_one(function(x, y, dy, r) where_positive(x, dy, 0)),
  leaky_relu = rule_of_one(function(x, y, dy, r) where_positive(x, dy, dy * r[1])),
  elu = rule_of_one(function(x, y, dy, r) where_positive(x, dy, dy * (y + r[1]))),
  selu = rule_of_one(function(x, y, dy, r) {
    where_positive(x, dy * selu_scale, dy * (y + selu_scale * selu_alpha))
  }),
  gelu = rule_of_one(function(x, y, dy, r) {
    dy * ((op_erf(x * sqrt(0.5)) + 1) * 0.5 + x * op_exp(op_square(x) * -0.5) * (1 / sqrt(2 * pi)))
  }),
  sigmoid = rule_of_one(function(x, y, dy, r) dy * y * (1 - y)),
  tanh = rule_of_one(function(x, y, dy, r) dy * (1 - op_square(y))),
  softplus = rule_of_one(function(x, y, dy, r) -dy * op_expm1(-y)),
  softmax = rule_of_one(function(x, y, dy, r) y * (dy - op_sum(dy * y, -1, keepdims = TRUE))),
  log_softmax = rule_of_one(function(x, y, dy, r) dy - op_exp(y) * op_sum(dy, -1, keepdims = TRUE)),
  dense = dense_rule,
  matmul = matmul_rule,
  conv = conv_rule,
  conv_transpose = function(n) list(
    if (n$wanted[1]) conv_again("conv", n, n$dy, n$inputs[[2]]),
    if (n$wanted[2]) conv_again("conv_kernel", n, n$dy, n$inputs[[1]], kernel_sizes(n$inputs[[2]]))
  ),
  conv_kernel = function(n) list(
    if (n$wanted[1]) conv_again("conv_transpose", n, n$inputs[[2]], n$dy, sizes_between(n$inputs[[1]])),
    if (n$wanted[2]) conv_again("conv", n, n$inputs[[1]], n$dy)
  ),
  sum = function(n) list(spread_to(kept(n$dy, n), n$inputs[[1]])),
  mean = function(n) {
    x <- n$inputs[[1]]
    count <- op_prod(op_cast(op_gather(op_shape(x), as.integer(reduced_axes(n) - 1)), "float64"))
    list(spread_to(kept(n$dy, n) / op_cast(count, tensor_dtype(x)), x))
  },
  prod = rule_of_ops(product_by_halves),
  max = extreme_rule, min = extreme_rule,
  cumsum = function(n) {
    axis <- n$ints[1] + 1
    list(op_reverse(op_cumsum(op_reverse(n$dy, axis), axis), axis))
  },
  cumprod = cumprod_rule,
  normalize = rule_of_ops(normalized_by_ops),
  max_pool = max_pool_rule,
  average_pool = function(n) list(pool_by("average_unpool", n, list(n$dy, n$inputs[[1]]))),
  average_unpool = function(n) list(pool_by("average_pool", n, list(n$dy)), NULL),
  reshape = function(n) list(reshape_to(n$dy, open_shape(n$inputs[[1]]))),
  transpose = function(n) list(op_transpose(n$dy, order(n$ints))),
  slice = slice_rule,
  concat = concat_rule,
  stack = function(n) lapply(seq_along(n$inputs), function(k) {
    if (n$wanted[k]) op_gather(n$dy, k - 1L, n$ints[1] + 1)
  }),
  gather = function(n) list(scatter_to(n$dy, n$inputs[[1]], n$inputs[[2]], n$ints[1] + 1), NULL),
  scatter_add = function(n) list(n$dy, NULL, if (n$wanted[3]) op_gather(n$dy, n$inputs[[2]], n$ints[1] + 1)),
  cast = function(n) list(op_cast(n$dy, tensor_dtype(n$inputs[[1]]))),
  where = function(n) list(
    NULL, if (n$wanted[2]) sum_to(op_where(n$inputs[[1]], n$dy, 0), n$inputs[[2]]),
    if (n$wanted[3]) sum_to(op_where(n$inputs[[1]], 0, n$dy), n$inputs[[3]])
  ),
  transform_image = image_rule("transform_image_back"),
  transform_image_back = image_rule("transform_image"),
  dropout = function(n) list(apply_again(n, list(n$dy))),
  gaussian_noise = function(n) list(n$dy),
  squared_error = difference_loss(function(e, r) e * 2),
  absolute_error = difference_loss(function(e, r) op_sign(e)),
  huber = difference_loss(function(e, r) op_clip(e, -r[1], r[1])),
  logcosh = difference_loss(function(e, r) op_tanh(e)),
  binary_crossentropy = per_row_loss(function(p, t, r) {
    q <- op_clip(p, r[1], 1 - r[1])
    -(t * op_log(q + r[2]) + (1 - t) * op_log(1 - q + r[2]))
  }),
  sigmoid_crossentropy = per_row_loss(function(z, t, r) op_softplus(z) - z * t),
  kl_divergence = per_row_loss(function(p, t, r) {
    t <- op_clip(t, r[1], 1)
    t * op_log(t / op_clip(p, r[1], 1))
  }),
  categorical_crossentropy = rule_of_ops(function(x, n) {
    (if (n$ints[1]) op_mean else op_sum)(-x[[2]] * clipped_log(divided_by_sum(x[[1]], n), n$reals), -1)
  }),
  softmax_crossentropy = per_row_loss(function(z, t, r) -t * op_log_softmax(z)),
  sparse_categorical_crossentropy = rule_of_ops(function(x, n) {
    p <- divided_by_sum(x[[1]], n)
    -clipped_log(op_sum(op_where(label_mask(x[[2]], p), p, 0), -1), n$reals)
  }),
  sparse_softmax_crossentropy = rule_of_ops(function(x, n) {
    -op_sum(op_where(label_mask(x[[2]], x[[1]]), op_log_softmax(x[[1]]), 0), -1)
  }),
  attention = rule_of_ops(composed_attention),
  lstm = rule_of_ops(unrolled_cell), gru = rule_of_ops(unrolled_cell), simple_rnn = rule_of_ops(unrolled_cell),
  cholesky = cholesky_rule, det = det_rule, qr = qr_rule, eigh = eigh_rule, svd = svd_rule,
  solve = solve_rule(function(n, b, adjoint) op_solve(n$inputs[[1]], b, adjoint), function(g, n) g),
  triangular_solve = solve_rule(
    function(n, b, adjoint) op_triangular_solve(n$inputs[[1]], b, n$ints[1] != 0, adjoint),
    function(g, n) if (n$ints[1]) op_band_part(g, -1, 0) else op_band_part(g, 0, -1)
  ),
  custom = custom_derivatives
)

# ---- backwards through what was recorded ----

#' What a tape has seen: its nodes in order; of each slot: does the tape follow it? While a function is traced these are
#' nodes of its program, and before them the few that ran on constants.
#' @return list(nodes, follows, find): find(tensors, now) has the slots of tensors, see src/border/r_tape.c.
#' @noRd
recorded <- function(state) {
  own <- described(state$program, c(0L, .Call(C_program_position, state$program)))
  find <- function(xs, now) .Call(C_tape_slots, state$program, xs, now)
  if (!is_tracing()) return(list(nodes = own$nodes, follows = own$follows, find = find))
  end <- .Call(C_program_position, state$traced)
  parts <- lapply(state$ranges, function(r) described(state$traced, as.integer(ifelse(is.na(r), end, r))))
  nodes <- do.call(c, lapply(parts, `[[`, "nodes"))
  floats <- parts[[length(parts)]]$floats
  # slots of the program come behind those of the constants, but constants are the same in both
  shift <- length(own$follows)
  place <- shift + seq_along(floats)
  if (shift) {
    for (n in nodes) for (k in which(!vapply(n$inputs, function(x) is_symbolic(x) || is_variable(x), NA))) {
      known <- find(n$inputs[k], 1L)[[1]]
      if (length(known)) place[n$from[k]] <- known
    }
  }
  found <- list(nodes = c(own$nodes, lapply(nodes, function(n) {
    n$from <- place[n$from]
    if (n$to[1]) n$to <- place[n$to]
    n
  })), follows = c(own$follows, logical(length(floats))), find = function(xs, now) {
    Map(function(there, here) unique(c(place[there], here)), .Call(C_tape_slots, state$traced, xs, now), find(xs, now))
  })
  found$follows <- traced_follows(found, c(rep(TRUE, shift), floats), state)
  found
}

described <- function(program, range) {
  d <- .Call(C_tape_nodes, program, range)
  names(d) <- c("nodes", "follows", "floats")
  d
}

#' What the tape follows of a traced function: what it was told to, from there on, trainable variables, and what is
#' computed of these.
#' @noRd
traced_follows <- function(found, floats, state) {
  follows <- found$follows
  watch <- function(position) {
    for (w in Filter(function(w) w$at <= position, state$watched)) {
      slots <- unlist(found$find(list(w$x), 0L))
      follows[slots] <<- floats[slots]
    }
  }
  for (n in found$nodes) {
    watch(n$at)
    if (!n$to[1]) next
    if (state$watches_variables) for (k in which(!follows[n$from])) {
      if (!is.null(n$trained[[k]])) follows[n$from[k]] <- TRUE
    }
    if (any(follows[n$from]) && any(floats[n$to])) {
      if (n$op == "gradient") abort_trace("a gradient would be differentiated again")
      follows[n$to] <- floats[n$to] & !is.null(derivatives[[n$op]])
    }
  }
  watch(Inf)
  follows
}

#' The gradients of targets with respect to sources, as eager_gradients() gives them, but made of ops.
#' @param seeds the gradients to start from, NULL for ones.
#' @noRd
composed_gradients <- function(state, targets, sources, seeds = NULL) {
  seen <- recorded(state)
  to <- seen$find(targets, 1L)
  from <- seen$find(sources, 0L)
  # on the way from a source
  passes <- logical(length(seen$follows))
  passes[unlist(from)] <- seen$follows[unlist(from)]
  for (n in seen$nodes) if (n$to[1] && any(passes[n$from])) passes[n$to] <- seen$follows[n$to]
  gradients <- vector("list", length(passes))
  add <- function(slot, g) gradients[[slot]] <<- if (is.null(gradients[[slot]])) g else op_add(gradients[[slot]], g)
  for (t in seq_along(targets)) {
    slot <- utils::tail(to[[t]], 1)
    if (!length(slot) || !passes[slot]) next
    add(slot, if (is.null(seeds[[t]])) op_ones_like(targets[[t]]) else seeds[[t]])
  }
  later <- list() # the outputs of one custom function, whose nodes follow each other, until its first one
  for (n in rev(seen$nodes)) {
    if (!n$to[1]) next
    n$upstream <- gradients[n$to]
    n$dy <- n$upstream[[1]]
    if (n$op == "custom") {
      later <- c(list(n), later)
      if (!is_first_custom(n)) next
      n$calls <- later
      later <- list()
      if (all_null(lapply(n$calls, `[[`, "dy"))) next
    } else if (all_null(n$upstream) || is.null(derivatives[[n$op]])) next
    n$wanted <- passes[n$from]
    if (!any(n$wanted)) next
    found <- with_recorded_numbers(n, derivatives[[n$op]](n))
    for (k in which(n$wanted)) if (!is.null(found[[k]])) add(n$from[k], found[[k]])
  }
  lapply(from, function(slots) {
    found <- Filter(Negate(is.null), gradients[slots])
    if (length(found)) Reduce(op_add, found)
  })
}

#' Variables have the numbers that they had when the node ran.
#' @noRd
with_recorded_numbers <- function(n, expr) {
  changed <- which(!vapply(n$blocks, is.null, NA))
  if (length(changed)) {
    now <- lapply(changed, function(k) .Call(C_variable_block, n$inputs[[k]], n$blocks[[k]]))
    on.exit(for (i in rev(seq_along(changed))) .Call(C_variable_block, n$inputs[[changed[i]]], now[[i]]))
  }
  expr
}
