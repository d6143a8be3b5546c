# Cases of ops of windows over spatial axes: pooling.

#' The cells (numbers along an axis of n) of each window, as a list.
window_cells <- function(n, size, stride, padding) {
  out <- if (padding == "same") ceiling(n / stride) else (n - size) %/% stride + 1
  before <- if (padding == "same") max(0, (out - 1) * stride + size - n) %/% 2 else 0
  lapply(seq_len(out), function(o) Filter(function(i) i >= 1 && i <= n, (o - 1) * stride - before + seq_len(size)))
}

#' f of the cells of each window, for each sample and channel.
pool_reference <- function(f, size, stride, padding) {
  function(x) {
    d <- dims(x)
    spatial <- d[-c(1, length(d))]
    cells <- Map(window_cells, spatial, size, stride, padding)
    y <- array(0, c(d[1], lengths(cells), d[length(d)]))
    at <- arrayInd(seq_along(y), dim(y))
    y[] <- vapply(seq_along(y), function(k) {
      own <- Map(function(c, o) c[[o]], cells, at[k, 1 + seq_along(spatial)])
      as.double(f(do.call(`[`, c(list(x, at[k, 1]), own, list(at[k, length(d)], drop = FALSE))), x))
    }, 0)
    y
  }
}
pool_case <- function(op, f, d, size, stride = size, padding = "valid", numbers = some, wants = 1) {
  case(paste0(text_of(d), " by ", text_of(size, stride), " ", padding), list(array(numbers(d), d)), function(x)
    op(x, size, stride, padding), pool_reference(f, size, stride, padding), wants)
}
pool_shapes <- list(
  list(c(2, 6, 3), 2), list(c(2, 7, 3), 3, 2), list(c(1, 5, 1), 3, 1, "same"), list(c(2, 4, 19), 2, 3, "same"),
  list(c(2, 4, 6, 3), c(2, 2)), list(c(1, 5, 7, 2), c(3, 2), c(2, 3), "same"),
  list(c(2, 3, 4, 9), c(3, 3), c(1, 1), "same"),
  list(c(1, 2, 5, 35), c(1, 2), c(1, 2)), list(c(1, 3, 3, 2), c(5, 5), c(4, 4), "same"),
  list(c(1, 5, 5, 1), c(1, 1), c(2, 2)), list(c(1, 4, 3, 5, 2), c(2, 2, 2), c(2, 1, 2)),
  list(c(2, 3, 2, 3, 2), c(2, 2, 3), c(2, 2, 2), "same"), list(c(0, 4, 3), 2), list(c(2, 4, 0), 2),
  list(c(2, 0, 3), 2, 2, "same")
)
pool_cases <- function(op, f, ...) lapply(pool_shapes, function(s) do.call(pool_case, c(list(op, f), s, list(...))))

op_cases$max_pool <- c(
  pool_cases(function(...) op_max_pool(...), function(v, x) max(v)),
  list(case("channels first", list(some(c(2, 3, 4, 5))), function(x) op_max_pool(x, 2, data_format = "channels_first"),
    function(x) aperm(pool_reference(function(v, x) max(v), c(2, 2), c(2, 2), "valid")(aperm(x, c(1, 3, 4, 2))),
      c(1, 4, 2, 3))))
)
op_cases$average_pool <- pool_cases(function(...) op_average_pool(...), function(v, x) mean(v))

# with ties; each number tells its place
op_cases$max_pool_argmax <- lapply(Filter(function(s) prod(s[[1]]) > 0, pool_shapes), function(s) {
  case <- do.call(pool_case, c(list(op_max_pool_argmax, NULL), s, if (length(s) < 3) s[2], if (length(s) < 4) "valid",
    list(numbers = function(d) round(some(d)), wants = integer())))
  case$call <- function(x) do.call(op_max_pool_argmax, c(list(x), s[-1]))
  case$reference <- function(x) {
    place <- from_row_major(seq_along(x) - 1, dims(x))
    # the largest, then the first
    key <- x * 2 * length(x) - place
    pool_reference(function(v, x) place[match(max(v), key)], s[[2]], s[[min(length(s), 3)]],
      if (length(s) < 4) "valid" else s[[4]])(key)
  }
  case
})

