# Sums of products over named axes: each pair of operands becomes one product of matrices, so that derivatives of any
# order are those of transpose, matmul and sums.

#' Einstein summation
#'
#' Products of tensors, summed over axes, as an equation says that names the axes of each tensor by letters:
#' `"ij,jk->ik"` is the matrix product, \eqn{z_{ik} = \sum_j x_{ij} y_{jk}}{z[i, k] = sum over j of x[i, j] y[j, k]}.
#'
#' * Letters that are missing behind `->` are summed over. Without `->` the result has the letters that stand once, in
#'   alphabetical order.
#' * `...` stands for any number of axes before, between or after those with letters. They broadcast, as in [op_add()].
#' * A letter that stands twice in one tensor takes its diagonal: `"ii->i"`, and `"ii->"` is the trace. Twice behind
#'   `->` it makes a diagonal: `"i->ii"`.
#' * More than two tensors are multiplied from left to right.
#'
#' @param subscripts a string: the equation.
#' @param ... one tensor or array for each part of the equation before `->`; or a list of them.
#' @return A tensor.
#' @section Errors: `nativenet_error_value` for an equation that cannot be read; `nativenet_error_shape` if a tensor has
#'   other axes than the equation, or a letter stands for different sizes.
#' @seealso [op_matmul()], [op_tensordot()]
#' @examples
#' x <- matrix(1:6 / 2, 2)
#' as.array(op_einsum("ij,kj->ik", x, x)) # x %*% t(x)
#' as.array(op_einsum("ij->j", x)) # colSums(x)
#' as.array(op_einsum("bij,bjk->bik", array(1, c(4, 2, 3)), array(1, c(4, 3, 5))))[1, , ]
#' @export
op_einsum <- function(subscripts, ...) {
  inputs <- list(...)
  if (length(inputs) == 1 && is_branch(inputs[[1]])) inputs <- inputs[[1]]
  terms <- einsum_terms(check_string(subscripts), check_tensors(inputs, "..."))
  done <- Reduce(function(all, k) {
    own <- once_each(list(value = inputs[[k]], labels = terms$inputs[[k]]))
    needed <- c(terms$output, unlist(terms$inputs[-seq_len(k)]))
    summed_to(if (is.null(all)) own else multiplied(all, own, needed), needed)
  }, seq_along(inputs <- as_one_dtype(inputs)), NULL)
  result <- arranged(done, unique(terms$output))
  for (k in which(duplicated(terms$output))) result <- on_diagonal(result, match(terms$output[k], terms$output), k)
  as_value(result)
}

#' Tensor contraction
#'
#' Sums products over pairs of axes of two tensors. The result has the other axes of `x1`, then those of `x2`.
#'
#' @param x1,x2 tensors or arrays.
#' @param axes how many: the last axes of `x1` with the first ones of `x2`; or a list of the axes of `x1` and the axes
#'   of
#'   `x2`, 1-based, negative from the end.
#' @return A tensor.
#' @section Errors: `nativenet_error_shape` if the sizes of a pair of axes differ.
#' @seealso [op_matmul()], [op_einsum()]
#' @examples
#' x <- array(1:24 / 2, c(2, 3, 4))
#' dim(op_tensordot(x, x, list(c(1, 3), c(1, 3)))) # 3 3
#' @export
op_tensordot <- function(x1, x2, axes = 2) {
  ranks <- c(rank_of(x1), rank_of(x2))
  if (!is_branch(axes) && length(axes) == 1) {
    n <- check_count(axes, min = 0, max = min(ranks))
    axes <- list(seq_len(n) + ranks[1] - n, seq_len(n))
  }
  if (length(axes) != 2 || length(axes[[1]]) != length(axes[[2]])) abort("`axes` must be a number of axes, or a list ",
    "of as many axes of `x1` as of `x2`, not ", describe(axes))
  labels <- lapply(1:2, function(k) letters[(k - 1) * 8 + seq_len(ranks[k])])
  at <- lapply(1:2, function(k) check_axis(axes[[k]], ranks[k], "axes") + 1)
  for (own in at) if (anyDuplicated(own)) abort("`axes` must name each axis once, not ", describe(axes))
  labels[[2]][at[[2]]] <- labels[[1]][at[[1]]]
  output <- setdiff(c(labels[[1]], labels[[2]]), labels[[1]][at[[1]]])
  op_einsum(paste0(paste(vapply(labels, paste, "", collapse = ""), collapse = ","), "->", paste(output, collapse = "")),
    x1, x2)
}

