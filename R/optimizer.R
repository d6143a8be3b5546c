#' Optimizers
#'
#' An optimizer changes trainable variables by the gradients of a loss. `compile(optimizer = )` takes an object, such as
#' `optimizer_adam(learning_rate = 0.01)`, or a name: `"sgd"`, `"rmsprop"`, `"adam"`, `"adamw"`, `"adagrad"`,
#' `"adadelta"`, `"adamax"`, `"nadam"`, `"lion"`, `"ftrl"`, `"lamb"`, `"adafactor"`, `"muon"`. In TensorFlow's
#' spelling they are `tf$optimizers$Adam()` and so on (also `tf$keras$optimizers`). Formulas and defaults are those of
#' Keras 2.15, and of Keras 3 for the last three.
#'
#' * [optimizer_sgd()]: gradient descent, also with momentum;
#' * [optimizer_adam()], [optimizer_adamw()], [optimizer_adamax()], [optimizer_nadam()]: moving averages of the gradient
#'   and of its square;
#' * [optimizer_rmsprop()], [optimizer_adagrad()], [optimizer_adadelta()]: the gradient divided by its past size;
#' * [optimizer_lion()]: the sign of a mix of momentum and gradient; [optimizer_ftrl()]: for sparse linear models;
#' * [optimizer_lamb()], [optimizer_adafactor()], [optimizer_muon()]: for large models; they look at variables as a
#'   whole, at their size or as matrices.
#'
#' @section Members:
#' * `$apply_gradients(grads_and_vars)`: a step with a list of `list(gradient, variable)`. Pairs whose gradient is
#'   `NULL` are left out with a warning; if all are, that is an error.
#' * `$minimize(loss, var_list)`: computes the gradients of `loss`, a function without arguments, and takes a step.
#' * `$learning_rate`: the learning rate of the next step, a number that may be set at any time, by `<-` or by
#'   `$learning_rate$assign(0.01)`; `$lr` is the same.
#' * `$iterations`: the number of steps taken, which `$iterations$assign(0)` sets; Adam's bias corrections and schedules
#'   go by it. `$weights`, `$get_weights()`, `$get_config()`, and what the optimizer was
#'   made with: `$beta_1`, `$momentum` and so on.
#' * `$variables()`: the optimizer state (momenta, moving averages), copied as a list of tensors; `$get_weights()` gives
#'   it as R arrays.
#' * `$get_config()`: the hyperparameters, a list.
#'
#' @section Optimizer state:
#' An optimizer keeps its state for each variable that it has changed. [save_model()] saves it with the model. Give each
#' model its own optimizer: models that share one disturb each other's step count and learning rate.
#'
#' @seealso [compile.nn_model()], [gradient_tape()], [learning_rate_schedules];
#'   [gradient_descent_optimizer], the reference classes for courses.
#' @examples
#' w <- tf$Variable(10)
#' optimizer <- optimizer_adam(learning_rate = 0.1)
#' for (i in 1:3) optimizer$minimize(function() w^2 / 2, list(w))
#' optimizer
#' optimizer$learning_rate <- 0.01
#' @name optimizers
NULL