#' What average_pool() spreads on its way back.
unpool_case <- function(d, size, stride = size, padding = "valid") {
  mean_of <- pool_reference(function(v, x) mean(v), size, stride, padding)
  y <- dims(mean_of(array(0, d)))
  case(paste0(text_of(d), " by ", text_of(size, stride), " ", padding), list(array(some(y), y), array(some(d), d)),
    function(y, x) nativenet:::apply_op("average_unpool", list(y, x), ints = c(padding == "same", rbind(size, stride))),
    function(y, x) array(vapply(seq_along(x), function(i) sum(mean_of(replace(0 * x, i, 1)) * y), 0), dims(x)), 1)
}
op_cases$average_unpool <- lapply(Filter(function(s) prod(s[[1]]) < 100, pool_shapes), function(s)
  do.call(unpool_case, s))

random_pool <- function(op) {
  spatial <- sample(3, 1)
  size <- sample(3, spatial, replace = TRUE)
  padding <- one_of(c("valid", "same"))
  d <- c(sample(0:3, 1), size + sample(0:4, spatial, replace = TRUE), sample(c(1:5, 17), 1))
  s <- list(d, size, sample(3, spatial, replace = TRUE), padding)
  switch(op,
    max_pool = do.call(pool_case, c(list(function(...) op_max_pool(...), function(v, x) max(v)), s)),
    average_pool = do.call(pool_case, c(list(function(...) op_average_pool(...), function(v, x) mean(v)), s)),
    one_of(op_cases[[op]])
  )
}

# ---- composed of others ----

#' What each of n cells weighs in each of m: row by row, as the centres of pixels lie. Cell by cell.
resize_weights <- function(n, m, method, antialias = FALSE) {
  keys <- function(d) if (d < 1) 1.5 * d^3 - 2.5 * d^2 + 1 else if (d < 2) -0.5 * d^3 + 2.5 * d^2 - 4 * d + 2 else 0
  netravali <- function(d) if (d < 1) (7 * d^3 - 12 * d^2 + 16 / 3) / 6 else if (d < 2)
    (-7 / 3 * d^3 + 12 * d^2 - 20 * d + 32 / 3) / 6 else 0
  sinc <- function(d) if (d == 0) 1 else sin(pi * d) / (pi * d)
  wide <- if (antialias && n > m) n / m else 1
  w <- matrix(0, m, n)
  for (o in seq_len(m)) for (i in seq_len(n)) {
    at <- (o - 0.5) * n / m # from the edge
    d <- abs(i - 0.5 - at) / wide
    w[o, i] <- switch(method, nearest = as.double(floor(at) == i - 1), bilinear = max(0, 1 - d), bicubic = keys(d),
      mitchellcubic = netravali(d), lanczos3 = if (d < 3) sinc(d) * sinc(d / 3) else 0,
      lanczos5 = if (d < 5) sinc(d) * sinc(d / 5) else 0, gaussian = if (d < 1.5) exp(-2 * d^2) else 0,
      area = max(0, min(i, o * n / m) - max(i - 1, (o - 1) * n / m)))
  }
  w / rowSums(w)
}
resize_case <- function(d, size, method, antialias = FALSE) {
  rows <- length(d) - 2
  case(paste(text_of(d, size), method, antialias), list(some(d)), function(x) op_resize(x, size, method, antialias),
    function(x) {
    y <- array(x, c(prod(d[-(rows + 0:2)]), utils::tail(d, 3)))
    z <- array(0, c(dim(y)[1], size, dim(y)[4]))
    for (b in seq_len(dim(y)[1])) for (k in seq_len(dim(y)[4]))
      z[b, , , k] <- resize_weights(dim(y)[2], size[1], method, antialias) %*% y[b, , , k] %*%
        t(resize_weights(dim(y)[3], size[2], method, antialias))
    array(z, c(d[-(rows + 0:2)], size, d[length(d)]))
  })
}
op_cases$resize <- unlist(recursive = FALSE, c(
  lapply(c("bilinear", "nearest", "bicubic"), function(method) list(
    resize_case(c(2, 3, 4, 2), c(6, 8), method), resize_case(c(3, 4, 1), c(5, 3), method),
    resize_case(c(2, 2, 5, 1), c(1, 7), method), resize_case(c(1, 3, 3, 2), c(3, 3), method)
  )),
  lapply(c("area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"), function(method)
    list(resize_case(c(2, 3, 4, 2), c(6, 3), method), resize_case(c(3, 9, 1), c(3, 2), method))),
  lapply(c("bilinear", "nearest", "bicubic", "area", "lanczos3", "gaussian", "mitchellcubic"), function(method)
    list(resize_case(c(1, 7, 3, 1), c(2, 5), method, TRUE)))
))

