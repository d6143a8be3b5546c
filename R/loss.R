# Losses as parts of models. The formulas are ops, so that tapes record them and programs may hold them. Constructors
# and help pages are in R/loss-regression.R, R/loss-probabilistic.R and R/loss-hinge.R.

#' Losses
#'
#' A loss is the number that training makes small. `compile(loss = )` takes a loss object, such as `loss_huber(delta =
#' 2)`; the constructor itself, `loss_huber`; its name as a string, `"huber"`; or an R function of `(y_true, y_pred)`.
#'
#' Regression: [loss_mean_squared_error()] (`"mse"`), [loss_mean_absolute_error()] (`"mae"`),
#' [loss_mean_absolute_percentage_error()] (`"mape"`), [loss_mean_squared_logarithmic_error()] (`"msle"`),
#' [loss_huber()], [loss_logcosh()] (`"log_cosh"`), [loss_cosine_similarity()].
#'
#' Probabilities: [loss_binary_crossentropy()], [loss_categorical_crossentropy()],
#' [loss_sparse_categorical_crossentropy()], [loss_kl_divergence()] (`"kld"`), [loss_poisson()].
#'
#' Rare classes and regions: [loss_binary_focal_crossentropy()], [loss_categorical_focal_crossentropy()], [loss_dice()],
#' [loss_tversky()].
#'
#' Noisy labels, embeddings, sequences: [loss_categorical_generalized_cross_entropy()], [loss_circle()], [loss_ctc()].
#'
#' Margins: [loss_hinge()], [loss_squared_hinge()], [loss_categorical_hinge()].
#'
#' @section Calling a loss:
#' `loss_huber(y_true, y_pred)` computes at once: it gives the loss of each sample, a tensor of the shape of `y_pred`
#' without its last axis. `loss_huber()` gives an object. `object(y_true, y_pred, sample_weight = NULL)` computes the
#' same losses, multiplies each by its sample weight and reduces them:
#'
#' * `"auto"` and `"sum_over_batch_size"`: their sum divided by their number, a scalar;
#' * `"sum"`: their sum, a scalar;
#' * `"none"` or `NULL`: the losses as they are.
#'
#' @section Logits:
#' Logits are the inputs of a sigmoid or softmax. Cross-entropies of probabilities clip these to e .. 1 - e, with
#' e = [k_epsilon()]; those of logits (`from_logits = TRUE`) are exact. Training computes from logits by itself where
#' the model ends in the activation that fits the loss.
#'
#' @section A loss of your own:
#' An R function of `(y_true, y_pred)` that is made of ops. It returns a tensor with the loss of each sample, or a
#' scalar. Its gradient comes from the ops.
#'
#' @references Goodfellow et al. (2016), Deep Learning, section 6.2, <https://www.deeplearningbook.org>.
#' @seealso [metrics], [compile.nn_model()]; [op_squared_error()] and its like, the ops that losses are made of;
#'   [loss_function], the reference classes for courses.
#' @examples
#' y_true <- rbind(c(0, 1), c(0, 0))
#' y_pred <- rbind(c(0.6, 0.4), c(0.4, 0.6))
#' loss_binary_crossentropy(y_true, y_pred) # of each sample
#' loss <- loss_binary_crossentropy(label_smoothing = 0.1)
#' loss
#' loss(y_true, y_pred) # a scalar
#' loss(y_true, y_pred, sample_weight = c(1, 0))
#' @name losses
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
      epsilon = session$epsilon, reduction = "mean")
  },
  categorical_crossentropy = function(t, p, config) {
    classes <- shape_of(p)[rank_of(p)]
    op_categorical_crossentropy(smooth_labels(t, config$label_smoothing, classes), p, config$from_logits,
      clip = session$epsilon)
  },
  sparse_categorical_crossentropy = function(t, p, config) {
    kept <- if (!is.null(config$ignore_class)) op_not_equal(t, config$ignore_class)
    if (!is.null(kept)) t <- op_where(kept, t, 0L)
    values <- op_sparse_categorical_crossentropy(t, p, config$from_logits, clip = session$epsilon)
    if (is.null(kept)) values else op_where(kept, values, 0)
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
  cosine_similarity = function(t, p, config) op_negative(cosine_of(t, p)),
  binary_focal_crossentropy = function(t, p, config) {
    t <- smooth_labels(t, config$label_smoothing, 2)
    right <- if (config$from_logits) op_sigmoid(p) else p
    right <- op_add(op_multiply(t, right), op_multiply(op_subtract(1, t), op_subtract(1, right)))
    values <- op_multiply(focus(right, config$gamma), op_binary_crossentropy(t, p, config$from_logits,
      clip = session$epsilon, epsilon = session$epsilon))
    if (config$apply_class_balancing) values <- op_multiply(values, op_add(op_multiply(t, 2 * config$alpha - 1),
      1 - config$alpha))
    op_mean(values, -1)
  },
  categorical_focal_crossentropy = function(t, p, config) {
    t <- smooth_labels(t, config$label_smoothing, shape_of(p)[rank_of(p)])
    p <- if (config$from_logits) op_softmax(p) else op_divide(p, op_sum(p, -1, keepdims = TRUE))
    p <- op_clip(p, session$epsilon, 1 - session$epsilon)
    values <- op_multiply(focus(p, config$gamma), op_multiply(t, op_negative(op_log(p))))
    op_sum(op_multiply(values, unlist(config$alpha)), -1)
  },
  dice = function(t, p, config) {
    both <- op_sum(op_multiply(t, p), config$axis)
    all <- op_add(op_sum(t, config$axis), op_sum(p, config$axis))
    op_subtract(1, op_divide(op_add(op_multiply(both, 2), session$epsilon), op_add(all, session$epsilon)))
  },
  tversky = function(t, p, config) {
    both <- op_add(op_sum(op_multiply(t, p), config$axis), session$epsilon)
    # which of the two errors is called which is as in Keras
    missed <- op_sum(op_multiply(t, op_subtract(1, p)), config$axis)
    invented <- op_sum(op_multiply(op_subtract(1, t), p), config$axis)
    all <- op_add(op_add(both, op_multiply(missed, config$alpha)), op_multiply(invented, config$beta))
    op_subtract(1, op_divide(both, all))
  },
  circle = function(t, p, config) circle_losses(t, p, config),
  categorical_generalized_cross_entropy = function(t, p, config) {
    own <- op_squeeze(op_take_along(p, op_expand_dims(op_cast(t, "int32"), -1), -1), -1)
    op_divide(op_subtract(1, op_power(own, config$q)), config$q)
  },
  # the blank is 0, and so is what fills targets up
  ctc = function(t, p, config) {
    labels <- op_cast(t, "int32")
    ctc_losses(labels, p, op_sum(op_cast(op_not_equal(labels, 0L), "int32"), 2), NULL, 0L)
  }
)

