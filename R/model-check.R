# Loss, last layer and targets held against each other, once in each fit(): what would give numbers that mean nothing.
# All are warnings, as each may be meant, but for factors, whose codes are no quantities. What cannot be known, such as
# the range of a lambda layer, is let pass.

# The targets that a loss is defined for.
target_ranges <- list(
  binary_crossentropy = c(0, 1), kl_divergence = c(0, 1), hinge = c(-1, 1), squared_hinge = c(-1, 1),
  poisson = c(0, Inf), mean_squared_logarithmic_error = c(0, Inf)
)
# Losses whose predictions, or targets, are probabilities of classes along an axis.
class_losses <- c("categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence")
one_hot_losses <- c("categorical_crossentropy", "categorical_hinge")
# Losses of quantities.
number_losses <- c("mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
  "mean_squared_logarithmic_error", "huber", "logcosh", "poisson", "cosine_similarity")

#' Check a source, or the first batch of a stream when it comes.
#' @param y what the user calls the targets.
#' @param ends hold losses and last layers against each other, too?
#' @noRd
check_ends_and_targets <- function(self, source, y = "y", ends = FALSE) {
  if (has_own_steps(self)) return()
  check <- function(data) {
    of <- outputs_with_loss(self)
    if (ends) check_inputs_read(self)
    if (ends) for (k in of) check_end(self, k)
    for (k in of) {
      check_target_range(self, k, data, y)
      check_numbers_reached(self, k, data, y)
    }
    self$compiled$checked <- TRUE
  }
  if (is.null(source$data)) source$check <- check else check(source$data)
}

#' An input that nothing reads is taken, as in Keras, since add_loss() may read it; nobody means that in training.
#' @noRd
check_inputs_read <- function(self) {
  plan <- model_plan(self)
  read <- c(plan$outputs, plan$end_places, unlist(lapply(plan$steps, function(s) c(s$inputs, s$more))))
  unread <- layer_names_of(self$inputs)[!plan$inputs %in% unlist(read)]
  if (length(unread)) warn("`fit()`: no output and no loss depends on ", some_names("", unread), class = "inputs")
}

# ---- the last layer ----

check_end <- function(self, k) {
  end <- last_layer(self$outputs[[k]])
  loss <- self$compiled$losses[[k]]
  name <- part_name(loss)
  mismatch <- function(...) warn("the last layer `", end$name, "` and the loss `", loss_name(loss),
    "` do not go together: ", ..., class = "loss")
  logits <- part_config(loss)$from_logits
  if (identical(utils::tail(end$shape, 1), 1L) && (identical(end$activation, "softmax") ||
    name %in% c("categorical_crossentropy", "sparse_categorical_crossentropy"))) {
    return(
      mismatch(
        "the layer has a single unit, whose probability is always 1, whatever the input. Take a unit for ",
        "each class; or, for two classes, ",
      "one unit with the activation \"sigmoid\" and the loss \"binary_crossentropy\""))
  }
  if (!name %in% c(class_losses, "binary_crossentropy") || is.na(end$activation)) return()
  fitting <- if (name == "binary_crossentropy") "sigmoid" else "softmax"
  is_share <- end$activation %in% c("sigmoid", "softmax", "hard_sigmoid")
  if (isTRUE(logits) && is_share) {
    mismatch("with `from_logits = TRUE` the loss takes logits, the inputs of the ", fitting,
      ", but the layer ends in \"", end$activation, "\". Leave out one of the two")
  } else if (!isTRUE(logits) && !is_share) {
    mismatch("the loss is computed from probabilities, but the layer ends in \"", end$activation,
      "\". Give the layer the activation \"", fitting, "\"", if (!is.null(logits)) ", or the loss `from_logits = TRUE`")
  }
}

#' The layer that an output's numbers come from, seen through layers that only move them: its name, its activation (NA:
#' not known) and shape.
#' @noRd
last_layer <- function(x) {
  layer <- x$node$layer
  if (!is.null(layer$outputs) && !is_own_model(layer)) {
    return(last_layer(layer$outputs[[place_of(x, tensor_leaves(x$node$outputs))]]))
  }
  if (layer$kind %in% c("flatten", "reshape", "permute", "repeat_vector", "dropout"))
    return(last_layer(tensor_leaves(x$node$inputs)[[1]]))
  list(name = layer$name, activation = last_activation(layer), shape = dim(x))
}

