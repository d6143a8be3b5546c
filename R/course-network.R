# The course's network: a reference class over ordinary matrices. Where all its parts are ours, a step or a whole fit is
# one call into the engine (R/course-network-step.R); where a part is the user's own R code, the chain rule is spelled
# out in R (R/course-network-r.R).

#' A dense neural network over ordinary matrices
#'
#' `build_dense_neural_network()` makes a network with random weights; `dense_neural_network()` makes one
#' from given weights, biases, activations, loss and optimizer.
#'
#' Fields: `weights`, a list of matrices (inputs x units); `biases`, a list of vectors; `activations`, `loss`
#' and `optimizer`, objects of the course's classes, ours or your own; `l1` and `l2`, factors of the
#' L1 and L2 regularization `l1 sum(|w|) + l2 sum(w^2)` of the weights (not the biases), which is added to the loss;
#' `dtype`, in which training computes, `"float64"` or the two to three times faster `"float32"`. All may be
#' read and, within what fits together, replaced at any time.
#'
#' Methods:
#'
#' * `predict(batch_x)`: the outputs, a row per sample.
#' * `train_on_batch(batch_x, batch_y, ...)`: one step on these samples; returns the loss before the step.
#'   Further arguments are ignored, as on the course sheet.
#' * `fit(x, y, epochs = 10, batch_size = NULL, shuffle = TRUE, validation_data = NULL, verbose = interactive(),
#'   on_epoch = NULL, strategy = NULL)`: `epochs` passes in a new random order each, governed by `set.seed()`, in
#'   batches of 32 (or all rows, if fewer) by default; the last batch may be smaller. Returns, invisibly, a list with
#'   `loss`, the mean over each epoch, taken while the weights move, and `val_loss` if `validation_data = list(x, y)`
#'   was given. `on_epoch(epoch, loss)` is called after each epoch; if it returns `FALSE`, training stops; with a
#'   `strategy`, see [strategies], that of the first process decides. An interrupt stops between two steps and leaves
#'   a network that can be used and trained on.
#' * `gradients(x, y)`: `loss`, `weights` and `biases`: the loss of these samples and its gradient, as a step would
#'   follow it; nothing changes.
#' * `evaluate(x, y)`: the loss and, for classes, the accuracy: the fraction of samples whose largest output (or,
#'   for a single output, the side of 0.5) is right.
#'
#' Targets are a matrix (or data frame) like the outputs. For a single output they may be a vector; with
#' `categorical_crossentropy()` they may be labels 0, 1, ... K-1 or a factor. The cross-entropies need targets between 0
#' and 1. Inputs should be of the size of 1: pixels divided by 255.
#'
#' @section Weight initialization:
#' As on the course sheet: normal with sd `sqrt(2 / (inputs + units))`, values beyond two sd set to two sd;
#' biases 0. The same seed gives the sheet's numbers.
#'
#' @section Gradients:
#' The step follows the gradient of the loss that is reported, with derivatives of activations at the
#' pre-activations; see [activation] and [loss_function] for where the sheet's loop differs. `sigmoid()` with
#' `binary_crossentropy()` and `softmax()` with `categorical_crossentropy()` at the end use the joint gradient
#' `(p - t) / n` without division; any other loss after `softmax()` uses its full Jacobian.
#'
#' @section Errors:
#' Of class `nativenet_error_value`, `nativenet_error_shape` or, for a label outside the classes,
#' `nativenet_error_index`, before anything changes. A loss that stops being a
#' finite number is a `nativenet_error_nan`. It leaves the weights of that moment if they are sound, and those of at
#' most 32 steps before if they have exploded.
#'
#' @param input_size number of inputs.
#' @param layers a list that alternates numbers of units and activations: `list(2, htan(), 1, sigmoid())`.
#' @param loss,optimizer objects, as [binary_crossentropy()] and [gradient_descent_optimizer()] make them.
#' @param l1,l2 factors of L1 and L2 regularization of the weights.
#' @param ... ignored.
#' @param dtype `"float64"` or `"float32"`.
#' @return A reference object of class `dense_neural_network`.
#' @seealso [activation], [loss_function] and [gradient_descent_optimizer] for its parts; [check_gradient()],
#'   [plot_network()], [plot_decision()] and [plot_weights()] to look at it; [keras_model_sequential()] for deeper
#'   models; `vignette("nativenet")` and `vignette("lab-backpropagation")`.
#' @examples
#' x <- matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), 4, byrow = TRUE)
#' y <- matrix(c(0, 1, 1, 0), 4)
#' set.seed(1)
#' network <- build_dense_neural_network(
#'   input_size = 2, layers = list(2, htan(), 1, sigmoid()),
#'   loss = binary_crossentropy(), optimizer = gradient_descent_optimizer(learning_rate = 1)
#' )
#' losses <- sapply(1:500, function(i) network$train_on_batch(x, y))
#' round(network$predict(x), 2)
#' image(network$weights[[1]])
#' # other initial weights: smaller ones
#' network$weights <- lapply(network$weights, function(w) 0.1 * w)
#' @export
build_dense_neural_network <- function(input_size, layers, loss, optimizer, l1 = 0, l2 = 0, dtype = "float64") {
  input_size <- check_count(input_size)
  if (!is.list(layers) || length(layers) == 0) {
    abort("`layers` must be a list of numbers of units and activations, not ", describe(layers))
  }
  sizes <- input_size
  activations <- list()
  for (i in seq_along(layers)) {
    layer <- layers[[i]]
    wants_units <- i %% 2 == 1
    if (wants_units && is.numeric(layer)) {
      sizes <- c(sizes, check_count(layer, arg = sprintf("layers[[%d]]", i)))
    } else if (!wants_units && is_activation(layer)) {
      activations <- c(activations, list(layer))
    } else {
      abort("`layers[[", i, "]]` must be ", if (wants_units) "a number of units" else
        "an activation such as `sigmoid()` or `linear()`", ", not ", describe(layer), of_models(layer))
    }
  }
  if (length(layers) %% 2 == 1) abort("the last of `layers` has no activation; use `linear()` for none")
  weights <- lapply(seq_along(activations), function(i) truncated_normal(sizes[i], sizes[i + 1]))
  dense_neural_network(
    weights = weights, biases = lapply(sizes[-1], numeric), activations = activations,
    loss = loss, optimizer = optimizer, l1 = l1, l2 = l2, dtype = dtype
  )
}

