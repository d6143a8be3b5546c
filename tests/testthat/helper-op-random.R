# Cases of random shapes and parameters, for every op of the table.

#' How many random cases per op: NATIVENET_RANDOM=10000 for long runs.
random_count <- function() as.integer(Sys.getenv("NATIVENET_RANDOM", "5"))
one_of <- function(x) x[[sample(length(x), 1)]]
random_shape <- function(rank = sample(0:4, 1), sizes = c(0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 17)) {
  sample(sizes, rank, replace = TRUE, prob = c(0.2, rep(1, length(sizes) - 1)))
}
#' Another shape that broadcasts with `d`.
random_partner <- function(d) {
  d <- utils::tail(d, sample(0:length(d), 1))
  ifelse(stats::runif(length(d)) < 0.3, 1, d)
}

random_case <- function(op) {
  d <- random_shape(sample(1:4, 1))
  axis <- sample(length(d), 1)
  whole <- function(n, from) from + sample(n, 1) - 1
  switch(op,
    matmul = {
      m <- sample(1:40, 3)
      lead <- random_shape(sample(0:2, 1), 0:3)
      flip <- stats::runif(2) < 0.5
      matmul_case(c(random_partner(lead), if (flip[1]) m[2:1] else m[1:2]), c(lead, if (flip[2]) m[3:2] else m[2:3]),
        flip[1], flip[2])
    },
    # no kinks
    dense = dense_case(c(random_shape(sample(0:2, 1)), sample(20, 1)), sample(40, 1),
      one_of(c("linear", "sigmoid", "tanh", "softplus", "exp")), stats::runif(1) < 0.5),
    conv = , conv_transpose = , conv_kernel = random_conv_case(op),
    sum = , mean = , prod = , max = , min = , any = , all = {
      if (op %in% c("max", "min", "prod")) d <- pmin(pmax(d, 1), 6) # so few that all numbers differ
      axes <- sample(length(d), sample(length(d), 1))
      reduce_cases(get(paste0("op_", op)), get(op), list(c(list(d, axes), if (stats::runif(1) < 0.5) TRUE)),
        if (op %in% c("any", "all")) some_true else some)[[1]]
    },
    argmax = argmax_case(pmax(d, 1), axis),
    argmin = argmin_case(pmax(d, 1), axis),
    shape = shape_case(d),
    cumsum = cumsum_case(d, axis),
    cumprod = cumprod_case(pmin(d, 12), axis),
    argsort = argsort_case(d, axis, stats::runif(1) < 0.5),
    reshape = reshape_case(d, sample(c(d, 1))),
    transpose = transpose_case(d, sample(length(d))),
    slice = {
      d <- pmax(d, 1)
      start <- vapply(d, sample, 0L, size = 1)
      step <- sample(c(-3:-1, 1:3), length(d), replace = TRUE)
      slice_case(d, start, vapply(seq_along(d), function(i)
        sample(0:length(seq(start[i], if (step[i] > 0) d[i] else 1, step[i])), 1), 0L), step)
    },
    concat = concat_case(lapply(seq_len(sample(4, 1)), function(i) replace(d, axis, sample(0:5, 1))), axis),
    stack = stack_case(utils::head(d, 3), sample(4, 1), sample(length(utils::head(d, 3)) + 1, 1)),
    gather = {
      d <- pmax(d, 1)
      shape <- random_shape(sample(0:2, 1))
      gather_case(d, shaped(sample(d[axis], prod(shape), replace = TRUE) - 1L, shape), axis)
    },
    scatter_add = {
      d <- pmax(d, 1)
      shape <- random_shape(sample(0:2, 1))
      scatter_case(d, shaped(sample(d[axis], prod(shape), replace = TRUE) - 1L, shape), axis)
    },
    lstm = , gru = , simple_rnn = {
      d <- c(sample(0:6, 1), sample(0:5, 1), sample(0:9, 1), sample(9, 1))
      recurrent_case(op, d, sample(names(recurrent_masks), 1), stats::runif(1) < 0.7, stats::runif(1) < 0.3,
        if (stats::runif(1) < 0.4) sample(9, 1), stats::runif(1) < 0.3, output = one_of(c("last", "sequence")),
        go_backwards = stats::runif(1) < 0.5)
    },
    cholesky = , triangular_solve = , solve = , det = , qr = , eigh = , svd = random_linalg(op),
    attention = random_attention(),
    normalize = random_normalize(),
    transform_image = , transform_image_back = random_image(op),
    max_pool = , average_pool = , max_pool_argmax = , average_unpool = random_pool(op),
    where = where_case(random_partner(d), random_partner(d), d),
    {
      # the others take any shapes: those of a case, resized, with numbers from the same ranges
      case <- one_of(Filter(function(case) sum(lengths(case$inputs)) > 50 && all(lengths(case$inputs) > 1),
        op_cases[[op]]))
      d[length(d)] <- max(1, d[length(d)]) # rows have numbers
      shapes <- if (is.integer(case$inputs[[1]])) { # labels
        list(d[-length(d)], d)
      } else if (op %in% binary_like && length(case$inputs) == 2) {
        sample(list(d, random_partner(d)))
      } else {
        rep(list(d), length(case$inputs))
      }
      case$what <- paste(case$what, "as", do.call(text_of, shapes))
      case$inputs <- Map(function(x, s, k) {
        if (is.integer(x)) return(shaped(sample(d[length(d)], prod(s), replace = TRUE) - 1L, s))
        if (is.logical(x)) return(some_true(s, k))
        if (all(x == round(x))) return(shaped(sample(-2:2, prod(s), replace = TRUE) + 0, s))
        some(s, min(x), max(x), k)
      }, case$inputs, shapes, seq_along(shapes))
      case$floor <- 1
      case
    }
  )
}
binary_like <- c("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "floor_divide", "floor_mod",
  "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or")
