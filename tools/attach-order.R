# Rscript tools/attach-order.R [package ...]: what other packages and nativenet do to each other. For each: the names
# that both export for different things (and whether theirs is a generic), methods for the same classes that both
# register, then a script of calls in a fresh process each, with that package attached before and after nativenet. A
# call that fails is explained if it uses a name that is masked and that the message on attaching names; others, and
# methods of both, are faults (status 1). Packages that are not installed are left out; R_LIBS may name a library of
# them.
arguments <- commandArgs(TRUE)

calls <- expression(
  {
    made <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "tanh") |> layer_dense(1)
    compile(made, "sgd", "mse", metrics = "mae")
  },
  model %>% compile(optimizer = optimizer_adam(), loss = loss_mean_squared_error,
    metrics = list(metric_mean_absolute_error)),
  history <- fit(model, x, y, epochs = 2, verbose = 0, callbacks = callback_lambda(on_epoch_end = function(...) NULL)),
  plot(history),
  evaluate(model, x, y),
  evaluate(model, x = x, y = y),
  evaluate(model, y = y, x = as.data.frame(x)),
  evaluate(object = model, x, y),
  model %>% evaluate(x = tensor(x), y = y, verbose = 0),
  evaluate(model, data),
  evaluate(model, x = data),
  predict(model, x),
  summary(model),
  list(tidy(model), glance(model), augment(model, as.data.frame(x))),
  stopifnot(is.list(get_weights(model))),
  train_on_batch(model, x, y),
  stopifnot(is.numeric({
    with(tf$GradientTape() %as% tape, loss <- v^2)
    as.array(tape$gradient(loss, v))
  })),
  {
    tape <- gradient_tape()
    with(tape, {
      l <- v * 2
      with(tape$stop_recording() %as% off, v * 3)
    })
  },
  {
    c(a, c(b, d)) %<-% list(1, list(2, 3))
    list(4, 5) %->% c(e, f)
    stopifnot(identical(c(a, b, d, e, f), 1:5 + 0))
  },
  stopifnot(identical(iterate(data, function(batch) dim(batch[[1]])[1]), c(2L, 2L))),
  {
    it <- as_iterator(data)
    stopifnot(is.list(iter_next(it)), is.list(iter_next(it)), is.null(iter_next(it)), is.null(iterate(it)))
  },
  dataset_collect(dataset_map(data, function(x, y) x)),
  stopifnot(identical(dim(as_tensor(tensor(matrix(1, 2, 3)))), c(2L, 3L))),
  as_tensor(matrix(1, 2, 3), "float32"),
  array_reshape(1:4, c(2, 2)),
  list(k_sum(x), op_add(x, x), tf$reduce_sum(x), activation_relu(x), normalize(x)),
  set_random_seed(1),
  autograph(function(x) if (sum(x) > 0) x else -x)(tensor(1)),
  tf_function(function(x) x + 1)(tensor(1)),
  {
    double <- nn_module("double", initialize = function(self, by) self$by <- by, call = function(self, x) x * self$by)
    module <- double(2)
    stopifnot(module$by == 2, as.array(module(tensor(2))) == 4)
    module$by <- 3
    print(module)
  },
  {
    net <- build_dense_neural_network(2, list(3, htan(), 1, sigmoid()), binary_crossentropy(),
      gradient_descent_optimizer(0.5))
    net$train_on_batch(x, matrix(y))
  },
  list(relu(), elu(), linear(), sigmoid(), threshold(), activation$className),
  to_categorical(0:2),
  pad_sequences(list(1:3, 1L)),
  nativenet::evaluate(model, x, y)
)

set_up <- expression(
  x <- matrix(c(1, 2, 3, 4, 4, 3, 2, 1), 4),
  y <- c(1, 0, 1, 0),
  data <- nativenet::dataset_batch(nativenet::tensor_slices_dataset(list(x, matrix(y))), 2),
  v <- nativenet::variable(3),
  # for calls whose own makers are masked
  model <- nativenet::keras_model_sequential(input_shape = 2) |> nativenet::layer_dense(1),
  nativenet::compile(model, "sgd", "mse"),
  history <- nativenet::fit(model, x, y, epochs = 1, verbose = 0)
)

