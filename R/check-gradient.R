#' Gradient checking by finite differences
#'
#' Compares every derivative with finite differences: it is worked out twice, as the object says and as `(f(x + h) - f(x
#' - h)) / 2h` in double precision, and prints where they differ. What is checked depends on `object`:
#'
#' | `object` | `...` | compared |
#' |---|---|---|
#' | an activation, ours or your own | `x`, a matrix | `backward(x)` with differences of `forward()` |
#' | a loss | `y_true`, `y_pred` | `backward()` with differences of `forward()` with respect to `y_pred` |
#' | a [dense_neural_network][build_dense_neural_network] | `x`, `y` | the gradient that training follows |
#' | | | with differences of the loss, for each weight and bias |
#' | a function of tensors, such as an op | one array per argument | [tape_gradient()] with differences |
#' | | | of the sum of the result, for each floating-point argument |
#' | the same, with `order = 2` | likewise | second derivatives, by nested tapes, with differences of first ones |
#'
#' With `order = 2`, g being the first derivatives with respect to all arguments and v fixed numbers between -1 and 1,
#' the derivatives of \eqn{g \cdot v} are compared, which are the products of the Hessian with v.
#'
#' Near a kink (`relu()` at 0) differences straddle two slopes and disagree although the derivative is right; choose
#' other points.
#'
#' @param object see above.
#' @param ... see above.
#' @param order 1, or 2 for the second derivatives of a function of tensors.
#' @param step h, relative to the size of each number (at least 1).
#' @param tolerance largest relative error that passes: the difference divided by the larger of the two
#'   derivatives, or by 1e-4 of the largest in the same array if that is more. Where the differences are so small that
#'   rounding of the function explains them, they are not held against the derivative.
#' @return A data frame of class `nn_gradient_check`, a row per array, with the columns `name`, `shape`, `worst`
#'   (where the error is largest), `derivative` and `difference` (both at that place), `error` (relative) and `ok`.
#'   `plot()` draws every number of it: see [plot_gradient_check()].
#' @seealso [plot_gradient_check()]; [activation], [loss_function], [build_dense_neural_network()], [gradient_tape()];
#'   `vignette("lab-backpropagation")`.
#' @examples
#' check_gradient(sigmoid(), matrix(c(-2, 0.5, 1, 3), 2))
#' check_gradient(op_matmul, matrix(rnorm(6), 2), matrix(rnorm(6), 3))
#' # the derivative at the output instead of the pre-activation is found out:
#' wrong <- setRefClass("wrong_sigmoid", contains = "activation", methods = list(
#'   forward = function(x) 1 / (1 + exp(-x)),
#'   backward = function(x) x * (1 - x)
#' ))
#' check_gradient(wrong(), matrix(c(0.5, 2), 1))
#' @export
check_gradient <- function(object, ..., order = 1, step = 1e-6, tolerance = 1e-5) {
  order <- check_count(order, max = 2)
  step <- check_number(step, above = 0)
  tolerance <- check_number(tolerance, above = 0)
  args <- list(...)
  if (is(object, "refObjectGenerator")) abort("`object` must be an object, not ", describe(object))
  if (order == 2 && (!is.function(object) || is_loss(object) || is_activation(object)))
    abort("`order = 2` is for a function of tensors, not ", describe(object))
  pairs <- if (is(object, "dense_neural_network") && "gradients" %in% method_names(object)) {
    network_derivatives(object, args, step)
  } else if (is.function(object)) {
    function_derivatives(object, args, step, order)
  } else if (is_loss(object)) {
    args <- named_arguments(args, c("y_true", "y_pred"))
    list(y_pred = list(
      exact = object$backward(args[[1]], args[[2]]),
      approximate = finite_differences(function(p) object$forward(args[[1]], p), args[[2]], step)
    ))
  } else if (is_activation(object)) {
    activation_derivatives(object, named_arguments(args, "x")[[1]], step)
  } else {
    abort("`object` must be an activation, a loss, a network or a function of tensors, not ", describe(object))
  }
  rows <- Map(compare_derivatives, names(pairs), lapply(pairs, `[[`, "exact"), lapply(pairs, `[[`, "approximate"),
    tolerance)
  table <- do.call(rbind, c(lapply(rows, `[[`, "row"), list(make.row.names = FALSE)))
  # every number, for plot_gradient_check()
  structure(table, class = c("nn_gradient_check", "data.frame"), numbers = lapply(rows, `[[`, "numbers"))
}

#' The arguments in the order of `wanted`, whether they came with these names or without.
#' @noRd
named_arguments <- function(args, wanted) {
  if (length(args) == length(wanted)) {
    if (setequal(names(args), wanted)) args <- args[wanted]
    return(args)
  }
  abort("`...` must be ", paste0("`", wanted, "`", collapse = " and "), " here, not ", length(args), " arguments",
    fun = "check_gradient")
}

#' Central differences of a function with one number as value, with respect to every number of x. The attribute
#' "noise" says how far rounding of f alone can move them.
#' @noRd
finite_differences <- function(f, x, step) {
  x[] <- as.double(x)
  slope <- x
  noise <- 0
  for (i in seq_along(x)) {
    h <- step * max(1, abs(x[i]))
    up <- down <- x
    up[i] <- x[i] + h
    down[i] <- x[i] - h
    values <- c(f(up), f(down))
    slope[i] <- (values[1] - values[2]) / (up[i] - down[i])
    noise <- max(noise, .Machine$double.eps * abs(values) / h)
  }
  structure(slope, noise = noise)
}

