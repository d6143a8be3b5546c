# Metrics: sums over batches, and a number made of them at the end. Constructors and help pages are in
# R/metric-regression.R, R/metric-probabilistic.R, R/metric-hinge.R and R/metric-classification.R.

#' Metrics
#'
#' A metric judges a model besides the loss; training does not look at it. `compile(metrics = )` takes a list of metric
#' objects, such as `metric_auc(curve = "PR")`; constructors, `metric_auc`; names as strings, `"auc"`; losses; and R
#' functions of `(y_true, y_pred)`.
#'
#' Accuracy: [metric_accuracy()], [metric_top_k_categorical_accuracy()].
#'
#' Classes at thresholds: [metric_precision()], [metric_recall()], [metric_auc()], [metric_true_positives()] and its
#' like.
#'
#' Probabilities: [metric_binary_crossentropy()], [metric_categorical_crossentropy()],
#' [metric_sparse_categorical_crossentropy()], [metric_kl_divergence()] (`"kld"`), [metric_poisson()].
#'
#' Classes and regions: [metric_f1_score()], [metric_iou()] and its like, [metric_sensitivity_at_specificity()] and
#' its like.
#'
#' Regression: [metric_r2_score()], [metric_pearson_correlation()], [metric_concordance_correlation()],
#' [metric_mean_squared_error()] (`"mse"`), [metric_root_mean_squared_error()] (`"rmse"`), [metric_huber()],
#' [metric_mean_absolute_error()] (`"mae"`), [metric_mean_absolute_percentage_error()] (`"mape"`),
#' [metric_mean_squared_logarithmic_error()] (`"msle"`), [metric_logcosh_error()], [metric_cosine_similarity()].
#'
#' Margins: [metric_hinge()], [metric_squared_hinge()], [metric_categorical_hinge()].
#'
#' Others: [metric_mean()], [metric_sum()], [metric_mean_tensor()], [custom_metric()].
#'
#' In `compile()`, `"accuracy"` (or `"acc"`) and `"crossentropy"` (or `"ce"`) mean the binary, the categorical or the
#' sparse categorical form, as the shapes ask for: predictions whose last axis has size 1 are binary; otherwise targets
#' that lack the last axis, or have size 1 there, are labels; all others are one-hot.
#'
#' @section Calling a metric:
#' `metric_mean_absolute_error(y_true, y_pred)` computes at once. Metrics that are means over samples give the value of
#' each sample: a tensor of the shape of `y_pred` without its last axis. The others give a number.
#'
#' `m <- metric_mean_absolute_error()` gives an object with a state, which is kept in double precision:
#'
#' * `m$update_state(y_true, y_pred, sample_weight = NULL)` adds a batch;
#' * `m$result()` gives the number over all batches;
#' * `m$reset_state()` starts again;
#' * `m(y_true, y_pred)` updates the state and gives the result;
#' * `m$name` is the name in reports.
#'
#' @section Sample weights:
#' A metric that is a mean is the sum of weight times value, divided by the sum of weights. Counts add weights up.
#'
#' @seealso [losses], [compile.nn_model()], [evaluate()]
#' @examples
#' m <- metric_mean_absolute_error()
#' m$update_state(c(1, 2), c(1.5, 2))
#' m$update_state(3, 5)
#' m$result() # 2.5 / 3
#' metric_mean_absolute_error(diag(2), matrix(0.5, 2, 2)) # of each sample
#' @name metrics
NULL

# ---- formulas: the value of each sample ----

#' Metrics that are the means of a loss: which one, with the arguments that they share.
#' @noRd
loss_metrics <- c(
  mean_squared_error = "mean_squared_error", root_mean_squared_error = "mean_squared_error",
  mean_absolute_error = "mean_absolute_error", mean_absolute_percentage_error = "mean_absolute_percentage_error",
  mean_squared_logarithmic_error = "mean_squared_logarithmic_error", logcosh_error = "logcosh",
  binary_crossentropy = "binary_crossentropy", categorical_crossentropy = "categorical_crossentropy",
  sparse_categorical_crossentropy = "sparse_categorical_crossentropy", kl_divergence = "kl_divergence",
  poisson = "poisson", hinge = "hinge", squared_hinge = "squared_hinge", categorical_hinge = "categorical_hinge",
  cosine_similarity = "cosine_similarity", binary_focal_crossentropy = "binary_focal_crossentropy",
  categorical_focal_crossentropy = "categorical_focal_crossentropy", huber = "huber"
)

