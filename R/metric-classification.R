# Metrics of classifiers: how often the class is right, and counts at thresholds.

# ---- accuracies: the value of each sample ----

accuracy_formulas <- list(
  accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "values", fun)
    as_share(op_equal(pair$y_true, pair$y_pred), pair$y_pred)
  },
  binary_accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "values", fun)
    class <- as_share(op_greater(pair$y_pred, config$threshold), pair$y_pred)
    op_mean(as_share(op_equal(pair$y_true, class), pair$y_pred), -1)
  },
  categorical_accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "values", fun)
    as_share(op_equal(class_of(pair$y_true), class_of(pair$y_pred)), pair$y_pred)
  },
  sparse_categorical_accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "labels", fun)
    as_share(op_equal(op_cast(pair$y_true, "int64"), class_of(pair$y_pred)), pair$y_pred)
  },
  top_k_categorical_accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "values", fun)
    in_top_k(class_of(pair$y_true), pair$y_pred, config$k)
  },
  sparse_top_k_categorical_accuracy = function(y_true, y_pred, config, fun) {
    pair <- align_targets(y_true, y_pred, "labels", fun)
    in_top_k(pair$y_true, pair$y_pred, config$k)
  }
)

#' The class with the largest number, 0-based.
#' @noRd
class_of <- function(x) op_argmax(x, -1, zero_indexed = TRUE)

#' Logical values as 0 and 1 of the dtype of the predictions.
#' @noRd
as_share <- function(x, y_pred) op_cast(x, tensor_dtype(y_pred))

in_top_k <- function(labels, y_pred, k) as_share(op_in_top_k(labels, y_pred, k), y_pred)

# ---- counts at thresholds ----

#' @return a tensor of one axis: tp of each threshold, then fp, fn and tn.
#' @noRd
confusion_sums <- function(m, y_true, y_pred, weights) {
  config <- part_config(m)
  pair <- align_targets(y_true, y_pred, "values", part_label(m))
  t <- as_share(op_not_equal(pair$y_true, 0), pair$y_pred)
  p <- if (isTRUE(config$from_logits)) op_sigmoid(pair$y_pred) else pair$y_pred
  w <- weigh(op_ones_like(p), weights)
  if (!is.null(config$top_k)) { # others are not predicted, whatever the threshold
    best <- op_one_hot(largest_of(p, config$top_k)$indices, shape_of(p)[rank_of(p)], dtype = "float32",
      zero_indexed = TRUE)
    p <- op_where(op_greater(op_max(best, -2), 0), p, -Inf)
  }
  if (isTRUE(config$multi_label)) {
    if (rank_of(p) < 2) abort("predictions of several labels need two axes, not shape ", format_shape(shape_of(p)),
      class = "shape", fun = part_label(m))
    n <- shape_of(p)[rank_of(p)]
    if (!is.null(config$num_labels) && config$num_labels != n) abort("`num_labels` must be ", n,
      ", as in `y_pred`, not ",
      config$num_labels, class = "shape", fun = part_label(m))
    if (!is.null(config$label_weights) && length(config$label_weights) != n)
      abort("`label_weights` must have a number for each of ", n, " labels, not ", length(config$label_weights),
        class = "shape", fun = part_label(m))
    return(op_concat(lapply(seq_len(n) - 1, function(k) counts_at(t, p, w, config, k)), 1))
  }
  counts_at(t, p, w, config, config$class_id)
}

#' @param class which of the last axis, 0-based; NULL for all.
#' @noRd
counts_at <- function(t, p, w, config, class) {
  thresholds <- thresholds_of(config)
  column <- function(x) op_reshape(if (is.null(class)) x else op_gather(x, class, axis = -1), c(-1, 1))
  sides <- op_concat(list(column(op_multiply(w, t)), column(op_multiply(w, op_subtract(1, t)))), axis = 2) # (N, 2)
  above <- as_share(op_greater(column(p), array(thresholds, c(1, length(thresholds)))), p) # (N, thresholds)
  positive <- op_matmul(sides, above, transpose_x = TRUE) # (2, thresholds)
  negative <- op_subtract(op_expand_dims(op_sum(sides, axis = 1), -1), positive)
  op_reshape(op_concat(list(positive, negative), axis = 1), -1)
}