truncated_normal <- function(inputs, units) {
  sd <- sqrt(2 / (inputs + units))
  matrix(pmax(pmin(rnorm(inputs * units, sd = sd), 2 * sd), -2 * sd), inputs, units)
}

of_models <- function(x) if (inherits(x, "nn_part")) paste0(" of models, `", part_label(x), "()`")
has_methods <- function(x, names) is.environment(x) && !inherits(x, "nn_optimizer") &&
  all(vapply(names, function(n) is.function(x[[n]]) || n %in% method_names(x), NA))
# as x$getRefClass()$methods(), which makes a generator first
method_names <- function(x) if (is(x, "envRefClass")) names(x$.refClassDef@refMethods) else character()
# by what they take, not by their names: a student's classes may have nothing in common with ours
is_activation <- function(x) has_methods(x, c("forward", "backward")) && length(formals(x$forward)) == 1
is_loss <- function(x) has_methods(x, c("forward", "backward")) && length(formals(x$forward)) == 2
is_optimizer <- function(x) has_methods(x, "step")

#' One-hot encode class labels
#'
#' @param y whole numbers 0 .. `num_classes - 1`, or a factor, whose levels become the classes in order.
#' @param num_classes how many classes; by default the largest label plus one.
#' @param dtype `"float32"` or another dtype of numbers; whole ones give R's integers, the others doubles.
#' @return A binary class matrix: one-hot rows, a row per label and a column per class.
#' @examples
#' to_categorical(c(0, 2, 1))
#' @export
to_categorical <- function(y, num_classes = NULL, dtype = NULL) {
  whole <- !is.null(dtype) && is_whole_dtype(check_choice(dtype, setdiff(dtypes, "bool")))
  if (is.factor(y)) {
    if (is.null(num_classes)) num_classes <- nlevels(y)
    y <- as.integer(y) - 1L
  }
  y <- plain_argument(if (is_tensor(y)) as.array(y) else y)
  if (!is.null(num_classes)) num_classes <- check_count(num_classes)
  check_labels(y, num_classes, "y", "to_categorical")
  if (is.null(num_classes)) num_classes <- if (length(y)) max(y) + 1 else 1
  check_room(c(length(y), num_classes), "num_classes")
  one <- matrix(if (whole) 0L else 0, length(y), num_classes)
  one[cbind(seq_along(y), as.vector(y) + 1)] <- 1L
  one
}