#' Gradient descent, with momentum
#'
#' Stochastic gradient descent. A step with the gradient g and the learning rate r takes the weight w to
#' \deqn{w \leftarrow w - r g}{w = w - r g}
#' With a momentum m the steps v add up, which speeds up along directions where gradients agree:
#' \deqn{v \leftarrow m v - r g, \quad w \leftarrow w + v}{v = m v - r g; w = w + v}
#' Nesterov's momentum looks one step ahead:
#' \deqn{v \leftarrow m v - r g, \quad w \leftarrow w + m v - r g}{v = m v - r g; w = w + m v - r g}
#'
#' @param learning_rate a number, or a schedule such as [learning_rate_schedule_exponential_decay()].
#' @param momentum a number from 0 to below 1.
#' @param nesterov use Nesterov's momentum?
#' @param weight_decay `NULL`, or a number d: first each weight loses the part `learning_rate` d of itself.
#' @param clipnorm,clipvalue,global_clipnorm at most one of these, or `NULL`: the largest norm of the gradient of each
#'   variable, the largest absolute value of an element, the largest norm of all gradients taken together.
#' @param use_ema keep a moving average a of the weights, \eqn{a \leftarrow m a + (1 - m) w}{a = m a + (1 - m) w}?
#' @param ema_momentum the number m, from 0 to 1.
#' @param ema_overwrite_frequency after how many steps weights become their averages, each time; `NULL` for never but
#'   at the end of [fit()][fit.nn_model].
#' @param name a string.
#' @param ... older spellings: `lr` for the learning rate, `decay` for `lr / (1 + decay iterations)`.
#' @return An optimizer: an object of class `nn_optimizer`, see [optimizers].
#' @references Polyak (1964), momentum, \doi{10.1016/0041-5553(64)90137-5}. Sutskever et al. (2013),
#'   Nesterov's momentum, <https://proceedings.mlr.press/v28/sutskever13.html>.
#' @seealso [optimizers]
#' @examples
#' w <- tf$Variable(10)
#' optimizer <- optimizer_sgd(learning_rate = 0.1, momentum = 0.9)
#' optimizer$minimize(function() w^2 / 2, list(w))
#' w # 9
#' rate <- learning_rate_schedule_cosine_decay(0.1, decay_steps = 1000)
#' optimizer_sgd(rate, momentum = 0.9, nesterov = TRUE)
#' @export
optimizer_sgd <- function(learning_rate = 0.01, momentum = 0, nesterov = FALSE, weight_decay = NULL, clipnorm = NULL,
  clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL,
  name = "SGD", ...) {
  momentum <- check_number(momentum, min = 0, below = 1)
  check_flag(nesterov)
  kind <- if (momentum == 0) "sgd" else if (nesterov) "nesterov" else "momentum"
  new_optimizer(name, kind, learning_rate, list(beta_1 = momentum), list(momentum = momentum,
    nesterov = if (kind == "nesterov") TRUE), shared_arguments(), ...)
}

#' RMSprop
#'
#' Divides the gradient g by the root of a moving average of its square. With the learning rate r:
#' \deqn{s \leftarrow \rho s + (1 - \rho) g^2, \quad w \leftarrow w - \frac{r g}{\sqrt{s + \epsilon}}}{
#' s = rho s + (1 - rho) g^2; w = w - r g / sqrt(s + epsilon)}
#' Each weight has a step size of its own. It is usual for recurrent networks. `centered` takes the variance of the
#' gradient in place of s: \eqn{s - a^2} with \eqn{a \leftarrow \rho a + (1 - \rho) g}{a = rho a + (1 - rho) g}. With a
#' momentum m the steps v add up: \eqn{v \leftarrow m v + r g / \sqrt{s + \epsilon}}{v = m v + r g / sqrt(s + epsilon)}
#' and \eqn{w \leftarrow w - v}{w = w - v}.
#'
#' @inheritParams optimizer_sgd
#' @param rho a number from 0 to below 1: how slowly the moving average forgets.
#' @param epsilon a small number that keeps the division from 0.
#' @param centered divide by the standard deviation of the gradient?
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Hinton (2012), Neural networks for machine learning, lecture 6e. Graves (2013), centered,
#'   <https://arxiv.org/abs/1308.0850>.
#' @examples
#' optimizer_rmsprop(learning_rate = 0.01)
#' @export
optimizer_rmsprop <- function(learning_rate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = FALSE,
  weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
  ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "RMSprop", ...) {
  plain <- check_number(momentum, min = 0, below = 1) == 0 && !check_flag(centered)
  new_optimizer(name, if (plain) "rmsprop" else "rmsprop_full", learning_rate,
    list(beta_1 = momentum, beta_2 = rho, epsilon = epsilon, start = as.numeric(centered)),
    list(rho = rho, momentum = momentum, epsilon = epsilon, centered = centered),
    shared_arguments(), ...)
}

