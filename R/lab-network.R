# The course's network: a reference class over ordinary matrices. Where all its parts are ours, a step
# or a whole fit is one call into the engine (the same programs, kernels and training loop as
# everything else); where a part is the user's own R code, the chain rule is spelled out in R below.

#' A dense neural network over ordinary matrices
#'
#' `build_dense_neural_network()` makes a network with random weights; `dense_neural_network()` makes one
#' from given weights, biases, activations, loss and optimizer.
#'
#' Fields: `weights`, a list of matrices (inputs x units); `biases`, a list of vectors; `activations`, `loss`
#' and `optimizer`, objects of the course's classes, ours or your own; `l1` and `l2`, strengths of the
#' penalties `l1 sum(|w|) + l2 sum(w^2)` on the weights (not the biases), which join the loss; `dtype`, the
#' number type that training computes in, `"float64"` or the two to three times faster `"float32"`. All may be
#' read and, within what fits together, replaced at any time.
#'
#' Methods:
#'
#' * `predict(batch_x)`: the outputs, a row per sample.
#' * `train_on_batch(batch_x, batch_y, ...)`: one step on these samples; returns the loss before the step.
#'   Further arguments are ignored, as on the course sheet.
#' * `fit(x, y, epochs = 10, batch_size = 32, shuffle = TRUE, validation_data = NULL, verbose =
#'   interactive(), on_epoch = NULL)`: `epochs` passes in a new random order each, governed by `set.seed()`; the
#'   last batch may be smaller. Returns, invisibly, a list with `loss`, the mean over each epoch, taken while
#'   the weights move, and `val_loss` if `validation_data = list(x, y)` was given. `on_epoch(epoch, loss)` is
#'   called after each epoch; if it returns `FALSE`, training stops. An interrupt stops between two steps and
#'   leaves a network that can be used and trained on.
#' * `evaluate(x, y)`: the loss and, for classes, the share of rows whose largest output (or, for a single
#'   output, the side of 0.5) is right.
#'
#' Targets are a matrix like the outputs. For a single output they may be a vector; with
#' `categorical_crossentropy()` they may be labels 0, 1, ... K-1.
#'
#' @section Random start:
#' As on the course sheet: normal with sd `sqrt(2 / (inputs + units))`, values beyond two sd set to two sd;
#' biases 0. The same seed gives the sheet's numbers.
#'
#' @section Gradients:
#' The step follows the gradient of the loss that is reported, with derivatives of activations at the
#' pre-activations; see [activation] and [loss_function] for where the sheet's loop differs. `sigmoid()` with
#' `binary_crossentropy()` and `softmax()` with `categorical_crossentropy()` at the end use the joint gradient `(p - t) / n`
#' without division; any other loss after `softmax()` uses its full Jacobian.
#'
#' @section Errors:
#' Of class `nativenet_error_value` or `nativenet_error_shape`, before anything changes. A loss that stops being a
#' finite number is a `nativenet_error_nan` and leaves the last good weights.
#'
#' @param input_size number of inputs.
#' @param layers a list that alternates numbers of units and activations: `list(2, htan(), 1, sigmoid())`.
#' @param loss,optimizer objects, as [binary_crossentropy()] and [gradient_descent_optimizer()] make them.
#' @param l1,l2 penalties on the weights.
#' @param dtype `"float64"` or `"float32"`.
#' @param ... fields.
#' @return A reference object of class `dense_neural_network`.
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
#' network$weights
#' @export
build_dense_neural_network <- function(input_size, layers, loss, optimizer, l1 = 0, l2 = 0, dtype = "float64") {
  check_count(input_size)
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
      abort("`layers[[", i, "]]` must be ", if (wants_units) "a number of units" else "an activation such as `sigmoid()` or `linear()`",
        ", not ", describe(layer))
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

has_methods <- function(x, names) is.environment(x) && all(vapply(names, function(n) is.function(x[[n]]) || n %in% method_names(x), NA))
method_names <- function(x) if (is(x, "envRefClass")) x$getRefClass()$methods() else character()
is_activation <- function(x) has_methods(x, c("forward", "backward")) && !is_loss(x)
is_loss <- function(x) has_methods(x, c("forward", "backward")) && "y_true" %in% names(formals(x$forward))
is_optimizer <- function(x) has_methods(x, "step")

#' Labels as rows of zeros with a one
#'
#' @param y whole numbers 0 .. `num_classes - 1`, or a factor, whose levels become the classes in order.
#' @param num_classes how many classes; by default the largest label plus one.
#' @return A matrix of zeros and ones, a row per label and a column per class.
#' @examples
#' to_categorical(c(0, 2, 1))
#' @export
to_categorical <- function(y, num_classes = NULL) {
  if (is.factor(y)) {
    if (is.null(num_classes)) num_classes <- nlevels(y)
    y <- as.integer(y) - 1L
  }
  if (!is.numeric(y) || !all(is.finite(y)) || any(y != round(y)) || any(y < 0)) {
    abort("`y` must be labels 0, 1, 2, ..., not ", describe(y))
  }
  if (is.null(num_classes)) num_classes <- if (length(y)) max(y) + 1 else 1
  check_count(num_classes)
  if (any(y >= num_classes)) {
    abort("`y` has the label ", max(y), ", but with ", num_classes, " classes the labels are 0 .. ", num_classes - 1, class = "index")
  }
  one <- matrix(0, length(y), num_classes)
  one[cbind(seq_along(y), as.vector(y) + 1)] <- 1
  one
}

# ---- the network as a program of the engine ----

activation_ops <- list(
  relu = function(a, z) op_relu(z), sigmoid = function(a, z) op_sigmoid(z), htan = function(a, z) op_tanh(z),
  elu = function(a, z) op_elu(z, a$alpha), softmax = function(a, z) op_softmax(z), threshold = function(a, z) op_step(z),
  linear = function(a, z) z
)

#' One layer on tensors; the multiply and the activation are one op where the engine has it so.
#' @noRd
layer_op <- function(activation, x, w, b) {
  kind <- class(activation)[1]
  if (kind == "htan") kind <- "tanh"
  if (kind == "elu") return(op_dense(x, w, b, "elu", alpha = activation$alpha))
  if (kind %in% fusable_activations) return(op_dense(x, w, b, kind))
  activation_ops[[kind]](activation, op_dense(x, w, b))
}

#' Pairs of last activation and loss that are computed together, from the pre-activations.
#' @noRd
is_fused <- function(activation, loss) {
  paste(class(activation)[1], class(loss)[1]) %in% c("sigmoid binary_crossentropy", "softmax categorical_crossentropy")
}

#' The loss per sample of our loss classes; `p` are pre-activations if fused.
#' @noRd
loss_of <- function(loss, target, p, fused) {
  switch(class(loss)[1],
    binary_crossentropy = op_binary_crossentropy(target, p, fused, clip = 0, epsilon = loss$epsilon, reduction = "sum"),
    categorical_crossentropy = op_categorical_crossentropy(target, p, fused, clip = 0, epsilon = loss$epsilon, normalize = FALSE),
    mean_squared_error = op_squared_error(target, p, reduction = loss$reduction)
  )
}

#' Trace the network for batches of up to `rows` and hand it to a trainer.
#' @noRd
network_engine <- function(network, rows) {
  p <- network$parameters
  dtype <- network$dtype
  code <- dtype_code(dtype)
  program <- .Call(C_program_new)
  input <- function(width) .Call(C_program_input, program, code, c(as.integer(rows), as.integer(width)))
  own <- function(value, penalties) .Call(C_program_variable, program, tensor(value, dtype), as.double(penalties))
  weights <- lapply(p$weights, own, c(network$l1, network$l2))
  biases <- lapply(p$biases, function(b) own(array(b, length(b)), c(0, 0)))
  x <- input(nrow(p$weights[[1]]))
  last <- length(weights)
  y <- x
  for (i in seq_len(last - 1)) y <- layer_op(network$activations[[i]], y, weights[[i]], biases[[i]])
  # Fused losses start from the pre-activations, predictions from the activation of the same.
  activation <- network$activations[[last]]
  fused <- is_fused(activation, network$loss)
  z <- if (fused) op_dense(y, weights[[last]], biases[[last]])
  output <- if (fused) activation_ops[[class(activation)[1]]](activation, z) else layer_op(activation, y, weights[[last]], biases[[last]])
  target <- input(ncol(p$weights[[last]]))
  loss <- op_mean(loss_of(network$loss, target, if (fused) z else output, fused))
  trainer <- .Call(C_trainer_new, program, loss, as.integer(rows), network$optimizer$numbers())
  list(
    trainer = trainer, inputs = list(x, target), output = output, weights = weights, biases = biases,
    kind = network$optimizer$numbers()[1], sizes = c(nrow(p$weights[[1]]), ncol(p$weights[[last]]))
  )
}

network_is_native <- function(network) {
  is_native(network$loss) && is_native(network$optimizer) && all(vapply(network$activations, is_native, NA))
}

# ---- checks ----

check_parameters <- function(weights, biases, fun) {
  if (!is.list(weights) || length(weights) == 0) abort("`weights` must be a list of matrices, not ", describe(weights), fun = fun)
  if (!is.list(biases) || length(biases) != length(weights)) {
    abort("`biases` must be a list of ", length(weights), " vectors, one per layer, not ", describe(biases), fun = fun)
  }
  for (i in seq_along(weights)) {
    w <- weights[[i]]
    name <- sprintf("weights[[%d]]", i)
    check_rows(w, name, fun)
    if (any(dim(w) == 0) || !all(is.finite(w))) abort("`", name, "` must be finite numbers, at least one, not ", describe(w), fun = fun)
    if (i > 1 && nrow(w) != ncol(weights[[i - 1]])) {
      abort("`", name, "` of shape ", format_shape(dim(w)), " does not fit the ", ncol(weights[[i - 1]]), " units before it",
        class = "shape", fun = fun)
    }
    b <- biases[[i]]
    if (!is.numeric(b) || length(b) != ncol(w) || !all(is.finite(b))) {
      abort("`biases[[", i, "]]` must be ", ncol(w), " finite numbers, one per unit, not ", describe(b), fun = fun)
    }
  }
}

#' Inputs as a matrix of the network's width.
#' @noRd
check_inputs <- function(x, width, arg, fun) {
  if (is.data.frame(x)) x <- as.matrix(x)
  check_rows(x, arg, fun)
  if (ncol(x) != width) {
    abort("`", arg, "` of shape ", format_shape(dim(x)), " must have ", width, " columns, one per input", class = "shape", fun = fun)
  }
  if (nrow(x) == 0) abort("`", arg, "` has no rows", class = "shape", fun = fun)
  x
}

#' Targets as a matrix like the outputs: vectors for one output, labels for classes.
#' @noRd
check_targets <- function(y, rows, width, loss, arg, fun) {
  is_labels <- is.null(dim(y)) || length(dim(y)) == 1
  if (is_labels && width > 1 && is(loss, "categorical_crossentropy")) {
    if (is.numeric(y) && any(y >= width, na.rm = TRUE)) {
      abort("`", arg, "` has the label ", max(y, na.rm = TRUE), ", but ", width, " outputs have the classes 0 .. ", width - 1,
        class = "index", fun = fun)
    }
    y <- to_categorical(y, width)
  } else if (is_labels && width == 1 && (is.numeric(y) || is.logical(y))) {
    y <- matrix(y, ncol = 1)
  }
  check_rows(y, arg, fun)
  if (!identical(dim(y), c(rows, width))) {
    abort("`", arg, "` of shape ", format_shape(dim(y)), " must have the shape ", format_shape(c(rows, width)),
      ", a row per sample and a column per output", class = "shape", fun = fun)
  }
  y
}

# ---- the class ----

#' An active field whose change makes the network's program out of date.
#' @noRd
part_field <- function(name, check) {
  eval(bquote(function(value) {
    if (missing(value)) return(parts[[.(name)]])
    .(check)(value)
    .self$settle()
    parts[[.(name)]] <<- value
  }))
}

parameter_field <- function(name) {
  eval(bquote(function(value) {
    if (missing(value)) return(.self$current_parameters()[[.(name)]])
    .self$replace_parameters(`[[<-`(.self$current_parameters(), .(name), value))
  }))
}

#' @rdname build_dense_neural_network
#' @aliases dense_neural_network-class
#' @export dense_neural_network
#' @exportClass dense_neural_network
dense_neural_network <- setRefClass("dense_neural_network",
  fields = list(
    weights = parameter_field("weights"),
    biases = parameter_field("biases"),
    activations = part_field("activations", function(value) {
      if (!is.list(value) || !all(vapply(value, is_activation, NA))) {
        abort("`activations` must be a list of activations, not ", describe(value), fun = "dense_neural_network")
      }
    }),
    loss = part_field("loss", function(value) {
      if (!is_loss(value)) abort("`loss` must be a loss such as `binary_crossentropy()`, not ", describe(value), fun = "dense_neural_network")
    }),
    optimizer = part_field("optimizer", function(value) {
      if (!is_optimizer(value)) {
        abort("`optimizer` must be an optimizer such as `adam_optimizer()`, not ", describe(value), fun = "dense_neural_network")
      }
    }),
    l1 = part_field("l1", function(value) check_number(value, min = 0, arg = "l1", fun = "dense_neural_network")),
    l2 = part_field("l2", function(value) check_number(value, min = 0, arg = "l2", fun = "dense_neural_network")),
    dtype = part_field("dtype", function(value) check_choice(value, c("float64", "float32"), arg = "dtype", fun = "dense_neural_network")),
    parts = "list",      # what the fields above show, but for the parameters
    parameters = "list", # weights and biases while there is no engine
    engine = "ANY"       # list with the trainer, which then holds the parameters; or NULL
  ),
  methods = list(
    initialize = function(weights, biases, activations, loss, optimizer, l1 = 0, l2 = 0, dtype = "float64", ...) {
      engine <<- NULL
      if (missing(weights)) return(invisible(.self)) # an empty object, as copying makes
      check_parameters(weights, biases, "dense_neural_network")
      parameters <<- list(weights = weights, biases = lapply(biases, as.vector))
      .self$activations <- activations
      if (length(activations) != length(weights)) {
        abort("`activations` must be a list of ", length(weights), ", one per layer, not of ", length(activations), fun = "dense_neural_network")
      }
      .self$loss <- loss
      .self$optimizer <- optimizer
      .self$l1 <- l1
      .self$l2 <- l2
      .self$dtype <- dtype
      invisible(.self)
    },

    current_parameters = function() {
      if (is.null(engine)) return(parameters)
      list(
        weights = .Call(C_trainer_get, engine$trainer, engine$weights),
        biases = lapply(.Call(C_trainer_get, engine$trainer, engine$biases), as.vector)
      )
    },

    replace_parameters = function(value) {
      check_parameters(value$weights, value$biases, "dense_neural_network")
      now <- current_parameters()
      if (length(parts) && !identical(lapply(value$weights, dim), lapply(now$weights, dim))) {
        abort("`weights` must keep their shapes ", paste(vapply(now$weights, function(w) format_shape(dim(w)), ""), collapse = ", "),
          class = "shape", fun = "dense_neural_network")
      }
      value$biases <- lapply(value$biases, as.vector)
      if (is.null(engine)) {
        parameters <<- value
      } else {
        .Call(C_trainer_set, engine$trainer, c(engine$weights, engine$biases), c(value$weights, lapply(value$biases, function(b) array(b, length(b)))))
      }
    },

    # Take the parameters back from the engine, which is then out of date.
    settle = function() {
      parameters <<- current_parameters()
      engine <<- NULL
    },

    # The engine for batches of up to `rows`, if all parts are ours; else NULL.
    prepare = function(rows) {
      if (is.null(engine) && network_is_native(.self)) engine <<- network_engine(.self, rows)
      if (!is.null(engine)) {
        numbers <- parts$optimizer$numbers()
        if (numbers[1] != engine$kind) { # momentum has become Nesterov: other state
          settle()
          return(prepare(rows))
        }
        .Call(C_trainer_optimizer, engine$trainer, numbers)
      }
      engine
    },

    predict = function(batch_x) {
      batch_x <- check_inputs(batch_x, layer_sizes()[1], "batch_x", "predict")
      if (is.null(prepare(min(nrow(batch_x), 256L)))) {
        return(forward_in_r(batch_x)$y[[length(parts$activations) + 1]])
      }
      .Call(C_trainer_predict, engine$trainer, engine$inputs[1], list(tensor(batch_x, parts$dtype)), engine$output, min(nrow(batch_x), 256L))
    },

    train_on_batch = function(batch_x, batch_y, ...) {
      sizes <- layer_sizes()
      batch_x <- check_inputs(batch_x, sizes[1], "batch_x", "train_on_batch")
      batch_y <- check_targets(batch_y, nrow(batch_x), sizes[2], parts$loss, "batch_y", "train_on_batch")
      if (is.null(prepare(nrow(batch_x)))) return(step_in_r(batch_x, batch_y))
      .Call(C_trainer_step, engine$trainer, engine$inputs, list(batch_x, batch_y), nrow(batch_x))
    },

    fit = function(x, y, epochs = 10, batch_size = 32, shuffle = TRUE, validation_data = NULL, verbose = interactive(), on_epoch = NULL) {
      sizes <- layer_sizes()
      x <- check_inputs(x, sizes[1], "x", "fit")
      y <- check_targets(y, nrow(x), sizes[2], parts$loss, "y", "fit")
      epochs <- check_count(epochs, fun = "fit")
      batch_size <- check_count(batch_size, fun = "fit")
      if (batch_size > nrow(x)) {
        abort("`batch_size` must be at most the ", nrow(x), " rows of `x`, not ", batch_size, fun = "fit")
      }
      check_flag(shuffle, fun = "fit")
      check_flag(verbose, fun = "fit")
      if (!is.null(on_epoch)) check_function(on_epoch, fun = "fit")
      if (!is.null(validation_data) && (!is.list(validation_data) || length(validation_data) != 2)) {
        abort("`validation_data` must be list(x, y), not ", describe(validation_data), fun = "fit")
      }
      .Call(C_check_finite, x)
      .Call(C_check_finite, y)
      val_loss <- double()
      progress <- if (verbose) epoch_progress(epochs)
      listens <- !is.null(progress) || !is.null(on_epoch) || !is.null(validation_data)
      after_epoch <- function(epoch, fraction, loss) {
        if (!is.null(validation_data)) {
          val_loss <<- c(val_loss, .self$evaluate(validation_data[[1]], validation_data[[2]])[["loss"]])
        }
        if (!is.null(progress)) progress$done(epoch, loss, val_loss)
        if (!is.null(on_epoch)) on_epoch(epoch, loss)
      }
      if (is.null(prepare(batch_size))) {
        losses <- fit_in_r(x, y, epochs, batch_size, shuffle, after_epoch)
      } else {
        columns <- list(tensor(x, parts$dtype))
        columns[[2]] <- if (identical(x, y)) columns[[1]] else tensor(y, parts$dtype)
        losses <- .Call(C_trainer_fit, engine$trainer, engine$inputs, columns, batch_size, epochs, as.integer(shuffle),
          list(if (listens) after_epoch, NULL, progress$running))
      }
      invisible(c(list(loss = losses), if (!is.null(validation_data)) list(val_loss = val_loss)))
    },

    evaluate = function(x, y) {
      sizes <- layer_sizes()
      x <- check_inputs(x, sizes[1], "x", "evaluate")
      y <- check_targets(y, nrow(x), sizes[2], parts$loss, "y", "evaluate")
      p <- .self$predict(x)
      right <- if (sizes[2] == 1) (p > 0.5) == (y > 0.5) else max.col(p, "first") == max.col(y, "first")
      list(loss = parts$loss$forward(y, p) + penalty(), accuracy = mean(right))
    },

    layer_sizes = function() {
      if (!is.null(engine)) return(engine$sizes)
      w <- parameters$weights
      c(nrow(w[[1]]), ncol(w[[length(w)]]))
    },

    penalty = function() {
      if (parts$l1 == 0 && parts$l2 == 0) return(0)
      w <- unlist(current_parameters()$weights)
      parts$l1 * sum(abs(w)) + parts$l2 * sum(w^2)
    },

    # ---- the same in R, layer by layer, for parts of the user's own ----

    # z[[l]] = y[[l]] W[[l]] + b[[l]] and y[[l + 1]] = f_l(z[[l]]); y[[1]] is the input.
    forward_in_r = function(x) {
      y <- list(x)
      z <- list()
      for (l in seq_along(parts$activations)) {
        z[[l]] <- as.array(op_dense(y[[l]], parameters$weights[[l]], array(parameters$biases[[l]], length(parameters$biases[[l]]))))
        y[[l + 1]] <- parts$activations[[l]]$forward(z[[l]])
      }
      list(y = y, z = z)
    },

    # Gradients of the loss: delta[[l]] is that towards z[[l]].
    gradients_in_r = function(x, t) {
      pass <- forward_in_r(x)
      last <- length(parts$activations)
      output <- pass$y[[last + 1]]
      gradient <- parts$loss$backward(t, output)
      weights <- biases <- vector("list", last)
      for (l in rev(seq_len(last))) {
        delta <- pull_back(parts$activations[[l]], pass$z[[l]], gradient)
        w <- parameters$weights[[l]]
        weights[[l]] <- as.array(op_matmul(pass$y[[l]], delta, transpose_x = TRUE)) + parts$l1 * sign(w) + 2 * parts$l2 * w
        biases[[l]] <- colSums(delta)
        gradient <- as.array(op_matmul(delta, w, transpose_y = TRUE))
      }
      list(loss = parts$loss$forward(t, output) + penalty(), weights = weights, biases = biases)
    },

    step_in_r = function(x, t) {
      .Call(C_check_finite, x)
      .Call(C_check_finite, t)
      g <- gradients_in_r(x, t)
      if (!is.finite(g$loss) || !all(is.finite(unlist(g[c("weights", "biases")])))) {
        abort("the loss or its gradient is no longer a finite number; the weights are the last good ones", class = "nan", fun = NULL)
      }
      moved <- parameters
      for (what in c("weights", "biases")) {
        for (l in seq_along(moved[[what]])) {
          moved[[what]][[l]] <- optimizer_step(parts$optimizer, moved[[what]][[l]], g[[what]][[l]], paste(what, l))
        }
      }
      check_parameters(moved$weights, moved$biases, "train_on_batch")
      parameters <<- moved
      g$loss
    },

    fit_in_r = function(x, y, epochs, batch_size, shuffle, after_epoch) {
      n <- nrow(x)
      losses <- double()
      for (epoch in seq_len(epochs)) {
        order <- if (shuffle) sample.int(n) else seq_len(n)
        total <- 0
        for (from in seq(1, n, by = batch_size)) {
          rows <- order[from:min(n, from + batch_size - 1)]
          total <- total + length(rows) * step_in_r(x[rows, , drop = FALSE], y[rows, , drop = FALSE])
        }
        losses[epoch] <- total / n
        if (isFALSE(after_epoch(epoch, 1, losses[epoch]))) break
      }
      losses
    },

    copy = function(shallow = FALSE) {
      now <- current_parameters()
      twin <- dense_neural_network(
        weights = now$weights, biases = now$biases, activations = parts$activations, loss = parts$loss,
        optimizer = if (shallow) parts$optimizer else parts$optimizer$copy(), l1 = parts$l1, l2 = parts$l2, dtype = parts$dtype
      )
      twin
    },

    show = function() {
      sizes <- vapply(parameters_shapes(), function(d) d[2], 1L)
      cat("<dense_neural_network>", layer_sizes()[1], "inputs\n")
      for (l in seq_along(sizes)) cat(sprintf("  %d units, %s\n", sizes[l], class(parts$activations[[l]])[1]))
      cat(sprintf("  %s, %s, %s\n", class(parts$loss)[1], class(parts$optimizer)[1], parts$dtype))
    },

    parameters_shapes = function() lapply(current_parameters()$weights, dim)
  )
)

#' The gradient towards an activation's input. A class of the user's own may lack pull().
#' @noRd
pull_back <- function(activation, z, gradient) {
  if (is(activation, "envRefClass") && "pull" %in% method_names(activation)) return(activation$pull(z, gradient))
  gradient * activation$backward(z)
}

#' A step of any optimizer object; ours keep a memory per parameter.
#' @noRd
optimizer_step <- function(optimizer, x, gradient, key) {
  if ("key" %in% names(formals(optimizer$step))) optimizer$step(x, gradient, key = key) else optimizer$step(x, gradient)
}

#' One line per epoch, and on a terminal a running line.
#' @noRd
epoch_progress <- function(epochs) {
  start <- proc.time()[["elapsed"]]
  live <- cli::is_dynamic_tty()
  line <- function(epoch, text, seconds) sprintf("Epoch %*d/%d  %s  %.1f s", nchar(epochs), as.integer(epoch), epochs, text, seconds)
  list(
    running = if (live) function(epoch, fraction, loss) {
      cat("\r", line(epoch, sprintf("%3.0f%%  loss %.4f", 100 * fraction, loss), proc.time()[["elapsed"]] - start), sep = "")
      utils::flush.console()
    },
    done = function(epoch, loss, val_loss) {
      text <- sprintf("loss %.4f", loss)
      if (length(val_loss)) text <- sprintf("%s  val_loss %.4f", text, val_loss[length(val_loss)])
      cat(if (live) "\r", line(epoch, text, proc.time()[["elapsed"]] - start), if (live) "      ", "\n", sep = "")
    }
  )
}
