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
  matrix_diag = unlist(recursive = FALSE, lapply(c(0, 1, -2), function(k) lapply(list(1, 3, c(2, 3), c(2, 1, 2)),
    function(d)
    case(paste(text_of(d), "k", k), list(some(d)), function(x) op_matrix_diag(x, k), on_last_axis(function(v)
      with_diagonal(matrix(0, length(v) + abs(k), length(v) + abs(k)), v, k)))))),
  set_diag = lapply(list(c(3, 3, 0, 3), c(2, 4, 0, 2), c(4, 2, 0, 2), c(4, 3, -2, 2), c(3, 4, 1, 3)), function(s)
    case(toString(s), list(some(s[1:2]), some(s[4], k = 2)), function(x, d) op_set_diag(x, d, s[3]), function(x, d)
      with_diagonal(x, d, s[3]))),
  trace = lapply(list(c(3, 3), c(2, 4), c(2, 3, 3)), matrix_case, function(x) op_trace(x, 0, -2, -1), function(m)
    sum(diagonal_of(m, 0))),
  band_part = unlist(recursive = FALSE, lapply(list(c(-1, 0), c(0, -1), c(1, 1), c(0, 0), c(-1, -1), c(0, 2)),
    function(b) lapply(list(c(3, 3), c(2, 2, 4), c(4, 2)), matrix_case, function(x) op_band_part(x, b[1], b[2]),
      function(m) m * ((b[1] < 0 | row(m) - col(m) <= b[1]) & (b[2] < 0 | col(m) - row(m) <= b[2]))))),
  matrix_transpose = lapply(list(c(2, 3), c(2, 3, 4), c(0, 3)), matrix_case, function(x) op_matrix_transpose(x), t)
)

# ---- by LAPACK ----

#' Numbers whose matrices are far from singular: the diagonal is large.
firm <- function(d, k = 1) {
  n <- length(d)
  x <- array(some(d, -1, 1, k), d)
  on <- arrayInd(seq_along(x), d)
  x + (on[, n] == on[, n - 1]) * (1.5 + on[, n]) # array(): the matrix of indices is as long as x
}
#' f(a, b) of each pair of matrices
each_pair <- function(f) {
  function(a, b) {
    d <- dims(b)
    n <- length(d)
    lead <- d[seq_len(n - 2)]
    p <- array(a, c(prod(lead), dims(a)[n - 1:0]))
    q <- array(b, c(prod(lead), d[n - 1:0]))
    for (i in seq_len(prod(lead))) q[i, , ] <- f(array(p[i, , ], dim(p)[-1]), array(q[i, , ], dim(q)[-1]))
    array(q, d)
  }
}
or_empty <- function(f) function(a, b) if (length(b)) f(a, b) else b
solve_case <- function(lead, n, k, call, f, what = "") case(paste(what, text_of(lead, n, k)), list(firm(c(lead, n, n)),
  array(some(c(lead, n, k), k = 2), c(lead, n, k))), call, each_pair(or_empty(f)))
