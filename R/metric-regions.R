# Metrics that are made of several sums: of classes, regions and thresholds.

# What is summed over a batch, a tensor of one axis, and the number that the sums over all batches make.
sum_metrics <- list(
  sum = list(sums = function(t, p, w, config) op_reshape(op_sum(weigh(t, w)), 1), result = function(n, config) n),
  fbeta_score = list(sums = function(t, p, w, config) class_sums(t, p, w, config), result = function(n, config)
    f_score(n, config)),
  iou = list(sums = function(t, p, w, config) confusion_matrix(t, p, w, config), result = function(n, config)
    mean_overlap(n, config)),
  r2_score = list(sums = function(t, p, w, config) {
    w <- weigh(op_ones_like(p), w)
    over <- function(x) op_sum(op_reshape(op_multiply(w, x), c(-1, shape_of(p)[rank_of(p)])), 1)
    op_concat(list(over(op_ones_like(p)), over(t), over(op_square(t)), over(op_square(op_subtract(t, p)))), 1)
  }, result = function(n, config) {
    n <- matrix(n, ncol = 4)
    total <- n[, 3] - share(n[, 2]^2, n[, 1])
    each <- ifelse(total == 0, 0, 1 - n[, 4] / total)
    r2 <- switch(config$class_aggregation, uniform_average = mean(each), variance_weighted_average =
      share(sum(each * total), sum(total)), each)
    k <- config$num_regressors
    if (k == 0) r2 else 1 - (1 - r2) * (n[1, 1] - 1) / (n[1, 1] - k - 1)
  })
)
sum_metrics$f1_score <- sum_metrics$fbeta_score
for (name in c("mean_iou", "binary_iou", "one_hot_iou", "one_hot_mean_iou")) sum_metrics[[name]] <- sum_metrics$iou
rm(name)

#' What a metric's arguments say, and what its name does.
#' @noRd
full_config <- function(m) {
  c(part_config(m), switch(part_name(m), f1_score = list(beta = 1), binary_iou = list(num_classes = 2,
    sparse_y_true = TRUE,
    sparse_y_pred = TRUE), one_hot_iou = , one_hot_mean_iou = list(sparse_y_true = FALSE)))
}

statistics_of_sums <- function(m, y_true, y_pred, weights) {
  config <- full_config(m)
  if (part_name(m) == "sum") return(sum_metrics$sum$sums(floats_of(as_floats(y_true)), NULL, weights, config))
  labels <- isTRUE(config$sparse_y_true) || isTRUE(config$sparse_y_pred)
  pair <- if (labels) list(y_true = tensor(y_true), y_pred = tensor(y_pred)) else
    align_targets(y_true, y_pred, "values", part_label(m))
  sum_metrics[[part_name(m)]]$sums(pair$y_true, pair$y_pred, weights, config)
}

#' True positives, false positives, false negatives and targets of each class.
#' @noRd
class_sums <- function(t, p, w, config) {
  classes <- shape_of(p)[rank_of(p)]
  above <- if (is.null(config$threshold)) op_logical_and(op_equal(p, op_max(p, -1, keepdims = TRUE)),
    op_greater(op_abs(p), 1e-9)) else op_greater(p, config$threshold)
  found <- as_share(above, p)
  w <- weigh(op_ones_like(p), w)
  over <- function(x) op_sum(op_reshape(op_multiply(w, x), c(-1, classes)), 1)
  op_concat(list(over(op_multiply(found, t)), over(op_multiply(found, op_subtract(1, t))),
    over(op_multiply(op_subtract(1, found), t)), over(t)), 1)
}

f_score <- function(n, config) {
  n <- matrix(n, ncol = 4)
  how <- if (is.null(config$average)) "each" else config$average
  if (how == "micro") n <- matrix(colSums(n), 1)
  precision <- n[, 1] / (n[, 1] + n[, 2] + session$epsilon)
  recall <- n[, 1] / (n[, 1] + n[, 3] + session$epsilon)
  b <- config$beta^2
  each <- (1 + b) * precision * recall / (b * precision + recall + session$epsilon)
  switch(how, macro = mean(each), weighted = share(sum(each * n[, 4]), sum(n[, 4])), each)
}