crop_reference <- function(boxes, pictures, size, method, outside) {
  function(x) {
    d <- dim(x)
    y <- array(outside, c(nrow(boxes), size, d[4]))
    for (b in seq_len(nrow(boxes))) for (i in seq_len(size[1])) for (j in seq_len(size[2])) {
      at <- vapply(1:2, function(k) {
        step <- if (size[k] > 1) (c(i, j)[k] - 1) / (size[k] - 1) else 0.5
        (boxes[b, k] + (boxes[b, k + 2] - boxes[b, k]) * step) * (d[k + 1] - 1)
      }, 0)
      if (any(at < 0 | at > d[2:3] - 1)) next
      w <- lapply(1:2, function(k) if (method == "nearest") floor(at[k] + 0.5) == seq_len(d[k + 1]) - 1 else
        pmax(0, 1 - abs(at[k] - (seq_len(d[k + 1]) - 1))))
      for (k in seq_len(d[4])) y[b, i, j, k] <- w[[1]] %*% matrix(x[pictures[b] + 1, , , k], d[2]) %*% w[[2]]
    }
    y
  }
}
some_boxes <- rbind(c(0, 0, 1, 1), c(0.1, 0.2, 0.63, 0.9), c(0.9, 0.3, 0.2, 0.4), c(-0.2, 0.5, 0.55, 1.3))
crop_case <- function(size, method, outside = 0) {
  pictures <- c(0, 1, 1, 0)
  case(paste(text_of(size), method), list(some(c(2, 4, 5, 2))), function(x)
    op_crop_and_resize(x, some_boxes, pictures, size, method, outside), crop_reference(some_boxes, pictures, size,
    method, outside))
}
op_cases$crop_and_resize <- list(crop_case(c(3, 2), "bilinear"), crop_case(c(1, 4), "bilinear", -1),
  crop_case(c(3, 3), "nearest"))

to_depth <- function(b) function(x) {
  d <- dim(x)
  y <- array(0, c(d[1], d[2:3] / b, b^2 * d[4]))
  for (i in seq_len(d[2])) for (j in seq_len(d[3])) {
    block <- ((i - 1) %% b * b + (j - 1) %% b) * d[4]
    y[, (i - 1) %/% b + 1, (j - 1) %/% b + 1, block + seq_len(d[4])] <- x[, i, j, ]
  }
  y
}
depth_case <- function(d, b) case(text_of(d, b), list(some(d)), function(x) op_space_to_depth(x, b), to_depth(b))
op_cases$space_to_depth <- list(depth_case(c(2, 4, 6, 3), 2), depth_case(c(1, 3, 3, 1), 3),
  depth_case(c(2, 2, 3, 2), 1), case("channels first", list(some(c(2, 3, 4, 2))), function(x)
    op_space_to_depth(x, 2, "channels_first"), function(x) aperm(to_depth(2)(aperm(x, c(1, 3, 4, 2))), c(1, 4, 2, 3))))
from_depth <- function(b) function(y) { # by where the numbers of a space went
  d <- dim(y)
  x <- array(seq_along(y), c(d[1], d[2:3] * b, d[4] / b^2))
  x[c(to_depth(b)(x))] <- c(y)
  x
}
op_cases$depth_to_space <- lapply(list(c(2, 2, 3, 8), c(1, 1, 1, 4)), function(d)
  case(text_of(d), list(some(d)), function(x) op_depth_to_space(x, 2), from_depth(2)))
composed <- c(composed, "resize", "crop_and_resize", "space_to_depth", "depth_to_space")

mirror_case <- function(d, paddings, mode) {
  case(paste(text_of(d), mode), list(some(d)), function(x) op_pad(x, paddings, mode = mode), function(x) {
    at <- Map(function(n, k) {
      period <- if (mode == "reflect") c(seq_len(n), rev(seq_len(n))[-c(1, n)]) else c(seq_len(n), rev(seq_len(n)))
      period[(seq(-paddings[k, 1], n - 1 + paddings[k, 2]) %% length(period)) + 1]
    }, d, seq_along(d))
    slices_of(x, at)
  })
}
op_cases$pad <- c(op_cases$pad, lapply(c("reflect", "symmetric"), function(mode)
  mirror_case(c(2, 4, 3), rbind(c(0, 0), c(3, 2), c(1, 0)), mode)))
