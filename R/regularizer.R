# Penalties for weights.

#' Regularizers
#'
#' A regularizer adds a penalty for a weight (or for the output of a layer) to the loss. Layers take it as
#' `kernel_regularizer`, `bias_regularizer` or `activity_regularizer`: an object, such as `regularizer_l2(0.001)`; a
#' string, `"l1"`, `"l2"` or `"l1_l2"`; or an R function of a tensor, made of ops, that gives a scalar.
#'
#' [regularizer_l1()], [regularizer_l2()], [regularizer_l1_l2()], [regularizer_orthogonal()].
#'
#' @seealso [layer_dense()], [constraints], [optimizer_adamw()] for decoupled weight decay.
#' @examples
#' layer_dense(units = 3, kernel_regularizer = regularizer_l2(0.001))
#' @name regularizers
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

#' L1 regularizer
#'
#' Adds the sum of absolute values of a weight to the loss:
#' \deqn{l \sum_i |w_i|}{l sum(abs(w))}
#' Small weights become 0, so that the weight gets sparse. As a string: `"l1"`.
#'
#' @param l,l1 a number of at least 0, the factor, in Keras for R and in Keras 3: one of them.
#' @return A regularizer: a function of class `nn_regularizer` that takes a weight and gives a scalar tensor.
#' @references Tibshirani (1996), Regression shrinkage and selection via the lasso,
#'   \doi{10.1111/j.2517-6161.1996.tb02080.x}.
#' @seealso [regularizers]
#' @examples
#' regularizer_l1(0.01)(c(3, -4)) # 0.07
#' @export
regularizer_l1 <- function(l = 0.01, l1 = NULL) {
  if (!is.null(l1)) {
    if (!missing(l)) abort("only one of `l` and `l1` can be given")
    l <- check_number(l1, min = 0)
  }
  l <- check_number(l, min = 0)
  new_part("regularizer", "l1", list(l = l), call_regularizer)
}

#' L2 regularizer
#'
#' Adds the sum of squares of a weight to the loss:
#' \deqn{l \sum_i w_i^2}{l sum(w^2)}
#' There is no factor of 1/2, as in Keras, so the gradient is \eqn{2 l w}. It keeps weights small. With plain gradient
#' descent it is weight decay; see [optimizer_adamw()] for others. As a string: `"l2"`.
#'
#' @param l,l2 a number of at least 0, the factor, in Keras for R and in Keras 3: one of them.
#' @inherit regularizer_l1 return
#' @references Krogh & Hertz (1991), A simple weight decay can improve generalization, NIPS.
#' @seealso [regularizers]
#' @examples
#' regularizer_l2(0.01)(c(3, 4)) # 0.25
#' @export
regularizer_l2 <- function(l = 0.01, l2 = NULL) {
  if (!is.null(l2)) {
    if (!missing(l)) abort("only one of `l` and `l2` can be given")
    l <- check_number(l2, min = 0)
  }
  l <- check_number(l, min = 0)
  new_part("regularizer", "l2", list(l = l), call_regularizer)
}

#' L1 and L2 regularizer
#'
#' The sum of [regularizer_l1()] and [regularizer_l2()], which is also called the elastic net:
#' \deqn{l_1 \sum_i |w_i| + l_2 \sum_i w_i^2}{l1 sum(abs(w)) + l2 sum(w^2)}
#' As a string: `"l1_l2"`.
#'
#' @param l1,l2 numbers of at least 0, the factors.
#' @inherit regularizer_l1 return
#' @references Zou & Hastie (2005), \doi{10.1111/j.1467-9868.2005.00503.x}.
#' @seealso [regularizers]
#' @examples
#' regularizer_l1_l2(l1 = 0.01, l2 = 0.01)(c(3, 4)) # 0.32
#' @export
regularizer_l1_l2 <- function(l1 = 0.01, l2 = 0.01) {
  l1 <- check_number(l1, min = 0)
  l2 <- check_number(l2, min = 0)
  new_part("regularizer", "l1_l2", list(l1 = l1, l2 = l2), call_regularizer)
}

#' Orthogonal regularizer
#'
#' Penalizes rows (or columns) of a matrix that are not orthogonal: with n rows \eqn{w_i}, the mean absolute cosine of
#' the angle between two of them:
#' \deqn{\frac{f}{n (n - 1)} \sum_{i \ne j} \frac{|w_i \cdot w_j|}{\|w_i\| \, \|w_j\|}}{
#' f / (n (n - 1)) sum over i != j of abs(w_i w_j) / (norm(w_i) norm(w_j))}
#'
#' @param factor a number of at least 0, f.
#' @param mode `"rows"` or `"columns"`: which should be orthogonal. The columns of a kernel are its units.
#' @inherit regularizer_l1 return
#' @section Errors: `nativenet_error_shape` if the weight is not a matrix.
#' @seealso [regularizers], [initializer_orthogonal()]
#' @examples
#' regularizer_orthogonal(0.01)(diag(2)) # 0
#' regularizer_orthogonal(0.01)(matrix(1, 2, 2)) # 0.01
#' @export
regularizer_orthogonal <- function(factor = 0.01, mode = "rows") {
  factor <- check_number(factor, min = 0)
  check_choice(mode, c("rows", "columns"))
  new_part("regularizer", "orthogonal", list(factor = factor, mode = mode), call_regularizer)
}