adam_like <- function(name, kind, learning_rate, beta_1, beta_2, epsilon, shared, ...) {
  new_optimizer(name, kind, learning_rate,
    list(beta_1 = beta_1, beta_2 = beta_2, epsilon = epsilon),
    list(beta_1 = beta_1, beta_2 = beta_2, epsilon = epsilon, amsgrad = if (kind == "amsgrad") TRUE), shared, ...)
}

#' The arguments of a constructor that all have.
#' @noRd
shared_arguments <- function(frame = parent.frame()) mget(c("weight_decay", "clipnorm", "clipvalue",
  "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency"), envir = frame)

#' Adam
#'
#' Adaptive moment estimation: moving averages m of the gradient g and v of its square, both corrected for their start
#' at 0. At step t, counted from 1, with the learning rate r:
#' \deqn{m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2}{
#' m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2}
#' \deqn{w \leftarrow w - r \, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \, \frac{m}{\sqrt{v} + \epsilon}}{
#' w = w - r sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)}
#' The step is of the size of the learning rate, however large gradients are. It needs little tuning and is the usual
#' first choice. AMSGrad (`amsgrad`) divides by the largest v so far, so that steps cannot grow again.
#'
#' @inheritParams optimizer_sgd
#' @param beta_1,beta_2 numbers from 0 to below 1: how slowly the moving averages forget.
#' @param epsilon a small number that keeps the division from 0.
#' @param amsgrad use AMSGrad?
#' @param weight_decay `NULL`, or a number: then this is [optimizer_adamw()].
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Kingma & Ba (2015), <https://arxiv.org/abs/1412.6980>. Reddi et al. (2018), AMSGrad,
#'   <https://arxiv.org/abs/1904.09237>.
#' @examples
#' w <- tf$Variable(10)
#' optimizer <- optimizer_adam(learning_rate = 0.1)
#' with(tf$GradientTape() %as% tape, loss <- w^2 / 2)
#' optimizer$apply_gradients(list(list(tape$gradient(loss, w), w)))
#' w # 9.9
#' @export
optimizer_adam <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, amsgrad = FALSE,
  weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
  ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "Adam", ...) {
  kind <- if (check_flag(amsgrad)) "amsgrad" else if (is.null(weight_decay)) "adam" else "adamw"
  adam_like(name, kind, learning_rate, beta_1, beta_2, epsilon, shared_arguments(), ...)
}

#' Adam with decoupled weight decay
#'
#' Shrinks each weight w by the weight decay d times the learning rate r, and then takes the step of
#' [optimizer_adam()]:
#' \deqn{w \leftarrow w - r d w}{w = w - r d w}
#' Unlike an L2 penalty ([regularizer_l2()]) the decay is not divided by the moving average of squared gradients, so
#' that all weights decay alike. It is usual for large models.
#'
#' @inheritParams optimizer_sgd
#' @inheritParams optimizer_adam
#' @param weight_decay a number: the fraction of each weight that a step takes off, times the learning rate.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Loshchilov & Hutter (2019), <https://arxiv.org/abs/1711.05101>.
#' @examples
#' optimizer_adamw(learning_rate = 0.001, weight_decay = 0.01)
#' @export
optimizer_adamw <- function(learning_rate = 0.001, weight_decay = 0.004, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7,
  amsgrad = FALSE, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "AdamW", ...) {
  adam_like(name, if (check_flag(amsgrad)) "amsgrad" else "adamw", learning_rate, beta_1, beta_2, epsilon,
    shared_arguments(), ...)
}