# ---- checks ----

#' Labels 0 .. `classes` - 1 (NULL: any number of classes).
#' @noRd
check_labels <- function(y, classes, arg, fun) {
  if (!are_numbers(y)) {
    abort("`", arg, "` must be labels 0, 1, 2, ... or a factor, not ", describe(y), fun = fun)
  }
  bad <- which(!is.finite(y) | y != round(y) | y < 0)
  if (length(bad)) abort("`", arg, "` must be labels 0, 1, 2, ...; number ", bad[1], " is ", format(y[bad[1]]),
    fun = fun)
  if (!is.null(classes) && any(y >= classes)) {
    abort("`", arg, "` has the label ", max(y), ", but with ", classes, " classes the labels are 0 .. ", classes - 1,
      class = "index", fun = fun)
  }
}

#' Matrices and vectors of bare numbers that fit each other, as a list of both.
#' @noRd
check_parameters <- function(weights, biases, fun) {
  if (!is.list(weights) || length(weights) == 0) abort("`weights` must be a list of matrices, not ", describe(weights),
    fun = fun)
  if (!is.list(biases) || length(biases) != length(weights)) {
    abort("`biases` must be a list of ", length(weights), " vectors, one per layer, not ", describe(biases), fun = fun)
  }
  for (i in seq_along(weights)) {
    name <- sprintf("weights[[%d]]", i)
    w <- weights[[i]] <- check_rows(weights[[i]], name, fun)
    if (any(dim(w) == 0) || !all(is.finite(w))) abort("`", name, "` must be finite numbers, at least one, not ",
      describe(w), fun = fun)
    if (i > 1 && nrow(w) != ncol(weights[[i - 1]])) {
      abort("`", name, "` of shape ", format_shape(dim(w)), " does not fit the ", ncol(weights[[i - 1]]),
        " units before it", class = "shape", fun = fun)
    }
    b <- biases[[i]] <- plain_argument(biases[[i]], sprintf("biases[[%d]]", i), fun)
    if (!is_bare(b) || length(b) != ncol(w) || !all(is.finite(b))) {
      abort("`biases[[", i, "]]` must be ", ncol(w), " finite numbers, one per unit, not ", describe(b), fun = fun)
    }
  }
  list(weights = weights, biases = lapply(biases, as.vector))
}

#' Inputs as a matrix of the network's width.
#' @noRd
check_inputs <- function(x, width, arg, fun) {
  x <- check_rows(x, arg, fun)
  if (ncol(x) != width) {
    abort("`", arg, "` of shape ", format_shape(dim(x)), " must have ", width, " columns, one per input",
      class = "shape", fun = fun)
  }
  if (nrow(x) == 0) abort("`", arg, "` has no rows", class = "shape", fun = fun)
  x
}

