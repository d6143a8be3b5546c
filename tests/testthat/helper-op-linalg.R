# Cases of the ops on matrices and of sums of products.

#' Sums of products over named axes, number by number.
einsum_reference <- function(terms, output, sizes) {
  function(...) {
    x <- list(...)
    labels <- names(sizes)
    at <- as.matrix(expand.grid(lapply(sizes, seq_len)))
    products <- rep(1, nrow(at))
    for (k in seq_along(x)) if (length(terms[[k]])) products <- products * x[[k]][at[, terms[[k]], drop = FALSE]] else
      products <- products * x[[k]]
    y <- array(0, if (length(output)) sizes[output] else 1)
    for (i in seq_len(nrow(at))) {
      place <- if (length(output)) at[i, output, drop = FALSE] else 1
      y[place] <- y[place] + products[i]
    }
    shaped(c(y), unname(sizes[output]))
  }
}
#' @param equation with letters alone; `written`: as the op gets it.
einsum_case <- function(equation, sizes, written = equation) {
  sides <- strsplit(paste0(equation, " "), "->", fixed = TRUE)[[1]]
  letters_of <- function(text) strsplit(trimws(text), "")[[1]]
  terms <- lapply(strsplit(paste0(sides[1], ","), ",")[[1]], letters_of)
  inputs <- Map(function(term, k) some(unname(sizes[term]), k = k), terms, seq_along(terms))
  inputs <- Map(function(x, term) if (length(term)) array(x, sizes[term]) else x, inputs, terms)
  case(paste(written, toString(sizes)), lapply(inputs, unname), function(...) op_einsum(written, ...),
    einsum_reference(terms, letters_of(sides[2]), sizes))
}

#' f of each matrix of a batch; what it gives has the shape `to` (a vector of one number for a scalar).
each_matrix <- function(f) {
  function(x) {
    d <- dims(x)
    n <- length(d)
    lead <- d[seq_len(n - 2)]
    m <- array(x, c(prod(lead), d[n - 1:0]))
    y <- lapply(seq_len(prod(lead)), function(i) f(array(m[i, , ], d[n - 1:0])))
    own <- dims(f(array(0, d[n - 1:0]) + diag(1, d[n - 1], d[n])))
    shaped(if (length(y)) c(aperm(array(unlist(y), c(lengths(y)[1], length(y))))) else double(), c(lead, own))
  }
}
matrix_case <- function(d, call, f, what = text_of(d)) case(what, list(array(some(d), d)), call, each_matrix(f))

diagonal_of <- function(m, k) array(m[col(m) - row(m) == k])
with_diagonal <- function(m, d, k) {
  m[col(m) - row(m) == k] <- d
  m
}
on_last_axis <- function(f) { # f of vectors gives matrices
  function(x) {
    d <- dims(x)
    rows <- matrix(x, ncol = d[length(d)])
    y <- lapply(seq_len(nrow(rows)), function(i) f(rows[i, ]))
    shaped(c(aperm(array(unlist(y), c(length(y[[1]]), length(y))))), c(d[-length(d)], dim(y[[1]])))
  }
}