#' The result, or the mean of those of several labels.
#' @noRd
by_label <- function(totals, config, result) {
  if (!isTRUE(config$multi_label)) return(result(confusion_counts(totals), config))
  each <- apply(matrix(totals, 4 * length(thresholds_of(config))), 2, function(n) result(confusion_counts(n), config))
  weights <- if (is.null(config$label_weights)) rep(1, length(each)) else unlist(config$label_weights)
  share(sum(each * weights), sum(weights))
}

confusion_counts <- function(totals) {
  by_kind <- matrix(totals, ncol = 4)
  list(tp = by_kind[, 1], fp = by_kind[, 2], fn = by_kind[, 3], tn = by_kind[, 4])
}

thresholds_of <- function(config) {
  if (is.null(config$num_thresholds)) {
    if (!is.null(config$thresholds)) return(config$thresholds)
    return(if (is.null(config$top_k)) 0.5 else -float_limits$float32$most)
  }
  if (config$num_thresholds == 1) return(0.5)
  inner <- config$thresholds
  if (is.null(inner)) inner <- seq_len(config$num_thresholds - 2) / (config$num_thresholds - 1)
  # so that all predictions lie above the first and none above the last
  c(-session$epsilon, sort(inner), 1 + session$epsilon)
}

confusion_results <- list(
  true_positives = function(n, config) n$tp,
  false_positives = function(n, config) n$fp,
  true_negatives = function(n, config) n$tn,
  false_negatives = function(n, config) n$fn,
  precision = function(n, config) share(n$tp, n$tp + n$fp),
  recall = function(n, config) share(n$tp, n$tp + n$fn),
  auc = function(n, config) {
    if (config$curve == "PR" && config$summation_method == "interpolation") return(interpolated_pr_area(n))
    recall <- share(n$tp, n$tp + n$fn)
    if (config$curve == "ROC") area_under(share(n$fp, n$fp + n$tn), recall, config$summation_method)
    else area_under(recall, share(n$tp, n$tp + n$fp), config$summation_method)
  },
  sensitivity_at_specificity = function(n, config) best_where(share(n$tp, n$tp + n$fn), share(n$tn, n$tn + n$fp),
    config$specificity),
  specificity_at_sensitivity = function(n, config) best_where(share(n$tn, n$tn + n$fp), share(n$tp, n$tp + n$fn),
    config$sensitivity),
  precision_at_recall = function(n, config) best_where(share(n$tp, n$tp + n$fp), share(n$tp, n$tp + n$fn),
    config$recall),
  recall_at_precision = function(n, config) best_where(share(n$tp, n$tp + n$fn), share(n$tp, n$tp + n$fp),
    config$precision)
)

#' The largest of one rate where the other is at least so large, as thresholds move.
#' @noRd
best_where <- function(rate, other, least) {
  fits <- other >= least
  if (any(fits)) max(rate[fits]) else 0
}

#' The area under y over x, whose points come from the right to the left.
#' @noRd
area_under <- function(x, y, method) {
  left <- y[-1]
  right <- y[-length(y)]
  sum(-diff(x) * switch(method, interpolation = (left + right) / 2, minoring = pmin(left, right),
    majoring = pmax(left, right)))
}

#' Between thresholds, tp is a straight line over tp + fp, and precision the quotient (Davis & Goadrich 2006).
#' @noRd
interpolated_pr_area <- function(n) {
  positive <- n$tp + n$fp
  last <- length(positive)
  d_tp <- -diff(n$tp)
  slope <- share(d_tp, pmax(-diff(positive), 0))
  intercept <- n$tp[-1] - slope * positive[-1]
  ratio <- ifelse(positive[-last] > 0 & positive[-1] > 0, share(positive[-last], positive[-1]), 1)
  sum(share(slope * (d_tp + intercept * log(ratio)), n$tp[-1] + n$fn[-1]))
}

# ---- the objects ----

