# Cases of pictures seen through transforms.

#' Where a place of an axis of n pixels is found.
fold_place <- function(at, n, mode) {
  triangle <- function(u) ifelse(u < n, u, 2 * n - u) # 0 .. n and back
  at <- switch(mode, constant = return(at), nearest = at, wrap = at %% n,
    reflect = triangle((at + 0.5) %% (2 * n)) - 0.5)
  pmin(pmax(at, 0), n - 1)
}

#' What each pixel of a picture weighs in each pixel of the result, both column by column.
seen_weights <- function(a, from, to, mode, interpolation) {
  v <- rep(seq_len(to[1]) - 1, to[2])
  u <- rep(seq_len(to[2]) - 1, each = to[1])
  k <- a[7] * u + a[8] * v + 1
  along <- function(p, n) {
    at <- fold_place(p / k, n, mode)
    near <- floor(abs(at) + 0.5) * sign(at)
    if (interpolation == "nearest") outer(near, seq_len(n) - 1, `==`) + 0 else
      matrix(pmax(0, 1 - abs(outer(at, seq_len(n) - 1, `-`))), length(at))
  }
  rows <- along(a[4] * u + a[5] * v + a[6], from[1])
  columns <- along(a[1] * u + a[2] * v + a[3], from[2])
  matrix(vapply(seq_len(prod(from)), function(p) rows[, (p - 1) %% from[1] + 1] * columns[, (p - 1) %/% from[1] + 1],
    numeric(prod(to))), prod(to))
}

image_reference <- function(size, interpolation, mode, fill) function(x, a) {
  d <- dims(x)
  y <- array(0, c(d[1], size, d[4]))
  for (b in seq_len(d[1])) {
    w <- seen_weights(a[min(b, nrow(a)), ], d[2:3], size, mode, interpolation)
    for (k in seq_len(d[4])) y[b, , , k] <- w %*% c(x[b, , , k]) + fill * (1 - rowSums(w))
  }
  y
}

#' Near to the identity, but for a movement; the last two numbers bend lines to a point.
some_transforms <- function(n, far = 1, bent = TRUE) {
  a <- array(some(c(n, 8), -0.4, 0.4), c(n, 8))
  a[, c(3, 6)] <- a[, c(3, 6)] * 4 * far
  a[, 7:8] <- if (bent) a[, 7:8] / 8 else 0
  a + rep(c(1, 0, 0, 0, 1, 0, 0, 0), each = n)
}
image_case <- function(d, a, size = d[2:3], interpolation = "bilinear", mode = "constant", fill = 0.5) {
  case(paste(text_of(d, size), "by", nrow(a), interpolation, mode), list(array(some(d), d), a), function(x, a)
    op_transform_image(x, a, size, interpolation, mode, fill), image_reference(size, interpolation, mode, fill),
    wants = 1, floor = 1)
}
image_back_case <- function(d, a, size, interpolation = "bilinear", mode = "constant") {
  code <- nativenet:::enum_code("fill_mode", mode)
  case(paste(text_of(d, size), "back", interpolation, mode), list(array(some(d), d), a), function(x, a)
    nativenet:::apply_op("transform_image_back", list(x, a), ints = c(size, code, interpolation == "nearest"),
      reals = 0),
    function(x, a) {
      y <- array(0, c(d[1], size, d[4]))
      for (b in seq_len(d[1])) {
        w <- seen_weights(a[min(b, nrow(a)), ], size, d[2:3], mode, interpolation)
        for (k in seq_len(d[4])) y[b, , , k] <- crossprod(w, c(x[b, , , k]))
      }
      y
    }, wants = 1, floor = 1)
}
image_shapes <- list(list(c(2, 5, 6, 3), 2), list(c(3, 4, 4, 1), 1, c(3, 7)), list(c(1, 1, 5, 2), 1, c(4, 2)),
  list(c(2, 7, 1, 17), 2, c(7, 3)))
image_cases <- function(make) unlist(lapply(c("constant", "reflect", "wrap", "nearest"), function(mode) {
  unlist(lapply(c("bilinear", "nearest"), function(interpolation) lapply(image_shapes, function(s) {
    size <- if (length(s) > 2) s[[3]] else s[[1]][2:3]
    make(s[[1]], some_transforms(s[[2]], far = 3), size, interpolation, mode)
  })), recursive = FALSE)
}), recursive = FALSE)
op_cases$transform_image <- image_cases(image_case)
op_cases$transform_image_back <- image_cases(image_back_case)

random_image <- function(op) {
  d <- c(sample(3, 1), sample(6, 2, replace = TRUE), sample(c(1:4, 17), 1))
  a <- some_transforms(one_of(c(1, d[1])), far = sample(6, 1), bent = stats::runif(1) < 0.5)
  (if (op == "transform_image") image_case else image_back_case)(d, a, sample(6, 2, replace = TRUE),
    one_of(c("bilinear", "nearest")), one_of(c("constant", "reflect", "wrap", "nearest")))
}
