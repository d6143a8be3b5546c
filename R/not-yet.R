# Names of Keras for R that scripts use most and that this version does not have: calling one says so. A name leaves the
# list when its function comes.

not_yet_names <- list(
  models = c("application_densenet121", "application_efficientnet_b0", "application_inception_v3",
    "application_mobilenet", "application_mobilenet_v2", "application_resnet50", "application_vgg16",
    "application_vgg19", "application_xception", "imagenet_decode_predictions", "imagenet_preprocess_input"),
  backend = "k_ctc_label_dense_to_sparse"
)

#' Functions of Keras that are not in this version
#'
#' Scripts for Keras call functions that nativenet does not have yet. These names are known, so that calling one says
#' what is missing; other functions of Keras that are missing are not found by R.
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

tell_not_yet <- function(name) abort("this version of nativenet does not have this function of Keras; ",
  "`?nativenet` tells what is there", class = "missing", fun = name)

for (name in unlist(not_yet_names)) assign(name, eval(bquote(function(...) tell_not_yet(.(name)))))
rm(name)