#' The loss whose mean the metric is, or NULL.
#' @noRd
metric_loss <- function(m) {
  name <- part_name(m)
  config <- part_config(m)
  if (name == "of_loss") return(as_part("loss", config$loss, fun = "metric"))
  if (name %in% names(loss_metrics)) do.call(part_constructor("loss", loss_metrics[[name]]),
    config[names(config) != "name"])
}

metric_values <- function(m, y_true, y_pred, logits = NULL, loss = metric_loss(m)) {
  if (!is.null(loss)) {
    values <- loss_values(loss, y_true, y_pred, logits)
    return(if (part_name(m) == "cosine_similarity") op_negative(values) else values)
  }
  own <- attr(m, "own")
  if (!is.null(own)) return(own_values(own, y_true, y_pred, part_label(m)))
  if (part_name(m) == "mean") return(floats_of(as_floats(y_true)))
  accuracy_formulas[[part_name(m)]](y_true, y_pred, part_config(m), part_label(m))
}

# ---- what training asks of a metric ----

metric_name <- function(m) part_config(m)$name

#' The activation whose inputs the metric can do with in place of its outputs, see loss_fuses().
#' @noRd
metric_fuses <- function(m) {
  loss <- metric_loss(m)
  if (!is.null(loss)) loss_fuses(loss)
}

#' Sums over a batch, which are added up over batches; also in a program.
#'
#' @param weights a number per sample, or NULL.
#' @param logits see loss_values().
#' @return a float tensor of one axis.
#' @noRd
metric_statistics <- function(m, y_true, y_pred, weights = NULL, logits = NULL) {
  if (!is.null(own_object(m))) { # its state is not among the sums
    update_own_metric(own_object(m), y_true, y_pred, weights)
    return(op_reshape(op_multiply(op_sum(y_pred), 0), 1L))
  }
  if (part_name(m) %in% names(confusion_results)) return(confusion_sums(m, y_true, y_pred, weights))
  if (part_name(m) %in% names(sum_metrics)) return(statistics_of_sums(m, y_true, y_pred, weights))
  loss <- metric_loss(m)
  values <- metric_values(m, y_true, y_pred, logits, loss)
  if (rank_of(values) == 0 && part_name(m) != "mean") values <- op_multiply(sample_ones(y_pred, values), values)
  counted <- if (!is.null(loss)) counted_losses(loss, values, y_true)
  counts <- weigh(if (is.null(counted)) op_ones_like(values) else counted, weights)
  op_stack(list(op_sum(weigh(values, weights)), op_sum(counts)))
}

#' Is it a mean over samples, whose two sums make it?
#' @noRd
is_mean_metric <- function(m) !part_name(m) %in% c("root_mean_squared_error", names(confusion_results),
  names(sum_metrics))

#' A 1 for each sample.
#' @noRd
sample_ones <- function(y_pred, like) {
  y_pred <- tensor(y_pred, tensor_dtype(like))
  rank <- rank_of(y_pred)
  op_ones_like(if (rank < 2) y_pred else op_sum(y_pred, seq_len(rank)[-1]))
}

#' The number that the sums over all batches make.
#' @noRd
metric_result <- function(m, totals) {
  if (!is.null(own_object(m))) return(as.double(own_object(m)$result()))
  result <- confusion_results[[part_name(m)]]
  if (!is.null(result)) return(by_label(totals, part_config(m), result))
  if (part_name(m) %in% names(sum_metrics)) return(sum_metrics[[part_name(m)]]$result(totals, full_config(m)))
  mean <- share(totals[1], totals[2])
  if (part_name(m) == "root_mean_squared_error") sqrt(mean) else mean
}

#' a / b, 0 where there is nothing yet.
#' @noRd
share <- function(a, b) ifelse(b == 0, 0, a / b)

#' What the user gives as a metric, chosen by the shapes of a batch
#'
#' @param y_true,y_pred targets and predictions, also of a program: only their shapes matter.
#' @param name what the metric is called; `NULL` for `typed_metric_name()` of a string, or its own name.
#' @noRd
as_metric <- function(x, y_true, y_pred, arg = "metrics", fun = calling_function(), custom_objects = NULL,
  name = NULL) {
  if (is_spelling(x, "metric_accuracy")) x <- "accuracy"
  if (is_part(x, "metric") && part_name(x) == "accuracy") {
    if (is.null(name)) name <- metric_name(x)
    x <- "accuracy"
  }
  if (is.character(x) && length(x) == 1 && !x %in% names(custom_objects)) {
    check_string(x, arg, fun)
    if (is.null(name)) name <- typed_metric_name(x)
    x <- metric_for_shapes(x, shape_of(y_true), shape_of(y_pred))
  }
  loss <- loss_in(x)
  m <- if (is.null(loss)) as_part("metric", x, arg, fun, custom_objects, name) else metric_of_loss(loss)
  if (!is.null(name)) attr(m, "config")$name <- check_string(name, fun = fun)
  m
}