#' Targets as a matrix like the outputs: vectors for one output, labels for classes.
#' @noRd
check_targets <- function(y, rows, width, loss, arg, fun) {
  if (!is.factor(y) && !is.data.frame(y)) y <- plain_argument(y, arg, fun)
  is_labels <- is.null(dim(y)) || length(dim(y)) == 1
  if (is_labels && width > 1 && is(loss, "categorical_crossentropy")) {
    if (!is.factor(y)) check_labels(y, width, arg, fun)
    y <- to_categorical(y, width)
  } else if (is_labels && width == 1 && (are_numbers(y) || is.logical(y))) {
    y <- matrix(y, ncol = 1)
  }
  y <- check_rows(y, arg, fun)
  if (nrow(y) != rows || ncol(y) != width) {
    abort("`", arg, "` of shape ", format_shape(dim(y)), " must have the shape ", format_shape(c(rows, width)),
      ", a row per sample and a column per output", if (ncol(y) == 1 && width > 1)
      "; labels go in as a vector, or as `to_categorical(y)`", class = "shape", fun = fun)
  }
  # a cross-entropy of -1/1 targets is no cross-entropy: it has no lower bound
  lowest <- min(y)
  highest <- max(y)
  if (is.finite(lowest - highest) && (lowest < 0 || highest > 1) && is_native(loss) &&
    class(loss)[1] != "mean_squared_error") {
    abort("`", arg, "` has the value ", format(if (lowest < 0) lowest else highest), ", but `", class(loss)[1],
      "()` needs targets between 0 and 1", fun = fun)
  }
  y
}

# ---- the class ----

# The object's state, beside the fields that users see:
#   parts       list of activations, loss, optimizer, l1, l2, dtype
#   parameters  list of weights and biases while there is no engine
#   engine      list of variables that then hold the parameters, and the optimizer's memory; or NULL
#   cache       its programs, see step_cache()
#   id          tells this network's parameters from others' in the memory of a shared optimizer object
#   memory      the optimizer state of the last engine
# `self` is the object as an environment throughout.

network_parameters <- function(self) {
  e <- self$engine
  if (is.null(e)) return(self$parameters)
  list(weights = lapply(e$weights, as.array), biases = lapply(e$biases, function(b) as.vector(as.array(b))))
}

network_set_parameters <- function(self, what, value) {
  now <- network_parameters(self)
  next_ <- `[[<-`(now, what, value)
  if (is.list(next_$weights) && !identical(lapply(next_$weights, dim), lapply(now$weights, dim))) {
    abort("`weights` must keep their shapes ", paste(vapply(now$weights, function(w) format_shape(dim(w)), ""),
      collapse = ", "),
      class = "shape", fun = "dense_neural_network")
  }
  next_ <- check_parameters(next_$weights, next_$biases, "dense_neural_network")
  e <- self$engine
  if (is.null(e)) {
    self$parameters <- next_
  } else {
    # first all of them, as an interrupt may come
    values <- lapply(c(next_$weights, lapply(next_$biases, function(b) array(b, length(b)))), tensor, self$parts$dtype)
    suspendInterrupts(Map(variable_assign, e$variables, values))
  }
}

#' Take the parameters back from the engine, which is about to be out of date.
#' @noRd
network_settle <- function(self) {
  e <- self$engine
  if (is.null(e)) return()
  self$parameters <- network_parameters(self)
  self$memory <- list(made_for = e$made_for, tensors = e$memory)
  self$engine <- self$cache <- NULL
}

#' Make sure of an engine if all parts are ours; is there one?
#' @noRd
network_prepare <- function(self) {
  if (is.null(self$engine)) {
    if (!network_is_native(self$parts)) return(FALSE)
    self$engine <- network_engine(self$parts, self$parameters, self$memory)
  }
  numbers <- optimizer_numbers(as.environment(self$parts$optimizer))
  if (numbers[1] != self$engine$made_for[[1]]) { # momentum has become Nesterov's: another state
    network_settle(self)
    return(network_prepare(self))
  }
  .Call(C_optimizer_memory, self$engine$optimizer, numbers, NULL)
  TRUE
}

