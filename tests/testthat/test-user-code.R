set.seed(211)
x <- matrix(rnorm(20), 10)
y <- rnorm(10)
labels <- rep(0:2, length.out = 10)
fitted_with <- function(loss = "mse", metrics = NULL, y = get("y", parent.env(environment())), units = 1, ...) {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(units, ...)
  model |> compile("sgd", loss, metrics = metrics)
  model |> fit(x, y, epochs = 1, verbose = 0)
}
expect_words <- function(expr, words, class = "error") {
  e <- expect_error(expr, class = class)
  for (w in words) expect_match(conditionMessage(e), w, fixed = TRUE)
}

test_that("a loss that cannot be traced is told by its argument, with the op that does it", {
  by_value <- c("`fit()`: `loss`:", "known only when the program runs", "`tf$where()`, `op_where()` or `k_switch()`",
    "`y_pred` (10, 1)")
  expect_words(fitted_with(function(y_true, y_pred) if (k_mean(y_true) > 0) k_mean(y_pred) else k_sum(y_pred)),
    by_value)
  expect_words(fitted_with(function(y_true, y_pred) if (k_mean(y_true) > 0 && k_mean(y_pred) > 0) k_mean(y_pred) else
    k_sum(y_pred)), by_value)
  at <- function(fun, op) c("`fit()`: `loss`: this function cannot be traced", sprintf("`%s()` asks for them", fun), op)
  expect_words(fitted_with(function(y_true, y_pred) mean(as.array(y_true - y_pred))), at("as.array", "`op_...()`"),
    "nativenet_error_traced")
  expect_words(fitted_with(function(y_true, y_pred) k_mean(as.array(y_pred))), at("as.array", "`k_...()`"),
    "nativenet_error_traced")
  expect_words(fitted_with(function(y_true, y_pred) sum(as.numeric(y_true))), at("as.double", "`tf$...`"),
    "nativenet_error_traced")
  expect_words(fitted_with(function(y_true, y_pred) k_mean(y_true$numpy())), at("numpy", "`op_...()`"),
    "nativenet_error_traced")
  expect_words(fitted_with(function(y_true, y_pred) k_mean(ifelse(y_true > 0, y_true, y_pred))),
    at("ifelse", "`op_where(test, yes, no)`"))
  expect_words(fitted_with(function(y_true, y_pred) sd(y_pred)), at("sd", "`op_std(x)`"))
})

test_that("so is one that calls R's own functions", {
  at <- function(fun, op = "`op_...()`, `k_...()`, `tf$...`")
    c("`fit()`: `loss`:", sprintf("R's `%s()` takes no tensors", fun), op)
  expect_no_warning <- function(expr) expect_warning(expr, NA)
  for (case in list(
    list(function(y_true, y_pred) max(0, y_pred), "max", "`op_maximum(x, y)`"),
    list(function(y_true, y_pred) k_mean(y_pred[which(y_true > 0)]), "which", "`op_where(test, yes, no)`"),
    list(function(y_true, y_pred) var(y_pred), "var", "`op_var(x)`"),
    list(function(y_true, y_pred) cor(y_pred, y_true), "cor"),
    list(function(y_true, y_pred) k_mean(rowSums(y_pred)), "rowSums", "`op_sum(x, axis = 2)`"),
    list(function(y_true, y_pred) table(y_pred, y_true), "table")
  )) expect_words(fitted_with(case[[1]]), do.call(at, case[-1]))
  for (f in list(function(y_true, y_pred) k_mean(pmax(0, y_pred)),
    function(y_true, y_pred) sort(y_pred))) {
    expect_no_warning(expect_words(fitted_with(f), c("`fit()`: `loss`:", "tensor")))
  }
})

test_that("mistakes that have nothing to do with tensors keep their words", {
  said <- function(f) conditionMessage(expect_error(fitted_with(f)))
  shapes <- " (`y_true` has the shape (10, 1), `y_pred` (10, 1))"
  expect_identical(said(function(y_true, y_pred) stop("mine")), paste0("`fit()`: `loss`: mine", shapes))
  expect_match(said(function(y_true, y_pred) k_men(y_pred)), "`loss`: could not find function \"k_men\" (",
    fixed = TRUE)
  expect_match(said(function(y_true, y_pred) lapply(list(y_pred), function(v) stop("inner"))), "`loss`: inner (",
    fixed = TRUE)
  expect_match(said(function(y_true, y_pred) if (NA) y_pred), "TRUE/FALSE needed (", fixed = TRUE)
  expect_match(said(function(y_true, y_pred) NULL), "`loss`: the function must return a tensor, not NULL", fixed = TRUE)
  expect_match(said(function(y_true, y_pred) 3), "`loss`: its value does not depend on the data", fixed = TRUE)
  expect_match(said(function(y_true, y_pred) k_mean(k_cast(y_pred > 0, "float32"))), "no weight has a gradient: `loss`",
    fixed = TRUE)
  e <- expect_error(fitted_with(function(y_true, y_pred)
    stop(structure(class = c("own", "error", "condition"), list(message = "m", call = NULL)))), class = "own")
})

