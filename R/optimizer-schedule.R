#' Learning rates that change with the steps
#'
#' Given as `learning_rate` to an optimizer. Each is a function of the step, counted from 0.
#'
#' | schedule | learning rate at step t |
#' |---|---|
#' | exponential decay | `r0 decay_rate^(t / decay_steps)` |
#' | inverse time decay | `r0 / (1 + decay_rate t / decay_steps)` |
#' | polynomial decay | from `r0` to `end_learning_rate` as `(1 - t / decay_steps)^power`; `cycle`: again and again, each time longer |
#' | piecewise constant decay | `values[i]` while `t <= boundaries[i]`, then the last value |
#' | cosine decay | from `r0` to `alpha r0` along half a wave |
#' | cosine decay restarts | the same with restarts, each period `t_mul` times as long and its start `m_mul` times as high |
#'
#' @param initial_learning_rate r0, a number.
#' @param decay_steps,first_decay_steps a positive number of steps.
#' @param decay_rate a positive number.
#' @param staircase only in whole multiples of `decay_steps`?
#' @param end_learning_rate,power,cycle,alpha,t_mul,m_mul,boundaries,values see the table.
#' @return A function of class `nn_schedule`.
#' @references Loshchilov & Hutter (2017), restarts, <https://arxiv.org/abs/1608.03983>.
#' @examples
#' rate <- learning_rate_schedule_exponential_decay(0.1, decay_steps = 100, decay_rate = 0.5)
#' rate(c(0, 100, 200))
#' optimizer_sgd(learning_rate = rate)
#' @name learning_rate_schedule_exponential_decay
NULL

# It remembers its constructor and the arguments, from which it can be made again.
new_schedule <- function(name, f) {
  arguments <- mget(names(formals(sys.function(-1))), envir = parent.frame())
  at_step <- function(step) f(if (is_tensor(step)) step else
    check_reals(step, fun = paste0("learning_rate_schedule_", name)))
  structure(at_step, class = "nn_schedule", name = paste0("learning_rate_schedule_", name), config = arguments)
}
is_schedule <- function(x) inherits(x, "nn_schedule")

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_exponential_decay <- function(initial_learning_rate, decay_steps, decay_rate,
  staircase = FALSE) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  decay_rate <- check_number(decay_rate, above = 0)
  part <- if (check_flag(staircase)) floor else identity
  new_schedule("exponential_decay", function(step) r * decay_rate^part(step / decay_steps))
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_inverse_time_decay <- function(initial_learning_rate, decay_steps, decay_rate,
  staircase = FALSE) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  decay_rate <- check_number(decay_rate, min = 0)
  part <- if (check_flag(staircase)) floor else identity
  new_schedule("inverse_time_decay", function(step) r / (1 + decay_rate * part(step / decay_steps)))
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_polynomial_decay <- function(initial_learning_rate, decay_steps, end_learning_rate = 1e-4,
  power = 1, cycle = FALSE) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  end_learning_rate <- check_number(end_learning_rate, min = 0)
  power <- check_number(power, above = 0)
  check_flag(cycle)
  new_schedule("polynomial_decay", function(step) {
    length <- if (cycle) decay_steps * pmax(ceiling(step / decay_steps), 1) else decay_steps
    (r - end_learning_rate) * (1 - pmin(step, length) / length)^power + end_learning_rate
  })
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_piecewise_constant_decay <- function(boundaries, values) {
  boundaries <- check_reals(boundaries)
  values <- check_reals(values)
  if (length(values) != length(boundaries) + 1) {
    abort("`values` must have one number more than `boundaries` (", length(boundaries), "), not ", length(values))
  }
  if (is.unsorted(boundaries)) abort("`boundaries` must increase")
  new_schedule("piecewise_constant_decay", function(step) values[findInterval(step, boundaries, left.open = TRUE) + 1])
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_cosine_decay <- function(initial_learning_rate, decay_steps, alpha = 0) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  alpha <- check_number(alpha, min = 0)
  new_schedule("cosine_decay", function(step) r * ((1 - alpha) * half_wave(pmin(step / decay_steps, 1)) + alpha))
}

half_wave <- function(part) 0.5 * (1 + cos(pi * part))

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_cosine_decay_restarts <- function(initial_learning_rate, first_decay_steps, t_mul = 2, m_mul = 1,
  alpha = 0) {
  r <- check_number(initial_learning_rate, min = 0)
  first_decay_steps <- check_number(first_decay_steps, above = 0)
  t_mul <- check_number(t_mul, min = 1)
  m_mul <- check_number(m_mul, above = 0)
  alpha <- check_number(alpha, min = 0)
  new_schedule("cosine_decay_restarts", function(step) {
    vapply(step / first_decay_steps, function(at) {
      period <- if (t_mul == 1) floor(at) else floor(log(1 - at * (1 - t_mul)) / log(t_mul))
      start <- if (t_mul == 1) period else (1 - t_mul^period) / (1 - t_mul)
      r * ((1 - alpha) * m_mul^period * half_wave((at - start) / t_mul^period) + alpha)
    }, 0)
  })
}

#' @export
print.nn_schedule <- function(x, ...) {
  cat("<learning rate schedule> at steps 0, 1, 10, 100, 1000:", format(vapply(c(0, 1, 10, 100, 1000), x, 0),
    digits = 4), "\n")
  invisible(x)
}
