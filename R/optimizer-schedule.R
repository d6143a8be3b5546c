#' Learning rate schedules
#'
#' A schedule gives the learning rate of each step. It is the argument `learning_rate` of an optimizer. Each is a
#' function of the step, counted from 0, that takes a vector of steps, too: `plot(rate(0:1000))` shows it.
#'
#' [learning_rate_schedule_exponential_decay()], [learning_rate_schedule_inverse_time_decay()],
#' [learning_rate_schedule_polynomial_decay()], [learning_rate_schedule_piecewise_constant_decay()],
#' [learning_rate_schedule_cosine_decay()], [learning_rate_schedule_cosine_decay_restarts()].
#'
#' @seealso [optimizers]; [callback_learning_rate_scheduler()] sets the learning rate by epoch,
#'   [callback_reduce_lr_on_plateau()] by a metric.
#' @examples
#' rate <- learning_rate_schedule_cosine_decay(0.1, decay_steps = 1000)
#' plot(0:1200, rate(0:1200), type = "l", xlab = "step", ylab = "learning rate")
#' optimizer_adam(learning_rate = rate)
#' @name learning_rate_schedules
NULL

# It remembers its constructor and the arguments, from which it can be made again.
new_schedule <- function(name, f) {
  arguments <- mget(names(formals(sys.function(-1))), envir = parent.frame())
  at_step <- function(step) f(if (is_tensor(step)) step else
    check_reals(step, fun = paste0("learning_rate_schedule_", name)))
  structure(at_step, class = "nn_schedule", name = paste0("learning_rate_schedule_", name), config = arguments)
}
is_schedule <- function(x) inherits(x, "nn_schedule")

#' Exponential decay of the learning rate
#'
#' At step t the learning rate is
#' \deqn{r_t = r_0 \, d^{\,t / T}}{r_t = r_0 d^(t / T)}
#' with the initial learning rate \eqn{r_0}, the decay rate d and the decay steps T: after each T steps it is multiplied
#' by d. With `staircase` t / T is rounded down, so that the learning rate falls in steps.
#'
#' @param initial_learning_rate a number, the learning rate at step 0.
#' @param decay_steps a positive number of steps.
#' @param decay_rate a positive number.
#' @param staircase change the learning rate at multiples of `decay_steps` only?
#' @param name a string or `NULL`; present for compatibility with Keras.
#' @return A schedule: a function of class `nn_schedule` that takes steps, counted from 0, and gives learning rates.
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_exponential_decay(0.1, decay_steps = 100, decay_rate = 0.5)
#' rate(c(0, 100, 200)) # 0.1 0.05 0.025
#' optimizer_sgd(learning_rate = rate)
#' @export
learning_rate_schedule_exponential_decay <- function(initial_learning_rate, decay_steps, decay_rate,
  staircase = FALSE, name = NULL) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  decay_rate <- check_number(decay_rate, above = 0)
  part <- if (check_flag(staircase)) floor else identity
  new_schedule("exponential_decay", function(step) r * decay_rate^part(step / decay_steps))
}

#' Inverse time decay of the learning rate
#'
#' At step t the learning rate is
#' \deqn{r_t = \frac{r_0}{1 + d \, t / T}}{r_t = r_0 / (1 + d t / T)}
#' with the initial learning rate \eqn{r_0}, the decay rate d and the decay steps T. It falls more slowly than
#' exponential decay in the long run. With `staircase` t / T is rounded down.
#'
#' @inheritParams learning_rate_schedule_exponential_decay
#' @param decay_rate a number of at least 0.
#' @inherit learning_rate_schedule_exponential_decay return
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_inverse_time_decay(0.1, decay_steps = 100, decay_rate = 1)
#' rate(c(0, 100, 300)) # 0.1 0.05 0.025
#' @export
learning_rate_schedule_inverse_time_decay <- function(initial_learning_rate, decay_steps, decay_rate,
  staircase = FALSE, name = NULL) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  decay_rate <- check_number(decay_rate, min = 0)
  part <- if (check_flag(staircase)) floor else identity
  new_schedule("inverse_time_decay", function(step) r / (1 + decay_rate * part(step / decay_steps)))
}