triangle_solve_case <- function(lead, n, k, lower, adjoint) {
  solve_case(lead, n, k, function(a, b) op_triangular_solve(a, b, lower, adjoint), function(a, b) {
    a[if (lower) col(a) > row(a) else col(a) < row(a)] <- 0
    solve(if (adjoint) t(a) else a, b)
  }, paste("lower", lower, "adjoint", adjoint))
}
squared <- function(x) op_matmul(x, x, transpose_y = TRUE) # symmetric, positive definite
square_of <- function(m) m %*% t(m)
firm_case <- function(d, call, f, what = text_of(d), ...) case(what, list(firm(d)), call, each_matrix(f), ...)
determinant_of <- function(m) if (nrow(m)) det(m) else 1
chol_of <- function(m) if (nrow(m)) t(chol(square_of(m))) else m
# signs of vectors are free: their squares are not
gram_schmidt <- function(m) { # q with the signs that make r positive
  k <- min(dim(m))
  q <- matrix(0, nrow(m), k)
  for (j in seq_len(k)) {
    v <- m[, j]
    for (again in 1:2) for (i in seq_len(j - 1)) v <- v - q[, i] * sum(q[, i] * v)
    q[, j] <- v / sqrt(sum(v^2))
  }
  list(q = q, r = t(q) %*% m)
}
cholesky_case <- function(d) firm_case(d, function(x) op_cholesky(squared(x)), chol_of)
det_case <- function(d) firm_case(d, function(x) op_det(x), determinant_of, floor = 1)
qr_cases <- function(d) list(
  firm_case(d, function(x) op_square(op_qr(x)$q), function(m) gram_schmidt(m)$q^2, paste("q", text_of(d))),
  firm_case(d, function(x) op_square(op_qr(x)$r), function(m) gram_schmidt(m)$r^2, paste("r", text_of(d)), floor = 1),
  firm_case(d, function(x) {
    parts <- op_qr(x)
    op_square(op_matmul(parts$q, parts$r * 1.5)) + op_sum(op_square(parts$r * parts$r), c(-2, -1), keepdims = TRUE)
  }, function(m) (1.5 * m)^2 + sum(gram_schmidt(m)$r^4), paste("both", text_of(d)), floor = 10)
)
eigh_cases <- function(d) list(
  firm_case(d, function(x) op_eigh(squared(x))$values, function(m) array(rev(eigen(square_of(m))$values)),
    paste("values", text_of(d)), floor = 1),
  firm_case(d, function(x) op_square(op_eigh(squared(x))$vectors), function(m)
    eigen(square_of(m))$vectors[, rev(seq_len(nrow(m))), drop = FALSE]^2, paste("vectors", text_of(d)), floor = 1)
)
svd_cases <- function(d) list(
  firm_case(d, function(x) op_svd(x, FALSE)$s, function(m) array(svd(m)$d), paste("s", text_of(d)), floor = 1),
  firm_case(d, function(x) op_square(op_svd(x, FALSE)$u), function(m) svd(m)$u^2, paste("u", text_of(d)), floor = 1),
  firm_case(d, function(x) op_square(op_matrix_transpose(op_svd(x, FALSE)$vh)), function(m) svd(m)$v^2, paste("v",
    text_of(d)), floor = 1),
  firm_case(d, function(x) {
    parts <- op_svd(x, FALSE)
    op_matmul(parts$u * op_expand_dims(op_log(parts$s), -2), parts$vh)
  }, function(m) with(svd(m), u %*% (log(d) * t(v))), paste("all", text_of(d)), floor = 1)
)
flat_cases <- function(...) unlist(list(...), recursive = FALSE)

lapack_cases <- list(
  cholesky = lapply(list(c(3, 3), c(1, 1), c(2, 4, 4), c(2, 1, 2, 2), c(0, 0), c(0, 2, 2)), cholesky_case),
  triangular_solve = flat_cases(
    lapply(1:4, function(i) triangle_solve_case(integer(), 3, 2, i %% 2 == 1, i > 2)),
    lapply(1:4, function(i) triangle_solve_case(2, 2, 1, i %% 2 == 1, i > 2)),
    list(triangle_solve_case(integer(), 1, 1, TRUE, FALSE), triangle_solve_case(integer(), 3, 0, TRUE, FALSE))
  ),
  solve = flat_cases(
    lapply(list(list(integer(), 3, 2), list(2, 2, 3), list(c(2, 1), 3, 1), list(integer(), 1, 1), list(integer(), 3, 0),
      list(0, 2, 1)), function(s) solve_case(s[[1]], s[[2]], s[[3]], function(a, b) op_solve(a, b), solve)),
    list(solve_case(2, 3, 2, function(a, b) op_solve(a, b, adjoint = TRUE), function(a, b) solve(t(a), b), "adjoint"))
  ),
  det = lapply(list(c(3, 3), c(1, 1), c(2, 4, 4), c(0, 0)), det_case),
  qr = flat_cases(qr_cases(c(3, 3)), qr_cases(c(5, 3)), qr_cases(c(3, 5)), qr_cases(c(2, 4, 2))),
  eigh = flat_cases(eigh_cases(c(3, 3)), eigh_cases(c(2, 4, 4)), eigh_cases(c(1, 1))),
  svd = flat_cases(svd_cases(c(3, 3)), svd_cases(c(5, 3)), svd_cases(c(3, 5)), svd_cases(c(2, 4, 2)))
)
random_linalg <- function(op) {
  lead <- sample(0:3, sample(0:2, 1), TRUE)
  n <- sample(5, 1)
  flags <- stats::runif(2) < 0.5
  cases <- switch(op, cholesky = list(cholesky_case(c(lead, n, n))), det = list(det_case(c(lead, n, n))),
    triangular_solve = list(triangle_solve_case(lead, n, sample(0:3, 1), flags[1], flags[2])),
    solve = list(solve_case(lead, n, sample(0:3, 1), function(a, b) op_solve(a, b), solve)),
    qr = qr_cases(c(lead, n, sample(5, 1))),
    eigh = eigh_cases(c(lead, n, n)), svd = svd_cases(c(lead, n, sample(5, 1))))
  cases[[sample(length(cases), 1)]]
}

