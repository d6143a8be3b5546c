# Losses as parts of models. The formulas are ops, so that tapes record them and programs may hold them.

#' Losses
#'
#' Called with targets and predictions they give the loss of each sample, a tensor with the last axis removed. Without,
#' they give an object for `compile()`; called as `object(y_true, y_pred, sample_weight = NULL)` it gives one number, as
#' `reduction` says. `compile()` also takes the name as a string, the function itself, and R functions of
#' `(y_true, y_pred)`.
#'
#' With t the targets and p the predictions, e = [k_epsilon()], and the mean or sum over the last axis:
#'
#' | `loss_` | string, too | per sample |
#' |---|---|---|
#' | `mean_squared_error` | `"mse"` | `mean((p - t)^2)` |
#' | `mean_absolute_error` | `"mae"` | `mean(abs(p - t))` |
#' | `mean_absolute_percentage_error` | `"mape"` | `100 mean(abs(t - p) / max(abs(t), e))` |
#' | `mean_squared_logarithmic_error` | `"msle"` | `mean((log(max(p, e) + 1) - log(max(t, e) + 1))^2)` |
#' | `huber` | | mean of `x^2 / 2` where `abs(x) <= delta`, else `delta abs(x) - delta^2 / 2`, with `x = p - t` |
#' | `logcosh` | `"log_cosh"` | `mean(log(cosh(p - t)))` |
#' | `binary_crossentropy` | | `-mean(t log(p) + (1 - t) log(1 - p))` |
#' | `categorical_crossentropy` | | `-sum(t log(p / sum(p)))` |
#' | `sparse_categorical_crossentropy` | | the same with t a label 0 .. K-1 |
#' | `kl_divergence` | `"kld"` | `sum(t log(t / p))`, both cut to e .. 1 |
#' | `poisson` | | `mean(p - t log(p + e))` |
#' | `hinge`, `squared_hinge` | | mean of `max(1 - t p, 0)`, and of its square; targets that are all 0 or 1 become -1 and 1 |
#' | `categorical_hinge` | | `max(0, max((1 - t) p) - sum(t p) + 1)` |
#' | `cosine_similarity` | | `-sum(t p)` of both scaled to length 1: -1 is best |
#'
#' The cross-entropies of probabilities cut these to `e .. 1 - e` (the binary one adds e inside the logarithm, too).
#' From logits, the inputs of a sigmoid or softmax, they are exact; training uses that form by itself where the model
#' ends in the activation that fits.
#'
#' @param y_true targets: an array or tensor of the shape of `y_pred`. One axis may be missing where `y_pred` has the
#'   size 1. For the sparse form labels 0 .. K-1, of shape (n) or (n, 1).
#' @param y_pred predictions, float; their dtype is that of the result.
#' @param from_logits are predictions the inputs of a sigmoid or softmax, rather than its outputs?
#' @param label_smoothing from 0 to 1: how much of each target is spread evenly over the classes.
#' @param axis along which the loss of a sample is taken, 1-based, negative from the end.
#' @param delta a number above 0.
#' @param ... nothing.
#' @param reduction for the object: `"auto"` or `"sum_over_batch_size"`, the sum of all losses, each times its weight,
#'   divided by their number; `"sum"`; or `"none"`.
#' @param name a string.
#' @return A float tensor; without `y_true` and `y_pred` a function of class `nn_loss`.
#' @section Errors: `nativenet_error_shape` if targets and predictions do not fit; both shapes are named.
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2. Huber (1964),
#'   <https://doi.org/10.1214/aoms/1177703732>. Szegedy et al. (2016), label smoothing,
#'   <https://arxiv.org/abs/1512.00567>.
#' @examples
#' y_true <- rbind(c(0, 1), c(0, 0))
#' y_pred <- rbind(c(0.6, 0.4), c(0.4, 0.6))
#' loss_binary_crossentropy(y_true, y_pred)
#' loss <- loss_binary_crossentropy(label_smoothing = 0.1)
#' loss
#' loss(y_true, y_pred)
#' @name loss_mean_squared_error
NULL

# ---- formulas: functions of targets, predictions and the arguments; the axis is the last one ----

