# Cases of op_standardize().

#' list(output, mean, variance) by the formula, x seen as (A, M, G, K).
normalize_reference <- function(leading, groups, epsilon) {
  function(x, scale = NULL, offset = NULL) {
    d <- dims(x)
    rank <- length(d)
    channels <- d[rank]
    if (is.null(groups)) groups <- channels
    at <- arrayInd(seq_along(x), d) - 1
    lead <- drop(at[, seq_len(leading), drop = FALSE] %*% c(1, cumprod(d))[seq_len(leading)])
    group <- at[, rank] %/% (channels / max(groups, 1))
    parts <- c(d[seq_len(leading)], groups)
    part <- factor(lead + group * prod(d[seq_len(leading)]), seq_len(prod(parts)) - 1)
    mean <- vapply(split(c(x), part), base::mean, 0)
    variance <- vapply(split(c(x), part), function(v) base::mean((v - base::mean(v))^2), 0)
    y <- (c(x) - mean[part]) / sqrt(variance[part] + epsilon)
    if (!is.null(scale)) y <- y * scale[at[, rank] + 1]
    if (!is.null(offset)) y <- y + offset[at[, rank] + 1]
    list(array(y, d), array(mean, parts), array(variance, parts))
  }
}
all_numbers <- function(parts) array(unlist(lapply(parts, function(p) row_major(p))))
normalize_inputs <- function(d, scale, offset) {
  channels <- d[length(d)]
  c(list(array(some(d), d)), if (scale) list(array(some(channels, 0.5, 2, k = 2), channels)),
    if (offset) list(array(some(channels, k = 3), channels)))
}
normalize_case <- function(d, leading = 0, groups = NULL, scale = TRUE, offset = TRUE, epsilon = 0.01) {
  of <- normalize_reference(leading, groups, epsilon)
  parts <- function(x, more, f) f(x, if (scale) more[[1]], if (offset) more[[1 + scale]])
  case(paste(text_of(d), "leading", leading, "groups", groups, if (scale) "scale", if (offset) "offset"),
    normalize_inputs(d, scale, offset),
    function(x, ...) {
      found <- parts(x, list(...), function(x, scale, offset) op_standardize(x, scale, offset, leading = leading,
        groups = groups, epsilon = epsilon))
      op_concat(lapply(unname(found), op_reshape, newshape = -1))
    }, function(x, ...) all_numbers(parts(x, list(...), of)), floor = 1)
}
given_case <- function(d, scale = TRUE, offset = TRUE) {
  channels <- d[length(d)]
  inputs <- c(normalize_inputs(d, scale, offset), list(array(some(channels, k = 4), channels)),
    list(array(some(channels, 0.5, 2, k = 5), channels)))
  along <- function(v, x) c(spread(v, dims(x)))
  case(paste(text_of(d), "given", if (scale) "scale", if (offset) "offset"), inputs, function(x, ...) {
    more <- list(...)
    op_standardize(x, if (scale) more[[1]], if (offset) more[[1 + scale]], more[[1 + scale + offset]],
      more[[2 + scale + offset]], epsilon = 0.01)
  }, function(x, ...) {
    more <- list(...)
    y <- (c(x) - along(more[[1 + scale + offset]], x)) / sqrt(along(more[[2 + scale + offset]], x) + 0.01)
    if (scale) y <- y * along(more[[1]], x)
    if (offset) y <- y + along(more[[1 + scale]], x)
    array(y, dims(x))
  }, floor = 1)
}
op_cases$normalize <- list(
  normalize_case(c(5, 3)), normalize_case(c(130, 3)), normalize_case(c(7, 35), scale = FALSE),
  normalize_case(c(3, 4, 5), offset = FALSE), normalize_case(c(2, 3, 2, 4), scale = FALSE, offset = FALSE),
  normalize_case(c(4, 6), 1, 1), normalize_case(c(2, 3, 7), 2, 1, scale = FALSE), normalize_case(c(70, 5), 1, 1),
  normalize_case(c(2, 67), 1, 1, offset = FALSE), normalize_case(7, 0, 1), normalize_case(c(3, 4), 1, 2),
  normalize_case(c(2, 5, 6), 1, 3), normalize_case(c(2, 3, 2, 4), 1, 2, scale = FALSE, offset = FALSE),
  normalize_case(c(2, 5, 3), 1), normalize_case(c(2, 70, 4), 1, 1), normalize_case(c(3, 2, 2, 4), 2, 2),
  given_case(c(5, 3)), given_case(c(2, 70, 4), offset = FALSE), given_case(c(1, 19), scale = FALSE), given_case(7),
  given_case(c(3, 2, 3), FALSE, FALSE), given_case(c(0, 3))
)

random_normalize <- function() {
  d <- c(sample(5, sample(3, 1), replace = TRUE), 0) + 1
  leading <- sample(seq_along(d), 1) - 1
  groups <- sample(4, 1)
  d[length(d)] <- groups * sample(c(1, 2, 5), 1)
  flags <- stats::runif(3) < 0.5
  if (stats::runif(1) < 0.3) return(given_case(d, flags[1], flags[2]))
  normalize_case(d, leading, if (flags[3]) groups, flags[1], flags[2])
}