#' Axes are those of y_pred with the batch; NULL: all.
#' @noRd
region_config <- function(axis, fun = calling_function()) {
  list(axis = if (!is.null(axis)) check_whole(axis, min = -8, arg = "axis", fun = fun))
}

#' The weight of what is predicted with probability p, less the surer it is.
#' @noRd
focus <- function(p, gamma) if (gamma == 0) op_ones_like(p) else op_power(op_subtract(1, p), gamma)

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
    hint <- paste0("; one-hot rows go with `", sub("^(loss|metric)_sparse_", "", fun),
      "`, and `max.col(y) - 1` makes class labels of them")
  }
  units <- pred[length(pred)]
  if (targets == "values" && (same_sizes(true, pred[-length(pred)]) || same_sizes(true, c(pred[-length(pred)], 1L)))) {
    kind <- if (grepl("crossentropy", fun)) "sparse_categorical_crossentropy" else if (grepl("accuracy", fun))
      "sparse_categorical_accuracy"
    hint <- paste0("; class labels, one number per row, ", if (length(kind)) paste0("go with `", kind, "`, or "),
      "become one-hot rows by `to_categorical()`", if (!length(kind))
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
  if (identical(as.double(axis), -1)) {
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
  targets <- if (name %in% label_losses) "labels" else if (name == "ctc") "any" else "values"
  if (!is.null(config$axis) && !name %in% region_losses && config$axis != -1) {
    if (targets == "values") y_true <- axis_to_end(y_true, config$axis, fun)
    y_pred <- axis_to_end(y_pred, config$axis, fun)
  }
  pair <- align_targets(y_true, y_pred, targets, fun)
  loss_formulas[[name]](pair$y_true, pair$y_pred, config)
}

# Whose targets are class numbers.
label_losses <- c("sparse_categorical_crossentropy", "categorical_generalized_cross_entropy", "circle")

# Whose axes are those of a region, not that of classes.
region_losses <- c("dice", "tversky")

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
  values <- loss_values(loss, y_true, y_pred, logits)
  reduce_loss(weigh(values, weights), part_config(loss)$reduction, counted_losses(loss, values, y_true))
}

#' 1 for each value that the mean is over, where these are not all: samples without a partner have no circle loss, and
#' a class may be ignored.
#' @noRd
counted_losses <- function(loss, values, y_true) {
  ignored <- part_config(loss)$ignore_class
  if (!is.null(ignored)) return(weights_for(values, op_not_equal(tensor(y_true, "int32"), ignored)))
  if (part_name(loss) == "circle") op_cast(op_greater(values, 0), tensor_dtype(values))
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

reductions <- c("auto", "sum_over_batch_size", "sum", "none")

use_loss <- function(loss, config, reduction, name, extra, y_true, y_pred) {
  fun <- paste0("loss_", loss)
  check_no_more(extra, fun, kind = "part")
  if (is.null(reduction)) reduction <- "none" # as keras3 has it
  check_choice(reduction, reductions, fun = fun)
  f <- new_part("loss", loss, c(config, list(reduction = reduction, name = check_string(name, fun = fun))), call_loss)
  if (is_called(missing(y_true), missing(y_pred), fun)) loss_values(f, y_true, y_pred) else f
}

crossentropy_config <- function(from_logits, label_smoothing, axis, ignore_class, fun = calling_function()) {
  smoothing <- if (!missing(label_smoothing))
    list(label_smoothing = check_number(label_smoothing, min = 0, max = 1, fun = fun))
  ignored <- if (!missing(ignore_class)) list(ignore_class = check_class(ignore_class, fun))
  c(list(from_logits = check_flag(from_logits, fun = fun)), smoothing, axis_config(axis, fun), ignored)
}

#' A class label that does not count, as an int32; NULL: all do.
#' @noRd
check_class <- function(ignore_class, fun = calling_function()) {
  if (!is.null(ignore_class)) as.integer(check_whole(check_number(ignore_class, fun = fun), -2^31 + 1, 2^31 - 1,
    "ignore_class", fun))
}

axis_config <- function(axis, fun = calling_function()) list(axis = check_number(axis, fun = fun))
