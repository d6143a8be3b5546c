# Checks of the lab on back-propagation. Networks are built from the student's classes, but with activations, loss and
# optimizer of ours (below), so that a mistake in one place is told once.

targets <- matrix(c(0, 1, 0, 1, 1, 0), 2)
guesses <- matrix(c(0.2, 0.6, 0.3, 0.8, 0.1, 0.4), 2)
points <- matrix(c(2, -2, 0.5, -0.25, 1.5, -1), 3)
entropy <- function(t, p) -sum(t * log(p) + (1 - t) * log(1 - p)) / nrow(t)

check("binary_crossentropy()$forward() is the loss", {
  value <- object_of("binary_crossentropy")$forward(targets, guesses)
  truth <- entropy(targets, guesses)
  agree(value, truth, "binary_crossentropy()$forward(y_true, y_pred)",
    "be one number, summed over the outputs, mean over the rows", says = "for two rows of three outputs it should be",
    slips = list(
      "Yours is the mean over all numbers: divide by the number of rows." = truth / 3,
      "Yours is the sum over the rows, not their mean." = truth * 2))
})

check("binary_crossentropy()$backward() is the gradient of the loss", {
  loss <- object_of("binary_crossentropy")
  own <- tryCatch(slope_of(function(p) numbers(loss$forward(targets, p), "forward()"), guesses),
    error = function(e) NULL)
  agree(loss$backward(targets, guesses), slope_of(function(p) entropy(targets, p), guesses),
    "binary_crossentropy()$backward(y_true, y_pred)",
    "be the derivative of the loss towards each prediction, a matrix like y_pred", at = guesses, point = "y_pred",
    says = "finite differences say", slips = list(
      "Yours fits your forward(), which is not the loss yet: mend that first." = own))
})

activation_value <- function(name, truth) {
  agree(object_of(name)$forward(points), truth(points), paste0(name, "()$forward(x)"),
    "be the activation of each number of x, a matrix like x", at = points, says = "it should be")
}

# `at_output` gives the slope from the output of forward(), `slips` are those of this activation alone.
activation_slope <- function(name, truth, at_output = NULL, slips = list()) {
  slope <- slope_of(function(x) sum(truth(x)), points)
  agree(object_of(name)$backward(points), slope, paste0(name, "()$backward(x)"),
    "be the derivative at x, the pre-activation", at = points, says = "finite differences say",
    slips = c(slips, if (!is.null(at_output)) list(
      "Yours takes x for the output of forward(): that would be the derivative where forward() gives x." = at_output(
        points),
      "Yours is taken at the output: it is the derivative at forward(x), not at x." = at_output(truth(truth(points))))))
}

rectified <- function(x) x * (x > 0)
check("relu()$forward() is right", activation_value("relu", rectified))
check("relu()$backward() is the slope of forward()", activation_slope("relu", rectified))
check("sigmoid()$forward() is right", activation_value("sigmoid", stats::plogis))
check("sigmoid()$backward() is the slope of forward()", activation_slope("sigmoid", stats::plogis, function(y)
  y * (1 - y)))
check("htan()$forward() is right", activation_value("htan", tanh))
check("htan()$backward() is the slope of forward()", activation_slope("htan", tanh, function(y) 1 - y^2,
  list("Is a square missing?" = 1 - tanh(points))))

check("gradient_descent_optimizer()$step() goes down", {
  optimizer <- object_of("gradient_descent_optimizer", learning_rate = 0.1)
  agree(optimizer$step(10, 10), 9, "step(10, 10)",
    "go against the gradient, learning_rate = 0.1 times as far as it is long", says = "it should be",
    slips = list("Yours goes uphill." = 11, "Yours does not use learning_rate." = 0))
  x <- matrix(1:4 / 2, 2)
  agree(optimizer$step(x, x), 0.9 * x, "step(x, x)", "work for matrices, too")
})

# ---- the network ----

# Right parts, as objects that fit into the student's fields. A class takes time to make, so each is made once.
made <- new.env()
part <- function(class, base, ...) {
  if (is.null(made[[class]])) made[[class]] <- methods::setRefClass(paste0("check_", class), contains = base,
    where = globalenv(), ...)
  made[[class]]()
}
steep <- function(size) {
  optimizer <- part("optimizer", "gradient_descent_optimizer",
    methods = list(step = function(x, gradient) x - learning_rate * gradient))
  optimizer$learning_rate <- size
  optimizer
}
squashed <- function() part("sigmoid", "activation", methods = list(
  forward = function(x) 1 / (1 + exp(-x)), backward = function(x) exp(-x) / (1 + exp(-x))^2))
bent <- function() part("htan", "activation", methods = list(forward = function(x) tanh(x), backward = function(x)
  1 - tanh(x)^2))
# It keeps what it was given, by which an open forward pass is known.
measured <- function() part("loss", "loss_function", fields = list(seen = "ANY"), methods = list(
  forward = function(y_true, y_pred) {
    seen <<- y_pred
    -sum(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)) / nrow(y_true)
  },
  backward = function(y_true, y_pred) (y_pred - y_true) / (y_pred * (1 - y_pred)) / nrow(y_true)))