network_sizes <- function(self) {
  if (!is.null(self$engine)) return(self$engine$sizes)
  w <- self$parameters$weights
  if (!length(w)) abort("this network has no layers; `build_dense_neural_network()` makes one that has",
    fun = user_function())
  c(nrow(w[[1]]), ncol(w[[length(w)]]))
}

network_penalty <- function(self) {
  parts <- self$parts
  if (parts$l1 == 0 && parts$l2 == 0) return(0)
  w <- unlist(network_parameters(self)$weights)
  parts$l1 * sum(abs(w)) + parts$l2 * sum(w^2)
}

network_predict <- function(self, batch_x) {
  batch_x <- check_inputs(batch_x, network_sizes(self)[1], "batch_x", "predict")
  if (!network_prepare(self)) return(forward_in_r(self, batch_x)$y[[length(self$parts$activations) + 1]])
  network_pass(self, "predict", list(batch_x))$output
}

#' Output and mean loss of all rows, in batches.
#' @noRd
network_pass <- function(self, kind, columns) {
  step <- network_step(self, kind)
  state <- new_state(step)
  data <- list(columns = lapply(columns, tensor, self$parts$dtype), first = 0, rows = nrow(columns[[1]]))
  output <- run_step(self, step, data, min(nrow(columns[[1]]), 256L), state)[[1]]
  totals <- .Call(C_epoch_totals, state)
  list(output = output, loss = totals[4] / totals[2])
}

network_train_on_batch <- function(self, batch_x, batch_y, ...) {
  sizes <- network_sizes(self)
  batch_x <- check_inputs(batch_x, sizes[1], "batch_x", "train_on_batch")
  batch_y <- check_targets(batch_y, nrow(batch_x), sizes[2], self$parts$loss, "batch_y", "train_on_batch")
  if (!network_prepare(self)) return(step_in_r(self, batch_x, batch_y))
  check_finite(batch_x)
  check_finite(batch_y)
  step <- network_step(self, "train")
  loss <- or_recover(self$engine$kept,
    .Call(C_program_run, step$program, step$inputs, list(batch_x, batch_y), step$outputs))
  .Call(C_array, loss[[1]])
}