function_derivatives <- function(f, args, step, order) {
  args <- lapply(args, function(x) if (is_tensor(x)) as.array(x) else plain_argument(x, "...", "check_gradient"))
  inputs <- lapply(args, tensor)
  floats <- which(vapply(args, is.double, NA))
  if (length(floats) == 0) abort("`...` must hold an array of doubles to differentiate with respect to",
    fun = "check_gradient")
  total <- function(inputs) {
    results <- do.call(f, inputs)
    if (is_tensor(results)) results <- list(results)
    Reduce(op_add, lapply(results, function(y) op_cast(op_sum(y), "float64")))
  }
  if (order == 2) total <- slope_along(total, floats)
  exact <- derivatives_of(total, inputs, floats)
  names <- names(args)
  labels <- ifelse(nzchar(if (is.null(names)) rep("", length(args)) else names), names,
    paste("argument", seq_along(args)))
  pairs <- lapply(seq_along(floats), function(i) {
    x <- args[[floats[i]]]
    g <- if (is.null(exact[[i]])) numeric(length(x)) else as.array(exact[[i]])
    at <- function(x) as.double(total(replace(inputs, floats[i], list(tensor(x)))))
    list(exact = `attributes<-`(g, attributes(x)), approximate = finite_differences(at, x, step))
  })
  `names<-`(pairs, labels[floats])
}

#' The derivatives of f, one number, with respect to some of its inputs.
#' @noRd
derivatives_of <- function(f, inputs, which) {
  tape <- gradient_tape(persistent = FALSE)
  y <- tape_record(tape, {
    tape_watch(tape, inputs[which])
    f(inputs)
  })
  gradient_towards(tape, y, inputs[which])
}

#' The function whose value is the slope of f along fixed numbers.
#' @noRd
slope_along <- function(f, which) {
  force(f)
  function(inputs) {
    slopes <- Filter(Negate(is.null), derivatives_of(f, inputs, which))
    along <- Map(function(g, k) op_sum(op_multiply(g, fill_row_major(sin(seq_len(length(g)) + k), dim(g)))), slopes,
      seq_along(slopes))
    Reduce(op_add, along, tensor(0))
  }
}

fill_row_major <- function(numbers, dim) op_reshape(tensor(array(numbers, length(numbers))), dim)

#' Element by element, or for Jacobians (rows, K, K) output by output.
#' @noRd
activation_derivatives <- function(object, x, step) {
  x <- check_rows(x, "x", "check_gradient")
  exact <- object$backward(x)
  slope <- function(j = NULL) {
    h <- step * pmax(abs(x), 1)
    if (!is.null(j)) h[, -j] <- 0
    divisor <- if (is.null(j)) 2 * h else 2 * h[, j]
    (object$forward(x + h) - object$forward(x - h)) / divisor
  }
  if (length(dim(exact)) != 3) return(list(x = list(exact = exact, approximate = slope())))
  jacobian <- array(0, c(dim(x), ncol(x)))
  for (j in seq_len(ncol(x))) jacobian[, , j] <- slope(j)
  list(x = list(exact = exact, approximate = jacobian))
}

network_derivatives <- function(network, args, step) {
  args <- named_arguments(args, c("x", "y"))
  twin <- network$copy()
  twin$dtype <- "float64"
  exact <- twin$gradients(args[[1]], args[[2]])
  pairs <- list()
  for (what in c("weights", "biases")) {
    for (l in seq_along(exact[[what]])) {
      start <- twin$field(what)
      loss_at <- function(value) {
        twin$field(what, `[[<-`(start, l, value))
        twin$gradients(args[[1]], args[[2]])$loss
      }
      pairs[[sprintf("%s[[%d]]", what, l)]] <- list(
        exact = exact[[what]][[l]], approximate = finite_differences(loss_at, start[[l]], step)
      )
      twin$field(what, start)
    }
  }
  pairs
}

compare_derivatives <- function(name, exact, approximate, tolerance) {
  if (!identical(length(exact), length(approximate))) {
    abort("`", name, "` has ", length(approximate), " numbers but its derivative ", length(exact), class = "shape",
      fun = "check_gradient")
  }
  noise <- max(attr(approximate, "noise"), 0)
  scale <- pmax(abs(exact), abs(approximate), 1e-4 * max(abs(approximate), 0), 10 * noise / tolerance, 1e-300)
  error <- abs(exact - approximate) / scale
  error[is.na(error)] <- Inf
  at <- if (length(error)) which.max(error) else NA
  place <- if (is.na(at)) "" else if (is.null(dim(exact))) format(at) else paste(arrayInd(at, dim(exact)),
    collapse = ",")
  shape <- if (is.null(dim(exact))) length(exact) else dim(exact)
  row <- data.frame(
    name = name, shape = format_shape(shape), worst = sprintf("[%s]", place), derivative = exact[at],
    difference = approximate[at], error = error[at], ok = is.na(at) || error[at] <= tolerance
  )
  list(row = row, numbers = data.frame(derivative = as.vector(exact), difference = as.vector(approximate),
    ok = as.vector(error <= tolerance)))
}

#' @export
print.nn_gradient_check <- function(x, ...) {
  shown <- as.data.frame(x)
  class(shown) <- "data.frame"
  for (column in intersect(c("derivative", "difference"), names(shown))) shown[[column]] <- signif(shown[[column]], 6)
  if ("error" %in% names(shown)) shown$error <- format(shown$error, digits = 2)
  if ("ok" %in% names(shown)) shown$ok <- ifelse(shown$ok, "ok", "WRONG")
  print(shown, row.names = FALSE)
  if ("ok" %in% names(x)) cat(if (all(x$ok)) "All derivatives agree with finite differences.\n" else
    "Some derivatives disagree with finite differences.\n")
  invisible(x)
}
