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
optimizer_lion <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.99, weight_decay = NULL, clipnorm = NULL,
  clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL,
  name = "Lion", ...) {
  new_optimizer(name, "lion", learning_rate, list(beta_1 = beta_1, beta_2 = beta_2),
    list(beta_1 = beta_1, beta_2 = beta_2), shared_arguments(), ...)
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
  weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
  ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "Ftrl", ...) {
  power <- check_number(learning_rate_power, min = -10, max = 0)
  more <- c(check_number(l1_regularization_strength, min = 0), check_number(l2_regularization_strength, min = 0),
    check_number(l2_shrinkage_regularization_strength, min = 0), -power, check_number(beta, min = 0))
  new_optimizer(name, "ftrl", learning_rate, list(start = initial_accumulator_value, more = more),
    list(learning_rate_power = power, initial_accumulator_value = initial_accumulator_value,
      l1_regularization_strength = more[1], l2_regularization_strength = more[2],
      l2_shrinkage_regularization_strength = more[3], beta = more[5]),
    shared_arguments(), ...)
}

#' LAMB
#'
#' Layer-wise adaptive moments for batches that are large: the step of Adam, made as long as the variable is. At step t,
#' counted from 1, with the gradient g, the learning rate r and the Euclidean norm |.| of all numbers of a variable:
#' \deqn{m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2}{
#' m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g^2}
#' \deqn{u = \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}, \quad
#' w \leftarrow w - r \, \frac{|w|}{|u|} \, u}{
#' u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon); w = w - r |w| / |u| u}
#' The ratio |w| / |u| (the trust ratio) is 1 where one of both is 0.
#'
#' @inheritParams optimizer_sgd
#' @inheritParams optimizer_adam
#' @param weight_decay `NULL`, or a number d: first each weight loses the part `learning_rate` d of itself.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references You et al. (2020), <https://arxiv.org/abs/1904.00962>.
#' @examples
#' w <- tf$Variable(c(3, 4))
#' optimizer <- optimizer_lamb(learning_rate = 0.1)
#' optimizer$apply_gradients(list(list(tf$constant(c(1, 1)), w)))
#' w # of length 5, and so is the step before it is multiplied by 0.1
#' @export
optimizer_lamb <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, weight_decay = NULL,
  clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "Lamb", ...) {
  adam_like(name, "lamb", learning_rate, beta_1, beta_2, epsilon, shared_arguments(), ...)
}

#' Adafactor
#'
#' For large models: of a matrix it keeps a mean square for each row and each column of the gradient, in place of one
#' for each number. At step t, counted from 1, with the gradient g and the learning rate r, means over the last axis and
#' over the one before it:
#' \deqn{\beta = 1 - t^{-0.8}, \quad R \leftarrow \beta R + (1 - \beta) \, \mathrm{mean}_{\mathrm{columns}}(g^2 +
#' \epsilon_1), \quad C \leftarrow \beta C + (1 - \beta) \, \mathrm{mean}_{\mathrm{rows}}(g^2 + \epsilon_1)}{
#' beta = 1 - t^-0.8; R = beta R + (1 - beta) rowMeans(g^2 + epsilon_1); C = beta C + (1 - beta) colMeans(g^2 +
#' epsilon_1)}
#' \deqn{v_{ij} = \frac{R_i C_j}{\mathrm{mean}(R)}, \quad u = \frac{g}{\sqrt{v}}, \quad
#' w \leftarrow w - \max(\epsilon_2, \mathrm{rms}(w)) \, \min(r, 1 / \sqrt t) \, \frac{u}{\max(1, \mathrm{rms}(u) /
#' d)}}{
#' v = outer(R, C) / mean(R); u = g / sqrt(v);
#' w = w - max(epsilon_2, rms(w)) min(r, 1 / sqrt(t)) u / max(1, rms(u) / d)}
#' where rms is the root of the mean square, and d the `clip_threshold`. The exponent -0.8 is `beta_2_decay`. Variables
#' of one axis or none keep v itself, as a moving average of \eqn{g^2 + \epsilon_1}{g^2 + epsilon_1}.
#'
#' @inheritParams optimizer_sgd
#' @param beta_2_decay a number, at most 0: the exponent of t.
#' @param epsilon_1 a small number that is added to squared gradients.
#' @param epsilon_2 a small number: the smallest size that a variable is taken to have.
#' @param clip_threshold a positive number: the largest root mean square of a step.
#' @param relative_step present for compatibility with Keras, where the learning rate is at most \eqn{1 / \sqrt
#'   t}{1 / sqrt(t)} whether this is `TRUE` or `FALSE`.
#' @param weight_decay `NULL`, or a number d: first each weight loses the part `learning_rate` d of itself.
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Shazeer & Stern (2018), <https://arxiv.org/abs/1804.04235>.
#' @examples
#' w <- tf$Variable(matrix(1:6 / 10, 2))
#' optimizer <- optimizer_adafactor(learning_rate = 0.1)
#' optimizer$minimize(function() tf$reduce_sum(w^2), list(w))
#' lapply(optimizer$get_weights(), dim) # a number for each row, one for each column
#' @export
optimizer_adafactor <- function(learning_rate = 0.001, beta_2_decay = -0.8, epsilon_1 = 1e-30, epsilon_2 = 0.001,
  clip_threshold = 1, relative_step = TRUE, weight_decay = NULL, clipnorm = NULL, clipvalue = NULL,
  global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "Adafactor",
  ...) {
  power <- check_number(beta_2_decay, max = 0)
  epsilon_2 <- check_number(epsilon_2, min = 0)
  clip_threshold <- check_number(clip_threshold, above = 0)
  new_optimizer(name, "adafactor", learning_rate, list(epsilon = check_number(epsilon_1, min = 0, max = 1),
    more = c(0, 0, 0, -power, 0), whole = c(epsilon_2, clip_threshold)),
  list(beta_2_decay = power, epsilon_1 = epsilon_1, epsilon_2 = epsilon_2, clip_threshold = clip_threshold,
    relative_step = check_flag(relative_step)), shared_arguments(), ...)
}