network_fit <- function(self, x, y, epochs = 10, batch_size = NULL, shuffle = TRUE, validation_data = NULL,
                        verbose = interactive(), on_epoch = NULL, strategy = NULL) {
  sizes <- network_sizes(self)
  x <- check_inputs(x, sizes[1], "x", "fit")
  same <- identical(x, y) # an autoencoder: one converted copy serves both
  y <- check_targets(y, nrow(x), sizes[2], self$parts$loss, "y", "fit")
  epochs <- check_count(epochs, fun = "fit")
  batch_size <- if (is.null(batch_size)) min(32L, nrow(x)) else check_count(batch_size, fun = "fit")
  if (batch_size > nrow(x)) abort("`batch_size` must be at most the ", nrow(x), " rows of `x`, not ", batch_size,
    fun = "fit")
  check_flag(shuffle, fun = "fit")
  check_flag(verbose, fun = "fit")
  strategy <- check_strategy(strategy, "fit")
  if (is_helper(strategy)) verbose <- FALSE
  if (!is.null(strategy) && !network_prepare(self)) abort("`strategy` is for networks whose parts are all of this ",
    "package", fun = "fit")
  if (!is.null(on_epoch)) check_function(on_epoch, fun = "fit")
  if (!is.null(validation_data)) validation_data <- check_validation(validation_data, sizes, self$parts$loss)
  check_finite(x)
  if (!same) check_finite(y)

  progress <- if (verbose) epoch_progress(epochs)
  val_loss <- double()
  step <- NULL
  after_epoch <- function(epoch, fraction, loss) {
    before <- session$shards
    on.exit(session$shards <- before)
    session$shards <- NULL # what follows is each rank's own
    if (!is.null(validation_data)) {
      val_loss <<- c(val_loss, network_evaluate(self, validation_data[[1]], validation_data[[2]])$loss)
    }
    if (verbose) progress$done(epoch, loss, val_loss)
    if (is.null(on_epoch)) return(TRUE)
    go_on <- on_epoch(epoch, loss)
    if (!is.null(strategy)) go_on <- from_rank_0(strategy, as.double(!isFALSE(go_on))) == 1
    session$shards <- before
    if (!is.null(step)) check_same_parts(self, step)
    go_on
  }
  listens <- verbose || !is.null(on_epoch) || !is.null(validation_data)
  losses <- if (network_prepare(self)) with_ranks(strategy, over_shards(strategy, {
    if (!is.null(strategy)) check_network_ranks(self, strategy, c(batch_size, shuffle, epochs), list(x, y))
    step <- network_step(self, "train")
    columns <- list(tensor(x, self$parts$dtype))
    columns[[2]] <- if (same) columns[[1]] else tensor(y, self$parts$dtype)
    state <- new_state(step, random = TRUE)
    running <- if (!is.null(progress$running)) function(steps, fraction, rows)
      progress$running(ceiling(steps * batch_size / nrow(x)), fraction, .Call(C_epoch_totals, state)[4] / rows)
    options <- as.double(c(batch_size, shuffle, step$rows, 0, nrow(x), 0, -1, epochs, 0))
    pass <- or_recover(self$engine$kept, .Call(C_epoch_run, step$program, step$inputs, columns, NULL, options,
      step$tallies, step$averaged, list(), NULL, NULL, NULL, state, list(NULL, running, if (listens) after_epoch),
      shards_of(step)))
    pass[[3]] / nrow(x)
  })) else {
    fit_in_r(self, x, y, epochs, batch_size, shuffle, after_epoch)
  }
  invisible(c(list(loss = losses), if (!is.null(validation_data)) list(val_loss = val_loss)))
}

#' `on_epoch` may have changed the learning rate, but not what the running program was made from.
#' @noRd
check_same_parts <- function(self, step) {
  if (network_prepare(self) && is_same(network_step(self, "train")$program, step$program)) return()
  abort("the parts of a network cannot be replaced while it trains; it keeps the weights of this epoch", fun = "fit")
}

check_network_ranks <- function(self, strategy, arguments, data) {
  same <- list(arguments = c(arguments, strategy$shards), data = data,
    weights = list(self$engine$variables, self$engine$memory), "random seed" = random_state_now())
  check_agreement(strategy, lapply(same, function(part) digest_of(list(0, part))), "fit")
}

check_validation <- function(data, sizes, loss) {
  if (!is.list(data) || length(data) != 2) abort("`validation_data` must be list(x, y), not ", describe(data),
    fun = "fit")
  x <- check_inputs(data[[1]], sizes[1], "validation_data[[1]]", "fit")
  y <- check_targets(data[[2]], nrow(x), sizes[2], loss, "validation_data[[2]]", "fit")
  check_finite(x)
  check_finite(y)
  list(x, y)
}

network_gradients <- function(self, x, y) {
  sizes <- network_sizes(self)
  x <- check_inputs(x, sizes[1], "x", "gradients")
  y <- check_targets(y, nrow(x), sizes[2], self$parts$loss, "y", "gradients")
  check_finite(x)
  check_finite(y)
  if (!network_prepare(self)) return(gradients_in_r(self, x, y))
  step <- network_step(self, "gradients")
  found <- lapply(.Call(C_program_run, step$program, step$inputs, list(x, y), step$outputs), as.array)
  if (!is.finite(found[[1]])) abort("the loss is not a finite number", class = "nan", fun = user_function())
  l <- seq_along(self$engine$weights)
  list(loss = found[[1]], weights = found[-1][l], biases = lapply(found[-1][-l], as.vector))
}