#' Accuracy metrics
#'
#' The share of samples whose class is predicted right:
#' \deqn{\frac{1}{n} \sum_{i=1}^{n} [\hat{c}_i = c_i]}{mean(predicted class == class)}
#' with \eqn{c_i} the class of sample i and \eqn{\hat{c}_i} the predicted one.
#'
#' * `metric_binary_accuracy()`: targets 0 or 1, predictions probabilities of 1. The predicted class is 1 where the
#'   probability is above `threshold`, so exactly 0.5 counts as 0. It is the mean over all numbers of the last axis.
#' * `metric_categorical_accuracy()`: targets one-hot, predictions scores of K classes. Both classes are those of the
#'   largest number, the first one if several are.
#' * `metric_sparse_categorical_accuracy()`: the same with targets that are labels 0 .. K-1.
#' * `metric_accuracy()`: the share of numbers where target and prediction are equal. In `compile()`, though,
#'   `metric_accuracy()`, `"accuracy"` and `"acc"` mean the one of the other three that the shapes ask for, see
#'   [metrics].
#'
#' Accuracy is easy to read, but misleading where classes are rare: see [metric_precision()], [metric_recall()] and
#' [metric_auc()].
#'
#' @inheritParams metric_mean_squared_error
#' @param y_true targets: an array or tensor of the shape of `y_pred`, whose last axis may be missing if it has size 1;
#'   for the sparse form labels, of the shape of `y_pred` without its last axis, or with 1 there.
#' @param threshold a number.
#' @return With `y_true` and `y_pred` the value of each sample, 0 or 1 (or a mean of such): a tensor of the dtype of
#'   `y_pred` without its last axis; `metric_accuracy()` gives one for each number. Without them a metric object, see
#'   [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics]
#' @examples
#' metric_sparse_categorical_accuracy(c(2, 1), rbind(c(0.1, 0.6, 0.3), c(0.05, 0.95, 0))) # 0 1
#' metric_categorical_accuracy(rbind(c(0, 0, 1)), rbind(c(0.1, 0.2, 0.7))) # 1
#' m <- metric_binary_accuracy()
#' m(c(1, 1, 0, 0), c(0.98, 0.5, 0, 0.6)) # 0.5
#' @name metric_accuracy
NULL

#' @rdname metric_accuracy
#' @export
metric_accuracy <- function(y_true, y_pred, ..., name = "accuracy") use_metric("accuracy", list(), name, list(...),
  y_true, y_pred)

#' @rdname metric_accuracy
#' @export
metric_binary_accuracy <- function(y_true, y_pred, threshold = 0.5, ..., name = "binary_accuracy") {
  threshold <- check_number(threshold)
  use_metric("binary_accuracy", list(threshold = threshold), name, list(...), y_true, y_pred)
}

#' @rdname metric_accuracy
#' @export
metric_categorical_accuracy <- function(y_true, y_pred, ..., name = "categorical_accuracy") {
  use_metric("categorical_accuracy", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_accuracy
#' @export
metric_sparse_categorical_accuracy <- function(y_true, y_pred, ..., name = "sparse_categorical_accuracy") {
  use_metric("sparse_categorical_accuracy", list(), name, list(...), y_true, y_pred)
}

#' Top-k accuracy metrics
#'
#' The share of samples whose class is among the k predicted as most likely:
#' \deqn{\frac{1}{n} \sum_{i=1}^{n} \left[\#\{c : p_{ic} > p_{i, c_i}\} < k\right]}{mean(number of p > p[class] < k)}
#' with p the predicted scores and \eqn{c_i} the class of sample i. It is for many classes, of which several may be
#' plausible. Targets are one-hot, those of `metric_sparse_top_k_categorical_accuracy()` labels 0 .. K-1.
#'
#' @inheritParams metric_accuracy
#' @param k a whole number: how many of the largest predictions count.
#' @inherit metric_accuracy return sections
#' @seealso [metrics]
#' @examples
#' y_pred <- rbind(c(0.1, 0.5, 0.4), c(0.7, 0.2, 0.1))
#' metric_sparse_top_k_categorical_accuracy(c(2, 2), y_pred, k = 2) # 1 0
#' metric_top_k_categorical_accuracy(rbind(c(0, 0, 1), c(0, 1, 0)), y_pred, k = 2) # 1 1
#' @name metric_top_k_categorical_accuracy
NULL

#' @rdname metric_top_k_categorical_accuracy
#' @export
metric_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5, ..., name = "top_k_categorical_accuracy") {
  use_metric("top_k_categorical_accuracy", list(k = check_count(k)), name, list(...), y_true, y_pred)
}

#' @rdname metric_top_k_categorical_accuracy
#' @export
metric_sparse_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5, ...,
  name = "sparse_top_k_categorical_accuracy") {
  use_metric("sparse_top_k_categorical_accuracy", list(k = check_count(k)), name, list(...), y_true, y_pred)
}