#' Muon
#'
#' Makes the momentum of a matrix nearly orthogonal, so that a step moves all directions alike. With the gradient g, the
#' learning rate r, and \eqn{\mu}{mu} the `momentum`:
#' \deqn{m \leftarrow \mu m + g, \quad G = g + \mu m, \quad w \leftarrow w - r \sqrt{\max(1, n_1 / n_2)} \,
#' \mathrm{NS}(G)}{m = mu m + g; G = g + mu m; w = w - r sqrt(max(1, n_1 / n_2)) NS(G)}
#' where \eqn{n_1}{n_1} and \eqn{n_2}{n_2} are the sizes of the first two axes; without Nesterov's momentum G is m. NS
#' are iterations of Newton and Schulz, `ns_steps` of
#' \deqn{A = X X^T, \quad X \leftarrow a X + (b A + c A^2) X}{A = X t(X); X = a X + (b A + c A A) X}
#' from \eqn{X = G / (|G| + 10^{-7})}{X = G / (|G| + 1e-7)} on, with the Frobenius norm |.|, of the transpose where rows
#' are more than columns.
#'
#' Variables of two and three axes, of which the last two are matrices, are taken so. All others, such as biases and
#' the kernels of convolutions, those of embeddings and those whose names match `exclude_layers` take the steps of
#' [optimizer_adam()] with the learning rate times `adam_lr_ratio`. The name of a variable begins with that of its
#' layer. Give that of the output layer, as is usual.
#'
#' @inheritParams optimizer_sgd
#' @param adam_beta_1,adam_beta_2,epsilon as for [optimizer_adam()].
#' @param weight_decay a number d, or `NULL` for 0: first each weight loses the part `learning_rate` d of itself.
#' @param exclude_layers regular expressions, or `NULL`.
#' @param exclude_embeddings do variables whose names hold "embedding" take Adam's steps?
#' @param muon_a,muon_b,muon_c numbers a, b and c of the iterations.
#' @param adam_lr_ratio a positive number.
#' @param momentum a number from 0 to below 1.
#' @param ns_steps how many iterations.
#' @param nesterov use Nesterov's momentum?
#' @inherit optimizer_sgd return
#' @seealso [optimizers]
#' @references Jordan et al. (2024), <https://kellerjordan.github.io/posts/muon/>. Liu et al. (2025),
#'   <https://arxiv.org/abs/2502.16982>.
#' @examples
#' model <- keras_model_sequential(input_shape = 4) |> layer_dense(8, activation = "relu") |>
#'   layer_dense(3, activation = "softmax", name = "output")
#' optimizer <- optimizer_muon(0.02, weight_decay = 0.01, exclude_layers = "output")
#' model |> compile(optimizer, "sparse_categorical_crossentropy", metrics = "accuracy")
#' model |> fit(as.matrix(iris[1:4]), as.integer(iris$Species) - 1L, epochs = 5, verbose = 0)
#' @export
optimizer_muon <- function(learning_rate = 0.001, adam_beta_1 = 0.9, adam_beta_2 = 0.999, epsilon = 1e-7,
  weight_decay = 0.1, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
  ema_overwrite_frequency = NULL, name = "Muon", exclude_layers = NULL, exclude_embeddings = TRUE, muon_a = 3.4445,
  muon_b = -4.775, muon_c = 2.0315, adam_lr_ratio = 0.1, momentum = 0.95, ns_steps = 6L, nesterov = TRUE, ...) {
  if (is.list(exclude_layers)) exclude_layers <- unlist(exclude_layers)
  if (!is.null(exclude_layers)) check_patterns(exclude_layers)
  check_flag(exclude_embeddings)
  own <- list(momentum = check_number(momentum, min = 0, below = 1), nesterov = check_flag(nesterov),
    ns_steps = check_count(ns_steps, min = 0), muon_a = check_number(muon_a), muon_b = check_number(muon_b),
    muon_c = check_number(muon_c), adam_lr_ratio = check_number(adam_lr_ratio, above = 0))
  new_optimizer(name, "muon", learning_rate, list(beta_1 = adam_beta_1, beta_2 = adam_beta_2, epsilon = epsilon,
    whole = c(0, 0, unlist(own, use.names = FALSE))), c(list(adam_beta_1 = adam_beta_1, adam_beta_2 = adam_beta_2,
      epsilon = epsilon, exclude_layers = exclude_layers, exclude_embeddings = exclude_embeddings), own),
  shared_arguments(), ...)
}

check_patterns <- function(x, arg = deparse(substitute(x)), fun = calling_function()) {
  check_strings(x, arg, fun)
  for (pattern in x) tryCatch(suppressWarnings(grepl(pattern, "")), error = function(e) abort("`", arg,
    "` must be regular expressions, and ", describe(pattern), " is none", fun = fun))
}