#' How often class i is taken for class j, column by column.
#' @noRd
confusion_matrix <- function(t, p, w, config) {
  k <- config$num_classes
  if (!is.null(config$threshold)) p <- op_greater_equal(floats_of(as_floats(p)), config$threshold)
  # classes may stand in the last axis, as numbers of one-hot rows
  class <- function(x, sparse) op_reshape(op_cast(if (sparse) x else class_of(x), "int32"), -1)
  at <- class(t, config$sparse_y_true)
  seen <- class(p, config$sparse_y_pred)
  if (!same_sizes(shape_of(at), shape_of(seen))) abort("targets of ", shape_of(at),
    " classes do not fit predictions of ",
    shape_of(seen), class = "shape", fun = user_function())
  counts <- op_ones_like(op_cast(at, "float32"))
  if (!is.null(w)) {
    w <- tensor(w, "float32")
    each <- prod(shape_of(at)) / max(1, prod(shape_of(w)))
    counts <- if (each == 1) op_reshape(w, -1) else op_repeat(op_reshape(w, -1), each)
  }
  if (!is.null(config$ignore_class)) {
    ignored <- op_equal(at, config$ignore_class)
    counts <- op_where(ignored, 0, counts)
    at <- op_where(ignored, 0L, at)
  }
  one_hot <- tensor(diag(k), "float32") # gathered, so that classes that are not there are refused
  rows <- op_multiply(op_gather(one_hot, at), op_expand_dims(counts, -1))
  found <- op_matmul(rows, op_gather(one_hot, seen), transpose_x = TRUE)
  op_reshape(op_transpose(found), -1)
}

mean_overlap <- function(n, config) {
  n <- matrix(n, config$num_classes)
  both <- diag(n)
  either <- rowSums(n) + colSums(n) - both
  at <- if (is.null(config$target_class_ids)) seq_along(both) else unlist(config$target_class_ids) + 1
  share(sum(share(both[at], either[at])), sum(either[at] != 0))
}

#' F scores
#'
#' The harmonic mean of precision and recall, weighed by \eqn{\beta}{beta}, for each class (the last axis):
#' \deqn{(1 + \beta^2) \frac{\mathrm{precision} \cdot \mathrm{recall}}{\beta^2 \, \mathrm{precision} +
#' \mathrm{recall}}}{
#' (1 + beta^2) precision recall / (beta^2 precision + recall)}
#' \eqn{\beta}{beta} is 1 for `metric_f1_score()`. Sums run over all batches.
#'
#' @inheritParams metric_mean_squared_error
#' @param average `NULL` for a number per class; `"micro"` for that of all together, `"macro"` for their mean,
#'   `"weighted"`
#'   for their mean weighed by how often each class is true.
#' @param beta a number above 0.
#' @param threshold what lies above it is predicted; `NULL` for the class with the largest number.
#' @return With `y_true` and `y_pred` a number, or one per class. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics], [metric_precision()], [metric_recall()]
#' @examples
#' y_true <- rbind(c(1, 1, 1), c(1, 0, 0), c(1, 1, 0))
#' y_pred <- rbind(c(0.2, 0.6, 0.7), c(0.2, 0.6, 0.6), c(0.6, 0.8, 0))
#' metric_f1_score(y_true, y_pred, threshold = 0.5) # 0.5 0.8 0.667
#' @export
metric_fbeta_score <- function(y_true, y_pred, average = NULL, beta = 1, threshold = NULL, ..., name = "fbeta_score") {
  use_metric("fbeta_score", f_config(average, check_number(beta, above = 0), threshold), name, list(...), y_true,
    y_pred)
}