check_thresholds <- function(thresholds, fun = calling_function()) {
  if (is.null(thresholds)) return(NULL)
  numbers <- check_reals(thresholds, fun = fun) # saved ones may be a list
  if (length(numbers) && all(numbers >= 0 & numbers <= 1)) return(numbers)
  abort("`thresholds` must be numbers from 0 to 1, not ", describe(thresholds), fun = fun)
}

#' Counts of right and wrong decisions
#'
#' How many numbers of `y_pred` lie above a threshold (positive) or not (negative), and whether that is right (true) or
#' not (false), the target being 0 or not:
#'
#' | | target 1 | target 0 |
#' |---|---|---|
#' | prediction above | true positives, TP | false positives, FP |
#' | prediction not above | false negatives, FN | true negatives, TN |
#'
#' With sample weights these are sums of weights.
#'
#' @inheritParams metric_mean_squared_error
#' @param thresholds numbers from 0 to 1, each of which has its result; `NULL` is 0.5.
#' @return With `y_true` and `y_pred` a number per threshold. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics]
#' @examples
#' metric_true_positives(c(0, 1, 1, 1), c(1, 0, 1, 1)) # 2
#' metric_false_negatives(c(0, 1, 1, 1), c(1, 0, 1, 1)) # 1
#' metric_false_positives(c(0, 1, 0), c(0.3, 0.6, 0.9), thresholds = c(0.2, 0.5)) # 2 1
#' metric_true_negatives(c(0, 1, 0), c(0.3, 0.6, 0.9)) # 1
#' @name metric_true_positives
NULL

#' @rdname metric_true_positives
#' @export
metric_true_positives <- function(y_true, y_pred, thresholds = NULL, ..., name = "true_positives") {
  use_metric("true_positives", list(thresholds = check_thresholds(thresholds)), name, list(...), y_true, y_pred)
}

#' @rdname metric_true_positives
#' @export
metric_false_positives <- function(y_true, y_pred, thresholds = NULL, ..., name = "false_positives") {
  use_metric("false_positives", list(thresholds = check_thresholds(thresholds)), name, list(...), y_true, y_pred)
}

#' @rdname metric_true_positives
#' @export
metric_true_negatives <- function(y_true, y_pred, thresholds = NULL, ..., name = "true_negatives") {
  use_metric("true_negatives", list(thresholds = check_thresholds(thresholds)), name, list(...), y_true, y_pred)
}

#' @rdname metric_true_positives
#' @export
metric_false_negatives <- function(y_true, y_pred, thresholds = NULL, ..., name = "false_negatives") {
  use_metric("false_negatives", list(thresholds = check_thresholds(thresholds)), name, list(...), y_true, y_pred)
}

confusion_config <- function(thresholds, class_id, top_k = NULL, fun = calling_function()) {
  if (!is.null(class_id)) class_id <- check_count(class_id, min = 0, fun = fun)
  if (!is.null(top_k)) top_k <- check_count(top_k, fun = fun)
  list(thresholds = check_thresholds(thresholds, fun), top_k = top_k, class_id = class_id)
}

#' Precision metric
#'
#' The share of right ones among those predicted as positive:
#' \deqn{\mathrm{precision} = \frac{TP}{TP + FP}}{precision = TP / (TP + FP)}
#' with TP and FP the counts of [metric_true_positives()] over all batches; 0 where nothing is positive. It matters
#' where a false alarm is expensive. See [metric_recall()] for its counterpart.
#'
#' @inheritParams metric_true_positives
#' @param top_k only the so many largest of the last axis may be positive; without `thresholds` all of them are.
#' @param class_id which class to look at, 0-based; `NULL` for all numbers of `y_pred`.
#' @inherit metric_true_positives return sections
#' @seealso [metrics]
#' @examples
#' metric_precision(c(0, 1, 1, 1), c(1, 0, 1, 1)) # 2 / 3
#' @export
metric_precision <- function(y_true, y_pred, thresholds = NULL, top_k = NULL, class_id = NULL, ...,
  name = "precision") {
  use_metric("precision", confusion_config(thresholds, class_id, top_k), name, list(...), y_true, y_pred)
}

