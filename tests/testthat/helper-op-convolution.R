# Cases of the convolution ops. The reference goes tap by tap through a padded array.

#' Of y = x * W the one that is NULL. `window`: for each axis a column of stride, dilation, zeros before and after.
conv_reference <- function(x, w, y, window, groups = 1, size = NULL) {
  window <- unname(window)
  axes <- ncol(window)
  n <- dim(if (is.null(x)) y else x)[1]
  channels <- if (is.null(x)) dim(w)[axes + 1] * groups else dim(x)[axes + 2]
  filters <- if (is.null(w)) dim(y)[axes + 2] else dim(w)[axes + 2]
  sizes <- if (is.null(x)) size else dim(x)[1 + seq_len(axes)]
  k <- if (is.null(w)) size else dim(w)[seq_len(axes)]
  out <- (sizes + window[3, ] + window[4, ] - window[2, ] * (k - 1) - 1) %/% window[1, ] + 1
  padded <- array(0, c(n, sizes + window[3, ] + window[4, ], channels))
  middle <- lapply(seq_len(axes), function(i) window[3, i] + seq_len(sizes[i]))
  at <- function(ranges) as.matrix(do.call(expand.grid, c(list(seq_len(n)), ranges, list(seq_len(channels)))))
  if (!is.null(x)) padded[at(middle)] <- x
  wanted <- which(c(is.null(x), is.null(w), is.null(y)))
  rows <- if (wanted == 3) matrix(0, n * prod(out), filters) else matrix(y, n * prod(out), filters)
  kernel <- if (wanted == 2) array(0, c(prod(k), channels / groups, filters)) else
    array(w, c(prod(k), channels / groups, filters))
  for (tap in seq_len(prod(k))) {
    t <- arrayInd(tap, k)
    seen <- at(lapply(seq_len(axes), function(i) (t[i] - 1) * window[2, i] + 1 + (seq_len(out[i]) - 1) * window[1, i]))
    patch <- matrix(padded[seen], nrow(rows), channels)
    change <- 0 * patch
    for (g in seq_len(groups)) {
      cs <- (g - 1) * channels / groups + seq_len(channels / groups)
      fs <- (g - 1) * filters / groups + seq_len(filters / groups)
      of_tap <- matrix(kernel[tap, , fs], length(cs), length(fs))
      if (wanted == 3) rows[, fs] <- rows[, fs] + patch[, cs, drop = FALSE] %*% of_tap
      if (wanted == 2) kernel[tap, , fs] <- crossprod(patch[, cs, drop = FALSE], rows[, fs, drop = FALSE])
      if (wanted == 1) change[, cs] <- rows[, fs, drop = FALSE] %*% t(of_tap)
    }
    if (wanted == 1) padded[seen] <- padded[seen] + change
  }
  switch(wanted, array(padded[at(middle)], c(n, sizes, channels)), array(kernel, c(k, channels / groups, filters)),
    array(rows, c(n, out, filters)))
}

#' @param sizes,k for each axis.
conv_cases <- function(n, sizes, k, channels, filters, strides = 1, dilation = 1, before = 0, after = 0, groups = 1,
                       activation = "linear", bias = FALSE) {
  axes <- length(sizes)
  window <- rbind(rep_len(strides, axes), rep_len(dilation, axes), rep_len(before, axes), rep_len(after, axes))
  out <- (sizes + window[3, ] + window[4, ] - window[2, ] * (k - 1) - 1) %/% window[1, ] + 1
  x <- c(n, sizes, channels)
  w <- c(k, channels / groups, filters)
  y <- c(n, out, filters)
  padding <- t(window[3:4, , drop = FALSE])
  what <- paste(text_of(x, w), "strides", toString(window[1, ]), "dilation", toString(window[2, ]), "padding",
    toString(padding), "groups", groups, activation, if (bias) "bias")
  floor <- sqrt(max(1, prod(k) * channels / groups))
  list(
    conv = case(what, c(list(some(x, -1, 1), some(w, -1, 1, 2)),
        if (bias) list(array(some(filters, -1, 1, 3), filters))),
      function(x, w, b = NULL) op_conv(x, w, strides, padding, NULL, dilation, groups, b, activation),
      function(x, w, b = numeric(filters)) {
        z <- conv_reference(x, w, NULL, window, groups)
        array(activation_reference[[activation]](c(z) + rep(c(b), each = length(z) / filters)), dim(z))
      }, floor = floor),
    conv_transpose = case(what, list(some(y, -1, 1), some(w, -1, 1, 2)),
      function(y, w) op_conv_transpose(y, w, strides, padding, NULL, NULL, dilation, groups, sizes),
      function(y, w) conv_reference(NULL, w, y, window, groups, sizes),
      floor = sqrt(max(1, prod(k) * filters / groups))),
    conv_kernel = case(what, list(some(x, -1, 1), some(y, -1, 1, 2)),
      function(x, y) op_conv_kernel(x, y, k, strides, padding, dilation, groups),
      function(x, y) conv_reference(x, NULL, y, window, groups, k), floor = sqrt(max(1, n * prod(out))))
  )
}