norm_case <- function(d, ord, axis, f, keepdims = FALSE) {
  case(paste(text_of(d), ord, toString(axis)), list(array(some(d), d)), function(x) tf$norm(x, ord,
    if (!is.null(axis)) axis - (axis > 0), keepdims), f)
}
pinv_of <- function(m) with(svd(m), v %*% (t(u) / d))
matrix_cases <- c(matrix_cases, list(
  norm = list(
    norm_case(5, "euclidean", NULL, function(x) sqrt(sum(x^2))), norm_case(c(2, 3), 2, NULL, function(x)
      sqrt(sum(x^2))), norm_case(c(2, 3), "fro", c(1, 2), function(x) sqrt(sum(x^2))),
    norm_case(c(2, 3), 1, 2, function(x) array(rowSums(abs(x)))), norm_case(c(2, 3), Inf, 1, function(x)
      array(apply(abs(x), 2, max))), norm_case(c(2, 3), 3, 1, function(x) array(colSums(abs(x)^3)^(1 / 3))),
    norm_case(c(2, 3), 1, c(1, 2), function(x) max(colSums(abs(x)))), norm_case(c(2, 3), 1, c(-1, 1), function(x)
      max(rowSums(abs(x)))), norm_case(c(2, 3), Inf, c(1, 2), function(x) max(rowSums(abs(x)))),
    norm_case(c(2, 3), 2, c(1, 2), function(x) svd(x)$d[1]), norm_case(c(3, 2, 2), 2, c(1, 3), function(x)
      array(c(svd(x[, 1, ])$d[1], svd(x[, 2, ])$d[1]), c(1, 2, 1)), TRUE),
    norm_case(c(2, 3), 1, c(1, 2), function(x) matrix(max(colSums(abs(x)))), TRUE)
  ),
  inverse = c(lapply(list(c(3, 3), c(2, 2, 2), c(1, 1)), firm_case, function(x) op_inverse(x), solve),
    list(firm_case(c(2, 2), function(x) op_inverse(x, adjoint = TRUE), function(m) solve(t(m)), "adjoint"))),
  slogdet = c(
    lapply(list(c(3, 3), c(2, 4, 4)), firm_case, function(x) op_slogdet(x)$log_abs_determinant, function(m)
      log(abs(det(m))), floor = 1),
    list(firm_case(c(3, 3), function(x) op_slogdet(op_negative(x))$sign * op_sum(x), function(m) sign(det(-m)) * sum(m),
      "sign"))
  ),
  pinv = lapply(list(c(3, 3), c(4, 2), c(2, 4), c(2, 3, 2)), firm_case, function(x) op_pinv(x), pinv_of),
  lstsq = flat_cases(
    lapply(list(c(4, 2), c(2, 4), c(3, 3)), function(d) case(text_of(d), list(firm(d), some(c(d[1], 2), k = 2)),
      function(a, b) op_lstsq(a, b, fast = TRUE), function(a, b) pinv_of(a) %*% b, floor = 1)),
    list(
      case("penalty", list(firm(c(4, 2)), some(c(4, 1), k = 2)), function(a, b) op_lstsq(a, b, NULL, 0.5, TRUE),
        function(a, b)
        solve(t(a) %*% a + diag(0.5, 2), t(a) %*% b)),
      case("slow", list(firm(c(4, 2)), some(c(4, 1), k = 2)), function(a, b) op_lstsq(a, b, fast = FALSE),
        function(a, b) pinv_of(a) %*% b)
    )
  )
))
composed <- c(composed, names(matrix_cases))
op_cases <- c(op_cases, lapack_cases, matrix_cases)