matrix_cases <- list(
  einsum = list(
    einsum_case("ij,jk->ik", c(i = 2, j = 3, k = 4)), einsum_case("ij,jk->ik", c(i = 2, j = 3, k = 4), "ij, jk"),
    einsum_case("ij,kj->ik", c(i = 3, j = 3, k = 2)), einsum_case("ij,ij->", c(i = 3, j = 2)),
    einsum_case("ba,ab->", c(a = 3, b = 2), "ba,ab"), einsum_case("ij->ji", c(i = 2, j = 3)),
    einsum_case("ba->ab", c(a = 2, b = 3), "ba"), einsum_case("ij->", c(i = 2, j = 3)),
    einsum_case("ij->j", c(i = 2, j = 3)), einsum_case("ii->", c(i = 3)), einsum_case("ii->", c(i = 3), "ii"),
    einsum_case("ii->i", c(i = 3)), einsum_case("iij->ji", c(i = 2, j = 3)), einsum_case("iijjk->jk", c(i = 2, j = 3,
      k = 2)), einsum_case("iii->i", c(i = 2)),
    einsum_case("i,j->ij", c(i = 2, j = 3)), einsum_case("i,j->ji", c(i = 2, j = 3)), einsum_case("i,i->i", c(i = 4)),
    einsum_case("bij,bjk->bik", c(b = 2, i = 3, j = 2, k = 2)), einsum_case("bji,bkj->bik", c(b = 2, i = 3, j = 2,
      k = 2)),
    einsum_case("abc,cd->abd", c(a = 2, b = 3, c = 2, d = 4)),
    einsum_case("abc,cde->abde", c(a = 2, b = 3, c = 2, d = 2, e = 3)),
    einsum_case("aecd,abcd->acbe", c(a = 2, b = 2, c = 3, d = 2, e = 3)), einsum_case("acbe,aecd->abcd", c(a = 2, b = 2,
      c = 3, d = 2, e = 3)),
    einsum_case("abcd,abcd->ad", c(a = 2, b = 2, c = 2, d = 3)), einsum_case("ij,k->", c(i = 2, j = 3, k = 2)),
    einsum_case("ij,jk,kl->il", c(i = 2, j = 3, k = 2, l = 2)), einsum_case("i,i,ij->j", c(i = 3, j = 2)),
    einsum_case("i,ij,j->", c(i = 3, j = 2)), einsum_case(",i->i", c(i = 3)), einsum_case(",->", c(a = 1)),
    einsum_case("i->ii", c(i = 3)), einsum_case("ij->iji", c(i = 2, j = 3)), einsum_case("aB,Bc->ac", c(a = 2, B = 3,
      c = 2)), einsum_case("Ba->Ba", c(a = 2, B = 3), "Ba"),
    einsum_case("abij,abjk->abik", c(a = 2, b = 2, i = 2, j = 3, k = 2), "...ij,...jk->...ik"),
    einsum_case("abij,bjk->abik", c(a = 2, b = 2, i = 2, j = 3, k = 2), "...ij,...jk"),
    einsum_case("ai,b->ba", c(a = 2, b = 3, i = 2), "...i,b->b..."), einsum_case("ija->aj", c(a = 2, i = 3, j = 2),
      "ij...->...j"), einsum_case("ij,jk->ik", c(i = 2, j = 3, k = 4), "...ij,...jk->...ik"),
    einsum_case("iabj->abji", c(a = 2, b = 2, i = 2, j = 3), "i...j->...ji"),
    einsum_case("ab,b->ab", c(a = 2, b = 3), "...,..."), einsum_case("ij,jk->ik", c(i = 0, j = 3, k = 4)),
    einsum_case("ij,jk->ik", c(i = 2, j = 0, k = 4)), einsum_case("abc,cd->abd", c(a = 2, b = 0, c = 2, d = 4)),
    case("broadcast dots", list(some(c(3, 1, 2)), some(c(1, 4, 2), k = 2)), function(x, y)
      op_einsum("...i,...i->...", x, y),
      function(x, y) outer(1:3, 1:4, Vectorize(function(i, j) sum(x[i, 1, ] * y[1, j, ]))))
  ),
  tensordot = list(
    case("2", list(some(c(2, 3, 2)), some(c(3, 2, 4), k = 2)), function(x, y) op_tensordot(x, y, 2), function(x, y)
      matrix(x, 2) %*% matrix(y, 6)),
    case("0", list(some(2), some(3, k = 2)), function(x, y) op_tensordot(x, y, 0), function(x, y) outer(x, y)),
    case("pairs", list(some(c(2, 3, 4)), some(c(4, 5, 2), k = 2)), function(x, y) op_tensordot(x, y, list(c(1, 3),
      c(-1, 1))), function(x, y) matrix(aperm(x, c(2, 1, 3)), 3) %*% matrix(aperm(y, c(3, 1, 2)), 8)),
    case("one each", list(some(c(2, 3)), some(c(4, 3), k = 2)), function(x, y) op_tensordot(x, y, c(2, 2)),
      function(x, y) x %*% t(y))
  ),
  diag_part = c(
    lapply(list(c(3, 3), c(2, 4), c(4, 2), c(2, 3, 4), c(1, 1), c(2, 2, 3, 3), c(0, 3, 2)), matrix_case,
      function(x) op_diag_part(x), function(m) diagonal_of(m, 0)),
    lapply(c(-2, -1, 1, 3), function(k) matrix_case(c(2, 3, 4), function(x) op_diag_part(x, k), function(m)
      diagonal_of(m, k), paste("k", k)))
  ),
  diag = unlist(recursive = FALSE, lapply(c(0, 1, -2), function(k) lapply(list(1, 3, c(2, 3), c(2, 1, 2)), function(d)
    case(paste(text_of(d), "k", k), list(some(d)), function(x) op_diag(x, k), on_last_axis(function(v)
      with_diagonal(matrix(0, length(v) + abs(k), length(v) + abs(k)), v, k)))))),
  set_diag = lapply(list(c(3, 3, 0, 3), c(2, 4, 0, 2), c(4, 2, 0, 2), c(4, 3, -2, 2), c(3, 4, 1, 3)), function(s)
    case(toString(s), list(some(s[1:2]), some(s[4], k = 2)), function(x, d) op_set_diag(x, d, s[3]), function(x, d)
      with_diagonal(x, d, s[3]))),
  trace = lapply(list(c(3, 3), c(2, 4), c(2, 3, 3)), matrix_case, function(x) op_trace(x), function(m)
    sum(diagonal_of(m, 0))),
  band_part = unlist(recursive = FALSE, lapply(list(c(-1, 0), c(0, -1), c(1, 1), c(0, 0), c(-1, -1), c(0, 2)),
    function(b) lapply(list(c(3, 3), c(2, 2, 4), c(4, 2)), matrix_case, function(x) op_band_part(x, b[1], b[2]),
      function(m) m * ((b[1] < 0 | row(m) - col(m) <= b[1]) & (b[2] < 0 | col(m) - row(m) <= b[2]))))),
  matrix_transpose = lapply(list(c(2, 3), c(2, 3, 4), c(0, 3)), matrix_case, function(x) op_matrix_transpose(x), t)
)
composed <- c(composed, names(matrix_cases))
op_cases <- c(op_cases, matrix_cases)