#' Recall metric
#'
#' The share of positives that are found:
#' \deqn{\mathrm{recall} = \frac{TP}{TP + FN}}{recall = TP / (TP + FN)}
#' with TP and FN the counts of [metric_true_positives()] over all batches; 0 where there are no positives. It is also
#' called sensitivity, and matters where a miss is expensive. See [metric_precision()] for its counterpart.
#'
#' @inheritParams metric_precision
#' @inherit metric_true_positives return sections
#' @seealso [metrics]
#' @examples
#' metric_recall(c(0, 1, 1, 1), c(1, 0, 1, 1)) # 2 / 3
#' metric_recall(c(0, 1, 1), c(0.3, 0.6, 0.9), thresholds = c(0.5, 0.8)) # 1 0.5
#' @export
metric_recall <- function(y_true, y_pred, thresholds = NULL, top_k = NULL, class_id = NULL, ..., name = "recall") {
  use_metric("recall", confusion_config(thresholds, class_id, top_k), name, list(...), y_true, y_pred)
}

#' Area under the curve
#'
#' The area under the curve that the counts of [metric_true_positives()] draw as the threshold moves from 1 to 0:
#'
#' * `curve = "ROC"`: the true positive rate TP / (TP + FN) over the false positive rate FP / (FP + TN). 0.5 is
#'   guessing, 1 is perfect. It is the probability that a positive sample scores higher than a negative one.
#' * `curve = "PR"`: precision over recall, for classes that are rare.
#'
#' The curve is that of `num_thresholds` thresholds, spread evenly over 0 .. 1, as in Keras, so the area is
#' approximate. Between thresholds `"interpolation"` takes straight lines for ROC and the form of Davis & Goadrich for
#' PR; `"minoring"` and `"majoring"` take the lower and the higher value.
#'
#' @inheritParams metric_mean_squared_error
#' @param y_true targets: 0 or 1, of the shape of `y_pred`.
#' @param num_thresholds a whole number of at least 2.
#' @param curve `"ROC"` or `"PR"`.
#' @param summation_method `"interpolation"`, `"minoring"` or `"majoring"`.
#' @param thresholds numbers from 0 to 1, in place of those between the ends.
#' @param multi_label is it the mean of the areas of each label, the last axis, rather than that of all numbers?
#' @param num_labels how many labels there are, which is checked; `NULL` for any.
#' @param label_weights the weights of that mean, or `NULL`.
#' @param from_logits are predictions logits, the inputs of a sigmoid, rather than probabilities?
#' @return With `y_true` and `y_pred` a number. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @references Fawcett (2006), An introduction to ROC analysis, \doi{10.1016/j.patrec.2005.10.010}. Davis &
#'   Goadrich (2006), The relationship between precision-recall and ROC curves,
#'   \doi{10.1145/1143844.1143874}.
#' @seealso [metrics]
#' @examples
#' metric_auc(c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9)) # 0.75
#' m <- metric_auc(curve = "PR")
#' m(c(0, 0, 1, 1), c(0, 0.5, 0.3, 0.9))
#' @export
metric_auc <- function(y_true, y_pred, num_thresholds = 200, curve = "ROC", summation_method = "interpolation",
  thresholds = NULL, multi_label = FALSE, num_labels = NULL, label_weights = NULL, from_logits = FALSE, ...,
  name = "auc") {
  check_choice(curve, c("ROC", "PR"))
  check_choice(summation_method, c("interpolation", "minoring", "majoring"))
  thresholds <- check_thresholds(thresholds)
  num_thresholds <- if (is.null(thresholds)) check_count(num_thresholds, min = 2) else length(thresholds) + 2L
  use_metric("auc", list(num_thresholds = num_thresholds, curve = curve, summation_method = summation_method,
    thresholds = thresholds, multi_label = check_flag(multi_label),
    num_labels = if (!is.null(num_labels)) check_count(num_labels),
    label_weights = if (!is.null(label_weights)) check_reals(label_weights), from_logits = check_flag(from_logits)),
      name,
    list(...), y_true, y_pred)
}
