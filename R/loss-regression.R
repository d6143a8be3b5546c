# Losses of regression: constructors and help pages. The formulas are in R/loss.R.

#' Mean squared error loss
#'
#' The mean of the squared errors over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} (p_j - t_j)^2}{L = mean((p - t)^2)}
#' with t the targets and p the predictions. It is the usual loss of regression. Large errors count most, so it is
#' sensitive to outliers; see [loss_huber()] and [loss_mean_absolute_error()]. As a string: `"mse"`.
#'
#' @param y_true targets: an array or tensor of the shape of `y_pred`. A last axis of size 1 may be missing.
#' @param y_pred predictions: a float array or tensor. Its dtype is that of the result.
#' @param axis the axis over which the loss of a sample is taken; 1-based, negative from the end.
#' @param ... not used.
#' @param reduction `"auto"`, `"sum_over_batch_size"`, `"sum"` or `"none"`, see [losses].
#' @param name a string: the name of the loss.
#' @return With `y_true` and `y_pred` the loss of each sample: a float tensor of the shape of `y_pred` without `axis`.
#'   Without them a loss object: a function of class `nn_loss`, see [losses].
#' @section Errors: `nativenet_error_shape` if the shapes of targets and predictions do not fit; both are named.
#' @references Bishop (2006), Pattern Recognition and Machine Learning, section 5.2.
#' @seealso [losses]
#' @examples
#' loss_mean_squared_error(rbind(c(0, 1), c(0, 0)), rbind(c(1, 1), c(1, 0))) # 0.5 0.5
#' loss_mean_squared_error()
#' @export
loss_mean_squared_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "mean_squared_error") {
  use_loss("mean_squared_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' Mean absolute error loss
#'
#' The mean of the absolute errors over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} |p_j - t_j|}{L = mean(abs(p - t))}
#' with t the targets and p the predictions. Its best constant prediction is the median, so outliers count less than
#' with [loss_mean_squared_error()]. The gradient has the same size however small the error is (0 where the error is
#' 0). As a string: `"mae"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_mean_absolute_error(rbind(c(0, 1), c(0, 0)), rbind(c(1, 1), c(1, 0))) # 0.5 0.5
#' @export
loss_mean_absolute_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "mean_absolute_error") {
  use_loss("mean_absolute_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' Mean absolute percentage error loss
#'
#' The mean of the relative errors over the last axis, of size D, in percent:
#' \deqn{L = \frac{100}{D} \sum_{j=1}^{D} \frac{|t_j - p_j|}{\max(|t_j|, e)}}{L = 100 mean(abs(t - p) / max(abs(t), e))}
#' with t the targets, p the predictions and e = [k_epsilon()]. It is for positive targets of different magnitudes.
#' Targets near 0 make it huge. As a string: `"mape"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_mean_absolute_percentage_error(rbind(c(2, 1), c(2, 3)), rbind(c(1, 1), c(1, 0))) # 25 75
#' @export
loss_mean_absolute_percentage_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto",
  name = "mean_absolute_percentage_error") {
  use_loss("mean_absolute_percentage_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' Mean squared logarithmic error loss
#'
#' The mean squared error of logarithms over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} (\log(p_j + 1) - \log(t_j + 1))^2}{L = mean((log(p + 1) - log(t + 1))^2)}
#' with t the targets and p the predictions, both at least e = [k_epsilon()]. It is for targets that are not negative
#' and grow exponentially, such as counts or prices: it looks at ratios, and predictions that are too low cost more than
#' those that are too high. As a string: `"msle"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_mean_squared_logarithmic_error(rbind(c(0, 9), c(99, 0)), rbind(c(0, 99), c(9, 0)))
#' @export
loss_mean_squared_logarithmic_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto",
  name = "mean_squared_logarithmic_error") {
  use_loss("mean_squared_logarithmic_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' Huber loss
#'
#' Quadratic for small errors, linear for large ones. With x = p - t the error of a prediction p of a target t,
#' \deqn{h(x) = \left\{\begin{array}{ll} x^2 / 2 & |x| \le \delta \\ \delta |x| - \delta^2 / 2 & |x| > \delta
#' \end{array}\right.}{h(x) = x^2 / 2 if abs(x) <= delta, else delta abs(x) - delta^2 / 2}
#' and the loss is the mean of h over the last axis. It is for regression with outliers: smooth as the squared error at
#' 0, and no error has a gradient larger than delta. As a string: `"huber"`.
#'
#' @inheritParams loss_mean_squared_error
#' @param delta a number above 0: where the loss becomes linear.
#' @inherit loss_mean_squared_error return sections
#' @references Huber (1964), Robust estimation of a location parameter, \doi{10.1214/aoms/1177703732}.
#' @seealso [losses]
#' @examples
#' loss_huber(c(0, 0, 0), c(0.5, 1, 10)) # the mean of 0.125, 0.5 and 9.5
#' loss_huber(delta = 2)
#' @export
loss_huber <- function(y_true, y_pred, delta = 1, ..., reduction = "auto", name = "huber_loss") {
  delta <- check_number(delta, above = 0)
  use_loss("huber", list(delta = delta), reduction, name, list(...), y_true, y_pred)
}

#' Log-cosh loss
#'
#' The mean of the logarithms of the hyperbolic cosines of the errors over the last axis, of size D:
#' \deqn{L = \frac{1}{D} \sum_{j=1}^{D} \log(\cosh(p_j - t_j))}{L = mean(log(cosh(p - t)))}
#' with t the targets and p the predictions. It is near \eqn{x^2 / 2} for small errors x and near
#' \eqn{|x| - \log 2}{abs(x) - log(2)} for large ones: as [loss_huber()], but with derivatives of every order. As a
#' string: `"log_cosh"` or `"logcosh"`.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_logcosh(c(0, 0), c(0.1, 100))
#' @export
loss_logcosh <- function(y_true, y_pred, ..., reduction = "auto", name = "log_cosh") {
  use_loss("logcosh", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_logcosh
#' @export
loss_log_cosh <- loss_logcosh # keras3's name

#' Cosine similarity loss
#'
#' The negative cosine of the angle between targets and predictions:
#' \deqn{L = -\frac{\sum_j t_j p_j}{\|t\| \, \|p\|}}{L = -sum(t p) / (norm(t) norm(p))}
#' It is -1 where both point in the same direction, 0 where they are orthogonal (or one of them is 0), and 1 where they
#' are opposite. It is for embeddings and other vectors whose length does not matter.
#'
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return sections
#' @seealso [losses]
#' @examples
#' loss_cosine_similarity(rbind(c(0, 1), c(1, 1)), rbind(c(1, 0), c(1, 1))) # 0 -1
#' @export
loss_cosine_similarity <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "cosine_similarity") {
  use_loss("cosine_similarity", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_cosine_similarity
#' @export
loss_cosine_proximity <- loss_cosine_similarity # its older name