loss_formulas <- list(
  mean_squared_error = function(t, p, config) op_squared_error(t, p),
  mean_absolute_error = function(t, p, config) op_absolute_error(t, p),
  mean_absolute_percentage_error = function(t, p, config) {
    op_multiply(op_mean(op_divide(op_abs(op_subtract(t, p)), op_maximum(op_abs(t), session$epsilon)), -1), 100)
  },
  mean_squared_logarithmic_error = function(t, p, config) {
    log_of <- function(x) op_log1p(op_maximum(x, session$epsilon))
    op_squared_error(log_of(t), log_of(p))
  },
  huber = function(t, p, config) op_huber(t, p, config$delta),
  logcosh = function(t, p, config) op_logcosh(t, p),
  binary_crossentropy = function(t, p, config) {
    op_binary_crossentropy(smooth_labels(t, config$label_smoothing, 2), p, config$from_logits, clip = session$epsilon,
      epsilon = session$epsilon)
  },
  categorical_crossentropy = function(t, p, config) {
    classes <- shape_of(p)[rank_of(p)]
    op_categorical_crossentropy(smooth_labels(t, config$label_smoothing, classes), p, config$from_logits,
      clip = session$epsilon)
  },
  sparse_categorical_crossentropy = function(t, p, config) {
    op_sparse_categorical_crossentropy(t, p, config$from_logits, clip = session$epsilon)
  },
  kl_divergence = function(t, p, config) op_kl_divergence(t, p, clip = session$epsilon),
  poisson = function(t, p, config) op_mean(op_subtract(p, op_multiply(t, op_log(op_add(p, session$epsilon)))), -1),
  hinge = function(t, p, config) op_mean(hinges(t, p), -1),
  squared_hinge = function(t, p, config) op_mean(op_square(hinges(t, p)), -1),
  categorical_hinge = function(t, p, config) {
    right <- op_sum(op_multiply(t, p), -1)
    wrong <- op_max(op_multiply(op_subtract(1, t), p), -1)
    op_relu(op_add(op_subtract(wrong, right), 1))
  },
  cosine_similarity = function(t, p, config) op_negative(cosine_of(t, p))
)

smooth_labels <- function(t, share, classes) if (share == 0) t else op_add(op_multiply(t, 1 - share), share / classes)

#' Targets that are all 0 or 1 become -1 and 1, as in Keras.
#' @noRd
hinges <- function(t, p) {
  are_labels <- op_all(op_logical_or(op_equal(t, 0), op_equal(t, 1)))
  t <- op_where(are_labels, op_subtract(op_multiply(t, 2), 1), t)
  op_relu(op_subtract(1, op_multiply(t, p)))
}

cosine_of <- function(t, p) op_sum(op_multiply(op_l2_normalize(t, -1), op_l2_normalize(p, -1)), -1)

# ---- targets and predictions of one shape ----

#' Targets and predictions as tensors of one dtype, whose shapes fit
#'
#' A last axis of size 1 that one of them lacks is added to it.
#'
#' @param targets "values" of the shape of the predictions, "labels" that lack its last axis, or "any", which is not
#'   checked.
#' @return a list: y_true, y_pred.
#' @noRd
align_targets <- function(y_true, y_pred, targets = "values", fun = calling_function()) {
  y_pred <- with_axis(floats_of(as_floats(y_pred)))
  y_true <- with_axis(tensor(y_true, if (targets == "labels") "int32" else tensor_dtype(y_pred)))
  true <- shape_of(y_true)
  pred <- shape_of(y_pred)
  one_more <- length(true) - length(pred)
  if (targets == "labels") {
    if (one_more == 0 && ends_in_one(true)) y_true <- op_squeeze(y_true, -1)
  } else if (one_more == -1 && ends_in_one(pred)) {
    y_true <- op_expand_dims(y_true, -1)
  } else if (one_more == 1 && ends_in_one(true)) {
    y_pred <- op_expand_dims(y_pred, -1)
  }
  wanted <- shape_of(y_pred)
  if (targets == "labels") wanted <- wanted[-length(wanted)]
  if (targets != "any" && !same_sizes(shape_of(y_true), wanted)) bad_targets(true, pred, targets, fun)
  list(y_true = y_true, y_pred = y_pred)
}

#' A number is a vector of length 1.
#' @noRd
with_axis <- function(x) if (rank_of(x) == 0) op_reshape(x, 1) else x

ends_in_one <- function(shape) length(shape) > 0 && shape[length(shape)] == 1

