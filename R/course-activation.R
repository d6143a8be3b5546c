# The course's activation classes. Numbers come from the engine's ops; a subclass written in plain R
# needs only forward() and backward().

# Reference classes of ours keep their names out of the session's class cache (see .onLoad), so that
# a class of the same name in the user's workspace is simply another class.

#' Activation functions as reference classes
#'
#' Objects with two methods over ordinary matrices (rows are samples):
#'
#' * `forward(x)`: the activation of the pre-activations `x`, element by element (`softmax()`: row by
#'   row);
#' * `backward(x)`: its derivative **at the pre-activation `x`**, of the shape of `x`. For `softmax()`, whose
#'   outputs depend on all inputs of a row, an array (rows, K, K): element `[n, i, j]` is the derivative of
#'   output i with respect to input j;
#' * `pull(x, gradient)`: the loss gradient with respect to `x`, given that with respect to `forward(x)`: the chain
#'   rule. It is `gradient * backward(x)` unless a class says otherwise, as `softmax()` does.
#'
#' `htan()` is the hyperbolic tangent, `threshold()` the step function (1 for `x > 0`, else 0) whose
#' derivative is 0 everywhere, so that nothing before it can learn by gradients.
#'
#' @section Your own:
#' `setRefClass("swish", contains = "activation", methods = list(forward = function(x) ..., backward =
#' function(x) ...))` gives a class that plugs into [build_dense_neural_network()] and trains, in R and
#' hence slower. [check_gradient()] tells whether its derivative is right. A class of your own that is called
#' `relu` or `activation` hides ours in your workspace and is used like any other.
#'
#' @section Where this differs from the course sheet:
#' The sheet's printed training loop asks for the derivative at the layer's *output*. With ReLU, and only
#' there, that is the same; for sigmoid and tanh it is not the gradient. Here the derivative is taken where
#' the chain rule wants it, at the pre-activation.
#'
#' @param ... fields: `alpha` for `elu()`, 1 by default.
#' @return A reference object.
#' @seealso [build_dense_neural_network()], [loss_function], [check_gradient()]; [activation_relu()] and its like for
#'   models; `vignette("lab-backpropagation")`.
#' @examples
#' act <- relu()
#' act$forward(matrix(c(-0.1, 0.3, 0.7, 0.5), 2))
#' sigmoid()$backward(matrix(c(2, 0, -2, 0.5), 2))
#' check_gradient(htan(), matrix(c(-1, 0.5), 1))
#' @name activation
#' @aliases activation-class relu-class sigmoid-class htan-class elu-class softmax-class linear-class
#'   threshold-class
NULL

#' Like `x`, with other numbers: a matrix stays a matrix, a vector a vector.
#' @noRd
like <- function(tensor, x) `attributes<-`(as.array(tensor), attributes(x))

#' y and its derivative with respect to x, through a tape; `seed` is the gradient of y.
#' @noRd
op_derivative <- function(op, x, seed = NULL) {
  x <- tensor(x, "float64")
  tape <- gradient_tape()
  tape_watch(tape, x)
  y <- tape_record(tape, op(x))
  gradient_towards(tape, y, x, seed)
}

#' Are all methods of this object ours? Then the engine can take its place.
#' @noRd
is_native <- function(x) identical(attr(class(x), "package"), "nativenet") && class(x)[1] %in% native_classes

native_classes <- c(
  "relu", "sigmoid", "htan", "elu", "softmax", "linear", "threshold", "binary_crossentropy", "categorical_crossentropy",
  "mean_squared_error", "gradient_descent_optimizer", "momentum_optimizer", "rmsprop_optimizer", "adam_optimizer",
  "adamw_optimizer", "adagrad_optimizer"
)

#' Methods of a reference class, from functions of the object. A method is copied into each object, and an object of a
#' class that a user derived sees the user's workspace and not this namespace; so all that a method does is to hand over
#' to the function that is kept here. `self` is the object as a plain environment: its fields are `self$name`.
#' @noRd
methods_from <- function(class, functions) {
  course_methods[[class]] <- utils::modifyList(as.list(course_methods[[class]]), functions)
  Map(function(f, name) {
    passed <- lapply(names(formals(f)[-1]), as.name)
    names(passed) <- ifelse(names(formals(f)[-1]) == "...", "", names(formals(f)[-1]))
    method <- function() NULL
    formals(method) <- formals(f)[-1]
    body(method) <- as.call(c(call("$", call("$", quote(asNamespace("nativenet")$course_methods), as.name(class)),
      as.name(name)),
      quote(as.environment(.self)), passed))
    method
  }, functions, names(functions))
}

course_methods <- new.env(parent = emptyenv()) # by class, then by name

missing_method <- function(self, method) {
  abort("class <", class(self$.self)[1], "> does not define this method", fun = method)
}

#' @rdname activation
#' @export activation
#' @exportClass activation
activation <- setRefClass("activation", methods = methods_from("activation", list(
  forward = function(self, x) missing_method(self, "forward"),
  backward = function(self, x) missing_method(self, "backward"),
  pull = function(self, x, gradient) chain_rule(self$.self$backward(x), gradient)
)))

