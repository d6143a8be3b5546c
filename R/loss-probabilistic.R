# Losses of predicted probabilities: constructors and help pages. The formulas are in R/loss.R.

#' Binary cross-entropy loss
#'
#' The mean of the cross-entropies of D yes-or-no questions over the last axis:
#' \deqn{L = -\frac{1}{D} \sum_{j=1}^{D} \left(t_j \log p_j + (1 - t_j) \log(1 - p_j)\right)}{
#' L = -mean(t log(p) + (1 - t) log(1 - p))}
#' with t the targets, 0 or 1 or a probability, and p the predicted probability of 1. It goes with a last layer with
#' the activation `"sigmoid"`: one unit for two classes, or a unit for each of several labels that do not exclude each
#' other.
#'
#' Probabilities are clipped to e .. 1 - e, and e = [k_epsilon()] is added in each logarithm, as in Keras. From logits x
#' it is
#' \eqn{\max(x, 0) - x t + \log(1 + \exp(-|x|))}{max(x, 0) - x t + log(1 + exp(-abs(x)))}, which is exact. Training
#' uses this form by itself where the model ends in a sigmoid.
#'
#' Label smoothing s replaces the targets by \eqn{(1 - s) t + s / 2}.
#'
#' @inheritParams loss_mean_squared_error
#' @param from_logits are predictions logits, the inputs of a sigmoid, rather than probabilities?
#' @param label_smoothing from 0 to 1: the share of each target that is spread evenly over the classes.
#' @inherit loss_mean_squared_error return sections
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2.2. Szegedy et al. (2016), label smoothing,
#'   <https://arxiv.org/abs/1512.00567>.
#' @seealso [losses]
#' @examples
#' y_true <- rbind(c(0, 1), c(0, 0))
#' loss_binary_crossentropy(y_true, rbind(c(0.6, 0.4), c(0.4, 0.6)))
#' loss_binary_crossentropy(y_true, rbind(c(-2, 3), c(0, -1)), from_logits = TRUE)
#' loss_binary_crossentropy(label_smoothing = 0.1)
#' @export
loss_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  reduction = "auto", name = "binary_crossentropy") {
  use_loss("binary_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), reduction, name, list(...),
    y_true, y_pred)
}

#' Categorical cross-entropy loss
#'
#' The cross-entropy of a prediction of one of K classes:
#' \deqn{L = -\sum_{k=1}^{K} t_k \log p_k}{L = -sum(t log(p))}
#' with t the targets, one-hot or probabilities, and p the predicted probabilities, which are divided by their sum. It
#' goes with a last layer of K units with the activation `"softmax"`. For labels 0 .. K-1 take
#' [loss_sparse_categorical_crossentropy()].
#'
#' Probabilities are clipped to e .. 1 - e, with e = [k_epsilon()]. From logits x it is
#' \eqn{\sum_k t_k (\log \sum_i \exp(x_i) - x_k)}{sum(t (log(sum(exp(x))) - x))}, which is exact. Training uses this
#' form by itself where the model ends in a softmax.
#'
#' Label smoothing s replaces the targets by \eqn{(1 - s) t + s / K}.
#'
#' @inheritParams loss_mean_squared_error
#' @param from_logits are predictions logits, the inputs of a softmax, rather than probabilities?
#' @param label_smoothing from 0 to 1: the share of each target that is spread evenly over the classes.
#' @inherit loss_mean_squared_error return sections
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2.2. Szegedy et al. (2016), label smoothing,
#'   <https://arxiv.org/abs/1512.00567>.
#' @seealso [losses]
#' @examples
#' y_pred <- rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1))
#' loss_categorical_crossentropy(rbind(c(0, 1, 0), c(0, 0, 1)), y_pred)
#' @export
loss_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  reduction = "auto", name = "categorical_crossentropy") {
  use_loss("categorical_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), reduction, name,
    list(...), y_true, y_pred)
}

#' Sparse categorical cross-entropy loss
#'
#' [loss_categorical_crossentropy()] with labels in place of one-hot targets:
#' \deqn{L = -\log p_t}{L = -log(p[t])}
#' with t the label, a class 0 .. K-1, and p the predicted probabilities of the K classes, which are divided by their
#' sum. It saves the memory of one-hot targets and gives the same numbers. R's factors have codes from 1: take
#' `as.integer(f) - 1`.
#'
#' @param y_true labels: whole numbers 0 .. K-1, an array or tensor of the shape of `y_pred` without its last axis, or
#'   with 1 there.
#' @inheritParams loss_mean_squared_error
#' @param from_logits are predictions logits, the inputs of a softmax, rather than probabilities?
#' @param ignore_class a label, inside the classes or not, such as 255 or -1 for pixels that have none: its samples have
#'   the loss 0, and the mean is over the others. `NULL`: all count.
#' @inherit loss_mean_squared_error return sections
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2.2.
#' @seealso [losses]
#' @examples
#' loss_sparse_categorical_crossentropy(c(1, 2), rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1)))
#' loss_sparse_categorical_crossentropy(from_logits = TRUE)
#' # 255 marks what nobody has labelled
#' loss <- loss_sparse_categorical_crossentropy(ignore_class = 255)
#' loss(c(1, 255), rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1)))
#' @export
loss_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1, ...,
  ignore_class = NULL, reduction = "auto", name = "sparse_categorical_crossentropy") {
  use_loss("sparse_categorical_crossentropy", crossentropy_config(from_logits, axis = axis, ignore_class =
    ignore_class), reduction, name, list(...), y_true, y_pred)
}

#' Kullback-Leibler divergence loss
#'
#' How far the predicted distribution p is from the target distribution t over K classes:
#' \deqn{L = \sum_{k=1}^{K} t_k \log \frac{t_k}{p_k}}{L = sum(t log(t / p))}
#' Both are clipped to e .. 1, with e = [k_epsilon()]. It is the cross-entropy less the entropy of the targets, so it
#' is 0 where both agree. It is for targets that are distributions, as in distillation and variational inference. As a
#' string: `"kld"` or `"kullback_leibler_divergence"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @references Kullback & Leibler (1951), On information and sufficiency, \doi{10.1214/aoms/1177729694}.
#' @seealso [losses]
#' @examples
#' loss_kl_divergence(rbind(c(0.5, 0.5), c(1, 0)), rbind(c(0.5, 0.5), c(0.9, 0.1)))
#' @export
loss_kl_divergence <- function(y_true, y_pred, ..., reduction = "auto", name = "kl_divergence") {
  use_loss("kl_divergence", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_kl_divergence
#' @export
loss_kullback_leibler_divergence <- loss_kl_divergence

#' Poisson loss
#'
#' The negative log-likelihood of counts under a Poisson distribution, without the part that no prediction changes; the
#' mean over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} (p_j - t_j \log(p_j + e))}{L = mean(p - t log(p + e))}
#' with t the targets, counts, p the predicted rates and e = [k_epsilon()]. It goes with a last layer that gives
#' positive numbers, such as one with the activation `"exponential"` or `"softplus"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @references McCullagh & Nelder (1989), Generalized Linear Models, chapter 6.
#' @seealso [losses]
#' @examples
#' loss_poisson(c(0, 2, 5), c(0.5, 2, 4))
#' @export
loss_poisson <- function(y_true, y_pred, ..., reduction = "auto", name = "poisson") {
  use_loss("poisson", list(), reduction, name, list(...), y_true, y_pred)
}
