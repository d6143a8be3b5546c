# A model to train in the mind: it has weights, a learning rate, and metrics that are given in advance.

fake_model <- function(learning_rate = 0.1) {
  model <- new.env()
  model$stop_training <- FALSE
  model$optimizer <- new.env()
  model$optimizer$learning_rate <- learning_rate
  model$weights <- 0
  model$saved <- character()
  model
}

at_end <- function(expr, frame) do.call(on.exit, list(bquote((.(function() expr))()), add = TRUE), envir = frame)

# Let functions of the package be others until the end of the test, be they there already or not.
local_stubs <- function(..., .frame = parent.frame()) {
  namespace <- asNamespace("nativenet")
  stubs <- list(...)
  for (name in names(stubs)) {
    local({
      name <- name
      if (exists(name, envir = namespace, inherits = FALSE)) {
        old <- get(name, envir = namespace)
        put <- function(value) {
          unlockBinding(name, namespace)
          assign(name, value, envir = namespace)
          lockBinding(name, namespace)
        }
        put(stubs[[name]])
        at_end(put(old), .frame)
      } else {
        assign(name, stubs[[name]], envir = globalenv())
        at_end(rm(list = name, envir = globalenv()), .frame)
      }
    })
  }
}

stub_model_functions <- function(.frame = parent.frame()) {
  record <- function(kind) {
    function(model, path, overwrite = TRUE) {
      stopifnot(overwrite)
      model$saved <- c(model$saved, paste(kind, basename(path)))
    }
  }
  local_stubs(get_weights = function(object, ...) list(object$weights), set_weights = function(object, weights)
    object$weights <- weights[[1]], save_model = record("model"), save_model_weights = record("weights"),
    .frame = .frame)
}

# Train: epoch e has the metrics of element e of each vector; the weights after it are e + 1. The history's metrics.
train <- function(model, callbacks, ..., batches = 1) {
  metrics <- list(...)
  callbacks <- as_callbacks(callbacks)
  epochs <- length(metrics[[1]])
  callback_set(callbacks, model, list(epochs = epochs, steps = batches))
  history <- list()
  run_callbacks(callbacks, "on_train_begin")
  for (epoch in seq_len(epochs) - 1) {
    run_callbacks(callbacks, "on_epoch_begin", epoch)
    for (batch in seq_len(batches) - 1) {
      if (!wants_batches(callbacks)) break
      run_callbacks(callbacks, "on_train_batch_begin", batch)
      run_callbacks(callbacks, "on_train_batch_end", batch, logs = list(loss = metrics$loss[epoch + 1]))
      if (model$stop_training) break
    }
    model$weights <- epoch + 1
    logs <- run_callbacks(callbacks, "on_epoch_end", epoch, logs = lapply(metrics, `[`, epoch + 1))
    for (name in names(logs)) history[[name]] <- c(history[[name]], logs[[name]])
    if (model$stop_training) break
  }
  run_callbacks(callbacks, "on_train_end", logs = logs)
  invisible(history)
}
