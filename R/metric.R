# Metrics: sums over batches, and a number made of them at the end. The classification ones are in
# R/metric-classification.R.

#' Metrics
#'
#' What is reported besides the loss. Without arguments, `metric_*()` gives an object for `compile()`, which also takes
#' the name as a string, the function itself, losses, and R functions of `(y_true, y_pred)`.
#' Called with targets and predictions, the metrics that are means (accuracies and errors) give the value of each
#' sample, a tensor without the last axis; the others give one number.
#'
#' An object gathers batches: `m$update_state(y_true, y_pred, sample_weight = NULL)`, then `m$result()`, a number;
#' `m$reset_state()` starts again; `m$name`. `m(y_true, y_pred)` updates and gives the result. Sums are kept in double
#' precision.
#'
#' | `metric_` | string, too | |
#' |---|---|---|
#' | `mean` | | of numbers: `m$update_state(values)` |
#' | `mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error` | `"mse" "mae" "mape" "msle"` | as the losses, see [loss_mean_squared_error()] |
#' | `root_mean_squared_error` | `"rmse"` | root of the mean over all samples |
#' | `logcosh_error poisson hinge squared_hinge categorical_hinge kl_divergence` | `"kld"` | as the losses |
#' | `binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy` | | as the losses |
#' | `cosine_similarity` | | the cosine itself, 1 is best |
#'
#' `custom_metric()` gives a function of one's own a name. It returns the value of each sample or one number for all,
#' which counts as often as there are samples.
#'
#' In `compile()`, `"crossentropy"` (or `"ce"`) means the one of the three that the shapes ask for, by the rule of
#' [`"accuracy"`][metric_accuracy()].
#'
#' @inheritParams loss_mean_squared_error
#' @param values numbers: an array or tensor.
#' @param ... nothing.
#' @param name a string: what the metric is called in reports.
#' @param metric_fn an R function of `(y_true, y_pred)`.
#' @return See above; the objects are functions of class `nn_metric`.
#' @section Errors: `nativenet_error_shape` if targets and predictions do not fit; both shapes are named.
#' @examples
#' m <- metric_mean_absolute_error()
#' m$update_state(c(1, 2), c(1.5, 2))
#' m$update_state(3, 5)
#' m$result() # 2.5 / 3
#' metric_mean_absolute_error(diag(2), matrix(0.5, 2, 2))
#' largest <- custom_metric("largest_error", function(y_true, y_pred) {
#'   k_max(k_abs(y_true - y_pred), axis = -1)
#' })
#' largest(diag(2), matrix(0.25, 2, 2))
#' @name metric_mean_squared_error
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
  cosine_similarity = "cosine_similarity"
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

metric_values <- function(m, y_true, y_pred, logits = NULL) {
  loss <- metric_loss(m)
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
  if (part_name(m) %in% names(confusion_results)) return(confusion_sums(m, y_true, y_pred, weights))
  values <- metric_values(m, y_true, y_pred, logits)
  if (rank_of(values) == 0 && part_name(m) != "mean") values <- op_multiply(sample_ones(y_pred, values), values)
  counts <- weigh(op_ones_like(values), weights)
  op_stack(list(op_sum(weigh(values, weights)), op_sum(counts)))
}

#' How many sums there are.
#' @noRd
metric_size <- function(m) if (part_name(m) %in% names(confusion_results))
  4 * length(thresholds_of(part_config(m))) else 2

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
  result <- confusion_results[[part_name(m)]]
  if (!is.null(result)) return(result(confusion_counts(totals), part_config(m)))
  mean <- share(totals[1], totals[2])
  if (part_name(m) == "root_mean_squared_error") sqrt(mean) else mean
}

#' a / b, 0 where there is nothing yet.
#' @noRd
share <- function(a, b) ifelse(b == 0, 0, a / b)