bad_targets <- function(true, pred, targets, fun) {
  hint <- ""
  if (targets == "labels" && same_sizes(true, pred)) {
    hint <- paste0("; rows of zeros and ones go with `", sub("^(loss|metric)_sparse_", "", fun),
      "`, and `max.col(y) - 1` makes class labels of them")
  }
  units <- pred[length(pred)]
  if (targets == "values" && (same_sizes(true, pred[-length(pred)]) || same_sizes(true, c(pred[-length(pred)], 1L)))) {
    kind <- if (grepl("crossentropy", fun)) "sparse_categorical_crossentropy" else if (grepl("accuracy", fun))
      "sparse_categorical_accuracy"
    hint <- paste0("; class labels, one number per row, ", if (length(kind)) paste0("go with `", kind, "`, or "),
      "become rows of zeros and ones by `to_categorical()`", if (!length(kind))
      "; for numbers to predict, one per row, the last layer has one unit")
  } else if (hint == "" && length(true) == length(pred) && same_sizes(true[-length(true)], pred[-length(pred)])) {
    hint <- paste0("; the last layer has ", units, if (units == 1) " unit" else " units", ", but a row of `y` has ",
      true[length(true)], " numbers", if (units == 1 && grepl("crossentropy", fun))
      ": take a unit for each class and \"softmax\", or labels 0 and 1")
  } else if (length(pred) > length(true) + (targets == "labels")) {
    hint <- paste0("; the model gives ", length(pred) - 1,
      " axes for each row: `layer_flatten()` before its dense layers, or a last recurrent layer without ",
      "`return_sequences`, makes one of them")
  }
  abort("`y_true` of shape ", format_shape(true), " does not fit `y_pred` of shape ", format_shape(pred), hint,
    class = "shape", fun = fun)
}

#' x with `axis` as its last.
#' @noRd
axis_to_end <- function(x, axis, fun) {
  rank <- rank_of(x)
  at <- if (rank) check_one_axis(axis, rank, fun = fun) + 1 else 0
  if (at == rank) x else op_transpose(x, c(seq_len(rank)[-at], at))
}

# ---- what training asks of a loss ----

loss_name <- function(loss) part_config(loss)$name

#' The activation whose inputs the loss can do with in place of its outputs: "sigmoid", "softmax" or NULL.
#' @noRd
loss_fuses <- function(loss) {
  axis <- part_config(loss)$axis
  if (!is.null(axis) && axis == -1) {
    switch(part_name(loss), binary_crossentropy = "sigmoid", categorical_crossentropy = ,
      sparse_categorical_crossentropy = "softmax")
  }
}

#' The loss of each sample; also in a program.
#'
#' @param logits the inputs of the activation that loss_fuses() names and that gave y_pred, or NULL.
#' @return a float tensor, y_pred without its last axis; what a function of the user's gives may be a scalar, too.
#' @noRd
loss_values <- function(loss, y_true, y_pred, logits = NULL) {
  config <- part_config(loss)
  name <- part_name(loss)
  fun <- part_label(loss)
  own <- attr(loss, "own")
  if (!is.null(own)) return(own_values(own, y_true, y_pred, fun))
  if (!is.null(logits) && !is.null(loss_fuses(loss))) {
    y_pred <- logits
    config$from_logits <- TRUE
  }
  targets <- if (name == "sparse_categorical_crossentropy") "labels" else "values"
  if (!is.null(config$axis) && config$axis != -1) {
    if (targets == "values") y_true <- axis_to_end(y_true, config$axis, fun)
    y_pred <- axis_to_end(y_pred, config$axis, fun)
  }
  pair <- align_targets(y_true, y_pred, targets, fun)
  loss_formulas[[name]](pair$y_true, pair$y_pred, config)
}

#' What the user's loss or metric gives, as floats.
#' @noRd
own_values <- function(own, y_true, y_pred, fun) {
  pair <- align_targets(y_true, y_pred, "any", fun)
  values <- own(pair$y_true, pair$y_pred)
  if (!is_tensor(values) && !is.numeric(values)) abort("the function must return a tensor, not ", describe(values),
    fun = fun)
  values <- floats_of(as_value(tensor(values)))
  tensor(values, tensor_dtype(pair$y_pred))
}

#' Losses times weights. Axes that the weights lack are the last ones.
#' @noRd
weigh <- function(values, weights) if (is.null(weights)) values else op_multiply(values, weights_for(values, weights))

weights_for <- function(values, weights) {
  weights <- tensor(weights, tensor_dtype(values))
  rank <- rank_of(values)
  if (rank > 0 && rank_of(weights) == rank + 1 && ends_in_one(shape_of(weights))) weights <- op_squeeze(weights, -1)
  if (rank_of(weights) > rank) {
    abort("`sample_weight` must have a number for each sample", if (rank > 1) " or for each of its values",
      ": the losses have shape ", format_shape(shape_of(values)), ", the weights ", format_shape(shape_of(weights)),
      class = "shape", fun = NULL)
  }
  while (rank_of(weights) < rank) weights <- op_expand_dims(weights, -1)
  weights
}