conv_case_list <- c(
  lapply(names(activation_reference), function(a) conv_cases(2, 5, 3, 2, 3, activation = a, bias = TRUE)),
  list(
    conv_cases(2, c(5, 6), c(3, 2), 3, 4, bias = TRUE), conv_cases(2, c(4, 5), c(3, 3), 1, 18, before = 1, after = 1),
    conv_cases(1, c(7, 6), c(2, 3), 2, 5, strides = c(2, 3), before = c(1, 0), after = c(0, 1), groups = 1),
    conv_cases(2, c(7, 6), c(3, 3), 4, 6, strides = 2, dilation = c(1, 2), before = 1, after = 2, groups = 2),
    conv_cases(1, c(3, 4, 3), c(2, 2, 2), 2, 3, strides = c(1, 2, 1), before = 1, bias = TRUE),
    conv_cases(1, c(3, 4), c(2, 3), 2, 3, strides = 1e9, before = 1), # far more remainders than positions
    conv_cases(2, 9, 3, 3, 3, strides = 3, dilation = 2, before = 2, after = 3),
    conv_cases(3, 5, 1, 7, 5), conv_cases(1, 4, 2, 300, 2), # deeper than a block
    conv_cases(2, c(5, 6), c(3, 2), 3, 3, groups = 3, before = 1, bias = TRUE, activation = "relu"), # depthwise
    conv_cases(1, c(5, 6), c(2, 3), 3, 6, strides = 2, dilation = c(1, 2), before = 2, groups = 3),
    conv_cases(2, 6, 3, 18, 36, groups = 18, bias = TRUE),
    conv_cases(2, c(12, 11), c(3, 3), 2, 19, bias = TRUE), # more rows than are packed at once
    # in fewer products: one and two axes, an odd number of results, deeper than a block, more tiles than at once
    conv_cases(1, c(4, 5), c(3, 3), 16, 17, before = 1, after = 1, bias = TRUE, activation = "tanh"),
    conv_cases(2, 6, 3, 66, 16, before = 2, bias = TRUE),
    conv_cases(1, c(1, 4, 5), c(1, 3, 3), 16, 16, before = c(0, 1, 2)),
    conv_cases(3, c(10, 11), c(3, 3), 16, 33, before = 1, after = 1), conv_cases(2, c(2, 300), c(1, 3), 16, 16),
    conv_cases(0, c(4, 4), c(3, 3), 2, 2, bias = TRUE), conv_cases(2, 4, 2, 2, 0),
    conv_cases(2, 4, 2, 0, 3, bias = TRUE),
    conv_cases(2, 2, 2, 1, 1, strides = 5, before = 3, after = 4)
  )
)
for (op in c("conv", "conv_transpose", "conv_kernel")) op_cases[[op]] <- lapply(conv_case_list, `[[`, op)

random_conv_case <- function(op) {
  winograd <- stats::runif(1) < 0.2
  axes <- sample(3 - winograd, 1)
  k <- if (winograd) rep(3, axes) else sample(4, axes, replace = TRUE)
  dilation <- if (winograd) rep(1, axes) else sample(3, axes, replace = TRUE, prob = c(4, 1, 1))
  strides <- if (winograd) 1 else sample(3, axes, replace = TRUE, prob = c(4, 2, 1))
  before <- sample(0:3, axes, replace = TRUE)
  after <- sample(0:3, axes, replace = TRUE)
  sizes <- pmax(dilation * (k - 1) + 1 - before - after, 0) + sample(if (axes == 3) 4 else 9, axes, replace = TRUE)
  groups <- if (winograd) 1 else one_of(c(1, 1, 2, 3))
  own <- sample(5, 2, replace = TRUE) + if (winograd) 15 else 0
  if (!winograd && stats::runif(1) < 0.3) own[1] <- 1
  conv_cases(sample(0:3, 1, prob = c(1, 3, 3, 3)), sizes, k, own[1] * groups, own[2] * groups,
    strides, dilation, before, after, groups,
    one_of(c("linear", "sigmoid", "tanh")), stats::runif(1) < 0.5)[[op]]
}

depthwise_case <- function(sizes, k, channels, each, strides = 1, padding = "valid", before = 0) {
  window <- rbind(rep_len(strides, length(sizes)), 1, before, before)
  case(paste(text_of(c(2, sizes, channels), c(k, channels, each)), padding, strides),
    list(some(c(2, sizes, channels), -1, 1), some(c(k, channels, each), -1, 1, 2)),
    function(x, w) op_depthwise_conv(x, w, strides = strides, padding = padding),
    function(x, w) { # row-major, filters of a channel are neighbours
      w <- aperm(array(aperm(w), c(each * channels, rev(k))))
      conv_reference(x, array(w, c(k, 1, each * channels)), NULL, window, channels)
    })
}
op_cases$depthwise_conv <- list(depthwise_case(c(5, 4), c(3, 3), 3, 1, padding = "same", before = 1),
  depthwise_case(6, 3, 2, 2, strides = 2), depthwise_case(5, 2, 1, 3), depthwise_case(c(3, 4), c(2, 2), 20, 1))
composed <- c(composed, "depthwise_conv")
