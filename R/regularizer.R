# What large weights cost.

#' Regularizers
#'
#' A regularizer gives the penalty that is added to the loss for a weight. Layers also take the strings `"l1"`, `"l2"`
#' and `"l1_l2"`, and R functions of a tensor.
#'
#' | `regularizer_` | penalty |
#' |---|---|
#' | `l1` | `l sum(abs(w))` |
#' | `l2` | `l sum(w^2)`; there is no 1/2 |
#' | `l1_l2` | the sum of both |
#' | `orthogonal` | `factor` times the mean absolute cosine between two rows (or columns) of a matrix |
#'
#' @param l,l1,l2,factor numbers, zero or more.
#' @param mode `"rows"` or `"columns"`: what should be at right angles.
#' @return A function of class `nn_regularizer`: `f(w)` gives a scalar tensor.
#' @examples
#' regularizer_l2(0.01)(c(3, 4)) # 0.25
#' @name regularizer_l1
NULL

# ---- formulas: functions of the weight and the arguments of the constructor ----

regularizer_formulas <- list(
  l1 = function(w, config) op_multiply(op_sum(op_abs(w)), config$l),
  l2 = function(w, config) op_multiply(op_sum(op_square(w)), config$l),
  l1_l2 = function(w, config) {
    op_add(op_multiply(op_sum(op_abs(w)), config$l1), op_multiply(op_sum(op_square(w)), config$l2))
  },
  orthogonal = function(w, config) {
    if (rank_of(w) != 2) bad_rank("regularizer_orthogonal", "2 axes", shape_of(w))
    if (config$mode == "columns") w <- op_transpose(w)
    n <- shape_of(w)[1]
    rows <- op_l2_normalize(w, axis = 2)
    cosines <- op_multiply(op_matmul(rows, rows, transpose_y = TRUE), 1 - diag(n))
    op_multiply(op_sum(op_abs(cosines)), config$factor / max(n * (n - 1), 1))
  }
)

call_regularizer <- function(w) {
  self <- sys.function()
  regularizer_formulas[[part_name(self)]](as_floats(w), part_config(self))
}

# ---- the objects ----

#' @rdname regularizer_l1
#' @export
regularizer_l1 <- function(l = 0.01) {
  l <- check_number(l, min = 0)
  new_part("regularizer", "l1", list(l = l), call_regularizer)
}

#' @rdname regularizer_l1
#' @export
regularizer_l2 <- function(l = 0.01) {
  l <- check_number(l, min = 0)
  new_part("regularizer", "l2", list(l = l), call_regularizer)
}

#' @rdname regularizer_l1
#' @export
regularizer_l1_l2 <- function(l1 = 0.01, l2 = 0.01) {
  l1 <- check_number(l1, min = 0)
  l2 <- check_number(l2, min = 0)
  new_part("regularizer", "l1_l2", list(l1 = l1, l2 = l2), call_regularizer)
}

#' @rdname regularizer_l1
#' @export
regularizer_orthogonal <- function(factor = 0.01, mode = "rows") {
  factor <- check_number(factor, min = 0)
  check_choice(mode, c("rows", "columns"))
  new_part("regularizer", "orthogonal", list(factor = factor, mode = mode), call_regularizer)
}
