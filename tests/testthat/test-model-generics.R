set.seed(17)
x <- matrix(rnorm(12), 4)
y <- rnorm(4)
model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
model |> compile("sgd", "mse", metrics = "mae")
history <- fit(model, x, y, epochs = 2, verbose = 0)
says <- function(code, ...) expect_refusal(code, NULL, ...)

test_that("R's functions for statistical models say why a network has no answer, and what gives one", {
  for (case in list(
    list(stats::residuals, "`residuals()`:", "keeps no data", "`y - predict(model, x)`"),
    list(stats::resid, "`y - predict(model, x)`"), list(stats::fitted, "`fitted()`:", "`predict(model, x)`"),
    list(stats::nobs, "`$params$samples`"), list(stats::formula, "`formula()`:", "no formula", "`model.matrix("),
    list(stats::terms, "no formula"), list(stats::model.frame, "keeps no data"),
    list(stats::AIC, "no likelihood", "`evaluate(model, x, y)`"), list(stats::BIC, "no likelihood"),
    list(stats::logLik, "no likelihood"), list(stats::deviance, "no likelihood"), list(stats::anova, "no likelihood"),
    list(stats::vcov, "no standard errors"), list(stats::confint, "`confint()`:"), list(stats::update, "`compile()`"),
    list(stats::simulate, "`predict(model, x)`"), list(stats::weights, "`get_weights(model)`")
  )) says(case[[1]](model), unlist(case[-1]))
  for (generic in unlist(reasons)) expect_true(is.function(getS3method(generic, "nn_layer",
    envir = asNamespace("stats"))), info = generic)
})

test_that("what fit() returned, a symbolic tensor and a layer are no models", {
  of_history <- c("this is the history, which `fit()` returned", "give the model")
  says(predict(history, x), "`predict()`:", of_history)
  says(evaluate(history, x, y), "`evaluate()`:", of_history)
  says(fit(history, x, y), of_history)
  says(compile(history, "sgd", "mse"), of_history)
  says(coef(history), of_history)
  says(residuals(history), of_history)
  for (f in list(save_model, get_weights, freeze_weights, count_params))
    says(f(history), "not a history, which `fit()` returned")
  input <- layer_input(3)
  for (f in list(predict, fit, compile, evaluate)) says(f(layer_dense(input, 1), x), "this is a symbolic tensor",
    "`keras_model(inputs, outputs)`")
  says(predict(layer_dense(units = 1), x), "this is a layer")
  expect_s3_class(k_mean(input), "nn_keras_tensor") # a layer of its own
  says(as.array(input), "has no numbers", "`layer_lambda(x, function(x) ...)`")
})

test_that("members of a history and of scores that are not there are errors", {
  expect_length(history$metrics$loss, 2)
  expect_identical(history$params$epochs, 2L)
  for (name in c("loss", "val_loss", "mae")) says(`$.nn_history`(history, name),
    paste0("no member `$", name, "`"), "`$params`, `$epoch` and `$metrics`", "`loss`, `mae`")
  scores <- evaluate(model, x, y)
  expect_identical(scores[["mae"]], scores$mae)
  expect_identical(scores[[1]], scores$loss)
  says(scores[["acc"]], "no member `$acc`")
  says(scores$acc, "no member `$acc`")
})