last_activation <- function(layer) {
  config <- layer$config
  if (layer$kind %in% c("activation_relu", "activation_leaky_relu", "activation_elu", "activation_parametric_relu")) {
    return(if (is.null(config$max_value)) sub("activation_", "", layer$kind) else NA)
  }
  if (layer$kind == "activation_softmax") return(if (config$axis == -1) "softmax" else NA)
  if (!layer$kind %in% c("dense", "tied_dense", "activation", "lstm", "gru", "simple_rnn")) return(NA)
  if (is.null(config$activation)) return("linear")
  of <- part_config(config$activation)
  if (part_name(config$activation) == "custom" || !is.null(of$max_value) || !is.null(of$axis) && of$axis != -1) NA else
    part_name(config$activation)
}

# ---- targets ----

check_target_range <- function(self, k, data, y) {
  target <- data$columns[[length(self$inputs) + k]]
  output <- self$outputs[[k]]
  loss <- self$compiled$losses[[k]]
  name <- part_name(loss)
  sums <- name %in% one_hot_losses
  wanted <- if (sums) c(1, 1) else target_ranges[[name]]
  if (is.null(wanted) || !sizes_fit(dim(target)[-1], dim(output)[-1])) return()
  if (length(dim(output)) > 2 && may_mask(self)) return() # what stands under a mask is free
  if (sums) target <- op_sum(column_tensor(target), if (is.null(part_config(loss)$axis)) -1 else part_config(loss)$axis)
  slack <- if (sums) 0.015 else 1e-6 # of probabilities with two digits; of rounding
  outside <- function(ends) isTRUE(ends[1] < wanted[1] - slack || ends[2] > wanted[2] + slack)
  ends <- column_ends(target)
  if (!outside(ends)) return()
  w <- data$columns[-seq_len(length(self$inputs) + length(self$outputs))]
  if (length(w)) { # what has no weight is free
    target <- as.array(column_tensor(target))
    target <- target[rep_len(as.vector(as.array(w[[k]])) != 0, length(target))]
    if (!length(target) || !outside(ends <- range(target))) return()
  }
  where <- target_label(self, k, y)
  if (sums) {
    warn("the loss `", loss_name(loss), "` of `", output_names(self)[k],
      "` takes probabilities that sum to 1 for each sample, but rows of ", where, " sum to ", span(ends),
      ". Where a sample has several classes or none the loss is \"binary_crossentropy\"", class = "targets")
  } else {
    warn("the loss `", loss_name(loss), "` of `", output_names(self)[k], "` takes targets ", range_text(wanted),
      ", but ", where, " has ", span(ends), range_hint(name, ends), class = "targets")
  }
}

target_label <- function(self, k, y)
  paste0("`", y, "`", if (length(self$outputs) > 1) paste0(" for `", output_names(self)[k], "`"))
range_text <- function(range) if (is.finite(range[2])) paste("from", span(range)) else paste("of at least", range[1])

# What a last layer with this activation can give.
end_ranges <- list(sigmoid = c(0, 1), hard_sigmoid = c(0, 1), tanh = c(-1, 1), softsign = c(-1, 1), relu = c(0, Inf),
  softplus = c(0, Inf), exponential = c(0, Inf))

#' Quantities that the last layer never gives, and accuracies of quantities.
#' @noRd
check_numbers_reached <- function(self, k, data, y) {
  target <- data$columns[[length(self$inputs) + k]]
  output <- self$outputs[[k]]
  name <- part_name(self$compiled$losses[[k]])
  if (!name %in% setdiff(number_losses, c(names(target_ranges), "cosine_similarity")) ||
    !sizes_fit(dim(target)[-1], dim(output)[-1])) return()
  # parts of it may be free
  if (length(dim(output)) > 2 && may_mask(self) || length(data$columns) > length(self$inputs) + length(self$outputs))
    return()
  where <- target_label(self, k, y)
  ends <- column_ends(target)
  end <- last_layer(output)
  given <- if (!is.na(end$activation)) end_ranges[[end$activation]]
  if (!is.null(given) && isTRUE(ends[1] < given[1] - 1e-6 || ends[2] > given[2] + 1e-6)) {
    warn("the last layer `", end$name, "` ends in \"", end$activation, "\" and gives numbers ",
      range_text(given), ", but ", where, " has ", span(ends),
      ", which it never reaches. For regression the last layer has no activation; or scale the targets",
      class = "targets")
  }
  asked <- Filter(function(m) is.character(m$metric) && tolower(m$metric) %in% c("accuracy", "acc", "binary_accuracy"),
    self$compiled$metrics[[k]])
  if (length(asked) && ends_in_one(dim(output)) && !all(as.array(column_tensor(target)) %in% 0:1)) {
    warn("the metric `", asked[[1]]$name, "` is for classification, but ", where, " holds numbers, ", span(ends),
      ", and the loss `", loss_name(self$compiled$losses[[k]]),
      "` is for regression: \"mae\" tells how far off predictions are", class = "targets")
  }
}

