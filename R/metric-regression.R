# Metrics of regression: constructors and help pages. The formulas are those of the losses.

#' Mean squared error metric
#'
#' The mean over all samples of [loss_mean_squared_error()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} (p_{ij} - t_{ij})^2}{mean((p - t)^2)}
#' with t the targets and p the predictions of n samples. Its unit is the square of that of the targets; see
#' [metric_root_mean_squared_error()]. As a string: `"mse"`.
#'
#' @param y_true targets: an array or tensor of the shape of `y_pred`. A last axis of size 1 may be missing.
#' @param y_pred predictions: a float array or tensor.
#' @param axis the axis over which the value of a sample is taken; 1-based, negative from the end.
#' @param ... not used.
#' @param name a string: what the metric is called in reports.
#' @return With `y_true` and `y_pred` the value of each sample: a float tensor of the shape of `y_pred` without `axis`.
#'   Without them a metric object: a function of class `nn_metric`, see [metrics].
#' @section Errors: `nativenet_error_shape` if the shapes of targets and predictions do not fit; both are named.
#' @seealso [metrics], [loss_mean_squared_error()]
#' @examples
#' metric_mean_squared_error(rbind(c(0, 1), c(0, 0)), rbind(c(1, 1), c(1, 0))) # 0.5 0.5
#' m <- metric_mean_squared_error()
#' m(c(1, 2, 3), c(1, 2, 6)) # 3
#' @export
metric_mean_squared_error <- function(y_true, y_pred, axis = -1, ..., name = "mean_squared_error") {
  use_metric("mean_squared_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' Root mean squared error metric
#'
#' The root of the mean squared error over all samples:
#' \deqn{\sqrt{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} (p_{ij} - t_{ij})^2}}{sqrt(mean((p - t)^2))}
#' with t the targets and p the predictions of n samples. Its unit is that of the targets. It is not the mean of the
#' roots of batches. As a string: `"rmse"`.
#'
#' @inheritParams metric_mean_squared_error
#' @return With `y_true` and `y_pred` a number. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics], [loss_mean_squared_error()]
#' @examples
#' metric_root_mean_squared_error(c(1, 2, 3), c(1, 2, 6)) # sqrt(3)
#' @export
metric_root_mean_squared_error <- function(y_true, y_pred, ..., name = "root_mean_squared_error") {
  use_metric("root_mean_squared_error", list(), name, list(...), y_true, y_pred)
}

#' Mean absolute error metric
#'
#' The mean over all samples of [loss_mean_absolute_error()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} |p_{ij} - t_{ij}|}{mean(abs(p - t))}
#' with t the targets and p the predictions of n samples. Its unit is that of the targets. As a string: `"mae"`.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_mean_absolute_error()]
#' @examples
#' metric_mean_absolute_error(rbind(c(0, 1), c(0, 0)), rbind(c(1, 1), c(1, 0))) # 0.5 0.5
#' @export
metric_mean_absolute_error <- function(y_true, y_pred, axis = -1, ..., name = "mean_absolute_error") {
  use_metric("mean_absolute_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' Mean absolute percentage error metric
#'
#' The mean over all samples of [loss_mean_absolute_percentage_error()]:
#' \deqn{\frac{100}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} \frac{|t_{ij} - p_{ij}|}{\max(|t_{ij}|, e)}}{
#' 100 mean(abs(t - p) / max(abs(t), e))}
#' with t the targets and p the predictions of n samples, and e = [k_epsilon()]. As a string: `"mape"`.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_mean_absolute_percentage_error()]
#' @examples
#' metric_mean_absolute_percentage_error(rbind(c(2, 1), c(2, 3)), rbind(c(1, 1), c(1, 0))) # 25 75
#' @export
metric_mean_absolute_percentage_error <- function(y_true, y_pred, axis = -1, ...,
  name = "mean_absolute_percentage_error") {
  use_metric("mean_absolute_percentage_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' Mean squared logarithmic error metric
#'
#' The mean over all samples of [loss_mean_squared_logarithmic_error()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} (\log(p_{ij} + 1) - \log(t_{ij} + 1))^2}{
#' mean((log(p + 1) - log(t + 1))^2)}
#' with t the targets and p the predictions of n samples, all at least e = [k_epsilon()]. As a string: `"msle"`.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_mean_squared_logarithmic_error()]
#' @examples
#' metric_mean_squared_logarithmic_error(rbind(c(0, 9), c(99, 0)), rbind(c(0, 99), c(9, 0)))
#' @export
metric_mean_squared_logarithmic_error <- function(y_true, y_pred, axis = -1, ...,
  name = "mean_squared_logarithmic_error") {
  use_metric("mean_squared_logarithmic_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' Log-cosh metric
#'
#' The mean over all samples of [loss_logcosh()]:
#' \deqn{\frac{1}{n D} \sum_{i=1}^{n} \sum_{j=1}^{D} \log(\cosh(p_{ij} - t_{ij}))}{mean(log(cosh(p - t)))}
#' with t the targets and p the predictions of n samples. As a string: `"logcosh"`.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_logcosh()]
#' @examples
#' metric_logcosh_error(c(0, 0), c(0.1, 100))
#' @export
metric_logcosh_error <- function(y_true, y_pred, ..., name = "logcosh") {
  use_metric("logcosh_error", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_logcosh_error
#' @export
metric_log_cosh <- metric_logcosh_error # keras3's names

#' @rdname metric_logcosh_error
#' @export
metric_log_cosh_error <- metric_logcosh_error

#' Huber metric
#'
#' The mean over all samples of [loss_huber()].
#'
#' @inheritParams metric_mean_squared_error
#' @param delta a number above 0: where the error becomes linear.
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_huber()]
#' @examples
#' metric_huber(cbind(c(0, 0, 0)), cbind(c(0.5, 1, 10))) # 0.125 0.5 9.5
#' @export
metric_huber <- function(y_true, y_pred, delta = 1, ..., name = "huber") {
  use_metric("huber", list(delta = check_number(delta, above = 0)), name, list(...), y_true, y_pred)
}

#' Cosine similarity metric
#'
#' The mean over all samples of the cosine of the angle between target and prediction:
#' \deqn{\frac{1}{n} \sum_{i=1}^{n} \frac{\sum_j t_{ij} p_{ij}}{\|t_i\| \, \|p_i\|}}{mean(sum(t p) / (norm(t) norm(p)))}
#' with t the targets and p the predictions of n samples. 1 is best, while the loss of this name is
#' its negative.
#'
#' @inheritParams metric_mean_squared_error
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics], [loss_cosine_similarity()]
#' @examples
#' metric_cosine_similarity(rbind(c(0, 1), c(1, 1)), rbind(c(1, 0), c(1, 1))) # 0 1
#' @export
metric_cosine_similarity <- function(y_true, y_pred, axis = -1, ..., name = "cosine_similarity") {
  use_metric("cosine_similarity", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_cosine_similarity
#' @export
metric_cosine_proximity <- metric_cosine_similarity # its older name
