#' Optimizers as reference classes
#'
#' Objects with one method, `step(x, gradient, key = "")`, that returns `x` after one step against the
#' gradient. `x` is a number, vector or matrix; optimizers with a state (all but
#' `gradient_descent_optimizer()`) keep one state per `key`, so that several parameters can share an
#' optimizer. A network gives each of its parameters a state of its own.
#'
#' | class | step, with g the gradient, r the learning rate, t counting from 1 |
#' |---|---|
#' | `gradient_descent_optimizer(learning_rate = 0.01)` | `x - r g` |
#' | `momentum_optimizer(learning_rate = 0.01, momentum = 0.9, nesterov = FALSE)` | `v = m v - r g`; `x + v`, |
#' | | or with Nesterov `x + m v - r g` |
#' | `rmsprop_optimizer(learning_rate = 0.001, rho = 0.9, epsilon = 1e-7)` | `s = rho s + (1 - rho) g^2`; |
#' | | `x - r g / sqrt(s + epsilon)` |
#' | `adam_optimizer(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7)` | `m = b1 m + (1 - b1) g`; |
#' | | `v = b2 v + (1 - b2) g^2`; |
#' | | `x - r sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)` |
#' | `adamw_optimizer(..., weight_decay = 0.004)` | first `x - r weight_decay x`, then as Adam |
#' | `adagrad_optimizer(learning_rate = 0.001, initial_accumulator_value = 0.1, epsilon = 1e-7)` | `a = a + g^2`; |
#' | | `x - r g / sqrt(a + epsilon)` |
#'
#' Formulas and defaults are those of Keras 2.15. Fields such as `learning_rate` may be changed between
#' steps.
#'
#' @section Your own:
#' `setRefClass("signed", contains = "gradient_descent_optimizer", methods = list(step = function(x, gradient)
#' x - learning_rate * sign(gradient)))` plugs into a network and trains, in R.
#'
#' @param ... fields, as in the table.
#' @return A reference object.
#' @references Kingma & Ba (2015), Adam, <https://arxiv.org/abs/1412.6980>. Loshchilov & Hutter (2019), AdamW,
#'   <https://arxiv.org/abs/1711.05101>. Duchi et al. (2011), Adagrad,
#'   <https://jmlr.org/papers/v12/duchi11a.html>. Sutskever et al. (2013), Nesterov momentum,
#'   <https://proceedings.mlr.press/v28/sutskever13.html>.
#' @seealso [build_dense_neural_network()]; [optimizer_sgd()] and its like for models and tapes;
#'   `vignette("nativenet")`.
#' @examples
#' opt <- gradient_descent_optimizer(learning_rate = 0.1)
#' opt$step(10, 10)
#' adam_optimizer(learning_rate = 0.1)$step(10, 10)
#' @name gradient_descent_optimizer
#' @aliases gradient_descent_optimizer-class momentum_optimizer-class rmsprop_optimizer-class
#'   adam_optimizer-class adamw_optimizer-class adagrad_optimizer-class
NULL

#' The seven numbers that describe an optimizer to the engine; `self` is the object or its environment.
#' @noRd
optimizer_numbers <- function(self) {
  switch(self$kind,
    sgd = seven_numbers("sgd", self$learning_rate),
    momentum = seven_numbers(if (self$nesterov) "nesterov" else "momentum", self$learning_rate, self$momentum),
    rmsprop = seven_numbers("rmsprop", self$learning_rate, 0, self$rho, self$epsilon),
    adam = seven_numbers("adam", self$learning_rate, self$beta_1, self$beta_2, self$epsilon),
    adamw = seven_numbers("adamw", self$learning_rate, self$beta_1, self$beta_2, self$epsilon, self$weight_decay),
    adagrad = seven_numbers("adagrad", self$learning_rate, 0, 0, self$epsilon, 0, self$initial_accumulator_value)
  )
}

#' An optimizer class: the kind of update, its fields with their defaults.
#' @noRd
optimizer_class <- function(name, kind, defaults, contains = "gradient_descent_optimizer") {
  fields <- lapply(defaults, class)
  if (length(contains)) fields$learning_rate <- NULL
  else fields <- c(fields, kind = "character", memory = "list")
  methods <- if (!length(contains)) methods_from(name, list(step = remembered_step, show = show_optimizer)) else list()
  generator <- setRefClass(name, contains = contains, fields = fields, methods = methods)
  initialize <- function() NULL
  formals(initialize) <- c(defaults, alist(... = ))
  body(initialize) <- as.call(c(as.name("initFields"), sapply(names(defaults), as.name), kind = kind, as.name("...")))
  generator$methods(initialize = initialize)
  generator
}

show_optimizer <- function(self) {
  fields <- setdiff(names(self$.self$getRefClass()$fields()), c("kind", "memory"))
  values <- vapply(fields, function(name) paste(name, "=", format(self[[name]])), "")
  cat(sprintf("<%s> %s\n", class(self$.self)[1], paste(values, collapse = ", ")))
}

remembered_step <- function(self, x, gradient, key = "") {
  x <- check_numbers(x, "x", "step")
  gradient <- check_numbers(gradient, "gradient", "step")
  if (length(x) != length(gradient)) {
    abort("`x` has ", length(x), " numbers and `gradient` ", length(gradient), class = "shape", fun = "step")
  }
  slot <- paste0("key:", key) # a list cannot have an element named ""
  before <- self$memory[[slot]]
  if (!is.null(before) && attr(before, "size") != length(x)) {
    abort("`x` has ", length(x), " numbers but the state of `key` \"", key, "\" is for ", attr(before, "size"),
      class = "shape", fun = "step")
  }
  result <- .Call(C_optimizer_step, optimizer_numbers(self), as.double(x), as.double(gradient), before)
  if (length(result[[2]][[2]])) self$memory[[slot]] <- structure(result[[2]], size = length(x))
  `attributes<-`(result[[1]], attributes(x))
}

#' @rdname gradient_descent_optimizer
#' @export gradient_descent_optimizer
#' @exportClass gradient_descent_optimizer
gradient_descent_optimizer <- optimizer_class("gradient_descent_optimizer", "sgd", list(learning_rate = 0.01),
  contains = character()
)

#' @rdname gradient_descent_optimizer
#' @export momentum_optimizer
#' @exportClass momentum_optimizer
momentum_optimizer <- optimizer_class("momentum_optimizer", "momentum",
  list(learning_rate = 0.01, momentum = 0.9, nesterov = FALSE))

#' @rdname gradient_descent_optimizer
#' @export rmsprop_optimizer
#' @exportClass rmsprop_optimizer
rmsprop_optimizer <- optimizer_class("rmsprop_optimizer", "rmsprop",
  list(learning_rate = 0.001, rho = 0.9, epsilon = 1e-7))

#' @rdname gradient_descent_optimizer
#' @export adam_optimizer
#' @exportClass adam_optimizer
adam_optimizer <- optimizer_class("adam_optimizer", "adam",
  list(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7))

#' @rdname gradient_descent_optimizer
#' @export adamw_optimizer
#' @exportClass adamw_optimizer
adamw_optimizer <- optimizer_class("adamw_optimizer", "adamw",
  list(learning_rate = 0.001, weight_decay = 0.004, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7))

#' @rdname gradient_descent_optimizer
#' @export adagrad_optimizer
#' @exportClass adagrad_optimizer
adagrad_optimizer <- optimizer_class("adagrad_optimizer", "adagrad",
  list(learning_rate = 0.001, initial_accumulator_value = 0.1, epsilon = 1e-7))