#' Adagrad
#'
#' Divides the gradient g by the root of the sum of all its squares so far. With the learning rate r:
#' \deqn{a \leftarrow a + g^2, \quad w \leftarrow w - \frac{r g}{\sqrt{a + \epsilon}}}{
#' a = a + g^2; w = w - r g / sqrt(a + epsilon)}
#' Weights that seldom have a gradient, such as embeddings of rare tokens, keep large steps. Steps shrink as training
#' goes on.
#'
#' @inheritParams optimizer_sgd
#' @param initial_accumulator_value the initial value of the sum a, at least 0.
#' @param epsilon a small number that keeps the division from 0.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Duchi et al. (2011), <https://jmlr.org/papers/v12/duchi11a.html>.
#' @examples
#' optimizer_adagrad(learning_rate = 0.1)
#' @export
optimizer_adagrad <- function(learning_rate = 0.001, initial_accumulator_value = 0.1, epsilon = 1e-7,
  weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
  ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "Adagrad", ...) {
  new_optimizer(name, "adagrad", learning_rate, list(epsilon = epsilon, start = initial_accumulator_value),
    list(initial_accumulator_value = initial_accumulator_value, epsilon = epsilon),
    shared_arguments(), ...)
}

#' Adadelta
#'
#' Adagrad with moving averages in place of sums, and steps d sized by the average of the steps before. With the
#' gradient g and the learning rate r:
#' \deqn{s \leftarrow \rho s + (1 - \rho) g^2, \quad d = \frac{\sqrt{u + \epsilon}}{\sqrt{s + \epsilon}} \, g}{
#' s = rho s + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(s + epsilon) g}
#' \deqn{u \leftarrow \rho u + (1 - \rho) d^2, \quad w \leftarrow w - r d}{u = rho u + (1 - rho) d^2; w = w - r d}
#' The article has no learning rate, which is `learning_rate = 1`.
#'
#' @inheritParams optimizer_sgd
#' @param rho a number from 0 to below 1: how slowly the moving averages forget.
#' @param epsilon a small number, which also sizes the first steps.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Zeiler (2012), <https://arxiv.org/abs/1212.5701>.
#' @examples
#' optimizer_adadelta(learning_rate = 1)
#' @export
optimizer_adadelta <- function(learning_rate = 0.001, rho = 0.95, epsilon = 1e-7, weight_decay = NULL,
  clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "Adadelta", ...) {
  new_optimizer(name, "adadelta", learning_rate, list(beta_2 = rho, epsilon = epsilon),
    list(rho = rho, epsilon = epsilon), shared_arguments(), ...)
}

#' Adamax
#'
#' Adam with the largest absolute gradient, which decays, in place of the root of the second moment. At step t, counted
#' from 1, with the gradient g and the learning rate r:
#' \deqn{m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad u \leftarrow \max(\beta_2 u, |g|)}{
#' m = beta_1 m + (1 - beta_1) g; u = max(beta_2 u, abs(g))}
#' \deqn{w \leftarrow w - \frac{r}{1 - \beta_1^t} \, \frac{m}{u + \epsilon}}{
#' w = w - r / (1 - beta_1^t) m / (u + epsilon)}
#' It is less sensitive to noisy and sparse gradients than [optimizer_adam()].
#'
#' @inheritParams optimizer_sgd
#' @inheritParams optimizer_adam
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Kingma & Ba (2015), section 7.1, <https://arxiv.org/abs/1412.6980>.
#' @examples
#' optimizer_adamax()
#' @export
optimizer_adamax <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, weight_decay = NULL,
  clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "Adamax", ...) {
  adam_like(name, "adamax", learning_rate, beta_1, beta_2, epsilon, shared_arguments(), ...)
}

#' Nadam
#'
#' Adam with Nesterov's momentum. At step t, counted from 1, with the gradient g, the learning rate r and the momentum
#' \eqn{\mu_t = \beta_1 (1 - 0.5 \cdot 0.96^t)}{mu_t = beta_1 (1 - 0.5 0.96^t)}, whose product up to t is
#' \eqn{\Pi_t}{P_t}:
#' \deqn{m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2}{
#' m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2}
#' \deqn{w \leftarrow w - r \left(\frac{\mu_{t+1} m}{1 - \Pi_{t+1}} + \frac{(1 - \mu_t) g}{1 - \Pi_t}\right) \bigg/
#' \left(\sqrt{\frac{v}{1 - \beta_2^t}} + \epsilon\right)}{
#' w = w - r (mu_(t+1) m / (1 - P_(t+1)) + (1 - mu_t) g / (1 - P_t)) / (sqrt(v / (1 - beta_2^t)) + epsilon)}
#'
#' @inheritParams optimizer_sgd
#' @inheritParams optimizer_adam
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop,
#'   <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
#' @examples
#' optimizer_nadam()
#' @export
optimizer_nadam <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, weight_decay = NULL,
  clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "Nadam", ...) {
  adam_like(name, "nadam", learning_rate, beta_1, beta_2, epsilon, shared_arguments(), ...)
}

