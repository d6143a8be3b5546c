# Training from generators under the names of older versions of Keras.

#' Train, evaluate and predict from generators
#'
#' Older names: [fit()][fit.nn_model], [evaluate()][evaluate.nn_model] and [predict()][predict.nn_model] take generators
#' and data sets as `x`.
#'
#' @param object a model.
#' @param generator a function that returns a batch each time it is called, or a data set.
#' @param steps_per_epoch,steps the number of batches.
#' @param epochs,verbose,callbacks,view_metrics,validation_data,validation_steps,class_weight,initial_epoch as for
#'   [fit()][fit.nn_model].
#' @param max_queue_size,workers ignored; present for compatibility with Keras.
#' @return What these functions give.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", "mse")
#' batches <- function() list(matrix(runif(8), 4), runif(4))
#' model |> fit_generator(batches, steps_per_epoch = 5, epochs = 1, verbose = 0)
#' model |> evaluate_generator(batches, steps = 2)
#' @export
fit_generator <- function(object, generator, steps_per_epoch = NULL, epochs = 1,
  verbose = getOption("keras.fit_verbose", "auto"), callbacks = NULL,
  view_metrics = getOption("keras.view_metrics", "auto"), validation_data = NULL, validation_steps = NULL,
  class_weight = NULL, max_queue_size = 10, workers = 1, initial_epoch = 0) {
  check_generator(generator, max_queue_size, workers)
  fit(check_model(object), generator, epochs = epochs, verbose = verbose, callbacks = callbacks,
    view_metrics = view_metrics, validation_data = validation_data, class_weight = class_weight,
    initial_epoch = initial_epoch, steps_per_epoch = steps_per_epoch, validation_steps = validation_steps)
}

#' @rdname fit_generator
#' @export
evaluate_generator <- function(object, generator, steps = NULL, max_queue_size = 10, workers = 1, callbacks = NULL) {
  check_generator(generator, max_queue_size, workers)
  evaluate(check_model(object), generator, steps = steps, callbacks = callbacks)
}

#' @rdname fit_generator
#' @export
predict_generator <- function(object, generator, steps = NULL, max_queue_size = 10, workers = 1, verbose = 0,
  callbacks = NULL) {
  check_generator(generator, max_queue_size, workers)
  stats::predict(check_model(object), generator, steps = steps, verbose = verbose, callbacks = callbacks)
}

check_generator <- function(generator, max_queue_size, workers, fun = calling_function()) {
  if (is.function(generator)) check_function(generator, fun = fun, takes = 0)
  check_count(max_queue_size, fun = fun)
  check_count(workers, min = 0, fun = fun)
}

#' @rdname fit_generator
#' @param completed what to return when a data set has no more elements.
#' @export
generator_next <- function(generator, completed = NULL) {
  if (inherits(generator, "nn_iterator")) return(iter_next(generator, completed))
  check_function(generator, takes = 0)()
}

#' Predicted classes and probabilities
#'
#' Older names. `predict_proba()` is [predict()][predict.nn_model]. `predict_classes()` makes classes of what it gives,
#' from 0 on: the unit with the largest output, the first of equal ones, or, where there is one unit, whether its output
#' is greater than 0.5.
#'
#' @param object a model with one output.
#' @param x,batch_size,verbose,steps as for [predict()][predict.nn_model].
#' @return A vector of whole numbers, of one unit a matrix of one column, as in Keras; what `predict()` gives.
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "softmax")
#' predict_classes(model, matrix(1:8, 4))
#' @export
predict_classes <- function(object, x, batch_size = NULL, verbose = 0, steps = NULL) {
  y <- predict_proba(object, x, batch_size, verbose, steps)
  if (is.list(y)) abort("the model has ", length(y), " outputs: `predict()` gives them all")
  rank <- length(dim(y))
  if (dim(y)[rank] == 1) return(ifelse(y > 0.5, 1L, 0L))
  classes <- as.array(op_argmax(y, rank, zero_indexed = TRUE))
  storage.mode(classes) <- "integer"
  classes
}

#' @rdname predict_classes
#' @export
predict_proba <- function(object, x, batch_size = NULL, verbose = 0, steps = NULL) {
  check_given(missing(x), "x", "predict_proba")
  stats::predict(check_model(object), x, batch_size = batch_size, verbose = verbose, steps = steps)
}