#' @rdname metric_fbeta_score
#' @export
metric_f1_score <- function(y_true, y_pred, average = NULL, threshold = NULL, ..., name = "f1_score") {
  use_metric("f1_score", f_config(average, NULL, threshold)[-2], name, list(...), y_true, y_pred)
}

f_config <- function(average, beta, threshold, fun = calling_function()) {
  if (!is.null(average)) check_choice(average, c("micro", "macro", "weighted"), fun = fun)
  list(average = average, beta = beta, threshold = if (!is.null(threshold)) check_number(threshold, fun = fun))
}

#' Intersection over union
#'
#' How far predicted classes cover the true ones: for a class the number of places where both have it, divided by that
#' of
#' places where either has it, the mean over classes. It judges the segmentation of pictures. Counts run over all
#' batches.
#'
#' * `metric_iou()`: targets and predictions are classes 0 .. `num_classes` - 1, of which `target_class_ids` count;
#'   `metric_mean_iou()`: all of them;
#' * `metric_one_hot_iou()`, `metric_one_hot_mean_iou()`: one-hot targets and scores of classes in the last axis;
#' * `metric_binary_iou()`: classes 0 and 1, predictions of at least `threshold` being 1.
#'
#' @inheritParams metric_mean_squared_error
#' @param num_classes how many classes.
#' @param target_class_ids which of them count, **0-based**.
#' @param ignore_class a class whose places do not count, 0-based; `NULL` for none.
#' @param sparse_y_true,sparse_y_pred are targets, are predictions classes, or one-hot and scores in the last axis?
#' @param threshold a number.
#' @return With `y_true` and `y_pred` a number. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics]
#' @examples
#' metric_iou(c(0, 0, 1, 1), c(0, 1, 0, 1), num_classes = 2, target_class_ids = 0) # 1 / 3
#' metric_binary_iou(c(0, 1, 0, 1), c(0.1, 0.2, 0.4, 0.7), threshold = 0.3) # 1 / 3
#' @export
metric_iou <- function(y_true, y_pred, num_classes, target_class_ids, ..., ignore_class = NULL, sparse_y_true = TRUE,
  sparse_y_pred = TRUE, name = "iou") {
  use_metric("iou", c(list(target_class_ids = target_ids(target_class_ids, num_classes)), overlap_config(num_classes,
    ignore_class, sparse_y_true, sparse_y_pred)), name, list(...), y_true, y_pred)
}

#' @rdname metric_iou
#' @export
metric_mean_iou <- function(y_true, y_pred, num_classes, ..., ignore_class = NULL, sparse_y_true = TRUE,
  sparse_y_pred = TRUE, name = "mean_iou") {
  use_metric("mean_iou", overlap_config(num_classes, ignore_class, sparse_y_true, sparse_y_pred), name, list(...),
    y_true,
    y_pred)
}

#' @rdname metric_iou
#' @export
metric_one_hot_iou <- function(y_true, y_pred, num_classes, target_class_ids, ..., ignore_class = NULL,
  sparse_y_pred = FALSE, name = "one_hot_iou") {
  use_metric("one_hot_iou", c(list(target_class_ids = target_ids(target_class_ids, num_classes)),
    overlap_config(num_classes, ignore_class, FALSE, sparse_y_pred)[-3]), name, list(...), y_true, y_pred)
}

#' @rdname metric_iou
#' @export
metric_one_hot_mean_iou <- function(y_true, y_pred, num_classes, ..., ignore_class = NULL, sparse_y_pred = FALSE,
  name = "one_hot_mean_iou") {
  use_metric("one_hot_mean_iou", overlap_config(num_classes, ignore_class, FALSE, sparse_y_pred)[-3], name, list(...),
    y_true,
    y_pred)
}

#' @rdname metric_iou
#' @export
metric_binary_iou <- function(y_true, y_pred, target_class_ids = c(0, 1), threshold = 0.5, ..., name = "binary_iou") {
  use_metric("binary_iou", list(target_class_ids = target_ids(target_class_ids, 2),
    threshold = check_number(threshold)),
    name, list(...), y_true, y_pred)
}