wave <- function(rows, columns, start) matrix(sin(start + seq_len(rows * columns) * 1.7), rows)
w <- list(wave(2, 3, 0), wave(3, 2, 1), wave(2, 1, 2))
b <- list(c(0.5, -0.4, 0.3), c(-0.2, 0.6), 0.25)
x <- wave(5, 2, 3)
y <- matrix(c(0, 1, 1, 0, 1))
network <- function(rate = 1) object_of("dense_neural_network", weights = w, biases = b,
  activations = list(bent(), squashed(), squashed()), loss = measured(), optimizer = steep(rate))

# The same by hand: outputs of all layers, and where they come from. `add` says how the biases are added.
add_rows <- function(z, b) z + rep(b, each = nrow(z))
pass <- function(w, b, x, add = add_rows) {
  z <- list()
  y <- list(x)
  for (l in seq_along(w)) {
    z[[l]] <- add(y[[l]] %*% w[[l]], b[[l]])
    y[[l + 1]] <- if (l == 1) tanh(z[[l]]) else stats::plogis(z[[l]])
  }
  list(z = z, y = y)
}
result <- function(...) {
  y <- pass(...)$y
  y[[length(y)]]
}
# The gradients of the sum over rows; `at` says where derivatives are taken: "z" is right, "y" is the slip of the
# printed sheet. `step` > 0 is the slip of handing back through weights that have made their step already.
backprop <- function(x, y, at = "z", step = 0) {
  p <- pass(w, b, x)
  out <- p$y[[length(w) + 1]]
  g <- (out - y) / (out * (1 - out))
  gradients <- list()
  for (l in rev(seq_along(w))) {
    point <- if (at == "z") p$z[[l]] else p$y[[l + 1]]
    delta <- g * if (l == 1) 1 - tanh(point)^2 else stats::dlogis(point)
    gradients[[l]] <- list(w = t(p$y[[l]]) %*% delta, b = colSums(delta))
    g <- delta %*% t(w[[l]] - step * gradients[[l]]$w)
  }
  gradients
}

predicted <- function(x) {
  value <- network()$predict(x)
  if (identical(value, x)) fault("`predict(batch_x)` gives batch_x back", todo_open())
  value
}

check("predict() takes all rows through all layers", {
  agree(predicted(x), result(w, b, x), "predict(batch_x)", "give f(Y W + b), layer by layer", says = "it should be",
    slips = list(
    "Yours leaves out the biases." = result(w, lapply(b, `*`, 0), x),
    "Yours adds the biases down the columns, as R recycles a vector; each of them belongs to a column." =
      suppressWarnings(result(w, b, x, function(z, b) z + b)), "Yours adds the biases after the activation." = {
      r <- x
      for (l in seq_along(w)) r <- add_rows((if (l == 1) tanh else stats::plogis)(r %*% w[[l]]), b[[l]])
      r
    },
    "Yours leaves out the activations." = Reduce(function(r, l) add_rows(r %*% w[[l]], b[[l]]), seq_along(w), x)))
})

check("predict() works for a single row", {
  agree(predicted(x[1, , drop = FALSE]), result(w, b, x)[1, , drop = FALSE], "predict(batch_x)",
    "work for a batch of one row")
})

# An open forward pass hands the batch itself to the loss. That is told once: all that train comes to the same.
no_forward <- FALSE
train <- function(n, x, y) {
  if (no_forward) fault("Waits for the forward pass of `train_on_batch()`, see above.")
  tryCatch(n$train_on_batch(x, y), error = function(e) {
    no_forward <<- is.environment(n$loss) && identical(get0("seen", n$loss, inherits = FALSE), x)
    if (no_forward)
      fault("The forward pass of `train_on_batch()` is still open: nothing has been appended to `outputs`.")
    fault("`train_on_batch(batch_x, batch_y)` stops with an error: ", one_line(e), ".", hint_at(e),
      if_open(" Is a TODO of it still open?"))
  })
}

check("train_on_batch() returns the loss before its step", {
  agree(train(network(), x, y), entropy(y, result(w, b, x)), "train_on_batch(batch_x, batch_y)",
    "return the loss of the batch, with the weights before the step")
})

# The gradient that a step has followed, if the optimizer is ours: of weights, then of biases.
rate <- 0.5
followed <- function(x, y) {
  n <- network(rate)
  train(n, x, y)
  moved <- function(before, after, what) Map(function(from, to, l) {
    name <- sprintf("%s[[%d]]", what, l)
    need(what != "biases" || nrow(x) == 1 || length(to) != nrow(x) * length(from),
      "`", name, "` has become ", length(to), " numbers, ", length(from),
      " for each row of the batch: sum over the rows.")
    to <- shaped(as.numeric(to), length(from), name)
    (from - array(to, if (is.matrix(from)) dim(from) else length(from))) / rate
  }, before, after, seq_along(before))
  list(w = moved(w, n$weights, "weights"), b = moved(b, n$biases, "biases"))
}