metric_for_shapes <- function(x, true, pred) {
  switch(tolower(x),
    accuracy = , acc = paste0(kind_of_targets(true, pred), "_accuracy"),
    crossentropy = , ce = paste0(kind_of_targets(true, pred), "_crossentropy"),
    x
  )
}

#' What a metric given as a string is called: what the user typed, but a class of Keras', "AUC", makes an object, which
#' has its own name, "auc".
#' @noRd
typed_metric_name <- function(x) {
  found <- find_name("metric", x)
  if (!is.na(found) && found != "accuracy" && x == part_class_name("metric", found)) found else x
}

#' Keras' rule by the shapes of targets and predictions.
#' @noRd
kind_of_targets <- function(true, pred) {
  if (length(pred) < 2 || ends_in_one(pred)) return("binary")
  if (length(true) < length(pred) || ends_in_one(true)) "sparse_categorical" else "categorical"
}

#' The loss that is given as a metric: an object, a constructor, or a string that names no metric.
#' @noRd
loss_in <- function(x) {
  if (is_part(x, "loss")) return(x)
  if (is.function(x) && !inherits(x, "nn_part")) return(made_by("loss", x))
  if (is.character(x) && length(x) == 1 && is.na(find_name("metric", x)) && !is.na(find_name("loss", x)))
    as_part("loss", x)
}

#' @param loss a loss, or what serialize_part() made of one.
#' @noRd
metric_of_loss <- function(loss, name = NULL) {
  loss <- as_part("loss", loss)
  if (is.null(name)) name <- loss_name(loss)
  own <- attr(loss, "own")
  if (!is.null(own)) own_part("metric", own, name) else
    new_metric("of_loss", list(loss = serialize_part(loss), name = name))
}

# ---- the objects: functions with a state that all who hold them share ----

new_metric <- function(name, config, own = NULL) {
  m <- new_part("metric", name, config, call_metric, own)
  attr(m, "state") <- new.env(parent = emptyenv())
  m
}

call_metric <- function(y_true, y_pred = NULL, sample_weight = NULL) {
  self <- sys.function()
  metric_update(self, y_true, y_pred, sample_weight)
  metric_now(self)
}

metric_update <- function(m, y_true, y_pred = NULL, sample_weight = NULL) {
  if (!is.null(own_object(m))) return(update_own_metric(own_object(m), y_true, y_pred, sample_weight))
  sums <- metric_statistics(m, y_true, y_pred, sample_weight)
  totals <- metric_totals(m, dim(sums))
  note_summed(list(totals))
  variable_assign(totals, op_add(totals, op_cast(sums, "float64")))
  if (is_tracing()) assign("updates", metric_updates(m) + 1, envir = attr(m, "state"))
}

#' The variable that holds the sums over the batches, made with the first of them; NULL before.
#' @param size how many sums there are.
#' @noRd
metric_totals <- function(m, size = NULL) {
  state <- attr(m, "state")
  if (is.null(state$totals) && !is.null(size))
    state$totals <- outside_of_trace(variable(array(0, size), "float64", trainable = FALSE))
  state$totals
}

#' How many updates were traced.
#' @noRd
metric_updates <- function(m) max(0, attr(m, "state")$updates)

#' In a step of a model's that is traced, a tensor where it is a mean, and else an object that such a step may return.
#' @noRd
metric_now <- function(m) {
  if (!is.null(own_object(m))) return(own_object(m)$result())
  if (!is_tracing()) {
    totals <- metric_totals(m)
    return(eager_number(if (is.null(totals)) rep(0, max(1, length(part_config(m)$thresholds))) else metric_result(m,
      as.double(totals))))
  }
  if (is.null(session$stepping)) abort_trace("it asks a metric for its result")
  later <- structure(list(metric = m, updates = metric_updates(m)), class = "nn_metric_result")
  if (!is_mean_metric(m) || is.null(metric_totals(m))) return(later)
  parts <- op_unstack(metric_totals(m), axis = 1)
  mean <- op_where(op_equal(parts[[2]], 0), op_zeros_like(parts[[1]]), op_divide(parts[[1]], parts[[2]]))
  with_note(op_cast(mean, session$floatx), "metric", later)
}