#' @rdname optimizer_adamw
#' @export
optimizer_adam_w <- optimizer_adamw # keras3's name

# ---- the object: an environment, whose state is in the engine ----

new_optimizer <- function(name, kind, learning_rate, numbers, config, shared, lr = NULL, decay = 0, ...) {
  check_not_tracing("it makes an optimizer")
  fun <- constructor_of(kind)
  check_no_more(list(...), fun, kind = "optimizer")
  if (!is.null(shared$weight_decay)) {
    numbers$weight_decay <- check_number(shared$weight_decay, min = 0, arg = "weight_decay", fun = fun)
    config$weight_decay <- numbers$weight_decay
  }
  more <- numbers$more
  whole <- numbers$whole
  numbers$more <- numbers$whole <- NULL
  if (is.null(more)) more <- numeric(5)
  averages <- averages_of(shared$use_ema, shared$ema_momentum, shared$ema_overwrite_frequency, fun)
  if (!is.null(lr)) {
    message("`lr` is called `learning_rate` today.")
    learning_rate <- lr
  }
  if (check_number(decay, min = 0, fun = fun) > 0)
    learning_rate <- learning_rate_schedule_inverse_time_decay(learning_rate, 1, decay)
  self <- new.env(parent = emptyenv())
  self$name <- check_string(name, fun = fun)
  self$kind <- kind
  self$numbers <- lapply(numbers, plain_argument)
  self$more <- c(more, averages$numbers, if (length(whole)) c(whole, numeric(9 - length(whole))))
  config <- Filter(Negate(is.null), config)
  for (arg in setdiff(names(config), checked_arguments)) config[[arg]] <- check_number(config[[arg]], min = 0,
    arg = arg, fun = fun)
  config <- c(config, averages$config)
  self$config <- if (any(vapply(config, is.character, NA)) || kind == "muon") config else unlist(config)
  self$clip <- clip_rule(shared[c("clipnorm", "clipvalue", "global_clipnorm")], fun)
  self$schedule <- NULL
  rate <- learning_rate
  if (is_schedule(learning_rate)) {
    self$schedule <- learning_rate
    rate <- learning_rate(0)
  }
  self$memory <- .Call(C_optimizer_new,
    hyper_numbers(self, check_number(rate, min = 0, arg = "learning_rate", fun = fun)))
  structure(self, class = c("nn_optimizer", python_classes$optimizer))
}

# Flags, and what constructors check themselves.
checked_arguments <- c("nesterov", "centered", "amsgrad", "learning_rate_power", "beta_2_decay", "relative_step",
  "exclude_layers", "exclude_embeddings", "muon_a", "muon_b", "muon_c")

hyper_numbers <- function(self, learning_rate) {
  kind <- .subset2(self, "kind")
  c(do.call(seven_numbers, c(list(kind, learning_rate), .subset2(self, "numbers"), most = .Machine$double.xmax,
    fun = constructor_of(kind))), .subset2(self, "more"))
}

#' The moving average of the weights: what the engine is told, and what a file says.
#' @noRd
averages_of <- function(use, momentum, every, fun) {
  momentum <- check_number(momentum, min = 0, max = 1, arg = "ema_momentum", fun = fun)
  if (!is.null(every)) every <- check_count(every, arg = "ema_overwrite_frequency", fun = fun)
  if (!check_flag(use, arg = "use_ema", fun = fun)) return(list(numbers = numeric(3)))
  list(numbers = c(1, momentum, if (is.null(every)) 0 else every),
    config = Filter(Negate(is.null), list(use_ema = TRUE, ema_momentum = momentum, ema_overwrite_frequency = every)))
}