span <- function(ends) if (ends[1] == ends[2]) format(ends[1], digits = 4) else paste(format(ends[1], digits = 4), "to",
  format(ends[2], digits = 4))

range_hint <- function(name, ends) {
  if (name != "binary_crossentropy") return()
  if (all(ends == c(1, 2))) return(". Of two classes, 1 and 2, `y - 1` are the targets")
  if (all(ends == c(-1, 1)))
    return(". Of two classes, -1 and 1, `(y + 1) / 2` are the targets; or the loss is \"hinge\"")
  if (ends[1] == 0 && ends[2] == 255) return(". Images of bytes are divided by 255")
  paste0(". Two classes are 0 and 1; more take a unit each, the activation \"softmax\" and the loss ",
    "\"sparse_categorical_crossentropy\", with labels from 0")
}

#' Do targets fit the output, but for axes of size 1 at the end?
#' @noRd
sizes_fit <- function(a, b) {
  ones <- function(x) x[seq_len(max(0, which(is.na(x) | x != 1)))]
  a <- ones(a)
  b <- ones(b)
  length(a) == length(b) && all(a == b, na.rm = TRUE)
}

#' Might a layer of the model make a mask?
#' @noRd
may_mask <- function(self) {
  any(vapply(lapply(self$layers, layer_self), function(l) isTRUE(l$config$mask_zero) ||
    l$kind %in% c("masking", "custom", "lambda") || may_mask(l), NA))
}

check_factor <- function(self, k, fun) {
  loss <- self$compiled$losses[[k]]
  if (!part_name(loss) %in% number_losses) return()
  abort("`y` is a factor, but the loss `", loss_name(loss), "` of `", output_names(self)[k],
    "` is for regression. For classification take \"sparse_categorical_crossentropy\"",
    " and a unit with softmax for each class, or \"binary_crossentropy\" and one unit with sigmoid; for regression ",
    "`as.numeric(as.character(y))`", fun = fun)
}

# ---- the rows that validation_split keeps ----

#' @param train how many rows are trained on.
#' @noRd
check_split <- function(self, data, train) {
  for (k in outputs_with_loss(self)) {
    labels <- target_labels(self, k, data)
    if (is.null(labels)) next
    classes <- unique(labels)
    left <- setdiff(classes, labels[seq_len(train)])
    # a rare class may end there by chance, as words do; one of many rows does so in data that are sorted
    sorted <- sum(labels[-1] != labels[-length(labels)]) == length(classes) - 1
    chance <- vapply(left, function(class) (1 - train / length(labels))^sum(labels == class), 0)
    left <- sort(left[sorted | chance < 0.01 / length(classes)])
    if (!length(left)) next
    called <- class_names(known = data$names[[length(self$inputs) + k]])
    warn("`validation_split` keeps the last samples for validation, among them all samples of class ",
      some_names("", if (all(left %in% (seq_along(called) - 1))) called[left + 1] else left), " of `",
      output_names(self)[k], "`: training never sees it. Shuffle the samples first, as by `sample(nrow(x))`",
      class = "split")
  }
}

#' The class of each row, where targets are classes.
#' @noRd
target_labels <- function(self, k, data) {
  at <- length(self$inputs) + k
  name <- part_name(self$compiled$losses[[k]])
  sizes <- dim(data$columns[[at]])[-1]
  single <- length(sizes) == 0 || identical(sizes, 1L)
  if (single && (name %in% c("sparse_categorical_crossentropy", "binary_crossentropy", "hinge", "squared_hinge") ||
    !is.null(data$names[[at]]$levels))) {
    labels <- as.vector(column_array(data, at))
    if (all(labels == round(labels))) labels # others are probabilities
  } else if (length(sizes) == 1 && name %in% one_hot_losses) {
    class_numbers(column_array(data, at))
  }
}