network_evaluate <- function(self, x, y) {
  sizes <- network_sizes(self)
  x <- check_inputs(x, sizes[1], "x", "evaluate")
  y <- check_targets(y, nrow(x), sizes[2], self$parts$loss, "y", "evaluate")
  pass <- if (network_prepare(self)) {
    network_pass(self, "evaluate", list(x, y))
  } else {
    p <- network_predict(self, x)
    list(output = p, loss = self$parts$loss$forward(y, p) + network_penalty(self))
  }
  p <- pass$output
  right <- if (sizes[2] == 1) (p > 0.5) == (y > 0.5) else max.col(p, "first") == max.col(y, "first")
  list(loss = pass$loss, accuracy = mean(right))
}

#' The twin goes on exactly as the original would: parameters, optimizer state, and the fields that a
#' class of the user's own added.
#' @noRd
network_copy <- function(self, shallow = FALSE) {
  original <- self$.self
  deep <- function(x) if (!shallow && is(x, "envRefClass")) x$copy() else x
  twin <- new(class(original))
  own <- as.environment(twin)
  own$parts <- lapply(self$parts, function(part) if (is.list(part)) lapply(part, deep) else deep(part))
  own$parameters <- network_parameters(self)
  e <- self$engine
  own$memory <- if (is.null(e)) self$memory else list(made_for = e$made_for, tensors = copies(e$memory))
  own$id <- if (shallow) paste(self$id, "copy") else self$id # a deep copy's optimizer knows the parameters by this name
  added <- setdiff(names(original$getRefClass()$fields()), names(dense_neural_network$fields()))
  for (name in added) assign(name, deep(get(name, self)), own)
  twin
}

network_show <- function(self) {
  parts <- self$parts
  cat(sprintf("<dense_neural_network> %d inputs\n", network_sizes(self)[1]))
  units <- lengths(network_parameters(self)$biases)
  cat(sprintf("  %d %s, %s\n", units, ifelse(units == 1, "unit", "units"),
    vapply(parts$activations, function(a) class(a)[1], "")), sep = "")
  cat(sprintf("  %s, %s, %s\n", class(parts$loss)[1], class(parts$optimizer)[1], parts$dtype))
}

network_initialize <- function(self, weights, biases, activations, loss, optimizer, l1 = 0, l2 = 0, dtype = "float64") {
  parameters <- check_parameters(weights, biases, "dense_neural_network")
  parts <- list(activations = activations, loss = loss, optimizer = optimizer, l1 = l1, l2 = l2, dtype = dtype)
  for (name in names(parts)) check_part[[name]](parts[[name]])
  if (length(activations) != length(weights)) {
    abort("`activations` must be a list of ", length(weights), ", one per layer, not of ", length(activations),
      fun = "dense_neural_network")
  }
  for (l in seq_along(activations)) {
    if (is_native(activations[[l]]) && class(activations[[l]])[1] == "softmax" && ncol(parameters$weights[[l]]) == 1) {
      abort("`softmax()` of a single unit is always 1; use `sigmoid()`", fun = "dense_neural_network")
    }
  }
  self$parameters <- parameters
  self$parts <- parts
  session$networks <- session$networks + 1
  self$id <- paste("network", session$networks)
}

check_part <- list(
  activations = function(value) {
    if (!is.list(value) || !all(vapply(value, is_activation, NA))) {
      abort("`activations` must be a list of activations such as `relu()`, not ", describe(value),
        fun = "dense_neural_network")
    }
  },
  loss = function(value) {
    if (!is_loss(value)) abort("`loss` must be a loss such as `binary_crossentropy()`, not ", describe(value),
      of_models(value), fun = "dense_neural_network")
  },
  optimizer = function(value) {
    if (!is_optimizer(value)) {
      abort("`optimizer` must be an optimizer such as `adam_optimizer()`, not ", describe(value),
        fun = "dense_neural_network")
    }
  },
  l1 = function(value) check_number(value, min = 0, arg = "l1", fun = "dense_neural_network"),
  l2 = function(value) check_number(value, min = 0, arg = "l2", fun = "dense_neural_network"),
  dtype = function(value) check_choice(value, float_dtypes, arg = "dtype", fun = "dense_neural_network")
)