target_ids <- function(ids, num_classes, fun = calling_function()) {
  check_given(missing(ids), "target_class_ids", fun)
  check_given(missing(num_classes), "num_classes", fun)
  ids <- check_whole(ids, min = 0, arg = "target_class_ids", fun = fun)
  if (!length(ids) || any(ids >= check_count(num_classes, arg = "num_classes", fun = fun)))
    abort("`target_class_ids` must be classes from 0 to ", num_classes - 1, ", not ", describe(ids), fun = fun)
  ids
}

overlap_config <- function(num_classes, ignore_class, sparse_y_true, sparse_y_pred, fun = calling_function()) {
  check_given(missing(num_classes), "num_classes", fun)
  list(num_classes = check_count(num_classes, fun = fun),
    ignore_class = check_class(ignore_class, fun),
    sparse_y_true = check_flag(sparse_y_true, fun = fun),
    sparse_y_pred = check_flag(sparse_y_pred, fun = fun))
}

#' R squared metric
#'
#' The share of the variance of targets t that predictions p explain, over all batches, for each output (the last axis):
#' \deqn{R^2 = 1 - \frac{\sum (t - p)^2}{\sum (t - \bar{t})^2}}{R2 = 1 - sum((t - p)^2) / sum((t - mean(t))^2)}
#' 0 where targets do not vary.
#'
#' @inheritParams metric_mean_squared_error
#' @param class_aggregation `"uniform_average"` of the outputs, `"variance_weighted_average"`, or `NULL` for each of
#'   them.
#' @param num_regressors for the adjusted \eqn{R^2}{R2}: how many inputs there are; 0 for the plain one.
#' @return With `y_true` and `y_pred` a number, or one per output. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics]
#' @examples
#' metric_r2_score(c(1, 4, 3), c(2, 4, 4)) # 4 / 7
#' @export
metric_r2_score <- function(y_true, y_pred, class_aggregation = "uniform_average", num_regressors = 0, ...,
  name = "r2_score") {
  how <- if (is.null(class_aggregation)) "none" else check_choice(class_aggregation, c("uniform_average",
    "variance_weighted_average", "none"))
  use_metric("r2_score", list(class_aggregation = how, num_regressors = check_count(num_regressors, min = 0)), name,
    list(...), y_true, y_pred)
}

#' Sum of values
#'
#' The weighted sum of numbers over all batches, as [metric_mean()] is their mean.
#'
#' @inheritParams metric_mean
#' @return With `values` their sum. Without them a metric object, see [metrics].
#' @seealso [metrics]
#' @examples
#' m <- metric_sum()
#' m$update_state(c(1, 2, 3))
#' m$result() # 6
#' @export
metric_sum <- function(values, ..., name = "sum") {
  if (missing(values)) use_metric("sum", list(), name, list(...)) else use_metric("sum", list(), name, list(...),
    values, NULL)
}

#' Rates at a given other rate
#'
#' As the threshold of [metric_true_positives()] moves over `num_thresholds` places from 0 to 1:
#'
#' * `metric_sensitivity_at_specificity()`: the largest TP / (TP + FN) where TN / (TN + FP) is at least `specificity`;
#' * `metric_specificity_at_sensitivity()`: the largest TN / (TN + FP) where TP / (TP + FN) is at least `sensitivity`;
#' * `metric_precision_at_recall()`: the largest TP / (TP + FP) where TP / (TP + FN) is at least `recall`;
#' * `metric_recall_at_precision()`: the largest TP / (TP + FN) where TP / (TP + FP) is at least `precision`.
#'
#' 0 where no threshold does it.
#'
#' @inheritParams metric_precision
#' @param specificity,sensitivity,recall,precision numbers from 0 to 1.
#' @param num_thresholds a whole number; 1 for 0.5 alone.
#' @return With `y_true` and `y_pred` a number. Without them a metric object, see [metrics].
#' @inheritSection metric_mean_squared_error Errors
#' @seealso [metrics], [metric_auc()]
#' @examples
#' metric_sensitivity_at_specificity(c(0, 0, 0, 1, 1), c(0, 0.3, 0.8, 0.3, 0.8), 0.5) # 0.5
#' @export
metric_sensitivity_at_specificity <- function(y_true, y_pred, specificity, num_thresholds = 200, class_id = NULL, ...,
  name = "sensitivity_at_specificity") {
  use_metric("sensitivity_at_specificity", rate_config("specificity", specificity, num_thresholds, class_id), name,
    list(...), y_true, y_pred)
}

