# Functions of Keras and TensorFlow for R that cannot be had here: calling one says why, and what to do instead. A name
# leaves the list when its function comes.

# Reasons, which R/tf-left.R gives, too.
pretrained_way <- paste("pretrained networks, whose weights would have to be downloaded, are not part of nativenet.",
  "Build the network of layers; `load_torch_weights()`, `load_model_weights()` and `load_model_hdf5()` read weights",
  "of files")
saved_model_way <- paste("TensorFlow's SavedModel is not written or read here. `save_model()` writes models,",
  "`save_model_keras()` and `save_model_hdf5()` for Keras, `save_model_onnx()` for other programs")
sparse_way <- "there are no sparse tensors; dense ones hold the same numbers"
complex_way <- "tensors have no complex numbers; `op_fft()` and its like take and give real and imaginary parts"
machine_way <- "there is one machine's CPU, whose threads `nn_threads()` sets"

not_yet <- list(
  pretrained = list(
    why = pretrained_way,
    names = c(paste0("application_", c(paste0("convnext_", c("tiny", "small", "base", "large", "xlarge")), "densenet",
      paste0("densenet", c(121, 169, 201)), paste0("efficientnet_b", 0:7), paste0("efficientnet_v2", c(paste0("b", 0:3),
      "s", "m", "l")), "inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2", "mobilenet_v3_large",
      "mobilenet_v3_small", "nasnet", "nasnet_large", "nasnet_mobile", "nasnetlarge", "nasnetmobile", "resnet101",
      "resnet101_v2", "resnet152", "resnet152_v2", "resnet50", "resnet50_v2", "vgg16", "vgg19", "xception",
      "decode_predictions", "preprocess_inputs")), paste0(c("imagenet", "mobilenet", "mobilenet_v2"),
      "_decode_predictions"), paste0(c("imagenet", "densenet", "inception_resnet_v2", "inception_v3", "mobilenet",
      "mobilenet_v2", "nasnet", "resnet", "resnet_v2", "xception"), "_preprocess_input"),
      paste0(c("mobilenet", "mobilenet_v2"), "_load_model_hdf5"), "layer_hub", "hub_load")),
  python = list(
    why = paste("there is no Python in nativenet. R's lists, arrays and functions stand for Python's objects;",
      "modules of Python cannot be loaded"),
    names = c("import", "np_array", "py_help", "py_to_r", "r_to_py", "layer_flax_module_wrapper",
      "layer_jax_model_wrapper", "layer_torch_module_wrapper", "tf_probability")),
  files = list(
    why = saved_model_way,
    names = c("export_savedmodel", "layer_tfsm", "model_from_saved_model", "model_to_saved_model", "view_savedmodel")),
  complex = list(
    why = complex_way,
    names = c("op_angle", "op_conj", "op_eig", "op_imag", "op_polar", "op_real", "op_view_as_complex",
      "op_view_as_real")),
  devices = list(why = machine_way, names = c("multi_gpu_model", "tf_gpu_configured")),
  sparse = list(why = sparse_way, names = c("k_ctc_label_dense_to_sparse", "sparse_tensor_slices_dataset"))
)
not_yet_names <- lapply(not_yet, `[[`, "names")

#' Functions of Keras that are not here
#'
#' Scripts for Keras and TensorFlow call functions that cannot be had in nativenet, such as those that download
#' pretrained networks. These names are known, so that calling one says why it is not here and what to do instead. Where
#' another package that is attached has a function of that name, as reticulate has `import()`, that one is called.
#'
#' @param ... whatever the function takes in Keras.
#' @return None: an error of class `nativenet_error_missing`.
#' @examples
#' try(application_vgg16())
#' @seealso [nativenet] for what is there.
#' @name not_yet
#' @keywords internal
#' @eval c("@aliases", sort(unlist(not_yet_names), method = "radix"))
#' @evalNamespace sprintf("export(%s)", sort(unlist(not_yet_names), method = "radix"))
NULL

tell_not_yet <- function(name, group) abort("is not here: ", not_yet[[group]]$why, class = "missing", fun = name)

for (group in names(not_yet_names)) for (name in not_yet_names[[group]]) assign(name, eval(bquote(function(...) {
  masked <- masked_function(.(name))
  if (is.null(masked)) tell_not_yet(.(name), .(group)) else masked$f(...)
})))
rm(name, group)