#' Active fields: what users see as fields is kept in one list, or by the engine.
#' @noRd
network_part <- function(self, name, value) {
  if (missing(value)) return(self$parts[[name]])
  check_part[[name]](value)
  if (name == "activations" && length(value) != length(self$parts$activations)) {
    abort("`activations` must be a list of ", length(self$parts$activations), ", not of ", length(value),
      fun = "dense_neural_network")
  }
  # `network$optimizer$learning_rate <- 0.1` comes here with the same object, which goes on as it is
  same <- identical(value, self$parts[[name]])
  if (name == "optimizer" && same) return(invisible())
  network_settle(self)
  if (name == "optimizer") self$memory <- NULL
  self$parts[[name]] <- value
}

network_parameter <- function(self, name, value) {
  if (missing(value)) return(network_parameters(self)[[name]])
  network_set_parameters(self, name, value)
}

active_field <- function(f, name) {
  eval(bquote(function(value) {
    engine <- asNamespace("nativenet")
    if (missing(value)) engine[[.(f)]](as.environment(.self), .(name)) else engine[[.(f)]](as.environment(.self),
      .(name), value)
  }))
}

#' @rdname build_dense_neural_network
#' @param object a network.
#' @param x inputs, a row per sample; for `predict()`, the same as `object$predict(x)`.
#' @method predict dense_neural_network
#' @export
predict.dense_neural_network <- function(object, x, ...) object$predict(x)

#' @rdname build_dense_neural_network
#' @aliases dense_neural_network-class
#' @export dense_neural_network
#' @exportClass dense_neural_network
dense_neural_network <- setRefClass("dense_neural_network",
  fields = c(
    sapply(c("weights", "biases"), function(name) active_field("network_parameter", name)),
    sapply(names(check_part), function(name) active_field("network_part", name)),
    # of class "ANY", as R looks at each use of others
    list(parts = "ANY", parameters = "ANY", engine = "ANY", cache = "ANY", memory = "ANY", id = "ANY")
  ),
  methods = methods_from("dense_neural_network", list(
    predict = network_predict, train_on_batch = network_train_on_batch, fit = network_fit,
    gradients = network_gradients, evaluate = network_evaluate, copy = network_copy, show = network_show
  ))
)
dense_neural_network$methods(initialize = function(...) {
  .self$engine <- .self$cache <- .self$memory <- NULL
  if (...length()) asNamespace("nativenet")$network_initialize(as.environment(.self), ...)
  invisible(.self)
})

#' One line per epoch, and on a terminal a running line.
#' @noRd
epoch_progress <- function(epochs) {
  start <- proc.time()[["elapsed"]]
  live <- cli::is_dynamic_tty()
  line <- function(epoch, text, seconds) sprintf("Epoch %*d/%d  %s  %.1f s", nchar(epochs), as.integer(epoch), epochs,
    text, seconds)
  list(
    running = if (live) function(epoch, fraction, loss) {
      cat("\r", line(epoch, sprintf("%3.0f%%  loss %.4f", 100 * fraction, loss), proc.time()[["elapsed"]] - start),
        sep = "")
      utils::flush.console()
    },
    done = function(epoch, loss, val_loss) {
      text <- sprintf("loss %.4f", loss)
      if (length(val_loss)) text <- sprintf("%s  val_loss %.4f", text, val_loss[length(val_loss)])
      cat(if (live) "\r", line(epoch, text, proc.time()[["elapsed"]] - start), if (live) "      ", "\n", sep = "")
    }
  )
}
