# Metrics of how predictions and targets go together, and means of one's own.

#' Correlation metrics
#'
#' The mean over all samples of the correlation of targets t and predictions p along an axis: Pearson's
#' \deqn{r = \frac{\mathrm{cov}(t, p)}{\mathrm{sd}(t) \, \mathrm{sd}(p)}}{r = cov(t, p) / (sd(t) sd(p))}
#' and the concordance, which is 1 only where they are the same,
#' \deqn{c = \frac{2 \, \mathrm{cov}(t, p)}{\mathrm{var}(t) + \mathrm{var}(p) + (\bar{t} - \bar{p})^2}}{
#' c = 2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2)}
#' A small number ([k_epsilon()]) is added to standard deviations and to the divisor. With one number per sample take
#' `axis = 1`, the batch; then the result is the mean over batches.
#'
#' @inheritParams metric_mean_squared_error
#' @param axis the axis along which they are compared; 1-based, negative from the end.
#' @inherit metric_mean_squared_error return sections
#' @references Lin (1989), A concordance correlation coefficient to evaluate reproducibility, *Biometrics*, 45.
#' @seealso [metrics], [metric_r2_score()]
#' @examples
#' y_true <- rbind(c(0, 1, 0.5), c(1, 1, 0.2))
#' y_pred <- rbind(c(0.1, 0.9, 0.5), c(1, 0.9, 0.2))
#' metric_pearson_correlation(y_true, y_pred) # 1 0.9934
#' metric_concordance_correlation(y_true, y_pred) # 0.9756 0.9877
#' @export
metric_pearson_correlation <- function(y_true, y_pred, axis = -1, ..., name = "pearson_correlation") {
  use_metric("pearson_correlation", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_pearson_correlation
#' @export
metric_concordance_correlation <- function(y_true, y_pred, axis = -1, ..., name = "concordance_correlation") {
  use_metric("concordance_correlation", axis_config(axis), name, list(...), y_true, y_pred)
}

#' Both without their means along the axis, which is the last one then.
#' @noRd
centered_pair <- function(y_true, y_pred, config, fun) {
  pair <- align_targets(y_true, y_pred, "values", fun)
  pair <- lapply(pair, axis_to_end, config$axis, fun)
  means <- lapply(pair, op_mean, -1, keepdims = TRUE)
  list(t = op_subtract(pair[[1]], means[[1]]), p = op_subtract(pair[[2]], means[[2]]),
    apart = op_squeeze(op_subtract(means[[1]], means[[2]]), -1))
}

accuracy_formulas$pearson_correlation <- function(y_true, y_pred, config, fun) {
  pair <- centered_pair(y_true, y_pred, config, fun)
  size <- function(x) op_add(op_sqrt(op_mean(op_square(x), -1)), session$epsilon)
  op_divide(op_mean(op_multiply(pair$t, pair$p), -1), op_multiply(size(pair$t), size(pair$p)))
}

accuracy_formulas$concordance_correlation <- function(y_true, y_pred, config, fun) {
  pair <- centered_pair(y_true, y_pred, config, fun)
  variance <- function(x) op_mean(op_square(x), -1)
  size <- op_add(op_add(variance(pair$t), variance(pair$p)), op_add(op_square(pair$apart), session$epsilon))
  op_divide(op_multiply(op_mean(op_multiply(pair$t, pair$p), -1), 2), size)
}

#' Mean relative error
#'
#' The mean over all values of \eqn{|p - t| / n}{abs(p - t) / n} with the targets t, the predictions p and numbers n to
#' compare with, which may be one for each column. Where n is 0, the error counts as 0.
#'
#' @param ... not used.
#' @param normalizer the numbers n: they broadcast to the shape of the predictions.
#' @param name a string: what the metric is called in reports.
#' @return A metric object, see [metrics].
#' @seealso [metrics], [metric_mean_absolute_percentage_error()]
#' @examples
#' m <- metric_mean_relative_error(normalizer = c(1, 3, 2, 3))
#' m(c(1, 3, 2, 3), c(2, 4, 6, 8)) # 1.25
#' @export
metric_mean_relative_error <- function(..., normalizer, name = "mean_relative_error") {
  check_given(missing(normalizer), "normalizer")
  check_no_more(list(...), kind = "part")
  if (is.null(name)) name <- "mean_relative_error"
  use_metric("mean_relative_error", list(normalizer = if (is_branch(normalizer)) check_reals(normalizer) else
    check_numbers(normalizer, "normalizer")), name, list())
}

accuracy_formulas$mean_relative_error <- function(y_true, y_pred, config, fun) {
  pair <- lapply(list(y_true, y_pred), function(x) floats_of(as_floats(x)))
  n <- tensor(if (is_branch(config$normalizer)) unlist(config$normalizer) else config$normalizer,
    tensor_dtype(pair[[2]]))
  op_divide_no_nan(op_abs(op_subtract(op_cast(pair[[1]], tensor_dtype(pair[[2]])), pair[[2]])), n)
}

#' Means of one's own
#'
#' `metric_mean_wrapper()` is the mean over all samples of what a function gives, as [custom_metric()].
#' `metric_mean_tensor()` is the mean of tensors, element by element: \eqn{\sum w v / \sum w}{sum(w v) / sum(w)} over
#' the calls of `$update_state(values, sample_weight)`, for loops of your own.
#'
#' @param ... for `metric_mean_wrapper()` further arguments of `fn`; otherwise not used.
#' @param fn a function of `(y_true, y_pred, ...)`, made of ops.
#' @param shape the shape of the values; `NULL` for that of the first ones.
#' @param name a string: what the metric is called in reports.
#' @return A metric object, see [metrics]. The result of `metric_mean_tensor()` is a tensor.
#' @seealso [metrics], [metric_mean()]
#' @examples
#' accuracy <- function(y_true, y_pred) k_cast(k_equal(y_true, k_round(y_pred)), "float32")
#' metric_mean_wrapper(fn = accuracy)(c(0, 1, 1, 1), c(0.2, 0.8, 0.4, 0.9)) # 0.75
#' m <- metric_mean_tensor()
#' m$update_state(c(0, 1, 2, 3))
#' m$update_state(c(4, 5, 6, 7))
#' m$result() # 2 3 4 5
#' @export
metric_mean_wrapper <- function(..., fn, name = NULL) {
  check_given(missing(fn), "fn")
  more <- without_effect(list(...), "part", "metric_mean_wrapper")
  check_function(fn, takes = 2 + length(more))
  if (length(more) && (is.null(names(more)) || !all(nzchar(names(more))))) abort("arguments of `fn` must be named")
  if (is.null(name)) name <- own_name(fn, "mean_metric_wrapper")
  custom_metric(name, function(y_true, y_pred) do.call(fn, c(list(y_true, y_pred), more)))
}

#' @rdname metric_mean_wrapper
#' @export
metric_mean_tensor <- function(..., shape = NULL, name = "mean_tensor") {
  check_no_more(list(...), kind = "part")
  name <- if (is.null(name)) "mean_tensor" else check_string(name)
  if (!is.null(shape)) shape <- check_sizes(shape)
  metric <- total <- count <- NULL
  begin <- function(shape) {
    total <<- metric$add_weight(name = "total", shape = shape)
    count <<- metric$add_weight(name = "count", shape = shape)
  }
  mean_tensor <- new_metric_class("MeanTensor",
    update_state = function(values, sample_weight = NULL) {
      values <- op_cast(floats_of(as_floats(values)), session$floatx)
      if (is.null(total)) begin(shape_of(values))
      if (!same_sizes(shape_of(values), dim(total))) abort("the values must have the shape ", format_shape(dim(total)),
        ", not ", format_shape(shape_of(values)), class = "shape", fun = "metric_mean_tensor")
      total$assign_add(weigh(values, sample_weight))
      count$assign_add(weigh(op_ones_like(values), sample_weight))
    },
    result = function() if (is.null(total)) tensor(0, session$floatx) else op_divide_no_nan(total, count))
  metric <- mean_tensor(name = name)
  if (!is.null(shape)) begin(shape)
  metric
}
