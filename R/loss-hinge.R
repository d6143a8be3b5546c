# Losses of margins: constructors and help pages. The formulas are in R/loss.R.

#' Hinge loss
#'
#' The loss of support vector machines, the mean over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} \max(1 - t_j p_j, 0)}{L = mean(max(1 - t p, 0))}
#' with t the targets, -1 or 1, and p the predictions, any numbers: the sign is the class. Predictions on the right side
#' and at least 1 away from 0 cost nothing. Targets that are all 0 or 1 become -1 and 1. It goes with a last layer
#' without activation or with `"tanh"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @references Cortes & Vapnik (1995), Support-vector networks, \doi{10.1007/BF00994018}.
#' @seealso [losses]
#' @examples
#' loss_hinge(c(-1, 1, 1), c(-2, 0.5, -1)) # the mean of 0, 0.5 and 2
#' @export
loss_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "hinge") {
  use_loss("hinge", list(), reduction, name, list(...), y_true, y_pred)
}

#' Squared hinge loss
#'
#' [loss_hinge()] with squares, the mean over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} \max(1 - t_j p_j, 0)^2}{L = mean(max(1 - t p, 0)^2)}
#' with t the targets, -1 or 1, and p the predictions, any numbers. Unlike the hinge it has a continuous derivative, and
#' large errors count more. Targets that are all 0 or 1 become -1 and 1.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_squared_hinge(c(-1, 1, 1), c(-2, 0.5, -1)) # the mean of 0, 0.25 and 4
#' @export
loss_squared_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "squared_hinge") {
  use_loss("squared_hinge", list(), reduction, name, list(...), y_true, y_pred)
}

#' Categorical hinge loss
#'
#' The hinge of the margin between the right class and the best of the others:
#' \deqn{L = \max\left(0, \, 1 + \max_k (1 - t_k) p_k - \sum_k t_k p_k\right)}{
#' L = max(0, 1 + max((1 - t) p) - sum(t p))}
#' with t one-hot targets and p the predicted scores of the classes, any numbers. A sample costs nothing where the score
#' of its class is above all others, and above 0, by 1 at least.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @references Crammer & Singer (2001), <https://www.jmlr.org/papers/v2/crammer01a.html>.
#' @seealso [losses]
#' @examples
#' loss_categorical_hinge(rbind(c(0, 1), c(1, 0)), rbind(c(0.6, 0.4), c(3, 0)))
#' @export
loss_categorical_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "categorical_hinge") {
  use_loss("categorical_hinge", list(), reduction, name, list(...), y_true, y_pred)
}