test_that("a metric that fails is named, with both shapes", {
  shapes <- "(`y_true` has the shape (10, 1), `y_pred` (10, 1))"
  mine <- function(f) list("mae", custom_metric("mine", f))
  said <- function(f, ...) expect_words(fitted_with(metrics = mine(f)), c("`fit()`: the metric `mine`:", ..., shapes))
  said(function(y_true, y_pred) if (k_mean(y_true) > 0) 1 else 0, "`op_where()`")
  said(function(y_true, y_pred) mean(as.array(y_pred) > 0), "`as.array()` asks")
  said(function(y_true, y_pred) k_dot(y_true, y_pred), "inner sizes differ")
  said(function(y_true, y_pred) stop("oops"), "oops")
  said(function(y_true, y_pred) NULL, "not NULL")
  said(function(y_true, y_pred) k_constant(1:3), "does not depend on the data")
})

test_that("class labels beside several units: what fits is said", {
  labels_of <- function(...) fitted_with(..., y = labels, units = 3, activation = "softmax")
  sparse <- function(what) c(what, "of shape (10, 1) does not fit `y_pred` of shape (10, 3)",
    "`sparse_categorical_crossentropy`", "`to_categorical()`")
  expect_words(labels_of("binary_crossentropy"), sparse("`fit()`: `loss`:"), "nativenet_error_shape")
  expect_words(labels_of("categorical_crossentropy"), sparse("`fit()`: `loss`:"), "nativenet_error_shape")
  expect_words(labels_of("sparse_categorical_crossentropy", "binary_crossentropy"),
    sparse("`fit()`: the metric `binary_crossentropy`:"))
  for (metric in c("auc", "rmse", "precision", "mae")) {
    e <- expect_error(labels_of("sparse_categorical_crossentropy", metric), class = "nativenet_error_shape")
    expect_match(conditionMessage(e), sprintf("the metric `%s`: `y_true` of shape (10, 1)", metric), fixed = TRUE)
    expect_match(conditionMessage(e), "become one-hot rows by `to_categorical()`", fixed = TRUE)
    expect_no_match(conditionMessage(e), "loss_|sparse")
  }
  expect_words(labels_of("sparse_categorical_crossentropy", "categorical_accuracy"),
    c("`categorical_accuracy`", "`sparse_categorical_accuracy`"))
  expect_words(fitted_with("sparse_categorical_crossentropy", y = to_categorical(labels, 3), units = 3,
    activation = "softmax"), c("go with `categorical_crossentropy`", "max.col(y) - 1"))
})

test_that("layers, activations and regularizers, too", {
  by_value <- "`op_where()` or `k_switch()`"
  expect_words(fitted_with(activity_regularizer = function(x) if (k_sum(x) > 0) k_sum(x) else 0),
    c("the `activity_regularizer` of `dense", by_value))
  expect_words(fitted_with(kernel_regularizer = function(w) sd(w)), c("the regularizer of `", "`op_std(x)`"))
  expect_words(fitted_with(activation = function(x) if (x > 0) x else 0 * x), c("layer `dense", by_value))
  expect_words(fitted_with(activation = function(x) ifelse(x > 0, x, 0)),
    c("layer `dense", "`op_where(test, yes, no)`"))
  expect_words(layer_input(2) |> layer_lambda(function(x) if (k_sum(x) > 0) x else -x, name = "own"),
    c("layer `own`", by_value))
})

test_that("`if` on a tensor outside of models", {
  expect_words(trace_program(function(a) if (k_sum(a) > 0) a else -a, c(1, 2)), "`op_where()`")
  w <- variable(1)
  expect_words(with(tf$GradientTape() %as% tape, loss <- if (w > 0) w else -w),
    c("`as.logical()` makes an R value", "`autograph()`"))
  expect_equal(as.array(autograph(function(a) if (a > 0) a else -a)(tensor(-2))), 2) |> suppressMessages()
  expect_words(autograph(function(a) if (a > 0) 1 else 2)(tensor(c(1, 2))),
    "must be a single value, not a tensor of shape (2)")
  expect_identical(as.logical(is.na(tensor(c(1, NaN)))), c(FALSE, TRUE))
})

test_that("a mask of y_pred in a loss, and `if` in a layer that is called on tensors", {
  masked <-
    c(
      paste0("`fit()`: `loss`: this function cannot be traced: how many elements of a tensor a mask chooses depends ",
        "on its values"), "`op_where(mask, x, 0)`")
  expect_words(fitted_with(function(y_true, y_pred) k_mean(y_pred[y_true > 0])), masked)
  expect_words(fitted_with(function(y_true, y_pred) k_mean(y_pred[y_true[, 1] > 0, ])), masked)
  expect_words(fitted_with(function(y_true, y_pred) k_mean(tf$boolean_mask(y_pred, y_true > 0))), masked[1])
  one_sided <- layer_lambda(f = function(x) if (k_sum(x) > 0) x else -x)
  expect_words(one_sided(tensor(c(1, 2))), "`as.logical()` makes an R value of one")
  largest <- layer_lambda(f = function(x) pmax(0, x))
  expect_words(largest(tensor(c(1, 2))), "tensor")
})
