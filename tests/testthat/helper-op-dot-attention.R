# Cases of op_attention().

#' By the formula, each query by itself.
attention_reference <- function(causal, scale) {
  function(q, k, v, mask = NULL) {
    y <- array(0, c(dim(q)[1:3], dim(v)[4]))
    seen <- if (is.null(mask)) TRUE else spread(mask, c(dim(q)[c(1, 3, 2)], dim(k)[2]))
    for (b in seq_len(dim(q)[1])) for (h in seq_len(dim(q)[3])) for (i in seq_len(dim(q)[2])) {
      s <- vapply(seq_len(dim(k)[2]), function(j) sum(q[b, i, h, ] * k[b, j, h, ]) * scale, 0)
      hidden <- seq_along(s) > i & causal
      if (!is.null(mask)) hidden <- hidden | !seen[b, h, i, ]
      s <- s - 1e9 * hidden
      w <- exp(s - max(s))
      y[b, i, h, ] <- (w / sum(w)) %*% array(v[b, , h, ], dim(v)[c(2, 4)])
    }
    y
  }
}

#' @param d batch, queries, heads, features, keys, values.
attention_case <- function(d, causal = FALSE, mask = NULL, scale = 0.5) {
  inputs <- list(array(some(d[1:4]), d[1:4]), array(some(d[c(1, 5, 3, 4)], k = 2), d[c(1, 5, 3, 4)]),
    array(some(d[c(1, 5, 3, 6)], k = 3), d[c(1, 5, 3, 6)]))
  if (!is.null(mask)) { # all queries see the first key: else nothing is left of the scores' digits
    seen <- some_true(mask)
    seen[slice.index(seen, length(mask)) == 1] <- TRUE
    inputs <- c(inputs, list(seen))
  }
  case(paste(text_of(d), if (causal) "causal", if (!is.null(mask)) paste("mask", text_of(mask))), inputs,
    function(q, k, v, mask = NULL) op_attention(q, k, v, mask, causal, scale), attention_reference(causal, scale))
}

op_cases$attention <- list(
  attention_case(c(2, 3, 2, 4, 5, 3)), attention_case(c(1, 4, 1, 2, 4, 3), causal = TRUE),
  attention_case(c(2, 3, 2, 3, 4, 2), mask = c(2, 1, 1, 4)), attention_case(c(1, 50, 1, 2, 3, 1), mask = c(50, 3)),
  attention_case(c(1, 2, 1, 3, 195, 2)), attention_case(c(1, 3, 2, 2, 4, 2), TRUE, mask = c(2, 3, 4), scale = -1),
  attention_case(c(1, 2, 1, 130, 2, 2), scale = 0.1), attention_case(c(1, 49, 1, 1, 194, 1), causal = TRUE)
)

random_attention <- function() {
  d <- c(sample(2, 1), sample(60, 1), sample(3, 1), sample(5, 1), sample(60, 1), sample(5, 1))
  whole <- d[c(1, 3, 2, 5)]
  sizes <- c(ifelse(stats::runif(3) < 0.5, 1, whole[1:3]), whole[4])
  mask <- if (stats::runif(1) < 0.5) utils::tail(sizes, sample(4, 1))
  attention_case(d, stats::runif(1) < 0.3, mask)
}
