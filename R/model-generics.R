# What R's functions for statistical models say of networks, which keep no data and have no formula and no likelihood;
# and what the functions for models say of what is none, such as the history that fit() returns. Registered when the
# package loads.

# Why there is no answer, and what gives one: generics of package stats.
reasons <- list(
  "a network keeps no data: `y - predict(model, x)` are its residuals" = c("residuals", "rstandard", "rstudent",
    "influence", "hatvalues", "cooks.distance"),
  "a network keeps no data: `predict(model, x)` gives the fitted values" = c("fitted", "effects", "proj"),
  "a network keeps no data; the history that `fit()` returned has the number of rows as `$params$samples`" = c("nobs",
    "model.frame", "case.names"),
  "a network has no likelihood: `evaluate(model, x, y)` gives its loss and metrics for data" =
    c("logLik", "AIC", "BIC", "extractAIC", "deviance", "anova", "sigma", "df.residual", "profile", "add1", "drop1",
      "family"),
  "a network has no distribution of its weights, so no standard errors; `coef(model)` are the weights" = c("vcov",
    "confint", "alias", "dummy.coef", "se.contrast"),
  "a network gives predictions, not a distribution to draw from: `predict(model, x)`" = "simulate",
  "a network has no formula: `fit(model, x, y)` takes arrays, and `model.matrix(~ a + b, d)` makes numbers of columns" =
    c("formula", "terms", "model.matrix", "variable.names"),
  "a network is changed in place: `compile()` takes another loss or optimizer, and `fit()` goes on from where it is" =
    "update",
  "weights of cases are not kept: `get_weights(model)` are those of the network" = "weights"
)

# What is taken for a model, and what to give in its place.
no_models <- c(
  nn_history = "this is the history, which `fit()` returned: give the model, which `fit()` has changed in place",
  nn_keras_tensor = "this is a symbolic tensor: `keras_model(inputs, outputs)` makes a model that ends with it",
  dense_neural_network =
    "this is a network of `build_dense_neural_network()`, whose functions are its own, as in `network$fit(x, y)`",
  nn_layer = "this is a layer: `keras_model_sequential()` or `keras_model()` make models of layers"
)

# Functions for models, and where their generics are.
model_functions <- list(generics = c("fit", "compile"), stats = c("predict", "coef"), nativenet = "evaluate")

register_refusals <- function() {
  add <- function(generic, class, text, home) {
    force(text)
    refuse <- function(...) abort(text, fun = generic)
    force(generic)
    registerS3method(generic, class, refuse, envir = asNamespace(home))
  }
  for (class in names(no_models)) {
    for (home in names(model_functions))
      for (generic in model_functions[[home]]) if (!(class == "dense_neural_network" && generic == "predict"))
        add(generic, class, no_models[[class]], home)
    if (class != "nn_layer") for (generic in unlist(reasons)) add(generic, class, no_models[[class]], "stats")
  }
  for (text in names(reasons)) for (generic in reasons[[text]]) add(generic, "nn_layer", text, "stats")
}
