# Where weights are put back to after each step.

#' Constraints
#'
#' A constraint moves a weight back to where it may be, after each step of training. Layers also take the name as a
#' string (`"maxnorm"`, `"nonneg"`, `"unitnorm"`, `"minmaxnorm"`), and R functions of a tensor.
#'
#' | `constraint_` | the weight, with n the Euclidean norm along `axis` |
#' |---|---|
#' | `maxnorm` | `w min(n, max_value) / (n + e)` |
#' | `nonneg` | `w`, 0 where it is negative |
#' | `unitnorm` | `w / (n + e)` |
#' | `minmaxnorm` | `w d / (n + e)`, d being `rate` times n cut to `min_value .. max_value` plus `1 - rate` times n |
#'
#' with e = [k_epsilon()], 1e-7.
#'
#' @param max_value,min_value numbers, zero or more.
#' @param rate from 0 to 1: 1 brings the norm back at once.
#' @param axis **0-based**, as in Keras: one or more axes along which the norm is taken. For the kernel of a dense
#'   layer, (inputs, outputs), 0 looks at the weights of each output; for that of a convolution it is `c(0, 1, 2)`.
#' @return A function of class `nn_constraint`: `f(w)` gives a tensor of the shape of `w`.
#' @references Srivastava et al. (2014), max-norm, <https://jmlr.org/papers/v15/srivastava14a.html>.
#' @examples
#' constraint_maxnorm(2)(matrix(c(3, 4, 0.3, 0.4), 2))
#' @name constraint_maxnorm
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

#' @rdname constraint_maxnorm
#' @export
constraint_maxnorm <- function(max_value = 2, axis = 0) {
  max_value <- check_number(max_value, min = 0)
  new_part("constraint", "maxnorm", list(max_value = max_value, axis = check_axes(axis)), call_constraint)
}

#' @rdname constraint_maxnorm
#' @export
constraint_nonneg <- function() new_part("constraint", "nonneg", list(), call_constraint)

#' @rdname constraint_maxnorm
#' @export
constraint_unitnorm <- function(axis = 0) new_part("constraint", "unitnorm", list(axis = check_axes(axis)),
  call_constraint)

#' @rdname constraint_maxnorm
#' @export
constraint_minmaxnorm <- function(min_value = 0, max_value = 1, rate = 1, axis = 0) {
  min_value <- check_number(min_value, min = 0)
  max_value <- check_number(max_value, min = min_value)
  rate <- check_number(rate, min = 0, max = 1)
  new_part("constraint", "minmaxnorm", list(min_value = min_value, max_value = max_value, rate = rate,
    axis = check_axes(axis)), call_constraint)
}
