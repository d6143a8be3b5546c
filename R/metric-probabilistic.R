# Metrics of predicted probabilities: constructors and help pages. The formulas are those of the losses.

#' Binary cross-entropy metric
#'
#' The mean over all samples of [loss_binary_crossentropy()]:
#' \deqn{-\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} \left(t_{ij} \log p_{ij} + (1 - t_{ij}) \log(1 - p_{ij})\right)}{
#' -mean(t log(p) + (1 - t) log(1 - p))}
#' with t the targets, 0 or 1, and p the predicted probabilities of 1. In `compile()`, `"crossentropy"` means this
#' one where the predictions have size 1 on the last axis.
#'
#' @inheritParams metric_mean_squared_error
#' @param from_logits are predictions logits, the inputs of a sigmoid, rather than probabilities?
#' @param label_smoothing from 0 to 1: the share of each target that is spread evenly over the classes.
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_binary_crossentropy()]
#' @examples
#' metric_binary_crossentropy(rbind(c(0, 1), c(0, 0)), rbind(c(0.6, 0.4), c(0.4, 0.6)))
#' @export
metric_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  name = "binary_crossentropy") {
  use_metric("binary_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), name, list(...), y_true,
    y_pred)
}

#' Categorical cross-entropy metric
#'
#' The mean over all samples of [loss_categorical_crossentropy()]:
#' \deqn{-\frac{1}{n} \sum_{i=1}^{n} \sum_{k=1}^{K} t_{ik} \log p_{ik}}{-mean(sum(t log(p)))}
#' with t one-hot targets and p the predicted probabilities of K classes. In `compile()`, `"crossentropy"` means
#' this one where targets and predictions have the same shape.
#'
#' @inheritParams metric_mean_squared_error
#' @param from_logits are predictions logits, the inputs of a softmax, rather than probabilities?
#' @param label_smoothing from 0 to 1: the share of each target that is spread evenly over the classes.
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_categorical_crossentropy()]
#' @examples
#' y_pred <- rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1))
#' metric_categorical_crossentropy(rbind(c(0, 1, 0), c(0, 0, 1)), y_pred)
#' @export
metric_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  name = "categorical_crossentropy") {
  use_metric("categorical_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), name, list(...),
    y_true, y_pred)
}

#' Sparse categorical cross-entropy metric
#'
#' The mean over all samples of [loss_sparse_categorical_crossentropy()]:
#' \deqn{-\frac{1}{n} \sum_{i=1}^{n} \log p_{i, t_i}}{-mean(log(p[t]))}
#' with t the labels, classes 0 .. K-1, and p the predicted probabilities of K classes. In `compile()`,
#' `"crossentropy"` means this one where the targets are labels.
#'
#' @inheritParams metric_mean_squared_error
#' @param y_true labels: whole numbers 0 .. K-1, of the shape of `y_pred` without its last axis, or with 1 there.
#' @param from_logits are predictions logits, the inputs of a softmax, rather than probabilities?
#' @param ignore_class a label whose samples do not count; `NULL`: all do.
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_sparse_categorical_crossentropy()]
#' @examples
#' metric_sparse_categorical_crossentropy(c(1, 2), rbind(c(0.05, 0.95, 0), c(0.1, 0.8, 0.1)))
#' @export
metric_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1, ...,
  ignore_class = NULL, name = "sparse_categorical_crossentropy") {
  use_metric("sparse_categorical_crossentropy", crossentropy_config(from_logits, axis = axis, ignore_class =
    ignore_class), name, list(...), y_true, y_pred)
}

#' Kullback-Leibler divergence metric
#'
#' The mean over all samples of [loss_kl_divergence()]:
#' \deqn{\frac{1}{n} \sum_{i=1}^{n} \sum_{k=1}^{K} t_{ik} \log \frac{t_{ik}}{p_{ik}}}{mean(sum(t log(t / p)))}
#' with t the target probabilities and p the predicted ones. As a string: `"kld"` or `"kullback_leibler_divergence"`.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_kl_divergence()]
#' @examples
#' metric_kl_divergence(rbind(c(0.5, 0.5), c(1, 0)), rbind(c(0.5, 0.5), c(0.9, 0.1)))
#' @export
metric_kl_divergence <- function(y_true, y_pred, ..., name = "kl_divergence") {
  use_metric("kl_divergence", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_kl_divergence
#' @export
metric_kullback_leibler_divergence <- metric_kl_divergence # its older name

#' Poisson metric
#'
#' The mean over all samples of [loss_poisson()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} (p_{ij} - t_{ij} \log(p_{ij} + e))}{mean(p - t log(p + e))}
#' with t the targets, counts, p the predicted rates and e = [k_epsilon()].
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_poisson()]
#' @examples
#' metric_poisson(c(0, 2, 5), c(0.5, 2, 4))
#' @export
metric_poisson <- function(y_true, y_pred, ..., name = "poisson") {
  use_metric("poisson", list(), name, list(...), y_true, y_pred)
}