#' R numbers take the dtype of the first tensor among them.
#' @noRd
as_one_dtype <- function(xs) {
  typed <- Filter(is_tensor, xs)
  dtype <- if (length(typed)) tensor_dtype(typed[[1]]) else if (any(vapply(xs, is.double, NA))) do.call(float_dtype,
    xs, quote = TRUE)
  lapply(xs, function(x) if (is_tensor(x)) x else tensor(x, dtype))
}

# ---- the equation ----

#' The label of each axis of the inputs and of the output. Those that "..." stands for are called ".2", ".1", counted
#' from the right as broadcasting does.
#' @noRd
einsum_terms <- function(equation, inputs, fun = calling_function()) {
  text <- gsub("...", "*", gsub("[[:space:]]", "", equation), fixed = TRUE)
  sides <- strsplit(text, "->", fixed = TRUE)[[1]]
  given <- grepl("->", text, fixed = TRUE)
  terms <- strsplit(strsplit(paste0(sides[1], ","), ",", fixed = TRUE)[[1]], "")
  output <- if (!given) once_in(unlist(terms)) else if (length(sides) > 1) strsplit(sides[2], "")[[1]]
  if (!grepl("^[A-Za-z*,]*(->[A-Za-z*]*)?$", text) || any(vapply(c(terms, list(output)), function(t)
    sum(t == "*") > 1, NA)))
    abort("`subscripts` must name axes by letters, as in \"ij,jk->ik\", with one \"...\" in each part, not be ",
      describe(equation), fun = fun)
  if (length(terms) != length(inputs)) abort("`subscripts` is for ", length(terms), " tensors, not ", length(inputs),
    fun = fun)
  unknown <- setdiff(output, c("*", unlist(terms)))
  if (length(unknown)) abort("`subscripts` has the letter `", unknown[1], "` behind `->` alone", fun = fun)
  expanded <- Map(function(term, x, k) {
    more <- rank_of(x) - sum(term != "*")
    if (more < 0 || more > 0 && !"*" %in% term) abort("tensor ", k, " must have the axes ", sub("*", "...",
      paste(term, collapse = ""), fixed = TRUE), " of the equation, not shape ", format_shape(shape_of(x)),
      class = "shape", fun = fun)
    expand_dots(term, more)
  }, terms, inputs, seq_along(inputs))
  dots <- max(0, vapply(expanded, function(labels) sum(startsWith(labels, ".")), 0))
  if (dots && !"*" %in% output) abort("`subscripts` must have \"...\" behind `->`, too", fun = fun)
  check_label_sizes(unlist(expanded), unlist(lapply(inputs, function(x) lapply(seq_len(rank_of(x)), size_at,
    sizes = shape_of(x))), recursive = FALSE), fun)
  list(inputs = unname(expanded), output = expand_dots(output, dots))
}

expand_dots <- function(term, n) {
  dots <- paste0(".", rev(seq_len(n)), recycle0 = TRUE)
  as.character(unlist(lapply(term, function(label) if (label == "*") dots else label)))
}

#' The dots, and the letters that stand once, upper case first.
#' @noRd
once_in <- function(labels) {
  c(if ("*" %in% labels) "*", sort(setdiff(labels[!labels %in% labels[duplicated(labels)]], "*"), method = "radix"))
}

