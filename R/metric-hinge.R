# Metrics of margins: constructors and help pages. The formulas are those of the losses.

#' Hinge metric
#'
#' The mean over all samples of [loss_hinge()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} \max(1 - t_{ij} p_{ij}, 0)}{mean(max(1 - t p, 0))}
#' with t the targets, -1 or 1, and p the predictions. Targets that are all 0 or 1 become -1 and 1.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_hinge()]
#' @examples
#' metric_hinge(c(-1, 1, 1), c(-2, 0.5, -1)) # the mean of 0, 0.5 and 2
#' @export
metric_hinge <- function(y_true, y_pred, ..., name = "hinge") {
  use_metric("hinge", list(), name, list(...), y_true, y_pred)
}

#' Squared hinge metric
#'
#' The mean over all samples of [loss_squared_hinge()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} \max(1 - t_{ij} p_{ij}, 0)^2}{mean(max(1 - t p, 0)^2)}
#' with t the targets, -1 or 1, and p the predictions. Targets that are all 0 or 1 become -1 and 1.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_squared_hinge()]
#' @examples
#' metric_squared_hinge(c(-1, 1, 1), c(-2, 0.5, -1)) # the mean of 0, 0.25 and 4
#' @export
metric_squared_hinge <- function(y_true, y_pred, ..., name = "squared_hinge") {
  use_metric("squared_hinge", list(), name, list(...), y_true, y_pred)
}

#' Categorical hinge metric
#'
#' The mean over all samples of [loss_categorical_hinge()]:
#' \deqn{\frac{1}{n} \sum_{i=1}^{n} \max\left(0, \, 1 + \max_k (1 - t_{ik}) p_{ik} - \sum_k t_{ik} p_{ik}\right)}{
#' mean(max(0, 1 + max((1 - t) p) - sum(t p)))}
#' with t one-hot targets and p the predicted scores of the classes.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_categorical_hinge()]
#' @examples
#' metric_categorical_hinge(rbind(c(0, 1), c(1, 0)), rbind(c(0.6, 0.4), c(3, 0)))
#' @export
metric_categorical_hinge <- function(y_true, y_pred, ..., name = "categorical_hinge") {
  use_metric("categorical_hinge", list(), name, list(...), y_true, y_pred)
}
