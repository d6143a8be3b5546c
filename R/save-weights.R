# The weights of a model in files, without its architecture.

#' Save and load weights
#'
#' The weights alone, without architecture and optimizer state. They are loaded into a model of the same architecture.
#'
#' By the ending of its name a file is HDF5 in the layout of Keras 2.15 (`.h5`, `.hdf5`), or of Keras 3
#' (`.weights.h5`), else it has the safetensors format. Files of Keras are read whatever their name: weights alone, and
#' those of whole models, also of `.keras` archives. For weights of PyTorch see [load_torch_weights()].
#'
#' @inheritParams save_model
#' @param max_shard_size must be `NULL`; present for compatibility with keras3.
#' @param by_name load the weights of layers whose names are in the file, and leave the others? By default the layers
#'   with weights must be those of the file, in its order.
#' @param skip_mismatch leave layers whose weights have other shapes, with a warning?
#' @param reshape take weights of other shapes if they have as many numbers, in Python's order?
#' @return `save_model_weights()`: the file's name, invisibly. `load_model_weights()`: the model, changed in place,
#'   invisibly.
#' @section Errors: `nativenet_error_package` if a file of Keras' needs a package that is not installed;
#'   `nativenet_error_file` for files that are missing, cut off or hold something else; `nativenet_error_shape` for
#'   weights of other shapes. The model is unchanged then.
#' @seealso [save_model()], [get_weights()], [safetensors_read()]
#' @examples
#' model <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
#' path <- tempfile(fileext = ".safetensors")
#' save_model_weights(model, path)
#' load_model_weights(model, path)
#' @export
save_model_weights <- function(object, filepath, overwrite = TRUE, max_shard_size = NULL) {
  fun <- calling_function(environment())
  if (!is.null(max_shard_size)) abort("`max_shard_size` must be NULL: all weights go to one file", fun = fun)
  self <- built_weights(object)
  filepath <- check_target(filepath, overwrite)
  format <- target_format(filepath, fun)
  if (format == "keras") abort("a file with the ending .keras holds a whole model, as `save_model()` writes it; ",
    "weights alone go to .weights.h5", class = "file", fun = fun)
  if (format == "hdf5") {
    tree <- if (grepl("[.]weights[.]h5$", filepath)) h5_keras_3(self, fun) else h5_keras_2(self, fun)
    return(invisible(replace_file(filepath, list(h5_bytes(tree, filepath, fun)), fun)))
  }
  weights <- all_weights(self)
  write_tensor_file(filepath, stats::setNames(weights, weight_keys(weights)), list(format = weights_format), fun)
  invisible(filepath)
}

#' @rdname save_model_weights
#' @export
load_model_weights <- function(object, filepath, by_name = FALSE, skip_mismatch = FALSE, reshape = FALSE) {
  fun <- calling_function(environment())
  check_flag(by_name)
  rule <- list(skip = check_flag(skip_mismatch), reshape = check_flag(reshape))
  self <- built_weights(object)
  format <- if (!missing(filepath)) keras_format(filepath)
  if (!is.null(format)) {
    refuse <- refuse_keras(filepath, fun)
    tree <- if (format == "keras") read_archive(filepath, refuse, fun)$weights else read_h5(filepath, refuse, fun)
    damaged(load_h5_weights(self, tree, by_name, rule, encodeString(filepath, quote = "\""), refuse, fun), refuse)
    return(invisible(object))
  }
  tensors <- model_file(filepath, fun)$tensors
  where <- encodeString(filepath, quote = "\"")
  if (by_name || rule$skip || rule$reshape) assign_pairs(pairs_by_key(self, tensors, by_name, rule, where, fun))
  else put_weights(self, tensors, where, fun)
  invisible(object)
}

#' @rdname save_model_weights
#' @export
save_model_weights_hdf5 <- save_model_weights
#' @rdname save_model_weights
#' @export
load_model_weights_hdf5 <- load_model_weights
#' @rdname save_model_weights
#' @export
save_model_weights_tf <- save_model_weights
#' @rdname save_model_weights
#' @export
load_model_weights_tf <- load_model_weights

put_weights <- function(self, tensors, where, fun) {
  weights <- all_weights(self)
  keys <- sort(stored_weights(tensors), method = "radix")
  if (length(keys) != length(weights)) abort(where, " holds ", length(keys), " weights, but the model has ",
    length(weights), class = "shape", fun = fun)
  for (k in seq_along(weights)) {
    saved <- tensors[[keys[k]]]
    if (!is_tensor(saved) || !identical(dim(saved), dim(weights[[k]]))) {
      abort(where, ": `", keys[k], "` must have the shape ", format_shape(dim(weights[[k]])), ", not ",
        if (is_tensor(saved)) format_shape(dim(saved)) else describe(saved), class = "shape", fun = fun)
    }
  }
  for (k in seq_along(weights)) variable_assign(weights[[k]], tensor(tensors[[keys[k]]], tensor_dtype(weights[[k]])))
}

#' list(weight, array) of a file of ours, one by one, by the names of weights or in their order.
#' @noRd
pairs_by_key <- function(self, tensors, by_name, rule, where, fun) {
  weights <- all_weights(self)
  stored <- tensors[sort(stored_weights(tensors), method = "radix")]
  name <- function(keys) sub("^weights/[0-9]+/", "", keys)
  if (by_name) {
    at <- match(name(weight_keys(weights)), name(names(stored)))
    weights <- weights[!is.na(at)]
    stored <- stored[at[!is.na(at)]]
  }
  if (length(weights) != length(stored)) abort(where, " holds ", length(stored), " weights, but the model has ",
    length(weights), class = "shape", fun = fun)
  pairs <- Map(function(w, x) pair_weights(list(w), list(as.array(x)), paste0("`", sub(":0$", "", variable_name(w)),
    "`"), rule, where, fun), weights, stored)
  unlist(unname(pairs), recursive = FALSE)
}