#' What the user gives as a metric, chosen by the shapes of a batch
#'
#' @param y_true,y_pred targets and predictions, also of a program: only their shapes matter.
#' @param name what the metric is called; `NULL` for the string that the user typed, or its own name.
#' @noRd
as_metric <- function(x, y_true, y_pred, arg = "metrics", fun = calling_function(), custom_objects = NULL,
  name = NULL) {
  if (identical(x, metric_accuracy)) x <- "accuracy"
  if (is_part(x, "metric") && part_name(x) == "accuracy") {
    if (is.null(name)) name <- metric_name(x)
    x <- "accuracy"
  }
  if (is.character(x) && length(x) == 1 && !x %in% names(custom_objects)) {
    check_string(x, arg, fun)
    if (is.null(name)) name <- x
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
  check_not_tracing("it updates a metric")
  state <- attr(m, "state")
  sums <- as.double(metric_statistics(m, y_true, y_pred, sample_weight))
  state$totals <- if (is.null(state$totals)) sums else state$totals + sums
}

metric_now <- function(m) {
  totals <- attr(m, "state")$totals
  metric_result(m, if (is.null(totals)) numeric(metric_size(m)) else totals)
}

metric_reset <- function(m) {
  attr(m, "state")$totals <- NULL
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
  name = function(m) metric_name(m)
)

#' @export
`$.nn_metric` <- function(x, name) {
  member <- metric_members[[name]]
  if (is.null(member)) unknown_member(name, names(metric_members), "a metric")
  member(x)
}

#' @export
.DollarNames.nn_metric <- function(x, pattern = "") grep(pattern, names(metric_members), value = TRUE)

use_metric <- function(metric, config, name, extra, y_true, y_pred) {
  fun <- paste0("metric_", metric)
  check_no_more(extra, fun)
  m <- new_metric(metric, c(config, list(name = check_string(name, fun = fun))))
  if (!is_called(missing(y_true), missing(y_pred), fun)) return(m)
  per_sample <- !metric %in% c("root_mean_squared_error", "mean", names(confusion_results))
  if (per_sample) metric_values(m, y_true, y_pred) else
    metric_result(m, as.double(metric_statistics(m, y_true, y_pred)))
}

#' @rdname metric_mean_squared_error
#' @export
custom_metric <- function(name, metric_fn) own_part("metric", check_function(metric_fn, takes = 2), check_string(name))

#' @rdname metric_mean_squared_error
#' @export
metric_mean <- function(values, ..., name = "mean") {
  if (missing(values)) use_metric("mean", list(), name, list(...)) else use_metric("mean", list(), name, list(...),
    values, NULL)
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_squared_error <- function(y_true, y_pred, axis = -1, ..., name = "mean_squared_error") {
  use_metric("mean_squared_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_root_mean_squared_error <- function(y_true, y_pred, ..., name = "root_mean_squared_error") {
  use_metric("root_mean_squared_error", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_absolute_error <- function(y_true, y_pred, axis = -1, ..., name = "mean_absolute_error") {
  use_metric("mean_absolute_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_absolute_percentage_error <- function(y_true, y_pred, axis = -1, ...,
  name = "mean_absolute_percentage_error") {
  use_metric("mean_absolute_percentage_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_squared_logarithmic_error <- function(y_true, y_pred, axis = -1, ...,
  name = "mean_squared_logarithmic_error") {
  use_metric("mean_squared_logarithmic_error", axis_config(axis), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_logcosh_error <- function(y_true, y_pred, ..., name = "logcosh") {
  use_metric("logcosh_error", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
                                       name = "binary_crossentropy") {
  use_metric("binary_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), name, list(...), y_true,
    y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
                                            name = "categorical_crossentropy") {
  use_metric("categorical_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), name, list(...),
    y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1, ...,
                                                   name = "sparse_categorical_crossentropy") {
  use_metric("sparse_categorical_crossentropy", crossentropy_config(from_logits, axis = axis), name, list(...), y_true,
    y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_kl_divergence <- function(y_true, y_pred, ..., name = "kl_divergence") {
  use_metric("kl_divergence", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_poisson <- function(y_true, y_pred, ..., name = "poisson") {
  use_metric("poisson", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_hinge <- function(y_true, y_pred, ..., name = "hinge") {
  use_metric("hinge", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_squared_hinge <- function(y_true, y_pred, ..., name = "squared_hinge") {
  use_metric("squared_hinge", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_categorical_hinge <- function(y_true, y_pred, ..., name = "categorical_hinge") {
  use_metric("categorical_hinge", list(), name, list(...), y_true, y_pred)
}

#' @rdname metric_mean_squared_error
#' @export
metric_cosine_similarity <- function(y_true, y_pred, axis = -1, ..., name = "cosine_similarity") {
  use_metric("cosine_similarity", axis_config(axis), name, list(...), y_true, y_pred)
}
