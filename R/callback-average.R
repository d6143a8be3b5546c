# Averaged weights in evaluation.

#' Averaged weights callback
#'
#' While a model is evaluated, also on the validation data of [fit()], its weights are the moving averages that an
#' optimizer with `use_ema = TRUE` keeps; then training goes on with the weights themselves.
#'
#' @param swap_on_epoch `TRUE` to leave the averages in the model from the end of an epoch to the beginning of the next
#'   one, so that callbacks that save it, such as [callback_model_checkpoint()], see these; put them behind this one.
#' @return A callback, for the argument `callbacks` of [fit()], [evaluate()] and [predict()][predict.nn_model].
#' @section Errors: `nativenet_error_value` for an optimizer without averages.
#' @references Polyak and Juditsky (1992), \doi{10.1137/0330046}.
#' @seealso [optimizers]
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile(optimizer_sgd(0.1, use_ema = TRUE, ema_momentum = 0.5), "mse")
#' x <- matrix(1:8 / 8)
#' fit(model, x, 2 * x, epochs = 2, verbose = 0, validation_data = list(x, 2 * x),
#'   callbacks = callback_swap_ema_weights())
#' @export
callback_swap_ema_weights <- function(swap_on_epoch = FALSE) {
  check_flag(swap_on_epoch)
  fun <- "callback_swap_ema_weights"
  self <- new_callback("swap_ema_weights", swap_on_epoch = swap_on_epoch)
  optimizer <- function() layer_self(self$model)$compiled$optimizer
  swap <- function(to) {
    check_averaging(optimizer(), fun)
    if (to != has_averages_in_model(optimizer())) swap_averages(optimizer())
  }
  self$on_train_begin <- function(logs) check_averaging(optimizer(), fun)
  self$on_epoch_begin <- function(epoch, logs) swap(FALSE)
  if (swap_on_epoch) self$on_epoch_end <- function(epoch, logs) swap(TRUE)
  for (mode in c("test", "predict")) {
    self[[paste0("on_", mode, "_begin")]] <- function(logs) swap(TRUE)
    self[[paste0("on_", mode, "_end")]] <- function(logs) swap(FALSE)
  }
  self
}

check_averaging <- function(optimizer, fun) {
  if (is.null(optimizer)) abort("the model must be compiled", fun = fun)
  if (!keeps_averages(optimizer)) abort("the optimizer keeps no averages: give it `use_ema = TRUE`", fun = fun)
}