#' At the end of a training weights become their moving averages, as in Keras.
#' @noRd
take_averages <- function(self) {
  if (!keeps_averages(self)) return()
  if (has_averages_in_model(self)) swap_averages(self)
  memory <- optimizer_now(self)
  for (k in seq_along(memory[[2]])) variable_assign(memory[[2]][[k]], as_value(utils::tail(memory[[3]][[k]], 1)[[1]]))
}

# Optimizers stored by earlier versions have no `more`.
keeps_averages <- function(self) isTRUE(.subset2(self, "more")[6] != 0)

has_averages_in_model <- function(self) isTRUE(.subset2(self, "swapped"))

#' Weights and their averages change places.
#' @noRd
swap_averages <- function(self) {
  memory <- optimizer_now(self)
  for (k in seq_along(memory[[2]])) {
    average <- utils::tail(memory[[3]][[k]], 1)
    weight <- copies(list(as_value(memory[[2]][[k]])))
    variable_assign(memory[[2]][[k]], average[[1]])
    copies(weight, average) # in its place, where programs look
  }
  assign("swapped", !has_averages_in_model(self), envir = self)
}
constructor_of <- function(kind) {
  paste0("optimizer_", switch(kind, momentum = , nesterov = "sgd", rmsprop_full = "rmsprop", amsgrad = "adam", kind))
}

clip_rule <- function(rule, fun) {
  rule <- Filter(Negate(is.null), rule)
  if (length(rule) > 1) abort("only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be given", fun = fun)
  for (name in names(rule)) rule[[name]] <- check_number(rule[[name]], above = 0, arg = name, fun = fun)
  unlist(rule)
}

optimizer_now <- function(self) {
  check_not_tracing("it looks at an optimizer")
  .Call(C_optimizer_memory, .subset2(self, "memory"), NULL, NULL)
}

#' A copy of its state, in the place of an earlier one.
#' @noRd
optimizer_memory <- function(self, into = NULL) {
  memory <- optimizer_now(self)
  states <- lapply(seq_along(memory[[3]]), function(k) {
    copies(memory[[3]][[k]], if (k <= length(into$states)) into$states[[k]])
  })
  list(numbers = as.double(as.array(memory[[1]])), variables = memory[[2]], states = states)
}

restore_optimizer <- function(self, memory) {
  .Call(C_optimizer_restore, .subset2(self, "memory"), memory$numbers, memory$variables, memory$states)
}

#' An optimizer, by name too.
#' @noRd
as_optimizer <- function(x, fun = calling_function()) {
  if (inherits(x, "nn_optimizer")) return(x)
  x <- as_model_part(x, "optimizer", "optimizer", fun)
  if (inherits(x, "nn_optimizer")) return(x)
  if (is.function(x)) return(as_optimizer(check_function(x, "optimizer", fun, takes = 0)(), fun))
  kinds <- c("sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "adamax", "nadam", "lion", "ftrl", "lamb",
    "adafactor", "muon")
  is_text <- is.character(x) && length(x) == 1 && !is.na(x)
  if (is_text && tolower(check_string(x, "optimizer", fun)) %in% kinds)
    return(get(paste0("optimizer_", tolower(x)), envir = topenv())())
  abort("`optimizer` must be a name (", paste0("\"", kinds, "\"", collapse = ", "),
    ") or what `optimizer_adam()` and its like give, not ", describe(x),
    if (is_text && length(near <- near_names(x, kinds))) did_you_mean(x, near), fun = fun)
}