check_label_sizes <- function(labels, sizes, fun) {
  for (k in which(duplicated(labels) & !startsWith(labels, "."))) {
    first <- match(labels[k], labels)
    if (!same_sizes(sizes[[first]], sizes[[k]])) abort("`", labels[k], "` stands for axes of different sizes, ",
      sizes[[first]][1], " and ", sizes[[k]][1], class = "shape", fun = fun)
  }
}

# ---- operands: list(value, labels of its axes) ----

#' Diagonals where a label stands twice.
#' @noRd
once_each <- function(x) {
  while (anyDuplicated(x$labels)) {
    label <- x$labels[anyDuplicated(x$labels)]
    pair <- which(x$labels == label)[1:2]
    x$value <- op_diag_part(op_transpose(x$value, c(seq_along(x$labels)[-pair], pair)))
    x$labels <- c(x$labels[-pair], label)
  }
  x
}

summed_to <- function(x, needed) {
  drop <- which(!x$labels %in% needed)
  if (!length(drop)) return(x)
  list(value = op_sum(x$value, drop), labels = x$labels[-drop])
}

#' Its axes in the order `to`; those that it lacks have size 1. `groups` of them become one axis each.
#' @noRd
arranged <- function(x, to, groups = as.list(seq_along(to))) {
  own <- match(intersect(to, x$labels), x$labels)
  value <- if (is.unsorted(own)) op_transpose(x$value, own) else x$value
  sizes <- rep(1, length(to))
  sizes[to %in% x$labels] <- open_shape(value)
  if (length(own) == length(to) && all(lengths(groups) == 1)) return(value)
  reshape_to(value, vapply(groups, function(at) if (-1 %in% sizes[at]) -1 else prod(sizes[at]), 0))
}

#' The product of two operands, summed over what both have and nobody else needs.
#' @noRd
multiplied <- function(x, y, needed) {
  x <- summed_to(x, c(y$labels, needed))
  y <- summed_to(y, c(x$labels, needed))
  both <- intersect(x$labels, y$labels)
  dots <- sort(Filter(function(label) startsWith(label, "."), union(x$labels, y$labels)), decreasing = TRUE)
  batch <- c(dots, setdiff(intersect(both, needed), dots))
  inner <- setdiff(both, batch)
  left <- setdiff(x$labels, c(batch, inner))
  right <- setdiff(y$labels, c(batch, inner))
  labels <- c(batch, left, right)
  if (!length(inner)) return(list(value = op_multiply(arranged(x, labels), arranged(y, labels)), labels = labels))
  # as a matrix, with its axes in the order that they have, if that will do
  matrices <- function(x, rows, columns) {
    turned <- identical(x$labels, c(batch, columns, rows))
    if (turned) {
      other <- rows
      rows <- columns
      columns <- other
    }
    n <- length(batch)
    list(value = arranged(x, c(batch, rows, columns), c(as.list(seq_len(n)), list(n + seq_along(rows),
      n + length(rows) + seq_along(columns)))), turned = turned)
  }
  a <- matrices(x, left, inner)
  b <- matrices(y, inner, right)
  z <- op_matmul(a$value, b$value, a$turned, b$turned)
  if (length(left) != 1 || length(right) != 1) {
    sizes <- function(of) c(of(z)[seq_along(batch)], of(x$value)[match(left, x$labels)],
      of(y$value)[match(right, y$labels)])
    open <- sizes(open_shape)
    z <- reshape_to(z, if (sum(open == -1) > 1 || -1 %in% open && 0 %in% open) sizes(shape_of) else open)
  }
  list(value = z, labels = labels)
}

#' A new axis `at`, whose numbers stand on the diagonal that it makes with axis `with`.
#' @noRd
on_diagonal <- function(x, with, at) {
  n <- shape_of(x)[with]
  op_where(array(diag(n) == 1, replace(rep(1, max(at, rank_of(x) + 1)), c(with, at), n)), op_expand_dims(x, at), 0)
}