#' @rdname metric_sensitivity_at_specificity
#' @export
metric_specificity_at_sensitivity <- function(y_true, y_pred, sensitivity, num_thresholds = 200, class_id = NULL, ...,
  name = "specificity_at_sensitivity") {
  use_metric("specificity_at_sensitivity", rate_config("sensitivity", sensitivity, num_thresholds, class_id), name,
    list(...), y_true, y_pred)
}

#' @rdname metric_sensitivity_at_specificity
#' @export
metric_precision_at_recall <- function(y_true, y_pred, recall, num_thresholds = 200, class_id = NULL, ...,
  name = "precision_at_recall") {
  use_metric("precision_at_recall", rate_config("recall", recall, num_thresholds, class_id), name, list(...),
    y_true,
    y_pred)
}

#' @rdname metric_sensitivity_at_specificity
#' @export
metric_recall_at_precision <- function(y_true, y_pred, precision, num_thresholds = 200, class_id = NULL, ...,
  name = "recall_at_precision") {
  use_metric("recall_at_precision", rate_config("precision", precision, num_thresholds, class_id), name, list(...),
    y_true, y_pred)
}

rate_config <- function(name, rate, num_thresholds, class_id, fun = calling_function()) {
  check_given(missing(rate), name, fun)
  rate <- check_number(rate, min = 0, max = 1, arg = name, fun = fun)
  n <- check_count(num_thresholds, fun = fun)
  c(stats::setNames(list(rate), name), list(num_thresholds = n, class_id = confusion_config(NULL, class_id,
    fun = fun)$class_id))
}

#' Focal cross-entropy metrics
#'
#' The means over all samples of [loss_binary_focal_crossentropy()] and [loss_categorical_focal_crossentropy()].
#'
#' @inheritParams loss_binary_focal_crossentropy
#' @param name a string: what the metric is called in reports.
#' @inherit metric_mean_squared_error return sections
#' @seealso [metrics]
#' @examples
#' metric_binary_focal_crossentropy(rbind(c(0, 1)), rbind(c(0.6, 0.4)))
#' @export
metric_binary_focal_crossentropy <- function(y_true, y_pred, apply_class_balancing = FALSE, alpha = 0.25, gamma = 2,
  from_logits = FALSE, label_smoothing = 0, axis = -1, ..., name = "binary_focal_crossentropy") {
  use_metric("binary_focal_crossentropy", c(list(apply_class_balancing = check_flag(apply_class_balancing),
    alpha = check_number(alpha, min = 0, max = 1), gamma = check_number(gamma, min = 0)),
    crossentropy_config(from_logits, label_smoothing, axis)), name, list(...), y_true, y_pred)
}

#' @rdname metric_binary_focal_crossentropy
#' @export
metric_categorical_focal_crossentropy <- function(y_true, y_pred, alpha = 0.25, gamma = 2, from_logits = FALSE,
  label_smoothing = 0, axis = -1, ..., name = "categorical_focal_crossentropy") {
  use_metric("categorical_focal_crossentropy", c(list(alpha = check_reals(alpha), gamma = check_number(gamma, min = 0)),
    crossentropy_config(from_logits, label_smoothing, axis)), name, list(...), y_true, y_pred)
}