#' A model's optimizer. Its step count and learning rate are of the whole optimizer, so models that share one disturb
#' each other.
#' @noRd
claim_optimizer <- function(optimizer, self, fun) {
  reference <- .subset2(optimizer, "owner")
  owner <- if (!is.null(reference)) .Call(C_weak_value, reference)
  if (identical(owner, self)) return(optimizer)
  if (!identical(owner$compiled$optimizer, optimizer)) owner <- NULL # it has another one by now
  memory <- optimizer_now(optimizer)
  steps <- as.array(memory[[1]])[8]
  own <- all_weights(self)
  if (!is.null(owner) || !all(vapply(memory[[2]], is_one_of, NA, own))) {
    warn("`", fun, "()`: the optimizer ", if (is.null(owner)) "took its steps with weights of something else" else
      paste0("is that of the model `", owner$name, "` already"), ", so `", self$name,
      "` goes on with its step count, now ", steps, ", and its learning rate. Give each model its own: `",
      constructor_of(.subset2(optimizer, "kind")), "()` makes one", class = "optimizer")
  }
  assign("owner", .Call(C_weak, self, self), envir = optimizer)
  optimizer
}

has_schedule <- function(optimizer) !is.null(.subset2(optimizer, "schedule"))

#' Learning rates of the next n steps by the schedule.
#' @noRd
coming_rates <- function(self, n) {
  schedule <- .subset2(self, "schedule")
  vapply(optimizer_iterations(self) + seq_len(n) - 1, function(t) as.double(schedule(t)), 0)
}

optimizer_iterations <- function(self) as.array(optimizer_now(self)[[1]])[8]

set_learning_rate <- function(self, rate) {
  .Call(C_optimizer_memory, .subset2(self, "memory"),
    hyper_numbers(self, check_number(rate, min = 0, arg = "learning_rate", fun = "optimizer")), NULL)
}

set_iterations <- function(self, value) {
  check_not_tracing("it changes an optimizer")
  .Call(C_optimizer_memory, .subset2(self, "memory"), NULL, as.double(check_count(value, min = 0, arg = "iterations",
    fun = "optimizer")))
  refresh(self)
}

# The learning rate of the next step, if it follows a schedule.
#' @export
refresh.nn_optimizer <- function(x) {
  schedule <- .subset2(x, "schedule")
  if (!is.null(schedule)) set_learning_rate(x, schedule(optimizer_iterations(x)))
}

#' Shrink gradients by the optimizer's rule; also in a program.
#' @noRd
clip_gradients <- function(gradients, rule) {
  shrink <- function(g, size) op_multiply(g, op_divide(rule[[1]], op_maximum(size, rule[[1]])))
  switch(names(rule),
    clipvalue = lapply(gradients, op_clip, -rule[[1]], rule[[1]]),
    clipnorm = lapply(gradients, function(g) shrink(g, euclidean_norm(g))),
    global_clipnorm = {
      size <- global_norm(gradients)
      lapply(gradients, shrink, size)
    }
  )
}

# A list of list(gradient, variable)? It is asked at every step.
are_pairs <- function(x) {
  for (pair in x) if (!is.list(pair) || length(pair) != 2 || !is_tensor(pair[[2]])) return(FALSE)
  length(x) > 0
}

#' Muon takes matrices as such, unless their names say otherwise. Which ones is told before they are met.
#' @noRd
claim_matrices <- function(self, variables) {
  if (.subset2(self, "kind") != "muon") return()
  config <- .subset2(self, "config")
  patterns <- c(if (config$exclude_embeddings) "[Ee][Mm][Bb][Ee][Dd][Dd][Ii][Nn][Gg]", config$exclude_layers)
  names <- vapply(variables, variable_name, "")
  excluded <- vapply(names, function(name) any(vapply(patterns, grepl, NA, x = name)), NA, USE.NAMES = FALSE)
  .Call(C_optimizer_claim, .subset2(self, "memory"), variables, !excluded)
}

