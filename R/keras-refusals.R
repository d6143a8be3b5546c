# Names of keras3 that are here under a condition, or refused with what to do in their place.

#' Words of keras3 for what is not here
#'
#' `optimizer_loss_scale()` keeps small gradients of 16 bits from vanishing. Numbers have 32 or 64 bits here, where
#' nothing vanishes, so that it gives `inner_optimizer` itself. `quantize_weights()` and
#' `audio_dataset_from_directory()` are errors that say what to do.
#'
#' @param inner_optimizer an optimizer, or the name of one.
#' @param initial_scale,dynamic_growth_steps numbers, which change nothing.
#' @param name ignored.
#' @param object,mode,directory,... whatever they take in Keras.
#' @return An optimizer; otherwise an error of class `nativenet_error_missing`.
#' @seealso [optimizers]
#' @examples
#' optimizer_loss_scale(optimizer_adam())
#' try(quantize_weights(layer_dense(units = 2), "int8"))
#' @export
optimizer_loss_scale <- function(inner_optimizer, initial_scale = 32768, dynamic_growth_steps = 2000L, ...,
  name = NULL) {
  check_number(initial_scale, above = 0)
  check_number(dynamic_growth_steps, above = 0)
  if (!is.null(name)) check_string(name)
  given <- Filter(Negate(is.null), list(...))
  if (length(given)) abort("takes no `", names(given)[1], "`: give it to the inner optimizer")
  as_optimizer(inner_optimizer)
}

#' @rdname optimizer_loss_scale
#' @export
quantize_weights <- function(object, mode, ...) abort("weights of 8 bits are not here: numbers have 32 or 64 bits; ",
  "`save_model()` and the model as it is do the same with more memory", class = "missing")

#' @rdname optimizer_loss_scale
#' @export
audio_dataset_from_directory <- function(directory, ...) abort("sounds are not read here: a package such as tuneR ",
  "reads them, `tensor_slices_dataset()` takes the arrays, and `layer_mel_spectrogram()` makes pictures of them",
  class = "missing")
