# Losses for rare classes and for regions of pictures: constructors and help pages. The formulas are in R/loss.R.

#' Focal cross-entropy losses
#'
#' Cross-entropies whose terms are weighed by how wrong the prediction is, so that the many easy samples count little:
#' \deqn{-\alpha_t (1 - q)^\gamma \log q}{-alpha (1 - q)^gamma log(q)}
#' with q the predicted probability of what is true, and \eqn{\gamma}{gamma} the focus: 0 gives
#' [loss_binary_crossentropy()] and \eqn{\alpha}{alpha} times [loss_categorical_crossentropy()]. The binary form is a
#' mean
#' over the last axis, with \eqn{\alpha_t}{alpha} = `alpha` for 1 and 1 - `alpha` for 0 if `apply_class_balancing` is
#' TRUE,
#' else 1.
#'
#' @inheritParams loss_binary_crossentropy
#' @param apply_class_balancing weigh the classes 0 and 1?
#' @param alpha a number; for several classes a number or one for each.
#' @param gamma a number of at least 0.
#' @inherit loss_mean_squared_error return sections
#' @references Lin et al. (2018), <https://arxiv.org/abs/1708.02002>.
#' @seealso [losses]
#' @examples
#' loss_binary_focal_crossentropy(rbind(c(0, 1), c(0, 0)), rbind(c(0.6, 0.4), c(0.4, 0.6)))
#' loss_categorical_focal_crossentropy(rbind(c(0, 1, 0)), rbind(c(0.05, 0.95, 0)))
#' @export
loss_binary_focal_crossentropy <- function(y_true, y_pred, apply_class_balancing = FALSE, alpha = 0.25, gamma = 2,
  from_logits = FALSE, label_smoothing = 0, axis = -1, ..., reduction = "auto", name = "binary_focal_crossentropy") {
  use_loss("binary_focal_crossentropy", c(list(apply_class_balancing = check_flag(apply_class_balancing),
    alpha = check_number(alpha, min = 0, max = 1), gamma = check_number(gamma, min = 0)),
    crossentropy_config(from_logits, label_smoothing, axis)), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_binary_focal_crossentropy
#' @export
loss_categorical_focal_crossentropy <- function(y_true, y_pred, alpha = 0.25, gamma = 2, from_logits = FALSE,
  label_smoothing = 0, axis = -1, ..., reduction = "auto", name = "categorical_focal_crossentropy") {
  alpha <- check_reals(alpha)
  if (any(alpha < 0)) abort("`alpha` must be numbers of at least 0, not ", describe(alpha))
  use_loss("categorical_focal_crossentropy", c(list(alpha = alpha, gamma = check_number(gamma, min = 0)),
    crossentropy_config(from_logits, label_smoothing, axis)), reduction, name, list(...), y_true, y_pred)
}

#' Losses of regions
#'
#' How badly a predicted region fits the true one, such as the mask of an object in a picture: targets t and predictions
#' p are from 0 to 1, and sums run over `axis`.
#' \deqn{1 - \frac{2 \sum t p}{\sum t + \sum p}}{1 - 2 sum(t p) / (sum(t) + sum(p))}
#' for `loss_dice()`, and for `loss_tversky()`
#' \deqn{1 - \frac{\sum t p}{\sum t p + \alpha \sum t (1 - p) + \beta \sum (1 - t) p}}{
#' 1 - sum(t p) / (sum(t p) + alpha sum(t (1 - p)) + beta sum((1 - t) p))}
#' which is the same with `alpha` and `beta` 0.5. A small number ([k_epsilon()]) is added to both sides of the
#' quotients.
#'
#' @inheritParams loss_mean_squared_error
#' @param axis the axes of one region, 1-based: `c(2, 3, 4)` for one per picture; `NULL` for one of the whole batch.
#' @param alpha,beta numbers of at least 0.
#' @return With `y_true` and `y_pred` the loss of each region, a tensor without the axes `axis`. Without them a loss
#'   object,
#'   see [losses].
#' @inheritSection loss_mean_squared_error Errors
#' @references Salehi et al. (2017), <https://arxiv.org/abs/1706.05721>.
#' @seealso [losses]
#' @examples
#' loss_dice(c(1, 1, 0, 0), c(0.9, 0.5, 0.1, 0))
#' loss_tversky(c(1, 1, 0, 0), c(0.9, 0.5, 0.1, 0), alpha = 0.7, beta = 0.3)
#' @export
loss_dice <- function(y_true, y_pred, axis = NULL, ..., reduction = "auto", name = "dice") {
  use_loss("dice", region_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_dice
#' @export
loss_tversky <- function(y_true, y_pred, alpha = 0.5, beta = 0.5, axis = NULL, ..., reduction = "auto",
  name = "tversky") {
  use_loss("tversky", c(list(alpha = check_number(alpha, min = 0), beta = check_number(beta, min = 0)),
    region_config(axis)), reduction, name, list(...), y_true, y_pred)
}
