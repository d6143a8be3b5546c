# Optimizers of later years, and for sparse models.

#' Lion
#'
#' Steps of one size, in the direction of the sign of a mix of momentum m and gradient g. With the learning rate r:
#' \deqn{w \leftarrow w - r \, \mathrm{sign}(\beta_1 m + (1 - \beta_1) g), \quad m \leftarrow \beta_2 m + (1 -
#' \beta_2) g}{
#' w = w - r sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 - beta_2) g}
#' The learning rate is usually a third to a tenth of that of [optimizer_adam()], the weight decay as many times larger.
#'
#' @inheritParams optimizer_sgd
#' @inheritParams optimizer_adam
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Chen et al. (2023), <https://arxiv.org/abs/2302.06675>.
#' @examples
#' optimizer_lion(learning_rate = 1e-4, weight_decay = 0.01)
#' @export
optimizer_lion <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.99, ..., clipnorm = NULL, clipvalue = NULL,
  global_clipnorm = NULL, name = "Lion") {
  new_optimizer(name, "lion", learning_rate, list(beta_1 = beta_1, beta_2 = beta_2),
    list(beta_1 = beta_1, beta_2 = beta_2), clip_rule(clipnorm, clipvalue, global_clipnorm), ...)
}

#' FTRL
#'
#' Follow the regularized leader, for sparse linear models: with an L1 penalty many weights stay at exactly 0. With the
#' gradient g, the learning rate r, the power p (minus `learning_rate_power`), n the sum of squares and z the linear
#' part:
#' \deqn{n' = n + g^2, \quad z \leftarrow z + g + 2 s w - \frac{n'^p - n^p}{r} w}{
#' n' = n + g^2; z = z + g + 2 s w - (n'^p - n^p) / r w}
#' \deqn{w \leftarrow \frac{\min(\max(z, -\lambda_1), \lambda_1) - z}{n'^p / r + 2 \lambda_2 + \beta / r}}{
#' w = (min(max(z, -lambda_1), lambda_1) - z) / (n'^p / r + 2 lambda_2 + beta / r)}
#' with \eqn{\lambda_1}{lambda_1}, \eqn{\lambda_2}{lambda_2} and s the strengths of the penalties.
#'
#' @inheritParams optimizer_sgd
#' @param learning_rate_power a number, at most 0.
#' @param initial_accumulator_value the initial value of n, at least 0.
#' @param l1_regularization_strength,l2_regularization_strength,l2_shrinkage_regularization_strength numbers of at
#'   least 0.
#' @param beta a number of at least 0.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references McMahan et al. (2013), \doi{10.1145/2487575.2488200}.
#' @examples
#' optimizer_ftrl(learning_rate = 0.1, l1_regularization_strength = 0.01)
#' @export
optimizer_ftrl <- function(learning_rate = 0.001, learning_rate_power = -0.5, initial_accumulator_value = 0.1,
  l1_regularization_strength = 0, l2_regularization_strength = 0, l2_shrinkage_regularization_strength = 0, beta = 0,
    ...,
  clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, name = "Ftrl") {
  power <- check_number(learning_rate_power, min = -10, max = 0)
  more <- c(check_number(l1_regularization_strength, min = 0), check_number(l2_regularization_strength, min = 0),
    check_number(l2_shrinkage_regularization_strength, min = 0), -power, check_number(beta, min = 0))
  new_optimizer(name, "ftrl", learning_rate, list(start = initial_accumulator_value, more = more),
    list(learning_rate_power = power, initial_accumulator_value = initial_accumulator_value,
      l1_regularization_strength = more[1], l2_regularization_strength = more[2],
      l2_shrinkage_regularization_strength = more[3], beta = more[5]),
    clip_rule(clipnorm, clipvalue, global_clipnorm), ...)
}