#' Functions that a call names, which nativenet exports, but which another package's mask.
masked_in <- function(code) {
  ours <- intersect(unique(c(all.names(code))), getNamespaceExports("nativenet"))
  Filter(function(name) !identical(get0(name, globalenv()), getExportedValue("nativenet", name)), ours)
}

if (identical(arguments[1], "--child")) {
  said <- character()
  for (package in arguments[-1]) withCallingHandlers(library(package, character.only = TRUE), message = function(m)
    said <<- c(said, conditionMessage(m)))
  for (code in set_up) eval(code, globalenv())
  pdf(NULL)
  faults <- 0
  explained <- character()
  for (code in calls) {
    masked <- masked_in(code)
    sink(nullfile())
    message <- tryCatch({
      suppressWarnings(suppressMessages(print(eval(code, globalenv()))))
      NULL
    }, error = conditionMessage)
    sink()
    if (is.null(message)) next
    told <- length(masked) && any(vapply(masked, function(name) any(grepl(name, said, fixed = TRUE)), NA))
    if (told) explained <- union(explained, masked) else faults <- faults + 1
    if (!told) cat("    FAULT:", substr(paste(deparse(code), collapse = " "), 1, 100), "\n      ",
      substr(gsub("\n", " ", message), 1, 200), "\n")
  }
  cat("    ", length(calls), " calls; masked and said so: ", if (length(explained)) toString(explained) else "none",
    "\n", sep = "")
  for (line in grep("of nativenet, and its own", said, value = TRUE)) cat("    says:", line)
  quit(status = faults > 0)
}

packages <- if (length(arguments)) arguments else c("generics", "magrittr", "zeallot", "coro", "purrr", "dplyr",
  "tidyr", "rlang", "data.table", "Matrix", "ggplot2", "broom", "modelr", "caret", "recipes", "rsample", "parsnip",
  "yardstick", "dials", "tune", "workflows", "tidymodels", "tidyverse", "future", "future.apply", "furrr", "reticulate",
  "tensorflow", "tfautograph", "tfdatasets", "keras", "keras3", "torch", "luz", "tabnet", "e1071", "evaluate",
  "compiler", "R6", "callr", "testthat", "knitr")

#' Methods that a package registers by itself.
methods_of <- function(package) {
  methods <- parseNamespaceFile(package, dirname(system.file(package = package)))$S3methods
  paste(methods[, 1], methods[, 2], sep = ".")
}

is_generic <- function(f) is.function(f) && any(c("UseMethod", "standardGeneric") %in% all.names(body(f)))

faults <- 0
Sys.setenv(RETICULATE_USE_MANAGED_VENV = "no", TORCH_INSTALL = "0")
for (package in packages) {
  if (!nzchar(system.file(package = package))) {
    cat(package, ": not installed\n", sep = "")
    next
  }
  suppressWarnings(suppressMessages(loadNamespace(package)))
  cat(package, " ", format(packageVersion(package)), "\n", sep = "")
  both <- sort(intersect(getNamespaceExports("nativenet"), getNamespaceExports(package)))
  both <- Filter(function(name) !identical(getExportedValue("nativenet", name), getExportedValue(package, name)), both)
  if (length(both)) {
    theirs <- lapply(both, getExportedValue, ns = package)
    generic <- vapply(theirs, is_generic, NA)
    both[generic] <- sprintf("%s (generic of %s)", both[generic],
      vapply(theirs[generic], function(f) environmentName(topenv(environment(f))), ""))
    cat("  both export", length(both), "names:", toString(both[seq_len(min(12, length(both)))]), if (length(both) > 12)
      "...", "\n")
  }
  methods <- intersect(methods_of("nativenet"), methods_of(package))
  methods <- methods[!sub("[.].*", "", methods) %in% sub(" .*", "", both)] # of two generics of one name
  if (length(methods)) cat("  FAULT: both register", toString(methods), "\n")
  faults <- faults + length(methods)
  for (order in list(c(package, "nativenet"), c("nativenet", package))) {
    cat("  ", paste(order, collapse = ", then "), "\n", sep = "")
    status <- system2(file.path(R.home("bin"), "Rscript"), c("tools/attach-order.R", "--child", order), stderr = FALSE,
      timeout = 120)
    if (status) faults <- faults + 1
  }
}
cat(faults, "faults\n")
quit(status = faults > 0)