#' Polynomial decay of the learning rate
#'
#' Falls from the initial learning rate \eqn{r_0} to the end learning rate \eqn{r_T} in T decay steps, and stays there.
#' At step t, at most T, it is
#' \deqn{r_t = (r_0 - r_T) \left(1 - \frac{t}{T}\right)^p + r_T}{r_t = (r_0 - r_T) (1 - t / T)^p + r_T}
#' with the power p; 1 is linear decay. With `cycle` T is the first multiple of `decay_steps` that is not below t: the
#' learning rate rises again when it has reached the end.
#'
#' @inheritParams learning_rate_schedule_exponential_decay
#' @param end_learning_rate a number, the learning rate at the end.
#' @param power a number above 0.
#' @param cycle start again after `decay_steps`?
#' @inherit learning_rate_schedule_exponential_decay return
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_polynomial_decay(0.1, decay_steps = 100, end_learning_rate = 0)
#' rate(c(0, 50, 100, 200)) # 0.1 0.05 0 0
#' @export
learning_rate_schedule_polynomial_decay <- function(initial_learning_rate, decay_steps, end_learning_rate = 1e-4,
  power = 1, cycle = FALSE, name = NULL) {
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

#' Piecewise constant learning rate
#'
#' With boundaries \eqn{b_1 < b_2 < \ldots}{b_1 < b_2 < ...} and values \eqn{v_1, v_2, \ldots}{v_1, v_2, ...} the
#' learning rate at step t is
#' \deqn{r_t = v_i \quad \mathrm{for} \quad b_{i-1} < t \le b_i}{r_t = v_i for b_(i-1) < t <= b_i}
#' and the last value after the last boundary.
#'
#' @param boundaries steps, increasing.
#' @param values learning rates, one more than boundaries.
#' @param name a string or `NULL`; present for compatibility with Keras.
#' @inherit learning_rate_schedule_exponential_decay return
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_piecewise_constant_decay(c(100, 200), c(0.1, 0.01, 0.001))
#' rate(c(0, 100, 101, 500)) # 0.1 0.1 0.01 0.001
#' @export
learning_rate_schedule_piecewise_constant_decay <- function(boundaries, values, name = NULL) {
  boundaries <- check_reals(boundaries)
  values <- check_reals(values)
  if (length(values) != length(boundaries) + 1) {
    abort("`values` must have one number more than `boundaries` (", length(boundaries), "), not ", length(values))
  }
  if (is.unsorted(boundaries)) abort("`boundaries` must increase")
  new_schedule("piecewise_constant_decay", function(step) values[findInterval(step, boundaries, left.open = TRUE) + 1])
}

#' Cosine decay of the learning rate
#'
#' Falls from the initial learning rate \eqn{r_0} to \eqn{\alpha r_0}{alpha r_0} in T decay steps along half a wave of
#' the cosine, and stays there. At step t, at most T, it is
#' \deqn{r_t = r_0 \left((1 - \alpha) \, \frac{1 + \cos(\pi t / T)}{2} + \alpha\right)}{
#' r_t = r_0 ((1 - alpha) (1 + cos(pi t / T)) / 2 + alpha)}
#' With a `warmup_target` it first goes there from \eqn{r_0} in a straight line, in `warmup_steps` steps, and then falls
#' from it.
#'
#' @inheritParams learning_rate_schedule_exponential_decay
#' @param alpha the learning rate at the end, as a fraction of the initial one, or of the target.
#' @param warmup_target the learning rate after the first `warmup_steps` steps, or `NULL` to begin with the decay.
#' @param warmup_steps how many steps.
#' @inherit learning_rate_schedule_exponential_decay return
#' @references Loshchilov & Hutter (2017), <https://arxiv.org/abs/1608.03983>.
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_cosine_decay(0.1, decay_steps = 100)
#' rate(c(0, 50, 100, 200)) # 0.1 0.05 0 0
#' @export
learning_rate_schedule_cosine_decay <- function(initial_learning_rate, decay_steps, alpha = 0, name = NULL,
  warmup_target = NULL, warmup_steps = 0) {
  r <- check_number(initial_learning_rate, min = 0)
  decay_steps <- check_number(decay_steps, above = 0)
  alpha <- check_number(alpha, min = 0)
  if (!is.null(warmup_target)) warmup_target <- check_number(warmup_target, min = 0)
  warmup_steps <- check_number(warmup_steps, min = 0)
  fall <- function(from, step) from * ((1 - alpha) * half_wave(pmin(step / decay_steps, 1)) + alpha)
  new_schedule("cosine_decay", function(step) {
    if (is.null(warmup_target)) return(fall(r, step))
    part <- pmin(step / max(warmup_steps, 1), 1)
    ifelse(step < warmup_steps, r + (warmup_target - r) * part, fall(warmup_target, pmax(step - warmup_steps, 0)))
  })
}

half_wave <- function(part) 0.5 * (1 + cos(pi * part))

#' Cosine decay of the learning rate with warm restarts
#'
#' [learning_rate_schedule_cosine_decay()] again and again. Period i, counted from 0, has
#' \eqn{T_i = T_0 \, t_{mul}^i}{T_i = T_0 t_mul^i} steps. At step s of it the learning rate is
#' \deqn{r = r_0 \left((1 - \alpha) \, m_{mul}^i \, \frac{1 + \cos(\pi s / T_i)}{2} + \alpha\right)}{
#' r = r_0 ((1 - alpha) m_mul^i (1 + cos(pi s / T_i)) / 2 + alpha)}
#'
#' @inheritParams learning_rate_schedule_exponential_decay
#' @param first_decay_steps the number of steps of the first period.
#' @param t_mul each period has so many times the steps of the one before, at least 1.
#' @param m_mul each period starts with so many times the learning rate of the one before.
#' @param alpha the learning rate at the end of a period, as a fraction of the initial one.
#' @inherit learning_rate_schedule_exponential_decay return
#' @references Loshchilov & Hutter (2017), SGDR, <https://arxiv.org/abs/1608.03983>.
#' @seealso [learning_rate_schedules]
#' @examples
#' rate <- learning_rate_schedule_cosine_decay_restarts(0.1, first_decay_steps = 100)
#' rate(c(0, 50, 100, 200, 300)) # 0.1 0.05 0.1 0.05 0.1
#' @export
learning_rate_schedule_cosine_decay_restarts <- function(initial_learning_rate, first_decay_steps, t_mul = 2, m_mul = 1,
  alpha = 0, name = NULL) {
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
