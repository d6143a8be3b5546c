# Where weights are projected to after each step.

#' Constraints
#'
#' A constraint projects a weight back into an allowed set after each training step. Layers take it as
#' `kernel_constraint`, `bias_constraint` and the like: an object, such as `constraint_maxnorm(2)`; a string,
#' `"maxnorm"`, `"nonneg"`, `"unitnorm"` or `"minmaxnorm"`; or an R function of a tensor, made of ops, that gives a
#' tensor of the same shape.
#'
#' [constraint_maxnorm()], [constraint_nonneg()], [constraint_unitnorm()], [constraint_minmaxnorm()].
#'
#' @seealso [layer_dense()], [regularizers]
#' @examples
#' layer_dense(units = 3, kernel_constraint = constraint_nonneg())
#' @name constraints
NULL

# ---- formulas: functions of the weight and the arguments of the constructor ----

constraint_formulas <- list(
  maxnorm = function(w, config) rescale(w, config$axis, function(n) op_minimum(n, config$max_value)),
  nonneg = function(w, config) op_relu(w),
  unitnorm = function(w, config) rescale(w, config$axis, op_ones_like),
  minmaxnorm = function(w, config) {
    rescale(w, config$axis, function(n) {
      op_add(op_multiply(op_clip(n, config$min_value, config$max_value), config$rate), op_multiply(n, 1 - config$rate))
    })
  }
)

#' @param wanted a function of the norms that gives what they should be.
#' @noRd
rescale <- function(w, axis, wanted) {
  norms <- euclidean_norm(w, from_zero(axis), TRUE)
  op_multiply(w, op_divide(wanted(norms), op_add(norms, session$epsilon)))
}

call_constraint <- function(w) {
  self <- sys.function()
  constraint_formulas[[part_name(self)]](as_floats(w), part_config(self))
}

# ---- the objects ----

check_axes <- function(axis, fun = calling_function()) check_whole(axis, arg = "axis", fun = fun)

#' Max-norm constraint
#'
#' Shrinks vectors of weights whose norm n is above m, the largest one that is allowed:
#' \deqn{w \leftarrow w \, \frac{\min(n, m)}{n + e}}{w = w min(n, m) / (n + e)}
#' with e = [k_epsilon()]. It is often used with dropout. As a string: `"maxnorm"` or `"max_norm"`.
#'
#' @param max_value a number of at least 0, m.
#' @param axis **0-based**, as in Keras: one or more axes along which the Euclidean norm is taken. For the kernel of a
#'   dense layer, (inputs, units), 0 is the norm of the weights of each unit; for that of a convolution it is
#'   `c(0, 1, 2)`.
#' @return A constraint: a function of class `nn_constraint` that takes a weight and gives a tensor of its shape.
#' @references Srivastava et al. (2014), <https://jmlr.org/papers/v15/srivastava14a.html>.
#' @seealso [constraints]
#' @examples
#' constraint_maxnorm(2)(matrix(c(3, 4, 0.3, 0.4), 2)) # the first column has norm 5
#' @export
constraint_maxnorm <- function(max_value = 2, axis = 0) {
  max_value <- check_number(max_value, min = 0)
  new_part("constraint", "maxnorm", list(max_value = max_value, axis = check_axes(axis)), call_constraint)
}

#' Non-negativity constraint
#'
#' Sets negative weights to 0:
#' \deqn{w \leftarrow \max(w, 0)}{w = max(w, 0)}
#' As a string: `"nonneg"` or `"non_neg"`.
#'
#' @inherit constraint_maxnorm return
#' @seealso [constraints]
#' @examples
#' constraint_nonneg()(c(-1, 2)) # 0 2
#' @export
constraint_nonneg <- function() new_part("constraint", "nonneg", list(), call_constraint)

#' Unit norm constraint
#'
#' Scales vectors of weights to norm 1:
#' \deqn{w \leftarrow \frac{w}{n + e}}{w = w / (n + e)}
#' with n the norm and e = [k_epsilon()]. As a string: `"unitnorm"` or `"unit_norm"`.
#'
#' @inheritParams constraint_maxnorm
#' @inherit constraint_maxnorm return
#' @seealso [constraints]
#' @examples
#' constraint_unitnorm()(matrix(c(3, 4, 0.3, 0.4), 2)) # both columns 0.6 0.8
#' @export
constraint_unitnorm <- function(axis = 0) new_part("constraint", "unitnorm", list(axis = check_axes(axis)),
  call_constraint)

#' Min-max norm constraint
#'
#' Moves the norm n of vectors of weights towards the range from a to b:
#' \deqn{w \leftarrow w \, \frac{\rho \, \min(\max(n, a), b) + (1 - \rho) \, n}{n + e}}{
#' w = w (rho min(max(n, a), b) + (1 - rho) n) / (n + e)}
#' with the rate \eqn{\rho}{rho} and e = [k_epsilon()]. As a string: `"minmaxnorm"` or `"min_max_norm"`.
#'
#' @inheritParams constraint_maxnorm
#' @param min_value,max_value numbers of at least 0, a and b.
#' @param rate from 0 to 1: how strictly; 1 brings the norm into the range at once.
#' @inherit constraint_maxnorm return
#' @seealso [constraints]
#' @examples
#' constraint_minmaxnorm(1, 2)(matrix(c(3, 4, 0.3, 0.4), 2)) # norms 2 and 1
#' @export
constraint_minmaxnorm <- function(min_value = 0, max_value = 1, rate = 1, axis = 0) {
  min_value <- check_number(min_value, min = 0)
  max_value <- check_number(max_value, min = min_value)
  rate <- check_number(rate, min = 0, max = 1)
  new_part("constraint", "minmaxnorm", list(min_value = min_value, max_value = max_value, rate = rate,
    axis = check_axes(axis)), call_constraint)
}

# ---- in R6, as in Keras 2 ----

#' Constraints as classes of R6
#'
#' With the package \pkg{R6}, a class to inherit from: its objects are constraints of layers. `call(w)` gives weights in
#' place of `w`, made of ops. [Constraint()] makes such classes without R6.
#'
#' @format An R6 class; `NULL` without the package R6.
#' @examplesIf requireNamespace("R6", quietly = TRUE)
#' NonNegative <- R6::R6Class("NonNegative", inherit = KerasConstraint, public = list(
#'   call = function(w) w * k_cast(k_greater_equal(w, 0), k_floatx())
#' ))
#' layer_dense(units = 2, kernel_constraint = NonNegative$new())
#' @seealso [constraints]
#' @name KerasConstraint
#' @rawNamespace export(KerasConstraint)
NULL

KerasConstraint <- NULL

bind_keras_constraint <- function(namespace) bind_r6_class("KerasConstraint", list(call = function(w) w), namespace)

#' @export
as_model_part.KerasConstraint <- function(x, kind, arg, fun) if (kind == "constraint") own_part(kind, function(w)
  x$call(w), class(x)[1]) else x