#' The gradient with respect to x from that with respect to f(x): times the slope of each number, or with the Jacobian
#' (rows, K, K) of each row.
#' @noRd
chain_rule <- function(slope, gradient) {
  if (is.numeric(slope) && identical(dim(slope), dim(gradient)) && length(slope) == length(gradient))
    return(slope * gradient)
  k <- ncol(gradient)
  if (is.numeric(slope) && identical(dim(slope), c(dim(gradient), k))) {
    return(vapply(seq_len(k), function(j) rowSums(gradient * matrix(slope[, , j], ncol = k)), gradient[, 1]) |>
      matrix(ncol = k))
  }
  abort("a derivative of shape ", format_shape(dim(gradient)), " or, for each row, a Jacobian must come back, not ",
    describe(slope), class = "shape", fun = "backward")
}

# What the course's classes compute, by class: of the object and a tensor; losses of targets and predictions, or of what
# the last activation starts from.
course_ops <- new.env(parent = emptyenv())

#' An activation class whose numbers come from an op; `op` is a function of the object and a tensor.
#' @noRd
activation_class <- function(name, op, ...) {
  course_ops[[name]] <- op
  setRefClass(name, contains = "activation", ..., methods = methods_from(name, list(
    forward = function(self, x) {
      x <- check_numbers(x, "x", "forward")
      like(op(self, tensor(x, "float64")), x)
    },
    backward = function(self, x) {
      x <- check_numbers(x, "x", "backward")
      like(op_derivative(function(x) op(self, x), x), x)
    }
  )))
}

#' @rdname activation
#' @export relu
#' @exportClass relu
relu <- activation_class("relu", function(self, x) op_relu(x))

#' @rdname activation
#' @export sigmoid
#' @exportClass sigmoid
sigmoid <- activation_class("sigmoid", function(self, x) op_sigmoid(x))

#' @rdname activation
#' @export htan
#' @exportClass htan
htan <- activation_class("htan", function(self, x) op_tanh(x))

#' @rdname activation
#' @export elu
#' @exportClass elu
elu <- activation_class("elu", function(self, x) op_elu(x, self$alpha), fields = list(alpha = "numeric"))
elu$methods(initialize = function(alpha = 1, ...) initFields(alpha = alpha, ...))

#' @rdname activation
#' @export linear
#' @exportClass linear
linear <- activation_class("linear", function(self, x) op_multiply(x, 1))

#' @rdname activation
#' @export threshold
#' @exportClass threshold
threshold <- activation_class("threshold", function(self, x) op_step(x))

#' @rdname activation
#' @export softmax
#' @exportClass softmax
softmax <- activation_class("softmax", function(self, x) op_softmax(x))
softmax$methods(methods_from("softmax", list(
  backward = function(self, x) {
    k <- ncol(check_rows(x, "x", "backward"))
    jacobian <- array(0, c(nrow(x), k, k))
    for (i in seq_len(k)) jacobian[, i, ] <- softmax_pull(x, matrix(seq_len(k) == i, nrow(x), k, byrow = TRUE))
    jacobian
  },
  pull = function(self, x, gradient) softmax_pull(x, gradient)
)))

softmax_pull <- function(x, gradient) like(op_derivative(op_softmax, x, list(gradient)), x)

# What models call some of the classes.
model_names <- c(htan = "tanh", gradient_descent_optimizer = "sgd", momentum_optimizer = "sgd")

model_name <- function(class) if (class %in% names(model_names)) model_names[[class]] else sub("_optimizer$", "", class)

#' A class that was not called, such as relu.
#' @noRd
#' @export
as_model_part.refObjectGenerator <- function(x, kind, arg, fun) model_name(x$className)

#' An object of the course as a model takes it: activations and optimizers have the same formulas there, losses are
#' divided by other numbers.
#' @noRd
#' @export
as_model_part.envRefClass <- function(x, kind, arg, fun) {
  class <- class(x)[1]
  name <- model_name(class)
  ours <- is_native(x) && class != "threshold"
  fields <- if (ours) Map(function(f) x[[f]], setdiff(names(x$getRefClass()$fields()), c("kind", "memory")))
  if (ours && kind %in% c("activation", "optimizer") && (grepl("_optimizer$", class) == (kind == "optimizer"))) {
    return(do.call(get(paste0(kind, "_", name), envir = topenv()), fields))
  }
  abort("`", arg, "` is an object of class <", class, ">, which is for `build_dense_neural_network()`. ",
    if (class != "threshold" && bare_name(name) %in% bare_name(names(known_names(kind))))
      paste0("Models take \"", name, "\" or `", kind, "_", name, "()`")
    else paste("Models take", with_article(kind), "by name, such as", paste0("`", kind, "_",
      c(part_names, optimizer = "adam")[[kind]][1], "()`,"), "or a function made of ops"), fun = fun)
}

#' A numeric matrix; rows are samples.
#' @noRd
check_rows <- function(x, arg, fun) {
  x <- if (is.data.frame(x)) as_number_matrix(x, arg, fun) else plain_argument(x, arg, fun)
  if (is.matrix(x) && (are_numbers(x) || is.logical(x))) return(x)
  hint <- if (length(dim(x)) > 2) "; `matrix(x, nrow(x))` makes one"
  else if (is.null(dim(x)) && is.numeric(x)) "; `matrix()` makes one, and `x[i, , drop = FALSE]` keeps one"
  abort("`", arg, "` must be a numeric matrix with a row per sample, not ", describe(x), if (is.null(hint))
    conversion_hint(x, arg) else hint, fun = fun)
}