#' @param summed are they those of all shards of a batch?
#' @noRd
apply_gradients <- function(self, grads_and_vars, summed = FALSE) {
  fun <- "apply_gradients"
  pairs <- if (is.list(grads_and_vars)) grads_and_vars else list()
  if (!are_pairs(pairs)) abort("`grads_and_vars` must be a list of `list(gradient, variable)`, not ",
    describe(grads_and_vars), fun = fun)
  gradients <- lapply(pairs, .subset2, 1)
  variables <- lapply(pairs, .subset2, 2)
  if (holds_null(gradients)) {
    missing <- vapply(gradients, is.null, NA)
    if (all(missing)) abort("no variable has a gradient; was the loss computed from them while the tape recorded?",
      fun = fun)
    warning("no gradient for ", paste0("`", vapply(variables[missing], variable_name, ""), "`", collapse = ", "),
      "; left as they are", call. = FALSE)
    gradients <- gradients[!missing]
    variables <- variables[!missing]
  }
  if (!is.null(session$replica)) return(invisible(update_later(self, gradients, variables)))
  if (!summed) gradients <- over_all_shards(gradients)
  clip <- .subset2(self, "clip")
  if (length(clip)) gradients <- clip_gradients(gradients, clip)
  claim_matrices(self, variables)
  if (!is_tracing()) {
    refresh(self)
    .Call(C_optimizer_apply, .subset2(self, "memory"), gradients, variables)
  } else {
    again <- is_one_of(self, session$optimizers)
    if (again && !is.null(.subset2(self, "schedule")))
      abort_trace("an optimizer with a schedule takes several steps in it")
    session$optimizers <- c(session$optimizers, list(self))
    .Call(C_program_update, tracing_program(), .subset2(self, "memory"), gradients, variables)
  }
  invisible(self)
}

minimize <- function(self, loss, var_list, tape = NULL) {
  if (is.function(loss) && is.null(tape)) {
    check_function(loss, fun = "minimize", takes = 0)
    tape <- gradient_tape(persistent = FALSE)
    loss <- tape_record(tape, loss())
  }
  if (!inherits(tape, "nn_tape")) abort(
    "`loss` must be a function without arguments, or come with the `tape` that recorded it", fun = "minimize")
  variables <- tensor_leaves(if (is.function(var_list)) check_function(var_list, fun = "minimize", takes = 0)() else
    var_list)
  apply_gradients(self, Map(list, gradient_towards(tape, loss, variables), variables))
}

#' @export
print.nn_optimizer <- function(x, ...) {
  numbers <- c(learning_rate = current_rate(x), .subset2(x, "config"), .subset2(x, "clip"))
  cat(sprintf("<%s optimizer> %s; %d steps taken\n", .subset2(x, "name"), paste(names(numbers), "=",
    vapply(numbers, function(v) paste(format(v), collapse = " "), ""), collapse = ", "), optimizer_iterations(x)))
  invisible(x)
}

#' @export
in_words.nn_optimizer <- function(x) sprintf("an optimizer of models, `%s()`", constructor_of(.subset2(x, "kind")))

# What every optimizer takes beside its own.
common_arguments <- c("weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency")

seven_numbers <- function(kind, learning_rate, beta_1 = 0, beta_2 = 0, epsilon = 0, weight_decay = 0, start = 0,
                          most = float_limits$float32$most, fun = paste0(switch(kind, sgd = "gradient_descent",
                            nesterov = "momentum", kind), "_optimizer")) {
  numbers <- c(enum_code("update", kind), learning_rate, beta_1, beta_2, epsilon, weight_decay, start)
  if (length(numbers) == 7 && all(is.finite(numbers)) && min(numbers) >= 0 && max(numbers) <= most &&
    max(beta_1, beta_2) < 1 && epsilon <= 1) {
    return(numbers)
  }
  check_number(learning_rate, min = 0, max = most, fun = fun)
  check_number(beta_1, min = 0, below = 1, arg = "beta_1, momentum", fun = fun)
  check_number(beta_2, min = 0, below = 1, arg = "beta_2, rho", fun = fun)
  check_number(epsilon, min = 0, max = 1, fun = fun)
  check_number(weight_decay, min = 0, max = most, fun = fun)
  check_number(start, min = 0, max = most, arg = "initial_accumulator_value", fun = fun)
}