#' One number, as the loss' reduction says (or a number for each sample: "none").
#' @noRd
loss_total <- function(loss, y_true, y_pred, weights = NULL, logits = NULL) {
  reduce_loss(weigh(loss_values(loss, y_true, y_pred, logits), weights), part_config(loss)$reduction)
}

#' @param counted 1 for each value that the mean is over, 0 for others; NULL: it is over all.
#' @noRd
reduce_loss <- function(values, reduction, counted = NULL) {
  switch(reduction,
    none = values, sum = op_sum(values),
    if (is.null(counted)) op_mean(values) else op_divide(op_sum(values), op_maximum(op_sum(counted), 1))
  )
}

call_loss <- function(y_true, y_pred, sample_weight = NULL) {
  self <- sys.function()
  check_given(missing(y_true), "y_true", part_label(self))
  check_given(missing(y_pred), "y_pred", part_label(self))
  loss_total(self, y_true, y_pred, sample_weight)
}

# ---- the objects ----

use_loss <- function(loss, config, reduction, name, extra, y_true, y_pred) {
  fun <- paste0("loss_", loss)
  check_no_more(extra, fun)
  check_choice(reduction, c("auto", "sum_over_batch_size", "sum", "none"), fun = fun)
  f <- new_part("loss", loss, c(config, list(reduction = reduction, name = check_string(name, fun = fun))), call_loss)
  if (is_called(missing(y_true), missing(y_pred), fun)) loss_values(f, y_true, y_pred) else f
}

crossentropy_config <- function(from_logits, label_smoothing, axis, fun = calling_function()) {
  smoothing <- if (!missing(label_smoothing))
    list(label_smoothing = check_number(label_smoothing, min = 0, max = 1, fun = fun))
  c(list(from_logits = check_flag(from_logits, fun = fun)), smoothing, axis_config(axis, fun))
}

axis_config <- function(axis, fun = calling_function()) list(axis = check_number(axis, fun = fun))

#' @rdname loss_mean_squared_error
#' @export
loss_mean_squared_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "mean_squared_error") {
  use_loss("mean_squared_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "mean_absolute_error") {
  use_loss("mean_absolute_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_percentage_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto",
  name = "mean_absolute_percentage_error") {
  use_loss("mean_absolute_percentage_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_squared_logarithmic_error <- function(y_true, y_pred, axis = -1, ..., reduction = "auto",
  name = "mean_squared_logarithmic_error") {
  use_loss("mean_squared_logarithmic_error", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_huber <- function(y_true, y_pred, delta = 1, ..., reduction = "auto", name = "huber_loss") {
  delta <- check_number(delta, above = 0)
  use_loss("huber", list(delta = delta), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_logcosh <- function(y_true, y_pred, ..., reduction = "auto", name = "log_cosh") {
  use_loss("logcosh", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  reduction = "auto",
                                     name = "binary_crossentropy") {
  use_loss("binary_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), reduction, name, list(...),
    y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1, ...,
  reduction = "auto",
                                          name = "categorical_crossentropy") {
  use_loss("categorical_crossentropy", crossentropy_config(from_logits, label_smoothing, axis), reduction, name,
    list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1, ...,
  reduction = "auto",
                                                 name = "sparse_categorical_crossentropy") {
  use_loss("sparse_categorical_crossentropy", crossentropy_config(from_logits, axis = axis), reduction, name, list(...),
    y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_kl_divergence <- function(y_true, y_pred, ..., reduction = "auto", name = "kl_divergence") {
  use_loss("kl_divergence", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_kullback_leibler_divergence <- loss_kl_divergence

#' @rdname loss_mean_squared_error
#' @export
loss_poisson <- function(y_true, y_pred, ..., reduction = "auto", name = "poisson") {
  use_loss("poisson", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "hinge") {
  use_loss("hinge", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_squared_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "squared_hinge") {
  use_loss("squared_hinge", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_categorical_hinge <- function(y_true, y_pred, ..., reduction = "auto", name = "categorical_hinge") {
  use_loss("categorical_hinge", list(), reduction, name, list(...), y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_cosine_similarity <- function(y_true, y_pred, axis = -1, ..., reduction = "auto", name = "cosine_similarity") {
  use_loss("cosine_similarity", axis_config(axis), reduction, name, list(...), y_true, y_pred)
}