metric_reset <- function(m) {
  if (!is.null(own_object(m))) return(invisible(own_object(m)$reset_state()))
  check_not_tracing("it resets a metric")
  totals <- attr(m, "state")$totals
  if (!is.null(totals)) variable_assign(totals, op_zeros_like(totals))
  invisible()
}

metric_members <- list(
  update_state = function(m) function(y_true, y_pred = NULL, sample_weight = NULL) {
    metric_update(m, y_true, y_pred, sample_weight)
    invisible(m)
  },
  result = function(m) function() metric_now(m),
  reset_state = function(m) function() metric_reset(m),
  reset_states = function(m) function() metric_reset(m),
  name = function(m) metric_name(m),
  dtype = function(m) nn_dtype(session$floatx),
  get_config = function(m) function() get_config(m),
  variables = function(m) Filter(Negate(is.null), list(attr(m, "state")$totals)),
  weights = function(m) Filter(Negate(is.null), list(attr(m, "state")$totals))
)

#' @export
`$.nn_metric` <- function(x, name) {
  member <- metric_members[[name]]
  if (name == "__class__") return(NextMethod())
  if (!is.null(own_object(x)) && (is.null(member) || name %in% c("variables", "weights", "dtype", "get_config")))
    return(`$.nn_own_object`(own_object(x), name))
  if (is.null(member)) unknown_member(name, names(metric_members), "a metric")
  member(x)
}

#' @export
.DollarNames.nn_metric <- function(x, pattern = "") grep(pattern, names(metric_members), value = TRUE)

use_metric <- function(metric, config, name, extra, y_true, y_pred) {
  fun <- paste0("metric_", metric)
  check_no_more(extra, fun, kind = "part")
  if (is.null(name)) name <- formals(get(fun))$name
  m <- new_metric(metric, c(config, list(name = check_string(name, fun = fun))))
  if (!is_called(missing(y_true), missing(y_pred), fun)) return(m)
  per_sample <- !metric %in% c("root_mean_squared_error", "mean", names(confusion_results), names(sum_metrics))
  if (per_sample) metric_values(m, y_true, y_pred) else
    metric_result(m, as.double(metric_statistics(m, y_true, y_pred)))
}

#' Custom metrics
#'
#' Gives a metric of your own a name. The function is made of ops and returns the value of each sample, or one number
#' for the whole batch, which counts as often as there are samples. The metric is the mean over all samples:
#' \deqn{m = \frac{\sum_i w_i f_i}{\sum_i w_i}}{m = sum(w f) / sum(w)}
#' with f the values and w the sample weights, 1 without.
#'
#' @param name a string: what the metric is called in reports.
#' @param metric_fn an R function of `(y_true, y_pred)`, two tensors.
#' @return A metric object, see [metrics].
#' @seealso [metrics]
#' @examples
#' largest <- custom_metric("largest_error", function(y_true, y_pred) {
#'   k_max(k_abs(y_true - y_pred), axis = -1)
#' })
#' largest(diag(2), matrix(0.25, 2, 2))
#' @export
custom_metric <- function(name, metric_fn) own_part("metric", check_function(metric_fn, takes = 2), check_string(name))

#' Mean of values
#'
#' The weighted mean of numbers over all batches:
#' \deqn{m = \frac{\sum_i w_i v_i}{\sum_i w_i}}{m = sum(w v) / sum(w)}
#' with v the values and w the sample weights, 1 without. It is for training loops of your own, say for the mean loss of
#' an epoch: `m$update_state(values, sample_weight = NULL)`.
#'
#' @param values numbers: an array or tensor of any shape.
#' @param ... not used.
#' @param name a string: what the metric is called in reports.
#' @return With `values` their mean, a number. Without them a metric object, see [metrics].
#' @seealso [metrics]
#' @examples
#' m <- metric_mean()
#' m$update_state(c(1, 2, 3))
#' m$update_state(10)
#' m$result() # 4
#' metric_mean(c(1, 2))
#' @export
metric_mean <- function(values, ..., name = "mean") {
  if (missing(values)) use_metric("mean", list(), name, list(...)) else use_metric("mean", list(), name, list(...),
    values, NULL)
}