# What the gradient of layer l would be after common mistakes.
step_slips <- function(l, part, x, y) {
  of <- function(rows, ...) as.numeric(backprop(x[rows, , drop = FALSE], y[rows, , drop = FALSE], ...)[[l]][[part]])
  samples <- seq_len(nrow(x))
  n <- nrow(x)
  slips <- stats::setNames(c(list(of(samples, "y")), lapply(samples, of)), c(
    "Your deltas take backward() at the outputs of layers; the chain rule wants it at their pre-activations.",
    paste0("Yours is the gradient of sample ", samples, " alone: the sum over all rows of the batch is missing.")))
  late <- list(of(samples, step = rate), of(samples, step = rate / n) / n)
  names(late) <- rep(
    "The last layer is right, those before it are not: hand the gradient back with the weights before their step.", 2)
  twice <- list("Yours is a mean over the rows once more: that is in the gradient of the loss already." = of(samples) /
    n^2)
  c(slips, lapply(slips, `/`, n), late, twice)
}

follows_gradient <- function(what, x, y) {
  part <- c(weights = "w", biases = "b")[[what]]
  truth <- lapply(seq_along(w), function(l) {
    start <- if (part == "w") w else b
    slope_of(function(v) entropy(y, do.call(result, c(if (part == "w") list(`[[<-`(w, l, v), b) else
      list(w, `[[<-`(b, l, v)), list(x)))), start[[l]])
  })
  value <- followed(x, y)[[part]]
  for (l in rev(seq_along(w))) {
    name <- sprintf("%s[[%d]]", what, l)
    need(any(value[[l]] != 0), "`train_on_batch()` does not change `", name, "`. ",
      if_open("If your TODO is done: in", "In"), " a method, fields are changed with `<<-`.")
    # the sum over samples, each a batch of its own, is as good
    if (near(value[[l]], nrow(x) * truth[[l]])) next
    agree(value[[l]], truth[[l]], name,
      "move against the gradient of the loss (the mean over the batch, or the sum over its samples)",
      says = "finite differences say the gradient is", slips = step_slips(l, part, x, y))
  }
}

check("train_on_batch() moves the weights against their gradient", follows_gradient("weights", x, y))
check("train_on_batch() moves the biases against their gradient", follows_gradient("biases", x, y))
check("train_on_batch() works for a batch of one row", {
  follows_gradient("weights", x[2, , drop = FALSE], y[2, , drop = FALSE])
  follows_gradient("biases", x[2, , drop = FALSE], y[2, , drop = FALSE])
})

xor <- list(x = matrix(c(-1, -1, -1, 1, 1, -1, 1, 1), ncol = 2, byrow = TRUE), y = matrix(c(0, 1, 1, 0)))

# From this start it is not learned when any of the two layers, or the biases, stay as they are.
check("your network learns XOR with your parts", {
  n <- object_of("dense_neural_network", weights = list(wave(2, 3, 1), wave(3, 1, 4.5)), biases = list(numeric(3), 0),
    activations = list(object_of("htan"), object_of("sigmoid")), loss = object_of("binary_crossentropy"),
    optimizer = object_of("gradient_descent_optimizer", learning_rate = 0.5))
  losses <- vapply(1:600, function(i) numbers(train(n, xor$x, xor$y), "train_on_batch()")[1], 0)
  p <- numbers(n$predict(xor$x), "predict()")
  need(all((p > 0.5) == xor$y), "After 600 steps from a start that works, the predictions are ",
    toString(vapply(p, told, "")), " for the targets 0, 1, 1, 0. The loss went from ", told(losses[1]), " to ",
    told(losses[600]), ". Mend what does not hold above first.")
})

check("`network` of your file has learned XOR", {
  network <- student("network")
  need(!identical(attr(class(network), "package"), "nativenet"),
    "`network` is of nativenet's class; make it with your `build_network()`.")
  p <- numbers(network$predict(xor$x), "network$predict(x)")
  need(all((p > 0.5) == xor$y), "It predicts ", toString(vapply(p, told, "")),
    " for the targets 0, 1, 1, 0. If all else holds, try another seed, more hidden units, ",
    "or more steps: not every start leads to a solution.")
})

check("`losses` has the loss of each step", {
  losses <- student("losses")
  losses <- numbers(if (is.list(losses)) unlist(losses) else losses, "losses")
  steps <- length(losses)
  need(steps >= 10, "`losses` must have a number for each step, but yours has the length ", steps, ".")
  need(losses[steps] < losses[1], "The loss must fall, but yours goes from ", told(losses[1]), " to ",
    told(losses[steps]), ".")
  if (exists("network", globalenv(), inherits = FALSE)) {
    now <- object_of("binary_crossentropy")$forward(xor$y, student("network")$predict(xor$x))
    now <- numbers(now, "binary_crossentropy()$forward(y, network$predict(x))")[1]
    need(losses[steps] > now / 3 && losses[steps] < now * 3 + 0.01, "`losses` ends with ", told(losses[steps]),
      ", but the loss of `network` is ", told(now), ". If all else holds: has it as many numbers as there were steps?")
  }
})
